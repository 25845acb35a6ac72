#include "tools/quality/scorer.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/wav.h"

extern char **environ;

enum { OUTPUT_MAX = 4096, PATH_LEN = 300, NOT_FOUND = 127, NOT_EXECUTABLE = 126 };

typedef struct scoring {
    const wzp_scorer_cfg *cfg;
    char *why;
    char folder[PATH_LEN - 32];
    char reference[PATH_LEN], degraded[PATH_LEN];
    pid_t pid;
    int out; /* what it prints */
    char printed[OUTPUT_MAX + 1];
    size_t len;
} scoring;

__attribute__((format(printf, 3, 4))) static wzp_err complain(const scoring *s, wzp_err err,
                                                              const char *format, ...) {
    va_list args;
    const int n = snprintf(s->why, WZP_SCORER_WHY_MAX, "--scorer '%.200s': ", s->cfg->command);
    va_start(args, format);
    (void)vsnprintf(s->why + n, WZP_SCORER_WHY_MAX - (size_t)n, format, args);
    va_end(args);
    return err;
}

/* --- the two files ---------------------------------------------------------------------------- */

static wzp_err write_sound(const scoring *s, const char *path, const int16_t *pcm) {
    char why[WZP_WAV_WHY_MAX];
    wzp_wav_out *wav = NULL;
    wzp_err err = wzp_wav_create(&wav, path, why);
    if (err != WZP_OK) {
        return complain(s, err, "%.300s", why);
    }
    err = wzp_wav_write_at(wav, 0, pcm, s->cfg->len);
    const wzp_err finished = wzp_wav_finish(&wav);
    if (err != WZP_OK || finished != WZP_OK) {
        return complain(s, WZP_ERR_IO, "%.250s cannot be written whole; is the disk full?", path);
    }
    return WZP_OK;
}

static wzp_err write_files(scoring *s) {
    const char *tmp = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    const int n = snprintf(s->folder, sizeof s->folder, "%s/wzp-quality-XXXXXX",
                           tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
    if (n < 0 || (size_t)n >= sizeof s->folder || mkdtemp(s->folder) == NULL) {
        s->folder[0] = '\0';
        return complain(s, WZP_ERR_IO, "no folder for its files in %.100s; set TMPDIR",
                        tmp != NULL ? tmp : "/tmp");
    }
    (void)snprintf(s->reference, sizeof s->reference, "%s/reference.wav", s->folder);
    (void)snprintf(s->degraded, sizeof s->degraded, "%s/degraded.wav", s->folder);
    const wzp_err err = write_sound(s, s->reference, s->cfg->reference);
    return err == WZP_OK ? write_sound(s, s->degraded, s->cfg->degraded) : err;
}

static void remove_files(const scoring *s) {
    if (s->folder[0] != '\0') {
        (void)unlink(s->reference);
        (void)unlink(s->degraded);
        (void)rmdir(s->folder);
    }
}

/* --- the program ------------------------------------------------------------------------------ */

/* In a process group of its own, so that whatever it starts can be ended with it. */
static int spawn(scoring *s, const int pipe_ends[2]) {
    char line[1200];
    char shell[] = "sh";
    char option[] = "-c";
    char *args[] = {shell, option, line, shell, s->reference, s->degraded, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    const int n = snprintf(line, sizeof line, "%s \"$@\"", s->cfg->command);
    if (n < 0 || (size_t)n >= sizeof line) {
        return E2BIG;
    }
    if (posix_spawn_file_actions_init(&files) != 0) {
        return ENOMEM;
    }
    if (posix_spawnattr_init(&attr) != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    int bad = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    bad = bad != 0 ? bad : posix_spawn_file_actions_adddup2(&files, pipe_ends[1], STDOUT_FILENO);
    bad = bad != 0 ? bad : posix_spawnattr_setpgroup(&attr, 0);
    bad = bad != 0 ? bad : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
    bad = bad != 0 ? bad : posix_spawn(&s->pid, "/bin/sh", &files, &attr, args, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&attr);
    return bad;
}

static wzp_err start(scoring *s) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return complain(s, WZP_ERR_IO, "no pipe to it: %s", strerrordesc_np(errno));
    }
    const int bad = spawn(s, ends);
    (void)close(ends[1]);
    if (bad != 0) {
        (void)close(ends[0]);
        return complain(s, WZP_ERR_IO, "cannot be started: %s", strerrordesc_np(bad));
    }
    s->out = ends[0];
    return WZP_OK;
}

static int64_t now_ms(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until it closes its output, which ends it; false: the time is over.  What is too much is counted
 * and not kept. */
static bool read_all(scoring *s) {
    const int64_t until = now_ms() + (int64_t)s->cfg->timeout_s * 1000;
    for (;;) {
        char scratch[OUTPUT_MAX];
        struct pollfd wait = {.fd = s->out, .events = POLLIN};
        const int64_t left = until - now_ms();
        if (left <= 0 || (poll(&wait, 1, (int)left) < 0 && errno != EINTR)) {
            return false;
        }
        if (wait.revents == 0) {
            continue;
        }
        const ssize_t n = read(s->out, scratch, sizeof scratch);
        if (n <= 0) {
            return true;
        }
        const size_t room = OUTPUT_MAX - s->len;
        const size_t kept = (size_t)n < room ? (size_t)n : room;
        memcpy(s->printed + s->len, scratch, kept);
        s->len += kept;
    }
}

/* A program may close its output and stay: it then has a moment more. */
static bool wait_for(const scoring *s, int *status, int64_t until) {
    static const struct timespec moment = {.tv_nsec = 2000000};
    while (waitpid(s->pid, status, WNOHANG) == 0) {
        if (now_ms() >= until) {
            return false;
        }
        (void)nanosleep(&moment, NULL);
    }
    return true;
}

static wzp_err finish(const scoring *s, bool in_time, int64_t until) {
    int status = 0;
    if (!in_time || !wait_for(s, &status, until)) {
        (void)kill(-s->pid, SIGKILL);
        (void)waitpid(s->pid, &status, 0);
        return complain(s, WZP_ERR_TIMEOUT,
                        "not done after %u s and killed; --scorer-timeout gives it longer",
                        s->cfg->timeout_s);
    }
    if (WIFSIGNALED(status)) {
        return complain(s, WZP_ERR_IO, "ended by signal %d", WTERMSIG(status));
    }
    const int code = WEXITSTATUS(status);
    if (code == NOT_FOUND || code == NOT_EXECUTABLE) {
        return complain(s, WZP_ERR_IO, "%s: expected a program that is in PATH, or the path of one",
                        code == NOT_FOUND ? "not found" : "cannot be executed");
    }
    return code == 0 ? WZP_OK : complain(s, WZP_ERR_IO, "failed with exit code %d", code);
}

/* --- what it printed -------------------------------------------------------------------------- */

static wzp_err parse(scoring *s, double *score) {
    char *end = s->printed;
    s->printed[s->len] = '\0';
    const double value = strtod(s->printed, &end);
    const bool is_number = end != s->printed && isfinite(value);
    while (isspace((unsigned char)*end)) {
        end++;
    }
    if (!is_number || *end != '\0' || strlen(s->printed) != s->len) {
        s->printed[strcspn(s->printed, "\r\n")] = '\0';
        return complain(s, WZP_ERR_PARSE, "expected that it prints one number, not '%.100s'%s",
                        s->printed, s->len == 0 ? " (nothing)" : "");
    }
    *score = value;
    return WZP_OK;
}

wzp_err wzp_scorer_run(double *score, const wzp_scorer_cfg *cfg, char why[WZP_SCORER_WHY_MAX]) {
    scoring s = {.cfg = cfg};
    const int64_t until = now_ms() + (int64_t)cfg->timeout_s * 1000;
    s.why = why;
    wzp_err err = write_files(&s);
    err = err == WZP_OK ? start(&s) : err;
    if (err == WZP_OK) {
        const bool in_time = read_all(&s);
        err = finish(&s, in_time, until);
        (void)close(s.out);
        err = err == WZP_OK ? parse(&s, score) : err;
    }
    remove_files(&s);
    return err;
}
