/* What peers are told of rooms: when, and which list for whom (relay sheet 9.6). */
#include <stdio.h>
#include <stdlib.h>

#include "federation/internal.h"

/* Every announcement is a stream of its own, and a peer lets us have only so many at once. */
#define STEP (10 * WZP_MS)
enum { ROOMS_PER_STEP = 16, ORIGIN_TEXT = 40 };

/* Higher than before, and than what we said before a restart, if time goes on. */
uint64_t wzp_fed_next_number(uint64_t number, wzp_time now) {
    return number + 1 > now / WZP_MS ? number + 1 : now / WZP_MS;
}

static peer_set linked(const wzp_federation *fed) {
    peer_set set = 0;
    for (size_t i = 0; i < fed->target_count; i++) {
        set |= (peer_set)1 << fed->targets[i].peer;
    }
    return set;
}

void wzp_fed_due(wzp_federation *fed, wzp_fed_room *room, peer_set peers, wzp_time now) {
    room->due |= peers & linked(fed);
    if (room->due == 0) {
        return;
    }
    if (!room->is_pending) {
        room->is_pending = true;
        room->pending_next = NULL;
        *fed->pending_tail = room;
        fed->pending_tail = &room->pending_next;
    }
    const wzp_time at = room->hold_until > now ? room->hold_until : now;
    fed->pending_at = wzp_time_min(fed->pending_at, at);
}

void wzp_fed_changed(wzp_federation *fed, wzp_fed_room *room) {
    if (!room->is_changed && (room->locals[0].app != NULL || room->locals[1].app != NULL)) {
        room->is_changed = true;
        room->changed_next = NULL;
        *fed->changed_tail = room;
        fed->changed_tail = &room->changed_next;
    }
}

/* --- one message ------------------------------------------------------------------------------ */

typedef struct message {
    wzp_room_participant *items;
    size_t count, cap;
    uint32_t *seen; /* whom the items name: their places + 1, by a hash of the fingerprint */
    size_t seen_cap;
    char ids[WZP_FED_ORIGINS + 1][17];
    char texts[WZP_FED_ORIGINS + 1][ORIGIN_TEXT];
    wzp_bytes origins[WZP_FED_ORIGINS + 1];
    size_t origin_count;
} message;

static const char *add_id(message *m, uint64_t id, uint64_t number) {
    char *text = m->ids[m->origin_count];
    (void)snprintf(text, sizeof m->ids[0], "%016llx", (unsigned long long)id);
    char *pair = m->texts[m->origin_count];
    (void)snprintf(pair, ORIGIN_TEXT, "%016llx:%llu", (unsigned long long)id,
                   (unsigned long long)number);
    m->origins[m->origin_count++] = wzp_bytes_str(pair);
    return text;
}

/* Where this member is noted, or would be. */
static uint32_t *place_of(const message *m, const wzp_federation *fed, wzp_bytes fingerprint) {
    size_t at = wzp_fed_dedup_hash(&fed->dedup, fingerprint) & (m->seen_cap - 1);
    while (m->seen[at] != 0 &&
           !wzp_bytes_equal(m->items[m->seen[at] - 1].fingerprint, fingerprint)) {
        at = (at + 1) & (m->seen_cap - 1);
    }
    return &m->seen[at];
}

static void add_member(message *m, const wzp_room_participant *member, const char *id,
                       uint32_t *place) {
    if (m->count < m->cap) {
        m->items[m->count] = *member;
        m->items[m->count++].origin = (wzp_opt_str){true, wzp_bytes_str(id)};
        *place = (uint32_t)m->count;
    }
}

static void add_members(message *m, const wzp_federation *fed, const list *members,
                        const char *id) {
    for (size_t i = 0; members != NULL && i < members->count; i++) {
        const wzp_room_participant *member = &members->items[i];
        add_member(m, member, id, place_of(m, fed, member->fingerprint));
    }
}

/* Deployed relays tell each other in circles what we tell them.  Whoever is named already is left
 * out: a list that is longer at each turn would be news for ever. */
static void add_plain(message *m, const wzp_federation *fed, const list *members, const char *id) {
    for (size_t i = 0; i < members->count; i++) {
        const wzp_room_participant *member = &members->items[i];
        uint32_t *place = place_of(m, fed, member->fingerprint);
        if (*place == 0) {
            add_member(m, member, id, place);
        }
    }
}

/* Nobody is told again what he told us, but his own number, if he has forgotten it. */
static void add_others(message *m, const wzp_federation *fed, const wzp_fed_room *room,
                       uint32_t to) {
    for (const origin *o = room->origins; o != NULL; o = o->next) {
        if (!o->is_dead && o->via != to) {
            const char *id = add_id(m, o->id, o->number);
            (o->is_plain ? add_plain : add_members)(m, fed, o->members, id);
        } else if (o->id == fed->peers[to].id) {
            (void)add_id(m, o->id, o->number);
        }
    }
}

static size_t members_total(const wzp_fed_room *room) {
    size_t total = wzp_fed_room_remote(room, NULL, 0);
    for (size_t i = 0; i < WZP_FED_LOCAL; i++) {
        total += room->locals[i].members != NULL ? room->locals[i].members->count : 0;
    }
    return total < WZP_FED_PARTICIPANTS ? total : WZP_FED_PARTICIPANTS;
}

static void send_message(wzp_federation *fed, wzp_fed_room *room, const message *m,
                         const wzp_fed_target *to) {
    const peer_set bit = (peer_set)1 << to->peer;
    const wzp_bytes name = wzp_bytes_str(room->name);
    wzp_signal signal = {.version = 1};
    const wzp_list_str origins = {m->origins, m->origin_count};
    if (m->count > 0) {
        signal.kind = WZP_SIGNAL_GLOBAL_ROOM_ACTIVE;
        signal.u.GlobalRoomActive = (wzp_signal_GlobalRoomActive){.room = name, .origins = origins};
        signal.u.GlobalRoomActive.participants = (wzp_list_participant){m->items, m->count};
        room->told |= bit;
    } else if ((room->told & bit) != 0) {
        signal.kind = WZP_SIGNAL_GLOBAL_ROOM_INACTIVE;
        signal.u.GlobalRoomInactive =
            (wzp_signal_GlobalRoomInactive){.room = name, .origins = origins};
        room->told &= ~bit;
    } else {
        return;
    }
    fed->counters.announcements += wzp_fed_send(fed, to->conn, &signal) ? 1 : 0;
}

static bool make_room(message *m, size_t cap) {
    m->count = m->origin_count = 0;
    m->cap = cap;
    for (m->seen_cap = 2; m->seen_cap <= 2 * cap;) {
        m->seen_cap *= 2;
    }
    m->items = malloc((cap + 1) * sizeof *m->items);
    m->seen = calloc(m->seen_cap, sizeof *m->seen);
    return m->items != NULL && m->seen != NULL;
}

static void tell(wzp_federation *fed, wzp_fed_room *room, const wzp_fed_target *to) {
    message *m = malloc(sizeof *m);
    if (m == NULL) {
        return;
    }
    if (make_room(m, members_total(room))) {
        if (room->number != 0) {
            const char *id = add_id(m, fed->id, room->number);
            for (size_t i = 0; i < WZP_FED_LOCAL; i++) {
                add_members(m, fed, room->locals[i].members, id);
            }
        }
        add_others(m, fed, room, to->peer);
        send_message(fed, room, m, to);
    }
    free(m->items);
    free(m->seen);
    free(m);
}

/* --- when ------------------------------------------------------------------------------------- */

static void announce(wzp_federation *fed, wzp_fed_room *room, wzp_time now) {
    for (size_t i = 0; i < fed->target_count; i++) {
        if ((room->due >> fed->targets[i].peer & 1) != 0) {
            tell(fed, room, &fed->targets[i]);
        }
    }
    room->due = 0;
    room->hold_until = wzp_time_after(now, WZP_FED_HOLD);
}

void wzp_fed_announce_tick(wzp_federation *fed, wzp_time now) {
    if (now < fed->pending_at) {
        return;
    }
    fed->pending_at = WZP_TIME_NEVER;
    unsigned budget = ROOMS_PER_STEP;
    wzp_fed_room **at = &fed->pending;
    for (wzp_fed_room *room; (room = *at) != NULL;) {
        if (room->hold_until > now || budget == 0) {
            const wzp_time next =
                room->hold_until > now ? room->hold_until : wzp_time_after(now, STEP);
            fed->pending_at = wzp_time_min(fed->pending_at, next);
            at = &room->pending_next;
            continue;
        }
        budget--;
        *at = room->pending_next;
        room->is_pending = false;
        announce(fed, room, now);
        wzp_fed_room_settle(fed, room);
    }
    fed->pending_tail = at;
}

typedef struct newcomer {
    uint32_t peer;
    wzp_time now;
} newcomer;

static void owe(wzp_federation *fed, wzp_fed_room *room, void *ctx) {
    const newcomer *n = ctx;
    room->told &= ~((peer_set)1 << n->peer);
    if (members_total(room) > 0) {
        wzp_fed_due(fed, room, (peer_set)1 << n->peer, n->now);
    }
}

/* A link to this peer is new. */
void wzp_fed_announce_all(wzp_federation *fed, uint32_t index, wzp_time now) {
    newcomer n = {index, now};
    wzp_fed_rooms_each(fed, owe, &n);
}
