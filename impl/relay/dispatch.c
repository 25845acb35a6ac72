/* From a connection's SNI to what it is, and its timers (relay sheet 3.3, wire sheet 2.6). */
#include <stdlib.h>

#include "relay/internal.h"

static void start_version(session *s) {
    wzp_relay *r = s->relay;
    int64_t stream = 0;
    if (wzp_quic_stream_open(r->quic, s->conn, WZP_QUIC_UNI_STREAM, &stream) == WZP_OK &&
        wzp_quic_stream_write(r->quic, s->conn, stream, wzp_bytes_str(r->build), true) == WZP_OK) {
        s->farewell_stream = stream;
    }
    s->state = SESSION_FAREWELL;
    s->farewell_reason = "";
    wzp_relay_set_deadline(s, wzp_time_after(r->now, WZP_TIMER_VERSION));
}

static void start(session *s, session_state state, uint64_t timer) {
    s->state = state;
    wzp_relay_set_deadline(s, timer == WZP_TIME_NEVER ? WZP_TIME_NEVER
                                                      : wzp_time_after(s->relay->now, timer));
}

static uint64_t hash_conn(const wzp_relay *r, wzp_quic_conn conn) {
    return wzp_table_hash(&r->conns, wzp_bytes_of(&conn, sizeof conn));
}

session *wzp_relay_find_session(const wzp_relay *r, wzp_quic_conn conn) {
    for (wzp_table_link *link = wzp_table_first(&r->conns, hash_conn(r, conn)); link != NULL;
         link = wzp_table_next(link)) {
        session *s = WZP_OWNER_OF(link, session, by_conn);
        if (s->conn == conn) {
            return s;
        }
    }
    return NULL;
}

session *wzp_relay_new_session(wzp_relay *r, wzp_quic_conn conn, const char *sni) {
    session *s = calloc(1, sizeof *s);
    if (s == NULL || wzp_timers_reserve(&r->timers, r->session_count + 1) != WZP_OK) {
        free(s);
        return NULL;
    }
    s->relay = r;
    s->conn = conn;
    s->trunk.flush_at = WZP_TIME_NEVER;
    wzp_timer_init(&s->timer);
    s->connected_at = r->now;
    memcpy(s->sni, sni, strlen(sni) + 1);
    s->next = r->sessions;
    if (s->next != NULL) {
        s->next->prev = s;
    }
    r->sessions = s;
    r->session_count++;
    wzp_table_add(&r->conns, &s->by_conn, hash_conn(r, s->conn));
    return s;
}

/* Whoever needs no token, or had a good one, says who he is. */
void wzp_relay_admit_first(session *s) {
    if (s->bridge != NULL) {
        wzp_relay_bridge_admit(s);
    } else if (strcmp(s->sni, "_signal") == 0) {
        start(s, SESSION_REGISTER, WZP_TIMER_REGISTER);
    } else {
        start(s, SESSION_OFFER, WZP_TIMER_OFFER);
        s->offer_due_at = s->relay->now;
    }
}

/* A connection of our own stands.  Its peer may have closed it with the same packet: the endpoint
 * knows it no more then, but the session is there until that is told as well. */
static void on_answered(wzp_relay *r, const wzp_quic_event *ev) {
    session *s = wzp_relay_find_session(r, ev->conn);
    if (s != NULL && s->probe != NULL) {
        wzp_relay_on_probe_connected(s, ev);
    } else if (s != NULL) {
        wzp_relay_on_dialled(s, ev);
    }
}

void wzp_relay_on_connected(wzp_relay *r, const wzp_quic_event *ev) {
    if (!ev->is_server) {
        on_answered(r, ev);
        return;
    }
    session *s = wzp_relay_admits_connection(r, ev->sni)
                     ? wzp_relay_new_session(r, ev->conn, ev->sni)
                     : NULL;
    if (s == NULL) {
        wzp_quic_close(r->quic, ev->conn, 0, r->draining ? "the relay drains" : "normal close",
                       r->now);
        return;
    }
    s->path = ev->path;
    wzp_quic_set_app(r->quic, s->conn, s);
    if (strcmp(s->sni, "ping") == 0) {
        wzp_relay_end(s, "");
    } else if (strcmp(s->sni, "version") == 0) {
        start_version(s);
    } else if (strcmp(s->sni, "_probe") == 0) {
        start(s, SESSION_PROBE, WZP_TIME_NEVER);
    } else if (strcmp(s->sni, "_federation") == 0) {
        start(s, SESSION_HELLO, WZP_TIMER_HELLO);
    } else if (strcmp(s->sni, "_relay") == 0) {
        wzp_relay_end(s, "normal close");
    } else {
        if (s->sni[0] == '\0') {
            memcpy(s->sni, "default", sizeof "default");
        }
        if (r->cfg.auth) {
            start(s, SESSION_TOKEN, WZP_TIMER_TOKEN);
        } else {
            wzp_relay_admit_first(s);
        }
    }
}

void wzp_relay_on_signal(session *s, wzp_bytes json) {
    switch (s->state) {
    case SESSION_TOKEN:
        wzp_relay_on_token(s, json);
        break;
    case SESSION_ASKED:
        wzp_relay_auth_hold(s, json);
        break;
    case SESSION_OFFER:
        wzp_relay_on_offer(s, json);
        break;
    case SESSION_ROOM:
        wzp_relay_on_room_signal(s, json);
        break;
    case SESSION_REGISTER:
        wzp_relay_on_register(s, json);
        break;
    case SESSION_SIGNAL:
        wzp_relay_on_hub_signal(s, json);
        break;
    case SESSION_PROBE:
        wzp_relay_on_probe_signal(s, json);
        break;
    case SESSION_HELLO:
        wzp_relay_on_hello(s, json);
        break;
    case SESSION_LINK:
        wzp_relay_on_link_signal(s, json);
        break;
    case SESSION_DIALLED:
    case SESSION_FAREWELL:
        break;
    }
}

/* Sends a last signal, waits for its acknowledgement (or `wait`), then closes: closing at once
 * would discard it. */
void wzp_relay_farewell(session *s, const wzp_signal *last, const char *reason, uint64_t wait) {
    const int64_t stream = wzp_relay_send_signal(s, last);
    if (s->bridge != NULL) {
        wzp_relay_bridge_hangup(s, last);
    }
    s->state = SESSION_FAREWELL;
    s->farewell_stream = stream;
    s->farewell_reason = reason;
    wzp_relay_set_deadline(s, stream != 0 ? wzp_time_after(s->relay->now, wait) : s->relay->now);
}

/* Closes the connection; the session goes when the CLOSED event comes back. */
void wzp_relay_end(session *s, const char *reason) {
    s->state = SESSION_FAREWELL; /* what was already received is not read any more */
    wzp_relay_set_deadline(s, WZP_TIME_NEVER);
    if (s->bridge != NULL) {
        wzp_relay_bridge_end(s, reason);
    } else {
        wzp_quic_close(s->relay->quic, s->conn, 0, reason, s->relay->now);
    }
}

void wzp_relay_on_timer(session *s) {
    if (s->state == SESSION_ASKED) {
        wzp_relay_auth_conclude(s, WZP_AUTH_TIMEOUT, NULL);
        return;
    }
    if (s->state == SESSION_TOKEN || s->state == SESSION_OFFER || s->state == SESSION_REGISTER ||
        s->state == SESSION_HELLO) {
        s->relay->metrics.handshake_refusals++;
        wzp_relay_event_push(s->relay, s, "handshake_timeout", "");
    }
    wzp_relay_end(s, s->state == SESSION_FAREWELL ? s->farewell_reason : "normal close");
}

void wzp_relay_on_closed(session *s) {
    wzp_relay *r = s->relay;
    wzp_relay_set_deadline(s, WZP_TIME_NEVER);
    if (s->bridge == NULL) {
        wzp_quic_set_app(r->quic, s->conn, NULL);
    }
    wzp_relay_auth_drop(s);
    wzp_relay_link_closed(s);
    wzp_relay_probe_closed(s);
    wzp_relay_leave(s);
    wzp_relay_bridge_free(s);
    wzp_relay_hub_leave(s);
    wzp_relay_keyframe_free(s);
    wzp_enf_free(&s->enf);
    free(s->scorer);
    wzp_relay_judge_free(s);
    free(s->meter);
    if (s->prev != NULL) {
        s->prev->next = s->next;
    } else {
        r->sessions = s->next;
    }
    if (s->next != NULL) {
        s->next->prev = s->prev;
    }
    wzp_table_remove(&r->conns, &s->by_conn);
    r->session_count--;
    free(s);
}
