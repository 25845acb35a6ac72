/* Five relays in a full mesh and a crowd: one global room that spans all five, and many rooms of
 * ten with two members at each relay.  Many rooms, because what a federation keeps (lists of
 * members by room and relay, marks of packets) grows with them; one room of everybody would mostly
 * repeat what bench_relay measures, one to many at one relay.
 *
 *     federation_crowd_test [PARTICIPANTS]      100 without; `long` runs 1000
 *
 * Everybody counts: each frame of each speaker exactly once, nothing of its own, nothing of another
 * room.  One relay crashes and is back within ten seconds of it, and memory does not grow. */
#include <malloc.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "crypto/identity.h"
#include "sim/host/call_host.h"
#include "sim/host/relay_host.h"
#include "sim/host/testing/wire.h"

enum {
    RELAYS = 5,
    CROWD_MAX = 1000,
    ROOM_SIZE = 10,  /* two at each relay */
    PLAZA_SHARE = 5, /* one of so many is in the global room for all */
    PLAZA_SPEAKERS = 2,
    ROOMS_MAX = CROWD_MAX / ROOM_SIZE + 1,
    HOSTS_MAX = CROWD_MAX + RELAYS
};

#define WAY (5 * WZP_MS)
#define JOINED (8 * WZP_S) /* all are in, and have heard who speaks */
#define CRASH (16 * WZP_S)
#define DOWN (3 * WZP_S)
#define BACK (CRASH + 10 * WZP_S)
#define END (BACK + 6 * WZP_S)
#define VICTIM 2

typedef struct member {
    wzp_sim_call_host *call;
    char name[24];
    size_t room, relay;
    bool speaks;
} member;

typedef struct crowd {
    wzp_sim_node node; /* first: the hub */
    wzp_sim_engine *engine;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    wzp_sim_host *hosts[HOSTS_MAX];
    wire up[HOSTS_MAX], down[HOSTS_MAX];
    size_t host_count;

    char fingerprints[RELAYS][WZP_TLS_FINGERPRINT_TEXT + 1], relay_names[RELAYS][8];
    wzp_fed_peer_cfg peers[RELAYS][RELAYS];
    wzp_federation_cfg federations[RELAYS];
    wzp_sim_relay_host *relays[RELAYS];
    char rooms[ROOMS_MAX][32];
    const char *room_names[ROOMS_MAX];
    size_t room_count;
    member members[CROWD_MAX];
    size_t count;
} crowd;

static size_t participants = 100;

/* --- the network: everybody on a wire to a hub --------------------------------------------------
 */

static wzp_addr address_of(size_t host, uint16_t port) {
    return wzp_addr_v4(10, 0, (uint8_t)(host >> 8), (uint8_t)host, port);
}

static void hub_deliver(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    crowd *c = (crowd *)(void *)node;
    const size_t to = (size_t)packet->dst.ip[2] << 8 | packet->dst.ip[3];
    (void)port;
    ck_assert_uint_lt(to, c->host_count);
    wzp_sim_pipe_carry(&c->down[to].pipe, packet, now);
}

static wzp_sim_host *add_host(crowd *c, const char *name) {
    const wzp_sim_host_cfg cfg = {.name = name};
    const size_t i = c->host_count++;
    const wzp_addr address = address_of(i, 0);
    ck_assert(wzp_sim_host_new(&c->hosts[i], &cfg, c->clock, c->pool) == WZP_OK);
    wire_init(&c->up[i], "up", c->clock, &c->node, 0, WAY);
    wire_init(&c->down[i], "down", c->clock, wzp_sim_host_node(c->hosts[i]), 0, WAY);
    ck_assert(wzp_sim_host_attach(c->hosts[i], 0, &c->up[i].pipe) == WZP_OK);
    ck_assert(wzp_sim_host_address(c->hosts[i], 0, &address) == WZP_OK);
    return c->hosts[i];
}

/* --- relays -------------------------------------------------------------------------------------
 */

static void identify(crowd *c, size_t i) {
    uint8_t seed[WZP_KEY_LEN];
    wzp_tls_identity tls;
    memset(seed, (int)i + 1, sizeof seed);
    wzp_tls_identity_from_seed(&tls, seed);
    memcpy(c->fingerprints[i], tls.fingerprint, sizeof tls.fingerprint);
    wzp_tls_identity_clear(&tls);
}

static void add_relay(crowd *c, size_t i) {
    size_t count = 0;
    for (size_t k = 0; k < RELAYS; k++) {
        if (k != i) {
            c->peers[i][count++] = (wzp_fed_peer_cfg){i < k ? address_of(k, 4433) : (wzp_addr){0},
                                                      c->fingerprints[k], c->relay_names[k]};
        }
    }
    c->federations[i] = (wzp_federation_cfg){.peers = c->peers[i],
                                             .peer_count = count,
                                             .rooms = c->room_names,
                                             .room_count = c->room_count,
                                             .pin_required = true};
    wzp_sim_relay_host_cfg cfg = {
        .name = c->relay_names[i],
        .relay = {.federation = &c->federations[i], .max_sessions = CROWD_MAX}};
    memset(cfg.relay.seed, (int)i + 1, sizeof cfg.relay.seed);
    ck_assert(wzp_sim_relay_host_new(&c->relays[i], add_host(c, c->relay_names[i]), &cfg) ==
              WZP_OK);
}

/* A metric of a relay, by its whole name with labels; of all peers where it has them. */
static uint64_t metric(const crowd *c, size_t relay, const char *name) {
    static char page[256 * 1024];
    wzp_wr wr;
    uint64_t sum = 0;
    wzp_wr_init(&wr, (uint8_t *)page, sizeof page - 1);
    ck_assert(wzp_relay_metrics(wzp_sim_relay_host_relay(c->relays[relay]), &wr) == WZP_OK);
    page[wzp_wr_len(&wr)] = '\0';
    for (const char *at = page; (at = strstr(at, name)) != NULL; at += strlen(name)) {
        const char *value = strchr(at, ' ');
        const bool is_whole = at == page || at[-1] == '\n';
        if (is_whole && value != NULL && (at[strlen(name)] == ' ' || at[strlen(name)] == '{')) {
            sum += strtoull(value, NULL, 10);
        }
    }
    return sum;
}

/* --- members ------------------------------------------------------------------------------------
 */

/* The first fifth is in the plaza, the others by tens in rooms; each room goes around the relays.
 * One speaks in each room, two in the plaza. */
static void add_member(crowd *c, size_t i) {
    const size_t plaza = participants / PLAZA_SHARE;
    member *m = &c->members[c->count++];
    m->relay = i % RELAYS;
    m->room = i < plaza ? 0 : 1 + (i - plaza) / ROOM_SIZE;
    m->speaks = i < plaza ? i < PLAZA_SPEAKERS : (i - plaza) % ROOM_SIZE == m->room % ROOM_SIZE;
    (void)snprintf(m->name, sizeof m->name, "m%zu", i);
    const wzp_sim_call_cfg cfg = {.name = m->name,
                                  .id = (uint32_t)i + 1,
                                  .relay = address_of(m->relay, 4433),
                                  .room = c->rooms[m->room],
                                  .codec = WZP_CODEC_OPUS_6K,
                                  .listen_only = !m->speaks,
                                  .dial_at = WZP_S + i * 3 * WZP_MS,
                                  .redial_after = WZP_S};
    ck_assert(wzp_sim_call_host_new(&m->call, add_host(c, m->name), &cfg) == WZP_OK);
}

static crowd *setup(uint64_t seed) {
    const wzp_sim_engine_cfg engine = {.seed = seed};
    crowd *c = calloc(1, sizeof *c);
    ck_assert_ptr_nonnull(c);
    c->node = (wzp_sim_node){hub_deliver, "hub"};
    ck_assert(wzp_sim_engine_new(&c->engine, &engine) == WZP_OK);
    c->clock = wzp_sim_engine_clock(c->engine);
    c->pool = wzp_sim_pool_new();
    ck_assert_ptr_nonnull(c->pool);
    c->room_count = 1 + (participants - participants / PLAZA_SHARE) / ROOM_SIZE;
    for (size_t i = 0; i < c->room_count; i++) {
        (void)snprintf(c->rooms[i], sizeof c->rooms[i], i == 0 ? "plaza" : "room%zu", i);
        c->room_names[i] = c->rooms[i];
    }
    for (size_t i = 0; i < RELAYS; i++) {
        (void)snprintf(c->relay_names[i], sizeof c->relay_names[i], "r%zu", i);
        identify(c, i);
    }
    for (size_t i = 0; i < RELAYS; i++) {
        add_relay(c, i);
    }
    for (size_t i = 0; i < participants; i++) {
        add_member(c, i);
    }
    return c;
}

static void teardown(crowd *c) {
    for (size_t i = 0; i < c->count; i++) {
        wzp_sim_call_host_free(&c->members[i].call);
    }
    for (size_t i = 0; i < RELAYS; i++) {
        wzp_sim_relay_host_free(&c->relays[i]);
    }
    for (size_t i = 0; i < c->host_count; i++) {
        wire_clear(&c->up[i]);
        wire_clear(&c->down[i]);
        wzp_sim_host_free(&c->hosts[i]);
    }
    wzp_sim_engine_free(&c->engine);
    wzp_sim_pool_free(&c->pool);
    free(c);
}

static void run(const crowd *c, wzp_time until) {
    const wzp_sim_stop stop = wzp_sim_engine_run(c->engine, until);
    ck_assert(stop == WZP_SIM_STOP_TIME || stop == WZP_SIM_STOP_IDLE);
}

/* --- what is asked ------------------------------------------------------------------------------
 */

static const wzp_sim_heard *heard_of(const wzp_sim_call_report *report, uint32_t id) {
    for (size_t i = 0; i < report->senders; i++) {
        if (report->heard[i].sender == id) {
            return &report->heard[i];
        }
    }
    return NULL;
}

static bool is_hit(const member *listener, const member *speaker) {
    return listener->relay == VICTIM || speaker->relay == VICTIM;
}

/* `crashed`: of those whom the crash hit, only that they hear again is asked. */
static void check_pair(const member *m, const member *speaker, const wzp_sim_heard *heard,
                       wzp_time until, bool crashed) {
    const bool hit = crashed && is_hit(m, speaker);
    const char *a = m->name;
    const char *b = speaker->name;
    ck_assert_msg(heard != NULL, "%s does not hear %s", a, b);
    ck_assert_msg(heard->duplicates == 0, "%s hears %s %u times twice", a, b,
                  (unsigned)heard->duplicates);
    ck_assert_msg(hit || heard->lost == 0, "%s misses %u frames of %s", a, (unsigned)heard->lost,
                  b);
    ck_assert_msg(heard->last_at + WZP_S > until, "%s has not heard %s for a second", a, b);
    ck_assert_msg(!hit || heard->verdict.gap_ms <= (BACK - CRASH) / WZP_MS,
                  "%s does not hear %s for %u ms", a, b, heard->verdict.gap_ms);
}

typedef struct sums {
    uint64_t heard, lost; /* frames of all pairs */
} sums;

static sums check_all(const crowd *c, wzp_time until, bool crashed) {
    static wzp_sim_call_report report;
    sums all = {0};
    size_t in_room[ROOMS_MAX] = {0};
    for (size_t i = 0; i < c->count; i++) {
        in_room[c->members[i].room]++;
    }
    for (size_t i = 0; i < c->count; i++) {
        const member *m = &c->members[i];
        size_t speakers = 0;
        wzp_sim_call_host_report(m->call, until, &report);
        ck_assert_msg(report.in_call && report.members == in_room[m->room],
                      "%s knows of %u members of %zu", m->name, report.members, in_room[m->room]);
        ck_assert_msg(heard_of(&report, (uint32_t)i + 1) == NULL, "%s hears itself", m->name);
        ck_assert_uint_eq(report.frames_foreign, 0);
        for (size_t k = 0; k < c->count; k++) {
            const member *speaker = &c->members[k];
            if (k != i && speaker->room == m->room && speaker->speaks) {
                speakers++;
                const wzp_sim_heard *heard = heard_of(&report, (uint32_t)k + 1);
                check_pair(m, speaker, heard, until, crashed);
                all.heard += heard->arrived;
                all.lost += heard->lost;
            }
        }
        ck_assert_msg(report.senders == speakers, "%s hears %zu, and %zu speak in its room",
                      m->name, report.senders, speakers);
    }
    return all;
}

static void check_relays(const crowd *c) {
    for (size_t i = 0; i < RELAYS; i++) {
        ck_assert_uint_eq(metric(c, i, "wzp_federation_peer_status"), RELAYS - 1);
        ck_assert_uint_eq(metric(c, i, "wzp_federation_packets_rate_limited_total"), 0);
        ck_assert_uint_eq(metric(c, i, "wzp_federation_send_failures_total"), 0);
        ck_assert_uint_eq(metric(c, i, "wzp_federation_marks_forgotten_early_total"), 0);
        ck_assert_uint_eq(metric(c, i, "wzp_federation_packets_malformed_total"), 0);
        ck_assert_uint_eq(metric(c, i, "wzp_federation_lists_cut_total"), 0);
    }
}

/* Bytes in use by everything: relays, their links, clients, wires; always 0 under a sanitizer. */
static size_t in_use(void) {
    const struct mallinfo2 all = mallinfo2();
    return all.uordblks + all.hblkhd;
}

/* The most that was in use between two moments, looked at ten times a second. */
static size_t most_in_use(const crowd *c, wzp_time from, wzp_time until) {
    size_t most = 0;
    for (wzp_time at = from; at < until; at += 100 * WZP_MS) {
        run(c, at + 100 * WZP_MS);
        const size_t now = in_use();
        most = now > most ? now : most;
    }
    return most;
}

/* Of two halves the second needs no more than the first; a hundredth is what is under way. */
static void check_memory(const crowd *c, wzp_time from, wzp_time until) {
    const wzp_time middle = from + (until - from) / 2;
    const size_t first = most_in_use(c, from, middle);
    const size_t second = most_in_use(c, middle, until);
    ck_assert_msg(second <= first + first / 100, "memory grows from %zu to %zu bytes", first,
                  second);
    (void)printf("in use from %u s on: %zu KiB, then %zu KiB\n", (unsigned)(from / WZP_S),
                 first / 1024, second / 1024);
}

START_TEST(everything_comes_once_and_memory_is_flat) {
    crowd *c = setup(21);
    run(c, JOINED);
    (void)check_all(c, JOINED, false);
    check_relays(c);
    check_memory(c, JOINED, CRASH);
    const sums before = check_all(c, CRASH, false);
    check_relays(c);
    wzp_sim_relay_host_restart(c->relays[VICTIM], CRASH, DOWN);
    run(c, BACK);
    check_relays(c);
    const sums back = check_all(c, BACK, true);
    check_memory(c, BACK, END);
    const sums end = check_all(c, END, true);
    ck_assert_msg(end.lost == back.lost, "%u frames were lost once the relay was back",
                  (unsigned)(end.lost - back.lost));
    (void)printf("%zu participants, %zu rooms: %llu frames heard before the crash, %llu in all; "
                 "%llu said meanwhile by or to its clients\n",
                 c->count, c->room_count, (unsigned long long)before.heard,
                 (unsigned long long)end.heard, (unsigned long long)end.lost);
    teardown(c);
}
END_TEST

int main(int argc, char **argv) {
    TCase *tc = tcase_create("crowd");
    if (argc > 1) {
        participants = strtoull(argv[1], NULL, 10);
    }
    if (participants < (size_t)PLAZA_SHARE * ROOM_SIZE || participants > CROWD_MAX) {
        (void)fprintf(stderr, "participants: %d to %d\n", PLAZA_SHARE * ROOM_SIZE, CROWD_MAX);
        return 2;
    }
    tcase_set_timeout(tc, 1500);
    tcase_add_test(tc, everything_comes_once_and_memory_is_flat);
    return wzp_run_suite("sim_host.federation_crowd", tc);
}
