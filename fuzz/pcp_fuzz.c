/* PCP: whatever is granted or refused goes back in no more bytes than a request may have, what is
 * granted says what was asked for, and clients read both; what a client writes is what a gateway
 * reads. */
#include "nat/pcp.h"
#include "require.h"

static const wzp_addr external = {WZP_ADDR_V4, 51413, {203, 0, 113, 9}};

static void refused(wzp_bytes datagram, wzp_pcp_result result) {
    uint8_t out[WZP_PCP_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, out, sizeof out);
    wzp_pcp_write_error(&wr, datagram, result, 1, wzp_pcp_error_lifetime(result));
    require(wzp_wr_end(&wr) == WZP_OK);
    require(wzp_wr_len(&wr) % 4 == 0 && wzp_wr_len(&wr) >= 24 && out[3] == result);
    wzp_pcp_answer answer;
    require(wzp_pcp_parse_answer(&answer, wzp_bytes_of(out, wzp_wr_len(&wr)), NULL) == WZP_OK);
    require(answer.version == 2 && answer.result == result);
}

/* The answer with its mark taken off is a request again: that of the same mapping. */
static void granted(const wzp_pcp_request *request, size_t size) {
    uint8_t out[WZP_PCP_MAX];
    wzp_pcp_request again;
    wzp_pcp_result result;
    wzp_wr wr;
    wzp_wr_init(&wr, out, sizeof out);
    wzp_pcp_write_granted(&wr, request, 1, &external, request->lifetime_s);
    require(wzp_wr_end(&wr) == WZP_OK && wzp_wr_len(&wr) <= size);
    wzp_pcp_answer answer;
    require(wzp_pcp_parse_answer(&answer, wzp_bytes_of(out, wzp_wr_len(&wr)), NULL) == WZP_OK);
    require(answer.has_mapping && wzp_addr_equal(&answer.external, &external));
    require(answer.internal == request->internal && answer.lifetime_s == request->lifetime_s);
    out[1] &= 0x7f;
    require(wzp_pcp_parse(&again, &result, wzp_bytes_of(out, wzp_wr_len(&wr)), NULL) == WZP_OK);
    require(result == WZP_PCP_SUCCESS && again.op == request->op);
    require(memcmp(again.nonce, request->nonce, sizeof again.nonce) == 0);
    require(again.protocol == request->protocol && again.internal == request->internal);
    require(wzp_addr_equal(&again.external, &external));
    require(wzp_addr_equal(&again.remote, &request->remote));
    require(again.has_third_party == request->has_third_party);
    require(again.prefer_failure == request->prefer_failure);
    require(wzp_addr_equal(&again.third_party, &request->third_party));
    require(again.filter_count == request->filter_count);
}

static void rewrite(const wzp_pcp_request *request) {
    uint8_t out[WZP_PCP_MAX];
    wzp_pcp_request again;
    wzp_pcp_result result;
    wzp_wr wr;
    wzp_wr_init(&wr, out, sizeof out);
    wzp_pcp_write_request(&wr, request);
    require(wzp_wr_end(&wr) == WZP_OK);
    require(wzp_pcp_parse(&again, &result, wzp_bytes_of(out, wzp_wr_len(&wr)), NULL) == WZP_OK);
    require(result == WZP_PCP_SUCCESS && again.op == request->op);
    require(again.lifetime_s == request->lifetime_s && again.internal == request->internal);
    require(wzp_addr_equal(&again.client, &request->client));
    require(wzp_addr_equal(&again.external, &request->external));
    require(again.filter_count == request->filter_count);
}

static void as_answer(wzp_bytes datagram) {
    wzp_pcp_answer answer;
    wzp_fail fail;
    if (wzp_pcp_parse_answer(&answer, datagram, &fail) != WZP_OK) {
        require(fail.field != NULL && fail.offset <= datagram.len);
    } else {
        require(answer.has_mapping || answer.internal == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_pcp_request request;
    wzp_pcp_result result;
    wzp_fail fail;
    as_answer(wzp_bytes_of(data, size));
    if (wzp_pcp_parse(&request, &result, wzp_bytes_of(data, size), &fail) != WZP_OK) {
        require(fail.field != NULL && fail.offset <= size);
    } else if (result != WZP_PCP_SUCCESS) {
        require(fail.field != NULL && fail.offset <= size);
        refused(wzp_bytes_of(data, size), result);
    } else if (request.op != WZP_PCP_ANNOUNCE) {
        granted(&request, size);
        rewrite(&request);
    }
    return 0;
}
