/* Real packets through the NAT: named cases, every prefix, and against the simulator's own packets
 * (SIM-008). */
#include "sim/box/rewrite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "sim/box/ip.h"
#include "sim/box/testing/raw.h"
#include "sim/engine/chance.h"
#include "sim/net/packet.h"

enum { TCP = 6 };

typedef struct bench {
    wzp_sim_nat *nat;
    wzp_sim_rewriter *rewriter;
    raw packet;
    char text[256];
} bench;

static wzp_sim_nat *new_nat(const char *preset, uint64_t seed) {
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 1, 0);
    wzp_sim_nat_cfg cfg;
    wzp_sim_nat *nat = NULL;
    ck_assert(wzp_sim_nat_preset(preset, &cfg));
    ck_assert_int_eq(wzp_sim_nat_new(&nat, &cfg, &external, 1, seed, "nat", 0, NULL), WZP_OK);
    return nat;
}

static void open_bench(bench *b, const char *preset, const wzp_sim_rewriter_cfg *cfg) {
    *b = (bench){.nat = new_nat(preset, 1)};
    ck_assert_int_eq(wzp_sim_rewriter_new(&b->rewriter, cfg, b->nat), WZP_OK);
}

static void close_bench(bench *b) {
    wzp_sim_rewriter_free(&b->rewriter);
    wzp_sim_nat_free(&b->nat);
}

/* Rewrites the bench's packet, in memory of exactly its length. */
static wzp_sim_rewrite run(bench *b, bool outbound, wzp_time now) {
    uint8_t *exact = malloc(b->packet.len);
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, b->packet.at, b->packet.len);
    const wzp_sim_rewrite verdict =
        outbound ? wzp_sim_rewrite_out(b->rewriter, exact, b->packet.len, now)
                 : wzp_sim_rewrite_in(b->rewriter, exact, b->packet.len, now);
    if (verdict != WZP_SIM_REWRITE_FORWARD && verdict != WZP_SIM_REWRITE_TURN) {
        ck_assert_mem_eq(exact, b->packet.at, b->packet.len); /* dropped ones stay as they were */
    }
    memcpy(b->packet.at, exact, b->packet.len);
    free(exact);
    return verdict;
}

static void expect(bench *b, bool outbound, wzp_time now, wzp_sim_rewrite want, const char *text) {
    const wzp_sim_rewrite got = run(b, outbound, now);
    ck_assert_msg(got == want, "%s, not %s", wzp_sim_rewrite_name(got), wzp_sim_rewrite_name(want));
    if (text != NULL) {
        const char *wrong = raw_judge(b->packet.at, b->packet.len);
        ck_assert_msg(wrong == NULL, "%s: wrong %s", text, wrong);
        ck_assert_str_eq(raw_text(b->packet.at, b->text), text);
    }
}

static void make(bench *b, const raw_cfg *cfg) {
    raw_make(&b->packet, cfg);
    ck_assert_ptr_null(raw_judge(b->packet.at, b->packet.len));
}

#define OUT(...) make(&b, &(raw_cfg){.src = "10.0.0.1:5000", .dst = "192.0.2.1:80", __VA_ARGS__})
#define IN(...) make(&b, &(raw_cfg){.src = "192.0.2.1:80", .dst = "203.0.113.1:5000", __VA_ARGS__})
#define FORWARD WZP_SIM_REWRITE_FORWARD

/* --- whole packets ---------------------------------------------------------------------------- */

static const struct kind {
    const char *name;
    raw_cfg cfg; /* of what differs */
} kinds[] = {
    {"UDP", {.payload = 100}},
    {"UDP of odd length", {.payload = 101}},
    {"UDP without payload", {.payload = 0}},
    {"UDP without checksum", {.payload = 9, .no_checksum = true}},
    {"UDP with options", {.payload = 100, .options = 8}},
    {"TCP", {.proto = TCP, .payload = 100}},
    {"TCP with options", {.proto = TCP, .payload = 3, .options = 40}},
};

START_TEST(out_and_in) {
    bench b;
    raw_cfg cfg = kinds[_i].cfg;
    open_bench(&b, "linux-masq", &(wzp_sim_rewriter_cfg){0});
    cfg.src = "10.0.0.1:5000";
    cfg.dst = "192.0.2.1:80";
    make(&b, &cfg);
    expect(&b, true, 0, FORWARD, "203.0.113.1:5000 > 192.0.2.1:80 ttl 63");
    cfg.src = "192.0.2.1:80";
    cfg.dst = "203.0.113.1:5000";
    make(&b, &cfg);
    expect(&b, false, 0, FORWARD, "192.0.2.1:80 > 10.0.0.1:5000 ttl 63");
    cfg.dst = "203.0.113.1:5001";
    make(&b, &cfg);
    expect(&b, false, 0, WZP_SIM_REWRITE_NO_MAPPING, NULL);
    close_bench(&b);
}
END_TEST

START_TEST(ipv6_through_a_firewall) {
    bench b;
    raw_cfg cfg = kinds[_i].cfg;
    open_bench(&b, "fw", &(wzp_sim_rewriter_cfg){0});
    cfg.src = "[2001:db8::1]:5000";
    cfg.dst = "[2001:db8:1::1]:80";
    make(&b, &cfg);
    expect(&b, true, 0, FORWARD, "[2001:db8::1]:5000 > [2001:db8:1::1]:80 ttl 63");
    cfg.src = "[2001:db8:1::1]:80";
    cfg.dst = "[2001:db8::1]:5000";
    make(&b, &cfg);
    expect(&b, false, 0, FORWARD, "[2001:db8:1::1]:80 > [2001:db8::1]:5000 ttl 63");
    cfg.src = "[2001:db8:1::1]:81";
    make(&b, &cfg);
    expect(&b, false, 0, WZP_SIM_REWRITE_FILTER, NULL);
    close_bench(&b);
}
END_TEST

/* IPv6 with other addresses: not what one should do, but NAT66 exists and its checksums too. */
START_TEST(ipv6_translated) {
    wzp_addr external;
    wzp_sim_nat_cfg nat_cfg;
    bench b = {.nat = NULL};
    raw_cfg cfg = kinds[_i].cfg;
    ck_assert_int_eq(wzp_addr_parse(&external, "[2001:db8:ff::1]:0"), WZP_OK);
    ck_assert(wzp_sim_nat_preset("symseq", &nat_cfg));
    ck_assert_int_eq(wzp_sim_nat_new(&b.nat, &nat_cfg, &external, 1, 1, "nat", 0, NULL), WZP_OK);
    ck_assert_int_eq(wzp_sim_rewriter_new(&b.rewriter, &(wzp_sim_rewriter_cfg){0}, b.nat), WZP_OK);
    cfg.src = "[2001:db8::1]:5000";
    cfg.dst = "[2001:db8:1::1]:80";
    make(&b, &cfg);
    expect(&b, true, 0, FORWARD, "[2001:db8:ff::1]:1024 > [2001:db8:1::1]:80 ttl 63");
    raw about = b.packet;
    cfg.src = "[2001:db8:1::1]:80";
    cfg.dst = "[2001:db8:ff::1]:1024";
    make(&b, &cfg);
    expect(&b, false, 0, FORWARD, "[2001:db8:1::1]:80 > [2001:db8::1]:5000 ttl 63");
    make(&b, &(raw_cfg){.src = "[2001:db8:2::2]:0", .dst = "[2001:db8:ff::1]:0", .quoted = &about});
    expect(&b, false, 0, FORWARD,
           "[2001:db8:2::2]:0 > [2001:db8::1]:0 ttl 63 about [2001:db8::1]:5000 > "
           "[2001:db8:1::1]:80 ttl 63");
    close_bench(&b);
}
END_TEST

START_TEST(hairpin_turns) {
    bench b;
    open_bench(&b, "fullcone", &(wzp_sim_rewriter_cfg){0});
    make(&b, &(raw_cfg){.src = "10.0.0.2:6000", .dst = "192.0.2.1:80"});
    expect(&b, true, 0, FORWARD, "203.0.113.1:6000 > 192.0.2.1:80 ttl 63");
    make(&b, &(raw_cfg){.src = "10.0.0.1:5000", .dst = "203.0.113.1:6000", .payload = 7});
    expect(&b, true, 0, WZP_SIM_REWRITE_TURN, "203.0.113.1:5000 > 10.0.0.2:6000 ttl 63");
    close_bench(&b);
}
END_TEST

START_TEST(ttl_ends) {
    bench b;
    open_bench(&b, "fullcone", &(wzp_sim_rewriter_cfg){0});
    OUT(.ttl = 1);
    expect(&b, true, 0, WZP_SIM_REWRITE_TTL, NULL);
    OUT(.ttl = 2);
    expect(&b, true, 0, FORWARD, "203.0.113.1:5000 > 192.0.2.1:80 ttl 1");
    b.packet.at[8] = 0;
    b.packet.at[11]++; /* what TTL has less, the checksum has more */
    expect(&b, false, 0, WZP_SIM_REWRITE_MALFORMED, NULL);
    IN(.ttl = 1);
    expect(&b, false, 0, WZP_SIM_REWRITE_TTL, NULL);
    close_bench(&b);
}
END_TEST

START_TEST(corruption_stays) {
    bench b;
    open_bench(&b, "fullcone", &(wzp_sim_rewriter_cfg){0});
    OUT(.payload = 40);
    b.packet.at[40] ^= 4;
    expect(&b, true, 0, FORWARD, NULL);
    ck_assert_str_eq(raw_judge(b.packet.at, b.packet.len), "checksum");
    b.packet.at[40] ^= 4;
    ck_assert_ptr_null(raw_judge(b.packet.at, b.packet.len));
    close_bench(&b);
}
END_TEST

/* A checksum that comes out as 0 is sent as 0xffff: with 65536 ports one of them must be it. */
START_TEST(no_checksum_becomes_zero) {
    bench b;
    unsigned ones = 0;
    open_bench(&b, "fullcone", &(wzp_sim_rewriter_cfg){0});
    for (unsigned port = 1; port <= 65535; port++) {
        char remote[32];
        (void)snprintf(remote, sizeof remote, "192.0.2.1:%u", port);
        raw_make(&b.packet, &(raw_cfg){.src = "10.0.0.1:5000", .dst = remote});
        if (wzp_sim_rewrite_out(b.rewriter, b.packet.at, b.packet.len, 0) != FORWARD ||
            raw_judge(b.packet.at, b.packet.len) != NULL) {
            ck_abort_msg("port %u", port);
        }
        const unsigned checksum = (unsigned)b.packet.at[26] << 8 | b.packet.at[27];
        ck_assert(checksum != 0 || port == 0);
        ones += checksum == 0xffff;
    }
    ck_assert_uint_eq(ones, 1);
    close_bench(&b);
}
END_TEST

START_TEST(padding_is_left_alone) {
    bench b;
    open_bench(&b, "fullcone", &(wzp_sim_rewriter_cfg){0});
    OUT(.payload = 5);
    const size_t len = b.packet.len;
    memset(b.packet.at + len, 0xee, 20);
    b.packet.len += 20;
    expect(&b, true, 0, FORWARD, NULL);
    ck_assert_ptr_null(raw_judge(b.packet.at, len));
    for (size_t i = 0; i < 20; i++) {
        ck_assert_uint_eq(b.packet.at[len + i], 0xee);
    }
    close_bench(&b);
}
END_TEST

/* --- what cannot be understood ---------------------------------------------------------------- */

static const struct broken_case {
    const char *name;
    raw_cfg cfg;
    size_t at;
    uint8_t value;
    bool mend; /* the header checksum is made right again */
    wzp_sim_rewrite want;
} broken[] = {
    {"version 5", {.payload = 9}, 0, 0x55, true, WZP_SIM_REWRITE_MALFORMED},
    {"header of 16 bytes", {.payload = 9}, 0, 0x44, true, WZP_SIM_REWRITE_MALFORMED},
    {"header longer than the packet", {.payload = 0}, 0, 0x4f, true, WZP_SIM_REWRITE_MALFORMED},
    {"total length beyond the end", {.payload = 9}, 3, 38, true, WZP_SIM_REWRITE_MALFORMED},
    {"total length shorter than the header",
     {.payload = 9},
     3,
     19,
     true,
     WZP_SIM_REWRITE_MALFORMED},
    {"total length ends in UDP's header", {.payload = 9}, 3, 27, true, WZP_SIM_REWRITE_MALFORMED},
    {"header checksum", {.payload = 9}, 10, 0, false, WZP_SIM_REWRITE_MALFORMED},
    {"UDP length of 7", {.payload = 9}, 25, 7, false, WZP_SIM_REWRITE_MALFORMED},
    {"UDP length beyond the end", {.payload = 9}, 25, 18, false, WZP_SIM_REWRITE_MALFORMED},
    {"GRE", {.payload = 9}, 9, 47, true, WZP_SIM_REWRITE_PROTOCOL},
    {"TCP of 19 bytes", {.payload = 11}, 9, TCP, true, WZP_SIM_REWRITE_MALFORMED},
};

static void mend(raw *packet) {
    const size_t header = (size_t)(packet->at[0] & 15) * 4;
    uint32_t sum = 0;
    packet->at[10] = packet->at[11] = 0;
    for (size_t i = 0; i < header; i += 2) {
        sum += (uint32_t)packet->at[i] << 8 | packet->at[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    packet->at[10] = (uint8_t)(sum >> 8);
    packet->at[11] = (uint8_t)sum;
}

START_TEST(broken_packets) {
    const struct broken_case *c = &broken[_i];
    bench b;
    raw_cfg cfg = c->cfg;
    open_bench(&b, "fullcone", &(wzp_sim_rewriter_cfg){0});
    cfg.src = "10.0.0.1:5000";
    cfg.dst = "192.0.2.1:80";
    make(&b, &cfg);
    b.packet.at[c->at] = c->value;
    if (c->mend) {
        mend(&b.packet);
    }
    const wzp_sim_rewrite got = run(&b, true, 0);
    ck_assert_msg(got == c->want, "%s: %s", c->name, wzp_sim_rewrite_name(got));
    wzp_sim_nat_counts counts;
    wzp_sim_nat_count(b.nat, &counts);
    ck_assert_uint_eq(counts.created, 0);
    close_bench(&b);
}
END_TEST

/* Every prefix of a packet is malformed: its header says how long it is. */
START_TEST(prefixes) {
    static const char *const froms[] = {"10.0.0.1:5000", "[2001:db8::1]:5000"};
    static const char *const tos[] = {"192.0.2.1:80", "[2001:db8:1::1]:80"};
    const bool v6 = _i / (int)WZP_COUNT_OF(kinds) == 1;
    raw_cfg cfg = kinds[(size_t)_i % WZP_COUNT_OF(kinds)].cfg;
    raw about;
    bench b;
    open_bench(&b, v6 ? "fw" : "fullcone", &(wzp_sim_rewriter_cfg){0});
    cfg.src = froms[v6];
    cfg.dst = tos[v6];
    raw_make(&about, &cfg);
    for (unsigned error = 0; error < 2; error++) {
        make(&b, error ? &(raw_cfg){.src = tos[v6], .dst = froms[v6], .quoted = &about} : &cfg);
        const raw whole = b.packet;
        for (size_t len = 0; len < whole.len; len++) {
            b.packet = whole;
            b.packet.len = len;
            ck_assert_msg(run(&b, error == 0, 0) == WZP_SIM_REWRITE_MALFORMED, "%zu of %zu", len,
                          whole.len);
        }
    }
    close_bench(&b);
}
END_TEST

/* Routing headers that are not done have another destination than it seems. */
START_TEST(ipv6_extensions) {
    bench b;
    open_bench(&b, "fw", &(wzp_sim_rewriter_cfg){0});
    make(&b, &(raw_cfg){.src = "[2001:db8::1]:5000", .dst = "[2001:db8:1::1]:80", .options = 8});
    b.packet.at[6] = 43;
    b.packet.at[43] = 0;
    expect(&b, true, 0, FORWARD, NULL);
    b.packet.at[43] = 1;
    expect(&b, true, 0, WZP_SIM_REWRITE_MALFORMED, NULL);
    b.packet.at[6] = 0; /* hop by hop */
    b.packet.at[41] = 0;
    expect(&b, true, 0, FORWARD, NULL);
    b.packet.at[41] = 200; /* longer than the packet */
    expect(&b, true, 0, WZP_SIM_REWRITE_MALFORMED, NULL);
    b.packet.at[6] = 59; /* nothing more */
    expect(&b, true, 0, WZP_SIM_REWRITE_PROTOCOL, NULL);
    close_bench(&b);
}
END_TEST

START_TEST(families) {
    bench b;
    open_bench(&b, "fullcone", &(wzp_sim_rewriter_cfg){0});
    make(&b, &(raw_cfg){.src = "[2001:db8::1]:5000", .dst = "[2001:db8:1::1]:80"});
    expect(&b, true, 0, WZP_SIM_REWRITE_PROTOCOL, NULL);
    close_bench(&b);
}
END_TEST

/* --- ICMP ------------------------------------------------------------------------------------- */

START_TEST(errors_from_outside) {
    static const struct {
        raw_cfg about;
        size_t quote_len;
    } cases[] = {
        {{.payload = 100}, 0},
        {{.payload = 100}, 28},
        {{.payload = 101, .options = 12}, 0},
        {{.payload = 100, .no_checksum = true}, 0},
        {{.proto = TCP, .payload = 10}, 0},
        {{.proto = TCP, .payload = 10}, 28}, /* without its checksum */
        {{.proto = TCP, .payload = 10}, 38}, /* that is the last thing there */
        {{.proto = TCP, .payload = 10}, 37}, /* half of it */
    };
    bench b;
    raw about;
    raw_cfg cfg = cases[_i].about;
    open_bench(&b, "linux-masq", &(wzp_sim_rewriter_cfg){0});
    cfg.src = "10.0.0.1:5000";
    cfg.dst = "192.0.2.1:80";
    make(&b, &cfg);
    expect(&b, true, 0, FORWARD, "203.0.113.1:5000 > 192.0.2.1:80 ttl 63");
    about = b.packet;
    for (unsigned type = 3; type <= 12; type++) {
        make(&b, &(raw_cfg){.src = "198.51.100.1:0",
                            .dst = "203.0.113.1:0",
                            .quoted = &about,
                            .icmp_type = (uint8_t)type,
                            .quote_len = cases[_i].quote_len});
        if (type == 3 || type == 11 || type == 12) {
            expect(&b, false, 0, FORWARD,
                   "198.51.100.1:0 > 10.0.0.1:0 ttl 63 about 10.0.0.1:5000 > 192.0.2.1:80 ttl 63");
        } else {
            expect(&b, false, 0, WZP_SIM_REWRITE_PROTOCOL, NULL);
        }
    }
    close_bench(&b);
}
END_TEST

START_TEST(errors_from_inside) {
    bench b;
    open_bench(&b, "linux-masq", &(wzp_sim_rewriter_cfg){0});
    OUT(.payload = 10);
    expect(&b, true, 0, FORWARD, NULL);
    IN(.payload = 33);
    expect(&b, false, 0, FORWARD, NULL);
    const raw about = b.packet;
    make(&b, &(raw_cfg){.src = "10.0.0.1:0", .dst = "192.0.2.1:0", .quoted = &about});
    expect(&b, true, 0, FORWARD,
           "203.0.113.1:0 > 192.0.2.1:0 ttl 63 about 192.0.2.1:80 > 203.0.113.1:5000 ttl 63");
    close_bench(&b);
}
END_TEST

START_TEST(errors_about_nothing) {
    bench b;
    raw about;
    raw piece;
    open_bench(&b, "linux-masq", &(wzp_sim_rewriter_cfg){0});
    raw_make(&about, &(raw_cfg){.src = "203.0.113.1:5000", .dst = "192.0.2.1:80", .payload = 64});
    make(&b, &(raw_cfg){.src = "198.51.100.1:0", .dst = "203.0.113.1:0", .quoted = &about});
    expect(&b, false, 0, WZP_SIM_REWRITE_NO_MAPPING, NULL);
    raw_fragment(&piece, &about, 32, 72, 1);
    make(&b, &(raw_cfg){.src = "198.51.100.1:0", .dst = "203.0.113.1:0", .quoted = &piece});
    expect(&b, false, 0, WZP_SIM_REWRITE_PROTOCOL, NULL); /* about ports that nobody sees */
    const raw error = b.packet;
    make(&b, &(raw_cfg){.src = "198.51.100.1:0", .dst = "203.0.113.1:0", .quoted = &error});
    expect(&b, false, 0, WZP_SIM_REWRITE_PROTOCOL, NULL);
    close_bench(&b);
}
END_TEST

/* --- fragments -------------------------------------------------------------------------------- */

static void piece(bench *b, const raw *whole, size_t from, size_t to, uint32_t id) {
    raw_fragment(&b->packet, whole, from, to, id);
    ck_assert_ptr_null(raw_judge(b->packet.at, b->packet.len));
}

/* Pieces put together again are the packet that would have come whole. */
START_TEST(later_fragments_follow) {
    bench b;
    raw whole;
    raw want;
    open_bench(&b, "linux-masq", &(wzp_sim_rewriter_cfg){0});
    OUT(.payload = 400);
    whole = b.packet;
    expect(&b, true, 0, FORWARD, NULL);
    want = b.packet;
    piece(&b, &whole, 80, 160, 7);
    expect(&b, true, 0, WZP_SIM_REWRITE_FRAGMENT, NULL); /* before its first one */
    piece(&b, &whole, 0, 80, 7);
    expect(&b, true, 0, FORWARD, "203.0.113.1:5000 > 192.0.2.1:80 ttl 63");
    ck_assert_mem_eq(b.packet.at + 20, want.at + 20, 80);
    piece(&b, &whole, 80, 160, 7);
    expect(&b, true, 0, FORWARD, "203.0.113.1:0 > 192.0.2.1:0 ttl 63");
    ck_assert_mem_eq(b.packet.at + 20, want.at + 100, 80);
    piece(&b, &whole, 160, 408, 7);
    expect(&b, true, 30 * WZP_S, FORWARD, "203.0.113.1:0 > 192.0.2.1:0 ttl 63");
    ck_assert_mem_eq(b.packet.at + 20, want.at + 180, 248);
    piece(&b, &whole, 160, 408, 8);
    expect(&b, true, 0, WZP_SIM_REWRITE_FRAGMENT, NULL);
    piece(&b, &whole, 160, 408, 7);
    expect(&b, false, 0, WZP_SIM_REWRITE_FRAGMENT, NULL);
    piece(&b, &whole, 160, 408, 7);
    expect(&b, true, 30 * WZP_S + 1, WZP_SIM_REWRITE_FRAGMENT, NULL);
    close_bench(&b);
}
END_TEST

START_TEST(ipv6_fragments_follow) {
    bench b;
    raw whole;
    open_bench(&b, "fw", &(wzp_sim_rewriter_cfg){0});
    raw_make(&whole,
             &(raw_cfg){.src = "[2001:db8::1]:5000", .dst = "[2001:db8:1::1]:80", .payload = 400});
    piece(&b, &whole, 0, 80, 0x12345678);
    expect(&b, true, 0, FORWARD, "[2001:db8::1]:5000 > [2001:db8:1::1]:80 ttl 63");
    piece(&b, &whole, 80, 408, 0x12345678);
    expect(&b, true, 0, FORWARD, "[2001:db8::1]:0 > [2001:db8:1::1]:0 ttl 63");
    piece(&b, &whole, 80, 408, 0x12345679);
    expect(&b, true, 0, WZP_SIM_REWRITE_FRAGMENT, NULL);
    close_bench(&b);
}
END_TEST

START_TEST(fragments_turn_too) {
    bench b;
    raw whole;
    open_bench(&b, "fullcone", &(wzp_sim_rewriter_cfg){0});
    make(&b, &(raw_cfg){.src = "10.0.0.2:6000", .dst = "192.0.2.1:80"});
    expect(&b, true, 0, FORWARD, NULL);
    raw_make(&whole, &(raw_cfg){.src = "10.0.0.1:5000", .dst = "203.0.113.1:6000", .payload = 99});
    piece(&b, &whole, 0, 16, 1);
    expect(&b, true, 0, WZP_SIM_REWRITE_TURN, "203.0.113.1:5000 > 10.0.0.2:6000 ttl 63");
    piece(&b, &whole, 16, 107, 1);
    expect(&b, true, 0, WZP_SIM_REWRITE_TURN, "203.0.113.1:0 > 10.0.0.2:0 ttl 63");
    close_bench(&b);
}
END_TEST

START_TEST(fragments_may_be_unwanted) {
    bench b;
    raw whole;
    open_bench(&b, "linux-masq", &(wzp_sim_rewriter_cfg){.drop_fragments = true});
    OUT(.payload = 400);
    whole = b.packet;
    piece(&b, &whole, 0, 80, 7);
    expect(&b, true, 0, WZP_SIM_REWRITE_FRAGMENT, NULL);
    piece(&b, &whole, 80, 160, 7);
    expect(&b, true, 0, WZP_SIM_REWRITE_FRAGMENT, NULL);
    b.packet = whole;
    expect(&b, true, 0, FORWARD, NULL);
    close_bench(&b);
}
END_TEST

/* The oldest packet is forgotten first; a dropped one is not remembered. */
START_TEST(fragments_are_bounded) {
    bench b;
    raw whole;
    open_bench(&b, "linux-masq", &(wzp_sim_rewriter_cfg){.fragments_max = 4});
    OUT(.payload = 100);
    whole = b.packet;
    for (uint32_t id = 1; id <= 6; id++) {
        piece(&b, &whole, 0, 16, id);
        expect(&b, true, 0, FORWARD, NULL);
    }
    for (uint32_t id = 1; id <= 6; id++) {
        piece(&b, &whole, 16, 108, id);
        expect(&b, true, 0, id <= 2 ? WZP_SIM_REWRITE_FRAGMENT : FORWARD, NULL);
    }
    IN(.payload = 100, .no_checksum = true);
    whole = b.packet;
    piece(&b, &whole, 0, 16, 9);
    expect(&b, false, 0, FORWARD, NULL);
    whole.at[21] = 81; /* another remote port */
    piece(&b, &whole, 0, 16, 10);
    expect(&b, false, 0, WZP_SIM_REWRITE_FILTER, NULL);
    piece(&b, &whole, 16, 108, 10);
    expect(&b, false, 0, WZP_SIM_REWRITE_FRAGMENT, NULL);
    close_bench(&b);
}
END_TEST

/* A first fragment too short for its ports. */
START_TEST(tiny_fragments) {
    bench b;
    raw whole;
    open_bench(&b, "linux-masq", &(wzp_sim_rewriter_cfg){0});
    OUT(.proto = TCP, .payload = 100);
    whole = b.packet;
    piece(&b, &whole, 0, 8, 1);
    expect(&b, true, 0, WZP_SIM_REWRITE_MALFORMED, NULL);
    piece(&b, &whole, 0, 24, 1);
    expect(&b, true, 0, FORWARD, NULL);
    close_bench(&b);
}
END_TEST

/* --- ICMP queries (RFC 5508) ------------------------------------------------------------------ */

static const struct query_case {
    const char *name, *preset;
    uint16_t id;
    uint8_t ask, answer;
    size_t payload;
    const char *outside; /* as it looks there */
} query_cases[] = {
    {"echo", "fullcone", 5000, 8, 0, 56, "203.0.113.1:5000"},
    {"timestamp", "fullcone", 5000, 13, 14, 12, "203.0.113.1:5000"},
    {"echo of odd length", "fullcone", 6001, 8, 0, 1, "203.0.113.1:6001"},
    {"another identifier outside", "symseq", 5000, 8, 0, 56, "203.0.113.1:1024"},
};

START_TEST(queries) {
    const struct query_case *c = &query_cases[_i];
    char text[128];
    bench b;
    open_bench(&b, c->preset, &(wzp_sim_rewriter_cfg){0});
    const raw_cfg asked = {.src = "10.0.0.1:0",
                           .dst = "192.0.2.1:0",
                           .query = c->id,
                           .icmp_type = c->ask,
                           .payload = c->payload};
    make(&b, &asked);
    (void)snprintf(text, sizeof text, "%s > 192.0.2.1:0 ttl 63", c->outside);
    expect(&b, true, 0, FORWARD, text);
    const raw_cfg answered = {.src = "192.0.2.1:0",
                              .dst = "203.0.113.1:0",
                              .query = (uint16_t)strtoul(strchr(c->outside, ':') + 1, NULL, 10),
                              .icmp_type = c->answer,
                              .payload = c->payload};
    make(&b, &answered);
    (void)snprintf(text, sizeof text, "192.0.2.1:0 > 10.0.0.1:%u ttl 63", c->id);
    expect(&b, false, 0, FORWARD, text);
    make(&b, &asked); /* from the wrong side */
    expect(&b, false, 0, WZP_SIM_REWRITE_PROTOCOL, NULL);
    make(&b, &answered);
    expect(&b, true, 0, WZP_SIM_REWRITE_PROTOCOL, NULL);
    make(&b, &answered);
    expect(&b, false, 600 * WZP_S, WZP_SIM_REWRITE_NO_MAPPING, NULL);
    close_bench(&b);
}
END_TEST

/* Two hosts with one identifier get two, and UDP's ports are another matter. */
START_TEST(queries_do_not_meet) {
    bench b;
    open_bench(&b, "symseq", &(wzp_sim_rewriter_cfg){0});
    make(&b, &(raw_cfg){.src = "10.0.0.1:0", .dst = "192.0.2.1:0", .query = 9, .icmp_type = 8});
    expect(&b, true, 0, FORWARD, "203.0.113.1:1024 > 192.0.2.1:0 ttl 63");
    make(&b, &(raw_cfg){.src = "10.0.0.2:0", .dst = "192.0.2.1:0", .query = 9, .icmp_type = 8});
    expect(&b, true, 0, FORWARD, "203.0.113.1:1025 > 192.0.2.1:0 ttl 63");
    make(&b, &(raw_cfg){.src = "192.0.2.1:0", .dst = "203.0.113.1:0", .query = 1025});
    expect(&b, false, 0, FORWARD, "192.0.2.1:0 > 10.0.0.2:9 ttl 63");
    make(&b, &(raw_cfg){.src = "192.0.2.9:0", .dst = "203.0.113.1:0", .query = 1025});
    expect(&b, false, 0, WZP_SIM_REWRITE_FILTER, NULL); /* nobody asked this one */
    make(&b, &(raw_cfg){.src = "192.0.2.1:65535", .dst = "203.0.113.1:1025"});
    expect(&b, false, 0, WZP_SIM_REWRITE_NO_MAPPING, NULL);
    close_bench(&b);
}
END_TEST

START_TEST(errors_about_queries) {
    bench b;
    raw about;
    open_bench(&b, "symseq", &(wzp_sim_rewriter_cfg){0});
    make(
        &b,
        &(raw_cfg){
            .src = "10.0.0.1:0", .dst = "192.0.2.1:0", .query = 77, .icmp_type = 8, .payload = 20});
    expect(&b, true, 0, FORWARD, NULL);
    about = b.packet;
    for (size_t quote = 28; quote <= about.len; quote += about.len - 28) {
        make(&b, &(raw_cfg){.src = "198.51.100.1:0",
                            .dst = "203.0.113.1:0",
                            .quoted = &about,
                            .icmp_type = 11,
                            .quote_len = quote});
        expect(&b, false, 0, FORWARD,
               "198.51.100.1:0 > 10.0.0.1:0 ttl 63 about 10.0.0.1:77 > 192.0.2.1:0 ttl 63");
    }
    make(&b,
         &(raw_cfg){
             .src = "198.51.100.1:0", .dst = "203.0.113.1:0", .quoted = &about, .quote_len = 27});
    expect(&b, false, 0, WZP_SIM_REWRITE_PROTOCOL, NULL); /* not even its identifier */
    make(&b, &(raw_cfg){.src = "192.0.2.1:0", .dst = "203.0.113.1:0", .query = 1024});
    expect(&b, false, 0, FORWARD, "192.0.2.1:0 > 10.0.0.1:77 ttl 63");
    about = b.packet;
    make(&b, &(raw_cfg){.src = "10.0.0.1:0", .dst = "192.0.2.1:0", .quoted = &about});
    expect(&b, true, 0, FORWARD,
           "203.0.113.1:0 > 192.0.2.1:0 ttl 63 about 192.0.2.1:0 > 203.0.113.1:1024 ttl 63");
    close_bench(&b);
}
END_TEST

START_TEST(ipv6_queries) {
    bench b;
    open_bench(&b, "fw", &(wzp_sim_rewriter_cfg){0});
    make(&b, &(raw_cfg){.src = "[2001:db8::1]:0",
                        .dst = "[2001:db8:1::1]:0",
                        .query = 77,
                        .icmp_type = 128,
                        .payload = 33});
    expect(&b, true, 0, FORWARD, "[2001:db8::1]:77 > [2001:db8:1::1]:0 ttl 63");
    make(&b,
         &(raw_cfg){
             .src = "[2001:db8:1::1]:0", .dst = "[2001:db8::1]:0", .query = 77, .icmp_type = 129});
    expect(&b, false, 0, FORWARD, "[2001:db8:1::1]:0 > [2001:db8::1]:77 ttl 63");
    make(&b,
         &(raw_cfg){
             .src = "[2001:db8:1::1]:0", .dst = "[2001:db8::1]:0", .query = 78, .icmp_type = 129});
    expect(&b, false, 0, WZP_SIM_REWRITE_FILTER, NULL);
    close_bench(&b);
}
END_TEST

START_TEST(long_queries_in_fragments) {
    bench b;
    raw whole;
    open_bench(&b, "symseq", &(wzp_sim_rewriter_cfg){0});
    raw_make(
        &whole,
        &(raw_cfg){
            .src = "10.0.0.1:0", .dst = "192.0.2.1:0", .query = 77, .icmp_type = 8, .payload = 99});
    piece(&b, &whole, 0, 16, 1);
    expect(&b, true, 0, FORWARD, "203.0.113.1:1024 > 192.0.2.1:0 ttl 63");
    piece(&b, &whole, 16, 107, 1);
    expect(&b, true, 0, FORWARD, "203.0.113.1:0 > 192.0.2.1:0 ttl 63");
    close_bench(&b);
}
END_TEST

/* --- against the simulator's packets ---------------------------------------------------------- */

typedef struct pair {
    wzp_prng prng;
    wzp_sim_nat *nat, *shadow; /* the same, for bytes and for packets */
    wzp_sim_rewriter *rewriter;
    wzp_sim_pool *pool;
    wzp_addr last_inside, last_outside; /* of a packet that left */
    unsigned passed;
} pair;

static uint64_t pick(pair *p, uint64_t low, uint64_t high) {
    return wzp_chance_between(&p->prng, low, high);
}

static wzp_addr remote(pair *p) {
    return wzp_addr_v4(192, 0, 2, (uint8_t)pick(p, 1, 2), (uint16_t)pick(p, 80, 82));
}

static wzp_sim_packet *random_packet(pair *p, bool outbound) {
    static uint8_t payload[600];
    const wzp_addr inside =
        wzp_addr_v4(10, 0, 0, (uint8_t)pick(p, 1, 3), (uint16_t)pick(p, 5000, 5003));
    wzp_addr outside = p->last_outside;
    if (wzp_chance(&p->prng, 100000)) {
        outside = wzp_addr_v4(203, 0, 113, 1, (uint16_t)pick(p, 5000, 5003));
    }
    const wzp_addr far = remote(p);
    for (size_t i = 0; i < 4; i++) {
        payload[pick(p, 0, sizeof payload - 1)] ^= (uint8_t)pick(p, 0, 255);
    }
    wzp_sim_packet *packet =
        wzp_sim_packet_new(p->pool, outbound ? &inside : &far, outbound ? &far : &outside,
                           wzp_bytes_of(payload, pick(p, 0, sizeof payload)), 0);
    packet->proto = wzp_chance(&p->prng, 700000) ? WZP_SIM_UDP : WZP_SIM_TCP;
    packet->ttl = (uint8_t)pick(p, 1, 255);
    packet->tos = (uint8_t)pick(p, 0, 255);
    return packet;
}

/* An error about `about`, from wherever it was going to. */
static wzp_sim_packet *error_about(pair *p, wzp_sim_packet *about) {
    wzp_addr from = about->dst;
    from.port = 0;
    wzp_sim_packet *error = wzp_sim_packet_icmp(
        about, &from, (wzp_sim_icmp)pick(p, 1, WZP_SIM_ICMP_TTL_EXCEEDED), 1280, 0);
    error->ttl = (uint8_t)pick(p, 2, 64);
    wzp_sim_packet_free(about);
    return error;
}

static wzp_sim_rewrite pass(pair *p, wzp_sim_packet *packet, bool outbound, wzp_time now) {
    static const wzp_sim_rewrite verdicts[] = {WZP_SIM_REWRITE_FORWARD,    WZP_SIM_REWRITE_TURN,
                                               WZP_SIM_REWRITE_NO_MAPPING, WZP_SIM_REWRITE_FILTER,
                                               WZP_SIM_REWRITE_QUOTA,      WZP_SIM_REWRITE_HAIRPIN};
    if (packet->ttl <= 1) {
        return WZP_SIM_REWRITE_TTL;
    }
    packet->ttl--;
    if (packet->proto != WZP_SIM_ICMP) {
        return verdicts[outbound ? wzp_sim_nat_out(p->shadow, packet->proto, &packet->src,
                                                   &packet->dst, now)
                                 : wzp_sim_nat_in(p->shadow, packet->proto, &packet->src,
                                                  &packet->dst, now)];
    }
    const bool ok = outbound ? wzp_sim_nat_icmp_out(p->shadow, packet->inner_proto, &packet->src,
                                                    &packet->inner_src, &packet->inner_dst, now)
                             : wzp_sim_nat_icmp_in(p->shadow, packet->inner_proto, &packet->dst,
                                                   &packet->inner_src, &packet->inner_dst, now);
    return ok ? WZP_SIM_REWRITE_FORWARD : WZP_SIM_REWRITE_NO_MAPPING;
}

static void step(pair *p, wzp_time now) {
    uint8_t bytes[RAW_MAX];
    uint8_t want[RAW_MAX];
    bool outbound = wzp_chance(&p->prng, 500000);
    wzp_sim_packet *packet = random_packet(p, outbound);
    const wzp_addr inside = packet->src;
    if (wzp_chance(&p->prng, 200000)) {
        if (outbound) { /* as it looks outside */
            packet->src = p->last_outside;
        } else {
            packet->dst = p->last_inside;
        }
        outbound = !outbound;
        packet = error_about(p, packet);
    }
    const size_t len = wzp_sim_packet_bytes(packet, bytes, sizeof bytes);
    const wzp_sim_rewrite expected = pass(p, packet, outbound, now);
    const wzp_sim_rewrite got = outbound ? wzp_sim_rewrite_out(p->rewriter, bytes, len, now)
                                         : wzp_sim_rewrite_in(p->rewriter, bytes, len, now);
    ck_assert_msg(got == expected, "%s, not %s", wzp_sim_rewrite_name(got),
                  wzp_sim_rewrite_name(expected));
    if (got == WZP_SIM_REWRITE_FORWARD || got == WZP_SIM_REWRITE_TURN) {
        p->passed++;
        ck_assert_uint_eq(wzp_sim_packet_bytes(packet, want, sizeof want), len);
        ck_assert_mem_eq(bytes, want, len);
    }
    if (got == WZP_SIM_REWRITE_FORWARD && outbound && packet->proto == WZP_SIM_UDP) {
        p->last_inside = inside;
        p->last_outside = packet->src;
    }
    wzp_sim_packet_free(packet);
}

START_TEST(bytes_as_packets) {
    static const char *const presets[] = {"linux-masq", "fullcone", "symrand", "cgn-rfc", "1to1"};
    pair p = {.pool = wzp_sim_pool_new(),
              .nat = new_nat(presets[_i], 5),
              .shadow = new_nat(presets[_i], 5),
              .last_inside = wzp_addr_v4(10, 0, 0, 1, 5000),
              .last_outside = wzp_addr_v4(203, 0, 113, 1, 5000)};
    wzp_prng_init(&p.prng, 1, presets[_i]);
    ck_assert_int_eq(wzp_sim_rewriter_new(&p.rewriter, &(wzp_sim_rewriter_cfg){0}, p.nat), WZP_OK);
    for (uint64_t i = 0; i < 4000; i++) {
        step(&p, i * 20 * WZP_MS);
    }
    ck_assert_uint_gt(p.passed, 1500);
    wzp_sim_rewriter_free(&p.rewriter);
    wzp_sim_nat_free(&p.nat);
    wzp_sim_nat_free(&p.shadow);
    wzp_sim_pool_free(&p.pool);
}
END_TEST

/* RFC 1624, 4: the example where the older equation goes wrong. */
START_TEST(equation_three) {
    ck_assert_uint_eq(wzp_sim_ip_adjust(0xdd2f, 0x5555, 0x3285), 0x0000);
    ck_assert_uint_eq(wzp_sim_ip_adjust(0x0000, 0x3285, 0x5555), 0xdd2f);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("rewrite");
    const int kind_count = (int)WZP_COUNT_OF(kinds);
    tcase_add_loop_test(tc, out_and_in, 0, kind_count);
    tcase_add_loop_test(tc, ipv6_through_a_firewall, 0, kind_count);
    tcase_add_loop_test(tc, ipv6_translated, 0, kind_count);
    tcase_add_test(tc, hairpin_turns);
    tcase_add_test(tc, ttl_ends);
    tcase_add_test(tc, corruption_stays);
    tcase_add_test(tc, no_checksum_becomes_zero);
    tcase_add_test(tc, padding_is_left_alone);
    tcase_add_loop_test(tc, broken_packets, 0, (int)WZP_COUNT_OF(broken));
    tcase_add_loop_test(tc, prefixes, 0, 2 * kind_count);
    tcase_add_test(tc, ipv6_extensions);
    tcase_add_test(tc, families);
    tcase_add_loop_test(tc, errors_from_outside, 0, 8);
    tcase_add_test(tc, errors_from_inside);
    tcase_add_test(tc, errors_about_nothing);
    tcase_add_test(tc, later_fragments_follow);
    tcase_add_test(tc, ipv6_fragments_follow);
    tcase_add_test(tc, fragments_turn_too);
    tcase_add_test(tc, fragments_may_be_unwanted);
    tcase_add_test(tc, fragments_are_bounded);
    tcase_add_test(tc, tiny_fragments);
    tcase_add_loop_test(tc, queries, 0, (int)WZP_COUNT_OF(query_cases));
    tcase_add_test(tc, queries_do_not_meet);
    tcase_add_test(tc, errors_about_queries);
    tcase_add_test(tc, ipv6_queries);
    tcase_add_test(tc, long_queries_in_fragments);
    tcase_add_loop_test(tc, bytes_as_packets, 0, 5);
    tcase_add_test(tc, equation_three);
    return wzp_run_suite("rewrite", tc);
}
