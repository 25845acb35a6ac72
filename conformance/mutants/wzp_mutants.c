/* Shows that the suite catches what it should: the healthy relay passes everything, every broken
 * one is failed by the case that is meant to.  Prints the table that docs/MUTANTS.md keeps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/embedded/embedded.h"
#include "conformance/embedded/net.h"
#include "conformance/engine/suite.h"
#include "conformance/mutants/faults.h"
#include "relay/relay.h"

enum { CASES_MAX = 512, SHOWN = 6, NOTICED_OVER_BAD_NET = 90 };

typedef struct selection {
    const wzp_ct_case *cases[CASES_MAX];
    size_t count;
} selection;

/* The next id of a list, NULL at its end. */
static const char *next_id(const char *ids) {
    const char *space = strchr(ids, ' ');
    return space != NULL ? space + 1 : NULL;
}

static bool is_id(const char *ids, const char *id) {
    const size_t len = strlen(id);
    return strncmp(ids, id, len) == 0 && (ids[len] == ' ' || ids[len] == '\0');
}

/* Whether one of `ids` is of the chapter. */
static bool has_chapter(const wzp_ct_chapter *chapter, const char *ids) {
    for (; ids != NULL; ids = next_id(ids)) {
        for (size_t i = 0; i < chapter->count; i++) {
            if (is_id(ids, chapter->cases[i].info.id)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_listed(const char *ids, const char *id) {
    bool listed = *ids == '\0';
    for (; ids != NULL && !listed; ids = next_id(ids)) {
        listed = is_id(ids, id);
    }
    return listed;
}

/* Its cases run one after the other, so that all of them take long. */
static bool takes_turns(const wzp_ct_chapter *chapter) {
    return strcmp(chapter->id, "FED") == 0;
}

/* All of the suite for the healthy relay; for a mutant calibration and the chapters of the cases
 * that are meant to catch it. */
static void choose(selection *s, const char *caught_by, bool strict) {
    s->count = 0;
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        const wzp_ct_chapter *ch = wzp_ct_chapters[c];
        const bool is_strict =
            strcmp(ch->id, "AS") == 0 || strcmp(ch->id, "BS") == 0 || strcmp(ch->id, "DS") == 0;
        const bool wanted = strcmp(ch->id, "CAL") == 0 || has_chapter(ch, caught_by) ||
                            (*caught_by == '\0' && is_strict == strict);
        for (size_t i = 0; wanted && i < ch->count; i++) {
            if (ch->cases[i].client != WZP_CT_CLIENT_NONE) {
                continue; /* wzp-client-mutants has those */
            }
            const bool is_dear = takes_turns(ch) || ch->cases[i].heavy;
            if (!is_dear || is_listed(caught_by, ch->cases[i].info.id)) {
                s->cases[s->count++] = &ch->cases[i];
            }
        }
    }
}

/* --net: every tester's access; NULL: a perfect one. */
static const wzp_ct_net *bad_net;

static bool scrape(void *ctx, wzp_ct_config config, char *text, size_t cap) {
    return wzp_ct_embedded_metrics(ctx, config, text, cap);
}

static bool restart(void *ctx, wzp_ct_identity_file file) {
    return wzp_ct_embedded_restart(ctx, file);
}

static bool is_restarted(void *ctx) {
    return wzp_ct_embedded_is_restarted(ctx);
}

static bool dial(void *ctx, const wzp_addr *suite) {
    return wzp_ct_embedded_dial(ctx, suite);
}

static bool is_dialling(void *ctx) {
    return wzp_ct_embedded_is_dialling(ctx);
}

static void on_turn(void *ctx, wzp_time now) {
    wzp_ct_embedded_turn(ctx, now);
}

static bool run(const selection *s, wzp_fault fault, wzp_ct_report *report) {
    const bool strict = fault >= WZP_FAULT_FIRST_STRICT;
    /* A bad path hides the mode of a relay that does not hang up, and the suite then wants to be
     * told. */
    const wzp_ct_mode declared = bad_net != NULL ? WZP_CT_MODE_ENFORCE : WZP_CT_MODE_UNKNOWN;
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "relay");
    wzp_ct_suite_cfg suite = {.world = wzp_ct_world_virtual(1, bad_net),
                              .bad_path = bad_net != NULL,
                              .cases = s->cases,
                              .case_count = s->count,
                              .repeat = 1,
                              .jobs = 64,
                              .seed = 1,
                              .declared = declared,
                              .strict_limits = strict,
                              .virtual_time = true,
                              .grade_abuse = true,
                              .relay = {.metrics = scrape,
                                        .restart = restart,
                                        .is_restarted = is_restarted,
                                        .dial = dial,
                                        .is_dialling = is_dialling},
                              .has_metrics = true,
                              .has_auth_metrics = true,
                              .turn = on_turn};
    if (suite.world == NULL) {
        return false;
    }
    const wzp_ct_embedded_cfg cfg = {.enforce = WZP_ENFORCE_ON,
                                     .exact_limits = strict && fault != WZP_FAULT_STRICT_GUARD,
                                     .rng = wzp_prng_rng(&prng),
                                     .world = suite.world};
    wzp_ct_embedded *embedded = wzp_ct_embedded_new(&cfg, suite.targets);
    suite.ctx = embedded;
    const bool ok = embedded != NULL && wzp_ct_suite_run(&suite, report);
    suite.world->ops->free(suite.world);
    wzp_ct_embedded_free(&embedded);
    return ok;
}

/* Ids of the cases that some mutant was failed by. */
static const char *caught[CASES_MAX];
static size_t caught_count;

static bool was_caught(const char *id) {
    for (size_t i = 0; i < caught_count; i++) {
        if (strcmp(caught[i], id) == 0) {
            return true;
        }
    }
    return false;
}

/* A SHOULD that fails is a PASS with a reason. */
static bool is_failed(const wzp_ct_case_result *c) {
    return c->grade == WZP_CT_FAIL ||
           (c->grade == WZP_CT_PASS && c->lenient && c->reason != WZP_CT_REASON_NONE);
}

/* Lists the failed cases, at most SHOWN of them; returns how many failed. */
static unsigned list_failures(const wzp_ct_report *report) {
    unsigned failed = 0;
    for (size_t i = 0; i < report->case_count; i++) {
        const wzp_ct_case_result *c = &report->cases[i];
        if (!is_failed(c)) {
            continue;
        }
        if (!was_caught(c->info->id)) {
            caught[caught_count++] = c->info->id;
        }
        if (failed++ < SHOWN) {
            printf(" %s (%s)", c->info->id, wzp_ct_reason_name(c->reason));
        }
    }
    if (failed > SHOWN) {
        printf(" and %u more", failed - SHOWN);
    }
    return failed;
}

static bool has_failed(const wzp_ct_report *report, const char *ids) {
    for (size_t i = 0; i < report->case_count; i++) {
        if (is_id(ids, report->cases[i].info->id) && is_failed(&report->cases[i])) {
            return true;
        }
    }
    return false;
}

/* Over a bad network: what the cases say that are meant to notice it, when none does. */
static void list_grades(const wzp_ct_report *report, const char *wanted) {
    for (size_t i = 0; i < report->case_count; i++) {
        const wzp_ct_case_result *c = &report->cases[i];
        for (const char *ids = wanted; ids != NULL; ids = next_id(ids)) {
            if (is_id(ids, c->info->id)) {
                printf(" %s %s", c->info->id, wzp_ct_grade_name(c->grade));
            }
        }
    }
}

/* Names those of `wanted` that did not fail. */
static bool all_noticed(const wzp_ct_report *report, const char *name, const char *wanted) {
    bool good = true;
    for (const char *ids = wanted; ids != NULL; ids = next_id(ids)) {
        if (!has_failed(report, ids)) {
            (void)fprintf(stderr, "%s was not failed by %.*s\n", name, (int)strcspn(ids, " "), ids);
            good = false;
        }
    }
    return good;
}

/* Over a bad network a fault may look like the network itself: packets lost, held back or heaped,
 * counted although some of them never came, or a limit that is off by less than that.  A case that
 * is meant to notice it then says that it cannot tell, and never that all is well. */
static bool none_is_fooled(const wzp_ct_report *report, const char *name, const char *wanted) {
    bool good = true;
    for (const char *ids = wanted; ids != NULL; ids = next_id(ids)) {
        for (size_t i = 0; i < report->case_count; i++) {
            const wzp_ct_case_result *c = &report->cases[i];
            if (is_id(ids, c->info->id) && c->grade == WZP_CT_PASS && !is_failed(c)) {
                (void)fprintf(stderr, "%s was passed by %s\n", name, c->info->id);
                good = false;
            }
        }
    }
    return good;
}

/* What must hold of the report; `failed` cases are in it. */
static bool is_as_meant(const wzp_ct_report *report, const wzp_fault_info *info, unsigned failed) {
    const unsigned unclear = report->totals.by_grade[WZP_CT_INCONCLUSIVE];
    if (*info->caught_by == '\0') {
        return failed == 0 && (unclear == 0 || bad_net != NULL);
    }
    return bad_net != NULL ? none_is_fooled(report, info->name, info->caught_by)
                           : all_noticed(report, info->name, info->caught_by);
}

/* Mutants that some case failed. */
static unsigned noticed_count;

static bool try_fault(wzp_fault fault) {
    static selection s;
    const wzp_fault_info *info = &wzp_faults[fault];
    wzp_ct_report report = {0};
    wzp_fault_set(fault);
    const bool strict = fault >= WZP_FAULT_FIRST_STRICT;
    choose(&s, info->caught_by, strict);
    if (!run(&s, fault, &report)) {
        printf("| %s | could not be run |\n", info->name);
        return false;
    }
    printf("| %s | %s |", info->name, info->text);
    const unsigned failed = list_failures(&report);
    if (failed == 0 && *info->caught_by != '\0') {
        printf(" none:");
        list_grades(&report, info->caught_by);
    }
    puts(failed == 0 && *info->caught_by == '\0' ? " none |" : " |");
    if (report.fatal[0] != '\0') {
        (void)fprintf(stderr, "%s: %s\n", info->name, report.fatal);
    }
    noticed_count += failed > 0 ? 1 : 0;
    const bool good = is_as_meant(&report, info, failed);
    wzp_ct_suite_clear(&report);
    return good;
}

/* Cases that nothing here fails: a mutant is missing, or the case cannot fail.  Those that only
 * tell, and CAL-02, which is about this machine, are left out. */
static unsigned list_uncaught(void) {
    unsigned uncaught = 0;
    printf("\nCases that fail no relay above:");
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        const wzp_ct_chapter *ch = wzp_ct_chapters[c];
        for (size_t i = 0; i < ch->count; i++) {
            const wzp_ct_case *which = &ch->cases[i];
            if (which->client == WZP_CT_CLIENT_NONE && which->info.level != WZP_CT_INFO &&
                which->kind != WZP_CT_PACING && !was_caught(which->info.id)) {
                printf(" %s", which->info.id);
                uncaught++;
            }
        }
    }
    puts(uncaught == 0 ? " none" : "");
    return uncaught;
}

static int run_all(const char *only) {
    unsigned passed = 0;
    unsigned failed = 0;
    puts("| relay | what is wrong with it | failed by |\n|---|---|---|");
    for (int f = 0; f < WZP_FAULT_COUNT; f++) {
        if (only != NULL && strcmp(only, wzp_faults[f].name) != 0) {
            continue;
        }
        (void)fflush(stdout);
        if (try_fault((wzp_fault)f)) {
            passed++;
        } else {
            failed++;
        }
    }
    if (only == NULL && bad_net == NULL && list_uncaught() > 0) {
        failed++;
    }
    if (only == NULL && bad_net != NULL) {
        printf("\n%u mutants were failed, %d must be\n", noticed_count, NOTICED_OVER_BAD_NET);
        failed += noticed_count < NOTICED_OVER_BAD_NET ? 1 : 0;
    }
    printf("\n%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* wzp-mutants [--net SCENARIO] [NAME] */
int main(int argc, char **argv) {
    static wzp_ct_net net;
    wzp_lab_scenario *scenario = NULL;
    const bool has_net = argc > 2 && strcmp(argv[1], "--net") == 0;
    if (has_net && !wzp_ct_net_load(&net, &scenario, argv[2])) {
        wzp_lab_scenario_free(&scenario);
        return EXIT_FAILURE;
    }
    bad_net = has_net ? &net : NULL;
    const int first = has_net ? 3 : 1;
    const int status = run_all(argc > first ? argv[first] : NULL);
    wzp_lab_scenario_free(&scenario);
    return status;
}
