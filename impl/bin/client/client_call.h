/* wzp-client call and listen without the sound: a handset on its sockets, what the system says of
 * the network for it, and its events as lines on stderr. */
#ifndef WZP_BIN_CLIENT_CLIENT_CALL_H
#define WZP_BIN_CLIENT_CLIENT_CALL_H

#include "bin/client/client_options.h"
#include "bin/client/client_stats.h"
#include "bin/client/client_stun.h"
#include "io/drive.h"
#include "io/netif.h"
#include "io/upnp.h"
#include "phone/handset.h"

typedef struct wzp_call_mode wzp_call_mode;

typedef struct wzp_call_mode_ops {
    /* The call is taken: a client for `room` that waits on `endpoint`; NULL: there is none, and the
     * program ends. */
    wzp_client *(*set_up)(void *ctx, const char *room, wzp_endpoint *endpoint);
    /* Sound goes, or goes another way: mode->way. */
    void (*path)(void *ctx);
    /* Once per turn while there is such a client: its events are to be pulled. */
    void (*turn)(void *ctx, wzp_time now);
    /* Once, when the call or the connection has ended.  `status` is the program's. */
    void (*ended)(void *ctx, int status);
} wzp_call_mode_ops;

struct wzp_call_mode {
    /* The owner fills in these; they stay with it. */
    const wzp_client_options *opts;
    wzp_addr relay;
    uv_loop_t *loop;
    const uint8_t *seed; /* 32 octets */
    const wzp_call_mode_ops *ops;
    void *ctx;

    wzp_client_way way; /* of the call; for statistics by wzp_call_mode_way */

    wzp_client_stun stun;
    wzp_handset *handset;
    wzp_udp_pair udp;
    wzp_udp_ports *ports; /* more sockets, if they may be opened; or NULL */
    wzp_drive drive;
    wzp_netif_watch watch;
    wzp_upnp *upnp;
    wzp_handset_net net;
    wzp_addr seen; /* as others see us; NONE: not known */
    wzp_time set_up_at;
    bool upnp_leaves; /* a mapping is being given back */
    bool registered, in_call, talked, told;
};

/* Starts to connect, once the names of STUN servers are known; what goes wrong is told by `ended`.
 */
void wzp_call_mode_start(wzp_call_mode *mode);

/* A command was given to the client: what it has to say leaves. */
void wzp_call_mode_kick(wzp_call_mode *mode);

/* Hangs up; what is to be said about it leaves while the loop runs on. */
void wzp_call_mode_hangup(wzp_call_mode *mode);

/* After a hangup: something is still under way that should not be cut off; ask again soon. */
bool wzp_call_mode_lingers(const wzp_call_mode *mode);

/* The way of the call, and what was refused so far, for statistics; the mode's. */
const wzp_client_way *wzp_call_mode_way(wzp_call_mode *mode);

/* The loop can end. */
void wzp_call_mode_stop(wzp_call_mode *mode);

/* After the client that set_up made. */
void wzp_call_mode_free(wzp_call_mode *mode);

#endif
