#!/usr/bin/env bash
# real_nat_test.sh SIM_NAT_REAL NAT_REAL: our NATs, gateways and STUN server against real ones.
#
#     client (10.1.0.2) ---- nat (10.1.0.1 | 203.0.113.11) ---- server (203.0.113.101, .102)
#
# The box between is the kernel's NAT, ruled by nftables, or ours on TUN devices; the server is
# coturn or our own; the client that finds out how the box behaves is coturn's or ours.  All must
# agree.  natpmpc, upnpc and our own client of UPnP talk to our gateway, and the ports that they map
# are reached.
#
# As root, in namespaces that it makes and removes; exit code 77 where that is not possible.
# shellcheck disable=SC2317,SC2086 # functions called by name; namespaces are one word each
set -uo pipefail
real=$(realpath "$1") nat_real=$(realpath "$2")
# shellcheck source-path=SCRIPTDIR source=../../tools/lab/ns.sh
. "$(dirname "$0")/../../tools/lab/ns.sh"

lab_needs ip nft conntrack sysctl turnserver turnutils_natdiscovery natpmpc upnpc
[ -c /dev/net/tun ] || skip "there is no /dev/net/tun"
lab_begin a n s
lab_home 10.1.0 203.0.113
ip -n $n addr add 10.1.0.50/24 dev lan # the television's
for ns in $a $s; do
    ip -n "$ns" tuntap add dev tun0 mode tun || skip "TUN devices cannot be made here"
    ip -n "$ns" link set tun0 up
    on "$ns" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tun0.rp_filter=0 \
        net.ipv4.conf.eth0.rp_filter=0
done

# --- NATs -----------------------------------------------------------------------------------------

# The kernel's, with rules from standard input.  Unsolicited packets to the box itself are dropped,
# as home routers do: else they make state that takes ports away from the client.
kernel_nat() {
    ip -n $a route replace default via 10.1.0.1 dev eth0
    ip -n $s route del 203.0.113.11/32 dev tun0 2>/dev/null
    {
        echo "flush ruleset"
        echo "table ip nat {"
        echo "chain in { type filter hook input priority filter; iifname wan ct state new drop; }"
        cat
        echo "}"
    } | on $n nft -f - || fail "nft does not take the rules"
    on $n conntrack -F 2>/dev/null # what was mapped by other rules would stay mapped
}

masquerade() { # words after it
    kernel_nat <<<"chain out { type nat hook postrouting priority srcnat
        oifname wan ip protocol { udp, icmp } masquerade $1; }"
}

cone() { # all that comes in goes to the client
    kernel_nat <<<"chain out { type nat hook postrouting priority srcnat
        oifname wan meta l4proto udp masquerade; }
    chain pre { type nat hook prerouting priority dstnat
        iifname wan udp dport 1024-65535 dnat to 10.1.0.2; }"
}

# Inner endpoints are learned with the address they sent to; its other ports may answer then.
address_cone() {
    kernel_nat <<<"map ext { type inet_service . ipv4_addr : ipv4_addr . inet_service; size 65535
        flags dynamic,timeout; timeout 60s; }
    chain pre { type nat hook prerouting priority dstnat
        iifname wan ip daddr 203.0.113.11 meta l4proto udp dnat ip to udp dport . ip saddr map @ext; }
    chain out { type nat hook postrouting priority srcnat
        oifname wan meta l4proto udp masquerade to :20000-20999; }
    chain learn { type filter hook postrouting priority 150
        oifname wan ip protocol udp update @ext { ct reply proto-dst . ip daddr : ct original ip saddr . ct original proto-src }; }"
}

hashed_by_address() {
    kernel_nat <<<"chain out { type nat hook postrouting priority srcnat
        oifname wan meta l4proto udp snat to 203.0.113.11 : jhash ip saddr . ip daddr . udp sport mod 40000 seed 1 offset 10000; }"
}

# Ours: everything but the gateway's own network goes through the TUN devices.
our_nat() { # preset gateway-words...
    local preset=$1
    shift
    on $n nft flush ruleset
    ip -n $a route replace default dev tun0 src 10.1.0.2
    ip -n $s route replace 203.0.113.11/32 dev tun0
    start nat "$real" nat "$preset" 203.0.113.11:0 $a tun0 $s tun0 ${1:+$n 10.1.0.1:0} "$@"
    wait_for 10 grep -q ready "$work/nat.log" || fail "our $preset $*: $(cat "$work/nat.log")"
}

# --- servers and clients ----------------------------------------------------------------------------

our_stun() {
    start server "$real" stun $s 203.0.113.101:3478 203.0.113.102:3479
    wait_for 5 listens $s 3479 || fail "our STUN server: $(cat "$work/server.log")"
}

# What coturn's client says about mapping and filtering, in one line.
coturns_verdict() {
    on $a timeout 30 turnutils_natdiscovery -m -f 203.0.113.101 2>&1 | grep -o 'NAT with.*' |
        tr '\n' ' '
}

# What ours says, in coturn's words.
our_verdict() { # port
    "$real" discover $a "10.1.0.2:$1" 203.0.113.101:3478 2>&1 | awk '
        BEGIN {say["endpoint-independent"] = "Endpoint Independent"
               say["address-dependent"] = "Address Dependent"
               say["address- and port-dependent"] = "Address and Port Dependent"}
        /^(mapping|filtering) / {kind = $1; sub(/^[a-z]+ /, "")
            printf "NAT with %s %s! ", say[$0], kind == "mapping" ? "Mapping" : "Filtering"}'
}

port=20000
compare() { # what mapping filtering
    local want="NAT with $2 Mapping! NAT with $3 Filtering! "
    port=$((port + 10))
    coturns_verdict >"$work/theirs" & # they take seconds, most of which is waiting
    local theirs=$!
    our_verdict $port >"$work/ours"
    wait $theirs
    expect "$1, coturn's client" "$(cat "$work/theirs")" "$want"
    expect "$1, our client" "$(cat "$work/ours")" "$want"
}

# A connection, and what the server answers to a Binding request on it.
over_tcp() {
    # shellcheck disable=SC2016 # the inner shell's own
    on $a timeout 5 bash -c 'exec 3<>/dev/tcp/203.0.113.101/3478 &&
        printf "\x00\x01\x00\x00\x21\x12\xa4\x42aaaaaaaaaaaa" >&3 && head -c 2 <&3 | od -An -tx1' 2>&1
}

# The error of a port where nobody listens must come back to the socket that sent there, which
# hears of it when it sends again.
from_closed_port() {
    # shellcheck disable=SC2016 # the inner shell's own
    on $a timeout 20 bash -c 'exec 3<>/dev/udp/203.0.113.101/9
        while echo 1 >&3; do sleep 0.1; done' 2>&1 | said 'Connection refused'
}

# What the client hears of echo requests and replies, in a line each: of its own query the answer;
# then nothing of a reply by a stranger and of a query from the server, both with the identifier
# that the NAT gave to it; then another answer by the server.  They take one way, so that when the
# last one is there the others will not come.
echoes() {
    local outer
    start inside "$real" echoes $a 10.1.0.2:0
    start outside "$real" echoes $s 203.0.113.101:0
    wait_for 20 grep -q ready "$work/inside.log" && wait_for 20 grep -q ready "$work/outside.log"
    "$real" echo $a 10.1.0.2:0 203.0.113.101:0 request 777 1
    wait_for 20 grep -q 'reply 203.0.113.101 777 1' "$work/inside.log"
    outer=$(awk '/^request 203.0.113.11 / {print $3}' "$work/outside.log")
    "$real" echo $s 203.0.113.102:0 203.0.113.11:0 reply "${outer:-0}" 2
    "$real" echo $s 203.0.113.101:0 203.0.113.11:0 request "${outer:-0}" 3
    "$real" echo $s 203.0.113.101:0 203.0.113.11:0 reply "${outer:-0}" 4
    wait_for 20 grep -q '777 4' "$work/inside.log"
    stop inside
    stop outside
    grep -v ready "$work/inside.log" | tr '\n' ','
}
answers="reply 203.0.113.101 777 1,reply 203.0.113.101 777 4,"

ours() { # preset mapping filtering
    our_nat "$1"
    compare "our $1" "$2" "$3"
    stop nat
}

any="Endpoint Independent" addr="Address Dependent" both="Address and Port Dependent"

coturn 203.0.113.101 203.0.113.102
masquerade "" && compare "kernel, masquerade" "$any" "$both"
expect "ICMP through the kernel" "$(from_closed_port)" "Connection refused"
expect "echo through the kernel" "$(echoes)" "$answers"
our_nat linux-masq
compare "our linux-masq" "$any" "$both"
expect "TCP through ours" "$(over_tcp)" " 01 01"
expect "ICMP through ours" "$(from_closed_port)" "Connection refused"
expect "echo through ours" "$(echoes)" "$answers"
stop nat
masquerade random && compare "kernel, masquerade random" "$both" "$both"
expect "echo through the kernel, random" "$(echoes)" "$answers"
our_nat symrand
expect "echo through our symrand" "$(echoes)" "$answers"
stop nat
masquerade fully-random && compare "kernel, masquerade fully-random" "$both" "$both"
ours symrand "$both" "$both"
ours pf "$both" "$both"
cone && compare "kernel, cone" "$any" "$any"
ours fullcone "$any" "$any"
address_cone && compare "kernel, address cone" "$any" "$addr"
ours addrcone "$any" "$addr"
hashed_by_address && compare "kernel, ports hashed by address" "$addr" "$both"
ours adm "$addr" "$both"
stop server

our_stun
ours fullcone "$any" "$any"
masquerade "" && compare "our server, kernel, masquerade" "$any" "$both"
expect "our server, coturn's simple client" \
    "$(on $a timeout 10 turnutils_stunclient 203.0.113.101 2>&1 |
        said 'UDP reflexive addr: 203.0.113.11')" "UDP reflexive addr: 203.0.113.11"
stop server

# --- gateways -----------------------------------------------------------------------------------------

# Sends to a mapped port from outside; prints what the client hears within 20 s, or 1.
reached() { # internal-port external-port [seconds]
    start ear "$real" hear $a "10.1.0.2:$1" 60
    wait_for 20 grep -q ready "$work/ear.log"
    on $s bash -c "printf hello >/dev/udp/203.0.113.11/$2"
    wait_for "${3:-20}" grep -q hello "$work/ear.log"
    stop ear
    awk '/hello/ {sub(/:.*/, "", $1); print $1, $2}' "$work/ear.log"
}

# When the address is asked for twice because the first answer is late, natpmpc takes the second one
# for that to its next request, as a mapping of no protocol.  Then it is asked again.
pmp() {
    local out
    for _ in 1 2 3 4 5; do
        out=$(on $a timeout 10 natpmpc -g 10.1.0.1 "$@" 2>&1)
        [[ $out == *"protocol UNKNOWN"* ]] || break
    done
    echo "$out"
}
# miniupnpc takes 203.0.113.11 for an address that is no one's, so it is told another one.
# upnpc asks in a second request how long its mapping still lives, and a busy machine lets seconds
# pass before: what is less than 60 by no more than the command took counts as 60.
upnp_60() {
    local began=$SECONDS out left
    out=$(upnp "$@")
    left=$(said 'duration=[0-9]*' <<<"$out")
    left=${left#duration=}
    if [ "${left:-0}" -le 60 ] && [ "${left:-0}" -ge $((60 - (SECONDS - began) - 1)) ]; then
        out=${out//duration=$left/duration=60}
    fi
    said 'external.*' <<<"$out"
}
upnp() { on $a timeout 20 upnpc -u http://10.1.0.1:5000/rootDesc.xml "$@" 2>&1; }

# The first answer that our own client of UPnP gets for that port; what it has mapped is given back.
mkfifo "$work/line"
our_upnp() { # port
    exec 9<>"$work/line"
    ip netns exec $a "$nat_real" upnp "10.1.0.2:$1" >"$work/upnp.log" 2>&1 <"$work/line" &
    pids[upnp]=$!
    wait_for 30 grep -qE 'mapped|failed' "$work/upnp.log"
    head -n 1 "$work/upnp.log" >"$work/upnp"
    echo >&9
    wait_for 20 grep -q off "$work/upnp.log" || fail "our client gives nothing back"
    stop upnp
}
ours_says() { # what want [port]
    our_upnp "${3:-40700}"
    expect "$1, our client" "$(sed -E 's/:(49|5|6)[0-9]{3,4} /:other /' "$work/upnp")" "$2"
}
grep -q libminiupnpc <(ldd "$nat_real") ||
    ours_says() { echo "skipped: $1: UPnP is not in this build"; }

our_nat symrand pmp pcp upnp reports=11.0.0.11
expect "natpmpc, address" "$(pmp | said 'Public IP address.*')" "Public IP address : 11.0.0.11"
expect "natpmpc, map" "$(pmp -a 40100 40000 udp 60 | said 'Mapped.*')" \
    "Mapped public port 40100 protocol UDP to local port 40000 liftime 60"
expect "the port is reached" "$(reached 40000 40100)" "203.0.113.101 hello"
expect "another is not" "$(reached 40000 40101 1)" ""
expect "upnpc, discovery" \
    "$(on $a timeout 20 upnpc -m eth0 -s 2>&1 | said 'Found valid IGD.*')" \
    "Found valid IGD : http://10.1.0.1:5000/ctl/IPConn"
expect "upnpc, status" "$(upnp -s | said 'Status : [A-Za-z]*')" "Status : Connected"
expect "upnpc, a port that natpmpc has" \
    "$(upnp -a 10.1.0.2 40000 40100 UDP 60 | said 'failed.*')" \
    "failed with code 718 (ConflictInMappingEntry)"
ours_says "a port that natpmpc has" "mapped 11.0.0.11:other 600 s" 40100
expect "upnpc, map" "$(upnp_60 -a 10.1.0.2 40200 40201 UDP 60)" \
    "external 11.0.0.11:40201 UDP is redirected to internal 10.1.0.2:40200 (duration=60)"
expect "the port is reached" "$(reached 40200 40201)" "203.0.113.101 hello"
expect "upnpc, list" "$(upnp -l | grep -cE '^ [01] UDP 40(100|201)->10.1.0.2:40[02]00 ')" 2
expect "upnpc, for another host" "$(upnp -a 10.1.0.3 40300 40300 UDP | said 'failed.*')" \
    "failed with code 606 (Action not authorized)"
expect "upnpc, delete" "$(upnp -d 40201 UDP | said 'returned : .*')" "returned : 0"
expect "upnpc, delete again" "$(upnp -d 40201 UDP | said 'failed.*')" "failed with code : 714"
expect "the port is not reached" "$(reached 40200 40201 1)" ""
expect "natpmpc, end" "$(pmp -a 40100 40000 udp 0 | said 'Mapped.*')" \
    "Mapped public port 0 protocol UDP to local port 40000 liftime 0"
expect "the port is not reached" "$(reached 40000 40100 1)" ""
stop nat

our_nat symrand pmp upnp v2 tv=10.1.0.50 reports=11.0.0.11
expect "upnpc, beside a television" \
    "$(on $a timeout 20 upnpc -m eth0 -s 2>&1 | grep -cE 'desc: http://10.1.0.(1|50):')" 2
ours_says "beside a television" "mapped 11.0.0.11:40700 600 s"
expect "upnpc, any port" "$(upnp_60 -n 10.1.0.2 40000 40100 UDP 60)" \
    "external 11.0.0.11:40100 UDP is redirected to internal 10.1.0.2:40000 (duration=60)"
stop nat

our_nat symrand pmp upnp chunked relative reports=11.0.0.11
expect "upnpc, chunked and a relative address" \
    "$(upnp_60 -a 10.1.0.2 40200 40200 UDP 60)" \
    "external 11.0.0.11:40200 UDP is redirected to internal 10.1.0.2:40200 (duration=60)"
stop nat

our_nat symrand pmp upnp permanent reports=11.0.0.11
expect "upnpc, permanent only" "$(upnp -a 10.1.0.2 40200 40200 UDP 60 | said 'failed.*')" \
    "failed with code 725 (OnlyPermanentLeasesSupported)"
ours_says "permanent only" "mapped 11.0.0.11:40700 0 s"
expect "upnpc, permanent" "$(upnp -a 10.1.0.2 40200 40200 UDP | said 'duration=.*')" "duration=0)"
stop nat

our_nat symrand pmp upnp refuse
expect "natpmpc, refused" "$(pmp -a 40100 40000 udp 60 | said 'not authorized')" "not authorized"
ours_says "refused" "failed: AddPortMapping: Action not authorized (606)"
expect "upnpc, refused" "$(upnp -a 10.1.0.2 40200 40200 UDP 60 | said 'failed.*')" \
    "failed with code 606 (Action not authorized)"
stop nat

lab_end
