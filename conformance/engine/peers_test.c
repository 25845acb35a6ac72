/* What operators copy from docs/CONFORMANCE.md must follow from the seeds. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine/peers.h"
#include "crypto/identity.h"

START_TEST(fingerprint) {
    const wzp_ct_peer *peer = &wzp_ct_peers[_i];
    wzp_tls_identity tls;
    ck_assert_uint_eq(strlen(peer->seed), WZP_KEY_LEN);
    wzp_tls_identity_from_seed(&tls, (const uint8_t *)peer->seed);
    ck_assert_str_eq(tls.fingerprint, peer->fingerprint);
    wzp_tls_identity_clear(&tls);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("peers");
    TCase *tc = tcase_create("peers");
    tcase_add_loop_test(tc, fingerprint, 0, WZP_CT_PEERS);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
