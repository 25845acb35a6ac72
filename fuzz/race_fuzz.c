/* Anything that can happen to a race, in any order.  It always comes to rest, keeps its bounds,
 * dials and tickles nobody but its candidates, reports what it took, and says nothing after its
 * end.
 *
 * The first byte chooses policy (bit 0), role (1-2), both_dial (3), direct_only (4), awaits_probe
 * (5); the second one how many candidates; then steps of two bytes: what, and which or how long. */
#include "call/race.h"
#include "require.h"

enum { ACTS_MAX = 200 };

typedef struct subject {
    wzp_race race;
    wzp_race_candidate candidates[64];
    size_t count;
    size_t dialled;
    wzp_time now;
    bool failed, direct_ok;
} subject;

static void check_target(const subject *s, const wzp_race_act *act) {
    const size_t number = (size_t)(act->addr.port - 1);
    require(act->index < WZP_RACE_CANDIDATES_MAX && number < WZP_COUNT_OF(s->candidates));
    require(wzp_addr_equal(&act->addr, &s->candidates[number].addr));
}

static void check(subject *s, const wzp_race_act *act) {
    require(!s->failed || act->kind == WZP_RACE_CLOSE || act->kind == WZP_RACE_CLOSE_RELAY);
    switch (act->kind) {
    case WZP_RACE_DIAL:
        require(act->index == s->dialled); /* one after the other, each once */
        s->dialled++;
        check_target(s, act);
        break;
    case WZP_RACE_TICKLE:
        check_target(s, act);
        break;
    case WZP_RACE_DIAL_RELAY:
        require(!s->race.cfg.direct_only || s->race.cfg.policy == WZP_RACE_DEPLOYED);
        break;
    case WZP_RACE_REPORT:
        s->direct_ok = act->direct_ok;
        require(act->direct_ok || !act->direct_won);
        break;
    case WZP_RACE_TAKE:
        require(act->path != WZP_RACE_DIRECT || act->conn != 0);
        break;
    case WZP_RACE_FAIL:
        require(act->text != NULL);
        s->failed = true;
        break;
    case WZP_RACE_CLOSE:
        require(act->conn != 0);
        break;
    case WZP_RACE_CLOSE_RELAY:
        break;
    }
}

static void drain(subject *s) {
    wzp_race_act act;
    for (int n = 0; wzp_race_next(&s->race, s->now, &act); n++) {
        require(n < ACTS_MAX);
        check(s, &act);
    }
    require(wzp_race_deadline(&s->race) > s->now);
    require(s->race.link_count <= WZP_RACE_LINKS_MAX);
}

/* After a race in vain: others look for a path. */
static void look_beside(subject *s, uint64_t window) {
    wzp_race_cfg cfg = s->race.cfg;
    cfg.both_dial = true;
    cfg.candidates = NULL;
    cfg.count = 0;
    cfg.window = window;
    wzp_race_again(&s->race, &cfg, s->now);
    s->dialled = s->race.dialled;
}

static void step(subject *s, uint8_t what, uint8_t which) {
    if (what >= 240) {
        const size_t from = which % WZP_COUNT_OF(s->candidates);
        const size_t left = WZP_COUNT_OF(s->candidates) - from;
        const size_t count = what - 240U;
        wzp_race_candidates(&s->race, s->candidates + from, count < left ? count : left, s->now);
        return;
    }
    if (what >= 232) {
        wzp_race_give_up(&s->race, s->now);
        return;
    }
    if (what >= 224) {
        look_beside(s, (what - 223U) * WZP_S);
        return;
    }
    switch (what % 8) {
    case 0:
        s->now += which * (20 * WZP_MS);
        break;
    case 1:
        (void)wzp_race_direct_up(&s->race, 1 + which, true, s->now);
        break;
    case 2:
        (void)wzp_race_direct_up(&s->race, 1 + which, false, s->now);
        break;
    case 3:
        wzp_race_direct_down(&s->race, 1 + which, s->now);
        break;
    case 4:
        wzp_race_dial_failed(&s->race, s->now);
        break;
    case 5:
        wzp_race_relay_up(&s->race, s->now);
        break;
    case 6:
        wzp_race_relay_down(&s->race, s->now);
        break;
    default:
        wzp_race_peer_report(&s->race, which / 2 % 3, which % 2 == 0, s->now);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static subject s;
    if (size < 2) {
        return 0;
    }
    s = (subject){.count = data[1] % 64, .now = WZP_S};
    for (size_t i = 0; i < WZP_COUNT_OF(s.candidates); i++) {
        s.candidates[i].addr = wzp_addr_v4(203, 0, 113, (uint8_t)i, (uint16_t)(1 + i));
        s.candidates[i].is_near = i % 3 == 0;
    }
    const wzp_race_cfg cfg = {.policy = (data[0] & 1) != 0 ? WZP_RACE_DEPLOYED : WZP_RACE_REFERENCE,
                              .role = (wzp_race_role)((data[0] >> 1) % 4 % 3),
                              .both_dial = (data[0] & 8) != 0,
                              .direct_only = (data[0] & 16) != 0,
                              .awaits_probe = (data[0] & 32) != 0,
                              .candidates = s.candidates,
                              .count = s.count};
    wzp_race_init(&s.race, &cfg, s.now);
    drain(&s);
    for (size_t i = 2; i + 1 < size; i += 2) {
        step(&s, data[i], data[i + 1]);
        drain(&s);
    }
    return 0;
}
