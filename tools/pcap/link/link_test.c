/* Packets byte by byte, from each link layer up to the UDP datagram. */
#include "tools/pcap/link/link.h"

#include <check.h>
#include <stdio.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "tools/pcap/file/testing/build.h"
#include "trace/inet.h"

/* --- the parts of packets --------------------------------------------------------------------- */

#define ETHERNET "020000000001 020000000002 "
#define COOKED "0000 0001 0006 0200000000010000 "
#define COOKED_2(type) type " 0000 00000001 0001 00 06 0200000000010000 "

#define IPV4_ENDS "0a000001 0a000002 "
#define IPV4 "45 02 001f 0007 4000 40 11 0000 " IPV4_ENDS
#define IPV6_ENDS "fe800000000000000000000000000001 fe800000000000000000000000000002 "
#define IPV6(len, next) "60 10 00 00 " len " " next " 40 " IPV6_ENDS
#define UDP "1151 c350 000b 0000 616263 "

#define SAYS_V4 "10.0.0.1:4433 > 10.0.0.2:50000 ecn 2: abc"
#define SAYS_V6 "[fe80::1]:4433 > [fe80::2]:50000 ecn 1: abc"

static const struct packet_case {
    const char *name;
    size_t link_type;
    const char *hex;
    size_t original_len; /* 0: all was captured */
    const char *want;
} packet_cases[] = {
    {"Ethernet, IPv4", 1, ETHERNET "0800" IPV4 UDP, 0, SAYS_V4},
    {"Ethernet, IPv6", 1, ETHERNET "86dd" IPV6("000b", "11") UDP, 0, SAYS_V6},
    {"Ethernet, padded", 1, ETHERNET "0800" IPV4 UDP "000000000000000000000000 deadbeef", 0,
     SAYS_V4},
    {"Ethernet, IPv6, padded", 1, ETHERNET "86dd" IPV6("000b", "11") UDP "deadbeef", 0, SAYS_V6},
    {"802.1Q", 1, ETHERNET "8100 0005 0800" IPV4 UDP, 0, SAYS_V4},
    {"802.1ad", 1, ETHERNET "88a8 0005 8100 0006 86dd" IPV6("000b", "11") UDP, 0, SAYS_V6},
    {"old QinQ", 1, ETHERNET "9100 0005 9200 0006 0800" IPV4 UDP, 0, SAYS_V4},
    {"eight tags", 1,
     ETHERNET "8100 0005 8100 0005 8100 0005 8100 0005 8100 0005 8100 0005 8100 0005 8100 0005"
              "0800" IPV4 UDP,
     0, SAYS_V4},
    {"nine tags", 1,
     ETHERNET "8100 0005 8100 0005 8100 0005 8100 0005 8100 0005 8100 0005 8100 0005 8100 0005"
              "8100 0005 0800" IPV4 UDP,
     0, "PARSE too many VLAN tags at 44, 33024"},
    {"ARP", 1, ETHERNET "0806 0001 0800 0604 0001", 0, "other"},
    {"802.3 with a length", 1, ETHERNET "0026 424203", 0, "other"},
    {"cut inside the Ethernet header", 1, "020000000001 0200", 0,
     "TRUNCATED Ethernet header at 0, 8"},
    {"cut inside a tag", 1, ETHERNET "8100 00", 0, "TRUNCATED VLAN tag at 14, 1"},
    {"Linux cooked", 113, COOKED "0800" IPV4 UDP, 0, SAYS_V4},
    {"Linux cooked, IPv6", 113, COOKED "86dd" IPV6("000b", "11") UDP, 0, SAYS_V6},
    {"Linux cooked, tagged", 113, COOKED "8100 0005 0800" IPV4 UDP, 0, SAYS_V4},
    {"Linux cooked v2", 276, COOKED_2("0800") IPV4 UDP, 0, SAYS_V4},
    {"Linux cooked v2, IPv6", 276, COOKED_2("86dd") IPV6("000b", "11") UDP, 0, SAYS_V6},
    {"Linux cooked v2, something else", 276, COOKED_2("0003"), 0, "other"},
    {"raw IPv4", 101, IPV4 UDP, 0, SAYS_V4},
    {"raw IPv6", 101, IPV6("000b", "11") UDP, 0, SAYS_V6},
    {"raw of BSD", 12, IPV4 UDP, 0, SAYS_V4},
    {"raw of OpenBSD", 14, IPV6("000b", "11") UDP, 0, SAYS_V6},
    {"raw, nothing", 101, "", 0, "TRUNCATED IP Version at 0, 0"},
    {"raw, IPv5", 101, "55 00", 0, "PARSE IP Version at 0, 5"},
    {"IPv4 alone", 228, IPV4 UDP, 0, SAYS_V4},
    {"IPv4 alone, and it is not", 228, IPV6("000b", "11") UDP, 0,
     "PARSE IPv4 Version, IHL at 0, 96"},
    {"IPv6 alone", 229, IPV6("000b", "11") UDP, 0, SAYS_V6},
    {"IPv6 alone, and it is not", 229, IPV4 UDP "000000000000000000", 0,
     "PARSE IPv6 Version at 0, 69"},
    {"null, little-endian", 0, "02000000" IPV4 UDP, 0, SAYS_V4},
    {"null, big-endian", 0, "00000002" IPV4 UDP, 0, SAYS_V4},
    {"null, macOS", 0, "1e000000" IPV6("000b", "11") UDP, 0, SAYS_V6},
    {"null, FreeBSD", 0, "0000001c" IPV6("000b", "11") UDP, 0, SAYS_V6},
    {"loop, OpenBSD", 108, "00000018" IPV6("000b", "11") UDP, 0, SAYS_V6},
    {"loop, Linux", 108, "0a000000" IPV6("000b", "11") UDP, 0, SAYS_V6},
    {"loop, another family", 108, "00000007" IPV4 UDP, 0, "other"},
    {"null, cut", 0, "0200", 0, "TRUNCATED loopback family at 0, 2"},
    {"a media packet", 147, "02000000", 0, "unknown"},
    {"Wi-Fi", 105, "02000000", 0, "unknown"},

    {"IPv4 with options", 101, "46 02 0023 0007 4000 40 11 0000 " IPV4_ENDS "94040000" UDP, 0,
     SAYS_V4},
    {"IPv4, options past the end", 101, "4f 02 001f 0007 4000 40 11 0000 " IPV4_ENDS UDP, 0,
     "PARSE IPv4 Total Length at 2, 31"},
    {"IPv4, options are cut", 101, "46 02 0023 0007 4000 40 11 0000 " IPV4_ENDS "9404", 35,
     "TRUNCATED IPv4 options at 20, 2"},
    {"IPv4, header length of 4 words", 101, "44 02 001f 0007 4000 40 11 0000 " IPV4_ENDS UDP, 0,
     "PARSE IPv4 Version, IHL at 0, 68"},
    {"IPv4, total length of 19", 101, "45 02 0013 0007 4000 40 11 0000 " IPV4_ENDS UDP, 0,
     "PARSE IPv4 Total Length at 2, 19"},
    {"IPv4, total length of 0", 101, "45 02 0000 0007 4000 40 11 0000 " IPV4_ENDS UDP, 0, SAYS_V4},
    {"IPv4, TCP", 101, "45 00 0028 0007 4000 40 06 0000 " IPV4_ENDS, 0, "other"},
    {"IPv4, a fragment of TCP", 101, "45 00 0028 0007 2000 40 06 0000 " IPV4_ENDS, 0, "other"},
    {"IPv4, cut", 101, "45 02 001f 0007 4000 40 11 0000 0a000001 0a0000", 0,
     "TRUNCATED IPv4 header at 0, 19"},
    {"IPv4, ends inside the UDP header", 101, "45 02 0019 0007 4000 40 11 0000 " IPV4_ENDS UDP, 0,
     "PARSE UDP header at 20, 5"},
    {"UDP length too long", 101, "45 02 001e 0007 4000 40 11 0000 " IPV4_ENDS UDP, 0,
     "PARSE UDP Length at 24, 11"},
    {"UDP length too short", 101, IPV4 "1151 c350 0007 0000 616263 ", 0,
     "PARSE UDP Length at 24, 7"},
    {"UDP length of 0", 101, IPV4 "1151 c350 0000 0000 616263 ", 0, "PARSE UDP Length at 24, 0"},
    {"UDP shorter than its packet", 101, IPV4 "1151 c350 0009 0000 616263 ", 0,
     "10.0.0.1:4433 > 10.0.0.2:50000 ecn 2: a"},
    {"UDP without payload", 101, IPV4 "1151 c350 0008 0000 616263 ", 0,
     "10.0.0.1:4433 > 10.0.0.2:50000 ecn 2: "},
    {"UDP, the capture is cut in the payload", 101, IPV4 "1151 c350 000b 0000 61", 31,
     "10.0.0.1:4433 > 10.0.0.2:50000 ecn 2: a of 3"},
    {"UDP, the capture is cut behind the header", 101, IPV4 "1151 c350 000b 0000", 31,
     "10.0.0.1:4433 > 10.0.0.2:50000 ecn 2:  of 3"},
    {"UDP, the capture is cut in the header", 101, IPV4 "1151 c350 000b 00", 31,
     "TRUNCATED UDP header at 20, 7"},

    {"IPv6, TCP", 101, IPV6("0014", "06"), 0, "other"},
    {"IPv6, no next header", 101, IPV6("0000", "3b"), 0, "other"},
    {"IPv6, cut", 101, "60 10 00 00 000b 11 40 fe80", 0, "TRUNCATED IPv6 header at 0, 10"},
    {"IPv6, hop by hop, routing, destination", 101,
     IPV6("0023", "00") "2b 00 0104 0000 0000 3c 00 0000 0000 0000 11 00 0104 0000 0000" UDP, 0,
     SAYS_V6},
    {"IPv6, a long extension", 101, IPV6("001b", "3c") "11 01 010c 0000 0000 00000000 00000000" UDP,
     0, SAYS_V6},
    {"IPv6, authentication", 101, IPV6("0017", "33") "11 01 0000 00000000 00000000" UDP, 0,
     SAYS_V6},
    {"IPv6, an extension past the end", 101, IPV6("0013", "3c") "11 02 0104 0000 0000" UDP, 0,
     "PARSE IPv6 extension header at 48, 11"},
    {"IPv6, an extension that is cut", 101, IPV6("0013", "3c") "11 00 0104 00", 59,
     "TRUNCATED IPv6 extension header at 40, 5"},
    {"IPv6, seventeen extensions", 101,
     IPV6("0093", "3c") "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000"
                        "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000"
                        "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000"
                        "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000"
                        "1100010400000000" UDP,
     0, "PARSE too many IPv6 extension headers at 168, 60"},
    {"IPv6, an atomic fragment", 101, IPV6("0013", "2c") "11 00 0000 00000007" UDP, 0, SAYS_V6},
    {"IPv6, a fragment of TCP", 101, IPV6("0010", "2c") "06 00 0001 00000007 0000000000000000", 0,
     "other"},
    {"IPv4, a fragment", 101, "45 02 001c 0007 2000 40 11 0000 " IPV4_ENDS "1151 c350 000b 0000", 0,
     "piece"},
    {"IPv4, a fragment that is cut", 101, "45 02 001c 0007 2000 40 11 0000 " IPV4_ENDS "1151 c350",
     28, "TRUNCATED fragment at 20, 4"},
    {"IPv6, a fragment", 101, IPV6("0010", "2c") "11 00 0001 00000007 1151 c350 000b 0000", 0,
     "piece"},
    {"IPv6, a fragment of an odd length", 101,
     IPV6("000f", "2c") "11 00 0001 00000007 1151 c350 000b 00", 0,
     "PARSE fragment that contradicts others at 48, 0"},
};

static void say(char out[256], wzp_pcap_link_verdict verdict, const wzp_pcap_udp *udp,
                const wzp_fail *fail) {
    char src[WZP_ADDR_TEXT_MAX];
    char dst[WZP_ADDR_TEXT_MAX];
    switch (verdict) {
    case WZP_PCAP_LINK_UDP: {
        const int n = snprintf(out, 256, "%s > %s ecn %u: %.*s", wzp_addr_text(&udp->src, src),
                               wzp_addr_text(&udp->dst, dst), udp->ecn, (int)udp->payload.len,
                               (const char *)udp->payload.data);
        if (udp->cut) {
            (void)snprintf(out + n, 256 - (size_t)n, " of %u", udp->payload_len);
        } else {
            ck_assert_uint_eq(udp->payload.len, udp->payload_len);
        }
        return;
    }
    case WZP_PCAP_LINK_OTHER:
        (void)snprintf(out, 256, "other");
        return;
    case WZP_PCAP_LINK_PIECE:
        (void)snprintf(out, 256, "piece");
        return;
    case WZP_PCAP_LINK_UNKNOWN:
        (void)snprintf(out, 256, "unknown");
        return;
    case WZP_PCAP_LINK_MALFORMED:
        (void)snprintf(out, 256, "%s %s at %zu, %llu", wzp_err_name(fail->code), fail->field,
                       fail->offset, (unsigned long long)fail->got);
        return;
    }
}

static wzp_pcap_link *link_;
static build made;
static char said[256];

static wzp_pcap_link_verdict take(size_t link_type, wzp_bytes bytes, size_t original_len) {
    /* on a heap of its own, so that a sanitizer sees what is read behind it */
    uint8_t *copy = malloc(bytes.len != 0 ? bytes.len : 1);
    memcpy(copy, bytes.data, bytes.len);
    const wzp_pcap_packet packet = {.link_type = (uint32_t)link_type,
                                    .original_len =
                                        (uint32_t)(original_len != 0 ? original_len : bytes.len),
                                    .data = wzp_bytes_of(copy, bytes.len)};
    wzp_pcap_udp udp = {0};
    wzp_fail fail = {0};
    const wzp_pcap_link_verdict verdict = wzp_pcap_link_take(link_, &packet, &udp, &fail);
    say(said, verdict, &udp, &fail);
    free(copy);
    return verdict;
}

static void take_hex(const struct packet_case *c) {
    made = (build){.len = 0};
    put_hex(&made, c->hex);
    (void)take(c->link_type, built(&made), c->original_len);
}

START_TEST(packets) {
    const struct packet_case *c = &packet_cases[_i];
    ck_assert_int_eq(wzp_pcap_link_new(&link_), WZP_OK);
    take_hex(c);
    ck_assert_msg(strcmp(said, c->want) == 0, "%s: %s", c->name, said);
    const wzp_pcap_link_counters *count = wzp_pcap_link_count(link_);
    ck_assert_uint_eq(count->udp + count->other + count->pieces + count->unknown + count->malformed,
                      1);
    wzp_pcap_link_free(&link_);
    ck_assert_ptr_null(link_);
}
END_TEST

/* Cut anywhere, a packet is cut or malformed, and never says more than was captured. */
START_TEST(prefixes) {
    const struct packet_case *c = &packet_cases[_i];
    made = (build){.len = 0};
    put_hex(&made, c->hex);
    for (size_t len = 0; len < made.len; len++) {
        ck_assert_int_eq(wzp_pcap_link_new(&link_), WZP_OK);
        (void)take(c->link_type, wzp_bytes_of(made.data, len), made.len);
        wzp_pcap_link_free(&link_);
    }
}
END_TEST

START_TEST(damage) {
    const struct packet_case *c = &packet_cases[_i];
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "link_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    ck_assert_int_eq(wzp_pcap_link_new(&link_), WZP_OK);
    for (int round = 0; round < 500; round++) {
        made = (build){.len = 0};
        put_hex(&made, c->hex);
        for (int n = 0; made.len > 0 && n < 3; n++) {
            made.data[wzp_rng_below(rng, made.len)] = (uint8_t)wzp_rng_below(rng, 256);
        }
        const size_t link_type =
            packet_cases[wzp_rng_below(rng, WZP_COUNT_OF(packet_cases))].link_type;
        (void)take(link_type, built(&made), (size_t)wzp_rng_below(rng, 70000));
    }
    wzp_pcap_link_free(&link_);
}
END_TEST

/* --- fragments -------------------------------------------------------------------------------- */

static uint8_t datagram[WZP_INET_PAYLOAD_MAX + 8];

/* One piece of the UDP datagram of `len` bytes as an IP packet. */
static wzp_pcap_link_verdict take_piece(bool v6, size_t len, size_t from, size_t to, uint32_t id) {
    const bool more = to < len;
    made = (build){.len = 0};
    if (v6) {
        put_u32(&made, 0x60000000);
        put_u16(&made, 8 + to - from);
        put_hex(&made, "2c40" IPV6_ENDS "1100");
        put_u16(&made, from | (more ? 1 : 0));
        put_u32(&made, id);
    } else {
        put_hex(&made, "4500");
        put_u16(&made, 20 + to - from);
        put_u16(&made, id);
        put_u16(&made, (more ? 0x2000 : 0) | from / 8);
        put_hex(&made, "40110000" IPV4_ENDS);
    }
    put(&made, wzp_bytes_of(datagram + from, to - from));
    const wzp_pcap_packet packet = {
        .link_type = 101, .original_len = (uint32_t)made.len, .data = built(&made)};
    wzp_pcap_udp udp = {0};
    wzp_fail fail = {0};
    const wzp_pcap_link_verdict verdict = wzp_pcap_link_take(link_, &packet, &udp, &fail);
    if (verdict == WZP_PCAP_LINK_UDP) {
        ck_assert_uint_eq(udp.src.port, 4433);
        ck_assert_uint_eq(udp.dst.port, 50000);
        ck_assert_uint_eq(udp.src.family, v6 ? WZP_ADDR_V6 : WZP_ADDR_V4);
        ck_assert(!udp.cut);
        ck_assert_uint_eq(udp.payload_len, len - 8);
        ck_assert(wzp_bytes_equal(udp.payload, wzp_bytes_of(datagram + 8, len - 8)));
    }
    return verdict;
}

static void fill_datagram(wzp_rng rng, size_t len) {
    made = (build){.len = 0};
    put_u16(&made, 4433);
    put_u16(&made, 50000);
    put_u16(&made, len);
    put_u16(&made, 0);
    memcpy(datagram, made.data, 8);
    wzp_rng_fill(rng, datagram + 8, len - 8);
}

/* Cut anywhere, in any order, some twice: the datagram comes out with the last missing piece. */
START_TEST(datagrams_in_pieces) {
    const bool v6 = _i % 2 != 0;
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "link_test pieces");
    const wzp_rng rng = wzp_prng_rng(&prng);
    ck_assert_int_eq(wzp_pcap_link_new(&link_), WZP_OK);
    uint64_t whole = 0;
    for (uint32_t round = 0; round < 100; round++) {
        size_t cuts[8200];
        size_t count = 0;
        const size_t len = 9 + (size_t)wzp_rng_below(rng, round % 10 == 0 ? 65400 : 2000);
        fill_datagram(rng, len);
        for (size_t at = 0; at < len; count++) {
            cuts[count] = at;
            at += 8 * (1 + (size_t)wzp_rng_below(rng, 180));
        }
        cuts[count] = len;
        bool done[8200] = {false};
        for (size_t left = count; left > 0;) {
            const size_t i = (size_t)wzp_rng_below(rng, count);
            left -= done[i] ? 0 : 1;
            done[i] = true;
            const wzp_pcap_link_verdict got = take_piece(v6, len, cuts[i], cuts[i + 1], round);
            ck_assert_int_eq(got, left == 0 ? WZP_PCAP_LINK_UDP : WZP_PCAP_LINK_PIECE);
        }
        whole += count > 1 || !v6 ? 1 : 0;
    }
    ck_assert_uint_le(wzp_pcap_link_count(link_)->whole, whole);
    ck_assert_uint_ge(wzp_pcap_link_count(link_)->whole, 50);
    ck_assert_uint_eq(wzp_pcap_link_count(link_)->expired, 0);
    wzp_pcap_link_free(&link_);
}
END_TEST

START_TEST(overlaps_are_refused) {
    const bool v6 = _i % 2 != 0;
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "link_test overlaps");
    ck_assert_int_eq(wzp_pcap_link_new(&link_), WZP_OK);
    fill_datagram(wzp_prng_rng(&prng), 64);
    ck_assert_int_eq(take_piece(v6, 64, 0, 32, 1), WZP_PCAP_LINK_PIECE);
    ck_assert_int_eq(take_piece(v6, 64, 24, 40, 1), WZP_PCAP_LINK_MALFORMED);
    ck_assert_int_eq(take_piece(v6, 64, 32, 64, 1), WZP_PCAP_LINK_MALFORMED);
    ck_assert_uint_eq(wzp_pcap_link_count(link_)->expired, 1);
    ck_assert_int_eq(take_piece(v6, 64, 0, 32, 2), WZP_PCAP_LINK_PIECE);
    ck_assert_int_eq(take_piece(v6, 64, 32, 64, 2), WZP_PCAP_LINK_UDP);
    wzp_pcap_link_free(&link_);
}
END_TEST

/* A header behind the fragment header is walked over once the datagram is whole. */
START_TEST(an_extension_inside_of_fragments) {
    ck_assert_int_eq(wzp_pcap_link_new(&link_), WZP_OK);
    static const struct packet_case first = {
        "first", 101, IPV6("0010", "2c") "3c 00 0001 00000007 1100 0104 00000000", 0, ""};
    static const struct packet_case last = {"last", 101,
                                            IPV6("0013", "2c") "3c 00 0008 00000007" UDP, 0, ""};
    take_hex(&first);
    ck_assert_str_eq(said, "piece");
    take_hex(&last);
    ck_assert_str_eq(said, SAYS_V6);
    wzp_pcap_link_free(&link_);
}
END_TEST

START_TEST(a_fragment_inside_of_fragments) {
    ck_assert_int_eq(wzp_pcap_link_new(&link_), WZP_OK);
    static const struct packet_case first = {
        "first", 101, IPV6("0010", "2c") "2c 00 0001 00000007 1100 0001 00000008", 0, ""};
    static const struct packet_case last = {"last", 101,
                                            IPV6("0013", "2c") "2c 00 0008 00000007" UDP, 0, ""};
    take_hex(&first);
    take_hex(&last);
    ck_assert_str_eq(said, "PARSE fragment header within a fragment at 0, 17");
    wzp_pcap_link_free(&link_);
}
END_TEST

/* --- what our own writer makes ---------------------------------------------------------------- */

START_TEST(headers_of_our_own) {
    static const char *const ends[][2] = {{"192.0.2.1:4433", "198.51.100.7:1"},
                                          {"[2001:db8::1]:4433", "[2001:db8::2]:65535"}};
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "link_test own");
    const wzp_rng rng = wzp_prng_rng(&prng);
    static uint8_t bytes[WZP_INET_HEAD_MAX + WZP_INET_PAYLOAD_MAX];
    ck_assert_int_eq(wzp_pcap_link_new(&link_), WZP_OK);
    for (int round = 0; round < 200; round++) {
        wzp_addr src;
        wzp_addr dst;
        ck_assert_int_eq(wzp_addr_parse(&src, ends[round % 2][0]), WZP_OK);
        ck_assert_int_eq(wzp_addr_parse(&dst, ends[round % 2][1]), WZP_OK);
        const size_t len =
            (size_t)wzp_rng_below(rng, round < 190 ? 1500 : WZP_INET_PAYLOAD_MAX + 1);
        wzp_rng_fill(rng, datagram, len);
        const uint8_t ecn = (uint8_t)(round & 3);
        const size_t head = wzp_inet_udp_head(bytes, &src, &dst, ecn, wzp_bytes_of(datagram, len));
        memcpy(bytes + head, datagram, len);
        const wzp_pcap_packet packet = {.link_type = 101,
                                        .original_len = (uint32_t)(head + len),
                                        .data = wzp_bytes_of(bytes, head + len)};
        wzp_pcap_udp udp = {0};
        wzp_fail fail = {0};
        ck_assert_int_eq(wzp_pcap_link_take(link_, &packet, &udp, &fail), WZP_PCAP_LINK_UDP);
        ck_assert(wzp_addr_equal(&udp.src, &src) && wzp_addr_equal(&udp.dst, &dst));
        ck_assert_uint_eq(udp.ecn, ecn);
        ck_assert(wzp_bytes_equal(udp.payload, wzp_bytes_of(datagram, len)));
    }
    wzp_pcap_link_free(&link_);
}
END_TEST

/* Longer than any IP packet says it can be: captured before a network card cut it up. */
START_TEST(a_packet_before_segmentation) {
    static uint8_t bytes[90000];
    made = (build){.len = 0};
    put_hex(&made, "45 02 0000 0007 4000 40 11 0000 " IPV4_ENDS "1151 c350 0000 0000");
    memcpy(bytes, made.data, made.len);
    ck_assert_int_eq(wzp_pcap_link_new(&link_), WZP_OK);
    const wzp_pcap_packet packet = {
        .link_type = 101, .original_len = 90000, .data = wzp_bytes_of(bytes, 80000)};
    wzp_pcap_udp udp = {0};
    wzp_fail fail = {0};
    ck_assert_int_eq(wzp_pcap_link_take(link_, &packet, &udp, &fail), WZP_PCAP_LINK_UDP);
    ck_assert_uint_eq(udp.payload_len, 90000 - 28);
    ck_assert_uint_eq(udp.payload.len, 80000 - 28);
    ck_assert(udp.cut);
    ck_assert_uint_eq(wzp_pcap_link_count(link_)->cut, 1);
    wzp_pcap_link_free(&link_);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("link");
    tcase_add_loop_test(tc, packets, 0, WZP_COUNT_OF(packet_cases));
    tcase_add_loop_test(tc, prefixes, 0, WZP_COUNT_OF(packet_cases));
    tcase_add_loop_test(tc, damage, 0, WZP_COUNT_OF(packet_cases));
    tcase_add_loop_test(tc, datagrams_in_pieces, 0, 8);
    tcase_add_loop_test(tc, overlaps_are_refused, 0, 2);
    tcase_add_test(tc, an_extension_inside_of_fragments);
    tcase_add_test(tc, a_fragment_inside_of_fragments);
    tcase_add_test(tc, headers_of_our_own);
    tcase_add_test(tc, a_packet_before_segmentation);
    return wzp_run_suite("link", tc);
}
