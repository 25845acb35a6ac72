#include "nat/pcp.h"

#include "base/rd.h"

#define VERSION 2
#define ANSWER_BIT 0x80U
#define HEADER_LEN 24
#define OPTIONAL_BIT 0x80U /* an option that we need not understand */

enum { OPTION_THIRD_PARTY = 1, OPTION_PREFER_FAILURE = 2, OPTION_FILTER = 3 };

uint32_t wzp_pcp_error_lifetime(unsigned result) {
    static const uint16_t lifetimes[] = {
#define X(name, value, lifetime) [WZP_PCP_##name] = (lifetime),
        WZP_PCP_RESULT_MAP(X)
#undef X
    };
    return result < WZP_COUNT_OF(lifetimes) ? lifetimes[result] : 1800;
}

/* --- addresses: 128 bits, IPv4 as ::ffff:a.b.c.d ---------------------------------------------- */

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static wzp_addr read_ip(wzp_rd *rd, const char *field) {
    const wzp_bytes raw = wzp_rd_bytes(rd, 16, field);
    wzp_addr addr = {.family = WZP_ADDR_V6};
    if (raw.len == 0) {
        return (wzp_addr){0};
    }
    if (memcmp(raw.data, mapped_prefix, sizeof mapped_prefix) == 0) {
        return wzp_addr_v4(raw.data[12], raw.data[13], raw.data[14], raw.data[15], 0);
    }
    memcpy(addr.ip, raw.data, 16);
    return addr;
}

static void write_ip(wzp_wr *wr, const wzp_addr *addr) {
    if (addr->family == WZP_ADDR_V4) {
        wzp_wr_bytes(wr, wzp_bytes_of(mapped_prefix, sizeof mapped_prefix));
        wzp_wr_bytes(wr, wzp_bytes_of(addr->ip, 4));
    } else {
        wzp_wr_bytes(wr, wzp_bytes_of(addr->ip, 16));
    }
}

/* --- requests --------------------------------------------------------------------------------- */

/* What the parser found wrong first; the reader's failure keeps the place. */
static void refuse(wzp_rd *rd, wzp_pcp_result *result, wzp_pcp_result why, const char *field,
                   size_t back, uint64_t got) {
    if (*result == WZP_PCP_SUCCESS) {
        *result = why;
        wzp_rd_reject(rd, WZP_ERR_PARSE, field, back, got);
    }
}

static void read_filter(wzp_pcp_request *request, wzp_pcp_result *result, wzp_rd *rd) {
    wzp_pcp_filter filter = {0};
    (void)wzp_rd_u8(rd, "Reserved");
    filter.prefix = wzp_rd_u8(rd, "Prefix Length");
    const uint16_t port = wzp_rd_u16(rd, "Remote Peer Port");
    filter.remote = read_ip(rd, "Remote Peer IP Address");
    filter.remote.port = port;
    if (filter.prefix > 128) {
        refuse(rd, result, WZP_PCP_MALFORMED_OPTION, "Prefix Length", 19, filter.prefix);
    } else if (request->filter_count == WZP_PCP_FILTERS_MAX) {
        refuse(rd, result, WZP_PCP_EXCESSIVE_REMOTE_PEERS, "FILTER", 24, WZP_PCP_FILTERS_MAX + 1U);
    } else {
        request->filters[request->filter_count++] = filter;
    }
}

/* The data length of an option that we know; anything larger than a datagram for one we do not. */
static size_t known_len(uint8_t code) {
    switch (code) {
    case OPTION_THIRD_PARTY:
        return 16;
    case OPTION_PREFER_FAILURE:
        return 0;
    case OPTION_FILTER:
        return 20;
    default:
        return SIZE_MAX;
    }
}

/* RFC 6887 7.3 and 13: which options may come with which operation, and how often. */
static wzp_pcp_result option_fits(const wzp_pcp_request *request, uint8_t code, size_t len) {
    if (known_len(code) == SIZE_MAX) {
        return WZP_PCP_UNSUPP_OPTION;
    }
    if (code == OPTION_PREFER_FAILURE && request->op == WZP_PCP_PEER) {
        return WZP_PCP_MALFORMED_REQUEST; /* 12.1 names it */
    }
    const bool may =
        code == OPTION_THIRD_PARTY ? request->op != WZP_PCP_ANNOUNCE : request->op == WZP_PCP_MAP;
    const bool again = (code == OPTION_THIRD_PARTY && request->has_third_party) ||
                       (code == OPTION_PREFER_FAILURE && request->prefer_failure);
    return may && !again && len == known_len(code) ? WZP_PCP_SUCCESS : WZP_PCP_MALFORMED_OPTION;
}

static void read_option(wzp_pcp_request *request, wzp_pcp_result *result, wzp_rd *rd) {
    const uint8_t code = wzp_rd_u8(rd, "Option Code");
    (void)wzp_rd_u8(rd, "Reserved");
    const uint16_t len = wzp_rd_u16(rd, "Option Length");
    const size_t padded = (len + 3U) & ~(size_t)3;
    if (padded > wzp_rd_left(rd)) {
        refuse(rd, result, WZP_PCP_MALFORMED_OPTION, "Option Length", 2, len);
        return;
    }
    const wzp_pcp_result fits = option_fits(request, code, len);
    if ((code & OPTIONAL_BIT) != 0) {
        (void)wzp_rd_bytes(rd, padded, "Option Data");
    } else if (fits != WZP_PCP_SUCCESS) {
        refuse(rd, result, fits, "Option Code", 4, code);
    } else if (code == OPTION_FILTER) {
        read_filter(request, result, rd);
    } else if (code == OPTION_THIRD_PARTY) {
        request->has_third_party = true;
        request->third_party = read_ip(rd, "Internal IP Address");
    } else {
        request->prefer_failure = true;
    }
}

static void read_mapping(wzp_pcp_request *request, wzp_rd *rd) {
    const wzp_bytes nonce = wzp_rd_bytes(rd, WZP_PCP_NONCE_LEN, "Mapping Nonce");
    if (nonce.len != 0) {
        memcpy(request->nonce, nonce.data, nonce.len);
    }
    request->protocol = wzp_rd_u8(rd, "Protocol");
    (void)wzp_rd_bytes(rd, 3, "Reserved");
    request->internal = wzp_rd_u16(rd, "Internal Port");
    const uint16_t port = wzp_rd_u16(rd, "Suggested External Port");
    request->external = read_ip(rd, "Suggested External IP Address");
    request->external.port = port;
    if (request->op == WZP_PCP_PEER) {
        const uint16_t remote = wzp_rd_u16(rd, "Remote Peer Port");
        (void)wzp_rd_u16(rd, "Reserved");
        request->remote = read_ip(rd, "Remote Peer IP Address");
        request->remote.port = remote;
    }
}

/* RFC 6887 11.1, 12.1: values that no request may have. */
static void check_mapping(const wzp_pcp_request *request, wzp_pcp_result *result, wzp_rd *rd) {
    if (request->op == WZP_PCP_PEER &&
        (request->protocol == 0 || request->internal == 0 || request->remote.port == 0)) {
        refuse(rd, result, WZP_PCP_MALFORMED_REQUEST, "PEER", 56, 0);
    }
}

static void read_body(wzp_pcp_request *request, wzp_pcp_result *result, wzp_rd *rd) {
    if (request->op > WZP_PCP_PEER) {
        refuse(rd, result, WZP_PCP_UNSUPP_OPCODE, "Opcode", HEADER_LEN - 1, request->op);
        return;
    }
    if (request->op != WZP_PCP_ANNOUNCE) {
        read_mapping(request, rd);
        if (rd->fail.code != WZP_OK) {
            *result = WZP_PCP_MALFORMED_REQUEST;
            return;
        }
        check_mapping(request, result, rd);
    }
    while (*result == WZP_PCP_SUCCESS && wzp_rd_left(rd) > 0) {
        read_option(request, result, rd); /* at least 4 bytes are left: the length was checked */
    }
}

static void read_rest(wzp_pcp_request *request, wzp_pcp_result *result, wzp_rd *rd, size_t len) {
    if (request->version != VERSION) {
        refuse(rd, result, WZP_PCP_UNSUPP_VERSION, "Version", 2, request->version);
        return;
    }
    if (len < HEADER_LEN || len > WZP_PCP_MAX || len % 4 != 0) {
        refuse(rd, result, WZP_PCP_MALFORMED_REQUEST, "length", 2, len);
        return;
    }
    (void)wzp_rd_u16(rd, "Reserved");
    request->lifetime_s = wzp_rd_u32(rd, "Requested Lifetime");
    request->client = read_ip(rd, "PCP Client's IP Address");
    read_body(request, result, rd);
}

wzp_err wzp_pcp_parse(wzp_pcp_request *out, wzp_pcp_result *result, wzp_bytes datagram,
                      wzp_fail *fail) {
    wzp_pcp_request request = {0};
    wzp_pcp_result found = WZP_PCP_SUCCESS;
    wzp_rd rd;
    wzp_rd_init(&rd, datagram);
    request.version = wzp_rd_u8(&rd, "Version");
    request.op = wzp_rd_u8(&rd, "Opcode");
    wzp_err err = rd.fail.code;
    if (err == WZP_OK && (request.op & ANSWER_BIT) != 0) {
        err = wzp_rd_reject(&rd, WZP_ERR_PARSE, "Opcode", 1, request.op);
    }
    if (err == WZP_OK) {
        read_rest(&request, &found, &rd, datagram.len);
        *out = request;
        *result = found;
    }
    if (fail != NULL) {
        *fail = rd.fail;
    }
    return err;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void header(wzp_wr *wr, uint8_t op, unsigned result, uint32_t lifetime_s, uint32_t epoch_s) {
    static const uint8_t reserved[12];
    wzp_wr_u8(wr, VERSION);
    wzp_wr_u8(wr, (uint8_t)(op | ANSWER_BIT));
    wzp_wr_u8(wr, 0);
    wzp_wr_u8(wr, (uint8_t)result);
    wzp_wr_u32(wr, lifetime_s);
    wzp_wr_u32(wr, epoch_s);
    wzp_wr_bytes(wr, wzp_bytes_of(reserved, sizeof reserved));
}

static void option_header(wzp_wr *wr, uint8_t code) {
    wzp_wr_u8(wr, code);
    wzp_wr_u8(wr, 0);
    wzp_wr_u16(wr, (uint16_t)known_len(code));
}

static void write_options(wzp_wr *wr, const wzp_pcp_request *request) {
    if (request->has_third_party) {
        option_header(wr, OPTION_THIRD_PARTY);
        write_ip(wr, &request->third_party);
    }
    if (request->prefer_failure) {
        option_header(wr, OPTION_PREFER_FAILURE);
    }
    for (size_t i = 0; i < request->filter_count; i++) {
        option_header(wr, OPTION_FILTER);
        wzp_wr_u8(wr, 0);
        wzp_wr_u8(wr, request->filters[i].prefix);
        wzp_wr_u16(wr, request->filters[i].remote.port);
        write_ip(wr, &request->filters[i].remote);
    }
}

static void write_mapping(wzp_wr *wr, const wzp_pcp_request *request, const wzp_addr *external) {
    static const uint8_t reserved[3];
    wzp_wr_bytes(wr, wzp_bytes_of(request->nonce, sizeof request->nonce));
    wzp_wr_u8(wr, request->protocol);
    wzp_wr_bytes(wr, wzp_bytes_of(reserved, sizeof reserved));
    wzp_wr_u16(wr, request->internal);
    wzp_wr_u16(wr, external->port);
    write_ip(wr, external);
    if (request->op == WZP_PCP_PEER) {
        wzp_wr_u16(wr, request->remote.port);
        wzp_wr_u16(wr, 0);
        write_ip(wr, &request->remote);
    }
    write_options(wr, request);
}

void wzp_pcp_write_granted(wzp_wr *wr, const wzp_pcp_request *request, uint32_t epoch_s,
                           const wzp_addr *external, uint32_t lifetime_s) {
    header(wr, request->op, WZP_PCP_SUCCESS, lifetime_s, epoch_s);
    write_mapping(wr, request, external);
}

void wzp_pcp_write_announce(wzp_wr *wr, uint32_t epoch_s) {
    header(wr, WZP_PCP_ANNOUNCE, WZP_PCP_SUCCESS, 0, epoch_s);
}

void wzp_pcp_write_error(wzp_wr *wr, wzp_bytes datagram, unsigned result, uint32_t epoch_s,
                         uint32_t lifetime_s) {
    const size_t len = datagram.len < WZP_PCP_MAX ? datagram.len : WZP_PCP_MAX;
    header(wr, datagram.data[1], result, lifetime_s, epoch_s);
    if (len > HEADER_LEN) {
        wzp_wr_bytes(wr, wzp_bytes_of(datagram.data + HEADER_LEN, len - HEADER_LEN));
    }
    for (size_t i = len > HEADER_LEN ? len : 0; i % 4 != 0; i++) {
        wzp_wr_u8(wr, 0);
    }
}

/* --- clients ---------------------------------------------------------------------------------- */

void wzp_pcp_write_request(wzp_wr *wr, const wzp_pcp_request *request) {
    wzp_wr_u8(wr, VERSION);
    wzp_wr_u8(wr, request->op);
    wzp_wr_u16(wr, 0);
    wzp_wr_u32(wr, request->lifetime_s);
    write_ip(wr, &request->client);
    if (request->op != WZP_PCP_ANNOUNCE) {
        write_mapping(wr, request, &request->external);
    }
}

static void read_answered(wzp_pcp_answer *answer, wzp_rd *rd) {
    wzp_pcp_request mapping = {.op = answer->op};
    read_mapping(&mapping, rd);
    answer->has_mapping = rd->fail.code == WZP_OK;
    memcpy(answer->nonce, mapping.nonce, sizeof answer->nonce);
    answer->protocol = mapping.protocol;
    answer->internal = mapping.internal;
    answer->external = mapping.external;
    answer->remote = mapping.remote;
}

/* An error may come without what was asked: then there is no mapping, and that is no failure. */
static void read_answer_body(wzp_pcp_answer *answer, wzp_rd *rd) {
    const bool is_mapping = answer->op == WZP_PCP_MAP || answer->op == WZP_PCP_PEER;
    const size_t need = answer->op == WZP_PCP_PEER ? 56 : 36;
    (void)wzp_rd_bytes(rd, 12, "Reserved");
    if (is_mapping && (answer->result == WZP_PCP_SUCCESS || wzp_rd_left(rd) >= need)) {
        read_answered(answer, rd);
    } else if (rd->fail.code == WZP_OK && answer->result == WZP_PCP_SUCCESS &&
               answer->op != WZP_PCP_ANNOUNCE) {
        wzp_rd_reject(rd, WZP_ERR_PARSE, "Opcode", HEADER_LEN - 1, answer->op);
    }
}

wzp_err wzp_pcp_parse_answer(wzp_pcp_answer *out, wzp_bytes datagram, wzp_fail *fail) {
    wzp_pcp_answer answer = {0};
    wzp_rd rd;
    wzp_rd_init(&rd, datagram);
    answer.version = wzp_rd_u8(&rd, "Version");
    const uint8_t op = wzp_rd_u8(&rd, "Opcode");
    if (rd.fail.code == WZP_OK && (op & ANSWER_BIT) == 0) {
        wzp_rd_reject(&rd, WZP_ERR_PARSE, "Opcode", 1, op);
    }
    answer.op = (uint8_t)(op & ~ANSWER_BIT);
    (void)wzp_rd_u8(&rd, "Reserved"); /* NAT-PMP's result has its upper byte here */
    answer.result = wzp_rd_u8(&rd, "Result Code");
    if (rd.fail.code == WZP_OK && answer.version == VERSION) {
        answer.lifetime_s = wzp_rd_u32(&rd, "Lifetime");
        answer.epoch_s = wzp_rd_u32(&rd, "Epoch Time");
        read_answer_body(&answer, &rd);
        if (rd.fail.code == WZP_OK && (datagram.len > WZP_PCP_MAX || datagram.len % 4 != 0)) {
            wzp_rd_reject(&rd, WZP_ERR_PARSE, "length", wzp_rd_offset(&rd), datagram.len);
        }
    }
    if (rd.fail.code == WZP_OK) {
        *out = answer;
    }
    if (fail != NULL) {
        *fail = rd.fail;
    }
    return rd.fail.code;
}
