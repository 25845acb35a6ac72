#include "tools/pcap/quic/tls.h"

#include "tools/pcap/quic/varint.h"

enum { EXT_SERVER_NAME = 0, EXT_ALPN = 16, EXT_QUIC_PARAMS = 57, RANDOM_LEN = 32 };

/* "HelloRetryRequest", hashed: the random of such a ServerHello. */
static const uint8_t retry_random[RANDOM_LEN] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

static size_t append(char *out, size_t at, wzp_bytes bytes) {
    for (size_t i = 0; i < bytes.len && at + 1 < WZP_PCAP_QUIC_TEXT; i++) {
        const uint8_t ch = bytes.data[i];
        out[at++] = (char)(ch >= 0x20 && ch < 0x7f ? ch : '?');
    }
    out[at] = '\0';
    return at;
}

void wzp_pcap_quic_text(char out[WZP_PCAP_QUIC_TEXT], wzp_bytes bytes) {
    (void)append(out, 0, bytes);
}

bool wzp_pcap_quic_tls_next(wzp_bytes bytes, uint8_t *type, wzp_bytes *body) {
    wzp_rd rd;
    wzp_rd_init(&rd, bytes);
    const uint32_t head = wzp_rd_u32(&rd, "handshake header");
    *type = (uint8_t)(head >> 24);
    *body = wzp_rd_bytes(&rd, head & 0xffffff, "handshake message");
    return rd.fail.code == WZP_OK;
}

/* A reader of a part; what fails in it has failed in the whole, at its place. */
static wzp_rd part_of(wzp_rd *rd, size_t len, const char *field) {
    const wzp_bytes bytes = wzp_rd_bytes(rd, len, field);
    wzp_rd part = *rd;
    if (rd->fail.code == WZP_OK) {
        part.pos = bytes.data;
        part.end = bytes.data + bytes.len;
    }
    return part;
}

static void done_with(wzp_rd *rd, const wzp_rd *part) {
    if (rd->fail.code == WZP_OK) {
        rd->fail = part->fail;
    }
}

static void read_server_name(wzp_rd *rd, wzp_pcap_quic_tls *out) {
    (void)wzp_rd_u16(rd, "server name list");
    const uint8_t type = wzp_rd_u8(rd, "name type");
    const wzp_bytes name = wzp_rd_bytes(rd, wzp_rd_u16(rd, "host name"), "host name");
    if (rd->fail.code == WZP_OK && type == 0) {
        wzp_pcap_quic_text(out->hello.sni, name);
    }
}

static void read_alpn(wzp_rd *rd, wzp_pcap_quic_tls *out) {
    size_t at = 0;
    wzp_rd list = part_of(rd, wzp_rd_u16(rd, "ALPN list"), "ALPN list");
    while (wzp_rd_left(&list) > 0 && list.fail.code == WZP_OK) {
        const wzp_bytes name = wzp_rd_bytes(&list, wzp_rd_u8(&list, "protocol"), "protocol");
        if (list.fail.code == WZP_OK) {
            at = at > 0 ? append(out->hello.alpn, at, wzp_bytes_str(",")) : 0;
            at = append(out->hello.alpn, at, name);
        }
    }
    done_with(rd, &list);
}

/* Known to be numbers: RFC 9000, 18.2; RFC 9221; ACK_FREQUENCY. */
static bool is_number(uint64_t id) {
    return id == 0x01 || (id >= 0x03 && id <= 0x0b) || id == 0x0e || id == 0x20 ||
           id == UINT64_C(0xff04de1b);
}

static void read_params(wzp_rd *rd, wzp_pcap_quic_tls *out) {
    out->has_params = true;
    while (wzp_rd_left(rd) > 0 && rd->fail.code == WZP_OK) {
        wzp_pcap_quic_param param = {.id = wzp_pcap_quic_varint(rd, "parameter")};
        param.data = wzp_pcap_quic_counted(rd, "parameter length");
        wzp_rd value;
        wzp_rd_init(&value, param.data);
        if (is_number(param.id)) {
            param.value = wzp_pcap_quic_varint(&value, "parameter value");
            param.is_number = value.fail.code == WZP_OK && wzp_rd_left(&value) == 0;
        }
        if (rd->fail.code == WZP_OK && out->params.count < WZP_PCAP_QUIC_PARAMS_MAX) {
            out->params.list[out->params.count++] = param;
        }
    }
}

static void read_extensions(wzp_rd *rd, wzp_pcap_quic_tls *out) {
    wzp_rd all = part_of(rd, wzp_rd_u16(rd, "extensions"), "extensions");
    while (wzp_rd_left(&all) > 0 && all.fail.code == WZP_OK) {
        const uint16_t type = wzp_rd_u16(&all, "extension type");
        wzp_rd one = part_of(&all, wzp_rd_u16(&all, "extension length"), "extension length");
        if (wzp_rd_left(&one) == 0) {
            continue; /* as a server's answer to the name */
        }
        if (type == EXT_SERVER_NAME) {
            read_server_name(&one, out);
        } else if (type == EXT_ALPN) {
            read_alpn(&one, out);
        } else if (type == EXT_QUIC_PARAMS) {
            read_params(&one, out);
        }
        done_with(&all, &one);
    }
    done_with(rd, &all);
}

static void read_client_hello(wzp_rd *rd, wzp_pcap_quic_tls *out) {
    (void)wzp_rd_u16(rd, "legacy version");
    const wzp_bytes random = wzp_rd_bytes(rd, RANDOM_LEN, "random");
    if (random.len > 0) {
        memcpy(out->hello.client_random, random.data, random.len);
    }
    (void)wzp_rd_bytes(rd, wzp_rd_u8(rd, "session id"), "session id");
    (void)wzp_rd_bytes(rd, wzp_rd_u16(rd, "cipher suites"), "cipher suites");
    (void)wzp_rd_bytes(rd, wzp_rd_u8(rd, "compression methods"), "compression methods");
    read_extensions(rd, out);
}

static void read_server_hello(wzp_rd *rd, wzp_pcap_quic_tls *out) {
    (void)wzp_rd_u16(rd, "legacy version");
    const wzp_bytes random = wzp_rd_bytes(rd, RANDOM_LEN, "random");
    out->is_retry_request =
        random.len > 0 && memcmp(random.data, retry_random, sizeof retry_random) == 0;
    (void)wzp_rd_bytes(rd, wzp_rd_u8(rd, "session id"), "session id");
    out->hello.cipher = wzp_rd_u16(rd, "cipher suite");
}

wzp_err wzp_pcap_quic_tls_parse(wzp_pcap_quic_tls *out, uint8_t type, wzp_bytes body,
                                wzp_fail *fail) {
    wzp_rd rd;
    wzp_rd_init(&rd, body);
    *out = (wzp_pcap_quic_tls){0};
    switch (type) {
    case WZP_PCAP_QUIC_CLIENT_HELLO:
        read_client_hello(&rd, out);
        break;
    case WZP_PCAP_QUIC_SERVER_HELLO:
        read_server_hello(&rd, out);
        break;
    case WZP_PCAP_QUIC_ENCRYPTED_EXTENSIONS:
        read_extensions(&rd, out);
        break;
    default:
        (void)wzp_rd_reject(&rd, WZP_ERR_PARSE, "handshake type", 0, type);
    }
    *fail = rd.fail;
    return rd.fail.code;
}
