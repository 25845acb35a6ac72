/* What one listener hears of one sender: which slots were true and how long frames were under way.
 *
 * Fed with every frame that arrives and every frame that is played, in the order of time and on the
 * network's clock.  What was not played is known from the numbers of what was.  The timeline is
 * that of the output: it begins with the first frame played, and when a jitter buffer starts anew
 * with a longer delay, the wait is in it.  nat sheet 2.13. */
#ifndef WZP_SIM_HOST_EAR_H
#define WZP_SIM_HOST_EAR_H

#include "sim/host/judge.h"
#include "sim/host/speech.h"

typedef struct wzp_sim_ear wzp_sim_ear;

wzp_sim_ear *wzp_sim_ear_new(uint32_t sender); /* NULL: out of memory */
void wzp_sim_ear_free(wzp_sim_ear **ear);

void wzp_sim_ear_arrive(wzp_sim_ear *ear, const wzp_sim_speech *frame, wzp_time now);
void wzp_sim_ear_play(wzp_sim_ear *ear, const wzp_sim_speech *frame, wzp_time now);

bool wzp_sim_ear_has_played(const wzp_sim_ear *ear);

/* The sender has left: nothing more is expected, unless a frame is played that it said later. */
void wzp_sim_ear_leave(wzp_sim_ear *ear, wzp_time now);

typedef struct wzp_sim_heard {
    uint32_t sender;
    wzp_time first_at, last_at; /* played; WZP_TIME_NEVER: none was */
    uint64_t played, arrived;   /* frames, each counted once */
    uint64_t lost;              /* said between the first and the last that arrived, and did not */
    uint64_t late;              /* arrived and were not played, though later ones were */
    uint64_t duplicates, reordered;
    uint64_t skipped;   /* slots that were said and have no place in the output: it caught up */
    uint64_t slots;     /* of the timeline */
    uint64_t recovered; /* slots: by DRED of a later frame that was there when they were due */
    /* From the sender's microphone: to the network's end, and to the listener's ear; ns,
     * percentiles within 1.6 %.  0: nothing arrived. */
    uint64_t delay_min, delay_p50, delay_p95, delay_p99, delay_max;
    uint64_t ear_p50, ear_p95, ear_max;
    uint64_t jitter; /* RFC 3550, 6.4.1, ns */
    wzp_sim_verdict verdict;
    bool incomplete; /* memory ran out: do not trust it */
} wzp_sim_heard;

/* As of `until`: what should have been played by then and was not is concealed. */
void wzp_sim_ear_report(wzp_sim_ear *ear, wzp_time until, wzp_sim_heard *out);

/* The timeline as of `until`, which is not before the last frame played; borrowed until the next
 * call on `ear`.  A moment on it is slot wzp_sim_ear_slot_at; 0 if it lies before the first. */
wzp_sim_slots wzp_sim_ear_slots(wzp_sim_ear *ear, wzp_time until);
size_t wzp_sim_ear_slot_at(const wzp_sim_ear *ear, wzp_time at);

#endif
