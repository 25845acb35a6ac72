#include "conformance/bin/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "conformance/bin/child.h"
#include "conformance/bin/client_child.h"
#include "conformance/bin/probe.h"
#include "conformance/bin/scrape.h"
#include "conformance/embedded/client.h"
#include "conformance/embedded/embedded.h"
#include "conformance/embedded/identity.h"
#include "conformance/embedded/net.h"
#include "io/files.h"
#include "io/lookup.h"
#include "io/sys.h"
#include "wzp_version.h"

enum { UNREACHABLE = 4, UNREADABLE = 3, USAGE = 2, PATIENCE_S = 10 };

struct wzp_ct_target {
    const wzp_ct_options *options;
    wzp_ct_world *world;
    wzp_addr addrs[WZP_CT_CONFIG_COUNT];
    wzp_prng prng;
    wzp_ct_embedded *embedded;
    wzp_lab_scenario *scenario;                 /* --net; the world borrows from it */
    wzp_ct_child children[WZP_CT_CONFIG_COUNT]; /* --exec and --config */
    wzp_ct_identity identity;                   /* for --config identity */
    bool must_restart;
    wzp_addr suite; /* whom the relay for --config dialling dials */
    bool must_dial;
    wzp_ct_embedded_client_cfg inside; /* --client embedded */
    wzp_ct_client_command command;     /* --client CMD */
    char client_log[600];
};

static int complain(int code, const char *what, const char *why) {
    (void)fprintf(stderr, "wzp-conformance: %s: %s\n", what, why);
    return code;
}

static bool open_world(wzp_ct_target *t) {
    const wzp_ct_options *o = t->options;
    wzp_ct_net net;
    if (o->net != NULL && !wzp_ct_net_load(&net, &t->scenario, o->net)) {
        return false;
    }
    t->world = o->virtual_time ? wzp_ct_world_virtual(o->seed, o->net != NULL ? &net : NULL)
                               : wzp_ct_world_real();
    return true;
}

/* --- a client --------------------------------------------------------------------------------- */

static bool is_embedded_client(const wzp_ct_target *t) {
    return strcmp(t->options->client, "embedded") == 0;
}

static int open_client(wzp_ct_target *t, wzp_ct_report *report) {
    const wzp_ct_options *o = t->options;
    wzp_prng_init(&t->prng, o->seed, "client");
    if (!open_world(t)) {
        return UNREADABLE;
    }
    if (t->world == NULL) {
        return complain(UNREADABLE, "network", "out of memory");
    }
    if (is_embedded_client(t)) {
        t->inside = (wzp_ct_embedded_client_cfg){
            .world = t->world, .rng = wzp_ct_target_rng(t), .virtual_time = o->virtual_time};
        (void)snprintf(report->target, sizeof report->target, "embedded client%s",
                       o->virtual_time ? " (virtual time)" : "");
        (void)snprintf(report->target_build, sizeof report->target_build, "%s", WZP_BUILD_HASH);
        return 0;
    }
    (void)snprintf(t->client_log, sizeof t->client_log, "%s/client.log",
                   o->out != NULL ? o->out : "");
    t->command = (wzp_ct_client_command){.template = o->client,
                                         .listener = o->listener,
                                         .checker = o->checker,
                                         .caller = o->caller,
                                         .mover = o->mover,
                                         .log = o->out != NULL ? t->client_log : NULL};
    (void)snprintf(report->target, sizeof report->target, "client: %.100s",
                   *o->client != '\0'    ? o->client
                   : o->listener != NULL ? o->listener
                   : o->caller != NULL   ? o->caller
                                         : o->checker);
    return 0;
}

const wzp_ct_client_ops *wzp_ct_target_clients(const wzp_ct_target *t) {
    return t->options->client == NULL ? NULL
           : is_embedded_client(t)    ? &wzp_ct_embedded_clients
                                      : &wzp_ct_client_children;
}

void *wzp_ct_target_clients_ctx(wzp_ct_target *t) {
    return t->options->client != NULL && is_embedded_client(t) ? (void *)&t->inside
                                                               : (void *)&t->command;
}

bool wzp_ct_target_client_is_missing(const wzp_ct_target *t) {
    if (t->command.missing > 0) {
        (void)complain(UNREACHABLE, "--client",
                       "the shell finds no such program, or may not run it");
    }
    return t->command.missing > 0;
}

static bool is_told(const wzp_ct_target *t, const char *what) {
    return t->options->client != NULL &&
           (is_embedded_client(t) || strstr(t->options->client, what) != NULL);
}

bool wzp_ct_target_client_obeys(const wzp_ct_target *t) {
    return is_told(t, "{crypto}");
}

bool wzp_ct_target_client_tunes(const wzp_ct_target *t) {
    return is_told(t, "{quality}");
}

/* --- embedded --------------------------------------------------------------------------------- */

static int open_embedded(wzp_ct_target *t, wzp_ct_report *report) {
    const wzp_ct_options *o = t->options;
    char addr[WZP_ADDR_TEXT_MAX];
    wzp_prng_init(&t->prng, o->seed, "relay");
    if (!open_world(t)) {
        return UNREADABLE;
    }
    const wzp_ct_embedded_cfg cfg = {.enforce = o->enforce,
                                     .exact_limits = o->strict_limits,
                                     .strict_identity = o->strict_identity,
                                     .rng = wzp_ct_target_rng(t),
                                     .world = o->virtual_time ? t->world : NULL};
    t->embedded = t->world != NULL ? wzp_ct_embedded_new(&cfg, t->addrs) : NULL;
    if (t->embedded == NULL) {
        return complain(UNREADABLE, "embedded relay", "no memory, no socket or no thread");
    }
    if (o->virtual_time) {
        (void)snprintf(report->target, sizeof report->target, "embedded relay (virtual time)");
    } else {
        (void)snprintf(report->target, sizeof report->target, "embedded relay at %s",
                       wzp_addr_text(&t->addrs[WZP_CT_CONFIG_PLAIN], addr));
    }
    (void)snprintf(report->target_build, sizeof report->target_build, "%s", WZP_BUILD_HASH);
    if (o->metrics != NULL) {
        t->addrs[WZP_CT_CONFIG_METRICS] = (wzp_addr){.family = WZP_ADDR_NONE}; /* of another one */
    }
    return 0;
}

/* --- a relay elsewhere ------------------------------------------------------------------------ */

/* 0, or an exit status, said. */
static int resolve(const char *text, wzp_addr *out) {
    const char *why = "";
    const wzp_lookup_result found = wzp_lookup(text, AF_INET, out, &why);
    return found == WZP_LOOKUP_FOUND
               ? 0
               : complain(found == WZP_LOOKUP_MALFORMED ? USAGE : UNREACHABLE, text, why);
}

/* Waits until the relay answers; a child that ends meanwhile is not waited for. */
static int reach(wzp_ct_target *t, wzp_ct_config config, unsigned seconds, char *build,
                 size_t cap) {
    const wzp_addr *addr = &t->addrs[config];
    wzp_ct_child *child = &t->children[config];
    char text[WZP_ADDR_TEXT_MAX];
    char why[160];
    char fate[64];
    for (unsigned i = 0; i < seconds; i++) {
        if (wzp_ct_probe(t->world, addr, wzp_io_rng(), WZP_S, build, cap, why)) {
            return 0;
        }
        if (child->pid != 0 && !wzp_ct_child_alive(child)) {
            return complain(UNREACHABLE, "--exec", wzp_ct_child_fate(child, fate, sizeof fate));
        }
    }
    if (strncmp(why, "no answer", 9) == 0) {
        (void)snprintf(why, sizeof why, "no answer within %u s", seconds);
    }
    return complain(UNREACHABLE, wzp_addr_text(addr, text), why);
}

static int open_remote(wzp_ct_target *t, wzp_ct_report *report) {
    const int code = resolve(t->options->target, &t->addrs[WZP_CT_CONFIG_PLAIN]);
    if (code != 0) {
        return code;
    }
    (void)snprintf(report->target, sizeof report->target, "%s", t->options->target);
    return reach(t, WZP_CT_CONFIG_PLAIN, 4, report->target_build, sizeof report->target_build);
}

/* At the address that t->addrs has for it. */
static bool run_child(wzp_ct_target *t, wzp_ct_config config, const char *command,
                      const char **why) {
    static const char *const logs[] = {"relay",          "relay-max-sessions", "relay-auth",
                                       "relay-trunking", "relay-identity",     "relay-region",
                                       "relay-policy",   "relay-observe",      "relay-federation",
                                       "relay-dialling"};
    const bool is_restarted = config == WZP_CT_CONFIG_IDENTITY;
    const wzp_ct_command_line line = {.template = command,
                                      .addr = &t->addrs[config],
                                      .identity = is_restarted ? t->identity.path : NULL,
                                      .peer = config == WZP_CT_CONFIG_DIALLING ? &t->suite : NULL};
    char log[600];
    (void)snprintf(log, sizeof log, "%s/%s.log", t->options->out != NULL ? t->options->out : "",
                   logs[config]);
    return wzp_ct_child_start(&t->children[config], &line, t->options->out != NULL ? log : NULL,
                              why);
}

static int start(wzp_ct_target *t, wzp_ct_config config, const char *command, char *build,
                 size_t cap) {
    const char *why = "no free port";
    if (config == WZP_CT_CONFIG_IDENTITY &&
        !wzp_ct_identity_prepare(&t->identity, WZP_CT_IDENTITY_KNOWN)) {
        return complain(UNREADABLE, "an identity file for --config identity", wzp_io_reason(errno));
    }
    if (!wzp_ct_free_address(&t->addrs[config]) || !run_child(t, config, command, &why)) {
        return complain(2, config == WZP_CT_CONFIG_PLAIN ? "--exec" : "--config", why);
    }
    return reach(t, config, PATIENCE_S, build, cap);
}

static int open_exec(wzp_ct_target *t, wzp_ct_report *report) {
    (void)snprintf(report->target, sizeof report->target, "exec: %.100s", t->options->exec);
    return start(t, WZP_CT_CONFIG_PLAIN, t->options->exec, report->target_build,
                 sizeof report->target_build);
}

/* It is started for each run of a case. */
static int prepare_dialling(wzp_ct_target *t, const char *command) {
    if (strstr(command, "{addr}") == NULL || strstr(command, "{peer}") == NULL) {
        return complain(2, "--config dialling", "the command must contain {addr} and {peer}");
    }
    return wzp_ct_free_address(&t->addrs[WZP_CT_CONFIG_DIALLING])
               ? 0
               : complain(2, "--config dialling", "no free port");
}

/* --config NAME=COMMAND or NAME=ADDR:PORT: relays for cases that need one of their own. */
static int open_configs(wzp_ct_target *t) {
    char build[64];
    for (int i = WZP_CT_CONFIG_PLAIN + 1; i < WZP_CT_CONFIG_METRICS; i++) {
        const char *value = t->options->configs[i];
        int code = 0;
        if (value != NULL && i == WZP_CT_CONFIG_DIALLING) {
            code = prepare_dialling(t, value);
        } else if (value != NULL &&
                   (strstr(value, "{addr}") != NULL || i == WZP_CT_CONFIG_IDENTITY)) {
            code = start(t, (wzp_ct_config)i, value, build, sizeof build);
        } else if (value != NULL) {
            code = resolve(value, &t->addrs[i]);
            code = code == 0 ? reach(t, (wzp_ct_config)i, 4, build, sizeof build) : code;
        }
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

/* --- all kinds -------------------------------------------------------------------------------- */

static int open_other(wzp_ct_target *t, wzp_ct_report *report) {
    t->world = wzp_ct_world_real();
    if (t->world == NULL) {
        return complain(UNREADABLE, "network", "out of memory");
    }
    const int code = t->options->target != NULL ? open_remote(t, report) : open_exec(t, report);
    const char *metrics = t->options->metrics;
    if (metrics != NULL && wzp_ct_is_url(metrics)) { /* a file says nothing of what changes */
        t->addrs[WZP_CT_CONFIG_METRICS] = t->addrs[WZP_CT_CONFIG_PLAIN];
    }
    return code != 0 ? code : open_configs(t);
}

int wzp_ct_target_open(wzp_ct_target **out, const wzp_ct_options *o, wzp_ct_report *report) {
    wzp_ct_target *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return complain(UNREADABLE, "target", "out of memory");
    }
    t->options = o;
    const bool other = o->target != NULL || o->exec != NULL;
    const int code = o->client != NULL ? open_client(t, report)
                     : other           ? open_other(t, report)
                                       : open_embedded(t, report);
    if (code != 0) {
        wzp_ct_target_close(&t);
        return code;
    }
    *out = t;
    return 0;
}

void wzp_ct_target_close(wzp_ct_target **target) {
    wzp_ct_target *t = *target;
    if (t == NULL) {
        return;
    }
    if (t->world != NULL) {
        t->world->ops->free(t->world);
    }
    wzp_ct_embedded_free(&t->embedded);
    wzp_lab_scenario_free(&t->scenario);
    for (int i = 0; i < WZP_CT_CONFIG_COUNT; i++) {
        wzp_ct_child_end(&t->children[i]);
    }
    wzp_ct_identity_clear(&t->identity);
    free(t);
    *target = NULL;
}

wzp_ct_world *wzp_ct_target_world(wzp_ct_target *t) {
    return t->world;
}

const wzp_addr *wzp_ct_target_addrs(const wzp_ct_target *t) {
    return t->addrs;
}

wzp_rng wzp_ct_target_rng(wzp_ct_target *t) {
    return t->options->virtual_time ? wzp_prng_rng(&t->prng) : wzp_io_rng();
}

bool wzp_ct_target_alive(wzp_ct_target *t) {
    return wzp_ct_child_alive(&t->children[WZP_CT_CONFIG_PLAIN]);
}

bool wzp_ct_target_has_metrics(const wzp_ct_target *t) {
    return t->options->metrics != NULL || t->embedded != NULL;
}

bool wzp_ct_target_has_auth_metrics(const wzp_ct_target *t) {
    return t->options->auth_metrics != NULL || t->embedded != NULL;
}

bool wzp_ct_target_metrics(wzp_ct_target *t, wzp_ct_config config, char *text, size_t cap) {
    const char *metrics =
        config == WZP_CT_CONFIG_AUTH ? t->options->auth_metrics : t->options->metrics;
    size_t len = 0;
    return metrics == NULL          ? wzp_ct_embedded_metrics(t->embedded, config, text, cap)
           : wzp_ct_is_url(metrics) ? wzp_ct_scrape(metrics, text, cap)
                                    : wzp_io_read_file(metrics, text, cap, &len);
}

bool wzp_ct_target_restart(wzp_ct_target *t, wzp_ct_identity_file file) {
    if (t->embedded != NULL) {
        return wzp_ct_embedded_restart(t->embedded, file);
    }
    t->must_restart =
        t->children[WZP_CT_CONFIG_IDENTITY].pid != 0 && wzp_ct_identity_prepare(&t->identity, file);
    return t->must_restart;
}

bool wzp_ct_target_is_restarted(const wzp_ct_target *t) {
    return t->embedded != NULL ? wzp_ct_embedded_is_restarted(t->embedded) : !t->must_restart;
}

bool wzp_ct_target_dial(wzp_ct_target *t, const wzp_addr *suite) {
    t->suite = *suite;
    t->must_dial = t->embedded == NULL;
    return t->embedded == NULL || wzp_ct_embedded_dial(t->embedded, suite);
}

bool wzp_ct_target_is_dialling(const wzp_ct_target *t) {
    return t->embedded != NULL ? wzp_ct_embedded_is_dialling(t->embedded) : !t->must_dial;
}

static void replace(wzp_ct_target *t, wzp_ct_config config) {
    const char *why = "";
    wzp_ct_child_kill(&t->children[config]);
    (void)run_child(t, config, t->options->configs[config], &why);
}

/* They are killed, and their successors started, without waiting for either: other cases run
 * meanwhile. */
void wzp_ct_target_turn(wzp_ct_target *t, wzp_time now) {
    if (t->embedded != NULL) {
        wzp_ct_embedded_turn(t->embedded, now);
        return;
    }
    if (t->must_restart) {
        replace(t, WZP_CT_CONFIG_IDENTITY);
    }
    if (t->must_dial) {
        replace(t, WZP_CT_CONFIG_DIALLING);
    }
    t->must_restart = t->must_dial = false;
}
