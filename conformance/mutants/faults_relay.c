/* Faults of dispatch, rooms, layers and quality, and of what the hub lets clients do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine/case.h"
#include "conformance/mutants/faults.h"
#include "conformance/mutants/wrap.h"
#include "io/files.h"
#include "io/identity_file.h"
#include "relay/internal.h"

static wzp_fault fault(void) {
    return wzp_fault_now();
}

/* --- by SNI ----------------------------------------------------------------------------------- */

/* Rooms must form while it is calibrated, by twelve sessions. */
enum { CALIBRATION = 12 };

WRAP(void, wzp_relay_on_connected, wzp_relay *r, const wzp_quic_event *ev) {
    static unsigned count;
    char name[WZP_QUIC_SNI_MAX + 16];
    wzp_quic_event changed = *ev;
    if (fault() == WZP_FAULT_PING_STAYS && strcmp(ev->sni, "ping") == 0) {
        return;
    }
    if ((fault() == WZP_FAULT_SILENT_VERSION && strcmp(ev->sni, "version") == 0) ||
        (fault() == WZP_FAULT_NO_DEFAULT_ROOM && ev->sni[0] == '\0')) {
        wzp_quic_close(r->quic, ev->conn, 0, "normal close", r->now);
        return;
    }
    if (fault() == WZP_FAULT_OWN_ROOMS && strncmp(ev->sni, "ct-", 3) == 0 &&
        r->next_number >= CALIBRATION) {
        (void)snprintf(name, sizeof name, "%.240s-%u", ev->sni, count++);
        changed.sni = name;
    }
    __real_wzp_relay_on_connected(r, &changed);
}

WRAP(void, wzp_relay_on_timer, session *s) {
    if ((fault() == WZP_FAULT_PATIENT && s->state == SESSION_REGISTER) ||
        (fault() == WZP_FAULT_FED_PATIENT && s->state == SESSION_HELLO) || wzp_fault_waits(s)) {
        wzp_relay_set_deadline(s, WZP_TIME_NEVER);
    } else {
        __real_wzp_relay_on_timer(s);
    }
}

WRAP(void, wzp_relay_on_register, session *s, wzp_bytes json) {
    static const char zeros[] = "\"identity_pub\":[0,0,0,0,0,0,0,0";
    const bool is_nobody =
        memmem(json.data, json.len, zeros, sizeof zeros - 1) != NULL; /* as deployed probes do */
    if (fault() == WZP_FAULT_WANTS_KEYS && is_nobody) {
        wzp_relay_end(s, "normal close");
    } else {
        wzp_fault_registers(s);
        if (is_nobody) {
            wzp_fault_nat_nobody(s);
        }
        __real_wzp_relay_on_register(s, json);
    }
}

/* --- identity --------------------------------------------------------------------------------- */

WRAP(wzp_err, wzp_identity_file_load, uint8_t seed[32], const char *path,
     wzp_identity_policy policy, wzp_rng rng, wzp_identity_origin *origin,
     char why[WZP_IDENTITY_WHY_MAX]) {
    static uint8_t starts;
    const bool refuses = fault() == WZP_FAULT_REFUSES_DAMAGE;
    const wzp_err err = __real_wzp_identity_file_load(
        seed, path, refuses ? WZP_IDENTITY_KEEP : policy, rng, origin, why);
    if (err == WZP_OK && fault() == WZP_FAULT_NEW_FACE) {
        seed[0] ^= ++starts;
    } else if (err == WZP_OK && fault() == WZP_FAULT_FORGETS_ITSELF &&
               *origin == WZP_IDENTITY_RENEWED) {
        return wzp_io_write_atomic(path, wzp_bytes_str("still damaged"), 0600);
    }
    return err;
}

WRAP(void, wzp_tls_identity_from_seed, wzp_tls_identity *out, const uint8_t seed[WZP_KEY_LEN]) {
    uint8_t changed[WZP_KEY_LEN];
    memcpy(changed, seed, sizeof changed);
    changed[31] ^= fault() == WZP_FAULT_OTHER_DERIVATION ? 1 : 0;
    __real_wzp_tls_identity_from_seed(out, changed);
}

/* --- rooms ------------------------------------------------------------------------------------ */

static bool leaving;

static void turn_round(wzp_signal_RoomUpdate *update) {
    static wzp_room_participant list[64];
    const size_t count = update->participants.count;
    if (count <= WZP_COUNT_OF(list)) {
        for (size_t i = 0; i < count; i++) {
            list[i] = update->participants.items[count - 1 - i];
        }
        update->participants.items = list;
    }
}

/* What all members of a room are told. */
WRAP(size_t, wzp_relay_send_to_room, const room *rm, const wzp_signal *signal) {
    wzp_signal changed = *signal;
    if (signal->kind == WZP_SIGNAL_ROOM_UPDATE) {
        if ((fault() == WZP_FAULT_NO_ROOM_UPDATE && rm->relay->next_number > CALIBRATION) ||
            (fault() == WZP_FAULT_LEAVES_UNTOLD && leaving)) {
            return 0;
        }
        if (fault() == WZP_FAULT_LISTS_BACKWARDS) {
            turn_round(&changed.u.RoomUpdate);
        }
        wzp_fault_room_update(&changed.u.RoomUpdate);
    }
    return __real_wzp_relay_send_to_room(rm, &changed);
}

WRAP(void, wzp_relay_leave, session *s) {
    leaving = true;
    __real_wzp_relay_leave(s);
    leaving = false;
}

WRAP(void, wzp_relay_keyframe_replay, session *to) {
    if (fault() != WZP_FAULT_NO_KEYFRAMES) {
        __real_wzp_relay_keyframe_replay(to);
    }
}

WRAP(bool, wzp_quality_observe, wzp_quality *quality, const wzp_quality_report *report) {
    wzp_quality_report changed = *report;
    const bool is_better = wzp_quality_classify(report) > quality->tier;
    if (fault() == (is_better ? WZP_FAULT_HASTY_RECOVERY : WZP_FAULT_HASTY_TIERS)) {
        (void)__real_wzp_quality_observe(quality, report);
    } else if (fault() == WZP_FAULT_BLURRED_TIERS && report->loss_pct == 12) {
        changed.loss_pct = 13;
    }
    return __real_wzp_quality_observe(quality, &changed);
}

/* --- the hub ---------------------------------------------------------------------------------- */

WRAP(void, wzp_relay_calls_leave, session *s) {
    if (fault() != WZP_FAULT_ORPHAN_CALLS) {
        __real_wzp_relay_calls_leave(s);
    }
}

WRAP(void, wzp_relay_hub_leave, session *s) {
    session *newer = fault() == WZP_FAULT_ENDS_BY_NAME && s->state == SESSION_SIGNAL
                         ? wzp_relay_find_client(s->relay, wzp_bytes_str(s->fingerprint))
                         : NULL;
    __real_wzp_relay_hub_leave(newer != NULL ? newer : s);
}

/* Hands what a peer relay would forward to the client it names. */
static void deliver(const session *s, const wzp_signal *forward) {
    const wzp_signal *inner = forward->u.FederatedSignalForward.inner.signal;
    if (inner != NULL && inner->kind == WZP_SIGNAL_DIRECT_CALL_OFFER) {
        session *to = wzp_relay_find_client(s->relay, inner->u.DirectCallOffer.target_fingerprint);
        if (to != NULL) {
            (void)wzp_relay_send_signal(to, inner);
        }
    }
}

/* Anybody who knows the id may end a call. */
static void hang_up(const session *s, const wzp_signal *signal) {
    wzp_call *call = wzp_calls_find(s->relay->calls, signal->u.Hangup.call_id.value);
    for (int i = 0; call != NULL && i < 2; i++) {
        session *to = wzp_relay_find_client(s->relay, wzp_bytes_str(call->sides[i].name));
        if (to != NULL && to != s) {
            (void)wzp_relay_send_signal(to, signal);
        }
    }
}

void wzp_fault_hub_signal(session *s, const wzp_signal *signal) {
    if (fault() == WZP_FAULT_INJECTS && signal->kind == WZP_SIGNAL_FEDERATED_SIGNAL_FORWARD) {
        deliver(s, signal);
    } else if (fault() == WZP_FAULT_STRANGERS_HANG_UP && signal->kind == WZP_SIGNAL_HANGUP &&
               signal->u.Hangup.call_id.present) {
        hang_up(s, signal);
    } else if (fault() == WZP_FAULT_LEAKS_SIGNALS && signal->kind == WZP_SIGNAL_CANDIDATE_UPDATE) {
        for (session *to = s->relay->newest; to != NULL; to = to->older) {
            (void)wzp_relay_send_signal(to, signal);
        }
    } else if (fault() == WZP_FAULT_REFLECTS_ALL && signal->kind == WZP_SIGNAL_REFLECT) {
        s->reflected = (rate){0};
    } else if (fault() == WZP_FAULT_REFLECTS_TWICE && signal->kind == WZP_SIGNAL_REFLECT) {
        char text[WZP_ADDR_TEXT_MAX];
        const wzp_signal reply = {.kind = WZP_SIGNAL_REFLECT_RESPONSE,
                                  .version = 1,
                                  .u.ReflectResponse.observed_addr =
                                      wzp_bytes_str(wzp_addr_text(&s->path.remote, text))};
        (void)wzp_relay_send_signal(s, &reply);
    }
}
