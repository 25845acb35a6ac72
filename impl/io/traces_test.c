#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/sys.h"
#include "io/traces.h"

static char folder[] = "/tmp/wzp-traces-test-XXXXXX";
static char keylog[64], media[64], qlog[64];

static void expect_content(const char *path, const char *want) {
    char text[1024];
    size_t len = 0;
    struct stat st;
    ck_assert_msg(wzp_io_read_file(path, text, sizeof text, &len), "%s: %s", path,
                  wzp_io_reason(errno));
    ck_assert_str_eq(text, want);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
}

static const char *qlog_path(const char *name) {
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", qlog, name);
    return path;
}

static wzp_traces *open_traces(const char *keys, const char *dir) {
    wzp_traces *t = NULL;
    const char *bad = "";
    const wzp_traces_cfg cfg = {.name = "relay", .keylog = keys, .qlog_dir = dir};
    ck_assert_msg(wzp_traces_open(&t, &cfg, &bad) == WZP_OK, "%s", bad);
    return t;
}

START_TEST(secrets_can_be_read_while_they_are_written) {
    wzp_traces *t = open_traces(keylog, NULL);
    wzp_traces_on_keylog(t, 1, "CLIENT_TRAFFIC_SECRET_0 00 11");
    wzp_traces_on_keylog(t, 2, "EXPORTER_SECRET 22 33");
    expect_content(keylog, "CLIENT_TRAFFIC_SECRET_0 00 11\nEXPORTER_SECRET 22 33\n");
    wzp_traces_on_qlog(t, 1, wzp_bytes_str("nobody asked"), false);
    wzp_traces_close(&t);
    ck_assert_ptr_null(t);
    wzp_traces_close(&t);
}
END_TEST

/* Whoever made the file let others read it. */
START_TEST(secrets_are_added_to_those_of_others) {
    FILE *theirs = fopen(keylog, "we");
    ck_assert_ptr_nonnull(theirs);
    ck_assert(fputs("EXPORTER_SECRET 44 55\n", theirs) >= 0 && fclose(theirs) == 0);
    ck_assert_int_eq(chmod(keylog, 0644), 0);
    wzp_traces *t = open_traces(keylog, NULL);
    wzp_traces_on_keylog(t, 1, "EXPORTER_SECRET 22 33");
    wzp_traces_close(&t);
    expect_content(keylog, "EXPORTER_SECRET 44 55\nEXPORTER_SECRET 22 33\n");
}
END_TEST

#define RANDOM_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define RANDOM_B "f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_HEX "abababababababababababababababababababababababababababababababab"

START_TEST(media_keys_name_their_connection) {
    wzp_traces *t = NULL;
    wzp_traces *other = NULL;
    const char *bad = "";
    const wzp_traces_cfg cfg = {.name = "client", .media_keys = media};
    uint8_t key[32];
    memset(key, 0xab, sizeof key);
    ck_assert_msg(wzp_traces_open(&t, &cfg, &bad) == WZP_OK, "%s", bad);
    ck_assert_int_eq(wzp_traces_share(&other, t, "other"), WZP_OK);
    wzp_traces_on_keylog(t, 1, "CLIENT_TRAFFIC_SECRET_0 " RANDOM_A " 11");
    wzp_traces_on_keylog(t, 2, "CLIENT_TRAFFIC_SECRET_0 " RANDOM_B " 22");
    wzp_traces_on_keylog(t, 2, "SERVER_TRAFFIC_SECRET_0 " RANDOM_B " 33");
    wzp_traces_on_media_key(t, 2, 0, key);
    wzp_traces_on_media_key(t, 1, 7, key);
    wzp_traces_on_media_key(other, 3, 0, key);
    wzp_traces_close(&other);
    wzp_traces_close(&t);
    expect_content(media, "WZP_MEDIA_KEY " RANDOM_B " 0 " KEY_HEX "\n"
                          "WZP_MEDIA_KEY " RANDOM_A " 7 " KEY_HEX "\n"
                          "WZP_MEDIA_KEY * 0 " KEY_HEX "\n");
}
END_TEST

START_TEST(each_connection_has_its_file) {
    wzp_traces *t = open_traces(NULL, qlog);
    wzp_traces_on_keylog(t, 1, "nobody asked");
    wzp_traces_on_qlog(t, 1, wzp_bytes_str("a1"), false);
    wzp_traces_on_qlog(t, 0xabc, wzp_bytes_str("b1"), false);
    wzp_traces_on_qlog(t, 1, wzp_bytes_str("a2"), true);
    expect_content(qlog_path("relay-0000000000000001.sqlog"), "a1a2");
    wzp_traces_on_qlog(t, 0xabc, wzp_bytes_str("b2"), false);
    wzp_traces_close(&t);
    expect_content(qlog_path("relay-0000000000000abc.sqlog"), "b1b2");
}
END_TEST

START_TEST(a_file_is_named_by_the_first_id) {
    wzp_traces *t = open_traces(NULL, qlog);
    wzp_traces_on_qlog(t, 5, wzp_bytes_str("{\"group_id\":\"0aBc\"}"), false);
    wzp_traces_on_qlog(t, 5, wzp_bytes_str("x"), true);
    wzp_traces_on_qlog(t, 6, wzp_bytes_str("{\"group_id\":\"../x\"}"), true);
    wzp_traces_on_qlog(t, 7, wzp_bytes_str("{\"group_id\":\"ab"), true);
    wzp_traces_close(&t);
    expect_content(qlog_path("relay-0aBc.sqlog"), "{\"group_id\":\"0aBc\"}x");
    expect_content(qlog_path("relay-0000000000000006.sqlog"), "{\"group_id\":\"../x\"}");
    expect_content(qlog_path("relay-ab.sqlog"), "{\"group_id\":\"ab");
}
END_TEST

START_TEST(more_connections_than_files_are_counted) {
    wzp_traces *t = open_traces(NULL, qlog);
    for (wzp_quic_conn conn = 1; conn <= 600; conn++) {
        wzp_traces_on_qlog(t, conn, wzp_bytes_str("x"), false);
        wzp_traces_on_qlog(t, conn, wzp_bytes_str("y"), false);
    }
    ck_assert_uint_eq(wzp_traces_lost(t), 600 - 512);
    wzp_traces_close(&t);
}
END_TEST

START_TEST(places_that_cannot_be_used_are_named) {
    wzp_traces *t = NULL;
    const char *bad = NULL;
    const wzp_traces_cfg keys = {.name = "x", .keylog = "/tmp/no/such/keys"};
    const wzp_traces_cfg dir = {.name = "x", .keylog = keylog, .qlog_dir = "/tmp/no/such/qlog"};
    const wzp_traces_cfg keys_of_media = {
        .name = "x", .keylog = keylog, .media_keys = "/tmp/no/such/mk"};
    ck_assert_int_eq(wzp_traces_open(&t, &keys, &bad), WZP_ERR_IO);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_str_eq(bad, "/tmp/no/such/keys");
    ck_assert_int_eq(wzp_traces_open(&t, &dir, &bad), WZP_ERR_IO);
    ck_assert_str_eq(bad, "/tmp/no/such/qlog");
    ck_assert_int_eq(wzp_traces_open(&t, &keys_of_media, &bad), WZP_ERR_IO);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_str_eq(bad, "/tmp/no/such/mk");
    ck_assert_ptr_null(t);
}
END_TEST

int main(void) {
    if (mkdtemp(folder) == NULL) {
        return EXIT_FAILURE;
    }
    (void)snprintf(keylog, sizeof keylog, "%s/keys", folder);
    (void)snprintf(media, sizeof media, "%s/media", folder);
    (void)snprintf(qlog, sizeof qlog, "%s/qlog", folder);
    Suite *suite = suite_create("traces");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, secrets_can_be_read_while_they_are_written);
    tcase_add_test(tc, secrets_are_added_to_those_of_others);
    tcase_add_test(tc, media_keys_name_their_connection);
    tcase_add_test(tc, each_connection_has_its_file);
    tcase_add_test(tc, a_file_is_named_by_the_first_id);
    tcase_add_test(tc, more_connections_than_files_are_counted);
    tcase_add_test(tc, places_that_cannot_be_used_are_named);
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
