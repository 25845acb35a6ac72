/* Rooms: join, leave, who is there (relay sheet 6). */
#include <assert.h>
#include <stdlib.h>

#include "relay/internal.h"

room *wzp_relay_find_room(const wzp_relay *r, const char *name) {
    const uint64_t hash = wzp_table_hash(&r->rooms, wzp_bytes_str(name));
    for (wzp_table_link *link = wzp_table_first(&r->rooms, hash); link != NULL;
         link = wzp_table_next(link)) {
        room *rm = WZP_OWNER_OF(link, room, by_name);
        if (strcmp(rm->name, name) == 0) {
            return rm;
        }
    }
    return NULL;
}

static room *find_or_make(wzp_relay *r, const char *name) {
    room *rm = wzp_relay_find_room(r, name);
    if (rm != NULL) {
        return rm;
    }
    rm = calloc(1, sizeof *rm);
    if (rm != NULL && wzp_timers_reserve(&r->room_timers, r->room_count + 1) != WZP_OK) {
        free(rm);
        rm = NULL;
    }
    if (rm != NULL) {
        rm->relay = r;
        wzp_timer_init(&rm->update_timer);
        memcpy(rm->name, name, strlen(name) + 1);
        rm->tier = WZP_TIER_GOOD;
        wzp_table_add(&r->rooms, &rm->by_name, wzp_table_hash(&r->rooms, wzp_bytes_str(name)));
        r->room_count++;
        wzp_relay_bridge_room(rm);
    }
    return rm;
}

static void delete_room(wzp_relay *r, room *rm) {
    wzp_relay_unbridge_room(rm);
    wzp_table_remove(&r->rooms, &rm->by_name);
    wzp_timers_set(&r->room_timers, &rm->update_timer, WZP_TIME_NEVER);
    r->room_count--;
    free(rm->members);
    free(rm->owners);
    free(rm);
}

static bool add_member(room *rm, session *s) {
    if (rm->count == rm->cap) {
        const size_t cap = rm->cap == 0 ? 4 : 2 * rm->cap;
        session **members = realloc(rm->members, cap * sizeof(session *));
        if (members == NULL) {
            return false;
        }
        rm->members = members;
        rm->cap = cap;
    }
    rm->members[rm->count++] = s;
    return true;
}

/* Of all workers together. */
static bool take_place(const wzp_relay *r) {
    atomic_uint_least32_t *taken = &r->cfg.shared->media_sessions;
    uint_least32_t n = atomic_load(taken);
    while (n < r->cfg.max_sessions) {
        if (atomic_compare_exchange_weak(taken, &n, n + 1)) {
            return true;
        }
    }
    return false;
}

static void give_place(const wzp_relay *r) {
    atomic_fetch_sub(&r->cfg.shared->media_sessions, 1);
}

/* Strangers are refused after the handshake, as everywhere (relay sheet 6.1). */
static bool admitted(const session *s) {
    return wzp_relay_admits_session(s) && wzp_relay_call_admit(s) && take_place(s->relay);
}

/* NULL: out of memory. */
static room *enter(session *s) {
    wzp_relay *r = s->relay;
    room *rm = find_or_make(r, s->sni);
    if (rm != NULL && !add_member(rm, s)) {
        if (rm->count == 0) {
            delete_room(r, rm);
        }
        rm = NULL;
    }
    return rm;
}

bool wzp_relay_join(session *s) {
    wzp_relay *r = s->relay;
    if (!admitted(s)) {
        r->metrics.refused_sessions++;
        wzp_relay_event_push(r, s, "join_refused", "");
        return false;
    }
    room *rm = enter(s);
    if (rm == NULL) {
        give_place(r);
        return false;
    }
    s->room = rm;
    s->state = SESSION_ROOM;
    s->number = r->next_number++ * r->cfg.workers + r->cfg.worker + 1;
    s->last_packet_at = r->now;
    wzp_quality_init(&s->quality);
    r->media_sessions++;
    wzp_relay_event_push(r, s, "join", "");
    if (s->bridge == NULL) { /* guests come and go without a word */
        wzp_relay_tap_join(s);
        wzp_relay_keyframe_replay(s);
        wzp_relay_room_changed(rm, s);
    } else {
        wzp_relay_announce(rm);
    }
    return true;
}

void wzp_relay_leave(session *s) {
    room *rm = s->room;
    if (rm == NULL) {
        return;
    }
    size_t i = 0;
    while (rm->members[i] != s) {
        i++;
    }
    wzp_relay_trunk_leave(s, i);
    memmove(rm->members + i, rm->members + i + 1, (rm->count - i - 1) * sizeof(session *));
    rm->count--;
    s->room = NULL;
    s->relay->media_sessions--;
    give_place(s->relay);
    wzp_relay_event_push(s->relay, s, "leave", "");
    wzp_relay_tap_leave(s, rm);
    if (rm->count == 0) {
        delete_room(s->relay, rm);
    } else if (s->bridge == NULL) {
        wzp_relay_room_changed(rm, NULL);
    } else {
        wzp_relay_announce(rm);
    }
}

/* Totals of a receiver: a late or repeated one must not turn them back (relay sheet 11.1). */
static void take_recovery(session *s, const wzp_signal_LossRecoveryUpdate *told) {
    s->has_recovery = true;
    s->dred = told->dred_reconstructions > s->dred ? told->dred_reconstructions : s->dred;
    s->plc = told->classical_plc_invocations > s->plc ? told->classical_plc_invocations : s->plc;
}

/* The receiver's estimate chooses its layer of video, and once there is one the reports do not any
 * more (relay sheet 7.6, REF). */
static void take_feedback(session *s, const wzp_signal_TransportFeedback *told) {
    if (!s->relay->cfg.layers_by_report) {
        s->has_remb = true;
        wzp_layer_update(&s->layer, told->remb_bps / 1000,
                         s->has_report ? s->last_report.loss_pct : 0, s->relay->now);
        wzp_relay_note_estimate(s);
    }
}

/* Picture loss is passed on, recovery is counted and feedback moves the layer; the rest is counted
 * and ignored, and what cannot be read does not end the session (relay sheet 6.4, REF). */
void wzp_relay_on_room_signal(session *s, wzp_bytes json) {
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        s->relay->metrics.signals_unknown++;
        return;
    }
    if (signal->kind == WZP_SIGNAL_PICTURE_LOSS_INDICATION) {
        wzp_relay_on_pli(s, signal->u.PictureLossIndication.stream_id);
    } else if (signal->kind == WZP_SIGNAL_LOSS_RECOVERY_UPDATE) {
        take_recovery(s, &signal->u.LossRecoveryUpdate);
    } else if (signal->kind == WZP_SIGNAL_TRANSPORT_FEEDBACK) {
        take_feedback(s, &signal->u.TransportFeedback);
    } else {
        s->relay->metrics.signals_ignored++;
    }
    wzp_signal_free(&signal);
}
