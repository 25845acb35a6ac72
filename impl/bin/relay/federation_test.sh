#!/usr/bin/env bash
# federation_test.sh WZP-RELAY WZP-CLIENT [THREADS]: three real relays in a full mesh over loopback, six clients in
# one room, a direct call from relay to relay, a relay that is killed and comes back.
set -uo pipefail
relay=$(realpath "$1")
client=$(realpath "$2")
threads=${3:-1}
# shellcheck source=../testing/shell.sh
. "$(dirname "$(realpath "$0")")/../testing/shell.sh"

says() { grep -qF -- "$1" "$2" || fail "'$1' is missing in: $(cat "$2")"; }

# Ports and fingerprints must be known before the first relay starts: each runs once without peers.
for i in 1 2 3; do
    for _ in $(seq 32); do printf '%02x' "$i"; done >"id$i"
    "$relay" --listen 127.0.0.1:0 -i "id$i" -c "example$i.toml" >probe.out 2>probe.err &
    pid=$!
    pids+=("$pid")
    line=$(wait_for '^listening on ' probe.out) || exit 1
    address[i]=${line#listening on }
    fingerprint[i]=$(sed -n 's/^# fingerprint = "\(.*\)"$/\1/p' "example$i.toml" | head -n 1)
    [ ${#fingerprint[i]} -eq 95 ] || fail "fingerprint: ${fingerprint[i]}"
    kill "$pid"
    wait "$pid"
done

for i in 1 2 3; do
    {
        echo "listen_addr = \"${address[i]}\""
        echo 'metrics_port = 0'
        echo 'federation_pin = "require"'
        for k in 1 2 3; do
            if [ "$i" -lt "$k" ]; then
                printf '[[peers]]\nurl = "%s"\n' "${address[k]}"
            elif [ "$i" -gt "$k" ]; then
                echo '[[trusted]]'
            fi
            [ "$i" -eq "$k" ] || printf 'fingerprint = "%s"\nlabel = "R%s"\n' "${fingerprint[k]}" "$k"
        done
        printf '[[global_rooms]]\nname = "plaza"\n'
    } >"r$i.toml"
done

# start N
start() {
    "$relay" -i "id$1" -c "r$1.toml" --threads "$threads" --event-log "events$1" >"relay$1.out" 2>"relay$1.err" &
    relay_pid[$1]=$!
    pids+=("${relay_pid[$1]}")
    local line
    line=$(wait_for '^metrics ' "relay$1.out") || exit 1
    metrics[$1]=$(sed -n 's,^metrics http://127.0.0.1:\([0-9]*\)/metrics$,\1,p' <<<"$line")
}

# metric N NAME
metric() {
    exec 3<>"/dev/tcp/127.0.0.1/${metrics[$1]}" || return 1
    printf 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
    timeout 60 cat <&3 | tr -d '\r' | awk -v name="$2" '$1 == name { print $2 }'
    exec 3>&-
}

# linked N PEER
linked() {
    local end=$((SECONDS + 60))
    until [ "$(metric "$1" "wzp_federation_peer_status{peer=\"R$2\"}")" = 1 ]; do
        if ((SECONDS >= end)); then
            fail "relay $1 has no link to $2: $(cat "relay$1.err")"
            return
        fi
        sleep 0.2
    done
}

start 3
start 2
start 1
for pair in '1 2' '1 3' '2 1' '2 3' '3 1' '3 2'; do
    # shellcheck disable=SC2086
    linked $pair
done

# gone: says so if a relay has ended by itself.
gone() {
    local i
    for i in 1 2 3; do
        kill -0 "${relay_pid[i]}" 2>/dev/null || fail "relay $i has ended: $(tail -n 40 "relay$i.err")"
    done
}

# --- one room -------------------------------------------------------------------------------------------

parties=()
for i in 1 2 3; do
    for k in a b; do
        "$client" join --room plaza --tone-hz 300 --duration 100 --alias "$k$i" "${address[i]}" \
            >"$k$i.out" 2>"$k$i.err" &
        parties+=("$!")
        pids+=("$!")
    done
done
for who in a1 b1 a2 b2 a3 b3; do
    wait_for '^in the room: 6$' $who.err >/dev/null
done
sleep 4
kill -INT "${parties[@]}"
for pid in "${parties[@]}"; do
    wait "$pid" || fail "a client ended with $?"
done
for i in 1 2 3; do
    for k in a b; do
        gone
        grep -qE 'received [0-9]+ from 5' "$k$i.out" || fail "$k$i did not hear five: $(cat "$k$i.out")"
    done
    [ "$(metric "$i" wzp_federation_packets_rate_limited_total)" = 0 ] || fail "relay $i limited"
    [ "$(metric "$i" wzp_federation_packets_deduped_total)" -gt 100 ] || fail "relay $i dropped no copies"
    says '"event":"federation_link"' "events$i"
    says '"event":"local_deliver"' "events$i"
    says '"event":"dedup_drop"' "events$i"
done

# --- a direct call --------------------------------------------------------------------------------------

"$client" listen --alias Bob "${address[3]}" >bob.out 2>bob.err &
bob=$!
pids+=("$bob")
line=$(wait_for '^listening as ' bob.out) || exit 1
"$client" call --alias Alice --tone-hz 440 --duration 3 "${line#listening as }" "${address[1]}" \
    >alice.out 2>alice.err || fail "alice ended with $?: $(cat alice.err)"
wait "$bob" || fail "bob ended with $?: $(cat bob.err)"
says 'in the room: 2' alice.err
says 'call ended: Normal' bob.err
for who in alice bob; do
    received=$(sed -nE 's/.*received ([0-9]+) from 1.*/\1/p' $who.out)
    [ "${received:-0}" -gt 20 ] || fail "$who heard nobody: $(cat $who.out)"
done

# --- a relay is killed and comes back -------------------------------------------------------------------

kill -9 "${relay_pid[2]}"
wait "${relay_pid[2]}" 2>/dev/null
start 2
linked 1 2
linked 2 1
linked 2 3
"$client" join --room plaza --tone-hz 300 --duration 100 "${address[1]}" >c1.out 2>c1.err &
one=$!
"$client" join --room plaza --tone-hz 300 --duration 100 "${address[2]}" >c2.out 2>c2.err &
two=$!
pids+=("$one" "$two")
wait_for '^in the room: 2$' c1.err >/dev/null
wait_for '^in the room: 2$' c2.err >/dev/null
sleep 3
gone
kill -INT "$one" "$two"
for pid in "$one" "$two"; do
    wait "$pid" || fail "a client ended with $?"
done
for who in c1 c2; do
    grep -qE 'received [0-9]+ from 1' $who.out || fail "$who heard nobody: $(cat $who.out $who.err)"
done

# --- another certificate --------------------------------------------------------------------------------

kill "${relay_pid[1]}"
wait "${relay_pid[1]}"
sed -i "s/^fingerprint = \"..:..:/fingerprint = \"00:00:/" r1.toml
start 1
wait_for "'R2' shows another certificate" relay1.err >/dev/null
[ "$(metric 1 'wzp_federation_peer_status{peer="R2"}')" = 0 ] || fail "linked to somebody else"

[ $failed -eq 0 ] && echo "relays federate"
exit $failed
