#include "tools/pcap/decode/signals.h"

#include <stdlib.h>

typedef enum stream_phase { FREE, OPEN, DONE } stream_phase;

typedef struct stream {
    stream_phase phase;
    bool to_server;
    uint64_t id, first_packet;
    uint64_t used; /* the larger the later */
    wzp_signal_stream collected;
} stream;

struct wzp_pcap_signals {
    uint64_t clock;
    stream streams[WZP_PCAP_SIGNALS_MAX];
};

/* --- places ----------------------------------------------------------------------------------- */

static void drop(wzp_pcap_signal_reader *reader, stream *s) {
    reader->held -= s->collected.cap;
    wzp_signal_stream_clear(&s->collected);
    s->phase = FREE;
}

static void say_cut(wzp_pcap_signal_reader *reader, const wzp_pcap_state *state,
                    const wzp_pcap_quic_event *event, stream *s, wzp_err why) {
    wzp_pcap_signal signal = {.stream_id = s->id, .first_packet = s->first_packet};
    signal.json = wzp_bytes_of(s->collected.buf, s->collected.len);
    if (why == WZP_ERR_SIGNAL_TRUNCATED) {
        why = wzp_signal_stream_end(&s->collected, &signal.fail);
    }
    if (signal.fail.code == WZP_OK) {
        signal.fail = (wzp_fail){why, "stream", s->collected.len, 0};
    }
    reader->sink(reader->ctx, state, event, &signal);
}

static stream *find(wzp_pcap_signals *signals, uint64_t id, bool to_server) {
    for (size_t i = 0; i < WZP_PCAP_SIGNALS_MAX; i++) {
        stream *s = &signals->streams[i];
        if (s->phase != FREE && s->id == id && s->to_server == to_server) {
            return s;
        }
    }
    return NULL;
}

/* A free place; if there is none, that of a finished stream, else of the one that waits longest. */
static stream *find_place(wzp_pcap_signal_reader *reader, const wzp_pcap_state *state,
                          const wzp_pcap_quic_event *event) {
    stream *best = NULL;
    for (size_t i = 0; i < WZP_PCAP_SIGNALS_MAX; i++) {
        stream *s = &state->signals->streams[i];
        if (s->phase == FREE) {
            return s;
        }
        if (best == NULL || (s->phase == DONE && best->phase == OPEN) ||
            (s->phase == best->phase && s->used < best->used)) {
            best = s;
        }
    }
    if (best->phase == OPEN) {
        say_cut(reader, state, event, best, WZP_ERR_LIMIT);
    }
    drop(reader, best);
    return best;
}

static stream *begin(wzp_pcap_signal_reader *reader, const wzp_pcap_state *state,
                     const wzp_pcap_quic_event *event) {
    stream *s = find_place(reader, state, event);
    *s = (stream){.phase = OPEN,
                  .to_server = event->to_server,
                  .id = event->stream_id,
                  .first_packet = event->packet_number};
    wzp_signal_stream_init(&s->collected, 0);
    return s;
}

/* --- messages --------------------------------------------------------------------------------- */

/* Parses and says a whole message. */
static wzp_err say_message(wzp_pcap_signal_reader *reader, const wzp_pcap_state *state,
                           const wzp_pcap_quic_event *event, uint64_t first_packet,
                           wzp_bytes json) {
    wzp_signal *parsed = NULL;
    wzp_pcap_signal signal = {
        .stream_id = event->stream_id, .json = json, .first_packet = first_packet};
    const wzp_err err = wzp_signal_parse(&parsed, json, NULL, &signal.fail);
    if (err == WZP_ERR_NOMEM) {
        return err;
    }
    if (err == WZP_OK) {
        (void)strncpy(signal.name, wzp_signal_name(parsed->kind), sizeof signal.name - 1);
        signal.parsed = parsed;
    } else {
        (void)wzp_signal_peek_name(json, signal.name, sizeof signal.name);
    }
    reader->sink(reader->ctx, state, event, &signal);
    wzp_signal_free(&parsed);
    return WZP_OK;
}

/* All in one piece, as nearly always: nothing is kept. */
static bool is_whole(const wzp_pcap_quic_event *event, wzp_bytes *json) {
    return event->stream_offset == 0 && wzp_signal_frame_parse(json, event->data, NULL) == WZP_OK;
}

static wzp_err push(wzp_pcap_signal_reader *reader, const wzp_pcap_state *state,
                    const wzp_pcap_quic_event *event, stream *s) {
    wzp_bytes json;
    wzp_fail fail = {0};
    const size_t before = s->collected.cap;
    wzp_err err = wzp_signal_stream_push(&s->collected, event->data, &fail);
    reader->held += s->collected.cap - before;
    if (err == WZP_ERR_NOMEM) {
        return err;
    }
    if (err == WZP_OK && wzp_signal_stream_message(&s->collected, &json)) {
        err = say_message(reader, state, event, s->first_packet, json);
    } else if (err != WZP_OK || event->fin || reader->held > WZP_PCAP_SIGNAL_BYTES) {
        say_cut(reader, state, event, s,
                err != WZP_OK ? err
                : event->fin  ? WZP_ERR_SIGNAL_TRUNCATED
                              : WZP_ERR_LIMIT);
        err = WZP_OK;
    } else {
        return WZP_OK;
    }
    drop(reader, s);
    s->phase = event->fin ? FREE : DONE;
    return err;
}

wzp_err wzp_pcap_signals_take(wzp_pcap_signal_reader *reader, wzp_pcap_state *state,
                              const wzp_pcap_quic_event *event) {
    wzp_bytes json;
    if (state->signals == NULL) {
        state->signals = calloc(1, sizeof *state->signals);
        if (state->signals == NULL) {
            return WZP_ERR_NOMEM;
        }
    }
    stream *s = find(state->signals, event->stream_id, event->to_server);
    if (s == NULL) {
        if (event->data.len == 0 || event->stream_offset != 0) {
            reader->behind += event->data.len; /* the end of one that was forgotten; or nothing */
            return WZP_OK;
        }
        s = begin(reader, state, event);
        s->used = ++state->signals->clock;
        if (is_whole(event, &json)) {
            s->phase = event->fin ? FREE : DONE;
            return say_message(reader, state, event, event->packet_number, json);
        }
    }
    s->used = ++state->signals->clock;
    if (s->phase == OPEN) {
        return push(reader, state, event, s);
    }
    reader->behind += event->data.len;
    s->phase = event->fin ? FREE : DONE;
    return WZP_OK;
}

void wzp_pcap_signals_end(wzp_pcap_signal_reader *reader, wzp_pcap_state *state) {
    if (state->signals == NULL) {
        return;
    }
    for (size_t i = 0; i < WZP_PCAP_SIGNALS_MAX; i++) {
        stream *s = &state->signals->streams[i];
        if (s->phase == OPEN) {
            say_cut(reader, state, NULL, s, WZP_ERR_SIGNAL_TRUNCATED);
        }
        drop(reader, s);
    }
    free(state->signals);
    state->signals = NULL;
}
