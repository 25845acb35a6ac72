# tools/demo --federation; sourced by it.
# shellcheck shell=bash disable=SC2154
#
# Three wzp-relays on loopback that federate, six clients in one room, an abuser who is hung up on while
# they talk on, a direct call from relay to relay, and the same as a simulation.  Everything that is said
# about it is a claim that is checked; the page has them all.  Everything is ended by its process id.

fed=$logs/federation
names=(ann ben cat dan eve fay)
at_relay=(1 1 2 2 3 3)
tones=(300 400 500 600 700 800)
talk_s=16 good_s=5
fed_pids=()

stop_federation() {
    local pid
    for pid in "${fed_pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    fed_pids=()
}

# --- claims ---------------------------------------------------------------------------------------------

claims=() # "ok text" or "no text"
claim() { # text, status of what was asked before
    if [ "$2" -eq 0 ]; then
        claims+=("ok $1")
        echo "   ${green}ok${plain}  $1"
    else
        claims+=("no $1")
        echo "   ${red}no${plain}  $1"
        failed_stages+=("$1")
    fi
}

# The first line of a file that matches, as soon as there is one.
await() { # pattern file seconds
    local end=$((SECONDS + $3))
    until grep -m 1 -E -- "$1" "$2" 2>/dev/null; do
        if [ $SECONDS -ge $end ]; then
            return 1
        fi
        sleep 0.1
    done
}

# --- relays ---------------------------------------------------------------------------------------------

# Ports and fingerprints must be known before the first relay starts: each runs once without peers.
identify_relays() {
    local i line pid
    for i in 1 2 3; do
        "$bin/wzp-relay" --listen 127.0.0.1:0 -i "$fed/id$i" -c "$fed/example$i.toml" \
            >"$fed/probe.out" 2>"$fed/probe.err" 9>&- &
        pid=$!
        fed_pids+=("$pid")
        line=$(await '^listening on ' "$fed/probe.out" 20) || return 1
        reached[i]=${line#listening on }
        fingerprint[i]=$(sed -n 's/^# fingerprint = "\(.*\)"$/\1/p' "$fed/example$i.toml" | head -n 1)
        kill "$pid"
        wait "$pid" || true
    done
    fed_pids=()
}

write_toml() { # relay
    local k
    echo "listen_addr = \"${reached[$1]}\""
    echo 'metrics_port = 0'
    echo 'enforce = "on"'
    echo 'federation_pin = "require"'
    for k in 1 2 3; do
        if [ "$1" -lt "$k" ]; then
            printf '[[peers]]\nurl = "%s"\n' "${reached[k]}"
        elif [ "$1" -gt "$k" ]; then
            echo '[[trusted]]'
        fi
        [ "$1" -eq "$k" ] || printf 'fingerprint = "%s"\nlabel = "R%s"\n' "${fingerprint[k]}" "$k"
    done
    printf '[[global_rooms]]\nname = "plaza"\n'
}

start_federation() {
    local i
    for i in 1 2 3; do
        write_toml "$i" >"$fed/r$i.toml"
    done
    echo "${bold}\$ cat r2.toml${plain}"
    cat "$fed/r2.toml"
    echo
    for i in 3 2 1; do
        echo "${bold}\$ wzp-relay -i id$i -c r$i.toml --event-log events$i.jsonl${plain}"
        "$bin/wzp-relay" -i "$fed/id$i" -c "$fed/r$i.toml" --event-log "$fed/events$i.jsonl" \
            >"$fed/relay$i.out" 2>"$fed/relay$i.err" 9>&- &
        fed_pids+=("$!")
        page[i]=$(await '^metrics ' "$fed/relay$i.out" 20) || return 1
        page[i]=${page[i]#metrics }
    done
}

metrics_of() { # relay file
    curl --silent --max-time 10 "${page[$1]}" >"$2" 9>&- || true
}

# The sum over all labels.
value() { # metric file
    awk -v name="$1" '{split($1, part, "{")} part[1] == name {sum += $2} END {print sum + 0}' "$2"
}

await_links() {
    local i end=$((SECONDS + 20))
    for i in 1 2 3; do
        metrics_of "$i" "$fed/before$i.prom"
        while [ "$(value wzp_federation_peer_status "$fed/before$i.prom")" != 2 ]; do
            if [ $SECONDS -ge $end ]; then
                return 1
            fi
            sleep 0.3
            metrics_of "$i" "$fed/before$i.prom"
        done
    done
}

# --- the room -------------------------------------------------------------------------------------------

# Gives each line the time since the start of the demo.
stamp() {
    local line now
    while IFS= read -r line; do
        now=${EPOCHREALTIME/[.,]/}
        printf '%s %s\n' $(((now - began) / 1000)) "$line"
    done
}

run_room() {
    local i status k=1
    local -a pids=()
    began=${EPOCHREALTIME/[.,]/}
    for i in "${!names[@]}"; do
        echo "${bold}\$ wzp-client join --room plaza --alias ${names[i]} --tone-hz ${tones[i]} ${reached[${at_relay[i]}]}${plain}"
        "$bin/wzp-client" join --room plaza --alias "${names[i]}" --tone-hz "${tones[i]}" \
            --duration $talk_s --record "$fed/${names[i]}" --stats json "${reached[${at_relay[i]}]}" \
            > >(stamp >"$fed/${names[i]}.lines") 2>"$fed/${names[i]}.err" 9>&- &
        pids+=("$!")
    done
    sleep 1
    echo "${bold}\$ abuser plaza $good_s ${reached[1]}${plain}   # mallory, who behaves for $good_s s"
    status=0
    "$bin/../bench/abuser" plaza $good_s "${reached[1]}" \
        > >(stamp >"$fed/mallory.lines") 2>"$fed/mallory.err" 9>&- || status=$?
    claim "mallory was told why it was hung up on: $(cat "$fed/mallory.err")" \
        "$([ $status -eq 0 ] && grep -q PolicyViolation "$fed/mallory.err"; echo $?)"
    for i in "${!pids[@]}"; do
        status=0
        wait "${pids[i]}" || status=$?
        [ $status -eq 0 ] || k=0
    done
    claim "six clients stayed to the end" "$((1 - k))"
    sleep 0.3 # the last lines are written
}

# Value of a key in a line of statistics.
field() { # key, of lines on stdin
    sed -nE "s/.*\"$1\":\"?([^,\"}]*).*/\1/p"
}

# The pitch of a recording, from its ninth second: how often it crosses zero upwards.  0 if it is shorter.
pitch() { # file.wav
    od -An -v -td2 -w2 -j $((44 + 96000 * 8)) -N 96000 "$1" 2>/dev/null |
        awk '{if ($1 > 200 && low) {n++; low = 0} else if ($1 < -200) low = 1} END {print n + 0}'
}

# Who is heard in a recording; "" for what is nobody's tone.
voice() { # file.wav
    local i hz
    hz=$(pitch "$1")
    for i in "${!tones[@]}"; do
        if [ "$hz" -gt $((tones[i] * 96 / 100)) ] && [ "$hz" -lt $((tones[i] * 104 / 100)) ]; then
            echo "${names[i]}"
        fi
    done
}

check_hearing() {
    local name other file all=0 own=0
    : >"$fed/heard"
    for name in "${names[@]}"; do
        for file in "$fed/$name"/*.wav; do
            other=$(voice "$file")
            [ -z "$other" ] || echo "$name $other" >>"$fed/heard"
        done
        for other in "${names[@]}"; do
            if [ "$name" = "$other" ]; then
                ! grep -qx "$name $other" "$fed/heard" || own=1
            else
                [ "$(grep -cx "$name $other" "$fed/heard")" -eq 1 ] || all=1
            fi
        done
    done
    claim "everybody hears the tone of each of the five others, in one recording each" $all
    claim "nobody hears its own" $own
}

check_copies() {
    local name sent=0 received others twice=0 lost=0 missing
    for name in "${names[@]}" mallory; do
        sent=$((sent + $(tail -n 1 "$fed/$name.lines" | field sent)))
    done
    for name in "${names[@]}"; do
        received=$(tail -n 1 "$fed/$name.lines" | field received)
        missing=$(tail -n 1 "$fed/$name.lines" | field lost)
        others=$((sent - $(tail -n 1 "$fed/$name.lines" | field sent)))
        printf '   %-4s received %5s of %5s frames that others sent, lost %s\n' "$name" "$received" "$others" "$missing"
        [ "$received" -le "$others" ] || twice=1
        [ $((received * 100)) -ge $((others * 90)) ] || lost=1
        [ $((missing * 100)) -le "$received" ] || lost=1
    done
    claim "nobody received more frames than the others sent: no copies" $twice
    claim "everybody received nine in ten of all that was sent, and of what came less than 1 % is missing" $lost
}

# After the hangup and until the room ends, each second must bring most of the five others' 250 frames.
check_talking() {
    local name begin end hush=0 members=0
    begin=$(grep -m 1 PolicyViolation "$fed/mallory.lines" | cut -d ' ' -f 1) || true
    hung_up_ms=${begin:-0}
    abused_ms=$(grep -m 1 '"abusing"' "$fed/mallory.lines" | cut -d ' ' -f 1) || true
    abused_ms=${abused_ms:-0}
    claim "it took the relay $((hung_up_ms - abused_ms)) ms" \
        "$([ "$hung_up_ms" -gt 0 ] && [ $((hung_up_ms - abused_ms)) -lt 5000 ]; echo $?)"
    for name in "${names[@]}"; do
        end=$(tail -n 1 "$fed/$name.lines" | cut -d ' ' -f 1)
        awk -v from="$hung_up_ms" -v to="$end" '{
            split($0, a, "\"received\":"); n = a[2] + 0; second = int(($1 - from) / 1000)
            if ($1 >= from && $1 <= to) {
                if (!(second in least)) least[second] = n
                most[second] = n
            }
        } END {
            last = int((to - from) / 1000) - 1
            for (s = 0; s < last; s++) if (most[s] - least[s] < 180) bad = 1
            exit bad || last < 3
        }' "$fed/$name.lines" || hush=1
        [ "$(field members <"$fed/$name.lines" | sort -n | tail -n 1)" = 7 ] || members=1
        awk -v from=$((hung_up_ms + 3000)) '$1 >= from' "$fed/$name.lines" | field members |
            awk '$1 == 6 {six = 1} END {exit !six}' || members=1
    done
    claim "the room talks on: in every second after that each hears the five others" $hush
    claim "all were told of seven members, and then of six" $members
}

# --- a direct call --------------------------------------------------------------------------------------

run_call() {
    local line status=0 pid who received
    echo
    echo "${bold}\$ wzp-client listen --alias fay ${reached[3]}${plain}"
    "$bin/wzp-client" listen --alias fay --tone-hz 800 "${reached[3]}" \
        >"$fed/callee.out" 2>"$fed/callee.err" 9>&- &
    pid=$!
    fed_pids+=("$pid")
    line=$(await '^listening as ' "$fed/callee.out" 20) || status=1
    echo "${bold}\$ wzp-client call --alias ann ${line#listening as } ${reached[1]}${plain}"
    "$bin/wzp-client" call --alias ann --tone-hz 300 --duration 3 "${line#listening as }" "${reached[1]}" \
        >"$fed/caller.out" 2>"$fed/caller.err" 9>&- || status=1
    wait "$pid" || status=1
    for who in caller callee; do
        sed "s/^/   $who: /" "$fed/$who.out" "$fed/$who.err" | grep -v 'listening as' || true
        received=$(sed -nE 's/.*received ([0-9]+) from 1.*/\1/p' "$fed/$who.out")
        [ "${received:-0}" -gt 50 ] || status=1
    done
    claim "a direct call from R1 to R3: both hear each other" $status
    claim "the callee is told that the caller hung up" \
        "$(grep -q 'call ended: Normal' "$fed/callee.err"; echo $?)"
}

# --- counters -------------------------------------------------------------------------------------------

counters=(wzp_federation_packets_forwarded_total wzp_federation_packets_deduped_total
    wzp_federation_packets_rate_limited_total wzp_federation_packets_malformed_total
    wzp_relay_packets_forwarded_total wzp_relay_policy_hangups_total wzp_federation_calls_offered_total
    wzp_federation_calls_received_total)

check_counters() {
    local i hangups=0 limited=0 name
    echo
    printf '   %-46s %8s %8s %8s\n' "counters, from before to after" R1 R2 R3
    for i in 1 2 3; do
        metrics_of "$i" "$fed/after$i.prom"
        limited=$((limited + $(value wzp_federation_packets_rate_limited_total "$fed/after$i.prom")))
    done
    for name in "${counters[@]}"; do
        printf '   %-46s' "$name"
        for i in 1 2 3; do
            printf ' %8s' "+$(($(value "$name" "$fed/after$i.prom") - $(value "$name" "$fed/before$i.prom")))"
        done
        echo
    done
    for i in 1 2 3; do
        [ "$(value wzp_relay_policy_hangups_total "$fed/after$i.prom")" -eq $((i == 1)) ] || hangups=1
    done
    claim "R1 hung up on one client, R2 and R3 on nobody" $hangups
    claim "no relay limited what its peers sent" "$((limited > 0))"
    for i in 1 2 3; do
        [ "$(value wzp_federation_packets_deduped_total "$fed/after$i.prom")" -gt 1000 ] || limited=1
    done
    claim "each relay dropped more than a thousand copies that came on a second way" "$((limited > 0))"
}

# --- the page -------------------------------------------------------------------------------------------

escape() { sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'; }

# Frames received in each fifth of a second, as bars; a line where mallory was hung up on.
chart() {
    local name row=0 width=960
    local -a all=("${names[@]}" mallory)
    echo "<svg viewBox=\"0 0 $((width + 80)) $((${#all[@]} * 44 + 30))\" role=\"img\" aria-label=\"frames received over time\">"
    for name in "${all[@]}"; do
        echo "<text x=\"0\" y=\"$((row * 44 + 30))\">$name</text>"
        awk -v y=$((row * 44 + 40)) -v span=$(((talk_s + 2) * 1000)) -v width=$width '{
            split($0, a, "\"received\":"); n = a[2] + 0; slot = int($1 / 200)
            if (slot != was && NR > 1) {
                h = (n - before) / 80 * 36; h = h > 38 ? 38 : h
                printf "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
                    80 + was * 200 / span * width, y - h, 200 / span * width - 1, h
                before = n
            }
            was = slot
        }' "$fed/$name.lines"
        row=$((row + 1))
    done
    awk -v a="$abused_ms" -v h="$hung_up_ms" -v span=$(((talk_s + 2) * 1000)) -v width=$width -v low=$((row * 44 + 4)) 'BEGIN {
        printf "<line class=\"abuse\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"/>\n", 80 + a / span * width, 80 + a / span * width, low
        printf "<line class=\"hangup\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"/>\n", 80 + h / span * width, 80 + h / span * width, low
        printf "<text x=\"%.1f\" y=\"%d\">hung up on mallory at %.1f s</text>\n", 84 + h / span * width, low + 20, h / 1000
    }'
    echo '</svg>'
}

page_claims() {
    local entry
    for entry in "${claims[@]}"; do
        case $entry in
        ok*) echo "<li class=\"passed\">${entry#ok }</li>" ;;
        *) echo "<li class=\"failed\"><strong>not so:</strong> ${entry#no }</li>" ;;
        esac
    done
}

page_heard() {
    local name other
    echo "<table><tr><th>hears</th>$(printf '<th>%s</th>' "${names[@]}")</tr>"
    for name in "${names[@]}"; do
        echo "<tr><th>$name</th>"
        for other in "${names[@]}"; do
            echo "<td>$(grep -cx "$name $other" "$fed/heard" || true)</td>"
        done
        echo '</tr>'
    done
    echo '</table>'
}

page_counters() {
    local i name b a
    echo '<table><tr><th>counter</th><th>R1</th><th>R2</th><th>R3</th></tr>'
    for name in "${counters[@]}"; do
        echo "<tr><th>$name</th>"
        for i in 1 2 3; do
            b=$(value "$name" "$fed/before$i.prom") a=$(value "$name" "$fed/after$i.prom")
            echo "<td>$b &rarr; $a</td>"
        done
        echo '</tr>'
    done
    echo '</table>'
}

write_page() {
    local i failed=0
    [ ${#failed_stages[@]} -eq 0 ] || failed=1
    {
        echo '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Three relays</title><style>'
        cat "$root/sim/lab/page.css"
        cat <<'CSS'
table { border-collapse: collapse; } th, td { padding: .2rem .8rem; border: 1px solid var(--line); text-align: right; }
li.passed::marker { content: "\2713  "; color: var(--pass); } li.failed::marker { content: "\2717  "; }
li.failed { color: var(--fail); } svg text { fill: var(--ink); font-size: 13px; } .bar { fill: var(--delay); }
.hangup { stroke: var(--fail); stroke-width: 2; } .abuse { stroke: var(--event); stroke-dasharray: 4; }
pre { overflow-x: auto; background: var(--card); padding: 1rem; }
CSS
        echo '</style></head><body><div class="sheet"><h1>Three relays, one room</h1>'
        echo "<p class=\"lead\">Real programs on loopback: ann and ben at R1, cat and dan at R2, eve and fay at R3."
        echo "mallory joins at R1 and begins to abuse its codec after $good_s s.</p>"
        echo "<h2>$([ $failed -eq 0 ] && echo 'All claims hold' || echo 'Not all claims hold')</h2><ul>"
        page_claims
        echo '</ul><h2>Frames that each received, by the fifth of a second</h2>'
        chart
        echo '<h2>Who heard whom</h2><p class="soft">Recordings with the tone of that client.</p>'
        page_heard
        echo '<h2>The direct call</h2><pre>'
        cat "$fed/caller.err" "$fed/caller.out" "$fed/callee.err" "$fed/callee.out" | escape
        echo '</pre><h2>Counters of the relays, before and after</h2>'
        page_counters
        for i in 1 2 3; do
            echo "<h3>r$i.toml</h3><pre>"
            escape <"$fed/r$i.toml"
            echo '</pre>'
        done
        echo '<h2>The same, simulated</h2><p><a href="federation-sim.html">federation-sim.html</a></p><pre>'
        escape <"$fed/sim.out"
        echo '</pre></div></body></html>'
    } >"$logs/federation.html"
}

federation_demo() {
    local reached=() fingerprint=() page=() began hung_up_ms=0 abused_ms=0 status=0
    rm -rf "$fed" "$logs"/federation*.html
    mkdir -p "$fed"
    echo
    if ! identify_relays || ! start_federation; then
        echo "${red}a relay did not start:${plain} $(cat "$fed"/*.err)"
        failed_stages+=(wzp-relay)
        return
    fi
    await_links || status=1
    echo
    claim "three relays are linked, each with the two others" $status
    run_room
    check_hearing
    check_copies
    check_talking
    run_call
    check_counters
    stop_federation
    echo
    echo "${bold}\$ wzp-sim run federated-demo${plain}"
    status=0
    "$bin/wzp-sim" run "$root/sim/scenarios/federated-demo.toml" --html "$logs/federation-sim.html" 9>&- \
        >"$fed/sim.out" 2>&1 || status=$?
    grep -E '^(passed|failed)|expected' "$fed/sim.out" || true
    claim "the same as a simulation" $status
    write_page
}
