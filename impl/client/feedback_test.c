/* TransportFeedback as a client sends it (BWE-002). */
#include "client/testing/call.h"

#include "base/testing/suite.h"
#include "wire/signal.h"

typedef struct user {
    call_user base;
    unsigned signals, acked, missing, too_long;
    uint32_t remb_bps;
    uint64_t wall_us;
} user;

static void after(void *ctx, wzp_time now) {
    static const uint8_t frame[60] = {1};
    user *u = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(u->base.client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_CAPTURE) {
            const wzp_bytes bytes = wzp_bytes_of(frame, sizeof frame);
            ck_assert_int_eq(wzp_client_push_coded(u->base.client, bytes, now), WZP_OK);
        }
    }
}

static bool on_signal(void *ctx, bool out, wzp_bytes json, wzp_time now) {
    user *u = ctx;
    wzp_signal *signal = NULL;
    (void)now;
    if (out && wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK) {
        if (signal->kind == WZP_SIGNAL_TRANSPORT_FEEDBACK) {
            const wzp_signal_TransportFeedback *f = &signal->u.TransportFeedback;
            u->signals++;
            u->acked += (unsigned)f->acked_seqs.count;
            u->missing += (unsigned)f->nacked_seqs.count;
            u->too_long += f->acked_seqs.count > 64 || f->nacked_seqs.count > 64 ? 1 : 0;
            u->remb_bps = f->remb_bps;
            u->wall_us = f->recv_time_us;
        }
        wzp_signal_free(&signal);
    }
    return true;
}

static const struct feedback_case {
    const char *name;
    bool on, third;
    wzp_adapt_policy policy;
    uint32_t loss_ppm; /* on the way down */
    unsigned least, most;
} feedback_cases[] = {
    {"by default", false, false, WZP_ADAPT_REFERENCE, 0, 0, 0},
    {"deployed", true, false, WZP_ADAPT_DEPLOYED, 0, 0, 0},
    {"of one sender", true, false, WZP_ADAPT_REFERENCE, 0, 60, 100},
    {"with losses", true, false, WZP_ADAPT_REFERENCE, 200000, 60, 100},
    {"of two senders", true, true, WZP_ADAPT_REFERENCE, 0, 0, 0},
};

START_TEST(at_most_twenty_a_second) {
    const struct feedback_case *k = &feedback_cases[_i];
    static call_net c;
    static user users[3];
    const wzp_client_cfg cfg = {.coded = true,
                                .feedback = k->on,
                                .policy = k->policy,
                                .wall_us = 1780000000000000,
                                .signal = on_signal};
    memset(users, 0, sizeof users);
    call_begin(&c, 4, WZP_ENFORCE_ON);
    call_join(&c, &users[0].base, cfg, after);
    call_join(&c, &users[1].base, (wzp_client_cfg){.coded = true}, after);
    if (k->third) {
        call_join(&c, &users[2].base, (wzp_client_cfg){.coded = true}, after);
    }
    call_run(&c, 3000);
    c.net.loss_to_ppm[users[0].base.host] = k->loss_ppm;
    users[0] = (user){.base = users[0].base};
    call_run(&c, 5000);
    const user *u = &users[0];
    ck_assert_msg(u->signals >= k->least && u->signals <= k->most, "%s: %u", k->name, u->signals);
    ck_assert_uint_eq(u->too_long, 0);
    if (k->most > 0) {
        ck_assert_uint_ge(u->acked, k->loss_ppm > 0 ? 150 : 245);
        ck_assert(k->loss_ppm > 0 ? u->missing > 20 : u->missing == 0);
        ck_assert(k->loss_ppm > 0 ? u->remb_bps < 64000 : u->remb_bps == UINT32_MAX);
        ck_assert(u->wall_us > 1780000007000000 && u->wall_us < 1780000009000000);
    }
    for (size_t i = 0; i < WZP_COUNT_OF(users); i++) {
        wzp_client_free(&users[i].base.client);
    }
    call_end(&c);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("feedback");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, at_most_twenty_a_second, 0, WZP_COUNT_OF(feedback_cases));
    return wzp_run_suite("client.feedback", tc);
}
