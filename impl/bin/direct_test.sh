#!/usr/bin/env bash
# direct_test.sh WZP-RELAY WZP-CLIENT SOUND_PLOT WZP-QUALITY: real programs call each other across
# boxes of several kinds; how the sound goes is judged by what is seen between them.  As root, in
# namespaces that it makes and removes; exit code 77 where that is not possible.
set -uo pipefail
# shellcheck disable=SC2034 # of call.sh
relay=$(realpath "$1") client=$(realpath "$2") plot=${3-} quality=${4-}
here=$(dirname "$(realpath "$0")")
# shellcheck source=tools/lab/ns.sh
. "$here/../../tools/lab/ns.sh"
# shellcheck source=tools/lab/nat.sh
. "$here/../../tools/lab/nat.sh"
# shellcheck source=tools/lab/call.sh
. "$here/../../tools/lab/call.sh"

lab_needs ip nft conntrack sysctl turnserver
[ -n "$quality" ] || skip "this build has no wzp-quality"
nat_lab
call_servers
stun=(--stun 11.0.0.101:3478 --stun 11.0.0.102:3478)
"$plot" --speak 3 "$work/said.wav" || fail "no voice was made"

# One call, and whether both heard what the other said.
pair() { # kind-of-a kind-of-b way
    local side way
    nat_home a "$1"
    nat_home b "$2"
    call_begin "${stun[@]}" --send-file "$work/said.wav" -- "${stun[@]}" --send-file "$work/said.wav" \
        --duration 4 || return
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
pair FC SYR direct
pair SYR RC direct
pair FW CGE direct
pair SYR SYR relayed
pair CGH PRC relayed
lab_end
