/* Relays that federate in a scenario: who is linked with whom, calls from one to another, and what
 * is judged of them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing/suite.h"
#include "sim/lab/run.h"
#include "sim/lab/testing/text.h"

#define HOSTS "[host.x]\n[host.y]\n"
#define NAME "name = \"t\"\n"
#define FED "name = \"t\"\nneeds = \"federation\"\n"

static wzp_lab_result *run(const wzp_lab_scenario *s) {
    char why[256];
    wzp_lab_result *r = NULL;
    const wzp_lab_run_cfg cfg = {0};
    ck_assert_msg(wzp_lab_run(&r, s, &cfg, why) == WZP_OK, "%s", why);
    return r;
}

static wzp_lab_scenario *load(const char *name) {
    static char text[64 * 1024];
    char path[512];
    size_t len = 0;
    (void)snprintf(path, sizeof path, WZP_SOURCE_DIR "/sim/scenarios/%s.toml", name);
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    len = fread(text, 1, sizeof text - 1, in);
    text[len] = '\0';
    ck_assert_int_eq(fclose(in), 0);
    return seeded(text, 1);
}

/* --- what is refused ---------------------------------------------------------------------------
 */

static const struct bad_case {
    const char *name, *text, *want;
} bad_cases[] = {
    {"links without the need", NAME HOSTS "[relay.a]\nfederate = \"b\"\n[relay.b]\n",
     "t.toml:5: relay.a.federate: is of relays that federate; say needs = \"federation\"\n"},
    {"link to nobody", FED HOSTS "[relay.a]\nfederate = [\"b\", \"cc\"]\n[relay.b]\n[relay.c]\n",
     "t.toml:6: relay.a.federate: there is no relay 'cc' ('c'?); there are: a, b, c\n"},
    {"link to itself", FED HOSTS "[relay.a]\nfederate = \"a\"\n[relay.b]\n",
     "t.toml:6: relay.a.federate: a relay cannot name itself\n"},
    {"a link is no number", FED HOSTS "[relay.a]\nfederate = 3\n[relay.b]\n",
     "t.toml:6: relay.a.federate: expected text in quotes, not 3\n"},
    {"twin of nobody", FED HOSTS "[relay.a]\n[relay.b]\ntwin = \"c\"\n",
     "t.toml:7: relay.b.twin: there is no relay 'c'; there are: a, b\n"},
    {"twin of a later one", FED HOSTS "[relay.a]\ntwin = \"b\"\n[relay.b]\n",
     "t.toml:6: relay.a.twin: the one with the identity of another comes after it\n"},
    {"direct call of three", NAME HOSTS "[host.z]\n[call]\ndirect = true\nstart = \"2 s\"\n",
     "t.toml:5: call: a direct call has two members, not 3\n"},
    {"direct call at once", NAME HOSTS "[call]\ndirect = true\n",
     "t.toml:4: call: a direct call starts at 1 s or later: phones register first\n"},
    {"direct call that redials",
     NAME HOSTS "[call]\ndirect = true\nstart = \"2 s\"\nredial = \"1 s\"\n",
     "t.toml:4: call: a direct call has no `redial` and no `stagger`\n"},
    {"nothing to reject", NAME "[host.x]\n[host.y]\nclient.accept = \"reject\"\n",
     "t.toml:4: host.y.client.accept: in a room nothing is accepted; say direct = true\n"},
    {"abuse by a relay", NAME HOSTS "[[event]]\nat = \"1 s\"\ndo = \"abuse\"\ntarget = \"relay\"\n",
     "t.toml:4: event[0]: abuse needs for its target a host, as \"x\", not \"relay\"\n"},
};

START_TEST(refused) {
    const struct bad_case *c = &bad_cases[_i];
    char *messages = NULL;
    wzp_lab_scenario *s = parse(c->text, NULL, &messages);
    ck_assert_msg(s == NULL && messages != NULL, "%s: accepted", c->name);
    ck_assert_msg(strcmp(messages, c->want) == 0, "%s:\n%s", c->name, messages);
    free(messages);
}
END_TEST

/* --- who is linked with whom -------------------------------------------------------------------
 */

static const struct mesh_case {
    const char *name, *relays;
    uint32_t dials[4];
} mesh_cases[] = {
    {"all", "[relay.a]\n[relay.b]\n[relay.c]\n[relay.d]\n", {14, 12, 8, 0}},
    {"a chain",
     "[relay.a]\nfederate = \"b\"\n[relay.b]\nfederate = \"c\"\n[relay.c]\nfederate = \"d\"\n"
     "[relay.d]\n",
     {2, 4, 8, 0}},
    {"a star",
     "[relay.a]\nfederate = [\"b\", \"c\", \"d\"]\n[relay.b]\n[relay.c]\n[relay.d]\n",
     {14, 0, 0, 0}},
    {"two that dial each other",
     "[relay.a]\nfederate = \"b\"\n[relay.b]\nfederate = \"a\"\n[relay.c]\n[relay.d]\n",
     {2, 1, 0, 0}},
    {"none", "[relay.a]\nfederate = []\n[relay.b]\n[relay.c]\n[relay.d]\n", {0}},
};

START_TEST(links_are_as_said) {
    const struct mesh_case *c = &mesh_cases[_i];
    char text[1024];
    (void)snprintf(text, sizeof text, FED HOSTS "%s", c->relays);
    wzp_lab_scenario *s = good(text);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_msg(s->relays[i].dials == c->dials[i], "%s: relay %zu dials %x", c->name, i,
                      s->relays[i].dials);
        ck_assert_uint_eq(s->relays[i].identity, i);
    }
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(twins_are_of_the_first) {
    wzp_lab_scenario *s =
        good(FED HOSTS "[relay.a]\n[relay.b]\ntwin = \"a\"\n[relay.c]\ntwin = \"b\"\n");
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(s->relays[i].identity, 0);
    }
    wzp_lab_scenario_free(&s);
}
END_TEST

/* --- what is judged ----------------------------------------------------------------------------
 */

/* The checks of a kind: "+" good, "-" not, in order. */
static const char *checks_of(const wzp_lab_result *r, wzp_lab_check_kind kind, char buf[64]) {
    size_t n = 0;
    for (size_t i = 0; i < r->check_count && n < 63; i++) {
        if (r->checks[i].kind == kind) {
            buf[n++] = r->checks[i].good ? '+' : '-';
        }
    }
    buf[n] = '\0';
    return buf;
}

#define TWO                                                                                        \
    FED "duration = \"8 s\"\n[relay.a]\nenforce = \"on\"\n[relay.b]\nfederate = \"a\"\n"           \
        "[host.x]\n[host.y]\n"
#define ROOM "[call]\nrelay = {x = \"a\", y = \"b\"}\n"
#define CALL                                                                                       \
    "[call]\ndirect = true\nstart = \"2 s\"\nend = \"5 s\"\nrelay = {x = \"a\", y = \"b\"}\n"
#define ABUSE "[[event]]\nat = \"3 s\"\ndo = \"abuse\"\ntarget = \"x\"\n"

static const struct judge_case {
    const char *name, *text;
    wzp_lab_check_kind kind;
    const char *want;
} judge_cases[] = {
    {"everything comes once", TWO ROOM, WZP_LAB_CHECK_ONCE, "++"},
    {"nobody hears itself", TWO ROOM, WZP_LAB_CHECK_ECHO, "++"},
    {"both are told of two", TWO ROOM "[expect]\nmembers = 2\n", WZP_LAB_CHECK_MEMBERS, "++"},
    {"and not of three", TWO ROOM "[expect]\nmembers = 3\n", WZP_LAB_CHECK_MEMBERS, "--"},
    {"nothing is missing", TWO ROOM "[expect]\nframes_lost = 0\n", WZP_LAB_CHECK_FRAMES, "++"},
    {"something is missing",
     TWO "access = {up = {loss = \"5 %\"}}\n" ROOM "[expect]\nframes_lost = 0\n",
     WZP_LAB_CHECK_FRAMES, "-+"},
    {"the abuser is told why", TWO ROOM ABUSE "[expect.host.x]\ntold = \"PolicyViolation\"\n",
     WZP_LAB_CHECK_TOLD, "+"},
    {"... and that it is over",
     TWO ROOM ABUSE "[expect]\nno_hangup = false\n[expect.host.x]\nends_within = \"2 s\"\n",
     WZP_LAB_CHECK_ENDS, "+"},
    {"a relay that only watches",
     FED "duration = \"8 s\"\n[relay.a]\n[relay.b]\n" HOSTS ROOM ABUSE
         "[expect]\nno_hangup = false\n[expect.host.x]\nends_within = \"2 s\"\n",
     WZP_LAB_CHECK_ENDS, "-"},
    {"a call is hung up by the caller",
     TWO CALL "[expect]\n[expect.host.x]\ntold = \"hung up here\"\n[expect.host.y]\ntold = "
              "\"Normal\"\n",
     WZP_LAB_CHECK_TOLD, "++"},
    {"and not by the callee", TWO CALL "[expect]\ntold = \"Normal\"\n", WZP_LAB_CHECK_TOLD, "-+"},
    {"both hear each other", TWO CALL, WZP_LAB_CHECK_HEARD, "++"},
    {"nobody hears who rejects",
     TWO "client.accept = \"reject\"\n" CALL "[expect]\nno_hangup = false\n", WZP_LAB_CHECK_HEARD,
     "--"},
    {"the caller is told of it",
     TWO "client.accept = \"reject\"\n" CALL "[expect]\npath = \"none\"\nno_hangup = false\n"
         "[expect.host.x]\ntold = \"Normal\"\n",
     WZP_LAB_CHECK_TOLD, "+"},
    {"nobody ends what only rings",
     TWO "client.accept = \"never\"\n" CALL "[expect]\npath = \"none\"\nno_hangup = false\n"
         "[expect.host.x]\ntold = \"hung up here\"\n",
     WZP_LAB_CHECK_TOLD, "+"},
};

START_TEST(judged) {
    const struct judge_case *c = &judge_cases[_i];
    char buf[64];
    wzp_lab_scenario *s = good(c->text);
    wzp_lab_result *r = run(s);
    checks_of(r, c->kind, buf);
    ck_assert_msg(strcmp(buf, c->want) == 0, "%s: %s", c->name, buf);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
}
END_TEST

/* Rooms on both sides of a partition shrink to those that are there, and grow again. */
START_TEST(a_partition_is_told_to_both_sides) {
    static const struct {
        const char *who, *told;
    } wants[] = {
        {"a1", "6 members"}, {"c2", "6 members"}, {"d1", "4 members"}, {"e2", "4 members"}};
    wzp_lab_scenario *s = load("federated-partition");
    wzp_lab_result *r = run(s);
    for (size_t w = 0; w < WZP_COUNT_OF(wants); w++) {
        bool found = false;
        for (size_t i = 0; i < r->entry_count; i++) {
            const wzp_lab_entry *e = &r->entries[i];
            found = found || (e->at > 20 * WZP_S && e->at < 40 * WZP_S &&
                              strcmp(e->who, wants[w].who) == 0 && strcmp(e->what, "room") == 0 &&
                              strcmp(e->detail, wants[w].told) == 0);
        }
        ck_assert_msg(found, "%s was not told of %s", wants[w].who, wants[w].told);
    }
    ck_assert_int_eq(wzp_lab_result_outcome(r), WZP_LAB_PASSED);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(calls_are_reproducible) {
    uint64_t hashes[2];
    for (size_t i = 0; i < 2; i++) {
        wzp_lab_scenario *s = good(TWO CALL);
        wzp_lab_result *r = run(s);
        hashes[i] = r->trace_hash;
        wzp_lab_result_free(&r);
        wzp_lab_scenario_free(&s);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("mesh");
    tcase_set_timeout(tc, 240);
    tcase_add_loop_test(tc, refused, 0, (int)WZP_COUNT_OF(bad_cases));
    tcase_add_loop_test(tc, links_are_as_said, 0, (int)WZP_COUNT_OF(mesh_cases));
    tcase_add_test(tc, twins_are_of_the_first);
    tcase_add_loop_test(tc, judged, 0, (int)WZP_COUNT_OF(judge_cases));
    tcase_add_test(tc, a_partition_is_told_to_both_sides);
    tcase_add_test(tc, calls_are_reproducible);
    return wzp_run_suite("sim_lab.mesh", tc);
}
