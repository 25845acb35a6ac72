/* A WebSocket's first text: a token that was read, written anew, is read as the same. */
#include <string.h>

#include "relay/bridge.h"
#include "require.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *token = malloc(size + 1); /* as much as the header promises to need */
    uint8_t *again = malloc(6 * size + 64);
    uint8_t *text = malloc(6 * size + 64);
    size_t len = 0;
    size_t again_len = 0;
    require(token != NULL && again != NULL && text != NULL);
    if (wzp_bridge_auth_read(wzp_bytes_of(data, size), token, &len)) {
        wzp_wr wr;
        require(len <= size);
        wzp_wr_init(&wr, text, 6 * size + 64);
        wzp_wr_str(&wr, "{\"token\":");
        wzp_json_write_string(&wr, wzp_bytes_of(token, len));
        wzp_wr_str(&wr, ",\"type\":\"auth\"}");
        require(wzp_wr_end(&wr) == WZP_OK);
        require(wzp_bridge_auth_read(wzp_bytes_of(text, wzp_wr_len(&wr)), again, &again_len));
        require(len == again_len && memcmp(token, again, len) == 0);
    }
    free(text);
    free(again);
    free(token);
    return 0;
}
