#include <opus.h>
#include <stdlib.h>

#include "media/opus.h"

#ifdef OPUS_SET_DRED_DURATION
#define WITH_DRED 1
#else
#define WITH_DRED 0
#endif

#define SAMPLES_PER_MS UINT32_C(48)

/* Samples; a packet may announce any offset. */
enum { DRED_MOST = WZP_OPUS_DRED_MAX * 480 };

/* A packet that arrived, as it is: its DRED is unpacked when there is a gap to fill, and then for
 * all frames of the gap at once. */
typedef struct kept {
    uint32_t timestamp_ms;
    uint16_t len; /* 0: unused */
    bool is_known;
    uint16_t reach; /* samples, once it is known */
    uint8_t packet[WZP_OPUS_PACKET_MAX];
} kept;

struct wzp_opus_dec {
    OpusDecoder *opus;
#if WITH_DRED
    OpusDREDDecoder *dred_dec; /* NULL: libopus has no DRED */
    OpusDRED *dred;
#endif
    const kept *unpacked; /* whose DRED is in `dred`; NULL: nobody's */
    unsigned limit;
    size_t next; /* in ring */
    kept ring[WZP_OPUS_RING];
    wzp_opus_counters counters;
};

/* --- life ------------------------------------------------------------------------------------- */

#if WITH_DRED
bool wzp_opus_has_dred(void) {
    int failed = OPUS_OK;
    OpusDREDDecoder *dec = opus_dred_decoder_create(&failed);
    if (dec == NULL || failed != OPUS_OK) {
        return false;
    }
    opus_dred_decoder_destroy(dec);
    return true;
}

/* Without DRED in libopus both stay NULL, and gaps are concealed. */
static void create_dred(wzp_opus_dec *dec) {
    int failed = OPUS_OK;
    dec->dred_dec = opus_dred_decoder_create(&failed);
    dec->dred = failed == OPUS_OK ? opus_dred_alloc(&failed) : NULL;
}

static void destroy_dred(wzp_opus_dec *dec) {
    if (dec->dred != NULL) {
        opus_dred_free(dec->dred);
    }
    if (dec->dred_dec != NULL) {
        opus_dred_decoder_destroy(dec->dred_dec);
    }
}
#else
bool wzp_opus_has_dred(void) {
    return false;
}

static void create_dred(wzp_opus_dec *dec) {
    (void)dec;
}

static void destroy_dred(wzp_opus_dec *dec) {
    (void)dec;
}
#endif

wzp_err wzp_opus_dec_new(wzp_opus_dec **out) {
    wzp_opus_dec *dec = calloc(1, sizeof *dec);
    int failed = OPUS_OK;
    if (dec == NULL) {
        return WZP_ERR_NOMEM;
    }
    dec->opus = opus_decoder_create(WZP_OPUS_RATE_HZ, 1, &failed);
    if (failed != OPUS_OK) {
        free(dec);
        return WZP_ERR_NOMEM;
    }
    dec->limit = WZP_OPUS_DRED_FRAMES;
    create_dred(dec);
    *out = dec;
    return WZP_OK;
}

void wzp_opus_dec_free(wzp_opus_dec **dec) {
    if (*dec != NULL) {
        destroy_dred(*dec);
        opus_decoder_destroy((*dec)->opus);
        free(*dec);
        *dec = NULL;
    }
}

void wzp_opus_dec_limit_dred(wzp_opus_dec *dec, unsigned frames) {
    dec->limit = frames;
}

void wzp_opus_dec_count(const wzp_opus_dec *dec, wzp_opus_counters *out) {
    *out = dec->counters;
}

/* --- arrivals --------------------------------------------------------------------------------- */

void wzp_opus_dec_arrive(wzp_opus_dec *dec, uint32_t timestamp_ms, wzp_bytes packet) {
    kept *k = &dec->ring[dec->next];
    if (packet.len == 0 || packet.len > sizeof k->packet) {
        return;
    }
    dec->next = (dec->next + 1) % WZP_OPUS_RING;
    dec->unpacked = dec->unpacked == k ? NULL : dec->unpacked;
    k->timestamp_ms = timestamp_ms;
    k->len = (uint16_t)packet.len;
    k->is_known = false;
    memcpy(k->packet, packet.data, packet.len);
}

void wzp_opus_dec_forget(wzp_opus_dec *dec) {
    for (size_t i = 0; i < WZP_OPUS_RING; i++) {
        dec->ring[i].len = 0;
    }
    dec->unpacked = NULL;
}

/* --- DRED ------------------------------------------------------------------------------------- */

#if WITH_DRED
size_t wzp_opus_dec_dred_reach(wzp_opus_dec *dec, wzp_bytes packet) {
    int end = 0;
    dec->unpacked = NULL;
    if (dec->dred == NULL || packet.len == 0 || packet.len > INT32_MAX) {
        return 0;
    }
    const int reach = opus_dred_parse(dec->dred_dec, dec->dred, packet.data, (opus_int32)packet.len,
                                      WZP_OPUS_RATE_HZ, WZP_OPUS_RATE_HZ, &end, 1);
    return reach <= 0 ? 0 : (size_t)(reach < DRED_MOST ? reach : DRED_MOST);
}

static bool unpack(wzp_opus_dec *dec, const kept *k) {
    if (dec->unpacked == k) {
        return true;
    }
    if (wzp_opus_dec_dred_reach(dec, wzp_bytes_of(k->packet, k->len)) == 0 ||
        opus_dred_process(dec->dred_dec, dec->dred, dec->dred) != OPUS_OK) {
        return false;
    }
    dec->unpacked = k;
    return true;
}

static bool decode_dred(wzp_opus_dec *dec, const kept *k, size_t back, int16_t *pcm,
                        size_t samples) {
    return unpack(dec, k) && opus_decoder_dred_decode(dec->opus, dec->dred, (opus_int32)back, pcm,
                                                      (opus_int32)samples) == (int)samples;
}
#else
size_t wzp_opus_dec_dred_reach(wzp_opus_dec *dec, wzp_bytes packet) {
    (void)dec;
    (void)packet;
    return 0;
}

static bool decode_dred(wzp_opus_dec *dec, const kept *k, size_t back, int16_t *pcm,
                        size_t samples) {
    (void)dec;
    (void)k;
    (void)back;
    (void)pcm;
    (void)samples;
    return false;
}
#endif

static size_t reach_of(wzp_opus_dec *dec, kept *k) {
    if (!k->is_known) {
        k->reach = (uint16_t)wzp_opus_dec_dred_reach(dec, wzp_bytes_of(k->packet, k->len));
        k->is_known = true;
    }
    return k->reach;
}

/* The packet closest after the gap that reaches back to it; *back samples after the start of the
 * missing frame.  Usually it is the very next one: candidates are looked at from the nearest on. */
static const kept *find_after(wzp_opus_dec *dec, uint32_t timestamp_ms, size_t samples,
                              size_t *back) {
    const uint64_t most = (uint64_t)dec->limit * samples;
    uint32_t beyond = 0; /* nearer ones did not reach */
    for (;;) {
        kept *nearest = NULL;
        uint32_t distance = UINT32_MAX / 2;
        for (size_t i = 0; i < WZP_OPUS_RING; i++) {
            const uint32_t ahead = dec->ring[i].timestamp_ms - timestamp_ms;
            if (dec->ring[i].len > 0 && ahead > beyond && ahead < distance) {
                nearest = &dec->ring[i];
                distance = ahead;
            }
        }
        const uint64_t away = (uint64_t)distance * SAMPLES_PER_MS;
        if (nearest == NULL || away > most || away > DRED_MOST) {
            return NULL;
        }
        if (away <= reach_of(dec, nearest)) {
            *back = (size_t)away;
            return nearest;
        }
        beyond = distance;
    }
}

/* --- sound ------------------------------------------------------------------------------------ */

wzp_err wzp_opus_dec_frame(wzp_opus_dec *dec, wzp_bytes packet, int16_t *pcm, size_t cap,
                           size_t *samples) {
    /* libopus reads a NULL or empty packet as "conceal": an empty payload is not a frame. */
    if (packet.len == 0 || packet.len > INT32_MAX) {
        dec->counters.undecodable++;
        return WZP_ERR_PARSE;
    }
    const int n = opus_decode(dec->opus, packet.data, (opus_int32)packet.len, pcm,
                              cap < WZP_OPUS_FRAME_MAX ? (int)cap : WZP_OPUS_FRAME_MAX, 0);
    if (n < 0) {
        dec->counters.undecodable++;
        return WZP_ERR_PARSE;
    }
    dec->counters.decoded++;
    *samples = (size_t)n;
    return WZP_OK;
}

static wzp_concealment conceal(wzp_opus_dec *dec, int16_t *pcm, size_t samples) {
    if (samples > WZP_OPUS_FRAME_MAX || opus_decode(dec->opus, NULL, 0, pcm, (int)samples, 0) < 0) {
        memset(pcm, 0, samples * sizeof *pcm);
        dec->counters.silent++;
        return WZP_CONCEALED_BY_SILENCE;
    }
    dec->counters.classical_plc++;
    return WZP_CONCEALED_BY_PLC;
}

void wzp_opus_dec_continue(wzp_opus_dec *dec, int16_t *pcm, size_t samples) {
    const wzp_opus_counters before = dec->counters;
    (void)conceal(dec, pcm, samples);
    dec->counters = before;
}

void wzp_opus_dec_restart(wzp_opus_dec *dec) {
    opus_decoder_ctl(dec->opus, OPUS_RESET_STATE);
}

void wzp_opus_dec_conceal(wzp_opus_dec *dec, int16_t *pcm, size_t samples) {
    (void)conceal(dec, pcm, samples);
}

/* In-band FEC is about the frame right before its packet, so that the caller's frame must be as
 * long as the packet's. */
static bool decode_fec(wzp_opus_dec *dec, uint32_t timestamp_ms, int16_t *pcm, size_t samples) {
    const uint32_t next = timestamp_ms + (uint32_t)(samples / SAMPLES_PER_MS);
    for (size_t i = 0; i < WZP_OPUS_RING; i++) {
        const kept *k = &dec->ring[i];
        if (k->len > 0 && k->timestamp_ms == next && opus_packet_has_lbrr(k->packet, k->len) == 1) {
            return opus_decode(dec->opus, k->packet, k->len, pcm, (int)samples, 1) == (int)samples;
        }
    }
    return false;
}

wzp_concealment wzp_opus_dec_recover(wzp_opus_dec *dec, uint32_t timestamp_ms, int16_t *pcm,
                                     size_t samples) {
    size_t back = 0;
    const kept *k =
        samples <= WZP_OPUS_FRAME_MAX ? find_after(dec, timestamp_ms, samples, &back) : NULL;
    if (k != NULL && decode_dred(dec, k, back, pcm, samples)) {
        dec->counters.dred_reconstructions++;
        return WZP_CONCEALED_BY_DRED;
    }
    if (samples <= WZP_OPUS_FRAME_MAX && decode_fec(dec, timestamp_ms, pcm, samples)) {
        dec->counters.inband_fec++;
        return WZP_CONCEALED_BY_FEC;
    }
    return conceal(dec, pcm, samples);
}
