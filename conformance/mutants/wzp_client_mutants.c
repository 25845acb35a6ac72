/* wzp-mutants for clients: the healthy client passes all chapters about clients, and every broken
 * one is failed by the case that is meant to: it runs the chapter of that.  Prints the table that
 * docs/MUTANTS.md keeps.  wzp-client-mutants
 * [--net SCENARIO] [NAME] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/embedded/client.h"
#include "conformance/embedded/net.h"
#include "conformance/engine/suite.h"
#include "conformance/mutants/faults_audio.h"
#include "conformance/mutants/faults_audio_in.h"
#include "conformance/mutants/faults_calls.h"
#include "conformance/mutants/faults_check.h"
#include "conformance/mutants/faults_client.h"
#include "conformance/mutants/faults_map.h"
#include "conformance/mutants/faults_upnp.h"
#include "media/opus.h"

enum { CASES_MAX = 192 };

static void set_client(int which) {
    wzp_client_fault_set((wzp_client_fault)which);
}

static void set_audio(int which) {
    wzp_audio_fault_set((wzp_audio_fault)which);
}

static void set_hear(int which) {
    wzp_hear_fault_set((wzp_hear_fault)which);
}

static void set_qual(int which) {
    wzp_qual_fault_set((wzp_qual_fault)which);
}

static void set_call(int which) {
    wzp_call_fault_set((wzp_call_fault)which);
}

static void set_map(int which) {
    wzp_map_fault_set((wzp_map_fault)which);
}

static void set_upnp(int which) {
    wzp_upnp_fault_set((wzp_upnp_fault)which);
}

static void set_check(int which) {
    wzp_check_fault_set((wzp_check_fault)which);
}

static const struct {
    const char *name, *text, *caught_by, *chapter; /* "": all */
    void (*set)(int which);                        /* 0: healthy again */
    int which;
} faults[] = {
#define X(id, name, text, caught_by)                                                               \
    {name,       text,                                                                             \
     caught_by,  WZP_CLIENT_FAULT_##id == 0 ? "" : "XC",                                           \
     set_client, WZP_CLIENT_FAULT_##id},
    WZP_CLIENT_FAULT_MAP(X)
#undef X
#define X(id, name, text, caught_by)                                                               \
    {name, text, caught_by, "AUD", set_audio, WZP_AUDIO_FAULT_##id},
        WZP_AUDIO_FAULT_MAP(X)
#undef X
#define X(id, name, text, caught_by) {name, text, caught_by, "HEAR", set_hear, WZP_HEAR_FAULT_##id},
            WZP_HEAR_FAULT_MAP(X)
#undef X
#define X(id, name, text, caught_by) {name, text, caught_by, "QUAL", set_qual, WZP_QUAL_FAULT_##id},
                WZP_QUAL_FAULT_MAP(X)
#undef X
#define X(id, name, text, chapter, caught_by)                                                      \
    {name, text, caught_by, chapter, set_call, WZP_CALL_FAULT_##id},
                    WZP_CALL_FAULT_MAP(X)
#undef X
#define X(id, name, text, caught_by) {name, text, caught_by, "MAP", set_map, WZP_MAP_FAULT_##id},
                        WZP_MAP_FAULT_MAP(X)
#undef X
#define X(id, name, text, caught_by) {name, text, caught_by, "UPNP", set_upnp, WZP_UPNP_FAULT_##id},
                            WZP_UPNP_FAULT_MAP(X)
#undef X
#define X(id, name, text, caught_by)                                                               \
    {name, text, caught_by, "CHECK", set_check, WZP_CHECK_FAULT_##id},
                                WZP_CHECK_FAULT_MAP(X)
#undef X
};

static const wzp_ct_case *cases[CASES_MAX];
static bool was_caught[CASES_MAX];
static size_t case_count;

/* What libopus was built without cannot be left out. */
static bool can_judge(const char *ids) {
    return wzp_opus_has_dred() || strcmp(ids, "DRED-001") != 0;
}

static void choose_cases(void) {
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        for (size_t i = 0; i < wzp_ct_chapters[c]->count; i++) {
            const wzp_ct_case *which = &wzp_ct_chapters[c]->cases[i];
            if (which->client != WZP_CT_CLIENT_NONE && can_judge(which->info.id) &&
                case_count < CASES_MAX) {
                cases[case_count++] = which;
            }
        }
    }
}

/* --net: the testers' access; NULL: a perfect one. */
static const wzp_ct_net *bad_net;

/* One case after the other: a fault knows one client at a time. */
static bool run(const char *chapter, wzp_ct_report *report) {
    const wzp_ct_case *chosen[CASES_MAX];
    size_t count = 0;
    wzp_prng prng;
    for (size_t i = 0; i < case_count; i++) {
        if (*chapter == '\0' || strcmp(cases[i]->info.chapter, chapter) == 0) {
            chosen[count++] = cases[i];
        }
    }
    wzp_prng_init(&prng, 1, "client");
    wzp_ct_embedded_client_cfg inside = {.world = wzp_ct_world_virtual(1, bad_net),
                                         .rng = wzp_prng_rng(&prng),
                                         .virtual_time = true};
    const wzp_ct_suite_cfg suite = {.world = inside.world,
                                    .cases = chosen,
                                    .case_count = count,
                                    .repeat = 1,
                                    .jobs = 1,
                                    .seed = 1,
                                    .virtual_time = true,
                                    .bad_path = bad_net != NULL,
                                    .clients = &wzp_ct_embedded_clients,
                                    .clients_ctx = &inside,
                                    .client_obeys = true,
                                    .client_tunes = true};
    if (inside.world == NULL) {
        return false;
    }
    const bool ok = wzp_ct_suite_run(&suite, report);
    inside.world->ops->free(inside.world);
    return ok;
}

static bool is_meant(const char *ids, const char *id) {
    const size_t len = strlen(id);
    for (const char *at = ids; (at = strstr(at, id)) != NULL; at += len) {
        if ((at == ids || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

/* A SHOULD that fails is a PASS with a reason. */
static bool is_failed(const wzp_ct_case_result *c) {
    return c->grade == WZP_CT_FAIL || (c->lenient && c->reason != WZP_CT_REASON_NONE);
}

/* Over a bad network a fault may look like the network itself: then the case that is meant to
 * notice it says that it cannot tell, and never that all is well. */
static bool is_wrong(const wzp_ct_case_result *c, bool meant, bool healthy) {
    const bool failed = is_failed(c);
    return bad_net != NULL ? (meant && !failed && c->grade == WZP_CT_PASS) || (healthy && failed)
                           : (meant && !failed) || (healthy && (failed || c->grade != WZP_CT_PASS));
}

static void note_caught(const wzp_ct_info *info, bool failed) {
    for (size_t i = 0; i < case_count; i++) {
        was_caught[i] = was_caught[i] || (failed && &cases[i]->info == info);
    }
}

/* Lists who failed it; true if those are among them who must, and nobody was unsure. */
static bool is_as_meant(const wzp_ct_report *report, const char *name, const char *caught_by) {
    bool good = true;
    bool any = false;
    for (size_t i = 0; i < report->case_count; i++) {
        const wzp_ct_case_result *c = &report->cases[i];
        const bool failed = is_failed(c);
        const bool meant = is_meant(caught_by, c->info->id);
        if (failed) {
            printf(" %s (%s)", c->info->id, wzp_ct_reason_name(c->reason));
        }
        if (is_wrong(c, meant, *caught_by == '\0')) {
            (void)fprintf(stderr, "%s: %s says %s: %s\n", name, c->info->id,
                          wzp_ct_grade_name(c->grade), c->runs[c->deciding_run].actual);
            good = false;
        }
        note_caught(c->info, failed);
        any = any || failed;
    }
    puts(any ? " |" : " none |");
    return good;
}

static bool try_fault(size_t i) {
    wzp_ct_report report = {0};
    faults[i].set(faults[i].which);
    printf("| %s | %s |", faults[i].name, faults[i].text);
    (void)fflush(stdout);
    const bool good = run(faults[i].chapter, &report) &&
                      is_as_meant(&report, faults[i].name, faults[i].caught_by);
    wzp_ct_suite_clear(&report);
    faults[i].set(0);
    return good;
}

/* Cases that can fail, and failed nobody. */
static unsigned list_uncaught(void) {
    unsigned uncaught = 0;
    printf("\nCases that fail no client above:");
    for (size_t i = 0; i < case_count; i++) {
        if (!was_caught[i] && cases[i]->info.level != WZP_CT_INFO) {
            printf(" %s", cases[i]->info.id);
            uncaught++;
        }
    }
    puts(uncaught == 0 ? " none" : "");
    return uncaught;
}

static int run_all(const char *only) {
    unsigned passed = 0;
    unsigned failed = 0;
    choose_cases();
    puts("| client | what is wrong with it | failed by |\n|---|---|---|");
    for (size_t i = 0; i < WZP_COUNT_OF(faults); i++) {
        if ((only != NULL && strcmp(only, faults[i].name) != 0) ||
            !can_judge(faults[i].caught_by)) {
            continue;
        }
        const bool good = try_fault(i);
        passed += good ? 1 : 0;
        failed += good ? 0 : 1;
    }
    failed += only == NULL && bad_net == NULL && list_uncaught() > 0 ? 1 : 0;
    printf("\n%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

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
