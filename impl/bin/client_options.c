#include "bin/client_options.h"

#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wzp_version.h"

static void usage(FILE *out) {
    (void)fputs(
        "usage: wzp-client join [options] HOST:PORT\n"
        "       wzp-client call [options] FINGERPRINT HOST:PORT\n"
        "       wzp-client listen [options] HOST:PORT\n"
        "       wzp-client echo [--duration S] [--json] HOST:PORT\n"
        "\n"
        "join    joins a room, sends sound and records what it hears, one WAV per sender\n"
        "call    calls a client that listens at the same relay\n"
        "listen  prints its fingerprint, takes one call, ends with it\n"
        "echo    calls itself over the relay and measures what arrives\n"
        "\n"
        "  --room NAME        the room (default)\n"
        "  --send-file F.wav  sound to send, once; --send-tone HZ; --silence (default)\n"
        "  --record DIR       sender-N.wav for each sender\n"
        "  --duration S       hang up after S seconds (10, or as long as the file; listen: when\n"
        "                     the caller does)\n"
        "  --reject, --generic  listen: says no, or takes the call without telling addresses\n"
        "  --alias NAME, --seed HEX (a fresh identity otherwise)\n"
        "  --media-crypto clear|relay-aead  join: payloads in clear inside QUIC (the default), or\n"
        "                     sealed for the relay alone, whom only a tester plays: nobody else "
        "in\n"
        "                     the room can read them\n"
        "  --quality Q        auto (the default: follows the network, the relay and the peers),\n"
        "                     or fixed: good, degraded, catastrophic, codec2-3200, studio-32k,\n"
        "                     studio-48k, studio-64k\n"
        "  --network N        unknown (the default), wifi or cellular: what auto takes as bad\n"
        "  --suppress-silence  send comfort noise five times a second instead of silence\n"
        "  --json             statistics as JSON\n"
        "  --stats json       join: a line of them ten times a second and at each event, instead\n"
        "  --quiet, --log-level error|warn|info|debug, --help, --version\n"
        "\n"
        "Exit status: 0 good, 1 the call was refused, not taken or ended early, 2 usage, 3 a file\n"
        "cannot be read or written, 4 the relay cannot be reached.\n"
        "\n"
        "Example: wzp-client join --room demo --send-file hello.wav --record heard "
        "127.0.0.1:4433\n",
        out);
}

int wzp_client_complain(int code, const char *what, const char *why) {
    (void)fprintf(stderr, "wzp-client: %s: %s\n", what, why);
    return code;
}

/* --- options --------------------------------------------------------------------------------- */

static bool positive(const char *text, double max, double *out) {
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out > 0 && *out <= max;
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

static bool take(wzp_client_options *o, int id, const char *value) {
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
    case 'N':
        return take_network(o, value);
    case 'u':
        return o->suppress_silence = true;
    case 'x':
        return o->reject = true;
    case 'g':
        return o->generic = true;
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
    case 'm':
        return take_crypto(o, value);
    case 'Q':
        return take_quality(o, value);
    case 'T':
        return o->stats = strcmp(value, "json") == 0;
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

static int take_join_only(const wzp_client_options *o) {
    const bool given = o->stats || o->media_crypto != WZP_MEDIA_CRYPTO_CLEAR;
    return o->command == WZP_CLIENT_JOIN || !given
               ? -1
               : wzp_client_complain(WZP_CLIENT_USAGE, "usage",
                                     "--stats and --media-crypto are for join");
}

static int take_arguments(wzp_client_options *o, int count, char **words) {
    static const struct {
        const char *name;
        int words;
    } commands[] = {[WZP_CLIENT_JOIN] = {"join", 2},
                    [WZP_CLIENT_ECHO] = {"echo", 2},
                    [WZP_CLIENT_CALL] = {"call", 3},
                    [WZP_CLIENT_LISTEN] = {"listen", 2}};
    for (size_t i = 0; i < WZP_COUNT_OF(commands); i++) {
        if (count > 0 && strcmp(words[0], commands[i].name) == 0 && count == commands[i].words) {
            o->command = (wzp_client_command)i;
            o->relay = words[count - 1];
            o->callee = o->command == WZP_CLIENT_CALL ? words[1] : NULL;
            return take_join_only(o);
        }
    }
    return wzp_client_complain(
        WZP_CLIENT_USAGE, "usage",
        "join, call FINGERPRINT, listen or echo, then HOST:PORT; see --help");
}

int wzp_client_parse(wzp_client_options *o, int argc, char **argv) {
    static const struct option longs[] = {{"room", 1, NULL, 'r'},
                                          {"send-file", 1, NULL, 'f'},
                                          {"send-tone", 1, NULL, 't'},
                                          {"silence", 0, NULL, 'S'},
                                          {"record", 1, NULL, 'R'},
                                          {"duration", 1, NULL, 'd'},
                                          {"alias", 1, NULL, 'a'},
                                          {"seed", 1, NULL, 's'},
                                          {"json", 0, NULL, 'j'},
                                          {"reject", 0, NULL, 'x'},
                                          {"generic", 0, NULL, 'g'},
                                          {"quiet", 0, NULL, 'q'},
                                          {"log-level", 1, NULL, 'l'},
                                          {"help", 0, NULL, 'h'},
                                          {"version", 0, NULL, 'V'},
                                          {"media-crypto", 1, NULL, 'm'},
                                          {"stats", 1, NULL, 'T'},
                                          {"quality", 1, NULL, 'Q'},
                                          {"suppress-silence", 0, NULL, 'u'},
                                          {"network", 1, NULL, 'N'},
                                          {NULL, 0, NULL, 0}};
    int index = 0;
    *o = (wzp_client_options){
        .room = "default", .codec = WZP_CODEC_OPUS_24K, .log_level = WZP_LOG_WARN};
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
            return wzp_client_complain(WZP_CLIENT_USAGE, "usage", "see --help");
        }
    }
    return take_arguments(o, argc - optind, argv + optind);
}

int wzp_client_resolve(const char *text, wzp_addr *out) {
    char host[256];
    const char *colon = strrchr(text, ':');
    if (wzp_addr_parse(out, text) == WZP_OK) {
        return 0;
    }
    if (colon == NULL || (size_t)(colon - text) >= sizeof host) {
        return wzp_client_complain(WZP_CLIENT_USAGE, text, "expected HOST:PORT");
    }
    (void)snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    const int rv = getaddrinfo(host, colon + 1, &hints, &found);
    if (rv != 0) {
        return wzp_client_complain(WZP_CLIENT_UNREACHABLE, text, gai_strerror(rv));
    }
    struct sockaddr_in in;
    memcpy(&in, found->ai_addr, sizeof in);
    freeaddrinfo(found);
    *out = (wzp_addr){.family = WZP_ADDR_V4, .port = ntohs(in.sin_port)};
    memcpy(out->ip, &in.sin_addr, 4);
    return 0;
}
