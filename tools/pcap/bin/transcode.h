/* A capture in another container, or fit to be shared.  Part of the verb convert. */
#ifndef WZP_PCAP_BIN_TRANSCODE_H
#define WZP_PCAP_BIN_TRANSCODE_H

#include "tools/pcap/bin/options.h"

typedef struct wzp_pcap_transcode {
    const char *path; /* what is written: the form is that of its ending */
    bool media;       /* pcapng of media packets alone */
    bool strip_secrets, anonymous;
    uint64_t seed;
    const char *inject; /* a key log that goes into it; NULL: none */
} wzp_pcap_transcode;

/* The exit status: FINDINGS if the file has nothing of what the form holds. */
int wzp_pcap_transcode_run(const wzp_pcap_transcode *transcode, const wzp_pcap_options *options);

#endif
