/* pcap: a header of 24 bytes, then packets behind 16 bytes each. */
#include "tools/pcap/file/reader_internal.h"

enum { FILE_HEADER = 24, PACKET_HEADER = 16, DAY_S = 86400 };

static wzp_pcap_step file_header(wzp_pcap_reader *r, wzp_pcap_item *out) {
    if (wzp_pcap_left(r) < FILE_HEADER) {
        return WZP_PCAP_STEP_MORE;
    }
    const uint8_t *p = wzp_pcap_at(r);
    const uint32_t major = wzp_pcap_u16(r, p + 4);
    r->link_type = wzp_pcap_u32(r, p + 20) & 0xffff; /* above: length of the frame check sequence */
    r->headed = true;
    r->pos += FILE_HEADER;
    if (major != 2) {
        return wzp_pcap_reader_problem(r, out, "pcap of another version than 2: read as such", 4,
                                       major);
    }
    return WZP_PCAP_STEP_AGAIN;
}

static uint64_t time_of(const wzp_pcap_reader *r, uint32_t seconds, uint32_t fraction) {
    return seconds * UINT64_C(1000000000) + (r->nano ? fraction : fraction * UINT64_C(1000));
}

static wzp_pcap_step step(wzp_pcap_reader *r, wzp_pcap_item *out) {
    if (!r->headed) {
        return file_header(r, out);
    }
    if (wzp_pcap_left(r) < PACKET_HEADER) {
        return WZP_PCAP_STEP_MORE;
    }
    const uint8_t *p = wzp_pcap_at(r);
    const uint32_t len = wzp_pcap_u32(r, p + 8);
    if (len > WZP_PCAP_PACKET_MAX) {
        return wzp_pcap_reader_lost(
            r, out, "a packet's length cannot be true: looking for the next one", len);
    }
    if (wzp_pcap_left(r) < PACKET_HEADER + (size_t)len) {
        return WZP_PCAP_STEP_MORE;
    }
    wzp_pcap_packet *packet = wzp_pcap_reader_packet(r, out, PACKET_HEADER);
    r->last_s = wzp_pcap_u32(r, p);
    packet->time_ns = time_of(r, r->last_s, wzp_pcap_u32(r, p + 4));
    packet->link_type = r->link_type;
    packet->interface = 0;
    packet->interface_name = "";
    packet->original_len = wzp_pcap_u32(r, p + 12);
    packet->way = WZP_PCAP_WAY_UNKNOWN;
    packet->data = wzp_bytes_of(p + PACKET_HEADER, len);
    packet->comment = wzp_bytes_of(NULL, 0);
    r->pos += PACKET_HEADER + (size_t)len;
    return WZP_PCAP_STEP_ITEM;
}

/* Within a day of the packet before, a possible fraction, possible lengths. */
static bool is_header(const wzp_pcap_reader *r, const uint8_t *p) {
    const uint32_t seconds = wzp_pcap_u32(r, p);
    const uint32_t fraction = wzp_pcap_u32(r, p + 4);
    const uint32_t len = wzp_pcap_u32(r, p + 8);
    const uint32_t original_len = wzp_pcap_u32(r, p + 12);
    const uint32_t apart = seconds > r->last_s ? seconds - r->last_s : r->last_s - seconds;
    return seconds != 0 && (r->last_s == 0 || apart <= DAY_S) &&
           fraction < (r->nano ? 1000000000u : 1000000u) && len <= original_len && len > 0 &&
           original_len <= WZP_PCAP_PACKET_MAX;
}

/* Two headers behind each other, or one whose packet ends with the file. */
static wzp_pcap_guess guess(const wzp_pcap_reader *r, size_t at) {
    if (r->end - at < PACKET_HEADER) {
        return WZP_PCAP_PERHAPS;
    }
    const uint8_t *p = r->buf + at;
    if (!is_header(r, p)) {
        return WZP_PCAP_NO;
    }
    const size_t whole = PACKET_HEADER + (size_t)wzp_pcap_u32(r, p + 8);
    if (r->ended && r->end - at == whole) {
        return WZP_PCAP_YES;
    }
    if (r->end - at < whole + PACKET_HEADER) {
        return WZP_PCAP_PERHAPS;
    }
    return is_header(r, p + whole) ? WZP_PCAP_YES : WZP_PCAP_NO;
}

const wzp_pcap_format wzp_pcap_format_pcap = {step, guess, "the file ends inside a packet"};
