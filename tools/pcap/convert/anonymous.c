#include "tools/pcap/convert/anonymous.h"

#include <sodium.h>

#include "base/rd.h"
#include "base/wr.h"

#define PROBES_MAX 64 /* places that are looked at for one flow: a full table costs no more */
#define QUIC_V1 1u
#define QUIC_V2 0x6b3343cfu

void wzp_pcap_anonymous_init(wzp_pcap_anonymous *a, uint64_t seed) {
    uint8_t bytes[8];
    wzp_wr wr;
    wzp_wr_init(&wr, bytes, sizeof bytes);
    wzp_wr_u64(&wr, seed);
    memset(a, 0, sizeof *a);
    (void)crypto_generichash(a->key, sizeof a->key, bytes, sizeof bytes, NULL, 0);
}

static uint64_t digest(const wzp_pcap_anonymous *a, const uint8_t *bytes, size_t len) {
    uint8_t out[crypto_shorthash_BYTES];
    wzp_rd rd;
    (void)crypto_shorthash(out, bytes, len, a->key);
    wzp_rd_init(&rd, wzp_bytes_of(out, sizeof out));
    return wzp_rd_u64(&rd, "digest");
}

/* Each bit is turned or not, as a function of those before it. */
wzp_addr wzp_pcap_anonymous_addr(const wzp_pcap_anonymous *a, const wzp_addr *addr) {
    wzp_addr out = *addr;
    uint8_t prefix[18] = {0}; /* family, number of bits, bits */
    const unsigned bits = addr->family == WZP_ADDR_V6 ? 128 : 32;
    prefix[0] = addr->family;
    for (unsigned bit = 0; bit < bits && addr->family != WZP_ADDR_NONE; bit++) {
        const uint8_t mask = (uint8_t)(0x80 >> bit % 8);
        prefix[1] = (uint8_t)bit;
        out.ip[bit / 8] ^= (digest(a, prefix, sizeof prefix) & 1) != 0 ? mask : 0;
        prefix[2 + bit / 8] |= (uint8_t)(addr->ip[bit / 8] & mask);
    }
    return out;
}

/* --- flows ------------------------------------------------------------------------------------ */

static void put_end(wzp_wr *wr, const wzp_addr *addr) {
    wzp_wr_u8(wr, addr->family);
    wzp_wr_bytes(wr, wzp_bytes_of(addr->ip, sizeof addr->ip));
    wzp_wr_u16(wr, addr->port);
}

/* The same for both directions. */
static uint64_t flow_of(const wzp_pcap_anonymous *a, const wzp_addr *src, const wzp_addr *dst) {
    uint8_t ends[2][19];
    wzp_wr wr;
    wzp_wr_init(&wr, ends[0], sizeof ends[0]);
    put_end(&wr, src);
    wzp_wr_init(&wr, ends[1], sizeof ends[1]);
    put_end(&wr, dst);
    const uint64_t flow = digest(a, ends[0], sizeof ends[0]) + digest(a, ends[1], sizeof ends[1]);
    return flow != 0 ? flow : 1;
}

/* Where it is, or the free place for it; NULL: it is not there and there is no room. */
static uint64_t *find(wzp_pcap_anonymous *a, uint64_t flow) {
    for (size_t i = 0; i < PROBES_MAX; i++) {
        uint64_t *at = &a->flows[(flow + i) % WZP_PCAP_ANONYMOUS_FLOWS];
        if (*at == flow || *at == 0) {
            return at;
        }
    }
    return NULL;
}

/* --- QUIC ------------------------------------------------------------------------------------- */

typedef enum kind { NO_QUIC, SHORT, LONG, INITIAL } kind;

static uint64_t varint(wzp_rd *rd) {
    const uint8_t first = wzp_rd_u8(rd, "varint");
    uint64_t value = first & 0x3f;
    for (unsigned i = 1; i < 1u << (first >> 6); i++) {
        value = value << 8 | wzp_rd_u8(rd, "varint");
    }
    return value;
}

/* The packet at the front, which is then behind. */
static kind next_kind(wzp_rd *rd) {
    const uint8_t first = wzp_rd_u8(rd, "first byte");
    if ((first & 0x80) == 0) {
        (void)wzp_rd_rest(rd);
        return (first & 0x40) != 0 ? SHORT : NO_QUIC;
    }
    const uint32_t version = wzp_rd_u32(rd, "version");
    const unsigned type = (first >> 4 & 3) - (version == QUIC_V2 ? 1u : 0u);
    if ((version != QUIC_V1 && version != QUIC_V2) || (first & 0x40) == 0) {
        return NO_QUIC;
    }
    if ((type & 3) == 0) {
        return INITIAL;
    }
    (void)wzp_rd_bytes(rd, wzp_rd_u8(rd, "DCID Length"), "DCID");
    (void)wzp_rd_bytes(rd, wzp_rd_u8(rd, "SCID Length"), "SCID");
    if ((type & 3) == 3) { /* Retry: no length */
        (void)wzp_rd_rest(rd);
    } else {
        (void)wzp_rd_bytes(rd, varint(rd), "packet");
    }
    return rd->fail.code == WZP_OK ? LONG : NO_QUIC;
}

/* The worst of its packets, the first one deciding between long and short. */
static kind kind_of(wzp_bytes payload) {
    wzp_rd rd;
    wzp_rd_init(&rd, payload);
    const kind first = payload.len == 0 ? NO_QUIC : next_kind(&rd);
    kind next = first;
    while ((next == LONG || next == SHORT) && wzp_rd_left(&rd) > 0) {
        next = next_kind(&rd);
    }
    return next == INITIAL || next == NO_QUIC ? next : first;
}

bool wzp_pcap_anonymous_may_show(wzp_pcap_anonymous *a, const wzp_addr *src, const wzp_addr *dst,
                                 wzp_bytes payload) {
    const uint64_t flow = flow_of(a, src, dst);
    const kind seen = kind_of(payload);
    uint64_t *at = find(a, flow);
    if (seen == NO_QUIC || at == NULL) {
        return false;
    }
    if (seen != SHORT) {
        *at = flow;
    }
    return seen != INITIAL && *at == flow;
}
