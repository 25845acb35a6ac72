#include "media/jbuf_bursts.h"

#include "base/bytes.h"

void wzp_jbuf_bursts_add(wzp_jbuf_bursts *b, uint32_t ms, wzp_time now) {
    const uint64_t number = now / WZP_JBUF_BURSTS_SPAN;
    const size_t i = (size_t)(number % WZP_JBUF_BURSTS_SPANS);
    if (b->spans[i].number != number) {
        b->spans[i].number = number;
        b->spans[i].ms = 0;
    }
    b->spans[i].ms = ms > b->spans[i].ms ? ms : b->spans[i].ms;
}

uint32_t wzp_jbuf_bursts_longest(const wzp_jbuf_bursts *b, wzp_time now) {
    const uint64_t number = now / WZP_JBUF_BURSTS_SPAN;
    uint32_t longest = 0;
    for (size_t i = 0; i < WZP_COUNT_OF(b->spans); i++) {
        const bool is_recent = b->spans[i].number + WZP_JBUF_BURSTS_SPANS > number;
        longest = is_recent && b->spans[i].ms > longest ? b->spans[i].ms : longest;
    }
    return longest;
}
