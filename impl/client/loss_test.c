/* What reports say of losses on each part of the way between two or three clients (QR-004). */
#include "client/testing/call.h"

#include "base/testing/suite.h"

enum { USERS = 3 };

/* In 255ths, as the packets of one sender brought them. */
typedef struct reports {
    unsigned count, sum, max;
} reports;

typedef struct user {
    call_user base;
    uint8_t number;
    reports of[USERS];
} user;

/* The payload says who speaks. */
static void after(void *ctx, wzp_time now) {
    user *u = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(u->base.client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_CAPTURE) {
            const uint8_t frame[60] = {u->number};
            const wzp_bytes bytes = wzp_bytes_of(frame, sizeof frame);
            ck_assert_int_eq(wzp_client_push_coded(u->base.client, bytes, now), WZP_OK);
        }
    }
}

static void on_arrival(void *ctx, const wzp_media_packet *packet, wzp_time now) {
    user *u = ctx;
    reports *r = &u->of[packet->payload.data[0]];
    (void)now;
    if ((packet->hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        const unsigned loss = packet->report.loss_pct;
        r->count++;
        r->sum += loss;
        r->max = loss > r->max ? loss : r->max;
    }
}

typedef struct call {
    call_net c;
    size_t count;
    user users[USERS];
} call;

static void forget(call *k) {
    for (size_t i = 0; i < USERS; i++) {
        memset(k->users[i].of, 0, sizeof k->users[i].of);
    }
}

static void begin_with(call *k, size_t count, bool second_listens) {
    memset(k, 0, sizeof *k);
    k->count = count;
    call_begin(&k->c, 7, WZP_ENFORCE_ON);
    for (size_t i = 0; i < count; i++) {
        k->users[i].number = (uint8_t)i;
        const wzp_client_cfg cfg = {
            .coded = true, .listen_only = second_listens && i == 1, .arrival = on_arrival};
        call_join(&k->c, &k->users[i].base, cfg, after);
        call_run(&k->c, 1000);
    }
    call_run(&k->c, 2000);
    forget(k);
}

static void begin(call *k, size_t count) {
    begin_with(k, count, false);
}

static void end(call *k) {
    for (size_t i = 0; i < k->count; i++) {
        wzp_client_free(&k->users[i].base.client);
    }
    call_end(&k->c);
}

/* Nothing is acknowledged any more, so nothing is declared lost either. */
START_TEST(a_deaf_client_reports_it) {
    static call k;
    const reports *r = &k.users[1].of[0];
    begin(&k, 2);
    k.c.net.deaf[k.users[0].base.host] = true;
    call_run(&k.c, 3500);
    ck_assert_uint_ge(r->count, 3);
    ck_assert_uint_eq(r->max, 255);
    ck_assert_uint_ge(r->sum, 510);
    k.c.net.deaf[k.users[0].base.host] = false;
    call_run(&k.c, 2200); /* the window of its end, and the sound that was missed */
    forget(&k);
    call_run(&k.c, 4000);
    ck_assert_uint_ge(r->count, 3);
    ck_assert_uint_eq(r->max, 0);
    end(&k);
}
END_TEST

static const struct loss_case {
    const char *name;
    size_t users;
    uint32_t from_ppm, to_ppm; /* of the first one */
    unsigned first, second;    /* percent that they report */
} loss_cases[] = {
    {"clean", 2, 0, 0, 0, 0},
    {"the way up", 2, 200000, 0, 20, 20}, /* no header says where a gap comes from */
    {"the way down", 2, 0, 200000, 20, 0},
    {"the way up, and a third one hears", 3, 200000, 0, 20, 0},
    {"the way down, and a third one speaks", 3, 0, 200000, 20, 0},
};

/* The mean of half a minute; a single report of 50 packets is off by more. */
static void reports_about(const struct loss_case *l, const reports *r, unsigned percent) {
    const double mean = r->count > 0 ? r->sum / 2.55 / r->count : -1.0;
    ck_assert_msg(mean > percent - 5.0 && mean < percent + 5.0, "%s: %f instead of %u", l->name,
                  mean, percent);
}

START_TEST(each_way_is_told) {
    const struct loss_case *l = &loss_cases[_i];
    static call k;
    begin(&k, l->users);
    k.c.net.loss_from_ppm[k.users[0].base.host] = l->from_ppm;
    k.c.net.loss_to_ppm[k.users[0].base.host] = l->to_ppm;
    call_run(&k.c, 3000);
    forget(&k);
    call_run(&k.c, 30000);
    reports_about(l, &k.users[1].of[0], l->first);
    reports_about(l, &k.users[0].of[1], l->second);
    end(&k);
}
END_TEST

/* Its own reports say so, and nobody gets them: who hears it must tell. */
START_TEST(a_silenced_client_is_reported) {
    static call k;
    const reports *r = &k.users[0].of[1];
    begin(&k, 2);
    k.c.net.cut[k.users[0].base.host] = true;
    call_run(&k.c, 4500);
    ck_assert_uint_ge(r->count, 3); /* the relay gets no acknowledgements and sends less */
    ck_assert_uint_eq(r->max, 255);
    ck_assert_uint_ge(r->sum, 510);
    k.c.net.cut[k.users[0].base.host] = false;
    call_run(&k.c, 2200);
    forget(&k);
    call_run(&k.c, 4000);
    ck_assert_uint_ge(r->count, 3);
    ck_assert_uint_eq(r->max, 0);
    end(&k);
}
END_TEST

/* With a third one, the first one's way up is its own affair. */
START_TEST(a_silenced_client_of_three_is_not) {
    static call k;
    begin(&k, 3);
    k.c.net.cut[k.users[0].base.host] = true;
    call_run(&k.c, 6000);
    ck_assert_uint_ge(k.users[2].of[1].count, 5);
    ck_assert_uint_eq(k.users[2].of[1].max, 0);
    end(&k);
}
END_TEST

/* The first one hears nobody else; the second one only listens to its reports. */
START_TEST(who_leaves_is_no_loss) {
    static call k;
    begin_with(&k, 3, true);
    ck_assert_uint_eq(k.users[0].of[1].count, 0);
    wzp_client_hangup(k.users[2].base.client, k.c.net.now);
    call_run(&k.c, 6000);
    ck_assert_uint_ge(k.users[1].of[0].count, 5);
    ck_assert_uint_eq(k.users[1].of[0].max, 0);
    end(&k);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("loss");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_deaf_client_reports_it);
    tcase_add_loop_test(tc, each_way_is_told, 0, WZP_COUNT_OF(loss_cases));
    tcase_add_test(tc, a_silenced_client_is_reported);
    tcase_add_test(tc, a_silenced_client_of_three_is_not);
    tcase_add_test(tc, who_leaves_is_no_loss);
    return wzp_run_suite("client.loss", tc);
}
