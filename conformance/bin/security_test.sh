#!/usr/bin/env bash
# security_test.sh WZP-RELAY WZP-CONFORMANCE SOURCES BUILD: what docs/SECURITY.md names exists, constants have the
# values that it tells, and its covert channels are as it says.
set -uo pipefail
relay=$(realpath "$1")
suite=$(realpath "$2")
build=$(realpath "$4")
cd "$3" || exit 1
manual=docs/SECURITY.md
failed=0
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*"
    failed=1
}

# What stands in backticks, each once.
# shellcheck disable=SC2016
words=$(grep -o '`[^`]*`' $manual | tr -d '`' | sort -u)

# look LEAST WHAT PATTERN LIST: every word that matches the pattern is a line of the list.
look() {
    local found
    found=$(grep -E "^($3)\$" <<<"$words")
    [ "$(grep -c . <<<"$found")" -ge "$1" ] || fail "only $(grep -c . <<<"$found") of $2 found in $manual"
    while read -r word; do
        grep -qxF -- "$word" "$4" || fail "$manual names $2 $word, which there is not"
    done <<<"$found"
}

# The values of constants as the sources write them, without brackets and suffixes.
plain() {
    sed 's/UINT64_C(\([0-9]*\))/\1/; s/[()]//g; s/  */ /g; s/ $//'
}
grep -rhoE '^#define WZP_[A-Z0-9_]+ +[^/\\]+' --include='*.h' impl |
    sed 's/^#define \([A-Z0-9_]*\)  */\1 = /' | plain | sort -u >"$work/constants"
grep -E '^WZP_[A-Z0-9_]+ = ' <<<"$words" | plain >"$work/told"
[ "$(wc -l <"$work/told")" -ge 35 ] || fail "only $(wc -l <"$work/told") constants found in $manual"
while read -r word; do
    grep -qxF -- "$word" "$work/constants" || fail "$manual says $word: $(grep "^${word%% *} " "$work/constants")"
done <"$work/told"

sed -n 's/^ *{"\([a-z-]*\)", .*/--\1/p' impl/bin/relay/relay_options.c >"$work/options"
grep -oE '\{"[a-z-]+", .[a-zA-Z].,' impl/bin/client/client_options.c | sed 's/{"\(.*\)", .*/--\1/' >>"$work/options"
words=$(sort -u <(echo "$words") <(grep -oE -- '--[a-z][a-z-]+' $manual))
look 15 'the option' '--[a-z-]+' "$work/options"

ctest --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$work/tests"
grep -rhoE '^START_TEST\([a-z0-9_]+' --include='*_test.c' impl | sed 's/.*(//' >"$work/functions"
look 20 'the test' '[a-z_]+\.[a-z_]+' "$work/tests"
grep -E '^wzp_' <<<"$words" >>"$work/functions" # metrics come below
look 45 'the function' '[a-z0-9]+(_[a-z0-9]+)+|rate|drains|strangers|timers' "$work/functions"

"$suite" list | awk '{print $1}' >"$work/cases"
look 35 'the case' '[A-Z]+-[0-9]+[a-z]?' "$work/cases"

# Metrics of a relay that has everything.
cat >"$work/relay.toml" <<'TOML'
[[peers]]
url = "127.0.0.1:1"
fingerprint = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
label = "nobody"
TOML
"$relay" --config "$work/relay.toml" --listen 127.0.0.1:0 --seed 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f \
    --metrics-port 0 --ws-port 0 --auth-url http://127.0.0.1:1/ --event-log "$work/events" >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 1200); do
    port=$(sed -n 's,^metrics http://127.0.0.1:\([0-9]*\)/metrics$,\1,p' "$work/out")
    [ -n "$port" ] && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
done
exec 3<>"/dev/tcp/127.0.0.1/$port" || fail "no page: $(cat "$work/err")"
printf 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
timeout 60 cat <&3 | sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' >"$work/metrics"
exec 3>&-
kill "$pid"
wait "$pid"
pid=
look 30 'the metric' 'wzp_[a-z_]+' "$work/metrics"

# Every way around the tiers has a row.
for n in $(seq 12); do
    grep -q "(BV-$n)" $manual || fail "BV-$n is not in $manual"
done
for n in $(seq 10); do
    grep -q "^| S$n |" $manual || fail "S$n is not in $manual"
done

# trace TYPE CODEC BYTES RATE: constant packets for three minutes, or until 250 000.
trace() {
    awk -v type="$1" -v codec="$2" -v bytes="$3" -v rate="$4" 'BEGIN {
        print "wzp-trace 1\nname " type "-" codec "-" bytes "-" rate "\nwhat constant packets\nlabel abuse F 180000\nencrypted yes"
        step = codec == "ComfortNoise" ? 200 : codec == "Codec2_1200" ? 40 : codec == "H264Baseline" ? 33 : 20
        for (i = 0; i < rate * 180; i++) {
            flags = type == "repair" ? "T" : type != "video" ? "-" : i % 30 == 0 ? "KE" : "E"
            printf "packet %d %s %s %s 0 %d %d %d\n", i * 1000000 / rate, type == "repair" ? "audio" : type, codec,
                flags, i, i * step, bytes
        }
    }' >"$work/$1-$2-$3-$4.trace"
}
rows=$(sed -n 's/^| \(audio\|repair\|data\|video\) | \([A-Za-z0-9_]*\) | \([0-9]*\) | \([0-9]*\) | \([0-9]*\) | \([A-Za-z]*\) |$/\1 \2 \3 \4 \5 \6/p' $manual)
[ "$(wc -l <<<"$rows")" -ge 15 ] || fail "only $(wc -l <<<"$rows") covert channels found"
while read -r type codec bytes rate kbits _; do
    trace "$type" "$codec" "$bytes" "$rate"
    [ $(((bytes * rate * 8 + 500) / 1000)) -eq "$kbits" ] || fail "$type $codec $bytes $rate are not $kbits kbit/s"
done <<<"$rows"
"$suite" score "$work"/*.trace >"$work/scores"
while read -r type codec bytes rate _ caught; do
    line=$(grep "^$type-$codec-$bytes-$rate " "$work/scores")
    read -r _ _ _ _ _ _ _ _ _ said _ <<<"$line"
    [ "${said/-/no}" = "$caught" ] || fail "$manual says $caught, measured: $line"
done <<<"$rows"

[ $failed -eq 0 ] && echo "all of it exists"
exit $failed
