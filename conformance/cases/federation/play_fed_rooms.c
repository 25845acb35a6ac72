/* Who is in shared rooms, as peers tell and are told; three relays (relay sheet 9.5, 9.6, 16). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/federation/fed.h"
#include "conformance/engine/peers.h"

#define R1 WZP_CT_R1
#define R2 WZP_CT_R2

/* --- RLY-082: rooms that come and go ---------------------------------------------------------- */

static const wzp_ct_fed_plan lone = {.room = "wzp-ct-2", .links = 1, .peer = 2, .quiet = true};

/* One into the shared room, another one into a room that nobody shares. */
static bool begin_arrival(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_X, wzp_ct_fed_state(e)->room, WZP_CT_X, now) &&
           wzp_ct_play_join(e, WZP_CT_P6, NULL, WZP_CT_P6, now);
}

static wzp_ct_so_far tells_others(wzp_ct_exec *e) {
    wzp_ct_play_say(e, "it was told of a room that is not shared");
    return WZP_CT_NEVER;
}

static wzp_ct_so_far go_arrival(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    (void)now;
    return st->others[R1] > 0                              ? tells_others(e)
           : wzp_ct_is_gone(e, R1)                         ? WZP_CT_NEVER
           : st->lists_x[R1] && wzp_ct_is_in(e, WZP_CT_P6) ? WZP_CT_HAPPENED
                                                           : WZP_CT_NOT_YET;
}

static bool begin_departure(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_fed_state(e)->inactives[R1] = 0;
    wzp_ct_play_leave(e, WZP_CT_X, now);
    return true;
}

static wzp_ct_so_far go_departure(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    return st->others[R1] > 0                                              ? tells_others(e)
           : st->inactives[R1] > 0 && wzp_ct_play_elapsed(e, now) >= WZP_S ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, R1)                                         ? WZP_CT_NEVER
                                                                           : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_rly082[3] = {
    WZP_CT_FED_LINKED(&lone),
    {.required = "GlobalRoomActive when the first member has joined, of no room that is not shared",
     .within_s = 6,
     .begin = begin_arrival,
     .go = go_arrival,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "GlobalRoomInactive when the last one has left",
     .within_s = 6,
     .begin = begin_departure,
     .go = go_departure,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- RLY-088: members elsewhere --------------------------------------------------------------- */

static const char *const far[] = {"0bad:cafe:0bad:cafe:0bad:cafe:0bad:cafe",
                                  "feed:0bee:feed:0bee:feed:0bee:feed:0bee"};

static const wzp_ct_fed_plan visited = {
    .room = "wzp-ct-3", .local = 1, .links = 1, .peer = 4, .quiet = true};

/* One of them twice, and our own member as if it were there as well. */
static bool begin_far(wzp_ct_exec *e, wzp_time now) {
    const wzp_bytes own = wzp_bytes_str(wzp_ct_play_party(e, WZP_CT_X)->identity.fingerprint);
    const wzp_room_participant items[] = {
        {.fingerprint = wzp_bytes_str(far[0]), .alias = {true, wzp_bytes_str("Far")}},
        {.fingerprint = wzp_bytes_str(far[0]), .alias = {true, wzp_bytes_str("Far")}},
        {.fingerprint = wzp_bytes_str(far[1])},
        {.fingerprint = own}};
    (void)now;
    return wzp_ct_fed_announce(e, R1, items, WZP_COUNT_OF(items));
}

/* Without a label in its configuration, some digits of the fingerprint. */
static bool is_label(wzp_ct_exec *e, const wzp_opt_str *label) {
    const wzp_ct_peer *peer = &wzp_ct_peers[wzp_ct_fed_state(e)->plan->peer];
    char bare[20];
    size_t n = 0;
    for (const char *ch = peer->fingerprint; n < 16; ch++) {
        bare[n] = *ch;
        n += *ch != ':' ? 1 : 0;
    }
    bare[n] = '\0';
    return label->present && (wzp_bytes_equal(label->value, wzp_bytes_str(peer->label)) ||
                              wzp_bytes_equal(label->value, wzp_bytes_str(bare)));
}

/* How often this member is in the last list, and with which label. */
static unsigned times(wzp_ct_exec *e, const char *fingerprint, wzp_opt_str *label) {
    const wzp_signal *update = wzp_ct_play_party(e, WZP_CT_X)->last[WZP_SIGNAL_ROOM_UPDATE];
    unsigned n = 0;
    *label = (wzp_opt_str){0};
    for (size_t i = 0; update != NULL && i < update->u.RoomUpdate.participants.count; i++) {
        const wzp_room_participant *p = &update->u.RoomUpdate.participants.items[i];
        if (wzp_bytes_equal(p->fingerprint, wzp_bytes_str(fingerprint))) {
            *label = p->relay_label;
            n++;
        }
    }
    return n;
}

/* NULL: as it must be. */
static const char *fault_of_members(wzp_ct_exec *e) {
    wzp_opt_str label;
    for (size_t i = 0; i < WZP_COUNT_OF(far); i++) {
        const unsigned n = times(e, far[i], &label);
        if (n != 1) {
            return n == 0 ? "a member elsewhere is not listed" : "a member is listed twice";
        }
        if (!is_label(e, &label)) {
            return "relay_label is not that of the link";
        }
    }
    const unsigned own = times(e, wzp_ct_play_party(e, WZP_CT_X)->identity.fingerprint, &label);
    return own != 1        ? "the local member is not listed once"
           : label.present ? "the local member has a relay_label"
                           : NULL;
}

static wzp_ct_so_far go_far(wzp_ct_exec *e, wzp_time now) {
    const char *fault = fault_of_members(e);
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    if (fault != NULL && wzp_ct_play_elapsed(e, now) >= 5500 * WZP_MS) {
        wzp_ct_play_say(e, "%s", fault);
        return WZP_CT_NEVER;
    }
    return fault == NULL ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

#define FAR_LISTED                                                                                 \
    {                                                                                              \
        .required = "RoomUpdate with them once each, labelled, and the local member without",      \
        .within_s = 6, .begin = begin_far, .go = go_far, .late = WZP_CT_REASON_NO_RESPONSE         \
    }

static bool are_gone(wzp_ct_exec *e) {
    wzp_opt_str label;
    return times(e, far[0], &label) + times(e, far[1], &label) == 0;
}

static bool begin_inactive(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_fed_announce_none(e, R1);
}

static wzp_ct_so_far go_inactive(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return are_gone(e) ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_rly088[4] = {
    WZP_CT_FED_JOINED(&visited),
    WZP_CT_FED_LINKED(&visited),
    FAR_LISTED,
    {.required = "RoomUpdate without them after GlobalRoomInactive",
     .within_s = 5,
     .begin = begin_inactive,
     .go = go_inactive,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* The peer has said its last word just before. */
static wzp_ct_so_far go_silent(wzp_ct_exec *e, wzp_time now) {
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    if (!are_gone(e)) {
        return wzp_ct_is_gone(e, R1) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "they were gone after %.1f s", (double)elapsed / 1e9);
    return elapsed >= 14 * WZP_S ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

const wzp_ct_act wzp_ct_acts_rly088b[4] = {
    WZP_CT_FED_JOINED(&visited),
    WZP_CT_FED_LINKED(&visited),
    FAR_LISTED,
    {.required = "RoomUpdate without them after 15 s of silence, not before",
     .within_s = 22,
     .go = go_silent,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- RLY-096: a full mesh --------------------------------------------------------------------- */

static const wzp_ct_fed_plan mesh = {
    .room = "wzp-ct-4", .local = 2, .links = 2, .peer = 0, .control = true};

/* What the first peer got it passes on to the second one, which has it for the first time and
 * passes it on to us; and what the first peer sends reaches us by both ways. */
void wzp_ct_fed_mesh_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    unsigned flow = 0;
    uint32_t index = 0;
    wzp_ct_fed_datagram(e, who, bytes, now);
    if (!wzp_ct_fed_which(e, who, bytes, &flow, &index)) {
        return;
    }
    const bool is_first = wzp_ct_fed_state(e)->got[who][flow][index] == 1;
    if (is_first && ((who == R1 && flow == 0) || (who == R2 && flow == 1))) {
        (void)wzp_ct_play_send(e, R2, bytes);
    }
}

static wzp_ct_so_far check_mesh(wzp_ct_exec *e, wzp_time now) {
    const uint32_t echo = wzp_ct_fed_arrived(e, WZP_CT_X, 0);
    const uint32_t twice = wzp_ct_fed_repeated(e, WZP_CT_X, 1) +
                           wzp_ct_fed_repeated(e, WZP_CT_L, 0) +
                           wzp_ct_fed_repeated(e, WZP_CT_L, 1);
    (void)now;
    if (echo + twice > 0) {
        wzp_ct_play_say(e, "%u packets came back to their sender, %u reached a member twice", echo,
                        twice);
        return WZP_CT_NEVER;
    }
    return wzp_ct_fed_both(
        wzp_ct_fed_all(e, WZP_CT_L, 0),
        wzp_ct_fed_both(wzp_ct_fed_all(e, WZP_CT_L, 1), wzp_ct_fed_all(e, WZP_CT_X, 1)));
}

static const wzp_ct_fed_traffic in_mesh = {.flows = {{.from = WZP_CT_X, .count = 50, .rate = 50},
                                                     {.from = WZP_CT_R1, .count = 50, .rate = 50}},
                                           .pause_ms = 500,
                                           .check = check_mesh};

const wzp_ct_act wzp_ct_acts_rly096[3] = {
    WZP_CT_FED_JOINED(&mesh),
    WZP_CT_FED_LINKED(&mesh),
    {.required = "each member gets each packet once, its sender never",
     .within_s = 5,
     .begin = wzp_ct_fed_send,
     .go = wzp_ct_fed_sent,
     .late = WZP_CT_REASON_NOT_FORWARDED,
     .arg = &in_mesh},
};

/* --- RLY-097: what nobody knows --------------------------------------------------------------- */

static const wzp_ct_fed_plan newer = {
    .room = "wzp-ct-5", .local = 1, .links = 1, .peer = 2, .control = true};

static bool begin_unknown(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_say(e, R1, "{\"FederationNews\":{\"version\":1,\"room\":\"x\"}}");
}

static wzp_ct_so_far go_unknown(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    return wzp_ct_is_gone(e, R1)                  ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) >= WZP_S ? WZP_CT_HAPPENED
                                                  : WZP_CT_NOT_YET;
}

static wzp_ct_so_far check_after(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_fed_all(e, WZP_CT_X, 0);
}

static const wzp_ct_fed_traffic after = {
    .flows = {{.from = WZP_CT_R1, .count = 50, .rate = 50}}, .pause_ms = 500, .check = check_after};

const wzp_ct_act wzp_ct_acts_rly097[4] = {
    WZP_CT_FED_JOINED(&newer),
    WZP_CT_FED_LINKED(&newer),
    {.required = "no close at an unknown signal",
     .within_s = 3,
     .begin = begin_unknown,
     .go = go_unknown,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "packets that follow are delivered",
     .within_s = 5,
     .begin = wzp_ct_fed_send,
     .go = wzp_ct_fed_sent,
     .late = WZP_CT_REASON_NOT_FORWARDED,
     .never = WZP_CT_REASON_NOT_FORWARDED,
     .arg = &after},
};

/* --- RLY-098: news in a circle ---------------------------------------------------------------- */

enum { ROUNDS_MAX = 40, MEMBERS_MAX = 16 };

static const wzp_ct_fed_plan cycle = {.room = "wzp-ct-6", .links = 2, .peer = 4, .quiet = true};

/* As a deployed relay: what one peer hears it tells the other one, which tells us. */
static void circulate(wzp_ct_exec *e, wzp_ct_who who, const wzp_signal *signal, wzp_time now) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    const wzp_list_participant *list = &signal->u.GlobalRoomActive.participants;
    wzp_room_participant items[MEMBERS_MAX];
    const size_t count = list->count < MEMBERS_MAX ? list->count : MEMBERS_MAX;
    (void)now;
    for (size_t i = 0; i < count; i++) {
        items[i] = list->items[i];
        items[i].origin = (wzp_opt_str){0};
        if (!items[i].relay_label.present) {
            items[i].relay_label = (wzp_opt_str){true, wzp_bytes_str("in the middle")};
        }
    }
    if (st->mark++ < ROUNDS_MAX) {
        (void)wzp_ct_fed_announce(e, who == R1 ? R2 : R1, items, count);
    }
}

static bool begin_news(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    st->actives[R1] = st->actives[R2] = 0;
    st->on_active = circulate;
    return wzp_ct_play_join(e, WZP_CT_X, st->room, WZP_CT_X, now);
}

static wzp_ct_so_far go_news(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    (void)now;
    return st->lists_x[R1] && st->lists_x[R2] ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, WZP_CT_X)      ? WZP_CT_NEVER
                                              : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_rounds(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    if (wzp_ct_play_elapsed(e, now) < 5 * WZP_S) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "%u and %u lists in 5 s", st->actives[R1], st->actives[R2]);
    return st->actives[R1] <= 4 && st->actives[R2] <= 4 ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

const wzp_ct_act wzp_ct_acts_rly098[3] = {
    WZP_CT_FED_LINKED(&cycle),
    {.required = "both peers are told of a member who joins",
     .within_s = 7,
     .begin = begin_news,
     .go = go_news,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "at most four lists on each link in the five seconds that follow",
     .within_s = 7,
     .go = go_rounds,
     .late = WZP_CT_REASON_NO_RESPONSE},
};
