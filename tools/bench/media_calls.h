/* Whole clients that call each other two by two, in one process and in memory: everything that a
 * client does but its sockets and its sound card.  Time is virtual, links take a millisecond.
 *
 * All clients take their turn in one block, and the hub in another: what is counted is processor
 * time of the clients alone. */
#ifndef WZP_BENCH_MEDIA_CALLS_H
#define WZP_BENCH_MEDIA_CALLS_H

#include "base/bytes.h"
#include "base/err.h"

typedef struct media_calls media_calls;

typedef struct media_calls_cfg {
    size_t ends;          /* clients; an even number */
    uint32_t loss_ppm;    /* of what clients send */
    size_t frames;        /* of the voice, which begins anew when it is over */
    const int16_t *voice; /* 960 samples a frame; borrowed */
    /* One coded frame for each of the voice; borrowed.  NULL: the clients have a codec. */
    const wzp_bytes *coded;
} media_calls_cfg;

/* All have joined and hear each other.  NULL, and standard error says why. */
media_calls *media_calls_new(const media_calls_cfg *cfg);
void media_calls_free(media_calls **calls);

/* Of what ran: time of clients, of the hub, and frames that clients captured. */
typedef struct media_calls_spent {
    double clients_ns, hub_ns;
    uint64_t captured;
} media_calls_spent;

/* The next `frames` of each client. */
media_calls_spent media_calls_run(media_calls *calls, unsigned frames);

/* The same by the real clock, clients and hub in this thread: each step of a millisecond begins
 * when it is due, or as soon as those before it are done. */
typedef struct media_calls_live {
    double busy;              /* share of the time that the thread worked */
    double p99_ms, latest_ms; /* how late steps began */
} media_calls_live;
media_calls_live media_calls_run_live(media_calls *calls, unsigned seconds);

/* Nobody changed codec, what was sealed was opened, and what was said was heard, as far as it was
 * not lost, to the end.  False: standard error says what not. */
bool media_calls_are_sound(const media_calls *calls);

#endif
