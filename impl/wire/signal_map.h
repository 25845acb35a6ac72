/* The one table of signals: NAME, Variant, fields; and per field (of struct S): type, name, what a
 * reader assumes when it is missing, how a writer writes it (wire sheet 7).  Included by signal.h.
 */
#ifndef WZP_WIRE_SIGNAL_MAP_H
#define WZP_WIRE_SIGNAL_MAP_H

/* Missing: REQUIRED is an error, NONE null, ZERO the zero value, else a named default.
 * Write: ALWAYS (null if none), OMIT (left out if none or empty). */

#define WZP_FIELD_TYPE_U8 uint8_t
#define WZP_FIELD_TYPE_U16 uint16_t
#define WZP_FIELD_TYPE_U32 uint32_t
#define WZP_FIELD_TYPE_U64 uint64_t
#define WZP_FIELD_TYPE_F32 float
#define WZP_FIELD_TYPE_BOOL bool
#define WZP_FIELD_TYPE_STR wzp_bytes
#define WZP_FIELD_TYPE_KEY wzp_key
#define WZP_FIELD_TYPE_BYTES wzp_list_u8
#define WZP_FIELD_TYPE_OPT_STR wzp_opt_str
#define WZP_FIELD_TYPE_OPT_U8 wzp_opt_u8
#define WZP_FIELD_TYPE_OPT_U32 wzp_opt_u32
#define WZP_FIELD_TYPE_OPT_F32 wzp_opt_f32
#define WZP_FIELD_TYPE_OPT_KEY wzp_opt_key
#define WZP_FIELD_TYPE_OPT_BYTES wzp_opt_bytes
#define WZP_FIELD_TYPE_OPT_RESOLUTION wzp_opt_resolution
#define WZP_FIELD_TYPE_CODEC uint8_t
#define WZP_FIELD_TYPE_OPT_CODEC wzp_opt_u8
#define WZP_FIELD_TYPE_LIST_CODEC wzp_list_u8
#define WZP_FIELD_TYPE_LIST_U16 wzp_list_u16
#define WZP_FIELD_TYPE_LIST_U32 wzp_list_u32
#define WZP_FIELD_TYPE_LIST_STR wzp_list_str
#define WZP_FIELD_TYPE_PRIORITY uint8_t
#define WZP_FIELD_TYPE_ACCEPT uint8_t
#define WZP_FIELD_TYPE_CODE uint8_t
#define WZP_FIELD_TYPE_PROFILE wzp_quality_profile
#define WZP_FIELD_TYPE_OPT_PROFILE wzp_opt_profile
#define WZP_FIELD_TYPE_LIST_PROFILE wzp_list_profile
#define WZP_FIELD_TYPE_REPORT wzp_quality_report
#define WZP_FIELD_TYPE_REASON wzp_hangup_reason
#define WZP_FIELD_TYPE_LIST_PARTICIPANT wzp_list_participant
#define WZP_FIELD_TYPE_LIST_USER wzp_list_user
#define WZP_FIELD_TYPE_SIGNAL wzp_inner_signal

#define WZP_FIELDS_NONE(F, S)
#define WZP_FIELDS_CALL_OFFER(F, S)                                                                \
    F(S, KEY, identity_pub, REQUIRED, ALWAYS)                                                      \
    F(S, KEY, ephemeral_pub, REQUIRED, ALWAYS)                                                     \
    F(S, BYTES, signature, REQUIRED, ALWAYS)                                                       \
    F(S, LIST_PROFILE, supported_profiles, REQUIRED, ALWAYS)                                       \
    F(S, OPT_STR, alias, NONE, ALWAYS)                                                             \
    F(S, U8, protocol_version, VERSION_2, ALWAYS)                                                  \
    F(S, BYTES, supported_versions, VERSIONS_2, ALWAYS)                                            \
    F(S, LIST_CODEC, video_codecs, ZERO, OMIT)
#define WZP_FIELDS_CALL_ANSWER(F, S)                                                               \
    F(S, KEY, identity_pub, REQUIRED, ALWAYS)                                                      \
    F(S, KEY, ephemeral_pub, REQUIRED, ALWAYS)                                                     \
    F(S, BYTES, signature, REQUIRED, ALWAYS)                                                       \
    F(S, PROFILE, chosen_profile, REQUIRED, ALWAYS)                                                \
    F(S, OPT_CODEC, video_codec, NONE, OMIT)
#define WZP_FIELDS_ICE_CANDIDATE(F, S) F(S, STR, candidate, REQUIRED, ALWAYS)
#define WZP_FIELDS_REKEY(F, S)                                                                     \
    F(S, KEY, new_ephemeral_pub, REQUIRED, ALWAYS)                                                 \
    F(S, BYTES, signature, REQUIRED, ALWAYS)
#define WZP_FIELDS_QUALITY_UPDATE(F, S)                                                            \
    F(S, REPORT, report, REQUIRED, ALWAYS)                                                         \
    F(S, PROFILE, recommended_profile, REQUIRED, ALWAYS)
#define WZP_FIELDS_LOSS_RECOVERY(F, S)                                                             \
    F(S, U64, dred_reconstructions, ZERO, ALWAYS)                                                  \
    F(S, U64, classical_plc_invocations, ZERO, ALWAYS)                                             \
    F(S, U64, frames_decoded, ZERO, ALWAYS)
#define WZP_FIELDS_TIMESTAMP(F, S) F(S, U64, timestamp_ms, REQUIRED, ALWAYS)
#define WZP_FIELDS_HANGUP(F, S)                                                                    \
    F(S, REASON, reason, REQUIRED, ALWAYS)                                                         \
    F(S, OPT_STR, call_id, NONE, OMIT)
#define WZP_FIELDS_AUTH_TOKEN(F, S) F(S, STR, token, REQUIRED, ALWAYS)
#define WZP_FIELDS_TRANSFER(F, S)                                                                  \
    F(S, STR, target_fingerprint, REQUIRED, ALWAYS)                                                \
    F(S, OPT_STR, relay_addr, NONE, ALWAYS)
#define WZP_FIELDS_PRESENCE_UPDATE(F, S)                                                           \
    F(S, LIST_STR, fingerprints, REQUIRED, ALWAYS)                                                 \
    F(S, STR, relay_addr, REQUIRED, ALWAYS)
#define WZP_FIELDS_ROUTE_QUERY(F, S)                                                               \
    F(S, STR, fingerprint, REQUIRED, ALWAYS)                                                       \
    F(S, U8, ttl, REQUIRED, ALWAYS)
#define WZP_FIELDS_ROUTE_RESPONSE(F, S)                                                            \
    F(S, STR, fingerprint, REQUIRED, ALWAYS)                                                       \
    F(S, BOOL, found, REQUIRED, ALWAYS)                                                            \
    F(S, LIST_STR, relay_chain, REQUIRED, ALWAYS)
#define WZP_FIELDS_SESSION_FORWARD(F, S)                                                           \
    F(S, STR, session_id, REQUIRED, ALWAYS)                                                        \
    F(S, STR, target_fingerprint, REQUIRED, ALWAYS)                                                \
    F(S, STR, source_relay, REQUIRED, ALWAYS)
#define WZP_FIELDS_SESSION_FORWARD_ACK(F, S)                                                       \
    F(S, STR, session_id, REQUIRED, ALWAYS)                                                        \
    F(S, STR, room_name, REQUIRED, ALWAYS)
#define WZP_FIELDS_ROOM_UPDATE(F, S)                                                               \
    F(S, U32, count, REQUIRED, ALWAYS)                                                             \
    F(S, LIST_PARTICIPANT, participants, REQUIRED, ALWAYS)
#define WZP_FIELDS_FEDERATION_HELLO(F, S) F(S, STR, tls_fingerprint, REQUIRED, ALWAYS)
#define WZP_FIELDS_ROOM_ACTIVE(F, S)                                                               \
    F(S, STR, room, REQUIRED, ALWAYS)                                                              \
    F(S, LIST_PARTICIPANT, participants, ZERO, ALWAYS)                                             \
    F(S, LIST_STR, origins, ZERO, OMIT) /* ours, see federation/federation.h */
#define WZP_FIELDS_ROOM_INACTIVE(F, S)                                                             \
    F(S, STR, room, REQUIRED, ALWAYS)                                                              \
    F(S, LIST_STR, origins, ZERO, OMIT) /* ours */
#define WZP_FIELDS_REGISTER_PRESENCE(F, S)                                                         \
    F(S, KEY, identity_pub, REQUIRED, ALWAYS)                                                      \
    F(S, BYTES, signature, REQUIRED, ALWAYS)                                                       \
    F(S, OPT_STR, alias, NONE, ALWAYS)
#define WZP_FIELDS_REGISTER_ACK(F, S)                                                              \
    F(S, BOOL, success, REQUIRED, ALWAYS)                                                          \
    F(S, OPT_STR, error, NONE, OMIT)                                                               \
    F(S, OPT_STR, relay_build, NONE, OMIT)                                                         \
    F(S, OPT_STR, relay_region, NONE, OMIT)                                                        \
    F(S, LIST_STR, available_relays, ZERO, OMIT)
#define WZP_FIELDS_DIRECT_OFFER(F, S)                                                              \
    F(S, STR, caller_fingerprint, REQUIRED, ALWAYS)                                                \
    F(S, OPT_STR, caller_alias, NONE, ALWAYS)                                                      \
    F(S, STR, target_fingerprint, REQUIRED, ALWAYS)                                                \
    F(S, STR, call_id, REQUIRED, ALWAYS)                                                           \
    F(S, KEY, identity_pub, REQUIRED, ALWAYS)                                                      \
    F(S, KEY, ephemeral_pub, REQUIRED, ALWAYS)                                                     \
    F(S, BYTES, signature, REQUIRED, ALWAYS)                                                       \
    F(S, LIST_PROFILE, supported_profiles, REQUIRED, ALWAYS)                                       \
    F(S, OPT_STR, caller_reflexive_addr, NONE, OMIT)                                               \
    F(S, LIST_STR, caller_local_addrs, ZERO, OMIT)                                                 \
    F(S, OPT_STR, caller_mapped_addr, NONE, OMIT)                                                  \
    F(S, OPT_STR, caller_build_version, NONE, OMIT)
#define WZP_FIELDS_DIRECT_ANSWER(F, S)                                                             \
    F(S, STR, call_id, REQUIRED, ALWAYS)                                                           \
    F(S, ACCEPT, accept_mode, REQUIRED, ALWAYS)                                                    \
    F(S, OPT_KEY, identity_pub, NONE, OMIT)                                                        \
    F(S, OPT_KEY, ephemeral_pub, NONE, OMIT)                                                       \
    F(S, OPT_BYTES, signature, NONE, OMIT)                                                         \
    F(S, OPT_PROFILE, chosen_profile, NONE, OMIT)                                                  \
    F(S, OPT_STR, callee_reflexive_addr, NONE, OMIT)                                               \
    F(S, LIST_STR, callee_local_addrs, ZERO, OMIT)                                                 \
    F(S, OPT_STR, callee_mapped_addr, NONE, OMIT)                                                  \
    F(S, OPT_STR, callee_build_version, NONE, OMIT)
#define WZP_FIELDS_CALL_SETUP(F, S)                                                                \
    F(S, STR, call_id, REQUIRED, ALWAYS)                                                           \
    F(S, STR, room, REQUIRED, ALWAYS)                                                              \
    F(S, STR, relay_addr, REQUIRED, ALWAYS)                                                        \
    F(S, OPT_STR, peer_direct_addr, NONE, OMIT)                                                    \
    F(S, LIST_STR, peer_local_addrs, ZERO, OMIT)                                                   \
    F(S, OPT_STR, peer_mapped_addr, NONE, OMIT)
#define WZP_FIELDS_CALL_RINGING(F, S) F(S, STR, call_id, REQUIRED, ALWAYS)
#define WZP_FIELDS_REFLECT_RESPONSE(F, S) F(S, STR, observed_addr, REQUIRED, ALWAYS)
#define WZP_FIELDS_MEDIA_PATH_REPORT(F, S)                                                         \
    F(S, STR, call_id, REQUIRED, ALWAYS)                                                           \
    F(S, BOOL, direct_ok, REQUIRED, ALWAYS)                                                        \
    F(S, STR, race_winner, ZERO, ALWAYS)
#define WZP_FIELDS_CANDIDATE_UPDATE(F, S)                                                          \
    F(S, STR, call_id, REQUIRED, ALWAYS)                                                           \
    F(S, OPT_STR, reflexive_addr, NONE, OMIT)                                                      \
    F(S, LIST_STR, local_addrs, ZERO, OMIT)                                                        \
    F(S, OPT_STR, mapped_addr, NONE, OMIT)                                                         \
    F(S, U32, generation, REQUIRED, ALWAYS)
#define WZP_FIELDS_HARD_NAT_PROBE(F, S)                                                            \
    F(S, STR, call_id, REQUIRED, ALWAYS)                                                           \
    F(S, LIST_U16, port_sequence, REQUIRED, ALWAYS)                                                \
    F(S, STR, allocation, REQUIRED, ALWAYS)                                                        \
    F(S, U64, probe_time_ms, REQUIRED, ALWAYS)                                                     \
    F(S, STR, external_ip, REQUIRED, ALWAYS)
#define WZP_FIELDS_BIRTHDAY_START(F, S)                                                            \
    F(S, STR, call_id, REQUIRED, ALWAYS)                                                           \
    F(S, U16, acceptor_port_count, REQUIRED, ALWAYS)                                               \
    F(S, LIST_U16, acceptor_ports, REQUIRED, ALWAYS)                                               \
    F(S, STR, external_ip, REQUIRED, ALWAYS)
#define WZP_FIELDS_FEDERATED_FORWARD(F, S)                                                         \
    F(S, SIGNAL, inner, REQUIRED, ALWAYS)                                                          \
    F(S, STR, origin_relay_fp, REQUIRED, ALWAYS)
#define WZP_FIELDS_QUALITY_DIRECTIVE(F, S)                                                         \
    F(S, PROFILE, recommended_profile, REQUIRED, ALWAYS)                                           \
    F(S, OPT_STR, reason, NONE, OMIT)
#define WZP_FIELDS_PRESENCE_LIST(F, S) F(S, LIST_USER, users, REQUIRED, ALWAYS)
#define WZP_FIELDS_UPGRADE_PROPOSAL(F, S)                                                          \
    F(S, STR, call_id, REQUIRED, ALWAYS)                                                           \
    F(S, STR, proposal_id, REQUIRED, ALWAYS)                                                       \
    F(S, PROFILE, proposed_profile, REQUIRED, ALWAYS)                                              \
    F(S, OPT_F32, local_loss_pct, NONE, OMIT)                                                      \
    F(S, OPT_U32, local_rtt_ms, NONE, OMIT)
#define WZP_FIELDS_UPGRADE_RESPONSE(F, S)                                                          \
    F(S, STR, call_id, REQUIRED, ALWAYS)                                                           \
    F(S, STR, proposal_id, REQUIRED, ALWAYS)                                                       \
    F(S, BOOL, accepted, REQUIRED, ALWAYS)                                                         \
    F(S, OPT_STR, reason, NONE, OMIT)
#define WZP_FIELDS_UPGRADE_CONFIRM(F, S)                                                           \
    F(S, STR, call_id, REQUIRED, ALWAYS)                                                           \
    F(S, STR, proposal_id, REQUIRED, ALWAYS)                                                       \
    F(S, PROFILE, confirmed_profile, REQUIRED, ALWAYS)
#define WZP_FIELDS_QUALITY_CAPABILITY(F, S)                                                        \
    F(S, STR, call_id, REQUIRED, ALWAYS)                                                           \
    F(S, PROFILE, max_profile, REQUIRED, ALWAYS)                                                   \
    F(S, OPT_F32, loss_pct, NONE, OMIT)                                                            \
    F(S, OPT_U32, rtt_ms, NONE, OMIT)
#define WZP_FIELDS_TRANSPORT_FEEDBACK(F, S)                                                        \
    F(S, U8, stream_id, REQUIRED, ALWAYS)                                                          \
    F(S, LIST_U32, acked_seqs, REQUIRED, ALWAYS)                                                   \
    F(S, LIST_U32, nacked_seqs, REQUIRED, ALWAYS)                                                  \
    F(S, U32, remb_bps, REQUIRED, ALWAYS)                                                          \
    F(S, U64, recv_time_us, REQUIRED, ALWAYS)
#define WZP_FIELDS_NACK(F, S)                                                                      \
    F(S, U8, stream_id, REQUIRED, ALWAYS)                                                          \
    F(S, LIST_U32, seqs, REQUIRED, ALWAYS)
#define WZP_FIELDS_SET_PRIORITY(F, S) F(S, PRIORITY, mode, REQUIRED, ALWAYS)
#define WZP_FIELDS_PLI(F, S) F(S, U8, stream_id, REQUIRED, ALWAYS)

#define WZP_SIGNAL_MAP(X)                                                                          \
    X(CALL_OFFER, CallOffer, WZP_FIELDS_CALL_OFFER)                                                \
    X(CALL_ANSWER, CallAnswer, WZP_FIELDS_CALL_ANSWER)                                             \
    X(ICE_CANDIDATE, IceCandidate, WZP_FIELDS_ICE_CANDIDATE)                                       \
    X(REKEY, Rekey, WZP_FIELDS_REKEY)                                                              \
    X(QUALITY_UPDATE, QualityUpdate, WZP_FIELDS_QUALITY_UPDATE)                                    \
    X(LOSS_RECOVERY_UPDATE, LossRecoveryUpdate, WZP_FIELDS_LOSS_RECOVERY)                          \
    X(PING, Ping, WZP_FIELDS_TIMESTAMP)                                                            \
    X(PONG, Pong, WZP_FIELDS_TIMESTAMP)                                                            \
    X(HANGUP, Hangup, WZP_FIELDS_HANGUP)                                                           \
    X(AUTH_TOKEN, AuthToken, WZP_FIELDS_AUTH_TOKEN)                                                \
    X(HOLD, Hold, WZP_FIELDS_NONE)                                                                 \
    X(UNHOLD, Unhold, WZP_FIELDS_NONE)                                                             \
    X(MUTE, Mute, WZP_FIELDS_NONE)                                                                 \
    X(UNMUTE, Unmute, WZP_FIELDS_NONE)                                                             \
    X(TRANSFER, Transfer, WZP_FIELDS_TRANSFER)                                                     \
    X(TRANSFER_ACK, TransferAck, WZP_FIELDS_NONE)                                                  \
    X(PRESENCE_UPDATE, PresenceUpdate, WZP_FIELDS_PRESENCE_UPDATE)                                 \
    X(ROUTE_QUERY, RouteQuery, WZP_FIELDS_ROUTE_QUERY)                                             \
    X(ROUTE_RESPONSE, RouteResponse, WZP_FIELDS_ROUTE_RESPONSE)                                    \
    X(SESSION_FORWARD, SessionForward, WZP_FIELDS_SESSION_FORWARD)                                 \
    X(SESSION_FORWARD_ACK, SessionForwardAck, WZP_FIELDS_SESSION_FORWARD_ACK)                      \
    X(ROOM_UPDATE, RoomUpdate, WZP_FIELDS_ROOM_UPDATE)                                             \
    X(FEDERATION_HELLO, FederationHello, WZP_FIELDS_FEDERATION_HELLO)                              \
    X(GLOBAL_ROOM_ACTIVE, GlobalRoomActive, WZP_FIELDS_ROOM_ACTIVE)                                \
    X(GLOBAL_ROOM_INACTIVE, GlobalRoomInactive, WZP_FIELDS_ROOM_INACTIVE)                          \
    X(REGISTER_PRESENCE, RegisterPresence, WZP_FIELDS_REGISTER_PRESENCE)                           \
    X(REGISTER_PRESENCE_ACK, RegisterPresenceAck, WZP_FIELDS_REGISTER_ACK)                         \
    X(DIRECT_CALL_OFFER, DirectCallOffer, WZP_FIELDS_DIRECT_OFFER)                                 \
    X(DIRECT_CALL_ANSWER, DirectCallAnswer, WZP_FIELDS_DIRECT_ANSWER)                              \
    X(CALL_SETUP, CallSetup, WZP_FIELDS_CALL_SETUP)                                                \
    X(CALL_RINGING, CallRinging, WZP_FIELDS_CALL_RINGING)                                          \
    X(REFLECT, Reflect, WZP_FIELDS_NONE)                                                           \
    X(REFLECT_RESPONSE, ReflectResponse, WZP_FIELDS_REFLECT_RESPONSE)                              \
    X(MEDIA_PATH_REPORT, MediaPathReport, WZP_FIELDS_MEDIA_PATH_REPORT)                            \
    X(CANDIDATE_UPDATE, CandidateUpdate, WZP_FIELDS_CANDIDATE_UPDATE)                              \
    X(HARD_NAT_PROBE, HardNatProbe, WZP_FIELDS_HARD_NAT_PROBE)                                     \
    X(HARD_NAT_BIRTHDAY_START, HardNatBirthdayStart, WZP_FIELDS_BIRTHDAY_START)                    \
    X(FEDERATED_SIGNAL_FORWARD, FederatedSignalForward, WZP_FIELDS_FEDERATED_FORWARD)              \
    X(QUALITY_DIRECTIVE, QualityDirective, WZP_FIELDS_QUALITY_DIRECTIVE)                           \
    X(PRESENCE_LIST, PresenceList, WZP_FIELDS_PRESENCE_LIST)                                       \
    X(UPGRADE_PROPOSAL, UpgradeProposal, WZP_FIELDS_UPGRADE_PROPOSAL)                              \
    X(UPGRADE_RESPONSE, UpgradeResponse, WZP_FIELDS_UPGRADE_RESPONSE)                              \
    X(UPGRADE_CONFIRM, UpgradeConfirm, WZP_FIELDS_UPGRADE_CONFIRM)                                 \
    X(QUALITY_CAPABILITY, QualityCapability, WZP_FIELDS_QUALITY_CAPABILITY)                        \
    X(TRANSPORT_FEEDBACK, TransportFeedback, WZP_FIELDS_TRANSPORT_FEEDBACK)                        \
    X(NACK, Nack, WZP_FIELDS_NACK)                                                                 \
    X(SET_PRIORITY_MODE, SetPriorityMode, WZP_FIELDS_SET_PRIORITY)                                 \
    X(PICTURE_LOSS_INDICATION, PictureLossIndication, WZP_FIELDS_PLI)

/* Nested objects, by the same rules. */
#define WZP_FIELDS_PROFILE(F, S)                                                                   \
    F(S, CODEC, codec, REQUIRED, ALWAYS)                                                           \
    F(S, F32, fec_ratio, REQUIRED, ALWAYS)                                                         \
    F(S, U8, frame_duration_ms, REQUIRED, ALWAYS)                                                  \
    F(S, U8, frames_per_block, REQUIRED, ALWAYS)                                                   \
    F(S, PRIORITY, priority_mode, ZERO, ALWAYS)                                                    \
    F(S, OPT_U32, video_bitrate_kbps, NONE, ALWAYS)                                                \
    F(S, OPT_RESOLUTION, video_resolution, NONE, ALWAYS)                                           \
    F(S, OPT_U8, video_fps, NONE, ALWAYS)
#define WZP_FIELDS_REPORT(F, S)                                                                    \
    F(S, U8, loss_pct, REQUIRED, ALWAYS)                                                           \
    F(S, U8, rtt_4ms, REQUIRED, ALWAYS)                                                            \
    F(S, U8, jitter_ms, REQUIRED, ALWAYS)                                                          \
    F(S, U8, bitrate_cap_kbps, REQUIRED, ALWAYS)
#define WZP_FIELDS_PARTICIPANT(F, S)                                                               \
    F(S, STR, fingerprint, REQUIRED, ALWAYS)                                                       \
    F(S, OPT_STR, alias, NONE, ALWAYS)                                                             \
    F(S, OPT_STR, relay_label, NONE, ALWAYS)                                                       \
    F(S, OPT_STR, origin, NONE, OMIT) /* ours, between relays only */
#define WZP_FIELDS_USER(F, S)                                                                      \
    F(S, STR, fingerprint, REQUIRED, ALWAYS)                                                       \
    F(S, OPT_STR, alias, NONE, OMIT)
#define WZP_FIELDS_MISMATCH(F, S) F(S, BYTES, server_supported, REQUIRED, ALWAYS)
#define WZP_FIELDS_POLICY(F, S)                                                                    \
    F(S, CODE, code, REQUIRED, ALWAYS)                                                             \
    F(S, STR, reason, REQUIRED, ALWAYS)

#endif
