/* The client under test, when the testers play the relay: who starts it, and what it says of
 * itself.  Each run of a case has one of its own. */
#ifndef WZP_CONFORMANCE_ENGINE_SUBJECT_H
#define WZP_CONFORMANCE_ENGINE_SUBJECT_H

#include "base/addr.h"

typedef struct wzp_ct_subject wzp_ct_subject;

/* What it is started for. */
typedef enum wzp_ct_client_mode {
    WZP_CT_JOINS,   /* takes part in a room */
    WZP_CT_LISTENS, /* registers and takes the first call */
    WZP_CT_CALLS,   /* registers and calls `peer` */
    WZP_CT_CHECKS,  /* looks at its network, says what it found on standard output, and ends */
} wzp_ct_client_mode;

/* How it takes a call (nat sheet 1.11), and which path it may use. */
typedef enum wzp_ct_answer { WZP_CT_TRUSTS, WZP_CT_TELLS_NOTHING } wzp_ct_answer;
typedef enum wzp_ct_paths { WZP_CT_ANY_PATH, WZP_CT_DIRECT_ONLY } wzp_ct_paths;

/* What it is told when it is started. */
typedef struct wzp_ct_invitation {
    wzp_addr addr;    /* of the relay, which the testers are */
    const char *room; /* JOINS; borrowed for the call */
    const char *peer; /* CALLS: a fingerprint; borrowed for the call */
    wzp_ct_client_mode mode;
    wzp_ct_answer answer;
    wzp_ct_paths paths;
    wzp_addr stun;       /* a STUN server, which the testers are; NONE: there is none */
    wzp_addr stun2;      /* another one, likewise */
    bool as_json;        /* CHECKS: what it says, otherwise text */
    wzp_addr gateway;    /* that gives out ports, which the testers are; NONE: there is none */
    bool sealed;         /* media as relay-aead, otherwise in clear */
    bool hears;          /* what it plays is what matters */
    const char *quality; /* static text: "auto", or a fixed one (media sheet 1.2): "good" */
    bool quiet;          /* it has nothing to say, and should leave silence out if it can */
} wzp_ct_invitation;

enum { WZP_CT_TELLS_PLAYED = 1, WZP_CT_TELLS_CONCEALED = 2, WZP_CT_TELLS_RECOVERED = 4 };

/* What it last said (docs/CONFORMANCE.md, "Testing a client").  Only `opened` is needed by cases;
 * what it does not tell is 0. */
typedef struct wzp_ct_sayings {
    bool speaks; /* it has told `opened` */
    uint64_t opened, forged, replayed, undecryptable, rekeys;
    unsigned tells; /* WZP_CT_TELLS_*, of those that follow: frames of others */
    uint64_t played, concealed, recovered;
    char hangup[96]; /* "PolicyViolation Bitrate"; "": none */
} wzp_ct_sayings;

/* What it has written on standard output so far. */
typedef struct wzp_ct_words {
    const char *text; /* borrowed until it is asked again; cut */
    bool has_ended;
    int status; /* of its program, then */
} wzp_ct_words;

typedef enum wzp_ct_fate { WZP_CT_RUNS, WZP_CT_EXITED, WZP_CT_CRASHED } wzp_ct_fate;

/* How far a change of its network is. */
typedef enum wzp_ct_moving {
    WZP_CT_CANNOT_MOVE, /* nobody can do that */
    WZP_CT_MOVES,       /* not done yet */
    WZP_CT_HAS_MOVED,
    WZP_CT_MOVE_FAILED /* this machine could not; said on standard error */
} wzp_ct_moving;

typedef struct wzp_ct_client_ops {
    /* NULL, or what it cannot be told of that: the case is then SKIP.  Addresses and room are not
     * known yet. */
    const char *(*lacks)(void *ctx, const wzp_ct_invitation *to);
    /* Called while no core is being served.  NULL: this machine could not. */
    wzp_ct_subject *(*start)(void *ctx, const wzp_ct_invitation *to);
    void (*listen)(void *ctx, wzp_ct_subject *subject, wzp_ct_sayings *out);
    wzp_ct_fate (*fate)(void *ctx, wzp_ct_subject *subject);
    /* CHECKS. */
    void (*words)(void *ctx, wzp_ct_subject *subject, wzp_ct_words *out);
    /* Its network becomes another one: it gets other addresses.  Once; called again until that is
     * done. */
    wzp_ct_moving (*move)(void *ctx, wzp_ct_subject *subject);
    /* Ends and frees it. */
    void (*end)(void *ctx, wzp_ct_subject *subject);
} wzp_ct_client_ops;

#endif
