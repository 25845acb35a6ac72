#!/usr/bin/env bash
# move_test.sh WZP-CONFORMANCE WZP-CLIENT: NAT-113 with a client in a namespace whose network is really
# changed by --move: an address more on an interface.  As root; exit code 77 where that is not possible.
set -uo pipefail
suite=$(realpath "$1")
client=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
# shellcheck source=tools/lab/ns.sh
. "$here/../../tools/lab/ns.sh"

lab_needs ip
lab_begin p
# shellcheck disable=SC2154 # set by lab_begin
ip -n "$p" link add wifi type veth peer name air || skip "no interfaces can be made here"
ip -n "$p" link set wifi up
ip -n "$p" link set air up
ip -n "$p" address add 10.99.0.200/24 dev wifi
# shellcheck disable=SC2154 # set by lab_begin
cd "$work" || exit 1
export HOME=$work
listener="'$client' listen --lab-addresses --quiet {addr}"

# run NAME PATTERN ARGS...: a line of the report is like PATTERN; NAME.out has all of it.  What fails must
# fail three times: the machine may be busy.
run() {
    local name=$1 pattern=$2
    shift 2
    for _ in 1 2 3; do
        ip -n "$p" address flush dev wifi
        timeout 150 ip netns exec "$p" "$suite" run --select NAT-113 --repeat 1 --quiet --listener "$listener" "$@" \
            >"$name.out" 2>&1 </dev/null
        grep -qE -- "$pattern" "$name.out" && break
    done
    grep -qE -- "$pattern" "$name.out" || fail "$name: no $pattern: $(cat "$name.out")"
    echo "$name: $(tail -n 1 "$name.out")"
}

good='^1 PASS,.*\(0 warnings'
add='ip address add 10.99.0.{n}/24 dev wifi'
run moved "$good" --move "$add"
run thrice "$good" --move "$add" --repeat 3
run slowly "$good" --move "sleep 2; $add"
run by-process "$good" --move "test -d /proc/{pid} && $add"
run nothing-changes 'WARNING +NAT-113 .*late' --move true
run nobody-moves-it 'SKIP +NAT-113 .*unsupported:a change of its network'
run cannot-be-moved 'INCONCLUSIVE +NAT-113' --move 'echo no such network >&2; exit 3' --out report
grep -q -- '--move ended with exit code 3' cannot-be-moved.out || fail "not said: $(cat cannot-be-moved.out)"
grep -q 'no such network' report/client.log || fail "its words are lost"

"$suite" run --client embedded --move true >usage.out 2>&1
expect "--move without --listener" "$?" 2

lab_end
