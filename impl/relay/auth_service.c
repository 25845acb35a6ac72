#include "relay/auth_service.h"

#include "wire/json.h"

void wzp_auth_request_write(wzp_wr *wr, wzp_bytes token) {
    wzp_wr_str(wr, "{\"token\":");
    wzp_json_write_string(wr, token);
    wzp_wr_u8(wr, '}');
}

bool wzp_auth_identity_is_usable(const char *identity) {
    size_t len = 0;
    for (; identity != NULL && identity[len] != '\0'; len++) {
        if (len == WZP_AUTH_IDENTITY_MAX || identity[len] < 0x20 || identity[len] > 0x7e) {
            return false;
        }
    }
    return len > 0;
}

typedef struct answer {
    bool has_valid, valid, has_identity;
    char identity[WZP_AUTH_IDENTITY_MAX + 1];
} answer;

/* null counts as missing; one that is too long is not taken. */
static void read_identity(wzp_json *json, answer *a) {
    uint8_t text[6 * WZP_AUTH_IDENTITY_MAX];
    if (wzp_json_peek(json) == WZP_JSON_NULL) {
        wzp_json_null(json, "fingerprint");
        return;
    }
    const wzp_bytes raw = wzp_json_raw_string(json, "fingerprint");
    const size_t len = raw.len <= sizeof text ? wzp_json_unescape(text, raw) : SIZE_MAX;
    if (len <= WZP_AUTH_IDENTITY_MAX && memchr(text, 0, len) == NULL) {
        memcpy(a->identity, text, len);
        a->identity[len] = '\0';
        a->has_identity = wzp_auth_identity_is_usable(a->identity);
    }
}

static void read_member(wzp_json *json, answer *a) {
    uint8_t buf[WZP_JSON_NAME_MAX];
    const wzp_bytes key = wzp_json_key(json, buf, "answer");
    if (wzp_bytes_equal(key, wzp_bytes_str("valid"))) {
        a->valid = wzp_json_bool(json, "valid");
        a->has_valid = true;
    } else if (wzp_bytes_equal(key, wzp_bytes_str("fingerprint"))) {
        read_identity(json, a);
    } else {
        wzp_json_skip(json, "answer");
    }
}

wzp_auth_verdict wzp_auth_answer_read(unsigned status, wzp_bytes body,
                                      char identity[WZP_AUTH_IDENTITY_MAX + 1]) {
    if (status < 200 || status > 299) {
        return WZP_AUTH_BAD_STATUS;
    }
    answer a = {0};
    wzp_json json;
    bool first = true;
    wzp_json_init(&json, body);
    wzp_json_begin(&json, '{', "answer");
    while (wzp_json_next(&json, '}', &first, "answer")) {
        read_member(&json, &a);
    }
    wzp_json_end(&json);
    if (json.rd.fail.code != WZP_OK || !a.has_valid || (a.valid && !a.has_identity)) {
        return WZP_AUTH_BAD_ANSWER;
    }
    memcpy(identity, a.identity, sizeof a.identity);
    return a.valid ? WZP_AUTH_ACCEPTED : WZP_AUTH_REFUSED;
}
