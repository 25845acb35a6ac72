#!/usr/bin/env bash
# modes_test.sh WZP-RELAY WZP-CLIENT: what wzp-client measures, and its options, with a real relay on loopback.
set -uo pipefail
relay=$(realpath "$1")
client=$(realpath "$2")
# shellcheck source=../testing/shell.sh
. "$(dirname "$(realpath "$0")")/../testing/shell.sh"

# run CODE TEXT ARGS...: exit status, and a text in what was said; leaves out and err.
run() {
    local want=$1 text=$2 got
    shift 2
    timeout 120 "$client" "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$want" ] || fail "$*: exit code $got instead of $want: $(cat out err)"
    grep -qF -- "$text" out err || fail "$*: '$text' is missing in: $(cat out err)"
}

# value NAME [FILE]: the first number, or the first text, of that name in JSON.
value() { grep -oE "\"$1\":(\"[^\"]*\"|[-0-9.]+)" "${2:-out}" | head -n 1 | cut -d: -f2- | tr -d '"'; }

# holds WHAT EXPRESSION: of awk
holds() { awk "BEGIN { exit !($2) }" || fail "$1: $2: $(cat out err)"; }

"$relay" --listen 127.0.0.1:0 --identity id --log-level info >relay.out 2>relay.err &
pids+=($!)
address=$(wait_for '^listening on ' relay.out) || exit 1
address=${address#listening on }

# --- echo -------------------------------------------------------------------------------------------

# Not aligned, the two are not alike at all.  A machine that is too busy for a call shows that instead.
at_ease() { awk "BEGIN { exit !($(value jitter_ms) < 10 && $(value lost) == 0 && $(value late) == 0) }"; }
for try in 1 2 3; do
    "$client" echo --duration 6 --json --quality good "$address" >out 2>err
    code=$?
    [ $code -eq 0 ] && at_ease && break
done
[ "$(value mode)" = echo ] || fail "echo: $(cat out err)"
[ "$(value sent)" = 300 ] || fail "6 s are 300 frames: $(cat out)"
[ "$(grep -o '"from_s"' out | wc -l)" -eq 2 ] || fail "6 s are two windows: $(cat out)"
if at_ease; then
    [ $code -eq 0 ] || fail "echo ended with $code: $(cat out err)"
    holds 'what is heard is what was said' "$(value correlation) > 0.5 && $(value snr_db) > 0"
    holds 'a buffer of 60 ms delays' "$(value delay_ms) > 20"
    holds 'the peak of what was said' "$(value peak) > 3000 && $(value peak) < 20000"
else
    echo "this machine is too busy to compare sound after $try tries: $(cat out)"
    [ $code -eq 0 ] || [ "$(value warning)" != '' ] || fail "echo ended with $code: $(cat out err)"
fi
for name in machine cpu compiler flags libraries received lost loss_pct rtt_ms jitter_ms silent buffer_depth late \
    warning medians; do
    grep -q "\"$name\":" out || fail "echo --json has no $name: $(cat out)"
done
timeout 120 "$client" --echo-test 1 --repeat 2 "$address" >out 2>err </dev/null # 1 where a machine is too busy
[ $? -le 1 ] && grep -q '^medians: loss %' out || fail "--echo-test: $(cat out err)"
[ "$(grep -c '^   0\.\.5' out)" -eq 2 ] || fail "two runs are two tables: $(cat out)"
head -n 1 out | grep -qE '^machine: .*(gcc|clang).*libopus' || fail "the first line: $(cat out)"
run 5 'less than a second was said' echo --duration 0.5 "$address"

# --- drift ------------------------------------------------------------------------------------------

timeout 120 "$client" drift --duration 2 --json "$address" >out 2>err </dev/null
code=$?
[ "$(value said_ms)" = 2000.000 ] || fail "2 s were to be said: $(cat out)"
drift=$(value drift_ms)
grade=$(awk "BEGIN { d = $drift; d = d < 0 ? -d : d; print d < 5 ? \"excellent\" : d < 20 ? \"good\" : d < 100 ? \"fair\" : \"poor\" }")
[ "$(value grade)" = "$grade" ] || fail "a drift of $drift is $grade: $(cat out)"
[ $code -eq "$([ "$grade" = poor ] && echo 1 || echo 0)" ] || fail "$grade ended with $code"
[ "$(value lost)" != 0 ] || holds 'all is decoded that came' "$(value decoded) > 90 && $(value decoded) <= 100"
timeout 120 "$client" --drift-test 1 --repeat 2 "$address" >out 2>err </dev/null
[ $? -le 1 ] && grep -q '^median: drift' out || fail "--drift-test: $(cat out err)"

# --- sweep ------------------------------------------------------------------------------------------

run 0 '"mode":"sweep"' sweep --json --seed 5
mv out first
run 0 '"mode":"sweep"' sweep --json --seed 5
cmp -s first out || fail "the same seed, other figures"
run 0 '"mode":"sweep"' --sweep --json --seed 6
cmp -s first out && fail "another seed, the same figures"
[ "$(grep -o '"cap_frames"' out | wc -l)" -eq 23 ] || fail "the grid: $(cat out)"
run 0 'network: 0 % lost, 0 ms jitter and stalls, 100 frames' sweep --loss 0 --jitter 0 --duration 2 --repeat 3
grep -qE '^ +60 +50 +100 +100 +0\.00 +80\.0 \(80\.0 to 80\.0\) +0 +0 +0$' out || fail "a quiet network: $(cat out)"
run 2 'draws the network' sweep --seed 0x5

# --- sound in files, figures in a file ---------------------------------------------------------------

# A second of a square wave, without a head.
for _ in $(seq 500); do printf '%0.s\x40\x1f' {1..48} && printf '%0.s\xc0\xe0' {1..48}; done >square.raw
[ "$(stat -c %s square.raw)" -eq 96000 ] || fail "the test's own sound: $(stat -c %s square.raw)"
"$client" join --room raw --record heard.pcm --duration 6 --metrics-file figures "$address" >ear.out 2>ear.err &
ear=$!
pids+=($ear)
wait_for 'in the room: 1' ear.err >/dev/null
run 0 'sent ' join --room raw --send-file square.raw "$address"
wait $ear || fail "who recorded ended badly: $(cat ear.err)"
[ "$(stat -c %s heard.pcm)" -gt 90000 ] || fail "little was recorded: $(stat -c %s heard.pcm)"
loud=$(od -An -v -td2 -w2 heard.pcm | awk '$1 > 4000 || $1 < -4000 { n++ } END { print n + 0 }')
[ "$loud" -gt 20000 ] || fail "only $loud samples of the recording are loud"
[ "$(wc -l <figures)" -ge 4 ] || fail "a line a second: $(cat figures)"
for name in ts buffer_depth underruns overruns loss_pct rtt_ms jitter_ms frames_sent frames_received quality_profile; do
    tail -n 1 figures | grep -q "\"$name\":" || fail "the figures have no $name: $(cat figures)"
done
[ "$(tail -n 1 figures | grep -o '"frames_received":[0-9]*' | cut -d: -f2)" -gt 40 ] || fail "frames received: $(cat figures)"
[ "$(value quality_profile figures)" = good ] || fail "the profile: $(cat figures)"
printf 'odd' >odd.raw
run 3 'odd.raw: an odd number of bytes; expected 48 kHz mono' join --send-file odd.raw "$address"
: >empty.pcm
run 3 'empty.pcm: no sound in it' join --send-file empty.pcm "$address"
run 3 'none.raw: No such file' join --send-file none.raw "$address"
run 3 'no/figures: No such file' join --metrics-file no/figures "$address"
run 3 'no/x.raw: No such file' join --record no/x.raw "$address"

# --- who one is, and who the relay is ----------------------------------------------------------------

words="$(printf 'abandon %.0s' {1..23})art"
# shellcheck disable=SC2086 # one by one is how deployed clients take them
for spelling in "listen --seed $(printf '0%.0s' {1..64})" "listen --mnemonic $words" "--signal --mnemonic $words"; do
    rm -f who
    "$client" $spelling "$address" >who 2>&1 &
    listener=$!
    pids+=($listener)
    wait_for '^listening as ' who >>fingerprints
    kill -INT $listener
    wait $listener
done
rm -f who
"$client" listen --mnemonic "$words" "$address" >who 2>&1 &
listener=$!
pids+=($listener)
wait_for '^listening as ' who >>fingerprints
kill -INT $listener
wait $listener
[ "$(sort -u fingerprints | wc -l)" -eq 1 ] || fail "one seed, several names: $(cat fingerprints)"
run 2 'the checksum differs' listen --mnemonic "$(printf 'abandon %.0s' {1..24})" "$address"
run 2 'expected 24 words' listen --mnemonic 'abandon abandon' "$address"
run 2 'word 2: expected 24 words' listen --mnemonic "abandon nonsense ${words#abandon abandon}" "$address"
run 2 'give one' listen --mnemonic "$words" --seed "$(printf '0%.0s' {1..64})" "$address"

pin=$(grep -oE '([0-9a-f]{2}:){31}[0-9a-f]{2}' relay.err relay.out | head -n 1 | cut -d: -f2-)
[ ${#pin} -eq 95 ] || fail "the relay does not say what to pin: $(cat relay.err)"
run 0 'sent ' join --duration 1 --pin "$pin" "$address"
run 0 'sent ' join --duration 1 --pin "${pin//:/}" "$address"
wrong=${pin%?}$([ "${pin: -1}" = 0 ] && echo 1 || echo 0)
run 1 'the relay shows another certificate than the pinned one' join --duration 1 --pin "$wrong" "$address"
run 1 'the relay shows another certificate than the pinned one' listen --pin "$wrong" "$address"
run 1 'the relay shows another certificate than the pinned one' echo --pin "$wrong" "$address"
run 2 'expected 64 hex digits' join --pin "${pin%?}" "$address"

"$relay" --listen 127.0.0.1:0 --identity id2 --auth-url http://127.0.0.1:1/ >asks.out 2>asks.err &
pids+=($!)
asks=$(wait_for '^listening on ' asks.out) || exit 1
run 4 'it may not know the token' join --token secret --duration 2 "${asks#listening on }"
run 2 'the token, up to 4096 bytes' join --token '' "$address"

# --- a reader that stands still ----------------------------------------------------------------------

# The pipe is nearly full before the first line.
mkfifo lines
{
    head -c 65000 /dev/zero
    exec "$client" join --room still --stats json --duration 5 "$address" 2>still.err
} >lines &
pids+=($!)
{
    wait_for 'in the room' still.err >/dev/null
    sleep 1.5
    tr -d '\0' >still.out
} <lines
last=$(tail -n 1 still.out)
[ "$(value state <(echo "$last"))" = closed ] || fail "the last line: $(tail -n 2 still.out)"
[ "$(value dropped_lines <(echo "$last"))" -gt 3 ] || fail "lines were to be dropped: $last"
[ "$(value sent <(echo "$last"))" -gt 100 ] || fail "the call stood still: $last"

# --- as deployed clients are called, and mistakes ------------------------------------------------------

run 0 'sent ' --send-tone 1 --room tone "$address"
run 0 'sent ' --silence --duration 1 "$address"
run 4 '127.0.0.1:9: no answer' echo 127.0.0.1:9
run 4 '127.0.0.1:9: no answer' drift 127.0.0.1:9
run 2 'join, call FINGERPRINT, listen, echo or drift, then HOST:PORT' # nothing at all
run 2 'join, call FINGERPRINT, listen, echo or drift, then HOST:PORT' jion "$address"
run 2 '--send-tone does not take' join --send-tone 0 "$address"
run 2 '--repeat is not for join' join --repeat 2 "$address"
run 2 '--stats is not for echo' echo --stats json "$address"
run 2 '--loss is not for drift' drift --loss 2 "$address"
run 2 'a count from 1 to 1000' echo --repeat 1.5 "$address"
run 2 'give one of them' join --silence --send-tone 2 "$address"
run 2 'at most an hour is measured' echo --duration 3601 "$address"
run 2 'expected HOST:PORT' echo relay
for word in usage: sweep --pin --mnemonic --metrics-file Example: 'Exit status'; do
    run 0 "$word" --help
done

exit $failed
