/* Federation datagrams: the packet inside is the same as if it had come alone. */
#include "require.h"
#include "wire/federation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_federation_datagram got;
    wzp_media_packet alone;
    wzp_fail fail;
    const wzp_err err = wzp_federation_parse(&got, wzp_bytes_of(data, size), &fail);
    if (size < WZP_FEDERATION_MIN) {
        require(err == WZP_ERR_FEDERATION_SHORT);
        return 0;
    }
    const wzp_bytes rest = {data + WZP_ROOM_HASH_LEN, size - WZP_ROOM_HASH_LEN};
    require(wzp_media_packet_parse(&alone, rest, NULL) == err);
    if (err != WZP_OK) {
        require(fail.code == err && fail.field != NULL);
        require(fail.offset >= WZP_ROOM_HASH_LEN && fail.offset <= size);
        return 0;
    }
    uint8_t *out = malloc(size);
    wzp_wr wr;
    wzp_wr_init(&wr, out, size);
    wzp_federation_write(&wr, got.room_hash, got.packet_bytes);
    require(wzp_wr_end(&wr) == WZP_OK && memcmp(out, data, size) == 0);
    free(out);
    return 0;
}
