/* The phone core: a client's signal connection, over which direct calls are placed and taken (relay
 * sheet 8).  It registers, rings and ends calls; the sound of a call goes over a connection of its
 * own, a wzp_client in the room that SET_UP names.
 *
 * A phone that `reconnects` looks for a connection that it has lost at once, then after 1, 2, 4, 8,
 * 15 and from then on 30 s, counted from each failure, until it is registered or closed (nat
 * sheet 1.19).  One that is lost again within WZP_PHONE_STEADY after that is a failure as well.
 *
 * Sans-IO, one thread, bounded memory.  One call at a time: a second caller hears Busy. */
#ifndef WZP_PHONE_PHONE_H
#define WZP_PHONE_PHONE_H

#include "call/addresses.h"
#include "call/endpoint.h"
#include "call/hard_nat.h"
#include "crypto/identity.h"
#include "wire/signal.h"

typedef struct wzp_phone wzp_phone;

#define WZP_PHONE_STEADY (10 * WZP_S)

typedef struct wzp_phone_cfg {
    wzp_rng rng;
    wzp_log log;
    uint8_t seed[32];       /* identity; the phone wipes its copy once the keys are made */
    const char *alias;      /* NULL: none */
    const char *token;      /* see admission.h; NULL: none */
    const uint8_t *pin;     /* SHA-256 of the relay's certificate; NULL: any will do */
    wzp_quic_path path;     /* remote: the relay */
    wzp_endpoint *endpoint; /* shared with others, and outlives the phone; NULL: one of its own, for
                               which the rest is */
    bool is_plain;          /* as upstream's: not WZP_PHONE_ABLE */
    bool probes;            /* wzp_phone_set_probe will be called: WZP_PHONE_PROBES */
    bool celebrates;        /* takes part in birthdays: WZP_PHONE_CELEBRATES */
    bool reconnects;        /* once registered: the connection is looked for when it is lost */
    bool deterministic;
    void (*keylog)(void *ctx, wzp_quic_conn conn, const char *line);
    void *keylog_ctx;
    void (*qlog)(void *ctx, wzp_quic_conn conn, wzp_bytes data, bool fin);
    void *qlog_ctx;
    /* Sees every signal that leaves (`out`) or has come; may be NULL. */
    void (*signal)(void *ctx, bool out, wzp_bytes json);
    void *signal_ctx;
    /* Sees every signal before it leaves (`out`) or is read; false keeps it back, and a copy of
     * `json` may then be given to wzp_phone_signal.  For simulators; may be NULL. */
    bool (*filter)(void *ctx, bool out, wzp_bytes json);
    void *filter_ctx;
} wzp_phone_cfg;

/* Starts to connect.  WZP_ERR_INVALID_ARGUMENT (token), NOMEM, CRYPTO_LIB. */
WZP_MUST_USE wzp_err wzp_phone_new(wzp_phone **out, const wzp_phone_cfg *cfg, wzp_time now);
/* Accepts NULL, leaves NULL. */
void wzp_phone_free(wzp_phone **phone);

/* Of a phone with its own endpoint.  With a shared one, whose core is its owner's matter, only tick
 * and deadline are the phone's. */
wzp_core wzp_phone_core(wzp_phone *phone);

/* Our own, as others call us. */
const char *wzp_phone_fingerprint(const wzp_phone *phone);

typedef enum wzp_phone_state {
    WZP_PHONE_STATE_OFF,  /* not registered (yet, any more, or for a while) */
    WZP_PHONE_STATE_IDLE, /* can call and be called */
    WZP_PHONE_STATE_BUSY  /* from the offer to ENDED */
} wzp_phone_state;
wzp_phone_state wzp_phone_state_of(const wzp_phone *phone);

/* A call has ended, which was not told yet: what the phone is in now may be another one. */
bool wzp_phone_has_ended(const wzp_phone *phone);

/* Addresses that others told and that were left out. */
const wzp_call_refused *wzp_phone_refused_addresses(const wzp_phone *phone);

typedef enum wzp_phone_event_kind {
    WZP_PHONE_REGISTERED, /* .text: the relay's build, or ""; again after AWAY */
    WZP_PHONE_PRESENCE,   /* .count clients are registered, this one included */
    WZP_PHONE_INCOMING,   /* a call from .fingerprint, .text is its alias or "" */
    WZP_PHONE_RINGING,    /* the relay has asked the other side */
    WZP_PHONE_SET_UP,     /* both agree: .room on .relay, or on the relay that was dialled when that
                             is WZP_ADDR_NONE, because what the relay told is no address, or
                             none that can be sent to.  .peer says
                             where the other side can be reached if .may_be_direct */
    WZP_PHONE_REFLEXIVE,  /* the relay sees us at .observed; NONE: it does not say */
    WZP_PHONE_PATH,       /* the other side says whether its direct path works: .direct_ok */
    WZP_PHONE_UPDATE,     /* the other side can be reached elsewhere: .peer */
    WZP_PHONE_PROBE,    /* the other side says what its NAT does with ports: .probe.  After SET_UP,
                           where the call may be direct; a later one replaces it */
    WZP_PHONE_BIRTHDAY, /* the other side has opened many ports: .birthday.  Only where the call may
                           be direct and this phone takes part */
    WZP_PHONE_ENDED,    /* the call, not the connection: .text says why */
    WZP_PHONE_AWAY,  /* the connection is lost, and looked for: .text says why.  A call that is set
                        up goes on, without signals; any other has ENDED */
    WZP_PHONE_CLOSED /* the connection, and with it any call: .text; nothing follows */
} wzp_phone_event_kind;

typedef struct wzp_phone_event {
    wzp_phone_event_kind kind;
    uint32_t count;
    bool proven; /* INCOMING: the caller has signed with the key of .fingerprint.  Deployed clients
                    may not sign; who it is, is then only what the relay says */
    bool may_be_direct;   /* SET_UP: both sides agreed to tell their addresses (nat sheet 1.11) */
    bool peer_is_able;    /* SET_UP: it dials and accepts at once (WZP_PHONE_ABLE) */
    bool peer_probes;     /* SET_UP: a PROBE will follow (WZP_PHONE_PROBES), or follows at once */
    bool peer_celebrates; /* SET_UP: it takes part in birthdays (WZP_PHONE_CELEBRATES) */
    bool direct_ok;
    uint32_t number; /* PATH: of the race that it is about.  All that was said of one that is told
                        at once is one: a direct path that did not last is none */
    wzp_addr relay, observed;
    const wzp_signal_RegisterPresenceAck *ack; /* REGISTERED; borrowed until the next one */
    const wzp_call_probe *probe;               /* borrowed until the next call */
    const wzp_call_birthday *birthday;         /* likewise */
    const wzp_call_addresses *peer;            /* SET_UP, UPDATE; borrowed until the next call */
    const char *fingerprint, *room, *text; /* never NULL, printable, borrowed until the next call */
} wzp_phone_event;

bool wzp_phone_next_event(wzp_phone *phone, wzp_phone_event *out);

/* Calls a fingerprint, in text form.  INVALID_ARGUMENT: it is none, or this phone is not registered
 * yet, or is in a call; CLOSED. */
WZP_MUST_USE wzp_err wzp_phone_call(wzp_phone *phone, const char *fingerprint);

/* Answers the call that comes in.  INVALID_ARGUMENT: none does; CLOSED. */
WZP_MUST_USE wzp_err wzp_phone_answer(wzp_phone *phone, wzp_accept_mode mode);

/* What the next offer or trusted answer tells of us; copied.  Where nothing is told, nothing is
 * direct. */
void wzp_phone_set_addresses(wzp_phone *phone, const wzp_call_addresses *addresses);

/* Asks the relay how it sees us; REFLEXIVE follows within WZP_PHONE_REFLECT_LIMIT.  A new question
 * replaces one that is not answered yet. */
#define WZP_PHONE_REFLECT_LIMIT (1 * WZP_S)
void wzp_phone_reflect(wzp_phone *phone, wzp_time now);

/* To the other side, from SET_UP to ENDED; otherwise nothing: which path works, and where we can be
 * reached now.  Nothing of the latter where the call may not be direct.
 *
 * The first race of a call has number 0, and its report is as deployed.  Later ones, which only
 * reference clients have, are numbered by the updates before them: each update is answered by one
 * of the same number, two that cross have the same, and a pair is what a race begins with, whose
 * number is twice that; one more is the race that goes on beside the relay after it.  The
 * number follows the word of `race_winner`, the only text of a report, after a blank. */
void wzp_phone_report(wzp_phone *phone, uint32_t number, bool direct_ok, bool direct_won);
void wzp_phone_update(wzp_phone *phone, const wzp_call_addresses *addresses);
/* The last one again, if there was one: it may have been lost with the line. */
void wzp_phone_update_again(wzp_phone *phone);
/* An update of theirs has no answer of ours yet. */
bool wzp_phone_owes_update(const wzp_phone *phone);
/* The number of the pair that both have said; 0: there is none, or one of its halves is missing. */
uint32_t wzp_phone_pair(const wzp_phone *phone);

/* At the end of our build's name: who reads it may dial an acceptor and accept as a dialler
 * (nat sheet 1.2, 1.18). */
#define WZP_PHONE_ABLE "+bidir1"

/* And before that: it says in each call how its NAT gives out ports, as soon as it may. */
#define WZP_PHONE_PROBES "+probe1"

/* And before that: where one side's NAT gives out ports that nobody can foretell it opens many, and
 * the other one tries many (nat sheet 1.15). */
#define WZP_PHONE_CELEBRATES "+bday1"

/* How our NAT gives out ports, as far as we know now; copied.  The other side of a call is told as
 * soon as it rings there, or we have accepted with trust, and again if this is called again. */
void wzp_phone_set_probe(wzp_phone *phone, const wzp_call_probe *probe);
/* It is looked at again: nothing is said until it is set again. */
void wzp_phone_hold_probe(wzp_phone *phone);

/* We have opened many ports.  As with the others: to the other side of an open call, or nothing. */
void wzp_phone_birthday(wzp_phone *phone, const wzp_call_birthday *birthday);

typedef struct wzp_phone_counters {
    uint64_t updates;           /* of where others are, that were taken */
    uint64_t stale_updates;     /* and such that came late or again, or of another call */
    uint32_t update_number;     /* of the last one that was taken */
    uint64_t probes;            /* that were taken */
    uint64_t probes_elsewhere;  /* about no call of ours */
    uint64_t birthdays;         /* HardNatBirthdayStart that were taken */
    uint64_t birthdays_ignored; /* about no call of ours, or where none is held */
    uint64_t refused_calls;     /* while another one was there, or without a name that we can say */
    uint64_t unreadable;        /* signals */
    uint64_t ignored;           /* signals that were not asked for, came too late, or again */
    uint64_t unsent;            /* signals of ours */
} wzp_phone_counters;

void wzp_phone_count(const wzp_phone *phone, wzp_phone_counters *out);

/* Sends a signal, or reads it as one that came; `filter` does not see it.  Nothing after the end.
 */
void wzp_phone_signal(wzp_phone *phone, bool out, wzp_bytes json, wzp_time now);

/* Ends the call in whatever state it is, and nothing when there is none. */
void wzp_phone_hangup(wzp_phone *phone);

/* The connection is gone without a word, as if something on the way had forgotten it; for
 * simulators.  Nothing where there is none. */
void wzp_phone_lose(wzp_phone *phone, wzp_time now);

/* Ends the call and the connection. */
void wzp_phone_close(wzp_phone *phone, wzp_time now);

#endif
