/* Shared by the files of the handset; nobody else includes it. */
#ifndef WZP_PHONE_HANDSET_INTERNAL_H
#define WZP_PHONE_HANDSET_INTERNAL_H

#include "call/nearest.h"
#include "phone/handset.h"

enum { HANDSET_LINKS = WZP_RACE_CANDIDATES_MAX + WZP_RACE_LINKS_MAX };

typedef enum link_state {
    LINK_FREE,
    LINK_DIALLED,   /* by us */
    LINK_CONNECTED, /* by us, and not confirmed yet; the deployed policy does not wait for that */
    LINK_PARKED,    /* accepted, before the set-up of the call has come */
    LINK_COUNTS,    /* in the race */
    LINK_LEAVING    /* closed by us: only its end is awaited */
} link_state;

/* A direct connection. */
typedef struct handset_link {
    link_state state;
    bool is_ours, proven;
    uint16_t port; /* of its socket; 0: the usual one */
    wzp_quic_conn conn;
    wzp_addr remote;
    char sni[WZP_QUIC_SNI_MAX + 1]; /* accepted ones */
} handset_link;

/* Many sockets against many probes. */
typedef enum handset_birthday_state {
    BIRTHDAY_NONE,
    BIRTHDAY_ASKS,  /* the owner for sockets */
    BIRTHDAY_OPENS, /* and waits for a probe: ours is the hard NAT */
    BIRTHDAY_PROBES /* theirs is */
} handset_birthday_state;

typedef struct handset_birthday {
    handset_birthday_state state;
    bool peer_does;
    bool is_spent; /* since the last usual race */
    bool tell_open, tell_shut;
    unsigned rounds, dials;

    /* Ours; what is still open is in front no more than anywhere. */
    size_t wanted, held, port_count, opened;
    wzp_time next_at;
    uint16_t ports[WZP_BIRTHDAY_PORTS_MAX];
    bool is_met[WZP_BIRTHDAY_PORTS_MAX];

    /* Theirs. */
    wzp_call_birthday start;
    wzp_time start_until; /* 0: they have said nothing */
    wzp_time probes_end;
    wzp_birthday probes;
} handset_birthday;

typedef enum handset_wait { WAIT_NOTHING, WAIT_TO_CALL, WAIT_TO_ANSWER } handset_wait;

struct wzp_handset {
    wzp_handset_cfg cfg;
    wzp_endpoint *endpoint;
    wzp_quic *quic; /* the endpoint's */
    wzp_phone *phone;
    wzp_client *client; /* of the call; NULL: none yet */
    wzp_endpoint_user user;
    wzp_endpoint_tap tap;
    wzp_handset_counters counters;
    wzp_phone_event phone_event; /* that is lent out */

    /* Where we can be reached: handset_paths.c. */
    wzp_gather gather;
    wzp_call_addresses own, told; /* as known now; as the other side was told last */
    wzp_addr stun[WZP_STUN_SERVERS_MAX];
    wzp_addr reflected;
    bool has_gathered; /* since it began last */
    bool asks_relay;   /* a Reflect is under way */
    bool holds_news;   /* the other side is told when it has come */
    bool tell_seen;

    /* Our NAT and theirs: handset_ports.c. */
    wzp_time created;
    wzp_time ports_at; /* when ours were found */
    wzp_call_probe ports, peer_ports;
    wzp_addr relay_view; /* of our socket; NONE: not known, or of where we were */
    bool has_moved;
    bool has_ports, has_peer_ports, peer_probes;

    handset_birthday birthday; /* handset_birthday.c */
    wzp_nearest nearest;       /* idle where no relay lists others */

    /* Who waits for that. */
    wzp_time asked_at;
    handset_wait waits;
    wzp_accept_mode mode;
    char callee[WZP_FINGERPRINT_TEXT + 1];
    bool tell_failed; /* to call: another call came first */

    /* The call: handset_call.c. */
    bool is_set_up, is_open, peer_is_able;
    bool races; /* there is one */
    bool tell_path;
    bool finds_later; /* where we are now */
    bool finds_after; /* when the call is over: the relay may be another one */
    bool told_since;  /* the other side, where we are, since that was asked for last */
    char room[WZP_QUIC_SNI_MAX + 1], peer_fingerprint[WZP_FINGERPRINT_TEXT + 1];
    wzp_addr relay;
    wzp_call_addresses peer;
    wzp_race race;
    wzp_time dials_paid, tickles_paid; /* until then: what was sent in advance */
    handset_link links[HANDSET_LINKS];
    wzp_client_relay relay_seen;  /* as the race was told */
    wzp_race_path path, path_was; /* that media take; that the race had decided */
    wzp_quic_conn direct;         /* that they take, if so */
    uint64_t direct_packets;
    wzp_time heard_at;
    /* Why the relay, if the race ends there; why the path that is taken; why the call failed. */
    const char *path_text, *taken_text, *why;
    wzp_race_path told_path; /* by the last event about it; UNDECIDED: none in this call */
    wzp_addr told_end;
    bool told_proven;

    /* Updates go to and fro in pairs, and each pair is followed by a race on both sides. */
    wzp_time due_at; /* since then a race is due; NEVER: none is */
    wzp_time retry_at;
    unsigned tries; /* in vain, since the direct path broke */
};

bool wzp_handset_is_reference(const wzp_handset *h);

/* --- handset_paths.c: where we can be reached ------------------------------------------------- */

#define WZP_HANDSET_GATHER (3 * WZP_S)
#define WZP_HANDSET_REGATHER (1 * WZP_S) /* in a call that waits for it */

void wzp_handset_find(wzp_handset *h, uint64_t budget, wzp_time now);
void wzp_handset_ask_relay(wzp_handset *h, wzp_time now);
bool wzp_handset_is_told(const wzp_handset *h);
bool wzp_handset_has_news(const wzp_handset *h); /* for the other side */
/* True: the other side should hear of it. */
bool wzp_handset_reflected(wzp_handset *h, const wzp_addr *observed);
/* Serves its timers, sends what it asks, and takes what is new; true: something is. */
bool wzp_handset_find_step(wzp_handset *h, wzp_time now);
/* All that a call waits for is known, or was waited for long enough. */
bool wzp_handset_is_found(const wzp_handset *h, wzp_time now);
wzp_time wzp_handset_find_deadline(const wzp_handset *h);
/* Of datagrams that are not QUIC. */
bool wzp_handset_on_datagram(void *self, const wzp_quic_path *path, wzp_bytes payload,
                             wzp_time now);

/* --- handset_ports.c: what NATs do with ports ------------------------------------------------- */

bool wzp_handset_predicts(const wzp_handset_cfg *cfg);
bool wzp_handset_tells_ports(const wzp_handset_cfg *cfg);
void wzp_handset_ports_step(wzp_handset *h, wzp_time now);
void wzp_handset_ports_moved(wzp_handset *h);
/* A call is about to be offered or answered: what was found long ago is out of date where ports
 * are counted, by others as well. */
#define WZP_HANDSET_PORTS_FRESH (10 * WZP_S)
#define WZP_HANDSET_PORTS_FRESH_ENOUGH (500 * WZP_MS) /* if a server was not asked so far */
void wzp_handset_ports_refresh(wzp_handset *h, wzp_time now);
/* Whom a race may try; the number of them. */
size_t wzp_handset_candidates(wzp_handset *h, wzp_race_candidate out[WZP_RACE_CANDIDATES_MAX]);
bool wzp_handset_awaits_ports(const wzp_handset *h); /* the other side's, which it will say */
void wzp_handset_on_ports(wzp_handset *h, const wzp_call_probe *probe, wzp_time now);
void wzp_handset_forget_ports(wzp_handset *h); /* the other side's */

/* --- handset_birthday.c: many sockets against many probes ------------------------------------- */

bool wzp_handset_celebrates(const wzp_handset_cfg *cfg);
void wzp_handset_on_birthday(wzp_handset *h, const wzp_call_birthday *start, wzp_time now);
/* A datagram; true: it is a probe that we wait for. */
bool wzp_handset_birthday_heard(wzp_handset *h, const wzp_quic_path *path, wzp_bytes payload,
                                wzp_time now);
bool wzp_handset_is_birthday_port(const wzp_handset *h, uint16_t port);
void wzp_handset_birthday_step(wzp_handset *h, wzp_time now);
wzp_time wzp_handset_birthday_deadline(const wzp_handset *h);
void wzp_handset_stop_birthday(wzp_handset *h, wzp_time now);
void wzp_handset_forget_birthday(wzp_handset *h); /* the call is over */

/* --- handset_call.c: the paths of a call ------------------------------------------------------ */

void wzp_handset_on_direct(void *self, const wzp_quic_event *ev, wzp_time now);
void wzp_handset_begin(wzp_handset *h, wzp_time now);
/* While media stay on the relay: a direct connection that is found otherwise, within `window`. */
void wzp_handset_race_beside(wzp_handset *h, uint64_t window, wzp_time now);
void wzp_handset_dial(wzp_handset *h, const wzp_addr *to, uint16_t port, wzp_time now);
void wzp_handset_told(wzp_handset *h, wzp_time now); /* by the other side, where it is: `peer` */
void wzp_handset_moved(wzp_handset *h); /* the other side is elsewhere, or we are: `told` */
void wzp_handset_find_later(wzp_handset *h);
void wzp_handset_call_step(wzp_handset *h, wzp_time now);
wzp_time wzp_handset_call_deadline(const wzp_handset *h);
void wzp_handset_end(wzp_handset *h, wzp_time now);

#endif
