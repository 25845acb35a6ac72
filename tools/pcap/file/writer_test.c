/* What is written reads back as it was; the same calls give the same bytes. */
#include "tools/pcap/file/writer.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "tools/pcap/link/link.h"

#define START UINT64_C(1779703872123456789)

/* --- a file in memory ------------------------------------------------------------------------- */

typedef struct file {
    uint8_t *data;
    size_t len, cap;
} file;

static void append(void *ctx, wzp_bytes bytes) {
    file *f = ctx;
    if (f->len + bytes.len > f->cap) {
        f->cap = 2 * (f->len + bytes.len);
        f->data = realloc(f->data, f->cap);
        ck_assert_ptr_nonnull(f->data);
    }
    memcpy(f->data + f->len, bytes.data, bytes.len);
    f->len += bytes.len;
}

static file written;
static wzp_pcap_writer *writer;

static void begin(wzp_pcap_form form) {
    free(written.data);
    written = (file){0};
    ck_assert_int_eq(wzp_pcap_writer_new(&writer, &(wzp_pcap_writer_cfg){.form = form,
                                                                         .sink = append,
                                                                         .sink_ctx = &written,
                                                                         .comment = "why",
                                                                         .room = "a \"room\"",
                                                                         .start_ns = START}),
                     WZP_OK);
}

static void end(void) {
    wzp_pcap_writer_free(&writer);
    ck_assert_ptr_null(writer);
}

/* --- reading back ----------------------------------------------------------------------------- */

static wzp_pcap_reader *reader;
static size_t fed;

static void begin_reading(void) {
    ck_assert_int_eq(wzp_pcap_reader_new(&reader), WZP_OK);
    fed = 0;
}

static bool next(wzp_pcap_item *item) {
    while (!wzp_pcap_reader_next(reader, item)) {
        size_t cap = 0;
        uint8_t *room = wzp_pcap_reader_room(reader, &cap);
        const size_t left = written.len - fed;
        const size_t len = left < cap ? left : cap;
        if (len == 0) {
            wzp_pcap_reader_filled(reader, 0);
            return wzp_pcap_reader_next(reader, item);
        }
        memcpy(room, written.data + fed, len);
        fed += len;
        wzp_pcap_reader_filled(reader, len);
    }
    return true;
}

static void end_reading(void) {
    wzp_pcap_item item;
    ck_assert(!next(&item));
    ck_assert_uint_eq(wzp_pcap_reader_count(reader)->problems, 0);
    ck_assert_uint_eq(wzp_pcap_reader_count(reader)->skipped, 0);
    wzp_pcap_reader_free(&reader);
}

static void check_packet(const wzp_pcap_packet *want, const char *name) {
    wzp_pcap_item item = {0};
    ck_assert(next(&item));
    ck_assert_int_eq(item.kind, WZP_PCAP_ITEM_PACKET);
    const wzp_pcap_packet *got = &item.packet;
    ck_assert_uint_eq(got->time_ns, want->time_ns);
    ck_assert_uint_eq(got->link_type, want->link_type);
    ck_assert_uint_eq(got->original_len, want->original_len);
    ck_assert_int_eq(got->way, want->way);
    ck_assert_str_eq(got->interface_name, name);
    ck_assert(wzp_bytes_equal(got->data, want->data));
    ck_assert(wzp_bytes_equal(got->comment, want->comment));
}

static void check_text(wzp_pcap_item_kind kind, bool media_keys, wzp_bytes want) {
    wzp_pcap_item item = {0};
    ck_assert(next(&item));
    ck_assert_int_eq(item.kind, kind);
    ck_assert_int_eq(item.media_keys, media_keys);
    ck_assert(wzp_bytes_equal(item.text, want));
}

/* --- tests ------------------------------------------------------------------------------------ */

static uint8_t bytes[WZP_PCAP_PACKET_MAX + 1];

static wzp_pcap_packet random_packet(wzp_rng rng, uint32_t link_type) {
    static char comment[300];
    const size_t len = (size_t)wzp_rng_below(rng, 1500);
    const size_t comment_len = (size_t)wzp_rng_below(rng, 2) * (size_t)wzp_rng_below(rng, 300);
    wzp_rng_fill(rng, bytes, len);
    memset(comment, 'c', sizeof comment);
    return (wzp_pcap_packet){.time_ns = START + wzp_rng_below(rng, 1000000000000),
                             .link_type = link_type,
                             .original_len = (uint32_t)len + (uint32_t)wzp_rng_below(rng, 2) * 9,
                             .way = (wzp_pcap_way)wzp_rng_below(rng, 3),
                             .data = wzp_bytes_of(bytes, len),
                             .comment = wzp_bytes_of(comment, comment_len)};
}

static const char *const names[] = {"", "eth0", "wlan0"};
static const uint32_t link_types[] = {1, 101, WZP_PCAP_LINK_MEDIA, 276};

typedef struct plan {
    const char *name;
    wzp_pcap_packet packet;
} plan;

static plan next_plan(wzp_rng rng) {
    const uint32_t link_type = link_types[wzp_rng_below(rng, WZP_COUNT_OF(link_types))];
    const char *name = names[wzp_rng_below(rng, WZP_COUNT_OF(names))];
    const wzp_pcap_packet packet = random_packet(rng, link_type);
    return (plan){name, packet};
}

static void write_plans(uint64_t seed) {
    wzp_prng prng;
    wzp_prng_init(&prng, seed, "writer_test");
    begin(WZP_PCAP_FORM_PCAPNG);
    ck_assert_int_eq(wzp_pcap_writer_secrets(writer, wzp_bytes_str("A b c\n")), WZP_OK);
    ck_assert_int_eq(wzp_pcap_writer_media_keys(writer, wzp_bytes_str("W * 0 k\n")), WZP_OK);
    for (int i = 0; i < 500; i++) {
        const plan p = next_plan(wzp_prng_rng(&prng));
        ck_assert_int_eq(wzp_pcap_writer_packet(writer, p.name, &p.packet), WZP_OK);
    }
    end();
}

START_TEST(pcapng_round_trip) {
    write_plans((uint64_t)_i);
    const file first = written;
    written = (file){0};
    write_plans((uint64_t)_i);
    ck_assert(wzp_bytes_equal(wzp_bytes_of(first.data, first.len),
                              wzp_bytes_of(written.data, written.len)));
    free(first.data);
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "writer_test");
    begin_reading();
    check_text(WZP_PCAP_ITEM_SECRETS, false, wzp_bytes_str("A b c\n"));
    check_text(WZP_PCAP_ITEM_SECRETS, true, wzp_bytes_str("W * 0 k\n"));
    for (int i = 0; i < 500; i++) {
        const plan p = next_plan(wzp_prng_rng(&prng));
        check_packet(&p.packet, p.name);
    }
    ck_assert_int_eq(wzp_pcap_reader_form(reader), WZP_PCAP_FORM_PCAPNG);
    end_reading();
}
END_TEST

START_TEST(wzp_round_trip) {
    static const uint8_t media[] = {2, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 7};
    begin(WZP_PCAP_FORM_WZP);
    wzp_pcap_packet packet = {.link_type = WZP_PCAP_LINK_MEDIA,
                              .original_len = sizeof media,
                              .data = wzp_bytes_of(media, sizeof media)};
    for (uint64_t us = 0; us < 1000; us++) {
        packet.time_ns = START + us * 1000 + 999;
        ck_assert_int_eq(wzp_pcap_writer_packet(writer, NULL, &packet), WZP_OK);
    }
    packet.time_ns = START - 1;
    ck_assert_int_eq(wzp_pcap_writer_packet(writer, NULL, &packet), WZP_OK);
    end();
    begin_reading();
    check_text(WZP_PCAP_ITEM_HEADER, false,
               wzp_bytes_str("{\"room\":\"a \\\"room\\\"\",\"relay\":\"\",\"start_time\":"
                             "\"2026-05-25T10:11:12.123456789+00:00\",\"version\":1}"));
    for (uint64_t us = 0; us < 1000; us++) {
        packet.time_ns = START + us * 1000;
        check_packet(&packet, "");
    }
    packet.time_ns = START;
    check_packet(&packet, "");
    end_reading();
}
END_TEST

/* A program's own socket: what comes out of the link layer is what went in. */
START_TEST(datagrams_of_a_socket) {
    static const char *const ends[][2] = {{"192.0.2.1:4433", "198.51.100.7:1"},
                                          {"[2001:db8::1]:4433", "[2001:db8::2]:65535"}};
    wzp_addr addrs[2][2];
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "writer_test");
    begin(WZP_PCAP_FORM_PCAPNG);
    for (size_t i = 0; i < 100; i++) {
        wzp_addr *a = addrs[i % 2];
        ck_assert_int_eq(wzp_addr_parse(&a[0], ends[i % 2][0]), WZP_OK);
        ck_assert_int_eq(wzp_addr_parse(&a[1], ends[i % 2][1]), WZP_OK);
        wzp_rng_fill(wzp_prng_rng(&prng), bytes, i);
        const wzp_pcap_datagram datagram = {.time_ns = START + i,
                                            .src = &a[0],
                                            .dst = &a[1],
                                            .way = i % 3 == 0 ? WZP_PCAP_IN : WZP_PCAP_OUT,
                                            .ecn = i & 3,
                                            .payload = wzp_bytes_of(bytes, i)};
        ck_assert_int_eq(wzp_pcap_writer_udp(writer, &datagram), WZP_OK);
    }
    end();
    wzp_pcap_link *link = NULL;
    ck_assert_int_eq(wzp_pcap_link_new(&link), WZP_OK);
    wzp_prng_init(&prng, 1, "writer_test");
    begin_reading();
    for (size_t i = 0; i < 100; i++) {
        wzp_pcap_item item = {0};
        wzp_pcap_udp udp = {0};
        wzp_fail fail = {0};
        ck_assert(next(&item));
        ck_assert_uint_eq(item.packet.time_ns, START + i);
        ck_assert_int_eq(item.packet.way, i % 3 == 0 ? WZP_PCAP_IN : WZP_PCAP_OUT);
        ck_assert_int_eq(wzp_pcap_link_take(link, &item.packet, &udp, &fail), WZP_PCAP_LINK_UDP);
        ck_assert(wzp_addr_equal(&udp.src, &addrs[i % 2][0]));
        ck_assert(wzp_addr_equal(&udp.dst, &addrs[i % 2][1]));
        ck_assert_uint_eq(udp.ecn, i & 3);
        wzp_rng_fill(wzp_prng_rng(&prng), bytes, i);
        ck_assert(wzp_bytes_equal(udp.payload, wzp_bytes_of(bytes, i)));
    }
    end_reading();
    wzp_pcap_link_free(&link);
}
END_TEST

START_TEST(secrets_of_any_length) {
    enum { LINES = 9000, LINE = 128 };
    char *text = malloc((size_t)LINES * LINE + 1);
    for (size_t i = 0; i < LINES; i++) {
        (void)snprintf(text + i * LINE, LINE + 1, "%0127zu\n", i);
    }
    begin(WZP_PCAP_FORM_PCAPNG);
    ck_assert_int_eq(wzp_pcap_writer_secrets(writer, wzp_bytes_of(text, (size_t)LINES * LINE)),
                     WZP_OK);
    end();
    begin_reading();
    wzp_pcap_item item = {0};
    size_t at = 0;
    while (next(&item)) {
        ck_assert_int_eq(item.kind, WZP_PCAP_ITEM_SECRETS);
        ck_assert_uint_eq(item.text.len % LINE, 0);
        ck_assert(memcmp(item.text.data, text + at, item.text.len) == 0);
        at += item.text.len;
    }
    ck_assert_uint_eq(at, (size_t)LINES * LINE);
    end_reading();
    free(text);
}
END_TEST

START_TEST(what_cannot_be_written) {
    const wzp_addr v4 = wzp_addr_v4(10, 0, 0, 1, 1);
    const wzp_addr v6 = {.family = WZP_ADDR_V6};
    wzp_pcap_packet packet = {.link_type = 1, .data = wzp_bytes_of(bytes, 9)};
    wzp_pcap_datagram datagram = {.src = &v4, .dst = &v6};
    const size_t before = written.len;
    ck_assert_int_eq(wzp_pcap_writer_new(&writer, &(wzp_pcap_writer_cfg){.form = WZP_PCAP_FORM_PCAP,
                                                                         .sink = append,
                                                                         .sink_ctx = &written}),
                     WZP_ERR_INVALID_ARGUMENT);
    ck_assert_uint_eq(written.len, before);
    begin(WZP_PCAP_FORM_WZP);
    const size_t head = written.len;
    ck_assert_int_eq(wzp_pcap_writer_packet(writer, NULL, &packet), WZP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(wzp_pcap_writer_secrets(writer, packet.data), WZP_ERR_INVALID_ARGUMENT);
    datagram.dst = &v4;
    ck_assert_int_eq(wzp_pcap_writer_udp(writer, &datagram), WZP_ERR_INVALID_ARGUMENT);
    packet.link_type = WZP_PCAP_LINK_MEDIA;
    packet.data.len = 65536;
    ck_assert_int_eq(wzp_pcap_writer_packet(writer, NULL, &packet), WZP_ERR_INVALID_ARGUMENT);
    ck_assert_uint_eq(written.len, head);
    end();
    begin(WZP_PCAP_FORM_PCAPNG);
    datagram.dst = &v6;
    ck_assert_int_eq(wzp_pcap_writer_udp(writer, &datagram), WZP_ERR_INVALID_ARGUMENT);
    datagram.dst = &v4;
    datagram.payload = wzp_bytes_of(bytes, 65508);
    ck_assert_int_eq(wzp_pcap_writer_udp(writer, &datagram), WZP_ERR_INVALID_ARGUMENT);
    packet.data.len = WZP_PCAP_PACKET_MAX + 1;
    ck_assert_int_eq(wzp_pcap_writer_packet(writer, NULL, &packet), WZP_ERR_INVALID_ARGUMENT);
    packet.data.len = 1;
    for (uint32_t i = 0; i < WZP_PCAP_INTERFACES_MAX; i++) {
        packet.link_type = i;
        ck_assert_int_eq(wzp_pcap_writer_packet(writer, NULL, &packet), WZP_OK);
    }
    packet.link_type = WZP_PCAP_INTERFACES_MAX;
    ck_assert_int_eq(wzp_pcap_writer_packet(writer, NULL, &packet), WZP_ERR_LIMIT);
    end();
}
END_TEST

START_TEST(the_longest_packet_with_the_longest_comment) {
    static char comment[70000];
    memset(comment, 'x', sizeof comment);
    wzp_pcap_packet packet = {.time_ns = START,
                              .link_type = 1,
                              .original_len = WZP_PCAP_PACKET_MAX,
                              .data = wzp_bytes_of(bytes, WZP_PCAP_PACKET_MAX),
                              .comment = wzp_bytes_of(comment, sizeof comment)};
    begin(WZP_PCAP_FORM_PCAPNG);
    ck_assert_int_eq(wzp_pcap_writer_packet(writer, "en0", &packet), WZP_OK);
    end();
    packet.comment.len = 65528;
    begin_reading();
    check_packet(&packet, "en0");
    end_reading();
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("writer");
    tcase_add_loop_test(tc, pcapng_round_trip, 0, 5);
    tcase_add_test(tc, wzp_round_trip);
    tcase_add_test(tc, datagrams_of_a_socket);
    tcase_add_test(tc, secrets_of_any_length);
    tcase_add_test(tc, what_cannot_be_written);
    tcase_add_test(tc, the_longest_packet_with_the_longest_comment);
    return wzp_run_suite("writer", tc);
}
