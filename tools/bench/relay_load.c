#include "relay_load.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "io/sys.h"
#include "wire/media.h"

enum { PER_NET = 250 };

wzp_addr load_addr(unsigned client, uint16_t port) {
    return wzp_addr_v4(127, 1, (uint8_t)(client / PER_NET), (uint8_t)(1 + client % PER_NET), port);
}

unsigned load_client(const uint8_t ip[4]) {
    return (unsigned)ip[2] * PER_NET + ip[3] - 1U;
}

void load_pin(unsigned core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

pid_t load_fork(void) {
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        load_pin(1);
    }
    return child;
}

static double cpu_of(pid_t pid) {
    clockid_t clock;
    struct timespec ts = {0};
    if (clock_getcpuclockid(pid, &clock) == 0) {
        clock_gettime(clock, &ts);
    }
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* --- what is said and heard ------------------------------------------------------------------- */

/* Frames of 20 ms at whatever rate: the meters are not to object. */
void load_body(uint8_t body[LOAD_HEADER + LOAD_PAYLOAD], uint32_t seq, wzp_time now) {
    uint8_t payload[LOAD_PAYLOAD] = {0};
    memcpy(payload, &now, sizeof now);
    const wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                             .codec_id = WZP_CODEC_OPUS_64K,
                                             .seq = seq,
                                             .timestamp_ms = seq * 20},
                                     .payload = {payload, sizeof payload}};
    wzp_wr wr;
    wzp_wr_init(&wr, body, LOAD_HEADER + LOAD_PAYLOAD);
    wzp_media_packet_write(&wr, &packet);
}

static void speak(contender *c, unsigned client, wzp_time now) {
    uint8_t body[LOAD_HEADER + LOAD_PAYLOAD];
    load_body(body, c->seq, now);
    c->ops->speak(c->self, client, body, now);
}

void load_heard(contender *c, const uint8_t *body, size_t len, wzp_time now) {
    wzp_time sent_at;
    if (len < LOAD_HEADER + sizeof sent_at) {
        return;
    }
    memcpy(&sent_at, body + LOAD_HEADER, sizeof sent_at);
    if (sent_at < c->from) {
        return;
    }
    c->heard++;
    if (c->delay_count < c->delay_cap) {
        c->delays[c->delay_count++] = (uint32_t)((now - sent_at) / 1000);
    }
}

/* --- who waits for his turn ------------------------------------------------------------------- */

static contender *kept;

void contender_keep(contender *c) {
    c->next_kept = kept;
    kept = c;
}

static void release(const contender *c) {
    contender **at = &kept;
    while (*at != NULL && *at != c) {
        at = &(*at)->next_kept;
    }
    if (*at != NULL) {
        *at = c->next_kept;
    }
}

void load_serve_kept(const contender *but, wzp_time now) {
    static wzp_time served_at;
    if (now < served_at + LOAD_SERVE) {
        return;
    }
    for (contender *c = kept; c != NULL; c = c->next_kept) {
        if (c != but) {
            c->ops->turn(c->self, now);
        }
    }
    served_at = now;
}

/* --- measuring -------------------------------------------------------------------------------- */

static void wait_until(const contender *c, wzp_time until) {
    const wzp_time now = wzp_io_now();
    const wzp_time own = wzp_time_min(until, c->ops->deadline(c->self));
    const wzp_time deadline = kept != NULL ? wzp_time_min(own, now + LOAD_SERVE) : own;
    struct pollfd fd = {c->fd, POLLIN, 0};
    if (deadline > now) {
        const uint64_t left = deadline - now;
        const struct timespec ts = {(time_t)(left / WZP_S), (long)(left % WZP_S)};
        (void)ppoll(&fd, 1, &ts, NULL);
    }
}

/* The speakers take turns, evenly spread over the time between two packets of one. */
static uint64_t play(contender *c, const load *l, wzp_time from, wzp_time until) {
    const unsigned speakers = l->rooms * l->speakers;
    uint64_t said = 0;
    for (wzp_time now; (now = wzp_io_now()) < until;) {
        const uint64_t due = (uint64_t)speakers * l->rate * (now - from) / WZP_S;
        for (; said < due; said++) {
            const unsigned speaker = (unsigned)(said % speakers);
            c->seq += speaker == 0 ? 1 : 0;
            speak(c, speaker % l->rooms * l->members + speaker / l->rooms, now);
        }
        c->ops->turn(c->self, now);
        load_serve_kept(c, now);
        wait_until(c, from + (said + 1) * WZP_S / ((uint64_t)speakers * l->rate));
    }
    return said;
}

static void listen_on(contender *c, uint64_t span) {
    const wzp_time until = wzp_io_now() + span;
    for (wzp_time now; (now = wzp_io_now()) < until;) {
        c->ops->turn(c->self, now);
        load_serve_kept(c, now);
        wait_until(c, until);
    }
}

static int by_value(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

outcome contender_measure(contender *c, const load *l, uint64_t warm, uint64_t span) {
    outcome out = {0};
    c->delay_cap = (size_t)1 << 22;
    c->delays = c->delays != NULL ? c->delays : malloc(c->delay_cap * sizeof *c->delays);
    c->from = WZP_TIME_NEVER;
    c->delay_cap = c->delays != NULL ? c->delay_cap : 0;
    (void)play(c, l, wzp_io_now(), wzp_io_now() + warm);
    const wzp_time begin = wzp_io_now();
    const double cpu = cpu_of(c->server);
    c->from = begin;
    c->heard = c->delay_count = 0;
    out.sent = play(c, l, begin, begin + span);
    listen_on(c, 100 * WZP_MS);
    out.cpu_ns = cpu_of(c->server) - cpu;
    out.wanted = out.sent * (l->members - 1);
    out.received = c->heard;
    out.cpu_ns /= (double)(out.received > 0 ? out.received : 1);
    out.pps = (double)out.received * 1e9 / (double)span;
    if (c->delays != NULL && c->delay_count > 0) {
        const size_t p1 = c->delay_count / 100;
        const size_t p50 = c->delay_count / 2;
        const size_t p99 = c->delay_count * 99 / 100;
        qsort(c->delays, c->delay_count, sizeof *c->delays, by_value);
        out.p1_us = c->delays[p1];
        out.p50_us = c->delays[p50];
        out.p99_us = c->delays[p99];
    }
    return out;
}

void contender_close(contender **contender_) {
    contender *c = *contender_;
    if (c == NULL) {
        return;
    }
    release(c);
    if (c->self != NULL) {
        c->ops->close(c->self);
    }
    if (c->server > 0) {
        kill(c->server, SIGKILL);
        waitpid(c->server, NULL, 0);
    }
    free(c->delays);
    free(c);
    *contender_ = NULL;
}
