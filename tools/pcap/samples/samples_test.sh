#!/bin/bash
# Captures as text, and what wzp-pcap makes of them; a difference is to be looked at, and the
# expected file then written anew with --update.
# usage: samples_test.sh WZP-PCAP [--update]
set -euo pipefail
program=$1 update=${2-}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

check() { # expected file, arguments...
    local want=$here/$1
    shift
    "$program" "$@" >"$dir/got" 2>&1 || { echo "samples_test: $* gave exit $?"; failed=1; }
    [ -z "$update" ] || cp "$dir/got" "$want"
    diff -u "$want" "$dir/got" | head -20 || true
    cmp -s "$want" "$dir/got" || { echo "samples_test: $* differs from $(basename "$want")"; failed=1; }
}

base64 -d "$here/call.pcapng.base64" >"$dir/call.pcapng"
check call.txt dump "$dir/call.pcapng"
check call.json dump --json --max 20 "$dir/call.pcapng"
check datagrams.txt dump "$here/datagrams.hex"
check datagrams.tree dump -V --quiet -Y wzp.shape "$here/datagrams.hex"
check datagrams.csv dump --csv --quiet "$here/datagrams.hex"
exit $failed
