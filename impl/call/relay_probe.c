#include "call/relay_probe.h"

#include <stdio.h>
#include <string.h>

#include "wire/signal.h"

#define TIMEOUT_DEFAULT (5 * WZP_S)

enum { NAME_MAX = 64, REGISTER_MAX = 512 };

/* --- the end ---------------------------------------------------------------------------------- */

/* Nobody hears of the connection any more, which closes in its own time. */
static void leave(wzp_relay_probe *p, wzp_time now) {
    wzp_endpoint_attach(p->endpoint, p->conn, NULL);
    wzp_quic_close(wzp_endpoint_quic(p->endpoint), p->conn, 0, "probe", now);
    p->ends_at = WZP_TIME_NEVER;
}

/* `what` is ours, `why` may be the peer's. */
static void fail(wzp_relay_probe *p, const char *what, const char *why, wzp_time now) {
    char clean[NAME_MAX];
    (void)snprintf(p->error, sizeof p->error, "%s%s", what,
                   wzp_log_clean(clean, sizeof clean, why, strlen(why)));
    p->state = WZP_RELAY_PROBE_FAILED;
    leave(p, now);
}

static void succeed(wzp_relay_probe *p, wzp_time now) {
    wzp_quic_stats stats;
    p->took = wzp_time_since(now, p->began_at);
    p->rtt = wzp_quic_conn_stats(wzp_endpoint_quic(p->endpoint), p->conn, &stats)
                 ? stats.smoothed_rtt
                 : p->took;
    p->state = WZP_RELAY_PROBE_ANSWERED;
    leave(p, now);
}

/* --- the exchange ----------------------------------------------------------------------------- */

/* Moves on if the signal could be queued. */
static void ask(wzp_relay_probe *p, const wzp_signal *signal, wzp_relay_probe_state next,
                const char *what, wzp_time now) {
    uint8_t buf[REGISTER_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_signal_write(&wr, signal);
    wzp_err err = wzp_wr_end(&wr);
    if (err == WZP_OK) {
        err = wzp_quic_send_signal(wzp_endpoint_quic(p->endpoint), p->conn,
                                   wzp_bytes_of(buf, wzp_wr_len(&wr)), NULL);
    }
    if (err != WZP_OK) {
        fail(p, what, wzp_err_text(err), now);
        return;
    }
    p->state = next;
}

static void on_connected(wzp_relay_probe *p, wzp_time now) {
    const wzp_signal reg = {.kind = WZP_SIGNAL_REGISTER_PRESENCE, .version = 1}; /* all zeros */
    if (p->kind == WZP_RELAY_PROBE_PING) {
        succeed(p, now);
        return;
    }
    ask(p, &reg, WZP_RELAY_PROBE_REGISTERING, "send RegisterPresence: ", now);
}

static void on_ack(wzp_relay_probe *p, const wzp_signal_RegisterPresenceAck *ack, wzp_time now) {
    const wzp_signal reflect = {.kind = WZP_SIGNAL_REFLECT, .version = 1};
    if (p->state != WZP_RELAY_PROBE_REGISTERING) {
        p->skipped++;
        return;
    }
    if (!ack->success) {
        char why[NAME_MAX];
        (void)snprintf(why, sizeof why, "%.*s", ack->error.present ? (int)ack->error.value.len : 7,
                       ack->error.present ? (const char *)ack->error.value.data : "refused");
        fail(p, "unexpected pre-reflect signal: RegisterPresenceAck, ", why, now);
        return;
    }
    ask(p, &reflect, WZP_RELAY_PROBE_REFLECTING, "send Reflect: ", now);
}

static void on_answer(wzp_relay_probe *p, wzp_bytes text, wzp_time now) {
    char addr[WZP_ADDR_TEXT_MAX + 1];
    if (p->state != WZP_RELAY_PROBE_REFLECTING) {
        p->skipped++;
        return;
    }
    (void)snprintf(addr, sizeof addr, "%.*s", (int)text.len, (const char *)text.data);
    if (text.len >= sizeof addr || wzp_addr_parse(&p->observed, addr) != WZP_OK) {
        fail(p, "parse observed_addr ", addr, now);
        return;
    }
    succeed(p, now);
}

static void on_signal(wzp_relay_probe *p, wzp_bytes json, wzp_time now) {
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        p->unreadable++;
        return;
    }
    if (signal->kind == WZP_SIGNAL_REGISTER_PRESENCE_ACK) {
        on_ack(p, &signal->u.RegisterPresenceAck, now);
    } else if (signal->kind == WZP_SIGNAL_REFLECT_RESPONSE) {
        on_answer(p, signal->u.ReflectResponse.observed_addr, now);
    } else {
        p->skipped++;
    }
    wzp_signal_free(&signal);
}

static void on_closed(wzp_relay_probe *p, const wzp_quic_close_info *close, wzp_time now) {
    switch (p->state) {
    case WZP_RELAY_PROBE_CONNECTING:
        fail(p, "connect: ", wzp_quic_close_text(close), now);
        break;
    case WZP_RELAY_PROBE_REGISTERING:
        fail(p, "connection closed before RegisterPresenceAck", "", now);
        break;
    case WZP_RELAY_PROBE_REFLECTING:
        fail(p, "connection closed before ReflectResponse", "", now);
        break;
    case WZP_RELAY_PROBE_IDLE:
    case WZP_RELAY_PROBE_ANSWERED:
    case WZP_RELAY_PROBE_FAILED:
        break;
    }
}

static void on_event(void *self, const wzp_quic_event *ev, wzp_time now) {
    wzp_relay_probe *p = self;
    if (ev->kind == WZP_QUIC_CONNECTED) {
        on_connected(p, now);
    } else if (ev->kind == WZP_QUIC_SIGNAL) {
        on_signal(p, ev->body, now);
    } else if (ev->kind == WZP_QUIC_SIGNAL_BAD) {
        p->unreadable++;
    } else if (ev->kind == WZP_QUIC_CLOSED) {
        on_closed(p, &ev->close, now);
    }
}

/* --- what its user does ----------------------------------------------------------------------- */

void wzp_relay_probe_start(wzp_relay_probe *p, wzp_endpoint *endpoint, const wzp_addr *relay,
                           wzp_relay_probe_kind kind, uint64_t timeout, wzp_time now) {
    *p = (wzp_relay_probe){.endpoint = endpoint,
                           .user = {p, on_event},
                           .kind = kind,
                           .state = WZP_RELAY_PROBE_CONNECTING,
                           .relay = *relay,
                           .timeout = timeout != 0 ? timeout : TIMEOUT_DEFAULT,
                           .began_at = now};
    const wzp_quic_dial dial = {.path = {.remote = *relay},
                                .sni = kind == WZP_RELAY_PROBE_PING ? "ping" : "_signal"};
    p->ends_at = wzp_time_after(now, p->timeout);
    const wzp_err err = relay->family != WZP_ADDR_NONE && relay->port != 0
                            ? wzp_endpoint_dial(endpoint, &dial, &p->user, now, &p->conn)
                            : WZP_ERR_INVALID_ARGUMENT;
    if (err != WZP_OK) {
        fail(p, "connect: ", wzp_err_text(err), now); /* there is no connection 0 */
    }
}

void wzp_relay_probe_tick(wzp_relay_probe *p, wzp_time now) {
    char ms[NAME_MAX];
    if (p->ends_at > now || wzp_relay_probe_is_over(p)) {
        return;
    }
    (void)snprintf(ms, sizeof ms, "(%llums)", (unsigned long long)(p->timeout / WZP_MS));
    fail(p, "probe timeout ", ms, now);
}

wzp_time wzp_relay_probe_deadline(const wzp_relay_probe *p) {
    return wzp_relay_probe_is_over(p) ? WZP_TIME_NEVER : p->ends_at;
}

bool wzp_relay_probe_is_over(const wzp_relay_probe *p) {
    return p->state == WZP_RELAY_PROBE_IDLE || p->state >= WZP_RELAY_PROBE_ANSWERED;
}

void wzp_relay_probe_stop(wzp_relay_probe *p, wzp_time now) {
    if (!wzp_relay_probe_is_over(p)) {
        leave(p, now);
        p->state = WZP_RELAY_PROBE_IDLE;
    }
}
