/* RaptorQ around Codec2 frames, as far as a stream without reordering needs it: blocks of K frames,
 * each with its length in front, and R repair symbols behind the last one (media sheet 7.2). */
#ifndef WZP_TOOLS_LOSS_FEC_H
#define WZP_TOOLS_LOSS_FEC_H

#include "base/bytes.h"
#include "base/err.h"
#include "wire/media.h"

#define WZP_LOSS_FEC_MAX 8 /* frames of the longer block, and repairs */

typedef struct wzp_loss_fec wzp_loss_fec;

/* WZP_ERR_INVALID_ARGUMENT: not Codec2; WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_loss_fec_new(wzp_loss_fec **out, uint8_t codec);
void wzp_loss_fec_free(wzp_loss_fec **fec); /* accepts NULL, leaves NULL */

/* The next frame of the block is sent, and arrives or does not. */
WZP_MUST_USE wzp_err wzp_loss_fec_frame(wzp_loss_fec *fec, const wzp_media_hdr *hdr,
                                        wzp_bytes frame, bool arrives);

/* How many repair packets follow the frame that was just sent: 0 until the block is whole. */
size_t wzp_loss_fec_repairs(const wzp_loss_fec *fec);

/* Repair packet `i` of them arrives. */
WZP_MUST_USE wzp_err wzp_loss_fec_repair(wzp_loss_fec *fec, size_t i);

/* A frame that did not arrive and is known by now; each is told once.  Borrowed until the next
 * block. */
bool wzp_loss_fec_next(wzp_loss_fec *fec, wzp_media_hdr *hdr, wzp_bytes *frame);

#endif
