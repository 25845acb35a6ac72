/* wzp-pcap streams: a line for each stream, as Wireshark lists those of RTP. */
#include "tools/pcap/bin/survey.h"
#include "tools/pcap/bin/verbs.h"

enum { OPT_JSON = WZP_PCAP_OWN_OPTION, OPT_CSV, OPT_INTERVAL, OPT_JITTER };

static wzp_pcap_survey asked = {.verb = "streams", .what = wzp_pcap_report_streams};

static const struct option longs[] = {{"json", 0, NULL, OPT_JSON},
                                      {"csv", 0, NULL, OPT_CSV},
                                      {"interval", 1, NULL, OPT_INTERVAL},
                                      {"jitter", 1, NULL, OPT_JITTER},
                                      {NULL, 0, NULL, 0}};

static bool take(int id, const char *value) {
    switch (id) {
    case OPT_JSON:
        asked.what = wzp_pcap_report_json;
        return true;
    case OPT_CSV:
        asked.what = wzp_pcap_report_streams_csv;
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

const wzp_pcap_verb wzp_pcap_verb_streams = {
    .name = "streams",
    .args = "FILE",
    .about = "lists the streams with loss, deltas and jitter",
    .help =
        "  --json               one object (docs/schema/pcap-stat.schema.json)\n"
        "  --csv                a line for each stream\n"
        "  --jitter KIND        rfc3550, or upstream: as upstream's analyzer has it\n"
        "  --interval S         as for stat\n"
        "\n"
        "Columns are those of tshark -q -z rtp,streams: d stands for delta, j for jitter, both\n"
        "in milliseconds. Sure: where several senders share a connection, how well this one\n"
        "can be told from the others. Exit status 1: a finding is bad; stat tells which.\n"
        "\n"
        "Example: wzp-pcap streams --keylog keys.log call.pcapng\n",
    .options = longs,
    .take = take,
    .run = run};
