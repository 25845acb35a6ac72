#include "video/bitstream.h"

#include "wire/registry.h"

/* --- H.264, H.265: Annex B -------------------------------------------------------------------- */

/* Where the next 00 00 01 begins at or after `at`; `stream.len` if nowhere. */
static size_t find_start(wzp_bytes stream, size_t at) {
    for (; at + 3 <= stream.len; at++) {
        if (stream.data[at] == 0 && stream.data[at + 1] == 0 && stream.data[at + 2] == 1) {
            return at;
        }
    }
    return stream.len;
}

bool wzp_annexb_starts(wzp_bytes stream) {
    const size_t at = find_start(stream, 0);
    return at < stream.len && (at == 0 || (at == 1 && stream.data[0] == 0));
}

bool wzp_nal_next(wzp_bytes stream, size_t *at, wzp_bytes *nal) {
    const size_t start = find_start(stream, *at);
    if (start == stream.len) {
        return false;
    }
    const size_t begin = start + 3;
    size_t end = find_start(stream, begin);
    *at = end;
    while (end > begin && stream.data[end - 1] == 0) {
        end--; /* the first zero of a longer start code, or padding */
    }
    *nal = wzp_bytes_of(stream.data + begin, end - begin);
    return true;
}

static bool h264_is_key(wzp_bytes nal) {
    return nal.len > 0 && (nal.data[0] & 0x1f) == 5;
}

/* IDR with and without leading pictures; CRA counts as none, as deployed. */
static bool h265_is_key(wzp_bytes nal) {
    if (nal.len < 2) {
        return false;
    }
    const unsigned type = (nal.data[0] >> 1) & 0x3f;
    return type == 19 || type == 20;
}

static bool any_nal(wzp_bytes frame, bool (*is_key)(wzp_bytes nal)) {
    wzp_bytes nal;
    size_t at = 0;
    bool found = false;
    while (!found && wzp_nal_next(frame, &at, &nal)) {
        found = is_key(nal);
    }
    return found || (at == 0 && is_key(frame)); /* without any start code: one bare unit */
}

/* --- AV1: OBUs -------------------------------------------------------------------------------- */

wzp_err wzp_leb128_read(wzp_bytes in, uint64_t *value, size_t *len) {
    uint64_t sum = 0;
    for (size_t i = 0; i < 8; i++) {
        if (i == in.len) {
            return WZP_ERR_TRUNCATED;
        }
        sum |= (uint64_t)(in.data[i] & 0x7f) << (7 * i);
        if ((in.data[i] & 0x80) == 0) {
            *value = sum;
            *len = i + 1;
            return WZP_OK;
        }
    }
    return WZP_ERR_PARSE;
}

size_t wzp_leb128_write(uint64_t value, uint8_t out[8]) {
    size_t len = 0;
    do {
        out[len] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
        len++;
    } while (value > 0 && len < 8);
    return len;
}

bool wzp_obu_next(wzp_bytes unit, size_t *at, wzp_obu *out) {
    const size_t left = unit.len - *at;
    if (left == 0) {
        return false;
    }
    const uint8_t *from = unit.data + *at;
    wzp_obu obu = {
        .type = (from[0] >> 3) & 0x0f,
        .has_extension = (from[0] & 0x04) != 0,
        .has_size = (from[0] & 0x02) != 0,
    };
    size_t head = obu.has_extension ? 2 : 1;
    if ((from[0] & 0x80) != 0 || head > left) {
        return false;
    }
    obu.extension = obu.has_extension ? from[1] : 0;
    uint64_t size = left - head;
    size_t size_len = 0;
    if (obu.has_size &&
        wzp_leb128_read(wzp_bytes_of(from + head, left - head), &size, &size_len) != WZP_OK) {
        return false;
    }
    head += size_len;
    if (size > left - head) {
        return false;
    }
    obu.payload = wzp_bytes_of(from + head, (size_t)size);
    obu.whole = wzp_bytes_of(from, head + (size_t)size);
    *at += obu.whole.len;
    *out = obu;
    return true;
}

wzp_bytes wzp_av1_sequence_header(wzp_bytes unit) {
    wzp_obu obu;
    size_t at = 0;
    while (wzp_obu_next(unit, &at, &obu)) {
        if (obu.type == WZP_OBU_SEQUENCE_HEADER) {
            return obu.whole;
        }
    }
    return (wzp_bytes){0};
}

/* The first frame that is coded and not merely shown again decides: its frame_type, two bits after
 * show_existing_frame, is 0. */
static bool av1_is_key(wzp_bytes unit) {
    wzp_obu obu;
    size_t at = 0;
    while (wzp_obu_next(unit, &at, &obu)) {
        const bool has_header = obu.type == WZP_OBU_FRAME_HEADER || obu.type == WZP_OBU_FRAME;
        if (has_header && obu.payload.len > 0 && (obu.payload.data[0] & 0x80) == 0) {
            return (obu.payload.data[0] & 0x60) == 0;
        }
    }
    return false;
}

bool wzp_video_is_key_frame(uint8_t codec, wzp_bytes frame) {
    switch (codec) {
    case WZP_CODEC_H264_BASELINE:
        return any_nal(frame, h264_is_key);
    case WZP_CODEC_H265_MAIN:
        return any_nal(frame, h265_is_key);
    case WZP_CODEC_AV1_MAIN:
        return av1_is_key(frame);
    default:
        return false;
    }
}
