#include "wire/signal.h"

#include <stdio.h>

#include "wire/signal_frame.h"
#include "wire/testing/bytes.h"

/* A profile as short as it may be, and as it is written. */
#define SHORT                                                                                      \
    "{\"codec\":\"Opus24k\",\"fec_ratio\":1,\"frame_duration_ms\":20,\"frames_per_block\":5}"
#define LONG                                                                                       \
    "{\"codec\":\"Opus24k\",\"fec_ratio\":1.0,\"frame_duration_ms\":20,\"frames_per_block\":5,"    \
    "\"priority_mode\":\"AudioFirst\",\"video_bitrate_kbps\":null,\"video_resolution\":null,"      \
    "\"video_fps\":null}"
#define KEY                                                                                        \
    "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32]"
#define PING "{\"Ping\":{\"version\":1,\"timestamp_ms\":5}}"
#define DIRECTIVE(profile) "{\"QualityDirective\":{\"recommended_profile\":" profile "}}"
#define ANSWER(key)                                                                                \
    "{\"CallAnswer\":{\"identity_pub\":" key ",\"ephemeral_pub\":" KEY                             \
    ",\"signature\":[],\"chosen_profile\":" SHORT "}}"

/* What both readers take, and how it is written again. */
static const struct good_case {
    const char *name, *json, *want;
} good_cases[] = {
    {"white space around", " \t\r\n{ \"Ping\" : { \"timestamp_ms\" : 5 } } ", PING},
    {"any order", "{\"Ping\":{\"timestamp_ms\":5,\"version\":2}}",
     "{\"Ping\":{\"version\":2,\"timestamp_ms\":5}}"},
    {"fields as array", "{\"Ping\":[1,5]}", PING},
    {"defaulted fields missing at the end of an array", "{\"LossRecoveryUpdate\":[1,7]}",
     "{\"LossRecoveryUpdate\":{\"version\":1,\"dred_reconstructions\":7,"
     "\"classical_plc_invocations\":0,\"frames_decoded\":0}}"},
    {"2^64-1", "{\"Ping\":{\"timestamp_ms\":18446744073709551615}}",
     "{\"Ping\":{\"version\":1,\"timestamp_ms\":18446744073709551615}}"},
    {"2^63", "{\"Ping\":{\"timestamp_ms\":9223372036854775808}}",
     "{\"Ping\":{\"version\":1,\"timestamp_ms\":9223372036854775808}}"},
    {"unknown fields of any value", "{\"Hold\":{\"a\":[1,{\"b\":null}],\"c\":1e999,\"a\":\"\"}}",
     "{\"Hold\":{\"version\":1}}"},
    {"escapes in names", "{\"\\u0050ing\":{\"timest\\u0061mp_ms\":5}}", PING},
    {"unit in a map", "{\"Reflect\":null}", "\"Reflect\""},
    {"escape in a unit name", "\"Refl\\u0065ct\"", "\"Reflect\""},
    {"enumeration in a map", "{\"SetPriorityMode\":{\"mode\":{\"Balanced\":null}}}",
     "{\"SetPriorityMode\":{\"version\":1,\"mode\":\"Balanced\"}}"},
    {"reason in a map", "{\"Hangup\":{\"reason\":{\"Busy\":null}}}",
     "{\"Hangup\":{\"version\":1,\"reason\":\"Busy\"}}"},
    {"fields of a reason as array",
     "{\"Hangup\":{\"reason\":{\"PolicyViolation\":[\"Entropy\",\"x\"]}}}",
     "{\"Hangup\":{\"version\":1,\"reason\":{\"PolicyViolation\":{\"code\":\"Entropy\","
     "\"reason\":\"x\"}}}}"},
    {"null for an optional", "{\"Hangup\":{\"reason\":\"Normal\",\"call_id\":null}}",
     "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\"}}"},
    {"short profile, integer for a float", DIRECTIVE(SHORT),
     "{\"QualityDirective\":{\"version\":1,\"recommended_profile\":" LONG "}}"},
    {"profile as array", DIRECTIVE("[\"Opus24k\",1,20,5]"),
     "{\"QualityDirective\":{\"version\":1,\"recommended_profile\":" LONG "}}"},
    {"zero byte in a string", "{\"AuthToken\":{\"token\":\"a\\u0000b\"}}",
     "{\"AuthToken\":{\"version\":1,\"token\":\"a\\u0000b\"}}"},
    {"empty string is present", "{\"Hangup\":{\"reason\":\"Normal\",\"call_id\":\"\"}}",
     "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"\"}}"},
    {"string that is missing is empty",
     "{\"MediaPathReport\":{\"call_id\":\"c\",\"direct_ok\":true}}",
     "{\"MediaPathReport\":{\"version\":1,\"call_id\":\"c\",\"direct_ok\":true,"
     "\"race_winner\":\"\"}}"},
    {"empty byte list is present",
     "{\"DirectCallAnswer\":{\"call_id\":\"c\",\"accept_mode\":\"Reject\",\"signature\":[]}}",
     "{\"DirectCallAnswer\":{\"version\":1,\"call_id\":\"c\",\"accept_mode\":\"Reject\","
     "\"signature\":[]}}"},
    {"forward in a forward",
     "{\"FederatedSignalForward\":{\"inner\":{\"FederatedSignalForward\":{\"inner\":\"Reflect\","
     "\"origin_relay_fp\":\"b\"}},\"origin_relay_fp\":\"a\"}}",
     "{\"FederatedSignalForward\":{\"version\":1,\"inner\":{\"FederatedSignalForward\":{"
     "\"version\":1,\"inner\":\"Reflect\",\"origin_relay_fp\":\"b\"}},\"origin_relay_fp\":\"a\"}}"},
    {"defaults of an offer",
     "{\"CallOffer\":{\"identity_pub\":" KEY ",\"ephemeral_pub\":" KEY
     ",\"signature\":[],\"supported_profiles\":[]}}",
     "{\"CallOffer\":{\"version\":1,\"identity_pub\":" KEY ",\"ephemeral_pub\":" KEY
     ",\"signature\":[],\"supported_profiles\":[],\"alias\":null,\"protocol_version\":2,"
     "\"supported_versions\":[2]}}"},
    {"supported_versions may be empty",
     "{\"CallOffer\":{\"identity_pub\":" KEY ",\"ephemeral_pub\":" KEY
     ",\"signature\":[],\"supported_profiles\":[],\"protocol_version\":0,"
     "\"supported_versions\":[],\"video_codecs\":[]}}",
     "{\"CallOffer\":{\"version\":1,\"identity_pub\":" KEY ",\"ephemeral_pub\":" KEY
     ",\"signature\":[],\"supported_profiles\":[],\"alias\":null,\"protocol_version\":0,"
     "\"supported_versions\":[]}}"},
};

static const wzp_signal_opts strict = {.strict = true};

/* Parses an exact copy and writes it again; NULL if it is refused.  free() the result. */
static char *rewrite(wzp_bytes json, const wzp_signal_opts *opts, wzp_fail *fail) {
    uint8_t *copy = exact(json.data, json.len);
    wzp_signal *signal = NULL;
    char *text = NULL;
    size_t len = 0;
    const wzp_err err = wzp_signal_parse(&signal, wzp_bytes_of(copy, json.len), opts, fail);
    free(copy);
    ck_assert((signal != NULL) == (err == WZP_OK));
    if (err == WZP_OK) {
        ck_assert(wzp_signal_to_json(&text, &len, signal) == WZP_OK);
        ck_assert_uint_eq(len, strlen(text));
        wzp_signal_free(&signal);
        ck_assert_ptr_null(signal);
    }
    return text;
}

static void check_good(const struct good_case *c, const wzp_signal_opts *opts) {
    wzp_fail fail = {0};
    char *got = rewrite(wzp_bytes_str(c->json), opts, &fail);
    ck_assert_msg(got != NULL, "%s: %s at %zu", c->name, fail.field, fail.offset);
    ck_assert_msg(strcmp(got, c->want) == 0, "%s: %s", c->name, got);
    free(got);
}

START_TEST(good) {
    check_good(&good_cases[_i], &strict);
    check_good(&good_cases[_i], NULL);
}
END_TEST

START_TEST(prefixes_of_good) {
    const wzp_bytes json = wzp_bytes_str(good_cases[_i].json);
    size_t end = json.len;
    while (json.data[end - 1] == ' ') {
        end--;
    }
    for (size_t len = 0; len < end; len++) {
        ck_assert_ptr_null(rewrite(wzp_bytes_of(json.data, len), NULL, NULL));
    }
}
END_TEST

/* What a lenient reader takes and a strict one does not. */
static const struct good_case lenient_cases[] = {
    {"bare Hold", "\"Hold\"", "{\"Hold\":{\"version\":1}}"},
    {"null body", "{\"Unhold\":null}", "{\"Unhold\":{\"version\":1}}"},
    {"bare Mute", "\"Mute\"", "{\"Mute\":{\"version\":1}}"},
    {"bare Unmute", "\"Unmute\"", "{\"Unmute\":{\"version\":1}}"},
    {"bare TransferAck", "\"TransferAck\"", "{\"TransferAck\":{\"version\":1}}"},
    {"struct Reflect", "{\"Reflect\":{\"version\":1}}", "\"Reflect\""},
    {"empty Reflect", "{\"Reflect\":{}}", "\"Reflect\""},
    {"unknown reason", "{\"Hangup\":{\"reason\":\"Bored\",\"call_id\":\"c\"}}",
     "{\"Hangup\":{\"version\":1,\"reason\":\"Error\",\"call_id\":\"c\"}}"},
    {"unknown reason with a body", "{\"Hangup\":{\"reason\":{\"Bored\":{\"a\":[[]]}}}}",
     "{\"Hangup\":{\"version\":1,\"reason\":\"Error\"}}"},
    {"unknown violation",
     "{\"Hangup\":{\"reason\":{\"PolicyViolation\":{\"code\":\"Speed\",\"reason\":\"x\"}}}}",
     "{\"Hangup\":{\"version\":1,\"reason\":\"Error\"}}"},
    {"unknown video codec",
     "{\"CallOffer\":{\"identity_pub\":" KEY ",\"ephemeral_pub\":" KEY
     ",\"signature\":[],\"supported_profiles\":[],\"video_codecs\":[\"Vp9\",\"Av1Main\",\"H266\"]}"
     "}",
     "{\"CallOffer\":{\"version\":1,\"identity_pub\":" KEY ",\"ephemeral_pub\":" KEY
     ",\"signature\":[],\"supported_profiles\":[],\"alias\":null,\"protocol_version\":2,"
     "\"supported_versions\":[2],\"video_codecs\":[\"Av1Main\"]}}"},
    {"unknown names in profiles",
     "{\"CallOffer\":{\"identity_pub\":" KEY ",\"ephemeral_pub\":" KEY
     ",\"signature\":[],\"supported_profiles\":[{\"codec\":\"Opus256k\",\"x\":[{}]}," SHORT
     ",[\"Opus24k\",1,20,5,\"ChatFirst\"]]}}",
     "{\"CallOffer\":{\"version\":1,\"identity_pub\":" KEY ",\"ephemeral_pub\":" KEY
     ",\"signature\":[],\"supported_profiles\":[" LONG "],\"alias\":null,"
     "\"protocol_version\":2,\"supported_versions\":[2]}}"},
};

START_TEST(lenient) {
    ck_assert_ptr_null(rewrite(wzp_bytes_str(lenient_cases[_i].json), &strict, NULL));
    check_good(&lenient_cases[_i], NULL);
}
END_TEST

static const struct bad_case {
    const char *name, *json, *field;
    size_t offset;
} bad_cases[] = {
    {"empty", "", "variant", 0},
    {"null", "null", "variant", 0},
    {"no variant", "{}", "variant", 0},
    {"array", "[]", "variant", 0},
    {"number", "5", "variant", 0},
    {"unknown unit", " \"Nope\"", "variant", 1},
    {"unknown struct", "{ \"Nope\":{}}", "variant", 2},
    {"wrong case", "{\"ping\":{\"timestamp_ms\":1}}", "variant", 1},
    {"struct as unit", "\"Ping\"", "variant", 0},
    {"field missing", "{\"Ping\":{}}", "timestamp_ms", 10},
    {"array too short", "{\"Ping\":[5]}", "timestamp_ms", 11},
    {"array too long", "{\"Ping\":[1,5,6]}", "Ping", 13},
    {"array empty", "{\"Ping\":[]}", "timestamp_ms", 10},
    {"duplicate", "{\"Ping\":{\"timestamp_ms\":1,\"timestamp_ms\":2}}", "timestamp_ms", 41},
    {"duplicate, once escaped", "{\"Ping\":{\"timestamp_ms\":1,\"timestamp_m\\u0073\":2}}",
     "timestamp_ms", 46},
    {"duplicate version", "{\"Hold\":{\"version\":1,\"version\":1}}", "version", 31},
    {"negative", "{\"Ping\":{\"timestamp_ms\":-1}}", "timestamp_ms", 24},
    {"fraction", "{\"Ping\":{\"timestamp_ms\":1.0}}", "timestamp_ms", 24},
    {"exponent", "{\"Ping\":{\"timestamp_ms\":1e3}}", "timestamp_ms", 24},
    {"string for integer", "{\"Ping\":{\"timestamp_ms\":\"1\"}}", "timestamp_ms", 24},
    {"2^64", "{\"Ping\":{\"timestamp_ms\":18446744073709551616}}", "timestamp_ms", 24},
    {"u8 overflow", "{\"Ping\":{\"version\":256,\"timestamp_ms\":1}}", "version", 19},
    {"null version", "{\"Ping\":{\"version\":null,\"timestamp_ms\":1}}", "version", 19},
    {"null integer", "{\"Ping\":{\"timestamp_ms\":null}}", "timestamp_ms", 24},
    {"text after", "{\"Ping\":{\"timestamp_ms\":1}}x", "end of message", 27},
    {"two variants", "{\"Ping\":{\"timestamp_ms\":1},\"Hold\":{}}", "variant", 27},
    {"byte-order mark", "\xef\xbb\xbf\"Reflect\"", "variant", 0},
    {"invalid UTF-8 in a string", "{\"AuthToken\":{\"token\":\"\xff\"}}", "token", 23},
    {"invalid UTF-8 in a key", "{\"AuthToken\":{\"\xff\":1,\"token\":\"\"}}", "AuthToken", 15},
    {"reason by number", "{\"Hangup\":{\"reason\":5}}", "reason", 20},
    {"reason null", "{\"Hangup\":{\"reason\":null}}", "reason", 20},
    {"31-byte key", ANSWER("[0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0]"),
     "identity_pub", 30},
    {"33-byte key", ANSWER("[0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2]"),
     "identity_pub", 95},
    {"byte 256", ANSWER("[256]"), "identity_pub", 31},
    {"key as text", ANSWER("\"00\""), "identity_pub", 30},
    {"null list", "{\"CandidateUpdate\":{\"call_id\":\"c\",\"local_addrs\":null,\"generation\":0}}",
     "local_addrs", 48},
    {"unknown mode", "{\"SetPriorityMode\":{\"mode\":\"audio_first\"}}", "mode", 27},
    {"mode with a body", "{\"SetPriorityMode\":{\"mode\":{\"Balanced\":{}}}}", "mode", 39},
    {"mode with two names",
     "{\"SetPriorityMode\":{\"mode\":{\"Balanced\":null,\"Balanced\":null}}}", "mode", 44},
    {"unassigned codec", DIRECTIVE("{\"codec\":\"H264Main\",\"fec_ratio\":0.2}"), "codec", 52},
    {"codec by number", DIRECTIVE("{\"codec\":0}"), "codec", 52},
    {"resolution with one side", DIRECTIVE("[\"Opus24k\",1,20,5,\"AudioFirst\",null,[1280],null]"),
     "video_resolution", 79},
    {"resolution with three sides",
     DIRECTIVE("[\"Opus24k\",1,20,5,\"AudioFirst\",null,[1,2,3],null]"), "video_resolution", 84},
    {"profile null", DIRECTIVE("null"), "QualityProfile", 43},
    {"forward of nothing", "{\"FederatedSignalForward\":{\"inner\":null}}", "variant", 35},
    {"ratio past f32", DIRECTIVE("[\"Opus24k\",1e39,20,5]"), "fec_ratio", 54},
    {"ratio past f64", DIRECTIVE("[\"Opus24k\",1e400,20,5]"), "fec_ratio", 54},
    {"ratio as text", DIRECTIVE("[\"Opus24k\",\"1\",20,5]"), "fec_ratio", 54},
};

START_TEST(bad) {
    const struct bad_case *c = &bad_cases[_i];
    wzp_fail fail = {0};
    ck_assert_msg(rewrite(wzp_bytes_str(c->json), NULL, &fail) == NULL, "%s", c->name);
    ck_assert_uint_eq(fail.code, WZP_ERR_SIGNAL_JSON);
    ck_assert_msg(strcmp(fail.field, c->field) == 0, "%s: field %s", c->name, fail.field);
    ck_assert_msg(fail.offset == c->offset, "%s: at %zu", c->name, fail.offset);
}
END_TEST

START_TEST(strict_takes_infinite_numbers) {
    char *got = rewrite(wzp_bytes_str(DIRECTIVE("[\"Opus24k\",1e39,20,5]")), &strict, NULL);
    ck_assert_ptr_nonnull(strstr(got, "\"fec_ratio\":null"));
    free(got);
}
END_TEST

/* {"FederatedSignalForward":{"inner":X,...}} around `core`; two containers each. */
static char *nested(unsigned forwards, const char *core) {
    static const char open[] = "{\"FederatedSignalForward\":{\"inner\":";
    static const char close[] = ",\"origin_relay_fp\":\"\"}}";
    char *text = malloc(forwards * (sizeof open + sizeof close) + strlen(core) + 1);
    char *at = text;
    for (unsigned i = 0; i < forwards; i++) {
        at += sprintf(at, "%s", open);
    }
    at += sprintf(at, "%s", core);
    for (unsigned i = 0; i < forwards; i++) {
        at += sprintf(at, "%s", close);
    }
    return text;
}

START_TEST(depth) {
    static const struct {
        const char *core;
        unsigned forwards;
        bool ok;
    } cases[] = {
        {"{\"Hold\":{}}", 62, true},      /* 126 containers */
        {"\"Reflect\"", 63, true},        /* 126 */
        {"{\"Reflect\":null}", 63, true}, /* 127 */
        {"{\"Hold\":{}}", 63, false},     /* 128 */
        {"\"Reflect\"", 64, false},       {"\"Reflect\"", 20000, false},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        char *text = nested(cases[i].forwards, cases[i].core);
        char *got = rewrite(wzp_bytes_str(text), &strict, NULL);
        ck_assert_msg((got != NULL) == cases[i].ok, "%u of %s", cases[i].forwards, cases[i].core);
        free(got);
        free(text);
    }
}
END_TEST

START_TEST(unknown_value_of_any_depth) {
    enum { LEVELS = 300000 };
    char *text = malloc((size_t)2 * LEVELS + 32);
    size_t len = (size_t)sprintf(text, "{\"Hold\":{\"x\":");
    memset(text + len, '[', LEVELS);
    memset(text + len + LEVELS, ']', LEVELS);
    len += (size_t)2 * LEVELS;
    len += (size_t)sprintf(text + len, "}}");
    char *got = rewrite(wzp_bytes_of(text, len), &strict, NULL);
    ck_assert_str_eq(got, "{\"Hold\":{\"version\":1}}");
    free(got);
    free(text);
}
END_TEST

START_TEST(size_limit) {
    char *text = malloc(WZP_SIGNAL_MAX_LEN + 1);
    memset(text, ' ', WZP_SIGNAL_MAX_LEN + 1);
    put(text, "\"Reflect\"");
    wzp_fail fail;
    char *got = rewrite(wzp_bytes_of(text, WZP_SIGNAL_MAX_LEN), &strict, &fail);
    ck_assert_str_eq(got, "\"Reflect\"");
    free(got);
    ck_assert_ptr_null(rewrite(wzp_bytes_of(text, WZP_SIGNAL_MAX_LEN + 1), &strict, &fail));
    ck_assert_uint_eq(fail.code, WZP_ERR_SIGNAL_TOO_LARGE);
    free(text);
}
END_TEST

/* Long lists grow more than once; their elements stay where they belong. */
START_TEST(long_list) {
    enum { COUNT = 5000 };
    uint32_t seqs[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        seqs[i] = i * UINT32_C(2654435761);
    }
    const wzp_signal nack = {
        .kind = WZP_SIGNAL_NACK, .version = 1, .u.Nack = {.stream_id = 3, .seqs = {seqs, COUNT}}};
    char *text;
    size_t len;
    wzp_signal *got;
    ck_assert(wzp_signal_to_json(&text, &len, &nack) == WZP_OK);
    ck_assert(wzp_signal_parse(&got, wzp_bytes_of(text, len), NULL, NULL) == WZP_OK);
    ck_assert_uint_eq(got->u.Nack.stream_id, 3);
    ck_assert_uint_eq(got->u.Nack.seqs.count, COUNT);
    ck_assert_mem_eq(got->u.Nack.seqs.items, seqs, sizeof seqs);
    wzp_signal_free(&got);
    free(text);
}
END_TEST

START_TEST(values_arrive) {
    static const char json[] =
        "{\"CallOffer\":{\"identity_pub\":" KEY ",\"ephemeral_pub\":" KEY
        ",\"signature\":[7,8],\"supported_profiles\":[{\"codec\":\"Opus6k\",\"fec_ratio\":0.5,"
        "\"frame_duration_ms\":40,\"frames_per_block\":10,\"priority_mode\":\"VideoFirst\","
        "\"video_bitrate_kbps\":1500,\"video_resolution\":[1280,720],\"video_fps\":30}],"
        "\"alias\":\"A\\u0000\",\"protocol_version\":1,\"video_codecs\":[\"H265Main\"]}}";
    wzp_signal *signal;
    ck_assert(wzp_signal_parse(&signal, wzp_bytes_str(json), &strict, NULL) == WZP_OK);
    ck_assert_uint_eq(signal->kind, WZP_SIGNAL_CALL_OFFER);
    ck_assert_uint_eq(signal->version, 1);
    const wzp_signal_CallOffer *offer = &signal->u.CallOffer;
    ck_assert_uint_eq(offer->identity_pub.bytes[31], 32);
    CK_ASSERT_BYTES(wzp_bytes_of(offer->signature.items, offer->signature.count),
                    wzp_bytes_of("\x07\x08", 2));
    ck_assert_uint_eq(offer->supported_profiles.count, 1);
    const wzp_quality_profile *profile = &offer->supported_profiles.items[0];
    ck_assert_uint_eq(profile->codec, WZP_CODEC_OPUS_6K);
    ck_assert(profile->fec_ratio == 0.5F);
    ck_assert_uint_eq(profile->priority_mode, WZP_PRIORITY_VIDEO_FIRST);
    ck_assert_uint_eq(profile->video_bitrate_kbps.value, 1500);
    ck_assert_uint_eq(profile->video_resolution.height, 720);
    ck_assert_uint_eq(profile->video_fps.value, 30);
    ck_assert(offer->alias.present);
    CK_ASSERT_BYTES(offer->alias.value, wzp_bytes_of("A\0", 2));
    ck_assert_uint_eq(offer->protocol_version, 1);
    ck_assert_uint_eq(offer->supported_versions.items[0], 2);
    ck_assert_uint_eq(offer->video_codecs.items[0], WZP_CODEC_H265_MAIN);
    wzp_signal_free(&signal);
    wzp_signal_free(&signal); /* NULL is accepted */
}
END_TEST

static const struct peek_case {
    const char *json, *want;
} peek_cases[] = {
    {"{\"NewThing\":{\"a\":1}}", "NewThing"},
    {"\"Later\"", "Later"},
    {" { \"Ne\\u0077\" :", "New"},
    {"{\"Ping\":{}}", "Ping"},
    {"{\"a\\nb\xc3\xa9 c\":1}", "a?b???c"},
    {"{\"AVeryLongVariantName\":1}", "AVeryLongVaria"}, /* cut to the buffer */
    {"{\"NoColon\"}", ""},
    {"{}", ""},
    {"", ""},
    {"[1]", ""},
    {"\"cut", ""},
};

START_TEST(peek_name) {
    char buf[15];
    ck_assert_str_eq(wzp_signal_peek_name(wzp_bytes_str(peek_cases[_i].json), buf, sizeof buf),
                     peek_cases[_i].want);
}
END_TEST

START_TEST(names) {
    ck_assert_uint_eq(WZP_SIGNAL_COUNT, 48);
    ck_assert_str_eq(wzp_signal_name(WZP_SIGNAL_CALL_OFFER), "CallOffer");
    ck_assert_str_eq(wzp_signal_name(WZP_SIGNAL_PICTURE_LOSS_INDICATION), "PictureLossIndication");
    ck_assert_str_eq(wzp_signal_name(WZP_SIGNAL_COUNT), "?");
    ck_assert_str_eq(wzp_hangup_name(WZP_HANGUP_POLICY_VIOLATION), "PolicyViolation");
    ck_assert_ptr_null(wzp_hangup_name((wzp_hangup_kind)7));
    ck_assert_str_eq(wzp_violation_code_name(WZP_CODE_ENTROPY), "Entropy");
    ck_assert_ptr_null(wzp_violation_code_name(WZP_CODE_COUNT));
}
END_TEST

START_TEST(profiles) {
    static const struct {
        float fec_ratio;
        uint8_t codec, ms, frames;
    } wants[] = {
        {0.2F, WZP_CODEC_OPUS_24K, 20, 5},    {0.5F, WZP_CODEC_OPUS_6K, 40, 10},
        {1.0F, WZP_CODEC_CODEC2_1200, 40, 8}, {0.1F, WZP_CODEC_OPUS_32K, 20, 5},
        {0.1F, WZP_CODEC_OPUS_48K, 20, 5},    {0.1F, WZP_CODEC_OPUS_64K, 20, 5},
        {0.3F, WZP_CODEC_OPUS_16K, 20, 5},    {0.5F, WZP_CODEC_CODEC2_3200, 20, 5},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(wants); i++) {
        const wzp_quality_profile *got = wzp_profile_for_codec(wants[i].codec);
        ck_assert_uint_eq(got->codec, wants[i].codec);
        ck_assert(got->fec_ratio == wants[i].fec_ratio);
        ck_assert_uint_eq(got->frame_duration_ms, wants[i].ms);
        ck_assert_uint_eq(got->frames_per_block, wants[i].frames);
    }
    ck_assert_ptr_eq(wzp_profile_for_codec(WZP_CODEC_COMFORT_NOISE), &wzp_profile_good);
    ck_assert_ptr_null(wzp_profile_for_codec(10));
    ck_assert_ptr_null(wzp_profile_for_codec(WZP_CODEC_AV1_MAIN));
    ck_assert_ptr_null(wzp_profile_for_codec(255));

    char buf[256];
    wzp_wr wr;
    wzp_wr_init(&wr, (uint8_t *)buf, sizeof buf);
    wzp_quality_profile_write(&wr, wzp_profile_for_codec(WZP_CODEC_CODEC2_1200));
    CK_ASSERT_BYTES(wzp_bytes_of(buf, wzp_wr_len(&wr)),
                    wzp_bytes_str("{\"codec\":\"Codec2_1200\",\"fec_ratio\":1.0,"
                                  "\"frame_duration_ms\":40,\"frames_per_block\":8,"
                                  "\"priority_mode\":\"AudioFirst\",\"video_bitrate_kbps\":null,"
                                  "\"video_resolution\":null,\"video_fps\":null}"));
}
END_TEST

START_TEST(writer_reports_overflow) {
    const wzp_signal ping = {.kind = WZP_SIGNAL_PING, .version = 1};
    for (size_t cap = 0; cap < 40; cap++) {
        uint8_t buf[64];
        wzp_wr wr;
        wzp_wr_init(&wr, buf, cap);
        wzp_signal_write(&wr, &ping);
        ck_assert((wzp_wr_end(&wr) == WZP_OK) == (cap >= sizeof PING - 1));
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("signal");
    tcase_add_loop_test(tc, good, 0, WZP_COUNT_OF(good_cases));
    tcase_add_loop_test(tc, prefixes_of_good, 0, WZP_COUNT_OF(good_cases));
    tcase_add_loop_test(tc, lenient, 0, WZP_COUNT_OF(lenient_cases));
    tcase_add_loop_test(tc, bad, 0, WZP_COUNT_OF(bad_cases));
    tcase_add_test(tc, strict_takes_infinite_numbers);
    tcase_add_test(tc, depth);
    tcase_add_test(tc, unknown_value_of_any_depth);
    tcase_add_test(tc, size_limit);
    tcase_add_test(tc, long_list);
    tcase_add_test(tc, values_arrive);
    tcase_add_loop_test(tc, peek_name, 0, WZP_COUNT_OF(peek_cases));
    tcase_add_test(tc, names);
    tcase_add_test(tc, profiles);
    tcase_add_test(tc, writer_reports_overflow);
    return wzp_run_suite("signal", tc);
}
