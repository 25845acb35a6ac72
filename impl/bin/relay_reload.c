#include "bin/relay_reload.h"

#include <stdio.h>

/* Options that are used once, when the relay is made. */
static const struct fixed {
    const char *name;
    size_t at, len;
} fixed[] = {
#define FIXED(name, field)                                                                         \
    { name, offsetof(wzp_relay_options, field), sizeof((wzp_relay_options *)NULL)->field }
    FIXED("trunking_enabled", trunking),
    FIXED("ring_timeout", ring_timeout_s),
    FIXED("max_connections", max_connections),
    FIXED("max_connections_per_ip", max_connections_per_ip),
    FIXED("threads", threads),
    FIXED("metrics_port", metrics_port),
    FIXED("ws_port", ws_port),
    FIXED("log_level", log_level),
#undef FIXED
};

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_texts(const json_t *a, const json_t *b) {
    return a == b || (a != NULL && b != NULL && json_equal(a, b) == 1);
}

static void name_fixed(const wzp_relay_options *started, const wzp_relay_options *anew,
                       const wzp_log *log) {
    static const char needs[] = "%s has changed: that needs a restart";
    for (size_t i = 0; i < WZP_COUNT_OF(fixed); i++) {
        if (memcmp((const char *)started + fixed[i].at, (const char *)anew + fixed[i].at,
                   fixed[i].len) != 0) {
            wzp_logf(log, WZP_LOG_WARN, needs, fixed[i].name);
        }
    }
    if (!wzp_addr_equal(&started->listen, &anew->listen)) {
        wzp_logf(log, WZP_LOG_WARN, needs, "listen_addr");
    }
    if (!same_text(started->debug_tap, anew->debug_tap)) {
        wzp_logf(log, WZP_LOG_WARN, needs, "debug_tap");
    }
    if (!same_text(started->auth_url, anew->auth_url)) {
        wzp_logf(log, WZP_LOG_WARN, needs, "auth_url");
    }
    if (!same_text(started->auth_ca, anew->auth_ca)) {
        wzp_logf(log, WZP_LOG_WARN, needs, "auth_ca");
    }
    if (!same_texts(started->available_relays, anew->available_relays)) {
        wzp_logf(log, WZP_LOG_WARN, needs, "available_relays");
    }
}

void wzp_relay_reload(wzp_relay_options *started, int argc, char **argv, wzp_relay_crew *crew,
                      const wzp_log *log) {
    wzp_relay_options anew;
    if (wzp_relay_options_parse(&anew, argc, argv) != -1 || anew.config_missing) {
        wzp_logf(log, WZP_LOG_ERROR, "reload: nothing has changed%s",
                 anew.config_missing ? "; the configuration file is missing" : "");
        wzp_relay_options_clear(&anew);
        return;
    }
    const wzp_relay_live live = {.enforce = anew.enforce,
                                 .exact_limits = anew.exact_limits,
                                 .strict_identity = anew.strict_identity,
                                 .pli_broadcast = anew.pli_broadcast,
                                 .max_sessions = anew.max_sessions,
                                 .advertised = anew.advertised,
                                 .region = anew.region};
    wzp_relay_crew_change(crew, &live);
    started->drain_timeout_s = anew.drain_timeout_s;
    name_fixed(started, &anew, log);
    wzp_logf(log, WZP_LOG_INFO, "reload: done");
    wzp_relay_options_clear(&anew);
}
