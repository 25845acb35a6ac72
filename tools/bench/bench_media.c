/* How many calls a core carries: whole clients beside the codec alone.
 *
 * A call's end encodes a frame and decodes one each 20 ms.  The floor is libopus with the deployed
 * settings (Opus24k, complexity 7, DRED), as many codecs by turns as there are clients: a core that
 * has all of them to serve finds none in its cache.  A whole client is impl/client's core with
 * everything that belongs to it: adaptation, packets, media sealed for the relay, QUIC with its
 * handshake behind it, timers, acknowledgements and its own encryption, tracks, jitter buffer,
 * codec.  Sockets and sound cards are not.
 *
 *     bench_media                    all of it
 *     bench_media live N SECONDS     N whole clients by the real clock in one thread; the hub is in
 *                                    it, too.  Columns: the latest step, and 99 % of them
 *     bench_media smoke              two ends and a few frames: does it work?  No figures
 *     bench_media steady WHAT N      `whole`, `coded` (no codec runs) or `bare`, N ends, for a
 *                                    profiler: perf, or callgrind --toggle-collect='steady_*' */
#include <string.h>

#include "bare_opus.h"
#include "bench.h"
#include "bench_count.h"
#include "media/jbuf.h"
#include "media/testing/voice.h"
#include "media_calls.h"
#include "media_parts.h"

enum {
    FRAMES = 250, /* of the voice */
    ROUNDS = 21,
    ENDS = 40,
    TURN = 10,          /* frames of each end in a round */
    LOSS_PPM = 10000,   /* 1 % */
    JBUF_TURNS = 1000,  /* of one frame in each buffer */
    STEADY_FRAMES = 100 /* for a profiler */
};

#define SHARE 75.0 /* % of the bare codec's calls that a client must carry */

static int16_t voice[FRAMES * BARE_OPUS_FRAME];
static uint8_t coded[FRAMES][BARE_OPUS_PACKET];
static wzp_bytes coded_frames[FRAMES];

static void require(bool holds, const char *what) {
    if (!holds) {
        (void)fprintf(stderr, "bench_media: %s\n", what);
        _Exit(1);
    }
}

static const int16_t *said(size_t end, size_t frame) {
    return voice + (end * 37 + frame) % FRAMES * BARE_OPUS_FRAME;
}

static void prepare_voice(void) {
    bare_opus opus;
    wzp_voice_speak(voice, WZP_COUNT_OF(voice));
    require(bare_opus_open(&opus, BARE_OPUS_DRED_10MS), "out of memory");
    for (size_t i = 0; i < FRAMES; i++) {
        coded_frames[i] = wzp_bytes_of(coded[i], bare_opus_encode(&opus, said(0, i), coded[i]));
    }
    bare_opus_close(&opus);
}

/* --- libopus alone ---------------------------------------------------------------------------- */

typedef struct codecs {
    bare_opus opus[ENDS];
    size_t ends, frame;
} codecs;

static void open_codecs(codecs *c, size_t ends) {
    *c = (codecs){.ends = ends};
    for (size_t i = 0; i < ends; i++) {
        require(bare_opus_open(&c->opus[i], BARE_OPUS_DRED_10MS), "out of memory");
    }
}

static void close_codecs(codecs *c) {
    for (size_t i = 0; i < c->ends; i++) {
        bare_opus_close(&c->opus[i]);
    }
}

void steady_codecs(codecs *c);

__attribute__((noinline)) void steady_codecs(codecs *c) {
    for (size_t i = 0; i < c->ends; i++) {
        require(bare_opus_duplex(&c->opus[i], said(i, c->frame)), "the codec failed");
    }
    c->frame++;
}

static void run_codecs(codecs *c, size_t turns) {
    for (size_t i = 0; i < turns; i++) {
        steady_codecs(c);
    }
}

static double measure_codecs(void *ctx) {
    codecs *c = ctx;
    const double begin = bench_cpu_ns();
    run_codecs(c, c->ends == 1 ? (size_t)TURN * ENDS : TURN);
    return bench_cpu_ns() - begin;
}

/* --- clients ---------------------------------------------------------------------------------- */

static double measure_calls(void *ctx) {
    const media_calls_spent spent = media_calls_run(ctx, TURN);
    require(spent.captured == (uint64_t)TURN * ENDS, "the clients want more or fewer frames");
    return spent.clients_ns;
}

static media_calls *open_calls(size_t ends, uint32_t loss_ppm, bool is_coded) {
    const media_calls_cfg cfg = {.ends = ends,
                                 .loss_ppm = loss_ppm,
                                 .frames = FRAMES,
                                 .voice = voice,
                                 .coded = is_coded ? coded_frames : NULL};
    media_calls *calls = media_calls_new(&cfg);
    require(calls != NULL, "there is no call");
    return calls;
}

static void close_calls(media_calls *calls) {
    require(media_calls_are_sound(calls), "the calls are not as they should be");
    media_calls_free(&calls);
}

/* --- clients without QUIC --------------------------------------------------------------------- */

typedef struct parts {
    media_parts *all;
    size_t ends, frame;
} parts;

static void run_parts(parts *p, size_t turns) {
    for (size_t turn = 0; turn < turns; turn++, p->frame++) {
        for (size_t i = 0; i < p->ends; i++) {
            require(media_parts_frame(p->all, i, said(i, p->frame)), "a frame is not heard");
        }
        media_parts_pass(p->all);
    }
}

static double measure_parts(void *ctx) {
    const double begin = bench_cpu_ns();
    run_parts(ctx, TURN);
    return bench_cpu_ns() - begin;
}

/* --- jitter buffers --------------------------------------------------------------------------- */

typedef struct buffers {
    wzp_jbuf *all[ENDS];
    uint32_t seq;
} buffers;

static void open_buffers(buffers *b) {
    *b = (buffers){.seq = 0};
    for (size_t i = 0; i < ENDS; i++) {
        b->all[i] = wzp_jbuf_new(&(wzp_jbuf_cfg){.delay = 0});
        require(b->all[i] != NULL, "out of memory");
    }
}

/* One of a hundred is lost, and as many are overtaken. */
static void push(wzp_jbuf *jbuf, uint32_t seq, wzp_time now) {
    static const uint8_t payload[60];
    const uint32_t which = seq % 100;
    if (which == 50) {
        return;
    }
    const uint32_t number = which == 10 ? seq + 1 : which == 11 ? seq - 1 : seq;
    const wzp_media_hdr hdr = {
        .version = WZP_PROTOCOL_VERSION, .seq = number, .timestamp_ms = 20 * number};
    wzp_jbuf_push(jbuf, &hdr, wzp_bytes_of(payload, sizeof payload), now);
}

static double measure_buffers(void *ctx) {
    buffers *b = ctx;
    const double begin = bench_cpu_ns();
    for (size_t turn = 0; turn < JBUF_TURNS; turn++, b->seq++) {
        const wzp_time now = WZP_S + b->seq * (20 * WZP_MS);
        for (size_t i = 0; i < ENDS; i++) {
            wzp_jbuf_out out;
            push(b->all[i], b->seq, now);
            while (wzp_jbuf_pop(b->all[i], now, &out)) {
                bench_keep(&out);
            }
        }
    }
    return bench_cpu_ns() - begin;
}

/* --- the table -------------------------------------------------------------------------------- */

enum { ALONE, CODECS, WHOLE, LOSSY, PARTS, CODED, JBUFS, COUNT };

static double middle(const bench *b) {
    return b->ns[ROUNDS / 2];
}

static void report_calls(const char *name, const bench *b, const bench *floor) {
    const double frame_ns = 20e6;
    bench_line(name, frame_ns / b->ns[0], "", frame_ns / middle(b),
               floor != NULL ? floor->ns[0] / b->ns[0] : 0, "-");
}

/* Of each round: what disturbs it hits both. */
static void report_share(const char *name, double share[ROUNDS]) {
    char text[64];
    qsort(share, ROUNDS, sizeof *share, bench_compare);
    (void)snprintf(text, sizeof text, "%s (median, at least %.0f %%), at most %.1f",
                   share[ROUNDS / 2] >= SHARE ? "ok" : "SHORT", SHARE, share[ROUNDS - 1]);
    bench_line(name, share[0], "%", share[ROUNDS / 2], 0, text);
}

/* Of each round: calls of clients to those of libopus, in percent. */
typedef struct shares {
    double whole[ROUNDS], lossy[ROUNDS], of_one[ROUNDS];
} shares;

static void measure_all(bench b[COUNT], shares *s) {
    for (size_t i = 0; i < COUNT; i++) {
        (void)bench_once(&b[i]);
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            b[i].ns[round] = bench_once(&b[i]);
        }
        s->whole[round] = 100 * b[CODECS].ns[round] / b[WHOLE].ns[round];
        s->lossy[round] = 100 * b[CODECS].ns[round] / b[LOSSY].ns[round];
        s->of_one[round] = 100 * b[ALONE].ns[round] / b[WHOLE].ns[round];
    }
    for (size_t i = 0; i < COUNT; i++) {
        qsort(b[i].ns, ROUNDS, sizeof b[i].ns[0], bench_compare);
    }
}

static void report(const bench b[COUNT], shares *s) {
    for (size_t i = 0; i < JBUFS; i++) {
        bench_report(&b[i], ROUNDS, i > CODECS ? &b[CODECS] : NULL, 0);
    }
    bench_report(&b[JBUFS], ROUNDS, NULL, 1000);
    report_calls("calls a core, libopus", &b[CODECS], NULL);
    report_calls("calls a core, whole clients", &b[WHOLE], &b[CODECS]);
    report_calls("calls a core, 1 % lost", &b[LOSSY], &b[CODECS]);
    report_share("whole clients, share of libopus's calls", s->whole);
    report_share("1 % lost, share of libopus's calls", s->lossy);
    report_share("whole clients, share of one libopus's", s->of_one);
}

static void run_all(void) {
    static codecs alone;
    static codecs many;
    static buffers bufs;
    static bench b[COUNT];
    static shares s;
    parts without = {media_parts_new(ENDS), ENDS, 0};
    require(without.all != NULL, "out of memory");
    open_codecs(&alone, 1);
    open_codecs(&many, ENDS);
    open_buffers(&bufs);
    media_calls *calls[] = {open_calls(ENDS, 0, false), open_calls(ENDS, LOSS_PPM, false),
                            open_calls(ENDS, 0, true)};
    const bench all[COUNT] = {
        [ALONE] = {.name = "libopus 24k with DRED, one: frame both ways",
                   .measure = measure_codecs,
                   .ctx = &alone},
        [CODECS] = {.name = "libopus, 40 by turns: frame both ways",
                    .measure = measure_codecs,
                    .ctx = &many},
        [WHOLE] = {.name = "whole clients, 40", .measure = measure_calls, .ctx = calls[0]},
        [LOSSY] = {.name = "and 1 % lost", .measure = measure_calls, .ctx = calls[1]},
        [PARTS] = {.name = "without QUIC", .measure = measure_parts, .ctx = &without},
        [CODED] = {.name = "without the codec", .measure = measure_calls, .ctx = calls[2]},
        [JBUFS] = {.name = "jitter buffers, 40: push and pop",
                   .measure = measure_buffers,
                   .ctx = &bufs},
    };
    memcpy(b, all, sizeof b);
    for (size_t i = 0; i < COUNT; i++) {
        b[i].count = i == JBUFS ? (size_t)2 * JBUF_TURNS * ENDS : (size_t)TURN * ENDS;
    }
    measure_all(b, &s);
    report(b, &s);
    for (size_t i = 0; i < WZP_COUNT_OF(calls); i++) {
        close_calls(calls[i]);
    }
    for (size_t i = 0; i < ENDS; i++) {
        wzp_jbuf_free(&bufs.all[i]);
    }
    media_parts_free(&without.all);
    close_codecs(&alone);
    close_codecs(&many);
}

/* The same on every machine, however busy it is.  Bare ones first. */
static void count_instructions(const char *own) {
    static const char *const arguments[] = {"steady bare 10", "steady whole 10", "steady coded 10"};
    static const char *const names[] = {"libopus, instructions of a frame both ways",
                                        "whole clients, instructions",
                                        "without the codec, instructions"};
    double bare = 0;
    for (size_t i = 0; i < WZP_COUNT_OF(names); i++) {
        double frames = 0;
        const double all = bench_count(own, arguments[i], "steady_*", "frames ", &frames);
        if (all <= 0 || frames <= 0) {
            (void)fprintf(stderr, "bench_media: no valgrind, no instructions counted\n");
            return;
        }
        bare = i == 0 ? all / frames : bare;
        bench_line(names[i], all / frames, "", all / frames, i == 0 ? 0 : all / frames / bare, "-");
    }
}

/* --- for tests and profilers ------------------------------------------------------------------ */

static void smoke(void) {
    static codecs two;
    parts without = {media_parts_new(2), 2, 0};
    require(without.all != NULL, "out of memory");
    open_codecs(&two, 2);
    run_codecs(&two, 3);
    run_parts(&without, 10);
    for (int i = 0; i < 3; i++) {
        media_calls *calls = open_calls(2, i == 1 ? LOSS_PPM : 0, i == 2);
        require(media_calls_run(calls, TURN).captured == 2 * (uint64_t)TURN, "frames are missing");
        require(media_calls_run_live(calls, 1).busy > 0, "nothing was done");
        close_calls(calls);
    }
    media_parts_free(&without.all);
    close_codecs(&two);
}

static void run_steady(const char *what, size_t ends) {
    static codecs many;
    require(ends > 0 && ends <= ENDS && ends % 2 == 0, "an even number of ends, at most 40");
    if (strcmp(what, "bare") == 0) {
        open_codecs(&many, ends);
        run_codecs(&many, STEADY_FRAMES);
        close_codecs(&many);
        printf("frames %zu\n", STEADY_FRAMES * ends);
        return;
    }
    const bool is_coded = strcmp(what, "coded") == 0;
    require(is_coded || strcmp(what, "whole") == 0, "whole, coded or bare");
    media_calls *calls = open_calls(ends, 0, is_coded);
    const media_calls_spent spent = media_calls_run(calls, STEADY_FRAMES);
    printf("frames %zu, clients %.0f ns each, hub %.0f ns\n", (size_t)spent.captured,
           spent.clients_ns / (double)spent.captured, spent.hub_ns / (double)spent.captured);
    close_calls(calls);
}

/* In real time on one core: what is late by more than a frame is too late for the next one. */
static void run_live(size_t ends, unsigned seconds) {
    enum { LATE_MS = 20 };
    char text[64];
    char budget[64];
    require(ends > 0 && ends % 2 == 0 && seconds > 0, "an even number of ends, and seconds");
    media_calls *calls = open_calls(ends, 0, false);
    const media_calls_live live = media_calls_run_live(calls, seconds);
    (void)snprintf(text, sizeof text, "%zu ends on one core, latest step", ends);
    (void)snprintf(budget, sizeof budget, "%s (99 %% within %d ms), busy %.0f %%",
                   live.p99_ms <= LATE_MS ? "ok" : "OVER", LATE_MS, 100 * live.busy);
    bench_line(text, live.latest_ms, "ms", live.p99_ms, 0, budget);
    close_calls(calls);
}

int main(int argc, char **argv) {
    prepare_voice();
    if (argc == 4 && strcmp(argv[1], "steady") == 0) {
        run_steady(argv[2], strtoul(argv[3], NULL, 10));
    } else if (argc == 4 && strcmp(argv[1], "live") == 0) {
        run_live(strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
    } else if (argc == 2 && strcmp(argv[1], "smoke") == 0) {
        smoke();
    } else {
        run_all();
        count_instructions(argv[0]);
    }
    return 0;
}
