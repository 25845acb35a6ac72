/* nat_real COMMAND ARGS: the clients of this folder on real sockets; see real_peers_test.sh.
 *
 *   stun first|all|in-turn IP:PORT SERVER...    one line for each server, then the type of the NAT
 * and its allocation of ports
 *   portmap natpmp|pcp GATEWAY IP:PORT          maps that port and says so; ends what it has mapped
 * when a line comes in; says what the port hears
 *   upnp IP:PORT                                the same, at whichever gateway answers */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "io/sockaddr.h"
#include "io/sys.h"
#include "nat/demux.h"
#include "nat/nat_type.h"
#include "nat/port_alloc.h"
#include "nat/portmap.h"
#include "nat/stun_client.h"
#include "nat/testing/real_upnp.h"

_Noreturn static void die(const char *what) {
    (void)fprintf(stderr, "nat_real: %s: %s\n", what, errno != 0 ? wzp_io_reason(errno) : "bad");
    _exit(1); /* its sockets go with it */
}

static wzp_addr addr_of(const char *text) {
    wzp_addr addr;
    errno = 0;
    if (text == NULL || wzp_addr_parse(&addr, text) != WZP_OK) {
        die(text != NULL ? text : "an address is missing");
    }
    return addr;
}

static int open_udp(const wzp_addr *local) {
    wzp_sockaddr addr;
    const socklen_t len = wzp_sockaddr_write(&addr, local, false);
    const int fd = socket(addr.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, &addr.any, len) != 0) {
        die("socket");
    }
    return fd;
}

/* What cannot be sent is lost, as on any network. */
static void send_to(int fd, const wzp_addr *to, const uint8_t *data, size_t len) {
    wzp_sockaddr addr;
    const socklen_t addr_len = wzp_sockaddr_write(&addr, to, false);
    (void)sendto(fd, data, len, 0, &addr.any, addr_len);
}

static bool receive(int fd, wzp_addr *from, uint8_t buf[2048], size_t *len) {
    wzp_sockaddr addr;
    socklen_t addr_len = sizeof addr;
    const ssize_t got = recvfrom(fd, buf, 2048, 0, &addr.any, &addr_len);
    if (got < 0) {
        return false;
    }
    *from = wzp_sockaddr_read(&addr);
    *len = (size_t)got;
    return true;
}

static void wait_for(struct pollfd *fds, nfds_t count, wzp_time until) {
    const uint64_t left = wzp_time_since(until, wzp_io_now());
    const int ms = until == WZP_TIME_NEVER ? -1 : (int)((left + WZP_MS - 1) / WZP_MS);
    (void)poll(fds, count, ms);
}

/* --- stun ------------------------------------------------------------------------------------- */

static wzp_stun_order order_of(const char *word) {
    if (strcmp(word, "first") == 0) {
        return WZP_STUN_FIRST;
    }
    return strcmp(word, "all") == 0 ? WZP_STUN_ALL : WZP_STUN_IN_TURN;
}

static void run_stun(wzp_stun_client *client, int fd) {
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    while (!wzp_stun_client_is_done(client)) {
        wzp_stun_datagram out;
        wzp_addr from;
        uint8_t buf[2048];
        size_t len = 0;
        while (wzp_stun_client_next(client, &out)) {
            send_to(fd, &out.to, out.data, out.len);
        }
        wait_for(&poller, 1, wzp_stun_client_deadline(client));
        while (receive(fd, &from, buf, &len)) {
            if (wzp_demux_of(wzp_bytes_of(buf, len)) == WZP_DEMUX_STUN) {
                (void)wzp_stun_client_recv(client, &from, wzp_bytes_of(buf, len), wzp_io_now());
            }
        }
        wzp_stun_client_tick(client, wzp_io_now());
    }
}

static void print_stun(const wzp_stun_client *client) {
    static const char *const states[] = {"waiting", "asked",    "answered", "denied",
                                         "silent",  "unusable", "later"};
    wzp_nat_probe probes[WZP_STUN_SERVERS_MAX] = {0};
    uint16_t ports[WZP_STUN_SERVERS_MAX] = {0};
    char text[WZP_ADDR_TEXT_MAX];
    char word[WZP_PORT_ALLOC_TEXT_MAX];
    size_t count = 0;
    size_t answers = 0;
    for (const wzp_stun_result *r = NULL; (r = wzp_stun_client_result(client, count)) != NULL;
         count++) {
        printf("%s %s\n", states[r->state], wzp_addr_text(&r->mapped, text));
        probes[count] = (wzp_nat_probe){r->server, r->mapped};
        if (r->state == WZP_STUN_ANSWERED) {
            ports[answers++] = r->mapped.port;
        }
    }
    printf("type %s\n",
           wzp_nat_type_text(wzp_nat_type_classify(probes, count, WZP_NAT_TYPE_REFERENCE).type));
    printf("ports %s\n", wzp_port_alloc_text(wzp_port_alloc_classify(ports, answers), word));
}

static int stun(char **args) {
    static wzp_stun_client client;
    const wzp_stun_client_cfg cfg = {.order = order_of(args[0]),
                                     .has_fingerprint = true,
                                     .software = wzp_bytes_str("wzp"),
                                     .timeout = 2 * WZP_S};
    const wzp_addr local = addr_of(args[1]);
    wzp_addr servers[WZP_STUN_SERVERS_MAX];
    size_t count = 0;
    for (; args[2 + count] != NULL && count < WZP_STUN_SERVERS_MAX; count++) {
        servers[count] = addr_of(args[2 + count]);
    }
    if (wzp_stun_client_start(&client, &cfg, servers, count, wzp_io_rng(), wzp_io_now()) !=
        WZP_OK) {
        die("stun");
    }
    run_stun(&client, open_udp(&local));
    print_stun(&client);
    return 0;
}

/* --- portmap ---------------------------------------------------------------------------------- */

static void print_changes(const wzp_portmap *map, uint64_t *seen) {
    char text[WZP_ADDR_TEXT_MAX];
    const uint64_t now = wzp_portmap_changes(map) + map->reboots * 1000 + (uint64_t)map->state;
    const wzp_addr *external = wzp_portmap_external(map);
    if (now == *seen) {
        return;
    }
    *seen = now;
    if (external != NULL) {
        printf("mapped %s %u s\n", wzp_addr_text(external, text), map->lifetime_s);
    } else if (wzp_portmap_state_of(map) == WZP_PORTMAP_FAILED) {
        printf("failed: %s %u\n", wzp_portmap_why_text(map->why), map->result);
    }
    (void)fflush(stdout);
}

static void hear(int fd) {
    wzp_addr from;
    char text[WZP_ADDR_TEXT_MAX];
    uint8_t buf[2048];
    size_t len = 0;
    while (receive(fd, &from, buf, &len)) {
        printf("heard %.*s from %s\n", (int)len, (const char *)buf, wzp_addr_text(&from, text));
        (void)fflush(stdout);
    }
}

static void exchange(wzp_portmap *map, int fd) {
    wzp_portmap_datagram out;
    wzp_addr from;
    uint8_t buf[2048];
    size_t len = 0;
    while (receive(fd, &from, buf, &len)) {
        (void)wzp_portmap_recv(map, &from, wzp_bytes_of(buf, len), wzp_io_now());
    }
    wzp_portmap_tick(map, wzp_io_now());
    while (wzp_portmap_next(map, &out)) {
        send_to(fd, &out.to, out.data, out.len);
    }
}

static int portmap(char **args) {
    static wzp_portmap map;
    const wzp_portmap_cfg cfg = {.protocol = strcmp(args[0], "pcp") == 0 ? WZP_PORTMAP_PCP
                                                                         : WZP_PORTMAP_NATPMP,
                                 .gateway = addr_of(args[1]),
                                 .local = addr_of(args[2]),
                                 .lifetime_s = 600,
                                 .timeout = 5 * WZP_S};
    wzp_addr any_port = cfg.local;
    any_port.port = 0;
    struct pollfd fds[] = {{.fd = open_udp(&any_port), .events = POLLIN},
                           {.fd = open_udp(&cfg.local), .events = POLLIN},
                           {.fd = STDIN_FILENO, .events = POLLIN}};
    uint64_t seen = 0;
    if (wzp_portmap_start(&map, &cfg, wzp_io_rng(), wzp_io_now()) != WZP_OK) {
        die("portmap");
    }
    for (;;) {
        exchange(&map, fds[0].fd);
        print_changes(&map, &seen);
        hear(fds[1].fd);
        if (wzp_portmap_state_of(&map) == WZP_PORTMAP_OFF) {
            break; /* nothing is left to wait for */
        }
        wait_for(fds, 3, wzp_portmap_deadline(&map));
        char line = 0;
        if (fds[2].fd >= 0 && fds[2].revents != 0 && read(fds[2].fd, &line, 1) >= 0) {
            fds[2].fd = -1;
            wzp_portmap_release(&map, wzp_io_now());
        }
    }
    puts("off");
    return 0;
}

int main(int argc, char **argv) {
    if (argc >= 4 && strcmp(argv[1], "stun") == 0) {
        return stun(argv + 2);
    }
    if (argc == 5 && strcmp(argv[1], "portmap") == 0) {
        return portmap(argv + 2);
    }
    if (argc == 3 && strcmp(argv[1], "upnp") == 0) {
        const wzp_addr own = addr_of(argv[2]);
        return real_upnp(&own);
    }
    errno = EINVAL;
    die("usage: stun | portmap | upnp");
}
