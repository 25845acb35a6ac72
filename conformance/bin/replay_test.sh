#!/usr/bin/env bash
# replay_test.sh WZP-CONFORMANCE WZP-SIM WZP-PCAP SCENARIOS: what a capture holds decides what a relay owes its sender.
set -uo pipefail
suite=$(realpath "$1")
sim=$(realpath "$2")
pcap=$(realpath "$3")
scenarios=$(realpath "$4")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

# verdict STATUS GRADE ARGS...: of RPL-01.
verdict() {
    local status=$1 grade=$2 got
    shift 2
    "$suite" run --virtual --repeat 1 "$@" >run.out 2>&1
    got=$?
    if [ "$got" -ne "$status" ] || ! grep -qE "^ +$grade +RPL-01 " run.out; then
        echo "FAILED: run $*: $got, and not $grade: $(cat run.out)"
        failed=1
    fi
}

# refused STATUS WORDS ARGS...
refused() {
    local status=$1 words=$2 got
    shift 2
    "$suite" run --virtual "$@" >run.out 2>&1
    got=$?
    if [ "$got" -ne "$status" ] || ! grep -q -- "$words" run.out; then
        echo "FAILED: run $*: $got, without '$words': $(cat run.out)"
        failed=1
    fi
}

# Speech over a line that loses a twentieth is forwarded, by relays of every kind.
"$sim" run "$scenarios/L03.toml" --pcap call >/dev/null || failed=1
"$pcap" convert --to speech.pcapng --inject call/keys.log call/relay.pcapng >/dev/null || failed=1
verdict 0 PASS --replay speech.pcapng
verdict 0 PASS --replay speech.pcapng --replay-stream 3
verdict 0 PASS --replay speech.pcapng --enforce observe

# An abuser, captured at a relay that lets it, is hung up on; where nobody does that although it was declared, the relay
# fails, and where nothing was declared there is no verdict.
"$suite" run --virtual --repeat 1 --enforce count --mode enforce --select A-03 --out out --evidence all >/dev/null 2>&1
verdict 0 PASS --replay out/evidence/A-03.1.pcapng
verdict 1 FAIL --replay out/evidence/A-03.1.pcapng --enforce count --mode enforce
verdict 0 SKIP --replay out/evidence/A-03.1.pcapng --enforce count

refused 3 'secrets' --replay call/relay.pcapng
refused 2 'no stream' --replay speech.pcapng --replay-stream 99
refused 3 'No such file' --replay none.pcapng
refused 2 'needs --replay' --replay-stream 1
refused 2 'name it with --replay' --tier RPL
exit "$failed"
