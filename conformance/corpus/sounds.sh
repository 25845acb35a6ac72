#!/usr/bin/env bash
# sounds.sh RECORD_TRACE DIR: the sounds behind recorded/, and the traces of them.  Speech by eSpeak NG,
# music by SoX; what these and the codecs of another version make is not the same to the byte.
set -euo pipefail
record=$1 out=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# NAME CODEC WHAT SOUND
trace() {
    "$record" "$2" "$1" "$3" "$dir/$4.wav" >"$out/$1.trace"
}

talk='The relay forwards what it gets and looks at nothing but headers, so the meters know sizes and times.'
espeak-ng -v en-gb -s 150 -w "$dir/say.wav" "$talk $talk"
sox -q "$dir/say.wav" -r 48000 "$dir/speech.wav" trim 0 10
# Without a breath: the pauses between words are cut.
sox -q "$dir/say.wav" -r 48000 "$dir/lecture.wav" silence 1 0.01 1% -1 0.05 1% trim 0 10
# Turns: speech, four seconds of nothing, speech, as the microphone of a good headset hears it.
sox -q "$dir/speech.wav" "$dir/turn.wav" trim 0 4 pad 0 4
sox -q "$dir/turn.wav" "$dir/turn.wav" "$dir/turn.wav" "$dir/turns.wav"

# A tune of plucked strings over chords, loud and never silent.
for chord in 'G3 B3 D4' 'E3 G3 B3' 'C3 E3 G3' 'D3 F#3 A3'; do
    set -- $chord
    sox -q -n -r 48000 -c 1 "$dir/$1.wav" synth 1.5 pluck "$1" synth 1.5 pluck mix "$2" \
        synth 1.5 pluck mix "$3" gain -n -6
done
sox -q "$dir/G3.wav" "$dir/E3.wav" "$dir/C3.wav" "$dir/D3.wav" "$dir/bars.wav"
sox -q "$dir/bars.wav" "$dir/bars.wav" "$dir/music.wav" reverb 40 trim 0 10
# Pads that swell over soft noise: hardly changes for minutes.
sox -q -n -r 48000 -c 1 "$dir/ambient.wav" synth 10 sine 110 synth 10 sine mix 164.8 \
    synth 10 sine mix 220 synth 10 pinknoise mix tremolo 0.2 60 gain -n -14 fade 1 10 1

trace speech-16k Opus16k 'Speech, Opus16k' speech
trace speech-32k Opus32k 'Speech, Opus32k' speech
trace speech-3200 Codec2_3200 'Speech, Codec2_3200' speech
trace speech-1200 Codec2_1200 'Speech, Codec2_1200' speech
trace lecture-24k Opus24k 'Speech without a breath, Opus24k' lecture
trace turns-24k Opus24k+noise 'Turns of four seconds with comfort noise between them, Opus24k' turns
trace music-48k Opus48k 'Chords of plucked strings, Opus48k' music
trace ambient-32k Opus32k 'Swelling pads over soft noise, Opus32k' ambient
trace ambient-6k Opus6k 'The same, Opus6k' ambient
