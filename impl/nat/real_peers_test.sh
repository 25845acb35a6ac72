#!/usr/bin/env bash
# real_peers_test.sh NAT_REAL: our clients of STUN, NAT-PMP, PCP and UPnP before coturn and miniupnpd.
#
#     client (10.1.0.2) ---- nat (10.1.0.1 | 11.0.0.11) ---- server (11.0.0.101, .102)
#
# As root, in namespaces without a way out that it makes and removes: miniupnpd refuses addresses
# for examples.  Exit code 77 where that is not possible.
# shellcheck disable=SC2086 # namespaces are one word each
set -uo pipefail
real=$(realpath "$1")
# shellcheck source-path=SCRIPTDIR source=../../tools/lab/ns.sh
. "$(dirname "$0")/../../tools/lab/ns.sh"

lab_needs ip nft sysctl turnserver miniupnpd ss
lab_begin a n s
lab_home 10.1.0 11.0.0

# --- STUN -------------------------------------------------------------------------------------------

coturn 11.0.0.101 11.0.0.102

stun() { on $a timeout 30 "$real" stun "$@" 2>&1; }

gateway_rules ""
expect "first answer" "$(stun first 10.1.0.2:40000 11.0.0.101:3478 | head -n 1)" \
    "answered 11.0.0.11:40000"
expect "a NAT that keeps ports" \
    "$(stun all 10.1.0.2:40001 11.0.0.101:3478 11.0.0.102:3478 11.0.0.102:3479)" \
    "answered 11.0.0.11:40001
answered 11.0.0.11:40001
answered 11.0.0.11:40001
type Cone
ports port-preserving"
expect "nobody there" "$(stun all 10.1.0.2:40002 11.0.0.101:3478 11.0.0.103:3478 | head -n 3)" \
    "answered 11.0.0.11:40002
silent -
type Unknown"
expect "one server of two names" \
    "$(stun all 10.1.0.2:40003 11.0.0.101:3478 11.0.0.101:3479 | tail -n 2)" \
    "type Unknown
ports port-preserving"
gateway_rules fully-random
expect "a NAT that does not" \
    "$(stun in-turn 10.1.0.2:40004 11.0.0.101:3478 11.0.0.102:3478 11.0.0.102:3479 |
        sed 's/11.0.0.11:.*/11.0.0.11/')" \
    "answered 11.0.0.11
answered 11.0.0.11
answered 11.0.0.11
type SymmetricPort
ports random"
stop server

# --- NAT-PMP, PCP and UPnP --------------------------------------------------------------------------------

gateway_rules ""
# Begins a mapping, which `give_back` ends.
mkfifo "$work/line"
map() { # protocol port
    exec 9<>"$work/line"
    local how=(portmap "$1" 10.1.0.1:5351)
    [ "$1" != upnp ] || how=(upnp)
    ip netns exec $a "$real" "${how[@]}" "10.1.0.2:$2" >"$work/map.log" 2>&1 <"$work/line" &
    pids[map]=$!
    wait_for 20 grep -qE 'mapped|failed' "$work/map.log"
}

give_back() {
    echo >&9
    wait_for 20 grep -q off "$work/map.log"
    wait "${pids[map]}"
    unset "pids[map]"
}

knock() { # port: whether what comes from outside is heard
    on $s bash -c "printf hello >/dev/udp/11.0.0.11/$1"
    wait_for "${2:-20}" grep -q 'heard hello' "$work/map.log"
}

heard() { sed -n 's/^heard \(.*\):[0-9]*$/\1/p' "$work/map.log" | head -n 1; }

protocols="natpmp pcp upnp"
map upnp 41000
case $(cat "$work/map.log") in
*"has no UPnP"*)
    protocols="natpmp pcp"
    echo "skipped: UPnP is not in this build"
    ;;
*) expect "upnp, nobody there" "$(head -n 1 "$work/map.log")" "failed: no device answers" ;;
esac
stop map

mini_gateway
port=41000
for protocol in $protocols; do
    port=$((port + 1))
    map $protocol $port
    expect "$protocol, mapped" "$(head -n 1 "$work/map.log")" "mapped 11.0.0.11:$port 600 s"
    knock $port
    expect "$protocol, the port is reached" "$(heard)" "hello from 11.0.0.101"
    expect "$protocol, the gateway's lease" "$(cut -d: -f1-4 "$work/leases")" \
        "UDP:$port:10.1.0.2:$port"
    give_back
    expect "$protocol, given back" "$(tail -n 1 "$work/map.log")" "off"
    expect "$protocol, no lease is left" "$(cat "$work/leases")" ""
done
stop gateway

map pcp 41010
expect "nobody at the gateway" "$(head -n 1 "$work/map.log")" "failed: no answer 0"
stop map

# An address that is no one's is given to nobody: it cannot be reached from everywhere.
ip -n $n addr del 11.0.0.11/24 dev wan
ip -n $n addr add 100.64.0.11/24 dev wan
mini_gateway
for protocol in $protocols; do
    map $protocol 41020
    case $(head -n 1 "$work/map.log") in
    "failed: refused "* | "failed: GetExternalIPAddress: "* | "failed: external address is not reachable from everywhere"*)
        echo "ok: $protocol, behind another NAT: $(head -n 1 "$work/map.log")"
        ;;
    *) expect "$protocol, behind another NAT" "$(head -n 1 "$work/map.log")" "failed" ;;
    esac
    stop map
done

lab_end
