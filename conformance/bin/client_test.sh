#!/usr/bin/env bash
# client_test.sh WZP-CONFORMANCE WZP-CLIENT: the real client through --client, over loopback, and
# clients that say less than it does.  Cases of a minute are left to the embedded client in virtual
# time.
set -uo pipefail
conformance=$(realpath "$1")
client=$(realpath "$2")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
fail() {
    echo "FAILED: $*" >&2
    failed=1
}

within=() # of a network namespace
# run CODE TEXT ARGS...: exit status, and a text that the output has
run() {
    local want=$1 text=$2 got
    shift 2
    timeout 300 "${within[@]}" "$conformance" run --repeat 1 "$@" >out 2>&1 </dev/null
    got=$?
    if [ "$want" -eq 0 ] && [ $got -eq 5 ]; then
        echo "this machine is too busy to say: $(tail -n 1 out)"
        return
    fi
    [ $got -eq "$want" ] || fail "$*: exit code $got instead of $want: $(cat out)"
    grep -qF -- "$text" out || fail "$*: '$text' is missing in: $(cat out)"
}
short=(--jobs 12 --skip X-02 --skip X-08 --skip G-11b --skip FEC-006)
whole="$client join --room {room} --media-crypto {crypto} --quality {quality} --stats json --tone-hz 440 --duration 200 {addr}"
run 0 ' PASS, 0 FAIL, 0 INCONCLUSIVE, ' --client "$whole" "${short[@]}" --out report
# All but AUD-007, and fourteen that need Codec2 or one that needs DRED where it was built without.
grep -qE '^(4[34]|29|30) PASS| [1-9][0-9]* INCONCLUSIVE' out || fail "the whole: $(cat out)"
[ -s report/client.log ] || fail "the client's standard error was not kept"
# Without statistics the wire alone judges.
run 0 'statistics' --client "$client join --room {room} --media-crypto {crypto} --duration 200 {addr}" \
    --select 'X-0[17]' --select G-11
grep -qE '2 PASS, 0 FAIL, 0 INCONCLUSIVE, 1 SKIP| [1-9] INCONCLUSIVE' out || fail "without statistics: $(cat out)"
run 0 '1 PASS' --client "$client join --room {room} --suppress-silence --silence --duration 200 {addr}" \
    --select AUD-007
# Nor does it tell what it plays, or know that it shall adapt.
run 0 'statistics of playout' --client "$client join --room {room} --duration 200 {addr}" --select AUD-008 --select JIT-004
run 0 'fixed quality' --client "$client join --room {room} --duration 200 {addr}" --select QUAL-006
run 0 'adaptation' --client "$client join --room {room} --quality good --tone-hz 440 --duration 200 {addr}" \
    --select QUAL-005 --select QUAL-003
# Who says more than a pipe holds before it comes must be read from the first step on, or it never comes.
run 0 '1 PASS' --client "head -c 300000 /dev/zero | tr '\\0' '\\n'; exec $whole" --select X-07
# In clear, and nobody has told it otherwise.
run 0 'relay-aead' --client "$client join --room {room} --stats json --duration 200 {addr}" --select X-07
# In clear although it was told.
run 1 'X-07' --client "$client join --room {room} --alias {crypto} --duration 200 {addr}" --select X-07
# One that gives up before it comes says nothing about what it would do; one into another room does.
run 5 'its program has ended' --client 'false {addr} {room}' --select X-07
run 1 'X-16' --client "$client join --room x{room} --duration 200 {addr}" --select X-16
# Direct calls: 68 cases without that of a minute and a half, of which one wants the client's network changed.
takes="$client listen --quiet --lab-addresses --stun {stun} --gateway {gateway} {addr} \
    \$([ {answer} = generic ] && echo --generic) \$([ {paths} = direct ] && echo --direct-only)"
calls="$client call --quiet --lab-addresses --stun {stun} --tone-hz 440 --duration 100 {peer} {addr}"
run 0 ' 1 SKIP ' --listener "$takes" --caller "$calls" --tier NATC,RACE,MAP --skip NAT-114b --jobs 6
grep -qE '^67 PASS| [1-9][0-9]* INCONCLUSIVE' out || fail "direct calls: $(cat out)"
# One that cannot be told so much, and one that stays on the relay.
run 0 'unsupported:{answer}' --listener "$client listen {addr}" --select NAT-064
run 0 'unsupported:{gateway}' --listener "$client listen {addr}" --select NAT-043
run 0 'unsupported:port mapping' --listener "$client listen --no-portmap --gateway {gateway} {addr}" --select NAT-043
run 0 'unsupported:direct paths' --listener "$client listen --relay-only {addr}" --select NAT-085
# A port by UPnP: where it is told of the gateway, and where its default route leads.  In a network of their own, if that
# is to be had: what others of this machine search for is not heard there.
apart=(unshare -rn sh -c 'ip link set lo up && ip route add default via 127.0.0.1 dev lo src 127.0.0.1 && exec "$@"' sh)
if grep -q UPNP_AddPortMapping "$client"; then
    "${apart[@]}" true 2>/dev/null && within=("${apart[@]}")
    run 0 'NAT-042 ' --listener "$takes" --tier UPNP
    grep -qE '^7 PASS, .* \(0 warnings| [1-9] INCONCLUSIVE' out || fail "UPnP: $(cat out)"
    [ ${#within[@]} -eq 0 ] ||
        run 0 '2 PASS, 0 FAIL, 0 INCONCLUSIVE, 0 SKIP (0 warnings' --listener "$client listen --lab-addresses {addr}" \
            --select NAT-042 --select NAT-043c
    within=()
fi
run 0 'unsupported:UPnP' --listener "$client listen --no-portmap --gateway {gateway} {addr}" --select NAT-043c
# What it says of its network, and one that says it as text only, to whom no server can be named.
checks="$client netcheck --gateway {gateway} \$([ {format} = json ] && echo --json) --stun {stun} --stun {stun2} {addr}"
run 0 '14 PASS' --netcheck "$checks" --tier CHECK
run 0 '4 PASS' --netcheck "$client netcheck --no-portmap --stun {stun} {addr}" --select NAT-009 --select 'NAT-13*'
run 1 'NAT-130' --netcheck "echo; : {addr}" --select NAT-130
# One that trusts whom it should not.
run 1 'NAT-064' --listener "env ANSWER={answer} $client listen --lab-addresses {addr}" \
    --select NAT-064
# None at all.
run 4 'no such program' --client './no-such-client {addr} {room}' --select X-07
# Wrong usage.
run 2 'name it with --client' --select X-01
run 2 'leave out --client' --client embedded --tier A
run 2 'must contain {room}' --client "$client {addr}"
run 2 "takes 'embedded' only" --virtual --client "$whole"
run 2 'which name a relay' --client embedded --target 127.0.0.1:9
exit $failed
