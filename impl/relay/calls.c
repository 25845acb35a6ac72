#include "relay/calls.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

/* --- rules ------------------------------------------------------------------------------------ */

#define STATE(name) (1U << WZP_CALL_##name)
#define ROLE(name) (1U << WZP_CALL_##name)

enum {
    UNANSWERED = STATE(PENDING) | STATE(RINGING),
    ALIVE = UNANSWERED | STATE(TRUSTED) | STATE(GENERIC),
    PARTY = ROLE(CALLER) | ROLE(CALLEE),
    SAME = WZP_CALL_STATE_COUNT
};

/* Relay sheet 8.6-8.10; the first row that matches counts, and what no row matches is ignored: an
 * answer from the caller, a ring time that is over although somebody answered.  As deployed a
 * second answer sets the call up once more, and an answered call can be rejected. */
static const struct rule {
    unsigned states, roles;
    wzp_call_input input;
    wzp_call_act act;
    unsigned next;
} rules[] = {
    {STATE(PENDING), ROLE(RELAY), WZP_CALL_IN_RUNG, WZP_CALL_ACT_NOTE, WZP_CALL_RINGING},
    {ALIVE, ROLE(CALLEE), WZP_CALL_IN_ACCEPT_TRUSTED, WZP_CALL_ACT_SET_UP, WZP_CALL_TRUSTED},
    {ALIVE, ROLE(CALLEE), WZP_CALL_IN_ACCEPT_GENERIC, WZP_CALL_ACT_SET_UP, WZP_CALL_GENERIC},
    {ALIVE, ROLE(CALLEE), WZP_CALL_IN_REJECT, WZP_CALL_ACT_END_PEER, WZP_CALL_ENDED},
    {ALIVE, PARTY, WZP_CALL_IN_HANGUP, WZP_CALL_ACT_PASS, WZP_CALL_ENDED},
    {ALIVE, PARTY, WZP_CALL_IN_GONE, WZP_CALL_ACT_END_PEER, WZP_CALL_ENDED},
    {UNANSWERED, ROLE(RELAY), WZP_CALL_IN_TIMEOUT, WZP_CALL_ACT_END_BOTH, WZP_CALL_ENDED},
    {ALIVE, PARTY, WZP_CALL_IN_MESSAGE, WZP_CALL_ACT_PASS, SAME},
    {ALIVE, ROLE(CALLER), WZP_CALL_IN_ADDRESS, WZP_CALL_ACT_PASS, SAME},
    {STATE(TRUSTED), ROLE(CALLEE), WZP_CALL_IN_ADDRESS, WZP_CALL_ACT_PASS, SAME},
    {ALIVE, ROLE(CALLEE), WZP_CALL_IN_ADDRESS, WZP_CALL_ACT_WITHHOLD, SAME},
};

static const struct rule *find_rule(wzp_call_state state, wzp_call_role role,
                                    wzp_call_input input) {
    for (size_t i = 0; role < WZP_CALL_ROLE_COUNT && i < WZP_COUNT_OF(rules); i++) {
        const struct rule *r = &rules[i];
        if (r->input == input && (r->states & 1U << state) != 0 && (r->roles & 1U << role) != 0) {
            return r;
        }
    }
    return NULL;
}

/* --- the registry ----------------------------------------------------------------------------- */

/* A client that has calls. */
typedef struct party {
    wzp_table_link link;
    size_t count;
    wzp_call *first;
    char name[WZP_CALL_NAME_MAX + 1];
} party;

struct wzp_calls {
    wzp_calls_cfg cfg;
    wzp_table by_id; /* hashed in lower case, for rooms */
    wzp_table parties;
    wzp_call *first_ringing, *last_ringing; /* in the order of their ends */
};

static uint64_t hash_id(const wzp_calls *calls, wzp_bytes id) {
    uint8_t lower[WZP_CALL_ID_MAX];
    assert(id.len <= sizeof lower);
    for (size_t i = 0; i < id.len; i++) {
        lower[i] = (uint8_t)tolower(id.data[i]);
    }
    return wzp_table_hash(&calls->by_id, wzp_bytes_of(lower, id.len));
}

static party *find_party(const wzp_calls *calls, const char *name) {
    const uint64_t hash = wzp_table_hash(&calls->parties, wzp_bytes_str(name));
    for (wzp_table_link *link = wzp_table_first(&calls->parties, hash); link != NULL;
         link = wzp_table_next(link)) {
        party *p = WZP_OWNER_OF(link, party, link);
        if (strcmp(p->name, name) == 0) {
            return p;
        }
    }
    return NULL;
}

static party *find_or_make_party(wzp_calls *calls, const char *name) {
    party *p = find_party(calls, name);
    if (p == NULL && (p = calloc(1, sizeof *p)) != NULL) {
        memcpy(p->name, name, strlen(name) + 1);
        wzp_table_add(&calls->parties, &p->link,
                      wzp_table_hash(&calls->parties, wzp_bytes_str(name)));
    }
    return p;
}

static void drop_if_idle(wzp_calls *calls, party *p) {
    if (p != NULL && p->count == 0) {
        wzp_table_remove(&calls->parties, &p->link);
        free(p);
    }
}

/* Which of the two lists of `call` is this client's. */
static int list_of(const wzp_call *call, const char *name) {
    return strcmp(call->sides[WZP_CALL_CALLER].name, name) == 0 ? WZP_CALL_CALLER : WZP_CALL_CALLEE;
}

static void enlist(party *p, wzp_call *call, int role) {
    call->prev_of[role] = NULL;
    call->next_of[role] = p->first;
    if (p->first != NULL) {
        p->first->prev_of[list_of(p->first, p->name)] = call;
    }
    p->first = call;
    p->count++;
}

static void delist(wzp_calls *calls, wzp_call *call, int role) {
    party *p = find_party(calls, call->sides[role].name);
    wzp_call *next = call->next_of[role];
    wzp_call *prev = call->prev_of[role];
    if (prev != NULL) {
        prev->next_of[list_of(prev, p->name)] = next;
    } else {
        p->first = next;
    }
    if (next != NULL) {
        next->prev_of[list_of(next, p->name)] = prev;
    }
    p->count--;
    drop_if_idle(calls, p);
}

/* --- ring time -------------------------------------------------------------------------------- */

/* In the order of their ends, almost always at the end: the time for a ring seldom changes. */
static void start_ringing(wzp_calls *calls, wzp_call *call, wzp_time now) {
    call->ring_until = wzp_time_after(now, calls->cfg.ring_timeout);
    if (call->ring_until == WZP_TIME_NEVER) {
        return;
    }
    wzp_call *before = calls->last_ringing;
    while (before != NULL && before->ring_until > call->ring_until) {
        before = before->prev_ringing;
    }
    call->prev_ringing = before;
    call->next_ringing = before != NULL ? before->next_ringing : calls->first_ringing;
    if (before != NULL) {
        before->next_ringing = call;
    } else {
        calls->first_ringing = call;
    }
    if (call->next_ringing != NULL) {
        call->next_ringing->prev_ringing = call;
    } else {
        calls->last_ringing = call;
    }
}

static void stop_ringing(wzp_calls *calls, wzp_call *call) {
    if (call->ring_until == WZP_TIME_NEVER) {
        return;
    }
    call->ring_until = WZP_TIME_NEVER;
    if (call->prev_ringing != NULL) {
        call->prev_ringing->next_ringing = call->next_ringing;
    } else {
        calls->first_ringing = call->next_ringing;
    }
    if (call->next_ringing != NULL) {
        call->next_ringing->prev_ringing = call->prev_ringing;
    } else {
        calls->last_ringing = call->prev_ringing;
    }
}

wzp_call *wzp_calls_due(const wzp_calls *calls, wzp_time now) {
    return wzp_calls_deadline(calls) <= now ? calls->first_ringing : NULL;
}

void wzp_calls_set_ring_timeout(wzp_calls *calls, uint64_t timeout) {
    calls->cfg.ring_timeout = timeout;
}

wzp_time wzp_calls_deadline(const wzp_calls *calls) {
    return calls->first_ringing != NULL ? calls->first_ringing->ring_until : WZP_TIME_NEVER;
}

/* --- addresses -------------------------------------------------------------------------------- */

static wzp_bytes copy_text(uint8_t **at, wzp_bytes text) {
    uint8_t *begin = *at;
    memcpy(begin, text.data, text.len);
    *at += text.len;
    return wzp_bytes_of(begin, text.len);
}

static bool fits(wzp_bytes text) {
    return text.len > 0 && text.len <= WZP_CALL_CANDIDATE_MAX;
}

static size_t copy_one(wzp_opt_str *out, uint8_t **at, const wzp_opt_str *from) {
    if (from->present && fits(from->value)) {
        *out = (wzp_opt_str){true, copy_text(at, from->value)};
    }
    return from->present && !out->present ? 1 : 0;
}

size_t wzp_call_set_place(wzp_call *call, wzp_call_role role, const wzp_call_place *place) {
    wzp_call_side *side = &call->sides[role];
    const size_t offered = place->local.count;
    const size_t cap = offered < WZP_CALL_CANDIDATES ? offered : WZP_CALL_CANDIDATES;
    const size_t head = cap * sizeof(wzp_bytes);
    uint8_t *memory = malloc(head + (cap + 2) * WZP_CALL_CANDIDATE_MAX);
    free(side->memory);
    side->memory = memory;
    side->place = (wzp_call_place){0};
    if (memory == NULL) {
        return offered + 2;
    }
    wzp_bytes *list = (wzp_bytes *)(void *)memory;
    uint8_t *at = memory + head;
    size_t left_out = copy_one(&side->place.reflexive, &at, &place->reflexive);
    left_out += copy_one(&side->place.mapped, &at, &place->mapped);
    size_t count = 0;
    for (size_t i = 0; i < offered && count < cap; i++) {
        if (fits(place->local.items[i])) {
            list[count++] = copy_text(&at, place->local.items[i]);
        }
    }
    side->place.local = (wzp_list_str){list, count};
    return left_out + offered - count;
}

/* --- calls ------------------------------------------------------------------------------------ */

wzp_err wzp_calls_new(wzp_calls **out, const wzp_calls_cfg *cfg) {
    wzp_calls *calls = calloc(1, sizeof *calls);
    if (calls == NULL) {
        return WZP_ERR_NOMEM;
    }
    calls->cfg = *cfg;
    if (wzp_table_init(&calls->by_id, cfg->rng) != WZP_OK ||
        wzp_table_init(&calls->parties, cfg->rng) != WZP_OK) {
        wzp_calls_free(&calls);
        return WZP_ERR_NOMEM;
    }
    *out = calls;
    return WZP_OK;
}

static void free_call(wzp_call *call) {
    free(call->sides[WZP_CALL_CALLER].memory);
    free(call->sides[WZP_CALL_CALLEE].memory);
    free(call);
}

void wzp_calls_free(wzp_calls **calls) {
    if (*calls == NULL) {
        return;
    }
    wzp_table *parties = &(*calls)->parties;
    for (size_t i = 0; parties->buckets != NULL && i < parties->bucket_count; i++) {
        while (parties->buckets[i] != NULL) {
            wzp_call *call = WZP_OWNER_OF(parties->buckets[i], party, link)->first;
            wzp_calls_remove(*calls, &call);
        }
    }
    wzp_table_clear(&(*calls)->by_id);
    wzp_table_clear(parties);
    free(*calls);
    *calls = NULL;
}

void wzp_calls_remove(wzp_calls *calls, wzp_call **call) {
    stop_ringing(calls, *call);
    wzp_table_remove(&calls->by_id, &(*call)->by_id);
    delist(calls, *call, WZP_CALL_CALLER);
    delist(calls, *call, WZP_CALL_CALLEE);
    free_call(*call);
    *call = NULL;
}

static bool is_full(const wzp_calls *calls, const char *name) {
    const party *p = find_party(calls, name);
    return p != NULL && p->count >= calls->cfg.max_per_client;
}

/* What stands against the offer; an older call that it replaces goes first. */
static wzp_call_refusal examine(wzp_calls *calls, const wzp_call_offer *offer) {
    if (offer->id.len == 0 || offer->id.len > WZP_CALL_ID_MAX ||
        memchr(offer->id.data, '\0', offer->id.len) != NULL) {
        return WZP_CALL_BAD_ID;
    }
    if (strcmp(offer->caller, offer->callee) == 0) {
        return WZP_CALL_SELF;
    }
    wzp_call *older = wzp_calls_find(calls, offer->id);
    if (older != NULL) {
        if (strcmp(older->sides[WZP_CALL_CALLER].name, offer->caller) != 0 ||
            strcmp(older->sides[WZP_CALL_CALLEE].name, offer->callee) != 0) {
            return WZP_CALL_TAKEN;
        }
        wzp_calls_remove(calls, &older);
    }
    if (is_full(calls, offer->caller)) {
        return WZP_CALL_CALLER_BUSY;
    }
    if (is_full(calls, offer->callee)) {
        return WZP_CALL_CALLEE_BUSY;
    }
    return calls->by_id.count < calls->cfg.max_calls ? WZP_CALL_FINE : WZP_CALL_TOO_MANY;
}

wzp_call_refusal wzp_calls_offer(wzp_calls *calls, const wzp_call_offer *offer, wzp_time now,
                                 wzp_call **out) {
    const wzp_call_refusal refusal = examine(calls, offer);
    if (refusal != WZP_CALL_FINE) {
        return refusal;
    }
    wzp_call *call = calloc(1, sizeof *call);
    party *caller = find_or_make_party(calls, offer->caller);
    party *callee = find_or_make_party(calls, offer->callee);
    if (call == NULL || caller == NULL || callee == NULL) {
        drop_if_idle(calls, caller);
        drop_if_idle(calls, callee);
        free(call);
        return WZP_CALL_TOO_MANY;
    }
    memcpy(call->id, offer->id.data, offer->id.len);
    memcpy(call->sides[WZP_CALL_CALLER].name, caller->name, sizeof caller->name);
    memcpy(call->sides[WZP_CALL_CALLEE].name, callee->name, sizeof callee->name);
    call->created_at = now;
    (void)wzp_call_set_place(call, WZP_CALL_CALLER, &offer->place);
    wzp_table_add(&calls->by_id, &call->by_id, hash_id(calls, offer->id));
    enlist(caller, call, WZP_CALL_CALLER);
    enlist(callee, call, WZP_CALL_CALLEE);
    start_ringing(calls, call, now);
    *out = call;
    return WZP_CALL_FINE;
}

wzp_call *wzp_calls_find(const wzp_calls *calls, wzp_bytes id) {
    if (id.len > WZP_CALL_ID_MAX) {
        return NULL;
    }
    for (wzp_table_link *link = wzp_table_first(&calls->by_id, hash_id(calls, id)); link != NULL;
         link = wzp_table_next(link)) {
        wzp_call *call = WZP_OWNER_OF(link, wzp_call, by_id);
        if (wzp_bytes_equal(wzp_bytes_str(call->id), id)) {
            return call;
        }
    }
    return NULL;
}

wzp_call *wzp_calls_of(const wzp_calls *calls, const char *name, const wzp_call *after) {
    if (after != NULL) {
        return after->next_of[list_of(after, name)];
    }
    const party *p = find_party(calls, name);
    return p != NULL ? p->first : NULL;
}

wzp_call_role wzp_call_role_of(const wzp_call *call, const char *name) {
    if (strcmp(call->sides[WZP_CALL_CALLER].name, name) == 0) {
        return WZP_CALL_CALLER;
    }
    return strcmp(call->sides[WZP_CALL_CALLEE].name, name) == 0 ? WZP_CALL_CALLEE
                                                                : WZP_CALL_STRANGER;
}

wzp_call_act wzp_calls_step(wzp_calls *calls, wzp_call *call, wzp_call_role role,
                            wzp_call_input input, wzp_time now) {
    const struct rule *r = find_rule(call->state, role, input);
    if (r == NULL) {
        return WZP_CALL_ACT_IGNORE;
    }
    if (r->act == WZP_CALL_ACT_SET_UP) {
        call->answered_at = now;
    }
    if (r->next != SAME) {
        call->state = (wzp_call_state)r->next;
    }
    if (call->state > WZP_CALL_RINGING) {
        stop_ringing(calls, call);
    }
    return r->act;
}

/* Case does not count: names of rooms have lost theirs. */
static bool same_letters(const char *a, const char *b) {
    while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

static const char room_prefix[] = "call-";

bool wzp_call_is_room(const char *room) {
    return strncmp(room, room_prefix, strlen(room_prefix)) == 0;
}

bool wzp_calls_admit(const wzp_calls *calls, const char *room, const char *name) {
    if (!wzp_call_is_room(room)) {
        return false;
    }
    const char *id = room + strlen(room_prefix);
    if (strlen(id) > WZP_CALL_ID_MAX) {
        return false;
    }
    for (wzp_table_link *link = wzp_table_first(&calls->by_id, hash_id(calls, wzp_bytes_str(id)));
         link != NULL; link = wzp_table_next(link)) {
        const wzp_call *call = WZP_OWNER_OF(link, wzp_call, by_id);
        if (same_letters(call->id, id) && wzp_call_role_of(call, name) != WZP_CALL_STRANGER) {
            return true;
        }
    }
    return false;
}

size_t wzp_calls_count(const wzp_calls *calls) {
    return calls->by_id.count;
}

const char *wzp_call_refusal_name(wzp_call_refusal refusal) {
    static const char *const names[WZP_CALL_REFUSAL_COUNT] = {
        [WZP_CALL_FINE] = "fine",
        [WZP_CALL_BAD_ID] = "bad id",
        [WZP_CALL_SELF] = "self",
        [WZP_CALL_TAKEN] = "id taken",
        [WZP_CALL_CALLER_BUSY] = "caller busy",
        [WZP_CALL_CALLEE_BUSY] = "callee busy",
        [WZP_CALL_TOO_MANY] = "too many",
    };
    return names[refusal];
}
