#include "tools/pcap/file/when.h"

#include <check.h>

#include "base/rng.h"
#include "base/testing/suite.h"

static const struct {
    const char *text;
    wzp_err want;
    uint64_t ns;
} cases[] = {
    {"1970-01-01T00:00:00Z", WZP_OK, 0},
    {"2026-05-25T10:11:12Z", WZP_OK, UINT64_C(1779703872000000000)},
    {"2026-05-25T10:11:12.5Z", WZP_OK, UINT64_C(1779703872500000000)},
    {"2026-05-25T10:11:12.123456789+00:00", WZP_OK, UINT64_C(1779703872123456789)},
    {"2026-05-25T10:11:12.1234567899z", WZP_OK, UINT64_C(1779703872123456789)},
    {"2026-05-25 12:11:12+02:00", WZP_OK, UINT64_C(1779703872000000000)},
    {"2026-05-25t04:41:12-05:30", WZP_OK, UINT64_C(1779703872000000000)},
    {"2000-02-29T00:00:00Z", WZP_OK, UINT64_C(951782400000000000)},
    {"2016-12-31T23:59:60Z", WZP_OK, UINT64_C(1483228800000000000)},
    {"1970-01-01T00:00:00+00:01", WZP_ERR_PARSE, 0}, /* before 1970 */
    {"2100-02-29T00:00:00Z", WZP_ERR_PARSE, 0},
    {"2026-13-01T00:00:00Z", WZP_ERR_PARSE, 0},
    {"2026-00-01T00:00:00Z", WZP_ERR_PARSE, 0},
    {"2026-01-00T00:00:00Z", WZP_ERR_PARSE, 0},
    {"2026-01-01T24:00:00Z", WZP_ERR_PARSE, 0},
    {"2026-01-01T00:60:00Z", WZP_ERR_PARSE, 0},
    {"2026-01-01T00:00:61Z", WZP_ERR_PARSE, 0},
    {"2026-01-01T00:00:00.Z", WZP_ERR_PARSE, 0},
    {"2026-01-01T00:00:00", WZP_ERR_PARSE, 0},
    {"2026-01-01T00:00:00+0200", WZP_ERR_PARSE, 0},
    {"2026-01-01T00:00:00Z ", WZP_ERR_PARSE, 0},
    {"1969-12-31T23:59:59Z", WZP_ERR_PARSE, 0},
    {"9999-01-01T00:00:00Z", WZP_ERR_PARSE, 0},
    {"", WZP_ERR_PARSE, 0},
};

START_TEST(texts) {
    uint64_t ns = 7;
    const wzp_err got = wzp_pcap_when_parse(&ns, wzp_bytes_str(cases[_i].text));
    ck_assert_msg(got == cases[_i].want, "%s: %s", cases[_i].text, wzp_err_name(got));
    ck_assert_msg(ns == (got == WZP_OK ? cases[_i].ns : 7), "%s: %llu", cases[_i].text,
                  (unsigned long long)ns);
}
END_TEST

START_TEST(a_text_that_ends_early) {
    const wzp_bytes whole = wzp_bytes_str("2026-05-25T10:11:12.123456789+00:00");
    for (size_t len = 0; len < whole.len; len++) {
        uint64_t ns = 0;
        ck_assert_int_eq(wzp_pcap_when_parse(&ns, wzp_bytes_of(whole.data, len)), WZP_ERR_PARSE);
    }
}
END_TEST

START_TEST(round_trip) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "when_test");
    for (int i = 0; i < 5000; i++) {
        const uint64_t ns = wzp_rng_below(wzp_prng_rng(&prng), UINT64_C(9214646400000000000));
        char text[WZP_PCAP_WHEN_MAX];
        uint64_t back = 0;
        wzp_pcap_when_write(text, ns);
        ck_assert_int_eq(wzp_pcap_when_parse(&back, wzp_bytes_str(text)), WZP_OK);
        ck_assert_msg(back == ns, "%s", text);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("when");
    tcase_add_loop_test(tc, texts, 0, WZP_COUNT_OF(cases));
    tcase_add_test(tc, a_text_that_ends_early);
    tcase_add_test(tc, round_trip);
    return wzp_run_suite("when", tc);
}
