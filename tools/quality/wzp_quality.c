/* wzp-quality: how far a sound file is from what was said. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/wav.h"
#include "tools/quality/quality.h"
#include "tools/quality/scorer.h"
#include "wzp_version.h"

enum { EXIT_USAGE = 2, EXIT_UNREADABLE = 3, EXIT_SCORER = 4, DELAY_MAX_MS = 1000, SCORER_S = 60 };

typedef struct options {
    bool json;
    uint32_t delay_max_ms;
    const char *scorer; /* NULL: none */
    uint32_t scorer_s;
    const char *reference, *degraded;
} options;

/* What is printed; `score` only where there is a scorer. */
typedef struct results {
    wzp_quality q;
    wzp_track track;
    double score;
} results;

static void usage(FILE *out) {
    (void)fputs(
        "usage: wzp-quality [--json] [--max-delay MS] [--scorer CMD [--scorer-timeout S]]\n"
        "                   REFERENCE.wav DEGRADED.wav\n"
        "\n"
        "Compares sound that has been through a call with what was said: aligns the two, also\n"
        "where the delay changes on the way, then measures segmental SNR, distance of the spectra\n"
        "(LSD) and the longest gap where somebody speaks, intelligibility (STOI), glitches, and "
        "of\n"
        "tones THD+N.  Files of any rate and any number of channels are compared as mono at 48 "
        "kHz.\n"
        "\n"
        "  --json          one JSON object\n"
        "  --max-delay MS  how much later or earlier it may be (default 1000, at most 2000)\n"
        "  --scorer CMD    also runs a program of yours (ViSQOL, PESQ): CMD REFERENCE DEGRADED, "
        "two\n"
        "                  aligned WAV files, 48 kHz mono; it prints one number\n"
        "  --scorer-timeout S  it is killed after that (default 60, at most 3600)\n"
        "  --help, --version\n"
        "\n"
        "Exit status: 0 measured, 2 usage, 3 a file cannot be read or compared, 4 the scorer "
        "failed.\n"
        "\n"
        "Example: wzp-quality speech.wav heard.wav\n",
        out);
}

static int16_t *read_sound(const char *path, size_t *count) {
    char why[WZP_WAV_WHY_MAX];
    int16_t *pcm = NULL;
    if (wzp_wav_read(&pcm, count, path, why) != WZP_OK) {
        (void)fprintf(stderr, "wzp-quality: %s\n", why);
        return NULL;
    }
    return pcm;
}

static double to_ms(double samples) {
    return samples * 1000.0 / WZP_QUALITY_RATE_HZ;
}

static void print_glitches(const wzp_glitches *g) {
    printf("glitches         %8u       dropouts %u ms, %u repeated %u ms, %u samples clipped\n",
           g->dropouts, g->dropout_ms, g->repeats, g->repeat_ms, g->clipped);
}

static void print_text(const options *o, const results *r) {
    const wzp_quality *q = &r->q;
    printf("segmental SNR    %8.2f dB    SI-SDR %.2f dB\n", q->snr_seg_db, q->si_sdr_db);
    printf("LSD              %8.2f dB    worst tenth %.2f dB\n", q->lsd_db, q->lsd_worst_db);
    printf("STOI             %8.3f       ESTOI %.3f\n", q->stoi, q->estoi);
    printf("level            %+8.2f dB\n", q->level_db);
    printf("longest gap      %8u ms    in %.1f %% of what was said\n", q->longest_gap_ms,
           q->gap_permille / 10.0);
    print_glitches(&q->glitches);
    if (q->tone.hz > 0) {
        printf("THD+N            %8.2f dB    %.3f %%, of a tone of %.1f Hz\n", q->tone.thdn_db,
               q->tone.thdn_permille / 10, q->tone.hz);
    }
    printf("delay            %8.2f ms    changes %zu times\n", to_ms(q->delay_samples),
           q->delay_changes);
    for (size_t i = 1; i < r->track.count; i++) {
        const wzp_track_change *c = &r->track.changes[i];
        printf("                 %+8.2f ms    at %.2f s\n", to_ms(c->delay - c[-1].delay),
               to_ms((double)c->at) / 1000);
    }
    printf("compared         %8.1f s\n", (double)q->frames / 100);
    if (o->scorer != NULL) {
        printf("scorer           %8.3f\n", r->score);
    }
}

static json_t *json_changes(const wzp_track *track) {
    json_t *list = json_array();
    for (size_t i = 0; i < track->count; i++) {
        const wzp_track_change *c = &track->changes[i];
        (void)json_array_append_new(list, json_pack("{sf sf}", "at_s", to_ms((double)c->at) / 1000,
                                                    "delay_ms", to_ms(c->delay)));
    }
    return list;
}

static json_t *json_glitches(const wzp_glitches *g) {
    return json_pack("{sI sI sI sI sI}", "dropouts", (json_int_t)g->dropouts, "dropout_ms",
                     (json_int_t)g->dropout_ms, "repeats", (json_int_t)g->repeats, "repeat_ms",
                     (json_int_t)g->repeat_ms, "clipped_samples", (json_int_t)g->clipped);
}

static json_t *json_tone(const wzp_tone *tone) {
    return tone->hz > 0 ? json_pack("{sf sf sf}", "hz", tone->hz, "thdn_db", tone->thdn_db,
                                    "thdn_percent", tone->thdn_permille / 10)
                        : json_null();
}

static bool print_json(const options *o, const results *r) {
    const wzp_quality *q = &r->q;
    json_t *json = json_pack(
        "{ss ss sf sf sf sf sf sf sf sI sf sf so so so sI}", "reference", o->reference, "degraded",
        o->degraded, "snr_seg_db", q->snr_seg_db, "si_sdr_db", q->si_sdr_db, "lsd_db", q->lsd_db,
        "lsd_worst_db", q->lsd_worst_db, "stoi", q->stoi, "estoi", q->estoi, "level_db",
        q->level_db, "longest_gap_ms", (json_int_t)q->longest_gap_ms, "gap_percent",
        q->gap_permille / 10.0, "delay_ms", to_ms(q->delay_samples), "delays",
        json_changes(&r->track), "glitches", json_glitches(&q->glitches), "tone",
        json_tone(&q->tone), "frames", (json_int_t)q->frames);
    if (json != NULL && o->scorer != NULL) {
        (void)json_object_set_new(json, "score", json_real(r->score));
    }
    const bool done =
        json != NULL && json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0;
    (void)fputs("\n", stdout);
    json_decref(json);
    return done;
}

/* --- the comparison --------------------------------------------------------------------------- */

static int print(const options *o, const results *r) {
    if (o->json) {
        return print_json(o, r) ? EXIT_SUCCESS : EXIT_UNREADABLE;
    }
    print_text(o, r);
    return EXIT_SUCCESS;
}

/* What was measured is printed also where the scorer fails. */
static int score(const options *o, const wzp_pair *pair, results *r) {
    char why[WZP_SCORER_WHY_MAX];
    options without = *o;
    const wzp_scorer_cfg cfg = {.command = o->scorer,
                                .reference = pair->reference,
                                .degraded = pair->degraded,
                                .len = pair->len,
                                .timeout_s = o->scorer_s};
    if (o->scorer == NULL || wzp_scorer_run(&r->score, &cfg, why) == WZP_OK) {
        return print(o, r);
    }
    without.scorer = NULL;
    (void)print(&without, r);
    (void)fflush(stdout);
    (void)fprintf(stderr, "wzp-quality: %s\n", why);
    return EXIT_SCORER;
}

static int measure(const options *o, const wzp_pair *pair) {
    results r = {.track = pair->track};
    const wzp_err err = wzp_quality_of(&r.q, pair);
    if (err == WZP_OK) {
        return score(o, pair, &r);
    }
    (void)fprintf(stderr, "wzp-quality: %s: %s\n", o->reference,
                  err == WZP_ERR_NOMEM ? "out of memory"
                                       : "nobody speaks in it, or less than 200 ms of the two "
                                         "files overlap; see --max-delay");
    return EXIT_UNREADABLE;
}

static int compare(const options *o) {
    size_t reference_len = 0;
    size_t degraded_len = 0;
    int status = EXIT_UNREADABLE;
    wzp_pair pair = {0};
    int16_t *reference = read_sound(o->reference, &reference_len);
    int16_t *degraded = reference != NULL ? read_sound(o->degraded, &degraded_len) : NULL;
    if (degraded != NULL) {
        const wzp_err err =
            wzp_pair_open(&pair, reference, reference_len, degraded, degraded_len, o->delay_max_ms);
        if (err == WZP_OK) {
            status = measure(o, &pair);
        } else {
            (void)fprintf(stderr, "wzp-quality: %s: %s\n", o->reference,
                          err == WZP_ERR_NOMEM ? "out of memory"
                                               : "less than 200 ms of the two files overlap; see "
                                                 "--max-delay");
        }
    }
    wzp_pair_clear(&pair);
    free(reference);
    free(degraded);
    return status;
}

/* --- options ---------------------------------------------------------------------------------- */

static bool read_number(const char *text, unsigned long least, unsigned long most, uint32_t *out) {
    char *end = NULL;
    const unsigned long number = strtoul(text, &end, 10);
    const bool good =
        *text >= '0' && *text <= '9' && *end == '\0' && number >= least && number <= most;
    *out = good ? (uint32_t)number : *out;
    return good;
}

/* What is wrong with an option; NULL: nothing. */
static const char *take(options *o, int option) {
    switch (option) {
    case 'j':
        o->json = true;
        return NULL;
    case 'd':
        return read_number(optarg, 0, WZP_QUALITY_DELAY_MAX_MS, &o->delay_max_ms)
                   ? NULL
                   : "--max-delay: expected 0 to 2000 milliseconds";
    case 's':
        o->scorer = optarg;
        return *optarg != '\0' ? NULL : "--scorer: expected a command";
    case 't':
        return read_number(optarg, 1, WZP_SCORER_TIMEOUT_MAX_S, &o->scorer_s)
                   ? NULL
                   : "--scorer-timeout: expected 1 to 3600 seconds";
    default:
        return "see --help";
    }
}

int main(int argc, char **argv) {
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"max-delay", required_argument, NULL, 'd'},
                                          {"scorer", required_argument, NULL, 's'},
                                          {"scorer-timeout", required_argument, NULL, 't'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'v'},
                                          {0}};
    options o = {.delay_max_ms = DELAY_MAX_MS, .scorer_s = SCORER_S};
    int option = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'h') {
            usage(stdout);
            return EXIT_SUCCESS;
        }
        if (option == 'v') {
            printf("wzp-quality %s (%s)\n", WZP_VERSION, WZP_BUILD_HASH);
            return EXIT_SUCCESS;
        }
        const char *wrong = take(&o, option);
        if (wrong != NULL) {
            (void)fprintf(stderr, "wzp-quality: %s\n", wrong);
            return EXIT_USAGE;
        }
    }
    if (argc - optind != 2) {
        (void)fputs("wzp-quality: expected two files; see --help\n", stderr);
        return EXIT_USAGE;
    }
    o.reference = argv[optind];
    o.degraded = argv[optind + 1];
    return compare(&o);
}
