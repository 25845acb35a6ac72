/* Runs a selection of cases against one target and gives a report. */
#ifndef WZP_CONFORMANCE_ENGINE_SUITE_H
#define WZP_CONFORMANCE_ENGINE_SUITE_H

#include <signal.h>

#include "conformance/engine/case.h"
#include "conformance/engine/run.h"
#include "conformance/engine/world.h"

typedef struct wzp_ct_suite_cfg {
    wzp_ct_world *world;
    wzp_addr targets[WZP_CT_CONFIG_COUNT]; /* family NONE: there is no relay configured so */
    const wzp_ct_case *const *cases;       /* in the order of the report; calibration first */
    size_t case_count;
    uint32_t repeat, jobs; /* jobs: cases of ordinary weight at once */
    uint64_t seed;
    wzp_ct_mode declared; /* UNKNOWN: whatever it shows */
    bool strict_limits, virtual_time;
    bool bad_path;    /* on purpose: lossy calibration ends nothing */
    bool long_too;    /* run cases that take a minute, in real time as well */
    bool grade_abuse; /* grade abuse cases whatever mode the relay showed: it is to enforce */
    wzp_rng rng;      /* for keys in real time */

    const char *evidence_dir; /* NULL: none is kept */
    bool evidence_all;        /* of passed runs too */

    /* All may be NULL. */
    const volatile sig_atomic_t *stop;
    bool (*alive)(void *ctx);         /* false: the relay's process is gone */
    wzp_ct_relay_ops relay;           /* each has `ctx` as well */
    const wzp_ct_client_ops *clients; /* for cases about a client */
    void *clients_ctx;
    bool client_obeys;                     /* it is told whether to seal its media */
    bool client_tunes;                     /* and how good its sound shall be */
    bool clients_share;                    /* a network, which some cases change */
    bool has_metrics, has_auth_metrics;    /* whether relay.metrics has any, and those of
                                              targets[WZP_CT_CONFIG_AUTH] */
    void (*turn)(void *ctx, wzp_time now); /* now and then, while no case is served */
    void (*progress)(void *ctx, size_t done, size_t total, size_t failed);
    void *ctx;
} wzp_ct_suite_cfg;

/* Fills cases, totals, modes, fatal and interrupted of *report; the rest is the caller's.  False:
 * out of memory.  wzp_ct_suite_clear releases what it filled. */
bool wzp_ct_suite_run(const wzp_ct_suite_cfg *cfg, wzp_ct_report *report);
void wzp_ct_suite_clear(wzp_ct_report *report);

#endif
