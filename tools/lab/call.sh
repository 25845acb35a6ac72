# shellcheck shell=bash disable=SC2034,SC2154 # for who sources it; of ns.sh and nat.sh before it
# Calls between the two homes of nat.sh, by wzp-client over a wzp-relay in $s.
#
#     relay=.../wzp-relay client=.../wzp-client
#     nat_lab; call_servers; nat_home a PRC; nat_home b SYR
#     call_begin --generic -- --duration 3    # b listens, a calls: options of b -- and of a
#     call_end                       # leaves status_a, status_b; words in $work/a.log, b.log
#     call_way a                     # direct or relayed, by what was seen between the homes

call_relay=11.0.0.101:4433
call_stun=(--stun 11.0.0.102:3478 --stun 11.0.0.103:3478 --stun 11.0.0.104:3478)

# The relay, and STUN servers on three other addresses: clients ask at each of them once.
call_servers() {
    coturn 11.0.0.102 11.0.0.103 11.0.0.104
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
    start b ip netns exec "$hb" "$client" listen "${call_stun[@]}" --record "$work/heard-b" \
        "${options[@]}" $call_relay
    if ! wait_for 20 grep -q '^listening as ' "$work/b.log"; then
        fail "b does not listen: $(cat "$work/b.log")"
        return 1
    fi
    nat_watch
    start a ip netns exec "$ha" "$client" call "${call_stun[@]}" --record "$work/heard-a" "$@" \
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

# Waits until a side has taken a path so many times.
call_awaits() { # a|b direct|relayed times
    local line="direct path to "
    [ "$2" = direct ] || line="relayed by "
    wait_for 30 call_counts "$1" "$line" "$3" || fail "$1 does not go on $2: $(call_lines "$1")"
}

call_counts() { # a|b line times
    [ "$(grep -c "^$2" "$work/$1.log")" -ge "$3" ]
}

# What a side has said to people.
call_lines() { # a|b
    grep -v '^{' "$work/$1.log" | tail -n 12
}

# Of --stats json: the most lines in a row, ten a second, in which nothing new was heard.
call_gap() { # a|b
    sed -nE 's/^\{.*"played":([0-9]+),.*"senders":[1-9].*/\1/p' "$work/$1.log" |
        awk '$1 == was {if (++run > most) most = run} $1 != was {run = 0; was = $1} END {print most + 0}'
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
