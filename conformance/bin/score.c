#include "conformance/bin/score.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/corpus/network.h"
#include "conformance/corpus/recipes.h"
#include "conformance/corpus/score.h"
#include "io/sys.h"
#include "sim/net/link.h"
#include "wzp_version.h"

enum { GOOD = 0, FINDINGS = 1, USAGE = 2, UNREADABLE = 3, NETS = 16, FILE_MAX = 64 << 20 };

typedef struct options {
    const char *nets[NETS];
    size_t net_count;
    unsigned long seeds;
    const char *write; /* a directory; NULL: score */
    bool json, quiet;
    char **files;
    int file_count;
} options;

/* What came of all runs of a trace over one network. */
typedef struct tally {
    size_t runs, outcomes[3], flagged; /* flagged: by tier F alone */
    uint64_t length;                   /* ns of one run */
    wzp_score worst;                   /* the first run that was not right, else the first */
} tally;

/* Over all traces with one label. */
typedef struct totals {
    size_t runs, right, flagged;
    double hours;
} totals;

typedef struct scoring {
    const options *o;
    totals of[7]; /* 0: legitimate, then tiers A to F */
    json_t *traces;
    bool failed;
} scoring;

static void usage(FILE *out) {
    (void)fputs(
        "usage: wzp-conformance score [options] [TRACE...]\n"
        "       wzp-conformance score --write DIR\n"
        "\n"
        "What the deployed meter, ENF-1 and the behavioural scores say of senders.  Without TRACE\n"
        "of the generated corpus.\n"
        "\n"
        "  --net PRESET   also over this access network of the simulator; may be repeated\n"
        "  --seeds N      runs over each network (20)\n"
        "  --write DIR    writes the generated traces there\n"
        "  --json         results as JSON\n"
        "  --quiet        only what is wrong, and the sums\n"
        "  --help, --version\n"
        "\n"
        "Exit status: 0 all right, 1 a legitimate sender would be hung up on, or abuse of tiers\n"
        "A to E goes unnoticed (tier F is measured), 2 usage, 3 a file cannot be read or written.\n"
        "\n"
        "Example: wzp-conformance score --net wifi-bad --net lte --net starlink\n",
        out);
}

/* --- one trace -------------------------------------------------------------------------------- */

static const char *after(const wzp_score_hit *hit, char out[48]) {
    (void)snprintf(out, 48, "#%zu %.2f s", hit->packet, (double)hit->after / (double)WZP_S);
    return out;
}

/* "A #12 0.12 s, D #30 0.30 s", in order of tiers. */
static void deployed_text(const wzp_score *s, char *out, size_t cap) {
    size_t n = 0;
    out[0] = '\0';
    for (int v = WZP_VIOLATION_BITRATE; v < WZP_VIOLATION_COUNT; v++) {
        char text[48];
        if (s->deployed[v].is_hit && n < cap) {
            n += (size_t)snprintf(out + n, cap - n, "%s%c %s", n > 0 ? ", " : "",
                                  wzp_violation_find((wzp_violation)v)->tier,
                                  after(&s->deployed[v], text));
        }
    }
    if (s->dropped > 0 && n < cap) {
        (void)snprintf(out + n, cap - n, "%s%zu dropped", n > 0 ? ", " : "", s->dropped);
    }
}

static void enforced_text(const wzp_score *s, char *out, size_t cap) {
    char text[48];
    if (s->enf.is_hit) {
        (void)snprintf(out, cap, "%s %s", wzp_violation_find(s->enf_code)->code,
                       after(&s->enf, text));
    } else if (s->conduct.is_hit) {
        (void)snprintf(out, cap, "Entropy %s", after(&s->conduct, text));
    } else {
        (void)snprintf(out, cap, "-");
    }
}

static wzp_score_outcome outcome_of(const tally *t) {
    return t->outcomes[WZP_SCORE_FALSE] > 0    ? WZP_SCORE_FALSE
           : t->outcomes[WZP_SCORE_MISSED] > 0 ? WZP_SCORE_MISSED
                                               : WZP_SCORE_RIGHT;
}

static void print_row(const scoring *s, const wzp_trace *trace, const char *net, const tally *t) {
    const wzp_score_outcome outcome = outcome_of(t);
    char deployed[160];
    char enforced[96];
    char label[16] = "legitimate";
    if (s->o->json || (s->o->quiet && outcome == WZP_SCORE_RIGHT)) {
        return;
    }
    if (trace->tier != 0) {
        (void)snprintf(label, sizeof label, "abuse %c", trace->tier);
    }
    deployed_text(&t->worst, deployed, sizeof deployed);
    enforced_text(&t->worst, enforced, sizeof enforced);
    printf("%-17s %-10s %-9s %3zu of %-3zu %-7s %-24s %.2f  %s\n", trace->name, label, net,
           t->outcomes[WZP_SCORE_RIGHT], t->runs, wzp_score_outcome_name(outcome), enforced,
           (double)t->worst.least, deployed);
}

static json_t *hit_json(const wzp_score_hit *hit) {
    return hit->is_hit ? json_pack("{s:I, s:f}", "packet", (json_int_t)hit->packet, "after_s",
                                   (double)hit->after / (double)WZP_S)
                       : json_null();
}

static void add_json(const scoring *s, const wzp_trace *trace, const char *net, const tally *t) {
    const wzp_score *w = &t->worst;
    char tier[2] = {trace->tier, '\0'};
    if (s->traces == NULL) {
        return;
    }
    json_t *deployed = json_object();
    for (int v = WZP_VIOLATION_BITRATE; v < WZP_VIOLATION_COUNT; v++) {
        json_object_set_new(deployed, wzp_violation_find((wzp_violation)v)->code,
                            hit_json(&w->deployed[v]));
    }
    json_t *row = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:o, s:I, s:o, s:s?, s:o, s:f, s:I, s:I}", "name",
        trace->name, "what", trace->what, "label", tier[0] != '\0' ? tier : "legitimate", "network",
        net, "runs", (json_int_t)t->runs, "right", (json_int_t)t->outcomes[WZP_SCORE_RIGHT],
        "outcome", wzp_score_outcome_name(outcome_of(t)), "deployed", deployed, "deployed_dropped",
        (json_int_t)w->dropped, "enf1", hit_json(&w->enf), "enf1_code",
        w->enf.is_hit ? wzp_violation_find(w->enf_code)->code : NULL, "conduct",
        hit_json(&w->conduct), "least_score", (double)w->least, "judged_s", (json_int_t)w->judged,
        "suspect_s", (json_int_t)w->suspect);
    if (row != NULL) {
        json_array_append_new(s->traces, row);
    }
}

static bool add_run(tally *t, const wzp_trace *trace, const wzp_time *arrivals) {
    wzp_score score;
    if (wzp_score_trace(&score, trace, arrivals) != WZP_OK) {
        return false;
    }
    if (t->runs == 0 || (outcome_of(t) == WZP_SCORE_RIGHT && score.outcome != WZP_SCORE_RIGHT)) {
        t->worst = score;
    }
    t->runs++;
    t->outcomes[score.outcome]++;
    t->flagged += score.conduct.is_hit && !score.enf.is_hit;
    return true;
}

static bool run_net(tally *t, const wzp_trace *trace, const char *net, unsigned long seeds) {
    wzp_time *arrivals = calloc(trace->count, sizeof *arrivals);
    bool ok = arrivals != NULL;
    for (unsigned long seed = 1; seed <= seeds && ok; seed++) {
        ok = wzp_trace_carry(trace, net, seed, arrivals) == WZP_OK && add_run(t, trace, arrivals);
    }
    free(arrivals);
    return ok;
}

static void finish(scoring *s, const wzp_trace *trace, const char *net, const tally *t) {
    totals *sum = &s->of[trace->tier == 0 ? 0 : trace->tier - 'A' + 1];
    sum->runs += t->runs;
    sum->right += t->outcomes[WZP_SCORE_RIGHT];
    sum->flagged += t->flagged;
    sum->hours += (double)t->runs * (double)t->length / (double)WZP_S / 3600;
    s->failed = s->failed || t->outcomes[WZP_SCORE_FALSE] > 0 ||
                (trace->tier != 'F' && t->outcomes[WZP_SCORE_MISSED] > 0);
    print_row(s, trace, net, t);
    add_json(s, trace, net, t);
}

static bool score_one(scoring *s, const wzp_trace *trace) {
    const uint64_t length =
        wzp_time_since(trace->packets[trace->count - 1].at, trace->packets[0].at);
    tally t = {.length = length};
    if (!add_run(&t, trace, NULL)) {
        return false;
    }
    finish(s, trace, "as sent", &t);
    for (size_t i = 0; i < s->o->net_count; i++) {
        t = (tally){.length = length};
        if (!run_net(&t, trace, s->o->nets[i], s->o->seeds)) {
            return false;
        }
        finish(s, trace, s->o->nets[i], &t);
    }
    return true;
}

/* --- all of them ------------------------------------------------------------------------------ */

static int out_of_memory(void) {
    (void)fputs("wzp-conformance: out of memory\n", stderr);
    return UNREADABLE;
}

static int score_generated(scoring *s) {
    for (size_t i = 0; wzp_recipe_name(i) != NULL; i++) {
        wzp_trace trace;
        if (wzp_recipe_make(&trace, i) != WZP_OK) {
            return out_of_memory();
        }
        const bool ok = score_one(s, &trace);
        wzp_trace_clear(&trace);
        if (!ok) {
            return out_of_memory();
        }
    }
    return GOOD;
}

static int score_file(scoring *s, const char *path, char *text) {
    wzp_trace trace;
    wzp_trace_fault fault;
    size_t len = 0;
    if (!wzp_io_read_file(path, text, FILE_MAX, &len)) {
        (void)fprintf(stderr, "wzp-conformance: cannot read %s: %s\n", path, wzp_io_reason(errno));
        return UNREADABLE;
    }
    if (wzp_trace_parse(&trace, wzp_bytes_of((const uint8_t *)text, len), &fault) != WZP_OK) {
        (void)fprintf(stderr, "%s:%u: %s\n", path, fault.line, fault.why);
        return UNREADABLE;
    }
    const bool ok = score_one(s, &trace);
    wzp_trace_clear(&trace);
    return ok ? GOOD : out_of_memory();
}

static int score_files(scoring *s) {
    char *text = malloc(FILE_MAX);
    int status = text != NULL ? GOOD : out_of_memory();
    for (int i = 0; i < s->o->file_count && status == GOOD; i++) {
        status = score_file(s, s->o->files[i], text);
    }
    free(text);
    return status;
}

static void print_sums(const scoring *s) {
    const totals *good = &s->of[0];
    printf("\nlegitimate: %zu of %zu runs hung up on, %zu more noticed by tier F (%.2f hours)\n",
           good->runs - good->right, good->runs, good->flagged, good->hours);
    printf("abuse noticed in time:");
    for (int tier = 'A'; tier <= 'F'; tier++) {
        const totals *t = &s->of[tier - 'A' + 1];
        if (t->runs > 0) {
            printf("  %c %zu of %zu", tier, t->right, t->runs);
        }
    }
    printf("\n");
}

static void print_json(const scoring *s) {
    json_t *tiers = json_object();
    for (int tier = 'A'; tier <= 'F'; tier++) {
        const char name[2] = {(char)tier, '\0'};
        const totals *t = &s->of[tier - 'A' + 1];
        json_object_set_new(
            tiers, name,
            json_pack("{s:I, s:I}", "runs", (json_int_t)t->runs, "noticed", (json_int_t)t->right));
    }
    const totals *good = &s->of[0];
    json_t *all = json_pack("{s:O, s:{s:I, s:I, s:I, s:f}, s:o}", "traces", s->traces, "legitimate",
                            "runs", (json_int_t)good->runs, "hung_up_on",
                            (json_int_t)(good->runs - good->right), "noticed_by_tier_f",
                            (json_int_t)good->flagged, "hours", good->hours, "abuse", tiers);
    (void)json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    (void)fputs("\n", stdout);
    json_decref(all);
}

static int score_all(const options *o) {
    scoring s = {.o = o, .traces = o->json ? json_array() : NULL};
    if (!o->json && !o->quiet) {
        printf("%-17s %-10s %-9s %-10s %-7s %-24s %-5s %s\n", "trace", "label", "network", "right",
               "", "ENF-1", "least", "deployed meter");
    }
    const int status = o->file_count > 0 ? score_files(&s) : score_generated(&s);
    if (status == GOOD && o->json) {
        print_json(&s);
    } else if (status == GOOD) {
        print_sums(&s);
    }
    json_decref(s.traces);
    return status != GOOD ? status : s.failed ? FINDINGS : GOOD;
}

/* --- writing the corpus ----------------------------------------------------------------------- */

static bool write_trace(const char *dir, const wzp_trace *trace) {
    char path[512];
    char line[WZP_TRACE_LINE_MAX];
    (void)snprintf(path, sizeof path, "%s/%s.trace", dir, trace->name);
    FILE *f = fopen(path, "w");
    bool ok = f != NULL;
    for (size_t i = 0; i < WZP_TRACE_HEADS && ok; i++) {
        ok = fwrite(line, wzp_trace_head(trace, i, line), 1, f) == 1;
    }
    for (size_t i = 0; i < trace->count && ok; i++) {
        ok = fwrite(line, wzp_trace_line(&trace->packets[i], line), 1, f) == 1;
    }
    if (f == NULL || fclose(f) != 0 || !ok) {
        (void)fprintf(stderr, "wzp-conformance: cannot write %s: %s\n", path, wzp_io_reason(errno));
        return false;
    }
    return true;
}

static int write_all(const char *dir) {
    for (size_t i = 0; wzp_recipe_name(i) != NULL; i++) {
        wzp_trace trace;
        if (wzp_recipe_make(&trace, i) != WZP_OK) {
            return out_of_memory();
        }
        const bool ok = write_trace(dir, &trace);
        wzp_trace_clear(&trace);
        if (!ok) {
            return UNREADABLE;
        }
    }
    return GOOD;
}

/* --- command line ----------------------------------------------------------------------------- */

static bool add_net(options *o, const char *name) {
    wzp_sim_link_cfg unused;
    if (o->net_count == NETS || !wzp_sim_link_preset(name, true, &unused)) {
        (void)fprintf(stderr, "wzp-conformance: --net %s: %s", name,
                      o->net_count == NETS ? "more networks than fit\n" : "there are");
        for (size_t i = 0; o->net_count < NETS && wzp_sim_link_preset_name(i) != NULL; i++) {
            (void)fprintf(stderr, " %s", wzp_sim_link_preset_name(i));
        }
        (void)fputs("\n", stderr);
        return false;
    }
    o->nets[o->net_count++] = name;
    return true;
}

static bool read_seeds(options *o, const char *text) {
    char *end;
    o->seeds = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || o->seeds == 0 || o->seeds > 1000000) {
        (void)fprintf(stderr, "wzp-conformance: --seeds %s: expected 1 to 1000000\n", text);
        return false;
    }
    return true;
}

/* -1: go on; otherwise the exit status. */
static int parse(options *o, int argc, char **argv) {
    static const struct option longs[] = {
        {"net", required_argument, NULL, 'n'},   {"seeds", required_argument, NULL, 's'},
        {"write", required_argument, NULL, 'w'}, {"json", no_argument, NULL, 'j'},
        {"quiet", no_argument, NULL, 'q'},       {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},     {NULL, 0, NULL, 0}};
    optind = 1;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread */
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        bool ok = true;
        switch (c) {
        case 'n':
            ok = add_net(o, optarg);
            break;
        case 's':
            ok = read_seeds(o, optarg);
            break;
        case 'w':
            o->write = optarg;
            break;
        case 'j':
            o->json = true;
            break;
        case 'q':
            o->quiet = true;
            break;
        case 'h':
            usage(stdout);
            return GOOD;
        case 'v':
            printf("wzp-conformance %s\n", WZP_VERSION);
            return GOOD;
        default:
            (void)fputs("see wzp-conformance score --help\n", stderr);
            ok = false;
        }
        if (!ok) {
            return USAGE;
        }
    }
    o->files = argv + optind;
    o->file_count = argc - optind;
    return -1;
}

int wzp_ct_score(int argc, char **argv) {
    options o = {.seeds = 20};
    const int status = parse(&o, argc, argv);
    if (status >= 0) {
        return status;
    }
    if (o.write != NULL && o.file_count > 0) {
        (void)fputs("wzp-conformance: --write takes no traces: it writes the generated ones\n",
                    stderr);
        return USAGE;
    }
    return o.write != NULL ? write_all(o.write) : score_all(&o);
}
