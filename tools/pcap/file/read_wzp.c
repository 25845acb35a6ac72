/* Upstream's `.wzp` version 1 (tools sheet 2), little-endian:
 *     "WZP" 1 | length u32 | JSON | { microseconds u64 | length u32 | media packet }...
 * Files of media packets of wire version 1 have the same header; the first records tell. */
#include "tools/pcap/file/reader_internal.h"
#include "tools/pcap/file/when.h"
#include "wire/json.h"
#include "wire/media.h"
#include "wire/v1.h"

enum { FILE_HEADER = 8, RECORD_HEADER = 12 };
enum { JUDGED = 16 }; /* records that decide about the version */

#define RECORD_MAX 65535u               /* a UDP datagram */
#define APART_MAX UINT64_C(86400000000) /* between records, in microseconds: for guesses */

static uint64_t u64_of(const uint8_t *p) {
    return (uint64_t)wzp_pcap_read_u32(true, p + 4) << 32 | wzp_pcap_read_u32(true, p);
}

/* --- the file's header ------------------------------------------------------------------------ */

/* The value of "start_time" in an object; false: there is none, or it is no time. */
static bool find_start(wzp_bytes text, uint64_t *ns) {
    static const char field[] = "header";
    uint8_t name[WZP_JSON_NAME_MAX];
    bool found = false;
    bool first = true;
    wzp_json json;
    wzp_json_init(&json, text);
    wzp_json_begin(&json, '{', field);
    while (wzp_json_next(&json, '}', &first, field)) {
        const wzp_bytes key = wzp_json_key(&json, name, field);
        if (wzp_bytes_equal(key, wzp_bytes_str("start_time")) &&
            wzp_json_peek(&json) == WZP_JSON_STRING) {
            found = wzp_pcap_when_parse(ns, wzp_json_raw_string(&json, field)) == WZP_OK;
        } else {
            wzp_json_skip(&json, field);
        }
    }
    return found && json.rd.fail.code == WZP_OK;
}

static wzp_pcap_step file_header(wzp_pcap_reader *r, wzp_pcap_item *out) {
    if (wzp_pcap_left(r) < FILE_HEADER) {
        return WZP_PCAP_STEP_MORE;
    }
    const uint32_t len = wzp_pcap_u32(r, wzp_pcap_at(r) + 4);
    if (len > WZP_PCAP_BLOCK_MAX - FILE_HEADER) {
        r->headed = true;
        return wzp_pcap_reader_lost(
            r, out, "the header's length cannot be true: looking for the first packet", len);
    }
    if (wzp_pcap_left(r) < FILE_HEADER + (size_t)len) {
        return WZP_PCAP_STEP_MORE;
    }
    out->kind = WZP_PCAP_ITEM_HEADER;
    out->text = wzp_bytes_of(wzp_pcap_at(r) + FILE_HEADER, len);
    if (!find_start(out->text, &r->start_ns)) {
        wzp_pcap_reader_later(r, "the header has no start_time: times count from 1970", FILE_HEADER,
                              0);
    }
    r->headed = true;
    r->pos += FILE_HEADER + (size_t)len;
    return WZP_PCAP_STEP_ITEM;
}

/* --- which version ---------------------------------------------------------------------------- */

static bool fits_v2(wzp_bytes record) {
    wzp_media_hdr hdr;
    wzp_rd rd;
    wzp_rd_init(&rd, record);
    return wzp_media_hdr_parse(&hdr, &rd) == WZP_OK && (hdr.flags & WZP_MEDIA_RESERVED) == 0;
}

/* Codecs up to 8 had 4 bits there; what was reserved was written as 0. */
static bool fits_v1(wzp_bytes record) {
    wzp_v1_hdr hdr;
    wzp_rd rd;
    wzp_rd_init(&rd, record);
    return wzp_v1_hdr_parse(&hdr, &rd) == WZP_OK && hdr.version == 0 &&
           hdr.codec_id <= WZP_CODEC_OPUS_64K && hdr.reserved == 0 && hdr.csrc_count == 0;
}

/* False: too few records are there to tell.  All of them decide: a v1 packet with Opus at 24 kbit/s
 * and a report begins as a v2 packet does, and a v2 packet of the first minute fits v1. */
static bool judge(wzp_pcap_reader *r) {
    unsigned seen = 0;
    unsigned v1 = 0;
    unsigned v2 = 0;
    size_t at = r->pos;
    while (seen < JUDGED) {
        if (r->end - at < RECORD_HEADER) {
            break;
        }
        const uint32_t len = wzp_pcap_u32(r, r->buf + at + 8);
        if (len > RECORD_MAX || r->end - at - RECORD_HEADER < len) {
            break;
        }
        const wzp_bytes record = wzp_bytes_of(r->buf + at + RECORD_HEADER, len);
        v1 += fits_v1(record) ? 1 : 0;
        v2 += fits_v2(record) ? 1 : 0;
        at += RECORD_HEADER + (size_t)len;
        seen++;
    }
    const bool lies = r->end - at >= RECORD_HEADER && wzp_pcap_u32(r, r->buf + at + 8) > RECORD_MAX;
    if (seen < JUDGED && !r->ended && !lies) {
        return false;
    }
    r->kin = v2 < seen && v1 > v2 ? WZP_PCAP_KIN_V1 : WZP_PCAP_KIN_V2;
    return true;
}

/* --- records ---------------------------------------------------------------------------------- */

static wzp_pcap_step old_record(wzp_pcap_reader *r, wzp_pcap_item *out, size_t whole) {
    const bool first = r->old_packets++ == 0;
    const uint64_t offset = wzp_pcap_offset(r);
    wzp_pcap_reader_skip(r);
    r->pos += whole;
    return first ? wzp_pcap_reader_problem(
                       r, out, "packets of wire version 1 (12-byte headers): counted, not decoded",
                       offset, 1)
                 : WZP_PCAP_STEP_AGAIN;
}

static wzp_pcap_step step(wzp_pcap_reader *r, wzp_pcap_item *out) {
    if (!r->headed) {
        return file_header(r, out);
    }
    if (r->kin == WZP_PCAP_KIN_UNKNOWN && !judge(r)) {
        return WZP_PCAP_STEP_MORE;
    }
    if (wzp_pcap_left(r) < RECORD_HEADER) {
        return WZP_PCAP_STEP_MORE;
    }
    const uint8_t *p = wzp_pcap_at(r);
    const uint32_t len = wzp_pcap_u32(r, p + 8);
    if (len > RECORD_MAX) {
        return wzp_pcap_reader_lost(
            r, out, "a packet's length cannot be true: looking for the next one", len);
    }
    const size_t whole = RECORD_HEADER + (size_t)len;
    if (wzp_pcap_left(r) < whole) {
        return WZP_PCAP_STEP_MORE;
    }
    r->last_us = u64_of(p);
    if (r->kin == WZP_PCAP_KIN_V1) {
        return old_record(r, out, whole);
    }
    wzp_pcap_packet *packet = wzp_pcap_reader_packet(r, out, RECORD_HEADER);
    const uint64_t us_max = (UINT64_MAX - r->start_ns) / 1000;
    packet->time_ns = r->start_ns + (r->last_us < us_max ? r->last_us : us_max) * 1000;
    packet->link_type = WZP_PCAP_LINK_MEDIA;
    packet->interface = 0;
    packet->interface_name = "";
    packet->original_len = len;
    packet->way = WZP_PCAP_WAY_UNKNOWN;
    packet->data = wzp_bytes_of(p + RECORD_HEADER, len);
    packet->comment = wzp_bytes_of(NULL, 0);
    r->pos += whole;
    return WZP_PCAP_STEP_ITEM;
}

/* Not long after the record before, and a media packet. */
static wzp_pcap_guess guess(const wzp_pcap_reader *r, size_t at) {
    if (r->end - at < RECORD_HEADER + WZP_MEDIA_HDR_LEN) {
        return WZP_PCAP_PERHAPS;
    }
    const uint8_t *p = r->buf + at;
    const uint64_t us = u64_of(p);
    const uint32_t len = wzp_pcap_u32(r, p + 8);
    if (len < WZP_MEDIA_HDR_LEN || len > RECORD_MAX || us < r->last_us ||
        us - r->last_us > APART_MAX) {
        return WZP_PCAP_NO;
    }
    const bool whole = r->end - at - RECORD_HEADER >= len;
    const size_t looked_at = whole ? len : WZP_MEDIA_HDR_LEN;
    if (!fits_v2(wzp_bytes_of(p + RECORD_HEADER, looked_at))) {
        return WZP_PCAP_NO;
    }
    return whole ? WZP_PCAP_YES : WZP_PCAP_PERHAPS;
}

const wzp_pcap_format wzp_pcap_format_wzp = {step, guess, "the file ends inside a record"};
