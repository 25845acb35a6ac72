#!/usr/bin/env bash
# sound_plot: the pictures of a page, and how it refuses.
set -euo pipefail
program=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "plot_test: $*"
    exit 1
}

"$program" --speak 2 "$dir/voice.wav"
"$program" "$dir/voice.wav" 3 >"$dir/level"
"$program" --spectrum "$dir/voice.wav" 3 >"$dir/spectrum"
grep -q '^<svg class="sound" viewBox="0 0 300 60".*</svg>$' "$dir/level" || fail "level: $(head -c 200 "$dir/level")"
grep -q '^<svg class="spectrum" viewBox="0 -.5 150 43".*</svg>$' "$dir/spectrum" ||
    fail "spectrum: $(head -c 200 "$dir/spectrum")"
[ "$(grep -o '<path ' "$dir/spectrum" | wc -l)" -eq 8 ] || fail "a spectrum has eight shades"
[ "$(grep -o 'M[0-9]* [0-9]*h[0-9]*' "$dir/spectrum" | wc -l)" -gt 500 ] || fail "a voice leaves no strokes"
"$program" --spectrum "$dir/voice.wav" 3 | cmp - "$dir/spectrum" || fail "the same file gives another picture"

# A second of silence at 8 kHz, 8 bit.
{
    printf 'RIFF\x64\x1f\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00'
    printf 'data\x40\x1f\x00\x00'
    head -c 8000 /dev/zero | tr '\0' '\200'
} >"$dir/silence.wav"
"$program" --spectrum "$dir/silence.wav" >"$dir/nothing"
! grep -q 'M[0-9]' "$dir/nothing" || fail "silence leaves strokes"

for wrong in "--spectrum" "--spectrum $dir/none.wav" "--speak 0 $dir/x.wav" "$dir/voice.wav 1 2"; do
    # shellcheck disable=SC2086 # several arguments
    ! "$program" $wrong >"$dir/out" 2>&1 || fail "accepted: $wrong"
    grep -q '^sound_plot: ' "$dir/out" || fail "$wrong: $(cat "$dir/out")"
done
