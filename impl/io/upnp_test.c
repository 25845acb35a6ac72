/* What becomes of a gateway's answers, with a gateway that is played. */
#include "io/upnp.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/testing/suite.h"

enum { ADDS_MAX = 6 };

typedef struct upnp_case {
    const char *name, *external, *reflexive;
    const char *error; /* wanted; NULL: mapped */
    int external_result;
    unsigned add_count; /* wanted */
    int adds[ADDS_MAX]; /* results, one after another */
    bool missing, accepts_local;
    bool moved, permanent; /* wanted */
} upnp_case;

/* NAT-048 is the second and the third. */
static const upnp_case cases[] = {
    {"as asked", .external = "11.0.0.11:0", .add_count = 1},
    {"only permanent", .external = "11.0.0.11:0", .adds = {725, 0}, .add_count = 2,
     .permanent = true},
    {"the port is another's", .external = "11.0.0.11:0", .adds = {718, 718, 0}, .add_count = 3,
     .moved = true},
    {"taken, and then only permanent", .external = "11.0.0.11:0", .adds = {718, 725, 0},
     .add_count = 3, .moved = true, .permanent = true},
    {"all ports are others'", .external = "11.0.0.11:0", .adds = {718, 718, 718, 718, 0},
     .error = "AddPortMapping: played (718)", .add_count = 4},
    {"permanent is refused, too", .external = "11.0.0.11:0", .adds = {725, 725, 0},
     .error = "AddPortMapping: played (725)", .add_count = 2},
    {"not authorised", .external = "11.0.0.11:0", .adds = {606},
     .error = "AddPortMapping: played (606)", .add_count = 1},
    {"an error without a name", .external = "11.0.0.11:0", .adds = {-9},
     .error = "AddPortMapping: failed (-9)", .add_count = 1},
    {"nobody", .missing = true, .error = "no device answers"},
    {"no external address", .external_result = 501, .error = "GetExternalIPAddress: played (501)"},
    {"behind another NAT", .external = "192.168.7.1:0",
     .error = "external address 192.168.7.1:0 cannot be reached by all"},
    {"behind a carrier's NAT", .external = "100.64.3.4:0",
     .error = "external address 100.64.3.4:0 cannot be reached by all"},
    {"nowhere", .external = "0.0.0.0:0", .accepts_local = false,
     .error = "external address 0.0.0.0:0 cannot be reached by all"},
    {"behind another NAT, in a lab", .external = "192.168.7.1:0", .accepts_local = true,
     .add_count = 1},
    {"others see us elsewhere", .external = "11.0.0.11:0", .reflexive = "11.0.0.12:5",
     .error = "external address 11.0.0.11:0 cannot be reached by all"},
    {"others see us there", .external = "11.0.0.11:0", .reflexive = "11.0.0.11:5", .add_count = 1},
};

/* The gateway, for a worker thread and, when that does not work, for the test. */
static struct {
    const upnp_case *c;
    unsigned finds, adds, removes, forgets;
    uint16_t ports[ADDS_MAX], removed;
    uint32_t leases[ADDS_MAX];
    pthread_mutex_t hold; /* who holds it lets answers wait */
} played = {.hold = PTHREAD_MUTEX_INITIALIZER};

static wzp_addr addr_of(const char *text) {
    wzp_addr addr = {.family = WZP_ADDR_NONE};
    if (text != NULL) {
        ck_assert_int_eq(wzp_addr_parse(&addr, text), WZP_OK);
    }
    return addr;
}

static void *find(const wzp_addr *own, uint32_t wait_ms, char error[WZP_UPNP_TEXT_MAX]) {
    pthread_mutex_lock(&played.hold);
    pthread_mutex_unlock(&played.hold);
    ck_assert_uint_eq(own->port, 40000);
    ck_assert_uint_gt(wait_ms, 0);
    played.finds++;
    if (played.c->missing) {
        (void)snprintf(error, WZP_UPNP_TEXT_MAX, "no device answers");
        return NULL;
    }
    return &played;
}

static void forget(void *gateway) {
    ck_assert_ptr_eq(gateway, &played);
    played.forgets++;
}

static int external(void *gateway, wzp_addr *out) {
    (void)gateway;
    if (played.c->external_result == 0) {
        *out = addr_of(played.c->external);
    }
    return played.c->external_result;
}

static int add(void *gateway, const wzp_addr *own, uint16_t port, uint32_t lease_s) {
    (void)gateway;
    (void)own;
    ck_assert_uint_lt(played.adds, ADDS_MAX);
    played.ports[played.adds] = port;
    played.leases[played.adds] = lease_s;
    return played.c->adds[played.adds++];
}

static int remove_port(void *gateway, uint16_t port) {
    (void)gateway;
    played.removes++;
    played.removed = port;
    return 0;
}

static const char *text(int result) {
    return result > 0 ? "played" : NULL;
}

static const wzp_upnp_backend backend = {find, forget, external, add, remove_port, text};

/* --- the program ------------------------------------------------------------------------------ */

typedef struct user {
    uv_loop_t loop;
    wzp_upnp *upnp;
    wzp_upnp_state state;
    unsigned attempts, released, wanted;
    wzp_prng prng;
} user;

static void on_released(void *ctx) {
    user *u = ctx;
    u->released++;
}

static void on_attempt(void *ctx, const wzp_upnp_state *state) {
    user *u = ctx;
    u->state = *state;
    u->attempts++;
    if (u->attempts == u->wanted) {
        wzp_upnp_release(&u->upnp, on_released, u);
        ck_assert_ptr_null(u->upnp);
    }
}

static void begin(user *u, const upnp_case *c, uint32_t lease_s, uint32_t retry_ms) {
    played.c = c;
    played.finds = played.adds = played.removes = played.forgets = 0;
    wzp_prng_init(&u->prng, 1, "upnp");
    const wzp_upnp_cfg cfg = {.backend = &backend,
                              .own = wzp_addr_v4(10, 1, 0, 2, 40000),
                              .reflexive = addr_of(c->reflexive),
                              .lease_s = lease_s,
                              .retry_ms = retry_ms,
                              .accepts_local = c->accepts_local,
                              .rng = wzp_prng_rng(&u->prng),
                              .attempted = on_attempt,
                              .ctx = u};
    ck_assert_int_eq(uv_loop_init(&u->loop), 0);
    ck_assert_int_eq(wzp_upnp_start(&u->upnp, &cfg, &u->loop), WZP_OK);
}

static void end(user *u) {
    uv_run(&u->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&u->loop), 0);
    ck_assert_uint_eq(u->released, 1);
}

START_TEST(a_gateway) {
    const upnp_case *c = &cases[_i];
    user u = {.wanted = 1};
    begin(&u, c, 600, 0);
    end(&u);
    const char *error = c->error != NULL ? c->error : "";
    ck_assert_msg(strcmp(u.state.error, error) == 0, "%s: '%s'", c->name, u.state.error);
    ck_assert_msg((u.state.external.family == WZP_ADDR_NONE) == (c->error != NULL), "%s", c->name);
    ck_assert_msg(played.adds == c->add_count, "%s: %u adds", c->name, played.adds);
    ck_assert(u.state.has_gateway == !c->missing);
    ck_assert_uint_eq(u.state.failures, c->error != NULL ? 1 : 0);
    ck_assert_uint_eq(played.forgets, c->missing ? 0 : 1);
    ck_assert_uint_eq(played.removes, c->error == NULL ? 1 : 0);
    if (c->error == NULL) {
        const uint16_t port = u.state.external.port;
        ck_assert_uint_eq(played.removed, port);
        ck_assert_msg(c->moved ? port >= 49152 : port == 40000, "%s: port %u", c->name, port);
        ck_assert_uint_eq(u.state.lease_s, c->permanent ? 0 : 600);
        ck_assert_uint_eq(played.leases[0], 600);
    }
}
END_TEST

START_TEST(renewed_with_the_same_port) {
    static const upnp_case moved = {"moved", .external = "11.0.0.11:0", .adds = {718, 0, 0, 0}};
    user u = {.wanted = 3};
    begin(&u, &moved, 1, 0);
    end(&u);
    ck_assert_uint_eq(played.adds, 4);
    ck_assert_uint_ge(played.ports[1], 49152);
    ck_assert_uint_eq(played.ports[2], played.ports[1]);
    ck_assert_uint_eq(played.ports[3], played.ports[1]);
    ck_assert_uint_eq(played.finds, 1);
}
END_TEST

START_TEST(lost_and_searched_again) {
    static const upnp_case lost = {"lost", .external = "11.0.0.11:0", .adds = {0, 501, 0}};
    user u = {.wanted = 3};
    begin(&u, &lost, 1, 1);
    end(&u);
    ck_assert_uint_eq(played.adds, 3);
    ck_assert_uint_eq(played.finds, 2); /* the gateway may be another one by now */
    ck_assert_uint_eq(played.removes, 1);
    ck_assert_uint_eq(u.state.failures, 0);
    ck_assert_str_eq(u.state.error, "");
}
END_TEST

START_TEST(released_while_it_asks) {
    user u = {.wanted = 0};
    pthread_mutex_lock(&played.hold);
    begin(&u, &cases[0], 600, 0);
    wzp_upnp_release(&u.upnp, on_released, &u);
    pthread_mutex_unlock(&played.hold);
    end(&u);
    ck_assert_uint_eq(u.attempts, 0);
    ck_assert_uint_eq(played.adds, played.removes);
}
END_TEST

static void let_go(uv_timer_t *timer) {
    const user *u = timer->data;
    if (u->released > 0) {
        pthread_mutex_unlock(&played.hold);
        uv_close((uv_handle_t *)timer, NULL);
    }
}

/* The answer waits for the release to be over, which does not wait for the answer. */
START_TEST(released_while_the_gateway_hangs) {
    user u = {.wanted = 0};
    uv_timer_t timer = {.data = &u};
    pthread_mutex_lock(&played.hold);
    begin(&u, &cases[0], 600, 0);
    wzp_upnp_release(&u.upnp, on_released, &u);
    uv_timer_init(&u.loop, &timer);
    uv_timer_start(&timer, let_go, 10, 10);
    end(&u);
    ck_assert_uint_eq(played.removes, 1); /* late, but still */
}
END_TEST

START_TEST(what_cannot_be_asked_for) {
    uv_loop_t loop;
    wzp_upnp *upnp = NULL;
    wzp_upnp_cfg cfg = {.backend = &backend, .own = wzp_addr_v4(10, 1, 0, 2, 0)};
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(wzp_upnp_start(&upnp, &cfg, &loop), WZP_ERR_INVALID_ARGUMENT);
    cfg.own = (wzp_addr){.family = WZP_ADDR_V6, .port = 1};
    ck_assert_int_eq(wzp_upnp_start(&upnp, &cfg, &loop), WZP_ERR_INVALID_ARGUMENT);
    wzp_upnp_release(&upnp, NULL, NULL);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
#ifdef WZP_HAVE_MINIUPNPC
    ck_assert_ptr_nonnull(wzp_upnp_miniupnpc());
#else
    ck_assert_ptr_null(wzp_upnp_miniupnpc());
#endif
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("upnp");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_gateway, 0, WZP_COUNT_OF(cases));
    tcase_add_test(tc, renewed_with_the_same_port);
    tcase_add_test(tc, lost_and_searched_again);
    tcase_add_test(tc, released_while_it_asks);
    tcase_add_test(tc, released_while_the_gateway_hangs);
    tcase_add_test(tc, what_cannot_be_asked_for);
    return wzp_run_suite("io.upnp", tc);
}
