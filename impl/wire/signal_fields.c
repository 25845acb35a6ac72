#include "wire/signal_fields.h"

/* codec, fec_ratio, frame_duration_ms, frames_per_block; no video. */
#define AUDIO(codec, ratio, ms, frames)                                                            \
    { codec, ratio, ms, frames, .priority_mode = WZP_PRIORITY_AUDIO_FIRST }

const wzp_quality_profile wzp_profile_good = AUDIO(WZP_CODEC_OPUS_24K, 0.2F, 20, 5);
const wzp_quality_profile wzp_profile_degraded = AUDIO(WZP_CODEC_OPUS_6K, 0.5F, 40, 10);
const wzp_quality_profile wzp_profile_catastrophic = AUDIO(WZP_CODEC_CODEC2_1200, 1.0F, 40, 8);
const wzp_quality_profile wzp_profile_studio_32k = AUDIO(WZP_CODEC_OPUS_32K, 0.1F, 20, 5);
const wzp_quality_profile wzp_profile_studio_48k = AUDIO(WZP_CODEC_OPUS_48K, 0.1F, 20, 5);
const wzp_quality_profile wzp_profile_studio_64k = AUDIO(WZP_CODEC_OPUS_64K, 0.1F, 20, 5);

const wzp_quality_profile *wzp_profile_for_codec(uint8_t codec) {
    static const wzp_quality_profile opus_16k = AUDIO(WZP_CODEC_OPUS_16K, 0.3F, 20, 5);
    static const wzp_quality_profile codec2_3200 = AUDIO(WZP_CODEC_CODEC2_3200, 0.5F, 20, 5);
    static const wzp_quality_profile *const profiles[WZP_CODEC_COUNT] = {
        [WZP_CODEC_OPUS_24K] = &wzp_profile_good,
        [WZP_CODEC_OPUS_16K] = &opus_16k,
        [WZP_CODEC_OPUS_6K] = &wzp_profile_degraded,
        [WZP_CODEC_CODEC2_3200] = &codec2_3200,
        [WZP_CODEC_CODEC2_1200] = &wzp_profile_catastrophic,
        [WZP_CODEC_COMFORT_NOISE] = &wzp_profile_good,
        [WZP_CODEC_OPUS_32K] = &wzp_profile_studio_32k,
        [WZP_CODEC_OPUS_48K] = &wzp_profile_studio_48k,
        [WZP_CODEC_OPUS_64K] = &wzp_profile_studio_64k,
    };
    return codec < WZP_CODEC_COUNT ? profiles[codec] : NULL;
}

const char *const wzp_priority_names[4] = {"AudioFirst", "VideoFirst", "ScreenShare", "Balanced"};
const char *const wzp_accept_names[3] = {"Reject", "AcceptTrusted", "AcceptGeneric"};
const char *const wzp_code_names[WZP_CODE_COUNT] = {"Bitrate",     "PacketRate", "TimestampDrift",
                                                    "PayloadSize", "RateCap",    "Entropy"};
static const char *const hangup_names[] = {
    "Normal", "Busy", "Declined", "Timeout", "Error", "ProtocolVersionMismatch", "PolicyViolation"};

const char *wzp_violation_code_name(wzp_violation_code code) {
    return (unsigned)code < WZP_CODE_COUNT ? wzp_code_names[code] : NULL;
}

const char *wzp_hangup_name(wzp_hangup_kind kind) {
    return (unsigned)kind < WZP_COUNT_OF(hangup_names) ? hangup_names[kind] : NULL;
}

const char *wzp_signal_name(wzp_signal_kind kind) {
    return (unsigned)kind < WZP_SIGNAL_COUNT ? wzp_signal_fields[kind].name : "?";
}

bool wzp_signal_has_no_fields(wzp_signal_kind kind) {
    return wzp_signal_fields[kind].count == 0;
}

#define F(S, kind, field, missing, write)                                                          \
    {#field, WZP_FIELD_##kind, WZP_MISSING_##missing, WZP_WRITE_##write, offsetof(S, field)},

/* An array may not be empty in C11, hence the last element that is not counted. */
#define X(name, variant, list)                                                                     \
    static const wzp_field fields_##variant[] = {                                                  \
        list(F, wzp_signal_##variant){NULL, WZP_FIELD_U8, WZP_MISSING_ZERO, WZP_WRITE_OMIT, 0}};
WZP_SIGNAL_MAP(X)
#undef X

const wzp_fields wzp_signal_fields[WZP_SIGNAL_COUNT] = {
#define X(name, variant, list)                                                                     \
    [WZP_SIGNAL_##name] = {#variant, fields_##variant, WZP_COUNT_OF(fields_##variant) - 1},
    WZP_SIGNAL_MAP(X)
#undef X
};

static const wzp_field profile[] = {WZP_FIELDS_PROFILE(F, wzp_quality_profile)};
static const wzp_field report[] = {WZP_FIELDS_REPORT(F, wzp_quality_report)};
static const wzp_field participant[] = {WZP_FIELDS_PARTICIPANT(F, wzp_room_participant)};
static const wzp_field user[] = {WZP_FIELDS_USER(F, wzp_presence_user)};
static const wzp_field mismatch[] = {WZP_FIELDS_MISMATCH(F, wzp_hangup_reason)};
static const wzp_field policy[] = {WZP_FIELDS_POLICY(F, wzp_hangup_reason)};

#define OBJECT(name, array)                                                                        \
    { name, array, WZP_COUNT_OF(array) }
const wzp_fields wzp_fields_profile = OBJECT("QualityProfile", profile);
const wzp_fields wzp_fields_report = OBJECT("QualityReport", report);
const wzp_fields wzp_fields_participant = OBJECT("RoomParticipant", participant);
const wzp_fields wzp_fields_user = OBJECT("PresenceUser", user);
const wzp_fields wzp_fields_mismatch = OBJECT("ProtocolVersionMismatch", mismatch);
const wzp_fields wzp_fields_policy = OBJECT("PolicyViolation", policy);
