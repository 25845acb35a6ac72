/* A pcapng file of those packets of a capture that somebody wants (dump -w). */
#ifndef WZP_PCAP_BIN_KEPT_H
#define WZP_PCAP_BIN_KEPT_H

#include <stdio.h>

#include "tools/pcap/file/writer.h"

typedef struct wzp_pcap_kept {
    const char *path;
    FILE *file;
    wzp_pcap_writer *writer;
    bool all;    /* every packet */
    bool wanted; /* the packet that comes next */
    bool failed; /* it was complained about */
} wzp_pcap_kept;

/* "-" is standard output; a file that is there already is left alone, for secrets may be lost with
 * it.  False after a complaint. */
bool wzp_pcap_kept_open(wzp_pcap_kept *kept, const char *path, bool all);

/* Secrets always, a packet if it is wanted. */
void wzp_pcap_kept_item(wzp_pcap_kept *kept, const wzp_pcap_item *item);

/* False: not everything could be written, and it was said. */
bool wzp_pcap_kept_close(wzp_pcap_kept *kept);

#endif
