#include "bin/relay/relay_auth.h"

#include <stdlib.h>

#include "crypto/crypto.h"
#include "io/sys.h"
#include "relay/auth_service.h"
#include "relay/limits.h"

enum { BODY_MAX = 6 * WZP_LIMIT_TOKEN + 16 };

struct wzp_relay_service {
    wzp_relay_service_cfg cfg;
    wzp_http_client *http;
    uint8_t body[BODY_MAX]; /* holds a token for a moment */
};

static wzp_auth_verdict judge(const wzp_http_answer *answer,
                              char identity[WZP_AUTH_IDENTITY_MAX + 1]) {
    switch (answer->outcome) {
    case WZP_HTTP_TIMED_OUT:
        return WZP_AUTH_TIMEOUT;
    case WZP_HTTP_FAILED:
        return WZP_AUTH_UNREACHABLE;
    case WZP_HTTP_ANSWERED:
        break;
    }
    return wzp_auth_answer_read(answer->status, answer->body, identity);
}

/* An unknown token is everyday business; the rest is for the operator. */
static void log_trouble(const wzp_relay_service *s, const wzp_http_answer *answer,
                        wzp_auth_verdict verdict) {
    if (verdict != WZP_AUTH_ACCEPTED && verdict != WZP_AUTH_REFUSED) {
        wzp_logf(&s->cfg.log, WZP_LOG_WARN, "token service: %s, status %u %s",
                 wzp_auth_verdict_name(verdict), answer->status, answer->why);
    }
}

static void on_answer(void *ctx, const wzp_http_answer *answer) {
    wzp_relay_service *s = ctx;
    char identity[WZP_AUTH_IDENTITY_MAX + 1] = "";
    const wzp_auth_verdict verdict = judge(answer, identity);
    log_trouble(s, answer, verdict);
    wzp_relay_auth_result(s->cfg.relay, answer->id, verdict, identity, wzp_io_now());
    wzp_drive_kick(s->cfg.drive);
}

wzp_err wzp_relay_service_start(wzp_relay_service **out, uv_loop_t *loop,
                                const wzp_relay_service_cfg *cfg) {
    wzp_relay_service *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return WZP_ERR_NOMEM;
    }
    s->cfg = *cfg;
    const wzp_http_client_cfg http = {
        .url = cfg->url, .ca_file = cfg->ca_file, .done = on_answer, .ctx = s};
    const wzp_err err = wzp_http_client_start(&s->http, loop, &http);
    s->cfg.url = s->cfg.ca_file = NULL; /* were borrowed */
    if (err != WZP_OK) {
        free(s);
        return err;
    }
    *out = s;
    return WZP_OK;
}

void wzp_relay_service_ask(wzp_relay_service *s, wzp_time now) {
    wzp_relay_auth question;
    while (wzp_relay_next_auth(s->cfg.relay, &question)) {
        wzp_wr wr;
        wzp_wr_init(&wr, s->body, sizeof s->body);
        wzp_auth_request_write(&wr, question.token);
        const wzp_bytes body = wzp_bytes_of(s->body, wzp_wr_len(&wr));
        if (wzp_http_client_post(s->http, question.id, body,
                                 wzp_time_since(question.deadline, now)) != WZP_OK) {
            wzp_relay_auth_result(s->cfg.relay, question.id, WZP_AUTH_UNREACHABLE, NULL, now);
        }
    }
    wzp_crypto_wipe(s->body, sizeof s->body);
}

void wzp_relay_service_stop(wzp_relay_service *s) {
    wzp_http_client_stop(s->http);
}

void wzp_relay_service_free(wzp_relay_service **service) {
    if (*service == NULL) {
        return;
    }
    wzp_http_client_free(&(*service)->http);
    free(*service);
    *service = NULL;
}
