#!/usr/bin/env bash
# bans_test.sh WZP-RELAY FAULT-PEER: who broke a rule may not join again, also after a restart, and whatever is
# wrong with the file that keeps that the relay goes on and says so.
set -uo pipefail
relay=$(realpath "$1")
peer=$(realpath "$2")
# shellcheck source=../testing/shell.sh
. "$(dirname "$(realpath "$0")")/../testing/shell.sh"

# start ARGS...: `addr` and `port` are its own; what it says is in log.
start() {
    : >out # what the one before said is not to be taken for this one's
    "$relay" --listen 127.0.0.1:0 --seed 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f \
        --enforce on --metrics-port 0 --ban-list bans "$@" >out 2>log &
    pids=($!)
    for _ in $(seq 1200); do
        port=$(sed -n 's,^metrics http://[0-9.]*:\([0-9]*\)/metrics$,\1,p' out)
        [ -n "$port" ] && break
        sleep 0.05
    done
    addr=$(sed -n 's/^listening on //p' out)
}

stop() {
    kill "${1:--TERM}" "${pids[0]}"
    wait "${pids[0]}" 2>/dev/null
    pids=()
}

# http METHOD PATH: head and body.
http() {
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf '%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "$1" "$2" >&3
    timeout 60 cat <&3
    exec 3>&-
}

# offend SEED TEXT: the peer is told this, and closed.
offend() {
    timeout 60 "$peer" offend "$addr" room "$1" >peer.out || fail "the peer: $(cat peer.out)"
    grep -qF -- "$2" peer.out || fail "'$2' was not said to $1: $(cat peer.out)"
}

# says TEXT: in the log, within ten seconds.
says() {
    for _ in $(seq 200); do
        grep -qF -- "$1" log && return
        sleep 0.05
    done
    fail "'$1' is not in the log: $(cat log)"
}

# appears FILE: within ten seconds.
appears() {
    for _ in $(seq 200); do
        [ -s "$1" ] && return
        sleep 0.05
    done
    fail "$1 did not appear: $(cat log)"
}

# --- barred, shown, pardoned -----------------------------------------------------------------------

start
offend 1 'Tier G enforcement: PayloadSize'
offend 1 '"reason":"cool-down, 3'
offend 2 'Tier G enforcement: PayloadSize' # somebody else from the same address
list=$(http GET /bans)
grep -q '"kind": "cool-down", "code": "PayloadSize", "seconds_left": 3[0-9]*, "offences": 1' <<<"$list" ||
    fail "/bans: $list"
names=$(sed -n 's/.*"fingerprint": "\([^"]*\)".*/\1/p' <<<"$list")
[ "$(wc -l <<<"$names")" -eq 2 ] || fail "two are barred: $list"
appears bans

# --- a restart, and a process that is killed -------------------------------------------------------

stop
start
says 'bans: 2 fingerprints are barred'
offend 1 '"reason":"cool-down, 3'
offend 3 'Tier G enforcement: PayloadSize'
sleep 2.5
stop -KILL
: >"bans.${pids[0]:-1}.new" # as one that died while it wrote may leave it
start --threads 2
says 'bans: 3 fingerprints are barred'
for name in $names; do
    [[ $(http DELETE "/bans/$name") == *' 200 '*pardoned* ]] || fail "no pardon for $name"
    [[ $(http DELETE "/bans/$name") == *' 404 '* ]] || fail "two pardons for $name"
    [[ $(http GET "/bans/$name") == *' 404 '* ]] || fail "$name is still listed"
done
offend 1 'Tier G enforcement: PayloadSize' # it was let in
offend 3 '"reason":"cool-down, 3'
stop
start --threads 2
says 'bans: 2 fingerprints are barred'
stop

# --- quotas beside it ------------------------------------------------------------------------------

appears bans.quotas
[ "$(stat -c %a bans.quotas)" = 600 ] || fail "others can read bans.quotas"
sent=$(stat -c %s bans.quotas)
[ "$sent" -gt 32 ] || fail "nobody has sent anything: $sent bytes"
start
grep -q 'quotas' log && fail "something about quotas: $(cat log)"
stop
[ "$(stat -c %s bans.quotas)" = "$sent" ] || fail "a month was forgotten"
cp bans.quotas months
printf 'x' | dd of=bans.quotas bs=1 seek=50 conv=notrunc 2>dd.log
start
says 'bans.quotas: the file of quotas is damaged (checksum at byte 8)'
stop
cp months bans.quotas
start --seed 100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
says 'bans.quotas: the file of quotas is of a relay with another identity'
stop

# --- what can be wrong with the file ---------------------------------------------------------------

cp bans whole
head -c 40 whole >bans
start
says 'the list of bans is cut off (length at byte'
offend 1 'Tier G enforcement: PayloadSize'
stop
start
says 'bans: 1 fingerprints are barred' # the damaged one was replaced
stop
{
    head -c 60 whole
    printf 'x'
    tail -c +62 whole
} >bans
start
says 'the list of bans is damaged (checksum at byte 8)'
stop
{
    printf 'WZPBANS\2'
    tail -c +9 whole
} >bans
start
says 'the list of bans is of another version'
stop
head -c 2000000 /dev/zero >bans
start
says 'bans: longer than any list of bans'
offend 1 'Tier G enforcement: PayloadSize'
stop
rm -f bans
mkdir bans
start
says 'bans: cannot be read'
offend 1 'Tier G enforcement: PayloadSize'
says 'bans: bans cannot be written'
offend 1 '"reason":"cool-down, 3'
[[ $(http GET /metrics) =~ wzp_relay_ban_list_failures_total\ [1-9] ]] || fail "no failure was counted"
rmdir bans
says 'bans: bans are written again'
stop
start
says 'bans: 1 fingerprints are barred'
stop

# --- only from this machine ------------------------------------------------------------------------

start --metrics-addr 0.0.0.0
port=$(sed -n 's,^metrics http://0.0.0.0:\([0-9]*\)/metrics$,\1,p' out)
[[ $(http DELETE /bans/x) == *' 405 '* ]] || fail "a pardon from elsewhere"
stop

[ $failed -eq 0 ] && echo "bans: all is well"
exit $failed
