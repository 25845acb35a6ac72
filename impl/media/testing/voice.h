/* A voice that is made up, for tests and benches without recordings: a buzz through three
 * resonances that move from vowel to vowel, with hisses between syllables.  Not
 * beautiful, but codecs spend their bits as they do on speech. */
#ifndef WZP_MEDIA_TESTING_VOICE_H
#define WZP_MEDIA_TESTING_VOICE_H

#include <stddef.h>
#include <stdint.h>

/* Fills pcm[samples] at 48 kHz, from the beginning; the same every time. */
void wzp_voice_speak(int16_t *pcm, size_t samples);

#endif
