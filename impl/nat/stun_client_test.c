#include "nat/stun_client.h"

#include "wire/testing/bytes.h"

static wzp_addr servers[3];
static wzp_stun_client client;
static wzp_prng prng;

static void begin(const wzp_stun_client_cfg *cfg) {
    for (uint8_t i = 0; i < 3; i++) {
        servers[i] = wzp_addr_v4(198, 51, 100, (uint8_t)(i + 1), 3478);
    }
    wzp_prng_init(&prng, 1, "stun");
    ck_assert(wzp_stun_client_start(&client, cfg, servers, 3, wzp_prng_rng(&prng), 0) == WZP_OK);
}

/* Takes all that is to be sent; returns how many, the last one in `out`. */
static unsigned sent(wzp_stun_datagram *out) {
    wzp_stun_datagram ignored;
    unsigned count = 0;
    while (wzp_stun_client_next(&client, out != NULL ? out : &ignored)) {
        count++;
    }
    return count;
}

/* The answer of server i to what it was asked; `change` is done to it before it is written. */
typedef struct answering {
    size_t i;
    const char *mapped;
    uint16_t error;
    uint8_t txid_xor;
    size_t cut; /* bytes off its end */
    bool has_fingerprint, breaks_fingerprint, plain;
    const char *from; /* NULL: the server */
} answering;

static bool answer(const answering *a, wzp_time now) {
    wzp_stun_message message = {.type = a->error != 0 ? WZP_STUN_ERROR : WZP_STUN_SUCCESS,
                                .error = a->error,
                                .has_fingerprint = a->has_fingerprint};
    wzp_addr from = servers[a->i];
    uint8_t buf[128];
    wzp_wr wr;
    if (a->mapped != NULL) {
        ck_assert(wzp_addr_parse(a->plain ? &message.mapped : &message.xor_mapped, a->mapped) ==
                  WZP_OK);
    }
    if (a->from != NULL) {
        ck_assert(wzp_addr_parse(&from, a->from) == WZP_OK);
    }
    memcpy(message.txid, client.slots[a->i].txid, sizeof message.txid);
    message.txid[3] ^= a->txid_xor;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_stun_write(&wr, &message);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    buf[wzp_wr_len(&wr) - 1] ^= a->breaks_fingerprint ? 1 : 0;
    return wzp_stun_client_recv(&client, &from, wzp_bytes_of(buf, wzp_wr_len(&wr) - a->cut), now);
}

START_TEST(the_first_answer_ends_it) {
    begin(&(wzp_stun_client_cfg){.order = WZP_STUN_FIRST});
    ck_assert_uint_eq(sent(NULL), 3);
    ck_assert(!wzp_stun_client_is_done(&client) && wzp_stun_client_first(&client) == NULL);
    ck_assert(answer(&(answering){.i = 1, .mapped = "203.0.113.5:40000"}, 30 * WZP_MS));
    ck_assert(wzp_stun_client_is_done(&client));
    const wzp_stun_result *first = wzp_stun_client_first(&client);
    char text[WZP_ADDR_TEXT_MAX];
    ck_assert_str_eq(wzp_addr_text(&first->mapped, text), "203.0.113.5:40000");
    ck_assert(first->rtt == 30 * WZP_MS && first->sends == 1);
    ck_assert(first == wzp_stun_client_result(&client, 1));
    ck_assert(wzp_stun_client_result(&client, 0)->state == WZP_STUN_LATER);
    ck_assert(!answer(&(answering){.i = 0, .mapped = "203.0.113.5:40000"}, 31 * WZP_MS));
    ck_assert_uint_eq(wzp_stun_client_refusals(&client)->late, 1);
    ck_assert_ptr_null(wzp_stun_client_result(&client, 3));
}
END_TEST

START_TEST(all_are_waited_for) {
    begin(&(wzp_stun_client_cfg){.order = WZP_STUN_ALL});
    ck_assert_uint_eq(sent(NULL), 3);
    ck_assert(answer(&(answering){.i = 2, .mapped = "203.0.113.5:1", .plain = true}, WZP_MS));
    ck_assert(answer(&(answering){.i = 0, .error = 420}, WZP_MS));
    ck_assert(!wzp_stun_client_is_done(&client));
    wzp_stun_client_tick(&client, 3 * WZP_S);
    ck_assert(wzp_stun_client_is_done(&client));
    ck_assert(wzp_stun_client_result(&client, 0)->state == WZP_STUN_DENIED);
    ck_assert_uint_eq(wzp_stun_client_result(&client, 0)->error, 420);
    ck_assert(wzp_stun_client_result(&client, 1)->state == WZP_STUN_SILENT);
    ck_assert(wzp_stun_client_result(&client, 2)->state == WZP_STUN_ANSWERED);
    ck_assert(wzp_stun_client_first(&client) == wzp_stun_client_result(&client, 2));
}
END_TEST

START_TEST(one_after_the_other) {
    wzp_stun_datagram out;
    begin(&(wzp_stun_client_cfg){.order = WZP_STUN_IN_TURN, .timeout = 2 * WZP_S});
    ck_assert(sent(&out) == 1 && wzp_addr_equal(&out.to, &servers[0]));
    ck_assert(answer(&(answering){.i = 0, .mapped = "203.0.113.5:40001"}, WZP_MS));
    ck_assert(sent(&out) == 1 && wzp_addr_equal(&out.to, &servers[1]));
    /* Server 2 has not been asked, so nobody can know its transaction. */
    ck_assert(!answer(&(answering){.i = 2, .mapped = "203.0.113.5:40003"}, WZP_MS));
    ck_assert_uint_eq(wzp_stun_client_refusals(&client)->wrong_txid, 1);
    wzp_stun_client_tick(&client, WZP_MS + 2 * WZP_S);
    ck_assert(wzp_stun_client_result(&client, 1)->state == WZP_STUN_SILENT);
    ck_assert(sent(&out) == 1 && wzp_addr_equal(&out.to, &servers[2]));
    ck_assert(answer(&(answering){.i = 2, .mapped = "203.0.113.5:40003"}, 3 * WZP_S));
    ck_assert(wzp_stun_client_is_done(&client) && sent(NULL) == 0);
}
END_TEST

/* When it sends, until it gives up. */
static const struct schedule_case {
    const char *name;
    wzp_stun_client_cfg cfg;
    unsigned sends_ms[8]; /* after the first, 0 ends them */
    unsigned end_ms;
} schedule_cases[] = {
    {"reference, 3 s", {0}, {500, 1500}, 3000},
    {"reference, 2 s", {.timeout = 2 * WZP_S}, {500, 1500}, 2000},
    {"RFC 8489 whole", {.timeout = 39500 * WZP_MS}, {500, 1500, 3500, 7500, 15500, 31500}, 39500},
    {"rto 100 ms", {.rto = 100 * WZP_MS, .timeout = WZP_S}, {100, 300, 700}, 1000},
    {"deployed, 3 s", {.rules = WZP_STUN_DEPLOYED}, {1500}, 3000},
    {"deployed, 2 s", {.rules = WZP_STUN_DEPLOYED, .timeout = 2 * WZP_S}, {1000}, 2000},
};

START_TEST(sends_again) {
    const struct schedule_case *c = &schedule_cases[_i];
    wzp_stun_datagram first;
    wzp_stun_datagram again;
    begin(&c->cfg);
    ck_assert_uint_eq(sent(&first), 3);
    for (size_t i = 0; c->sends_ms[i] != 0; i++) {
        ck_assert_msg(wzp_stun_client_deadline(&client) == c->sends_ms[i] * WZP_MS, "%s: %zu",
                      c->name, i);
        wzp_stun_client_tick(&client, c->sends_ms[i] * WZP_MS - 1);
        ck_assert_uint_eq(sent(NULL), 0);
        wzp_stun_client_tick(&client, c->sends_ms[i] * WZP_MS);
        ck_assert_uint_eq(sent(&again), 3);
        CK_ASSERT_BYTES(wzp_bytes_of(again.data, again.len), wzp_bytes_of(first.data, first.len));
    }
    ck_assert(wzp_stun_client_deadline(&client) == c->end_ms * WZP_MS);
    wzp_stun_client_tick(&client, c->end_ms * WZP_MS);
    ck_assert(sent(NULL) == 0 && wzp_stun_client_is_done(&client));
    ck_assert_ptr_null(wzp_stun_client_first(&client));
}
END_TEST

#define FIRST                                                                                      \
    { .order = WZP_STUN_FIRST }

static const struct refusal_case {
    const char *name;
    wzp_stun_client_cfg cfg;
    answering answering;
    size_t counter; /* that goes up, of the refusals; SIZE_MAX: it is accepted */
} refusal_cases[] = {
    {"wrong transaction",
     FIRST,
     {.mapped = "203.0.113.5:1", .txid_xor = 1},
     offsetof(wzp_stun_refusals, wrong_txid)},
    {"another port of the server",
     FIRST,
     {.mapped = "203.0.113.5:1", .from = "198.51.100.1:3479"},
     offsetof(wzp_stun_refusals, wrong_source)},
    {"another server",
     FIRST,
     {.mapped = "203.0.113.5:1", .from = "198.51.100.2:3478"},
     offsetof(wzp_stun_refusals, wrong_source)},
    {"truncated", FIRST, {.mapped = "203.0.113.5:1", .cut = 1}, offsetof(wzp_stun_refusals, cut)},
    {"cut in its header",
     FIRST,
     {.mapped = "203.0.113.5:1", .cut = 13},
     offsetof(wzp_stun_refusals, not_answer)},
    {"no address", FIRST, {0}, offsetof(wzp_stun_refusals, no_address)},
    {"wrong fingerprint",
     FIRST,
     {.mapped = "203.0.113.5:1", .has_fingerprint = true, .breaks_fingerprint = true},
     offsetof(wzp_stun_refusals, fingerprint)},
    {"right fingerprint", FIRST, {.mapped = "203.0.113.5:1", .has_fingerprint = true}, SIZE_MAX},
    {"port 0", FIRST, {.mapped = "203.0.113.5:0"}, offsetof(wzp_stun_refusals, port_zero)},
    {"multicast", FIRST, {.mapped = "239.1.2.3:1"}, offsetof(wzp_stun_refusals, not_unicast)},
    {"broadcast", FIRST, {.mapped = "255.255.255.255:1"}, offsetof(wzp_stun_refusals, not_unicast)},
    {"unspecified", FIRST, {.mapped = "0.0.0.0:1"}, offsetof(wzp_stun_refusals, not_unicast)},
    {"private", FIRST, {.mapped = "192.168.1.2:1"}, offsetof(wzp_stun_refusals, local)},
    {"shared", FIRST, {.mapped = "100.64.1.2:1"}, offsetof(wzp_stun_refusals, local)},
    {"loopback", FIRST, {.mapped = "127.0.0.1:1"}, offsetof(wzp_stun_refusals, local)},
    {"unique local", FIRST, {.mapped = "[fd00::1]:1"}, offsetof(wzp_stun_refusals, local)},
    {"private, in a lab", {.accepts_local = true}, {.mapped = "192.168.1.2:1"}, SIZE_MAX},
    {"multicast, in a lab",
     {.accepts_local = true},
     {.mapped = "239.1.2.3:1"},
     offsetof(wzp_stun_refusals, not_unicast)},
    {"private, deployed", {.rules = WZP_STUN_DEPLOYED}, {.mapped = "192.168.1.2:0"}, SIZE_MAX},
    {"IPv6", FIRST, {.mapped = "[2001:db8::1]:5"}, SIZE_MAX},
    {"an error", FIRST, {.error = 400}, SIZE_MAX},
    {"an error of a stranger",
     FIRST,
     {.error = 400, .from = "203.0.113.66:3478"},
     offsetof(wzp_stun_refusals, wrong_source)},
};

/* What is refused changes nothing but its counter: the right answer is still taken. */
START_TEST(refusals) {
    const struct refusal_case *c = &refusal_cases[_i];
    static const wzp_stun_refusals none;
    begin(&c->cfg);
    ck_assert_uint_eq(sent(NULL), 3);
    const bool taken = answer(&c->answering, WZP_MS);
    ck_assert_msg(taken == (c->counter == SIZE_MAX), "%s", c->name);
    wzp_stun_refusals got = *wzp_stun_client_refusals(&client);
    if (!taken) {
        uint64_t *counter = (uint64_t *)(void *)((char *)&got + c->counter);
        ck_assert_msg(*counter == 1, "%s", c->name);
        *counter = 0;
        ck_assert(answer(&(answering){.mapped = "203.0.113.9:9"}, WZP_MS));
    }
    ck_assert_msg(memcmp(&got, &none, sizeof got) == 0, "%s: another one too", c->name);
}
END_TEST

START_TEST(a_request_is_no_answer) {
    wzp_stun_datagram out;
    begin(&(wzp_stun_client_cfg){0});
    ck_assert_uint_eq(sent(&out), 3);
    ck_assert(!wzp_stun_client_recv(&client, &out.to, wzp_bytes_of(out.data, out.len), WZP_MS));
    ck_assert(!wzp_stun_client_recv(&client, &out.to, wzp_bytes_of("", 0), WZP_MS));
    ck_assert_uint_eq(wzp_stun_client_refusals(&client)->not_answer, 2);
}
END_TEST

START_TEST(what_a_request_says) {
    wzp_stun_datagram out;
    wzp_stun_message got;
    begin(&(wzp_stun_client_cfg){0});
    ck_assert(wzp_stun_client_next(&client, &out));
    ck_assert_uint_eq(out.len, WZP_STUN_HEADER_LEN); /* as deployed: nothing in it */
    begin(&(wzp_stun_client_cfg){.has_fingerprint = true, .software = wzp_bytes_str("wzp")});
    ck_assert(wzp_stun_client_next(&client, &out));
    ck_assert(wzp_stun_parse(&got, wzp_bytes_of(out.data, out.len), NULL) == WZP_OK);
    ck_assert(got.has_fingerprint && got.unknown_count == 0);
    CK_ASSERT_BYTES(got.software, wzp_bytes_str("wzp"));
    ck_assert(memcmp(client.slots[0].txid, client.slots[1].txid, WZP_STUN_TXID_LEN) != 0);
}
END_TEST

START_TEST(servers_that_cannot_be_asked) {
    const wzp_addr bad[] = {wzp_addr_v4(198, 51, 100, 1, 0),
                            wzp_addr_v4(0, 0, 0, 0, 1),
                            wzp_addr_v4(224, 0, 0, 1, 3478),
                            {0}};
    const wzp_stun_client_cfg cfg = {.order = WZP_STUN_IN_TURN};
    const wzp_rng rng = wzp_prng_rng(&prng);
    char name[WZP_STUN_SOFTWARE_MAX + 1] = {0};
    const wzp_stun_client_cfg wordy = {.software = wzp_bytes_of(name, sizeof name)};
    ck_assert(wzp_stun_client_start(&client, &cfg, bad, 4, rng, 0) == WZP_OK);
    ck_assert(wzp_stun_client_is_done(&client) && sent(NULL) == 0);
    for (size_t i = 0; i < 4; i++) {
        ck_assert(wzp_stun_client_result(&client, i)->state == WZP_STUN_UNUSABLE);
    }
    ck_assert(wzp_stun_client_start(&client, &cfg, bad, 0, rng, 0) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert(wzp_stun_client_start(&client, &wordy, bad, 4, rng, 0) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert(wzp_stun_client_start(&client, &cfg, bad, WZP_STUN_SERVERS_MAX + 1, rng, 0) ==
              WZP_ERR_LIMIT);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("stun_client");
    wzp_prng_init(&prng, 1, "stun");
    tcase_add_test(tc, the_first_answer_ends_it);
    tcase_add_test(tc, all_are_waited_for);
    tcase_add_test(tc, one_after_the_other);
    tcase_add_loop_test(tc, sends_again, 0, WZP_COUNT_OF(schedule_cases));
    tcase_add_loop_test(tc, refusals, 0, WZP_COUNT_OF(refusal_cases));
    tcase_add_test(tc, a_request_is_no_answer);
    tcase_add_test(tc, what_a_request_says);
    tcase_add_test(tc, servers_that_cannot_be_asked);
    return wzp_run_suite("stun_client", tc);
}
