#include "bin/client/client_stun.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "bin/client/client_output.h"
#include "io/sockaddr.h"
#include "nat/ip_kind.h"

enum { HOST_MAX = 256 };

/* In the order of deployed clients (nat sheet 1.7). */
static const char *const deployed[] = {"stun.l.google.com:19302", "stun1.l.google.com:19302",
                                       "stun.cloudflare.com:3478"};

static void finish(wzp_client_stun *s) {
    if (!s->is_done) {
        s->is_done = true;
        uv_timer_stop(&s->patience);
        s->done(s->ctx);
    }
}

static void on_patience(uv_timer_t *timer) {
    wzp_client_stun *s = timer->data;
    if (!s->is_quiet) {
        wzp_client_say("wzp-client: --stun: a name is not found; going on without it\n");
    }
    finish(s);
}

static void add(wzp_client_stun *s, const struct sockaddr *found) {
    wzp_sockaddr any = {0};
    memcpy(&any.v4, found, sizeof any.v4);
    s->servers[s->count++] = wzp_sockaddr_read(&any);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
    wzp_client_stun *s = request->data;
    if (status == 0 && found != NULL && !s->is_done) {
        add(s, found->ai_addr);
    } else if (status != 0 && !s->is_quiet && !s->is_done) {
        wzp_client_say("wzp-client: --stun: %s\n", uv_strerror(status));
    }
    uv_freeaddrinfo(found);
    if (--s->waiting == 0) {
        finish(s);
    }
}

/* HOST:PORT; the command line has seen to it that there is a colon. */
static void ask(wzp_client_stun *s, uv_loop_t *loop, const char *name) {
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
    const char *colon = strrchr(name, ':');
    char host[HOST_MAX];
    wzp_addr literal;
    if (wzp_addr_parse(&literal, name) == WZP_OK) {
        s->servers[s->count++] = literal;
        return;
    }
    (void)snprintf(host, sizeof host, "%.*s", (int)(colon - name), name);
    uv_getaddrinfo_t *request = &s->asked[s->asked_count];
    request->data = s;
    if (uv_getaddrinfo(loop, request, on_found, host, colon + 1, &hints) == 0) {
        s->asked_count++;
        s->waiting++;
    }
}

void wzp_client_stun_find(wzp_client_stun *s, uv_loop_t *loop, const wzp_client_options *opts,
                          const wzp_addr *relay, void (*done)(void *ctx), void *ctx) {
    const bool uses_deployed =
        opts->stun_count == 0 && !opts->no_stun && wzp_ip_kind_of(relay) == WZP_IP_GLOBAL;
    const char *const *names = uses_deployed ? deployed : opts->stun;
    const size_t count = uses_deployed ? WZP_COUNT_OF(deployed) : opts->stun_count;
    *s = (wzp_client_stun){.done = done, .ctx = ctx, .is_quiet = uses_deployed || opts->quiet};
    uv_timer_init(loop, &s->patience);
    s->patience.data = s;
    for (size_t i = 0; i < count && !opts->relay_only; i++) {
        ask(s, loop, names[i]);
    }
    if (s->waiting == 0) {
        finish(s);
        return;
    }
    uv_timer_start(&s->patience, on_patience, WZP_CLIENT_STUN_WAIT_MS, 0);
}

void wzp_client_stun_stop(wzp_client_stun *s) {
    if (s->done == NULL) {
        return; /* never begun */
    }
    s->is_done = true;
    uv_timer_stop(&s->patience);
    for (size_t i = 0; i < s->asked_count; i++) {
        (void)uv_cancel((uv_req_t *)&s->asked[i]);
    }
}
