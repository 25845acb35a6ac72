#include "conformance/cases/calls/ssdp.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing/suite.h"

#define SEARCH(host, man, mx, st) "M-SEARCH * HTTP/1.1\r\n" host man mx "ST: " st "\r\n\r\n"
#define HOST "HOST: 239.255.255.250:1900\r\n"
#define MAN "MAN: \"ssdp:discover\"\r\n"
#define MX "MX: 2\r\n"
#define IGD "urn:schemas-upnp-org:device:InternetGatewayDevice:1"

static const struct search_case {
    const char *name, *text;
    wzp_ct_search_kind kind;
    bool is_good;
} search_cases[] = {
    {"as the sheet has it", SEARCH(HOST, MAN, MX, IGD), WZP_CT_SEARCH_GATEWAY, true},
    {"for everything", SEARCH(HOST, MAN, MX, "ssdp:all"), WZP_CT_SEARCH_GATEWAY, true},
    {"for root devices", SEARCH(HOST, MAN, MX, "upnp:rootdevice"), WZP_CT_SEARCH_GATEWAY, true},
    {"for a service of the second version",
     SEARCH(HOST, MAN, MX, "urn:schemas-upnp-org:service:WANIPConnection:2"), WZP_CT_SEARCH_GATEWAY,
     true},
    {"names in small letters, no blanks",
     "M-SEARCH * HTTP/1.1\r\nhost:239.255.255.250:1900\r\nst:" IGD
     "\r\nman:\"ssdp:discover\"\r\nmx:3\r\n\r\n",
     WZP_CT_SEARCH_GATEWAY, true},
    {"more than it needs", SEARCH(HOST, MAN, MX, IGD "\r\nUSER-AGENT: Linux/6 UPnP/1.1 client/1"),
     WZP_CT_SEARCH_GATEWAY, true},
    {"a host without a port", SEARCH("HOST: 239.255.255.250\r\n", MAN, MX, IGD),
     WZP_CT_SEARCH_GATEWAY, true},
    {"another host", SEARCH("HOST: 192.168.1.1:1900\r\n", MAN, MX, IGD), WZP_CT_SEARCH_GATEWAY,
     false},
    {"no host", SEARCH("", MAN, MX, IGD), WZP_CT_SEARCH_GATEWAY, false},
    {"MAN without quotation marks", SEARCH(HOST, "MAN: ssdp:discover\r\n", MX, IGD),
     WZP_CT_SEARCH_GATEWAY, false},
    {"no MAN", SEARCH(HOST, "", MX, IGD), WZP_CT_SEARCH_GATEWAY, false},
    {"no MX", SEARCH(HOST, MAN, "", IGD), WZP_CT_SEARCH_GATEWAY, false},
    {"MX 0", SEARCH(HOST, MAN, "MX: 0\r\n", IGD), WZP_CT_SEARCH_GATEWAY, false},
    {"MX is no number", SEARCH(HOST, MAN, "MX: soon\r\n", IGD), WZP_CT_SEARCH_GATEWAY, false},
    {"no ST", "M-SEARCH * HTTP/1.1\r\n" HOST MAN MX "\r\n", WZP_CT_SEARCH_GATEWAY, false},
    {"no empty line", "M-SEARCH * HTTP/1.1\r\n" HOST MAN MX "ST: " IGD "\r\n",
     WZP_CT_SEARCH_GATEWAY, false},
    {"LF alone",
     "M-SEARCH * HTTP/1.1\nHOST: 239.255.255.250:1900\nMAN: \"ssdp:discover\"\nMX: 2\n"
     "ST: " IGD "\n\n",
     WZP_CT_SEARCH_GATEWAY, false},
    {"another version", "M-SEARCH * HTTP/1.0\r\n" HOST MAN MX "ST: " IGD "\r\n\r\n",
     WZP_CT_SEARCH_GATEWAY, false},
    {"for a television", SEARCH(HOST, MAN, MX, "urn:schemas-upnp-org:device:MediaRenderer:1"),
     WZP_CT_SEARCH_OTHER, true},
    {"an announcement", "NOTIFY * HTTP/1.1\r\n" HOST "NTS: ssdp:alive\r\n\r\n", WZP_CT_SEARCH_NONE,
     true},
    {"nothing", "", WZP_CT_SEARCH_NONE, true},
};

START_TEST(searches) {
    const struct search_case *c = &search_cases[_i];
    const wzp_ct_search got = wzp_ct_search_read(wzp_bytes_str(c->text));
    ck_assert_msg(got.kind == c->kind, "%s: kind %d", c->name, (int)got.kind);
    ck_assert_msg((got.objection == NULL) == c->is_good, "%s: %s", c->name,
                  got.objection != NULL ? got.objection : "no objection");
}
END_TEST

/* The 137 bytes of the sheet, by their hash. */
START_TEST(the_bytes_of_the_sheet) {
    static const char want[] = "80b4c3eae25968548b228022295ef9b60447dad39de2b38b66c24378f1061fb2";
    const wzp_bytes text = wzp_bytes_str(SEARCH(HOST, MAN, MX, IGD));
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[sizeof want];
    crypto_hash_sha256(hash, text.data, text.len);
    ck_assert_str_eq(sodium_bin2hex(hex, sizeof hex, hash, sizeof hash), want);
    ck_assert_uint_eq(text.len, 137);
    ck_assert_ptr_null(wzp_ct_search_read(text).objection);
}
END_TEST

START_TEST(no_prefix_is_good) {
    const wzp_bytes whole = wzp_bytes_str(SEARCH(HOST, MAN, MX, IGD));
    for (size_t len = 0; len < whole.len; len++) {
        uint8_t *copy = malloc(len + 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, whole.data, len);
        const wzp_ct_search got = wzp_ct_search_read(wzp_bytes_of(copy, len));
        ck_assert(got.kind == WZP_CT_SEARCH_NONE || got.objection != NULL);
        free(copy);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("ssdp");
    tcase_add_loop_test(tc, searches, 0, WZP_COUNT_OF(search_cases));
    tcase_add_test(tc, the_bytes_of_the_sheet);
    tcase_add_test(tc, no_prefix_is_good);
    return wzp_run_suite("ct_cases_calls.ssdp", tc);
}
