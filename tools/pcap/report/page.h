/* Parts of the page. */
#ifndef WZP_PCAP_REPORT_PAGE_H
#define WZP_PCAP_REPORT_PAGE_H

#include "tools/pcap/report/report.h"

extern const char wzp_pcap_page_css[]; /* page.css, made by CMake */

/* Curves of one stream, over the capture's time. */
void wzp_pcap_page_charts(wzp_pcap_text *out, const wzp_pcap_report *report,
                          const wzp_pcap_stream *stream);

/* Signals, and what connections do, as arrows; and as a table. */
void wzp_pcap_page_ladder(wzp_pcap_text *out, const wzp_pcap_report *report);

#endif
