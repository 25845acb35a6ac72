/* Packets that cannot be opened yet. */
#include <stdlib.h>

#include "tools/pcap/quic/internal.h"

static bool may_hold(const passing *p) {
    const wzp_pcap_quic *q = p->c->quic;
    const bool is_waiting_for_log = p->packet.seal == WZP_PCAP_QUIC_NO_SECRET;
    return !p->c->is_hopeless && !(is_waiting_for_log && q->cfg.at_once && q->keylog.taken == 0);
}

static void link_holder(conn *c) {
    wzp_pcap_quic *q = c->quic;
    c->holder_before = NULL;
    c->holder_behind = q->holders;
    if (q->holders != NULL) {
        q->holders->holder_before = c;
    }
    q->holders = c;
}

static void unlink_holder(conn *c) {
    *(c->holder_before != NULL ? &c->holder_before->holder_behind : &c->quic->holders) =
        c->holder_behind;
    if (c->holder_behind != NULL) {
        c->holder_behind->holder_before = c->holder_before;
    }
}

/* False: it is to be said as it is. */
bool wzp_pcap_quic_hold(const passing *p) {
    conn *c = p->c;
    const size_t size = sizeof(held) + p->bytes.len;
    if (!may_hold(p)) {
        return false;
    }
    held *h = NULL;
    if (c->held_count < WZP_PCAP_QUIC_HELD_MAX &&
        size <= WZP_PCAP_QUIC_BYTES_MAX - c->quic->bytes) {
        h = malloc(size);
    }
    if (h == NULL) {
        c->quic->counters.held_dropped += c->held_count + 1;
        c->is_hopeless = true;
        wzp_pcap_quic_held_flush(c);
        return false;
    }
    *h = (held){.src = *p->at->src,
                .dst = *p->at->dst,
                .packet_number = p->at->packet_number,
                .time_ns = p->at->time_ns,
                .offset = p->packet.offset,
                .dcid_len = p->packet.dcid.len,
                .to_server = p->to_server,
                .len = p->bytes.len};
    memcpy(h->data, p->bytes.data, p->bytes.len);
    *(c->held_last != NULL ? &c->held_last->next : &c->held_first) = h;
    c->held_last = h;
    if (c->held_count++ == 0) {
        link_holder(c);
    }
    c->quic->bytes += size;
    return true;
}

/* The same as when it came, but for its place in the order of things. */
static passing revive(conn *c, const held *h, arrival *at) {
    const wzp_bytes bytes = wzp_bytes_of(h->data, h->len);
    passing p = {.at = at, .c = c, .bytes = bytes, .to_server = h->to_server};
    wzp_fail fail;
    *at = (arrival){&h->src, &h->dst, h->packet_number, h->time_ns, false};
    p.is_long = wzp_pcap_quic_is_long(h->data[0]);
    if (p.is_long) {
        (void)!wzp_pcap_quic_head_long(&p.head, bytes, false, &fail);
    } else {
        (void)!wzp_pcap_quic_head_short(&p.head, bytes, h->dcid_len, false);
    }
    p.packet = wzp_pcap_quic_describe(&p.head, h->offset);
    return p;
}

static void drop(conn *c, held *h) {
    if (--c->held_count == 0) {
        unlink_holder(c);
    }
    c->quic->bytes -= sizeof *h + h->len;
    free(h);
}

static bool is_missing(wzp_pcap_quic_seal seal) {
    return seal == WZP_PCAP_QUIC_NO_SECRET || seal == WZP_PCAP_QUIC_NO_HELLO;
}

void wzp_pcap_quic_held_retry(conn *c) {
    held **link = &c->held_first;
    c->wants_retry = false;
    c->held_last = NULL;
    while (*link != NULL) {
        held *h = *link;
        arrival at;
        passing p = revive(c, h, &at);
        wzp_pcap_quic_unseal(&p);
        if (is_missing(p.packet.seal)) {
            c->held_last = h;
            link = &h->next;
            continue;
        }
        *link = h->next;
        p.packet.late = true;
        wzp_pcap_quic_say(&p);
        drop(c, h);
    }
}

void wzp_pcap_quic_held_flush(conn *c) {
    while (c->held_first != NULL) {
        held *h = c->held_first;
        arrival at;
        passing p = revive(c, h, &at);
        p.packet.seal = c->has_hello ? WZP_PCAP_QUIC_NO_SECRET : WZP_PCAP_QUIC_NO_HELLO;
        c->held_first = h->next;
        wzp_pcap_quic_say(&p);
        drop(c, h);
    }
    c->held_last = NULL;
}

void wzp_pcap_quic_held_forget(conn *c) {
    while (c->held_first != NULL) {
        held *h = c->held_first;
        c->held_first = h->next;
        drop(c, h);
    }
    c->held_last = NULL;
}
