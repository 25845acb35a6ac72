/* How much of the past an Opus encoder is to repeat (DRED), and which loss it is to expect, from
 * what the path does (media sheet 5.3).  In single precision throughout, each operation rounded on
 * its own: vectors depend on it.
 *
 * Plain struct, no memory. */
#ifndef WZP_ADAPT_DRED_TUNER_H
#define WZP_ADAPT_DRED_TUNER_H

#include <stdbool.h>
#include <stdint.h>

#include "adapt/policy.h"

#define WZP_DRED_EVERY 25      /* frames between two updates */
#define WZP_DRED_LOSS_FLOOR 15 /* what the encoder expects at least: see media sheet 2.2 */
#define WZP_DRED_SPIKE_UPDATES 10

typedef struct wzp_dred_setting {
    uint8_t frames;            /* of 10 ms */
    uint8_t expected_loss_pct; /* before the encoder's floor */
} wzp_dred_setting;

typedef struct wzp_dred_tuner {
    wzp_adapt_policy policy;
    uint8_t codec;
    unsigned frames; /* since the last update was due */
    bool has_jitter;
    float jitter; /* quick to rise, slow to fall; ms */
    uint8_t cooldown;
    bool has_last;
    wzp_dred_setting last;
} wzp_dred_tuner;

void wzp_dred_tuner_init(wzp_dred_tuner *tuner, wzp_adapt_policy policy, uint8_t codec);

/* A profile was applied, which has set the encoder anew: REFERENCE tells it its setting at the next
 * update in any case, DEPLOYED only if it differs from that of the codec before. */
void wzp_dred_tuner_set_codec(wzp_dred_tuner *tuner, uint8_t codec);

/* A frame was captured: true if an update is due. */
bool wzp_dred_tuner_frame(wzp_dred_tuner *tuner);

/* The path is another one: as after a spike of jitter, the next updates call for the ceiling. */
void wzp_dred_tuner_boost(wzp_dred_tuner *tuner);

/* True if *out is to be applied; never for a codec other than Opus. */
bool wzp_dred_tuner_update(wzp_dred_tuner *tuner, float loss_pct, uint32_t rtt_ms,
                           uint32_t jitter_ms, wzp_dred_setting *out);

#endif
