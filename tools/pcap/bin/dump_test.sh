#!/bin/bash
# wzp-pcap dump as users meet it: forms of output, filters, what it refuses, cut and foreign files,
# standard input that trickles; and that man page and completion know its options.
# usage: dump_test.sh WZP-PCAP WZP-SIM DOCS
set -euo pipefail
program=$1 sim=$2 docs=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "dump_test: $*"
    exit 1
}

expect() { # status, text in the output, arguments...
    local want=$1 text=$2 status=0
    shift 2
    "$program" "$@" >"$dir/out" 2>&1 || status=$?
    [ $status -eq "$want" ] || fail "$* gave exit $status, expected $want: $(head -c 1000 "$dir/out")"
    grep -qF -- "$text" "$dir/out" || fail "$*: expected '$text' in: $(head -c 1000 "$dir/out")"
}

lines() { # of standard output
    "$program" dump --quiet "$@" | wc -l
}

# --- a file of digits, which needs no secrets ----------------------------------------------------
cat >"$dir/media.hex" <<'HEX'
02000000000000000001000000140000616263
02400002002000000064000007d000017465194b0a64
02300109000000000002000000210203aabb
0200000a000000000001000000140000
HEX
expect 0 'audio Opus24k stream=0 seq=1 ts=20 len=3' dump "$dir/media.hex"
expect 0 'report loss=10% rtt=300 jitter=10 cap=100' dump "$dir/media.hex"
expect 0 'bad datagram of 16 bytes: codec id is not in the registry (codec_id) at byte 3, value 10' \
    dump "$dir/media.hex"
expect 0 '4 packets, 0 connections' dump "$dir/media.hex"
expect 0 '1 datagrams are no media packets' dump "$dir/media.hex"
expect 1 'bad datagram' dump --strict "$dir/media.hex"
expect 0 'Sequence: 2  [6-9]' dump -V "$dir/media.hex"
expect 0 '"wzp.seq":100,' dump --json "$dir/media.hex"
expect 0 'wzp.seq,wzp.codec' dump --fields wzp.seq,wzp.codec "$dir/media.hex"
expect 0 '2,9' dump --fields wzp.seq,wzp.codec "$dir/media.hex"
expect 0 'wzp.quality.loss' dump --fields help
[ "$(lines -Y 'wzp.media_type == Audio' "$dir/media.hex")" = 2 ] || fail 'a filter by name'
[ "$(lines -Y 'wzp.seq in {2, 100}' "$dir/media.hex")" = 2 ] || fail 'a filter by set'
[ "$(lines --max 2 "$dir/media.hex")" = 2 ] || fail '--max'
[ "$(lines - <"$dir/media.hex")" = 4 ] || fail 'standard input'

# --- what it refuses -----------------------------------------------------------------------------
expect 2 'usage: wzp-pcap VERB'
expect 2 "there is no verb 'dmup'" dmup
expect 2 "dump takes no option '--what'" dump --what x
expect 2 "--max takes a number of packets from 1, not '0'" dump --max 0 x
expect 2 'takes one file' dump
expect 2 'filter, column 12: a whole number' dump -Y 'wzp.seq == x' "$dir/media.hex"
expect 2 "there is no field 'wzp.sequence'" dump --fields wzp.sequence "$dir/media.hex"
expect 3 'No such file' dump "$dir/none"
expect 3 'No such file' dump --keylog "$dir/none" "$dir/media.hex"
echo nothing >"$dir/bad.keys"
expect 3 'bad.keys:1: not' dump --media-keys "$dir/bad.keys" "$dir/media.hex"
: >"$dir/empty"
expect 3 'an empty file' dump "$dir/empty"
head -c 3000 /dev/zero >"$dir/zeros"
expect 3 'neither pcap, pcapng, .wzp nor hexadecimal' dump "$dir/zeros"
expect 0 'wzp-pcap ' --version
expect 0 'Example' dump --help

# --- a call --------------------------------------------------------------------------------------
"$sim" run media-wifi-good --seed 3 --quiet --pcap "$dir/call" >/dev/null
call=$dir/call/relay.pcapng keys=$dir/call/keys.log
expect 0 'no key log has their secret' dump "$call"
[ "$(lines -Y wzp.seq "$call")" = 0 ] || fail 'media without secrets'
all=$(lines --keylog "$keys" "$call")
media=$(lines --keylog "$keys" -Y wzp.seq "$call")
[ "$media" -gt 1000 ] || fail "only $media media packets"
expect 0 'signal CallOffer' dump --keylog "$keys" --max 100 "$call"
[ "$(lines --keylog "$keys" --packets "$call")" -gt "$all" ] || fail '--packets shows no more'
[ "$(lines --keylog "$keys" -Y 'wzp.seq || !wzp.seq' "$call")" = "$all" ] || fail 'all or none'
[ "$(lines --keylog "$keys" --json "$call")" = "$all" ] || fail '--json has other lines'

# Written, what matches is still there; all of it is all of it.
expect 0 '' dump --keylog "$keys" -Y wzp.signal.type -w "$dir/signals.pcapng" "$call"
[ "$(stat -c %a "$dir/signals.pcapng")" = 600 ] || fail '-w: others may read secrets'
diff <("$program" dump --quiet --keylog "$keys" --fields wzp.signal.json -Y wzp.signal.type "$call") \
    <("$program" dump --quiet --keylog "$keys" --fields wzp.signal.json -Y wzp.signal.type \
        "$dir/signals.pcapng") >/dev/null || fail '-w loses signals'
[ "$(stat -c %s "$dir/signals.pcapng")" -lt 100000 ] || fail '-w writes what does not match'
expect 3 'is there already' dump -w "$dir/signals.pcapng" "$call"
"$program" dump --quiet -w - "$call" >"$dir/all.pcapng"
cmp <("$program" dump --quiet --keylog "$keys" "$call") \
    <("$program" dump --quiet --keylog "$keys" "$dir/all.pcapng") || fail '-w changes packets'

# The same input gives the same output; wrong secrets open nothing and say so.
cmp <("$program" dump --keylog "$keys" -V "$call" 2>&1) <("$program" dump --keylog "$keys" -V "$call" 2>&1) ||
    fail 'two runs differ'
sed 's/.$/0/; s/..$/00/' "$keys" >"$dir/wrong.log"
expect 0 'stay closed' dump --keylog "$dir/wrong.log" "$call"

# Cut anywhere: what is whole is shown, each line as before.
"$program" dump --quiet --keylog "$keys" "$call" >"$dir/whole"
size=$(stat -c %s "$call")
for part in 2 3 7; do
    head -c $((size / part - 13)) "$call" >"$dir/cut.pcapng"
    "$program" dump --quiet --keylog "$keys" "$dir/cut.pcapng" >"$dir/cut" || fail "cut: exit $?"
    grep -v 'problem: ' "$dir/cut" >"$dir/shown"
    [ "$(wc -l <"$dir/shown")" -gt 100 ] || fail 'a cut file shows too little'
    cmp -n "$(stat -c %s "$dir/shown")" "$dir/shown" "$dir/whole" || fail 'a cut file shows other lines'
done

# Lines come while more is awaited: the writer keeps the pipe open until the line was seen.
mkfifo "$dir/pipe" "$dir/seen"
exec 7<>"$dir/pipe" 8<>"$dir/seen" # for both ways, as opening then waits for nobody
"$program" dump --quiet - <"$dir/pipe" >"$dir/seen" 7<&- 8<&- &
child=$!
head -2 "$dir/media.hex" >&7
read -r -t 60 first <&8 || fail 'no line while the pipe is open'
case $first in
*'seq=1 '*) ;;
*) fail "the first line is $first" ;;
esac
exec 7<&-
wait $child
exec 8<&-

# An interface, in a network of its own.
if "$program" dump --help | grep -q -- '--interface' && [ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null &&
    command -v ip >/dev/null; then
    # shellcheck disable=SC2016 # for the inner shell
    unshare -n bash -c 'ip link set lo up
        "$1" dump -i lo --max 3 2>"$2/err" >"$2/lo" &
        child=$!
        for ((i = 0; i < 600; i++)); do
            kill -0 $child 2>/dev/null || break
            echo hello 2>/dev/null >/dev/udp/127.0.0.1/9 || true
            sleep 0.1
        done
        wait $child' _ "$program" "$dir" || { cat "$dir/err"; fail 'an interface'; }
    grep -q '^3 packets, 0 connections' "$dir/err" || fail "an interface: $(cat "$dir/err")"
fi
expect 3 'no-such-if' dump -i no-such-if

# --- documents -----------------------------------------------------------------------------------
for verb in $("$program" --help | sed -n 's/^\([a-z]\{3,8\}\)   *[a-z].*/\1/p'); do
    grep -q "^\.B wzp-pcap $verb" "$docs/man/wzp-pcap.1" || fail "the man page does not know $verb"
    for flag in $("$program" $verb --help | grep -o -- '--[a-z][a-z-]*' | sort -u); do
        grep -qF -- "${flag//-/\\-}" "$docs/man/wzp-pcap.1" || fail "the man page does not know $flag"
        grep -qF -- "$flag" "$docs/completion/wzp-pcap.bash" || fail "the completion does not know $flag"
    done
done
echo "dump_test: $all messages, $media media packets"
