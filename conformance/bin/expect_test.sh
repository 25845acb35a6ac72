#!/bin/sh
# The embedded relay that observes is what the list of the deployed relay says: it fails where that
# fails, in no other case, and what it does better is outside of what both have their meters for.
set -eu
suite=$1
list=$2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

fail() {
    echo "expect_test: $*" >&2
    exit 1
}

if "$suite" run --virtual --enforce observe --tier FV >"$out/bare" 2>&1; then
    fail "without the list nothing failed"
fi
"$suite" run --virtual --enforce observe --expect "$list" >"$out/all" 2>"$out/err" ||
    fail "$(cat "$out/err"; grep '\[new\]' "$out/all")"
known=$(sed -n 's/^ *WARNING *\([^ ]*\) .*(\(.*\)).*\[known\].*/\1=\2/p' "$out/all" | tr '\n' ' ')
want='A-27=false-positive C-27=false-positive FV-02=silent-drop FV-03=silent-drop'
want="$want FV-06=false-positive FV-07=false-positive FV-08=false-positive "
[ "$known" = "$want" ] || fail "fails as known in '$known', expected '$want'"
if grep '\[gone\]' "$out/all" | grep -E ' (A|AS|B|BS|C|D|DS|E|FA|FV|G|M|W|H)-' >"$out/gone"; then
    fail "better than the deployed relay: $(cat "$out/gone")"
fi
