/* A scenario: who is where in a network, who calls whom, what happens, and what must come of it.
 *
 * Plain data, read from TOML by wzp_lab_scenario_read and complete: every default is filled in,
 * every name is resolved, every range is drawn.  docs/schema/scenario.schema.json describes the
 * file; nat sheet 2.14 has the baseline (L0) that is the default of everything. */
#ifndef WZP_SIM_LAB_SCENARIO_H
#define WZP_SIM_LAB_SCENARIO_H

#include "sim/box/policy.h"
#include "sim/gateway/gateway.h"
#include "sim/host/judge.h"
#include "sim/host/payloads.h"
#include "sim/host/signal_faults.h"
#include "sim/lab/fields.h"
#include "sim/nat/nat.h"
#include "sim/net/link.h"

#define WZP_LAB_NAME_MAX 32
#define WZP_LAB_TEXT_MAX 256
#define WZP_LAB_SIGNAL_MAX 48 /* a signal's name */
#define WZP_LAB_HOSTS_MAX 128
#define WZP_LAB_LANS_MAX 64
#define WZP_LAB_WAYS_MAX 4  /* ways out of one host */
#define WZP_LAB_BOXES_MAX 4 /* in a row */
#define WZP_LAB_RELAYS_MAX 8
#define WZP_LAB_PAIRS_MAX 64
#define WZP_LAB_CALLS_MAX 64
#define WZP_LAB_EVENTS_MAX 256
#define WZP_LAB_NONE UINT32_MAX /* an index of nothing */

/* --- what a scenario may need that not every build can do ------------------------------------- */

#define WZP_LAB_NEED_MAP(X)                                                                        \
    X(DIRECT, "direct", "direct paths between clients (NAT traversal)")                            \
    X(SIGNALS, "signals", "the signalling connection of clients (offers, candidates)")             \
    X(PORT_MAPPING, "port-mapping", "port mapping by the client (NAT-PMP, PCP, UPnP)")             \
    X(UPNP, "upnp", "port mapping by UPnP")                                                        \
    X(PREDICTION, "prediction", "clients that predict the next ports of a NAT")                    \
    X(BIRTHDAY, "birthday", "clients that try many ports of a NAT at once")                        \
    X(INTRUDER, "intruder", "strangers that dial clients")                                         \
    X(SIGNAL_LOSS, "signal-loss", "clients that lose their signalling connection alone")           \
    X(FEDERATION, "federation", "relays that forward to each other")                               \
    X(IPV6, "ipv6", "hosts with IPv6")                                                             \
    X(QUICK_LOSS, "quick-loss", "clients that notice within seconds that the other side is gone")  \
    X(RESUME, "resume", "clients whose sound flows again at once after a hole")                    \
    X(RECOVERY, "recovery", "clients that rebuild whole bursts of loss")                           \
    X(ADAPTATION, "adaptation", "clients that adapt rate and jitter buffer to the path")           \
    X(CODEC2, "codec2", "clients that speak Codec2 where no rate of Opus fits")                    \
    X(SPARSE_ACKS, "sparse-acks", "clients that acknowledge rarely where a line is narrow")        \
    X(DRIFT, "drift", "clients that follow a clock that runs fast or slow")

typedef enum wzp_lab_need {
#define X(id, word, text) WZP_LAB_NEED_##id,
    WZP_LAB_NEED_MAP(X)
#undef X
        WZP_LAB_NEED_COUNT
} wzp_lab_need;

const char *wzp_lab_need_word(wzp_lab_need need);
const char *wzp_lab_need_text(wzp_lab_need need);
bool wzp_lab_can(wzp_lab_need need); /* this build */

/* --- places ---------------------------------------------------------------------------------- */

typedef struct wzp_lab_box {
    wzp_sim_nat_cfg nat;
    wzp_sim_policy_cfg policy;
    wzp_addr inside, inside6; /* its own addresses there */
    bool nat64;               /* IPv6 inside, IPv4 outside */
    wzp_addr externals[WZP_SIM_NAT_POOL_MAX];
    size_t external_count;
} wzp_lab_box;

/* RFC 6092 wants that anybody may answer; most boxes let answer only who was asked. */
typedef enum wzp_lab_filter6 {
    WZP_LAB_FILTER6_ADDR_PORT,
    WZP_LAB_FILTER6_ADDR,
    WZP_LAB_FILTER6_ANY
} wzp_lab_filter6;

/* A way from a host or a LAN towards the core:
 *
 *     inside --- boxes[0] --- boxes[1] --- ... --- access --- the core, or another LAN */
typedef struct wzp_lab_way {
    char name[2 * WZP_LAB_NAME_MAX]; /* "x", "x.lte", "home": what its elements are called after */
    uint32_t lan;                    /* outside of it; WZP_LAB_NONE: the core */
    wzp_addr address;                /* outside: of the last box, or of the host itself */
    wzp_addr local; /* of the host behind boxes; of a LAN: its network, ends in .0 */
    wzp_addr address6;
    uint32_t filtering6; /* wzp_lab_filter6: of the boxes, for IPv6 */
    uint32_t pool;       /* external addresses of the last box, from `address` on */
    bool down;           /* at the start */
    bool clat;           /* behind a NAT64: the host has IPv4 all the same, 192.0.0.4 (RFC 6877) */
    wzp_lab_box boxes[WZP_LAB_BOXES_MAX]; /* inner first */
    size_t box_count;
    bool has_gateway; /* on boxes[0] */
    wzp_sim_gateway_cfg gateway;
    wzp_sim_link_cfg links[2]; /* the access: up, down */
} wzp_lab_way;

bool wzp_lab_is_nat64(const wzp_lab_way *way); /* IPv6 only, as far as its host knows */

/* What a client is told besides its call.  Most of it is for NAT traversal (nat sheet 1.14 to 1.18)
 * and comes with a need. */
typedef enum wzp_lab_accept {
    WZP_LAB_ACCEPT_TRUSTED, /* tells its addresses, as far as it has any to tell */
    WZP_LAB_ACCEPT_GENERIC, /* relay only */
    WZP_LAB_ACCEPT_NEVER,   /* lets it ring */
    WZP_LAB_ACCEPT_REJECT,
    WZP_LAB_ACCEPT_OFFLINE /* it is not registered anywhere */
} wzp_lab_accept;

/* How clients look for a path to each other: as this project does, or as upstream's do. */
typedef enum wzp_lab_policy { WZP_LAB_POLICY_REFERENCE, WZP_LAB_POLICY_DEPLOYED } wzp_lab_policy;

typedef struct wzp_lab_client {
    uint32_t accept;     /* wzp_lab_accept */
    uint32_t policy;     /* wzp_lab_policy; the scenario's if it does not say */
    bool no_prediction;  /* of a hard NAT's next ports */
    char allocation[24]; /* that its HardNatProbe claims; "": the one that it found */
    uint32_t birthday_sockets, birthday_probes; /* 0: none */
    uint64_t birthday_every;                    /* a probe */
    char intrudes[WZP_LAB_NAME_MAX]; /* dials this host as a stranger while others race; "": none */
} wzp_lab_client;

typedef struct wzp_lab_host {
    wzp_lab_way ways[WZP_LAB_WAYS_MAX]; /* [0] is the one in use at the start */
    size_t way_count;
    char name[WZP_LAB_NAME_MAX];
    uint16_t port; /* of its client; 0: the system chooses */
    int32_t skew_ppm;
    uint64_t ahead, processing;
    wzp_lab_client client;
    wzp_sim_signal_fault faults[WZP_SIM_SIGNAL_FAULTS_MAX]; /* times from the start of the run */
    size_t fault_count;
} wzp_lab_host;

typedef struct wzp_lab_lan {
    wzp_lab_way way;
    char name[WZP_LAB_NAME_MAX];
    bool isolate; /* its hosts do not reach each other directly */
} wzp_lab_lan;

typedef struct wzp_lab_relay {
    char name[WZP_LAB_NAME_MAX];
    wzp_addr address;
    uint16_t port;
    uint64_t delay; /* from every access */
    uint64_t processing;
    uint32_t enforce;  /* wzp_enforce */
    uint32_t dials;    /* bit of each relay that it links to, where relays federate */
    uint32_t identity; /* of this relay: another's with "twin", else its own */
} wzp_lab_relay;

/* STUN servers with two addresses each, at the core; nat sheet 2.8. */
#define WZP_LAB_STUNS_MAX 4

typedef struct wzp_lab_stun {
    uint32_t servers;
    uint64_t delay; /* from every access */
    bool down;      /* nobody answers */
    bool spoof;     /* wrong answers come before the right one */
} wzp_lab_stun;

/* A core path between two places whose links are not the default. */
typedef struct wzp_lab_pair {
    char name[2 * WZP_LAB_NAME_MAX]; /* "x-y" */
    char ends[2][WZP_LAB_NAME_MAX];
    wzp_sim_link_cfg links[2]; /* [0] from the first to the second */
} wzp_lab_pair;

/* --- calls ----------------------------------------------------------------------------------- */

typedef enum wzp_lab_talk { WZP_LAB_TALK_ALL, WZP_LAB_TALK_CALLER, WZP_LAB_TALK_NONE } wzp_lab_talk;

typedef enum wzp_lab_path {
    WZP_LAB_PATH_ANY,
    WZP_LAB_PATH_RELAY,
    WZP_LAB_PATH_DIRECT,
    WZP_LAB_PATH_NONE,
    WZP_LAB_PATH_BEST /* direct if the call is, else relay */
} wzp_lab_path;

/* Zero: not judged. */
typedef struct wzp_lab_expect {
    uint32_t path;        /* wzp_lab_path */
    uint32_t audio;       /* 1 + wzp_sim_class, outside of what `event_gap` and `recover` cover */
    uint32_t mos_milli;   /* by the E-model, at least; over what `audio` is judged over */
    uint32_t frames_lost; /* at most, of each speaker; WZP_LAB_NONE: not judged */
    wzp_time audio_from;  /* sound before that is not judged */
    uint64_t setup;
    uint64_t offer;              /* from the wish to call until the offer leaves */
    uint64_t event_gap, recover; /* E(gap, recover) */
    uint64_t direct_within;      /* from the set-up until media first go directly, if they end so */
    uint64_t silence;            /* longest, besides what events themselves take */
    uint64_t back_within;        /* registered again so long after the first event */
    uint64_t lost_within;        /* the client says so long after the first event that it is lost */
    uint64_t ends_within;        /* the call ends so long after its start or the first event */
    uint32_t refused;            /* direct connections of strangers, at least */
    uint32_t updates;            /* of the other side, that are taken; WZP_LAB_NONE: not judged */
    uint32_t update_number;      /* of the last one of them */
    uint32_t members;            /* of the room, as told last */
    char unsaid[WZP_LAB_SIGNAL_MAX]; /* a signal that its client never sends; "": any may be */
    bool apart;                      /* no packet goes from its host to the other one directly */
    char told[96]; /* why the call ended, as its client was told; "": not judged */
    bool hangup_allowed;
    bool split; /* the two may end on different paths, and in silence */
} wzp_lab_expect;

typedef struct wzp_lab_call {
    char name[WZP_LAB_NAME_MAX], room[64];
    uint32_t members[WZP_LAB_HOSTS_MAX]; /* hosts; [0] is the caller */
    uint32_t relays[WZP_LAB_HOSTS_MAX];  /* of each member */
    size_t member_count;
    bool direct;                              /* two phones: the room is that of the call */
    uint8_t codec;                            /* codec id */
    wzp_sim_payloads *payloads;               /* what they say; NULL: filler */
    bool dred;                                /* filler has what libopus would add */
    wzp_time start, end;                      /* from the start of the run */
    uint64_t stagger;                         /* each member joins so much after the one before */
    uint64_t redial;                          /* after an end that was not wanted; 0: never */
    uint32_t talk;                            /* wzp_lab_talk */
    uint64_t on, off;                         /* of who talks; off 0: without a pause */
    wzp_lab_expect expect[WZP_LAB_HOSTS_MAX]; /* what each member must see */
} wzp_lab_call;

/* --- events ---------------------------------------------------------------------------------- */

#define WZP_LAB_EVENT_MAP(X)                                                                       \
    X(FLUSH, "flush")             /* a box forgets its mappings */                                 \
    X(REBOOT, "reboot")           /* nothing passes `for`, then all is forgotten */                \
    X(REBIND_PORT, "rebind-port") /* new external ports */                                         \
    X(REBIND_ADDR, "rebind-addr") /* new external address `to`, and ports */                       \
    X(EXPIRE, "expire")           /* as if all timers had run out */                               \
    X(CUT, "cut")                 /* a link; `for`, else until restore */                          \
    X(RESTORE, "restore")                                                                          \
    X(SET, "set")             /* a link's parameters */                                            \
    X(IF_SWITCH, "if-switch") /* a host moves to its way `to` after `gap` */                       \
    X(IF_DOWN, "if-down")     /* a host's way */                                                   \
    X(IF_UP, "if-up")                                                                              \
    X(KILL_RELAY, "kill-relay")       /* the process ends without a word */                        \
    X(RESTART_RELAY, "restart-relay") /* the same, and it is back after `for` */                   \
    X(LOSE_SIGNALS, "lose-signals")   /* a client's signalling connection dies */                  \
    X(RENUMBER, "renumber")           /* a host's address `to`, behind its boxes, or IPv6 */       \
    X(MARK, "mark")                   /* nothing, but something of the network's own is due */     \
    X(LEAVE, "leave")                 /* a member hangs up */                                      \
    X(ABUSE, "abuse") /* from then on its frames are far larger than its codec makes */

typedef enum wzp_lab_event_kind {
#define X(id, word) WZP_LAB_EVENT_##id,
    WZP_LAB_EVENT_MAP(X)
#undef X
        WZP_LAB_EVENT_COUNT
} wzp_lab_event_kind;

const char *wzp_lab_event_word(wzp_lab_event_kind kind);

typedef enum wzp_lab_target_kind {
    WZP_LAB_TARGET_NONE,
    WZP_LAB_TARGET_HOST,
    WZP_LAB_TARGET_BOX,
    WZP_LAB_TARGET_ACCESS,
    WZP_LAB_TARGET_CORE,
    WZP_LAB_TARGET_RELAY
} wzp_lab_target_kind;

typedef struct wzp_lab_target {
    wzp_lab_target_kind kind;
    bool of_lan;         /* BOX, ACCESS: `index` is a LAN's, else a host's */
    uint32_t index;      /* of the host, LAN, relay or core pair */
    uint32_t way, box;   /* BOX, ACCESS */
    unsigned directions; /* ACCESS, CORE: bit 0 up or forth, bit 1 down or back */
} wzp_lab_target;

typedef struct wzp_lab_event {
    uint32_t kind; /* wzp_lab_event_kind */
    char target_name[2 * WZP_LAB_NAME_MAX + 16];
    wzp_lab_target target;
    wzp_time at;
    uint64_t every; /* 0: once */
    wzp_time until; /* of `every` */
    uint64_t lasts, gap;
    bool hold; /* CUT: packets wait */
    char to_name[64];
    uint32_t to_way;
    wzp_addr to;
    wzp_sim_link_cfg links[2]; /* SET: [0] up or forth, complete */
} wzp_lab_event;

/* --- all of it ------------------------------------------------------------------------------- */

typedef struct wzp_lab_scenario {
    char name[WZP_LAB_TEXT_MAX], about[1024];
    uint64_t duration, seed;
    uint32_t policy; /* wzp_lab_policy: of the clients, and which expectations count */
    unsigned needs;  /* bit per wzp_lab_need */
    wzp_lab_host *hosts;
    wzp_lab_lan *lans;
    wzp_lab_relay *relays;
    bool partial_mesh; /* relays say with whom they federate; else all with all */
    wzp_lab_stun stun;
    wzp_lab_pair *pairs;
    wzp_lab_call *calls;
    wzp_lab_event *events; /* by time */
    size_t host_count, lan_count, relay_count, pair_count, call_count, event_count;
    wzp_sim_link_cfg access[2];      /* of every way that says nothing else */
    uint64_t core_delay;             /* between accesses */
    uint32_t direct_min, direct_max; /* share of seeds with a direct path, ppm (campaigns) */
    wzp_lab_doc doc;                 /* with this seed's draws */
    void **owned;                    /* what descriptions borrow */
    size_t owned_count;
} wzp_lab_scenario;

/* `doc` is borrowed and unchanged.  `seed` NULL: the scenario's own.  On failure `errors` says all
 * that is wrong.
 * WZP_ERR_PARSE, WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_lab_scenario_read(wzp_lab_scenario **out, const wzp_lab_doc *doc,
                                           const uint64_t *seed, wzp_lab_errors *errors);
void wzp_lab_scenario_free(wzp_lab_scenario **scenario); /* accepts NULL, leaves NULL */

/* False: `errors` says what this engine ("native", "ns3") does not model, and where it is written.
 */
bool wzp_lab_scenario_fits(const wzp_lab_scenario *scenario, const char *engine,
                           wzp_lab_errors *errors);

/* The first thing that it needs and this build cannot do; NULL: all is there. */
const char *wzp_lab_scenario_lacks(const wzp_lab_scenario *scenario);

/* The JSON schema of the file format. */
bool wzp_lab_schema_write(FILE *out);

#endif
