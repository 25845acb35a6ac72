/* Seats under a scripted core that checks how it is driven. */
#include "base/testing/suite.h"
#include "sim/engine/engine.h"
#include "sim/host/host.h"
#include "sim/host/testing/wire.h"

#define WAY (5 * WZP_MS)

/* Sends what is put into `out`, and beats: a deadline every `every`. */
typedef struct fake {
    wzp_sim_seat *seat;
    wzp_time now, next, deadlines[8]; /* of its own clock; when ticks came */
    uint64_t every;
    size_t ticks, recvs, afters, entered;
    uint8_t out[4000];
    size_t out_len;
    wzp_quic_meta meta;
    uint8_t got[8][32];
    size_t got_len[8];
    wzp_quic_path path;
    uint8_t ecn;
    bool free_in_after, send_in_after, wake_in_after;
} fake;

static void enter(fake *f, wzp_time now) {
    ck_assert_uint_eq(f->entered, 0);
    ck_assert_uint_ge(now, f->now); /* time does not go back */
    f->now = now;
}

static void fake_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    fake *f = self;
    enter(f, now);
    ck_assert_uint_lt(f->recvs, 8);
    f->path = *path;
    f->ecn = ecn;
    f->got_len[f->recvs] = payload.len;
    memcpy(f->got[f->recvs++], payload.data, payload.len < 32 ? payload.len : 32);
}

static void fake_tick(void *self, wzp_time now) {
    fake *f = self;
    enter(f, now);
    if (f->every != 0 && now >= f->next) {
        if (f->ticks < 8) {
            f->deadlines[f->ticks] = now;
        }
        f->ticks++;
        f->next += f->every;
    }
}

static wzp_time fake_deadline(const void *self) {
    const fake *f = self;
    return f->out_len > 0 ? 0 : f->every != 0 ? f->next : WZP_TIME_NEVER;
}

static size_t fake_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    fake *f = self;
    enter(f, now);
    ck_assert_uint_ge(cap, 1500);
    const size_t n = f->out_len;
    ck_assert_uint_le(n, cap);
    memcpy(buf, f->out, n);
    *meta = f->meta;
    f->out_len = 0;
    return n;
}

static wzp_core core_of(fake *f) {
    static const wzp_core_ops ops = {fake_recv, fake_tick, fake_deadline, fake_next_packet};
    return (wzp_core){f, &ops};
}

static void say(fake *f, wzp_addr remote, const char *text, uint16_t segment) {
    f->meta = (wzp_quic_meta){.path = {.remote = remote}, .ecn = 1, .segment = segment};
    f->out_len = strlen(text);
    memcpy(f->out, text, f->out_len);
}

static const wzp_addr x_ip = {WZP_ADDR_V4, 0, {10, 0, 0, 1}};
static const wzp_addr y_ip = {WZP_ADDR_V4, 0, {10, 0, 0, 2}};
static const wzp_addr x_at = {WZP_ADDR_V4, 1000, {10, 0, 0, 1}};
static const wzp_addr y_at = {WZP_ADDR_V4, 2000, {10, 0, 0, 2}};

static void after(void *ctx, wzp_time now) {
    fake *f = ctx;
    ck_assert_uint_eq(now, f->now);
    f->afters++;
    if (f->send_in_after && f->afters == 1) {
        say(f, y_at, "after", 5);
    }
    if (f->wake_in_after && f->afters < 3) {
        wzp_sim_seat_wake(f->seat); /* means: once more, not: from within */
    }
    if (f->free_in_after) {
        wzp_sim_seat_free(&f->seat);
    }
}

typedef struct pair {
    wzp_sim_engine *engine;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    wzp_sim_host *x, *y;
    wire xy, yx;
    fake fx, fy;
} pair;

static void setup(pair *p, int32_t skew_ppm, uint64_t offset, uint64_t delay) {
    const wzp_sim_engine_cfg engine = {.seed = 1};
    const wzp_sim_host_cfg x = {.name = "x", .skew_ppm = skew_ppm, .offset = offset};
    const wzp_sim_host_cfg y = {.name = "y"};
    memset(p, 0, sizeof *p);
    ck_assert(wzp_sim_engine_new(&p->engine, &engine) == WZP_OK);
    p->clock = wzp_sim_engine_clock(p->engine);
    p->pool = wzp_sim_pool_new();
    ck_assert(wzp_sim_host_new(&p->x, &x, p->clock, p->pool) == WZP_OK);
    ck_assert(wzp_sim_host_new(&p->y, &y, p->clock, p->pool) == WZP_OK);
    wire_init(&p->xy, "x->y", p->clock, wzp_sim_host_node(p->y), 0, delay);
    wire_init(&p->yx, "y->x", p->clock, wzp_sim_host_node(p->x), 0, delay);
    ck_assert(wzp_sim_host_attach(p->x, 0, &p->xy.pipe) == WZP_OK);
    ck_assert(wzp_sim_host_attach(p->y, 0, &p->yx.pipe) == WZP_OK);
    ck_assert(wzp_sim_host_address(p->x, 0, &x_ip) == WZP_OK);
    ck_assert(wzp_sim_host_address(p->y, 0, &y_ip) == WZP_OK);
}

static void sit(pair *p) {
    p->fx.seat = wzp_sim_host_seat(p->x, 1000, core_of(&p->fx), after, &p->fx);
    p->fy.seat = wzp_sim_host_seat(p->y, 2000, core_of(&p->fy), NULL, NULL);
    ck_assert(p->fx.seat != NULL && p->fy.seat != NULL);
}

static void run(pair *p, uint64_t duration) {
    const wzp_sim_stop stop = wzp_sim_engine_run(p->engine, wzp_sim_now(p->clock) + duration);
    ck_assert(stop == WZP_SIM_STOP_TIME || stop == WZP_SIM_STOP_IDLE);
}

static void teardown(pair *p) {
    wzp_sim_seat_free(&p->fx.seat);
    wzp_sim_seat_free(&p->fy.seat);
    wzp_sim_host_free(&p->x);
    wzp_sim_host_free(&p->y);
    wzp_sim_engine_free(&p->engine);
    wzp_sim_pool_free(&p->pool);
}

START_TEST(runs_are_split) {
    pair p;
    setup(&p, 0, 0, WAY);
    sit(&p);
    say(&p.fx, y_at, "aaaabbbbcc", 4);
    run(&p, WZP_S); /* a seat serves its core as soon as time goes on */
    ck_assert_uint_eq(p.fy.recvs, 3);
    ck_assert_mem_eq(p.fy.got[0], "aaaa", 4);
    ck_assert_mem_eq(p.fy.got[1], "bbbb", 4);
    ck_assert_uint_eq(p.fy.got_len[2], 2);
    ck_assert(wzp_addr_equal(&p.fy.path.remote, &x_at) && wzp_addr_equal(&p.fy.path.local, &y_at));
    ck_assert_uint_eq(p.fy.ecn, 1);
    const wzp_quic_path seen = wzp_sim_seat_path(p.fy.seat);
    ck_assert(wzp_addr_equal(&seen.remote, &x_at));
    ck_assert_uint_eq(wzp_sim_seat_path(p.fx.seat).remote.family, WZP_ADDR_NONE);
    ck_assert_uint_eq(wzp_sim_seat_port(p.fx.seat), 1000);
    teardown(&p);
}
END_TEST

START_TEST(a_second_socket_is_the_same_seat) {
    const wzp_addr aside = {WZP_ADDR_V4, 5351, {10, 0, 0, 1}};
    pair p;
    setup(&p, 0, 0, WAY);
    sit(&p);
    ck_assert(!wzp_sim_seat_also(p.fy.seat, 2000)); /* its own */
    ck_assert(wzp_sim_seat_also(p.fx.seat, aside.port));
    say(&p.fy, aside, "ask", 3);
    run(&p, WZP_S);
    ck_assert_uint_eq(p.fx.recvs, 1);
    ck_assert(wzp_addr_equal(&p.fx.path.local, &aside));
    say(&p.fx, y_at, "answer", 6);
    p.fx.meta.path.local = aside;
    wzp_sim_seat_wake(p.fx.seat);
    run(&p, WZP_S);
    ck_assert_uint_eq(p.fy.recvs, 1);
    ck_assert(wzp_addr_equal(&p.fy.path.remote, &aside));
    teardown(&p);
}
END_TEST

static const struct beat_case {
    const char *name;
    int32_t skew_ppm;
    uint64_t offset;
    wzp_time last; /* network time of the tenth beat, from the start of the simulation */
} beat_cases[] = {
    {"a right clock", 0, 0, 10 * WZP_S},
    {"a fast one", 1000, 0, 9990009991},
    {"a slow one", -1000, 0, 10010010011},
    {"ahead of its time", 0, 77 * WZP_S, 10 * WZP_S},
};

/* Beats of one second on the host's own clock, which began with the host's offset. */
START_TEST(deadlines_are_kept_on_the_hosts_clock) {
    const struct beat_case *c = &beat_cases[_i];
    pair p;
    setup(&p, c->skew_ppm, c->offset, WAY);
    const wzp_time start = wzp_sim_now(p.clock);
    sit(&p);
    p.fx.every = WZP_S;
    p.fx.next = wzp_sim_seat_now(p.fx.seat) + WZP_S;
    const wzp_time first = p.fx.next;
    run(&p, c->last - 1);
    ck_assert_msg(p.fx.ticks == 9, "%s: %zu before its time", c->name, p.fx.ticks);
    run(&p, 2);
    ck_assert_msg(p.fx.ticks == 10, "%s: %zu", c->name, p.fx.ticks);
    for (size_t i = 0; i < 8; i++) {
        ck_assert_uint_ge(p.fx.deadlines[i], first + i * WZP_S);
        ck_assert_uint_le(p.fx.deadlines[i], first + i * WZP_S + 2);
    }
    ck_assert_uint_ge(wzp_sim_now(p.clock), start + c->last);
    teardown(&p);
}
END_TEST

/* An earlier deadline is kept, a later one does not leave a storm of stale tasks behind. */
START_TEST(wakes_are_lazy) {
    pair p;
    setup(&p, 0, 0, WAY);
    sit(&p);
    p.fx.every = 100 * WZP_MS;
    p.fx.next = wzp_sim_now(p.clock) + 100 * WZP_MS;
    run(&p, WZP_US);
    const uint64_t before = wzp_sim_engine_events(p.engine);
    for (int i = 0; i < 50; i++) {
        say(&p.fy, x_at, ".", 1);
        p.fx.recvs = 0;
        wzp_sim_seat_wake(p.fy.seat);
        p.fx.next = wzp_sim_now(p.clock) + 100 * WZP_MS; /* put off again and again */
        run(&p, 20 * WZP_MS);
    }
    ck_assert_uint_eq(p.fx.ticks, 0);
    /* A wake of y, an arrival; and a look at the deadline every fifth time. */
    ck_assert_uint_le(wzp_sim_engine_events(p.engine) - before, 50 * 2 + 50 / 5 + 2);
    p.fx.next = wzp_sim_now(p.clock) + 10 * WZP_MS;
    wzp_sim_seat_wake(p.fx.seat);
    run(&p, 10 * WZP_MS);
    ck_assert_uint_eq(p.fx.ticks, 1);
    teardown(&p);
}
END_TEST

START_TEST(what_after_asks_for_leaves_at_once) {
    pair p;
    setup(&p, 0, 0, WAY);
    p.fx.send_in_after = true;
    sit(&p);
    run(&p, WAY);
    ck_assert_uint_eq(p.fy.recvs, 1);
    ck_assert_mem_eq(p.fy.got[0], "after", 5);
    teardown(&p);
}
END_TEST

START_TEST(a_wake_from_within_is_once_more) {
    pair p;
    setup(&p, 0, 0, WAY);
    p.fx.wake_in_after = true;
    sit(&p);
    run(&p, WZP_MS);
    ck_assert_uint_eq(p.fx.afters, 3);
    teardown(&p);
}
END_TEST

START_TEST(a_seat_may_go_in_its_own_callback) {
    pair p;
    setup(&p, 0, 0, WAY);
    p.fx.free_in_after = true;
    p.fx.every = WZP_MS;
    sit(&p);
    say(&p.fx, y_at, "never", 5);
    run(&p, WZP_S);
    ck_assert_ptr_null(p.fx.seat);
    ck_assert_uint_eq(p.fx.afters, 1);
    ck_assert_uint_eq(p.fy.recvs, 0);
    teardown(&p);
}
END_TEST

/* Freed from outside while a wake of it is under way; its port is free for another one. */
START_TEST(a_seat_that_is_gone_is_not_woken) {
    pair p;
    setup(&p, 0, 0, WAY);
    sit(&p);
    p.fx.every = WZP_MS;
    run(&p, WZP_MS);
    const size_t ticks = p.fx.ticks;
    wzp_sim_seat_free(&p.fx.seat);
    p.fx.seat = wzp_sim_host_seat(p.x, 1000, core_of(&p.fx), after, &p.fx);
    ck_assert_ptr_nonnull(p.fx.seat);
    ck_assert_ptr_null(wzp_sim_host_seat(p.x, 1000, core_of(&p.fx), after, &p.fx));
    wzp_sim_seat_free(&p.fx.seat);
    run(&p, WZP_S);
    ck_assert_uint_eq(p.fx.ticks, ticks);
    teardown(&p);
}
END_TEST

/* A peer that gets a packet may end the sender in the middle of its run. */
static bool end_sender(void *ctx, const wzp_sim_packet *packet, wzp_time now) {
    pair *p = ctx;
    (void)packet;
    (void)now;
    wzp_sim_seat_free(&p->fx.seat);
    return true;
}

START_TEST(a_seat_may_go_while_it_sends) {
    pair p;
    setup(&p, 0, 0, 0);
    p.xy.loses = end_sender;
    p.xy.ctx = &p;
    sit(&p);
    say(&p.fx, y_at, "aaaabbbb", 4);
    run(&p, WZP_S);
    ck_assert_uint_eq(p.xy.carried, 1);
    teardown(&p);
}
END_TEST

/* A core that always wants to be called gets its way, yet time goes on. */
static wzp_time always(const void *self) {
    (void)self;
    return 1;
}

START_TEST(an_impatient_core_does_not_stop_time) {
    static const wzp_core_ops ops = {fake_recv, fake_tick, always, fake_next_packet};
    pair p;
    setup(&p, 0, 0, WAY);
    p.fx.seat = wzp_sim_host_seat(p.x, 1000, (wzp_core){&p.fx, &ops}, NULL, NULL);
    run(&p, WZP_MS);
    ck_assert_uint_ge(wzp_sim_engine_events(p.engine), 900);
    ck_assert_uint_le(wzp_sim_engine_events(p.engine), 1100);
    teardown(&p);
}
END_TEST

/* Sockets beside the usual one: known by their port in both directions, until they are shut. */
static bool keeps_one(void *ctx, uint16_t port) {
    return port == *(const uint16_t *)ctx;
}

START_TEST(more_sockets) {
    pair p;
    uint16_t ports[2];
    setup(&p, 0, 0, WAY);
    sit(&p);
    for (size_t i = 0; i < 2; i++) {
        ports[i] = wzp_sim_seat_open(p.fx.seat);
        ck_assert_uint_ge(ports[i], 1024);
    }
    for (size_t i = 0; i < 2; i++) {
        say(&p.fx, y_at, "abcd", 4);
        p.fx.meta.path.local = (wzp_addr){.family = WZP_ADDR_V4, .port = ports[i]};
        wzp_sim_seat_wake(p.fx.seat);
        run(&p, 20 * WZP_MS);
        ck_assert_uint_eq(p.fy.path.remote.port, ports[i]);
    }
    wzp_addr back = p.fy.path.remote;
    say(&p.fy, back, "efgh", 4);
    wzp_sim_seat_wake(p.fy.seat);
    run(&p, 20 * WZP_MS);
    ck_assert_uint_eq(p.fx.recvs, 1);
    ck_assert_uint_eq(p.fx.path.local.port, ports[1]);

    wzp_sim_seat_shut(p.fx.seat, keeps_one, &ports[0]);
    say(&p.fy, back, "efgh", 4); /* nobody listens there */
    say(&p.fx, y_at, "abcd", 4); /* and what is still said there is lost */
    p.fx.meta.path.local = (wzp_addr){.family = WZP_ADDR_V4, .port = ports[1]};
    wzp_sim_seat_wake(p.fy.seat);
    wzp_sim_seat_wake(p.fx.seat);
    run(&p, 20 * WZP_MS);
    ck_assert_uint_eq(p.fx.recvs, 1);
    ck_assert_uint_eq(p.fy.recvs, 2);
    back.port = ports[0];
    say(&p.fy, back, "ijkl", 4);
    wzp_sim_seat_wake(p.fy.seat);
    run(&p, 20 * WZP_MS);
    ck_assert_uint_eq(p.fx.recvs, 2);
    teardown(&p);
}
END_TEST

START_TEST(sockets_are_bounded) {
    pair p;
    setup(&p, 0, 0, WAY);
    sit(&p);
    for (size_t i = 0; i < WZP_SIM_SEAT_SOCKETS_MAX; i++) {
        ck_assert_uint_ne(wzp_sim_seat_open(p.fx.seat), 0);
    }
    ck_assert_uint_eq(wzp_sim_seat_open(p.fx.seat), 0);
    teardown(&p);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("seat");
    tcase_add_test(tc, runs_are_split);
    tcase_add_test(tc, a_second_socket_is_the_same_seat);
    tcase_add_loop_test(tc, deadlines_are_kept_on_the_hosts_clock, 0, WZP_COUNT_OF(beat_cases));
    tcase_add_test(tc, wakes_are_lazy);
    tcase_add_test(tc, what_after_asks_for_leaves_at_once);
    tcase_add_test(tc, a_wake_from_within_is_once_more);
    tcase_add_test(tc, a_seat_may_go_in_its_own_callback);
    tcase_add_test(tc, a_seat_that_is_gone_is_not_woken);
    tcase_add_test(tc, a_seat_may_go_while_it_sends);
    tcase_add_test(tc, an_impatient_core_does_not_stop_time);
    tcase_add_test(tc, more_sockets);
    tcase_add_test(tc, sockets_are_bounded);
    return wzp_run_suite("sim_host.seat", tc);
}
