#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/testing/suite.h"
#include "io/toml.h"

static wzp_err parse(wzp_toml *out, const char *text, char why[WZP_TOML_WHY_MAX]) {
    return wzp_toml_parse(out, text, strlen(text), "f.toml", why);
}

static const char relay[] = "# a relay\n"
                            "listen_addr = \"192.0.2.10:4433\"\n"
                            "max_sessions = 200\n"
                            "probe_mesh = true\n"
                            "loss = 0.5\n"
                            "since = 2026-05-25T12:00:00Z\n"
                            "day = 2026-05-25\n"
                            "probe_targets = [\n"
                            "  \"a\",\n"
                            "  \"b\"]\n"
                            "[[peers]]\n"
                            "url = \"x\"\n"
                            "[[peers]]\n"
                            "url = \"y\"\n"
                            "label = \"Relay \\u00fc\"\n"
                            "[a.b]\n"
                            "c = -9223372036854775808\n";

static const struct line_case {
    const char *path;
    unsigned line;
} line_cases[] = {
    {"listen_addr", 2},
    {"max_sessions", 3},
    {"probe_targets", 8},
    {"probe_targets[1]", 10},
    {"peers[0].url", 12},
    {"peers[1]", 13},
    {"peers[1].url", 14},
    {"peers[1].label", 15},
    {"a.b.c", 17},
    {"a.b.d", 0},
    {"", 0},
};

START_TEST(values_and_their_lines) {
    wzp_toml t = {0};
    char why[WZP_TOML_WHY_MAX];
    ck_assert_msg(parse(&t, relay, why) == WZP_OK, "%s", why);
    for (size_t i = 0; i < WZP_COUNT_OF(line_cases); i++) {
        const unsigned line = wzp_toml_line(&t, line_cases[i].path);
        ck_assert_msg(line == line_cases[i].line, "%s: line %u", line_cases[i].path, line);
    }
    char *text = json_dumps(t.tree, JSON_COMPACT | JSON_SORT_KEYS);
    ck_assert_str_eq(text,
                     "{\"a\":{\"b\":{\"c\":-9223372036854775808}},\"day\":\"2026-05-25\","
                     "\"listen_addr\":\"192.0.2.10:4433\",\"loss\":0.5,\"max_sessions\":200,"
                     "\"peers\":[{\"url\":\"x\"},{\"label\":\"Relay \xc3\xbc\",\"url\":\"y\"}],"
                     "\"probe_mesh\":true,\"probe_targets\":[\"a\",\"b\"],"
                     "\"since\":\"2026-05-25T12:00:00Z\"}");
    free(text);
    wzp_toml_clear(&t);
    ck_assert_ptr_null(t.tree);
    wzp_toml_clear(&t);
}
END_TEST

static const struct bad_case {
    const char *name, *text, *where;
} bad_cases[] = {
    {"no value", "a = 1\nb =\n", "f.toml:2:"},
    {"twice", "a = 1\na = 2\n", "f.toml:2:"},
    {"open string", "x = \"abc", "f.toml:1:"},
    {"open table", "\n\n[x\n", "f.toml:3:"},
    {"not UTF-8", "a = 1\nb = \"\xff\"\n", "f.toml:2:"},
    {"infinite", "a = 1\nb = inf\n", "f.toml:2:5: expected a finite number"},
    {"not a number, deep inside", "[t]\na = [1, [2, nan]]\n", "f.toml:2:"},
    {"integer past 64 bits", "a = 9223372036854775808\n", "f.toml:1:"},
    {"zero byte in a key", "\"a\\u0000b\" = 1\n", ""},
};

START_TEST(errors_name_file_line_and_column) {
    const struct bad_case *c = &bad_cases[_i];
    wzp_toml t = {0};
    char why[WZP_TOML_WHY_MAX] = "";
    const wzp_err err = parse(&t, c->text, why);
    if (*c->where == '\0') { /* accepted or refused, but whole */
        wzp_toml_clear(&t);
        return;
    }
    ck_assert_msg(err == WZP_ERR_PARSE, "%s: %s", c->name, wzp_err_name(err));
    ck_assert_msg(strncmp(why, c->where, strlen(c->where)) == 0, "%s: %s", c->name, why);
    ck_assert_ptr_null(strchr(why, '\n'));
    ck_assert_ptr_null(t.tree);
}
END_TEST

START_TEST(every_prefix_is_parsed_or_refused) {
    for (size_t len = 0; len < sizeof relay; len++) {
        wzp_toml t = {0};
        char why[WZP_TOML_WHY_MAX];
        const wzp_err err = wzp_toml_parse(&t, relay, len, "f", why);
        ck_assert((err == WZP_OK) == (t.tree != NULL));
        wzp_toml_clear(&t);
    }
}
END_TEST

START_TEST(nesting_is_bounded) {
    static char text[200001] = "a = ";
    wzp_toml t = {0};
    char why[WZP_TOML_WHY_MAX];
    memset(text + 4, '[', sizeof text - 5);
    ck_assert_int_eq(parse(&t, text, why), WZP_ERR_PARSE);
    ck_assert_int_eq(strncmp(why, "f.toml:1:", 9), 0);
}
END_TEST

START_TEST(files_are_read_and_their_absence_is_told) {
    char path[] = "/tmp/wzp-toml-test-XXXXXX";
    wzp_toml t = {0};
    char why[WZP_TOML_WHY_MAX];
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "a = 1\n", 6), 6);
    close(fd);
    ck_assert_int_eq(wzp_toml_load(&t, path, why), WZP_OK);
    ck_assert_int_eq(json_integer_value(json_object_get(t.tree, "a")), 1);
    wzp_toml_clear(&t);
    unlink(path);
    ck_assert_int_eq(wzp_toml_load(&t, path, why), WZP_ERR_IO);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_ptr_nonnull(strstr(why, path));
    ck_assert_int_eq(wzp_toml_load(&t, "/tmp", why), WZP_ERR_IO);
    ck_assert_ptr_nonnull(strstr(why, "directory"));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, values_and_their_lines);
    tcase_add_loop_test(tc, errors_name_file_line_and_column, 0, WZP_COUNT_OF(bad_cases));
    tcase_add_test(tc, every_prefix_is_parsed_or_refused);
    tcase_add_test(tc, nesting_is_bounded);
    tcase_add_test(tc, files_are_read_and_their_absence_is_told);
    return wzp_run_suite("toml", tc);
}
