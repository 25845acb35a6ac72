/* What it costs to decode and decrypt a captured packet: wzp-pcap beside tshark, whole programs
 * from start to end on the same file, output thrown away; CPU time, for both have one thread.  Then
 * how soon the first line is there, and how much memory it all took.
 *
 *     bench_pcap              a file of 60 MB
 *     bench_pcap large BYTES  one as large as wanted, wzp-pcap alone: memory */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "bench.h"

#define SMALL "60000000"
#define CONNS "40"
#define ROUNDS 5
#define TIMES_FASTER 6.0
#define PACKETS_PER_S 300000.0
#define FIRST_LINE_MS 200.0
#define MEMORY_MIB 256.0

static char capture[PATH_MAX], folder[PATH_MAX];

typedef struct outcome {
    double cpu_ns, wall_ns, first_ns; /* first: of the first byte of output */
    double rss_mib;
    uint64_t lines;
    bool good;
} outcome;

static double ns_of(const struct timeval *tv) {
    return (double)tv->tv_sec * 1e9 + (double)tv->tv_usec * 1e3;
}

static void read_output(int fd, outcome *out, double begin) {
    static char buf[1 << 16];
    ssize_t n = 0;
    while ((n = read(fd, buf, sizeof buf)) > 0) {
        if (out->first_ns == 0) {
            out->first_ns = bench_now_ns() - begin;
        }
        for (ssize_t i = 0; i < n; i++) {
            out->lines += buf[i] == '\n' ? 1 : 0;
        }
    }
}

/* Runs a program; its output is read and counted, or goes to /dev/null. */
static outcome run(char *const argv[], bool reads) {
    outcome out = {0};
    int ends[2];
    struct rusage usage;
    int status = 0;
    if (pipe(ends) != 0) {
        return out;
    }
    const double begin = bench_now_ns();
    const pid_t pid = fork();
    if (pid == 0) {
        const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(reads ? ends[1] : null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        execvp(argv[0], argv);
        _exit(127);
    }
    (void)close(ends[1]);
    if (reads) {
        read_output(ends[0], &out, begin);
    }
    out.good =
        wait4(pid, &status, 0, &usage) == pid && WIFEXITED(status) && WEXITSTATUS(status) <= 1;
    out.wall_ns = bench_now_ns() - begin;
    out.cpu_ns = ns_of(&usage.ru_utime) + ns_of(&usage.ru_stime);
    out.rss_mib = (double)usage.ru_maxrss / 1024;
    (void)close(ends[0]);
    return out;
}

static void path_of(char path[PATH_MAX], const char *name) {
    (void)snprintf(path, PATH_MAX, "%.3000s/%s", folder, name);
}

static bool make_file(const char *bytes) {
    char maker[PATH_MAX];
    path_of(maker, "make_capture");
    char *argv[] = {maker, wzp_drop_const(bytes), wzp_drop_const(CONNS), capture, NULL};
    return run(argv, false).good;
}

static outcome ours(bool reads) {
    char program[PATH_MAX];
    path_of(program, "../bin/wzp-pcap");
    char *argv[] = {program, "dump", capture, NULL};
    return run(argv, reads);
}

static outcome tshark(bool reads) {
    char *argv[] = {"tshark", "-n", "-r", capture, NULL};
    return run(argv, reads);
}

static void judge(const char *name, double value, const char *unit, double median, double limit) {
    char budget[64];
    (void)snprintf(budget, sizeof budget, "%s (at most %.0f %s)", value <= limit ? "ok" : "OVER",
                   limit, unit);
    bench_line(name, value, unit, median, 0, budget);
}

/* Packets are counted by the lines that tshark prints, one each. */
static int compare(void) {
    const outcome counted = tshark(true);
    const bool has_tshark = counted.good && counted.lines > 0;
    double us[ROUNDS];
    double theirs[ROUNDS];
    double first[ROUNDS];
    double rss = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const outcome a = ours(false);
        const outcome b = has_tshark ? tshark(false) : a;
        const outcome c = ours(true);
        if (!a.good || !b.good || !c.good) {
            (void)fprintf(stderr, "bench_pcap: a program failed\n");
            return 1;
        }
        us[i] = a.cpu_ns;
        theirs[i] = b.cpu_ns;
        first[i] = c.first_ns;
        rss = c.rss_mib > rss ? c.rss_mib : rss;
    }
    qsort(us, ROUNDS, sizeof us[0], bench_compare);
    qsort(theirs, ROUNDS, sizeof theirs[0], bench_compare);
    qsort(first, ROUNDS, sizeof first[0], bench_compare);
    const double packets = (double)(has_tshark ? counted.lines : ours(true).lines);
    char budget[64];
    const double ratio = has_tshark ? us[0] / theirs[0] : 0;
    (void)snprintf(budget, sizeof budget, "%s (x %.2f)", ratio <= 1 / TIMES_FASTER ? "ok" : "OVER",
                   1 / TIMES_FASTER);
    if (has_tshark) {
        bench_line("pcap: tshark, a packet", theirs[0] / packets, "ns",
                   theirs[ROUNDS / 2] / packets, 0, "-");
    }
    bench_line("pcap: wzp-pcap dump, a packet", us[0] / packets, "ns", us[ROUNDS / 2] / packets,
               ratio, has_tshark ? budget : "-");
    judge("pcap: wzp-pcap dump, a packet, alone", us[0] / packets, "ns", us[ROUNDS / 2] / packets,
          1e9 / PACKETS_PER_S);
    judge("pcap: first line of output", first[0] / 1e6, "ms", first[ROUNDS / 2] / 1e6,
          FIRST_LINE_MS);
    judge("pcap: memory", rss, "MB", rss, MEMORY_MIB);
    return 0;
}

static int large(void) {
    const outcome out = ours(true);
    if (!out.good) {
        (void)fprintf(stderr, "bench_pcap: wzp-pcap failed\n");
        return 1;
    }
    const double each = out.cpu_ns / (double)out.lines;
    bench_line("pcap: large file, a line", each, "ns", each, 0, "-");
    judge("pcap: large file, first line of output", out.first_ns / 1e6, "ms", out.first_ns / 1e6,
          FIRST_LINE_MS);
    judge("pcap: large file, memory", out.rss_mib, "MB", out.rss_mib, MEMORY_MIB);
    return 0;
}

int main(int argc, char **argv) {
    const bool is_large = argc == 3 && strcmp(argv[1], "large") == 0;
    if (argc != 1 && !is_large) {
        (void)fprintf(stderr, "usage: bench_pcap [large BYTES]\n");
        return 2;
    }
    const ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    char *slash = n > 0 ? strrchr(folder, '/') : NULL;
    if (slash == NULL) {
        return 3;
    }
    *slash = '\0';
    path_of(capture, is_large ? "large.pcapng" : "small.pcapng");
    int status = 3;
    if (make_file(is_large ? argv[2] : SMALL)) {
        status = is_large ? large() : compare();
    } else {
        (void)fprintf(stderr, "bench_pcap: %s could not be made\n", capture);
    }
    (void)unlink(capture);
    return status;
}
