#include "conformance/report/expect.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_LEN = 256, CASES_MAX = 4096 };

static const char *const names[WZP_CT_EXPECT_COUNT] = {"PASS", "FAIL", "WARN", "SKIP", "ANY"};

const char *wzp_ct_expected_name(wzp_ct_expected what) {
    return names[what];
}

const wzp_ct_expectation *wzp_ct_expect_find(const wzp_ct_expectations *e, const char *id) {
    for (size_t i = 0; i < e->count; i++) {
        if (strcmp(e->items[i].id, id) == 0) {
            return &e->items[i];
        }
    }
    return NULL;
}

void wzp_ct_expect_clear(wzp_ct_expectations *e) {
    free(e->items);
    *e = (wzp_ct_expectations){.items = NULL};
}

/* --- one line --------------------------------------------------------------------------------- */

static bool take_id(wzp_ct_expectation *out, const char *word, char why[WZP_CT_EXPECT_WHY]) {
    for (const char *c = word; *c != '\0'; c++) {
        const bool fits = (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') ||
                          (*c >= '0' && *c <= '9') || *c == '-';
        if (!fits || c - word >= WZP_CT_ID_MAX) {
            (void)snprintf(why, WZP_CT_EXPECT_WHY, "'%.40s' is no case id", word);
            return false;
        }
    }
    memcpy(out->id, word, strlen(word) + 1);
    return true;
}

static bool take_verdict(wzp_ct_expectation *out, const char *word, char why[WZP_CT_EXPECT_WHY]) {
    for (unsigned i = 0; i < WZP_CT_EXPECT_COUNT; i++) {
        if (strcmp(word, names[i]) == 0) {
            out->what = (wzp_ct_expected)i;
            return true;
        }
    }
    (void)snprintf(why, WZP_CT_EXPECT_WHY, "'%.40s' is none of PASS, FAIL, WARN, SKIP, ANY", word);
    return false;
}

static bool take_reason(wzp_ct_expectation *out, const char *word, char why[WZP_CT_EXPECT_WHY]) {
    for (unsigned i = 1; i < WZP_CT_REASON_COUNT; i++) {
        if (strcmp(word, wzp_ct_reason_name((wzp_ct_reason)i)) == 0) {
            out->reason = (wzp_ct_reason)i;
            return true;
        }
    }
    (void)snprintf(why, WZP_CT_EXPECT_WHY, "'%.40s' is no reason, such as silent-drop", word);
    return false;
}

/* False: *why is set.  An empty id: the line says nothing. */
static bool read_line(wzp_ct_expectation *out, char *line, char why[WZP_CT_EXPECT_WHY]) {
    char *save = NULL;
    line[strcspn(line, "#")] = '\0';
    const char *id = strtok_r(line, " \t\r\n", &save);
    if (id == NULL) {
        return true;
    }
    const char *verdict = strtok_r(NULL, " \t\r\n", &save);
    const char *reason = verdict != NULL ? strtok_r(NULL, " \t\r\n", &save) : NULL;
    out->what = WZP_CT_EXPECT_FAIL;
    if (!take_id(out, id, why) || (verdict != NULL && !take_verdict(out, verdict, why)) ||
        (reason != NULL && !take_reason(out, reason, why))) {
        return false;
    }
    if (reason != NULL && strtok_r(NULL, " \t\r\n", &save) != NULL) {
        (void)snprintf(why, WZP_CT_EXPECT_WHY, "more than id, verdict and reason");
        return false;
    }
    return true;
}

/* --- the file --------------------------------------------------------------------------------- */

static bool add(wzp_ct_expectations *out, const wzp_ct_expectation *one,
                char why[WZP_CT_EXPECT_WHY]) {
    const wzp_ct_expectation *before = wzp_ct_expect_find(out, one->id);
    if (before != NULL) {
        (void)snprintf(why, WZP_CT_EXPECT_WHY, "%s was named in line %u already", one->id,
                       before->line);
        return false;
    }
    wzp_ct_expectation *items =
        out->count < CASES_MAX ? realloc(out->items, (out->count + 1) * sizeof *items) : NULL;
    if (items == NULL) {
        (void)snprintf(why, WZP_CT_EXPECT_WHY, "too many cases");
        return false;
    }
    out->items = items;
    items[out->count++] = *one;
    return true;
}

bool wzp_ct_expect_read(wzp_ct_expectations *out, FILE *in, char why[WZP_CT_EXPECT_WHY],
                        unsigned *line) {
    char text[LINE_MAX_LEN];
    bool good = true;
    *out = (wzp_ct_expectations){.items = NULL};
    for (*line = 1; good && fgets(text, sizeof text, in) != NULL; (*line)++) {
        wzp_ct_expectation one = {.line = *line};
        if (strchr(text, '\n') == NULL && strlen(text) + 1 == sizeof text) {
            (void)snprintf(why, WZP_CT_EXPECT_WHY, "longer than %d characters", LINE_MAX_LEN - 2);
            good = false;
        } else {
            good = read_line(&one, text, why) && (one.id[0] == '\0' || add(out, &one, why));
        }
    }
    if (!good) {
        (*line)--; /* the loop has counted it */
        wzp_ct_expect_clear(out);
    }
    return good;
}

/* --- the comparison --------------------------------------------------------------------------- */

wzp_ct_deviation wzp_ct_expect_compare(const wzp_ct_case_result *c, const wzp_ct_expectation *e) {
    const wzp_ct_expected what = e != NULL ? e->what : WZP_CT_EXPECT_PASS;
    const bool failed = c->grade == WZP_CT_FAIL;
    const bool warned = c->grade == WZP_CT_PASS && c->lenient && c->reason != WZP_CT_REASON_NONE;
    if (c->grade == WZP_CT_INCONCLUSIVE || c->grade == WZP_CT_SKIP) {
        return WZP_CT_DEVIATION_NONE;
    }
    if (!failed && !warned) {
        return what == WZP_CT_EXPECT_FAIL || what == WZP_CT_EXPECT_WARN ? WZP_CT_DEVIATION_GONE
                                                                        : WZP_CT_DEVIATION_NONE;
    }
    const bool expected = what == WZP_CT_EXPECT_ANY || what == WZP_CT_EXPECT_FAIL ||
                          (what == WZP_CT_EXPECT_WARN && (warned || c->info->level != WZP_CT_MUST));
    const bool as_said = e != NULL && (e->reason == WZP_CT_REASON_NONE || e->reason == c->reason);
    return expected && as_said ? WZP_CT_DEVIATION_KNOWN : WZP_CT_DEVIATION_NEW;
}
