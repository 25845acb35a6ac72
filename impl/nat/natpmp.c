#include "nat/natpmp.h"

#include "base/rd.h"

#define ANSWER_BIT 0x80U

static wzp_err end(wzp_rd *rd, wzp_fail *fail) {
    if (fail != NULL) {
        *fail = rd->fail;
    }
    return rd->fail.code;
}

wzp_err wzp_natpmp_parse(wzp_natpmp_request *out, wzp_bytes datagram, wzp_fail *fail) {
    wzp_natpmp_request request = {0};
    wzp_rd rd;
    wzp_rd_init(&rd, datagram);
    request.version = wzp_rd_u8(&rd, "Vers");
    request.op = wzp_rd_u8(&rd, "OP");
    if ((request.op & ANSWER_BIT) != 0) {
        wzp_rd_reject(&rd, WZP_ERR_PARSE, "OP", 1, request.op);
    } else if (request.version == 0 &&
               (request.op == WZP_NATPMP_MAP_UDP || request.op == WZP_NATPMP_MAP_TCP)) {
        (void)wzp_rd_u16(&rd, "Reserved");
        request.internal = wzp_rd_u16(&rd, "Internal Port");
        request.external = wzp_rd_u16(&rd, "Suggested External Port");
        request.lifetime_s = wzp_rd_u32(&rd, "Requested Port Mapping Lifetime");
    }
    if (rd.fail.code == WZP_OK) {
        *out = request;
    }
    return end(&rd, fail);
}

static void header(wzp_wr *wr, uint8_t op, wzp_natpmp_result result, uint32_t epoch_s) {
    wzp_wr_u8(wr, 0);
    wzp_wr_u8(wr, (uint8_t)(op | ANSWER_BIT));
    wzp_wr_u16(wr, (uint16_t)result);
    wzp_wr_u32(wr, epoch_s);
}

void wzp_natpmp_write_address(wzp_wr *wr, wzp_natpmp_result result, uint32_t epoch_s,
                              const wzp_addr *external) {
    static const uint8_t none[4];
    header(wr, WZP_NATPMP_ADDRESS, result, epoch_s);
    wzp_wr_bytes(wr, wzp_bytes_of(result == WZP_NATPMP_SUCCESS ? external->ip : none, 4));
}

void wzp_natpmp_write_map(wzp_wr *wr, const wzp_natpmp_request *request, wzp_natpmp_result result,
                          uint32_t epoch_s, uint16_t external, uint32_t lifetime_s) {
    header(wr, request->op, result, epoch_s);
    wzp_wr_u16(wr, request->internal);
    wzp_wr_u16(wr, external);
    wzp_wr_u32(wr, lifetime_s);
}

void wzp_natpmp_write_version(wzp_wr *wr, uint32_t epoch_s) {
    header(wr, 0, WZP_NATPMP_VERSION, epoch_s);
}

void wzp_natpmp_write_opcode(wzp_wr *wr, wzp_bytes datagram) {
    const size_t len = datagram.len < WZP_NATPMP_ANSWER_MAX ? datagram.len : WZP_NATPMP_ANSWER_MAX;
    wzp_wr_u8(wr, 0);
    wzp_wr_u8(wr, (uint8_t)(datagram.data[1] | ANSWER_BIT));
    wzp_wr_u16(wr, WZP_NATPMP_OPCODE);
    if (len > 4) {
        wzp_wr_bytes(wr, wzp_bytes_of(datagram.data + 4, len - 4));
    }
}

/* --- clients ---------------------------------------------------------------------------------- */

void wzp_natpmp_write_request(wzp_wr *wr, const wzp_natpmp_request *request) {
    wzp_wr_u8(wr, request->version);
    wzp_wr_u8(wr, request->op);
    if (request->op != WZP_NATPMP_ADDRESS) {
        wzp_wr_u16(wr, 0);
        wzp_wr_u16(wr, request->internal);
        wzp_wr_u16(wr, request->external);
        wzp_wr_u32(wr, request->lifetime_s);
    }
}

static void read_granted(wzp_natpmp_answer *answer, wzp_rd *rd) {
    answer->epoch_s = wzp_rd_u32(rd, "Seconds Since Start of Epoch");
    if (answer->op == WZP_NATPMP_ADDRESS) {
        const wzp_bytes ip = wzp_rd_bytes(rd, 4, "External IPv4 Address");
        answer->external.family = WZP_ADDR_V4;
        memcpy(answer->external.ip, ip.data, ip.len);
    } else if (answer->op <= WZP_NATPMP_MAP_TCP) {
        answer->internal = wzp_rd_u16(rd, "Internal Port");
        answer->external_port = wzp_rd_u16(rd, "Mapped External Port");
        answer->lifetime_s = wzp_rd_u32(rd, "Port Mapping Lifetime");
    } else if (rd->fail.code == WZP_OK) {
        wzp_rd_reject(rd, WZP_ERR_PARSE, "OP", 7, answer->op);
    }
}

wzp_err wzp_natpmp_parse_answer(wzp_natpmp_answer *out, wzp_bytes datagram, wzp_fail *fail) {
    wzp_natpmp_answer answer = {0};
    wzp_rd rd;
    wzp_rd_init(&rd, datagram);
    answer.version = wzp_rd_u8(&rd, "Vers");
    const uint8_t op = wzp_rd_u8(&rd, "OP");
    if (rd.fail.code == WZP_OK && (op & ANSWER_BIT) == 0) {
        wzp_rd_reject(&rd, WZP_ERR_PARSE, "OP", 1, op);
    }
    answer.op = (uint8_t)(op & ~ANSWER_BIT);
    answer.result = wzp_rd_u16(&rd, "Result Code");
    if (answer.version == 0 && answer.result == WZP_NATPMP_SUCCESS) {
        read_granted(&answer, &rd);
    }
    if (rd.fail.code == WZP_OK) {
        *out = answer;
    }
    return end(&rd, fail);
}
