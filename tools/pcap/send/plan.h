/* Who sends what and when: a capture's media packets, put in order for being sent again.
 *
 * Where a capture shows several senders each becomes one of the plan: those that send to a relay by
 * their connections, those that a relay has mixed as flow.h tells them apart.  A relay's own
 * capture has every packet twice and more: what went to it is taken, and what it passed on only
 * where nothing else is there, and then that of the receiver that got most.
 *
 * Sans-IO; the same messages and configuration give the same plan, byte for byte.  Holds the
 * packets: at most cfg.max_bytes of them, later ones are counted. */
#ifndef WZP_PCAP_SEND_PLAN_H
#define WZP_PCAP_SEND_PLAN_H

#include "base/time.h"
#include "crypto/crypto.h"
#include "tools/pcap/decode/message.h"

typedef enum wzp_pcap_follow {
    WZP_PCAP_FOLLOW_CAPTURE,  /* times of the capture */
    WZP_PCAP_FOLLOW_TIMESTAMP /* each sender's media clock, from his first packet on */
} wzp_pcap_follow;

typedef enum wzp_pcap_payload {
    WZP_PCAP_PAYLOAD_AS_IS, /* as captured, sealed or not */
    WZP_PCAP_PAYLOAD_CLEAR, /* opened with the capture's media keys; what cannot be opened is left
                               out, unless it never was sealed */
    WZP_PCAP_PAYLOAD_SEAL   /* the same, for being sealed again */
} wzp_pcap_payload;

typedef struct wzp_pcap_plan_cfg {
    wzp_pcap_follow follow;
    wzp_pcap_payload payload;
    bool all;           /* everything that is given, also what a relay passed on */
    uint64_t max_bytes; /* 0: 256 MiB */
} wzp_pcap_plan_cfg;

typedef struct wzp_pcap_planned {
    uint64_t at_ns;          /* since the first one */
    uint32_t sender;         /* from 0 */
    uint64_t number;         /* of the capture's packet */
    wzp_media_packet packet; /* its payload is the plan's */
} wzp_pcap_planned;

typedef struct wzp_pcap_plan wzp_pcap_plan;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_plan_new(wzp_pcap_plan **out, const wzp_pcap_plan_cfg *cfg);
/* Accepts NULL, leaves NULL. */
void wzp_pcap_plan_free(wzp_pcap_plan **plan);

/* Every message, for who sends what shows from all of them; but only `wanted` media are planned.
 * Borrowed for the call.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_plan_take(wzp_pcap_plan *plan, const wzp_pcap_message *message,
                                        bool wanted);

/* Nothing follows: chooses and orders.  Once, before what is below. */
void wzp_pcap_plan_end(wzp_pcap_plan *plan);

size_t wzp_pcap_plan_count(const wzp_pcap_plan *plan);
const wzp_pcap_planned *wzp_pcap_plan_at(const wzp_pcap_plan *plan, size_t i);
uint32_t wzp_pcap_plan_senders(const wzp_pcap_plan *plan);

typedef struct wzp_pcap_plan_counters {
    uint64_t media;    /* packets that were wanted */
    uint64_t copies;   /* of these, left out: passed on by a relay */
    uint64_t sealed;   /* left out: not opened by any key */
    uint64_t too_many; /* left out: max_bytes, or more than WZP_PCAP_GUESTS_MAX senders */
} wzp_pcap_plan_counters;
const wzp_pcap_plan_counters *wzp_pcap_plan_counted(const wzp_pcap_plan *plan);

#endif
