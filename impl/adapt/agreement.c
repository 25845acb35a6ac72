#include "adapt/agreement.h"

#include <string.h>

/* NULL for what no encoder of sound can be set to. */
static const wzp_quality_profile *usable(uint8_t codec) {
    return codec != WZP_CODEC_COMFORT_NOISE ? wzp_profile_for_codec(codec) : NULL;
}

/* False if the text is too long, or has an end in its middle. */
static bool keep(char *out, wzp_bytes id) {
    if (id.len > WZP_AGREEMENT_ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        if (id.data[i] == '\0') {
            return false;
        }
        out[i] = (char)id.data[i];
    }
    out[id.len] = '\0';
    return true;
}

static bool is_same(const char *ours, wzp_bytes theirs) {
    return wzp_bytes_equal(wzp_bytes_str(ours), theirs);
}

wzp_err wzp_agreement_init(wzp_agreement *a, wzp_adapt_policy policy, bool is_fixed, uint8_t codec,
                           const char *call_id) {
    const wzp_quality_profile *profile = usable(codec);
    if (profile == NULL || strlen(call_id) > WZP_AGREEMENT_ID_MAX) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    *a = (wzp_agreement){.policy = policy, .is_fixed = is_fixed, .active = profile};
    (void)keep(a->call_id, wzp_bytes_str(call_id));
    return WZP_OK;
}

static uint32_t bps(const wzp_quality_profile *profile) {
    return wzp_codec_find(profile->codec)->nominal_bps;
}

const wzp_quality_profile *wzp_agreement_profile(const wzp_agreement *a) {
    return a->cap != NULL && bps(a->cap) < bps(a->active) ? a->cap : a->active;
}

bool wzp_agreement_adapt(wzp_agreement *a, uint8_t codec) {
    const wzp_quality_profile *profile = usable(codec);
    if (profile == NULL || a->is_fixed) {
        return false;
    }
    a->active = profile;
    return true;
}

static bool is_ours(const wzp_agreement *a, wzp_bytes call_id) {
    return a->call_id[0] == '\0' || is_same(a->call_id, call_id);
}

/* NULL when too many wait. */
static wzp_agreement_out *add(wzp_agreement *a, wzp_signal_kind kind, wzp_bytes call_id,
                              wzp_bytes proposal_id) {
    if (a->out_count == WZP_AGREEMENT_OUT_MAX) {
        return NULL;
    }
    wzp_agreement_out *out = &a->out[a->out_count];
    *out = (wzp_agreement_out){.kind = kind};
    if (!keep(out->call_id, call_id) || !keep(out->proposal_id, proposal_id)) {
        return NULL;
    }
    a->out_count++;
    return out;
}

static void on_proposal(wzp_agreement *a, const wzp_signal_UpgradeProposal *in) {
    wzp_agreement_out *out = add(a, WZP_SIGNAL_UPGRADE_RESPONSE, in->call_id, in->proposal_id);
    if (out == NULL) {
        return;
    }
    if (usable(in->proposed_profile.codec) == NULL) {
        out->declined = "not a codec of sound";
    } else if (a->is_fixed && a->policy == WZP_ADAPT_REFERENCE) {
        out->declined = "the quality is fixed";
    }
}

/* Any answer uses the proposal up. */
static void on_response(wzp_agreement *a, const wzp_signal_UpgradeResponse *in) {
    const wzp_quality_profile *profile = a->pending;
    a->pending = NULL;
    if (profile == NULL || !in->accepted || !is_same(a->pending_id, in->proposal_id)) {
        return;
    }
    wzp_agreement_out *out = add(a, WZP_SIGNAL_UPGRADE_CONFIRM, in->call_id, in->proposal_id);
    if (out != NULL) {
        out->profile = profile;
        (void)wzp_agreement_adapt(a, profile->codec);
    }
}

bool wzp_agreement_recv(wzp_agreement *a, const wzp_signal *signal) {
    const wzp_quality_profile *before = wzp_agreement_profile(a);
    switch ((int)signal->kind) {
    case WZP_SIGNAL_QUALITY_DIRECTIVE:
        (void)wzp_agreement_adapt(a, signal->u.QualityDirective.recommended_profile.codec);
        break;
    case WZP_SIGNAL_UPGRADE_PROPOSAL:
        if (is_ours(a, signal->u.UpgradeProposal.call_id)) {
            on_proposal(a, &signal->u.UpgradeProposal);
        }
        break;
    case WZP_SIGNAL_UPGRADE_RESPONSE:
        if (is_ours(a, signal->u.UpgradeResponse.call_id)) {
            on_response(a, &signal->u.UpgradeResponse);
        }
        break;
    case WZP_SIGNAL_UPGRADE_CONFIRM:
        if (is_ours(a, signal->u.UpgradeConfirm.call_id)) {
            (void)wzp_agreement_adapt(a, signal->u.UpgradeConfirm.confirmed_profile.codec);
        }
        break;
    case WZP_SIGNAL_QUALITY_CAPABILITY:
        if (is_ours(a, signal->u.QualityCapability.call_id) &&
            usable(signal->u.QualityCapability.max_profile.codec) != NULL) {
            a->cap = usable(signal->u.QualityCapability.max_profile.codec);
        }
        break;
    default:
        break;
    }
    return wzp_agreement_profile(a) != before;
}

wzp_err wzp_agreement_propose(wzp_agreement *a, uint8_t codec, const char *proposal_id) {
    const wzp_quality_profile *profile = usable(codec);
    if (profile == NULL || a->is_fixed) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_agreement_out *out =
        add(a, WZP_SIGNAL_UPGRADE_PROPOSAL, wzp_bytes_str(a->call_id), wzp_bytes_str(proposal_id));
    if (out == NULL) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    out->profile = profile;
    a->pending = profile;
    (void)keep(a->pending_id, wzp_bytes_str(proposal_id));
    return WZP_OK;
}

static void write(wzp_signal *out, const wzp_agreement_out *from) {
    const wzp_bytes call_id = wzp_bytes_str(from->call_id);
    const wzp_bytes proposal_id = wzp_bytes_str(from->proposal_id);
    *out = (wzp_signal){.kind = from->kind, .version = 1};
    if (from->kind == WZP_SIGNAL_UPGRADE_PROPOSAL) {
        out->u.UpgradeProposal = (wzp_signal_UpgradeProposal){
            .call_id = call_id, .proposal_id = proposal_id, .proposed_profile = *from->profile};
    } else if (from->kind == WZP_SIGNAL_UPGRADE_CONFIRM) {
        out->u.UpgradeConfirm = (wzp_signal_UpgradeConfirm){
            .call_id = call_id, .proposal_id = proposal_id, .confirmed_profile = *from->profile};
    } else {
        out->u.UpgradeResponse = (wzp_signal_UpgradeResponse){
            .call_id = call_id, .proposal_id = proposal_id, .accepted = from->declined == NULL};
        if (from->declined != NULL) {
            out->u.UpgradeResponse.reason = (wzp_opt_str){true, wzp_bytes_str(from->declined)};
        }
    }
}

bool wzp_agreement_next(wzp_agreement *a, wzp_signal *out) {
    if (a->out_count == 0) {
        return false;
    }
    /* The signal's texts are kept behind the ones that still wait. */
    const wzp_agreement_out first = a->out[0];
    a->out_count--;
    memmove(a->out, a->out + 1, a->out_count * sizeof *a->out);
    a->out[a->out_count] = first;
    write(out, &a->out[a->out_count]);
    return true;
}
