/* What a client makes of words about quality; declared in faults_audio_in.h. */
#include <stdlib.h>

#include "client/client.h"
#include "client/pace.h"
#include "conformance/mutants/faults_audio_in.h"
#include "conformance/mutants/faults_client.h"
#include "conformance/mutants/wrap.h"

static wzp_qual_fault fault;

/* The client under test, which is the only one. */
static struct subject {
    uint8_t codec; /* that is sent, as far as it was asked for */
    bool has_codec;
    wzp_time due; /* of a change */
    char call_id[64];
    bool is_first_answered;
} it;

void wzp_qual_fault_set(wzp_qual_fault which) {
    it = (struct subject){0};
    fault = which;
}

WRAP(wzp_err, wzp_pace_init, wzp_pace *pace, const wzp_pace_cfg *cfg) {
    it = (struct subject){0};
    return __real_wzp_pace_init(pace, cfg);
}

/* --- reports ---------------------------------------------------------------------------------- */

WRAP(void, wzp_pace_report, wzp_pace *pace, const wzp_quality_report *report, wzp_time now) {
    if (fault != WZP_QUAL_FAULT_STUBBORN) {
        __real_wzp_pace_report(pace, report, now);
    }
    if (fault == WZP_QUAL_FAULT_HASTY) {
        __real_wzp_pace_report(pace, report, now);
    }
}

static uint32_t bps(uint8_t codec) {
    return wzp_codec_find(codec)->nominal_bps;
}

WRAP(uint8_t, wzp_pace_codec, const wzp_pace *pace, wzp_time now) {
    uint8_t codec = __real_wzp_pace_codec(pace, now);
    const bool changes = it.has_codec && codec != it.codec;
    if (changes && fault == WZP_QUAL_FAULT_SLOW) {
        it.due = it.due == 0 ? now + WZP_S : it.due;
        codec = now < it.due ? it.codec : codec;
    } else if (changes && fault == WZP_QUAL_FAULT_NEVER_UP && bps(codec) > bps(it.codec)) {
        codec = it.codec;
    } else if (codec == WZP_CODEC_CODEC2_1200 && fault == WZP_QUAL_FAULT_HALF_WAY) {
        codec = WZP_CODEC_OPUS_6K;
    } else if (changes && fault == WZP_QUAL_FAULT_LEAPS && codec == WZP_CODEC_OPUS_6K &&
               bps(codec) > bps(it.codec)) {
        codec = WZP_CODEC_OPUS_24K;
    }
    it.due = codec == it.codec ? it.due : 0;
    it.codec = codec;
    it.has_codec = true;
    return codec;
}

/* --- signals ---------------------------------------------------------------------------------- */

static bool is_ignored(const wzp_signal *signal) {
    return (fault == WZP_QUAL_FAULT_DEAF && signal->kind == WZP_SIGNAL_QUALITY_DIRECTIVE) ||
           (fault == WZP_QUAL_FAULT_UNCONFIRMED && signal->kind == WZP_SIGNAL_UPGRADE_CONFIRM) ||
           (fault == WZP_QUAL_FAULT_NO_CAP && signal->kind == WZP_SIGNAL_QUALITY_CAPABILITY) ||
           (fault == WZP_QUAL_FAULT_NO_ANSWER && signal->kind == WZP_SIGNAL_UPGRADE_PROPOSAL);
}

WRAP(void, wzp_pace_signal, wzp_pace *pace, const wzp_signal *signal, wzp_time now) {
    if (is_ignored(signal)) {
        return;
    }
    if (signal->kind == WZP_SIGNAL_TRANSPORT_FEEDBACK && fault == WZP_QUAL_FAULT_DIES_FEEDBACK) {
        wzp_client_fall_silent();
        return;
    }
    if (signal->kind == WZP_SIGNAL_QUALITY_DIRECTIVE && fault == WZP_QUAL_FAULT_FORGETS_CAP) {
        pace->agreement.cap = NULL;
    }
    if (fault == WZP_QUAL_FAULT_SERVILE) {
        pace->cfg.is_fixed = pace->agreement.is_fixed = false;
    }
    __real_wzp_pace_signal(pace, signal, now);
}

WRAP(bool, wzp_pace_next_signal, wzp_pace *pace, wzp_signal *out) {
    const bool any = __real_wzp_pace_next_signal(pace, out);
    if (!any || out->kind != WZP_SIGNAL_UPGRADE_RESPONSE) {
        return any;
    }
    wzp_signal_UpgradeResponse *answer = &out->u.UpgradeResponse;
    if (fault == WZP_QUAL_FAULT_OWN_ID) {
        answer->proposal_id = wzp_bytes_str("p-1");
    } else if (fault == WZP_QUAL_FAULT_FIRST_ID && it.is_first_answered) {
        answer->call_id = wzp_bytes_str(it.call_id);
    } else if (fault == WZP_QUAL_FAULT_FIRST_ID) {
        it.is_first_answered = true;
        memcpy(it.call_id, answer->call_id.data, answer->call_id.len);
    }
    return true;
}

/* --- how they are read ------------------------------------------------------------------------ */

static bool has(wzp_bytes json, const char *text) {
    const size_t len = strlen(text);
    for (size_t i = 0; i + len <= json.len; i++) {
        if (memcmp(json.data + i, text, len) == 0) {
            return true;
        }
    }
    return false;
}

bool wzp_qual_fault_refuses(wzp_bytes json) {
    if (fault == WZP_QUAL_FAULT_HANGS_UP && has(json, "WzpConformance")) {
        wzp_client_fall_silent();
    }
    return false;
}
