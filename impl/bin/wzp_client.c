/* wzp-client: places an audio call in a room. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "client/client.h"
#include "crypto/crypto.h"
#include "io/drive.h"
#include "io/sys.h"
#include "io/wav.h"
#include "wzp_version.h"

enum { USAGE = 2, UNREADABLE = 3, UNREACHABLE = 4, RATE = 48000, USERS = 2, SENDERS = 33 };

typedef struct options {
    const char *command, *room, *send_file, *record, *seed_hex, *alias, *relay;
    double tone_hz, duration_s;
    bool silence, json, quiet;
    wzp_log_level log_level;
} options;

typedef struct program program;

/* One call; `echo` makes two. */
typedef struct user {
    program *program;
    wzp_client *client;
    wzp_udp *udp;
    wzp_drive drive;
    bool joined, ended, silent;
    uint64_t position; /* samples sent */
    wzp_wav_out *writers[SENDERS];
    wzp_client_stats stats; /* as they were before the hangup */
    int16_t *heard;         /* echo: what the second one hears */
    size_t heard_len;
} user;

struct program {
    options opts;
    wzp_addr relay;
    uv_loop_t loop;
    uv_timer_t end;
    uv_signal_t interrupt;
    user users[USERS];
    size_t user_count;
    int16_t *sound;
    size_t sound_len;
    int status;
};

static void usage(FILE *out) {
    (void)fputs(
        "usage: wzp-client join [options] HOST:PORT\n"
        "       wzp-client echo [--duration S] [--json] HOST:PORT\n"
        "\n"
        "join   joins a room, sends sound and records what it hears, one WAV per sender\n"
        "echo   calls itself over the relay and measures what arrives\n"
        "\n"
        "  --room NAME        the room (default)\n"
        "  --send-file F.wav  sound to send, once; --send-tone HZ; --silence (default)\n"
        "  --record DIR       sender-N.wav for each sender\n"
        "  --duration S       hang up after S seconds (10, or as long as the file)\n"
        "  --alias NAME, --seed HEX (a fresh identity otherwise)\n"
        "  --json             statistics as JSON\n"
        "  --quiet, --log-level error|warn|info|debug, --help, --version\n"
        "\n"
        "Exit status: 0 good, 1 the call was refused or ended early, 2 usage, 3 a file cannot be\n"
        "read or written, 4 the relay cannot be reached.\n"
        "\n"
        "Example: wzp-client join --room demo --send-file hello.wav --record heard "
        "127.0.0.1:4433\n",
        out);
}

static int complain(int code, const char *what, const char *why) {
    (void)fprintf(stderr, "wzp-client: %s: %s\n", what, why);
    return code;
}

/* --- options --------------------------------------------------------------------------------- */

static bool positive(const char *text, double max, double *out) {
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out > 0 && *out <= max;
}

static bool take(options *o, int id, const char *value) {
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    switch (id) {
    case 'r':
        o->room = value;
        return true;
    case 'f':
        o->send_file = value;
        return true;
    case 't':
        return positive(value, 20000, &o->tone_hz);
    case 'S':
        return o->silence = true;
    case 'R':
        o->record = value;
        return true;
    case 'd':
        return positive(value, 86400, &o->duration_s);
    case 'a':
        o->alias = value;
        return true;
    case 's':
        o->seed_hex = value;
        return true;
    case 'j':
        return o->json = true;
    case 'q':
        return o->quiet = true;
    case 'l':
        for (int i = 0; i < 4; i++) {
            if (strcmp(value, levels[i]) == 0) {
                o->log_level = (wzp_log_level)i;
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}

/* -1: go on. */
static int parse(options *o, int argc, char **argv) {
    static const struct option longs[] = {
        {"room", 1, NULL, 'r'},    {"send-file", 1, NULL, 'f'}, {"send-tone", 1, NULL, 't'},
        {"silence", 0, NULL, 'S'}, {"record", 1, NULL, 'R'},    {"duration", 1, NULL, 'd'},
        {"alias", 1, NULL, 'a'},   {"seed", 1, NULL, 's'},      {"json", 0, NULL, 'j'},
        {"quiet", 0, NULL, 'q'},   {"log-level", 1, NULL, 'l'}, {"help", 0, NULL, 'h'},
        {"version", 0, NULL, 'V'}, {NULL, 0, NULL, 0}};
    int index = 0;
    *o = (options){.room = "default", .log_level = WZP_LOG_WARN};
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    for (int id; (id = getopt_long(argc, argv, "h", longs, &index)) != -1;) {
        if (id == 'h') {
            usage(stdout);
            return 0;
        }
        if (id == 'V') {
            puts("wzp-client " WZP_VERSION " (" WZP_BUILD_HASH ")");
            return 0;
        }
        if (id != '?' && !take(o, id, optarg)) {
            (void)fprintf(stderr, "wzp-client: --%s does not take '%s'\n", longs[index].name,
                          optarg);
            id = '?';
        }
        if (id == '?') {
            return complain(USAGE, "usage", "see --help");
        }
    }
    if (optind + 2 != argc ||
        (strcmp(argv[optind], "join") != 0 && strcmp(argv[optind], "echo") != 0)) {
        return complain(USAGE, "usage", "join or echo, then HOST:PORT; see --help");
    }
    o->command = argv[optind];
    o->relay = argv[optind + 1];
    return -1;
}

static int resolve(const char *text, wzp_addr *out) {
    char host[256];
    const char *colon = strrchr(text, ':');
    if (wzp_addr_parse(out, text) == WZP_OK) {
        return 0;
    }
    if (colon == NULL || (size_t)(colon - text) >= sizeof host) {
        return complain(USAGE, text, "expected HOST:PORT");
    }
    (void)snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    const int rv = getaddrinfo(host, colon + 1, &hints, &found);
    if (rv != 0) {
        return complain(UNREACHABLE, text, gai_strerror(rv));
    }
    struct sockaddr_in in;
    memcpy(&in, found->ai_addr, sizeof in);
    freeaddrinfo(found);
    *out = (wzp_addr){.family = WZP_ADDR_V4, .port = ntohs(in.sin_port)};
    memcpy(out->ip, &in.sin_addr, 4);
    return 0;
}

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
    const uint64_t at = ev->at_ms * (RATE / 1000);
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
    uv_timer_stop(&p->end);
    uv_stop(&p->loop);
}

static void on_closed(user *u, const char *why) {
    program *p = u->program;
    if (!u->ended) {
        p->status = u->joined ? 1 : UNREACHABLE;
        complain(p->status, p->opts.relay, why);
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
            break;
        case WZP_CLIENT_CLOSED:
            on_closed(u, ev.text);
            return;
        }
    }
}

static void on_end(uv_timer_t *timer) {
    program *p = timer->data;
    const bool again = p->users[0].ended;
    for (size_t i = 0; i < p->user_count && !again; i++) {
        p->users[i].ended = true;
        wzp_client_count(p->users[i].client, &p->users[i].stats);
        wzp_client_hangup(p->users[i].client, wzp_io_now());
        wzp_drive_kick(&p->users[i].drive);
    }
    if (again) {
        finish(p);
    } else {
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
                          .codec = WZP_CODEC_OPUS_24K,
                          .path = {.remote = p->relay}};
    const wzp_addr local = p->relay.ip[0] == 127 && p->relay.family == WZP_ADDR_V4
                               ? wzp_addr_v4(127, 0, 0, 1, 0)
                               : (wzp_addr){.family = p->relay.family};
    u->program = p;
    wzp_rng_fill(cfg.rng, cfg.seed, sizeof cfg.seed);
    if (p->opts.seed_hex != NULL &&
        wzp_hex_parse(cfg.seed, 32, p->opts.seed_hex, strlen(p->opts.seed_hex), NULL) != WZP_OK) {
        return complain(USAGE, "--seed", "expected 64 hex digits");
    }
    if (wzp_udp_open(&u->udp, &local, false) != WZP_OK) {
        return complain(UNREADABLE, "socket", wzp_io_reason(errno));
    }
    cfg.path.local = wzp_udp_local(u->udp);
    const wzp_err err = wzp_client_new(&u->client, &cfg, wzp_io_now());
    wzp_crypto_wipe(cfg.seed, sizeof cfg.seed);
    if (err != WZP_OK) {
        return complain(USAGE, "--room", "not a name that TLS can carry");
    }
    u->drive = (wzp_drive){
        .core = wzp_client_core(u->client), .udp = u->udp, .after = on_events, .ctx = u};
    return wzp_drive_start(&u->drive, &p->loop) == WZP_OK
               ? 0
               : complain(UNREADABLE, "socket", "cannot be watched");
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
    const user *u = &p->users[p->user_count - 1];
    const wzp_client_stats s = u->stats;
    const double like = u->heard != NULL ? likeness(p->sound, u->heard, p->sound_len) : -1;
    const double offered = (double)(s.received + s.lost);
    const double loss = offered > 0 ? 100.0 * (double)s.lost / offered : 0;
    if (p->opts.json) {
        printf(
            "{\"sent\":%llu,\"received\":%llu,\"lost\":%llu,\"loss_pct\":%.2f,\"concealed\":%llu,"
            "\"late\":%llu,\"senders\":%u,\"jitter_ms\":%.2f,\"rtt_ms\":%.2f",
            (unsigned long long)s.sent, (unsigned long long)s.received, (unsigned long long)s.lost,
            loss, (unsigned long long)s.concealed, (unsigned long long)s.late, s.tracks,
            s.jitter_ms, s.rtt_ms);
        printf(like >= 0 ? ",\"likeness\":%.3f}\n" : "}\n", like);
    } else {
        printf("sent %llu, received %llu from %u, lost %llu (%.2f %%), concealed %llu, late %llu, "
               "jitter %.2f ms, rtt %.2f ms\n",
               (unsigned long long)s.sent, (unsigned long long)s.received, s.tracks,
               (unsigned long long)s.lost, loss, (unsigned long long)s.concealed,
               (unsigned long long)s.late, s.jitter_ms, s.rtt_ms);
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
    return p->sound != NULL && p->users[1].heard != NULL ? 0
                                                         : complain(UNREADABLE, "echo", "memory");
}

static int prepare_join(program *p) {
    char why[WZP_WAV_WHY_MAX];
    p->user_count = 1;
    if (p->opts.send_file != NULL &&
        wzp_wav_read(&p->sound, &p->sound_len, p->opts.send_file, why) != WZP_OK) {
        (void)fprintf(stderr, "wzp-client: %s\n", why);
        return UNREADABLE;
    }
    if (p->opts.record != NULL && mkdir(p->opts.record, 0777) != 0 && errno != EEXIST) {
        return complain(UNREADABLE, p->opts.record, wzp_io_reason(errno));
    }
    if (p->opts.duration_s <= 0) {
        p->opts.duration_s = p->sound != NULL ? (double)p->sound_len / RATE + 0.5 : 10;
    }
    return 0;
}

static void release(program *p) {
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

int main(int argc, char **argv) {
    static program p;
    int code = parse(&p.opts, argc, argv);
    if (code >= 0) {
        return code;
    }
    code = resolve(p.opts.relay, &p.relay);
    code = code != 0                             ? code
           : strcmp(p.opts.command, "echo") == 0 ? prepare_echo(&p)
                                                 : prepare_join(&p);
    uv_loop_init(&p.loop);
    uv_timer_init(&p.loop, &p.end);
    uv_signal_init(&p.loop, &p.interrupt);
    p.end.data = p.interrupt.data = &p;
    uv_signal_start(&p.interrupt, on_interrupt, SIGINT);
    for (size_t i = 0; i < p.user_count && code == 0; i++) {
        code = start_user(&p, &p.users[i]);
    }
    if (code == 0) {
        uv_timer_start(&p.end, on_end, (uint64_t)(p.opts.duration_s * 1000), 0);
        uv_run(&p.loop, UV_RUN_DEFAULT);
        code = p.status;
        if (p.users[0].joined) {
            print_stats(&p);
        }
    }
    release(&p);
    return code;
}
