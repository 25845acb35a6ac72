/* Evidence on disk, read back as wzp-pcap reads captures. */
#include "conformance/engine/evidence.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "tools/pcap/file/reader.h"
#include "tools/pcap/link/link.h"
#include "trace/inet.h"

static const char secret_line[] = "CLIENT_TRAFFIC_SECRET_0 00 11";

static wzp_addr address(const char *text) {
    wzp_addr addr;
    ck_assert_msg(wzp_addr_parse(&addr, text) == WZP_OK, "%s", text);
    return addr;
}

/* Writes it into a directory of its own, which is gone afterwards; the pcapng file, malloc'd. */
static uint8_t *written(const wzp_evidence *e, size_t *len) {
    static const char *const suffixes[] = {"keys", "jsonl", "pcapng"};
    char dir[] = "/tmp/wzp-evidence.XXXXXX";
    char why[256] = "";
    char path[64];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_msg(wzp_evidence_write(e, dir, "X-01.1", why), "%s", why);
    uint8_t *bytes = NULL;
    for (size_t i = 0; i < WZP_COUNT_OF(suffixes); i++) {
        (void)snprintf(path, sizeof path, "%s/X-01.1.%s", dir, suffixes[i]);
        FILE *f = fopen(path, "rb");
        ck_assert_ptr_nonnull(f);
        free(bytes);
        bytes = malloc((size_t)WZP_EVIDENCE_MAX * 2);
        ck_assert_ptr_nonnull(bytes);
        *len = fread(bytes, 1, (size_t)WZP_EVIDENCE_MAX * 2, f);
        (void)fclose(f);
        ck_assert_int_eq(unlink(path), 0);
    }
    ck_assert_int_eq(rmdir(dir), 0);
    return bytes;
}

typedef struct seen {
    wzp_pcap_reader *reader;
    wzp_pcap_link *link;
    const uint8_t *bytes;
    size_t len;
} seen;

/* False: the file ends. */
static bool next_item(seen *s, wzp_pcap_item *item) {
    while (!wzp_pcap_reader_next(s->reader, item)) {
        size_t cap = 0;
        uint8_t *room = wzp_pcap_reader_room(s->reader, &cap);
        const size_t len = s->len < cap ? s->len : cap;
        memcpy(room, s->bytes, len);
        s->bytes += len;
        s->len -= len;
        wzp_pcap_reader_filled(s->reader, len);
        if (len == 0 && !wzp_pcap_reader_next(s->reader, item)) {
            return false;
        }
    }
    return true;
}

static seen open_file(const uint8_t *bytes, size_t len) {
    seen s = {.bytes = bytes, .len = len};
    ck_assert_int_eq(wzp_pcap_reader_new(&s.reader), WZP_OK);
    ck_assert_int_eq(wzp_pcap_link_new(&s.link), WZP_OK);
    return s;
}

static void close_file(seen *s) {
    wzp_pcap_reader_free(&s->reader);
    wzp_pcap_link_free(&s->link);
}

static void check_packet(seen *s, const wzp_addr *src, const wzp_addr *dst, wzp_bytes payload,
                         uint64_t ns) {
    wzp_pcap_item item;
    wzp_pcap_udp udp;
    wzp_fail fail;
    ck_assert(next_item(s, &item));
    ck_assert_int_eq(item.kind, WZP_PCAP_ITEM_PACKET);
    ck_assert_uint_eq(item.packet.time_ns, ns);
    ck_assert_int_eq(wzp_pcap_link_take(s->link, &item.packet, &udp, &fail), WZP_PCAP_LINK_UDP);
    ck_assert(wzp_addr_equal(&udp.src, src) && wzp_addr_equal(&udp.dst, dst));
    ck_assert(wzp_bytes_equal(udp.payload, payload));
    ck_assert_uint_eq(
        wzp_inet_udp_checksum(src, dst, wzp_bytes_of(udp.payload.data - 8, 8), payload), 0);
}

START_TEST(secrets_stand_in_front_of_whole_packets) {
    const wzp_addr client = address("127.0.0.1:50000");
    const wzp_addr server = address("127.0.0.1:4433");
    const wzp_addr client6 = address("[::1]:50000");
    const wzp_addr server6 = address("[::1]:4433");
    const wzp_bytes hello = wzp_bytes_str("hello");
    wzp_evidence *e = wzp_evidence_new();
    ck_assert_ptr_nonnull(e);
    wzp_evidence_packet(e, &client, &server, hello, 1234567891);
    wzp_evidence_packet(e, &server6, &client6, wzp_bytes_of(NULL, 0), 1234567892);
    wzp_evidence_secret(e, secret_line);
    wzp_evidence_event(e, WZP_S, "a", "joined", "\"x\"\n");
    size_t len = 0;
    uint8_t *bytes = written(e, &len);
    seen s = open_file(bytes, len);
    wzp_pcap_item item;
    ck_assert(next_item(&s, &item));
    ck_assert_int_eq(item.kind, WZP_PCAP_ITEM_SECRETS);
    ck_assert_uint_eq(item.text.len, sizeof secret_line);
    ck_assert_mem_eq(item.text.data, secret_line, sizeof secret_line - 1);
    check_packet(&s, &client, &server, hello, 1234567891);
    check_packet(&s, &server6, &client6, wzp_bytes_of(NULL, 0), 1234567892);
    ck_assert(!next_item(&s, &item));
    close_file(&s);
    free(bytes);
    wzp_evidence_free(&e);
}
END_TEST

START_TEST(what_is_left_out_is_said) {
    static const uint8_t payload[60000];
    static const char said[] = "4 packets more were left out";
    const wzp_addr client = address("127.0.0.1:50000");
    const wzp_addr server = address("127.0.0.1:4433");
    const wzp_addr other = address("[::1]:4433");
    wzp_evidence *e = wzp_evidence_new();
    ck_assert_ptr_nonnull(e);
    wzp_evidence_packet(e, &client, &other, wzp_bytes_str("of two families"), 1);
    for (size_t i = 0; i < WZP_EVIDENCE_MAX / 60060 + 3; i++) {
        wzp_evidence_packet(e, &client, &server, wzp_bytes_of(payload, sizeof payload), i);
    }
    size_t len = 0;
    uint8_t *bytes = written(e, &len);
    ck_assert_uint_le(len, WZP_EVIDENCE_MAX + 1024);
    ck_assert_ptr_nonnull(memmem(bytes, 256, said, sizeof said - 1));
    free(bytes);
    wzp_evidence_free(&e);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("evidence");
    tcase_add_test(tc, secrets_stand_in_front_of_whole_packets);
    tcase_add_test(tc, what_is_left_out_is_said);
    return wzp_run_suite("evidence", tc);
}
