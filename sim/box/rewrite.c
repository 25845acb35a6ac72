#include "sim/box/rewrite.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/box/alg.h"
#include "sim/box/ip.h"
#include "sim/net/wire.h"

enum { FRAGMENTS_MAX = 256, ICMP_CHECKSUM = 2, UDP_HEADER = 8 };

/* What became of the first fragment of a packet; ports 0. */
typedef struct fragment {
    wzp_addr src, dst;         /* as they came */
    wzp_addr new_src, new_dst; /* as they went */
    uint32_t id;
    uint8_t proto;
    bool outbound, turned;
    wzp_time at;
} fragment;

struct wzp_sim_rewriter {
    wzp_sim_nat *nat;
    wzp_sim_rewriter_cfg cfg;
    uint32_t next; /* where the oldest one is, once the table is full */
    uint32_t count;
    fragment fragments[];
};

static wzp_sim_rewrite verdict_of(wzp_sim_nat_verdict verdict) {
    static const wzp_sim_rewrite verdicts[] = {
        [WZP_SIM_NAT_FORWARD] = WZP_SIM_REWRITE_FORWARD,
        [WZP_SIM_NAT_TURN] = WZP_SIM_REWRITE_TURN,
        [WZP_SIM_NAT_DROP_NO_MAPPING] = WZP_SIM_REWRITE_NO_MAPPING,
        [WZP_SIM_NAT_DROP_FILTER] = WZP_SIM_REWRITE_FILTER,
        [WZP_SIM_NAT_DROP_QUOTA] = WZP_SIM_REWRITE_QUOTA,
        [WZP_SIM_NAT_DROP_HAIRPIN] = WZP_SIM_REWRITE_HAIRPIN};
    return verdicts[verdict];
}

static bool goes_on(wzp_sim_rewrite verdict) {
    return verdict == WZP_SIM_REWRITE_FORWARD || verdict == WZP_SIM_REWRITE_TURN;
}

/* --- fragments -------------------------------------------------------------------------------- */

static bool is_of(const fragment *f, const wzp_sim_ip *ip, bool outbound) {
    return f->id == ip->id && f->proto == ip->proto && f->outbound == outbound &&
           wzp_addr_same_ip(&f->src, &ip->src) && wzp_addr_same_ip(&f->dst, &ip->dst);
}

static fragment *find_fragment(wzp_sim_rewriter *rewriter, const wzp_sim_ip *ip, bool outbound,
                               wzp_time now) {
    for (uint32_t i = 0; i < rewriter->count; i++) {
        fragment *f = &rewriter->fragments[i];
        if (is_of(f, ip, outbound) &&
            wzp_time_since(now, f->at) <= rewriter->cfg.fragment_timeout) {
            return f;
        }
    }
    return NULL;
}

/* In the place of an earlier packet with this number, of none, or of the oldest. */
static void remember(wzp_sim_rewriter *rewriter, const wzp_sim_ip *ip, bool outbound,
                     const wzp_addr *src, const wzp_addr *dst, bool turned, wzp_time now) {
    fragment *f = find_fragment(rewriter, ip, outbound, now);
    if (f == NULL && rewriter->count < rewriter->cfg.fragments_max) {
        f = &rewriter->fragments[rewriter->count++];
    } else if (f == NULL) {
        f = &rewriter->fragments[rewriter->next];
        rewriter->next = rewriter->next + 1 < rewriter->count ? rewriter->next + 1 : 0;
    }
    *f = (fragment){.src = ip->src,
                    .dst = ip->dst,
                    .new_src = *src,
                    .new_dst = *dst,
                    .id = ip->id,
                    .proto = ip->proto,
                    .outbound = outbound,
                    .turned = turned,
                    .at = now};
}

static wzp_sim_rewrite follow(wzp_sim_rewriter *rewriter, const wzp_sim_ip *ip, bool outbound,
                              wzp_time now) {
    const fragment *f = find_fragment(rewriter, ip, outbound, now);
    if (f == NULL) {
        return WZP_SIM_REWRITE_FRAGMENT;
    }
    wzp_sim_ip_readdress(ip, &f->new_src, &f->new_dst);
    return f->turned ? WZP_SIM_REWRITE_TURN : WZP_SIM_REWRITE_FORWARD;
}

/* --- what packets say ---------------------------------------------------------------------------
 */

static uint16_t sum_of(const uint8_t *at, size_t len) {
    return wzp_sim_sum_fold(wzp_sim_sum(wzp_bytes_of(at, len)));
}

/* Only in whole packets. */
static void translate_payload(const wzp_sim_rewriter *rewriter, const wzp_sim_ip *ip,
                              const wzp_addr *was, const wzp_addr *is) {
    if (!wzp_sim_nat_translates_stun(rewriter->nat) || ip->proto != WZP_SIM_IP_UDP || ip->divided) {
        return;
    }
    uint8_t *payload = ip->at + ip->body + UDP_HEADER;
    const size_t len = ip->len - ip->body - UDP_HEADER;
    const uint16_t before = sum_of(payload, len);
    if (wzp_sim_alg_stun(payload, len, was, is)) {
        wzp_sim_ip_changed(ip, before, sum_of(payload, len));
    }
}

/* --- UDP, TCP and ICMP queries ---------------------------------------------------------------- */

/* Queries come from inside only. */
static bool is_translated(const wzp_sim_ip *ip, bool outbound) {
    const bool transport = ip->proto == WZP_SIM_IP_UDP || ip->proto == WZP_SIM_IP_TCP;
    return ip->first && (transport || (ip->query != 0 && ip->reply != outbound));
}

static wzp_sim_rewrite translate(wzp_sim_rewriter *rewriter, const wzp_sim_ip *ip, bool outbound,
                                 wzp_time now) {
    wzp_addr src = ip->src;
    wzp_addr dst = ip->dst;
    const wzp_sim_rewrite verdict =
        verdict_of(outbound ? wzp_sim_nat_out(rewriter->nat, ip->proto, &src, &dst, now)
                            : wzp_sim_nat_in(rewriter->nat, ip->proto, &src, &dst, now));
    if (!goes_on(verdict)) {
        return verdict;
    }
    if (src.family != ip->family || dst.family != ip->family) {
        return WZP_SIM_REWRITE_PROTOCOL; /* a NAT64 makes packets of another length */
    }
    if (ip->divided) {
        remember(rewriter, ip, outbound, &src, &dst, verdict == WZP_SIM_REWRITE_TURN, now);
    }
    wzp_sim_ip_readdress(ip, &src, &dst);
    if (outbound) {
        translate_payload(rewriter, ip, &ip->src, &src);
    } else {
        translate_payload(rewriter, ip, &ip->dst, &dst);
    }
    return verdict;
}

/* --- ICMP errors ------------------------------------------------------------------------------ */

/* The packet inside, and ICMP's checksum by what that changed: addresses and ports, and checksums
 * of its own. */
static void readdress_inner(const wzp_sim_ip *outer, const wzp_sim_ip *inner, const wzp_addr *src,
                            const wzp_addr *dst) {
    uint8_t *checksum = outer->at + outer->body + ICMP_CHECKSUM;
    const uint16_t before = sum_of(inner->at, inner->len);
    wzp_sim_ip_readdress(inner, src, dst);
    const uint16_t after = sum_of(inner->at, inner->len);
    const uint16_t old = (uint16_t)(checksum[0] << 8 | checksum[1]);
    const uint16_t fresh = wzp_sim_ip_adjust(old, before, after);
    checksum[0] = (uint8_t)(fresh >> 8);
    checksum[1] = (uint8_t)fresh;
}

static wzp_sim_rewrite translate_error(wzp_sim_rewriter *rewriter, const wzp_sim_ip *outer,
                                       const wzp_sim_ip *inner, bool outbound, wzp_time now) {
    wzp_addr src = outer->src;
    wzp_addr dst = outer->dst;
    wzp_addr inner_src = inner->src;
    wzp_addr inner_dst = inner->dst;
    const bool known =
        outbound
            ? wzp_sim_nat_icmp_out(rewriter->nat, inner->proto, &src, &inner_src, &inner_dst, now)
            : wzp_sim_nat_icmp_in(rewriter->nat, inner->proto, &dst, &inner_src, &inner_dst, now);
    if (!known) {
        return WZP_SIM_REWRITE_NO_MAPPING;
    }
    if (src.family != outer->family || dst.family != outer->family) {
        return WZP_SIM_REWRITE_PROTOCOL;
    }
    if (outer->divided) {
        remember(rewriter, outer, outbound, &src, &dst, false, now);
    }
    readdress_inner(outer, inner, &inner_src, &inner_dst);
    wzp_sim_ip_readdress(outer, &src, &dst);
    return WZP_SIM_REWRITE_FORWARD;
}

static wzp_sim_rewrite error(wzp_sim_rewriter *rewriter, const wzp_sim_ip *outer, size_t at,
                             bool outbound, wzp_time now) {
    wzp_sim_ip inner;
    if (wzp_sim_ip_parse(&inner, outer->at + at, outer->len - at, true) != WZP_OK ||
        inner.family != outer->family) {
        return WZP_SIM_REWRITE_MALFORMED;
    }
    /* About what came in when it leaves, and the other way round. */
    if (!is_translated(&inner, !outbound)) {
        return WZP_SIM_REWRITE_PROTOCOL;
    }
    return translate_error(rewriter, outer, &inner, outbound, now);
}

/* --- packets ---------------------------------------------------------------------------------- */

static wzp_sim_rewrite dispatch(wzp_sim_rewriter *rewriter, const wzp_sim_ip *ip, bool outbound,
                                wzp_time now) {
    size_t inner = 0;
    if (ip->divided && rewriter->cfg.drop_fragments) {
        return WZP_SIM_REWRITE_FRAGMENT;
    }
    if (!ip->first) {
        return follow(rewriter, ip, outbound, now);
    }
    if (is_translated(ip, outbound)) {
        return translate(rewriter, ip, outbound, now);
    }
    return wzp_sim_ip_is_error(ip, &inner) ? error(rewriter, ip, inner, outbound, now)
                                           : WZP_SIM_REWRITE_PROTOCOL;
}

static wzp_sim_rewrite rewrite(wzp_sim_rewriter *rewriter, uint8_t *packet, size_t len,
                               bool outbound, wzp_time now) {
    wzp_sim_ip ip;
    if (wzp_sim_ip_parse(&ip, packet, len, false) != WZP_OK) {
        return WZP_SIM_REWRITE_MALFORMED;
    }
    if (ip.ttl <= 1) {
        return WZP_SIM_REWRITE_TTL;
    }
    const wzp_sim_rewrite verdict = dispatch(rewriter, &ip, outbound, now);
    if (goes_on(verdict)) {
        wzp_sim_ip_take_ttl(&ip);
    }
    return verdict;
}

wzp_sim_rewrite wzp_sim_rewrite_out(wzp_sim_rewriter *rewriter, uint8_t *packet, size_t len,
                                    wzp_time now) {
    return rewrite(rewriter, packet, len, true, now);
}

wzp_sim_rewrite wzp_sim_rewrite_in(wzp_sim_rewriter *rewriter, uint8_t *packet, size_t len,
                                   wzp_time now) {
    return rewrite(rewriter, packet, len, false, now);
}

/* --- life ------------------------------------------------------------------------------------- */

wzp_err wzp_sim_rewriter_new(wzp_sim_rewriter **out, const wzp_sim_rewriter_cfg *cfg,
                             wzp_sim_nat *nat) {
    const uint32_t most = cfg->fragments_max > 0 ? cfg->fragments_max : FRAGMENTS_MAX;
    wzp_sim_rewriter *rewriter = calloc(1, sizeof *rewriter + most * sizeof(fragment));
    if (rewriter == NULL) {
        return WZP_ERR_NOMEM;
    }
    rewriter->nat = nat;
    rewriter->cfg = *cfg;
    rewriter->cfg.fragments_max = most;
    if (cfg->fragment_timeout == 0) {
        rewriter->cfg.fragment_timeout = 30 * WZP_S;
    }
    *out = rewriter;
    return WZP_OK;
}

void wzp_sim_rewriter_free(wzp_sim_rewriter **rewriter) {
    free(*rewriter);
    *rewriter = NULL;
}

const char *wzp_sim_rewrite_name(wzp_sim_rewrite verdict) {
    static const char *const names[] = {"forward", "turn",     "malformed",  "protocol",
                                        "ttl",     "fragment", "no-mapping", "filter",
                                        "quota",   "hairpin"};
    assert(verdict < sizeof names / sizeof *names);
    return names[verdict];
}
