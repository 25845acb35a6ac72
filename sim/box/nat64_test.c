/* SIM-007: addresses of RFC 6052 and the CLAT of RFC 6877; the stateful half is tested with its
 * box. */
#include "sim/box/nat64.h"

#include <check.h>
#include <stdio.h>

#include "base/testing/suite.h"

static wzp_addr addr(const char *text) {
    wzp_addr out;
    ck_assert_msg(wzp_addr_parse(&out, text) == WZP_OK, "%s", text);
    return out;
}

static const struct address_case {
    const char *v4, *v6;
} addresses[] = {
    {"192.0.2.33:80", "[64:ff9b::192.0.2.33]:80"}, /* RFC 6052, 2.4 */
    {"0.0.0.0:0", "[64:ff9b::]:0"},
    {"255.255.255.255:65535", "[64:ff9b::ffff:ffff]:65535"},
};

START_TEST(addresses_stand_for_each_other) {
    const wzp_addr v4 = addr(addresses[_i].v4);
    const wzp_addr v6 = addr(addresses[_i].v6);
    const wzp_addr embedded = wzp_sim_nat64_embed(&v4);
    wzp_addr extracted = {0};
    ck_assert(wzp_addr_equal(&embedded, &v6));
    ck_assert(wzp_sim_nat64_extract(&v6, &extracted));
    ck_assert(wzp_addr_equal(&extracted, &v4));
}
END_TEST

static const char *const others[] = {"[64:ff9b:0:0:0:1::]:80", "[64:ff9b:1::]:80", "[::]:80",
                                     "192.0.2.1:80"};

START_TEST(others_stand_for_nothing) {
    const wzp_addr other = addr(others[_i]);
    wzp_addr out = addr("10.0.0.1:1");
    const wzp_addr before = out;
    ck_assert(!wzp_sim_nat64_extract(&other, &out));
    ck_assert(wzp_addr_equal(&out, &before));
}
END_TEST

/* --- CLAT ------------------------------------------------------------------------------------- */

typedef struct paper {
    wzp_sim_pipe pipe; /* first */
    char text[512];
} paper;

static void carry(wzp_sim_pipe *pipe, wzp_sim_packet *p, wzp_time now) {
    paper *on = (paper *)pipe;
    char a[WZP_ADDR_TEXT_MAX];
    char b[WZP_ADDR_TEXT_MAX];
    char c[WZP_ADDR_TEXT_MAX];
    char d[WZP_ADDR_TEXT_MAX];
    (void)now;
    if (p->proto == WZP_SIM_ICMP) {
        (void)snprintf(on->text, sizeof on->text, "%s > %s mtu %u: %s > %s",
                       wzp_addr_text(&p->src, a), wzp_addr_text(&p->dst, b), p->mtu,
                       wzp_addr_text(&p->inner_src, c), wzp_addr_text(&p->inner_dst, d));
    } else {
        (void)snprintf(on->text, sizeof on->text, "%s > %s", wzp_addr_text(&p->src, a),
                       wzp_addr_text(&p->dst, b));
    }
    wzp_sim_packet_free(p);
}

/* `error_about`: the packet is an error from `src` to `dst` about one between these. */
static const struct clat_case {
    const char *name;
    unsigned port;
    const char *src, *dst, *about_src, *about_dst;
    const char *want; /* NULL: dropped */
} clats[] = {
    {"out", 0, "192.0.0.4:5000", "192.0.2.1:80", NULL, NULL,
     "[2001:db8::9]:5000 > [64:ff9b::c000:201]:80"},
    {"in", 1, "[64:ff9b::192.0.2.1]:80", "[2001:db8::9]:5000", NULL, NULL,
     "192.0.2.1:80 > 192.0.0.4:5000"},
    {"of somebody else, out", 0, "192.168.0.4:5000", "192.0.2.1:80", NULL, NULL, NULL},
    {"IPv6 from outside the prefix", 1, "[2001:db8:1::1]:80", "[2001:db8::9]:5000", NULL, NULL,
     "[2001:db8:1::1]:80 > [2001:db8::9]:5000"},
    {"to another address of the host", 1, "[64:ff9b::192.0.2.1]:80", "[2001:db8::8]:5000", NULL,
     NULL, "[64:ff9b::c000:201]:80 > [2001:db8::8]:5000"},
    {"IPv6 of the host itself", 0, "[2001:db8::8]:5000", "[2001:db8:1::1]:80", NULL, NULL,
     "[2001:db8::8]:5000 > [2001:db8:1::1]:80"},
    {"error in", 1, "[64:ff9b::198.51.100.1]:0", NULL, "[2001:db8::9]:5000",
     "[64:ff9b::192.0.2.1]:80",
     "198.51.100.1:0 > 192.0.0.4:0 mtu 1260: 192.0.0.4:5000 > 192.0.2.1:80"},
    {"error out", 0, "192.0.0.4:0", NULL, "192.0.2.1:80", "192.0.0.4:5000",
     "[2001:db8::9]:0 > [64:ff9b::c000:201]:0 mtu 1300: [64:ff9b::c000:201]:80 > "
     "[2001:db8::9]:5000"},
};

static wzp_sim_packet *make(wzp_sim_pool *pool, const struct clat_case *c) {
    const wzp_addr src = addr(c->src);
    if (c->about_src == NULL) {
        const wzp_addr dst = addr(c->dst);
        return wzp_sim_packet_new(pool, &src, &dst, wzp_bytes_str("x"), 0);
    }
    const wzp_addr from = addr(c->about_src);
    const wzp_addr to = addr(c->about_dst);
    wzp_sim_packet *about = wzp_sim_packet_new(pool, &from, &to, wzp_bytes_str("x"), 0);
    wzp_sim_packet *error = wzp_sim_packet_icmp(about, &src, WZP_SIM_ICMP_TOO_BIG, 1280, 0);
    wzp_sim_packet_free(about);
    return error;
}

START_TEST(clat) {
    const struct clat_case *c = &clats[_i];
    const wzp_addr v4 = addr("192.0.0.4:0");
    const wzp_addr v6 = addr("[2001:db8::9]:0");
    wzp_sim_pool *pool = wzp_sim_pool_new();
    paper sides[2] = {{.pipe = {carry, "host"}}, {.pipe = {carry, "network"}}};
    wzp_sim_clat node;
    wzp_sim_clat_init(&node, "clat", &v4, &v6);
    node.pipe[0] = &sides[0].pipe;
    node.pipe[1] = &sides[1].pipe;
    wzp_sim_node_deliver(&node.node, c->port, make(pool, c), 0);
    const char *got = sides[1 - c->port].text;
    ck_assert_msg(strcmp(got, c->want != NULL ? c->want : "") == 0, "%s: %s", c->name, got);
    ck_assert_uint_eq(node.counts.dropped[WZP_SIM_DROP_NO_ROUTE], c->want == NULL);
    wzp_sim_pool_free(&pool);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("nat64");
    tcase_add_loop_test(tc, addresses_stand_for_each_other, 0, (int)WZP_COUNT_OF(addresses));
    tcase_add_loop_test(tc, others_stand_for_nothing, 0, (int)WZP_COUNT_OF(others));
    tcase_add_loop_test(tc, clat, 0, (int)WZP_COUNT_OF(clats));
    return wzp_run_suite("nat64", tc);
}
