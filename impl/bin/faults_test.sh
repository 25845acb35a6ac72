#!/usr/bin/env bash
# faults_test.sh WZP-RELAY WZP-CLIENT FAULT-PEER WILD-CLOCK: what goes wrong around a relay on real
# sockets, while a call goes on in it.  docs/OPERATIONS.md, "Faults", is the list.
set -uo pipefail
relay=$(realpath "$1")
client=$(realpath "$2")
peer=$(realpath "$3")
wild_clock=$(realpath "$4")
# shellcheck source=testing/shell.sh
. "$(dirname "$(realpath "$0")")/testing/shell.sh"

# A tenth of a second without a process: nobody writes to this pipe.
mkfifo nobody
exec 9<>nobody
pause() { read -rt 0.1 -u 9 || true; }

# await WHAT COMMAND...: until the command succeeds; a busy machine may take its time.
await() {
    local what=$1 end=$((SECONDS + 60))
    shift
    while ((SECONDS < end)); do
        "$@" && return
        kill -0 "$pid" 2>/dev/null || break
        pause
    done
    "$@" || fail "not seen: $what: $(tail -n 20 running running.err ./*.out 2>/dev/null)"
}

# start ARGS...: leaves $pid, $listen and $metrics.
start() {
    rm -f running
    "${before[@]}" "$relay" --listen 127.0.0.1:0 --identity id --metrics-port 0 "$@" \
        >running 2>running.err &
    pid=$!
    pids+=("$pid")
    await 'it has started' grep -qs '^metrics ' running
    listen=$(sed -n 's/^listening on //p' running)
    metrics=$(sed -n 's,^metrics http://127.0.0.1:\([0-9]*\)/metrics$,\1,p' running)
}
before=()

stop() {
    local code
    kill -TERM "$pid"
    wait "$pid"
    code=$?
    [ $code -eq 0 ] || fail "the relay ended with $code: $(cat running.err)"
}

# value NAME: of a metric.  One process: this is asked some hundred times.
value() {
    exec 3<>"/dev/tcp/127.0.0.1/$metrics" || return 1
    printf 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
    sed -n "s/^$1 //p" <&3
    exec 3>&-
}

# is NAME VALUE, more NAME VALUE
is() { [ "$(value "$1")" = "$2" ]; }
more() { [ "$(value "$1")" -gt "$2" ]; }

# join NAME ARGS...: a client in room "call", until it is told to leave; leaves $guest.  On a machine
# that is busy enough a first attempt may come to nothing.
join() {
    local name=$1
    shift
    for _ in 1 2 3 4 5; do
        : >"$name.err"
        "$client" join --room call --duration 600 --json "$@" "$listen" \
            >"$name.out" 2>"$name.err" </dev/null &
        guest=$!
        pids+=("$guest")
        while kill -0 "$guest" 2>/dev/null; do
            [[ $(<"$name.err") == *'in the room'* ]] && return
            pause
        done
    done
    fail "$name does not get in: $(cat "$name.err")"
}

begin_call() {
    join ann --tone-hz 440
    ann=$guest
    join bob --tone-hz 330
    bob=$guest
    await 'two in the call' is wzp_relay_active_sessions 2
    goes_on
}

# Both sides' packets still arrive at the relay and are passed on.
goes_on() {
    local sent
    sent=$(value wzp_relay_packets_forwarded_total)
    await 'the call goes on' more wzp_relay_packets_forwarded_total $((sent + 60))
    is wzp_relay_active_sessions 2 || fail "the call has lost somebody"
}

# They have heard each other, and leave when they want to.
end_call() {
    local who got
    kill -INT "$ann" "$bob"
    for who in ann bob; do
        wait "${!who}"
        got=$?
        [ $got -eq 0 ] || fail "$who ended with $got: $(cat $who.err)"
        got=$(sed -nE 's/.*"received":([0-9]+),.*/\1/p' $who.out)
        [ "${got:-0}" -gt 60 ] || fail "$who heard ${got:-nothing}: $(cat $who.out)"
    done
}

# peer NAME ARGS...: in the background; leaves $hostile.
peer() {
    local name=$1
    shift
    "$peer" "$@" >"$name.out" 2>&1 &
    hostile=$!
    pids+=("$hostile")
}

# says NAME LINE...: the peer ends, and has said this.
says() {
    local name=$1
    shift
    wait "$hostile" || fail "$name: exit code $?"
    grep -qxF -- "$*" "$name.out" || fail "$name: '$*' is missing in: $(cat "$name.out")"
}

memory_kb() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"; }

# More than the receive buffer of a relay that stands still takes: 8 MiB at most.
overfill() {
    local junk
    printf -v junk '%1400s' ''
    exec 6<>"/dev/udp/127.0.0.1/${listen##*:}"
    for _ in {1..6500}; do
        printf '%s' "$junk" >&6
    done
    exec 6>&-
}

# --- clients ---------------------------------------------------------------------------------------

start --event-log events --enforce on --ring-timeout 2
begin_call

peer half half "$listen" _signal 3
says half 'closed 0 normal close'
is wzp_relay_signals_unreadable_total 3 || fail "half signals: $(value wzp_relay_signals_unreadable_total)"
is wzp_relay_handshakes_refused_total 3 || fail "refused: $(value wzp_relay_handshakes_refused_total)"

peer streams streams "$listen" other
await 'a member with streams that never end' grep -qx open streams.out
await 'it is in' is wzp_relay_active_sessions 3
kill -9 "$hostile" # and it vanishes; nobody need wait for what the relay makes of that
await 'packets that reach nobody' more wzp_relay_packets_forwarded_total 100

peer moves move "$listen" call
await 'it has moved' grep -qx moved moves.out
await 'it hears at its new place' grep -qx 'heard 101' moves.out
kill -9 "$hostile"

# Somebody vanishes while it rings: the caller is told when the ringing is over.
"$client" listen --alias dora "$listen" >dora.out 2>dora.err </dev/null &
dora=$!
pids+=("$dora")
await 'dora is there' grep -q '^listening as ' dora.out
kill -STOP "$dora" # does not answer any more
"$client" call "$(sed -n 's/^listening as //p' dora.out)" "$listen" >emil.out 2>emil.err </dev/null &
emil=$!
pids+=("$emil")
await 'it rings' grep -q 'ringing' emil.err
kill -9 "$dora"
wait "$emil"
got=$?
[ $got -eq 1 ] || fail "the caller of somebody who vanished ended with $got: $(cat emil.err)"
is 'wzp_relay_calls_ended_total{cause="timeout"}' 1 || fail "how the ringing ended"

# A receiver that never acknowledges: its process stands still.
join carl --silence
carl=$guest
kill -STOP "$carl"
await 'media that it does not take' more wzp_quic_datagrams_expired_total 50
kill -CONT "$carl"
kill -INT "$carl"
wait "$carl" || fail "carl ended with $?: $(cat carl.err)"
await 'events' grep -q '"reason":"unreadable signal"' events
end_call
stop

# --- a flood ---------------------------------------------------------------------------------------

start
begin_call
memory=$(memory_kb)
peer flood flood "$listen" 3000
wait "$hostile" || fail "flood: $(cat flood.out)"
await 'addresses to be proven' more wzp_quic_retries_sent_total 1000
connections=$(value wzp_quic_connections)
[ "$connections" -le 258 ] || fail "a flood made $connections connections"
goes_on
join carl --silence
await 'somebody who proves his address' is wzp_relay_active_sessions 3
kill -INT "$guest"
wait "$guest" || fail "carl ended with $?: $(cat carl.err)"
memory=$(($(memory_kb) - memory))
# A sanitizer keeps for a while what is freed.
grep -q __asan_init "$relay" || [ "$memory" -lt 200000 ] || fail "a flood took $memory KiB"
end_call
stop

# --- the machine -----------------------------------------------------------------------------------

# A disk that is full, and has room again.
start --event-log events --auth-url http://127.0.0.1:1/
prlimit --pid "$pid" --fsize=2048:
for i in 1 2 3; do
    peer "full$i" half "$listen" _signal 80
    says "full$i" 'closed 0 normal close'
done
await 'events that are lost' more wzp_relay_event_log_lost_total 0
await 'the operator is told' grep -q 'events: events cannot be written: File too large' running.err
prlimit --pid "$pid" --fsize=unlimited:
await 'the end is told' grep -qE 'events: events are written again, [0-9]+ were lost' running.err
lost=$(value wzp_relay_event_log_lost_total)
[ "$(wc -l <events)" -eq $((240 - lost)) ] || fail "$(wc -l <events) lines, $lost were lost"
grep -qvE '^\{"ts":"[^"]*","event":"[^"]*".*\}$' events && fail "a line is not whole"
[ "$(grep -c 'cannot be written' running.err)" -eq 1 ] || fail "told more than once: $(cat running.err)"

# The token service is not there.
peer token say "$listen" _signal 1 '{"AuthToken":{"version":1,"token":"t"}}'
says token 'closed 0 token check: unreachable'
prlimit --pid "$pid" --nofile=1: # and cannot be asked
peer token say "$listen" _signal 1 '{"AuthToken":{"version":1,"token":"t"}}'
says token 'closed 0 token check: unreachable'
prlimit --pid "$pid" --nofile=1024:
is 'wzp_relay_auth_results_total{verdict="unreachable"}' 2 || fail "no verdicts were counted"
stop

# No file descriptors: calls need none, pages wait, traces are missing.
start --qlog traces
begin_call
prlimit --pid "$pid" --nofile=1:
exec 5<>"/dev/tcp/127.0.0.1/$metrics"
printf 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&5
await 'the operator is told' grep -q 'HTTP: connections wait: Too many open files' running.err
join carl --tone-hz 220 # is let in all the same
carl=$guest
await 'carl is in the call' grep -q 'in the room: 3' carl.err
prlimit --pid "$pid" --nofile=1024:
is wzp_relay_traces_lost_total 1 || fail "traces lost: $(value wzp_relay_traces_lost_total)"
timeout 60 cat <&5 | grep -q '^wzp_relay_active_sessions 3' || fail "a page that waited"
exec 5>&-
kill -INT "$carl"
wait "$carl" || fail "carl ended with $?: $(cat carl.err)"
[ "$(grep -c 'connections wait' running.err)" -eq 1 ] || fail "told more than once: $(cat running.err)"
goes_on
end_call
stop

# The wall clock is nobody's business; a process that stood still goes on.
before=(env LD_PRELOAD="$wild_clock")
start --event-log events
before=()
begin_call
is wzp_udp_receive_dropped_total 0 || fail "dropped: $(value wzp_udp_receive_dropped_total)"
kill -STOP "$pid"
overfill
sleep 1.5
kill -CONT "$pid"
await 'it has noticed' is wzp_relay_woken_late_total 1
await 'what found no room is counted' more wzp_udp_receive_dropped_total 100
goes_on
end_call
await 'events' grep -q '"event":"leave"' events
[ "$(cut -c8-11 events | sort -u | wc -l)" -gt 1 ] || fail "the clock is not wild: $(cat events)"
stop

[ $failed -eq 0 ] && echo "all as expected"
exit $failed
