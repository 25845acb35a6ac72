/* HTTP requests to a gateway, SOAP orders among them: each gets one response that fits, and the
 * NAT forwards what the leases say and nothing else.  The first byte chooses the gateway's ways. */
#include "require.h"
#include "sim/gateway/http.h"
#include "sim/gateway/upnp.h"

static const wzp_time now = 100 * WZP_S;

static void check_leases(const wzp_sim_leases *leases, wzp_sim_nat *nat) {
    wzp_sim_nat_counts counts;
    size_t forwarded = 0;
    for (size_t i = 0; i < wzp_sim_leases_count(leases); i++) {
        const wzp_sim_lease *lease = wzp_sim_leases_at(leases, i);
        const wzp_sim_nat_explicit *mapping =
            wzp_sim_nat_find_external(nat, lease->proto, &lease->external, now);
        require((mapping == NULL) == lease->disabled);
        require(mapping == NULL || wzp_addr_equal(&mapping->internal, &lease->internal));
        require(memchr(lease->text, '\0', sizeof lease->text) != NULL);
        forwarded += mapping != NULL;
    }
    wzp_sim_nat_count(nat, &counts);
    require(counts.explicits == forwarded);
}

static void run(wzp_sim_leases *leases, uint8_t ways, wzp_bytes text) {
    static const wzp_addr from = {WZP_ADDR_V4, 50123, {192, 168, 1, 10}};
    static const char begin[] = "HTTP/1.1 ";
    const wzp_sim_upnp_cfg cfg = {.version = (ways & 1U) != 0 ? 2 : 1,
                                  .chunked = (ways & 2U) != 0,
                                  .any_client = (ways & 4U) != 0};
    const wzp_sim_upnp upnp = {
        .cfg = &cfg, .leases = leases, .http = {WZP_ADDR_V4, 5000, {192, 168, 1, 1}}};
    uint8_t buf[WZP_SIM_UPNP_HTTP_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_http(&upnp, &from, text, now, &wr);
    require(wzp_wr_end(&wr) == WZP_OK);
    require(memcmp(buf, begin, sizeof begin - 1) == 0);
}

/* Requests follow each other as on a connection. */
static void run_all(wzp_sim_leases *leases, wzp_sim_nat *nat, uint8_t ways, wzp_bytes text) {
    wzp_sim_http_request request;
    wzp_fail fail = {0};
    while (wzp_sim_http_parse(&request, text, &fail) == WZP_OK) {
        require(request.len > 0 && request.len <= text.len);
        run(leases, ways, wzp_bytes_of(text.data, request.len));
        check_leases(leases, nat);
        text = wzp_bytes_of(text.data + request.len, text.len - request.len);
    }
    require(fail.field != NULL && fail.offset <= text.len);
    run(leases, ways, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const wzp_sim_leases_cfg cfg = {.capacity = 16};
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 9, 0);
    wzp_sim_nat_cfg nat_cfg;
    wzp_sim_nat *nat = NULL;
    wzp_sim_leases *leases = NULL;
    if (size == 0) {
        return 0;
    }
    require(wzp_sim_nat_preset("symrand", &nat_cfg));
    require(wzp_sim_nat_new(&nat, &nat_cfg, &external, 1, 1, "nat", now, NULL) == WZP_OK);
    require(wzp_sim_leases_new(&leases, &cfg, nat, 1, "gateway") == WZP_OK);
    run_all(leases, nat, data[0], wzp_bytes_of(data + 1, size - 1));
    wzp_sim_leases_free(&leases);
    wzp_sim_nat_free(&nat);
    return 0;
}
