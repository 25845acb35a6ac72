/* Our STUN server, and our discovery of NAT behaviour, on real sockets. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/sys.h"
#include "sim/host/behaviour.h"
#include "sim/host/stun.h"
#include "sim/nat/testing/real/real.h"

/* stun NS IP1:PORT1 IP2:PORT2: serves until it is ended. */
int real_stun(char **args) {
    const wzp_sim_stun_cfg cfg = {.primary = real_addr(args[1]), .alternate = real_addr(args[2])};
    wzp_addr local[4] = {cfg.primary, cfg.primary, cfg.alternate, cfg.alternate};
    struct pollfd fds[4];
    local[1].port = cfg.alternate.port;
    local[2].port = cfg.primary.port;
    for (size_t i = 0; i < 4; i++) {
        fds[i] = (struct pollfd){.fd = real_udp(args[0], &local[i]), .events = POLLIN};
    }
    for (;;) {
        real_wait(fds, 4, WZP_TIME_NEVER);
        for (size_t i = 0; i < 4; i++) {
            wzp_sim_stun_answer answer;
            wzp_addr from;
            uint8_t buf[2048];
            const long len = real_recv(fds[i].fd, &from, buf, sizeof buf);
            if (len >= 0 && wzp_sim_stun_serve(&cfg, &local[i], &from,
                                               wzp_bytes_of(buf, (size_t)len), &answer)) {
                for (size_t k = 0; k < 4; k++) {
                    if (wzp_addr_equal(&local[k], &answer.from)) {
                        real_send(fds[k].fd, &answer.to, wzp_bytes_of(answer.data, answer.len));
                    }
                }
            }
        }
    }
}

static void print(const wzp_sim_behaviour_result *r) {
    static const char *const turns[] = {"none", "external source", "internal source"};
    printf("translated %s\nmapping %s\nfiltering %s\nhairpin %s\n", r->translated ? "yes" : "no",
           wzp_sim_behaviour_scope_text(r->mapping), wzp_sim_behaviour_scope_text(r->filtering),
           turns[r->hairpin]);
}

static void feed(wzp_sim_behaviour *b, const struct pollfd *fds) {
    for (unsigned i = 0; i < WZP_SIM_BEHAVIOUR_SOCKETS; i++) {
        wzp_addr from;
        uint8_t buf[2048];
        long len = 0;
        while ((len = real_recv(fds[i].fd, &from, buf, sizeof buf)) >= 0) {
            wzp_sim_behaviour_recv(b, (wzp_sim_behaviour_socket)i, &from,
                                   wzp_bytes_of(buf, (size_t)len), wzp_io_now());
        }
    }
}

/* discover NS LOCAL-IP:PORT SERVER:PORT: from five ports from this one on. */
int real_discover(char **args) {
    wzp_addr local[WZP_SIM_BEHAVIOUR_SOCKETS];
    struct pollfd fds[WZP_SIM_BEHAVIOUR_SOCKETS];
    const wzp_sim_behaviour_cfg cfg = {
        .server = real_addr(args[2]), .hairpin = true, .timeout = 1500 * WZP_MS};
    wzp_sim_behaviour b;
    wzp_sim_behaviour_datagram datagram;
    for (size_t i = 0; i < WZP_SIM_BEHAVIOUR_SOCKETS; i++) {
        local[i] = real_addr(args[1]);
        local[i].port = (uint16_t)(local[i].port + i);
        fds[i] = (struct pollfd){.fd = real_udp(args[0], &local[i]), .events = POLLIN};
    }
    wzp_sim_behaviour_start(&b, &cfg, local, wzp_io_rng(), wzp_io_now());
    while (wzp_sim_behaviour_done(&b) == NULL) {
        while (wzp_sim_behaviour_next(&b, &datagram)) {
            real_send(fds[datagram.socket].fd, &datagram.to,
                      wzp_bytes_of(datagram.data, datagram.len));
        }
        real_wait(fds, WZP_SIM_BEHAVIOUR_SOCKETS, wzp_sim_behaviour_deadline(&b));
        feed(&b, fds);
        wzp_sim_behaviour_tick(&b, wzp_io_now());
    }
    print(wzp_sim_behaviour_done(&b));
    return 0;
}

/* hear NS IP:PORT SECONDS: prints sender and text of each datagram. */
int real_hear(char **args) {
    const wzp_addr local = real_addr(args[1]);
    struct pollfd fd = {.fd = real_udp(args[0], &local), .events = POLLIN};
    const wzp_time until =
        wzp_time_after(wzp_io_now(), strtoul(args[2] != NULL ? args[2] : "1", NULL, 10) * WZP_S);
    puts("ready");
    (void)fflush(stdout);
    while (wzp_io_now() < until) {
        wzp_addr from;
        char text[WZP_ADDR_TEXT_MAX];
        uint8_t buf[2048];
        real_wait(&fd, 1, until);
        const long len = real_recv(fd.fd, &from, buf, sizeof buf);
        if (len >= 0) {
            printf("%s %.*s\n", wzp_addr_text(&from, text), (int)len, (const char *)buf);
            (void)fflush(stdout);
        }
    }
    return 0;
}
