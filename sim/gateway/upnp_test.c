/* SIM-006 for UPnP: orders as text, responses as text, and what the NAT then forwards. */
#include "sim/gateway/upnp.h"

#include "sim/gateway/http.h"
#include "sim/gateway/testing/gateway.h"
#include "sim/gateway/xml.h"

#define HOST "192.168.1.10:50123"
#define OTHER "192.168.1.11:50123"

/* A gateway on a bench, and the last response it gave. */
typedef struct desk {
    bench bench;
    wzp_sim_upnp_cfg cfg;
    char response[WZP_SIM_UPNP_HTTP_MAX];
} desk;

static void send(desk *d, const char *from, wzp_bytes request) {
    const wzp_sim_upnp upnp = {.cfg = &d->cfg,
                               .leases = d->bench.leases,
                               .http = addr_of("192.168.1.1:5000"),
                               .uptime_s = 77};
    const wzp_addr client = addr_of(from);
    wzp_wr wr;
    wzp_wr_init(&wr, (uint8_t *)d->response, sizeof d->response - 1);
    wzp_sim_upnp_http(&upnp, &client, request, d->bench.now, &wr);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    d->response[wzp_wr_len(&wr)] = '\0';
}

static unsigned status(const desk *d) {
    ck_assert(strncmp(d->response, "HTTP/1.1 ", 9) == 0);
    return (unsigned)strtoul(d->response + 9, NULL, 10);
}

/* The text of an element of the response; "?" if there is none. */
static const char *value(const desk *d, const char *element, char buf[256]) {
    wzp_bytes text;
    if (!wzp_sim_xml_text(wzp_bytes_str(d->response), element, &text)) {
        text = wzp_bytes_str("?");
    }
    ck_assert_uint_lt(text.len, 256);
    memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';
    return buf;
}

static unsigned fault(const desk *d) {
    char buf[256];
    return status(d) == 200 ? 0 : (unsigned)strtoul(value(d, "errorCode", buf), NULL, 10);
}

#define V1 "urn:schemas-upnp-org:service:WANIPConnection:1"
#define V2 "urn:schemas-upnp-org:service:WANIPConnection:2"
#define CIF "urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1"

static size_t append(char *buf, size_t len, const char *text) {
    const size_t more = strlen(text);
    ck_assert_uint_lt(len + more, 4096);
    memcpy(buf + len, text, more + 1);
    return len + more;
}

/* An order, as the client of nat sheet 1.8 writes it. */
static void order_to(desk *d, const char *from, const char *path, const char *type,
                     const char *action, const char *args) {
    char body[4096];
    char text[4096];
    wzp_wr wr;
    size_t len = append(body, 0,
                        "<?xml version=\"1.0\"?><s:Envelope "
                        "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
                        "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>"
                        "<u:");
    len = append(body, len, action);
    len = append(body, len, " xmlns:u=\"");
    len = append(body, len, type);
    len = append(body, len, "\">");
    len = append(body, len, args);
    len = append(body, len, "</u:");
    len = append(body, len, action);
    len = append(body, len, "></s:Body></s:Envelope>");
    wzp_wr_init(&wr, (uint8_t *)text, sizeof text);
    wzp_wr_str(&wr, "POST ");
    wzp_wr_str(&wr, path);
    wzp_wr_str(&wr, " HTTP/1.1\r\nHost: 192.168.1.1:5000\r\n"
                    "Content-Type: text/xml; charset=\"utf-8\"\r\nSOAPAction: \"");
    wzp_wr_str(&wr, type);
    wzp_wr_str(&wr, "#");
    wzp_wr_str(&wr, action);
    wzp_wr_str(&wr, "\"\r\nContent-Length: ");
    wzp_sim_http_put_number(&wr, (uint32_t)len);
    wzp_wr_str(&wr, "\r\nConnection: close\r\n\r\n");
    wzp_wr_str(&wr, body);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    send(d, from, wzp_bytes_of(text, wzp_wr_len(&wr)));
}

static unsigned order(desk *d, const char *from, const char *action, const char *args) {
    order_to(d, from, "/ctl/IPConn", d->cfg.version == 2 ? V2 : V1, action, args);
    return fault(d);
}

static desk desk_new(const wzp_sim_upnp_cfg *cfg, const wzp_sim_leases_cfg *leases) {
    return (desk){.bench = bench_new("symrand", leases), .cfg = *cfg};
}

static const wzp_sim_upnp_cfg first = {.version = 1};
static const wzp_sim_upnp_cfg second = {.version = 2};

#define ADD_FULL(remote, external, proto, internal, client, enabled, text, lease)                  \
    "<NewRemoteHost>" remote "</NewRemoteHost><NewExternalPort>" external                          \
    "</NewExternalPort><NewProtocol>" proto "</NewProtocol><NewInternalPort>" internal             \
    "</NewInternalPort><NewInternalClient>" client "</NewInternalClient><NewEnabled>" enabled      \
    "</NewEnabled><NewPortMappingDescription>" text                                                \
    "</NewPortMappingDescription><NewLeaseDuration>" lease "</NewLeaseDuration>"
#define ADD(external, internal, client, lease)                                                     \
    ADD_FULL("", external, "UDP", internal, client, "1", "WarzonePhone", lease)
#define ENTRY(external, proto)                                                                     \
    "<NewRemoteHost></NewRemoteHost><NewExternalPort>" external                                    \
    "</NewExternalPort><NewProtocol>" proto "</NewProtocol>"

/* The two orders of the client, byte for byte (257 and 595 bytes of body). */
START_TEST(the_client) {
    static const char get[] =
        "POST /ctl/IPConn HTTP/1.1\r\nHost: 192.168.1.1:5000\r\n"
        "Content-Type: text/xml; charset=\"utf-8\"\r\nSOAPAction: \"" V1
        "#GetExternalIPAddress\"\r\n"
        "Content-Length: 257\r\nConnection: close\r\n\r\n"
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
        "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>"
        "<u:GetExternalIPAddress xmlns:u=\"" V1 "\"/></s:Body></s:Envelope>";
    desk d = desk_new(&first, NULL);
    char buf[256];
    send(&d, HOST, wzp_bytes_str(get));
    ck_assert_uint_eq(status(&d), 200);
    ck_assert_str_eq(value(&d, "NewExternalIPAddress", buf), "203.0.113.9");
    ck_assert_uint_eq(
        order(&d, HOST, "AddPortMapping", ADD("40000", "40000", "192.168.1.10", "7200")), 0);
    ck_assert_ptr_null(strstr(d.response, "errorCode"));
    BENCH_ASSERT_REACH(&d.bench, 40000, "192.168.1.10:40000");
    d.bench.now += 7199 * WZP_S;
    BENCH_ASSERT_REACH(&d.bench, 40000, "192.168.1.10:40000");
    d.bench.now += WZP_S;
    BENCH_ASSERT_REACH(&d.bench, 40000, "-");
    bench_free(&d.bench);
}
END_TEST

START_TEST(life_of_an_entry) {
    desk d = desk_new(&first, NULL);
    char buf[256];
    ck_assert_uint_eq(
        order(&d, HOST, "AddPortMapping",
              ADD_FULL("", "50000", "UDP", "40000", "192.168.1.10", "1", "a&lt;b", "600")),
        0);
    d.bench.now += 100 * WZP_S;
    ck_assert_uint_eq(order(&d, HOST, "GetSpecificPortMappingEntry", ENTRY("50000", "UDP")), 0);
    ck_assert_str_eq(value(&d, "NewInternalPort", buf), "40000");
    ck_assert_str_eq(value(&d, "NewInternalClient", buf), "192.168.1.10");
    ck_assert_str_eq(value(&d, "NewEnabled", buf), "1");
    ck_assert_str_eq(value(&d, "NewPortMappingDescription", buf), "a&lt;b");
    ck_assert_str_eq(value(&d, "NewLeaseDuration", buf), "500");
    ck_assert_uint_eq(order(&d, HOST, "GetGenericPortMappingEntry",
                            "<NewPortMappingIndex>0</NewPortMappingIndex>"),
                      0);
    ck_assert_str_eq(value(&d, "NewExternalPort", buf), "50000");
    ck_assert_str_eq(value(&d, "NewProtocol", buf), "UDP");
    ck_assert_str_eq(value(&d, "NewRemoteHost", buf), "");
    ck_assert_uint_eq(order(&d, HOST, "AddPortMapping", ADD("50000", "40000", "192.168.1.10", "0")),
                      0); /* renewed, for ever */
    d.bench.now += 10000000 * WZP_S;
    BENCH_ASSERT_REACH(&d.bench, 50000, "192.168.1.10:40000");
    ck_assert_uint_eq(order(&d, HOST, "DeletePortMapping", ENTRY("50000", "UDP")), 0);
    BENCH_ASSERT_REACH(&d.bench, 50000, "-");
    ck_assert_uint_eq(order(&d, HOST, "DeletePortMapping", ENTRY("50000", "UDP")), 714);
    bench_free(&d.bench);
}
END_TEST

/* Port 50000 belongs to 192.168.1.20 by UPnP, 50001 to 192.168.1.10 by NAT-PMP. */
static const struct order_case {
    const char *name;
    wzp_sim_upnp_cfg cfg;
    const char *action, *args;
    unsigned want; /* fault */
} order_cases[] = {
    {"add", {0}, "AddPortMapping", ADD("40000", "40000", "192.168.1.10", "0"), 0},
    {"ports differ", {0}, "AddPortMapping", ADD("40000", "40001", "192.168.1.10", "0"), 0},
    {"same ports required",
     {.same_port_only = true},
     "AddPortMapping",
     ADD("40000", "40001", "192.168.1.10", "0"),
     724},
    {"permanent only",
     {.permanent_only = true},
     "AddPortMapping",
     ADD("40000", "40000", "192.168.1.10", "7200"),
     725},
    {"permanent, as it must be",
     {.permanent_only = true},
     "AddPortMapping",
     ADD("40000", "40000", "192.168.1.10", "0"),
     0},
    {"remote host",
     {0},
     "AddPortMapping",
     ADD_FULL("198.51.100.1", "40000", "TCP", "1", "192.168.1.10", "1", "", "0"),
     0},
    {"remote host where only wildcards are",
     {.wildcard_only = true},
     "AddPortMapping",
     ADD_FULL("198.51.100.1", "40000", "UDP", "1", "192.168.1.10", "1", "", "0"),
     726},
    {"refused", {.refuse = 606}, "AddPortMapping", ADD("40000", "40000", "192.168.1.10", "0"), 606},
    {"refused to delete", {.refuse = 606}, "DeletePortMapping", ENTRY("50000", "UDP"), 606},
    {"for another host", {0}, "AddPortMapping", ADD("40000", "40000", "192.168.1.11", "0"), 606},
    {"for another host, where it may",
     {.any_client = true},
     "AddPortMapping",
     ADD("40000", "40000", "192.168.1.11", "0"),
     0},
    {"external port 0", {0}, "AddPortMapping", ADD("0", "40000", "192.168.1.10", "0"), 716},
    {"internal port 0", {0}, "AddPortMapping", ADD("40000", "0", "192.168.1.10", "0"), 402},
    {"port 65536", {0}, "AddPortMapping", ADD("65536", "40000", "192.168.1.10", "0"), 402},
    {"port is no number", {0}, "AddPortMapping", ADD("4x", "40000", "192.168.1.10", "0"), 402},
    {"client is no address",
     {0},
     "AddPortMapping",
     ADD("40000", "40000", "host.example", "0"),
     402},
    {"no client", {0}, "AddPortMapping", ADD("40000", "40000", "", "0"), 402},
    {"SCTP",
     {0},
     "AddPortMapping",
     ADD_FULL("", "40000", "SCTP", "40000", "192.168.1.10", "1", "", "0"),
     402},
    {"enabled is neither",
     {0},
     "AddPortMapping",
     ADD_FULL("", "40000", "UDP", "40000", "192.168.1.10", "2", "", "0"),
     402},
    {"remote host is no address",
     {0},
     "AddPortMapping",
     ADD_FULL("any", "40000", "UDP", "40000", "192.168.1.10", "1", "", "0"),
     402},
    {"no arguments", {0}, "AddPortMapping", "", 402},
    {"conflict with a host",
     {0},
     "AddPortMapping",
     ADD("50000", "40000", "192.168.1.10", "0"),
     718},
    {"conflict with NAT-PMP",
     {0},
     "AddPortMapping",
     ADD("50001", "40000", "192.168.1.10", "0"),
     718},
    {"the same of version 2",
     {.version = 2},
     "AddPortMapping",
     ADD("50001", "40000", "192.168.1.10", "0"),
     729},
    {"the same number in TCP",
     {0},
     "AddPortMapping",
     ADD_FULL("", "50000", "TCP", "40000", "192.168.1.10", "1", "", "0"),
     0},
    {"any, version 1", {0}, "AddAnyPortMapping", ADD("50000", "40000", "192.168.1.10", "0"), 401},
    {"any, version 2",
     {.version = 2},
     "AddAnyPortMapping",
     ADD("50000", "40000", "192.168.1.10", "0"),
     0},
    {"delete a stranger's", {0}, "DeletePortMapping", ENTRY("50000", "UDP"), 606},
    {"delete a stranger's, where it may",
     {.any_client = true},
     "DeletePortMapping",
     ENTRY("50000", "UDP"),
     0},
    {"delete NAT-PMP's", {0}, "DeletePortMapping", ENTRY("50001", "UDP"), 606},
    {"delete in TCP", {0}, "DeletePortMapping", ENTRY("50000", "TCP"), 714},
    {"delete without protocol", {0}, "DeletePortMapping", ENTRY("50000", ""), 402},
    {"no such entry", {0}, "GetSpecificPortMappingEntry", ENTRY("1", "UDP"), 714},
    {"no such index",
     {0},
     "GetGenericPortMappingEntry",
     "<NewPortMappingIndex>2</NewPortMappingIndex>",
     713},
    {"index is no number", {0}, "GetGenericPortMappingEntry", "", 402},
    {"status", {0}, "GetStatusInfo", "", 0},
    {"type", {0}, "GetConnectionTypeInfo", "", 0},
    {"NAT", {0}, "GetNATRSIPStatus", "", 0},
    {"unknown action", {0}, "ForceTermination", "", 401},
    {"action of another service", {0}, "GetCommonLinkProperties", "", 401},
};

static void fill_ports(desk *d) {
    const wzp_sim_lease *lease;
    const wzp_sim_lease_ask upnp = {.by = WZP_SIM_LEASE_UPNP,
                                    .proto = 17,
                                    .permanent = true,
                                    .internal = addr_of("192.168.1.20:1"),
                                    .external = 50000};
    const wzp_sim_lease_ask pmp = {.by = WZP_SIM_LEASE_PMP,
                                   .proto = 17,
                                   .lifetime_s = 3600,
                                   .internal = addr_of("192.168.1.10:2"),
                                   .external = 50001};
    ck_assert(wzp_sim_leases_grant(d->bench.leases, &upnp, d->bench.now, &lease) ==
              WZP_SIM_LEASE_GRANTED);
    ck_assert(wzp_sim_leases_grant(d->bench.leases, &pmp, d->bench.now, &lease) ==
              WZP_SIM_LEASE_GRANTED);
}

START_TEST(orders) {
    const struct order_case *c = &order_cases[_i];
    desk d = desk_new(&c->cfg, NULL);
    char buf[256];
    fill_ports(&d);
    const unsigned got = order(&d, HOST, c->action, c->args);
    ck_assert_msg(got == c->want, "%s: %u", c->name, got);
    if (c->want == 0) {
        char response[64] = "";
        append(response, append(response, 0, c->action), "Response");
        ck_assert_ptr_nonnull(strstr(d.response, response));
    } else {
        ck_assert_uint_eq(status(&d), 500);
        ck_assert_str_ne(value(&d, "errorDescription", buf), "Vendor defined");
    }
    bench_free(&d.bench);
}
END_TEST

START_TEST(any_port) {
    desk d = desk_new(&second, NULL);
    char buf[256];
    fill_ports(&d);
    ck_assert_uint_eq(
        order(&d, HOST, "AddAnyPortMapping", ADD("50000", "40000", "192.168.1.10", "0")), 0);
    ck_assert_str_eq(value(&d, "NewReservedPort", buf), "50002");
    BENCH_ASSERT_REACH(&d.bench, 50002, "192.168.1.10:40000");
    /* A device of version 2 understands orders of version 1. */
    order_to(&d, HOST, "/ctl/IPConn", V1, "GetExternalIPAddress", "");
    ck_assert_uint_eq(fault(&d), 0);
    bench_free(&d.bench);
}
END_TEST

START_TEST(limits) {
    const wzp_sim_leases_cfg one = {.quota = 1};
    const wzp_sim_leases_cfg strict = {.strict = true, .reports = addr_of("10.0.0.1:0")};
    static const char *const again = ADD("40001", "40000", "192.168.1.10", "0");
    desk d = desk_new(&first, &one);
    order(&d, HOST, "AddPortMapping", ADD("40000", "40000", "192.168.1.10", "0"));
    ck_assert_uint_eq(order(&d, HOST, "AddPortMapping", again), 501);
    d.cfg.version = 2;
    ck_assert_uint_eq(order(&d, HOST, "AddPortMapping", again), 728);
    bench_free(&d.bench);
    d = desk_new(&first, &strict);
    ck_assert_uint_eq(order(&d, HOST, "GetExternalIPAddress", ""), 501);
    ck_assert_uint_eq(order(&d, HOST, "AddPortMapping", again), 501);
    bench_free(&d.bench);
}
END_TEST

static const struct http_case {
    const char *name, *text;
    unsigned want;
} http_cases[] = {
    {"description", "GET /rootDesc.xml HTTP/1.1\r\n\r\n", 200},
    {"of the service", "GET /WANIPCn.xml HTTP/1.1\r\n\r\n", 200},
    {"of the other service", "GET /WANCfg.xml HTTP/1.0\r\n\r\n", 200},
    {"nothing there", "GET / HTTP/1.1\r\n\r\n", 404},
    {"order to nowhere", "POST /rootDesc.xml HTTP/1.1\r\n\r\n", 404},
    {"order without a name", "POST /ctl/IPConn HTTP/1.1\r\n\r\n", 400},
    {"other method", "SUBSCRIBE /evt HTTP/1.1\r\n\r\n", 405},
    {"not HTTP", "hello\r\n\r\n", 400},
    {"not whole", "GET /rootDesc.xml HTTP/1.1\r\n", 400},
    {"another name in the body",
     "POST /ctl/IPConn HTTP/1.1\r\nSOAPAction: \"" V1
     "#GetStatusInfo\"\r\nContent-Length: 31\r\n\r\n"
     "<Body><GetExternalIPAddress/>  ",
     500},
    {"no body", "POST /ctl/IPConn HTTP/1.1\r\nSOAPAction: " V1 "#GetStatusInfo\r\n\r\n", 500},
    {"without quotes",
     "POST /ctl/IPConn HTTP/1.1\r\nSOAPAction: " V1 "#GetStatusInfo\r\nContent-Length: 31\r\n\r\n"
     "<Body><GetStatusInfo/></Body>  ",
     200},
    {"version 2 of a gateway of version 1",
     "POST /ctl/IPConn HTTP/1.1\r\nSOAPAction: " V2 "#GetStatusInfo\r\nContent-Length: 31\r\n\r\n"
     "<Body><GetStatusInfo/></Body>  ",
     500},
    {"no action", "POST /ctl/IPConn HTTP/1.1\r\nSOAPAction: \"" V1 "\"\r\n\r\n", 500},
};

START_TEST(http) {
    desk d = desk_new(&first, NULL);
    send(&d, HOST, wzp_bytes_str(http_cases[_i].text));
    ck_assert_msg(status(&d) == http_cases[_i].want, "%s: %s", http_cases[_i].name, d.response);
    bench_free(&d.bench);
}
END_TEST

START_TEST(common_config) {
    desk d = desk_new(&first, NULL);
    char buf[256];
    order_to(&d, HOST, "/ctl/CmnIfCfg", CIF, "GetCommonLinkProperties", "");
    ck_assert_uint_eq(fault(&d), 0);
    ck_assert_str_eq(value(&d, "NewPhysicalLinkStatus", buf), "Up");
    order_to(&d, HOST, "/ctl/CmnIfCfg", V1, "GetStatusInfo", "");
    ck_assert_uint_eq(fault(&d), 401);
    bench_free(&d.bench);
}
END_TEST

static const struct url_case {
    const char *name;
    wzp_sim_upnp_cfg cfg;
    const char *want;
} url_cases[] = {
    {"absolute path", {0}, "<controlURL>/ctl/IPConn</controlURL>"},
    {"relative", {.relative_url = true}, "<controlURL>ctl/IPConn</controlURL>"},
    {"https", {.https_only = true}, "<controlURL>https://192.168.1.1:5000/ctl/IPConn</controlURL>"},
    {"version 2", {.version = 2}, "<serviceType>" V2 "</serviceType>"},
};

START_TEST(description) {
    const struct url_case *c = &url_cases[_i];
    desk d = desk_new(&c->cfg, NULL);
    send(&d, HOST, wzp_bytes_str("GET /rootDesc.xml HTTP/1.1\r\n\r\n"));
    ck_assert_msg(strstr(d.response, c->want) != NULL, "%s: %s", c->name, d.response);
    if (c->cfg.https_only) {
        order(&d, HOST, "GetStatusInfo", "");
        ck_assert_uint_eq(status(&d), 403);
    }
    bench_free(&d.bench);
}
END_TEST

START_TEST(chunked) {
    const wzp_sim_upnp_cfg cfg = {.chunked = true};
    desk d = desk_new(&cfg, NULL);
    send(&d, HOST, wzp_bytes_str("GET /rootDesc.xml HTTP/1.1\r\n\r\n"));
    ck_assert_ptr_nonnull(strstr(d.response, "Transfer-Encoding: chunked\r\n\r\n61\r\n<?xml"));
    ck_assert_ptr_null(strstr(d.response, "Content-Length"));
    bench_free(&d.bench);
}
END_TEST

START_TEST(every_prefix) {
    static const char text[] = "POST /ctl/IPConn HTTP/1.1\r\nSOAPAction: " V1
                               "#GetStatusInfo\r\nContent-Length: 31\r\n\r\n"
                               "<Body><GetStatusInfo/></Body>  ";
    desk d = desk_new(&first, NULL);
    for (size_t len = 0; len < sizeof text; len++) {
        uint8_t *copy = exact((const uint8_t *)text, len);
        send(&d, HOST, wzp_bytes_of(copy, len));
        ck_assert_uint_eq(status(&d), len + 1 == sizeof text ? 200 : 400);
        free(copy);
    }
    bench_free(&d.bench);
}
END_TEST

/* A long description is cut, in the middle of an entity if need be, and never breaks the response.
 */
START_TEST(long_description) {
    char args[2048];
    desk d = desk_new(&first, NULL);
    size_t len = append(args, 0,
                        "<NewRemoteHost/><NewExternalPort>40000</NewExternalPort>"
                        "<NewProtocol>UDP</NewProtocol><NewInternalPort>1</NewInternalPort>"
                        "<NewInternalClient>192.168.1.10</NewInternalClient>"
                        "<NewEnabled>1</NewEnabled><NewLeaseDuration>0</NewLeaseDuration>"
                        "<NewPortMappingDescription>");
    for (int i = 0; i < 250; i++) {
        len = append(args, len, "&amp;");
    }
    append(args, len, "</NewPortMappingDescription>");
    ck_assert_uint_eq(order(&d, HOST, "AddPortMapping", args), 0);
    ck_assert_uint_eq(order(&d, HOST, "GetSpecificPortMappingEntry", ENTRY("40000", "UDP")), 0);
    const char *at = strstr(d.response, "<NewPortMappingDescription>&amp;");
    ck_assert_ptr_nonnull(at);
    bench_free(&d.bench);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("upnp");
    tcase_add_test(tc, the_client);
    tcase_add_test(tc, life_of_an_entry);
    tcase_add_loop_test(tc, orders, 0, WZP_COUNT_OF(order_cases));
    tcase_add_test(tc, any_port);
    tcase_add_test(tc, limits);
    tcase_add_loop_test(tc, http, 0, WZP_COUNT_OF(http_cases));
    tcase_add_test(tc, common_config);
    tcase_add_loop_test(tc, description, 0, WZP_COUNT_OF(url_cases));
    tcase_add_test(tc, chunked);
    tcase_add_test(tc, every_prefix);
    tcase_add_test(tc, long_description);
    return wzp_run_suite("upnp", tc);
}
