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

# wait_for PATTERN FILE: its first line that matches, within a minute.
wait_for() {
    local tries=600
    until grep -a -m 1 -E -- "$1" "$2" 2>/dev/null; do
        if [ $((tries -= 1)) -eq 0 ]; then
            fail "no '$1' in: $(cat "$2")"
            return 1
        fi
        sleep 0.1
    done
}
