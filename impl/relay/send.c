/* Everything that leaves the relay goes through here. */
#include <stdio.h>
#include <stdlib.h>

#include "relay/internal.h"

/* Hot path: no allocation here, no logging, no JSON. */
void wzp_relay_send_media(session *to, wzp_bytes datagram) {
    if (wzp_quic_send_datagram(to->relay->quic, to->conn, datagram) != WZP_OK) {
        to->relay->metrics.send_failures++;
    }
}

void wzp_relay_send_trunk(session *to, wzp_bytes frame) {
    if (wzp_quic_send_datagram(to->relay->quic, to->conn, frame) != WZP_OK) {
        to->relay->metrics.send_failures++; /* a lone packet may be too large by the frame's head */
    }
}

/* Enough at the first attempt for what we say often. */
static size_t room_for(const wzp_signal *signal) {
    const size_t base = 2048;
    const size_t per_entry = WZP_LIMIT_ALIAS + WZP_FINGERPRINT_TEXT + 64;
    if (signal->kind == WZP_SIGNAL_ROOM_UPDATE) {
        return base + signal->u.RoomUpdate.participants.count * per_entry;
    }
    if (signal->kind == WZP_SIGNAL_PRESENCE_LIST) {
        return base + signal->u.PresenceList.users.count * per_entry;
    }
    return base;
}

/* The caller frees it; NULL: out of memory. */
uint8_t *wzp_relay_to_json(const wzp_signal *signal, size_t *len) {
    for (size_t cap = room_for(signal); cap <= 4 * (size_t)WZP_QUIC_SIGNAL_MAX; cap *= 2) {
        uint8_t *buf = malloc(cap);
        wzp_wr wr;
        if (buf == NULL) {
            return NULL;
        }
        wzp_wr_init(&wr, buf, cap);
        wzp_signal_write(&wr, signal);
        if (wzp_wr_end(&wr) == WZP_OK) {
            *len = wzp_wr_len(&wr);
            return buf;
        }
        free(buf);
    }
    return NULL;
}

/* Whoever misses a signal does not know what it misses: a peer that takes none must come anew. */
void wzp_relay_not_sent(session *to, wzp_err err) {
    to->relay->metrics.send_failures++;
    if (err == WZP_ERR_QUEUE_FULL && to->state != SESSION_FAREWELL) {
        to->relay->metrics.receivers_stalled++;
        wzp_relay_event_push(to->relay, to, "stalled", "signals pile up");
        wzp_relay_end(to, "signals pile up");
    }
}

/* The stream's name for SIGNAL_ACKED, 0 if it could not be sent. */
int64_t wzp_relay_send_signal(session *to, const wzp_signal *signal) {
    size_t len = 0;
    int64_t stream = 0;
    if (to->bridge != NULL) {
        return 0; /* no signal has a form for it */
    }
    uint8_t *json = wzp_relay_to_json(signal, &len);
    const wzp_err err = json != NULL ? wzp_quic_send_signal(to->relay->quic, to->conn,
                                                            wzp_bytes_of(json, len), &stream)
                                     : WZP_ERR_NOMEM;
    if (err != WZP_OK) {
        wzp_relay_not_sent(to, err);
        stream = 0;
    }
    free(json);
    return stream;
}

/* One text for all members.  Returns its length, 0 if there was no memory for it. */
size_t wzp_relay_send_to_room(const room *rm, const wzp_signal *signal) {
    wzp_quic_shared *shared = NULL;
    size_t len = 0;
    uint8_t *json = wzp_relay_to_json(signal, &len);
    const bool made =
        json != NULL && wzp_quic_shared_new(&shared, wzp_bytes_of(json, len)) == WZP_OK;
    free(json);
    for (size_t i = 0; i < rm->count; i++) {
        if (rm->members[i]->bridge != NULL) {
            continue; /* no signal has a form for it */
        }
        session *to = rm->members[i];
        const wzp_err err =
            made ? wzp_quic_send_shared(rm->relay->quic, to->conn, shared, NULL) : WZP_ERR_NOMEM;
        if (err != WZP_OK) {
            wzp_relay_not_sent(to, err);
        }
    }
    wzp_quic_shared_drop(&shared);
    return made ? len : 0;
}

void wzp_relay_send_pong(session *to, const wzp_signal_Ping *ping) {
    const wzp_signal pong = {
        .kind = WZP_SIGNAL_PONG, .version = 1, .u.Pong.timestamp_ms = ping->timestamp_ms};
    (void)wzp_relay_send_signal(to, &pong);
}

/* Typed, then closed; never a silent drop (conformance sheet 10.4). */
void wzp_relay_hangup_policy(session *s, wzp_violation violation) {
    const wzp_violation_info *info = wzp_violation_find(violation);
    char text[64];
    (void)snprintf(text, sizeof text, "Tier G enforcement: %s", info->code);
    const wzp_signal hangup = {
        .kind = WZP_SIGNAL_HANGUP,
        .version = 1,
        .u.Hangup.reason = {.kind = WZP_HANGUP_POLICY_VIOLATION,
                            .code = (uint8_t)(violation - WZP_VIOLATION_BITRATE),
                            .reason = wzp_bytes_str(text)}};
    s->barred = true;
    wzp_relay_offend(s, violation);
    wzp_relay_trunk_flush(s, TRUNK_END);
    s->relay->metrics.policy_hangups[violation]++;
    wzp_relay_event_push(s->relay, s, "policy_hangup", info->code);
    wzp_relay_farewell(s, &hangup, "policy violation", WZP_TIMER_POLICY);
}
