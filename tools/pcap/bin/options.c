#include "tools/pcap/bin/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/log_sink.h"
#include "io/sys.h"
#include "wzp_version.h"

#define OPTIONS_MAX 64 /* of one verb, with those of all */

enum option_id {
    OPT_KEYLOG = 256,
    OPT_MEDIA_KEYS,
    OPT_MAX,
    OPT_LEGACY_NONCE,
    OPT_QUIET,
    OPT_LOG_LEVEL,
    OPT_HELP,
    OPT_VERSION
};

static const struct option common[] = {
    {"keylog", 1, NULL, OPT_KEYLOG}, {"media-keys", 1, NULL, OPT_MEDIA_KEYS},
    {"max", 1, NULL, OPT_MAX},       {"legacy-nonce", 0, NULL, OPT_LEGACY_NONCE},
    {"quiet", 0, NULL, OPT_QUIET},   {"log-level", 1, NULL, OPT_LOG_LEVEL},
    {"help", 0, NULL, OPT_HELP},     {"version", 0, NULL, OPT_VERSION}};

bool wzp_pcap_complain(const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)fputs("wzp-pcap: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    return false;
}

bool wzp_pcap_ends_in(const char *path, const char *ending) {
    const size_t len = strlen(path);
    const size_t n = strlen(ending);
    return len > n && strcmp(path + len - n, ending) == 0;
}

FILE *wzp_pcap_create(const char *path) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd >= 0 ? fdopen(fd, "wb") : NULL;
}

bool wzp_pcap_number(const char *text, uint64_t *out) {
    char *end = NULL;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

/* --- help ------------------------------------------------------------------------------------- */

static void usage_common(FILE *out) {
    (void)fputs("all verbs\n"
                "  --keylog F           TLS secrets, as SSLKEYLOGFILE has them; may be repeated;\n"
                "                       those inside a pcapng file are used anyway\n"
                "  --media-keys F       lines 'WZP_MEDIA_KEY CLIENT_RANDOM|* EPOCH KEY'\n"
                "  --legacy-nonce       media sealed by programs from before 2026-05-25\n"
                "  --max N              stops after N packets of the capture\n"
                "  --quiet, --log-level error|warn|info|debug, --help, --version\n"
                "\n"
                "Exit status: 0 good, 1 findings, 2 usage, 3 nothing of a file could be read,\n"
                "4 the target cannot be reached.\n",
                out);
}

static void usage(FILE *out) {
    (void)fputs("usage: wzp-pcap VERB [options] FILE\n"
                "\n"
                "Captures of WZP v2 calls: pcap, pcapng with secrets, .wzp, hexadecimal lines.\n"
                "FILE - is standard input.\n"
                "\n",
                out);
    for (const wzp_pcap_verb *const *verb = wzp_pcap_verbs; *verb != NULL; verb++) {
        (void)fprintf(out, "%-9s %s\n", (*verb)->name, (*verb)->about);
    }
    (void)fputs("\nwzp-pcap VERB --help says more.\n\n", out);
    usage_common(out);
    (void)fputs("\nExample: wzp-pcap dump --keylog keys.log -Y 'wzp.codec == 9' call.pcapng\n",
                out);
}

static void usage_verb(const wzp_pcap_verb *verb) {
    (void)printf("usage: wzp-pcap %s [options] %s\n\n%s.\n\n%s\n", verb->name, verb->args,
                 verb->about, verb->help);
    usage_common(stdout);
}

static int version(void) {
    (void)puts("wzp-pcap " WZP_VERSION " (" WZP_BUILD_HASH ")");
    return EXIT_GOOD;
}

/* --- options ---------------------------------------------------------------------------------- */

static bool take_path(const char *list[], size_t *count, const char *value) {
    if (*count == WZP_PCAP_KEYLOGS_MAX) {
        return wzp_pcap_complain("too many key logs: %s; join them with cat", value);
    }
    list[(*count)++] = value;
    return true;
}

static bool take_common(wzp_pcap_options *o, int id, const char *value) {
    switch (id) {
    case OPT_KEYLOG:
        return take_path(o->keylogs, &o->keylog_count, value);
    case OPT_MEDIA_KEYS:
        return take_path(o->media_keys, &o->media_key_count, value);
    case OPT_MAX:
        return (wzp_pcap_number(value, &o->max_packets) && o->max_packets > 0) ||
               wzp_pcap_complain("--max takes a number of packets from 1, not '%s'", value);
    case OPT_LEGACY_NONCE:
        return o->legacy_nonce = true;
    case OPT_QUIET:
        return o->quiet = true;
    default:
        return wzp_log_level_parse(value, &o->log_level) ||
               wzp_pcap_complain("--log-level takes error, warn, info or debug, not '%s'", value);
    }
}

static const wzp_pcap_verb *find_verb(const char *name) {
    for (const wzp_pcap_verb *const *verb = wzp_pcap_verbs; *verb != NULL; verb++) {
        if (strcmp((*verb)->name, name) == 0) {
            return *verb;
        }
    }
    return NULL;
}

/* What may stand in place of a verb. */
static int without_verb(int argc, char **argv) {
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EXIT_GOOD;
    }
    if (strcmp(argv[1], "--version") == 0) {
        return version();
    }
    if (argv[1][0] == '-') {
        (void)wzp_pcap_complain("the verb comes first, not '%s'; see --help", argv[1]);
    } else {
        (void)wzp_pcap_complain("there is no verb '%s'; see --help", argv[1]);
    }
    return EXIT_USAGE;
}

/* Those of all and the verb's own, with the empty one at the end. */
static void join_options(struct option all[OPTIONS_MAX], const wzp_pcap_verb *verb) {
    size_t n = WZP_COUNT_OF(common);
    memcpy(all, common, sizeof common);
    for (const struct option *own = verb->options; own != NULL && own->name != NULL; own++) {
        if (n < OPTIONS_MAX - 1) {
            all[n++] = *own;
        }
    }
    all[n] = (struct option){NULL, 0, NULL, 0};
}

static int complain_option(int id, const wzp_pcap_verb *verb, const char *bad) {
    (void)(id == ':' ? wzp_pcap_complain("%s needs a value", bad)
                     : wzp_pcap_complain("%s takes no option '%s'; see wzp-pcap %s --help",
                                         verb->name, bad, verb->name));
    return EXIT_USAGE;
}

/* -1: all were taken. */
static int take_options(wzp_pcap_options *o, const wzp_pcap_verb *verb, int argc, char **argv) {
    struct option all[OPTIONS_MAX];
    char shorts[64];
    join_options(all, verb);
    (void)snprintf(shorts, sizeof shorts, ":%s", verb->shorts != NULL ? verb->shorts : "");
    opterr = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread */
    for (int id; (id = getopt_long(argc, argv, shorts, all, NULL)) != -1;) {
        if (id == OPT_HELP) {
            usage_verb(verb);
            return EXIT_GOOD;
        }
        if (id == OPT_VERSION) {
            return version();
        }
        if (id == ':' || id == '?') {
            return complain_option(id, verb, argv[optind - 1]);
        }
        const bool own = id < OPT_KEYLOG || id > OPT_VERSION;
        if (!(own ? verb->take(id, optarg) : take_common(o, id, optarg))) {
            return EXIT_USAGE;
        }
    }
    return -1;
}

int wzp_pcap_options_parse(wzp_pcap_options *out, const wzp_pcap_verb **verb, int argc,
                           char **argv) {
    *out = (wzp_pcap_options){.max_packets = UINT64_MAX, .log_level = WZP_LOG_WARN};
    out->colour = isatty(STDOUT_FILENO) != 0 && wzp_io_env("NO_COLOR") == NULL;
    *verb = argc < 2 ? NULL : find_verb(argv[1]);
    if (*verb == NULL) {
        return without_verb(argc, argv);
    }
    /* The verb takes the place of the program's name. */
    const int status = take_options(out, *verb, argc - 1, argv + 1);
    if (status != -1) {
        return status;
    }
    for (int i = optind + 1; i < argc; i++) {
        if (out->arg_count == WZP_PCAP_ARGS_MAX) {
            (void)wzp_pcap_complain("too many arguments: %s", argv[i]);
            return EXIT_USAGE;
        }
        out->args[out->arg_count++] = argv[i];
    }
    return -1;
}
