#!/usr/bin/env bash
# relay_test.sh WZP-RELAY WZP-CLIENT [WS-PEER]: what a user sees: options, files, messages, exit codes, start and end.
set -uo pipefail
relay=$(realpath "$1")
client=$(realpath "$2")
ws_peer=${3:+$(realpath "$3")}
# shellcheck source=../testing/shell.sh
. "$(dirname "$(realpath "$0")")/../testing/shell.sh"
export HOME=$work/home

# expect CODE TEXT ARGS...: the relay ends with CODE, and one line on standard error holds TEXT.
expect() {
    local want=$1 text=$2 got
    shift 2
    timeout 60 "$relay" "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$want" ] || fail "$*: exit code $got instead of $want: $(cat err)"
    grep -qF -- "$text" out err || fail "$*: '$text' is missing in: $(cat out err)"
    if [ "$want" -ne 0 ] && [ "$(grep -c '^wzp-relay: ' err)" -ne 1 ] && [ "$text" != "see wzp-relay" ]; then
        fail "$*: more than one line: $(cat err)"
    fi
}

# --- options ---------------------------------------------------------------------------------------

expect 0 'Example: wzp-relay --listen' --help
expect 0 'Exit status:' -h
expect 0 'wzp-relay 0.' --version
expect 2 'see wzp-relay' --no-such-flag
expect 2 'see wzp-relay' --listen
expect 2 "'extra' is not an option" extra
expect 2 "--listen: expected IP:PORT" --listen localhost:4433
expect 2 "--listen: expected IP:PORT" --listen 127.0.0.1:65536
expect 2 "--enforce: expected off, count, observe or on, got 'maybe'" --enforce maybe
expect 2 "--max-sessions: expected a number from 0 to 1000000, got '-1'" --max-sessions -1
expect 2 "--entropy: expected count or close, got 'ban'" --entropy ban
expect 2 "--cooldown: expected a number from 0 to 31536000, got '1h'" --cooldown 1h
expect 2 "--senders-per-ip: expected a number from 0 to 256, got '257'" --senders-per-ip 257
expect 2 "--max-sessions: expected a number" --max-sessions 99999999999999999999
expect 2 "auth-url: expected http://HOST[:PORT]/PATH or https://..., got 'ftp://x/'" --auth-url ftp://x/
expect 2 "--ring-timeout: expected a number from 0 to 86400, got 'long'" --ring-timeout long
expect 2 "--advertised-addr: expected IP:PORT" --advertised-addr relay.example:4433
expect 2 "--metrics-port: expected a number from 0 to 65535, got '65536'" --metrics-port 65536
expect 2 "--ws-port: expected a number from 0 to 65535, got 'x'" --ws-port x
expect 2 "--ws-addr: expected an IP address, got 'all'" --ws-addr all
expect 2 "--metrics-addr: expected an IP address, got 'here'" --metrics-addr here
expect 2 "--threads: expected at least 1" --threads 0
expect 2 "--seed: expected 64 hexadecimal digits, wrong at offset 3 of 3" --seed abc
expect 2 "--log-level: expected error, warn, info or debug, got 'loud'" --log-level loud
for flag in --remote=127.0.0.1:1 --static-dir=/; do
    expect 2 "${flag%%=*}: not in this build yet" "$flag"
done

# --- configuration files ---------------------------------------------------------------------------

# config CODE TEXT CONTENT
config() {
    printf '%b' "$3" >c.toml
    expect "$1" "$2" --config c.toml --listen 192.0.2.1:1
}

config 3 'c.toml:2:' 'region = "x"\nmax_sessions = \n'
config 3 'c.toml:1: entropy: expected "count" or "close"' 'entropy = "perhaps"\n'
config 3 'c.toml:2: max_sessions: expected a whole number' '\nmax_sessions = "many"\n'
config 3 'c.toml:1: max_sessions: expected a whole number' 'max_sessions = -1\n'
config 3 'c.toml:1: listen_addr: expected "IP:PORT"' 'listen_addr = "localhost:4433"\n'
config 3 'c.toml:1: metrics_port: expected a port' 'metrics_port = 70000\n'
config 3 'c.toml:1: ws_port: expected a port' 'ws_port = "8080"\n'
config 3 'c.toml:1: trunking_enabled: expected true or false' 'trunking_enabled = 1\n'
config 3 'c.toml:1: log_level: expected "error"' 'log_level = "loud"\n'
config 3 'c.toml:1: enforce: expected "off"' 'enforce = "maybe"\n'
config 3 'c.toml:1: available_relays: expected a list of strings' 'available_relays = ["a", 1]\n'
config 3 'c.toml:1: peers: expected a list' 'peers = "x"\n'
config 3 'c.toml:3: peers[0].url: expected "IP:PORT"' '\n[[peers]]\nurl = "relay.example:1"\n'
config 3 'c.toml:2: peers[0].fingerprint: expected the TLS' '\n[[peers]]\nurl = "127.0.0.1:1"\n'
fp=$(printf '%064d' 0)
config 3 'trusted[1].fingerprint: another peer has it' "[[trusted]]\nfingerprint = \"$fp\"\n[[trusted]]\nfingerprint = \"$(sed 's/../&:/g; s/:$//' <<<"$fp")\"\n"
config 3 'c.toml:3: trusted[0].label: expected a string' "[[trusted]]\nfingerprint = \"$fp\"\nlabel = 5\n"
config 3 "c.toml:2: global_rooms[0].name: expected the room's name" '[[global_rooms]]\nname = 5\n'
config 3 'c.toml:1: federation_pin: expected "warn" or' 'federation_pin = "no"\n'
config 1 'cannot listen on 192.0.2.1:1' "federation_pin = \"require\"\nfederation_room_pps = 9\n[[peers]]\nurl = \"127.0.0.1:1\"\nfingerprint = \"$fp\"\n[[global_rooms]]\nname = \"general\"\n"
expect 2 "--probe: expected IP:PORT" --probe relay.example:1
config 3 'c.toml:1: probe_targets[1]: expected "IP:PORT"' 'probe_targets = ["127.0.0.1:1", "x"]\n'
"$relay" --mesh-status >out 2>err || fail "mesh status: $(cat err)"
grep -qxF '  (no probe targets configured)' out || fail "mesh status: $(cat out)"
expect 2 "--federation-pin: expected warn or require, got 'x'" --federation-pin x
config 2 "auth-url: expected http://HOST" 'auth_url = "relay.example/x"\n'
# Good ones: the address that cannot be had ends the run.
config 1 'cannot listen on 192.0.2.1:1' 'trunking_enabled = true\nprobe_targets = []\nprobe_mesh = true\n'
config 1 'cannot listen on 192.0.2.1:1' 'jitter_target_depth = 50\nadvertised_addr = "1.2.3.4:5"\nring_timeout = 0\nauth_url = "http://127.0.0.1:1/"\navailable_relays = ["b|192.0.2.1:4433"]\n'
printf 'shoe_size = 46\n' >c.toml
timeout 60 "$relay" --config c.toml --listen 192.0.2.1:1 2>err
grep -qF 'c.toml:1: shoe_size: unknown key, ignored' err || fail "unknown key: $(cat err)"
expect 3 'cannot be read: Is a directory' --config "$work"

timeout 60 "$relay" -c new/folder/c.toml --listen 192.0.2.1:1 2>err
[ $? -eq 1 ] || fail "missing configuration file: $(cat err)"
grep -q '^listen_addr = "192.0.2.1:1"$' new/folder/c.toml || fail "no example was written"
grep -q '^# fingerprint = "[0-9a-f:]\{95\}"$' new/folder/c.toml || fail "no fingerprint in the example"
expect 1 'cannot listen on 192.0.2.1:1' -c new/folder/c.toml

# --- identities and other files -----------------------------------------------------------------------

[ "$(stat -c %a "$HOME/.wzp/relay-identity")" = 600 ] || fail "identity is not for its owner only"
echo 'not hex at all' >bad
expect 3 'bad: expected 64 hexadecimal digits, found 14 characters' -i bad
[ "$(cat bad)" = 'not hex at all' ] || fail "a damaged identity was replaced"
expect 3 'cannot be read: Is a directory' -i "$work"
expect 3 'no/events: cannot be written' --event-log no/events
expect 3 'no/keys: cannot be written' --keylog no/keys
expect 3 'bad: cannot be written' --qlog bad
expect 1 'cannot listen on' -i bad --regenerate-identity --listen 192.0.2.1:1
grep -qE '^[0-9a-f]{64}$' bad || fail "the identity was not made anew"
cp bad good
expect 1 'cannot listen on' -i good --replace-bad-identity --listen 192.0.2.1:1
cmp -s bad good || fail "a good identity was replaced"
echo 'not hex at all' >bad
expect 1 'found 14 characters; it is bad.bad now' -i bad --replace-bad-identity --listen 192.0.2.1:1
grep -qE '^[0-9a-f]{64}$' bad || fail "the damaged identity was not replaced"
[ "$(cat bad.bad)" = 'not hex at all' ] || fail "the damaged identity was not kept"

# --- running ------------------------------------------------------------------------------------------

# start ARGS...: leaves $pid, and what it said in running.
start() {
    rm -f running # the old one would be taken for the new one
    "$relay" "$@" >running 2>running.err &
    pid=$!
    pids+=("$pid")
    await 'it has started' grep -qs '^tls ' running
}

# await WHAT COMMAND...: until the command succeeds; a busy machine may take its time.
await() {
    local what=$1
    shift
    for _ in $(seq 1200); do
        "$@" && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    "$@" || fail "not seen: $what: $(cat running running.err 2>/dev/null)"
}

# True when $pid has a handler for SIGTERM: before that the signal would kill it.
handles_term() {
    local caught
    caught=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)
    [ -n "$caught" ] && ((0x$caught & 1 << 14))
}

# stop SIGNAL: expects exit code 0.
stop() {
    kill -s "$1" "$pid"
    ended "SIG$1"
}

ended() {
    wait "$pid"
    local code=$?
    [ $code -eq 0 ] || fail "ended with $code after $1: $(cat running.err)"
}

# get PATH: the whole answer.
get() {
    exec 3<>"/dev/tcp/127.0.0.1/$metrics" || return 1
    printf '%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "${2:-GET}" "$1" >&3
    timeout 60 cat <&3 | tr -d '\r'
    exec 3>&-
}

# page PATH STATUS [TEXT]: the answer has this status and holds the text.
page() {
    get "$1" >page
    [ "$(head -1 page | cut -d' ' -f2)" = "$2" ] && grep -qF -- "${3-}" page
}

metric() {
    [ "$(get /metrics | sed -n "s/^$1 //p")" = "$2" ]
}

seed=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
start --listen 127.0.0.1:0 --seed $seed --metrics-port 0 --event-log events.jsonl --keylog keys \
    --qlog traces
listen=$(sed -n 's/^listening on //p' running)
metrics=$(sed -n 's,^metrics http://127.0.0.1:\([0-9]*\)/metrics$,\1,p' running)
[ "${listen##*:}" -gt 0 ] || fail "no port in: $(cat running)"
grep -qE '^identity ([0-9a-f]{4}:){7}[0-9a-f]{4}$' running || fail "no fingerprint"
expect 1 "cannot listen on $listen: Address already in use" --listen "$listen"
expect 1 "cannot serve metrics on 127.0.0.1:$metrics: Address already in use" \
    --listen 127.0.0.1:0 --metrics-port "$metrics"
# expect_page PATH STATUS [TEXT]
expect_page() {
    page "$@" || fail "$*: $(cat page)"
}
expect_page /metrics 200 'wzp_relay_active_sessions 0'
expect_page /healthz 200 ok
expect_page /presence 200 '[]'
expect_page /presence/ab:cd 200 '{"fingerprint":"ab:cd","location":null}'
expect_page /presence/ 404
expect_page /route/ab:cd 200 '"route": "not_found"'
expect_page /route 404
expect_page /peers 200 '[]'
expect_page /mesh 200 '  (no probe targets configured)'
expect_page / 404
get /presence POST >page
grep -q '^HTTP/1.1 405 ' page || fail "POST: $(cat page)"
if [ ! -e events.jsonl ] || [ ! -d traces ] || [ "$(stat -c %a keys)" != 600 ]; then
    fail "files of the run"
fi
tls=$(sed -n 's/^tls //p' running)
stop TERM

"$relay" --listen 127.0.0.1:0 --seed $seed --quiet >out 2>err &
pid=$!
pids+=("$pid")
await 'a handler for SIGTERM' handles_term
stop TERM
if [ -s out ] || [ -s err ]; then
    fail "--quiet: $(cat out err)"
fi

WZP_UDP_PLAIN=1 start --listen 127.0.0.1:0 --seed $seed --log-level debug
grep -q 'GRO off, segmentation off' running.err || fail "WZP_UDP_PLAIN: $(cat running.err)"
[ "$(sed -n 's/^tls //p' running)" = "$tls" ] || fail "one seed, two certificates"
stop INT

printf 'listen_addr = "127.0.0.1:0"\nmetrics_port = 0\nenforce = "on"\ndebug_tap = "*"\n' >c.toml
start -c c.toml
"$client" join --room tapped --silence --duration 1 "$(sed -n 's/^listening on //p' running)" >out 2>&1
grep -q ' info  debug_tap: TAP EVENT room="tapped" event="join" detail="participant=1 addr=127' running.err ||
    fail "debug_tap of the file: $(cat running.err)"
grep -q 'debug_tap: TAP room="tapped" dir="in" addr=127.*fan_out=0$' running.err || fail "no packet in the tap"
grep -q '^metrics http' running || fail "metrics_port of the file"
stop TERM
grep -q $'\x1b' running.err && fail "colours without a terminal"

start --listen 127.0.0.1:0 --seed $seed --debug-tap room --log-level warn
grep -q 'debug-tap: nothing is shown' running.err || fail "a tap that says nothing: $(cat running.err)"
stop TERM

# --- reload ------------------------------------------------------------------------------------------

printf 'listen_addr = "127.0.0.1:0"\nmetrics_port = 0\nenforce = "off"\n' >c.toml
start -c c.toml
metrics=$(sed -n 's,^metrics http://127.0.0.1:\([0-9]*\)/metrics$,\1,p' running)
await 'mode off' metric 'wzp_relay_enforce_info{mode="off"}' 1
printf 'listen_addr = "127.0.0.1:0"\nmetrics_port = 0\nenforce = "on"\nmax_connections = 7\nlog_level = "warn"\nring_timeout = 7\navailable_relays = ["b|192.0.2.1:4433"]\ntrunking_enabled = true\n' >c.toml
kill -HUP "$pid"
await 'reload: done' grep -q 'reload: done' running.err
await 'mode on' metric 'wzp_relay_enforce_info{mode="on"}' 1
grep -q 'max_connections has changed: that needs a restart' running.err || fail "restart: $(cat running.err)"
grep -qE '(log_level|ring_timeout|available_relays|trunking_enabled) has changed' running.err &&
    fail "these need no restart: $(cat running.err)"
grep -q 'listen_addr has changed' running.err && fail "listen_addr has not changed: $(cat running.err)"
printf 'enforce = "maybe"\n' >c.toml
kill -HUP "$pid"
await 'reload refused' grep -q 'reload: nothing has changed' running.err
grep -q 'c.toml:1: enforce: expected' running.err || fail "why a reload failed: $(cat running.err)"
metric 'wzp_relay_enforce_info{mode="on"}' 1 || fail "a bad reload changed something"
printf 'listen_addr = "127.0.0.1:0"\nmetrics_port = 0\nlog_level = "info"\ndebug_tap = "later"\n' >c.toml
kill -HUP "$pid"
await 'the mode of a file that names none' metric 'wzp_relay_enforce_info{mode="count"}' 1
"$client" join --room later --silence --duration 1 "$(sed -n 's/^listening on //p' running)" >out 2>&1
grep -q 'debug_tap: TAP EVENT room="later"' running.err || fail "a tap that was reloaded: $(cat running.err)"
stop TERM

# --- WebSockets --------------------------------------------------------------------------------------

# peer FILE PATH SECONDS [COUNT SIZE [TOKEN]]: a browser; leaves $peer.
peer() {
    local file=$1
    shift
    "$ws_peer" "$ws" "$@" >"$file" 2>&1 &
    peer=$!
    pids+=("$peer")
}

# said FILE TEXT [COUNT]: the browser has said this line at least so often.
said() {
    [ "$(grep -cxF -- "$2" "$1")" -ge "${3:-1}" ]
}

start_ws() {
    start --listen 127.0.0.1:0 --seed $seed --metrics-port 0 "$@"
    metrics=$(sed -n 's,^metrics http://127.0.0.1:\([0-9]*\)/metrics$,\1,p' running)
    ws=$(sed -n 's,^websockets ws://127.0.0.1:\([0-9]*\)/ws/ROOM$,\1,p' running)
    [ "${ws:-0}" -gt 0 ] || fail "no port of WebSockets in: $(cat running)"
}

test_ws() {
    local a b
    printf 'ws_port = 0\n' >c.toml
    start_ws -c c.toml --max-sessions 3
    expect 1 "cannot serve WebSockets on 127.0.0.1:$ws: Address already in use" \
        --listen 127.0.0.1:0 --ws-port "$ws"
    peer a /ws/general 600
    a=$peer
    await 'the first browser is in' said a 'text {"type":"auth_ok"}'
    await 'it is a session' metric wzp_relay_active_sessions 1
    peer b /ws/general 600 10 1920
    b=$peer
    await 'samples reach the other browser' said a 'binary 1920 same' 10
    said b 'binary 1920 same' && fail "a browser hears itself"
    "$client" join --room general --tone-hz 440 --duration 2 "$(sed -n 's/^listening on //p' running)" \
        >guest.out 2>&1 || fail "client beside browsers: $(cat guest.out)"
    await 'packets of a client reach browsers' grep -qE '^binary [0-9]+ other$' a
    grep -qE '^binary [0-9]+ other$' b || fail "a client is not heard by all browsers"
    await 'one after the other' metric wzp_relay_active_sessions 2
    peer c /ws/general 600 3 100
    await 'the third browser is in' said c 'text {"type":"auth_ok"}'
    peer d /ws/general 600
    await 'too many sessions' said d 'closed 1000 refused'
    peer e /ws/_signal 600
    await 'no room' grep -q '^failed' e
    peer f /ws/call-x 600
    await 'nobody gets into a call' said f 'closed 1000 refused'
    kill "$a" # without a goodbye
    await 'the browser is missed' metric wzp_relay_ws_connections 2
    kill -s TERM "$pid"
    await 'the relay says goodbye' said b 'closed 1000 normal close'
    wait "$pid" || fail "ended with $? after WebSockets: $(cat running.err)"

    start_ws --ws-port 0 --auth-url http://127.0.0.1:1/
    peer a /ws/general 600 1 100 secret
    await 'no service, no entry' said a 'text {"type":"auth_error","error":"token unreachable"}'
    await 'and then the end' said a 'closed 1000 token check: unreachable'
    stop TERM

    # What a browser sends fits a datagram when it is short.
    start_ws --ws-port 0
    "$client" join --room short --silence --json --duration 3 \
        "$(sed -n 's/^listening on //p' running)" >guest.out 2>&1 &
    guest=$!
    pids+=("$guest")
    await 'a guest' metric wzp_relay_active_sessions 1
    peer a /ws/short 600 20 100
    await 'frames on their way' metric wzp_relay_ws_frames_in_total 20
    wait "$guest" || fail "client that hears a browser: $(cat guest.out)"
    grep -q '"received":20,' guest.out || fail "what a client hears of a browser: $(cat guest.out)"
    metric wzp_relay_send_failures_total 0 || fail "frames that were not sent"
    metric 'wzp_relay_ws_frames_dropped_total{why="datagram"}' 0 || fail "frames that did not fit"
    stop TERM
}

if [ -n "$ws_peer" ]; then
    test_ws
fi

# --- workers ------------------------------------------------------------------------------------------

expect 2 "--threads 2: ws-port wants 1 thread" --threads 2 --ws-port 0
start --listen 127.0.0.1:0 --seed $seed --metrics-port 0 --threads 3 --drain-timeout 600 \
    --keylog keys-of-all --qlog traces-of-all
metrics=$(sed -n 's,^metrics http://127.0.0.1:\([0-9]*\)/metrics$,\1,p' running)
for room in a b c d e f; do
    "$client" join --room $room --silence --duration 600 "$(sed -n 's/^listening on //p' running)" \
        >guest.out 2>&1 </dev/null &
    pids+=("$!")
done
await 'six guests in six rooms' metric wzp_relay_active_rooms 6
metric wzp_relay_workers 3 || fail "workers"
[ "$(get /presence | grep -cF '"location": "Local"')" = 6 ] || fail "/presence: $(get /presence)"
for who in $(get /presence | sed -n 's/.*"fingerprint": "\(.*\)",/\1/p'); do
    expect_page "/route/$who" 200 '"route": "local"'
done
[ "$(grep -c '^CLIENT_TRAFFIC_SECRET_0 ' keys-of-all)" = 6 ] || fail "key log: $(cat keys-of-all)"
! grep -vE '^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]+$' keys-of-all || fail "key log: a line is not whole"
[ "$(find traces-of-all -name '*.sqlog' | wc -l)" = 6 ] || fail "qlog: $(ls traces-of-all)"
[ "$(find traces-of-all -name 'relay[12]-*' | wc -l)" -gt 0 ] || fail "qlog: $(ls traces-of-all)"
kill -TERM "$pid"
await 'draining' metric wzp_relay_draining 1
metric wzp_relay_active_sessions 6 || fail "a drain closed a room"
stop TERM

# --- drain -------------------------------------------------------------------------------------------

# join: a client in a room, until it is killed; leaves $guest.
join() {
    "$client" join --room r --silence --duration 600 "$(sed -n 's/^listening on //p' running)" \
        >guest.out 2>&1 </dev/null &
    guest=$!
    pids+=("$guest")
    metrics=$(sed -n 's,^metrics http://127.0.0.1:\([0-9]*\)/metrics$,\1,p' running)
    await 'a guest' metric wzp_relay_active_sessions 1
}

start --listen 127.0.0.1:0 --seed $seed --metrics-port 0 --drain-timeout 600
join
kill -TERM "$pid"
await 'draining' metric wzp_relay_draining 1
await 'the guest stays' metric wzp_relay_active_sessions 1
page /healthz 503 draining || fail "health while draining: $(cat page)"
page /presence 200 '"location": "Local"' || fail "presence: $(cat page)"
there=$(sed -n 's/.*"fingerprint": "\(.*\)",/\1/p' page)
page "/presence/$there" 200 '"location": "Local"' || fail "presence of $there: $(cat page)"
page "/route/$there" 200 '"route": "local"' || fail "route: $(cat page)"
grep -qF "\"$(sed -n 's/^listening on //p' running)\"" page || fail "relay chain: $(cat page)"
kill -INT "$guest"
ended 'its last guest left'
grep -q 'draining 1 sessions, 600 s at most' running.err || fail "drain: $(cat running.err)"

start --listen 127.0.0.1:0 --seed $seed --metrics-port 0 --drain-timeout 600
join
kill -TERM "$pid"
await 'draining' metric wzp_relay_draining 1
stop TERM

start --listen 127.0.0.1:0 --seed $seed --metrics-port 0 --drain-timeout 1
join
stop TERM
kill -0 "$guest" 2>/dev/null && kill -9 "$guest"
start --listen 127.0.0.1:0 --seed $seed --drain-timeout 600
stop TERM # nobody to wait for

[ $failed -eq 0 ] && echo "all as expected"
exit $failed
