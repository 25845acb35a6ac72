# bash completion for wzp-vectors
_wzp_vectors() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
    --out) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    wzp-vectors | */wzp-vectors) mapfile -t COMPREPLY < <(compgen -W "check make" -- "$current") ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W "--json --quiet --out --help --version" -- "$current"
            compgen -f -- "$current")
        ;;
    esac
}
complete -o filenames -F _wzp_vectors wzp-vectors
