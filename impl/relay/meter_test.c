#include "relay/meter.h"

#include <check.h>
#include <stdlib.h>

#include "relay/testing/traffic.h"

static wzp_violation observe(void *meter, const wzp_traffic_packet *p) {
    return wzp_meter_observe(meter, &p->hdr, p->payload, p->at);
}

START_TEST(row_of_the_sheet) {
    const wzp_traffic_row *row = &wzp_traffic_rows[_i];
    wzp_traffic traffic;
    wzp_meter meter;
    char got[128];
    wzp_traffic_make(&traffic, row);
    wzp_meter_init(&meter, 0);
    wzp_traffic_first_hits(&traffic, observe, &meter, got);
    ck_assert_msg(strcmp(got, row->deployed) == 0, "%s: got %s, the sheet says %s", row->id, got,
                  row->deployed);
    free(traffic.packets);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("meter");
    TCase *tc = tcase_create("meter");
    tcase_add_loop_test(tc, row_of_the_sheet, 0, (int)wzp_traffic_row_count);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
