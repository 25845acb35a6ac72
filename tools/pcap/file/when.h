/* RFC 3339 times, as `.wzp` files have them. */
#ifndef WZP_PCAP_FILE_WHEN_H
#define WZP_PCAP_FILE_WHEN_H

#include "base/bytes.h"
#include "base/err.h"

/* "2026-05-25T10:11:12.123456789+00:00": what is written, with room for any number that GCC thinks
 * of. */
#define WZP_PCAP_WHEN_MAX 64

/* Nanoseconds since 1970-01-01 UTC.  Any number of digits behind the second, of which nine count;
 * "Z" or an offset; years 1970 to 2261.  WZP_ERR_PARSE leaves `out` as it was. */
WZP_MUST_USE wzp_err wzp_pcap_when_parse(uint64_t *out, wzp_bytes text);

/* In UTC with nine digits, as upstream writes it. */
void wzp_pcap_when_write(char out[WZP_PCAP_WHEN_MAX], uint64_t ns);

#endif
