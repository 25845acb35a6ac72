#include "sim/lab/run.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/lab/report.h"
#include "sim/lab/testing/text.h"

#define PAIR                                                                                       \
    "name = \"t\"\nduration = \"6 s\"\n[host.x]\nnat = \"linux-masq\"\n[host.y]\nnat = "           \
    "\"symrand\"\n"

#define OPEN "name = \"t\"\nduration = \"6 s\"\n[host.x]\n[host.y]\n"

/* A phone rings another one; x has a second way out. */
#define DIRECT                                                                                     \
    OPEN "[host.x.way.lte]\naccess = \"lte\"\n"                                                    \
         "[call]\nfrom = \"x\"\nto = \"y\"\ndirect = true\nstart = \"1 s\"\n"

static wzp_lab_result *run(const wzp_lab_scenario *s, const char *pcap) {
    char why[256];
    wzp_lab_result *r = NULL;
    const wzp_lab_run_cfg cfg = {.pcap_dir = pcap};
    ck_assert_msg(wzp_lab_run(&r, s, &cfg, why) == WZP_OK, "%s", why);
    return r;
}

/* --- the same seed, the same run -------------------------------------------------------------- */

typedef struct print {
    uint64_t trace, pcap;
    char *json;
} print;

static print print_of(const char *text, uint64_t seed) {
    char dir[] = "/tmp/wzp-lab-test-XXXXXX";
    char remove[64];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    wzp_lab_scenario *s = seeded(text, seed);
    wzp_lab_result *r = run(s, dir);
    json_t *json = wzp_lab_report_json(r);
    const print p = {r->trace_hash, r->pcap_hash, json_dumps(json, JSON_INDENT(1))};
    json_decref(json);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
    (void)snprintf(remove, sizeof remove, "rm -r %s", dir);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread */
    ck_assert_int_eq(system(remove), 0);
    return p;
}

static const char lossy[] =
    PAIR "access = {preset = \"lte\", loss = \"1..5 %\"}\n"
         "[[event]]\nat = \"2 s\"\ndo = \"rebind-port\"\ntarget = \"x.nat\"\n";

START_TEST(runs_are_reproducible) {
    print a = print_of(lossy, 3);
    print b = print_of(lossy, 3);
    print c = print_of(lossy, 4);
    ck_assert_uint_eq(a.trace, b.trace);
    ck_assert_uint_eq(a.pcap, b.pcap);
    ck_assert_str_eq(a.json, b.json);
    ck_assert_uint_ne(a.trace, c.trace);
    ck_assert_uint_ne(a.pcap, c.pcap);
    free(a.json);
    free(b.json);
    free(c.json);
}
END_TEST

/* Whoever looks changes nothing. */
START_TEST(captures_do_not_disturb) {
    print a = print_of(PAIR, 1);
    wzp_lab_scenario *s = seeded(PAIR, 1);
    wzp_lab_result *r = run(s, NULL);
    ck_assert_uint_eq(r->trace_hash, a.trace);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
    free(a.json);
}
END_TEST

/* --- what is judged --------------------------------------------------------------------------- */

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

#define ONE_LAN(isolate)                                                                           \
    "name = \"t\"\nduration = \"6 s\"\n[lan.home]\nnat = \"linux-masq\"\nisolate = " isolate "\n"  \
    "[host.x]\nlan = \"home\"\n[host.y]\nlan = \"home\"\n[call]\ndirect = true\nstart = \"1 s\"\n"

static const struct judge_case {
    const char *name, *text;
    wzp_lab_check_kind kind;
    const char *want;
} judge_cases[] = {
    {"a clean call has a relayed path", PAIR "[expect]\npath = \"relay\"\n", WZP_LAB_CHECK_PATH,
     "++"},
    {"a direct path is missed", PAIR "[expect]\npath = \"direct\"\n", WZP_LAB_CHECK_PATH, "--"},
    {"one LAN carries a direct path", ONE_LAN("false") "[expect]\npath = \"direct\"\n",
     WZP_LAB_CHECK_PATH, "++"},
    {"one that isolates does not", ONE_LAN("true") "[expect]\npath = \"relay\"\n",
     WZP_LAB_CHECK_PATH, "++"},
    {"setup in time", PAIR "[expect]\nsetup = \"600 ms\"\n", WZP_LAB_CHECK_SETUP, "++"},
    {"setup too slow", PAIR "[expect]\nsetup = \"100 ms\"\n", WZP_LAB_CHECK_SETUP, "--"},
    {"setup counts from the later dial",
     PAIR "[call]\nstagger = \"2 s\"\n[expect]\nsetup = \"600 ms\"\n", WZP_LAB_CHECK_SETUP, "++"},
    {"clean sound", PAIR "[expect]\naudio = \"A0\"\n", WZP_LAB_CHECK_AUDIO, "++"},
    {"5 % loss from x is worse than A1 for y only",
     "name = \"t\"\nduration = \"6 s\"\n[host.x]\naccess = {up = {loss = \"5 %\"}}\n[host.y]\n"
     "[call]\ndred = false\n[expect]\naudio = \"A1\"\n",
     WZP_LAB_CHECK_AUDIO, "+-"},
    {"DRED makes up for it",
     "name = \"t\"\nduration = \"6 s\"\n[host.x]\naccess = {up = {loss = \"5 %\"}}\n[host.y]\n"
     "[expect]\naudio = \"A1\"\n",
     WZP_LAB_CHECK_AUDIO, "++"},
    {"a clean call is as good as its codec", PAIR "[expect]\nmos = 4.3\n", WZP_LAB_CHECK_MOS, "++"},
    {"and no better", PAIR "[expect]\nmos = 4.45\n", WZP_LAB_CHECK_MOS, "--"},
    {"a poorer codec", PAIR "[call]\ncodec = \"Opus16k\"\n[expect]\nmos = 4.3\n", WZP_LAB_CHECK_MOS,
     "--"},
    {"loss costs y opinion",
     "name = \"t\"\nduration = \"6 s\"\n[host.x]\naccess = {up = {loss = \"5 %\"}}\n[host.y]\n"
     "[call]\ndred = false\n[expect]\nmos = 4.2\n",
     WZP_LAB_CHECK_MOS, "+-"},
    {"DRED brings it back",
     "name = \"t\"\nduration = \"6 s\"\n[host.x]\naccess = {up = {loss = \"5 %\"}}\n[host.y]\n"
     "[expect]\nmos = 4.2\n",
     WZP_LAB_CHECK_MOS, "++"},
    {"delay does too, both ways",
     "name = \"t\"\nduration = \"6 s\"\n[host.x]\naccess = {up = {delay = \"400 ms\"}}\n[host.y]\n"
     "[expect]\nmos = 4.2\n",
     WZP_LAB_CHECK_MOS, "+-"},
    {"what an event does not count against it",
     PAIR "[[event]]\nat = \"3 s\"\ndo = \"cut\"\nfor = \"400 ms\"\ntarget = \"x.access.up\"\n"
          "[expect]\nmos = 4.3\nevent_gap = \"450 ms\"\nrecover = \"1 s\"\n",
     WZP_LAB_CHECK_MOS, "++"},
    {"an event excuses a gap",
     PAIR "[[event]]\nat = \"3 s\"\ndo = \"cut\"\nfor = \"400 ms\"\ntarget = \"x.access.up\"\n"
          "[expect]\naudio = \"A0\"\nevent_gap = \"450 ms\"\nrecover = \"1 s\"\n",
     WZP_LAB_CHECK_AUDIO, "++"},
    {"the gap of the event is told",
     PAIR "[[event]]\nat = \"3 s\"\ndo = \"cut\"\nfor = \"400 ms\"\ntarget = \"x.access.up\"\n"
          "[expect]\nevent_gap = \"300 ms\"\n",
     WZP_LAB_CHECK_EVENT_GAP, "+-"},
    {"without an excuse the gap counts",
     PAIR "[[event]]\nat = \"3 s\"\ndo = \"cut\"\nfor = \"400 ms\"\ntarget = \"x.access.up\"\n"
          "[expect]\naudio = \"A3\"\n",
     WZP_LAB_CHECK_AUDIO, "+-"},
    {"blocked UDP: nobody is heard, the call ends",
     "name = \"t\"\nduration = \"15 s\"\n[host.x]\nfirewall = {block_udp = true}\n[host.y]\n"
     "[expect]\npath = \"any\"\n[expect.host.x]\npath = \"none\"\nends_within = \"11 s\"\n",
     WZP_LAB_CHECK_ENDS, "+"},
    {"a call that does not end", PAIR "[expect]\nends_within = \"5 s\"\n", WZP_LAB_CHECK_ENDS,
     "--"},
    {"a client notices a hole of 6 s",
     "name = \"t\"\nduration = \"15 s\"\n[host.x]\n[host.y]\n"
     "[[event]]\nat = \"3 s\"\ndo = \"cut\"\nfor = \"6 s\"\ntarget = \"x.access\"\n"
     "[expect.host.x]\nlost_within = \"5 s\"\n[expect.host.y]\nlost_within = \"5 s\"\n",
     WZP_LAB_CHECK_LOST, "+-"},
    {"a dead relay is a hangup",
     "name = \"t\"\nduration = \"40 s\"\n[host.x]\n[host.y]\n"
     "[[event]]\nat = \"3 s\"\ndo = \"kill-relay\"\ntarget = \"relay\"\n",
     WZP_LAB_CHECK_HANGUP, "--"},
    {"leaving is no hangup",
     PAIR "[[event]]\nat = \"3 s\"\ndo = \"leave\"\ntarget = \"x\"\n[expect]\naudio = \"A0\"\n",
     WZP_LAB_CHECK_HANGUP, "+"},
    {"sound is judged until the speaker leaves",
     PAIR "[[event]]\nat = \"3 s\"\ndo = \"leave\"\ntarget = \"x\"\n[expect]\naudio = \"A0\"\n",
     WZP_LAB_CHECK_AUDIO, "++"},
    {"only the caller talks", PAIR "[call]\ntalk = \"caller\"\n[expect]\naudio = \"A0\"\n",
     WZP_LAB_CHECK_AUDIO, "+"},
    {"a stranger is refused",
     OPEN "[host.z]\nclient = {intrudes = \"y\"}\n[call]\nfrom = \"x\"\nto = \"y\"\ndirect = "
          "true\nstart = \"1 s\"\n[expect.host.y]\nrefused = 1\n",
     WZP_LAB_CHECK_REFUSED, "+"},
    {"no stranger comes",
     OPEN "[call]\nfrom = \"x\"\nto = \"y\"\ndirect = true\nstart = \"1 s\"\n"
          "[expect.host.y]\nrefused = 1\n",
     WZP_LAB_CHECK_REFUSED, "-"},
    {"no update", DIRECT "[expect]\nupdates = 0\n", WZP_LAB_CHECK_UPDATES, "++"},
    {"an update that does not come", DIRECT "[expect.host.y]\nupdates = 1\n", WZP_LAB_CHECK_UPDATES,
     "-"},
    {"updates of the wrong number",
     DIRECT "[[event]]\nat = \"3 s\"\ndo = \"if-switch\"\ntarget = \"x\"\nto = \"lte\"\n"
            "[expect]\nupdates = 1\nupdate_number = 2\n",
     WZP_LAB_CHECK_UPDATES, "--"},
    {"one update and its answer",
     DIRECT "[[event]]\nat = \"3 s\"\ndo = \"if-switch\"\ntarget = \"x\"\nto = \"lte\"\n"
            "[expect]\nupdates = 1\nupdate_number = 1\n",
     WZP_LAB_CHECK_UPDATES, "++"},
    {"updates of deployed clients are not judged",
     "policy = \"deployed\"\n" DIRECT "[expect]\nupdates = 5\n", WZP_LAB_CHECK_UPDATES, ""},
    {"a signal connection that is lost is there again, and the call goes on",
     DIRECT "[[event]]\nat = \"3 s\"\ndo = \"lose-signals\"\ntarget = \"x\"\n"
            "[expect.host.x]\nback_within = \"500 ms\"\n",
     WZP_LAB_CHECK_BACK, "+"},
    {"but not at once",
     DIRECT "[[event]]\nat = \"3 s\"\ndo = \"lose-signals\"\ntarget = \"x\"\n"
            "[expect.host.x]\nback_within = \"1 ms\"\n",
     WZP_LAB_CHECK_BACK, "-"},
    {"nor where none is lost",
     DIRECT "[[event]]\nat = \"3 s\"\ndo = \"mark\"\ntarget = \"x\"\n"
            "[expect.host.x]\nback_within = \"500 ms\"\n",
     WZP_LAB_CHECK_BACK, "-"},
    {"silence while a link is cut",
     PAIR "[[event]]\nat = \"3 s\"\ndo = \"cut\"\nfor = \"1500 ms\"\ntarget = \"x.access.up\"\n"
          "[expect]\nsilence = \"500 ms\"\n",
     WZP_LAB_CHECK_SILENCE, "++"},
    {"silence when the relay is gone",
     "name = \"t\"\nduration = \"10 s\"\n[host.x]\n[host.y]\n"
     "[[event]]\nat = \"3 s\"\ndo = \"kill-relay\"\ntarget = \"relay\"\n"
     "[expect]\nsilence = \"3 s\"\n",
     WZP_LAB_CHECK_SILENCE, "--"},
    {"silence of deployed clients is not judged",
     "policy = \"deployed\"\nname = \"t\"\nduration = \"10 s\"\n[host.x]\n[host.y]\n"
     "[[event]]\nat = \"3 s\"\ndo = \"kill-relay\"\ntarget = \"relay\"\n"
     "[expect]\nsilence = \"3 s\"\n",
     WZP_LAB_CHECK_SILENCE, ""},
    {"three in a room", PAIR "[host.z]\n[expect]\naudio = \"A0\"\n", WZP_LAB_CHECK_AUDIO, "++++++"},
    {"two calls at once",
     PAIR "[host.z]\n[[call]]\nfrom = \"x\"\nto = \"y\"\n[[call]]\nfrom = \"x\"\nto = \"z\"\n"
          "[expect]\naudio = \"A0\"\n",
     WZP_LAB_CHECK_AUDIO, "++++"},
    {"speech with pauses", PAIR "[call]\non = \"1 s\"\noff = \"1 s\"\n[expect]\naudio = \"A0\"\n",
     WZP_LAB_CHECK_AUDIO, "++"},
};

START_TEST(judged) {
    const struct judge_case *c = &judge_cases[_i];
    char buf[64];
    wzp_lab_scenario *s = seeded(c->text, 1);
    wzp_lab_result *r = run(s, NULL);
    ck_assert_msg(strcmp(checks_of(r, c->kind, buf), c->want) == 0, "%s: got %s", c->name, buf);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
}
END_TEST

/* --- topologies and events -------------------------------------------------------------------- */

/* Each must carry a call that comes out clean, whatever happened in its middle. */
static const char *const carriers[] = {
    "[host.x]\nnat = \"double-hard\"\n[host.y]\nnat = [\"linux-masq\", \"fw\"]\n",
    "[lan.home]\nnat = \"linux-masq\"\n[host.x]\nlan = \"home\"\n[host.y]\nlan = \"home\"\n",
    "[lan.home]\nnat = \"linux-masq\"\nisolate = true\n[host.x]\nlan = \"home\"\n[host.y]\nlan = "
    "\"home\"\n",
    "[lan.cgn]\nnat = \"cgn-rfc\"\n[lan.home]\nnat = \"linux-masq\"\nlan = \"cgn\"\n"
    "[host.x]\nlan = \"home\"\n[host.y]\nlan = \"cgn\"\nnat = \"symrand\"\n",
    "[host.x]\nlocal = \"192.168.1.10\"\nnat = \"pf\"\n[host.y]\nlocal = \"192.168.1.10\"\nnat = "
    "\"pf\"\n",
    "[host.x]\nnat = \"pool-arb\"\n[host.y]\n",
    "[stun]\n[host.x]\nnat = \"symrand\"\ngateway = {pmp = \"serves\", pcp = \"silent\", upnp = "
    "\"serves\"}\n[host.y]\n",
    "[host.x]\nnat = \"nat64\"\n[host.y]\nnat = \"linux-masq\"\n",
    "[host.x]\nnat = \"nat64\"\nclat = true\n[host.y]\nnat = \"nat64\"\n",
    "[host.x]\nnat = \"nat64\"\nclat = true\n[host.y]\n"
    "[[event]]\nat = \"3 s\"\ndo = \"rebind-port\"\ntarget = \"x.nat\"\n",
    "[host.x]\nnat = \"linux-masq\"\n[host.y]\n"
    "[[event]]\nat = \"3 s\"\ndo = \"renumber\"\ntarget = \"x\"\nto = \"192.168.77.5\"\n",
    "[lan.home]\nnat = \"linux-masq\"\n[host.x]\nlan = \"home\"\n[host.y]\nlan = \"home\"\n"
    "[[event]]\nat = \"3 s\"\ndo = \"renumber\"\ntarget = \"x\"\nto = \"192.168.1.77\"\n",
    "[relay]\naddress = \"2001:db8:f::1\"\n[host.x]\nnat = \"linux-masq\"\n"
    "address6 = \"2001:db8:1::5\"\n[host.y]\naddress6 = \"2001:db8:2::5\"\n"
    "[[event]]\nat = \"3 s\"\ndo = \"renumber\"\ntarget = \"x\"\nto = \"2001:db8:9::5\"\n",
    "[host.x]\nsignals = {name = \"RoomUpdate\", way = \"in\", do = \"duplicate\", by = \"200 "
    "ms\"}\n"
    "[host.y]\nsignals = {name = \"CallOffer\", way = \"out\", do = \"delay\", by = \"500 ms\"}\n",
    "[host.x]\nskew = \"100 ppm\"\nahead = \"3 s\"\n[host.y]\nskew = \"-100 ppm\"\n",
    "[relay]\ndelay = \"40 ms\"\nport = 443\n[host.x]\nfirewall = {allow_ports = "
    "[443]}\n[host.y]\n",
    "[relay.a]\n[relay.b]\n[host.x]\n[host.y]\n[call]\nrelay = \"b\"\n",
    "[core]\nx-relay = {delay = \"30 ms\", back = {delay = \"50 ms\"}}\n[host.x]\n[host.y]\n",
    "[host.x]\naccess = \"fiber\"\n[host.y]\naccess = \"cable\"\n",
    "[host.x]\nnat = \"linux-masq\"\n[host.y]\n"
    "[[event]]\nat = \"3 s\"\ndo = \"rebind-port\"\ntarget = \"x.nat\"\n",
    "[host.x]\nnat = \"linux-masq\"\n[host.y]\n"
    "[[event]]\nat = \"3 s\"\ndo = \"rebind-addr\"\ntarget = \"x.nat\"\nto = \"203.0.113.99\"\n",
    "[lan.home]\nnat = \"linux-masq\"\n[host.x]\nlan = \"home\"\n[host.y]\n"
    "[[event]]\nat = \"3 s\"\ndo = \"rebind-addr\"\ntarget = \"home.nat\"\nto = \"203.0.113.99\"\n",
    "[host.x]\nnat = \"linux-masq\"\n[host.y]\n"
    "[[event]]\nat = \"3 s\"\ndo = \"reboot\"\nfor = \"500 ms\"\ntarget = \"x.nat\"\n",
    "[host.x]\nnat = \"linux-masq\"\n[host.y]\n"
    "[[event]]\nat = \"3 s\"\ndo = \"flush\"\ntarget = \"x.nat\"\n",
    "[host.x]\nnat = \"linux-masq\"\nway = {lte = {access = \"lte\", nat = "
    "\"cgn-hard\"}}\n[host.y]\n"
    "[[event]]\nat = \"3 s\"\ndo = \"if-switch\"\ntarget = \"x\"\nto = \"lte\"\ngap = \"300 ms\"\n",
    "[host.x]\n[host.y]\n"
    "[[event]]\nat = \"3 s\"\ndo = \"cut\"\nfor = \"300 ms\"\nhold = true\ntarget = "
    "\"y.access.down\"\n",
    "[host.x]\n[host.y]\n[core]\nx-relay = {}\n"
    "[[event]]\nat = \"3 s\"\ndo = \"cut\"\nfor = \"300 ms\"\ntarget = \"core.x-relay\"\n",
};

START_TEST(carries) {
    char text[1024];
    (void)snprintf(
        text, sizeof text,
        "name = \"t\"\nduration = \"12 s\"\n%s[expect]\npath = \"relay\"\nsetup = \"1 s\"\n"
        "event_gap = \"1200 ms\"\nrecover = \"3 s\"\naudio = \"A1\"\n",
        carriers[_i]);
    wzp_lab_scenario *s = seeded(text, 1);
    wzp_lab_result *r = run(s, NULL);
    const wzp_lab_check *failure = wzp_lab_result_failure(r);
    ck_assert_msg(failure == NULL, "%s\n%s %s: expected %s, got %s", text,
                  wzp_lab_check_word(failure->kind), failure->where, failure->expected,
                  failure->got);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
}
END_TEST

/* The relay is joined half a second after the set-up, and the direct path found later. */
START_TEST(a_relay_that_was_never_used_is_no_path) {
    wzp_lab_scenario *s = seeded("name = \"t\"\nduration = \"6 s\"\n[host.x]\n[host.y]\n"
                                 "[core]\nx-y = {delay = \"250 ms\", back = {delay = \"250 ms\"}}\n"
                                 "[call]\ndirect = true\nstart = \"1 s\"\n",
                                 1);
    wzp_lab_result *r = run(s, NULL);
    for (size_t i = 0; i < 2; i++) {
        const wzp_lab_member *m = &r->calls[0].members[i];
        ck_assert_int_eq(m->path, WZP_LAB_PATH_DIRECT);
        ck_assert(m->report.joined_at != WZP_TIME_NEVER);
        ck_assert_uint_eq(m->report.path_changes, 0);
    }
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
}
END_TEST

/* A host without IPv4 talks to an IPv4 relay through a NAT64: with a CLAT its client does not even
 * know it. */
static const struct nat64_case {
    const char *name, *host, *sees, *wire;
} nat64_cases[] = {
    {"IPv6 only", "nat = \"nat64\"\n",
     " x:0 > #1 udp [2001:db8:64:1::10]:40000 [64:ff9b::c000:201]:4433 ",
     " x.nat:0 < #1 udp [2001:db8:64:1::10]:40000 [64:ff9b::c000:201]:4433 "},
    {"464XLAT", "nat = \"nat64\"\nclat = true\n", " x:0 > #1 udp 192.0.0.4:40000 192.0.2.1:4433 ",
     " x.nat:0 < #1 udp [2001:db8:64:1::c1a7]:40000 [64:ff9b::c000:201]:4433 "},
};

START_TEST(ipv6_reaches_ipv4) {
    const struct nat64_case *c = &nat64_cases[_i];
    char text[256];
    char why[256];
    char *trace = NULL;
    size_t len = 0;
    (void)snprintf(text, sizeof text, "name = \"t\"\nduration = \"6 s\"\n[host.x]\n%s[host.y]\n",
                   c->host);
    wzp_lab_scenario *s = seeded(text, 1);
    wzp_lab_result *r = NULL;
    FILE *out = open_memstream(&trace, &len);
    const wzp_lab_run_cfg cfg = {.trace = out};
    ck_assert_msg(wzp_lab_run(&r, s, &cfg, why) == WZP_OK, "%s", why);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_msg(strstr(trace, c->sees) != NULL, "%s: not as the host sees it", c->name);
    ck_assert_msg(strstr(trace, c->wire) != NULL, "%s: not as its network sees it", c->name);
    ck_assert_msg(strstr(trace, " relay:0 < #1 udp 203.0.113.5:40000 192.0.2.1:4433 ") != NULL,
                  "%s: not as the relay sees it", c->name);
    for (size_t i = 0; i < 2; i++) {
        const wzp_lab_member *m = &r->calls[0].members[i];
        ck_assert_msg(m->path == WZP_LAB_PATH_RELAY, "%s: no relay for %zu", c->name, i);
        ck_assert_msg(m->report.senders == 1, "%s: %zu hears nobody", c->name, i);
    }
    free(trace);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
}
END_TEST

/* A box's firewall for IPv6, asked directly: who may answer, and for how long (nat sheet 2.9). */
static const struct filter6_case {
    const char *name, *key;
    bool other_port, other_address;
} filter6_cases[] = {
    {"only who was asked", "", false, false},
    {"the same said", "filtering6 = \"APDF\"\n", false, false},
    {"by address", "filtering6 = \"ADF\"\n", true, false},
    {"anybody", "filtering6 = \"EIF\"\n", true, true},
};

static bool lets_in(wzp_sim_nat *nat, const wzp_addr *from, const wzp_addr *to, wzp_time now) {
    wzp_addr dst = *to;
    return wzp_sim_nat_in(nat, WZP_SIM_UDP, from, &dst, now) == WZP_SIM_NAT_FORWARD;
}

START_TEST(ipv6_has_a_firewall) {
    const struct filter6_case *c = &filter6_cases[_i];
    char text[256];
    (void)snprintf(text, sizeof text,
                   "name = \"t\"\nduration = \"3 s\"\n[host.x]\nnat = \"symrand\"\n"
                   "address6 = \"2001:db8:1::5\"\n%s[host.y]\n",
                   c->key);
    wzp_lab_scenario *s = seeded(text, 1);
    wzp_lab_result *r = run(s, NULL);
    const wzp_lab_target box = {.kind = WZP_LAB_TARGET_BOX};
    wzp_sim_nat *nat = wzp_sim_box_nat_v6(wzp_lab_topology_box(r->topology, &box));
    ck_assert_ptr_nonnull(nat);
    wzp_addr own = {WZP_ADDR_V6, 5000, {0x20, 1, 0xd, 0xb8, 0, 1, [15] = 5}};
    wzp_addr asked = {WZP_ADDR_V6, 80, {0x20, 1, 0xd, 0xb8, 0, 9, [15] = 1}};
    wzp_addr port = asked;
    wzp_addr other = asked;
    port.port = 81;
    other.ip[15] = 2;
    const wzp_time now = 10 * WZP_S;
    ck_assert(!lets_in(nat, &asked, &own, now));
    ck_assert(wzp_sim_nat_out(nat, WZP_SIM_UDP, &own, &asked, now) == WZP_SIM_NAT_FORWARD);
    ck_assert_msg(lets_in(nat, &port, &own, now) == c->other_port, "%s: port", c->name);
    ck_assert_msg(lets_in(nat, &other, &own, now) == c->other_address, "%s: address", c->name);
    ck_assert_msg(lets_in(nat, &asked, &own, now + 120 * WZP_S), "%s: 120 s", c->name);
    ck_assert_msg(lets_in(nat, &asked, &own, now + 420 * WZP_S), "%s: 300 s more", c->name);
    ck_assert_msg(!lets_in(nat, &asked, &own, now + 720 * WZP_S + 1), "%s: too late", c->name);
    own.port++;
    ck_assert(wzp_sim_nat_out(nat, WZP_SIM_UDP, &own, &asked, now + 720 * WZP_S) ==
              WZP_SIM_NAT_FORWARD);
    ck_assert_msg(!lets_in(nat, &asked, &own, now + 841 * WZP_S), "%s: unreplied", c->name);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
}
END_TEST

/* Delays add up as the scenario says: access, core and access again. */
START_TEST(delays_are_as_described) {
    wzp_lab_scenario *s = seeded("name = \"t\"\nduration = \"3 s\"\n[host.x]\n"
                                 "access = {delay = \"7 ms\"}\n[host.y]\n"
                                 "[relay]\ndelay = \"11 ms\"\n",
                                 1);
    wzp_lab_result *r = run(s, NULL);
    bool found = false;
    for (size_t i = 0; i < wzp_lab_measure_flows(r->measure); i++) {
        const wzp_lab_flow *flow = wzp_lab_measure_flow(r->measure, i);
        if (flow->from == 0 && flow->to == 2) { /* x to the relay */
            found = true;
            ck_assert_uint_ge(flow->delay_min, 18 * WZP_MS);
            ck_assert_uint_lt(flow->delay_min, 19 * WZP_MS);
            ck_assert_uint_le(flow->sent - flow->arrived, 2); /* under way */
        }
    }
    ck_assert(found);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
}
END_TEST

/* Whatever a scenario is called, the page stays a page. */
START_TEST(pages_are_well_formed) {
    char *page = NULL;
    size_t len = 0;
    wzp_lab_scenario *s = seeded("name = \"<b>&\\u0007\"\nduration = \"2 s\"\nabout = \"<i>\"\n"
                                 "[host.x]\nnat = \"pf\"\n[host.y]\n"
                                 "[[event]]\nat = \"1 s\"\ndo = \"flush\"\ntarget = \"x.nat\"\n",
                                 1);
    wzp_lab_result *r = run(s, NULL);
    FILE *out = open_memstream(&page, &len);
    ck_assert(wzp_lab_report_html(out, r));
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_ptr_nonnull(strstr(page, "<h1>&#60;b&#62;&#38;?</h1>"));
    ck_assert_ptr_null(strstr(page, "<b>&"));
    ck_assert_ptr_null(strstr(page, "<i>"));
    ck_assert_ptr_nonnull(strstr(page, "x.access.up"));
    ck_assert_str_eq(page + len - 8, "</html>\n");
    free(page);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(a_limit_ends_a_run_and_is_told) {
    char why[256];
    char buf[64];
    wzp_lab_scenario *s = seeded(PAIR, 1);
    wzp_lab_result *r = NULL;
    const wzp_lab_run_cfg cfg = {.max_events = 500};
    ck_assert(wzp_lab_run(&r, s, &cfg, why) == WZP_OK);
    ck_assert_str_eq(checks_of(r, WZP_LAB_CHECK_RUN, buf), "-");
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(an_engine_that_is_not_there_is_told) {
    char why[256];
    wzp_lab_scenario *s = seeded(PAIR, 1);
    wzp_lab_result *r = NULL;
    const wzp_lab_run_cfg cfg = {.engine = "abacus"};
    ck_assert_int_eq(wzp_lab_run(&r, s, &cfg, why), WZP_ERR_IO);
    ck_assert_ptr_nonnull(strstr(why, "abacus"));
    wzp_lab_scenario_free(&s);
}
END_TEST

/* --- the other engine ------------------------------------------------------------------------- */

/* NULL: ns-3 is not here. */
static wzp_lab_result *run_on_ns3(const wzp_lab_scenario *s) {
    char why[256];
    wzp_lab_result *r = NULL;
    const wzp_lab_run_cfg cfg = {.engine = "ns3"};
    const wzp_err err = wzp_lab_run(&r, s, &cfg, why);
    ck_assert_msg(err == WZP_OK || err == WZP_ERR_IO, "%s", why);
    return r;
}

START_TEST(engines_tell_the_same) {
    wzp_lab_scenario *s = seeded(PAIR, 3);
    wzp_lab_result *native = run(s, NULL);
    wzp_lab_result *ns3 = run_on_ns3(s);
    if (ns3 != NULL) {
        ck_assert_str_eq(ns3->engine, "ns3");
        ck_assert_uint_eq(ns3->packets, native->packets);
        for (size_t i = 0; i < 2; i++) {
            ck_assert_uint_eq(ns3->calls[0].members[i].setup, native->calls[0].members[i].setup);
        }
    }
    wzp_lab_result_free(&ns3);
    wzp_lab_result_free(&native);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(a_call_over_radio) {
    char why[256];
    wzp_lab_scenario *s = seeded("name = \"t\"\nduration = \"4 s\"\n"
                                 "[host.x]\nnat = \"linux-masq\"\n"
                                 "access = {medium = \"wifi\", loss = \"1 %\"}\n[host.y]\n",
                                 3);
    wzp_lab_result *r = NULL;
    const wzp_lab_run_cfg cfg = {.engine = "native"};
    ck_assert_int_eq(wzp_lab_run(&r, s, &cfg, why), WZP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(why, "native has no medium \"wifi\""));
    r = run_on_ns3(s);
    for (size_t i = 0; r != NULL && i < 2; i++) {
        ck_assert_int_eq(r->calls[0].members[i].path, WZP_LAB_PATH_RELAY);
        ck_assert_uint_lt(r->calls[0].members[i].setup, WZP_S);
    }
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("run");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, runs_are_reproducible);
    tcase_add_test(tc, captures_do_not_disturb);
    tcase_add_loop_test(tc, judged, 0, (int)WZP_COUNT_OF(judge_cases));
    tcase_add_loop_test(tc, carries, 0, (int)WZP_COUNT_OF(carriers));
    tcase_add_test(tc, a_relay_that_was_never_used_is_no_path);
    tcase_add_loop_test(tc, ipv6_reaches_ipv4, 0, (int)WZP_COUNT_OF(nat64_cases));
    tcase_add_loop_test(tc, ipv6_has_a_firewall, 0, WZP_COUNT_OF(filter6_cases));
    tcase_add_test(tc, delays_are_as_described);
    tcase_add_test(tc, pages_are_well_formed);
    tcase_add_test(tc, a_limit_ends_a_run_and_is_told);
    tcase_add_test(tc, an_engine_that_is_not_there_is_told);
    tcase_add_test(tc, engines_tell_the_same);
    tcase_add_test(tc, a_call_over_radio);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
