/* join, call and listen: a call as a user has it, until it is over. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bin/client/client_call.h"
#include "bin/client/client_modes.h"
#include "bin/client/client_output.h"
#include "bin/client/client_sound.h"
#include "bin/client/client_stats.h"
#include "bin/client/client_user.h"
#include "io/sys.h"

enum {
    LINE_EVERY_MS = 100,
    SECOND_MS = 1000,
    GOODBYE_MS = 200,
    PATIENCE_MS = 20000 /* to be let in; longer than QUIC takes to give up */
};

typedef struct program {
    const wzp_client_options *opts;
    const uint8_t *seed;
    wzp_addr relay;
    double duration_s;  /* 0: as long as it lasts */
    wzp_call_mode call; /* of call and listen */
    uv_loop_t loop;
    uv_timer_t end, line, second;
    uv_signal_t interrupt;
    wzp_user user;
    bool is_in, ending;
    char room[256];
    wzp_mouth mouth;
    wzp_ears *ears;
    FILE *metrics;
    wzp_time began;
    int status;
} program;

/* --- the end ---------------------------------------------------------------------------------- */

static void finish(program *p) {
    wzp_user_stop(&p->user);
    wzp_call_mode_stop(&p->call);
    uv_timer_stop(&p->end);
    uv_timer_stop(&p->line);
    uv_timer_stop(&p->second);
    uv_stop(&p->loop);
}

static void on_end(uv_timer_t *timer) {
    program *p = timer->data;
    if (p->ending && wzp_call_mode_lingers(&p->call)) {
        uv_timer_start(timer, on_end, GOODBYE_MS, 0);
        return;
    }
    if (p->ending) {
        finish(p);
        return;
    }
    p->ending = true;
    wzp_user_hangup(&p->user);
    wzp_call_mode_hangup(&p->call);
    uv_timer_start(timer, on_end, GOODBYE_MS, 0);
}

/* Connected, perhaps, and nothing more. */
static void on_impatience(uv_timer_t *timer) {
    program *p = timer->data;
    wzp_client_say("wzp-client: %s: not let into the room within %d s\n", p->opts->relay,
                   PATIENCE_MS / 1000);
    p->status = WZP_CLIENT_UNREACHABLE;
    on_end(timer);
}

static void on_interrupt(uv_signal_t *signal, int number) {
    program *p = signal->data;
    (void)number;
    on_end(&p->end);
}

/* --- what is told ------------------------------------------------------------------------------
 */

static const wzp_client_way *way(program *p) {
    return p->opts->command == WZP_CLIENT_JOIN ? NULL : wzp_call_mode_way(&p->call);
}

static void print_line(program *p, const char *state) {
    const wzp_user *u = &p->user;
    if (p->opts->stats && !u->closed) {
        wzp_client_line line = {
            .state = state, .members = u->members, .hangup = u->hangup, .way = way(p)};
        wzp_client_count(u->client, &line.stats);
        wzp_client_print_line(&line);
    }
}

static void on_line(uv_timer_t *timer) {
    program *p = timer->data;
    print_line(p, p->user.joined ? "joined" : "connecting");
}

static void on_second(uv_timer_t *timer) {
    program *p = timer->data;
    wzp_client_stats stats;
    wzp_user_count(&p->user, &stats);
    if (!p->opts->quiet) {
        wzp_client_show_progress(&stats, (wzp_io_now() - p->began) / WZP_S);
    }
    if (p->metrics != NULL && !wzp_client_write_metrics(p->metrics, &stats)) {
        wzp_client_say("wzp-client: %s: %s\n", p->opts->metrics_file, wzp_io_reason(errno));
        (void)fclose(p->metrics);
        p->metrics = NULL;
        p->status = WZP_CLIENT_UNREADABLE; /* the call goes on */
    }
}

/* --- the call ----------------------------------------------------------------------------------
 */

static bool on_say(void *ctx, int16_t *pcm, size_t samples, wzp_time now) {
    program *p = ctx;
    (void)now;
    wzp_mouth_say(&p->mouth, pcm, samples);
    return true;
}

static void on_hear(void *ctx, const wzp_client_event *ev, wzp_time now) {
    wzp_ears_hear(((program *)ctx)->ears, ev, now);
}

/* Somebody may hear us: its duration counts from here. */
static void on_in(program *p) {
    if (p->is_in || p->ending) {
        return;
    }
    p->is_in = true;
    p->began = wzp_io_now();
    uv_timer_stop(&p->end);
    if (p->duration_s > 0) {
        uv_timer_start(&p->end, on_end, (uint64_t)(p->duration_s * 1000), 0);
    }
}

static void on_news(void *ctx, wzp_user *u, wzp_client_event_kind what) {
    program *p = ctx;
    if (what == WZP_CLIENT_ROOM && p->opts->command == WZP_CLIENT_JOIN) {
        on_in(p);
    }
    if (what == WZP_CLIENT_ROOM && !p->opts->quiet) {
        wzp_client_say("in the room: %u\n", u->members);
    }
    print_line(p, what == WZP_CLIENT_CLOSED ? "closed" : "joined");
}

static void on_gone(void *ctx, int status) {
    program *p = ctx;
    p->status = status;
    finish(p);
}

static const wzp_user_ops ops = {on_say, on_hear, on_news, on_gone};

static int start_user(program *p, const char *room, wzp_endpoint *endpoint) {
    (void)snprintf(p->room, sizeof p->room, "%s", room);
    p->user = (wzp_user){.opts = p->opts,
                         .room = p->room,
                         .relay = p->relay,
                         .endpoint = endpoint,
                         .ops = &ops,
                         .ctx = p};
    const int code = wzp_user_start(&p->user, &p->loop, p->seed);
    p->began = wzp_io_now();
    if (code == 0) {
        uv_timer_start(&p->end, on_impatience, PATIENCE_MS, 0);
    }
    if (code == 0 && p->opts->stats) {
        uv_timer_start(&p->line, on_line, LINE_EVERY_MS, LINE_EVERY_MS);
    }
    if (code == 0 && (p->metrics != NULL || wzp_client_has_progress())) {
        uv_timer_start(&p->second, on_second, SECOND_MS, SECOND_MS);
    }
    return code;
}

/* --- direct calls ------------------------------------------------------------------------------
 */

static wzp_client *on_set_up(void *ctx, const char *room, wzp_endpoint *endpoint) {
    program *p = ctx;
    p->status = start_user(p, room, endpoint);
    if (p->status != 0) {
        on_end(&p->end);
        return NULL;
    }
    return p->user.client;
}

static void on_path(void *ctx) {
    program *p = ctx;
    p->user.joined = true;
    on_in(p);
    print_line(p, "joined");
}

static void on_turn(void *ctx, wzp_time now) {
    wzp_user_turn(&((program *)ctx)->user, now);
}

static void on_ended(void *ctx, int status) {
    program *p = ctx;
    p->status = p->status != 0 ? p->status : status;
    on_end(&p->end);
}

static const wzp_call_mode_ops call_ops = {on_set_up, on_path, on_turn, on_ended};

/* --- start and end ------------------------------------------------------------------------------
 */

static double duration(const program *p) {
    return p->opts->duration_s > 0                 ? p->opts->duration_s
           : p->opts->command == WZP_CLIENT_LISTEN ? 0
           : p->mouth.pcm != NULL                  ? (double)p->mouth.len / WZP_CLIENT_RATE + 0.5
           : p->opts->tone_s > 0                   ? p->opts->tone_s + 0.5
                                                   : 10;
}

static int prepare(program *p) {
    p->mouth.tone_hz = p->opts->tone_hz;
    p->mouth.tone_end = (uint64_t)(p->opts->tone_s * WZP_CLIENT_RATE);
    if ((p->opts->send_file != NULL && !wzp_mouth_open(&p->mouth, p->opts->send_file)) ||
        (p->opts->record != NULL && !wzp_ears_open(&p->ears, p->opts->record))) {
        return WZP_CLIENT_UNREADABLE;
    }
    if (p->opts->metrics_file != NULL) {
        p->metrics = fopen(p->opts->metrics_file, "we");
        if (p->metrics == NULL) {
            return wzp_client_complain(WZP_CLIENT_UNREADABLE, p->opts->metrics_file,
                                       wzp_io_reason(errno));
        }
    }
    p->duration_s = duration(p);
    return 0;
}

static int start(program *p, const wzp_addr *relay) {
    p->relay = *relay;
    uv_signal_start(&p->interrupt, on_interrupt, SIGINT);
    if (p->opts->command == WZP_CLIENT_JOIN) {
        return start_user(p, p->opts->room, NULL);
    }
    p->call = (wzp_call_mode){.opts = p->opts,
                              .relay = *relay,
                              .loop = &p->loop,
                              .seed = p->seed,
                              .ops = &call_ops,
                              .ctx = p};
    wzp_call_mode_start(&p->call);
    return 0;
}

static void release(program *p) {
    wzp_user_free(&p->user);
    wzp_call_mode_free(&p->call);
    wzp_ears_close(&p->ears);
    wzp_mouth_close(&p->mouth);
    if (p->metrics != NULL && fclose(p->metrics) != 0) {
        wzp_client_say("wzp-client: %s: %s\n", p->opts->metrics_file, wzp_io_reason(errno));
    }
}

int wzp_client_join(const wzp_client_options *opts, const wzp_addr *relay, const uint8_t seed[32]) {
    static program p;
    p.opts = opts;
    p.seed = seed;
    int code = prepare(&p);
    uv_loop_init(&p.loop);
    uv_timer_init(&p.loop, &p.end);
    uv_timer_init(&p.loop, &p.line);
    uv_timer_init(&p.loop, &p.second);
    uv_signal_init(&p.loop, &p.interrupt);
    p.end.data = p.line.data = p.second.data = p.interrupt.data = &p;
    code = code == 0 ? start(&p, relay) : code;
    if (code == 0) {
        uv_run(&p.loop, UV_RUN_DEFAULT);
        code = p.status;
        wzp_client_progress(NULL);
        if (p.user.joined && !opts->stats) {
            wzp_client_stats stats;
            wzp_user_count(&p.user, &stats);
            wzp_client_print_stats(&stats, way(&p), opts->json);
        }
    }
    release(&p);
    return code;
}
