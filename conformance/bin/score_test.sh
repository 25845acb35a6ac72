#!/usr/bin/env bash
# wzp-conformance score: the corpus, files, faults.
#     score_test.sh WZP_CONFORMANCE RECORDED_DIR
set -euo pipefail
program=$1 recorded=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

die() {
    echo "score_test: $*" >&2
    exit 1
}

# STATUS COMMAND...: runs it, its output in $dir/out and $dir/err.
expect() {
    local want=$1 got=0
    shift
    "$@" >"$dir/out" 2>"$dir/err" || got=$?
    [ "$got" = "$want" ] || die "$*: exit status $got instead of $want: $(cat "$dir/err")"
}

says() {
    grep -qF -- "$2" "$dir/$1" || die "nothing says '$2': $(tail -n 5 "$dir/$1")"
}

# The generated corpus, and the same read back from files.
expect 0 "$program" score
says out 'legitimate: 0 of 15 runs hung up on'
says out 'A 5 of 5  B 2 of 2  C 2 of 2  D 2 of 2  E 1 of 1  F 4 of 5'
sort "$dir/out" >"$dir/generated"
mkdir "$dir/traces"
expect 0 "$program" score --write "$dir/traces"
expect 0 "$program" score "$dir"/traces/*.trace
sort "$dir/out" | cmp - "$dir/generated" || die "written traces are judged otherwise"

# Nobody is hung up on because a network stalls.
expect 0 "$program" score --quiet --net wifi-bad --net lte --net starlink --seeds 4
says out 'legitimate: 0 of 195 runs hung up on'
says out 'A 65 of 65  B 26 of 26  C 26 of 26  D 26 of 26  E 13 of 13'

# What was recorded, over networks, and the same seeds twice.
expect 0 "$program" score --net wifi-bad --net lte --seeds 5 "$recorded"/*.trace
says out 'legitimate: 0 of 143 runs hung up on'
cp "$dir/out" "$dir/first"
expect 0 "$program" score --net wifi-bad --net lte --seeds 5 "$recorded"/*.trace
cmp -s "$dir/first" "$dir/out" || die "the same seeds give another result"
expect 0 "$program" score --json "$recorded"/*.trace
says out '"hung_up_on": 0'
says out '"name": "speech-24k"'

# Wrong labels are findings: a legitimate sender that is hung up on, abuse that is not.
sed 's/^label.*/label legitimate/' "$dir/traces/many-small.trace" >"$dir/innocent.trace"
expect 1 "$program" score "$dir/innocent.trace"
says out 'FALSE'
sed 's/^label.*/label abuse B 3000/' "$recorded/speech-24k.trace" >"$dir/guilty.trace"
expect 1 "$program" score --quiet "$dir/guilty.trace"
says out 'MISSED'

# Bad input: where, and what is allowed.
sed '7s/audio/radio/' "$recorded/speech-24k.trace" >"$dir/bad.trace"
expect 3 "$program" score "$dir/bad.trace"
says err "$dir/bad.trace:7: expected audio, video, data or control"
expect 3 "$program" score "$dir/none.trace"
says err 'none.trace'
expect 2 "$program" score --net pigeons
says err 'wifi-bad'
expect 2 "$program" score --seeds 0
expect 2 "$program" score --wrong
expect 2 "$program" score --write "$dir" "$dir/bad.trace"
expect 3 "$program" score --write "$dir/nowhere"
expect 0 "$program" score --help
says out 'Example:'
