/* A case of the suite: what it is, what traffic or exchange it makes, how it is judged. */
#ifndef WZP_CONFORMANCE_ENGINE_CASE_H
#define WZP_CONFORMANCE_ENGINE_CASE_H

#include "conformance/engine/grade.h"
#include "conformance/engine/pattern.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/web.h"
#include "quic/quic.h"
#include "wire/signal.h"

typedef enum wzp_ct_kind {
    WZP_CT_TRAFFIC,  /* X sends a pattern, L listens, K is the control */
    WZP_CT_EXCHANGE, /* one connection, a first message, a required reaction */
    WZP_CT_PLAY,     /* a list of acts, see play.h */
    WZP_CT_PACING,   /* CAL-02: the schedule into a local sink */
    WZP_CT_SCRAPE    /* CAL-04: the metrics page */
} wzp_ct_kind;

/* What the relay must do with a first message. */
typedef enum wzp_ct_response {
    WZP_CT_ANSWER,     /* a valid CallAnswer and a RoomUpdate */
    WZP_CT_MISMATCH,   /* Hangup ProtocolVersionMismatch naming 2, then a close */
    WZP_CT_REFUSAL,    /* a close, no CallAnswer, no RoomUpdate */
    WZP_CT_NO_ROOM,    /* a close before any RoomUpdate; CallAnswer may come */
    WZP_CT_ALPN_ALERT, /* TLS alert no_application_protocol */
    WZP_CT_DESCRIBE    /* anything; it is told */
} wzp_ct_response;

typedef struct wzp_ct_exchange {
    const char *sni;  /* NULL: a fresh room */
    const char *alpn; /* NULL: "wzp" */
    /* Changes the valid CallOffer `json` (room for 8192 bytes) or replaces it. */
    void (*edit)(char *json);
    bool bad_signature;
    bool twice; /* the same message on a second connection */
    wzp_ct_response response;
    double deadline_s;
} wzp_ct_exchange;

/* Who takes part; each has a UDP address of its own, so that tools that look at the evidence can
 * tell connections apart.  Traffic cases know the first six, plays name what they need. */
typedef enum wzp_ct_who {
    WZP_CT_X,  /* the sender under test */
    WZP_CT_L,  /* listens in the same room */
    WZP_CT_KX, /* the control pair */
    WZP_CT_KL,
    WZP_CT_AX, /* a fresh pair afterwards */
    WZP_CT_AL,
    WZP_CT_P6,
    WZP_CT_P7,
    WZP_CT_P8,
    WZP_CT_PARTIES
} wzp_ct_who;

/* How the relay must have been started: some cases ask for a relay of their own beside the one
 * under test.  Which values they take is in docs/CONFORMANCE.md. */
typedef enum wzp_ct_config {
    WZP_CT_CONFIG_PLAIN,
    WZP_CT_CONFIG_MAX_SESSIONS, /* WZP_CT_MAX_SESSIONS at most */
    WZP_CT_CONFIG_AUTH,         /* bearer tokens; WZP_CT_GOOD_TOKEN is valid */
    WZP_CT_CONFIG_TRUNKING,
    WZP_CT_CONFIG_IDENTITY,   /* reads the identity file of the suite, which may restart it */
    WZP_CT_CONFIG_REGION,     /* in WZP_CT_REGION, with two other relays */
    WZP_CT_CONFIG_POLICY,     /* cool-down 5 s, block 30 s, 5 MB in a month without a token */
    WZP_CT_CONFIG_OBSERVE,    /* meters and enforces nothing */
    WZP_CT_CONFIG_FEDERATION, /* trusts wzp_ct_peers, shares wzp_ct_rooms; dials nobody */
    WZP_CT_CONFIG_DIALLING,   /* started for each run, dials the suite, and measures it */
    WZP_CT_CONFIG_METRICS,    /* whose page can be read; counts nothing but what the case does */
    WZP_CT_CONFIG_COUNT
} wzp_ct_config;

enum { WZP_CT_MAX_SESSIONS = 3 };
/* Of WZP_CT_CONFIG_POLICY; the quota without a token also of WZP_CT_CONFIG_AUTH. */
enum { WZP_CT_COOLDOWN_S = 5, WZP_CT_BLOCK_S = 30, WZP_CT_QUOTA = 5000000 };

/* What the relay for WZP_CT_CONFIG_IDENTITY finds in its identity file when it starts. */
typedef enum wzp_ct_identity_file {
    WZP_CT_IDENTITY_KNOWN,   /* the seed 00 01 .. 1f */
    WZP_CT_IDENTITY_AS_LEFT, /* what it left there itself */
    WZP_CT_IDENTITY_CORRUPT
} wzp_ct_identity_file;
#define WZP_CT_REGION "wzp-conformance-region"
/* Those of the two, in this order: the first has no label in its relay's configuration. */
#define WZP_CT_RELAY_1 "peer|127.0.0.3:4434"
#define WZP_CT_RELAY_2 "Alpha|127.0.0.2:4433"
#define WZP_CT_GOOD_TOKEN "wzp-conformance-good-token"
/* The seed of its owner: some relays want a token's bearer to be who it was made for. */
#define WZP_CT_TOKEN_OWNER "wzp-conformance-token-owner-seed"

/* Whom a case is about, and how its media travel. */
typedef enum wzp_ct_client {
    WZP_CT_CLIENT_NONE, /* a relay */
    WZP_CT_CLIENT_CLEAR,
    WZP_CT_CLIENT_SEALED /* as relay-aead (crypto sheet 10.4) */
} wzp_ct_client;

typedef struct wzp_ct_exec wzp_ct_exec;
typedef struct wzp_ct_act wzp_ct_act;

typedef struct wzp_ct_case wzp_ct_case;
struct wzp_ct_case {
    wzp_ct_info info;
    wzp_ct_criteria criteria;
    wzp_ct_exchange exchange;
    void (*build)(wzp_ct_pattern *pattern, const wzp_ct_case *c); /* NULL: `stream` alone */
    const char *quality; /* that a client is told, see subject.h; NULL: "good" */
    uint32_t param;      /* for `build` */
    wzp_ct_kind kind;
    wzp_ct_client client;    /* not NONE: the testers are the relay, see server.h; a play */
    wzp_ct_client_mode mode; /* not JOINS: and the other side of a call, see caller.h */
    wzp_ct_answer answer;
    wzp_ct_paths paths;

    /* Without a relay configured so: SKIP with this reason, and the feature that is missing. */
    wzp_ct_config config;
    wzp_ct_reason skip;
    const char *feature;

    /* play */
    const wzp_ct_act *acts;
    size_t act_count, state_size;
    void (*on_datagram)(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, wzp_time now);
    void (*on_signal)(wzp_ct_exec *exec, wzp_ct_who who, const wzp_signal *signal, wzp_time now);
    /* Of a call: a datagram that is not QUIC, or came where nobody listens. */
    void (*on_loose)(wzp_ct_exec *exec, const wzp_quic_path *path, wzp_bytes bytes, wzp_time now);
    /* Of a call: the gateway (place 0) and a stranger (1) are devices of the client's network; self
     * is the execution.  No other client runs meanwhile: searches do not say whose they are. */
    const wzp_ct_web_ops *web;

    /* traffic */
    uint32_t echo_ms; /* 0: 1 s; K-SELF is 5000 */
    uint32_t start_seq, start_ts;
    wzp_ct_stream stream;
    bool no_echo, has_start, video, late_listener, early_media, trailing_speech;

    /* direct calls and netcheck */
    bool needs_stun;    /* the client asks a STUN server */
    bool needs_stun2;   /* and another one */
    bool needs_gateway; /* it asks a gateway for a port */
    bool takes_gateway; /* or may be told of one, if it can be */
    bool moves;         /* its network becomes another one, which others may share */
    bool as_json;       /* what it says of its network */

    bool silent;        /* the testers send no keep-alives */
    bool sees_paths;    /* counts path challenges */
    bool quiet;         /* the client should be one that is silent, and leaves that out */
    bool hears;         /* it plays what the testers send, and need not send itself */
    bool alone;         /* no other case may use its relay meanwhile */
    bool reads_metrics; /* of the relay for WZP_CT_CONFIG_AUTH; without them SKIP */
    bool heavy;         /* a million packets: mutants that others catch are spared it */
    bool is_long;       /* takes a minute: on a real relay only if it was asked for */
    bool strict_limits; /* only with --profile strict-limits */
    bool fatal;         /* a calibration case: without it nothing can be said */
    bool sets_mode;     /* CAL-03 */
};

typedef struct wzp_ct_chapter {
    const char *id, *title;
    const wzp_ct_case *cases;
    size_t count;
} wzp_ct_chapter;

/* Calibration first. */
extern const wzp_ct_chapter *const wzp_ct_chapters[];
extern const size_t wzp_ct_chapter_count;

/* Each in its file below conformance/cases. */
extern const wzp_ct_chapter wzp_ct_chapter_cal, wzp_ct_chapter_a, wzp_ct_chapter_as,
    wzp_ct_chapter_b, wzp_ct_chapter_bs, wzp_ct_chapter_c, wzp_ct_chapter_w, wzp_ct_chapter_h,
    wzp_ct_chapter_s, wzp_ct_chapter_m, wzp_ct_chapter_rly, wzp_ct_chapter_nat, wzp_ct_chapter_d,
    wzp_ct_chapter_ds, wzp_ct_chapter_e, wzp_ct_chapter_fa, wzp_ct_chapter_fv, wzp_ct_chapter_g,
    wzp_ct_chapter_fed, wzp_ct_chapter_x, wzp_ct_chapter_xc, wzp_ct_chapter_aud,
    wzp_ct_chapter_hear, wzp_ct_chapter_qual, wzp_ct_chapter_natc, wzp_ct_chapter_race,
    wzp_ct_chapter_map, wzp_ct_chapter_upnp, wzp_ct_chapter_check, wzp_ct_chapter_rpl;

#endif
