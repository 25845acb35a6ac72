#include "tools/pcap/decode/core.h"

#include <stdlib.h>

/* --- saying ----------------------------------------------------------------------------------- */

void wzp_pcap_core_say(wzp_pcap_core *core, wzp_pcap_message *message) {
    if (message->packet == NULL && core->packet != NULL &&
        core->packet->number == message->packet_number) {
        message->packet = core->packet;
    }
    core->cfg.sink(core->cfg.sink_ctx, message);
}

static wzp_pcap_message about(const wzp_pcap_state *state, const wzp_pcap_quic_event *event) {
    return (wzp_pcap_message){.packet_number = event->packet_number,
                              .time_ns = event->time_ns,
                              .conn = &state->conn,
                              .to_server = event->to_server,
                              .src = event->src,
                              .dst = event->dst,
                              .event = event};
}

static void say_signal(void *ctx, const wzp_pcap_state *state, const wzp_pcap_quic_event *event,
                       wzp_pcap_signal *signal) {
    wzp_pcap_core *core = ctx;
    wzp_pcap_message message = {.packet_number = signal->first_packet,
                                .time_ns = state->conn.last_ns,
                                .conn = &state->conn};
    if (event != NULL) {
        message = about(state, event);
    }
    message.kind = WZP_PCAP_MESSAGE_SIGNAL;
    message.signal = signal;
    message.fail = signal->fail;
    core->counters.signals++;
    core->counters.signals_bad += signal->parsed == NULL;
    wzp_pcap_core_say(core, &message);
}

wzp_err wzp_pcap_core_init(wzp_pcap_core *core, const wzp_pcap_decoder_cfg *cfg) {
    core->cfg = *cfg;
    core->packet = NULL;
    core->nomem = false;
    core->counters = (wzp_pcap_decoder_counters){0};
    core->file = (wzp_pcap_state){.conn.role = WZP_PCAP_ROLE_FILE};
    core->signals = (wzp_pcap_signal_reader){.sink = say_signal, .ctx = core};
    wzp_pcap_keys_init(&core->keys, cfg->legacy_nonce);
    return wzp_pcap_conns_init(&core->conns);
}

/* --- connections ------------------------------------------------------------------------------ */

/* Says that it is over with this one, and frees it. */
static void forget(wzp_pcap_core *core, wzp_pcap_state *state) {
    wzp_pcap_conns_take(&core->conns, state);
    wzp_pcap_signals_end(&core->signals, state);
    wzp_pcap_message message = {.kind = WZP_PCAP_MESSAGE_FORGOTTEN,
                                .packet_number = core->packet != NULL ? core->packet->number : 0,
                                .time_ns = state->conn.last_ns,
                                .conn = &state->conn};
    wzp_pcap_core_say(core, &message);
    free(state);
}

static void set_ends(wzp_pcap_conn *conn, const wzp_pcap_quic_event *event) {
    if (event->src != NULL && event->dst != NULL) {
        conn->client = event->to_server ? *event->src : *event->dst;
        conn->server = event->to_server ? *event->dst : *event->src;
    }
}

/* NULL: no memory. */
static wzp_pcap_state *state_of(wzp_pcap_core *core, const wzp_pcap_quic_event *event) {
    wzp_pcap_state *state = wzp_pcap_conns_find(&core->conns, event->conn);
    if (state == NULL) {
        if (wzp_pcap_conns_full(&core->conns)) {
            forget(core, core->conns.oldest);
        }
        state = wzp_pcap_conns_add(&core->conns, event->conn);
        if (state == NULL) {
            core->nomem = true;
            return NULL;
        }
        state->conn.opened_packet = event->packet_number;
        state->conn.opened_ns = event->time_ns;
        set_ends(&state->conn, event);
    }
    if (event->time_ns > state->conn.last_ns) {
        state->conn.last_ns = event->time_ns;
    }
    return state;
}

/* Whether "wzp" is in a list joined by commas. */
static bool offers_wzp(const char *list) {
    const size_t len = sizeof WZP_ALPN - 1;
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, WZP_ALPN, len) == 0 && (at[len] == '\0' || at[len] == ',')) {
            return true;
        }
    }
    return false;
}

static void take_hello(wzp_pcap_conn *conn, const wzp_pcap_quic_event *event) {
    const wzp_pcap_quic_hello *hello = event->hello;
    memcpy(conn->sni, hello->sni, sizeof conn->sni);
    memcpy(conn->alpn, hello->alpn, sizeof conn->alpn);
    memcpy(conn->client_random, hello->client_random, sizeof conn->client_random);
    conn->hello = true;
    conn->role = offers_wzp(hello->alpn) ? wzp_pcap_role_of(hello->sni) : WZP_PCAP_ROLE_UNKNOWN;
}

/* Somebody else's protocol. */
static bool is_foreign(const wzp_pcap_conn *conn) {
    return conn->hello && conn->role == WZP_PCAP_ROLE_UNKNOWN;
}

/* --- events ----------------------------------------------------------------------------------- */

static void take_stream(wzp_pcap_core *core, wzp_pcap_state *state,
                        const wzp_pcap_quic_event *event) {
    const bool is_uni = (event->stream_id & 2) != 0;
    if (is_uni || is_foreign(&state->conn)) {
        wzp_pcap_message message = about(state, event);
        message.kind = WZP_PCAP_MESSAGE_TEXT;
        message.data = event->data;
        wzp_pcap_core_say(core, &message);
    } else if (wzp_pcap_signals_take(&core->signals, state, event) != WZP_OK) {
        core->nomem = true;
    }
}

static void take_datagram(wzp_pcap_core *core, wzp_pcap_state *state,
                          const wzp_pcap_quic_event *event) {
    wzp_pcap_message message = about(state, event);
    if (is_foreign(&state->conn)) {
        message.kind = WZP_PCAP_MESSAGE_QUIC;
        message.data = event->data;
        wzp_pcap_core_say(core, &message);
    } else {
        wzp_pcap_core_datagram(core, state, &message, event->data);
    }
}

static bool wanted(const wzp_pcap_core *core, const wzp_pcap_quic_event *event) {
    return event->kind == WZP_PCAP_QUIC_PACKET  ? core->cfg.packets
           : event->kind == WZP_PCAP_QUIC_FRAME ? core->cfg.frames
                                                : true;
}

static void say_event(wzp_pcap_core *core, const wzp_pcap_state *state,
                      const wzp_pcap_quic_event *event) {
    if (!wanted(core, event)) {
        return;
    }
    wzp_pcap_message message = about(state, event);
    message.kind = WZP_PCAP_MESSAGE_QUIC;
    if (event->kind == WZP_PCAP_QUIC_PROBLEM) {
        message.kind = WZP_PCAP_MESSAGE_PROBLEM;
        message.text = event->text;
        message.fail.offset = event->offset;
    }
    wzp_pcap_core_say(core, &message);
}

static void take_event(wzp_pcap_core *core, wzp_pcap_state *state,
                       const wzp_pcap_quic_event *event) {
    wzp_pcap_conn *conn = &state->conn;
    switch (event->kind) {
    case WZP_PCAP_QUIC_DATAGRAM:
        take_datagram(core, state, event);
        return;
    case WZP_PCAP_QUIC_STREAM:
        take_stream(core, state, event);
        return;
    case WZP_PCAP_QUIC_FORGOTTEN:
        forget(core, state);
        return;
    case WZP_PCAP_QUIC_HELLO:
        take_hello(conn, event);
        break;
    case WZP_PCAP_QUIC_PATH:
        set_ends(conn, event);
        break;
    case WZP_PCAP_QUIC_JOINED:
        memcpy(conn->client_random, event->hello->client_random, sizeof conn->client_random);
        conn->joined = true;
        set_ends(conn, event); /* which side is which was guessed until now */
        break;
    case WZP_PCAP_QUIC_CLOSED:
        conn->closed = true;
        break;
    case WZP_PCAP_QUIC_PACKET:
        conn->readable = conn->readable || (event->packet->type == WZP_PCAP_QUIC_1RTT &&
                                            event->packet->seal == WZP_PCAP_QUIC_CLEAR);
        break;
    case WZP_PCAP_QUIC_OPENED:
    case WZP_PCAP_QUIC_ACCEPTED:
    case WZP_PCAP_QUIC_PARAMS:
    case WZP_PCAP_QUIC_FRAME:
    case WZP_PCAP_QUIC_KEYS:
    case WZP_PCAP_QUIC_PROBLEM:
        break;
    }
    say_event(core, state, event);
}

/* A datagram that belongs to no connection. */
static void say_stray(wzp_pcap_core *core, const wzp_pcap_quic_event *event) {
    wzp_pcap_message message = {.kind = WZP_PCAP_MESSAGE_PROBLEM,
                                .packet_number = event->packet_number,
                                .time_ns = event->time_ns,
                                .src = event->src,
                                .dst = event->dst,
                                .event = event,
                                .text = event->text};
    message.fail.offset = event->offset;
    wzp_pcap_core_say(core, &message);
}

void wzp_pcap_core_event(void *ctx, const wzp_pcap_quic_event *event) {
    wzp_pcap_core *core = ctx;
    if (event->conn == 0) {
        say_stray(core, event);
        return;
    }
    wzp_pcap_state *state = state_of(core, event);
    if (state != NULL) {
        take_event(core, state, event);
    }
}

void wzp_pcap_core_record(wzp_pcap_core *core, const wzp_pcap_packet *packet) {
    wzp_pcap_message message = {.packet_number = packet->number,
                                .time_ns = packet->time_ns,
                                .packet = packet,
                                .conn = &core->file.conn};
    if (core->file.conn.opened_packet == 0) {
        core->file.conn.opened_packet = packet->number;
        core->file.conn.opened_ns = packet->time_ns;
    }
    core->file.conn.last_ns = packet->time_ns;
    wzp_pcap_core_datagram(core, &core->file, &message, packet->data);
}

void wzp_pcap_core_end(wzp_pcap_core *core) {
    core->packet = NULL;
    for (wzp_pcap_state *state = core->conns.oldest; state != NULL; state = state->newer) {
        wzp_pcap_signals_end(&core->signals, state);
    }
}

static void say_nothing(void *ctx, const wzp_pcap_state *state, const wzp_pcap_quic_event *event,
                        wzp_pcap_signal *signal) {
    (void)ctx;
    (void)state;
    (void)event;
    (void)signal;
}

void wzp_pcap_core_clear(wzp_pcap_core *core) {
    wzp_pcap_state *state;
    core->signals.sink = say_nothing;
    while ((state = wzp_pcap_conns_take_oldest(&core->conns)) != NULL) {
        wzp_pcap_signals_end(&core->signals, state);
        free(state);
    }
    wzp_pcap_conns_clear(&core->conns);
    wzp_pcap_keys_clear(&core->keys);
    wzp_crypto_wipe(core->plain, sizeof core->plain);
}
