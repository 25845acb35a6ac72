#!/usr/bin/env bash
# stat_test.sh WZP_SIM WZP_CONFORMANCE WZP_PCAP SCENARIOS
# The simulator knows what it lost, and a relay that enforces whom it hangs up on: wzp-pcap must find
# the same in the captures.
set -euo pipefail
sim=$1 conformance=$2 pcap=$3 scenarios=$4
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "FAIL: $*"
    exit 1
}

# SCENARIO HOST: "lost N of M" of everyone whom HOST hears, by the simulator, against the streams to
# the client in HOST's capture; in no order, for nothing there says who is who.
compare() {
    local said found
    said=$(awk -v host="$2" '
        $2 != "hears" && $1 != "hears" {here = $1 == host}
        here && $1 == "hears" {sub(/.*lost /, ""); sub(/ of /, " "); print}
    ' "$dir/$1.txt" | sort)
    found=$("$pcap" streams --quiet --csv --keylog "$dir/$1/keys.log" "$dir/$1/$2.pcapng" |
        tr -d '\r' | awk -F, '$3 == 0 && $6 == "audio" {print $14, $13}' | sort) || true
    [ -n "$said" ] || fail "$1: the simulator says nothing of what $2 hears"
    [ "$said" = "$found" ] || fail "$1: $2 lost '$said', the capture shows '$found'"
    echo "$1: $2 lost $(sed 's/ / of /' <<<"$said" | paste -sd,), in the capture as well"
}

# Three speakers on one connection, all with stream id 0, over lines that lose, delay and reorder.
cat >"$dir/four.toml" <<'EOF'
name = "four"
[host.a]
access = {loss = "3 %", jitter = "20 ms"}
[host.b]
access = {loss = "1 %", delay = "40 ms", jitter = {law = "normal", spread = "15 ms", reorder = true}}
[host.c]
[host.d]
[expect]
EOF
for scenario in L01 L03 L07; do
    "$sim" run "$scenarios/$scenario.toml" --pcap "$dir/$scenario" >"$dir/$scenario.txt" || true
    compare "$scenario" x
    compare "$scenario" y
done
"$sim" run "$dir/four.toml" --pcap "$dir/four" >"$dir/four.txt" || true
for host in a b c d; do
    compare four "$host"
done

# The packet for which ENF-1 hangs up is followed at once by the hang-up of the relay, which runs the
# same rules live; where the one says nothing, the other does neither.
judge() {
    local found
    found=$("$pcap" stat --quiet "$dir/ct/evidence/$1.1.pcapng" | tr -d ',' | awk '
        /a relay that enforces/ {meant = $3}
        /the relay hangs up on this client/ {did = $3}
        END {print (meant && did && did > meant && did - meant < 40) ? "both" : (meant || did) ? "one" : "none"}
    ') || true
    [ "$found" = "$2" ] || fail "$1: hang-ups: $found, not $2"
    echo "$1: hang-ups: $found"
}
"$conformance" run --virtual --mode enforce --evidence all --quiet --out "$dir/ct" --select A-03 --select A-18 \
    --select A-20 --select A-27 --select B-02 --select B-05 --select C-03 --select D-02 >"$dir/ct.txt" || true
for id in A-03 B-05 C-03 D-02; do
    judge "$id" both
done
for id in A-18 A-20 A-27 B-02; do
    judge "$id" none
done

# The same input gives the same output, and a page without secrets is a page, too.
page() {
    "$pcap" report --quiet "$@" -o "$dir/page.html" || [ $? -eq 1 ]
}
page --keylog "$dir/L03/keys.log" "$dir/L03/relay.pcapng"
cp "$dir/page.html" "$dir/first.html"
page --keylog "$dir/L03/keys.log" "$dir/L03/relay.pcapng"
cmp -s "$dir/first.html" "$dir/page.html" || fail "two reports of one capture differ"
grep -q 'id="stream-4"' "$dir/page.html" || fail "the page lacks a stream"
page "$dir/L03/relay.pcapng"
grep -q 'no secrets for it in the key log' "$dir/page.html" || fail "no word about missing secrets"
"$pcap" stat --quiet --interval 5 --csv --keylog "$dir/L03/keys.log" "$dir/L03/x.pcapng" >"$dir/rows" ||
    [ $? -eq 1 ]
[ "$(wc -l <"$dir/rows")" -eq 25 ] || fail "not twelve intervals of 5 s for each of two streams"
"$pcap" stat --interval 0 x 2>/dev/null && fail "an interval of 0 was taken" || [ $? -eq 2 ]
"$pcap" streams --jitter best x 2>/dev/null && fail "a strange jitter was taken" || [ $? -eq 2 ]
echo good
