#include "sim/lab/topology_build.h"

#include <stdio.h>

const char *const wzp_lab_up_down[2] = {"up", "down"};

/* --- joints ---------------------------------------------------------------------------------- */

wzp_lab_joint wzp_lab_at_router(wzp_sim_router *router, unsigned port, wzp_addr address) {
    return (wzp_lab_joint){WZP_LAB_ELEMENT_ROUTER, router, wzp_sim_router_node(router), port,
                           address};
}

wzp_lab_joint wzp_lab_at_box(wzp_sim_box *box, unsigned port, wzp_addr address) {
    return (wzp_lab_joint){WZP_LAB_ELEMENT_BOX, box, wzp_sim_box_node(box), port, address};
}

wzp_lab_joint wzp_lab_at_clat(wzp_sim_clat *clat, unsigned port, wzp_addr address) {
    return (wzp_lab_joint){WZP_LAB_ELEMENT_CLAT, clat, &clat->node, port, address};
}

wzp_lab_joint wzp_lab_at_host(wzp_sim_host *host, unsigned port, wzp_addr address) {
    return (wzp_lab_joint){WZP_LAB_ELEMENT_HOST, host, wzp_sim_host_node(host), port, address};
}

static wzp_err attach(const wzp_lab_joint *j, wzp_sim_pipe *pipe) {
    switch (j->kind) {
    case WZP_LAB_ELEMENT_ROUTER:
        return wzp_sim_router_attach(j->object, j->port, pipe);
    case WZP_LAB_ELEMENT_HOST:
        return wzp_sim_host_attach(j->object, j->port, pipe);
    case WZP_LAB_ELEMENT_BOX:
        wzp_sim_box_attach(j->object, j->port, pipe);
        return WZP_OK;
    case WZP_LAB_ELEMENT_CLAT:
        ((wzp_sim_clat *)j->object)->pipe[j->port] = pipe;
        return WZP_OK;
    case WZP_LAB_ELEMENT_LINK:
        break;
    }
    return WZP_ERR_INVALID_ARGUMENT;
}

/* `names`: of the directions, "up" and "down". */
wzp_err wzp_lab_join(wzp_lab_topology *t, const char *name, const wzp_lab_joint *a,
                     const wzp_lab_joint *b, const wzp_sim_link_cfg links[2],
                     const char *const names[2], size_t *index) {
    const wzp_sim_end ends[2] = {{a->node, a->port, a->address}, {b->node, b->port, b->address}};
    wzp_sim_pipe *pipes[2];
    wzp_fail fail = {0};
    wzp_err err = t->fabric->ops->link(t->fabric, name, &ends[0], &ends[1], &links[0], &links[1],
                                       pipes, index, &fail);
    if (err != WZP_OK) {
        const char *field = fail.field != NULL ? fail.field : "description";
        const char *medium = links[0].access != NULL ? links[0].access : links[1].access;
        if (strcmp(field, "access") == 0 && medium != NULL) {
            (void)snprintf(t->why, 256, "%s: the engine %s has no medium \"%s\"", name,
                           t->fabric->engine, medium);
        } else {
            (void)snprintf(t->why, 256, "%s: the engine %s has no link whose %s is %llu", name,
                           t->fabric->engine, field, (unsigned long long)fail.got);
        }
        return err;
    }
    for (unsigned d = 0; d < 2; d++) {
        const wzp_lab_joint *far = d == 0 ? b : a;
        const char *to = wzp_lab_name_of(t, "%s:%u", far->node->name, far->port);
        if (to == NULL || !wzp_lab_add_element(t, (wzp_lab_element){.kind = WZP_LAB_ELEMENT_LINK,
                                                                    .name = wzp_lab_name_of(
                                                                        t, "%s.%s", name, names[d]),
                                                                    .link = *index,
                                                                    .direction = d,
                                                                    .to = to})) {
            return wzp_lab_no_memory(t);
        }
    }
    err = attach(a, pipes[0]);
    err = err == WZP_OK ? attach(b, pipes[1]) : err;
    return err == WZP_OK ? err : wzp_lab_no_memory(t);
}

wzp_err wzp_lab_new_router(wzp_lab_topology *t, const char *name, wzp_sim_router_cfg cfg,
                           wzp_sim_router **out) {
    cfg.name = name;
    if (name == NULL || wzp_sim_router_new(out, &cfg) != WZP_OK ||
        !wzp_lab_add_element(
            t, (wzp_lab_element){.kind = WZP_LAB_ELEMENT_ROUTER, .name = name, .object = *out})) {
        return wzp_lab_no_memory(t);
    }
    return WZP_OK;
}

wzp_err wzp_lab_new_host(wzp_lab_topology *t, const wzp_sim_host_cfg *cfg, wzp_sim_host **out) {
    if (wzp_sim_host_new(out, cfg, t->clock, t->pool) != WZP_OK ||
        !wzp_lab_add_element(
            t,
            (wzp_lab_element){.kind = WZP_LAB_ELEMENT_HOST, .name = cfg->name, .object = *out})) {
        return wzp_lab_no_memory(t);
    }
    return WZP_OK;
}

/* --- routes ----------------------------------------------------------------------------------- */

unsigned wzp_lab_full_length(const wzp_addr *a) {
    return a->family == WZP_ADDR_V6 ? 128 : 32;
}

wzp_err wzp_lab_route(const wzp_lab_topology *t, wzp_sim_router *router,
                      const wzp_lab_built_way *to, unsigned port) {
    for (size_t i = 0; i < to->exposed_count; i++) {
        if (wzp_sim_router_route(router, &to->exposed[i], wzp_lab_full_length(&to->exposed[i]),
                                 port) != WZP_OK) {
            return wzp_lab_no_memory(t);
        }
    }
    return WZP_OK;
}
