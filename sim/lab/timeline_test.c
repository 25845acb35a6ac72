/* What a scenario's events do to the network, and when: seen in the packets, not in the calls. */
#include "sim/lab/timeline.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing/suite.h"
#include "sim/lab/run.h"
#include "sim/lab/testing/text.h"

#define BEGIN "name = \"t\"\nduration = \"12 s\"\n"
#define TWO_WAYS BEGIN "[host.x]\nnat = \"linux-masq\"\nway.lte = {nat = \"cgn-hard\"}\n[host.y]\n"
#define EVENT(at, what) "[[event]]\nat = \"" at " s\"\n" what "\n"

/* Lines of the trace from `from` up to but not including `to` (us from the start) with both texts.
 * Notes stand in it as "note WHO WHAT DETAIL". */
typedef struct query {
    uint64_t from, to;
    const char *text, *also;
    uint64_t least, most;
} query;

enum { QUERIES = 6 };
#define S UINT64_C(1000000)
#define END (12 * S)
#define SOME 1, UINT64_MAX
#define MANY 30, UINT64_MAX
#define NONE 0, 0

static const struct event_case {
    const char *name, *scenario;
    query queries[QUERIES];
} event_cases[] = {
    {"reboot: nothing passes for its time, and all is forgotten",
     BEGIN "[host.x]\nnat = \"symrand\"\n[host.y]\n" EVENT(
         "5", "do = \"reboot\"\ntarget = \"x.nat\"\nfor = \"2 s\""),
     {{4 * S, 5 * S, " x.nat:1 > ", "", MANY},
      {5 * S, 7 * S, " x.nat:1 > ", "", NONE},
      {5 * S, 7 * S, " x.nat:0 > ", "", NONE},
      {7 * S, 8 * S, " x.nat:1 > ", "", MANY},
      {5 * S, 7 * S + S / 10, "note x.nat expired", "", SOME},
      {7 * S, 8 * S, "note x.nat created", "", SOME}}},
    {"flush: forgotten at once, and mapped anew by the next packet",
     BEGIN "[host.x]\nnat = \"1to1\"\n[host.y]\n" EVENT("5", "do = \"flush\"\ntarget = \"x.nat\""),
     {{5 * S, 5 * S + 1, "note x.nat expired", "", 1, 1},
      {5 * S, 5 * S + S / 20, "note x.nat created", "", 1, 1},
      {S, END, "note x.nat expired", "", 1, 1}}},
    {"expire: what has a timer",
     BEGIN "[host.x]\nnat = \"fullcone\"\n[host.y]\nnat = \"1to1\"\n" EVENT(
         "5", "do = \"expire\"\ntarget = \"x.nat\"")
         EVENT("6", "do = \"expire\"\ntarget = \"y.nat\""),
     {{5 * S, 5 * S + 1, "note x.nat expired", "", 1, 1},
      {S, END, "note x.nat expired", "", 1, 1},
      {S, END, "note y.nat expired", "", NONE}}},
    {"rebind-port: another port, the old one is dead",
     BEGIN "[host.x]\nnat = \"fullcone\"\n[host.y]\n" EVENT(
         "5", "do = \"rebind-port\"\ntarget = \"x.nat\""),
     {{5 * S, 5 * S + 1, "note x.nat rebound", "", 1, 1},
      {S, 5 * S, " x.nat:1 > ", " 203.0.113.5:40000 ", MANY},
      {5 * S + 1000, END, " x.nat:1 > ", " 203.0.113.5:40000 ", NONE},
      {5 * S, END, " x.nat:1 > ", " 203.0.113.5:", MANY},
      {5 * S, 5 * S + S / 10, " x.nat ! ", "no-mapping", SOME}}},
    {"rebind-addr: another address",
     BEGIN "[host.x]\nnat = \"fullcone\"\n[host.y]\n" EVENT(
         "5", "do = \"rebind-addr\"\ntarget = \"x.nat\"\nto = \"203.0.113.99\""),
     {{S, 5 * S, " x.nat:1 > ", " 203.0.113.99:", NONE},
      {5 * S, END, " x.nat:1 > ", " 203.0.113.99:", MANY},
      {5 * S + 1000, END, " x.nat:1 > ", " 203.0.113.5:", NONE}}},
    {"cut for a time: lost, both ways",
     BEGIN
     "[host.x]\n[host.y]\n" EVENT("5", "do = \"cut\"\ntarget = \"x.access\"\nfor = \"500 ms\""),
     {{5 * S + 15000, 5 * S + S / 2, " relay:0 < ", " 203.0.113.5:", NONE},
      {5 * S + 15000, 5 * S + S / 2, " x:0 < ", "", NONE},
      {5 * S, 5 * S + S / 2, " x:0 > ", "", 5, UINT64_MAX},
      {5 * S + S / 2 + 10000, 5 * S + S / 2 + 18000, " relay:0 < ", " 203.0.113.5:", 0, 3},
      {6 * S, 7 * S, " relay:0 < ", " 203.0.113.5:", MANY}}},
    {"cut that holds: all of it in a burst",
     BEGIN "[host.x]\n[host.y]\n" EVENT(
         "5", "do = \"cut\"\ntarget = \"x.access\"\nfor = \"500 ms\"\nhold = true"),
     {{5 * S + 15500, 5 * S + S / 2, " relay:0 < ", " 203.0.113.5:", NONE},
      {5 * S + S / 2, 5 * S + S / 2 + 22000, " relay:0 < ", " 203.0.113.5:", 15, UINT64_MAX}}},
    {"cut of one direction",
     BEGIN
     "[host.x]\n[host.y]\n" EVENT("5", "do = \"cut\"\ntarget = \"x.access.up\"\nfor = \"500 ms\""),
     {{5 * S + 15500, 5 * S + S / 2, " relay:0 < ", " 203.0.113.5:", NONE},
      {5 * S + 30000, 5 * S + S / 2, " x:0 < ", "", 20, UINT64_MAX}}},
    {"restore ends a cut",
     BEGIN "[host.x]\n[host.y]\n" EVENT("5", "do = \"cut\"\ntarget = \"x.access\"")
         EVENT("7", "do = \"restore\"\ntarget = \"x.access\""),
     {{5 * S + 15500, 7 * S, " relay:0 < ", " 203.0.113.5:", NONE},
      {8 * S, 9 * S, " relay:0 < ", " 203.0.113.5:", MANY}}},
    {"set and restore: parameters change, and are as before again",
     BEGIN "[host.x]\n[host.y]\n" EVENT(
         "5", "do = \"set\"\ntarget = \"x.access.up\"\nlink = {loss = \"100 %\"}")
         EVENT("7", "do = \"restore\"\ntarget = \"x.access.up\""),
     {{5 * S + 15500, 7 * S, " relay:0 < ", " 203.0.113.5:", NONE},
      {5 * S + 15500, 7 * S, " x:0 < ", "", MANY},
      {8 * S, 9 * S, " relay:0 < ", " 203.0.113.5:", MANY}}},
    {"set of a core path",
     BEGIN "[core]\nx-relay = {}\n[host.x]\n[host.y]\n" EVENT(
         "5", "do = \"set\"\ntarget = \"core.x-relay\"\nlink = {loss = \"100 %\"}"),
     {{4 * S, 5 * S, " relay:0 < ", " 203.0.113.5:", MANY},
      {5 * S + 5500, END, " relay:0 < ", " 203.0.113.5:", NONE},
      {5 * S, 6 * S, " relay:0 < ", " 198.51.100.9:", MANY}}},
    {"if-switch: nothing in the gap, then the other way",
     TWO_WAYS EVENT("5", "do = \"if-switch\"\ntarget = \"x\"\nto = \"lte\"\ngap = \"800 ms\""),
     {{4 * S, 5 * S, " x:0 > ", "", MANY},
      {5 * S, END, " x:0 > ", "", NONE},
      {S, 5 * S + S * 8 / 10, " x:1 > ", "", NONE},
      {5 * S + S * 8 / 10, 7 * S, " x:1 > ", "", MANY},
      {5 * S + S * 8 / 10, 5 * S + S * 8 / 10 + 1, "note x up", "", 1, 1}}},
    {"if-down and if-up",
     BEGIN "[host.x]\n[host.y]\n" EVENT("5", "do = \"if-down\"\ntarget = \"x\"")
         EVENT("7", "do = \"if-up\"\ntarget = \"x\""),
     {{4 * S, 5 * S, " x:0 > ", "", MANY},
      {5 * S, 7 * S, " x:0 > ", "", NONE},
      {7 * S, 9 * S, " x:0 > ", "", MANY}}},
    {"kill-relay: gone for ever",
     BEGIN "[host.x]\n[host.y]\n" EVENT("5", "do = \"kill-relay\"\ntarget = \"relay\""),
     {{4 * S, 5 * S, " relay:0 > ", " udp ", MANY},
      {5 * S, END, " relay:0 > ", " udp ", NONE},
      {5 * S, 6 * S, " relay:0 > ", " icmp ", SOME}}},
    {"restart-relay: back after its time, with no memory",
     BEGIN "[host.x]\n[host.y]\n[call]\nredial = \"1 s\"\n" EVENT(
         "5", "do = \"restart-relay\"\ntarget = \"relay\"\nfor = \"2 s\""),
     {{5 * S, 7 * S, " relay:0 > ", " udp ", NONE},
      {7 * S, END, " relay:0 > ", " udp ", SOME},
      {7 * S, END, "note relay join", "", 2, UINT64_MAX}}},
    {"renumber inside: the host's own address",
     BEGIN "[host.x]\nnat = \"linux-masq\"\n[host.y]\n" EVENT(
         "5", "do = \"renumber\"\ntarget = \"x\"\nto = \"192.168.77.5\""),
     {{S, 5 * S, " x:0 > ", " 192.168.77.5:", NONE},
      {5 * S, END, " x:0 > ", " 192.168.77.5:", MANY},
      {5 * S, END, " x:0 > ", " 192.168.1.10:", NONE}}},
    {"another IPv6 prefix",
     BEGIN "[relay]\naddress = \"2001:db8:f::1\"\n[host.x]\naddress6 = \"2001:db8:1::5\"\n"
           "[host.y]\naddress6 = \"2001:db8:2::5\"\n" EVENT(
               "5", "do = \"renumber\"\ntarget = \"x\"\nto = \"2001:db8:9::5\""),
     {{S, 5 * S, " x:0 > ", " [2001:db8:1::5]:", MANY},
      {5 * S, END, " x:0 > ", " [2001:db8:9::5]:", MANY},
      {5 * S, END, " x:0 > ", " [2001:db8:1::5]:", NONE}}},
    {"again and again, until",
     BEGIN "[host.x]\n[host.y]\n" EVENT(
         "5", "do = \"mark\"\ntarget = \"x\"\nevery = \"500 ms\"\nuntil = \"7 s\""),
     {{0, END, "note x mark", "", 5, 5},
      {5 * S, 5 * S + 1, "note x mark", "", 1, 1},
      {6 * S + S / 2, 6 * S + S / 2 + 1, "note x mark", "", 1, 1},
      {7 * S, 7 * S + 1, "note x mark", "", 1, 1}}},
    {"leave: the client hangs up",
     BEGIN "[host.x]\n[host.y]\n" EVENT("5", "do = \"leave\"\ntarget = \"x\""),
     {{4 * S, 5 * S, " x:0 > ", "", MANY},
      {6 * S, END, " x:0 > ", "", NONE},
      {6 * S, END, " y:0 > ", "", MANY}}},
};

static void write_notes(FILE *out, const wzp_lab_result *r) {
    for (size_t i = 0; i < r->entry_count; i++) {
        const wzp_lab_entry *e = &r->entries[i];
        const wzp_time at = r->start + e->at;
        (void)fprintf(out, "%" PRIu64 ".%09" PRIu64 " note %s %s %s\n", at / WZP_S, at % WZP_S,
                      e->who, e->what, e->detail);
    }
}

/* Trace and notes of a run; to be freed. */
static char *seen(const char *scenario, wzp_time *start) {
    char *text = NULL;
    char why[256];
    size_t len = 0;
    wzp_lab_scenario *s = seeded(scenario, 1);
    wzp_lab_result *r = NULL;
    FILE *out = open_memstream(&text, &len);
    const wzp_lab_run_cfg cfg = {.trace = out};
    ck_assert_msg(wzp_lab_run(&r, s, &cfg, why) == WZP_OK, "%s", why);
    write_notes(out, r);
    ck_assert_int_eq(fclose(out), 0);
    *start = r->start;
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
    return text;
}

static bool has(const char *line, size_t len, const char *text) {
    return memmem(line, len, text, strlen(text)) != NULL;
}

/* "5.000000017 ..." in ns.  Not by strtoull: under sanitizers that reads all of the text. */
static wzp_time time_of(const char *line) {
    wzp_time ns = 0;
    for (; (*line >= '0' && *line <= '9') || *line == '.'; line++) {
        ns = *line == '.' ? ns : ns * 10 + (wzp_time)(*line - '0');
    }
    return ns;
}

static uint64_t count(const char *text, wzp_time start, const query *q) {
    const char *end = text + strlen(text);
    uint64_t n = 0;
    for (const char *line = text; line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        const size_t len = (size_t)((next != NULL ? next : end) - line);
        const uint64_t since = wzp_time_since(time_of(line), start);
        n += since >= q->from * WZP_US && since < q->to * WZP_US && has(line, len, q->text) &&
             has(line, len, q->also);
        line += len + 1;
    }
    return n;
}

START_TEST(happens) {
    const struct event_case *c = &event_cases[_i];
    wzp_time start = 0;
    char *text = seen(c->scenario, &start);
    for (size_t i = 0; i < QUERIES && c->queries[i].text != NULL; i++) {
        const query *q = &c->queries[i];
        const uint64_t n = count(text, start, q);
        ck_assert_msg(n >= q->least && n <= q->most,
                      "%s: %" PRIu64 " times '%s' and '%s' from %" PRIu64 " to %" PRIu64 " us",
                      c->name, n, q->text, q->also, q->from, q->to);
    }
    free(text);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("timeline");
    tcase_add_loop_test(tc, happens, 0, WZP_COUNT_OF(event_cases));
    return wzp_run_suite("sim_lab.timeline", tc);
}
