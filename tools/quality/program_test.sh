#!/usr/bin/env bash
# wzp-quality as users meet it: what it prints, how it refuses, and that man page and completion
# know its options.
set -euo pipefail
program=$1 docs=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "program_test: $*"
    exit 1
}

expect() { # status, text in the output, arguments...
    local want=$1 text=$2 status=0
    shift 2
    "$program" "$@" >"$dir/out" 2>&1 || status=$?
    [ $status -eq "$want" ] || fail "$* gave exit $status, expected $want: $(cat "$dir/out")"
    grep -qF -- "$text" "$dir/out" || fail "$*: expected '$text' in: $(cat "$dir/out")"
}

# A second of a buzz at 8 kHz, 8 bit.
{
    printf 'RIFF\x64\x1f\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00'
    printf 'data\x40\x1f\x00\x00'
    for ((i = 0; i < 1000; i++)); do printf '\xf0\xf0\x90\x80\x10\x10\x40\x80'; done
} >"$dir/buzz.wav"

expect 0 "segmental SNR       35.00 dB" "$dir/buzz.wav" "$dir/buzz.wav"
expect 0 '"lsd_db": 0.0' --json "$dir/buzz.wav" "$dir/buzz.wav"
head -c 20 "$dir/buzz.wav" >"$dir/cut.wav"
expect 3 'cut.wav: expected a sound file: chunk "fmt " at byte 12: the file ends within it' \
    "$dir/buzz.wav" "$dir/cut.wav"
echo 'this is text, not sound' >"$dir/text.wav"
expect 3 'text.wav: expected a sound file: chunk "RIFF" at byte 0: expected "RIFF", found "this"' \
    "$dir/text.wav" "$dir/buzz.wav"
expect 3 "No such file" "$dir/none.wav" "$dir/buzz.wav"
expect 2 "expected two files" "$dir/buzz.wav"
expect 2 "expected 0 to 2000" --max-delay 2001 "$dir/buzz.wav" "$dir/buzz.wav"
expect 2 "see --help" --loud
expect 0 "wzp-quality" --version
expect 0 "usage:" --help


# Two channels are compared as their mean: where one of them is silent, half of the level is left.
stereo() { # right channel: same, or silent
    local i byte value pair
    printf 'RIFF\x24\xee\x02\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x80\xbb\x00\x00\x00\xee\x02\x00\x04\x00\x10\x00'
    printf 'data\x00\xee\x02\x00'
    for i in 70 70 10 00 90 90 c0 00; do
        value="\\x00\\x$i"
        pair=$value$value
        [ "$1" = same ] || pair="$value\\x00\\x00"
        for _ in 1 2 3 4 5 6; do byte+=$pair; done
    done
    for ((i = 0; i < 1000; i++)); do printf '%b' "$byte"; done
}
stereo same >"$dir/both.wav"
stereo left >"$dir/left.wav"
expect 0 'level               +0.00 dB' "$dir/both.wav" "$dir/both.wav"
expect 0 'level               -6.02 dB' "$dir/both.wav" "$dir/left.wav"
expect 0 'STOI                1.000' "$dir/both.wav" "$dir/left.wav"

# Scorers, and what can be wrong with them; nothing of theirs may stay behind.
export TMPDIR=$dir/tmp
mkdir "$TMPDIR"
scored() { expect "$1" "$2" --scorer "$3" --scorer-timeout "${4:-20}" "$dir/buzz.wav" "$dir/buzz.wav"; }
cat >"$dir/scorer" <<'SCORER'
#!/bin/sh
[ "$(head -c 4 "$1")" = RIFF ] && [ "$(head -c 4 "$2")" = RIFF ] && cmp "$1" "$2" && echo 4.75
SCORER
chmod +x "$dir/scorer"
scored 0 'scorer              4.750' "$dir/scorer"
expect 0 '"score": 4.75' --json --scorer "$dir/scorer" "$dir/buzz.wav" "$dir/buzz.wav"
scored 4 'not found: expected a program that is in PATH' no-such-scorer
scored 4 'cannot be executed' "$dir/buzz.wav"
scored 4 'failed with exit code 3' 'exit 3;'
scored 4 'ended by signal 9' 'kill -9 $$;'
scored 4 "expected that it prints one number, not '' (nothing)" true
scored 4 "not 'MOS-LQO: 4.1'" 'echo MOS-LQO: 4.1; :'
scored 4 "not '4.1 4.2'" 'echo 4.1 4.2; :'
scored 4 "not 'nan'" 'echo nan; :'
scored 4 'not done after 1 s and killed; --scorer-timeout' 'sleep 60; :' 1
scored 4 'not done after 1 s' 'echo 4; exec >&-; sleep 60; :' 1
scored 4 'segmental SNR       35.00 dB' false
expect 2 'expected 1 to 3600 seconds' --scorer true --scorer-timeout 0 "$dir/buzz.wav" "$dir/buzz.wav"
expect 2 'expected a command' --scorer '' "$dir/buzz.wav" "$dir/buzz.wav"
TMPDIR=$dir/none expect 4 "no folder for its files in $dir/none" --scorer true "$dir/buzz.wav" "$dir/buzz.wav"
[ -z "$(ls -A "$TMPDIR")" ] || fail "left behind: $(ls "$TMPDIR")"

for flag in $("$program" --help | grep -o -- '--[a-z-]*' | sort -u); do
    grep -qF -- "${flag//-/\\-}" "$docs/man/wzp-quality.1" || fail "the man page does not know $flag"
    grep -qF -- "$flag" "$docs/completion/wzp-quality.bash" || fail "the completion does not know $flag"
done
