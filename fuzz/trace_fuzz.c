/* Traces: whatever the text, it is read or refused with a line; what is read is written as lines
 * that read the same. */
#include <stdlib.h>
#include <string.h>

#include "conformance/corpus/trace.h"
#include "require.h"

static size_t write_all(const wzp_trace *t, char *out, size_t cap) {
    char line[WZP_TRACE_LINE_MAX];
    size_t n = 0;
    for (size_t i = 0; i < WZP_TRACE_HEADS + t->count; i++) {
        const size_t len = i < WZP_TRACE_HEADS
                               ? wzp_trace_head(t, i, line)
                               : wzp_trace_line(&t->packets[i - WZP_TRACE_HEADS], line);
        require(len < sizeof line && n + len <= cap);
        memcpy(out + n, line, len);
        n += len;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_trace first;
    wzp_trace second;
    wzp_trace_fault fault = {0, NULL};
    if (wzp_trace_parse(&first, wzp_bytes_of(data, size), &fault) != WZP_OK) {
        require(fault.why != NULL && first.packets == NULL);
        return 0;
    }
    const size_t cap = (first.count + WZP_TRACE_HEADS) * WZP_TRACE_LINE_MAX;
    char *text = malloc(2 * cap);
    require(text != NULL);
    const size_t len = write_all(&first, text, cap);
    require(wzp_trace_parse(&second, wzp_bytes_of((const uint8_t *)text, len), &fault) == WZP_OK);
    require(write_all(&second, text + cap, cap) == len && memcmp(text, text + cap, len) == 0);
    free(text);
    wzp_trace_clear(&first);
    wzp_trace_clear(&second);
    return 0;
}
