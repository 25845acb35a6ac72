/* The debug tap: every form of its lines, the sums, the filter, and its limit (relay sheet 11.3).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "relay/limits.h"
#include "relay/testing/stage.h"
#include "wire/media.h"

enum { SOON = 300, LINES = 4096 };

/* What the relay's log was told, of the tap only. */
typedef struct lines {
    size_t count;
    char *text[LINES];
} lines;

static lines heard_lines;

static void on_line(void *ctx, wzp_log_level level, const char *text) {
    lines *l = ctx;
    if (strncmp(text, "debug_tap: ", 11) != 0) {
        return;
    }
    ck_assert_int_eq(level, WZP_LOG_INFO);
    ck_assert_uint_lt(l->count, LINES);
    l->text[l->count++] = strdup(text + 11);
}

static void forget(void) {
    while (heard_lines.count > 0) {
        free(heard_lines.text[--heard_lines.count]);
    }
}

static stage *begin_with(const char *filter, wzp_log_level max) {
    const wzp_relay_cfg cfg = {.log = {on_line, &heard_lines, max}, .debug_tap = filter};
    forget();
    return stage_new(&cfg);
}

static stage *begin(const char *filter) {
    return begin_with(filter, WZP_LOG_INFO);
}

static void end(stage *st) {
    stage_free(&st);
    forget();
}

/* The nth line that begins so, from 0; NULL: there is none. */
static const char *nth(const char *start, size_t n) {
    for (size_t i = 0; i < heard_lines.count; i++) {
        if (strncmp(heard_lines.text[i], start, strlen(start)) == 0 && n-- == 0) {
            return heard_lines.text[i];
        }
    }
    return NULL;
}

static size_t count_of(const char *start) {
    size_t n = 0;
    while (nth(start, n) != NULL) {
        n++;
    }
    return n;
}

static const char *addr_of(const guest *g) {
    static char text[WZP_ADDR_TEXT_MAX];
    return wzp_addr_text(&g->addr, text);
}

static void say_packet(guest *g, wzp_media_hdr hdr, size_t len) {
    uint8_t buf[256];
    static const uint8_t payload[128];
    wzp_wr wr;
    hdr.version = WZP_PROTOCOL_VERSION;
    const wzp_media_packet packet = {.hdr = hdr,
                                     .payload = wzp_bytes_of(payload, len),
                                     .report = {.loss_pct = 255, .rtt_4ms = 255}};
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_packet_write(&wr, &packet);
    guest_send(g, wzp_bytes_of(buf, wzp_wr_len(&wr)));
}

static void say_number(guest *g, uint32_t seq) {
    say_packet(g, (wzp_media_hdr){.seq = seq}, 10);
}

/* --- lines ------------------------------------------------------------------------------------ */

START_TEST(packets) {
    char want[256];
    stage *st = begin("room");
    guest *a = stage_member(st, "room");
    (void)stage_member(st, "room");
    (void)stage_member(st, "room");
    const wzp_media_hdr hdr = {.flags = WZP_MEDIA_REPAIR,
                               .codec_id = WZP_CODEC_OPUS_6K,
                               .seq = 4000000000U,
                               .timestamp_ms = 1234,
                               .fec_block = 777};
    say_packet(a, hdr, 60);
    stage_run(st, SOON);
    (void)snprintf(want, sizeof want,
                   "TAP room=\"room\" dir=\"in\" addr=%s seq=4000000000 codec=Opus6k ts=1234 "
                   "fec_block=777 repair=true len=60 fan_out=2",
                   addr_of(a));
    ck_assert_uint_eq(count_of("TAP room"), 1);
    ck_assert_str_eq(nth("TAP room", 0), want);
    guest_send(a, wzp_bytes_str("not a packet"));
    stage_run(st, SOON);
    ck_assert_uint_eq(count_of("TAP room"), 1);
    ck_assert_int_ge(stage_metric(st, "wzp_relay_tap_lines_total"), 1);
    end(st);
}
END_TEST

START_TEST(joins_and_leaves) {
    char want[256];
    stage *st = begin("*");
    guest *a = stage_member(st, "room");
    (void)snprintf(
        want, sizeof want,
        "TAP EVENT room=\"room\" event=\"join\" detail=\"participant=1 addr=%s alias=?\"",
        addr_of(a));
    ck_assert_str_eq(nth("TAP EVENT", 0), want);
    guest *b = stage_member(st, "room");
    say_number(a, 1);
    say_number(a, 2);
    stage_run(st, SOON);
    guest_leave(a);
    stage_run(st, SOON);
    (void)snprintf(
        want, sizeof want,
        "TAP EVENT room=\"room\" event=\"leave\" detail=\"participant=1 addr=%s forwarded=2\"",
        addr_of(a));
    ck_assert_str_eq(nth("TAP EVENT", 2), want);
    guest_leave(b);
    stage_run(st, SOON);
    (void)snprintf(want, sizeof want,
                   "TAP EVENT room=\"room\" event=\"leave\" detail=\"participant=2 addr=%s "
                   "forwarded=0 (room closed)\"",
                   addr_of(b));
    ck_assert_str_eq(nth("TAP EVENT", 3), want);
    end(st);
}
END_TEST

/* Joins under an alias that means harm. */
static guest *member_as(stage *st, const char *room, const char *alias) {
    guest *g = stage_guest(st, room);
    guest_offer(g, alias);
    stage_run(st, SOON);
    return g;
}

static const struct alias_case {
    const char *name, *alias, *shown;
} alias_cases[] = {
    {"plain", "Alice", "Alice"},
    {"spaces", "Al ice", "Al ice"},
    {"a quote", "x\" event=\"leave", "x\\\" event=\\\"leave"},
    {"a backslash at the end", "x\\", "x\\\\"},
    {"a new line", "x\ndebug_tap: TAP EVENT", "x\\ndebug_tap: TAP EVENT"},
    {"an escape sequence", "\x1b[31m\x07\x7f", "\\x1b[31m\\x07\\x7f"},
    {"a carriage return", "x\ry", "x\\x0dy"},
    {"other letters", "\xc3\xa9", "\\xc3\\xa9"},
    {"a line separator", "\xe2\x80\xa8", "\\xe2\\x80\\xa8"},
    {"format", "%s%n%d", "%s%n%d"},
};

START_TEST(aliases_are_escaped) {
    const struct alias_case *c = &alias_cases[_i];
    char want[512];
    stage *st = begin("room");
    const guest *a = member_as(st, "room", c->alias);
    (void)snprintf(
        want, sizeof want,
        "TAP EVENT room=\"room\" event=\"join\" detail=\"participant=1 addr=%s alias=%s\"",
        addr_of(a), c->shown);
    ck_assert_msg(nth("TAP EVENT", 0) != NULL, "%s: no line", c->name);
    ck_assert_msg(strcmp(nth("TAP EVENT", 0), want) == 0, "%s: %s", c->name, nth("TAP EVENT", 0));
    (void)snprintf(want, sizeof want,
                   "TAP SIGNAL room=\"room\" signal=\"RoomUpdate\" count=1 participants=[\"%s\"]",
                   c->shown);
    ck_assert_msg(strcmp(nth("TAP SIGNAL", 0), want) == 0, "%s: %s", c->name, nth("TAP SIGNAL", 0));
    end(st);
}
END_TEST

START_TEST(updates_name_all) {
    stage *st = begin("room");
    (void)member_as(st, "room", "Alice");
    (void)stage_member(st, "room");
    ck_assert_str_eq(nth("TAP SIGNAL", 1), "TAP SIGNAL room=\"room\" signal=\"RoomUpdate\" count=2 "
                                           "participants=[\"Alice\", \"?\"]");
    end(st);
}
END_TEST

START_TEST(long_updates_are_cut) {
    char alias[WZP_LIMIT_ALIAS + 1];
    stage *st = begin("room");
    memset(alias, 0x01, sizeof alias - 1);
    alias[sizeof alias - 1] = '\0';
    for (int i = 0; i < 9; i++) {
        (void)member_as(st, "room", alias);
    }
    const char *last = nth("TAP SIGNAL", 8);
    ck_assert_ptr_nonnull(strstr(last, "count=9 participants=[\"\\x01"));
    ck_assert_ptr_nonnull(strstr(last, "\\x01\", and 2 more]"));
    ck_assert_str_eq(last + strlen(last) - 2, "e]");
    end(st);
}
END_TEST

START_TEST(directives) {
    stage *st = begin("room");
    guest *a = stage_member(st, "room");
    for (uint32_t seq = 0; seq < 3; seq++) {
        say_packet(a, (wzp_media_hdr){.flags = WZP_MEDIA_QUALITY, .seq = seq}, 10);
        stage_run(st, 20);
    }
    stage_run(st, SOON);
    ck_assert_str_eq(nth("TAP SIGNAL", 1),
                     "TAP SIGNAL room=\"room\" signal=\"QualityDirective\" codec=Codec2_1200 "
                     "reason=\"weakest link: Catastrophic\"");
    end(st);
}
END_TEST

/* --- sums ------------------------------------------------------------------------------------- */

/* Conformance of the sums: 250 packets to two receivers in five seconds. */
START_TEST(stats_of_five_seconds) {
    stage *st = begin("room");
    (void)stage_member(st, "room");
    (void)stage_member(st, "room");
    guest *a = stage_member(st, "room");
    const wzp_time began = st->net.now;
    for (uint32_t seq = 0; seq < 249; seq++) {
        say_number(a, seq < 100 ? seq : seq + 7);
        stage_run(st, 19);
    }
    ck_assert_uint_eq(count_of("TAP STATS"), 0);
    stage_run(st, 5001 - (st->net.now - began) / WZP_MS);
    ck_assert_uint_eq(count_of("TAP STATS"), 0); /* the line comes with a packet */
    say_number(a, 249 + 7);
    stage_run(st, SOON);
    ck_assert_str_eq(nth("TAP STATS", 0),
                     "TAP STATS room=\"room\" period=\"5s\" in_pkts=250 out_pkts=500 "
                     "fan_out_avg=2.0 seq_gaps=1 codecs_seen=[Opus24k]");
    /* The next period begins anew, but the codecs and the last number are remembered. */
    stage_run(st, 5000);
    say_packet(a, (wzp_media_hdr){.seq = 300, .codec_id = WZP_CODEC_OPUS_6K}, 10);
    stage_run(st, SOON);
    ck_assert_str_eq(nth("TAP STATS", 1),
                     "TAP STATS room=\"room\" period=\"5s\" in_pkts=1 out_pkts=2 fan_out_avg=2.0 "
                     "seq_gaps=1 codecs_seen=[Opus24k, Opus6k]");
    end(st);
}
END_TEST

static const struct gap_case {
    const char *name;
    uint32_t seqs[6];
    size_t count;
    unsigned gaps;
} gap_cases[] = {
    {"the first is no gap", {77}, 1, 0},
    {"in order", {1, 2, 3}, 3, 0},
    {"one lost", {1, 3, 4}, 3, 1},
    {"repeated", {1, 1, 2}, 3, 1},
    {"two swapped", {1, 3, 2, 4}, 4, 3},
    {"over the end of the numbers", {0xfffffffe, 0xffffffff, 0, 1}, 4, 0},
    {"lost at the end of the numbers", {0xffffffff, 1}, 2, 1},
    {"backwards over the end", {0, 0xffffffff}, 2, 1},
};

START_TEST(gaps) {
    const struct gap_case *c = &gap_cases[_i];
    char want[64];
    stage *st = begin("room");
    guest *a = stage_member(st, "room");
    for (size_t i = 0; i < c->count; i++) {
        if (i + 1 == c->count) {
            stage_run(st, 5000);
        }
        say_number(a, c->seqs[i]);
        stage_run(st, 20);
    }
    stage_run(st, SOON);
    (void)snprintf(want, sizeof want, " in_pkts=%zu out_pkts=0 fan_out_avg=0.0 seq_gaps=%u ",
                   c->count, c->gaps);
    ck_assert_msg(nth("TAP STATS", 0) != NULL && strstr(nth("TAP STATS", 0), want) != NULL,
                  "%s: %s", c->name, nth("TAP STATS", 0));
    end(st);
}
END_TEST

/* Three packets to two, then to one: (2 + 2 + 1) / 3. */
START_TEST(averages_have_one_decimal) {
    stage *st = begin("room");
    guest *a = stage_member(st, "room");
    (void)stage_member(st, "room");
    guest *c = stage_member(st, "room");
    say_number(a, 0);
    say_number(a, 1);
    stage_run(st, SOON);
    guest_leave(c);
    stage_run(st, 5000);
    say_number(a, 2);
    stage_run(st, SOON);
    ck_assert_ptr_nonnull(strstr(nth("TAP STATS", 0), " in_pkts=3 out_pkts=5 fan_out_avg=1.7 "));
    end(st);
}
END_TEST

/* --- which, and how many ---------------------------------------------------------------------- */

static const struct filter_case {
    const char *name, *filter, *room;
    wzp_log_level max;
    bool tapped;
} filter_cases[] = {
    {"all", "*", "room", WZP_LOG_INFO, true},
    {"this one", "room", "room", WZP_LOG_INFO, true},
    {"another", "other", "room", WZP_LOG_INFO, false},
    {"a prefix", "roo", "room", WZP_LOG_INFO, false},
    {"longer", "room2", "room", WZP_LOG_INFO, false},
    {"not a pattern", "r*", "room", WZP_LOG_INFO, false},
    {"off", NULL, "room", WZP_LOG_INFO, false},
    {"empty", "", "room", WZP_LOG_INFO, false},
    {"a log for warnings only", "*", "room", WZP_LOG_WARN, false},
};

START_TEST(filter) {
    const struct filter_case *c = &filter_cases[_i];
    stage *st = begin_with(c->filter, c->max);
    guest *a = stage_member(st, c->room);
    say_number(a, 1);
    stage_run(st, SOON);
    ck_assert_msg((heard_lines.count > 0) == c->tapped, "%s: %zu lines", c->name,
                  heard_lines.count);
    end(st);
}
END_TEST

/* One sender's flood: the rest is counted, and told at the end of the second. */
START_TEST(a_flood_is_cut) {
    enum { SENT = WZP_LIMIT_TAP_PACKETS + 300 };
    stage *st = begin("room");
    guest *a = stage_member(st, "room");
    for (uint32_t seq = 0; seq < SENT; seq++) {
        say_number(a, seq);
        if (seq % 20 == 19) {
            stage_run(st, 1);
        }
    }
    stage_run(st, 20);
    const long long in = stage_metric(st, "wzp_relay_packets_in_total");
    ck_assert_int_gt(in, WZP_LIMIT_TAP_PACKETS);
    ck_assert_uint_eq(count_of("TAP room"), WZP_LIMIT_TAP_PACKETS);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_tap_suppressed_total"),
                     in - WZP_LIMIT_TAP_PACKETS);
    ck_assert_uint_eq(count_of("TAP SUPPRESSED"), 0);
    (void)stage_member(st, "room"); /* has lines left */
    ck_assert_uint_eq(count_of("TAP EVENT"), 2);
    stage_run(st, 1200); /* nothing comes: a timer of the relay's own */
    char want[96];
    (void)snprintf(want, sizeof want, "TAP SUPPRESSED kind=\"packets\" lines=%lld",
                   in - WZP_LIMIT_TAP_PACKETS);
    ck_assert_uint_eq(count_of("TAP SUPPRESSED"), 1);
    ck_assert_str_eq(nth("TAP SUPPRESSED", 0), want);
    say_number(a, SENT);
    stage_run(st, SOON);
    ck_assert_uint_eq(count_of("TAP room"), WZP_LIMIT_TAP_PACKETS + 1);
    end(st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("tap");
    tcase_add_test(tc, packets);
    tcase_add_test(tc, joins_and_leaves);
    tcase_add_loop_test(tc, aliases_are_escaped, 0, WZP_COUNT_OF(alias_cases));
    tcase_add_test(tc, updates_name_all);
    tcase_add_test(tc, long_updates_are_cut);
    tcase_add_test(tc, directives);
    tcase_add_test(tc, stats_of_five_seconds);
    tcase_add_loop_test(tc, gaps, 0, WZP_COUNT_OF(gap_cases));
    tcase_add_test(tc, averages_have_one_decimal);
    tcase_add_loop_test(tc, filter, 0, WZP_COUNT_OF(filter_cases));
    tcase_add_test(tc, a_flood_is_cut);
    return wzp_run_suite("tap", tc);
}
