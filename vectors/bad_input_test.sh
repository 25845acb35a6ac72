#!/usr/bin/env bash
# A vector that does not hold is named; a file that cannot be read is located.
set -euo pipefail
program=$1 vectors=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

sed 's/02000000000000000001000000140000010203/02000000000000000009000000140000010203/' \
    "$vectors/wire.json" >"$dir/changed.json"
status=0
"$program" check "$dir/changed.json" >"$dir/out" || status=$?
[ $status -eq 1 ] || { echo "a wrong vector gave exit $status, expected 1"; exit 1; }
grep -q 'pkt-002.*seq' "$dir/out" || { echo "the wrong vector is not named:"; cat "$dir/out"; exit 1; }

printf '[\n {"id": }\n]\n' >"$dir/broken.json"
status=0
"$program" check "$dir/broken.json" 2>"$dir/err" || status=$?
[ $status -eq 3 ] || { echo "broken JSON gave exit $status, expected 3"; exit 1; }
grep -q 'broken.json:2:' "$dir/err" || { echo "no line number:"; cat "$dir/err"; exit 1; }

status=0
"$program" nonsense 2>/dev/null || status=$?
[ $status -eq 2 ] || { echo "an unknown command gave exit $status, expected 2"; exit 1; }
