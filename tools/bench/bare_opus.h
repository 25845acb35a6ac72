/* libopus alone with the deployed settings: the floor of everything that has to do with sound. */
#ifndef WZP_BENCH_BARE_OPUS_H
#define WZP_BENCH_BARE_OPUS_H

#include <opus.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BARE_OPUS_FRAME = 960, BARE_OPUS_DRED_10MS = 20, BARE_OPUS_PACKET = 512 };

/* One end of a call: what it says is encoded, what it hears is decoded. */
typedef struct bare_opus {
    OpusEncoder *enc;
    OpusDecoder *dec;
} bare_opus;

/* Opus24k, complexity 7.  `dred_10ms` 0: no DRED.  False: out of memory. */
bool bare_opus_open(bare_opus *out, int dred_10ms);
void bare_opus_close(bare_opus *opus);

/* Bytes in packet[BARE_OPUS_PACKET] for pcm[BARE_OPUS_FRAME]; 0: the codec failed. */
size_t bare_opus_encode(bare_opus *opus, const int16_t *pcm, uint8_t *packet);

/* A frame both ways: encodes it and decodes it.  False: the codec failed. */
bool bare_opus_duplex(bare_opus *opus, const int16_t *pcm);

#endif
