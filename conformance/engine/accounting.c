#include "conformance/engine/accounting.h"

#include <stdint.h>

/* A window that begins with packet i holds the packets before sent[i].at + 1 s; a window that ends
 * just before packet i holds those after sent[i].at - 1 s.  The extremes begin or end at packets.
 */
static void find_max(wzp_ct_accounts *out, const wzp_ct_sent *sent, size_t count) {
    uint64_t bytes = 0;
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += sent[i].wire;
        while (sent[i].at - sent[first].at >= WZP_S) {
            bytes -= sent[first++].wire;
        }
        const uint64_t packets = i - first + 1;
        out->max_bytes = bytes > out->max_bytes ? bytes : out->max_bytes;
        out->max_packets = packets > out->max_packets ? packets : out->max_packets;
    }
}

/* The emptiest full second starts just after a packet. */
static void find_min(wzp_ct_accounts *out, const wzp_ct_sent *sent, size_t count) {
    uint64_t bytes = 0;
    size_t end = 0;
    out->min_bytes = out->min_packets = UINT64_MAX;
    for (size_t i = 0; i + 1 < count && sent[count - 1].at - sent[i].at >= WZP_S; i++) {
        while (end < count && sent[end].at - sent[i].at <= WZP_S) {
            bytes += sent[end++].wire;
        }
        bytes -= sent[i].wire; /* the packet itself lies just outside */
        const uint64_t packets = end - i - 1;
        out->min_bytes = bytes < out->min_bytes ? bytes : out->min_bytes;
        out->min_packets = packets < out->min_packets ? packets : out->min_packets;
    }
}

void wzp_ct_account(wzp_ct_accounts *out, const wzp_ct_sent *sent, size_t count) {
    *out = (wzp_ct_accounts){0};
    if (count == 0) {
        return;
    }
    find_max(out, sent, count);
    if (sent[count - 1].at - sent[0].at >= 2 * WZP_S) {
        find_min(out, sent, count);
    }
}
