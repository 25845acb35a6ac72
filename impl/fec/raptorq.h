/* RaptorQ (RFC 6330): a block of K equal symbols becomes as many as one likes, and any K of those
 * give the block back, save one time in a hundred; with two more, one in a million.
 *
 * In scope is the code itself (section 5): systematic, any K of 1..56403, any symbol length, one
 * source block that is not cut into sub-blocks (N = 1).  Out of scope is what carries objects
 * (sections 3 and 4): partitioning, Object Transmission Information, FEC Payload Ids.  WZP sends
 * none of those (media sheet 7.2).
 *
 * Sans-IO.  Memory is reserved by the functions named _new; no later call allocates.  Encoders and
 * decoders are not thread-safe, a plan is constant and may be shared by any number of encoders
 * and threads.  Symbols are columns of octets that do not mix: a block of zero-padded symbols may
 * be coded as the shorter one without its padding.  Media sheet 8. */
#ifndef WZP_FEC_RAPTORQ_H
#define WZP_FEC_RAPTORQ_H

#include "fec/params.h"

/* What is to be done to encode blocks of K symbols, worked out once: about 60 octets for each
 * symbol and at least 3 KiB. */
typedef struct wzp_rq_plan wzp_rq_plan;

/* Returned: free it after its encoders.
 * WZP_ERR_FEC_BLOCK_SIZE  K is 0 or more than 56403
 * WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_rq_plan_new(wzp_rq_plan **out, size_t source_count);
void wzp_rq_plan_free(wzp_rq_plan **plan);
const wzp_rq_params *wzp_rq_plan_params(const wzp_rq_plan *plan);
size_t wzp_rq_plan_size(const wzp_rq_plan *plan); /* octets */

typedef struct wzp_rq_encoder wzp_rq_encoder;

/* `plan` is borrowed for the life of the encoder.
 * WZP_ERR_FEC_SYMBOL_SIZE  the longest symbol is to be 0 octets
 * WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_rq_encoder_new(wzp_rq_encoder **out, const wzp_rq_plan *plan,
                                        size_t cap_symbol_len);
void wzp_rq_encoder_free(wzp_rq_encoder **encoder);

/* Begins a block: `sources` are K symbols of `symbol_len` octets one behind the other, borrowed for
 * the call.
 * WZP_ERR_FEC_SYMBOL_SIZE  0, or longer than the encoder allows; the former block stays */
WZP_MUST_USE wzp_err wzp_rq_encoder_load(wzp_rq_encoder *encoder, const uint8_t *sources,
                                         size_t symbol_len);

/* Writes symbol `esi` of the block: a source symbol below K, a repair symbol from there.
 * WZP_ERR_PEER_STATE       no block was loaded
 * WZP_ERR_FEC_SYMBOL_ID    beyond WZP_RQ_ESI_MAX
 * WZP_ERR_FEC_SYMBOL_SIZE  `len` is not the block's */
WZP_MUST_USE wzp_err wzp_rq_encoder_symbol(wzp_rq_encoder *encoder, uint32_t esi, uint8_t *out,
                                           size_t len);

/* The L intermediate symbols of the block, for tests: a view of symbol `i`, valid until the next
 * load; empty if there is none. */
wzp_bytes wzp_rq_encoder_intermediate(const wzp_rq_encoder *encoder, size_t i);

typedef struct wzp_rq_decoder wzp_rq_decoder;

typedef struct wzp_rq_decoder_cfg {
    size_t cap_sources;    /* largest K */
    size_t cap_repairs;    /* repair symbols that are kept for a block */
    size_t cap_symbol_len; /* octets */
} wzp_rq_decoder_cfg;

/* WZP_ERR_FEC_BLOCK_SIZE, WZP_ERR_FEC_SYMBOL_SIZE, WZP_ERR_NOMEM as above. */
WZP_MUST_USE wzp_err wzp_rq_decoder_new(wzp_rq_decoder **out, const wzp_rq_decoder_cfg *cfg);
void wzp_rq_decoder_free(wzp_rq_decoder **decoder);
size_t wzp_rq_decoder_size(const wzp_rq_decoder *decoder); /* octets */

/* Forgets the former block and begins one.  On failure there is no block.
 * WZP_ERR_FEC_BLOCK_SIZE   K is 0 or more than cap_sources
 * WZP_ERR_FEC_SYMBOL_SIZE  0, or longer than cap_symbol_len */
WZP_MUST_USE wzp_err wzp_rq_decoder_begin(wzp_rq_decoder *decoder, size_t source_count,
                                          size_t symbol_len);

/* Adds one symbol; it is copied.  Nothing changes on failure.
 * WZP_ERR_PEER_STATE       there is no block
 * WZP_ERR_FEC_SYMBOL_ID    beyond WZP_RQ_ESI_MAX
 * WZP_ERR_FEC_SYMBOL_SIZE  another length than the block's
 * WZP_ERR_FEC_DUPLICATE    there already, or recovered
 * WZP_ERR_QUEUE_FULL       cap_repairs are kept */
WZP_MUST_USE wzp_err wzp_rq_decoder_add(wzp_rq_decoder *decoder, uint32_t esi, wzp_bytes symbol);

/* Recovers what is missing of the source symbols.  Costs next to nothing while there are fewer
 * than K symbols, or all of the sources.
 * WZP_ERR_PEER_STATE  there is no block
 * WZP_ERR_FEC_RANK    not yet: add more and try again */
WZP_MUST_USE wzp_err wzp_rq_decoder_solve(wzp_rq_decoder *decoder);

/* Symbols received, of both kinds. */
size_t wzp_rq_decoder_count(const wzp_rq_decoder *decoder);

/* Source symbol `i`, received or recovered; empty while it is neither.  Borrowed until begin or
 * free; symbols follow each other without a gap, so that after success the first one's address is
 * that of the whole block. */
wzp_bytes wzp_rq_decoder_source(const wzp_rq_decoder *decoder, size_t i);

#endif
