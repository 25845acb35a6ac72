/* wzp-relay: options and wiring around the relay core. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "bin/metrics_http.h"
#include "crypto/crypto.h"
#include "io/drive.h"
#include "io/sys.h"
#include "relay/relay.h"
#include "wzp_version.h"

enum { USAGE = 2, UNREADABLE = 3, FAILED = 1 };

typedef struct options {
    wzp_addr listen;
    const char *identity, *seed_hex, *event_log, *keylog, *region;
    uint16_t metrics_port;
    wzp_enforce enforce;
    uint32_t max_sessions;
    wzp_log_level log_level;
    bool strict_identity;
} options;

typedef struct program {
    options opts;
    uv_loop_t loop;
    wzp_relay *relay;
    wzp_udp *udp;
    wzp_drive drive;
    wzp_metrics_http *http;
    uv_signal_t signals[2];
    uv_timer_t linger;
    FILE *event_log, *keylog;
} program;

static void usage(FILE *out) {
    fputs("usage: wzp-relay [options]\n"
          "\n"
          "  --listen IP:PORT        where to serve QUIC (0.0.0.0:4433); port 0 takes a free one\n"
          "  -i, --identity FILE     seed file, 64 hex digits (~/.wzp/relay-identity); made if absent\n"
          "  --seed HEX              seed on the command line instead (tests)\n"
          "  --enforce off|observe|on   meters: off, count only (default), hang up on violations\n"
          "  --max-sessions N        media sessions at once (100)\n"
          "  --metrics-port PORT     Prometheus text at http://127.0.0.1:PORT/metrics\n"
          "  --event-log FILE        joins, leaves, refusals, hangups as JSON lines\n"
          "  --keylog FILE           TLS secrets for captures (debugging only)\n"
          "  --region NAME           told to signal clients\n"
          "  --strict-identity       RegisterPresence must prove its key\n"
          "  --log-level error|warn|info|debug\n"
          "  --help, --version\n"
          "\n"
          "Exit status: 0 stopped by a signal, 1 failed while running, 2 usage, 3 a file cannot be\n"
          "read or written or the address cannot be bound.\n"
          "\n"
          "Example: wzp-relay --listen 127.0.0.1:4433 --enforce on --metrics-port 9090\n",
          out);
}

static int complain(int code, const char *what, const char *why) {
    fprintf(stderr, "wzp-relay: %s: %s\n", what, why);
    return code;
}

/* --- options -------------------------------------------------------------------------------------------- */

static bool word(const char *text, const char *const *words, int count, const char *option, int *out) {
    for (int i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    fprintf(stderr, "wzp-relay: %s: '%s' is not one of its values; see --help\n", option, text);
    return false;
}

static bool whole(const char *text, unsigned long max, const char *option, unsigned long *out) {
    char *end = NULL;
    errno = 0;
    *out = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || *out > max) {
        fprintf(stderr, "wzp-relay: %s takes a number up to %lu, not '%s'\n", option, max, text);
        return false;
    }
    return true;
}

/* Flags of the deployed relay that this build does not serve: refused, never ignored. */
static bool not_served(const char *flag) {
    fprintf(stderr, "wzp-relay: %s is not served by this build\n", flag);
    return false;
}

static bool take(options *o, int id, const char *value) {
    static const char *const enforce[] = {"off", "observe", "on"};
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    unsigned long number = 0;
    int chosen = 0;
    switch (id) {
    case 'l':
        if (wzp_addr_parse(&o->listen, value) != WZP_OK) {
            fprintf(stderr, "wzp-relay: --listen takes IP:PORT or [IP]:PORT, not '%s'\n", value);
            return false;
        }
        return true;
    case 'i':
        o->identity = value;
        return true;
    case 's':
        o->seed_hex = value;
        return true;
    case 'e':
        if (!word(value, enforce, 3, "--enforce", &chosen)) {
            return false;
        }
        o->enforce = (wzp_enforce)chosen;
        return true;
    case 'm':
        if (!whole(value, 1000000, "--max-sessions", &number)) {
            return false;
        }
        o->max_sessions = (uint32_t)number;
        return true;
    case 'p':
        if (!whole(value, 65535, "--metrics-port", &number)) {
            return false;
        }
        o->metrics_port = (uint16_t)number;
        return true;
    case 'v':
        if (!word(value, levels, 4, "--log-level", &chosen)) {
            return false;
        }
        o->log_level = (wzp_log_level)chosen;
        return true;
    case 'E':
        o->event_log = value;
        return true;
    case 'k':
        o->keylog = value;
        return true;
    case 'r':
        o->region = value;
        return true;
    case 'S':
        o->strict_identity = true;
        return true;
    case 't':
        return strcmp(value, "1") == 0 || not_served("--threads above 1");
    default:
        return false;
    }
}

static const struct option longs[] = {{"listen", 1, NULL, 'l'},
                                      {"identity", 1, NULL, 'i'},
                                      {"seed", 1, NULL, 's'},
                                      {"enforce", 1, NULL, 'e'},
                                      {"max-sessions", 1, NULL, 'm'},
                                      {"metrics-port", 1, NULL, 'p'},
                                      {"event-log", 1, NULL, 'E'},
                                      {"keylog", 1, NULL, 'k'},
                                      {"region", 1, NULL, 'r'},
                                      {"strict-identity", 0, NULL, 'S'},
                                      {"threads", 1, NULL, 't'},
                                      {"log-level", 1, NULL, 'v'},
                                      {"help", 0, NULL, 'h'},
                                      {"version", 0, NULL, 'V'},
                                      {"config", 1, NULL, 256},
                                      {"remote", 1, NULL, 257},
                                      {"auth-url", 1, NULL, 258},
                                      {"probe", 1, NULL, 259},
                                      {"probe-mesh", 0, NULL, 260},
                                      {"trunking", 0, NULL, 261},
                                      {"ws-port", 1, NULL, 262},
                                      {"static-dir", 1, NULL, 263},
                                      {"global-room", 1, NULL, 264},
                                      {"debug-tap", 1, NULL, 265},
                                      {"mesh-status", 0, NULL, 266},
                                      {"qlog", 1, NULL, 267},
                                      {NULL, 0, NULL, 0}};

/* -1: go on. */
static int parse(options *o, int argc, char **argv) {
    int index = 0;
    *o = (options){.listen = wzp_addr_v4(0, 0, 0, 0, 4433),
                   .enforce = WZP_ENFORCE_OBSERVE,
                   .log_level = WZP_LOG_INFO};
    for (int id; (id = getopt_long(argc, argv, "i:c:hV", longs, &index)) != -1;) {
        if (id == 'h') {
            usage(stdout);
            return 0;
        }
        if (id == 'V') {
            puts("wzp-relay " WZP_VERSION " (" WZP_BUILD_HASH ")");
            return 0;
        }
        if (id >= 256 || id == 'c') {
            (void)not_served(id == 'c' ? "--config" : longs[index].name);
            return USAGE;
        }
        if (id == '?' || !take(o, id, optarg)) {
            fputs("wzp-relay: see --help\n", stderr);
            return USAGE;
        }
    }
    if (optind < argc) {
        return complain(USAGE, argv[optind], "is not an option; see --help");
    }
    return -1;
}

/* --- identity ------------------------------------------------------------------------------------------- */

static int parse_seed(uint8_t seed[32], const char *text, size_t len, const char *where) {
    size_t bad = 0;
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) {
        len--;
    }
    if (wzp_hex_parse(seed, 32, text, len, &bad) != WZP_OK) {
        fprintf(stderr, "wzp-relay: %s: expected 64 hex digits; offset %zu of %zu is wrong\n", where,
                bad, len);
        return UNREADABLE;
    }
    return 0;
}

static int make_identity(uint8_t seed[32], const char *path) {
    char text[65];
    wzp_rng_fill(wzp_io_rng(), seed, 32);
    wzp_hex_write(text, wzp_bytes_of(seed, 32));
    const bool ok = wzp_io_write_secret(path, text);
    wzp_crypto_wipe(text, sizeof text);
    return ok ? 0 : complain(UNREADABLE, path, strerror(errno));
}

/* A damaged identity is never replaced: that would change who the relay is. */
static int load_identity(uint8_t seed[32], const options *o) {
    char path[512];
    char text[256];
    size_t len = 0;
    const char *home = getenv("HOME");
    if (o->seed_hex != NULL) {
        return parse_seed(seed, o->seed_hex, strlen(o->seed_hex), "--seed");
    }
    snprintf(path, sizeof path, "%s/.wzp", home != NULL ? home : ".");
    if (o->identity == NULL) {
        (void)mkdir(path, 0700);
        strncat(path, "/relay-identity", sizeof path - strlen(path) - 1);
    } else {
        snprintf(path, sizeof path, "%s", o->identity);
    }
    if (!wzp_io_read_file(path, text, sizeof text, &len)) {
        return errno == ENOENT ? make_identity(seed, path)
                               : complain(UNREADABLE, path, strerror(errno));
    }
    const int code = parse_seed(seed, text, len, path);
    wzp_crypto_wipe(text, sizeof text);
    return code;
}

/* --- outputs --------------------------------------------------------------------------------------------- */

static void log_line(void *ctx, wzp_log_level level, const char *text) {
    char now[40];
    (void)ctx;
    wzp_io_rfc3339(now);
    fprintf(stderr, "%s %s %s\n", now, wzp_log_level_name(level), text);
}

static void on_keylog(void *ctx, wzp_quic_conn conn, const char *line) {
    program *p = ctx;
    (void)conn;
    fprintf(p->keylog, "%s\n", line);
}

static void write_events(void *ctx, wzp_time now) {
    program *p = ctx;
    wzp_relay_event e;
    char stamp[40];
    (void)now;
    while (wzp_relay_next_event(p->relay, &e)) {
        if (p->event_log == NULL) {
            continue;
        }
        char room[260];
        char reason[170];
        wzp_io_rfc3339(stamp);
        fprintf(p->event_log,
                "{\"ts\":\"%s\",\"event\":\"%s\",\"room\":\"%s\",\"peer\":\"%s\",\"reason\":\"%s\","
                "\"participants\":%u}\n",
                stamp, e.event, wzp_log_clean(room, sizeof room, e.room, strlen(e.room)), e.peer,
                wzp_log_clean(reason, sizeof reason, e.reason, strlen(e.reason)), e.count);
    }
}

static bool metrics_text(void *ctx, wzp_wr *wr) {
    return wzp_relay_metrics(((program *)ctx)->relay, wr) == WZP_OK;
}

/* --- run ------------------------------------------------------------------------------------------------- */

static void on_linger(uv_timer_t *timer) {
    program *p = timer->data;
    wzp_drive_stop(&p->drive);
    uv_stop(&p->loop);
}

/* Tells everybody, gives the closes 200 ms to leave, then ends. */
static void on_signal(uv_signal_t *signal, int number) {
    program *p = signal->data;
    (void)number;
    wzp_relay_shutdown(p->relay, wzp_io_now());
    wzp_drive_kick(&p->drive);
    uv_timer_start(&p->linger, on_linger, 200, 0);
}

static int open_log(FILE **out, const char *path) {
    if (path != NULL) {
        *out = fopen(path, "w");
        if (*out == NULL) {
            return complain(UNREADABLE, path, strerror(errno));
        }
        setvbuf(*out, NULL, _IOLBF, 0);
    }
    return 0;
}

static int make_relay(program *p) {
    wzp_relay_cfg cfg = {.rng = wzp_io_rng(),
                         .log = {log_line, NULL, p->opts.log_level},
                         .enforce = p->opts.enforce,
                         .build = WZP_BUILD_HASH,
                         .region = p->opts.region,
                         .max_sessions = p->opts.max_sessions,
                         .max_conns = 65536,
                         .strict_identity = p->opts.strict_identity,
                         .keylog = p->keylog != NULL ? on_keylog : NULL,
                         .keylog_ctx = p};
    const int code = load_identity(cfg.seed, &p->opts);
    if (code != 0) {
        return code;
    }
    const wzp_err err = wzp_relay_new(&p->relay, &cfg, wzp_io_now());
    wzp_crypto_wipe(cfg.seed, sizeof cfg.seed);
    return err == WZP_OK ? 0 : complain(FAILED, "relay", wzp_err_text(err));
}

static int start(program *p) {
    char addr[WZP_ADDR_TEXT_MAX];
    int code = open_log(&p->event_log, p->opts.event_log);
    code = code != 0 ? code : open_log(&p->keylog, p->opts.keylog);
    code = code != 0 ? code : make_relay(p);
    if (code != 0) {
        return code;
    }
    if (wzp_udp_open(&p->udp, &p->opts.listen, false) != WZP_OK) {
        return complain(UNREADABLE, wzp_addr_text(&p->opts.listen, addr), strerror(errno));
    }
    uv_loop_init(&p->loop);
    if (p->opts.metrics_port != 0 &&
        !wzp_metrics_http_start(&p->http, &p->loop, p->opts.metrics_port, metrics_text, p)) {
        return complain(UNREADABLE, "--metrics-port", "the port cannot be bound");
    }
    p->drive = (wzp_drive){
        .core = wzp_relay_core(p->relay), .udp = p->udp, .after = write_events, .ctx = p};
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&p->loop, &p->signals[i]);
        p->signals[i].data = p;
        uv_signal_start(&p->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&p->loop, &p->linger);
    p->linger.data = p;
    if (wzp_drive_start(&p->drive, &p->loop) != WZP_OK) {
        return complain(FAILED, "socket", "cannot be watched");
    }
    const wzp_addr local = wzp_udp_local(p->udp);
    printf("listening on %s\nidentity %s\ntls %s\n", wzp_addr_text(&local, addr),
           wzp_relay_fingerprint(p->relay), wzp_relay_tls_fingerprint(p->relay));
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv) {
    static program p;
    int code = parse(&p.opts, argc, argv);
    if (code >= 0) {
        return code;
    }
    code = start(&p);
    if (code == 0) {
        uv_run(&p.loop, UV_RUN_DEFAULT);
        write_events(&p, wzp_io_now());
    }
    wzp_metrics_http_stop(&p.http);
    wzp_relay_free(&p.relay);
    wzp_udp_close(&p.udp);
    return code;
}
