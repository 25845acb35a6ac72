#include "tools/pcap/bin/survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/sys.h"
#include "tools/pcap/bin/source.h"
#include "tools/pcap/bin/summary.h"

/* --- options ---------------------------------------------------------------------------------- */

bool wzp_pcap_survey_interval(const char *value, uint64_t *interval_ns) {
    char *end = NULL;
    const double seconds = strtod(value, &end);
    if (end == value || *end != '\0' || !(seconds >= 0.001 && seconds <= 86400)) {
        return wzp_pcap_complain("--interval takes seconds from 0.001 to 86400, not '%s'", value);
    }
    *interval_ns = (uint64_t)(seconds * 1e9 + 0.5);
    return true;
}

bool wzp_pcap_survey_jitter(const char *value, bool *upstream) {
    *upstream = strcmp(value, "upstream") == 0;
    return *upstream || strcmp(value, "rfc3550") == 0 ||
           wzp_pcap_complain("--jitter takes rfc3550 or upstream, not '%s'", value);
}

/* --- output ----------------------------------------------------------------------------------- */

typedef struct output {
    FILE *file;
    bool failed;
} output;

static void to_file(void *ctx, wzp_bytes text) {
    output *o = ctx;
    o->failed = o->failed || fwrite(text.data, 1, text.len, o->file) != text.len;
}

static int complain_output(const wzp_pcap_survey *survey) {
    (void)wzp_pcap_complain("%s: %s", survey->output != NULL ? survey->output : "standard output",
                            wzp_io_reason(errno));
    return EXIT_UNREADABLE;
}

/* -1: all of it is written. */
static int write_text(const wzp_pcap_survey *survey, const wzp_pcap_report *report) {
    const bool is_file = survey->output != NULL && strcmp(survey->output, "-") != 0;
    wzp_pcap_text *text = calloc(1, sizeof *text);
    output out = {.file = stdout};
    if (text == NULL) {
        (void)wzp_pcap_complain("no memory");
        return EXIT_UNREADABLE;
    }
    if (is_file) {
        out.file = fopen(survey->output, "we");
    }
    if (out.file == NULL) {
        free(text);
        return complain_output(survey);
    }
    text->sink = to_file;
    text->ctx = &out;
    survey->what(text, report);
    wzp_pcap_text_flush(text);
    free(text);
    const bool closed = (is_file ? fclose(out.file) : fflush(out.file)) == 0;
    return out.failed || !closed ? complain_output(survey) : -1;
}

/* --- the capture ------------------------------------------------------------------------------ */

static void on_message(void *ctx, const wzp_pcap_message *message) {
    wzp_pcap_flow_take(ctx, message);
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return strcmp(path, "-") == 0 ? "standard input" : slash != NULL ? slash + 1 : path;
}

static int judge(const wzp_pcap_report *report) {
    return wzp_pcap_report_count(report, WZP_PCAP_LEVEL_BAD) > 0 ? EXIT_FINDINGS : EXIT_GOOD;
}

static int read_capture(const wzp_pcap_survey *survey, const wzp_pcap_options *options,
                        wzp_pcap_source *source, wzp_pcap_flow *flow) {
    int status = wzp_pcap_source_keys(options, source->decoder);
    if (status == -1) {
        status = wzp_pcap_source_run(source, options->args[0]);
    }
    if (status != -1) {
        return status;
    }
    wzp_pcap_flow_end(flow);
    if (!options->quiet) {
        wzp_pcap_summary(stderr, source);
    }
    const wzp_pcap_report report = {.flow = flow,
                                    .file = name_of(options->args[0]),
                                    .packets = source->read.packets,
                                    .upstream_jitter = survey->upstream_jitter,
                                    .intervals = survey->intervals};
    status = write_text(survey, &report);
    return status == -1 ? judge(&report) : status;
}

int wzp_pcap_survey_run(const wzp_pcap_survey *survey, const wzp_pcap_options *options) {
    wzp_pcap_flow *flow = NULL;
    wzp_pcap_source source = {.options = options};
    int status = EXIT_UNREADABLE;
    if (options->arg_count != 1) {
        (void)wzp_pcap_complain("%s takes one file, or - for standard input; see --help",
                                survey->verb);
        return EXIT_USAGE;
    }
    /* Packets tell why a connection cannot be read. */
    wzp_pcap_decoder_cfg cfg = {
        .sink = on_message, .packets = true, .legacy_nonce = options->legacy_nonce};
    if (wzp_pcap_flow_new(&flow, survey->interval_ns) == WZP_OK) {
        cfg.sink_ctx = flow;
        if (wzp_pcap_decoder_new(&source.decoder, &cfg) == WZP_OK) {
            status = read_capture(survey, options, &source, flow);
        } else {
            (void)wzp_pcap_complain("no memory for a decoder");
        }
    } else {
        (void)wzp_pcap_complain("no memory");
    }
    wzp_pcap_decoder_free(&source.decoder);
    wzp_pcap_flow_free(&flow);
    return status;
}
