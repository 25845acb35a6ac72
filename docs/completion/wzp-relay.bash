# bash completion for wzp-relay
_wzp_relay() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
    -c | --config | -i | --identity | --event-log | --keylog | --capture | --auth-ca | --ban-list)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        ;;
    --qlog)
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        ;;
    --enforce)
        mapfile -t COMPREPLY < <(compgen -W "off count observe on" -- "$current")
        ;;
    --entropy)
        mapfile -t COMPREPLY < <(compgen -W "count close" -- "$current")
        ;;
    --federation-pin)
        mapfile -t COMPREPLY < <(compgen -W "warn require" -- "$current")
        ;;
    --log-level)
        mapfile -t COMPREPLY < <(compgen -W "error warn info debug" -- "$current")
        ;;
    --listen | --advertised-addr)
        mapfile -t COMPREPLY < <(compgen -W "0.0.0.0:4433 127.0.0.1:4433" -- "$current")
        ;;
    --metrics-addr | --ws-addr)
        mapfile -t COMPREPLY < <(compgen -W "127.0.0.1 ::1" -- "$current")
        ;;
    --seed | --max-sessions | --max-connections | --max-connections-per-ip | --ring-timeout | \
        --drain-timeout | --cooldown | --block | --quota-anonymous | --quota-authenticated | --senders-per-ip | \
        --global-room | --federation-room-pps | --federation-peer-pps | --federation-peer-bytes | --probe | \
        --auth-url | --region | --debug-tap | --ws-port | --threads | --metrics-port) ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W "--listen --identity --regenerate-identity --replace-bad-identity
            --seed --config --enforce --entropy --cooldown --block --ban-list --quota-anonymous --quota-authenticated
            --senders-per-ip --exact-limits --max-sessions --max-connections --max-connections-per-ip
            --strict-identity --pli-broadcast --layers-by-report --trunking --ring-timeout --drain-timeout --advertised-addr --auth-url
            --auth-ca --region --threads --global-room --probe --probe-mesh --mesh-status --federation-pin --federation-room-pps --federation-peer-pps --federation-peer-bytes --metrics-port --metrics-addr --ws-port --ws-addr --debug-tap --event-log --qlog
            --keylog --capture --log-level --quiet --help --version" -- "$current")
        ;;
    esac
}
complete -o filenames -F _wzp_relay wzp-relay
