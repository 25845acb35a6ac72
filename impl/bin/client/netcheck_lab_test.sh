#!/usr/bin/env bash
# netcheck_lab_test.sh WZP-RELAY WZP-CLIENT: netcheck behind the kernel's NAT, with coturn, miniupnpd
# and a relay, over IPv4 and IPv6 (NAT-021, NAT-132 with real NATs and routers).
#
#     client (10.1.0.2, fd00:1::2) ---- nat ---- server (11.0.0.101, .102, fd00:2::101)
#
# As root, in namespaces that it makes and removes; exit code 77 where that is not possible.
# shellcheck disable=SC2086 # namespaces are one word each
set -uo pipefail
relay=$(realpath "$1") client=$(realpath "$2")
# shellcheck source-path=SCRIPTDIR source=../../../tools/lab/ns.sh
. "$(dirname "$(realpath "$0")")/../../../tools/lab/ns.sh"

lab_needs ip nft sysctl turnserver miniupnpd ss conntrack
lab_begin a n s
lab_home 10.1.0 11.0.0
on $n sysctl -qw net.ipv6.conf.all.forwarding=1
ip -n $a addr add fd00:1::2/64 dev eth0 nodad
ip -n $n addr add fd00:1::1/64 dev lan nodad
ip -n $n addr add fd00:2::11/64 dev wan nodad
ip -n $s addr add fd00:2::101/64 dev eth0 nodad
ip -n $a route add default via fd00:1::1
ip -n $s route add fd00:1::/64 via fd00:2::11
gateway_rules ""
coturn 11.0.0.101 11.0.0.102 fd00:2::101
start relay ip netns exec $s "$relay" --listen 11.0.0.101:4433 --identity "$work/id"
wait_for 20 listens $s 4433 || skip "the relay does not start: $(cat "$work/relay.log")"

servers=(--stun 11.0.0.101:3478 --stun 11.0.0.102:3478 --stun 11.0.0.102:3479)
netcheck() { # options...: the report in $work/out, without what differs from run to run
    on $a timeout 60 "$client" netcheck "$@" >"$work/out" 2>"$work/err"
    local code=$?
    [ $code -eq 0 ] || fail "netcheck $*: exit code $code: $(cat "$work/err")"
}
line() { grep -E "^$1" "$work/out"; }
json() { grep -oE "\"$1\":(\"[^\"]*\"|\{[^}]*\}+|[a-z0-9.]+)" "$work/out" | head -n 1 | cut -d: -f2-; }

netcheck "${servers[@]}" --no-portmap 11.0.0.101:4433
expect "masquerade" "$(line 'NAT Type')" "NAT Type:       Cone"
expect "IPv4" "$(line IPv4)" "IPv4:           yes"
expect "no IPv6 server" "$(line IPv6)" "IPv6:           no"
expect "gateway" "$(line Gateway)" "Gateway:        10.1.0.1"
expect "ports" "$(line 'Port Alloc')" "Port Alloc:     port-preserving"
expect "the same address from all" \
    "$(line '  stun' | sed -E 's/.*→ (.*) \(.*/\1/' | sort -u | cut -d: -f1)" "11.0.0.11"
expect "the relay" "$(line '  relay' | sed -E 's/[0-9]+ms/Nms/')" "  relay (11.0.0.101:4433) → Nms"

netcheck --json "${servers[@]}" --no-portmap --stun '[fd00:2::101]:3478'
expect "IPv6 by an answer" "$(json ipv6_reachable)" "true"
expect "no hairpin" "$(json hairpin_works)" "false"
expect "none asked for" "$(json port_mapping)" "null"
netcheck --json "${servers[@]}" --no-portmap --no-ipv6 --stun '[fd00:2::101]:3478'
expect "IPv6 not wanted" "$(json ipv6_reachable)" "false"

on $n conntrack -F 2>/dev/null
gateway_rules fully-random
netcheck --json "${servers[@]}" --no-portmap
expect "fully-random" "$(json nat_type) $(json port_allocation) $(json reflexive_addr)" \
    '"SymmetricPort" "Random" null'

on $n conntrack -F 2>/dev/null
gateway_rules ""
netcheck --json "${servers[@]}"
expect "no gateway that maps" "$(json nat_pmp_available) $(json pcp_available) $(json upnp_available)" \
    "false false false"

mini_gateway
netcheck --json "${servers[@]}"
expect "NAT-PMP, PCP" "$(json nat_pmp_available) $(json pcp_available)" "true true"
expect "the first of them" "$(json port_mapping)" '"NatPmp"'
if grep -q libminiupnpc <(ldd "$client"); then
    expect "UPnP" "$(json upnp_available)" "true"
else
    echo "skipped: UPnP is not in this build"
fi
expect "all is given back" "$(cat "$work/leases")" ""
stop gateway

on $n conntrack -F 2>/dev/null
on $n nft flush ruleset
on $n nft -f - <<'END'
table ip nat {
    chain pre { type nat hook prerouting priority dstnat
        ip daddr 11.0.0.11 udp dport 1024-65535 dnat to 10.1.0.2; }
    chain out { type nat hook postrouting priority srcnat
        oifname wan meta l4proto udp masquerade
        oifname lan ip saddr 10.1.0.0/24 snat to 11.0.0.11; }
}
END
netcheck --json "${servers[@]}" --no-portmap
expect "a NAT that hairpins" "$(json nat_type) $(json hairpin_works)" '"Cone" true'

ip -n $a link set eth0 down
netcheck --json "${servers[@]}" 11.0.0.101:4433
expect "no network at all" "$(json ipv4_reachable) $(json gateway) $(json preferred_relay)" \
    "false null null"
lab_end
