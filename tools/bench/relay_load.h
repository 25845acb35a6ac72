/* The load of bench_relay: rooms in which some speak and all others listen, and what becomes of
 * what is said.  A contender is a server in a process of its own and the clients that this process
 * plays for it; everybody has an address of his own on loopback. */
#ifndef WZP_TOOLS_BENCH_RELAY_LOAD_H
#define WZP_TOOLS_BENCH_RELAY_LOAD_H

#include <sys/types.h>

#include "base/addr.h"
#include "base/time.h"

enum { LOAD_PAYLOAD = 120, LOAD_HEADER = 16, LOAD_WIRE = 165, LOAD_MEMBERS_MAX = 1000 };

/* `speakers` of the `members` of each of the `rooms` send `rate` packets a second. */
typedef struct load {
    const char *name;
    unsigned rooms, members, speakers, rate, threads;
} load;

typedef struct outcome {
    uint64_t sent, wanted, received; /* packets of speakers, and what listeners should get of it */
    double cpu_ns;                   /* of the server's process, for each that was received */
    double pps;                      /* received in a second */
    double p1_us, p50_us, p99_us;    /* from the speaker to a listener */
} outcome;

typedef struct contender contender;

/* NULL: why not has been printed to standard error. */
contender *relay_open(const load *load);
contender *raw_open(const load *load);
contender *turn_open(const load *load);
contender *bare_open(const load *load);

/* Plays the load for `warm` and then for `span`, which is measured. */
outcome contender_measure(contender *c, const load *load, uint64_t warm, uint64_t span);

/* From now on the clients of `c` answer while others are opened or measured.  Who is silent for
 * longer than a keep-alive is taken for gone: windows shrink, round trips seem to take seconds, and
 * the second in which that heals would be measured. */
void contender_keep(contender *c);
void contender_close(contender **c);

/* relay_steady.c: the same in memory, for a profiler. */
typedef struct steady_result {
    uint64_t packets; /* received; 0: it could not be done */
    double
        least_ns; /* that the server took for one of them, sockets apart, in the cheapest frame */
} steady_result;
steady_result steady(const load *load, unsigned frames, bool is_bare);

/* --- for them all ---------------------------------------------------------------------------- */

/* What a contender's clients can do; `self` is their own state. */
typedef struct clients_ops {
    /* One packet of a speaker, by the number of the client; `body` is LOAD_HEADER + LOAD_PAYLOAD
     * bytes. */
    void (*speak)(void *self, unsigned client, const uint8_t *body, wzp_time now);
    /* Sends what waits, then takes what has come: load_heard for each packet. */
    void (*turn)(void *self, wzp_time now);
    wzp_time (*deadline)(const void *self);
    void (*close)(void *self);
} clients_ops;

struct contender {
    const clients_ops *ops;
    void *self;
    pid_t server;
    int fd; /* that the clients wait for */
    uint32_t seq;
    contender *next_kept;

    /* of the measurement that runs */
    wzp_time from; /* what was sent before is not counted */
    uint64_t heard;
    uint32_t *delays;
    size_t delay_count, delay_cap;
};

/* Whoever is kept answers what came, at most every LOAD_SERVE; `but` (may be NULL) does so itself.
 */
#define LOAD_SERVE (10 * WZP_MS)
void load_serve_kept(const contender *but, wzp_time now);

void load_heard(contender *c, const uint8_t *body, size_t len, wzp_time now);

/* A media packet that carries the time at which it is sent. */
void load_body(uint8_t body[LOAD_HEADER + LOAD_PAYLOAD], uint32_t seq, wzp_time now);

/* The address of a client: 127.1.x.y. */
wzp_addr load_addr(unsigned client, uint16_t port);
unsigned load_client(const uint8_t ip[4]);

/* In the child: dies with its parent, on the core of servers. */
pid_t load_fork(void);
void load_pin(unsigned core);

#endif
