#include "relay_join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/sys.h"
#include "relay/testing/offer.h"

enum { AT_ONCE = 32 };

#define QUIET (300 * WZP_MS)

void joining_init(joining *j, const load *l, wzp_quic *quic, wzp_addr relay, uint16_t port,
                  bool offers) {
    *j = (joining){.l = l, .quic = quic, .relay = relay, .port = port, .offers = offers};
}

static void dial(joining *j, wzp_time now) {
    char room[32];
    const unsigned client = j->dialled;
    (void)snprintf(room, sizeof room, "room-%u", client / j->l->members);
    const wzp_quic_dial to = {.path = {load_addr(client, j->port), j->relay}, .sni = room};
    if (wzp_quic_connect(j->quic, &to, now, &j->conns[client]) == WZP_OK) {
        j->dialled++;
    }
}

void joining_dial(joining *j, wzp_time now) {
    const unsigned all = j->l->rooms * j->l->members;
    while (j->dialled < all && j->dialled - j->answered < AT_ONCE) {
        dial(j, now);
    }
}

static void send_offer(const joining *j, wzp_quic_conn conn) {
    uint8_t seed[WZP_KEY_LEN] = {7};
    uint8_t json[OFFER_MAX];
    wzp_identity identity;
    memcpy(seed + 1, &conn, sizeof conn);
    wzp_identity_from_seed(&identity, seed);
    const size_t len = offer_write(json, sizeof json, &identity, NULL, wzp_io_rng());
    (void)!wzp_quic_send_signal(j->quic, conn, wzp_bytes_of(json, len), NULL);
}

/* The list of a whole room: nothing more is to come for this member.  Lists leave little by little,
 * and those of a thousand members are 90 KB for each of them: media would wait behind them. */
static bool is_whole_list(const joining *j, wzp_bytes json) {
    static const char count[] = "\"count\":";
    const size_t head = json.len < 64 ? json.len : 64;
    const char *at = memmem(json.data, head, "RoomUpdate", 10) != NULL
                         ? memmem(json.data, head, count, sizeof count - 1)
                         : NULL;
    return at != NULL && strtoul(at + sizeof count - 1, NULL, 10) >= j->l->members;
}

void joining_event(joining *j, const wzp_quic_event *ev, wzp_time now) {
    if (ev->kind == WZP_QUIC_CONNECTED && j->offers) {
        send_offer(j, ev->conn);
    } else if (ev->kind == WZP_QUIC_CONNECTED) {
        j->signal_at = now;
        j->answered++;
    } else if (ev->kind == WZP_QUIC_SIGNAL) {
        const size_t head = ev->body.len < 16 ? ev->body.len : 16;
        j->signal_at = now;
        j->answered += memmem(ev->body.data, head, "CallAnswer", 10) != NULL;
        j->listed += is_whole_list(j, ev->body);
    } else if (ev->kind == WZP_QUIC_CLOSED) {
        j->lost++;
    }
}

bool joining_done(const joining *j, wzp_time now) {
    const unsigned all = j->l->rooms * j->l->members;
    return j->answered == all && (!j->offers || j->listed >= all) && now >= j->signal_at + QUIET;
}
