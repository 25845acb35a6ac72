/* The pages for operators, against a relay with real guests (relay sheet 11.2). */
#include <jansson.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "bin/relay/relay_admin.h"
#include "relay/testing/stage.h"

static char page[1 << 20];
static wzp_wr wr;

static void begin(void) {
    wzp_wr_init(&wr, (uint8_t *)page, sizeof page - 1);
}

static json_t *parsed(wzp_err err) {
    json_error_t why;
    ck_assert_int_eq(err, WZP_OK);
    page[wzp_wr_len(&wr)] = '\0';
    json_t *tree = json_loads(page, JSON_REJECT_DUPLICATES, &why);
    ck_assert_msg(tree != NULL, "%s in %s", why.text, page);
    return tree;
}

static const char *text(const json_t *tree, const char *key) {
    return json_string_value(json_object_get(tree, key));
}

static void visit(void *ctx, bool (*seen)(void *seen_ctx, const char *fp), void *seen_ctx) {
    wzp_relay_visit_clients(ctx, seen, seen_ctx);
}

static bool has(void *ctx, const char *fingerprint) {
    return wzp_relay_has_client(ctx, fingerprint);
}

static void gossip(void *ctx, bool (*seen)(void *seen_ctx, const wzp_addr *relay, const char *fp),
                   void *seen_ctx) {
    wzp_relay_visit_gossip(ctx, seen, seen_ctx);
}

static const wzp_admin_source *source(const stage *st) {
    static wzp_admin_source s;
    s = (wzp_admin_source){st->relay, visit, has, gossip};
    return &s;
}

static json_t *presence(const stage *st) {
    begin();
    return parsed(wzp_admin_presence(source(st), &wr));
}

static json_t *presence_of(const stage *st, const char *fp) {
    begin();
    return parsed(wzp_admin_presence_of(source(st), fp, &wr));
}

static bool lists(const json_t *list, const char *fp) {
    size_t i;
    const json_t *entry;
    json_array_foreach(list, i, entry) {
        if (strcmp(text(entry, "fingerprint"), fp) == 0) {
            ck_assert_str_eq(text(entry, "location"), "Local");
            return true;
        }
    }
    return false;
}

START_TEST(nobody) {
    stage *st = stage_new(NULL);
    json_t *list = presence(st);
    ck_assert_str_eq(page, "[]\n");
    json_decref(list);
    stage_free(&st);
}
END_TEST

START_TEST(presence_lists_rooms_and_signal) {
    stage *st = stage_new(NULL);
    const guest *a = stage_member(st, "room");
    const guest *b = stage_registered(st, "bob");
    const guest *waiting = stage_guest(st, "room"); /* has said nothing yet: nobody knows it */
    guest *again = stage_guest_again(st, b, "room");
    guest_offer(again, NULL);
    stage_run(st, 200);
    json_t *list = presence(st);
    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert(lists(list, a->identity.fingerprint) && lists(list, b->identity.fingerprint));
    ck_assert(!lists(list, waiting->identity.fingerprint));
    ck_assert_int_lt(strcmp(text(json_array_get(list, 0), "fingerprint"),
                            text(json_array_get(list, 1), "fingerprint")),
                     0);
    ck_assert_ptr_nonnull(strstr(page, "\n  {\n    \"fingerprint\": \""));
    json_decref(list);
    stage_free(&st);
}
END_TEST

START_TEST(presence_forgets_who_left) {
    stage *st = stage_new(NULL);
    guest *a = stage_member(st, "room");
    guest_leave(a);
    stage_run(st, 200);
    json_t *list = presence(st);
    ck_assert_uint_eq(json_array_size(list), 0);
    json_decref(list);
    stage_free(&st);
}
END_TEST

START_TEST(presence_of_one) {
    stage *st = stage_new(NULL);
    const guest *member = stage_member(st, "room");
    const guest *registered = stage_registered(st, NULL);
    const char *here[] = {member->identity.fingerprint, registered->identity.fingerprint};
    for (size_t i = 0; i < WZP_COUNT_OF(here); i++) {
        json_t *found = presence_of(st, here[i]);
        ck_assert_str_eq(text(found, "fingerprint"), here[i]);
        ck_assert_str_eq(text(found, "location"), "Local");
        json_decref(found);
    }
    json_t *unknown = presence_of(st, "nobody");
    ck_assert_str_eq(page, "{\"fingerprint\":\"nobody\",\"location\":null}\n");
    json_decref(unknown);
    stage_free(&st);
}
END_TEST

START_TEST(route) {
    const wzp_addr listen = wzp_addr_v4(192, 0, 2, 1, 4433);
    stage *st = stage_new(NULL);
    const guest *a = stage_member(st, "room");
    begin();
    json_t *found = parsed(wzp_admin_route(source(st), a->identity.fingerprint, &listen, &wr));
    ck_assert_str_eq(text(found, "route"), "local");
    ck_assert_str_eq(text(found, "fingerprint"), a->identity.fingerprint);
    const json_t *chain = json_object_get(found, "relay_chain");
    ck_assert_uint_eq(json_array_size(chain), 1);
    ck_assert_str_eq(json_string_value(json_array_get(chain, 0)), "192.0.2.1:4433");
    json_decref(found);
    begin();
    json_t *unknown = parsed(wzp_admin_route(source(st), "\"}\\", &listen, &wr));
    ck_assert_str_eq(text(unknown, "route"), "not_found");
    ck_assert_str_eq(text(unknown, "fingerprint"), "\"}\\");
    ck_assert_uint_eq(json_array_size(json_object_get(unknown, "relay_chain")), 0);
    json_decref(unknown);
    stage_free(&st);
}
END_TEST

START_TEST(remote) {
    const wzp_addr listen = wzp_addr_v4(192, 0, 2, 1, 4433);
    stage *st = stage_new(NULL);
    begin();
    json_t *peers = parsed(wzp_admin_peers(source(st), &wr));
    ck_assert(json_is_array(peers) && json_array_size(peers) == 0);
    json_decref(peers);
    guest *prober = stage_guest(st, "_probe");
    guest_say(prober, "{\"PresenceUpdate\":{\"version\":1,\"fingerprints\":[\"aabb\"],"
                      "\"relay_addr\":\"10.0.1.0:4433\"}}");
    stage_run(st, 200);
    begin();
    peers = parsed(wzp_admin_peers(source(st), &wr));
    ck_assert_str_eq(text(json_array_get(peers, 0), "addr"), "10.0.1.0:4433");
    ck_assert_uint_eq(json_array_size(json_object_get(json_array_get(peers, 0), "fingerprints")),
                      1);
    json_decref(peers);
    begin();
    json_t *route_there = parsed(wzp_admin_route(source(st), "aabb", &listen, &wr));
    ck_assert_str_eq(text(route_there, "route"), "direct_peer");
    ck_assert_uint_eq(json_array_size(json_object_get(route_there, "relay_chain")), 2);
    json_decref(route_there);
    json_t *one = presence_of(st, "aabb");
    ck_assert_str_eq(text(json_object_get(one, "location"), "Remote"), "10.0.1.0:4433");
    json_decref(one);
    json_t *all = presence(st);
    ck_assert_uint_eq(json_array_size(all), 1);
    json_decref(all);
    stage_free(&st);
}
END_TEST

START_TEST(a_page_that_is_too_small_is_an_error) {
    stage *st = stage_new(NULL);
    (void)stage_member(st, "room");
    wzp_wr_init(&wr, (uint8_t *)page, 40);
    ck_assert_int_eq(wzp_admin_presence(source(st), &wr), WZP_ERR_OVERFLOW);
    stage_free(&st);
}
END_TEST

START_TEST(ending) {
    stage *st = stage_new(NULL);
    ck_assert(!wzp_relay_is_ending(st->relay));
    wzp_relay_drain(st->relay, st->net.now);
    ck_assert(wzp_relay_is_ending(st->relay));
    stage_free(&st);
    st = stage_new(NULL);
    wzp_relay_shutdown(st->relay, st->net.now);
    ck_assert(wzp_relay_is_ending(st->relay));
    stage_free(&st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, nobody);
    tcase_add_test(tc, presence_lists_rooms_and_signal);
    tcase_add_test(tc, presence_forgets_who_left);
    tcase_add_test(tc, presence_of_one);
    tcase_add_test(tc, route);
    tcase_add_test(tc, remote);
    tcase_add_test(tc, a_page_that_is_too_small_is_an_error);
    tcase_add_test(tc, ending);
    return wzp_run_suite("relay admin", tc);
}
