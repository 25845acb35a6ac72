# Reads one page of HTML that a program made, and says what is wrong with it: tags that do not match, ids that are
# there twice or nowhere, anything fetched from elsewhere, pictures without a name.  Scripts may only add something.

function wrong(text) { print FILENAME ": " text }

function value(tag, name, at) {
    at = match(tag, "[ \n]" name "=\"[^\"]*\"")
    return at ? substr(tag, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : ""
}

BEGIN { RS = "<" }

NR == 1 { next }

{
    end = match($0, /^[^>"]*("[^"]*"[^>"]*)*>/)
    if (skipping != "" && index($0, "/" skipping ">") != 1) next
    if (!end) { wrong("a tag does not end: " substr($0, 1, 40)); next }
    tag = substr($0, 1, RLENGTH)
}

/^!/ { doctypes++; next }

/^\// {
    name = substr(tag, 2, length(tag) - 2)
    if (name == "th" && empty_th) wrong("a heading of a table is empty")
    if (name == "svg") pictures--
    empty_th = 0
    skipping = ""
    if (depth == 0 || open[depth] != name) wrong("</" name "> closes <" open[depth] ">")
    depth--
    next
}

{
    name = tag
    sub(/[ \n\/>].*/, "", name)
    count[name]++
    if (name ~ /^(style|script)$/) skipping = name
    if ((id = value(tag, "id")) != "" && ids[id]++) wrong("two things have the id " id)
    target = value(tag, "href")
    if (target ~ /^#./) wanted[substr(target, 2)]
    if (value(tag, "src") != "" || name ~ /^(link|iframe|object|embed)$/ || target ~ /^(http|\/\/)/) wrong("fetches: <" tag)
    named = tag ~ /role="(img|group)"/ && tag ~ /aria-label/
    if (name == "svg" && !pictures && !named && tag !~ /aria-hidden="true"/) wrong("a picture without a name: <" tag)
    if (name ~ /^h[1-6]$/) {
        level = substr(name, 2) + 0
        if (level > last_level + 1) wrong("a heading of level " level " follows one of level " last_level)
        last_level = level
    }
    empty_th = name == "th" && $0 ~ />$/
    if (tag !~ /\/>$/ && name !~ /^(meta|br|hr|img|input|link|col|wbr)$/) open[++depth] = name
    if (name == "svg") pictures++
}

END {
    if (depth != 0) wrong("<" open[depth] "> is not closed")
    if (doctypes != 1) wrong("no doctype")
    n = split("html head style body main h1", must, " ")
    for (i = 1; i <= n; i++) if (count[must[i]] != 1) wrong((count[must[i]] + 0) " of <" must[i] ">, not 1")
    for (id in wanted) if (!(id in ids)) wrong("nothing has the id " id)
}
