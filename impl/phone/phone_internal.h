/* Shared by the files of the phone core; nobody else includes it. */
#ifndef WZP_PHONE_PHONE_INTERNAL_H
#define WZP_PHONE_PHONE_INTERNAL_H

#include "client/admission.h"
#include "crypto/handshake.h"
#include "phone/phone.h"

enum { CALL_ID_MAX = 128, NAME_MAX = 128 };

/* The signal connection. */
typedef enum phone_line {
    LINE_DIALS,
    LINE_REGISTERS,
    LINE_UP,
    LINE_WAITS, /* lost: until dial_at */
    LINE_ENDED
} phone_line;

/* The call. */
typedef enum phone_state {
    PHONE_IDLE,
    PHONE_CALLING,  /* we have offered */
    PHONE_RUNG,     /* somebody has */
    PHONE_ANSWERED, /* we have taken it: the relay sets it up */
    PHONE_TALKING
} phone_state;

struct wzp_phone {
    phone_state state;
    phone_line line;
    bool reconnects, was_registered, is_leaving;
    unsigned losses;   /* of the line since it was steady */
    wzp_time up_since; /* NEVER: it is not up */
    wzp_time dial_at;
    wzp_quic_path path;
    wzp_admission entry; /* as it is before a connection; its token is wiped when it was sent */
    uint32_t present;
    /* What was not told yet, in the order in which it is. */
    bool tell_registered, tell_presence, tell_ended, tell_incoming, tell_ringing, tell_set_up,
        tell_reflexive, tell_update, tell_path, tell_probe, tell_birthday, tell_away, tell_closed;
    bool rang, proven, is_plain, probes, celebrates;
    bool is_owner; /* of the endpoint */
    wzp_endpoint *endpoint;
    wzp_endpoint_user user;
    wzp_quic *quic; /* the endpoint's */
    wzp_quic_conn conn;
    wzp_log log;
    wzp_rng rng;
    void (*signal)(void *ctx, bool out, wzp_bytes json);
    void *signal_ctx;
    bool (*filter)(void *ctx, bool out, wzp_bytes json);
    void *filter_ctx;
    const char *refused; /* why this phone left before it registered */
    wzp_admission admission;
    wzp_identity identity;
    wzp_ephemeral ephemeral;
    wzp_addr relay;

    /* Paths: phone_paths.c. */
    wzp_call_addresses addresses; /* ours */
    wzp_call_address_fields fields;
    wzp_call_addresses peer_addresses;
    wzp_call_refused refused_addresses;
    wzp_time reflect_until; /* NEVER: nothing is asked */
    wzp_addr observed;
    uint32_t generation, peer_generation; /* of the last update */
    uint32_t answered_again;              /* a repeated update, of this number */
    uint32_t peer_race;                   /* of the report that is not told yet */
    bool is_caller;
    bool is_open; /* we tell them in this call */
    bool peer_is_able, peer_direct_ok;

    /* Ports: phone_probe.c. */
    bool has_probe;   /* ours was found */
    bool probe_said;  /* in this call */
    bool peer_probes; /* the other side will say its own */
    bool peer_celebrates;
    wzp_call_probe probe; /* ours */
    wzp_call_probe peer_probe;
    wzp_call_birthday peer_birthday;
    wzp_call_probe early_probe; /* of call `early_id`, of which we do not know yet; "": none */
    wzp_phone_counters counters;
    char early_id[CALL_ID_MAX + 1];

    char call_id[CALL_ID_MAX + 1];
    char alias[NAME_MAX], peer[WZP_FINGERPRINT_TEXT + 1], peer_alias[NAME_MAX];
    char room[WZP_QUIC_SNI_MAX + 1];
    char own_build[NAME_MAX];
    char build[NAME_MAX], ended[NAME_MAX], closed[192];
    wzp_signal *ack; /* by which it is registered; NULL: it never was */
};

/* False: it could not be sent, which is counted. */
bool wzp_phone_send(wzp_phone *p, const wzp_signal *signal);
bool wzp_phone_is_about(const wzp_phone *p, wzp_bytes call_id);
bool wzp_phone_is_call_id(wzp_bytes id);

/* --- phone_paths.c: where both sides can be reached, and what works --------------------------- */

/* Add our addresses and our build to a signal; what they point to lives until the next call. */
void wzp_phone_offer_paths(wzp_phone *p, wzp_signal_DirectCallOffer *offer);
void wzp_phone_answer_paths(wzp_phone *p, wzp_signal_DirectCallAnswer *answer);

void wzp_phone_name_build(wzp_phone *p);
/* What the other side's build says that it can do. */
void wzp_phone_read_marks(wzp_phone *p, const wzp_opt_str *build);
bool wzp_phone_has_mark(const wzp_opt_str *build, const char *mark);
void wzp_phone_set_up_paths(wzp_phone *p, const wzp_signal_CallSetup *setup);
void wzp_phone_on_path_signal(wzp_phone *p, const wzp_signal *signal);
/* False: nobody can, which is counted. */
bool wzp_phone_can_be_sent_to(wzp_phone *p, const wzp_addr *addr);
void wzp_phone_reflected(wzp_phone *p, wzp_addr observed);
void wzp_phone_forget_paths(wzp_phone *p);

/* --- phone_probe.c: what our NATs do with ports ------------------------------------------------
 */

/* If there is something to say, and it may be said, and was not. */
void wzp_phone_say_probe(wzp_phone *p);
void wzp_phone_on_probe(wzp_phone *p, const wzp_signal_HardNatProbe *probe);
void wzp_phone_on_birthday(wzp_phone *p, const wzp_signal_HardNatBirthdayStart *start);
void wzp_phone_adopt_early_probe(wzp_phone *p); /* an offer has come */
void wzp_phone_forget_probe(wzp_phone *p);

#endif
