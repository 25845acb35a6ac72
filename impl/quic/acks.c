/* What a packet that was read makes us say: most of the time nothing, or an acknowledgement that
 * can wait.
 *
 * In a room most packets that reach a relay only acknowledge.  To ask ngtcp2 for an answer costs
 * almost as much as to write one, so it is asked only when there can be one.
 *
 * ngtcp2 acknowledges within an eighth of the round trip: nearby that is every single packet.  RFC
 * 9000, 13.2 asks for less: every second one, and none later than the 25 ms that we tell the peer.
 * So while media flow an acknowledgement waits for a second packet or for something to travel
 * with, as long as no stream is open: media come every 20 ms, and half of all packets are saved.
 * The second packet must be one of media, for most others only acknowledge: what else wants an
 * answer gets it when the wait ends.
 *
 * What that means for the peer (RFC 9000, 13.2.1):
 *
 * - A keep-alive or a probe is acknowledged within 25 ms, as anything is.  The peer's own timers
 *   allow for that (RFC 9002, 6.2.1): a probe that waits here brings about no second one.
 * - What comes after a gap should be acknowledged at once, and is at the next packet of media,
 *   20 ms later, since ngtcp2 does not show that it saw a gap.  Nothing of media is sent again, and
 *   while a stream is open nothing waits.
 * - What a router marked as congested is acknowledged at once.
 * - Without media either way it is as ngtcp2 does it: at once after a gap or two packets, else
 *   within an eighth of the round trip. */
#include "quic/internal.h"

#define ACK_HOLD (20 * WZP_MS)
#define MAX_ACK_DELAY (25 * WZP_MS) /* ngtcp2's default, that peers are told */

/* Frames that were lost wait within ngtcp2 to be sent again. */
static bool lost_more(conn *c, const ngtcp2_conn_info *info) {
    const bool more = info->pkt_lost != c->lost_seen;
    c->lost_seen = info->pkt_lost;
    return more;
}

/* There will be something to travel with, or a second packet. */
static bool in_flow(const conn *c, bool got_media) {
    return got_media ||
           (c->datagrams_sent > 0 && wzp_time_since(c->quic->now, c->datagram_at) < 2 * ACK_HOLD);
}

static bool has_other_business(const conn *c) {
    return c->state != CONN_OPEN || c->dirty || c->datagrams != NULL || c->streams != NULL;
}

/* Its deadline is found when it has been drained. */
static void ask(conn *c, const ngtcp2_conn_info *info) {
    c->ack_eighth = info->smoothed_rtt / 8;
    wzp_quic_mark_dirty(c);
}

/* Something may have come before that waits already, though not here: what left since was too early
 * for ngtcp2 to add its acknowledgement, which was to go an eighth of the round trip of that time
 * after it came.  MAX_ACK_DELAY after it came, if that was what the deadline was about. */
static wzp_time latest_for_earlier(const conn *c) {
    return c->ack_eighth < MAX_ACK_DELAY
               ? wzp_time_after(c->deadline, MAX_ACK_DELAY - c->ack_eighth)
               : c->deadline;
}

void wzp_acks_after_read(conn *c, const wzp_read *read) {
    const wzp_time now = c->quic->now;
    const bool got_media = c->datagrams_received != read->datagrams_before;
    ngtcp2_conn_info info;
    ngtcp2_conn_get_conn_info2(c->ng, &info);
    if (!read->was_open || read->is_congested || has_other_business(c) || lost_more(c, &info) ||
        (c->ack_held && got_media)) {
        ask(c, &info);
        return;
    }
    if (c->ack_held) {
        return; /* the wait goes on until ack_by, which is scheduled */
    }
    /* Only asked, not handled: handling it would also cancel the timer of an acknowledgement that
     * is due now, which nothing would then bring about.  Whoever acknowledges does so within
     * MAX_ACK_DELAY, and other timers are longer. */
    const wzp_time due = ngtcp2_conn_get_expiry2(c->ng);
    if (due > wzp_time_after(now, MAX_ACK_DELAY)) {
        wzp_quic_schedule(c, due);
    } else if (!in_flow(c, got_media)) {
        ask(c, &info);
    } else {
        c->ack_held = true;
        c->ack_by = wzp_time_min(wzp_time_after(now, ACK_HOLD), latest_for_earlier(c));
        wzp_quic_schedule(c, c->ack_by);
    }
}
