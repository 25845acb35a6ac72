/* The reference client's netcheck as the client under test: asks, writes its report, and is over.
 * For client.c. */
#ifndef WZP_CONFORMANCE_EMBEDDED_CHECK_H
#define WZP_CONFORMANCE_EMBEDDED_CHECK_H

#include "base/rng.h"
#include "conformance/engine/subject.h"
#include "quic/core.h"

typedef struct wzp_ct_check wzp_ct_check;

/* NULL: out of memory. */
wzp_ct_check *wzp_ct_check_new(const wzp_ct_invitation *to, const wzp_addr *local, wzp_rng rng,
                               bool deterministic, wzp_time now);
/* Accepts NULL, leaves NULL. */
void wzp_ct_check_free(wzp_ct_check **check, wzp_time now);

wzp_core wzp_ct_check_core(wzp_ct_check *check);
void wzp_ct_check_words(const wzp_ct_check *check, wzp_ct_words *out);

#endif
