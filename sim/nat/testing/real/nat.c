/* Our NAT between two TUN devices, and its gateway on real sockets. */
#include <stdio.h>
#include <unistd.h>

#include "io/sys.h"
#include "sim/box/rewrite.h"
#include "sim/nat/testing/real/gateway.h"

enum { INSIDE, OUTSIDE };

typedef struct router {
    wzp_sim_nat *nat;
    wzp_sim_rewriter *rewriter;
    int tun[2];
} router;

static void forward(const router *r, int in) {
    uint8_t buf[2048];
    ssize_t len = 0;
    while ((len = read(r->tun[in], buf, sizeof buf)) > 0) {
        const wzp_sim_rewrite verdict =
            in == INSIDE ? wzp_sim_rewrite_out(r->rewriter, buf, (size_t)len, wzp_io_now())
                         : wzp_sim_rewrite_in(r->rewriter, buf, (size_t)len, wzp_io_now());
        if (verdict == WZP_SIM_REWRITE_FORWARD) {
            (void)!write(r->tun[!in], buf, (size_t)len);
        } else if (verdict == WZP_SIM_REWRITE_TURN) {
            (void)!write(r->tun[INSIDE], buf, (size_t)len);
        }
    }
}

static void open_router(router *r, char **args) {
    const wzp_addr external = real_addr(args[1]);
    wzp_sim_nat_cfg cfg;
    if (!wzp_sim_nat_preset(args[0], &cfg) ||
        wzp_sim_nat_new(&r->nat, &cfg, &external, 1, wzp_rng_u64(wzp_io_rng()), "nat", wzp_io_now(),
                        NULL) != WZP_OK ||
        wzp_sim_rewriter_new(&r->rewriter, &(wzp_sim_rewriter_cfg){0}, r->nat) != WZP_OK) {
        real_die(args[0]);
    }
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
