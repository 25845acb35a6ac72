# Work that goes on beside the stages, at the lowest priority: tests wait more than they work, and
# builds take what they leave.  Sourced by tools/check, after stage.sh.
# shellcheck shell=bash disable=SC2154

ahead_pid=''

stop_ahead() { [ -z "$ahead_pid" ] || kill -- "-$ahead_pid" 2>/dev/null || true; }
trap 'stop_stage; stop_ahead' EXIT

do_ahead() {
    local work status
    set +m
    renice -n 19 -p "$BASHPID" >/dev/null
    for work in "$@"; do
        status=0
        (set -e; "$work") >"$logs/$work.log" 2>&1 & # part of a condition it would not stop at errors
        wait $! || status=$?
        echo "$status" >"$logs/$work.rc"
    done
}

# Runs functions one after the other; a later one also when an earlier one fails.
start_ahead() { # function...
    local work
    for work in "$@"; do rm -f "$logs/$work.rc"; done
    set -m # it leads a process group
    do_ahead "$@" </dev/null 9>&- &
    ahead_pid=$!
    set +m
}

# Waits for one of them: its output, and its status.
ahead_result() { # function
    until [ -s "$logs/$1.rc" ]; do
        if ! kill -0 "$ahead_pid" 2>/dev/null && [ ! -s "$logs/$1.rc" ]; then
            echo "$1 was stopped"
            return 1
        fi
        sleep 0.2
    done
    cat "$logs/$1.log"
    return "$(cat "$logs/$1.rc")"
}
