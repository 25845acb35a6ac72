#include "client/admission.h"

#include <string.h>

#include "wire/signal.h"

wzp_err wzp_admission_init(wzp_admission *a, const char *token, const uint8_t pin[WZP_SHA256_LEN]) {
    *a = (wzp_admission){.is_pinned = pin != NULL};
    if (pin != NULL) {
        memcpy(a->pin, pin, sizeof a->pin);
    }
    if (token == NULL) {
        return WZP_OK;
    }
    const size_t len = strlen(token);
    if (len == 0 || len > WZP_ADMISSION_TOKEN_MAX) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    memcpy(a->token, token, len + 1);
    return WZP_OK;
}

static bool is_meant(const wzp_admission *a, const wzp_quic *quic, wzp_quic_conn conn) {
    uint8_t shown[WZP_SHA256_LEN];
    return !a->is_pinned || (wzp_quic_peer_cert_sha256(quic, conn, shown) &&
                             memcmp(shown, a->pin, sizeof shown) == 0);
}

static bool send_token(wzp_admission *a, wzp_quic *quic, wzp_quic_conn conn) {
    uint8_t buf[WZP_ADMISSION_TOKEN_MAX * 6 + 64]; /* as JSON escapes it at worst */
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_signal_write(&wr, &(wzp_signal){.kind = WZP_SIGNAL_AUTH_TOKEN,
                                        .version = 1,
                                        .u.AuthToken.token = wzp_bytes_str(a->token)});
    const bool sent =
        wzp_wr_end(&wr) == WZP_OK &&
        wzp_quic_send_signal(quic, conn, wzp_bytes_of(buf, wzp_wr_len(&wr)), &a->stream) == WZP_OK;
    wzp_crypto_wipe(buf, sizeof buf);
    wzp_crypto_wipe(a->token, sizeof a->token);
    return sent;
}

wzp_admission_step wzp_admission_take(wzp_admission *a, wzp_quic *quic, const wzp_quic_event *ev,
                                      const char **why) {
    if (ev->kind == WZP_QUIC_SIGNAL_ACKED && a->is_asked && ev->stream == a->stream) {
        a->is_asked = false;
        return WZP_ADMISSION_GO;
    }
    if (ev->kind != WZP_QUIC_CONNECTED) {
        return WZP_ADMISSION_NOTHING;
    }
    if (!is_meant(a, quic, ev->conn)) {
        *why = WZP_ADMISSION_STRANGER;
        return WZP_ADMISSION_REFUSE;
    }
    if (a->token[0] == '\0') {
        return WZP_ADMISSION_GO;
    }
    if (!send_token(a, quic, ev->conn)) {
        *why = "the token could not be sent";
        return WZP_ADMISSION_REFUSE;
    }
    a->is_asked = true;
    return WZP_ADMISSION_NOTHING;
}
