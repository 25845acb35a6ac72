/* A scenario is built, run to its end, and looked at. */
#ifndef WZP_SIM_LAB_RUN_H
#define WZP_SIM_LAB_RUN_H

#include "base/log.h"
#include "sim/host/call_host.h"
#include "sim/host/phone_host.h"
#include "sim/host/relay_host.h"
#include "sim/lab/measure.h"
#include "sim/lab/trace.h"

typedef struct wzp_lab_run_cfg {
    const char *engine;    /* "native" or "ns3"; NULL: native */
    const char *pcap_dir;  /* one file per node, and keys.log; NULL: none */
    const char *pcap_file; /* instead: one file of what hosts and relays see */
    const char *qlog_dir;  /* NULL: none */
    FILE *trace;           /* NULL: none; borrowed */
    wzp_log log;
    uint64_t max_events; /* 0: the engine's limit */
    /* Called about every second of virtual time; may be NULL. */
    void (*progress)(void *ctx, uint64_t at, uint64_t duration);
    void *ctx;
} wzp_lab_run_cfg;

/* --- what happened ---------------------------------------------------------------------------- */

typedef struct wzp_lab_entry {
    uint64_t at;  /* from the start of the run */
    char who[72]; /* "x", "x.nat", "relay" */
    char what[24];
    char detail[96];
    bool event; /* of the scenario's timeline, not of somebody in it */
} wzp_lab_entry;

#define WZP_LAB_ENTRIES_MAX 20000

/* --- what was judged -------------------------------------------------------------------------- */

/* name, strict: one failure in any seed fails a campaign; the others may fail in 5 % of them
 * (nat sheet 2.13). */
#define WZP_LAB_CHECK_MAP(X)                                                                       \
    X(RUN, "run", true)         /* the simulation came to its end */                               \
    X(PATH, "path", true)       /* as expected */                                                  \
    X(AGREE, "agree", true)     /* both ends of a call have the same kind of path */               \
    X(HANGUP, "hangup", true)   /* nobody was hung up on */                                        \
    X(HEARD, "heard", true)     /* something was heard of whoever spoke */                         \
    X(FOREIGN, "foreign", true) /* nothing was played that nobody had said */                      \
    X(ENDS, "ends", true)       /* the call ended in time */                                       \
    X(LOST, "lost", true)       /* the client noticed in time that nothing comes any more */       \
    X(ONCE, "once", true)       /* every frame arrived at most once (relays that federate) */      \
    X(ECHO, "echo", true)       /* nobody heard itself (the same) */                               \
    X(FRAMES, "frames", true)   /* no more were missing than allowed */                            \
    X(MEMBERS, "members", true) /* so many are in the room, as told last */                        \
    X(REFUSED, "refused", true) /* strangers were */                                               \
    X(UNSAID, "unsaid", true)   /* a signal that must not leave did not */                         \
    X(APART, "apart", true)     /* nothing went directly */                                        \
    X(TOLD, "told", true)       /* why the call ended */                                           \
    X(SILENCE, "silence", true) /* none that was too long */                                       \
    X(BACK, "back", true)       /* registered again in time */                                     \
    X(UPDATES, "updates", true) /* those that count were taken, and no others */                   \
    X(SETUP, "setup", false)                                                                       \
    X(DIRECT, "direct", false) /* media took a direct path in time */                              \
    X(OFFER, "offer", false)   /* the relay was asked in time */                                   \
    X(AUDIO, "audio", false)                                                                       \
    X(MOS, "mos", false) /* the E-model's opinion */                                               \
    X(EVENT_GAP, "event-gap", false)                                                               \
    X(RECOVER, "recover", false)

typedef enum wzp_lab_check_kind {
#define X(id, word, strict) WZP_LAB_CHECK_##id,
    WZP_LAB_CHECK_MAP(X)
#undef X
        WZP_LAB_CHECK_COUNT
} wzp_lab_check_kind;

const char *wzp_lab_check_word(wzp_lab_check_kind kind);
bool wzp_lab_check_strict(wzp_lab_check_kind kind);

typedef struct wzp_lab_check {
    wzp_lab_check_kind kind;
    bool good;
    char where[2 * WZP_LAB_NAME_MAX + 16]; /* "x", "x hears y", "" */
    char expected[64], got[128];
} wzp_lab_check;

/* --- the result ------------------------------------------------------------------------------- */

typedef struct wzp_lab_member {
    uint32_t host;
    wzp_sim_call_host *call;
    wzp_sim_phone_host *phone; /* of a direct call; NULL: it just joins a room, or is offline */
    wzp_sim_call_report report;
    wzp_sim_phone_report phone_report;
    const struct wzp_lab_seat *seat;
    wzp_lab_path path; /* RELAY, DIRECT, NONE */
    /* To the first sound, ns; 0: there was none.  From the later dial, or of a direct call from the
     * relay's later CallSetup; and from the wish to call (nat sheet 2.13: T_setup, T_call). */
    uint64_t setup, since_wish;
} wzp_lab_member;

typedef struct wzp_lab_call_result {
    const wzp_lab_call *call;
    wzp_lab_member *members; /* in the order of the scenario's */
} wzp_lab_call_result;

typedef struct wzp_lab_result {
    const wzp_lab_scenario *scenario; /* borrowed */
    const char *engine;
    wzp_time start; /* of virtual time */
    wzp_sim_stop stop;
    uint64_t events, packets, trace_hash, pcap_hash; /* pcap: 0 without captures */
    wzp_lab_call_result *calls;
    wzp_lab_entry *entries;
    size_t entry_count, entries_lost;
    wzp_lab_check *checks;
    size_t check_count;
    const char *pcap_file; /* of the configuration; borrowed */
    const char *lacks;     /* what the scenario needs and this build cannot do; NULL */
    wzp_lab_measure *measure;
    wzp_lab_topology *topology;
    struct wzp_lab_world *world; /* all that it was built of */
} wzp_lab_result;

/* `scenario` is borrowed for the life of the result.  On failure `why` is one line.
 * WZP_ERR_IO: the engine or a file is not there, INVALID_ARGUMENT: the network cannot be built,
 * NOMEM */
WZP_MUST_USE wzp_err wzp_lab_run(wzp_lab_result **out, const wzp_lab_scenario *scenario,
                                 const wzp_lab_run_cfg *cfg, char why[256]);
void wzp_lab_result_free(wzp_lab_result **result); /* accepts NULL, leaves NULL */

typedef enum wzp_lab_outcome {
    WZP_LAB_PASSED,
    WZP_LAB_FAILED,
    WZP_LAB_INCONCLUSIVE /* failed, and this build lacks what it needs */
} wzp_lab_outcome;

wzp_lab_outcome wzp_lab_result_outcome(const wzp_lab_result *result);
const char *wzp_lab_outcome_word(wzp_lab_outcome outcome); /* "passed", ... */

/* The first failed check; NULL: none. */
const wzp_lab_check *wzp_lab_result_failure(const wzp_lab_result *result);

#endif
