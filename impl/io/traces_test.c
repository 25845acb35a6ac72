#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/sys.h"
#include "io/traces.h"

static char folder[] = "/tmp/wzp-traces-test-XXXXXX";
static char keylog[64], qlog[64];

static void expect_content(const char *path, const char *want) {
    char text[256];
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
    ck_assert_msg(wzp_traces_open(&t, "relay", keys, dir, &bad) == WZP_OK, "%s", bad);
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
    ck_assert_int_eq(wzp_traces_open(&t, "x", "/tmp/no/such/keys", NULL, &bad), WZP_ERR_IO);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_str_eq(bad, "/tmp/no/such/keys");
    ck_assert_int_eq(wzp_traces_open(&t, "x", keylog, "/tmp/no/such/qlog", &bad), WZP_ERR_IO);
    ck_assert_str_eq(bad, "/tmp/no/such/qlog");
    ck_assert_ptr_null(t);
}
END_TEST

int main(void) {
    if (mkdtemp(folder) == NULL) {
        return EXIT_FAILURE;
    }
    (void)snprintf(keylog, sizeof keylog, "%s/keys", folder);
    (void)snprintf(qlog, sizeof qlog, "%s/qlog", folder);
    Suite *suite = suite_create("traces");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, secrets_can_be_read_while_they_are_written);
    tcase_add_test(tc, each_connection_has_its_file);
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
