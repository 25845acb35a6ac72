/* Faults of signalling: the hub, direct calls, presence, picture loss. */
#include <stdio.h>
#include <stdlib.h>

#include "conformance/mutants/faults.h"
#include "conformance/mutants/wrap.h"
#include "relay/internal.h"

static wzp_fault fault(void) {
    return wzp_fault_now();
}

/* --- what comes in ---------------------------------------------------------------------------- */

/* NULL: it cannot be read.  The caller frees it. */
static wzp_signal *read_signal(wzp_bytes json) {
    wzp_signal *signal = NULL;
    return wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK ? signal : NULL;
}

static bool is_bare(wzp_bytes json) {
    return json.len > 0 && json.data[0] == '"' &&
           !wzp_bytes_equal(json, wzp_bytes_str("\"Reflect\""));
}

WRAP(void, wzp_relay_on_hub_signal, session *s, wzp_bytes json) {
    if (json.len > WZP_QUIC_SIGNAL_MAX) {
        json.len = WZP_QUIC_SIGNAL_MAX; /* only spaces are lost; the parser has a limit as well */
    }
    wzp_signal *signal = read_signal(json);
    const bool is_old = signal != NULL && signal->version != 1;
    const bool unread = signal == NULL;
    const bool is_known = signal == NULL || wzp_fault_nat_reads(signal, json);
    if (signal != NULL) {
        wzp_fault_hub_signal(s, signal);
        wzp_fault_tunnel(s, signal);
    }
    wzp_signal_free(&signal);
    if ((unread && fault() == WZP_FAULT_UNKNOWN_ENDS) ||
        (is_bare(json) && fault() == WZP_FAULT_NEW_FORMS_ONLY)) {
        wzp_relay_end(s, "normal close");
    } else if (is_known && !(is_old && fault() == WZP_FAULT_VERSION_1_ONLY)) {
        __real_wzp_relay_on_hub_signal(s, json);
    }
}

static void pass_on(const session *s, const wzp_signal *signal) {
    for (size_t i = 0; i < s->room->count; i++) {
        if (s->room->members[i] != s) {
            (void)wzp_relay_send_signal(s->room->members[i], signal);
        }
    }
}

WRAP(void, wzp_relay_on_room_signal, session *s, wzp_bytes json) {
    wzp_signal *signal = read_signal(json);
    const bool is_hold = signal != NULL && signal->kind == WZP_SIGNAL_HOLD;
    const bool is_estimate = signal != NULL && signal->kind == WZP_SIGNAL_TRANSPORT_FEEDBACK;
    if (is_estimate &&
        (fault() == WZP_FAULT_DEAF_TO_REMB || (fault() == WZP_FAULT_FIRST_REMB && s->has_remb))) {
        wzp_signal_free(&signal);
        return;
    }
    if ((signal == NULL && fault() == WZP_FAULT_ROOM_UNKNOWN_ENDS) ||
        (is_hold && fault() == WZP_FAULT_HOLD_ENDS)) {
        wzp_relay_end(s, "normal close");
    } else {
        if (signal != NULL && signal->kind == WZP_SIGNAL_NACK && fault() == WZP_FAULT_PASSES_NACK) {
            pass_on(s, signal);
        }
        __real_wzp_relay_on_room_signal(s, json);
    }
    wzp_signal_free(&signal);
}

WRAP(void, wzp_relay_on_call_signal, session *s, const wzp_signal *signal) {
    wzp_signal changed = *signal;
    if (signal->kind == WZP_SIGNAL_HANGUP && fault() == WZP_FAULT_HANGS_UP_ALL) {
        changed.u.Hangup.call_id.present = false;
    }
    if (wzp_fault_nat_takes(s, signal)) {
        __real_wzp_relay_on_call_signal(s, &changed);
    }
}

/* A stream that stalls, or says too much, ends its connection. */
WRAP(bool, wzp_quic_next_event, wzp_quic *quic, wzp_quic_event *ev) {
    const bool got = __real_wzp_quic_next_event(quic, ev);
    const session *stalled =
        got && ev->kind == WZP_QUIC_SIGNAL_BAD ? wzp_quic_app(quic, ev->conn) : NULL;
    if (stalled != NULL && ev->is_server) {
        wzp_fault_stream_stalled(stalled);
    }
    const wzp_err ends = fault() == WZP_FAULT_STALL_ENDS      ? WZP_ERR_TIMEOUT
                         : fault() == WZP_FAULT_SMALL_SIGNALS ? WZP_ERR_SIGNAL_TOO_LARGE
                                                              : WZP_OK;
    if (got && ev->kind == WZP_QUIC_SIGNAL_BAD && ev->err == ends) {
        session *s = wzp_quic_app(quic, ev->conn);
        if (s != NULL) {
            wzp_relay_end(s, "normal close");
        }
    } else if (got && ev->kind == WZP_QUIC_PATH && fault() == WZP_FAULT_OLD_PATHS) {
        ev->kind = WZP_QUIC_UNI; /* which means nothing to a relay */
    }
    return got;
}

WRAP(wzp_err, wzp_quic_new, wzp_quic **out, const wzp_quic_cfg *cfg, wzp_time now) {
    wzp_quic_cfg changed = *cfg;
    if (cfg->identity != NULL && fault() == WZP_FAULT_SMALL_SIGNALS) {
        changed.max_signal_len = 1000000;
    }
    if (cfg->identity != NULL && fault() == WZP_FAULT_HUGE_SIGNALS) {
        changed.max_signal_len = 2 * WZP_QUIC_SIGNAL_MAX;
    }
    wzp_fault_nat_endpoint(&changed);
    const wzp_err err = __real_wzp_quic_new(out, &changed, now);
    if (err == WZP_OK) {
        wzp_fault_nat_made(*out, cfg->identity != NULL);
    }
    return err;
}

/* --- picture loss ----------------------------------------------------------------------------- */

static void tell_all(const session *from, uint8_t stream_id, bool also_itself) {
    const wzp_signal pli = {.kind = WZP_SIGNAL_PICTURE_LOSS_INDICATION,
                            .version = 1,
                            .u.PictureLossIndication.stream_id = stream_id};
    for (size_t i = 0; i < from->room->count; i++) {
        session *to = from->room->members[i];
        if (to != from || also_itself) {
            (void)wzp_relay_send_signal(to, &pli);
        }
    }
}

WRAP(void, wzp_relay_on_pli, session *from, uint8_t stream_id) {
    const room *rm = from->room;
    wzp_fault_follows_pli(from, stream_id);
    stream_owner *owner = rm->owners != NULL ? &rm->owners[stream_id] : NULL;
    const bool owned = owner != NULL && owner->number != 0;
    if (owned && fault() == WZP_FAULT_PLI_FLOOD) {
        owner->pli_sent = false;
    } else if (owned && owner->pli_sent && fault() == WZP_FAULT_PLI_RARE &&
               wzp_time_since(from->relay->now, owner->pli_at) < WZP_S) {
        return;
    } else if (!owned && fault() == WZP_FAULT_PLI_ANY_STREAM) {
        tell_all(from, stream_id, false);
        return;
    } else if (owned && fault() == WZP_FAULT_PLI_ECHO) {
        tell_all(from, stream_id, true);
        return;
    }
    __real_wzp_relay_on_pli(from, stream_id);
}

/* --- what goes out ---------------------------------------------------------------------------- */

WRAP(void, wzp_relay_send_pong, session *to, const wzp_signal_Ping *ping) {
    wzp_signal_Ping changed = *ping;
    changed.timestamp_ms += fault() == WZP_FAULT_OTHER_PONG ? 1 : 0;
    __real_wzp_relay_send_pong(to, &changed);
}

/* Only the one who came last is told who is there. */
WRAP(wzp_err, wzp_quic_send_shared, wzp_quic *quic, wzp_quic_conn conn, wzp_quic_shared *shared,
     int64_t *stream) {
    const session *s = wzp_quic_app(quic, conn);
    return s != NULL && s->is_registered && s != s->relay->newest &&
                   fault() == WZP_FAULT_PRESENCE_ONCE
               ? WZP_ERR_CLOSED
               : __real_wzp_quic_send_shared(quic, conn, shared, stream);
}

static void cut_offer(wzp_signal_DirectCallOffer *offer) {
    offer->caller_build_version.present = false;
}

static void hide_peer(wzp_signal_CallSetup *setup) {
    setup->peer_local_addrs.count = 0;
}

static void name_oddly(wzp_signal_RegisterPresenceAck *ack) {
    static const wzp_bytes entry[] = {{(const uint8_t *)"10.0.0.5:4433", 13}};
    ack->available_relays = (wzp_list_str){entry, 1};
}

static void sort_relays(wzp_signal_RegisterPresenceAck *ack) {
    static wzp_bytes sorted[2];
    wzp_list_str *relays = &ack->available_relays;
    if (relays->count == 2 && relays->items[0].data[0] > relays->items[1].data[0]) {
        sorted[0] = relays->items[1];
        sorted[1] = relays->items[0];
        relays->items = sorted;
    }
}

bool wzp_fault_signal(session *to, wzp_signal *signal) {
    switch (signal->kind) {
    case WZP_SIGNAL_REGISTER_PRESENCE_ACK:
        if (fault() == WZP_FAULT_ODD_RELAYS) {
            name_oddly(&signal->u.RegisterPresenceAck);
        } else if (fault() == WZP_FAULT_NOWHERE) {
            signal->u.RegisterPresenceAck.relay_region.present = false;
        } else if (fault() == WZP_FAULT_SORTS_RELAYS) {
            sort_relays(&signal->u.RegisterPresenceAck);
        }
        return true;
    case WZP_SIGNAL_CALL_RINGING:
        return fault() != WZP_FAULT_NO_RINGING;
    case WZP_SIGNAL_DIRECT_CALL_OFFER:
        if (fault() == WZP_FAULT_CUTS_OFFERS) {
            cut_offer(&signal->u.DirectCallOffer);
        }
        return true;
    case WZP_SIGNAL_CALL_SETUP:
        if (fault() == WZP_FAULT_HIDES_PEERS) {
            hide_peer(&signal->u.CallSetup);
        } else if (fault() == WZP_FAULT_SHOWS_PEERS) {
            signal->u.CallSetup.peer_direct_addr =
                (wzp_opt_str){true, wzp_bytes_str("192.0.2.7:4433")};
        }
        return wzp_fault_nat_setup(to, signal);
    case WZP_SIGNAL_REFLECT_RESPONSE:
        if (fault() == WZP_FAULT_REFLECTS_ITSELF) {
            signal->u.ReflectResponse.observed_addr = wzp_bytes_str("192.0.2.200:4433");
        }
        wzp_fault_nat_reflect(&signal->u.ReflectResponse);
        return true;
    case WZP_SIGNAL_HANGUP:
        if (fault() == WZP_FAULT_RINGS_NOBODY && to->state == SESSION_SIGNAL &&
            !signal->u.Hangup.call_id.present) {
            *signal = (wzp_signal){.kind = WZP_SIGNAL_CALL_RINGING,
                                   .version = 1,
                                   .u.CallRinging.call_id = wzp_bytes_str("somewhere")};
        }
        return true;
    default:
        return wzp_fault_probe_signal(to, signal);
    }
}
