#include "nat/netcheck.h"

#include "base/testing/suite.h"

#define A(a, b, c, d, p)                                                                           \
    {                                                                                              \
        WZP_ADDR_V4, p, {                                                                          \
            a, b, c, d                                                                             \
        }                                                                                          \
    }

static wzp_netcheck home(void) {
    return (wzp_netcheck){
        .nat = {.type = WZP_NAT_TYPE_CONE, .consensus = A(203, 0, 113, 5, 40000)},
        .ipv4 = true,
        .natpmp = true,
        .mapping = WZP_NETCHECK_NATPMP,
        .has_alloc = true,
        .alloc = {WZP_PORT_ALLOC_SEQUENTIAL, 1},
        .gateway = A(192, 168, 1, 1, 0),
        .stun = {{.name = "stun.l.google.com:19302",
                  .addr = A(192, 0, 2, 7, 19302),
                  .observed = A(203, 0, 113, 5, 40000),
                  .has_time = true,
                  .time_ms = 23},
                 {.name = "stun.cloudflare.com:3478", .error = "STUN timeout"}},
        .stun_count = 2,
        .relays =
            {{.name = "eu", .addr = A(198, 51, 100, 1, 4433), .error = "probe timeout (5000ms)"},
             {.name = "relay", .addr = A(192, 0, 2, 1, 4433), .has_time = true, .time_ms = 25}},
        .relay_count = 2,
        .duration_ms = 1500};
}

static wzp_netcheck nothing(void) {
    return (wzp_netcheck){.duration_ms = 5000};
}

static wzp_netcheck v6(void) {
    wzp_netcheck r = {.ipv6 = true,
                      .hairpin = WZP_NETCHECK_YES,
                      .upnp = true,
                      .mapping = WZP_NETCHECK_UPNP,
                      .has_alloc = true,
                      .relays = {{.name = "a \"b\"", .has_time = true, .time_ms = 1}},
                      .relay_count = 1};
    ck_assert_int_eq(wzp_addr_parse(&r.gateway, "[fe80::1]:0"), WZP_OK);
    return r;
}

static const struct form {
    const char *name;
    wzp_netcheck (*make)(void);
    const char *text, *json;
} forms[] = {
    {"the sheet's example", home,
     "=== WarzonePhone Netcheck ===\n"
     "\n"
     "NAT Type:       Cone\n"
     "Reflexive Addr: 203.0.113.5:40000\n"
     "IPv4:           yes\n"
     "IPv6:           no\n"
     "Gateway:        192.168.1.1\n"
     "Port Alloc:     sequential(delta=1)\n"
     "\n"
     "--- Port Mapping ---\n"
     "NAT-PMP: yes  PCP: no  UPnP: no\n"
     "Active mapping: NatPmp\n"
     "\n"
     "--- STUN Probes ---\n"
     "  stun:stun.l.google.com:19302 \xe2\x86\x92 203.0.113.5:40000 (23ms)\n"
     "  stun:stun.cloudflare.com:3478 \xe2\x86\x92 failed (-ms) [STUN timeout]\n"
     "\n"
     "--- Relay Latencies ---\n"
     "  relay (192.0.2.1:4433) \xe2\x86\x92 25ms\n"
     "  eu (198.51.100.1:4433) \xe2\x86\x92 -ms [probe timeout (5000ms)]\n"
     "  Preferred: relay\n"
     "\n"
     "Completed in 1500ms\n",
     "{\"nat_type\":\"Cone\",\"reflexive_addr\":\"203.0.113.5:40000\",\"ipv4_reachable\":true,"
     "\"ipv6_reachable\":false,\"hairpin_works\":null,\"port_mapping\":\"NatPmp\","
     "\"relay_latencies\":[{\"name\":\"relay\",\"addr\":\"192.0.2.1:4433\",\"rtt_ms\":25,"
     "\"error\":null},{\"name\":\"eu\",\"addr\":\"198.51.100.1:4433\",\"rtt_ms\":null,"
     "\"error\":\"probe timeout (5000ms)\"}],\"preferred_relay\":\"relay\",\"stun_latency_ms\":23,"
     "\"upnp_available\":false,\"pcp_available\":false,\"nat_pmp_available\":true,"
     "\"gateway\":\"192.168.1.1\",\"duration_ms\":1500,\"stun_probes\":["
     "{\"relay_name\":\"stun:stun.l.google.com:19302\",\"relay_addr\":\"192.0.2.7:19302\","
     "\"observed_addr\":\"203.0.113.5:40000\",\"latency_ms\":23,\"error\":null},"
     "{\"relay_name\":\"stun:stun.cloudflare.com:3478\","
     "\"relay_addr\":\"stun.cloudflare.com:3478\",\"observed_addr\":null,\"latency_ms\":null,"
     "\"error\":\"STUN timeout\"}],\"port_allocation\":{\"Sequential\":{\"delta\":1}}}"},
    {"nothing answers", nothing,
     "=== WarzonePhone Netcheck ===\n"
     "\n"
     "NAT Type:       Unknown\n"
     "Reflexive Addr: (unknown)\n"
     "IPv4:           no\n"
     "IPv6:           no\n"
     "Gateway:        (unknown)\n"
     "\n"
     "--- Port Mapping ---\n"
     "NAT-PMP: no  PCP: no  UPnP: no\n"
     "\n"
     "Completed in 5000ms\n",
     "{\"nat_type\":\"Unknown\",\"reflexive_addr\":null,\"ipv4_reachable\":false,"
     "\"ipv6_reachable\":false,\"hairpin_works\":null,\"port_mapping\":null,"
     "\"relay_latencies\":[],\"preferred_relay\":null,\"stun_latency_ms\":null,"
     "\"upnp_available\":false,\"pcp_available\":false,\"nat_pmp_available\":false,"
     "\"gateway\":null,\"duration_ms\":5000,\"stun_probes\":[],\"port_allocation\":null}"},
    {"IPv6, and a name that wants escapes", v6,
     "=== WarzonePhone Netcheck ===\n"
     "\n"
     "NAT Type:       Unknown\n"
     "Reflexive Addr: (unknown)\n"
     "IPv4:           no\n"
     "IPv6:           yes\n"
     "Gateway:        fe80::1\n"
     "Port Alloc:     unknown\n"
     "\n"
     "--- Port Mapping ---\n"
     "NAT-PMP: no  PCP: no  UPnP: yes\n"
     "Active mapping: UPnP\n"
     "\n"
     "--- Relay Latencies ---\n"
     "  a \"b\" (-) \xe2\x86\x92 1ms\n"
     "  Preferred: a \"b\"\n"
     "\n"
     "Completed in 0ms\n",
     "{\"nat_type\":\"Unknown\",\"reflexive_addr\":null,\"ipv4_reachable\":false,"
     "\"ipv6_reachable\":true,\"hairpin_works\":true,\"port_mapping\":\"UPnP\","
     "\"relay_latencies\":[{\"name\":\"a \\\"b\\\"\",\"addr\":\"-\",\"rtt_ms\":1,\"error\":null}],"
     "\"preferred_relay\":\"a \\\"b\\\"\",\"stun_latency_ms\":null,\"upnp_available\":true,"
     "\"pcp_available\":false,\"nat_pmp_available\":false,\"gateway\":\"fe80::1\","
     "\"duration_ms\":0,\"stun_probes\":[],\"port_allocation\":\"Unknown\"}"},
};

typedef void write_fn(wzp_wr *wr, const wzp_netcheck *report);

static void expect(write_fn *write, const wzp_netcheck *report, const char *want) {
    uint8_t buf[4096];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    write(&wr, report);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    ck_assert_msg(wzp_bytes_equal(wzp_bytes_of(buf, wzp_wr_len(&wr)), wzp_bytes_str(want)),
                  "want\n%s\ngot\n%.*s", want, (int)wzp_wr_len(&wr), (const char *)buf);
    for (size_t cap = 0; cap < wzp_wr_len(&wr); cap += 7) { /* too small a buffer is told */
        wzp_wr small;
        uint8_t room[4096];
        wzp_wr_init(&small, room, cap);
        write(&small, report);
        ck_assert(wzp_wr_end(&small) == WZP_ERR_OVERFLOW);
    }
}

START_TEST(exact) {
    wzp_netcheck report = forms[_i].make();
    wzp_netcheck_sort(&report);
    expect(wzp_netcheck_text, &report, forms[_i].text);
    expect(wzp_netcheck_json, &report, forms[_i].json);
}
END_TEST

START_TEST(order_of_relays) {
    wzp_netcheck r = {.relays = {{.name = "a"},
                                 {.name = "b", .has_time = true, .time_ms = 30},
                                 {.name = "c", .has_time = true, .time_ms = 10},
                                 {.name = "d"},
                                 {.name = "e", .has_time = true, .time_ms = 30}},
                      .relay_count = 5};
    char order[8] = "";
    ck_assert_str_eq(wzp_netcheck_preferred(&r)->name, "c");
    wzp_netcheck_sort(&r);
    for (size_t i = 0; i < 5; i++) {
        order[i] = r.relays[i].name[0];
    }
    ck_assert_str_eq(order, "cbead");
    r.relay_count = 0;
    ck_assert_ptr_null(wzp_netcheck_preferred(&r));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("netcheck");
    tcase_add_loop_test(tc, exact, 0, (int)WZP_COUNT_OF(forms));
    tcase_add_test(tc, order_of_relays);
    return wzp_run_suite("nat.netcheck", tc);
}
