/* ns-3's own captures: the file of each kind of device, and that our bytes are in it. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "sim/ns3/testing/bed.h"

#define SKIPPED 77
#define FILE_HEADER 24
#define RECORD_HEADER 16
#define MAGIC_NS 0xa1b23c4dU
#define MAGIC_US 0xa1b2c3d4U

typedef struct capture {
    uint8_t *bytes;
    size_t len;
    uint32_t magic, link_type;
    size_t records, with_payload;
    uint64_t first_ns; /* when the first with our payload passed */
    uint32_t first_len;
} capture;

static uint32_t u32(const uint8_t *bytes) {
    uint32_t value = 0;
    memcpy(&value, bytes, sizeof value); /* ns-3 writes them as the machine has them */
    return value;
}

static void read_records(capture *c, uint8_t payload) {
    const uint64_t unit = c->magic == MAGIC_NS ? 1 : 1000;
    for (size_t at = FILE_HEADER; at + RECORD_HEADER <= c->len;) {
        const uint32_t len = u32(c->bytes + at + 8);
        const uint8_t *frame = c->bytes + at + RECORD_HEADER;
        ck_assert_uint_le(at + RECORD_HEADER + len, c->len);
        uint8_t pattern[16];
        memset(pattern, payload, sizeof pattern);
        c->records++;
        if (memmem(frame, len, pattern, sizeof pattern) != NULL && c->with_payload++ == 0) {
            c->first_ns = u32(c->bytes + at) * WZP_S + u32(c->bytes + at + 4) * unit;
            c->first_len = len;
        }
        at += RECORD_HEADER + len;
    }
}

static void read_capture(capture *c, const char *path, uint8_t payload) {
    *c = (capture){0};
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    c->bytes = malloc(1 << 20);
    ck_assert_ptr_nonnull(c->bytes);
    c->len = fread(c->bytes, 1, 1 << 20, file);
    (void)fclose(file);
    ck_assert_uint_ge(c->len, FILE_HEADER);
    c->magic = u32(c->bytes);
    c->link_type = u32(c->bytes + 20);
    read_records(c, payload);
    free(c->bytes);
}

static const struct device_case {
    const char *name;
    wzp_sim_link_cfg link;
    const char *interface;
    uint32_t magic, link_type, framing; /* bytes around the IP packet; 0: not looked at */
    uint64_t first_ms;                  /* after the start */
} devices[] = {
    {"near end of a wire", {.delay = {.base = 30 * WZP_MS}}, "a:0", MAGIC_NS, 9, 2, 0},
    {"far end of a wire", {.delay = {.base = 30 * WZP_MS}}, "b:0", MAGIC_NS, 9, 2, 30},
    {"a wire with a rate",
     {.rate = {.bits_per_s = 8000, .overhead = 38}, .queue = {.limit_packets = 100}},
     "b:0",
     MAGIC_NS,
     9,
     2,
     138},
    {"station", {.access = "wifi"}, "a:0", MAGIC_US, 127, 0, 0},
    {"access point", {.access = "wifi"}, "b:0", MAGIC_US, 127, 0, 0},
    {"behind the gateway of LTE", {.access = "lte"}, "b:0", MAGIC_US, 9, 2, 11},
};

#define PACKET 100

START_TEST(device_has_a_capture) {
    const struct device_case *c = &devices[_i];
    const bed_source source = {
        .size = PACKET, .interval = 20 * WZP_MS, .until = 200 * WZP_MS, .fill = 0xab};
    char path[] = "/tmp/wzp-ns3-XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &c->link, &c->link);
    ck_assert_int_eq(wzp_sim_ns3_pcap(b.fabric, c->interface, path), WZP_OK);
    bed_send(&b, &source);
    (void)bed_run(&b, 3 * WZP_S);
    ck_assert_uint_eq(b.count, 10);
    /* Media stamp with ns-3's own clock. */
    const wzp_time start = c->link.access != NULL ? WZP_S : b.start;
    bed_close(&b);
    capture file;
    read_capture(&file, path, source.fill);
    (void)unlink(path);
    ck_assert_msg(file.magic == c->magic, "%s: magic %x", c->name, file.magic);
    ck_assert_msg(file.link_type == c->link_type, "%s: type %u", c->name, file.link_type);
    ck_assert_msg(file.with_payload >= 10, "%s: %zu of ours", c->name, file.with_payload);
    ck_assert_msg(c->framing == 0 || file.records == 10, "%s: %zu records", c->name, file.records);
    ck_assert_msg(c->framing == 0 || file.first_len == PACKET + c->framing, "%s: %u bytes", c->name,
                  file.first_len);
    ck_assert_msg((file.first_ns - start) / WZP_MS == c->first_ms, "%s: after %" PRIu64 " ms",
                  c->name, (file.first_ns - start) / WZP_MS);
}
END_TEST

static const struct refused_case {
    const char *access, *interface, *path;
    wzp_err want;
} refused_cases[] = {
    {"lte", "a:0", "/tmp/x", WZP_ERR_INVALID_ARGUMENT}, {"lte", "b:0", "/nowhere/x", WZP_ERR_IO},
    {"wifi", "a:0", "/nowhere/x", WZP_ERR_IO},          {NULL, "a:0", "/nowhere/x", WZP_ERR_IO},
    {NULL, "a:1", "/tmp/x", WZP_ERR_INVALID_ARGUMENT},
};

START_TEST(what_cannot_be_captured) {
    const wzp_sim_link_cfg link = {.access = refused_cases[_i].access};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &link, &link);
    ck_assert_int_eq(
        wzp_sim_ns3_pcap(b.fabric, refused_cases[_i].interface, refused_cases[_i].path),
        refused_cases[_i].want);
    bed_close(&b);
}
END_TEST

int main(void) {
    if (bed_ns3() == NULL) {
        return SKIPPED;
    }
    TCase *tc = tcase_create("pcap");
    tcase_add_loop_test(tc, device_has_a_capture, 0, WZP_COUNT_OF(devices));
    tcase_add_loop_test(tc, what_cannot_be_captured, 0, WZP_COUNT_OF(refused_cases));
    return wzp_run_suite("pcap", tc);
}
