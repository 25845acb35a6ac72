#include "sim/lab/campaign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "wzp-sim-campaign/1"

/* In 100 seeds, so many may miss a time or a class of sound. */
enum { MISSES_PERCENT = 5, FULL_SEEDS = 20 };

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static uint64_t number_of(const json_t *object, const char *key) {
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* --- one run ---------------------------------------------------------------------------------- */

static json_t *failures_of(const wzp_lab_result *r) {
    json_t *failures = json_array();
    for (size_t i = 0; i < r->check_count; i++) {
        const wzp_lab_check *c = &r->checks[i];
        if (!c->good) {
            json_array_append_new(
                failures, json_pack("{s:s,s:s,s:s,s:s}", "check", wzp_lab_check_word(c->kind),
                                    "where", c->where, "expected", c->expected, "got", c->got));
        }
    }
    return failures;
}

/* Direct if any call has a direct path at both ends. */
static bool is_direct(const wzp_lab_result *r) {
    bool direct = false;
    for (size_t c = 0; c < r->scenario->call_count; c++) {
        bool all = true;
        for (size_t m = 0; m < r->calls[c].call->member_count; m++) {
            all = all && r->calls[c].members[m].path == WZP_LAB_PATH_DIRECT;
        }
        direct = direct || all;
    }
    return direct;
}

static uint64_t worst_setup(const wzp_lab_result *r) {
    uint64_t worst = 0;
    for (size_t c = 0; c < r->scenario->call_count; c++) {
        for (size_t m = 0; m < r->calls[c].call->member_count; m++) {
            const uint64_t setup = r->calls[c].members[m].setup;
            worst = setup > worst ? setup : worst;
        }
    }
    return worst;
}

static wzp_sim_verdict worst_sound(const wzp_lab_result *r) {
    wzp_sim_verdict worst = {0};
    for (size_t c = 0; c < r->scenario->call_count; c++) {
        for (size_t m = 0; m < r->calls[c].call->member_count; m++) {
            const wzp_sim_call_report *report = &r->calls[c].members[m].report;
            for (size_t i = 0; i < report->senders; i++) {
                const wzp_sim_verdict *v = &report->heard[i].verdict;
                worst.conc_ppm = v->conc_ppm > worst.conc_ppm ? v->conc_ppm : worst.conc_ppm;
                worst.gap_ms = v->gap_ms > worst.gap_ms ? v->gap_ms : worst.gap_ms;
            }
        }
    }
    return worst;
}

static json_t *record(const char *file, const char *name, uint64_t seed, const char *outcome) {
    return json_pack("{s:s,s:s,s:I,s:s}", "file", file, "scenario", name, "seed", (json_int_t)seed,
                     "outcome", outcome);
}

json_t *wzp_lab_record(const wzp_lab_result *r, const char *file) {
    char hash[20];
    const wzp_lab_scenario *s = r->scenario;
    const wzp_sim_verdict sound = worst_sound(r);
    json_t *out = record(file, s->name, s->seed, wzp_lab_outcome_word(wzp_lab_result_outcome(r)));
    (void)snprintf(hash, sizeof hash, "%016" PRIx64, r->trace_hash);
    json_object_set_new(out, "direct", json_boolean(is_direct(r)));
    json_object_set_new(out, "setup_ms", json_integer((json_int_t)(worst_setup(r) / WZP_MS)));
    json_object_set_new(out, "concealed_ppm", json_integer(sound.conc_ppm));
    json_object_set_new(out, "gap_ms", json_integer(sound.gap_ms));
    json_object_set_new(out, "trace_hash", json_string(hash));
    json_object_set_new(out, "direct_min_ppm", json_integer(s->direct_min));
    json_object_set_new(out, "direct_max_ppm", json_integer(s->direct_max));
    json_object_set_new(out, "failures", failures_of(r));
    return out;
}

json_t *wzp_lab_record_broken(const char *file, const char *name, uint64_t seed, const char *why) {
    json_t *out = record(file, name, seed, "broken");
    json_object_set_new(out, "failures",
                        json_pack("[{s:s,s:s,s:s,s:s}]", "check", "run", "where", "", "expected",
                                  "a result", "got", why));
    return out;
}

/* --- together --------------------------------------------------------------------------------- */

json_t *wzp_lab_campaign_new(uint64_t first_seed, uint64_t last_seed, const char *options) {
    return json_pack("{s:s,s:I,s:I,s:s,s:[],s:[]}", "format", FORMAT, "first_seed",
                     (json_int_t)first_seed, "last_seed", (json_int_t)last_seed, "options", options,
                     "skipped", "runs");
}

void wzp_lab_campaign_add(json_t *campaign, json_t *record_) {
    json_array_append_new(json_object_get(campaign, "runs"), record_);
}

void wzp_lab_campaign_skip(json_t *campaign, const char *file, const wzp_lab_scenario *scenario) {
    json_array_append_new(json_object_get(campaign, "skipped"),
                          json_pack("{s:s,s:s,s:s}", "file", file, "scenario", scenario->name,
                                    "lacks", wzp_lab_scenario_lacks(scenario)));
}

static bool has_skipped(const json_t *list, const json_t *entry) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_equal(json_array_get(list, i), entry)) {
            return true;
        }
    }
    return false;
}

bool wzp_lab_campaign_merge(json_t *into, const json_t *from, char why[256]) {
    static const char *const same[] = {"first_seed", "last_seed", "options"};
    for (size_t i = 0; i < WZP_COUNT_OF(same); i++) {
        if (!json_equal(json_object_get(into, same[i]), json_object_get(from, same[i]))) {
            (void)snprintf(why, 256, "its %s differs from that of the others", same[i]);
            return false;
        }
    }
    json_t *skipped = json_object_get(into, "skipped");
    const json_t *more = json_object_get(from, "skipped");
    for (size_t i = 0; i < json_array_size(more); i++) {
        if (!has_skipped(skipped, json_array_get(more, i))) {
            json_array_append(skipped, json_array_get(more, i));
        }
    }
    return json_array_extend(json_object_get(into, "runs"),
                             wzp_drop_const(json_object_get(from, "runs"))) == 0;
}

static bool good_run(const json_t *run) {
    return json_is_string(json_object_get(run, "file")) &&
           json_is_string(json_object_get(run, "scenario")) &&
           json_is_integer(json_object_get(run, "seed")) &&
           json_is_string(json_object_get(run, "outcome")) &&
           json_is_array(json_object_get(run, "failures"));
}

json_t *wzp_lab_campaign_load(const char *path, char why[256]) {
    json_error_t error;
    json_t *campaign = json_load_file(path, 0, &error);
    if (campaign == NULL) {
        (void)snprintf(why, 256, "%.120s:%d: %.100s", path, error.line, error.text);
        return NULL;
    }
    const json_t *runs = json_object_get(campaign, "runs");
    bool good = strcmp(text_of(campaign, "format"), FORMAT) == 0 && json_is_array(runs) &&
                json_is_array(json_object_get(campaign, "skipped"));
    for (size_t i = 0; good && i < json_array_size(runs); i++) {
        good = good_run(json_array_get(runs, i));
    }
    if (!good) {
        (void)snprintf(why, 256, "%.200s: is no campaign of wzp-sim", path);
        json_decref(campaign);
        return NULL;
    }
    json_object_del(campaign, "scenarios");
    return campaign;
}

/* --- summing up ------------------------------------------------------------------------------- */

static int by_file_and_seed(const void *a, const void *b) {
    const json_t *x = *(const json_t *const *)a;
    const json_t *y = *(const json_t *const *)b;
    const int files = strcmp(text_of(x, "file"), text_of(y, "file"));
    if (files != 0) {
        return files;
    }
    const uint64_t i = number_of(x, "seed");
    const uint64_t j = number_of(y, "seed");
    return i < j ? -1 : i > j ? 1 : 0;
}

/* A run that came twice counts once. */
static void sort(json_t *campaign, const char *key) {
    json_t *list = json_object_get(campaign, key);
    const size_t n = json_array_size(list);
    json_t **items = calloc(n + 1, sizeof(json_t *));
    json_t *sorted = json_array();
    if (items == NULL || sorted == NULL) {
        free(items);
        json_decref(sorted);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        items[i] = json_array_get(list, i);
    }
    qsort(items, n, sizeof(json_t *), by_file_and_seed);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || by_file_and_seed(&items[i - 1], &items[i]) != 0) {
            json_array_append(sorted, items[i]);
        }
    }
    free(items);
    json_object_set_new(campaign, key, sorted);
}

typedef struct sums {
    size_t runs, passed, direct;
    size_t kinds[WZP_LAB_CHECK_COUNT]; /* runs in which a check of this kind failed */
    uint64_t setup_min, setup_max, concealed_max, gap_max;
    uint64_t direct_min, direct_max; /* allowed, ppm */
} sums;

static void add_failures(sums *s, const json_t *run) {
    const json_t *failures = json_object_get(run, "failures");
    for (unsigned kind = 0; kind < WZP_LAB_CHECK_COUNT; kind++) {
        for (size_t i = 0; i < json_array_size(failures); i++) {
            const char *word = text_of(json_array_get(failures, i), "check");
            if (strcmp(word, wzp_lab_check_word((wzp_lab_check_kind)kind)) == 0) {
                s->kinds[kind]++;
                break;
            }
        }
    }
}

static void add_run(sums *s, const json_t *run) {
    const uint64_t setup = number_of(run, "setup_ms");
    const uint64_t gap = number_of(run, "gap_ms");
    const uint64_t concealed = number_of(run, "concealed_ppm");
    s->passed += strcmp(text_of(run, "outcome"), "passed") == 0 ? 1 : 0;
    s->direct += json_is_true(json_object_get(run, "direct")) ? 1 : 0;
    s->setup_min = s->runs == 0 || setup < s->setup_min ? setup : s->setup_min;
    s->setup_max = setup > s->setup_max ? setup : s->setup_max;
    s->concealed_max = concealed > s->concealed_max ? concealed : s->concealed_max;
    s->gap_max = gap > s->gap_max ? gap : s->gap_max;
    s->direct_min = number_of(run, "direct_min_ppm");
    s->direct_max =
        json_object_get(run, "direct_max_ppm") != NULL ? number_of(run, "direct_max_ppm") : WZP_PPM;
    s->runs++;
    add_failures(s, run);
}

/* With fewer seeds than shares are meant for, one of them more or less says nothing. */
static bool is_share_good(const sums *s) {
    const uint64_t slack = s->runs < FULL_SEEDS ? 1 : 0;
    const uint64_t most = (s->direct + slack) * WZP_PPM;
    const uint64_t least = s->direct > slack ? (s->direct - slack) * WZP_PPM : 0;
    return most >= s->direct_min * s->runs && least <= s->direct_max * s->runs;
}

/* Empty if the scenario holds. */
static void judge(const sums *s, char why[160]) {
    why[0] = '\0';
    for (unsigned kind = 0; kind < WZP_LAB_CHECK_COUNT && why[0] == '\0'; kind++) {
        const size_t allowed =
            wzp_lab_check_strict((wzp_lab_check_kind)kind) ? 0 : s->runs * MISSES_PERCENT / 100;
        if (s->kinds[kind] > allowed) {
            (void)snprintf(why, 160, "%s in %zu of %zu seeds, %zu may",
                           wzp_lab_check_word((wzp_lab_check_kind)kind), s->kinds[kind], s->runs,
                           allowed);
        }
    }
    const uint64_t share = s->runs > 0 ? s->direct * WZP_PPM / s->runs : 0;
    if (why[0] == '\0' && !is_share_good(s)) {
        (void)snprintf(why, 160,
                       "direct in %" PRIu64 " %% of the seeds, expected %" PRIu64 " to %" PRIu64
                       " %%",
                       share / 10000, s->direct_min / 10000, s->direct_max / 10000);
    }
}

static json_t *summary_of(const json_t *runs, size_t from, size_t to) {
    sums s = {0};
    char why[160];
    const json_t *first = json_array_get(runs, from);
    for (size_t i = from; i < to; i++) {
        add_run(&s, json_array_get(runs, i));
    }
    judge(&s, why);
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "file", text_of(first, "file"), "scenario",
        text_of(first, "scenario"), "outcome", why[0] == '\0' ? "passed" : "failed", "why", why,
        "runs", (json_int_t)s.runs, "passed", (json_int_t)s.passed, "direct", (json_int_t)s.direct,
        "setup_min_ms", (json_int_t)s.setup_min, "setup_max_ms", (json_int_t)s.setup_max,
        "concealed_max_ppm", (json_int_t)s.concealed_max, "gap_max_ms", (json_int_t)s.gap_max);
}

void wzp_lab_campaign_finish(json_t *campaign) {
    json_t *scenarios = json_array();
    sort(campaign, "runs");
    sort(campaign, "skipped");
    const json_t *runs = json_object_get(campaign, "runs");
    const size_t n = json_array_size(runs);
    size_t from = 0;
    for (size_t i = 1; i <= n; i++) {
        if (i == n || strcmp(text_of(json_array_get(runs, i), "file"),
                             text_of(json_array_get(runs, from), "file")) != 0) {
            json_array_append_new(scenarios, summary_of(runs, from, i));
            from = i;
        }
    }
    json_object_set_new(campaign, "scenarios", scenarios);
}

wzp_lab_campaign_totals wzp_lab_campaign_count(const json_t *campaign) {
    const json_t *scenarios = json_object_get(campaign, "scenarios");
    const uint64_t seeds = number_of(campaign, "last_seed") - number_of(campaign, "first_seed") + 1;
    wzp_lab_campaign_totals t = {.scenarios = json_array_size(scenarios),
                                 .skipped = json_array_size(json_object_get(campaign, "skipped"))};
    for (size_t i = 0; i < t.scenarios; i++) {
        const json_t *s = json_array_get(scenarios, i);
        const uint64_t runs = number_of(s, "runs");
        t.failed += strcmp(text_of(s, "outcome"), "failed") == 0 ? 1 : 0;
        t.runs += runs;
        t.failed_runs += runs - number_of(s, "passed");
        t.missing += seeds > runs ? seeds - runs : 0;
    }
    return t;
}

/* --- for people ------------------------------------------------------------------------------- */

static void put_replays(FILE *out, const json_t *campaign, const char *file) {
    const json_t *runs = json_object_get(campaign, "runs");
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i);
        const json_t *first = json_array_get(json_object_get(run, "failures"), 0);
        if (strcmp(text_of(run, "file"), file) == 0 && first != NULL) {
            (void)fprintf(
                out, "    wzp-sim run %s --seed %" PRIu64 "%s   # %s %s: expected %s, got %s\n",
                file, number_of(run, "seed"), text_of(campaign, "options"), text_of(first, "check"),
                text_of(first, "where"), text_of(first, "expected"), text_of(first, "got"));
        }
    }
}

static void put_scenario(FILE *out, const json_t *campaign, const json_t *s, bool colour) {
    const bool good = strcmp(text_of(s, "outcome"), "passed") == 0;
    (void)fprintf(out,
                  "%s%s%s %-26s %" PRIu64 " of %" PRIu64 " seeds, direct %" PRIu64
                  ", setup %" PRIu64 "..%" PRIu64 " ms, gap up to %" PRIu64 " ms%s%s\n",
                  !colour ? ""
                  : good  ? "\033[32m"
                          : "\033[31m",
                  good ? "passed" : "FAILED", colour ? "\033[0m" : "", text_of(s, "scenario"),
                  number_of(s, "passed"), number_of(s, "runs"), number_of(s, "direct"),
                  number_of(s, "setup_min_ms"), number_of(s, "setup_max_ms"),
                  number_of(s, "gap_max_ms"), good ? "" : ": ", text_of(s, "why"));
    put_replays(out, campaign, text_of(s, "file"));
}

bool wzp_lab_campaign_text(FILE *out, const json_t *campaign, bool colour, bool quiet) {
    const json_t *scenarios = json_object_get(campaign, "scenarios");
    const json_t *skipped = json_object_get(campaign, "skipped");
    const wzp_lab_campaign_totals t = wzp_lab_campaign_count(campaign);
    for (size_t i = 0; i < json_array_size(scenarios); i++) {
        const json_t *s = json_array_get(scenarios, i);
        if (!quiet || strcmp(text_of(s, "outcome"), "failed") == 0) {
            put_scenario(out, campaign, s, colour);
        }
    }
    for (size_t i = 0; !quiet && i < json_array_size(skipped); i++) {
        const json_t *s = json_array_get(skipped, i);
        (void)fprintf(out, "skipped %-26s this build lacks %s\n", text_of(s, "scenario"),
                      text_of(s, "lacks"));
    }
    (void)fprintf(out,
                  "%zu passed, %zu failed, %zu skipped scenarios; %zu runs, %zu with a failed check"
                  "\n",
                  t.scenarios - t.failed, t.failed, t.skipped, t.runs, t.failed_runs);
    return ferror(out) == 0;
}
