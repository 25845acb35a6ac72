#!/usr/bin/env bash
# stat_test.sh WZP_SIM WZP_PCAP SCENARIOS
# The simulator knows what it lost; wzp-pcap must find the same in the captures.
set -euo pipefail
sim=$1 pcap=$2 scenarios=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "FAIL: $*"
    exit 1
}

# SCENARIO HOST PEER: what HOST hears of PEER, "lost N of M" by the simulator, against the one
# stream to the client in HOST's capture.
compare() {
    local said found
    said=$(awk -v host="$2" -v peer="$3" '
        $1 == host && $2 != "hears" {here = 1; next}
        $1 != "hears" {here = 0}
        here && $1 == "hears" && $2 == peer {sub(/.*lost /, ""); sub(/ of /, " "); print}
    ' "$dir/$1.txt")
    found=$("$pcap" streams --quiet --csv --keylog "$dir/$1/keys.log" "$dir/$1/$2.pcapng" |
        tr -d '\r' | awk -F, '$3 == 0 && $6 == "audio" {print $14, $13}') || true
    [ -n "$said" ] || fail "$1: the simulator says nothing of what $2 hears"
    [ "$said" = "$found" ] || fail "$1: $2 lost '$said', the capture shows '$found'"
    echo "$1: $2 lost ${said/ / of }, in the capture as well"
}

for scenario in L01 L03 L07; do
    "$sim" run "$scenarios/$scenario.toml" --pcap "$dir/$scenario" >"$dir/$scenario.txt" || true
    compare "$scenario" x y
    compare "$scenario" y x
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
