#include "sim/box/nat64.h"

enum { HEADER_DIFFERENCE = 20 };

static const uint8_t prefix[12] = {0x00, 0x64, 0xff, 0x9b};

wzp_sim_nat_cfg wzp_sim_nat64_cfg(void) {
    return (wzp_sim_nat_cfg){.name = "nat64",
                             .mapping = WZP_SIM_NAT_ANY,
                             .filtering = WZP_SIM_NAT_ADDR,
                             .ports = WZP_SIM_NAT_PRESERVE,
                             .fallback = WZP_SIM_NAT_RANDOM,
                             .parity = true, /* RFC 6146 3.5.1.1: where that is possible */
                             .hairpin = WZP_SIM_NAT_HAIRPIN_EXTERNAL,
                             .t_unreplied = 300 * WZP_S,
                             .t_replied = 300 * WZP_S};
}

wzp_addr wzp_sim_nat64_embed(const wzp_addr *v4) {
    wzp_addr v6 = {.family = WZP_ADDR_V6, .port = v4->port};
    memcpy(v6.ip, prefix, sizeof prefix);
    memcpy(v6.ip + sizeof prefix, v4->ip, 4);
    return v6;
}

bool wzp_sim_nat64_extract(const wzp_addr *v6, wzp_addr *out) {
    if (v6->family != WZP_ADDR_V6 || memcmp(v6->ip, prefix, sizeof prefix) != 0) {
        return false;
    }
    wzp_addr v4 = {.family = WZP_ADDR_V4, .port = v6->port};
    memcpy(v4.ip, v6->ip + sizeof prefix, 4);
    *out = v4;
    return true;
}

static void embed(wzp_addr *addr) {
    if (addr->family == WZP_ADDR_V4) {
        *addr = wzp_sim_nat64_embed(addr);
    }
}

static bool is_too_big(const wzp_sim_packet *packet) {
    return packet->proto == WZP_SIM_ICMP && packet->icmp == WZP_SIM_ICMP_TOO_BIG;
}

bool wzp_sim_nat64_to_v4(wzp_sim_packet *packet) {
    if (!wzp_sim_nat64_extract(&packet->dst, &packet->dst)) {
        return false;
    }
    if (packet->proto == WZP_SIM_ICMP) {
        /* About a packet of that remote's to the host inside. */
        (void)wzp_sim_nat64_extract(&packet->inner_src, &packet->inner_src);
    }
    if (is_too_big(packet) && packet->mtu > HEADER_DIFFERENCE) {
        packet->mtu = (uint16_t)(packet->mtu - HEADER_DIFFERENCE);
    }
    return true;
}

void wzp_sim_nat64_to_v6(wzp_sim_packet *packet) {
    embed(&packet->src);
    embed(&packet->dst);
    if (packet->proto == WZP_SIM_ICMP) {
        embed(&packet->inner_src);
        embed(&packet->inner_dst);
    }
    if (is_too_big(packet) && packet->mtu <= UINT16_MAX - HEADER_DIFFERENCE) {
        packet->mtu = (uint16_t)(packet->mtu + HEADER_DIFFERENCE);
    }
}

/* --- CLAT ------------------------------------------------------------------------------------- */

/* From the one address to the other; the port stays. */
static void swap_ip(wzp_addr *addr, const wzp_addr *from, const wzp_addr *to) {
    if (wzp_addr_same_ip(addr, from)) {
        const uint16_t port = addr->port;
        *addr = *to;
        addr->port = port;
    }
}

bool wzp_sim_clat_out(wzp_sim_packet *packet, const wzp_addr *v4, const wzp_addr *v6) {
    if (!wzp_addr_same_ip(&packet->src, v4)) {
        return false;
    }
    swap_ip(&packet->src, v4, v6);
    if (packet->proto == WZP_SIM_ICMP) {
        swap_ip(&packet->inner_dst, v4, v6);
    }
    wzp_sim_nat64_to_v6(packet);
    return true;
}

bool wzp_sim_clat_in(wzp_sim_packet *packet, const wzp_addr *v4, const wzp_addr *v6) {
    if (!wzp_addr_same_ip(&packet->dst, v6) || !wzp_sim_nat64_extract(&packet->src, &packet->src)) {
        return false;
    }
    swap_ip(&packet->dst, v6, v4);
    if (packet->proto == WZP_SIM_ICMP) {
        swap_ip(&packet->inner_src, v6, v4);
        (void)wzp_sim_nat64_extract(&packet->inner_dst, &packet->inner_dst);
    }
    if (is_too_big(packet) && packet->mtu > HEADER_DIFFERENCE) {
        packet->mtu = (uint16_t)(packet->mtu - HEADER_DIFFERENCE);
    }
    return true;
}

static void deliver(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    wzp_sim_clat *clat = (wzp_sim_clat *)node;
    wzp_sim_pipe *pipe = clat->pipe[1 - port];
    clat->counts.in++;
    clat->counts.bytes_in += wzp_sim_packet_wire_len(packet);
    if (port == 0) {
        (void)wzp_sim_clat_out(packet, &clat->v4, &clat->v6);
    } else {
        (void)wzp_sim_clat_in(packet, &clat->v4, &clat->v6);
    }
    /* IPv4 that is not the host's has no business in an IPv6 network. */
    if (pipe == NULL || (port == 0 && packet->src.family != WZP_ADDR_V6)) {
        clat->counts.dropped[WZP_SIM_DROP_NO_ROUTE]++;
        wzp_sim_packet_free(packet);
        return;
    }
    clat->counts.out++;
    clat->counts.bytes_out += wzp_sim_packet_wire_len(packet);
    wzp_sim_pipe_carry(pipe, packet, now);
}

void wzp_sim_clat_init(wzp_sim_clat *clat, const char *name, const wzp_addr *v4,
                       const wzp_addr *v6) {
    *clat = (wzp_sim_clat){.node = {.deliver = deliver, .name = name}, .v4 = *v4, .v6 = *v6};
}
