/* A case of the suite: what it is, what traffic or exchange it makes, how it is judged. */
#ifndef WZP_CONFORMANCE_ENGINE_CASE_H
#define WZP_CONFORMANCE_ENGINE_CASE_H

#include "conformance/engine/grade.h"
#include "conformance/engine/pattern.h"

typedef enum wzp_ct_kind {
    WZP_CT_TRAFFIC,  /* X sends a pattern, L listens, K is the control */
    WZP_CT_EXCHANGE, /* one connection, a first message, a required reaction */
    WZP_CT_PACING,   /* CAL-02: the schedule into a local sink */
    WZP_CT_SCRAPE,   /* CAL-04: the metrics page */
    WZP_CT_ABSENT    /* needs what this build or the target does not offer: SKIP with `skip` */
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

typedef struct wzp_ct_case wzp_ct_case;
struct wzp_ct_case {
    wzp_ct_info info;
    wzp_ct_criteria criteria;
    wzp_ct_exchange exchange;
    void (*build)(wzp_ct_pattern *pattern, const wzp_ct_case *c); /* NULL: `stream` alone */
    const char *feature;                                          /* that `skip` misses */
    wzp_ct_kind kind;
    wzp_ct_reason skip;

    /* traffic */
    uint32_t param;   /* for `build` */
    uint32_t echo_ms; /* 0: 1 s; K-SELF is 5000 */
    uint32_t start_seq, start_ts;
    wzp_ct_stream stream;
    bool no_echo, has_start, video, late_listener, early_media, trailing_speech;

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

/* Each in its file of conformance/cases. */
extern const wzp_ct_chapter wzp_ct_chapter_cal, wzp_ct_chapter_a, wzp_ct_chapter_as,
    wzp_ct_chapter_b, wzp_ct_chapter_bs, wzp_ct_chapter_c, wzp_ct_chapter_w, wzp_ct_chapter_h;

#endif
