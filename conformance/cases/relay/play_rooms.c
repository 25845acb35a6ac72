/* Clients that must not be in each other's way: one that stalls, one that is dead, two rooms; and
 * the old forms of signals (relay sheet 16). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/relay/plays.h"
#include "conformance/cases/relay/steps.h"
#include "wire/media.h"

enum { PACKETS = 50, FRAME = 60 };

/* Speech bears the number of who sent it. */
typedef struct traffic {
    uint32_t sent;
    uint32_t heard[WZP_CT_PARTIES][WZP_CT_PARTIES]; /* by whom, of whom */
    char other_room[80];
} traffic;

_Static_assert(sizeof(traffic) <= WZP_CT_ROOMS_STATE, "room for the state");

void wzp_ct_rooms_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    traffic *t = wzp_ct_play_state(e);
    wzp_media_packet packet;
    (void)now;
    if (wzp_media_packet_parse(&packet, bytes, NULL) == WZP_OK && packet.payload.len == FRAME &&
        packet.payload.data[0] < WZP_CT_PARTIES) {
        t->heard[who][packet.payload.data[0]]++;
    }
}

static void speak(wzp_ct_exec *e, wzp_ct_who who, uint32_t seq) {
    uint8_t buf[WZP_MEDIA_HDR_LEN + FRAME];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_hdr_write(&wr, &(wzp_media_hdr){.version = 2,
                                              .codec_id = WZP_CODEC_OPUS_24K,
                                              .seq = seq,
                                              .timestamp_ms = 20 * seq});
    memset(buf + WZP_MEDIA_HDR_LEN, (int)who, FRAME);
    (void)wzp_ct_play_send(e, who, wzp_bytes_of(buf, sizeof buf));
}

/* A second of speech of each, and half a second for the last packet; true when that is over. */
static bool has_spoken(wzp_ct_exec *e, const wzp_ct_who *whos, wzp_time now) {
    traffic *t = wzp_ct_play_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    for (; t->sent < PACKETS && t->sent * (20 * WZP_MS) <= elapsed; t->sent++) {
        for (size_t i = 0; whos[i] != WZP_CT_PARTIES; i++) {
            speak(e, whos[i], t->sent);
        }
    }
    wzp_ct_play_wake(e, now + 20 * WZP_MS);
    return t->sent == PACKETS && elapsed >= PACKETS * (20 * WZP_MS) + 500 * WZP_MS;
}

static wzp_ct_so_far all_of(wzp_ct_exec *e, uint32_t heard) {
    return heard == PACKETS            ? WZP_CT_HAPPENED
           : wzp_ct_play_path_loses(e) ? WZP_CT_UNSURE
                                       : WZP_CT_NEVER;
}

/* --- RLY-005: two that stall, and one that does not ------------------------------------------- */

static bool begin_stalled(wzp_ct_exec *e, wzp_time now) {
    const wzp_party_dial hub = {.room = "_signal", .hold_first = true};
    return wzp_ct_play_dial(e, WZP_CT_X, (wzp_party_dial){.hold_first = true}, now) &&
           wzp_ct_play_dial(e, WZP_CT_KX, hub, now);
}

static wzp_ct_so_far go_stalled(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    return wzp_party_open(wzp_ct_play_party(e, WZP_CT_X)) &&
                   wzp_party_open(wzp_ct_play_party(e, WZP_CT_KX)) &&
                   wzp_ct_play_elapsed(e, now) >= 500 * WZP_MS
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}

static bool begin_another(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_L, NULL, WZP_CT_L, now);
}

static wzp_ct_so_far go_another(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_is_in(e, WZP_CT_L)     ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, WZP_CT_L) ? WZP_CT_NEVER
                                         : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_rly005[WZP_CT_RLY005_ACTS] = {
    {.required = "two are connected, and say nothing",
     .within_s = 3,
     .begin = begin_stalled,
     .go = go_stalled,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "another one is in its room within a second",
     .within_s = 1.5,
     .begin = begin_another,
     .go = go_another,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- RLY-031: two rooms ----------------------------------------------------------------------- */

static bool begin_other_room(wzp_ct_exec *e, wzp_time now) {
    traffic *t = wzp_ct_play_state(e);
    (void)snprintf(t->other_room, sizeof t->other_room, "%s-other", wzp_ct_play_room(e));
    return wzp_ct_play_join(e, WZP_CT_KX, t->other_room, WZP_CT_KX, now) &&
           wzp_ct_play_join(e, WZP_CT_KL, t->other_room, WZP_CT_KL, now);
}

static const wzp_ct_whos both_there = {WZP_CT_KX, WZP_CT_KL, WZP_CT_PARTIES};
static const wzp_ct_whos both_speak = {WZP_CT_X, WZP_CT_KX, WZP_CT_PARTIES};

static wzp_ct_so_far go_two_rooms(wzp_ct_exec *e, wzp_time now) {
    const traffic *t = wzp_ct_play_state(e);
    if (!has_spoken(e, both_speak, now)) {
        return WZP_CT_NOT_YET;
    }
    const uint32_t astray = t->heard[WZP_CT_L][WZP_CT_KX] + t->heard[WZP_CT_X][WZP_CT_KX] +
                            t->heard[WZP_CT_KL][WZP_CT_X] + t->heard[WZP_CT_KX][WZP_CT_X];
    const uint32_t here = t->heard[WZP_CT_L][WZP_CT_X];
    const uint32_t there = t->heard[WZP_CT_KL][WZP_CT_KX];
    wzp_ct_play_say(e, "%u and %u of %d packets in their rooms, %u in the other one", here, there,
                    PACKETS, astray);
    return astray > 0 ? WZP_CT_NEVER : all_of(e, here < there ? here : there);
}

const wzp_ct_act wzp_ct_acts_rly031[WZP_CT_RLY031_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    {.required = "two more are in another room and see only each other",
     .within_s = 5,
     .begin = begin_other_room,
     .go = wzp_ct_step_joined,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &both_there},
    {.required = "all packets reach the own room, none the other",
     .within_s = 4,
     .go = go_two_rooms,
     .late = WZP_CT_REASON_NOT_FORWARDED},
};

/* --- RLY-033: a dead receiver ----------------------------------------------------------------- */

static bool begin_dead(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    wzp_ct_play_vanish(e, WZP_CT_KX);
    return true;
}

static wzp_ct_so_far go_dead(wzp_ct_exec *e, wzp_time now) {
    const traffic *t = wzp_ct_play_state(e);
    if (!has_spoken(e, wzp_ct_only_x, now)) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "%u of %d packets", t->heard[WZP_CT_L][WZP_CT_X], PACKETS);
    return all_of(e, t->heard[WZP_CT_L][WZP_CT_X]);
}

const wzp_ct_act wzp_ct_acts_rly033[WZP_CT_RLY033_ACTS] = {
    WZP_CT_JOINED(wzp_ct_three),
    {.required = "one falls silent, and all packets reach the other",
     .within_s = 4,
     .begin = begin_dead,
     .go = go_dead,
     .late = WZP_CT_REASON_NOT_FORWARDED},
};

/* --- RLY-076: old and new forms --------------------------------------------------------------- */

static const wzp_ct_ask new_forms = {WZP_CT_X,
                                     {"{\"Hold\":{\"version\":1}}", "{\"Unhold\":{\"version\":1}}",
                                      "{\"Mute\":{\"version\":1}}", "{\"Unmute\":{\"version\":1}}",
                                      "{\"TransferAck\":{\"version\":1}}",
                                      "{\"Ping\":{\"version\":1,\"timestamp_ms\":761}}"},
                                     761};
static const wzp_ct_ask old_forms = {WZP_CT_X,
                                     {"\"Hold\"", "\"Unhold\"", "\"Mute\"", "\"Unmute\"",
                                      "\"TransferAck\"",
                                      "{\"Ping\":{\"version\":1,\"timestamp_ms\":762}}"},
                                     762};

const wzp_ct_act wzp_ct_acts_rly076[WZP_CT_RLY076_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    WZP_CT_ASK("Pong after Hold, Unhold, Mute, Unmute and TransferAck as structs", 3, &new_forms),
    WZP_CT_ASK("Pong after the same as bare names", 3, &old_forms),
};
