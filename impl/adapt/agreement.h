/* What a sender has been told about its quality, and what it agreed on (media sheet 9.5):
 * directives of the relay, upgrades that two peers negotiate, caps of the other side.  Signals in;
 * signals and the profile for the encoder out.
 *
 *   ours:    propose -> UpgradeProposal ... UpgradeResponse -> UpgradeConfirm, change
 *   theirs:  UpgradeProposal -> UpgradeResponse ... UpgradeConfirm -> change
 *
 * A profile counts by its codec: frame length and FEC are the ones that receivers assume for it,
 * for nobody tells them others.  Plain struct, no memory: ids that are longer than
 * WZP_AGREEMENT_ID_MAX are nobody's. */
#ifndef WZP_ADAPT_AGREEMENT_H
#define WZP_ADAPT_AGREEMENT_H

#include "adapt/policy.h"
#include "wire/signal.h"

#define WZP_AGREEMENT_ID_MAX 64
#define WZP_AGREEMENT_OUT_MAX 4 /* signals that wait; a flood of proposals is answered in part */

typedef struct wzp_agreement_out {
    wzp_signal_kind kind; /* one of the three */
    char call_id[WZP_AGREEMENT_ID_MAX + 1];
    char proposal_id[WZP_AGREEMENT_ID_MAX + 1];
    const wzp_quality_profile *profile; /* of a proposal or confirmation */
    const char *declined;               /* why, in a response; NULL: accepted */
} wzp_agreement_out;

typedef struct wzp_agreement {
    wzp_adapt_policy policy;
    bool is_fixed;                      /* the user chose the quality */
    const wzp_quality_profile *active;  /* static */
    const wzp_quality_profile *cap;     /* static, NULL: none */
    const wzp_quality_profile *pending; /* of our proposal, NULL: none */
    char call_id[WZP_AGREEMENT_ID_MAX + 1];
    char pending_id[WZP_AGREEMENT_ID_MAX + 1];
    size_t out_count;
    wzp_agreement_out out[WZP_AGREEMENT_OUT_MAX];
} wzp_agreement;

/* Starts with `codec`, an audio one.  With a call's id only its signals count; "" takes all.
 * INVALID_ARGUMENT: not an audio codec, or too long an id. */
WZP_MUST_USE wzp_err wzp_agreement_init(wzp_agreement *agreement, wzp_adapt_policy policy,
                                        bool is_fixed, uint8_t codec, const char *call_id);

/* What the encoder is to use: the active profile, or the cap if that is less.  Never NULL, static.
 */
const wzp_quality_profile *wzp_agreement_profile(const wzp_agreement *agreement);

/* Our own controller has decided.  False in fixed mode, and for a codec that is not of audio. */
bool wzp_agreement_adapt(wzp_agreement *agreement, uint8_t codec);

/* A signal came; those about other things are ignored.  True if the encoder's profile changed.  In
 * fixed mode nothing changes it but a cap; REFERENCE then declines proposals, DEPLOYED accepts
 * them. */
bool wzp_agreement_recv(wzp_agreement *agreement, const wzp_signal *signal);

/* Proposes a better codec to the other side; a proposal that was not answered is forgotten.
 * INVALID_ARGUMENT: not an audio codec, fixed mode, or too long an id. */
WZP_MUST_USE wzp_err wzp_agreement_propose(wzp_agreement *agreement, uint8_t codec,
                                           const char *proposal_id);

/* The next signal to send; its texts are borrowed until the next call. */
bool wzp_agreement_next(wzp_agreement *agreement, wzp_signal *out);

#endif
