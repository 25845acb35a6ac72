/* Two phones of the soak test, and what becomes of each of their calls. */
#include "bin/relay/testing/soak.h"

static const char *const state_names[] = {"register", "be idle", "ring", "talk", "end", "close"};

static void enter(pair *p, pair_state state, wzp_time now) {
    p->state = state;
    p->since = now;
}

void soak_register_pair(soak *s, pair *p, wzp_time now) {
    for (size_t i = 0; i < 2; i++) {
        p->phones[i] = soak_new_party(s, NULL, now);
        s->registered++;
    }
    p->calls = 0;
    enter(p, REGISTERING, now);
}

void soak_start_call(soak *s, pair *p, fate what, wzp_time now) {
    for (size_t i = 0; i < 2; i++) {
        p->phones[i]->rung = p->phones[i]->set_up = p->phones[i]->ended = false;
    }
    p->fate = what;
    p->calls++;
    s->made[what]++;
    if (wzp_phone_call(p->phones[0]->phone, wzp_phone_fingerprint(p->phones[1]->phone)) != WZP_OK) {
        soak_fail(s, "a call could not be begun", "");
    }
    wzp_drive_kick(&p->phones[0]->drive);
    enter(p, OFFERED, now);
}

/* Both have heard of it, so that nothing overtakes the offer. */
static void decide(soak *s, pair *p, wzp_time now) {
    static const wzp_accept_mode ways[] = {WZP_ACCEPT_TRUSTED, WZP_ACCEPT_GENERIC};
    party *caller = p->phones[0];
    party *callee = p->phones[1];
    if (p->fate == IS_GIVEN_UP) {
        wzp_phone_hangup(caller->phone);
        wzp_drive_kick(&caller->drive);
    } else {
        const wzp_accept_mode way =
            p->fate == IS_REJECTED ? WZP_ACCEPT_REJECT : ways[p->calls % WZP_COUNT_OF(ways)];
        if (wzp_phone_answer(callee->phone, way) != WZP_OK) {
            soak_fail(s, "a call could not be answered", "");
        }
        wzp_drive_kick(&callee->drive);
    }
    enter(p, p->fate == TALKS ? TALKING : ENDING, now);
}

/* The caller hangs up every other call, the callee the rest. */
static void hang_up(pair *p, wzp_time now) {
    party *first = p->phones[p->calls % 2];
    wzp_phone_hangup(first->phone);
    wzp_drive_kick(&first->drive);
    for (size_t i = 0; i < 2; i++) {
        p->legs[i]->may_close = true;
        wzp_client_hangup(p->legs[i]->client, now);
        wzp_drive_kick(&p->legs[i]->drive);
    }
    enter(p, ENDING, now);
}

static void talk(soak *s, pair *p, wzp_time now) {
    bool enough = true;
    for (size_t i = 0; i < 2; i++) {
        if (p->phones[i]->set_up && p->legs[i] == NULL) {
            p->legs[i] = soak_new_party(s, p->phones[i], now);
        }
        enough = enough && p->legs[i] != NULL && p->legs[i]->heard >= SOAK_FRAMES;
        if (p->phones[i]->ended) {
            soak_fail(s, "a call ended while both talked", "");
        }
    }
    if (enough) {
        hang_up(p, now);
    }
}

static bool are_closed(party *const both[2]) {
    return (both[0] == NULL || both[0]->closed) && (both[1] == NULL || both[1]->closed);
}

static void end_call(soak *s, pair *p, wzp_time now) {
    if (!p->phones[0]->ended || !p->phones[1]->ended || !are_closed(p->legs)) {
        return;
    }
    soak_let_go(s, &p->legs[0]);
    soak_let_go(s, &p->legs[1]);
    if (p->calls < SOAK_CALLS_OF_PAIR) {
        enter(p, IDLE, now);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        p->phones[i]->may_close = true;
        wzp_phone_close(p->phones[i]->phone, now);
        wzp_drive_kick(&p->phones[i]->drive);
    }
    enter(p, CLOSING, now);
}

void soak_step_pair(soak *s, pair *p, wzp_time now) {
    switch (p->state) {
    case REGISTERING:
        if (p->phones[0]->registered && p->phones[1]->registered) {
            enter(p, IDLE, now);
        }
        break;
    case IDLE:
        return;
    case OFFERED:
        if (p->phones[0]->rung && p->phones[1]->rung) {
            decide(s, p, now);
        }
        break;
    case TALKING:
        talk(s, p, now);
        break;
    case ENDING:
        end_call(s, p, now);
        break;
    case CLOSING:
        if (are_closed(p->phones)) {
            soak_let_go(s, &p->phones[0]);
            soak_let_go(s, &p->phones[1]);
            soak_register_pair(s, p, now);
        }
        break;
    }
    if (now - p->since > SOAK_GIVE_UP) {
        soak_fail(s, "two clients waited in vain to", state_names[p->state]);
    }
}
