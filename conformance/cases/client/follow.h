/* What a client makes of what it is told about quality: signals and reports sent to it, judged by
 * the codec of the packets that come from it afterwards. */
#ifndef WZP_CONFORMANCE_CASES_CLIENT_FOLLOW_H
#define WZP_CONFORMANCE_CASES_CLIENT_FOLLOW_H

#include "conformance/cases/client/audio.h"
#include "conformance/cases/client/hear.h"

/* The state of a play of these acts. */
typedef struct wzp_ct_follow {
    wzp_ct_hear hear;  /* what is sent to it; first, so that reels can be shown */
    uint64_t from;     /* the first packet since the act began */
    uint8_t was;       /* the codec of the newest source packet when the act began */
    uint8_t first;     /* and when it joined */
    unsigned attempts; /* of an act that tries more than once */
    wzp_time told_at;
} wzp_ct_follow;

/* It sends, and nothing has changed its codec yet. */
wzp_ct_so_far wzp_ct_step_client_begins(wzp_ct_exec *exec, wzp_time now);

/* A signal, and the codec that follows from it. */
typedef struct wzp_ct_word {
    const char *json;
    uint8_t codec;
    uint32_t lenient_ms; /* 0: two frames, and what the path takes; else so long */
} wzp_ct_word;

bool wzp_ct_step_tell(wzp_ct_exec *exec, wzp_time now);
/* Each packet from then on has the codec. */
wzp_ct_so_far wzp_ct_step_followed(wzp_ct_exec *exec, wzp_time now);
/* The codec stays what it was for a second and a half. */
wzp_ct_so_far wzp_ct_step_ignored(wzp_ct_exec *exec, wzp_time now);

/* --- what acts are made of -------------------------------------------------------------------- */

/* Notes `from` and `was`. */
void wzp_ct_follow_begin(wzp_ct_exec *exec, wzp_time now);
/* The codec of the newest source packet; -1: none came since the act began. */
int wzp_ct_follow_codec(const wzp_ct_exec *exec, const wzp_ct_follow *st);
/* Source packets since the act began that came after `at` and have another codec, or have it. */
unsigned wzp_ct_follow_others(const wzp_ct_exec *exec, const wzp_ct_follow *st, uint8_t codec,
                              wzp_time at);
unsigned wzp_ct_follow_count(const wzp_ct_exec *exec, const wzp_ct_follow *st, uint8_t codec,
                             wzp_time at);
/* "Opus24k"; of any codec. */
const char *wzp_ct_codec_name(int codec);
/* The path, or this machine, may be what went wrong. */
bool wzp_ct_follow_is_excused(wzp_ct_exec *exec);

#endif
