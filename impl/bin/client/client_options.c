#include "bin/client/client_options.h"

#include <assert.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "bin/client/client_usage.h"
#include "crypto/identity.h"
#include "crypto/mnemonic.h"
#include "io/lookup.h"
#include "io/sys.h"
#include "io/traces.h"
#include "wzp_version.h"

enum { REPEAT_MAX = 1000, MNEMONIC_MAX = 1024 };

/* Where an option belongs. */
enum {
    JOIN = 1U << WZP_CLIENT_JOIN,
    ECHO = 1U << WZP_CLIENT_ECHO,
    CALL = 1U << WZP_CLIENT_CALL,
    LISTEN = 1U << WZP_CLIENT_LISTEN,
    DRIFT = 1U << WZP_CLIENT_DRIFT,
    SWEEP = 1U << WZP_CLIENT_SWEEP,
    NETCHECK = 1U << WZP_CLIENT_NETCHECK,
    TALK = JOIN | CALL | LISTEN,
    PHONE = CALL | LISTEN,
    MEASURE = ECHO | DRIFT | SWEEP,
    ONLINE = TALK | ECHO | DRIFT,
    SOUND = TALK | MEASURE,
    ANY = SOUND | NETCHECK
};

/* What the command line says of more than one option. */
typedef struct words {
    wzp_client_options *o;
    unsigned given;                            /* commands that all options so far allow */
    const char *narrowest;                     /* the option that has left so few */
    const char *seed;                          /* as it was typed */
    char mnemonic[MNEMONIC_MAX];               /* "": none */
    bool echo, drift, sweep, signal, netcheck; /* as deployed clients are told */
    const char *call;
} words;

int wzp_client_complain(int code, const char *what, const char *why) {
    (void)fprintf(stderr, "wzp-client: %s: %s\n", what, why);
    return code;
}

/* --- values ---------------------------------------------------------------------------------- */

static bool number(const char *text, double least, double most, double *out) {
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= least && *out <= most;
}

static bool positive(const char *text, double most, double *out) {
    return number(text, 0, most, out) && *out > 0;
}

static bool take_count(const char *text, unsigned *out) {
    double value = 0;
    if (!number(text, 1, REPEAT_MAX, &value) || value != floor(value)) {
        return false;
    }
    *out = (unsigned)value;
    return true;
}

static bool take_crypto(wzp_client_options *o, const char *value) {
    o->media_crypto =
        strcmp(value, "relay-aead") == 0 ? WZP_MEDIA_CRYPTO_RELAY_AEAD : WZP_MEDIA_CRYPTO_CLEAR;
    return o->media_crypto == WZP_MEDIA_CRYPTO_RELAY_AEAD || strcmp(value, "clear") == 0;
}

/* The names of the deployed desktop client; what it does not know is auto there, and a mistake
 * here. */
static bool take_quality(wzp_client_options *o, const char *value) {
    static const struct {
        const char *name;
        uint8_t codec;
    } qualities[] = {
        {"good", WZP_CODEC_OPUS_24K},           {"opus", WZP_CODEC_OPUS_24K},
        {"degraded", WZP_CODEC_OPUS_6K},        {"opus6k", WZP_CODEC_OPUS_6K},
        {"studio-32k", WZP_CODEC_OPUS_32K},     {"studio-48k", WZP_CODEC_OPUS_48K},
        {"studio-64k", WZP_CODEC_OPUS_64K},     {"catastrophic", WZP_CODEC_CODEC2_1200},
        {"codec2-1200", WZP_CODEC_CODEC2_1200}, {"codec2-3200", WZP_CODEC_CODEC2_3200}};
    for (size_t i = 0; i < WZP_COUNT_OF(qualities); i++) {
        if (strcmp(value, qualities[i].name) == 0) {
            o->codec = qualities[i].codec;
            return o->is_fixed = true;
        }
    }
    o->codec = WZP_CODEC_OPUS_24K;
    o->is_fixed = false;
    return strcmp(value, "auto") == 0;
}

static bool take_network(wzp_client_options *o, const char *value) {
    static const struct {
        const char *name;
        wzp_network network;
    } networks[] = {{"unknown", WZP_NETWORK_UNKNOWN},
                    {"wifi", WZP_NETWORK_WIFI},
                    {"cellular", WZP_NETWORK_CELLULAR_LTE}};
    for (size_t i = 0; i < WZP_COUNT_OF(networks); i++) {
        if (strcmp(value, networks[i].name) == 0) {
            o->network = networks[i].network;
            return true;
        }
    }
    return false;
}

static bool take_level(wzp_client_options *o, const char *value) {
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(value, levels[i]) == 0) {
            o->log_level = (wzp_log_level)i;
            return true;
        }
    }
    return false;
}

/* With colons, as relays log it, or without. */
static bool take_pin(wzp_client_options *o, const char *value) {
    char hex[2 * sizeof o->pin + 1];
    size_t n = 0;
    for (const char *c = value; *c != '\0'; c++) {
        if (*c != ':' && n == sizeof hex - 1) {
            return false;
        }
        if (*c != ':') {
            hex[n++] = *c;
        }
    }
    o->has_pin = wzp_hex_parse(o->pin, sizeof o->pin, hex, n, NULL) == WZP_OK;
    return o->has_pin;
}

/* --- options --------------------------------------------------------------------------------- */

typedef struct flag {
    const char *name;
    int id;
    unsigned commands;
    const char *wants; /* NULL: no value */
} flag;

static const flag flags[] = {
    {"room", 'r', JOIN, "a name"},
    {"send-file", 'f', TALK, "a file"},
    {"send-tone", 't', TALK, "seconds, more than 0; the pitch is --tone-hz"},
    {"tone-hz", 'H', TALK, "a frequency up to 20000"},
    {"silence", 'S', TALK, NULL},
    {"record", 'R', TALK, "a folder, or a file that ends in .raw or .pcm"},
    {"duration", 'd', SOUND, "seconds, more than 0 and at most a day"},
    {"alias", 'a', ONLINE, "a name"},
    {"seed", 's', SOUND, "64 hex digits"},
    {"mnemonic", 'M', ONLINE, "24 words"},
    {"token", 'k', ONLINE, "the token, up to 4096 bytes"},
    {"pin", 'p', ONLINE, "64 hex digits, as the relay logs its certificate"},
    {"json", 'j', ANY, NULL},
    {"reject", 'x', LISTEN, NULL},
    {"generic", 'g', LISTEN, NULL},
    {"quiet", 'q', ANY, NULL},
    {"log-level", 'l', ANY, "error, warn, info or debug"},
    {"media-crypto", 'm', JOIN, "clear or relay-aead"},
    {"stats", 'T', TALK, "json"},
    {"stun", 'U', PHONE | NETCHECK, "HOST:PORT, up to 8 of them, or none"},
    {"policy", 'P', PHONE, "reference or deployed"},
    {"direct-only", 'i', PHONE, NULL},
    {"relay-only", 'y', PHONE, NULL},
    {"birthday", '5', PHONE, NULL},
    {"no-birthday", '7', PHONE, NULL},
    {"no-portmap", 'o', PHONE | NETCHECK, NULL},
    {"gateway", 'w', PHONE | NETCHECK, "an IPv4 address, or none"},
    {"lab-addresses", 'A', PHONE, NULL},
    {"quality", 'Q', ONLINE,
     "auto, good, degraded, catastrophic, codec2-3200 or studio-32k|48k|64k"},
    {"suppress-silence", 'u', ONLINE, NULL},
    {"transport-feedback", 'B', ONLINE, NULL},
    {"network", 'N', ONLINE, "unknown, wifi or cellular"},
    {"metrics-file", 'F', TALK, "a file"},
    {"repeat", 'n', MEASURE, "a count from 1 to 1000"},
    {"keylog", '1', ONLINE | NETCHECK, "a file"},
    {"media-keys", '2', TALK, "a file"},
    {"qlog", '3', ONLINE | NETCHECK, "a folder"},
    {"capture", '4', ONLINE | NETCHECK, "a file, not standard output"},
    {"loss", 'L', SWEEP, "a percentage up to 100"},
    {"jitter", 'J', SWEEP, "milliseconds up to 1000"},
    {"echo-test", 'E', ECHO, "seconds, more than 0"},
    {"drift-test", 'D', DRIFT, "seconds, more than 0"},
    {"sweep", 'W', SWEEP, NULL},
    {"netcheck", 'K', NETCHECK, NULL},
    {"relay", 'Y', NETCHECK, "HOST:PORT or NAME=HOST:PORT, up to 16 times"},
    {"no-ipv6", '6', NETCHECK, NULL},
    {"timeout", 'O', NETCHECK, "milliseconds from 100 to 60000"},
    {"signal", 'G', LISTEN | CALL, NULL},
    {"call", 'C', CALL, "a fingerprint"},
    {"help", 'h', ANY, NULL},
    {"version", 'V', ANY, NULL},
};

static bool take_sound(wzp_client_options *o, int id, const char *value) {
    switch (id) {
    case 'f':
        o->send_file = value;
        return true;
    case 't':
        return positive(value, 86400, &o->tone_s);
    case 'H':
        return positive(value, 20000, &o->tone_hz);
    case 'S':
        return o->silence = true;
    case 'R':
        o->record = value;
        return *value != '\0';
    case 'd':
        return positive(value, 86400, &o->duration_s);
    case 'Q':
        return take_quality(o, value);
    case 'u':
        return o->suppress_silence = true;
    case 'B':
        return o->feedback = true;
    case 'N':
        return take_network(o, value);
    default:
        return false;
    }
}

static bool take_stun(wzp_client_options *o, const char *value) {
    if (strcmp(value, "none") == 0) {
        return o->no_stun = true;
    }
    if (strchr(value, ':') == NULL || o->stun_count == WZP_COUNT_OF(o->stun)) {
        return false;
    }
    o->stun[o->stun_count++] = value;
    return true;
}

static bool take_gateway(wzp_client_options *o, const char *value) {
    char text[WZP_ADDR_TEXT_MAX];
    if (strcmp(value, "none") == 0) {
        return o->no_portmap = true;
    }
    const int n = snprintf(text, sizeof text, "%s:0", value);
    return n > 0 && (size_t)n < sizeof text && wzp_addr_parse(&o->gateway, text) == WZP_OK &&
           o->gateway.family == WZP_ADDR_V4;
}

static bool take_paths(wzp_client_options *o, int id, const char *value) {
    switch (id) {
    case 'U':
        return take_stun(o, value);
    case 'P':
        o->policy = strcmp(value, "deployed") == 0 ? WZP_RACE_DEPLOYED : WZP_RACE_REFERENCE;
        return o->policy == WZP_RACE_DEPLOYED || strcmp(value, "reference") == 0;
    case 'i':
        return o->direct_only = true;
    case 'y':
        return o->relay_only = true;
    case '5':
        return o->birthday = true;
    case '7':
        o->birthday = false;
        return true;
    case 'o':
        return o->no_portmap = true;
    case 'w':
        return take_gateway(o, value);
    case 'A':
        return o->lab_addresses = true;
    default:
        return take_sound(o, id, value);
    }
}

static bool take_identity(words *w, int id, const char *value) {
    wzp_client_options *o = w->o;
    switch (id) {
    case 'r':
        o->room = value;
        return true;
    case 'a':
        o->alias = value;
        return true;
    case 's':
        w->seed = value;
        return true;
    case 'M':
        (void)snprintf(w->mnemonic, sizeof w->mnemonic, "%s", value);
        return true;
    case 'k':
        o->token = value;
        return *value != '\0' && strlen(value) <= 4096;
    case 'p':
        return take_pin(o, value);
    case 'x':
        return o->reject = true;
    case 'g':
        return o->generic = true;
    case 'm':
        return take_crypto(o, value);
    default:
        return take_paths(o, id, value);
    }
}

static bool take_measure(words *w, int id, const char *value) {
    wzp_client_options *o = w->o;
    switch (id) {
    case 'j':
        return o->json = true;
    case 'T':
        return o->stats = strcmp(value, "json") == 0;
    case 'q':
        return o->quiet = true;
    case 'l':
        return take_level(o, value);
    case 'F':
        o->metrics_file = value;
        return *value != '\0';
    case 'n':
        return take_count(value, &o->repeat);
    case 'L':
        return number(value, 0, 100, &o->loss_pct);
    case 'J':
        return number(value, 0, 1000, &o->jitter_ms);
    default:
        return take_identity(w, id, value);
    }
}

static bool take_traces(words *w, int id, const char *value) {
    wzp_client_options *o = w->o;
    switch (id) {
    case '1':
        o->keylog = value;
        return *value != '\0';
    case '2':
        o->media_keys = value;
        return *value != '\0';
    case '3':
        o->qlog_dir = value;
        return *value != '\0';
    case '4':
        o->capture = value;
        return *value != '\0' && strcmp(value, "-") != 0;
    default:
        return take_measure(w, id, value);
    }
}

static bool take_netcheck(words *w, int id, const char *value) {
    wzp_client_netcheck_options *o = &w->o->netcheck;
    double ms = 0;
    switch (id) {
    case 'Y':
        if (o->relay_count == WZP_COUNT_OF(o->relays)) {
            return false;
        }
        o->relays[o->relay_count++] = value;
        return true;
    case '6':
        return o->no_ipv6 = true;
    case 'O':
        if (!number(value, 100, 60000, &ms)) {
            return false;
        }
        o->timeout_ms = (uint32_t)ms;
        return true;
    default:
        return take_traces(w, id, value);
    }
}

/* The modes of deployed clients, which are options there. */
static bool take(words *w, int id, const char *value) {
    switch (id) {
    case 'E':
        w->echo = true;
        return positive(value, 86400, &w->o->duration_s);
    case 'D':
        w->drift = true;
        return positive(value, 86400, &w->o->duration_s);
    case 'W':
        return w->sweep = true;
    case 'K':
        return w->netcheck = true;
    case 'G':
        return w->signal = true;
    case 'C':
        w->call = value;
        return true;
    default:
        return take_netcheck(w, id, value);
    }
}

/* --- what all of them say together ------------------------------------------------------------ */

static int take_seed(const words *w) {
    wzp_client_options *o = w->o;
    char *end = NULL;
    if (w->seed != NULL && w->mnemonic[0] != '\0') {
        return wzp_client_complain(WZP_CLIENT_USAGE, "usage",
                                   "--seed and --mnemonic are two names of one thing: give one");
    }
    if (w->seed != NULL && o->command == WZP_CLIENT_SWEEP) {
        o->draw = strtoull(w->seed, &end, 10);
        return w->seed[0] >= '0' && w->seed[0] <= '9' && *end == '\0'
                   ? -1
                   : wzp_client_complain(WZP_CLIENT_USAGE, "--seed",
                                         "expected a number: it draws the network of a sweep");
    }
    if (w->seed != NULL) {
        o->has_seed = true;
        return wzp_hex_parse(o->seed, 32, w->seed, strlen(w->seed), NULL) == WZP_OK
                   ? -1
                   : wzp_client_complain(WZP_CLIENT_USAGE, "--seed", "expected 64 hex digits");
    }
    wzp_fail fail = {0};
    o->has_seed = w->mnemonic[0] != '\0';
    if (o->has_seed && wzp_mnemonic_parse(o->seed, wzp_bytes_str(w->mnemonic), &fail) != WZP_OK) {
        char why[128];
        (void)snprintf(why, sizeof why,
                       strcmp(fail.field, "checksum") == 0
                           ? "these are not words of one seed: the checksum differs"
                           : "%s %llu: expected 24 words of the English BIP39 list",
                       fail.field, (unsigned long long)fail.got);
        return wzp_client_complain(WZP_CLIENT_USAGE, "--mnemonic", why);
    }
    return -1;
}

static int settle(const words *w) {
    static const char *const names[] = {"join",  "echo",  "call",    "listen",
                                        "drift", "sweep", "netcheck"};
    wzp_client_options *o = w->o;
    if ((w->given & 1U << o->command) == 0) {
        char why[96];
        (void)snprintf(why, sizeof why, "--%s is not for %s; see --help", w->narrowest,
                       names[o->command]);
        return wzp_client_complain(WZP_CLIENT_USAGE, "usage", why);
    }
    if ((o->send_file != NULL) + (o->tone_s > 0) + (o->silence ? 1 : 0) > 1) {
        return wzp_client_complain(WZP_CLIENT_USAGE, "usage",
                                   "--send-file, --send-tone and --silence: give one of them");
    }
    if (o->direct_only && (o->relay_only || o->generic)) {
        return wzp_client_complain(
            WZP_CLIENT_USAGE, "usage",
            "--direct-only: who tells nobody where it is has no direct path");
    }
    if (o->birthday &&
        (o->relay_only || o->direct_only || o->generic || o->policy == WZP_RACE_DEPLOYED)) {
        return wzp_client_complain(WZP_CLIENT_USAGE, "usage",
                                   "--birthday: not with --relay-only, --direct-only, --generic "
                                   "or --policy deployed");
    }
    if (o->tone_hz > 0 && (o->send_file != NULL || o->silence)) {
        return wzp_client_complain(WZP_CLIENT_USAGE, "usage", "--tone-hz is for a tone");
    }
    if (o->duration_s > 3600 && o->command != WZP_CLIENT_JOIN && o->command != WZP_CLIENT_CALL &&
        o->command != WZP_CLIENT_LISTEN) {
        return wzp_client_complain(WZP_CLIENT_USAGE, "--duration", "at most an hour is measured");
    }
    o->tone_hz = o->tone_s > 0 && o->tone_hz <= 0 ? 440 : o->tone_hz;
    uint8_t callee[WZP_FINGERPRINT_LEN];
    if (o->callee != NULL && wzp_fingerprint_parse(callee, wzp_bytes_str(o->callee)) != WZP_OK) {
        return wzp_client_complain(WZP_CLIENT_USAGE, o->callee,
                                   "expected a fingerprint of 32 hex digits");
    }
    return take_seed(w);
}

/* As deployed clients are called: at most an address. */
static int take_deployed(const words *w, int count, char **arguments) {
    wzp_client_options *o = w->o;
    o->relay = count > 0 ? arguments[0] : "127.0.0.1:4433";
    o->command = w->echo           ? WZP_CLIENT_ECHO
                 : w->drift        ? WZP_CLIENT_DRIFT
                 : w->sweep        ? WZP_CLIENT_SWEEP
                 : w->netcheck     ? WZP_CLIENT_NETCHECK
                 : w->call != NULL ? WZP_CLIENT_CALL
                 : w->signal       ? WZP_CLIENT_LISTEN
                                   : WZP_CLIENT_JOIN;
    o->callee = w->call;
    if (o->command == WZP_CLIENT_JOIN && o->duration_s <= 0 && o->send_file == NULL &&
        o->tone_s <= 0) {
        o->duration_s = 5; /* 250 silent frames */
    }
    return settle(w);
}

static const char mode_wanted[] = "expected join, call FINGERPRINT, listen, echo or drift, then "
                                  "HOST:PORT; or sweep or netcheck; see --help";

static int take_arguments(const words *w, int count, char **arguments) {
    static const struct {
        const char *name;
        int words;
    } commands[] = {[WZP_CLIENT_JOIN] = {"join", 2},   [WZP_CLIENT_ECHO] = {"echo", 2},
                    [WZP_CLIENT_CALL] = {"call", 3},   [WZP_CLIENT_LISTEN] = {"listen", 2},
                    [WZP_CLIENT_DRIFT] = {"drift", 2}, [WZP_CLIENT_SWEEP] = {"sweep", 1}};
    const bool deployed =
        w->echo || w->drift || w->sweep || w->signal || w->netcheck || w->call != NULL;
    wzp_client_options *o = w->o;
    if (!deployed && count > 0 && count <= 2 && strcmp(arguments[0], "netcheck") == 0) {
        o->command = WZP_CLIENT_NETCHECK;
        o->relay = count == 2 ? arguments[1] : NULL;
        return settle(w);
    }
    for (size_t i = 0; i < WZP_COUNT_OF(commands) && !deployed; i++) {
        if (count == commands[i].words && strcmp(arguments[0], commands[i].name) == 0) {
            o->command = (wzp_client_command)i;
            o->relay = arguments[count - 1];
            o->callee = o->command == WZP_CLIENT_CALL ? arguments[1] : NULL;
            return settle(w);
        }
    }
    if (count == 0 || (count == 1 && strchr(arguments[0], ':') != NULL)) {
        return take_deployed(w, count, arguments);
    }
    return wzp_client_complain(WZP_CLIENT_USAGE, count > 0 ? arguments[0] : "usage", mode_wanted);
}

/* --- the line ----------------------------------------------------------------------------------
 */

static const flag *flag_of(int id) {
    size_t i = 0;
    while (flags[i].id != id) {
        i++;
    }
    return &flags[i];
}

/* Deployed clients take the words of a seed one by one, up to the next option. */
static void take_words(words *w, int argc, char **argv) {
    size_t spaces = 0;
    for (const char *c = w->mnemonic; *c != '\0'; c++) {
        spaces += *c == ' ' ? 1 : 0;
    }
    for (; spaces + 1 < WZP_MNEMONIC_COUNT && optind < argc && argv[optind][0] != '-' &&
           strchr(argv[optind], ':') == NULL;
         spaces++) {
        const size_t len = strlen(w->mnemonic);
        (void)snprintf(w->mnemonic + len, sizeof w->mnemonic - len, " %s", argv[optind++]);
    }
}

static int take_flag(words *w, int id, const char *value) {
    if (id == 'h') {
        wzp_client_usage();
        return 0;
    }
    if (id == 'V') {
        puts("wzp-client " WZP_VERSION " (" WZP_BUILD_HASH ")");
        return 0;
    }
    if (id == '?') {
        return wzp_client_complain(WZP_CLIENT_USAGE, "usage", "see --help");
    }
    const flag *f = flag_of(id);
    if (!take(w, id, value)) {
        (void)fprintf(stderr, "wzp-client: --%s does not take '%s': expected %s\n", f->name, value,
                      f->wants);
        return wzp_client_complain(WZP_CLIENT_USAGE, "usage", "see --help");
    }
    w->narrowest = (w->given & f->commands) != w->given ? f->name : w->narrowest;
    w->given &= f->commands;
    return -1;
}

static void take_environment(wzp_client_options *o) {
    const char *keylog = wzp_io_env(WZP_TRACES_KEYLOG_ENV);
    const char *qlog_dir = wzp_io_env(WZP_TRACES_QLOG_ENV);
    if (o->keylog == NULL && keylog != NULL && *keylog != '\0') {
        o->keylog = keylog;
    }
    if (o->qlog_dir == NULL && qlog_dir != NULL && *qlog_dir != '\0') {
        o->qlog_dir = qlog_dir;
    }
}

int wzp_client_parse(wzp_client_options *o, int argc, char **argv) {
    struct option longs[WZP_COUNT_OF(flags) + 1] = {{NULL, 0, NULL, 0}};
    static words w;
    int code = -1;
    for (size_t i = 0; i < WZP_COUNT_OF(flags); i++) {
        assert(flag_of(flags[i].id) == &flags[i]); /* no id twice */
        longs[i] = (struct option){flags[i].name, flags[i].wants != NULL, NULL, flags[i].id};
    }
    *o = (wzp_client_options){.room = "default",
                              .codec = WZP_CODEC_OPUS_24K,
                              .log_level = WZP_LOG_WARN,
                              .repeat = 1,
                              .draw = 1,
                              .loss_pct = 2,
                              .jitter_ms = 20,
                              .netcheck = {.timeout_ms = 5000}};
    w = (words){.o = o, .given = ANY};
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    for (int id; code < 0 && (id = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        code = take_flag(&w, id, optarg);
        if (code < 0 && id == 'M') {
            take_words(&w, argc, argv);
        }
    }
    code = code < 0 && argc > 1 ? take_arguments(&w, argc - optind, argv + optind) : code;
    code = argc > 1 ? code : wzp_client_complain(WZP_CLIENT_USAGE, "usage", mode_wanted);
    wzp_crypto_wipe(w.mnemonic, sizeof w.mnemonic);
    take_environment(o);
    return code;
}

int wzp_client_resolve(const char *text, wzp_addr *out) {
    const char *why = "";
    const wzp_lookup_result found = wzp_lookup(text, AF_INET, out, &why);
    return found == WZP_LOOKUP_FOUND
               ? 0
               : wzp_client_complain(found == WZP_LOOKUP_MALFORMED ? WZP_CLIENT_USAGE
                                                                   : WZP_CLIENT_UNREACHABLE,
                                     text, why);
}
