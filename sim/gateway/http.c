#include "sim/gateway/http.h"

#define CHUNK_LEN 97 /* breaks tags and values alike */

static wzp_err broken(wzp_fail *fail, wzp_err code, const char *field, size_t offset,
                      uint64_t got) {
    if (fail != NULL) {
        *fail = (wzp_fail){code, field, offset, got};
    }
    return code;
}

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool wzp_sim_http_same(wzp_bytes text, const char *word) {
    for (size_t i = 0; i < text.len; i++) {
        if (word[i] == '\0' || lower(text.data[i]) != lower((uint8_t)word[i])) {
            return false;
        }
    }
    return word[text.len] == '\0';
}

bool wzp_sim_http_number(wzp_bytes text, uint32_t most, uint32_t *out) {
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(text.data[i] - '0');
        if (value > most) {
            return false;
        }
    }
    if (text.len != 0) {
        *out = (uint32_t)value;
    }
    return text.len != 0;
}

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static wzp_bytes trimmed(wzp_bytes text) {
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

static size_t find(wzp_bytes text, uint8_t c) {
    size_t i = 0;
    while (i < text.len && text.data[i] != c) {
        i++;
    }
    return i;
}

/* Takes the next line off `text`; a line may end with LF alone. */
static wzp_bytes next_line(wzp_bytes *text) {
    const size_t at = find(*text, '\n');
    const wzp_bytes line = {text->data, at};
    const size_t used = at < text->len ? at + 1 : at;
    text->data += used;
    text->len -= used;
    return line;
}

wzp_bytes wzp_sim_http_start_line(wzp_bytes head) {
    return trimmed(next_line(&head));
}

bool wzp_sim_http_header(wzp_bytes head, const char *name, wzp_bytes *value) {
    (void)next_line(&head);
    while (head.len > 0) {
        const wzp_bytes line = next_line(&head);
        const size_t colon = find(line, ':');
        if (colon < line.len && wzp_sim_http_same(trimmed(wzp_bytes_of(line.data, colon)), name)) {
            *value = trimmed(wzp_bytes_of(line.data + colon + 1, line.len - colon - 1));
            return true;
        }
    }
    return false;
}

/* --- requests --------------------------------------------------------------------------------- */

/* Length of the head with its empty line; 0: it is not whole. */
static size_t head_len(wzp_bytes text) {
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] == '\n' && text.data[i + 1] == '\n') {
            return i + 2;
        }
        if (text.data[i] == '\n' && text.data[i + 1] == '\r' && i + 2 < text.len &&
            text.data[i + 2] == '\n') {
            return i + 3;
        }
    }
    return 0;
}

/* Takes the next word off `line`. */
static wzp_bytes next_word(wzp_bytes *line) {
    const size_t at = find(*line, ' ');
    const wzp_bytes word = {line->data, at};
    const size_t used = at < line->len ? at + 1 : at;
    line->data += used;
    line->len -= used;
    return word;
}

static bool is_version(wzp_bytes text) {
    return wzp_sim_http_same(text, "HTTP/1.1") || wzp_sim_http_same(text, "HTTP/1.0");
}

static wzp_err read_head(wzp_sim_http_request *request, uint32_t *body_len, wzp_fail *fail) {
    wzp_bytes line = wzp_sim_http_start_line(request->head);
    wzp_bytes value;
    request->method = next_word(&line);
    request->target = next_word(&line);
    if (request->method.len == 0 || request->target.len == 0 || !is_version(line)) {
        return broken(fail, WZP_ERR_PARSE, "request line", 0, line.len);
    }
    *body_len = 0;
    if (wzp_sim_http_header(request->head, "Transfer-Encoding", &value)) {
        return broken(fail, WZP_ERR_PARSE, "Transfer-Encoding", 0, value.len);
    }
    if (wzp_sim_http_header(request->head, "Content-Length", &value) &&
        !wzp_sim_http_number(value, WZP_SIM_HTTP_BODY_MAX, body_len)) {
        return broken(fail, WZP_ERR_PARSE, "Content-Length", 0, value.len);
    }
    return WZP_OK;
}

wzp_err wzp_sim_http_parse(wzp_sim_http_request *out, wzp_bytes text, wzp_fail *fail) {
    wzp_sim_http_request request = {0};
    uint32_t body_len = 0;
    const size_t len = head_len(text);
    if (len > WZP_SIM_HTTP_HEAD_MAX || (len == 0 && text.len > WZP_SIM_HTTP_HEAD_MAX)) {
        return broken(fail, WZP_ERR_PARSE, "head", 0, text.len);
    }
    if (len == 0) {
        return broken(fail, WZP_ERR_TRUNCATED, "head", text.len, text.len);
    }
    request.head = wzp_bytes_of(text.data, len);
    const wzp_err err = read_head(&request, &body_len, fail);
    if (err != WZP_OK) {
        return err;
    }
    if (body_len > text.len - len) {
        return broken(fail, WZP_ERR_TRUNCATED, "body", text.len, body_len);
    }
    request.body = wzp_bytes_of(text.data + len, body_len);
    request.len = len + body_len;
    *out = request;
    return WZP_OK;
}

/* --- responses -------------------------------------------------------------------------------- */

static const char *reason(unsigned status) {
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    default:
        return "Internal Server Error";
    }
}

void wzp_sim_http_put_number(wzp_wr *wr, uint32_t value) {
    char digits[10];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    wzp_wr_bytes(wr, wzp_bytes_of(digits + at, sizeof digits - at));
}

void wzp_sim_http_put_ip(wzp_wr *wr, const wzp_addr *addr) {
    char text[WZP_ADDR_TEXT_MAX];
    const wzp_bytes whole = wzp_bytes_str(wzp_addr_text(addr, text));
    size_t len = whole.len;
    while (len > 0 && whole.data[len - 1] != ':') {
        len--;
    }
    wzp_wr_bytes(wr, wzp_bytes_of(whole.data, len > 0 ? len - 1 : 0));
}

static void put_hex(wzp_wr *wr, size_t value) {
    for (unsigned shift = 12; shift > 0; shift -= 4) {
        if (value >> shift != 0) {
            wzp_wr_u8(wr, (uint8_t) "0123456789abcdef"[(value >> shift) & 0xf]);
        }
    }
    wzp_wr_u8(wr, (uint8_t) "0123456789abcdef"[value & 0xf]);
}

static void put_chunks(wzp_wr *wr, wzp_bytes body) {
    for (size_t at = 0; at < body.len; at += CHUNK_LEN) {
        const size_t len = body.len - at < CHUNK_LEN ? body.len - at : CHUNK_LEN;
        put_hex(wr, len);
        wzp_wr_str(wr, "\r\n");
        wzp_wr_bytes(wr, wzp_bytes_of(body.data + at, len));
        wzp_wr_str(wr, "\r\n");
    }
    wzp_wr_str(wr, "0\r\n\r\n");
}

void wzp_sim_http_respond(wzp_wr *wr, unsigned status, const char *type, wzp_bytes body,
                          bool chunked) {
    wzp_wr_str(wr, "HTTP/1.1 ");
    wzp_sim_http_put_number(wr, status);
    wzp_wr_str(wr, " ");
    wzp_wr_str(wr, reason(status));
    wzp_wr_str(wr, "\r\nContent-Type: ");
    wzp_wr_str(wr, type);
    wzp_wr_str(wr, "\r\nConnection: close\r\nServer: wzp-sim UPnP/1.1\r\n");
    if (chunked) {
        wzp_wr_str(wr, "Transfer-Encoding: chunked\r\n\r\n");
        put_chunks(wr, body);
    } else {
        wzp_wr_str(wr, "Content-Length: ");
        wzp_sim_http_put_number(wr, (uint32_t)body.len);
        wzp_wr_str(wr, "\r\n\r\n");
        wzp_wr_bytes(wr, body);
    }
}
