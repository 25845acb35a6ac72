#include "tools/pcap/report/report.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "conformance/report/testing/markup.h"
#include "tools/pcap/flow/testing/talk.h"
#include "tools/pcap/report/put.h"

#define SCHEMA WZP_SOURCE_DIR "/docs/schema/pcap-stat.schema.json"
#define EVIL "\"><script>alert('1')</script>&amp;|`*\x1b[31m\xff"
#define FRAME (20 * WZP_MS)

/* --- what is written -------------------------------------------------------------------------- */

typedef struct page {
    char *text; /* with a terminator */
    size_t len, cap;
} page;

static void keep(void *ctx, wzp_bytes text) {
    page *p = ctx;
    if (p->len + text.len + 1 > p->cap) {
        p->cap = 2 * (p->len + text.len + 1);
        p->text = realloc(p->text, p->cap);
        ck_assert_ptr_nonnull(p->text);
    }
    memcpy(p->text + p->len, text.data, text.len);
    p->len += text.len;
    p->text[p->len] = '\0';
}

static page write_page(void (*what)(wzp_pcap_text *, const wzp_pcap_report *),
                       const wzp_pcap_report *report) {
    page p = {0};
    wzp_pcap_text *text = calloc(1, sizeof *text);
    ck_assert_ptr_nonnull(text);
    text->sink = keep;
    text->ctx = &p;
    what(text, report);
    wzp_pcap_text_flush(text);
    free(text);
    return p;
}

/* --- a capture with something of everything --------------------------------------------------- */

static void talk_of_everything(wzp_talk *t) {
    wzp_talk_begin(t, 0);
    memcpy(t->conn.sni, EVIL, sizeof EVIL);
    wzp_talk_signal(t,
                    "{\"RoomUpdate\":{\"version\":1,\"count\":1,\"participants\":[{\"fingerprint\":"
                    "\"a\",\"alias\":\"<img src=x onerror=alert(1)>\",\"relay_label\":null}]}}",
                    false, WZP_TALK_START);
    wzp_talk_signal(t, "{\"<b>\":\"</td></table><script>\"}", true, WZP_TALK_START);
    for (uint32_t i = 0; i < 600; i++) {
        wzp_media_hdr hdr = {.codec_id = i < 300 ? WZP_CODEC_OPUS_24K : WZP_CODEC_CODEC2_3200,
                             .seq = i,
                             .timestamp_ms = i * 20};
        const wzp_quality_report report = {40, 20, 3, 200};
        hdr.fec_block = i < 300 ? 0 : (uint16_t)((i % 5) << 8 | (i / 5 & 0xff));
        if (i % 50 == 0) {
            wzp_talk_report(t, &hdr, report, WZP_TALK_START + i * FRAME);
        } else if (i < 100 || i > 170) {
            wzp_talk_media(t, &hdr, i < 300 ? 300 : 24, 0, WZP_TALK_START + i * FRAME);
        }
    }
    for (uint32_t i = 0; i < 60; i++) {
        wzp_media_hdr hdr = {.media_type = WZP_MEDIA_VIDEO,
                             .codec_id = WZP_CODEC_AV1_MAIN,
                             .seq = i,
                             .timestamp_ms = i * 33,
                             .flags = i % 30 == 0 ? 0x30 : 0x10,
                             .fec_block = 1};
        wzp_talk_media(t, &hdr, 900, 0, WZP_TALK_START + UINT64_C(33) * i * WZP_MS);
    }
    t->to_server = false;
    const wzp_media_hdr other = {.codec_id = WZP_CODEC_OPUS_64K};
    wzp_talk_media(t, &other, 60, 0, WZP_TALK_START + WZP_S);
    wzp_talk_close(t, 7, "</code>" EVIL, WZP_TALK_START + 13 * WZP_S);
    wzp_pcap_flow_end(t->flow);
}

static wzp_pcap_report report_of(const wzp_talk *t) {
    return (wzp_pcap_report){
        .flow = t->flow, .file = EVIL ".pcapng", .packets = t->packet, .intervals = true};
}

START_TEST(the_page_is_well_formed_and_harmless) {
    static const char *const never[] = {"<script", "<img",   "onerror=alert(1)>",
                                        "http:",   "https:", "src=",
                                        "url(",    "\x1b",   "</code>\""};
    wzp_talk t;
    char why[160];
    talk_of_everything(&t);
    const wzp_pcap_report report = report_of(&t);
    page p = write_page(wzp_pcap_report_html, &report);
    ck_assert_msg(wzp_ct_markup_ok(p.text, true, why), "%s", why);
    /* Text that looks like an attribute is text: the page has no tag that would take it. */
    for (size_t i = 0; i < WZP_COUNT_OF(never); i++) {
        const char *found = strstr(p.text, never[i]);
        const bool escaped = found != NULL && (strcmp(never[i], "src=") == 0) &&
                             strncmp(found - 8, "&lt;img ", 8) == 0;
        ck_assert_msg(found == NULL || escaped, "%s: %.40s", never[i], found);
    }
    ck_assert_ptr_nonnull(strstr(p.text, "&lt;script&gt;alert(&#39;1&#39;)"));
    ck_assert_ptr_nonnull(strstr(p.text, "class=\"ladder\""));
    ck_assert_ptr_nonnull(strstr(p.text, "id=\"stream-3\""));
    ck_assert_ptr_nonnull(strstr(p.text, "Codec2_3200"));
    ck_assert_ptr_nonnull(strstr(p.text, "prefers-color-scheme: dark"));
    free(p.text);
    wzp_talk_end(&t);
}
END_TEST

/* Where the meters first object, and where it ends. */
START_TEST(tiers_are_on_the_time_axis) {
    for (unsigned rate = 50; rate <= 2000; rate += 1950) {
        wzp_talk t;
        char why[160];
        wzp_talk_begin(&t, 0);
        for (uint32_t i = 0; i < 10 * rate; i++) {
            const wzp_media_hdr hdr = {
                .codec_id = WZP_CODEC_OPUS_24K, .seq = i, .timestamp_ms = i * 20};
            wzp_talk_media(&t, &hdr, 60, 0, WZP_TALK_START + i * (WZP_S / rate));
        }
        wzp_pcap_flow_end(t.flow);
        const wzp_pcap_report report = report_of(&t);
        page p = write_page(wzp_pcap_report_html, &report);
        ck_assert_msg(wzp_ct_markup_ok(p.text, true, why), "%s", why);
        ck_assert_int_eq(strstr(p.text, "class=\"tier\"") != NULL, rate > 50);
        ck_assert_int_eq(strstr(p.text, "class=\"tier-end\"") != NULL, rate > 50);
        free(p.text);
        wzp_talk_end(&t);
    }
}
END_TEST

START_TEST(an_empty_capture_has_a_page_too) {
    wzp_talk t;
    char why[160];
    wzp_talk_begin(&t, 0);
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_report report = report_of(&t);
    page p = write_page(wzp_pcap_report_html, &report);
    ck_assert_msg(wzp_ct_markup_ok(p.text, true, why), "%s", why);
    ck_assert_ptr_nonnull(strstr(p.text, "Nothing to report"));
    free(p.text);
    wzp_talk_end(&t);
}
END_TEST

START_TEST(one_packet_has_a_page_too) {
    wzp_talk t;
    char why[160];
    wzp_talk_begin(&t, 0);
    const wzp_media_hdr hdr = {.codec_id = WZP_CODEC_OPUS_64K};
    wzp_talk_media(&t, &hdr, 60, 0, WZP_TALK_START);
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_report report = report_of(&t);
    page p = write_page(wzp_pcap_report_html, &report);
    ck_assert_msg(wzp_ct_markup_ok(p.text, true, why), "%s", why);
    ck_assert_ptr_null(strstr(p.text, "nan"));
    ck_assert_ptr_null(strstr(p.text, "inf"));
    free(p.text);
    wzp_talk_end(&t);
}
END_TEST

START_TEST(the_json_is_as_its_schema_says) {
    wzp_talk t;
    char why[160];
    talk_of_everything(&t);
    const wzp_pcap_report report = report_of(&t);
    page p = write_page(wzp_pcap_report_json, &report);
    json_error_t error;
    json_t *schema = json_load_file(SCHEMA, 0, &error);
    json_t *value = json_loads(p.text, JSON_REJECT_DUPLICATES, &error);
    ck_assert_ptr_nonnull(schema);
    ck_assert_msg(value != NULL, "%s, column %d", error.text, error.column);
    ck_assert_msg(wzp_ct_schema_ok(schema, value, why), "%s", why);
    const json_t *streams = json_object_get(value, "streams");
    const json_t *loss = json_object_get(json_array_get(streams, 0), "loss");
    ck_assert_uint_eq(json_array_size(streams), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(loss, "lost")), 69);
    json_decref(schema);
    json_decref(value);
    free(p.text);
    wzp_talk_end(&t);
}
END_TEST

static size_t columns_of(const char *line, size_t len) {
    size_t count = 1;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        quoted = line[i] == '"' ? !quoted : quoted;
        count += line[i] == ',' && !quoted ? 1 : 0;
    }
    return count;
}

/* How often `what` is in the page, and how often with `then` in the same tag. */
static void count_tags(const char *html, const char *what, const char *then, unsigned counts[2]) {
    counts[0] = counts[1] = 0;
    for (const char *at = strstr(html, what); at != NULL; at = strstr(at + 1, what)) {
        const char *end = strchr(at, '>');
        const char *found = strstr(at, then);
        counts[0]++;
        counts[1] += found != NULL && end != NULL && found < end ? 1 : 0;
    }
}

/* Who hears the page instead of looking at it is told what a picture shows and what a cell is of.
 */
START_TEST(the_page_can_be_read_out) {
    unsigned counts[2];
    wzp_talk t;
    talk_of_everything(&t);
    const wzp_pcap_report report = report_of(&t);
    page p = write_page(wzp_pcap_report_html, &report);
    count_tags(p.text, "<th ", "scope=", counts);
    ck_assert_uint_gt(counts[0], 20);
    ck_assert_uint_eq(counts[0], counts[1]);
    ck_assert_ptr_null(strstr(p.text, "<th>"));
    count_tags(p.text, "<svg class", "aria-", counts);
    ck_assert_uint_gt(counts[0], 4);
    ck_assert_uint_eq(counts[0], counts[1]);
    free(p.text);
    wzp_talk_end(&t);
}
END_TEST

START_TEST(csv_has_the_same_columns_in_each_line) {
    static void (*const forms[])(wzp_pcap_text *, const wzp_pcap_report *) = {
        wzp_pcap_report_streams_csv, wzp_pcap_report_intervals_csv};
    static const size_t lines[] = {4, 1 + 12 + 2 + 1};
    wzp_talk t;
    talk_of_everything(&t);
    const wzp_pcap_report report = report_of(&t);
    for (size_t i = 0; i < WZP_COUNT_OF(forms); i++) {
        page p = write_page(forms[i], &report);
        size_t count = 0;
        const size_t columns = columns_of(p.text, strcspn(p.text, "\r"));
        for (const char *line = p.text; *line != '\0'; line += strcspn(line, "\n") + 1) {
            ck_assert_uint_eq(columns_of(line, strcspn(line, "\r")), columns);
            count++;
        }
        ck_assert_uint_eq(count, lines[i]);
        free(p.text);
    }
    wzp_talk_end(&t);
}
END_TEST

START_TEST(text_for_terminals_does_not_act) {
    static void (*const forms[])(wzp_pcap_text *, const wzp_pcap_report *) = {
        wzp_pcap_report_stat, wzp_pcap_report_streams, wzp_pcap_report_markdown};
    wzp_talk t;
    talk_of_everything(&t);
    const wzp_pcap_report report = report_of(&t);
    for (size_t i = 0; i < WZP_COUNT_OF(forms); i++) {
        page p = write_page(forms[i], &report);
        page again = write_page(forms[i], &report);
        ck_assert_ptr_null(strchr(p.text, '\x1b'));
        ck_assert_str_eq(p.text, again.text);
        free(p.text);
        free(again.text);
    }
    page p = write_page(wzp_pcap_report_markdown, &report);
    for (const char *at = p.text; (at = strchr(at, '<')) != NULL; at++) {
        ck_assert_int_eq(at[-1], '\\');
    }
    ck_assert_ptr_nonnull(strstr(p.text, "\\<script\\>"));
    free(p.text);
    p = write_page(wzp_pcap_report_stat, &report);
    ck_assert_ptr_nonnull(strstr(p.text, "69 of 600"));
    free(p.text);
    wzp_talk_end(&t);
}
END_TEST

/* --- times ------------------------------------------------------------------------------------ */

static const struct utc_case {
    uint64_t s;
    const char *text;
} utc_cases[] = {
    {0, "1970-01-01 00:00:00.000 UTC"},          {951782399, "2000-02-28 23:59:59.000 UTC"},
    {951782400, "2000-02-29 00:00:00.000 UTC"},  {1779723000, "2026-05-25 15:30:00.000 UTC"},
    {4107542399, "2100-02-28 23:59:59.000 UTC"}, {4107542400, "2100-03-01 00:00:00.000 UTC"}};

START_TEST(dates) {
    page p = {0};
    wzp_pcap_text *text = calloc(1, sizeof *text);
    ck_assert_ptr_nonnull(text);
    text->sink = keep;
    text->ctx = &p;
    wzp_pcap_put_utc(text, utc_cases[_i].s * WZP_S);
    wzp_pcap_text_flush(text);
    ck_assert_str_eq(p.text, utc_cases[_i].text);
    free(p.text);
    free(text);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("report");
    tcase_add_test(tc, the_page_is_well_formed_and_harmless);
    tcase_add_test(tc, tiers_are_on_the_time_axis);
    tcase_add_test(tc, an_empty_capture_has_a_page_too);
    tcase_add_test(tc, one_packet_has_a_page_too);
    tcase_add_test(tc, the_json_is_as_its_schema_says);
    tcase_add_test(tc, the_page_can_be_read_out);
    tcase_add_test(tc, csv_has_the_same_columns_in_each_line);
    tcase_add_test(tc, text_for_terminals_does_not_act);
    tcase_add_loop_test(tc, dates, 0, (int)WZP_COUNT_OF(utc_cases));
    return wzp_run_suite("pcap_report", tc);
}
