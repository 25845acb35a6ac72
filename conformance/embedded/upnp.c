#include "conformance/embedded/upnp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/host/upnp_words.h"

enum { REQUEST_MAX = 2048, NO_ANSWER = -1, SEARCH_PORT = 50000 };

struct wzp_ct_upnp {
    uv_loop_t loop;
    wzp_upnp *upnp;
    wzp_addr external;
    bool was_tried;
};

/* --- a gateway in memory ---------------------------------------------------------------------- */

/* Of all clients at once: a backend is told of nothing else before it has found a gateway. */
static wzp_ct_world *world;

typedef struct gateway {
    wzp_sim_upnp_control control;
    uint8_t said[WZP_CT_WEB_SAID_MAX];
} gateway;

static wzp_bytes ask(gateway *g, const wzp_addr *to, const wzp_wr *question) {
    const size_t len = wzp_ct_world_ask(
        world, to, wzp_bytes_of(question->base, wzp_wr_len(question)), g->said, sizeof g->said);
    return wzp_bytes_of(g->said, len);
}

static bool is_gateway(gateway *g, wzp_bytes answer) {
    uint8_t buf[REQUEST_MAX];
    wzp_sim_upnp_url url;
    wzp_wr wr;
    if (!wzp_sim_upnp_location(answer, &url)) {
        return false;
    }
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_get(&wr, &url);
    return wzp_sim_upnp_describes(ask(g, &url.at, &wr), &url, false, &g->control);
}

static void *find(const wzp_addr *own, uint32_t wait_ms, char error[WZP_UPNP_TEXT_MAX]) {
    uint8_t buf[REQUEST_MAX];
    wzp_ct_web_answer answer;
    wzp_addr from = *own;
    wzp_wr wr;
    gateway *g = calloc(1, sizeof *g);
    const wzp_time until = world->ops->now(world) + wait_ms * WZP_MS;
    from.port = SEARCH_PORT;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_search(&wr, 1);
    wzp_ct_world_search(world, &from, wzp_bytes_of(buf, wzp_wr_len(&wr)));
    while (g != NULL && wzp_ct_world_found(world, until, &answer)) {
        if (is_gateway(g, wzp_bytes_of(answer.bytes, answer.len))) {
            return g;
        }
    }
    free(g);
    (void)snprintf(error, WZP_UPNP_TEXT_MAX, "no gateway answers");
    return NULL;
}

static void forget(void *self) {
    free(self);
}

static int result_of(wzp_bytes response) {
    return response.len > 0 ? (int)wzp_sim_upnp_fault(response) : NO_ANSWER;
}

static int external(void *self, wzp_addr *out) {
    gateway *g = self;
    uint8_t buf[REQUEST_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_ask_address(&wr, &g->control);
    const wzp_bytes response = ask(g, &g->control.url.at, &wr);
    return wzp_sim_upnp_address(response, out) ? 0 : result_of(response);
}

static int add(void *self, const wzp_addr *own, uint16_t port, uint32_t lease_s) {
    gateway *g = self;
    uint8_t buf[REQUEST_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_ask_mapping(&wr, &g->control, own, port, lease_s);
    return result_of(ask(g, &g->control.url.at, &wr));
}

static int remove_port(void *self, uint16_t port) {
    gateway *g = self;
    uint8_t buf[REQUEST_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_ask_removal(&wr, &g->control, port);
    return result_of(ask(g, &g->control.url.at, &wr));
}

static const char *text_of(int result) {
    (void)result;
    return NULL;
}

/* --- a mapping -------------------------------------------------------------------------------- */

static void on_attempt(void *ctx, const wzp_upnp_state *state) {
    wzp_ct_upnp *u = ctx;
    u->external = state->external;
    u->was_tried = true;
}

wzp_ct_upnp *wzp_ct_upnp_new(const wzp_ct_upnp_cfg *cfg, wzp_addr *external_addr) {
    static const wzp_upnp_backend in_memory = {find, forget, external, add, remove_port, text_of};
    wzp_ct_upnp *u = calloc(1, sizeof *u);
    const wzp_upnp_cfg upnp = {.backend = &in_memory,
                               .own = cfg->own,
                               .reflexive = cfg->reflexive,
                               .rng = cfg->rng,
                               .attempted = on_attempt,
                               .ctx = u};
    world = cfg->world;
    if (u == NULL || uv_loop_init(&u->loop) != 0) {
        free(u);
        return NULL;
    }
    u->was_tried = wzp_upnp_start(&u->upnp, &upnp, &u->loop) != WZP_OK;
    while (!u->was_tried) {
        (void)uv_run(&u->loop, UV_RUN_ONCE);
    }
    *external_addr = u->external;
    return u;
}

void wzp_ct_upnp_free(wzp_ct_upnp **upnp) {
    wzp_ct_upnp *u = *upnp;
    if (u == NULL) {
        return;
    }
    wzp_upnp_release(&u->upnp, NULL, NULL);
    (void)uv_run(&u->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&u->loop);
    free(u);
    *upnp = NULL;
}
