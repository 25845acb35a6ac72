/* Sliding anti-replay window over wrapping 32-bit sequence numbers (crypto sheet 7). */
#ifndef WZP_CRYPTO_REPLAY_H
#define WZP_CRYPTO_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define WZP_REPLAY_MAX 1024

typedef struct wzp_replay {
    uint16_t size; /* 32, 64, 256 or 1024 */
    bool started;
    uint32_t highest;
    uint64_t seen[WZP_REPLAY_MAX / 64]; /* ring: the bit of a number is number mod size */
} wzp_replay;

/* The window of a media type: audio 64, video 1024, data 256, control 32. */
uint16_t wzp_replay_size_of(uint8_t media_type);

/* A power of two from 32 to WZP_REPLAY_MAX. */
bool wzp_replay_size_ok(uint64_t size);

/* `size` must be one of these. */
void wzp_replay_init(wzp_replay *window, uint16_t size);

/* True and marked if `seq` was not accepted before and is not too old. */
bool wzp_replay_accept(wzp_replay *window, uint32_t seq);

#endif
