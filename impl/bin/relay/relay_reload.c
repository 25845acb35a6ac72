#include "bin/relay/relay_reload.h"

#include <stdio.h>

/* Options that are used once, when the relay is made. */
static const struct fixed {
    const char *name;
    size_t at, len;
} fixed[] = {
#define FIXED(name, field)                                                                         \
    { name, offsetof(wzp_relay_options, field), sizeof((wzp_relay_options *)NULL)->field }
    FIXED("max_connections", max_connections),
    FIXED("max_connections_per_ip", max_connections_per_ip),
    FIXED("threads", threads),
    FIXED("metrics_port", metrics_port),
    FIXED("ws_port", ws_port),
    FIXED("federation_pin", pin_required),
    FIXED("federation_room_pps", federation_room_pps),
    FIXED("federation_peer_pps", federation_peer_pps),
    FIXED("federation_peer_bytes", federation_peer_bytes),
    FIXED("global_rooms", global_room_count),
#undef FIXED
};

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_peers(const wzp_relay_options *a, const wzp_relay_options *b) {
    bool same = a->peer_count == b->peer_count;
    for (size_t i = 0; same && i < a->peer_count; i++) {
        same = wzp_addr_equal(&a->peers[i].addr, &b->peers[i].addr) &&
               same_text(a->peers[i].fingerprint, b->peers[i].fingerprint) &&
               same_text(a->peers[i].label, b->peers[i].label);
    }
    return same;
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
    if (!same_peers(started, anew)) {
        wzp_logf(log, WZP_LOG_WARN, needs, "peers or trusted");
    }
    if (!same_text(started->auth_url, anew->auth_url)) {
        wzp_logf(log, WZP_LOG_WARN, needs, "auth_url");
    }
    if (!same_text(started->ban_list, anew->ban_list)) {
        wzp_logf(log, WZP_LOG_WARN, needs, "ban_list");
    }
    if (!same_text(started->auth_ca, anew->auth_ca)) {
        wzp_logf(log, WZP_LOG_WARN, needs, "auth_ca");
    }
}

void wzp_relay_reload(wzp_relay_options *started, int argc, char **argv, wzp_relay_crew *crew,
                      wzp_log *log) {
    wzp_relay_options anew;
    const char *relays[WZP_LIMIT_RELAYS];
    wzp_relay_texts texts;
    if (wzp_relay_options_parse(&anew, argc, argv) != -1 || anew.config_missing) {
        wzp_logf(log, WZP_LOG_ERROR, "reload: nothing has changed%s",
                 anew.config_missing ? "; the configuration file is missing" : "");
        wzp_relay_options_clear(&anew);
        return;
    }
    const wzp_relay_live live = {.log_max = anew.log_level,
                                 .enforce = anew.enforce,
                                 .policy = wzp_relay_options_policy(&anew),
                                 .exact_limits = anew.exact_limits,
                                 .strict_identity = anew.strict_identity,
                                 .pli_broadcast = anew.pli_broadcast,
                                 .layers_by_report = anew.layers_by_report,
                                 .trunking = anew.trunking,
                                 .max_sessions = anew.max_sessions,
                                 .ring_timeout = wzp_relay_options_ring(&anew),
                                 .advertised = anew.advertised,
                                 .region = anew.region,
                                 .debug_tap = anew.debug_tap,
                                 .available_relays = relays,
                                 .available_count =
                                     wzp_relay_options_relays(&anew, relays, &texts)};
    wzp_relay_crew_change(crew, &live);
    started->drain_timeout_s = anew.drain_timeout_s;
    name_fixed(started, &anew, log);
    /* Told to whoever hears it at the level of before or of after. */
    log->max = log->max > anew.log_level ? log->max : anew.log_level;
    wzp_logf(log, WZP_LOG_INFO, "reload: done");
    log->max = anew.log_level;
    wzp_relay_options_clear(&anew);
}
