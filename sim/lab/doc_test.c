#include "sim/lab/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing/suite.h"
#include "sim/lab/near.h"
#include "sim/lab/testing/text.h"

static const char sample[] = "name = \"t\"\n"
                             "\n"
                             "[host.x]\n"
                             "access = {up = {loss = \"1 %\"}}\n"
                             "nat = [\"pf\", {preset = \"fw\"}]\n"
                             "\n"
                             "[[event]]\n"
                             "at = \"1 s\"\n"
                             "\n"
                             "[[event]]\n"
                             "at = \"2 s\"\n";

/* --- writing ---------------------------------------------------------------------------------- */

static const struct write_case {
    const char *name, *text, *want; /* NULL: as it was */
} write_cases[] = {
    {"a scenario",
     "name = \"t\"\nevent = [{at = \"1 s\"}]\n[host.x]\nnat = \"pf\"\naccess = {up = {loss = \"1 "
     "%\"}}\n",
     "name = \"t\"\n\n[[event]]\nat = \"1 s\"\n\n[host.x]\naccess = {up = {loss = \"1 %\"}}\nnat = "
     "\"pf\"\n"},
    {"scalars of all kinds",
     "a = true\nb = -7\nc = 0.1\nd = [1, [2, 3]]\ne = \"quote \\\" slash \\\\ tab \\t del "
     "\\u007f\"\n",
     "a = true\nb = -7\nc = 0.10000000000000001\nd = [1, [2, 3]]\ne = \"quote \\\" slash \\\\ tab "
     "\\u0009 del \\u007f\"\n"},
    {"odd keys", "\"a b\" = 1\n\"\" = 2\n\"x.y\" = {\"z \" = 3}\n",
     "\"\" = 2\n\"a b\" = 1\n\n[\"x.y\"]\n\"z \" = 3\n"},
    {"empty things", "a = {}\nb = []\n[c.d]\n", "b = []\n\n[a]\n\n[c.d]\n"},
    {"nothing", "", ""},
};

START_TEST(writes) {
    const struct write_case *c = &write_cases[_i];
    wzp_lab_doc doc = doc_of(c->text);
    char *text = written(&doc);
    ck_assert_msg(strcmp(text, c->want) == 0, "%s:\n%s", c->name, text);
    wzp_lab_doc again = doc_of(text);
    ck_assert_msg(json_equal(doc.tree, again.tree), "%s: read back differently", c->name);
    wzp_lab_doc_clear(&doc);
    wzp_lab_doc_clear(&again);
    free(text);
}
END_TEST

/* --- setting ---------------------------------------------------------------------------------- */

static const struct set_case {
    const char *assignment, *path, *value; /* value NULL: refused */
} set_cases[] = {
    {"host.x.nat=symrand", "host.x.nat", "\"symrand\""},
    {"host.x.nat=\"symrand\"", "host.x.nat", "\"symrand\""},
    {"host.x.nat[0]=fw", "host.x.nat[0]", "\"fw\""},
    {"host.z.access.delay=20 ms", "host.z.access.delay", "\"20 ms\""},
    {"seed=5", "seed", "5"},
    {"host.x.access={up={loss=\"2 %\"}}", "host.x.access.up.loss", "\"2 %\""},
    {"event[1].at=7 s", "event[1].at", "\"7 s\""},
    {"about=a = b", "about", "\"a = b\""},
    {"about=", "about", "\"\""},
    {"about=1\nseed = 2", "about", "\"1\\nseed = 2\""},
    {"event[2].at=7 s", NULL, NULL},
    {"name.x=1", NULL, NULL},
    {"host..x=1", NULL, NULL},
    {"event[x].at=1", NULL, NULL},
    {"host", NULL, NULL},
    {"=1", NULL, NULL},
};

START_TEST(sets) {
    const struct set_case *c = &set_cases[_i];
    char why[WZP_TOML_WHY_MAX] = "";
    char where[64];
    wzp_lab_doc doc = doc_of(sample);
    const bool ok = wzp_lab_doc_set(&doc, c->assignment, why);
    ck_assert_msg(ok == (c->value != NULL), "%s: %s", c->assignment, why);
    ck_assert(ok == (why[0] == '\0'));
    if (ok) {
        char *got = json_dumps(wzp_lab_doc_get(&doc, c->path), JSON_ENCODE_ANY);
        ck_assert_str_eq(got, c->value);
        free(got);
        unsigned line = 9;
        ck_assert_str_eq(wzp_lab_doc_where(&doc, c->path, where, sizeof where, &line), "--set");
        ck_assert_uint_eq(line, 0);
    }
    wzp_lab_doc_clear(&doc);
}
END_TEST

START_TEST(values_know_their_lines) {
    char where[64];
    unsigned line = 0;
    wzp_lab_doc doc = doc_of(sample);
    ck_assert_str_eq(wzp_lab_doc_where(&doc, "host.x.nat[1].preset", where, sizeof where, &line),
                     "t.toml:5");
    ck_assert_uint_eq(line, 5);
    ck_assert_str_eq(wzp_lab_doc_where(&doc, "host.x.nothing", where, sizeof where, NULL),
                     "t.toml:3");
    ck_assert_str_eq(wzp_lab_doc_where(&doc, "event[1].do", where, sizeof where, NULL),
                     "t.toml:10");
    ck_assert_str_eq(wzp_lab_doc_where(&doc, "nothing", where, sizeof where, NULL), "t.toml");
    wzp_lab_doc_clear(&doc);
}
END_TEST

START_TEST(removes) {
    wzp_lab_doc doc = doc_of(sample);
    ck_assert(wzp_lab_doc_remove(&doc, "event[0]"));
    ck_assert(wzp_lab_doc_remove(&doc, "host.x.access.up.loss"));
    ck_assert(!wzp_lab_doc_remove(&doc, "host.x.access.up.loss"));
    ck_assert(!wzp_lab_doc_remove(&doc, "event[1]"));
    char *text = written(&doc);
    ck_assert_str_eq(text, "name = \"t\"\n\n[[event]]\nat = \"2 s\"\n\n[host.x]\naccess = {up = "
                           "{}}\nnat = [\"pf\", {preset = \"fw\"}]\n");
    free(text);
    wzp_lab_doc_clear(&doc);
}
END_TEST

START_TEST(a_missing_file_is_told) {
    char why[WZP_TOML_WHY_MAX];
    wzp_lab_doc doc = {0};
    ck_assert_int_eq(wzp_lab_doc_load(&doc, "/nonexistent/x.toml", why), WZP_ERR_IO);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

/* --- names ------------------------------------------------------------------------------------ */

static const struct near_case {
    const char *name, *want;
} near_cases[] = {
    {"lteX", " ('lte'?)"},
    {"wifi", " ('wifi-good' or 'wifi-bad'?)"},
    {"wifi-god", " ('wifi-good'?)"},
    {"something", ""},
    {"", ""},
    {"x", ""},
    {"geoo", " ('geo'?)"},
    {"a-name-that-is-much-longer-than-any-name-of-ours-could-ever-be-in-any-list", ""},
};

START_TEST(near) {
    static const char *const names[] = {"lte", "wifi-good", "wifi-bad", "geo", NULL};
    const struct near_case *c = &near_cases[_i];
    char buf[WZP_LAB_NEAR_MAX];
    ck_assert_str_eq(wzp_lab_near(c->name, wzp_lab_word_at, names, buf), c->want);
}
END_TEST

START_TEST(long_lists_are_cut) {
    static const char *const names[] = {"alpha", "beta", "gamma", "delta", NULL};
    char buf[24];
    ck_assert_str_eq(wzp_lab_names(wzp_lab_word_at, names, buf, sizeof buf),
                     "alpha, beta, gamma, ...");
    char big[80];
    ck_assert_str_eq(wzp_lab_names(wzp_lab_word_at, names, big, sizeof big),
                     "alpha, beta, gamma, delta");
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, writes, 0, (int)WZP_COUNT_OF(write_cases));
    tcase_add_loop_test(tc, sets, 0, (int)WZP_COUNT_OF(set_cases));
    tcase_add_test(tc, values_know_their_lines);
    tcase_add_test(tc, removes);
    tcase_add_test(tc, a_missing_file_is_told);
    tcase_add_loop_test(tc, near, 0, (int)WZP_COUNT_OF(near_cases));
    tcase_add_test(tc, long_lists_are_cut);
    return wzp_run_suite("doc", tc);
}
