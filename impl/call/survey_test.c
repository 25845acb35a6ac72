/* A survey among servers in memory, who say how they see us, or do not. */
#include "call/survey.h"

#include <string.h>

#include "base/testing/suite.h"
#include "call/testing/stun_server.h"
#include "crypto/identity.h"
#include "quic/testing/pair.h"

enum { STUNS = 4 };

/* How one STUN server sees us. */
typedef enum sight {
    SILENT,
    NOBODY,    /* its name has no address */
    TRUE_PORT, /* as we are */
    NEXT_PORT, /* port 50000 + its number */
    OTHER_IP,  /* another address */
    INNER,     /* a private address */
    DENIED     /* error 420 */
} sight;

static const struct survey_case {
    const char *name;
    sight v4[STUNS], v6[STUNS];
    size_t count;
    wzp_nat_type type;
    bool ipv4, ipv6, no_v6;
    wzp_netcheck_answer hairpin;
    wzp_port_alloc_kind alloc;
    const char *errors[STUNS];
} cases[] = {
    {"no NAT",
     {TRUE_PORT, TRUE_PORT, TRUE_PORT},
     {0},
     3,
     WZP_NAT_TYPE_CONE,
     true,
     false,
     true,
     WZP_NETCHECK_YES,
     WZP_PORT_ALLOC_PRESERVING,
     {NULL}},
    {"ports one by one",
     {NEXT_PORT, NEXT_PORT, NEXT_PORT},
     {0},
     3,
     WZP_NAT_TYPE_SYMMETRIC_PORT,
     true,
     false,
     true,
     WZP_NETCHECK_NO,
     WZP_PORT_ALLOC_SEQUENTIAL,
     {NULL}},
    {"two addresses",
     {TRUE_PORT, OTHER_IP},
     {0},
     2,
     WZP_NAT_TYPE_MULTIPLE,
     true,
     false,
     true,
     WZP_NETCHECK_YES,
     WZP_PORT_ALLOC_PRESERVING,
     {NULL}},
    {"a server elsewhere that names a neighbour of ours: it is not asked",
     {INNER, INNER},
     {0},
     2,
     WZP_NAT_TYPE_UNKNOWN,
     true,
     false,
     true,
     WZP_NETCHECK_UNTRIED,
     WZP_PORT_ALLOC_PRESERVING,
     {NULL}},
    {"nobody answers",
     {SILENT, SILENT},
     {SILENT, SILENT},
     2,
     WZP_NAT_TYPE_UNKNOWN,
     false,
     false,
     false,
     WZP_NETCHECK_UNTRIED,
     WZP_PORT_ALLOC_UNKNOWN,
     {"STUN timeout", "STUN timeout"}},
    {"a name without address, an error, an answer",
     {NOBODY, DENIED, TRUE_PORT},
     {NOBODY, NOBODY, NOBODY},
     3,
     WZP_NAT_TYPE_UNKNOWN,
     true,
     false,
     false,
     WZP_NETCHECK_YES,
     WZP_PORT_ALLOC_UNKNOWN,
     {"STUN DNS: none", "STUN error response: 420", NULL}},
    {"both families",
     {TRUE_PORT, TRUE_PORT},
     {TRUE_PORT, SILENT},
     2,
     WZP_NAT_TYPE_CONE,
     true,
     true,
     false,
     WZP_NETCHECK_YES,
     WZP_PORT_ALLOC_PRESERVING,
     {NULL}},
    {"IPv6 only",
     {NOBODY, NOBODY},
     {TRUE_PORT, TRUE_PORT},
     2,
     WZP_NAT_TYPE_CONE,
     false,
     true,
     false,
     WZP_NETCHECK_UNTRIED,
     WZP_PORT_ALLOC_PRESERVING,
     {NULL}},
    {"IPv6 is not wanted",
     {TRUE_PORT, NOBODY},
     {TRUE_PORT, TRUE_PORT},
     2,
     WZP_NAT_TYPE_UNKNOWN,
     true,
     false,
     true,
     WZP_NETCHECK_YES,
     WZP_PORT_ALLOC_UNKNOWN,
     {NULL, "STUN DNS: none"}},
    {"no servers",
     {0},
     {0},
     0,
     WZP_NAT_TYPE_UNKNOWN,
     false,
     false,
     false,
     WZP_NETCHECK_UNTRIED,
     WZP_PORT_ALLOC_UNKNOWN,
     {NULL}},
};

/* --- servers ---------------------------------------------------------------------------------- */

static const wzp_addr own = {WZP_ADDR_V4, 40000, {203, 0, 113, 5}};

/* One that may not tell the truth. */
typedef struct server {
    stun_server plain; /* first: most of its operations are those of this one */
    sight sees;
    int number;
} server;

static void server_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                        wzp_time now) {
    server *s = self;
    wzp_stun_message request;
    wzp_wr wr;
    (void)ecn;
    (void)now;
    ck_assert(wzp_stun_parse(&request, payload, NULL) == WZP_OK);
    if (s->sees == SILENT) {
        return;
    }
    wzp_stun_message answer = {.type = WZP_STUN_SUCCESS, .xor_mapped = path->remote};
    memcpy(answer.txid, request.txid, sizeof answer.txid);
    if (s->sees == NEXT_PORT) {
        answer.xor_mapped.port = (uint16_t)(50000 + s->number);
    } else if (s->sees == OTHER_IP) {
        answer.xor_mapped.ip[3] = 77;
    } else if (s->sees == INNER) {
        answer.xor_mapped = wzp_addr_v4(192, 168, 3, 4, 40000);
    } else if (s->sees == DENIED) {
        answer = (wzp_stun_message){.type = WZP_STUN_ERROR, .error = 420};
        memcpy(answer.txid, request.txid, sizeof answer.txid);
    }
    wzp_wr_init(&wr, s->plain.answer, sizeof s->plain.answer);
    wzp_stun_write(&wr, &answer);
    s->plain.len = wzp_wr_len(&wr);
    s->plain.to = path->remote;
}

static const wzp_core_ops server_ops = {server_recv, stun_server_tick, stun_server_deadline,
                                        stun_server_next};

/* A relay that answers at once. */
static void relay_event(void *self, const wzp_quic_event *ev, wzp_time now) {
    static const char ack[] = "{\"RegisterPresenceAck\":{\"version\":1,\"success\":true}}";
    static const char seen[] =
        "{\"ReflectResponse\":{\"version\":1,\"observed_addr\":\"203.0.113.5:40000\"}}";
    wzp_endpoint *end = self;
    (void)now;
    if (ev->kind == WZP_QUIC_SIGNAL) {
        const bool is_reflect = ev->body.len == strlen("\"Reflect\"");
        ck_assert(wzp_quic_send_signal(wzp_endpoint_quic(end), ev->conn,
                                       wzp_bytes_str(is_reflect ? seen : ack), NULL) == WZP_OK);
    }
}

/* --- the network ------------------------------------------------------------------------------ */

typedef struct fixture {
    pair_net net;
    wzp_prng prngs[2];
    wzp_endpoint *end, *relay;
    wzp_endpoint_user relay_user;
    server v4[STUNS], v6[STUNS];
    wzp_survey *survey;
} fixture;

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {198, 51, 100, 77}};

static wzp_addr server_addr(int i, bool is_v6) {
    if (is_v6) {
        return (wzp_addr){WZP_ADDR_V6, 3478, {0x20, 1, 0x0d, 0xb8, [15] = (uint8_t)i}};
    }
    return wzp_addr_v4(198, 51, 100, (uint8_t)(1 + i), 3478);
}

static wzp_endpoint *endpoint(fixture *f, uint8_t i) {
    const uint8_t seed[32] = {i};
    wzp_identity who;
    wzp_tls_identity tls;
    wzp_endpoint *end = NULL;
    wzp_identity_from_seed(&who, seed);
    wzp_tls_identity_of(&tls, &who);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, 32)};
    wzp_prng_init(&f->prngs[i], i, "survey");
    const wzp_quic_cfg cfg = {
        .identity = &identity, .rng = wzp_prng_rng(&f->prngs[i]), .mutual = true};
    ck_assert(wzp_endpoint_new(&end, &cfg, f->net.now) == WZP_OK);
    return end;
}

static void begin(fixture *f, const struct survey_case *c) {
    static const char *const names[STUNS] = {"s0:3478", "s1:3478", "s2:3478", "s3:3478"};
    wzp_survey_target stun[STUNS] = {{.name = NULL}};
    const wzp_survey_target relays[] = {
        {.name = "gone", .error = "DNS: none"},
        {.name = "relay", .v4 = relay_addr},
        {.name = "dead", .v4 = wzp_addr_v4(198, 51, 100, 99, 4433)}};
    for (int i = 0; i < STUNS; i++) {
        f->v4[i] = (server){.sees = c->v4[i], .number = i};
        f->v6[i] = (server){.sees = c->v6[i], .number = i};
        pair_add(&f->net, (wzp_core){&f->v4[i], &server_ops}, server_addr(i, false), NULL, NULL);
        pair_add(&f->net, (wzp_core){&f->v6[i], &server_ops}, server_addr(i, true), NULL, NULL);
        stun[i].name = names[i];
        if (c->v4[i] != NOBODY) {
            stun[i].v4 = server_addr(i, false);
        }
        if (c->v6[i] != NOBODY) {
            stun[i].v6 = server_addr(i, true);
        }
        stun[i].error = c->v4[i] == NOBODY ? "STUN DNS: none" : NULL;
    }
    const wzp_survey_cfg cfg = {.endpoint = f->end,
                                .stun = stun,
                                .stun_count = c->count,
                                .relays = relays,
                                .relay_count = 3,
                                .relay_timeout = 1 * WZP_S,
                                .no_v6 = c->no_v6,
                                .rng = wzp_prng_rng(&f->prngs[0])};
    ck_assert(wzp_survey_new(&f->survey, &cfg, f->net.now) == WZP_OK);
    pair_add(&f->net, wzp_survey_core(f->survey), own, NULL, NULL);
}

static fixture *setup(const struct survey_case *c) {
    fixture *f = calloc(1, sizeof *f);
    pair_init(&f->net, 1);
    f->end = endpoint(f, 0);
    f->relay = endpoint(f, 1);
    f->relay_user = (wzp_endpoint_user){f->relay, relay_event};
    wzp_endpoint_on_incoming(f->relay, &f->relay_user);
    pair_add(&f->net, wzp_endpoint_core(f->relay), relay_addr, NULL, NULL);
    begin(f, c);
    return f;
}

static void teardown(fixture *f) {
    pair_clear(&f->net);
    wzp_survey_free(&f->survey, f->net.now);
    wzp_survey_free(&f->survey, f->net.now);
    wzp_endpoint_free(&f->end);
    wzp_endpoint_free(&f->relay);
    free(f);
}

/* --- tests ------------------------------------------------------------------------------------ */

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

START_TEST(a_network) {
    const struct survey_case *c = &cases[_i];
    fixture *f = setup(c);
    wzp_netcheck r = {0};
    ck_assert(!wzp_survey_is_done(f->survey));
    pair_run(&f->net, f->net.now + 5 * WZP_S);
    ck_assert_msg(wzp_survey_is_done(f->survey), "%s: not done", c->name);
    wzp_survey_report(f->survey, &r);
    ck_assert_msg(r.nat.type == c->type, "%s: type %s", c->name, wzp_nat_type_text(r.nat.type));
    ck_assert_msg(r.ipv4 == c->ipv4 && r.ipv6 == c->ipv6, "%s: %d %d", c->name, r.ipv4, r.ipv6);
    ck_assert_msg(r.hairpin == c->hairpin, "%s: hairpin %d", c->name, r.hairpin);
    ck_assert_msg(r.has_alloc == (c->ipv4 || c->ipv6) && r.alloc.kind == c->alloc, "%s: ports %d",
                  c->name, r.alloc.kind);
    ck_assert_uint_eq(r.stun_count, c->count);
    for (size_t i = 0; i < c->count; i++) {
        const wzp_netcheck_probe *p = &r.stun[i];
        ck_assert_msg(same_text(p->error, c->errors[i]), "%s: %zu: %s", c->name, i, p->error);
        ck_assert_msg(p->has_time == (p->observed.family != WZP_ADDR_NONE), "%s: %zu", c->name, i);
        ck_assert(!p->has_time || p->time_ms == 20);
    }
    teardown(f);
}
END_TEST

START_TEST(relays) {
    fixture *f = setup(&cases[0]);
    wzp_netcheck r = {0};
    pair_run(&f->net, f->net.now + 5 * WZP_S);
    wzp_survey_report(f->survey, &r);
    ck_assert_uint_eq(r.relay_count, 3);
    ck_assert_str_eq(r.relays[0].error, "DNS: none");
    ck_assert_ptr_null(r.relays[1].error);
    ck_assert(r.relays[1].has_time && r.relays[1].time_ms >= 20 && r.relays[1].time_ms < 30);
    ck_assert(wzp_addr_equal(&r.relays[1].observed, &own));
    ck_assert_str_eq(r.relays[2].error, "probe timeout (1000ms)");
    ck_assert(!r.relays[2].has_time);
    ck_assert_str_eq(wzp_netcheck_preferred(&r)->name, "relay");
    teardown(f);
}
END_TEST

START_TEST(ended_early) {
    fixture *f = setup(&cases[4]);
    wzp_netcheck r = {0};
    pair_run(&f->net, f->net.now + 100 * WZP_MS);
    ck_assert(!wzp_survey_is_done(f->survey));
    wzp_survey_report(f->survey, &r);
    ck_assert(!r.ipv4);
    teardown(f); /* with requests and handshakes under way */
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("survey");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_network, 0, WZP_COUNT_OF(cases));
    tcase_add_test(tc, relays);
    tcase_add_test(tc, ended_early);
    return wzp_run_suite("call.survey", tc);
}
