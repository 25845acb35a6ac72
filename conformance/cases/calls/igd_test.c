/* The gateway before questions that are put one by one, and in pieces. */
#include "conformance/cases/calls/igd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing/suite.h"
#include "conformance/cases/calls/igd_text.h"
#include "sim/gateway/xml.h"

enum { OWN = 40000, OTHER = 41000 };

static const wzp_ct_igd_cfg plain = {.ip = {203, 0, 113, 1}};
static const wzp_ct_igd_cfg permanent = {.ip = {203, 0, 113, 1}, .only_permanent = true};
static const wzp_ct_igd_cfg taken = {.ip = {203, 0, 113, 1}, .first_is_taken = true};
static const wzp_ct_igd_cfg beside = {.ip = {203, 0, 113, 1}, .has_printer = true};

static wzp_ct_igd made(const wzp_ct_igd_cfg *cfg) {
    return (wzp_ct_igd){
        .cfg = cfg,
        .places = {wzp_addr_v4(127, 1, 2, 7, 8001), wzp_addr_v4(127, 1, 2, 5, 8002)},
        .own_port = OWN};
}

static uint8_t said[WZP_CT_WEB_SAID_MAX];

static wzp_bytes ask(wzp_ct_igd *igd, size_t place, const char *text) {
    return wzp_bytes_of(said, wzp_ct_igd_asked(igd, place, wzp_bytes_str(text), said, sizeof said));
}

/* A whole order; `arguments` are the inside of the action's element. */
static wzp_bytes order(wzp_ct_igd *igd, const char *action, const char *arguments) {
    char body[1024];
    char text[2048];
    const int len = snprintf(body, sizeof body,
                             "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"x\"><s:Body><u:%s "
                             "xmlns:u=\"" WZP_CT_IGD_SERVICE "\">%s</u:%s></s:Body></s:Envelope>",
                             action, arguments, action);
    (void)snprintf(text, sizeof text,
                   "POST " WZP_CT_IGD_CONTROL " HTTP/1.1\r\nHost: 127.1.2.7:8001\r\n"
                   "Content-Length: %d\r\n\r\n%s",
                   len, body);
    return ask(igd, 0, text);
}

static wzp_bytes map(wzp_ct_igd *igd, unsigned external, unsigned internal, const char *protocol,
                     unsigned lease_s) {
    char text[512];
    (void)snprintf(text, sizeof text,
                   "<NewRemoteHost></NewRemoteHost><NewExternalPort>%u</NewExternalPort>"
                   "<NewProtocol>%s</NewProtocol><NewInternalPort> %u </NewInternalPort>"
                   "<NewInternalClient>127.0.0.1</NewInternalClient><NewEnabled>1</NewEnabled>"
                   "<NewLeaseDuration>%u</NewLeaseDuration>",
                   external, protocol, internal, lease_s);
    return order(igd, "AddPortMapping", text);
}

static void expect_fault(wzp_bytes response, const char *code) {
    wzp_bytes text;
    if (*code == '\0') {
        ck_assert(!wzp_sim_xml_text(response, "errorCode", &text));
        ck_assert_int_eq(memcmp(response.data, "HTTP/1.1 200 ", 13), 0);
        return;
    }
    ck_assert(wzp_sim_xml_text(response, "errorCode", &text));
    ck_assert(wzp_bytes_equal(text, wzp_bytes_str(code)));
    ck_assert_int_eq(memcmp(response.data, "HTTP/1.1 500 ", 13), 0);
}

START_TEST(a_port) {
    wzp_ct_igd igd = made(&plain);
    expect_fault(map(&igd, OWN, OWN, "UDP", 7200), "");
    ck_assert(wzp_ct_igd_has_granted(&igd, OWN));
    expect_fault(map(&igd, OWN, OWN, "UDP", 7200), ""); /* once more */
    ck_assert_uint_eq(igd.adds, 2);
    expect_fault(order(&igd, "DeletePortMapping",
                       "<NewRemoteHost/><NewExternalPort>40000</NewExternalPort>"
                       "<NewProtocol>UDP</NewProtocol>"),
                 "");
    ck_assert(!wzp_ct_igd_has_granted(&igd, OWN));
    ck_assert_uint_eq(igd.removes, 1);
    expect_fault(order(&igd, "DeletePortMapping",
                       "<NewExternalPort>40000</NewExternalPort><NewProtocol>UDP</NewProtocol>"),
                 "714");
}
END_TEST

/* They are granted, and lead nowhere that we look at. */
START_TEST(ports_of_others) {
    wzp_ct_igd igd = made(&taken);
    expect_fault(map(&igd, OTHER, OTHER, "UDP", 7200), "");
    expect_fault(map(&igd, OWN, OWN, "TCP", 7200), "");
    ck_assert(!wzp_ct_igd_has_granted(&igd, OTHER));
    ck_assert(!wzp_ct_igd_has_granted(&igd, OWN));
    ck_assert(!wzp_ct_igd_has_granted(&igd, 0));
    ck_assert_uint_eq(igd.taken, 0);
}
END_TEST

START_TEST(only_permanent) {
    wzp_ct_igd igd = made(&permanent);
    expect_fault(map(&igd, OWN, OWN, "UDP", 7200), "725");
    ck_assert(!wzp_ct_igd_has_granted(&igd, OWN));
    expect_fault(map(&igd, OWN, OWN, "UDP", 0), "");
    ck_assert(wzp_ct_igd_has_granted(&igd, OWN));
    ck_assert_uint_eq(igd.permanent, 1);
}
END_TEST

START_TEST(taken_port) {
    wzp_ct_igd igd = made(&taken);
    expect_fault(map(&igd, OWN, OWN, "UDP", 7200), "718");
    expect_fault(map(&igd, OWN, OWN, "UDP", 7200), "718");
    expect_fault(order(&igd, "DeletePortMapping",
                       "<NewExternalPort>40000</NewExternalPort><NewProtocol>UDP</NewProtocol>"),
                 "606");
    expect_fault(map(&igd, OTHER, OWN, "UDP", 7200), "");
    ck_assert(wzp_ct_igd_has_granted(&igd, OTHER));
    ck_assert(!wzp_ct_igd_has_granted(&igd, OWN));
}
END_TEST

static const struct fault_case {
    const char *action, *arguments, *fault;
} fault_cases[] = {
    {"GetExternalIPAddress", "", ""},
    {"GetStatusInfo", "", ""},
    {"GetGenericPortMappingEntry", "<NewPortMappingIndex>0</NewPortMappingIndex>", "713"},
    {"GetSpecificPortMappingEntry",
     "<NewExternalPort>40000</NewExternalPort><NewProtocol>UDP</NewProtocol>", "714"},
    {"AddAnyPortMapping", "", "401"},
    {"AddPortMapping", "", "402"},
    {"AddPortMapping", "<NewExternalPort>70000</NewExternalPort>", "402"},
    {"AddPortMapping", "<NewExternalPort>-1</NewExternalPort>", "402"},
    {"DeletePortMapping", "<NewExternalPort>1</NewExternalPort>", "402"},
};

START_TEST(faults) {
    const struct fault_case *c = &fault_cases[_i];
    wzp_ct_igd igd = made(&plain);
    expect_fault(order(&igd, c->action, c->arguments), c->fault);
    ck_assert_uint_eq(igd.orders, 1);
}
END_TEST

static const struct page_case {
    const char *request, *begins;
    size_t place;
} page_cases[] = {
    {"GET /igd.xml HTTP/1.1\r\n\r\n", "HTTP/1.1 200 ", 0},
    {"GET /wanip.xml HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", 0},
    {"GET /printer.xml HTTP/1.1\r\n\r\n", "HTTP/1.1 200 ", 1},
    {"GET /printer.xml HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", 0},
    {"GET /igd.xml HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", 1},
    {"POST /wanip HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 404 ", 1},
    {"POST /wanip HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 500 ", 0},
    {"SUBSCRIBE /events HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", 0},
    {"POST /wanip HTTP/1.1\r\nContent-Length: 999999\r\n\r\n", "HTTP/1.1 400 ", 0},
    {"nonsense\r\n\r\n", "HTTP/1.1 400 ", 0},
};

START_TEST(pages) {
    const struct page_case *c = &page_cases[_i];
    wzp_ct_igd igd = made(&plain);
    const wzp_bytes response = ask(&igd, c->place, c->request);
    ck_assert_uint_gt(response.len, strlen(c->begins));
    ck_assert_msg(memcmp(response.data, c->begins, strlen(c->begins)) == 0, "%s: %.20s", c->request,
                  (const char *)response.data);
}
END_TEST

START_TEST(questions_in_pieces) {
    static const char text[] = "GET /igd.xml HTTP/1.1\r\nHost: x\r\n\r\n";
    wzp_ct_igd igd = made(&plain);
    for (size_t len = 0; len < sizeof text - 1; len++) {
        uint8_t *copy = malloc(len + 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, len);
        ck_assert_uint_eq(wzp_ct_igd_asked(&igd, 0, wzp_bytes_of(copy, len), said, sizeof said), 0);
        free(copy);
    }
    ck_assert_uint_gt(ask(&igd, 0, text).len, 0);
    ck_assert_uint_eq(igd.questions, 1);
}
END_TEST

/* --- searches --------------------------------------------------------------------------------- */

#define SEARCH(st)                                                                                 \
    "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\n"     \
    "ST: " st "\r\n\r\n"

static const struct find_case {
    const char *name, *search;
    const wzp_ct_igd_cfg *cfg;
    size_t answers, first;
} find_cases[] = {
    {"the gateway", SEARCH(WZP_CT_IGD_TYPE), &plain, 1, 0},
    {"everything", SEARCH("ssdp:all"), &plain, 2, 0},
    {"a printer comes first", SEARCH("upnp:rootdevice"), &beside, 2, 1},
    {"what it does not have", SEARCH("urn:schemas-upnp-org:service:WANPPPConnection:1"), &plain, 0,
     0},
    {"somebody else", SEARCH("urn:schemas-upnp-org:device:MediaRenderer:1"), &plain, 0, 0},
    {"no search", "NOTIFY * HTTP/1.1\r\n\r\n", &plain, 0, 0},
    /* Its form is another case's matter. */
    {"not well formed", "M-SEARCH * HTTP/1.1\r\nST: " WZP_CT_IGD_TYPE "\r\n\r\n", &plain, 1, 0},
};

START_TEST(finds) {
    const struct find_case *c = &find_cases[_i];
    const wzp_addr from = wzp_addr_v4(127, 0, 0, 1, 50000);
    wzp_ct_igd igd = made(c->cfg);
    wzp_ct_web_answer out;
    size_t count = 0;
    wzp_ct_igd_heard(&igd, &from, wzp_bytes_str(c->search), WZP_S);
    ck_assert(!wzp_ct_igd_next(&igd, WZP_S, &out)); /* not at once */
    ck_assert(c->answers == 0 ? wzp_ct_igd_deadline(&igd) == WZP_TIME_NEVER
                              : wzp_ct_igd_deadline(&igd) > WZP_S);
    while (wzp_ct_igd_next(&igd, 2 * WZP_S, &out)) {
        ck_assert_msg(count > 0 || out.place == c->first, "%s: %zu", c->name, out.place);
        ck_assert(wzp_addr_equal(&out.to, &from));
        ck_assert_uint_gt(out.len, 0);
        count++;
    }
    ck_assert_msg(count == c->answers, "%s: %zu answers", c->name, count);
}
END_TEST

/* Who searches without end gets no more than there is room for. */
START_TEST(many_searches) {
    const wzp_addr from = wzp_addr_v4(127, 0, 0, 1, 50000);
    wzp_ct_igd igd = made(&plain);
    wzp_ct_web_answer out;
    size_t count = 0;
    for (size_t i = 0; i < 1000; i++) {
        wzp_ct_igd_heard(&igd, &from, wzp_bytes_str(SEARCH("ssdp:all")), 0);
    }
    while (wzp_ct_igd_next(&igd, WZP_S, &out)) {
        count++;
    }
    ck_assert_uint_eq(count, WZP_CT_IGD_ANSWERS);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("igd");
    tcase_add_test(tc, a_port);
    tcase_add_test(tc, ports_of_others);
    tcase_add_test(tc, only_permanent);
    tcase_add_test(tc, taken_port);
    tcase_add_loop_test(tc, faults, 0, WZP_COUNT_OF(fault_cases));
    tcase_add_loop_test(tc, pages, 0, WZP_COUNT_OF(page_cases));
    tcase_add_test(tc, questions_in_pieces);
    tcase_add_loop_test(tc, finds, 0, WZP_COUNT_OF(find_cases));
    tcase_add_test(tc, many_searches);
    return wzp_run_suite("ct_cases_calls.igd", tc);
}
