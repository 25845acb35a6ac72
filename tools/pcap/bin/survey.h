/* What the verbs stat, streams and report have in common: a whole capture into a flow, and a text
 * about it to standard output or a file. */
#ifndef WZP_PCAP_BIN_SURVEY_H
#define WZP_PCAP_BIN_SURVEY_H

#include "tools/pcap/bin/options.h"
#include "tools/pcap/report/report.h"

typedef void wzp_pcap_writing(wzp_pcap_text *out, const wzp_pcap_report *report);

typedef struct wzp_pcap_survey {
    const char *verb;       /* for complaints */
    uint64_t interval_ns;   /* of the tables; 0: one second */
    bool upstream_jitter;   /* wzp_pcap_report */
    bool intervals;         /* wzp_pcap_report */
    const char *output;     /* NULL or "-": standard output; replaced when it is whole */
    wzp_pcap_writing *what; /* the text */
} wzp_pcap_survey;

/* The exit status: FINDINGS if any is bad. */
int wzp_pcap_survey_run(const wzp_pcap_survey *survey, const wzp_pcap_options *options);

/* "0.5": seconds, 1 ms to a day; false after a complaint. */
bool wzp_pcap_survey_interval(const char *value, uint64_t *interval_ns);
/* "rfc3550" or "upstream"; false after a complaint. */
bool wzp_pcap_survey_jitter(const char *value, bool *upstream);

#endif
