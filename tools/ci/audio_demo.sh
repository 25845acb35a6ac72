# tools/demo --audio; sourced by it, after federation_demo.sh, whose claims and page it uses.
# shellcheck shell=bash disable=SC2154
#
# Four calls at once through a real wzp-relay, each to a listener behind a `wzp-sim proxy`: what is heard is kept,
# measured against what was said, and shown in one page.  The sender's line is clean, so that all that is lost is
# lost on the way to the listener.  Everything is ended by its process id.

aud=$logs/audio
audio_s=16
calls=(clean dred codec2-clean raptorq)
declare -A scenario_of=([clean]=clean [dred]=loss [codec2-clean]=clean [raptorq]=loss)
declare -A quality_of=([clean]=good [dred]=good [codec2-clean]=catastrophic [raptorq]=catastrophic)
declare -A frame_ms=([clean]=20 [dred]=20 [codec2-clean]=40 [raptorq]=40)
declare -A title_of=([clean]='no loss, Opus 24k with DRED' [dred]='20 % loss, Opus 24k with DRED'
    [codec2-clean]='no loss, Codec2 1200 with RaptorQ' [raptorq]='20 % loss, Codec2 1200 with RaptorQ')

write_speech() {
    if command -v espeak-ng >/dev/null; then
        voice_used='espeak-ng -v en -s 150, the first sentences of tools/quality/speech.txt'
        head -n 6 "$root/tools/quality/speech.txt" | espeak-ng -v en -s 150 --stdin -w "$aud/said.wav" 9>&-
    else
        voice_used='a made-up voice, impl/media/testing/voice.c'
        "$bin/sound_plot" --speak $audio_s "$aud/said.wav" 9>&-
    fi
}

# The listener is there before the sender, and stays until all has come.
audio_call() { # name
    local line='' proxy listener status=0 run=$aud/$1.run
    "$bin/wzp-sim" proxy "$root/tools/ci/audio_${scenario_of[$1]}.toml" --host ear --seed 1 --listen 127.0.0.1:0 \
        --upstream "$address" --for "$((audio_s + 7)) s" >"$run.proxy" 2>&1 9>&- &
    proxy=$!
    line=$(await '^listening on ' "$run.proxy" 10) || return 1
    "$bin/wzp-client" join --room "$1" --record "$run" --quality "${quality_of[$1]}" --json \
        --duration $((audio_s + 5)) "${line#listening on }" >"$run.heard" 2>"$run.err" 9>&- &
    listener=$!
    await '^in the room' "$run.err" 15 >/dev/null || status=1
    sleep 1
    "$bin/wzp-client" join --room "$1" --send-file "$aud/said.wav" --quality "${quality_of[$1]}" --json \
        --duration $audio_s "$address" >"$run.said" 2>>"$run.err" 9>&- || status=1
    wait "$listener" || status=1
    wait "$proxy" || status=1
    mv "$run/sender-1.wav" "$aud/$1.wav" || status=1
    "$bin/wzp-quality" --json "$aud/said.wav" "$aud/$1.wav" >"$run.quality" 9>&- || status=1
    return $status
}

run_audio_calls() {
    local name status
    local -A pids=()
    for name in "${calls[@]}"; do
        echo "${bold}\$ wzp-client join --room $name --send-file said.wav --quality ${quality_of[$name]}${plain}" \
            "  # to a listener behind audio_${scenario_of[$name]}.toml"
        audio_call "$name" &
        pids[$name]=$!
    done
    echo
    for name in "${calls[@]}"; do
        status=0
        wait "${pids[$name]}" || status=1
        claim "$name: the call was held, recorded and measured (audio/$name.wav)" $status
    done
}

# Sets the figures of a call: what is lost is a share of all packets, what is recovered or concealed are frames.
read_figures() { # name
    local run=$aud/$1.run packets lost
    frames=$((audio_s * 1000 / frame_ms[$1]))
    packets=$(field received <"$run.heard") lost=$(field lost <"$run.heard")
    recovered=$(field recovered <"$run.heard") concealed=$(field concealed <"$run.heard")
    lost_pct=$(awk -v l="${lost:-0}" -v r="${packets:-0}" 'BEGIN {printf "%.1f", l + r ? 100 * l / (l + r) : 100}')
    concealed_pct=$(awk -v c="${concealed:-0}" -v n="$frames" 'BEGIN {printf "%.1f", 100 * c / n}')
    lsd=$(field lsd_db <"$run.quality" | awk '{printf "%.2f", $1}')
    worst=$(field lsd_worst_db <"$run.quality" | awk '{printf "%.1f", $1}')
    snr=$(field snr_seg_db <"$run.quality" | awk '{printf "%.1f", $1}')
    stoi=$(field stoi <"$run.quality" | awk '{printf "%.3f", $1}')
    gap=$(field longest_gap_ms <"$run.quality" | tr -d ' ')
}

holds() { awk "BEGIN {exit !($1)}"; } # condition

check_audio() {
    local name frames recovered concealed lost_pct concealed_pct lsd worst snr stoi gap clean_lsd
    echo
    printf '   %-36s %7s %10s %14s %7s %7s %8s %8s\n' '' lost recovered concealed 'LSD dB' STOI 'SNR dB' 'gap ms'
    for name in "${calls[@]}"; do
        read_figures "$name"
        printf '   %-36s %5s %% %10s %5s (%4s %%) %7s %7s %8s %8s\n' "${title_of[$name]}" "$lost_pct" "$recovered" \
            "$concealed" "$concealed_pct" "$lsd" "$stoi" "$snr" "$gap"
    done
    echo
    read_figures clean
    clean_lsd=${lsd:-99}
    claim "clean: nothing lost, nothing to recover, no gap over 40 ms, next to nothing concealed, and a spectrum about as near as the codec gets (LSD below 5.5 dB)" \
        "$(holds "${lost_pct:-100} == 0 && ${recovered:-1} == 0 && ${gap:-99} <= 40 && ${concealed_pct:-100} < 3 && $clean_lsd < 5.5"; echo $?)"
    check_protected dred clean 'concealment only'
    check_protected raptorq codec2-clean 'Codec2 1200, nothing'
}

# Round figures that eight runs on a busy machine stayed clear of; the loss itself is a fixed pattern.
check_protected() { # name, the same call without loss, a row of the loss table: the same loss and nothing against it
    local clean_lsd end_pct bare_lsd
    read_figures "$2"
    clean_lsd=${lsd:-99} end_pct=${concealed_pct:-0}
    bare_lsd=$(awk -F ' *[|] *' -v row="$3" 'index($3, row) {print $8}' "$aud/loss_table.md")
    read_figures "$1"
    claim "$1: the line lost what it should, 17 to 24 % ($lost_pct %)" \
        "$(holds "${lost_pct:-0} > 17 && ${lost_pct:-0} < 24"; echo $?)"
    claim "$1: frames came back ($recovered)" "$(holds "${recovered:-0} > 0"; echo $?)"
    claim "$1: less than half of what was lost had to be concealed ($concealed_pct %, $end_pct of them after the last frame)" \
        "$(holds "(${concealed_pct:-100} - $end_pct) * 2 < ${lost_pct:-0}"; echo $?)"
    claim "$1: further from what was said ($lsd dB) than without loss ($clean_lsd dB), and by 5 % nearer than with nothing against loss (${bare_lsd:-?} dB)" \
        "$(holds "${lsd:-0} > $clean_lsd && ${lsd:-99} < ${bare_lsd:-0} * 0.95"; echo $?)"
}

# Concealment alone is nothing that the client can be told to do: these are the same parts without sockets.
run_loss_table() {
    echo
    echo "${bold}\$ loss_table 1 said.wav 20${plain}"
    "$bin/loss_table" 1 "$aud/said.wav" 20 >"$aud/loss_table.md" 9>&- || true
    sed 's/^/   /' "$aud/loss_table.md"
}

page_sound() { # title, name
    echo "<h3>$1</h3>"
    "$bin/sound_plot" "$aud/$2.wav" $((audio_s + 1)) 9>&- || true
    "$bin/sound_plot" --spectrum "$aud/$2.wav" $((audio_s + 1)) 9>&- || true
    echo "<p><audio controls preload=\"none\" src=\"audio/$2.wav\"></audio> <a href=\"audio/$2.wav\">$2.wav</a></p>"
}

page_figures() {
    local name frames recovered concealed lost_pct concealed_pct lsd worst snr stoi gap
    echo '<table><tr><th>call</th><th>packets lost</th><th>frames recovered</th><th>frames concealed</th>'
    echo '<th>LSD dB</th><th>worst tenth</th><th>STOI</th><th>SNR dB</th><th>longest gap</th></tr>'
    for name in "${calls[@]}"; do
        read_figures "$name"
        echo "<tr><th>${title_of[$name]}</th><td>$lost_pct %</td><td>$recovered</td><td>$concealed of $frames</td>"
        echo "<td>$lsd</td><td>$worst</td><td>$stoi</td><td>$snr</td><td>$gap ms</td></tr>"
    done
    echo '</table>'
}

write_audio_page() {
    local name
    {
        echo '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A call that loses a fifth</title><style>'
        cat "$root/sim/lab/page.css"
        cat <<'CSS'
table { border-collapse: collapse; } th, td { padding: .2rem .5rem; border: 1px solid var(--line); text-align: right; }
li.passed::marker { content: "\2713  "; color: var(--pass); } li.failed::marker { content: "\2717  "; }
li.failed { color: var(--fail); } svg.sound { width: 100%; height: 60px; fill: var(--delay); background: var(--card); }
svg.spectrum { width: 100%; height: 130px; stroke: var(--delay); fill: none; background: var(--card); shape-rendering: crispEdges; }
pre { overflow-x: auto; background: var(--card); padding: 1rem; }
CSS
        echo '</style></head><body><div class="sheet"><h1>A call that loses a fifth of its packets</h1>'
        echo "<p class=\"lead\">Real clients and a real relay on loopback; the listener sits behind <code>wzp-sim proxy</code>,"
        echo "whose line loses 12 of 61 packets, in bursts of 1, 5, 2 and 4. Said by $voice_used.</p>"
        echo "<h2>$([ ${#failed_stages[@]} -eq 0 ] && echo 'All claims hold' || echo 'Not all claims hold')</h2><ul>"
        page_claims
        echo '</ul><h2>Figures</h2>'
        page_figures
        echo '<p class="soft">Repair packets are lost like others; ten or fewer frames are concealed after the last one,'
        echo 'also without loss. LSD is the distance of the spectra: Codec2 has nothing above 4 kHz, so compare its rows'
        echo 'with each other.</p><h2>To hear and to see</h2>'
        echo '<p class="soft">Level over time, a bar for each 20 ms, 60 dB high; below it the spectrum, 0 to 8 kHz, a shade'
        echo 'for each 7 dB; all on one scale.</p>'
        page_sound 'what was said' said
        for name in "${calls[@]}"; do
            page_sound "${title_of[$name]}" "$name"
        done
        echo '<h2>Concealment alone, and the others, without sockets</h2><p class="soft">The same speech and kind of loss'
        echo 'through the same encoder, jitter buffer and decoder: <code>loss_table 1 said.wav 20</code>.</p><pre>'
        escape <"$aud/loss_table.md"
        echo '</pre><h2>The line</h2><pre>'
        escape <"$root/tools/ci/audio_loss.toml"
        echo '</pre></div></body></html>'
    } >"$logs/audio.html"
}

audio_demo() {
    local voice_used=''
    # shellcheck disable=SC2034 # of federation_demo.sh
    claims=()
    rm -rf "$aud" "$logs/audio.html"
    mkdir -p "$aud"
    echo
    if [ ! -x "$bin/sound_plot" ] || [ ! -x "$bin/wzp-quality" ]; then
        echo "${red}this build reads no sound files; install libsndfile and libsamplerate${plain}"
        failed_stages+=(sound_plot)
        return
    fi
    write_speech || failed_stages+=(speech)
    start_relay || return 0
    run_audio_calls
    stop_relay
    run_loss_table
    check_audio
    write_audio_page
}
