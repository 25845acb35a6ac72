#!/usr/bin/env bash
# call_test.sh WZP-RELAY WZP-CLIENT: direct calls between real programs over loopback.
set -uo pipefail
relay=$(realpath "$1")
client=$(realpath "$2")
# shellcheck source=../testing/shell.sh
. "$(dirname "$(realpath "$0")")/../testing/shell.sh"

# says TEXT FILE
says() { grep -qF -- "$1" "$2" || fail "'$1' is missing in: $(cat "$2")"; }

# ended PID CODE WHO
ended() {
    wait "$1"
    local got=$?
    [ $got -eq "$2" ] || fail "$3 ended with $got instead of $2: $(cat "$3".err)"
}

"$relay" --listen 127.0.0.1:0 --identity id --strict-identity >relay.out 2>relay.err &
pids+=($!)
address=$(wait_for '^listening on ' relay.out) || exit 1
address=${address#listening on }

# listen NAME OPTIONS: leaves listener and fingerprint
listen() {
    local name=$1 line
    shift
    "$client" listen "$@" "$address" >"$name.out" 2>"$name.err" &
    listener=$!
    pids+=("$listener")
    line=$(wait_for '^listening as ' "$name.out") || exit 1
    fingerprint=${line#listening as }
}

# --- a call ----------------------------------------------------------------------------------------

listen bob --alias Bob --record heard
"$client" call --alias Alice --tone-hz 440 --duration 3 "$fingerprint" "$address" >alice.out 2>alice.err
code=$?
[ $code -eq 0 ] || fail "alice ended with $code: $(cat alice.err)"
ended "$listener" 0 bob
for line in ringing 'call set up: call-' 'in the room: 2' 'call ended: hung up here'; do
    says "$line" alice.err
done
for line in ', Alice' 'call set up: call-' 'call ended: Normal'; do
    says "$line" bob.err
done
if grep -q 'not proven' bob.err; then fail "Alice had signed: $(cat bob.err)"; fi
for who in alice bob; do
    received=$(sed -nE 's/.*received ([0-9]+) from 1.*/\1/p' $who.out)
    [ "${received:-0}" -gt 20 ] || fail "$who heard nobody: $(cat $who.out)"
done
[ "$(stat -c %s heard/sender-1.wav)" -gt 48000 ] || fail "nothing was recorded"

# --- its way ---------------------------------------------------------------------------------------

# way PATH PROVEN LISTENER-OPTIONS -- CALLER-OPTIONS: what the statistics of the caller say of it
way() {
    local want="\"path\":\"$1\",\"peer\":\"127.0.0.1:[0-9]+\",\"proven\":$2,\"setup_ms\":[0-9.]+,\"path_changes\":[12],\"refused\":[{]\"calls\":0,.*\"stun_transaction\":0,.*\"upnp_address\":0[}]" theirs=()
    shift 2
    while [ "$1" != -- ]; do
        theirs+=("$1")
        shift
    done
    shift
    listen grace "${theirs[@]}"
    "$client" call --json --tone-hz 440 --duration 1 "$@" "$fingerprint" "$address" >henry.out 2>henry.err
    code=$?
    [ $code -eq 0 ] || fail "henry ($*) ended with $code: $(cat henry.err)"
    ended "$listener" 0 grace
    grep -qE -- "$want" henry.out || fail "henry ($*): no '$want' in: $(cat henry.out henry.err)"
}

way relay false --
way direct true --lab-addresses -- --lab-addresses
says 'direct path to 127.0.0.1:' grace.err
way relay false --lab-addresses --relay-only -- --lab-addresses
says 'relayed by 127.0.0.1:' henry.err
way direct true --lab-addresses --birthday -- --lab-addresses --birthday --no-birthday
way relay false --lab-addresses --generic -- --lab-addresses
way direct false --lab-addresses --policy deployed -- --lab-addresses --policy deployed
says 'identity not proven' grace.err
way direct false --lab-addresses --policy deployed -- --lab-addresses

listen ida --lab-addresses --stats json
"$client" call --lab-addresses --direct-only --duration 1 "$fingerprint" "$address" >jack.out 2>jack.err
code=$?
[ $code -eq 0 ] || fail "jack ended with $code: $(cat jack.err)"
ended "$listener" 0 ida
grep -qE '"state":"joined".*"path":"direct","peer":"127.0.0.1:[0-9]+","proven":true' ida.out ||
    fail "no path in the statistics: $(tail -n 1 ida.out)"

# --- a relay that restarts ---------------------------------------------------------------------------

# restart ADDRESS: leaves restarted
restart() {
    "$relay" --listen "$1" --identity id2 >relay2.out 2>relay2.err &
    restarted=$!
    pids+=("$restarted")
    wait_for '^listening on ' relay2.out >/dev/null || exit 1
}
restart 127.0.0.1:0
first=$address
address=$(sed -n 's/^listening on //p' relay2.out)
listen kim --lab-addresses
"$client" call --lab-addresses --json --tone-hz 440 --duration 6 "$fingerprint" "$address" >lou.out 2>lou.err &
lou=$!
pids+=("$lou")
wait_for '^direct path to' kim.err >/dev/null
kill "$restarted"
wait "$restarted"
restart "$address"
wait_for '^registered again' lou.err >/dev/null
wait_for '^registered again' kim.err >/dev/null
ended "$lou" 0 lou
ended "$listener" 0 kim
says 'the relay is gone, and is looked for' lou.err
grep -qF '"path":"direct"' lou.out || fail "the call did not stay direct: $(cat lou.out lou.err)"
sed -n '/the relay is gone/,$p' lou.err | grep -E '^(direct|relayed)' && fail "its path changed: $(cat lou.err)"
address=$first

# --- calls that do not come about ------------------------------------------------------------------

listen carol --reject
for i in 1 2; do
    "$client" call "$fingerprint" "$address" >"dave$i.out" 2>"dave$i.err"
    code=$?
    [ $code -eq 1 ] || fail "a rejected caller ended with $code: $(cat "dave$i.err")"
    says 'call ended: Normal' "dave$i.err"
done
kill -INT "$listener"
ended "$listener" 0 carol

listen kate
"$client" call --direct-only --duration 1 "$fingerprint" "$address" >leo.out 2>leo.err
code=$?
[ $code -eq 1 ] || fail "a call without a direct path ended with $code: $(cat leo.err)"
says 'call ended: ' leo.err
ended "$listener" 1 kate

# expect CODE TEXT ARGS...
expect() {
    local want=$1 text=$2 got
    shift 2
    timeout 60 "$client" "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$want" ] || fail "$*: exit code $got instead of $want: $(cat err)"
    says "$text" err
}
nobody=0123:4567:89ab:cdef:0123:4567:89ab:cdef
expect 1 'nobody with this fingerprint is registered here' call $nobody "$address"
expect 2 'expected a fingerprint of 32 hex digits' call bob "$address"
expect 2 'join, call FINGERPRINT, listen, echo or drift' call "$address"
expect 2 'join, call FINGERPRINT, listen, echo or drift' listen "$nobody" "$address"
expect 2 'jion: expected join, call FINGERPRINT' jion "$address"
expect 2 '127.0.0.1:99999: expected HOST:PORT, with a port' join 127.0.0.1:99999
expect 2 '--seed: expected 64 hex digits' listen --seed 12 "$address"
expect 2 'who tells nobody where it is has no direct path' listen --direct-only --generic "$address"
expect 2 '--birthday: not with' listen --birthday --relay-only "$address"
expect 2 '--birthday: not with' listen --birthday --direct-only "$address"
expect 2 '--birthday: not with' listen --generic --birthday "$address"
expect 2 '--birthday: not with' call --birthday --policy deployed "$nobody" "$address"
expect 2 '--birthday is not for join' join --birthday "$address"
expect 2 'expected HOST:PORT, up to 8 of them, or none' listen --stun 3478 "$address"
expect 2 '--policy is not for join' join --policy deployed "$address"
# Nobody reads what arrives at the port of a socket that is not there.
expect 4 'wzp-client: 127.0.0.1:9: no answer' call $nobody 127.0.0.1:9

# --- an end in the middle --------------------------------------------------------------------------

listen erin
"$client" call --duration 30 "$fingerprint" "$address" >frank.out 2>frank.err &
caller=$!
pids+=("$caller")
wait_for 'in the room: 2' frank.err >/dev/null
kill -INT "$listener"
ended "$listener" 0 erin
ended "$caller" 0 frank
says 'call ended: Normal' frank.err

exit $failed
