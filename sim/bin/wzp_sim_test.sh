#!/usr/bin/env bash
# wzp-sim as users call it: exit codes, messages, and that the same comes out of one process, of
# several, and of shards.  Usage: wzp_sim_test.sh PROGRAM
set -euo pipefail
sim=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >good.toml <<'TOML'
name = "good"
duration = "3 s"
[host.x]
access = {loss = "0..2 %"}
nat = "linux-masq"
[host.y]
[expect]
path = "relay"
TOML
sed 's/"good"/"bad"/; s/path = "relay"/setup = "1 ms"/' good.toml >bad.toml
sed 's/"good"/"lacking"/; s/path = "relay"/path = "direct"/; 1a needs = "sparse-acks"' good.toml >lacking.toml
printf 'name = "broken"\n[host.x]\nacces = "lte"\n' >broken.toml

fail() {
    echo "wzp_sim_test: $*" >&2
    exit 1
}

expect() { # status text command...
    local status=0 want=$1 text=$2
    shift 2
    "$@" >out 2>&1 || status=$?
    [ "$status" -eq "$want" ] || { cat out; fail "status $status instead of $want: $*"; }
    grep -qF -- "$text" out || { cat out; fail "no '$text' from: $*"; }
}

# --- exit codes and messages ---
expect 0 'passed: good' "$sim" run good.toml
expect 0 'A0' "$sim" run good.toml --set 'host.x.access.loss=0 %'
expect 1 'again: wzp-sim run bad.toml --seed 7' "$sim" run bad.toml --seed 7
expect 5 'this build lacks what the scenario needs' "$sim" run lacking.toml
expect 3 "broken.toml:3: host.x.acces: a host has no such key ('access'?)" "$sim" run broken.toml
expect 3 'cannot be read' "$sim" run absent.toml
expect 3 'host.y.nat: there is no NAT' "$sim" run good.toml --set host.y.nat=nta
expect 127 "('N14'?)" "$sim" run N14x
expect 0 'a scenario with 2 hosts' "$sim" run good.toml --check
expect 3 'a host has no such key' "$sim" run broken.toml --check
sed 's/access = .*/access = {medium = "wifi"}/' good.toml >radio.toml
expect 3 'radio.toml:4: host.x.access.medium: the native engine has no medium "wifi"; --engine ns3 has' \
    "$sim" run radio.toml --check
expect 0 'a scenario with 2 hosts' "$sim" run radio.toml --check --engine ns3
rm radio.toml
# Of the 30 % that get lost, repair packets bring most of the frames back, once it is Codec2.
cat >codec2.toml <<'TOML'
name = "codec2"
needs = ["adaptation", "codec2"]
[host.x]
access = {loss = "30 %"}
[host.y]
[expect]
audio = "A3"
audio_from = "20 s"
TOML
expect 0 'passed: codec2' "$sim" run codec2.toml --seed 1
sed -i 's/, "codec2"]/]/' codec2.toml
expect 1 'expected A3, got bad: ' "$sim" run codec2.toml --seed 1
rm codec2.toml
expect 2 "there is no option '--sed'" "$sim" run good.toml --sed 1
expect 2 'there is no verb' "$sim" rum good.toml
expect 2 "('run'?)" "$sim" rum good.toml
expect 2 '--seed takes a whole number' "$sim" run good.toml --seed x
expect 2 '--seed needs a value' "$sim" run good.toml --seed
expect 2 'run takes no --seeds' "$sim" run good.toml --seeds 1..2
expect 2 'takes native or ns3' "$sim" run good.toml --engine native2
expect 2 '--set: ' "$sim" run good.toml --set nothing
expect 2 'one scenario' "$sim" run good.toml bad.toml
expect 3 'No such file' "$sim" run good.toml --json nowhere/x.json
expect 3 'no such key' "$sim" list .
mkdir listed
cp good.toml lacking.toml listed
expect 0 'lacks clients that acknowledge rarely where a line is narrow' "$sim" list listed
grep -q '^good  *good  *relay' out || fail "good is not listed"
expect 0 '"name": "lacking"' "$sim" list listed --json -
expect 0 'Usage' sh -c "$sim --help | sed s/usage/Usage/"
expect 0 'wzp-sim' "$sim" --version

# --- files of a run ---
"$sim" run good.toml --quiet --json run.json --html run.html --trace run.trace --pcap caps --qlog qlogs >out
for file in run.json run.html run.trace caps/x.pcapng caps/relay.pcapng caps/keys.log; do
    [ -s "$file" ] || fail "$file is empty"
done
[ "$(find qlogs -type f | wc -l)" -ge 2 ] || fail "no qlog"
grep -q '^CLIENT_TRAFFIC_SECRET_0' caps/keys.log || fail "no secrets"
"$sim" run good.toml --quiet --json again.json --html again.html --trace again.trace --pcap caps2 >out
for pair in run.json:again.json run.html:again.html run.trace:again.trace caps/x.pcapng:caps2/x.pcapng; do
    cmp "${pair%:*}" "${pair#*:}" || fail "runs differ"
done
"$sim" run good.toml --json - >out
cmp -s out run.json || fail "no JSON on standard output"

# --- campaigns ---
rm broken.toml
expect 1 'FAILED bad' "$sim" campaign . --seeds 1..4 --jobs 2 --json two.json
grep -q 'wzp-sim run ./bad.toml --seed 3   # setup x: expected 1 ms' out || { cat out; fail "no replay"; }
grep -q '^skipped lacking' out || fail "nothing was skipped"
grep -q '1 passed, 1 failed, 1 skipped scenarios; 8 runs, 4 with a failed check' out || fail "wrong totals"
expect 1 '' "$sim" campaign . --seeds 1..4 --jobs 1 --json one.json
cmp one.json two.json || fail "one and two jobs differ"
for part in 1 2 3; do
    "$sim" campaign . --seeds 1..4 --shard $part/3 --json part$part.json --quiet >out || true
done
expect 1 '' "$sim" campaign --merge part3.json part1.json part2.json --json all.json
cmp one.json all.json || fail "shards and the whole differ"
expect 1 '2 runs are in none of the files' "$sim" campaign --merge part1.json part2.json --json some.json
"$sim" campaign good.toml --seeds 1..4 --shard 1/2 --quiet --json half.json >out
expect 5 '2 runs are in none' "$sim" campaign --merge half.json
expect 3 'last_seed differs' "$sim" campaign --merge one.json <("$sim" campaign good.toml --seeds 1..2 --json -)
expect 3 'no campaign of wzp-sim' "$sim" campaign --merge run.json
expect 5 'skipped lacking' "$sim" campaign lacking.toml --seeds 1..2
expect 1 'setup in 2 of 2 seeds' "$sim" campaign good.toml --seeds 1..2 --set 'expect.setup="1 ms"'
expect 2 'takes a range' "$sim" campaign good.toml --seeds 5..1
expect 2 'takes a part' "$sim" campaign good.toml --shard 4/3
expect 2 'takes scenarios' "$sim" campaign
expect 2 'that shards wrote' "$sim" campaign --merge

# --- shrinking ---
expect 1 'again: wzp-sim run small.toml' "$sim" shrink bad.toml --seed 2 --out small.toml
grep -q 'seed = 2' small.toml || fail "no seed in small.toml"
if grep -q nat small.toml; then fail "small.toml is not small"; fi
expect 1 'setup x: expected 1 ms' "$sim" run small.toml
expect 1 'setup x: expected 1 ms' "$sim" shrink good.toml --seed 1 --set 'expect.setup="1 ms"'
expect 2 'good.toml passes with seed 4: there is nothing to shrink' "$sim" shrink good.toml --seed 4 --out none.toml
[ ! -e none.toml ] || fail 'shrink wrote a file although there was nothing to shrink'

# --- every NAT against every other ---
expect 0 ' PRC   D   D   D   D   D   D   D   r   D   r   -' "$sim" matrix --seed 1 --html m.html --json m.json
for file in m.cells/predicted-PRC-SYR.html m.cells/predicted-PRC-SYR.pcapng; do
    [ -s $file ] || fail "$file is empty"
done
grep -q 'href="m.cells/predicted-PRC-SYR.html"' m.html || fail "no link to a cell"
grep -q 'href="predicted-PRC-SYR.pcapng"' m.cells/predicted-PRC-SYR.html || fail "no link to the capture"
[ "$(grep -c '"agrees": true' m.json)" -eq 847 ] || fail "calls that are not as the model says"
expect 0 'relay' "$sim" run m.cells/predicted-PRC-SYR.toml --seed 1
[ "$(grep -c '"model": "chance"' m.json)" -eq 24 ] || fail "M4 has 24 cells by chance"
expect 0 'direct' "$sim" run m.cells/birthday-PRC-SYR.toml --seed 1

# --- the other engine, or a clear word ---
status=0
"$sim" run good.toml --engine ns3 >out 2>&1 || status=$?
case $status in
0)
    grep -q 'engine ns3' out || fail "not on ns3"
    for n in 1 2; do
        "$sim" run good.toml --engine ns3 --quiet --json n$n.json --html n$n.html --trace n$n.trace --pcap n$n >out
    done
    for pair in n1.json:n2.json n1.html:n2.html n1.trace:n2.trace n1/x.pcapng:n2/x.pcapng; do
        cmp "${pair%:*}" "${pair#*:}" || fail "runs on ns3 differ"
    done
    ;;
4) [ "$(wc -l <out)" -eq 1 ] || fail "more than one line" ;;
*) cat out && fail "status $status" ;;
esac
cp "$sim" alone
expect 4 'libwzp-ns3.so' ./alone run good.toml --engine ns3
