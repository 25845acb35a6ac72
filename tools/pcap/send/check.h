/* Whether a relay passes on what is sent: every packet, unchanged, each sender's in their order.
 *
 * Who sends says so, who listens says what came; packets are told apart by a hash of their bytes.
 * Sans-IO; memory for a number of packets that is fixed when it is made. */
#ifndef WZP_PCAP_SEND_CHECK_H
#define WZP_PCAP_SEND_CHECK_H

#include "base/bytes.h"
#include "base/err.h"

/* So far behind the oldest that is missing a packet is looked for. */
#define WZP_PCAP_CHECK_REACH 4096

typedef struct wzp_pcap_check wzp_pcap_check;

/* `packets`: how many will be sent at most.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_check_new(wzp_pcap_check **out, uint64_t packets);
/* Accepts NULL, leaves NULL. */
void wzp_pcap_check_free(wzp_pcap_check **check);

void wzp_pcap_check_sent(wzp_pcap_check *check, uint32_t sender, wzp_bytes packet);
void wzp_pcap_check_came(wzp_pcap_check *check, wzp_bytes packet);

typedef struct wzp_pcap_check_result {
    uint64_t sent, came;
    uint64_t missing;
    uint64_t reordered;     /* came after a later one of its sender */
    uint64_t repeated;      /* came again */
    uint64_t others;        /* were not sent so: changed, or somebody else's */
    uint64_t first_missing; /* its place among those that were sent, from 1; 0: none */
} wzp_pcap_check_result;
void wzp_pcap_check_sum(const wzp_pcap_check *check, wzp_pcap_check_result *out);

/* Datagrams may overtake each other on the way to the relay and back, on one machine too if it has
 * two cores and much to do: that is the relay's doing only if it is more than one in a hundred. */
static inline bool wzp_pcap_check_holds(const wzp_pcap_check_result *r) {
    return r->sent > 0 && r->missing + r->repeated + r->others == 0 &&
           r->reordered <= r->sent / 100;
}

#endif
