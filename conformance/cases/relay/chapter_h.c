/* Handshake and version (conformance sheet 24.13). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/macros.h"
#include "conformance/cases/relay/plays.h"

enum { JSON_ROOM = 8192 };

/* Replaces the first `what` in place. */
static void replace(char *json, const char *what, const char *with) {
    char *at = strstr(json, what);
    if (at == NULL || strlen(json) + strlen(with) >= JSON_ROOM) {
        return;
    }
    char tail[JSON_ROOM];
    (void)snprintf(tail, sizeof tail, "%s", at + strlen(what));
    (void)snprintf(at, (size_t)(JSON_ROOM - (at - json)), "%s%s", with, tail);
}

static void version_1(char *json) {
    replace(json, "\"protocol_version\":2", "\"protocol_version\":1");
}

static void version_3(char *json) {
    replace(json, "\"protocol_version\":2,\"supported_versions\":[2]",
            "\"protocol_version\":3,\"supported_versions\":[3,2]");
}

static void no_version(char *json) {
    replace(json, ",\"protocol_version\":2,\"supported_versions\":[2]", "");
}

static void short_key(char *json) {
    const char *key = strstr(json, "\"identity_pub\":[");
    char *comma = key != NULL ? strchr(key, ',') : NULL;
    if (comma != NULL) {
        char *from = strchr(key, '[') + 1;
        memmove(from, comma + 1, strlen(comma + 1) + 1);
    }
}

static void long_key(char *json) {
    replace(json, "\"identity_pub\":[", "\"identity_pub\":[1,");
}

static void ping(char *json) {
    (void)snprintf(json, JSON_ROOM, "{\"Ping\":{\"version\":1,\"timestamp_ms\":1}}");
}

static void extra_fields(char *json) {
    replace(json, "\"version\":1,", "\"version\":1,\"future\":{\"a\":[1,2,{\"b\":null}]},");
}

static void broken_json(char *json) {
    json[strlen(json) - 1] = '\0';
}

#define EXCHANGE(id, also, title, must, what, resp, t, ...)                                        \
    {                                                                                              \
        .kind = WZP_CT_EXCHANGE,                                                                   \
        .info = {INFO(id, "H", title, "CONF-H-1", must, what, "conformance 24.13" also)},          \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .exchange = {                                      \
            .response = resp,                                                                      \
            .deadline_s = t,                                                                       \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define PLAY(id, also, title, what, traffic, script, ...)                                          \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "H", title, "CONF-H-1", what, traffic, "conformance 24.13" also)},       \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = WZP_CT_PAIR_STATE,                        \
        .on_datagram = wzp_ct_pair_datagram, __VA_ARGS__                                           \
    }

static const wzp_ct_case cases[] = {
    EXCHANGE("H-01", ", RLY-012", "version 1 is told so",
             "answer with ProtocolVersionMismatch and close", "CallOffer with protocol_version 1",
             WZP_CT_MISMATCH, 3.0, .edit = version_1),
    EXCHANGE(
        "H-02", "", "no fallback from version 3", "answer with ProtocolVersionMismatch and close",
        "protocol_version 3, supported_versions [3,2]", WZP_CT_MISMATCH, 3.0, .edit = version_3),
    EXCHANGE("H-03", ", RLY-012", "missing version means 2", "answer the offer",
             "CallOffer without the two version fields", WZP_CT_ANSWER, 3.0, .edit = no_version),
    EXCHANGE("H-04", ", RLY-013", "bad signature", "close without CallAnswer",
             "one signature bit flipped", WZP_CT_REFUSAL, 3.0, .bad_signature = true),
    EXCHANGE("H-05", "", "identity key of 31 bytes", "close without CallAnswer",
             "identity_pub of 31 elements", WZP_CT_REFUSAL, 3.0, .edit = short_key),
    EXCHANGE("H-05b", "", "identity key of 33 bytes", "close without CallAnswer",
             "identity_pub of 33 elements", WZP_CT_REFUSAL, 3.0, .edit = long_key),
    EXCHANGE("H-06", "", "first signal is not an offer", "close", "Ping instead of CallOffer",
             WZP_CT_REFUSAL, 3.0, .edit = ping),
    EXCHANGE("H-06b", "", "first signal is broken JSON", "close",
             "CallOffer without its last brace", WZP_CT_REFUSAL, 3.0, .edit = broken_json),
    EXCHANGE("H-07", "", "unknown fields", "ignore them and answer", "an extra nested field",
             WZP_CT_ANSWER, 3.0, .edit = extra_fields),
    {.info = {INFO("H-08", "H", "media before the offer", "CONF-H-1",
                   "forward none of it, and serve the offer that follows",
                   "50 valid packets, then CallOffer and speech", "conformance 24.13"),
              .must_forward = true},
     .criteria = {.rule = WZP_CT_RULE_IGN},
     .early_media = true,
     STEP(WZP_CODEC_OPUS_24K, 50, 76, 5, 20)},
    {.kind = WZP_CT_EXCHANGE,
     .info = {INFO("H-09", "H", "replayed offer", "CONF-H-1", "anything: it is only described",
                   "the same offer on a second connection", "conformance 24.13"),
              .level = WZP_CT_INFO},
     .criteria = {.rule = WZP_CT_RULE_RESP},
     .exchange = {.response = WZP_CT_DESCRIBE, .deadline_s = 3.0, .twice = true}},
    EXCHANGE("H-10", ", RLY-023", "unknown call room", "close before any RoomUpdate",
             "a valid offer with SNI call-0000unknown", WZP_CT_NO_ROOM, 3.0,
             .sni = "call-0000unknown"),
    PLAY("H-11", ", RLY-023, RLY-024", "third party in a call room",
         "let in the two parties of a call and nobody else",
         "a direct call; a stranger tries its room, both join, then a third connection",
         wzp_ct_acts_h11, .skip = WZP_CT_REASON_NONE),
    PLAY("H-12", ", RLY-022", "session limit",
         "refuse the one too many, serve the others, reuse a place",
         "a relay for 3 sessions, 4 joins, one leaves", wzp_ct_acts_h12,
         .config = WZP_CT_CONFIG_MAX_SESSIONS, .alone = true, .skip = WZP_CT_REASON_NO_TEST_CONFIG),
    PLAY("H-13", ", RLY-010, RLY-011", "bearer tokens", "let in who has a valid token",
         "no, a wrong and a valid token", wzp_ct_acts_h13, .config = WZP_CT_CONFIG_AUTH,
         .skip = WZP_CT_REASON_NO_AUTH),
    EXCHANGE("H-14", "", "another ALPN", "abort with no_application_protocol", "ALPN h3",
             WZP_CT_ALPN_ALERT, 3.0, .alpn = "h3"),
    EXCHANGE("H-14b", "", "no ALPN", "abort with no_application_protocol", "no ALPN at all",
             WZP_CT_ALPN_ALERT, 3.0, .alpn = ""),
    EXCHANGE("H-15", ", RLY-014", "the answer is genuine",
             "sign ephemeral_pub || call-answer and choose Opus24k", "a valid offer", WZP_CT_ANSWER,
             3.0, .bad_signature = false),
};

const wzp_ct_chapter wzp_ct_chapter_h = {"H", "Handshake and version", cases, WZP_COUNT_OF(cases)};
