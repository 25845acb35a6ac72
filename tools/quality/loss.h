/* Speech through a network that loses packets in bursts, with all that a client has against it but
 * the network's delay: encoder, jitter buffer, decoder.  What comes out is measured against what
 * was said.  The same for the same seed. */
#ifndef WZP_TOOLS_LOSS_H
#define WZP_TOOLS_LOSS_H

#include <stdbool.h>

#include "tools/quality/quality.h"

typedef struct wzp_loss_cfg {
    uint8_t codec;
    bool dred;           /* false: what is missing is concealed, whatever came with other packets */
    bool tuned;          /* DRED duration and expected loss as the tuner would have them */
    bool fec;            /* Codec2: repair packets for each block of frames */
    uint32_t loss_ppm;   /* of packets, in the long run */
    uint32_t mean_burst; /* packets, of a Gilbert-Elliott channel that loses all while it is bad */
    uint32_t playout_ms; /* delay of the jitter buffer; 0: its default */
    uint64_t seed;
} wzp_loss_cfg;

typedef struct wzp_loss_result {
    uint64_t frames, lost; /* said, and of them not arrived */
    uint64_t rebuilt;      /* by DRED or repair packets */
    uint64_t concealed;    /* neither arrived nor rebuilt, or too late */
    uint32_t longest_ms;   /* between two frames that arrived or were rebuilt */
    wzp_quality quality;
} wzp_loss_result;

/* pcm[len] at 48 kHz.
 * WZP_ERR_INVALID_ARGUMENT  no audio codec of this build, or nobody speaks
 * WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_loss_run(wzp_loss_result *out, const wzp_loss_cfg *cfg, const int16_t *pcm,
                                  size_t len);

#endif
