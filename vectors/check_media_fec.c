/* Sections of media.json: forward error correction (media sheet 7, 8). */
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "crypto/crypto.h"
#include "fec/octet.h"
#include "fec/raptorq.h"
#include "fec/receiver.h"
#include "fec/sender.h"
#include "vectors/check.h"
#include "wire/media.h"

enum { SYMBOLS_MAX = 64, SYMBOL_MAX = 256 };

static bool is_ok(wzp_vector_entry *e, wzp_err err) {
    return wzp_vector_is_text(e, "error", "OK", wzp_err_name(err));
}

/* Elements of a list of hexadecimal texts, one behind the other; returns the length of each, 0
 * after a mismatch verdict. */
static size_t read_symbols(wzp_vector_entry *e, const json_t *list, const char *field,
                           uint8_t *out) {
    const size_t n = json_array_size(list);
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        const char *hex = json_string_value(json_array_get(list, i));
        const size_t this_len = hex != NULL ? strlen(hex) / 2 : 0;
        len = i == 0 ? this_len : len;
        if (n > SYMBOLS_MAX || len == 0 || len > SYMBOL_MAX || this_len != len ||
            wzp_hex_parse(out + i * len, len, hex, strlen(hex), NULL) != WZP_OK) {
            wzp_vector_mismatch(e, field, "hexadecimal texts of one length",
                                hex != NULL ? hex : "");
            return 0;
        }
    }
    return len;
}

/* --- blocks ----------------------------------------------------------------------------------- */

typedef struct block {
    const wzp_fec_policy *policy;
    uint8_t frames[SYMBOLS_MAX * SYMBOL_MAX];
    size_t frame_len;
    wzp_fec_sender *sender;
    wzp_fec_receiver *receiver;
} block;

static void compare_source(wzp_vector_entry *e, const json_t *want, block *b, size_t i) {
    const wzp_bytes input = wzp_vector_hex(e, want, "packet_hex");
    const wzp_bytes frame = wzp_bytes_of(b->frames + i * b->frame_len, b->frame_len);
    wzp_media_packet packet;
    uint16_t word = 0;
    if (is_ok(e, wzp_media_packet_parse(&packet, input, NULL)) &&
        is_ok(e, wzp_fec_sender_push(b->sender, frame, false, &word))) {
        (void)wzp_vector_is_uint(e, "fec_block", packet.hdr.fec_block, word);
        (void)wzp_vector_is_uint(e, "fec_ratio", packet.hdr.fec_ratio, b->policy->ratio_percent);
        (void)wzp_vector_is_bytes(
            e, "payload", strrchr(wzp_vector_text(want, "packet_hex"), '\0') - 2 * frame.len,
            packet.payload);
    }
    free(wzp_drop_const(input.data));
}

/* Only repair packets arrive: each lost frame comes back with its number and time. */
static void compare_repair(wzp_vector_entry *e, const json_t *want, block *b) {
    const wzp_bytes header = wzp_vector_hex(e, want, "header_hex");
    uint8_t digest[32];
    wzp_rd rd;
    wzp_media_hdr hdr;
    uint16_t word = 0;
    wzp_bytes payload = {NULL, 0};
    wzp_rd_init(&rd, header);
    if (is_ok(e, wzp_media_hdr_parse(&hdr, &rd)) &&
        wzp_vector_is_uint(e, "repair symbols", 1,
                           wzp_fec_sender_next_repair(b->sender, &word, &payload))) {
        (void)wzp_vector_is_uint(e, "fec_block", hdr.fec_block, word);
        (void)wzp_vector_is_uint(e, "flags", hdr.flags, WZP_MEDIA_REPAIR);
        (void)wzp_vector_is_uint(e, "payload_len", wzp_vector_uint(want, "payload_len"),
                                 payload.len);
        wzp_sha256(digest, payload);
        (void)wzp_vector_is_bytes(e, "payload_sha256", wzp_vector_text(want, "payload_sha256"),
                                  wzp_bytes_of(digest, sizeof digest));
        const wzp_fec_packet packet = {true, hdr.fec_block, hdr.seq, hdr.timestamp_ms, payload};
        const wzp_err err = wzp_fec_receiver_add(b->receiver, &packet, 0);
        (void)is_ok(e, err == WZP_ERR_FEC_DUPLICATE ? WZP_OK : err);
    }
    free(wzp_drop_const(header.data));
}

static void compare_recovered(wzp_vector_entry *e, block *b, const json_t *packets) {
    wzp_fec_frame frame;
    while (!e->done && wzp_fec_receiver_next_frame(b->receiver, &frame)) {
        const json_t *want = json_array_get(packets, frame.index);
        (void)wzp_vector_is_uint(e, "seq", wzp_vector_uint(want, "seq"), frame.seq);
        (void)wzp_vector_is_uint(e, "timestamp", wzp_vector_uint(want, "timestamp"),
                                 frame.timestamp_ms);
        char text[2 * SYMBOL_MAX + 1];
        (void)wzp_hex_write(text,
                            wzp_bytes_of(b->frames + frame.index * b->frame_len, b->frame_len));
        (void)wzp_vector_is_bytes(e, "recovered frame", text, frame.payload);
    }
}

/* The frames of recovery.lost_source_indices do not arrive, all repair packets do. */
static void compare_packets(wzp_vector_entry *e, block *b, const json_t *packets,
                            const json_t *lost) {
    size_t i = 0;
    const json_t *want = NULL;
    bool is_lost[SYMBOLS_MAX] = {false};
    json_array_foreach(lost, i, want) {
        is_lost[(size_t)json_integer_value(want) % SYMBOLS_MAX] = true;
    }
    json_array_foreach(packets, i, want) {
        if (e->done) {
            return;
        }
        if (strcmp(wzp_vector_text(want, "kind"), "repair") == 0) {
            compare_repair(e, want, b);
            compare_recovered(e, b, packets);
            continue;
        }
        compare_source(e, want, b, i);
        const wzp_fec_packet packet = {
            .fec_block = wzp_fec_word((uint8_t)wzp_vector_uint(e->json, "block_id"), (uint8_t)i),
            .seq = (uint32_t)wzp_vector_uint(want, "seq"),
            .timestamp_ms = (uint32_t)wzp_vector_uint(want, "timestamp"),
            .payload = wzp_bytes_of(b->frames + i * b->frame_len, b->frame_len)};
        if (!is_lost[i % SYMBOLS_MAX]) {
            (void)is_ok(e, wzp_fec_receiver_add(b->receiver, &packet, 0));
        }
    }
    wzp_fec_receiver_stats stats;
    wzp_fec_receiver_count(b->receiver, &stats);
    (void)wzp_vector_is_uint(e, "recovered", json_array_size(lost), stats.recovered);
}

static void check_block(wzp_vector_entry *e) {
    static block b;
    const json_t *frames = json_object_get(e->json, "frames_hex");
    const wzp_bytes codec = wzp_bytes_str(wzp_vector_text(e->json, "codec"));
    const int codec_id = wzp_codec_by_name(codec);
    uint8_t symbol[WZP_FEC_SYMBOL_LEN];
    b = (block){.policy = codec_id >= 0 ? wzp_fec_policy_of((uint8_t)codec_id) : NULL};
    if (b.policy == NULL) {
        wzp_vector_mismatch(e, "codec", "a protected one", wzp_vector_text(e->json, "codec"));
        return;
    }
    b.frame_len = read_symbols(e, frames, "frames_hex", b.frames);
    if (b.frame_len == 0) {
        return;
    }
    (void)wzp_vector_is_uint(e, "K", wzp_vector_uint(e->json, "K"), b.policy->source_count);
    (void)wzp_vector_is_uint(e, "frames", b.policy->source_count, json_array_size(frames));
    (void)wzp_fec_symbol_write(symbol, wzp_bytes_of(b.frames, b.frame_len));
    (void)wzp_vector_is_bytes(e, "source_symbol0_hex",
                              wzp_vector_text(e->json, "source_symbol0_hex"),
                              wzp_bytes_of(symbol, sizeof symbol));
    const wzp_fec_sender_cfg sending = {.source_count = b.policy->source_count,
                                        .ratio_percent = b.policy->ratio_percent,
                                        .as_deployed = true};
    const wzp_fec_receiver_cfg receiving = {.policy = *b.policy};
    if (is_ok(e, wzp_fec_sender_new(&b.sender, &sending)) &&
        is_ok(e, wzp_fec_receiver_new(&b.receiver, &receiving)) && !e->done) {
        wzp_fec_sender_resume(b.sender, (uint8_t)wzp_vector_uint(e->json, "block_id"));
        compare_packets(
            e, &b, json_object_get(e->json, "packets"),
            json_object_get(json_object_get(e->json, "recovery"), "lost_source_indices"));
    }
    wzp_fec_sender_free(&b.sender);
    wzp_fec_receiver_free(&b.receiver);
}

/* --- which subsets suffice -------------------------------------------------------------------- */

static bool is_listed(const json_t *list, unsigned subset) {
    size_t i = 0;
    const json_t *entry = NULL;
    json_array_foreach(list, i, entry) {
        unsigned listed = 0;
        size_t k = 0;
        const json_t *index = NULL;
        json_array_foreach(entry, k, index) {
            listed |= 1U << (json_integer_value(index) & 31);
        }
        if (listed == subset) {
            return true;
        }
    }
    return false;
}

static void compare_subsets(wzp_vector_entry *e, wzp_rq_decoder *decoder, const char *field,
                            size_t k, unsigned symbols) {
    const json_t *list = json_object_get(e->json, field);
    static const uint8_t zeros[1] = {0};
    for (unsigned subset = 0; subset < 1U << symbols && !e->done; subset++) {
        if ((size_t)__builtin_popcount(subset) != k || subset == (1U << k) - 1) {
            continue;
        }
        wzp_err err = wzp_rq_decoder_begin(decoder, k, 1);
        for (unsigned esi = 0; esi < symbols && err == WZP_OK; esi++) {
            if ((subset >> esi & 1) != 0) {
                err = wzp_rq_decoder_add(decoder, esi, wzp_bytes_of(zeros, 1));
            }
        }
        err = err == WZP_OK ? wzp_rq_decoder_solve(decoder) : err;
        char name[64];
        (void)snprintf(name, sizeof name, "%s, symbols %x", field, subset);
        (void)wzp_vector_is_text(e, name, is_listed(list, subset) ? "FEC_RANK" : "OK",
                                 wzp_err_name(err));
    }
}

static void check_subsets(wzp_vector_entry *e) {
    const wzp_rq_decoder_cfg cfg = {8, 16, 1};
    wzp_rq_decoder *decoder = NULL;
    if (is_ok(e, wzp_rq_decoder_new(&decoder, &cfg))) {
        compare_subsets(e, decoder, "K5_R3", 5, 8);
        compare_subsets(e, decoder, "K8_R8", 8, 16);
    }
    wzp_rq_decoder_free(&decoder);
}

/* --- rules ------------------------------------------------------------------------------------ */

static unsigned percent(const json_t *object) {
    return wzp_fec_ratio_encode(json_number_value(json_object_get(object, "ratio")));
}

static void check_ratio_byte(wzp_vector_entry *e) {
    (void)wzp_vector_is_uint(e, "byte", wzp_vector_uint(e->json, "byte"), percent(e->json));
}

static void check_repair_count(wzp_vector_entry *e) {
    (void)wzp_vector_is_uint(
        e, "count", wzp_vector_uint(e->json, "count"),
        wzp_fec_repair_count((size_t)wzp_vector_uint(e->json, "K"), percent(e->json)));
}

static void check_expiry(wzp_vector_entry *e) {
    const uint8_t before = (uint8_t)wzp_vector_uint(e->json, "block_id");
    const uint8_t first = (uint8_t)wzp_vector_uint(e->json, "removed_first");
    const uint8_t count = (uint8_t)(wzp_vector_uint(e->json, "removed_last") - first + 1);
    for (unsigned id = 0; id < 256 && !e->done; id++) {
        const bool want = (uint8_t)(id - first) < count;
        char name[16];
        (void)snprintf(name, sizeof name, "id %u", id);
        (void)wzp_vector_is_text(e, name, want ? "removed" : "kept",
                                 wzp_fec_is_expired((uint8_t)id, before) ? "removed" : "kept");
    }
}

static void check_interleave(wzp_vector_entry *e) {
    const json_t *input = json_object_get(e->json, "input");
    const json_t *output = json_object_get(e->json, "output");
    size_t counts[8] = {0};
    wzp_fec_turn turns[64];
    const size_t blocks = json_array_size(input);
    for (size_t i = 0; i < blocks && i < WZP_COUNT_OF(counts); i++) {
        counts[i] = json_array_size(json_array_get(input, i));
    }
    const size_t n = wzp_fec_interleave(counts, blocks < 8 ? blocks : 8, turns, 64);
    (void)wzp_vector_is_uint(e, "output", json_array_size(output), n);
    for (size_t i = 0; i < n && i < 64 && !e->done; i++) {
        const json_t *got = json_array_get(json_array_get(input, turns[i].block), turns[i].symbol);
        const char *want = json_string_value(json_array_get(output, i));
        (void)wzp_vector_is_text(e, "output", want != NULL ? want : "",
                                 got != NULL ? json_string_value(got) : "");
    }
}

/* --- RFC 6330 --------------------------------------------------------------------------------- */

static void check_rand(wzp_vector_entry *e, const json_t *want) {
    const uint32_t m = (uint32_t)wzp_vector_uint(want, "m");
    (void)wzp_vector_is_uint(e, "rand", wzp_vector_uint(want, "value"),
                             m == 0 ? 0
                                    : wzp_rq_rand((uint32_t)wzp_vector_uint(want, "y"),
                                                  (uint32_t)wzp_vector_uint(want, "i"), m));
}

static void check_params(wzp_vector_entry *e, const json_t *want) {
    wzp_rq_params p;
    if (is_ok(e, wzp_rq_params_of(&p, (size_t)wzp_vector_uint(want, "K")))) {
        const uint32_t got[] = {p.kp, p.j, p.s, p.h, p.w, p.l, p.p, p.p1, p.p - p.h, p.b};
        static const char *const keys[] = {"Kprime", "J", "S", "H", "W", "L", "P", "P1", "U", "B"};
        for (size_t i = 0; i < WZP_COUNT_OF(keys); i++) {
            (void)wzp_vector_is_uint(e, keys[i], wzp_vector_uint(want, keys[i]), got[i]);
        }
    }
}

static void check_tuple(wzp_vector_entry *e, const json_t *want) {
    wzp_rq_params p;
    uint32_t columns[WZP_RQ_COLUMNS_MAX];
    const uint32_t x = (uint32_t)wzp_vector_uint(want, "X");
    if (!is_ok(e, wzp_rq_params_of(&p, 10))) {
        return;
    }
    const wzp_rq_tuple t = wzp_rq_tuple_of(&p, x);
    const uint32_t got[] = {t.d, t.a, t.b, t.d1, t.a1, t.b1};
    static const char *const keys[] = {"d", "a", "b", "d1", "a1", "b1"};
    for (size_t i = 0; i < WZP_COUNT_OF(keys); i++) {
        (void)wzp_vector_is_uint(e, keys[i], wzp_vector_uint(want, keys[i]), got[i]);
    }
    const json_t *list = json_object_get(want, "lt_columns");
    const size_t n = wzp_rq_columns(&p, x, columns);
    (void)wzp_vector_is_uint(e, "lt_columns", json_array_size(list), n);
    for (size_t i = 0; i < n && i < json_array_size(list); i++) {
        (void)wzp_vector_is_uint(e, "lt_columns",
                                 (uint64_t)json_integer_value(json_array_get(list, i)), columns[i]);
    }
}

/* Rows of the matrix are checked by what they say of the solution: an encoder's intermediate
 * symbols, of random sources, are a solution of each. */
static void check_matrix(wzp_vector_entry *e, wzp_rq_encoder *encoder, const json_t *rows) {
    for (size_t i = 0; i < json_array_size(rows) && !e->done; i++) {
        const char *hex = json_string_value(json_array_get(rows, i));
        uint8_t row[27];
        if (hex == NULL || wzp_hex_parse(row, sizeof row, hex, strlen(hex), NULL) != WZP_OK) {
            wzp_vector_mismatch(e, "matrix", "27 octets", hex != NULL ? hex : "");
            return;
        }
        uint8_t sum = 0;
        for (size_t c = 0; c < sizeof row; c++) {
            sum ^= wzp_octet_mul(row[c], *wzp_rq_encoder_intermediate(encoder, c).data);
        }
        const uint8_t want = i < 17 ? 0 : (uint8_t)(31 * (i - 17) + 5);
        (void)wzp_vector_is_uint(e, "matrix row times intermediate symbols", want, sum);
    }
}

static void with_encoder(wzp_vector_entry *e, const json_t *rows) {
    wzp_rq_plan *plan = NULL;
    wzp_rq_encoder *encoder = NULL;
    uint8_t sources[10];
    for (size_t i = 0; i < sizeof sources; i++) {
        sources[i] = (uint8_t)(31 * i + 5);
    }
    if (is_ok(e, wzp_rq_plan_new(&plan, sizeof sources)) &&
        is_ok(e, wzp_rq_encoder_new(&encoder, plan, 1)) &&
        is_ok(e, wzp_rq_encoder_load(encoder, sources, 1))) {
        check_matrix(e, encoder, rows);
    }
    wzp_rq_encoder_free(&encoder);
    wzp_rq_plan_free(&plan);
}

static void check_internals(wzp_vector_entry *e) {
    size_t i = 0;
    const json_t *want = NULL;
    json_array_foreach(json_object_get(e->json, "rand"), i, want) {
        check_rand(e, want);
    }
    json_array_foreach(json_object_get(e->json, "params"), i, want) {
        check_params(e, want);
    }
    json_array_foreach(json_object_get(e->json, "tuples_Kprime10"), i, want) {
        check_tuple(e, want);
    }
    with_encoder(e, json_object_get(e->json, "constraint_matrix_Kprime10_rows"));
}

static void compare_code(wzp_vector_entry *e, wzp_rq_encoder *encoder, size_t symbol_len) {
    uint8_t symbol[SYMBOL_MAX];
    size_t i = 0;
    const json_t *text = NULL;
    json_array_foreach(json_object_get(e->json, "intermediate"), i, text) {
        (void)wzp_vector_is_bytes(e, "intermediate", json_string_value(text),
                                  wzp_rq_encoder_intermediate(encoder, i));
    }
    const char *esi = NULL;
    json_t *repair = NULL;
    json_object_foreach(json_object_get(e->json, "repair"), esi, repair) {
        if (is_ok(e, wzp_rq_encoder_symbol(encoder, (uint32_t)strtoul(esi, NULL, 10), symbol,
                                           symbol_len))) {
            (void)wzp_vector_is_bytes(e, "repair", json_string_value(repair),
                                      wzp_bytes_of(symbol, symbol_len));
        }
    }
}

static void check_code(wzp_vector_entry *e) {
    static uint8_t sources[SYMBOLS_MAX * SYMBOL_MAX];
    const json_t *list = json_object_get(e->json, "source");
    const size_t symbol_len = read_symbols(e, list, "source", sources);
    wzp_rq_plan *plan = NULL;
    wzp_rq_encoder *encoder = NULL;
    if (symbol_len > 0 && is_ok(e, wzp_rq_plan_new(&plan, json_array_size(list))) &&
        is_ok(e, wzp_rq_encoder_new(&encoder, plan, symbol_len)) &&
        is_ok(e, wzp_rq_encoder_load(encoder, sources, symbol_len))) {
        compare_code(e, encoder, symbol_len);
    }
    wzp_rq_encoder_free(&encoder);
    wzp_rq_plan_free(&plan);
}

/* Octets of a block with 16 of header and 16 of authentication in each packet. */
static void compare_bandwidth(wzp_vector_entry *e, const char *key, uint8_t codec_id) {
    const json_t *want = json_object_get(e->json, key);
    const wzp_fec_policy *policy = wzp_fec_policy_of(codec_id);
    const size_t k = policy->source_count;
    const size_t repairs = wzp_fec_repair_count(k, policy->ratio_percent);
    (void)wzp_vector_is_uint(e, "block_ms", wzp_vector_uint(want, "block_ms"),
                             k * policy->frame_ms);
    (void)wzp_vector_is_uint(e, "source", wzp_vector_uint(want, "source"),
                             k * (32U + policy->frame_len));
    (void)wzp_vector_is_uint(e, "repair_full", wzp_vector_uint(want, "repair_full"),
                             repairs * (32 + WZP_FEC_SYMBOL_LEN));
    (void)wzp_vector_is_uint(e, "repair_trimmed", wzp_vector_uint(want, "repair_trimmed"),
                             repairs * (32U + WZP_FEC_PREFIX_LEN + policy->frame_len));
}

static void check_bandwidth(wzp_vector_entry *e) {
    compare_bandwidth(e, "codec2_1200", WZP_CODEC_CODEC2_1200);
    compare_bandwidth(e, "codec2_3200", WZP_CODEC_CODEC2_3200);
}

wzp_vector_checker *wzp_vectors_media_fec_checker(const char *section) {
    static const struct {
        const char *section;
        wzp_vector_checker *checker;
    } checkers[] = {{"fec_blocks", check_block},
                    {"fec_undecodable_subsets", check_subsets},
                    {"fec_ratio_byte", check_ratio_byte},
                    {"fec_repair_count", check_repair_count},
                    {"fec_expire_before", check_expiry},
                    {"interleave", check_interleave},
                    {"rfc6330_internals", check_internals},
                    {"rfc6330_small", check_code},
                    {"rfc6330_k1", check_code},
                    {"bandwidth_on_wire", check_bandwidth}};
    for (size_t i = 0; i < WZP_COUNT_OF(checkers); i++) {
        if (strcmp(checkers[i].section, section) == 0) {
            return checkers[i].checker;
        }
    }
    return NULL;
}
