/* Functions that stand between the relay's translation units; the linker's --wrap gives the names.
 */
#ifndef WZP_CONFORMANCE_MUTANTS_WRAP_H
#define WZP_CONFORMANCE_MUTANTS_WRAP_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/wr.h"
#include "wire/media.h"

#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

struct session;
struct wzp_signal;
struct wzp_signal_RoomUpdate;
struct wzp_signal_ReflectResponse;
struct wzp_quic_cfg;

/* faults_signal.c: changes a signal that leaves; false: it does not. */
bool wzp_fault_signal(struct session *to, struct wzp_signal *signal);

/* faults_relay.c: what else comes of a signal on _signal. */
void wzp_fault_hub_signal(struct session *s, const struct wzp_signal *signal);

/* faults_federation.c: changes what the members of a room are told, and what relays that measure
 * or are measured are; false: they are not. */
void wzp_fault_room_update(struct wzp_signal_RoomUpdate *update);
bool wzp_fault_probe_signal(const struct session *to, struct wzp_signal *signal);

/* faults_policy.c: forgets all relays and senders of another fault, whether the deployed scorer
 * drops this; who was hung up on. */
void wzp_fault_policy_reset(void);
void wzp_fault_federation_reset(void);
bool wzp_fault_drops_video(const struct session *s, wzp_bytes datagram);
void wzp_fault_note_offence(const struct session *s);
/* ... and what follows from an offer that may be forged. */
void wzp_fault_blame_offer(struct session *s, wzp_bytes json);

/* faults_nat.c: somebody registers without a key; changes an answer to Reflect, a CallSetup (false:
 * it does not leave) and an endpoint; whether a signal is read, heeded, and for every peer. */
void wzp_fault_nat_nobody(const struct session *s);
void wzp_fault_nat_reflect(struct wzp_signal_ReflectResponse *response);
bool wzp_fault_nat_setup(const struct session *to, struct wzp_signal *signal);
void wzp_fault_nat_endpoint(struct wzp_quic_cfg *cfg);
struct wzp_quic;
void wzp_fault_nat_made(const struct wzp_quic *quic, bool accepts);
bool wzp_fault_nat_reads(const struct wzp_signal *signal, wzp_bytes json);
bool wzp_fault_nat_takes(struct session *s, const struct wzp_signal *signal);
bool wzp_fault_nat_all_peers(const struct wzp_signal *inner);

/* faults_hardening.c: forgets what it knows; what came of a datagram, a join, a stream, a PLI. */
void wzp_fault_hardening_reset(void);
bool wzp_fault_hardening_takes(struct session *s, wzp_bytes datagram);
bool wzp_fault_hardening_loses(const struct session *to);
bool wzp_fault_declared(wzp_media_hdr *hdr);
void wzp_fault_joined(const struct session *s);
void wzp_fault_stream_stalled(const struct session *s);
void wzp_fault_tunnel(struct session *s, const struct wzp_signal *signal);
void wzp_fault_follows_pli(const struct session *from, uint8_t stream_id);
void wzp_fault_registers(const struct session *s);
bool wzp_fault_waits(const struct session *s);
void wzp_fault_write_rooms(wzp_wr *out);
struct ssl_st;
int wzp_fault_new_certificate(struct ssl_st *ssl, int *alert, void *arg);

#endif
