/* Meeting behind a NAT that gives out ports that nobody can foretell, once the race has ended on
 * the relay, which carries the sound meanwhile (nat sheet 1.15):
 *
 *     hard side   asks its owner for N sockets, says so, and one datagram leaves each of them
 *                 towards the easy side; a probe that comes in is where it dials from
 *     easy side   M ports of the hard side's IP, one datagram each, from its one socket
 *
 * Both sides know from their probes which one they are.  A race goes on beside it, with a window of
 * its own and nothing to dial, so that they agree on the path as ever. */
#include "nat/ip_kind.h"
#include "phone/handset_internal.h"

/* An update may come: then there is another race first. */
#define SETTLE (300 * WZP_MS)

/* After the last probe a connection needs so long. */
#define HANDSHAKE (1500 * WZP_MS)

/* The other side may still be busy with its race. */
#define START_FOR (5 * WZP_S)

/* Within one block fewer sockets are as good, and the block may be all that its user has. */
#define PORTS_OF_BLOCK WZP_BIRTHDAY_PORTS

enum { ROUNDS_MAX = 3, DIALS_MAX = 4 };

static const uint8_t tickle[1] = {0};

bool wzp_handset_celebrates(const wzp_handset_cfg *cfg) {
    return cfg->policy == WZP_RACE_REFERENCE && !cfg->relay_only && cfg->birthday.sockets != 0;
}

/* --- whether ---------------------------------------------------------------------------------- */

/* Said by the other side twice at least, in the call's set-up and with the ports of its NAT. */
static bool is_told_ip(const wzp_handset *h, const wzp_addr *ip) {
    return wzp_addr_same_ip(ip, &h->peer.reflexive);
}

static bool is_target(const wzp_handset *h, const wzp_addr *addr) {
    const bool may_be = h->cfg.accepts_any || wzp_ip_kind_of(addr) == WZP_IP_GLOBAL;
    return addr->family == WZP_ADDR_V4 && addr->port != 0 && may_be &&
           !wzp_addr_same_ip(addr, &h->told.reflexive);
}

static bool is_wanted(const wzp_handset *h) {
    const handset_birthday *b = &h->birthday;
    return b->state == BIRTHDAY_NONE && b->peer_does && !b->is_spent && b->rounds < ROUNDS_MAX &&
           h->peer_is_able && h->is_open && h->has_ports && h->has_peer_ports &&
           wzp_handset_celebrates(&h->cfg);
}

/* Both sides have said that they are on the relay, and no other race is due. */
static bool is_settled(const wzp_handset *h) {
    const wzp_race *r = &h->race;
    return h->races && r->why == NULL && r->path == WZP_RACE_RELAY && h->path == WZP_RACE_RELAY &&
           r->has_peer && r->cfg.role != WZP_RACE_NO_ROLE && h->due_at == WZP_TIME_NEVER &&
           !wzp_phone_owes_update(h->phone) && !h->finds_later;
}

static wzp_time due_at(const wzp_handset *h) {
    return is_wanted(h) && is_settled(h) ? wzp_time_after(h->race.decided_at, SETTLE)
                                         : WZP_TIME_NEVER;
}

/* --- the hard side ---------------------------------------------------------------------------- */

static bool is_opener(const wzp_handset *h) {
    return wzp_call_is_hard(h->ports.alloc) &&
           h->peer_ports.alloc.kind == WZP_PORT_ALLOC_PRESERVING &&
           is_told_ip(h, &h->peer_ports.external) && is_target(h, &h->peer.reflexive);
}

static void ask_sockets(wzp_handset *h) {
    handset_birthday *b = &h->birthday;
    const wzp_port_block block = wzp_birthday_block(h->ports.ports, h->ports.port_count);
    b->wanted = h->cfg.birthday.sockets;
    b->wanted = b->wanted < WZP_BIRTHDAY_PORTS_MAX ? b->wanted : WZP_BIRTHDAY_PORTS_MAX;
    if (block.count != 0 && b->wanted > PORTS_OF_BLOCK) {
        b->wanted = PORTS_OF_BLOCK;
    }
    b->state = BIRTHDAY_ASKS;
    b->is_spent = true;
    b->tell_open = true;
}

static void begin(wzp_handset *h, handset_birthday_state state, wzp_time now) {
    h->birthday.state = state;
    h->birthday.rounds++;
    h->birthday.dials = 0;
    h->counters.birthdays++;
    wzp_handset_race_beside(h, WZP_HANDSET_BIRTHDAY, now);
}

void wzp_handset_opened(wzp_handset *h, const uint16_t *ports, size_t count, wzp_time now) {
    handset_birthday *b = &h->birthday;
    b->held += count;
    b->port_count = b->opened = 0;
    for (size_t i = 0; i < count && b->port_count < WZP_BIRTHDAY_PORTS_MAX; i++) {
        b->ports[b->port_count] = ports[i];
        b->is_met[b->port_count++] = false;
    }
    if (b->state != BIRTHDAY_ASKS || count == 0 || !is_settled(h)) {
        b->state = BIRTHDAY_NONE;
        return;
    }
    const wzp_call_birthday said = {.external = h->ports.external, .opened = (uint16_t)count};
    wzp_phone_birthday(h->phone, &said);
    b->next_at = now;
    begin(h, BIRTHDAY_OPENS, now);
}

/* Never two at once: bursts are what guards look for. */
static void open_next(wzp_handset *h, wzp_time now) {
    handset_birthday *b = &h->birthday;
    if (b->opened == b->port_count || now < b->next_at) {
        return;
    }
    const wzp_addr local = wzp_endpoint_local(b->ports[b->opened++]);
    b->next_at = wzp_time_after(now, WZP_BIRTHDAY_OPEN_EVERY);
    h->counters.birthday_ports++;
    (void)wzp_endpoint_send_from(h->endpoint, &local, &h->peer.reflexive,
                                 wzp_bytes_of(tickle, sizeof tickle));
}

bool wzp_handset_birthday_heard(wzp_handset *h, const wzp_quic_path *path, wzp_bytes payload,
                                wzp_time now) {
    handset_birthday *b = &h->birthday;
    size_t i = 0;
    while (i < b->port_count && b->ports[i] != path->local.port) {
        i++;
    }
    const bool is_probe = payload.len == sizeof tickle && payload.data[0] == tickle[0];
    if (b->state != BIRTHDAY_OPENS || i == b->port_count || !is_probe ||
        !is_told_ip(h, &path->remote)) {
        return false;
    }
    h->counters.birthday_hits++;
    if (!b->is_met[i] && b->dials < DIALS_MAX && h->race.link_count == 0) {
        b->is_met[i] = true;
        b->dials++;
        wzp_handset_dial(h, &path->remote, b->ports[i], now);
    }
    return true;
}

/* --- the easy side ---------------------------------------------------------------------------- */

void wzp_handset_on_birthday(wzp_handset *h, const wzp_call_birthday *start, wzp_time now) {
    h->birthday.start = *start;
    h->birthday.start_until = wzp_time_after(now, START_FOR);
}

static bool is_prober(wzp_handset *h, wzp_time now) {
    handset_birthday *b = &h->birthday;
    if (now >= b->start_until || h->ports.alloc.kind != WZP_PORT_ALLOC_PRESERVING ||
        !wzp_call_is_hard(h->peer_ports.alloc)) {
        return false;
    }
    if (!is_told_ip(h, &h->peer_ports.external) || !is_told_ip(h, &b->start.external) ||
        !is_target(h, &h->peer.reflexive)) {
        h->counters.told.unusable++;
        b->start_until = 0;
        return false;
    }
    return true;
}

static void begin_probing(wzp_handset *h, wzp_time now) {
    handset_birthday *b = &h->birthday;
    const wzp_birthday_cfg cfg = {
        .host = h->peer.reflexive,
        .known = b->start.ports,
        .known_count = b->start.port_count,
        .probes = h->cfg.birthday.probes,
        .block = wzp_birthday_block(h->peer_ports.ports, h->peer_ports.port_count),
        .interval = h->cfg.birthday.interval,
        .timeout = WZP_HANDSET_BIRTHDAY - HANDSHAKE};
    b->start_until = 0;
    b->is_spent = true;
    wzp_birthday_start(&b->probes, &cfg, h->cfg.rng, now);
    b->probes_end = WZP_TIME_NEVER;
    begin(h, BIRTHDAY_PROBES, now);
}

static void probe_next(wzp_handset *h, wzp_time now) {
    handset_birthday *b = &h->birthday;
    wzp_addr to;
    if (h->race.link_count == 0 && wzp_birthday_next(&b->probes, now, &to)) {
        h->counters.birthday_probes++;
        (void)wzp_endpoint_send(h->endpoint, &to, wzp_bytes_of(tickle, sizeof tickle));
        b->probes_end = wzp_time_after(now, HANDSHAKE);
    }
    if (wzp_birthday_deadline(&b->probes) == WZP_TIME_NEVER && now >= b->probes_end) {
        wzp_race_give_up(&h->race, now);
    }
}

/* --- sockets ---------------------------------------------------------------------------------- */

bool wzp_handset_uses_port(const wzp_handset *h, uint16_t port) {
    const handset_birthday *b = &h->birthday;
    for (size_t i = 0; i < b->port_count && b->state == BIRTHDAY_OPENS; i++) {
        if (b->ports[i] == port) {
            return true;
        }
    }
    for (size_t i = 0; i < HANDSET_LINKS; i++) {
        if (h->links[i].state != LINK_FREE && h->links[i].port == port) {
            return true;
        }
    }
    return false;
}

static size_t used_count(const wzp_handset *h) {
    size_t used = 0;
    for (size_t i = 0; i < h->birthday.port_count; i++) {
        used += wzp_handset_uses_port(h, h->birthday.ports[i]) ? 1 : 0;
    }
    return used;
}

static void watch_sockets(wzp_handset *h) {
    handset_birthday *b = &h->birthday;
    const bool is_busy = b->state == BIRTHDAY_ASKS || b->state == BIRTHDAY_OPENS;
    const size_t used = is_busy || b->held == 0 ? b->held : used_count(h);
    if (used < b->held) {
        b->held = used;
        b->tell_shut = true;
    }
}

bool wzp_handset_is_birthday_port(const wzp_handset *h, uint16_t port) {
    for (size_t i = 0; i < h->birthday.port_count; i++) {
        if (h->birthday.ports[i] == port) {
            return true;
        }
    }
    return false;
}

/* --- all -------------------------------------------------------------------------------------- */

void wzp_handset_birthday_step(wzp_handset *h, wzp_time now) {
    handset_birthday *b = &h->birthday;
    const bool is_on = b->state == BIRTHDAY_OPENS || b->state == BIRTHDAY_PROBES;
    if (is_on && (!h->races || h->race.path != WZP_RACE_UNDECIDED || h->race.why != NULL)) {
        b->state = BIRTHDAY_NONE;
    }
    if (now >= due_at(h)) {
        if (is_opener(h)) {
            ask_sockets(h);
        } else if (is_prober(h, now)) {
            begin_probing(h, now);
        }
    }
    if (b->state == BIRTHDAY_OPENS) {
        open_next(h, now);
    } else if (b->state == BIRTHDAY_PROBES) {
        probe_next(h, now);
    }
    watch_sockets(h);
}

wzp_time wzp_handset_birthday_deadline(const wzp_handset *h) {
    const handset_birthday *b = &h->birthday;
    switch (b->state) {
    case BIRTHDAY_NONE:
        return is_opener(h) || b->start_until != 0 ? due_at(h) : WZP_TIME_NEVER;
    case BIRTHDAY_ASKS:
        return WZP_TIME_NEVER;
    case BIRTHDAY_OPENS:
        return b->opened < b->port_count ? b->next_at : WZP_TIME_NEVER;
    case BIRTHDAY_PROBES:
        break;
    }
    return h->race.link_count > 0 ? WZP_TIME_NEVER
                                  : wzp_time_min(wzp_birthday_deadline(&b->probes), b->probes_end);
}

void wzp_handset_stop_birthday(wzp_handset *h, wzp_time now) {
    if (h->birthday.state == BIRTHDAY_OPENS || h->birthday.state == BIRTHDAY_PROBES) {
        wzp_race_give_up(&h->race, now);
    }
    h->birthday.state = BIRTHDAY_NONE;
}

/* Sockets stay known until they are closed. */
void wzp_handset_forget_birthday(wzp_handset *h) {
    handset_birthday *b = &h->birthday;
    b->state = BIRTHDAY_NONE;
    b->peer_does = b->is_spent = b->tell_open = false;
    b->rounds = 0;
    b->start_until = 0;
}
