#include "conformance/bin/scrape.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/http_client.h"
#include "io/sys.h"

#define PATIENCE (2 * WZP_S)

typedef struct look {
    char *text;
    size_t cap;
    bool ok;
    char why[128];
} look;

bool wzp_ct_is_url(const char *text) {
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

static void on_answer(void *ctx, const wzp_http_answer *answer) {
    look *l = ctx;
    if (answer->outcome == WZP_HTTP_TIMED_OUT) {
        (void)snprintf(l->why, sizeof l->why, "no answer within 2 s");
    } else if (answer->outcome == WZP_HTTP_FAILED) {
        (void)snprintf(l->why, sizeof l->why, "%s", answer->why);
    } else if (answer->status != 200) {
        (void)snprintf(l->why, sizeof l->why, "status %u", answer->status);
    } else if (answer->body.len >= l->cap) {
        (void)snprintf(l->why, sizeof l->why, "the page is too long");
    } else {
        memcpy(l->text, answer->body.data, answer->body.len);
        l->text[answer->body.len] = '\0';
        l->ok = true;
    }
}

static void ask(look *l, uv_loop_t *loop, const char *url) {
    const wzp_http_client_cfg cfg = {.url = url, .done = on_answer, .ctx = l};
    wzp_http_client *client = NULL;
    const wzp_err err = wzp_http_client_start(&client, loop, &cfg);
    if (err != WZP_OK) {
        (void)snprintf(l->why, sizeof l->why, "%s",
                       err == WZP_ERR_IO ? wzp_io_reason(errno) : "no usable URL");
        return;
    }
    if (wzp_http_client_get(client, 1, PATIENCE) == WZP_OK) {
        while (!l->ok && l->why[0] == '\0') {
            uv_run(loop, UV_RUN_ONCE);
        }
    }
    wzp_http_client_stop(client);
    uv_run(loop, UV_RUN_DEFAULT);
    wzp_http_client_free(&client);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): on_answer writes there */
bool wzp_ct_scrape(const char *url, char *text, size_t cap) {
    look l = {.text = text, .cap = cap};
    uv_loop_t loop;
    if (uv_loop_init(&loop) != 0) {
        return false;
    }
    ask(&l, &loop, url);
    (void)uv_loop_close(&loop);
    if (!l.ok) {
        (void)fprintf(stderr, "wzp-conformance: --metrics %s: %s\n", url, l.why);
    }
    return l.ok;
}
