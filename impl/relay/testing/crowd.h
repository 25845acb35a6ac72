/* Test helper: a relay with as many sessions as wanted and no QUIC under them.  The linker's --wrap
 * puts the functions below in the place of the endpoint's, so link with crowd_link_options (see
 * CMakeLists.txt).  What the relay says to a guest is kept: how much, how often, and the last of
 * each kind. */
#ifndef WZP_RELAY_TESTING_CROWD_H
#define WZP_RELAY_TESTING_CROWD_H

#include "relay/internal.h"

typedef struct crowd_guest {
    session *session; /* NULL: gone */
    bool is_closed;   /* the relay closed it: it hears nothing any more */
    size_t signals, lists;
    uint64_t bytes;
    char *last;            /* JSON, owned */
    wzp_quic_shared *list; /* the last PresenceList, one reference */
    int64_t list_stream;   /* not yet acknowledged; 0: none */
} crowd_guest;

typedef struct crowd {
    wzp_relay *relay;
    wzp_prng prng;
    wzp_time now;
    crowd_guest *guests;
    size_t count, cap;
    uint64_t bytes; /* to all */

    /* May be NULL.  Whatever a guest hears, as it is said. */
    void (*on_heard)(void *ctx, size_t guest, wzp_bytes json);
    void *ctx;
} crowd;

/* One at a time: the wrapped functions find it. */
crowd *crowd_new(const wzp_relay_cfg *cfg, size_t cap);
void crowd_free(crowd **c);

/* A connection by SNI; returns the guest's number. */
size_t crowd_arrive(crowd *c, const char *sni);
void crowd_leave(crowd *c, size_t guest);

/* Nothing happens if the guest is gone. */
void crowd_say(crowd *c, size_t guest, const char *json);

/* The relay is told that connections which it closed are gone. */
void crowd_settle(crowd *c);

/* RegisterPresence with a key that is made of `number`, and its fingerprint. */
void crowd_register(crowd *c, size_t guest, size_t number, const char *alias);
void crowd_fingerprint(char out[WZP_FINGERPRINT_TEXT + 1], size_t number);

/* Time passes from one deadline of the relay to the next, and at its end; lists that are on their
 * way are then acknowledged if `acks`. */
void crowd_pass(crowd *c, uint64_t duration, bool acks);

/* The JSON of the guest's last PresenceList; "" if there was none. */
const char *crowd_list(const crowd *c, size_t guest);

#endif
