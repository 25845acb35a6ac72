/* Settings of the jitter buffer against one simulated network: nothing here reads a clock, and the
 * same draw gives the same figures. */
#ifndef WZP_BIN_CLIENT_CLIENT_SWEEP_H
#define WZP_BIN_CLIENT_CLIENT_SWEEP_H

#include <stdint.h>

#include "base/err.h"

typedef struct wzp_sweep_net {
    uint32_t loss_ppm;
    uint32_t jitter_us; /* the mean of what is added to each packet's way */
    uint32_t frames;    /* of 20 ms each */
    uint64_t draw;
} wzp_sweep_net;

typedef struct wzp_sweep_setting {
    uint32_t delay_ms;   /* from arrival to playout at least */
    uint32_t cap_frames; /* what the buffer holds at most */
} wzp_sweep_setting;

typedef struct wzp_sweep_result {
    uint32_t sent, received, played;
    uint32_t late, underruns, overruns; /* frames: came too late, were missing, had no room */
    uint32_t latency_us;                /* median, from being sent to being played */
} wzp_sweep_result;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_sweep_run(wzp_sweep_result *out, const wzp_sweep_net *net,
                                   const wzp_sweep_setting *setting);

#endif
