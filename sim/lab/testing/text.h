/* Scenarios of a test as text; each function says why it could not be read. */
#ifndef WZP_SIM_LAB_TESTING_TEXT_H
#define WZP_SIM_LAB_TESTING_TEXT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/lab/scenario.h"

/* To be cleared.  Messages call it "t.toml". */
static inline wzp_lab_doc doc_of(const char *text) {
    char why[WZP_TOML_WHY_MAX];
    wzp_lab_doc doc = {0};
    ck_assert_msg(wzp_lab_doc_parse(&doc, wzp_bytes_str(text), "t.toml", why) == WZP_OK, "%s", why);
    return doc;
}

/* To be freed. */
static inline char *written(const wzp_lab_doc *doc) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    ck_assert(wzp_lab_doc_write(doc, out));
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

/* NULL: refused, and `messages` says why, to be freed. */
static inline wzp_lab_scenario *parse(const char *text, const uint64_t *seed, char **messages) {
    static wzp_lab_errors errors;
    wzp_lab_doc doc = doc_of(text);
    wzp_lab_scenario *s = NULL;
    size_t len = 0;
    *messages = NULL;
    if (wzp_lab_scenario_read(&s, &doc, seed, &errors) != WZP_OK) {
        FILE *out = open_memstream(messages, &len);
        wzp_lab_errors_write(&errors, out);
        ck_assert_int_eq(fclose(out), 0);
    }
    wzp_lab_doc_clear(&doc);
    return s;
}

static inline wzp_lab_scenario *good_by(const char *text, const uint64_t *seed) {
    char *messages = NULL;
    wzp_lab_scenario *s = parse(text, seed, &messages);
    ck_assert_msg(s != NULL, "%s", messages);
    return s;
}

/* With this seed, and with its own, or 1. */
static inline wzp_lab_scenario *seeded(const char *text, uint64_t seed) {
    return good_by(text, &seed);
}
static inline wzp_lab_scenario *good(const char *text) {
    return good_by(text, NULL);
}

#endif
