#include "sim/box/testing/raw.h"

#include <assert.h>
#include <stdio.h>

enum { ICMP = 1, TCP = 6, UDP = 17, FRAGMENT = 44, ICMP6 = 58, OPTIONS = 60 };

static void put(raw *r, uint64_t value, size_t bytes) {
    assert(r->len + bytes <= RAW_MAX);
    for (size_t i = 0; i < bytes; i++) {
        r->at[r->len++] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    }
}

static void put_bytes(raw *r, const uint8_t *bytes, size_t len) {
    assert(r->len + len <= RAW_MAX);
    memcpy(r->at + r->len, bytes, len);
    r->len += len;
}

static unsigned get16(const uint8_t *at) {
    return (unsigned)at[0] << 8 | at[1];
}

static void set16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* One's complement sum, carries added at each step (RFC 1071). */
static unsigned add(unsigned sum, const uint8_t *at, size_t len) {
    for (size_t i = 0; i < len; i += 2) {
        sum += (unsigned)at[i] << 8 | (i + 1 < len ? at[i + 1] : 0U);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

/* Sum over the pseudo header and the body. */
static unsigned sum_body(const uint8_t *ip, uint8_t proto, const uint8_t *body, size_t len) {
    const bool v4 = ip[0] >> 4 == 4;
    const uint8_t rest[4] = {0, proto, (uint8_t)(len >> 8), (uint8_t)len};
    unsigned sum = add(0, ip + (v4 ? 12 : 8), v4 ? 8 : 32);
    return add(add(sum, rest, sizeof rest), body, len);
}

/* --- making ----------------------------------------------------------------------------------- */

static wzp_addr addr(const char *text) {
    wzp_addr out;
    const wzp_err err = wzp_addr_parse(&out, text);
    assert(err == WZP_OK);
    return out;
}

static void put_v4(raw *r, const raw_cfg *cfg, uint8_t proto, size_t body) {
    const wzp_addr src = addr(cfg->src);
    const wzp_addr dst = addr(cfg->dst);
    const size_t header = 20 + cfg->options;
    put(r, 0x40 | header / 4, 1);
    put(r, 0xb8, 1);
    put(r, header + body, 2);
    put(r, 0x1234, 2);
    put(r, 0x4000, 2);
    put(r, cfg->ttl > 0 ? cfg->ttl : 64, 1);
    put(r, proto, 1);
    put(r, 0, 2);
    put_bytes(r, src.ip, 4);
    put_bytes(r, dst.ip, 4);
    for (size_t i = 0; i < cfg->options; i++) {
        put(r, 1, 1); /* no operation */
    }
    set16(r->at + 10, 0xffff ^ add(0, r->at, header));
}

static void put_v6(raw *r, const raw_cfg *cfg, uint8_t proto, size_t body) {
    const wzp_addr src = addr(cfg->src);
    const wzp_addr dst = addr(cfg->dst);
    put(r, 0x6b812345, 4);
    put(r, cfg->options + body, 2);
    put(r, cfg->options > 0 ? OPTIONS : proto, 1);
    put(r, cfg->ttl > 0 ? cfg->ttl : 64, 1);
    put_bytes(r, src.ip, 16);
    put_bytes(r, dst.ip, 16);
    if (cfg->options > 0) {
        put(r, proto, 1);
        put(r, cfg->options / 8 - 1, 1);
        put(r, 1, 1); /* PadN */
        put(r, cfg->options - 4, 1);
        for (size_t i = 4; i < cfg->options; i++) {
            put(r, 0, 1);
        }
    }
}

static void put_transport(raw *r, const raw_cfg *cfg, uint8_t proto) {
    put(r, addr(cfg->src).port, 2);
    put(r, addr(cfg->dst).port, 2);
    if (proto == UDP) {
        put(r, 8 + cfg->payload, 2);
        put(r, 0, 2);
    } else {
        put(r, 0x01020304, 4);
        put(r, 0x05060708, 4);
        put(r, 0x5010ffff, 4);
        put(r, 0, 4);
    }
    for (size_t i = 0; i < cfg->payload; i++) {
        put(r, i * 7 + 1, 1);
    }
}

static void put_icmp(raw *r, const raw_cfg *cfg, bool v4, size_t quote_len) {
    put(r, cfg->icmp_type > 0 ? cfg->icmp_type : v4 ? 3 : 1, 1);
    put(r, v4 ? 3 : 4, 1);
    put(r, 0, 2);
    put(r, 0, 4);
    put_bytes(r, cfg->quoted->at, quote_len);
}

static void put_query(raw *r, const raw_cfg *cfg) {
    put(r, cfg->icmp_type, 1);
    put(r, 0, 3);
    put(r, cfg->query, 2);
    put(r, 7, 2);
    for (size_t i = 0; i < cfg->payload; i++) {
        put(r, i * 5 + 3, 1);
    }
}

static size_t checksum_at(uint8_t proto) {
    return proto == UDP ? 6 : proto == TCP ? 16 : 2;
}

void raw_make(raw *out, const raw_cfg *cfg) {
    const bool v4 = addr(cfg->src).family == WZP_ADDR_V4;
    const bool icmp = cfg->quoted != NULL || cfg->query != 0;
    const uint8_t proto = icmp ? (v4 ? ICMP : ICMP6) : cfg->proto > 0 ? cfg->proto : UDP;
    const size_t quote_len = cfg->quoted == NULL  ? 0
                             : cfg->quote_len > 0 ? cfg->quote_len
                                                  : cfg->quoted->len;
    const size_t body =
        cfg->quoted != NULL ? 8 + quote_len : (proto == TCP ? 20 : 8) + cfg->payload;
    out->len = 0;
    (v4 ? put_v4 : put_v6)(out, cfg, proto, body);
    uint8_t *at = out->at + out->len;
    if (cfg->quoted != NULL) {
        put_icmp(out, cfg, v4, quote_len);
    } else if (cfg->query != 0) {
        put_query(out, cfg);
    } else {
        put_transport(out, cfg, proto);
    }
    const unsigned sum = proto == ICMP ? add(0, at, body) : sum_body(out->at, proto, at, body);
    const unsigned checksum = 0xffff ^ sum;
    if (!cfg->no_checksum) {
        set16(at + checksum_at(proto), proto == UDP && checksum == 0 ? 0xffff : checksum);
    }
}

void raw_fragment(raw *out, const raw *whole, size_t from, size_t to, uint32_t id) {
    const bool v4 = whole->at[0] >> 4 == 4;
    const size_t header = v4 ? (size_t)(whole->at[0] & 15) * 4 : 40;
    const bool more = header + to < whole->len;
    out->len = 0;
    put_bytes(out, whole->at, header);
    if (v4) {
        set16(out->at + 2, (unsigned)(header + to - from));
        set16(out->at + 4, id);
        set16(out->at + 6, (unsigned)(from / 8) | (more ? 0x2000U : 0U));
        set16(out->at + 10, 0);
        set16(out->at + 10, 0xffff ^ add(0, out->at, header));
    } else {
        set16(out->at + 4, (unsigned)(8 + to - from));
        put(out, out->at[6], 1);
        out->at[6] = FRAGMENT;
        put(out, 0, 1);
        put(out, from | more, 2);
        put(out, id, 4);
    }
    put_bytes(out, whole->at + header + from, to - from);
}

/* 1: a query, 2: a reply to one, 0: an error or something else. */
static unsigned is_query(uint8_t proto, uint8_t type) {
    if (proto == ICMP) {
        return type == 8 || type == 13 ? 1 : type == 0 || type == 14 ? 2 : 0;
    }
    return proto == ICMP6 && type >= 128 && type <= 129 ? type - 127U : 0;
}

/* --- judging ---------------------------------------------------------------------------------- */

/* Where the body is, and what it is; false: a fragment without its begin. */
static bool find_body(const uint8_t *at, size_t *body, uint8_t *proto, bool *divided) {
    if (at[0] >> 4 == 4) {
        *body = (size_t)(at[0] & 15) * 4;
        *proto = at[9];
        *divided = (get16(at + 6) & 0x3fff) != 0;
        return (get16(at + 6) & 0x1fff) == 0;
    }
    *body = 40;
    *proto = at[6];
    *divided = false;
    while (*proto == OPTIONS || *proto == FRAGMENT) {
        const uint8_t *header = at + *body;
        if (*proto == FRAGMENT) {
            *divided = true;
            *proto = header[0];
            *body += 8;
            return get16(header + 2) < 8;
        }
        *proto = header[0];
        *body += 8 + (size_t)header[1] * 8;
    }
    return true;
}

static const char *judge_header(const uint8_t *at, size_t len) {
    const bool v4 = at[0] >> 4 == 4;
    if (v4 && add(0, at, (size_t)(at[0] & 15) * 4) != 0xffff) {
        return "IPv4 header checksum";
    }
    return len != (v4 ? get16(at + 2) : 40 + get16(at + 4)) ? "length" : NULL;
}

/* *inner: the packet that an error is about, if this is one. */
static const char *judge_one(const uint8_t *at, size_t len, const uint8_t **inner) {
    size_t body = 0;
    uint8_t proto = 0;
    bool divided = false;
    const char *wrong = judge_header(at, len);
    *inner = NULL;
    if (wrong != NULL || !find_body(at, &body, &proto, &divided) || divided) {
        return wrong;
    }
    const uint8_t *b = at + body;
    const size_t body_len = len - body;
    if (proto == UDP && get16(b + 6) == 0) {
        return NULL;
    }
    const unsigned sum = proto == ICMP ? add(0, b, body_len) : sum_body(at, proto, b, body_len);
    const bool error = (proto == ICMP || proto == ICMP6) && is_query(proto, b[0]) == 0;
    *inner = error ? b + 8 : NULL;
    return sum != 0xffff ? "checksum" : NULL;
}

/* Of one that was cut only the header can be judged. */
static const char *judge_inner(const uint8_t *at, size_t len) {
    const bool v4 = at[0] >> 4 == 4;
    const size_t total = v4 ? get16(at + 2) : 40 + get16(at + 4);
    const uint8_t *deeper = NULL;
    if (v4 && add(0, at, (size_t)(at[0] & 15) * 4) != 0xffff) {
        return "IPv4 header checksum of the packet inside";
    }
    return total == len ? judge_one(at, len, &deeper) : NULL;
}

const char *raw_judge(const uint8_t *at, size_t len) {
    const uint8_t *inner = NULL;
    const char *wrong = judge_one(at, len, &inner);
    return wrong == NULL && inner != NULL ? judge_inner(inner, len - (size_t)(inner - at)) : wrong;
}

static wzp_addr address(const uint8_t *at, size_t which, unsigned port) {
    const bool v4 = at[0] >> 4 == 4;
    wzp_addr a = {.family = v4 ? WZP_ADDR_V4 : WZP_ADDR_V6, .port = (uint16_t)port};
    memcpy(a.ip, at + (v4 ? 12 + 4 * which : 8 + 16 * which), v4 ? 4 : 16);
    return a;
}

/* Returns the packet that an error is about, if this is one. */
static const uint8_t *describe(const uint8_t *at, char buf[128]) {
    size_t body = 0;
    uint8_t proto = 0;
    bool divided = false;
    char a[WZP_ADDR_TEXT_MAX];
    char b[WZP_ADDR_TEXT_MAX];
    const bool begins = find_body(at, &body, &proto, &divided);
    const bool icmp = begins && (proto == ICMP || proto == ICMP6);
    const bool ports = begins && !icmp;
    const unsigned query = icmp ? is_query(proto, at[body]) : 0;
    const unsigned id = query != 0 ? get16(at + body + 4) : 0;
    const wzp_addr src = address(at, 0, ports ? get16(at + body) : query == 1 ? id : 0);
    const wzp_addr dst = address(at, 1, ports ? get16(at + body + 2) : query == 2 ? id : 0);
    (void)snprintf(buf, 128, "%s > %s ttl %u", wzp_addr_text(&src, a), wzp_addr_text(&dst, b),
                   at[at[0] >> 4 == 4 ? 8 : 7]);
    return icmp && query == 0 ? at + body + 8 : NULL;
}

const char *raw_text(const uint8_t *at, char *buf) {
    char outer[128];
    char about[128] = "";
    const uint8_t *inner = describe(at, outer);
    if (inner != NULL) {
        (void)describe(inner, about);
    }
    (void)snprintf(buf, 256, "%s%s%.100s", outer, inner != NULL ? " about " : "", about);
    return buf;
}
