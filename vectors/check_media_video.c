/* The sections of media.json about video: slices of a frame, putting them together, and what is
 * seen in coded frames (media sheet 10, 11).  Where the file names a deployed and a reference
 * behaviour, ours is the reference. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "vectors/check.h"
#include "video/bitstream.h"
#include "video/frames.h"
#include "video/slices.h"

static uint8_t codec_of(const json_t *json) {
    const int codec = wzp_codec_by_name(wzp_bytes_str(wzp_vector_text(json, "codec")));
    return codec < 0 ? UINT8_MAX : (uint8_t)codec;
}

static bool is_ok(wzp_vector_entry *e, wzp_err err) {
    return wzp_vector_is_text(e, "result", "OK", wzp_err_name(err));
}

/* --- slices ----------------------------------------------------------------------------------- */

/* Byte i of a frame is i mod 256. */
static uint8_t *make_frame(size_t len) {
    uint8_t *frame = malloc(len + 1);
    for (size_t i = 0; frame != NULL && i < len; i++) {
        frame[i] = (uint8_t)i;
    }
    return frame;
}

static void compare_packet(wzp_vector_entry *e, const json_t *want, const wzp_media_packet *got) {
    uint8_t header[WZP_MEDIA_HDR_LEN];
    uint8_t digest[WZP_SHA256_LEN];
    wzp_wr wr;
    wzp_wr_init(&wr, header, sizeof header);
    wzp_media_hdr_write(&wr, &got->hdr);
    wzp_sha256(digest, got->payload);
    (void)(wzp_vector_is_bytes(e, "header_hex", wzp_vector_text(want, "header_hex"),
                               wzp_bytes_of(header, sizeof header)) &&
           wzp_vector_is_uint(e, "payload_len", wzp_vector_uint(want, "payload_len"),
                              got->payload.len) &&
           wzp_vector_is_bytes(e, "payload_sha256", wzp_vector_text(want, "payload_sha256"),
                               wzp_bytes_of(digest, sizeof digest)));
}

static void check_packetize(wzp_vector_entry *e) {
    const json_t *meta = json_object_get(e->json, "meta");
    const json_t *packets = json_object_get(e->json, "packets");
    const size_t len = (size_t)wzp_vector_uint(e->json, "frame_len");
    uint8_t *frame =
        len <= (size_t)WZP_VIDEO_SLICE_MAX * WZP_VIDEO_SLICES_MAX ? make_frame(len) : NULL;
    const wzp_video_frame_cfg cfg = {
        .codec = codec_of(e->json),
        .is_key = json_is_true(json_object_get(e->json, "keyframe")),
        .timestamp_ms = (uint32_t)wzp_vector_uint(e->json, "timestamp"),
        .frame = wzp_bytes_of(frame, frame == NULL ? 0 : len),
        .has_prefix = json_is_array(meta),
        .width = (uint16_t)json_integer_value(json_array_get(meta, 0)),
        .height = (uint16_t)json_integer_value(json_array_get(meta, 1)),
    };
    wzp_video_slices slices;
    wzp_media_packet packet;
    uint32_t seq = (uint32_t)wzp_vector_uint(e->json, "first_seq");
    size_t n = 0;
    if (is_ok(e, wzp_video_slices_init(&slices, &cfg))) {
        while (!e->done && wzp_video_slices_next(&slices, &seq, &packet)) {
            compare_packet(e, json_array_get(packets, n++), &packet);
        }
        (void)wzp_vector_is_uint(e, "packets", json_array_size(packets), n);
    }
    free(frame);
}

/* --- putting together ------------------------------------------------------------------------- */

static wzp_media_packet slice_of(uint32_t timestamp_ms, unsigned index, unsigned count) {
    static const uint8_t byte = 0;
    return (wzp_media_packet){.hdr = {.version = WZP_PROTOCOL_VERSION,
                                      .flags = index + 1 == count ? WZP_MEDIA_FRAME_END : 0,
                                      .media_type = WZP_MEDIA_VIDEO,
                                      .codec_id = WZP_CODEC_AV1_MAIN,
                                      .seq = index,
                                      .timestamp_ms = timestamp_ms,
                                      .fec_block = (uint16_t)(index << 8 | count)},
                              .payload = wzp_bytes_of(&byte, 1)};
}

static void check_eviction(wzp_vector_entry *e, wzp_video_frames *frames, const json_t *evict) {
    const json_t *ours = json_object_get(e->json, "reference_state_dropped");
    const bool dropped =
        json_is_true(ours != NULL ? ours : json_object_get(e->json, "state_dropped"));
    wzp_video_frames_evict(frames, (uint32_t)wzp_vector_uint(evict, "current_timestamp"),
                           (uint32_t)wzp_vector_uint(evict, "max_age"));
    (void)wzp_vector_is_uint(e, "frames waiting", dropped ? 0 : 1,
                             wzp_video_frames_waiting(frames));
}

static void check_reassembly(wzp_vector_entry *e) {
    const json_t *evict = json_object_get(e->json, "evict");
    const uint32_t timestamp_ms = (uint32_t)wzp_vector_uint(evict, "frame_timestamp");
    const unsigned count = (unsigned)wzp_vector_uint(e->json, "fragments");
    const char *never = "never";
    char completed_at[24] = "never";
    wzp_video_frames *frames = NULL;
    size_t i = 0;
    const json_t *index = NULL;
    if (!is_ok(e, wzp_video_frames_new(&frames))) {
        return;
    }
    json_array_foreach(json_object_get(e->json, "arrival"), i, index) {
        const wzp_media_packet packet =
            slice_of(timestamp_ms, (unsigned)json_integer_value(index), count);
        wzp_video_frame whole;
        bool complete = false;
        if (is_ok(e, wzp_video_frames_push(frames, &packet, &whole, &complete)) && complete) {
            (void)snprintf(completed_at, sizeof completed_at, "%zu", i);
        }
    }
    char want[24];
    const json_t *at = json_object_get(e->json, "reference_completes_at");
    (void)snprintf(want, sizeof want, "%lld", (long long)json_integer_value(at));
    (void)wzp_vector_is_text(e, "completes_at", json_is_integer(at) ? want : never, completed_at);
    if (evict != NULL) {
        check_eviction(e, frames, evict);
    }
    wzp_video_frames_free(&frames);
}

/* --- coded frames ----------------------------------------------------------------------------- */

static void check_key_frame(wzp_vector_entry *e) {
    const wzp_bytes frame = wzp_vector_hex(e, e->json, "hex");
    (void)wzp_vector_is_uint(e, "keyframe", json_is_true(json_object_get(e->json, "keyframe")),
                             wzp_video_is_key_frame(codec_of(e->json), frame));
    free(wzp_drop_const(frame.data));
}

static void check_leb128(wzp_vector_entry *e) {
    const wzp_bytes hex = wzp_vector_hex(e, e->json, "hex");
    uint8_t out[8];
    const size_t len = wzp_leb128_write(wzp_vector_uint(e->json, "value"), out);
    uint64_t value = 0;
    size_t used = 0;
    if (wzp_vector_is_bytes(e, "hex", wzp_vector_text(e->json, "hex"), wzp_bytes_of(out, len)) &&
        is_ok(e, wzp_leb128_read(hex, &value, &used))) {
        (void)wzp_vector_is_uint(e, "value", wzp_vector_uint(e->json, "value"), value);
    }
    free(wzp_drop_const(hex.data));
}

static void compare_header(wzp_vector_entry *e, const char *key, bool has_size) {
    const wzp_bytes header = wzp_vector_hex(e, e->json, key);
    uint8_t unit[2] = {header.len == 1 ? header.data[0] : 0xff, 0}; /* and a size of 0 */
    wzp_obu obu = {0};
    size_t at = 0;
    (void)(wzp_vector_is_uint(e, key, 1, wzp_obu_next(wzp_bytes_of(unit, 2), &at, &obu)) &&
           wzp_vector_is_uint(e, "type", wzp_vector_uint(e->json, "type"), obu.type) &&
           wzp_vector_is_uint(e, "has size", has_size, obu.has_size));
    free(wzp_drop_const(header.data));
}

static void check_obu_header(wzp_vector_entry *e) {
    compare_header(e, "byte_size", true);
    compare_header(e, "byte_nosize", false);
}

static void check_sequence_header(wzp_vector_entry *e) {
    const wzp_bytes stream = wzp_vector_hex(e, e->json, "stream_hex");
    (void)wzp_vector_is_bytes(e, "reference_hex", wzp_vector_text(e->json, "reference_hex"),
                              wzp_av1_sequence_header(stream));
    free(wzp_drop_const(stream.data));
}

static void check_obu_extension(wzp_vector_entry *e) {
    const wzp_bytes stream = wzp_vector_hex(e, e->json, "hex");
    const json_t *want = json_object_get(e->json, "reference");
    wzp_obu obu = {0};
    size_t at = 0;
    (void)(wzp_vector_is_uint(e, "obus", 1, wzp_obu_next(stream, &at, &obu)) &&
           wzp_vector_is_uint(e, "type", wzp_vector_uint(want, "type"), obu.type) &&
           wzp_vector_is_bytes(e, "extension_byte", wzp_vector_text(want, "extension_byte"),
                               wzp_bytes_of(&obu.extension, 1)) &&
           wzp_vector_is_bytes(e, "payload_hex", wzp_vector_text(want, "payload_hex"),
                               obu.payload));
    free(wzp_drop_const(stream.data));
}

wzp_vector_checker *wzp_vectors_media_video_checker(const char *section) {
    static const struct {
        const char *section;
        wzp_vector_checker *checker;
    } checkers[] = {
        {"video_packetize", check_packetize},       {"video_reassembly", check_reassembly},
        {"keyframe_detection", check_key_frame},    {"leb128", check_leb128},
        {"obu_header", check_obu_header},           {"av1_sequence_header", check_sequence_header},
        {"av1_obu_extension", check_obu_extension},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(checkers); i++) {
        if (strcmp(checkers[i].section, section) == 0) {
            return checkers[i].checker;
        }
    }
    return NULL;
}
