#!/usr/bin/env bash
# transcode_test.sh WZP-PCAP: media packets from form to form, and what they say stays the same.
set -uo pipefail
pcap=$(realpath "$1")
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
fail() {
    echo "$*"
    failed=1
}

for i in 1 2 3 4 5 6 7 8 9; do
    printf '02000000 01 00 0000000%d 000000%d0 0000 aabbcc0%d\n' "$i" "$i" "$i"
done >media.hex
"$pcap" convert --to a.wzp media.hex >/dev/null || fail "hex to .wzp: $?"
"$pcap" convert --to b.pcapng --media a.wzp >/dev/null || fail ".wzp to pcapng: $?"
"$pcap" convert --to c.wzp b.pcapng >/dev/null || fail "pcapng to .wzp: $?"
"$pcap" convert --to d.pcapng b.pcapng >/dev/null || fail "pcapng to pcapng: $?"
"$pcap" convert --to e.rtpdump c.wzp >/dev/null || fail ".wzp to rtpdump: $?"
cmp a.wzp c.wzp || fail ".wzp is another after pcapng"
[ "$(stat -c %s e.rtpdump)" -eq $((23 + 16 + 9 * 24)) ] || fail "rtpdump has $(stat -c %s e.rtpdump) bytes"

# But for the header, which only .wzp has.
said() {
    "$pcap" dump --csv "$1" 2>/dev/null | grep ,media,
}
said a.wzp >a.csv
[ "$(wc -l <a.csv)" -eq 9 ] || fail "nothing to compare: $(cat a.csv)"
for other in b.pcapng c.wzp d.pcapng; do
    said "$other" | cmp -s - a.csv || fail "$other says other things than a.wzp"
done

# Secrets in and out again; a file that is there stays as it is.
printf 'CLIENT_TRAFFIC_SECRET_0 %064d %064d\n' 1 2 >keys.log
"$pcap" convert --to secret.pcapng --inject keys.log d.pcapng >/dev/null || fail "inject: $?"
grep -q CLIENT_TRAFFIC_SECRET_0 secret.pcapng || fail "nothing was injected"
"$pcap" convert --to open.pcapng --strip-secrets secret.pcapng >/dev/null || fail "strip: $?"
cmp open.pcapng d.pcapng || fail "stripped of secrets, the file is another"
"$pcap" convert --to open.pcapng --anonymize secret.pcapng 2>/dev/null && fail "a file was written over"
"$pcap" convert --to x.pcapng --anonymize --inject keys.log d.pcapng 2>/dev/null
[ $? -eq 2 ] || fail "secrets into an anonymous file: not exit status 2"
"$pcap" convert --to x.wzp --anonymize d.pcapng 2>/dev/null
[ $? -eq 2 ] || fail "anonymous .wzp: not exit status 2"
"$pcap" convert --to x.txt d.pcapng 2>/dev/null
[ $? -eq 2 ] || fail "another ending: not exit status 2"

# What cannot be read leaves nothing behind.
printf 'no capture' >nonsense
for input in nonsense none.pcapng; do
    "$pcap" convert --to left.pcapng "$input" 2>/dev/null
    [ $? -eq 3 ] || fail "$input: not exit status 3"
    [ ! -e left.pcapng ] || fail "$input: an empty file is left"
done

if command -v tshark >/dev/null; then
    [ "$(tshark -r d.pcapng 2>/dev/null | wc -l)" -eq 9 ] || fail "tshark does not read nine packets"
else
    echo "no tshark: its reading is not compared"
fi
exit "$failed"
