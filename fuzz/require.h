/* A fuzz target's way to say that something must hold, in every build. */
#ifndef WZP_FUZZ_REQUIRE_H
#define WZP_FUZZ_REQUIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds) {
    if (!holds) {
        abort();
    }
}

#endif
