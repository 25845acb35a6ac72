#include "bin/relay/testing/soak_relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/sys.h"

enum { OPTIONS_MAX = 16, END_S = 120 };

/* What was freed stays mapped while a sanitizer watches it; by default 256 MB of it, which would
 * grow through the whole run. */
static void bound_quarantine(void) {
    static const char small[] = "quarantine_size_mb=4:thread_local_quarantine_size_kb=64";
    char text[512];
    const char *old = wzp_io_env("ASAN_OPTIONS");
    if (old != NULL && strstr(old, small) != NULL) {
        return;
    }
    (void)snprintf(text, sizeof text, "%s:%s", old != NULL ? old : "", small);
    (void)setenv("ASAN_OPTIONS", old != NULL ? text : small, 1); /* NOLINT(concurrency-mt-unsafe) */
}

typedef char *arguments[1 + 8 + OPTIONS_MAX + 1];

static void list_arguments(arguments argv, char *program, char **options) {
    static char always[][68] = {
        "--listen",       "127.0.0.1:0",
        "--metrics-port", "0",
        "--log-level",    "error",
        "--seed",         "0101010101010101010101010101010101010101010101010101010101010101"};
    size_t n = 0;
    argv[n++] = program;
    for (size_t i = 0; i < WZP_COUNT_OF(always); i++) {
        argv[n++] = always[i];
    }
    for (size_t i = 0; options[i] != NULL && i < OPTIONS_MAX; i++) {
        argv[n++] = options[i];
    }
    argv[n] = NULL;
}

/* Other threads of the test may have held locks at the fork, of malloc for one, and nobody lets go
 * of them here: nothing but system calls. */
static void become_relay(char **argv, int out) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    execv(argv[0], argv);
    _exit(127);
}

static bool read_start(soak_relay *r, FILE *text) {
    char line[256];
    unsigned port = 0;
    bool listens = false;
    while (port == 0 && fgets(line, sizeof line, text) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "listening on ", 13) == 0) {
            listens = wzp_addr_parse(&r->addr, line + 13) == WZP_OK;
        } else if (strncmp(line, "metrics http://127.0.0.1:", 25) == 0) {
            port = (unsigned)strtoul(line + 25, NULL, 10);
        }
    }
    r->metrics_port = (uint16_t)port;
    return listens && port != 0;
}

bool soak_relay_start(soak_relay *r, const char *program, char **options) {
    int out[2];
    arguments argv;
    char path[1024];
    if (pipe(out) != 0) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s", program);
    list_arguments(argv, path, options);
    bound_quarantine();
    r->pid = fork();
    if (r->pid == 0) {
        become_relay(argv, out[1]);
    }
    (void)close(out[1]);
    FILE *text = fdopen(out[0], "r");
    const bool up = text != NULL && r->pid > 0 && read_start(r, text);
    if (text != NULL) {
        (void)fclose(text);
    }
    return up;
}

/* --- its pages -------------------------------------------------------------------------------- */

static size_t converse(int fd, const soak_relay *r, char *out, size_t cap) {
    static const char question[] =
        "GET /metrics HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n";
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(r->metrics_port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    size_t len = 0;
    ssize_t n = 1;
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
        send(fd, question, sizeof question - 1, MSG_NOSIGNAL) != sizeof question - 1) {
        return 0;
    }
    while (n > 0 && len < cap) {
        n = recv(fd, out + len, cap - len, 0);
        len += n > 0 ? (size_t)n : 0;
    }
    return n == 0 ? len : 0;
}

bool soak_relay_look(soak_relay *r) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    const size_t len = converse(fd, r, r->page, sizeof r->page - 1);
    r->page[len] = '\0';
    (void)close(fd);
    return strstr(r->page, " 200 ") != NULL;
}

uint64_t soak_relay_value(const soak_relay *r, const char *name) {
    const size_t len = strlen(name);
    uint64_t sum = 0;
    for (const char *line = r->page; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        const char *space = strncmp(line, name, len) == 0 ? strpbrk(line + len, " \n") : NULL;
        if (space != NULL && *space == ' ' && (line[len] == ' ' || line[len] == '{')) {
            sum += strtoull(space + 1, NULL, 10);
        }
    }
    return sum;
}

uint64_t soak_relay_resident(const soak_relay *r) {
    char path[64];
    char text[128];
    char *end = text;
    size_t len;
    (void)snprintf(path, sizeof path, "/proc/%ld/statm", (long)r->pid);
    if (!wzp_io_read_file(path, text, sizeof text, &len)) {
        return 0;
    }
    (void)strtoull(text, &end, 10); /* the second one: resident */
    return strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t soak_relay_waited(soak_relay *r) {
    char path[64];
    char text[128];
    char *end = text;
    size_t len;
    (void)snprintf(path, sizeof path, "/proc/%ld/schedstat", (long)r->pid);
    if (wzp_io_read_file(path, text, sizeof text, &len)) {
        (void)strtoull(text, &end, 10); /* the second one: ready, but not running */
        const uint64_t waited = strtoull(end, NULL, 10);
        const uint64_t since = waited - r->waited;
        r->waited_most = since > r->waited_most ? since : r->waited_most;
        r->waited = waited;
    }
    return r->waited_most;
}

/* --- its end ---------------------------------------------------------------------------------- */

bool soak_relay_stop(soak_relay *r) {
    int status = 0;
    pid_t ended = 0;
    if (r->pid <= 0) {
        return false;
    }
    kill(r->pid, SIGTERM);
    for (int i = 0; i < END_S * 50 && ended == 0; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        ended = waitpid(r->pid, &status, WNOHANG);
    }
    if (ended == 0) {
        kill(r->pid, SIGKILL);
        waitpid(r->pid, NULL, 0);
    }
    return ended == r->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
