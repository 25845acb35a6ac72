/* Seats: packet cores on sockets.
 *
 *     packet -> recv -+-> tick -> after -> next_packet ... -> deadline -> a task at that time
 *     task -----------+
 *
 * A task that waits cannot be taken back.  A seat remembers the earliest one and leaves another
 * only for an earlier time; one that comes too early leaves another. */
#include <assert.h>
#include <stdlib.h>

#include "sim/host/internal.h"

enum {
    RUN_BYTES = 4500, /* on the stack: three packets of a run at a time */
    ROUNDS_MAX = 8    /* of output that asks for more output, before time goes on */
};

struct wzp_sim_seat {
    wzp_sim_host *host;
    wzp_sim_seat *next;
    wzp_sim_socket *socket, *other; /* `other`: NULL, or a second one */
    wzp_sim_socket **more;          /* the core has asked for */
    size_t more_count;
    wzp_core core;
    void (*after)(void *ctx, wzp_time now);
    void *ctx;
    wzp_time due;     /* network time at which the core wants to be served */
    wzp_time wake;    /* that of the earliest task; WZP_TIME_NEVER: none that counts */
    unsigned waiting; /* tasks that know this seat */
    bool asked;       /* to be served whatever its deadline is */
    bool serving, again, gone;
    wzp_quic_path path;
};

static void release(wzp_sim_seat *seat) {
    wzp_sim_seat **at = &seat->host->seats;
    if (seat->waiting > 0 || seat->serving) {
        return; /* somebody still comes back to it */
    }
    while (*at != seat) {
        at = &(*at)->next;
    }
    *at = seat->next;
    free(seat->more);
    free(seat);
}

/* An address without an IP names its port only.  NULL: a socket that is closed by now. */
static wzp_sim_socket *socket_of(const wzp_sim_seat *seat, wzp_addr *local) {
    static const uint8_t any[sizeof local->ip];
    const uint16_t port = local->port;
    if (memcmp(local->ip, any, sizeof any) == 0) {
        local->family = WZP_ADDR_NONE;
    }
    if (port == 0 || port == wzp_sim_socket_port(seat->socket)) {
        return seat->socket;
    }
    if (seat->other != NULL && wzp_sim_socket_port(seat->other) == port) {
        return seat->other;
    }
    for (size_t k = 0; k < seat->more_count; k++) {
        if (wzp_sim_socket_port(seat->more[k]) == port) {
            return seat->more[k];
        }
    }
    return NULL;
}

static void send_run(wzp_sim_seat *seat, const wzp_quic_meta *meta, wzp_bytes run, wzp_time now) {
    wzp_addr local = meta->path.local;
    wzp_sim_socket *socket = socket_of(seat, &local);
    assert(meta->segment > 0);
    if (socket == NULL) {
        seat->host->counts.dropped[WZP_SIM_DROP_NO_SOCKET]++;
        return;
    }
    for (size_t at = 0; at < run.len && !seat->gone; at += meta->segment) {
        const size_t n = run.len - at < meta->segment ? run.len - at : meta->segment;
        (void)wzp_sim_socket_send(socket, &local, &meta->path.remote, meta->ecn,
                                  wzp_bytes_of(run.data + at, n), now); /* no route: lost */
    }
}

/* The seat may be freed by whoever gets the packets. */
static void drain(wzp_sim_seat *seat, wzp_time local, wzp_time now) {
    const wzp_core core = seat->core;
    uint8_t buf[RUN_BYTES];
    wzp_quic_meta meta;
    while (!seat->gone) {
        const size_t n = core.ops->next_packet(core.self, local, buf, sizeof buf, &meta);
        if (n == 0) {
            break;
        }
        send_run(seat, &meta, wzp_bytes_of(buf, n), now);
    }
}

static void on_wake(void *self, void *arg, wzp_time now);

static void leave_wake(wzp_sim_seat *seat, wzp_time at) {
    if (at < seat->wake) {
        seat->wake = at;
        seat->waiting++;
        wzp_sim_at(seat->host->clock, at, on_wake, seat, NULL);
    }
}

static void arm(wzp_sim_seat *seat, wzp_time deadline, wzp_time now) {
    seat->due = wzp_sim_host_network_time(seat->host, deadline);
    if (seat->due <= now) {
        seat->due = now + WZP_US; /* it wants something that it cannot have now */
    }
    leave_wake(seat, seat->due);
}

static void serve(wzp_sim_seat *seat, wzp_time now) {
    const wzp_core core = seat->core;
    const wzp_time local = wzp_sim_host_local_time(seat->host, now);
    wzp_time deadline = 0;
    seat->serving = true;
    seat->host->inside++;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        seat->again = false;
        core.ops->tick(core.self, local);
        if (seat->after != NULL) {
            seat->after(seat->ctx, local);
        }
        drain(seat, local, now);
        if (seat->gone) {
            break;
        }
        deadline = core.ops->deadline(core.self);
        if (deadline > local && !seat->again) {
            break;
        }
    }
    seat->host->inside--;
    seat->serving = false;
    if (seat->gone) {
        release(seat);
    } else {
        arm(seat, deadline, now);
    }
}

static void on_wake(void *self, void *arg, wzp_time now) {
    wzp_sim_seat *seat = self;
    (void)arg;
    seat->waiting--;
    if (seat->gone) {
        release(seat);
        return;
    }
    if (seat->wake != now) {
        return; /* an earlier task has come since and left another */
    }
    seat->wake = WZP_TIME_NEVER;
    if (seat->due <= now) {
        serve(seat, now);
    } else {
        leave_wake(seat, seat->due); /* it changed its mind */
    }
}

static void on_packet(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                      wzp_bytes payload, wzp_time now) {
    wzp_sim_seat *seat = ctx;
    seat->path = (wzp_quic_path){*local, *remote};
    seat->core.ops->recv(seat->core.self, &seat->path, ecn, payload,
                         wzp_sim_host_local_time(seat->host, now));
    serve(seat, now);
}

wzp_sim_seat *wzp_sim_host_seat(wzp_sim_host *host, uint16_t port, wzp_core core,
                                void (*after)(void *ctx, wzp_time now), void *ctx) {
    wzp_sim_seat *seat = calloc(1, sizeof *seat);
    if (seat == NULL) {
        return NULL;
    }
    *seat = (wzp_sim_seat){.host = host, .core = core, .after = after, .ctx = ctx};
    seat->socket = wzp_sim_host_bind(host, port, on_packet, seat);
    if (seat->socket == NULL) {
        free(seat);
        return NULL;
    }
    seat->next = host->seats;
    host->seats = seat;
    seat->wake = WZP_TIME_NEVER;
    wzp_sim_seat_wake(seat);
    return seat;
}

bool wzp_sim_seat_also(wzp_sim_seat *seat, uint16_t port) {
    assert(seat->other == NULL);
    seat->other = wzp_sim_host_bind(seat->host, port, on_packet, seat);
    return seat->other != NULL;
}

/* By a task, so that it does not matter from where it is called. */
void wzp_sim_seat_wake(wzp_sim_seat *seat) {
    const wzp_time now = wzp_sim_now(seat->host->clock);
    if (seat->serving) {
        seat->again = true;
        return;
    }
    seat->due = now;
    leave_wake(seat, now);
}

wzp_time wzp_sim_seat_now(const wzp_sim_seat *seat) {
    return wzp_sim_host_local_time(seat->host, wzp_sim_now(seat->host->clock));
}

uint16_t wzp_sim_seat_port(const wzp_sim_seat *seat) {
    return wzp_sim_socket_port(seat->socket);
}

uint16_t wzp_sim_seat_open(wzp_sim_seat *seat) {
    if (seat->more == NULL) {
        seat->more = calloc(WZP_SIM_SEAT_SOCKETS_MAX, sizeof(wzp_sim_socket *));
    }
    if (seat->more == NULL || seat->more_count == WZP_SIM_SEAT_SOCKETS_MAX) {
        return 0;
    }
    wzp_sim_socket *s = wzp_sim_host_bind(seat->host, 0, on_packet, seat);
    if (s == NULL) {
        return 0;
    }
    seat->more[seat->more_count++] = s;
    return wzp_sim_socket_port(s);
}

void wzp_sim_seat_shut(wzp_sim_seat *seat, bool (*keeps)(void *ctx, uint16_t port), void *ctx) {
    size_t kept = 0;
    for (size_t i = 0; i < seat->more_count; i++) {
        if (keeps(ctx, wzp_sim_socket_port(seat->more[i]))) {
            seat->more[kept++] = seat->more[i];
        } else {
            wzp_sim_socket_close(&seat->more[i]);
        }
    }
    seat->more_count = kept;
}

wzp_quic_path wzp_sim_seat_path(const wzp_sim_seat *seat) {
    return seat->path;
}

void wzp_sim_seat_free(wzp_sim_seat **seat) {
    wzp_sim_seat *s = *seat;
    if (s != NULL) {
        wzp_sim_socket_close(&s->socket);
        wzp_sim_socket_close(&s->other);
        for (size_t i = 0; i < s->more_count; i++) {
            wzp_sim_socket_close(&s->more[i]);
        }
        s->more_count = 0;
        s->gone = true;
        *seat = NULL;
        release(s);
    }
}

void wzp_sim_seats_free(wzp_sim_host *host) {
    while (host->seats != NULL) {
        wzp_sim_seat *seat = host->seats;
        host->seats = seat->next;
        free(seat->more);
        free(seat);
    }
}
