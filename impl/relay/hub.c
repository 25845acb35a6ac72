/* Signal connections: registration, presence, Ping, Reflect (relay sheet 8.1-8.3). */
#include <stdlib.h>

#include "relay/internal.h"

static void send_presence(wzp_relay *r, session *only) {
    wzp_presence_user *users = calloc(r->signal_clients + 1, sizeof *users);
    size_t count = 0;
    if (users == NULL) {
        return;
    }
    for (const session *s = r->sessions; s != NULL; s = s->next) {
        if (s->state == SESSION_SIGNAL && count < r->signal_clients) {
            users[count].fingerprint = wzp_bytes_str(s->fingerprint);
            users[count++].alias = (wzp_opt_str){s->alias[0] != '\0', wzp_bytes_str(s->alias)};
        }
    }
    const wzp_signal list = {
        .kind = WZP_SIGNAL_PRESENCE_LIST, .version = 1, .u.PresenceList.users = {users, count}};
    for (session *s = r->sessions; s != NULL; s = s->next) {
        if (s->state == SESSION_SIGNAL && (only == NULL || only == s)) {
            (void)wzp_relay_send_signal(s, &list);
        }
    }
    free(users);
}

static void acknowledge(session *s) {
    const wzp_relay *r = s->relay;
    const wzp_signal ack = {.kind = WZP_SIGNAL_REGISTER_PRESENCE_ACK,
                            .version = 1,
                            .u.RegisterPresenceAck = {
                                .success = true,
                                .relay_build = {true, wzp_bytes_str(r->build)},
                                .relay_region = {r->region[0] != '\0', wzp_bytes_str(r->region)}}};
    (void)wzp_relay_send_signal(s, &ack);
}

/* The older connection of the same fingerprint stays open, but no longer counts. */
static void replace_older(session *s) {
    for (session *other = s->relay->sessions; other != NULL; other = other->next) {
        if (other != s && other->state == SESSION_SIGNAL &&
            strcmp(other->fingerprint, s->fingerprint) == 0) {
            other->state = SESSION_PROBE; /* answers Ping, is not listed */
            s->relay->signal_clients--;
        }
    }
}

static bool proves_key(const session *s, const wzp_signal_RegisterPresence *reg) {
    return !s->relay->cfg.strict_identity ||
           wzp_presence_verify(wzp_bytes_of(reg->signature.items, reg->signature.count),
                               reg->identity_pub.bytes) == WZP_OK;
}

void wzp_relay_on_register(session *s, wzp_bytes json) {
    wzp_relay *r = s->relay;
    wzp_signal *signal = NULL;
    const bool good = wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK &&
                      signal->kind == WZP_SIGNAL_REGISTER_PRESENCE &&
                      proves_key(s, &signal->u.RegisterPresence) &&
                      wzp_relay_auth_name(s, signal->u.RegisterPresence.identity_pub.bytes) &&
                      r->signal_clients < WZP_LIMIT_SIGNAL_CLIENTS;
    if (!good) {
        r->metrics.handshake_refusals++;
        wzp_relay_end(s, "normal close");
        wzp_signal_free(&signal);
        return;
    }
    const wzp_opt_str *alias = &signal->u.RegisterPresence.alias;
    const size_t len = alias->present && alias->value.len <= WZP_LIMIT_ALIAS ? alias->value.len : 0;
    r->metrics.aliases_cut += alias->present && len != alias->value.len ? 1 : 0;
    if (len > 0) {
        memcpy(s->alias, alias->value.data, len);
    }
    wzp_signal_free(&signal);
    replace_older(s);
    s->state = SESSION_SIGNAL;
    r->signal_clients++;
    wzp_relay_set_deadline(s, WZP_TIME_NEVER);
    acknowledge(s);
    send_presence(r, s);
    send_presence(r, NULL);
}

static void reflect(session *s) {
    char text[WZP_ADDR_TEXT_MAX];
    const wzp_signal reply = {.kind = WZP_SIGNAL_REFLECT_RESPONSE,
                              .version = 1,
                              .u.ReflectResponse.observed_addr =
                                  wzp_bytes_str(wzp_addr_text(&s->path.remote, text))};
    (void)wzp_relay_send_signal(s, &reply);
}

/* Direct calls are not served: every target is unknown here (relay sheet 8.5). */
static void refuse_call(session *s) {
    const wzp_signal hangup = {
        .kind = WZP_SIGNAL_HANGUP, .version = 1, .u.Hangup.reason.kind = WZP_HANGUP_NORMAL};
    (void)wzp_relay_send_signal(s, &hangup);
}

void wzp_relay_on_hub_signal(session *s, wzp_bytes json) {
    wzp_relay *r = s->relay;
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        r->metrics.signals_unknown++;
        return;
    }
    if (signal->kind == WZP_SIGNAL_PING) {
        const wzp_signal pong = {.kind = WZP_SIGNAL_PONG,
                                 .version = 1,
                                 .u.Pong.timestamp_ms = signal->u.Ping.timestamp_ms};
        (void)wzp_relay_send_signal(s, &pong);
    } else if (signal->kind == WZP_SIGNAL_REFLECT) {
        reflect(s);
    } else if (signal->kind == WZP_SIGNAL_DIRECT_CALL_OFFER) {
        refuse_call(s);
    } else {
        r->metrics.signals_ignored++;
    }
    wzp_signal_free(&signal);
}

void wzp_relay_hub_leave(session *s) {
    if (s->state == SESSION_SIGNAL) {
        s->state = SESSION_FAREWELL;
        s->relay->signal_clients--;
        send_presence(s->relay, NULL);
    }
}
