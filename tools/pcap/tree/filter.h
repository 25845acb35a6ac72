/* Display filters, as Wireshark has them, on the names of fields.h:
 *
 *   wzp.codec == 9 && (wzp.seq >= 100 || wzp.flags.keyframe == 1)
 *   ip.src in {10.0.0.1, 10.0.1.0/24} and not wzp.signal.type contains "Ping"
 *
 *   field                        the message has it, whatever its value
 *   == != < <= > >= contains     also eq ne lt le gt ge; != means that all values differ
 *   in { a, b }                  any of these
 *   ! && ||                      also not, and, or; ! binds most, || least
 *
 * Values: numbers (decimal, 0x), seconds with decimals, true and false, "strings" with \" \\ \xHH,
 * addresses and networks, bytes as 0a:0b or 0a0b, names where numbers have them (Opus24k).
 * A filter is compiled once and bounded by the constants; matching allocates nothing. */
#ifndef WZP_PCAP_TREE_FILTER_H
#define WZP_PCAP_TREE_FILTER_H

#include "tools/pcap/tree/fields.h"

#define WZP_PCAP_FILTER_TEXT_MAX 4096
#define WZP_PCAP_FILTER_NODES_MAX 256
#define WZP_PCAP_FILTER_VALUES_MAX 256
#define WZP_PCAP_FILTER_DEPTH_MAX 64

typedef struct wzp_pcap_filter wzp_pcap_filter;

typedef struct wzp_pcap_filter_error {
    const char *text; /* static */
    size_t column;    /* from 1 */
    size_t len;       /* of what is meant; 0: the end */
} wzp_pcap_filter_error;

/* PARSE: *error says what and where; LIMIT: likewise, one of the constants; NOMEM.  An empty
 * filter matches everything. */
WZP_MUST_USE wzp_err wzp_pcap_filter_new(wzp_pcap_filter **out, wzp_bytes text,
                                         wzp_pcap_filter_error *error);
/* Accepts NULL, leaves NULL. */
void wzp_pcap_filter_free(wzp_pcap_filter **filter);

bool wzp_pcap_filter_matches(const wzp_pcap_filter *filter, const wzp_pcap_tree *tree);

#endif
