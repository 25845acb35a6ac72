/* The receiving side of a protected stream: keeps the symbols of the newest blocks and gives the
 * frames that were lost as soon as enough has arrived (media sheet 7.4, 7.5).
 *
 * Source packets carry bare frames while repair symbols are sums of prefixed ones: the receiver
 * adds prefix and zeros.  Deployed receivers do not, and what they recover from a mixture is
 * garbage; `as_deployed` is that receiver, for simulations of it.
 *
 * Sans-IO, one instance for a sender's stream and codec, not thread-safe.  Memory is reserved by
 * _new: about 20 KiB for a stream of Codec2. */
#ifndef WZP_FEC_RECEIVER_H
#define WZP_FEC_RECEIVER_H

#include "base/time.h"
#include "fec/policy.h"

#define WZP_FEC_BLOCKS_AHEAD 3         /* a block further behind the newest one is dropped */
#define WZP_FEC_BLOCK_LIFE (2 * WZP_S) /* from its first symbol; as deployed from its decoding */

typedef struct wzp_fec_receiver wzp_fec_receiver;

typedef struct wzp_fec_receiver_cfg {
    wzp_fec_policy policy;
    size_t cap_repairs; /* kept for a block; 0: twice K, what the largest documented ratio sends */
    bool as_deployed;
} wzp_fec_receiver_cfg;

/* What of a packet matters here. */
typedef struct wzp_fec_packet {
    bool is_repair;
    uint16_t fec_block;
    uint32_t seq, timestamp_ms;
    wzp_bytes payload; /* borrowed for the call */
} wzp_fec_packet;

typedef struct wzp_fec_frame {
    uint8_t block, index;
    uint32_t seq, timestamp_ms; /* as its source packet had them, if none intervened */
    wzp_bytes payload;          /* borrowed until the next call that is not next_frame */
} wzp_fec_frame;

typedef struct wzp_fec_receiver_stats {
    uint64_t sources, repairs;  /* symbols taken */
    uint64_t recovered;         /* frames given out */
    uint64_t invalid;           /* frames recovered with another length than the codec has */
    uint64_t refused;           /* packets, for any reason but these two */
    uint64_t duplicates, late;  /* of blocks that are complete or gone as well */
    uint64_t blocks_incomplete; /* dropped while frames were missing */
} wzp_fec_receiver_stats;

/* WZP_ERR_FEC_CODEC       the policy is that of no protected codec: K or frame_len is 0
 * WZP_ERR_FEC_BLOCK_SIZE  K and the repair symbols are more than WZP_FEC_SYMBOLS_MAX
 * WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_fec_receiver_new(wzp_fec_receiver **out, const wzp_fec_receiver_cfg *cfg);
void wzp_fec_receiver_free(wzp_fec_receiver **receiver);

/* Takes a packet of the stream's codec; frames may be recovered by it (next_frame).
 * WZP_ERR_FEC_SYMBOL_ID    a source packet with an index from K on, or a repair packet below
 * WZP_ERR_FEC_SYMBOL_SIZE  a repair symbol that is empty or longer than WZP_FEC_SYMBOL_LEN
 * WZP_ERR_FEC_DUPLICATE    there already, or the block is complete
 * WZP_ERR_REPLAY           the block is more than WZP_FEC_BLOCKS_AHEAD behind
 * WZP_ERR_QUEUE_FULL       more repair symbols than are kept */
WZP_MUST_USE wzp_err wzp_fec_receiver_add(wzp_fec_receiver *receiver, const wzp_fec_packet *packet,
                                          wzp_time now);

/* Recovered frames of the last packet, in their order, until false. */
bool wzp_fec_receiver_next_frame(wzp_fec_receiver *receiver, wzp_fec_frame *out);

/* Drops blocks that wzp_fec_is_expired says; deployed receivers of one kind call that with the
 * current id minus 3. */
void wzp_fec_receiver_expire_before(wzp_fec_receiver *receiver, uint8_t before);

void wzp_fec_receiver_count(const wzp_fec_receiver *receiver, wzp_fec_receiver_stats *out);
size_t wzp_fec_receiver_blocks(const wzp_fec_receiver *receiver); /* that are kept */

#endif
