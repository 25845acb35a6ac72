/* Frames of sound that a client must be able to play, recorded: what cases about its ears send. */
#ifndef WZP_CONFORMANCE_CASES_CLIENT_SOUNDS_H
#define WZP_CONFORMANCE_CASES_CLIENT_SOUNDS_H

#include "base/bytes.h"
#include "wire/registry.h"

enum {
    WZP_CT_SOUND_MAX = 128,
    WZP_CT_DRED_STRANGE = 99, /* a version that no libopus has */
    WZP_CT_SOURCES_3200 = 5,
    WZP_CT_REPAIRS_3200 = 3,
    WZP_CT_SOURCES_1200 = 8,
    WZP_CT_REPAIRS_1200 = 8
};

/* Frame `i` of a codec of audio, over and over.  Those of Opus have no DRED, and those of Codec2
 * are blocks: frame 0 is a block's first. */
wzp_bytes wzp_ct_sound(uint8_t codec, uint32_t i);

/* Opus at 24 kbit/s with DRED of version 10, as libopus 1.5 has it, and with one of the future. */
wzp_bytes wzp_ct_sound_with_dred(uint32_t i);
wzp_bytes wzp_ct_sound_with_strange_dred(uint32_t i, uint8_t out[WZP_CT_SOUND_MAX]);

/* Repair symbol `i` of such a block, without the zeros at its end. */
wzp_bytes wzp_ct_sound_repair(uint8_t codec, uint32_t i);

#endif
