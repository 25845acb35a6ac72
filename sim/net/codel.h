/* CoDel's memory (RFC 8289 5.1); one for a queue, or one for each flow (RFC 8290). */
#ifndef WZP_SIM_NET_CODEL_H
#define WZP_SIM_NET_CODEL_H

#include "sim/net/item.h"

typedef struct wzp_sim_codel {
    wzp_time first_above; /* when the wait will have been above target for an interval; 0: it is
                             not above */
    wzp_time drop_next;
    uint32_t count, last_count; /* drops since dropping began, this time and the time before */
    bool dropping;
} wzp_sim_codel;

struct wzp_sim_queue;

/* The next item of `items`; drops or marks some on the way.  NULL: empty. */
wzp_sim_item *wzp_sim_codel_pop(wzp_sim_codel *codel, struct wzp_sim_queue *queue,
                                wzp_sim_items *items, wzp_time now);

#endif
