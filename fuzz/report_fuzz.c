/* Any file as a saved report.  What is accepted must be writable in every format, and its JSON must
 * be accepted again. */
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "conformance/report/report.h"

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static bool write_console(FILE *out, const wzp_ct_report *report) {
    const wzp_ct_report_opts opts = {.colour = true, .width = 40};
    return wzp_ct_report_console(out, report, &opts);
}

/* The caller frees it. */
static char *written(bool (*write)(FILE *, const wzp_ct_report *), const wzp_ct_report *report,
                     size_t *len) {
    char *text = NULL;
    FILE *memory = open_memstream(&text, len);
    require(memory != NULL);
    require(write(memory, report));
    require(fclose(memory) == 0);
    return text;
}

static bool read_text(wzp_ct_saved_report **out, const void *text, size_t len) {
    char why[256] = "";
    FILE *in = fmemopen(wzp_drop_const(text), len, "rb");
    require(in != NULL);
    const bool ok = wzp_ct_report_read(out, in, why);
    (void)fclose(in);
    require(ok || why[0] != '\0');
    return ok;
}

static void write_all(const wzp_ct_report *report) {
    static bool (*const writers[])(FILE *, const wzp_ct_report *) = {
        write_console, wzp_ct_report_junit, wzp_ct_report_tap, wzp_ct_report_markdown,
        wzp_ct_report_html};
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
        size_t len = 0;
        free(written(writers[i], report, &len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_ct_saved_report *saved = NULL;
    if (size == 0 || !read_text(&saved, data, size)) {
        return 0;
    }
    write_all(wzp_ct_saved_report_get(saved));
    size_t len = 0;
    char *json = written(wzp_ct_report_json, wzp_ct_saved_report_get(saved), &len);
    wzp_ct_saved_report_free(&saved);
    require(read_text(&saved, json, len));
    wzp_ct_saved_report_free(&saved);
    free(json);
    return 0;
}
