/* Rewritten packets as tshark reads them: addresses as they should be, no checksum bad, nothing
 * malformed, fragments put together again.  Skipped where there is no tshark. */
#include "base/testing/suite.h"
#include "sim/box/rewrite.h"
#include "sim/box/testing/raw.h"
#include "sim/net/testing/tshark.h"

static const char fields[] =
    "-T fields -E separator='|' -E occurrence=a -e ip.src -e ip.dst -e ipv6.src -e ipv6.dst "
    "-e udp.srcport -e udp.dstport -e tcp.srcport -e ip.checksum.status -e udp.checksum.status "
    "-e tcp.checksum.status -e icmp.checksum.status -e icmpv6.checksum.status -e _ws.malformed";

static const char options[] =
    "-o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE "
    "-o ip.defragment:TRUE -d udp.port==80,data -d tcp.port==80,data";

/* A packet out of a NAT that gives 203.0.113.1:1024 and so on, or an error into it about the one
 * before; pieces of `cut` bytes if that is not 0.  Status 1 is good, 2 unknown. */
static const struct sample {
    raw_cfg cfg;
    size_t cut;
    bool error;
    const char *want[2];
} samples[] = {
    {{.src = "10.0.0.1:5000", .dst = "192.0.2.1:80", .payload = 101},
     0,
     false,
     {"203.0.113.1|192.0.2.1|||1024|80||1|1||||"}},
    {{.src = "198.51.100.1:0", .dst = "203.0.113.1:0"},
     0,
     true,
     {"198.51.100.1,10.0.0.1|10.0.0.1,192.0.2.1|||5000|80||1,1|1||1||"}},
    {{.src = "10.0.0.1:5001", .dst = "192.0.2.1:80", .payload = 101, .options = 8},
     0,
     false,
     {"203.0.113.1|192.0.2.1|||1025|80||1|1||||"}},
    {{.src = "10.0.0.1:5002", .dst = "192.0.2.1:80", .payload = 33, .proto = 6},
     0,
     false,
     {"203.0.113.1|192.0.2.1|||||1026|1||1|||"}},
    {{.src = "198.51.100.1:0", .dst = "203.0.113.1:0", .quote_len = 28},
     0,
     true,
     {"198.51.100.1,10.0.0.1|10.0.0.1,192.0.2.1|||||5002|1,1|||1||"}},
    {{.src = "10.0.0.1:5003", .dst = "192.0.2.1:80", .payload = 1000},
     512,
     false,
     {"203.0.113.1|192.0.2.1||||||1|||||", "203.0.113.1|192.0.2.1|||1027|80||1|1||||"}},
    {{.src = "[2001:db8::1]:5000", .dst = "[2001:db8:1::1]:80", .payload = 101},
     0,
     false,
     {"||2001:db8:ff::1|2001:db8:1::1|1024|80|||1||||"}},
    {{.src = "[2001:db8:2::1]:0", .dst = "[2001:db8:ff::1]:0"},
     0,
     true,
     {"||2001:db8:2::1,2001:db8::1|2001:db8::1,2001:db8:1::1|5000|80|||1|||1|"}},
    {{.src = "[2001:db8::1]:5001", .dst = "[2001:db8:1::1]:80", .payload = 9, .proto = 6},
     0,
     false,
     {"||2001:db8:ff::1|2001:db8:1::1|||1025|||1|||"}},
    {{.src = "[2001:db8::1]:5002", .dst = "[2001:db8:1::1]:80", .payload = 1000},
     512,
     false,
     {"||2001:db8:ff::1|2001:db8:1::1|||||||||", "||2001:db8:ff::1|2001:db8:1::1|1026|80|||1||||"}},
};

typedef struct bench {
    wzp_sim_nat *nat[2]; /* IPv4, IPv6 */
    wzp_sim_rewriter *rewriter[2];
    FILE *out;
    raw last; /* as it left */
} bench;

static void put_u32(FILE *out, uint32_t value) {
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                              (uint8_t)(value >> 24)};
    ck_assert_uint_eq(fwrite(bytes, 1, sizeof bytes, out), sizeof bytes);
}

/* The classic format with bare IP packets. */
static void begin_capture(FILE *out) {
    static const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 101};
    for (size_t i = 0; i < WZP_COUNT_OF(header); i++) {
        put_u32(out, header[i]);
    }
}

static void capture(bench *b, const raw *packet) {
    put_u32(b->out, 0);
    put_u32(b->out, 0);
    put_u32(b->out, (uint32_t)packet->len);
    put_u32(b->out, (uint32_t)packet->len);
    ck_assert_uint_eq(fwrite(packet->at, 1, packet->len, b->out), packet->len);
}

static void pass(bench *b, raw *packet, bool outbound) {
    wzp_sim_rewriter *rewriter = b->rewriter[packet->at[0] >> 4 == 6];
    const wzp_sim_rewrite verdict = outbound
                                        ? wzp_sim_rewrite_out(rewriter, packet->at, packet->len, 0)
                                        : wzp_sim_rewrite_in(rewriter, packet->at, packet->len, 0);
    ck_assert_str_eq(wzp_sim_rewrite_name(verdict), "forward");
    capture(b, packet);
}

static void run_sample(bench *b, const struct sample *s, uint32_t id) {
    raw whole;
    raw packet;
    raw_cfg cfg = s->cfg;
    cfg.quoted = s->error ? &b->last : NULL;
    raw_make(&whole, &cfg);
    packet = whole;
    if (s->cut > 0) {
        raw_fragment(&packet, &whole, 0, s->cut, id);
        pass(b, &packet, !s->error);
        raw_fragment(&packet, &whole, s->cut, cfg.payload + 8, id);
    }
    pass(b, &packet, !s->error);
    b->last = packet;
}

static void open_bench(bench *b, const char *path) {
    static const char *const externals[] = {"203.0.113.1:0", "[2001:db8:ff::1]:0"};
    wzp_sim_nat_cfg cfg;
    ck_assert(wzp_sim_nat_preset("symseq", &cfg));
    for (size_t i = 0; i < 2; i++) {
        wzp_addr external;
        ck_assert_int_eq(wzp_addr_parse(&external, externals[i]), WZP_OK);
        ck_assert_int_eq(wzp_sim_nat_new(&b->nat[i], &cfg, &external, 1, 1, "nat", 0, NULL),
                         WZP_OK);
        ck_assert_int_eq(
            wzp_sim_rewriter_new(&b->rewriter[i], &(wzp_sim_rewriter_cfg){0}, b->nat[i]), WZP_OK);
    }
    b->out = fopen(path, "wb");
    ck_assert_ptr_nonnull(b->out);
    begin_capture(b->out);
}

static void close_bench(bench *b) {
    ck_assert_int_eq(fclose(b->out), 0);
    for (size_t i = 0; i < 2; i++) {
        wzp_sim_rewriter_free(&b->rewriter[i]);
        wzp_sim_nat_free(&b->nat[i]);
    }
}

static void compare(FILE *in) {
    char line[512];
    for (size_t i = 0; i < WZP_COUNT_OF(samples); i++) {
        for (size_t k = 0; k < 2 && samples[i].want[k] != NULL; k++) {
            ck_assert_msg(fgets(line, sizeof line, in) != NULL, "packet %zu is missing", i);
            line[strcspn(line, "\n")] = '\0';
            ck_assert_str_eq(line, samples[i].want[k]);
        }
    }
    ck_assert_ptr_null(fgets(line, sizeof line, in));
}

START_TEST(tshark_agrees) {
    char path[] = "/tmp/wzp_rewrite_XXXXXX";
    bench b = {.out = NULL};
    tshark_file(path);
    open_bench(&b, path);
    for (size_t i = 0; i < WZP_COUNT_OF(samples); i++) {
        run_sample(&b, &samples[i], (uint32_t)i);
    }
    close_bench(&b);
    tshark_reads(path, options, fields, compare);
}
END_TEST

int main(void) {
    if (tshark_is_missing()) {
        return 77;
    }
    TCase *tc = tcase_create("rewrite_tshark");
    tcase_add_test(tc, tshark_agrees);
    return wzp_run_suite("rewrite_tshark", tc);
}
