#include "federation/gossip.h"

#include <stdlib.h>

enum { TEXT_MAX = 96 };

typedef struct relay_told {
    wzp_addr addr;
    wzp_time at;
    bool asked;
    size_t count;
    char (*names)[TEXT_MAX + 1];
} relay_told;

struct wzp_gossip {
    relay_told relays[WZP_GOSSIP_RELAYS];
    size_t count;
};

wzp_gossip *wzp_gossip_new(void) {
    return calloc(1, sizeof(wzp_gossip));
}

void wzp_gossip_free(wzp_gossip **gossip) {
    for (size_t i = 0; *gossip != NULL && i < (*gossip)->count; i++) {
        free((*gossip)->relays[i].names);
    }
    free(*gossip);
    *gossip = NULL;
}

static bool is_old(const relay_told *r, wzp_time now) {
    return wzp_time_since(now, r->at) > WZP_GOSSIP_LIFETIME;
}

static relay_told *place_for(wzp_gossip *g, const wzp_addr *addr, bool asked, wzp_time now) {
    relay_told *old = NULL;
    for (size_t i = 0; i < g->count; i++) {
        relay_told *r = &g->relays[i];
        if (wzp_addr_equal(&r->addr, addr)) {
            return r;
        }
        const bool may_go = is_old(r, now) || (asked && !r->asked && g->count == WZP_GOSSIP_RELAYS);
        old = may_go ? r : old;
    }
    return old != NULL ? old : g->count < WZP_GOSSIP_RELAYS ? &g->relays[g->count++] : NULL;
}

static bool is_name(wzp_bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return text.len > 0 && text.len <= TEXT_MAX;
}

bool wzp_gossip_told(wzp_gossip *g, const wzp_addr *addr, bool asked, wzp_list_str fingerprints,
                     wzp_time now) {
    relay_told *r = place_for(g, addr, asked, now);
    const size_t cap =
        fingerprints.count < WZP_GOSSIP_CLIENTS ? fingerprints.count : WZP_GOSSIP_CLIENTS;
    char(*names)[TEXT_MAX + 1] = r != NULL ? calloc(cap + 1, sizeof *names) : NULL;
    if (names == NULL) {
        return false;
    }
    free(r->names);
    *r = (relay_told){.addr = *addr, .at = now, .asked = asked, .names = names};
    for (size_t i = 0; i < fingerprints.count && r->count < cap; i++) {
        if (is_name(fingerprints.items[i])) {
            memcpy(names[r->count++], fingerprints.items[i].data, fingerprints.items[i].len);
        }
    }
    return true;
}

wzp_addr wzp_gossip_find(const wzp_gossip *g, wzp_bytes fingerprint, wzp_time now) {
    for (size_t i = 0; i < g->count; i++) {
        const relay_told *r = &g->relays[i];
        for (size_t k = 0; !is_old(r, now) && k < r->count; k++) {
            if (wzp_bytes_equal(wzp_bytes_str(r->names[k]), fingerprint)) {
                return r->addr;
            }
        }
    }
    return (wzp_addr){0};
}

void wzp_gossip_visit(const wzp_gossip *g, wzp_time now,
                      bool (*visit)(void *ctx, const wzp_addr *relay, const char *fingerprint),
                      void *ctx) {
    for (size_t i = 0; i < g->count; i++) {
        const relay_told *r = &g->relays[i];
        bool goes_on = is_old(r, now) || visit(ctx, &r->addr, NULL);
        for (size_t k = 0; goes_on && !is_old(r, now) && k < r->count; k++) {
            goes_on = visit(ctx, &r->addr, r->names[k]);
        }
        if (!goes_on) {
            return;
        }
    }
}
