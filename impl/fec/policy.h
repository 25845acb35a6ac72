/* Which codecs are protected and how, and the rules that sender and receiver of blocks share.
 *
 * Codec-aware: Opus carries its own redundancy (DRED) and gets no repair packets, Codec2 gets
 * RaptorQ, comfort noise and video get nothing (media sheet 7.1).  Block and symbol index travel in
 * the header's fec_block, nothing else of the code does (7.3).  Pure functions. */
#ifndef WZP_FEC_POLICY_H
#define WZP_FEC_POLICY_H

#include "base/bytes.h"
#include "base/err.h"

#define WZP_FEC_SYMBOL_LEN 256 /* length prefix, frame, zeros */
#define WZP_FEC_PREFIX_LEN 2
#define WZP_FEC_FRAME_MAX (WZP_FEC_SYMBOL_LEN - WZP_FEC_PREFIX_LEN)
#define WZP_FEC_SYMBOLS_MAX 256     /* of a block: the index is one octet on the wire */
#define WZP_FEC_KEYFRAME_PERCENT 50 /* upstream's adaptive configuration (7.7) */
#define WZP_FEC_INTERLEAVE_DEPTH 3  /* blocks, nominal (7.4) */

typedef struct wzp_fec_policy {
    uint8_t codec_id;
    uint8_t ratio_percent; /* the header's fec_ratio */
    uint8_t source_count;  /* frames of a block: never signalled */
    uint8_t frame_len;     /* octets of each frame */
    uint8_t frame_ms;
} wzp_fec_policy;

/* NULL: the codec is not protected.  Any value is allowed. */
const wzp_fec_policy *wzp_fec_policy_of(uint8_t codec_id);

/* ceil(K * ratio), in integers.  That is what upstream's single precision gives for all blocks of
 * up to 24 frames; beyond, its product sometimes rounds up across an integer. */
size_t wzp_fec_repair_count(size_t source_count, unsigned ratio_percent);

/* A keyframe in the block replaces the ratio, even by a smaller one; 0 turns that off (7.7). */
unsigned wzp_fec_ratio_with_keyframe(unsigned ratio_percent, unsigned keyframe_percent,
                                     bool has_keyframe);

static inline uint16_t wzp_fec_word(uint8_t block, uint8_t index) {
    return (uint16_t)(index << 8 | block);
}

static inline uint8_t wzp_fec_block_of(uint16_t word) {
    return (uint8_t)word;
}

static inline uint8_t wzp_fec_index_of(uint16_t word) {
    return (uint8_t)(word >> 8);
}

/* Writes prefix, frame and zeros; frames are cut at WZP_FEC_FRAME_MAX.  Returns how many octets
 * stand before the zeros. */
size_t wzp_fec_symbol_write(uint8_t out[WZP_FEC_SYMBOL_LEN], wzp_bytes frame);

/* The frame in a symbol, a view into it: no longer than the symbol has room for.
 * WZP_ERR_TRUNCATED  no room for the prefix */
WZP_MUST_USE wzp_err wzp_fec_symbol_parse(wzp_bytes *frame, wzp_bytes symbol);

/* Upstream's window: ids 1..128 before `before` are expired, that one and 127 after it are not. */
bool wzp_fec_is_expired(uint8_t id, uint8_t before);

typedef struct wzp_fec_turn {
    size_t block, symbol;
} wzp_fec_turn;

/* The order of sending symbols of several blocks by turns: A0 B0 C0 A1 ...  `counts` are symbols of
 * each block.  Writes up to `cap` turns and returns how many there are.  In upstream a library
 * function, which nothing on the wire uses. */
size_t wzp_fec_interleave(const size_t *counts, size_t blocks, wzp_fec_turn *out, size_t cap);

#endif
