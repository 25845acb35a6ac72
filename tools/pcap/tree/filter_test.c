#include "base/testing/suite.h"
#include "tools/pcap/tree/filter.h"

/* --- what is refused, and where --------------------------------------------------------------- */

static const struct bad_case {
    const char *text;
    wzp_err want;
    size_t column;
} bad_cases[] = {
    {"wzp.seq ==", WZP_ERR_PARSE, 11},
    {"wzp.nothing", WZP_ERR_PARSE, 1},
    {"wzp.seq == 1 &&", WZP_ERR_PARSE, 16},
    {"wzp.seq == 1 wzp.codec", WZP_ERR_PARSE, 14},
    {"(wzp.seq == 1", WZP_ERR_PARSE, 14},
    {"wzp.seq == 1)", WZP_ERR_PARSE, 13},
    {"wzp.seq == x", WZP_ERR_PARSE, 12},
    {"wzp.seq == 18446744073709551616", WZP_ERR_PARSE, 12},
    {"wzp.seq == -1", WZP_ERR_PARSE, 12},
    {"wzp.seq contains 1", WZP_ERR_PARSE, 9},
    {"wzp == 1", WZP_ERR_PARSE, 5},
    {"wzp.flags.repair == 2", WZP_ERR_PARSE, 21},
    {"wzp.flags.repair > 0", WZP_ERR_PARSE, 18},
    {"ip.src < 10.0.0.1", WZP_ERR_PARSE, 8},
    {"ip.src == 10.0.0.1/33", WZP_ERR_PARSE, 11},
    {"ip.src == 10.0.0", WZP_ERR_PARSE, 11},
    {"wzp.payload == 0x01", WZP_ERR_PARSE, 16},
    {"wzp.payload == 0", WZP_ERR_PARSE, 16},
    {"wzp.signal.type == \"Ping", WZP_ERR_PARSE, 21},
    {"wzp.signal.type == \"a\\n\"", WZP_ERR_PARSE, 21},
    {"wzp.codec in 1", WZP_ERR_PARSE, 14},
    {"wzp.codec in {", WZP_ERR_PARSE, 15},
    {"wzp.codec in {}", WZP_ERR_PARSE, 15},
    {"wzp.codec in {1", WZP_ERR_PARSE, 16},
    {"frame.time_relative > 1.0000000001", WZP_ERR_PARSE, 23},
    {"&& wzp.seq", WZP_ERR_PARSE, 1},
    {"!", WZP_ERR_PARSE, 2},
    {"wzp.seq = 1", WZP_ERR_PARSE, 9},
};

START_TEST(bad) {
    const struct bad_case *c = &bad_cases[_i];
    wzp_pcap_filter *filter = NULL;
    wzp_pcap_filter_error error;
    const wzp_err got = wzp_pcap_filter_new(&filter, wzp_bytes_str(c->text), &error);
    ck_assert_msg(got == c->want, "%s: got %s", c->text, wzp_err_name(got));
    ck_assert_msg(error.column == c->column, "%s: column %zu", c->text, error.column);
    ck_assert_ptr_null(filter);
}
END_TEST

/* --- what matches ----------------------------------------------------------------------------- */

/* A video packet over IPv4, as fields; several connection ids stand for fields that repeat. */
static void make_tree(wzp_pcap_tree *tree, wzp_addr *src) {
    static const uint8_t payload[] = {0x00, 0x01, 0x02, 0xff};
    *src = wzp_addr_v4(10, 0, 1, 7, 5000);
    const wzp_pcap_field fields[] = {
        {.id = WZP_PCAP_FIELD_WZP},
        {.id = WZP_PCAP_FIELD_FRAME_NUMBER, .u.number = 7},
        {.id = WZP_PCAP_FIELD_FRAME_RELATIVE, .u.number = 1500000000},
        {.id = WZP_PCAP_FIELD_IP_SRC, .u.addr = src},
        {.id = WZP_PCAP_FIELD_CODEC, .u.number = 9},
        {.id = WZP_PCAP_FIELD_SEQ, .u.number = 100},
        {.id = WZP_PCAP_FIELD_FLAG_KEYFRAME, .u.number = 1},
        {.id = WZP_PCAP_FIELD_PAYLOAD, .u.bytes = {payload, sizeof payload}},
        {.id = WZP_PCAP_FIELD_ROLE, .u.bytes = {(const uint8_t *)"room", 4}},
        {.id = WZP_PCAP_FIELD_PARAM_TYPE, .u.number = 1},
        {.id = WZP_PCAP_FIELD_PARAM_TYPE, .u.number = 4},
    };
    memcpy(tree->list, fields, sizeof fields);
    tree->count = WZP_COUNT_OF(fields);
}

static const struct match_case {
    const char *text;
    bool want;
} match_cases[] = {
    {"", true},
    {"  ", true},
    {"wzp", true},
    {"wzp.signal.type", false},
    {"not wzp.signal.type", true},
    {"wzp.seq == 100", true},
    {"wzp.seq==100", true},
    {"wzp.seq == 0x64", true},
    {"wzp.seq != 100", false},
    {"wzp.seq ne 99", true},
    {"wzp.seq > 99 && wzp.seq < 101", true},
    {"wzp.seq >= 101 || wzp.seq <= 99", false},
    {"wzp.seq ge 100 and wzp.seq le 100", true},
    {"wzp.seq gt 100 or wzp.seq lt 100", false},
    {"wzp.quality.loss != 5", false},
    {"!(wzp.quality.loss == 5)", true},
    {"! wzp.seq == 100", false},
    {"wzp.codec == H264Baseline", true},
    {"wzp.codec == \"Opus24k\"", false},
    {"wzp.codec in {Opus24k, 9}", true},
    {"wzp.codec in {1 2 3}", false},
    {"wzp.flags.keyframe == true", true},
    {"wzp.flags.keyframe == 0", false},
    {"wzp.payload == 00:01:02:ff", true},
    {"wzp.payload == 000102FF", true},
    {"wzp.payload contains 01:02", true},
    {"wzp.payload contains \"\\x02\\xff\"", true},
    {"wzp.payload contains ff00", false},
    {"wzp.payload contains \"\"", true},
    {"wzp.payload < 0001", false},
    {"wzp.payload > 0001", true},
    {"wzp.role == room", true},
    {"wzp.role == \"roo\"", false},
    {"wzp.role contains oo", true},
    {"wzp.role > \"abc\"", true},
    {"ip.src == 10.0.1.7", true},
    {"ip.src == 10.0.0.0/16", true},
    {"ip.src == 10.0.0.0/23", true},
    {"ip.src == 10.0.0.0/24", false},
    {"ip.src != 10.0.0.0/8", false},
    {"ip.src in {::1, 10.0.1.7}", true},
    {"ip.src == 0.0.0.0/0", true},
    {"frame.time_relative == 1.5", true},
    {"frame.time_relative > 1.499999999", true},
    {"frame.time_relative < 1", false},
    {"tls.quic.parameter.type == 4", true},
    {"tls.quic.parameter.type != 4", false},
    {"tls.quic.parameter.type != 5", true},
    {"wzp.seq == 1 || wzp.seq == 100 && wzp.codec == 9", true},
    {"(wzp.seq == 100 || wzp.seq == 1) && wzp.codec == 1", false},
};

START_TEST(match) {
    const struct match_case *c = &match_cases[_i];
    wzp_pcap_filter *filter = NULL;
    wzp_pcap_filter_error error;
    wzp_pcap_tree tree;
    wzp_addr src;
    make_tree(&tree, &src);
    const wzp_err err = wzp_pcap_filter_new(&filter, wzp_bytes_str(c->text), &error);
    ck_assert_msg(err == WZP_OK, "%s: column %zu: %s", c->text, error.column, error.text);
    ck_assert_msg(wzp_pcap_filter_matches(filter, &tree) == c->want, "%s", c->text);
    wzp_pcap_filter_free(&filter);
}
END_TEST

/* --- bounds ----------------------------------------------------------------------------------- */

static void append(char *text, size_t *len, wzp_bytes piece) {
    memcpy(text + *len, piece.data, piece.len);
    *len += piece.len;
}

static wzp_err compile_repeated(const char *piece, size_t times, const char *last) {
    static char text[2 * WZP_PCAP_FILTER_TEXT_MAX];
    wzp_pcap_filter *filter = NULL;
    wzp_pcap_filter_error error;
    size_t len = 0;
    for (size_t i = 0; i < times; i++) {
        append(text, &len, wzp_bytes_str(piece));
    }
    append(text, &len, wzp_bytes_str(last));
    const wzp_err err = wzp_pcap_filter_new(&filter, wzp_bytes_of(text, len), &error);
    wzp_pcap_filter_free(&filter);
    return err;
}

START_TEST(bounds) {
    ck_assert_int_eq(compile_repeated("!", 60, "wzp"), WZP_OK);
    ck_assert_int_eq(compile_repeated("!", 70, "wzp"), WZP_ERR_LIMIT);
    ck_assert_int_eq(compile_repeated("(", 2000, "wzp"), WZP_ERR_LIMIT);
    ck_assert_int_eq(compile_repeated("wzp||", 127, "wzp"), WZP_OK);
    ck_assert_int_eq(compile_repeated("wzp||", 128, "wzp"), WZP_ERR_LIMIT);
    ck_assert_int_eq(compile_repeated("wzp.seq in {1 2 3 4} ||", 63, "wzp.seq in {1 2 3 4}"),
                     WZP_OK);
    ck_assert_int_eq(compile_repeated("wzp.seq in {1 2 3 4} ||", 65, "wzp"), WZP_ERR_LIMIT);
    ck_assert_int_eq(compile_repeated(" ", 4096, ""), WZP_OK);
    ck_assert_int_eq(compile_repeated(" ", 4096, " "), WZP_ERR_LIMIT);
}
END_TEST

/* Every prefix of a long filter is taken or refused at a place inside it. */
START_TEST(prefixes) {
    static const char text[] = "(wzp.seq >= 0x10 && !wzp.codec in {Opus24k, 9}) || "
                               "wzp.role contains \"a\\\\\\x20\" && ip.src == 10.0.0.0/8";
    for (size_t len = 0; len < sizeof text; len++) {
        wzp_pcap_filter *filter = NULL;
        wzp_pcap_filter_error error;
        char *exact = malloc(len + 1);
        memcpy(exact, text, len);
        if (wzp_pcap_filter_new(&filter, wzp_bytes_of(exact, len), &error) != WZP_OK) {
            ck_assert_uint_ge(error.column, 1);
            ck_assert_uint_le(error.column + error.len, len + 1);
        }
        wzp_pcap_filter_free(&filter);
        free(exact);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("filter");
    tcase_add_loop_test(tc, bad, 0, WZP_COUNT_OF(bad_cases));
    tcase_add_loop_test(tc, match, 0, WZP_COUNT_OF(match_cases));
    tcase_add_test(tc, bounds);
    tcase_add_test(tc, prefixes);
    return wzp_run_suite("filter", tc);
}
