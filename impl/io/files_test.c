/* Files, identities and clocks in a folder of their own under /tmp. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files.h"
#include "io/identity_file.h"
#include "io/log_sink.h"
#include "io/sys.h"

static char folder[] = "/tmp/wzp-files-test-XXXXXX";

static const char *in_folder(const char *name) {
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put(const char *path, const char *text, mode_t mode) {
    unlink(path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void expect_content(const char *path, const char *want) {
    char text[256];
    size_t len = 0;
    ck_assert(wzp_io_read_file(path, text, sizeof text, &len));
    ck_assert_str_eq(text, want);
}

static mode_t mode_of(const char *path) {
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    return st.st_mode & 0777;
}

/* --- files ------------------------------------------------------------------------------------ */

START_TEST(files_are_replaced_whole) {
    const char *path = in_folder("report");
    ck_assert_int_eq(wzp_io_write_atomic(path, wzp_bytes_str("one"), 0644), WZP_OK);
    ck_assert_int_eq(wzp_io_write_atomic(path, wzp_bytes_str("two"), 0644), WZP_OK);
    expect_content(path, "two");
    ck_assert_int_eq(wzp_io_write_atomic(in_folder("no/such"), wzp_bytes_str("x"), 0644),
                     WZP_ERR_IO);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(wzp_io_write_atomic(folder, wzp_bytes_str("x"), 0644), WZP_ERR_IO);
    ck_assert_int_eq(errno, EISDIR);
}
END_TEST

/* Of one that had our number and died while it wrote. */
START_TEST(leftovers_are_replaced) {
    char leftover[300];
    const char *path = in_folder("list");
    (void)snprintf(leftover, sizeof leftover, "%s.%ld.new", path, (long)getpid());
    put(leftover, "half of it", 0600);
    ck_assert_int_eq(wzp_io_write_atomic(path, wzp_bytes_str("all of it"), 0600), WZP_OK);
    expect_content(path, "all of it");
    ck_assert_int_ne(access(leftover, F_OK), 0);
}
END_TEST

START_TEST(a_file_longer_than_allowed_is_not_read) {
    char text[5];
    size_t len = 0;
    const char *path = in_folder("long");
    put(path, "1234", 0600);
    ck_assert(wzp_io_read_file(path, text, sizeof text, &len));
    ck_assert_uint_eq(len, 4);
    put(path, "12345", 0600);
    ck_assert(!wzp_io_read_file(path, text, sizeof text, &len));
    ck_assert_int_eq(errno, EFBIG);
}
END_TEST

START_TEST(home_path_falls_back_to_here) {
    char path[64];
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    setenv("HOME", "/home/x", 1);
    ck_assert_int_eq(wzp_io_home_path(path, sizeof path, "relay-identity"), WZP_OK);
    ck_assert_str_eq(path, "/home/x/.wzp/relay-identity");
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    unsetenv("HOME");
    ck_assert_int_eq(wzp_io_home_path(path, sizeof path, "relay-identity"), WZP_OK);
    ck_assert_str_eq(path, "./.wzp/relay-identity");
    ck_assert_int_eq(wzp_io_home_path(path, 8, "relay-identity"), WZP_ERR_OVERFLOW);
}
END_TEST

/* --- identities ------------------------------------------------------------------------------- */

#define DIGITS "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const struct identity_case {
    const char *name, *content;
    wzp_err want;
    const char *why;
} identity_cases[] = {
    {"as written", DIGITS, WZP_OK, ""},
    {"white space around it", "\n  " DIGITS "\r\n", WZP_OK, ""},
    {"upper case", "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", WZP_OK, ""},
    {"empty", "", WZP_ERR_PARSE, "found 0 characters"},
    {"cut", "000102", WZP_ERR_PARSE, "found 6 characters"},
    {"one digit more", DIGITS "0", WZP_ERR_PARSE, "found 65 characters"},
    {"another character", " 000102030405060708090a0b0c0d0e0f10111213141516171819la1b1c1d1e1f",
     WZP_ERR_PARSE, "offset 53"},
    {"a longer file", DIGITS DIGITS DIGITS DIGITS DIGITS, WZP_ERR_PARSE, "longer file"},
};

START_TEST(identity_files) {
    const struct identity_case *c = &identity_cases[_i];
    uint8_t seed[32] = {0};
    char why[WZP_IDENTITY_WHY_MAX] = "";
    wzp_identity_origin origin;
    const char *path = in_folder("identity");
    put(path, c->content, 0600);
    const wzp_err err =
        wzp_identity_file_load(seed, path, WZP_IDENTITY_KEEP, wzp_io_rng(), &origin, why);
    ck_assert_msg(err == c->want, "%s: %s", c->name, wzp_err_name(err));
    ck_assert_msg(strstr(why, c->why) != NULL, "%s: %s", c->name, why);
    if (err == WZP_OK) {
        ck_assert_int_eq(origin, WZP_IDENTITY_READ);
        for (uint8_t i = 0; i < 32; i++) {
            ck_assert_uint_eq(seed[i], i);
        }
    } else {
        ck_assert_ptr_nonnull(strstr(why, path));
        char text[512];
        size_t len = 0;
        ck_assert(wzp_io_read_file(path, text, sizeof text, &len));
        ck_assert_msg(strcmp(text, c->content) == 0, "%s: the file was changed", c->name);
        ck_assert_int_eq(wzp_identity_file_load(seed, path, WZP_IDENTITY_REPLACE_BAD, wzp_io_rng(),
                                                &origin, why),
                         WZP_OK);
        ck_assert_int_eq(origin, WZP_IDENTITY_RENEWED);
        ck_assert(wzp_io_read_file(in_folder("identity.bad"), text, sizeof text, &len));
        ck_assert_msg(strcmp(text, c->content) == 0, "%s: the old file was not kept", c->name);
        path = in_folder("identity");
    }
    uint8_t again[32];
    ck_assert_int_eq(
        wzp_identity_file_load(again, path, WZP_IDENTITY_REPLACE_BAD, wzp_io_rng(), &origin, why),
        WZP_OK);
    ck_assert_int_eq(origin, WZP_IDENTITY_READ);
    ck_assert_mem_eq(again, seed, 32);
}
END_TEST

START_TEST(a_missing_identity_is_made_for_the_owner_only) {
    uint8_t made[32];
    uint8_t again[32];
    char why[WZP_IDENTITY_WHY_MAX] = "";
    wzp_identity_origin origin;
    const char *path = in_folder("new/folder/identity");
    ck_assert_int_eq(
        wzp_identity_file_load(made, path, WZP_IDENTITY_KEEP, wzp_io_rng(), &origin, why), WZP_OK);
    ck_assert_int_eq(origin, WZP_IDENTITY_MADE);
    ck_assert_int_eq(mode_of(path), 0600);
    ck_assert_int_eq(
        wzp_identity_file_load(again, path, WZP_IDENTITY_KEEP, wzp_io_rng(), &origin, why), WZP_OK);
    ck_assert_int_eq(origin, WZP_IDENTITY_READ);
    ck_assert_mem_eq(made, again, 32);
    ck_assert_int_eq(
        wzp_identity_file_load(again, path, WZP_IDENTITY_REPLACE, wzp_io_rng(), &origin, why),
        WZP_OK);
    ck_assert_int_eq(origin, WZP_IDENTITY_MADE);
    ck_assert_mem_ne(made, again, 32);
    ck_assert_int_eq(mode_of(path), 0600);
}
END_TEST

START_TEST(an_identity_that_others_can_read_is_told) {
    uint8_t seed[32];
    char why[WZP_IDENTITY_WHY_MAX] = "";
    wzp_identity_origin origin;
    const char *path = in_folder("open");
    put(path, DIGITS, 0600);
    ck_assert_int_eq(chmod(path, 0644), 0);
    ck_assert_int_eq(
        wzp_identity_file_load(seed, path, WZP_IDENTITY_KEEP, wzp_io_rng(), &origin, why), WZP_OK);
    ck_assert_int_eq(origin, WZP_IDENTITY_EXPOSED);
}
END_TEST

START_TEST(an_unusable_place_is_told) {
    uint8_t seed[32];
    char why[WZP_IDENTITY_WHY_MAX] = "";
    wzp_identity_origin origin;
    ck_assert_int_eq(
        wzp_identity_file_load(seed, folder, WZP_IDENTITY_KEEP, wzp_io_rng(), &origin, why),
        WZP_ERR_IO);
    ck_assert_ptr_nonnull(strstr(why, "cannot be read: Is a directory"));
    put(in_folder("plain"), "", 0600);
    ck_assert_int_eq(wzp_identity_file_load(seed, in_folder("plain/identity"), WZP_IDENTITY_REPLACE,
                                            wzp_io_rng(), &origin, why),
                     WZP_ERR_IO);
    ck_assert_ptr_nonnull(strstr(why, "cannot be written: Not a directory"));
}
END_TEST

/* --- clocks, randomness, log ------------------------------------------------------------------ */

START_TEST(clocks_advance) {
    char text[40];
    const wzp_time a = wzp_io_now();
    usleep(2000);
    ck_assert_uint_ge(wzp_io_now() - a, 2 * WZP_MS);
    wzp_io_rfc3339(text);
    ck_assert_uint_eq(strlen(text), strlen("2026-05-25T12:00:00.123456Z"));
    ck_assert_int_eq(text[10], 'T');
    ck_assert_int_eq(text[26], 'Z');
}
END_TEST

START_TEST(randomness_differs) {
    uint8_t a[300] = {0};
    uint8_t b[300] = {0};
    wzp_rng_fill(wzp_io_rng(), a, sizeof a);
    wzp_rng_fill(wzp_io_rng(), b, sizeof b);
    ck_assert_mem_ne(a, b, sizeof a);
}
END_TEST

START_TEST(log_levels_have_names) {
    wzp_log_level level = WZP_LOG_INFO;
    ck_assert(wzp_log_level_parse("error", &level));
    ck_assert_int_eq(level, WZP_LOG_ERROR);
    ck_assert(wzp_log_level_parse("trace", &level));
    ck_assert_int_eq(level, WZP_LOG_DEBUG);
    ck_assert(!wzp_log_level_parse("loud", &level));
    ck_assert_int_eq(level, WZP_LOG_DEBUG);
    const wzp_log log = wzp_log_stderr(WZP_LOG_WARN);
    ck_assert_int_eq(log.max, WZP_LOG_WARN);
}
END_TEST

int main(void) {
    if (mkdtemp(folder) == NULL) {
        return EXIT_FAILURE;
    }
    umask(022);
    Suite *suite = suite_create("files");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, files_are_replaced_whole);
    tcase_add_test(tc, leftovers_are_replaced);
    tcase_add_test(tc, a_file_longer_than_allowed_is_not_read);
    tcase_add_test(tc, home_path_falls_back_to_here);
    tcase_add_loop_test(tc, identity_files, 0, WZP_COUNT_OF(identity_cases));
    tcase_add_test(tc, a_missing_identity_is_made_for_the_owner_only);
    tcase_add_test(tc, an_identity_that_others_can_read_is_told);
    tcase_add_test(tc, an_unusable_place_is_told);
    tcase_add_test(tc, clocks_advance);
    tcase_add_test(tc, randomness_differs);
    tcase_add_test(tc, log_levels_have_names);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    return system(command) == 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
