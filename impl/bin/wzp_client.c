/* wzp-client: places an audio call in a room, or from client to client. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "bin/client_handset.h"
#include "bin/client_options.h"
#include "bin/client_stats.h"
#include "client/client.h"
#include "crypto/crypto.h"
#include "io/drive.h"
#include "io/sys.h"
#include "io/wav.h"

enum { RATE = 48000, USERS = 2, SENDERS = 33, LINE_EVERY_MS = 100 };

typedef struct program program;

/* One call; `echo` makes two. */
typedef struct user {
    program *program;
    wzp_client *client;
    wzp_udp *udp;
    wzp_drive drive;
    bool joined, ended, closed, silent;
    uint64_t position; /* samples sent */
    wzp_wav_out *writers[SENDERS];
    wzp_client_stats stats; /* as they were before the hangup */
    int16_t *heard;         /* echo: what the second one hears */
    size_t heard_len;
    uint32_t members;
    char hangup[192];
} user;

struct program {
    wzp_client_options opts;
    uint8_t seed[32];
    wzp_handset handset; /* of call and listen */
    wzp_addr relay;
    uv_loop_t loop;
    uv_timer_t end, line;
    uv_signal_t interrupt;
    user users[USERS];
    size_t user_count;
    int16_t *sound;
    size_t sound_len;
    int status;
    bool ending;
};

/* --- sound ----------------------------------------------------------------------------------- */

static void capture(user *u, int16_t *pcm, size_t samples) {
    const program *p = u->program;
    memset(pcm, 0, samples * sizeof *pcm);
    if (u->silent) {
        return; /* echo: nobody is listening yet, or this one only listens */
    }
    for (size_t i = 0; i < samples; i++) {
        const uint64_t at = u->position + i;
        if (p->sound != NULL) {
            pcm[i] = (int16_t)(at < p->sound_len ? p->sound[at] : 0);
        } else if (p->opts.tone_hz > 0) {
            const double t = (double)(at % (RATE * 1000ULL)) / RATE;
            pcm[i] = (int16_t)(8000.0 * sin(t * p->opts.tone_hz * 6.283185307179586));
        }
    }
    u->position += samples;
}

static void record(user *u, const wzp_client_event *ev) {
    const program *p = u->program;
    char path[600];
    char why[WZP_WAV_WHY_MAX];
    const uint64_t at = ev->at_sample;
    for (size_t i = 0; u->heard != NULL && i < ev->samples && at + i < p->sound_len; i++) {
        u->heard[at + i] = ev->pcm[i];
        u->heard_len = (size_t)(at + i + 1);
    }
    if (p->opts.record == NULL || ev->track >= SENDERS) {
        return;
    }
    wzp_wav_out **writer = &u->writers[ev->track];
    if (*writer == NULL) {
        (void)snprintf(path, sizeof path, "%s/sender-%u.wav", p->opts.record, ev->track);
        if (wzp_wav_create(writer, path, why) != WZP_OK) {
            (void)fprintf(stderr, "wzp-client: %s\n", why);
            return;
        }
    }
    if (wzp_wav_write_at(*writer, at, ev->pcm, ev->samples) != WZP_OK) {
        (void)fprintf(stderr, "wzp-client: the recording of sender %u is full\n", ev->track);
    }
}

/* --- the call -------------------------------------------------------------------------------- */

static void finish(program *p) {
    for (size_t i = 0; i < p->user_count; i++) {
        wzp_drive_stop(&p->users[i].drive);
    }
    wzp_handset_stop(&p->handset);
    uv_timer_stop(&p->end);
    uv_timer_stop(&p->line);
    uv_stop(&p->loop);
}

/* --stats: how it is now. */
static void print_line(const user *u, const char *state) {
    wzp_client_line line = {.state = state, .members = u->members, .hangup = u->hangup};
    if (u->program->opts.stats && !u->closed) {
        wzp_client_count(u->client, &line.stats);
        wzp_client_print_line(&line);
    }
}

static void on_line(uv_timer_t *timer) {
    const program *p = timer->data;
    print_line(&p->users[0], p->users[0].joined ? "joined" : "connecting");
}

static void on_closed(user *u, const char *why) {
    program *p = u->program;
    print_line(u, "closed");
    u->closed = true;
    if (!u->ended) {
        p->status = u->joined ? 1 : WZP_CLIENT_UNREACHABLE;
        wzp_client_complain(p->status, p->opts.relay, why);
        finish(p);
    }
}

static void on_events(void *ctx, wzp_time now) {
    user *u = ctx;
    wzp_client_event ev;
    int16_t pcm[WZP_OPUS_MAX_FRAME_SAMPLES];
    while (wzp_client_next_event(u->client, now, &ev)) {
        switch (ev.kind) {
        case WZP_CLIENT_JOINED:
            u->joined = true;
            break;
        case WZP_CLIENT_ROOM:
            u->members = ev.count;
            u->silent = u->silent && (u->heard != NULL || ev.count < 2);
            if (!u->program->opts.quiet) {
                (void)fprintf(stderr, "in the room: %u\n", ev.count);
            }
            break;
        case WZP_CLIENT_CAPTURE:
            capture(u, pcm, ev.samples);
            if (wzp_client_push(u->client, pcm, ev.samples, now) != WZP_OK) {
                (void)fputs("wzp-client: a frame could not be sent\n", stderr);
            }
            break;
        case WZP_CLIENT_PLAY:
            record(u, &ev);
            break;
        case WZP_CLIENT_LOST:
            (void)fputs("wzp-client: nothing comes from the relay\n", stderr);
            break;
        case WZP_CLIENT_BACK:
            (void)fputs("wzp-client: the relay is back\n", stderr);
            break;
        case WZP_CLIENT_HANGUP:
            (void)fprintf(stderr, "wzp-client: hangup: %s\n", ev.text);
            (void)snprintf(u->hangup, sizeof u->hangup, "%s", ev.text);
            print_line(u, "joined");
            break;
        case WZP_CLIENT_CLOSED:
            on_closed(u, ev.text);
            return;
        }
    }
}

static void on_end(uv_timer_t *timer) {
    program *p = timer->data;
    const bool again = p->ending;
    p->ending = true;
    for (size_t i = 0; i < p->user_count && !again; i++) {
        p->users[i].ended = true;
        wzp_client_count(p->users[i].client, &p->users[i].stats);
        wzp_client_hangup(p->users[i].client, wzp_io_now());
        wzp_drive_kick(&p->users[i].drive);
    }
    if (again) {
        finish(p);
    } else {
        wzp_handset_hangup(&p->handset);
        uv_timer_start(timer, on_end, 200, 0);
    }
}

static void on_interrupt(uv_signal_t *signal, int number) {
    program *p = signal->data;
    (void)number;
    on_end(&p->end);
}

static int start_user(program *p, user *u) {
    wzp_client_cfg cfg = {.rng = wzp_io_rng(),
                          .room = p->opts.room,
                          .alias = p->opts.alias,
                          .codec = p->opts.codec,
                          .adapts = !p->opts.is_fixed,
                          .network = p->opts.network,
                          .suppress_silence = p->opts.suppress_silence,
                          .media_crypto = p->opts.media_crypto,
                          .path = {.remote = p->relay}};
    u->program = p;
    memcpy(cfg.seed, p->seed, sizeof cfg.seed);
    if (p->opts.command == WZP_CLIENT_ECHO) {
        wzp_rng_fill(cfg.rng, cfg.seed, sizeof cfg.seed); /* two users */
    }
    const int code = wzp_handset_socket(&u->udp, &p->relay);
    if (code != 0) {
        return code;
    }
    cfg.path.local = wzp_udp_local(u->udp);
    const wzp_err err = wzp_client_new(&u->client, &cfg, wzp_io_now());
    wzp_crypto_wipe(cfg.seed, sizeof cfg.seed);
    if (err != WZP_OK) {
        return wzp_client_complain(WZP_CLIENT_USAGE, "--room", "not a name that TLS can carry");
    }
    u->drive = (wzp_drive){
        .core = wzp_client_core(u->client), .udp = u->udp, .after = on_events, .ctx = u};
    return wzp_drive_start(&u->drive, &p->loop) == WZP_OK
               ? 0
               : wzp_client_complain(WZP_CLIENT_UNREADABLE, "socket", "cannot be watched");
}

/* --- results --------------------------------------------------------------------------------- */

/* The best normalised correlation of what was sent with what was heard, lags up to 400 ms. */
static double likeness(const int16_t *a, const int16_t *b, size_t len) {
    double best = 0;
    for (size_t lag = 0; lag < 19200; lag += 4) {
        double ab = 0;
        double aa = 1;
        double bb = 1;
        for (size_t i = 0; i + lag < len; i += 11) {
            ab += (double)a[i] * b[i + lag];
            aa += (double)a[i] * a[i];
            bb += (double)b[i + lag] * b[i + lag];
        }
        best = ab / sqrt(aa * bb) > best ? ab / sqrt(aa * bb) : best;
    }
    return best;
}

static void print_stats(const program *p) {
    if (p->user_count == 0 || !p->users[0].joined || p->opts.stats) {
        return;
    }
    const user *u = &p->users[p->user_count - 1];
    const wzp_client_stats s = u->stats;
    const double like = u->heard != NULL ? likeness(p->sound, u->heard, p->sound_len) : -1;
    const double offered = (double)(s.received + s.lost);
    const double loss = offered > 0 ? 100.0 * (double)s.lost / offered : 0;
    if (p->opts.json) {
        printf(
            "{\"sent\":%llu,\"received\":%llu,\"lost\":%llu,\"loss_pct\":%.2f,\"concealed\":%llu,"
            "\"recovered\":%llu,\"late\":%llu,\"senders\":%u,\"jitter_ms\":%.2f,\"rtt_ms\":%.2f",
            (unsigned long long)s.sent, (unsigned long long)s.received, (unsigned long long)s.lost,
            loss, (unsigned long long)s.concealed, (unsigned long long)s.recovered,
            (unsigned long long)s.late, s.tracks, s.jitter_ms, s.rtt_ms);
        printf(like >= 0 ? ",\"likeness\":%.3f}\n" : "}\n", like);
    } else {
        printf("sent %llu, received %llu from %u, lost %llu (%.2f %%), concealed %llu, "
               "recovered %llu, late %llu, "
               "jitter %.2f ms, rtt %.2f ms\n",
               (unsigned long long)s.sent, (unsigned long long)s.received, s.tracks,
               (unsigned long long)s.lost, loss, (unsigned long long)s.concealed,
               (unsigned long long)s.recovered, (unsigned long long)s.late, s.jitter_ms, s.rtt_ms);
        if (like >= 0) {
            printf("what was heard is like what was said: %.3f\n", like);
        }
    }
}

/* A room of its own and a gliding voice-like tone. */
static int prepare_echo(program *p) {
    static char room[40];
    uint64_t id = wzp_rng_u64(wzp_io_rng());
    const double seconds = p->opts.duration_s > 0 ? p->opts.duration_s : 5;
    (void)snprintf(room, sizeof room, "echo-%016llx", (unsigned long long)id);
    p->opts.room = room;
    p->opts.record = NULL;
    p->opts.duration_s = seconds + 1;
    p->sound_len = (size_t)(seconds * RATE);
    p->sound = calloc(p->sound_len, sizeof *p->sound);
    p->users[1].heard = calloc(p->sound_len, sizeof *p->sound);
    p->users[0].silent = p->users[1].silent = true;
    p->user_count = 2;
    for (size_t i = 0; p->sound != NULL && i < p->sound_len; i++) {
        const double t = (double)i / RATE;
        const double envelope = 0.25 + 0.75 * fabs(sin(t * 5.0));
        p->sound[i] =
            (int16_t)(9000.0 * envelope * sin(t * (200.0 + 60.0 * sin(t * 1.3)) * 6.2831853));
    }
    return p->sound != NULL && p->users[1].heard != NULL
               ? 0
               : wzp_client_complain(WZP_CLIENT_UNREADABLE, "echo", "memory");
}

static int prepare_join(program *p) {
    char why[WZP_WAV_WHY_MAX];
    p->user_count = p->opts.command == WZP_CLIENT_JOIN ? 1 : 0; /* else when it is set up */
    if (p->opts.send_file != NULL &&
        wzp_wav_read(&p->sound, &p->sound_len, p->opts.send_file, why) != WZP_OK) {
        (void)fprintf(stderr, "wzp-client: %s\n", why);
        return WZP_CLIENT_UNREADABLE;
    }
    if (p->opts.record != NULL && mkdir(p->opts.record, 0777) != 0 && errno != EEXIST) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, p->opts.record, wzp_io_reason(errno));
    }
    if (p->opts.duration_s <= 0 && p->opts.command != WZP_CLIENT_LISTEN) {
        p->opts.duration_s = p->sound != NULL ? (double)p->sound_len / RATE + 0.5 : 10;
    }
    return 0;
}

static void release(program *p) {
    wzp_handset_free(&p->handset);
    wzp_crypto_wipe(p->seed, sizeof p->seed);
    for (size_t i = 0; i < p->user_count; i++) {
        for (size_t w = 0; w < SENDERS; w++) {
            if (wzp_wav_finish(&p->users[i].writers[w]) != WZP_OK) {
                (void)fprintf(stderr, "wzp-client: the recording of sender %zu is not complete\n",
                              w);
            }
        }
        wzp_client_free(&p->users[i].client);
        wzp_udp_close(&p->users[i].udp);
        free(p->users[i].heard);
    }
    free(p->sound);
}

/* --- direct calls ---------------------------------------------------------------------------- */

/* The sound has a connection of its own. */
static void on_set_up(void *ctx, const char *room, const wzp_addr *relay) {
    program *p = ctx;
    p->opts.room = room;
    p->relay = *relay;
    p->status = start_user(p, &p->users[0]);
    if (p->status != 0) {
        finish(p);
        return;
    }
    p->user_count = 1;
    wzp_drive_kick(&p->users[0].drive);
    if (p->opts.duration_s > 0) {
        uv_timer_start(&p->end, on_end, (uint64_t)(p->opts.duration_s * 1000), 0);
    }
}

static void on_ended(void *ctx, int status) {
    program *p = ctx;
    p->status = p->status != 0 ? p->status : status;
    on_end(&p->end);
}

/* --- start and end --------------------------------------------------------------------------- */

static int choose_seed(program *p) {
    const char *hex = p->opts.seed_hex;
    wzp_rng_fill(wzp_io_rng(), p->seed, sizeof p->seed);
    return hex == NULL || wzp_hex_parse(p->seed, 32, hex, strlen(hex), NULL) == WZP_OK
               ? 0
               : wzp_client_complain(WZP_CLIENT_USAGE, "--seed", "expected 64 hex digits");
}

static int prepare(program *p) {
    int code = wzp_client_resolve(p->opts.relay, &p->relay);
    code = code == 0 ? choose_seed(p) : code;
    uint8_t callee[WZP_FINGERPRINT_LEN];
    if (code == 0 && p->opts.callee != NULL &&
        wzp_fingerprint_parse(callee, wzp_bytes_str(p->opts.callee)) != WZP_OK) {
        code = wzp_client_complain(WZP_CLIENT_USAGE, p->opts.callee,
                                   "expected a fingerprint of 32 hex digits");
    }
    return code != 0                            ? code
           : p->opts.command == WZP_CLIENT_ECHO ? prepare_echo(p)
                                                : prepare_join(p);
}

static int start_all(program *p) {
    int code = 0;
    if (p->opts.command == WZP_CLIENT_CALL || p->opts.command == WZP_CLIENT_LISTEN) {
        p->handset = (wzp_handset){.opts = &p->opts,
                                   .relay = p->relay,
                                   .on_set_up = on_set_up,
                                   .on_ended = on_ended,
                                   .ctx = p};
        return wzp_handset_start(&p->handset, &p->loop, p->seed);
    }
    for (size_t i = 0; i < p->user_count && code == 0; i++) {
        code = start_user(p, &p->users[i]);
    }
    uv_timer_start(&p->end, on_end, (uint64_t)(p->opts.duration_s * 1000), 0);
    if (p->opts.stats) {
        uv_timer_start(&p->line, on_line, LINE_EVERY_MS, LINE_EVERY_MS);
    }
    return code;
}

int main(int argc, char **argv) {
    static program p;
    int code = wzp_client_parse(&p.opts, argc, argv);
    if (code >= 0) {
        return code;
    }
    code = prepare(&p);
    uv_loop_init(&p.loop);
    uv_timer_init(&p.loop, &p.end);
    uv_timer_init(&p.loop, &p.line);
    uv_signal_init(&p.loop, &p.interrupt);
    p.end.data = p.line.data = p.interrupt.data = &p;
    uv_signal_start(&p.interrupt, on_interrupt, SIGINT);
    code = code == 0 ? start_all(&p) : code;
    if (code == 0) {
        uv_run(&p.loop, UV_RUN_DEFAULT);
        code = p.status;
        print_stats(&p);
    }
    release(&p);
    return code;
}
