/* wzp-pcap stat: every figure of every stream, senders before the relay's meters, findings. */
#include "tools/pcap/bin/survey.h"
#include "tools/pcap/bin/verbs.h"

enum { OPT_JSON = WZP_PCAP_OWN_OPTION, OPT_CSV, OPT_INTERVAL };

static wzp_pcap_survey asked = {.verb = "stat", .what = wzp_pcap_report_stat};

static const struct option longs[] = {{"json", 0, NULL, OPT_JSON},
                                      {"csv", 0, NULL, OPT_CSV},
                                      {"interval", 1, NULL, OPT_INTERVAL},
                                      {NULL, 0, NULL, 0}};

static bool take(int id, const char *value) {
    switch (id) {
    case OPT_JSON:
        asked.what = wzp_pcap_report_json;
        return asked.intervals = true;
    case OPT_CSV:
        asked.what = wzp_pcap_report_intervals_csv;
        return true;
    default:
        return wzp_pcap_survey_interval(value, &asked.interval_ns);
    }
}

static int run(const wzp_pcap_options *options) {
    return wzp_pcap_survey_run(&asked, options);
}

const wzp_pcap_verb wzp_pcap_verb_stat = {
    .name = "stat",
    .args = "FILE",
    .about = "measures each stream, and says what is wrong",
    .help =
        "  --json               one object (docs/schema/pcap-stat.schema.json)\n"
        "  --csv                a line for each stream and interval\n"
        "  --interval S         of these tables, in seconds (1)\n"
        "\n"
        "What figures mean: lost are sequence numbers that never came; too late, those that\n"
        "came 200 ms after a later one; reordered, all that came after a later one (RFC 4737).\n"
        "Jitter is that of RFC 3550, 6.4.1, from times of capture and the header's timestamps,\n"
        "which count milliseconds. Bursts and gaps are those of RFC 3611 with Gmin 16. MOS is\n"
        "an estimate by the E-model. Drift is the sender's clock against the capture's.\n"
        "Exit status 1: a finding is bad.\n"
        "\n"
        "Example: wzp-pcap stat --keylog keys.log call.pcapng\n",
    .options = longs,
    .take = take,
    .run = run};
