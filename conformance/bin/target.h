/* The target under test, a relay or a client: embedded in virtual or real time, started by us, or
 * running somewhere. */
#ifndef WZP_CONFORMANCE_BIN_TARGET_H
#define WZP_CONFORMANCE_BIN_TARGET_H

#include "conformance/bin/options.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/world.h"

typedef struct wzp_ct_target wzp_ct_target;

/* 0, or the exit status after one line on stderr.  Fills the target's fields of *report. */
int wzp_ct_target_open(wzp_ct_target **out, const wzp_ct_options *options, wzp_ct_report *report);
void wzp_ct_target_close(wzp_ct_target **target);

wzp_ct_world *wzp_ct_target_world(wzp_ct_target *target);
/* One for each wzp_ct_config; family NONE: there is none. */
const wzp_addr *wzp_ct_target_addrs(const wzp_ct_target *target);
/* For cases about a client; NULL when a relay is tested. */
const wzp_ct_client_ops *wzp_ct_target_clients(const wzp_ct_target *target);
void *wzp_ct_target_clients_ctx(wzp_ct_target *target);
/* There is no such program (said). */
bool wzp_ct_target_client_is_missing(const wzp_ct_target *target);
/* The client is told whether to seal. */
bool wzp_ct_target_client_obeys(const wzp_ct_target *target);
/* And how good its sound shall be. */
bool wzp_ct_target_client_tunes(const wzp_ct_target *target);
wzp_rng wzp_ct_target_rng(wzp_ct_target *target);
bool wzp_ct_target_alive(wzp_ct_target *target);
bool wzp_ct_target_has_metrics(const wzp_ct_target *target);
bool wzp_ct_target_has_auth_metrics(const wzp_ct_target *target);
bool wzp_ct_target_metrics(wzp_ct_target *target, wzp_ct_config config, char *text, size_t cap);

/* See wzp_ct_play_restart: it is done by the next call of wzp_ct_target_turn. */
bool wzp_ct_target_restart(wzp_ct_target *target, wzp_ct_identity_file file);
bool wzp_ct_target_is_restarted(const wzp_ct_target *target);
/* See wzp_ct_play_be_dialled: the same. */
bool wzp_ct_target_dial(wzp_ct_target *target, const wzp_addr *suite);
bool wzp_ct_target_is_dialling(const wzp_ct_target *target);
void wzp_ct_target_turn(wzp_ct_target *target, wzp_time now);

#endif
