#include "sim/gateway/http.h"

#include "wire/testing/bytes.h"

#define GET "GET /rootDesc.xml HTTP/1.1\r\nHost: 192.168.1.1:5000\r\nConnection: close\r\n\r\n"
#define POST                                                                                       \
    "POST /ctl/IPConn HTTP/1.1\r\nHost: 192.168.1.1:5000\r\nContent-Type: text/xml\r\n"            \
    "SOAPAction: \"urn:x#Y\"\r\nContent-Length: 5\r\n\r\nhello"

static const struct parse_case {
    const char *name, *text;
    wzp_err want;
    const char *method, *target, *body, *field;
} parse_cases[] = {
    {"get", GET, WZP_OK, "GET", "/rootDesc.xml", "", NULL},
    {"post", POST, WZP_OK, "POST", "/ctl/IPConn", "hello", NULL},
    {"bare line feeds", "GET / HTTP/1.0\nA: b\n\n", WZP_OK, "GET", "/", "", NULL},
    {"more on the same connection", POST GET, WZP_OK, "POST", "/ctl/IPConn", "hello", NULL},
    {"empty", "", WZP_ERR_TRUNCATED, "", "", "", "head"},
    {"body is not whole", "POST / HTTP/1.1\r\nContent-length:  5 \r\n\r\nhell", WZP_ERR_TRUNCATED,
     "", "", "", "body"},
    {"another protocol", "GET / RTSP/1.0\r\n\r\n", WZP_ERR_PARSE, "", "", "", "request line"},
    {"no target", "GET HTTP/1.1\r\n\r\n", WZP_ERR_PARSE, "", "", "", "request line"},
    {"empty lines", "\r\n\r\n", WZP_ERR_PARSE, "", "", "", "request line"},
    {"negative length", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", WZP_ERR_PARSE, "", "", "",
     "Content-Length"},
    {"length beyond all bounds", "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
     WZP_ERR_PARSE, "", "", "", "Content-Length"},
    {"body in chunks", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     WZP_ERR_PARSE, "", "", "", "Transfer-Encoding"},
};

START_TEST(parse) {
    const struct parse_case *c = &parse_cases[_i];
    wzp_sim_http_request got = {0};
    wzp_fail fail = {0};
    const wzp_err err = wzp_sim_http_parse(&got, wzp_bytes_str(c->text), &fail);
    ck_assert_msg(err == c->want, "%s: %s", c->name, wzp_err_name(err));
    ck_assert_msg(wzp_bytes_equal(got.method, wzp_bytes_str(c->method)), "%s", c->name);
    ck_assert_msg(wzp_bytes_equal(got.target, wzp_bytes_str(c->target)), "%s", c->name);
    ck_assert_msg(wzp_bytes_equal(got.body, wzp_bytes_str(c->body)), "%s", c->name);
    if (c->field != NULL) {
        ck_assert_str_eq(fail.field, c->field);
    }
}
END_TEST

/* A stream delivers a request piece by piece: each prefix wants more, and no more than there is. */
START_TEST(every_prefix) {
    const wzp_bytes whole = wzp_bytes_str(POST);
    for (size_t len = 0; len <= whole.len; len++) {
        uint8_t *copy = exact(whole.data, len);
        wzp_sim_http_request got;
        const wzp_err err = wzp_sim_http_parse(&got, wzp_bytes_of(copy, len), NULL);
        ck_assert(err == (len == whole.len ? WZP_OK : WZP_ERR_TRUNCATED));
        ck_assert(err != WZP_OK || got.len == whole.len);
        free(copy);
    }
}
END_TEST

START_TEST(endless_head) {
    static uint8_t text[WZP_SIM_HTTP_HEAD_MAX + 1];
    wzp_sim_http_request got;
    memset(text, 'a', sizeof text);
    ck_assert(wzp_sim_http_parse(&got, wzp_bytes_of(text, sizeof text), NULL) == WZP_ERR_PARSE);
    ck_assert(wzp_sim_http_parse(&got, wzp_bytes_of(text, sizeof text - 1), NULL) ==
              WZP_ERR_TRUNCATED);
}
END_TEST

START_TEST(headers) {
    const wzp_bytes head = wzp_bytes_str("GET / HTTP/1.1\r\nsoapaction:\t\"x\" \r\nA:b\r\nA: c\r\n"
                                         "Empty:\r\nno colon\r\nLOCATION: http://h:1/p\r\n\r\n");
    wzp_bytes value;
    ck_assert(wzp_sim_http_header(head, "SOAPAction", &value));
    ck_assert(wzp_bytes_equal(value, wzp_bytes_str("\"x\"")));
    ck_assert(wzp_sim_http_header(head, "a", &value)); /* the first of two */
    ck_assert(wzp_bytes_equal(value, wzp_bytes_str("b")));
    ck_assert(wzp_sim_http_header(head, "EMPTY", &value) && value.len == 0);
    ck_assert(wzp_sim_http_header(head, "location", &value)); /* its value has colons */
    ck_assert(wzp_bytes_equal(value, wzp_bytes_str("http://h:1/p")));
    ck_assert(!wzp_sim_http_header(head, "GET / HTTP/1.1", &value));
    ck_assert(!wzp_sim_http_header(head, "no colon", &value));
    ck_assert(!wzp_sim_http_header(head, "", &value));
}
END_TEST

static const struct number_case {
    const char *text;
    uint32_t most;
    bool want;
    uint32_t value;
} number_cases[] = {
    {"0", 10, true, 0},
    {"10", 10, true, 10},
    {"11", 10, false, 0},
    {"007", 10, true, 7},
    {"", 10, false, 0},
    {" 1", 10, false, 0},
    {"1 ", 10, false, 0},
    {"+1", 10, false, 0},
    {"4294967295", UINT32_MAX, true, UINT32_MAX},
    {"4294967296", UINT32_MAX, false, 0},
    {"18446744073709551617", UINT32_MAX, false, 0},
};

START_TEST(numbers) {
    const struct number_case *c = &number_cases[_i];
    uint32_t value = 0;
    ck_assert_msg(wzp_sim_http_number(wzp_bytes_str(c->text), c->most, &value) == c->want, "%s",
                  c->text);
    ck_assert_uint_eq(value, c->value);
}
END_TEST

static void assert_text(const wzp_wr *wr, const char *want) {
    ck_assert(wzp_wr_end(wr) == WZP_OK);
    ck_assert_msg(wzp_bytes_equal(wzp_bytes_of(wr->base, wzp_wr_len(wr)), wzp_bytes_str(want)),
                  "%.*s", (int)wzp_wr_len(wr), (const char *)wr->base);
}

#define HEAD "Content-Type: text/xml\r\nConnection: close\r\nServer: wzp-sim UPnP/1.1\r\n"

START_TEST(responses) {
    uint8_t buf[1024];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_http_respond(&wr, 200, "text/xml", wzp_bytes_str("<a/>"), false);
    assert_text(&wr, "HTTP/1.1 200 OK\r\n" HEAD "Content-Length: 4\r\n\r\n<a/>");
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_http_respond(&wr, 404, "text/xml", wzp_bytes_str(""), true);
    assert_text(&wr, "HTTP/1.1 404 Not Found\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n"
                     "0\r\n\r\n");
}
END_TEST

/* Undoes the chunks, each of which says its own length. */
START_TEST(chunks_add_up) {
    uint8_t body[777];
    uint8_t buf[1024];
    uint8_t joined[sizeof body];
    size_t len = 0;
    unsigned count = 0;
    wzp_wr wr;
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = (uint8_t)('a' + i % 26);
    }
    wzp_wr_init(&wr, buf, sizeof buf - 1);
    wzp_sim_http_respond(&wr, 200, "text/xml", wzp_bytes_of(body, sizeof body), true);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    buf[wzp_wr_len(&wr)] = '\0';
    char *at = strstr((char *)buf, "\r\n\r\n");
    ck_assert_ptr_nonnull(at);
    at += 4;
    for (;;) {
        char *end = NULL;
        const size_t size = strtoul(at, &end, 16);
        ck_assert(memcmp(end, "\r\n", 2) == 0 && len + size <= sizeof joined);
        memcpy(joined + len, end + 2, size);
        len += size;
        ck_assert_mem_eq(end + 2 + size, "\r\n", 2);
        at = end + 4 + size;
        count++;
        if (size == 0) {
            break;
        }
    }
    ck_assert_uint_gt(count, 3);
    ck_assert(wzp_bytes_equal(wzp_bytes_of(joined, len), wzp_bytes_of(body, sizeof body)));
}
END_TEST

START_TEST(addresses) {
    uint8_t buf[64];
    wzp_wr wr;
    wzp_addr addr = wzp_addr_v4(192, 168, 1, 1, 5000);
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_http_put_ip(&wr, &addr);
    assert_text(&wr, "192.168.1.1");
    addr = (wzp_addr){WZP_ADDR_V6, 1, {0x20, 1, 0xd, 0xb8, [15] = 1}};
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_http_put_ip(&wr, &addr);
    assert_text(&wr, "[2001:db8::1]");
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("http");
    tcase_add_loop_test(tc, parse, 0, WZP_COUNT_OF(parse_cases));
    tcase_add_test(tc, every_prefix);
    tcase_add_test(tc, endless_head);
    tcase_add_test(tc, headers);
    tcase_add_loop_test(tc, numbers, 0, WZP_COUNT_OF(number_cases));
    tcase_add_test(tc, responses);
    tcase_add_test(tc, chunks_add_up);
    tcase_add_test(tc, addresses);
    return wzp_run_suite("http", tc);
}
