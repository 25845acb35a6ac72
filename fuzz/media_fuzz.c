/* Media datagrams: what parses is written back byte for byte, and the header alone gives the same
 * verdict as the packet. */
#include "require.h"
#include "wire/media.h"
#include "wire/v1.h"

static void check_header(wzp_bytes datagram, wzp_err packet_err) {
    wzp_media_hdr hdr;
    wzp_rd rd;
    wzp_rd_init(&rd, datagram);
    const wzp_err err = wzp_media_hdr_parse(&hdr, &rd);
    require(err == packet_err || packet_err == WZP_ERR_QUALITY_TRUNCATED);
    require(err == WZP_OK || (rd.fail.field != NULL && rd.fail.offset <= datagram.len));
}

static void check_v1(wzp_bytes datagram) {
    uint8_t out[WZP_V1_HDR_LEN];
    wzp_v1_hdr hdr;
    wzp_rd rd;
    wzp_wr wr;
    wzp_rd_init(&rd, datagram);
    if (wzp_v1_hdr_parse(&hdr, &rd) == WZP_OK) {
        wzp_wr_init(&wr, out, sizeof out);
        wzp_v1_hdr_write(&wr, &hdr);
        out[1] |= datagram.data[1] & 3; /* the two unused bits */
        require(memcmp(out, datagram.data, sizeof out) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const wzp_bytes datagram = {data, size};
    wzp_media_packet packet;
    wzp_fail fail;
    const wzp_err err = wzp_media_packet_parse(&packet, datagram, &fail);
    check_header(datagram, err);
    check_v1(datagram);
    if (err != WZP_OK) {
        require(fail.code == err && fail.field != NULL && fail.offset <= size);
        return 0;
    }
    uint8_t *out = malloc(size);
    wzp_wr wr;
    wzp_wr_init(&wr, out, size);
    wzp_media_packet_write(&wr, &packet);
    require(wzp_wr_end(&wr) == WZP_OK && wzp_wr_len(&wr) == size);
    require(memcmp(out, data, size) == 0);
    free(out);
    return 0;
}
