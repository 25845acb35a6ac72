#include "conformance/bin/target.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/bin/probe.h"
#include "io/drive.h"
#include "io/sys.h"
#include "wzp_version.h"

enum { UNREACHABLE = 4, UNREADABLE = 3, METRICS_MAX = 262144 };

struct wzp_ct_target {
    const wzp_ct_options *options;
    wzp_ct_world *world;
    wzp_addr addr;
    wzp_prng prng;

    wzp_relay *relay; /* embedded */
    wzp_udp *udp;     /* embedded, real time */
    uv_loop_t loop;
    uv_async_t stop;
    wzp_drive drive;
    pthread_t thread;
    bool threaded;

    pid_t child; /* --exec; 0 none */
};

static int complain(int code, const char *what, const char *why) {
    (void)fprintf(stderr, "wzp-conformance: %s: %s\n", what, why);
    return code;
}

/* --- embedded
 * ------------------------------------------------------------------------------------------- */

static wzp_err new_relay(wzp_ct_target *t, wzp_time now) {
    wzp_relay_cfg cfg = {.rng = wzp_ct_target_rng(t),
                         .enforce = t->options->enforce,
                         .build = WZP_BUILD_HASH,
                         .max_sessions = 100000,
                         .max_conns = 100000,
                         .max_handshakes = 4096,
                         .deterministic = t->options->virtual_time};
    wzp_rng_fill(cfg.rng, cfg.seed, sizeof cfg.seed);
    return wzp_relay_new(&t->relay, &cfg, now);
}

static int open_virtual(wzp_ct_target *t, wzp_ct_report *report) {
    wzp_prng_init(&t->prng, t->options->seed, "relay");
    t->addr = wzp_addr_v4(10, 255, 255, 1, 4433);
    if (new_relay(t, WZP_S) != WZP_OK) {
        return complain(UNREADABLE, "embedded relay", "cannot be made");
    }
    t->world = wzp_ct_world_virtual(wzp_relay_core(t->relay), t->addr, WZP_MS);
    (void)snprintf(report->target, sizeof report->target, "embedded relay (virtual time)");
    (void)snprintf(report->target_build, sizeof report->target_build, "%s", WZP_BUILD_HASH);
    return t->world != NULL ? 0 : UNREADABLE;
}

static void on_stop(uv_async_t *async) {
    wzp_ct_target *t = async->data;
    wzp_drive_stop(&t->drive);
    uv_close((uv_handle_t *)async, NULL);
}

/* Events are for an operator's log; here they only must not pile up. */
static void discard_events(void *ctx, wzp_time now) {
    wzp_ct_target *t = ctx;
    wzp_relay_event event;
    (void)now;
    while (wzp_relay_next_event(t->relay, &event)) {
    }
}

static void *relay_thread(void *arg) {
    wzp_ct_target *t = arg;
    if (wzp_drive_start(&t->drive, &t->loop) == WZP_OK) {
        uv_run(&t->loop, UV_RUN_DEFAULT);
    }
    return NULL;
}

static int open_embedded(wzp_ct_target *t, wzp_ct_report *report) {
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    if (wzp_udp_open(&t->udp, &any, false) != WZP_OK) {
        return complain(UNREADABLE, "embedded relay", wzp_io_reason(errno));
    }
    if (new_relay(t, wzp_io_now()) != WZP_OK || uv_loop_init(&t->loop) != 0 ||
        uv_async_init(&t->loop, &t->stop, on_stop) != 0) {
        return complain(UNREADABLE, "embedded relay", "cannot be made");
    }
    t->addr = wzp_udp_local(t->udp);
    t->stop.data = t;
    t->drive = (wzp_drive){
        .core = wzp_relay_core(t->relay), .udp = t->udp, .after = discard_events, .ctx = t};
    t->threaded = pthread_create(&t->thread, NULL, relay_thread, t) == 0;
    t->world = wzp_ct_world_real();
    char addr[WZP_ADDR_TEXT_MAX];
    (void)snprintf(report->target, sizeof report->target, "embedded relay at %s",
                   wzp_addr_text(&t->addr, addr));
    (void)snprintf(report->target_build, sizeof report->target_build, "%s", WZP_BUILD_HASH);
    return t->threaded && t->world != NULL
               ? 0
               : complain(UNREADABLE, "embedded relay", "cannot start a thread");
}

/* --- a relay elsewhere
 * ------------------------------------------------------------------------------------ */

static bool resolve(const char *text, wzp_addr *out, const char **why) {
    char host[256];
    const char *colon = strrchr(text, ':');
    if (wzp_addr_parse(out, text) == WZP_OK) {
        return true;
    }
    if (colon == NULL || (size_t)(colon - text) >= sizeof host) {
        *why = "expected HOST:PORT";
        return false;
    }
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    const int rv = getaddrinfo(host, colon + 1, &hints, &found);
    if (rv != 0) {
        *why = gai_strerror(rv);
        return false;
    }
    struct sockaddr_in in;
    memcpy(&in, found->ai_addr, sizeof in);
    freeaddrinfo(found);
    *out = (wzp_addr){.family = WZP_ADDR_V4, .port = ntohs(in.sin_port)};
    memcpy(out->ip, &in.sin_addr, 4);
    return true;
}

static int reach(wzp_ct_target *t, uint64_t patience, wzp_ct_report *report) {
    char addr[WZP_ADDR_TEXT_MAX];
    char why[160];
    t->world = wzp_ct_world_real();
    if (t->world == NULL) {
        return complain(UNREADABLE, "network", "out of memory");
    }
    if (!wzp_ct_probe(t->world, &t->addr, wzp_io_rng(), patience, report->target_build,
                      sizeof report->target_build, why)) {
        return complain(UNREACHABLE, wzp_addr_text(&t->addr, addr), why);
    }
    return 0;
}

static int open_remote(wzp_ct_target *t, wzp_ct_report *report) {
    const char *why = "";
    if (!resolve(t->options->target, &t->addr, &why)) {
        return complain(UNREACHABLE, t->options->target, why);
    }
    (void)snprintf(report->target, sizeof report->target, "%s", t->options->target);
    return reach(t, 4 * WZP_S, report);
}

static bool free_port(wzp_addr *out) {
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    wzp_udp *udp = NULL;
    if (wzp_udp_open(&udp, &any, true) != WZP_OK) {
        return false;
    }
    *out = wzp_udp_local(udp);
    wzp_udp_close(&udp);
    return true;
}

static bool fill_in_addr(const char *template, const char *addr, char *out, size_t cap) {
    const char *at = strstr(template, "{addr}");
    const int n = at == NULL ? -1
                             : snprintf(out, cap, "exec %.*s%s%s", (int)(at - template), template,
                                        addr, at + 6);
    return n > 0 && (size_t)n < cap;
}

static int open_exec(wzp_ct_target *t, wzp_ct_report *report) {
    char addr[WZP_ADDR_TEXT_MAX];
    char command[2048];
    char log[600];
    if (!free_port(&t->addr) ||
        !fill_in_addr(t->options->exec, wzp_addr_text(&t->addr, addr), command, sizeof command)) {
        return complain(2, "--exec", "the command must contain {addr}");
    }
    (void)snprintf(log, sizeof log, "%s/relay.log",
                   t->options->out != NULL ? t->options->out : "/tmp");
    t->child = fork();
    if (t->child == 0) {
        FILE *out = freopen(t->options->out != NULL ? log : "/dev/null", "w", stdout);
        (void)setpgid(0, 0);
        if (out != NULL) {
            dup2(fileno(out), STDERR_FILENO);
        }
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (t->child < 0) {
        t->child = 0;
        return complain(UNREADABLE, "--exec", wzp_io_reason(errno));
    }
    (void)snprintf(report->target, sizeof report->target, "exec: %.100s", t->options->exec);
    return reach(t, 10 * WZP_S, report);
}

/* --- all kinds
 * --------------------------------------------------------------------------------------------- */

int wzp_ct_target_open(wzp_ct_target **out, const wzp_ct_options *o, wzp_ct_report *report) {
    wzp_ct_target *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return complain(UNREADABLE, "target", "out of memory");
    }
    t->options = o;
    const int code = o->virtual_time     ? open_virtual(t, report)
                     : o->target != NULL ? open_remote(t, report)
                     : o->exec != NULL   ? open_exec(t, report)
                                         : open_embedded(t, report);
    if (code != 0) {
        wzp_ct_target_close(&t);
        return code;
    }
    *out = t;
    return 0;
}

/* By process group, politely first. */
static void end_child(wzp_ct_target *t) {
    int status;
    if (t->child <= 0) {
        return;
    }
    kill(-t->child, SIGTERM);
    kill(t->child, SIGTERM);
    for (int i = 0; i < 40; i++) {
        if (waitpid(t->child, &status, WNOHANG) != 0) {
            t->child = 0;
            return;
        }
        usleep(50000);
    }
    kill(-t->child, SIGKILL);
    kill(t->child, SIGKILL);
    waitpid(t->child, &status, 0);
    t->child = 0;
}

void wzp_ct_target_close(wzp_ct_target **target) {
    wzp_ct_target *t = *target;
    if (t == NULL) {
        return;
    }
    if (t->threaded) {
        uv_async_send(&t->stop);
        pthread_join(t->thread, NULL);
        uv_loop_close(&t->loop);
    }
    if (t->world != NULL) {
        t->world->ops->free(t->world);
    }
    wzp_relay_free(&t->relay);
    wzp_udp_close(&t->udp);
    end_child(t);
    free(t);
    *target = NULL;
}

wzp_ct_world *wzp_ct_target_world(wzp_ct_target *t) {
    return t->world;
}

wzp_addr wzp_ct_target_addr(const wzp_ct_target *t) {
    return t->addr;
}

wzp_rng wzp_ct_target_rng(wzp_ct_target *t) {
    return t->options->virtual_time ? wzp_prng_rng(&t->prng) : wzp_io_rng();
}

bool wzp_ct_target_alive(wzp_ct_target *t) {
    int status;
    if (t->child > 0 && waitpid(t->child, &status, WNOHANG) == t->child) {
        t->child = -1;
    }
    return t->child >= 0;
}

bool wzp_ct_target_has_metrics(const wzp_ct_target *t) {
    return t->options->metrics != NULL || (t->relay != NULL && !t->threaded);
}

bool wzp_ct_target_metrics(wzp_ct_target *t, char *text, size_t cap) {
    size_t len = 0;
    if (t->options->metrics != NULL) {
        return wzp_io_read_file(t->options->metrics, text, cap, &len);
    }
    wzp_wr wr;
    wzp_wr_init(&wr, (uint8_t *)text, cap - 1);
    const bool ok = wzp_relay_metrics(t->relay, &wr) == WZP_OK;
    text[wzp_wr_len(&wr)] = '\0';
    return ok;
}
