#include "sim/bin/workers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing/suite.h"

enum { JOBS = 200 };

typedef struct tally {
    unsigned done[JOBS], lost[JOBS];
    char why[96];
    size_t longest;
} tally;

/* Every 20th dies of a signal, every 30th ends by itself, one line is long. */
static char *work(void *ctx, size_t index) {
    char *line = NULL;
    (void)ctx;
    if (index % 20 == 7) {
        (void)raise(SIGKILL);
    }
    if (index % 30 == 11) {
        _exit(9);
    }
    if (index == 50) {
        line = malloc(1000001);
        memset(line, 'x', 1000000);
        line[1000000] = '\0';
        return line;
    }
    return asprintf(&line, "job %zu", index) > 0 ? line : NULL;
}

static void done(void *ctx, size_t index, const char *line, const char *why) {
    char want[32];
    tally *t = ctx;
    if (line == NULL) {
        t->lost[index]++;
        (void)snprintf(t->why, sizeof t->why, "%s", why);
        return;
    }
    t->done[index]++;
    t->longest = strlen(line) > t->longest ? strlen(line) : t->longest;
    (void)snprintf(want, sizeof want, "job %zu", index);
    ck_assert(index == 50 || strcmp(line, want) == 0);
}

/* Each job comes back once, whoever dies. */
START_TEST(every_job_is_accounted_for) {
    static tally t;
    memset(&t, 0, sizeof t);
    const wzp_sim_work w = {
        .work = work, .done = done, .ctx = &t, .jobs = JOBS, .workers = (size_t)_i};
    (void)signal(SIGPIPE, SIG_IGN);
    ck_assert(wzp_sim_work_all(&w));
    for (size_t i = 0; i < JOBS; i++) {
        const bool dies = i % 20 == 7 || i % 30 == 11;
        ck_assert_msg(t.done[i] == (dies ? 0 : 1) && t.lost[i] == (dies ? 1 : 0), "job %zu", i);
    }
    ck_assert_uint_eq(t.longest, 1000000);
}
END_TEST

START_TEST(no_jobs_is_no_work) {
    tally t = {.longest = 0};
    const wzp_sim_work w = {.work = work, .done = done, .ctx = &t, .workers = 4};
    ck_assert(wzp_sim_work_all(&w));
    ck_assert_uint_eq(t.longest, 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, every_job_is_accounted_for, 1, 6);
    tcase_add_test(tc, no_jobs_is_no_work);
    return wzp_run_suite("workers", tc);
}
