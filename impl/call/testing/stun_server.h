/* Test helper: a STUN server on the in-memory network, which tells where a request came from. */
#ifndef WZP_CALL_TESTING_STUN_SERVER_H
#define WZP_CALL_TESTING_STUN_SERVER_H

#include <check.h>

#include "nat/stun.h"
#include "quic/core.h"

typedef struct stun_server {
    wzp_addr to;
    uint8_t answer[64];
    size_t len;
    unsigned requests;
} stun_server;

static inline void stun_server_recv(void *self, const wzp_quic_path *path, uint8_t ecn,
                                    wzp_bytes payload, wzp_time now) {
    stun_server *s = self;
    wzp_stun_message request;
    wzp_wr wr;
    (void)ecn;
    (void)now;
    ck_assert(wzp_stun_parse(&request, payload, NULL) == WZP_OK);
    wzp_stun_message answer = {.type = WZP_STUN_SUCCESS, .xor_mapped = path->remote};
    memcpy(answer.txid, request.txid, sizeof answer.txid);
    wzp_wr_init(&wr, s->answer, sizeof s->answer);
    wzp_stun_write(&wr, &answer);
    s->len = wzp_wr_len(&wr);
    s->to = path->remote;
    s->requests++;
}

static inline void stun_server_tick(void *self, wzp_time now) {
    (void)self;
    (void)now;
}

static inline wzp_time stun_server_deadline(const void *self) {
    return ((const stun_server *)self)->len > 0 ? 0 : WZP_TIME_NEVER;
}

static inline size_t stun_server_next(void *self, wzp_time now, uint8_t *buf, size_t cap,
                                      wzp_quic_meta *meta) {
    stun_server *s = self;
    const size_t len = s->len;
    (void)now;
    (void)cap;
    memcpy(buf, s->answer, len);
    *meta = (wzp_quic_meta){.path = {.remote = s->to}, .segment = (uint16_t)len};
    s->len = 0;
    return len;
}

static inline wzp_core stun_server_core(stun_server *server) {
    static const wzp_core_ops ops = {stun_server_recv, stun_server_tick, stun_server_deadline,
                                     stun_server_next};
    return (wzp_core){server, &ops};
}

#endif
