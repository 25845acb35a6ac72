#include "sim/gateway/http.h"
#include "sim/gateway/upnp.h"
#include "wire/testing/bytes.h"

#define SEARCH(st)                                                                                 \
    "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\n"     \
    "ST: " st "\r\n\r\n"
/* What the client of nat sheet 1.8 sends: 137 bytes. */
#define CLIENT SEARCH("urn:schemas-upnp-org:device:InternetGatewayDevice:1")

static const wzp_sim_upnp_cfg first = {.version = 1};
static const wzp_sim_upnp_cfg second = {.version = 2};

static wzp_sim_upnp gateway(const wzp_sim_upnp_cfg *cfg) {
    return (wzp_sim_upnp){.cfg = cfg, .http = {WZP_ADDR_V4, 5000, {192, 168, 1, 1}}};
}

static const struct parse_case {
    const char *name, *text;
    wzp_err want;
    uint32_t mx_s;
    const char *target, *field;
} parse_cases[] = {
    {"client", CLIENT, WZP_OK, 2, "urn:schemas-upnp-org:device:InternetGatewayDevice:1", ""},
    {"names in any case", "m-search * http/1.1\nman:\"SSDP:discover\"\nmx:0\nst:ssdp:all\n\n",
     WZP_OK, 0, "ssdp:all", ""},
    {"no empty line at the end", "M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nMX: 9\r\nST: x",
     WZP_OK, 5, "x", ""},
    {"announcement", "NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\n\r\n", WZP_ERR_PARSE, 0, "",
     "request line"},
    {"no MAN", "M-SEARCH * HTTP/1.1\r\nMX: 2\r\nST: ssdp:all\r\n\r\n", WZP_ERR_PARSE, 0, "", "MAN"},
    {"MAN without quotes", "M-SEARCH * HTTP/1.1\r\nMAN: ssdp:discover\r\nMX: 2\r\nST: x\r\n\r\n",
     WZP_ERR_PARSE, 0, "", "MAN"},
    {"no MX", "M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\n\r\n",
     WZP_ERR_PARSE, 0, "", "MX"},
    {"MX is no number", "M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nMX: x\r\nST: y\r\n\r\n",
     WZP_ERR_PARSE, 0, "", "MX"},
    {"no ST", "M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\n\r\n", WZP_ERR_PARSE, 0,
     "", "ST"},
    {"nothing", "", WZP_ERR_PARSE, 0, "", "request line"},
};

START_TEST(parse) {
    const struct parse_case *c = &parse_cases[_i];
    wzp_sim_ssdp_search got = {0};
    wzp_fail fail = {.field = ""};
    const wzp_err err = wzp_sim_ssdp_parse(&got, wzp_bytes_str(c->text), &fail);
    ck_assert_msg(err == c->want, "%s: %s", c->name, wzp_err_name(err));
    ck_assert_msg(wzp_bytes_equal(got.target, wzp_bytes_str(c->target)), "%s", c->name);
    ck_assert_uint_eq(got.mx_s, c->mx_s);
    ck_assert_str_eq(fail.field, c->field);
}
END_TEST

START_TEST(every_prefix) {
    const wzp_bytes whole = wzp_bytes_str(CLIENT);
    for (size_t len = 0; len < whole.len; len++) {
        uint8_t *copy = exact(whole.data, len);
        wzp_sim_ssdp_search got;
        /* It may be good before its end: then it asks for less. */
        const wzp_err err = wzp_sim_ssdp_parse(&got, wzp_bytes_of(copy, len), NULL);
        ck_assert(err == WZP_ERR_PARSE || (got.target.data >= copy && got.target.len <= len));
        free(copy);
    }
}
END_TEST

/* The n-th answer as text, "" if there is none. */
static const char *answer(const wzp_sim_upnp_cfg *cfg, const char *search, size_t n,
                          char buf[WZP_SIM_SSDP_ANSWER_MAX]) {
    const wzp_sim_upnp upnp = gateway(cfg);
    wzp_sim_ssdp_search got;
    wzp_wr wr;
    ck_assert(wzp_sim_ssdp_parse(&got, wzp_bytes_str(search), NULL) == WZP_OK);
    wzp_wr_init(&wr, (uint8_t *)buf, WZP_SIM_SSDP_ANSWER_MAX - 1);
    const bool answered = wzp_sim_ssdp_answer(&upnp, &got, n, &wr);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    ck_assert(answered == (wzp_wr_len(&wr) > 0));
    buf[wzp_wr_len(&wr)] = '\0';
    return buf;
}

START_TEST(answer_to_the_client) {
    char buf[WZP_SIM_SSDP_ANSWER_MAX];
    ck_assert_str_eq(answer(&first, CLIENT, 0, buf),
                     "HTTP/1.1 200 OK\r\n"
                     "CACHE-CONTROL: max-age=1800\r\n"
                     "EXT:\r\n"
                     "LOCATION: http://192.168.1.1:5000/rootDesc.xml\r\n"
                     "SERVER: wzp-sim UPnP/1.1 gateway/1\r\n"
                     "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
                     "USN: uuid:7d1e5a00-0001-4000-8000-000000000001::"
                     "urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n");
    ck_assert_str_eq(answer(&first, CLIENT, 1, buf), "");
}
END_TEST

static const struct target_case {
    const char *search;
    size_t first, second; /* answers of a gateway of version 1 and 2 */
    const char *st;       /* of the first answer of version 2 */
} target_cases[] = {
    {SEARCH("ssdp:all"), 9, 9, "upnp:rootdevice"},
    {SEARCH("upnp:rootdevice"), 1, 1, "upnp:rootdevice"},
    {SEARCH("urn:schemas-upnp-org:device:InternetGatewayDevice:1"), 1, 1,
     "urn:schemas-upnp-org:device:InternetGatewayDevice:1"},
    {SEARCH("urn:schemas-upnp-org:device:InternetGatewayDevice:2"), 0, 1,
     "urn:schemas-upnp-org:device:InternetGatewayDevice:2"},
    {SEARCH("urn:schemas-upnp-org:device:InternetGatewayDevice:3"), 0, 0, ""},
    {SEARCH("urn:schemas-upnp-org:device:InternetGatewayDevice:0"), 0, 0, ""},
    {SEARCH("urn:schemas-upnp-org:device:InternetGatewayDevice:"), 0, 0, ""},
    {SEARCH("urn:schemas-upnp-org:device:InternetGatewayDevice:1x"), 0, 0, ""},
    {SEARCH("urn:schemas-upnp-org:service:WANIPConnection:1"), 1, 1,
     "urn:schemas-upnp-org:service:WANIPConnection:1"},
    {SEARCH("urn:schemas-upnp-org:service:WANIPConnection:2"), 0, 1,
     "urn:schemas-upnp-org:service:WANIPConnection:2"},
    {SEARCH("urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1"), 1, 1,
     "urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1"},
    {SEARCH("urn:schemas-upnp-org:service:WANCommonInterfaceConfig:2"), 0, 0, ""},
    {SEARCH("urn:schemas-upnp-org:service:WANPPPConnection:1"), 0, 0, ""},
    {SEARCH("urn:schemas-upnp-org:device:MediaRenderer:1"), 0, 0, ""},
    {SEARCH("uuid:7d1e5a00-0001-4000-8000-000000000003"), 1, 1,
     "uuid:7d1e5a00-0001-4000-8000-000000000003"},
};

static size_t count(const wzp_sim_upnp_cfg *cfg, const char *search) {
    char buf[WZP_SIM_SSDP_ANSWER_MAX];
    size_t n = 0;
    while (answer(cfg, search, n, buf)[0] != '\0') {
        n++;
    }
    return n;
}

START_TEST(targets) {
    const struct target_case *c = &target_cases[_i];
    char buf[WZP_SIM_SSDP_ANSWER_MAX];
    wzp_bytes st = {0};
    ck_assert_msg(count(&first, c->search) == c->first, "%s", c->search);
    ck_assert_msg(count(&second, c->search) == c->second, "%s", c->search);
    (void)wzp_sim_http_header(wzp_bytes_str(answer(&second, c->search, 0, buf)), "ST", &st);
    ck_assert_msg(wzp_bytes_equal(st, wzp_bytes_str(c->st)), "%s", c->search);
}
END_TEST

START_TEST(television) {
    const wzp_addr tv = wzp_addr_v4(192, 168, 1, 50, 8080);
    static const char get[] = "GET /dmr.xml HTTP/1.1\r\n\r\n";
    uint8_t buf[2048];
    wzp_sim_ssdp_search search;
    wzp_bytes value;
    wzp_wr wr;
    ck_assert(wzp_sim_ssdp_parse(&search, wzp_bytes_str(CLIENT), NULL) == WZP_OK);
    wzp_wr_init(&wr, buf, WZP_SIM_SSDP_ANSWER_MAX);
    wzp_sim_tv_answer(&tv, &search, &wr);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    const wzp_bytes text = {buf, wzp_wr_len(&wr)};
    ck_assert(wzp_sim_http_header(text, "location", &value));
    ck_assert(wzp_bytes_equal(value, wzp_bytes_str("http://192.168.1.50:8080/dmr.xml")));
    ck_assert(wzp_sim_http_header(text, "st", &value));
    ck_assert(wzp_bytes_equal(value, search.target));
    wzp_wr_init(&wr, buf, sizeof buf - 1);
    wzp_sim_tv_http(wzp_bytes_str(get), &wr);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    buf[wzp_wr_len(&wr)] = '\0';
    ck_assert_ptr_nonnull(strstr((char *)buf, "MediaRenderer:1"));
    ck_assert_ptr_null(strstr((char *)buf, "WAN"));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("ssdp");
    tcase_add_loop_test(tc, parse, 0, WZP_COUNT_OF(parse_cases));
    tcase_add_test(tc, every_prefix);
    tcase_add_test(tc, answer_to_the_client);
    tcase_add_loop_test(tc, targets, 0, WZP_COUNT_OF(target_cases));
    tcase_add_test(tc, television);
    return wzp_run_suite("ssdp", tc);
}
