/* The signal connection of wzp-client call and listen: a phone on a socket, its events as lines on
 * stderr. */
#ifndef WZP_BIN_CLIENT_HANDSET_H
#define WZP_BIN_CLIENT_HANDSET_H

#include "bin/client_options.h"
#include "client/phone.h"
#include "io/drive.h"

typedef struct wzp_handset {
    /* The owner fills in these; they stay with it. */
    const wzp_client_options *opts;
    wzp_addr relay;
    /* The call is taken: sound belongs into `room` at `relay`. */
    void (*on_set_up)(void *ctx, const char *room, const wzp_addr *relay);
    /* Once, when the call or the connection has ended.  `status` is the program's. */
    void (*on_ended)(void *ctx, int status);
    void *ctx;

    wzp_phone *phone;
    wzp_udp *udp;
    wzp_drive drive;
    bool registered, talked, told;
} wzp_handset;

/* Starts to connect.  0, or the exit status after a line about it. */
int wzp_handset_start(wzp_handset *handset, uv_loop_t *loop, const uint8_t seed[32]);

/* Hangs up; what is to be said about it leaves while the loop runs on. */
void wzp_handset_hangup(wzp_handset *handset);

/* The loop can end. */
void wzp_handset_stop(wzp_handset *handset);

void wzp_handset_free(wzp_handset *handset);

/* A socket towards the relay, on loopback if the relay is.  0, or the exit status. */
int wzp_handset_socket(wzp_udp **out, const wzp_addr *relay);

#endif
