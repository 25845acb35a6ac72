/* One execution of one case: a packet core that plays X, L and the control pair, and grades what
 * it sees.  Sans-IO, one allocation-bounded object, not thread-safe. */
#ifndef WZP_CONFORMANCE_ENGINE_RUN_H
#define WZP_CONFORMANCE_ENGINE_RUN_H

#include "conformance/engine/case.h"
#include "conformance/engine/evidence.h"
#include "conformance/engine/subject.h"
#include "quic/core.h"

#define WZP_CT_PAGE_MAX 262144 /* bytes of a metrics page */

/* What can be done with the relays themselves. */
typedef struct wzp_ct_relay_ops {
    /* One scrape; of the relay for WZP_CT_CONFIG_AUTH, or else of that for CONFIG_METRICS. */
    bool (*metrics)(void *ctx, wzp_ct_config config, char *text, size_t cap);
    /* See wzp_ct_play_restart. */
    bool (*restart)(void *ctx, wzp_ct_identity_file file);
    bool (*is_restarted)(void *ctx);
    /* See wzp_ct_play_be_dialled. */
    bool (*dial)(void *ctx, const wzp_addr *suite);
    bool (*is_dialling)(void *ctx);
} wzp_ct_relay_ops;

typedef struct wzp_ct_exec_cfg {
    const wzp_ct_case *which;
    uint64_t seed; /* of this run: identities, rooms, payloads */
    wzp_rng rng;   /* for keys; in virtual time derived from the seed */
    bool deterministic;
    wzp_evidence *evidence; /* taken over; NULL: none is kept */
    wzp_addr target;
    wzp_ct_mode mode; /* what the relay has shown */
    const wzp_ct_relay_ops *relay;
    void *relay_ctx;
    const wzp_ct_client_ops *clients; /* for cases about a client */
    void *clients_ctx;
    bool client_obeys; /* it was told whether to seal its media */
    bool client_tunes; /* and how good its sound shall be */
} wzp_ct_exec_cfg;

/* NULL when out of memory.  Call start once the core has its addresses: as many as
 * wzp_ct_exec_addresses says. */
wzp_ct_exec *wzp_ct_exec_new(const wzp_ct_exec_cfg *cfg, wzp_time now);
size_t wzp_ct_exec_addresses(const wzp_ct_case *c);
/* The first of them, in a network of the run's own where it needs IPs that differ; all zeros
 * otherwise, which leaves it to the world. */
void wzp_ct_exec_wishes(const wzp_ct_exec *exec, wzp_addr *locals);
void wzp_ct_exec_start(wzp_ct_exec *exec, const wzp_addr *locals, wzp_time now);
/* What a case tells the client under test. */
void wzp_ct_exec_invitation(const wzp_ct_case *c, wzp_ct_invitation *out);
/* Of cases about a client: starts it, from where no core is being served.  False: this machine
 * could not. */
bool wzp_ct_exec_invite(wzp_ct_exec *exec);
wzp_core wzp_ct_exec_core(wzp_ct_exec *exec);
/* Of a case with a web, once it was started: the web, and the IPs of its places; then which ports
 * these have (NULL: there is no web here, and the case is SKIP).  Before anybody is invited. */
wzp_ct_web wzp_ct_exec_web(wzp_ct_exec *exec, wzp_addr *places);
void wzp_ct_exec_hosted(wzp_ct_exec *exec, const wzp_addr *places, wzp_time now);

/* True once the verdict stands; the result is then complete. */
bool wzp_ct_exec_done(const wzp_ct_exec *exec);
const wzp_ct_run *wzp_ct_exec_result(const wzp_ct_exec *exec);
wzp_evidence *wzp_ct_exec_evidence(wzp_ct_exec *exec);

/* Ends it now: the relay is gone, or the user has had enough. */
void wzp_ct_exec_abort(wzp_ct_exec *exec, wzp_ct_grade grade, wzp_ct_reason reason, wzp_time now);

/* What CAL-03 learned: the mode that the relay showed. */
wzp_ct_mode wzp_ct_exec_mode(const wzp_ct_exec *exec);

void wzp_ct_exec_free(wzp_ct_exec **exec);

#endif
