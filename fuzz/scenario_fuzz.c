/* Any file as a scenario.  What is read can be written and read again as the same tree, and with
 * its draws made it is the same scenario for every seed. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/require.h"
#include "sim/lab/scenario.h"

static wzp_lab_errors errors;

static void check_written(const wzp_lab_doc *doc) {
    char why[WZP_TOML_WHY_MAX];
    char *text = NULL;
    size_t len = 0;
    wzp_lab_doc again = {0};
    FILE *out = open_memstream(&text, &len);
    require(out != NULL && wzp_lab_doc_write(doc, out) && fclose(out) == 0);
    require(wzp_lab_doc_parse(&again, wzp_bytes_of(text, len), "again", why) == WZP_OK);
    require(json_equal(doc->tree, again.tree));
    wzp_lab_doc_clear(&again);
    free(text);
}

static void check_drawn(const wzp_lab_scenario *s) {
    const uint64_t other = s->seed + 1;
    wzp_lab_scenario *again = NULL;
    require(wzp_lab_scenario_read(&again, &s->doc, &other, &errors) == WZP_OK);
    require(json_equal(s->doc.tree, again->doc.tree));
    require(again->host_count == s->host_count && again->event_count == s->event_count);
    wzp_lab_scenario_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char why[WZP_TOML_WHY_MAX];
    wzp_lab_doc doc = {0};
    wzp_lab_scenario *s = NULL;
    if (wzp_lab_doc_parse(&doc, wzp_bytes_of(data, size), "fuzz", why) != WZP_OK) {
        return 0;
    }
    check_written(&doc);
    if (wzp_lab_scenario_read(&s, &doc, NULL, &errors) == WZP_OK) {
        check_drawn(s);
        wzp_lab_scenario_free(&s);
    } else {
        require(errors.count > 0);
    }
    wzp_lab_doc_clear(&doc);
    return 0;
}
