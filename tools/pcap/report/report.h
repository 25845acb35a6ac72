/* What flow/ found, for people and for scripts: tables, JSON, CSV, Markdown, and one page of HTML
 * that needs nothing else, neither a network nor a script.  Sans-IO: text goes to the sink of the
 * buffer, which the caller flushes.  Same capture, same bytes. */
#ifndef WZP_PCAP_REPORT_REPORT_H
#define WZP_PCAP_REPORT_REPORT_H

#include "tools/pcap/decode/decoder.h"
#include "tools/pcap/flow/flow.h"
#include "tools/pcap/tree/text.h"

typedef struct wzp_pcap_report {
    const wzp_pcap_flow *flow; /* ended */
    const char *file;          /* as it is to be called; untrusted like all else */
    uint64_t packets;          /* of the file; 0: not known */
    bool upstream_jitter;      /* columns of jitter by upstream's formula (timing.h) */
    bool intervals;            /* JSON with interval tables */
} wzp_pcap_report;

/* The columns of `tshark -q -z rtp,streams`, and what WZP has beside. */
void wzp_pcap_report_streams(wzp_pcap_text *out, const wzp_pcap_report *report);
void wzp_pcap_report_streams_csv(wzp_pcap_text *out, const wzp_pcap_report *report);
/* All figures of each stream, senders, connections, findings. */
void wzp_pcap_report_stat(wzp_pcap_text *out, const wzp_pcap_report *report);
/* A line for each stream and interval. */
void wzp_pcap_report_intervals_csv(wzp_pcap_text *out, const wzp_pcap_report *report);
/* One object on one line: docs/schema/pcap-stat.schema.json. */
void wzp_pcap_report_json(wzp_pcap_text *out, const wzp_pcap_report *report);
/* For the summary of a CI run. */
void wzp_pcap_report_markdown(wzp_pcap_text *out, const wzp_pcap_report *report);
void wzp_pcap_report_html(wzp_pcap_text *out, const wzp_pcap_report *report);

/* How many findings are of this level. */
size_t wzp_pcap_report_count(const wzp_pcap_report *report, wzp_pcap_level level);

#endif
