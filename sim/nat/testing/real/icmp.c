/* ICMP echo by hand: a query's identifier is its port (RFC 5508), and `ping` does not show it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/sys.h"
#include "sim/nat/testing/real/real.h"
#include "sim/net/wire.h"

enum { ECHO_REPLY = 0, ECHO_REQUEST = 8, HEADER = 8 };

static uint16_t get16(const uint8_t *at) {
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, unsigned long value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* echo NS FROM-IP:0 TO-IP:0 request|reply ID NUMBER */
int real_echo(char **args) {
    const wzp_addr from = real_addr(args[1]);
    const wzp_addr to = real_addr(args[2]);
    uint8_t message[HEADER] = {strcmp(args[3], "reply") == 0 ? ECHO_REPLY : ECHO_REQUEST};
    put16(message + 4, strtoul(args[4], NULL, 10));
    put16(message + 6, strtoul(args[5], NULL, 10));
    const uint16_t sum = wzp_sim_sum_fold(wzp_sim_sum(wzp_bytes_of(message, sizeof message)));
    put16(message + 2, (uint16_t)~sum);
    real_send(real_icmp(args[0], &from), &to, wzp_bytes_of(message, sizeof message));
    return 0;
}

/* An IPv4 packet with an echo message; "request 192.0.2.1 ID NUMBER". */
static void tell(const uint8_t *packet, size_t len, const wzp_addr *from) {
    char text[WZP_ADDR_TEXT_MAX];
    const size_t header = (size_t)(packet[0] & 15) * 4;
    if (len < header + HEADER) {
        return;
    }
    const uint8_t *message = packet + header;
    if (message[0] == ECHO_REPLY || message[0] == ECHO_REQUEST) {
        (void)wzp_addr_text(from, text);
        printf("%s %.*s %u %u\n", message[0] == ECHO_REPLY ? "reply" : "request",
               (int)strcspn(text, ":"), text, get16(message + 4), get16(message + 6));
        (void)fflush(stdout);
    }
}

/* echoes NS IP:0: says what comes, until it is ended. */
int real_echoes(char **args) {
    const wzp_addr local = real_addr(args[1]);
    struct pollfd fd = {.fd = real_icmp(args[0], &local), .events = POLLIN};
    puts("ready");
    (void)fflush(stdout);
    for (;;) {
        wzp_addr from;
        uint8_t packet[2048];
        real_wait(&fd, 1, WZP_TIME_NEVER);
        const long len = real_recv(fd.fd, &from, packet, sizeof packet);
        if (len > 0) {
            tell(packet, (size_t)len, &from);
        }
    }
}
