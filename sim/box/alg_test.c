/* Addresses in STUN messages that a gateway translates: alone, in simulated boxes, and in real
 * packets with their checksums. */
#include "sim/box/alg.h"

#include "base/hex.h"
#include "base/testing/suite.h"
#include "sim/box/box.h"
#include "sim/box/rewrite.h"
#include "sim/box/testing/raw.h"
#include "sim/engine/engine.h"

enum { MESSAGE_MAX = 256, HEADERS = 28 };

static wzp_addr addr(const char *text) {
    wzp_addr out;
    ck_assert_msg(wzp_addr_parse(&out, text) == WZP_OK, "%s", text);
    return out;
}

#define HEAD(len)                                                                                  \
    "0101" len "2112a442"                                                                          \
    "000102030405060708090a0b"
#define HEAD_3489(len)                                                                             \
    "0101" len "00000000"                                                                          \
    "000102030405060708090a0b"
#define SOFTWARE                                                                                   \
    "80220003"                                                                                     \
    "61626300"
/* 203.0.113.1:5000 and 192.168.1.10:5000, as they are and hidden. */
#define MAPPED_OUT                                                                                 \
    "00010008"                                                                                     \
    "00011388cb007101"
#define MAPPED_IN                                                                                  \
    "00010008"                                                                                     \
    "00011388c0a8010a"
#define XOR_OUT                                                                                    \
    "00200008"                                                                                     \
    "0001329aea12d543"
#define V6_OUT                                                                                     \
    "00010014"                                                                                     \
    "0002138820010db8000000000000000000000001"
#define V6_IN                                                                                      \
    "00010014"                                                                                     \
    "00021388fd000000000000000000000000000002"

static const struct message_case {
    const char *name, *was, *is, *in, *out; /* out NULL: stays as it is */
} message_cases[] = {
    {"MAPPED-ADDRESS", "203.0.113.1:5000", "192.168.1.10:5000", HEAD("000c") MAPPED_OUT,
     HEAD("000c") MAPPED_IN},
    {"without the cookie", "203.0.113.1:5000", "192.168.1.10:5000", HEAD_3489("000c") MAPPED_OUT,
     HEAD_3489("000c") MAPPED_IN},
    {"the hidden one stays", "203.0.113.1:5000", "192.168.1.10:5000",
     HEAD("0018") XOR_OUT MAPPED_OUT, HEAD("0018") XOR_OUT MAPPED_IN},
    {"behind an attribute with padding", "203.0.113.1:5000", "192.168.1.10:5000",
     HEAD("0014") SOFTWARE MAPPED_OUT, HEAD("0014") SOFTWARE MAPPED_IN},
    {"twice", "203.0.113.1:5000", "192.168.1.10:5000", HEAD("0018") MAPPED_OUT MAPPED_OUT,
     HEAD("0018") MAPPED_IN MAPPED_IN},
    {"IPv6", "[2001:db8::1]:5000", "[fd00::2]:5000", HEAD("0018") V6_OUT, HEAD("0018") V6_IN},
    {"the other way", "192.168.1.10:5000", "203.0.113.1:5000", HEAD("000c") MAPPED_IN,
     HEAD("000c") MAPPED_OUT},
    {"another port", "203.0.113.1:5001", "192.168.1.10:5000", HEAD("000c") MAPPED_OUT, NULL},
    {"another address", "203.0.113.2:5000", "192.168.1.10:5000", HEAD("000c") MAPPED_OUT, NULL},
    {"another family", "203.0.113.1:5000", "[fd00::2]:5000", HEAD("000c") MAPPED_OUT, NULL},
    {"only the hidden one", "203.0.113.1:5000", "192.168.1.10:5000", HEAD("000c") XOR_OUT, NULL},
    {"no attribute", "203.0.113.1:5000", "192.168.1.10:5000", HEAD("0000"), NULL},
    {"a length that does not fit", "203.0.113.1:5000", "192.168.1.10:5000", HEAD("0010") MAPPED_OUT,
     NULL},
    {"an attribute that ends outside", "203.0.113.1:5000", "192.168.1.10:5000",
     HEAD("000c") "00010009"
                  "00011388cb007101",
     NULL},
    {"QUIC", "203.0.113.1:5000", "192.168.1.10:5000",
     "4101000c"
     "2112a442"
     "000102030405060708090a0b" MAPPED_OUT,
     NULL},
};

static size_t unhex(uint8_t out[MESSAGE_MAX], const char *hex) {
    const size_t len = strlen(hex) / 2;
    ck_assert(len <= MESSAGE_MAX && wzp_hex_parse(out, len, hex, strlen(hex), NULL) == WZP_OK);
    return len;
}

START_TEST(messages) {
    const struct message_case *c = &message_cases[_i];
    const wzp_addr was = addr(c->was);
    const wzp_addr is = addr(c->is);
    uint8_t got[MESSAGE_MAX];
    uint8_t want[MESSAGE_MAX];
    const size_t len = unhex(got, c->in);
    ck_assert_uint_eq(unhex(want, c->out != NULL ? c->out : c->in), len);
    ck_assert_msg(wzp_sim_alg_stun(got, len, &was, &is) == (c->out != NULL), "%s", c->name);
    ck_assert_msg(memcmp(got, want, len) == 0, "%s", c->name);
}
END_TEST

/* In memory of exactly that length: nothing is read past the end. */
START_TEST(every_prefix) {
    const wzp_addr was = addr("203.0.113.1:5000");
    const wzp_addr is = addr("192.168.1.10:5000");
    uint8_t whole[MESSAGE_MAX];
    const size_t whole_len = unhex(whole, HEAD("0014") SOFTWARE MAPPED_OUT);
    for (size_t len = 0; len < whole_len; len++) {
        uint8_t *exact = malloc(len > 0 ? len : 1);
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, whole, len);
        ck_assert_msg(!wzp_sim_alg_stun(exact, len, &was, &is), "cut to %zu", len);
        ck_assert_mem_eq(exact, whole, len);
        free(exact);
    }
}
END_TEST

/* --- a simulated box -------------------------------------------------------------------------- */

typedef struct ear {
    wzp_sim_pipe pipe; /* first */
    uint8_t heard[MESSAGE_MAX];
    size_t len;
} ear;

static void hear(wzp_sim_pipe *pipe, wzp_sim_packet *packet, wzp_time now) {
    ear *e = (ear *)pipe;
    (void)now;
    ck_assert_uint_le(packet->len, MESSAGE_MAX);
    memcpy(e->heard, packet->payload, packet->len);
    e->len = packet->len;
    wzp_sim_packet_free(packet);
}

/* What the inside hears when `hex` comes back. */
static void answer_through_box(bool alg, const char *hex, ear *inside) {
    wzp_sim_box_cfg cfg = {.name = "box",
                           .inside = wzp_addr_v4(192, 168, 1, 1, 0),
                           .externals = {wzp_addr_v4(203, 0, 113, 1, 0)},
                           .external_count = 1};
    const wzp_addr host = addr("192.168.1.10:5000");
    const wzp_addr external = addr("203.0.113.1:5000");
    const wzp_addr server = addr("192.0.2.1:3478");
    ear outside = {.pipe = {hear, "outside"}};
    wzp_sim_engine *engine = NULL;
    wzp_sim_box *box = NULL;
    wzp_fail fail;
    uint8_t message[MESSAGE_MAX];
    wzp_sim_pool *pool = wzp_sim_pool_new();
    *inside = (ear){.pipe = {hear, "inside"}};
    ck_assert(wzp_sim_nat_preset("linux-masq", &cfg.nat));
    cfg.nat.alg_stun = alg;
    ck_assert(wzp_sim_engine_new(&engine, &(wzp_sim_engine_cfg){.seed = 1}) == WZP_OK);
    const wzp_sim_clock clock = wzp_sim_engine_clock(engine);
    ck_assert(wzp_sim_box_new(&box, &cfg, clock, pool, &fail) == WZP_OK);
    wzp_sim_box_attach(box, 0, &inside->pipe);
    wzp_sim_box_attach(box, 1, &outside.pipe);
    const wzp_time now = wzp_sim_now(clock);
    const wzp_bytes back = wzp_bytes_of(message, unhex(message, hex));
    wzp_sim_node *node = wzp_sim_box_node(box);
    wzp_sim_node_deliver(node, 0, wzp_sim_packet_new(pool, &host, &server, back, now), now);
    wzp_sim_node_deliver(node, 1, wzp_sim_packet_new(pool, &server, &external, back, now), now);
    (void)wzp_sim_engine_run(engine, now + WZP_S);
    wzp_sim_box_free(&box);
    wzp_sim_pool_free(&pool);
    wzp_sim_engine_free(&engine);
}

START_TEST(boxes) {
    static const struct {
        bool alg;
        const char *want;
    } cases[] = {{false, HEAD("0018") XOR_OUT MAPPED_OUT}, {true, HEAD("0018") XOR_OUT MAPPED_IN}};
    ear inside;
    uint8_t want[MESSAGE_MAX];
    answer_through_box(cases[_i].alg, HEAD("0018") XOR_OUT MAPPED_OUT, &inside);
    ck_assert_uint_eq(inside.len, unhex(want, cases[_i].want));
    ck_assert_mem_eq(inside.heard, want, inside.len);
}
END_TEST

/* --- real packets ----------------------------------------------------------------------------- */

/* A packet of the message, with right checksums, or without one. */
static size_t packet_of(uint8_t out[MESSAGE_MAX], const char *src, const char *dst, wzp_bytes of,
                        bool no_checksum) {
    const wzp_addr from = addr(src);
    const wzp_addr to = addr(dst);
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_sim_packet *packet = wzp_sim_packet_new(pool, &from, &to, of, 0);
    const size_t len = wzp_sim_packet_bytes(packet, out, MESSAGE_MAX);
    wzp_sim_packet_free(packet);
    wzp_sim_pool_free(&pool);
    if (no_checksum) {
        out[HEADERS - 2] = out[HEADERS - 1] = 0;
    }
    return len;
}

static const struct packet_case {
    const char *name;
    bool alg, no_checksum, divided, changed;
} packet_cases[] = {
    {"without a gateway", false, false, false, false},
    {"with one", true, false, false, true},
    {"with one, without a checksum", true, true, false, true},
    {"the first of two fragments", true, false, true, false},
};

START_TEST(packets) {
    const struct packet_case *c = &packet_cases[_i];
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 1, 0);
    wzp_sim_nat_cfg cfg;
    wzp_sim_nat *nat = NULL;
    wzp_sim_rewriter *rewriter = NULL;
    uint8_t message[MESSAGE_MAX];
    uint8_t want[MESSAGE_MAX];
    uint8_t packet[MESSAGE_MAX];
    const size_t len = unhex(message, HEAD("0018") XOR_OUT MAPPED_OUT);
    (void)unhex(want,
                c->changed ? HEAD("0018") XOR_OUT MAPPED_IN : HEAD("0018") XOR_OUT MAPPED_OUT);
    ck_assert(wzp_sim_nat_preset("linux-masq", &cfg));
    cfg.alg_stun = c->alg;
    ck_assert(wzp_sim_nat_new(&nat, &cfg, &external, 1, 1, "nat", 0, NULL) == WZP_OK);
    ck_assert(wzp_sim_rewriter_new(&rewriter, &(wzp_sim_rewriter_cfg){0}, nat) == WZP_OK);
    const wzp_bytes of = wzp_bytes_of(message, len);
    size_t n = packet_of(packet, "192.168.1.10:5000", "192.0.2.1:3478", of, false);
    ck_assert(wzp_sim_rewrite_out(rewriter, packet, n, 0) == WZP_SIM_REWRITE_FORWARD);
    n = packet_of(packet, "192.0.2.1:3478", "203.0.113.1:5000", of, c->no_checksum);
    if (c->divided) { /* more of it follows; the header's checksum with that */
        packet[6] = 0x20;
        packet[10] = (uint8_t)(packet[10] + 0x20);
    }
    (void)wzp_sim_rewrite_in(rewriter, packet, n, 0);
    ck_assert_msg(memcmp(packet + HEADERS, want, len) == 0, "%s", c->name);
    if (!c->divided) {
        const char *wrong = raw_judge(packet, n);
        ck_assert_msg(wrong == NULL, "%s: wrong %s", c->name, wrong);
        ck_assert((packet[HEADERS - 2] == 0 && packet[HEADERS - 1] == 0) == c->no_checksum);
    }
    wzp_sim_rewriter_free(&rewriter);
    wzp_sim_nat_free(&nat);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("alg");
    tcase_add_loop_test(tc, messages, 0, WZP_COUNT_OF(message_cases));
    tcase_add_test(tc, every_prefix);
    tcase_add_loop_test(tc, boxes, 0, 2);
    tcase_add_loop_test(tc, packets, 0, WZP_COUNT_OF(packet_cases));
    return wzp_run_suite("sim_nat.alg", tc);
}
