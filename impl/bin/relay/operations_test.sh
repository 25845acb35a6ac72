#!/usr/bin/env bash
# operations_test.sh WZP-RELAY SOURCES: docs/OPERATIONS.md, the man page and the completion know every
# option, key of the configuration file and metric that there is.
set -uo pipefail
relay=$(realpath "$1")
cd "$2" || exit 1
manual=docs/OPERATIONS.md
failed=0
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; rm -rf "$work"' EXIT

# needs FILE WHAT WORD: the word stands alone in FILE, as text or as the man page writes it.
needs() {
    grep -qE -- "(^|[^A-Za-z0-9_-])$3([^A-Za-z0-9_-]|\$)" <<<"$(sed 's/\\-/-/g' "$1")" && return
    echo "FAILED: $2 $3 is not in $1"
    failed=1
}

# count N LEAST WHAT: the source was understood.
count() {
    [ "$1" -ge "$2" ] && return
    echo "FAILED: only $1 $3 found"
    failed=1
}

flags=$(sed -n 's/^    {"\([a-z-]*\)", \(required\|no\)_argument, NULL, .*/\1/p' impl/bin/relay/relay_options.c)
later=$(sed -n 's/^    {"\([a-z-]*\)", .*FLAG_LATER},$/\1/p' impl/bin/relay/relay_options.c)
count "$(wc -w <<<"$flags")" 35 options
for flag in $flags; do
    needs $manual option "--$flag"
    needs docs/man/wzp-relay.1 option "--$flag"
    grep -qxF "$flag" <<<"$later" || needs docs/completion/wzp-relay.bash option "--$flag"
done

keys=$(sed -n 's/^    {"\([a-z_]*\)", [A-Z]*, \(USED\|UNUSED\|LATER\), .*/\1/p' impl/bin/relay/relay_config.c)
count "$(wc -w <<<"$keys")" 27 keys
for key in $keys; do
    needs $manual key "$key"
    needs docs/man/wzp-relay.1 key "$key"
done

# metrics ARGS...: names of the families of a relay with these options.
metrics() {
    local port
    "$relay" --listen 127.0.0.1:0 --seed 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f \
        --metrics-port 0 "$@" >"$work/out" 2>"$work/err" &
    pid=$!
    for _ in $(seq 1200); do
        port=$(sed -n 's,^metrics http://127.0.0.1:\([0-9]*\)/metrics$,\1,p' "$work/out")
        [ -n "$port" ] && break
        sleep 0.05
    done
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
    timeout 60 cat <&3 | sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p'
    exec 3>&-
    kill "$pid"
    wait "$pid"
    pid=
}

names=$(metrics --auth-url http://127.0.0.1:1/)
count "$(wc -w <<<"$names")" 75 metrics
for name in $names; do
    needs $manual metric "$name"
done

[ $failed -eq 0 ] && echo "all is documented"
exit $failed
