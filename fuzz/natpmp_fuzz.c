/* NAT-PMP: every request that wants an answer gets one that fits and is marked as one, and that
 * clients read; what a client writes is what a gateway reads. */
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

static void rewrite(const wzp_natpmp_request *request) {
    uint8_t out[WZP_NATPMP_REQUEST_MAX];
    wzp_natpmp_request again;
    wzp_wr wr;
    if (request->version == 0 && request->op <= WZP_NATPMP_MAP_TCP) {
        wzp_wr_init(&wr, out, sizeof out);
        wzp_natpmp_write_request(&wr, request);
        require(wzp_natpmp_parse(&again, wzp_bytes_of(out, wzp_wr_len(&wr)), NULL) == WZP_OK);
        require(again.op == request->op && again.internal == request->internal);
        require(again.external == request->external && again.lifetime_s == request->lifetime_s);
    }
}

static void as_answer(wzp_bytes datagram) {
    wzp_natpmp_answer answer;
    wzp_fail fail;
    if (wzp_natpmp_parse_answer(&answer, datagram, &fail) != WZP_OK) {
        require(fail.field != NULL && fail.offset <= datagram.len);
    } else {
        require(answer.result == 0 || (answer.internal == 0 && answer.lifetime_s == 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_natpmp_request request;
    wzp_natpmp_request again;
    wzp_natpmp_answer answered;
    wzp_fail fail;
    as_answer(wzp_bytes_of(data, size));
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
    require(wzp_natpmp_parse_answer(&answered, wzp_bytes_of(out, wzp_wr_len(&wr)), NULL) == WZP_OK);
    require(request.version != 0 || answered.op == request.op);
    require(answered.result != 0 || answered.internal == request.internal);
    rewrite(&request);
    return 0;
}
