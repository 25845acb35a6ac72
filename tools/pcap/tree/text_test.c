#include "tools/pcap/tree/text.h"

#include "base/testing/suite.h"

typedef struct collected {
    size_t len, calls;
    char text[4 * WZP_PCAP_TEXT_CAP];
} collected;

static collected got;
static wzp_pcap_text text;

static void collect(void *ctx, wzp_bytes bytes) {
    collected *c = ctx;
    ck_assert_uint_le(c->len + bytes.len, sizeof c->text);
    memcpy(c->text + c->len, bytes.data, bytes.len);
    c->len += bytes.len;
    c->calls++;
}

static void begin(void) {
    got.len = 0;
    got.calls = 0;
    text.sink = collect;
    text.ctx = &got;
    text.len = 0;
}

static void expect(const char *want) {
    wzp_pcap_text_flush(&text);
    ck_assert_msg(got.len == strlen(want) && memcmp(got.text, want, got.len) == 0,
                  "got '%.*s', want '%s'", (int)got.len, got.text, want);
}

START_TEST(numbers) {
    begin();
    wzp_pcap_text_uint(&text, 0);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_uint(&text, UINT64_MAX);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_uint_wide(&text, 42, 5);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_zeros(&text, 42, 5);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_uint_wide(&text, 123456, 3);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_hex_uint(&text, 0);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_hex_uint(&text, 0x1ff);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_hex_uint(&text, UINT64_MAX);
    expect("0 18446744073709551615    42 00042 123456 0x0 0x1ff 0xffffffffffffffff");
}
END_TEST

START_TEST(seconds) {
    begin();
    wzp_pcap_text_seconds(&text, 1234567890123456789, 9);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_seconds(&text, 1999999999, 6);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_seconds(&text, 1000, 6);
    expect("1234567890.123456789 1.999999 0.000001");
}
END_TEST

START_TEST(addresses) {
    const wzp_addr v4 = wzp_addr_v4(192, 0, 2, 1, 443);
    const wzp_addr v6 = {WZP_ADDR_V6, 9, {0x20, 1, 0x0d, 0xb8, [15] = 1}};
    const wzp_addr mapped = {WZP_ADDR_V6, 9, {[10] = 0xff, 0xff, 10, 0, 0, 1}};
    const wzp_addr none = {0};
    begin();
    wzp_pcap_text_addr(&text, &v4);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_addr(&text, &v6);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_ip(&text, &mapped);
    wzp_pcap_text_char(&text, ' ');
    wzp_pcap_text_ip(&text, &none);
    expect("192.0.2.1:443 [2001:db8::1]:9 ::ffff:10.0.0.1 -");
}
END_TEST

static const struct string_case {
    const char *name, *in;
    size_t len;
    const char *json, *csv, *clean;
} string_cases[] = {
    {"plain", "abc", 3, "\"abc\"", "abc", "abc"},
    {"empty", "", 0, "\"\"", "", ""},
    {"quotes and commas", "a\"b,c\\", 6, "\"a\\\"b,c\\\\\"", "\"a\"\"b,c\\\"", "a\"b,c\\"},
    {"control bytes", "a\n\r\t\x01\x7f", 6, "\"a\\n\\r\\t\\u0001\\u007f\"",
     "\"a\n\r\t\xef\xbf\xbd\xef\xbf\xbd\"", "a?????"},
    {"UTF-8", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
     "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "?????????"},
    {"cut UTF-8", "\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\xef\xbf\xbd\xef\xbf\xbd", "??"},
    {"overlong", "\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\xef\xbf\xbd\xef\xbf\xbd", "??"},
    {"surrogate", "\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "???"},
    {"a formula", "=1+1", 4, "\"=1+1\"", "'=1+1", "=1+1"},
    {"a command of a spreadsheet", "@SUM(A1,\"x\")", 12, "\"@SUM(A1,\\\"x\\\")\"",
     "\"'@SUM(A1,\"\"x\"\")\"", "@SUM(A1,\"x\")"},
    {"a sign", "-2", 2, "\"-2\"", "'-2", "-2"},
    {"a sequence for a terminal", "\x1b[2J", 4, "\"\\u001b[2J\"", "\xef\xbf\xbd[2J", "?[2J"},
    {"a zero", "a\0b", 3, "\"a\\u0000b\"", NULL, "a?b"},
};

START_TEST(strings) {
    const struct string_case *c = &string_cases[_i];
    const wzp_bytes in = wzp_bytes_of(c->in, c->len);
    begin();
    wzp_pcap_text_json(&text, in);
    expect(c->json);
    begin();
    wzp_pcap_text_clean(&text, in);
    expect(c->clean);
    if (c->csv != NULL) {
        begin();
        wzp_pcap_text_csv(&text, in);
        expect(c->csv);
    }
}
END_TEST

/* Nothing is lost where the buffer is full, wherever a piece begins. */
START_TEST(overflow) {
    static uint8_t big[WZP_PCAP_TEXT_CAP + 100];
    memset(big, 'x', sizeof big);
    for (size_t before = WZP_PCAP_TEXT_CAP - 25; before <= WZP_PCAP_TEXT_CAP; before++) {
        begin();
        wzp_pcap_text_bytes(&text, wzp_bytes_of(big, before));
        wzp_pcap_text_uint(&text, UINT64_MAX);
        wzp_pcap_text_flush(&text);
        ck_assert_uint_eq(got.len, before + 20);
        ck_assert_int_eq(memcmp(got.text + before, "18446744073709551615", 20), 0);
    }
    begin();
    wzp_pcap_text_bytes(&text, wzp_bytes_of(big, sizeof big));
    wzp_pcap_text_flush(&text);
    ck_assert_uint_eq(got.len, sizeof big);
    wzp_pcap_text_flush(&text); /* nothing to say */
    ck_assert_uint_eq(got.calls, 2);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("text");
    tcase_add_test(tc, numbers);
    tcase_add_test(tc, seconds);
    tcase_add_test(tc, addresses);
    tcase_add_loop_test(tc, strings, 0, WZP_COUNT_OF(string_cases));
    tcase_add_test(tc, overflow);
    return wzp_run_suite("text", tc);
}
