/* A client of NAT-PMP or PCP beside a gateway that says whatever the input says, when it says so.
 * What is told to peers is always of use to them, waiting always ends, and requests stay rare.
 *
 *   first byte: bit 0 the protocol, bit 1 a lab.  Then commands:
 *   0-127    so many half seconds pass      128  what follows is an answer: length, bytes
 *   129      as 128, with our own nonce in it     130  released     131  started again */
#include "nat/ip_kind.h"
#include "nat/portmap.h"
#include "require.h"

static const wzp_addr gateway = {WZP_ADDR_V4, 5351, {192, 168, 1, 1}};
static const wzp_addr local = {WZP_ADDR_V4, 40000, {192, 168, 1, 10}};

static wzp_portmap map;
static wzp_portmap_cfg cfg;
static wzp_prng prng;
static wzp_time now;
static uint64_t commands;

static void look(void) {
    const wzp_addr *external = wzp_portmap_external(&map);
    const wzp_time deadline = wzp_portmap_deadline(&map);
    wzp_portmap_datagram out;
    if (external != NULL) {
        require(external->port != 0 && map.lifetime_s != 0);
        require(cfg.accepts_local || wzp_ip_kind_of(external) == WZP_IP_GLOBAL);
    }
    require((deadline == WZP_TIME_NEVER) == (map.state == WZP_PORTMAP_OFF));
    while (wzp_portmap_next(&map, &out)) {
        require(out.len == 2 || out.len == 12 || out.len == 60);
        require(wzp_addr_equal(&out.to, &gateway));
    }
    /* Each command may bring an exchange, and each of these some seconds of repetition. */
    require(map.sends <= 4 * commands + 8 * (now / WZP_S + 1));
}

static void pass(unsigned halves) {
    const wzp_time until = now + halves * WZP_S / 2;
    for (wzp_time at = wzp_portmap_deadline(&map); at <= until; at = wzp_portmap_deadline(&map)) {
        now = at > now ? at : now;
        wzp_portmap_tick(&map, now);
        require(wzp_portmap_deadline(&map) > now);
        look();
    }
    now = until;
}

static void start(void) {
    require(wzp_portmap_start(&map, &cfg, wzp_prng_rng(&prng), now) == WZP_OK);
    commands = 1;
    now = 0;
}

static void answer(wzp_bytes datagram, bool has_nonce) {
    uint8_t copy[256];
    memcpy(copy, datagram.data, datagram.len);
    if (has_nonce && datagram.len >= 36) {
        memcpy(copy + 24, map.nonce, sizeof map.nonce);
    }
    (void)wzp_portmap_recv(&map, &gateway, wzp_bytes_of(copy, datagram.len), now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = data + size;
    if (size == 0) {
        return 0;
    }
    cfg = (wzp_portmap_cfg){.protocol = (data[0] & 1) != 0 ? WZP_PORTMAP_PCP : WZP_PORTMAP_NATPMP,
                            .gateway = gateway,
                            .local = local,
                            .accepts_local = (data[0] & 2) != 0};
    wzp_prng_init(&prng, 1, "portmap");
    now = 0;
    start();
    for (data++; data < end; commands++) {
        const uint8_t command = *data++;
        if (command < 128) {
            pass(command);
        } else if (command <= 129 && data < end) {
            const size_t wish = *data++;
            const size_t len = wish < (size_t)(end - data) ? wish : (size_t)(end - data);
            answer(wzp_bytes_of(data, len), command == 129);
            data += len;
        } else if (command == 130) {
            wzp_portmap_release(&map, now);
        } else if (command == 131) {
            start();
        }
        look();
    }
    return 0;
}
