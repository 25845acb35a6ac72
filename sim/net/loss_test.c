/* SIM-009: loss models against their formulas, over a million packets each, within three standard
 * deviations of what such a sample may differ. */
#include "sim/net/loss.h"

#include <check.h>
#include <math.h>

#include "base/testing/suite.h"

#define PACKETS 1000000

static void open_model(wzp_sim_loss *loss, const wzp_sim_loss_cfg *cfg, uint64_t seed) {
    wzp_sim_loss_init(loss, seed, 0);
    wzp_sim_loss_set(loss, cfg);
}

static double part(uint32_t ppm) {
    return ppm / 1e6;
}

static void near(const char *name, const char *what, double got, double want, double sigma) {
    ck_assert_msg(fabs(got - want) <= 3 * sigma, "%s: %s is %.6f, want %.6f +- %.6f", name, what,
                  got, want, 3 * sigma);
}

/* --- Bernoulli -------------------------------------------------------------------------------- */

static const uint32_t bernoulli_cases[] = {10000, 50000, 100000, 200000, 300000};

START_TEST(bernoulli) {
    const uint32_t p = bernoulli_cases[_i];
    wzp_sim_loss loss;
    open_model(&loss, &(wzp_sim_loss_cfg){.model = WZP_SIM_LOSS_BERNOULLI, .p = p}, 1);
    unsigned lost = 0;
    unsigned bursts = 0;
    bool last = false;
    for (size_t i = 0; i < PACKETS; i++) {
        const bool hit = wzp_sim_loss_hit(&loss, i);
        lost += hit ? 1 : 0;
        bursts += hit && !last ? 1 : 0;
        last = hit;
    }
    const double q = part(p);
    near("bernoulli", "loss", (double)lost / PACKETS, q, sqrt(q * (1 - q) / PACKETS));
    near("bernoulli", "burst", (double)lost / bursts, 1 / (1 - q),
         sqrt(q) / (1 - q) / sqrt(bursts)); /* geometric */
}
END_TEST

/* --- Gilbert ---------------------------------------------------------------------------------- */

static const struct gilbert_case {
    const char *name;
    uint32_t p, r, bad, good;
    double want_share, want_loss, want_burst; /* of the sheet, to its digits */
} gilbert_cases[] = {
    {"ge-light", 5000, 250000, 1000000, 0, .0196, .0196, 4},
    {"ge-wifi", 10000, 300000, 700000, 2000, .0323, .0245, 3.3},
    {"ge-heavy", 3000, 100000, 900000, 0, .0291, .0262, 10},
};

/* Deviation of the mean of a chain with two states: neighbours are correlated with 1 - p - r. */
static double chain_sigma(const struct gilbert_case *c, double bad, double good) {
    const double p = part(c->p);
    const double r = part(c->r);
    const double share = p / (p + r);
    const double mean = share * bad + (1 - share) * good;
    const double memory = (1 - p - r) / (p + r);
    const double states = share * (1 - share) * (bad - good) * (bad - good);
    return sqrt((mean * (1 - mean) + 2 * states * memory) / PACKETS);
}

START_TEST(gilbert) {
    const struct gilbert_case *c = &gilbert_cases[_i];
    const wzp_sim_loss_cfg cfg = {
        .model = WZP_SIM_LOSS_GILBERT, .p = c->p, .r = c->r, .bad = c->bad, .good = c->good};
    wzp_sim_loss loss;
    open_model(&loss, &cfg, 2);
    unsigned lost = 0;
    unsigned bad = 0;
    unsigned visits = 0;
    wzp_sim_loss_state last = WZP_SIM_LOSS_GOOD;
    for (size_t i = 0; i < PACKETS; i++) {
        lost += wzp_sim_loss_hit(&loss, i) ? 1 : 0;
        bad += loss.state == WZP_SIM_LOSS_BAD ? 1 : 0;
        visits += loss.state == WZP_SIM_LOSS_BAD && last == WZP_SIM_LOSS_GOOD ? 1 : 0;
        last = loss.state;
    }
    const double share = part(c->p) / part(c->p + c->r);
    const double want = share * part(c->bad) + (1 - share) * part(c->good);
    ck_assert_double_eq_tol(share, c->want_share, 5e-5);
    ck_assert_double_eq_tol(want, c->want_loss, 5e-5);
    ck_assert_double_eq_tol(1 / part(c->r), c->want_burst, 0.05);
    near(c->name, "share", (double)bad / PACKETS, share, chain_sigma(c, 1, 0));
    near(c->name, "loss", (double)lost / PACKETS, want,
         chain_sigma(c, part(c->bad), part(c->good)));
    near(c->name, "burst", (double)bad / visits, 1 / part(c->r),
         sqrt(1 - part(c->r)) / part(c->r) / sqrt(visits));
}
END_TEST

/* By time: a burst lasts 1/r slots however many packets there are in it. */
START_TEST(gilbert_by_time) {
    static const uint64_t gaps[] = {WZP_MS / 4, WZP_MS, 3 * WZP_MS};
    for (size_t k = 0; k < WZP_COUNT_OF(gaps); k++) {
        wzp_sim_loss loss;
        open_model(&loss,
                   &(wzp_sim_loss_cfg){.model = WZP_SIM_LOSS_GILBERT,
                                       .p = 10000,
                                       .r = 100000,
                                       .bad = 1000000,
                                       .slot = WZP_MS},
                   3);
        unsigned lost = 0;
        unsigned bursts = 0;
        bool before = false;
        for (uint64_t i = 0; i < PACKETS; i++) {
            const bool hit = wzp_sim_loss_hit(&loss, i * gaps[k]);
            lost += hit ? 1 : 0;
            bursts += hit && !before ? 1 : 0;
            before = hit;
        }
        const double share = 1.0 / 11;
        const double slots = (double)PACKETS * (double)gaps[k] / WZP_MS;
        const double steps = slots < PACKETS ? slots : PACKETS; /* independent looks at most */
        const double sigma = sqrt(share * (1 - share) * (1 + 2 * 0.89 / 0.11) / steps);
        near("by time", "loss", (double)lost / PACKETS, share, sigma);
        if (gaps[k] <= WZP_MS) { /* packets that are further apart miss the short ones */
            const double ms = (double)lost / bursts * (double)gaps[k] / WZP_MS;
            near("by time", "burst", ms, 10, sqrt(0.9) * 10 / sqrt(bursts));
        }
    }
}
END_TEST

START_TEST(gilbert_by_time_survives_a_long_silence) {
    wzp_sim_loss loss;
    open_model(&loss,
               &(wzp_sim_loss_cfg){.model = WZP_SIM_LOSS_GILBERT,
                                   .p = 10000,
                                   .r = 100000,
                                   .bad = 1000000,
                                   .slot = 10 * WZP_US},
               3);
    unsigned lost = 0;
    for (uint64_t i = 0; i < 100; i++) {
        lost += wzp_sim_loss_hit(&loss, i * 3600 * WZP_S) ? 1 : 0;
    }
    ck_assert_uint_ge(lost, 1);
    ck_assert_uint_le(lost, 20);
}
END_TEST

/* --- four states ------------------------------------------------------------------------------ */

/* The deviation of a share comes from the sample itself: means of blocks that are long against the
 * chain's memory. */
#define BLOCKS 100

START_TEST(four_state) {
    wzp_sim_loss loss;
    open_model(&loss,
               &(wzp_sim_loss_cfg){.model = WZP_SIM_LOSS_FOUR_STATE,
                                   .p13 = 10000,
                                   .p31 = 250000,
                                   .p32 = 100000,
                                   .p23 = 300000,
                                   .p14 = 2000},
               4);
    enum { STATES = 4, ALL = STATES + 1 };
    static double shares[ALL][BLOCKS]; /* by state, then the loss */
    for (size_t block = 0; block < BLOCKS; block++) {
        for (size_t i = 0; i < PACKETS / BLOCKS; i++) {
            const bool hit = wzp_sim_loss_hit(&loss, i);
            shares[loss.state][block] += (double)BLOCKS / PACKETS;
            shares[STATES][block] += hit ? (double)BLOCKS / PACKETS : 0;
        }
    }
    static const struct {
        const char *name;
        double formula, sheet;
    } want[ALL] = {
        [WZP_SIM_LOSS_GOOD] = {"1", 1 / (1 + .01 / .25 * (1 + .1 / .3) + .002), .9476},
        [WZP_SIM_LOSS_CALM] = {"2", .04 / 3 / (1 + .04 * 4 / 3 + .002), .0126},
        [WZP_SIM_LOSS_BAD] = {"3", .04 / (1 + .04 * 4 / 3 + .002), .0379},
        [WZP_SIM_LOSS_LONE] = {"4", .002 / (1 + .04 * 4 / 3 + .002), .0019},
        [STATES] = {"loss", .042 / (1 + .04 * 4 / 3 + .002), .0398},
    };
    for (size_t state = 0; state < ALL; state++) {
        double mean = 0;
        double square = 0;
        for (size_t block = 0; block < BLOCKS; block++) {
            mean += shares[state][block] / BLOCKS;
            square += shares[state][block] * shares[state][block] / BLOCKS;
        }
        ck_assert_double_eq_tol(want[state].formula, want[state].sheet, 5e-5);
        near(want[state].name, "share", mean, want[state].formula,
             sqrt((square - mean * mean) / (BLOCKS - 1)));
    }
}
END_TEST

/* --- by hand ---------------------------------------------------------------------------------- */

static const struct exact_case {
    const char *name;
    wzp_sim_loss_cfg cfg;
    const char *want; /* the first packets, 1 is lost; one each ms */
} exact_cases[] = {
    {"none", {0}, "00000000"},
    {"all", {.model = WZP_SIM_LOSS_BERNOULLI, .p = WZP_PPM}, "11111111"},
    {"longest burst",
     {.model = WZP_SIM_LOSS_BERNOULLI, .p = WZP_PPM, .max_burst = 3},
     "111011101110"},
    {"only at first",
     {.model = WZP_SIM_LOSS_BERNOULLI, .p = WZP_PPM, .until = 4 * WZP_MS},
     "11110000"},
    {"pattern, cyclic",
     {.model = WZP_SIM_LOSS_PATTERN, .pattern = (const uint8_t *)"01100", .count = 5},
     "011000110001100"},
    {"list",
     {.model = WZP_SIM_LOSS_LIST, .list = (const uint64_t[]){1, 2, 6}, .count = 3},
     "01100010"},
    {"empty list", {.model = WZP_SIM_LOSS_LIST}, "0000"},
    {"in and out of the bad state each time",
     {.model = WZP_SIM_LOSS_GILBERT, .p = WZP_PPM, .r = WZP_PPM, .bad = WZP_PPM},
     "10101010"},
    {"always bad",
     {.model = WZP_SIM_LOSS_GILBERT, .p = WZP_PPM, .bad = WZP_PPM, .max_burst = 5},
     "111110111110"},
    {"lone losses", {.model = WZP_SIM_LOSS_FOUR_STATE, .p14 = WZP_PPM}, "10101010"},
    {"round the four states",
     {.model = WZP_SIM_LOSS_FOUR_STATE, .p13 = WZP_PPM, .p32 = WZP_PPM, .p23 = WZP_PPM},
     "10101010"},
};

START_TEST(exact) {
    const struct exact_case *c = &exact_cases[_i];
    wzp_sim_loss loss;
    open_model(&loss, &c->cfg, 5);
    for (uint64_t i = 0; c->want[i] != '\0'; i++) {
        const bool hit = wzp_sim_loss_hit(&loss, i * WZP_MS);
        ck_assert_msg(hit == (c->want[i] == '1'), "%s: packet %u", c->name, (unsigned)i);
    }
}
END_TEST

START_TEST(other_numbers_go_on_where_it_was) {
    wzp_sim_loss loss;
    wzp_sim_loss_cfg cfg = {
        .model = WZP_SIM_LOSS_GILBERT, .p = WZP_PPM, .bad = WZP_PPM, .max_burst = 100};
    open_model(&loss, &cfg, 6);
    ck_assert(wzp_sim_loss_hit(&loss, 0));
    cfg.p = 0;
    wzp_sim_loss_set(&loss, &cfg);
    ck_assert(wzp_sim_loss_hit(&loss, 1)); /* still in the bad state */
    cfg = (wzp_sim_loss_cfg){.model = WZP_SIM_LOSS_FOUR_STATE};
    wzp_sim_loss_set(&loss, &cfg);
    ck_assert(!wzp_sim_loss_hit(&loss, 2));
    cfg = (wzp_sim_loss_cfg){
        .model = WZP_SIM_LOSS_LIST, .list = (const uint64_t[]){3, 4}, .count = 2};
    wzp_sim_loss_set(&loss, &cfg);
    ck_assert(wzp_sim_loss_hit(&loss, 3)); /* the index counts from the link's start */
    ck_assert(wzp_sim_loss_hit(&loss, 4));
    ck_assert(!wzp_sim_loss_hit(&loss, 5));
    cfg.list = (const uint64_t[]){6, 7, 8};
    cfg.count = 3;
    wzp_sim_loss_set(&loss, &cfg);
    ck_assert(wzp_sim_loss_hit(&loss, 6));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("loss");
    tcase_add_loop_test(tc, bernoulli, 0, WZP_COUNT_OF(bernoulli_cases));
    tcase_add_loop_test(tc, gilbert, 0, WZP_COUNT_OF(gilbert_cases));
    tcase_add_test(tc, gilbert_by_time);
    tcase_add_test(tc, gilbert_by_time_survives_a_long_silence);
    tcase_add_test(tc, four_state);
    tcase_add_loop_test(tc, exact, 0, WZP_COUNT_OF(exact_cases));
    tcase_add_test(tc, other_numbers_go_on_where_it_was);
    return wzp_run_suite("loss", tc);
}
