/* The beginning of a WAV file: whatever it holds, what is wrong with it fits a line, and is
 * printable. */
#include <string.h>

#include "io/riff.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char why[WZP_RIFF_WHY_MAX];
    memset(why, 'x', sizeof why);
    for (uint64_t more = 0; more <= 4096; more += 4096) {
        if (wzp_riff_fault(wzp_bytes_of(data, size), size + more, why)) {
            const char *end = memchr(why, '\0', sizeof why);
            require(end != NULL);
            for (const char *c = why; c < end; c++) {
                require(*c >= 0x20 && *c < 0x7f);
            }
        }
    }
    return 0;
}
