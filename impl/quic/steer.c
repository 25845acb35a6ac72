#include "quic/steer.h"

#include <stdlib.h>

#include "quic/internal.h"

enum { DATAGRAM_MAX = 1500 };

/* A hello of which some packets have come. */
typedef struct flow {
    bool used;
    wzp_time until;
    wzp_addr remote;
    ngtcp2_cid dcid;
    wzp_quic_hello hello;
    size_t count;
    struct {
        wzp_quic_path path;
        uint8_t ecn;
        size_t len;
        uint8_t data[DATAGRAM_MAX];
    } packets[WZP_STEER_FLOW_PACKETS];
} flow;

struct wzp_steer {
    wzp_steer_cfg cfg;
    wzp_steer_counters counters;
    flow *flows;
};

wzp_err wzp_steer_new(wzp_steer **out, const wzp_steer_cfg *cfg) {
    if (cfg->workers == 0 || cfg->workers > WZP_STEER_WORKERS_MAX || cfg->self >= cfg->workers) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_steer *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return WZP_ERR_NOMEM;
    }
    s->cfg = *cfg;
    s->flows = calloc(WZP_STEER_FLOWS, sizeof *s->flows);
    if (s->flows == NULL) {
        free(s);
        return WZP_ERR_NOMEM;
    }
    *out = s;
    return WZP_OK;
}

void wzp_steer_free(wzp_steer **steer) {
    if (*steer != NULL) {
        free((*steer)->flows);
        free(*steer);
        *steer = NULL;
    }
}

void wzp_steer_count(const wzp_steer *steer, wzp_steer_counters *out) {
    *out = steer->counters;
}

/* --- hellos of several packets ---------------------------------------------------------------- */

static void expire(wzp_steer *s, wzp_time now) {
    for (size_t i = 0; i < WZP_STEER_FLOWS; i++) {
        flow *f = &s->flows[i];
        if (f->used && f->until <= now) {
            s->counters.dropped += f->count;
            f->used = false;
        }
    }
}

static flow *find(wzp_steer *s, const wzp_addr *remote, const ngtcp2_cid *dcid) {
    for (size_t i = 0; i < WZP_STEER_FLOWS; i++) {
        flow *f = &s->flows[i];
        if (f->used && ngtcp2_cid_eq(&f->dcid, dcid) != 0 && wzp_addr_equal(&f->remote, remote)) {
            return f;
        }
    }
    return NULL;
}

static flow *make(wzp_steer *s, const wzp_addr *remote, const ngtcp2_cid *dcid,
                  const wzp_quic_hello *hello, wzp_time now) {
    for (size_t i = 0; i < WZP_STEER_FLOWS; i++) {
        flow *f = &s->flows[i];
        if (!f->used) {
            f->used = true;
            f->until = wzp_time_after(now, WZP_STEER_HOLD);
            f->remote = *remote;
            f->dcid = *dcid;
            f->count = 0;
            f->hello = *hello;
            return f;
        }
    }
    return NULL;
}

static size_t hold(wzp_steer *s, flow *f, const wzp_steer_datagram *in) {
    if (f->count == WZP_STEER_FLOW_PACKETS - 1 || in->payload.len > DATAGRAM_MAX) {
        s->counters.dropped++; /* sent again, should it be missed */
        return 0;
    }
    s->counters.held++;
    f->packets[f->count].path = in->path;
    f->packets[f->count].ecn = in->ecn;
    f->packets[f->count].len = in->payload.len;
    memcpy(f->packets[f->count].data, in->payload.data, in->payload.len);
    f->count++;
    return 0;
}

static size_t release(flow *f, const wzp_steer_datagram *in, wzp_steer_datagram *out) {
    for (size_t i = 0; i < f->count; i++) {
        out[i] = (wzp_steer_datagram){f->packets[i].path, f->packets[i].ecn,
                                      wzp_bytes_of(f->packets[i].data, f->packets[i].len)};
    }
    out[f->count] = *in;
    f->used = false;
    return f->count + 1;
}

/* --- where to --------------------------------------------------------------------------------- */

/* An id of ours, or one that a client made up: there a number as good as any. */
static unsigned by_cid(const wzp_steer *s, const uint8_t *cid, size_t len) {
    return len == SCID_LEN ? cid[0] % s->cfg.workers : s->cfg.self;
}

static size_t take_initial(wzp_steer *s, const wzp_steer_datagram *in, const ngtcp2_version_cid *vc,
                           wzp_time now, unsigned *worker, wzp_steer_datagram *out) {
    char sni[WZP_QUIC_SNI_MAX + 1];
    ngtcp2_cid dcid;
    wzp_quic_hello fresh;
    ngtcp2_cid_init(&dcid, vc->dcid, vc->dcidlen);
    expire(s, now);
    flow *f = find(s, &in->path.remote, &dcid);
    if (f == NULL) {
        wzp_quic_hello_init(&fresh);
    }
    s->counters.peeked++;
    const wzp_err err = wzp_quic_hello_read(f != NULL ? &f->hello : &fresh, in->payload, sni);
    if (err == WZP_ERR_TRUNCATED) {
        f = f != NULL ? f : make(s, &in->path.remote, &dcid, &fresh, now);
        if (f == NULL) {
            s->counters.dropped++;
            return 0;
        }
        return hold(s, f, in);
    }
    /* What cannot be opened continues a handshake: its keys come from the client's first id. */
    *worker = err == WZP_OK ? s->cfg.worker_of(s->cfg.ctx, sni, s->cfg.workers)
                            : by_cid(s, vc->dcid, vc->dcidlen);
    if (f != NULL && err == WZP_OK) {
        return release(f, in, out);
    }
    out[0] = *in;
    return 1;
}

size_t wzp_steer_take(wzp_steer *s, const wzp_steer_datagram *in, wzp_time now, unsigned *worker,
                      wzp_steer_datagram *out) {
    ngtcp2_version_cid vc;
    const wzp_bytes payload = in->payload;
    *worker = s->cfg.self;
    out[0] = *in;
    if (payload.len == 0 ||
        ngtcp2_pkt_decode_version_cid(&vc, payload.data, payload.len, SCID_LEN) != 0) {
        return 1;
    }
    const bool is_long = (payload.data[0] & 0x80) != 0;
    if (is_long && (vc.version != NGTCP2_PROTO_VER_V1 || (payload.data[0] & 0x40) == 0)) {
        return 1;
    }
    if (is_long && (payload.data[0] & 0x30) == 0) {
        return take_initial(s, in, &vc, now, worker, out);
    }
    *worker = by_cid(s, vc.dcid, vc.dcidlen);
    return 1;
}
