/* A control point beside gateways that are easy, odd, or not there. */
#include "sim/host/upnp_host.h"

#include <stdio.h>

#include "base/testing/suite.h"
#include "crypto/crypto.h"
#include "sim/engine/engine.h"
#include "sim/host/testing/wire.h"
#include "sim/host/upnp_words.h"
#include "wire/testing/bytes.h"

#define PORT 40000

/* --- words ------------------------------------------------------------------------------------ */

static const wzp_sim_upnp_control control = {.url = {{WZP_ADDR_V4, 5000, {192, 168, 1, 1}}, "/ctl"},
                                             .service = WZP_SIM_UPNP_FIRST_SERVICE};

static void check_digest(wzp_bytes text, size_t len, const char *hex) {
    uint8_t digest[WZP_SHA256_LEN];
    uint8_t want[WZP_SHA256_LEN];
    wzp_sha256(digest, text);
    ck_assert_uint_eq(text.len, len);
    CK_ASSERT_BYTES(wzp_bytes_of(digest, sizeof digest), unhex(want, sizeof want, hex));
}

static wzp_bytes body_of(const wzp_wr *wr) {
    for (size_t i = 4; i < wzp_wr_len(wr); i++) {
        if (memcmp(wr->base + i - 4, "\r\n\r\n", 4) == 0) {
            return wzp_bytes_of(wr->base + i, wzp_wr_len(wr) - i);
        }
    }
    return wzp_bytes_str("");
}

/* NAT-042: the sheet's sizes and digests of upstream's texts. */
START_TEST(says_what_upstream_says) {
    const wzp_addr own = wzp_addr_v4(192, 168, 1, 10, PORT);
    uint8_t buf[2048];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_search(&wr, 2);
    check_digest(wzp_bytes_of(buf, wzp_wr_len(&wr)), 137,
                 "80b4c3eae25968548b228022295ef9b60447dad39de2b38b66c24378f1061fb2");
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_ask_address(&wr, &control);
    check_digest(body_of(&wr), 257,
                 "477c0270ccbd57493d9198bb3c04a298da89b91c048d6247ed7396a4b65f6721");
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_ask_mapping(&wr, &control, &own, PORT, 7200);
    check_digest(body_of(&wr), 595,
                 "0cee9104bedf45d80615dea113b7216d508320e202a3d2daaa60587f3d3e7703");
}
END_TEST

static const struct location_case {
    const char *answer, *at, *path; /* at NULL: none */
} location_cases[] = {
    {"HTTP/1.1 200 OK\r\nLocation: http://192.168.1.1:5000/d.xml\r\n\r\n", "192.168.1.1:5000",
     "/d.xml"},
    {"HTTP/1.1 200 OK\r\nLOCATION: http://192.168.1.1/\r\n\r\n", "192.168.1.1:80", "/"},
    {"HTTP/1.1 200 OK\r\nLOCATION: http://192.168.1.1\r\n\r\n", "192.168.1.1:80", ""},
    {"HTTP/1.1 200 OK\r\nLOCATION: https://192.168.1.1:5000/d.xml\r\n\r\n", NULL, NULL},
    {"HTTP/1.1 200 OK\r\nLOCATION: http://router.lan/d.xml\r\n\r\n", NULL, NULL},
    {"HTTP/1.1 200 OK\r\nST: x\r\n\r\n", NULL, NULL},
    {"", NULL, NULL},
};

START_TEST(locations) {
    const struct location_case *c = &location_cases[_i];
    char text[WZP_ADDR_TEXT_MAX];
    wzp_sim_upnp_url url;
    const bool found = wzp_sim_upnp_location(wzp_bytes_str(c->answer), &url);
    ck_assert_msg(found == (c->at != NULL), "%s", c->answer);
    if (found) {
        ck_assert_str_eq(wzp_addr_text(&url.at, text), c->at);
        ck_assert_str_eq(url.path, c->path);
    }
}
END_TEST

#define HEAD "HTTP/1.1 200 OK\r\n\r\n"
#define SERVICE(kind, url)                                                                         \
    "<service><serviceType>urn:schemas-upnp-org:service:" kind "</serviceType><controlURL>" url    \
    "</controlURL></service>"

static const struct description_case {
    const char *response;
    bool as_is;
    const char *service, *path; /* path NULL: no gateway */
} description_cases[] = {
    {HEAD SERVICE("WANIPConnection:1", "/c"), false, "WANIPConnection:1", "/c"},
    {HEAD SERVICE("Layer3Forwarding:1", "/f") SERVICE("WANIPConnection:2", "/c"), false,
     "WANIPConnection:2", "/c"},
    {HEAD SERVICE("WANPPPConnection:1", "/p") SERVICE("WANIPConnection:1", "/c"), false,
     "WANIPConnection:1", "/c"},
    {HEAD SERVICE("WANPPPConnection:1", "c"), false, "WANPPPConnection:1", "/c"},
    {HEAD SERVICE("WANPPPConnection:1", "c"), true, "", NULL},
    {HEAD SERVICE("WANIPConnection:1", "http://192.168.1.2:7/c"), false, "WANIPConnection:1", "/c"},
    {HEAD SERVICE("WANIPConnection:1", "https://192.168.1.1/c"), false, "", NULL},
    {HEAD SERVICE("RenderingControl:1", "/rc"), false, "", NULL},
    {HEAD, false, "", NULL},
    {"HTTP/1.1 200", false, "", NULL},
};

START_TEST(descriptions) {
    const struct description_case *c = &description_cases[_i];
    wzp_sim_upnp_control found;
    const bool is =
        wzp_sim_upnp_describes(wzp_bytes_str(c->response), &control.url, c->as_is, &found);
    ck_assert_msg(is == (c->path != NULL), "%s", c->response);
    if (is) {
        ck_assert_ptr_nonnull(strstr(found.service, c->service));
        ck_assert_str_eq(found.url.path, c->path);
    }
}
END_TEST

/* --- gateways --------------------------------------------------------------------------------- */

typedef struct bench {
    wzp_sim_engine *engine;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    wzp_sim_box *box;
    wzp_sim_gateway_seat *gateway;
    wzp_sim_host *host;
    wzp_sim_upnp_host *upnp;
    wire up, down;
    unsigned done;
    wzp_addr external;
    char why[64];
    wzp_time at;
} bench;

static void on_done(void *ctx, const wzp_addr *external, const char *why, wzp_time now) {
    bench *b = ctx;
    b->done++;
    b->external = *external;
    b->at = now;
    (void)snprintf(b->why, sizeof b->why, "%s", why);
}

static void open_bench(bench *b, const wzp_sim_gateway_cfg *cfg, bool deployed) {
    wzp_sim_box_cfg box = {.name = "box",
                           .inside = wzp_addr_v4(192, 168, 1, 1, 0),
                           .externals = {wzp_addr_v4(203, 0, 113, 9, 0)},
                           .external_count = 1};
    const wzp_sim_host_cfg host = {.name = "host"};
    const wzp_addr own = wzp_addr_v4(192, 168, 1, 10, 0);
    *b = (bench){.done = 0};
    const wzp_sim_upnp_host_cfg upnp = {
        .name = "host", .deployed = deployed, .done = on_done, .ctx = b};
    ck_assert(wzp_sim_nat_preset("symrand", &box.nat));
    ck_assert(wzp_sim_engine_new(&b->engine, &(wzp_sim_engine_cfg){.seed = 1}) == WZP_OK);
    b->clock = wzp_sim_engine_clock(b->engine);
    b->pool = wzp_sim_pool_new();
    ck_assert(wzp_sim_box_new(&b->box, &box, b->clock, b->pool, NULL) == WZP_OK);
    ck_assert(wzp_sim_gateway_seat_new(&b->gateway, cfg, b->box, b->clock, "gateway") == WZP_OK);
    ck_assert(wzp_sim_host_new(&b->host, &host, b->clock, b->pool) == WZP_OK);
    wire_init(&b->up, "up", b->clock, wzp_sim_box_node(b->box), 0, WZP_MS);
    wire_init(&b->down, "down", b->clock, wzp_sim_host_node(b->host), 0, WZP_MS);
    wzp_sim_box_attach(b->box, 0, &b->down.pipe);
    ck_assert(wzp_sim_host_attach(b->host, 0, &b->up.pipe) == WZP_OK);
    ck_assert(wzp_sim_host_address(b->host, 0, &own) == WZP_OK);
    ck_assert(wzp_sim_upnp_host_new(&b->upnp, b->host, &upnp) == WZP_OK);
}

static void close_bench(bench *b) {
    wzp_sim_upnp_host_free(&b->upnp);
    wzp_sim_upnp_host_free(&b->upnp);
    wzp_sim_gateway_seat_free(&b->gateway);
    wire_clear(&b->up);
    wire_clear(&b->down);
    wzp_sim_host_free(&b->host);
    wzp_sim_box_free(&b->box);
    wzp_sim_engine_free(&b->engine);
    wzp_sim_pool_free(&b->pool);
}

static void ask(bench *b) {
    const wzp_addr own = wzp_addr_v4(192, 168, 1, 10, PORT);
    wzp_sim_upnp_host_ask(b->upnp, b->gateway, &own, wzp_sim_now(b->clock));
}

static void run_for(bench *b, uint64_t duration) {
    (void)wzp_sim_engine_run(b->engine, wzp_sim_now(b->clock) + duration);
}

#define SERVES .upnp = WZP_SIM_GATEWAY_SERVES
#define TV .tv = {WZP_ADDR_V4, 8080, {192, 168, 1, 50}}

static const struct gateway_case {
    const char *name;
    wzp_sim_gateway_cfg cfg;
    const char *external, *why;
    bool deployed, for_ever;
} gateway_cases[] = {
    {"easy", {SERVES}, "203.0.113.9:40000", "", false, false},
    {"easy, deployed", {SERVES}, "203.0.113.9:40000", "", true, false},
    {"second version", {SERVES, .igd = {.version = 2}}, "203.0.113.9:40000", "", false, false},
    {"television", {SERVES, TV}, "203.0.113.9:40000", "", false, false},
    {"television, deployed",
     {SERVES, TV},
     NULL,
     "the device that answered first is no gateway",
     true,
     false},
    {"television alone", {TV}, NULL, "no gateway answers the search", false, false},
    {"725", {SERVES, .igd = {.permanent_only = true}}, "203.0.113.9:40000", "", false, true},
    {"725, deployed",
     {SERVES, .igd = {.permanent_only = true}},
     NULL,
     "AddPortMapping: fault 725",
     true,
     false},
    {"refused", {SERVES, .igd = {.refuse = 606}}, NULL, "AddPortMapping: fault 606", false, false},
    {"no slash", {SERVES, .igd = {.relative_url = true}}, "203.0.113.9:40000", "", false, false},
    {"no slash, deployed",
     {SERVES, .igd = {.relative_url = true}},
     NULL,
     "the device that answered first is no gateway",
     true,
     false},
    {"https",
     {SERVES, .igd = {.https_only = true}},
     NULL,
     "no gateway answers the search",
     false,
     false},
    {"off", {.upnp = WZP_SIM_GATEWAY_OFF}, NULL, "no gateway answers the search", false, false},
    {"silent",
     {.upnp = WZP_SIM_GATEWAY_SILENT},
     NULL,
     "no gateway answers the search",
     false,
     false},
};

START_TEST(gateways) {
    const struct gateway_case *c = &gateway_cases[_i];
    char text[WZP_ADDR_TEXT_MAX] = "";
    bench b;
    open_bench(&b, &c->cfg, c->deployed);
    ask(&b);
    run_for(&b, 20 * WZP_S);
    ck_assert_msg(b.done == 1 && strcmp(b.why, c->why) == 0, "%s: %s", c->name, b.why);
    ck_assert_msg((b.external.family != WZP_ADDR_NONE) == (c->external != NULL), "%s", c->name);
    const wzp_sim_leases *leases = wzp_sim_gateway_leases(wzp_sim_gateway_seat_gateway(b.gateway));
    ck_assert_uint_eq(wzp_sim_leases_count(leases), c->external != NULL);
    if (c->external != NULL) {
        ck_assert_str_eq(wzp_addr_text(&b.external, text), c->external);
        ck_assert(b.at <= wzp_sim_now(b.clock));
        ck_assert_msg((wzp_sim_leases_at(leases, 0)->expires == WZP_TIME_NEVER) == c->for_ever,
                      "%s", c->name);
    }
    close_bench(&b);
}
END_TEST

/* Somebody else has our port: 718. */
static void take_port(bench *b) {
    const wzp_addr other = wzp_addr_v4(192, 168, 1, 11, PORT);
    const wzp_addr http = wzp_sim_gateway_http_addr(wzp_sim_gateway_seat_gateway(b->gateway));
    wzp_sim_upnp_control at = control;
    uint8_t request[2048];
    uint8_t response[WZP_SIM_UPNP_HTTP_MAX];
    wzp_wr wr;
    wzp_wr out;
    (void)snprintf(at.url.path, sizeof at.url.path, "/ctl/IPConn");
    wzp_wr_init(&wr, request, sizeof request);
    wzp_wr_init(&out, response, sizeof response);
    wzp_sim_upnp_ask_mapping(&wr, &at, &other, PORT, 7200);
    ck_assert(wzp_sim_gateway_http(wzp_sim_gateway_seat_gateway(b->gateway), &other, &http,
                                   wzp_bytes_of(request, wzp_wr_len(&wr)), wzp_sim_now(b->clock),
                                   &out) == WZP_SIM_GATEWAY_ANSWERED);
    ck_assert_uint_eq(wzp_sim_upnp_fault(wzp_bytes_of(response, wzp_wr_len(&out))), 0);
}

START_TEST(a_port_of_somebody_else) {
    const wzp_sim_gateway_cfg cfg = {SERVES};
    bench b;
    open_bench(&b, &cfg, _i == 1);
    take_port(&b);
    ask(&b);
    run_for(&b, 20 * WZP_S);
    ck_assert_uint_eq(b.done, 1);
    if (_i == 1) {
        ck_assert_str_eq(b.why, "AddPortMapping: fault 718");
    } else {
        ck_assert_str_eq(b.why, "");
        ck_assert_uint_ge(b.external.port, 49152);
    }
    close_bench(&b);
}
END_TEST

START_TEST(who_asks_again_hears_once) {
    const wzp_sim_gateway_cfg cfg = {SERVES};
    bench b;
    open_bench(&b, &cfg, false);
    ask(&b);
    run_for(&b, WZP_MS);
    ask(&b);
    run_for(&b, 20 * WZP_S);
    ck_assert_uint_eq(b.done, 1);
    ask(&b);
    wzp_sim_upnp_host_stop(b.upnp);
    run_for(&b, 20 * WZP_S);
    ck_assert_uint_eq(b.done, 1);
    close_bench(&b);
}
END_TEST

START_TEST(a_box_without_power) {
    const wzp_sim_gateway_cfg cfg = {SERVES};
    bench b;
    open_bench(&b, &cfg, false);
    wzp_sim_box_power(b.box, false);
    ask(&b);
    run_for(&b, 20 * WZP_S);
    ck_assert_str_eq(b.why, "no gateway answers the search");
    close_bench(&b);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("upnp_host");
    tcase_add_test(tc, says_what_upstream_says);
    tcase_add_loop_test(tc, locations, 0, WZP_COUNT_OF(location_cases));
    tcase_add_loop_test(tc, descriptions, 0, WZP_COUNT_OF(description_cases));
    tcase_add_loop_test(tc, gateways, 0, WZP_COUNT_OF(gateway_cases));
    tcase_add_loop_test(tc, a_port_of_somebody_else, 0, 2);
    tcase_add_test(tc, who_asks_again_hears_once);
    tcase_add_test(tc, a_box_without_power);
    return wzp_run_suite("sim_host.upnp_host", tc);
}
