# shown.awk WANT GOT: every line of WANT is in GOT, in that order and one behind the other, but for lines "..." and
# "[...]", which stand for any number of lines, and a "..." at the end of a line.  Numbers and spaces may differ.

function plain(text) {
    gsub(/[0-9a-f]*[0-9][0-9a-f]*/, "#", text)
    gsub(/[,.:]?#([,.:]#)+/, "#", text)
    gsub(/[ \t]+/, " ", text)
    sub(/ $/, "", text)
    return text
}

/^$/ { next }
FILENAME == ARGV[1] { want[++wanted] = plain($0); next }
{ got[++had] = plain($0); as_is[had] = $0 }

function fits(w, g) {
    if (w ~ /\.\.\.$/) return index(g, substr(w, 1, length(w) - 3)) == 1
    return w == g
}

END {
    skip = 0
    g = 1
    for (w = 1; w <= wanted; w++) {
        if (want[w] ~ /^ *\[?\.\.\.\]?$/) {
            skip = 1
            continue
        }
        while (skip && g <= had && !fits(want[w], got[g])) g++
        if (g > had || !fits(want[w], got[g])) {
            print "shown: " want[w] "; printed: " (g > had ? "nothing" : as_is[g])
            exit 1
        }
        g++
        skip = 0
    }
    if (wanted > 0 && !skip && g <= had) {
        print "printed, not shown: " as_is[g]
        exit 1
    }
}
