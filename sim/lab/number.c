/* Addresses for everything that was given none.
 *
 *     host -- 192.168.N.10 | .1 box 100.64.N.2 | .1 box 203.0.113.5 -- core
 *
 * Documentation networks outside, private ones inside; every home has a network of its own unless
 * the scenario says otherwise. */
#include <string.h>

#include "sim/lab/read.h"

typedef struct numbering {
    wzp_lab_scenario *s;
    uint8_t network; /* of homes */
    uint8_t outside; /* of places at the core, beyond the first two */
    uint8_t *in_lan; /* the next in each LAN */
} numbering;

static wzp_addr with_last(wzp_addr a, uint8_t last) {
    a.ip[3] = last;
    return a;
}

/* X and Y of the catalogue are the first two hosts; nat sheet 2.14. */
static wzp_addr next_outside(numbering *n, bool host, size_t index, size_t way) {
    if (host && way == 0 && index < 2) {
        return index == 0 ? wzp_addr_v4(203, 0, 113, 5, 0) : wzp_addr_v4(198, 51, 100, 9, 0);
    }
    const uint8_t last = n->outside++;
    return last < 128 ? wzp_addr_v4(203, 0, 113, (uint8_t)(last + 20), 0)
                      : wzp_addr_v4(198, 51, 100, (uint8_t)(last - 128 + 20), 0);
}

static bool translates(const wzp_lab_way *way) {
    bool any = false;
    for (size_t i = 0; i < way->box_count; i++) {
        any = any || !way->boxes[i].nat.identity;
    }
    return any;
}

static void fill_pool(wzp_lab_way *way, wzp_lab_box *box, wzp_addr first) {
    const bool last = box == &way->boxes[way->box_count - 1];
    const uint32_t wanted = way->pool != 0 ? way->pool : box->nat.arbitrary_pooling ? 4 : 1;
    box->external_count = last ? wanted : 1;
    for (size_t i = 0; i < box->external_count; i++) {
        box->externals[i] = with_last(first, (uint8_t)(first.ip[3] + i));
    }
}

/* In the /64 of `network`. */
static wzp_addr with_interface(wzp_addr network, uint16_t last) {
    memset(network.ip + 8, 0, 8);
    network.ip[14] = (uint8_t)(last >> 8);
    network.ip[15] = (uint8_t)last;
    return network;
}

/* The host of a NAT64 has IPv4 only where it translates by itself. */
static void number_nat64(const numbering *n, wzp_lab_way *way) {
    const wzp_addr v6 = {.family = WZP_ADDR_V6,
                         .ip = {0x20, 0x01, 0x0d, 0xb8, 0x00, 0x64, 0, n->network}};
    const wzp_addr none = {.family = WZP_ADDR_NONE};
    if (way->address6.family == WZP_ADDR_NONE) {
        way->address6 = with_interface(v6, 0x10);
    }
    way->local = way->clat ? wzp_addr_v4(192, 0, 0, 4, 0) : none;
    way->boxes[0].inside6 = with_interface(way->address6, 0x64);
    fill_pool(way, &way->boxes[0], way->address);
}

/* From the outside in.  `way->local` is the innermost network or host already. */
static void number_boxes(numbering *n, wzp_lab_way *way) {
    wzp_addr outside = way->address;
    for (size_t b = way->box_count; b-- > 0;) {
        wzp_lab_box *box = &way->boxes[b];
        fill_pool(way, box, outside);
        if (box->nat.identity) {
            box->inside = wzp_addr_v4(100, 127, n->network, (uint8_t)(b + 1), 0);
        } else if (b == 0) {
            box->inside = with_last(way->local, 1);
        } else {
            const wzp_addr between = wzp_addr_v4(100, (uint8_t)(63 + b), n->network, 0, 0);
            box->inside = with_last(between, 1);
            outside = with_last(between, 2);
        }
    }
}

static wzp_addr lan_address(const numbering *n, uint32_t lan) {
    return with_last(n->s->lans[lan].way.local, n->in_lan[lan]++);
}

/* A LAN with boxes inside is a provider's. */
static bool has_boxes_inside(const wzp_lab_scenario *s, uint32_t lan) {
    for (size_t i = 0; i < s->lan_count; i++) {
        if (s->lans[i].way.lan == lan) {
            return true;
        }
    }
    for (size_t i = 0; i < s->host_count; i++) {
        for (size_t w = 0; w < s->hosts[i].way_count; w++) {
            if (s->hosts[i].ways[w].lan == lan && s->hosts[i].ways[w].box_count > 0) {
                return true;
            }
        }
    }
    return false;
}

static void number_networks(numbering *n) {
    for (size_t i = 0; i < n->s->lan_count; i++) {
        wzp_lab_way *way = &n->s->lans[i].way;
        n->network++;
        n->in_lan[i] = 10;
        if (way->local.family == WZP_ADDR_NONE) {
            way->local = has_boxes_inside(n->s, (uint32_t)i)
                             ? wzp_addr_v4(100, 100, n->network, 0, 0)
                             : wzp_addr_v4(192, 168, n->network, 0, 0);
        }
        way->local = with_last(way->local, 0);
    }
}

static void number_way(numbering *n, wzp_lab_way *way, bool host, size_t index, size_t w) {
    if (way->address.family == WZP_ADDR_NONE) {
        way->address =
            way->lan != WZP_LAB_NONE ? lan_address(n, way->lan) : next_outside(n, host, index, w);
    }
    if (host) {
        n->network++;
        if (wzp_lab_is_nat64(way)) {
            number_nat64(n, way);
            return;
        }
        if (!translates(way)) {
            way->local = way->address;
        } else if (way->local.family == WZP_ADDR_NONE) {
            way->local = wzp_addr_v4(192, 168, n->network, 10, 0);
        }
    }
    number_boxes(n, way);
}

void wzp_lab_number(wzp_lab_scenario *s) {
    uint8_t in_lan[WZP_LAB_LANS_MAX];
    numbering n = {.s = s, .in_lan = in_lan};
    number_networks(&n);
    for (size_t i = 0; i < s->lan_count; i++) {
        number_way(&n, &s->lans[i].way, false, i, 0);
    }
    for (size_t i = 0; i < s->host_count; i++) {
        for (size_t w = 0; w < s->hosts[i].way_count; w++) {
            number_way(&n, &s->hosts[i].ways[w], true, i, w);
        }
    }
}
