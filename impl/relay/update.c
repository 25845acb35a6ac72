/* RoomUpdate: who is in the room, told to all its members whenever that changes (relay sheet 6.2).
 *
 * A list for all grows with the square of the members: with a thousand of them one join costs 70
 * MB. So the lists of a large room keep a distance that is as long as the last one took at
 * WZP_LIMIT_UPDATE_RATE; who joins meanwhile is told at once, the others by the next list.  Small
 * rooms are always told at once. */
#include <stdlib.h>

#include "relay/internal.h"

static size_t list_members(const room *rm, wzp_room_participant *list) {
    for (size_t i = 0; i < rm->count; i++) {
        const session *m = rm->members[i];
        list[i] = (wzp_room_participant){
            .fingerprint = wzp_bytes_str(m->fingerprint),
            .alias = {m->alias[0] != '\0', wzp_bytes_str(m->alias)},
        };
    }
    return rm->count;
}

static int compare(const void *a, const void *b) {
    const wzp_room_participant *const *x = a;
    const wzp_room_participant *const *y = b;
    const wzp_bytes m = (*x)->fingerprint;
    const wzp_bytes n = (*y)->fingerprint;
    const size_t len = m.len < n.len ? m.len : n.len;
    const int order = len > 0 ? memcmp(m.data, n.data, len) : 0;
    if (order != 0 || m.len != n.len) {
        return order != 0 ? order : m.len < n.len ? -1 : 1;
    }
    return *x < *y ? -1 : *x > *y ? 1 : 0; /* the places in one list: the first counts */
}

/* Of equal fingerprints the first stays, so that our own come before those of peers. */
static size_t drop_repeated(wzp_room_participant *list, size_t count) {
    wzp_room_participant **sorted = malloc((count + 1) * sizeof(wzp_room_participant *));
    bool *is_repeated = calloc(count + 1, sizeof *is_repeated);
    size_t kept = 0;
    for (size_t i = 0; sorted != NULL && i < count; i++) {
        sorted[i] = &list[i];
    }
    if (sorted != NULL && is_repeated != NULL) {
        qsort(sorted, count, sizeof(wzp_room_participant *), compare);
        for (size_t i = 1; i < count; i++) {
            is_repeated[sorted[i] - list] =
                wzp_bytes_equal(sorted[i]->fingerprint, sorted[i - 1]->fingerprint);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (is_repeated == NULL || !is_repeated[i]) {
            list[kept++] = list[i];
        }
    }
    free(sorted);
    free(is_repeated);
    return kept;
}

/* Calls `use` with the update of the room as it is now; those that are with peers come last. */
static size_t with_update(const room *rm,
                          size_t (*use)(const room *, session *, const wzp_signal *), session *to) {
    const size_t abroad = rm->global != NULL ? wzp_fed_room_remote(rm->global, NULL, 0) : 0;
    wzp_room_participant *list = calloc(rm->count + abroad, sizeof *list);
    if (list == NULL) {
        return 0;
    }
    size_t count = list_members(rm, list);
    if (rm->global != NULL) {
        count += wzp_fed_room_remote(rm->global, list + count, abroad);
        count = drop_repeated(list, count);
    }
    const wzp_signal update = {
        .kind = WZP_SIGNAL_ROOM_UPDATE,
        .version = 1,
        .u.RoomUpdate = {.count = (uint32_t)count, .participants = {list, count}}};
    const size_t len = use(rm, to, &update);
    free(list);
    return len;
}

static size_t tell_all(const room *rm, session *to, const wzp_signal *update) {
    (void)to;
    return wzp_relay_send_to_room(rm, update);
}

static size_t tell_one(const room *rm, session *to, const wzp_signal *update) {
    (void)rm;
    (void)wzp_relay_send_signal(to, update);
    return 0;
}

static void update(room *rm) {
    wzp_relay *r = rm->relay;
    const size_t bytes = rm->count * with_update(rm, tell_all, NULL);
    wzp_relay_tap_update(r, rm);
    wzp_timers_set(&r->room_timers, &rm->update_timer, WZP_TIME_NEVER);
    rm->update_from = bytes <= WZP_LIMIT_UPDATE_FREE
                          ? r->now
                          : wzp_time_after(r->now, bytes * WZP_S / WZP_LIMIT_UPDATE_RATE);
    wzp_relay_announce(rm);
}

/* `joined` may be NULL. */
void wzp_relay_room_changed(room *rm, session *joined) {
    wzp_relay *r = rm->relay;
    if (rm->update_from <= r->now) {
        update(rm);
        return;
    }
    r->metrics.updates_deferred++;
    wzp_timers_set(&r->room_timers, &rm->update_timer, rm->update_from);
    if (joined != NULL) {
        (void)with_update(rm, tell_one, joined);
    }
}

void wzp_relay_updates_tick(wzp_relay *r) {
    for (wzp_timer *t; (t = wzp_timers_first(&r->room_timers)) != NULL && t->at <= r->now;) {
        update(WZP_OWNER_OF(t, room, update_timer));
    }
}
