# Of a Markdown file, into the folder `out`: NNN.command is a command of a console block, NNN.want what is shown below
# it, NNN.where its file and line.  TOML blocks with a name are files of that name, as `first.toml`.

function done_with() {
    if (base != "") {
        close(base ".want")
        close(base ".command")
    }
    base = ""
}

/^ *```/ {
    done_with()
    if (toml != "") close(toml)
    toml = ""
    if (block == "") {
        block = $0
        sub(/^ *```/, "", block)
        if (block == "") block = "text"
    } else {
        block = ""
    }
    next
}

block == "toml" && /^name = "[a-z]+"$/ {
    split($0, part, "\"")
    toml = out "/" part[2] ".toml"
}
block == "toml" && toml != "" { print >toml }

block != "console" { next }

going_on {
    print >(base ".command")
    going_on = /\\$/
    next
}
/^\$ / {
    done_with()
    base = sprintf("%s/%03d", out, ++count)
    print FILENAME ":" FNR >(base ".where")
    close(base ".where")
    print substr($0, 3) >(base ".command")
    printf "" >(base ".want")
    going_on = /\\$/
    next
}
base != "" { print >(base ".want") }
