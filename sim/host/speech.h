/* Speech that can be told apart: a coded frame that says who sent it, when, and which one it is.
 *
 * Numbers count 20 ms slots of the sender's media clock, silences included, so that a listener
 * knows without asking which slots it should have heard. */
#ifndef WZP_SIM_HOST_SPEECH_H
#define WZP_SIM_HOST_SPEECH_H

#include "base/bytes.h"
#include "base/time.h"
#include "sim/host/payloads.h"

typedef struct wzp_sim_speech {
    uint32_t sender;
    uint32_t number;        /* of its first slot */
    uint8_t slots;          /* 20 ms each: 1, or 2 for the codecs of 40 ms */
    uint8_t dred;           /* slots before its first whose sound it holds as well */
    uint16_t talk, silence; /* its pattern in slots; silence 0: it never pauses */
    uint32_t end;           /* nothing is said from this slot on; UINT32_MAX: nobody knows yet */
    wzp_time sent;          /* on the network's clock */
} wzp_sim_speech;

#define WZP_SIM_SPEECH_MIN WZP_SIM_TAG_LEN /* bytes of the shortest frame */

/* Fills out[len] with the frame and filler that depends on it; false if `len` is too short. */
bool wzp_sim_speech_write(uint8_t *out, size_t len, const wzp_sim_speech *speech);

/* The same in the tag of a codec's payload: fills out[payload.packet.len]. */
void wzp_sim_speech_wrap(uint8_t *out, wzp_sim_payload payload, const wzp_sim_speech *speech);

/* Of either kind.  False: not a frame of ours, or not every byte is as it was written.  Then `out`
 * is untouched. */
bool wzp_sim_speech_parse(wzp_sim_speech *out, wzp_bytes payload);

/* Codec2's frames are too short for that: of WZP_SIM_SPEECH_SHORT bytes, or two more for those of
 * one slot, they say who and which one.  False: the sender's number is above
 * WZP_SIM_SPEECH_SHORT_ID, or `len` is another. */
#define WZP_SIM_SPEECH_SHORT 6
#define WZP_SIM_SPEECH_SHORT_ID 255
bool wzp_sim_speech_write_short(uint8_t *out, size_t len, const wzp_sim_speech *speech);

/* The rest is as in `before`, an earlier or later frame of the same sender, with the time that lies
 * between them: false if it is of another, or this is no such frame.  NULL: none is known; the
 * frame was said just now, by somebody who never pauses. */
bool wzp_sim_speech_parse_short(wzp_sim_speech *out, wzp_bytes payload,
                                const wzp_sim_speech *before, wzp_time now);

/* Whose it seems to be; UINT32_MAX: it is no short frame. */
uint32_t wzp_sim_speech_short_id(wzp_bytes payload);

/* Did the sender of `of` say something in slot `number`? */
bool wzp_sim_speech_spoken(const wzp_sim_speech *of, uint32_t number);

/* How many of the slots 0..number-1 had something said in them. */
uint32_t wzp_sim_speech_spoken_before(const wzp_sim_speech *of, uint32_t number);

#endif
