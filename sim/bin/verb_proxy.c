#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/sys.h"
#include "sim/bin/files.h"
#include "sim/bin/proxy_report.h"
#include "sim/bin/proxy_sockets.h"
#include "sim/lab/captures.h"
#include "sim/lab/near.h"
#include "sim/lab/units.h"

typedef struct program {
    const wzp_sim_options *o;
    const wzp_lab_scenario *scenario;
    uint32_t host;
    wzp_addr listen;
    uint64_t how_long; /* 0: until a signal */
    wzp_time start;
    wzp_sim_proxy *proxy;
    wzp_lab_captures *captures;
    wzp_proxy_sockets sockets;
    uv_signal_t signals[2];
    uv_timer_t end, show;
    bool shown;
} program;

static int complain(int status, const char *what, const char *why) {
    (void)fprintf(stderr, "wzp-sim: %s: %s\n", what, why);
    return status;
}

/* --- options ---------------------------------------------------------------------------------- */

static const char *host_at(const void *list, size_t index) {
    const wzp_lab_scenario *s = list;
    return index < s->host_count ? s->hosts[index].name : NULL;
}

static int pick_host(program *p) {
    const wzp_lab_scenario *s = p->scenario;
    char near[WZP_LAB_NEAR_MAX];
    char all[300];
    bool found = p->o->host == NULL;
    for (uint32_t i = 0; i < s->host_count; i++) {
        if (p->o->host == NULL ? strcmp(s->hosts[i].name, s->hosts[p->host].name) < 0
                               : strcmp(s->hosts[i].name, p->o->host) == 0) {
            p->host = i;
            found = true;
        }
    }
    if (!found) {
        (void)fprintf(stderr, "wzp-sim: --host: the scenario has no host '%s'%s; it has: %s\n",
                      p->o->host, wzp_lab_near(p->o->host, host_at, s, near),
                      wzp_lab_names(host_at, s, all, sizeof all));
        return EXIT_USAGE;
    }
    return -1;
}

static int take_address(const char *option, const char *text, wzp_addr *out) {
    if (text == NULL) {
        return complain(EXIT_USAGE, "proxy", "needs --listen and --upstream; see --help");
    }
    if (wzp_addr_parse(out, text) != WZP_OK) {
        (void)fprintf(stderr, "wzp-sim: %s takes an address as 127.0.0.1:4433, not '%s'\n", option,
                      text);
        return EXIT_USAGE;
    }
    return -1;
}

static int take_options(program *p) {
    int64_t low = 0;
    int64_t high = 0;
    if (p->o->file_count != 1) {
        return complain(EXIT_USAGE, "proxy", "takes one scenario; see --help");
    }
    if (p->o->how_long != NULL &&
        (wzp_lab_units_parse(WZP_LAB_TIME, p->o->how_long, &low, &high) != WZP_LAB_UNITS_OK ||
         low != high || low <= 0)) {
        return complain(EXIT_USAGE, "--for takes a time as '30 s', not", p->o->how_long);
    }
    p->how_long = (uint64_t)low;
    const int status = take_address("--listen", p->o->listen, &p->listen);
    return status == -1 ? take_address("--upstream", p->o->upstream, &p->sockets.upstream) : status;
}

/* --- while it runs ---------------------------------------------------------------------------- */

static void on_packet(void *ctx, const char *interface, wzp_sim_way way,
                      const wzp_sim_packet *packet, wzp_time now) {
    wzp_lab_captures_packet(ctx, interface, way, packet, now);
}

static void on_event(void *ctx, const wzp_sim_proxy_output *out) {
    const program *p = ctx;
    const uint64_t at = wzp_time_since(out->at, p->start);
    if (!p->o->quiet) {
        (void)fprintf(stderr, "%s%" PRIu64 ".%03" PRIu64 " s  %s %s%s%s\n",
                      p->shown ? "\r\033[K" : "", at / WZP_S, at / WZP_MS % 1000,
                      out->event->target_name, out->what, *out->event->to_name != '\0' ? " " : "",
                      out->event->to_name);
    }
}

static void on_show(uv_timer_t *timer) {
    program *p = timer->data;
    wzp_sim_proxy_counts c;
    wzp_sim_proxy_count(p->proxy, &c);
    p->shown = true;
    (void)fprintf(stderr,
                  "\r%" PRIu64 " s, %zu clients, %zu mappings, %" PRIu64 " up, %" PRIu64
                  " down \033[K",
                  wzp_time_since(wzp_io_now(), p->start) / WZP_S, c.live_clients, c.live_mappings,
                  c.to_upstream, c.to_clients);
}

static void on_end(uv_timer_t *timer) {
    uv_stop(timer->loop);
}

static void on_signal(uv_signal_t *handle, int number) {
    (void)number;
    uv_stop(handle->loop);
}

static void start_handles(program *p) {
    static const int numbers[] = {SIGINT, SIGTERM};
    uv_loop_t *loop = &p->sockets.loop;
    for (size_t i = 0; i < WZP_COUNT_OF(numbers); i++) {
        uv_signal_init(loop, &p->signals[i]);
        uv_signal_start(&p->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(loop, &p->end);
    if (p->how_long != 0) {
        uv_timer_start(&p->end, on_end, (p->how_long + WZP_MS - 1) / WZP_MS, 0);
    }
    uv_timer_init(loop, &p->show);
    p->show.data = p;
    if (!p->o->quiet && isatty(STDERR_FILENO) != 0) {
        uv_timer_start(&p->show, on_show, 2000, 1000);
    }
}

/* A socket for each mapping. */
static void raise_limit(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* --- results ---------------------------------------------------------------------------------- */

static bool to_stdout(const program *p) {
    return p->o->json != NULL && strcmp(p->o->json, "-") == 0;
}

static bool write_json(const char *path, const wzp_proxy_summary *summary) {
    FILE *out = wzp_sim_create(path);
    json_t *json = wzp_proxy_report_json(summary);
    const bool good = out != NULL && json != NULL && json_dumpf(json, out, JSON_INDENT(1)) == 0 &&
                      fputc('\n', out) != EOF;
    json_decref(json);
    return out != NULL && wzp_sim_finish(out, path, good);
}

static int report(const program *p) {
    const wzp_proxy_summary summary = {.scenario = p->scenario,
                                       .host = p->scenario->hosts[p->host].name,
                                       .proxy = p->proxy,
                                       .lasted = wzp_time_since(wzp_io_now(), p->start),
                                       .unsent = p->sockets.unsent};
    if (p->shown) {
        (void)fputs("\r\033[K", stderr);
    }
    if (!to_stdout(p) && !p->o->quiet) {
        wzp_proxy_report_text(stdout, &summary);
    }
    if (p->o->json != NULL && !write_json(p->o->json, &summary)) {
        return EXIT_UNREADABLE;
    }
    if (p->captures != NULL && !wzp_lab_captures_close(p->captures)) {
        return complain(EXIT_UNREADABLE, p->o->pcap, wzp_io_reason(errno));
    }
    return p->sockets.failed ? complain(EXIT_FINDINGS, "proxy", "too many packets at once")
                             : EXIT_GOOD;
}

/* --- all -------------------------------------------------------------------------------------- */

static int serve(program *p) {
    char text[WZP_ADDR_TEXT_MAX];
    p->sockets.proxy = p->proxy;
    p->sockets.told = on_event;
    p->sockets.ctx = p;
    if (wzp_proxy_sockets_open(&p->sockets, &p->listen) != WZP_OK) {
        return complain(EXIT_UNREACHABLE, p->o->listen, wzp_io_reason(errno));
    }
    const wzp_addr local = wzp_proxy_sockets_local(&p->sockets);
    start_handles(p);
    (void)fprintf(to_stdout(p) ? stderr : stdout, "listening on %s\n", wzp_addr_text(&local, text));
    (void)fflush(stdout);
    wzp_proxy_sockets_run(&p->sockets);
    wzp_proxy_sockets_close(&p->sockets);
    return report(p);
}

static int build(program *p) {
    char why[256];
    if (p->o->pcap != NULL &&
        wzp_lab_captures_new(&p->captures, p->o->pcap, p->scenario->name, why) != WZP_OK) {
        return complain(EXIT_UNREADABLE, "--pcap", why);
    }
    p->start = wzp_io_now();
    const wzp_sim_proxy_cfg cfg = {.scenario = p->scenario,
                                   .host = p->host,
                                   .start = p->start,
                                   .tap = p->captures != NULL ? on_packet : NULL,
                                   .ctx = p->captures};
    return wzp_sim_proxy_new(&p->proxy, &cfg, why) == WZP_OK
               ? -1
               : complain(EXIT_UNREADABLE, p->scenario->name, why);
}

int wzp_sim_proxy_main(const wzp_sim_options *o) {
    char path[512];
    wzp_lab_scenario *s = NULL;
    program *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return complain(EXIT_UNREADABLE, "proxy", "out of memory");
    }
    p->o = o;
    int status = take_options(p);
    status = status == -1 ? wzp_sim_find(o->files[0], path) : status;
    status = status == -1 ? wzp_sim_load(o, path, o->has_seed ? &o->seed : NULL, &s) : status;
    p->scenario = s;
    status = status == -1 ? pick_host(p) : status;
    status = status == -1 ? build(p) : status;
    if (status == -1) {
        raise_limit();
        status = serve(p);
    }
    wzp_sim_proxy_free(&p->proxy);
    wzp_lab_captures_free(&p->captures);
    wzp_lab_scenario_free(&s);
    free(p);
    return status;
}
