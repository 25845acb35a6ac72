/* wzp-vectors make: the derived fields of the vector files, computed anew. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "crypto/identity.h"
#include "crypto/mnemonic.h"
#include "vectors/check.h"
#include "wire/media.h"
#include "wire/signal.h"
#include "wire/signal_frame.h"

static void set_hex(json_t *object, const char *key, const void *data, size_t len) {
    char *text = malloc(2 * len + 1);
    if (text != NULL) {
        json_object_set_new(object, key, json_string(wzp_hex_write(text, wzp_bytes_of(data, len))));
        free(text);
    }
}

static void make_header(json_t *entry) {
    const json_t *f = json_object_get(entry, "fields");
    const wzp_media_hdr hdr = {.version = (uint8_t)wzp_vector_uint(f, "version"),
                               .flags = (uint8_t)wzp_vector_uint(f, "flags"),
                               .media_type = (uint8_t)wzp_vector_uint(f, "media_type"),
                               .codec_id = (uint8_t)wzp_vector_uint(f, "codec_id"),
                               .stream_id = (uint8_t)wzp_vector_uint(f, "stream_id"),
                               .fec_ratio = (uint8_t)wzp_vector_uint(f, "fec_ratio"),
                               .seq = (uint32_t)wzp_vector_uint(f, "seq"),
                               .timestamp_ms = (uint32_t)wzp_vector_uint(f, "timestamp_ms"),
                               .fec_block = (uint16_t)wzp_vector_uint(f, "fec_block")};
    uint8_t buf[WZP_MEDIA_HDR_LEN];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_hdr_write(&wr, &hdr);
    set_hex(entry, "hex", buf, sizeof buf);
}

static void make_signal(json_t *entry) {
    json_t *fields = json_object_get(entry, "fields");
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, wzp_bytes_str(wzp_vector_text(fields, "json")), NULL, NULL) !=
        WZP_OK) {
        return; /* left as it is: check will name it */
    }
    enum { CAP = 65536 };
    uint8_t *json = malloc(CAP);
    uint8_t *frame = malloc(CAP);
    wzp_wr wr;
    if (json != NULL && frame != NULL) {
        wzp_wr_init(&wr, json, CAP);
        wzp_signal_write(&wr, signal);
        const wzp_bytes body = wzp_bytes_of(json, wzp_wr_len(&wr));
        json_object_set_new(fields, "json", json_stringn((const char *)body.data, body.len));
        wzp_wr_init(&wr, frame, CAP);
        wzp_signal_frame_write(&wr, body);
        set_hex(entry, "hex", frame, wzp_wr_len(&wr));
    }
    free(json);
    free(frame);
    wzp_signal_free(&signal);
}

static void make_wire(json_t *file) {
    size_t i = 0;
    json_t *entry = NULL;
    json_array_foreach(file, i, entry) {
        const char *kind = wzp_vector_text(entry, "kind");
        if (json_object_get(entry, "error") != NULL) {
            continue; /* negative entries have no derived fields */
        }
        if (strcmp(kind, "media_header_v2") == 0) {
            make_header(entry);
        } else if (strcmp(kind, "signal_frame") == 0) {
            make_signal(entry);
        } else if (strcmp(kind, "sni_room_hash") == 0) {
            char text[WZP_ROOM_SNI_LEN + 1];
            wzp_room_sni_hash(
                text, wzp_bytes_str(wzp_vector_text(json_object_get(entry, "fields"), "room")));
            json_object_set_new(entry, "hex", json_string(text));
        } else if (strcmp(kind, "federation_room_hash") == 0) {
            uint8_t hash[WZP_ROOM_HASH_LEN];
            wzp_room_hash(hash,
                          wzp_bytes_str(wzp_vector_text(json_object_get(entry, "fields"), "room")));
            set_hex(entry, "hex", hash, sizeof hash);
        }
    }
}

static void make_identity(json_t *entry) {
    uint8_t seed[WZP_KEY_LEN];
    wzp_identity id;
    const char *text = wzp_vector_text(entry, "seed");
    if (wzp_hex_parse(seed, sizeof seed, text, strlen(text), NULL) != WZP_OK) {
        return;
    }
    wzp_identity_from_seed(&id, seed);
    set_hex(entry, "ed25519_seed", id.ed25519_seed, 32);
    set_hex(entry, "ed25519_pub", id.ed25519_pub, 32);
    set_hex(entry, "x25519_scalar_unclamped", id.x25519_scalar, 32);
    set_hex(entry, "x25519_pub", id.x25519_pub, 32);
    json_object_set_new(entry, "fingerprint_printed", json_string(id.fingerprint));
}

static void make_mnemonic(json_t *entry) {
    uint8_t seed[WZP_KEY_LEN];
    char words[WZP_MNEMONIC_MAX];
    const char *text = wzp_vector_text(entry, "seed");
    if (wzp_hex_parse(seed, sizeof seed, text, strlen(text), NULL) == WZP_OK) {
        wzp_mnemonic_write(words, seed);
        json_object_set_new(entry, "mnemonic", json_string(words));
    }
}

static void make_crypto(json_t *file) {
    size_t i = 0;
    json_t *entry = NULL;
    json_array_foreach(json_object_get(file, "identity"), i, entry) {
        make_identity(entry);
    }
    json_array_foreach(json_object_get(file, "mnemonic"), i, entry) {
        make_mnemonic(entry);
    }
}

static int make_file(const char *source_dir, const char *out_dir, const char *name,
                     void (*make)(json_t *)) {
    char path[4096];
    json_error_t error;
    (void)snprintf(path, sizeof path, "%s/%s", source_dir, name);
    json_t *file = json_load_file(path, 0, &error);
    if (file == NULL) {
        (void)fprintf(stderr, "wzp-vectors: %s:%d: %s\n", path, error.line, error.text);
        return 3;
    }
    make(file);
    int failed = 0;
    if (out_dir == NULL) {
        failed = json_dumpf(file, stdout, JSON_INDENT(1)) != 0 || putchar('\n') == EOF;
    } else {
        (void)snprintf(path, sizeof path, "%s/%s", out_dir, name);
        failed = json_dump_file(file, path, JSON_INDENT(1)) != 0;
    }
    json_decref(file);
    if (failed != 0) {
        (void)fprintf(stderr, "wzp-vectors: cannot write %s\n", path);
    }
    return failed != 0 ? 3 : 0;
}

int wzp_vectors_make(const char *source_dir, const char *out_dir) {
    const int wire = make_file(source_dir, out_dir, "wire.json", make_wire);
    return wire != 0 ? wire : make_file(source_dir, out_dir, "crypto.json", make_crypto);
}
