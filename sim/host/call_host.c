#include "sim/host/call_host.h"

#include <stdio.h>
#include <stdlib.h>

#define SLOT (WZP_SIM_SLOT_MS * WZP_MS)

enum { PATTERN_STEP_MS = 40 };

/* A signal that a fault holds. */
typedef struct kept {
    struct kept *next;
    uint32_t dial; /* that it belongs to */
    bool out;
    size_t len;
    uint8_t json[];
} kept;

struct wzp_sim_call_host {
    wzp_sim_call_cfg cfg;
    wzp_sim_host *host;
    wzp_sim_clock clock;
    wzp_prng prng;
    uint8_t seed[32];
    char room[WZP_QUIC_SNI_MAX + 1];
    wzp_client *client; /* NULL before the first dial */
    wzp_sim_seat *seat; /* NULL: a handset's client */
    bool in_call, hung_up, abuses;

    wzp_sim_speech next; /* the frame that is said next */
    uint8_t codec;       /* of it */
    uint16_t frame_bytes;
    wzp_time spoke_at;  /* the first one, on the host's clock; WZP_TIME_NEVER: not yet */
    bool first_of_dial; /* nothing was said since the last dial */

    wzp_quic_path path;
    wzp_sim_ear *ears[WZP_SIM_CALL_SENDERS_MAX];
    uint32_t ear_ids[WZP_SIM_CALL_SENDERS_MAX];
    wzp_sim_speech
        whole[WZP_SIM_CALL_SENDERS_MAX]; /* of each, the last that said all; slots 0: none */
    size_t ear_count;

    wzp_sim_signal_judge judge;
    kept *kept;

    wzp_sim_call_report report; /* without what is counted elsewhere */
};

const char *wzp_sim_call_event_name(wzp_sim_call_event_kind kind) {
    static const char *const names[] = {
        [WZP_SIM_CALL_DIALLED] = "dialled", [WZP_SIM_CALL_JOINED] = "joined",
        [WZP_SIM_CALL_ROOM] = "room",       [WZP_SIM_CALL_HEARD] = "heard",
        [WZP_SIM_CALL_SIGNAL] = "signal",   [WZP_SIM_CALL_PATH] = "path",
        [WZP_SIM_CALL_LOST] = "lost",       [WZP_SIM_CALL_BACK] = "back",
        [WZP_SIM_CALL_HANGUP] = "hangup",   [WZP_SIM_CALL_CLOSED] = "closed",
    };
    return names[kind];
}

static void tell(const wzp_sim_call_host *call, wzp_sim_call_event event) {
    event.at = wzp_sim_now(call->clock);
    event.text = event.text != NULL ? event.text : "";
    if (call->cfg.event != NULL) {
        call->cfg.event(call->cfg.ctx, &event);
    }
}

static wzp_time earlier(wzp_time known, wzp_time now) {
    return wzp_time_min(known, now);
}

/* --- speaking --------------------------------------------------------------------------------- */

/* Filler is as long as the codec's nominal rate gives, if the caller did not say how long. */
static void use_codec(wzp_sim_call_host *call, uint8_t codec) {
    const wzp_codec_info *info = wzp_codec_find(codec);
    const uint32_t bytes = info->nominal_bps * info->frame_ms / 8000;
    call->codec = codec;
    call->next.slots = (uint8_t)(info->frame_ms / WZP_SIM_SLOT_MS);
    call->frame_bytes = info->is_codec2              ? (uint16_t)bytes
                        : call->cfg.frame_bytes != 0 ? call->cfg.frame_bytes
                        : bytes < WZP_SIM_SPEECH_MIN ? WZP_SIM_SPEECH_MIN
                                                     : (uint16_t)bytes;
}

/* Slot numbers follow the host's clock from the first frame on, whatever happened in between. */
static void find_place(wzp_sim_call_host *call, wzp_time local) {
    if (call->spoke_at == WZP_TIME_NEVER) {
        call->spoke_at = local;
    }
    if (call->first_of_dial) {
        const uint64_t slots = wzp_time_since(local, call->spoke_at) / SLOT;
        call->next.number = (uint32_t)(slots - slots % call->next.slots);
        call->first_of_dial = false;
    }
    const wzp_time hangup = wzp_sim_host_local_time(call->host, call->cfg.hangup_at);
    const uint64_t left = wzp_time_since(hangup, call->spoke_at) / SLOT;
    call->next.end = hangup == WZP_TIME_NEVER || left > UINT32_MAX
                         ? UINT32_MAX
                         : (uint32_t)(left - left % call->next.slots);
}

/* How far back the sound reaches that libopus adds to a frame (media sheet 2.3): chunks of 40 ms,
 * of which 25 ms lie within the frame itself. */
static uint8_t dred_slots(uint8_t codec) {
    enum { CHUNK_MS = 40, WITHIN_MS = 25, LOSS_PERCENT = 15 };
    const unsigned chunks =
        wzp_opus_dred_chunks(wzp_codec_find(codec)->nominal_bps, wzp_opus_frame_samples(codec),
                             LOSS_PERCENT, wzp_opus_dred_10ms(codec));
    return (uint8_t)(chunks > 1 ? (chunks * CHUNK_MS - WITHIN_MS) / WZP_SIM_SLOT_MS : 0);
}

/* Fills `frame` with what is said next and returns its length. */
static size_t say(wzp_sim_call_host *call, uint8_t frame[WZP_OPUS_PACKET_MAX]) {
    const wzp_sim_payloads *payloads = call->cfg.payloads;
    call->next.dred = payloads == NULL && !call->cfg.no_dred ? dred_slots(call->codec) : 0;
    if (wzp_codec_find(call->codec)->is_codec2 && !call->abuses) {
        return wzp_sim_speech_write_short(frame, call->frame_bytes, &call->next) ? call->frame_bytes
                                                                                 : 0;
    }
    if (payloads == NULL || call->abuses) {
        const size_t len = call->abuses ? WZP_OPUS_PACKET_MAX : call->frame_bytes;
        (void)wzp_sim_speech_write(frame, len, &call->next);
        return len;
    }
    const wzp_sim_payload payload =
        wzp_sim_payloads_at(payloads, call->next.number / call->next.slots);
    wzp_sim_speech_wrap(frame, payload, &call->next);
    return payload.packet.len;
}

static void on_capture(wzp_sim_call_host *call, uint8_t codec, wzp_time local) {
    uint8_t frame[WZP_OPUS_PACKET_MAX];
    use_codec(call, codec);
    find_place(call, local);
    call->next.sent = wzp_sim_now(call->clock);
    const bool spoken = wzp_sim_speech_spoken(&call->next, call->next.number);
    const wzp_bytes bytes = wzp_bytes_of(frame, spoken ? say(call, frame) : 0);
    const wzp_err err = wzp_client_push_coded(call->client, bytes, local);
    call->report.frames_sent += spoken && err == WZP_OK ? 1 : 0;
    call->report.send_failed += err != WZP_OK ? 1 : 0;
    call->next.number += call->next.slots;
}

/* --- listening -------------------------------------------------------------------------------- */

static wzp_sim_ear *ear_for(wzp_sim_call_host *call, uint32_t sender) {
    wzp_sim_ear *ear = wzp_sim_call_host_ear(call, sender);
    if (ear == NULL && call->ear_count < WZP_SIM_CALL_SENDERS_MAX) {
        ear = wzp_sim_ear_new(sender);
        if (ear != NULL) {
            call->ear_ids[call->ear_count] = sender;
            call->ears[call->ear_count++] = ear;
        }
    }
    return ear;
}

/* NULL: nobody's that was heard. */
static wzp_sim_speech *whole_of(wzp_sim_call_host *call, uint32_t sender) {
    for (size_t i = 0; i < call->ear_count; i++) {
        if (call->ear_ids[i] == sender) {
            return &call->whole[i];
        }
    }
    return NULL;
}

/* A frame of ours, of either length; NULL: it is none, or of one too many. */
static wzp_sim_ear *recognise(wzp_sim_call_host *call, wzp_bytes payload, wzp_sim_speech *frame) {
    if (wzp_sim_speech_parse(frame, payload)) {
        wzp_sim_ear *ear = ear_for(call, frame->sender);
        if (ear != NULL) {
            *whole_of(call, frame->sender) = *frame;
        }
        return ear;
    }
    const wzp_sim_speech *whole = whole_of(call, wzp_sim_speech_short_id(payload));
    const wzp_sim_speech *before = whole != NULL && whole->slots > 0 ? whole : NULL;
    return wzp_sim_speech_parse_short(frame, payload, before, wzp_sim_now(call->clock))
               ? ear_for(call, frame->sender)
               : NULL;
}

static void on_arrival(void *ctx, const wzp_media_packet *packet, wzp_time local) {
    wzp_sim_call_host *call = ctx;
    wzp_sim_speech frame;
    (void)local;
    if ((packet->hdr.flags & WZP_MEDIA_REPAIR) != 0) {
        return; /* what it brings back did not arrive */
    }
    wzp_sim_ear *ear = recognise(call, packet->payload, &frame);
    if (ear != NULL) {
        wzp_sim_ear_arrive(ear, &frame, wzp_sim_now(call->clock));
    }
}

static void on_play(wzp_sim_call_host *call, const wzp_client_event *ev) {
    const wzp_time now = wzp_sim_now(call->clock);
    wzp_sim_speech frame;
    if (ev->slot != WZP_JBUF_FRAME) {
        return; /* the ear knows from the numbers */
    }
    wzp_sim_ear *ear = recognise(call, ev->payload, &frame);
    if (ear == NULL) {
        call->report.frames_foreign++;
        return;
    }
    const bool first = !wzp_sim_ear_has_played(ear);
    wzp_sim_ear_play(ear, &frame, now);
    call->report.heard_at = earlier(call->report.heard_at, now);
    if (first) {
        tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_HEARD, .sender = frame.sender});
    }
}

/* --- the course of the call ------------------------------------------------------------------- */

static void on_room(wzp_sim_call_host *call, uint32_t count) {
    call->report.members = count;
    for (size_t i = 0; i < call->ear_count && count <= 1; i++) {
        wzp_sim_ear_leave(call->ears[i], wzp_sim_now(call->clock));
    }
    tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_ROOM, .count = count});
}

static void redial(void *self, void *arg, wzp_time now);

static void on_closed(wzp_sim_call_host *call, const char *text) {
    const wzp_time now = wzp_sim_now(call->clock);
    (void)snprintf(call->report.closed, sizeof call->report.closed, "%s", text);
    call->in_call = false;
    call->report.ended_at = now;
    if (call->cfg.redial_after != 0 && !call->hung_up) {
        wzp_sim_at(call->clock, wzp_time_after(now, call->cfg.redial_after), redial, call, NULL);
    }
    tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_CLOSED, .text = text});
}

static void on_event(wzp_sim_call_host *call, const wzp_client_event *ev, wzp_time local) {
    switch (ev->kind) {
    case WZP_CLIENT_JOINED:
        call->in_call = true;
        call->report.joined_at = earlier(call->report.joined_at, wzp_sim_now(call->clock));
        tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_JOINED});
        break;
    case WZP_CLIENT_ROOM:
        on_room(call, ev->count);
        break;
    case WZP_CLIENT_CAPTURE:
        on_capture(call, ev->codec, local);
        break;
    case WZP_CLIENT_PLAY:
        on_play(call, ev);
        break;
    case WZP_CLIENT_LOST:
        call->report.lost_at = wzp_sim_now(call->clock);
        tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_LOST});
        break;
    case WZP_CLIENT_BACK:
        tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_BACK});
        break;
    case WZP_CLIENT_HANGUP:
        (void)snprintf(call->report.hangup, sizeof call->report.hangup, "%s", ev->text);
        tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_HANGUP, .text = ev->text});
        break;
    case WZP_CLIENT_CLOSED:
        on_closed(call, ev->text);
        break;
    }
}

static void watch_path(wzp_sim_call_host *call) {
    const wzp_quic_path path = wzp_sim_seat_path(call->seat);
    const wzp_addr was = call->path.remote;
    call->path = path;
    if (was.family != WZP_ADDR_NONE && !wzp_addr_equal(&was, &path.remote)) {
        call->report.path_changes++;
        tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_PATH, .path = path});
    }
}

void wzp_sim_call_host_serve(wzp_sim_call_host *call, wzp_time local) {
    wzp_client_event ev;
    while (call->client != NULL && wzp_client_next_event(call->client, local, &ev)) {
        on_event(call, &ev, local);
    }
}

static void after(void *ctx, wzp_time local) {
    watch_path(ctx);
    wzp_sim_call_host_serve(ctx, local);
}

/* --- faults of signals ------------------------------------------------------------------------ */

static void forget(wzp_sim_call_host *call, kept *k) {
    kept **at = &call->kept;
    while (*at != k) {
        at = &(*at)->next;
    }
    *at = k->next;
    free(k);
}

static void let_go(void *self, void *arg, wzp_time now) {
    wzp_sim_call_host *call = self;
    kept *k = arg;
    if (call->client != NULL && k->dial == call->report.dials) {
        wzp_client_signal(call->client, k->out, wzp_bytes_of(k->json, k->len),
                          wzp_sim_host_local_time(call->host, now));
        if (call->seat != NULL) {
            wzp_sim_seat_wake(call->seat);
        }
    }
    forget(call, k);
}

static void keep(wzp_sim_call_host *call, bool out, wzp_bytes json, uint64_t by) {
    kept *k = malloc(sizeof *k + json.len);
    if (k == NULL) {
        return; /* lost */
    }
    *k = (kept){.next = call->kept, .dial = call->report.dials, .out = out, .len = json.len};
    memcpy(k->json, json.data, json.len);
    call->kept = k;
    wzp_sim_at(call->clock, wzp_time_after(wzp_sim_now(call->clock), by), let_go, call, k);
}

static bool on_signal(void *ctx, bool out, wzp_bytes json, wzp_time local) {
    static const char *const did[] = {"passed", "dropped", "delayed", "duplicated"};
    wzp_sim_call_host *call = ctx;
    char name[48];
    char text[80];
    (void)local;
    (void)wzp_signal_peek_name(json, name, sizeof name);
    const wzp_sim_signal_fault *hit =
        wzp_sim_signal_judge_next(&call->judge, out, name, wzp_sim_now(call->clock));
    if (hit == NULL) {
        return true;
    }
    if (hit->act == WZP_SIM_SIGNAL_DELAY || hit->act == WZP_SIM_SIGNAL_DUPLICATE) {
        keep(call, out, json, hit->by);
    }
    call->report.signals_hit++;
    (void)snprintf(text, sizeof text, "%s %s", name, did[hit->act]);
    tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_SIGNAL, .text = text});
    return hit->act == WZP_SIM_SIGNAL_DUPLICATE;
}

/* --- dialling and hanging up ------------------------------------------------------------------ */

static void end_dial(wzp_sim_call_host *call) {
    wzp_sim_seat_free(&call->seat);
    wzp_client_free(&call->client);
}

/* `endpoint` NULL: one of its own. */
static wzp_err new_client(wzp_sim_call_host *call, wzp_endpoint *endpoint) {
    wzp_client_cfg cfg = {.rng = wzp_prng_rng(&call->prng),
                          .room = call->room,
                          .alias = call->cfg.alias,
                          .codec = call->cfg.codec,
                          .adapts = call->cfg.adapts,
                          .coded_codec2 = call->cfg.codec2,
                          .listen_only = call->cfg.listen_only,
                          .coded = true,
                          .path = {.remote = call->cfg.relay},
                          .endpoint = endpoint,
                          .waits = endpoint != NULL,
                          .deterministic = true,
                          .keylog = call->cfg.keylog,
                          .keylog_ctx = call->cfg.keylog_ctx,
                          .arrival = on_arrival,
                          .arrival_ctx = call,
                          .signal = call->judge.count > 0 ? on_signal : NULL,
                          .signal_ctx = call};
    memcpy(cfg.seed, call->seed, sizeof cfg.seed);
    return wzp_client_new(&call->client, &cfg,
                          wzp_sim_host_local_time(call->host, wzp_sim_now(call->clock)));
}

static bool dial(wzp_sim_call_host *call) {
    if (new_client(call, NULL) != WZP_OK) {
        return false;
    }
    call->seat =
        wzp_sim_host_seat(call->host, call->cfg.port, wzp_client_core(call->client), after, call);
    return call->seat != NULL;
}

static void begin_dial(wzp_sim_call_host *call, wzp_time now) {
    call->first_of_dial = true;
    call->report.dials++;
    call->report.dialled_at = earlier(call->report.dialled_at, now);
    call->report.ended_at = WZP_TIME_NEVER;
    call->path = (wzp_quic_path){0};
}

static void redial(void *self, void *arg, wzp_time now) {
    wzp_sim_call_host *call = self;
    (void)arg;
    if (call->hung_up) {
        return;
    }
    end_dial(call);
    begin_dial(call, now);
    if (dial(call)) {
        tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_DIALLED});
    } else {
        end_dial(call);
        on_closed(call, "the client could not be started");
    }
}

wzp_client *wzp_sim_call_host_join(wzp_sim_call_host *call, wzp_endpoint *endpoint,
                                   const wzp_addr *relay, const char *room) {
    call->cfg.relay = *relay;
    (void)snprintf(call->room, sizeof call->room, "%s", room);
    begin_dial(call, wzp_sim_now(call->clock));
    if (new_client(call, endpoint) != WZP_OK) {
        return NULL;
    }
    tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_DIALLED});
    return call->client;
}

void wzp_sim_call_host_take(wzp_sim_call_host *call, bool direct, const wzp_addr *remote) {
    call->report.path_changes += call->path.remote.family != WZP_ADDR_NONE ? 1 : 0;
    call->in_call = true;
    call->path.remote = *remote;
    tell(call, (wzp_sim_call_event){.kind = WZP_SIM_CALL_PATH,
                                    .path = call->path,
                                    .text = direct ? "direct" : "relay"});
}

/* What QUIC knows of the connection goes with the client. */
static void note_stats(wzp_sim_call_host *call) {
    wzp_client_stats stats = {0};
    if (call->client != NULL) {
        wzp_client_count(call->client, &stats);
        call->report.rtt = stats.rtt;
        call->report.packets_lost = stats.packets_lost;
    }
}

void wzp_sim_call_host_leave(wzp_sim_call_host *call, const char *text) {
    if (call->client != NULL) {
        note_stats(call);
        wzp_client_free(&call->client);
        on_closed(call, text);
    }
}

const uint8_t *wzp_sim_call_host_seed(const wzp_sim_call_host *call) {
    return call->seed;
}

void wzp_sim_call_host_abuse(wzp_sim_call_host *call) {
    call->abuses = true;
}

static void hangup_task(void *self, void *arg, wzp_time now) {
    (void)arg;
    (void)now;
    wzp_sim_call_host_hangup(self);
}

void wzp_sim_call_host_hangup(wzp_sim_call_host *call) {
    if (!call->hung_up && call->client != NULL && call->seat != NULL) {
        wzp_client_hangup(call->client, wzp_sim_seat_now(call->seat));
        wzp_sim_seat_wake(call->seat);
    }
    call->hung_up = true;
}

/* --- life ------------------------------------------------------------------------------------- */

static bool good_pattern(const wzp_sim_call_cfg *cfg) {
    const uint32_t max = UINT16_MAX * WZP_SIM_SLOT_MS;
    return cfg->talk_ms % PATTERN_STEP_MS == 0 && cfg->silence_ms % PATTERN_STEP_MS == 0 &&
           cfg->talk_ms <= max && cfg->silence_ms <= max;
}

static wzp_err take_cfg(wzp_sim_call_host *call, const wzp_sim_call_cfg *cfg) {
    const wzp_codec_info *codec = wzp_codec_find(cfg->codec);
    const char *room = cfg->room != NULL ? cfg->room : "default";
    if (codec == NULL || !codec->is_opus || !good_pattern(cfg) || strlen(room) > WZP_QUIC_SNI_MAX ||
        cfg->fault_count > WZP_SIM_SIGNAL_FAULTS_MAX ||
        (cfg->codec2 && cfg->id > WZP_SIM_SPEECH_SHORT_ID) ||
        (cfg->payloads != NULL && cfg->adapts) ||
        (cfg->payloads != NULL && wzp_sim_payloads_frame_ms(cfg->payloads) != codec->frame_ms)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    call->cfg = *cfg;
    call->judge = (wzp_sim_signal_judge){.faults = cfg->faults, .count = cfg->fault_count};
    memcpy(call->room, room, strlen(room) + 1);
    if (cfg->alias == NULL) {
        call->cfg.alias = cfg->name;
    }
    if (cfg->hangup_at == 0) {
        call->cfg.hangup_at = WZP_TIME_NEVER;
    }
    call->next = (wzp_sim_speech){.sender = cfg->id,
                                  .talk = (uint16_t)(cfg->talk_ms / WZP_SIM_SLOT_MS),
                                  .silence = (uint16_t)(cfg->silence_ms / WZP_SIM_SLOT_MS)};
    use_codec(call, cfg->codec);
    return call->frame_bytes >= WZP_SIM_SPEECH_MIN && call->frame_bytes <= WZP_OPUS_PACKET_MAX
               ? WZP_OK
               : WZP_ERR_INVALID_ARGUMENT;
}

wzp_err wzp_sim_call_host_new(wzp_sim_call_host **out, wzp_sim_host *host,
                              const wzp_sim_call_cfg *cfg) {
    wzp_sim_call_host *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return WZP_ERR_NOMEM;
    }
    const wzp_err err = take_cfg(call, cfg);
    if (err != WZP_OK) {
        free(call);
        return err;
    }
    call->host = host;
    call->clock = wzp_sim_host_clock(host);
    call->spoke_at = WZP_TIME_NEVER;
    call->report = (wzp_sim_call_report){.name = cfg->name,
                                         .id = cfg->id,
                                         .dialled_at = WZP_TIME_NEVER,
                                         .joined_at = WZP_TIME_NEVER,
                                         .heard_at = WZP_TIME_NEVER,
                                         .ended_at = WZP_TIME_NEVER,
                                         .lost_at = WZP_TIME_NEVER};
    wzp_sim_stream(call->clock, &call->prng, cfg->name);
    wzp_rng_fill(wzp_prng_rng(&call->prng), call->seed, sizeof call->seed);
    wzp_sim_at(call->clock, cfg->dial_at, redial, call, NULL);
    wzp_sim_at(call->clock, call->cfg.hangup_at, hangup_task, call, NULL);
    *out = call;
    return WZP_OK;
}

void wzp_sim_call_host_free(wzp_sim_call_host **call) {
    wzp_sim_call_host *c = *call;
    if (c == NULL) {
        return;
    }
    end_dial(c);
    while (c->kept != NULL) {
        forget(c, c->kept);
    }
    for (size_t i = 0; i < c->ear_count; i++) {
        wzp_sim_ear_free(&c->ears[i]);
    }
    free(c);
    *call = NULL;
}

/* --- what came of it -------------------------------------------------------------------------- */

wzp_sim_ear *wzp_sim_call_host_ear(const wzp_sim_call_host *call, uint32_t sender) {
    for (size_t i = 0; i < call->ear_count; i++) {
        if (call->ear_ids[i] == sender) {
            return call->ears[i];
        }
    }
    return NULL;
}

void wzp_sim_call_host_report(const wzp_sim_call_host *call, wzp_time now,
                              wzp_sim_call_report *out) {
    wzp_client_stats stats = {0};
    *out = call->report;
    out->in_call = call->in_call;
    out->path = call->path;
    if (out->heard_at != WZP_TIME_NEVER) {
        out->setup = out->heard_at - out->dialled_at;
    }
    if (call->client != NULL) {
        wzp_client_count(call->client, &stats);
        out->rtt = stats.rtt;
        out->packets_lost = stats.packets_lost;
    }
    out->senders = call->ear_count;
    for (size_t i = 0; i < call->ear_count; i++) {
        wzp_sim_ear_report(call->ears[i], wzp_time_min(now, out->ended_at), &out->heard[i]);
    }
}
