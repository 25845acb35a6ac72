/* Repair packets of a stream of sound, as header fields and packets: what a client adds when it
 * sends, and what it gets back for frames that were lost (media sheet 2.1, 7).  The code itself is
 * in fec/.
 *
 * Any audio codec may come at any frame; only Codec2 is protected.  Sans-IO; memory is reserved at
 * creation, about 60 KiB for each direction; not thread-safe. */
#ifndef WZP_MEDIA_REPAIR_H
#define WZP_MEDIA_REPAIR_H

#include "base/time.h"
#include "fec/receiver.h"
#include "wire/media.h"

/* --- sending ---------------------------------------------------------------------------------- */

typedef struct wzp_repair_out wzp_repair_out;

/* `as_deployed`: see fec/sender.h.  WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_repair_out_new(wzp_repair_out **out, bool as_deployed);
void wzp_repair_out_free(wzp_repair_out **out); /* accepts NULL, leaves NULL */

/* Sets fec_ratio and fec_block of a packet that is about to be sent, by its codec.  Comfort noise
 * gets the block's id, as deployed, and takes no part in it; Opus gets zeros.  A codec that changes
 * ends the open block without repair packets. */
void wzp_repair_out_source(wzp_repair_out *repair, wzp_media_hdr *hdr, wzp_bytes frame);

/* The next repair packet, to be sent right behind the source packet that filled its block: false
 * when there is none.  Takes a sequence number of the stream for each.  The payload is valid until
 * the next call. */
bool wzp_repair_out_next(wzp_repair_out *repair, uint32_t *next_seq, wzp_media_packet *out);

/* --- receiving -------------------------------------------------------------------------------- */

typedef struct wzp_repair_in wzp_repair_in;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_repair_in_new(wzp_repair_in **out);
void wzp_repair_in_free(wzp_repair_in **in);

/* A packet of this sender has arrived, source or repair; others than Codec2's are passed over.
 * Repair packets have nothing to be played: do not put them into a jitter buffer. */
void wzp_repair_in_packet(wzp_repair_in *repair, const wzp_media_packet *packet, wzp_time now);

/* The frames that this packet has brought back, as the source packets that were lost: put them into
 * the jitter buffer.  The payload is valid until the next packet. */
bool wzp_repair_in_next(wzp_repair_in *repair, wzp_media_packet *out);

/* Of both codecs together. */
void wzp_repair_in_count(const wzp_repair_in *repair, wzp_fec_receiver_stats *out);

#endif
