/* NAT-PMP requests: every one that wants an answer gets one that fits and is marked as one. */
#include "nat/natpmp.h"
#include "require.h"

static void answer(const wzp_natpmp_request *request, wzp_bytes datagram, wzp_wr *wr) {
    static const wzp_addr external = {WZP_ADDR_V4, 0, {203, 0, 113, 9}};
    if (request->version != 0) {
        wzp_natpmp_write_version(wr, 1);
    } else if (request->op == WZP_NATPMP_ADDRESS) {
        wzp_natpmp_write_address(wr, WZP_NATPMP_SUCCESS, 1, &external);
    } else if (request->op <= WZP_NATPMP_MAP_TCP) {
        wzp_natpmp_write_map(wr, request, WZP_NATPMP_SUCCESS, 1, request->external,
                             request->lifetime_s);
    } else {
        wzp_natpmp_write_opcode(wr, datagram);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_natpmp_request request;
    wzp_natpmp_request again;
    wzp_fail fail;
    uint8_t out[WZP_NATPMP_ANSWER_MAX];
    wzp_wr wr;
    if (wzp_natpmp_parse(&request, wzp_bytes_of(data, size), &fail) != WZP_OK) {
        require(fail.field != NULL && fail.offset <= size);
        return 0;
    }
    wzp_wr_init(&wr, out, sizeof out);
    answer(&request, wzp_bytes_of(data, size), &wr);
    require(wzp_wr_end(&wr) == WZP_OK);
    /* A client that reads its own answer as a request must not be answered in turn. */
    require(wzp_natpmp_parse(&again, wzp_bytes_of(out, wzp_wr_len(&wr)), NULL) != WZP_OK);
    return 0;
}
