/* Shows that the suite catches what it should: the healthy relay passes everything, every broken
 * one is failed by the case that is meant to.  Prints the table that docs/MUTANTS.md keeps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine/suite.h"
#include "conformance/mutants/faults.h"
#include "relay/relay.h"

enum { CASES_MAX = 256, SHOWN = 6 };

typedef struct selection {
    const wzp_ct_case *cases[CASES_MAX];
    size_t count;
} selection;

static bool same_chapter(const char *chapter, const char *id) {
    const size_t len = strlen(chapter);
    return strncmp(chapter, id, len) == 0 && id[len] == '-';
}

/* All of the suite for the healthy relay; for a mutant calibration and the chapter of the case that
 * is meant to catch it. */
static void choose(selection *s, const char *caught_by) {
    s->count = 0;
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        const wzp_ct_chapter *ch = wzp_ct_chapters[c];
        const bool wanted =
            *caught_by == '\0' || strcmp(ch->id, "CAL") == 0 || same_chapter(ch->id, caught_by);
        for (size_t i = 0; wanted && i < ch->count; i++) {
            s->cases[s->count++] = &ch->cases[i];
        }
    }
}

static bool run(const selection *s, wzp_ct_report *report) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "relay");
    wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&prng),
                         .enforce = WZP_ENFORCE_ON,
                         .max_sessions = 100000,
                         .max_conns = 100000,
                         .max_handshakes = 4096,
                         .deterministic = true};
    const wzp_addr addr = wzp_addr_v4(10, 255, 255, 1, 4433);
    wzp_relay *relay = NULL;
    if (wzp_relay_new(&relay, &cfg, WZP_S) != WZP_OK) {
        return false;
    }
    wzp_ct_world *world = wzp_ct_world_virtual(wzp_relay_core(relay), addr, WZP_MS);
    const wzp_ct_suite_cfg suite = {.world = world,
                                    .target = addr,
                                    .cases = s->cases,
                                    .case_count = s->count,
                                    .repeat = 1,
                                    .jobs = 64,
                                    .seed = 1,
                                    .declared = WZP_CT_MODE_UNKNOWN,
                                    .virtual_time = true,
                                    .grade_abuse = true};
    const bool ok = world != NULL && wzp_ct_suite_run(&suite, report);
    if (world != NULL) {
        world->ops->free(world);
    }
    wzp_relay_free(&relay);
    return ok;
}

/* Lists the failed cases, at most SHOWN of them; returns how many failed. */
static unsigned list_failures(const wzp_ct_report *report, const char *wanted, bool *found) {
    unsigned failed = 0;
    for (size_t i = 0; i < report->case_count; i++) {
        const wzp_ct_case_result *c = &report->cases[i];
        if (c->grade != WZP_CT_FAIL) {
            continue;
        }
        *found = *found || strcmp(c->info->id, wanted) == 0;
        if (failed++ < SHOWN) {
            printf(" %s (%s)", c->info->id, wzp_ct_reason_name(c->reason));
        }
    }
    if (failed > SHOWN) {
        printf(" and %u more", failed - SHOWN);
    }
    return failed;
}

static bool try_fault(wzp_fault fault) {
    static selection s;
    const wzp_fault_info *info = &wzp_faults[fault];
    wzp_ct_report report = {0};
    bool found = false;
    wzp_fault_set(fault);
    choose(&s, info->caught_by);
    if (!run(&s, &report)) {
        printf("| %s | could not be run |\n", info->name);
        return false;
    }
    printf("| %s | %s |", info->name, info->text);
    const unsigned failed = list_failures(&report, info->caught_by, &found);
    puts(failed == 0 ? " none |" : " |");
    if (report.fatal[0] != '\0') {
        (void)fprintf(stderr, "%s: %s\n", info->name, report.fatal);
    }
    const unsigned unclear = report.totals.by_grade[WZP_CT_INCONCLUSIVE];
    wzp_ct_suite_clear(&report);
    if (fault == WZP_FAULT_NONE) {
        return failed == 0 && unclear == 0;
    }
    if (!found) {
        (void)fprintf(stderr, "%s was not failed by %s\n", info->name, info->caught_by);
    }
    return found;
}

int main(int argc, char **argv) {
    unsigned passed = 0;
    unsigned failed = 0;
    puts("| relay | what is wrong with it | failed by |\n|---|---|---|");
    for (int f = 0; f < WZP_FAULT_COUNT; f++) {
        if (argc > 1 && strcmp(argv[1], wzp_faults[f].name) != 0) {
            continue;
        }
        (void)fflush(stdout);
        if (try_fault((wzp_fault)f)) {
            passed++;
        } else {
            failed++;
        }
    }
    printf("\n%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
