/* Any file of expectations: what is read names each id once, and errors say where. */
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "conformance/report/expect.h"
#include "fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_ct_expectations e;
    char why[WZP_CT_EXPECT_WHY] = "";
    unsigned line = 0;
    if (size == 0) {
        return 0;
    }
    FILE *in = fmemopen(wzp_drop_const(data), size, "rb");
    require(in != NULL);
    const bool good = wzp_ct_expect_read(&e, in, why, &line);
    (void)fclose(in);
    require(good ? why[0] == '\0' : why[0] != '\0' && line > 0 && e.count == 0);
    for (size_t i = 0; i < e.count; i++) {
        require(wzp_ct_expect_find(&e, e.items[i].id) == &e.items[i]);
        require(e.items[i].line > 0 && e.items[i].what < WZP_CT_EXPECT_COUNT);
    }
    wzp_ct_expect_clear(&e);
    return 0;
}
