#include "conformance/bin/options_parts.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/bin/client_child.h"
#include "conformance/bin/replay.h"
#include "conformance/bin/scrape.h"
#include "conformance/report/expect.h"
#include "io/http_client.h"
#include "io/sys.h"
#include "wzp_version.h"

static bool number(const char *text, uint64_t min, uint64_t max, const char *option,
                   uint64_t *out) {
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 0);
    if (*text == '\0' || *text == '-' || *end != '\0' || errno != 0 || value < min || value > max) {
        (void)fprintf(stderr,
                      "wzp-conformance: %s takes a whole number from %llu to %llu, not '%s'\n",
                      option, (unsigned long long)min, (unsigned long long)max, text);
        return false;
    }
    *out = value;
    return true;
}

static int choice(const char *text, const char *const *names, size_t count, const char *option) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            return (int)i;
        }
    }
    (void)fprintf(stderr, "wzp-conformance: %s takes", option);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(stderr, "%s %s", i == 0 ? "" : " or", names[i]);
    }
    (void)fprintf(stderr, ", not '%s'\n", text);
    return -1;
}

enum option_id {
    OPT_TARGET = 256,
    OPT_EXEC,
    OPT_CLIENT,
    OPT_REPLAY,
    OPT_REPLAY_STREAM,
    OPT_LISTENER,
    OPT_NETCHECK,
    OPT_CALLER,
    OPT_MOVE,
    OPT_CONFIG,
    OPT_NET,
    OPT_MODE,
    OPT_METRICS,
    OPT_AUTH_METRICS,
    OPT_ENFORCE,
    OPT_STRICT_IDENTITY,
    OPT_TIER,
    OPT_SELECT,
    OPT_SKIP,
    OPT_PROFILE,
    OPT_STRICT,
    OPT_DRY_RUN,
    OPT_VIRTUAL,
    OPT_REPEAT,
    OPT_JOBS,
    OPT_SEED,
    OPT_OUT,
    OPT_JSON,
    OPT_JUNIT,
    OPT_HTML,
    OPT_MARKDOWN,
    OPT_TAP,
    OPT_EVIDENCE,
    OPT_EXPECT,
    OPT_QUIET,
    OPT_LOG_LEVEL,
    OPT_HELP,
    OPT_VERSION
};

static const struct option longs[] = {{"target", 1, NULL, OPT_TARGET},
                                      {"exec", 1, NULL, OPT_EXEC},
                                      {"client", 1, NULL, OPT_CLIENT},
                                      {"replay", 1, NULL, OPT_REPLAY},
                                      {"replay-stream", 1, NULL, OPT_REPLAY_STREAM},
                                      {"listener", 1, NULL, OPT_LISTENER},
                                      {"netcheck", 1, NULL, OPT_NETCHECK},
                                      {"caller", 1, NULL, OPT_CALLER},
                                      {"move", 1, NULL, OPT_MOVE},
                                      {"config", 1, NULL, OPT_CONFIG},
                                      {"net", 1, NULL, OPT_NET},
                                      {"mode", 1, NULL, OPT_MODE},
                                      {"metrics", 1, NULL, OPT_METRICS},
                                      {"auth-metrics", 1, NULL, OPT_AUTH_METRICS},
                                      {"enforce", 1, NULL, OPT_ENFORCE},
                                      {"strict-identity", 0, NULL, OPT_STRICT_IDENTITY},
                                      {"tier", 1, NULL, OPT_TIER},
                                      {"select", 1, NULL, OPT_SELECT},
                                      {"skip", 1, NULL, OPT_SKIP},
                                      {"profile", 1, NULL, OPT_PROFILE},
                                      {"strict", 0, NULL, OPT_STRICT},
                                      {"dry-run", 0, NULL, OPT_DRY_RUN},
                                      {"virtual", 0, NULL, OPT_VIRTUAL},
                                      {"repeat", 1, NULL, OPT_REPEAT},
                                      {"jobs", 1, NULL, OPT_JOBS},
                                      {"seed", 1, NULL, OPT_SEED},
                                      {"out", 1, NULL, OPT_OUT},
                                      {"json", 1, NULL, OPT_JSON},
                                      {"junit", 1, NULL, OPT_JUNIT},
                                      {"html", 1, NULL, OPT_HTML},
                                      {"markdown", 1, NULL, OPT_MARKDOWN},
                                      {"tap", 0, NULL, OPT_TAP},
                                      {"evidence", 1, NULL, OPT_EVIDENCE},
                                      {"expect", 1, NULL, OPT_EXPECT},
                                      {"quiet", 0, NULL, OPT_QUIET},
                                      {"log-level", 1, NULL, OPT_LOG_LEVEL},
                                      {"help", 0, NULL, OPT_HELP},
                                      {"version", 0, NULL, OPT_VERSION},
                                      {NULL, 0, NULL, 0}};

typedef struct parse_state {
    wzp_ct_filters f;
    int evidence; /* all, failures, none */
    uint64_t repeat, jobs;
} parse_state;

/* Options whose value is one of a few words; false after a complaint. */
static bool take_choice(wzp_ct_options *o, parse_state *st, int id, const char *value) {
    static const char *const modes[] = {"auto", "observe", "enforce"};
    static const char *const enforces[] = {"off", "count", "observe", "on"};
    static const char *const profiles[] = {"deployed", "strict-limits"};
    static const char *const evidences[] = {"all", "failures", "none"};
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    int n = -1;
    if (id == OPT_MODE) {
        n = choice(value, modes, 3, "--mode");
        o->mode = n == 1 ? WZP_CT_MODE_OBSERVE : n == 2 ? WZP_CT_MODE_ENFORCE : WZP_CT_MODE_UNKNOWN;
        o->mode_given = true;
    } else if (id == OPT_ENFORCE) {
        n = choice(value, enforces, 4, "--enforce");
        o->enforce = n >= 0 ? (wzp_enforce)n : o->enforce;
    } else if (id == OPT_PROFILE) {
        n = choice(value, profiles, 2, "--profile");
        o->strict_limits = n == 1;
    } else if (id == OPT_EVIDENCE) {
        n = choice(value, evidences, 3, "--evidence");
        st->evidence = n;
    } else {
        n = choice(value, levels, 4, "--log-level");
        o->log_level = n >= 0 ? (wzp_log_level)n : o->log_level;
    }
    return n >= 0;
}

static bool take_config(wzp_ct_options *o, const char *value) {
    static const char *const names[] = {[WZP_CT_CONFIG_MAX_SESSIONS] = "max-sessions=",
                                        [WZP_CT_CONFIG_AUTH] = "auth=",
                                        [WZP_CT_CONFIG_TRUNKING] = "trunking=",
                                        [WZP_CT_CONFIG_IDENTITY] = "identity=",
                                        [WZP_CT_CONFIG_REGION] = "region=",
                                        [WZP_CT_CONFIG_POLICY] = "policy=",
                                        [WZP_CT_CONFIG_OBSERVE] = "observe=",
                                        [WZP_CT_CONFIG_FEDERATION] = "federation=",
                                        [WZP_CT_CONFIG_DIALLING] = "dialling="};
    for (size_t i = 1; i < WZP_COUNT_OF(names); i++) {
        const size_t len = strlen(names[i]);
        if (strncmp(value, names[i], len) == 0 && value[len] != '\0') {
            o->configs[i] = value + len;
            return true;
        }
    }
    (void)fprintf(
        stderr,
        "wzp-conformance: --config takes max-sessions=, auth=, trunking=, identity=, "
        "region=, policy=, observe=, federation= or dialling= and a command with {addr} or an "
        "address, not '%s'\n",
        value);
    return false;
}

static bool take_filter(wzp_ct_filters *f, int id, const char *value) {
    size_t *count = id == OPT_SELECT ? &f->selects : &f->skips;
    if (id == OPT_TIER) {
        (void)snprintf(f->tiers, sizeof f->tiers, "%s", value);
        return true;
    }
    if (*count == WZP_CT_FILTERS) {
        (void)fprintf(stderr, "wzp-conformance: at most %d of --select and --skip\n",
                      WZP_CT_FILTERS);
        return false;
    }
    (id == OPT_SELECT ? f->select : f->skip)[(*count)++] = value;
    return true;
}

static bool take_option(wzp_ct_options *o, parse_state *st, int id, char *value) {
    const char **const texts[] = {[OPT_TARGET - 256] = &o->target,
                                  [OPT_EXEC - 256] = &o->exec,
                                  [OPT_CLIENT - 256] = &o->client,
                                  [OPT_REPLAY - 256] = &o->replay_file,
                                  [OPT_LISTENER - 256] = &o->listener,
                                  [OPT_NETCHECK - 256] = &o->checker,
                                  [OPT_CALLER - 256] = &o->caller,
                                  [OPT_MOVE - 256] = &o->mover,
                                  [OPT_NET - 256] = &o->net,
                                  [OPT_METRICS - 256] = &o->metrics,
                                  [OPT_AUTH_METRICS - 256] = &o->auth_metrics,
                                  [OPT_OUT - 256] = &o->out,
                                  [OPT_JSON - 256] = &o->json,
                                  [OPT_JUNIT - 256] = &o->junit,
                                  [OPT_HTML - 256] = &o->html,
                                  [OPT_MARKDOWN - 256] = &o->markdown,
                                  [OPT_EXPECT - 256] = &o->expect};
    switch (id) {
    case OPT_MODE:
    case OPT_ENFORCE:
    case OPT_PROFILE:
    case OPT_EVIDENCE:
    case OPT_LOG_LEVEL:
        return take_choice(o, st, id, value);
    case OPT_TIER:
    case OPT_SELECT:
    case OPT_SKIP:
        return take_filter(&st->f, id, value);
    case OPT_CONFIG:
        return take_config(o, value);
    case OPT_REPLAY_STREAM:
        return number(value, 1, UINT32_MAX, "--replay-stream", &o->replay_stream);
    case OPT_REPEAT:
        return number(value, 1, 99, "--repeat", &st->repeat);
    case OPT_JOBS:
        return number(value, 1, 1000, "--jobs", &st->jobs);
    case OPT_SEED:
        return number(value, 0, UINT64_MAX, "--seed", &o->seed);
    case OPT_STRICT_IDENTITY:
        return o->strict_identity = true;
    case OPT_STRICT:
        return o->strict = true;
    case OPT_DRY_RUN:
        return o->dry_run = true;
    case OPT_VIRTUAL:
        return o->virtual_time = true;
    case OPT_TAP:
        return o->tap = true;
    case OPT_QUIET:
        return o->quiet = true;
    default:
        *texts[id - 256] = value;
        return true;
    }
}

/* Where a report goes that got no place of its own: into --out. */
static const char *in_out(wzp_ct_options *o, const char *given, const char *name) {
    char *path = NULL;
    if (given != NULL || asprintf(&path, "%s/%s", o->out, name) < 0) {
        return given;
    }
    return o->made[o->made_count++] = path;
}

static bool make_dir(const char *path) {
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        (void)fprintf(stderr, "wzp-conformance: cannot make %s: %s\n", path, wzp_io_reason(errno));
        return false;
    }
    return true;
}

static bool prepare_out(wzp_ct_options *o, int evidence) {
    if (o->out == NULL) {
        return true;
    }
    if (!make_dir(o->out)) {
        return false;
    }
    o->json = in_out(o, o->json, "report.json");
    o->html = in_out(o, o->html, "report.html");
    o->junit = in_out(o, o->junit, "junit.xml");
    o->markdown = in_out(o, o->markdown, "report.md");
    (void)snprintf(o->evidence_path, sizeof o->evidence_path, "%s/evidence", o->out);
    o->evidence_all = evidence == 0;
    o->evidence_dir = evidence != 2 ? o->evidence_path : NULL;
    return o->evidence_dir == NULL || make_dir(o->evidence_dir);
}

static void remember_replay(wzp_ct_options *o, int argc, char **argv) {
    size_t used = (size_t)snprintf(o->replay, sizeof o->replay, "wzp-conformance");
    bool seeded = false;
    for (int i = 1; i < argc && used < sizeof o->replay; i++) {
        seeded = seeded || strncmp(argv[i], "--seed", 6) == 0;
        const bool quote = strpbrk(argv[i], " {}*?") != NULL;
        used += (size_t)snprintf(o->replay + used, sizeof o->replay - used, quote ? " '%s'" : " %s",
                                 argv[i]);
    }
    if (!seeded && used < sizeof o->replay) {
        (void)snprintf(o->replay + used, sizeof o->replay - used, " --seed %llu",
                       (unsigned long long)o->seed);
    }
}

static int finish_report(wzp_ct_options *o, int argc, char **argv) {
    if (optind + 2 != argc) {
        (void)fputs("wzp-conformance: report takes one JSON report\n", stderr);
        return WZP_CT_USAGE;
    }
    o->saved = argv[optind + 1];
    return prepare_out(o, 2) ? -1 : WZP_CT_UNREADABLE;
}

static bool is_page(const char *option, const char *url) {
    if (!wzp_ct_is_url(url) || !wzp_http_url_is_usable(url)) {
        (void)fprintf(stderr, "wzp-conformance: %s takes http://HOST[:PORT]/PATH, not '%s'\n",
                      option, url);
        return false;
    }
    return true;
}

static bool check_client(const wzp_ct_options *o) {
    const bool is_embedded = strcmp(o->client, "embedded") == 0;
    const char *wrong =
        is_embedded ? NULL
                    : wzp_ct_client_command_check(o->client, o->listener, o->checker, o->caller);
    if (o->target != NULL || o->exec != NULL) {
        wrong = "excludes --target and --exec, which name a relay";
    } else if (o->virtual_time && !is_embedded) {
        wrong = "with --virtual takes 'embedded' only";
    }
    if (wrong != NULL) {
        (void)fprintf(stderr, "wzp-conformance: --client: %s\n", wrong);
    }
    return wrong == NULL;
}

/* A run whose reports cannot be written is not begun; false: said. */
static bool can_report(const wzp_ct_options *o) {
    const char *const files[] = {o->json, o->junit, o->html, o->markdown};
    for (size_t i = 0; i < WZP_COUNT_OF(files); i++) {
        FILE *f = files[i] != NULL ? fopen(files[i], "a") : NULL;
        if (files[i] != NULL && (f == NULL || fclose(f) != 0)) {
            (void)fprintf(stderr, "wzp-conformance: cannot write %s: %s\n", files[i],
                          wzp_io_reason(errno));
            return false;
        }
    }
    return true;
}

static int finish(wzp_ct_options *o, const parse_state *st) {
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    o->repeat = (uint32_t)(st->repeat != 0 ? st->repeat : o->virtual_time ? 1 : 3);
    o->jobs = (uint32_t)(st->jobs != 0     ? st->jobs
                         : o->virtual_time ? 64
                                           : 24 * (uint64_t)(cpus > 0 ? cpus : 1));
    if (o->client == NULL && (o->listener != NULL || o->checker != NULL || o->caller != NULL)) {
        o->client = "";
    }
    if (o->client != NULL && !check_client(o)) {
        return WZP_CT_USAGE;
    }
    if (o->mover != NULL && o->listener == NULL) {
        (void)fputs("wzp-conformance: --move changes the network of a --listener\n", stderr);
        return WZP_CT_USAGE;
    }
    if (o->target != NULL && o->exec != NULL) {
        (void)fputs("wzp-conformance: --target and --exec exclude each other\n", stderr);
        return WZP_CT_USAGE;
    }
    if (o->net != NULL && !o->virtual_time) {
        (void)fputs("wzp-conformance: --net needs --virtual\n", stderr);
        return WZP_CT_USAGE;
    }
    if (o->virtual_time && (o->target != NULL || o->exec != NULL)) {
        (void)fputs("wzp-conformance: --virtual tests the embedded relay only\n", stderr);
        return WZP_CT_USAGE;
    }
    if (o->client == NULL && o->target == NULL && o->exec == NULL && !o->mode_given &&
        o->enforce == WZP_ENFORCE_ON) {
        o->mode = WZP_CT_MODE_ENFORCE;
    }
    if ((o->metrics != NULL && wzp_ct_is_url(o->metrics) && !is_page("--metrics", o->metrics)) ||
        (o->auth_metrics != NULL && !is_page("--auth-metrics", o->auth_metrics))) {
        return WZP_CT_USAGE;
    }
    if (o->replay_stream != 0 && o->replay_file == NULL) {
        (void)fputs("wzp-conformance: --replay-stream needs --replay\n", stderr);
        return WZP_CT_USAGE;
    }
    if (o->replay_file != NULL && o->client != NULL) {
        (void)fputs("wzp-conformance: --replay tests a relay, --client a client\n", stderr);
        return WZP_CT_USAGE;
    }
    const int loaded = o->replay_file != NULL && o->command == WZP_CT_COMMAND_RUN
                           ? wzp_ct_replay_load(o->replay_file, (uint32_t)o->replay_stream)
                           : 0;
    if (loaded != 0) {
        return loaded;
    }
    o->long_too = o->client != NULL || st->f.selects > 0 || st->f.tiers[0] != '\0';
    const int code = wzp_ct_options_select(o, &st->f);
    if (code == 0 && o->command == WZP_CT_COMMAND_RUN && !o->dry_run &&
        !(prepare_out(o, st->evidence) && can_report(o))) {
        return WZP_CT_UNREADABLE;
    }
    return code == 0 ? -1 : code;
}

int wzp_ct_options_parse(wzp_ct_options *o, int argc, char **argv) {
    parse_state st = {.evidence = 1};
    *o = (wzp_ct_options){.enforce = WZP_ENFORCE_ON,
                          .seed = 1,
                          .log_level = WZP_LOG_WARN,
                          /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
                          .colour = isatty(STDOUT_FILENO) != 0 && getenv("NO_COLOR") == NULL};
    remember_replay(o, argc, argv); /* before getopt moves its words */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    for (int id; (id = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (id == OPT_HELP) {
            wzp_ct_options_usage(stdout);
            return 0;
        }
        if (id == OPT_VERSION) {
            puts("wzp-conformance " WZP_VERSION " (" WZP_BUILD_HASH ")");
            return 0;
        }
        if (id == '?' || !take_option(o, &st, id, optarg)) {
            (void)fputs("wzp-conformance: see --help\n", stderr);
            return WZP_CT_USAGE;
        }
    }
    const char *command = optind < argc ? argv[optind] : "";
    if (strcmp(command, "list") == 0) {
        o->command = WZP_CT_COMMAND_LIST;
    } else if (strcmp(command, "run") == 0) {
        o->command = WZP_CT_COMMAND_RUN;
    } else if (strcmp(command, "report") == 0) {
        o->command = WZP_CT_COMMAND_REPORT;
        return finish_report(o, argc, argv);
    } else {
        (void)fprintf(
            stderr,
            command[0] != '\0'
                ? "wzp-conformance: '%s' is not a command: list, run, report or score; see --help\n"
                : "wzp-conformance:%s list, run, report or score? See --help\n",
            command);
        return WZP_CT_USAGE;
    }
    if (optind + 1 < argc) {
        (void)fprintf(stderr, "wzp-conformance: %s takes no '%s'; see --help\n", command,
                      argv[optind + 1]);
        return WZP_CT_USAGE;
    }
    return finish(o, &st);
}

void wzp_ct_options_clear(wzp_ct_options *o) {
    free(o->cases);
    o->cases = NULL;
    wzp_ct_expect_clear(&o->expectations);
    while (o->made_count > 0) {
        free(o->made[--o->made_count]);
    }
}
