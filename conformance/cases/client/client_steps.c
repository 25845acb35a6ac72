#include "conformance/cases/client/client_steps.h"

enum { PAYLOAD = 76, FIRST_MEDIA = 10 };

#define REKEY_PAUSE (500 * WZP_MS)

bool wzp_ct_client_is_there(const wzp_ct_exec *e) {
    return wzp_ct_server_has_client(wzp_ct_play_server(e)) && wzp_ct_play_fate(e) == WZP_CT_RUNS;
}

wzp_ct_so_far wzp_ct_step_client_joined(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_server *s = wzp_ct_play_server(e);
    const wzp_ct_fate fate = wzp_ct_play_fate(e);
    (void)now;
    if (wzp_ct_client_is_there(e)) {
        return WZP_CT_HAPPENED;
    }
    if (s->state == WZP_CT_SERVER_WAITS && s->elsewhere == 0 && fate == WZP_CT_EXITED) {
        return WZP_CT_UNSURE; /* its command is wrong, or it gave up on a machine this slow */
    }
    return s->state != WZP_CT_SERVER_REFUSED && fate == WZP_CT_RUNS ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

wzp_ct_so_far wzp_ct_step_client_seals(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_server *s = wzp_ct_play_server(e);
    const wzp_ct_incoming *m = &s->media;
    (void)now;
    if (!wzp_ct_client_is_there(e) || (m->clear > 0 && (m->sealed > 0 || wzp_ct_play_obeys(e)))) {
        return WZP_CT_NEVER;
    }
    if (m->clear >= FIRST_MEDIA) {
        return wzp_ct_play_lacks(e, "relay-aead");
    }
    s->seals = m->sealed >= FIRST_MEDIA;
    return s->seals ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

wzp_ct_so_far wzp_ct_step_client_speaks(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_listen(e).speaks              ? WZP_CT_HAPPENED
           : !wzp_ct_client_is_there(e)              ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) > 3 * WZP_S ? wzp_ct_play_lacks(e, "statistics")
                                                     : WZP_CT_NOT_YET;
}

wzp_ct_so_far wzp_ct_step_client_sends(wzp_ct_exec *e, wzp_time now) {
    const unsigned *count = wzp_ct_play_arg(e);
    (void)now;
    return wzp_ct_play_server(e)->media.packets >= *count ? WZP_CT_HAPPENED
           : wzp_ct_client_is_there(e)                    ? WZP_CT_NOT_YET
                                                          : WZP_CT_NEVER;
}

/* --- packets ---------------------------------------------------------------------------------- */

static void begin(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_client_state *st = wzp_ct_play_state(e);
    st->opened = wzp_ct_play_listen(e).opened;
    st->reached_at = 0;
    st->began = st->next_at = now;
    st->lost = wzp_ct_server_lost(wzp_ct_play_server(e));
    st->sent = st->done = 0;
}

/* The case's first number is this run's own, so that numbers also wrap now and then. */
static wzp_ct_outgoing packet_of(const wzp_ct_exec *e, uint8_t type, uint8_t codec,
                                 uint32_t number) {
    const uint64_t seed = wzp_ct_play_seed(e);
    return (wzp_ct_outgoing){.hdr = {.version = 2,
                                     .media_type = type,
                                     .codec_id = codec,
                                     .seq = (uint32_t)seed + number,
                                     .timestamp_ms = (uint32_t)(seed >> 34) + 20 * number},
                             .payload = PAYLOAD,
                             .seed = seed};
}

static bool send_one(wzp_ct_exec *e, const wzp_ct_burst *b, uint32_t number, size_t index) {
    wzp_ct_client_state *st = wzp_ct_play_state(e);
    wzp_ct_outgoing p = packet_of(e, b->type, b->codec, number);
    p.hdr.flags = b->flags;
    p.flip = index < WZP_CT_BURST ? b->flips[index] : 0;
    p.flip_tail = b->flip_tail;
    st->sent++;
    return wzp_ct_server_send(wzp_ct_play_server(e), &p);
}

bool wzp_ct_step_burst(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_burst *b = wzp_ct_play_arg(e);
    bool ok = true;
    begin(e, now);
    for (size_t i = 0; i < b->count; i++) {
        ok = ok && send_one(e, b, b->numbers[i], i);
    }
    for (uint32_t n = b->from; b->count == 0 && n <= b->until; n++) {
        ok = ok && (n == b->last || send_one(e, b, n, WZP_CT_BURST));
    }
    return ok && (b->count != 0 || b->last == 0 || send_one(e, b, b->last, WZP_CT_BURST));
}

/* From `least` to `most` more were opened, and it stays so. */
static wzp_ct_so_far opened(wzp_ct_exec *e, uint64_t least, uint64_t most, wzp_time now) {
    wzp_ct_client_state *st = wzp_ct_play_state(e);
    const uint64_t got = wzp_ct_play_listen(e).opened - st->opened;
    if (got > most) { /* unless what came before it was lost, or came in another order */
        return wzp_ct_server_path_is_bad(wzp_ct_play_server(e)) ? WZP_CT_UNSURE : WZP_CT_NEVER;
    }
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    if (got < least) {
        st->reached_at = 0;
        return WZP_CT_NOT_YET;
    }
    st->reached_at = st->reached_at == 0 ? now : st->reached_at;
    wzp_ct_play_wake(e, st->reached_at + WZP_CT_CLIENT_SETTLE);
    return now >= st->reached_at + WZP_CT_CLIENT_SETTLE ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

static uint64_t lost(wzp_ct_exec *e) {
    const wzp_ct_client_state *st = wzp_ct_play_state(e);
    return wzp_ct_server_lost(wzp_ct_play_server(e)) - st->lost;
}

wzp_ct_so_far wzp_ct_step_opened(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_burst *b = wzp_ct_play_arg(e);
    const wzp_ct_so_far so_far = opened(e, b->opens, b->opens, now);
    return so_far == WZP_CT_NOT_YET && wzp_ct_play_elapsed(e, now) > 3 * WZP_S &&
                   wzp_ct_server_path_is_bad(wzp_ct_play_server(e))
               ? WZP_CT_UNSURE
               : so_far;
}

wzp_ct_so_far wzp_ct_step_video_opened(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_so_far so_far = wzp_ct_step_opened(e, now);
    return so_far == WZP_CT_NOT_YET && wzp_ct_play_elapsed(e, now) > 4 * WZP_S
               ? wzp_ct_play_lacks(e, "video")
               : so_far;
}

/* --- trains ----------------------------------------------------------------------------------- */

bool wzp_ct_step_train(wzp_ct_exec *e, wzp_time now) {
    begin(e, now);
    return true;
}

static bool send_next(wzp_ct_exec *e, const wzp_ct_train *t) {
    wzp_ct_client_state *st = wzp_ct_play_state(e);
    const uint32_t number = st->done++;
    if (t->skip_every != 0 && number % t->skip_every == t->skip_every - 1) {
        return true;
    }
    const wzp_ct_outgoing p = packet_of(e, t->type, t->codec, t->first + number);
    st->sent++;
    return wzp_ct_server_send(wzp_ct_play_server(e), &p);
}

static bool must_pause(const wzp_ct_server *s, wzp_time now) {
    return s->rekeying || (s->rekeys > 0 && now < s->rekeyed_at + REKEY_PAUSE);
}

/* But for what was lost on the way; of much of that nothing can be said. */
static wzp_ct_so_far all_opened(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_client_state *st = wzp_ct_play_state(e);
    const uint64_t gone = lost(e);
    if (gone * 100 > st->sent && now > st->next_at + 3 * WZP_S) {
        wzp_ct_play_say(e, "%llu of %llu packets were lost on the way", (unsigned long long)gone,
                        (unsigned long long)st->sent);
        return WZP_CT_UNSURE;
    }
    return opened(e, st->sent - gone, st->sent, now);
}

wzp_ct_so_far wzp_ct_step_train_opened(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_train *t = wzp_ct_play_arg(e);
    wzp_ct_client_state *st = wzp_ct_play_state(e);
    const wzp_ct_server *s = wzp_ct_play_server(e);
    if (st->done == t->count) {
        return all_opened(e, now);
    }
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    if (must_pause(s, now)) {
        st->next_at = now;
    }
    while (st->done < t->count && st->next_at <= now && !must_pause(s, now)) {
        if (!send_next(e, t)) {
            return WZP_CT_UNSURE;
        }
        st->next_at += WZP_S / t->rate;
    }
    wzp_ct_play_wake(e, must_pause(s, now) ? now + WZP_MS : st->next_at);
    return WZP_CT_NOT_YET;
}
