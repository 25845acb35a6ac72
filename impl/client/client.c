#include "client/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/internal.h"

/* --- packet core ----------------------------------------------------------------------------- */

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    const wzp_client *c = self;
    if (c->is_owner) {
        const wzp_core end = wzp_endpoint_core(c->endpoint);
        end.ops->recv(end.self, path, ecn, payload, now);
    }
}

static void core_tick(void *self, wzp_time now) {
    wzp_client *c = self;
    if (c->is_owner) {
        const wzp_core end = wzp_endpoint_core(c->endpoint);
        end.ops->tick(end.self, now);
    }
    wzp_client_tell_feedback(c, now);
    wzp_client_links_tick(c, now);
}

static wzp_time core_deadline(const void *self) {
    const wzp_client *c = self;
    wzp_time first = wzp_client_links_deadline(c);
    if (c->is_owner) {
        const wzp_core end = wzp_endpoint_core(c->endpoint);
        first = wzp_time_min(first, end.ops->deadline(end.self));
    }
    if (c->state == CLIENT_ACTIVE && !c->cfg.listen_only && !c->capture_asked) {
        first = wzp_time_min(first, c->capture_at);
    }
    for (size_t i = 0; i < c->tracks.opened; i++) {
        first = wzp_time_min(first, wzp_listener_deadline(&c->listeners[i]));
    }
    return wzp_time_min(first, wzp_client_feedback_deadline(c));
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    const wzp_client *c = self;
    const wzp_core end = wzp_endpoint_core(c->endpoint);
    return c->is_owner ? end.ops->next_packet(end.self, now, buf, cap, meta) : 0;
}

wzp_core wzp_client_core(wzp_client *client) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){client, &ops};
}

/* --- events ---------------------------------------------------------------------------------- */

static bool play_one(wzp_client *c, size_t index, wzp_time now, wzp_client_event *out) {
    wzp_listener_out heard;
    if (!wzp_listener_next(&c->listeners[index], now, c->pcm, &heard, &c->heard)) {
        return false;
    }
    *out = (wzp_client_event){.kind = WZP_CLIENT_PLAY,
                              .track = c->tracks.tracks[index].id,
                              .samples = heard.samples,
                              .at_ms = heard.at_sample / (WZP_AUDIO_RATE_HZ / 1000),
                              .at_sample = heard.at_sample,
                              .slot = heard.kind,
                              .pcm = heard.pcm,
                              .payload = heard.payload};
    return true;
}

static size_t samples_of(uint8_t codec) {
    return (size_t)wzp_codec_find(codec)->frame_ms * (WZP_AUDIO_RATE_HZ / 1000);
}

/* Another codec begins with a frame: never between asking for one and taking it. */
static void keep_pace(wzp_client *c) {
    const uint8_t codec = wzp_pace_codec(&c->pace);
    if (codec == c->codec || (c->enc != NULL && wzp_audio_enc_set_codec(c->enc, codec) != WZP_OK)) {
        return;
    }
    wzp_logf(&c->cfg.log, WZP_LOG_INFO, "%s after %s", wzp_codec_find(codec)->name,
             wzp_codec_find(c->codec)->name);
    c->codec = codec;
    c->codec_changes++;
    c->frame_ms = wzp_codec_find(codec)->frame_ms;
    wzp_pace_switched(&c->pace, codec);
}

static bool take_flag(bool *flag) {
    const bool was = *flag;
    *flag = false;
    return was;
}

bool wzp_client_next_event(wzp_client *c, wzp_time now, wzp_client_event *out) {
    if (take_flag(&c->tell_joined)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_JOINED};
        return true;
    }
    if (take_flag(&c->tell_room)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_ROOM, .count = c->members};
        return true;
    }
    for (size_t i = 0; i < c->tracks.opened; i++) {
        if (play_one(c, i, now, out)) {
            return true;
        }
    }
    if (take_flag(&c->tell_lost)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_LOST};
        return true;
    }
    if (take_flag(&c->tell_back)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_BACK};
        return true;
    }
    if (take_flag(&c->tell_hangup)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_HANGUP, .text = c->hangup};
        return true;
    }
    if (take_flag(&c->tell_closed)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_CLOSED, .text = c->closed};
        return true;
    }
    if (c->state == CLIENT_ACTIVE && !c->cfg.listen_only && !c->capture_asked &&
        now >= c->capture_at) {
        c->capture_asked = true;
        keep_pace(c);
        *out = (wzp_client_event){
            .kind = WZP_CLIENT_CAPTURE, .codec = c->codec, .samples = samples_of(c->codec)};
        return true;
    }
    return false;
}

/* --- life ------------------------------------------------------------------------------------ */

/* Codec2 is for those who have it; in coded mode that is who chose it. */
static uint8_t smallest(const wzp_client_cfg *cfg) {
    if (!cfg->adapts && wzp_codec_find(cfg->codec)->is_codec2) {
        return cfg->codec;
    }
    const bool has_it = cfg->coded ? cfg->coded_codec2 : wzp_audio_is_codec(WZP_CODEC_CODEC2_1200);
    return has_it ? WZP_CODEC_CODEC2_1200 : WZP_CODEC_OPUS_6K;
}

static bool can_send(const wzp_client_cfg *cfg) {
    const wzp_codec_info *codec = wzp_codec_find(cfg->codec);
    return cfg->coded ? codec != NULL && (codec->is_opus || codec->is_codec2)
                      : wzp_audio_is_codec(cfg->codec);
}

wzp_err wzp_client_new(wzp_client **out, const wzp_client_cfg *cfg, wzp_time now) {
    const char *room = cfg->room != NULL && *cfg->room != '\0' ? cfg->room : "default";
    if (!can_send(cfg) || strlen(room) > WZP_QUIC_SNI_MAX ||
        (cfg->waits && cfg->endpoint == NULL)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_client *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return WZP_ERR_NOMEM;
    }
    c->cfg = *cfg;
    c->cipher.mode = cfg->media_crypto;
    c->leave_at = c->part_at = WZP_TIME_NEVER;
    c->codec = cfg->codec;
    c->frame_ms = wzp_codec_find(cfg->codec)->frame_ms;
    (void)snprintf(c->room, sizeof c->room, "%s", room);
    (void)snprintf(c->alias, sizeof c->alias, "%s", cfg->alias != NULL ? cfg->alias : "");
    wzp_identity_from_seed(&c->identity, cfg->seed);
    wzp_crypto_wipe(c->cfg.seed, sizeof c->cfg.seed);
    wzp_err err = wzp_admission_init(&c->next_admission, cfg->token, cfg->pin);
    wzp_client_prepare(c);
    wzp_tracks_init(&c->tracks);
    wzp_feedback_init(&c->feedback, 0);
    wzp_remb_init(&c->remb);
    c->began_at = c->remb_at = now;
    /* Random starts are legal and keep two senders' numbers apart for those who listen. */
    c->seq = (uint32_t)wzp_rng_u64(cfg->rng);
    c->ts = (uint32_t)wzp_rng_below(cfg->rng, 1U << 30);
    const wzp_pace_cfg pace = {.policy = cfg->policy,
                               .is_fixed = !cfg->adapts,
                               .codec = cfg->codec,
                               .network = cfg->network,
                               .smallest = smallest(cfg)};
    err = err == WZP_OK ? wzp_pace_init(&c->pace, &pace) : err;
    err = err == WZP_OK ? wzp_repair_out_new(&c->repair, cfg->policy == WZP_ADAPT_DEPLOYED) : err;
    if (err == WZP_OK && !cfg->coded) {
        err = wzp_audio_enc_new(&c->enc, &(wzp_audio_enc_cfg){.codec = cfg->codec});
    }
    err = err == WZP_OK ? wzp_client_open(c, now) : err;
    if (err != WZP_OK) {
        wzp_client_free(&c);
        return err;
    }
    *out = c;
    return WZP_OK;
}

void wzp_client_free(wzp_client **client) {
    wzp_client *c = *client;
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->tracks.opened; i++) {
        wzp_listener_clear(&c->listeners[i]);
    }
    wzp_cipher_clear(&c->cipher);
    wzp_audio_enc_free(&c->enc);
    wzp_repair_out_free(&c->repair);
    wzp_client_detach(c);
    wzp_crypto_wipe(c, sizeof *c);
    free(c);
    *client = NULL;
}

void wzp_client_signal(wzp_client *c, bool out, wzp_bytes json, wzp_time now) {
    if (c->relay == 0) {
        return;
    }
    if (out) {
        wzp_client_send_json(c, json);
    } else {
        wzp_client_on_signal(c, json, now);
    }
}

void wzp_client_network(wzp_client *c, wzp_network network, wzp_time now) {
    wzp_pace_network(&c->pace, network, now);
}

/* One that is being closed knows no round trip any more, and soon it is not there. */
static void count_way(const wzp_client *c, wzp_client_stats *out) {
    wzp_quic_stats stats;
    if (c->sends == 0 || !wzp_quic_conn_stats(c->quic, c->sends, &stats) ||
        stats.smoothed_rtt == 0) {
        stats = c->way;
    }
    out->rtt_ms = (double)stats.smoothed_rtt / 1e6;
    out->rtt = stats.smoothed_rtt;
    out->packets_lost = stats.packets_lost;
    out->expired = stats.datagrams_expired;
}

void wzp_client_count(const wzp_client *c, wzp_client_stats *out) {
    *out = (wzp_client_stats){.sent = c->sent,
                              .unsent = c->unsent,
                              .played = c->heard.played,
                              .concealed = c->heard.concealed,
                              .recovered = c->heard.recovered,
                              .malformed = c->malformed,
                              .unreadable = c->unreadable,
                              .crowded = c->tracks.no_room,
                              .refused = c->refused,
                              .codec = c->codec,
                              .codec_changes = c->codec_changes,
                              .cipher = c->cipher.stats};
    for (size_t i = 0; i < c->tracks.opened; i++) {
        const wzp_track *t = &c->tracks.tracks[i];
        const double jitter = (double)wzp_track_jitter(t) / 1e6;
        if (t->used) {
            out->tracks++;
            out->received += t->received;
            out->lost += wzp_track_lost(t);
            out->jitter_ms = jitter > out->jitter_ms ? jitter : out->jitter_ms;
        }
        wzp_listener_add_refused(&c->listeners[i], &out->refused);
        if (c->listeners[i].jbuf != NULL) {
            wzp_jbuf_stats j;
            wzp_jbuf_count(c->listeners[i].jbuf, &j);
            out->buffered += wzp_jbuf_depth(c->listeners[i].jbuf);
            out->underruns += j.concealed;
            out->overruns += j.overrun;
        }
    }
    out->late = out->refused.late;
    count_way(c, out);
}
