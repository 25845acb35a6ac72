/* Signals: what parses is written in a form that is stable, and that a strict reader takes.  What
 * a strict reader takes, a lenient one takes too, except numbers past f32. */
#include "require.h"
#include "wire/signal.h"

static const wzp_signal_opts strict = {.strict = true};

/* NULL: refused. */
static char *rewrite(wzp_bytes json, const wzp_signal_opts *opts, size_t *len) {
    wzp_signal *signal = NULL;
    wzp_fail fail = {WZP_OK, NULL, 0, 0};
    char *text = NULL;
    const wzp_err err = wzp_signal_parse(&signal, json, opts, &fail);
    if (err != WZP_OK) {
        require(signal == NULL && fail.code == err && fail.field != NULL);
        require(fail.offset <= json.len);
        return NULL;
    }
    require(wzp_signal_to_json(&text, len, signal) == WZP_OK);
    wzp_signal_free(&signal);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const wzp_bytes json = {data, size};
    char name[16];
    size_t len;
    size_t again_len;
    (void)wzp_signal_peek_name(json, name, sizeof name);
    char *once = rewrite(json, NULL, &len);
    if (once != NULL) {
        char *again = rewrite(wzp_bytes_of(once, len), &strict, &again_len);
        require(again != NULL && again_len == len && memcmp(once, again, len) == 0);
        free(again);
    }
    char *deployed = rewrite(json, &strict, &again_len);
    if (deployed != NULL) {
        const bool infinite = strstr(deployed, ":null") != NULL;
        require(once != NULL ? strcmp(once, deployed) == 0 : infinite);
    }
    free(deployed);
    free(once);
    return 0;
}
