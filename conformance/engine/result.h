/* What a run of the suite produces: the contract between the engine, which fills it, and the
 * reports, which print it (conformance sheet 24.1, 25). */
#ifndef WZP_CONFORMANCE_ENGINE_RESULT_H
#define WZP_CONFORMANCE_ENGINE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum wzp_ct_grade {
    WZP_CT_PASS,
    WZP_CT_FAIL,
    WZP_CT_INCONCLUSIVE,
    WZP_CT_SKIP,
    WZP_CT_GRADE_COUNT
} wzp_ct_grade;

typedef enum wzp_ct_level { WZP_CT_MUST, WZP_CT_SHOULD, WZP_CT_INFO } wzp_ct_level;

/* The closed list of conformance sheet 25, name and text; UNSUPPORTED carries a feature. */
#define WZP_CT_REASON_MAP(X)                                                                       \
    X(NONE, "", "")                                                                                \
    X(OBSERVE_ONLY, "observe-only", "the relay meters but does not enforce")                       \
    X(UNSUPPORTED, "unsupported", "the relay lacks a feature that the case needs")                 \
    X(NO_METRICS, "no-metrics", "no metrics address is known or the scrape failed")                \
    X(NO_AUTH, "no-auth", "the relay was not started with authentication")                         \
    X(NO_TEST_CONFIG, "no-test-config", "the relay is not configured as the case needs")           \
    X(LONG, "long", "the case takes long and was not asked for")                                   \
    X(PROFILE, "profile", "the case belongs to a profile that was not selected")                   \
    X(SILENT_DROP, "silent-drop", "packets vanished without a typed hangup")                       \
    X(UNTYPED_CLOSE, "untyped-close", "the connection was closed without a typed hangup")          \
    X(WRONG_CODE, "wrong-code", "the hangup carries another code than the ones allowed")           \
    X(LATE, "late", "the right reaction came after the deadline")                                  \
    X(FALSE_POSITIVE, "false-positive", "legitimate traffic was closed or lost")                   \
    X(NOT_FORWARDED, "not-forwarded", "something that must arrive did not")                        \
    X(ALTERED, "altered", "something arrived with other bytes than were sent")                     \
    X(SENDER_RATE, "sender-rate", "this machine could not send the traffic as scheduled")          \
    X(CONTROL_LOSS, "control-loss", "the control pair lost packets, or got them late, as well")    \
    X(IP_BLOCK, "ip-block", "a fresh identity was refused after the case")                         \
    X(CRASH, "crash", "the relay stopped answering or exited")                                     \
    X(NO_RESPONSE, "no-response", "the required response did not come")                            \
    X(WRONG_RESPONSE, "wrong-response", "another response came than the required one")             \
    X(NOT_CLOSED, "not-closed", "the connection stayed open")                                      \
    X(MODE_MISMATCH, "mode-mismatch", "the declared mode is not the one that was observed")

typedef enum wzp_ct_reason {
#define X(id, name, text) WZP_CT_REASON_##id,
    WZP_CT_REASON_MAP(X)
#undef X
        WZP_CT_REASON_COUNT
} wzp_ct_reason;

/* "silent-drop"; static text, "" for NONE. */
const char *wzp_ct_reason_name(wzp_ct_reason reason);
const char *wzp_ct_reason_text(wzp_ct_reason reason);
const char *wzp_ct_grade_name(wzp_ct_grade grade); /* "PASS" ... */
const char *wzp_ct_level_name(wzp_ct_level level); /* "MUST" ... */

typedef enum wzp_ct_mode {
    WZP_CT_MODE_UNKNOWN,
    WZP_CT_MODE_OBSERVE,
    WZP_CT_MODE_ENFORCE,
    WZP_CT_MODE_DROP
} wzp_ct_mode;
const char *wzp_ct_mode_name(wzp_ct_mode mode);

/* One point of a case's timeline; `lane` groups them for the picture. */
typedef enum wzp_ct_lane {
    WZP_CT_LANE_EXPECTED, /* what must happen, with its deadline */
    WZP_CT_LANE_SUBJECT,  /* X: the sender under test */
    WZP_CT_LANE_LISTENER, /* L */
    WZP_CT_LANE_CONTROL,  /* K */
    WZP_CT_LANE_COUNT
} wzp_ct_lane;

typedef struct wzp_ct_mark {
    wzp_ct_lane lane;
    double t_s;     /* relative to the onset; negative before it */
    double until_s; /* > t_s: a span (traffic, deadline window), else a point */
    char label[64]; /* printable: "hangup Bitrate", "pattern 90 pkt/s x 159 B" */
} wzp_ct_mark;

#define WZP_CT_MARKS_MAX 24

/* One execution of a case. */
typedef struct wzp_ct_run {
    wzp_ct_grade grade;
    wzp_ct_reason reason;
    bool lenient;     /* PASS by the lenient rule, or a SHOULD-level failure ("warning") */
    char feature[48]; /* unsupported:<feature> */
    char expected[256], actual[512]; /* one sentence each */

    /* Typed reaction at X, times from the onset in seconds, negative: never. */
    char hangup_code[32]; /* "" none */
    double hangup_s, close_s;
    uint64_t close_code;
    char close_reason[64];

    uint64_t offered, delivered, altered, duplicated, after_close; /* X -> L */
    uint64_t control_offered, control_delivered;
    bool control_hangup;
    double control_spread_ms; /* between the fastest and the slowest of the control's packets */

    /* Sender accounting of conformance sheet 24.1, from actual send times. */
    uint64_t scheduled, sent;
    uint64_t max_bytes_1s, max_packets_1s;                 /* any sliding second */
    uint64_t min_aligned_bytes_1s, min_aligned_packets_1s; /* worst tumbling alignment */
    double schedule_error_p99_ms;

    wzp_ct_mark marks[WZP_CT_MARKS_MAX];
    size_t mark_count;
    char evidence[3][160]; /* paths relative to the report's folder, "" none: pcapng, keys, jsonl */
    double started_s, duration_s; /* on the run's clock */
} wzp_ct_run;

/* What a case is, for reports: static text. */
typedef struct wzp_ct_info {
    const char *id;          /* "A-03" */
    const char *chapter;     /* "A", "AS", "CAL", "W", "H", ... */
    const char *title;       /* short: "Opus24k just over the guard ceiling" */
    const char *requirement; /* "CONF-A-2" */
    const char *must;        /* what a compliant relay must do, one sentence */
    const char *traffic;     /* the exact traffic, one sentence */
    const char *source;      /* "conformance 24.3" */
    wzp_ct_level level;
    bool must_forward; /* grades false positives; otherwise, if `abuse`, missed abuse */
    bool abuse;
} wzp_ct_info;

/* Compared with what a file says is expected of this target. */
typedef enum wzp_ct_deviation {
    WZP_CT_DEVIATION_NONE,  /* as expected, or nothing can be said */
    WZP_CT_DEVIATION_KNOWN, /* fails or warns, and the file says so */
    WZP_CT_DEVIATION_NEW,   /* fails or warns, and the file does not say so */
    WZP_CT_DEVIATION_GONE,  /* passes, and the file says that it does not */
    WZP_CT_DEVIATION_COUNT
} wzp_ct_deviation;
/* "known"; "" for NONE. */
const char *wzp_ct_deviation_name(wzp_ct_deviation deviation);

typedef struct wzp_ct_case_result {
    const wzp_ct_info *info;
    wzp_ct_grade grade; /* over all runs: 2 of 3 decide */
    wzp_ct_reason reason;
    bool lenient, flaky;
    wzp_ct_deviation deviation;
    const wzp_ct_run *runs; /* borrowed from the engine */
    size_t run_count;
    size_t deciding_run; /* index of the run whose expected/actual stand for the case */
} wzp_ct_case_result;

typedef struct wzp_ct_totals {
    uint32_t by_grade[WZP_CT_GRADE_COUNT];
    uint32_t warnings; /* SHOULD-level failures; they count as PASS(lenient) */
    uint32_t flaky;
} wzp_ct_totals;

/* The whole run. */
typedef struct wzp_ct_report {
    const char *suite_version, *build_hash;
    char started[32];      /* RFC 3339, UTC; "" in virtual time unless the caller set it */
    double duration_s;     /* wall clock */
    char target[128];      /* "127.0.0.1:4433", "embedded relay", "exec: ..." */
    char target_build[64]; /* answer to SNI "version", "" unknown */
    wzp_ct_mode declared_mode, detected_mode;
    bool virtual_time, strict_limits, interrupted; /* Ctrl-C or a fatal calibration case */
    char fatal[160]; /* why everything is INCONCLUSIVE, "" otherwise */
    uint32_t repeat, jobs;
    uint64_t seed;
    char replay[256]; /* the command line that repeats this run */
    const wzp_ct_case_result *cases;
    size_t case_count;
    wzp_ct_totals totals;
} wzp_ct_report;

/* Folds the runs of one case into its verdict: majority, worst reason, flaky. */
void wzp_ct_fold(wzp_ct_case_result *result);

/* Sums up; FAIL of a SHOULD or INFO case does not exist: they are warnings. */
void wzp_ct_sum(wzp_ct_totals *out, const wzp_ct_case_result *cases, size_t count);

/* 0, 1 or 5 (design: exit codes). */
int wzp_ct_exit_code(const wzp_ct_report *report);

#endif
