# bash completion for wzp-conformance
_wzp_conformance() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=''
    case $previous in
    --metrics | --auth-metrics | --net | --json | --junit | --html | --markdown | --expect) ;;
    --out | --write)
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return
        ;;
    --client) words="embedded" ;;
    --mode) words="auto observe enforce" ;;
    --enforce) words="off count observe on" ;;
    --tier) words="CAL A AS B BS C D DS E FA FV G W H S RLY NAT FED X M XC AUD HEAR QUAL NATC RACE MAP UPNP CHECK RPL" ;;
    --profile) words="deployed strict-limits" ;;
    --evidence) words="all failures none" ;;
    --log-level) words="error warn info debug" ;;
    --select | --skip)
        words=$("${COMP_WORDS[0]}" list 2>/dev/null | cut -d' ' -f1)
        ;;
    --target | --exec | --listener | --caller | --move | --netcheck | --config | --repeat | --jobs | --seed | --seeds) return ;;
    wzp-conformance | */wzp-conformance) words="run list report score" ;;
    *)
        [ "${COMP_WORDS[1]-}" != score ] || words="--net --seeds --write --json --quiet --help --version"
        [ -n "$words" ] || words="--target --exec --client --listener --caller --move --netcheck --replay --replay-stream --config --mode --metrics --auth-metrics --enforce --strict-identity --tier
            --select --skip --profile --strict --dry-run --virtual --net --repeat --jobs --seed --out --json --junit --html --markdown --tap
            --evidence --expect --quiet --log-level --help --version"
        ;;
    esac
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -o filenames -F _wzp_conformance wzp-conformance
