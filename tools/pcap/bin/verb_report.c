/* wzp-pcap report: one page about a capture. */
#include "tools/pcap/bin/survey.h"
#include "tools/pcap/bin/verbs.h"

enum { OPT_JSON = WZP_PCAP_OWN_OPTION, OPT_MARKDOWN, OPT_INTERVAL, OPT_JITTER };

static wzp_pcap_survey asked = {.verb = "report", .what = wzp_pcap_report_html};

static const struct option longs[] = {{"output", 1, NULL, 'o'},
                                      {"json", 0, NULL, OPT_JSON},
                                      {"markdown", 0, NULL, OPT_MARKDOWN},
                                      {"interval", 1, NULL, OPT_INTERVAL},
                                      {"jitter", 1, NULL, OPT_JITTER},
                                      {NULL, 0, NULL, 0}};

static bool take(int id, const char *value) {
    switch (id) {
    case 'o':
        asked.output = value;
        return true;
    case OPT_JSON:
        asked.what = wzp_pcap_report_json;
        return asked.intervals = true;
    case OPT_MARKDOWN:
        asked.what = wzp_pcap_report_markdown;
        return true;
    case OPT_INTERVAL:
        return wzp_pcap_survey_interval(value, &asked.interval_ns);
    default:
        return wzp_pcap_survey_jitter(value, &asked.upstream_jitter);
    }
}

static int run(const wzp_pcap_options *options) {
    return wzp_pcap_survey_run(&asked, options);
}

const wzp_pcap_verb wzp_pcap_verb_report = {
    .name = "report",
    .args = "FILE",
    .about = "writes one page of HTML: signals, curves, streams, findings",
    .help = "  -o, --output PAGE    where to; without: standard output\n"
            "  --markdown           for the summary of a CI run\n"
            "  --json               one object (docs/schema/pcap-stat.schema.json)\n"
            "  --interval S         of curves and tables, in seconds (1)\n"
            "  --jitter KIND        rfc3550 or upstream, in tables\n"
            "\n"
            "The page needs neither a network nor scripts. Exit status 1: a finding is bad.\n"
            "\n"
            "Example: wzp-pcap report --keylog keys.log call.pcapng -o call.html\n",
    .shorts = "o:",
    .options = longs,
    .take = take,
    .run = run};
