/* wzp-vectors holds each entry of wire.json to its fields.  Here the positive entries are seeds:
 * cut short, bent, and changed field by field, they meet the rules of wire sheet 5 and 6. */
#include <jansson.h>
#include <stdio.h>

#include "base/rng.h"
#include "wire/compact.h"
#include "wire/federation.h"
#include "wire/signal.h"
#include "wire/signal_frame.h"
#include "wire/testing/bytes.h"
#include "wire/trunk.h"
#include "wire/v1.h"

static json_t *vectors;

static void load(void) {
    json_error_t error;
    vectors = json_load_file(WZP_VECTORS_DIR "/wire.json", 0, &error);
    ck_assert_msg(vectors != NULL, "wire.json:%d: %s", error.line, error.text);
}

static void unload(void) {
    json_decref(vectors);
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* How each kind of datagram is parsed from an exact copy of the bytes. */
typedef wzp_err parse_datagram(wzp_bytes bytes);

static wzp_err parse_header(wzp_bytes bytes) {
    wzp_media_hdr hdr;
    wzp_rd rd;
    wzp_rd_init(&rd, bytes);
    return wzp_media_hdr_parse(&hdr, &rd);
}

static wzp_err parse_packet(wzp_bytes bytes) {
    wzp_media_packet packet;
    return wzp_media_packet_parse(&packet, bytes, NULL);
}

static wzp_err parse_report(wzp_bytes bytes) {
    wzp_quality_report report;
    wzp_rd rd;
    wzp_rd_init(&rd, bytes);
    return wzp_quality_report_parse(&report, &rd);
}

static wzp_err parse_mini(wzp_bytes bytes) {
    wzp_mini_hdr mini;
    wzp_rd rd;
    wzp_rd_init(&rd, bytes);
    return wzp_mini_hdr_parse(&mini, &rd);
}

static wzp_err parse_compact(wzp_bytes bytes) {
    wzp_compact context = {.has_baseline = true};
    wzp_media_packet packet;
    return wzp_compact_decode(&context, bytes, &packet, NULL);
}

static wzp_err parse_trunk(wzp_bytes bytes) {
    wzp_rd rd;
    uint16_t count;
    return wzp_trunk_parse(&rd, bytes, &count);
}

static wzp_err parse_federation(wzp_bytes bytes) {
    wzp_federation_datagram datagram;
    return wzp_federation_parse(&datagram, bytes, NULL);
}

static wzp_err parse_v1(wzp_bytes bytes) {
    wzp_v1_hdr hdr;
    wzp_rd rd;
    wzp_rd_init(&rd, bytes);
    return wzp_v1_hdr_parse(&hdr, &rd);
}

static parse_datagram *parser_of(const char *kind) {
    static const struct {
        const char *kind;
        parse_datagram *parse;
    } parsers[] = {{"media_header_v2", parse_header},         {"media_packet_v2", parse_packet},
                   {"quality_report", parse_report},          {"mini_header_v2", parse_mini},
                   {"compact_frame", parse_compact},          {"trunk_frame", parse_trunk},
                   {"federation_datagram", parse_federation}, {"media_header_v1", parse_v1}};
    for (size_t i = 0; i < WZP_COUNT_OF(parsers); i++) {
        if (strcmp(parsers[i].kind, kind) == 0) {
            return parsers[i].parse;
        }
    }
    return NULL;
}

static wzp_err parse_copy(parse_datagram *parse, const uint8_t *data, size_t len) {
    uint8_t *copy = exact(data, len);
    const wzp_err err = parse(wzp_bytes_of(copy, len));
    free(copy);
    return err;
}

/* A cut never turns a good datagram into another error than a short one. */
static void cut(parse_datagram *parse, wzp_bytes whole, const char *id) {
    bool was_ok = false;
    for (size_t len = 0; len <= whole.len; len++) {
        const wzp_err err = parse_copy(parse, whole.data, len);
        ck_assert_msg(err == WZP_OK || err == WZP_ERR_TRUNCATED ||
                          err == WZP_ERR_FEDERATION_SHORT || err == WZP_ERR_QUALITY_TRUNCATED ||
                          err == WZP_ERR_MINI_LENGTH,
                      "%s cut to %zu: %s", id, len, wzp_err_name(err));
        ck_assert_msg(!was_ok || err == WZP_OK, "%s: longer than %zu fails", id, len);
        was_ok = err == WZP_OK;
    }
    ck_assert_msg(was_ok, "%s", id);
}

static void bend(parse_datagram *parse, wzp_bytes whole, wzp_rng rng) {
    uint8_t bytes[512];
    for (int i = 0; i < 500 && whole.len > 0; i++) {
        memcpy(bytes, whole.data, whole.len);
        for (uint64_t n = wzp_rng_below(rng, 4); n > 0; n--) {
            bytes[wzp_rng_below(rng, whole.len)] = (uint8_t)wzp_rng_u64(rng);
        }
        (void)parse_copy(parse, bytes, (size_t)wzp_rng_below(rng, whole.len + 1));
    }
}

START_TEST(datagrams_cut_and_bent) {
    wzp_prng prng;
    wzp_prng_init(&prng, 6, "vectors_test");
    unsigned used = 0;
    size_t i;
    json_t *entry;
    json_array_foreach(vectors, i, entry) {
        parse_datagram *parse = parser_of(text_of(entry, "kind"));
        if (parse == NULL) {
            continue;
        }
        uint8_t buf[512];
        const wzp_bytes whole = unhex(buf, sizeof buf, text_of(entry, "hex"));
        const char *error = text_of(entry, "error");
        if (*error == '\0') {
            cut(parse, whole, text_of(entry, "id"));
        }
        bend(parse, whole, wzp_prng_rng(&prng));
        used++;
    }
    ck_assert_uint_gt(used, 90);
}
END_TEST

static const wzp_signal_opts strict = {.strict = true};

static char *rewrite(wzp_bytes json, const wzp_signal_opts *opts, wzp_fail *fail) {
    uint8_t *copy = exact(json.data, json.len);
    wzp_signal *signal = NULL;
    char *text = NULL;
    size_t len;
    if (wzp_signal_parse(&signal, wzp_bytes_of(copy, json.len), opts, fail) == WZP_OK) {
        ck_assert(wzp_signal_to_json(&text, &len, signal) == WZP_OK);
    }
    wzp_signal_free(&signal);
    free(copy);
    return text;
}

/* Calls `check` with the JSON of each canonical signal. */
static void each_signal(void (*check)(const char *json)) {
    size_t i;
    json_t *entry;
    unsigned used = 0;
    json_array_foreach(vectors, i, entry) {
        const char *json = text_of(json_object_get(entry, "fields"), "json");
        if (strcmp(text_of(entry, "kind"), "signal_frame") == 0 && *json != '\0') {
            check(json);
            used++;
        }
    }
    ck_assert_uint_gt(used, 50);
}

static void is_fixpoint(const char *json) {
    const wzp_signal_opts *const opts[] = {&strict, NULL};
    for (size_t i = 0; i < WZP_COUNT_OF(opts); i++) {
        wzp_fail fail = {0};
        char *got = rewrite(wzp_bytes_str(json), opts[i], &fail);
        ck_assert_msg(got != NULL, "%s at %zu of %s", fail.field, fail.offset, json);
        ck_assert_str_eq(got, json);
        free(got);
    }
}

static void is_refused_when_cut(const char *json) {
    for (size_t len = 0; len < strlen(json); len++) {
        wzp_fail fail = {0};
        char *got = rewrite(wzp_bytes_of(json, len), NULL, &fail);
        ck_assert_msg(got == NULL, "%.*s", (int)len, json);
        ck_assert_ptr_nonnull(fail.field);
        ck_assert_uint_le(fail.offset, len);
    }
}

/* What a bent message still says is said again in canonical form, and that form is stable. */
static void survives_bending(const char *json) {
    static const char alphabet[] = "\"\\{}[],:0123456789-.eEntfu \n\xff\xc3";
    wzp_prng prng;
    const size_t len = strlen(json);
    wzp_prng_init(&prng, len, json);
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (int i = 0; i < 300; i++) {
        uint8_t *bent = exact(wzp_bytes_str(json).data, len);
        for (uint64_t n = 1 + wzp_rng_below(rng, 3); n > 0; n--) {
            bent[wzp_rng_below(rng, len)] =
                (uint8_t)alphabet[wzp_rng_below(rng, sizeof alphabet - 1)];
        }
        char *once = rewrite(wzp_bytes_of(bent, len), NULL, NULL);
        if (once != NULL) {
            char *twice = rewrite(wzp_bytes_str(once), NULL, NULL);
            ck_assert_msg(twice != NULL && strcmp(once, twice) == 0, "%s", once);
            free(twice);
        }
        free(once);
        free(bent);
    }
}

START_TEST(canonical_signals_are_fixpoints) {
    each_signal(is_fixpoint);
}
END_TEST

START_TEST(cut_signals_are_refused) {
    each_signal(is_refused_when_cut);
}
END_TEST

START_TEST(bent_signals) {
    each_signal(survives_bending);
}
END_TEST

/* The fields of a struct variant, or NULL for the bare string. */
static json_t *body_of(json_t *message) {
    return json_is_object(message) ? json_object_iter_value(json_object_iter(message)) : NULL;
}

static void ignores_unknown_fields(const char *json) {
    json_t *message = json_loads(json, JSON_DECODE_ANY, NULL);
    json_t *body = body_of(message);
    if (body != NULL) {
        json_object_set_new(body, "zz_new", json_pack("{s:[i,n,{}],s:f}", "a", 1, "b", 1e300));
        char *text = json_dumps(message, JSON_COMPACT);
        char *got = rewrite(wzp_bytes_str(text), &strict, NULL);
        ck_assert_str_eq(got, json);
        free(got);
        free(text);
    }
    json_decref(message);
}

static void takes_any_order(const char *json) {
    json_t *message = json_loads(json, JSON_DECODE_ANY, NULL);
    char *sorted = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    char *got = rewrite(wzp_bytes_str(sorted), &strict, NULL);
    ck_assert_str_eq(got, json);
    free(got);
    free(sorted);
    json_decref(message);
}

/* The fields of the sheet that a message may leave out; all others are missed by name. */
static bool may_be_missing(const char *variant, const char *field) {
    static const char *const fields[] = {"version",
                                         "alias",
                                         "protocol_version",
                                         "supported_versions",
                                         "video_codecs",
                                         "video_codec",
                                         "dred_reconstructions",
                                         "classical_plc_invocations",
                                         "frames_decoded",
                                         "available_relays",
                                         "relay_build",
                                         "relay_region",
                                         "error",
                                         "caller_alias",
                                         "caller_reflexive_addr",
                                         "caller_local_addrs",
                                         "caller_mapped_addr",
                                         "caller_build_version",
                                         "callee_reflexive_addr",
                                         "callee_local_addrs",
                                         "callee_mapped_addr",
                                         "callee_build_version",
                                         "peer_direct_addr",
                                         "peer_local_addrs",
                                         "peer_mapped_addr",
                                         "race_winner",
                                         "reflexive_addr",
                                         "local_addrs",
                                         "mapped_addr",
                                         "local_loss_pct",
                                         "local_rtt_ms",
                                         "loss_pct",
                                         "rtt_ms"};
    static const char *const in[][2] = {{"Hangup", "call_id"},
                                        {"Transfer", "relay_addr"},
                                        {"GlobalRoomActive", "participants"},
                                        {"DirectCallAnswer", "identity_pub"},
                                        {"DirectCallAnswer", "ephemeral_pub"},
                                        {"DirectCallAnswer", "signature"},
                                        {"DirectCallAnswer", "chosen_profile"},
                                        {"QualityDirective", "reason"},
                                        {"UpgradeResponse", "reason"}};
    for (size_t i = 0; i < WZP_COUNT_OF(fields); i++) {
        if (strcmp(fields[i], field) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < WZP_COUNT_OF(in); i++) {
        if (strcmp(in[i][0], variant) == 0 && strcmp(in[i][1], field) == 0) {
            return true;
        }
    }
    return false;
}

static void misses_what_is_required(const char *json) {
    json_t *message = json_loads(json, JSON_DECODE_ANY, NULL);
    json_t *body = body_of(message);
    const char *field;
    void *next;
    json_t *value;
    json_object_foreach_safe(body, next, field, value) {
        const char *variant = json_object_iter_key(json_object_iter(message));
        json_t *without = json_deep_copy(message);
        (void)json_object_del(body_of(without), field);
        char *text = json_dumps(without, JSON_COMPACT);
        wzp_fail fail = {0};
        char *got = rewrite(wzp_bytes_str(text), &strict, &fail);
        ck_assert_msg((got != NULL) == may_be_missing(variant, field), "%s", text);
        ck_assert_msg(got != NULL || strcmp(fail.field, field) == 0, "%s: %s", text, fail.field);
        free(got);
        free(text);
        json_decref(without);
    }
    json_decref(message);
}

/* {"Variant":{"field":value,...}} with each field once more at the end. */
static void refuses_duplicates(const char *json) {
    json_t *message = json_loads(json, JSON_DECODE_ANY, NULL);
    const char *field;
    json_t *value;
    json_object_foreach(body_of(message), field, value) {
        char *again = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        const size_t len = strlen(json) + strlen(field) + strlen(again) + 8;
        char *text = malloc(len);
        (void)snprintf(text, len, "%.*s,\"%s\":%s}}", (int)strlen(json) - 2, json, field, again);
        wzp_fail fail = {0};
        ck_assert_msg(rewrite(wzp_bytes_str(text), NULL, &fail) == NULL, "%s", text);
        ck_assert_str_eq(fail.field, field);
        free(text);
        free(again);
    }
    json_decref(message);
}

/* No field is both a boolean and something else. */
static void refuses_other_types(const char *json) {
    json_t *message = json_loads(json, JSON_DECODE_ANY, NULL);
    json_t *body = body_of(message);
    const char *field;
    void *next;
    json_t *value;
    json_object_foreach_safe(body, next, field, value) {
        json_t *bent = json_deep_copy(message);
        json_t *other = json_is_boolean(value) ? json_integer(1) : json_true();
        json_object_set_new(body_of(bent), field, other);
        char *text = json_dumps(bent, JSON_COMPACT);
        ck_assert_msg(rewrite(wzp_bytes_str(text), NULL, NULL) == NULL, "%s", text);
        free(text);
        json_decref(bent);
    }
    json_decref(message);
}

START_TEST(unknown_fields) {
    each_signal(ignores_unknown_fields);
}
END_TEST

START_TEST(sorted_fields) {
    each_signal(takes_any_order);
}
END_TEST

START_TEST(missing_fields) {
    each_signal(misses_what_is_required);
}
END_TEST

START_TEST(duplicate_fields) {
    each_signal(refuses_duplicates);
}
END_TEST

START_TEST(fields_of_another_type) {
    each_signal(refuses_other_types);
}
END_TEST

/* The list of examples is complete. */
START_TEST(every_variant_has_an_example) {
    bool seen[WZP_SIGNAL_COUNT] = {false};
    size_t i;
    json_t *entry;
    json_array_foreach(vectors, i, entry) {
        const char *variant = text_of(json_object_get(entry, "fields"), "variant");
        for (unsigned kind = 0; kind < WZP_SIGNAL_COUNT; kind++) {
            seen[kind] |= strcmp(variant, wzp_signal_name((wzp_signal_kind)kind)) == 0;
        }
    }
    for (unsigned kind = 0; kind < WZP_SIGNAL_COUNT; kind++) {
        ck_assert_msg(seen[kind], "%s", wzp_signal_name((wzp_signal_kind)kind));
    }
}
END_TEST

/* Refusals of the deployed reader; those that are marked a lenient one takes, and a hangup for an
 * unknown reason is still a hangup. */
START_TEST(negative_signals) {
    size_t i;
    json_t *entry;
    unsigned used = 0;
    json_array_foreach(vectors, i, entry) {
        const char *want = text_of(entry, "error");
        if (strcmp(text_of(entry, "kind"), "signal_frame") != 0 || *want == '\0') {
            continue;
        }
        uint8_t buf[8192];
        const wzp_bytes stream = unhex(buf, sizeof buf, text_of(entry, "hex"));
        wzp_signal *signal = NULL;
        wzp_bytes json;
        wzp_err err = wzp_signal_frame_parse(&json, stream, NULL);
        if (err == WZP_OK) {
            err = wzp_signal_parse(&signal, json, &strict, NULL);
            ck_assert_str_eq(wzp_err_name(err), want);
            const bool hangup =
                strstr(text_of(entry, "note"), "reason given as a string") != NULL ||
                strstr(text_of(entry, "note"), "unknown enum value") != NULL ||
                strstr(text_of(entry, "note"), "unknown ViolationCode") != NULL;
            const bool take = hangup || json_is_true(json_object_get(entry, "lenient_ok"));
            const wzp_err lenient = wzp_signal_parse(&signal, json, NULL, NULL);
            ck_assert_msg((lenient == WZP_OK) == take, "%s", text_of(entry, "id"));
            wzp_signal_free(&signal);
        }
        ck_assert_msg(strcmp(wzp_err_name(err), want) == 0, "%s: %s", text_of(entry, "id"),
                      wzp_err_name(err));
        used++;
    }
    ck_assert_uint_eq(used, 49);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("vectors");
    tcase_add_checked_fixture(tc, load, unload);
    tcase_add_test(tc, datagrams_cut_and_bent);
    tcase_add_test(tc, canonical_signals_are_fixpoints);
    tcase_add_test(tc, cut_signals_are_refused);
    tcase_add_test(tc, bent_signals);
    tcase_add_test(tc, unknown_fields);
    tcase_add_test(tc, sorted_fields);
    tcase_add_test(tc, missing_fields);
    tcase_add_test(tc, duplicate_fields);
    tcase_add_test(tc, fields_of_another_type);
    tcase_add_test(tc, every_variant_has_an_example);
    tcase_add_test(tc, negative_signals);
    return wzp_run_suite("wire vectors", tc);
}
