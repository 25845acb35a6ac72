/* Numbers and names that the formats share (wire sheet 4). */
#ifndef WZP_WIRE_REGISTRY_H
#define WZP_WIRE_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define WZP_PROTOCOL_VERSION 2
#define WZP_ALPN "wzp"

typedef enum wzp_media_type {
    WZP_MEDIA_AUDIO = 0,
    WZP_MEDIA_VIDEO = 1,
    WZP_MEDIA_DATA = 2,
    WZP_MEDIA_CONTROL = 3,
    WZP_MEDIA_TYPE_COUNT
} wzp_media_type;

/* Values are those of the wire; 10 and 13 are reserved and refused. */
typedef enum wzp_codec {
    WZP_CODEC_OPUS_24K = 0,
    WZP_CODEC_OPUS_16K = 1,
    WZP_CODEC_OPUS_6K = 2,
    WZP_CODEC_CODEC2_3200 = 3,
    WZP_CODEC_CODEC2_1200 = 4,
    WZP_CODEC_COMFORT_NOISE = 5,
    WZP_CODEC_OPUS_32K = 6,
    WZP_CODEC_OPUS_48K = 7,
    WZP_CODEC_OPUS_64K = 8,
    WZP_CODEC_H264_BASELINE = 9,
    WZP_CODEC_H265_MAIN = 11,
    WZP_CODEC_AV1_MAIN = 12,
    WZP_CODEC_COUNT
} wzp_codec;

typedef struct wzp_codec_info {
    const char *name; /* as in JSON and in metric labels; NULL: the id is not assigned */
    uint32_t nominal_bps;
    uint16_t frame_ms;
    uint32_t sample_rate_hz;
    bool is_opus, is_codec2, is_video;
} wzp_codec_info;

/* NULL for ids that are not assigned, any uint8_t is allowed. */
const wzp_codec_info *wzp_codec_find(uint8_t id);

/* -1 when no codec has that name; names are case-sensitive. */
int wzp_codec_by_name(wzp_bytes name);

/* "Audio", "Video", "Data", "Control", or NULL. */
const char *wzp_media_type_name(uint8_t type);

#endif
