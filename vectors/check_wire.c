/* The kinds of wire.json (wire sheet 16). */
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "crypto/identity.h"
#include "vectors/check.h"
#include "wire/compact.h"
#include "wire/federation.h"
#include "wire/signal.h"
#include "wire/signal_frame.h"
#include "wire/trunk.h"
#include "wire/v1.h"

enum { BUFFER = 70000 };

/* Negative entries name the error; positive ones have none. */
static bool is_expected(wzp_vector_entry *e, wzp_err err) {
    const char *want = wzp_vector_text(e->json, "error");
    return wzp_vector_is_text(e, "error", *want != '\0' ? want : "OK", wzp_err_name(err));
}

static void compare_header(wzp_vector_entry *e, const json_t *want, const wzp_media_hdr *hdr) {
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {{"version", hdr->version},
                  {"flags", hdr->flags},
                  {"media_type", hdr->media_type},
                  {"codec_id", hdr->codec_id},
                  {"stream_id", hdr->stream_id},
                  {"fec_ratio", hdr->fec_ratio},
                  {"seq", hdr->seq},
                  {"timestamp_ms", hdr->timestamp_ms},
                  {"fec_block", hdr->fec_block}};
    for (size_t i = 0; i < WZP_COUNT_OF(fields); i++) {
        if (!wzp_vector_is_uint(e, fields[i].name, wzp_vector_uint(want, fields[i].name),
                                fields[i].value)) {
            return;
        }
    }
    (void)wzp_vector_is_text(e, "media_type_name", wzp_vector_text(want, "media_type_name"),
                             wzp_media_type_name(hdr->media_type));
    (void)wzp_vector_is_text(e, "codec_name", wzp_vector_text(want, "codec_name"),
                             wzp_codec_find(hdr->codec_id)->name);
}

static void compare_report(wzp_vector_entry *e, const json_t *want,
                           const wzp_quality_report *report) {
    (void)wzp_vector_is_uint(e, "loss_pct", wzp_vector_uint(want, "loss_pct"), report->loss_pct);
    (void)wzp_vector_is_uint(e, "rtt_4ms", wzp_vector_uint(want, "rtt_4ms"), report->rtt_4ms);
    (void)wzp_vector_is_uint(e, "jitter_ms", wzp_vector_uint(want, "jitter_ms"), report->jitter_ms);
    (void)wzp_vector_is_uint(e, "bitrate_cap_kbps", wzp_vector_uint(want, "bitrate_cap_kbps"),
                             report->bitrate_cap_kbps);
}

static void compare_packet(wzp_vector_entry *e, const json_t *want, const wzp_media_packet *got) {
    compare_header(e, json_object_get(want, "header"), &got->hdr);
    (void)wzp_vector_is_bytes(e, "payload", wzp_vector_text(want, "payload"), got->payload);
    const json_t *report = json_object_get(want, "quality_report");
    if (json_is_object(report)) {
        compare_report(e, report, &got->report);
    }
}

static void is_rewritten(wzp_vector_entry *e, const uint8_t *buf, const wzp_wr *wr) {
    (void)wzp_vector_is_bytes(e, "written", wzp_vector_text(e->json, "hex"),
                              wzp_bytes_of(buf, wzp_wr_len(wr)));
}

static void check_header(wzp_vector_entry *e) {
    const wzp_bytes input = wzp_vector_hex(e, e->json, "hex");
    wzp_media_hdr hdr;
    wzp_rd rd;
    wzp_rd_init(&rd, input);
    const wzp_err err = wzp_media_hdr_parse(&hdr, &rd);
    if (is_expected(e, err) && err == WZP_OK) {
        uint8_t buf[WZP_MEDIA_HDR_LEN];
        wzp_wr wr;
        wzp_wr_init(&wr, buf, sizeof buf);
        wzp_media_hdr_write(&wr, &hdr);
        compare_header(e, json_object_get(e->json, "fields"), &hdr);
        is_rewritten(e, buf, &wr);
    }
    free(wzp_drop_const(input.data));
}

static void check_packet(wzp_vector_entry *e) {
    const wzp_bytes input = wzp_vector_hex(e, e->json, "hex");
    wzp_media_packet packet;
    const wzp_err err = wzp_media_packet_parse(&packet, input, NULL);
    if (is_expected(e, err) && err == WZP_OK) {
        uint8_t buf[2048];
        wzp_wr wr;
        wzp_wr_init(&wr, buf, sizeof buf);
        wzp_media_packet_write(&wr, &packet);
        compare_packet(e, json_object_get(e->json, "fields"), &packet);
        is_rewritten(e, buf, &wr);
    }
    free(wzp_drop_const(input.data));
}

static void check_report(wzp_vector_entry *e) {
    const wzp_bytes input = wzp_vector_hex(e, e->json, "hex");
    wzp_quality_report report;
    wzp_rd rd;
    wzp_rd_init(&rd, input);
    const wzp_err err = wzp_quality_report_parse(&report, &rd);
    if (is_expected(e, err) && err == WZP_OK) {
        compare_report(e, json_object_get(e->json, "fields"), &report);
    }
    free(wzp_drop_const(input.data));
}

static void check_mini(wzp_vector_entry *e) {
    const wzp_bytes input = wzp_vector_hex(e, e->json, "hex");
    wzp_mini_hdr mini;
    wzp_rd rd;
    wzp_rd_init(&rd, input);
    const wzp_err err = wzp_mini_hdr_parse(&mini, &rd);
    if (is_expected(e, err) && err == WZP_OK) {
        const json_t *want = json_object_get(e->json, "fields");
        uint8_t buf[WZP_MINI_HDR_LEN];
        wzp_wr wr;
        wzp_wr_init(&wr, buf, sizeof buf);
        wzp_mini_hdr_write(&wr, &mini);
        (void)wzp_vector_is_uint(e, "seq_delta", wzp_vector_uint(want, "seq_delta"),
                                 mini.seq_delta);
        (void)wzp_vector_is_uint(e, "timestamp_delta_ms",
                                 wzp_vector_uint(want, "timestamp_delta_ms"),
                                 mini.timestamp_delta_ms);
        (void)wzp_vector_is_uint(e, "payload_len", wzp_vector_uint(want, "payload_len"),
                                 mini.payload_len);
        is_rewritten(e, buf, &wr);
    }
    free(wzp_drop_const(input.data));
}

static void check_compact_frame(wzp_vector_entry *e) {
    const wzp_bytes input = wzp_vector_hex(e, e->json, "hex");
    wzp_compact context;
    wzp_media_packet packet;
    wzp_compact_init(&context);
    (void)is_expected(e, wzp_compact_decode(&context, input, &packet, NULL));
    free(wzp_drop_const(input.data));
}

static void check_compact_sequence(wzp_vector_entry *e) {
    const json_t *fields = json_object_get(e->json, "fields");
    const json_t *frames = json_object_get(fields, "frames");
    const json_t *expect = json_object_get(fields, "expect");
    wzp_compact context;
    wzp_compact_init(&context);
    for (size_t i = 0; i < json_array_size(frames) && !e->done; i++) {
        const char *hex = json_string_value(json_array_get(frames, i));
        const json_t *want = json_array_get(expect, i);
        uint8_t buf[2048];
        wzp_media_packet packet;
        const size_t len = hex != NULL ? strlen(hex) / 2 : 0;
        if (hex == NULL || len > sizeof buf ||
            wzp_hex_parse(buf, len, hex, strlen(hex), NULL) != WZP_OK) {
            wzp_vector_mismatch(e, "frames", "hexadecimal text", hex != NULL ? hex : "");
            return;
        }
        const wzp_err err = wzp_compact_decode(&context, wzp_bytes_of(buf, len), &packet, NULL);
        const char *error = wzp_vector_text(want, "error");
        if (wzp_vector_is_text(e, "error", *error != '\0' ? error : "OK", wzp_err_name(err)) &&
            err == WZP_OK) {
            compare_packet(e, want, &packet);
        }
    }
}

static void check_trunk(wzp_vector_entry *e) {
    const wzp_bytes input = wzp_vector_hex(e, e->json, "hex");
    const json_t *fields = json_object_get(e->json, "fields");
    const json_t *entries = json_object_get(fields, "entries");
    wzp_rd rd;
    uint16_t count = 0;
    const wzp_err err = wzp_trunk_parse(&rd, input, &count);
    if (is_expected(e, err) && err == WZP_OK) {
        (void)wzp_vector_is_uint(e, "count", wzp_vector_uint(fields, "count"), count);
        for (size_t i = 0; i < count && !e->done; i++) {
            const json_t *want = json_array_get(entries, i);
            wzp_trunk_entry entry;
            wzp_trunk_next(&rd, &entry);
            (void)wzp_vector_is_bytes(e, "session_id", wzp_vector_text(want, "session_id"),
                                      wzp_bytes_of(entry.session_id, 2));
            (void)wzp_vector_is_bytes(e, "payload", wzp_vector_text(want, "payload"),
                                      entry.payload);
        }
        (void)wzp_vector_is_uint(e, "trailing_bytes", wzp_vector_uint(fields, "trailing_bytes"),
                                 wzp_rd_left(&rd));
    }
    free(wzp_drop_const(input.data));
}

static void check_federation(wzp_vector_entry *e) {
    const wzp_bytes input = wzp_vector_hex(e, e->json, "hex");
    const json_t *fields = json_object_get(e->json, "fields");
    wzp_federation_datagram datagram;
    const wzp_err err = wzp_federation_parse(&datagram, input, NULL);
    if (is_expected(e, err) && err == WZP_OK) {
        uint8_t hash[WZP_ROOM_HASH_LEN];
        wzp_room_hash(hash, wzp_bytes_str(wzp_vector_text(fields, "room")));
        (void)wzp_vector_is_bytes(e, "room_hash", wzp_vector_text(fields, "room_hash"),
                                  wzp_bytes_of(datagram.room_hash, sizeof datagram.room_hash));
        (void)wzp_vector_is_bytes(e, "hash of room", wzp_vector_text(fields, "room_hash"),
                                  wzp_bytes_of(hash, sizeof hash));
        compare_packet(e, json_object_get(fields, "packet"), &datagram.packet);
    }
    free(wzp_drop_const(input.data));
}

static void check_v1(wzp_vector_entry *e) {
    const wzp_bytes input = wzp_vector_hex(e, e->json, "hex");
    const json_t *want = json_object_get(e->json, "fields");
    wzp_v1_hdr hdr;
    wzp_rd rd;
    wzp_rd_init(&rd, input);
    if (is_expected(e, wzp_v1_hdr_parse(&hdr, &rd))) {
        const struct {
            const char *name;
            uint64_t value;
        } fields[] = {{"version", hdr.version}, {"repair", hdr.repair},     {"codec", hdr.codec_id},
                      {"q", hdr.quality},       {"fec", hdr.fec_ratio_raw}, {"seq", hdr.seq},
                      {"ts", hdr.timestamp_ms}, {"blk", hdr.fec_block},     {"sym", hdr.fec_symbol},
                      {"res", hdr.reserved},    {"csrc", hdr.csrc_count}};
        for (size_t i = 0; i < WZP_COUNT_OF(fields); i++) {
            (void)wzp_vector_is_uint(e, fields[i].name, wzp_vector_uint(want, fields[i].name),
                                     fields[i].value);
        }
        wzp_media_packet packet;
        const wzp_err as_v2 = wzp_media_packet_parse(&packet, input, NULL);
        (void)wzp_vector_is_text(e, "as_v2", wzp_vector_text(e->json, "as_v2"),
                                 as_v2 == WZP_OK ? "ACCEPTED" : wzp_err_name(as_v2));
    }
    free(wzp_drop_const(input.data));
}

/* Parses the stream strictly and writes the message again. */
static wzp_err reencode(wzp_bytes stream, char *out, size_t cap) {
    static const wzp_signal_opts strict = {.strict = true};
    wzp_bytes json;
    wzp_signal *signal = NULL;
    wzp_err err = wzp_signal_frame_parse(&json, stream, NULL);
    if (err == WZP_OK) {
        err = wzp_signal_parse(&signal, json, &strict, NULL);
    }
    if (err == WZP_OK) {
        wzp_wr wr;
        wzp_wr_init(&wr, (uint8_t *)out, cap - 1);
        wzp_signal_write(&wr, signal);
        out[wzp_wr_len(&wr)] = '\0';
        err = wzp_wr_end(&wr);
    }
    wzp_signal_free(&signal);
    return err;
}

static void check_signal(wzp_vector_entry *e) {
    const wzp_bytes input = wzp_vector_hex(e, e->json, "hex");
    const json_t *fields = json_object_get(e->json, "fields");
    char *text = calloc(1, BUFFER);
    const wzp_err err = text != NULL ? reencode(input, text, BUFFER) : WZP_ERR_NOMEM;
    if (is_expected(e, err) && err == WZP_OK) {
        const bool canonical = strcmp(e->kind, "signal_frame") == 0;
        (void)wzp_vector_is_text(e, canonical ? "json" : "canonical",
                                 wzp_vector_text(fields, canonical ? "json" : "canonical"), text);
    }
    free(text);
    free(wzp_drop_const(input.data));
}

static void check_sni_hash(wzp_vector_entry *e) {
    const json_t *fields = json_object_get(e->json, "fields");
    char text[WZP_ROOM_SNI_LEN + 1];
    wzp_room_sni_hash(text, wzp_bytes_str(wzp_vector_text(fields, "room")));
    (void)wzp_vector_is_text(e, "hash", wzp_vector_text(e->json, "hex"), text);
}

static void check_room_hash(wzp_vector_entry *e) {
    const json_t *fields = json_object_get(e->json, "fields");
    uint8_t hash[WZP_ROOM_HASH_LEN];
    wzp_room_hash(hash, wzp_bytes_str(wzp_vector_text(fields, "room")));
    (void)wzp_vector_is_bytes(e, "hash", wzp_vector_text(e->json, "hex"),
                              wzp_bytes_of(hash, sizeof hash));
}

static void check_tls(wzp_vector_entry *e) {
    const json_t *fields = json_object_get(e->json, "fields");
    const wzp_bytes seed = wzp_vector_hex(e, fields, "seed");
    if (seed.len == 32) {
        wzp_tls_identity tls;
        wzp_tls_identity_from_seed(&tls, seed.data);
        (void)wzp_vector_is_bytes(e, "ed25519_private", wzp_vector_text(e->json, "hex"),
                                  wzp_bytes_of(tls.ed25519_seed, 32));
        (void)wzp_vector_is_bytes(e, "ed25519_public", wzp_vector_text(fields, "ed25519_public"),
                                  wzp_bytes_of(tls.ed25519_pub, 32));
        (void)wzp_vector_is_bytes(e, "cert_der_reconstructed",
                                  wzp_vector_text(fields, "cert_der_reconstructed"),
                                  wzp_bytes_of(tls.cert_der, tls.cert_len));
    }
    free(wzp_drop_const(seed.data));
}

wzp_vector_checker *wzp_vectors_wire_checker(const char *kind) {
    static const struct {
        const char *kind;
        wzp_vector_checker *checker;
    } checkers[] = {{"media_header_v2", check_header},
                    {"media_packet_v2", check_packet},
                    {"media_header_v1", check_v1},
                    {"quality_report", check_report},
                    {"mini_header_v2", check_mini},
                    {"compact_sequence", check_compact_sequence},
                    {"compact_frame", check_compact_frame},
                    {"trunk_frame", check_trunk},
                    {"federation_datagram", check_federation},
                    {"signal_frame", check_signal},
                    {"signal_frame_noncanonical", check_signal},
                    {"sni_room_hash", check_sni_hash},
                    {"federation_room_hash", check_room_hash},
                    {"tls_identity", check_tls}};
    for (size_t i = 0; i < WZP_COUNT_OF(checkers); i++) {
        if (strcmp(checkers[i].kind, kind) == 0) {
            return checkers[i].checker;
        }
    }
    return NULL;
}
