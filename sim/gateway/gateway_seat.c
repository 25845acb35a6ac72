#include "sim/gateway/gateway_seat.h"

#include <stdlib.h>

#include "nat/natpmp.h"

/* A connection that is open. */
typedef struct fetch {
    wzp_sim_gateway_seat *seat;
    struct fetch *next;
    wzp_addr from, to;
    uint64_t one_way;
    wzp_sim_gateway_response *response;
    void *ctx;
    wzp_sim_gateway_reach reach;
    wzp_bytes answer; /* view into text */
    size_t request_len;
    uint8_t text[]; /* the request, and then room for the response */
} fetch;

struct wzp_sim_gateway_seat {
    wzp_sim_gateway *gateway;
    wzp_sim_box *box;
    wzp_sim_clock clock;
    wzp_time wake; /* of the task that waits; NEVER: none */
    fetch *fetches;
};

static void serve(wzp_sim_gateway_seat *seat, wzp_time now);

static void wake(void *self, void *arg, wzp_time now) {
    wzp_sim_gateway_seat *seat = self;
    (void)arg;
    if (now >= seat->wake) { /* else it is of an earlier mind */
        seat->wake = WZP_TIME_NEVER;
        serve(seat, now);
    }
}

/* Does what is due and leaves a task for what is not. */
static void serve(wzp_sim_gateway_seat *seat, wzp_time now) {
    wzp_sim_gateway_datagram datagram;
    wzp_sim_gateway_tick(seat->gateway, now);
    while (wzp_sim_gateway_next(seat->gateway, now, &datagram)) {
        if (wzp_sim_box_is_up(seat->box)) {
            wzp_sim_box_answer(seat->box, &datagram.from, &datagram.to,
                               wzp_bytes_of(datagram.data, datagram.len), now);
        }
    }
    const wzp_time due = wzp_sim_gateway_deadline(seat->gateway);
    if (due < seat->wake) {
        seat->wake = due;
        wzp_sim_at(seat->clock, due, wake, seat, NULL);
    }
}

static void heard(void *ctx, const wzp_addr *from, const wzp_addr *to, wzp_bytes payload,
                  wzp_time now) {
    wzp_sim_gateway_seat *seat = ctx;
    wzp_sim_gateway_recv(seat->gateway, from, to, payload, now);
    serve(seat, now);
}

static void booted(void *ctx, wzp_time now) {
    wzp_sim_gateway_seat *seat = ctx;
    wzp_sim_gateway_reboot(seat->gateway, now);
    serve(seat, now);
}

wzp_err wzp_sim_gateway_seat_new(wzp_sim_gateway_seat **out, const wzp_sim_gateway_cfg *cfg,
                                 wzp_sim_box *box, wzp_sim_clock clock, const char *name) {
    static const uint16_t ports[] = {WZP_NATPMP_PORT, WZP_SIM_SSDP_PORT};
    const wzp_addr inside = wzp_sim_box_inside(box, WZP_ADDR_V4);
    const wzp_addr inside_v6 = wzp_sim_box_inside(box, WZP_ADDR_V6);
    wzp_sim_gateway_seat *seat = calloc(1, sizeof *seat);
    if (seat == NULL || wzp_sim_gateway_new(&seat->gateway, cfg, wzp_sim_box_nat(box), &inside,
                                            clock.seed, name, wzp_sim_now(clock)) != WZP_OK) {
        free(seat);
        return WZP_ERR_NOMEM;
    }
    wzp_sim_gateway_set_v6(seat->gateway, wzp_sim_box_nat_v6(box), &inside_v6);
    seat->box = box;
    seat->clock = clock;
    seat->wake = WZP_TIME_NEVER;
    for (size_t i = 0; i < WZP_COUNT_OF(ports); i++) {
        if (wzp_sim_gateway_listens(seat->gateway, ports[i])) {
            wzp_sim_box_listen(box, WZP_SIM_UDP, ports[i], heard, seat);
        }
    }
    wzp_sim_box_on_boot(box, booted, seat);
    *out = seat;
    return WZP_OK;
}

void wzp_sim_gateway_seat_free(wzp_sim_gateway_seat **seat) {
    wzp_sim_gateway_seat *s = *seat;
    if (s == NULL) {
        return;
    }
    wzp_sim_box_listen(s->box, WZP_SIM_UDP, WZP_NATPMP_PORT, NULL, NULL);
    wzp_sim_box_listen(s->box, WZP_SIM_UDP, WZP_SIM_SSDP_PORT, NULL, NULL);
    wzp_sim_box_on_boot(s->box, NULL, NULL);
    while (s->fetches != NULL) {
        fetch *f = s->fetches;
        s->fetches = f->next;
        free(f);
    }
    wzp_sim_gateway_free(&s->gateway);
    free(s);
    *seat = NULL;
}

wzp_sim_gateway *wzp_sim_gateway_seat_gateway(wzp_sim_gateway_seat *seat) {
    return seat->gateway;
}

void wzp_sim_gateway_seat_wake(wzp_sim_gateway_seat *seat, wzp_time now) {
    serve(seat, now);
}

/* --- HTTP ------------------------------------------------------------------------------------- */

static void forget(fetch *f) {
    fetch **at = &f->seat->fetches;
    while (*at != f) {
        at = &(*at)->next;
    }
    *at = f->next;
    free(f);
}

/* The client has it all. */
static void arrived(void *self, void *arg, wzp_time now) {
    fetch *f = self;
    (void)arg;
    f->response(f->ctx, f->reach, f->answer, now);
    forget(f);
}

/* The request is at the gateway. */
static void requested(void *self, void *arg, wzp_time now) {
    fetch *f = self;
    wzp_wr wr;
    (void)arg;
    if (!wzp_sim_box_is_up(f->seat->box)) {
        forget(f);
        return;
    }
    wzp_wr_init(&wr, f->text + f->request_len, WZP_SIM_UPNP_HTTP_MAX);
    f->reach = wzp_sim_gateway_http(f->seat->gateway, &f->from, &f->to,
                                    wzp_bytes_of(f->text, f->request_len), now, &wr);
    f->answer = wzp_bytes_of(wr.base, wzp_wr_len(&wr));
    serve(f->seat, now); /* leases have changed */
    switch (f->reach) {
    case WZP_SIM_GATEWAY_ANSWERED:
        wzp_sim_at(f->seat->clock,
                   wzp_time_after(now, f->one_way + wzp_sim_gateway_delay(f->seat->gateway)),
                   arrived, f, NULL);
        break;
    case WZP_SIM_GATEWAY_REFUSED:
        wzp_sim_at(f->seat->clock, now, arrived, f, NULL);
        break;
    case WZP_SIM_GATEWAY_NOTHING:
        forget(f);
        break;
    }
}

wzp_err wzp_sim_gateway_fetch(wzp_sim_gateway_seat *seat, const wzp_addr *from, const wzp_addr *to,
                              wzp_bytes request, uint64_t one_way,
                              wzp_sim_gateway_response *response, void *ctx, wzp_time now) {
    fetch *f = calloc(1, sizeof *f + request.len + WZP_SIM_UPNP_HTTP_MAX);
    if (f == NULL) {
        return WZP_ERR_NOMEM;
    }
    f->seat = seat;
    f->next = seat->fetches;
    seat->fetches = f;
    f->from = *from;
    f->to = *to;
    f->one_way = one_way;
    f->response = response;
    f->ctx = ctx;
    f->request_len = request.len;
    if (request.len != 0) {
        memcpy(f->text, request.data, request.len);
    }
    /* The answer to SYN comes after 2 ways; a request arrives after 3. */
    const bool refused = wzp_sim_gateway_connect(seat->gateway, to) == WZP_SIM_GATEWAY_REFUSED;
    wzp_sim_at(seat->clock, wzp_time_after(now, (refused ? 2 : 3) * one_way), requested, f, NULL);
    return WZP_OK;
}
