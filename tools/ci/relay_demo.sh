# The second half of tools/demo --relay; sourced by it.
# shellcheck shell=bash disable=SC2154
#
# Six clients at one wzp-relay on loopback: two rooms of two, and a direct call.  Everything is ended
# by its process id.

start_relay() { # options...: leaves relay_pid and address
    local tries=50
    address=''
    "$bin/wzp-relay" --listen 127.0.0.1:0 --identity "$logs/relay-identity" "$@" \
        >"$logs/relay.out" 2>"$logs/relay.err" 9>&- &
    relay_pid=$!
    while [ -z "$address" ] && [ $((tries -= 1)) -gt 0 ]; do
        sleep 0.1
        address=$(sed -n 's/^listening on //p' "$logs/relay.out")
    done
    if [ -z "$address" ]; then
        echo "${red}wzp-relay did not start:${plain} $(head -n 1 "$logs/relay.err")"
        failed_stages+=(wzp-relay)
        return 1
    fi
}

stop_relay() {
    if [ -n "$relay_pid" ]; then
        kill "$relay_pid" 2>/dev/null || true
        wait "$relay_pid" || true
        relay_pid=''
    fi
}

# One client in the background; its pid is added to `clients`.
client() { # name arguments...
    local name=$1
    shift
    echo "${bold}\$ wzp-client $*${plain}"
    "$bin/wzp-client" "$@" >"$logs/$name.out" 2>"$logs/$name.err" 9>&- &
    clients+=("$name:$!")
}

# Waits for all of them and shows what each heard.
gather() {
    local entry name status
    echo
    for entry in "${clients[@]}"; do
        name=${entry%:*} status=0
        wait "${entry#*:}" || status=$?
        if [ $status -eq 0 ] && grep -qE 'received [1-9][0-9]* from 1' "$logs/$name.out"; then
            printf '%-4s %s\n' "$name" "$(grep 'received' "$logs/$name.out")"
        else
            printf '%-4s %sexit code %s:%s %s\n' "$name" "$red" "$status" "$plain" \
                "$(tail -n 1 "$logs/$name.err")"
            failed_stages+=("$name")
        fi
    done
    clients=()
}

relay_demo() {
    local page tries=50 fingerprint=''
    clients=()
    echo
    echo "${bold}\$ wzp-relay --listen 127.0.0.1:0 --metrics-port 0 --event-log events.jsonl --drain-timeout 20${plain}"
    start_relay --metrics-port 0 --event-log "$logs/events.jsonl" --drain-timeout 20 || return 0
    grep -v '^listening on 127.0.0.1:0' "$logs/relay.out"
    client ann join --room red --alias ann --tone-hz 300 --duration 6 "$address"
    client ben join --room red --alias ben --tone-hz 400 --duration 6 "$address"
    client cat join --room blue --alias cat --tone-hz 500 --duration 6 "$address"
    client dan join --room blue --alias dan --tone-hz 600 --duration 6 "$address"
    client eve listen --alias eve --tone-hz 700 "$address"
    while [ -z "$fingerprint" ] && [ $((tries -= 1)) -gt 0 ]; do
        sleep 0.1
        fingerprint=$(sed -n 's/^listening as //p' "$logs/eve.out")
    done
    client fay call --alias fay --tone-hz 800 --duration 4 "$fingerprint" "$address"
    sleep 3
    echo
    page=$(sed -n 's/^metrics //p' "$logs/relay.out")
    echo "${bold}\$ curl $page${plain}"
    curl --silent --max-time 5 "$page" 9>&- |
        grep -E '^wzp_relay_(active_(rooms|sessions)|calls|signal_clients|packets_forwarded_total|handshake_duration_seconds_count) ' || true
    echo
    echo "${bold}\$ kill -TERM wzp-relay${plain}   # it takes nobody new, and ends when the last call has"
    kill "$relay_pid"
    gather
    wait "$relay_pid" || failed_stages+=("wzp-relay, status $?")
    relay_pid=''
    echo
    echo "${bold}the event log${plain}"
    sed -nE 's/.*"event":"([a-z_]+)".*/\1/p' "$logs/events.jsonl" | sort | uniq -c
    show wzp-sim run sim/scenarios/six.toml
}
