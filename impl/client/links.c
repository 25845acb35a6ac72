/* The connections of a client: the relay's, which is its own, and a direct one, which is lent.  One
 * of them is sent by; a change makes no difference to the media but that the path is another. */
#include <stdio.h>

#include "client/internal.h"

/* In a quiet call too something must come within WZP_CLIENT_PATIENCE. */
#define KEEP_ALIVE (2 * WZP_S)

/* A relay that has hung up closes the connection as well, once it knows that its words arrived. */
#define LAST_WORDS (500 * WZP_MS)

/* Longer than the other side needs to hear of a direct path, and what it said to arrive. */
#define LINGER (500 * WZP_MS)

/* --- which one is sent by --------------------------------------------------------------------- */

/* A relay that is still to be joined does not take over from a direct connection. */
static wzp_quic_conn choose(const wzp_client *c) {
    const bool by_relay =
        c->path == CLIENT_BY_RELAY && (c->direct == 0 || c->relay_is == CLIENT_RELAY_JOINED);
    return by_relay ? c->relay : c->direct;
}

/* What was measured before says nothing about another connection. */
static void settle(wzp_client *c, wzp_time now) {
    wzp_quic_stats stats = {0};
    const wzp_quic_conn chosen = choose(c);
    if (chosen == c->sends) {
        return;
    }
    c->sends = chosen;
    if (c->path == CLIENT_BY_RELAY && chosen == c->relay) {
        c->direct = 0;
    }
    if (wzp_quic_conn_stats(c->quic, chosen, &stats)) {
        c->way = stats;
        c->packets_received = stats.packets_received;
        c->received_at = now;
        wzp_pace_moved(&c->pace, &stats);
        (void)wzp_reception_measure(&c->reception, &c->tracks, now);
    }
}

static void begin(wzp_client *c, wzp_time now) {
    if (c->state == CLIENT_SILENT) {
        c->state = CLIENT_ACTIVE;
        c->capture_at = now;
    }
}

static bool is_usable(const wzp_client *c) {
    return c->sends != 0 && (c->sends != c->relay || c->relay_is == CLIENT_RELAY_JOINED);
}

bool wzp_client_uses_relay(const wzp_client *c) {
    return c->state == CLIENT_ACTIVE && c->relay != 0 && c->sends == c->relay && is_usable(c);
}

wzp_err wzp_client_send_media(wzp_client *c, wzp_bytes datagram) {
    return is_usable(c) ? wzp_quic_send_datagram(c->quic, c->sends, datagram) : WZP_ERR_CLOSED;
}

void wzp_client_take_direct(wzp_client *c, wzp_quic_conn conn, wzp_time now) {
    if (c->cfg.waits && c->state != CLIENT_OVER) {
        c->path = CLIENT_DIRECT;
        c->direct = conn;
        settle(c, now);
        begin(c, now);
    }
}

void wzp_client_take_relay(wzp_client *c, wzp_time now) {
    if (c->cfg.waits && c->state != CLIENT_OVER) {
        c->path = CLIENT_BY_RELAY;
        settle(c, now);
        if (c->relay_is == CLIENT_RELAY_JOINED) {
            begin(c, now);
        }
    }
}

void wzp_client_joined(wzp_client *c, wzp_time now) {
    c->relay_is = CLIENT_RELAY_JOINED;
    settle(c, now);
    if (c->path == CLIENT_BY_RELAY) {
        begin(c, now);
    }
}

/* --- does anything come by it? ---------------------------------------------------------------- */

static bool in_call(const wzp_client *c) {
    return c->state == CLIENT_ACTIVE || (c->state == CLIENT_SILENT && c->path == CLIENT_BY_RELAY &&
                                         c->relay_is == CLIENT_RELAY_ANSWERED);
}

static wzp_time loss_at(const wzp_client *c) {
    return in_call(c) && !c->lost ? wzp_time_after(c->received_at, WZP_CLIENT_PATIENCE)
                                  : WZP_TIME_NEVER;
}

/* What anybody may forge does not count: only packets that QUIC took. */
static void watch(wzp_client *c, wzp_time now) {
    wzp_quic_stats stats;
    if (c->sends != 0 && wzp_quic_conn_stats(c->quic, c->sends, &stats) &&
        stats.packets_received != c->packets_received) {
        c->packets_received = stats.packets_received;
        c->received_at = now;
        c->tell_back = c->tell_back || c->lost;
        c->lost = false;
    }
    if (loss_at(c) <= now) {
        c->lost = c->tell_lost = true;
    }
}

/* --- the relay -------------------------------------------------------------------------------- */

void wzp_client_prepare(wzp_client *c) {
    wzp_ephemeral_new(&c->ephemeral, c->cfg.rng);
    c->admission = c->next_admission;
    wzp_cipher_clear(&c->cipher);
    c->cipher.pending = false;
}

static void forget_relay(wzp_client *c, client_relay next, wzp_time now) {
    c->relay = 0;
    c->relay_is = next;
    c->leave_at = WZP_TIME_NEVER;
    wzp_client_prepare(c);
    settle(c, now);
}

static void on_closed(wzp_client *c, const wzp_quic_close_info *close, wzp_time now) {
    (void)snprintf(c->closed, sizeof c->closed, "%s (code 0x%llx)", wzp_quic_close_text(close),
                   (unsigned long long)close->code);
    forget_relay(c, CLIENT_RELAY_DOWN, now);
    if (!c->cfg.waits) {
        c->state = CLIENT_OVER;
        c->tell_closed = true;
    }
}

/* --- a relay that was left for a direct path -------------------------------------------------- */

static void end_parted(wzp_client *c, wzp_time now) {
    const wzp_quic_conn parted = c->parted;
    if (parted != 0) {
        c->parted = 0;
        c->part_at = WZP_TIME_NEVER;
        wzp_endpoint_attach(c->endpoint, parted, NULL);
        wzp_quic_close(c->quic, parted, 0, WZP_CLIENT_NOT_SELECTED, now);
    }
}

/* The other side turns later than we do, and what it has said by then is under way. */
static bool may_linger(const wzp_client *c, wzp_time now) {
    return c->path == CLIENT_DIRECT && c->relay_is == CLIENT_RELAY_JOINED &&
           c->relay_heard_at != 0 && wzp_time_since(now, c->relay_heard_at) < LINGER;
}

static void part(wzp_client *c, wzp_time now) {
    end_parted(c, now);
    c->parted = c->relay;
    c->part_at = wzp_time_after(now, LINGER);
    forget_relay(c, CLIENT_RELAY_NONE, now);
}

/* It cannot be sealed: its key is gone. */
static void on_parted(wzp_client *c, const wzp_quic_event *ev, wzp_time now) {
    if (ev->kind == WZP_QUIC_DATAGRAM && c->cipher.mode == WZP_MEDIA_CRYPTO_CLEAR) {
        wzp_client_on_media(c, ev->body, NULL, now);
    } else if (ev->kind == WZP_QUIC_CLOSED) {
        c->parted = 0;
        c->part_at = WZP_TIME_NEVER;
    }
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_event(void *self, const wzp_quic_event *ev, wzp_time now) {
    wzp_client *c = self;
    if (ev->conn != c->relay) {
        on_parted(c, ev, now);
        return;
    }
    switch (ev->kind) {
    case WZP_QUIC_CONNECTED:
    case WZP_QUIC_SIGNAL_ACKED:
        wzp_client_admit(c, ev, now);
        break;
    case WZP_QUIC_SIGNAL:
        if (wzp_client_may_pass(c, false, ev->body, now)) {
            wzp_client_on_signal(c, ev->body, now);
        }
        break;
    case WZP_QUIC_DATAGRAM:
        c->relay_heard_at = now;
        wzp_client_on_media(c, ev->body, &c->cipher, now);
        break;
    case WZP_QUIC_CLOSED:
        on_closed(c, &ev->close, now);
        break;
    case WZP_QUIC_SIGNAL_BAD:
        c->unreadable++;
        break;
    case WZP_QUIC_UNI:
    case WZP_QUIC_PATH:
        break;
    }
}

void wzp_client_hung_up(wzp_client *c, wzp_time now) {
    c->was_hung_up = c->tell_hangup = true;
    if (c->relay_is != CLIENT_RELAY_HUNG_UP && c->relay != 0) {
        c->relay_is = CLIENT_RELAY_HUNG_UP;
        c->leave_at = wzp_time_after(now, LAST_WORDS);
        c->state = c->cfg.waits ? c->state : CLIENT_OVER;
        settle(c, now);
    }
}

static wzp_err dial(wzp_client *c, const wzp_quic_path *path, wzp_time now) {
    const wzp_quic_dial d = {.path = *path, .sni = c->room};
    const wzp_err err = wzp_endpoint_dial(c->endpoint, &d, &c->user, now, &c->relay);
    if (err == WZP_OK) {
        wzp_quic_set_keep_alive(c->quic, c->relay, KEEP_ALIVE);
        c->relay_is = CLIENT_RELAY_CONNECTING;
        c->was_hung_up = false;
        c->relay_heard_at = 0;
        c->members = 0;
        settle(c, now);
    }
    return err;
}

static void leave_relay(wzp_client *c, const char *reason, wzp_time now) {
    const wzp_quic_conn relay = c->relay;
    wzp_endpoint_attach(c->endpoint, relay, NULL);
    forget_relay(c, CLIENT_RELAY_NONE, now);
    wzp_quic_close(c->quic, relay, 0, reason, now);
}

wzp_err wzp_client_dial_relay(wzp_client *c, const wzp_addr *relay, wzp_time now) {
    if (!c->cfg.waits || c->state == CLIENT_OVER || relay->family == WZP_ADDR_NONE ||
        (c->relay != 0 && c->relay_is != CLIENT_RELAY_HUNG_UP)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    if (c->relay != 0) {
        leave_relay(c, "hangup", now);
    }
    end_parted(c, now); /* or it would bring us what we say ourselves */
    return dial(c, &(wzp_quic_path){c->cfg.path.local, *relay}, now);
}

void wzp_client_drop_relay(wzp_client *c, wzp_time now) {
    if (!c->cfg.waits) {
        return;
    }
    c->tell_joined = c->tell_room = c->tell_hangup = false;
    if (may_linger(c, now)) {
        part(c, now);
        return;
    }
    end_parted(c, now);
    if (c->relay != 0) {
        leave_relay(c, WZP_CLIENT_NOT_SELECTED, now);
    }
    c->relay_is = CLIENT_RELAY_NONE;
}

wzp_client_relay wzp_client_relay_state(const wzp_client *c, const char **why) {
    const bool is_down = c->relay_is == CLIENT_RELAY_HUNG_UP || c->relay_is == CLIENT_RELAY_DOWN;
    if (why != NULL) {
        *why = !is_down ? "" : c->was_hung_up ? c->hangup : c->closed;
    }
    switch (c->relay_is) {
    case CLIENT_RELAY_NONE:
        return WZP_CLIENT_RELAY_NONE;
    case CLIENT_RELAY_CONNECTING:
    case CLIENT_RELAY_OFFERED:
        return WZP_CLIENT_RELAY_DIALLING;
    case CLIENT_RELAY_ANSWERED:
    case CLIENT_RELAY_JOINED:
        return WZP_CLIENT_RELAY_UP;
    case CLIENT_RELAY_HUNG_UP:
    case CLIENT_RELAY_DOWN:
        break;
    }
    return WZP_CLIENT_RELAY_DOWN;
}

static void say_goodbye(wzp_client *c, wzp_time now) {
    const wzp_signal hangup = {
        .kind = WZP_SIGNAL_HANGUP, .version = 1, .u.Hangup.reason.kind = WZP_HANGUP_NORMAL};
    wzp_client_send_signal(c, &hangup, now);
}

void wzp_client_hangup(wzp_client *c, wzp_time now) {
    const bool is_direct = c->path == CLIENT_DIRECT;
    if (c->relay != 0 && !is_direct) {
        say_goodbye(c, now);
    }
    if (!c->cfg.waits && c->relay != 0) {
        wzp_quic_close(c->quic, c->relay, 0, "hangup", now);
        return;
    }
    if (c->relay != 0) {
        leave_relay(c, is_direct ? WZP_CLIENT_NOT_SELECTED : "hangup", now);
    }
    end_parted(c, now);
    c->state = CLIENT_OVER;
}

/* --- time ------------------------------------------------------------------------------------- */

void wzp_client_links_tick(wzp_client *c, wzp_time now) {
    watch(c, now);
    if (c->leave_at <= now) {
        c->leave_at = WZP_TIME_NEVER;
        wzp_quic_close(c->quic, c->relay, 0, "hangup", now);
    }
    if (c->part_at <= now) {
        end_parted(c, now);
    }
}

wzp_time wzp_client_links_deadline(const wzp_client *c) {
    return wzp_time_min(loss_at(c), wzp_time_min(c->leave_at, c->part_at));
}

/* --- life ------------------------------------------------------------------------------------- */

wzp_err wzp_client_open(wzp_client *c, wzp_time now) {
    const wzp_quic_cfg quic = {.rng = c->cfg.rng,
                               .log = c->cfg.log,
                               .keep_alive = KEEP_ALIVE,
                               .datagram_lifetime = WZP_CLIENT_LIFETIME,
                               .deterministic = c->cfg.deterministic,
                               .keylog = c->cfg.keylog,
                               .keylog_ctx = c->cfg.keylog_ctx,
                               .qlog = c->cfg.qlog,
                               .qlog_ctx = c->cfg.qlog_ctx};
    c->endpoint = c->cfg.endpoint;
    c->is_owner = c->endpoint == NULL;
    const wzp_err err = c->is_owner ? wzp_endpoint_new(&c->endpoint, &quic, now) : WZP_OK;
    if (err != WZP_OK) {
        return err;
    }
    c->quic = wzp_endpoint_quic(c->endpoint);
    c->user = (wzp_endpoint_user){c, on_event};
    c->path = c->cfg.waits ? CLIENT_NO_PATH : CLIENT_BY_RELAY;
    return c->cfg.waits ? WZP_OK : dial(c, &c->cfg.path, now);
}

/* Attached to nobody first: events of theirs may wait. */
static void abandon(wzp_client *c, wzp_quic_conn conn) {
    wzp_endpoint_attach(c->endpoint, conn, NULL);
    wzp_quic_abandon(c->quic, conn);
}

void wzp_client_detach(wzp_client *c) {
    if (c->is_owner) {
        wzp_endpoint_free(&c->endpoint);
    } else if (c->endpoint != NULL) {
        abandon(c, c->relay);
        abandon(c, c->parted);
    }
    c->endpoint = NULL;
    c->relay = c->parted = c->direct = c->sends = 0;
    c->state = CLIENT_OVER;
}
