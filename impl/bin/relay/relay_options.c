#include "bin/relay/relay_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "crypto/crypto.h"
#include "io/http_client.h"
#include "io/log_sink.h"
#include "io/sys.h"
#include "io/traces.h"
#include "meter/quota.h"
#include "quic/steer.h"
#include "wzp_version.h"

#define MB UINT64_C(1000000)

static const char help[] =
    "usage: wzp-relay [options]\n"
    "\n"
    "A WZP v2 relay: rooms by TLS server name, opaque fan-out of media, conformance meters.\n"
    "\n"
    "where it listens, and who it is\n"
    "  --listen IP:PORT          0.0.0.0:4433; port 0 takes a free one; [::] serves IPv4 as well\n"
    "  -i, --identity FILE       seed, 64 hex digits (~/.wzp/relay-identity); made when missing\n"
    "  --regenerate-identity     replace the seed in that file by a new one\n"
    "  --replace-bad-identity    the same if the file is damaged, and keep it as FILE.bad\n"
    "  --seed HEX                the seed itself, for tests: other users can see it\n"
    "  -c, --config FILE         TOML; an example is written when it is missing\n"
    "\n"
    "what it allows\n"
    "  --enforce off|count|observe|on   meters: none, count (default), count and drop video by "
    "its\n"
    "                            score as deployed relays do, hang up on violations\n"
    "  --entropy count|close     with on: a minute of abuse by the scores of tier F is counted "
    "(default),\n"
    "                            or ends the session\n"
    "  --cooldown SECONDS        with on: an offender may not join again (3600); 0: may\n"
    "  --block SECONDS           the same after the second one of a kind within that time (86400)\n"
    "  --ban-list FILE           keep who may not join beyond the end of the process\n"
    "  --quota-anonymous MB      with on: a fingerprint's media in 30 days (1000); 0: any number\n"
    "  --quota-authenticated MB  the same with a token (50000)\n"
    "  --senders-per-ip N        with on: one address sends no more than so many would (256); 0: "
    "may\n"
    "  --exact-limits            with on: no guard band in the bitrate ceilings of Opus\n"
    "  --max-sessions N          media sessions at once (100)\n"
    "  --max-connections N       QUIC connections at once (65536)\n"
    "  --max-connections-per-ip N   of these from one address (no limit)\n"
    "  --auth-url URL            clients show a token, and this service says whose it is\n"
    "  --auth-ca FILE            trust the https service by these certificates (PEM)\n"
    "  --strict-identity         RegisterPresence must prove its key\n"
    "  --pli-broadcast           picture loss goes to all members, not to the stream's owner\n"
    "  --layers-by-report        video layers by quality reports alone, as deployed: the lowest\n"
    "  --trunking                media in trunk frames, for receivers that read them; deployed\n"
    "                            clients do not\n"
    "  --ring-timeout SECONDS    until a direct call is answered (60); 0: for ever, as deployed\n"
    "  --advertised-addr IP:PORT told to the parties of direct calls; else where each reached us\n"
    "  --region NAME             told to signal clients\n"
    "  --drain-timeout SECONDS   after SIGTERM: for rooms and calls to end by themselves (0)\n"
    "  --threads N               workers (1), each with a share of the rooms\n"
    "\n"
    "with whom it federates; peers and trusted relays are in the configuration file\n"
    "  --global-room NAME        a room that is shared with peers, in lower case; may be repeated\n"
    "  --federation-pin warn|require   what if a peer shows another certificate than its\n"
    "                            fingerprint says: log it (default), or do not link\n"
    "  --federation-room-pps N   packets per second that a peer may send in one room (500)\n"
    "  --federation-peer-pps N   the same in all, duplicates included (20000)\n"
    "  --federation-peer-bytes N   their bytes per second (25000000)\n"
    "  --probe IP:PORT           a relay to measure every second; may be repeated\n"
    "  --probe-mesh              without effect, as in deployed relays\n"
    "  --mesh-status             print the table of measured relays of a fresh start, and end\n"
    "\n"
    "what it tells\n"
    "  --metrics-port PORT       Prometheus text at http://127.0.0.1:PORT/metrics; also /healthz,\n"
    "                            /presence, /route/FINGERPRINT, /peers, /mesh, /bans\n"
    "  --metrics-addr IP         instead of 127.0.0.1: anyone who reaches it may read\n"
    "  --ws-port PORT            WebSockets at ws://127.0.0.1:PORT/ws/ROOM, for browsers\n"
    "  --ws-addr IP              instead of 127.0.0.1; without a proxy there is no TLS\n"
    "  --debug-tap ROOM|'*'      packets, signals and events of a room or all, in the log\n"
    "  --event-log FILE          joins, leaves, refusals, hangups as JSON lines\n"
    "  --qlog DIR                one qlog file per connection; or $QLOGDIR\n"
    "  --keylog FILE             TLS secrets for captures, at the end of the file; or\n"
    "                            $SSLKEYLOGFILE; never where real people talk\n"
    "  --capture FILE            every datagram, and the secrets to read it, as pcapng\n"
    "  --log-level error|warn|info|debug\n"
    "  --quiet                   only warnings and errors\n"
    "  -h, --help, -V, --version\n"
    "\n"
    "The command line overrides the file.  With WZP_UDP_PLAIN=1 in the environment datagrams go "
    "one\n"
    "by one, without the kernel's segmentation offload.\n"
    "\n"
    "Exit status: 0 ended by a signal, 1 failed (address in use ...), 2 usage, 3 a file cannot be\n"
    "read, written or understood.\n"
    "\n"
    "Example: wzp-relay --listen 127.0.0.1:4433 --enforce on --metrics-port 9090\n";

enum flag_id {
    FLAG_LISTEN = 256,
    FLAG_REGENERATE,
    FLAG_REPLACE_BAD,
    FLAG_SEED,
    FLAG_ENFORCE,
    FLAG_ENTROPY,
    FLAG_COOLDOWN,
    FLAG_BLOCK,
    FLAG_BAN_LIST,
    FLAG_QUOTA_ANONYMOUS,
    FLAG_QUOTA_AUTHENTICATED,
    FLAG_SENDERS_PER_IP,
    FLAG_MAX_SESSIONS,
    FLAG_MAX_CONNECTIONS,
    FLAG_MAX_CONNECTIONS_PER_IP,
    FLAG_EXACT_LIMITS,
    FLAG_STRICT_IDENTITY,
    FLAG_PLI_BROADCAST,
    FLAG_LAYERS_BY_REPORT,
    FLAG_TRUNKING,
    FLAG_RING_TIMEOUT,
    FLAG_DRAIN_TIMEOUT,
    FLAG_ADVERTISED_ADDR,
    FLAG_AUTH_URL,
    FLAG_AUTH_CA,
    FLAG_REGION,
    FLAG_GLOBAL_ROOM,
    FLAG_FEDERATION_PIN,
    FLAG_PROBE,
    FLAG_PROBE_MESH,
    FLAG_MESH_STATUS,
    FLAG_FEDERATION_ROOM_PPS,
    FLAG_FEDERATION_PEER_PPS,
    FLAG_FEDERATION_PEER_BYTES,
    FLAG_THREADS,
    FLAG_METRICS_PORT,
    FLAG_METRICS_ADDR,
    FLAG_WS_PORT,
    FLAG_WS_ADDR,
    FLAG_DEBUG_TAP,
    FLAG_EVENT_LOG,
    FLAG_QLOG,
    FLAG_KEYLOG,
    FLAG_CAPTURE,
    FLAG_LOG_LEVEL,
    FLAG_QUIET,
    FLAG_LATER /* flags of the deployed relay that this build does not serve */
};

static const struct option flags[] = {
    {"config", required_argument, NULL, 'c'},
    {"identity", required_argument, NULL, 'i'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {"listen", required_argument, NULL, FLAG_LISTEN},
    {"regenerate-identity", no_argument, NULL, FLAG_REGENERATE},
    {"replace-bad-identity", no_argument, NULL, FLAG_REPLACE_BAD},
    {"seed", required_argument, NULL, FLAG_SEED},
    {"enforce", required_argument, NULL, FLAG_ENFORCE},
    {"entropy", required_argument, NULL, FLAG_ENTROPY},
    {"cooldown", required_argument, NULL, FLAG_COOLDOWN},
    {"block", required_argument, NULL, FLAG_BLOCK},
    {"ban-list", required_argument, NULL, FLAG_BAN_LIST},
    {"quota-anonymous", required_argument, NULL, FLAG_QUOTA_ANONYMOUS},
    {"quota-authenticated", required_argument, NULL, FLAG_QUOTA_AUTHENTICATED},
    {"senders-per-ip", required_argument, NULL, FLAG_SENDERS_PER_IP},
    {"max-sessions", required_argument, NULL, FLAG_MAX_SESSIONS},
    {"max-connections", required_argument, NULL, FLAG_MAX_CONNECTIONS},
    {"max-connections-per-ip", required_argument, NULL, FLAG_MAX_CONNECTIONS_PER_IP},
    {"exact-limits", no_argument, NULL, FLAG_EXACT_LIMITS},
    {"strict-identity", no_argument, NULL, FLAG_STRICT_IDENTITY},
    {"pli-broadcast", no_argument, NULL, FLAG_PLI_BROADCAST},
    {"layers-by-report", no_argument, NULL, FLAG_LAYERS_BY_REPORT},
    {"trunking", no_argument, NULL, FLAG_TRUNKING},
    {"ring-timeout", required_argument, NULL, FLAG_RING_TIMEOUT},
    {"drain-timeout", required_argument, NULL, FLAG_DRAIN_TIMEOUT},
    {"advertised-addr", required_argument, NULL, FLAG_ADVERTISED_ADDR},
    {"auth-url", required_argument, NULL, FLAG_AUTH_URL},
    {"auth-ca", required_argument, NULL, FLAG_AUTH_CA},
    {"region", required_argument, NULL, FLAG_REGION},
    {"threads", required_argument, NULL, FLAG_THREADS},
    {"global-room", required_argument, NULL, FLAG_GLOBAL_ROOM},
    {"federation-pin", required_argument, NULL, FLAG_FEDERATION_PIN},
    {"federation-room-pps", required_argument, NULL, FLAG_FEDERATION_ROOM_PPS},
    {"federation-peer-pps", required_argument, NULL, FLAG_FEDERATION_PEER_PPS},
    {"federation-peer-bytes", required_argument, NULL, FLAG_FEDERATION_PEER_BYTES},
    {"metrics-port", required_argument, NULL, FLAG_METRICS_PORT},
    {"metrics-addr", required_argument, NULL, FLAG_METRICS_ADDR},
    {"ws-port", required_argument, NULL, FLAG_WS_PORT},
    {"ws-addr", required_argument, NULL, FLAG_WS_ADDR},
    {"debug-tap", required_argument, NULL, FLAG_DEBUG_TAP},
    {"event-log", required_argument, NULL, FLAG_EVENT_LOG},
    {"qlog", required_argument, NULL, FLAG_QLOG},
    {"keylog", required_argument, NULL, FLAG_KEYLOG},
    {"capture", required_argument, NULL, FLAG_CAPTURE},
    {"log-level", required_argument, NULL, FLAG_LOG_LEVEL},
    {"quiet", no_argument, NULL, FLAG_QUIET},
    {"remote", required_argument, NULL, FLAG_LATER},
    {"probe", required_argument, NULL, FLAG_PROBE},
    {"probe-mesh", no_argument, NULL, FLAG_PROBE_MESH},
    {"mesh-status", no_argument, NULL, FLAG_MESH_STATUS},
    {"static-dir", required_argument, NULL, FLAG_LATER},
    {NULL, 0, NULL, 0}};

static const char short_flags[] = "c:i:hV";

int wzp_relay_complain(int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)fputs("wzp-relay: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    return code;
}

/* --- values ----------------------------------------------------------------------------------- */

/* 0, or the exit code. */
static int take_number(uint32_t *out, const char *flag, const char *text, uint32_t max) {
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value > max) {
        return wzp_relay_complain(WZP_EXIT_USAGE, "--%s: expected a number from 0 to %u, got '%s'",
                                  flag, max, text);
    }
    *out = (uint32_t)value;
    return 0;
}

static int take_addr(wzp_addr *out, const char *flag, const char *text) {
    if (wzp_addr_parse(out, text) != WZP_OK) {
        return wzp_relay_complain(WZP_EXIT_USAGE,
                                  "--%s: expected IP:PORT or [IPV6]:PORT in numbers, got '%s'",
                                  flag, text);
    }
    return 0;
}

/* An address without a port. */
static int take_ip(wzp_addr *out, const char *flag, const char *text) {
    char with_port[WZP_ADDR_TEXT_MAX + 8];
    const bool bare_v6 = strchr(text, ':') != NULL && *text != '[';
    (void)snprintf(with_port, sizeof with_port, bare_v6 ? "[%.48s]:0" : "%.50s:0", text);
    if (wzp_addr_parse(out, with_port) != WZP_OK) {
        return wzp_relay_complain(WZP_EXIT_USAGE, "--%s: expected an IP address, got '%s'", flag,
                                  text);
    }
    return 0;
}

static int take_port(uint16_t *out, bool *has, const char *flag, const char *text) {
    uint32_t port = 0;
    const int code = take_number(&port, flag, text, 65535);
    *has = code == 0;
    *out = (uint16_t)port;
    return code;
}

static int take_seed(wzp_relay_options *o, const char *text) {
    size_t bad = 0;
    if (wzp_hex_parse(o->seed, sizeof o->seed, text, strlen(text), &bad) != WZP_OK) {
        return wzp_relay_complain(
            WZP_EXIT_USAGE, "--seed: expected 64 hexadecimal digits, wrong at offset %zu of %zu",
            bad, strlen(text));
    }
    o->has_seed = true;
    return 0;
}

static int take_threads(uint32_t *out, const char *text) {
    const int code = take_number(out, "threads", text, WZP_STEER_WORKERS_MAX);
    return code != 0 || *out != 0
               ? code
               : wzp_relay_complain(WZP_EXIT_USAGE, "--threads: expected at least 1, got '%s'",
                                    text);
}

bool wzp_enforce_parse(const char *text, wzp_enforce *out) {
    static const char *const names[] = {[WZP_ENFORCE_OFF] = "off",
                                        [WZP_ENFORCE_COUNT] = "count",
                                        [WZP_ENFORCE_OBSERVE] = "observe",
                                        [WZP_ENFORCE_ON] = "on"};
    for (size_t i = 0; i < WZP_COUNT_OF(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (wzp_enforce)i;
            return true;
        }
    }
    return false;
}

bool wzp_entropy_parse(const char *text, bool *closes) {
    *closes = strcmp(text, "close") == 0;
    return *closes || strcmp(text, "count") == 0;
}

bool wzp_pin_parse(const char *text, bool *required) {
    *required = strcmp(text, "require") == 0;
    return *required || strcmp(text, "warn") == 0;
}

bool wzp_relay_options_probe(wzp_relay_options *o, const char *target) {
    if (o->probe_count == WZP_LIMIT_RELAYS ||
        wzp_addr_parse(&o->probe_targets[o->probe_count], target) != WZP_OK) {
        return false;
    }
    o->probe_count++;
    return true;
}

static int take_global_room(wzp_relay_options *o, const char *name) {
    if (*name == '\0' || strlen(name) > WZP_FED_NAME_MAX) {
        return wzp_relay_complain(WZP_EXIT_USAGE,
                                  "--global-room: expected 1 to 253 characters, got '%s'", name);
    }
    return wzp_relay_options_global_room(o, name)
               ? 0
               : wzp_relay_complain(WZP_EXIT_USAGE, "--global-room: more than %d rooms",
                                    WZP_GLOBAL_ROOMS);
}

static int take_word(bool known, const char *flag, const char *words, const char *text) {
    return known ? 0
                 : wzp_relay_complain(WZP_EXIT_USAGE, "--%s: expected %s, got '%s'", flag, words,
                                      text);
}

/* --- flags ------------------------------------------------------------------------------------ */

/* Texts that are stored as they are, and switches. */
static const struct plain {
    int id;
    bool is_switch;
    size_t into;
} plains[] = {
    {'i', false, offsetof(wzp_relay_options, identity)},
    {FLAG_BAN_LIST, false, offsetof(wzp_relay_options, ban_list)},
    {FLAG_AUTH_URL, false, offsetof(wzp_relay_options, auth_url)},
    {FLAG_AUTH_CA, false, offsetof(wzp_relay_options, auth_ca)},
    {FLAG_REGION, false, offsetof(wzp_relay_options, region)},
    {FLAG_DEBUG_TAP, false, offsetof(wzp_relay_options, debug_tap)},
    {FLAG_EVENT_LOG, false, offsetof(wzp_relay_options, event_log)},
    {FLAG_QLOG, false, offsetof(wzp_relay_options, qlog_dir)},
    {FLAG_KEYLOG, false, offsetof(wzp_relay_options, keylog)},
    {FLAG_CAPTURE, false, offsetof(wzp_relay_options, capture)},
    {FLAG_REGENERATE, true, offsetof(wzp_relay_options, regenerate_identity)},
    {FLAG_REPLACE_BAD, true, offsetof(wzp_relay_options, replace_bad_identity)},
    {FLAG_EXACT_LIMITS, true, offsetof(wzp_relay_options, exact_limits)},
    {FLAG_STRICT_IDENTITY, true, offsetof(wzp_relay_options, strict_identity)},
    {FLAG_PLI_BROADCAST, true, offsetof(wzp_relay_options, pli_broadcast)},
    {FLAG_LAYERS_BY_REPORT, true, offsetof(wzp_relay_options, layers_by_report)},
    {FLAG_TRUNKING, true, offsetof(wzp_relay_options, trunking)},
    {FLAG_QUIET, true, offsetof(wzp_relay_options, quiet)},
};

static bool take_plain(wzp_relay_options *o, int id, const char *value) {
    const bool on = true;
    for (size_t i = 0; i < WZP_COUNT_OF(plains); i++) {
        char *into = (char *)o + plains[i].into;
        if (plains[i].id == id && plains[i].is_switch) {
            memcpy(into, &on, sizeof on);
            return true;
        }
        if (plains[i].id == id) {
            memcpy(into, &value, sizeof value);
            return true;
        }
    }
    return false;
}

/* Of tiers E to G. */
static int take_policy(wzp_relay_options *o, int id, const char *name, const char *value) {
    const uint32_t year_s = 31536000;
    switch (id) {
    case FLAG_ENTROPY:
        return take_word(wzp_entropy_parse(value, &o->entropy_closes), name, "count or close",
                         value);
    case FLAG_COOLDOWN:
        return take_number(&o->cooldown_s, name, value, year_s);
    case FLAG_BLOCK:
        return take_number(&o->block_s, name, value, year_s);
    case FLAG_QUOTA_ANONYMOUS:
        return take_number(&o->quota_anonymous_mb, name, value, UINT32_MAX);
    case FLAG_QUOTA_AUTHENTICATED:
        return take_number(&o->quota_authenticated_mb, name, value, UINT32_MAX);
    default:
        return take_number(&o->senders_per_ip, name, value, WZP_QUOTA_SENDERS_MAX);
    }
}

static int take(wzp_relay_options *o, int id, const char *name, const char *value) {
    switch (id) {
    case FLAG_ENTROPY:
    case FLAG_COOLDOWN:
    case FLAG_BLOCK:
    case FLAG_QUOTA_ANONYMOUS:
    case FLAG_QUOTA_AUTHENTICATED:
    case FLAG_SENDERS_PER_IP:
        return take_policy(o, id, name, value);
    case FLAG_LISTEN:
        return take_addr(&o->listen, name, value);
    case FLAG_SEED:
        return take_seed(o, value);
    case FLAG_ENFORCE:
        return take_word(wzp_enforce_parse(value, &o->enforce), name, "off, count, observe or on",
                         value);
    case FLAG_MAX_SESSIONS:
        return take_number(&o->max_sessions, name, value, 1000000);
    case FLAG_MAX_CONNECTIONS:
        return take_number(&o->max_connections, name, value, 1000000);
    case FLAG_MAX_CONNECTIONS_PER_IP:
        return take_number(&o->max_connections_per_ip, name, value, 1000000);
    case FLAG_RING_TIMEOUT:
        return take_number(&o->ring_timeout_s, name, value, 86400);
    case FLAG_DRAIN_TIMEOUT:
        return take_number(&o->drain_timeout_s, name, value, 86400);
    case FLAG_ADVERTISED_ADDR:
        return take_addr(&o->advertised, name, value);
    case FLAG_GLOBAL_ROOM:
        return take_global_room(o, value);
    case FLAG_PROBE:
        return take_word(wzp_relay_options_probe(o, value), name,
                         "IP:PORT or [IPV6]:PORT in numbers, at most 64 times", value);
    case FLAG_PROBE_MESH: /* as deployed, without effect */
        return 0;
    case FLAG_MESH_STATUS:
        o->mesh_status = true;
        return 0;
    case FLAG_FEDERATION_PIN:
        return take_word(wzp_pin_parse(value, &o->pin_required), name, "warn or require", value);
    case FLAG_FEDERATION_ROOM_PPS:
        return take_number(&o->federation_room_pps, name, value, 1000000);
    case FLAG_FEDERATION_PEER_PPS:
        return take_number(&o->federation_peer_pps, name, value, 100000000);
    case FLAG_FEDERATION_PEER_BYTES:
        return take_number(&o->federation_peer_bytes, name, value, UINT32_MAX);
    case FLAG_THREADS:
        return take_threads(&o->threads, value);
    case FLAG_METRICS_PORT:
        return take_port(&o->metrics_port, &o->has_metrics, name, value);
    case FLAG_METRICS_ADDR:
        return take_ip(&o->metrics_addr, name, value);
    case FLAG_WS_PORT:
        return take_port(&o->ws_port, &o->has_ws, name, value);
    case FLAG_WS_ADDR:
        return take_ip(&o->ws_addr, name, value);
    case FLAG_LOG_LEVEL:
        return take_word(wzp_log_level_parse(value, &o->log_level), name,
                         "error, warn, info or debug", value);
    case FLAG_LATER:
        return wzp_relay_complain(WZP_EXIT_USAGE, "--%s: not in this build yet", name);
    default:
        (void)take_plain(o, id, value); /* -c was taken in the first pass */
        return 0;
    }
}

/* Finds what must be known before the rest: help, version, the configuration file; and refuses
 * what is not an option at all. */
static int first_pass(wzp_relay_options *o, int argc, char **argv) {
    optind = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    for (int id; (id = getopt_long(argc, argv, short_flags, flags, NULL)) != -1;) {
        switch (id) {
        case 'h':
            (void)fputs(help, stdout);
            return 0;
        case 'V':
            puts("wzp-relay " WZP_VERSION " (" WZP_BUILD_HASH ")");
            return 0;
        case 'c':
            o->config = optarg;
            break;
        case '?':
            return wzp_relay_complain(WZP_EXIT_USAGE, "see wzp-relay --help");
        default:
            break;
        }
    }
    if (optind < argc) {
        return wzp_relay_complain(WZP_EXIT_USAGE, "'%s' is not an option; see wzp-relay --help",
                                  argv[optind]);
    }
    return -1;
}

static int second_pass(wzp_relay_options *o, int argc, char **argv) {
    int index = 0;
    optind = 0; /* from the start, options are read again by a reload */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    for (int id; (id = getopt_long(argc, argv, short_flags, flags, &index)) != -1;) {
        const int code = take(o, id, flags[index].name, optarg);
        if (code != 0) {
            return code;
        }
    }
    return -1;
}

static void take_variable(const char **out, const char *name) {
    const char *value = wzp_io_env(name);
    if (*out == NULL && value != NULL && *value != '\0') {
        *out = value;
    }
}

static void take_environment(wzp_relay_options *o) {
    take_variable(&o->keylog, WZP_TRACES_KEYLOG_ENV);
    take_variable(&o->qlog_dir, WZP_TRACES_QLOG_ENV);
}

int wzp_relay_options_parse(wzp_relay_options *out, int argc, char **argv) {
    *out = (wzp_relay_options){.listen = wzp_addr_v4(0, 0, 0, 0, 4433),
                               .enforce = WZP_ENFORCE_COUNT,
                               .cooldown_s = (uint32_t)(WZP_POLICY_COOLDOWN / WZP_S),
                               .block_s = (uint32_t)(WZP_POLICY_BLOCK / WZP_S),
                               .quota_anonymous_mb = (uint32_t)(WZP_POLICY_MONTH_ANONYMOUS / MB),
                               .quota_authenticated_mb =
                                   (uint32_t)(WZP_POLICY_MONTH_AUTHENTICATED / MB),
                               .senders_per_ip = WZP_QUOTA_SENDERS_MAX,
                               .max_connections = 65536,
                               .ring_timeout_s = 60,
                               .threads = 1,
                               .metrics_addr = wzp_addr_v4(127, 0, 0, 1, 0),
                               .ws_addr = wzp_addr_v4(127, 0, 0, 1, 0),
                               .log_level = WZP_LOG_INFO};
    int code = first_pass(out, argc, argv);
    if (code == -1 && out->config != NULL) {
        code = wzp_relay_config_load(out);
        code = code == 0 ? -1 : code;
    }
    if (code == -1) {
        code = second_pass(out, argc, argv);
    }
    if (code == -1) {
        take_environment(out);
    }
    if (code == -1 && out->capture != NULL && strcmp(out->capture, "-") == 0) {
        code = wzp_relay_complain(WZP_EXIT_USAGE, "--capture: wants a file, not standard output");
    }
    if (code == -1 && out->auth_url != NULL && !wzp_http_url_is_usable(out->auth_url)) {
        code = wzp_relay_complain(WZP_EXIT_USAGE,
                                  "auth-url: expected http://HOST[:PORT]/PATH or https://..., got "
                                  "'%s'",
                                  out->auth_url);
    }
    if (code == -1 && out->threads > 1 && out->has_ws) {
        code = wzp_relay_complain(WZP_EXIT_USAGE, "--threads %u: ws-port wants 1 thread",
                                  out->threads);
    }
    if (out->quiet && out->log_level > WZP_LOG_WARN) {
        out->log_level = WZP_LOG_WARN;
    }
    return code;
}

uint64_t wzp_relay_options_ring(const wzp_relay_options *o) {
    return o->ring_timeout_s != 0 ? o->ring_timeout_s * WZP_S : WZP_TIME_NEVER;
}

static uint64_t or_none(uint64_t number, uint64_t unit) {
    return number != 0 ? number * unit : WZP_POLICY_NONE;
}

wzp_relay_policy wzp_relay_options_policy(const wzp_relay_options *o) {
    return (wzp_relay_policy){.entropy_closes = o->entropy_closes,
                              .cooldown = or_none(o->cooldown_s, WZP_S),
                              .block = or_none(o->block_s, WZP_S),
                              .month_anonymous = or_none(o->quota_anonymous_mb, MB),
                              .month_authenticated = or_none(o->quota_authenticated_mb, MB),
                              .senders_per_ip = or_none(o->senders_per_ip, 1)};
}

size_t wzp_relay_options_relays(const wzp_relay_options *o, const char *relays[WZP_LIMIT_RELAYS],
                                wzp_relay_texts *memory) {
    size_t count = 0;
    while (count < WZP_LIMIT_RELAYS && count < json_array_size(o->available_relays)) {
        relays[count] = json_string_value(json_array_get(o->available_relays, count));
        count++;
    }
    return wzp_relay_options_peer_relays(o, count, relays, memory);
}

void wzp_relay_options_clear(wzp_relay_options *options) {
    wzp_crypto_wipe(options->seed, sizeof options->seed);
    wzp_toml_clear(&options->toml);
}
