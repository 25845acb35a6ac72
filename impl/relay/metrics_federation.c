/* What the metrics tell of other relays: links, what comes over them, and probes. */
#include <stdio.h>

#include "relay/expose.h"

/* Operators choose the labels of peers. */
static const char *escaped(char out[256], const char *text) {
    size_t len = 0;
    for (; *text != '\0' && len < 250; text++) {
        if (*text == '"' || *text == '\\') {
            out[len++] = '\\';
        }
        out[len++] = (char)(*text == '\n' ? ' ' : *text);
    }
    out[len] = '\0';
    return out;
}

/* What came of a peer and was not passed on, or with --enforce count would not be with on. */
static void write_drops(wzp_wr *wr, const wzp_fed_peer_info *peers, size_t count) {
    static const char *const whys[] = {"peer_rate", "room_rate", "excess"};
    char label[256];
    wzp_expose_family(wr, "wzp_federation_peer_packets_over_total", "counter",
                      "datagrams from a peer over a limit, by the limit");
    for (size_t i = 0; i < count; i++) {
        const uint64_t values[] = {peers[i].over_rate, peers[i].over_room_rate, peers[i].excess};
        for (size_t k = 0; k < WZP_COUNT_OF(whys); k++) {
            wzp_expose_line(wr,
                            "wzp_federation_peer_packets_over_total{limit=\"%s\",peer=\"%s\"} %llu",
                            whys[k], escaped(label, peers[i].label), (unsigned long long)values[k]);
        }
    }
}

static void write_peers(wzp_wr *wr, const wzp_relay *r) {
    const wzp_federation *fed = r->federation;
    const size_t count = fed != NULL ? wzp_federation_peers(fed) : 0;
    wzp_fed_peer_info peers[WZP_FED_PEERS];
    char label[256];
    size_t rooms = 0;
    wzp_expose_family(wr, "wzp_federation_peer_status", "gauge", "1: linked");
    for (uint32_t i = 0; i < count; i++) {
        wzp_federation_peer(fed, i, &peers[i]);
        rooms += peers[i].active_rooms;
        wzp_expose_line(wr, "wzp_federation_peer_status{peer=\"%s\"} %d",
                        escaped(label, peers[i].label), peers[i].up ? 1 : 0);
    }
    wzp_expose_family(wr, "wzp_federation_peer_rtt_ms", "gauge",
                      "of the link, in whole milliseconds");
    for (size_t i = 0; i < count; i++) {
        wzp_quic_stats stats;
        if (wzp_quic_conn_stats(r->quic, peers[i].conn, &stats)) {
            wzp_expose_line(wr, "wzp_federation_peer_rtt_ms{peer=\"%s\"} %llu",
                            escaped(label, peers[i].label),
                            (unsigned long long)(stats.smoothed_rtt / WZP_MS));
        }
    }
    wzp_expose_family(wr, "wzp_federation_packets_forwarded_total", "counter",
                      "media packets over links");
    for (size_t i = 0; i < count; i++) {
        wzp_expose_line(wr,
                        "wzp_federation_packets_forwarded_total{direction=\"in\",peer=\"%s\"} %llu",
                        escaped(label, peers[i].label), (unsigned long long)peers[i].packets_in);
        wzp_expose_line(
            wr, "wzp_federation_packets_forwarded_total{direction=\"out\",peer=\"%s\"} %llu", label,
            (unsigned long long)peers[i].packets_out);
    }
    write_drops(wr, peers, count);
    wzp_expose_single(wr, "wzp_federation_active_rooms", "gauge",
                      "rooms with members at peers, over links", rooms);
}

void wzp_relay_expose_probes(wzp_wr *wr, const wzp_relay *r) {
    static const char *const names[] = {"wzp_probe_rtt_ms", "wzp_probe_loss_pct",
                                        "wzp_probe_jitter_ms", "wzp_probe_up"};
    static const char *const helps[] = {"of the last pong", "pings without a pong, of the last 60",
                                        "standard deviation of their times", "1: connected"};
    for (unsigned k = 0; k < WZP_COUNT_OF(names); k++) {
        wzp_addr target;
        wzp_probe_window w;
        char text[WZP_ADDR_TEXT_MAX];
        wzp_expose_family(wr, names[k], "gauge", helps[k]);
        for (size_t i = 0; wzp_relay_probe(r, i, &target, &w); i++) {
            const double values[] = {w.rtt_ms, w.loss_pct, w.jitter_ms, w.is_up ? 1 : 0};
            wzp_expose_line(wr, "%s{target=\"%s\"} %.17g", names[k], wzp_addr_text(&target, text),
                            values[k]);
        }
    }
    wzp_expose_single(
        wr, "wzp_relay_probes_dropped_total", "counter",
        "signals of a connection that probes us, over 50 per second, or over 2 that say who is "
        "there",
        r->metrics.probes_dropped);
    wzp_expose_single(wr, "wzp_relay_gossip_refused_total", "counter",
                      "lists of clients of more than 64 other relays", r->metrics.gossip_refused);
}

void wzp_relay_expose_federation(wzp_wr *wr, const wzp_relay *r) {
    wzp_fed_counters n = {0};
    if (r->federation != NULL) {
        wzp_federation_count(r->federation, &n);
    }
    const struct {
        const char *name, *help;
        uint64_t value;
    } singles[] = {
        {"packets_deduped_total", "packets from peers that were seen already",
         n.verdicts[WZP_FED_DUPLICATE]},
        {"packets_rate_limited_total", "packets from peers over their rate in a room",
         n.verdicts[WZP_FED_RATE]},
        {"packets_over_peer_rate_total", "datagrams over the rate of their peer, not looked at",
         n.verdicts[WZP_FED_PEER_RATE]},
        {"packets_excess_total", "packets that no senders in their room could send, dropped",
         n.verdicts[WZP_FED_EXCESS]},
        {"packets_malformed_total", "datagrams from peers that are no packet",
         n.verdicts[WZP_FED_MALFORMED]},
        {"packets_without_room_total", "packets from peers for rooms that are not bridged",
         n.verdicts[WZP_FED_NO_ROOM]},
        {"packets_too_large_total", "packets that do not fit with their room's hash", n.too_large},
        {"send_failures_total", "packets that a link refused", n.send_failures},
        {"marks_forgotten_early_total", "seen packets that made room before two seconds",
         n.forgotten_early},
        {"dials_total", "connections to peers begun", n.dials},
        {"dial_failures_total", "of these, without success", n.dial_failures},
        {"links_lost_total", "links that ended", n.links_lost},
        {"hellos_refused_total", "relays that nobody trusts", n.hellos_refused},
        {"pin_mismatches_total", "peers with another certificate than configured",
         n.pin_mismatches},
        {"rooms_refused_total", "announcements of rooms that are not bridged, or over a limit",
         n.rooms_refused},
        {"lists_cut_total", "announcements with more or longer entries than a limit", n.lists_cut},
        {"lists_old_total", "lists that were known already", n.lists_old},
        {"lists_expired_total", "lists that nobody renewed", n.lists_expired},
        {"identity_echoes_total", "announcements under our own identity", n.identity_echoes},
        {"envelopes_own_total", "envelopes of our own that came back", n.envelopes_own},
        {"envelopes_foreign_total", "envelopes in another relay's name", n.envelopes_foreign},
        {"signals_ignored_total", "signals without meaning on a link", n.signals_ignored},
        {"signals_dropped_total", "signals over 4000 per second of a link",
         r->metrics.peer_signals_dropped},
        {"announcements_total", "announcements of rooms sent", n.announcements},
        {"calls_offered_total", "direct calls offered to peers", r->metrics.calls_abroad},
        {"calls_received_total", "direct calls from peers to clients here",
         r->metrics.calls_from_abroad},
        {"offers_not_here_total", "calls from peers to nobody here", r->metrics.offers_not_here},
        {"offers_spoofed_total", "calls from peers in the name of clients that are not theirs",
         r->metrics.offers_spoofed},
    };
    write_peers(wr, r);
    for (size_t i = 0; i < WZP_COUNT_OF(singles); i++) {
        char name[80];
        (void)snprintf(name, sizeof name, "wzp_federation_%s", singles[i].name);
        wzp_expose_single(wr, name, "counter", singles[i].help, singles[i].value);
    }
}
