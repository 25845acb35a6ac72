/* The STUN servers of call and listen, from their names. */
#ifndef WZP_BIN_CLIENT_CLIENT_STUN_H
#define WZP_BIN_CLIENT_CLIENT_STUN_H

#include <uv.h>

#include "bin/client/client_options.h"

#define WZP_CLIENT_STUN_WAIT_MS 1000

typedef struct wzp_client_stun {
    wzp_addr servers[WZP_STUN_SERVERS_MAX];
    size_t count;

    uv_getaddrinfo_t asked[WZP_STUN_SERVERS_MAX];
    size_t asked_count, waiting;
    uv_timer_t patience;
    void (*done)(void *ctx);
    void *ctx;
    bool is_quiet, is_done;
} wzp_client_stun;

/* Looks for those that the command line names, or, if it names none and the relay is one on the
 * internet, for those that deployed clients ask.  `done` is called once, perhaps before this
 * returns, at the latest after WZP_CLIENT_STUN_WAIT_MS; what is not found by then is left out, with
 * a line about it unless nobody asked for it.  The object must stay where it is while the loop
 * runs. */
void wzp_client_stun_find(wzp_client_stun *stun, uv_loop_t *loop, const wzp_client_options *opts,
                          const wzp_addr *relay, void (*done)(void *ctx), void *ctx);

/* The loop can end; `done` is not called any more. */
void wzp_client_stun_stop(wzp_client_stun *stun);

#endif
