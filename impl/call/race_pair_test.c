/* Two sides of a call and a network that loses, delays and breaks what it likes: whatever happens,
 * they end on the same path. */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/testing/suite.h"
#include "call/race.h"

enum { CALLS = 10000, QUEUE = 256, LINKS = 16 };

#define END (60 * WZP_S)
#define SPLIT_MAX (5 * WZP_S) /* from the decision of one side to that of the other */

typedef enum kind {
    REPORT,
    UP,
    DOWN,
    DIAL_FAILED,
    RELAY_UP,
    RELAY_DOWN,
    PROBE,
    BESIDE, /* a race beside the relay may begin here */
    MET,    /* and a way for it was found */
    GIVE_UP
} kind;

typedef struct event {
    wzp_time at;
    kind kind;
    int side;
    bool ok, is_ours;
    uint32_t number; /* of a report's race */
    unsigned tries;
    uint64_t conn;
} event;

typedef struct side {
    wzp_race race;
    wzp_race_path path;
    uint64_t conn;
    bool failed;
    bool relay_is_up;
} side;

typedef struct call {
    wzp_rng rng;
    wzp_time now;
    side sides[2];
    event queue[QUEUE];
    size_t count;
    bool is_gone[2][LINKS + 1]; /* at each side, by connection: packets overtake each other */
    uint64_t conns;
    wzp_time apart_since; /* the paths differ; 0: they do not */
    uint64_t longest_apart;
    unsigned loss_percent; /* of reports */
    unsigned punch_percent;
    bool relay_works;
    int opener; /* side that begins the race beside the relay; -1: there is none */
    bool has_begun;
} call;

static uint64_t delay(call *c) {
    return (10 + wzp_rng_below(c->rng, 190)) * WZP_MS;
}

static bool chance(call *c, unsigned percent) {
    return wzp_rng_below(c->rng, 100) < percent;
}

static void later(call *c, uint64_t after, event ev) {
    ck_assert_uint_lt(c->count, QUEUE);
    ev.at = c->now + after;
    c->queue[c->count++] = ev;
}

/* The acceptor of a connection has it first: the dialler learns that by HANDSHAKE_DONE. */
static void connect_both(call *c, int from) {
    if (c->conns == LINKS) {
        return;
    }
    const uint64_t conn = ++c->conns;
    const uint64_t half = delay(c);
    const uint64_t more = chance(c, 10) ? 3 * WZP_S : 0; /* lost packets */
    later(c, half + more, (event){.kind = UP, .side = 1 - from, .conn = conn});
    later(c, 2 * half + more, (event){.kind = UP, .side = from, .conn = conn, .is_ours = true});
    if (chance(c, 15)) {
        const uint64_t life = 2 * half + more + wzp_rng_below(c->rng, 20) * WZP_S;
        later(c, life, (event){.kind = DOWN, .side = 0, .conn = conn});
        later(c, life + delay(c), (event){.kind = DOWN, .side = 1, .conn = conn});
    }
}

static void dial(call *c, int from) {
    if (chance(c, c->punch_percent) && c->conns < LINKS) {
        connect_both(c, from);
    } else if (chance(c, 50)) {
        later(c, delay(c), (event){.kind = DIAL_FAILED, .side = from});
    }
}

static void dial_relay(call *c, int from) {
    const uint64_t after = chance(c, 10) ? 4 * WZP_S : delay(c);
    const kind how = c->relay_works && !chance(c, 5) ? RELAY_UP : RELAY_DOWN;
    later(c, after, (event){.kind = how, .side = from});
}

static void act_on(call *c, int which, const wzp_race_act *act) {
    side *s = &c->sides[which];
    switch (act->kind) {
    case WZP_RACE_DIAL:
        dial(c, which);
        break;
    case WZP_RACE_DIAL_RELAY:
        dial_relay(c, which);
        break;
    case WZP_RACE_REPORT:
        if (!chance(c, c->loss_percent)) {
            later(c, delay(c),
                  (event){.kind = REPORT,
                          .side = 1 - which,
                          .ok = act->direct_ok,
                          .number = act->number});
        }
        break;
    case WZP_RACE_CLOSE:
        later(c, delay(c), (event){.kind = DOWN, .side = 1 - which, .conn = act->conn});
        break;
    case WZP_RACE_TAKE:
        s->path = act->path;
        s->conn = act->conn;
        break;
    case WZP_RACE_FAIL:
        s->failed = true;
        break;
    case WZP_RACE_TICKLE:
    case WZP_RACE_CLOSE_RELAY:
        break;
    }
}

static void drain(call *c, int which) {
    wzp_race_act act;
    for (int n = 0; wzp_race_next(&c->sides[which].race, c->now, &act); n++) {
        ck_assert_int_lt(n, 200);
        act_on(c, which, &act);
    }
}

/* The last one is known by a probe only. */
static const wzp_race_candidate candidates[] = {{{WZP_ADDR_V4, 1, {10, 0, 0, 1}}, true},
                                                {{WZP_ADDR_V4, 2, {203, 0, 113, 1}}, false},
                                                {{WZP_ADDR_V4, 3, {203, 0, 113, 1}}, false}};

/* Once both have said that they are on the relay: its word makes the other side begin as well, as
 * soon as that can. */
static void begin_beside(call *c, const event *ev) {
    static const uint64_t window = 8 * WZP_S;
    side *s = &c->sides[ev->side];
    const wzp_race *r = &s->race;
    if (r->path != WZP_RACE_RELAY || s->path != WZP_RACE_RELAY || !r->has_peer || r->why != NULL) {
        if (ev->tries < 25) {
            event again = *ev;
            again.tries++;
            later(c, 200 * WZP_MS, again);
        }
        return;
    }
    const wzp_race_cfg cfg = {
        .role = r->cfg.role, .number = r->cfg.number | 1, .both_dial = true, .window = window};
    wzp_race_again(&s->race, &cfg, c->now);
    c->has_begun = true;
    if (ev->side != c->opener) {
        later(c, (1 + wzp_rng_below(c->rng, 8)) * WZP_S,
              (event){.kind = GIVE_UP, .side = ev->side});
        return;
    }
    if (!chance(c, c->loss_percent / 2)) {
        later(c, delay(c), (event){.kind = BESIDE, .side = 1 - ev->side});
    }
    if (chance(c, 70)) {
        later(c, wzp_rng_below(c->rng, 9000) * WZP_MS, (event){.kind = MET, .side = ev->side});
    }
}

static void happen(call *c, const event *ev) {
    wzp_race *race = &c->sides[ev->side].race;
    switch (ev->kind) {
    case REPORT:
        wzp_race_peer_report(race, ev->number, ev->ok, c->now);
        break;
    case UP:
        if (!c->is_gone[ev->side][ev->conn] &&
            !wzp_race_direct_up(race, ev->conn, ev->is_ours, c->now)) {
            later(c, delay(c), (event){.kind = DOWN, .side = 1 - ev->side, .conn = ev->conn});
        }
        break;
    case DOWN:
        c->is_gone[ev->side][ev->conn] = true;
        wzp_race_direct_down(race, ev->conn, c->now);
        break;
    case DIAL_FAILED:
        wzp_race_dial_failed(race, c->now);
        break;
    case RELAY_UP:
        wzp_race_relay_up(race, c->now);
        break;
    case RELAY_DOWN:
        wzp_race_relay_down(race, c->now);
        break;
    case PROBE:
        wzp_race_candidates(race, candidates, WZP_COUNT_OF(candidates), c->now);
        break;
    case BESIDE:
        begin_beside(c, ev);
        break;
    case MET:
        connect_both(c, ev->side);
        break;
    case GIVE_UP:
        wzp_race_give_up(race, c->now);
        break;
    }
}

/* The next thing that happens: an event, or a timer of one side.  False: nothing before END. */
static bool step(call *c) {
    size_t first = c->count;
    wzp_time at = END;
    int timer = -1;
    for (size_t i = 0; i < c->count; i++) {
        if (c->queue[i].at < at) {
            at = c->queue[i].at;
            first = i;
        }
    }
    for (int i = 0; i < 2; i++) {
        const wzp_time deadline = wzp_race_deadline(&c->sides[i].race);
        if (deadline < at) {
            at = deadline;
            timer = i;
        }
    }
    if (at == END) {
        return false;
    }
    c->now = at > c->now ? at : c->now;
    if (timer >= 0) {
        drain(c, timer);
        return true;
    }
    const event ev = c->queue[first];
    c->queue[first] = c->queue[--c->count];
    happen(c, &ev);
    drain(c, ev.side);
    return true;
}

/* Only the path counts: which connection, they learn from each other. */
static void watch(call *c) {
    const side *a = &c->sides[0];
    const side *b = &c->sides[1];
    const bool are_apart = !a->failed && !b->failed && a->path != b->path &&
                           a->path != WZP_RACE_UNDECIDED && b->path != WZP_RACE_UNDECIDED;
    if (!are_apart) {
        c->apart_since = 0;
    } else if (c->apart_since == 0) {
        c->apart_since = c->now;
    } else if (c->now - c->apart_since > c->longest_apart) {
        c->longest_apart = c->now - c->apart_since;
    }
}

static void begin(call *c, uint64_t seed, wzp_prng *prng) {
    wzp_prng_init(prng, seed, "call");
    *c = (call){.rng = wzp_prng_rng(prng), .now = WZP_S};
    static const unsigned losses[] = {0, 0, 30, 80, 100};
    static const unsigned punches[] = {0, 50, 100, 100};
    c->loss_percent = losses[wzp_rng_below(c->rng, WZP_COUNT_OF(losses))];
    c->punch_percent = punches[wzp_rng_below(c->rng, WZP_COUNT_OF(punches))];
    c->relay_works = !chance(c, 5);
    const bool both_dial = chance(c, 70);
    const bool awaits_probe = both_dial && chance(c, 50);
    c->opener = both_dial && chance(c, 50) ? (int)wzp_rng_below(c->rng, 2) : -1;
    if (c->opener >= 0) {
        c->punch_percent = chance(c, 50) ? 0 : c->punch_percent; /* what it is for */
        later(c, (1 + wzp_rng_below(c->rng, 4)) * WZP_S,
              (event){.kind = BESIDE, .side = c->opener});
    }
    for (int i = 0; i < 2; i++) {
        const wzp_race_cfg cfg = {.role = i == 0 ? WZP_RACE_ACCEPTOR : WZP_RACE_DIALER,
                                  .both_dial = both_dial,
                                  .awaits_probe = awaits_probe,
                                  .candidates = candidates,
                                  .count = 2};
        c->now = WZP_S + wzp_rng_below(c->rng, 700) * WZP_MS; /* CallSetup comes when it comes */
        wzp_race_init(&c->sides[i].race, &cfg, c->now);
        drain(c, i);
        if (awaits_probe && chance(c, 80)) {
            later(c, 4 * delay(c), (event){.kind = PROBE, .side = i});
        }
    }
}

typedef struct tally {
    unsigned direct, relay, failed, repaired, beside, met;
} tally;

static void run(uint64_t seed, tally *t) {
    static call c;
    wzp_prng prng;
    begin(&c, seed, &prng);
    for (int n = 0; step(&c); n++) {
        ck_assert_int_lt(n, 5000);
        watch(&c);
    }
    const side *a = &c.sides[0];
    const side *b = &c.sides[1];
    t->failed += a->failed || b->failed ? 1 : 0;
    if (a->failed || b->failed) {
        return;
    }
    ck_assert_msg(a->path == b->path && a->path != WZP_RACE_UNDECIDED, "seed %llu: %d and %d",
                  (unsigned long long)seed, a->path, b->path);
    ck_assert_msg(a->conn == b->conn, "seed %llu: connections %llu and %llu",
                  (unsigned long long)seed, (unsigned long long)a->conn,
                  (unsigned long long)b->conn);
    ck_assert_msg(c.longest_apart <= SPLIT_MAX, "seed %llu: apart for %llu ms",
                  (unsigned long long)seed, (unsigned long long)(c.longest_apart / WZP_MS));
    t->direct += a->path == WZP_RACE_DIRECT ? 1 : 0;
    t->relay += a->path == WZP_RACE_RELAY ? 1 : 0;
    t->repaired += c.longest_apart > 0 ? 1 : 0;
    t->beside += c.has_begun ? 1 : 0;
    t->met += c.has_begun && a->path == WZP_RACE_DIRECT ? 1 : 0;
}

START_TEST(they_end_on_one_path) {
    tally t = {0};
    for (uint64_t seed = 0; seed < CALLS; seed++) {
        run(seed, &t);
    }
    /* All kinds of ends are among them. */
    ck_assert_uint_gt(t.direct, CALLS / 10);
    ck_assert_uint_gt(t.relay, CALLS / 10);
    ck_assert_uint_gt(t.repaired, CALLS / 100);
    ck_assert_uint_lt(t.failed, CALLS / 10);
    ck_assert_uint_gt(t.beside, CALLS / 20);
    ck_assert_uint_gt(t.met, CALLS / 50);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, they_end_on_one_path);
    return wzp_run_suite("call.race_pair", tc);
}
