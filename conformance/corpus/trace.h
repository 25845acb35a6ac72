/* A trace: what one sender sent, packet by packet, without the payloads; and what is known of it.
 * It is what meters and scorers look at, small enough to keep and to share, and says nothing of
 * what was said.
 *
 *     wzp-trace 1
 *     name speech-24k
 *     what Speech, Opus at 24 kbit/s
 *     label legitimate                      or: label abuse D 8000
 *     encrypted no
 *     packet 0 audio Opus24k - 0 1 0 76     time, type, codec, flags, stream, seq, timestamp, bytes
 *
 * Times are in us since the sender joined, and never go back.  `label abuse T MS`: the tier that is
 * to notice it, within so many ms of the first packet.  Flags are the letters T Q K E, or '-'.
 * Bytes are those after the header, without the quality report, with the tag if encrypted.  Lines
 * that begin with '#' and empty lines are skipped. */
#ifndef WZP_CONFORMANCE_CORPUS_TRACE_H
#define WZP_CONFORMANCE_CORPUS_TRACE_H

#include "base/time.h"
#include "wire/media.h"

#define WZP_TRACE_NAME_MAX 63
#define WZP_TRACE_WHAT_MAX 159
#define WZP_TRACE_PACKETS_MAX (1U << 22)

typedef struct wzp_trace_packet {
    wzp_time at; /* since the sender joined */
    wzp_media_hdr hdr;
    uint16_t payload;
} wzp_trace_packet;

typedef struct wzp_trace {
    char name[WZP_TRACE_NAME_MAX + 1], what[WZP_TRACE_WHAT_MAX + 1];
    bool is_encrypted;
    char tier; /* 'A' to 'F' is to notice it; 0: legitimate */
    uint64_t within;
    wzp_trace_packet *packets; /* owned */
    size_t count, cap;
} wzp_trace;

typedef struct wzp_trace_fault {
    unsigned line;
    const char *why; /* static text: what is wrong, and what is allowed */
} wzp_trace_fault;

/* WZP_ERR_PARSE: *fault says where and why; WZP_ERR_NOMEM.  On failure *out is empty. */
WZP_MUST_USE wzp_err wzp_trace_parse(wzp_trace *out, wzp_bytes text, wzp_trace_fault *fault);

/* One line with its end; returns its length, which is below WZP_TRACE_LINE_MAX. */
#define WZP_TRACE_LINE_MAX 256
size_t wzp_trace_head(const wzp_trace *trace, size_t index, char out[WZP_TRACE_LINE_MAX]);
size_t wzp_trace_line(const wzp_trace_packet *packet, char out[WZP_TRACE_LINE_MAX]);
#define WZP_TRACE_HEADS 5

/* Appends a packet.  NULL: out of memory, or too many. */
wzp_trace_packet *wzp_trace_add(wzp_trace *trace, wzp_time at);

void wzp_trace_clear(wzp_trace *trace);

#endif
