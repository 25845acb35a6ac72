#include "wire/registry.h"

#define OPUS .sample_rate_hz = 48000, .is_opus = true
#define CODEC2 .sample_rate_hz = 8000, .is_codec2 = true
#define VIDEO .nominal_bps = 2000000, .frame_ms = 33, .sample_rate_hz = 48000, .is_video = true

static const wzp_codec_info codecs[WZP_CODEC_COUNT] = {
    [WZP_CODEC_OPUS_24K] = {"Opus24k", .nominal_bps = 24000, .frame_ms = 20, OPUS},
    [WZP_CODEC_OPUS_16K] = {"Opus16k", .nominal_bps = 16000, .frame_ms = 20, OPUS},
    [WZP_CODEC_OPUS_6K] = {"Opus6k", .nominal_bps = 6000, .frame_ms = 40, OPUS},
    [WZP_CODEC_CODEC2_3200] = {"Codec2_3200", .nominal_bps = 3200, .frame_ms = 20, CODEC2},
    [WZP_CODEC_CODEC2_1200] = {"Codec2_1200", .nominal_bps = 1200, .frame_ms = 40, CODEC2},
    [WZP_CODEC_COMFORT_NOISE] = {"ComfortNoise", .frame_ms = 20, .sample_rate_hz = 48000},
    [WZP_CODEC_OPUS_32K] = {"Opus32k", .nominal_bps = 32000, .frame_ms = 20, OPUS},
    [WZP_CODEC_OPUS_48K] = {"Opus48k", .nominal_bps = 48000, .frame_ms = 20, OPUS},
    [WZP_CODEC_OPUS_64K] = {"Opus64k", .nominal_bps = 64000, .frame_ms = 20, OPUS},
    [WZP_CODEC_H264_BASELINE] = {"H264Baseline", VIDEO},
    [WZP_CODEC_H265_MAIN] = {"H265Main", VIDEO},
    [WZP_CODEC_AV1_MAIN] = {"Av1Main", VIDEO},
};

static const char *const media_types[WZP_MEDIA_TYPE_COUNT] = {"Audio", "Video", "Data", "Control"};

const wzp_codec_info *wzp_codec_find(uint8_t id) {
    return id < WZP_CODEC_COUNT && codecs[id].name != NULL ? &codecs[id] : NULL;
}

int wzp_codec_by_name(wzp_bytes name) {
    for (int i = 0; i < WZP_CODEC_COUNT; i++) {
        if (codecs[i].name != NULL && wzp_bytes_equal(name, wzp_bytes_str(codecs[i].name))) {
            return i;
        }
    }
    return -1;
}

const char *wzp_media_type_name(uint8_t type) {
    return type < WZP_MEDIA_TYPE_COUNT ? media_types[type] : NULL;
}
