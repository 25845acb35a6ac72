#include "meter/testing/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

wzp_traffic_packet *wzp_traffic_add(wzp_traffic *t, uint8_t media_type, uint8_t codec,
                                    uint16_t payload) {
    if (t->count == t->cap) {
        t->cap = t->cap != 0 ? 2 * t->cap : 256;
        t->packets = realloc(t->packets, t->cap * sizeof *t->packets);
        if (t->packets == NULL) {
            abort();
        }
    }
    wzp_traffic_packet *packet = &t->packets[t->count];
    *packet = (wzp_traffic_packet){.at = t->now,
                                   .order = (uint32_t)t->count++,
                                   .hdr = {.version = WZP_PROTOCOL_VERSION,
                                           .media_type = media_type,
                                           .codec_id = codec,
                                           .seq = t->seq,
                                           .timestamp_ms = t->ts},
                                   .payload = payload};
    return packet;
}

void wzp_traffic_talk(wzp_traffic *t, uint32_t duration_ms) {
    for (uint32_t at_ms = 0; at_ms < duration_ms; at_ms += 20) {
        wzp_traffic_add(t, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 76);
        t->seq++;
        t->ts += 20;
        t->now += 20 * WZP_MS;
    }
}

static int by_time(const void *a, const void *b) {
    const wzp_traffic_packet *x = a;
    const wzp_traffic_packet *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return (x->order > y->order) - (x->order < y->order);
}

void wzp_traffic_make(wzp_traffic *t, const wzp_traffic_row *row) {
    *t = (wzp_traffic){0};
    row->make(t, row);
    qsort(t->packets, t->count, sizeof *t->packets, by_time);
}

void wzp_traffic_first_hits(const wzp_traffic *t, wzp_traffic_observe observe, void *meter,
                            char out[128]) {
    bool seen[WZP_VIOLATION_COUNT] = {false};
    size_t len = 0;
    memcpy(out, "none", sizeof "none");
    for (size_t i = 0; i < t->count; i++) {
        const wzp_violation v = observe(meter, &t->packets[i]);
        if (v == WZP_VIOLATION_NONE || seen[v]) {
            continue;
        }
        seen[v] = true;
        const int n =
            snprintf(out + len, 128 - len, "%s%c@%zu %.2f", len != 0 ? ", " : "",
                     wzp_violation_find(v)->tier, i + 1, (double)t->packets[i].at / (double)WZP_S);
        len += n > 0 ? (size_t)n : 0;
    }
}
