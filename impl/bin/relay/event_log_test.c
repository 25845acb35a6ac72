#include "bin/relay/event_log.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/sys.h"

static char path[] = "/tmp/wzp-event-log-test-XXXXXX";

/* The line without its leading time. */
static const char *written(void) {
    static char text[4096];
    size_t len = 0;
    ck_assert(wzp_io_read_file(path, text, sizeof text, &len));
    static const char start[] = "{\"ts\":\"2026-05-25T12:00:00.123456Z\"";
    ck_assert_uint_gt(len, sizeof start);
    ck_assert_int_eq(strncmp(text, start, 7), 0);
    ck_assert_int_eq(text[sizeof start - 2], '"');
    return text + sizeof start - 1;
}

static const struct event_case {
    const char *name;
    wzp_relay_event event;
    const char *line;
} event_cases[] = {
    {"join",
     {.event = "join", .room = "general", .peer = "4560:a965", .count = 2},
     ",\"event\":\"join\",\"room\":\"general\",\"peer\":\"4560:a965\",\"participants\":2}\n"},
    {"every field, in the order of the format",
     {.event = "violation",
      .room = "r",
      .peer = "p",
      .reason = "why",
      .codec = "Opus24k",
      .tier = "A",
      .seq = 7,
      .len = 9,
      .count = 1},
     ",\"event\":\"violation\",\"room\":\"r\",\"seq\":7,\"codec\":\"Opus24k\",\"len\":9,\"peer\":"
     "\"p\","
     "\"reason\":\"why\",\"tier\":\"A\",\"participants\":1}\n"},
    {"text that would break a line",
     {.event = "join_refused", .room = "a\"b\\c\nd\x80", .reason = "\x1b[31m"},
     ",\"event\":\"join_refused\",\"room\":\"a?b?c?d?\",\"reason\":\"?[31m\"}\n"},
};

START_TEST(lines) {
    const struct event_case *c = &event_cases[_i];
    wzp_event_log *log = NULL;
    wzp_relay_event event = c->event;
    event.at = wzp_io_now();
    ck_assert_int_eq(wzp_event_log_open(&log, path), WZP_OK);
    wzp_event_log_write(log, &event);
    ck_assert(wzp_event_log_flush(log));
    ck_assert_msg(strcmp(written(), c->line) == 0, "%s: %s", c->name, written());
    wzp_event_log_close(&log);
    ck_assert_ptr_null(log);
    json_error_t error;
    json_t *line = json_load_file(path, 0, &error);
    ck_assert_msg(line != NULL, "%s: %s", c->name, error.text);
    json_decref(line);
}
END_TEST

START_TEST(no_file) {
    wzp_event_log *log = NULL;
    ck_assert_int_eq(wzp_event_log_open(&log, "/tmp/no/such/file"), WZP_ERR_IO);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(a_full_disk) {
    wzp_event_log *log = NULL;
    const wzp_relay_event event = {.event = "join"};
    ck_assert_int_eq(wzp_event_log_open(&log, "/dev/full"), WZP_OK);
    ck_assert(wzp_event_log_flush(log));
    for (int i = 0; i < 2; i++) {
        wzp_event_log_write(log, &event);
        ck_assert(!wzp_event_log_flush(log));
        ck_assert_int_eq(errno, ENOSPC);
    }
    ck_assert_uint_eq(wzp_event_log_lost(log), 0); /* they wait */
    wzp_event_log_close(&log);
}
END_TEST

/* Numbers of the lines of the file, all of which must be whole. */
static size_t count_lines(size_t *last) {
    json_error_t error;
    size_t count = 0;
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    for (json_t *line; (line = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error)) != NULL;) {
        const size_t number = (size_t)json_integer_value(json_object_get(line, "seq"));
        ck_assert_uint_gt(number, *last);
        *last = number;
        count++;
        json_decref(line);
    }
    ck_assert_msg(json_error_code(&error) == json_error_premature_end_of_input, "%s", error.text);
    (void)fclose(file);
    return count;
}

/* The disk fills up in the middle of a line, and later there is room again. */
START_TEST(a_disk_that_has_room_again) {
    enum { EVENTS = 1000, FULL_AT = 5000 };
    wzp_event_log *log = NULL;
    wzp_relay_event event = {.event = "join", .room = "general", .seq = 1};
    struct rlimit limit;
    ck_assert_int_eq(wzp_event_log_open(&log, path), WZP_OK);
    (void)signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const struct rlimit full = {FULL_AT, limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
    for (; event.seq <= EVENTS; event.seq++) {
        event.at = wzp_io_now();
        wzp_event_log_write(log, &event);
    }
    const bool written = wzp_event_log_flush(log);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(!written);
    const uint64_t lost = wzp_event_log_lost(log);
    ck_assert_uint_gt(lost, 0);
    ck_assert(wzp_event_log_flush(log));
    event.seq = EVENTS + 1;
    wzp_event_log_write(log, &event);
    ck_assert(wzp_event_log_flush(log));
    size_t last = 0;
    ck_assert_uint_eq(count_lines(&last), EVENTS + 1 - lost);
    ck_assert_uint_eq(last, EVENTS + 1);
    ck_assert_uint_eq(wzp_event_log_lost(log), lost);
    wzp_event_log_close(&log);
}
END_TEST

/* One line whose reason has so many letters. */
static void write_line(wzp_event_log *log, size_t letters) {
    wzp_relay_event event = {.event = "e", .at = wzp_io_now()};
    memset(event.reason, 'r', letters);
    wzp_event_log_write(log, &event);
}

static size_t file_size(void) {
    static char text[65536];
    size_t len = 0;
    ck_assert(wzp_io_read_file(path, text, sizeof text, &len));
    return len;
}

/* What is kept until the next flush fills its memory to the last byte. */
START_TEST(memory_that_is_full) {
    enum { KEPT = 16384, LETTERS = 100 };
    wzp_event_log *log = NULL;
    ck_assert_int_eq(wzp_event_log_open(&log, path), WZP_OK);
    write_line(log, LETTERS);
    wzp_event_log_close(&log);
    const size_t len = file_size();
    const size_t even = KEPT / len - 1;
    const size_t rest = KEPT - even * len; /* one to two lines */
    ck_assert_int_eq(wzp_event_log_open(&log, path), WZP_OK);
    for (size_t i = 0; i < even; i++) {
        write_line(log, LETTERS);
    }
    write_line(log, LETTERS - (len - rest / 2));
    write_line(log, LETTERS - (len - (rest - rest / 2)));
    write_line(log, 1);
    write_line(log, 2);
    ck_assert_uint_eq(wzp_event_log_lost(log), 0);
    wzp_event_log_close(&log);
    ck_assert_uint_eq(file_size(), KEPT + 2 * (len - LETTERS) + 3);
}
END_TEST

int main(void) {
    const int fd = mkstemp(path);
    if (fd < 0) {
        return EXIT_FAILURE;
    }
    close(fd);
    Suite *suite = suite_create("event_log");
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, lines, 0, WZP_COUNT_OF(event_cases));
    tcase_add_test(tc, no_file);
    tcase_add_test(tc, memory_that_is_full);
    tcase_add_test(tc, a_full_disk);
    tcase_add_test(tc, a_disk_that_has_room_again);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    unlink(path);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
