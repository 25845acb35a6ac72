#include "bin/client/client_sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "media/jbuf.h"

enum { FRAME_MS = 20, BASE_US = 20000, STALL_US = 300000, STALL_PPM = 500 };

typedef struct packet {
    wzp_time at; /* of arrival */
    uint32_t seq;
} packet;

typedef struct line {
    wzp_jbuf *jb;
    uint32_t *latency_us; /* of each frame that was played */
    wzp_sweep_result *out;
} line;

/* --- the network ------------------------------------------------------------------------------ */

/* Few packets are much later than most: the product of two even draws, whose mean is a quarter. */
static uint64_t jitter(wzp_rng rng, uint32_t mean_us) {
    const uint64_t a = wzp_rng_below(rng, 2001);
    const uint64_t b = wzp_rng_below(rng, 2001);
    return mean_us * a / 1000 * b / 1000;
}

/* Now and then, once in 40 seconds or so, everything stands still for 300 ms. */
static size_t carry(packet *packets, const wzp_sweep_net *net) {
    wzp_prng prng;
    wzp_prng_init(&prng, net->draw, "sweep");
    const wzp_rng rng = wzp_prng_rng(&prng);
    uint64_t blocked_until = 0;
    size_t n = 0;
    for (uint32_t i = 0; i < net->frames; i++) {
        const uint64_t sent = (uint64_t)i * FRAME_MS * 1000;
        const bool stalls = wzp_rng_below(rng, 1000000) < STALL_PPM;
        const bool lost = wzp_rng_below(rng, 1000000) < net->loss_ppm;
        uint64_t at = sent + BASE_US + jitter(rng, net->jitter_us);
        blocked_until = stalls && net->jitter_us > 0 ? sent + STALL_US : blocked_until;
        at = at < blocked_until ? blocked_until : at;
        if (!lost) {
            packets[n++] = (packet){WZP_S + at * WZP_US, i};
        }
    }
    return n;
}

static int by_arrival(const void *a, const void *b) {
    const packet *x = a;
    const packet *y = b;
    return x->at != y->at ? (x->at > y->at) - (x->at < y->at)
                          : (x->seq > y->seq) - (x->seq < y->seq);
}

/* --- the listener ------------------------------------------------------------------------------
 */

static void play_until(line *l, wzp_time until) {
    wzp_time due = 0;
    while ((due = wzp_jbuf_deadline(l->jb)) <= until) {
        wzp_jbuf_out o;
        if (wzp_jbuf_pop(l->jb, due, &o) && o.kind == WZP_JBUF_FRAME) {
            uint32_t seq = 0;
            memcpy(&seq, o.payload.data, sizeof seq);
            const wzp_time sent = WZP_S + (wzp_time)seq * FRAME_MS * WZP_MS;
            l->latency_us[l->out->played++] = (uint32_t)((due - sent) / WZP_US);
        }
    }
}

static void listen_to(line *l, const packet *packets, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const packet *p = &packets[i];
        const wzp_media_hdr hdr = {.version = WZP_PROTOCOL_VERSION,
                                   .codec_id = WZP_CODEC_OPUS_24K,
                                   .seq = p->seq,
                                   .timestamp_ms = p->seq * FRAME_MS};
        play_until(l, p->at);
        wzp_jbuf_push(l->jb, &hdr, wzp_bytes_of((const uint8_t *)&p->seq, sizeof p->seq), p->at);
    }
    play_until(l, count > 0 ? packets[count - 1].at + 6 * WZP_S : 0);
}

static int by_value(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sum_up(line *l) {
    wzp_jbuf_stats stats;
    wzp_jbuf_count(l->jb, &stats);
    wzp_sweep_result *r = l->out;
    r->late = (uint32_t)stats.late;
    r->overruns = (uint32_t)stats.overrun;
    /* After the end nothing comes, which is not the buffer's fault. */
    r->underruns = stats.concealed > WZP_JBUF_IDLE_FRAMES
                       ? (uint32_t)stats.concealed - WZP_JBUF_IDLE_FRAMES
                       : 0;
    qsort(l->latency_us, r->played, sizeof *l->latency_us, by_value);
    r->latency_us = r->played > 0 ? l->latency_us[(r->played - 1) / 2] : 0;
}

wzp_err wzp_sweep_run(wzp_sweep_result *out, const wzp_sweep_net *net,
                      const wzp_sweep_setting *setting) {
    wzp_sweep_result result = {.sent = net->frames};
    packet *packets = calloc((size_t)net->frames + 1, sizeof *packets);
    line l = {.jb = wzp_jbuf_new(&(wzp_jbuf_cfg){.delay = setting->delay_ms * WZP_MS,
                                                 .cap_frames = setting->cap_frames}),
              .latency_us = calloc((size_t)net->frames + 1, sizeof *l.latency_us),
              .out = &result};
    const bool ok = packets != NULL && l.jb != NULL && l.latency_us != NULL;
    if (ok) {
        const size_t n = carry(packets, net);
        result.received = (uint32_t)n;
        qsort(packets, n, sizeof *packets, by_arrival);
        listen_to(&l, packets, n);
        sum_up(&l);
        *out = result;
    }
    wzp_jbuf_free(&l.jb);
    free(l.latency_us);
    free(packets);
    return ok ? WZP_OK : WZP_ERR_NOMEM;
}
