/* What wzp-relay is told: defaults, then the configuration file, then the command line. */
#ifndef WZP_BIN_RELAY_RELAY_OPTIONS_H
#define WZP_BIN_RELAY_RELAY_OPTIONS_H

#include "io/toml.h"
#include "relay/limits.h"
#include "relay/relay.h"

#define WZP_GLOBAL_ROOMS 256

enum { WZP_EXIT_FAILED = 1, WZP_EXIT_USAGE = 2, WZP_EXIT_UNREADABLE = 3 };

/* Texts are borrowed from the command line or from `toml`. */
typedef struct wzp_relay_options {
    const char *config;  /* NULL: none */
    bool config_missing; /* named, but not there: an example is written */
    wzp_toml toml;

    wzp_addr listen;
    const char *identity; /* NULL: ~/.wzp/relay-identity */
    bool regenerate_identity, replace_bad_identity;
    bool has_seed;
    uint8_t seed[32];

    wzp_enforce enforce;
    uint32_t max_sessions, max_connections, max_connections_per_ip;
    bool entropy_closes;
    uint32_t cooldown_s, block_s;                        /* 0: none */
    uint32_t quota_anonymous_mb, quota_authenticated_mb; /* 0: none */
    uint32_t senders_per_ip;                             /* 0: no limit */
    const char *ban_list;                                /* NULL: not kept */
    bool exact_limits, strict_identity, pli_broadcast, layers_by_report, trunking;
    uint32_t threads;               /* at least 1 */
    uint32_t ring_timeout_s;        /* 0: none */
    uint32_t drain_timeout_s;       /* 0: sessions are closed at once */
    wzp_addr advertised;            /* family NONE: not set */
    const char *auth_url, *auth_ca; /* NULL: no tokens; what the system trusts */
    const char *region;
    const json_t *available_relays; /* array of texts; NULL: none */

    wzp_fed_peer_cfg peers[WZP_FED_PEERS]; /* [[peers]], then [[trusted]] */
    size_t peer_count;
    const char *global_rooms[WZP_GLOBAL_ROOMS];
    size_t global_room_count;
    wzp_addr probe_targets[WZP_LIMIT_RELAYS];
    size_t probe_count;
    const json_t *probe_list; /* of the file; NULL: none */
    bool mesh_status;         /* prints a table and ends */
    bool pin_required;
    uint32_t federation_room_pps, federation_peer_pps, federation_peer_bytes; /* 0: the default */

    bool has_metrics;
    uint16_t metrics_port;
    wzp_addr metrics_addr; /* its port is not used */
    bool has_ws;
    uint16_t ws_port;
    wzp_addr ws_addr; /* its port is not used */

    const char *debug_tap; /* a room, "*", or NULL */
    const char *event_log, *keylog, *qlog_dir, *capture;
    wzp_log_level log_level;
    bool quiet;
} wzp_relay_options;

/* As wzp_relay_cfg wants them: nanoseconds; texts borrowed from `options`, their number returned.
 */
uint64_t wzp_relay_options_ring(const wzp_relay_options *options);
wzp_relay_policy wzp_relay_options_policy(const wzp_relay_options *options);
typedef struct wzp_relay_texts {
    char texts[WZP_FED_PEERS][160];
} wzp_relay_texts;
size_t wzp_relay_options_relays(const wzp_relay_options *options,
                                const char *relays[WZP_LIMIT_RELAYS], wzp_relay_texts *memory);

/* -1: go on; otherwise the exit code, everything has been said. */
int wzp_relay_options_parse(wzp_relay_options *out, int argc, char **argv);
void wzp_relay_options_clear(wzp_relay_options *options);

/* One line on standard error; returns `code`. */
int wzp_relay_complain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- relay_config.c -------------------------------------------------------------------------- */

/* Reads options->config.  0, or the exit code. */
int wzp_relay_config_load(wzp_relay_options *options);

/* relay_peers.c: reads the lists of the tree.  0, or the exit code. */
int wzp_relay_peers_load(wzp_relay_options *options);
/* False: there are too many.  The name is borrowed. */
bool wzp_relay_options_global_room(wzp_relay_options *options, const char *name);
/* `out`, which borrows from `options`, or NULL: this relay is alone. */
const wzp_federation_cfg *wzp_relay_options_federation(const wzp_relay_options *options,
                                                       wzp_federation_cfg *out);
size_t wzp_relay_options_peer_relays(const wzp_relay_options *options, size_t count,
                                     const char *relays[WZP_LIMIT_RELAYS], wzp_relay_texts *memory);

/* False: it is no address, or there are too many. */
bool wzp_relay_options_probe(wzp_relay_options *options, const char *target);

/* "warn", "require". */
bool wzp_pin_parse(const char *text, bool *required);

/* Writes an example where the configuration file was expected (relay sheet 1.3). */
void wzp_relay_config_write_example(const wzp_relay_options *options, const char *tls_fingerprint);

/* "off", "count", "observe", "on". */
bool wzp_enforce_parse(const char *text, wzp_enforce *out);

/* "count", "close": what a minute of abuse by tier F leads to. */
bool wzp_entropy_parse(const char *text, bool *closes);

#endif
