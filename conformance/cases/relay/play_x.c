/* Attacks on media and on what a relay keeps, one attacker each, while a control pair talks
 * (conformance sheet 15, 24.16). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/relay/hard.h"
#include "conformance/cases/relay/plays.h"
#include "wire/media.h"
#include "wire/trunk.h"

enum { SPEECH = 76, TWICE = 100, FRAMES = 50, TALK = 50, JOINS = 20 };

_Static_assert(sizeof(wzp_ct_hard) <= WZP_CT_HARD_STATE, "state fits");

#define STEP (20 * WZP_MS)
#define SETTLE (500 * WZP_MS)

/* --- speech, and who counts it ---------------------------------------------------------------- */

static const uint8_t control_mark[] = "control", speech_mark[] = "speaker";
static const uint8_t strange_mark[] = {0xde, 0xad, 0xbe, 0xef, 0x5a, 0xa5, 0x99};

static wzp_bytes speech(uint32_t seq, const uint8_t *mark,
                        uint8_t out[WZP_MEDIA_HDR_LEN + SPEECH]) {
    wzp_wr wr;
    wzp_wr_init(&wr, out, WZP_MEDIA_HDR_LEN + SPEECH);
    wzp_media_hdr_write(&wr, &(wzp_media_hdr){.version = 2,
                                              .codec_id = WZP_CODEC_OPUS_24K,
                                              .seq = seq,
                                              .timestamp_ms = 20 * seq});
    memset(out + WZP_MEDIA_HDR_LEN, (int)seq, SPEECH);
    memcpy(out + WZP_MEDIA_HDR_LEN, mark, sizeof control_mark);
    return wzp_bytes_of(out, WZP_MEDIA_HDR_LEN + SPEECH);
}

static bool has_mark(wzp_bytes bytes, const uint8_t *mark) {
    return bytes.len == WZP_MEDIA_HDR_LEN + SPEECH &&
           memcmp(bytes.data + WZP_MEDIA_HDR_LEN, mark, sizeof control_mark) == 0;
}

static void count_entries(wzp_ct_hard *h, wzp_bytes frame) {
    wzp_rd rd;
    uint16_t count = 0;
    if (wzp_trunk_parse(&rd, frame, &count) != WZP_OK) {
        return;
    }
    for (uint16_t i = 0; i < count; i++) {
        wzp_trunk_entry entry;
        wzp_trunk_next(&rd, &entry);
        h->arrived += has_mark(entry.payload, speech_mark) ? 1 : 0;
    }
}

void wzp_ct_hard_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    (void)now;
    if (who == WZP_CT_KL) {
        h->heard += has_mark(bytes, control_mark) ? 1 : 0;
    } else if (who == WZP_CT_L) {
        h->arrived += has_mark(bytes, speech_mark) ? 1 : 0;
        h->strange +=
            memmem(bytes.data, bytes.len, strange_mark, sizeof strange_mark) != NULL ? 1 : 0;
        count_entries(h, bytes);
    }
}

bool wzp_ct_hard_speak(wzp_ct_exec *e, wzp_ct_who who, uint32_t seq) {
    uint8_t buf[WZP_MEDIA_HDR_LEN + SPEECH];
    return wzp_ct_play_send(e, who, speech(seq, speech_mark, buf));
}

/* --- the control ------------------------------------------------------------------------------ */

const wzp_ct_whos wzp_ct_hard_control = {WZP_CT_KX, WZP_CT_KL, WZP_CT_PARTIES};

bool wzp_ct_hard_join_control(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    (void)snprintf(h->control_room, sizeof h->control_room, "%s-control", wzp_ct_play_room(e));
    return wzp_ct_play_join(e, WZP_CT_KX, h->control_room, WZP_CT_KX, now) &&
           wzp_ct_play_join(e, WZP_CT_KL, h->control_room, WZP_CT_KL, now);
}

void wzp_ct_hard_talk(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    uint8_t buf[WZP_MEDIA_HDR_LEN + SPEECH];
    h->talk_from = h->talk_from == 0 ? now : h->talk_from;
    for (; h->talk_from + h->spoken * STEP <= now; h->spoken++) {
        (void)wzp_ct_play_send(e, WZP_CT_KX, speech(h->spoken, control_mark, buf));
    }
    wzp_ct_play_wake(e, h->talk_from + h->spoken * STEP);
}

/* A packet that is on its way is none that is lost. */
wzp_ct_so_far wzp_ct_hard_weigh(wzp_ct_exec *e) {
    const wzp_ct_hard *h = wzp_ct_play_state(e);
    const uint32_t due = h->spoken > 10 ? h->spoken - 10 : 0;
    wzp_ct_play_say(e, "the control heard %u of %u packets", h->heard, h->spoken);
    return h->heard * UINT64_C(100) >= due * UINT64_C(99)                       ? WZP_CT_HAPPENED
           : wzp_ct_play_path_loses(e) || wzp_ct_play_lateness(e) > 50 * WZP_MS ? WZP_CT_UNSURE
                                                                                : WZP_CT_NEVER;
}

/* --- everything twice ------------------------------------------------------------------- */

static wzp_ct_so_far go_twice(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    for (; h->sent < TWICE && h->sent * STEP <= elapsed; h->sent++) {
        (void)wzp_ct_hard_speak(e, WZP_CT_X, h->sent);
        (void)wzp_ct_hard_speak(e, WZP_CT_X, h->sent);
    }
    wzp_ct_play_wake(e, now + STEP);
    if (wzp_ct_is_gone(e, WZP_CT_X)) {
        return WZP_CT_NEVER;
    }
    if (elapsed < TWICE * STEP + SETTLE) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "%u of %d packets and their copies arrived", h->arrived, 2 * TWICE);
    return WZP_CT_HAPPENED;
}

const wzp_ct_act wzp_ct_acts_x09[WZP_CT_X09_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    {.required = "each packet is sent twice, and nobody is closed",
     .within_s = 4,
     .go = go_twice,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .never = WZP_CT_REASON_UNTYPED_CLOSE},
};

/* --- trunk frames that promise more than they have -------------------------------------- */

/* 65 535 entries in 3, in 10 and in 1000 bytes; then one entry of 65 535 bytes in 16. */
static void send_frames(wzp_ct_exec *e) {
    static const size_t lens[] = {3, 10, 1000};
    uint8_t frame[1000] = {0, 0xff, 0xff};
    for (size_t at = 3; at + sizeof strange_mark <= sizeof frame; at += sizeof strange_mark) {
        memcpy(frame + at, strange_mark, sizeof strange_mark);
    }
    for (size_t i = 0; i < WZP_COUNT_OF(lens); i++) {
        (void)wzp_ct_play_send(e, WZP_CT_X, wzp_bytes_of(frame, lens[i]));
    }
    const uint8_t entry[16] = {0, 0, 1, 7, 7, 0xff, 0xff, 0xde, 0xad, 0xbe, 0xef, 0x5a, 0xa5, 0x99};
    (void)wzp_ct_play_send(e, WZP_CT_X, wzp_bytes_of(entry, sizeof entry));
}

static wzp_ct_so_far go_frames(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    for (; h->next < FRAMES && h->next * (2 * STEP) <= elapsed; h->next++) {
        send_frames(e);
    }
    wzp_ct_play_wake(e, now + 2 * STEP);
    return wzp_ct_is_gone(e, WZP_CT_X)                  ? WZP_CT_NEVER
           : h->strange > 0                             ? WZP_CT_NEVER
           : elapsed >= FRAMES * (2 * STEP) + 5 * WZP_S ? WZP_CT_HAPPENED
                                                        : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_talk(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    for (; h->sent < TALK && h->sent * STEP <= elapsed; h->sent++) {
        (void)wzp_ct_hard_speak(e, WZP_CT_X, h->sent);
    }
    wzp_ct_play_wake(e, now + STEP);
    return wzp_ct_is_gone(e, WZP_CT_X)                          ? WZP_CT_NEVER
           : h->arrived >= TALK                                 ? WZP_CT_HAPPENED
           : elapsed < 2500 * WZP_MS                            ? WZP_CT_NOT_YET
           : wzp_ct_play_path_loses(e) && h->arrived * 2 > TALK ? WZP_CT_UNSURE
                                                                : WZP_CT_NEVER;
}

const wzp_ct_act wzp_ct_acts_x11[WZP_CT_X11_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    {.required = "200 such frames reach nobody, and 5 s later nobody is closed",
     .within_s = 9,
     .go = go_frames,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "a second of speech arrives",
     .within_s = 4,
     .go = go_talk,
     .late = WZP_CT_REASON_NOT_FORWARDED,
     .never = WZP_CT_REASON_NOT_FORWARDED},
};

/* --- keyframes without end -------------------------------------------------------------- */

static bool begin_keyframes(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_make_traffic(e, now);
    return true;
}

/* A relay that hangs up on this has defended itself. */
static wzp_ct_so_far go_keyframes(wzp_ct_exec *e, wzp_time now) {
    const bool over = wzp_ct_play_send_traffic(e, WZP_CT_X, now);
    wzp_ct_hard_talk(e, now);
    return over ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

static bool begin_joins(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    wzp_ct_play_say(e, "%llu packets were sent", (unsigned long long)wzp_ct_play_sent(e));
    h->next_at = now;
    return wzp_ct_play_join(e, WZP_CT_P6, NULL, WZP_CT_P6, now);
}

/* One after the other, five a second; the control talks on for two seconds. */
static wzp_ct_so_far go_joins(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    const wzp_ct_party *p = wzp_ct_play_party(e, WZP_CT_P6);
    wzp_ct_hard_talk(e, now);
    if (h->next == JOINS) {
        return now >= h->next_at + 2 * WZP_S ? wzp_ct_hard_weigh(e) : WZP_CT_NOT_YET;
    }
    if (p->room_count == 0) {
        return wzp_party_gone(p) || now >= h->next_at + 2 * WZP_S ? WZP_CT_NEVER : WZP_CT_NOT_YET;
    }
    if (now < h->next_at + 200 * WZP_MS) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_leave(e, WZP_CT_P6, now);
    h->next_at = now;
    return ++h->next == JOINS || wzp_ct_play_join(e, WZP_CT_P6, NULL, WZP_CT_P6, now)
               ? WZP_CT_NOT_YET
               : WZP_CT_UNSURE;
}

const wzp_ct_act wzp_ct_acts_x13[WZP_CT_X13_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    WZP_CT_CONTROL_JOINED,
    {.required = "one begins a keyframe of 200 KB on each of 256 streams and ends none",
     .within_s = 60,
     .begin = begin_keyframes,
     .go = go_keyframes,
     .late = WZP_CT_REASON_SENDER_RATE},
    {.required = "20 join that room, each within two seconds, and the control hears all",
     .within_s = 60,
     .begin = begin_joins,
     .go = go_joins,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .never = WZP_CT_REASON_NOT_FORWARDED},
};

/* --- gone without a word ---------------------------------------------------------------- */

/* 30 s of silence, which the relay's own keep-alive restarts once (RFC 9000, 10.1), and then it
 * must be seen. */
#define ABSENCE_S 45

static wzp_ct_so_far go_sending(wzp_ct_exec *e, wzp_time now) {
    const bool over = wzp_ct_play_send_traffic(e, WZP_CT_X, now);
    return over || wzp_ct_is_gone(e, WZP_CT_X)        ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) >= 2 * WZP_S ? WZP_CT_HAPPENED
                                                      : WZP_CT_NOT_YET;
}

static bool begin_absence(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    wzp_ct_play_vanish(e, WZP_CT_X);
    return true;
}

static wzp_ct_so_far go_absence(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *l = wzp_ct_play_party(e, WZP_CT_L);
    if (l->room_count == 1) {
        wzp_ct_play_say(e, "after %.1f s", (double)wzp_ct_play_elapsed(e, now) / 1e9);
        return WZP_CT_HAPPENED;
    }
    return wzp_party_gone(l) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_x14[WZP_CT_X14_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    {.required = "one speaks",
     .within_s = 4,
     .begin = begin_keyframes,
     .go = go_sending,
     .late = WZP_CT_REASON_SENDER_RATE},
    {.required = "it falls silent, and the other one is told that it has left",
     .within_s = ABSENCE_S,
     .begin = begin_absence,
     .go = go_absence,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- one certificate -------------------------------------------------------------------- */

static bool begin_first_look(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_X, NULL, WZP_CT_X, now) &&
           wzp_ct_play_register(e, WZP_CT_L, now);
}

static wzp_ct_so_far go_same(wzp_ct_exec *e, wzp_ct_who a, wzp_ct_who b) {
    const wzp_ct_party *pa = wzp_ct_play_party(e, a);
    const wzp_ct_party *pb = wzp_ct_play_party(e, b);
    if (!pa->has_cert || !pb->has_cert) {
        return wzp_party_gone(pa) || wzp_party_gone(pb) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
    }
    return memcmp(pa->cert, pb->cert, sizeof pa->cert) == 0 ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

static wzp_ct_so_far go_first_look(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return go_same(e, WZP_CT_X, WZP_CT_L);
}

static bool begin_second_look(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_leave(e, WZP_CT_L, now);
    return wzp_ct_play_join(e, WZP_CT_KX, NULL, WZP_CT_X, now);
}

static wzp_ct_so_far go_second_look(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return go_same(e, WZP_CT_X, WZP_CT_KX);
}

const wzp_ct_act wzp_ct_acts_x15[WZP_CT_X15_ACTS] = {
    {.required = "a member of a room and a client of _signal see one certificate",
     .within_s = 5,
     .begin = begin_first_look,
     .go = go_first_look,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "a third connection sees it as well",
     .within_s = 5,
     .begin = begin_second_look,
     .go = go_second_look,
     .late = WZP_CT_REASON_NO_RESPONSE},
};
