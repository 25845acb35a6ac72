/* Vectors about what is said to other programs: the service that knows tokens, and featherChat. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/auth_service.h"
#include "vectors/check.h"
#include "wire/signal.h"

/* --- bearer tokens (crypto sheet 5) --------------------------------------------------------------
 */

static void check_request(wzp_vector_entry *e, const char *request) {
    uint8_t buf[512];
    wzp_wr wr;
    json_t *body = json_loads(request, 0, NULL);
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_auth_request_write(&wr, wzp_bytes_str(wzp_vector_text(body, "token")));
    buf[wzp_wr_len(&wr) < sizeof buf ? wzp_wr_len(&wr) : sizeof buf - 1] = '\0';
    (void)wzp_vector_is_text(e, "request", request, (const char *)buf);
    json_decref(body);
}

void wzp_vectors_check_auth_http(wzp_vector_entry *e) {
    const json_t *request = json_object_get(e->json, "request");
    if (request != NULL) {
        check_request(e, json_string_value(request));
        return;
    }
    char identity[WZP_AUTH_IDENTITY_MAX + 1] = "";
    char actual[160];
    const char *result = wzp_vector_text(e->json, "result");
    const wzp_auth_verdict verdict =
        wzp_auth_answer_read((unsigned)wzp_vector_uint(e->json, "status"),
                             wzp_bytes_str(wzp_vector_text(e->json, "response")), identity);
    const bool accepted = verdict == WZP_AUTH_ACCEPTED;
    (void)snprintf(actual, sizeof actual, accepted ? "accept, participant id %s" : "reject",
                   identity);
    /* "reject: valid without fingerprint" explains itself; the answer is the first word. */
    const bool same = accepted ? strcmp(result, actual) == 0 : strncmp(result, "reject", 6) == 0;
    (void)wzp_vector_is_text(e, "result", result, same ? result : actual);
}

/* --- featherChat (crypto sheet 13) ---------------------------------------------------------------
 */

static const char *signal_type(wzp_signal_kind kind) {
    switch ((int)kind) {
    case WZP_SIGNAL_CALL_ANSWER:
    case WZP_SIGNAL_DIRECT_CALL_ANSWER:
        return "Answer";
    case WZP_SIGNAL_ICE_CANDIDATE:
    case WZP_SIGNAL_HANGUP:
    case WZP_SIGNAL_HOLD:
    case WZP_SIGNAL_UNHOLD:
    case WZP_SIGNAL_MUTE:
    case WZP_SIGNAL_UNMUTE:
    case WZP_SIGNAL_TRANSFER:
        return wzp_signal_name(kind);
    case WZP_SIGNAL_CALL_RINGING:
        return "Ringing";
    default:
        return "Offer"; /* offers, and everything that has no type of its own */
    }
}

/* The payload again from what was understood of it. */
static char *rebuild(const wzp_signal *signal, const json_t *payload) {
    char *json = NULL;
    char *out = NULL;
    size_t len = 0;
    char *relay = json_dumps(json_object_get(payload, "relay_addr"), JSON_ENCODE_ANY);
    char *room = json_dumps(json_object_get(payload, "room"), JSON_ENCODE_ANY);
    if (wzp_signal_to_json(&json, &len, signal) == WZP_OK && relay != NULL && room != NULL &&
        asprintf(&out, "{\"signal\":%s,\"relay_addr\":%s,\"room\":%s}", json, relay, room) < 0) {
        out = NULL;
    }
    free(json);
    free(relay);
    free(room);
    return out;
}

void wzp_vectors_check_featherchat(wzp_vector_entry *e) {
    const char *text = wzp_vector_text(e->json, "payload");
    json_t *payload = json_loads(text, 0, NULL);
    char *inner = json_dumps(json_object_get(payload, "signal"), JSON_COMPACT);
    wzp_signal *signal = NULL;
    if (inner != NULL && wzp_signal_parse(&signal, wzp_bytes_str(inner), NULL, NULL) == WZP_OK) {
        char *again = rebuild(signal, payload);
        (void)(wzp_vector_is_text(e, "payload", text, again != NULL ? again : "") &&
               wzp_vector_is_text(e, "signal_type", wzp_vector_text(e->json, "signal_type"),
                                  signal_type(signal->kind)));
        free(again);
    } else {
        wzp_vector_mismatch(e, "payload", "a known signal", text);
    }
    wzp_signal_free(&signal);
    free(inner);
    json_decref(payload);
}
