/* Captures, read back block by block as the format says. */
#include "sim/net/capture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rd.h"
#include "base/testing/suite.h"

static wzp_addr address(const char *text) {
    wzp_addr addr;
    ck_assert_msg(wzp_addr_parse(&addr, text) == WZP_OK, "%s", text);
    return addr;
}

/* --- a file in memory ------------------------------------------------------------------------- */

typedef struct file {
    uint8_t *data;
    size_t len;
    unsigned pieces;
} file;

static void append(void *ctx, wzp_bytes bytes) {
    file *f = ctx;
    f->data = realloc(f->data, f->len + bytes.len);
    ck_assert_ptr_nonnull(f->data);
    memcpy(f->data + f->len, bytes.data, bytes.len);
    f->len += bytes.len;
    f->pieces++;
}

static wzp_sim_capture *capture_into(file *f, const char *comment) {
    wzp_sim_capture *capture = NULL;
    *f = (file){0};
    ck_assert_int_eq(wzp_sim_capture_new(&capture, &(wzp_sim_capture_cfg){.sink = append,
                                                                          .sink_ctx = f,
                                                                          .comment = comment,
                                                                          .epoch_s = 1700000000}),
                     WZP_OK);
    return capture;
}

/* --- an independent reader -------------------------------------------------------------------- */

static uint16_t u16(wzp_rd *rd) {
    return wzp_rd_u16(rd, "pcapng");
}

static uint32_t u32(wzp_rd *rd) {
    return wzp_rd_u32(rd, "pcapng");
}

static uint64_t u64(wzp_rd *rd) {
    return wzp_rd_u64(rd, "pcapng");
}

static wzp_bytes take(wzp_rd *rd, size_t len) {
    return wzp_rd_bytes(rd, len, "pcapng");
}

typedef struct block {
    uint32_t type;
    wzp_rd body;
} block;

static block next_block(wzp_rd *rd) {
    block b = {.type = u32(rd)};
    const uint32_t len = u32(rd);
    ck_assert_uint_eq(len % 4, 0);
    const wzp_bytes body = take(rd, len - 12);
    ck_assert_uint_eq(u32(rd), len);
    ck_assert_int_eq(rd->fail.code, WZP_OK);
    wzp_rd_init(&b.body, body);
    return b;
}

/* The value of the first such option; len 0 and data NULL if there is none before the end. */
static wzp_bytes option(wzp_rd options, uint16_t code) {
    for (;;) {
        const uint16_t found = u16(&options);
        const uint16_t len = u16(&options);
        const wzp_bytes value = take(&options, len);
        (void)take(&options, (4 - len % 4u) % 4);
        ck_assert_int_eq(options.fail.code, WZP_OK);
        if (found == 0) {
            ck_assert_uint_eq(len, 0);
            ck_assert_uint_eq(wzp_rd_left(&options), 0);
            return wzp_bytes_of(NULL, 0);
        }
        if (found == code) {
            return value;
        }
    }
}

static void check_text(wzp_rd options, uint16_t code, const char *want) {
    const wzp_bytes value = option(options, code);
    if (want == NULL) {
        ck_assert_ptr_null(value.data);
    } else {
        ck_assert(wzp_bytes_equal(value, wzp_bytes_str(want)));
    }
}

static void check_section(wzp_rd *rd, const char *comment) {
    block b = next_block(rd);
    ck_assert_uint_eq(b.type, 0x0a0d0d0a);
    ck_assert_uint_eq(u32(&b.body), 0x1a2b3c4d);
    ck_assert_uint_eq(u32(&b.body), 0x00010000);
    ck_assert_uint_eq(u64(&b.body), UINT64_MAX);
    check_text(b.body, 4, "wzp-sim");
    check_text(b.body, 1, comment);
}

static void check_interface(wzp_rd *rd, const char *name) {
    block b = next_block(rd);
    ck_assert_uint_eq(b.type, 1);
    ck_assert_uint_eq(u16(&b.body), 101);
    (void)u16(&b.body);
    ck_assert_uint_eq(u32(&b.body), 0);
    check_text(b.body, 2, name);
    check_text(b.body, 9, "\t"); /* 10^-9 s */
    const wzp_bytes offset = option(b.body, 14);
    ck_assert_uint_eq(offset.len, 8);
    wzp_rd value;
    wzp_rd_init(&value, offset);
    ck_assert_uint_eq(u64(&value), 1700000000);
}

static void check_packet(wzp_rd *rd, uint32_t interface, wzp_time at, uint32_t way,
                         const wzp_sim_packet *packet, const char *comment) {
    static uint8_t want[WZP_SIM_BYTES_MAX];
    const size_t len = wzp_sim_packet_bytes(packet, want, sizeof want);
    block b = next_block(rd);
    ck_assert_uint_eq(b.type, 6);
    ck_assert_uint_eq(u32(&b.body), interface);
    ck_assert_uint_eq(u64(&b.body), at);
    ck_assert_uint_eq(u32(&b.body), len);
    ck_assert_uint_eq(u32(&b.body), len);
    ck_assert(wzp_bytes_equal(take(&b.body, len), wzp_bytes_of(want, len)));
    (void)take(&b.body, (4 - len % 4) % 4);
    wzp_rd value;
    const wzp_bytes flags = option(b.body, 2);
    wzp_rd_init(&value, flags);
    ck_assert_uint_eq(u32(&value), way);
    const wzp_bytes id = option(b.body, 5);
    wzp_rd_init(&value, id);
    ck_assert_uint_eq(u64(&value), packet->id);
    check_text(b.body, 1, comment);
}

/* --- tests ------------------------------------------------------------------------------------ */

static wzp_sim_packet *packet_of(wzp_sim_pool *pool, const char *src, const char *dst, size_t len) {
    const wzp_addr from = address(src);
    const wzp_addr to = address(dst);
    wzp_sim_packet *packet = wzp_sim_packet_new(pool, &from, &to, wzp_bytes_of(NULL, len), 0);
    ck_assert_ptr_nonnull(packet);
    return packet;
}

START_TEST(interfaces_packets_and_comments) {
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_sim_packet *one = packet_of(pool, "10.0.0.1:1000", "10.0.0.2:2000", 5);
    wzp_sim_packet *two = packet_of(pool, "[fd00::1]:1000", "[fd00::2]:2000", 1201);
    const wzp_time late = UINT64_C(1) << 40;
    file f;
    wzp_sim_capture *capture = capture_into(&f, "seed 7");
    char name[] = "x:0"; /* interfaces are known by name, not by where it is */
    wzp_sim_capture_tap(capture, name, WZP_SIM_WAY_OUT, one, WZP_S);
    wzp_sim_capture_packet(capture, "nat:1", WZP_SIM_WAY_IN, two, "no-mapping", late);
    name[0] = 'y';
    wzp_sim_capture_tap(capture, name, WZP_SIM_WAY_IN, two, late);
    wzp_sim_capture_tap(capture, "x:0", WZP_SIM_WAY_IN, one, late);
    ck_assert_uint_eq(f.len, 0);
    ck_assert_uint_eq(wzp_sim_capture_lost(capture), 0);
    wzp_sim_capture_free(&capture);
    wzp_sim_capture_free(&capture);

    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(f.data, f.len));
    check_section(&rd, "seed 7");
    check_interface(&rd, "x:0");
    check_packet(&rd, 0, WZP_S, 2, one, NULL);
    check_interface(&rd, "nat:1");
    check_packet(&rd, 1, late, 1, two, "no-mapping");
    check_interface(&rd, "y:0");
    check_packet(&rd, 2, late, 1, two, NULL);
    check_packet(&rd, 0, late, 1, one, NULL);
    ck_assert_uint_eq(wzp_rd_left(&rd), 0);
    free(f.data);
    wzp_sim_packet_free(one);
    wzp_sim_packet_free(two);
    wzp_sim_pool_free(&pool);
}
END_TEST

START_TEST(large_packets_with_large_comments_fit) {
    enum { PACKETS = 40 };
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_sim_packet *packet = packet_of(pool, "[fd00::1]:1", "[fd00::2]:2", WZP_SIM_PAYLOAD_MAX);
    char comment[WZP_SIM_COMMENT_MAX + 100];
    memset(comment, 'c', sizeof comment);
    comment[sizeof comment - 1] = '\0';
    file f;
    wzp_sim_capture *capture = capture_into(&f, NULL);
    for (size_t i = 0; i < PACKETS; i++) {
        wzp_sim_capture_packet(capture, "x", WZP_SIM_WAY_OUT, packet, comment, i);
    }
    wzp_sim_capture_flush(capture);
    ck_assert_uint_gt(f.pieces, 5);
    comment[WZP_SIM_COMMENT_MAX] = '\0';
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(f.data, f.len));
    check_section(&rd, NULL);
    check_interface(&rd, "x");
    for (size_t i = 0; i < PACKETS; i++) {
        check_packet(&rd, 0, i, 2, packet, comment);
    }
    ck_assert_uint_eq(wzp_rd_left(&rd), 0);
    wzp_sim_capture_free(&capture);
    free(f.data);
    wzp_sim_packet_free(packet);
    wzp_sim_pool_free(&pool);
}
END_TEST

START_TEST(a_long_comment_is_cut_between_characters) {
    char comment[WZP_SIM_COMMENT_MAX + 3];
    memset(comment, 'c', sizeof comment);
    memcpy(comment + WZP_SIM_COMMENT_MAX - 1, "\xc3\xa9", 3); /* e with an accent, over the end */
    file f;
    wzp_sim_capture *capture = capture_into(&f, comment);
    wzp_sim_capture_free(&capture);
    comment[WZP_SIM_COMMENT_MAX - 1] = '\0';
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(f.data, f.len));
    check_section(&rd, comment);
    ck_assert_uint_eq(wzp_rd_left(&rd), 0);
    free(f.data);
}
END_TEST

START_TEST(many_interfaces) {
    enum { INTERFACES = 100 };
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_sim_packet *packet = packet_of(pool, "10.0.0.1:1", "10.0.0.2:2", 5);
    file f;
    wzp_sim_capture *capture = capture_into(&f, NULL);
    char name[16];
    for (unsigned i = 0; i < 2 * INTERFACES; i++) {
        (void)snprintf(name, sizeof name, "host%u:0", i % INTERFACES);
        wzp_sim_capture_tap(capture, name, WZP_SIM_WAY_OUT, packet, i);
    }
    wzp_sim_capture_free(&capture);
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(f.data, f.len));
    check_section(&rd, NULL);
    for (unsigned i = 0; i < 2 * INTERFACES; i++) {
        if (i < INTERFACES) {
            (void)snprintf(name, sizeof name, "host%u:0", i);
            check_interface(&rd, name);
        }
        check_packet(&rd, i % INTERFACES, i, 2, packet, NULL);
    }
    ck_assert_uint_eq(wzp_rd_left(&rd), 0);
    free(f.data);
    wzp_sim_packet_free(packet);
    wzp_sim_pool_free(&pool);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("capture");
    tcase_add_test(tc, interfaces_packets_and_comments);
    tcase_add_test(tc, large_packets_with_large_comments_fit);
    tcase_add_test(tc, a_long_comment_is_cut_between_characters);
    tcase_add_test(tc, many_interfaces);
    return wzp_run_suite("capture", tc);
}
