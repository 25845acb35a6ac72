# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # for who sources it, and called by name or by the trap
# A lab of network namespaces, for tests that source this file:
#
#     . tools/lab/ns.sh
#     lab_needs ip nft turnserver       # as root and with these, else the test is skipped (77)
#     lab_begin a n s                   # $a, $n, $s name namespaces; $work is a folder; all end
#                                       # with the script, also when it is interrupted
#     lab_home 10.1.0 11.0.0            # client $a, box $n, server $s, as drawn at lab_home
#     start server ip netns exec $s turnserver ...; wait_for 20 listens $s 3478; stop server
#     expect "what" "$got" "$want"; lab_end
#
# Processes are ended by their ids, never by name.

failed=0
work=""
declare -A pids=()
lab_spaces=()

skip() {
    echo "skipped: $*"
    exit 77
}

lab_needs() { # tools...
    [ "$(id -u)" -eq 0 ] || skip "network namespaces need root"
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || skip "$tool is not installed (tools/setup --peers)"
    done
}

# Makes the namespaces, with loopback up, and sets the variable of each name to what `ip` calls it.
lab_begin() { # names...
    work=$(mktemp -d)
    trap lab_clean_up EXIT
    trap 'exit 130' INT TERM
    local name
    for name in "$@"; do
        printf -v "$name" '%s' "wz$$-$name"
        ip netns add "wz$$-$name" 2>/dev/null || skip "network namespaces cannot be made here"
        lab_spaces+=("wz$$-$name")
        ip -n "wz$$-$name" link set lo up
    done
}

lab_clean_up() {
    local name
    for name in "${!pids[@]}"; do
        stop "$name"
    done
    for name in "${lab_spaces[@]}"; do
        ip netns del "$name" 2>/dev/null
    done
    rm -rf "$work"
}

lab_end() { # the test's exit code
    [ $failed -eq 0 ] || exit 1
    echo "all right"
    exit 0
}

# --- processes ------------------------------------------------------------------------------------

start() { # NAME COMMAND...: in the background until `stop NAME`; its words go to $work/NAME.log
    local name=$1
    shift
    "$@" >"$work/$name.log" 2>&1 </dev/null &
    pids[$name]=$!
}

stop() { # NAME
    [ -n "${pids[$1]-}" ] || return 0
    kill "${pids[$1]}" 2>/dev/null
    wait "${pids[$1]}" 2>/dev/null
    unset "pids[$1]"
}

on() { # namespace command...
    local ns=$1
    shift
    ip netns exec "$ns" "$@"
}

wait_for() { # SECONDS COMMAND...: until it succeeds
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.05
    done
}

listens() { # namespace port: somebody has that UDP port
    on "$1" ss -lnu | grep -q ":$2 "
}

# --- verdicts -------------------------------------------------------------------------------------

fail() {
    echo "FAILED: $*"
    failed=1
}

expect() { # what got want
    if [ "$2" = "$3" ]; then
        echo "ok: $1: ${2//$'\n'/, }"
    else
        fail "$1: '$2' instead of '$3'"
    fi
}

said() { grep -oE -- "$1" | head -n 1; }

# --- networks -------------------------------------------------------------------------------------

# A cable between two namespaces, both ends up.
cable() { # namespace device namespace device
    ip -n "$1" link add "$2" type veth peer name "$4" netns "$3" ||
        skip "veth devices cannot be made here"
    ip -n "$1" link set "$2" up
    ip -n "$3" link set "$4" up
}

# A home and what is outside of it, with two addresses; the box forwards and translates nothing yet:
#
#     $a (INSIDE.2) eth0 ---- lan (INSIDE.1) $n (OUTSIDE.11) wan ---- eth0 (OUTSIDE.101, .102) $s
lab_home() { # INSIDE OUTSIDE: the first three numbers of either network
    cable "$a" eth0 "$n" lan
    cable "$s" eth0 "$n" wan
    ip -n "$a" addr add "$1.2/24" dev eth0
    ip -n "$n" addr add "$1.1/24" dev lan
    ip -n "$n" addr add "$2.11/24" dev wan
    ip -n "$s" addr add "$2.101/24" dev eth0
    ip -n "$s" addr add "$2.102/24" dev eth0
    ip -n "$a" route add default via "$1.1"
    on "$n" sysctl -qw net.ipv4.ip_forward=1
}

# What miniupnpd writes its rules into, and the NAT itself: `masquerade` and words after it.
gateway_rules() {
    on "$n" nft -f - <<END || skip "nft does not take the rules"
flush ruleset
table inet filter {
    chain miniupnpd { }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
    chain forward { type filter hook forward priority filter; policy drop
        ct state established,related accept; iifname lan oifname wan accept; jump miniupnpd; }
    chain input { type filter hook input priority filter; iifname wan ct state new drop; }
    chain prerouting { type nat hook prerouting priority dstnat; jump prerouting_miniupnpd; }
    chain postrouting { type nat hook postrouting priority srcnat; jump postrouting_miniupnpd
        oifname wan meta l4proto udp masquerade $1; }
}
END
}

# NAT-PMP, PCP and UPnP at the box, for the network 10.1.0; its leases are in $work/leases.  It
# refuses external addresses that are for examples.
mini_gateway() {
    cat >"$work/miniupnpd.conf" <<END
ext_ifname=wan
listening_ip=lan
http_port=5000
enable_natpmp=yes
enable_upnp=yes
ipv6_disable=yes
secure_mode=yes
min_lifetime=2
max_lifetime=86400
lease_file=$work/leases
uuid=b5f91400-afcd-4c65-86ea-72f5f3f427a4
allow 1024-65535 10.1.0.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
END
    rm -f "$work/leases"
    start gateway ip netns exec "$n" miniupnpd -d -f "$work/miniupnpd.conf" -P "$work/upnp.pid"
    wait_for 20 listens "$n" 5351 ||
        skip "miniupnpd does not start: $(tail -n 3 "$work/gateway.log")"
}

# STUN servers: coturn on ports 3478 and 3479 of every address.
coturn() { # addresses...
    local listening=()
    local address
    for address in "$@"; do
        listening+=(--listening-ip "$address")
    done
    start server ip netns exec "$s" turnserver -n --stun-only "${listening[@]}" --no-tls --no-dtls \
        --no-cli --log-file stdout --simple-log --pidfile "$work/turn.pid" --userdb "$work/turn.db"
    wait_for 20 listens "$s" 3479 ||
        skip "turnserver does not start: $(tail -n 3 "$work/server.log")"
}
