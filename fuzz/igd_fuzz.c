/* What a client says to the gateway that the conformance suite is: searches and questions.  Every
 * answer fits, and no port is granted but what leads to the client.  The first byte chooses the
 * gateway's ways. */
#include "conformance/cases/calls/igd.h"
#include "require.h"

enum { OWN = 40000 };

static void search(wzp_ct_igd *igd, wzp_bytes text) {
    const wzp_addr from = wzp_addr_v4(127, 0, 0, 1, 50000);
    wzp_ct_web_answer out;
    wzp_ct_igd_heard(igd, &from, text, WZP_S);
    while (wzp_ct_igd_next(igd, 2 * WZP_S, &out)) {
        require(out.len > 0 && out.len <= sizeof out.bytes && out.place < WZP_CT_WEB_PLACES);
    }
    require(wzp_ct_igd_deadline(igd) == WZP_TIME_NEVER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t said[WZP_CT_WEB_SAID_MAX];
    if (size == 0) {
        return 0;
    }
    const wzp_bytes text = wzp_bytes_of(data + 1, size - 1);
    const wzp_ct_igd_cfg cfg = {.ip = {203, 0, 113, 1},
                                .has_printer = (data[0] & 1U) != 0,
                                .only_permanent = (data[0] & 2U) != 0,
                                .first_is_taken = (data[0] & 4U) != 0};
    wzp_ct_igd igd = {.cfg = &cfg,
                      .places = {wzp_addr_v4(127, 1, 2, 7, 8001), wzp_addr_v4(127, 1, 2, 5, 8002)},
                      .own_port = OWN};
    search(&igd, text);
    for (size_t i = 0; i < 2; i++) { /* a port that is asked for twice is granted once */
        require(wzp_ct_igd_asked(&igd, (data[0] >> 3) & 1U, text, said, sizeof said) <=
                sizeof said);
    }
    size_t granted = 0;
    for (size_t i = 0; i < WZP_CT_IGD_GRANTS; i++) {
        granted += igd.grants[i] != 0 ? 1 : 0;
    }
    require(granted <= 1 && (granted == 0 || igd.adds > 0));
    return 0;
}
