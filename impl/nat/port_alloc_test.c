#include "nat/port_alloc.h"

#include "base/rng.h"
#include "base/testing/suite.h"

/* NAT-028: nat sheet 1.14, both tables.  0 ends a list. */
static const struct classify_case {
    uint16_t ports[8];
    size_t count;
    const char *want;
} classify_cases[] = {
    {{0}, 0, "unknown"},
    {{4433}, 1, "unknown"},
    {{4433, 4433}, 2, "port-preserving"},
    {{4433, 4433, 4433, 4433, 4433}, 5, "port-preserving"},
    {{40001, 40002}, 2, "unknown"},
    {{40001, 40002, 40003}, 3, "sequential(delta=1)"},
    {{65535, 2, 5}, 3, "sequential(delta=3)"},
    {{65534, 65535, 0, 1}, 4, "sequential(delta=1)"},
    {{3, 1, 65535}, 3, "sequential(delta=-2)"},
    {{100, 102, 105}, 3, "sequential(delta=2)"},
    {{100, 101, 103, 106}, 4, "random"},
    {{40001, 40001, 40002}, 3, "random"},
    {{40001, 40002, 40002}, 3, "sequential(delta=1)"},
    {{100, 102, 104, 150, 152, 154}, 6, "sequential(delta=2)"},
    {{1000, 1010, 1020, 1030, 5000}, 5, "sequential(delta=10)"},
    {{5000, 5001, 5003, 5004, 5005, 5040}, 6, "sequential(delta=1)"},
    {{40001, 52847, 19432, 61203, 8847}, 5, "random"},
    {{0, 32768, 0}, 3, "sequential(delta=-32768)"}, /* half way round has one name */
    {{100, 32867, 98}, 3, "sequential(delta=32767)"},
    {{100, 110, 105, 110, 110}, 5, "random"}, /* no delta has 60 % */
    {{100, 110, 110, 110, 110}, 5, "random"}, /* 60 % is 0 */
};

START_TEST(classify) {
    const struct classify_case *c = &classify_cases[_i];
    char buf[WZP_PORT_ALLOC_TEXT_MAX];
    const char *got = wzp_port_alloc_text(wzp_port_alloc_classify(c->ports, c->count), buf);
    ck_assert_msg(strcmp(got, c->want) == 0, "%s: got %s", c->want, got);
}
END_TEST

static const struct shared_case {
    const char *name;
    uint16_t ports[8];
    size_t count;
    const char *want;
} shared_cases[] = {
    {"nobody else", {40001, 40002, 40003}, 3, "sequential(delta=1)"},
    {"one flow after the first port", {1024, 1026, 1027, 1028}, 4, "sequential(delta=1)"},
    {"and a later look", {1024, 1026, 1027, 1028, 1034}, 5, "sequential(delta=1)"},
    {"no two steps alike", {100, 101, 103, 106}, 4, "sequential(delta=1)"},
    {"two and three: by one", {100, 102, 105}, 3, "sequential(delta=1)"},
    {"by two, and one flow", {40000, 40002, 40006, 40008}, 4, "sequential(delta=2)"},
    {"by four, and two flows", {40000, 40008, 40012, 40020}, 4, "sequential(delta=4)"},
    {"downwards over the end", {3, 1, 65533, 65531}, 4, "sequential(delta=-2)"},
    {"upwards over the end", {65533, 65535, 0, 2}, 4, "sequential(delta=1)"},
    {"the first view is from long ago", {9000, 40001, 40002, 40004}, 4, "sequential(delta=1)"},
    {"or the last one from much later", {1024, 1026, 1027, 1028, 1178}, 5, "sequential(delta=1)"},
    {"the longest part decides", {10, 20, 30, 5000, 5001, 5003, 5004}, 7, "sequential(delta=1)"},
    {"as far as it may go", {40000, 40032, 40064}, 3, "sequential(delta=32)"},
    {"one further", {40000, 40032, 40065}, 3, "sequential(delta=32)"}, /* as classify has it */
    {"far, and near from there on", {40000, 40063, 40064, 40066}, 4, "sequential(delta=1)"},
    {"each far from the next", {40000, 40100, 40250}, 3, "random"},
    {"two ports", {40001, 40002}, 2, "unknown"},
    {"two of them alike", {9000, 9000, 40001, 40002}, 4, "random"},
    {"it keeps", {4433, 4433, 4433}, 3, "port-preserving"},
    {"it keeps but once", {40001, 40001, 40002}, 3, "random"},
    {"there and back", {40001, 40004, 40002}, 3, "random"},
    {"it does not count", {40001, 52847, 19432, 61203, 8847}, 5, "random"},
    {"most of them", {1000, 1010, 1020, 1030, 5000}, 5, "sequential(delta=10)"},
};

START_TEST(classify_shared) {
    const struct shared_case *c = &shared_cases[_i];
    char buf[WZP_PORT_ALLOC_TEXT_MAX];
    const char *got = wzp_port_alloc_text(wzp_port_alloc_classify_shared(c->ports, c->count), buf);
    ck_assert_msg(strcmp(got, c->want) == 0, "%s: got %s", c->name, got);
}
END_TEST

/* Whoever finds that ports count has seen it at least twice. */
START_TEST(ports_at_random_hardly_ever_count) {
    wzp_prng prng;
    unsigned counted = 0;
    wzp_prng_init(&prng, 1, "ports");
    for (unsigned i = 0; i < 100000; i++) {
        uint16_t ports[5];
        for (size_t k = 0; k < WZP_COUNT_OF(ports); k++) {
            ports[k] = (uint16_t)wzp_rng_below(wzp_prng_rng(&prng), 65536);
        }
        const wzp_port_alloc got = wzp_port_alloc_classify_shared(ports, WZP_COUNT_OF(ports));
        counted += got.kind == WZP_PORT_ALLOC_SEQUENTIAL ? 1 : 0;
    }
    ck_assert_msg(counted <= 2, "%u of 100000", counted);
}
END_TEST

START_TEST(many_probes) {
    uint16_t ports[WZP_PORT_ALLOC_PROBES_MAX + 10];
    for (size_t i = 0; i < WZP_COUNT_OF(ports); i++) {
        ports[i] = (uint16_t)(60000 + 200 * i);
    }
    const wzp_port_alloc got = wzp_port_alloc_classify(ports, WZP_COUNT_OF(ports));
    ck_assert(got.kind == WZP_PORT_ALLOC_SEQUENTIAL && got.delta == 200);
}
END_TEST

static const struct predict_case {
    uint16_t last;
    int16_t delta;
    unsigned offset, spread;
    uint16_t want[8];
} predict_cases[] = {
    {40003, 1, 1, 3, {40002, 40003, 40004, 40005, 40006, 40007, 40008}},
    {40003, 1, 0, 2, {40002, 40003, 40004, 40005, 40006}},
    {65534, 2, 1, 3, {2, 4, 6, 8, 65532, 65534}},
    {10, -4, 1, 3, {2, 6, 10, 14, 65526, 65530, 65534}},
    {2, -1, 1, 3, {1, 2, 3, 65533, 65534, 65535}},
    {7, 0, 1, 3, {7}},
    {0, 0, 1, 3, {0}},
    {100, -32768, 1, 3, {100, 32868}},
};

START_TEST(predict) {
    const struct predict_case *c = &predict_cases[_i];
    uint16_t got[WZP_PORT_ALLOC_PREDICTED_MAX];
    const size_t count = wzp_port_alloc_predict(got, c->last, c->delta, c->offset, c->spread);
    ck_assert_msg(c->want[count] == 0, "case %d: %zu ports", _i, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(got[i] == c->want[i], "case %d: port %zu is %u", _i, i, got[i]);
    }
    ck_assert_uint_le(wzp_port_alloc_predict(got, c->last, c->delta, c->offset, 60000),
                      WZP_PORT_ALLOC_PREDICTED_MAX);
}
END_TEST

/* The definition, said once more: a port is predicted if and only if some i says so. */
START_TEST(predict_twin) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "predict");
    for (unsigned round = 0; round < 300; round++) {
        uint16_t got[WZP_PORT_ALLOC_PREDICTED_MAX];
        static bool want[65536];
        const uint16_t last = (uint16_t)wzp_prng_u64(&prng);
        const int16_t delta = (int16_t)wzp_prng_u64(&prng);
        const int offset = (int)(wzp_prng_u64(&prng) % 5);
        const int spread = (int)(wzp_prng_u64(&prng) % 17);
        memset(want, 0, sizeof want);
        for (int i = -spread; i <= spread; i++) {
            want[(((last + delta * (offset + 1) + i * delta) % 65536) + 65536) % 65536] = true;
        }
        want[0] = false;
        const size_t count =
            wzp_port_alloc_predict(got, last, delta, (unsigned)offset, (unsigned)spread);
        size_t wanted = 0;
        for (size_t port = 0; port < 65536; port++) {
            wanted += want[port] ? 1 : 0;
        }
        ck_assert_uint_eq(count, wanted);
        for (size_t i = 0; i < count; i++) {
            ck_assert(want[got[i]] && (i == 0 || got[i] > got[i - 1]));
        }
    }
}
END_TEST

START_TEST(follow) {
    const uint16_t up[] = {65534, 65535, 1, 2};
    const uint16_t down[] = {8, 4, 65532};
    uint16_t got[8];
    ck_assert_uint_eq(wzp_port_alloc_follow(got, 5, 65533, 1), 4); /* 0 is left out */
    ck_assert(memcmp(got, up, sizeof up) == 0);
    ck_assert_uint_eq(wzp_port_alloc_follow(got, 4, 12, -4), 3);
    ck_assert(memcmp(got, down, sizeof down) == 0);
    ck_assert_uint_eq(wzp_port_alloc_follow(got, 0, 12, -4), 0);
}
END_TEST

START_TEST(last) {
    const uint16_t oldest_first[] = {40001, 40002, 40003};
    const uint16_t newest_first[] = {40003, 40002, 40001};
    const uint16_t around[] = {65535, 0, 1};
    ck_assert_uint_eq(wzp_port_alloc_last(oldest_first, 3, 1), 40003);
    ck_assert_uint_eq(wzp_port_alloc_last(newest_first, 3, 1), 40003);
    ck_assert_uint_eq(wzp_port_alloc_last(oldest_first, 3, -1), 40001);
    ck_assert_uint_eq(wzp_port_alloc_last(newest_first, 3, -1), 40001);
    ck_assert_uint_eq(wzp_port_alloc_last(around, 3, 1), 1);
    ck_assert_uint_eq(wzp_port_alloc_last(around, 1, 1), 65535);
}
END_TEST

static const struct text_case {
    const char *text;
    wzp_err want;
    wzp_port_alloc alloc;
} text_cases[] = {
    {"port-preserving", WZP_OK, {WZP_PORT_ALLOC_PRESERVING, 0}},
    {"preserving", WZP_OK, {WZP_PORT_ALLOC_PRESERVING, 0}},
    {"random", WZP_OK, {WZP_PORT_ALLOC_RANDOM, 0}},
    {"unknown", WZP_OK, {WZP_PORT_ALLOC_UNKNOWN, 0}},
    {"sequential(delta=1)", WZP_OK, {WZP_PORT_ALLOC_SEQUENTIAL, 1}},
    {"sequential(delta=-32768)", WZP_OK, {WZP_PORT_ALLOC_SEQUENTIAL, -32768}},
    {"sequential(delta=32767)", WZP_OK, {WZP_PORT_ALLOC_SEQUENTIAL, 32767}},
    {"sequential(delta=+7)", WZP_OK, {WZP_PORT_ALLOC_SEQUENTIAL, 7}},
    {"sequential:-4", WZP_OK, {WZP_PORT_ALLOC_SEQUENTIAL, -4}},
    {"sequential(delta=32768)", WZP_ERR_PARSE, {0}},
    {"sequential(delta=-32769)", WZP_ERR_PARSE, {0}},
    {"sequential(delta=99999999999999999999)", WZP_ERR_PARSE, {0}},
    {"sequential(delta=1", WZP_ERR_PARSE, {0}},
    {"sequential(delta=1))", WZP_ERR_PARSE, {0}},
    {"sequential(delta=)", WZP_ERR_PARSE, {0}},
    {"sequential(delta=-)", WZP_ERR_PARSE, {0}},
    {"sequential(delta= 1)", WZP_ERR_PARSE, {0}},
    {"sequential:1)", WZP_ERR_PARSE, {0}},
    {"sequential", WZP_ERR_PARSE, {0}},
    {"Random", WZP_ERR_PARSE, {0}},
    {"", WZP_ERR_PARSE, {0}},
};

START_TEST(texts) {
    const struct text_case *c = &text_cases[_i];
    wzp_port_alloc got = {WZP_PORT_ALLOC_UNKNOWN, 99};
    const wzp_err err = wzp_port_alloc_parse(&got, c->text);
    ck_assert_msg(err == c->want, "%s: got %s", c->text, wzp_err_name(err));
    const wzp_port_alloc want = err == WZP_OK ? c->alloc : (wzp_port_alloc){0, 99};
    ck_assert_msg(got.kind == want.kind && got.delta == want.delta, "%s: %d", c->text, got.delta);
}
END_TEST

START_TEST(every_delta_round_trips) {
    for (int delta = INT16_MIN; delta <= INT16_MAX; delta++) {
        char buf[WZP_PORT_ALLOC_TEXT_MAX];
        wzp_port_alloc got;
        const wzp_port_alloc alloc = {WZP_PORT_ALLOC_SEQUENTIAL, (int16_t)delta};
        if (wzp_port_alloc_parse(&got, wzp_port_alloc_text(alloc, buf)) != WZP_OK ||
            got.kind != alloc.kind || got.delta != delta) {
            ck_abort_msg("%d", delta);
        }
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("port_alloc");
    tcase_add_loop_test(tc, classify, 0, WZP_COUNT_OF(classify_cases));
    tcase_add_loop_test(tc, classify_shared, 0, (int)WZP_COUNT_OF(shared_cases));
    tcase_add_test(tc, ports_at_random_hardly_ever_count);
    tcase_add_test(tc, many_probes);
    tcase_add_loop_test(tc, predict, 0, WZP_COUNT_OF(predict_cases));
    tcase_add_test(tc, predict_twin);
    tcase_add_test(tc, follow);
    tcase_add_test(tc, last);
    tcase_add_loop_test(tc, texts, 0, WZP_COUNT_OF(text_cases));
    tcase_add_test(tc, every_delta_round_trips);
    return wzp_run_suite("port_alloc", tc);
}
