/* The matrices of nat sheet 2.12, cell by cell (NAT-094, NAT-095, SIM-012), and the chances of
 * prediction and birthday. */
#include "sim/nat/punch.h"

#include <check.h>
#include <math.h>
#include <stdio.h>

#include "base/testing/suite.h"

enum { TYPES = 10 };

typedef enum mapped { NOBODY, ROW, BOTH } mapped;

/* Row: acceptor; column: dialer; D direct, r relay.  Order of wzp_sim_punch_type_at. */
static const struct matrix {
    const char *name;
    wzp_sim_punch_strategy strategy;
    mapped mapped;
    const char *rows[TYPES];
} matrices[] = {
    {"M0 deployed",
     WZP_SIM_PUNCH_DEPLOYED,
     NOBODY,
     {"DDDDDDDDDD", "rrrrrrrrrr", "DDDDDDDDDD", "rrrrrrrrrr", "rrrrrrrrrr", "rrrrrrrrrr",
      "rrrrrrrrrr", "rrrrrrrrrr", "rrrrrrrrrr", "rrrrrrrrrr"}},
    {"M1 specified",
     WZP_SIM_PUNCH_SPECIFIED,
     NOBODY,
     {"DDDDDDDDDD", "DDDDDrrrDr", "DDDDDDDDDD", "DDDDDDDDDD", "DDDDDrrrDr", "rrrrrrrrrr",
      "rrrrrrrrrr", "rrrrrrrrrr", "DDDDDrrrDr", "rrrrrrrrrr"}},
    {"M2 both dial",
     WZP_SIM_PUNCH_BOTH_DIAL,
     NOBODY,
     {"DDDDDDDDDD", "DDDDDrrrDr", "DDDDDDDDDD", "DDDDDDDDDD", "DDDDDrrrDr", "DrDDrrrrrr",
      "DrDDrrrrrr", "DrDDrrrrrr", "DDDDDrrrDr", "DrDDrrrrrr"}},
    {"M3 predicted",
     WZP_SIM_PUNCH_PREDICTED,
     NOBODY,
     {"DDDDDDDDDD", "DDDDDDDrDr", "DDDDDDDDDD", "DDDDDDDDDD", "DDDDDDDrDr", "DDDDDDDrDr",
      "DDDDDDDrDr", "DrDDrrrrrr", "DDDDDDDrDr", "DrDDrrrrrr"}},
    {"M5 both dial, row side mapped",
     WZP_SIM_PUNCH_BOTH_DIAL,
     ROW,
     {"DDDDDDDDDD", "DDDDDDDDDD", "DDDDDDDDDD", "DDDDDDDDDD", "DDDDDDDDDD", "DDDDDDDDDD",
      "DDDDDDDDDD", "DDDDDDDDDD", "DDDDDrrrDr", "DrDDrrrrrr"}},
    {"M5' both dial, both mapped",
     WZP_SIM_PUNCH_BOTH_DIAL,
     BOTH,
     {"DDDDDDDDDD", "DDDDDDDDDD", "DDDDDDDDDD", "DDDDDDDDDD", "DDDDDDDDDD", "DDDDDDDDDD",
      "DDDDDDDDDD", "DDDDDDDDDD", "DDDDDDDDDr", "DDDDDDDDrr"}},
};

static wzp_sim_punch_side side_of(size_t type) {
    wzp_sim_punch_side side;
    ck_assert(wzp_sim_punch_side_of(wzp_sim_punch_type_at(type)->preset, &side));
    return side;
}

static bool punch(const wzp_sim_punch_cfg *cfg) {
    bool direct = false;
    ck_assert_int_eq(wzp_sim_punch(cfg, &direct), WZP_OK);
    return direct;
}

START_TEST(matrix) {
    const struct matrix *m = &matrices[_i];
    for (size_t row = 0; row < TYPES; row++) {
        for (size_t column = 0; column < TYPES; column++) {
            wzp_sim_punch_cfg cfg = {.acceptor = side_of(row),
                                     .dialer = side_of(column),
                                     .strategy = m->strategy,
                                     .seed = 12345};
            cfg.acceptor.mapped = m->mapped != NOBODY;
            cfg.dialer.mapped = m->mapped == BOTH;
            const bool want = m->rows[row][column] == 'D';
            ck_assert_msg(punch(&cfg) == want, "%s: %s - %s: not %s", m->name,
                          wzp_sim_punch_type_at(row)->name, wzp_sim_punch_type_at(column)->name,
                          want ? "direct" : "relay");
        }
    }
}
END_TEST

START_TEST(types) {
    ck_assert_str_eq(wzp_sim_punch_type_at(TYPES - 1)->name, "CGH");
    ck_assert_ptr_null(wzp_sim_punch_type_at(TYPES));
    wzp_sim_punch_side side;
    ck_assert(!wzp_sim_punch_side_of("nonesuch", &side));
}
END_TEST

/* SIM-014: what those projects say of their own NATs.  Tailscale's "hard" meets nobody whose filter
 * looks at ports (derp), pion's and ns-3's let in everybody. */
static const struct other_case {
    const char *preset, *verdicts; /* with each of the others, in this order */
} others[] = {
    {"1to1", "DDDDDD"},        {"natlab-easy", "DDDrDD"},  {"natlab-easyaf", "DDDDDD"},
    {"natlab-hard", "DrDrDD"}, {"pion-default", "DDDDDD"}, {"ns3-rebind", "DDDDDD"},
};

START_TEST(grids_of_others) {
    for (size_t row = 0; row < WZP_COUNT_OF(others); row++) {
        for (size_t column = 0; column < WZP_COUNT_OF(others); column++) {
            wzp_sim_punch_cfg cfg = {.strategy = WZP_SIM_PUNCH_BOTH_DIAL, .seed = 12345};
            ck_assert(wzp_sim_punch_side_of(others[row].preset, &cfg.acceptor));
            ck_assert(wzp_sim_punch_side_of(others[column].preset, &cfg.dialer));
            const bool want = others[row].verdicts[column] == 'D';
            ck_assert_msg(punch(&cfg) == want, "%s - %s: not %s", others[row].preset,
                          others[column].preset, want ? "direct" : "relay");
        }
    }
}
END_TEST

/* --- prediction among foreign flows ----------------------------------------------------------- */

static double poisson_at_most(double mean, int most) {
    double term = exp(-mean);
    double sum = 0;
    for (int k = 0; k <= most; k++) {
        sum += term;
        term *= mean / (k + 1);
    }
    return sum;
}

/* Seven ports are tried: a cone meets the next port of a sequential NAT if at most six flows came
 * between; with two such NATs they add up, and with two that depend on ports none may come. */
static double predicted_chance(size_t acceptor, double mean) {
    return acceptor == 4   ? poisson_at_most(mean, 6)
           : acceptor == 5 ? poisson_at_most(2 * mean, 6)
                           : exp(-2 * mean);
}

static void within_three_sigma(const char *name, unsigned hits, unsigned trials, double p) {
    const double sigma = sqrt(trials * p * (1 - p));
    ck_assert_msg(fabs(hits - trials * p) <= 3 * sigma + 1e-9,
                  "%s: %u of %u, expected %.1f +- %.1f", name, hits, trials, trials * p, 3 * sigma);
}

START_TEST(prediction_among_foreign_flows) {
    static const unsigned means_milli[] = {0, 500, 1000, 2000, 4000, 8000};
    const size_t acceptor = (size_t)_i / WZP_COUNT_OF(means_milli) + 4; /* PRC, ADM, SYS */
    const unsigned mean = means_milli[(size_t)_i % WZP_COUNT_OF(means_milli)];
    const unsigned trials = 1000;
    unsigned hits = 0;
    char name[64];
    for (unsigned trial = 0; trial < trials; trial++) {
        const wzp_sim_punch_cfg cfg = {.acceptor = side_of(acceptor),
                                       .dialer = side_of(6), /* SYS */
                                       .strategy = WZP_SIM_PUNCH_PREDICTED,
                                       .foreign_milli = mean,
                                       .seed = trial};
        hits += punch(&cfg);
    }
    (void)snprintf(name, sizeof name, "%s - SYS, mean %.1f", wzp_sim_punch_type_at(acceptor)->name,
                   mean / 1000.0);
    within_three_sigma(name, hits, trials, predicted_chance(acceptor, mean / 1000.0));
}
END_TEST

/* --- birthday (SIM-015) ----------------------------------------------------------------------- */

/* P(N, M) = 1 - C(S - N, M) / C(S, M), nat sheet 1.15. */
static double birthday_chance(unsigned ports, unsigned sockets, unsigned probes) {
    double miss = 1;
    for (unsigned i = 0; i < probes; i++) {
        miss *= (double)(ports - sockets - i) / (ports - i);
    }
    return 1 - miss;
}

static const struct birthday_case {
    const char *name, *preset;
    unsigned sockets, probes, ports;
    bool in_block;
} birthdays[] = {
    {"32 sockets, 128 probes", "symrand", 32, 128, 64512, false},
    {"256 sockets, 1024 probes", "symrand", 256, 1024, 64512, false},
    {"32 sockets, 128 probes of a block", "cgn-hard", 32, 128, 1024, true},
};

START_TEST(birthday) {
    const struct birthday_case *c = &birthdays[_i];
    const unsigned trials = 4000;
    unsigned hits = 0;
    wzp_sim_birthday_cfg cfg = {.sockets = c->sockets,
                                .probes = c->probes,
                                .first_port = 1024,
                                .last_port = 65535,
                                .in_block = c->in_block};
    ck_assert(wzp_sim_nat_preset(c->preset, &cfg.nat));
    for (unsigned trial = 0; trial < trials; trial++) {
        bool hit = false;
        cfg.seed = trial;
        ck_assert_int_eq(wzp_sim_birthday(&cfg, &hit), WZP_OK);
        hits += hit;
    }
    within_three_sigma(c->name, hits, trials, birthday_chance(c->ports, c->sockets, c->probes));
}
END_TEST

START_TEST(refusals) {
    bool out = false;
    const wzp_sim_birthday_cfg too_many = {.first_port = 5000, .last_port = 5001, .probes = 3};
    const wzp_sim_birthday_cfg backwards = {.first_port = 5001, .last_port = 5000};
    ck_assert_int_eq(wzp_sim_birthday(&too_many, &out), WZP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(wzp_sim_birthday(&backwards, &out), WZP_ERR_INVALID_ARGUMENT);
    wzp_sim_punch_cfg cfg = {.foreign_milli = 30001};
    ck_assert_int_eq(wzp_sim_punch(&cfg, &out), WZP_ERR_INVALID_ARGUMENT);
    cfg = (wzp_sim_punch_cfg){.dialer = {.boxes = {{.overload = true}}, .box_count = 1}};
    ck_assert_int_eq(wzp_sim_punch(&cfg, &out), WZP_ERR_INVALID_ARGUMENT);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("punch");
    tcase_add_loop_test(tc, matrix, 0, (int)WZP_COUNT_OF(matrices));
    tcase_add_test(tc, types);
    tcase_add_test(tc, grids_of_others);
    tcase_add_loop_test(tc, prediction_among_foreign_flows, 0, 18);
    tcase_add_loop_test(tc, birthday, 0, (int)WZP_COUNT_OF(birthdays));
    tcase_add_test(tc, refusals);
    return wzp_run_suite("punch", tc);
}
