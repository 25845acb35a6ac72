/* A NAT begins and ends. */
#include <stdlib.h>

#include "sim/nat/state.h"

static const char *bad_block(const wzp_sim_nat_cfg *cfg, uint64_t *got) {
    const uint32_t span = (uint32_t)cfg->last_port - cfg->first_port + 1;
    *got = cfg->block_size;
    if (cfg->block_size == 0) {
        return NULL;
    }
    if (cfg->block_size > span) {
        return "block_size";
    }
    *got = 1;
    return cfg->arbitrary_pooling ? "arbitrary_pooling" : cfg->overload ? "overload" : NULL;
}

static const char *bad_field(const wzp_sim_nat_cfg *cfg, uint64_t *got) {
    *got = 1;
    if (cfg->overload && cfg->filtering != WZP_SIM_NAT_ADDR_PORT) {
        return "overload";
    }
    if (cfg->inbound_creates_state && (!cfg->overload || cfg->identity)) {
        return "inbound_creates_state";
    }
    *got = cfg->first_port;
    if (cfg->first_port == 0 || cfg->first_port > cfg->last_port) {
        return "first_port";
    }
    *got = cfg->skip_ppm;
    if (cfg->skip_ppm > 1000000) {
        return "skip_ppm";
    }
    *got = cfg->new_per_s;
    if (cfg->new_per_s > WZP_S) {
        return "new_per_s";
    }
    *got = cfg->quota_total;
    return cfg->quota_total > UINT32_C(1) << 24 ? "quota_total" : bad_block(cfg, got);
}

static const char *bad_pool(const wzp_addr *externals, size_t count, bool identity, uint64_t *got) {
    *got = count;
    if (count > WZP_SIM_NAT_POOL_MAX || (count == 0 && !identity)) {
        return "externals";
    }
    for (size_t i = 0; i < count; i++) {
        *got = i;
        if (externals[i].family == WZP_ADDR_NONE || externals[i].family != externals[0].family) {
            return "externals";
        }
    }
    return NULL;
}

static uint32_t or_else(uint32_t value, uint32_t standard) {
    return value != 0 ? value : standard;
}

static wzp_sim_nat_cfg with_defaults(const wzp_sim_nat_cfg *given) {
    wzp_sim_nat_cfg cfg = *given;
    if (cfg.identity) {
        cfg.mapping = WZP_SIM_NAT_ANY;
        cfg.arbitrary_pooling = false;
    }
    cfg.fallback = cfg.fallback == WZP_SIM_NAT_PRESERVE ? WZP_SIM_NAT_RANDOM : cfg.fallback;
    cfg.delta = or_else(cfg.delta, 1);
    cfg.last_port = (uint16_t)or_else(cfg.last_port, 65535);
    cfg.first_port = (uint16_t)or_else(cfg.first_port, 1024);
    cfg.blocks_max = (uint16_t)or_else(cfg.blocks_max, 1);
    cfg.quota = or_else(cfg.quota, 4096);
    cfg.quota_total = or_else(cfg.quota_total, 65536);
    cfg.new_burst = or_else(cfg.new_burst, or_else(cfg.new_per_s, 1));
    return cfg;
}

static void set_up(wzp_sim_nat *nat, uint64_t seed, const char *name, wzp_time now) {
    const uint32_t limit = nat->cfg.quota_total;
    wzp_prng_init(&nat->prng, seed, name);
    nat->salt = wzp_rng_u64(wzp_prng_rng(&nat->prng));
    wzp_sim_nat_table_init(&nat->mappings, sizeof(wzp_sim_nat_mapping), limit, 3, 0);
    wzp_sim_nat_table_init(&nat->perms, sizeof(wzp_sim_nat_perm), limit * 4, 1,
                           nat->cfg.t_filter > 0 ? 2 : 1);
    wzp_sim_nat_table_init(&nat->hosts, sizeof(wzp_sim_nat_host), limit, 1, 1);
    wzp_sim_nat_explicits_init(nat);
    nat->now = now;
    nat->due = WZP_TIME_NEVER;
    wzp_prng_init(&nat->foreign, seed + 1, name);
    wzp_sim_nat_next_foreign(nat, now);
    wzp_sim_nat_start(nat);
}

static wzp_err refuse(wzp_fail *fail, wzp_err code, const char *field, uint64_t got) {
    if (fail != NULL) {
        *fail = (wzp_fail){.code = code, .field = field, .got = got};
    }
    return code;
}

wzp_err wzp_sim_nat_new(wzp_sim_nat **out, const wzp_sim_nat_cfg *cfg, const wzp_addr *externals,
                        size_t external_count, uint64_t seed, const char *name, wzp_time now,
                        wzp_fail *fail) {
    const wzp_sim_nat_cfg full = with_defaults(cfg);
    uint64_t got = 0;
    const char *bad = bad_field(&full, &got);
    if (bad == NULL) {
        bad = bad_pool(externals, external_count, cfg->identity, &got);
    }
    if (bad != NULL) {
        return refuse(fail, WZP_ERR_INVALID_ARGUMENT, bad, got);
    }
    wzp_sim_nat *nat = calloc(1, sizeof *nat);
    if (nat == NULL) {
        return refuse(fail, WZP_ERR_NOMEM, "nat", 0);
    }
    nat->cfg = full;
    wzp_sim_nat_set_pool(nat, externals, external_count);
    set_up(nat, seed, name, now);
    *out = nat;
    return WZP_OK;
}

void wzp_sim_nat_free(wzp_sim_nat **nat) {
    if (*nat != NULL) {
        wzp_sim_nat_table_clear(&(*nat)->mappings);
        wzp_sim_nat_timers_clear(&(*nat)->timers);
        wzp_sim_nat_table_clear(&(*nat)->perms);
        wzp_sim_nat_table_clear(&(*nat)->hosts);
        wzp_sim_nat_table_clear(&(*nat)->explicits);
        wzp_sim_nat_ports_clear(*nat);
        free(*nat);
        *nat = NULL;
    }
}

void wzp_sim_nat_watch(wzp_sim_nat *nat, void (*event)(void *ctx, const wzp_sim_nat_event *event),
                       void *ctx) {
    nat->event = event;
    nat->event_ctx = ctx;
}

void wzp_sim_nat_count(const wzp_sim_nat *nat, wzp_sim_nat_counts *out) {
    *out = nat->counts;
    out->explicits = nat->explicits.live;
    out->bytes = sizeof *nat + wzp_sim_nat_table_bytes(&nat->mappings) +
                 wzp_sim_nat_table_bytes(&nat->perms) + wzp_sim_nat_table_bytes(&nat->hosts) +
                 wzp_sim_nat_table_bytes(&nat->explicits) + wzp_sim_nat_timers_bytes(&nat->timers) +
                 wzp_sim_nat_ports_bytes(nat);
}
