/* Test helper: the least that is a NAT.  Three rules: what a mapping depends on, that only who was
 * sent to may answer, and how the next port is found.  One host is behind it, with one socket. */
#ifndef WZP_CALL_TESTING_TOY_NAT_H
#define WZP_CALL_TESTING_TOY_NAT_H

#include <check.h>

#include "base/addr.h"

enum { TOY_NAT_MAPPINGS = 1024, TOY_NAT_PORT = 5000, TOY_NAT_BLOCK = 1024 };

/* PRC keeps the port, ADM has one for each address, SYS one for each address and port; so has SYR,
 * in no order, within a block. */
typedef enum toy_nat_kind {
    TOY_PRC,
    TOY_ADM,
    TOY_SYS,
    TOY_NAT_KINDS,
    TOY_SYR = TOY_NAT_KINDS
} toy_nat_kind;

static inline const char *toy_nat_name(toy_nat_kind kind) {
    static const char *const names[] = {"PRC", "ADM", "SYS", "SYR"};
    return names[kind];
}

typedef struct toy_nat {
    toy_nat_kind kind;
    uint8_t ip; /* 198.51.100.ip */
    int step;
    uint16_t latest; /* port */
    struct mapping {
        wzp_addr to;
        uint16_t port, inside;    /* `inside`: of the host's socket; 0: the usual one */
    } mappings[TOY_NAT_MAPPINGS]; /* one for each destination, ports may be shared */
    size_t count;
} toy_nat;

static inline bool toy_nat_shares_port(const toy_nat *n, const wzp_addr *a, const wzp_addr *b) {
    return n->kind == TOY_PRC || (n->kind == TOY_ADM && wzp_addr_same_ip(a, b));
}

static inline uint16_t toy_nat_next_port(toy_nat *n) {
    if (n->kind == TOY_SYR) { /* all of a block, each once */
        n->latest = (uint16_t)(n->latest / TOY_NAT_BLOCK * TOY_NAT_BLOCK +
                               (n->latest % TOY_NAT_BLOCK * 5U + 1) % TOY_NAT_BLOCK);
        return n->latest;
    }
    n->latest = (uint16_t)(n->latest + n->step);
    return n->kind == TOY_PRC ? TOY_NAT_PORT : n->latest;
}

/* The source that `to` sees of what leaves the host at port `inside`. */
static inline wzp_addr toy_nat_leave_from(toy_nat *n, uint16_t inside, const wzp_addr *to) {
    uint16_t port = 0;
    for (size_t i = 0; i < n->count; i++) {
        if (n->mappings[i].inside != inside) {
            continue;
        }
        if (wzp_addr_equal(&n->mappings[i].to, to)) {
            return wzp_addr_v4(198, 51, 100, n->ip, n->mappings[i].port);
        }
        port = toy_nat_shares_port(n, &n->mappings[i].to, to) ? n->mappings[i].port : port;
    }
    ck_assert_uint_lt(n->count, TOY_NAT_MAPPINGS);
    n->mappings[n->count].to = *to;
    n->mappings[n->count].inside = inside;
    n->mappings[n->count].port = port != 0 ? port : toy_nat_next_port(n);
    return wzp_addr_v4(198, 51, 100, n->ip, n->mappings[n->count++].port);
}

static inline wzp_addr toy_nat_leave(toy_nat *n, const wzp_addr *to) {
    return toy_nat_leave_from(n, 0, to);
}

/* NULL: it does not come in. */
static inline const struct mapping *toy_nat_entry(const toy_nat *n, const wzp_addr *from,
                                                  uint16_t port) {
    for (size_t i = 0; i < n->count; i++) {
        if (n->mappings[i].port == port && wzp_addr_equal(&n->mappings[i].to, from)) {
            return &n->mappings[i];
        }
    }
    return NULL;
}

static inline bool toy_nat_enters(const toy_nat *n, const wzp_addr *from, uint16_t port) {
    return toy_nat_entry(n, from, port) != NULL;
}

/* Mappings end, but for that to `kept`. */
static inline void toy_nat_forget(toy_nat *n, const wzp_addr *kept) {
    size_t count = 0;
    for (size_t i = 0; i < n->count; i++) {
        if (wzp_addr_equal(&n->mappings[i].to, kept)) {
            n->mappings[count++] = n->mappings[i];
        }
    }
    n->count = count;
}

#endif
