#include "sim/net/agenda.h"

#include <stdlib.h>

#define FIRST_CAP 16

/* `cap` is a power of two, so that places wrap with a mask. */
static wzp_sim_date *place(const wzp_sim_agenda *agenda, size_t i) {
    return &agenda->ring[(agenda->head + i) & (agenda->cap - 1)];
}

void wzp_sim_agenda_init(wzp_sim_agenda *agenda, wzp_sim_clock clock, wzp_sim_task *task,
                         void *self) {
    *agenda = (wzp_sim_agenda){0};
    wzp_sim_timer_init(&agenda->timer, clock, task, self);
}

void wzp_sim_agenda_clear(wzp_sim_agenda *agenda) {
    for (size_t i = 0; i < agenda->count; i++) {
        wzp_sim_packet_free(place(agenda, i)->packet);
    }
    free(agenda->ring);
    agenda->ring = NULL;
    agenda->cap = agenda->head = agenda->count = 0;
}

static bool grow(wzp_sim_agenda *agenda) {
    const size_t cap = agenda->cap == 0 ? FIRST_CAP : agenda->cap * 2;
    wzp_sim_date *ring = calloc(cap, sizeof *ring);
    if (ring == NULL) {
        return false;
    }
    for (size_t i = 0; i < agenda->count; i++) {
        ring[i] = *place(agenda, i);
    }
    free(agenda->ring);
    agenda->ring = ring;
    agenda->cap = cap;
    agenda->head = 0;
    return true;
}

bool wzp_sim_agenda_push(wzp_sim_agenda *agenda, wzp_time due, wzp_sim_packet *packet) {
    if (agenda->count == agenda->cap && !grow(agenda)) {
        return false;
    }
    size_t i = agenda->count++;
    for (; i > 0 && place(agenda, i - 1)->due > due; i--) {
        *place(agenda, i) = *place(agenda, i - 1);
    }
    *place(agenda, i) = (wzp_sim_date){due, packet};
    if (i == 0) {
        wzp_sim_timer_set(&agenda->timer, due);
    }
    return true;
}

wzp_sim_packet *wzp_sim_agenda_pop(wzp_sim_agenda *agenda, wzp_time now) {
    if (!wzp_sim_timer_due(&agenda->timer, now)) {
        return NULL;
    }
    wzp_sim_packet *packet = place(agenda, 0)->packet;
    agenda->head = (agenda->head + 1) & (agenda->cap - 1);
    agenda->count--;
    if (agenda->count > 0) {
        wzp_sim_timer_set(&agenda->timer, place(agenda, 0)->due);
    } else {
        agenda->head = 0; /* the line that was touched last, and not a walk around the ring */
    }
    return packet;
}
