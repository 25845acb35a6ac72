#include "conformance/cases/client/hear.h"

#include <stdio.h>

enum { FRAME_MS = 20, ENOUGH_PERCENT = 90, FILLED_PERCENT = 70, STRAYS = 2 };

/* A machine that stops for so long makes gaps that are not the client's. */
#define HICCUP (30 * WZP_MS)
#define PATIENCE (3 * WZP_S)

wzp_ct_so_far wzp_ct_step_client_tells(wzp_ct_exec *e, wzp_time now) {
    return (wzp_ct_play_listen(e).tells & WZP_CT_TELLS_PLAYED) != 0 ? WZP_CT_HAPPENED
           : !wzp_ct_client_is_there(e)                             ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) > PATIENCE ? wzp_ct_play_lacks(e, "statistics of playout")
                                                    : WZP_CT_NOT_YET;
}

/* --- packets ---------------------------------------------------------------------------------- */

static uint32_t frame_ms(uint8_t codec) {
    return codec == WZP_CODEC_OPUS_6K || codec == WZP_CODEC_CODEC2_1200 ? 2 * FRAME_MS : FRAME_MS;
}

wzp_ct_outgoing wzp_ct_next_packet(const wzp_ct_hear *st, uint8_t codec, wzp_bytes bytes) {
    return (wzp_ct_outgoing){
        .hdr = {.version = 2, .codec_id = codec, .seq = st->seq, .timestamp_ms = st->ts},
        .bytes = bytes};
}

bool wzp_ct_send_frame(wzp_ct_exec *e, wzp_ct_hear *st, const wzp_ct_outgoing *packet,
                       bool is_sent) {
    st->seq++;
    st->ts += frame_ms(packet->hdr.codec_id);
    st->frame++;
    st->whole += is_sent ? 1 : 0;
    st->gaps += is_sent ? 0 : 1;
    return !is_sent || wzp_ct_server_send(wzp_ct_play_server(e), packet);
}

bool wzp_ct_send_extra(wzp_ct_exec *e, wzp_ct_hear *st, const wzp_ct_outgoing *packet) {
    st->seq++;
    return wzp_ct_server_send(wzp_ct_play_server(e), packet);
}

bool wzp_ct_send_at(wzp_ct_exec *e, const wzp_ct_hear *st, wzp_ct_outgoing packet, int32_t frames) {
    packet.hdr.seq = st->seq + (uint32_t)frames;
    packet.hdr.timestamp_ms = st->ts + (uint32_t)frames * frame_ms(packet.hdr.codec_id);
    return wzp_ct_server_send(wzp_ct_play_server(e), &packet);
}

/* --- blocks ----------------------------------------------------------------------------------- */

uint32_t wzp_ct_block_sources(uint8_t codec) {
    return codec == WZP_CODEC_CODEC2_3200 ? WZP_CT_SOURCES_3200 : WZP_CT_SOURCES_1200;
}

static wzp_ct_outgoing of_block(const wzp_ct_hear *st, uint8_t codec, uint32_t index,
                                wzp_bytes bytes) {
    wzp_ct_outgoing p = wzp_ct_next_packet(st, codec, bytes);
    p.hdr.fec_ratio = codec == WZP_CODEC_CODEC2_3200 ? 50 : 100;
    p.hdr.fec_block = (uint16_t)(index << 8 | st->block);
    return p;
}

static bool send_repairs(wzp_ct_exec *e, wzp_ct_hear *st, const wzp_ct_block *b) {
    const uint32_t count =
        b->codec == WZP_CODEC_CODEC2_3200 ? WZP_CT_REPAIRS_3200 : WZP_CT_REPAIRS_1200;
    uint8_t symbol[512] = {0};
    bool ok = true;
    for (uint32_t i = 0; i < count; i++) {
        const wzp_bytes known = wzp_ct_sound_repair(b->codec, i);
        memcpy(symbol, known.data, known.len);
        wzp_ct_outgoing p =
            of_block(st, b->codec, wzp_ct_block_sources(b->codec) + i,
                     wzp_bytes_of(symbol, b->repair_len != 0 ? b->repair_len : known.len));
        p.hdr.flags = WZP_MEDIA_REPAIR;
        ok = wzp_ct_send_extra(e, st, &p) && ok;
    }
    return ok;
}

bool wzp_ct_send_of_block(wzp_ct_exec *e, wzp_ct_hear *st, const wzp_ct_block *b, uint32_t i) {
    const bool is_lost = (b->lost >> i & 1) != 0;
    const wzp_ct_outgoing p = of_block(st, b->codec, i, wzp_ct_sound(b->codec, i));
    bool ok = wzp_ct_send_frame(e, st, &p, !is_lost);
    st->back += is_lost && !b->no_repairs ? 1 : 0;
    if (i + 1 == wzp_ct_block_sources(b->codec)) {
        ok = (b->no_repairs || send_repairs(e, st, b)) && ok;
        st->block++;
    }
    return ok;
}

/* --- reels ------------------------------------------------------------------------------------ */

bool wzp_ct_step_reel(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hear *st = wzp_ct_play_state(e);
    if (st->frame == 0) { /* this run's own, so that numbers also wrap now and then */
        const uint64_t seed = wzp_ct_play_seed(e);
        st->seq = (uint32_t)seed;
        st->ts = (uint32_t)(seed >> 34);
    }
    st->before = wzp_ct_play_listen(e);
    st->next_at = now;
    st->reached_at = 0;
    st->tick = st->whole = st->gaps = st->back = 0;
    return true;
}

/* HAPPENED: all of it has left. */
static wzp_ct_so_far send_due(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_reel *r = wzp_ct_play_arg(e);
    wzp_ct_hear *st = wzp_ct_play_state(e);
    while (st->tick < r->ticks && st->next_at <= now) {
        const uint32_t ms = r->tick(e, st, st->tick);
        if (ms == 0) {
            return wzp_ct_client_is_there(e) ? WZP_CT_UNSURE : WZP_CT_NEVER;
        }
        st->next_at += ms * WZP_MS;
        st->tick++;
        if (st->tick == r->ticks) {
            st->at_end = wzp_ct_play_listen(e);
        }
    }
    wzp_ct_play_wake(e, st->next_at);
    return st->tick == r->ticks && now >= st->next_at ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

typedef struct account {
    uint64_t played, filled, recovered;
} account;

static account account_of(wzp_ct_exec *e) {
    const wzp_ct_hear *st = wzp_ct_play_state(e);
    const wzp_ct_sayings said = wzp_ct_play_listen(e);
    return (account){.played = said.played - st->before.played,
                     .filled = st->at_end.concealed + st->at_end.recovered - st->before.concealed -
                               st->before.recovered,
                     .recovered = said.recovered - st->before.recovered};
}

static wzp_ct_so_far judge(const wzp_ct_reel *r, const wzp_ct_hear *st, const account *a) {
    const bool is_wrong = (r->once && a->played > st->whole + st->back + STRAYS) ||
                          (r->recovers && a->recovered > st->back) ||
                          (r->fills && a->filled * 100 < (uint64_t)st->gaps * FILLED_PERCENT);
    const bool is_short = a->played * 100 < (uint64_t)st->whole * ENOUGH_PERCENT ||
                          (r->recovers && a->recovered < st->back);
    return is_wrong ? WZP_CT_NEVER : is_short ? WZP_CT_NOT_YET : WZP_CT_HAPPENED;
}

static void say(wzp_ct_exec *e, const wzp_ct_reel *r, const wzp_ct_hear *st, const account *a) {
    wzp_ct_play_say(e, "of %u frames it played %llu", st->whole, (unsigned long long)a->played);
    if (r->fills) {
        wzp_ct_play_say(e, "of %u that were missing it filled %llu in time", st->gaps,
                        (unsigned long long)a->filled);
    }
    if (r->recovers) {
        wzp_ct_play_say(e, "it recovered %llu, and %u can be", (unsigned long long)a->recovered,
                        st->back);
    }
}

static bool is_excused(wzp_ct_exec *e) {
    return wzp_ct_server_path_is_bad(wzp_ct_play_server(e)) || wzp_ct_play_lateness(e) > HICCUP;
}

/* What it says comes late, and may change for the worse. */
static wzp_ct_so_far wait_for_it(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_reel *r = wzp_ct_play_arg(e);
    wzp_ct_hear *st = wzp_ct_play_state(e);
    const account a = account_of(e);
    const wzp_ct_so_far so_far = judge(r, st, &a);
    if (so_far == WZP_CT_HAPPENED) {
        st->reached_at = st->reached_at == 0 ? now : st->reached_at;
        st->recovers = a.recovered;
        wzp_ct_play_wake(e, st->reached_at + WZP_CT_CLIENT_SETTLE);
        return now >= st->reached_at + WZP_CT_CLIENT_SETTLE ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
    }
    if (so_far == WZP_CT_NOT_YET && now < st->next_at + PATIENCE) {
        return WZP_CT_NOT_YET;
    }
    say(e, r, st, &a);
    return is_excused(e) ? WZP_CT_UNSURE : WZP_CT_NEVER;
}

static const char *missing_in(const wzp_ct_reel *r, unsigned tells) {
    return r->recovers && (tells & WZP_CT_TELLS_RECOVERED) == 0 ? "statistics of recovery"
           : r->fills && (tells & WZP_CT_TELLS_CONCEALED) == 0  ? "statistics of concealment"
                                                                : NULL;
}

wzp_ct_so_far wzp_ct_step_reel_heard(wzp_ct_exec *e, wzp_time now) {
    const char *missing = missing_in(wzp_ct_play_arg(e), wzp_ct_play_listen(e).tells);
    if (missing != NULL) {
        return wzp_ct_play_lacks(e, missing);
    }
    const wzp_ct_so_far sent = wzp_ct_step_reel_over(e, now);
    return sent == WZP_CT_HAPPENED ? wait_for_it(e, now) : sent;
}

wzp_ct_so_far wzp_ct_step_reel_survived(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_so_far sent = wzp_ct_step_reel_over(e, now);
    return sent == WZP_CT_HAPPENED && (wzp_ct_play_listen(e).tells & WZP_CT_TELLS_PLAYED) != 0
               ? wait_for_it(e, now)
               : sent;
}

wzp_ct_so_far wzp_ct_step_reel_over(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_hear *st = wzp_ct_play_state(e);
    const wzp_ct_reel *r = wzp_ct_play_arg(e);
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    return st->tick < r->ticks || now < st->next_at ? send_due(e, now) : WZP_CT_HAPPENED;
}
