/* A capture as tshark reads it: every field as it was put in, every checksum good that should be,
 * nothing malformed.  Skipped where there is no tshark. */
#include "base/testing/suite.h"
#include "sim/net/capture.h"
#include "sim/net/testing/tshark.h"

static const char v4_src[] = "10.0.0.2:40001";
static const char v4_dst[] = "203.0.113.5:50001";
static const char v6_src[] = "[2001:db8::2]:40001";
static const char v6_dst[] = "[2001:db8:ffff::5]:50001";

/* What tshark is asked: about each packet one line, with commas where a field is there twice. */
static const char fields[] =
    "-T fields -E separator='|' -E occurrence=a -e frame.comment -e frame.interface_name "
    "-e frame.packet_flags_direction -e frame.packet_id -e frame.time_epoch -e frame.len "
    "-e ip.src -e ipv6.src -e ip.checksum.status -e udp.checksum.status -e tcp.checksum.status "
    "-e icmp.checksum.status -e icmp.type -e icmp.code -e icmp.mtu "
    "-e icmpv6.checksum.status -e icmpv6.type -e icmpv6.code -e icmpv6.mtu "
    "-e _ws.malformed";

/* All checksums are to be verified, and payloads are not to be taken for anything. */
static const char options[] =
    "-o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE "
    "-d udp.port==50001,data -d tcp.port==50001,data";

/* A packet, or an error about one, and what tshark must say of it from frame.len on.  Status 1 is
 * good, 0 is bad, 2 is not known: of what an error quotes in part. */
static const struct sample {
    const char *name, *src, *dst;
    wzp_sim_proto proto;
    size_t len;
    bool corrupted;
    wzp_sim_icmp icmp;
    const char *want;
} samples[] = {
    {"UDP", v4_src, v4_dst, WZP_SIM_UDP, 160, false, 0, "188|10.0.0.2||1|1||||||||||"},
    {"UDP of odd length", v4_src, v4_dst, WZP_SIM_UDP, 161, false, 0,
     "189|10.0.0.2||1|1||||||||||"},
    {"UDP without payload", v4_src, v4_dst, WZP_SIM_UDP, 0, false, 0, "28|10.0.0.2||1|1||||||||||"},
    {"largest UDP", v4_src, v4_dst, WZP_SIM_UDP, 65507, false, 0, "65535|10.0.0.2||1|1||||||||||"},
    {"corrupted UDP", v4_src, v4_dst, WZP_SIM_UDP, 160, true, 0, "188|10.0.0.2||1|0||||||||||"},
    {"TCP", v4_src, v4_dst, WZP_SIM_TCP, 1460, false, 0, "1500|10.0.0.2||1||1|||||||||"},
    {"corrupted TCP", v4_src, v4_dst, WZP_SIM_TCP, 1460, true, 0, "1500|10.0.0.2||1||0|||||||||"},
    {"UDP on IPv6", v6_src, v6_dst, WZP_SIM_UDP, 160, false, 0, "208||2001:db8::2||1||||||||||"},
    {"corrupted UDP on IPv6", v6_src, v6_dst, WZP_SIM_UDP, 160, true, 0,
     "208||2001:db8::2||0||||||||||"},
    {"TCP on IPv6", v6_src, v6_dst, WZP_SIM_TCP, 1440, false, 0, "1500||2001:db8::2|||1|||||||||"},
    {"port", v4_src, v4_dst, WZP_SIM_UDP, 160, false, WZP_SIM_ICMP_PORT_UNREACHABLE,
     "216|10.0.0.1,10.0.0.2||1,1|1||1|3|3||||||"},
    {"host", v4_src, v4_dst, WZP_SIM_UDP, 1200, false, WZP_SIM_ICMP_HOST_UNREACHABLE,
     "576|10.0.0.1,10.0.0.2||1,1|2||1|3|1||||||"},
    {"prohibited", v4_src, v4_dst, WZP_SIM_TCP, 100, false, WZP_SIM_ICMP_ADMIN_PROHIBITED,
     "168|10.0.0.1,10.0.0.2||1,1||1|1|3|13||||||"},
    {"too big", v4_src, v4_dst, WZP_SIM_UDP, 1400, false, WZP_SIM_ICMP_TOO_BIG,
     "576|10.0.0.1,10.0.0.2||1,1|2||1|3|4|1280|||||"},
    {"TTL", v4_src, v4_dst, WZP_SIM_UDP, 0, false, WZP_SIM_ICMP_TTL_EXCEEDED,
     "56|10.0.0.1,10.0.0.2||1,1|1||1|11|0||||||"},
    {"port on IPv6", v6_src, v6_dst, WZP_SIM_UDP, 160, false, WZP_SIM_ICMP_PORT_UNREACHABLE,
     "256||2001:db8::1,2001:db8::2||1||||||1|1|4||"},
    {"host on IPv6", v6_src, v6_dst, WZP_SIM_UDP, 1400, false, WZP_SIM_ICMP_HOST_UNREACHABLE,
     "1280||2001:db8::1,2001:db8::2||2||||||1|1|3||"},
    {"prohibited on IPv6", v6_src, v6_dst, WZP_SIM_TCP, 9, false, WZP_SIM_ICMP_ADMIN_PROHIBITED,
     "117||2001:db8::1,2001:db8::2|||1|||||1|1|1||"},
    {"too big on IPv6", v6_src, v6_dst, WZP_SIM_UDP, 1400, false, WZP_SIM_ICMP_TOO_BIG,
     "1280||2001:db8::1,2001:db8::2||2||||||1|2|0|1280|"},
    {"TTL on IPv6", v6_src, v6_dst, WZP_SIM_UDP, 9, false, WZP_SIM_ICMP_TTL_EXCEEDED,
     "105||2001:db8::1,2001:db8::2||1||||||1|3|0||"},
};

static void append(void *ctx, wzp_bytes bytes) {
    ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.len, ctx), bytes.len);
}

static wzp_sim_packet *packet_of(wzp_sim_pool *pool, const struct sample *s) {
    wzp_addr src;
    wzp_addr dst;
    wzp_addr box;
    const bool v4 = s->src == v4_src;
    ck_assert_int_eq(wzp_addr_parse(&src, s->src), WZP_OK);
    ck_assert_int_eq(wzp_addr_parse(&dst, s->dst), WZP_OK);
    ck_assert_int_eq(wzp_addr_parse(&box, v4 ? "10.0.0.1:0" : "[2001:db8::1]:0"), WZP_OK);
    wzp_sim_packet *packet = wzp_sim_packet_new(pool, &src, &dst, wzp_bytes_of(NULL, s->len), 0);
    packet->proto = (uint8_t)s->proto;
    packet->corrupted = s->corrupted;
    memset(packet->payload, 0xa5, s->len);
    if (s->icmp == WZP_SIM_ICMP_NONE) {
        return packet;
    }
    wzp_sim_packet *icmp = wzp_sim_packet_icmp(packet, &box, s->icmp, 1280, 0);
    wzp_sim_packet_free(packet);
    return icmp;
}

static void write_samples(const char *path) {
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_sim_capture *capture = NULL;
    const wzp_sim_capture_cfg cfg = {
        .sink = append, .sink_ctx = out, .comment = "samples", .epoch_s = 1700000000};
    ck_assert_int_eq(wzp_sim_capture_new(&capture, &cfg), WZP_OK);
    for (size_t i = 0; i < WZP_COUNT_OF(samples); i++) {
        wzp_sim_packet *packet = packet_of(pool, &samples[i]);
        wzp_sim_capture_packet(capture, i % 2 == 0 ? "x:0" : "nat:1",
                               i % 2 == 0 ? WZP_SIM_WAY_OUT : WZP_SIM_WAY_IN, packet,
                               samples[i].name, WZP_S + i);
        wzp_sim_packet_free(packet);
    }
    wzp_sim_capture_free(&capture);
    wzp_sim_pool_free(&pool);
    ck_assert_int_eq(fclose(out), 0);
}

/* An error has the second id of its sample. */
static void compare(FILE *in) {
    char line[512];
    char want[512];
    unsigned id = 0;
    for (size_t i = 0; i < WZP_COUNT_OF(samples); i++) {
        const bool even = i % 2 == 0;
        id += samples[i].icmp == WZP_SIM_ICMP_NONE ? 1 : 2;
        ck_assert_msg(fgets(line, sizeof line, in) != NULL, "only %zu packets", i);
        line[strcspn(line, "\n")] = '\0';
        (void)snprintf(want, sizeof want, "%s|%s|0x%08x|%u|1700000001.%09zu|%s", samples[i].name,
                       even ? "x:0" : "nat:1", even ? 2 : 1, id, i, samples[i].want);
        ck_assert_str_eq(line, want);
    }
    ck_assert_ptr_null(fgets(line, sizeof line, in));
}

START_TEST(tshark_agrees) {
    char path[] = "/tmp/wzp_tshark_XXXXXX";
    tshark_file(path);
    write_samples(path);
    tshark_reads(path, options, fields, compare);
}
END_TEST

int main(void) {
    if (tshark_is_missing()) {
        return 77;
    }
    TCase *tc = tcase_create("tshark");
    tcase_add_test(tc, tshark_agrees);
    return wzp_run_suite("tshark", tc);
}
