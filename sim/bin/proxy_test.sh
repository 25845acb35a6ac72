#!/usr/bin/env bash
# wzp-sim proxy as users call it: a real relay and a real client with a scenario between them, on
# loopback.  Usage: proxy_test.sh WZP-SIM WZP-RELAY WZP-CLIENT
set -uo pipefail
sim=$(realpath "$1")
relay=$(realpath "$2")
client=$(realpath "$3")
work=$(mktemp -d)
export HOME=$work/home
pids=()
clean_up() {
    for pid in "${pids[@]}"; do
        kill -9 "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work" || exit 1

fail() {
    echo "proxy_test: $*" >&2
    exit 1
}

expect() { # status text options...
    local status=0 want=$1 text=$2
    shift 2
    timeout 20 "$sim" proxy "$@" >out 2>&1 || status=$?
    [ "$status" -eq "$want" ] || { cat out; fail "status $status instead of $want: $*"; }
    grep -qF -- "$text" out || { cat out; fail "no '$text' from: $*"; }
}

# start NAME COMMAND...: leaves $pid, and where it listens in $address.
start() {
    local name=$1
    shift
    "$@" >"$name.out" 2>"$name.err" &
    pid=$!
    pids+=("$pid")
    for _ in $(seq 400); do
        address=$(sed -n 's/^listening on //p' "$name.out" "$name.err")
        [ -n "$address" ] && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    fail "$name did not start: $(cat "$name.out" "$name.err")"
}

cat >slow.toml <<'TOML'
name = "slow"
duration = "600 s"
[host.x]
nat = "linux-masq"
access = {delay = "30 ms"}
[host.y]
[[event]]
at = "0.5 s"
do = "set"
target = "y.access"
link = {loss = "1 %"}
TOML

# --- messages ---
expect 2 'needs --listen and --upstream' slow.toml --listen 127.0.0.1:0
expect 2 '--upstream takes an address' slow.toml --listen 127.0.0.1:0 --upstream relay
expect 2 "has no host 'z'; it has: " slow.toml --listen 127.0.0.1:0 --upstream 127.0.0.1:9 --host z
expect 2 "--for takes a time as '30 s', not: 3" slow.toml --listen 127.0.0.1:0 --upstream 127.0.0.1:9 --for 3
expect 2 'proxy takes no --html' slow.toml --html x.html
expect 4 'Cannot assign' slow.toml --listen 192.0.2.1:1 --upstream 127.0.0.1:9
expect 3 'No such file' slow.toml --listen 127.0.0.1:0 --upstream 127.0.0.1:9 --for '1 ms' --json no/x
expect 0 'y.access set' slow.toml --listen 127.0.0.1:0 --upstream 127.0.0.1:9 --for '1 s'

# --- a call through it ---
start relay "$relay" --listen 127.0.0.1:0
upstream=$address
start proxy "$sim" proxy slow.toml --listen 127.0.0.1:0 --upstream "$upstream" --pcap caps --json -
proxy=$pid
"$client" echo --duration 2 --json "$address" >echo.json 2>echo.err || fail "echo: $(cat echo.json echo.err)"
rtt=$(sed -n 's/.*"rtt_ms":\([0-9]*\).*/\1/p' echo.json | sort -n | head -n 1)
[ "${rtt:-0}" -ge 60 ] || fail "rtt is not 60 ms: $(cat echo.json)"

kill -INT "$proxy"
wait "$proxy" || fail "ended with $?: $(cat proxy.err)"
grep -q '"host": "x"' proxy.out || fail "no result: $(cat proxy.out)"
for count in clients mappings; do
    grep -q "\"$count\": [1-9]" proxy.out || fail "no $count: $(cat proxy.out)"
done
[ -s caps/x.nat.pcapng ] || fail "no capture: $(ls caps)"
