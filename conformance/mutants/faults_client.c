#include "conformance/mutants/faults_client.h"

#include <string.h>

#include "client/client.h"
#include "conformance/mutants/faults_audio.h"
#include "conformance/mutants/faults_audio_in.h"
#include "conformance/mutants/faults_calls.h"
#include "conformance/mutants/wrap.h"

enum { EVERY = 40, FORGERIES = 64 };

static wzp_client_fault fault;

/* The client under test, which is the only one: testers have an AEAD of their own. */
static struct subject {
    wzp_session *first; /* keeps the first key */
    unsigned sealed, rekeys;
    uint32_t numbers, clock; /* since the rekey */
    bool opened_any, lost;
    uint32_t next, highest;
    uint32_t forged[FORGERIES];
    size_t forgeries;
    wzp_quic *quic;
    wzp_quic_conn conn;
    wzp_quic_path path;
    char sni[WZP_QUIC_SNI_MAX + 1];
    wzp_time now;
    bool came_back;
} it;

void wzp_client_fault_set(wzp_client_fault which) {
    wzp_session_free(&it.first);
    it = (struct subject){0};
    fault = which;
}

static uint32_t read_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write_u32(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

/* --- what it opens ---------------------------------------------------------------------------- */

WRAP(wzp_session *, wzp_session_new, const wzp_session_keys *keys) {
    const struct subject before = it;
    wzp_session_free(&it.first);
    it = (struct subject){
        .quic = before.quic, .conn = before.conn, .path = before.path, .now = before.now};
    memcpy(it.sni, before.sni, sizeof it.sni);
    it.first = __real_wzp_session_new(keys);
    return __real_wzp_session_new(keys);
}

/* Whether a packet is refused for its number alone. */
static bool is_refused(uint32_t seq) {
    const bool is_first = !it.opened_any;
    const bool is_next = is_first || seq == it.next;
    const bool is_old = !is_first && (int32_t)(seq - it.highest) < 0;
    it.opened_any = true;
    it.lost = it.lost || !is_next;
    it.next = is_first ? seq + 1 : it.next + 1; /* a count of calls */
    it.highest = is_first || !is_old ? seq : it.highest;
    return (fault == WZP_CLIENT_FAULT_COUNTS && !is_next) ||
           (fault == WZP_CLIENT_FAULT_IN_ORDER && is_old) ||
           (fault == WZP_CLIENT_FAULT_LOSES_PLACE && it.lost);
}

static bool was_forged(uint32_t seq) {
    for (size_t i = 0; i < it.forgeries; i++) {
        if (it.forged[i] == seq) {
            return true;
        }
    }
    return false;
}

static wzp_err on_forgery(wzp_bytes sealed, uint32_t seq, uint8_t *out) {
    if (it.forgeries < FORGERIES) {
        it.forged[it.forgeries++] = seq;
    }
    if (fault != WZP_CLIENT_FAULT_ANY_TAG || sealed.len < WZP_TAG_LEN) {
        return WZP_ERR_DECRYPT;
    }
    memcpy(out, sealed.data, sealed.len - WZP_TAG_LEN);
    return WZP_OK;
}

WRAP(wzp_err, wzp_session_open, wzp_session *s, wzp_bytes hdr, wzp_bytes sealed, uint8_t *out,
     wzp_time now) {
    const uint32_t seq = read_u32(hdr.data + 6);
    if (is_refused(seq) || (fault == WZP_CLIENT_FAULT_GIVES_UP && it.forgeries > 0)) {
        return WZP_ERR_DECRYPT;
    }
    if (fault == WZP_CLIENT_FAULT_HASTY_WINDOW && was_forged(seq)) {
        return WZP_ERR_REPLAY;
    }
    wzp_err err = __real_wzp_session_open(s, hdr, sealed, out, now);
    if (err == WZP_ERR_DECRYPT && fault == WZP_CLIENT_FAULT_BARE_HEADER) {
        uint8_t mended[WZP_MEDIA_HDR_LEN];
        memcpy(mended, hdr.data, sizeof mended);
        mended[13] ^= 1; /* the last bit of the timestamp */
        err = __real_wzp_session_open(s, wzp_bytes_of(mended, sizeof mended), sealed, out, now);
    }
    return err == WZP_ERR_DECRYPT ? on_forgery(sealed, seq, out) : err;
}

WRAP(bool, wzp_replay_accept, wzp_replay *window, uint32_t seq) {
    return __real_wzp_replay_accept(window, seq) || fault == WZP_CLIENT_FAULT_NO_WINDOW;
}

WRAP(uint16_t, wzp_replay_size_of, uint8_t media_type) {
    const bool is_audio = media_type == WZP_MEDIA_AUDIO;
    return fault == WZP_CLIENT_FAULT_SHORT_WINDOW && is_audio  ? 32
           : fault == WZP_CLIENT_FAULT_WIDE_WINDOW && is_audio ? 1024
           : fault == WZP_CLIENT_FAULT_ONE_WINDOW && !is_audio
               ? 64
               : __real_wzp_replay_size_of(media_type);
}

/* --- what it seals ---------------------------------------------------------------------------- */

/* The header is in the packet that will be sent. */
static void renumber(uint8_t *hdr) {
    if (fault == WZP_CLIENT_FAULT_TWICE && it.sealed % EVERY == 0) {
        write_u32(hdr + 6, read_u32(hdr + 6) - 1);
    } else if (fault == WZP_CLIENT_FAULT_NUMBERS_ANEW && it.rekeys > 0) {
        write_u32(hdr + 6, it.numbers++);
    } else if (fault == WZP_CLIENT_FAULT_CLOCK_ANEW && it.rekeys > 0) {
        write_u32(hdr + 10, it.clock);
        it.clock += 20;
    }
}

WRAP(wzp_err, wzp_session_seal, wzp_session *s, wzp_bytes hdr, wzp_bytes payload, uint8_t *out) {
    const bool is_old = fault == WZP_CLIENT_FAULT_OLD_KEY && it.rekeys > 0;
    it.sealed++;
    renumber(wzp_drop_const(hdr.data));
    const wzp_err err = __real_wzp_session_seal(is_old ? it.first : s, hdr, payload, out);
    if (fault == WZP_CLIENT_FAULT_CLEAR && it.sealed % EVERY == 0) {
        memcpy(out, payload.data, payload.len);
    }
    return err;
}

/* --- rekey ------------------------------------------------------------------------------------ */

WRAP(bool, wzp_session_rekey_due, const wzp_session *s) {
    return fault != WZP_CLIENT_FAULT_NEVER && __real_wzp_session_rekey_due(s);
}

WRAP(wzp_err, wzp_session_rekey_complete, wzp_session *s, const uint8_t peer_pub[WZP_KEY_LEN],
     wzp_time now) {
    const wzp_err err = __real_wzp_session_rekey_complete(s, peer_pub, now);
    it.rekeys += err == WZP_OK ? 1 : 0;
    return err;
}

WRAP(wzp_err, wzp_cipher_rekey_verify, const wzp_cipher *cipher, const wzp_signal_Rekey *rekey) {
    return fault == WZP_CLIENT_FAULT_DEAF ? WZP_ERR_SIGNATURE
                                          : __real_wzp_cipher_rekey_verify(cipher, rekey);
}

void wzp_client_fall_silent(void) {
    wzp_quic_abandon(it.quic, it.conn);
}

/* --- hangups ---------------------------------------------------------------------------------- */

/* Only clients dial here. */
WRAP(wzp_err, wzp_quic_connect, wzp_quic *quic, const wzp_quic_dial *dial, wzp_time now,
     wzp_quic_conn *out) {
    const wzp_err err = __real_wzp_quic_connect(quic, dial, now, out);
    it.quic = quic;
    it.conn = *out;
    it.path = dial->path;
    it.now = now;
    it.came_back = false;
    strncpy(it.sni, dial->sni, sizeof it.sni - 1);
    return err;
}

WRAP(void, wzp_quic_recv, wzp_quic *quic, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
     wzp_time now) {
    it.now = now;
    __real_wzp_quic_recv(quic, path, ecn, payload, now);
}

WRAP(const char *, wzp_violation_code_name, wzp_violation_code code) {
    return fault == WZP_CLIENT_FAULT_MUMBLES ? "" : __real_wzp_violation_code_name(code);
}

/* Testers hear no hangup before they have their verdict.  An unknown reason is read as Error. */
WRAP(wzp_err, wzp_signal_parse, wzp_signal **out, wzp_bytes json, const wzp_signal_opts *opts,
     wzp_fail *fail) {
    if (wzp_audio_fault_refuses(json) || wzp_qual_fault_refuses(json) ||
        wzp_call_fault_refuses(json)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const wzp_err err = __real_wzp_signal_parse(out, json, opts, fail);
    if (err != WZP_OK || (*out)->kind != WZP_SIGNAL_HANGUP) {
        return err;
    }
    if (fault == WZP_CLIENT_FAULT_CRASHES && (*out)->u.Hangup.reason.kind == WZP_HANGUP_ERROR) {
        wzp_client_fall_silent();
    }
    if (fault == WZP_CLIENT_FAULT_TALKS_ON) {
        wzp_signal_free(out);
        return WZP_ERR_INVALID_ARGUMENT;
    }
    return err;
}

/* Both ends ask how a connection ended; the relay has closed this one. */
WRAP(const char *, wzp_quic_close_text, const wzp_quic_close_info *close) {
    if (fault == WZP_CLIENT_FAULT_COMES_BACK && close->kind == WZP_QUIC_CLOSE_PEER_APP &&
        !it.came_back && it.quic != NULL) {
        const wzp_quic_dial dial = {.path = it.path, .sni = it.sni};
        wzp_quic_conn again;
        it.came_back = __real_wzp_quic_connect(it.quic, &dial, it.now, &again) == WZP_OK;
    }
    return __real_wzp_quic_close_text(close);
}
