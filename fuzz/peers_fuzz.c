/* What peers say on their links: any number of lines, '1' or '2' for the link that speaks (a new
 * one if it is closed), 'x' or 'y' to close it, 't' for five seconds, and a signal behind the
 * digit. What is sent is always readable. */
#include <string.h>

#include "federation/federation.h"
#include "require.h"

static const char *const fingerprints[] = {"1111111111111111", "2222222222222222"};

static void drain(wzp_federation *fed) {
    wzp_fed_output out;
    while (wzp_federation_next(fed, &out)) {
        if (out.kind == WZP_FED_SEND) {
            wzp_signal *signal = NULL;
            require(wzp_signal_parse(&signal, out.json, NULL, NULL) == WZP_OK);
            wzp_signal_free(&signal);
        }
    }
}

static void hear(wzp_federation *fed, wzp_fed_link *link, wzp_bytes json, wzp_time now) {
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK) {
        const wzp_signal *inner = wzp_federation_signal(fed, link, signal, now);
        require(inner == NULL || signal->kind == WZP_SIGNAL_FEDERATED_SIGNAL_FORWARD);
        wzp_signal_free(&signal);
    }
}

static void act(wzp_federation *fed, wzp_fed_link *links[2], wzp_bytes line, wzp_time *now) {
    const char what = (char)line.data[0];
    const size_t i = what == '2' || what == 'y' ? 1 : 0;
    const wzp_addr addr = wzp_addr_v4(192, 0, 2, 1, 1);
    *now += what == 't' ? 5 * WZP_S : WZP_MS;
    if (what == '1' || what == '2') {
        if (links[i] == NULL) {
            links[i] = wzp_federation_accepted(fed, i + 1, &addr, wzp_bytes_str(fingerprints[i]),
                                               *now, NULL);
            require(links[i] != NULL);
        }
        hear(fed, links[i], wzp_bytes_of(line.data + 1, line.len - 1), *now);
    } else if ((what == 'x' || what == 'y') && links[i] != NULL) {
        wzp_federation_closed(fed, links[i], *now);
        links[i] = NULL;
    }
    wzp_federation_tick(fed, *now);
    drain(fed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const rooms[] = {"general"};
    const wzp_fed_peer_cfg peers[] = {{{0}, fingerprints[0], "one"}, {{0}, fingerprints[1], NULL}};
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "peers");
    const wzp_federation_cfg cfg = {.rng = wzp_prng_rng(&prng),
                                    .fingerprint = "aaaaaaaaaaaaaaaa",
                                    .peers = peers,
                                    .peer_count = 2,
                                    .rooms = rooms,
                                    .room_count = 1,
                                    .dedup_cap = 16};
    wzp_federation *fed = NULL;
    wzp_fed_link *links[2] = {NULL, NULL};
    wzp_time now = 100 * WZP_S;
    int app = 0;
    require(wzp_federation_new(&fed, &cfg, now) == WZP_OK);
    require(wzp_federation_join(fed, "general", &app, now) != NULL);
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        const size_t len = end != NULL ? (size_t)(end - data) : size;
        if (len > 0) {
            act(fed, links, wzp_bytes_of(data, len), &now);
        }
        const size_t step = end != NULL ? len + 1 : len;
        data += step;
        size -= step;
    }
    for (size_t i = 0; i < 2; i++) {
        if (links[i] != NULL) {
            wzp_federation_closed(fed, links[i], now);
        }
    }
    wzp_federation_free(&fed);
    return 0;
}
