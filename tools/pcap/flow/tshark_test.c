/* Figures that agree with Wireshark's: a stream of RTP that loses, delays and reorders, written as
 * a capture and listed by tshark, and the same times and numbers in a stream of ours. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "tools/pcap/flow/testing/talk.h"

enum { FRAMES = 600, FIRST_SEQ = 65400, RTP_HZ = 8000, SKIPPED = 77 };

typedef struct sent {
    uint64_t us; /* when it came */
    uint32_t n;
} sent;

static int by_time(const void *a, const void *b) {
    const sent *x = a;
    const sent *y = b;
    return (x->us > y->us) - (x->us < y->us);
}

static const struct twin_case {
    const char *name;
    uint32_t loss_percent;
    uint64_t jitter_us;
} twin_cases[] = {
    {"nothing happens", 0, 0}, {"jitter", 0, 15000},     {"loss and jitter", 5, 15000},
    {"reordering", 0, 45000},  {"all of it", 10, 60000},
};

static size_t make(sent *out, const struct twin_case *c) {
    size_t count = 0;
    wzp_prng prng;
    wzp_prng_init(&prng, 5, c->name);
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (uint32_t n = 0; n < FRAMES; n++) {
        const uint64_t queue = c->jitter_us > 0 ? wzp_rng_below(rng, c->jitter_us) : 0;
        /* The first one is first in any order: tshark counts from there. */
        if (n == 0 || wzp_rng_below(rng, 100) >= c->loss_percent) {
            out[count++] =
                (sent){WZP_TALK_START / WZP_US + n * UINT64_C(20000) + (n == 0 ? 0 : queue), n};
        }
    }
    qsort(out, count, sizeof *out, by_time);
    return count;
}

/* --- a capture of RTP ------------------------------------------------------------------------- */

static void put_le32(FILE *out, uint32_t v) {
    const uint8_t bytes[] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    ck_assert_uint_eq(fwrite(bytes, 1, sizeof bytes, out), sizeof bytes);
}

static void put_packet(FILE *out, const sent *s) {
    enum { VOICE = 160, RTP = 12 + VOICE, UDP = 8 + RTP, IP = 20 + UDP };
    uint8_t bytes[IP];
    wzp_wr wr;
    wzp_wr_init(&wr, bytes, sizeof bytes);
    wzp_wr_u16(&wr, 0x4500);
    wzp_wr_u16(&wr, IP);
    wzp_wr_u32(&wr, 0);
    wzp_wr_u32(&wr, 0x40110000); /* TTL 64, UDP, no checksum */
    wzp_wr_u32(&wr, 0x0a000001);
    wzp_wr_u32(&wr, 0x0a000002);
    wzp_wr_u16(&wr, 5004);
    wzp_wr_u16(&wr, 5006);
    wzp_wr_u16(&wr, UDP);
    wzp_wr_u16(&wr, 0);
    wzp_wr_u16(&wr, 0x8000); /* version 2, PCMU */
    wzp_wr_u16(&wr, (uint16_t)(FIRST_SEQ + s->n));
    wzp_wr_u32(&wr, s->n * 20 * (RTP_HZ / 1000));
    wzp_wr_u32(&wr, 0x1234);
    static const uint8_t voice[VOICE];
    wzp_wr_bytes(&wr, wzp_bytes_of(voice, sizeof voice));
    ck_assert_int_eq(wzp_wr_end(&wr), WZP_OK);
    put_le32(out, (uint32_t)(s->us / 1000000));
    put_le32(out, (uint32_t)(s->us % 1000000));
    put_le32(out, IP);
    put_le32(out, IP);
    ck_assert_uint_eq(fwrite(bytes, 1, sizeof bytes, out), sizeof bytes);
}

static void write_capture(const char *path, const sent *list, size_t count) {
    static const uint32_t head[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 101};
    FILE *out = fopen(path, "wbe");
    ck_assert_ptr_nonnull(out);
    for (size_t i = 0; i < WZP_COUNT_OF(head); i++) {
        put_le32(out, head[i]);
    }
    for (size_t i = 0; i < count; i++) {
        put_packet(out, &list[i]);
    }
    ck_assert_int_eq(fclose(out), 0);
}

/* --- what tshark says ------------------------------------------------------------------------- */

typedef struct listed {
    unsigned packets;
    int lost;
    double delta_min, delta_mean, delta_max, jitter_min, jitter_mean, jitter_max;
} listed;

static bool ask_tshark(const char *path, listed *out) {
    char command[256];
    char line[512];
    bool found = false;
    (void)snprintf(command, sizeof command,
                   "tshark -r %s -d udp.port==5006,rtp -q -z rtp,streams 2>/dev/null", path);
    FILE *tshark = popen(command, "re"); /* NOLINT(cert-env33-c): a fixed command, in a test */
    ck_assert_ptr_nonnull(tshark);
    while (fgets(line, sizeof line, tshark) != NULL) {
        const char *at = strstr(line, "g711U");
        /* NOLINTBEGIN(cert-err34-c): all of it is compared below */
        found = found || (at != NULL &&
                          sscanf(at, "g711U %u %d (%*[^)]) %lf %lf %lf %lf %lf %lf", &out->packets,
                                 &out->lost, &out->delta_min, &out->delta_mean, &out->delta_max,
                                 &out->jitter_min, &out->jitter_mean, &out->jitter_max) == 8);
        /* NOLINTEND(cert-err34-c) */
    }
    (void)pclose(tshark);
    return found;
}

START_TEST(figures_are_those_of_tshark) {
    static sent list[FRAMES];
    const struct twin_case *c = &twin_cases[_i];
    const size_t count = make(list, c);
    char path[] = "/tmp/wzp_rtp_XXXXXX";
    const int fd = mkstemp(path);
    listed theirs;
    wzp_talk t;
    wzp_pcap_loss_figures f;
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
    write_capture(path, list, count);
    const bool found = ask_tshark(path, &theirs);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_msg(found, "%s: tshark lists no stream", c->name);
    wzp_talk_begin(&t, 0);
    for (size_t i = 0; i < count; i++) {
        const wzp_media_hdr hdr = {.codec_id = WZP_CODEC_OPUS_24K,
                                   .seq = FIRST_SEQ + list[i].n,
                                   .timestamp_ms = list[i].n * 20};
        wzp_talk_media(&t, &hdr, 60, 0, list[i].us * WZP_US);
    }
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_stream *s = wzp_pcap_flow_stream(t.flow, 0);
    wzp_pcap_loss_sum(&s->loss, &f);
    ck_assert_uint_eq(s->packets, theirs.packets);
    ck_assert_msg((int)f.lost == theirs.lost, "%s: %d lost, tshark says %d", c->name, (int)f.lost,
                  theirs.lost);
    ck_assert_double_eq_tol(s->timing.delta_ms.min, theirs.delta_min, 0.002);
    ck_assert_double_eq_tol(s->timing.delta_ms.mean, theirs.delta_mean, 0.002);
    ck_assert_double_eq_tol(s->timing.delta_ms.max, theirs.delta_max, 0.002);
    ck_assert_double_eq_tol(s->timing.jitter_ms.min, theirs.jitter_min, 0.002);
    ck_assert_double_eq_tol(s->timing.jitter_ms.mean, theirs.jitter_mean, 0.002);
    ck_assert_double_eq_tol(s->timing.jitter_ms.max, theirs.jitter_max, 0.002);
    wzp_talk_end(&t);
}
END_TEST

int main(void) {
    /* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a fixed command, in a test */
    if (system("tshark --version >/dev/null 2>&1") != 0) {
        (void)puts("skipped: no tshark");
        return SKIPPED;
    }
    TCase *tc = tcase_create("tshark");
    tcase_add_loop_test(tc, figures_are_those_of_tshark, 0, (int)WZP_COUNT_OF(twin_cases));
    return wzp_run_suite("pcap_flow tshark", tc);
}
