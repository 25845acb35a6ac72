/* The exact traffic of conformance sheet 24.3-24.5 and the first hits that its columns "P0 meter"
 * and "ENF-1 meter" promise for a fresh meter.  For the tests of both meters. */
#ifndef WZP_METER_TESTING_TRAFFIC_H
#define WZP_METER_TESTING_TRAFFIC_H

#include "meter/meter.h"

typedef struct wzp_traffic_packet {
    wzp_time at;
    uint32_t order; /* of appending: decides between equal times */
    wzp_media_hdr hdr;
    uint16_t payload;
} wzp_traffic_packet;

/* Appending goes on at `now` with `seq` and `ts`. */
typedef struct wzp_traffic {
    wzp_traffic_packet *packets;
    size_t count, cap;
    wzp_time now;
    uint32_t seq, ts;
} wzp_traffic;

typedef struct wzp_traffic_row wzp_traffic_row;
struct wzp_traffic_row {
    const char *id;
    void (*make)(wzp_traffic *traffic, const wzp_traffic_row *row);
    struct {
        uint8_t media_type, codec;
        uint16_t rate, payload; /* per second; bytes after the header */
        uint16_t step_ms;       /* of the timestamp; 0: the wall clock */
        uint16_t seconds;
    } stream;
    uint32_t param;
    const char *deployed, *enf; /* "D@7 0.01, A@9 0.02", "none" */
};

extern const wzp_traffic_row wzp_traffic_rows[];
extern const size_t wzp_traffic_row_count;

/* In order of time; `traffic->packets` is the caller's to free(). */
void wzp_traffic_make(wzp_traffic *traffic, const wzp_traffic_row *row);

/* Appends one packet at traffic->now; seq, ts and now stay. */
wzp_traffic_packet *wzp_traffic_add(wzp_traffic *traffic, uint8_t media_type, uint8_t codec,
                                    uint16_t payload);

/* Opus24k, 50 packets per second, payload 76. */
void wzp_traffic_talk(wzp_traffic *traffic, uint32_t duration_ms);

/* Runs `observe` over the traffic and writes the first hit of each tier, in order of packets, as
 * the columns do. */
typedef wzp_violation (*wzp_traffic_observe)(void *meter, const wzp_traffic_packet *packet);
void wzp_traffic_first_hits(const wzp_traffic *traffic, wzp_traffic_observe observe, void *meter,
                            char out[128]);

#endif
