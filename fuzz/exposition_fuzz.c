/* A page of metrics and, after its first NUL, the series that is looked for.  The sum must be that
 * of the lines taken one by one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine/exposition.h"
#include "fuzz/require.h"

static double sum_of_lines(char *page, const char *series, unsigned *found) {
    char *save = NULL;
    double sum = 0;
    *found = 0;
    for (char *line = strtok_r(page, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        double one = 0;
        *found += wzp_exposition_sum(line, series, &one);
        sum += one;
    }
    return sum;
}

static char *text_of(const uint8_t *data, size_t len) {
    char *text = malloc(len + 1);
    require(text != NULL);
    if (len > 0) {
        memcpy(text, data, len);
    }
    text[len] = '\0';
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
    const size_t len = nul != NULL ? (size_t)(nul - data) : size;
    char *page = text_of(data, len);
    char *series = nul != NULL ? text_of(nul + 1, size - len - 1) : text_of(NULL, 0);
    unsigned samples = 0;
    unsigned of_lines = 0;
    double sum = 0;
    (void)wzp_exposition_is_valid(page, &samples);
    const unsigned found = wzp_exposition_sum(page, series, &sum);
    const double by_lines = sum_of_lines(page, series, &of_lines);
    require(found == of_lines);
    require(sum == by_lines || isnan(sum));
    free(page);
    free(series);
    return 0;
}
