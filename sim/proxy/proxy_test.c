#include "sim/proxy/proxy.h"

#include <stdio.h>
#include <string.h>

#include "base/testing/suite.h"
#include "sim/lab/testing/text.h"

#define START (1000 * WZP_S)
#define SEEN_MAX 4096

/* --- a proxy, and what came out of it --------------------------------------------------------- */

typedef struct seen {
    wzp_sim_proxy_output output; /* without its payload */
    char text[16];
} seen;

typedef struct bed {
    wzp_lab_scenario *scenario;
    wzp_sim_proxy *proxy;
    wzp_time now;
    seen seen[SEEN_MAX];
    size_t count;
} bed;

static bed the;

static const wzp_addr alice = {WZP_ADDR_V4, 50001, {127, 0, 0, 1}};
static const wzp_addr bob = {WZP_ADDR_V6, 50002, {[15] = 1}};

static void set_up(const char *text) {
    char why[WZP_TOML_WHY_MAX];
    memset(&the, 0, sizeof the);
    the.scenario = seeded(text, 5);
    the.now = START;
    const wzp_sim_proxy_cfg cfg = {.scenario = the.scenario, .start = START};
    ck_assert_msg(wzp_sim_proxy_new(&the.proxy, &cfg, why) == WZP_OK, "%s", why);
}

static void tear_down(void) {
    wzp_sim_proxy_free(&the.proxy);
    wzp_lab_scenario_free(&the.scenario);
}

static void drain(void) {
    wzp_sim_proxy_output out;
    while (wzp_sim_proxy_next(the.proxy, &out)) {
        ck_assert_uint_lt(the.count, SEEN_MAX);
        seen *s = &the.seen[the.count++];
        (void)snprintf(s->text, sizeof s->text, "%.*s", (int)out.payload.len,
                       out.payload.len > 0 ? (const char *)out.payload.data : "");
        s->output = out;
    }
}

/* As a driver does it: sleeps until the deadline, again and again. */
static void run_until(wzp_time end) {
    while (the.now < end) {
        const wzp_time next = wzp_time_min(wzp_sim_proxy_deadline(the.proxy), end);
        the.now = next > the.now ? next : the.now;
        ck_assert_int_eq(wzp_sim_proxy_tick(the.proxy, the.now), WZP_OK);
        drain();
    }
}

static void say(const wzp_addr *client, const char *text) {
    wzp_sim_proxy_client(the.proxy, client, 0, wzp_bytes_str(text), the.now);
    drain();
}

static void answer(uint32_t mapping, wzp_sim_proxy_from from, const char *text) {
    wzp_sim_proxy_upstream(the.proxy, mapping, from, 0, wzp_bytes_str(text), the.now);
    drain();
}

/* The first that says `text`; NULL: it never came. */
static const seen *find(wzp_sim_proxy_kind kind, const char *text) {
    for (size_t i = 0; i < the.count; i++) {
        if (the.seen[i].output.kind == kind && strcmp(the.seen[i].text, text) == 0) {
            return &the.seen[i];
        }
    }
    return NULL;
}

static const seen *at_upstream(const char *text) {
    const seen *s = find(WZP_SIM_PROXY_TO_UPSTREAM, text);
    ck_assert_msg(s != NULL, "'%s' did not come to upstream", text);
    return s;
}

static uint64_t dropped(const char *element, wzp_sim_drop drop) {
    const wzp_lab_topology *t = wzp_sim_proxy_topology(the.proxy);
    uint64_t sum = 0;
    for (size_t i = 0; i < wzp_lab_topology_count(t); i++) {
        wzp_sim_counts counts = {0};
        const wzp_lab_element *e = wzp_lab_topology_element(t, i);
        wzp_lab_element_count(t, e, &counts);
        sum += strcmp(e->name, element) == 0 ? counts.dropped[drop] : 0;
    }
    return sum;
}

static wzp_sim_proxy_counts counts_now(void) {
    wzp_sim_proxy_counts c;
    wzp_sim_proxy_count(the.proxy, &c);
    return c;
}

/* --- links ------------------------------------------------------------------------------------ */

#define HOSTS(x) "name = \"t\"\nduration = \"600 s\"\n[host.x]\n" x "\n[host.y]\n"
#define EVENT(event) "[[event]]\n" event "\n"

/* From alice to upstream and back. */
static void one_way_times(const char *scenario, uint64_t *up, uint64_t *down) {
    set_up(scenario);
    run_until(START + WZP_S);
    say(&alice, "hello");
    run_until(START + 2 * WZP_S);
    const seen *there = at_upstream("hello");
    *up = there->output.at - (START + WZP_S);
    answer(there->output.mapping, WZP_SIM_PROXY_UPSTREAM, "welcome");
    run_until(START + 3 * WZP_S);
    const seen *back = find(WZP_SIM_PROXY_TO_CLIENT, "welcome");
    ck_assert_ptr_nonnull(back);
    ck_assert(wzp_addr_equal(&back->output.addr, &alice));
    *down = back->output.at - (START + 2 * WZP_S);
    tear_down();
}

START_TEST(a_delay_is_added_each_way) {
    uint64_t plain[2];
    uint64_t slow[2];
    one_way_times(HOSTS("nat = \"linux-masq\"\naccess = {delay = \"0 ms\"}"), &plain[0], &plain[1]);
    one_way_times(HOSTS("nat = \"linux-masq\"\naccess = {delay = \"30 ms\"}"), &slow[0], &slow[1]);
    ck_assert_uint_eq(slow[0] - plain[0], 30 * WZP_MS);
    ck_assert_uint_eq(slow[1] - plain[1], 30 * WZP_MS);
}
END_TEST

START_TEST(a_share_is_lost_and_counted) {
    set_up(HOSTS("access = {loss = \"50 %\", delay = \"1 ms\"}"));
    for (int i = 0; i < 1000; i++) {
        say(&alice, "x");
        run_until(the.now + WZP_MS);
    }
    run_until(the.now + WZP_S);
    const wzp_sim_proxy_counts c = counts_now();
    ck_assert_uint_eq(c.from_clients, 1000);
    ck_assert_uint_ge(c.to_upstream, 400);
    ck_assert_uint_le(c.to_upstream, 600);
    ck_assert_uint_eq(c.to_upstream + dropped("x.access.up", WZP_SIM_DROP_LOSS), 1000);
    tear_down();
}
END_TEST

START_TEST(a_cut_link_carries_nothing_until_it_is_over) {
    set_up(HOSTS("") EVENT("at = \"1 s\"\ndo = \"cut\"\ntarget = \"x.access\"\nfor = \"2 s\""));
    run_until(START + 2 * WZP_S);
    say(&alice, "lost");
    run_until(START + 4 * WZP_S);
    say(&alice, "found");
    run_until(START + 5 * WZP_S);
    ck_assert_ptr_null(find(WZP_SIM_PROXY_TO_UPSTREAM, "lost"));
    (void)at_upstream("found");
    ck_assert_uint_eq(dropped("x.access.up", WZP_SIM_DROP_OUTAGE), 1);
    ck_assert_str_eq(the.seen[0].output.what, "cut");
    ck_assert_uint_eq(the.seen[0].output.at, START + WZP_S);
    tear_down();
}
END_TEST

/* --- boxes ------------------------------------------------------------------------------------ */

START_TEST(a_rebind_changes_the_upstream_facing_port) {
    set_up(HOSTS("nat = \"linux-masq\"")
               EVENT("at = \"5 s\"\ndo = \"rebind-port\"\ntarget = \"x.nat\""));
    say(&alice, "before");
    run_until(START + 6 * WZP_S);
    say(&alice, "after");
    run_until(START + 7 * WZP_S);
    const seen *before = at_upstream("before");
    const seen *after = at_upstream("after");
    ck_assert_uint_ne(before->output.addr.port, after->output.addr.port);
    ck_assert_uint_ne(before->output.mapping, after->output.mapping);
    ck_assert(wzp_addr_same_ip(&before->output.addr, &after->output.addr));
    answer(before->output.mapping, WZP_SIM_PROXY_UPSTREAM, "old");
    answer(after->output.mapping, WZP_SIM_PROXY_UPSTREAM, "new");
    run_until(START + 8 * WZP_S);
    ck_assert_ptr_null(find(WZP_SIM_PROXY_TO_CLIENT, "old"));
    ck_assert_ptr_nonnull(find(WZP_SIM_PROXY_TO_CLIENT, "new"));
    ck_assert_uint_eq(dropped("x.nat", WZP_SIM_DROP_NO_MAPPING), 1);
    tear_down();
}
END_TEST

static const struct filter_case {
    const char *name, *scenario;
    bool other_port, stranger; /* let in */
} filter_cases[] = {
    {"endpoint-independent", HOSTS("nat = \"fullcone\""), true, true},
    {"address-dependent", HOSTS("nat = \"addrcone\""), true, false},
    {"address- and port-dependent", HOSTS("nat = \"pf\""), false, false},
};

START_TEST(a_filter_drops_strangers) {
    const struct filter_case *c = &filter_cases[_i];
    set_up(c->scenario);
    say(&alice, "hello");
    run_until(START + WZP_S);
    const uint32_t mapping = at_upstream("hello")->output.mapping;
    answer(mapping, WZP_SIM_PROXY_UPSTREAM, "answer");
    answer(mapping, WZP_SIM_PROXY_OTHER_PORT, "other port");
    answer(mapping, WZP_SIM_PROXY_STRANGER, "stranger");
    run_until(START + 2 * WZP_S);
    ck_assert_msg(find(WZP_SIM_PROXY_TO_CLIENT, "answer") != NULL, "%s: no answer", c->name);
    ck_assert_msg((find(WZP_SIM_PROXY_TO_CLIENT, "other port") != NULL) == c->other_port,
                  "%s: another port", c->name);
    ck_assert_msg((find(WZP_SIM_PROXY_TO_CLIENT, "stranger") != NULL) == c->stranger,
                  "%s: a stranger", c->name);
    ck_assert_uint_eq(dropped("x.nat", WZP_SIM_DROP_FILTER),
                      (c->other_port ? 0U : 1U) + (c->stranger ? 0U : 1U));
    ck_assert_uint_eq(counts_now().strangers, 2);
    tear_down();
}
END_TEST

START_TEST(a_reboot_is_dark_and_forgets) {
    set_up(HOSTS("nat = \"symrand\"")
               EVENT("at = \"5 s\"\ndo = \"reboot\"\ntarget = \"x.nat\"\nfor = \"3 s\""));
    say(&alice, "before");
    run_until(START + 6 * WZP_S);
    say(&alice, "during");
    run_until(START + 9 * WZP_S);
    const uint32_t old = at_upstream("before")->output.mapping;
    answer(old, WZP_SIM_PROXY_UPSTREAM, "late");
    say(&alice, "after");
    run_until(START + 10 * WZP_S);
    ck_assert_ptr_null(find(WZP_SIM_PROXY_TO_UPSTREAM, "during"));
    ck_assert_ptr_null(find(WZP_SIM_PROXY_TO_CLIENT, "late"));
    ck_assert_uint_ne(at_upstream("after")->output.mapping, old);
    ck_assert_uint_eq(dropped("x.nat", WZP_SIM_DROP_NODE_DOWN), 1);
    tear_down();
}
END_TEST

/* --- clients, upstream ------------------------------------------------------------------------ */

START_TEST(clients_are_told_apart) {
    set_up(HOSTS("nat = \"pf\""));
    say(&alice, "a");
    say(&bob, "b");
    run_until(START + WZP_S);
    const seen *a = at_upstream("a");
    const seen *b = at_upstream("b");
    ck_assert_uint_ne(a->output.mapping, b->output.mapping);
    answer(b->output.mapping, WZP_SIM_PROXY_UPSTREAM, "to bob");
    answer(a->output.mapping, WZP_SIM_PROXY_UPSTREAM, "to alice");
    run_until(START + 2 * WZP_S);
    const seen *to_bob = find(WZP_SIM_PROXY_TO_CLIENT, "to bob");
    const seen *to_alice = find(WZP_SIM_PROXY_TO_CLIENT, "to alice");
    ck_assert(to_bob != NULL && wzp_addr_equal(&to_bob->output.addr, &bob));
    ck_assert(to_alice != NULL && wzp_addr_equal(&to_alice->output.addr, &alice));
    tear_down();
}
END_TEST

START_TEST(a_relay_that_is_down_hears_and_says_nothing) {
    set_up(HOSTS("")
               EVENT("at = \"5 s\"\ndo = \"restart-relay\"\ntarget = \"relay\"\nfor = \"2 s\""));
    say(&alice, "before");
    run_until(START + 6 * WZP_S);
    say(&alice, "during");
    answer(at_upstream("before")->output.mapping, WZP_SIM_PROXY_UPSTREAM, "during");
    run_until(START + 8 * WZP_S);
    say(&alice, "after");
    run_until(START + 9 * WZP_S);
    ck_assert_ptr_null(find(WZP_SIM_PROXY_TO_UPSTREAM, "during"));
    ck_assert_ptr_null(find(WZP_SIM_PROXY_TO_CLIENT, "during"));
    (void)at_upstream("after");
    ck_assert_uint_eq(counts_now().unheard, 2);
    tear_down();
}
END_TEST

START_TEST(who_is_idle_is_forgotten) {
    set_up(HOSTS("nat = \"pf\""));
    say(&alice, "hello");
    run_until(START + 100 * WZP_S);
    say(&bob, "hello");
    run_until(START + 140 * WZP_S);
    wzp_sim_proxy_counts c = counts_now();
    ck_assert_uint_eq(c.live_clients, 1);
    ck_assert_uint_eq(c.live_mappings, 1);
    const seen *gone = find(WZP_SIM_PROXY_GONE, "");
    ck_assert(gone != NULL && gone->output.mapping == at_upstream("hello")->output.mapping);
    answer(gone->output.mapping, WZP_SIM_PROXY_UPSTREAM, "late");
    say(&alice, "again");
    run_until(START + 141 * WZP_S);
    ck_assert_ptr_null(find(WZP_SIM_PROXY_TO_CLIENT, "late"));
    (void)at_upstream("again");
    ck_assert_uint_eq(counts_now().clients, 3);
    tear_down();
}
END_TEST

START_TEST(there_is_room_for_so_many) {
    set_up(HOSTS(""));
    for (uint16_t i = 0; i < WZP_SIM_PEERS_MAX + 3; i++) {
        wzp_addr client = alice;
        client.port = (uint16_t)(1000 + i);
        say(&client, "x");
    }
    run_until(START + WZP_S);
    const wzp_sim_proxy_counts c = counts_now();
    ck_assert_uint_eq(c.live_clients, WZP_SIM_PEERS_MAX);
    ck_assert_uint_eq(c.live_mappings, WZP_SIM_PEERS_MAX);
    ck_assert_uint_eq(c.refused, 3);
    tear_down();
}
END_TEST

START_TEST(nobody_drains) {
    set_up(HOSTS(""));
    const uint64_t many = 10000;
    for (uint64_t i = 0; i < many; i++) {
        wzp_sim_proxy_client(the.proxy, &alice, 0, wzp_bytes_str("x"), the.now);
        the.now += WZP_MS;
    }
    ck_assert_int_eq(wzp_sim_proxy_tick(the.proxy, the.now + WZP_S), WZP_OK);
    const wzp_sim_proxy_counts c = counts_now();
    ck_assert_uint_gt(c.overflow, 0);
    ck_assert_uint_eq(c.overflow + c.to_upstream, many);
    tear_down();
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, a_delay_is_added_each_way);
    tcase_add_test(tc, a_share_is_lost_and_counted);
    tcase_add_test(tc, a_cut_link_carries_nothing_until_it_is_over);
    tcase_add_test(tc, a_rebind_changes_the_upstream_facing_port);
    tcase_add_loop_test(tc, a_filter_drops_strangers, 0, (int)WZP_COUNT_OF(filter_cases));
    tcase_add_test(tc, a_reboot_is_dark_and_forgets);
    tcase_add_test(tc, clients_are_told_apart);
    tcase_add_test(tc, a_relay_that_is_down_hears_and_says_nothing);
    tcase_add_test(tc, who_is_idle_is_forgotten);
    tcase_add_test(tc, there_is_room_for_so_many);
    tcase_add_test(tc, nobody_drains);
    return wzp_run_suite("proxy", tc);
}
