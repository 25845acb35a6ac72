/* Ears and mouth of wzp-client: what is said comes from a file or a tone, what is heard goes into
 * files.  Names that end in .raw or .pcm are samples without a head, as deployed clients use them:
 * 48 kHz, mono, 16 bits, little endian. */
#ifndef WZP_BIN_CLIENT_CLIENT_SOUND_H
#define WZP_BIN_CLIENT_CLIENT_SOUND_H

#include <stdbool.h>

#include "base/time.h"
#include "client/client.h"

#define WZP_CLIENT_RATE 48000

bool wzp_client_is_raw(const char *path);

/* --- mouth ------------------------------------------------------------------------------------ */

typedef struct wzp_mouth {
    int16_t *pcm; /* of a file; NULL: a tone, or silence */
    size_t len;
    double tone_hz;    /* 0: silence */
    uint64_t tone_end; /* samples of tone; 0: for ever */
    uint64_t position; /* samples said */
} wzp_mouth;

/* Reads the file.  False, after a line about it. */
bool wzp_mouth_open(wzp_mouth *mouth, const char *path);
void wzp_mouth_say(wzp_mouth *mouth, int16_t *pcm, size_t samples);
void wzp_mouth_close(wzp_mouth *mouth);

/* --- ears ------------------------------------------------------------------------------------- */

typedef struct wzp_ears wzp_ears;

/* One WAV file for each sender in the folder `path`, or everybody in the one raw file `path`.
 * False, after a line about it. */
bool wzp_ears_open(wzp_ears **out, const char *path);
/* What WZP_CLIENT_PLAY gave at `now`.  NULL: nobody records. */
void wzp_ears_hear(wzp_ears *ears, const wzp_client_event *ev, wzp_time now);
/* Says which recordings are not complete.  Accepts NULL, leaves NULL. */
void wzp_ears_close(wzp_ears **ears);

#endif
