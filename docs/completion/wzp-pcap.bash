# bash completion for wzp-pcap
_wzp_pcap() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=''
    case $previous in
    --log-level) words="error warn info debug" ;;
    --jitter) words="rfc3550 upstream" ;;
    --fields)
        words=$("${COMP_WORDS[0]}" dump --fields help 2>/dev/null | cut -d' ' -f1)
        ;;
    --follow) words="capture timestamp" ;;
    --seq) words="keep rewrite" ;;
    --payload) words="as-is clear seal" ;;
    -Y | --filter | --max | --interval) return ;;
    --to | --room | --token | --alias | --seed | --stream | --speed | --pps | --loop | --duration | --key) return ;;
    --wav | --video)
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return
        ;;
    --keylog | --capture | --media-keys | -w | --write | -o | --output) ;;
    wzp-pcap | */wzp-pcap)
        words=$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n 's/^\([a-z]\{3,8\}\)   *[a-z].*/\1/p')
        ;;
    *)
        if [[ $current == -* ]]; then
            case ${COMP_WORDS[1]} in
            dump) words="-V --tree --json --csv --fields -Y --filter -w --write -i --interface --packets --frames --strict" ;;
            stat) words="--json --csv --interval" ;;
            streams) words="--json --csv --jitter --interval" ;;
            convert) words="--wav --video --ivf --as-clear --to --media --strip-secrets --inject --anonymize --seed" ;;
            replay)
                words="--to --room --token --alias --seed --stream --follow --speed --pps --topspeed --loop"
                words+=" --seq --payload --check --json"
                ;;
            live) words="--room --no-tui --json --capture --duration --token --seed --key" ;;
            report) words="-o --output --markdown --json --interval --jitter" ;;
            esac
            words+=" --keylog --media-keys --legacy-nonce --max --quiet --log-level --help --version"
        fi
        ;;
    esac
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -o filenames -F _wzp_pcap wzp-pcap
