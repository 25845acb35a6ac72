/* RoomUpdate: who is in the room, told to all its members whenever that changes (relay sheet 6.2).
 *
 * A list for all grows with the square of the members: with a thousand of them one join costs 70
 * MB. So the lists of a large room keep a distance that is as long as the last one took at
 * WZP_LIMIT_UPDATE_RATE; who joins meanwhile is told at once, the others by the next list.  Small
 * rooms are always told at once. */
#include <stdlib.h>

#include "relay/internal.h"

/* Calls `use` with the update of the room as it is now. */
static size_t with_update(const room *rm,
                          size_t (*use)(const room *, session *, const wzp_signal *), session *to) {
    wzp_room_participant *list = calloc(rm->count, sizeof *list);
    if (list == NULL) {
        return 0;
    }
    for (size_t i = 0; i < rm->count; i++) {
        const session *m = rm->members[i];
        list[i].fingerprint = wzp_bytes_str(m->fingerprint);
        list[i].alias = (wzp_opt_str){m->alias[0] != '\0', wzp_bytes_str(m->alias)};
    }
    const wzp_signal update = {
        .kind = WZP_SIGNAL_ROOM_UPDATE,
        .version = 1,
        .u.RoomUpdate = {.count = (uint32_t)rm->count, .participants = {list, rm->count}}};
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
