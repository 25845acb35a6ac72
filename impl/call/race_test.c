#include "call/race.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/testing/suite.h"

/* --- roles ------------------------------------------------------------------------------------ */

static const struct role_case {
    const char *own, *peer;
    wzp_race_role want;
} role_cases[] = {
    {"192.0.2.1:4433", "198.51.100.9:4433", WZP_RACE_ACCEPTOR},
    {"203.0.113.5:9999", "203.0.113.5:10000", WZP_RACE_DIALER},
    {"10.0.0.1:1", "9.0.0.1:1", WZP_RACE_ACCEPTOR},
    {"203.0.113.5:40000", "203.0.113.50:40000", WZP_RACE_DIALER},
    {"[2001:db8::1]:1", "203.0.113.5:1", WZP_RACE_DIALER},
    {"192.0.2.1:4433", "192.0.2.1:4433", WZP_RACE_NO_ROLE},
    {"", "192.0.2.1:4433", WZP_RACE_NO_ROLE},
    {"192.0.2.1:4433", "", WZP_RACE_NO_ROLE},
    {NULL, "192.0.2.1:4433", WZP_RACE_NO_ROLE},
    {"192.0.2.1:4433", NULL, WZP_RACE_NO_ROLE},
};

START_TEST(roles) {
    const struct role_case *c = &role_cases[_i];
    ck_assert_int_eq(wzp_race_role_of(c->own, c->peer), c->want);
}
END_TEST

/* --- one side ----------------------------------------------------------------------------------
 */

/* D up of our own, A up of one accepted, d a connection is down, x a dial failed, R the relay is
 * up, r down, T their report of race `id` is true, F false, P the first `id` of `predicted` are
 * whom to try, N the next race, M we move, B a race beside the relay with a window of `id` ms and
 * without candidates, G it is given up; `id` is the connection of the others. */
typedef struct event {
    unsigned ms;
    char what;
    unsigned id;
} event;

enum { EVENTS = 10, LOG = 1024 };

typedef struct trace_case {
    const char *name;
    wzp_race_cfg cfg;
    event events[EVENTS];
    const char *want; /* t tickle, D dial, R the relay's dial, +/- report, c close, C close the
                         relay's, =direct =relay take, ! fail */
} trace_case;

#define REF .policy = WZP_RACE_REFERENCE
#define UP .policy = WZP_RACE_DEPLOYED
#define ACC .role = WZP_RACE_ACCEPTOR
#define DIAL .role = WZP_RACE_DIALER
#define BOTH .both_dial = true

static const trace_case traces[] = {
    /* As deployed: nat sheet 1.16's table, RTT 30 ms where nothing else is said. */
    {"deployed dialler: direct at once, relay in its grace",
     {UP, DIAL, .count = 2},
     {{30, 'D', 1}, {1030, 'R', 0}, {1100, 'T', 0}},
     "0:D0 0:D1 1000:R 1030:+ 1100:=direct1 1100:C"},
    {"deployed dialler: the relay is slower than the grace",
     {UP, DIAL, .count = 1},
     {{60, 'D', 1}, {1080, 'R', 0}, {1100, 'T', 0}},
     "0:D0 1000:R 1060:+ 1100:=direct1 1100:C"},
    {"deployed: direct after the relay, within the grace",
     {UP, DIAL, .count = 1},
     {{1030, 'R', 0}, {2020, 'D', 1}, {2100, 'T', 0}},
     "0:D0 1000:R 2020:+ 2100:=direct1 2100:C"},
    {"deployed: direct too late",
     {UP, DIAL, .count = 1},
     {{1030, 'R', 0}, {2040, 'D', 1}, {2100, 'F', 0}},
     "0:D0 1000:R 2030:- 2100:=relay"},
    {"deployed: all dials fail before the relay is up: an error, no report, dialled again",
     {UP, DIAL, .count = 2},
     {{10, 'x', 0}, {20, 'x', 0}, {1030, 'R', 0}},
     "0:D0 0:D1 1000:R 1020:C 1020:R 1030:=relay"},
    {"deployed: nothing at all",
     {UP, DIAL, .count = 1},
     {{0}},
     "0:D0 1000:R 5000:C 5000:R 15000:C 15000:!"},
    {"deployed acceptor tickles once",
     {UP, ACC, .count = 2},
     {{40, 'A', 7}, {1040, 'R', 0}, {1050, 'T', 0}},
     "0:t0 0:t1 1000:R 1040:+ 1050:=direct7 1050:C"},
    {"deployed acceptor on Linux does not",
     {UP, ACC, .count = 2, .tickle_fails = true},
     {{40, 'A', 7}, {1040, 'R', 0}, {1050, 'F', 0}},
     "1000:R 1040:+ 1050:=relay 1050:c7"},
    {"deployed: the peer says nothing",
     {UP, ACC, .count = 1, .tickle_fails = true},
     {{40, 'A', 7}, {1040, 'R', 0}},
     "1000:R 1040:+ 4040:=relay 4040:c7"},
    {"deployed: their report came first",
     {UP, DIAL, .count = 1},
     {{20, 'T', 0}, {30, 'D', 1}, {1030, 'R', 0}},
     "0:D0 1000:R 1030:+ 1030:=direct1 1030:C"},
    {"deployed: the direct path breaks, and with it the call",
     {UP, DIAL, .count = 1},
     {{20, 'T', 0}, {30, 'D', 1}, {1030, 'R', 0}, {9000, 'd', 1}},
     "0:D0 1000:R 1030:+ 1030:=direct1 1030:C 9000:!"},
    {"deployed: no role, no race", {UP, .count = 1}, {{30, 'R', 0}}, "0:R 30:=relay"},

    /* Reference: nat sheet 1.18. */
    {"dialler: the near one first, no waiting for the relay",
     {REF, DIAL, .count = 2},
     {{60, 'D', 1}, {90, 'T', 0}},
     "0:D0 50:D1 60:+ 90:=direct1"},
    {"two of ours come up: the first is kept",
     {REF, DIAL, .count = 2},
     {{70, 'D', 1}, {80, 'D', 2}, {90, 'T', 0}},
     "0:D0 50:D1 70:+ 80:c2 90:=direct1"},
    {"acceptor: tickles until it is up; the dialler chooses",
     {REF, ACC, .count = 1},
     {{250, 'A', 5}, {260, 'A', 6}, {270, 'T', 0}, {300, 'd', 5}},
     "0:t0 100:t0 200:t0 250:+ 270:=direct5 300:=direct6"},
    {"both dial: the dialler's connection wins at the dialler",
     {REF, DIAL, BOTH, .count = 1},
     {{60, 'A', 9}, {70, 'T', 0}, {90, 'D', 1}},
     "0:t0 50:D0 60:+ 70:=direct9 90:=direct1 90:c9"},
    {"both dial: and at the acceptor, which closes nothing",
     {REF, ACC, BOTH, .count = 1},
     {{60, 'D', 1}, {70, 'T', 0}, {90, 'A', 9}, {110, 'd', 1}},
     "0:t0 50:D0 60:+ 70:=direct1 90:=direct9"},
    {"no direct path: the relay at two seconds",
     {REF, DIAL, .count = 1},
     {{530, 'R', 0}, {2010, 'F', 0}},
     "50:D0 500:R 2000:- 2000:=relay"},
    {"our word alone is enough for the relay; said again until theirs comes",
     {REF, DIAL, .count = 1},
     {{530, 'R', 0}, {3100, 'F', 0}},
     "50:D0 500:R 2000:- 2000:=relay 2500:- 3000:-"},
    {"and so is theirs",
     {REF, DIAL, .count = 1},
     {{530, 'R', 0}, {600, 'D', 1}, {700, 'F', 0}},
     "50:D0 500:R 600:+ 700:- 700:=relay 700:c1"},
    {"theirs never comes: ours is taken back",
     {REF, DIAL, .count = 1},
     {{60, 'D', 1}, {530, 'R', 0}},
     "50:D0 60:+ 500:R 560:+ 1060:+ 1560:+ 2060:+ 2560:+ 3060:- 3060:=relay 3060:c1"},
    {"theirs again is answered, unless ours has just been said",
     {REF, DIAL, .count = 1},
     {{60, 'D', 1}, {90, 'T', 0}, {100, 'T', 0}, {590, 'T', 0}, {600, 'T', 0}},
     "50:D0 60:+ 90:=direct1 590:+"},
    {"all dials fail: no need to wait",
     {REF, DIAL, .count = 2},
     {{60, 'x', 0}, {70, 'x', 0}, {100, 'R', 0}, {110, 'F', 0}},
     "0:D0 50:D1 70:- 70:R 100:=relay"},
    {"direct breaks before they have spoken",
     {REF, DIAL, .count = 1},
     {{60, 'D', 1}, {80, 'd', 1}, {90, 'F', 0}, {120, 'R', 0}},
     "50:D0 60:+ 80:- 80:R 120:=relay"},
    {"mid-call: the direct path breaks",
     {REF, DIAL, .count = 1},
     {{60, 'D', 1}, {90, 'T', 0}, {9000, 'd', 1}, {9030, 'R', 0}},
     "50:D0 60:+ 90:=direct1 9000:- 9000:R 9030:=relay"},
    {"mid-call: they leave it, which is still listened to for a while",
     {REF, ACC, .count = 1},
     {{60, 'A', 1}, {90, 'T', 0}, {9000, 'F', 0}, {9030, 'R', 0}},
     "0:t0 60:+ 90:=direct1 9000:- 9000:R 9030:=relay 11000:c1"},
    {"mid-call: we leave it, and speak by it until the relay is up",
     {REF, DIAL, .count = 1},
     {{60, 'D', 1}, {90, 'T', 0}, {9000, 'L', 0}, {9030, 'R', 0}, {9040, 'F', 0}},
     "50:D0 60:+ 90:=direct1 9000:- 9000:R 9030:=relay 11000:c1"},
    {"mid-call: then a direct path is found anew, and the relay is left",
     {REF, DIAL, .count = 1},
     {{60, 'D', 1},
      {90, 'T', 0},
      {9000, 'L', 0},
      {9030, 'R', 0},
      {9500, 'N', 0},
      {9600, 'D', 2},
      {9630, 'T', 1}},
     "50:D0 60:+ 90:=direct1 9000:- 9000:R 9030:=relay 9500:c1 9550:D0 9600:+ 9630:=direct2 "
     "9630:C"},
    {"mid-call: or is not, and nothing changes",
     {REF, DIAL, .count = 1},
     {{530, 'R', 0}, {2010, 'F', 0}, {5000, 'N', 0}, {7010, 'F', 1}},
     "50:D0 500:R 2000:- 2000:=relay 5050:D0 7000:-"},
    {"mid-call: the relay that is dialled anew is up during the race",
     {REF, DIAL, .count = 1},
     {{60, 'D', 1}, {90, 'T', 0}, {9000, 'd', 1}, {9010, 'N', 0}, {9040, 'R', 0}, {11020, 'F', 1}},
     "50:D0 60:+ 90:=direct1 9000:- 9000:R 9040:=relay 9060:D0 11010:-"},
    {"mid-call: a late word on the last race is none on this one",
     {REF, DIAL, .count = 1},
     {{60, 'D', 1},
      {90, 'T', 0},
      {9000, 'L', 0},
      {9030, 'R', 0},
      {9500, 'N', 0},
      {9580, 'F', 0},
      {9600, 'D', 2},
      {9630, 'T', 1}},
     "50:D0 60:+ 90:=direct1 9000:- 9000:R 9030:=relay 9500:c1 9550:D0 9600:+ 9630:=direct2 "
     "9630:C"},
    {"mid-call: nor is it one for it",
     {REF, DIAL, .count = 1},
     {{530, 'R', 0},
      {2010, 'F', 0},
      {5000, 'N', 0},
      {5060, 'T', 0},
      {5100, 'D', 2},
      {5700, 'F', 1}},
     "50:D0 500:R 2000:- 2000:=relay 5050:D0 5100:+ 5600:+ 5700:- 5700:c2"},
    {"mid-call: they are in the next race already: their word is kept for it",
     {REF, DIAL, .count = 1},
     {{60, 'D', 1},
      {90, 'T', 0},
      {9000, 'T', 1},
      {9030, 'R', 0},
      {9040, 'F', 0},
      {9050, 'N', 0},
      {9150, 'D', 2}},
     "50:D0 60:+ 90:=direct1 9000:- 9000:R 9030:=relay 9050:c1 9100:D0 9150:+ 9150:=direct2 "
     "9150:C"},
    {"mid-call: they are in the one after the next: nothing comes of the next",
     {REF, DIAL, .count = 1},
     {{530, 'R', 0}, {2010, 'F', 0}, {3000, 'T', 2}, {3050, 'T', 1}, {5000, 'N', 0}},
     "50:D0 500:R 2000:- 2000:=relay 5000:-"},
    {"mid-call: we move again while the relay is dialled",
     {REF, DIAL, .count = 1},
     {{60, 'D', 1}, {90, 'T', 0}, {9000, 'L', 0}, {9020, 'M', 0}, {9050, 'R', 0}, {9060, 'M', 0}},
     "50:D0 60:+ 90:=direct1 9000:- 9000:R 9020:C 9020:R 9050:=relay 11000:c1"},
    {"mid-call: a race gives way to the next one",
     {REF, DIAL, .count = 1},
     {{530, 'R', 0},
      {2010, 'F', 0},
      {5000, 'N', 0},
      {5100, 'D', 2},
      {5150, 'N', 0},
      {5160, 'T', 1},
      {5300, 'D', 3},
      {5330, 'T', 2}},
     "50:D0 500:R 2000:- 2000:=relay 5050:D0 5100:+ 5150:c2 5200:D0 5300:+ 5330:=direct3 5330:C"},
    {"the relay's first dial fails, the second one does not",
     {REF, DIAL, .count = 1},
     {{520, 'r', 0}, {2010, 'F', 0}, {2040, 'R', 0}},
     "50:D0 500:R 2000:- 2000:R 2040:=relay"},
    {"and if both fail there is no call",
     {REF, DIAL, .count = 1},
     {{520, 'r', 0}, {2010, 'F', 0}, {2040, 'r', 0}},
     "50:D0 500:R 2000:- 2000:R 2040:!"},
    {"the relay never answers",
     {REF, DIAL, .count = 1},
     {{2010, 'F', 0}},
     "50:D0 500:R 2000:- 9000:C 9000:!"},
    {"the relay goes away",
     {REF, .count = 0},
     {{30, 'R', 0}, {9000, 'r', 0}},
     "0:R 30:=relay 9000:!"},
    {"direct only: no relay, no call",
     {REF, DIAL, .count = 1, .direct_only = true},
     {{2010, 'F', 0}},
     "50:D0 2000:- 2000:!"},
    {"direct only, without candidates", {REF, DIAL, .count = 0, .direct_only = true}, {{0}}, "0:!"},

    /* Others look for a path, while the relay carries the call. */
    {"beside: it is found in time, and the relay is left",
     {REF, DIAL, BOTH, .count = 1},
     {{530, 'R', 0}, {2010, 'F', 0}, {3000, 'B', 9000}, {9000, 'D', 1}, {9030, 'T', 1}},
     "0:t0 50:D0 100:t0 200:t0 300:t0 400:t0 500:t0 500:R 600:t0 700:t0 800:t0 900:t0 1000:t0 "
     "1100:t0 1200:t0 1300:t0 1400:t0 1500:t0 1600:t0 1700:t0 1800:t0 1900:t0 2000:- 2000:=relay "
     "9000:+ 9030:=direct1 9030:C"},
    {"beside: an accepted one counts as well",
     {REF, ACC, .count = 1},
     {{530, 'R', 0}, {600, 'F', 0}, {1000, 'B', 9000}, {8000, 'A', 1}, {8030, 'T', 1}},
     "0:t0 100:t0 200:t0 300:t0 400:t0 500:t0 500:R 600:- 600:=relay 8000:+ 8030:=direct1 8030:C"},
    {"beside: what they say of the race before is no word on this one",
     {REF, ACC, .count = 1},
     {{530, 'R', 0},
      {600, 'F', 0},
      {1000, 'B', 9000},
      {1900, 'F', 0},
      {8000, 'A', 1},
      {8030, 'T', 1}},
     "0:t0 100:t0 200:t0 300:t0 400:t0 500:t0 500:R 600:- 600:=relay 8000:+ 8030:=direct1 8030:C"},
    {"beside: it is not found, and both know",
     {REF, ACC, .count = 1},
     {{530, 'R', 0}, {600, 'F', 0}, {1000, 'B', 9000}, {9500, 'A', 1}, {9600, 'F', 1}},
     "0:t0 100:t0 200:t0 300:t0 400:t0 500:t0 500:R 600:- 600:=relay 9500:+ 9600:- "
     "9600:c1"},
    {"beside: the time is over",
     {REF, ACC, .count = 1},
     {{530, 'R', 0}, {600, 'F', 0}, {1000, 'B', 9000}, {10500, 'A', 1}},
     "0:t0 100:t0 200:t0 300:t0 400:t0 500:t0 500:R 600:- 600:=relay 10000:- 10500:- 11000:- "
     "11500:- 12000:- 12500:-"},
    {"beside: they end it",
     {REF, ACC, .count = 1},
     {{530, 'R', 0}, {600, 'F', 0}, {1000, 'B', 9000}, {1100, 'F', 1}},
     "0:t0 100:t0 200:t0 300:t0 400:t0 500:t0 500:R 600:- 600:=relay 1100:-"},
    {"beside: we do",
     {REF, ACC, .count = 1},
     {{530, 'R', 0}, {600, 'F', 0}, {1000, 'B', 9000}, {5000, 'G', 0}, {5030, 'F', 1}},
     "0:t0 100:t0 200:t0 300:t0 400:t0 500:t0 500:R 600:- 600:=relay 5000:-"},
    {"beside: the relay goes away meanwhile, and is dialled again",
     {REF, ACC, .count = 1},
     {{530, 'R', 0},
      {600, 'F', 0},
      {1000, 'B', 9000},
      {4000, 'r', 0},
      {4030, 'R', 0},
      {5000, 'G', 0},
      {5030, 'F', 1}},
     "0:t0 100:t0 200:t0 300:t0 400:t0 500:t0 500:R 600:- 600:=relay 4000:R 5000:-"},

    /* Prediction. */
    {"a probe is waited for, but not by the near one",
     {REF, DIAL, BOTH, .count = 2, .awaits_probe = true},
     {{30, 'P', 4}, {60, 'D', 1}, {90, 'T', 0}},
     "0:t0 0:D0 30:t0 30:t1 30:t2 30:t3 50:D1 50:D2 50:D3 60:+ 90:=direct1"},
    {"nor for long",
     {REF, DIAL, BOTH, .count = 1, .awaits_probe = true},
     {{510, 'D', 1}, {530, 'T', 0}},
     "350:t0 350:D0 450:t0 500:R 510:+ 530:=direct1 530:C"},
    {"all tickles, then all dials, in their order",
     {REF, ACC, BOTH, .count = 1, .awaits_probe = true},
     {{220, 'P', 4}, {330, 'A', 1}, {350, 'T', 0}},
     "220:t0 220:t1 220:t2 220:t3 220:D0 220:D1 220:D2 220:D3 320:t0 320:t1 320:t2 320:t3 330:+ "
     "350:=direct1"},
    {"it comes when all were tried: what is new goes last",
     {REF, DIAL, BOTH, .count = 1},
     {{60, 'P', 3}, {130, 'D', 1}, {150, 'T', 0}},
     "0:t0 50:D0 60:t0 60:t1 60:t2 60:t3 60:D1 60:D2 60:D3 130:+ 150:=direct1"},
    {"there is nobody new to try",
     {REF, DIAL, BOTH, .count = 1, .awaits_probe = true},
     {{20, 'P', 0}, {90, 'D', 1}, {95, 'T', 0}},
     "20:t0 50:D0 90:+ 95:=direct1"},
    {"it comes too late",
     {REF, DIAL, BOTH, .count = 1},
     {{60, 'D', 1}, {70, 'P', 4}, {90, 'T', 0}, {120, 'P', 4}},
     "0:t0 50:D0 60:+ 90:=direct1"},
    {"who does not dial has none of this",
     {UP, ACC, .count = 1, .awaits_probe = true},
     {{10, 'P', 4}, {40, 'A', 7}, {1040, 'R', 0}, {1050, 'T', 0}},
     "0:t0 1000:R 1040:+ 1050:=direct7 1050:C"},
    {"no role: the relay, and no word", {REF, .count = 1}, {{30, 'R', 0}}, "0:R 30:=relay"},
};

typedef struct run {
    wzp_race race;
    char log[LOG];
    size_t len;
} run;

static void note(run *t, wzp_time now, const wzp_race_act *act) {
    static const char *const names[] = {"t", "D", "R", "", "c", "C", "=", "!"};
    const char *detail = act->kind == WZP_RACE_REPORT   ? act->direct_ok ? "+" : "-"
                         : act->kind != WZP_RACE_TAKE   ? ""
                         : act->path == WZP_RACE_DIRECT ? "direct"
                                                        : "relay";
    char id[24] = "";
    if (act->kind == WZP_RACE_TICKLE || act->kind == WZP_RACE_DIAL) {
        (void)snprintf(id, sizeof id, "%zu", act->index);
    } else if (act->conn != 0) {
        (void)snprintf(id, sizeof id, "%llu", (unsigned long long)act->conn);
    }
    t->len +=
        (size_t)snprintf(t->log + t->len, LOG - t->len, "%s%llu:%s%s%s", t->len > 0 ? " " : "",
                         (unsigned long long)(now / WZP_MS - 1000), names[act->kind], detail, id);
    ck_assert_uint_lt(t->len, LOG);
}

static unsigned drain(run *t, wzp_time now) {
    wzp_race_act act;
    unsigned n = 0;
    while (wzp_race_next(&t->race, now, &act)) {
        note(t, now, &act);
        n++;
        ck_assert_uint_lt(n, 100);
    }
    return n;
}

/* The first one is known already, the second one where there is a near one. */
static const wzp_race_candidate predicted[] = {{{WZP_ADDR_V4, 1, {10, 0, 0, 1}}, true},
                                               {{WZP_ADDR_V4, 11, {203, 0, 113, 1}}, false},
                                               {{WZP_ADDR_V4, 12, {203, 0, 113, 1}}, false},
                                               {{WZP_ADDR_V4, 2, {203, 0, 113, 1}}, false}};

static void happen(wzp_race *race, const wzp_race_cfg *cfg, const event *ev, wzp_time now) {
    wzp_race_cfg next = *cfg;
    switch (ev->what) {
    case 'L':
        wzp_race_leave_direct(race);
        break;
    case 'M':
        wzp_race_moved(race);
        break;
    case 'N':
        next.number = race->cfg.number + 1;
        wzp_race_again(race, &next, now);
        break;
    case 'B':
        wzp_race_again(race,
                       &(wzp_race_cfg){.policy = cfg->policy,
                                       .role = cfg->role,
                                       .number = race->cfg.number + 1,
                                       .both_dial = true,
                                       .window = ev->id * WZP_MS},
                       now);
        break;
    case 'G':
        wzp_race_give_up(race, now);
        break;
    case 'D':
    case 'A':
        (void)wzp_race_direct_up(race, ev->id, ev->what == 'D', now);
        break;
    case 'd':
        wzp_race_direct_down(race, ev->id, now);
        break;
    case 'x':
        wzp_race_dial_failed(race, now);
        break;
    case 'R':
        wzp_race_relay_up(race, now);
        break;
    case 'r':
        wzp_race_relay_down(race, now);
        break;
    case 'P':
        wzp_race_candidates(race, predicted, ev->id % (WZP_COUNT_OF(predicted) + 1), now);
        break;
    default:
        wzp_race_peer_report(race, ev->id, ev->what == 'T', now);
        break;
    }
}

/* Wakes it whenever it wants, up to `until`. */
static void sleep_until(run *t, wzp_time until) {
    for (unsigned n = 0; wzp_race_deadline(&t->race) < until; n++) {
        const wzp_time at = wzp_race_deadline(&t->race);
        ck_assert_uint_lt(n, 1000);
        (void)drain(t, at);
    }
}

START_TEST(one_side) {
    const trace_case *c = &traces[_i];
    static const wzp_race_candidate candidates[] = {{{WZP_ADDR_V4, 1, {10, 0, 0, 1}}, true},
                                                    {{WZP_ADDR_V4, 2, {203, 0, 113, 1}}, false}};
    run t = {.len = 0};
    wzp_race_cfg cfg = c->cfg;
    cfg.candidates = cfg.count == 1 ? candidates + 1 : candidates;
    wzp_race_init(&t.race, &cfg, WZP_S);
    (void)drain(&t, WZP_S);
    for (size_t i = 0; i < EVENTS && c->events[i].what != '\0'; i++) {
        const wzp_time at = WZP_S + c->events[i].ms * WZP_MS;
        sleep_until(&t, at);
        happen(&t.race, &cfg, &c->events[i], at);
        (void)drain(&t, at);
    }
    sleep_until(&t, 60 * WZP_S);
    ck_assert_msg(strcmp(t.log, c->want) == 0, "%s:\n  want %s\n  got  %s", c->name, c->want,
                  t.log);
}
END_TEST

/* Nothing that happens, in whatever order, makes it restless or silent for ever. */
START_TEST(any_order) {
    static const char all[] = "DAdxRrTFPLNM";
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "race");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (int n = 0; n < 500; n++) {
        wzp_race_candidate candidates[WZP_RACE_CANDIDATES_MAX + 8] = {{{0}, false}};
        const wzp_race_cfg cfg = {.policy = (wzp_race_policy)wzp_rng_below(rng, 2),
                                  .role = (wzp_race_role)wzp_rng_below(rng, 3),
                                  .both_dial = wzp_rng_below(rng, 2) == 0,
                                  .direct_only = wzp_rng_below(rng, 8) == 0,
                                  .awaits_probe = wzp_rng_below(rng, 2) == 0,
                                  .candidates = candidates,
                                  .count = (size_t)wzp_rng_below(rng, 41)};
        run t = {.len = 0};
        wzp_race_act act;
        wzp_time now = WZP_S;
        wzp_race_init(&t.race, &cfg, now);
        for (int k = 0; k < 60; k++) {
            const event ev = {0, all[wzp_rng_below(rng, sizeof all - 1)],
                              (unsigned)wzp_rng_below(rng, 12)};
            now += wzp_rng_below(rng, 300) * WZP_MS;
            happen(&t.race, &cfg, &ev, now);
            for (int acts = 0; wzp_race_next(&t.race, now, &act); acts++) {
                ck_assert_int_lt(acts, 200);
            }
            ck_assert_uint_gt(wzp_race_deadline(&t.race), now);
            ck_assert_uint_le(t.race.link_count, WZP_RACE_LINKS_MAX);
        }
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, roles, 0, WZP_COUNT_OF(role_cases));
    tcase_add_loop_test(tc, one_side, 0, WZP_COUNT_OF(traces));
    tcase_add_loop_test(tc, any_order, 0, 4);
    return wzp_run_suite("call.race", tc);
}
