/* A call to oneself over a relay: one client speaks, one listens, in a room of their own. */
#ifndef WZP_BIN_CLIENT_CLIENT_PAIR_H
#define WZP_BIN_CLIENT_CLIENT_PAIR_H

#include "bin/client/client_user.h"

typedef enum wzp_pair_end {
    WZP_PAIR_DONE,        /* said and heard to the end */
    WZP_PAIR_INTERRUPTED, /* by the user */
    WZP_PAIR_FAILED       /* .status says how, and a line was told about it */
} wzp_pair_end;

typedef struct wzp_pair {
    /* The owner's. */
    const wzp_client_options *opts;
    wzp_addr relay;
    double seconds; /* so long is spoken, once both are in the room */
    /* What is said, silence to begin with; `at` counts samples. */
    void (*say)(void *ctx, uint64_t at, int16_t *pcm, size_t samples, wzp_time now);
    void (*hear)(void *ctx, const wzp_client_event *ev, wzp_time now);
    /* Every `tick_ms` while it is spoken; may be NULL. */
    void (*tick)(void *ctx);
    uint32_t tick_ms;
    void *ctx;

    const uint8_t *seed; /* the speaker's */
    wzp_user speaker, listener;
    struct wzp_traces *traces; /* the listener's */
    uint64_t said;             /* samples */
    wzp_time began;
    int status;
    char room[40];
    uv_loop_t loop;
    uv_timer_t end, ticker, second;
    uv_signal_t interrupt;
    enum {
        WZP_PAIR_COMES,
        WZP_PAIR_SPEAKS,
        WZP_PAIR_SETTLES,
        WZP_PAIR_LEAVES,
        WZP_PAIR_GONE
    } state;
    wzp_pair_end how;
} wzp_pair;

/* Runs the whole call; `seed` is the speaker's and borrowed.  Free it afterwards, whatever it says.
 */
wzp_pair_end wzp_pair_run(wzp_pair *pair, const uint8_t seed[32]);
void wzp_pair_free(wzp_pair *pair);

#endif
