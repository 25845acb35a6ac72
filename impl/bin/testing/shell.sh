# shellcheck shell=bash
# Sourced by tests of real programs once they know their arguments: they go on in a folder of their own, which
# is removed at the end, when the processes in `pids` are ended as well.  `failed` is their exit code.
set -uo pipefail
work=$(mktemp -d)
cd "$work" || exit 1
failed=0
pids=()
clean_up() {
    for pid in "${pids[@]}"; do
        kill -9 "$pid" 2>/dev/null
    done
    rm -rf "$work"
}
trap clean_up EXIT

fail() {
    echo "FAILED: $*"
    # shellcheck disable=SC2034 # for who sources this
    failed=1
}
