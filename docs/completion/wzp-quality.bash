# bash completion for wzp-quality
_wzp_quality() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
    --max-delay | --scorer-timeout) return ;;
    --scorer)
        mapfile -t COMPREPLY < <(compgen -c -- "$current")
        return
        ;;
    esac
    case $current in
    -*) mapfile -t COMPREPLY < <(compgen -W "--json --max-delay --scorer --scorer-timeout --help --version" -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    esac
}
complete -o filenames -F _wzp_quality wzp-quality
