/* What came back of a sound that was sent through a call, in windows (tools sheet 4, 12).
 *
 * The two are aligned before they are compared, and again in every second in which they have
 * stopped to be alike: a jitter buffer moves what it plays by whole frames.  One thread, allocates
 * and frees while it works. */
#ifndef WZP_SOUND_ECHO_H
#define WZP_SOUND_ECHO_H

#include <stdbool.h>

#include "sound/align.h"

#define WZP_ECHO_WINDOW ((size_t)5 * 48000) /* samples */
#define WZP_ECHO_SILENT_PEAK 100            /* below it nothing was heard */
#define WZP_ECHO_DELAY_MAX_MS 1250          /* the first window's; later ones stay near it */

typedef struct wzp_echo_window {
    double snr_db;      /* of the waveforms; -60..60 */
    double correlation; /* -1..1; 0 when nothing was heard */
    int32_t delay;      /* samples by which it is heard later than said; of the last second */
    uint32_t moves;     /* seconds in which the delay became another one */
    int32_t peak;       /* of what was heard, 0..32768 */
    bool silent;
} wzp_echo_window;

/* How many windows a sound of `len` samples has: the last one may be short, but not less than a
 * second, which is then left out. */
size_t wzp_echo_count(size_t len);

/* Fills windows[wzp_echo_count(said->len)].  Window i is about said[i * WZP_ECHO_WINDOW ...].  What
 * is heard begins at most a quarter of the first window after what is said.
 * WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_echo_compare(wzp_echo_window *windows, const wzp_align_sound *said,
                                      const wzp_align_sound *heard);

#endif
