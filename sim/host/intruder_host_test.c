/* A stranger is let in by a relay, which takes everybody, and by nobody where there is none. */
#include "sim/host/intruder_host.h"

#include "base/testing/suite.h"
#include "sim/host/testing/star.h"

enum { RELAY, INTRUDER };

START_TEST(dials) {
    static star s;
    const wzp_sim_host_cfg hosts[] = {{.name = "relay"}, {.name = "z"}};
    const wzp_sim_relay_host_cfg cfg = {.name = "relay"};
    const wzp_addr victim = wzp_addr_v4(10, 0, 0, RELAY, _i == 0 ? 4433 : 4434);
    wzp_sim_intruder_report report;
    wzp_sim_relay_host *relay = NULL;
    wzp_sim_intruder_host *z = NULL;
    star_init(&s, 3);
    ck_assert(wzp_sim_relay_host_new(&relay, star_add(&s, &hosts[RELAY], 10 * WZP_MS), &cfg) ==
              WZP_OK);
    ck_assert(wzp_sim_intruder_host_new(&z, star_add(&s, &hosts[INTRUDER], 10 * WZP_MS), "z") ==
              WZP_OK);
    wzp_sim_intruder_host_dial(z, &victim);
    star_run(&s, 3 * WZP_S);
    wzp_sim_intruder_host_report(z, &report);
    ck_assert_uint_eq(report.dialled, 1);
    ck_assert_uint_eq(report.let_in, _i == 0);
    ck_assert_uint_eq(report.thrown_out, 0);
    wzp_sim_intruder_host_free(&z);
    wzp_sim_intruder_host_free(&z);
    wzp_sim_relay_host_free(&relay);
    star_clear(&s);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("intruder_host");
    tcase_add_loop_test(tc, dials, 0, 2);
    return wzp_run_suite("sim_host.intruder_host", tc);
}
