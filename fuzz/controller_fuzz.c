/* Any reports, times, estimates, networks, directives and negotiations, in any order, on a client's
 * controller and on what it agrees on with others.  Tiers stay within bounds, climb by one step at
 * most, and never to what the estimate forbids; the slow twin says the same.
 *
 * The first byte chooses policy (bit 0) and network (bits 1-3), then steps of 4 bytes follow: what,
 * and three bytes for it. */
#include "adapt/agreement.h"
#include "adapt/testing/twin.h"
#include "require.h"

enum { STEP = 4 };

static const wzp_tier NONE = WZP_TIER_COUNT;

typedef struct subjects {
    wzp_controller c;
    wzp_controller_twin twin;
    wzp_agreement a;
    uint64_t target_bps;
    wzp_time now;
} subjects;

/* Deployed probes ask no estimate. */
static bool may_climb(const subjects *s, wzp_tier tier, bool was_probing) {
    return wzp_tier_required_bps(tier) <= s->target_bps ||
           (was_probing && s->c.policy == WZP_ADAPT_DEPLOYED);
}

static void report(subjects *s, const uint8_t *p) {
    const wzp_quality_report report = {p[1], p[2], p[3], p[1]};
    const wzp_tier before = wzp_controller_tier(&s->c);
    const bool was_probing = s->c.probing;
    wzp_tier want = NONE;
    const bool changes =
        wzp_controller_twin_observe(&s->twin, &report, s->target_bps, s->now, &want);
    const wzp_quality_profile *got = wzp_controller_observe(&s->c, &report, s->target_bps, s->now);
    const wzp_tier after = wzp_controller_tier(&s->c);
    require(after < WZP_TIER_COUNT && after <= before + 1);
    require(after <= before || may_climb(s, after, was_probing));
    require(!s->c.probing || after < WZP_TIER_STUDIO_64K);
    require(after == s->twin.tier && got == (changes ? wzp_tier_profile(want) : NULL));
    require(got == NULL || got == wzp_controller_profile(&s->c));
    if (got != NULL) {
        require(wzp_agreement_adapt(&s->a, got->codec));
    }
}

static void move(subjects *s, uint8_t to) {
    const wzp_network network = (wzp_network)(to % WZP_NETWORK_COUNT);
    if (network != s->c.network) {
        wzp_controller_network(&s->c, network, s->now);
        wzp_controller_twin_network(&s->twin, network);
    }
}

/* Any codec, assigned or not. */
static void negotiate(subjects *s, const uint8_t *p) {
    static const char *const ids[] = {"", "a", "b"};
    const wzp_bytes call_id = wzp_bytes_str(ids[p[2] % 3]);
    const wzp_bytes id = wzp_bytes_str(ids[p[3] % 3]);
    const wzp_quality_profile profile = {.codec = p[1]};
    const wzp_signal signals[] = {
        {.kind = WZP_SIGNAL_QUALITY_DIRECTIVE, .u.QualityDirective.recommended_profile = profile},
        {.kind = WZP_SIGNAL_UPGRADE_PROPOSAL,
         .u.UpgradeProposal = {0, call_id, id, profile, {0}, {0}}},
        {.kind = WZP_SIGNAL_UPGRADE_RESPONSE, .u.UpgradeResponse = {0, call_id, id, p[1] & 1, {0}}},
        {.kind = WZP_SIGNAL_UPGRADE_CONFIRM, .u.UpgradeConfirm = {0, call_id, id, profile}},
        {.kind = WZP_SIGNAL_QUALITY_CAPABILITY,
         .u.QualityCapability = {0, call_id, profile, {0}, {0}}},
    };
    wzp_signal out;
    (void)wzp_agreement_recv(&s->a, &signals[p[0] / 16 % 5]);
    if (p[0] >= 0xf0) {
        const wzp_err err = wzp_agreement_propose(&s->a, p[1], ids[p[3] % 3]);
        require(err == WZP_OK || err == WZP_ERR_INVALID_ARGUMENT);
    }
    if (p[2] >= 0x80 && wzp_agreement_next(&s->a, &out)) {
        require(out.kind == WZP_SIGNAL_UPGRADE_PROPOSAL ||
                out.kind == WZP_SIGNAL_UPGRADE_RESPONSE || out.kind == WZP_SIGNAL_UPGRADE_CONFIRM);
    }
}

static void step(subjects *s, const uint8_t *p) {
    switch (p[0] % 16) {
    case 0:
        s->target_bps = (uint64_t)(p[1] << 8 | p[2]) * 2 + (p[3] & 1);
        break;
    case 1:
        s->target_bps = WZP_TARGET_UNKNOWN;
        break;
    case 2:
        move(s, p[1]);
        break;
    case 3:
        wzp_controller_force(&s->c, wzp_tier_profile((wzp_tier)(p[1] % WZP_TIER_COUNT)));
        wzp_controller_twin_force(&s->twin);
        break;
    case 4:
        negotiate(s, p);
        break;
    case 5:
        s->now = wzp_time_after(s->now, p[1] * WZP_S);
        break;
    default: /* several of the same, a second apart */
        for (unsigned n = p[0] / 16 + 1U; n-- > 0; s->now += WZP_S) {
            report(s, p);
        }
        break;
    }
    const wzp_quality_profile *profile = wzp_agreement_profile(&s->a);
    require(profile == wzp_profile_for_codec(profile->codec) &&
            profile->codec != WZP_CODEC_COMFORT_NOISE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    subjects *s = calloc(1, sizeof *s);
    require(s != NULL);
    const bool deployed = (data[0] & 1) != 0;
    const wzp_network network = (wzp_network)(data[0] / 2 % WZP_NETWORK_COUNT);
    s->target_bps = WZP_TARGET_UNKNOWN;
    s->now = 1000 * WZP_S;
    wzp_controller_init(&s->c, deployed ? WZP_ADAPT_DEPLOYED : WZP_ADAPT_REFERENCE, network);
    wzp_controller_twin_init(&s->twin, deployed, network);
    require(wzp_agreement_init(&s->a, s->c.policy, false, WZP_CODEC_OPUS_24K, "a") == WZP_OK);
    for (const uint8_t *p = data + 1; size - (size_t)(p - data) >= STEP; p += STEP) {
        if (s->twin.count + 16 >= WZP_CONTROLLER_TWIN_MAX) {
            break;
        }
        step(s, p);
    }
    free(s);
    return 0;
}
