/* A capture in another form.  Sans-IO, bounded; feed it every item of the file and every message of
 * the decoder: it takes what its form needs.
 *
 *   PACKETS  pcapng of the packets as they were captured, with their secrets unless they are to be
 *            stripped; or, anonymous, of datagrams in new IP headers
 *   MEDIA    pcapng of media packets alone (WZP_PCAP_LINK_MEDIA).  Interfaces are named after who
 *            sends: "conn 3 client", "conn 3 server", "file"
 *   WZP      upstream's `.wzp`; room and relay of the file that is read if it is one, otherwise of
 *            the first connection with media
 *   RTPDUMP  rtpdump.h, without repair packets; payloads opened where keys are there */
#ifndef WZP_PCAP_CONVERT_CONVERT_H
#define WZP_PCAP_CONVERT_CONVERT_H

#include "tools/pcap/decode/message.h"
#include "tools/pcap/file/writer.h"

typedef enum wzp_pcap_convert_form {
    WZP_PCAP_CONVERT_PACKETS,
    WZP_PCAP_CONVERT_MEDIA,
    WZP_PCAP_CONVERT_WZP,
    WZP_PCAP_CONVERT_RTPDUMP
} wzp_pcap_convert_form;

typedef struct wzp_pcap_convert_cfg {
    wzp_pcap_convert_form form;
    wzp_pcap_sink *sink;
    void *sink_ctx;
    bool strip_secrets; /* PACKETS */
    bool anonymous;     /* PACKETS: strips secrets, too */
    uint64_t seed;      /* of anonymous addresses */
} wzp_pcap_convert_cfg;

typedef struct wzp_pcap_convert wzp_pcap_convert;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_convert_new(wzp_pcap_convert **out, const wzp_pcap_convert_cfg *cfg);
/* Accepts NULL, leaves NULL. */
void wzp_pcap_convert_free(wzp_pcap_convert **convert);

/* PACKETS, before the first item: lines of a key log that the file lacks.
 * WZP_ERR_INVALID_ARGUMENT: another form, or secrets are stripped */
WZP_MUST_USE wzp_err wzp_pcap_convert_inject(wzp_pcap_convert *convert, wzp_bytes keylog);

/* What cannot be written is counted.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_convert_item(wzp_pcap_convert *convert, const wzp_pcap_item *item);
WZP_MUST_USE wzp_err wzp_pcap_convert_message(wzp_pcap_convert *convert,
                                              const wzp_pcap_message *message);

typedef struct wzp_pcap_convert_counters {
    uint64_t written;
    uint64_t left_out; /* anonymous: what others must not see; otherwise: what the form cannot hold
                        */
    uint64_t secrets_stripped;
} wzp_pcap_convert_counters;

const wzp_pcap_convert_counters *wzp_pcap_convert_count(const wzp_pcap_convert *convert);

#endif
