#include "sim/lab/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing/suite.h"
#include "sim/lab/run.h"
#include "sim/lab/testing/text.h"
#include "wire/registry.h"

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

/* --- the order -------------------------------------------------------------------------------- */

/* What a change is about.  Outer tables count: who removes an access removes a network, whatever
 * faults it had. */
static int letter_of(const char *key) {
    static const char *const faults[] = {"event", "loss",   "jitter",   "queue",     "cross",
                                         "skew",  "outage", "firewall", "duplicate", NULL};
    static const char *const network[] = {"host", "lan",   "call", "nat", "access",
                                          "core", "relay", "way",  NULL};
    for (size_t i = 0; faults[i] != NULL; i++) {
        if (strcmp(key, faults[i]) == 0) {
            return 'F';
        }
    }
    for (size_t i = 0; network[i] != NULL; i++) {
        if (strcmp(key, network[i]) == 0) {
            return 'N';
        }
    }
    return 'P';
}

/* Of the first key that is gone, or else of the first value that differs; 0: they are the same.
 * NOLINTNEXTLINE(misc-no-recursion): as deep as the scenarios below */
static int difference(json_t *was, json_t *is) {
    const char *key = NULL;
    json_t *item = NULL;
    int found = 0;
    json_object_foreach(was, key, item) {
        json_t *other = json_object_get(is, key);
        if (other == NULL) {
            return letter_of(key);
        }
        const bool shorter = json_array_size(other) < json_array_size(item);
        const int below = shorter ? letter_of(key) : difference(item, other);
        found = found == 0 ? below : found;
    }
    for (size_t i = 0; i < json_array_size(was); i++) {
        const int below = difference(json_array_get(was, i), json_array_get(is, i));
        found = found == 0 ? below : found;
    }
    const bool plain = !json_is_object(was) && !json_is_array(was);
    return found == 0 && plain && !json_equal(was, is) ? 'P' : found;
}

/* Time: another duration, whatever events went with it.  A host goes with the events it had. */
static int change_of(const wzp_lab_doc *was, const wzp_lab_doc *is) {
    static const char *const about_network[] = {"host", "call", "lan"};
    if (!json_equal(json_object_get(was->tree, "duration"),
                    json_object_get(is->tree, "duration"))) {
        return 'T';
    }
    for (size_t i = 0; i < WZP_COUNT_OF(about_network); i++) {
        json_t *before = json_object_get(was->tree, about_network[i]);
        json_t *after = json_object_get(is->tree, about_network[i]);
        if (json_object_size(after) + json_array_size(after) <
            json_object_size(before) + json_array_size(before)) {
            return 'N';
        }
    }
    return difference(was->tree, is->tree);
}

static bool late_rebind(const wzp_lab_scenario *s) {
    for (size_t i = 0; i < s->event_count; i++) {
        if (s->events[i].kind == WZP_LAB_EVENT_REBIND_PORT && s->events[i].at >= 8 * WZP_S) {
            return s->host_count == 3;
        }
    }
    return false;
}

static bool long_and_lossy(const wzp_lab_scenario *s) {
    return s->duration >= 22 * WZP_S && s->hosts[0].ways[0].links[0].loss.p >= 10000;
}

static bool hard_nat(const wzp_lab_scenario *s) {
    return s->hosts[0].ways[0].box_count > 0 &&
           s->hosts[0].ways[0].boxes[0].nat.mapping == WZP_SIM_NAT_ADDR_PORT;
}

static bool low_codec(const wzp_lab_scenario *s) {
    return s->calls[0].codec == WZP_CODEC_OPUS_32K && s->duration >= 5 * WZP_S;
}

static bool anything(const wzp_lab_scenario *s) {
    return s->host_count >= 2;
}

/* Each is `big`, and fails when `wrong` says so. */
static const struct order_case {
    const char *name;
    bool (*wrong)(const wzp_lab_scenario *s);
    const char *trace; /* of the changes that were kept; back to an earlier letter: another round */
    const char *want;
} order_cases[] = {
    {"a late event among three", late_rebind, "FFFFTTTTNNNNNNPPTT",
     "duration = \"8 s\"\nname = \"big\"\nseed = 5\n\n[[event]]\nat = \"8 s\"\ndo = "
     "\"rebind-port\"\ntarget = \"x.nat\"\n\n[host.x]\nnat = \"pf\"\n\n[host.y]\n\n[host.z]\n"},
    {"loss over a long time", long_and_lossy, "FFTTNNNNNNPPP",
     "duration = \"22 s\"\nname = \"big\"\nseed = 5\n\n[host.x]\naccess = {loss = \"2 "
     "%\"}\n\n[host.y]\n"},
    {"a hard NAT", hard_nat, "FFFTTTTTNNNNNNP",
     "duration = \"2 s\"\nname = \"big\"\nseed = 5\n\n[host.x]\nnat = \"pf\"\n\n[host.y]\n"},
    {"a codec", low_codec, "FFFTTTTTNNNNNNP",
     "duration = \"5 s\"\nname = \"big\"\nseed = 5\n\n[call]\ncodec = \"Opus32k\"\nfrom = "
     "\"x\"\nto = [\"y\"]\n\n[host.x]\n\n[host.y]\n"},
    {"anything", anything, "FFFTTTTTNNNNNNNP",
     "duration = \"2 s\"\nname = \"big\"\nseed = 5\n\n[host.x]\n\n[host.y]\n"},
};

typedef struct tracer {
    const struct order_case *c;
    wzp_lab_doc now; /* the last that was kept */
    char trace[64];
    size_t kept;
} tracer;

static bool goes_wrong(const struct order_case *c, const wzp_lab_doc *doc) {
    wzp_lab_scenario *s = scenario_of(doc);
    const bool wrong = s != NULL && c->wrong(s);
    wzp_lab_scenario_free(&s);
    return wrong;
}

static bool traced(void *ctx, const wzp_lab_doc *doc) {
    tracer *t = ctx;
    if (!goes_wrong(t->c, doc)) {
        return false;
    }
    ck_assert_uint_lt(t->kept + 1, sizeof t->trace);
    t->trace[t->kept++] = (char)change_of(&t->now, doc);
    wzp_lab_doc_clear(&t->now);
    ck_assert(wzp_lab_doc_copy(&t->now, doc) == WZP_OK);
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the scenarios above */
static void no_key_can_go(const struct order_case *c, const wzp_lab_doc *doc, json_t *at,
                          const char *base) {
    char path[WZP_LAB_PATH_MAX];
    const char *key = NULL;
    json_t *item = NULL;
    json_object_foreach(at, key, item) {
        wzp_lab_doc smaller = {0};
        (void)snprintf(path, sizeof path, "%s%s%s", base, *base != '\0' ? "." : "", key);
        ck_assert(wzp_lab_doc_copy(&smaller, doc) == WZP_OK);
        ck_assert(wzp_lab_doc_remove(&smaller, path));
        const bool needed =
            strcmp(path, "name") == 0 || strcmp(path, "seed") == 0 || strcmp(path, "duration") == 0;
        ck_assert_msg(needed || !goes_wrong(c, &smaller), "%s: %s can go", c->name, path);
        wzp_lab_doc_clear(&smaller);
        no_key_can_go(c, doc, item, path);
    }
    for (size_t i = 0; i < json_array_size(at); i++) {
        wzp_lab_doc smaller = {0};
        (void)snprintf(path, sizeof path, "%s[%zu]", base, i);
        ck_assert(wzp_lab_doc_copy(&smaller, doc) == WZP_OK);
        ck_assert(wzp_lab_doc_remove(&smaller, path));
        ck_assert_msg(!goes_wrong(c, &smaller), "%s: %s can go", c->name, path);
        wzp_lab_doc_clear(&smaller);
        no_key_can_go(c, doc, json_array_get(at, i), path);
    }
}

static void no_second_can_go(const struct order_case *c, const wzp_lab_doc *doc) {
    char why[WZP_TOML_WHY_MAX];
    char text[64];
    wzp_lab_doc shorter = {0};
    wzp_lab_scenario *s = scenario_of(doc);
    ck_assert(wzp_lab_doc_copy(&shorter, doc) == WZP_OK);
    (void)snprintf(text, sizeof text, "duration=\"%llu s\"",
                   (unsigned long long)(s->duration / WZP_S - 1));
    if (s->duration > 2 * WZP_S) {
        ck_assert(wzp_lab_doc_set(&shorter, text, why));
        ck_assert_msg(!goes_wrong(c, &shorter), "%s: a second can go", c->name);
    }
    wzp_lab_scenario_free(&s);
    wzp_lab_doc_clear(&shorter);
}

START_TEST(faults_time_network_parameters) {
    const struct order_case *c = &order_cases[_i];
    wzp_lab_shrink_stats stats;
    wzp_lab_doc doc = doc_of(big);
    tracer t = {.c = c};
    const wzp_lab_shrink_cfg cfg = {.fails = traced, .ctx = &t};
    ck_assert(goes_wrong(c, &doc) && wzp_lab_doc_copy(&t.now, &doc) == WZP_OK);
    ck_assert(wzp_lab_shrink(&doc, &cfg, &stats) == WZP_OK);
    ck_assert(stats.complete);
    ck_assert_uint_eq(stats.kept, t.kept);
    char *text = written(&doc);
    ck_assert_msg(strcmp(t.trace, c->trace) == 0, "%s: %s", c->name, t.trace);
    ck_assert_msg(strcmp(text, c->want) == 0, "%s: %s", c->name, text);
    ck_assert(goes_wrong(c, &doc));
    no_key_can_go(c, &doc, doc.tree, "");
    no_second_can_go(c, &doc);
    free(text);
    wzp_lab_doc_clear(&t.now);
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
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, only_what_matters_is_left);
    tcase_add_test(tc, tries_are_bounded);
    tcase_add_loop_test(tc, faults_time_network_parameters, 0, (int)WZP_COUNT_OF(order_cases));
    tcase_add_test(tc, a_real_failure_becomes_small);
    return wzp_run_suite("shrink", tc);
}
