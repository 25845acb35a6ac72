#!/bin/bash
# The install command in a home of its own: there, found, gone again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v tshark >/dev/null || { echo "skipped: there is no tshark"; exit 77; }
tshark -v 2>/dev/null | grep -q 'with Lua' || { echo "skipped: this tshark has no Lua"; exit 77; }
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export HOME=$home XDG_CONFIG_HOME=$home/config XDG_DATA_HOME=$home/data
fail() {
    echo "$1"
    exit 1
}
"$here/install" | grep -q '^installed ' || fail "was not installed"
[ -f "$("$here/install" --print)" ] || fail "is not where it should be"
case $(tshark -G fields 2>/dev/null) in
*wzp.quality.loss*) ;;
*) fail "tshark does not know its fields" ;;
esac
"$here/install" --remove >/dev/null
[ ! -e "$("$here/install" --print)" ] || fail "is still there"
status=0
"$here/install" --what 2>/dev/null || status=$?
[ $status = 2 ] || fail "an unknown option ends with $status, not 2"
