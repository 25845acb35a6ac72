#!/usr/bin/env bash
# direct_test.sh WZP-RELAY WZP-CLIENT SOUND_PLOT WZP-QUALITY: real programs call each other across
# boxes of several kinds; how the sound goes is judged by what is seen between them.  As root, in
# namespaces that it makes and removes; exit code 77 where that is not possible.
set -uo pipefail
# shellcheck disable=SC2034 # of call.sh
relay=$(realpath "$1") client=$(realpath "$2") plot=${3-} quality=${4-}
here=$(dirname "$(realpath "$0")")
# shellcheck source=tools/lab/ns.sh
. "$here/../../../tools/lab/ns.sh"
# shellcheck source=tools/lab/nat.sh
. "$here/../../../tools/lab/nat.sh"
# shellcheck source=tools/lab/call.sh
. "$here/../../../tools/lab/call.sh"

lab_needs ip nft conntrack sysctl turnserver
[ -n "$quality" ] || skip "this build has no wzp-quality"
nat_lab
call_servers
"$plot" --speak 3 "$work/said.wav" || fail "no voice was made"

# One call, and whether both heard what the other said.
pair() { # kind-of-a kind-of-b way
    nat_home a "$1"
    pair_of "$1" "$2" "$3"
}

pair_of() { # what-a-is kind-of-b way
    local side way
    nat_home b "$2"
    call_begin --send-file "$work/said.wav" -- --send-file "$work/said.wav" --duration 4 || return
    call_end
    expect "$1 calls $2: exit codes" "$status_a $status_b" "0 0"
    for side in a b; do
        way=$(call_way $side)
        expect "$1 calls $2: the way of $side, $(nat_sent $side direct) directly and $(nat_sent $side relayed) to the relay" \
            "$way" "$3"
        expect "$1 calls $2: what $side says" "$(call_says $side)" "$3"
    done
    hears "$1 calls $2"
}

# Many sockets against many probes, which the relay carries meanwhile.  One call in sixty does not
# meet: not the fourth in a row.
birthday() { # kind-of-a kind-of-b
    local try side
    nat_home a "$1"
    nat_home b "$2"
    for try in 1 2 3 4; do
        call_begin --birthday --stats json --tone-hz 400 -- --birthday --stats json --tone-hz 300 \
            --duration 16 || return
        call_end
        [ "$(call_says a) $(call_says b)" = "direct direct" ] && break
    done
    expect "$1 meets $2: what both say" "$(call_says a) $(call_says b)" "direct direct"
    expect "$1 meets $2: exit codes" "$status_a $status_b" "0 0"
    for side in a b; do
        [ "$(nat_sent $side direct)" -gt 50 ] || fail "$1 meets $2: $side sends nothing directly"
        [ "$(call_gap $side)" -le 5 ] ||
            fail "$1 meets $2: $side heard nothing for $(call_gap $side) tenths of a second"
    done
    echo "$1 meets $2: in call $try; sockets opened: $(sed -n 's/.*sockets opened: //p' "$work/a.log")"
}

# A call in which something happens: both leave the path that broke, nobody is without sound for long,
# and both end on the same path: a direct one again, or any, where a box may give each destination
# another port for a while (docs/NAT.md).
GAP=40 # tenths of a second: 1.5 s until it is noticed, and then the relay
mid_call() { # what direct|any command...
    local what=$1 last=$2 side
    nat_home a PRC
    nat_home b PRC
    call_begin --stats json --tone-hz 400 -- --stats json --tone-hz 300 --duration 12 || return
    call_awaits a direct 1
    sleep 2
    shift 2
    "$@"
    call_awaits a relayed 1
    call_awaits b relayed 1
    call_end
    for side in a b; do
        [ "$(call_gap $side)" -le $GAP ] ||
            fail "$what: $side heard nothing for $(call_gap $side) tenths of a second"
        echo "$what: $side, longest silence $(call_gap $side) tenths of a second, at last $(call_says $side)"
    done
    [ "$last" = any ] && last=$(call_says a)
    expect "$what: the last paths" "$(call_says a) $(call_says b)" "$last $last"
    expect "$what: exit codes" "$status_a $status_b" "0 0"
}

# With what the box knows of the old address its ports would be taken.
# shellcheck disable=SC2317 # called by name
renumber() {
    ip -n "$ha" addr flush dev eth0
    on "$ra" conntrack -F 2>/dev/null
    ip -n "$ha" addr add 10.1.0.7/24 dev eth0
    ip -n "$ha" route replace default via 10.1.0.1
}

hears() { # what
    local side stoi
    for side in a b; do
        stoi=$("$quality" --json "$work/said.wav" "$work/heard-$side/sender-1.wav" |
            sed -nE 's/.*"stoi": *([0-9.]+).*/\1/p')
        awk -v stoi="${stoi:-0}" 'BEGIN {exit !(stoi > 0.8)}' ||
            fail "$1: $side hears nobody, or badly: ${stoi:-nothing}; $(tail -n 3 "$work/$side.log")"
    done
}

pair PRC PRC direct
pair PRC SYS direct
pair FC SYR direct
pair SYR RC direct
pair FW CGE direct
pair SYR SYR relayed
pair CGH PRC relayed

mid_call "the box uses other ports" any nat_box a PRC2
mid_call "a gets another address" direct renumber

birthday SYR PRC
birthday CGH FW

nat_home a SYR
nat_gateway a
pair_of "SYR with a gateway" SYR direct
lab_end
