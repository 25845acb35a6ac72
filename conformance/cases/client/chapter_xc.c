/* Clients: what hardening asks of them (conformance sheet 24.16, and G-11 of 24.10). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/client/client_steps.h"
#include "conformance/cases/macros.h"

#define AUDIO .type = WZP_MEDIA_AUDIO, .codec = WZP_CODEC_OPUS_24K
#define VIDEO .type = WZP_MEDIA_VIDEO, .codec = WZP_CODEC_H264_BASELINE

#define SEALED_CLIENT WZP_CT_CLIENT_JOINED, WZP_CT_CLIENT_SEALS, WZP_CT_CLIENT_SPEAKS

/* --- order, loss, replays --------------------------------------------------------------------- */

static const wzp_ct_burst shuffled = {AUDIO, .count = 5, .numbers = {0, 2, 1, 4, 3}, .opens = 5};
static const wzp_ct_act x01[] = {
    SEALED_CLIENT,
    WZP_CT_OPENS("all of the packets 0, 2, 1, 4, 3 are opened", &shuffled),
};

static const wzp_ct_train lossy = {AUDIO, .rate = 50, .count = 3000, .skip_every = 10};
static const wzp_ct_act x02[] = {
    SEALED_CLIENT,
    {"every packet that arrives is opened", 70, wzp_ct_step_train, wzp_ct_step_train_opened,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, &lossy},
};

static const wzp_ct_burst edge = {AUDIO, .count = 2, .numbers = {63, 0}, .opens = 2};
static const wzp_ct_burst again = {AUDIO, .count = 1, .numbers = {0}, .opens = 0};
static const wzp_ct_burst beyond = {AUDIO, .count = 2, .numbers = {65, 1}, .opens = 1};
static const wzp_ct_burst within = {AUDIO, .count = 1, .numbers = {2}, .opens = 1};
static const wzp_ct_burst newest = {AUDIO, .count = 1, .numbers = {65}, .opens = 0};
static const wzp_ct_act x03[] = {
    SEALED_CLIENT,
    WZP_CT_OPENS("a packet that is 63 late is opened", &edge),
    WZP_CT_OPENS("the same packet is not opened again", &again),
    WZP_CT_OPENS("a packet that is 64 late is refused, the one before it opened", &beyond),
    WZP_CT_OPENS("the next one, 63 late, is opened", &within),
    WZP_CT_OPENS("the newest packet is not opened again", &newest),
};

static const wzp_ct_burst one_of_video = {VIDEO, .count = 1, .numbers = {0}, .opens = 1};
static const wzp_ct_burst frame = {VIDEO, .from = 1, .until = 200, .last = 50, .opens = 200};
static const wzp_ct_act x04[] = {
    SEALED_CLIENT,
    WZP_CT_TAKES_VIDEO(&one_of_video),
    WZP_CT_OPENS("all of 200 are opened, one of which comes 150 late", &frame),
};

/* --- forgeries -------------------------------------------------------------------------------- */

/* Reserved flags, the FEC ratio, a timestamp; the first byte that is sealed and one in the middle;
 * the tag's first and last bit (the payload has 76 bytes). */
static const wzp_ct_burst forged = {AUDIO, .count = 7, .numbers = {0, 1, 2, 3, 4, 5, 6},
                                    .flips = {16, 41, 112, 129, 400, 737, 864}, .opens = 0};
static const wzp_ct_burst genuine = {AUDIO, .count = 7, .numbers = {0, 1, 2, 3, 4, 5, 6},
                                     .opens = 7};
static const wzp_ct_burst after = {AUDIO, .from = 7, .until = 56, .opens = 50};
static const wzp_ct_act x05[] = {
    SEALED_CLIENT,
    WZP_CT_OPENS("no packet with a wrong bit is opened", &forged),
    WZP_CT_OPENS("the genuine ones with the same numbers are", &genuine),
    WZP_CT_OPENS("the session goes on", &after),
};

static const wzp_ct_burst tail = {
    AUDIO, .flags = WZP_MEDIA_QUALITY, .count = 1, .numbers = {0}, .flips = {9}, .flip_tail = true};

static wzp_ct_so_far go_trailer(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_client_state *st = wzp_ct_play_state(e);
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    if (wzp_ct_play_elapsed(e, now) < 2 * WZP_CT_CLIENT_SETTLE) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, wzp_ct_play_listen(e).opened > st->opened
                           ? "a packet with an altered quality report is opened, as deployed: the "
                             "report is not under the seal"
                           : "a packet with an altered quality report is refused");
    return WZP_CT_HAPPENED;
}

static const wzp_ct_act x06[] = {
    SEALED_CLIENT,
    {"the client goes on", 5, wzp_ct_step_burst, go_trailer, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_NONE, &tail},
};

/* --- what it sends ---------------------------------------------------------------------------- */

enum { WATCHED = 100, STRAYS = 5 };

static bool is_in_order(wzp_ct_exec *e, const wzp_ct_incoming *m) {
    if (m->repeated + m->seq_breaks + m->ts_breaks + m->malformed == 0) {
        return true;
    }
    wzp_ct_play_say(
        e,
        "of %llu packets %llu repeat a number, %llu break the row of numbers, %llu that "
        "of timestamps, %llu are malformed",
        (unsigned long long)m->packets, (unsigned long long)m->repeated,
        (unsigned long long)m->seq_breaks, (unsigned long long)m->ts_breaks,
        (unsigned long long)m->malformed);
    return false;
}

static wzp_ct_so_far go_watch(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_incoming *m = &wzp_ct_play_server(e)->media;
    (void)now;
    if (m->clear > 0) {
        wzp_ct_play_say(e, "%llu of %llu packets do not open with the session key",
                        (unsigned long long)m->clear, (unsigned long long)m->packets);
        return WZP_CT_NEVER;
    }
    if (m->repeated > 0 || !wzp_ct_client_is_there(e)) {
        (void)is_in_order(e, m);
        return WZP_CT_NEVER;
    }
    return m->sealed >= WATCHED ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

static const wzp_ct_act x07[] = {
    WZP_CT_CLIENT_JOINED,
    WZP_CT_CLIENT_SEALS,
    {"each of 100 packets is sealed, and no number comes twice", 30, NULL, go_watch,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

/* --- rekey ------------------------------------------------------------------------------------ */

static bool begin_rekey(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_client_state *st = wzp_ct_play_state(e);
    (void)now;
    st->clear = wzp_ct_play_server(e)->media.clear;
    return wzp_ct_server_rekey(wzp_ct_play_server(e));
}

static wzp_ct_so_far go_rekey(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_server *s = wzp_ct_play_server(e);
    (void)now;
    return s->rekeys > 0                                     ? WZP_CT_HAPPENED
           : s->bad_rekeys > 0 || !wzp_ct_client_is_there(e) ? WZP_CT_NEVER
                                                             : WZP_CT_NOT_YET;
}

/* All that has come since opens with the new key, but for what was on its way.  A Rekey that was
 * lost comes behind media that are sealed by it. */
static wzp_ct_so_far has_turned(wzp_ct_exec *e) {
    const wzp_ct_client_state *st = wzp_ct_play_state(e);
    const wzp_ct_server *s = wzp_ct_play_server(e);
    const bool is_late =
        s->media.last_old_at > s->rekeyed_at && s->media.last_old_at - s->rekeyed_at > WZP_S;
    const bool is_strange = s->media.clear > st->clear + STRAYS;
    if (!is_late && !is_strange) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, is_late ? "a second later it still seals with the old key"
                               : "what it sends opens with neither key");
    return wzp_ct_server_path_is_bad(s) ? WZP_CT_UNSURE : WZP_CT_NEVER;
}

static wzp_ct_so_far go_on(wzp_ct_exec *e, wzp_time now) {
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    if (wzp_ct_play_elapsed(e, now) < 3 * WZP_S) {
        return WZP_CT_NOT_YET;
    }
    return is_in_order(e, &wzp_ct_play_server(e)->media) ? has_turned(e) : WZP_CT_NEVER;
}

enum { REKEY_DUE = 65536 };

/* Where many were lost on the way the client cannot have counted so far. */
static wzp_ct_so_far go_second_rekey(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_server *s = wzp_ct_play_server(e);
    const bool is_over = wzp_ct_play_elapsed(e, now) > 2500 * WZP_MS;
    return s->rekeys >= 2                                                  ? WZP_CT_HAPPENED
           : !wzp_ct_client_is_there(e)                                    ? WZP_CT_NEVER
           : is_over && s->since_rekey < REKEY_DUE + wzp_ct_server_lost(s) ? WZP_CT_UNSURE
                                                                           : WZP_CT_NOT_YET;
}

static const wzp_ct_burst with_new_key = {VIDEO, .from = 1, .until = 10, .opens = 10};
static const wzp_ct_train many = {VIDEO, .rate = 2000, .count = 70000, .first = 11};
static const wzp_ct_act x08[] = {
    SEALED_CLIENT,
    WZP_CT_TAKES_VIDEO(&one_of_video),
    {"it answers a Rekey with its own", 5, begin_rekey, go_rekey, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_WRONG_RESPONSE, NULL},
    {"its media go on under the new key, and so do their numbers", 5, NULL, go_on,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, NULL},
    WZP_CT_OPENS("it opens what is sealed with the new key", &with_new_key),
    {"70,000 packets are opened", 90, wzp_ct_step_train, wzp_ct_step_train_opened,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, &many},
    {"after 65,536 of them it has told a new key by itself", 3, NULL, go_second_rekey,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, NULL},
    {"its numbers and timestamps go on", 5, NULL, go_on, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

/* --- hangups ---------------------------------------------------------------------------------- */

static const unsigned some_media = 10;

#define SENDS                                                                                      \
    {                                                                                              \
        .required = "the client sends media", .within_s = 8, .go = wzp_ct_step_client_sends,       \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = &some_media                                      \
    }

static bool begin_unknown(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_server *s = wzp_ct_play_server(e);
    (void)now;
    return wzp_ct_server_say(s, "{\"Hangup\":{\"version\":1,\"reason\":\"WzpConformance\"}}") &&
           wzp_ct_server_say(
               s, "{\"Hangup\":{\"version\":1,\"reason\":{\"WzpConformance\":{\"code\":1}}}}");
}

static bool has_left(const wzp_ct_server *s) {
    return s->state == WZP_CT_SERVER_GONE && (s->close.kind == WZP_QUIC_CLOSE_PEER_APP ||
                                              s->close.kind == WZP_QUIC_CLOSE_PEER_TRANSPORT);
}

/* A program that crashed says nothing any more; one that lives acknowledges what it is told. */
static wzp_ct_so_far go_survives(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_client_state *st = wzp_ct_play_state(e);
    wzp_ct_server *s = wzp_ct_play_server(e);
    if (wzp_ct_play_fate(e) == WZP_CT_CRASHED) {
        return WZP_CT_NEVER;
    }
    if (has_left(s)) {
        wzp_ct_play_say(e, "it takes an unknown reason for a hangup: closed with \"%s\"",
                        s->close.reason);
        return WZP_CT_HAPPENED;
    }
    if (st->sent == 0 && wzp_ct_play_elapsed(e, now) >= 3 * WZP_S) {
        st->sent = 1;
        (void)wzp_ct_server_list(s, 2);
    }
    if (st->sent == 0 || !s->watched_came) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "it ignores an unknown reason");
    return WZP_CT_HAPPENED;
}

static const wzp_ct_act x16[] = {
    WZP_CT_CLIENT_JOINED,
    SENDS,
    {"it ignores the unknown reason or hangs up, and does not crash", 8, begin_unknown, go_survives,
     WZP_CT_REASON_CRASH, WZP_CT_REASON_CRASH, NULL},
};

#define ON_ITS_WAY (300 * WZP_MS)

static bool begin_hangup(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_server_say(
        wzp_ct_play_server(e),
        "{\"Hangup\":{\"version\":1,\"reason\":{\"PolicyViolation\":{\"code\":\"Bitrate\","
        "\"reason\":\"sustained bitrate over the limit of the codec\"}}}}");
}

/* From when it has the hangup, as far as its acknowledgement tells. */
static wzp_ct_so_far go_stops(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_server *s = wzp_ct_play_server(e);
    if (!s->watched_came) {
        return wzp_ct_server_has_client(s) ? WZP_CT_NOT_YET : WZP_CT_HAPPENED;
    }
    if (s->media.last_at > s->watched_at + WZP_S + ON_ITS_WAY) {
        wzp_ct_play_say(e, "media still came %.1f s after the hangup",
                        (double)(s->media.last_at - s->watched_at) / 1e9);
        return WZP_CT_NEVER;
    }
    return now >= s->watched_at + 3 * WZP_S ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

/* A client that tells nothing is judged by the wire alone. */
static wzp_ct_so_far go_reports(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_sayings said = wzp_ct_play_listen(e);
    if (strstr(said.hangup, "Bitrate") != NULL) {
        return WZP_CT_HAPPENED;
    }
    if (!said.speaks && wzp_ct_play_elapsed(e, now) > WZP_S) {
        wzp_ct_play_say(e, "it stops; whether it reports the code is not seen, for it tells no "
                           "statistics");
        return WZP_CT_HAPPENED;
    }
    return WZP_CT_NOT_YET;
}

static const wzp_ct_act g11[] = {
    WZP_CT_CLIENT_JOINED,
    SENDS,
    {"it stops sending within a second", 8, begin_hangup, go_stops, WZP_CT_REASON_NOT_CLOSED,
     WZP_CT_REASON_LATE, NULL},
    {"it reports the code", 2, NULL, go_reports, WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE,
     NULL},
};

/* The hangup has arrived: now the connection ends, as a relay ends it. */
static wzp_ct_so_far go_close(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_server *s = wzp_ct_play_server(e);
    if (wzp_ct_server_has_client(s) && s->watched_came) {
        wzp_quic_close(s->quic, s->conn, 0, "policy violation", now);
    }
    return wzp_ct_server_has_client(s) ? WZP_CT_NOT_YET : WZP_CT_HAPPENED;
}

static wzp_ct_so_far go_stays_away(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_server *s = wzp_ct_play_server(e);
    if (s->connections > 1) {
        wzp_ct_play_say(e, "it came back %.0f s later", (double)wzp_ct_play_elapsed(e, now) / 1e9);
        return WZP_CT_NEVER;
    }
    return wzp_ct_play_fate(e) == WZP_CT_RUNS ? WZP_CT_NOT_YET : WZP_CT_HAPPENED;
}

static const wzp_ct_act g11b[] = {
    WZP_CT_CLIENT_JOINED,
    SENDS,
    {"the hangup arrives", 5, begin_hangup, go_close, WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE,
     NULL},
    {"it does not come back by itself for a minute", 60, NULL, go_stays_away, WZP_CT_REASON_NONE,
     WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

/* --- the table -------------------------------------------------------------------------------- */

#define CLIENT(id, title, must, traffic, script, source, client_, ...)                             \
    {                                                                                              \
        .kind = WZP_CT_PLAY, .client = (client_),                                                  \
        .info = {INFO(id, "XC", title, "CONF-X-1", must, traffic, source), __VA_ARGS__},           \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(wzp_ct_client_state)               \
    }
#define SEALED(id, title, must, traffic, script, ...)                                              \
    CLIENT(id, title, must, traffic, script, "conformance 24.16", WZP_CT_CLIENT_SEALED, __VA_ARGS__)

static const wzp_ct_case cases[] = {
    SEALED("X-01", "packets out of order", "open all of them",
           "five sealed packets, in the order 0, 2, 1, 4, 3", x01, .level = WZP_CT_MUST),
    SEALED("X-02", "lost packets", "open all that arrive",
           "a minute of sealed speech without every tenth packet", x02, .level = WZP_CT_MUST),
    SEALED("X-03", "replayed and late audio",
           "open a packet once, and none that is 64 or more behind the newest",
           "audio that is 63 and 64 late, and twice", x03, .level = WZP_CT_MUST),
    SEALED("X-04", "late video", "open a packet that is 150 late: the window of video is 1,024",
           "a burst of 200 packets of video, one delayed by 150", x04, .level = WZP_CT_MUST),
    SEALED("X-05", "forged packets", "discard them, and go on",
           "a flipped bit in header, ciphertext or tag", x05, .level = WZP_CT_MUST),
    SEALED("X-06", "an altered quality report", "anything: it is only described",
           "a flipped bit in the report of a packet with Q", x06, .level = WZP_CT_INFO),
    SEALED("X-07", "every packet of its own is sealed",
           "seal each with the session key and never use a number twice",
           "what the client sends by itself", x07, .level = WZP_CT_MUST),
    SEALED("X-08", "rekey", "take part in it, begin it after 65,536 packets, go on numbering",
           "a Rekey, then 70,000 packets", x08, .level = WZP_CT_MUST),
    CLIENT("X-16", "a hangup for an unknown reason", "ignore it, or hang up", "two such Hangups",
           x16, "conformance 24.16", WZP_CT_CLIENT_CLEAR, .level = WZP_CT_MUST),
    CLIENT("G-11", "a hangup for abuse", "stop within a second and report the code",
           "Hangup PolicyViolation Bitrate; the connection stays open", g11, "conformance 24.10",
           WZP_CT_CLIENT_CLEAR, .level = WZP_CT_MUST),
    CLIENT("G-11b", "no return after abuse", "not reconnect by itself for a minute",
           "Hangup PolicyViolation Bitrate, then a close", g11b, "conformance 24.10",
           WZP_CT_CLIENT_CLEAR, .level = WZP_CT_SHOULD),
};

const wzp_ct_chapter wzp_ct_chapter_xc = {"XC", "Clients: hardening", cases, WZP_COUNT_OF(cases)};
