/* sweep: what settings of the jitter buffer cost and give, as a table (tools sheet 4). */
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "bin/client/client_about.h"
#include "bin/client/client_modes.h"
#include "bin/client/client_sweep.h"
#include "bin/client/client_verdict.h"

enum { DEFAULT_S = 60, FRAMES_A_SECOND = 50 };

/* What deployed clients try are packets of 20 ms, 10 to 200 of them, in a buffer for 50 to 500; a
 * delay of a second and more is no call. */
static const uint32_t delays_ms[] = {20, 40, 60, 100, 200, 400};
static const uint32_t caps[] = {10, 25, 50, 250};

typedef struct figures {
    double *loss_pct, *latency_ms, *underruns, *overruns, *late, *received; /* of each run */
} figures;

static wzp_sweep_net network(const wzp_client_options *opts, unsigned run) {
    const double seconds = opts->duration_s > 0 ? opts->duration_s : DEFAULT_S;
    return (wzp_sweep_net){.loss_ppm = (uint32_t)(opts->loss_pct * 10000 + 0.5),
                           .jitter_us = (uint32_t)(opts->jitter_ms * 1000 + 0.5),
                           .frames = (uint32_t)(seconds * FRAMES_A_SECOND),
                           .draw = opts->draw + run};
}

static void print_head(const wzp_client_options *opts) {
    const wzp_sweep_net net = network(opts, 0);
    wzp_client_about(opts->json);
    printf(opts->json ? ",\"mode\":\"sweep\",\"loss_pct\":%g,\"jitter_ms\":%g,\"sent\":%u,"
                        "\"seed\":%llu,\"runs\":%u,\"settings\":["
                      : "network: %g %% lost, %g ms jitter and stalls, %u frames of 20 ms, seed "
                        "%llu, runs %u\n",
           opts->loss_pct, opts->jitter_ms, net.frames, (unsigned long long)opts->draw,
           opts->repeat);
    if (!opts->json) {
        printf("delay ms  cap frames   sent received  loss %%  latency ms (least to most)  "
               "underruns  overruns   late\n");
    }
}

static void print_row(const wzp_sweep_setting *s, const figures *f, const wzp_client_options *opts,
                      uint32_t sent) {
    const size_t n = opts->repeat;
    const wzp_spread latency = wzp_spread_of(f->latency_ms, n);
    printf(opts->json
               ? "{\"delay_ms\":%u,\"cap_frames\":%u,\"sent\":%u,\"received\":%.0f,"
                 "\"loss_pct\":%.3f,\"latency_ms\":{\"median\":%.3f,\"least\":%.3f,\"most\":%.3f},"
                 "\"underruns\":%.0f,\"overruns\":%.0f,\"late\":%.0f}"
               : "%8u %11u %6u %8.0f %7.2f %11.1f (%.1f to %.1f) %16.0f %9.0f %6.0f\n",
           s->delay_ms, s->cap_frames, sent, wzp_spread_of(f->received, n).median,
           wzp_spread_of(f->loss_pct, n).median, latency.median, latency.least, latency.most,
           wzp_spread_of(f->underruns, n).median, wzp_spread_of(f->overruns, n).median,
           wzp_spread_of(f->late, n).median);
}

static wzp_err measure(const wzp_client_options *opts, const wzp_sweep_setting *setting,
                       const figures *f) {
    for (unsigned i = 0; i < opts->repeat; i++) {
        const wzp_sweep_net net = network(opts, i);
        wzp_sweep_result r;
        const wzp_err err = wzp_sweep_run(&r, &net, setting);
        if (err != WZP_OK) {
            return err;
        }
        f->received[i] = r.received;
        f->loss_pct[i] = 100.0 * (r.sent - r.played) / r.sent;
        f->latency_ms[i] = r.latency_us / 1000.0;
        f->underruns[i] = r.underruns;
        f->overruns[i] = r.overruns;
        f->late[i] = r.late;
    }
    return WZP_OK;
}

static int sweep(const wzp_client_options *opts, const figures *f) {
    bool is_first = true;
    print_head(opts);
    for (size_t d = 0; d < WZP_COUNT_OF(delays_ms); d++) {
        for (size_t c = 0; c < WZP_COUNT_OF(caps); c++) {
            const wzp_sweep_setting setting = {delays_ms[d], caps[c]};
            if (setting.delay_ms > setting.cap_frames * 20) {
                continue; /* it could not hold what waits */
            }
            if (measure(opts, &setting, f) != WZP_OK) {
                return wzp_client_complain(WZP_CLIENT_UNREADABLE, "sweep", "out of memory");
            }
            printf(opts->json && !is_first ? "," : "");
            print_row(&setting, f, opts, network(opts, 0).frames);
            is_first = false;
        }
    }
    printf(opts->json ? "]}\n" : "");
    return 0;
}

int wzp_client_sweep(const wzp_client_options *opts) {
    const size_t n = opts->repeat;
    if (network(opts, 0).frames == 0) {
        return wzp_client_complain(WZP_CLIENT_USAGE, "--duration",
                                   "expected 0.02 s, a frame, at least");
    }
    double *all = calloc(6 * n, sizeof *all);
    if (all == NULL) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, "--repeat", "out of memory");
    }
    const figures f = {all, all + n, all + 2 * n, all + 3 * n, all + 4 * n, all + 5 * n};
    const int code = sweep(opts, &f);
    free(all);
    return code;
}
