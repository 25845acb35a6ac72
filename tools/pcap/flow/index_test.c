/* Against a walk over everything. */
#include "tools/pcap/flow/index.h"

#include <check.h>

#include "base/rng.h"
#include "base/testing/suite.h"

static wzp_pcap_index subject;

START_TEST(finds_all_of_a_hash_in_their_order) {
    static uint32_t hashes[WZP_PCAP_INDEXED_MAX];
    wzp_prng prng;
    const wzp_rng rng = wzp_prng_rng(&prng);
    const uint64_t kinds = UINT64_C(1) << (2 * _i); /* 1, 4, 16 ... 4^15 different hashes */
    subject = (wzp_pcap_index){0};
    for (size_t n = 1; n <= WZP_PCAP_INDEXED_MAX; n++) {
        hashes[n - 1] = (uint32_t)wzp_rng_below(rng, kinds);
        wzp_pcap_index_add(&subject, hashes[n - 1], n);
    }
    for (size_t n = 1; n <= WZP_PCAP_INDEXED_MAX; n += 61) {
        size_t at = wzp_pcap_index_first(&subject, hashes[n - 1]);
        for (size_t slow = 1; slow <= WZP_PCAP_INDEXED_MAX; slow++) {
            while (at != 0 && hashes[at - 1] != hashes[n - 1]) {
                at = wzp_pcap_index_next(&subject, at); /* of the same bucket */
            }
            if (hashes[slow - 1] == hashes[n - 1]) {
                ck_assert_uint_eq(at, slow);
                at = wzp_pcap_index_next(&subject, at);
            }
        }
        ck_assert_uint_eq(at, 0);
    }
}
END_TEST

START_TEST(buckets_are_filled_evenly) {
    unsigned most = 0;
    subject = (wzp_pcap_index){0};
    for (uint32_t n = 1; n <= WZP_PCAP_INDEXED_MAX; n++) {
        const uint8_t key[8] = {0, 0, (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 1, 0};
        const uint32_t hash = wzp_pcap_index_hash(wzp_bytes_of(key, sizeof key));
        unsigned walked = 1;
        wzp_pcap_index_add(&subject, hash, n);
        for (size_t at = wzp_pcap_index_first(&subject, hash); at != n;
             at = wzp_pcap_index_next(&subject, at)) {
            walked++;
        }
        most = walked > most ? walked : most;
    }
    ck_assert_uint_le(most, 10); /* as many balls in as many bins: hardly ever more than 7 */
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("index");
    tcase_add_loop_test(tc, finds_all_of_a_hash_in_their_order, 0, 16);
    tcase_add_test(tc, buckets_are_filled_evenly);
    return wzp_run_suite("pcap_index", tc);
}
