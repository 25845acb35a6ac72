/* Two phones at one relay: rung, answered, hung up; rejected; nobody there. */
#include "base/testing/suite.h"
#include "sim/host/phone_host.h"
#include "sim/host/testing/star.h"

#define WAY (10 * WZP_MS)
#define RING (2 * WZP_S)
#define HANGUP (6 * WZP_S)
#define END (8 * WZP_S)

enum { ANN, BEN, PARTIES };

static const char *const names[] = {"ann", "ben"};

typedef struct world {
    star star;
    wzp_sim_relay_host *relay;
    wzp_sim_call_host *calls[PARTIES];
    wzp_sim_phone_host *phones[PARTIES]; /* NULL: not there */
    const char *told[PARTIES][16];
    size_t told_count[PARTIES];
} world;

typedef struct seat {
    world *world;
    size_t index;
} seat;

static seat seats[PARTIES];

static void on_event(void *ctx, const char *what, const char *text, wzp_time now) {
    const seat *s = ctx;
    world *w = s->world;
    (void)text;
    (void)now;
    ck_assert_uint_lt(w->told_count[s->index], WZP_COUNT_OF(w->told[0]));
    w->told[s->index][w->told_count[s->index]++] = what;
}

static void add_party(world *w, size_t i, wzp_accept_mode accept, bool is_there) {
    const wzp_sim_host_cfg host_cfg = {.name = names[i]};
    wzp_sim_host *host = star_add(&w->star, &host_cfg, WAY);
    const wzp_sim_call_cfg call = {.name = names[i],
                                   .id = (uint32_t)i + 1,
                                   .codec = WZP_CODEC_OPUS_24K,
                                   .dial_at = WZP_TIME_NEVER};
    ck_assert(wzp_sim_call_host_new(&w->calls[i], host, &call) == WZP_OK);
    seats[i] = (seat){w, i};
    const wzp_sim_phone_cfg phone = {.name = names[i],
                                     .relay = wzp_addr_v4(10, 0, 0, 0, 4433),
                                     .call = w->calls[i],
                                     .accept = accept,
                                     .register_at = WZP_S,
                                     .hangup_at = i == ANN ? HANGUP : WZP_TIME_NEVER,
                                     .event = on_event,
                                     .ctx = &seats[i]};
    if (is_there) {
        ck_assert(wzp_sim_phone_host_new(&w->phones[i], host, &phone) == WZP_OK);
    }
}

static void setup(world *w, wzp_accept_mode accept, bool is_there) {
    char fingerprint[WZP_FINGERPRINT_TEXT + 1];
    const wzp_sim_host_cfg host = {.name = "relay"};
    const wzp_sim_relay_host_cfg relay = {.name = "relay"};
    memset(w, 0, sizeof *w);
    star_init(&w->star, 7);
    ck_assert(wzp_sim_relay_host_new(&w->relay, star_add(&w->star, &host, WAY), &relay) == WZP_OK);
    add_party(w, ANN, WZP_ACCEPT_TRUSTED, true);
    add_party(w, BEN, accept, is_there);
    wzp_sim_phone_fingerprint(fingerprint, wzp_sim_call_host_seed(w->calls[BEN]));
    wzp_sim_phone_host_ring(w->phones[ANN], fingerprint, RING);
}

static void teardown(world *w) {
    for (size_t i = 0; i < PARTIES; i++) {
        wzp_sim_phone_host_free(&w->phones[i]);
        wzp_sim_call_host_free(&w->calls[i]);
    }
    wzp_sim_relay_host_free(&w->relay);
    star_clear(&w->star);
}

static bool was_told(const world *w, size_t who, const char *what) {
    for (size_t i = 0; i < w->told_count[who]; i++) {
        if (strcmp(w->told[who][i], what) == 0) {
            return true;
        }
    }
    return false;
}

static wzp_sim_phone_report report_of(const world *w, size_t who) {
    wzp_sim_phone_report report;
    wzp_sim_phone_host_report(w->phones[who], &report);
    return report;
}

START_TEST(who_answers_is_heard_until_the_hangup) {
    static world w;
    setup(&w, WZP_ACCEPT_GENERIC, true);
    star_run(&w.star, END);
    for (size_t i = 0; i < PARTIES; i++) {
        wzp_sim_call_report call;
        const wzp_sim_phone_report phone = report_of(&w, i);
        wzp_sim_call_host_report(w.calls[i], END, &call);
        ck_assert(was_told(&w, i, "set-up") && was_told(&w, i, "ended"));
        ck_assert(phone.registered_at < RING && phone.rang_at > RING);
        ck_assert(phone.set_up_at > phone.rang_at && phone.set_up_at < RING + WZP_S);
        ck_assert(phone.ended_at >= HANGUP && phone.ended_at < HANGUP + WZP_S);
        ck_assert_uint_eq(call.senders, 1);
        ck_assert_uint_gt(call.heard[0].arrived, 150);
        ck_assert_uint_eq(call.path_changes, 0);
        ck_assert(!call.in_call && call.ended_at < HANGUP + WZP_S);
    }
    ck_assert_str_eq(report_of(&w, ANN).ended, "hung up here");
    ck_assert_str_eq(report_of(&w, BEN).ended, "Normal");
    teardown(&w);
}
END_TEST

START_TEST(who_rejects_has_no_call) {
    static world w;
    setup(&w, WZP_ACCEPT_REJECT, true);
    star_run(&w.star, END);
    for (size_t i = 0; i < PARTIES; i++) {
        const wzp_sim_phone_report phone = report_of(&w, i);
        ck_assert(phone.rang_at > RING && phone.set_up_at == WZP_TIME_NEVER);
        ck_assert(phone.ended_at < RING + WZP_S);
    }
    ck_assert_str_eq(report_of(&w, BEN).ended, "rejected");
    teardown(&w);
}
END_TEST

START_TEST(who_is_not_there_cannot_be_rung) {
    static world w;
    setup(&w, WZP_ACCEPT_GENERIC, false);
    star_run(&w.star, END);
    const wzp_sim_phone_report phone = report_of(&w, ANN);
    ck_assert(phone.rang_at == WZP_TIME_NEVER && phone.ended_at < RING + WZP_S);
    ck_assert_str_eq(phone.ended, "nobody with this fingerprint is registered here");
    teardown(&w);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("phone_host");
    tcase_add_test(tc, who_answers_is_heard_until_the_hangup);
    tcase_add_test(tc, who_rejects_has_no_call);
    tcase_add_test(tc, who_is_not_there_cannot_be_rung);
    return wzp_run_suite("sim_host.phone_host", tc);
}
