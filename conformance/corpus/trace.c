#include "conformance/corpus/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct parser {
    wzp_trace *trace;
    wzp_bytes rest; /* of the text */
    wzp_bytes line; /* what is left of this line */
    unsigned number;
    unsigned seen; /* heads, by bit */
} parser;

enum { HEAD_NAME, HEAD_WHAT, HEAD_LABEL, HEAD_ENCRYPTED, HEAD_COUNT };

static const char flag_letters[] = "TQKE"; /* from the highest bit on */

/* --- words ------------------------------------------------------------------------------------ */

static bool next_line(parser *p) {
    if (p->rest.len == 0) {
        return false;
    }
    const uint8_t *end = memchr(p->rest.data, '\n', p->rest.len);
    const size_t len = end != NULL ? (size_t)(end - p->rest.data) : p->rest.len;
    const size_t used = end != NULL ? len + 1 : len;
    p->line = wzp_bytes_of(p->rest.data, len);
    p->rest = wzp_bytes_of(p->rest.data + used, p->rest.len - used);
    p->number++;
    return true;
}

static wzp_bytes next_word(parser *p) {
    while (p->line.len > 0 && p->line.data[0] == ' ') {
        p->line = wzp_bytes_of(p->line.data + 1, p->line.len - 1);
    }
    const uint8_t *end = p->line.len > 0 ? memchr(p->line.data, ' ', p->line.len) : NULL;
    const size_t len = end != NULL ? (size_t)(end - p->line.data) : p->line.len;
    const wzp_bytes word = wzp_bytes_of(p->line.data, len);
    p->line = wzp_bytes_of(p->line.data + len, p->line.len - len);
    return word;
}

static bool is_word(wzp_bytes word, const char *text) {
    return word.len == strlen(text) && memcmp(word.data, text, word.len) == 0;
}

static bool read_number(parser *p, uint64_t most, uint64_t *out) {
    const wzp_bytes word = next_word(p);
    uint64_t value = 0;
    for (size_t i = 0; i < word.len; i++) {
        const unsigned digit = word.data[i] - (unsigned)'0';
        if (digit > 9 || value > (most - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return word.len > 0;
}

/* --- heads ------------------------------------------------------------------------------------ */

static const char *read_text(parser *p, char *out, size_t cap) {
    while (p->line.len > 0 && p->line.data[0] == ' ') {
        p->line = wzp_bytes_of(p->line.data + 1, p->line.len - 1);
    }
    if (p->line.len == 0 || p->line.len >= cap) {
        return "the text is empty or too long: 63 bytes for a name, 159 for 'what'";
    }
    for (size_t i = 0; i < p->line.len; i++) {
        if (p->line.data[i] < 0x20 || p->line.data[i] > 0x7e) {
            return "a byte that is no printable ASCII character";
        }
    }
    memcpy(out, p->line.data, p->line.len);
    out[p->line.len] = '\0';
    p->line.len = 0;
    return NULL;
}

static const char *read_label(parser *p) {
    static const char expected[] = "expected 'legitimate', or 'abuse', a tier A to F and ms";
    const wzp_bytes kind = next_word(p);
    uint64_t ms = 0;
    if (is_word(kind, "legitimate")) {
        return NULL;
    }
    const wzp_bytes tier = next_word(p);
    if (!is_word(kind, "abuse") || tier.len != 1 || tier.data[0] < 'A' || tier.data[0] > 'F' ||
        !read_number(p, UINT32_MAX, &ms)) {
        return expected;
    }
    p->trace->tier = (char)tier.data[0];
    p->trace->within = ms * WZP_MS;
    return NULL;
}

static const char *read_encrypted(parser *p) {
    const wzp_bytes word = next_word(p);
    p->trace->is_encrypted = is_word(word, "yes");
    return p->trace->is_encrypted || is_word(word, "no") ? NULL : "expected 'yes' or 'no'";
}

static const char *read_head(parser *p, wzp_bytes key) {
    static const char *const names[HEAD_COUNT] = {"name", "what", "label", "encrypted"};
    unsigned head = 0;
    while (head < HEAD_COUNT && !is_word(key, names[head])) {
        head++;
    }
    if (head == HEAD_COUNT) {
        return "unknown word; expected name, what, label, encrypted or packet";
    }
    if ((p->seen & 1U << head) != 0) {
        return "said twice";
    }
    p->seen |= 1U << head;
    switch (head) {
    case HEAD_NAME:
        return read_text(p, p->trace->name, sizeof p->trace->name);
    case HEAD_WHAT:
        return read_text(p, p->trace->what, sizeof p->trace->what);
    case HEAD_LABEL:
        return read_label(p);
    default:
        return read_encrypted(p);
    }
}

/* --- packets ---------------------------------------------------------------------------------- */

static bool read_type(parser *p, uint8_t *out) {
    static const char *const names[WZP_MEDIA_TYPE_COUNT] = {"audio", "video", "data", "control"};
    const wzp_bytes word = next_word(p);
    for (unsigned i = 0; i < WZP_MEDIA_TYPE_COUNT; i++) {
        if (is_word(word, names[i])) {
            *out = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool read_flags(parser *p, uint8_t *out) {
    const wzp_bytes word = next_word(p);
    *out = 0;
    if (is_word(word, "-")) {
        return true;
    }
    for (size_t i = 0; i < word.len; i++) {
        const char *at = strchr(flag_letters, word.data[i]);
        if (word.data[i] == '\0' || at == NULL) {
            return false;
        }
        *out |= (uint8_t)(WZP_MEDIA_REPAIR >> (at - flag_letters));
    }
    return word.len > 0;
}

static const char *read_fields(parser *p, wzp_trace_packet *packet) {
    uint64_t stream = 0;
    uint64_t seq = 0;
    uint64_t ts = 0;
    uint64_t payload = 0;
    if (!read_type(p, &packet->hdr.media_type)) {
        return "expected audio, video, data or control";
    }
    const int codec = wzp_codec_by_name(next_word(p));
    if (codec < 0) {
        return "no such codec; names are those of the wire, as Opus24k";
    }
    if (!read_flags(p, &packet->hdr.flags)) {
        return "flags are the letters T Q K E, or '-'";
    }
    if (!read_number(p, UINT8_MAX, &stream) || !read_number(p, UINT32_MAX, &seq) ||
        !read_number(p, UINT32_MAX, &ts) || !read_number(p, UINT16_MAX, &payload)) {
        return "expected stream (0 to 255), seq, timestamp (32 bits) and bytes (0 to 65535)";
    }
    packet->hdr.version = WZP_PROTOCOL_VERSION;
    packet->hdr.codec_id = (uint8_t)codec;
    packet->hdr.stream_id = (uint8_t)stream;
    packet->hdr.seq = (uint32_t)seq;
    packet->hdr.timestamp_ms = (uint32_t)ts;
    packet->payload = (uint16_t)payload;
    return NULL;
}

static const char *read_packet(parser *p) {
    static const uint64_t most_us = UINT64_C(100) * 3600 * 1000000;
    const wzp_trace *t = p->trace;
    uint64_t us = 0;
    if (!read_number(p, most_us, &us)) {
        return "expected a time in us, at most 100 hours";
    }
    if (t->count > 0 && us * WZP_US < t->packets[t->count - 1].at) {
        return "time goes back";
    }
    wzp_trace_packet *packet = wzp_trace_add(p->trace, us * WZP_US);
    return packet != NULL ? read_fields(p, packet) : "more packets than fit";
}

/* --- the whole -------------------------------------------------------------------------------- */

static const char *read_line(parser *p) {
    const wzp_bytes key = next_word(p);
    if (key.len == 0 || key.data[0] == '#') {
        return NULL;
    }
    const char *why = is_word(key, "packet") ? read_packet(p) : read_head(p, key);
    return why != NULL || next_word(p).len == 0 ? why : "more words than expected";
}

static const char *read_all(parser *p) {
    if (!next_line(p) || !is_word(p->line, "wzp-trace 1")) {
        return "the first line of a trace is 'wzp-trace 1'";
    }
    while (next_line(p)) {
        const char *why = read_line(p);
        if (why != NULL) {
            return why;
        }
    }
    if (p->seen != (1U << HEAD_COUNT) - 1) {
        return "the trace ends without name, what, label and encrypted";
    }
    return p->trace->count > 0 ? NULL : "the trace has no packet";
}

wzp_err wzp_trace_parse(wzp_trace *out, wzp_bytes text, wzp_trace_fault *fault) {
    *out = (wzp_trace){0};
    parser p = {.trace = out, .rest = text};
    const char *why = read_all(&p);
    if (why == NULL) {
        return WZP_OK;
    }
    *fault = (wzp_trace_fault){p.number, why};
    wzp_trace_clear(out);
    return WZP_ERR_PARSE;
}

size_t wzp_trace_head(const wzp_trace *trace, size_t index, char out[WZP_TRACE_LINE_MAX]) {
    int n = 0;
    switch (index) {
    case 0:
        n = snprintf(out, WZP_TRACE_LINE_MAX, "wzp-trace 1\n");
        break;
    case 1:
        n = snprintf(out, WZP_TRACE_LINE_MAX, "name %s\n", trace->name);
        break;
    case 2:
        n = snprintf(out, WZP_TRACE_LINE_MAX, "what %s\n", trace->what);
        break;
    case 3:
        n = trace->tier == 0 ? snprintf(out, WZP_TRACE_LINE_MAX, "label legitimate\n")
                             : snprintf(out, WZP_TRACE_LINE_MAX, "label abuse %c %llu\n",
                                        trace->tier, (unsigned long long)(trace->within / WZP_MS));
        break;
    default:
        n = snprintf(out, WZP_TRACE_LINE_MAX, "encrypted %s\n", trace->is_encrypted ? "yes" : "no");
        break;
    }
    return (size_t)n;
}

size_t wzp_trace_line(const wzp_trace_packet *packet, char out[WZP_TRACE_LINE_MAX]) {
    static const char *const types[WZP_MEDIA_TYPE_COUNT] = {"audio", "video", "data", "control"};
    const wzp_media_hdr *hdr = &packet->hdr;
    char flags[sizeof flag_letters] = "-";
    size_t n = 0;
    for (size_t i = 0; i < sizeof flag_letters - 1; i++) {
        if ((hdr->flags & WZP_MEDIA_REPAIR >> i) != 0) {
            flags[n++] = flag_letters[i];
        }
    }
    return (size_t)snprintf(out, WZP_TRACE_LINE_MAX, "packet %llu %s %s %s %u %u %u %u\n",
                            (unsigned long long)(packet->at / WZP_US), types[hdr->media_type],
                            wzp_codec_find(hdr->codec_id)->name, flags, hdr->stream_id, hdr->seq,
                            hdr->timestamp_ms, packet->payload);
}

wzp_trace_packet *wzp_trace_add(wzp_trace *trace, wzp_time at) {
    if (trace->count == trace->cap) {
        const size_t cap = trace->cap == 0 ? 256 : 2 * trace->cap;
        wzp_trace_packet *grown =
            cap <= WZP_TRACE_PACKETS_MAX ? realloc(trace->packets, cap * sizeof *grown) : NULL;
        if (grown == NULL) {
            return NULL;
        }
        trace->packets = grown;
        trace->cap = cap;
    }
    wzp_trace_packet *packet = &trace->packets[trace->count++];
    *packet = (wzp_trace_packet){.at = at};
    return packet;
}

void wzp_trace_clear(wzp_trace *trace) {
    free(trace->packets);
    *trace = (wzp_trace){0};
}
