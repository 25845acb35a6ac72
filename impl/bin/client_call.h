/* The signal connection of wzp-client call and listen: a phone on a socket, its events as lines on
 * stderr. */
#ifndef WZP_BIN_CLIENT_CALL_H
#define WZP_BIN_CLIENT_CALL_H

#include "bin/client_options.h"
#include "client/phone.h"
#include "io/drive.h"

typedef struct wzp_call_mode {
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
} wzp_call_mode;

/* Starts to connect.  0, or the exit status after a line about it. */
int wzp_call_mode_start(wzp_call_mode *mode, uv_loop_t *loop, const uint8_t seed[32]);

/* Hangs up; what is to be said about it leaves while the loop runs on. */
void wzp_call_mode_hangup(wzp_call_mode *mode);

/* The loop can end. */
void wzp_call_mode_stop(wzp_call_mode *mode);

void wzp_call_mode_free(wzp_call_mode *mode);

/* A socket towards the relay, on loopback if the relay is.  0, or the exit status. */
int wzp_client_socket(wzp_udp **out, const wzp_addr *relay);

#endif
