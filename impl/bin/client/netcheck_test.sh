#!/usr/bin/env bash
# netcheck_test.sh WZP-RELAY WZP-CLIENT: wzp-client netcheck on loopback, and its report line by line
# (NAT-020: two probes of relays there are no kind of NAT, and who is silent is said to be).
set -uo pipefail
relay=$(realpath "$1")
client=$(realpath "$2")
# shellcheck source-path=SCRIPTDIR source=../testing/shell.sh
. "$(dirname "$(realpath "$0")")/../testing/shell.sh"

# run CODE ARGS...: exit status; leaves out and err.
run() {
    local want=$1 got
    shift
    timeout 60 "$client" "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$want" ] || fail "$*: exit code $got instead of $want: $(cat out err)"
}

has() { grep -qE -- "$1" out err || fail "'$1' is missing in: $(cat out err)"; }
has_not() { ! grep -qE -- "$1" out err || fail "'$1' is in: $(cat out err)"; }

"$relay" --listen 127.0.0.1:0 --identity id --log-level info >relay.out 2>relay.err &
pids+=($!)
tries=300
until address=$(grep -m 1 -oE '^listening on .*' relay.out); do
    [ $((tries -= 1)) -gt 0 ] || { fail "no relay: $(cat relay.err)"; exit 1; }
    sleep 0.1
done
address=${address#listening on }

# Nobody answers on port 1; the network behind this machine is not asked.
quiet=(--stun 127.0.0.1:1 --no-portmap --no-ipv6 --timeout 2000)
run 0 netcheck "${quiet[@]}" --relay "near=$address" --relay 127.0.0.1:1 --relay "none=127.0.0.1:2" "$address"
cat >want <<END
=== WarzonePhone Netcheck ===

NAT Type:       Unknown
Reflexive Addr: (unknown)
IPv4:           no
IPv6:           no
Gateway:        ADDRESS

--- Port Mapping ---
NAT-PMP: no  PCP: no  UPnP: no

--- STUN Probes ---
  stun:127.0.0.1:1 → failed (-ms) [STUN timeout]

--- Relay Latencies ---
  relay ($address) → Nms
  near ($address) → Nms
  127.0.0.1:1 (127.0.0.1:1) → -ms [probe timeout (2000ms)]
  none (127.0.0.1:2) → -ms [probe timeout (2000ms)]
  Preferred: relay

Completed in Nms
END
sed -E 's/^(Gateway:  *).*/\1ADDRESS/; s/(→ |in )[0-9]+ms/\1Nms/' out >got
# Two probes of one relay may come in either order.
grep -vE '^  (relay|near) |Preferred' want >want.rest
grep -vE '^  (relay|near) |Preferred' got | diff want.rest - || fail "the report is another one"
for line in "relay ($address) → Nms" "near ($address) → Nms"; do
    grep -qxF "  $line" got || fail "'$line' is missing in: $(cat got)"
done
has '^  Preferred: (relay|near)$'

run 0 netcheck --json "${quiet[@]}" "$address"
keys="nat_type reflexive_addr ipv4_reachable ipv6_reachable hairpin_works port_mapping relay_latencies name addr rtt_ms error preferred_relay stun_latency_ms upnp_available pcp_available nat_pmp_available gateway duration_ms stun_probes relay_name relay_addr observed_addr latency_ms error port_allocation "
got=$(grep -oE '"[a-z0-9_]+":' out | tr -d '":' | tr '\n' ' ')
[ "$got" = "$keys" ] || fail "keys: $got"
has '"relay_latencies":\[\{"name":"relay","addr":"127.0.0.1:[0-9]+","rtt_ms":[0-9]+,"error":null\}\]'
has '"hairpin_works":null,"port_mapping":null'
has '"preferred_relay":"relay"'
[ "$(wc -l <out)" -eq 1 ] || fail "JSON is one line"

# As deployed clients are called, with the address that they assume.
run 0 --netcheck "${quiet[@]}" "$address"
has "^  relay \($address\) → [0-9]+ms$"
run 0 --netcheck "${quiet[@]}" --timeout 200
has '^  relay \(127.0.0.1:4433\) → '

# Names: one that is known everywhere and one that is known nowhere.
run 0 netcheck --no-portmap --stun nowhere.invalid:3478 --timeout 2000 "localhost:${address##*:}"
has '^  stun:nowhere.invalid:3478 → failed \(-ms\) \[STUN DNS: '
has '^  relay \([^-]*\) → [0-9]+ms$'


run 0 netcheck "${quiet[@]}" --timeout 300 --relay nowhere.invalid:4433
has '→ -ms \[relay DNS: '
has_not 'Preferred'

run 0 netcheck --stun none --no-portmap --timeout 2000 "$address"
has_not 'STUN Probes'
has '^  Preferred: relay$'
run 2 netcheck nonsense
has 'expected HOST:PORT'
run 2 netcheck --timeout 5 "$address"
has 'milliseconds from 100'
run 2 netcheck --room x "$address"
has 'is not for netcheck'
run 2 join --stun 127.0.0.1:1 "$address"
has '--stun is not for join'
nine=()
for i in 1 2 3 4 5 6 7 8 9; do
    nine+=(--stun "127.0.0.1:$i")
done
run 2 netcheck "${nine[@]}"
has 'up to 8 of them'
exit "$failed"
