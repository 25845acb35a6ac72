/* Lines of hexadecimal digits, a media packet each: white space anywhere between bytes, an optional
 * 0x in front of each group, comments from '#' to the end of the line.  Bytes replace their digits
 * in the buffer, so that a line needs no memory of its own. */
#include "tools/pcap/file/reader_internal.h"

/* One line while its digits become bytes. */
typedef struct line {
    uint8_t *text;
    size_t len; /* up to comment or end */
    size_t at;  /* next character */
    uint8_t *bytes;
    size_t count;
    size_t first_group, groups; /* digits of the first one; how many there are */
    bool rest_are_bytes;        /* all groups but the first have two digits */
    const char *bad;            /* NULL: none so far; `at` is its place */
} line;

enum { NO_DIGIT = 16 };

static unsigned digit_of(uint8_t c) {
    if (c >= '0' && c <= '9') {
        return c - (unsigned)'0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10 : NO_DIGIT;
}

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_space(line *l) {
    while (l->at < l->len && is_space(l->text[l->at])) {
        l->at++;
    }
}

static void skip_prefix(line *l) {
    if (l->len - l->at >= 2 && l->text[l->at] == '0' && (l->text[l->at + 1] | 0x20) == 'x') {
        l->at += 2;
    }
}

static const char *why_bad(const line *l) {
    if (l->at < l->len && l->text[l->at] == ':') {
        return "a line begins with an offset: skipped; give each packet on one line of bytes alone";
    }
    return "a line with other characters than hexadecimal digits: skipped";
}

/* A run of digits up to white space or the end. */
static void take_group(line *l) {
    skip_prefix(l);
    const size_t begin = l->at;
    while (l->at < l->len && digit_of(l->text[l->at]) != NO_DIGIT) {
        l->at++;
    }
    const size_t digits = l->at - begin;
    if (l->at < l->len && !is_space(l->text[l->at])) {
        l->bad = why_bad(l);
        return;
    }
    if (digits % 2 != 0 || digits == 0) {
        l->bad = "a line with half a byte: skipped";
        return;
    }
    for (size_t i = begin; i < l->at; i += 2) {
        l->bytes[l->count++] = (uint8_t)(digit_of(l->text[i]) << 4 | digit_of(l->text[i + 1]));
    }
    if (l->groups++ == 0) {
        l->first_group = digits;
    } else {
        l->rest_are_bytes = l->rest_are_bytes && digits == 2;
    }
}

/* "0010  3a 00 ...": as xxd, tcpdump and text2pcap have it. */
static bool has_offset(const line *l) {
    return l->groups >= 2 && l->first_group >= 4 && l->rest_are_bytes;
}

static void take_line(line *l) {
    while (l->bad == NULL && l->at < l->len) {
        take_group(l);
        if (l->bad == NULL) {
            skip_space(l);
        }
    }
    if (l->bad == NULL && has_offset(l)) {
        l->bad =
            "a line begins with an offset: skipped; give each packet on one line of bytes alone";
    }
}

static wzp_pcap_step give(wzp_pcap_reader *r, wzp_pcap_item *out, const line *l) {
    wzp_pcap_packet *packet = wzp_pcap_reader_packet(r, out, (size_t)(l->text - wzp_pcap_at(r)));
    packet->time_ns = 0;
    packet->link_type = WZP_PCAP_LINK_MEDIA;
    packet->interface = 0;
    packet->interface_name = "";
    packet->original_len = (uint32_t)l->count;
    packet->way = WZP_PCAP_WAY_UNKNOWN;
    packet->data = wzp_bytes_of(l->bytes, l->count);
    packet->comment = wzp_bytes_of(NULL, 0);
    return WZP_PCAP_STEP_ITEM;
}

/* A line without its end; the position is behind it when it is done. */
static wzp_pcap_step read_line(wzp_pcap_reader *r, wzp_pcap_item *out, size_t len) {
    uint8_t *text = r->buf + r->pos;
    const uint8_t *comment = memchr(text, '#', len);
    line l = {.text = text,
              .len = comment == NULL ? len : (size_t)(comment - text),
              .bytes = text,
              .rest_are_bytes = true};
    skip_space(&l);
    if (l.at == l.len) {
        return WZP_PCAP_STEP_AGAIN;
    }
    l.text += l.at;
    l.len -= l.at;
    l.at = 0;
    take_line(&l);
    if (l.bad != NULL) {
        wzp_pcap_reader_skip(r);
        return wzp_pcap_reader_problem(r, out, l.bad,
                                       wzp_pcap_offset(r) + (uint64_t)(l.text - text) + l.at,
                                       l.at < l.len ? l.text[l.at] : 0);
    }
    return give(r, out, &l);
}

static wzp_pcap_step skip_long_line(wzp_pcap_reader *r, wzp_pcap_item *out, size_t len) {
    const bool said = r->long_line;
    const uint64_t offset = wzp_pcap_offset(r);
    r->long_line = true;
    r->pos += len;
    if (said) {
        return len == 0 ? WZP_PCAP_STEP_MORE : WZP_PCAP_STEP_AGAIN;
    }
    wzp_pcap_reader_skip(r);
    return wzp_pcap_reader_problem(r, out, "a line is too long for a packet: skipped", offset, 0);
}

static wzp_pcap_step step(wzp_pcap_reader *r, wzp_pcap_item *out) {
    const size_t left = wzp_pcap_left(r);
    const uint8_t *text = wzp_pcap_at(r);
    const uint8_t *end = memchr(text, '\n', left);
    if (end == NULL && (r->long_line || left >= WZP_PCAP_BLOCK_MAX)) {
        return skip_long_line(r, out, left);
    }
    if (end == NULL && (!r->ended || left == 0)) {
        return WZP_PCAP_STEP_MORE;
    }
    const size_t len = end == NULL ? left : (size_t)(end - text);
    wzp_pcap_step taken = WZP_PCAP_STEP_AGAIN;
    if (!r->long_line) {
        taken = read_line(r, out, len);
    }
    r->long_line = false;
    r->pos += len + (end != NULL ? 1 : 0);
    return taken;
}

static wzp_pcap_guess guess(const wzp_pcap_reader *r, size_t at) {
    (void)r;
    (void)at;
    return WZP_PCAP_NO;
}

const wzp_pcap_format wzp_pcap_format_hex = {step, guess, "the file ends inside a line"};
