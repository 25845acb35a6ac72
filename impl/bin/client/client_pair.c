#include "bin/client/client_pair.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bin/client/client_output.h"
#include "bin/client/client_stats.h"
#include "crypto/crypto.h"
#include "io/sys.h"
#include "io/traces.h"

enum {
    PATIENCE_MS = 15000, /* to be let in */
    SETTLE_MS = 1000,    /* what is under way may still be heard */
    GOODBYE_MS = 200,
    SECOND_MS = 1000
};

/* --- the end ---------------------------------------------------------------------------------- */

static void finish(wzp_pair *p) {
    if (p->state == WZP_PAIR_GONE) {
        return;
    }
    p->state = WZP_PAIR_GONE;
    wzp_user_stop(&p->speaker);
    wzp_user_stop(&p->listener);
    uv_close((uv_handle_t *)&p->end, NULL);
    uv_close((uv_handle_t *)&p->ticker, NULL);
    uv_close((uv_handle_t *)&p->second, NULL);
    uv_close((uv_handle_t *)&p->interrupt, NULL);
}

static void fail(wzp_pair *p, int status) {
    p->how = WZP_PAIR_FAILED;
    p->status = status;
    finish(p);
}

static void leave(wzp_pair *p);

static void on_end(uv_timer_t *timer) {
    wzp_pair *p = timer->data;
    switch (p->state) {
    case WZP_PAIR_COMES:
        wzp_client_say("wzp-client: %s: not let into a room within %d s\n", p->opts->relay,
                       PATIENCE_MS / 1000);
        fail(p, WZP_CLIENT_UNREACHABLE);
        break;
    case WZP_PAIR_SPEAKS: /* a frame that was asked for never came: cannot be */
    case WZP_PAIR_SETTLES:
        leave(p);
        break;
    case WZP_PAIR_LEAVES:
        finish(p);
        break;
    case WZP_PAIR_GONE:
        break;
    }
}

static void leave(wzp_pair *p) {
    p->state = WZP_PAIR_LEAVES;
    uv_timer_stop(&p->ticker);
    wzp_user_hangup(&p->speaker);
    wzp_user_hangup(&p->listener);
    uv_timer_start(&p->end, on_end, GOODBYE_MS, 0);
}

static void on_interrupt(uv_signal_t *signal, int number) {
    wzp_pair *p = signal->data;
    (void)number;
    if (p->state == WZP_PAIR_LEAVES || p->state == WZP_PAIR_COMES) {
        p->how = WZP_PAIR_FAILED;
        p->status = WZP_CLIENT_FINDINGS;
        finish(p);
    } else if (p->state != WZP_PAIR_GONE) {
        p->how = WZP_PAIR_INTERRUPTED;
        leave(p);
    }
}

static void on_gone(void *ctx, int status) {
    fail(ctx, status);
}

/* --- the call --------------------------------------------------------------------------------- */

/* The signature is that of who speaks. */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static bool say_nothing(void *ctx, int16_t *pcm, size_t samples, wzp_time now) {
    (void)ctx;
    (void)pcm;
    (void)samples;
    (void)now;
    return true;
}

static void hear_nothing(void *ctx, const wzp_client_event *ev, wzp_time now) {
    (void)ctx;
    (void)ev;
    (void)now;
}

/* Once all was said nothing is sent any more: what was said has an end. */
static bool speak(void *ctx, int16_t *pcm, size_t samples, wzp_time now) {
    wzp_pair *p = ctx;
    const uint64_t all = (uint64_t)(p->seconds * 48000);
    if (p->said + samples > all || p->state != WZP_PAIR_SPEAKS) {
        if (p->state == WZP_PAIR_SPEAKS) {
            p->state = WZP_PAIR_SETTLES;
            uv_timer_stop(&p->ticker);
            uv_timer_start(&p->end, on_end, SETTLE_MS, 0);
        }
        return false;
    }
    p->say(p->ctx, p->said, pcm, samples, now);
    p->said += samples;
    return true;
}

static void listen_to(void *ctx, const wzp_client_event *ev, wzp_time now) {
    const wzp_pair *p = ctx;
    p->hear(p->ctx, ev, now);
}

static void on_tick(uv_timer_t *timer) {
    const wzp_pair *p = timer->data;
    p->tick(p->ctx);
}

/* Who listens comes first, so that nothing is missed of what is said. */
static void on_listener(void *ctx, wzp_user *u, wzp_client_event_kind what) {
    wzp_pair *p = ctx;
    if (what == WZP_CLIENT_ROOM && u->members == 1 && p->speaker.client == NULL) {
        const int code = wzp_user_start(&p->speaker, &p->loop, p->seed);
        if (code != 0) {
            fail(p, code);
            return;
        }
        wzp_drive_kick(&p->speaker.drive);
    }
}

static void on_speaker(void *ctx, wzp_user *u, wzp_client_event_kind what) {
    wzp_pair *p = ctx;
    (void)u;
    if (what == WZP_CLIENT_ROOM && p->state == WZP_PAIR_COMES) {
        p->state = WZP_PAIR_SPEAKS;
        p->began = wzp_io_now();
        uv_timer_stop(&p->end);
        if (p->tick != NULL) {
            uv_timer_start(&p->ticker, on_tick, p->tick_ms, p->tick_ms);
        }
    }
}

static const wzp_user_ops listener_ops = {say_nothing, listen_to, on_listener, on_gone};
static const wzp_user_ops speaker_ops = {speak, hear_nothing, on_speaker, on_gone};

static void on_second(uv_timer_t *timer) {
    const wzp_pair *p = timer->data;
    wzp_client_stats stats;
    wzp_client_stats sent;
    wzp_user_count(&p->listener, &stats);
    wzp_user_count(&p->speaker, &sent);
    stats.sent = sent.sent;
    wzp_client_show_progress(&stats, p->began == 0 ? 0 : (wzp_io_now() - p->began) / WZP_S);
}

/* --- start and end ---------------------------------------------------------------------------- */

static int start(wzp_pair *p) {
    uint8_t seed[32];
    const wzp_user user = {.opts = p->opts, .room = p->room, .relay = p->relay, .ctx = p};
    (void)snprintf(p->room, sizeof p->room, "echo-%016llx",
                   (unsigned long long)wzp_rng_u64(wzp_io_rng()));
    p->speaker = p->listener = user;
    p->speaker.ops = &speaker_ops;
    p->listener.ops = &listener_ops;
    if (wzp_traces_share(&p->traces, p->opts->traces, "listener") != WZP_OK) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, "traces", wzp_io_reason(errno));
    }
    wzp_traces_capture(p->traces, p->opts->lane);
    p->listener.traces = p->traces;
    uv_signal_start(&p->interrupt, on_interrupt, SIGINT);
    uv_timer_start(&p->end, on_end, PATIENCE_MS, 0);
    if (!p->opts->quiet && wzp_client_has_progress()) {
        uv_timer_start(&p->second, on_second, SECOND_MS, SECOND_MS);
    }
    wzp_rng_fill(wzp_io_rng(), seed, sizeof seed); /* two users */
    const int code = wzp_user_start(&p->listener, &p->loop, seed);
    wzp_crypto_wipe(seed, sizeof seed);
    return code;
}

wzp_pair_end wzp_pair_run(wzp_pair *p, const uint8_t seed[32]) {
    p->seed = seed;
    uv_loop_init(&p->loop);
    uv_timer_init(&p->loop, &p->end);
    uv_timer_init(&p->loop, &p->ticker);
    uv_timer_init(&p->loop, &p->second);
    uv_signal_init(&p->loop, &p->interrupt);
    p->end.data = p->ticker.data = p->second.data = p->interrupt.data = p;
    const int code = start(p);
    if (code != 0) {
        fail(p, code);
    }
    uv_run(&p->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&p->loop);
    wzp_client_progress(NULL);
    return p->how;
}

void wzp_pair_free(wzp_pair *p) {
    wzp_user_free(&p->speaker);
    wzp_user_free(&p->listener);
    wzp_traces_close(&p->traces);
}
