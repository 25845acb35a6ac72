#include "sim/lab/trace.h"

#include <inttypes.h>

#define FNV_PRIME UINT64_C(0x100000001b3)

static void mix(wzp_lab_trace *t, uint64_t word) {
    for (unsigned i = 0; i < 8; i++) {
        t->hash = (t->hash ^ (word >> (8 * i) & 0xff)) * FNV_PRIME;
    }
}

static void mix_bytes(wzp_lab_trace *t, const void *data, size_t len) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        t->hash = (t->hash ^ bytes[i]) * FNV_PRIME;
    }
}

static void mix_addr(wzp_lab_trace *t, const wzp_addr *a) {
    mix_bytes(t, a->ip, a->family == WZP_ADDR_V6 ? 16 : 4);
    mix(t, a->port);
}

static const char *proto_name(uint8_t proto) {
    return proto == WZP_SIM_UDP ? "udp" : proto == WZP_SIM_TCP ? "tcp" : "icmp";
}

void wzp_lab_trace_init(wzp_lab_trace *trace, FILE *out) {
    *trace = (wzp_lab_trace){.out = out, .hash = UINT64_C(0xcbf29ce484222325)};
}

static void put_time(FILE *out, wzp_time at) {
    (void)fprintf(out, "%" PRIu64 ".%09" PRIu64 " ", at / WZP_S, at % WZP_S);
}

void wzp_lab_trace_packet(wzp_lab_trace *t, const char *interface, wzp_sim_way way,
                          const wzp_sim_packet *packet, wzp_time now) {
    char src[WZP_ADDR_TEXT_MAX];
    char dst[WZP_ADDR_TEXT_MAX];
    t->packets++;
    mix(t, now);
    mix_bytes(t, interface, strlen(interface));
    mix(t, packet->id << 1 | (way == WZP_SIM_WAY_IN ? 1 : 0));
    mix_addr(t, &packet->src);
    mix_addr(t, &packet->dst);
    mix(t, (uint64_t)packet->proto << 32 | (uint64_t)packet->tos << 16 | packet->len);
    if (packet->id > t->newest) {
        t->newest = packet->id;
        mix_bytes(t, packet->payload, packet->len);
    }
    if (t->out != NULL) {
        put_time(t->out, now);
        (void)fprintf(t->out, "%s %c #%" PRIu64 " %s %s %s %u%s\n", interface,
                      way == WZP_SIM_WAY_IN ? '<' : '>', packet->id, proto_name(packet->proto),
                      wzp_addr_text(&packet->src, src), wzp_addr_text(&packet->dst, dst),
                      wzp_sim_packet_wire_len(packet), packet->corrupted ? " corrupted" : "");
    }
}

void wzp_lab_trace_drop(wzp_lab_trace *t, const char *link, const wzp_sim_packet *packet,
                        wzp_sim_drop why, wzp_time now) {
    char src[WZP_ADDR_TEXT_MAX];
    char dst[WZP_ADDR_TEXT_MAX];
    if (t->out != NULL) {
        put_time(t->out, now);
        (void)fprintf(t->out, "%s ! #%" PRIu64 " %s %s %s %s\n", link, packet->id,
                      proto_name(packet->proto), wzp_addr_text(&packet->src, src),
                      wzp_addr_text(&packet->dst, dst), wzp_sim_drop_name(why));
    }
}

void wzp_lab_trace_nat(wzp_lab_trace *t, const char *box, const wzp_sim_nat_event *event) {
    char from[WZP_ADDR_TEXT_MAX];
    char to[WZP_ADDR_TEXT_MAX];
    if (t->out == NULL || event->kind != WZP_SIM_NAT_DROPPED) {
        return;
    }
    put_time(t->out, event->at);
    (void)fprintf(t->out, "%s ! - %s %s %s %s\n", box, proto_name(event->proto),
                  wzp_addr_text(&event->remote, from), wzp_addr_text(&event->external, to),
                  event->reason);
}
