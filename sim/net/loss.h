/* Which packets a link loses.  nat sheet 2.10. */
#ifndef WZP_SIM_NET_LOSS_H
#define WZP_SIM_NET_LOSS_H

#include "sim/net/link.h"

/* Gilbert: good and bad.  Four states: netem's 1 to 4. */
typedef enum wzp_sim_loss_state {
    WZP_SIM_LOSS_GOOD, /* 1: received in a gap between bursts */
    WZP_SIM_LOSS_BAD,  /* 3: lost in a burst */
    WZP_SIM_LOSS_CALM, /* 2: received within a burst */
    WZP_SIM_LOSS_LONE  /* 4: lost alone */
} wzp_sim_loss_state;

typedef struct wzp_sim_loss {
    wzp_sim_loss_cfg cfg;
    wzp_prng prng;
    wzp_time start;
    wzp_sim_loss_state state;
    uint64_t slots; /* Gilbert by time: steps taken since `start` */
    uint64_t index; /* of the next packet */
    size_t listed;  /* LIST: entries that lie behind `index` */
    uint32_t run;   /* losses in a row */
} wzp_sim_loss;

void wzp_sim_loss_init(wzp_sim_loss *loss, uint64_t seed, wzp_time start);

/* Another model begins in its good state; the same one with other numbers goes on. */
void wzp_sim_loss_set(wzp_sim_loss *loss, const wzp_sim_loss_cfg *cfg);

/* Once for each packet, in order. */
bool wzp_sim_loss_hit(wzp_sim_loss *loss, wzp_time now);

#endif
