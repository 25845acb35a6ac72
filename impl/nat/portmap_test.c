#include "nat/portmap.h"

#include "wire/testing/bytes.h"

static const wzp_addr gateway = {WZP_ADDR_V4, 5351, {192, 168, 1, 1}};
static const wzp_addr local = {WZP_ADDR_V4, 40000, {192, 168, 1, 10}};
static const wzp_addr outer = {WZP_ADDR_V4, 51413, {203, 0, 113, 9}};
static wzp_portmap map;
static wzp_prng prng;

/* The gateway of these tests: it started `born` seconds before time 0 and grants everything. */
static struct {
    wzp_addr external;
    uint32_t lifetime_s;
    int64_t born_s;
    unsigned result;
} box;

static uint32_t epoch(wzp_time now) {
    return (uint32_t)((int64_t)(now / WZP_S) + box.born_s);
}

static void begin(const wzp_portmap_cfg *cfg) {
    wzp_portmap_cfg whole = *cfg;
    whole.gateway = wzp_addr_v4(192, 168, 1, 1, 0);
    whole.local = local;
    box.external = outer;
    box.lifetime_s = 3600;
    box.born_s = 1000;
    box.result = 0;
    ck_assert(wzp_portmap_start(&map, &whole, wzp_prng_rng(&prng), 0) == WZP_OK);
}

static void answer_natpmp(wzp_wr *wr, wzp_bytes datagram, wzp_time now) {
    wzp_natpmp_request request;
    ck_assert(wzp_natpmp_parse(&request, datagram, NULL) == WZP_OK);
    if (request.op == WZP_NATPMP_ADDRESS) {
        wzp_natpmp_write_address(wr, (wzp_natpmp_result)box.result, epoch(now), &box.external);
    } else {
        const bool ends = request.lifetime_s == 0;
        wzp_natpmp_write_map(wr, &request, (wzp_natpmp_result)box.result, epoch(now),
                             ends ? 0 : box.external.port, ends ? 0 : box.lifetime_s);
    }
}

static void answer_pcp(wzp_wr *wr, wzp_bytes datagram, wzp_time now) {
    wzp_pcp_request request;
    wzp_pcp_result result;
    ck_assert(wzp_pcp_parse(&request, &result, datagram, NULL) == WZP_OK);
    ck_assert(result == WZP_PCP_SUCCESS && wzp_addr_same_ip(&request.client, &local));
    if (box.result != 0) {
        wzp_pcp_write_error(wr, datagram, box.result, epoch(now), 1800);
    } else {
        wzp_pcp_write_granted(wr, &request, epoch(now), &box.external,
                              request.lifetime_s == 0 ? 0 : box.lifetime_s);
    }
}

static bool hand_in(const wzp_addr *from, const wzp_wr *wr, wzp_time now) {
    ck_assert(wzp_wr_end(wr) == WZP_OK);
    return wzp_portmap_recv(&map, from, wzp_bytes_of(wr->base, wzp_wr_len(wr)), now);
}

/* The gateway answers all that is sent; returns how much that was. */
static unsigned serve(wzp_time now) {
    wzp_portmap_datagram out;
    unsigned count = 0;
    for (; wzp_portmap_next(&map, &out); count++) {
        uint8_t buf[128];
        wzp_wr wr;
        ck_assert(wzp_addr_equal(&out.to, &gateway));
        wzp_wr_init(&wr, buf, sizeof buf);
        if (map.cfg.protocol == WZP_PORTMAP_NATPMP) {
            answer_natpmp(&wr, wzp_bytes_of(out.data, out.len), now);
        } else {
            answer_pcp(&wr, wzp_bytes_of(out.data, out.len), now);
        }
        ck_assert(hand_in(&gateway, &wr, now));
    }
    return count;
}

static unsigned sent(wzp_portmap_datagram *out) {
    wzp_portmap_datagram ignored;
    unsigned count = 0;
    while (wzp_portmap_next(&map, out != NULL ? out : &ignored)) {
        count++;
    }
    return count;
}

static void assert_external(const char *want) {
    char text[WZP_ADDR_TEXT_MAX];
    const wzp_addr *external = wzp_portmap_external(&map);
    ck_assert_str_eq(external != NULL ? wzp_addr_text(external, text) : "none", want);
}

/* Both protocols: _i is the protocol. */
static wzp_portmap_cfg with(int protocol) {
    return (wzp_portmap_cfg){.protocol = (wzp_portmap_protocol)protocol};
}

START_TEST(kept_and_given_back) {
    const wzp_portmap_cfg cfg = with(_i);
    const unsigned asks = cfg.protocol == WZP_PORTMAP_NATPMP ? 2 : 1;
    begin(&cfg);
    assert_external("none");
    ck_assert_uint_eq(serve(0), asks);
    assert_external("203.0.113.9:51413");
    ck_assert(wzp_portmap_deadline(&map) == 1800 * WZP_S);
    wzp_portmap_tick(&map, 1800 * WZP_S);
    ck_assert_uint_eq(serve(1800 * WZP_S), asks);
    ck_assert(wzp_portmap_deadline(&map) == 3600 * WZP_S);
    ck_assert_uint_eq(wzp_portmap_changes(&map), 1);
    wzp_portmap_release(&map, 1801 * WZP_S);
    assert_external("none");
    ck_assert(wzp_portmap_state_of(&map) == WZP_PORTMAP_RELEASING);
    ck_assert_uint_eq(serve(1801 * WZP_S), 1);
    ck_assert(wzp_portmap_state_of(&map) == WZP_PORTMAP_OFF);
    ck_assert(wzp_portmap_deadline(&map) == WZP_TIME_NEVER);
    ck_assert_uint_eq(map.reboots, 0);
    ck_assert_uint_eq(wzp_portmap_changes(&map), 2);
}
END_TEST

START_TEST(bytes_as_the_vectors) {
    wzp_portmap_cfg cfg = with(WZP_PORTMAP_NATPMP);
    wzp_portmap_datagram out;
    uint8_t want[64];
    begin(&cfg);
    ck_assert_uint_eq(sent(&out), 1);
    CK_ASSERT_BYTES(wzp_bytes_of(out.data, out.len), unhex(want, sizeof want, "0000"));
    ck_assert(wzp_portmap_recv(&map, &gateway, unhex(want, sizeof want, "0080000000015180cb007109"),
                               WZP_MS));
    ck_assert_uint_eq(sent(&out), 1);
    CK_ASSERT_BYTES(wzp_bytes_of(out.data, out.len),
                    unhex(want, sizeof want, "000100009c409c4000001c20")); /* P2 */
    ck_assert(wzp_portmap_recv(
        &map, &gateway, unhex(want, sizeof want, "00810000000151819c40c8d500000e10"), WZP_MS));
    assert_external("203.0.113.9:51413");
    ck_assert_uint_eq(map.lifetime_s, 3600);
    wzp_portmap_release(&map, WZP_S);
    ck_assert_uint_eq(sent(&out), 1);
    CK_ASSERT_BYTES(wzp_bytes_of(out.data, out.len),
                    unhex(want, sizeof want, "000100009c40000000000000")); /* P4 */
    cfg.protocol = WZP_PORTMAP_PCP;
    begin(&cfg);
    unhex(map.nonce, sizeof map.nonce, "00112233445566778899aabb");
    ck_assert_uint_eq(sent(&out), 1);
    CK_ASSERT_BYTES(wzp_bytes_of(out.data, out.len),
                    unhex(want, sizeof want,
                          "0201000000001c2000000000000000000000ffffc0a8010a"
                          "00112233445566778899aabb110000009c409c40"
                          "00000000000000000000000000000000")); /* P5 */
}
END_TEST

START_TEST(a_silent_gateway) {
    const wzp_portmap_cfg cfg = with(_i);
    begin(&cfg);
    ck_assert_uint_eq(sent(NULL), 1);
    for (unsigned ms = 0; ms <= 1000; ms += 10) {
        wzp_portmap_tick(&map, ms * WZP_MS);
        ck_assert_uint_eq(sent(NULL), ms == 250 || ms == 750);
    }
    ck_assert(wzp_portmap_state_of(&map) == WZP_PORTMAP_FAILED && map.why == WZP_PORTMAP_SILENT);
    ck_assert(!wzp_portmap_is_spoken(&map));
    ck_assert(wzp_portmap_deadline(&map) == 601 * WZP_S);
    wzp_portmap_tick(&map, 601 * WZP_S);
    ck_assert_uint_ge(serve(601 * WZP_S), 1);
    assert_external("203.0.113.9:51413");
}
END_TEST

/* Half of what is left, and not in less than 4 s, until it ends; then it begins anew. */
START_TEST(renewals_without_answer) {
    const wzp_portmap_cfg cfg = with(_i);
    const unsigned at_s[] = {32, 48, 56, 60};
    begin(&cfg);
    box.lifetime_s = 64;
    (void)serve(0);
    for (size_t i = 0; i < WZP_COUNT_OF(at_s); i++) {
        ck_assert_uint_eq(wzp_portmap_deadline(&map), at_s[i] * WZP_S);
        wzp_portmap_tick(&map, at_s[i] * WZP_S);
        ck_assert_uint_eq(sent(NULL), 1);
        assert_external("203.0.113.9:51413");
        /* The exchange has ended at once, as if its second were over already. */
        map.ends_at = at_s[i] * WZP_S;
        wzp_portmap_tick(&map, at_s[i] * WZP_S);
    }
    ck_assert_uint_eq(wzp_portmap_deadline(&map), 64 * WZP_S);
    wzp_portmap_tick(&map, 64 * WZP_S);
    assert_external("none");
    ck_assert(wzp_portmap_state_of(&map) == WZP_PORTMAP_ASKING);
    ck_assert_uint_eq(wzp_portmap_changes(&map), 2);
    ck_assert_uint_ge(serve(64 * WZP_S), 1);
    assert_external("203.0.113.9:51413");
}
END_TEST

/* An announcement of the gateway, as after a restart at `now` (or none: it has run all the time).
 */
static void announce(bool restarted, wzp_time now) {
    uint8_t buf[64];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    box.born_s = restarted ? -(int64_t)(now / WZP_S) : box.born_s;
    if (map.cfg.protocol == WZP_PORTMAP_NATPMP) {
        wzp_natpmp_write_address(&wr, WZP_NATPMP_SUCCESS, epoch(now), &box.external);
    } else {
        wzp_pcp_write_announce(&wr, epoch(now));
    }
    ck_assert(hand_in(&gateway, &wr, now));
}

START_TEST(mapped_again_after_a_restart) {
    const wzp_portmap_cfg cfg = with(_i);
    begin(&cfg);
    (void)serve(0);
    announce(false, 100 * WZP_S);
    ck_assert(sent(NULL) == 0 && map.reboots == 0);
    announce(true, 200 * WZP_S);
    ck_assert_uint_eq(map.reboots, 1);
    assert_external("none");
    ck_assert_uint_ge(serve(200 * WZP_S), 1); /* at once */
    assert_external("203.0.113.9:51413");
    announce(true, 200 * WZP_S); /* said again: it is known */
    ck_assert(sent(NULL) == 0 && map.reboots == 1);
}
END_TEST

START_TEST(another_external_address) {
    const wzp_portmap_cfg cfg = with(WZP_PORTMAP_NATPMP);
    begin(&cfg);
    (void)serve(0);
    box.external = wzp_addr_v4(203, 0, 113, 10, 51413);
    announce(false, 100 * WZP_S);
    assert_external("none");
    ck_assert_uint_eq(serve(100 * WZP_S), 2);
    assert_external("203.0.113.10:51413");
    box.external.port = 6000;
    wzp_portmap_tick(&map, 1900 * WZP_S);
    ck_assert_uint_eq(serve(1900 * WZP_S), 2);
    assert_external("203.0.113.10:6000");
    ck_assert_uint_eq(wzp_portmap_changes(&map), 4);
}
END_TEST

/* What the epochs are heard to be, `after_s` after one of 1000, and whether that is a restart. */
static const struct epoch_case {
    unsigned after_s, epoch;
    bool natpmp, pcp;
} epoch_cases[] = {
    {800, 1800, false, false}, {800, 1698, false, true}, {800, 1697, true, true},
    {800, 1748, false, false}, {800, 1747, false, true}, {800, 1855, false, false},
    {800, 1856, false, true},  {0, 998, false, true},    {0, 999, false, false},
    {0, 997, true, true},      {0, 1002, false, false},  {0, 1003, false, true},
    {800, 0, true, true},      {800, 1000, true, true},  {800, 999, true, false},
};

START_TEST(epochs) {
    struct epoch_case c = epoch_cases[_i % (int)WZP_COUNT_OF(epoch_cases)];
    const wzp_portmap_cfg cfg = with(_i / (int)WZP_COUNT_OF(epoch_cases));
    begin(&cfg);
    (void)serve(0);
    box.born_s = (int64_t)c.epoch - c.after_s;
    announce(false, c.after_s * WZP_S);
    const bool want = cfg.protocol == WZP_PORTMAP_NATPMP ? c.natpmp : c.pcp;
    ck_assert_msg((map.reboots == 1) == want, "%u after %u s", c.epoch, c.after_s);
}
END_TEST

static const struct useless_case {
    const char *name;
    wzp_portmap_cfg cfg;
    wzp_addr external, reflexive;
    uint32_t lifetime_s;
    wzp_portmap_why want;
    bool given_back;
} useless_cases[] = {
    {"carrier's NAT",
     {0},
     {WZP_ADDR_V4, 9, {100, 64, 1, 2}},
     {0},
     60,
     WZP_PORTMAP_NOT_GLOBAL,
     true},
    {"double NAT", {0}, {WZP_ADDR_V4, 9, {192, 168, 0, 2}}, {0}, 60, WZP_PORTMAP_NOT_GLOBAL, true},
    {"no address", {0}, {WZP_ADDR_V4, 9, {0}}, {0}, 60, WZP_PORTMAP_NOT_GLOBAL, true},
    {"loopback", {0}, {WZP_ADDR_V4, 9, {127, 0, 0, 1}}, {0}, 60, WZP_PORTMAP_NOT_GLOBAL, true},
    {"private, in a lab",
     {.accepts_local = true},
     {WZP_ADDR_V4, 9, {192, 168, 0, 2}},
     {0},
     60,
     WZP_PORTMAP_FINE,
     false},
    {"no address, in a lab",
     {.accepts_local = true},
     {WZP_ADDR_V4, 9, {0}},
     {0},
     60,
     WZP_PORTMAP_NOT_GLOBAL,
     true},
    {"others see another one",
     {0},
     {WZP_ADDR_V4, 9, {203, 0, 113, 9}},
     {WZP_ADDR_V4, 1, {203, 0, 113, 8}},
     60,
     WZP_PORTMAP_NOT_REFLEXIVE,
     true},
    {"others see the same",
     {0},
     {WZP_ADDR_V4, 9, {203, 0, 113, 9}},
     {WZP_ADDR_V4, 1, {203, 0, 113, 9}},
     60,
     WZP_PORTMAP_FINE,
     false},
    {"others see IPv6, which says nothing",
     {0},
     {WZP_ADDR_V4, 9, {203, 0, 113, 9}},
     {WZP_ADDR_V6, 1, {0x20, 1}},
     60,
     WZP_PORTMAP_FINE,
     false},
    {"lifetime 0", {0}, {WZP_ADDR_V4, 9, {203, 0, 113, 9}}, {0}, 0, WZP_PORTMAP_NO_LIFETIME, false},
    {"port 0", {0}, {WZP_ADDR_V4, 0, {203, 0, 113, 9}}, {0}, 60, WZP_PORTMAP_NO_LIFETIME, false},
};

START_TEST(useless) {
    const struct useless_case *c = &useless_cases[_i % (int)WZP_COUNT_OF(useless_cases)];
    wzp_portmap_cfg cfg = c->cfg;
    cfg.protocol = (wzp_portmap_protocol)(_i / (int)WZP_COUNT_OF(useless_cases));
    cfg.reflexive = c->reflexive;
    begin(&cfg);
    box.external = c->external;
    box.lifetime_s = c->lifetime_s;
    const unsigned asks = cfg.protocol == WZP_PORTMAP_NATPMP ? 2 : 1;
    ck_assert_msg(serve(0) == asks + (c->given_back ? 1 : 0), "%s", c->name);
    ck_assert_msg(map.why == c->want, "%s: %s", c->name, wzp_portmap_why_text(map.why));
    ck_assert((wzp_portmap_external(&map) != NULL) == (c->want == WZP_PORTMAP_FINE));
    ck_assert(wzp_portmap_is_spoken(&map));
    if (c->want != WZP_PORTMAP_FINE) {
        ck_assert(wzp_portmap_deadline(&map) == 600 * WZP_S && sent(NULL) == 0);
        ck_assert_uint_eq(wzp_portmap_changes(&map), 0);
    }
}
END_TEST

START_TEST(reflexive_comes_later) {
    const wzp_portmap_cfg cfg = with(_i);
    const wzp_addr same = wzp_addr_v4(203, 0, 113, 9, 1);
    const wzp_addr other = wzp_addr_v4(203, 0, 113, 8, 1);
    begin(&cfg);
    (void)serve(0);
    wzp_portmap_reflexive(&map, &same, WZP_S);
    assert_external("203.0.113.9:51413");
    wzp_portmap_reflexive(&map, &other, WZP_S);
    assert_external("none");
    ck_assert_uint_eq(serve(WZP_S), 1); /* given back */
    ck_assert(map.why == WZP_PORTMAP_NOT_REFLEXIVE);
}
END_TEST

START_TEST(refused_by_the_gateway) {
    const wzp_portmap_cfg cfg = with(_i);
    begin(&cfg);
    box.result = 2;
    ck_assert_uint_eq(serve(0), 1);
    ck_assert(map.why == WZP_PORTMAP_REFUSED && map.result == 2);
    ck_assert(wzp_portmap_is_spoken(&map));
    /* PCP's error says half an hour, NAT-PMP's nothing. */
    ck_assert(wzp_portmap_deadline(&map) == (cfg.protocol == WZP_PORTMAP_PCP ? 1800 : 600) * WZP_S);
}
END_TEST

/* A mapping is asked for with port 40000 and nonce ab..ab; then this comes. */
static const struct refusal_case {
    const char *name;
    wzp_portmap_protocol protocol;
    const char *from, *hex;
    size_t counter; /* that goes up; SIZE_MAX: it is accepted */
} refusal_cases[] = {
#define PMP WZP_PORTMAP_NATPMP
#define PCP WZP_PORTMAP_PCP
#define ABAB "abababababababababababab"
#define PCP_HEAD "02810000 00001c20 000003e8 000000000000000000000000"
#define MAPPED_IP "00000000000000000000ffffcb007109"
#define COUNTER(name) offsetof(wzp_portmap_refusals, name)
    {"right", PMP, "192.168.1.1:5351", "00810000 000003e8 9c40c8d5 00000e10", SIZE_MAX},
    {"another host", PMP, "192.168.1.2:5351", "00810000 000003e8 9c40c8d5 00000e10",
     COUNTER(wrong_source)},
    {"another port", PMP, "192.168.1.1:5350", "00810000 000003e8 9c40c8d5 00000e10",
     COUNTER(wrong_source)},
    {"cut", PMP, "192.168.1.1:5351", "00810000 000003e8 9c40c8d5 00000e", COUNTER(cut)},
    {"our request", PMP, "192.168.1.1:5351", "000100009c409c4000001c20", COUNTER(malformed)},
    {"another internal port", PMP, "192.168.1.1:5351", "00810000 000003e8 9c41c8d5 00000e10",
     COUNTER(wrong_port)},
    {"TCP", PMP, "192.168.1.1:5351", "00820000 000003e8 9c40c8d5 00000e10", COUNTER(wrong_port)},
    {"address, again", PMP, "192.168.1.1:5351", "00800000 000003e8 cb007109", COUNTER(unasked)},
    {"an error of another operation", PMP, "192.168.1.1:5351", "00800002 000003e8 00000000",
     COUNTER(unasked)},
    {"version", PMP, "192.168.1.1:5351", "00800001 000003e8", SIZE_MAX},
    {"from a gateway of PCP", PMP, "192.168.1.1:5351", "02810001 00000708 000003e8", SIZE_MAX},
    {"right", PCP, "192.168.1.1:5351", PCP_HEAD ABAB "11000000 9c40c8d5" MAPPED_IP, SIZE_MAX},
    {"another host", PCP, "192.168.1.2:5351", PCP_HEAD ABAB "11000000 9c40c8d5" MAPPED_IP,
     COUNTER(wrong_source)},
    {"cut", PCP, "192.168.1.1:5351", PCP_HEAD ABAB "11000000", COUNTER(cut)},
    {"R bit clear", PCP, "192.168.1.1:5351",
     "02010000 00001c20 000003e8 000000000000000000000000" ABAB "11000000 9c40c8d5" MAPPED_IP,
     COUNTER(malformed)},
    {"wrong nonce", PCP, "192.168.1.1:5351",
     PCP_HEAD "acababababababababababab 11000000 9c40c8d5" MAPPED_IP, COUNTER(wrong_nonce)},
    {"another internal port", PCP, "192.168.1.1:5351", PCP_HEAD ABAB "11000000 9c41c8d5" MAPPED_IP,
     COUNTER(wrong_port)},
    {"TCP", PCP, "192.168.1.1:5351", PCP_HEAD ABAB "06000000 9c40c8d5" MAPPED_IP,
     COUNTER(wrong_port)},
    {"announcement, with nothing mapped", PCP, "192.168.1.1:5351",
     "02800000 00000000 000003e8 000000000000000000000000", COUNTER(unasked)},
    {"an error without what was asked", PCP, "192.168.1.1:5351",
     "02810008 0000001e 000003e8 000000000000000000000000", SIZE_MAX},
    {"an error for another nonce", PCP, "192.168.1.1:5351",
     "02810008 0000001e 000003e8 000000000000000000000000"
     "acababababababababababab 11000000 9c40c8d5" MAPPED_IP,
     COUNTER(wrong_nonce)},
    {"NAT-PMP only", PCP, "192.168.1.1:5351", "00810001 000003e8", SIZE_MAX},
};

START_TEST(refusals) {
    const struct refusal_case *c = &refusal_cases[_i];
    static const wzp_portmap_refusals none;
    const wzp_portmap_cfg cfg = with((int)c->protocol);
    uint8_t buf[128];
    wzp_addr from;
    begin(&cfg);
    ck_assert_uint_eq(sent(NULL), 1);
    memset(map.nonce, 0xab, sizeof map.nonce);
    if (c->protocol == WZP_PORTMAP_NATPMP) {
        ck_assert(wzp_portmap_recv(&map, &gateway,
                                   unhex(buf, sizeof buf, "00800000000003e8cb007109"), 0));
        ck_assert_uint_eq(sent(NULL), 1);
    }
    ck_assert(wzp_addr_parse(&from, c->from) == WZP_OK);
    const bool taken = wzp_portmap_recv(&map, &from, unhex(buf, sizeof buf, c->hex), 0);
    ck_assert_msg(taken == (c->counter == SIZE_MAX), "%s", c->name);
    ck_assert((wzp_portmap_state_of(&map) != WZP_PORTMAP_ASKING) == taken);
    wzp_portmap_refusals got = map.refusals;
    if (!taken) {
        uint64_t *counter = (uint64_t *)(void *)((char *)&got + c->counter);
        ck_assert_msg(*counter == 1, "%s", c->name);
        *counter = 0;
    }
    ck_assert_msg(memcmp(&got, &none, sizeof got) == 0, "%s: another one too", c->name);
}
END_TEST

START_TEST(released_while_it_is_asked_for) {
    const wzp_portmap_cfg cfg = with(WZP_PORTMAP_PCP);
    begin(&cfg);
    ck_assert_uint_eq(sent(NULL), 1); /* may have reached the gateway */
    wzp_portmap_release(&map, WZP_MS);
    ck_assert_uint_eq(sent(NULL), 1);
    ck_assert(wzp_portmap_deadline(&map) == 251 * WZP_MS);
    wzp_portmap_tick(&map, 2001 * WZP_MS); /* nobody answers */
    ck_assert(wzp_portmap_state_of(&map) == WZP_PORTMAP_OFF && sent(NULL) == 0);
    const wzp_portmap_cfg pmp = with(WZP_PORTMAP_NATPMP);
    begin(&pmp);
    wzp_portmap_release(&map, WZP_MS); /* nothing was asked for but the address */
    ck_assert(wzp_portmap_state_of(&map) == WZP_PORTMAP_OFF && sent(NULL) == 0);
}
END_TEST

START_TEST(configurations_without_sense) {
    const wzp_rng rng = wzp_prng_rng(&prng);
    const wzp_addr v6 = {WZP_ADDR_V6, 40000, {0xfe, 0x80}};
    wzp_portmap_cfg cfg = {.gateway = gateway, .local = local};
    cfg.local.port = 0;
    ck_assert(wzp_portmap_start(&map, &cfg, rng, 0) == WZP_ERR_INVALID_ARGUMENT);
    cfg.local = v6;
    ck_assert(wzp_portmap_start(&map, &cfg, rng, 0) == WZP_ERR_INVALID_ARGUMENT);
    cfg.gateway = v6;
    ck_assert(wzp_portmap_start(&map, &cfg, rng, 0) == WZP_ERR_INVALID_ARGUMENT);
    cfg.protocol = WZP_PORTMAP_PCP;
    ck_assert(wzp_portmap_start(&map, &cfg, rng, 0) == WZP_OK);
    cfg.gateway = (wzp_addr){0};
    ck_assert(wzp_portmap_start(&map, &cfg, rng, 0) == WZP_ERR_INVALID_ARGUMENT);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("portmap");
    wzp_prng_init(&prng, 1, "portmap");
    tcase_add_loop_test(tc, kept_and_given_back, 0, 2);
    tcase_add_test(tc, bytes_as_the_vectors);
    tcase_add_loop_test(tc, a_silent_gateway, 0, 2);
    tcase_add_loop_test(tc, renewals_without_answer, 0, 2);
    tcase_add_loop_test(tc, mapped_again_after_a_restart, 0, 2);
    tcase_add_test(tc, another_external_address);
    tcase_add_loop_test(tc, epochs, 0, 2 * WZP_COUNT_OF(epoch_cases));
    tcase_add_loop_test(tc, useless, 0, 2 * WZP_COUNT_OF(useless_cases));
    tcase_add_loop_test(tc, reflexive_comes_later, 0, 2);
    tcase_add_loop_test(tc, refused_by_the_gateway, 0, 2);
    tcase_add_loop_test(tc, refusals, 0, WZP_COUNT_OF(refusal_cases));
    tcase_add_test(tc, released_while_it_is_asked_for);
    tcase_add_test(tc, configurations_without_sense);
    return wzp_run_suite("portmap", tc);
}
