/* Vectors about adaptation: reports, tiers, the controller, estimates (media sheet 1, 4, 5, 9). */
#include <stdio.h>
#include <stdlib.h>

#include "adapt/bwe.h"
#include "adapt/controller.h"
#include "adapt/delay_bwe.h"
#include "adapt/dred_tuner.h"
#include "vectors/check.h"

/* --- reports ---------------------------------------------------------------------------------- */

static bool read_report(wzp_vector_entry *e, const json_t *from, const char *key,
                        wzp_quality_report *out) {
    const wzp_bytes hex = wzp_vector_hex(e, from, key);
    wzp_rd rd;
    wzp_rd_init(&rd, hex);
    const bool ok = wzp_quality_report_parse(out, &rd) == WZP_OK;
    if (!ok) {
        wzp_vector_mismatch(e, key, "a quality report", wzp_vector_text(from, key));
    }
    free(wzp_drop_const(hex.data));
    return ok;
}

static void check_report_encode(wzp_vector_entry *e) {
    const wzp_quality_report report =
        wzp_quality_report_from_path(json_number_value(json_object_get(e->json, "loss_pct")),
                                     (uint32_t)wzp_vector_uint(e->json, "rtt_ms"),
                                     (uint32_t)wzp_vector_uint(e->json, "jitter_ms"));
    uint8_t buf[WZP_QUALITY_REPORT_LEN];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_quality_report_write(&wr, &report);
    (void)wzp_vector_is_bytes(e, "hex", wzp_vector_text(e->json, "hex"),
                              wzp_bytes_of(buf, sizeof buf));
}

static bool is_near(wzp_vector_entry *e, const char *field, const json_t *expected, double actual,
                    double tolerance) {
    char a[32];
    char b[32];
    const double want = json_number_value(expected);
    if (actual >= want - tolerance && actual <= want + tolerance) {
        return true;
    }
    (void)snprintf(a, sizeof a, "%.9g", want);
    (void)snprintf(b, sizeof b, "%.9g", actual);
    wzp_vector_mismatch(e, field, a, b);
    return false;
}

static void check_report_decode(wzp_vector_entry *e) {
    wzp_quality_report report;
    (void)(read_report(e, e->json, "hex", &report) &&
           is_near(e, "loss_percent", json_object_get(e->json, "loss_percent"),
                   report.loss_pct * 100.0 / 255.0, 0.00005) &&
           wzp_vector_is_uint(e, "rtt_ms", wzp_vector_uint(e->json, "rtt_ms"),
                              UINT64_C(4) * report.rtt_4ms) &&
           wzp_vector_is_uint(e, "jitter_ms", wzp_vector_uint(e->json, "jitter_ms"),
                              report.jitter_ms) &&
           wzp_vector_is_uint(e, "bitrate_cap_kbps", wzp_vector_uint(e->json, "bitrate_cap_kbps"),
                              report.bitrate_cap_kbps));
}

static void check_trailer(wzp_vector_entry *e) {
    const wzp_bytes whole = wzp_vector_hex(e, e->json, "packet_hex");
    wzp_media_packet packet;
    uint8_t buf[WZP_MEDIA_HDR_LEN + WZP_QUALITY_REPORT_LEN];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    if (wzp_media_packet_parse(&packet, whole, NULL) != WZP_OK) {
        wzp_vector_mismatch(e, "packet_hex", "a media packet",
                            wzp_vector_text(e->json, "packet_hex"));
    } else {
        wzp_media_hdr_write(&wr, &packet.hdr);
        wzp_quality_report_write(&wr, &packet.report);
        (void)(wzp_vector_is_bytes(e, "header_hex", wzp_vector_text(e->json, "header_hex"),
                                   wzp_bytes_of(buf, WZP_MEDIA_HDR_LEN)) &&
               wzp_vector_is_bytes(e, "payload_hex", wzp_vector_text(e->json, "payload_hex"),
                                   packet.payload) &&
               wzp_vector_is_bytes(e, "report_hex", wzp_vector_text(e->json, "report_hex"),
                                   wzp_bytes_of(buf + WZP_MEDIA_HDR_LEN, WZP_QUALITY_REPORT_LEN)));
    }
    free(wzp_drop_const(whole.data));
}

/* --- tiers ------------------------------------------------------------------------------------ */

/* Where the list of the file changes its mind, and everywhere else. */
static bool check_thresholds_of(wzp_vector_entry *e, const char *list, wzp_network network) {
    const json_t *rows = json_object_get(e->json, list);
    for (unsigned raw = 0; raw <= 0xffff; raw++) {
        const wzp_quality_report report = {(uint8_t)(raw >> 8), (uint8_t)raw, 0, 0};
        const json_t *row = NULL;
        for (size_t i = 0; i < json_array_size(rows); i++) {
            row = json_array_get(rows, i);
            const json_t *loss = json_object_get(row, "loss_raw_ge");
            const json_t *rtt = json_object_get(row, "rtt_raw_ge");
            if ((loss == NULL && rtt == NULL) ||
                (json_is_integer(loss) && report.loss_pct >= json_integer_value(loss)) ||
                (json_is_integer(rtt) && report.rtt_4ms >= json_integer_value(rtt))) {
                break;
            }
        }
        if (!wzp_vector_is_text(e, list, wzp_vector_text(row, "tier"),
                                wzp_tier_name(wzp_tier_classify(&report, network)))) {
            return false;
        }
    }
    return true;
}

static void check_thresholds(wzp_vector_entry *e) {
    (void)(check_thresholds_of(e, "wifi_unknown", WZP_NETWORK_WIFI) &&
           check_thresholds_of(e, "wifi_unknown", WZP_NETWORK_UNKNOWN) &&
           check_thresholds_of(e, "cellular", WZP_NETWORK_CELLULAR_LTE));
}

static void check_classify(wzp_vector_entry *e) {
    wzp_quality_report report;
    (void)(read_report(e, e->json, "report_hex", &report) &&
           wzp_vector_is_text(e, "wifi", wzp_vector_text(e->json, "wifi"),
                              wzp_tier_name(wzp_tier_classify(&report, WZP_NETWORK_WIFI))) &&
           wzp_vector_is_text(e, "cellular", wzp_vector_text(e->json, "cellular"),
                              wzp_tier_name(wzp_tier_classify(&report, WZP_NETWORK_CELLULAR_3G))));
}

static void check_required(wzp_vector_entry *e) {
    for (unsigned i = 0; i < WZP_TIER_COUNT && !e->done; i++) {
        const wzp_tier tier = (wzp_tier)i;
        const json_t *row = json_object_get(e->json, wzp_tier_name(tier));
        (void)(wzp_vector_is_uint(e, "ceiling_bps", wzp_vector_uint(row, "ceiling_bps"),
                                  wzp_tier_total_bps(tier)) &&
               wzp_vector_is_uint(e, "required_bps", wzp_vector_uint(row, "required_bps"),
                                  wzp_tier_required_bps(tier)));
    }
}

/* --- profiles --------------------------------------------------------------------------------- */

static void check_profile_json(wzp_vector_entry *e) {
    static const struct {
        const char *name;
        const wzp_quality_profile *profile;
    } profiles[] = {
        {"GOOD", &wzp_profile_good},
        {"DEGRADED", &wzp_profile_degraded},
        {"CATASTROPHIC", &wzp_profile_catastrophic},
        {"STUDIO_32K", &wzp_profile_studio_32k},
        {"STUDIO_48K", &wzp_profile_studio_48k},
        {"STUDIO_64K", &wzp_profile_studio_64k},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(profiles) && !e->done; i++) {
        uint8_t buf[512];
        wzp_wr wr;
        wzp_wr_init(&wr, buf, sizeof buf - 1);
        wzp_quality_profile_write(&wr, profiles[i].profile);
        buf[wzp_wr_len(&wr)] = '\0';
        (void)wzp_vector_is_text(e, profiles[i].name, wzp_vector_text(e->json, profiles[i].name),
                                 (const char *)buf);
    }
}

static void check_profile_index(wzp_vector_entry *e) {
    enum { NO_SUCH_CODEC = 200 };
    const char *name = NULL;
    json_t *index = NULL;
    json_object_foreach(wzp_drop_const(e->json), name, index) {
        const int codec = wzp_codec_by_name(wzp_bytes_str(name));
        const unsigned actual = strcmp(name, "no_change") == 0
                                    ? WZP_PROFILE_INDEX_NONE
                                    : wzp_profile_index(codec < 0 ? NO_SUCH_CODEC : (uint8_t)codec);
        (void)wzp_vector_is_uint(e, name, (uint64_t)json_integer_value(index), actual);
    }
}

static void check_signal(wzp_vector_entry *e) {
    wzp_signal *signal = NULL;
    char *again = NULL;
    size_t len = 0;
    const char *text = json_string_value(e->json);
    if (text == NULL || wzp_signal_parse(&signal, wzp_bytes_str(text), NULL, NULL) != WZP_OK ||
        wzp_signal_to_json(&again, &len, signal) != WZP_OK) {
        wzp_vector_mismatch(e, "signal", "a known signal", text != NULL ? text : "");
    } else {
        (void)wzp_vector_is_text(e, "signal", text, again);
    }
    free(again);
    wzp_signal_free(&signal);
}

/* --- the controller --------------------------------------------------------------------------- */

static wzp_network network_by_name(const char *name) {
    unsigned i = 0;
    while (i + 1 < WZP_NETWORK_COUNT && strcmp(wzp_network_name((wzp_network)i), name) != 0) {
        i++;
    }
    return (wzp_network)i;
}

static wzp_tier tier_by_name(const char *name) {
    unsigned i = 0;
    while (i + 1 < WZP_TIER_COUNT && strcmp(wzp_tier_name((wzp_tier)i), name) != 0) {
        i++;
    }
    return (wzp_tier)i;
}

static const char *codec_name(const wzp_quality_profile *profile) {
    return profile != NULL ? wzp_codec_find(profile->codec)->name : "";
}

/* Both policies have to give what the file says, but for the report that ends a probe. */
static bool check_event(wzp_vector_entry *e, wzp_controller *c, const json_t *event,
                        uint64_t target_bps) {
    const wzp_time now = 1000 * WZP_S + wzp_vector_uint(event, "t_ms") * WZP_MS;
    const char *network = wzp_vector_text(event, "network_change");
    wzp_quality_report report;
    if (*network != '\0') {
        wzp_controller_network(c, network_by_name(network), now);
        return wzp_vector_is_text(e, "tier_after", wzp_vector_text(event, "tier_after"),
                                  wzp_tier_name(wzp_controller_tier(c)));
    }
    if (!read_report(e, event, "report_hex", &report)) {
        return false;
    }
    const bool was_probing = c->probing;
    const wzp_quality_profile *got = wzp_controller_observe(c, &report, target_bps, now);
    const bool probing = json_is_true(json_object_get(event, "probing"));
    const char *want = wzp_vector_text(event, "returned_profile");
    if (was_probing && !probing && *want == '\0' && c->policy == WZP_ADAPT_REFERENCE) {
        want = codec_name(wzp_tier_profile(wzp_controller_tier(c)));
    }
    return wzp_vector_is_text(e, "returned_profile", want, codec_name(got)) &&
           wzp_vector_is_text(e, "tier_after", wzp_vector_text(event, "tier_after"),
                              wzp_tier_name(wzp_controller_tier(c))) &&
           wzp_vector_is_uint(e, "probing", probing, c->probing);
}

static void check_sequence(wzp_vector_entry *e) {
    static const wzp_adapt_policy policies[] = {WZP_ADAPT_DEPLOYED, WZP_ADAPT_REFERENCE};
    const json_t *target = json_object_get(e->json, "target_send_bps");
    const json_t *events = json_object_get(e->json, "events");
    for (size_t p = 0; p < WZP_COUNT_OF(policies); p++) {
        wzp_controller c;
        wzp_controller_init(&c, policies[p],
                            network_by_name(wzp_vector_text(e->json, "network_context")));
        c.run.tier = tier_by_name(wzp_vector_text(e->json, "start_tier"));
        for (size_t i = 0; i < json_array_size(events) && !e->done; i++) {
            (void)check_event(e, &c, json_array_get(events, i),
                              target != NULL ? (uint64_t)json_integer_value(target)
                                             : WZP_TARGET_UNKNOWN);
        }
    }
}

/* --- DRED ------------------------------------------------------------------------------------- */

static bool check_dred_update(wzp_vector_entry *e, wzp_dred_tuner *tuner, const json_t *update) {
    wzp_dred_setting setting = tuner->last;
    const bool changed =
        wzp_dred_tuner_update(tuner, (float)json_number_value(json_object_get(update, "loss_pct")),
                              (uint32_t)wzp_vector_uint(update, "rtt_ms"),
                              (uint32_t)wzp_vector_uint(update, "jitter_ms"), &setting);
    return wzp_vector_is_uint(e, "changed", json_is_true(json_object_get(update, "changed")),
                              changed) &&
           wzp_vector_is_uint(e, "dred_frames", wzp_vector_uint(update, "dred_frames"),
                              setting.frames) &&
           wzp_vector_is_uint(e, "expected_loss_pct", wzp_vector_uint(update, "expected_loss_pct"),
                              setting.expected_loss_pct) &&
           wzp_vector_is_uint(e, "spike_cooldown", wzp_vector_uint(update, "spike_cooldown"),
                              tuner->cooldown);
}

static void check_dred_tuner(wzp_vector_entry *e) {
    const json_t *updates = json_object_get(e->json, "updates");
    const json_t *initial = json_object_get(e->json, "initial");
    const int codec = wzp_codec_by_name(wzp_bytes_str(wzp_vector_text(e->json, "codec")));
    wzp_dred_tuner tuner;
    wzp_dred_tuner_init(&tuner, WZP_ADAPT_REFERENCE, codec < 0 ? UINT8_MAX : (uint8_t)codec);
    (void)(wzp_vector_is_uint(e, "dred_frames", wzp_vector_uint(initial, "dred_frames"),
                              tuner.last.frames) &&
           wzp_vector_is_uint(e, "expected_loss_pct", wzp_vector_uint(initial, "expected_loss_pct"),
                              tuner.last.expected_loss_pct));
    for (size_t i = 0; i < json_array_size(updates) && !e->done; i++) {
        (void)check_dred_update(e, &tuner, json_array_get(updates, i));
    }
}

/* --- estimates -------------------------------------------------------------------------------- */

static void check_target(wzp_vector_entry *e) {
    const json_t *remb = json_object_get(e->json, "remb_bps");
    wzp_bwe bwe;
    wzp_bwe_init(&bwe, WZP_ADAPT_REFERENCE);
    wzp_bwe_path(&bwe, wzp_vector_uint(e->json, "cwnd_bytes"),
                 (uint32_t)wzp_vector_uint(e->json, "rtt_ms"), 0);
    if (json_is_integer(remb)) {
        wzp_bwe_remb(&bwe, (uint32_t)json_integer_value(remb), 0);
    }
    (void)(wzp_vector_is_uint(e, "cwnd_bps", wzp_vector_uint(e->json, "cwnd_bps"), bwe.cwnd_bps) &&
           wzp_vector_is_uint(e, "target_bps", wzp_vector_uint(e->json, "target_bps"),
                              wzp_bwe_target(&bwe)));
}

static void check_delay_bwe(wzp_vector_entry *e) {
    const json_t *updates = json_object_get(e->json, "updates");
    wzp_delay_bwe bwe;
    wzp_delay_bwe_init(&bwe, json_number_value(json_object_get(e->json, "initial")),
                       json_number_value(json_object_get(e->json, "min")),
                       json_number_value(json_object_get(e->json, "max")));
    for (size_t i = 0; i < json_array_size(updates) && !e->done; i++) {
        const json_t *update = json_array_get(updates, i);
        wzp_delay_bwe_update(&bwe, json_number_value(json_object_get(update, "rtt_ms")),
                             json_number_value(json_object_get(update, "loss_pct")));
        (void)(is_near(e, "estimate_kbps", json_object_get(update, "estimate_kbps"),
                       bwe.estimate_kbps, 1e-8) &&
               wzp_vector_is_text(e, "state", wzp_vector_text(update, "state"),
                                  wzp_path_use_name(bwe.use)));
    }
}

/* Bytes of a block of frames: header, tag and payload, in source packets and in repair packets with
 * whole symbols or with their zeros cut (media sheet 7.6). */
static bool check_block(wzp_vector_entry *e, const char *name, uint8_t codec, size_t frame) {
    enum { AROUND = WZP_MEDIA_HDR_LEN + 16, SYMBOL = 256, LENGTH_PREFIX = 2 };
    const json_t *row = json_object_get(e->json, name);
    const wzp_quality_profile *profile = wzp_profile_for_codec(codec);
    const size_t frames = profile->frames_per_block;
    const size_t repairs =
        (frames * wzp_fec_ratio_encode((double)profile->fec_ratio) + 99) / 100; /* rounded up */
    const size_t source = frames * (AROUND + frame);
    const size_t full = repairs * (AROUND + SYMBOL);
    const size_t trimmed = repairs * (AROUND + LENGTH_PREFIX + frame);
    const size_t ms = frames * profile->frame_duration_ms;
    return wzp_vector_is_uint(e, "block_ms", wzp_vector_uint(row, "block_ms"), ms) &&
           wzp_vector_is_uint(e, "source", wzp_vector_uint(row, "source"), source) &&
           wzp_vector_is_uint(e, "repair_full", wzp_vector_uint(row, "repair_full"), full) &&
           wzp_vector_is_uint(e, "repair_trimmed", wzp_vector_uint(row, "repair_trimmed"),
                              trimmed) &&
           is_near(e, "kbps_full", json_object_get(row, "kbps_full"),
                   (double)(source + full) * 8 / (double)ms, 0.005) &&
           is_near(e, "kbps_trimmed", json_object_get(row, "kbps_trimmed"),
                   (double)(source + trimmed) * 8 / (double)ms, 0.005);
}

static void check_on_wire(wzp_vector_entry *e) {
    (void)(check_block(e, "codec2_1200", WZP_CODEC_CODEC2_1200, 6) &&
           check_block(e, "codec2_3200", WZP_CODEC_CODEC2_3200, 8));
}

wzp_vector_checker *wzp_vectors_media_adapt_checker(const char *section) {
    static const struct {
        const char *section;
        wzp_vector_checker *checker;
    } checkers[] = {
        {"quality_report_encode", check_report_encode},
        {"quality_report_decode", check_report_decode},
        {"packet_with_quality_trailer", check_trailer},
        {"tier_integer_thresholds", check_thresholds},
        {"tier_classify", check_classify},
        {"controller_sequences", check_sequence},
        {"bwe_guard_required_bps", check_required},
        {"profile_index", check_profile_index},
        {"quality_profile_json", check_profile_json},
        {"signals_json", check_signal},
        {"dred_tuner", check_dred_tuner},
        {"target_send_bps", check_target},
        {"bandwidth_gcc", check_delay_bwe},
        {"bandwidth_on_wire", check_on_wire},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(checkers); i++) {
        if (strcmp(checkers[i].section, section) == 0) {
            return checkers[i].checker;
        }
    }
    return NULL;
}
