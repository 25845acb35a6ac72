#include "nat/stun_client.h"

#include "nat/ip_kind.h"

#define DEFAULT_RTO (500 * WZP_MS)
#define DEFAULT_TIMEOUT (3 * WZP_S)

typedef struct wzp_stun_slot slot;

static bool can_be_asked(const wzp_addr *server) {
    switch (wzp_ip_kind_of(server)) {
    case WZP_IP_NONE:
    case WZP_IP_UNSPECIFIED:
    case WZP_IP_MULTICAST:
    case WZP_IP_RESERVED:
        return false;
    default:
        return server->port != 0;
    }
}

static void ask(wzp_stun_client *c, slot *s, wzp_time now) {
    s->result.state = WZP_STUN_ASKED;
    s->is_due = true;
    s->gap = c->cfg.rules == WZP_STUN_DEPLOYED ? c->cfg.timeout / 2 : c->cfg.rto;
    s->asked_at = now;
    s->again_at = wzp_time_after(now, s->gap);
    s->ends_at = wzp_time_after(now, c->cfg.timeout);
}

/* Whom to ask next, and whom not to wait for any more. */
static void go_on(wzp_stun_client *c, wzp_time now) {
    const bool ends = c->cfg.order == WZP_STUN_FIRST && c->first < c->count;
    for (size_t i = 0; i < c->count; i++) {
        slot *s = &c->slots[i];
        if (ends && s->result.state == WZP_STUN_ASKED) {
            s->result.state = WZP_STUN_LATER;
        } else if (s->result.state == WZP_STUN_WAITING) {
            ask(c, s, now);
        }
        if (c->cfg.order == WZP_STUN_IN_TURN && s->result.state == WZP_STUN_ASKED) {
            return;
        }
    }
}

wzp_err wzp_stun_client_start(wzp_stun_client *c, const wzp_stun_client_cfg *cfg,
                              const wzp_addr *servers, size_t count, wzp_rng rng, wzp_time now) {
    if (count > WZP_STUN_SERVERS_MAX) {
        return WZP_ERR_LIMIT;
    }
    if (count == 0 || cfg->software.len > WZP_STUN_SOFTWARE_MAX) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    *c = (wzp_stun_client){.cfg = *cfg, .count = count, .first = count};
    c->cfg.rto = cfg->rto != 0 ? cfg->rto : DEFAULT_RTO;
    c->cfg.timeout = cfg->timeout != 0 ? cfg->timeout : DEFAULT_TIMEOUT;
    for (size_t i = 0; i < count; i++) {
        c->slots[i].result.server = servers[i];
        c->slots[i].result.state = can_be_asked(&servers[i]) ? WZP_STUN_WAITING : WZP_STUN_UNUSABLE;
        wzp_rng_fill(rng, c->slots[i].txid, sizeof c->slots[i].txid);
    }
    go_on(c, now);
    return WZP_OK;
}

/* --- answers ---------------------------------------------------------------------------------- */

static uint64_t *refusal_of(wzp_stun_refusals *r, wzp_stun_verdict verdict) {
    switch (verdict) {
    case WZP_STUN_CUT:
        return &r->cut;
    case WZP_STUN_BAD_FINGERPRINT:
        return &r->fingerprint;
    case WZP_STUN_NO_ADDRESS:
        return &r->no_address;
    case WZP_STUN_WRONG_TXID:
        return &r->wrong_txid;
    case WZP_STUN_NOT_STUN:
    case WZP_STUN_ACCEPTED: /* these two are no refusals */
    case WZP_STUN_REFUSED:
    case WZP_STUN_VERDICT_COUNT:
        break;
    }
    return &r->not_answer;
}

/* NULL: peers can send to it. */
static uint64_t *objection(wzp_stun_client *c, const wzp_addr *mapped) {
    if (c->cfg.rules == WZP_STUN_DEPLOYED) {
        return NULL;
    }
    if (mapped->port == 0) {
        return &c->refusals.port_zero;
    }
    switch (wzp_ip_kind_of(mapped)) {
    case WZP_IP_GLOBAL:
        return NULL;
    case WZP_IP_LOOPBACK:
    case WZP_IP_LINK_LOCAL:
    case WZP_IP_PRIVATE:
    case WZP_IP_SHARED:
    case WZP_IP_UNIQUE_LOCAL:
    case WZP_IP_SPECIAL:
        return c->cfg.accepts_local ? NULL : &c->refusals.local;
    default:
        return &c->refusals.not_unicast;
    }
}

static bool take(wzp_stun_client *c, slot *s, wzp_bytes datagram, wzp_time now) {
    wzp_stun_answer answer;
    const wzp_stun_verdict verdict = wzp_stun_read_answer(&answer, datagram, s->txid, c->cfg.rules);
    if (verdict != WZP_STUN_ACCEPTED && verdict != WZP_STUN_REFUSED) {
        ++*refusal_of(&c->refusals, verdict);
        return false;
    }
    uint64_t *wrong = verdict == WZP_STUN_ACCEPTED ? objection(c, &answer.mapped) : NULL;
    if (wrong != NULL) {
        ++*wrong;
        return false;
    }
    s->result.state = verdict == WZP_STUN_ACCEPTED ? WZP_STUN_ANSWERED : WZP_STUN_DENIED;
    s->result.rtt = wzp_time_since(now, s->asked_at);
    if (verdict == WZP_STUN_REFUSED) {
        s->result.error = answer.error;
    } else {
        s->result.mapped = wzp_ip_unmap(&answer.mapped);
        c->first = c->first == c->count ? (size_t)(s - c->slots) : c->first;
    }
    go_on(c, now);
    return true;
}

static slot *find(wzp_stun_client *c, const uint8_t *txid) {
    for (size_t i = 0; i < c->count; i++) {
        const wzp_stun_state state = c->slots[i].result.state;
        if (state != WZP_STUN_WAITING && state != WZP_STUN_UNUSABLE &&
            memcmp(c->slots[i].txid, txid, WZP_STUN_TXID_LEN) == 0) {
            return &c->slots[i];
        }
    }
    return NULL;
}

bool wzp_stun_client_recv(wzp_stun_client *c, const wzp_addr *from, wzp_bytes datagram,
                          wzp_time now) {
    if (!wzp_stun_is(datagram) || datagram.data[0] != 1) { /* 1: the responses of this method */
        c->refusals.not_answer++;
        return false;
    }
    slot *s = find(c, datagram.data + WZP_STUN_HEADER_LEN - WZP_STUN_TXID_LEN);
    if (s == NULL) {
        c->refusals.wrong_txid++;
    } else if (!wzp_addr_equal(&s->result.server, from)) {
        c->refusals.wrong_source++;
    } else if (s->result.state != WZP_STUN_ASKED) {
        c->refusals.late++;
    } else {
        return take(c, s, datagram, now);
    }
    return false;
}

/* --- time ------------------------------------------------------------------------------------- */

static void tick_slot(const wzp_stun_client *c, slot *s, wzp_time now) {
    if (now >= s->ends_at) {
        s->result.state = WZP_STUN_SILENT;
    } else if (now >= s->again_at) {
        s->is_due = true;
        s->gap *= 2;
        s->again_at = c->cfg.rules == WZP_STUN_DEPLOYED ? s->ends_at : wzp_time_after(now, s->gap);
    }
}

void wzp_stun_client_tick(wzp_stun_client *c, wzp_time now) {
    for (size_t i = 0; i < c->count; i++) {
        if (c->slots[i].result.state == WZP_STUN_ASKED) {
            tick_slot(c, &c->slots[i], now);
        }
    }
    go_on(c, now);
}

wzp_time wzp_stun_client_deadline(const wzp_stun_client *c) {
    wzp_time deadline = WZP_TIME_NEVER;
    for (size_t i = 0; i < c->count; i++) {
        const slot *s = &c->slots[i];
        if (s->result.state == WZP_STUN_ASKED) {
            deadline = wzp_time_min(deadline, wzp_time_min(s->again_at, s->ends_at));
        }
    }
    return deadline;
}

static void write_request(const wzp_stun_client *c, const slot *s, wzp_stun_datagram *out) {
    wzp_stun_message request = {.type = WZP_STUN_REQUEST,
                                .software = c->cfg.software,
                                .has_fingerprint = c->cfg.has_fingerprint};
    wzp_wr wr;
    memcpy(request.txid, s->txid, sizeof request.txid);
    wzp_wr_init(&wr, out->data, sizeof out->data);
    wzp_stun_write(&wr, &request);
    out->to = s->result.server;
    out->len = wzp_wr_len(&wr);
}

bool wzp_stun_client_next(wzp_stun_client *c, wzp_stun_datagram *out) {
    for (size_t i = 0; i < c->count; i++) {
        slot *s = &c->slots[i];
        if (s->is_due && s->result.state == WZP_STUN_ASKED) {
            s->is_due = false;
            s->result.sends++;
            write_request(c, s, out);
            return true;
        }
    }
    return false;
}

/* --- results ---------------------------------------------------------------------------------- */

bool wzp_stun_client_is_done(const wzp_stun_client *c) {
    return wzp_stun_client_deadline(c) == WZP_TIME_NEVER;
}

const wzp_stun_result *wzp_stun_client_first(const wzp_stun_client *c) {
    return wzp_stun_client_result(c, c->first);
}

const wzp_stun_result *wzp_stun_client_result(const wzp_stun_client *c, size_t i) {
    return i < c->count ? &c->slots[i].result : NULL;
}

const wzp_stun_refusals *wzp_stun_client_refusals(const wzp_stun_client *c) {
    return &c->refusals;
}
