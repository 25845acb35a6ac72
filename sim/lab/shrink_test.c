#include "sim/lab/shrink.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/run.h"

static wzp_lab_doc doc_of(const char *text) {
    char why[WZP_TOML_WHY_MAX];
    wzp_lab_doc doc = {0};
    ck_assert_msg(wzp_lab_doc_parse(&doc, wzp_bytes_str(text), "s.toml", why) == WZP_OK, "%s", why);
    return doc;
}

static char *written(const wzp_lab_doc *doc) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    ck_assert(wzp_lab_doc_write(doc, out));
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static wzp_lab_scenario *scenario_of(const wzp_lab_doc *doc) {
    static wzp_lab_errors errors;
    wzp_lab_scenario *s = NULL;
    (void)!wzp_lab_scenario_read(&s, doc, NULL, &errors);
    return s;
}

static const char big[] =
    "name = \"big\"\nseed = 5\nduration = \"60 s\"\n"
    "[lan.home]\nnat = \"linux-masq\"\n"
    "[host.x]\naccess = {preset = \"lte\", loss = \"2 %\", up = {jitter = \"5 ms\"}}\nnat = "
    "\"pf\"\n"
    "[host.y]\nlan = \"home\"\n"
    "[host.z]\nnat = [\"linux-masq\", \"cgn-hard\"]\n"
    "[core]\nx-relay = {delay = \"13730 us\"}\n"
    "[call]\nfrom = \"x\"\nto = [\"y\", \"z\"]\ncodec = \"Opus32k\"\n"
    "[[event]]\nat = \"10 s\"\ndo = \"flush\"\ntarget = \"home.nat\"\n"
    "[[event]]\nat = \"20 s\"\ndo = \"rebind-port\"\ntarget = \"x.nat\"\n"
    "[[event]]\nat = \"30 s\"\ndo = \"cut\"\nfor = \"750 ms\"\ntarget = \"x.access.up\"\n"
    "[[event]]\nat = \"40 s\"\ndo = \"flush\"\ntarget = \"z.nat\"\n"
    "[expect]\npath = \"relay\"\naudio = \"A1\"\n[expect.host.z]\naudio = \"A2\"\n";

/* --- an artificial failure -------------------------------------------------------------------- */

static bool has_cut(const wzp_lab_scenario *s) {
    for (size_t i = 0; i < s->event_count; i++) {
        if (s->events[i].kind == WZP_LAB_EVENT_CUT && s->events[i].lasts > 500 * WZP_MS) {
            return true;
        }
    }
    return false;
}

/* A cut of more than 500 ms, and a core path of more than 10 ms, in a run of 8 s or more. */
static bool artificial(void *ctx, const wzp_lab_doc *doc) {
    wzp_lab_scenario *s = scenario_of(doc);
    *(unsigned *)ctx += 1;
    const bool fails = s != NULL && has_cut(s) && s->pair_count == 1 &&
                       s->pairs[0].links[0].delay.base > 10 * WZP_MS && s->duration >= 8 * WZP_S;
    wzp_lab_scenario_free(&s);
    return fails;
}

START_TEST(only_what_matters_is_left) {
    unsigned calls = 0;
    wzp_lab_shrink_stats stats;
    const wzp_lab_shrink_cfg cfg = {.fails = artificial, .ctx = &calls};
    wzp_lab_doc doc = doc_of(big);
    ck_assert(artificial(&calls, &doc));
    ck_assert(wzp_lab_shrink(&doc, &cfg, &stats) == WZP_OK);
    char *text = written(&doc);
    ck_assert_str_eq(text, "duration = \"8 s\"\nname = \"big\"\nseed = 5\n\n"
                           "[core.x-relay]\ndelay = \"14 ms\"\n\n"
                           "[[event]]\nat = \"7 s\"\ndo = \"cut\"\nfor = \"800 ms\"\n"
                           "target = \"x.access.up\"\n\n[host.x]\n\n[host.y]\n");
    free(text);
    wzp_lab_doc_clear(&doc);
}
END_TEST

START_TEST(tries_are_bounded) {
    unsigned calls = 0;
    wzp_lab_shrink_stats stats;
    const wzp_lab_shrink_cfg cfg = {.fails = artificial, .ctx = &calls, .tries_max = 5};
    wzp_lab_doc doc = doc_of(big);
    ck_assert(wzp_lab_shrink(&doc, &cfg, &stats) == WZP_OK);
    ck_assert_uint_eq(calls, 5);
    ck_assert_uint_eq(stats.tries, 5);
    ck_assert(!stats.complete);
    ck_assert(artificial(&calls, &doc));
    wzp_lab_doc_clear(&doc);
}
END_TEST

/* --- a real one ------------------------------------------------------------------------------- */

/* The audio check fails. */
static bool real(void *ctx, const wzp_lab_doc *doc) {
    char why[256];
    bool fails = false;
    const wzp_lab_run_cfg cfg = {.engine = NULL};
    wzp_lab_scenario *s = scenario_of(doc);
    wzp_lab_result *r = NULL;
    (void)ctx;
    if (s != NULL && wzp_lab_run(&r, s, &cfg, why) == WZP_OK) {
        for (size_t i = 0; i < r->check_count; i++) {
            fails = fails || (!r->checks[i].good && r->checks[i].kind == WZP_LAB_CHECK_AUDIO);
        }
    }
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
    return fails;
}

START_TEST(a_real_failure_becomes_small) {
    wzp_lab_shrink_stats stats;
    const wzp_lab_shrink_cfg cfg = {.fails = real, .tries_max = 150};
    wzp_lab_doc doc = doc_of(big);
    ck_assert(wzp_lab_doc_remove(&doc, "host.x.access.loss"));
    ck_assert(real(NULL, &doc));
    ck_assert(wzp_lab_shrink(&doc, &cfg, &stats) == WZP_OK);
    ck_assert(real(NULL, &doc));
    const json_t *events = json_object_get(doc.tree, "event");
    ck_assert_uint_le(json_array_size(events), 1);
    ck_assert_ptr_null(json_object_get(doc.tree, "lan"));
    char *text = written(&doc);
    ck_assert_msg(strlen(text) < 260, "%s", text);
    free(text);
    wzp_lab_doc_clear(&doc);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("shrink");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, only_what_matters_is_left);
    tcase_add_test(tc, tries_are_bounded);
    tcase_add_test(tc, a_real_failure_becomes_small);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
