# bash completion for wzp-sim
_wzp_sim() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=''
    case $previous in
    --json | --html | --trace | --out) ;;
    --pcap | --qlog)
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return
        ;;
    --engine) words="native ns3" ;;
    --log-level) words="error warn info debug" ;;
    --seed | --seeds | --jobs | --shard | --set | --listen | --upstream | --host | --for) return ;;
    wzp-sim | */wzp-sim) words="list run campaign shrink matrix proxy" ;;
    *)
        if [[ $current == -* ]]; then
            case ${COMP_WORDS[1]} in
            run) words="--seed --set --engine --check --pcap --qlog --trace --json --html" ;;
            campaign) words="--seeds --jobs --shard --merge --set --engine --json" ;;
            shrink) words="--seed --set --engine --out" ;;
            matrix) words="--seed --jobs --engine --html --json" ;;
            proxy) words="--listen --upstream --host --for --seed --set --pcap --json" ;;
            list) words="--json" ;;
            esac
            words+=" --quiet --log-level --help --version"
        else
            mapfile -t COMPREPLY < <(
                compgen -W "$("${COMP_WORDS[0]}" list 2>/dev/null | cut -d' ' -f1)" -- "$current"
                compgen -f -- "$current"
            )
            return
        fi
        ;;
    esac
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -o filenames -F _wzp_sim wzp-sim
