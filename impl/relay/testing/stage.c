#include "relay/testing/stage.h"

#include <stdio.h>

#include "relay/testing/offer.h"

enum { SETTLE_MS = 200, PAGE = 262144 };

/* --- what guests hear ------------------------------------------------------------------------- */

static void keep(heard ***tail, size_t *count, wzp_bytes body, wzp_time now) {
    heard *h = malloc(sizeof *h + body.len + 1);
    ck_assert_ptr_nonnull(h);
    *h = (heard){.at = now, .len = body.len};
    if (body.len != 0) {
        memcpy(h->text, body.data, body.len);
    }
    h->text[body.len] = '\0';
    **tail = h;
    *tail = &h->next;
    ++*count;
}

static void free_heard(heard **list, heard ***tail, size_t *count) {
    while (*list != NULL) {
        heard *next = (*list)->next;
        free(*list);
        *list = next;
    }
    *tail = list;
    *count = 0;
}

void guest_forget(guest *g) {
    free_heard(&g->signals, &g->signals_tail, &g->signal_count);
    free_heard(&g->datagrams, &g->datagrams_tail, &g->datagram_count);
}

static void listen_to_events(void *ctx, wzp_time now) {
    guest *g = ctx;
    wzp_quic_event ev;
    while (wzp_quic_next_event(g->quic, &ev)) {
        if (ev.kind == WZP_QUIC_CONNECTED) {
            g->connected = true;
        } else if (ev.kind == WZP_QUIC_SIGNAL) {
            keep(&g->signals_tail, &g->signal_count, ev.body, now);
        } else if (ev.kind == WZP_QUIC_DATAGRAM) {
            keep(&g->datagrams_tail, &g->datagram_count, ev.body, now);
        } else if (ev.kind == WZP_QUIC_CLOSED) {
            g->closed = true;
            g->close_count++;
            g->close = ev.close;
        }
    }
}

static bool is_variant(const heard *h, const char *variant) {
    const size_t len = strlen(variant);
    const char *at = h->text + (h->text[0] == '{' ? 1 : 0);
    return *at == '"' && strncmp(at + 1, variant, len) == 0 && at[1 + len] == '"';
}

const heard *guest_heard(const guest *g, const char *variant, size_t nth) {
    for (const heard *h = g->signals; h != NULL; h = h->next) {
        if (is_variant(h, variant) && nth-- == 0) {
            return h;
        }
    }
    return NULL;
}

size_t guest_count(const guest *g, const char *variant) {
    size_t count = 0;
    for (const heard *h = g->signals; h != NULL; h = h->next) {
        count += is_variant(h, variant) ? 1 : 0;
    }
    return count;
}

/* --- what guests do --------------------------------------------------------------------------- */

void guest_say(guest *g, const char *json) {
    ck_assert(wzp_quic_send_signal(g->quic, g->conn, wzp_bytes_str(json), NULL) == WZP_OK);
}

void guest_tell(guest *g, const wzp_signal *signal) {
    char *json = NULL;
    size_t len = 0;
    ck_assert(wzp_signal_to_json(&json, &len, signal) == WZP_OK);
    guest_say(g, json);
    free(json);
}

void guest_offer(guest *g, const char *alias) {
    uint8_t json[OFFER_MAX];
    const size_t len = offer_write(json, sizeof json, &g->identity, alias, wzp_prng_rng(&g->prng));
    ck_assert(len > 0 &&
              wzp_quic_send_signal(g->quic, g->conn, wzp_bytes_of(json, len), NULL) == WZP_OK);
}

void guest_register(guest *g, const char *alias) {
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_presence_sign(signature, &g->identity);
    wzp_signal reg = {
        .kind = WZP_SIGNAL_REGISTER_PRESENCE,
        .version = 1,
        .u.RegisterPresence = {.signature = {signature, sizeof signature},
                               .alias = {alias != NULL, wzp_bytes_str(alias ? alias : "")}}};
    memcpy(reg.u.RegisterPresence.identity_pub.bytes, g->identity.ed25519_pub, WZP_KEY_LEN);
    guest_tell(g, &reg);
}

void guest_send(guest *g, wzp_bytes datagram) {
    ck_assert(wzp_quic_send_datagram(g->quic, g->conn, datagram) == WZP_OK);
}

void guest_leave(guest *g) {
    wzp_quic_close(g->quic, g->conn, 0, "bye", g->stage->net.now);
}

/* --- the stage -------------------------------------------------------------------------------- */

stage *stage_new(const wzp_relay_cfg *cfg) {
    stage *st = calloc(1, sizeof *st);
    ck_assert_ptr_nonnull(st);
    pair_init(&st->net, 1);
    stage_relay(st, cfg);
    stage_at(st, 0);
    return st;
}

wzp_addr stage_relay_addr(size_t i) {
    return wzp_addr_v4(10, 0, 0, (uint8_t)(1 + i), 4433);
}

void stage_relay(stage *st, const wzp_relay_cfg *cfg) {
    const size_t i = st->relay_count++;
    ck_assert_uint_lt(i, STAGE_RELAYS);
    wzp_relay_cfg own = cfg != NULL ? *cfg : (wzp_relay_cfg){0};
    wzp_prng_init(&st->prngs[i], 1 + i, "relay");
    own.rng = wzp_prng_rng(&st->prngs[i]);
    ck_assert(wzp_relay_new(&st->relays[i], &own, st->net.now) == WZP_OK);
    st->hosts[i] = st->net.hosts;
    pair_add(&st->net, wzp_relay_core(st->relays[i]), stage_relay_addr(i), NULL, NULL);
}

void stage_at(stage *st, size_t i) {
    st->relay = st->relays[i];
    st->relay_addr = stage_relay_addr(i);
}

void stage_free(stage **st) {
    for (size_t i = 0; i < (*st)->guest_count; i++) {
        guest_forget(&(*st)->guests[i]);
        wzp_quic_free(&(*st)->guests[i].quic);
    }
    pair_clear(&(*st)->net);
    for (size_t i = 0; i < (*st)->relay_count; i++) {
        wzp_relay_free(&(*st)->relays[i]);
    }
    free(*st);
    *st = NULL;
}

void stage_run(stage *st, uint64_t ms) {
    pair_run(&st->net, st->net.now + ms * WZP_MS);
}

static guest *arrive(stage *st, const uint8_t seed[WZP_KEY_LEN], const char *sni) {
    ck_assert_uint_lt(st->guest_count, STAGE_GUESTS);
    const uint8_t number = (uint8_t)st->guest_count++;
    guest *g = &st->guests[number];
    g->stage = st;
    g->signals_tail = &g->signals;
    g->datagrams_tail = &g->datagrams;
    g->addr = wzp_addr_v4(10, 0, 1, number, 5000);
    wzp_prng_init(&g->prng, number, "guest");
    wzp_identity_from_seed(&g->identity, seed);
    const wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&g->prng)};
    ck_assert(wzp_quic_new(&g->quic, &cfg, st->net.now) == WZP_OK);
    pair_add(&st->net, wzp_quic_core(g->quic), g->addr, listen_to_events, g);
    const wzp_quic_dial dial = {.path = {g->addr, st->relay_addr}, .sni = sni};
    ck_assert(wzp_quic_connect(g->quic, &dial, st->net.now, &g->conn) == WZP_OK);
    stage_run(st, SETTLE_MS);
    ck_assert(g->connected);
    return g;
}

guest *stage_guest(stage *st, const char *sni) {
    const uint8_t seed[WZP_KEY_LEN] = {(uint8_t)(st->guest_count + 1)};
    return arrive(st, seed, sni);
}

guest *stage_guest_again(stage *st, const guest *who, const char *sni) {
    const uint8_t seed[WZP_KEY_LEN] = {(uint8_t)(who - st->guests + 1)};
    return arrive(st, seed, sni);
}

guest *stage_member(stage *st, const char *room) {
    guest *g = stage_guest(st, room);
    guest_offer(g, NULL);
    stage_run(st, SETTLE_MS);
    ck_assert_uint_eq(guest_count(g, "CallAnswer"), 1);
    return g;
}

guest *stage_registered(stage *st, const char *alias) {
    guest *g = stage_guest(st, "_signal");
    guest_register(g, alias);
    stage_run(st, SETTLE_MS);
    ck_assert_uint_eq(guest_count(g, "RegisterPresenceAck"), 1);
    return g;
}

const char *stage_metrics(const stage *st) {
    static uint8_t page[PAGE];
    wzp_wr wr;
    wzp_wr_init(&wr, page, sizeof page - 1);
    ck_assert(wzp_relay_metrics(st->relay, &wr) == WZP_OK);
    page[wzp_wr_len(&wr)] = '\0';
    return (const char *)page;
}

long long stage_metric(const stage *st, const char *name) {
    char wanted[256];
    (void)snprintf(wanted, sizeof wanted, "\n%s ", name);
    const char *at = strstr(stage_metrics(st), wanted);
    return at != NULL ? strtoll(at + strlen(wanted), NULL, 10) : -1;
}
