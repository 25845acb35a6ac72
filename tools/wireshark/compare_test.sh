#!/bin/bash
# The dissector against wzp-pcap: the same fields with the same values in every packet of captures
# from the simulator and of conformance evidence, which together have every form of datagram.
# usage: compare_test.sh WZP-PCAP WZP-SIM WZP-CONFORMANCE
set -euo pipefail
pcap=$1 sim=$2 conformance=$3
here=$(cd "$(dirname "$0")" && pwd)
for tool in tshark editcap; do
    command -v $tool >/dev/null || { echo "skipped: there is no $tool"; exit 77; }
done
tshark -v 2>/dev/null | grep -q 'with Lua' || { echo "skipped: this tshark has no Lua"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A home of its own: no preferences, no other plugins.
export HOME=$work XDG_CONFIG_HOME=$work/config

fields=wzp.role,wzp.sni,wzp.to_server,wzp.shape,wzp.guessed,wzp.room_hash,wzp.trunk.session_id
fields+=,wzp.trunk.entry,wzp.version,wzp.flags,wzp.flags.repair,wzp.flags.quality
fields+=,wzp.flags.keyframe,wzp.flags.frame_end,wzp.flags.reserved,wzp.media_type,wzp.codec
fields+=,wzp.stream_id,wzp.fec_ratio,wzp.seq,wzp.timestamp_ms,wzp.fec_block,wzp.fec_symbol
fields+=,wzp.frag.index,wzp.frag.count,wzp.payload,wzp.payload.length,wzp.quality.loss
fields+=,wzp.quality.rtt,wzp.quality.jitter,wzp.quality.cap,wzp.signal.type,wzp.signal.stream_id
fields+=,wzp.signal.length,wzp.data,wzp.text

# One line a packet: values of all its messages joined by commas, cells by tabs.
ours() {
    "$pcap" dump --quiet --fields "frame.number,$fields" \
        -Y 'wzp.shape || wzp.signal.length || wzp.data || wzp.text' "$1" |
        awk -F, 'NR == 1 { next }
            function out(i, line) {
                line = frame
                for (i = 2; i <= n; i++) line = line "\t" cell[i]
                if (frame != "") print line
            }
            $1 != frame { out(); frame = $1; n = NF; split("", cell) }
            { for (i = 2; i <= NF; i++) if ($i != "") cell[i] = cell[i] (cell[i] == "" ? "" : ",") $i }
            END { out() }'
}

# Flags are hexadecimal in Wireshark, and newer ones write True for 1.
theirs() {
    local list=()
    for field in ${fields//,/ }; do
        list+=(-e "$field")
    done
    tshark -X "lua_script:$here/wzp.lua" -r "$1" -Y wzp -T fields -E aggregator=, -e frame.number \
        "${list[@]}" 2>"$work/errors" |
        awk -F'\t' -v OFS='\t' '
            function dec(text, i, n, value) {
                if (text !~ /^0x/) return text
                value = 0
                for (i = 3; i <= length(text); i++)
                    value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
                return value
            }
            { for (i = 2; i <= NF; i++) if ($i ~ /0x|True|False/) {
                  n = split($i, part, ",")
                  $i = ""
                  for (j = 1; j <= n; j++) {
                      sub(/^True$/, "1", part[j]); sub(/^False$/, "0", part[j])
                      $i = $i (j > 1 ? "," : "") dec(part[j])
                  }
              }
              print }'
}

json_ours() {
    "$pcap" dump --quiet --fields frame.number,wzp.signal.json -Y wzp.signal.type "$1" |
        sed -n '2,$ { s/^\([0-9]*\),"\(.*\)"$/\1\t\2/; s/""/"/g; p; }'
}

json_theirs() {
    tshark -X "lua_script:$here/wzp.lua" -r "$1" -Y wzp.signal.type -T fields -E aggregator=@ \
        -e frame.number -e wzp.signal.json 2>/dev/null | awk -F'\t' '
            { n = split($2, json, "@"); for (i = 1; i <= n; i++) print $1 "\t" json[i] }'
}

failed=0
packets=0
compare() {
    ours "$1" >"$work/ours"
    theirs "$1" >"$work/theirs"
    json_ours "$1" >>"$work/ours"
    json_theirs "$1" >>"$work/theirs"
    if grep -qi 'lua: \|error' "$work/errors"; then
        echo "$(basename "$1"): the dissector failed:"
        head -5 "$work/errors"
        failed=1
    fi
    [ -s "$work/ours" ] || { echo "$(basename "$1"): nothing to compare"; failed=1; }
    if ! diff -U0 "$work/ours" "$work/theirs" >"$work/diff"; then
        echo "$(basename "$1"): differs (- wzp-pcap, + tshark; ${fields//,/ }):"
        head -8 "$work/diff" | cut -c1-600
        failed=1
    fi
    packets=$((packets + $(wc -l <"$work/ours")))
}

# Both ways through the dissector: once as packets come, once more after all were seen.
two_passes() {
    local filter='wzp.shape == "mini" || wzp.signal.type || wzp.shape == "full"'
    local once twice
    once=$(tshark -X "lua_script:$here/wzp.lua" -r "$1" -Y "$filter" -T fields \
        -e frame.number -e wzp.seq -e wzp.signal.length 2>/dev/null)
    twice=$(tshark -2 -X "lua_script:$here/wzp.lua" -r "$1" -Y "$filter" -T fields \
        -e frame.number -e wzp.seq -e wzp.signal.length 2>/dev/null)
    [ -n "$once" ] && [ "$once" = "$twice" ] ||
        { echo "$(basename "$1"): the second pass says something else"; failed=1; }
}

for scenario in N14; do
    "$sim" run $scenario --seed 7 --quiet --pcap "$work/$scenario" >/dev/null || true
    for node in x; do
        [ -f "$work/$scenario/$node.pcapng" ] || continue
        editcap --inject-secrets "tls,$work/$scenario/keys.log" "$work/$scenario/$node.pcapng" \
            "$work/$scenario-$node.pcapng"
        compare "$work/$scenario-$node.pcapng"
    done
done
"$conformance" run --virtual --quiet --evidence all --out "$work/evidence" \
    --select W-13 --select W-14 --select D-10 --select X-11 --select F-12 --select D-11 \
    >/dev/null || true
for file in "$work"/evidence/evidence/{W-13,W-14,D-10,X-11,F-12,D-11}.*.pcapng; do
    compare "$file"
done
two_passes "$(echo "$work"/evidence/evidence/W-13.*.pcapng)"
two_passes "$work/N14-x.pcapng"

# The captures must have it all: some file matches each of these.
for filter in 'wzp.shape == plain' 'wzp.shape == full' 'wzp.shape == mini' 'wzp.shape == trunk' \
    'wzp.shape == federation' wzp.frag.count wzp.quality.loss 'wzp.flags.repair == 1' wzp.data; do
    found=0
    for file in "$work"/evidence/evidence/*.pcapng; do
        [ "$("$pcap" dump --quiet --fields frame.number -Y "$filter" "$file" | wc -l)" -gt 1 ] &&
            found=1 && break
    done
    [ $found = 1 ] || { echo "no capture has $filter"; failed=1; }
done
[ $failed = 0 ] || exit 1
echo "$packets packets, the same in tshark $(tshark -v 2>/dev/null | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p') and wzp-pcap"
