#!/usr/bin/env bash
# live_test.sh WZP-PCAP WZP-RELAY WZP-CLIENT: an observer in a room where two clients talk, one of them with a name that
# would like to paint the terminal; as a table in a terminal, as lines, as JSON.
set -uo pipefail
pcap=$(realpath "$1")
relay=$(realpath "$2")
client=$(realpath "$3")
# shellcheck source=../../../impl/bin/testing/shell.sh
. "$(dirname "$(realpath "$0")")/../../../impl/bin/testing/shell.sh"
unset SSLKEYLOGFILE QLOGDIR

"$relay" --listen 127.0.0.1:0 --identity id >relay.out 2>relay.err &
pids+=($!)
address=$(wait_for '^listening on ' relay.out) || exit 1
address=${address#listening on }
for name in anna $'be\e[31mrt'; do
    timeout 200 "$client" join --quiet --room live --alias "$name" --quality good --send-tone 180 "$address" >/dev/null 2>&1 &
    pids+=($!)
    sleep 0.5
done

# --- lines and JSON --------------------------------------------------------------------------------

timeout 60 "$pcap" live "$address" --room live --no-tui --duration 4.5 --capture heard.wzp >out 2>err || fail "live: $(cat out err)"
[ -s out ] && fail "standard output is for results: $(cat out)"
[ "$(grep -c '^00:00:0[0-9] room live: 3 participants, ' err)" -ge 3 ] || fail "blocks: $(cat err)"
grep -qE '^ +1 anna or be\?\[31mrt +Opus24k .* packets, loss 0\.00 %, jitter [0-9.]+ ms, 0 switches' err || fail "rows: $(cat err)"
[ "$(stat -c %a heard.wzp)" = 600 ] || fail 'others can read the capture'
"$pcap" streams --quiet heard.wzp >out 2>&1
[ "$(grep -c Opus24k out)" -eq 2 ] || fail "the .wzp file: $(cat out)"

timeout 60 "$pcap" live "$address" --room live --json --duration 1 --capture heard.pcapng >out 2>err || fail "live: $(cat out err)"
[ "$(grep -c '"final":true' out)" -eq 1 ] || fail "JSON: $(cat out)"
[ "$(tail -n 1 out | grep -o '"codec":"Opus24k"' | wc -l)" -eq 2 ] || fail "JSON: $(cat out)"
"$pcap" streams --quiet heard.pcapng >out 2>&1
[ "$(grep -c Opus24k out)" -eq 2 ] || fail "the pcapng file: $(cat out)"

# --- a table ---------------------------------------------------------------------------------------

# As a person has it: a terminal of 80 columns; `q` ends it, and Ctrl-C, and the terminal is as it was.
if command -v script >/dev/null && "$pcap" live --help >/dev/null; then
    for key in q $'\003'; do
        mkfifo keys
        TERM=xterm-256color LINES=24 COLUMNS=80 timeout 60 script -qfec "$pcap live $address --room live" shown <keys >/dev/null 2>&1 &
        watcher=$!
        exec 3>keys
        wait_for 'Opus24k' shown >/dev/null
        sleep 1
        printf '%s' "$key" >&3
        wait $watcher || fail "live in a terminal: $?"
        exec 3>&-
        rm keys
        grep -aqF 'Codec      Packets  Loss%    Jitter Switches  Duration' shown || fail "no table: $(cat -v shown)"
        grep -aqF 'q quits' shown || fail "no footer: $(cat -v shown)"
        grep -aqF 'in the room' shown || fail "no header: $(cat -v shown)"
        grep -aqF $'be\e[31mrt' shown && fail "a name reaches the terminal: $(cat -v shown)"
        grep -aqF $'\e[?1049l' shown || fail "the terminal is not as it was: $(cat -v shown | tail -n 3)"
        grep -aq 'room live: 3 participants' shown || fail "no summary: $(cat -v shown | tail -n 5)"
        rm shown
    done
else
    echo 'no script: the table is not looked at'
fi

# --- what cannot be --------------------------------------------------------------------------------

timeout 60 "$pcap" live 127.0.0.1:9 --room live --no-tui >out 2>&1
[ $? -eq 4 ] || fail "nobody there: $(cat out)"
timeout 60 "$pcap" live "$address" >out 2>&1
[ $? -eq 2 ] || fail "no room: $(cat out)"
timeout 60 "$pcap" live "$address" --room live --capture call.pcap >out 2>&1
[ $? -eq 2 ] || fail "a capture of another kind: $(cat out)"
timeout 60 "$pcap" live "$address" --room live --no-tui --duration 1 --capture no/such/file.wzp >out 2>&1
[ $? -eq 3 ] || fail "a capture that cannot be made: $(cat out)"

exit $failed
