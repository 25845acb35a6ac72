#include "conformance/cases/client/follow.h"

enum { BEGINS = 10, FOLLOWS = 5, STAYS = 20 };

#define SLACK (60 * WZP_MS) /* what the path and the client's own queue take */
#define WATCH (600 * WZP_MS)
#define STAY (1500 * WZP_MS)
#define HICCUP (25 * WZP_MS)

const char *wzp_ct_codec_name(int codec) {
    const wzp_codec_info *info = codec >= 0 ? wzp_codec_find((uint8_t)codec) : NULL;
    return info != NULL ? info->name : "nothing";
}

bool wzp_ct_follow_is_excused(wzp_ct_exec *e) {
    return wzp_ct_server_path_is_bad(wzp_ct_play_server(e)) || wzp_ct_play_lateness(e) > HICCUP;
}

/* --- what came -------------------------------------------------------------------------------- */

static bool is_source(const wzp_ct_heard_packet *p) {
    return p != NULL && !wzp_ct_is_repair(p) && p->hdr.codec_id != WZP_CODEC_COMFORT_NOISE;
}

static int newest(const wzp_ct_heard *h, uint64_t from) {
    for (uint64_t i = h->count; i > from; i--) {
        const wzp_ct_heard_packet *p = wzp_ct_heard_get(h, i - 1);
        if (is_source(p)) {
            return p->hdr.codec_id;
        }
    }
    return -1;
}

int wzp_ct_follow_codec(const wzp_ct_exec *e, const wzp_ct_follow *st) {
    return newest(&wzp_ct_play_server(e)->audio, st->from);
}

static unsigned count(const wzp_ct_exec *e, uint64_t from, uint8_t codec, bool same, wzp_time at) {
    const wzp_ct_heard *h = &wzp_ct_play_server(e)->audio;
    unsigned n = 0;
    for (uint64_t i = from; i < h->count; i++) {
        const wzp_ct_heard_packet *p = wzp_ct_heard_get(h, i);
        n += is_source(p) && p->at > at && (p->hdr.codec_id == codec) == same ? 1 : 0;
    }
    return n;
}

unsigned wzp_ct_follow_others(const wzp_ct_exec *e, const wzp_ct_follow *st, uint8_t codec,
                              wzp_time at) {
    return count(e, st->from, codec, false, at);
}

unsigned wzp_ct_follow_count(const wzp_ct_exec *e, const wzp_ct_follow *st, uint8_t codec,
                             wzp_time at) {
    return count(e, st->from, codec, true, at);
}

void wzp_ct_follow_begin(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_follow *st = wzp_ct_play_state(e);
    const wzp_ct_heard *h = &wzp_ct_play_server(e)->audio;
    const int was = newest(h, 0);
    st->was = was >= 0 ? (uint8_t)was : st->was;
    st->from = h->count;
    st->attempts = 0;
    st->told_at = now;
}

wzp_ct_so_far wzp_ct_step_client_begins(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_follow *st = wzp_ct_play_state(e);
    const wzp_ct_heard *h = &wzp_ct_play_server(e)->audio;
    const int codec = newest(h, 0);
    (void)now;
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    if (h->count == 0 && h->compact > 0) {
        return wzp_ct_play_lacks(e, "full-headers");
    }
    if (codec < 0 || count(e, 0, (uint8_t)codec, true, 0) < BEGINS) {
        return WZP_CT_NOT_YET;
    }
    st->first = (uint8_t)codec;
    return WZP_CT_HAPPENED;
}

/* --- signals ---------------------------------------------------------------------------------- */

bool wzp_ct_step_tell(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_word *word = wzp_ct_play_arg(e);
    wzp_ct_follow_begin(e, now);
    return wzp_ct_server_say(wzp_ct_play_server(e), word->json);
}

static bool is_auto(const wzp_ct_exec *e) {
    const char *quality = wzp_ct_play_quality(e);
    return quality != NULL && strcmp(quality, "auto") == 0;
}

/* Nobody told this client whether to adapt. */
static wzp_ct_so_far not_told(wzp_ct_exec *e) {
    return wzp_ct_play_lacks(e, is_auto(e) ? "adaptation" : "fixed quality");
}

/* On a bad path less than what was directed may be all that it wants to send; a second and a half
 * after the signal nothing explains more. */
static bool may_be_right(wzp_ct_exec *e, int codec, uint8_t directed) {
    const wzp_codec_info *now = codec >= 0 ? wzp_codec_find((uint8_t)codec) : NULL;
    const bool is_less = now == NULL || now->nominal_bps < wzp_codec_find(directed)->nominal_bps;
    return wzp_ct_play_lateness(e) > STAY / 3 ||
           (is_less && wzp_ct_server_path_is_bad(wzp_ct_play_server(e)));
}

static wzp_ct_so_far is_stale(wzp_ct_exec *e, const wzp_ct_word *word, wzp_time now) {
    const wzp_ct_follow *st = wzp_ct_play_state(e);
    const wzp_ct_server *s = wzp_ct_play_server(e);
    const int codec = wzp_ct_follow_codec(e, st);
    if (wzp_ct_follow_count(e, st, word->codec, s->watched_at) > 0) {
        wzp_ct_play_say(e, "after it had the signal it went on too long with %s instead of %s",
                        wzp_ct_codec_name(st->was), wzp_ct_codec_name(word->codec));
        return wzp_ct_follow_is_excused(e) ? WZP_CT_UNSURE : WZP_CT_NEVER;
    }
    if (now < s->watched_at + STAY) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "after it had the signal it still sends %s instead of %s",
                    wzp_ct_codec_name(codec), wzp_ct_codec_name(word->codec));
    return !wzp_ct_play_tunes(e)                 ? not_told(e)
           : may_be_right(e, codec, word->codec) ? WZP_CT_UNSURE
                                                 : WZP_CT_NEVER;
}

/* It has the signal when its acknowledgement comes, at the latest. */
wzp_ct_so_far wzp_ct_step_followed(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_word *word = wzp_ct_play_arg(e);
    const wzp_ct_follow *st = wzp_ct_play_state(e);
    const wzp_ct_server *s = wzp_ct_play_server(e);
    const uint64_t limit = word->lenient_ms != 0
                               ? word->lenient_ms * WZP_MS
                               : (uint64_t)2 * wzp_ct_frame_ms(st->was) * WZP_MS + SLACK;
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    if (!s->watched_came) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_wake(e, s->watched_at + limit + WATCH);
    if (wzp_ct_follow_others(e, st, word->codec, s->watched_at + limit) > 0) {
        return is_stale(e, word, now);
    }
    return now >= s->watched_at + limit + WATCH &&
                   wzp_ct_follow_count(e, st, word->codec, s->watched_at) >= FOLLOWS
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}

wzp_ct_so_far wzp_ct_step_ignored(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_follow *st = wzp_ct_play_state(e);
    const wzp_ct_server *s = wzp_ct_play_server(e);
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    if (!is_auto(e) && !wzp_ct_play_tunes(e)) {
        return not_told(e);
    }
    if (!s->watched_came) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_wake(e, s->watched_at + STAY);
    if (wzp_ct_follow_others(e, st, st->was, s->watched_at) > 0) {
        wzp_ct_play_say(e, "it changed from %s to %s", wzp_ct_codec_name(st->was),
                        wzp_ct_codec_name(wzp_ct_follow_codec(e, st)));
        /* One that adapts may have seen its own path grow worse. */
        return is_auto(e) && wzp_ct_follow_is_excused(e) ? WZP_CT_UNSURE : WZP_CT_NEVER;
    }
    return now >= s->watched_at + STAY &&
                   wzp_ct_follow_count(e, st, st->was, s->watched_at) >= STAYS
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}
