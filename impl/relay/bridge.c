#include "relay/bridge.h"

#include <stdio.h>
#include <stdlib.h>

#include "relay/internal.h"
#include "wire/json.h"

/* Guests have handles that the endpoint never gives. */
#define GUEST_BIT (UINT64_C(1) << 63)

/* A frame on its way to several guests. */
struct bridge_frame {
    size_t references, len;
    uint8_t data[];
};

struct bridge {
    void *app;
    session *next_ready;
    bool is_listed;  /* among those that have something to be told */
    bool is_awaited; /* the driver knows, and will ask */
    bool has_text, wants_close, is_closed;
    bool is_rejected; /* it broke a rule */
    char reason[48];
    char text[192]; /* the answer about its token, or its Hangup */
    bridge_frame *queue[WZP_LIMIT_BRIDGE_QUEUE];
    bridge_frame *lent; /* borrowed by the driver */
    size_t first, len;
    rate heard;
};

/* --- frames ----------------------------------------------------------------------------------- */

static void drop_frame(bridge_frame **frame) {
    if (*frame != NULL && --(*frame)->references == 0) {
        free(*frame);
    }
    *frame = NULL;
}

void wzp_relay_bridge_done(bridge_frame **shared) {
    drop_frame(shared);
}

static bridge_frame *new_frame(wzp_bytes body) {
    bridge_frame *frame = malloc(sizeof *frame + body.len);
    if (frame != NULL) {
        *frame = (bridge_frame){.references = 1, .len = body.len};
        memcpy(frame->data, body.data, body.len);
    }
    return frame;
}

/* --- what is to be told ----------------------------------------------------------------------- */

static void make_ready(session *s) {
    wzp_relay *r = s->relay;
    if (!s->bridge->is_listed && !s->bridge->is_awaited && !s->bridge->is_closed) {
        s->bridge->is_listed = true;
        s->bridge->next_ready = r->bridge_ready;
        r->bridge_ready = s;
    }
}

static void unlink_ready(session *s) {
    session **at = &s->relay->bridge_ready;
    while (*at != NULL && *at != s) {
        at = &(*at)->bridge->next_ready;
    }
    if (*at == s) {
        *at = s->bridge->next_ready;
    }
}

void *wzp_relay_bridge_ready(wzp_relay *r) {
    session *s = r->bridge_ready;
    if (s == NULL) {
        return NULL;
    }
    r->bridge_ready = s->bridge->next_ready;
    s->bridge->is_listed = false;
    s->bridge->is_awaited = true;
    return s->bridge->app;
}

/* Hot path of rooms with guests: one copy for all of them. */
void wzp_relay_bridge_push(session *to, wzp_bytes body, bridge_frame **shared) {
    bridge *b = to->bridge;
    relay_metrics *metrics = &to->relay->metrics;
    if (body.len == 0) {
        return; /* a signal of silence without bytes has nothing to play */
    }
    if (b->len == WZP_LIMIT_BRIDGE_QUEUE) {
        metrics->bridge_drops[BRIDGE_DROP_QUEUE]++;
        return;
    }
    *shared = *shared != NULL ? *shared : new_frame(body);
    if (*shared == NULL) {
        metrics->bridge_drops[BRIDGE_DROP_QUEUE]++;
        return;
    }
    (*shared)->references++;
    b->queue[(b->first + b->len++) % WZP_LIMIT_BRIDGE_QUEUE] = *shared;
    make_ready(to);
}

static bool next_frame(wzp_relay *r, bridge *b, wzp_bridge_message *out) {
    if (b->len == 0) {
        return false;
    }
    b->lent = b->queue[b->first];
    b->first = (b->first + 1) % WZP_LIMIT_BRIDGE_QUEUE;
    b->len--;
    r->metrics.bridge_frames_out++;
    *out = (wzp_bridge_message){WZP_BRIDGE_BINARY, wzp_bytes_of(b->lent->data, b->lent->len)};
    return true;
}

bool wzp_relay_bridge_next(wzp_relay *r, uint64_t guest, wzp_bridge_message *out) {
    session *s = wzp_relay_find_session(r, guest);
    bridge *b = s != NULL ? s->bridge : NULL;
    if (b == NULL || b->is_closed) {
        return false;
    }
    drop_frame(&b->lent);
    if (b->has_text) {
        b->has_text = false;
        *out = (wzp_bridge_message){WZP_BRIDGE_TEXT, wzp_bytes_str(b->text)};
        return true;
    }
    if (next_frame(r, b, out)) {
        return true;
    }
    b->is_awaited = false;
    b->is_closed = b->wants_close;
    *out = (wzp_bridge_message){b->is_rejected ? WZP_BRIDGE_REJECT : WZP_BRIDGE_CLOSE,
                                wzp_bytes_str(b->reason)};
    return b->is_closed;
}

static void say(session *s, const char *text) {
    (void)snprintf(s->bridge->text, sizeof s->bridge->text, "%s", text);
    s->bridge->has_text = true;
    make_ready(s);
}

/* --- coming and going ------------------------------------------------------------------------- */

bool wzp_relay_bridge_serves(const char *name) {
    static const char *const reserved[] = {"_signal", "_probe", "_federation",
                                           "_relay",  "ping",   "version"};
    for (size_t i = 0; i < WZP_COUNT_OF(reserved); i++) {
        if (strcmp(name, reserved[i]) == 0) {
            return false;
        }
    }
    return name[0] != '\0' && strlen(name) <= WZP_QUIC_SNI_MAX;
}

/* The name is good, or none is needed. */
void wzp_relay_bridge_admit(session *s) {
    wzp_relay_set_deadline(s, WZP_TIME_NEVER);
    if (wzp_relay_turn_away(s)) {
        return;
    }
    if (wzp_relay_join(s)) {
        say(s, "{\"type\":\"auth_ok\"}");
    } else {
        wzp_relay_end(s, "refused");
    }
}

/* `why` is plain text. */
void wzp_relay_bridge_refuse(session *s, const char *why) {
    char text[96];
    (void)snprintf(text, sizeof text, "{\"type\":\"auth_error\",\"error\":\"token %s\"}", why);
    say(s, text);
}

uint64_t wzp_relay_bridge_open(wzp_relay *r, const char *name, const wzp_addr *from, void *app,
                               wzp_time now) {
    r->now = now;
    if (!wzp_relay_bridge_serves(name) || !wzp_relay_admits_connection(r, name) ||
        r->bridge_count >= WZP_LIMIT_BRIDGE_GUESTS) {
        r->metrics.refused_sessions++;
        return 0;
    }
    bridge *b = calloc(1, sizeof *b);
    session *s = b != NULL ? wzp_relay_new_session(r, GUEST_BIT | ++r->next_guest, name) : NULL;
    if (s == NULL) {
        free(b);
        return 0;
    }
    s->path.remote = *from;
    s->bridge = b;
    b->app = app;
    r->bridge_count++;
    if (r->cfg.auth) {
        s->state = SESSION_TOKEN;
        wzp_relay_set_deadline(s, wzp_time_after(now, WZP_TIMER_TOKEN));
    } else {
        wzp_relay_bridge_admit(s);
    }
    return s->conn;
}

/* The last that it is told, in the words that QUIC members hear. */
void wzp_relay_bridge_hangup(session *s, const wzp_signal *hangup) {
    size_t len = 0;
    uint8_t *json = wzp_relay_to_json(hangup, &len);
    s->bridge->is_rejected = true;
    s->relay->metrics.bridge_rejected++;
    if (json != NULL && len < sizeof s->bridge->text) {
        char text[sizeof s->bridge->text];
        (void)snprintf(text, sizeof text, "%.*s", (int)len, (const char *)json);
        say(s, text);
    }
    free(json);
}

/* Its socket may take its time to end: it leaves its room now. */
void wzp_relay_bridge_end(session *s, const char *reason) {
    wzp_relay_leave(s);
    s->bridge->wants_close = true;
    (void)snprintf(s->bridge->reason, sizeof s->bridge->reason, "%s", reason);
    make_ready(s);
}

void wzp_relay_bridge_free(session *s) {
    bridge *b = s->bridge;
    if (b == NULL) {
        return;
    }
    unlink_ready(s);
    while (b->len > 0) {
        drop_frame(&b->queue[b->first]);
        b->first = (b->first + 1) % WZP_LIMIT_BRIDGE_QUEUE;
        b->len--;
    }
    drop_frame(&b->lent);
    free(b);
    s->bridge = NULL;
    s->relay->bridge_count--;
}

void wzp_relay_bridge_closed(wzp_relay *r, uint64_t guest, wzp_time now) {
    session *s = wzp_relay_find_session(r, guest);
    r->now = now;
    if (s != NULL && s->bridge != NULL) {
        wzp_relay_on_closed(s);
    }
}

/* --- what is heard ---------------------------------------------------------------------------- */

static bool read_text(wzp_json *json, uint8_t *out, size_t *len) {
    const wzp_bytes raw = wzp_json_raw_string(json, "auth");
    *len = json->rd.fail.code == WZP_OK ? wzp_json_unescape(out, raw) : SIZE_MAX;
    return *len != SIZE_MAX;
}

bool wzp_bridge_auth_read(wzp_bytes text, uint8_t *out, size_t *len) {
    wzp_json json;
    bool first = true;
    bool is_auth = false;
    bool has_token = false;
    wzp_json_init(&json, text);
    wzp_json_begin(&json, '{', "auth");
    while (wzp_json_next(&json, '}', &first, "auth")) {
        uint8_t buf[WZP_JSON_NAME_MAX];
        uint8_t value[WZP_JSON_NAME_MAX];
        const wzp_bytes key = wzp_json_key(&json, buf, "auth");
        if (wzp_bytes_equal(key, wzp_bytes_str("type"))) {
            is_auth = wzp_bytes_equal(wzp_json_name(&json, value, "type"), wzp_bytes_str("auth"));
        } else if (wzp_bytes_equal(key, wzp_bytes_str("token"))) {
            has_token = read_text(&json, out, len);
            if (!has_token) {
                return false;
            }
        } else {
            wzp_json_skip(&json, "auth");
        }
    }
    wzp_json_end(&json);
    return json.rd.fail.code == WZP_OK && is_auth && has_token;
}

/* Texts have a meaning once; later ones are ignored, as deployed. */
void wzp_relay_bridge_text(wzp_relay *r, uint64_t guest, wzp_bytes text, wzp_time now) {
    session *s = wzp_relay_find_session(r, guest);
    r->now = now;
    if (s == NULL || s->bridge == NULL || s->state != SESSION_TOKEN) {
        return;
    }
    size_t len = 0;
    uint8_t *token = text.len <= WZP_BRIDGE_TEXT_MAX ? malloc(text.len + 1) : NULL;
    if (token != NULL && wzp_bridge_auth_read(text, token, &len)) {
        wzp_relay_auth_ask(s, wzp_bytes_of(token, len));
    } else {
        r->metrics.handshake_refusals++;
        wzp_relay_event_push(r, s, "auth_refused", "token expected");
        wzp_relay_end(s, "token expected");
    }
    if (token != NULL) {
        wzp_crypto_wipe(token, text.len + 1);
    }
    free(token);
}

/* No Opus packet is longer: the frame holds samples, and weighs what such a packet of the same
 * duration may. */
enum { OPUS_PACKET_MAX = 1275, SAMPLES_WEIGHT = 12 };

static bool is_abuse(session *s, wzp_bytes frame) {
    const size_t len = frame.len > OPUS_PACKET_MAX ? frame.len / SAMPLES_WEIGHT : frame.len;
    const wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION},
                                     .payload = wzp_bytes_of(frame.data, len)};
    return s->relay->cfg.enforce != WZP_ENFORCE_OBSERVE && wzp_relay_violates(s, &packet);
}

static bool is_taken(session *s, wzp_bytes frame) {
    relay_metrics *metrics = &s->relay->metrics;
    if (frame.len == 0 || frame.len > WZP_BRIDGE_FRAME_MAX) {
        metrics->bridge_drops[BRIDGE_DROP_SIZE]++;
        return false;
    }
    if (is_abuse(s, frame)) {
        return false; /* which was told it */
    }
    if (!wzp_relay_rate(&s->bridge->heard, WZP_LIMIT_BRIDGE_RATE, s->relay->now)) {
        metrics->bridge_drops[BRIDGE_DROP_RATE]++;
        return false;
    }
    metrics->bridge_frames_in++;
    return true;
}

/* A datagram takes no whole frame of samples, here as deployed. */
static void send_to_quic(session *from, size_t place, wzp_bytes datagram) {
    wzp_relay *r = from->relay;
    session *to = from->room->members[place];
    if (datagram.len > wzp_quic_max_datagram(r->quic, to->conn)) {
        r->metrics.bridge_drops[BRIDGE_DROP_DATAGRAM]++;
    } else if (r->cfg.trunking) {
        wzp_relay_trunk_push(from, place, datagram);
    } else {
        wzp_relay_send_media(to, datagram);
    }
}

static void fan_out(session *s, wzp_bytes frame) {
    uint8_t datagram[WZP_MEDIA_HDR_LEN + WZP_BRIDGE_FRAME_MAX] = {WZP_PROTOCOL_VERSION};
    bridge_frame *shared = NULL;
    memcpy(datagram + WZP_MEDIA_HDR_LEN, frame.data, frame.len);
    for (size_t i = 0; i < s->room->count; i++) {
        session *to = s->room->members[i];
        if (to == s || to->barred) {
            continue;
        }
        if (to->bridge != NULL) {
            wzp_relay_bridge_push(to, frame, &shared);
        } else {
            send_to_quic(s, i, wzp_bytes_of(datagram, WZP_MEDIA_HDR_LEN + frame.len));
        }
    }
    drop_frame(&shared);
}

void wzp_relay_bridge_binary(wzp_relay *r, uint64_t guest, wzp_bytes frame, wzp_time now) {
    session *s = wzp_relay_find_session(r, guest);
    r->now = now;
    if (s == NULL || s->bridge == NULL) {
        return;
    }
    if (s->state == SESSION_TOKEN) {
        r->metrics.handshake_refusals++;
        wzp_relay_end(s, "token expected");
    } else if (s->state == SESSION_ROOM && is_taken(s, frame)) {
        fan_out(s, frame);
    }
}
