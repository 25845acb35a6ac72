/* The sending side of a protected stream: gathers frames into blocks and gives the repair symbols
 * of each block that is full (media sheet 7.2, 7.3, 7.6, 7.7).
 *
 * Sans-IO, one instance for a stream and codec, not thread-safe.  Memory is reserved by _new. */
#ifndef WZP_FEC_SENDER_H
#define WZP_FEC_SENDER_H

#include "fec/policy.h"

typedef struct wzp_fec_sender wzp_fec_sender;

typedef struct wzp_fec_sender_cfg {
    size_t source_count;       /* K */
    unsigned ratio_percent;    /* of repair symbols */
    unsigned keyframe_percent; /* instead, for blocks with a keyframe; 0: never */
    /* As deployed: repair symbols of 256 octets though most are zeros, and a block that is
     * abandoned leaves its id to the next one.  Both can be decoded by everybody. */
    bool as_deployed;
} wzp_fec_sender_cfg;

/* WZP_ERR_FEC_BLOCK_SIZE  K is 0, or with the repair symbols more than WZP_FEC_SYMBOLS_MAX
 * WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_fec_sender_new(wzp_fec_sender **out, const wzp_fec_sender_cfg *cfg);
void wzp_fec_sender_free(wzp_fec_sender **sender);

/* Takes the frame of one source packet and gives the packet's fec_block.  The packet carries the
 * bare frame; what is copied here has a prefix and is cut at WZP_FEC_FRAME_MAX.
 * WZP_ERR_PEER_STATE  the block is full: its repair symbols were not all taken */
WZP_MUST_USE wzp_err wzp_fec_sender_push(wzp_fec_sender *sender, wzp_bytes frame, bool is_keyframe,
                                         uint16_t *fec_block);

/* The next repair symbol of a full block, to be sent at once: fec_block and payload of its packet,
 * a view that is valid until the next call.  False when there is none; the block has then ended and
 * the next frame begins another one. */
bool wzp_fec_sender_next_repair(wzp_fec_sender *sender, uint16_t *fec_block, wzp_bytes *payload);

/* Gives the open block up, when the profile changes: it gets no repair symbols. */
void wzp_fec_sender_abandon(wzp_fec_sender *sender);

/* Of the next frame. */
uint8_t wzp_fec_sender_block(const wzp_fec_sender *sender);

/* Goes on with a block id where another sender of the same stream stopped; no block is open. */
void wzp_fec_sender_resume(wzp_fec_sender *sender, uint8_t block);

#endif
