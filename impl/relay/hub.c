/* Signal connections: registration, Ping, Reflect (relay sheet 8.1-8.3).  Presence lists are in
 * presence.c, what is about calls in direct.c. */
#include "relay/internal.h"

/* --- names ------------------------------------------------------------------------------------ */

session *wzp_relay_find_client(const wzp_relay *r, wzp_bytes name) {
    for (wzp_table_link *link = wzp_table_first(&r->clients, wzp_table_hash(&r->clients, name));
         link != NULL; link = wzp_table_next(link)) {
        session *s = WZP_OWNER_OF(link, session, by_name);
        if (wzp_bytes_equal(wzp_bytes_str(s->fingerprint), name)) {
            return s;
        }
    }
    return NULL;
}

static void take_name(session *s) {
    wzp_table *clients = &s->relay->clients;
    wzp_table_add(clients, &s->by_name, wzp_table_hash(clients, wzp_bytes_str(s->fingerprint)));
    s->is_registered = true;
    s->relay->signal_clients++;
    wzp_relay_presence_add(s);
}

static void give_up_name(session *s) {
    wzp_table_remove(&s->relay->clients, &s->by_name);
    s->is_registered = false;
    s->relay->signal_clients--;
    wzp_relay_presence_remove(s);
}

/* Clients that only want to know what a relay sees of them register so, several at once: nobody
 * calls them, and lists do without them (NAT sheet 1.5). */
static bool is_nobody(const session *s, const wzp_signal_RegisterPresence *reg) {
    static const uint8_t zeros[WZP_KEY_LEN] = {0};
    return !s->is_named && memcmp(reg->identity_pub.bytes, zeros, sizeof zeros) == 0;
}

bool wzp_relay_rate(rate *counted, unsigned limit, wzp_time now) {
    if (wzp_time_since(now, counted->since) >= WZP_S) {
        counted->since = now;
        counted->count = 0;
    }
    return counted->count++ < limit;
}

/* --- registration ----------------------------------------------------------------------------- */

static void acknowledge(session *s) {
    const wzp_relay *r = s->relay;
    const wzp_signal ack = {
        .kind = WZP_SIGNAL_REGISTER_PRESENCE_ACK,
        .version = 1,
        .u.RegisterPresenceAck = {.success = true,
                                  .relay_build = {true, wzp_bytes_str(r->build)},
                                  .relay_region = {r->region[0] != '\0', wzp_bytes_str(r->region)},
                                  .available_relays = {r->relay_views, r->available_count}}};
    (void)wzp_relay_send_signal(s, &ack);
}

/* Deployed relays close without a word; this word is in the protocol, and no client minds it. */
static void refuse(session *s, const char *why) {
    const wzp_signal ack = {.kind = WZP_SIGNAL_REGISTER_PRESENCE_ACK,
                            .version = 1,
                            .u.RegisterPresenceAck = {.error = {true, wzp_bytes_str(why)}}};
    s->relay->metrics.handshake_refusals++;
    wzp_relay_event_push(s->relay, s, "register_refused", why);
    wzp_relay_farewell(s, &ack, "normal close", WZP_TIMER_MISMATCH);
}

static void copy_alias(session *s, const wzp_opt_str *alias) {
    const size_t len = alias->present && alias->value.len <= WZP_LIMIT_ALIAS ? alias->value.len : 0;
    s->relay->metrics.aliases_cut += alias->present && len != alias->value.len ? 1 : 0;
    if (len > 0) {
        memcpy(s->alias, alias->value.data, len);
    }
}

/* The older connection of the same name stays open, but nothing leads to it any more; the calls
 * belong to the name. */
static void replace(session *s) {
    session *older = wzp_relay_find_client(s->relay, wzp_bytes_str(s->fingerprint));
    if (older != NULL) {
        give_up_name(older);
        wzp_relay_event_push(s->relay, older, "replaced", "");
    }
    take_name(s);
}

static void enter(session *s, const wzp_signal_RegisterPresence *reg) {
    const bool has_name = !is_nobody(s, reg);
    if (has_name) {
        copy_alias(s, &reg->alias);
        replace(s);
    } else {
        s->relay->metrics.nobodies++;
    }
    s->state = SESSION_SIGNAL;
    wzp_relay_set_deadline(s, WZP_TIME_NEVER);
    wzp_relay_event_push(s->relay, s, "register", has_name ? "" : "without a key");
    acknowledge(s);
}

static bool proves_key(const wzp_signal_RegisterPresence *reg) {
    return wzp_presence_verify(wzp_bytes_of(reg->signature.items, reg->signature.count),
                               reg->identity_pub.bytes) == WZP_OK;
}

/* Deployed clients prove nothing, and so anybody takes their names; not so from who proved his. */
static bool may_take_name(const session *s) {
    const session *older = wzp_relay_find_client(s->relay, wzp_bytes_str(s->fingerprint));
    return s->is_proven || older == NULL || !older->is_proven;
}

void wzp_relay_on_register(session *s, wzp_bytes json) {
    wzp_relay *r = s->relay;
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK ||
        signal->kind != WZP_SIGNAL_REGISTER_PRESENCE) {
        r->metrics.handshake_refusals++;
        wzp_relay_end(s, "normal close");
        wzp_signal_free(&signal);
        return;
    }
    const bool has_key = proves_key(&signal->u.RegisterPresence);
    s->is_proven = has_key || s->is_named;
    if ((r->cfg.strict_identity && !has_key) ||
        !wzp_relay_auth_name(s, signal->u.RegisterPresence.identity_pub.bytes)) {
        refuse(s, "the identity is not proven");
    } else if (!may_take_name(s)) {
        refuse(s, "the name is somebody's who proved it");
    } else if (r->signal_clients >= WZP_LIMIT_SIGNAL_CLIENTS) {
        refuse(s, "the relay is full");
    } else {
        enter(s, &signal->u.RegisterPresence);
    }
    wzp_signal_free(&signal);
}

/* Only the connection that the name leads to ends its calls: who lost his network and registered
 * again keeps them when the older connection is given up (deployed relays end them, whichever goes,
 * relay sheet 8.3).  It ends them even if an older one is still open: that one hears nothing any
 * more, most likely is a network that was lost, and its peer shall not wait for it to time out. */
void wzp_relay_hub_leave(session *s) {
    if (s->is_registered) {
        give_up_name(s);
        wzp_relay_event_push(s->relay, s, "unregister", "");
        wzp_relay_calls_leave(s);
    }
}

/* --- signals ---------------------------------------------------------------------------------- */

static void reflect(session *s) {
    char text[WZP_ADDR_TEXT_MAX];
    const wzp_signal reply = {.kind = WZP_SIGNAL_REFLECT_RESPONSE,
                              .version = 1,
                              .u.ReflectResponse.observed_addr =
                                  wzp_bytes_str(wzp_addr_text(&s->path.remote, text))};
    if (wzp_relay_rate(&s->reflected, WZP_LIMIT_REFLECT_RATE, s->relay->now)) {
        (void)wzp_relay_send_signal(s, &reply);
    } else {
        s->relay->metrics.reflects_dropped++;
    }
}

static void on_call_signal(session *s, const wzp_signal *signal, size_t len) {
    relay_metrics *metrics = &s->relay->metrics;
    if (!s->is_registered) {
        metrics->signals_ignored++; /* somebody else has its name now */
    } else if (len > WZP_LIMIT_CALL_SIGNAL) {
        metrics->call_drops[CALL_DROP_SIZE]++;
    } else if (!wzp_relay_rate(&s->passed, WZP_LIMIT_CALL_RATE, s->relay->now)) {
        metrics->call_drops[CALL_DROP_RATE]++;
    } else {
        wzp_relay_on_call_signal(s, signal);
    }
}

static void on_signal(session *s, const wzp_signal *signal, size_t len) {
    switch (signal->kind) {
    case WZP_SIGNAL_PING:
        wzp_relay_send_pong(s, &signal->u.Ping);
        break;
    case WZP_SIGNAL_REFLECT:
        reflect(s);
        break;
    case WZP_SIGNAL_DIRECT_CALL_OFFER:
    case WZP_SIGNAL_DIRECT_CALL_ANSWER:
    case WZP_SIGNAL_HANGUP:
    case WZP_SIGNAL_MEDIA_PATH_REPORT:
    case WZP_SIGNAL_CANDIDATE_UPDATE:
    case WZP_SIGNAL_HARD_NAT_PROBE:
    case WZP_SIGNAL_HARD_NAT_BIRTHDAY_START:
    case WZP_SIGNAL_UPGRADE_PROPOSAL:
    case WZP_SIGNAL_UPGRADE_RESPONSE:
    case WZP_SIGNAL_UPGRADE_CONFIRM:
    case WZP_SIGNAL_QUALITY_CAPABILITY:
    case WZP_SIGNAL_HOLD:
    case WZP_SIGNAL_UNHOLD:
    case WZP_SIGNAL_MUTE:
    case WZP_SIGNAL_UNMUTE:
    case WZP_SIGNAL_TRANSFER:
    case WZP_SIGNAL_TRANSFER_ACK:
        on_call_signal(s, signal, len);
        break;
    default:
        s->relay->metrics.signals_ignored++;
        break;
    }
}

void wzp_relay_on_hub_signal(session *s, wzp_bytes json) {
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        s->relay->metrics.signals_unknown++;
        return;
    }
    on_signal(s, signal, json.len);
    wzp_signal_free(&signal);
}
