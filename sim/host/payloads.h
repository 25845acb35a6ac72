/* What a codec made, to be said instead of filler: Opus packets from a text, one a line in
 * hexadecimal; '#' begins a comment.
 *
 * A listener must know which frame it hears (speech.h), and a real payload does not say.  So each
 * packet gets one more extension in its padding (RFC 6716, 3.2.5), which decoders skip: it still is
 * an Opus packet, with the same sound, and longer by WZP_SIM_TAG_COST bytes. */
#ifndef WZP_SIM_HOST_PAYLOADS_H
#define WZP_SIM_HOST_PAYLOADS_H

#include "base/bytes.h"
#include "base/err.h"

#define WZP_SIM_TAG_LEN 30  /* bytes that a frame says about itself */
#define WZP_SIM_TAG_COST 34 /* bytes that a packet grows by at most; it must not exceed 512 */

typedef struct wzp_sim_payloads wzp_sim_payloads;

typedef struct wzp_sim_payload {
    wzp_bytes packet; /* with an empty tag; borrowed */
    size_t tag_at;
} wzp_sim_payload;

/* On failure fail->got is the line, from 1, and fail->field what is wrong with it.
 * PARSE (no hexadecimal, no Opus packet, frames of several durations, no packet at all),
 * OVERFLOW (too long with a tag), NOMEM */
WZP_MUST_USE wzp_err wzp_sim_payloads_parse(wzp_sim_payloads **out, wzp_bytes text, wzp_fail *fail);
void wzp_sim_payloads_free(wzp_sim_payloads **payloads);

size_t wzp_sim_payloads_count(const wzp_sim_payloads *payloads); /* at least 1 */
uint32_t wzp_sim_payloads_frame_ms(const wzp_sim_payloads *payloads);

/* The one for frame `number`, around and around. */
wzp_sim_payload wzp_sim_payloads_at(const wzp_sim_payloads *payloads, uint64_t number);

/* Where a packet's tag begins; 0: it has none. */
size_t wzp_sim_payload_tag_at(wzp_bytes packet);

#endif
