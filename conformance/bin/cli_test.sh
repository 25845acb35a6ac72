#!/usr/bin/env bash
# cli_test.sh WZP-CONFORMANCE WZP-RELAY: what a user sees: bad input, a relay that is started, one
# that is not there, one that dies, and Ctrl-C.
set -uo pipefail
suite=$(realpath "$1")
relay=$(realpath "$2")
expectations=$(dirname "$(realpath "$0")")/../expectations
work=$(mktemp -d)
export HOME=$work/home
mkdir "$HOME"
cd "$work" || exit 1
failed=0
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*"
    failed=1
}

# expect CODE TEXT ARGS...: ends with CODE ("0/5": either), and TEXT is in what it says.
expect() {
    local want=$1 text=$2 got
    shift 2
    timeout 100 "$suite" "$@" >out 2>err </dev/null
    got=$?
    [[ /$want/ == */$got/* ]] || fail "$*: exit code $got instead of $want: $(cat err)"
    grep -qF -- "$text" out err || fail "$*: '$text' is missing in: $(cat out err)"
}

# --- bad input -------------------------------------------------------------------------------------

expect 0 'Example: wzp-conformance run' --help
expect 127 "no case is called 'A-9Z'; nearest: A-" run --select A-9Z
expect 2 "there is no tier 'Q'; there are: CAL A" run --tier Q
expect 2 '--repeat takes a whole number' run --repeat many
expect 2 '--mode takes auto or observe or enforce' run --mode strict
expect 2 'nowhere: expected HOST:PORT' run --target nowhere
expect 2 '127.0.0.1:70000: expected HOST:PORT, with a port from 1 to 65535' run --target 127.0.0.1:70000
expect 4 'no-such-host.invalid:4433: ' run --target no-such-host.invalid:4433
expect 2 "run takes no 'W-01'" run --virtual W-01
expect 2 'wzp-conformance: list, run, report or score?'
expect 3 'cannot write absent/page.html: No such file' run --virtual --html absent/page.html
expect 3 'wzp-conformance: absent.toml: cannot be read' run --virtual --tier CAL --net absent.toml
expect 3 'no-such-file' run --virtual --tier CAL --expect no-such-file
! grep -q CAL-01 out || fail "cases were run although --expect cannot be read"

begin=$SECONDS
expect 4 '127.0.0.1:1: no answer within 4 s' run --target 127.0.0.1:1
[ $((SECONDS - begin)) -le 10 ] || fail "an unreachable relay is told after $((SECONDS - begin)) s"

# --- expectations ----------------------------------------------------------------------------------

echo W-01 >known
expect 0 'known:1: W-01 was expected to fail and passed' run --virtual --select W-01 --expect known
echo W-99 >known
expect 3 "known:1: no case is called 'W-99'; nearest: W-09" run --virtual --tier W --expect known
echo 'W-01 FAIL soon' >known
expect 3 "known:1: 'soon' is no reason" run --virtual --tier W --expect known
! grep -q CAL-01 out || fail "cases were run before the list was read"
expect 0 'deviations: 0 known, 0 new, 2 gone' run --virtual --tier S \
    --expect "$expectations/upstream-2026-05-25"
# It is declared to enforce and observes.
echo 'CAL-03 FAIL mode-mismatch' >known
expect 0 'deviations: 1 known, 0 new, 0 gone' run --virtual --tier CAL --enforce observe \
    --mode enforce --expect known
echo 'CAL-03 FAIL crash' >known
expect 1 'CAL-03 was expected to FAIL as crash, and failed (mode-mismatch)' run --virtual \
    --tier CAL --enforce observe --mode enforce --expect known

# --- a relay that is started -----------------------------------------------------------------------

# This machine may be busy: CAL-02 would say so and end the run, and W-03 may be inconclusive.
expect 0/5 '0 FAIL' run --exec "$relay --listen {addr} --enforce on --quiet" --select W-03 \
    --skip CAL-02 --repeat 1 --out good --evidence all
for file in report.json report.html report.md junit.xml evidence/W-03.1.pcapng evidence/W-03.1.keys \
    evidence/W-03.1.jsonl; do
    [ -s "good/$file" ] || fail "good/$file is missing"
done
if command -v tshark >/dev/null; then
    # Every packet of every connection can be read with the secrets beside the capture.
    tshark -r good/evidence/W-03.1.pcapng -o tls.keylog_file:good/evidence/W-03.1.keys -Y quic \
        -T fields -e quic.frame_type >frames 2>/dev/null
    [ "$(wc -l <frames)" -gt 100 ] || fail "tshark sees no QUIC in the capture"
    ! grep -qx '' frames || fail "tshark cannot decrypt $(grep -cx '' frames) packets"
fi

# --- a relay that dies -----------------------------------------------------------------------------

cat >dies <<SCRIPT
#!/bin/sh
exec timeout -s KILL 6 "$relay" --listen \$1 --enforce on --quiet
SCRIPT
chmod +x dies
expect 1 '(crash)' run --exec './dies {addr}' --select W-03 --skip CAL-02 --repeat 1 --out dead
[ -s dead/evidence/CAL-01.1.jsonl ] || fail "no evidence of the crash"
[ -s dead/report.json ] || fail "no report of the crash"

expect 4 'ended with exit code 1' run --exec 'false {addr}'
expect 2 'the command must contain {addr}' run --exec 'true'
expect 2 '--config takes max-sessions=' run --config sessions=true

# --- Ctrl-C ----------------------------------------------------------------------------------------

timeout -s INT 4 "$suite" run --select W-03 --skip CAL-02 --repeat 1 --out stopped >out 2>err </dev/null
grep -q 'The run was interrupted' out || fail "interrupted: $(cat out err)"
[ -s stopped/report.json ] || fail "no report after Ctrl-C"
"$suite" report stopped/report.json >out 2>err
grep -q 'The run was interrupted' out || fail "the saved report has forgotten it: $(cat out err)"

exit $failed
