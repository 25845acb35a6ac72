#include "sim/host/stun.h"

#define PADDING_LEN 1500 /* with it an answer needs fragments on an Ethernet */
#define ATTR_CHANGE_REQUEST 0x0003

static bool has_alternate(const wzp_sim_stun_cfg *cfg) {
    return cfg->alternate.family != WZP_ADDR_NONE;
}

/* The address beside `local`: with its IP, its port, or both exchanged. */
static wzp_addr beside(const wzp_sim_stun_cfg *cfg, const wzp_addr *local, bool other_ip,
                       bool other_port) {
    const bool is_first_ip = wzp_addr_same_ip(local, &cfg->primary);
    const bool is_first_port = local->port == cfg->primary.port;
    wzp_addr addr = is_first_ip != other_ip ? cfg->primary : cfg->alternate;
    addr.port = is_first_port != other_port ? cfg->primary.port : cfg->alternate.port;
    return addr;
}

/* RFC 8489 6.3.1 and RFC 5780 6.1: what cannot be served. */
static uint16_t objection(const wzp_sim_stun_cfg *cfg, wzp_stun_message *request) {
    if (request->has_change && !has_alternate(cfg)) {
        request->unknown[0] = ATTR_CHANGE_REQUEST; /* a server without alternates knows it not */
        request->unknown_count = 1;
    }
    if (request->unknown_count != 0) {
        return 420;
    }
    /* Padding to another port would make an amplifier. */
    return request->has_padding && request->response_port != 0 ? 400 : 0;
}

static void refuse(wzp_stun_message *answer, const wzp_stun_message *request, uint16_t error) {
    answer->type = WZP_STUN_ERROR;
    answer->error = error;
    if (error == 420) {
        memcpy(answer->unknown, request->unknown, sizeof answer->unknown);
        answer->unknown_count = request->unknown_count;
    }
}

static void grant(const wzp_sim_stun_cfg *cfg, const wzp_addr *local,
                  const wzp_stun_message *request, wzp_stun_message *answer,
                  wzp_sim_stun_answer *out) {
    answer->mapped = out->to;
    answer->xor_mapped = out->to;
    if (request->response_port != 0) {
        out->to.port = request->response_port;
    }
    if (has_alternate(cfg)) {
        out->from = beside(cfg, local, request->change_ip, request->change_port);
        answer->origin = out->from;
        answer->other = beside(cfg, local, true, true);
    }
    answer->has_padding = request->has_padding;
    answer->padding_len = PADDING_LEN;
}

bool wzp_sim_stun_serve(const wzp_sim_stun_cfg *cfg, const wzp_addr *local, const wzp_addr *remote,
                        wzp_bytes request, wzp_sim_stun_answer *out) {
    wzp_stun_message asked;
    wzp_stun_message answer = {.type = WZP_STUN_SUCCESS};
    wzp_wr wr;
    if (wzp_stun_parse(&asked, request, NULL) != WZP_OK || asked.type != WZP_STUN_REQUEST) {
        return false;
    }
    out->from = *local;
    out->to = *remote;
    memcpy(answer.txid, asked.txid, sizeof answer.txid);
    answer.has_fingerprint = asked.has_fingerprint;
    const uint16_t error = objection(cfg, &asked);
    if (error != 0) {
        refuse(&answer, &asked, error);
    } else {
        grant(cfg, local, &asked, &answer, out);
    }
    wzp_wr_init(&wr, out->data, sizeof out->data);
    wzp_stun_write(&wr, &answer);
    out->len = wzp_wr_len(&wr);
    return wzp_wr_end(&wr) == WZP_OK;
}
