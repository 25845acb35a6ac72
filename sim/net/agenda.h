/* Packets on their way, in the order in which they arrive.  One task of the clock waits for the
 * first of them, however many there are.  A ring that grows and then stays. */
#ifndef WZP_SIM_NET_AGENDA_H
#define WZP_SIM_NET_AGENDA_H

#include "sim/net/packet.h"
#include "sim/net/timer.h"

typedef struct wzp_sim_date {
    wzp_time due;
    wzp_sim_packet *packet;
} wzp_sim_date;

typedef struct wzp_sim_agenda {
    wzp_sim_date *ring; /* `count` dates from `head`, ascending */
    size_t cap, head, count;
    wzp_sim_timer timer;
} wzp_sim_agenda;

void wzp_sim_agenda_init(wzp_sim_agenda *agenda, wzp_sim_clock clock, wzp_sim_task *task,
                         void *self);
void wzp_sim_agenda_clear(wzp_sim_agenda *agenda); /* frees the packets */

/* Behind all that are due at the same time.  Cheap at the end and close to it.  `packet` is taken;
 * false: out of memory, and it is still the caller's. */
bool wzp_sim_agenda_push(wzp_sim_agenda *agenda, wzp_time due, wzp_sim_packet *packet);

/* For the task: the packet that is due, one in each task so that the engine's limit of events also
 * ends a loop without delay; NULL: none yet.  Plans the next. */
wzp_sim_packet *wzp_sim_agenda_pop(wzp_sim_agenda *agenda, wzp_time now);

#endif
