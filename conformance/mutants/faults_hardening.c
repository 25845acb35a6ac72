/* Faults of what keeps a relay standing under attack: chapter X. */
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "conformance/mutants/faults.h"
#include "conformance/mutants/wrap.h"
#include "relay/internal.h"

static wzp_fault fault(void) {
    return wzp_fault_now();
}

/* --- a relay that is busy with something else ------------------------------------------------- */

enum { CROWD = 50 };

static wzp_time deaf_until;
static unsigned packets, rooms_seen;

void wzp_fault_hardening_reset(void) {
    deaf_until = 0;
    packets = rooms_seen = 0;
}

static void be_deaf(wzp_time now, uint64_t for_ns) {
    deaf_until = wzp_time_after(deaf_until > now ? deaf_until : now, for_ns);
}

void wzp_fault_stream_stalled(const session *s) {
    if (fault() == WZP_FAULT_STALLS_WITH_ONE) {
        be_deaf(s->relay->now, 100 * WZP_MS);
    }
}

static bool keeps_halves(const session *to) {
    for (size_t i = 0; i < to->room->count; i++) {
        const session *from = to->room->members[i];
        for (size_t n = 0; from->keyframes != NULL && n < WZP_LIMIT_KEYFRAME_STREAMS; n++) {
            if (from->keyframes[n].filling) {
                return true;
            }
        }
    }
    return false;
}

void wzp_fault_joined(const session *s) {
    rooms_seen++;
    if (fault() == WZP_FAULT_SEARCHES_KEYFRAMES && keeps_halves(s)) {
        be_deaf(s->relay->now, 300 * WZP_MS);
    }
}

/* True: it is not forwarded as usual. */
bool wzp_fault_hardening_takes(session *s, wzp_bytes datagram) {
    if (s->state == SESSION_ROOM && s->relay->now < deaf_until) {
        return true;
    }
    if (fault() != WZP_FAULT_TAKES_TRUNKS || s->state != SESSION_ROOM || datagram.len == 0 ||
        datagram.data[0] != 0) {
        return false;
    }
    for (size_t i = 0; i < s->room->count; i++) {
        if (s->room->members[i] != s) {
            wzp_relay_send_media(s->room->members[i], datagram);
        }
    }
    return true;
}

bool wzp_fault_hardening_loses(const session *to) {
    return fault() == WZP_FAULT_LOSES_IN_CROWDS && to->room != NULL && to->room->count > CROWD &&
           ++packets % 50 == 0;
}

/* --- meters ----------------------------------------------------------------------------------- */

static bool is_unmetered(const wzp_media_hdr *hdr) {
    return fault() == WZP_FAULT_UNMETERED_TYPES && hdr->media_type > WZP_MEDIA_VIDEO;
}

/* What the meter believes of a packet; false: it does not see it. */
bool wzp_fault_declared(wzp_media_hdr *hdr) {
    if (fault() == WZP_FAULT_ANY_TYPE && hdr->codec_id >= WZP_CODEC_H264_BASELINE) {
        hdr->media_type = WZP_MEDIA_VIDEO;
    }
    return !is_unmetered(hdr);
}

WRAP(wzp_violation, wzp_relay_judge, session *s, const wzp_media_packet *packet) {
    return is_unmetered(&packet->hdr) ? WZP_VIOLATION_NONE : __real_wzp_relay_judge(s, packet);
}

/* --- signalling ------------------------------------------------------------------------------- */

/* Passes on whatever its size is. */
void wzp_fault_tunnel(session *s, const wzp_signal *signal) {
    if (fault() == WZP_FAULT_TUNNELS && signal->kind == WZP_SIGNAL_CANDIDATE_UPDATE) {
        wzp_relay_on_call_signal(s, signal);
    }
}

/* Whom the relay takes for the senders of that video. */
void wzp_fault_follows_pli(const session *from, uint8_t stream_id) {
    const room *rm = from->room;
    const uint64_t bit = UINT64_C(1) << stream_id % 64;
    for (size_t i = 0; i < rm->count; i++) {
        session *m = rm->members[i];
        if (fault() == WZP_FAULT_LAST_SENDER && rm->owners != NULL &&
            m->number != rm->owners[stream_id].number) {
            m->films[stream_id / 64] &= ~bit;
        } else if (fault() == WZP_FAULT_PLI_TO_ALL && m != from) {
            m->films[stream_id / 64] |= bit;
        }
    }
}

void wzp_fault_registers(const session *s) {
    for (session *other = s->relay->newest; other != NULL; other = other->older) {
        if (fault() == WZP_FAULT_TAKES_NAMES) {
            other->is_proven = false;
        }
    }
}

bool wzp_fault_waits(const session *s) {
    return fault() == WZP_FAULT_PATIENT_WITH_OFFERS && s->state == SESSION_OFFER;
}

/* --- metrics ---------------------------------------------------------------------------------- */

/* A series for each room that ever was. */
void wzp_fault_write_rooms(wzp_wr *out) {
    char line[64];
    for (unsigned i = 0; fault() == WZP_FAULT_COUNTS_ROOMS && i < rooms_seen; i++) {
        const int n = snprintf(line, sizeof line, "wzp_room_joins{room=\"%u\"} 1\n", i);
        wzp_wr_bytes(out, wzp_bytes_of(line, (size_t)n));
    }
}

/* --- certificates ----------------------------------------------------------------------------- */

static X509 *make_certificate(EVP_PKEY *key) {
    X509 *cert = X509_new();
    if (cert != NULL && X509_set_version(cert, 2) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(cert), 0) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(cert), 86400) != NULL &&
        X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, NULL) > 0) {
        return cert;
    }
    X509_free(cert);
    return NULL;
}

/* Another one for each connection.
 * NOLINTNEXTLINE(readability-non-const-parameter): as OpenSSL wants it */
int wzp_fault_new_certificate(SSL *ssl, int *alert, void *arg) {
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    X509 *cert = key != NULL ? make_certificate(key) : NULL;
    (void)alert, (void)arg;
    const bool ok =
        cert != NULL && SSL_use_certificate(ssl, cert) == 1 && SSL_use_PrivateKey(ssl, key) == 1;
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}
