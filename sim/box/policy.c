#include "sim/box/policy.h"

#include <stdlib.h>

#include "sim/engine/chance.h"

enum { REMOTES = 32, SCAN_PORTS_MAX = 4096, FRAGMENT_OVER = 1500 };

/* A bucket of time: what passes costs the time that it takes at the allowed rate. */
typedef struct bucket {
    uint64_t credit;
    wzp_time at;
} bucket;

/* A port that a remote address was seen with, and when last. */
typedef struct seen {
    uint32_t port; /* outbound ones + 65536 */
    wzp_time at;
} seen;

typedef struct remote {
    wzp_addr ip;
    wzp_time last, blocked_until;
    seen *ports;
    size_t count;
} remote;

struct wzp_sim_policy {
    wzp_sim_policy_cfg cfg;
    wzp_prng prng;
    wzp_time start;
    uint64_t udp_bytes;
    bucket packets[2], bits[2]; /* in, out */
    remote remotes[REMOTES];
};

static bool is_valid(const wzp_sim_policy_cfg *cfg) {
    return cfg->allow_port_count <= WZP_SIM_POLICY_PORTS_MAX && cfg->initial_drop_ppm <= WZP_PPM &&
           cfg->pps <= WZP_S && cfg->scan_ports <= SCAN_PORTS_MAX;
}

static uint64_t packet_cost(const wzp_sim_policy_cfg *cfg) {
    return WZP_S / cfg->pps;
}

/* Rounded up, so that the rate is never exceeded. */
static uint64_t byte_cost(const wzp_sim_policy_cfg *cfg, uint64_t bytes) {
    return (bytes * 8 * WZP_S + cfg->bits_per_s - 1) / cfg->bits_per_s;
}

static uint64_t packets_full(const wzp_sim_policy_cfg *cfg) {
    return packet_cost(cfg) * (cfg->pps_burst > 0 ? cfg->pps_burst : 1);
}

/* At least the largest packet, or that could never pass. */
static uint64_t bits_full(const wzp_sim_policy_cfg *cfg) {
    return byte_cost(cfg, cfg->bits_burst > 0 ? cfg->bits_burst : WZP_SIM_BYTES_MAX);
}

wzp_err wzp_sim_policy_new(wzp_sim_policy **out, const wzp_sim_policy_cfg *cfg, uint64_t seed,
                           const char *name, wzp_time now) {
    if (!is_valid(cfg)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_sim_policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL) {
        return WZP_ERR_NOMEM;
    }
    policy->cfg = *cfg;
    policy->start = now;
    wzp_prng_init(&policy->prng, seed, name);
    for (size_t way = 0; way < 2; way++) {
        policy->packets[way] = (bucket){cfg->pps > 0 ? packets_full(cfg) : 0, now};
        policy->bits[way] = (bucket){cfg->bits_per_s > 0 ? bits_full(cfg) : 0, now};
    }
    *out = policy;
    return WZP_OK;
}

void wzp_sim_policy_free(wzp_sim_policy **policy) {
    if (*policy != NULL) {
        for (size_t i = 0; i < REMOTES; i++) {
            free((*policy)->remotes[i].ports);
        }
        free(*policy);
        *policy = NULL;
    }
}

/* --- what is blocked -------------------------------------------------------------------------- */

static bool is_port_allowed(const wzp_sim_policy_cfg *cfg, uint16_t port) {
    for (size_t i = 0; i < cfg->allow_port_count; i++) {
        if (cfg->allow_ports[i] == port) {
            return true;
        }
    }
    return cfg->allow_port_count == 0;
}

/* RFC 8999: the version of a long header; 0: a short header, or version negotiation. */
static uint32_t quic_version(const wzp_sim_packet *packet) {
    const uint8_t *p = packet->payload;
    if (packet->len < 5 || (p[0] & 0xc0) != 0xc0) {
        return 0;
    }
    return (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
}

/* RFC 9000, 17.2.2; version 2 numbers its types otherwise (RFC 9369, 3.2). */
static bool is_initial(const wzp_sim_packet *packet) {
    const uint32_t version = quic_version(packet);
    const uint8_t type = (packet->payload[0] >> 4) & 3;
    return version != 0 && type == (version == UINT32_C(0x6b3343cf) ? 1 : 0);
}

static bool is_udp_over(wzp_sim_policy *policy, const wzp_sim_packet *packet, wzp_time now) {
    const wzp_sim_policy_cfg *cfg = &policy->cfg;
    policy->udp_bytes += wzp_sim_packet_wire_len(packet);
    return (cfg->block_after > 0 && wzp_time_since(now, policy->start) >= cfg->block_after) ||
           (cfg->block_after_bytes > 0 && policy->udp_bytes > cfg->block_after_bytes);
}

static bool is_udp_blocked(wzp_sim_policy *policy, const wzp_sim_packet *packet, bool outbound,
                           wzp_time now) {
    const wzp_sim_policy_cfg *cfg = &policy->cfg;
    return cfg->block_udp ||
           !is_port_allowed(cfg, outbound ? packet->dst.port : packet->src.port) ||
           is_udp_over(policy, packet, now) || (cfg->block_quic && quic_version(packet) != 0);
}

/* --- port-scan guard -------------------------------------------------------------------------- */

static remote *remote_of(wzp_sim_policy *policy, const wzp_addr *ip) {
    remote *oldest = &policy->remotes[0];
    for (size_t i = 0; i < REMOTES; i++) {
        remote *r = &policy->remotes[i];
        if (wzp_addr_same_ip(&r->ip, ip)) {
            return r;
        }
        oldest = r->last < oldest->last ? r : oldest;
    }
    *oldest = (remote){.ip = *ip, .ports = oldest->ports};
    return oldest;
}

/* Notes the port; true: it is one too many within the window. */
static bool is_one_too_many(wzp_sim_policy *policy, remote *r, uint32_t port, wzp_time now) {
    seen *place = NULL;
    size_t recent = 1;
    for (size_t i = 0; i < r->count; i++) {
        seen *s = &r->ports[i];
        if (s->port == port) {
            s->at = now;
            return false;
        }
        if (wzp_time_since(now, s->at) > policy->cfg.scan_window) {
            place = s;
        } else {
            recent++;
        }
    }
    if (recent >= policy->cfg.scan_ports) {
        return true;
    }
    place = place != NULL ? place : &r->ports[r->count++];
    *place = (seen){port, now};
    return false;
}

static bool is_scan(wzp_sim_policy *policy, const wzp_sim_packet *packet, bool outbound,
                    wzp_time now) {
    remote *r = remote_of(policy, outbound ? &packet->dst : &packet->src);
    r->last = now;
    if (now < r->blocked_until) {
        return true;
    }
    if (r->ports == NULL) {
        r->ports = calloc(policy->cfg.scan_ports, sizeof *r->ports);
    }
    const uint32_t port = packet->dst.port + (outbound ? UINT32_C(65536) : 0);
    if (r->ports == NULL || !is_one_too_many(policy, r, port, now)) {
        return false;
    }
    r->count = 0;
    r->blocked_until = wzp_time_after(now, policy->cfg.scan_block);
    return true;
}

/* --- policers --------------------------------------------------------------------------------- */

static bool spend(bucket *b, uint64_t cost, uint64_t full, wzp_time now) {
    const uint64_t since = wzp_time_since(now, b->at);
    b->credit = since >= full - b->credit ? full : b->credit + since;
    b->at = now;
    if (b->credit < cost) {
        return false;
    }
    b->credit -= cost;
    return true;
}

static bool is_too_much(wzp_sim_policy *policy, const wzp_sim_packet *packet, bool outbound,
                        wzp_time now) {
    const wzp_sim_policy_cfg *cfg = &policy->cfg;
    if (cfg->pps > 0 &&
        !spend(&policy->packets[outbound], packet_cost(cfg), packets_full(cfg), now)) {
        return true;
    }
    return cfg->bits_per_s > 0 &&
           !spend(&policy->bits[outbound], byte_cost(cfg, wzp_sim_packet_wire_len(packet)),
                  bits_full(cfg), now);
}

/* What is larger than Ethernet's 1500 bytes and may be divided has been divided on its way. */
static bool is_misfit(const wzp_sim_policy_cfg *cfg, const wzp_sim_packet *packet) {
    const uint32_t len = wzp_sim_packet_wire_len(packet);
    return (cfg->max_size > 0 && len > cfg->max_size) ||
           (cfg->drop_fragments && len > FRAGMENT_OVER && !packet->dont_fragment);
}

wzp_sim_policy_verdict wzp_sim_policy_judge(wzp_sim_policy *policy, const wzp_sim_packet *packet,
                                            bool outbound, wzp_time now) {
    const wzp_sim_policy_cfg *cfg = &policy->cfg;
    if (cfg->only_v6 && packet->src.family != WZP_ADDR_V6) {
        return WZP_SIM_POLICY_PASS;
    }
    if (packet->proto == WZP_SIM_ICMP) {
        return cfg->suppress_frag_needed && packet->icmp == WZP_SIM_ICMP_TOO_BIG
                   ? WZP_SIM_POLICY_DROP
                   : WZP_SIM_POLICY_PASS;
    }
    if (is_misfit(cfg, packet)) {
        return WZP_SIM_POLICY_DROP;
    }
    if (packet->proto == WZP_SIM_UDP && is_udp_blocked(policy, packet, outbound, now)) {
        return cfg->icmp_prohibited ? WZP_SIM_POLICY_REJECT : WZP_SIM_POLICY_DROP;
    }
    const bool dropped = (packet->proto == WZP_SIM_UDP && cfg->initial_drop_ppm > 0 &&
                          is_initial(packet) && wzp_chance(&policy->prng, cfg->initial_drop_ppm)) ||
                         (cfg->scan_ports > 0 && is_scan(policy, packet, outbound, now)) ||
                         is_too_much(policy, packet, outbound, now);
    return dropped ? WZP_SIM_POLICY_DROP : WZP_SIM_POLICY_PASS;
}
