#include "io/udp_pair.h"

#include <errno.h>
#include <string.h>

/* The same port as over IPv4, else any. */
static wzp_err open_v6(wzp_udp_pair *pair, const wzp_udp_pair_cfg *cfg) {
    wzp_udp_cfg v6 = {.local = cfg->v6, .v6_only = true, .plain = cfg->plain};
    if (cfg->v6.family != WZP_ADDR_NONE) {
        return wzp_udp_new(&pair->v6, &v6);
    }
    v6.local = (wzp_addr){.family = WZP_ADDR_V6, .port = wzp_udp_local(pair->v4).port};
    wzp_err err = wzp_udp_new(&pair->v6, &v6);
    if (err == WZP_ERR_IO && errno == EADDRINUSE) {
        v6.local.port = 0;
        err = wzp_udp_new(&pair->v6, &v6);
    }
    if (err == WZP_ERR_IO) {
        pair->v6_error = errno;
        return WZP_OK; /* without IPv6 there is still a network */
    }
    return err;
}

wzp_err wzp_udp_pair_open(wzp_udp_pair *out, const wzp_udp_pair_cfg *cfg) {
    wzp_udp_pair pair = {0};
    wzp_udp_cfg v4 = {.local = cfg->v4, .plain = cfg->plain};
    if (v4.local.family == WZP_ADDR_NONE) {
        v4.local.family = WZP_ADDR_V4;
    }
    wzp_err err = wzp_udp_new(&pair.v4, &v4);
    if (err == WZP_OK && !cfg->no_v6) {
        err = open_v6(&pair, cfg);
    }
    if (err != WZP_OK) {
        const int why = errno;
        wzp_udp_pair_close(&pair);
        errno = why;
        return err;
    }
    *out = pair;
    return WZP_OK;
}

void wzp_udp_pair_close(wzp_udp_pair *pair) {
    wzp_udp_close(&pair->v4);
    wzp_udp_close(&pair->v6);
}

void wzp_udp_pair_set_tap(const wzp_udp_pair *pair, wzp_udp_tap *tap, void *ctx) {
    wzp_udp_set_tap(pair->v4, tap, ctx);
    if (pair->v6 != NULL) {
        wzp_udp_set_tap(pair->v6, tap, ctx);
    }
}

uint16_t wzp_udp_pair_port(const wzp_udp *udp) {
    return udp != NULL ? wzp_udp_local(udp).port : 0;
}

/* Both must have room before the core is asked: only then is it known whose packet comes. */
static bool has_room(wzp_udp *udp, uint8_t **room, size_t *cap) {
    size_t own = 0;
    *room = wzp_udp_room(udp, &own);
    *cap = own < *cap ? own : *cap;
    return *room != NULL;
}

static bool flush(wzp_udp *v4, wzp_udp *v6) {
    const bool is_flushed = wzp_udp_flush(v4);
    return (v6 == NULL || wzp_udp_flush(v6)) && is_flushed;
}

bool wzp_udp_pair_transmit(wzp_udp *v4, wzp_udp *v6, wzp_udp_ports *ports, wzp_core core,
                           wzp_time now) {
    const bool has_ports = ports != NULL && wzp_udp_ports_count(ports) > 0;
    if (v6 == NULL && !has_ports) {
        return wzp_udp_transmit(v4, core, now);
    }
    const bool is_flushed = flush(v4, v6);
    uint8_t *room = NULL;
    uint8_t *room6 = NULL;
    size_t cap = SIZE_MAX;
    while (is_flushed && has_room(v4, &room, &cap) && (v6 == NULL || has_room(v6, &room6, &cap))) {
        wzp_quic_meta meta;
        const size_t n = core.ops->next_packet(core.self, now, room, cap, &meta);
        if (n == 0) {
            return flush(v4, v6);
        }
        if (has_ports && wzp_udp_ports_send(ports, &meta, wzp_bytes_of(room, n))) {
            continue;
        }
        if (room6 != NULL && meta.path.remote.family == WZP_ADDR_V6) {
            memcpy(room6, room, n);
            wzp_udp_commit(v6, n, &meta);
        } else {
            wzp_udp_commit(v4, n, &meta);
        }
        cap = SIZE_MAX;
    }
    return false;
}
