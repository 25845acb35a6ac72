/* Who is in bridged rooms elsewhere: the lists of each relay (relay sheet 9.6). */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "federation/internal.h"

/* A list that nobody raises any more is remembered for so long: an old copy of it may be under way
 * in the mesh, and must not be taken for news. */
#define DEAD (30 * WZP_S)

/* Without the peer that told us of a list, another one will soon, or nobody. */
#define ORPHANED (7 * WZP_S)

/* --- copies ----------------------------------------------------------------------------------- */

static bool fits(wzp_bytes text) {
    return text.len <= WZP_FED_TEXT_MAX;
}

static bool is_wanted(const wzp_room_participant *p, const char *on) {
    return fits(p->fingerprint) &&
           (on == NULL ||
            (p->origin.present && wzp_bytes_equal(p->origin.value, wzp_bytes_str(on))));
}

static wzp_bytes put(uint8_t **at, wzp_bytes text) {
    const wzp_bytes copy = wzp_bytes_of(*at, text.len);
    if (text.len > 0) {
        memcpy(*at, text.data, text.len);
    }
    *at += text.len;
    return copy;
}

static wzp_opt_str put_optional(wzp_federation *fed, uint8_t **at, const wzp_opt_str *text) {
    if (!text->present || !fits(text->value)) {
        fed->counters.lists_cut += text->present ? 1 : 0;
        return (wzp_opt_str){0};
    }
    return (wzp_opt_str){true, put(at, text->value)};
}

/* Of those that are on relay `on`, or of all; with `label` in place of theirs.  NULL: no memory. */
list *wzp_fed_list_copy(wzp_federation *fed, const wzp_room_participant *items, size_t count,
                        const char *on, const char *label) {
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        wanted += is_wanted(&items[i], on) ? 1 : 0;
    }
    if (wanted > WZP_FED_PARTICIPANTS || (on == NULL && wanted < count)) {
        fed->counters.lists_cut++;
    }
    const size_t cap = wanted < WZP_FED_PARTICIPANTS ? wanted : WZP_FED_PARTICIPANTS;
    const size_t texts = (size_t)3 * WZP_FED_TEXT_MAX;
    list *copy = malloc(sizeof *copy + cap * (sizeof copy->items[0] + texts));
    if (copy == NULL) {
        return NULL;
    }
    uint8_t *at = (uint8_t *)&copy->items[cap];
    copy->count = 0;
    for (size_t i = 0; i < count && copy->count < cap; i++) {
        const wzp_opt_str named = {label != NULL, wzp_bytes_str(label != NULL ? label : "")};
        if (is_wanted(&items[i], on)) {
            copy->items[copy->count++] = (wzp_room_participant){
                .fingerprint = put(&at, items[i].fingerprint),
                .alias = put_optional(fed, &at, &items[i].alias),
                .relay_label =
                    put_optional(fed, &at, label != NULL ? &named : &items[i].relay_label)};
        }
    }
    return copy;
}

/* The label is ours to give: it does not count. */
bool wzp_fed_list_equal(const list *a, const list *b) {
    for (size_t i = 0; i < a->count && a->count == b->count; i++) {
        const wzp_room_participant *x = &a->items[i];
        const wzp_room_participant *y = &b->items[i];
        if (!wzp_bytes_equal(x->fingerprint, y->fingerprint) ||
            x->alias.present != y->alias.present ||
            !wzp_bytes_equal(x->alias.value, y->alias.value)) {
            return false;
        }
    }
    return a->count == b->count;
}

/* --- origins ---------------------------------------------------------------------------------- */

origin *wzp_fed_find_origin(const wzp_fed_room *room, uint64_t id) {
    origin *o = room->origins;
    while (o != NULL && o->id != id) {
        o = o->next;
    }
    return o;
}

void wzp_fed_remove_origin(wzp_fed_room *room, origin *o) {
    origin **at = &room->origins;
    while (*at != o) {
        at = &(*at)->next;
    }
    *at = o->next;
    room->origin_count--;
    free(o->members);
    free(o);
}

/* In the order of their ids, so that nothing depends on who came first. */
static origin *add_origin(wzp_fed_room *room, uint64_t id) {
    origin *o = room->origin_count < WZP_FED_ORIGINS ? calloc(1, sizeof *o) : NULL;
    if (o != NULL) {
        origin **at = &room->origins;
        while (*at != NULL && (*at)->id < id) {
            at = &(*at)->next;
        }
        o->id = id;
        o->next = *at;
        *at = o;
        room->origin_count++;
    }
    return o;
}

static const peer *peer_of_id(const wzp_federation *fed, uint64_t id) {
    for (uint32_t i = 0; i < fed->peer_count; i++) {
        if (fed->peers[i].id == id) {
            return &fed->peers[i];
        }
    }
    return NULL;
}

/* News of one relay: `members` is taken. */
static void replace(wzp_federation *fed, wzp_fed_room *room, const origin *news, wzp_time now) {
    origin *o = wzp_fed_find_origin(room, news->id);
    o = o != NULL ? o : add_origin(room, news->id);
    if (o == NULL || news->members == NULL) {
        fed->counters.rooms_refused++;
        free(news->members);
        if (o != NULL && o->members == NULL) {
            wzp_fed_remove_origin(room, o);
        }
        return;
    }
    const bool is_same = o->members != NULL ? wzp_fed_list_equal(o->members, news->members)
                                            : news->members->count == 0;
    free(o->members);
    o->members = news->members;
    o->number = news->number;
    o->via = news->via;
    o->is_plain = news->is_plain;
    o->is_dead = false;
    o->raised_at = now;
    if (!is_same) {
        wzp_fed_due(fed, room, ~((peer_set)1 << news->via), now);
        wzp_fed_changed(fed, room);
    }
}

/* --- what peers tell -------------------------------------------------------------------------- */

/* A peer without numbers gets an id that other relays which speak for it do not use. */
static uint64_t plain_id(const wzp_federation *fed, uint32_t index) {
    uint8_t hash[WZP_SHA256_LEN];
    char both[2 * WZP_FED_KEY_MAX + 2];
    (void)snprintf(both, sizeof both, "%s>%s", fed->key, fed->peers[index].key);
    wzp_sha256(hash, wzp_bytes_str(both));
    uint64_t id = 0;
    for (size_t i = 0; i < 8; i++) {
        id = id << 8 | hash[i];
    }
    return id;
}

static void take_plain(wzp_federation *fed, wzp_fed_room *room, uint32_t from,
                       wzp_list_participant participants, wzp_time now) {
    const uint64_t id = plain_id(fed, from);
    const origin *known = wzp_fed_find_origin(room, id);
    list *members = wzp_fed_list_copy(fed, participants.items, participants.count, NULL, NULL);
    const wzp_bytes label = wzp_bytes_str(fed->peers[from].label);
    for (size_t i = 0; members != NULL && i < members->count; i++) {
        if (!members->items[i].relay_label.present) {
            members->items[i].relay_label = (wzp_opt_str){true, label};
        }
    }
    const origin news = {.id = id,
                         .number = wzp_fed_next_number(known != NULL ? known->number : 0, now),
                         .via = from,
                         .is_plain = true,
                         .members = members};
    replace(fed, room, &news, now);
}

/* "ID:NUMBER" */
static bool parse_origin(wzp_bytes text, char id_text[17], uint64_t *id, uint64_t *number) {
    if (text.len < 18 || text.len > 37 || text.data[16] != ':') {
        return false;
    }
    memcpy(id_text, text.data, 16);
    id_text[16] = '\0';
    *id = wzp_fed_key_id(id_text);
    *number = 0;
    for (size_t i = 17; i < text.len; i++) {
        const uint8_t ch = text.data[i];
        if (ch < '0' || ch > '9' || *number > (UINT64_MAX >> 1) / 10 - 1) {
            return false;
        }
        *number = *number * 10 + (ch - '0');
    }
    return *id != 0;
}

/* Our own list comes back with a number that we have not reached: we ran before, or somebody else
 * has our identity.  The next list goes beyond, but not at once, or two would chase each other. */
static void take_echo(wzp_federation *fed, wzp_fed_room *room, uint64_t number, wzp_time now) {
    if (number > room->number) {
        fed->counters.identity_echoes++;
        room->number = number;
        room->refresh_at = wzp_time_min(room->refresh_at, wzp_time_after(now, WZP_S));
    }
}

static void take_origin(wzp_federation *fed, wzp_fed_room *room, uint32_t from, wzp_bytes text,
                        wzp_list_participant participants, wzp_time now) {
    char id_text[17];
    origin news = {.via = from};
    if (!parse_origin(text, id_text, &news.id, &news.number)) {
        fed->counters.lists_cut++;
        return;
    }
    if (news.id == fed->id) {
        take_echo(fed, room, news.number, now);
        return;
    }
    const origin *known = wzp_fed_find_origin(room, news.id);
    if (known != NULL && news.number <= known->number) {
        fed->counters.lists_old++;
        if (news.number < known->number && news.id == fed->peers[from].id) {
            wzp_fed_due(fed, room, (peer_set)1 << from, now); /* it forgot: we tell it */
        }
        return;
    }
    const peer *named = peer_of_id(fed, news.id);
    news.members = wzp_fed_list_copy(fed, participants.items, participants.count, id_text,
                                     named != NULL ? named->label : NULL);
    replace(fed, room, &news, now);
}

void wzp_fed_on_active(wzp_federation *fed, uint32_t from, wzp_bytes name,
                       wzp_list_participant participants, wzp_list_str origins, wzp_time now) {
    wzp_fed_room *room = wzp_fed_room_find(fed, name, from);
    if (room == NULL) {
        fed->counters.rooms_refused++;
        return;
    }
    if (room->refresh_at == 0) {
        room->refresh_at = wzp_time_after(now, WZP_FED_REFRESH);
    }
    const origin *plain = wzp_fed_find_origin(room, plain_id(fed, from));
    if (origins.count == 0) {
        take_plain(fed, room, from, participants, now);
    } else if (plain != NULL) {
        wzp_fed_remove_origin(room, wzp_fed_find_origin(room, plain->id));
    }
    for (size_t i = 0; i < origins.count && i < WZP_FED_ORIGINS; i++) {
        take_origin(fed, room, from, origins.items[i], participants, now);
    }
    wzp_fed_room_settle(fed, room);
}

/* --- age -------------------------------------------------------------------------------------- */

static bool is_silent(const wzp_federation *fed, const origin *o, wzp_time now) {
    const peer *p = &fed->peers[o->via];
    return p->links == NULL || wzp_time_since(now, p->last_seen) > WZP_FED_STALE;
}

/* False: it is to be removed. */
static bool age(wzp_federation *fed, wzp_fed_room *room, origin *o, wzp_time now) {
    const size_t count = o->members->count;
    if (o->is_plain) {
        if (!is_silent(fed, o, now)) {
            return true;
        }
    } else if (o->is_dead) {
        return wzp_time_since(now, o->raised_at) <= DEAD;
    } else if (wzp_time_since(now, o->raised_at) <= WZP_FED_STALE) {
        return true;
    }
    o->is_dead = true;
    o->raised_at = now;
    o->members->count = 0;
    if (count > 0) {
        fed->counters.lists_expired++;
        wzp_fed_due(fed, room, ~(peer_set)0, now);
        wzp_fed_changed(fed, room);
    }
    return !o->is_plain;
}

static void age_all(wzp_federation *fed, wzp_fed_room *room, wzp_time now) {
    origin *next = NULL;
    for (origin *o = room->origins; o != NULL; o = next) {
        next = o->next;
        if (!age(fed, room, o, now)) {
            wzp_fed_remove_origin(room, o);
        }
    }
}

/* Our own list and those that we speak for get new numbers; the others' are passed on as they are
 * by now. */
static void refresh(wzp_federation *fed, wzp_fed_room *room, wzp_time now) {
    bool is_alive = room->locals[0].app != NULL || room->locals[1].app != NULL || room->told != 0;
    if (is_alive) {
        room->number = wzp_fed_next_number(room->number, now);
    }
    for (origin *o = room->origins; o != NULL; o = o->next) {
        is_alive = is_alive || o->members->count > 0;
        o->number = o->is_plain ? wzp_fed_next_number(o->number, now) : o->number;
    }
    room->refresh_at = wzp_time_after(now, WZP_FED_REFRESH);
    if (is_alive) {
        wzp_fed_due(fed, room, ~(peer_set)0, now);
    }
}

static void sweep(wzp_federation *fed, wzp_fed_room *room, void *ctx) {
    const wzp_time now = *(const wzp_time *)ctx;
    age_all(fed, room, now);
    if (room->refresh_at <= now) {
        refresh(fed, room, now);
    }
    wzp_fed_room_settle(fed, room);
}

void wzp_fed_lists_sweep(wzp_federation *fed, wzp_time now) {
    wzp_fed_rooms_each(fed, sweep, &now);
}

typedef struct loss {
    uint32_t peer;
    wzp_time now;
} loss;

static void orphan(wzp_federation *fed, wzp_fed_room *room, void *ctx) {
    const loss *l = ctx;
    const wzp_time then =
        l->now > WZP_FED_STALE - ORPHANED ? l->now - (WZP_FED_STALE - ORPHANED) : 0;
    for (origin *o = room->origins; o != NULL; o = o->next) {
        if (o->via == l->peer && !o->is_dead) {
            o->raised_at = wzp_time_min(o->raised_at, then);
        }
    }
    room->told &= ~((peer_set)1 << l->peer);
    room->due &= ~((peer_set)1 << l->peer);
    age_all(fed, room, l->now); /* those without numbers go at once */
    wzp_fed_room_settle(fed, room);
}

void wzp_fed_lists_peer_down(wzp_federation *fed, uint32_t index, wzp_time now) {
    loss l = {index, now};
    wzp_fed_rooms_each(fed, orphan, &l);
}
