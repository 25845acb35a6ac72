/* The verbs, each defined in its own verb_NAME.c. */
#ifndef WZP_PCAP_BIN_VERBS_H
#define WZP_PCAP_BIN_VERBS_H

#include "tools/pcap/bin/options.h"

extern const wzp_pcap_verb wzp_pcap_verb_dump;
extern const wzp_pcap_verb wzp_pcap_verb_stat;
extern const wzp_pcap_verb wzp_pcap_verb_convert;
extern const wzp_pcap_verb wzp_pcap_verb_streams;
extern const wzp_pcap_verb wzp_pcap_verb_report;
extern const wzp_pcap_verb wzp_pcap_verb_replay;
extern const wzp_pcap_verb wzp_pcap_verb_live;

#endif
