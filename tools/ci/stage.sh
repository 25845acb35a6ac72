# Stages with a title, a duration and a log; sourced by tools/check and tools/demo.
# shellcheck shell=bash disable=SC2154
#
# The caller sets `root` and `logs`.  A stage is a function that runs under `set -e`, so `stage` must
# not be part of a condition; its output goes to $logs/NAME.log.  It may write
# one line "passed failed skipped" to $logs/NAME.counts and text worth showing to $logs/NAME.summary.

bold='' red='' green='' yellow='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
fi

# A miss of the cache then costs a tenth of a compilation instead of half of one.
export CCACHE_DEPEND=1

passed=0 failed=0 skipped=0
failed_stages=()
stage_pid=''

# Stops what the stage has started when the script is interrupted.
stop_stage() { [ -z "$stage_pid" ] || kill -- "-$stage_pid" 2>/dev/null || true; }
trap stop_stage EXIT
trap 'exit 130' INT TERM

stage() { # name title function arguments...
    local name=$1 title=$2 begin=$SECONDS status=0 seconds p=0 f=0 s=0
    shift 2
    echo "${bold}== $title${plain}"
    rm -f "$logs/$name.counts" "$logs/$name.summary"
    set -m # the stage leads a process group
    (set -e; "$@") >"$logs/$name.log" 2>&1 </dev/null &
    stage_pid=$!
    set +m
    if [ -t 1 ]; then
        while kill -0 "$stage_pid" 2>/dev/null; do
            sleep 0.2
            if [ $((SECONDS - begin)) -ge 2 ]; then
                printf '\r   %d s' $((SECONDS - begin))
            fi
        done
        printf '\r%20s\r' ''
    fi
    wait "$stage_pid" || status=$?
    stage_pid=''
    seconds=$((SECONDS - begin))

    if [ -s "$logs/$name.counts" ]; then
        read -r p f s <"$logs/$name.counts"
    fi
    # A stage that fails for another reason than a test, counts as one failure.
    if [ $status -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ "$f" -ne 0 ]; then
        echo "   the end of ${logs#"$root/"}/$name.log:"
        tail -n 25 "$logs/$name.log" | sed 's/^/   | /'
    fi
    if [ -s "$logs/$name.summary" ]; then
        sed 's/^/   /' "$logs/$name.summary"
    fi
    if [ "$f" -ne 0 ]; then
        failed_stages+=("$name")
        echo "   ${red}failed${plain} after $seconds s"
    else
        echo "   ${green}ok${plain}, $seconds s"
    fi
}

# A stage that cannot run here.
skip_stage() { # title reason
    echo "${bold}== $1${plain}"
    echo "   ${yellow}skipped${plain}: $2"
    skipped=$((skipped + 1))
}

# Configures once; later builds notice changes of the CMake files by themselves.  Goes on after an
# error, to show them all.
build_preset() { # preset [target]
    if [ ! -e "$root/build/$1/build.ninja" ]; then
        cmake -S "$root" --preset "$1"
    fi
    cmake --build "$root/build/$1" --target "${2:-all}" -- -k 0
}
