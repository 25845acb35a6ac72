/* What operators copy from docs/CONFORMANCE.md must follow from the seeds. */
#include <string.h>

#include "base/testing/suite.h"
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
    TCase *tc = tcase_create("peers");
    tcase_add_loop_test(tc, fingerprint, 0, WZP_CT_PEERS);
    return wzp_run_suite("peers", tc);
}
