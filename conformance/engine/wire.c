/* Between a party and its socket: paths that are narrow, and a translator that forgets what it
 * knew. QUIC sees the address that it began with, the relay and the evidence see the one outside.
 */
#include <string.h>

#include "conformance/engine/exec.h"
#include "io/sockaddr.h"

static const wzp_addr *outside(const wzp_ct_exec *e, int i) {
    return e->wires[i].is_moved ? &e->wires[i].outside : &e->locals[i];
}

/* Sockets for all addresses of this machine are known by their ports. */
static bool is_at(const wzp_addr *a, const wzp_addr *b) {
    return a->port == b->port && (wzp_addr_is_any(a) || wzp_addr_equal(a, b));
}

/* `at`, on the interface that a packet came or leaves by if `at` names none. */
static wzp_addr placed(const wzp_addr *at, const wzp_addr *by) {
    wzp_addr addr = wzp_addr_is_any(at) ? *by : *at;
    addr.port = at->port;
    return addr;
}

static int party_outside(const wzp_ct_exec *e, const wzp_addr *local) {
    for (int i = 0; i < WZP_CT_PARTIES; i++) {
        if (is_at(outside(e, i), local)) {
            return i;
        }
    }
    return -1;
}

static int party_inside(const wzp_ct_exec *e, const wzp_addr *local) {
    for (int i = 0; i < WZP_CT_PARTIES; i++) {
        if (is_at(&e->locals[i], local)) {
            return i;
        }
    }
    return -1;
}

static void count_in(wzp_ct_wire *w, size_t len, wzp_time now) {
    const uint64_t gap = wzp_time_since(now, w->in_at);
    w->worst_gap = w->in_at != 0 && gap > w->worst_gap ? gap : w->worst_gap;
    w->in_bytes += len;
    w->in_at = now;
    w->reply_at = w->reply_at < w->out_at ? now : w->reply_at;
}

bool wzp_ct_wire_in(wzp_ct_exec *e, wzp_quic_path *path, size_t len, wzp_time now) {
    const int i = party_outside(e, &path->local);
    if (i < 0) {
        return party_inside(e, &path->local) < 0; /* what comes to an address of before is lost */
    }
    if (e->narrow[i] != 0 && len > e->narrow[i]) {
        return false;
    }
    count_in(&e->wires[i], len, now);
    path->local = placed(&e->locals[i], &path->local);
    return !e->wires[i].is_shut;
}

void wzp_ct_wire_out(wzp_ct_exec *e, wzp_quic_path *path, size_t len, wzp_time now) {
    const int i = party_inside(e, &path->local);
    if (i >= 0) {
        e->wires[i].out_bytes += len;
        e->wires[i].out_at = now;
        path->local = placed(outside(e, i), &path->local);
    }
}

void wzp_ct_wire_qlog(void *ctx, wzp_quic_conn conn, wzp_bytes data, bool fin) {
    static const char received[] = "packet_received";
    static const char challenge[] = "\"path_challenge\"";
    wzp_ct_exec *e = ctx;
    (void)fin;
    if (data.len == 0 || memmem(data.data, data.len, received, sizeof received - 1) == NULL ||
        memmem(data.data, data.len, challenge, sizeof challenge - 1) == NULL) {
        return;
    }
    for (int i = 0; i < WZP_CT_PARTIES; i++) {
        e->wires[i].challenges += e->parties[i].conn == conn ? 1 : 0;
    }
}

bool wzp_ct_play_rebind(wzp_ct_exec *e, wzp_ct_who who, wzp_ct_who other) {
    e->wires[who] = (wzp_ct_wire){.outside = e->locals[other], .is_moved = true};
    return !wzp_addr_is_any(&e->locals[other]);
}

void wzp_ct_play_shut(wzp_ct_exec *e, wzp_ct_who who, bool is_shut) {
    e->wires[who].is_shut = is_shut;
}

const wzp_ct_wire *wzp_ct_play_wire(const wzp_ct_exec *e, wzp_ct_who who) {
    return &e->wires[who];
}

wzp_addr wzp_ct_play_local(const wzp_ct_exec *e, wzp_ct_who who) {
    return *outside(e, (int)who);
}
