#include "sim/bin/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/log_sink.h"
#include "io/sys.h"
#include "sim/lab/near.h"
#include "wzp_version.h"

enum verb { LIST = 1, RUN = 2, CAMPAIGN = 4, SHRINK = 8, MATRIX = 16, PROXY = 32 };

static const struct verb_entry {
    const char *name;
    unsigned bit;
    wzp_sim_verb_main *run;
} verbs[] = {
    {"list", LIST, wzp_sim_list},
    {"run", RUN, wzp_sim_run},
    {"campaign", CAMPAIGN, wzp_sim_campaign},
    {"shrink", SHRINK, wzp_sim_shrink},
    {"matrix", MATRIX, wzp_sim_matrix},
    {"proxy", PROXY, wzp_sim_proxy_main},
};

static const char *verb_at(const void *list, size_t index) {
    (void)list;
    return index < sizeof verbs / sizeof *verbs ? verbs[index].name : NULL;
}

static void usage(FILE *out) {
    (void)fputs(
        "usage: wzp-sim list [DIR]\n"
        "       wzp-sim run SCENARIO [options]\n"
        "       wzp-sim campaign SCENARIO|DIR... [options]\n"
        "       wzp-sim shrink SCENARIO --seed N [--out F]\n"
        "       wzp-sim matrix [--html F]\n"
        "       wzp-sim proxy SCENARIO --listen ADDR --upstream ADDR [options]\n"
        "\n"
        "Calls through simulated networks: NATs, loss, jitter, queues, handovers.  SCENARIO is a\n"
        "TOML file, or the name of one that comes with the program (see list).\n"
        "\n"
        "list      the scenarios of a folder, and what each expects\n"
        "run       one scenario with one seed\n"
        "campaign  many scenarios with many seeds, in several processes\n"
        "shrink    the smallest scenario that still fails like this one\n"
        "matrix    every kind of NAT against every other\n"
        "proxy     a scenario's links and NATs in front of any program, in real time\n"
        "\n"
        "run\n"
        "  --seed N             of all chance (the scenario's own)\n"
        "  --set KEY=VALUE      changes the scenario, as host.y.nat=symrand; may be repeated\n"
        "  --engine native|ns3  what simulates the links (native)\n"
        "  --check              only reads the scenario\n"
        "  --pcap DIR           a capture of each node, and keys.log for Wireshark\n"
        "  --qlog DIR           event logs of the relays' connections\n"
        "  --trace F            a line for each packet at each interface\n"
        "  --json F, --html F   the result; - is standard output\n"
        "campaign (and --set, --engine, --json)\n"
        "  --seeds A..B         (1..20)\n"
        "  --jobs N             processes at once (one for each processor)\n"
        "  --shard I/N          only the I-th of N equal parts of all runs, I from 1\n"
        "  --merge              the files are results of shards: joins them\n"
        "shrink (and --seed, --set, --engine)\n"
        "  --out F              the small scenario (standard output)\n"
        "matrix (and --seed, --seeds, --jobs, --engine, --json)\n"
        "  --html F             the grid; each cell opens its call, with its capture beside it\n"
        "proxy (and --seed, --set, --pcap, --json)\n"
        "  --listen ADDR        IP:PORT that clients talk to instead of the program's\n"
        "  --upstream ADDR      IP:PORT of the program\n"
        "  --host NAME          where the clients are (the first of the scenario by name)\n"
        "  --for TIME           ends after this time, as '30 s' (with Ctrl-C)\n"
        "all\n"
        "  --quiet, --log-level error|warn|info|debug, --help, --version\n"
        "\n"
        "Exit status: 0 as expected, 1 not so, 2 usage, or nothing to shrink, 3 a file cannot be\n"
        "read or written, or is no scenario, 4 the engine is not there or an address\n"
        "cannot be had, 5 this build lacks what the scenario needs,\n"
        "127 no scenario has that name.\n"
        "\n"
        "Examples: wzp-sim run N14 --seed 7 --pcap captures --html n14.html\n"
        "          wzp-sim campaign sim/scenarios --seeds 1..20 --json all.json\n"
        "          wzp-sim proxy N14 --listen 127.0.0.1:4500 --upstream 127.0.0.1:4433\n",
        out);
}

/* --- options ---------------------------------------------------------------------------------- */

enum option_id {
    OPT_SEED = 256,
    OPT_SEEDS,
    OPT_JOBS,
    OPT_SHARD,
    OPT_MERGE,
    OPT_SET,
    OPT_ENGINE,
    OPT_CHECK,
    OPT_PCAP,
    OPT_QLOG,
    OPT_TRACE,
    OPT_JSON,
    OPT_HTML,
    OPT_OUT,
    OPT_LISTEN,
    OPT_UPSTREAM,
    OPT_HOST,
    OPT_FOR,
    OPT_QUIET,
    OPT_LOG_LEVEL,
    OPT_HELP,
    OPT_VERSION
};

static const struct option longs[] = {{"seed", 1, NULL, OPT_SEED},
                                      {"seeds", 1, NULL, OPT_SEEDS},
                                      {"jobs", 1, NULL, OPT_JOBS},
                                      {"shard", 1, NULL, OPT_SHARD},
                                      {"merge", 0, NULL, OPT_MERGE},
                                      {"set", 1, NULL, OPT_SET},
                                      {"engine", 1, NULL, OPT_ENGINE},
                                      {"check", 0, NULL, OPT_CHECK},
                                      {"pcap", 1, NULL, OPT_PCAP},
                                      {"qlog", 1, NULL, OPT_QLOG},
                                      {"trace", 1, NULL, OPT_TRACE},
                                      {"json", 1, NULL, OPT_JSON},
                                      {"html", 1, NULL, OPT_HTML},
                                      {"out", 1, NULL, OPT_OUT},
                                      {"listen", 1, NULL, OPT_LISTEN},
                                      {"upstream", 1, NULL, OPT_UPSTREAM},
                                      {"host", 1, NULL, OPT_HOST},
                                      {"for", 1, NULL, OPT_FOR},
                                      {"quiet", 0, NULL, OPT_QUIET},
                                      {"log-level", 1, NULL, OPT_LOG_LEVEL},
                                      {"help", 0, NULL, OPT_HELP},
                                      {"version", 0, NULL, OPT_VERSION},
                                      {NULL, 0, NULL, 0}};

/* Verbs that an option is for; what is not here is for all. */
static const struct scope {
    int id;
    unsigned verbs;
} scopes[] = {
    {OPT_SEED, RUN | SHRINK | MATRIX | PROXY},
    {OPT_SEEDS, CAMPAIGN | MATRIX},
    {OPT_JOBS, CAMPAIGN | MATRIX},
    {OPT_SHARD, CAMPAIGN},
    {OPT_MERGE, CAMPAIGN},
    {OPT_SET, RUN | CAMPAIGN | SHRINK | PROXY},
    {OPT_ENGINE, RUN | CAMPAIGN | SHRINK | MATRIX},
    {OPT_CHECK, RUN},
    {OPT_PCAP, RUN | PROXY},
    {OPT_QLOG, RUN},
    {OPT_TRACE, RUN},
    {OPT_HTML, RUN | MATRIX},
    {OPT_OUT, SHRINK},
    {OPT_LISTEN, PROXY},
    {OPT_UPSTREAM, PROXY},
    {OPT_HOST, PROXY},
    {OPT_FOR, PROXY},
    {OPT_JSON, RUN | CAMPAIGN | LIST | MATRIX | PROXY},
};

static const char *option_at(const void *list, size_t index) {
    (void)list;
    return longs[index].name;
}

static const char *option_name(int id) {
    for (size_t i = 0; longs[i].name != NULL; i++) {
        if (longs[i].val == id) {
            return longs[i].name;
        }
    }
    return "";
}

static bool complain(const char *format, const char *what, const char *more) {
    (void)fputs("wzp-sim: ", stderr);
    (void)fprintf(stderr, format, what, more);
    (void)fputc('\n', stderr);
    return false;
}

static bool number(const char *text, uint64_t *out) {
    char *end = NULL;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

/* "A..B" with A <= B, or with "/" between, from 1 on. */
static bool two_numbers(const char *text, const char *between, uint64_t *a, uint64_t *b) {
    char first[32];
    const char *sign = strstr(text, between);
    const size_t len = sign != NULL ? (size_t)(sign - text) : sizeof first;
    if (len >= sizeof first) {
        return false;
    }
    memcpy(first, text, len);
    first[len] = '\0';
    return number(first, a) && number(sign + strlen(between), b) && *a <= *b;
}

static bool take_numbers(wzp_sim_options *o, int id, const char *value) {
    switch (id) {
    case OPT_SEED:
        o->has_seed = true;
        return number(value, &o->seed) ||
               complain("--seed takes a whole number, not '%s'%s", value, "");
    case OPT_SEEDS:
        return (two_numbers(value, "..", &o->first_seed, &o->last_seed) &&
                o->last_seed - o->first_seed < 1000000) ||
               complain("--seeds takes a range as 1..20, not '%s'%s", value, "");
    case OPT_JOBS:
        return (number(value, &o->jobs) && o->jobs >= 1 && o->jobs <= 256) ||
               complain("--jobs takes a number from 1 to 256, not '%s'%s", value, "");
    default:
        return (two_numbers(value, "/", &o->shard, &o->shards) && o->shard >= 1) ||
               complain("--shard takes a part as 1/4, not '%s'%s", value, "");
    }
}

static bool take_engine(wzp_sim_options *o, const char *value) {
    static const char *const engines[] = {"native", "ns3", NULL};
    char near[WZP_LAB_NEAR_MAX];
    for (size_t i = 0; engines[i] != NULL; i++) {
        if (strcmp(value, engines[i]) == 0) {
            o->engine = engines[i];
            return true;
        }
    }
    return complain("--engine takes native or ns3, not '%s'%s", value,
                    wzp_lab_near(value, wzp_lab_word_at, engines, near));
}

static bool take_option(wzp_sim_options *o, int id, const char *value) {
    switch (id) {
    case OPT_SEED:
    case OPT_SEEDS:
    case OPT_JOBS:
    case OPT_SHARD:
        return take_numbers(o, id, value);
    case OPT_MERGE:
        return o->merge = true;
    case OPT_SET:
        if (o->set_count == WZP_SIM_SETS_MAX) {
            return complain("too many --set %s%s", value, "");
        }
        o->sets[o->set_count++] = value;
        return true;
    case OPT_ENGINE:
        return take_engine(o, value);
    case OPT_CHECK:
        return o->check = true;
    case OPT_QUIET:
        return o->quiet = true;
    case OPT_LOG_LEVEL:
        return wzp_log_level_parse(value, &o->log_level) ||
               complain("--log-level takes error, warn, info or debug, not '%s'%s", value, "");
    default:
        break;
    }
    const char **const texts[] = {[0] = &o->pcap,
                                  [OPT_QLOG - OPT_PCAP] = &o->qlog,
                                  [OPT_TRACE - OPT_PCAP] = &o->trace,
                                  [OPT_JSON - OPT_PCAP] = &o->json,
                                  [OPT_HTML - OPT_PCAP] = &o->html,
                                  [OPT_OUT - OPT_PCAP] = &o->out,
                                  [OPT_LISTEN - OPT_PCAP] = &o->listen,
                                  [OPT_UPSTREAM - OPT_PCAP] = &o->upstream,
                                  [OPT_HOST - OPT_PCAP] = &o->host,
                                  [OPT_FOR - OPT_PCAP] = &o->how_long};
    *texts[id - OPT_PCAP] = value;
    return true;
}

/* --- all -------------------------------------------------------------------------------------- */

static int refuse(const char *bad) {
    char near[WZP_LAB_NEAR_MAX];
    char name[64];
    const char *begin = bad + strspn(bad, "-");
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(begin, "="), begin);
    (void)complain("there is no option '%s'%s; see --help", bad,
                   wzp_lab_near(name, option_at, NULL, near));
    return EXIT_USAGE;
}

static bool fits(const struct verb_entry *verb, const bool *given) {
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        if (given[scopes[i].id - OPT_SEED] && (scopes[i].verbs & verb->bit) == 0) {
            return complain("%s takes no --%s; see --help", verb->name, option_name(scopes[i].id));
        }
    }
    return true;
}

static int pick_verb(wzp_sim_options *o, int argc, char **argv, const bool *given) {
    char near[WZP_LAB_NEAR_MAX];
    if (optind == argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[optind];
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            o->verb = verbs[i].run;
            if (!fits(&verbs[i], given)) {
                return EXIT_USAGE;
            }
        }
    }
    if (o->verb == NULL) {
        (void)complain("there is no verb '%s'%s; see --help", name,
                       wzp_lab_near(name, verb_at, NULL, near));
        return EXIT_USAGE;
    }
    for (int i = optind + 1; i < argc; i++) {
        if (o->file_count == WZP_SIM_FILES_MAX) {
            (void)complain("too many files: %s%s", argv[i], "");
            return EXIT_USAGE;
        }
        o->files[o->file_count++] = argv[i];
    }
    return -1;
}

int wzp_sim_options_parse(wzp_sim_options *o, int argc, char **argv) {
    bool given[OPT_VERSION - OPT_SEED + 1] = {false};
    *o = (wzp_sim_options){
        .first_seed = 1, .last_seed = 20, .shard = 1, .shards = 1, .log_level = WZP_LOG_WARN};
    o->colour = isatty(STDOUT_FILENO) != 0 && wzp_io_env("NO_COLOR") == NULL;
    opterr = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread */
    for (int id; (id = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        if (id == OPT_HELP) {
            usage(stdout);
            return EXIT_GOOD;
        }
        if (id == OPT_VERSION) {
            (void)puts("wzp-sim " WZP_VERSION " (" WZP_BUILD_HASH ")");
            return EXIT_GOOD;
        }
        if (id == ':') {
            (void)complain("%s needs a value%s", argv[optind - 1], "");
            return EXIT_USAGE;
        }
        if (id == '?') {
            return refuse(argv[optind - 1]);
        }
        given[id - OPT_SEED] = true;
        if (!take_option(o, id, optarg)) {
            return EXIT_USAGE;
        }
    }
    return pick_verb(o, argc, argv, given);
}
