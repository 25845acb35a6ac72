/* What the soak test is made of: phones and clients of calls (soak_party.c), pairs of them and what
 * becomes of their calls (soak_pair.c), the verdict (soak_verdict.c).  Its schedule is in
 * relay_soak_test.c. */
#ifndef WZP_BIN_RELAY_TESTING_SOAK_H
#define WZP_BIN_RELAY_TESTING_SOAK_H

#include "bin/relay/testing/soak_relay.h"
#include "client/client.h"
#include "io/drive.h"
#include "phone/phone.h"

enum {
    SOAK_PAIRS = 12,
    SOAK_CALLS_OF_PAIR = 5, /* then both register anew, as others */
    SOAK_FRAMES = 25,       /* that each party hears of the other */
    SOAK_NAMES = 24
};

#define SOAK_GIVE_UP (120 * WZP_S)

/* Signals by name. */
typedef struct ledger {
    struct entry {
        char name[48];
        uint64_t out, in;
    } entries[SOAK_NAMES];
} ledger;

typedef enum fate { TALKS, IS_REJECTED, IS_GIVEN_UP, FATES } fate;

typedef enum pair_state { REGISTERING, IDLE, OFFERED, TALKING, ENDING, CLOSING } pair_state;

struct soak;

/* A phone, or the client of a call. */
typedef struct party {
    wzp_phone *phone;
    wzp_client *client;
    wzp_udp *udp;
    wzp_drive drive;
    struct soak *soak;
    bool registered, rung, set_up, ended, closed; /* rung: it rings there, or it is told so */
    bool may_close;
    unsigned heard;
    uint8_t seed[32];
    char room[WZP_QUIC_SNI_MAX + 1];
    struct party *next; /* of those that are let go */
} party;

typedef struct pair {
    pair_state state;
    fate fate;
    wzp_time since;
    unsigned calls;
    party *phones[2], *legs[2]; /* the caller's first */
} pair;

typedef struct measure {
    uint64_t heap, resident;
} measure;

typedef struct soak {
    soak_relay relay;
    uv_loop_t loop;
    uv_timer_t timer;
    pair pairs[SOAK_PAIRS];
    party *let_go;

    unsigned total, warm; /* calls to be made, and those of the first fifth */
    unsigned started, due[FATES], made[FATES];
    wzp_time next_at, worst_late, settling_since, stepped_at, watched_at, longest_wait;
    bool settling, connection_ended;
    measure first, last;
    unsigned registered, joined; /* phones, and clients of calls */
    uint64_t frames_sent, frames_heard;
    ledger phones, legs;
    char failure[256];
} soak;

/* The first failure is the verdict. */
void soak_fail(soak *s, const char *what, const char *detail);

struct entry *soak_entry(ledger *l, const char *name);

/* NULL: failed.  `caller` is the phone whose call it is, or NULL for a phone. */
party *soak_new_party(soak *s, const party *caller, wzp_time now);
/* The loop must run once more before soak_bury frees it. */
void soak_let_go(soak *s, party **p);
void soak_bury(soak *s);

void soak_register_pair(soak *s, pair *p, wzp_time now);
void soak_start_call(soak *s, pair *p, fate what, wzp_time now);
void soak_step_pair(soak *s, pair *p, wzp_time now);

/* Ends the relay, says what was counted and what came of it; the exit status. */
int soak_report(soak *s);

#endif
