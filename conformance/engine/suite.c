#include "conformance/engine/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine/exposition.h"

enum { WEIGHT_RATE = 200 };

#define TURN (20 * WZP_MS)

typedef struct job {
    wzp_ct_exec *exec;
    size_t case_index, run_index;
    unsigned weight;
} job;

typedef struct suite {
    const wzp_ct_suite_cfg *cfg;
    wzp_ct_report *report;
    wzp_ct_case_result *results;
    wzp_ct_run *runs; /* `repeat` for each case, see run_of */
    job *jobs;
    size_t active, done, total, failed;
    unsigned weight;
} suite;

static wzp_ct_run *run_of(const suite *s, size_t case_index, size_t run_index) {
    return &s->runs[case_index * s->cfg->repeat + run_index];
}

static uint32_t repeats(const suite *s, const wzp_ct_case *c) {
    const bool once = strcmp(c->info.chapter, "CAL") == 0 || c->config == WZP_CT_CONFIG_METRICS;
    return once ? 1 : s->cfg->repeat;
}

/* How much of this machine a case needs, in units of an ordinary one. */
static unsigned weight_of(const wzp_ct_case *c) {
    const uint32_t rate = c->video ? 900 : c->stream.rate;
    return c->kind == WZP_CT_TRAFFIC ? 1 + rate / WEIGHT_RATE : 1;
}

static uint64_t run_seed(const suite *s, const wzp_ct_case *c, uint32_t run) {
    wzp_prng prng;
    wzp_prng_init(&prng, s->cfg->seed + run, c->info.id);
    return wzp_rng_u64(wzp_prng_rng(&prng));
}

static void keep_evidence(suite *s, job *j, wzp_ct_run *run) {
    static const char *const suffixes[] = {"pcapng", "keys", "jsonl"};
    char stem[64];
    char why[256];
    if (s->cfg->evidence_dir == NULL ||
        (run->grade == WZP_CT_PASS && !run->lenient && !s->cfg->evidence_all)) {
        return;
    }
    (void)snprintf(stem, sizeof stem, "%s.%zu", s->cfg->cases[j->case_index]->info.id,
                   j->run_index + 1);
    if (!wzp_evidence_write(wzp_ct_exec_evidence(j->exec), s->cfg->evidence_dir, stem, why)) {
        (void)fprintf(stderr, "wzp-conformance: evidence is lost: %s\n", why);
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(run->evidence[i], sizeof run->evidence[i], "evidence/%s.%s", stem,
                       suffixes[i]);
    }
}

static void record(suite *s, size_t case_index, size_t run_index, const wzp_ct_run *run) {
    *run_of(s, case_index, run_index) = *run;
    s->done++;
    s->failed += run->grade == WZP_CT_FAIL ? 1 : 0;
    if (s->cfg->progress != NULL) {
        s->cfg->progress(s->cfg->ctx, s->done, s->total, s->failed);
    }
}

static void record_verdict(suite *s, size_t case_index, size_t run_index, wzp_ct_grade grade,
                           wzp_ct_reason reason, const char *actual) {
    wzp_ct_run run = {.grade = grade, .reason = reason, .hangup_s = -1, .close_s = -1};
    const wzp_ct_case *c = s->cfg->cases[case_index];
    (void)snprintf(run.actual, sizeof run.actual, "%s", actual);
    (void)snprintf(run.feature, sizeof run.feature, "%s", c->feature != NULL ? c->feature : "");
    record(s, case_index, run_index, &run);
}

/* --- starting and ending ---------------------------------------------------------------------- */

/* A case with a web has one, or cannot be run here. */
static bool host(const suite *s, wzp_ct_exec *exec, const wzp_ct_case *c) {
    wzp_addr places[WZP_CT_WEB_PLACES];
    if (c->web == NULL || wzp_ct_exec_done(exec)) {
        return c->web == NULL;
    }
    wzp_ct_world *w = s->cfg->world;
    const bool ok = w->ops->host(w, wzp_ct_exec_web(exec, places), places);
    wzp_ct_exec_hosted(exec, ok ? places : NULL, w->ops->now(w));
    return ok;
}

static bool start_job(suite *s, size_t case_index, size_t run_index) {
    const wzp_ct_suite_cfg *cfg = s->cfg;
    const wzp_ct_case *c = cfg->cases[case_index];
    const wzp_time now = cfg->world->ops->now(cfg->world);
    const wzp_addr loopback = wzp_addr_v4(127, 0, 0, 1, 0);
    const bool is_client = c->client != WZP_CT_CLIENT_NONE;
    const wzp_addr *target = is_client ? &loopback : &cfg->targets[c->config];
    wzp_addr locals[WZP_CT_PARTIES] = {0};
    const wzp_ct_exec_cfg exec_cfg = {.which = c,
                                      .seed = run_seed(s, c, (uint32_t)run_index),
                                      .rng = cfg->rng,
                                      .deterministic = cfg->virtual_time,
                                      .evidence =
                                          cfg->evidence_dir != NULL ? wzp_evidence_new() : NULL,
                                      .target = *target,
                                      .mode = s->report->detected_mode,
                                      .relay = &cfg->relay,
                                      .relay_ctx = cfg->ctx,
                                      .clients = cfg->clients,
                                      .clients_ctx = cfg->clients_ctx,
                                      .client_obeys = cfg->client_obeys,
                                      .client_tunes = cfg->client_tunes};
    wzp_ct_exec *exec = wzp_ct_exec_new(&exec_cfg, now);
    if (exec != NULL) {
        wzp_ct_exec_wishes(exec, locals);
    }
    if (exec == NULL || !cfg->world->ops->add(cfg->world, wzp_ct_exec_core(exec), target, locals,
                                              wzp_ct_exec_addresses(c))) {
        wzp_ct_exec_free(&exec);
        record_verdict(s, case_index, run_index, WZP_CT_INCONCLUSIVE, WZP_CT_REASON_SENDER_RATE,
                       "no socket or no memory on this machine");
        return false;
    }
    wzp_ct_exec_start(exec, locals, now);
    if (host(s, exec, c) && is_client && !wzp_ct_exec_invite(exec)) {
        wzp_ct_exec_abort(exec, WZP_CT_INCONCLUSIVE, WZP_CT_REASON_SENDER_RATE, now);
    }
    s->jobs[s->active++] = (job){exec, case_index, run_index, weight_of(c)};
    s->weight += weight_of(c);
    return true;
}

/* Nobody can ask it to hang up. */
static bool only_observes(const suite *s, const wzp_ct_case *c) {
    return c->info.abuse && s->report->detected_mode == WZP_CT_MODE_OBSERVE &&
           s->cfg->declared != WZP_CT_MODE_ENFORCE && !s->cfg->grade_abuse;
}

static void end_job(suite *s, size_t i) {
    job *j = &s->jobs[i];
    const wzp_ct_case *c = s->cfg->cases[j->case_index];
    wzp_ct_run run = *wzp_ct_exec_result(j->exec);
    if (c->sets_mode) {
        s->report->detected_mode = wzp_ct_exec_mode(j->exec);
    }
    if (only_observes(s, c) && run.reason == WZP_CT_REASON_NOT_CLOSED) {
        run.grade = WZP_CT_SKIP; /* it ran to see that nothing vanishes */
        run.reason = WZP_CT_REASON_OBSERVE_ONLY;
        run.lenient = false;
    }
    keep_evidence(s, j, &run);
    record(s, j->case_index, j->run_index, &run);
    s->cfg->world->ops->remove(s->cfg->world, wzp_ct_exec_core(j->exec).self);
    wzp_ct_exec_free(&j->exec);
    s->weight -= j->weight;
    s->jobs[i] = s->jobs[--s->active];
}

static bool stopped(const suite *s) {
    return s->cfg->stop != NULL && *s->cfg->stop != 0;
}

/* Ends everything that runs; true if the suite must not go on. */
static bool must_stop(suite *s) {
    const bool dead = s->cfg->alive != NULL && !s->cfg->alive(s->cfg->ctx);
    if (!dead && !stopped(s)) {
        return false;
    }
    const wzp_time now = s->cfg->world->ops->now(s->cfg->world);
    for (size_t i = 0; i < s->active; i++) {
        wzp_ct_exec_abort(s->jobs[i].exec, dead ? WZP_CT_FAIL : WZP_CT_INCONCLUSIVE,
                          dead ? WZP_CT_REASON_CRASH : WZP_CT_REASON_NONE, now);
    }
    while (s->active > 0) {
        end_job(s, 0);
    }
    s->report->interrupted = true;
    if (dead) {
        (void)snprintf(s->report->fatal, sizeof s->report->fatal, "the relay's process ended");
    }
    return true;
}

static void turn(suite *s) {
    wzp_ct_world *w = s->cfg->world;
    if (s->cfg->turn != NULL) {
        s->cfg->turn(s->cfg->ctx, w->ops->now(w));
    }
    w->ops->step(w, wzp_time_after(w->ops->now(w), TURN));
    for (size_t i = s->active; i-- > 0;) {
        if (wzp_ct_exec_done(s->jobs[i].exec)) {
            end_job(s, i);
        }
    }
}

/* --- what needs no connection ----------------------------------------------------------------- */

static uint32_t count_late(wzp_ct_world *w, const wzp_ct_stream *stream, uint32_t count) {
    const wzp_time from = w->ops->now(w);
    uint32_t late = 0;
    for (uint32_t i = 0; i < count; i++) {
        const wzp_time due = from + (wzp_time)i * WZP_S / stream->rate;
        while (w->ops->now(w) < due) {
            w->ops->step(w, due);
        }
        late += w->ops->now(w) - due > 2 * WZP_MS ? 1 : 0;
    }
    return late;
}

/* CAL-02: a bare timer against the schedule.  In virtual time it is exact by construction; on a
 * real machine the best of six tries counts, since one hiccup of a shared host proves nothing:
 * every run accounts for its own sending besides. */
static void check_pacing(suite *s, size_t case_index) {
    const wzp_ct_stream *stream = &s->cfg->cases[case_index]->stream;
    const uint32_t count = stream->rate * stream->duration_ms / 1000;
    uint32_t late = count;
    for (int attempt = 0; attempt < 6 && late * 100 > count; attempt++) {
        const uint32_t n = count_late(s->cfg->world, stream, count);
        late = n < late ? n : late;
    }
    char text[96];
    (void)snprintf(text, sizeof text, "%u of %u sends were more than 2 ms late", late, count);
    const bool good = late * 100 <= count;
    record_verdict(s, case_index, 0, good ? WZP_CT_PASS : WZP_CT_INCONCLUSIVE,
                   good ? WZP_CT_REASON_NONE : WZP_CT_REASON_SENDER_RATE, text);
}

static void check_metrics(suite *s, size_t case_index) {
    char *text = s->cfg->has_metrics ? malloc(WZP_CT_PAGE_MAX) : NULL;
    unsigned samples = 0;
    char actual[96];
    bool ok = text != NULL;
    if (!ok) {
        record_verdict(s, case_index, 0, WZP_CT_SKIP, WZP_CT_REASON_NO_METRICS,
                       "no metrics address is known");
        return;
    }
    for (int i = 0; i < 2 && ok; i++) {
        ok = s->cfg->relay.metrics(s->cfg->ctx, WZP_CT_CONFIG_METRICS, text, WZP_CT_PAGE_MAX) &&
             wzp_exposition_is_valid(text, &samples);
    }
    free(text);
    (void)snprintf(actual, sizeof actual,
                   ok ? "%u samples, twice" : "not readable after %u samples", samples);
    record_verdict(s, case_index, 0, WZP_CT_PASS,
                   ok ? WZP_CT_REASON_NONE : WZP_CT_REASON_NO_METRICS, actual);
}

static void skip_case(suite *s, size_t i, wzp_ct_reason reason, const char *why) {
    for (uint32_t r = 0; r < repeats(s, s->cfg->cases[i]); r++) {
        record_verdict(s, i, r, WZP_CT_SKIP, reason, why);
    }
}

/* What the client under test cannot be told; NULL: nothing, or it is a relay. */
static const char *lacks(const suite *s, const wzp_ct_case *c) {
    wzp_ct_invitation to;
    if (c->client == WZP_CT_CLIENT_NONE || s->cfg->clients == NULL) {
        return NULL;
    }
    wzp_ct_exec_invitation(c, &to);
    return s->cfg->clients->lacks(s->cfg->clients_ctx, &to);
}

static void skip_lacking(suite *s, size_t i, const char *feature) {
    for (uint32_t r = 0; r < repeats(s, s->cfg->cases[i]); r++) {
        wzp_ct_run run = {.grade = WZP_CT_SKIP,
                          .reason = WZP_CT_REASON_UNSUPPORTED,
                          .hangup_s = -1,
                          .close_s = -1};
        (void)snprintf(run.actual, sizeof run.actual, "the client cannot be told: %s", feature);
        (void)snprintf(run.feature, sizeof run.feature, "%s", feature);
        record(s, i, r, &run);
    }
}

/* True if the case has its verdict without running. */
static bool settled(suite *s, size_t i) {
    const wzp_ct_case *c = s->cfg->cases[i];
    if (c->kind == WZP_CT_PACING) {
        check_pacing(s, i);
    } else if (c->kind == WZP_CT_SCRAPE) {
        check_metrics(s, i);
    } else if (c->strict_limits && !s->cfg->strict_limits) {
        skip_case(s, i, WZP_CT_REASON_PROFILE, "needs --profile strict-limits");
    } else if (c->is_long && !s->cfg->virtual_time && !s->cfg->long_too) {
        skip_case(s, i, WZP_CT_REASON_LONG, wzp_ct_reason_text(WZP_CT_REASON_LONG));
    } else if (c->client == WZP_CT_CLIENT_NONE &&
               s->cfg->targets[c->config].family == WZP_ADDR_NONE) {
        skip_case(s, i, c->skip, wzp_ct_reason_text(c->skip));
    } else if (lacks(s, c) != NULL) {
        skip_lacking(s, i, lacks(s, c));
    } else if (c->reads_metrics && !s->cfg->has_auth_metrics) {
        skip_case(s, i, WZP_CT_REASON_NO_METRICS, wzp_ct_reason_text(WZP_CT_REASON_NO_METRICS));
    } else if (only_observes(s, c) && !c->criteria.never_silent) {
        skip_case(s, i, WZP_CT_REASON_OBSERVE_ONLY, wzp_ct_reason_text(WZP_CT_REASON_OBSERVE_ONLY));
    } else {
        return false;
    }
    return true;
}

/* --- the run ---------------------------------------------------------------------------------- */

static bool is_calibration(const wzp_ct_case *c) {
    return strcmp(c->info.chapter, "CAL") == 0;
}

static void check_mode(suite *s, size_t i) {
    wzp_ct_run *run = run_of(s, i, 0);
    const wzp_ct_mode declared = s->cfg->declared;
    const wzp_ct_mode seen = s->report->detected_mode;
    if (!s->cfg->cases[i]->sets_mode || declared == WZP_CT_MODE_UNKNOWN) {
        return;
    }
    if (seen == WZP_CT_MODE_UNKNOWN) {
        s->report->detected_mode = declared; /* nothing speaks against it */
    } else if (seen != declared && run->grade == WZP_CT_PASS) {
        run->grade = WZP_CT_FAIL;
        run->reason = WZP_CT_REASON_MODE_MISMATCH;
    }
}

/* A busy machine may hide the mode: two more tries are better than verdicts that rest on a guess.
 */
static void run_calibration(suite *s, size_t i) {
    const bool sets_mode = s->cfg->cases[i]->sets_mode;
    int tries = 3;
    do {
        if (!settled(s, i) && start_job(s, i, 0)) {
            while (s->active > 0 && !must_stop(s)) {
                turn(s);
            }
        }
    } while (--tries > 0 && sets_mode && s->report->detected_mode == WZP_CT_MODE_UNKNOWN &&
             !s->report->interrupted);
    check_mode(s, i);
}

/* Why nothing can be said after this calibration case; NULL: it is as it must be. */
static const char *fatal_because(const suite *s, size_t i) {
    const wzp_ct_case *c = s->cfg->cases[i];
    const wzp_ct_run *run = run_of(s, i, 0);
    const bool expected = s->cfg->bad_path && run->grade == WZP_CT_INCONCLUSIVE;
    if (c->fatal && run->actual[0] != '\0' && run->grade != WZP_CT_PASS && !expected) {
        return run->actual;
    }
    return c->sets_mode && s->report->detected_mode == WZP_CT_MODE_UNKNOWN
               ? "the relay's mode did not show; say it with --mode, or use an idle machine"
               : NULL;
}

/* One after the other; false: a fatal one did not pass. */
static bool calibrate(suite *s) {
    bool good = true;
    for (size_t i = 0; i < s->cfg->case_count && is_calibration(s->cfg->cases[i]); i++) {
        run_calibration(s, i);
        const char *why = fatal_because(s, i);
        if (why != NULL && good) {
            good = false;
            (void)snprintf(s->report->fatal, sizeof s->report->fatal, "%s did not pass: %.100s",
                           s->cfg->cases[i]->info.id, why);
        }
        if (s->report->interrupted) {
            return false;
        }
    }
    return good;
}

/* Counters belong to the relay: what is measured there must not be stirred by others. */
static bool disturb(const suite *s, const wzp_ct_case *a, const wzp_ct_case *b) {
    if (a->client != WZP_CT_CLIENT_NONE) {
        /* Each is a relay of its own, and none of the clients knows of others, but hears them. */
        return a->web != NULL || b->web != NULL ||
               (s->cfg->clients_share && (a->moves || b->moves));
    }
    const bool one_counts =
        (a->config == WZP_CT_CONFIG_METRICS) != (b->config == WZP_CT_CONFIG_METRICS);
    return wzp_addr_equal(&s->cfg->targets[a->config], &s->cfg->targets[b->config]) &&
           (a->alone || b->alone || one_counts);
}

static bool taken(const suite *s, const wzp_ct_case *c) {
    for (size_t i = 0; i < s->active; i++) {
        if (disturb(s, c, s->cfg->cases[s->jobs[i].case_index])) {
            return true;
        }
    }
    return false;
}

/* One run of one case that is still to be done. */
typedef struct turn_of {
    size_t case_index;
    uint32_t run_index;
    bool started;
} turn_of;

/* Starts what can run now, in order; what waits for its relay lets others go first.  Returns how
 * many are left. */
static size_t start_ready(suite *s, turn_of *queue, size_t count) {
    size_t left = 0;
    bool full = false;
    for (size_t i = 0; i < count; i++) {
        turn_of *t = &queue[i];
        const wzp_ct_case *c = s->cfg->cases[t->case_index];
        if (t->started) {
            continue;
        }
        full = full || (s->active > 0 && s->weight + weight_of(c) > s->cfg->jobs);
        if (full || taken(s, c)) {
            left++;
        } else {
            t->started = true;
            (void)start_job(s, t->case_index, t->run_index);
        }
    }
    return left;
}

/* A relay of their own lets the cases about metrics begin first, which together take longest;
 * without one they come last, when nobody else uses it. */
static bool comes_in(const suite *s, const wzp_ct_case *c, int part) {
    const bool own = !wzp_addr_equal(&s->cfg->targets[WZP_CT_CONFIG_METRICS],
                                     &s->cfg->targets[WZP_CT_CONFIG_PLAIN]);
    return part == (c->config != WZP_CT_CONFIG_METRICS ? 1 : own ? 0 : 2);
}

/* Every case once, then all again: what disturbs this machine for a moment hits one run of a case.
 */
static size_t make_queue(suite *s, turn_of *queue) {
    size_t count = 0;
    for (int part = 0; part < 3; part++) {
        for (uint32_t r = 0; r < s->cfg->repeat; r++) {
            for (size_t i = 0; i < s->cfg->case_count; i++) {
                const wzp_ct_case *c = s->cfg->cases[i];
                if (comes_in(s, c, part) && !is_calibration(c) && r < repeats(s, c) &&
                    !(r == 0 && settled(s, i)) && run_of(s, i, r)->actual[0] == '\0') {
                    queue[count++] = (turn_of){.case_index = i, .run_index = r};
                }
            }
        }
    }
    return count;
}

static void run_all(suite *s) {
    turn_of *queue = calloc(s->total + 1, sizeof *queue);
    const size_t count = queue != NULL ? make_queue(s, queue) : 0;
    size_t left = !must_stop(s) ? start_ready(s, queue, count) : 0;
    while (left + s->active > 0 && !must_stop(s)) {
        const size_t done = s->done;
        turn(s);
        left = s->done != done ? start_ready(s, queue, count) : left; /* a place is free */
    }
    free(queue);
}

/* What never got its turn. */
static void fill_rest(suite *s) {
    for (size_t i = 0; i < s->cfg->case_count; i++) {
        for (uint32_t r = 0; r < repeats(s, s->cfg->cases[i]); r++) {
            wzp_ct_run *run = run_of(s, i, r);
            if (run->actual[0] == '\0') {
                *run = (wzp_ct_run){.grade = WZP_CT_INCONCLUSIVE, .hangup_s = -1, .close_s = -1};
                (void)snprintf(run->actual, sizeof run->actual, "was not run: %s",
                               s->report->fatal[0] != '\0' ? s->report->fatal : "interrupted");
            }
        }
    }
}

static void fold_all(suite *s) {
    for (size_t i = 0; i < s->cfg->case_count; i++) {
        const wzp_ct_case *c = s->cfg->cases[i];
        s->results[i] = (wzp_ct_case_result){
            .info = &c->info, .runs = run_of(s, i, 0), .run_count = repeats(s, c)};
        wzp_ct_fold(&s->results[i]);
    }
    s->results[0].runs = s->runs;
    s->report->cases = s->results;
    s->report->case_count = s->cfg->case_count;
    wzp_ct_sum(&s->report->totals, s->results, s->cfg->case_count);
}

bool wzp_ct_suite_run(const wzp_ct_suite_cfg *cfg, wzp_ct_report *report) {
    suite s = {.cfg = cfg, .report = report};
    s.results = calloc(cfg->case_count + 1, sizeof *s.results);
    s.runs = calloc(cfg->case_count * cfg->repeat + 1, sizeof *s.runs);
    s.jobs = calloc(cfg->jobs + 64, sizeof *s.jobs);
    for (size_t i = 0; i < cfg->case_count; i++) {
        s.total += repeats(&s, cfg->cases[i]);
    }
    const bool ok = s.results != NULL && s.runs != NULL && s.jobs != NULL;
    report->detected_mode = WZP_CT_MODE_UNKNOWN;
    report->declared_mode = cfg->declared;
    if (ok) {
        if (calibrate(&s)) {
            run_all(&s);
        }
        fill_rest(&s);
        fold_all(&s);
    } else {
        free(s.results);
        free(s.runs);
    }
    free(s.jobs);
    return ok;
}

void wzp_ct_suite_clear(wzp_ct_report *report) {
    if (report->cases != NULL) {
        free(wzp_drop_const(report->cases[0].runs)); /* all cases have theirs from one block */
    }
    free(wzp_drop_const(report->cases));
    report->cases = NULL;
    report->case_count = 0;
}
