#include "sim/net/packet.h"

#include <assert.h>
#include <stdlib.h>
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h> /* a freed packet that is touched counts as freed memory */
#else
#define ASAN_POISON_MEMORY_REGION(address, size)
#define ASAN_UNPOISON_MEMORY_REGION(address, size)
#endif

#include "sim/net/wire.h"

/* Voice, a full Ethernet frame, a jumbo one, anything. */
static const uint16_t caps[] = {256, 1536, 9216, WZP_SIM_PAYLOAD_MAX};

struct wzp_sim_pool {
    wzp_sim_packet *free[WZP_COUNT_OF(caps)];
    uint64_t last_id, live, failed;
};

/* --- pool ------------------------------------------------------------------------------------- */

wzp_sim_pool *wzp_sim_pool_new(void) {
    return calloc(1, sizeof(wzp_sim_pool));
}

void wzp_sim_pool_free(wzp_sim_pool **pool) {
    if (*pool == NULL) {
        return;
    }
    assert((*pool)->live == 0);
    for (size_t i = 0; i < WZP_COUNT_OF(caps); i++) {
        while ((*pool)->free[i] != NULL) {
            wzp_sim_packet *packet = (*pool)->free[i];
            (*pool)->free[i] = packet->next;
            free(packet);
        }
    }
    free(*pool);
    *pool = NULL;
}

uint64_t wzp_sim_pool_live(const wzp_sim_pool *pool) {
    return pool->live;
}

uint64_t wzp_sim_pool_failed(const wzp_sim_pool *pool) {
    return pool->failed;
}

static size_t shelf_of(size_t len) {
    size_t shelf = 0;
    while (len > caps[shelf]) {
        shelf++;
    }
    return shelf;
}

/* With room for `len` bytes of payload and nothing in it but what the pool keeps. */
static wzp_sim_packet *take(wzp_sim_pool *pool, size_t len) {
    const size_t shelf = shelf_of(len);
    wzp_sim_packet *packet = pool->free[shelf];
    if (packet != NULL) {
        pool->free[shelf] = packet->next;
        ASAN_UNPOISON_MEMORY_REGION(packet->payload, caps[shelf]);
    } else {
        packet = malloc(sizeof *packet + caps[shelf]);
    }
    if (packet == NULL) {
        pool->failed++;
        return NULL;
    }
    pool->live++;
    *packet = (wzp_sim_packet){.cap = caps[shelf], .id = ++pool->last_id, .pool = pool};
    return packet;
}

void wzp_sim_packet_free(wzp_sim_packet *packet) {
    if (packet == NULL) {
        return;
    }
    wzp_sim_pool *pool = packet->pool;
    const size_t shelf = shelf_of(packet->cap);
    assert(packet->id != 0 && pool->live > 0); /* else it was freed before */
    packet->id = 0;
    pool->live--;
    packet->next = pool->free[shelf];
    pool->free[shelf] = packet;
    ASAN_POISON_MEMORY_REGION(packet->payload, caps[shelf]);
}

/* --- packets ---------------------------------------------------------------------------------- */

wzp_sim_packet *wzp_sim_packet_new(wzp_sim_pool *pool, const wzp_addr *src, const wzp_addr *dst,
                                   wzp_bytes payload, wzp_time now) {
    assert(src->family == dst->family && src->family != WZP_ADDR_NONE);
    if (payload.len > WZP_SIM_PAYLOAD_MAX) {
        pool->failed++;
        return NULL;
    }
    wzp_sim_packet *packet = take(pool, payload.len);
    if (packet == NULL) {
        return NULL;
    }
    packet->src = *src;
    packet->dst = *dst;
    packet->proto = WZP_SIM_UDP;
    packet->ttl = 64;
    packet->dont_fragment = true;
    packet->created = now;
    packet->len = (uint16_t)payload.len;
    if (payload.data == NULL) {
        memset(packet->payload, 0, payload.len);
    } else {
        memcpy(packet->payload, payload.data, payload.len);
    }
    return packet;
}

wzp_sim_packet *wzp_sim_packet_copy(const wzp_sim_packet *packet) {
    wzp_sim_packet *copy = take(packet->pool, packet->len);
    if (copy == NULL) {
        return NULL;
    }
    const uint64_t id = copy->id;
    const uint16_t cap = copy->cap;
    *copy = *packet;
    copy->id = id;
    copy->cap = cap;
    copy->next = NULL;
    memcpy(copy->payload, packet->payload, packet->len);
    return copy;
}

/* --- ICMP ------------------------------------------------------------------------------------- */

/* One machine: not multicast, broadcast or nothing at all. */
static bool is_unicast(const wzp_addr *addr) {
    static const uint8_t nothing[16] = {0};
    if (addr->family == WZP_ADDR_V4) {
        return addr->ip[0] != 0 && addr->ip[0] < 224;
    }
    return addr->ip[0] != 0xff && memcmp(addr->ip, nothing, sizeof nothing) != 0;
}

static void describe_inner(wzp_sim_packet *icmp, const wzp_sim_packet *about) {
    icmp->inner_src = about->src;
    icmp->inner_dst = about->dst;
    icmp->inner_proto = about->proto;
    icmp->inner_ttl = about->ttl;
    icmp->inner_tos = about->tos;
    icmp->inner_dont_fragment = about->dont_fragment;
    icmp->inner_len = about->len;
    icmp->inner_id = (uint16_t)about->id;
    icmp->inner_sum = wzp_sim_sum_fold(wzp_sim_sum(wzp_bytes_of(about->payload, about->len)));
}

wzp_sim_packet *wzp_sim_packet_icmp(const wzp_sim_packet *about, const wzp_addr *from,
                                    wzp_sim_icmp what, uint16_t mtu, wzp_time now) {
    if (about->proto == WZP_SIM_ICMP || from->family != about->src.family ||
        !is_unicast(&about->src) || !is_unicast(&about->dst)) {
        return NULL;
    }
    const size_t room = wzp_sim_icmp_room(about->src.family, about->proto);
    const size_t len = about->len < room ? about->len : room;
    wzp_sim_packet *icmp =
        wzp_sim_packet_new(about->pool, from, &about->src, wzp_bytes_of(about->payload, len), now);
    if (icmp == NULL) {
        return NULL;
    }
    icmp->src.port = 0;
    icmp->dst.port = 0;
    icmp->proto = WZP_SIM_ICMP;
    icmp->icmp = (uint8_t)what;
    icmp->mtu = what == WZP_SIM_ICMP_TOO_BIG ? mtu : 0;
    icmp->tos = 6 << 5; /* internetwork control, RFC 1812 4.3.2.5 */
    icmp->dont_fragment = false;
    describe_inner(icmp, about);
    return icmp;
}
