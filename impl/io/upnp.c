#include "io/upnp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "nat/ip_kind.h"

enum {
    LEASE_DEFAULT = 7200,
    WAIT_DEFAULT_MS = 1000,
    RETRY_DEFAULT_MS = 10 * 60 * 1000,
    PERMANENT_CHECK_S = 3600, /* a gateway that restarts forgets permanent leases as well */
    OTHER_PORT_FIRST = 49152,
    OTHER_PORTS = 65536 - OTHER_PORT_FIRST,
    CONFLICT = 718,
    ONLY_PERMANENT = 725
};

/* What a worker thread has for itself while it works. */
typedef struct job {
    wzp_addr own;
    uint32_t wait_ms, lease_s;
    uint16_t ports[1 + WZP_UPNP_OTHER_PORTS]; /* to be tried in this order */
    bool accepts_local;
    wzp_addr reflexive;
    void *gateway; /* found; NULL: to be searched */
    wzp_addr external;
    char error[WZP_UPNP_TEXT_MAX];
} job;

struct wzp_upnp {
    wzp_upnp_cfg cfg;
    wzp_upnp_state state;
    job job;
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_work_t work;
    uint16_t mapped_port; /* at the gateway of the job, as far as we know; 0: none */
    bool is_working, is_leaving, is_closing;
    void (*released)(void *ctx);
    void *released_ctx;
};

/* --- on a worker thread ----------------------------------------------------------------------- */

static void explain(const wzp_upnp_backend *backend, job *j, const char *what, int result) {
    const char *text = backend->text(result);
    (void)snprintf(j->error, sizeof j->error, "%s: %s (%d)", what, text != NULL ? text : "failed",
                   result);
}

static bool is_of_use(const job *j, const wzp_addr *external) {
    return (j->accepts_local || wzp_ip_kind_of(external) == WZP_IP_GLOBAL) &&
           (j->reflexive.family != WZP_ADDR_V4 || wzp_addr_same_ip(external, &j->reflexive));
}

/* The port, or 0 with an error. */
static uint16_t add(const wzp_upnp_backend *backend, job *j) {
    size_t at = 0;
    for (;;) {
        const int result = backend->add(j->gateway, &j->own, j->ports[at], j->lease_s);
        if (result == 0) {
            return j->ports[at];
        }
        if (result == ONLY_PERMANENT && j->lease_s != 0) {
            j->lease_s = 0;
        } else if (result == CONFLICT && at < WZP_UPNP_OTHER_PORTS) {
            at++;
        } else {
            explain(backend, j, "AddPortMapping", result);
            return 0;
        }
    }
}

static void map(const wzp_upnp_backend *backend, job *j) {
    wzp_addr external = {.family = WZP_ADDR_NONE};
    if (j->gateway == NULL) {
        j->gateway = backend->find(&j->own, j->wait_ms, j->error);
    }
    if (j->gateway == NULL) {
        return;
    }
    const int result = backend->external(j->gateway, &external);
    if (result != 0) {
        explain(backend, j, "GetExternalIPAddress", result);
        return;
    }
    if (!is_of_use(j, &external)) {
        char text[WZP_ADDR_TEXT_MAX];
        (void)snprintf(j->error, sizeof j->error, "external address %s cannot be reached by all",
                       wzp_addr_text(&external, text));
        return;
    }
    external.port = add(backend, j);
    if (external.port != 0) {
        j->external = external;
    }
}

static void work_map(uv_work_t *work) {
    wzp_upnp *u = work->data;
    map(u->cfg.backend, &u->job);
}

static void work_remove(uv_work_t *work) {
    const wzp_upnp *u = work->data;
    (void)u->cfg.backend->remove(u->job.gateway, u->mapped_port); /* as well as that works */
}

/* --- the end ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle) {
    wzp_upnp *u = handle->data;
    if (u->job.gateway != NULL) {
        u->cfg.backend->forget(u->job.gateway);
    }
    free(u);
}

static void tell_released(wzp_upnp *u) {
    void (*const released)(void *ctx) = u->released;
    u->released = NULL;
    if (released != NULL) {
        released(u->released_ctx);
    }
}

static void finish(wzp_upnp *u) {
    if (!u->is_closing) {
        u->is_closing = true;
        tell_released(u);
        uv_close((uv_handle_t *)&u->timer, on_closed);
    }
}

static void on_late(uv_timer_t *timer) {
    tell_released(timer->data);
}

static void on_removed(uv_work_t *work, int status) {
    wzp_upnp *u = work->data;
    (void)status;
    u->is_working = false;
    finish(u);
}

/* --- attempts --------------------------------------------------------------------------------- */

static void remove_mapping(wzp_upnp *u) {
    u->is_working = uv_queue_work(u->loop, &u->work, work_remove, on_removed) == 0;
    if (!u->is_working) {
        finish(u);
    }
}

static void leave(wzp_upnp *u) {
    if (u->mapped_port != 0) {
        remove_mapping(u);
    } else {
        finish(u);
    }
}

static void on_due(uv_timer_t *timer);

static void wait_for_next(wzp_upnp *u) {
    uint64_t ms = u->cfg.retry_ms;
    if (u->state.external.family != WZP_ADDR_NONE) {
        const uint64_t life_s = u->state.lease_s != 0 ? u->state.lease_s : 2 * PERMANENT_CHECK_S;
        ms = life_s * 1000 / 2;
    }
    uv_timer_start(&u->timer, on_due, ms, 0);
}

static void judge(wzp_upnp *u) {
    const job *j = &u->job;
    u->state.has_gateway = j->gateway != NULL;
    u->state.external = j->external;
    u->state.lease_s = j->lease_s;
    u->state.failures = j->external.family != WZP_ADDR_NONE ? 0 : u->state.failures + 1;
    memcpy(u->state.error, j->error, sizeof u->state.error);
}

static void on_mapped(uv_work_t *work, int status) {
    wzp_upnp *u = work->data;
    (void)status;
    u->is_working = false;
    u->mapped_port = u->job.external.port != 0 ? u->job.external.port : u->mapped_port;
    if (u->is_leaving) {
        leave(u);
        return;
    }
    judge(u);
    wait_for_next(u);
    u->cfg.attempted(u->cfg.ctx, &u->state);
}

/* A gateway that has failed may be another one by now.  What is mapped keeps its port. */
static void prepare(wzp_upnp *u) {
    job *j = &u->job;
    if (u->state.failures > 0 && j->gateway != NULL) {
        u->cfg.backend->forget(j->gateway);
        j->gateway = NULL;
        u->mapped_port = 0;
    }
    j->ports[0] = u->mapped_port != 0 ? u->mapped_port : u->cfg.own.port;
    for (size_t i = 1; i < WZP_COUNT_OF(j->ports); i++) {
        j->ports[i] = (uint16_t)(OTHER_PORT_FIRST + wzp_rng_below(u->cfg.rng, OTHER_PORTS));
    }
    j->lease_s = u->cfg.lease_s;
    j->external = (wzp_addr){.family = WZP_ADDR_NONE};
    j->error[0] = '\0';
}

static void attempt(wzp_upnp *u) {
    prepare(u);
    u->is_working = uv_queue_work(u->loop, &u->work, work_map, on_mapped) == 0;
}

static void on_due(uv_timer_t *timer) {
    attempt(timer->data);
}

/* --- what its user does ----------------------------------------------------------------------- */

wzp_err wzp_upnp_start(wzp_upnp **out, const wzp_upnp_cfg *cfg, uv_loop_t *loop) {
    const wzp_upnp_backend *backend = cfg->backend != NULL ? cfg->backend : wzp_upnp_miniupnpc();
    if (backend == NULL || cfg->own.family != WZP_ADDR_V4 || cfg->own.port == 0) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_upnp *u = calloc(1, sizeof *u);
    if (u == NULL) {
        return WZP_ERR_NOMEM;
    }
    u->cfg = *cfg;
    u->cfg.backend = backend;
    u->cfg.lease_s = cfg->lease_s != 0 ? cfg->lease_s : LEASE_DEFAULT;
    u->cfg.retry_ms = cfg->retry_ms != 0 ? cfg->retry_ms : RETRY_DEFAULT_MS;
    u->job = (job){.own = cfg->own,
                   .wait_ms = cfg->wait_ms != 0 ? cfg->wait_ms : WAIT_DEFAULT_MS,
                   .accepts_local = cfg->accepts_local,
                   .reflexive = cfg->reflexive};
    u->loop = loop;
    u->work.data = u->timer.data = u;
    uv_timer_init(loop, &u->timer);
    attempt(u);
    *out = u;
    return WZP_OK;
}

void wzp_upnp_release(wzp_upnp **upnp, void (*released)(void *ctx), void *ctx) {
    wzp_upnp *u = *upnp;
    *upnp = NULL;
    if (u == NULL) {
        return;
    }
    u->is_leaving = true;
    u->released = released;
    u->released_ctx = ctx;
    uv_timer_start(&u->timer, on_late, WZP_UPNP_RELEASE_LIMIT_MS, 0);
    if (!u->is_working) { /* else its end is ours */
        leave(u);
    }
}
