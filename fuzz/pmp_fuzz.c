/* NAT-PMP requests: every one that wants an answer gets one that fits and is marked as one. */
#include "require.h"
#include "sim/nat/pmp.h"

static void answer(const wzp_sim_pmp_request *request, wzp_bytes datagram, wzp_wr *wr) {
    static const wzp_addr external = {WZP_ADDR_V4, 0, {203, 0, 113, 9}};
    if (request->version != 0) {
        wzp_sim_pmp_write_version(wr, 1);
    } else if (request->op == WZP_SIM_PMP_ADDRESS) {
        wzp_sim_pmp_write_address(wr, WZP_SIM_PMP_SUCCESS, 1, &external);
    } else if (request->op <= WZP_SIM_PMP_MAP_TCP) {
        wzp_sim_pmp_write_map(wr, request, WZP_SIM_PMP_SUCCESS, 1, request->external,
                              request->lifetime_s);
    } else {
        wzp_sim_pmp_write_opcode(wr, datagram);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_sim_pmp_request request;
    wzp_sim_pmp_request again;
    wzp_fail fail;
    uint8_t out[WZP_SIM_PMP_ANSWER_MAX];
    wzp_wr wr;
    if (wzp_sim_pmp_parse(&request, wzp_bytes_of(data, size), &fail) != WZP_OK) {
        require(fail.field != NULL && fail.offset <= size);
        return 0;
    }
    wzp_wr_init(&wr, out, sizeof out);
    answer(&request, wzp_bytes_of(data, size), &wr);
    require(wzp_wr_end(&wr) == WZP_OK);
    /* A client that reads its own answer as a request must not be answered in turn. */
    require(wzp_sim_pmp_parse(&again, wzp_bytes_of(out, wzp_wr_len(&wr)), NULL) != WZP_OK);
    return 0;
}
