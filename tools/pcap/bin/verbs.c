/* The verbs that there are.  A new one: its file, its line here, its file in CMakeLists.txt. */
#include "tools/pcap/bin/verbs.h"

const wzp_pcap_verb *const wzp_pcap_verbs[] = {
    &wzp_pcap_verb_dump,    &wzp_pcap_verb_stat,   &wzp_pcap_verb_streams, &wzp_pcap_verb_report,
    &wzp_pcap_verb_convert, &wzp_pcap_verb_replay, &wzp_pcap_verb_live,    NULL,
};
