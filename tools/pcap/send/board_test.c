#include "tools/pcap/send/board.h"

#include <check.h>
#include <stdio.h>

#include "base/testing/suite.h"

#define START (UINT64_C(1700000000) * WZP_S)

static wzp_pcap_board board;
static wzp_pcap_flow *flow;
static wzp_pcap_row_shown rows[WZP_PCAP_SHOWN_MAX];
static const wzp_pcap_conn conn = {.number = 1, .role = WZP_PCAP_ROLE_ROOM, .readable = true};

static void begin(void) {
    wzp_pcap_board_init(&board, "own");
    ck_assert_int_eq(wzp_pcap_flow_new(&flow, 0), WZP_OK);
}

/* The list of the room: names that are also fingerprints; NULL ends it.  We are in it. */
static void room(uint64_t at_ms, const char *const *names) {
    wzp_room_participant list[8] = {{.fingerprint = wzp_bytes_str("own")}};
    size_t count = 1;
    for (; names[count - 1] != NULL; count++) {
        list[count].fingerprint = wzp_bytes_str(names[count - 1]);
        list[count].alias = (wzp_opt_str){true, wzp_bytes_str(names[count - 1])};
    }
    const wzp_signal_RoomUpdate update = {.count = (uint32_t)count, .participants = {list, count}};
    wzp_pcap_board_room(&board, &update, START + at_ms * WZP_MS);
}

/* `packets` of a stream that begins with `seq`, every 20 ms from `at_ms` on; each `skip`th not. */
static void hear(uint64_t at_ms, uint32_t seq, uint32_t packets, uint32_t skip) {
    static uint64_t number;
    for (uint32_t i = 0; i < packets; i++) {
        const uint8_t payload[8] = {(uint8_t)i, (uint8_t)seq, (uint8_t)(seq >> 8)};
        const wzp_pcap_media media = {.packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                                         .seq = seq + i,
                                                         .timestamp_ms = 20 * (seq + i)},
                                                 .payload = wzp_bytes_of(payload, 8)},
                                      .bytes = wzp_bytes_of(payload, 8)};
        const wzp_pcap_message m = {.kind = WZP_PCAP_MESSAGE_MEDIA,
                                    .packet_number = ++number,
                                    .time_ns = START + (at_ms + (uint64_t)20 * i) * WZP_MS,
                                    .conn = &conn,
                                    .media = &media};
        if (skip == 0 || i % skip != skip / 2) {
            wzp_pcap_flow_take(flow, &m);
        }
    }
}

static void expect(size_t count, size_t i, const char *name, bool sure) {
    ck_assert_uint_eq(wzp_pcap_board_rows(&board, flow, rows), count);
    ck_assert_str_eq(rows[i].name, name);
    ck_assert_int_eq(rows[i].sure, sure);
}

START_TEST(a_name_is_sure_when_nobody_else_can_be_meant) {
    begin();
    room(0, (const char *[]){"anna", NULL});
    hear(100, 5000, 50, 0);
    expect(1, 0, "anna", true);
    room(3000, (const char *[]){"anna", "bert", NULL});
    hear(1100, 5050, 150, 0);
    hear(3100, 900000, 10, 0);
    expect(2, 0, "anna", true);
    expect(2, 1, "bert", true); /* anna has a stream */
    wzp_pcap_flow_free(&flow);
}
END_TEST

START_TEST(all_are_named_who_may_be_meant) {
    begin();
    hear(0, 5000, 10, 0);
    expect(1, 0, "?", false);
    room(100, (const char *[]){"anna", "bert", NULL}); /* told later than heard */
    hear(0, 700000, 10, 0);
    expect(2, 0, "anna or bert", false);
    expect(2, 1, "anna or bert", false);
    wzp_pcap_flow_free(&flow);
}
END_TEST

/* Who was not there did not speak. */
START_TEST(who_left_before_is_not_meant) {
    begin();
    room(0, (const char *[]){"anna", "bert", NULL});
    room(5000, (const char *[]){"bert", NULL});
    hear(9000, 5000, 10, 0);
    expect(1, 0, "bert", true);
    ck_assert_uint_eq(board.present, 2);
    room(20000, (const char *[]){"anna", "bert", NULL});
    expect(1, 0, "bert", true);
    wzp_pcap_flow_free(&flow);
}
END_TEST

START_TEST(rows_have_the_figures_of_the_flow) {
    begin();
    hear(0, 5000, 400, 0);
    hear(0, 700000, 400, 50);
    hear(0, 1400000, 400, 10);
    ck_assert_uint_eq(wzp_pcap_board_rows(&board, flow, rows), 3);
    ck_assert_int_eq(rows[0].health, WZP_PCAP_FINE);
    ck_assert_int_eq(rows[1].health, WZP_PCAP_POOR);
    ck_assert_int_eq(rows[2].health, WZP_PCAP_BAD);
    ck_assert_uint_eq(rows[0].packets, 400);
    ck_assert_uint_eq(rows[2].packets, 360);
    ck_assert_str_eq(rows[0].codec, "Opus24k");
    ck_assert(rows[0].duration_s > 7.97 && rows[0].duration_s < 7.99);
    wzp_pcap_flow_free(&flow);
}
END_TEST

START_TEST(names_of_others_do_nothing_to_a_terminal) {
    /* Colours, a new line, what turns text around, and no character at all. */
    static const uint8_t hostile[] = {'a', 0x1b, '[', '3', '1', 'm', '\n', 0xe2, 0x80, 0xae, 0xff};
    char out[16];
    wzp_pcap_printable(out, sizeof out, wzp_bytes_of(hostile, sizeof hostile));
    ck_assert_str_eq(out, "a?[31m???");
    wzp_pcap_printable(out, 4, wzp_bytes_str("abc\xc3\xa4"));
    ck_assert_str_eq(out, "abc");
    wzp_pcap_printable(out, 5, wzp_bytes_str("ab\xc3\xa4z"));
    ck_assert_str_eq(out, "ab\xc3\xa4");
    begin();
    room(0, (const char *[]){"\x1b]0;x\x07", NULL});
    hear(0, 1, 3, 0);
    expect(1, 0, "?]0;x?", true);
    wzp_pcap_flow_free(&flow);
}
END_TEST

START_TEST(more_people_than_places_are_counted) {
    begin();
    for (int i = 0; i < WZP_PCAP_PEOPLE_MAX + 3; i++) {
        char name[16];
        wzp_room_participant who = {.fingerprint = {(const uint8_t *)name, 0}};
        who.fingerprint.len = (size_t)snprintf(name, sizeof name, "p%d", i);
        wzp_room_participant list[1] = {who};
        const wzp_signal_RoomUpdate update = {.participants = {list, 1}};
        wzp_pcap_board_room(&board, &update, START + (uint64_t)i);
    }
    ck_assert_uint_eq(board.people_count, WZP_PCAP_PEOPLE_MAX);
    ck_assert_uint_eq(board.unnamed, 0); /* who left made room */
    wzp_pcap_flow_free(&flow);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, a_name_is_sure_when_nobody_else_can_be_meant);
    tcase_add_test(tc, all_are_named_who_may_be_meant);
    tcase_add_test(tc, who_left_before_is_not_meant);
    tcase_add_test(tc, rows_have_the_figures_of_the_flow);
    tcase_add_test(tc, names_of_others_do_nothing_to_a_terminal);
    tcase_add_test(tc, more_people_than_places_are_counted);
    return wzp_run_suite("board", tc);
}
