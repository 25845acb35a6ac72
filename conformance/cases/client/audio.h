/* What a client sent within a while, in the order of its numbers, for cases that judge its audio.
 *
 * The path between it and the testers may lose packets and let others overtake them, and nobody
 * tells the testers: judges say "wrong" only of what no path can make of a good stream. */
#ifndef WZP_CONFORMANCE_CASES_CLIENT_AUDIO_H
#define WZP_CONFORMANCE_CASES_CLIENT_AUDIO_H

#include "conformance/engine/play.h"

/* One stream: the one of the first packet that came. */
typedef struct wzp_ct_audio {
    size_t count;
    const wzp_ct_heard_packet *packets[WZP_CT_HEARD_MAX];
} wzp_ct_audio;

/* The state of a play of these acts. */
typedef struct wzp_ct_audio_state {
    uint64_t from;     /* the first packet of the while */
    wzp_time since;    /* when that came, or the while began */
    unsigned switched; /* codecs that the client was told to use */
    wzp_ct_audio audio;
} wzp_ct_audio_state;

/* What an act waits for: `arg`. */
typedef struct wzp_ct_audio_watch {
    uint64_t span;  /* ns from the first packet */
    unsigned least; /* packets, or the act goes on */
    wzp_ct_so_far (*judge)(wzp_ct_exec *exec, const wzp_ct_audio *audio); /* NULL: nobody */
} wzp_ct_audio_watch;

/* In the room.  SKIP where the client was told a codec that it may lack, and ended. */
wzp_ct_so_far wzp_ct_step_audio_joined(wzp_ct_exec *exec, wzp_time now);
/* The first packet of the while is the next one that comes. */
bool wzp_ct_step_audio_anew(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_step_audio(wzp_ct_exec *exec, wzp_time now);

#define WZP_CT_AUDIO_JOINED                                                                        \
    {                                                                                              \
        .required = "the client joins the room that it was told", .within_s = 10,                  \
        .go = wzp_ct_step_audio_joined, .late = WZP_CT_REASON_NO_RESPONSE                          \
    }
#define WZP_CT_AUDIO(required_, watch)                                                             \
    {                                                                                              \
        .required = (required_), .within_s = 15, .begin = wzp_ct_step_audio_anew,                  \
        .go = wzp_ct_step_audio, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (watch)                 \
    }

/* Media sheet 1.1, once more: a client is not measured by its own table. */
static inline bool wzp_ct_is_opus(uint8_t codec) {
    return codec <= 2 || (codec >= 6 && codec <= 8);
}
static inline bool wzp_ct_is_codec2(uint8_t codec) {
    return codec == 3 || codec == 4;
}
static inline bool wzp_ct_is_repair(const wzp_ct_heard_packet *p) {
    return (p->hdr.flags & WZP_MEDIA_REPAIR) != 0;
}
static inline size_t wzp_ct_codec2_bytes(uint8_t codec) {
    return codec == 3 ? 8 : 6;
}
static inline uint32_t wzp_ct_frame_ms(uint8_t codec) {
    return codec == 2 || codec == 4 ? 40 : 20;
}

/* From `a` to `b`, of the wrapping numbers that the headers have. */
static inline int32_t wzp_ct_seq_step(const wzp_ct_heard_packet *a, const wzp_ct_heard_packet *b) {
    return (int32_t)(b->hdr.seq - a->hdr.seq);
}
static inline int32_t wzp_ct_ts_step(const wzp_ct_heard_packet *a, const wzp_ct_heard_packet *b) {
    return (int32_t)(b->hdr.timestamp_ms - a->hdr.timestamp_ms);
}

/* Comfort noise is among them: too little was said to judge more. */
bool wzp_ct_has_pauses(const wzp_ct_audio *audio);

/* Tells what is wrong with a packet and the one before it: "A, then B: WHY". */
void wzp_ct_say_pair(wzp_ct_exec *exec, const wzp_ct_heard_packet *a, const wzp_ct_heard_packet *b,
                     const char *why);
void wzp_ct_say_packet(wzp_ct_exec *exec, const wzp_ct_heard_packet *p, const char *why);

#endif
