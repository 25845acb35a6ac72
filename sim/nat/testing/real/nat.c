/* Our NAT between two TUN devices, and its gateway on real sockets. */
#include <stdio.h>
#include <unistd.h>

#include "base/rd.h"
#include "io/sys.h"
#include "sim/nat/testing/real/gateway.h"
#include "sim/net/packet.h"

enum { INSIDE, OUTSIDE };

typedef struct router {
    wzp_sim_nat *nat;
    wzp_sim_pool *pool;
    int tun[2];
} router;

/* --- packets -------------------------------------------------------------------------------------
 */

/* An IPv4 UDP packet without options or fragments as the simulator knows it; NULL: another. */
static wzp_sim_packet *from_bytes(wzp_sim_pool *pool, wzp_bytes raw) {
    wzp_rd rd;
    wzp_rd_init(&rd, raw);
    const wzp_bytes ip = wzp_rd_bytes(&rd, 20, "IP header");
    wzp_addr src = {.family = WZP_ADDR_V4};
    wzp_addr dst = {.family = WZP_ADDR_V4};
    if (rd.fail.code != WZP_OK || ip.data[0] != 0x45 || ip.data[9] != WZP_SIM_UDP) {
        return NULL;
    }
    memcpy(src.ip, ip.data + 12, 4);
    memcpy(dst.ip, ip.data + 16, 4);
    src.port = wzp_rd_u16(&rd, "source port");
    dst.port = wzp_rd_u16(&rd, "destination port");
    (void)wzp_rd_u32(&rd, "length and checksum");
    const wzp_bytes payload = wzp_rd_rest(&rd);
    wzp_sim_packet *packet =
        rd.fail.code == WZP_OK ? wzp_sim_packet_new(pool, &src, &dst, payload, 0) : NULL;
    if (packet != NULL) {
        packet->ttl = ip.data[8];
        packet->tos = ip.data[1];
    }
    return packet;
}

/* Translates; true with the side on which it leaves. */
static bool translate(const router *r, int in, wzp_sim_packet *packet, int *out) {
    const wzp_time now = wzp_io_now();
    const wzp_sim_nat_verdict verdict =
        in == INSIDE ? wzp_sim_nat_out(r->nat, packet->proto, &packet->src, &packet->dst, now)
                     : wzp_sim_nat_in(r->nat, packet->proto, &packet->src, &packet->dst, now);
    *out = verdict == WZP_SIM_NAT_TURN ? INSIDE : !in;
    packet->ttl--;
    return (verdict == WZP_SIM_NAT_FORWARD || verdict == WZP_SIM_NAT_TURN) && packet->ttl > 0;
}

static void forward(const router *r, int in) {
    uint8_t buf[2048];
    ssize_t len = 0;
    while ((len = read(r->tun[in], buf, sizeof buf)) > 0) {
        wzp_sim_packet *packet = from_bytes(r->pool, wzp_bytes_of(buf, (size_t)len));
        int out = 0;
        if (packet != NULL && translate(r, in, packet, &out)) {
            const size_t size = wzp_sim_packet_bytes(packet, buf, sizeof buf);
            (void)!write(r->tun[out], buf, size);
        }
        wzp_sim_packet_free(packet);
    }
}

/* --- the process ---------------------------------------------------------------------------------
 */

static void open_router(router *r, char **args) {
    const wzp_addr external = real_addr(args[1]);
    wzp_sim_nat_cfg cfg;
    if (!wzp_sim_nat_preset(args[0], &cfg) ||
        wzp_sim_nat_new(&r->nat, &cfg, &external, 1, wzp_rng_u64(wzp_io_rng()), "nat", wzp_io_now(),
                        NULL) != WZP_OK) {
        real_die(args[0]);
    }
    r->pool = wzp_sim_pool_new();
    r->tun[INSIDE] = real_tun(args[2], args[3]);
    r->tun[OUTSIDE] = real_tun(args[4], args[5]);
}

/* nat PRESET EXTERNAL-IP:0 INSIDE-NS TUN OUTSIDE-NS TUN [GATEWAY-NS IP:0 WORD...] */
int real_nat(char **args) {
    const bool has_gateway = args[6] != NULL;
    static real_gateway gateway;
    router r = {0};
    struct pollfd fds[2 + REAL_GATEWAY_FDS];
    open_router(&r, args);
    if (has_gateway) {
        const wzp_addr inside = real_addr(args[7]);
        real_gateway_open(&gateway, args[6], &inside, r.nat, args + 8);
    }
    puts("ready"); /* whatever is sent from now on finds the way */
    (void)fflush(stdout);
    fds[INSIDE] = (struct pollfd){.fd = r.tun[INSIDE], .events = POLLIN};
    fds[OUTSIDE] = (struct pollfd){.fd = r.tun[OUTSIDE], .events = POLLIN};
    for (;;) {
        if (has_gateway) {
            real_gateway_fds(&gateway, fds + 2);
        }
        real_wait(fds, has_gateway ? WZP_COUNT_OF(fds) : 2,
                  has_gateway ? real_gateway_deadline(&gateway) : WZP_TIME_NEVER);
        forward(&r, INSIDE);
        forward(&r, OUTSIDE);
        if (has_gateway) {
            real_gateway_serve(&gateway);
        }
    }
}
