/* How true the real-time proxy is: 5,000 datagrams a second each way through `wzp-sim proxy`, over
 * real sockets on loopback, with a scenario whose links take 10 ms and nothing else.  What is above
 * 10 ms was added, what does not come was lost.  Beside it, by turns of half a second, the same
 * without a proxy, and through a process that only forwards: whatever that adds is the machine's.
 * The kernel says when a datagram arrived, so that only one process can be late: the one between.
 * nat sheet, SIM-017. */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "bench.h"

enum { PER_S = 5000, TURNS = 20, TURN = PER_S / 2, PACKETS = TURNS * TURN };
enum { PAYLOAD = 172, BETWEEN_MS = 100, DRAIN_MS = 500 };

#define EVERY_NS (1e9 / PER_S)
#define NOMINAL_NS 10e6
#define ADDED_NS 1e6
#define LOST_PPM 1000

typedef struct message {
    double sent;
    uint32_t who, way; /* of `contenders`, of its ways */
    uint8_t filler[PAYLOAD - 16];
} message;

/* Where one way ends: `delay` of what arrived, `count` of them. */
typedef struct way {
    double delay[PACKETS];
    size_t count, sent;
} way;

typedef struct ends {
    int client, upstream;
    struct sockaddr_in server; /* whom the client talks to */
    struct sockaddr_in peer;   /* where upstream hears it from; family 0: it has not yet */
    way ways[2];
} ends;

enum { STRAIGHT, FORWARDED, PROXIED, CONTENDERS };

/* All on the same two sockets.  What comes after its turn still counts for who sent it. */
static ends contenders[CONTENDERS];

static void require(bool holds, const char *what) {
    if (!holds) {
        (void)fprintf(stderr, "bench_proxy: ");
        perror(what);
        _Exit(1);
    }
}

static double wall_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* --- sockets ---------------------------------------------------------------------------------- */

static int open_socket(struct sockaddr_in *own) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int room = 4 << 20;
    const int on = 1;
    socklen_t len = sizeof *own;
    *own = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    require(fd >= 0 && bind(fd, (const struct sockaddr *)own, sizeof *own) == 0 &&
                getsockname(fd, (struct sockaddr *)own, &len) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0,
            "no socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return fd;
}

static double arrival(struct msghdr *msg) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;
            memcpy(&ts, CMSG_DATA(c), sizeof ts);
            return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
        }
    }
    return wall_ns();
}

static void receive_all(int fd) {
    message m;
    struct sockaddr_in from;
    char control[128];
    for (;;) {
        struct iovec iov = {&m, sizeof m};
        struct msghdr msg = {.msg_name = &from,
                             .msg_namelen = sizeof from,
                             .msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
        if (recvmsg(fd, &msg, 0) != (ssize_t)sizeof m) {
            return;
        }
        ends *e = &contenders[m.who % CONTENDERS];
        if (fd == e->upstream) {
            e->peer = from;
        }
        way *w = &e->ways[m.way & 1];
        if (w->count < PACKETS) {
            w->delay[w->count++] = arrival(&msg) - m.sent;
        }
    }
}

static void send_one(ends *e, uint32_t which) {
    const message m = {.sent = wall_ns(), .who = (uint32_t)(e - contenders), .way = which};
    const struct sockaddr_in *to = which == 0 ? &e->server : &e->peer;
    const int fd = which == 0 ? e->client : e->upstream;
    if (sendto(fd, &m, sizeof m, 0, (const struct sockaddr *)to, sizeof *to) == (ssize_t)sizeof m) {
        e->ways[which].sent++;
    }
}

static void wait_until(ends *e, double when) {
    struct pollfd fds[] = {{e->client, POLLIN, 0}, {e->upstream, POLLIN, 0}};
    for (;;) {
        const double left = when - bench_now_ns();
        if (left <= 0) {
            return;
        }
        const struct timespec ts = {(time_t)(left / 1e9), (long)left % 1000000000};
        if (ppoll(fds, 2, &ts, NULL) > 0) {
            receive_all(e->client);
            receive_all(e->upstream);
        }
    }
}

/* Both ways by turns; the first datagram opens the mapping and tells upstream where to answer. */
static void exchange(ends *e) {
    const double begin = bench_now_ns();
    for (size_t i = 0; i < TURN; i++) {
        send_one(e, 0);
        wait_until(e, begin + ((double)i + 0.5) * EVERY_NS);
        if (e->peer.sin_family == AF_INET) {
            send_one(e, 1);
        }
        wait_until(e, begin + ((double)i + 1) * EVERY_NS);
    }
    wait_until(e, bench_now_ns() + BETWEEN_MS * 1e6);
}

/* --- a forwarder ------------------------------------------------------------------------------ */

/* From one socket to the other, as soon as it comes.  The client is who spoke last. */
_Noreturn static void forward(int front, int back, const struct sockaddr_in *upstream) {
    struct pollfd fds[] = {{front, POLLIN, 0}, {back, POLLIN, 0}};
    struct sockaddr_in client = {0};
    char buf[2048];
    for (;;) {
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        ssize_t n = 0;
        (void)poll(fds, 2, -1);
        while ((n = recvfrom(front, buf, sizeof buf, 0, (struct sockaddr *)&from, &len)) > 0) {
            client = from;
            (void)sendto(back, buf, (size_t)n, 0, (const struct sockaddr *)upstream,
                         sizeof *upstream);
        }
        while ((n = recv(back, buf, sizeof buf, 0)) > 0) {
            (void)sendto(front, buf, (size_t)n, 0, (const struct sockaddr *)&client, sizeof client);
        }
    }
}

static pid_t start_forwarder(const struct sockaddr_in *upstream, struct sockaddr_in *listen) {
    struct sockaddr_in other;
    const int front = open_socket(listen);
    const int back = open_socket(&other);
    const pid_t pid = fork();
    require(pid >= 0, "no process");
    if (pid == 0) {
        forward(front, back, upstream);
    }
    close(front);
    close(back);
    return pid;
}

/* --- the proxy -------------------------------------------------------------------------------- */

static const char scenario[] = "name = \"nothing but 10 ms\"\n"
                               "duration = \"600 s\"\n"
                               "[core.x-relay]\n"
                               "delay = \"5 ms\"\n"
                               "[host.x]\n"
                               "access = {delay = \"5 ms\", rate = \"1 Gbit/s\"}\n"
                               "[host.y]\n";

/* Its address from what it prints when it is ready: "listening on 127.0.0.1:N". */
static uint16_t read_port(int fd) {
    static const char ready[] = "listening on 127.0.0.1:";
    char text[1024];
    size_t len = 0;
    while (len + 1 < sizeof text) {
        const ssize_t n = read(fd, text + len, sizeof text - 1 - len);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
        text[len] = '\0';
        const char *at = strstr(text, ready);
        if (at != NULL && strchr(at, '\n') != NULL) {
            return (uint16_t)strtoul(at + strlen(ready), NULL, 10);
        }
    }
    (void)fprintf(stderr, "bench_proxy: the proxy did not start: %.*s\n", (int)len, text);
    _Exit(1);
}

static pid_t start_proxy(const char *program, const struct sockaddr_in *upstream, uint16_t *port) {
    char file[] = "/tmp/bench_proxy_XXXXXX.toml";
    char to[64];
    int pipes[2];
    const int fd = mkstemps(file, 5);
    require(fd >= 0 && write(fd, scenario, strlen(scenario)) == (ssize_t)strlen(scenario) &&
                close(fd) == 0 && pipe(pipes) == 0,
            "no scenario");
    (void)snprintf(to, sizeof to, "127.0.0.1:%u", ntohs(upstream->sin_port));
    const pid_t pid = fork();
    require(pid >= 0, "no process");
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(pipes[1], STDERR_FILENO);
        execl(program, program, "proxy", file, "--listen", "127.0.0.1:0", "--upstream", to, "--for",
              "120 s", (char *)NULL);
        _Exit(127);
    }
    close(pipes[1]);
    *port = read_port(pipes[0]);
    unlink(file);
    return pid;
}

/* --- results ---------------------------------------------------------------------------------- */

static const unsigned percents[] = {50, 95, 99};

/* `w` is sorted. */
static double percentile(const way *w, unsigned percent) {
    return w->delay[(w->count - 1) * percent / 100];
}

static void sort(ends *e) {
    for (size_t i = 0; i < 2; i++) {
        require(e->ways[i].count > 0, "nothing came through");
        qsort(e->ways[i].delay, e->ways[i].count, sizeof e->ways[i].delay[0], bench_compare);
    }
}

/* The median is judged by itself; the slowest hundredth by what a forwarder beside it has. */
static void report_added(const way *w, const char *name, double nominal, const way *floor) {
    for (size_t i = 0; i < WZP_COUNT_OF(percents); i++) {
        char text[128];
        char budget[64] = "-";
        const double added = percentile(w, percents[i]) - nominal;
        const double beside = floor != NULL ? percentile(floor, percents[i]) : 0;
        if (floor != NULL && percents[i] != 95) {
            const double most = ADDED_NS + (percents[i] == 99 ? beside : 0);
            (void)snprintf(budget, sizeof budget, "%s (less than %.0f us)",
                           added < most ? "ok" : "OVER", most / 1e3);
        }
        (void)snprintf(text, sizeof text, "%s: added, %u %%", name, percents[i]);
        bench_line(text, added / 1e3, "us", added / 1e3, beside > 0 ? added / beside : 0, budget);
    }
}

static void report(ends *e, const char *name, double nominal, const ends *floor) {
    for (size_t i = 0; i < 2; i++) {
        const way *w = &e->ways[i];
        char text[64];
        char budget[64] = "-";
        const double lost = 1e6 * (double)(w->sent - w->count) / (double)w->sent;
        (void)snprintf(text, sizeof text, "%s, %s", name, i == 0 ? "up" : "down");
        report_added(w, text, nominal, floor != NULL ? &floor->ways[i] : NULL);
        (void)snprintf(text, sizeof text, "%s, %s: lost of 1,000,000", name,
                       i == 0 ? "up" : "down");
        if (floor != NULL) {
            (void)snprintf(budget, sizeof budget, "%s (less than %d)",
                           lost < LOST_PPM ? "ok" : "OVER", LOST_PPM);
        }
        bench_line(text, lost, "", lost, 0, budget);
    }
}

static void end(pid_t pid, int signal) {
    kill(pid, signal);
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv) {
    struct sockaddr_in own;
    struct sockaddr_in upstream;
    char program[4096];
    uint16_t port = 0;
    const char *slash = strrchr(argv[0], '/');
    (void)snprintf(program, sizeof program, "%.*s/../bin/wzp-sim",
                   slash != NULL ? (int)(slash - argv[0]) : 1, slash != NULL ? argv[0] : ".");
    const int client = open_socket(&own);
    const int server = open_socket(&upstream);
    for (size_t i = 0; i < CONTENDERS; i++) {
        contenders[i].client = client;
        contenders[i].upstream = server;
        contenders[i].server = upstream;
    }
    const pid_t forwarder = start_forwarder(&upstream, &contenders[FORWARDED].server);
    const pid_t proxy = start_proxy(argc > 1 ? argv[1] : program, &upstream, &port);
    contenders[PROXIED].server.sin_port = htons(port);
    for (size_t i = 0; i < (size_t)TURNS * CONTENDERS; i++) {
        exchange(&contenders[i % CONTENDERS]);
    }
    wait_until(&contenders[PROXIED], bench_now_ns() + DRAIN_MS * 1e6);
    end(proxy, SIGINT);
    end(forwarder, SIGKILL);
    for (size_t i = 0; i < CONTENDERS; i++) {
        sort(&contenders[i]);
    }
    report(&contenders[STRAIGHT], "direct", 0, NULL);
    report(&contenders[FORWARDED], "forwarder", 0, NULL);
    report(&contenders[PROXIED], "proxy", NOMINAL_NS, &contenders[FORWARDED]);
    return 0;
}
