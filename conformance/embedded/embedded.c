#include "conformance/embedded/embedded.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/embedded/identity.h"
#include "conformance/engine/peers.h"
#include "crypto/identity.h"
#include "io/identity_file.h"
#include "io/sys.h"
#include "io/thread.h"
#include "wzp_version.h"

typedef struct served {
    wzp_relay *relay;
    wzp_udp *udp; /* real */
    wzp_io_thread *thread;
    wzp_addr suite; /* whom it dials and measures; family NONE: nobody */
} served;

struct wzp_ct_embedded {
    wzp_ct_embedded_cfg cfg;
    served relays[WZP_CT_CONFIG_COUNT];
    wzp_addr addrs[WZP_CT_CONFIG_COUNT];
    wzp_ct_identity identity;
    bool must_restart, must_dial;
};

/* The service that a relay asks about tokens. */
static void judge_tokens(wzp_relay *relay, wzp_time now) {
    wzp_relay_auth ask;
    wzp_identity owner;
    while (wzp_relay_next_auth(relay, &ask)) {
        const bool good = wzp_bytes_equal(ask.token, wzp_bytes_str(WZP_CT_GOOD_TOKEN));
        wzp_identity_from_seed(&owner, (const uint8_t *)WZP_CT_TOKEN_OWNER);
        wzp_relay_auth_result(relay, ask.id, good ? WZP_AUTH_ACCEPTED : WZP_AUTH_REFUSED,
                              good ? owner.fingerprint : NULL, now);
    }
}

/* Events are for an operator's log; here they only must not pile up. */
static void after(void *ctx, wzp_time now) {
    served *s = ctx;
    wzp_relay_event event;
    judge_tokens(s->relay, now);
    while (wzp_relay_next_event(s->relay, &event)) {
    }
}

/* The relays that the suite plays. */
static wzp_federation_cfg federation(wzp_fed_peer_cfg peers[WZP_CT_PEERS], const wzp_addr *suite) {
    for (size_t i = 0; i < WZP_CT_PEERS; i++) {
        peers[i] = (wzp_fed_peer_cfg){.fingerprint = wzp_ct_peers[i].fingerprint,
                                      .label = wzp_ct_peers[i].label};
    }
    peers[0].addr = *suite;
    return (wzp_federation_cfg){.peers = peers,
                                .peer_count = WZP_CT_PEERS,
                                .rooms = wzp_ct_rooms,
                                .room_count = WZP_CT_ROOMS};
}

/* `seed` NULL: a fresh one. */
static bool make_relay(served *s, const wzp_ct_embedded_cfg *cfg, wzp_ct_config config,
                       const uint8_t *seed, wzp_time now) {
    static const char *const others[] = {WZP_CT_RELAY_1, WZP_CT_RELAY_2};
    const bool is_placed = config == WZP_CT_CONFIG_REGION;
    const bool is_strict = config == WZP_CT_CONFIG_POLICY;
    const uint64_t quota = is_strict || config == WZP_CT_CONFIG_AUTH ? WZP_CT_QUOTA : 0;
    const bool dials = s->suite.family != WZP_ADDR_NONE;
    const bool is_linked =
        dials || config == WZP_CT_CONFIG_FEDERATION || config == WZP_CT_CONFIG_TRUNKING;
    wzp_fed_peer_cfg peers[WZP_CT_PEERS];
    const wzp_federation_cfg links = federation(peers, &s->suite);
    wzp_relay_cfg relay = {
        .rng = cfg->rng,
        .federation = is_linked ? &links : NULL,
        .probe_targets = &s->suite,
        .probe_count = dials ? 1 : 0,
        .enforce = config == WZP_CT_CONFIG_OBSERVE ? WZP_ENFORCE_OBSERVE : cfg->enforce,
        .policy = {.entropy_closes = true,
                   .cooldown = is_strict ? WZP_CT_COOLDOWN_S * WZP_S : 0,
                   .block = is_strict ? WZP_CT_BLOCK_S * WZP_S : 0,
                   .month_anonymous = quota},
        .exact_limits = cfg->exact_limits,
        .strict_identity = cfg->strict_identity,
        .build = WZP_BUILD_HASH,
        .max_sessions = config == WZP_CT_CONFIG_MAX_SESSIONS ? WZP_CT_MAX_SESSIONS : 100000,
        .auth = config == WZP_CT_CONFIG_AUTH,
        .trunking = config == WZP_CT_CONFIG_TRUNKING,
        .region = is_placed ? WZP_CT_REGION : NULL,
        .available_relays = is_placed ? others : NULL,
        .available_count = is_placed ? WZP_COUNT_OF(others) : 0,
        .max_conns = 100000,
        .max_handshakes = 4096,
        .deterministic = cfg->world != NULL};
    wzp_rng_fill(cfg->rng, relay.seed, sizeof relay.seed);
    if (seed != NULL) {
        memcpy(relay.seed, seed, sizeof relay.seed);
    }
    return wzp_relay_new(&s->relay, &relay, now) == WZP_OK;
}

/* Again at its address if it has one. */
static bool serve(served *s, const wzp_ct_embedded_cfg *cfg, wzp_addr *addr) {
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    if (cfg->world != NULL) {
        return wzp_ct_world_serve(cfg->world, wzp_relay_core(s->relay), after, s, addr);
    }
    if (s->udp == NULL && wzp_udp_open(&s->udp, &any, false) != WZP_OK) {
        return false;
    }
    *addr = wzp_udp_local(s->udp);
    const wzp_io_thread_cfg thread = {
        .core = wzp_relay_core(s->relay), .udp = s->udp, .after = after, .ctx = s};
    return wzp_io_thread_start(&s->thread, &thread) == WZP_OK;
}

wzp_ct_embedded *wzp_ct_embedded_new(const wzp_ct_embedded_cfg *cfg,
                                     wzp_addr targets[WZP_CT_CONFIG_COUNT]) {
    wzp_ct_embedded *e = calloc(1, sizeof *e);
    const wzp_time now = cfg->world != NULL ? cfg->world->ops->now(cfg->world) : wzp_io_now();
    if (e != NULL) {
        e->cfg = *cfg;
    }
    for (int i = 0; e != NULL && i < WZP_CT_CONFIG_COUNT; i++) {
        if (!make_relay(&e->relays[i], cfg, (wzp_ct_config)i, NULL, now) ||
            !serve(&e->relays[i], cfg, &e->addrs[i])) {
            wzp_ct_embedded_free(&e);
        } else {
            targets[i] = e->addrs[i];
        }
    }
    return e;
}

/* --- another life ----------------------------------------------------------------------------- */

bool wzp_ct_embedded_restart(wzp_ct_embedded *e, wzp_ct_identity_file file) {
    e->must_restart = wzp_ct_identity_prepare(&e->identity, file);
    return e->must_restart;
}

bool wzp_ct_embedded_is_restarted(const wzp_ct_embedded *e) {
    return !e->must_restart;
}

/* As after a power cut: its clients are told nothing. */
static void stop(served *s, const wzp_ct_embedded_cfg *cfg) {
    if (cfg->world != NULL && s->relay != NULL) {
        cfg->world->ops->remove(cfg->world, wzp_relay_core(s->relay).self);
    }
    wzp_io_thread_stop(&s->thread);
    wzp_relay_free(&s->relay);
}

bool wzp_ct_embedded_dial(wzp_ct_embedded *e, const wzp_addr *suite) {
    e->relays[WZP_CT_CONFIG_DIALLING].suite = *suite;
    e->must_dial = true;
    return true;
}

bool wzp_ct_embedded_is_dialling(const wzp_ct_embedded *e) {
    return !e->must_dial;
}

static void start_dialling(wzp_ct_embedded *e, wzp_time now) {
    served *s = &e->relays[WZP_CT_CONFIG_DIALLING];
    e->must_dial = false;
    stop(s, &e->cfg);
    if (make_relay(s, &e->cfg, WZP_CT_CONFIG_DIALLING, NULL, now)) {
        (void)serve(s, &e->cfg, &e->addrs[WZP_CT_CONFIG_DIALLING]);
    }
}

static void restart(wzp_ct_embedded *e, wzp_time now) {
    served *s = &e->relays[WZP_CT_CONFIG_IDENTITY];
    uint8_t seed[WZP_KEY_LEN];
    char why[WZP_IDENTITY_WHY_MAX];
    wzp_identity_origin origin;
    e->must_restart = false;
    stop(s, &e->cfg);
    if (wzp_identity_file_load(seed, e->identity.path, WZP_IDENTITY_REPLACE_BAD, e->cfg.rng,
                               &origin, why) == WZP_OK &&
        make_relay(s, &e->cfg, WZP_CT_CONFIG_IDENTITY, seed, now)) {
        (void)serve(s, &e->cfg, &e->addrs[WZP_CT_CONFIG_IDENTITY]);
    }
    wzp_crypto_wipe(seed, sizeof seed);
}

/* A relay that does not start is one that does not answer. */
void wzp_ct_embedded_turn(wzp_ct_embedded *e, wzp_time now) {
    if (e->must_restart) {
        restart(e, now);
    }
    if (e->must_dial) {
        start_dialling(e, now);
    }
}

typedef struct scrape {
    const wzp_relay *relay;
    char *text;
    size_t cap;
    bool ok;
} scrape;

static void scrape_relay(void *ctx, wzp_time now) {
    scrape *s = ctx;
    wzp_wr wr;
    (void)now;
    wzp_wr_init(&wr, (uint8_t *)s->text, s->cap - 1);
    s->ok = wzp_relay_metrics(s->relay, &wr) == WZP_OK;
    s->text[wzp_wr_len(&wr)] = '\0';
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the scrape writes there */
bool wzp_ct_embedded_metrics(wzp_ct_embedded *e, wzp_ct_config config, char *text, size_t cap) {
    const bool own = config == WZP_CT_CONFIG_AUTH;
    const served *measured = &e->relays[own ? WZP_CT_CONFIG_AUTH : WZP_CT_CONFIG_METRICS];
    scrape s = {measured->relay, text, cap, false};
    if (measured->thread != NULL) {
        wzp_io_thread_call(measured->thread, scrape_relay, &s);
    } else {
        scrape_relay(&s, 0);
    }
    return s.ok;
}

void wzp_ct_embedded_free(wzp_ct_embedded **embedded) {
    wzp_ct_embedded *e = *embedded;
    if (e == NULL) {
        return;
    }
    for (int i = 0; i < WZP_CT_CONFIG_COUNT; i++) {
        wzp_io_thread_stop(&e->relays[i].thread);
        wzp_relay_free(&e->relays[i].relay);
        wzp_udp_close(&e->relays[i].udp);
    }
    wzp_ct_identity_clear(&e->identity);
    free(e);
    *embedded = NULL;
}
