/* What the scripts of chapter X share: a control pair in a room of its own that talks while
 * somebody else is attacked, and the counts of the attack. */
#ifndef WZP_CONFORMANCE_CASES_RELAY_HARD_H
#define WZP_CONFORMANCE_CASES_RELAY_HARD_H

#include "conformance/cases/relay/steps.h"

typedef struct wzp_ct_hard {
    char control_room[80], other_room[80];
    wzp_time talk_from;     /* 0: the control says nothing yet */
    uint32_t spoken, heard; /* by the control */
    uint32_t sent, arrived; /* by X, at L */
    uint32_t strange;       /* came to L and may come to nobody */
    uint64_t before;        /* what an act compares with */
    size_t next;            /* of the crowd, or of what an act repeats */
    wzp_time next_at;
} wzp_ct_hard;

/* Sends packet number `sent` of `who`, which L counts: speech of 76 bytes. */
bool wzp_ct_hard_speak(wzp_ct_exec *exec, wzp_ct_who who, uint32_t seq);

/* KX and KL join the control's room, and see each other. */
bool wzp_ct_hard_join_control(wzp_ct_exec *exec, wzp_time now);
extern const wzp_ct_whos wzp_ct_hard_control;

#define WZP_CT_CONTROL_JOINED                                                                      \
    {                                                                                              \
        .required = "a control pair is in a room of its own", .within_s = 5,                       \
        .begin = wzp_ct_hard_join_control, .go = wzp_ct_step_joined,                               \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = &wzp_ct_hard_control                             \
    }

/* The control says what is due. */
void wzp_ct_hard_talk(wzp_ct_exec *exec, wzp_time now);
/* What the control said must have arrived but for one packet in a hundred. */
wzp_ct_so_far wzp_ct_hard_weigh(wzp_ct_exec *exec);

#endif
