# shellcheck shell=bash disable=SC2034,SC2154 # for who sources it; of ns.sh, which is sourced before
# Two homes behind boxes of the kernel's making, and a server, for tests of real programs:
#
#     $ha ---- $ra -( $ca )-- a --+-------+-- b --( $cb )- $rb ---- $hb
#                                 | $net  |
#                                 +-- s --+-- $s: 11.0.0.101 to .104
#
# $ha and $hb are the hosts: 10.1.0.2 and 10.2.0.2, or 11.1.0.2 and 11.2.0.2 where nothing is
# translated.  $ra and $rb are their boxes, 11.0.0.11 and 11.0.0.12 outside; behind a second box,
# $ca or $cb, they are 100.64.1.2 and 100.64.2.2 and that one has the outer address.  No namespace
# has a way out, so the addresses are ones that miniupnpd takes for real ones.
#
#     nat_lab                       # instead of lab_begin
#     nat_home a PRC; nat_home b SYR
#     nat_watch; ...; nat_sent a direct; nat_sent a relayed
#
# Kinds of boxes are called as in the table of pairs (wzp-sim matrix):
#     PUB   a router                        FW    it lets in only what was asked for
#     FC    all that comes to the port      RC    from an address that was sent to
#     PRC   from address and port; keeps the port: a Linux router
#     ADM   a port for each address         SYS   the next port for each destination
#     SYR   any port for each destination   CGE   PRC behind a carrier's PRC
#     CGH   PRC behind a carrier's SYR      BLK   no UDP
# and, to be put in the place of PRC in a call, PRC2, which uses other ports.

nat_kinds=(PUB FW FC RC PRC ADM SYS SYR CGE CGH)

declare -A nat_outer=([a]=11.0.0.11 [b]=11.0.0.12) nat_number=([a]=1 [b]=2)

nat_lab() {
    lab_begin ha ra ca hb rb cb net s
    ip -n "$net" link add br0 type bridge
    ip -n "$net" link set br0 up
    nat_plug "$s" eth0 s
    local i
    for i in 101 102 103 104; do
        ip -n "$s" addr add 11.0.0.$i/24 dev eth0
    done
    ip -n "$s" route add 11.1.0.0/24 via "${nat_outer[a]}"
    ip -n "$s" route add 11.2.0.0/24 via "${nat_outer[b]}"
    cable "$ha" eth0 "$ra" lan
    cable "$hb" eth0 "$rb" lan
    local box
    for box in "$ra" "$ca" "$rb" "$cb"; do
        on "$box" sysctl -qw net.ipv4.ip_forward=1
    done
    # Sizes: nothing that is sent for its own sake is as long as sound, only handshakes are.
    on "$net" nft -f - <<'END' || skip "nft cannot watch a bridge here"
table bridge watch {
    counter a_direct { }
    counter a_relayed { }
    counter b_direct { }
    counter b_relayed { }
    set a { type ipv4_addr; flags interval; elements = { 11.0.0.11, 11.1.0.0/24 }; }
    set b { type ipv4_addr; flags interval; elements = { 11.0.0.12, 11.2.0.0/24 }; }
    chain pass {
        type filter hook forward priority filter
        udp length < 80 accept
        ip saddr @a ip daddr @b counter name a_direct
        ip saddr @b ip daddr @a counter name b_direct
        ip saddr @a ip daddr 11.0.0.101 udp dport 4433 counter name a_relayed
        ip saddr @b ip daddr 11.0.0.101 udp dport 4433 counter name b_relayed
    }
}
END
}

# A device of a namespace at the network between all.
nat_plug() { # namespace device port
    cable "$1" "$2" "$net" "p-$3"
    ip -n "$net" link set "p-$3" master br0
}

nat_watch() { # from now on
    on "$net" nft reset counters >/dev/null
}

nat_sent() { # a|b direct|relayed: how many datagrams as long as sound
    on "$net" nft list counter bridge watch "$1_$2" | sed -nE 's/.*packets ([0-9]+) .*/\1/p'
}

# --- homes ----------------------------------------------------------------------------------------

# Puts a home behind a box of that kind; nothing of what was there before stays.
nat_home() { # a|b kind
    local side=$1 kind=$2 n=${nat_number[$1]} inside host="h$1" box="r$1" carrier="c$1"
    local other=b
    [ "$side" = a ] || other=a
    host=${!host} box=${!box} carrier=${!carrier}
    ip -n "$box" link del wan 2>/dev/null
    ip -n "$carrier" link del wan 2>/dev/null
    case $kind in
    PUB | FW) inside=11.$n.0 ;;
    *) inside=10.$n.0 ;;
    esac
    ip -n "$host" addr flush dev eth0
    ip -n "$host" addr add "$inside.2/24" dev eth0
    ip -n "$host" route replace default via "$inside.1"
    ip -n "$box" addr flush dev lan
    ip -n "$box" addr add "$inside.1/24" dev lan
    case $kind in
    CGE | CGH)
        cable "$box" wan "$carrier" lan
        ip -n "$box" addr add "100.64.$n.2/24" dev wan
        ip -n "$box" route replace default via "100.64.$n.1"
        ip -n "$carrier" addr add "100.64.$n.1/24" dev lan
        nat_outside "$carrier" "$side" "$other"
        ;;
    *) nat_outside "$box" "$side" "$other" ;;
    esac
    nat_box "$side" "$kind"
}

nat_outside() { # box side other-side
    nat_plug "$1" wan "$2"
    ip -n "$1" addr add "${nat_outer[$2]}/24" dev wan
    ip -n "$1" route replace "11.${nat_number[$3]}.0.0/24" via "${nat_outer[$3]}"
}

# The box behaves like that from now on, as if it had just been switched on.
nat_box() { # a|b kind
    local side=$1 kind=$2 box="r$1" carrier="c$1"
    case $kind in
    CGE | CGH)
        local outer=PRC
        [ "$kind" = CGE ] || outer=SYR
        nat_rules "${!carrier}" "$side" $outer
        nat_rules "${!box}" "$side" PRC
        ;;
    *) nat_rules "${!box}" "$side" "$kind" ;;
    esac
    nat_forget "$side"
}

# The box of a side opens ports when it is asked: by NAT-PMP, PCP or UPnP.
nat_gateway() { # a|b
    local side=$1 box="r$1" inside=10.${nat_number[$1]}.0
    cat >"$work/gateway-$side.conf" <<END
ext_ifname=wan
listening_ip=lan
http_port=5000
enable_natpmp=yes
enable_upnp=yes
ipv6_disable=yes
secure_mode=yes
lease_file=$work/leases-$side
uuid=b5f91400-afcd-4c65-86ea-72f5f3f427a4
allow 1024-65535 $inside.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
END
    rm -f "$work/leases-$side"
    start "gateway-$side" ip netns exec "${!box}" miniupnpd -d -f "$work/gateway-$side.conf" \
        -P "$work/gateway-$side.pid"
    wait_for 10 listens "${!box}" 5351 ||
        skip "miniupnpd does not start: $(tail -n 3 "$work/gateway-$side.log")"
}

# What the boxes of a side know of flows.
nat_forget() { # a|b
    local box="r$1" carrier="c$1"
    on "${!box}" conntrack -F 2>/dev/null
    on "${!carrier}" conntrack -F 2>/dev/null
}

# --- rules ----------------------------------------------------------------------------------------

# Ports by a number from 0 to 63; used as such, the kernel's numbers come out with their octets
# swapped.
nat_ports() {
    local i
    for ((i = 0; i < 64; i++)); do
        printf '%s%d : %d' "${i:+, }" $i $((20000 + i))
    done | sed 's/^, //'
}

# Unsolicited packets to the box itself are dropped, as home routers do; otherwise they make state
# that takes ports away from the host.  The empty chains are miniupnpd's.
nat_rules() { # box side kind
    local sets='' before='' after='' learn='' forward='' public=${nat_outer[$2]}
    local host=10.${nat_number[$2]}.0.2
    case $3 in
    PUB) ;;
    FW) forward="iifname wan ct state new drop" ;;
    FC)
        before="iifname wan meta l4proto udp dnat ip to $host"
        after="oifname wan masquerade"
        ;;
    RC)
        sets="map known { type inet_service . ipv4_addr : ipv4_addr . inet_service; size 65535
            flags dynamic,timeout; timeout 60s; }"
        before="iifname wan meta l4proto udp dnat ip to udp dport . ip saddr map @known"
        after="oifname wan masquerade"
        learn="oifname wan ip protocol udp update @known { ct reply proto-dst . ip daddr : \
            ct original ip saddr . ct original proto-src }"
        ;;
    PRC) after="oifname wan masquerade" ;;
    PRC2) after="oifname wan meta l4proto udp masquerade to :30000-30999" ;;
    ADM)
        after="oifname wan meta l4proto udp snat ip to $public : jhash ip saddr . ip daddr . udp sport \
            mod 64 seed 1 map { $(nat_ports) }"
        ;;
    SYS) after="oifname wan meta l4proto udp snat ip to $public : numgen inc mod 64 map { $(nat_ports) }" ;;
    SYR) after="oifname wan meta l4proto udp masquerade fully-random" ;;
    BLK) forward="meta l4proto udp drop" ;;
    *) skip "there is no kind of box called $3" ;;
    esac
    on "$1" nft -f - <<END || fail "nft does not take the rules of $3"
flush ruleset
table inet filter {
    $sets
    chain miniupnpd { }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
    chain input { type filter hook input priority filter; iifname wan ct state new drop; }
    chain forward { type filter hook forward priority filter
        jump miniupnpd
        $forward
    }
    chain prerouting { type nat hook prerouting priority dstnat
        jump prerouting_miniupnpd
        $before
    }
    chain postrouting { type nat hook postrouting priority srcnat
        jump postrouting_miniupnpd
        $after
    }
    chain learn { type filter hook postrouting priority 150
        $learn
    }
}
END
}
