/* A stream of compact frames, each as u8 length and bytes, on one context.  What is accepted goes
 * through our encoder to a second receiver, which must expand the same packet. */
#include "require.h"
#include "wire/compact.h"

static bool same_header(const wzp_media_hdr *a, const wzp_media_hdr *b) {
    uint8_t bytes[2][WZP_MEDIA_HDR_LEN];
    wzp_wr wr;
    wzp_wr_init(&wr, bytes[0], sizeof bytes[0]);
    wzp_media_hdr_write(&wr, a);
    wzp_wr_init(&wr, bytes[1], sizeof bytes[1]);
    wzp_media_hdr_write(&wr, b);
    return memcmp(bytes[0], bytes[1], sizeof bytes[0]) == 0;
}

static void forward(wzp_compact *sender, wzp_compact *receiver, const wzp_media_packet *packet) {
    uint8_t frame[300];
    wzp_media_packet got;
    wzp_wr wr;
    wzp_wr_init(&wr, frame, sizeof frame);
    wzp_compact_encode(sender, packet, &wr);
    require(wzp_wr_end(&wr) == WZP_OK);
    const wzp_bytes bytes = {frame, wzp_wr_len(&wr)};
    require(wzp_compact_decode(receiver, bytes, &got, NULL) == WZP_OK);
    require(same_header(&got.hdr, &packet->hdr));
    require(wzp_bytes_equal(got.payload, packet->payload));
    require(memcmp(&got.report, &packet->report, sizeof got.report) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_compact input;
    wzp_compact sender;
    wzp_compact receiver;
    wzp_rd rd;
    wzp_compact_init(&input);
    wzp_compact_init(&sender);
    wzp_compact_init(&receiver);
    wzp_rd_init(&rd, wzp_bytes_of(data, size));
    while (wzp_rd_left(&rd) > 0) {
        const uint8_t len = wzp_rd_u8(&rd, "length");
        const wzp_bytes frame = wzp_rd_bytes(&rd, len, "frame");
        const wzp_compact before = input;
        wzp_media_packet packet;
        wzp_fail fail;
        if (rd.fail.code != WZP_OK) {
            break;
        }
        if (wzp_compact_decode(&input, frame, &packet, &fail) == WZP_OK) {
            forward(&sender, &receiver, &packet);
        } else {
            require(fail.field != NULL && fail.offset <= frame.len);
            require(input.has_baseline == before.has_baseline &&
                    same_header(&input.last, &before.last));
        }
    }
    return 0;
}
