/* A client's first packets: as datagrams that somebody sends, and as what is in them once they are
 * open, in up to four pieces (a fuzzer does not guess a tag).  Pieces end where a byte 0xff is. */
#include <string.h>

#include "fuzz/require.h"
#include "quic/steer.h"

static unsigned worker_of(void *ctx, const char *sni, unsigned workers) {
    (void)ctx;
    require(strlen(sni) <= WZP_QUIC_SNI_MAX);
    return (unsigned)strlen(sni) % workers;
}

static void steer(const uint8_t *data, size_t len) {
    static wzp_steer *s;
    static wzp_time now = WZP_S;
    const wzp_steer_cfg cfg = {3, 2, worker_of, NULL};
    wzp_steer_datagram out[WZP_STEER_FLOW_PACKETS];
    const wzp_steer_datagram in = {.payload = {data, len}};
    unsigned worker = 99;
    require(s != NULL || wzp_steer_new(&s, &cfg) == WZP_OK);
    const size_t n = wzp_steer_take(s, &in, now, &worker, out);
    now += WZP_MS;
    require(n <= WZP_STEER_FLOW_PACKETS);
    require(n == 0 || worker < 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t len = size;
    char sni[WZP_QUIC_SNI_MAX + 1];
    wzp_quic_hello hello;
    steer(data, len);
    wzp_quic_hello_init(&hello);
    for (int piece = 0; piece < 4 && len > 0; piece++) {
        const uint8_t *end = memchr(data, 0xff, len);
        const size_t n = end != NULL ? (size_t)(end - data) : len;
        memset(sni, 'x', sizeof sni);
        (void)!wzp_quic_hello_frames(&hello, (wzp_bytes){data, n}, sni);
        require(memchr(sni, 0, sizeof sni) != NULL);
        data += n < len ? n + 1 : n;
        len -= n < len ? n + 1 : n;
    }
    return 0;
}
