#include "conformance/bin/options.h"

#include <errno.h>
#include <fnmatch.h>
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

enum { USAGE = 2, UNREADABLE = 3, NO_SUCH_TEST = 127, FILTERS = 64, SUGGESTIONS = 5 };

typedef struct filters {
    const char *select[FILTERS], *skip[FILTERS];
    size_t selects, skips;
    char tiers[256];
} filters;

static const char usage_text[] =
    "usage: wzp-conformance list [--tier A,B] [--select GLOB]...\n"
    "       wzp-conformance run [--target HOST:PORT | --exec 'CMD {addr}'] [options]\n"
    "       wzp-conformance report FILE.json [--html F] [--junit F] ...   show a saved report\n"
    "       wzp-conformance score [--net PRESET]... [TRACE...]   meters on traffic, see score "
    "--help\n"
    "\n"
    "Without --target and --exec the reference relay is tested in this process.\n"
    "\n"
    "which relay\n"
    "  --target ADDR:PORT     a relay that is running\n"
    "  --exec 'CMD {addr}'    starts CMD with the address to listen on\n"
    "  --config NAME=ADDR:PORT or NAME='CMD {addr}'   a relay for cases that need their own:\n"
    "                         max-sessions, auth, trunking, identity, region,\n"
    "                         policy, observe, federation, dialling; may be repeated\n"
    "  --mode auto|observe|enforce   what the relay is declared to do (auto: what it shows)\n"
    "  --metrics URL          its metrics page, for chapter M; a file serves CAL-04 only\n"
    "  --auth-metrics URL     that of the relay for --config auth, for RLY-015\n"
    "  --enforce off|count|observe|on   of the embedded relay (on)\n"
    "  --strict-identity      the embedded relay wants registrations to prove their key\n"
    "which client, instead of a relay\n"
    "  --client 'CMD {addr} {room}'  starts CMD for each run of chapters XC, AUD, HEAR and\n"
    "                         QUAL; {crypto} becomes clear or relay-aead, {quality} auto, "
    "good, catastrophic\n"
    "                         or codec2-3200.  'embedded': the reference client\n"
    "  --listener 'CMD {addr}'  starts CMD for each run of chapters NATC, RACE, MAP and\n"
    "                         UPNP: it registers and takes a call; {answer} becomes trusted\n"
    "                         or generic, {paths} any or direct, {stun} the address of a STUN\n"
    "                         server, {gateway} the IP of a router that is asked for ports\n"
    "  --caller 'CMD {addr} {peer}'  starts CMD for those runs in which it must call: the "
    "fingerprint\n"
    "                         {peer}; otherwise as --listener\n"
    "  --move 'CMD'           run when a case wants a listener's network to change, and has "
    "changed it\n"
    "                         once it ends with 0; {pid} becomes the listener's process, {n} "
    "1, 2, 3, ...\n"
    "  --netcheck 'CMD {addr}'  starts CMD for each run of chapter CHECK: it looks at its "
    "network,\n"
    "                         asks the relay {addr}, the STUN servers {stun} and {stun2} and the "
    "router\n"
    "                         {gateway}, and writes its report; {format} becomes text or json\n"
    "  --replay CAPTURE       plays what one sender of a capture sent (case RPL-01), with "
    "payloads "
    "of the\n"
    "                         suite's own: forwarded if it is legitimate, ended if ENF-1 says "
    "so\n"
    "  --replay-stream N      this stream of it, see wzp-pcap stat (the client that sent "
    "most)\n"
    "which cases\n"
    "  --tier A,B,C           chapters: CAL A AS B BS C D DS E FA FV G W H S RLY NAT FED X M; "
    "XC AUD HEAR QUAL NATC RACE MAP UPNP CHECK; RPL\n"
    "  --select GLOB, --skip GLOB    by case id; may be repeated\n"
    "  --profile deployed|strict-limits\n"
    "  --strict               a failed SHOULD is a FAIL\n"
    "  --dry-run              only say what would run\n"
    "how\n"
    "  --virtual              simulated time and an in-memory network\n"
    "  --net SCENARIO         with --virtual: testers have the access of its host 'tester'\n"
    "  --repeat N             runs per case, the majority decides (3; with --virtual 1)\n"
    "  --jobs N               cases at once (automatic)\n"
    "  --seed N               of identities, rooms and payloads\n"
    "what comes out\n"
    "  --out DIR              report.json, report.html, junit.xml, report.md and evidence/\n"
    "  --json F --junit F --html F --markdown F   single reports\n"
    "  --tap                  TAP on standard output instead of the tree\n"
    "  --evidence all|failures|none  captures, key logs and event logs to keep (failures)\n"
    "  --expect FILE          what this target is known to do: lines 'ID [VERDICT [REASON]]'\n"
    "  --quiet, --log-level error|warn|info|debug, --help, --version\n"
    "\n"
    "Exit status: 0 all good, 1 a case failed, 2 usage, 3 a file cannot be read or written,\n"
    "4 the relay cannot be reached, 5 nothing failed but something was inconclusive,\n"
    "127 no case has that name.\n"
    "\n"
    "Example: wzp-conformance run --target 127.0.0.1:4433 --tier A,B,C --out report\n";

static void usage(FILE *out) {
    (void)fputs(usage_text, out);
}

/* --- nearest names ---------------------------------------------------------------------------- */

static size_t min3(size_t a, size_t b, size_t c) {
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static size_t distance(const char *a, const char *b) {
    size_t row[32];
    const size_t n = strlen(b);
    if (n >= WZP_COUNT_OF(row)) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t above = row[j];
            row[j] = min3(row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
            diagonal = above;
        }
    }
    return row[n];
}

static void suggest_cases(const char *name) {
    size_t best = SIZE_MAX;
    unsigned left = SUGGESTIONS;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
            for (size_t i = 0; i < wzp_ct_chapters[c]->count; i++) {
                const char *id = wzp_ct_chapters[c]->cases[i].info.id;
                const size_t d = distance(name, id);
                if (pass == 1 && d == best && left > 0) {
                    left--;
                    (void)fprintf(stderr, " %s", id);
                }
                best = d < best ? d : best;
            }
        }
    }
    (void)fputc('\n', stderr);
}

/* --- selection -------------------------------------------------------------------------------- */

static bool in_tiers(const filters *f, const char *chapter) {
    if (f->tiers[0] == '\0') {
        return true;
    }
    char list[256];
    (void)snprintf(list, sizeof list, "%s", f->tiers);
    char *rest = list;
    for (char *t; (t = strsep(&rest, ",")) != NULL;) {
        if (strcasecmp(t, chapter) == 0) {
            return true;
        }
    }
    /* Calibration always runs: without it nothing means anything. */
    return strcmp(chapter, "CAL") == 0;
}

/* A run is about one target: a relay, or a client. */
static bool is_about(const wzp_ct_options *o, const wzp_ct_case *c) {
    if (o->command != WZP_CT_COMMAND_RUN) {
        return true;
    }
    const char *chapter = c->info.chapter;
    if (o->replay_file != NULL) {
        return strcmp(chapter, "RPL") == 0 || strcmp(chapter, "CAL") == 0;
    }
    return strcmp(chapter, "RPL") != 0 && (c->client != WZP_CT_CLIENT_NONE) == (o->client != NULL);
}

static bool wanted(const filters *f, const wzp_ct_case *c) {
    bool selected = f->selects == 0 || strcmp(c->info.chapter, "CAL") == 0;
    for (size_t i = 0; i < f->selects; i++) {
        selected = selected || fnmatch(f->select[i], c->info.id, 0) == 0;
    }
    for (size_t i = 0; i < f->skips; i++) {
        selected = selected && fnmatch(f->skip[i], c->info.id, 0) != 0;
    }
    return selected && in_tiers(f, c->info.chapter);
}

static int check_tiers(const filters *f) {
    char list[256];
    (void)snprintf(list, sizeof list, "%s", f->tiers);
    char *rest = list;
    for (char *t; f->tiers[0] != '\0' && (t = strsep(&rest, ",")) != NULL;) {
        bool known = false;
        for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
            known = known || strcasecmp(t, wzp_ct_chapters[c]->id) == 0;
        }
        if (!known) {
            (void)fprintf(stderr, "wzp-conformance: there is no tier '%s'; there are:", t);
            for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
                (void)fprintf(stderr, " %s", wzp_ct_chapters[c]->id);
            }
            (void)fputc('\n', stderr);
            return USAGE;
        }
    }
    return 0;
}

static int check_selects(const filters *f) {
    for (size_t s = 0; s < f->selects; s++) {
        bool any = false;
        for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
            for (size_t i = 0; i < wzp_ct_chapters[c]->count; i++) {
                any = any || fnmatch(f->select[s], wzp_ct_chapters[c]->cases[i].info.id, 0) == 0;
            }
        }
        if (!any) {
            (void)fprintf(stderr,
                          "wzp-conformance: no case is called '%s'; nearest:", f->select[s]);
            suggest_cases(f->select[s]);
            return strpbrk(f->select[s], "*?[") == NULL ? NO_SUCH_TEST : USAGE;
        }
    }
    return 0;
}

static bool wanted_replay(const filters *f) {
    return wanted(f, &wzp_ct_chapter_rpl.cases[0]);
}

/* What was named must be about the target of this run; calibration comes unnamed. */
static int check_kinds(const wzp_ct_options *o, const filters *f) {
    size_t chosen = 0;
    size_t others = 0;
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        for (size_t i = 0; i < wzp_ct_chapters[c]->count; i++) {
            const wzp_ct_case *which = &wzp_ct_chapters[c]->cases[i];
            const bool is_named = wanted(f, which) && strcmp(which->info.chapter, "CAL") != 0;
            chosen += is_named && is_about(o, which) ? 1 : 0;
            others += is_named && !is_about(o, which) ? 1 : 0;
        }
    }
    if (chosen > 0 || others == 0) {
        return 0;
    }
    if (wanted_replay(f)) {
        (void)fputs("wzp-conformance: RPL-01 plays a capture: name it with --replay\n", stderr);
        return USAGE;
    }
    (void)fprintf(stderr, "wzp-conformance: these cases are about a %s\n",
                  o->client != NULL ? "relay, not about a client: leave out --client"
                                    : "client, not about a relay: name it with --client");
    return USAGE;
}

static int select_cases(wzp_ct_options *o, const filters *f) {
    int code = check_tiers(f);
    code = code != 0 ? code : check_selects(f);
    size_t total = 1; /* room for none, too */
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        total += wzp_ct_chapters[c]->count;
    }
    o->cases = calloc(total, sizeof(const wzp_ct_case *));
    if (code != 0 || o->cases == NULL) {
        return code != 0 ? code : UNREADABLE;
    }
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        for (size_t i = 0; i < wzp_ct_chapters[c]->count; i++) {
            const wzp_ct_case *which = &wzp_ct_chapters[c]->cases[i];
            if (is_about(o, which) && wanted(f, which)) {
                o->cases[o->case_count++] = which;
            }
        }
    }
    return check_kinds(o, f);
}

/* --- options ---------------------------------------------------------------------------------- */

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
    filters f;
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

static bool take_filter(filters *f, int id, const char *value) {
    size_t *count = id == OPT_SELECT ? &f->selects : &f->skips;
    if (id == OPT_TIER) {
        (void)snprintf(f->tiers, sizeof f->tiers, "%s", value);
        return true;
    }
    if (*count == FILTERS) {
        (void)fprintf(stderr, "wzp-conformance: at most %d of --select and --skip\n", FILTERS);
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
        return USAGE;
    }
    o->saved = argv[optind + 1];
    return prepare_out(o, 2) ? -1 : UNREADABLE;
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

static bool is_case(const char *id) {
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        for (size_t i = 0; i < wzp_ct_chapters[c]->count; i++) {
            if (strcmp(wzp_ct_chapters[c]->cases[i].info.id, id) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* False: it cannot be read, or names what does not exist (said). */
static bool read_expectations(wzp_ct_expectations *out, const char *file) {
    char why[WZP_CT_EXPECT_WHY];
    unsigned line = 0;
    FILE *in = fopen(file, "r");
    if (in == NULL) {
        (void)fprintf(stderr, "wzp-conformance: %s: %s\n", file, wzp_io_reason(errno));
        return false;
    }
    const bool good = wzp_ct_expect_read(out, in, why, &line);
    (void)fclose(in);
    if (!good) {
        (void)fprintf(stderr, "wzp-conformance: %s:%u: %s\n", file, line, why);
        return false;
    }
    for (size_t i = 0; i < out->count; i++) {
        if (!is_case(out->items[i].id)) {
            (void)fprintf(stderr, "wzp-conformance: %s:%u: no case is called '%s'; nearest:", file,
                          out->items[i].line, out->items[i].id);
            suggest_cases(out->items[i].id);
            wzp_ct_expect_clear(out);
            return false;
        }
    }
    return true;
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
        return USAGE;
    }
    if (o->mover != NULL && o->listener == NULL) {
        (void)fputs("wzp-conformance: --move changes the network of a --listener\n", stderr);
        return USAGE;
    }
    if (o->target != NULL && o->exec != NULL) {
        (void)fputs("wzp-conformance: --target and --exec exclude each other\n", stderr);
        return USAGE;
    }
    if (o->net != NULL && !o->virtual_time) {
        (void)fputs("wzp-conformance: --net needs --virtual\n", stderr);
        return USAGE;
    }
    if (o->virtual_time && (o->target != NULL || o->exec != NULL)) {
        (void)fputs("wzp-conformance: --virtual tests the embedded relay only\n", stderr);
        return USAGE;
    }
    if (o->client == NULL && o->target == NULL && o->exec == NULL && !o->mode_given &&
        o->enforce == WZP_ENFORCE_ON) {
        o->mode = WZP_CT_MODE_ENFORCE;
    }
    if ((o->metrics != NULL && wzp_ct_is_url(o->metrics) && !is_page("--metrics", o->metrics)) ||
        (o->auth_metrics != NULL && !is_page("--auth-metrics", o->auth_metrics))) {
        return USAGE;
    }
    if (o->replay_stream != 0 && o->replay_file == NULL) {
        (void)fputs("wzp-conformance: --replay-stream needs --replay\n", stderr);
        return USAGE;
    }
    if (o->replay_file != NULL && o->client != NULL) {
        (void)fputs("wzp-conformance: --replay tests a relay, --client a client\n", stderr);
        return USAGE;
    }
    const int loaded = o->replay_file != NULL && o->command == WZP_CT_COMMAND_RUN
                           ? wzp_ct_replay_load(o->replay_file, (uint32_t)o->replay_stream)
                           : 0;
    if (loaded != 0) {
        return loaded;
    }
    o->long_too = o->client != NULL || st->f.selects > 0 || st->f.tiers[0] != '\0';
    const int code = select_cases(o, &st->f);
    if (code == 0 && o->command == WZP_CT_COMMAND_RUN && !o->dry_run &&
        !(prepare_out(o, st->evidence) && can_report(o))) {
        return UNREADABLE;
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
            usage(stdout);
            return 0;
        }
        if (id == OPT_VERSION) {
            puts("wzp-conformance " WZP_VERSION " (" WZP_BUILD_HASH ")");
            return 0;
        }
        if (id == '?' || !take_option(o, &st, id, optarg)) {
            (void)fputs("wzp-conformance: see --help\n", stderr);
            return USAGE;
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
        return USAGE;
    }
    if (optind + 1 < argc) {
        (void)fprintf(stderr, "wzp-conformance: %s takes no '%s'; see --help\n", command,
                      argv[optind + 1]);
        return USAGE;
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

/* --- expected failures ------------------------------------------------------------------------ */

static void say_deviation(const wzp_ct_case_result *c, const wzp_ct_expectation *e,
                          const char *file) {
    if (c->deviation == WZP_CT_DEVIATION_GONE) {
        (void)fprintf(stderr, "wzp-conformance: %s:%u: %s was expected to fail and passed\n", file,
                      e->line, c->info->id);
    } else if (c->deviation == WZP_CT_DEVIATION_NEW) {
        (void)fprintf(stderr, "wzp-conformance: %s: %s was expected to %s%s%s, and %s (%s)\n", file,
                      c->info->id, e != NULL ? wzp_ct_expected_name(e->what) : "PASS",
                      e != NULL && e->reason != WZP_CT_REASON_NONE ? " as " : "",
                      e != NULL ? wzp_ct_reason_name(e->reason) : "",
                      c->grade == WZP_CT_FAIL ? "failed" : "warns", wzp_ct_reason_name(c->reason));
    }
}

/* What is known no longer fails the run; it stays a warning, with its reason. */
static void compare(wzp_ct_report *report, const wzp_ct_expectations *expectations,
                    const char *file) {
    unsigned counts[WZP_CT_DEVIATION_COUNT] = {0};
    for (size_t i = 0; i < report->case_count; i++) {
        wzp_ct_case_result *c = wzp_drop_const(&report->cases[i]);
        const wzp_ct_expectation *e = wzp_ct_expect_find(expectations, c->info->id);
        c->deviation = wzp_ct_expect_compare(c, e);
        counts[c->deviation]++;
        say_deviation(c, e, file);
        if (c->deviation == WZP_CT_DEVIATION_KNOWN && c->grade == WZP_CT_FAIL) {
            c->grade = WZP_CT_PASS;
            c->lenient = true;
        }
    }
    (void)fprintf(stderr, "wzp-conformance: %s: deviations: %u known, %u new, %u gone\n", file,
                  counts[WZP_CT_DEVIATION_KNOWN], counts[WZP_CT_DEVIATION_NEW],
                  counts[WZP_CT_DEVIATION_GONE]);
}

bool wzp_ct_options_read_expectations(wzp_ct_options *o) {
    return o->expect == NULL || read_expectations(&o->expectations, o->expect);
}

void wzp_ct_options_expect(const wzp_ct_options *o, wzp_ct_report *report) {
    for (size_t i = 0; o->strict && i < report->case_count; i++) {
        wzp_ct_case_result *c = wzp_drop_const(&report->cases[i]);
        if (c->grade == WZP_CT_PASS && c->lenient && c->reason != WZP_CT_REASON_NONE) {
            c->grade = WZP_CT_FAIL;
        }
    }
    if (o->expect != NULL) {
        compare(report, &o->expectations, o->expect);
    }
    wzp_ct_sum(&report->totals, report->cases, report->case_count);
}
