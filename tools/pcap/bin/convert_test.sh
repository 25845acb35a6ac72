#!/usr/bin/env bash
# convert_test.sh WZP-PCAP WZP-RELAY WZP-CLIENT WZP-QUALITY: a call on loopback that one client captures and records; the
# sound that is in the capture is what the client heard.
set -uo pipefail
pcap=$(realpath "$1")
relay=$(realpath "$2")
client=$(realpath "$3")
quality=$(realpath "$4")
# shellcheck source=../../../impl/bin/testing/shell.sh
. "$(dirname "$(realpath "$0")")/../../../impl/bin/testing/shell.sh"

"$relay" --listen 127.0.0.1:0 --log-level error >relay.out 2>relay.err &
pids+=($!)
address=$(wait_for '^listening on ' relay.out) || exit 1
address=${address#listening on }
"$client" join --room r --send-tone 4 --duration 5 "$address" >tone.out 2>&1 &
pids+=($!)
"$client" join --room r --silence --duration 5 --record heard --capture call.pcapng --keylog keys.log "$address" >ear.out 2>&1 ||
    fail "the client: $(cat ear.out)"

"$pcap" convert --wav sound --as-clear call.pcapng >convert.out 2>convert.err || fail "convert: $(cat convert.err)"
[ "$(wc -l <convert.out)" -eq 2 ] || fail "not two streams: $(cat convert.out)"
# The stream that is not silent is the other client's.
best=0
for wav in sound/*.wav; do
    alike=$("$quality" --json "$wav" heard/sender-1.wav 2>/dev/null | sed -n 's/.*"stoi": *\([0-9.]*\).*/\1/p')
    best=$(printf '%s\n%s\n' "$best" "${alike:-0}" | sort -g | tail -1)
done
awk -v best="$best" 'BEGIN {exit !(best >= 0.9)}' || fail "what was heard is not in the capture: STOI $best"

# Sealed or not, nobody knows: said, and nothing written.
"$pcap" convert --wav none call.pcapng >/dev/null 2>sealed.err
[ $? -eq 1 ] || fail "payloads without a key: not exit status 1"
grep -q -- '--as-clear' sealed.err || fail "no advice: $(cat sealed.err)"
[ ! -e none ] || fail "files of nothing"

# Without secrets it is closed, with them in it again the same as before.
media() {
    "$pcap" dump --csv --fields wzp.codec,wzp.seq,wzp.timestamp_ms,wzp.payload "$@" 2>/dev/null | sort
}
media call.pcapng >all.csv
[ "$(wc -l <all.csv)" -gt 400 ] || fail "hardly any media: $(wc -l <all.csv)"
"$pcap" convert --to closed.pcapng --strip-secrets call.pcapng >/dev/null || fail "strip: $?"
[ "$(media closed.pcapng | grep -c '[0-9],[0-9]')" -eq 0 ] || fail "open without secrets"
"$pcap" convert --to again.pcapng --inject keys.log closed.pcapng >/dev/null || fail "inject: $?"
media again.pcapng | cmp -s - all.csv || fail "with the key log in it again it says other things"

# Fit to be shared: most packets, no address, no room.
shared=$("$pcap" convert --to shared.pcapng --anonymize call.pcapng) || fail "anonymize: $?"
[ "$(sed 's/.*: \([0-9]*\) packets.*/\1/' <<<"$shared")" -gt 400 ] || fail "hardly anything is left to share: $shared"
if command -v tshark >/dev/null; then
    tshark -n -r shared.pcapng >shared.txt 2>/dev/null
    [ "$(wc -l <shared.txt)" -gt 400 ] || fail "tshark reads $(wc -l <shared.txt) packets"
    grep -qE '127\.0\.0\.1|Initial' shared.txt && fail "still there: $(grep -m 1 -E '127\.0\.0\.1|Initial' shared.txt)"
fi

# The same out of files that other programs write.
if command -v editcap >/dev/null; then
    for form in pcap nsecpcap; do
        editcap -F "$form" call.pcapng "call.$form" 2>/dev/null || fail "editcap -F $form"
        media --keylog keys.log "call.$form" | cmp -s - all.csv || fail "as $form it says other things"
    done
    editcap --discard-all-secrets call.pcapng bare.pcapng && editcap --inject-secrets tls,keys.log bare.pcapng other.pcapng ||
        fail "editcap and secrets"
    media other.pcapng | cmp -s - all.csv || fail "with secrets by editcap it says other things"
else
    echo "no editcap: its files are not read"
fi

"$pcap" convert call.pcapng 2>usage.err
[ $? -eq 2 ] || fail "into nothing: not exit status 2"
"$pcap" convert --as-clear --wav call.pcapng/x call.pcapng 2>bad.err
[ $? -eq 3 ] || fail "a folder that cannot be: not exit status 3"
exit "$failed"
