# Of command lines as markdown.awk gives them (KIND FILE LINE TEXT), each option of one of our programs, also of
# a program that stands in another's quotes: FILE LINE PROGRAM VERB OPTION, a verb or option that is not there is "-".

function end_word() {
    if (word == "") return
    base = word
    sub(/.*\//, "", base)
    if (base ~ /^wzp-(relay|client|conformance|sim|pcap|vectors|quality)$/) {
        program = base
        verb = "-"
        print file "\t" line "\t" program "\t-\t-"
    } else if (program != "" && word ~ /^--?[A-Za-z]/) {
        sub(/=.*/, "", word)
        print file "\t" line "\t" program "\t" verb "\t" word
    } else if (program != "" && verb == "-" && word ~ /^[a-z]+$/) {
        verb = word
        print file "\t" line "\t" program "\t" verb "\t-"
    }
    word = ""
}

function read_line(text, i, c, quote, part) {
    program = ""
    word = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (quote != "") {
            if (c == quote) {
                quote = ""
                quoted[++quotes] = part
            } else {
                part = part c
            }
        } else if (c == "'" || c == "\"") {
            quote = c
            part = ""
            word = word "_"
        } else if (c ~ /[|;&><()]/) {
            end_word()
            program = ""
        } else if (c ~ /[ \t]/) {
            end_word()
        } else if (c == "#" && word == "") {
            return
        } else {
            word = word c
        }
    }
    end_word()
}

BEGIN { FS = "\t" }

{
    file = $2
    line = $3
    quotes = 0
    read_line($4)
    for (q = 1; q <= quotes; q++) read_line(quoted[q])
}
