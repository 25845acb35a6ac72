/* Connections from their first packet until they are forgotten, and how things are said of them. */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "tools/pcap/quic/internal.h"

/* --- the order in which they were heard of ---------------------------------------------------- */

static void unlink_conn(conn *c) {
    wzp_pcap_quic *q = c->quic;
    *(c->older != NULL ? &c->older->newer : &q->oldest) = c->newer;
    *(c->newer != NULL ? &c->newer->older : &q->newest) = c->older;
}

static void link_newest(conn *c) {
    wzp_pcap_quic *q = c->quic;
    c->older = q->newest;
    c->newer = NULL;
    *(q->newest != NULL ? &q->newest->newer : &q->oldest) = c;
    q->newest = c;
}

void wzp_pcap_quic_conn_touch(conn *c) {
    if (c->newer != NULL) {
        unlink_conn(c);
        link_newest(c);
    }
}

/* --- a life ----------------------------------------------------------------------------------- */

static void say_forgotten(conn *c) {
    wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_FORGOTTEN, .conn = c->number};
    event.src = &c->client;
    event.dst = &c->server;
    event.to_server = true;
    c->quic->cfg.sink(c->quic->cfg.sink_ctx, &event);
}

conn *wzp_pcap_quic_conn_new(wzp_pcap_quic *quic, const arrival *at, bool to_server) {
    if (quic->conn_count == WZP_PCAP_QUIC_CONNS_MAX) {
        conn *quiet = quic->oldest;
        wzp_pcap_quic_held_flush(quiet);
        say_forgotten(quiet);
        wzp_pcap_quic_conn_free(quiet);
        quic->counters.conns_forgotten++;
    }
    conn *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    c->quic = quic;
    c->number = (uint32_t)++quic->counters.conns;
    c->suite = WZP_PCAP_QUIC_SUITE_UNKNOWN;
    c->client = to_server ? *at->src : *at->dst;
    c->server = to_server ? *at->dst : *at->src;
    quic->conn_count++;
    link_newest(c);
    wzp_pcap_quic_ways_learn(c, at->src, at->dst, to_server);
    return c;
}

static void clear_keys(conn *c) {
    wzp_pcap_quic_keys_clear(&c->early.keys);
    for (size_t i = 0; i < 2; i++) {
        wzp_pcap_quic_keys_clear(&c->initial[i]);
        wzp_pcap_quic_keys_clear(&c->handshake[i].keys);
        wzp_pcap_quic_keys_clear(&c->app[i].level.keys);
        wzp_pcap_quic_aead_clear(&c->app[i].before);
        wzp_pcap_quic_aead_clear(&c->app[i].next);
    }
}

static void clear_talk(wzp_pcap_quic *q, talk *t) {
    q->bytes -= t->gather.waiting + t->cap;
    wzp_pcap_quic_gather_clear(&t->gather);
    free(t->bytes);
    *t = (talk){.is_done = true};
}

void wzp_pcap_quic_talk_end(conn *c, talk *t) {
    clear_talk(c->quic, t);
}

void wzp_pcap_quic_conn_free(conn *c) {
    unlink_conn(c);
    c->quic->conn_count--;
    wzp_pcap_quic_cids_forget(c);
    wzp_pcap_quic_ways_forget(c);
    wzp_pcap_quic_streams_forget(c);
    for (size_t i = 0; i < 4; i++) {
        clear_talk(c->quic, &c->talks[i / 2][i % 2]);
    }
    wzp_pcap_quic_held_forget(c);
    clear_keys(c);
    OPENSSL_cleanse(c, sizeof *c);
    free(c);
}

static void turn_ids(conn *c) {
    const cid_list list = c->cids[0];
    const wzp_pcap_quic_cid last = c->last_dcid[0];
    c->cids[0] = c->cids[1];
    c->cids[1] = list;
    c->last_dcid[0] = c->last_dcid[1];
    c->last_dcid[1] = last;
    for (size_t i = 0; i < 2; i++) {
        for (cid_entry *entry = c->cids[i].first; entry != NULL; entry = entry->next) {
            entry->to_server = i == 1;
        }
    }
}

void wzp_pcap_quic_conn_turn(conn *c) {
    const wzp_addr client = c->client;
    c->client = c->server;
    c->server = client;
    turn_ids(c);
    for (size_t i = 0; i < WZP_COUNT_OF(c->ways); i++) {
        c->ways[i].to_server = !c->ways[i].to_server;
    }
    for (held *h = c->held_first; h != NULL; h = h->next) {
        h->to_server = !h->to_server;
    }
}

/* --- what is said ----------------------------------------------------------------------------- */

void wzp_pcap_quic_emit(const passing *p, wzp_pcap_quic_event *event) {
    const wzp_pcap_quic_cfg *cfg = &p->c->quic->cfg;
    event->conn = p->c->number;
    event->to_server = p->to_server;
    event->packet_number = p->at->packet_number;
    event->time_ns = p->at->time_ns;
    event->src = p->at->src;
    event->dst = p->at->dst;
    event->packet = &p->packet;
    cfg->sink(cfg->sink_ctx, event);
}

void wzp_pcap_quic_problem(const passing *p, const char *text, size_t offset) {
    wzp_pcap_quic_event event = {
        .kind = WZP_PCAP_QUIC_PROBLEM, .text = text, .offset = p->packet.offset + offset};
    wzp_pcap_quic_emit(p, &event);
}
