/* The exact traffic of a case: a list of datagrams with their times, made before anything is sent
 * (conformance sheet 24.1 "Traffic rules").  Sans-IO; the same seed gives the same bytes. */
#ifndef WZP_CONFORMANCE_ENGINE_PATTERN_H
#define WZP_CONFORMANCE_ENGINE_PATTERN_H

#include "base/rng.h"
#include "base/time.h"
#include "wire/media.h"

typedef struct wzp_ct_packet {
    wzp_time due;         /* from the first packet of the pattern */
    uint32_t order;       /* of appending: decides between equal times */
    wzp_media_hdr hdr;    /* written as it is, valid or not */
    uint16_t payload;     /* bytes of random payload; with the Q flag a report follows */
    uint16_t raw_len;     /* > 0: exactly so many bytes are sent, whatever header and payload say */
    bool must_not_arrive; /* malformed on purpose */
    uint8_t copies;       /* sent so many times more, at once: the same bytes */
    bool no_report;       /* the Q flag is set, yet no report follows */
    uint8_t report_cap;   /* in the report; 0: 200 */
    uint8_t raw_prefix_len; /* bytes put before everything: frame tags, trunk headers */
    uint8_t raw_prefix[8];
} wzp_ct_packet;

typedef struct wzp_ct_pattern {
    wzp_ct_packet *packets;
    size_t count, cap;
    bool out_of_memory;
    uint32_t seq, ts; /* of the next packet of the main stream */
    wzp_time end;     /* when the pattern is over */
    wzp_prng prng;
} wzp_ct_pattern;

/* Where the main stream goes on after the echo phase. */
void wzp_ct_pattern_init(wzp_ct_pattern *pattern, uint64_t seed, uint32_t seq, uint32_t ts);
void wzp_ct_pattern_free(wzp_ct_pattern *pattern);

/* Appends one packet of the main stream at `due` with the pattern's seq and ts. */
wzp_ct_packet *wzp_ct_add(wzp_ct_pattern *pattern, wzp_time due, uint8_t media_type, uint8_t codec,
                          uint8_t flags, uint16_t payload);

/* Sorts by time, keeping the order of equal times. */
void wzp_ct_pattern_sort(wzp_ct_pattern *pattern);

/* The datagram of packet `i`, with payload bytes drawn from (seed, i); returns its length. */
size_t wzp_ct_pattern_bytes(const wzp_ct_pattern *pattern, size_t i, uint64_t seed,
                            uint8_t out[1500]);

/* --- shapes ---------------------------------------------------------------------------------- */

typedef enum wzp_ct_ts {
    WZP_CT_TS_FLOOR, /* floor(i * 1000 / rate): the wall clock */
    WZP_CT_TS_STEP   /* step_ms per packet */
} wzp_ct_ts;

typedef struct wzp_ct_stream {
    uint8_t media_type, codec;
    uint32_t rate; /* packets per second */
    uint16_t payload;
    uint32_t duration_ms;
    wzp_ct_ts ts;
    uint32_t step_ms;
    bool report_each;     /* Q flag and report on every packet */
    uint8_t report_every; /* ... on every nth, 0 none */
} wzp_ct_stream;

/* `from`: when its first packet is due.  Returns when the next one would be. */
wzp_time wzp_ct_stream_add(wzp_ct_pattern *pattern, const wzp_ct_stream *stream, wzp_time from);

/* K-STD: Opus24k, 50 pkt/s, payload 76, a report on every 50th. */
wzp_time wzp_ct_talk(wzp_ct_pattern *pattern, wzp_time from, uint32_t duration_ms);

/* Comfort noise: codec 5 each 200 ms, payload 17, ts + 200 (the stamp is that of the moment). */
wzp_time wzp_ct_noise(wzp_ct_pattern *pattern, wzp_time from, uint32_t duration_ms);

/* Codec2 with FEC: after each 8 sources `repairs` repair packets of 272 bytes within 1 ms. */
void wzp_ct_codec2_fec(wzp_ct_pattern *pattern, uint8_t codec, uint32_t repairs, uint8_t fec_ratio,
                       uint32_t duration_ms);

/* Video at 30 frames per second on its own seq and ts: keyframes of `key` packets every `gop`
 * frames, others of `delta` packets, payload 1116. */
void wzp_ct_video(wzp_ct_pattern *pattern, uint32_t key, uint32_t delta, uint32_t gop,
                  uint32_t duration_ms);

#endif
