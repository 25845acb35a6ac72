# bash completion for wzp-client
_wzp_client() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
    --send-file | --metrics-file | --capture | --keylog | --media-keys | --qlog) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    --record) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    --log-level) mapfile -t COMPREPLY < <(compgen -W "error warn info debug" -- "$current") ;;
    --media-crypto) mapfile -t COMPREPLY < <(compgen -W "clear relay-aead" -- "$current") ;;
    --quality) mapfile -t COMPREPLY < <(compgen -W "auto good degraded catastrophic codec2-3200 studio-32k studio-48k studio-64k" -- "$current") ;;
    --network) mapfile -t COMPREPLY < <(compgen -W "unknown wifi cellular" -- "$current") ;;
    --policy) mapfile -t COMPREPLY < <(compgen -W "reference deployed" -- "$current") ;;
    --stats) mapfile -t COMPREPLY < <(compgen -W "json" -- "$current") ;;
    --room | --send-tone | --tone-hz | --duration | --alias | --seed | --mnemonic | --token | --pin | --repeat | --loss | --jitter | --echo-test | --drift-test | --call | --stun | --relay | --timeout) ;;
    wzp-client | */wzp-client) mapfile -t COMPREPLY < <(compgen -W "join call listen echo drift sweep netcheck" -- "$current") ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W "--room --send-file --send-tone --tone-hz --silence --record --duration
            --alias --seed --mnemonic --token --pin --metrics-file --repeat --loss --jitter
            --echo-test --drift-test --sweep --netcheck --relay --no-ipv6 --timeout --signal --call --reject --generic --direct-only --relay-only --birthday --no-birthday --stun --no-portmap --gateway --policy --lab-addresses --media-crypto --quality --suppress-silence --transport-feedback --network --json --stats --quiet --log-level --capture --keylog --media-keys --qlog --help --version" -- "$current")
        ;;
    esac
}
complete -o filenames -F _wzp_client wzp-client
