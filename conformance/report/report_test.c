/* Every format of the sample report against its file in testdata, and checks that hold for any
 * report.  WZP_WRITE_GOLDEN=1 writes the files anew. */
#include "conformance/report/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing/suite.h"
#include "conformance/report/html.h"
#include "conformance/report/testing/markup.h"
#include "conformance/report/testing/sample.h"
#include "conformance/report/text.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))
#define FOLDER WZP_SOURCE_DIR "/conformance/report/testdata/"
#define SCHEMA WZP_SOURCE_DIR "/docs/schema/conformance-report.schema.json"

typedef bool (*writer)(FILE *out, const wzp_ct_report *report);

static bool write_console(FILE *out, const wzp_ct_report *report) {
    const wzp_ct_report_opts opts = {.width = 80};
    return wzp_ct_report_console(out, report, &opts);
}

static bool write_colour(FILE *out, const wzp_ct_report *report) {
    const wzp_ct_report_opts opts = {.colour = true, .quiet = true};
    return wzp_ct_report_console(out, report, &opts);
}

static const struct format {
    const char *file;
    writer write;
} formats[] = {
    {"report.txt", write_console},
    {"report.quiet.txt", write_colour},
    {"report.json", wzp_ct_report_json},
    {"report.xml", wzp_ct_report_junit},
    {"report.tap", wzp_ct_report_tap},
    {"report.md", wzp_ct_report_markdown},
    {"report.body.html", wzp_ct_report_html},
};

/* The caller frees it. */
static char *written(writer write, const wzp_ct_report *report) {
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    ck_assert_ptr_nonnull(memory);
    ck_assert(write(memory, report));
    ck_assert_int_eq(fclose(memory), 0);
    ck_assert_uint_eq(strlen(text), len);
    return text;
}

static char *read_file(const char *path) {
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in != NULL, "%s cannot be read", path);
    char *text = NULL;
    size_t len = 0;
    ck_assert(getdelim(&text, &len, '\0', in) > 0);
    (void)fclose(in);
    return text;
}

/* Style and script of the page have files of their own. */
static void keep_body(char *page) {
    char *body = strstr(page, "<body>");
    ck_assert_ptr_nonnull(body);
    memmove(page, body, strlen(body) + 1);
    char *script = strstr(page, "<script>");
    ck_assert_ptr_nonnull(script);
    *script = '\0';
}

START_TEST(looks_as_expected) {
    const struct format *f = &formats[_i];
    char path[512];
    char *got = written(f->write, wzp_ct_sample_report());
    (void)snprintf(path, sizeof path, "%s%s", FOLDER, f->file);
    if (f->write == wzp_ct_report_html) {
        keep_body(got);
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    if (getenv("WZP_WRITE_GOLDEN") != NULL) {
        FILE *out = fopen(path, "wb");
        ck_assert_ptr_nonnull(out);
        (void)fputs(got, out);
        (void)fclose(out);
    }
    char *want = read_file(path);
    size_t same = 0;
    while (got[same] != '\0' && got[same] == want[same]) {
        same++;
    }
    ck_assert_msg(strcmp(got, want) == 0, "%s differs from byte %zu on: '%.40s'", f->file, same,
                  got + same);
    free(want);
    free(got);
}
END_TEST

/* Nothing that a relay says reaches a terminal or a viewer as a command. */
START_TEST(shows_only_text) {
    const struct format *f = &formats[_i];
    char *text = written(f->write, wzp_ct_sample_report());
    const bool coloured = f->write == write_colour;
    for (const char *p = text; *p != '\0';) {
        const char *before = p;
        const uint32_t c = wzp_ct_text_next(&p);
        const bool broken = c == 0xfffd && p - before != 3;
        ck_assert_msg(!broken, "%s: broken UTF-8 at %zu", f->file, (size_t)(before - text));
        const bool control = (c < 0x20 && c != '\n') || c == 0x7f;
        ck_assert_msg(!control || (coloured && c == 0x1b), "%s: control character at %zu", f->file,
                      (size_t)(before - text));
    }
    ck_assert_ptr_null(strstr(text, "\033[31mred"));
    ck_assert_ptr_null(strstr(text, "\nnot ok 99"));
    free(text);
}
END_TEST

START_TEST(junit_is_well_formed) {
    char why[160] = "";
    char *text = written(wzp_ct_report_junit, wzp_ct_sample_report());
    ck_assert_msg(wzp_ct_markup_ok(text, false, why), "%s", why);
    free(text);
}
END_TEST

START_TEST(page_is_well_formed) {
    char why[160] = "";
    char *text = written(wzp_ct_report_html, wzp_ct_sample_report());
    ck_assert_msg(wzp_ct_markup_ok(text, true, why), "%s", why);
    free(text);
}
END_TEST

/* Links lead into the page or to files beside it. */
START_TEST(page_needs_nothing_else) {
    static const char *const never[] = {
        "http://", "https://", "@import", "url(", "src=", "<link", "<img", "<iframe", " onclick"};
    char *text = written(wzp_ct_report_html, wzp_ct_sample_report());
    for (size_t i = 0; i < COUNT_OF(never); i++) {
        ck_assert_msg(strstr(text, never[i]) == NULL, "the page has %s", never[i]);
    }
    for (const char *p = text; (p = strstr(p, "href=\"")) != NULL;) {
        p += strlen("href=\"");
        const size_t len = strcspn(p, "\"");
        ck_assert_msg(*p == '#' || (memchr(p, ':', len) == NULL && *p != '/'), "link to %.*s",
                      (int)len, p);
    }
    ck_assert_ptr_nonnull(strstr(text, "default-src 'none'"));
    ck_assert_ptr_null(strstr(wzp_ct_page_js, "</script"));
    ck_assert_ptr_null(strstr(wzp_ct_page_css, "</style"));
    free(text);
}
END_TEST

START_TEST(json_fits_its_schema) {
    char why[160] = "";
    json_error_t error;
    json_t *schema = json_load_file(SCHEMA, 0, &error);
    ck_assert_msg(schema != NULL, "schema, line %d: %s", error.line, error.text);
    char *text = written(wzp_ct_report_json, wzp_ct_sample_report());
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(document != NULL, "line %d: %s", error.line, error.text);
    ck_assert_msg(wzp_ct_schema_ok(schema, document, why), "%s", why);
    /* The check itself must notice. */
    json_object_set_new(document, "extra", json_true());
    ck_assert(!wzp_ct_schema_ok(schema, document, why));
    json_object_del(document, "extra");
    json_object_del(document, "replay");
    ck_assert(!wzp_ct_schema_ok(schema, document, why));
    json_decref(document);
    json_decref(schema);
    free(text);
}
END_TEST

/* --- saved reports ---------------------------------------------------------------------------- */

static bool read_text(wzp_ct_saved_report **out, char *text, size_t len, char why[256]) {
    FILE *in = fmemopen(text, len, "rb");
    ck_assert_ptr_nonnull(in);
    const bool ok = wzp_ct_report_read(out, in, why);
    (void)fclose(in);
    return ok;
}

/* What is read back looks the same in every format. */
START_TEST(saved_report_is_the_report) {
    char why[256] = "";
    wzp_ct_saved_report *saved = NULL;
    char *json = written(wzp_ct_report_json, wzp_ct_sample_report());
    ck_assert_msg(read_text(&saved, json, strlen(json), why), "%s", why);
    char *want = written(formats[_i].write, wzp_ct_sample_report());
    char *got = written(formats[_i].write, wzp_ct_saved_report_get(saved));
    size_t same = 0;
    while (got[same] != '\0' && got[same] == want[same]) {
        same++;
    }
    ck_assert_msg(strcmp(got, want) == 0, "%s differs: '%.80s'", formats[_i].file, got + same);
    free(got);
    free(want);
    wzp_ct_saved_report_free(&saved);
    ck_assert_ptr_null(saved);
    free(json);
}
END_TEST

START_TEST(every_prefix_is_refused) {
    wzp_ct_saved_report *saved = NULL;
    char *json = written(wzp_ct_report_json, wzp_ct_sample_report());
    const size_t len = strlen(json);
    for (size_t cut = 1; cut < len - 2; cut += cut < 3000 ? 1 : 997) {
        char why[256] = "";
        ck_assert_msg(!read_text(&saved, json, cut, why), "accepted after %zu bytes", cut);
        ck_assert_str_ne(why, "");
    }
    free(json);
}
END_TEST

/* One change each to a good report. */
static const struct damage {
    const char *name, *from, *to, *why;
} damages[] = {
    {"another document", "\"wzp-conformance\"", "\"other\"", "suite: expected \"wzp-conformance\""},
    {"a later version", "\"schema\": 1", "\"schema\": 2", "schema: only version 1 is known"},
    {"no number", "\"duration_s\": 61.25", "\"duration_s\": \"long\"",
     "duration_s: expected a number"},
    {"negative count", "\"jobs\": 48", "\"jobs\": -1",
     "profile.jobs: expected a whole number from 0"},
    {"huge count", "\"jobs\": 48", "\"jobs\": 4294967296",
     "profile.jobs: expected a number of at most 32 bits"},
    {"unknown mode", "\"detected_mode\": \"observe\"", "\"detected_mode\": \"x\"",
     "target.detected_mode: not one of the known names"},
    {"unknown grade", "\"result\": \"PASS\"", "\"result\": \"pass\"",
     "cases[0].result: not one of the known names"},
    {"unknown reason", "\"reason\": \"not-closed\"", "\"reason\": \"not-close\"",
     "cases[2].reason: not one of the known reasons"},
    {"run that is not there", "\"deciding_run\": 0", "\"deciding_run\": 3",
     "cases[0].deciding_run: there are fewer runs"},
    {"unknown lane", "\"lane\": \"subject\"", "\"lane\": \"sender\"",
     "cases[0].runs[0].lane: not one of the known names"},
    {"runs are an object", "\"runs\": [", "\"runs\": 1, \"gone\": [",
     "cases[0].runs: expected an array"},
    {"same key twice", "\"schema\": 1", "\"schema\": 1, \"schema\": 1",
     "line 3, column 22: duplicate object key near '\"schema\"'"},
};

START_TEST(damage_is_named) {
    const struct damage *d = &damages[_i];
    char why[256] = "";
    wzp_ct_saved_report *saved = NULL;
    char *json = written(wzp_ct_report_json, wzp_ct_sample_report());
    char *at = strstr(json, d->from);
    ck_assert_msg(at != NULL, "%s: '%s' is not in the report", d->name, d->from);
    char *text = malloc(strlen(json) + 64);
    const int len = sprintf(text, "%.*s%s%s", (int)(at - json), json, d->to, at + strlen(d->from));
    ck_assert_msg(!read_text(&saved, text, (size_t)len, why), "%s: accepted", d->name);
    ck_assert_msg(strcmp(why, d->why) == 0, "%s: '%s'", d->name, why);
    free(text);
    free(json);
}
END_TEST

/* --- rates ------------------------------------------------------------------------------------ */

START_TEST(rates_of_the_sample) {
    const wzp_ct_report *r = wzp_ct_sample_report();
    wzp_ct_rates n;
    wzp_ct_rates_of(&n, r->cases, wzp_ct_chapter_end(r, 0));
    ck_assert_uint_eq(n.cases, 4);
    ck_assert_uint_eq(n.abuse, 3);
    ck_assert_uint_eq(n.caught, 1);
    ck_assert_uint_eq(n.legit, 1);
    ck_assert_uint_eq(n.hurt, 0);
    ck_assert_uint_eq(n.looks[WZP_CT_LOOK_WARNING], 1);
    ck_assert_uint_eq(n.hangups, 6);
    ck_assert_double_eq_tol(n.median_s, 1.48, 1e-9); /* 0.98 1.23 1.48 | 3.5 3.75 4 */
    ck_assert_double_eq_tol(n.p95_s, 4.0, 1e-9);
    wzp_ct_rates_of(&n, NULL, 0);
    ck_assert_uint_eq(n.cases, 0);
    ck_assert_uint_eq(n.hangups, 0);
}
END_TEST

START_TEST(empty_report) {
    const wzp_ct_report empty = {.suite_version = "", .build_hash = ""};
    char *text = written(formats[_i].write, &empty);
    ck_assert_str_ne(text, "");
    free(text);
}
END_TEST

/* --- text ------------------------------------------------------------------------------------- */

static const struct text_case {
    const char *name, *text, *clean;
} text_cases[] = {
    {"plain", "abc", "abc"},
    {"two, three, four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
     "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"cut character", "a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd"},
    {"overlong", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"overlong, three bytes", "\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"past the last character", "\xf4\x90\x80\x80",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"noncharacter", "\xef\xbf\xbe", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"does not fit", "aaaaaaaaaaaaaaaaaaaaaa\xc3\xa9", "aaaaaaaaaaaaaaaaaaaaaa"},
};

START_TEST(clean_text) {
    char out[24];
    wzp_ct_text_clean(out, sizeof out, text_cases[_i].text);
    ck_assert_msg(strcmp(out, text_cases[_i].clean) == 0, "%s: '%s'", text_cases[_i].name, out);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("report");
    tcase_add_loop_test(tc, looks_as_expected, 0, (int)COUNT_OF(formats));
    tcase_add_loop_test(tc, shows_only_text, 0, (int)COUNT_OF(formats));
    tcase_add_test(tc, junit_is_well_formed);
    tcase_add_test(tc, page_is_well_formed);
    tcase_add_test(tc, page_needs_nothing_else);
    tcase_add_test(tc, json_fits_its_schema);
    tcase_add_loop_test(tc, saved_report_is_the_report, 0, (int)COUNT_OF(formats));
    tcase_add_test(tc, every_prefix_is_refused);
    tcase_add_loop_test(tc, damage_is_named, 0, (int)COUNT_OF(damages));
    tcase_add_test(tc, rates_of_the_sample);
    tcase_add_loop_test(tc, empty_report, 0, (int)COUNT_OF(formats));
    tcase_add_loop_test(tc, clean_text, 0, (int)COUNT_OF(text_cases));
    return wzp_run_suite("report", tc);
}
