/* What things are called in reports, and figures in the form in which several of them want them. */
#ifndef WZP_PCAP_REPORT_WORDS_H
#define WZP_PCAP_REPORT_WORDS_H

#include "tools/pcap/report/report.h"

const char *wzp_pcap_word_role(wzp_pcap_role role);    /* "room" */
const char *wzp_pcap_word_basis(wzp_pcap_basis basis); /* "connection" */
const char *wzp_pcap_word_media(uint8_t media_type);   /* "audio" */
const char *wzp_pcap_word_codec(uint8_t codec);        /* "Opus24k" */

/* "connection 2, to the server"; "file". */
#define WZP_PCAP_WORD_MAX 96
const char *wzp_pcap_word_way(uint32_t conn, bool to_server, char buf[WZP_PCAP_WORD_MAX]);

/* Codecs of a stream, joined by commas. */
const char *wzp_pcap_word_codecs(const wzp_pcap_stream *stream, char buf[WZP_PCAP_WORD_MAX]);

/* What is wrong with a stream, by findings of more than a note. */
bool wzp_pcap_has_problem(const wzp_pcap_report *report, uint32_t stream);

/* Seconds since the capture's first packet. */
double wzp_pcap_since(const wzp_pcap_report *report, uint64_t ns);
/* Of the stream's own time. */
double wzp_pcap_stream_seconds(const wzp_pcap_stream *stream);
double wzp_pcap_stream_kbps(const wzp_pcap_stream *stream);

const wzp_pcap_spread *wzp_pcap_stream_jitter(const wzp_pcap_report *report,
                                              const wzp_pcap_stream *stream);

/* "yes, at packet 120 (tier A, Bitrate)", "no". */
const char *wzp_pcap_word_hangup(const wzp_pcap_gauge *gauge, char buf[WZP_PCAP_WORD_MAX]);

#endif
