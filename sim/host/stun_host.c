#include "sim/host/stun_host.h"

#include <stdlib.h>

#define SOCKETS 4

/* One of the four addresses.  A host that has both IPs has one socket for each port. */
typedef struct door {
    wzp_sim_host *host;
    wzp_sim_socket *socket;
    uint16_t port;
} door;

struct wzp_sim_stun_host {
    wzp_sim_stun_cfg cfg;
    door doors[SOCKETS];
    size_t door_count;
    wzp_sim_host *first, *second;
    uint64_t served;
    bool spoofed;
};

static wzp_sim_socket *find(const wzp_sim_stun_host *stun, const wzp_addr *from) {
    const wzp_sim_host *host =
        wzp_addr_same_ip(from, &stun->cfg.primary) ? stun->first : stun->second;
    for (size_t i = 0; i < stun->door_count; i++) {
        if (stun->doors[i].host == host && stun->doors[i].port == from->port) {
            return stun->doors[i].socket;
        }
    }
    return NULL;
}

static void reply(const wzp_sim_stun_host *stun, const wzp_sim_stun_answer *answer, wzp_time now) {
    wzp_sim_socket *socket = find(stun, &answer->from);
    if (socket != NULL) {
        (void)wzp_sim_socket_send(socket, &answer->from, &answer->to, 0,
                                  wzp_bytes_of(answer->data, answer->len), now);
    }
}

static void forge(const wzp_sim_stun_host *stun, const wzp_sim_stun_answer *right,
                  const wzp_addr *local, const wzp_addr *remote, wzp_bytes request, wzp_time now) {
    enum { TRANSACTION = 8 };
    const wzp_sim_stun_cfg *cfg = &stun->cfg;
    wzp_sim_stun_answer wrong = *right;
    wzp_addr other = *remote;
    wrong.data[TRANSACTION] ^= 0xff;
    reply(stun, &wrong, now);
    other.port ^= 1;
    if (cfg->alternate.family != WZP_ADDR_NONE &&
        wzp_sim_stun_serve(cfg, local, &other, request, &wrong)) {
        wrong.to = right->to;
        wrong.from.port =
            right->from.port == cfg->primary.port ? cfg->alternate.port : cfg->primary.port;
        reply(stun, &wrong, now);
    }
}

static void receive(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                    wzp_bytes payload, wzp_time now) {
    wzp_sim_stun_host *stun = ctx;
    wzp_sim_stun_answer answer;
    (void)ecn;
    if (wzp_sim_stun_serve(&stun->cfg, local, remote, payload, &answer)) {
        if (stun->spoofed) {
            forge(stun, &answer, local, remote, payload, now);
        }
        stun->served += find(stun, &answer.from) != NULL ? 1 : 0;
        reply(stun, &answer, now);
    }
}

static bool open_door(wzp_sim_stun_host *stun, wzp_sim_host *host, uint16_t port) {
    door *d = &stun->doors[stun->door_count];
    for (size_t i = 0; i < stun->door_count; i++) {
        if (stun->doors[i].host == host && stun->doors[i].port == port) {
            return true;
        }
    }
    *d = (door){host, wzp_sim_host_bind(host, port, receive, stun), port};
    if (d->socket == NULL) {
        return false;
    }
    stun->door_count++;
    return true;
}

static bool open_all(wzp_sim_stun_host *stun) {
    const wzp_sim_stun_cfg *cfg = &stun->cfg;
    if (cfg->alternate.family == WZP_ADDR_NONE) {
        return open_door(stun, stun->first, cfg->primary.port);
    }
    return open_door(stun, stun->first, cfg->primary.port) &&
           open_door(stun, stun->first, cfg->alternate.port) &&
           open_door(stun, stun->second, cfg->primary.port) &&
           open_door(stun, stun->second, cfg->alternate.port);
}

wzp_err wzp_sim_stun_host_new(wzp_sim_stun_host **out, const wzp_sim_stun_cfg *cfg,
                              wzp_sim_host *first, wzp_sim_host *second) {
    wzp_sim_stun_host *stun = calloc(1, sizeof *stun);
    if (stun == NULL) {
        return WZP_ERR_NOMEM;
    }
    stun->cfg = *cfg;
    stun->first = first;
    stun->second = second;
    if (!open_all(stun)) {
        wzp_sim_stun_host_free(&stun);
        return WZP_ERR_LIMIT;
    }
    *out = stun;
    return WZP_OK;
}

void wzp_sim_stun_host_stop(wzp_sim_stun_host *stun) {
    while (stun->door_count > 0) {
        wzp_sim_socket_close(&stun->doors[--stun->door_count].socket);
    }
}

void wzp_sim_stun_host_free(wzp_sim_stun_host **stun) {
    if (*stun != NULL) {
        wzp_sim_stun_host_stop(*stun);
        free(*stun);
        *stun = NULL;
    }
}

void wzp_sim_stun_host_spoof(wzp_sim_stun_host *stun) {
    stun->spoofed = true;
}

uint64_t wzp_sim_stun_host_served(const wzp_sim_stun_host *stun) {
    return stun->served;
}
