/* Text for reports, into the buffer of tree/text.h: what comes from the capture is escaped here,
 * for whatever it is put into. */
#ifndef WZP_PCAP_REPORT_PUT_H
#define WZP_PCAP_REPORT_PUT_H

#include "tools/pcap/tree/text.h"

/* As printf; cut at 1023 bytes.  Not for text of the capture. */
void wzp_pcap_putf(wzp_pcap_text *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* HTML, in elements and quoted attributes. */
void wzp_pcap_put_html(wzp_pcap_text *out, const char *text);
/* The same, at most `most` characters; an ellipsis stands for the others. */
void wzp_pcap_put_html_cut(wzp_pcap_text *out, const char *text, size_t most);
/* One line of Markdown, in a table or outside. */
void wzp_pcap_put_markdown(wzp_pcap_text *out, const char *text);
/* One line for a terminal: controls become '?'. */
void wzp_pcap_put_plain(wzp_pcap_text *out, const char *text);

/* The first row of an HTML table, from "level|>packet|what": the names of its columns, those of
 * numbers behind a '>'. */
void wzp_pcap_put_heads(wzp_pcap_text *out, const char *names);

/* "2026-05-25 15:30:00.123 UTC" of nanoseconds since 1970. */
void wzp_pcap_put_utc(wzp_pcap_text *out, uint64_t ns);

/* JSON, commas and all.  `key` is NULL in lists. */
typedef struct wzp_pcap_json {
    wzp_pcap_text *out;
    bool comma; /* a value came before */
} wzp_pcap_json;

void wzp_pcap_json_open(wzp_pcap_json *json, const char *key, char bracket);
void wzp_pcap_json_close(wzp_pcap_json *json, char bracket);
void wzp_pcap_json_uint(wzp_pcap_json *json, const char *key, uint64_t value);
/* Three decimals; what is no number is null. */
void wzp_pcap_json_real(wzp_pcap_json *json, const char *key, double value);
void wzp_pcap_json_bool(wzp_pcap_json *json, const char *key, bool value);
void wzp_pcap_json_null(wzp_pcap_json *json, const char *key);
void wzp_pcap_json_str(wzp_pcap_json *json, const char *key, const char *value);

#endif
