# tools/demo --nat; sourced by it.
# shellcheck shell=bash disable=SC2154
#
# Two clients behind two NATs: in the simulator, where it needs nobody's leave, and as root in network namespaces with the
# kernel's NAT, coturn and real programs.

nat_demo() {
    local status=0
    show wzp-sim run sim/scenarios/N04.toml --html build/demo/nat-call.html
    show wzp-sim run sim/scenarios/N14.toml
    show wzp-sim matrix --html build/demo/nat.html
    echo
    echo "${bold}\$ tools/lab/demo.sh     # the same with real programs behind the kernel's NAT${plain}"
    tools/lab/demo.sh "$bin/wzp-relay" "$bin/wzp-client" 9>&- || status=$?
    case $status in
    0) ;;
    77) echo "${yellow}left out: this part needs root, and the packages of tools/setup --peers${plain}" ;;
    *) failed_stages+=("calls in namespaces") ;;
    esac
}
