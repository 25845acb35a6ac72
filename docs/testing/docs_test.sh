#!/usr/bin/env bash
# docs_test.sh CHECK SOURCES BUILD: what the documents lead a reader to is there.  CHECK is one of
#   links     of all Markdown files: files and anchors; long guides have links to their chapters
#   names     files, tests and cases that README.md and docs/ name
#   commands  programs, verbs and options that their readers type
#   numbers   of cases, chapters and scenarios
#   pages     man page, completion and --help of each program
#   rows      where each row of the nat sheet is tried, as docs/NAT.md has it
#   examples  what commands are shown to print, but for numbers
#   html      the pages that programs write
# shellcheck disable=SC2317 # checks are called by name
set -uo pipefail
export LC_ALL=C
here=$(dirname "$(realpath "$0")")
build=$(realpath "$3")
cd "$2" || exit 1
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs="wzp-client wzp-conformance wzp-pcap wzp-quality wzp-relay wzp-sim wzp-vectors"

fail() {
    echo "FAILED: $*"
    failed=1
}

# at_least N WHAT FILE: the documents were understood.
at_least() {
    [ "$(wc -l <"$3")" -ge "$1" ] || fail "only $(wc -l <"$3") $2 found"
}

find . \( -name build -o -name .deps -o -name .git \) -prune -o -name '*.md' -printf '%P\n' | sort >"$work/files"
xargs awk -f "$here/markdown.awk" <"$work/files" >"$work/facts"
grep -P '^\w+\t(README|docs/[^/\t]+)\.md\t' "$work/facts" | grep -vP '\tdocs/MUTANTS.md\t' >"$work/guides"

links() {
    local file line target path
    awk -F'\t' '$1 == "heading" {print $2 "#" $3}' "$work/facts" >"$work/anchors"
    awk -F'\t' '$1 == "link" && $4 !~ /^[a-z]+:/ {print $2 "\t" $3 "\t" $4}' "$work/facts" >"$work/links"
    at_least 70 links "$work/links"
    while IFS=$'\t' read -r file line target; do
        path=$file
        if [[ $target != '#'* ]]; then
            path=$(realpath -m --relative-to=. "$(dirname "$file")/${target%%#*}")
            [ -e "$path" ] || fail "$file:$line: there is no $target"
        fi
        if [[ $target == *'#'* ]]; then
            grep -qxF "$path#${target#*#}" "$work/anchors" || fail "$file:$line: no heading is called $target"
        fi
    done <"$work/links"
    for file in docs/*.md; do
        if [ "$(wc -l <"$file")" -lt 250 ] || [ "$file" = docs/MUTANTS.md ]; then continue; fi
        awk -F'\t' -v file="$file" '
            $2 != file {next}
            $1 == "link" && $3 < 40 && $4 ~ /^#/ {led[substr($4, 2)]}
            $1 == "chapter" && !($3 in led) {print file ": its table of contents does not lead to #" $3}' \
            <(grep '^link' "$work/facts") <(grep '^chapter' "$work/facts") >"$work/wrong"
        complain "$work/wrong"
    done
}

# exists FILE PATH: as a path from the top or from where FILE is; * and {a,b} as the shell has them.
exists() {
    local path=${2%%:*}
    [ -e "$path" ] || [ -e "$(dirname "$1")/$path" ] || compgen -G "$path" >/dev/null
}

names() {
    local file line word
    ctest --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$work/tests"
    sed 's/\..*//' "$work/tests" | sort -u >"$work/groups"
    "$build/bin/wzp-conformance" list | awk '{print $1}' >"$work/cases"
    grep -P '^word\t' "$work/guides" | cut -f2- >"$work/words"
    grep -P '\t(\.ci|conformance|docs|fuzz|impl|packaging|sim|tools|vectors)/[^ ]*$' "$work/words" >"$work/paths"
    at_least 60 paths "$work/paths"
    while IFS=$'\t' read -r file line word; do
        exists "$file" "$word" || fail "$file:$line: there is no $word"
    done <"$work/paths"
    grep -P '\t([a-z_0-9]+\.[a-z_0-9]+|ctest -R [a-z_0-9.]+)$' "$work/words" |
        grep -vP '\.(c|h|sh|md|toml|json|jsonl|html|txt|wav|wzp|pcap|pcapng|keys|log|key|recipe|yml|so|bad|quotas)$' >"$work/named"
    at_least 40 tests "$work/named"
    while IFS=$'\t' read -r file line word; do
        word=${word#ctest -R }
        grep -qxF "${word%%.*}" "$work/groups" || continue
        grep -qE "$word" "$work/tests" ||
            grep -qF "\"${word##*.}\":" docs/schema/scenario.schema.json || fail "$file:$line: there is no test $word"
    done <"$work/named"
    # Ids of cases, in text too; of NAT-101 to NAT-110 some are rows of the sheet that are no case.
    while IFS=$'\t' read -r file line word; do
        grep -qxF "$word" "$work/cases" || fail "$file:$line: there is no case $word"
    done < <(grep -P '\t(CAL|A|AS|B|BS|C|D|DS|E|FA|FV|G|W|H|S|M|XC|HEAR|RPL)-[0-9]+[a-z]?$' "$work/words")
}

# What the man page and --help of each program say of it, as "PROGRAM WORD", each once.
told() {
    local program
    for program in $programs; do
        {
            sed 's/\\-/-/g; s/\\f[A-Z]//g' "docs/man/$program.1"
            "$build/bin/$program" --help
        } 2>&1 | grep -oE '[A-Za-z0-9-]+' | sort -u | sed "s/^/$program /"
    done
}

commands() {
    told >"$work/told"
    {
        grep -P '^command\t' "$work/guides"
        grep -P '^word\t.*\t([^ ]*/)?wzp-[a-z]+ ' "$work/guides"
    } | awk -f "$here/options.awk" >"$work/options"
    at_least 300 "programs, verbs and options" "$work/options"
    # The relay and wzp-quality have no verbs: the word is a file, or goes on with the sentence.
    awk -F'\t' '
        FNR == NR {told[$0]; next}
        $4 != "-" && $3 !~ /-(relay|quality)$/ && !(($3 " " $4) in told) {print $1 ":" $2 ": " $3 " has no verb " $4}
        $5 != "-" && !(($3 " " $5) in told) {print $1 ":" $2 ": " $3 " has no option " $5}' \
        "$work/told" "$work/options" >"$work/wrong"
    complain "$work/wrong"
}

# complain FILE: each of its lines is a failure.
complain() {
    local line
    while IFS= read -r line; do
        fail "$line"
    done <"$1"
}

numbers() {
    local chapter chapters
    local -A inverted=([CAL]='')
    # All chapters, as the message about one that there is not names them.
    chapters=$("$build/bin/wzp-conformance" list --tier '?' 2>&1 | sed -n 's/.*there are: //p')
    # Calibration is part of every list.
    for chapter in $chapters; do
        "$build/bin/wzp-conformance" list --tier "$chapter" | grep "-c${inverted[$chapter]-v}" '^CAL-' |
            sed "s/^/$chapter /"
    done | sort >"$work/chapters"
    at_least 28 chapters "$work/chapters"
    same "docs/CONFORMANCE.md" "$work/chapters" < <(sed -n 's/^| \([A-Z]*\) | \([0-9]*\) | .*/\1 \2/p' docs/CONFORMANCE.md)
    cut -d' ' -f1 "$work/chapters" >"$work/names"
    same "docs/completion" "$work/names" < <(sed -n 's/.*--tier) words="\([A-Z ]*\)" ;;/\1/p' docs/completion/wzp-conformance.bash | tr ' ' '\n')
    same "wzp-conformance --help" "$work/names" < <("$build/bin/wzp-conformance" --help |
        sed -n 's/^  --tier A,B,C *chapters: //p' | tr -d ';' | tr ' ' '\n')
    same "docs/man/wzp-conformance.1" "$work/names" < <(sed -n '/^Chapters: /,/^\.TP/p' docs/man/wzp-conformance.1 |
        sed 's/\\fB[^ ]*//g' | grep -oE '\b[A-Z]+\b' | grep -vx TP)
}

# each FIRST LAST: NAT-001 NAT-003 are three.
each() {
    seq -f "${1%-*}-%03g" "$((10#${1#*-}))" "$((10#${2#*-}))"
}

# tried ROW PLACE: PLACE is a test, or a file with a test or of one, that says which row it is about.
tried() {
    local file=${2%%:*} function=${2#*:}
    if [[ $2 != */* ]]; then
        grep -qxF "$2" "$work/tests" || fail "$1: there is no test $2"
        return
    fi
    grep -qsF "$1" "$file" || fail "$1: $file says nothing of it"
    [[ $2 != *:* ]] || grep -qF "START_TEST($function)" "$file" || fail "$1: $file has no test $function"
}

# row ROW WHERE: one of them, and its cell of the table.
row() {
    local place places
    # shellcheck disable=SC2016 # they are Markdown's
    places=$(grep -oE '[\`][^\`]+[\`]' <<<"$2" | tr -d '\`')
    if [[ $2 == ' cases ' ]]; then
        grep -qE "^${1}[a-zC]?\$" "$work/cases" || fail "$1: there is no such case"
    elif [ -z "$places" ]; then
        fail "$1: nowhere"
    fi
    for place in $places; do
        tried "$1" "$place"
    done
}

rows() {
    local range where name
    ctest --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$work/tests"
    "$build/bin/wzp-conformance" list | awk '{print $1}' >"$work/cases"
    {
        each NAT-001 NAT-011 && each NAT-020 NAT-029 && each NAT-040 NAT-048 && each NAT-060 NAT-068
        each NAT-080 NAT-095 && each NAT-110 NAT-115 && each NAT-130 NAT-133 && each SIM-001 SIM-015
    } >"$work/wanted"
    while IFS='|' read -r _ range where _; do
        for name in $(each "$(awk '{print $1}' <<<"$range")" "$(awk '{print $NF}' <<<"$range")"); do
            echo "$name" >>"$work/told"
            row "$name" "$where"
        done
    done < <(grep -E '^\| (NAT|SIM)-[0-9]' docs/NAT.md)
    sort "$work/told" | diff "$work/wanted" - >"$work/difference" ||
        fail "rows of the sheet (<) and of docs/NAT.md (>): $(grep '^[<>]' "$work/difference" | tr '\n' ' ')"
}

# same WHERE FILE: standard input has the lines of FILE, in any order.
same() {
    sort | diff - "$2" >"$work/difference" ||
        fail "chapters of $1 (<) and of wzp-conformance list (>): $(grep '^[<>]' "$work/difference" | tr '\n' ' ')"
}

# options PROGRAM: the long options that --help of the program and of its verbs tells.
options() {
    {
        "$build/bin/$1" --help
        [ "$1" != wzp-pcap ] || for verb in dump stat streams report convert replay live; do "$build/bin/$1" "$verb" --help; done
        [ "$1" != wzp-conformance ] || "$build/bin/$1" score --help
    } | grep -oE -- '(^|[^a-z-])--[a-z][a-z0-9-]*' | grep -oE -- '--.*' | sort -u
}

# What bash would offer: completed PROGRAM WORD...
completed() {
    (
        # shellcheck disable=SC1090
        . "docs/completion/$1.bash"
        # shellcheck disable=SC2030,SC2031
        export PATH="$build/bin:$PATH"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        "_${1//-/_}"
        printf '%s\n' "${COMPREPLY[@]}"
    )
}

pages() {
    local program section verb
    for program in $programs; do
        sed 's/\\-/-/g' "docs/man/$program.1" >"$work/manual"
        for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' EXAMPLE; do
            grep -q "^\.SH \"\?$section" "$work/manual" || fail "$program.1 has no $section"
        done
        "$build/bin/$program" --help | grep -c '^Examples\?: ' >/dev/null || fail "$program --help has no example"
        "$build/bin/$program" --version | grep -c "^$program [0-9]" >/dev/null || fail "$program --version: $("$build/bin/$program" --version)"
        options "$program" >"$work/options"
        at_least 5 "options of $program" "$work/options"
        case $program in
        wzp-pcap) for verb in dump stat streams report convert replay live; do completed "$program" "$verb" --; done ;;
        wzp-conformance) completed "$program" run -- && completed "$program" score -- ;;
        wzp-sim) for verb in list run campaign shrink matrix proxy; do completed "$program" "$verb" --; done ;;
        *) completed "$program" x -- ;;
        esac | sort -u >"$work/completed"
        grep -oE -- '--[a-z][a-z0-9-]*' "$work/manual" | sort -u >"$work/written"
        {
            comm -23 "$work/options" "$work/completed" | sed "s/^/the completion of $program does not offer /"
            comm -13 "$work/options" "$work/completed" | grep . | sed "s/^/$program --help does not have, but its completion /"
            comm -23 "$work/options" "$work/written" | sed "s/^/$program.1 does not have /"
        } >"$work/wrong"
        complain "$work/wrong"
    done
    command -v groff >/dev/null || return 0
    for section in docs/man/*.1; do
        groff -man -Tutf8 -ww -z "$section" >"$work/warnings" 2>&1
        [ ! -s "$work/warnings" ] || fail "$section: $(head -n 3 "$work/warnings")"
    done
}

# The examples of one file, in a folder where the tree's own folders are; those are tried that need nobody else and
# take a second or two.
try() { # file
    local base command ways='^wzp-(sim (run|campaign|shrink|list)|vectors|conformance (run --virtual|score))|^(cat|cmp|ls|head) '
    local slow='sim/scenarios --seeds|L36|media-wifi|federated-|--expect|--client' at
    at=$work/$(basename "$1")
    mkdir "$at"
    awk -v out="$at" -f "$here/examples.awk" "$1"
    # This one is told in words.
    printf '%s\n' 'name = "rebind"' 'duration = "30 s"' '[[event]]' 'at = "8 s"' 'do = "rebind-port"' 'target = "y.nat"' '[host.x]' '[host.y]' \
        'nat = "linux-masq"' >"$at/rebind.toml"
    ln -s "$PWD/sim" "$PWD/conformance" "$PWD/vectors" "$at"
    for base in "$at"/[0-9]*.command; do
        base=${base%.command}
        command=$(<"$base.command")
        [[ $command =~ $ways && ! $command =~ $slow ]] || continue
        # shellcheck disable=SC2031
        (cd "$at" && timeout 120 env PATH="$build/bin:$PATH" bash -c "$command" >"$base.got" 2>&1 </dev/null)
        awk -f "$here/shown.awk" "$base.want" "$base.got" >"$work/difference" ||
            fail "$(<"$base.where"): $command: $(<"$work/difference")"
        echo "$base" >>"$work/tried"
    done
}

examples() {
    local file
    for file in README.md docs/SIMULATION.md docs/CONFORMANCE.md; do
        try "$file"
    done
    at_least 25 examples "$work/tried"
}

html() {
    local page bin=$build/bin at=$work/pages
    mkdir "$at"
    {
        "$bin/wzp-sim" run sim/scenarios/N14.toml --quiet --pcap "$at" --html "$at/call.html"
        "$bin/wzp-pcap" report --quiet --keylog "$at/keys.log" "$at/relay.pcapng" -o "$at/capture.html"
        "$bin/wzp-conformance" run --virtual --enforce observe --tier CAL,FV,W --quiet --html "$at/cases.html"
        timeout 500 "$bin/wzp-sim" matrix --seeds 1..1 --quiet --html "$at/matrix.html"
    } >"$work/said"
    for page in call capture cases matrix matrix.cells/birthday-ADM-ADM; do
        [ -s "$at/$page.html" ] || fail "there is no $page.html"
        awk -f "$here/page.awk" "$at/$page.html" >"$work/wrong"
        complain "$work/wrong"
    done
}

case $1 in
links | names | commands | numbers | pages | rows | examples | html) "$1" ;;
*) fail "no check is called $1" ;;
esac
[ $failed -eq 0 ] && echo "all is as the documents say"
exit $failed
