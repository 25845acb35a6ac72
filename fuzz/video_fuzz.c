/* Video packets as they arrive, each as u16 length and bytes; what is complete is looked into as
 * the codec that it says, cut again, and must come out as it was. */
#include "require.h"
#include "video/bitstream.h"
#include "video/frames.h"
#include "video/slices.h"

static void look_into(const wzp_video_frame *frame) {
    (void)wzp_video_is_key_frame(frame->codec, frame->data);
    const wzp_bytes header = wzp_av1_sequence_header(frame->data);
    require(header.len <= frame->data.len);
    size_t at = 0;
    size_t before = 0;
    wzp_bytes nal;
    while (wzp_nal_next(frame->data, &at, &nal)) {
        require(at > before && at <= frame->data.len);
        before = at;
    }
}

static void cut_again(const wzp_video_frame *frame) {
    const wzp_video_frame_cfg cfg = {.codec = frame->codec,
                                     .stream_id = frame->stream_id,
                                     .is_key = frame->is_key,
                                     .timestamp_ms = frame->timestamp_ms,
                                     .frame = frame->data,
                                     .has_prefix = true,
                                     .width = 640,
                                     .height = 480};
    wzp_video_slices slices;
    wzp_video_frames *frames = NULL;
    if (wzp_video_slices_init(&slices, &cfg) != WZP_OK || wzp_video_frames_new(&frames) != WZP_OK) {
        return;
    }
    uint32_t seq = frame->seq;
    wzp_media_packet packet;
    wzp_video_frame back = {0};
    bool complete = false;
    while (wzp_video_slices_next(&slices, &seq, &packet)) {
        require(!complete);
        require(wzp_video_frames_push(frames, &packet, &back, &complete) == WZP_OK);
    }
    require(complete == (frame->data.len > 0));
    require(!complete || (wzp_bytes_equal(back.data, frame->data) && back.width == 640));
    wzp_video_frames_free(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_video_frames *frames = NULL;
    if (wzp_video_frames_new(&frames) != WZP_OK) {
        return 0;
    }
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(data, size));
    while (wzp_rd_left(&rd) > 0 && rd.fail.code == WZP_OK) {
        const uint16_t len = wzp_rd_u16(&rd, "length");
        const wzp_bytes bytes = wzp_rd_bytes(&rd, len, "packet");
        wzp_media_packet packet;
        wzp_video_frame frame;
        bool complete = false;
        if (rd.fail.code == WZP_OK && wzp_media_packet_parse(&packet, bytes, NULL) == WZP_OK &&
            wzp_video_frames_push(frames, &packet, &frame, &complete) == WZP_OK && complete) {
            look_into(&frame);
            cut_again(&frame);
        }
        require(wzp_video_frames_waiting(frames) <= WZP_VIDEO_FRAMES_MAX);
    }
    wzp_video_frames_free(&frames);
    return 0;
}
