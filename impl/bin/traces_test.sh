#!/usr/bin/env bash
# traces_test.sh WZP-RELAY WZP-CLIENT QLOG-CHECK: what the programs write about their own connections, with a real relay
# on loopback: TLS secrets, keys of sealed media, qlog, captures.
set -uo pipefail
relay=$(realpath "$1")
client=$(realpath "$2")
check=$(realpath "$3")
# shellcheck source=testing/shell.sh
. "$(dirname "$(realpath "$0")")/testing/shell.sh"
unset SSLKEYLOGFILE QLOGDIR

# begin NAME ARGS...: a relay whose output is NAME.out and NAME.err; leaves address and its pid in pids.
begin() {
    local name=$1
    shift
    "$relay" --listen 127.0.0.1:0 --identity id --log-level info "$@" >"$name.out" 2>"$name.err" &
    pids+=($!)
    address=$(wait_for '^listening on ' "$name.out") || exit 1
    address=${address#listening on }
}

# end: the last relay that was begun.
end() {
    kill "${pids[-1]}"
    wait "${pids[-1]}"
    unset 'pids[-1]'
}

# talk ARGS...: a client that joins; its exit status must be 0.
talk() {
    timeout 60 "$client" join --quiet --room traces "$@" "$address" >talk.out 2>talk.err </dev/null ||
        fail "join $*: $(cat talk.out talk.err)"
}

# randoms FILE: of the connections whose secrets are there.
randoms() { awk '$1 == "CLIENT_TRAFFIC_SECRET_0" { print $2 }' "$1" | sort; }

# private FILE: nobody else can read it.
private() { [ "$(stat -c %a "$1")" = 600 ] || fail "$1 has the mode $(stat -c %a "$1")"; }

# --- key logs ---------------------------------------------------------------------------------------

begin first --keylog relay.keys --qlog relay.qlogs
echo '# kept' >client.keys
chmod 644 client.keys
talk --send-tone 1 --keylog client.keys --qlog client.qlogs
talk --send-tone 1 --keylog client.keys --media-crypto relay-aead --media-keys media.keys
grep -qF 'client.keys: secrets are written' talk.err || fail "nobody is warned: $(cat talk.err)"
grep -qF 'media.keys: secrets are written' talk.err || fail "nobody is warned: $(cat talk.err)"
grep -qF 'warn  relay.keys: TLS secrets are written' first.err || fail "nobody is warned: $(cat first.err)"
for file in relay.keys client.keys media.keys; do
    private $file
done
head -n 1 client.keys | grep -qxF '# kept' || fail "what was in the key log is lost: $(head -n 2 client.keys)"
[ "$(randoms client.keys | wc -l)" -eq 2 ] || fail "two connections: $(cat client.keys)"
[ "$(randoms client.keys)" = "$(randoms relay.keys)" ] || fail "both ends name connections alike: $(cat client.keys)"
[ "$(sort client.keys | grep -v '^#')" = "$(sort relay.keys)" ] || fail "secrets differ: $(cat client.keys relay.keys)"

# One line, of the connection whose media were sealed.
grep -qE "^WZP_MEDIA_KEY $(awk '$1 == "CLIENT_TRAFFIC_SECRET_0" { last = $2 } END { print last }' client.keys) 0 [0-9a-f]{64}\$" \
    media.keys || fail "media keys: $(cat media.keys)"
[ "$(wc -l <media.keys)" -eq 1 ] || fail "media keys: $(cat media.keys)"

# Nothing is sealed in clear, and no key is told.
talk --send-tone 1 --media-keys clear.keys
[ -s clear.keys ] && fail "keys of what is in clear: $(cat clear.keys)"

# --- qlog -------------------------------------------------------------------------------------------

end
"$check" client.qlogs/client-*.sqlog >check.out 2>&1 || fail "qlog of the client: $(cat check.out)"
"$check" relay.qlogs/relay-*.sqlog >check.out 2>&1 || fail "qlog of the relay: $(cat check.out)"
"$check" client.keys >check.out 2>&1 && fail "a key log is no qlog: $(cat check.out)"
datagrams=$("$check" client.qlogs/client-*.sqlog | sed -n 's/.* \([0-9]*\) datagrams.*/\1/p')
[ "${datagrams:-0}" -ge 40 ] || fail "a second of sound is $datagrams DATAGRAM frames"
id=$(basename client.qlogs/client-*.sqlog .sqlog)
[ -f "relay.qlogs/relay-${id#client-}.sqlog" ] || fail "$id has no twin: $(ls relay.qlogs)"

# --- the environment, and what cannot be written ----------------------------------------------------

export SSLKEYLOGFILE=env.keys QLOGDIR=env.qlogs
begin second
talk --send-tone 1
for mode in echo drift; do
    timeout 60 "$client" $mode --quiet --duration 1 "$address" >talk.out 2>&1
done
timeout 60 "$client" netcheck --quiet --stun none --no-portmap "$address" >talk.out 2>&1 || fail "netcheck: $(cat talk.out)"
end
# Each connection, seen from either end: join, two of echo, two of drift, netcheck.
[ "$(randoms env.keys | wc -l)" -eq 12 ] || fail "six connections: $(cat env.keys)"
[ "$(randoms env.keys | uniq | wc -l)" -eq 6 ] || fail "six connections: $(cat env.keys)"
[ "$(find env.qlogs -name '*.sqlog' | wc -l)" -eq 12 ] || fail "six connections: $(ls env.qlogs)"
unset SSLKEYLOGFILE QLOGDIR

timeout 60 "$client" join --keylog no/such/keys "$address" >talk.out 2>&1
[ $? -eq 3 ] || fail "a key log that cannot be made: $(cat talk.out)"
timeout 60 "$client" sweep --keylog keys >talk.out 2>&1
[ $? -eq 2 ] || fail "sweep has no network: $(cat talk.out)"

# --- captures ---------------------------------------------------------------------------------------

begin third --threads 2 --capture relay.pcapng
talk --send-tone 1 --capture client.pcapng --media-crypto relay-aead
timeout 60 "$client" echo --quiet --duration 1 --capture echo.pcapng "$address" >talk.out 2>&1
timeout 60 "$client" netcheck --quiet --stun none --no-portmap --capture netcheck.pcapng "$address" >talk.out 2>&1
# It waits for calls until it is ended.
timeout 60 "$client" listen --capture listen.pcapng "$address" >listen.out 2>&1 &
wait_for '^listening as ' listen.out >/dev/null
kill $!
wait $!
# Media packets alone: `WZP`, 1, the head's length, the head, and records of a second of somebody else's sound.
timeout 60 "$client" join --quiet --room traces --send-tone 3 "$address" >other.out 2>&1 &
talk --silence --duration 2 --capture heard.wzp
wait $!
private heard.wzp
[ "$(head -c 4 heard.wzp | od -An -tx1)" = ' 57 5a 50 01' ] || fail "no .wzp file: $(head -c 16 heard.wzp | od -c)"
head -c 300 heard.wzp | grep -aqF '{"room":"traces","relay":"'"$address"'","start_time":"' || fail "its head: $(head -c 300 heard.wzp)"
[ "$(stat -c %s heard.wzp)" -gt 3000 ] || fail "it holds $(stat -c %s heard.wzp) bytes"
timeout 60 "$client" echo --duration 1 --capture echo.wzp "$address" >talk.out 2>&1
[ $? -eq 2 ] || fail "echo has no media for others: $(cat talk.out)"
end
grep -qF 'warn  relay.pcapng: all traffic is captured' third.err || fail "nobody is warned: $(cat third.err)"
grep -qE 'relay.pcapng: [1-9][0-9]* packets, 0 dropped, 0 secrets lost' third.err || fail "a capture: $(cat third.err)"
for file in relay client echo netcheck listen; do
    private $file.pcapng
done

grep -q WZP_MEDIA_KEY client.pcapng || fail 'the key of sealed media is not in the capture'
grep -q WZP_MEDIA_KEY relay.pcapng && fail 'the relay knows keys of media'
timeout 60 "$client" join --capture - "$address" >talk.out 2>&1
[ $? -eq 2 ] || fail "a capture on standard output: $(cat talk.out)"
"$relay" --listen 127.0.0.1:0 --identity id --capture no/such/file >talk.out 2>&1
[ $? -eq 3 ] || fail "a capture that cannot be made: $(cat talk.out)"

# see NAME: its packets as tshark reads them, with nothing but the file, into seen.
columns=(quic.dg.length quic.stream.stream_id frame.packet_flags_direction ip.checksum.status udp.checksum.status
    frame.time_delta quic.decryption_failed)
see() {
    # shellcheck disable=SC2046 # words
    tshark -r "$1.pcapng" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields \
        $(printf -- '-e %s ' "${columns[@]}") >seen 2>tshark.err
}
column() { cut -f "$1" seen; } # numbers
if command -v tshark >/dev/null; then
    for file in relay client echo netcheck listen; do
        see $file
        column 3-5 | sort -u >got
        [ "$(cat got)" = "$(printf '0x00000001\t1\t1\n0x00000002\t1\t1')" ] || fail "$file: directions, checksums: $(cat got)"
        column 6 | grep -q '^-' && fail "$file: packets are not in the order of time"
        column 7 | grep -q . && fail "$file: something stays sealed"
        case $file in netcheck | listen) continue ;; esac
        # Datagrams in DATAGRAM frames and signals on streams: what is sealed is open.
        [ "$(column 1 | grep -c .)" -ge 40 ] || fail "$file: no media: $(cat tshark.err)"
        [ "$(column 2 | grep -c .)" -ge 2 ] || fail "$file: no signals: $(cat tshark.err)"
    done
else
    echo 'no tshark: captures are not read'
fi

exit $failed
