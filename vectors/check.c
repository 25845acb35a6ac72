#include "vectors/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"

static void give(wzp_vector_entry *e, wzp_vector_result result, const char *field,
                 const char *expected, const char *actual) {
    if (e->done) {
        return;
    }
    e->done = true;
    unsigned *counters[] = {&e->sink->passed, &e->sink->failed, &e->sink->skipped};
    (*counters[result])++;
    const wzp_vector_verdict verdict = {result, e->id, e->kind, field, expected, actual};
    if (e->sink->verdict != NULL) {
        e->sink->verdict(e->sink->ctx, &verdict);
    }
}

void wzp_vector_mismatch(wzp_vector_entry *e, const char *field, const char *expected,
                         const char *actual) {
    give(e, WZP_VECTOR_FAIL, field, expected, actual);
}

void wzp_vector_skip(wzp_vector_entry *e, const char *why) {
    give(e, WZP_VECTOR_SKIP, "", "", why);
}

bool wzp_vector_is_text(wzp_vector_entry *e, const char *field, const char *expected,
                        const char *actual) {
    if (strcmp(expected, actual) != 0) {
        wzp_vector_mismatch(e, field, expected, actual);
        return false;
    }
    return true;
}

bool wzp_vector_is_uint(wzp_vector_entry *e, const char *field, uint64_t expected,
                        uint64_t actual) {
    char a[24];
    char b[24];
    (void)snprintf(a, sizeof a, "%llu", (unsigned long long)expected);
    (void)snprintf(b, sizeof b, "%llu", (unsigned long long)actual);
    return wzp_vector_is_text(e, field, a, b);
}

bool wzp_vector_is_bytes(wzp_vector_entry *e, const char *field, const char *expected_hex,
                         wzp_bytes actual) {
    char *text = malloc(2 * actual.len + 1);
    if (text == NULL) {
        wzp_vector_mismatch(e, field, expected_hex, "(out of memory)");
        return false;
    }
    const bool same = wzp_vector_is_text(e, field, expected_hex, wzp_hex_write(text, actual));
    free(text);
    return same;
}

const char *wzp_vector_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

uint64_t wzp_vector_uint(const json_t *object, const char *key) {
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

wzp_bytes wzp_vector_hex(wzp_vector_entry *e, const json_t *object, const char *key) {
    const json_t *member = json_object_get(object, key);
    const char *text = wzp_vector_text(object, key);
    const size_t len = strlen(text) / 2;
    uint8_t *data = malloc(len + 1);
    if (data == NULL || !json_is_string(member) ||
        wzp_hex_parse(data, len, text, strlen(text), NULL) != WZP_OK) {
        wzp_vector_mismatch(e, key, "hexadecimal text", text);
        free(data);
        return wzp_bytes_of(NULL, 0);
    }
    return wzp_bytes_of(data, len);
}

static void check_entry(wzp_vector_entry e, wzp_vector_checker *checker) {
    if (checker == NULL) {
        wzp_vector_skip(&e, "this kind of vector is not implemented");
        return;
    }
    checker(&e);
    give(&e, WZP_VECTOR_PASS, "", "", "");
}

static void check_list(wzp_vector_sink *sink, const json_t *list) {
    size_t i = 0;
    const json_t *json = NULL;
    json_array_foreach(list, i, json) {
        const char *kind = wzp_vector_text(json, "kind");
        char unnamed[32];
        (void)snprintf(unnamed, sizeof unnamed, "entry %zu", i);
        const char *id = wzp_vector_text(json, "id");
        check_entry((wzp_vector_entry){.sink = sink,
                                       .json = json,
                                       .file = list,
                                       .id = *id != '\0' ? id : unnamed,
                                       .kind = kind},
                    wzp_vectors_wire_checker(kind));
    }
}

static wzp_vector_checker *section_checker(const char *name) {
    static wzp_vector_checker *(*const finders[])(const char *) = {
        wzp_vectors_crypto_checker,      wzp_vectors_media_adapt_checker,
        wzp_vectors_media_audio_checker, wzp_vectors_media_fec_checker,
        wzp_vectors_media_video_checker,
    };
    wzp_vector_checker *found = NULL;
    for (size_t i = 0; i < WZP_COUNT_OF(finders) && found == NULL; i++) {
        found = finders[i](name);
    }
    return found;
}

/* A section is a list of entries or one entry; "about" describes the file. */
static void check_sections(wzp_vector_sink *sink, const json_t *sections) {
    const char *name = NULL;
    json_t *section = NULL;
    json_object_foreach(wzp_drop_const(sections), name, section) {
        wzp_vector_checker *checker = section_checker(name);
        wzp_vector_entry e = {.sink = sink, .file = sections, .kind = name};
        if (strcmp(name, "about") == 0) {
            continue;
        }
        if (!json_is_array(section) || checker == NULL) {
            e.json = section;
            e.id = name;
            check_entry(e, checker);
            continue;
        }
        for (size_t i = 0; i < json_array_size(section); i++) {
            char id[96];
            (void)snprintf(id, sizeof id, "%s[%zu]", name, i);
            e.json = json_array_get(section, i);
            e.id = id;
            check_entry(e, checker);
        }
    }
}

void wzp_vectors_check(wzp_vector_sink *sink, const json_t *file) {
    if (json_is_array(file)) {
        check_list(sink, file);
    } else {
        check_sections(sink, file);
    }
}
