#!/usr/bin/env bash
# demo.sh WZP-RELAY WZP-CLIENT: what tools/demo --nat shows as root: two homes behind NATs of the kernel's making, what
# netcheck says in them, and calls between them.  77: not possible here, with the reason.
set -uo pipefail
# shellcheck disable=SC2034 # of call.sh
relay=$(realpath "$1") client=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
# shellcheck source=tools/lab/ns.sh
. "$here/ns.sh"
# shellcheck source=tools/lab/nat.sh
. "$here/nat.sh"
# shellcheck source=tools/lab/call.sh
. "$here/call.sh"

lab_needs ip nft conntrack sysctl turnserver
nat_lab
call_servers

netcheck() { # a|b
    local host="h$1"
    echo
    echo "\$ wzp-client netcheck     # in home $1, behind ${kind[$1]}"
    on "${!host}" timeout 30 "$client" netcheck "${call_stun[@]}" $call_relay
}

declare -A kind=()
calls() { # kind-of-a kind-of-b way
    kind=([a]=$1 [b]=$2)
    nat_home a "$1"
    nat_home b "$2"
    if [ -n "${with_netcheck-}" ]; then
        netcheck a
        netcheck b
    fi
    echo
    echo "\$ wzp-client call ...     # from home a behind $1 to home b behind $2"
    call_begin --tone-hz 400 -- --tone-hz 300 --duration 4 || return
    call_end
    call_lines a
    for side in a b; do
        expect "$1 calls $2: between the homes were counted $(nat_sent $side direct) packets of sound from $side, at the relay $(nat_sent $side relayed)" \
            "$(call_way $side)" "$3"
    done
}

with_netcheck=1 calls PRC SYS direct
calls FC SYR direct
calls SYR SYR relayed
lab_end
