#include "tools/pcap/file/reader.h"

#include <assert.h>
#include <stdlib.h>

#include "tools/pcap/file/reader_internal.h"

/* What is asked for at once: small enough to stay in a cache between being filled and taken. */
#define CHUNK (256u << 10)
/* A block that is not whole yet, and room behind it. */
#define CAP (WZP_PCAP_BLOCK_MAX + CHUNK)

wzp_err wzp_pcap_reader_new(wzp_pcap_reader **out) {
    wzp_pcap_reader *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return WZP_ERR_NOMEM;
    }
    r->buf = malloc(CAP);
    r->interfaces = calloc(WZP_PCAP_INTERFACES_MAX, sizeof(wzp_pcap_interface));
    if (r->buf == NULL || r->interfaces == NULL) {
        wzp_pcap_reader_free(&r);
        return WZP_ERR_NOMEM;
    }
    *out = r;
    return WZP_OK;
}

void wzp_pcap_reader_free(wzp_pcap_reader **reader) {
    if (*reader != NULL) {
        free((*reader)->interfaces);
        free((*reader)->buf);
        free(*reader);
        *reader = NULL;
    }
}

uint8_t *wzp_pcap_reader_room(wzp_pcap_reader *r, size_t *cap) {
    memmove(r->buf, r->buf + r->pos, wzp_pcap_left(r));
    r->base += r->pos;
    r->end -= r->pos;
    r->pos = 0;
    *cap = CAP - r->end < CHUNK ? CAP - r->end : CHUNK;
    return r->buf + r->end;
}

void wzp_pcap_reader_filled(wzp_pcap_reader *r, size_t len) {
    assert(len <= CAP - r->end && !(r->ended && len > 0));
    r->end += len;
    r->count.bytes += len;
    r->ended = r->ended || len == 0;
}

wzp_pcap_form wzp_pcap_reader_form(const wzp_pcap_reader *r) {
    return r->form;
}

const wzp_pcap_reader_counters *wzp_pcap_reader_count(const wzp_pcap_reader *r) {
    return &r->count;
}

/* --- problems --------------------------------------------------------------------------------- */

wzp_pcap_step wzp_pcap_reader_problem(wzp_pcap_reader *r, wzp_pcap_item *out, const char *text,
                                      uint64_t offset, uint64_t got) {
    r->count.problems++;
    out->kind = WZP_PCAP_ITEM_PROBLEM;
    out->problem = (wzp_pcap_problem){text, offset, r->number, got};
    return WZP_PCAP_STEP_ITEM;
}

void wzp_pcap_reader_later(wzp_pcap_reader *r, const char *text, uint64_t offset, uint64_t got) {
    r->later = (wzp_pcap_problem){text, offset, r->number, got};
    r->has_later = true;
}

static bool take_later(wzp_pcap_reader *r, wzp_pcap_item *out) {
    if (!r->has_later) {
        return false;
    }
    r->has_later = false;
    r->count.problems++;
    out->kind = WZP_PCAP_ITEM_PROBLEM;
    out->problem = r->later;
    return true;
}

/* --- looking for the next good place ---------------------------------------------------------- */

static void scan_from_here(wzp_pcap_reader *r) {
    r->scanning = true;
    r->lost_at = wzp_pcap_offset(r);
    r->secrets_left = 0;
    r->pos += wzp_pcap_left(r) > 0 ? 1 : 0;
}

wzp_pcap_step wzp_pcap_reader_lost(wzp_pcap_reader *r, wzp_pcap_item *out, const char *text,
                                   uint64_t got) {
    const wzp_pcap_step step = wzp_pcap_reader_problem(r, out, text, wzp_pcap_offset(r), got);
    scan_from_here(r);
    return step;
}

static wzp_pcap_step scan(wzp_pcap_reader *r, wzp_pcap_item *out) {
    while (r->pos < r->end) {
        const wzp_pcap_guess guess = r->format->guess(r, r->pos);
        if (guess == WZP_PCAP_YES) {
            r->scanning = false;
            return wzp_pcap_reader_problem(r, out, "reading goes on here, after bytes passed over",
                                           wzp_pcap_offset(r), wzp_pcap_offset(r) - r->lost_at);
        }
        if (guess == WZP_PCAP_PERHAPS && !r->ended) {
            return WZP_PCAP_STEP_MORE;
        }
        r->pos++;
    }
    return WZP_PCAP_STEP_MORE;
}

/* --- which form ------------------------------------------------------------------------------- */

static wzp_pcap_step nothing_to_read(wzp_pcap_reader *r, wzp_pcap_item *out) {
    (void)out;
    r->pos = r->end;
    return WZP_PCAP_STEP_MORE;
}

static wzp_pcap_guess no_guess(const wzp_pcap_reader *r, size_t at) {
    (void)r;
    (void)at;
    return WZP_PCAP_NO;
}

static const wzp_pcap_format unknown = {nothing_to_read, no_guess, ""};

static bool begins(const wzp_pcap_reader *r, const char magic[static 4], size_t len) {
    return wzp_pcap_left(r) >= len && memcmp(wzp_pcap_at(r), magic, len) == 0;
}

static bool is_pcap(wzp_pcap_reader *r) {
    const bool little = begins(r, "\xd4\xc3\xb2\xa1", 4);
    const bool little_nano = begins(r, "\x4d\x3c\xb2\xa1", 4);
    const bool big_nano = begins(r, "\xa1\xb2\x3c\x4d", 4);
    r->little = little || little_nano;
    r->nano = little_nano || big_nano;
    return r->little || r->nano || begins(r, "\xa1\xb2\xc3\xd4", 4);
}

/* The first bytes of a line of hexadecimal digits, or of a comment. */
static bool is_hex(const wzp_pcap_reader *r) {
    const size_t len = wzp_pcap_left(r) < 4 ? wzp_pcap_left(r) : 4;
    for (size_t i = 0; i < len; i++) {
        const int c = wzp_pcap_at(r)[i];
        if (c == '#') {
            return true;
        }
        if (c == '\0' || strchr("0123456789abcdefABCDEFxX: \t\r\n", c) == NULL) {
            return false;
        }
    }
    return true;
}

static const char *why_unknown(const wzp_pcap_reader *r) {
    if (begins(r, "\x1f\x8b\x08", 3) || begins(r, "\x28\xb5\x2f\xfd", 4) || begins(r, "BZh", 3) ||
        begins(r, "\xfd\x37\x7a\x58", 4)) {
        return "the file is compressed: unpack it first";
    }
    if (begins(r, "WZP", 3)) {
        return "a .wzp file of another version than 1: not read";
    }
    return "no form of capture that is known: not read";
}

static wzp_pcap_step detect(wzp_pcap_reader *r, wzp_pcap_item *out) {
    if (wzp_pcap_left(r) < 4 && !r->ended) {
        return WZP_PCAP_STEP_MORE;
    }
    if (wzp_pcap_left(r) == 0) {
        r->format = &unknown;
        return wzp_pcap_reader_problem(r, out, "the file is empty", 0, 0);
    }
    if (is_pcap(r)) {
        r->format = &wzp_pcap_format_pcap;
        r->form = WZP_PCAP_FORM_PCAP;
    } else if (begins(r, "\n\r\r\n", 4)) {
        r->format = &wzp_pcap_format_pcapng;
        r->form = WZP_PCAP_FORM_PCAPNG;
    } else if (begins(r, "WZP\x01", 4)) {
        r->little = true;
        r->format = &wzp_pcap_format_wzp;
        r->form = WZP_PCAP_FORM_WZP;
    } else if (is_hex(r)) {
        r->format = &wzp_pcap_format_hex;
        r->form = WZP_PCAP_FORM_HEX;
    } else {
        r->format = &unknown;
        return wzp_pcap_reader_problem(r, out, why_unknown(r), 0, 0);
    }
    return WZP_PCAP_STEP_AGAIN;
}

/* --- items ------------------------------------------------------------------------------------ */

/* What to do when the file ends and something is left that is not whole: it is said, and looked
 * at once more, for a length in it may have lied. */
static wzp_pcap_step finish(wzp_pcap_reader *r, wzp_pcap_item *out) {
    if (r->end_said || r->format == NULL) {
        return WZP_PCAP_STEP_MORE;
    }
    if (r->scanning || wzp_pcap_left(r) == 0) {
        r->end_said = true;
        r->pos = r->end;
        if (r->kin == WZP_PCAP_KIN_V1 && r->old_packets > 0) {
            return wzp_pcap_reader_problem(r, out, "packets of wire version 1 in all: not decoded",
                                           wzp_pcap_offset(r), r->old_packets);
        }
        return WZP_PCAP_STEP_MORE;
    }
    return wzp_pcap_reader_lost(r, out, r->format->ends_inside, wzp_pcap_left(r));
}

/* One step, whatever state the reader is in. */
static wzp_pcap_step advance(wzp_pcap_reader *r, wzp_pcap_item *out) {
    wzp_pcap_step step = WZP_PCAP_STEP_MORE;
    if (r->format == NULL) {
        step = detect(r, out);
    } else {
        step = r->scanning ? scan(r, out) : r->format->step(r, out);
    }
    return step == WZP_PCAP_STEP_MORE && r->ended ? finish(r, out) : step;
}

bool wzp_pcap_reader_next(wzp_pcap_reader *r, wzp_pcap_item *out) {
    wzp_pcap_step step = WZP_PCAP_STEP_AGAIN;
    while (step == WZP_PCAP_STEP_AGAIN) {
        if (take_later(r, out)) {
            return true;
        }
        step = advance(r, out);
    }
    return step == WZP_PCAP_STEP_ITEM;
}
