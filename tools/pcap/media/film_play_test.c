/* What real encoders make, cut into packets that come in any order, is a file that real decoders
 * play: every frame, in its order. */
#include <EbSvtAv1Enc.h>
#include <check.h>
#include <dav1d/dav1d.h>
#include <wels/codec_api.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "tools/pcap/media/film.h"
#include "video/slices.h"

#define WIDTH 160
#define HEIGHT 96
#define PIXELS ((size_t)WIDTH * HEIGHT)
#define FRAMES 12
#define PACKETS_MAX 512
#define FRAME_MS 33

typedef struct kept {
    wzp_media_packet packet;
    uint8_t payload[WZP_VIDEO_SLICE_MAX];
} kept;

static kept sent[PACKETS_MAX];
static size_t sent_count;
static uint32_t next_seq;
static uint8_t file[1 << 20];
static size_t file_len;

static void sink(void *ctx, wzp_bytes bytes) {
    (void)ctx;
    ck_assert_uint_le(file_len + bytes.len, sizeof file);
    memcpy(file + file_len, bytes.data, bytes.len);
    file_len += bytes.len;
}

static void send_frame(uint8_t codec, unsigned index, wzp_bytes frame) {
    const wzp_video_frame_cfg cfg = {.codec = codec,
                                     .timestamp_ms = index * FRAME_MS,
                                     .frame = frame,
                                     .slice_len = 200,
                                     .has_prefix = true,
                                     .width = WIDTH,
                                     .height = HEIGHT};
    wzp_video_slices slices;
    wzp_media_packet packet;
    ck_assert_int_eq(wzp_video_slices_init(&slices, &cfg), WZP_OK);
    while (wzp_video_slices_next(&slices, &next_seq, &packet)) {
        ck_assert_uint_lt(sent_count, PACKETS_MAX);
        kept *k = &sent[sent_count++];
        k->packet = packet;
        memcpy(k->payload, packet.payload.data, packet.payload.len);
        k->packet.payload.data = k->payload;
    }
}

/* Neighbours change places, and everything comes twice. */
static void film_of(uint8_t codec, wzp_pcap_film_form form) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "film");
    for (size_t i = 0; i + 1 < sent_count; i++) {
        const size_t j = i + (size_t)wzp_rng_below(wzp_prng_rng(&prng), 2);
        const kept swap = sent[i];
        sent[i] = sent[j];
        sent[j] = swap;
        sent[i].packet.payload.data = sent[i].payload;
        sent[j].packet.payload.data = sent[j].payload;
    }
    wzp_pcap_film *film = NULL;
    ck_assert_int_eq(wzp_pcap_film_new(&film, form, codec, sink, NULL), WZP_OK);
    for (size_t i = 0; i < sent_count; i++) {
        wzp_pcap_film_take(film, &sent[i].packet);
        wzp_pcap_film_take(film, &sent[i].packet);
    }
    wzp_pcap_film_end(film);
    ck_assert_uint_eq(wzp_pcap_film_count(film)->written, FRAMES);
    wzp_pcap_film_free(&film);
}

/* A grey picture whose brightness is its number. */
static uint8_t luma_of(unsigned index) {
    return (uint8_t)(40 + 14 * index);
}

static void assert_luma(unsigned index, uint8_t got) {
    const int off = (int)got - luma_of(index);
    ck_assert_msg(off >= -6 && off <= 6, "frame %u: brightness %u", index, got);
}

static void set_up(void) {
    sent_count = 0;
    next_seq = 0;
    file_len = 0;
}

static void encode_h264(void) {
    ISVCEncoder *encoder = NULL;
    static uint8_t picture[WIDTH * HEIGHT * 3 / 2];
    ck_assert_int_eq(WelsCreateSVCEncoder(&encoder), 0);
    SEncParamBase param = {.iUsageType = CAMERA_VIDEO_REAL_TIME,
                           .iPicWidth = WIDTH,
                           .iPicHeight = HEIGHT,
                           .iTargetBitrate = 300000,
                           .iRCMode = RC_OFF_MODE,
                           .fMaxFrameRate = 30};
    ck_assert_int_eq((*encoder)->Initialize(encoder, &param), 0);
    for (unsigned i = 0; i < FRAMES; i++) {
        memset(picture, luma_of(i), PIXELS);
        memset(picture + PIXELS, 128, PIXELS / 2);
        SSourcePicture in = {.iColorFormat = videoFormatI420,
                             .iStride = {WIDTH, WIDTH / 2, WIDTH / 2},
                             .pData = {picture, picture + PIXELS, picture + PIXELS * 5 / 4},
                             .iPicWidth = WIDTH,
                             .iPicHeight = HEIGHT,
                             .uiTimeStamp = (long long)i * FRAME_MS};
        SFrameBSInfo out = {0};
        ck_assert_int_eq((*encoder)->EncodeFrame(encoder, &in, &out), cmResultSuccess);
        ck_assert_int_gt(out.iFrameSizeInBytes, 0);
        send_frame(WZP_CODEC_H264_BASELINE, i,
                   wzp_bytes_of(out.sLayerInfo[0].pBsBuf, (size_t)out.iFrameSizeInBytes));
    }
    (void)(*encoder)->Uninitialize(encoder);
    WelsDestroySVCEncoder(encoder);
}

/* As a player does: access unit after access unit.  The encoder gives one slice a picture, so a
 * unit ends with the first unit of type 1 or 5. */
static size_t access_unit(const uint8_t *at, size_t left) {
    for (size_t i = 0; i + 4 < left; i++) {
        const bool starts = at[i] == 0 && at[i + 1] == 0 && at[i + 2] == 1;
        const unsigned type = at[i + 3] & 0x1f;
        if (!starts || (type != 1 && type != 5)) {
            continue;
        }
        for (size_t j = i + 4; j + 3 < left; j++) {
            if (at[j] == 0 && at[j + 1] == 0 && (at[j + 2] == 1 || at[j + 2] == 0)) {
                return j;
            }
        }
    }
    return left;
}

START_TEST(h264_plays) {
    encode_h264();
    film_of(WZP_CODEC_H264_BASELINE, WZP_PCAP_FILM_RAW);
    ISVCDecoder *decoder = NULL;
    const SDecodingParam param = {.sVideoProperty = {.eVideoBsType = VIDEO_BITSTREAM_AVC}};
    ck_assert_int_eq(WelsCreateDecoder(&decoder), 0);
    ck_assert_int_eq((*decoder)->Initialize(decoder, &param), 0);
    unsigned shown = 0;
    for (size_t at = 0; at < file_len;) {
        const size_t len = access_unit(file + at, file_len - at);
        unsigned char *planes[3] = {NULL};
        SBufferInfo info = {0};
        ck_assert_int_eq(
            (*decoder)->DecodeFrameNoDelay(decoder, file + at, (int)len, planes, &info), 0);
        if (info.iBufferStatus == 1) {
            ck_assert_int_eq(info.UsrData.sSystemBuffer.iWidth, WIDTH);
            assert_luma(shown++, planes[0][WIDTH / 2]);
        }
        at += len;
    }
    (void)(*decoder)->Uninitialize(decoder);
    WelsDestroyDecoder(decoder);
    ck_assert_uint_eq(shown, FRAMES);
}
END_TEST

static void take_av1(EbComponentType *encoder, unsigned *count, bool is_done) {
    EbBufferHeaderType *out = NULL;
    while (*count < FRAMES &&
           svt_av1_enc_get_packet(encoder, &out, is_done ? 1 : 0) == EB_ErrorNone) {
        send_frame(WZP_CODEC_AV1_MAIN, (*count)++, wzp_bytes_of(out->p_buffer, out->n_filled_len));
        svt_av1_enc_release_out_buffer(&out);
    }
}

static void encode_av1(void) {
    EbComponentType *encoder = NULL;
    EbSvtAv1EncConfiguration cfg;
    static uint8_t luma[WIDTH * HEIGHT];
    static uint8_t chroma[WIDTH * HEIGHT / 4];
    memset(chroma, 128, sizeof chroma);
    ck_assert_int_eq(svt_av1_enc_init_handle(&encoder, NULL, &cfg), EB_ErrorNone);
    cfg.source_width = WIDTH;
    cfg.source_height = HEIGHT;
    cfg.enc_mode = 12;
    cfg.pred_structure = 1; /* low delay: one frame out for each that goes in */
    cfg.logical_processors = 1;
    ck_assert_int_eq(svt_av1_enc_set_parameter(encoder, &cfg), EB_ErrorNone);
    ck_assert_int_eq(svt_av1_enc_init(encoder), EB_ErrorNone);
    unsigned count = 0;
    for (unsigned i = 0; i < FRAMES; i++) {
        memset(luma, luma_of(i), sizeof luma);
        EbSvtIOFormat picture = {.luma = luma,
                                 .cb = chroma,
                                 .cr = chroma,
                                 .y_stride = WIDTH,
                                 .cb_stride = WIDTH / 2,
                                 .cr_stride = WIDTH / 2,
                                 .width = WIDTH,
                                 .height = HEIGHT};
        EbBufferHeaderType in = {.size = sizeof in,
                                 .p_buffer = (uint8_t *)&picture,
                                 .n_filled_len = sizeof luma + 2 * sizeof chroma,
                                 .pts = (int64_t)i,
                                 .pic_type = EB_AV1_INVALID_PICTURE};
        ck_assert_int_eq(svt_av1_enc_send_picture(encoder, &in), EB_ErrorNone);
    }
    EbBufferHeaderType end = {.size = sizeof end, .flags = EB_BUFFERFLAG_EOS};
    ck_assert_int_eq(svt_av1_enc_send_picture(encoder, &end), EB_ErrorNone);
    take_av1(encoder, &count, true);
    ck_assert_uint_eq(count, FRAMES);
    (void)svt_av1_enc_deinit(encoder);
    (void)svt_av1_enc_deinit_handle(encoder);
}

static unsigned show_av1(Dav1dContext *decoder, unsigned shown) {
    Dav1dPicture picture = {0};
    while (dav1d_get_picture(decoder, &picture) == 0) {
        ck_assert_int_eq(picture.p.w, WIDTH);
        assert_luma(shown++, ((const uint8_t *)picture.data[0])[WIDTH / 2]);
        dav1d_picture_unref(&picture);
    }
    return shown;
}

static uint32_t le32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

START_TEST(av1_plays) {
    encode_av1();
    film_of(WZP_CODEC_AV1_MAIN, WZP_PCAP_FILM_IVF);
    Dav1dSettings settings;
    Dav1dContext *decoder = NULL;
    dav1d_default_settings(&settings);
    settings.n_threads = 1;
    ck_assert_int_eq(dav1d_open(&decoder, &settings), 0);
    unsigned shown = 0;
    for (size_t at = 32; at < file_len;) {
        const uint32_t len = le32(file + at);
        Dav1dData data = {0};
        uint8_t *room = dav1d_data_create(&data, len);
        ck_assert_ptr_nonnull(room);
        memcpy(room, file + at + 12, len);
        while (data.sz > 0) {
            const int err = dav1d_send_data(decoder, &data);
            ck_assert_msg(err == 0 || err == DAV1D_ERR(EAGAIN), "frame %u: %d", shown, err);
            shown = show_av1(decoder, shown);
        }
        at += 12 + len;
    }
    shown = show_av1(decoder, shown);
    dav1d_close(&decoder);
    ck_assert_uint_eq(shown, FRAMES);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("film_play");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_test(tc, h264_plays);
    tcase_add_test(tc, av1_plays);
    return wzp_run_suite("pcap_media.film_play", tc);
}
