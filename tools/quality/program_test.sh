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

for flag in $("$program" --help | grep -o -- '--[a-z-]*' | sort -u); do
    grep -qF -- "${flag//-/\\-}" "$docs/man/wzp-quality.1" || fail "the man page does not know $flag"
    grep -qF -- "$flag" "$docs/completion/wzp-quality.bash" || fail "the completion does not know $flag"
done
