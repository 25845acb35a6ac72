/* One client core of wzp-client: on a socket of its own, or as the sound of a call on that of a
 * handset.  What it says and hears is its owner's. */
#ifndef WZP_BIN_CLIENT_CLIENT_USER_H
#define WZP_BIN_CLIENT_CLIENT_USER_H

#include "bin/client/client_options.h"
#include "client/client.h"
#include "io/drive.h"

typedef struct wzp_user wzp_user;

typedef struct wzp_user_ops {
    /* Fills pcm[samples].  False: nothing is sent, now or later. */
    bool (*say)(void *ctx, int16_t *pcm, size_t samples, wzp_time now);
    void (*hear)(void *ctx, const wzp_client_event *ev, wzp_time now);
    /* ROOM: somebody came or went (`members`); HANGUP (`hangup`); CLOSED. */
    void (*news)(void *ctx, wzp_user *user, wzp_client_event_kind what);
    /* It is over although nobody here has ended it; `status` is the program's. */
    void (*gone)(void *ctx, int status);
} wzp_user_ops;

struct wzp_user {
    /* The owner's. */
    const wzp_client_options *opts;
    const char *room;
    wzp_addr relay;
    wzp_endpoint *endpoint; /* a handset's; NULL: there is none */
    /* NULL: those of the options.  Two endpoints give their connections the same handles. */
    struct wzp_traces *traces;
    const wzp_user_ops *ops;
    void *ctx;

    wzp_client *client;
    wzp_udp *udp;
    wzp_drive drive;
    bool joined, ended, closed;
    uint32_t members;
    char hangup[192];       /* "": none */
    wzp_client_stats stats; /* as they were before the hangup */
};

/* Starts to connect; on an endpoint it waits to be told its path.  0, or the exit status after a
 * line about it. */
int wzp_user_start(wzp_user *user, uv_loop_t *loop, const uint8_t seed[32]);

/* On an endpoint, in each of its turns. */
void wzp_user_turn(wzp_user *user, wzp_time now);

/* Now; after the end, as they were then. */
void wzp_user_count(const wzp_user *user, wzp_client_stats *out);

/* Says good-bye, which leaves while the loop runs on. */
void wzp_user_hangup(wzp_user *user);

/* The loop can end. */
void wzp_user_stop(wzp_user *user);
void wzp_user_free(wzp_user *user);

#endif
