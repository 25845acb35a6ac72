#include "sim/bin/workers.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS_MAX = 256 };

typedef struct worker {
    pid_t pid; /* 0: none */
    int to, from;
    size_t job;
    bool busy;
    char *line;
    size_t len, cap;
} worker;

typedef struct crew {
    const wzp_sim_work *work;
    worker workers[WORKERS_MAX];
    size_t count, next; /* job */
} crew;

/* --- in the worker ---------------------------------------------------------------------------- */

static bool write_all(int fd, const void *data, size_t len) {
    const char *p = data;
    while (len > 0) {
        const ssize_t n = write(fd, p, len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        p += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t len) {
    char *p = data;
    while (len > 0) {
        const ssize_t n = read(fd, p, len);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return false;
        }
        p += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static _Noreturn void serve(const wzp_sim_work *work, int in, int out) {
    uint64_t job = 0;
    bool good = true;
    while (good && read_all(in, &job, sizeof job)) {
        char *line = work->work(work->ctx, (size_t)job);
        good = line != NULL && write_all(out, line, strlen(line)) && write_all(out, "\n", 1);
        free(line);
    }
    _exit(good ? 0 : 1);
}

/* --- in this process -------------------------------------------------------------------------- */

/* What other workers talk through is not for this one: it would keep it open. */
static void close_others(const crew *c) {
    for (size_t i = 0; i < c->count; i++) {
        if (c->workers[i].pid != 0) {
            (void)close(c->workers[i].to);
            (void)close(c->workers[i].from);
        }
    }
}

static bool hire(crew *c, worker *w) {
    int down[2] = {-1, -1};
    int up[2] = {-1, -1};
    *w = (worker){.line = w->line, .cap = w->cap};
    if (pipe(down) != 0 || pipe(up) != 0) {
        return false;
    }
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        close_others(c);
        (void)close(down[1]);
        (void)close(up[0]);
        serve(c->work, down[0], up[1]);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    if (pid < 0) {
        (void)close(down[1]);
        (void)close(up[0]);
        return false;
    }
    w->pid = pid;
    w->to = down[1];
    w->from = up[0];
    return true;
}

static void dismiss(worker *w, char why[96]) {
    int status = 0;
    (void)close(w->to);
    (void)close(w->from);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) {
        (void)snprintf(why, 96, "the process died of signal %d", WTERMSIG(status));
    } else {
        (void)snprintf(why, 96, "the process ended with status %d", WEXITSTATUS(status));
    }
    w->pid = 0;
}

/* The next job; false: the worker does not take it. */
static void give(crew *c, worker *w) {
    const uint64_t job = c->next;
    w->busy = false;
    w->len = 0;
    if (c->next < c->work->jobs) {
        w->job = c->next++;
        w->busy = true;
        (void)write_all(w->to, &job, sizeof job); /* a dead one is noticed when it is read */
    }
}

static bool keep(worker *w, const char *data, size_t len) {
    if (w->len + len + 1 > w->cap) {
        const size_t cap = 2 * (w->len + len + 1);
        char *line = realloc(w->line, cap);
        if (line == NULL) {
            return false;
        }
        w->line = line;
        w->cap = cap;
    }
    memcpy(w->line + w->len, data, len);
    w->len += len;
    w->line[w->len] = '\0';
    return true;
}

/* False: the worker is gone. */
static bool listen_to(crew *c, worker *w) {
    char buf[65536];
    const ssize_t n = read(w->from, buf, sizeof buf);
    if (n <= 0) {
        return n < 0 && errno == EINTR;
    }
    if (!keep(w, buf, (size_t)n)) {
        return false;
    }
    if (w->line[w->len - 1] == '\n') {
        w->line[w->len - 1] = '\0';
        c->work->done(c->work->ctx, w->job, w->line, "");
        give(c, w);
    }
    return true;
}

/* Its job is lost; another one goes on with the rest. */
static bool replace(crew *c, worker *w) {
    char why[96];
    const bool was_busy = w->busy;
    dismiss(w, why);
    if (was_busy) {
        c->work->done(c->work->ctx, w->job, NULL, why);
    }
    if (c->next >= c->work->jobs) {
        return true;
    }
    if (!hire(c, w)) {
        return false;
    }
    give(c, w);
    return true;
}

static bool attend(crew *c) {
    struct pollfd fds[WORKERS_MAX];
    size_t which[WORKERS_MAX];
    nfds_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (c->workers[i].pid != 0 && c->workers[i].busy) {
            which[n] = i;
            fds[n++] = (struct pollfd){.fd = c->workers[i].from, .events = POLLIN};
        }
    }
    if (n == 0) {
        return false;
    }
    if (poll(fds, n, -1) < 0) {
        return errno == EINTR;
    }
    bool good = true;
    for (nfds_t i = 0; good && i < n; i++) {
        worker *w = &c->workers[which[i]];
        if (fds[i].revents != 0 && !listen_to(c, w)) {
            good = replace(c, w);
        }
    }
    return good;
}

bool wzp_sim_work_all(const wzp_sim_work *work) {
    static crew c;
    char why[96];
    c = (crew){.work = work};
    const size_t wanted = work->workers < work->jobs ? work->workers : work->jobs;
    c.count = wanted < WORKERS_MAX ? wanted : WORKERS_MAX;
    bool good = true;
    for (size_t i = 0; i < c.count && good; i++) {
        good = hire(&c, &c.workers[i]);
        if (good) {
            give(&c, &c.workers[i]);
        }
    }
    while (good && attend(&c)) {
    }
    for (size_t i = 0; i < c.count; i++) {
        if (c.workers[i].pid != 0) {
            dismiss(&c.workers[i], why);
        }
        free(c.workers[i].line);
    }
    return good;
}
