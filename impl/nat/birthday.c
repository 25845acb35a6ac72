#include "nat/birthday.h"

#define FIRST_PORT 1024U
#define ALL_PORTS 65536U

/* --- which ports ------------------------------------------------------------------------------ */

/* One bit for each port. */
typedef struct port_set {
    uint8_t bits[ALL_PORTS / 8];
} port_set;

/* False: it was there already. */
static bool add(port_set *set, uint16_t port) {
    uint8_t *byte = &set->bits[port / 8];
    const uint8_t bit = (uint8_t)(1U << (port % 8));
    const bool is_new = (*byte & bit) == 0;
    *byte |= bit;
    return is_new;
}

static void take_known(wzp_birthday *b, const wzp_birthday_cfg *cfg, size_t probes,
                       port_set *taken) {
    const size_t count =
        cfg->known_count < WZP_BIRTHDAY_KNOWN_MAX ? cfg->known_count : WZP_BIRTHDAY_KNOWN_MAX;
    const size_t room = cfg->rules == WZP_BIRTHDAY_DEPLOYED ? WZP_BIRTHDAY_PROBES_MAX : probes;
    for (size_t i = 0; i < count && b->count < room; i++) {
        const bool is_new = add(taken, cfg->known[i]);
        if (cfg->known[i] != 0 && (is_new || cfg->rules == WZP_BIRTHDAY_DEPLOYED)) {
            b->ports[b->count++] = cfg->known[i];
        }
    }
}

/* Of the block itself, what is a port that anybody uses. */
static wzp_port_block usable(const wzp_birthday_cfg *cfg) {
    wzp_port_block block = cfg->block;
    if (cfg->rules == WZP_BIRTHDAY_DEPLOYED || block.count == 0) {
        return (wzp_port_block){FIRST_PORT, ALL_PORTS - FIRST_PORT};
    }
    if (block.count > ALL_PORTS - block.first) {
        block.count = ALL_PORTS - block.first;
    }
    if (block.first == 0) { /* no packet can go to port 0 */
        block.first = 1;
        block.count--;
    }
    return block;
}

static uint32_t free_in(const port_set *taken, wzp_port_block block) {
    uint32_t count = 0;
    for (uint32_t port = block.first; port < block.first + block.count; port++) {
        count += (taken->bits[port / 8] >> (port % 8) & 1U) == 0 ? 1 : 0;
    }
    return count;
}

static void draw(wzp_birthday *b, const wzp_birthday_cfg *cfg, size_t probes, port_set *taken,
                 wzp_rng rng) {
    const wzp_port_block block = usable(cfg);
    uint32_t left = free_in(taken, block);
    size_t draws = probes > b->count ? probes - b->count : 0;
    while (draws > 0 && left > 0) {
        const uint16_t port = (uint16_t)(block.first + wzp_rng_below(rng, block.count));
        const bool is_new = add(taken, port);
        if (is_new) {
            b->ports[b->count++] = port;
            left--;
        }
        draws -= is_new || cfg->rules == WZP_BIRTHDAY_DEPLOYED ? 1 : 0;
    }
}

void wzp_birthday_start(wzp_birthday *b, const wzp_birthday_cfg *cfg, wzp_rng rng, wzp_time now) {
    port_set taken = {{0}};
    size_t probes = cfg->probes != 0 ? cfg->probes : WZP_BIRTHDAY_PROBES;
    probes = probes < WZP_BIRTHDAY_PROBES_MAX ? probes : WZP_BIRTHDAY_PROBES_MAX;
    *b = (wzp_birthday){.host = cfg->host,
                        .interval = cfg->interval != 0 ? cfg->interval : WZP_BIRTHDAY_INTERVAL,
                        .next_at = now};
    if (b->interval < WZP_BIRTHDAY_INTERVAL_MIN) {
        b->interval = WZP_BIRTHDAY_INTERVAL_MIN;
    }
    b->ends_at =
        wzp_time_after(now, cfg->timeout != 0 ? cfg->timeout : (uint64_t)WZP_BIRTHDAY_TIMEOUT);
    take_known(b, cfg, probes, &taken);
    draw(b, cfg, probes, &taken, rng);
}

/* --- when ------------------------------------------------------------------------------------- */

wzp_time wzp_birthday_deadline(const wzp_birthday *b) {
    return b->next < b->count && b->next_at < b->ends_at ? b->next_at : WZP_TIME_NEVER;
}

bool wzp_birthday_next(wzp_birthday *b, wzp_time now, wzp_addr *out) {
    if (now < wzp_birthday_deadline(b) || now >= b->ends_at) {
        return false;
    }
    *out = b->host;
    out->port = b->ports[b->next++];
    b->next_at = wzp_time_after(now, b->interval);
    return true;
}

/* --- what it is worth ------------------------------------------------------------------------- */

/* 1 - the chance that each probe misses, of ports that were not tried before. */
uint32_t wzp_birthday_chance_ppm(uint32_t open, uint32_t probes, uint32_t space) {
    const uint64_t one = UINT64_C(1) << 40; /* times a count of ports fits 64 bits */
    uint64_t miss = one;
    space = space < ALL_PORTS ? space : ALL_PORTS;
    if (open == 0 || probes == 0 || space == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < probes && miss > 0; i++) {
        miss = i + open < space ? miss * (space - open - i) / (space - i) : 0;
    }
    return (uint32_t)(((one - miss) * 1000000 + one / 2) >> 40);
}

wzp_port_block wzp_birthday_block(const uint16_t *ports, size_t count) {
    for (uint32_t size = 1024; size <= 4096 && count >= 3; size *= 2) {
        size_t i = 1;
        while (i < count && ports[i] / size == ports[0] / size) {
            i++;
        }
        if (i == count) {
            return (wzp_port_block){(uint16_t)(ports[0] / size * size), size};
        }
    }
    return (wzp_port_block){0};
}
