#include "nat/portmap.h"

#include "nat/ip_kind.h"

#define DEFAULT_LIFETIME_S 7200
#define DEFAULT_RTO (250 * WZP_MS)
#define DEFAULT_TIMEOUT WZP_S
#define DEFAULT_RETRY (600 * WZP_S)
#define RETRY_MAX_S 86400U /* a gateway may ask for more, and not get it */
#define RELEASE_TIMEOUT (2 * WZP_S)
#define RENEW_MIN (4 * WZP_S) /* RFC 6887 11.2.1 */
#define PROTOCOL_UDP 17

/* --- exchanges -------------------------------------------------------------------------------- */

static void ask(wzp_portmap *p, wzp_portmap_exchange exchange, uint64_t timeout, wzp_time now) {
    p->exchange = exchange;
    p->is_due = true;
    p->gap = p->cfg.rto;
    p->again_at = wzp_time_after(now, p->gap);
    p->ends_at = wzp_time_after(now, timeout);
}

static void be_quiet(wzp_portmap *p) {
    p->exchange = WZP_PORTMAP_QUIET;
    p->is_due = false;
}

/* With NAT-PMP the external address is asked for first: it may have changed since. */
static void acquire(wzp_portmap *p, wzp_time now) {
    ask(p, p->cfg.protocol == WZP_PORTMAP_NATPMP ? WZP_PORTMAP_ADDRESS : WZP_PORTMAP_MAP,
        p->cfg.timeout, now);
}

/* The next exchange has what is left of the time. */
static void go_on_to_map(wzp_portmap *p, wzp_time now) {
    const wzp_time ends_at = p->ends_at;
    ask(p, WZP_PORTMAP_MAP, p->cfg.timeout, now);
    p->ends_at = ends_at;
}

/* --- states ----------------------------------------------------------------------------------- */

static void lose(wzp_portmap *p) {
    if (p->state == WZP_PORTMAP_MAPPED) {
        p->changes++;
    }
}

static void fail(wzp_portmap *p, wzp_portmap_why why, uint64_t retry, wzp_time now) {
    lose(p);
    be_quiet(p);
    p->state = WZP_PORTMAP_FAILED;
    p->why = why;
    p->retry_at = wzp_time_after(now, retry > p->cfg.retry ? retry : p->cfg.retry);
}

static void start_over(wzp_portmap *p, wzp_time now) {
    lose(p);
    p->state = WZP_PORTMAP_ASKING;
    acquire(p, now);
}

/* A mapping that is of no use to us is not left to fill the gateway's table. */
static void give_back(wzp_portmap *p, wzp_portmap_why why, wzp_time now) {
    fail(p, why, 0, now);
    ask(p, WZP_PORTMAP_DELETE, RELEASE_TIMEOUT, now);
}

static wzp_portmap_why objection(const wzp_portmap *p) {
    const wzp_ip_kind kind = wzp_ip_kind_of(&p->external);
    const wzp_addr reflexive = wzp_ip_unmap(&p->cfg.reflexive);
    if (kind != WZP_IP_GLOBAL &&
        (!p->cfg.accepts_local || kind == WZP_IP_NONE || kind == WZP_IP_UNSPECIFIED ||
         kind == WZP_IP_MULTICAST || kind == WZP_IP_RESERVED)) {
        return WZP_PORTMAP_NOT_GLOBAL;
    }
    return reflexive.family == p->external.family && !wzp_addr_same_ip(&reflexive, &p->external)
               ? WZP_PORTMAP_NOT_REFLEXIVE
               : WZP_PORTMAP_FINE;
}

static void granted(wzp_portmap *p, const wzp_addr *external, uint32_t lifetime_s, wzp_time now) {
    const bool is_new = p->state != WZP_PORTMAP_MAPPED || !wzp_addr_equal(&p->external, external);
    p->external = *external;
    p->lifetime_s = lifetime_s;
    if (lifetime_s == 0 || external->port == 0) {
        fail(p, WZP_PORTMAP_NO_LIFETIME, 0, now);
        return;
    }
    const wzp_portmap_why why = objection(p);
    if (why != WZP_PORTMAP_FINE) {
        give_back(p, why, now);
        return;
    }
    be_quiet(p);
    p->state = WZP_PORTMAP_MAPPED;
    p->why = WZP_PORTMAP_FINE;
    p->changes += is_new ? 1 : 0;
    p->expires_at = wzp_time_after(now, lifetime_s * WZP_S);
    p->renew_at = wzp_time_after(now, lifetime_s * WZP_S / 2);
}

/* --- the gateway's clock ---------------------------------------------------------------------- */

/* RFC 6886 3.6: it may run slow by 1/8. */
static bool is_older(uint64_t elapsed_s, uint32_t before, uint32_t epoch_s) {
    return epoch_s + UINT64_C(2) < before + elapsed_s - elapsed_s / 8;
}

/* RFC 6887 8.5: nor may it run fast. */
static bool is_another(uint64_t client, uint32_t before, uint32_t epoch_s) {
    if (epoch_s < before) {
        return epoch_s + UINT64_C(1) < before;
    }
    const uint64_t server = epoch_s - before;
    return client + 2 < server - server / 16 || server + 2 < client - client / 16;
}

/* True: the gateway has restarted since it was heard last, and what it had mapped is gone. */
static bool has_restarted(wzp_portmap *p, uint32_t epoch_s, wzp_time now) {
    const uint64_t elapsed_s = wzp_time_since(now, p->epoch_at) / WZP_S;
    const bool restarted = p->has_epoch && (p->cfg.protocol == WZP_PORTMAP_NATPMP
                                                ? is_older(elapsed_s, p->epoch_s, epoch_s)
                                                : is_another(elapsed_s, p->epoch_s, epoch_s));
    p->has_epoch = true;
    p->epoch_s = epoch_s;
    p->epoch_at = now;
    p->reboots += restarted ? 1 : 0;
    return restarted;
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool refuse(uint64_t *counter) {
    ++*counter;
    return false;
}

static void refused(wzp_portmap *p, unsigned result, uint32_t retry_s, wzp_time now) {
    p->result = result;
    if (p->exchange == WZP_PORTMAP_DELETE) { /* it is over, whatever they say */
        be_quiet(p);
        p->state = p->state == WZP_PORTMAP_RELEASING ? WZP_PORTMAP_OFF : p->state;
    } else {
        fail(p, result == WZP_PCP_UNSUPP_VERSION ? WZP_PORTMAP_VERSION : WZP_PORTMAP_REFUSED,
             (retry_s < RETRY_MAX_S ? retry_s : RETRY_MAX_S) * WZP_S, now);
    }
}

static bool deleted(wzp_portmap *p) {
    be_quiet(p);
    p->state = p->state == WZP_PORTMAP_RELEASING ? WZP_PORTMAP_OFF : p->state;
    return true;
}

/* The answer to our question, or an announcement (RFC 6886 3.2.1): these look the same. */
static bool natpmp_address(wzp_portmap *p, const wzp_natpmp_answer *answer, wzp_time now) {
    const bool restarted = has_restarted(p, answer->epoch_s, now);
    const bool moved = !wzp_addr_same_ip(&p->external, &answer->external);
    if (p->exchange == WZP_PORTMAP_ADDRESS) {
        const uint16_t port = p->external.port;
        if (moved) { /* what is kept until the mapping is answered must not be half old */
            lose(p);
            p->state = WZP_PORTMAP_ASKING;
        }
        p->external = answer->external;
        p->external.port = port;
        go_on_to_map(p, now);
        return true;
    }
    if (p->state == WZP_PORTMAP_MAPPED && (restarted || moved)) {
        start_over(p, now);
        return true;
    }
    return p->state == WZP_PORTMAP_MAPPED ? true : refuse(&p->refusals.unasked);
}

static bool natpmp_map(wzp_portmap *p, const wzp_natpmp_answer *answer, wzp_time now) {
    wzp_addr external = p->external;
    if (answer->internal != p->cfg.local.port || answer->op != WZP_NATPMP_MAP_UDP) {
        return refuse(&p->refusals.wrong_port);
    }
    /* The end of a mapping, and only that, has a lifetime of 0. */
    if (p->exchange == WZP_PORTMAP_DELETE && answer->lifetime_s == 0) {
        (void)has_restarted(p, answer->epoch_s, now);
        return deleted(p);
    }
    if (p->exchange != WZP_PORTMAP_MAP) {
        return refuse(&p->refusals.unasked);
    }
    (void)has_restarted(p, answer->epoch_s, now);
    external.port = answer->external_port;
    granted(p, &external, answer->lifetime_s, now);
    return true;
}

static bool is_asked_natpmp(const wzp_portmap *p, const wzp_natpmp_answer *answer) {
    switch (p->exchange) {
    case WZP_PORTMAP_ADDRESS:
        return answer->op == WZP_NATPMP_ADDRESS;
    case WZP_PORTMAP_MAP:
    case WZP_PORTMAP_DELETE:
        return answer->op == WZP_NATPMP_MAP_UDP;
    case WZP_PORTMAP_QUIET:
        break;
    }
    return false;
}

static bool recv_natpmp(wzp_portmap *p, wzp_bytes datagram, wzp_time now) {
    wzp_natpmp_answer answer;
    const wzp_err err = wzp_natpmp_parse_answer(&answer, datagram, NULL);
    if (err != WZP_OK) {
        return refuse(err == WZP_ERR_TRUNCATED ? &p->refusals.cut : &p->refusals.malformed);
    }
    if (answer.version != 0 || answer.result != WZP_NATPMP_SUCCESS) {
        /* An unsupported version is told with whatever operation. */
        if (!is_asked_natpmp(p, &answer) &&
            (p->exchange == WZP_PORTMAP_QUIET || answer.result != WZP_NATPMP_VERSION)) {
            return refuse(&p->refusals.unasked);
        }
        refused(p, answer.version != 0 ? (unsigned)WZP_NATPMP_VERSION : answer.result, 0, now);
        return true;
    }
    return answer.op == WZP_NATPMP_ADDRESS ? natpmp_address(p, &answer, now)
                                           : natpmp_map(p, &answer, now);
}

static bool pcp_announced(wzp_portmap *p, const wzp_pcp_answer *answer, wzp_time now) {
    if (p->state != WZP_PORTMAP_MAPPED || answer->result != WZP_PCP_SUCCESS) {
        return refuse(&p->refusals.unasked);
    }
    if (has_restarted(p, answer->epoch_s, now)) {
        start_over(p, now);
    }
    return true;
}

/* NULL: the answer is about our mapping. */
static uint64_t *not_ours(wzp_portmap *p, const wzp_pcp_answer *answer) {
    if (p->exchange == WZP_PORTMAP_QUIET || answer->op != WZP_PCP_MAP) {
        return &p->refusals.unasked;
    }
    /* An error may come without what was asked (RFC 6887 8.3). */
    if (!answer->has_mapping) {
        return NULL;
    }
    if (memcmp(answer->nonce, p->nonce, sizeof p->nonce) != 0) {
        return &p->refusals.wrong_nonce;
    }
    return answer->protocol == PROTOCOL_UDP && answer->internal == p->cfg.local.port
               ? NULL
               : &p->refusals.wrong_port;
}

static bool recv_pcp(wzp_portmap *p, wzp_bytes datagram, wzp_time now) {
    wzp_pcp_answer answer;
    const wzp_err err = wzp_pcp_parse_answer(&answer, datagram, NULL);
    if (err != WZP_OK) {
        return refuse(err == WZP_ERR_TRUNCATED ? &p->refusals.cut : &p->refusals.malformed);
    }
    if (answer.version == 2 && answer.op == WZP_PCP_ANNOUNCE) {
        return pcp_announced(p, &answer, now);
    }
    if (answer.version != 2) {
        if (p->exchange == WZP_PORTMAP_QUIET) {
            return refuse(&p->refusals.unasked);
        }
        refused(p, WZP_PCP_UNSUPP_VERSION, 0, now);
        return true;
    }
    uint64_t *wrong = not_ours(p, &answer);
    if (wrong != NULL) {
        return refuse(wrong);
    }
    (void)has_restarted(p, answer.epoch_s, now);
    if (answer.result != WZP_PCP_SUCCESS) {
        refused(p, answer.result, answer.lifetime_s, now);
    } else if (p->exchange == WZP_PORTMAP_DELETE) {
        return deleted(p);
    } else {
        granted(p, &answer.external, answer.lifetime_s, now);
    }
    return true;
}

bool wzp_portmap_recv(wzp_portmap *p, const wzp_addr *from, wzp_bytes datagram, wzp_time now) {
    if (!wzp_addr_equal(from, &p->cfg.gateway)) {
        return refuse(&p->refusals.wrong_source);
    }
    return p->cfg.protocol == WZP_PORTMAP_NATPMP ? recv_natpmp(p, datagram, now)
                                                 : recv_pcp(p, datagram, now);
}

/* --- time ------------------------------------------------------------------------------------- */

/* Nobody has answered.  A mapping stays until its end, and is asked for again halfway there. */
static void gave_up(wzp_portmap *p, wzp_time now) {
    const wzp_portmap_exchange exchange = p->exchange;
    be_quiet(p);
    if (exchange == WZP_PORTMAP_DELETE) {
        (void)deleted(p);
    } else if (p->state == WZP_PORTMAP_MAPPED) {
        const uint64_t half = wzp_time_since(p->expires_at, now) / 2;
        p->renew_at = wzp_time_after(now, half > RENEW_MIN ? half : RENEW_MIN);
    } else {
        fail(p, WZP_PORTMAP_SILENT, 0, now);
    }
}

static void tick_exchange(wzp_portmap *p, wzp_time now) {
    if (now >= p->ends_at) {
        gave_up(p, now);
    } else if (now >= p->again_at) {
        p->is_due = true;
        p->gap *= 2;
        p->again_at = wzp_time_after(now, p->gap);
    }
}

void wzp_portmap_tick(wzp_portmap *p, wzp_time now) {
    if (p->exchange != WZP_PORTMAP_QUIET) {
        tick_exchange(p, now);
    }
    const bool has_ended = p->state == WZP_PORTMAP_MAPPED && now >= p->expires_at;
    if (has_ended || (p->state == WZP_PORTMAP_FAILED && now >= p->retry_at)) {
        start_over(p, now);
    } else if (p->state == WZP_PORTMAP_MAPPED && p->exchange == WZP_PORTMAP_QUIET &&
               now >= p->renew_at) {
        acquire(p, now);
    }
}

wzp_time wzp_portmap_deadline(const wzp_portmap *p) {
    wzp_time deadline = WZP_TIME_NEVER;
    if (p->exchange != WZP_PORTMAP_QUIET) {
        deadline = wzp_time_min(p->again_at, p->ends_at);
    }
    if (p->state == WZP_PORTMAP_MAPPED) {
        deadline = wzp_time_min(deadline, p->expires_at);
        deadline =
            p->exchange == WZP_PORTMAP_QUIET ? wzp_time_min(deadline, p->renew_at) : deadline;
    } else if (p->state == WZP_PORTMAP_FAILED) {
        deadline = wzp_time_min(deadline, p->retry_at);
    }
    return deadline;
}

/* --- requests --------------------------------------------------------------------------------- */

static void write_natpmp(const wzp_portmap *p, wzp_wr *wr) {
    wzp_natpmp_request request = {.op = WZP_NATPMP_ADDRESS};
    if (p->exchange != WZP_PORTMAP_ADDRESS) {
        request.op = WZP_NATPMP_MAP_UDP;
        request.internal = p->cfg.local.port;
    }
    if (p->exchange == WZP_PORTMAP_MAP) { /* what we have had before, or the same as inside */
        request.external = p->external.port != 0 ? p->external.port : p->cfg.local.port;
        request.lifetime_s = p->cfg.lifetime_s;
    }
    wzp_natpmp_write_request(wr, &request);
}

static void write_pcp(const wzp_portmap *p, wzp_wr *wr) {
    wzp_pcp_request request = {.op = WZP_PCP_MAP,
                               .client = p->cfg.local,
                               .protocol = PROTOCOL_UDP,
                               .internal = p->cfg.local.port};
    memcpy(request.nonce, p->nonce, sizeof request.nonce);
    if (p->exchange == WZP_PORTMAP_MAP) {
        request.lifetime_s = p->cfg.lifetime_s;
        request.external = p->external;
        request.external.port = p->external.port != 0 ? p->external.port : p->cfg.local.port;
    }
    wzp_pcp_write_request(wr, &request);
}

bool wzp_portmap_next(wzp_portmap *p, wzp_portmap_datagram *out) {
    wzp_wr wr;
    if (!p->is_due) {
        return false;
    }
    p->is_due = false;
    p->sends++;
    wzp_wr_init(&wr, out->data, sizeof out->data);
    if (p->cfg.protocol == WZP_PORTMAP_NATPMP) {
        write_natpmp(p, &wr);
    } else {
        write_pcp(p, &wr);
    }
    out->to = p->cfg.gateway;
    out->len = wzp_wr_len(&wr);
    return true;
}

/* --- commands --------------------------------------------------------------------------------- */

static bool makes_sense(const wzp_portmap_cfg *cfg) {
    return cfg->gateway.family != WZP_ADDR_NONE && cfg->local.port != 0 &&
           cfg->local.family == cfg->gateway.family &&
           (cfg->protocol == WZP_PORTMAP_PCP || cfg->gateway.family == WZP_ADDR_V4);
}

wzp_err wzp_portmap_start(wzp_portmap *p, const wzp_portmap_cfg *cfg, wzp_rng rng, wzp_time now) {
    if (!makes_sense(cfg)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    *p = (wzp_portmap){.cfg = *cfg};
    p->cfg.gateway.port = cfg->gateway.port != 0 ? cfg->gateway.port : WZP_NATPMP_PORT;
    p->cfg.lifetime_s = cfg->lifetime_s != 0 ? cfg->lifetime_s : DEFAULT_LIFETIME_S;
    p->cfg.rto = cfg->rto != 0 ? cfg->rto : DEFAULT_RTO;
    p->cfg.timeout = cfg->timeout != 0 ? cfg->timeout : DEFAULT_TIMEOUT;
    p->cfg.retry = cfg->retry != 0 ? cfg->retry : DEFAULT_RETRY;
    wzp_rng_fill(rng, p->nonce, sizeof p->nonce);
    start_over(p, now);
    return WZP_OK;
}

void wzp_portmap_resume(wzp_portmap *p, const wzp_portmap *last) {
    const bool is_same = p->cfg.protocol == last->cfg.protocol &&
                         wzp_addr_equal(&p->cfg.gateway, &last->cfg.gateway) &&
                         wzp_addr_equal(&p->cfg.local, &last->cfg.local);
    p->refusals = last->refusals;
    p->changes = last->changes;
    p->reboots = last->reboots;
    if (!is_same) {
        return;
    }
    memcpy(p->nonce, last->nonce, sizeof p->nonce);
    p->external = last->external;
    p->has_epoch = last->has_epoch;
    p->epoch_s = last->epoch_s;
    p->epoch_at = last->epoch_at;
}

bool wzp_portmap_is_spoken(const wzp_portmap *p) {
    return p->state == WZP_PORTMAP_MAPPED ||
           (p->state == WZP_PORTMAP_FAILED && p->why != WZP_PORTMAP_SILENT &&
            p->why != WZP_PORTMAP_VERSION);
}

void wzp_portmap_reflexive(wzp_portmap *p, const wzp_addr *reflexive, wzp_time now) {
    p->cfg.reflexive = *reflexive;
    if (p->state == WZP_PORTMAP_MAPPED && objection(p) != WZP_PORTMAP_FINE) {
        give_back(p, objection(p), now);
    }
}

/* While it is still asked for, the gateway may have granted it already. */
void wzp_portmap_release(wzp_portmap *p, wzp_time now) {
    const bool may_exist = p->state == WZP_PORTMAP_MAPPED || p->exchange == WZP_PORTMAP_MAP ||
                           p->exchange == WZP_PORTMAP_DELETE;
    lose(p);
    be_quiet(p);
    p->state = may_exist ? WZP_PORTMAP_RELEASING : WZP_PORTMAP_OFF;
    if (may_exist) {
        ask(p, WZP_PORTMAP_DELETE, RELEASE_TIMEOUT, now);
    }
}

const wzp_addr *wzp_portmap_external(const wzp_portmap *p) {
    return p->state == WZP_PORTMAP_MAPPED ? &p->external : NULL;
}

const char *wzp_portmap_why_text(wzp_portmap_why why) {
    static const char *const texts[] = {
        [WZP_PORTMAP_FINE] = "fine",
        [WZP_PORTMAP_SILENT] = "no answer",
        [WZP_PORTMAP_VERSION] = "the gateway speaks another protocol",
        [WZP_PORTMAP_REFUSED] = "refused",
        [WZP_PORTMAP_NOT_GLOBAL] = "external address is not reachable from everywhere",
        [WZP_PORTMAP_NOT_REFLEXIVE] = "external address is not the one that others see",
        [WZP_PORTMAP_NO_LIFETIME] = "granted without lifetime or port",
    };
    return (unsigned)why < WZP_COUNT_OF(texts) ? texts[why] : "unknown";
}
