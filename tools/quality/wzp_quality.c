/* wzp-quality: how far a sound file is from what was said. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/wav.h"
#include "tools/quality/quality.h"
#include "wzp_version.h"

enum { EXIT_USAGE = 2, EXIT_UNREADABLE = 3, DELAY_MAX_MS = 1000 };

typedef struct options {
    bool json;
    uint32_t delay_max_ms;
    const char *reference, *degraded;
} options;

static void usage(FILE *out) {
    (void)fputs(
        "usage: wzp-quality [--json] [--max-delay MS] REFERENCE.wav DEGRADED.wav\n"
        "\n"
        "Compares sound that has been through a call with what was said: aligns the two, then\n"
        "measures segmental SNR, distance of the spectra (LSD) and the longest gap, where\n"
        "somebody speaks.  Files of any rate and any number of channels are compared as mono\n"
        "at 48 kHz.\n"
        "\n"
        "  --json          one JSON object\n"
        "  --max-delay MS  how much later or earlier it may be (default 1000, at most 2000)\n"
        "  --help, --version\n"
        "\n"
        "Exit status: 0 measured, 2 usage, 3 a file cannot be read or compared.\n"
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

static void print_text(const wzp_quality *q) {
    printf("segmental SNR    %8.2f dB\n", q->snr_seg_db);
    printf("LSD              %8.2f dB    worst tenth %.2f dB\n", q->lsd_db, q->lsd_worst_db);
    printf("level            %+8.2f dB\n", q->level_db);
    printf("longest gap      %8u ms    in %.1f %% of what was said\n", q->longest_gap_ms,
           q->gap_permille / 10.0);
    printf("delay            %8.2f ms\n", q->delay_samples * 1000.0 / WZP_QUALITY_RATE_HZ);
    printf("compared         %8.1f s\n", (double)q->frames / 100);
}

static bool print_json(const options *o, const wzp_quality *q) {
    json_t *json =
        json_pack("{ss ss sf sf sf sf sI sf sf sI}", "reference", o->reference, "degraded",
                  o->degraded, "snr_seg_db", q->snr_seg_db, "lsd_db", q->lsd_db, "lsd_worst_db",
                  q->lsd_worst_db, "level_db", q->level_db, "longest_gap_ms",
                  (json_int_t)q->longest_gap_ms, "gap_percent", q->gap_permille / 10.0, "delay_ms",
                  q->delay_samples * 1000.0 / WZP_QUALITY_RATE_HZ, "frames", (json_int_t)q->frames);
    const bool done =
        json != NULL && json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0;
    (void)fputs("\n", stdout);
    json_decref(json);
    return done;
}

static int compare(const options *o) {
    size_t reference_len = 0;
    size_t degraded_len = 0;
    int status = EXIT_UNREADABLE;
    wzp_quality q;
    int16_t *reference = read_sound(o->reference, &reference_len);
    int16_t *degraded = reference != NULL ? read_sound(o->degraded, &degraded_len) : NULL;
    if (degraded == NULL) {
        goto done;
    }
    const wzp_err err =
        wzp_quality_measure(&q, reference, reference_len, degraded, degraded_len, o->delay_max_ms);
    if (err != WZP_OK) {
        (void)fprintf(stderr, "wzp-quality: %s: %s\n", o->reference,
                      err == WZP_ERR_NOMEM ? "out of memory"
                                           : "nobody speaks in it, or less than 200 ms of the two "
                                             "files overlap; see --max-delay");
        goto done;
    }
    status = EXIT_SUCCESS;
    if (!o->json) {
        print_text(&q);
    } else if (!print_json(o, &q)) {
        status = EXIT_UNREADABLE;
    }
done:
    free(reference);
    free(degraded);
    return status;
}

static bool read_delay(const char *text, uint32_t *out) {
    char *end = NULL;
    const unsigned long ms = strtoul(text, &end, 10);
    *out = (uint32_t)(ms <= WZP_QUALITY_DELAY_MAX_MS ? ms : 0);
    return *text >= '0' && *text <= '9' && *end == '\0' && ms <= WZP_QUALITY_DELAY_MAX_MS;
}

int main(int argc, char **argv) {
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"max-delay", required_argument, NULL, 'd'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'v'},
                                          {0}};
    options o = {.delay_max_ms = DELAY_MAX_MS};
    int option = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'j') {
            o.json = true;
        } else if (option == 'h') {
            usage(stdout);
            return EXIT_SUCCESS;
        } else if (option == 'v') {
            printf("wzp-quality %s (%s)\n", WZP_VERSION, WZP_BUILD_HASH);
            return EXIT_SUCCESS;
        } else if (option != 'd' || !read_delay(optarg, &o.delay_max_ms)) {
            (void)fprintf(stderr, "wzp-quality: %s\n",
                          option == 'd' ? "--max-delay: expected 0 to 2000 milliseconds"
                                        : "see --help");
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
