/* Frames of an opened QUIC packet, and the handshake messages in CRYPTO frames: each frame lies
 * behind the one before it, and what it lends lies inside it. */
#include "require.h"
#include "tools/pcap/quic/frames.h"
#include "tools/pcap/quic/tls.h"

static void message(wzp_bytes bytes) {
    wzp_pcap_quic_tls tls;
    wzp_fail fail;
    wzp_bytes body;
    uint8_t type = 0;
    if (!wzp_pcap_quic_tls_next(bytes, &type, &body)) {
        return;
    }
    require(body.data == bytes.data + 4 && body.len <= bytes.len - 4);
    const wzp_err err = wzp_pcap_quic_tls_parse(&tls, type, body, &fail);
    require(err == fail.code && (err == WZP_OK || (fail.field != NULL && fail.offset <= body.len)));
    require(memchr(tls.hello.sni, '\0', sizeof tls.hello.sni) != NULL);
    require(memchr(tls.hello.alpn, '\0', sizeof tls.hello.alpn) != NULL);
    for (size_t i = 0; i < tls.params.count; i++) {
        const wzp_bytes *param = &tls.params.list[i].data;
        require(param->data >= body.data && param->data + param->len <= body.data + body.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_pcap_quic_walked walked;
    wzp_rd rd;
    size_t end = 0;
    wzp_rd_init(&rd, wzp_bytes_of(data, size));
    while (wzp_pcap_quic_walk(&rd, &walked)) {
        const wzp_pcap_quic_frame *frame = &walked.frame;
        require(frame->offset >= end && frame->len > 0 && frame->len <= size - frame->offset);
        end = frame->offset + frame->len;
        require(walked.data.len == 0 || (walked.data.data > data + frame->offset &&
                                         walked.data.data + walked.data.len <= data + end));
        require(wzp_pcap_quic_frame_fits(frame->type, WZP_PCAP_QUIC_1RTT));
        if (frame->type == WZP_PCAP_QUIC_CRYPTO) {
            message(walked.data);
        }
    }
    require(rd.fail.code == WZP_OK ? wzp_rd_left(&rd) == 0 : rd.fail.offset <= size);
    return 0;
}
