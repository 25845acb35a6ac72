# shellcheck shell=bash disable=SC2034,SC2154 # for who sources it; of ns.sh and nat.sh before it
# Calls between the two homes of nat.sh, by wzp-client over a wzp-relay in $s.
#
#     relay=.../wzp-relay client=.../wzp-client
#     nat_lab; call_servers; nat_home a PRC; nat_home b SYR
#     call_begin -- --duration 3     # b listens, a calls: options of both, of b, of a
#     call_end                       # leaves status_a, status_b; words in $work/a.log, b.log
#     call_way a                     # direct or relayed, by what was seen between the homes

call_relay=11.0.0.101:4433

# The relay, and STUN servers on two addresses.
call_servers() {
    coturn 11.0.0.101 11.0.0.102
    start relay ip netns exec "$s" "$relay" --listen $call_relay --identity "$work/identity"
    wait_for 20 listens "$s" 4433 || skip "wzp-relay does not start: $(tail -n 3 "$work/relay.log")"
}

call_begin() { # options of b... -- options of a...
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    rm -rf "$work/a.log" "$work/b.log" "$work/heard-a" "$work/heard-b"
    start b ip netns exec "$hb" "$client" listen --record "$work/heard-b" "${options[@]}" $call_relay
    if ! wait_for 20 grep -q '^listening as ' "$work/b.log"; then
        fail "b does not listen: $(cat "$work/b.log")"
        return 1
    fi
    nat_watch
    start a ip netns exec "$ha" "$client" call --record "$work/heard-a" "$@" \
        "$(sed -n 's/^listening as //p' "$work/b.log")" $call_relay
}

call_end() {
    wait "${pids[a]}"
    status_a=$?
    unset 'pids[a]'
    # The listener ends when the caller does.
    local until=$((SECONDS + 10))
    while kill -0 "${pids[b]}" 2>/dev/null && [ $SECONDS -lt $until ]; do
        sleep 0.05
    done
    kill -INT "${pids[b]}" 2>/dev/null
    wait "${pids[b]}"
    status_b=$?
    unset 'pids[b]'
}

# What a side has said of its path last.
call_says() { # a|b
    case $(grep -E '^(direct path to|relayed by) ' "$work/$1.log" | tail -n 1) in
    "direct path to "*", identity proven") echo direct ;;
    "direct path to "*) echo unproven ;;
    "relayed by "*) echo relayed ;;
    *) echo nothing ;;
    esac
}

# How the sound of a side went, or most of it.
call_way() { # a|b
    local direct relayed
    direct=$(nat_sent "$1" direct) relayed=$(nat_sent "$1" relayed)
    if [ "$direct" -gt "$relayed" ]; then echo direct; else echo relayed; fi
}
