/* Clients whose ears are broken on purpose, and clients that do not listen to what they are told
 * about quality; faults_client.h has the rest.  One client at a time. */
#ifndef WZP_CONFORMANCE_MUTANTS_FAULTS_AUDIO_IN_H
#define WZP_CONFORMANCE_MUTANTS_FAULTS_AUDIO_IN_H

#include "base/bytes.h"

/* name, what is wrong with the client, the cases that must notice */
#define WZP_HEAR_FAULT_MAP(X)                                                                      \
    X(ONE_CODEC, "one-codec", "plays Opus or Codec2, whichever came first", "AUD-008")             \
    X(LONG_FRAMES, "long-frames", "plays no frame of 40 ms", "AUD-008")                            \
    X(STUCK, "stuck-decoder", "plays nothing after a frame that it cannot decode", "AUD-009")      \
    X(DIES, "dies-of-codec", "falls silent at an unassigned codec", "AUD-009")                     \
    X(DIES_EMPTY, "dies-of-nothing", "falls silent at an empty frame", "AUD-009")                  \
    X(GAPS, "leaves-gaps", "plays nothing where a frame is missing", "AUD-010")                    \
    X(PLAIN, "plain-opus", "plays no packet of Opus that has an extension", "DRED-002")            \
    X(KNOWN_DRED, "known-dred", "plays no packet with another DRED than its own", "DRED-002")      \
    X(NO_REPAIR, "no-repair", "does nothing with repair packets", "FEC-004")                       \
    X(HALF_REPAIR, "half-repair", "recovers one frame of a block", "FEC-004")                      \
    X(ODD_REPAIR, "repairs-five", "recovers blocks of Codec2 3200 only", "FEC-004")                \
    X(WHOLE_SYMBOLS, "whole-symbols", "takes repair symbols of 256 bytes only", "FEC-005")         \
    X(DIES_SYMBOL, "dies-of-symbol", "falls silent at a symbol that is too long", "FEC-005")       \
    X(OLD_SYMBOLS, "old-symbols",                                                                  \
      "keeps the repair symbols of a block until its number comes again", "FEC-006")               \
    X(PLAYS_REPAIR, "plays-repair", "plays repair packets of Opus", "FEC-007")                     \
    X(NO_BUFFER, "no-buffer", "plays nothing that was overtaken", "JIT-002")                       \
    X(TWICE, "plays-twice", "plays packets that come twice", "JIT-003")                            \
    X(OLD_SENDER, "old-sender", "waits for numbers beyond the highest it has seen", "JIT-004")

#define WZP_QUAL_FAULT_MAP(X)                                                                      \
    X(HASTY, "hasty", "counts each report twice", "QUAL-003")                                      \
    X(STUBBORN, "stubborn", "ignores the reports of others", "QUAL-003")                           \
    X(HALF_WAY, "half-way", "sends Opus6k where it should send Codec2", "QUAL-003")                \
    X(NEVER_UP, "never-up", "sends no better codec than before", "QUAL-004")                       \
    X(LEAPS, "leaps", "goes up by two steps at once", "QUAL-004")                                  \
    X(DEAF, "deaf-to-directives", "ignores QualityDirectives", "QUAL-005")                         \
    X(SLOW, "slow-to-follow", "changes its codec a second later", "QUAL-005")                      \
    X(SERVILE, "servile", "follows directives although its quality is fixed", "QUAL-006")          \
    X(NO_ANSWER, "no-answer", "answers no UpgradeProposal", "QUAL-008")                            \
    X(OWN_ID, "own-id", "answers with a proposal_id of its own", "QUAL-008")                       \
    X(FIRST_ID, "first-id", "answers all proposals with the call_id of the first", "QUAL-008")     \
    X(UNCONFIRMED, "unconfirmed", "ignores UpgradeConfirm", "QUAL-009")                            \
    X(NO_CAP, "no-cap", "ignores QualityCapability", "QUAL-010")                                   \
    X(FORGETS_CAP, "forgets-cap", "forgets a cap at the next directive", "QUAL-010")               \
    X(HANGS_UP, "hangs-up", "ends the call at a signal that it does not know", "BWE-003")          \
    X(DIES_FEEDBACK, "dies-of-feedback", "falls silent at a TransportFeedback", "BWE-003")

typedef enum wzp_hear_fault {
    WZP_HEAR_FAULT_NONE,
#define X(id, name, text, caught_by) WZP_HEAR_FAULT_##id,
    WZP_HEAR_FAULT_MAP(X)
#undef X
        WZP_HEAR_FAULT_COUNT
} wzp_hear_fault;

typedef enum wzp_qual_fault {
    WZP_QUAL_FAULT_NONE,
#define X(id, name, text, caught_by) WZP_QUAL_FAULT_##id,
    WZP_QUAL_FAULT_MAP(X)
#undef X
        WZP_QUAL_FAULT_COUNT
} wzp_qual_fault;

/* The fault of every client in this process from now on. */
void wzp_hear_fault_set(wzp_hear_fault which);
void wzp_qual_fault_set(wzp_qual_fault which);

/* For faults_client.c: the client cannot read this signal. */
bool wzp_qual_fault_refuses(wzp_bytes json);

#endif
