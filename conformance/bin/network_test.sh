#!/usr/bin/env bash
# network_test.sh WZP-CONFORMANCE WZP-RELAY: the suite against a relay that is not on its own machine: at
# the other end of a cable between two namespaces, by IPv4 and by IPv6, and behind a narrow path.  What
# fails nowhere else may fail here: sockets of all addresses, routes, a path MTU.  As root; exit code 77
# where that is not possible.
set -uo pipefail
suite=$(realpath "$1")
relay=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
# shellcheck source=tools/lab/ns.sh
. "$here/../../tools/lab/ns.sh"

lab_needs ip ss
lab_begin t r
# $t tester (10.7.0.1, fd07::1) ---- ($r) relay (10.7.0.2, fd07::2)
# shellcheck disable=SC2154 # set by lab_begin
cable "$t" eth0 "$r" eth0
ip -n "$t" addr add 10.7.0.1/24 dev eth0
ip -n "$r" addr add 10.7.0.2/24 dev eth0
ip -n "$t" addr add fd07::1/64 dev eth0 nodad
ip -n "$r" addr add fd07::2/64 dev eth0 nodad
# shellcheck disable=SC2154 # set by lab_begin
cd "$work" || exit 1
export HOME=$work

start relay ip netns exec "$r" "$relay" --listen '[::]:4433' --enforce on --quiet
wait_for 20 listens "$r" 4433 || fail "no relay: $(cat relay.log)"

# run NAME ARGS...: leaves NAME.out.  What fails must fail three times: the machine may be busy.
run() {
    local name=$1 got
    shift
    for _ in 1 2 3; do
        timeout 250 ip netns exec "$t" "$suite" run --repeat 1 --quiet --skip 'CAL-0[12]' "$@" >"$name.out" 2>"$name.err" </dev/null
        got=$?
        [[ $got != [05] ]] || break
    done
    [[ $got == [05] ]] || fail "$name: exit code $got: $(cat "$name.out" "$name.err")"
    local passed
    passed=$(grep -oE '^[0-9]+ PASS' "$name.out")
    [ "${passed% PASS}" -gt 10 ] || fail "$name: $(tail -n 3 "$name.out")"
    echo "$name: $(tail -n 1 "$name.out")"
}

few=(--select 'NAT-*' --select 'S-*' --select 'H-*' --select 'RLY-0[23]*')
run v4 --target 10.7.0.2:4433 "${few[@]}"
run v6 --target '[fd07::2]:4433' "${few[@]}"

# A relay whose path is as narrow as IPv6 allows.
ip -n "$t" link set eth0 mtu 1280
ip -n "$r" link set eth0 mtu 1280
run narrow --target 10.7.0.2:4433 --select 'S-*' --select 'NAT-*' --select 'W-*'

# Nobody there: unreachable, and said so.
stop relay
timeout 100 ip netns exec "$t" "$suite" run --target 10.7.0.2:4433 --select S-01 >gone.out 2>&1 </dev/null
expect "no relay" "$?" 4

lab_end
