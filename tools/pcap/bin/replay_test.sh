#!/usr/bin/env bash
# replay_test.sh WZP-PCAP WZP-RELAY WZP-CLIENT: a call that a relay captures is played into another relay's room, where a
# client captures what it hears.
set -uo pipefail
pcap=$(realpath "$1")
relay=$(realpath "$2")
client=$(realpath "$3")
# shellcheck source=../../../impl/bin/testing/shell.sh
. "$(dirname "$(realpath "$0")")/../../../impl/bin/testing/shell.sh"
unset SSLKEYLOGFILE QLOGDIR

# await PATTERN FILE: its first line that matches, within a minute.
await() {
    for _ in $(seq 1200); do
        grep -m 1 -E -- "$1" "$2" 2>/dev/null && return
        sleep 0.05
    done
    fail "no '$1' in: $(cat "$2")"
}

# begin ARGS...: a relay; leaves its address.
begin() {
    "$relay" --listen 127.0.0.1:0 --identity id --log-level info "$@" >relay.out 2>relay.err &
    pids+=($!)
    address=$(await '^listening on ' relay.out) || exit 1
    address=${address#listening on }
}

end() {
    kill "${pids[-1]}"
    wait "${pids[-1]}"
    unset 'pids[-1]'
}

# says CODE TEXT ARGS...: exit status of wzp-pcap, and a text in what it says; leaves out and err.
says() {
    local want=$1 text=$2 got
    shift 2
    timeout 120 "$pcap" "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$want" ] || fail "$*: exit status $got instead of $want: $(cat out err)"
    grep -qF -- "$text" out err || fail "$*: '$text' is missing in: $(cat out err)"
}

# value NAME: of JSON in out.
value() { grep -oE "\"$1\":(\"[^\"]*\"|[-0-9.]+)" out | head -n 1 | cut -d: -f2- | tr -d '"'; }

# media FILTER FILE: sequence, codec and payload of the packets, in their order.
media() { "$pcap" dump --quiet --fields wzp.seq,wzp.timestamp_ms,wzp.codec,wzp.payload -Y "wzp.payload && $1" "$2" | tail -n +2; }

# --- a call ----------------------------------------------------------------------------------------

begin --capture call.pcapng
timeout 60 "$client" join --quiet --room call --send-tone 2 "$address" >one.out 2>&1 &
one=$!
timeout 60 "$client" join --quiet --room call --send-tone 2 --tone-hz 700 "$address" >two.out 2>&1
wait $one
end
sent=$(media wzp.to_server==1 call.pcapng | wc -l)
[ "$sent" -ge 200 ] || fail "the call has $sent packets: $(cat one.out two.out)"

# --- without a room nothing is sent ----------------------------------------------------------------

says 0 'without --to nothing is sent' replay call.pcapng
grep -q "^$sent packets of 2 senders, digest [0-9a-f]\{64\}\$" out || fail "the plan: $(cat out)"
digest=$(awk '{ print $NF }' out)
says 0 '' replay call.pcapng
[ "$(awk '{ print $NF }' out)" = "$digest" ] || fail 'the same file gives another digest'
says 0 '' replay --seq rewrite call.pcapng
[ "$(awk '{ print $NF }' out)" = "$digest" ] && fail 'other numbers give the same digest'

# --- into a room -----------------------------------------------------------------------------------

begin
timeout 100 "$client" join --quiet --room again --silence --duration 90 --capture heard.pcapng "$address" \
    >heard.out 2>&1 &
listener=$!
pids+=($listener)
await '^' heard.pcapng >/dev/null
sleep 0.5
says 0 '' replay call.pcapng --to "$address" --room again --speed 2 --json
[ "$(value packets)" = "$sent" ] || fail "packets: $(cat out)"
[ "$(value left)" = "$sent" ] || fail "they did not all leave: $(cat out)"
[ "$(value digest)" = "$digest" ] || fail "what is sent is not what was foreseen: $(cat out)"
awk "BEGIN { exit !($(value duration_s) > 0.9 && $(value p50) >= 0 && $(value max) >= $(value p99)) }" ||
    fail "times: $(cat out)"
kill -INT $listener
wait $listener
unset 'pids[-1]'
media wzp.to_server==0 heard.pcapng | sort >got
media wzp.to_server==1 call.pcapng | sort >want
cmp -s got want || fail "what was heard differs: $(diff got want | head -n 5)"

# One sender of two, and all pacing: who sends is a filter's matter.
port=$("$pcap" dump --quiet --fields udp.srcport -Y 'wzp.payload && wzp.to_server==1' call.pcapng | sed -n 2p)
says 0 'of 1 senders' replay call.pcapng --to "$address" --room again --topspeed --stream "udp.srcport == $port"
grep -qE 'pacing: none, [0-9]+ packets/s' out || fail "top speed: $(cat out)"
says 0 'late by more than 1 ms' replay call.pcapng --to "$address" --room again --pps 1000 --follow timestamp --loop 2 --seq rewrite

# A verdict on a relay that forwards, and on one that does not: a room where somebody else speaks as well.
says 0 'PASS: of' replay call.pcapng --to "$address" --room checked --speed 4 --check
says 0 '"verdict":"PASS"' replay call.pcapng --to "$address" --room checked --speed 4 --check --json --seq rewrite --loop 2
timeout 60 "$client" join --quiet --room noisy --send-tone 30 "$address" >/dev/null 2>&1 &
pids+=($!)
sleep 1
says 1 'FAIL: of' replay call.pcapng --to "$address" --room noisy --speed 4 --check
kill -9 "${pids[-1]}"
wait "${pids[-1]}" 2>/dev/null
unset 'pids[-1]'

# --- what cannot be --------------------------------------------------------------------------------

says 2 'which --room?' replay call.pcapng --to "$address"
says 2 'not the address of one host' replay call.pcapng --to 224.0.0.1:4433 --room x
says 2 'not the address of one host' replay call.pcapng --to 255.255.255.255:4433 --room x
says 2 '--speed takes' replay call.pcapng --speed 0
says 2 '--seq takes keep, rewrite' replay call.pcapng --seq other
says 2 '--stream, column' replay call.pcapng --stream 'wzp.seq =='
says 3 'no media that could be sent' replay call.pcapng --stream 'wzp.seq == 4000000000'
says 3 'none.pcapng' replay none.pcapng
says 4 'no answer' replay call.pcapng --to 127.0.0.1:9 --room x
end

exit $failed
