#include "relay/calls.h"

#include <stdio.h>

#include "base/testing/suite.h"

static wzp_prng prng;

static wzp_calls *setup_with(size_t max_calls, size_t max_per_client, uint64_t ring_timeout) {
    wzp_calls *calls = NULL;
    wzp_prng_init(&prng, 1, "calls");
    const wzp_calls_cfg cfg = {.rng = wzp_prng_rng(&prng),
                               .max_calls = max_calls,
                               .max_per_client = max_per_client,
                               .ring_timeout = ring_timeout};
    ck_assert(wzp_calls_new(&calls, &cfg) == WZP_OK);
    return calls;
}

static wzp_calls *setup(void) {
    return setup_with(100, 16, 60 * WZP_S);
}

static wzp_call_refusal offer(wzp_calls *calls, const char *id, const char *caller,
                              const char *callee, wzp_time now, wzp_call **out) {
    const wzp_call_offer o = {.id = wzp_bytes_str(id), .caller = caller, .callee = callee};
    return wzp_calls_offer(calls, &o, now, out);
}

static wzp_call *ring(wzp_calls *calls, const char *id, const char *caller, const char *callee,
                      wzp_time now) {
    wzp_call *call = NULL;
    ck_assert(offer(calls, id, caller, callee, now, &call) == WZP_CALL_FINE);
    return call;
}

/* --- one input in each state ------------------------------------------------------------------ */

/* How a call gets into a state. */
static wzp_call *in_state(wzp_calls *calls, wzp_call_state state) {
    wzp_call *call = ring(calls, "c1", "ann", "bob", 5);
    if (state >= WZP_CALL_RINGING) {
        (void)wzp_calls_step(calls, call, WZP_CALL_RELAY, WZP_CALL_IN_RUNG, 6);
    }
    if (state == WZP_CALL_TRUSTED) {
        (void)wzp_calls_step(calls, call, WZP_CALL_CALLEE, WZP_CALL_IN_ACCEPT_TRUSTED, 7);
    } else if (state == WZP_CALL_GENERIC) {
        (void)wzp_calls_step(calls, call, WZP_CALL_CALLEE, WZP_CALL_IN_ACCEPT_GENERIC, 7);
    }
    ck_assert(call->state == state);
    return call;
}

/* From the relay sheet: per input one letter for each of the states PENDING, RINGING, TRUSTED,
 * GENERIC, and where it leads.  Letters: - ignored, w withheld, n noted, s set up, p passed,
 * e Hangup to the peer, b Hangup to both; P R T G E the state afterwards. */
static const struct step_case {
    const char *name;
    wzp_call_role role;
    wzp_call_input input;
    const char *acts, *states;
} step_cases[] = {
    {"the relay has rung", WZP_CALL_RELAY, WZP_CALL_IN_RUNG, "n---", "RRTG"},
    {"callee trusts", WZP_CALL_CALLEE, WZP_CALL_IN_ACCEPT_TRUSTED, "ssss", "TTTT"},
    {"callee accepts by relay", WZP_CALL_CALLEE, WZP_CALL_IN_ACCEPT_GENERIC, "ssss", "GGGG"},
    {"callee rejects", WZP_CALL_CALLEE, WZP_CALL_IN_REJECT, "eeee", "EEEE"},
    {"caller answers itself", WZP_CALL_CALLER, WZP_CALL_IN_ACCEPT_TRUSTED, "----", "PRTG"},
    {"caller accepts itself by relay", WZP_CALL_CALLER, WZP_CALL_IN_ACCEPT_GENERIC, "----", "PRTG"},
    {"caller rejects", WZP_CALL_CALLER, WZP_CALL_IN_REJECT, "----", "PRTG"},
    {"caller hangs up", WZP_CALL_CALLER, WZP_CALL_IN_HANGUP, "pppp", "EEEE"},
    {"callee hangs up", WZP_CALL_CALLEE, WZP_CALL_IN_HANGUP, "pppp", "EEEE"},
    {"caller is gone", WZP_CALL_CALLER, WZP_CALL_IN_GONE, "eeee", "EEEE"},
    {"callee is gone", WZP_CALL_CALLEE, WZP_CALL_IN_GONE, "eeee", "EEEE"},
    {"ring time", WZP_CALL_RELAY, WZP_CALL_IN_TIMEOUT, "bb--", "EETG"},
    {"caller says something", WZP_CALL_CALLER, WZP_CALL_IN_MESSAGE, "pppp", "PRTG"},
    {"callee says something", WZP_CALL_CALLEE, WZP_CALL_IN_MESSAGE, "pppp", "PRTG"},
    {"caller says where it is", WZP_CALL_CALLER, WZP_CALL_IN_ADDRESS, "pppp", "PRTG"},
    {"callee says where it is", WZP_CALL_CALLEE, WZP_CALL_IN_ADDRESS, "wwpw", "PRTG"},
    {"stranger answers", WZP_CALL_STRANGER, WZP_CALL_IN_ACCEPT_TRUSTED, "----", "PRTG"},
    {"stranger rejects", WZP_CALL_STRANGER, WZP_CALL_IN_REJECT, "----", "PRTG"},
    {"stranger hangs up", WZP_CALL_STRANGER, WZP_CALL_IN_HANGUP, "----", "PRTG"},
    {"stranger says something", WZP_CALL_STRANGER, WZP_CALL_IN_MESSAGE, "----", "PRTG"},
};

START_TEST(step) {
    static const char acts[] = "-wnspeb";
    static const char states[] = "PRTGE";
    const struct step_case *c = &step_cases[_i];
    for (int s = WZP_CALL_PENDING; s <= WZP_CALL_GENERIC; s++) {
        wzp_calls *calls = setup();
        wzp_call *call = in_state(calls, (wzp_call_state)s);
        const wzp_call_act act = wzp_calls_step(calls, call, c->role, c->input, 99);
        ck_assert_msg(acts[act] == c->acts[s], "%s in %c: '%c'", c->name, states[s], acts[act]);
        ck_assert_msg(states[call->state] == c->states[s], "%s in %c leads to %c", c->name,
                      states[s], states[call->state]);
        ck_assert(act != WZP_CALL_ACT_SET_UP || call->answered_at == 99);
        const bool rings = call->state <= WZP_CALL_RINGING;
        ck_assert_msg(rings == (wzp_calls_deadline(calls) != WZP_TIME_NEVER), "%s: timer", c->name);
        for (int i = 0; call->state == WZP_CALL_ENDED && i < WZP_CALL_INPUT_COUNT; i++) {
            for (int role = 0; role < WZP_CALL_ROLE_COUNT; role++) {
                ck_assert(wzp_calls_step(calls, call, (wzp_call_role)role, (wzp_call_input)i, 1) ==
                          WZP_CALL_ACT_IGNORE);
            }
        }
        wzp_calls_free(&calls);
    }
}
END_TEST

/* --- offers ----------------------------------------------------------------------------------- */

START_TEST(offers) {
    wzp_calls *calls = setup_with(4, 3, WZP_TIME_NEVER);
    wzp_call *call = NULL;
    char id[WZP_CALL_ID_MAX + 2];
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    ck_assert(offer(calls, "", "ann", "bob", 1, &call) == WZP_CALL_BAD_ID);
    ck_assert(offer(calls, id, "ann", "bob", 1, &call) == WZP_CALL_BAD_ID);
    ck_assert(wzp_calls_find(calls, wzp_bytes_str(id)) == NULL);
    ck_assert(offer(calls, "c0", "ann", "ann", 1, &call) == WZP_CALL_SELF);
    ck_assert(offer(calls, id + 1, "ann", "bob", 1, &call) == WZP_CALL_FINE);
    ck_assert(wzp_calls_find(calls, wzp_bytes_str(id + 1)) == call);
    ck_assert(offer(calls, id + 1, "eve", "bob", 1, &call) == WZP_CALL_TAKEN);
    ck_assert(offer(calls, id + 1, "ann", "eve", 1, &call) == WZP_CALL_TAKEN);
    ck_assert(offer(calls, id + 1, "bob", "ann", 1, &call) == WZP_CALL_TAKEN);
    ck_assert(offer(calls, "c2", "ann", "bob", 1, &call) == WZP_CALL_FINE);
    ck_assert(offer(calls, "c3", "cid", "ann", 1, &call) == WZP_CALL_FINE);
    ck_assert(offer(calls, "c4", "ann", "dan", 1, &call) == WZP_CALL_CALLER_BUSY);
    ck_assert(offer(calls, "c4", "dan", "ann", 1, &call) == WZP_CALL_CALLEE_BUSY);
    ck_assert(offer(calls, "c4", "dan", "eve", 1, &call) == WZP_CALL_FINE);
    ck_assert(offer(calls, "c5", "dan", "eve", 1, &call) == WZP_CALL_TOO_MANY);
    ck_assert_uint_eq(wzp_calls_count(calls), 4);
    ck_assert(wzp_calls_of(calls, "fay", NULL) == NULL);
    wzp_calls_free(&calls);
}
END_TEST

/* As deployed: the same offer again begins the call anew, though it be active. */
START_TEST(repeated_offer) {
    wzp_calls *calls = setup_with(1, 1, WZP_TIME_NEVER);
    (void)in_state(calls, WZP_CALL_TRUSTED);
    const wzp_call *call = ring(calls, "c1", "ann", "bob", 50);
    ck_assert(call->state == WZP_CALL_PENDING);
    ck_assert_uint_eq(call->created_at, 50);
    ck_assert_uint_eq(wzp_calls_count(calls), 1);
    wzp_calls_free(&calls);
}
END_TEST

START_TEST(ring_time) {
    wzp_calls *calls = setup_with(10, 10, 100);
    wzp_call *first = ring(calls, "c1", "ann", "bob", 10);
    wzp_call *second = ring(calls, "c2", "ann", "bob", 20);
    wzp_call *third = ring(calls, "c3", "ann", "bob", 30);
    ck_assert_uint_eq(wzp_calls_deadline(calls), 110);
    ck_assert(wzp_calls_due(calls, 109) == NULL);
    ck_assert(wzp_calls_due(calls, 110) == first);
    (void)wzp_calls_step(calls, second, WZP_CALL_CALLEE, WZP_CALL_IN_ACCEPT_GENERIC, 40);
    wzp_calls_remove(calls, &first);
    ck_assert(wzp_calls_due(calls, 1000) == third);
    ck_assert_uint_eq(wzp_calls_deadline(calls), 130);
    wzp_calls_remove(calls, &third);
    ck_assert_uint_eq(wzp_calls_deadline(calls), WZP_TIME_NEVER);
    wzp_calls_free(&calls);
}
END_TEST

/* Calls end in the order of their times, whatever the time was when they began. */
START_TEST(ring_time_changes) {
    wzp_calls *calls = setup_with(10, 10, 100);
    wzp_call *first = ring(calls, "c1", "ann", "bob", 10);
    wzp_calls_set_ring_timeout(calls, 40);
    wzp_call *second = ring(calls, "c2", "ann", "bob", 20);
    wzp_calls_set_ring_timeout(calls, 60);
    wzp_call *third = ring(calls, "c3", "ann", "bob", 30);
    wzp_calls_set_ring_timeout(calls, WZP_TIME_NEVER);
    (void)ring(calls, "c4", "ann", "bob", 30);
    wzp_calls_set_ring_timeout(calls, 200);
    wzp_call *last = ring(calls, "c5", "ann", "bob", 30);
    wzp_call *const order[] = {second, third, first, last};
    static const wzp_time ends[] = {60, 90, 110, 230};
    for (size_t i = 0; i < WZP_COUNT_OF(order); i++) {
        wzp_call *due = order[i];
        ck_assert_uint_eq(wzp_calls_deadline(calls), ends[i]);
        ck_assert(wzp_calls_due(calls, ends[i]) == due);
        wzp_calls_remove(calls, &due);
    }
    ck_assert_uint_eq(wzp_calls_deadline(calls), WZP_TIME_NEVER);
    wzp_calls_free(&calls);
}
END_TEST

START_TEST(places) {
    wzp_calls *calls = setup();
    wzp_call *call = ring(calls, "c1", "ann", "bob", 1);
    wzp_bytes list[WZP_CALL_CANDIDATES + 5];
    char longest[WZP_CALL_CANDIDATE_MAX + 2];
    (void)snprintf(longest, sizeof longest, "%0*d", WZP_CALL_CANDIDATE_MAX + 1, 7);
    for (size_t i = 0; i < WZP_COUNT_OF(list); i++) {
        list[i] = wzp_bytes_str(longest + 1);
    }
    list[3] = wzp_bytes_str(longest); /* one character too many */
    list[4] = wzp_bytes_str("");
    const wzp_call_place place = {.reflexive = {true, wzp_bytes_str("192.0.2.1:1")},
                                  .mapped = {true, wzp_bytes_str(longest)},
                                  .local = {list, WZP_COUNT_OF(list)}};
    ck_assert_uint_eq(wzp_call_set_place(call, WZP_CALL_CALLEE, &place), 6);
    const wzp_call_place *got = &call->sides[WZP_CALL_CALLEE].place;
    ck_assert(got->reflexive.present && !got->mapped.present);
    ck_assert(wzp_bytes_equal(got->reflexive.value, wzp_bytes_str("192.0.2.1:1")));
    ck_assert_uint_eq(got->local.count, WZP_CALL_CANDIDATES);
    ck_assert(wzp_bytes_equal(got->local.items[3], wzp_bytes_str(longest + 1)));
    const wzp_call_place none = {0};
    ck_assert_uint_eq(wzp_call_set_place(call, WZP_CALL_CALLEE, &none), 0);
    ck_assert(!got->reflexive.present && got->local.count == 0);
    wzp_calls_free(&calls);
}
END_TEST

START_TEST(rooms) {
    static const struct {
        const char *room, *name;
        bool admitted;
    } cases[] = {
        {"call-c1", "ann", true},   {"call-c1", "bob", true},   {"call-c1", "eve", false},
        {"call-c1", "", false},     {"call-", "ann", false},    {"call-c2", "ann", false},
        {"call-c", "ann", false},   {"call-c11", "ann", false}, {"c1", "ann", false},
        {"call-big", "bob", true},  {"call-big", "ann", true},  {"call-bigger", "ann", false},
        {"calls-c1", "ann", false},
    };
    wzp_calls *calls = setup();
    (void)ring(calls, "c1", "ann", "bob", 1);
    (void)ring(calls, "BiG", "eve", "cid", 1); /* the same room for two calls */
    (void)ring(calls, "bIG", "ann", "bob", 1);
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        ck_assert_msg(wzp_calls_admit(calls, cases[i].room, cases[i].name) == cases[i].admitted,
                      "%s in %s", cases[i].name, cases[i].room);
    }
    wzp_calls_free(&calls);
}
END_TEST

/* --- against a slow twin ---------------------------------------------------------------------- */

enum { CLIENTS = 6, IDS = 12, TWIN_MAX = 9, PER_CLIENT = 4, RING = 50, STEPS = 5000 };

/* Every call in an array; every answer by looking at all of them. */
typedef struct twin_call {
    bool used;
    int caller, callee;
    wzp_call_state state;
    wzp_time since;
} twin_call;

typedef struct twin {
    twin_call calls[IDS];
} twin;

static const char *name_of(int client) {
    static const char *const names[CLIENTS] = {"ann", "bob", "cid", "dan", "eve", "fay"};
    return names[client];
}

static const char *id_of(int id) {
    static char text[16];
    (void)snprintf(text, sizeof text, "id%d", id);
    return text;
}

static size_t twin_count(const twin *t, int client) {
    size_t count = 0;
    for (int i = 0; i < IDS; i++) {
        const twin_call *c = &t->calls[i];
        count += c->used && (client < 0 || c->caller == client || c->callee == client) ? 1 : 0;
    }
    return count;
}

static wzp_call_refusal twin_offer(twin *t, int id, int caller, int callee, wzp_time now) {
    twin_call *c = &t->calls[id];
    if (caller == callee) {
        return WZP_CALL_SELF;
    }
    if (c->used && (c->caller != caller || c->callee != callee)) {
        return WZP_CALL_TAKEN;
    }
    c->used = false;
    if (twin_count(t, caller) >= PER_CLIENT) {
        return WZP_CALL_CALLER_BUSY;
    }
    if (twin_count(t, callee) >= PER_CLIENT) {
        return WZP_CALL_CALLEE_BUSY;
    }
    if (twin_count(t, -1) >= TWIN_MAX) {
        return WZP_CALL_TOO_MANY;
    }
    *c = (twin_call){true, caller, callee, WZP_CALL_PENDING, now};
    return WZP_CALL_FINE;
}

static void twin_step(twin_call *c, bool is_caller, bool is_callee, wzp_call_input input) {
    switch (input) {
    case WZP_CALL_IN_ACCEPT_TRUSTED:
        c->state = is_callee ? WZP_CALL_TRUSTED : c->state;
        break;
    case WZP_CALL_IN_ACCEPT_GENERIC:
        c->state = is_callee ? WZP_CALL_GENERIC : c->state;
        break;
    case WZP_CALL_IN_REJECT:
        c->used = !is_callee;
        break;
    case WZP_CALL_IN_HANGUP:
    case WZP_CALL_IN_GONE:
        c->used = !is_caller && !is_callee;
        break;
    default:
        break;
    }
}

/* The call with the oldest offer that nobody answered; equal ages do not occur. */
static int twin_due(const twin *t, wzp_time now) {
    int due = -1;
    for (int i = 0; i < IDS; i++) {
        const twin_call *c = &t->calls[i];
        if (c->used && c->state <= WZP_CALL_RINGING && c->since + RING <= now &&
            (due < 0 || c->since < t->calls[due].since)) {
            due = i;
        }
    }
    return due;
}

static void compare(const wzp_calls *calls, const twin *t, wzp_time now) {
    ck_assert_uint_eq(wzp_calls_count(calls), twin_count(t, -1));
    for (int i = 0; i < IDS; i++) {
        const wzp_call *call = wzp_calls_find(calls, wzp_bytes_str(id_of(i)));
        ck_assert((call != NULL) == t->calls[i].used);
        ck_assert(call == NULL || call->state == t->calls[i].state);
    }
    for (int client = 0; client < CLIENTS; client++) {
        size_t count = 0;
        for (const wzp_call *call = wzp_calls_of(calls, name_of(client), NULL); call != NULL;
             call = wzp_calls_of(calls, name_of(client), call)) {
            ck_assert(wzp_call_role_of(call, name_of(client)) != WZP_CALL_STRANGER);
            count++;
        }
        ck_assert_uint_eq(count, twin_count(t, client));
        const int id = client; /* any */
        char room[24];
        (void)snprintf(room, sizeof room, "call-id%d", id);
        const twin_call *c = &t->calls[id];
        ck_assert(wzp_calls_admit(calls, room, name_of(client)) ==
                  (c->used && (c->caller == client || c->callee == client)));
    }
    const wzp_call *due = wzp_calls_due(calls, now);
    const int twin_is = twin_due(t, now);
    ck_assert((due != NULL) == (twin_is >= 0));
    ck_assert(due == NULL || strcmp(due->id, id_of(twin_is)) == 0);
}

static int below(int bound) {
    return (int)wzp_rng_below(wzp_prng_rng(&prng), (uint64_t)bound);
}

START_TEST(like_the_twin) {
    twin t = {0};
    wzp_calls *calls = setup_with(TWIN_MAX, PER_CLIENT, RING);
    wzp_prng_init(&prng, (uint64_t)_i, "twin");
    for (wzp_time now = 1; now < STEPS; now++) {
        const int id = below(IDS);
        const int who = below(CLIENTS);
        wzp_call *call = wzp_calls_find(calls, wzp_bytes_str(id_of(id)));
        if (below(3) == 0) {
            const int other = below(CLIENTS);
            ck_assert(offer(calls, id_of(id), name_of(who), name_of(other), now, &call) ==
                      twin_offer(&t, id, who, other, now));
        } else if (call != NULL) {
            const wzp_call_input input = (wzp_call_input)below(WZP_CALL_INPUT_COUNT);
            const wzp_call_role role = wzp_call_role_of(call, name_of(who));
            (void)wzp_calls_step(calls, call, role, input, now);
            twin_step(&t.calls[id], t.calls[id].caller == who, t.calls[id].callee == who, input);
            if (call->state == WZP_CALL_ENDED) {
                wzp_calls_remove(calls, &call);
            }
        }
        compare(calls, &t, now);
        const int due = twin_due(&t, now);
        if (due >= 0 && below(4) == 0) {
            call = wzp_calls_due(calls, now);
            ck_assert(wzp_calls_step(calls, call, WZP_CALL_RELAY, WZP_CALL_IN_TIMEOUT, now) ==
                      WZP_CALL_ACT_END_BOTH);
            wzp_calls_remove(calls, &call);
            t.calls[due].used = false;
        }
    }
    wzp_calls_free(&calls);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("calls");
    tcase_add_loop_test(tc, step, 0, (int)WZP_COUNT_OF(step_cases));
    tcase_add_test(tc, offers);
    tcase_add_test(tc, repeated_offer);
    tcase_add_test(tc, ring_time);
    tcase_add_test(tc, ring_time_changes);
    tcase_add_test(tc, places);
    tcase_add_test(tc, rooms);
    tcase_add_loop_test(tc, like_the_twin, 0, 4);
    return wzp_run_suite("calls", tc);
}
