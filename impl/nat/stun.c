#include "nat/stun.h"

#include "base/rd.h"

enum {
    ATTR_MAPPED_ADDRESS = 0x0001,
    ATTR_CHANGE_REQUEST = 0x0003,
    ATTR_ERROR_CODE = 0x0009,
    ATTR_UNKNOWN_ATTRIBUTES = 0x000a,
    ATTR_XOR_MAPPED_ADDRESS = 0x0020,
    ATTR_PADDING = 0x0026,
    ATTR_RESPONSE_PORT = 0x0027,
    ATTR_OPTIONAL = 0x8000, /* from here on an attribute need not be understood */
    ATTR_SOFTWARE = 0x8022,
    ATTR_FINGERPRINT = 0x8028,
    ATTR_RESPONSE_ORIGIN = 0x802b,
    ATTR_OTHER_ADDRESS = 0x802c
};

#define CHANGE_IP 0x4U
#define CHANGE_PORT 0x2U
#define FINGERPRINT_XOR UINT32_C(0x5354554e)
#define FINGERPRINT_LEN 8

bool wzp_stun_is(wzp_bytes datagram) {
    static const uint8_t cookie[4] = {0x21, 0x12, 0xa4, 0x42};
    return datagram.len >= WZP_STUN_HEADER_LEN && datagram.data[0] < 4 &&
           memcmp(datagram.data + 4, cookie, sizeof cookie) == 0;
}

/* CRC-32 of ITU V.42, bit by bit: messages are short and few. */
static uint32_t crc32(wzp_bytes bytes) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= bytes.data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (UINT32_C(0xedb88320) & (0U - (crc & 1U)));
        }
    }
    return ~crc;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* XOR with cookie and transaction id hides an address from NATs that rewrite payloads. */
static void flip(wzp_addr *addr, const uint8_t txid[WZP_STUN_TXID_LEN]) {
    uint8_t mask[16] = {0x21, 0x12, 0xa4, 0x42};
    memcpy(mask + 4, txid, WZP_STUN_TXID_LEN);
    addr->port ^= (uint16_t)(WZP_STUN_COOKIE >> 16);
    for (size_t i = 0; i < (addr->family == WZP_ADDR_V4 ? 4U : 16U); i++) {
        addr->ip[i] ^= mask[i];
    }
}

static wzp_addr read_address(wzp_rd *rd) {
    wzp_addr addr = {0};
    (void)wzp_rd_u8(rd, "reserved");
    const uint8_t family = wzp_rd_u8(rd, "Family");
    const uint16_t port = wzp_rd_u16(rd, "Port");
    if (rd->fail.code == WZP_OK && family != 1 && family != 2) {
        wzp_rd_reject(rd, WZP_ERR_PARSE, "Family", 3, family);
    }
    const wzp_bytes ip = wzp_rd_bytes(rd, family == 2 ? 16 : 4, "Address");
    if (rd->fail.code == WZP_OK) {
        addr.family = family == 1 ? WZP_ADDR_V4 : WZP_ADDR_V6;
        addr.port = port;
        memcpy(addr.ip, ip.data, ip.len);
    }
    return addr;
}

static void keep_first(wzp_addr *slot, wzp_rd *rd) {
    const wzp_addr addr = read_address(rd);
    if (slot->family == WZP_ADDR_NONE) {
        *slot = addr;
    }
}

static void read_change(wzp_stun_message *message, wzp_rd *rd) {
    const uint32_t flags = wzp_rd_u32(rd, "CHANGE-REQUEST");
    if (!message->has_change) {
        message->has_change = true;
        message->change_ip = (flags & CHANGE_IP) != 0;
        message->change_port = (flags & CHANGE_PORT) != 0;
    }
}

static void read_response_port(wzp_stun_message *message, wzp_rd *rd) {
    const uint16_t port = wzp_rd_u16(rd, "RESPONSE-PORT"); /* and perhaps two bytes of filling */
    if (message->response_port == 0) {
        message->response_port = port;
    }
}

static void read_error(wzp_stun_message *message, wzp_rd *rd) {
    (void)wzp_rd_u16(rd, "reserved");
    const unsigned class = wzp_rd_u8(rd, "Class") & 0x7U;
    const unsigned number = wzp_rd_u8(rd, "Number");
    if (rd->fail.code == WZP_OK && (class < 3 || class > 6 || number > 99)) {
        wzp_rd_reject(rd, WZP_ERR_PARSE, "ERROR-CODE", 2, class * 256 + number);
    } else if (message->error == 0) {
        message->error = (uint16_t)(class * 100 + number);
    }
}

static void note_unknown(wzp_stun_message *message, uint16_t type) {
    if (message->unknown_count < WZP_STUN_UNKNOWN_MAX) {
        message->unknown[message->unknown_count] = type;
    }
    message->unknown_count++;
}

/* `value` is the attribute alone, its padding left out. */
static void read_value(wzp_stun_message *message, uint16_t type, wzp_rd *value) {
    switch (type) {
    case ATTR_MAPPED_ADDRESS:
        keep_first(&message->mapped, value);
        break;
    case ATTR_XOR_MAPPED_ADDRESS:
        keep_first(&message->xor_mapped, value);
        break;
    case ATTR_RESPONSE_ORIGIN:
        keep_first(&message->origin, value);
        break;
    case ATTR_OTHER_ADDRESS:
        keep_first(&message->other, value);
        break;
    case ATTR_CHANGE_REQUEST:
        read_change(message, value);
        break;
    case ATTR_RESPONSE_PORT:
        read_response_port(message, value);
        break;
    case ATTR_PADDING:
        message->has_padding = true;
        message->padding_len = (uint16_t)wzp_rd_left(value);
        break;
    case ATTR_ERROR_CODE:
        read_error(message, value);
        break;
    case ATTR_SOFTWARE:
        if (message->software.len == 0) {
            message->software = wzp_rd_rest(value);
        }
        break;
    case ATTR_UNKNOWN_ATTRIBUTES:
        break; /* the code tells enough */
    default:
        if (type < ATTR_OPTIONAL) {
            note_unknown(message, type);
        }
    }
}

/* It covers everything before it, and is the last attribute. */
static void read_fingerprint(wzp_stun_message *message, wzp_rd *rd, wzp_bytes value) {
    const wzp_bytes before = {rd->base, (size_t)(value.data - rd->base) - 4};
    wzp_rd crc;
    wzp_rd_init(&crc, value);
    if (value.len != 4 || wzp_rd_left(rd) != 0 ||
        wzp_rd_u32(&crc, "FINGERPRINT") != (crc32(before) ^ FINGERPRINT_XOR)) {
        wzp_rd_reject(rd, WZP_ERR_PARSE, "FINGERPRINT", wzp_rd_offset(rd) - before.len, value.len);
    }
    message->has_fingerprint = true;
}

static void read_attribute(wzp_stun_message *message, wzp_rd *rd) {
    const uint16_t type = wzp_rd_u16(rd, "attribute type");
    const uint16_t len = wzp_rd_u16(rd, "attribute length");
    const size_t at = wzp_rd_offset(rd);
    const wzp_bytes padded = wzp_rd_bytes(rd, (len + 3U) & ~(size_t)3, "attribute value");
    wzp_rd value;
    if (rd->fail.code != WZP_OK) {
        return;
    }
    if (type == ATTR_FINGERPRINT) {
        read_fingerprint(message, rd, wzp_bytes_of(padded.data, len));
        return;
    }
    wzp_rd_init(&value, wzp_bytes_of(padded.data, len));
    read_value(message, type, &value);
    if (value.fail.code != WZP_OK) {
        wzp_rd_reject(rd, value.fail.code, value.fail.field,
                      wzp_rd_offset(rd) - at - value.fail.offset, value.fail.got);
    }
}

static void read_header(wzp_stun_message *message, wzp_rd *rd) {
    message->type = wzp_rd_u16(rd, "message type");
    const uint16_t len = wzp_rd_u16(rd, "message length");
    const uint32_t cookie = wzp_rd_u32(rd, "magic cookie");
    const wzp_bytes txid = wzp_rd_bytes(rd, WZP_STUN_TXID_LEN, "transaction id");
    if (rd->fail.code != WZP_OK) {
        return;
    }
    memcpy(message->txid, txid.data, txid.len);
    if (message->type >= 0x4000) {
        wzp_rd_reject(rd, WZP_ERR_PARSE, "message type", 20, message->type);
    } else if (cookie != WZP_STUN_COOKIE) {
        wzp_rd_reject(rd, WZP_ERR_PARSE, "magic cookie", 16, cookie);
    } else if (len % 4 != 0) {
        wzp_rd_reject(rd, WZP_ERR_PARSE, "message length", 18, len);
    } else if (len > wzp_rd_left(rd)) {
        wzp_rd_reject(rd, WZP_ERR_TRUNCATED, "message length", 18, len);
    } else {
        rd->end = rd->pos + len; /* what follows the message is not part of it */
    }
}

wzp_err wzp_stun_parse(wzp_stun_message *out, wzp_bytes datagram, wzp_fail *fail) {
    wzp_stun_message message = {0};
    wzp_rd rd;
    wzp_rd_init(&rd, datagram);
    read_header(&message, &rd);
    while (rd.fail.code == WZP_OK && wzp_rd_left(&rd) > 0) {
        read_attribute(&message, &rd);
    }
    if (message.xor_mapped.family != WZP_ADDR_NONE) {
        flip(&message.xor_mapped, message.txid);
    }
    if (rd.fail.code == WZP_OK) {
        *out = message;
    }
    if (fail != NULL) {
        *fail = rd.fail;
    }
    return rd.fail.code;
}

/* --- what a client reads ---------------------------------------------------------------------- */

typedef struct gathered {
    wzp_addr mapped, xor_mapped;
    uint16_t error;
    bool is_forged; /* a wrong fingerprint */
} gathered;

static wzp_addr address_of(wzp_bytes value) {
    wzp_rd rd;
    wzp_rd_init(&rd, value);
    return read_address(&rd);
}

static void gather_address(wzp_addr *slot, wzp_bytes value, wzp_stun_rules rules) {
    if (rules == WZP_STUN_DEPLOYED || slot->family == WZP_ADDR_NONE) {
        *slot = address_of(value);
    }
}

static void gather(gathered *all, uint16_t type, wzp_bytes value, wzp_stun_rules rules) {
    if (type == ATTR_MAPPED_ADDRESS) {
        gather_address(&all->mapped, value, rules);
    } else if (type == ATTR_XOR_MAPPED_ADDRESS) {
        gather_address(&all->xor_mapped, value, rules);
    } else if (type == ATTR_ERROR_CODE && rules == WZP_STUN_REFERENCE) {
        wzp_stun_message message = {.error = all->error};
        wzp_rd rd;
        wzp_rd_init(&rd, value);
        read_error(&message, &rd);
        all->error = message.error;
    }
}

/* `body` is what follows the header of the message that begins at `base`. */
static void gather_all(gathered *all, const uint8_t *base, wzp_bytes body, wzp_stun_rules rules) {
    wzp_rd rd;
    wzp_rd_init(&rd, body);
    for (;;) {
        const uint16_t type = wzp_rd_u16(&rd, "attribute type");
        const uint16_t len = wzp_rd_u16(&rd, "attribute length");
        const wzp_bytes value = wzp_rd_bytes(&rd, len, "attribute value");
        if (rd.fail.code != WZP_OK) {
            return;
        }
        if (type == ATTR_FINGERPRINT && len == 4 && rules == WZP_STUN_REFERENCE) {
            wzp_rd crc;
            wzp_rd_init(&crc, value);
            all->is_forged |=
                wzp_rd_u32(&crc, "FINGERPRINT") !=
                (crc32((wzp_bytes){base, (size_t)(value.data - base) - 4}) ^ FINGERPRINT_XOR);
            return; /* what follows it is not covered */
        }
        gather(all, type, value, rules);
        (void)wzp_rd_bytes(&rd, (4U - len % 4U) % 4U, "padding");
    }
}

static wzp_stun_verdict gathered_verdict(wzp_stun_answer *out, const gathered *all, bool is_error,
                                         const uint8_t txid[WZP_STUN_TXID_LEN]) {
    wzp_stun_answer answer = {.mapped = all->xor_mapped};
    if (all->is_forged) {
        return WZP_STUN_BAD_FINGERPRINT;
    }
    if (is_error) {
        *out = (wzp_stun_answer){.error = all->error};
        return WZP_STUN_REFUSED;
    }
    if (answer.mapped.family != WZP_ADDR_NONE) {
        flip(&answer.mapped, txid);
    } else {
        answer.mapped = all->mapped;
    }
    if (answer.mapped.family == WZP_ADDR_NONE) {
        return WZP_STUN_NO_ADDRESS;
    }
    *out = answer;
    return WZP_STUN_ACCEPTED;
}

wzp_stun_verdict wzp_stun_read_answer(wzp_stun_answer *out, wzp_bytes datagram,
                                      const uint8_t txid[WZP_STUN_TXID_LEN], wzp_stun_rules rules) {
    gathered all = {0};
    if (datagram.len < WZP_STUN_HEADER_LEN) {
        return WZP_STUN_NOT_STUN;
    }
    wzp_rd rd;
    wzp_rd_init(&rd, datagram);
    const uint16_t type = wzp_rd_u16(&rd, "message type");
    const uint16_t len = wzp_rd_u16(&rd, "message length");
    const uint32_t cookie = wzp_rd_u32(&rd, "magic cookie");
    const wzp_bytes id = wzp_rd_bytes(&rd, WZP_STUN_TXID_LEN, "transaction id");
    if (cookie != WZP_STUN_COOKIE || (type != WZP_STUN_ERROR && type != WZP_STUN_SUCCESS)) {
        return WZP_STUN_NOT_STUN;
    }
    if (type == WZP_STUN_ERROR && rules == WZP_STUN_DEPLOYED) {
        return gathered_verdict(out, &all, true, txid);
    }
    if (memcmp(id.data, txid, WZP_STUN_TXID_LEN) != 0) {
        return WZP_STUN_WRONG_TXID;
    }
    if (len > wzp_rd_left(&rd)) {
        return WZP_STUN_CUT;
    }
    gather_all(&all, datagram.data, wzp_rd_bytes(&rd, len, "attributes"), rules);
    return gathered_verdict(out, &all, type == WZP_STUN_ERROR, txid);
}

const char *wzp_stun_verdict_text(wzp_stun_verdict verdict) {
    static const char *const texts[WZP_STUN_VERDICT_COUNT] = {
        "accepted",          "no STUN answer", "wrong transaction", "longer than its datagram",
        "wrong fingerprint", "error response", "no mapped address"};
    return (unsigned)verdict < WZP_STUN_VERDICT_COUNT ? texts[verdict] : "unknown";
}

/* --- writing ---------------------------------------------------------------------------------- */

static void put_u16(uint8_t *at, size_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The header counts what follows it. */
static void set_length(wzp_wr *wr, size_t more) {
    if (!wr->overflow) {
        put_u16(wr->base + 2, wzp_wr_len(wr) - WZP_STUN_HEADER_LEN + more);
    }
}

static void attribute(wzp_wr *wr, uint16_t type, wzp_bytes value) {
    static const uint8_t zeros[3];
    wzp_wr_u16(wr, type);
    wzp_wr_u16(wr, (uint16_t)value.len);
    wzp_wr_bytes(wr, value);
    wzp_wr_bytes(wr, wzp_bytes_of(zeros, (4 - value.len % 4) % 4));
}

static void address(wzp_wr *wr, uint16_t type, const wzp_addr *addr) {
    if (addr->family != WZP_ADDR_NONE) {
        const size_t len = addr->family == WZP_ADDR_V4 ? 4 : 16;
        uint8_t value[20] = {0, addr->family == WZP_ADDR_V4 ? 1 : 2};
        put_u16(value + 2, addr->port);
        memcpy(value + 4, addr->ip, len);
        attribute(wr, type, wzp_bytes_of(value, 4 + len));
    }
}

static const char *reason(uint16_t error) {
    switch (error) {
    case 400:
        return "Bad Request";
    case 420:
        return "Unknown Attribute";
    default:
        return "Error";
    }
}

static void write_error(wzp_wr *wr, const wzp_stun_message *message) {
    uint8_t value[32] = {0, 0, (uint8_t)(message->error / 100), (uint8_t)(message->error % 100)};
    const wzp_bytes text = wzp_bytes_str(reason(message->error));
    memcpy(value + 4, text.data, text.len);
    attribute(wr, ATTR_ERROR_CODE, wzp_bytes_of(value, 4 + text.len));
}

static void write_unknown(wzp_wr *wr, const wzp_stun_message *message) {
    uint8_t value[2 * WZP_STUN_UNKNOWN_MAX];
    const size_t count = message->unknown_count < WZP_STUN_UNKNOWN_MAX ? message->unknown_count
                                                                       : WZP_STUN_UNKNOWN_MAX;
    for (size_t i = 0; i < count; i++) {
        put_u16(value + 2 * i, message->unknown[i]);
    }
    attribute(wr, ATTR_UNKNOWN_ATTRIBUTES, wzp_bytes_of(value, 2 * count));
}

static void write_padding(wzp_wr *wr, uint16_t len) {
    wzp_wr_u16(wr, ATTR_PADDING);
    wzp_wr_u16(wr, len);
    for (size_t i = 0; i < ((len + 3U) & ~(size_t)3); i++) {
        wzp_wr_u8(wr, 0);
    }
}

static void write_numbers(wzp_wr *wr, const wzp_stun_message *message) {
    if (message->has_change) {
        const uint8_t flags = (uint8_t)((message->change_ip ? CHANGE_IP : 0) |
                                        (message->change_port ? CHANGE_PORT : 0));
        attribute(wr, ATTR_CHANGE_REQUEST, wzp_bytes_of((uint8_t[]){0, 0, 0, flags}, 4));
    }
    if (message->response_port != 0) {
        uint8_t port[2];
        put_u16(port, message->response_port);
        attribute(wr, ATTR_RESPONSE_PORT, wzp_bytes_of(port, 2));
    }
    if (message->error != 0) {
        write_error(wr, message);
    }
    if (message->unknown_count != 0) {
        write_unknown(wr, message);
    }
}

void wzp_stun_write(wzp_wr *wr, const wzp_stun_message *message) {
    wzp_addr flipped = message->xor_mapped;
    wzp_wr_u16(wr, message->type);
    wzp_wr_u16(wr, 0);
    wzp_wr_u32(wr, WZP_STUN_COOKIE);
    wzp_wr_bytes(wr, wzp_bytes_of(message->txid, sizeof message->txid));
    if (message->software.len != 0) {
        attribute(wr, ATTR_SOFTWARE, message->software);
    }
    write_numbers(wr, message);
    address(wr, ATTR_MAPPED_ADDRESS, &message->mapped);
    if (flipped.family != WZP_ADDR_NONE) {
        flip(&flipped, message->txid);
    }
    address(wr, ATTR_XOR_MAPPED_ADDRESS, &flipped);
    address(wr, ATTR_RESPONSE_ORIGIN, &message->origin);
    address(wr, ATTR_OTHER_ADDRESS, &message->other);
    if (message->has_padding) {
        write_padding(wr, message->padding_len);
    }
    set_length(wr, message->has_fingerprint ? FINGERPRINT_LEN : 0);
    if (message->has_fingerprint && !wr->overflow) {
        const uint32_t crc = crc32(wzp_bytes_of(wr->base, wzp_wr_len(wr))) ^ FINGERPRINT_XOR;
        wzp_wr_u16(wr, ATTR_FINGERPRINT);
        wzp_wr_u16(wr, 4);
        wzp_wr_u32(wr, crc);
    }
}
