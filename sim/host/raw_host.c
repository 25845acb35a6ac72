#include "sim/host/raw_host.h"

#include <stdlib.h>

/* One line of the script and what is left of its repetitions. */
typedef struct line {
    const wzp_sim_raw_send *send;
    uint32_t left;
} line;

typedef struct record {
    wzp_sim_raw_got got;
    size_t offset; /* of its payload in `bytes`, which may move */
} record;

struct wzp_sim_raw_host {
    wzp_sim_clock clock;
    wzp_sim_socket *socket;
    line *lines;
    bool echo;
    record *records;
    size_t count, cap;
    uint8_t *bytes;
    size_t bytes_len, bytes_cap, keep_max;
    uint64_t unkept;
};

static bool has_room(wzp_sim_raw_host *raw, size_t len) {
    if (raw->bytes_len + len > raw->keep_max) {
        return false;
    }
    if (raw->count == raw->cap) {
        const size_t cap = raw->cap == 0 ? 64 : 2 * raw->cap;
        record *grown = realloc(raw->records, cap * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        raw->records = grown;
        raw->cap = cap;
    }
    if (raw->bytes_len + len > raw->bytes_cap) {
        const size_t cap = 2 * (raw->bytes_len + len);
        uint8_t *grown = realloc(raw->bytes, cap);
        if (grown == NULL) {
            return false;
        }
        raw->bytes = grown;
        raw->bytes_cap = cap;
    }
    return true;
}

static void keep(wzp_sim_raw_host *raw, const wzp_sim_raw_got *got) {
    if (!has_room(raw, got->payload.len)) {
        raw->unkept++;
        return;
    }
    raw->records[raw->count++] = (record){*got, raw->bytes_len};
    if (got->payload.len > 0) {
        memcpy(raw->bytes + raw->bytes_len, got->payload.data, got->payload.len);
        raw->bytes_len += got->payload.len;
    }
}

static void receive(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                    wzp_bytes payload, wzp_time now) {
    wzp_sim_raw_host *raw = ctx;
    const wzp_sim_raw_got got = {
        .at = now, .from = *remote, .to = *local, .ecn = ecn, .payload = payload};
    keep(raw, &got);
    if (raw->echo) {
        (void)wzp_sim_socket_send(raw->socket, local, remote, ecn, payload, now);
    }
}

static void on_error(void *ctx, wzp_sim_icmp what, uint16_t mtu, const wzp_addr *remote,
                     wzp_time now) {
    const wzp_sim_raw_got got = {.at = now, .from = *remote, .icmp = what, .mtu = mtu};
    keep(ctx, &got);
}

static void send_line(void *self, void *arg, wzp_time now) {
    const wzp_sim_raw_host *raw = self;
    line *l = arg;
    (void)wzp_sim_socket_send(raw->socket, NULL, &l->send->to, l->send->ecn, l->send->payload, now);
    if (l->left > 0) {
        l->left--;
        wzp_sim_at(raw->clock, wzp_time_after(now, l->send->every), send_line, self, l);
    }
}

static wzp_err read_script(wzp_sim_raw_host *raw, const wzp_sim_raw_cfg *cfg) {
    raw->lines = calloc(cfg->script_len + 1, sizeof *raw->lines);
    if (raw->lines == NULL) {
        return WZP_ERR_NOMEM;
    }
    for (size_t i = 0; i < cfg->script_len; i++) {
        raw->lines[i] = (line){&cfg->script[i], cfg->script[i].repeat};
        wzp_sim_at(raw->clock, cfg->script[i].at, send_line, raw, &raw->lines[i]);
    }
    return WZP_OK;
}

wzp_err wzp_sim_raw_host_new(wzp_sim_raw_host **out, wzp_sim_host *host,
                             const wzp_sim_raw_cfg *cfg) {
    wzp_sim_raw_host *raw = calloc(1, sizeof *raw);
    if (raw == NULL) {
        return WZP_ERR_NOMEM;
    }
    raw->clock = wzp_sim_host_clock(host);
    raw->echo = cfg->echo;
    raw->keep_max = cfg->keep_max != 0 ? cfg->keep_max : (size_t)1 << 20;
    raw->socket = wzp_sim_host_bind(host, cfg->port, receive, raw);
    const wzp_err err = raw->socket != NULL ? read_script(raw, cfg) : WZP_ERR_LIMIT;
    if (err != WZP_OK) {
        wzp_sim_raw_host_free(&raw);
        return err;
    }
    wzp_sim_socket_on_error(raw->socket, on_error, raw);
    *out = raw;
    return WZP_OK;
}

void wzp_sim_raw_host_free(wzp_sim_raw_host **raw) {
    wzp_sim_raw_host *r = *raw;
    if (r != NULL) {
        wzp_sim_socket_close(&r->socket);
        free(r->lines);
        free(r->records);
        free(r->bytes);
        free(r);
        *raw = NULL;
    }
}

bool wzp_sim_raw_host_send(wzp_sim_raw_host *raw, const wzp_addr *to, wzp_bytes payload) {
    return wzp_sim_socket_send(raw->socket, NULL, to, 0, payload, wzp_sim_now(raw->clock));
}

uint16_t wzp_sim_raw_host_port(const wzp_sim_raw_host *raw) {
    return wzp_sim_socket_port(raw->socket);
}

size_t wzp_sim_raw_host_count(const wzp_sim_raw_host *raw) {
    return raw->count;
}

uint64_t wzp_sim_raw_host_unkept(const wzp_sim_raw_host *raw) {
    return raw->unkept;
}

wzp_sim_raw_got wzp_sim_raw_host_got(const wzp_sim_raw_host *raw, size_t index) {
    wzp_sim_raw_got got = raw->records[index].got;
    if (got.payload.len > 0) {
        got.payload.data = raw->bytes + raw->records[index].offset;
    }
    return got;
}
