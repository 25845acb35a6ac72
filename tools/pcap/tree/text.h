/* Text into one buffer that a sink empties: numbers, hexadecimal, JSON and CSV strings, without
 * printf, for lines are written by the hundred thousand. */
#ifndef WZP_PCAP_TREE_TEXT_H
#define WZP_PCAP_TREE_TEXT_H

#include "base/addr.h"

#define WZP_PCAP_TEXT_CAP ((size_t)64 << 10)

typedef struct wzp_pcap_text {
    /* Takes what was written, borrowed for the call. */
    void (*sink)(void *ctx, wzp_bytes text);
    void *ctx;
    size_t len;
    char buf[WZP_PCAP_TEXT_CAP];
} wzp_pcap_text;

/* Hands everything to the sink. */
void wzp_pcap_text_flush(wzp_pcap_text *text);

void wzp_pcap_text_char(wzp_pcap_text *text, char c);
void wzp_pcap_text_str(wzp_pcap_text *text, const char *str);
void wzp_pcap_text_bytes(wzp_pcap_text *text, wzp_bytes bytes); /* as they are */
void wzp_pcap_text_uint(wzp_pcap_text *text, uint64_t value);
void wzp_pcap_text_uint_wide(wzp_pcap_text *text, uint64_t value, unsigned width); /* blanks left */
void wzp_pcap_text_zeros(wzp_pcap_text *text, uint64_t value, unsigned width);     /* zeros left */
void wzp_pcap_text_hex(wzp_pcap_text *text, wzp_bytes bytes);
void wzp_pcap_text_hex_uint(wzp_pcap_text *text, uint64_t value); /* "0x1f" */
/* Seconds with `digits` (1..9) decimals, cut, not rounded. */
void wzp_pcap_text_seconds(wzp_pcap_text *text, uint64_t ns, unsigned digits);
void wzp_pcap_text_ip(wzp_pcap_text *text, const wzp_addr *addr);
void wzp_pcap_text_addr(wzp_pcap_text *text, const wzp_addr *addr); /* "ip:port" */

/* Printable ASCII as it is, everything else as '?'. */
void wzp_pcap_text_clean(wzp_pcap_text *text, wzp_bytes bytes);

/* Quoted.  Bytes that are no UTF-8 become U+FFFD. */
void wzp_pcap_text_json(wzp_pcap_text *text, wzp_bytes bytes);

/* RFC 4180: quoted if need be.  Bytes that are no UTF-8, and what acts on a terminal, become
 * U+FFFD; what a spreadsheet would take for a formula gets an apostrophe in front. */
void wzp_pcap_text_csv(wzp_pcap_text *text, wzp_bytes bytes);
/* The same inside quotes that the caller writes; `is_first` in its cell. */
void wzp_pcap_text_csv_part(wzp_pcap_text *text, wzp_bytes bytes, bool is_first);

#endif
