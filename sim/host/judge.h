/* How a call was, from what a listener heard of one sender: 20 ms slots of output in a row.
 *
 * Integers only; no memory of its own.  nat sheet 2.13. */
#ifndef WZP_SIM_HOST_JUDGE_H
#define WZP_SIM_HOST_JUDGE_H

#include "base/bytes.h"
#include "base/time.h"

#define WZP_SIM_SLOT_MS 20
#define WZP_SIM_SECOND_SLOTS 50

typedef enum wzp_sim_slot {
    WZP_SIM_SLOT_SILENT, /* nothing was said: neither good nor bad, and it ends a gap */
    WZP_SIM_SLOT_TRUE,   /* the sound of a frame that arrived in time */
    WZP_SIM_SLOT_CONCEALED,
    WZP_SIM_SLOT_RECOVERED /* its frame did not, but one that has its sound too: as good as true */
} wzp_sim_slot;

typedef enum wzp_sim_class {
    WZP_SIM_CLASS_A0, /* concealed at most 0.1 %, no gap over 40 ms */
    WZP_SIM_CLASS_A1, /* 1 %, 60 ms */
    WZP_SIM_CLASS_A2, /* 5 %, 120 ms */
    WZP_SIM_CLASS_A3, /* 12 %, 250 ms */
    WZP_SIM_CLASS_BAD /* worse than all of them */
} wzp_sim_class;

const char *wzp_sim_class_name(wzp_sim_class which); /* "A0" ... "A3", "bad"; static text */

/* False: there is no class of that name ("bad" is none to ask for). */
bool wzp_sim_class_parse(wzp_sim_class *out, const char *name);

/* Slots as bytes (wzp_sim_slot), oldest first; borrowed. */
typedef struct wzp_sim_slots {
    const uint8_t *slots;
    size_t count;
} wzp_sim_slots;

typedef struct wzp_sim_verdict {
    uint64_t expected, concealed; /* slots; the silent ones are in neither */
    uint32_t conc_ppm;            /* concealed / expected, rounded up; 0 if nothing was expected */
    uint32_t gap_ms;              /* longest run of concealed slots */
    uint64_t gaps;                /* runs of concealed slots */
    wzp_sim_class which;          /* the best class that both bounds allow */
} wzp_sim_verdict;

wzp_sim_verdict wzp_sim_judge(wzp_sim_slots heard);

/* The mean length of gaps against that of as much loss one by one, in thousandths; 0: no gap.  What
 * the E-model calls the burst ratio. */
uint32_t wzp_sim_burst_permille(const wzp_sim_verdict *verdict);

/* `from` up to but not including `to`, cut to what there is. */
wzp_sim_verdict wzp_sim_judge_range(wzp_sim_slots heard, size_t from, size_t to);

/* One second, or less at the end.  50 slots are too few for shares of a thousandth: a class allows
 * its share of them rounded up to whole slots, so one concealed slot a second is still A0. */
wzp_sim_class wzp_sim_judge_second(wzp_sim_slots heard, size_t from);

/* One event, E(gap, recovery): `begin` and `end` are slots.
 * The class before it is that of the last `WZP_SIM_EVENT_BEFORE_S` seconds, judged by the second
 * (the worst of them), or `WZP_SIM_CLASS_A0` if the event comes at once.
 * `enough` is the class that the call is to have anyhow: where single packets are lost, five
 * seconds without any are luck, and nobody is to come back to luck. */
#define WZP_SIM_EVENT_BEFORE_S 5

typedef struct wzp_sim_event_verdict {
    wzp_sim_class before;
    uint32_t gap_ms;      /* longest run of concealed slots that touches [begin, recovery) */
    uint32_t recovery_ms; /* from `end` until the first second of the class before, or of `enough`,
                             begins; half of it must be speech */
    bool recovered;       /* false: it never came back; recovery_ms is what was left of the call */
} wzp_sim_event_verdict;

wzp_sim_event_verdict wzp_sim_judge_event(wzp_sim_slots heard, size_t begin, size_t end,
                                          wzp_sim_class enough);

#endif
