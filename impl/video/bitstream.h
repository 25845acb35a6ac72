/* What must be known of coded video outside a codec (media sheet 11): start codes and NAL units of
 * H.264 and H.265 (Annex B), OBUs of AV1, and whether a frame is a key frame.  Bounded readers over
 * borrowed bytes. */
#ifndef WZP_VIDEO_BITSTREAM_H
#define WZP_VIDEO_BITSTREAM_H

#include "base/bytes.h"
#include "base/err.h"

/* The next NAL unit, without its start code, from *at on; *at moves behind it.  False: none is
 * left.  Zero bytes between units belong to none. */
bool wzp_nal_next(wzp_bytes stream, size_t *at, wzp_bytes *nal);

/* Does it begin with 00 00 01 or 00 00 00 01? */
bool wzp_annexb_starts(wzp_bytes stream);

typedef enum wzp_obu_type {
    WZP_OBU_SEQUENCE_HEADER = 1,
    WZP_OBU_TEMPORAL_DELIMITER = 2,
    WZP_OBU_FRAME_HEADER = 3,
    WZP_OBU_FRAME = 6
} wzp_obu_type;

typedef struct wzp_obu {
    uint8_t type;
    bool has_extension, has_size;
    uint8_t extension;
    wzp_bytes payload;
    wzp_bytes whole; /* header and size included */
} wzp_obu;

/* The next OBU of a temporal unit from *at on; one without a size goes to the end.  False: none is
 * left, or what is left is none (*at stays). */
bool wzp_obu_next(wzp_bytes unit, size_t *at, wzp_obu *out);

/* Reads a LEB128 number of at most 8 bytes.  TRUNCATED: it goes on past the end; PARSE: past 8
 * bytes. */
WZP_MUST_USE wzp_err wzp_leb128_read(wzp_bytes in, uint64_t *value, size_t *len);
/* Writes the shortest form; returns its length.  `value` < 2^56. */
size_t wzp_leb128_write(uint64_t value, uint8_t out[8]);

/* The sequence header OBU of a temporal unit, whole; empty: it has none. */
wzp_bytes wzp_av1_sequence_header(wzp_bytes unit);

/* By what is in it, whatever a packet's flags say.  False for codecs that are no video. */
bool wzp_video_is_key_frame(uint8_t codec, wzp_bytes frame);

#endif
