/* Same seed, same bytes: twice in one process, in another process, and with other simulations and
 * other endpoints of the same thread in between (nat sheet 2.1, SIM-001). */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/testing/suite.h"
#include "sim/host/testing/star.h"

enum { CALLERS = 5, DIGEST_TEXT = 2 * WZP_SHA256_LEN };

#define DURATION (15 * WZP_S)

static const char *program;

/* Two rooms, a pair and a trio, with a hole in one wire, a clock that is wrong, a relay that
 * restarts and a caller who comes back. */
typedef struct world {
    star star;
    wzp_sim_relay_host *relay;
    wzp_sim_call_host *calls[CALLERS];
} world;

static const char *const names[] = {"ann", "bob", "cat", "dan", "eve"};

static bool loses(void *ctx, const wzp_sim_packet *packet, wzp_time now) {
    (void)ctx;
    return packet->id % 13 == 0 || (now > 4 * WZP_S && now < 5 * WZP_S);
}

static void build(world *w, uint64_t seed) {
    static const wzp_sim_host_cfg relay_host = {.name = "relay-host"};
    static const wzp_addr relay_at = {WZP_ADDR_V4, 4433, {10, 0, 0, 0}};
    const wzp_sim_relay_host_cfg relay = {.name = "relay", .relay = {.enforce = WZP_ENFORCE_ON}};
    memset(w, 0, sizeof *w);
    star_init(&w->star, seed);
    wzp_sim_host *host = star_add(&w->star, &relay_host, 3 * WZP_MS);
    ck_assert(wzp_sim_relay_host_new(&w->relay, host, &relay) == WZP_OK);
    wzp_sim_relay_host_restart(w->relay, 9 * WZP_S, WZP_S);
    for (size_t i = 0; i < CALLERS; i++) {
        const wzp_sim_host_cfg host_cfg = {.name = names[i], .skew_ppm = i == 1 ? 300 : 0};
        const wzp_sim_call_cfg cfg = {.name = names[i],
                                      .id = (uint32_t)i,
                                      .relay = relay_at,
                                      .room = i < 2 ? "pair" : "trio",
                                      .codec = i == 4 ? WZP_CODEC_OPUS_6K : WZP_CODEC_OPUS_24K,
                                      .talk_ms = 400,
                                      .silence_ms = i == 3 ? 800 : 0,
                                      .hangup_at = i == 2 ? 7 * WZP_S : 0,
                                      .redial_after = WZP_S};
        host = star_add(&w->star, &host_cfg, (5 + i) * WZP_MS);
        ck_assert(wzp_sim_call_host_new(&w->calls[i], host, &cfg) == WZP_OK);
    }
    w->star.down[2].loses = loses;
}

static void take_down(world *w, char text[DIGEST_TEXT + 1]) {
    wzp_hex_write(text, wzp_bytes_of(w->star.digest, WZP_SHA256_LEN));
    ck_assert_uint_gt(w->star.packets, 2000);
    for (size_t i = 0; i < CALLERS; i++) {
        wzp_sim_call_host_free(&w->calls[i]);
    }
    wzp_sim_relay_host_free(&w->relay);
    star_clear(&w->star);
}

static void digest_of(uint64_t seed, char text[DIGEST_TEXT + 1]) {
    static world w;
    build(&w, seed);
    star_run(&w.star, DURATION);
    take_down(&w, text);
}

START_TEST(twice_in_one_process) {
    char first[DIGEST_TEXT + 1];
    char second[DIGEST_TEXT + 1];
    char other[DIGEST_TEXT + 1];
    digest_of(7, first);
    digest_of(8, other);
    digest_of(7, second);
    ck_assert_str_eq(first, second);
    ck_assert_str_ne(first, other);
}
END_TEST

/* What the other process does: its test runs in a fork, so the digest goes out on a descriptor that
 * check leaves alone. */
static int digest_fd = -1;

START_TEST(tell_digest) {
    char text[DIGEST_TEXT + 1];
    digest_of(7, text);
    ck_assert_int_eq(dprintf(digest_fd, "%s", text), DIGEST_TEXT);
}
END_TEST

static void digest_elsewhere(char text[DIGEST_TEXT + 1]) {
    int fds[2];
    char number[16];
    int status = -1;
    size_t used = 0;
    ck_assert_int_eq(pipe(fds), 0);
    (void)snprintf(number, sizeof number, "%d", fds[1]);
    const pid_t child = fork();
    if (child == 0) {
        execl(program, program, "--digest", number, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    for (ssize_t n; (n = read(fds[0], text + used, DIGEST_TEXT - used)) > 0;) {
        used += (size_t)n;
    }
    text[used] = '\0';
    close(fds[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(in_another_process) {
    char here[DIGEST_TEXT + 1];
    char there[DIGEST_TEXT + 1];
    digest_of(7, here);
    for (int i = 0; i < 2; i++) {
        digest_elsewhere(there);
        ck_assert_str_eq(here, there);
    }
}
END_TEST

/* Endpoints of one thread share OpenSSL's library context: each must draw from its own source, also
 * when two simulations take turns. */
START_TEST(two_that_take_turns) {
    static world a;
    static world b;
    char alone[2][DIGEST_TEXT + 1];
    char together[2][DIGEST_TEXT + 1];
    digest_of(7, alone[0]);
    digest_of(8, alone[1]);
    build(&a, 7);
    build(&b, 8);
    for (wzp_time t = WZP_S; t <= DURATION; t += 3 * WZP_MS) {
        star_run(&a.star, t);
        star_run(&b.star, t);
    }
    star_run(&a.star, DURATION);
    star_run(&b.star, DURATION);
    take_down(&a, together[0]);
    take_down(&b, together[1]);
    ck_assert_str_eq(alone[0], together[0]);
    ck_assert_str_eq(alone[1], together[1]);
}
END_TEST

/* An endpoint that draws from OpenSSL's own source lives beside them. */
START_TEST(beside_an_endpoint_that_is_not_repeatable) {
    static world w;
    char alone[DIGEST_TEXT + 1];
    char beside[DIGEST_TEXT + 1];
    wzp_prng prng;
    wzp_quic *other = NULL;
    wzp_quic_conn conn;
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    wzp_quic_meta meta;
    wzp_prng_init(&prng, 1, "other");
    const wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&prng)};
    const wzp_quic_dial dial = {.path = {.remote = wzp_addr_v4(10, 9, 9, 9, 1)}};
    digest_of(7, alone);
    ck_assert(wzp_quic_new(&other, &cfg, WZP_S) == WZP_OK);
    build(&w, 7);
    for (wzp_time t = WZP_S; t <= DURATION; t += WZP_S) {
        ck_assert(wzp_quic_connect(other, &dial, t, &conn) == WZP_OK);
        ck_assert_uint_gt(wzp_quic_next_packet(other, t, buf, sizeof buf, &meta), 0);
        star_run(&w.star, t);
    }
    wzp_quic_free(&other);
    take_down(&w, beside);
    ck_assert_str_eq(alone, beside);
}
END_TEST

int main(int argc, char **argv) {
    TCase *tc = tcase_create("determinism");
    tcase_set_timeout(tc, 240);
    program = argv[0];
    if (argc > 2 && strcmp(argv[1], "--digest") == 0) {
        digest_fd = (int)strtol(argv[2], NULL, 10);
        tcase_add_test(tc, tell_digest);
        return wzp_run_suite("sim_host.determinism", tc);
    }
    tcase_add_test(tc, twice_in_one_process);
    tcase_add_test(tc, in_another_process);
    tcase_add_test(tc, two_that_take_turns);
    tcase_add_test(tc, beside_an_endpoint_that_is_not_repeatable);
    return wzp_run_suite("sim_host.determinism", tc);
}
