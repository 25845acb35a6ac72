/* echo: what comes back of a call to oneself, in windows of five seconds (tools sheet 4). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bin/client/client_about.h"
#include "bin/client/client_modes.h"
#include "bin/client/client_output.h"
#include "bin/client/client_pair.h"
#include "bin/client/client_stats.h"
#include "bin/client/client_verdict.h"
#include "sound/echo.h"

enum { RATE = 48000, WINDOW_MS = 5000, DEFAULT_S = 5, TAIL = 3 * RATE };

/* Counters at the end of a window. */
typedef struct mark {
    uint64_t sent, received, lost, late, buffered;
} mark;

typedef struct window {
    wzp_echo_window sound;
    mark traffic; /* within it; `buffered` at its end */
    double loss_pct, delay_ms;
} window;

typedef struct run {
    wzp_pair pair;
    int16_t *said, *heard;
    size_t heard_len, cap;
    mark *marks;
    window *windows;
    size_t mark_count, window_cap, window_count;
    wzp_time said_at, heard_at; /* when the first sample of each was there */
    double phase;
    wzp_client_stats stats; /* the listener's, with what the speaker sent */
} run;

/* The figures of a run, for medians. */
typedef struct summary {
    double loss_pct, snr_db, correlation, delay_ms;
} summary;

/* --- sound ------------------------------------------------------------------------------------ */

/* A glide under an envelope of syllables.  It repeats nothing within a minute, so that it can be
 * found again. */
static void say(void *ctx, uint64_t at, int16_t *pcm, size_t samples, wzp_time now) {
    run *r = ctx;
    if (at == 0) {
        r->said_at = now;
    }
    for (size_t i = 0; i < samples; i++) {
        const double t = (double)(at + i) / RATE;
        const double envelope = 0.2 + 0.8 * fabs(sin(5 * t + 2 * sin(0.7 * t)));
        r->phase += 6.283185307179586 * (220 + 70 * sin(1.3 * t) + 20 * sin(0.17 * t)) / RATE;
        pcm[i] = (int16_t)(9000 * envelope * sin(r->phase));
        r->said[at + i] = pcm[i];
    }
}

static void hear(void *ctx, const wzp_client_event *ev, wzp_time now) {
    run *r = ctx;
    const uint64_t at = ev->at_sample;
    if (r->heard_at == 0) {
        r->heard_at = now - ev->at_sample * WZP_S / RATE;
    }
    for (size_t i = 0; i < ev->samples && at + i < r->cap; i++) {
        r->heard[at + i] = ev->pcm[i];
        r->heard_len = (size_t)(at + i + 1);
    }
}

static void take_mark(void *ctx) {
    run *r = ctx;
    wzp_client_stats heard;
    wzp_client_stats said;
    wzp_user_count(&r->pair.listener, &heard);
    wzp_user_count(&r->pair.speaker, &said);
    if (r->mark_count < r->window_cap) {
        r->marks[r->mark_count++] =
            (mark){said.sent, heard.received, heard.lost, heard.late, heard.buffered};
    }
}

/* --- a run ------------------------------------------------------------------------------------ */

static void describe_window(run *r, size_t i) {
    static const mark zero;
    window *w = &r->windows[i];
    const mark *before = i > 0 ? &r->marks[i - 1] : &zero;
    const mark *after = &r->marks[i];
    w->traffic = (mark){after->sent - before->sent, after->received - before->received,
                        after->lost > before->lost ? after->lost - before->lost : 0,
                        after->late - before->late, after->buffered};
    const double offered = (double)(w->traffic.received + w->traffic.lost);
    w->loss_pct = offered > 0 ? 100 * (double)w->traffic.lost / offered : 0;
    w->delay_ms = w->sound.delay / (RATE / 1000.0) +
                  ((double)r->heard_at - (double)r->said_at) / (double)WZP_MS;
}

/* False: out of memory. */
static bool judge(run *r) {
    const wzp_align_sound said = {r->said, (size_t)r->pair.said};
    const wzp_align_sound heard = {r->heard, r->heard_len};
    wzp_echo_window *windows = calloc(r->window_cap, sizeof *windows);
    const bool ok = windows != NULL && wzp_echo_compare(windows, &said, &heard) == WZP_OK;
    r->window_count = ok ? wzp_echo_count(said.len) : 0;
    while (r->mark_count < r->window_count) {
        take_mark(r); /* the last one had no tick */
    }
    if (r->window_count > 0) { /* and ends with all that came */
        r->mark_count = r->window_count - 1;
        take_mark(r);
    }
    for (size_t i = 0; i < r->window_count; i++) {
        r->windows[i].sound = windows[i];
        describe_window(r, i);
    }
    free(windows);
    return ok;
}

static bool open_run(run *r, const wzp_client_options *opts, const wzp_addr *relay) {
    const double seconds = opts->duration_s > 0 ? opts->duration_s : DEFAULT_S;
    const size_t len = (size_t)(seconds * RATE);
    *r = (run){.pair = {.opts = opts,
                        .relay = *relay,
                        .seconds = seconds,
                        .say = say,
                        .hear = hear,
                        .tick = take_mark,
                        .tick_ms = WINDOW_MS,
                        .ctx = r},
               .cap = len + TAIL,
               .window_cap = len / WZP_ECHO_WINDOW + 1};
    r->said = calloc(len + 1, sizeof *r->said);
    r->heard = calloc(r->cap, sizeof *r->heard);
    r->marks = calloc(r->window_cap, sizeof *r->marks);
    r->windows = calloc(r->window_cap, sizeof *r->windows);
    return r->said != NULL && r->heard != NULL && r->marks != NULL && r->windows != NULL;
}

static void close_run(run *r) {
    wzp_pair_free(&r->pair);
    free(r->said);
    free(r->heard);
    free(r->marks);
    free(r->windows);
}

/* --- results ---------------------------------------------------------------------------------- */

static wzp_half half(const run *r, size_t from, size_t to) {
    wzp_half h = {0};
    uint64_t lost = 0;
    uint64_t received = 0;
    for (size_t i = from; i < to; i++) {
        lost += r->windows[i].traffic.lost;
        received += r->windows[i].traffic.received;
        h.correlation += r->windows[i].sound.correlation / (double)(to - from);
    }
    h.loss_pct = lost + received > 0 ? 100 * (double)lost / (double)(lost + received) : 0;
    return h;
}

/* NULL: all is well. */
static const char *finding(const run *r) {
    const size_t n = r->window_count;
    for (size_t i = 0; i < n; i++) {
        if (r->windows[i].sound.silent) {
            return "nothing is heard in a window";
        }
    }
    const wzp_half first = half(r, 0, n / 2);
    const wzp_half second = half(r, n / 2, n);
    return n < 2 ? NULL : wzp_halves_differ(&first, &second);
}

static summary sum_up(const run *r) {
    summary s = {.loss_pct = wzp_client_loss_pct(&r->stats)};
    for (size_t i = 0; i < r->window_count; i++) {
        const double n = (double)r->window_count;
        s.snr_db += r->windows[i].sound.snr_db / n;
        s.correlation += r->windows[i].sound.correlation / n;
        s.delay_ms += r->windows[i].delay_ms / n;
    }
    return s;
}

static void print_text(const run *r) {
    const char *found = finding(r);
    printf(
        "  window      sent received  lost  loss %%  SNR dB  correlation   peak  delay ms  buffer  "
        "late\n");
    for (size_t i = 0; i < r->window_count; i++) {
        const window *w = &r->windows[i];
        printf("%4zu..%-4zu %7llu %8llu %5llu %7.2f %7.1f %12.3f %6d %9.1f %7llu %5llu%s\n", i * 5,
               i * 5 + 5, (unsigned long long)w->traffic.sent,
               (unsigned long long)w->traffic.received, (unsigned long long)w->traffic.lost,
               w->loss_pct, w->sound.snr_db, w->sound.correlation, w->sound.peak, w->delay_ms,
               (unsigned long long)w->traffic.buffered, (unsigned long long)w->traffic.late,
               w->sound.silent ? "  silent" : "");
    }
    wzp_client_print_stats(&r->stats, NULL, false);
    if (found != NULL) {
        printf("warning: %s\n", found);
    }
}

static void print_json(const run *r) {
    const summary s = sum_up(r);
    const char *found = finding(r);
    printf("{\"sent\":%llu,\"received\":%llu,\"lost\":%llu,\"loss_pct\":%.2f,\"concealed\":%llu,"
           "\"recovered\":%llu,\"late\":%llu,\"jitter_ms\":%.2f,\"rtt_ms\":%.2f,\"snr_db\":%.2f,"
           "\"correlation\":%.4f,\"delay_ms\":%.2f,\"windows\":[",
           (unsigned long long)r->stats.sent, (unsigned long long)r->stats.received,
           (unsigned long long)r->stats.lost, s.loss_pct, (unsigned long long)r->stats.concealed,
           (unsigned long long)r->stats.recovered, (unsigned long long)r->stats.late,
           r->stats.jitter_ms, r->stats.rtt_ms, s.snr_db, s.correlation, s.delay_ms);
    for (size_t i = 0; i < r->window_count; i++) {
        const window *w = &r->windows[i];
        printf("%s{\"from_s\":%zu,\"sent\":%llu,\"received\":%llu,\"lost\":%llu,\"loss_pct\":%.2f,"
               "\"snr_db\":%.2f,\"correlation\":%.4f,\"peak\":%d,\"silent\":%s,\"delay_ms\":%.2f,"
               "\"delay_changes\":%u,\"buffer_depth\":%llu,\"late\":%llu}",
               i > 0 ? "," : "", i * 5, (unsigned long long)w->traffic.sent,
               (unsigned long long)w->traffic.received, (unsigned long long)w->traffic.lost,
               w->loss_pct, w->sound.snr_db, w->sound.correlation, w->sound.peak,
               w->sound.silent ? "true" : "false", w->delay_ms, w->sound.moves,
               (unsigned long long)w->traffic.buffered, (unsigned long long)w->traffic.late);
    }
    printf(found != NULL ? "],\"warning\":\"%s\"}" : "],\"warning\":null}", found);
}

static void print_medians(const summary *runs, size_t count, bool json) {
    static const struct {
        const char *name, *text;
        size_t at;
    } figures[] = {{"loss_pct", "loss %", offsetof(summary, loss_pct)},
                   {"snr_db", "SNR dB", offsetof(summary, snr_db)},
                   {"correlation", "correlation", offsetof(summary, correlation)},
                   {"delay_ms", "delay ms", offsetof(summary, delay_ms)}};
    double *values = calloc(count, sizeof *values);
    for (size_t f = 0; f < sizeof figures / sizeof *figures && values != NULL; f++) {
        for (size_t i = 0; i < count; i++) {
            values[i] = *(const double *)(const void *)((const char *)&runs[i] + figures[f].at);
        }
        const wzp_spread s = wzp_spread_of(values, count);
        if (json) {
            printf("%s\"%s\":{\"median\":%.4f,\"least\":%.4f,\"most\":%.4f}",
                   f == 0 ? ",\"medians\":{" : ",", figures[f].name, s.median, s.least, s.most);
        } else {
            printf("%s %s %.3f (%.3f to %.3f)", f == 0 ? "medians:" : ",", figures[f].text,
                   s.median, s.least, s.most);
        }
    }
    printf(json ? "}" : "\n");
    free(values);
}

/* --- the mode --------------------------------------------------------------------------------- */

static int run_once(run *r, const uint8_t seed[32], summary *out) {
    wzp_client_stats said;
    if (wzp_pair_run(&r->pair, seed) == WZP_PAIR_FAILED) {
        return r->pair.status;
    }
    wzp_user_count(&r->pair.listener, &r->stats);
    wzp_user_count(&r->pair.speaker, &said);
    r->stats.sent = said.sent;
    if (!judge(r)) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, "echo", "out of memory");
    }
    if (r->window_count == 0) {
        return wzp_client_complain(WZP_CLIENT_INCONCLUSIVE, "echo",
                                   "less than a second was said: nothing to compare");
    }
    *out = sum_up(r);
    return finding(r) != NULL ? WZP_CLIENT_FINDINGS : 0;
}

static int run_all(const wzp_client_options *opts, const wzp_addr *relay, const uint8_t seed[32],
                   summary *summaries) {
    static run r;
    int code = 0;
    size_t done = 0;
    wzp_client_about(opts->json);
    printf(opts->json ? ",\"mode\":\"echo\",\"runs\":[" : "");
    while (done < opts->repeat && code < WZP_CLIENT_USAGE) {
        if (!open_run(&r, opts, relay)) {
            close_run(&r);
            code = wzp_client_complain(WZP_CLIENT_UNREADABLE, "--duration", "out of memory");
            break;
        }
        const int status = run_once(&r, seed, &summaries[done]);
        if (r.window_count > 0) {
            printf(opts->json && done > 0 ? "," : "");
            (opts->json ? print_json : print_text)(&r);
            done++;
        }
        code = status > code ? status : code;
        const bool stop = r.pair.how != WZP_PAIR_DONE;
        close_run(&r);
        if (stop) {
            break;
        }
    }
    printf(opts->json ? "]" : "");
    if (done > 0 && (opts->json || opts->repeat > 1)) {
        print_medians(summaries, done, opts->json);
    }
    printf(opts->json ? "}\n" : "");
    return code;
}

int wzp_client_echo(const wzp_client_options *opts, const wzp_addr *relay, const uint8_t seed[32]) {
    summary *summaries = calloc(opts->repeat, sizeof *summaries);
    if (summaries == NULL) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, "--repeat", "out of memory");
    }
    const int code = run_all(opts, relay, seed, summaries);
    free(summaries);
    return code;
}
