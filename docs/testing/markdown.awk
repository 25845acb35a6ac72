# Reads Markdown files and prints what a reader follows or types, a line each, fields separated by tabs:
#   heading  FILE  ANCHOR        as web pages of repositories make anchors of headings
#   chapter  FILE  ANCHOR        the same again of headings of level 2
#   link     FILE  LINE  TARGET
#   word     FILE  LINE  TEXT    what stands in backticks
#   command  FILE  LINE  TEXT    behind "$ " in a console block, or a line of a bash block, continued lines joined

function anchor(text) {
    gsub(/[`*]/, "", text)
    gsub(/\]\([^)]*\)/, "", text)
    text = tolower(text)
    gsub(/[^a-z0-9 _-]/, "", text)
    gsub(/ /, "-", text)
    return seen[FILENAME, text]++ ? text "-" seen[FILENAME, text] - 1 : text
}

function give(kind, text) {
    print kind "\t" FILENAME "\t" FNR "\t" text
}

function command(text) {
    pending = pending text
    if (sub(/\\$/, " ", pending)) return
    give("command", pending)
    pending = ""
}

FNR == 1 {
    block = ""
    pending = ""
}

/^ *```/ {
    if (block != "") {
        block = ""
    } else {
        block = $0
        sub(/^ *```/, "", block)
        if (block == "") block = "text"
    }
    next
}

block != "" {
    if (pending != "") command($0)
    else if (block == "console" && /^ *\$ /) command(substr($0, index($0, "$") + 2))
    else if (block ~ /^(bash|sh)$/) command($0)
    next
}

/^#+ / {
    text = $0
    sub(/^#+ /, "", text)
    name = anchor(text)
    print "heading\t" FILENAME "\t" name
    if ($1 == "##") print "chapter\t" FILENAME "\t" name
}

{
    rest = $0
    while (match(rest, /`[^`]+`/)) {
        give("word", substr(rest, RSTART + 1, RLENGTH - 2))
        rest = substr(rest, 1, RSTART - 1) " " substr(rest, RSTART + RLENGTH)
    }
    while (match(rest, /\]\([^)]+\)/)) {
        give("link", substr(rest, RSTART + 2, RLENGTH - 3))
        rest = substr(rest, RSTART + RLENGTH)
    }
}
