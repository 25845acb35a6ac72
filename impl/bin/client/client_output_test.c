#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "bin/client/client_output.h"

/* A reader that stands still costs lines, not time: in a pipe that is full nothing is written and
 * nothing waits, and once it was read there is room again. */
START_TEST(full_pipe) {
    static char line[300];
    int pipe_of[2];
    size_t written = 0;
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    ck_assert(pipe(pipe_of) == 0);
    while (written < 100000 && wzp_client_write_line(pipe_of[1], line, sizeof line, 0)) {
        written++;
    }
    ck_assert_msg(written > 10 && written < 100000, "%zu lines", written);
    ck_assert(!wzp_client_write_line(pipe_of[1], line, sizeof line, 10));
    char buf[8192];
    ck_assert(read(pipe_of[0], buf, sizeof buf) > 0);
    ck_assert(wzp_client_write_line(pipe_of[1], line, sizeof line, 0));
    /* Whole lines only. */
    size_t left = 0;
    ck_assert(fcntl(pipe_of[0], F_SETFL, O_NONBLOCK) == 0);
    for (ssize_t n = 0; (n = read(pipe_of[0], buf, sizeof buf)) > 0;) {
        left += (size_t)n;
    }
    ck_assert_uint_eq((left + 8192) % sizeof line, 0);
    (void)close(pipe_of[0]);
    (void)close(pipe_of[1]);
}
END_TEST

START_TEST(too_long) {
    static char line[WZP_CLIENT_LINE_MAX + 1];
    int pipe_of[2];
    ck_assert(pipe(pipe_of) == 0);
    ck_assert(!wzp_client_write_line(pipe_of[1], line, sizeof line, 0));
    ck_assert(wzp_client_write_line(pipe_of[1], line, sizeof line - 1, 0));
    (void)close(pipe_of[0]);
    (void)close(pipe_of[1]);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, full_pipe);
    tcase_add_test(tc, too_long);
    return wzp_run_suite("client_output", tc);
}
