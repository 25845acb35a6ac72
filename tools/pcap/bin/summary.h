/* What a capture held, and what could not be decoded and why: for standard error. */
#ifndef WZP_PCAP_BIN_SUMMARY_H
#define WZP_PCAP_BIN_SUMMARY_H

#include <stdio.h>

#include "tools/pcap/bin/source.h"

/* After wzp_pcap_source_run with a decoder. */
void wzp_pcap_summary(FILE *out, const wzp_pcap_source *source);

#endif
