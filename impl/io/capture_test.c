#include "io/capture.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "io/sys.h"
#include "trace/inet.h"

enum { FILE_CAP = 1 << 20, BLOCKS_CAP = 4096, HEAD = 28 /* IPv4 and UDP */ };

static char path[] = "/tmp/wzp-capture-test-XXXXXX";
static uint8_t file[FILE_CAP];

/* --- the file as a reader sees it ------------------------------------------------------------- */

typedef struct seen {
    uint32_t type;
    wzp_bytes body;
} seen;

static seen blocks[BLOCKS_CAP];
static size_t count;

static uint32_t u32(wzp_bytes bytes, size_t at) {
    uint32_t value = 0;
    ck_assert_uint_le(at + sizeof value, bytes.len);
    memcpy(&value, bytes.data + at, sizeof value);
    return value;
}

/* Everything is a whole block. */
static void read_blocks(void) {
    size_t len = 0;
    ck_assert(wzp_io_read_file(path, (char *)file, sizeof file, &len));
    count = 0;
    for (size_t at = 0; at < len;) {
        const wzp_bytes rest = wzp_bytes_of(file + at, len - at);
        const uint32_t size = u32(rest, 4);
        ck_assert_uint_le(size, rest.len);
        ck_assert_uint_eq(u32(rest, size - 4), size);
        ck_assert_uint_lt(count, BLOCKS_CAP);
        blocks[count++] = (seen){u32(rest, 0), wzp_bytes_of(rest.data + 8, size - 12)};
        at += size;
    }
    ck_assert_uint_ge(count, 2);
    ck_assert_uint_eq(blocks[0].type, 0x0a0d0d0a);
    ck_assert_uint_eq(blocks[1].type, 1);
}

static uint64_t time_of(const seen *b) {
    return (uint64_t)u32(b->body, 4) << 32 | u32(b->body, 8);
}

/* A UDP payload in an IPv4 packet whose checksums are right. */
static wzp_bytes payload_of(const seen *b) {
    ck_assert_uint_eq(b->type, 6);
    const wzp_bytes packet = wzp_bytes_of(b->body.data + 20, u32(b->body, 12));
    ck_assert_uint_eq(packet.data[0], 0x45);
    ck_assert_uint_eq(wzp_inet_sum(0, wzp_bytes_of(packet.data, 20)), 0xffff);
    return wzp_bytes_of(packet.data + HEAD, packet.len - HEAD);
}

static uint16_t port_of(const seen *b, size_t at) {
    return (uint16_t)(b->body.data[20 + at] << 8 | b->body.data[20 + at + 1]);
}

/* epb_flags is the only option. */
static uint32_t flags_of(const seen *b) {
    const size_t len = u32(b->body, 12);
    const size_t at = 20 + (len + 3) / 4 * 4;
    ck_assert_uint_eq(u32(b->body, at), 2 | 4 << 16);
    return u32(b->body, at + 4);
}

/* --- what is captured ------------------------------------------------------------------------- */

static wzp_capture *open_capture(unsigned lanes, uint32_t lane_bytes) {
    wzp_capture *c = NULL;
    const wzp_capture_cfg cfg = {.path = path,
                                 .program = "capture_test",
                                 .lanes = lanes,
                                 .lane_bytes = lane_bytes,
                                 .secrets_bytes = 128};
    ck_assert_int_eq(wzp_capture_open(&c, &cfg), WZP_OK);
    return c;
}

static void take(wzp_capture *c, unsigned lane, bool is_out, const char *text) {
    const wzp_quic_path way = {.local = wzp_addr_v4(127, 0, 0, 1, 4433),
                               .remote = wzp_addr_v4(127, 0, 0, 2, 1000)};
    wzp_capture_datagram(wzp_capture_lane_of(c, lane), is_out, &way, 2, wzp_bytes_str(text));
}

static void expect_payload(size_t block, const char *text) {
    const wzp_bytes got = payload_of(&blocks[block]);
    ck_assert_uint_eq(got.len, strlen(text));
    ck_assert_mem_eq(got.data, text, got.len);
}

START_TEST(datagrams_are_there_with_addresses_and_directions) {
    struct stat st;
    const uint64_t before = wzp_io_unix_ns();
    wzp_capture *c = open_capture(2, 0);
    take(c, 0, false, "came");
    take(c, 1, true, "went");
    take(c, 0, false, "");
    wzp_capture_close(&c);
    ck_assert_ptr_null(c);
    read_blocks();
    ck_assert_uint_eq(count, 5);
    expect_payload(2, "came");
    expect_payload(3, "went");
    expect_payload(4, "");
    ck_assert_uint_eq(flags_of(&blocks[2]), 1);
    ck_assert_uint_eq(flags_of(&blocks[3]), 2);
    ck_assert_uint_eq(port_of(&blocks[2], 20), 1000);
    ck_assert_uint_eq(port_of(&blocks[2], 22), 4433);
    ck_assert_uint_eq(port_of(&blocks[3], 20), 4433);
    ck_assert_uint_le(time_of(&blocks[2]), time_of(&blocks[3]));
    ck_assert_uint_ge(time_of(&blocks[2]), before - WZP_S);
    ck_assert_uint_le(time_of(&blocks[4]), wzp_io_unix_ns() + WZP_S);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

/* The one of another lane, and the one that was told later. */
START_TEST(secrets_stand_before_the_packets_that_need_them) {
    wzp_capture *c = open_capture(2, 0);
    take(c, 0, false, "a packet");
    wzp_capture_secret_line(wzp_capture_lane_of(c, 1), WZP_CAPTURE_TLS, wzp_bytes_str("A b c"));
    wzp_capture_secret_line(wzp_capture_lane_of(c, 1), WZP_CAPTURE_TLS, wzp_bytes_str("D e f"));
    wzp_capture_secret_line(wzp_capture_lane_of(c, 1), WZP_CAPTURE_MEDIA_KEY,
                            wzp_bytes_str("WZP_MEDIA_KEY"));
    wzp_capture_close(&c);
    read_blocks();
    ck_assert_uint_eq(count, 5);
    ck_assert_uint_eq(blocks[2].type, 10);
    ck_assert_uint_eq(u32(blocks[2].body, 0), 0x544c534b);
    ck_assert_uint_eq(u32(blocks[2].body, 4), 12);
    ck_assert_mem_eq(blocks[2].body.data + 8, "A b c\nD e f\n", 12);
    ck_assert_uint_eq(blocks[3].type, 10);
    ck_assert_uint_eq(u32(blocks[3].body, 0), 0x575a504b);
    ck_assert_mem_eq(blocks[3].body.data + 8, "WZP_MEDIA_KEY\n", 14);
    expect_payload(4, "a packet");
}
END_TEST

START_TEST(what_finds_no_room_is_counted) {
    wzp_capture_counters n;
    wzp_capture *c = open_capture(1, 4096);
    for (int i = 0; i < 1000; i++) {
        take(c, 0, true, "as fast as can be, which is faster than the file is written");
    }
    for (int i = 0; i < 100; i++) {
        wzp_capture_secret_line(wzp_capture_lane_of(c, 0), WZP_CAPTURE_TLS, wzp_bytes_str("A b"));
    }
    wzp_capture_count(c, &n);
    ck_assert_uint_gt(n.dropped, 0);
    ck_assert_uint_gt(n.secrets_lost, 0);
    const uint64_t dropped = n.dropped;
    const wzp_bytes longer = wzp_bytes_of(file, 9000);
    wzp_capture_secret_line(wzp_capture_lane_of(c, 0), WZP_CAPTURE_TLS, longer);
    wzp_capture_count(c, &n);
    wzp_capture_close(&c);
    read_blocks();
    size_t packets = 0;
    for (size_t i = 0; i < count; i++) {
        packets += blocks[i].type == 6;
    }
    ck_assert_uint_eq(packets, 1000 - dropped);
}
END_TEST

START_TEST(a_full_disk_ends_the_file_and_not_the_program) {
    wzp_capture *c = NULL;
    wzp_capture_cfg cfg = {.path = "/dev/full", .program = "capture_test", .lanes = 1};
    ck_assert_int_eq(wzp_capture_open(&c, &cfg), WZP_ERR_IO);
    ck_assert_int_eq(errno, ENOSPC);
    ck_assert_ptr_null(c);
}
END_TEST

/* A file may not grow beyond 8 KiB: the system takes a part of what is written. */
START_TEST(the_last_block_is_whole) {
    wzp_capture_counters n;
    struct rlimit old;
    char text[1400];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    const struct rlimit small = {8192, old.rlim_max};
    wzp_capture *c = open_capture(1, 0);
    ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && setrlimit(RLIMIT_FSIZE, &small) == 0);
    for (int i = 0; i < 10; i++) {
        take(c, 0, true, text);
    }
    do {
        wzp_capture_count(c, &n);
    } while (n.error == 0);
    ck_assert_int_eq(n.error, EFBIG);
    take(c, 0, true, text);
    do {
        wzp_capture_count(c, &n);
    } while (n.packets + n.dropped < 11);
    wzp_capture_close(&c);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    read_blocks();
    ck_assert_uint_eq(count, 2 + n.packets);
}
END_TEST

/* Byte for byte as tools sheet 2 has it, but for times. */
START_TEST(media_alone_are_as_upstream_has_them) {
    static const char begins[] =
        "{\"room\":\"a \\\"room\\\"\",\"relay\":\"127.0.0.1:4433\",\"start_time\":\"2";
    static const char ends[] = "Z\",\"version\":1}";
    wzp_capture *c = NULL;
    size_t len = 0;
    const wzp_capture_cfg cfg = {.path = path,
                                 .form = WZP_CAPTURE_WZP,
                                 .room = "a \"room\"",
                                 .relay = "127.0.0.1:4433",
                                 .lanes = 1};
    ck_assert_int_eq(wzp_capture_open(&c, &cfg), WZP_OK);
    wzp_capture_media(wzp_capture_lane_of(c, 0), wzp_bytes_str("first"));
    wzp_capture_secret_line(wzp_capture_lane_of(c, 0), WZP_CAPTURE_TLS, wzp_bytes_str("A b c"));
    wzp_capture_media(wzp_capture_lane_of(c, 0), wzp_bytes_str("second one"));
    wzp_capture_close(&c);
    ck_assert(wzp_io_read_file(path, (char *)file, sizeof file, &len));
    const wzp_bytes all = wzp_bytes_of(file, len);
    ck_assert_mem_eq(file, "WZP\x01", 4);
    const size_t head = u32(all, 4);
    ck_assert_mem_eq(file + 8, begins, sizeof begins - 1);
    ck_assert_mem_eq(file + 8 + head - (sizeof ends - 1), ends, sizeof ends - 1);
    const size_t at = 8 + head;
    ck_assert_uint_lt(u32(all, at), 10000000);
    ck_assert_uint_eq(u32(all, at + 4), 0);
    ck_assert_uint_eq(u32(all, at + 8), 5);
    ck_assert_mem_eq(file + at + 12, "first", 5);
    ck_assert_uint_eq(u32(all, at + 17 + 8), 10);
    ck_assert_uint_eq(len, at + 17 + 12 + 10);
}
END_TEST

START_TEST(addresses_of_a_socket_for_all_are_found) {
    wzp_capture *c = open_capture(1, 0);
    const wzp_quic_path ways[] = {
        {.local = wzp_addr_v4(0, 0, 0, 0, 77), .remote = wzp_addr_v4(127, 0, 0, 2, 1)},
        {.local = {.family = WZP_ADDR_V6, .port = 78}, .remote = wzp_addr_v4(127, 0, 0, 2, 1)}};
    for (size_t i = 0; i < WZP_COUNT_OF(ways); i++) {
        wzp_capture_datagram(wzp_capture_lane_of(c, 0), true, &ways[i], 0, wzp_bytes_str("x"));
    }
    wzp_capture_close(&c);
    read_blocks();
    ck_assert_uint_eq(count, 4);
    for (size_t i = 0; i < 2; i++) {
        const seen *b = &blocks[2 + i];
        expect_payload(2 + i, "x");
        ck_assert_uint_eq(b->body.data[20 + 12], 127);
        ck_assert_uint_eq(port_of(b, 20), 77 + i);
    }
}
END_TEST

START_TEST(what_cannot_be_a_file_is_refused) {
    wzp_capture *c = NULL;
    wzp_capture_cfg cfg = {.path = "-", .program = "x", .lanes = 1};
    ck_assert_int_eq(wzp_capture_open(&c, &cfg), WZP_ERR_INVALID_ARGUMENT);
    cfg = (wzp_capture_cfg){.path = "/tmp/no/such/file", .program = "x", .lanes = 1};
    ck_assert_int_eq(wzp_capture_open(&c, &cfg), WZP_ERR_IO);
    ck_assert_int_eq(errno, ENOENT);
    cfg = (wzp_capture_cfg){.path = path, .program = "x"};
    ck_assert_int_eq(wzp_capture_open(&c, &cfg), WZP_ERR_INVALID_ARGUMENT);
    wzp_capture_close(&c);
}
END_TEST

int main(void) {
    const int fd = mkstemp(path);
    if (fd < 0 || fchmod(fd, 0644) != 0 || close(fd) != 0) {
        return EXIT_FAILURE;
    }
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, datagrams_are_there_with_addresses_and_directions);
    tcase_add_test(tc, secrets_stand_before_the_packets_that_need_them);
    tcase_add_test(tc, what_finds_no_room_is_counted);
    tcase_add_test(tc, a_full_disk_ends_the_file_and_not_the_program);
    tcase_add_test(tc, the_last_block_is_whole);
    tcase_add_test(tc, media_alone_are_as_upstream_has_them);
    tcase_add_test(tc, addresses_of_a_socket_for_all_are_found);
    tcase_add_test(tc, what_cannot_be_a_file_is_refused);
    const int failed = wzp_run_suite("capture", tc);
    (void)unlink(path);
    return failed;
}
