/* One stream of a capture's video as a file for players.
 *
 * Raw: H.264 and H.265 as an Annex B stream, AV1 as OBUs ("Section 5" low overhead, each temporal
 * unit behind its delimiter).  IVF for any of them, times in milliseconds; it says no frame count,
 * and 0 by 0 where no packet said the size.  Frames that are not whole are left out, and those
 * before the first key frame, which nothing can show.  Sans-IO, bounded, not thread-safe. */
#ifndef WZP_PCAP_MEDIA_FILM_H
#define WZP_PCAP_MEDIA_FILM_H

#include "video/frames.h"

#define WZP_PCAP_FILM_BACK_MS 10000
#define WZP_PCAP_FILM_WINDOW 8 /* complete frames that wait for earlier ones */

typedef enum wzp_pcap_film_form { WZP_PCAP_FILM_RAW, WZP_PCAP_FILM_IVF } wzp_pcap_film_form;

/* The file's next bytes, borrowed for the call. */
typedef void wzp_pcap_film_sink(void *ctx, wzp_bytes bytes);

typedef struct wzp_pcap_film wzp_pcap_film;

/* The usual ending of a file's name: "h264", "h265", "obu", "ivf".  NULL: no video codec. */
const char *wzp_pcap_film_ending(wzp_pcap_film_form form, uint8_t codec);

/* WZP_ERR_CODEC: no video codec; WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_film_new(wzp_pcap_film **out, wzp_pcap_film_form form, uint8_t codec,
                                       wzp_pcap_film_sink *sink, void *ctx);
/* Accepts NULL, leaves NULL.  What waits is not written: see wzp_pcap_film_end. */
void wzp_pcap_film_free(wzp_pcap_film **film);

/* A packet of the stream, its payload in clear; copied.  Others than of this codec are counted in
 * refused. */
void wzp_pcap_film_take(wzp_pcap_film *film, const wzp_media_packet *packet);

/* Writes all that waits. */
void wzp_pcap_film_end(wzp_pcap_film *film);

typedef struct wzp_pcap_film_counters {
    uint64_t written;    /* frames */
    uint64_t before_key; /* whole, and left out */
    uint64_t late;       /* whole, but a later one was written already */
    uint64_t restarts;   /* times that went back by more than WZP_PCAP_FILM_BACK_MS */
    uint64_t refused;    /* packets */
    uint64_t lost;       /* no memory */
} wzp_pcap_film_counters;

const wzp_pcap_film_counters *wzp_pcap_film_count(const wzp_pcap_film *film);
const wzp_video_counters *wzp_pcap_film_frames(const wzp_pcap_film *film);

#endif
