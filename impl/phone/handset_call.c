/* The paths of a call: direct connections, the race between them and the relay, and what comes
 * after it. */
#include <stdio.h>

#include "crypto/identity.h"
#include "phone/handset_internal.h"

/* A first packet that the other side's filter drops is sent again soon (nat sheet 1.18). */
#define DIRECT_RTT (100 * WZP_MS)

/* After a race in vain for what broke: 5 s, 10 s ... 80 s. */
#define RETRY_FIRST (5 * WZP_S)
enum { TRIES_MAX = 5 };

/* Both sides have turned to the relay by then, the one that noticed later too. */
#define DUE_FOR (5 * WZP_S)

/* The other side says where we send to, and may say it as often as it likes: packets that nobody
 * has asked for are few, whatever it says (a race dials and tickles 32 at most, these every 100
 * ms). */
#define TICKLE_GAP (WZP_RACE_TICKLE_EVERY / WZP_RACE_CANDIDATES_MAX)
#define DIAL_GAP (100 * WZP_MS)
enum { TICKLES_AT_ONCE = 2 * WZP_RACE_CANDIDATES_MAX, DIALS_AT_ONCE = 3 * WZP_RACE_CANDIDATES_MAX };

static const char good_bye[] = "hangup";
static const char broken[] = "nothing comes by the direct path any more";
static const char not_both[] = "a direct path did not come up on both sides";
static const char not_told[] = "one side does not tell where it is";

bool wzp_handset_is_reference(const wzp_handset *h) {
    return h->cfg.policy == WZP_RACE_REFERENCE;
}

/* --- links ------------------------------------------------------------------------------------ */

static handset_link *find(wzp_handset *h, wzp_quic_conn conn) {
    for (size_t i = 0; i < HANDSET_LINKS; i++) {
        if (h->links[i].state != LINK_FREE && h->links[i].conn == conn) {
            return &h->links[i];
        }
    }
    return NULL;
}

static handset_link *free_link(wzp_handset *h) {
    for (size_t i = 0; i < HANDSET_LINKS; i++) {
        if (h->links[i].state == LINK_FREE) {
            return &h->links[i];
        }
    }
    return NULL;
}

/* Whoever comes in takes no place of those whom we dial. */
static bool is_crowded(const wzp_handset *h) {
    size_t count = 0;
    for (size_t i = 0; i < HANDSET_LINKS; i++) {
        count += h->links[i].state != LINK_FREE && !h->links[i].is_ours ? 1 : 0;
    }
    return count >= WZP_RACE_LINKS_MAX;
}

static void leave(wzp_handset *h, handset_link *link, const char *reason, wzp_time now) {
    link->state = LINK_LEAVING;
    wzp_quic_close(h->quic, link->conn, 0, reason, now);
}

static void refuse(wzp_handset *h, wzp_quic_conn conn, wzp_time now) {
    h->counters.stale++;
    wzp_quic_close(h->quic, conn, 0, "stale", now);
}

/* The name that a direct connection asks for. */
static void name_of(const wzp_handset *h, char sni[WZP_QUIC_SNI_MAX + 8]) {
    (void)snprintf(sni, WZP_QUIC_SNI_MAX + 8, "call-%s", h->room);
}

/* --- is it the other side? -------------------------------------------------------------------- */

static bool is_told_address(const wzp_call_addresses *peer, const wzp_addr *from) {
    bool is_told =
        wzp_addr_same_ip(from, &peer->reflexive) || wzp_addr_same_ip(from, &peer->mapped);
    for (size_t i = 0; i < peer->local_count; i++) {
        is_told = is_told || wzp_addr_same_ip(from, &peer->local[i]);
    }
    return is_told;
}

static bool has_right_name(const wzp_handset *h, const handset_link *link) {
    char sni[WZP_QUIC_SNI_MAX + 8];
    name_of(h, sni);
    return strcmp(link->sni, sni) == 0;
}

static bool shows_key(const wzp_handset *h, const handset_link *link) {
    uint8_t key[32];
    char text[WZP_FINGERPRINT_TEXT + 1];
    if (!wzp_quic_peer_key(h->quic, link->conn, key)) {
        return false;
    }
    wzp_fingerprint_text(text, key);
    return strcmp(text, h->peer_fingerprint) == 0;
}

/* Upstream's clients have random certificates: theirs prove nothing, and are taken. */
static bool is_genuine(wzp_handset *h, handset_link *link) {
    if (!wzp_handset_is_reference(h)) {
        return true;
    }
    if (!link->is_ours && !has_right_name(h, link)) {
        h->counters.refused_sni++;
        return false;
    }
    if (!link->is_ours && !is_told_address(&h->peer, &link->remote)) {
        h->counters.refused_addr++;
        return false;
    }
    link->proven = shows_key(h, link);
    if (h->peer_is_able && !link->proven) {
        h->counters.refused_key++;
        return false;
    }
    return true;
}

static void count_in(wzp_handset *h, handset_link *link, wzp_time now) {
    if (!is_genuine(h, link) || !wzp_race_direct_up(&h->race, link->conn, link->is_ours, now)) {
        h->counters.stale++;
        leave(h, link, "stale", now);
        return;
    }
    link->state = LINK_COUNTS;
    wzp_quic_set_keep_alive(h->quic, link->conn, WZP_HANDSET_KEEP_ALIVE);
}

/* --- events of direct connections ------------------------------------------------------------- */

/* The other side may have been told of the call a little earlier than we are. */
static void on_incoming(wzp_handset *h, const wzp_quic_event *ev, wzp_time now) {
    handset_link *link = free_link(h);
    const bool is_awaited =
        wzp_phone_state_of(h->phone) == WZP_PHONE_STATE_BUSY && !h->cfg.relay_only;
    if (link == NULL || is_crowded(h) || !is_awaited) {
        refuse(h, ev->conn, now);
        return;
    }
    *link = (handset_link){.state = LINK_PARKED, .conn = ev->conn, .remote = ev->path.remote};
    link->port = wzp_handset_is_birthday_port(h, ev->path.local.port) ? ev->path.local.port : 0;
    (void)snprintf(link->sni, sizeof link->sni, "%s", ev->sni);
    wzp_endpoint_attach(h->endpoint, ev->conn, &h->user);
    if (h->races) {
        count_in(h, link, now);
    }
}

/* The other side hangs up, which its signal says as well, a little later or sooner.  If none comes,
 * there is silence, and that is noticed. */
static bool is_good_bye(const wzp_handset *h, const wzp_quic_close_info *close) {
    return wzp_handset_is_reference(h) && close->kind == WZP_QUIC_CLOSE_PEER_APP &&
           close->code == 0 && strcmp(close->reason, good_bye) == 0;
}

static void on_closed(wzp_handset *h, handset_link *link, const wzp_quic_close_info *close,
                      wzp_time now) {
    const link_state was = link->state;
    link->state = LINK_FREE;
    if (!h->races || (was == LINK_COUNTS && is_good_bye(h, close))) {
        return;
    }
    if (was == LINK_COUNTS) {
        wzp_race_direct_down(&h->race, link->conn, now);
    } else if (was == LINK_DIALLED || was == LINK_CONNECTED) {
        wzp_race_dial_failed(&h->race, now);
    }
}

void wzp_handset_on_direct(void *self, const wzp_quic_event *ev, wzp_time now) {
    wzp_handset *h = self;
    handset_link *link = find(h, ev->conn);
    if (link == NULL) {
        if (ev->kind == WZP_QUIC_CONNECTED) {
            on_incoming(h, ev, now);
        }
        return;
    }
    if (ev->kind == WZP_QUIC_CONNECTED && link->state == LINK_DIALLED) {
        link->state = LINK_CONNECTED;
    } else if (ev->kind == WZP_QUIC_DATAGRAM && link->state == LINK_COUNTS && h->client != NULL) {
        wzp_client_direct_media(h->client, ev->body, now);
    } else if (ev->kind == WZP_QUIC_CLOSED) {
        on_closed(h, link, &ev->close, now);
    }
}

/* A dialler knows by HANDSHAKE_DONE that the other side has it, too. */
static void confirm(wzp_handset *h, wzp_time now) {
    for (size_t i = 0; i < HANDSET_LINKS && h->races; i++) {
        handset_link *link = &h->links[i];
        const bool is_due =
            link->state == LINK_CONNECTED &&
            (!wzp_handset_is_reference(h) || wzp_quic_is_confirmed(h->quic, link->conn));
        if (is_due) {
            count_in(h, link, now);
        }
    }
}

/* --- the race --------------------------------------------------------------------------------- */

static wzp_race_role role_of(const wzp_handset *h) {
    char own[WZP_ADDR_TEXT_MAX];
    char peer[WZP_ADDR_TEXT_MAX];
    if (!h->is_open || h->cfg.relay_only || h->told.reflexive.family == WZP_ADDR_NONE ||
        h->peer.reflexive.family == WZP_ADDR_NONE) {
        return WZP_RACE_NO_ROLE;
    }
    return wzp_race_role_of(wzp_addr_text(&h->told.reflexive, own),
                            wzp_addr_text(&h->peer.reflexive, peer));
}

static void race_by(wzp_handset *h, const wzp_race_cfg *cfg, bool again, wzp_time now) {
    h->counters.races++;
    h->due_at = WZP_TIME_NEVER;
    h->path_text = cfg->role == WZP_RACE_NO_ROLE ? not_told : not_both;
    if (again) {
        wzp_race_again(&h->race, cfg, now);
    } else {
        wzp_race_init(&h->race, cfg, now);
    }
    h->races = true;
    h->path_was = WZP_RACE_UNDECIDED;
}

/* Twice that of its pair of updates; the odd ones are those beside the relay. */
static uint32_t number_of(const wzp_handset *h) {
    const uint32_t pair = wzp_phone_pair(h->phone);
    return pair <= UINT32_MAX / 2 ? 2 * pair : UINT32_MAX;
}

static void race(wzp_handset *h, bool again, wzp_time now) {
    wzp_race_candidate candidates[WZP_RACE_CANDIDATES_MAX];
    wzp_race_cfg cfg = {.policy = h->cfg.policy,
                        .role = role_of(h),
                        .number = again ? number_of(h) : 0,
                        .both_dial = h->peer_is_able,
                        .awaits_probe = wzp_handset_awaits_ports(h),
                        .direct_only = h->cfg.direct_only,
                        .tickle_fails = true,
                        .candidates = candidates};
    cfg.count = cfg.role != WZP_RACE_NO_ROLE ? wzp_handset_candidates(h, candidates) : 0;
    h->birthday.is_spent = false;
    race_by(h, &cfg, again, now);
}

void wzp_handset_race_beside(wzp_handset *h, uint64_t window, wzp_time now) {
    const wzp_race_cfg cfg = {.policy = h->cfg.policy,
                              .role = role_of(h),
                              .number = h->race.cfg.number | 1,
                              .both_dial = true,
                              .window = window};
    race_by(h, &cfg, true, now);
}

void wzp_handset_begin(wzp_handset *h, wzp_time now) {
    race(h, false, now);
    for (size_t i = 0; i < HANDSET_LINKS; i++) {
        if (h->links[i].state == LINK_PARKED) {
            count_in(h, &h->links[i], now);
        }
    }
    if (wzp_handset_has_news(h) && h->peer_is_able) {
        wzp_handset_moved(h);
    }
}

/* --- what the race says ----------------------------------------------------------------------- */

/* One each `gap`, and `at_once` if there were none of late; what is held back is counted. */
static bool may_send(wzp_handset *h, wzp_time *paid_until, uint64_t gap, unsigned at_once,
                     wzp_time now) {
    const wzp_time from = *paid_until > now ? *paid_until : now;
    if (from - now > (at_once - 1) * gap) {
        h->counters.held++;
        return false;
    }
    *paid_until = wzp_time_after(from, gap);
    return true;
}

static void tickle(wzp_handset *h, const wzp_addr *to, wzp_time now) {
    static const uint8_t octet[1] = {0};
    if (may_send(h, &h->tickles_paid, TICKLE_GAP, TICKLES_AT_ONCE, now)) {
        h->counters.tickles++;
        (void)wzp_endpoint_send(h->endpoint, to, wzp_bytes_of(octet, 1));
    }
}

void wzp_handset_dial(wzp_handset *h, const wzp_addr *to, uint16_t port, wzp_time now) {
    char sni[WZP_QUIC_SNI_MAX + 8];
    handset_link *link =
        may_send(h, &h->dials_paid, DIAL_GAP, DIALS_AT_ONCE, now) ? free_link(h) : NULL;
    name_of(h, sni);
    const wzp_quic_dial d = {.path = {wzp_endpoint_local(port), *to},
                             .sni = sni,
                             .initial_rtt = wzp_handset_is_reference(h) ? DIRECT_RTT : 0};
    wzp_quic_conn conn;
    h->counters.dials++;
    if (link == NULL || wzp_endpoint_dial(h->endpoint, &d, &h->user, now, &conn) != WZP_OK) {
        wzp_race_dial_failed(&h->race, now);
        return;
    }
    *link = (handset_link){
        .state = LINK_DIALLED, .is_ours = true, .port = port, .conn = conn, .remote = *to};
}

static void dial_relay(wzp_handset *h, wzp_time now) {
    h->relay_seen = WZP_CLIENT_RELAY_DIALLING;
    if (wzp_client_dial_relay(h->client, &h->relay, now) != WZP_OK) {
        h->relay_seen = WZP_CLIENT_RELAY_DOWN;
        wzp_race_relay_down(&h->race, now);
    }
}

static uint64_t packets_of(const wzp_handset *h, wzp_quic_conn conn) {
    wzp_quic_stats stats = {0};
    (void)wzp_quic_conn_stats(h->quic, conn, &stats);
    return stats.packets_received;
}

static void take(wzp_handset *h, const wzp_race_act *act, wzp_time now) {
    h->path = act->path;
    h->tell_path = true;
    h->taken_text = act->path == WZP_RACE_RELAY ? h->path_text : "";
    if (act->path == WZP_RACE_RELAY) {
        wzp_client_take_relay(h->client, now);
        return;
    }
    h->direct = act->conn;
    h->direct_packets = packets_of(h, act->conn);
    h->heard_at = now;
    wzp_client_take_direct(h->client, act->conn, now);
}

static void act_on(wzp_handset *h, const wzp_race_act *act, wzp_time now) {
    handset_link *link;
    switch (act->kind) {
    case WZP_RACE_TICKLE:
        tickle(h, &act->addr, now);
        break;
    case WZP_RACE_DIAL:
        wzp_handset_dial(h, &act->addr, 0, now);
        break;
    case WZP_RACE_DIAL_RELAY:
        dial_relay(h, now);
        break;
    case WZP_RACE_REPORT:
        wzp_phone_report(h->phone, act->number, act->direct_ok, act->direct_won);
        break;
    case WZP_RACE_CLOSE:
        link = find(h, act->conn);
        if (link != NULL) {
            leave(h, link, "not-selected", now);
        }
        break;
    case WZP_RACE_CLOSE_RELAY:
        h->relay_seen = WZP_CLIENT_RELAY_NONE;
        wzp_client_drop_relay(h->client, now);
        break;
    case WZP_RACE_TAKE:
        take(h, act, now);
        break;
    case WZP_RACE_FAIL:
        h->why = act->text;
        wzp_phone_hangup(h->phone);
        break;
    }
}

/* --- in the call ------------------------------------------------------------------------------ */

static void watch_relay(wzp_handset *h, wzp_time now) {
    const char *why;
    const wzp_client_relay state = wzp_client_relay_state(h->client, &why);
    if (state == h->relay_seen || h->relay_seen == WZP_CLIENT_RELAY_NONE) {
        return;
    }
    h->relay_seen = state;
    if (state == WZP_CLIENT_RELAY_UP) {
        wzp_race_relay_up(&h->race, now);
    } else if (state == WZP_CLIENT_RELAY_DOWN) {
        h->relay_seen = WZP_CLIENT_RELAY_NONE;
        wzp_race_relay_down(&h->race, now);
    }
}

static bool is_watched(const wzp_handset *h) {
    return wzp_handset_is_reference(h) && h->races && h->path == WZP_RACE_DIRECT &&
           h->race.path == WZP_RACE_DIRECT;
}

static void watch_direct(wzp_handset *h, wzp_time now) {
    if (!is_watched(h)) {
        return;
    }
    const uint64_t packets = packets_of(h, h->direct);
    if (packets != h->direct_packets) {
        h->direct_packets = packets;
        h->heard_at = now;
    } else if (now >= wzp_time_after(h->heard_at, WZP_HANDSET_SILENCE)) {
        wzp_race_leave_direct(&h->race);
    }
}

void wzp_handset_find_later(wzp_handset *h) {
    h->finds_later = true;
    h->told_since = false;
}

/* A mapping that comes anew may change our port, which a dial of the relay would not survive. */
static void find_again(wzp_handset *h, wzp_time now) {
    if (h->finds_later && h->relay_seen != WZP_CLIENT_RELAY_DIALLING) {
        h->finds_later = false;
        h->reflected = (wzp_addr){0};
        wzp_handset_find(h, WZP_HANDSET_REGATHER, now);
    }
}

/* One side tries again, later and later; the other is told where it is, and answers. */
static void after_vain_race(wzp_handset *h, wzp_time now) {
    if (h->race.cfg.role == WZP_RACE_ACCEPTOR && h->counters.repairs > 0 && h->tries < TRIES_MAX) {
        h->retry_at = wzp_time_after(now, RETRY_FIRST << h->tries);
        h->tries++;
    }
}

/* A direct path that is given up by either side: where are we now? */
static void after_break(wzp_handset *h) {
    h->counters.repairs++;
    h->path_text = broken;
    wzp_handset_find_later(h);
}

static void repair(wzp_handset *h, wzp_time now) {
    const wzp_race_path was = h->path_was;
    h->path_was = h->race.path;
    if (!wzp_handset_is_reference(h)) {
        return;
    }
    if (h->race.path == WZP_RACE_DIRECT) {
        h->tries = 0;
        h->retry_at = WZP_TIME_NEVER;
    } else if (was == WZP_RACE_DIRECT && h->race.path == WZP_RACE_RELAY) {
        after_break(h);
    } else if (was == WZP_RACE_UNDECIDED && h->race.path == WZP_RACE_RELAY && h->race.is_again) {
        after_vain_race(h, now);
    }
    if (now >= h->retry_at) {
        h->retry_at = WZP_TIME_NEVER;
        wzp_handset_find_later(h);
    }
    find_again(h, now);
}

/* Both sides have said where they are now.  What was said long before the direct path broke is no
 * reason. */
static void race_again(wzp_handset *h, wzp_time now) {
    const bool is_due = h->due_at != WZP_TIME_NEVER && now < wzp_time_after(h->due_at, DUE_FOR) &&
                        number_of(h) > h->race.cfg.number;
    const bool is_relayed = wzp_race_may_again(&h->race) && h->path == WZP_RACE_RELAY;
    if (is_due && is_relayed && wzp_handset_is_reference(h) && h->peer_is_able && h->is_open) {
        race(h, true, now);
    }
}

void wzp_handset_told(wzp_handset *h, wzp_time now) {
    h->due_at = now;
    if (wzp_phone_owes_update(h->phone) && h->has_gathered && !h->holds_news) {
        wzp_handset_moved(h);
    }
}

void wzp_handset_moved(wzp_handset *h) {
    if (!wzp_handset_is_reference(h) || !h->is_open || h->cfg.relay_only || !h->is_set_up) {
        return;
    }
    h->told = h->own;
    h->told_since = true;
    wzp_phone_update(h->phone, &h->told);
}

void wzp_handset_call_step(wzp_handset *h, wzp_time now) {
    wzp_race_act act;
    if (!h->races) {
        wzp_handset_birthday_step(h, now); /* sockets of the last call */
        return;
    }
    watch_relay(h, now);
    watch_direct(h, now);
    confirm(h, now);
    race_again(h, now);
    wzp_handset_birthday_step(h, now);
    while (h->races && wzp_race_next(&h->race, now, &act)) {
        act_on(h, &act, now);
    }
    repair(h, now);
}

wzp_time wzp_handset_call_deadline(const wzp_handset *h) {
    if (!h->races) {
        return WZP_TIME_NEVER;
    }
    const wzp_time race = wzp_time_min(wzp_time_min(wzp_race_deadline(&h->race), h->retry_at),
                                       wzp_handset_birthday_deadline(h));
    return is_watched(h) ? wzp_time_min(race, wzp_time_after(h->heard_at, WZP_HANDSET_SILENCE))
                         : race;
}

void wzp_handset_end(wzp_handset *h, wzp_time now) {
    for (size_t i = 0; i < HANDSET_LINKS; i++) {
        if (h->links[i].state != LINK_FREE && h->links[i].state != LINK_LEAVING) {
            leave(h, &h->links[i], good_bye, now);
        }
    }
    if (h->client != NULL) {
        wzp_client_drop_relay(h->client, now);
    }
    h->client = NULL;
    wzp_handset_forget_ports(h);
    wzp_handset_forget_birthday(h);
    h->races = h->is_set_up = h->is_open = h->peer_is_able = false;
    h->tell_path = h->finds_later = false;
    h->tries = 0;
    h->due_at = h->retry_at = WZP_TIME_NEVER;
    h->path = h->path_was = h->told_path = WZP_RACE_UNDECIDED;
    h->relay_seen = WZP_CLIENT_RELAY_NONE;
    /* Who waits to call has asked for that since. */
    h->waits = h->waits == WAIT_TO_CALL ? WAIT_TO_CALL : WAIT_NOTHING;
}
