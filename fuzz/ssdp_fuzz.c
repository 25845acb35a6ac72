/* Searches as text: views stay inside of the datagram, and each answer fits and answers. */
#include "require.h"
#include "sim/gateway/http.h"
#include "sim/gateway/upnp.h"

static void answer(const wzp_sim_upnp_cfg *cfg, const wzp_sim_ssdp_search *search) {
    const wzp_sim_upnp upnp = {.cfg = cfg, .http = {WZP_ADDR_V4, 5000, {192, 168, 1, 1}}};
    uint8_t buf[WZP_SIM_SSDP_ANSWER_MAX];
    wzp_bytes value;
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    for (size_t i = 0; wzp_sim_ssdp_answer(&upnp, search, i, &wr); i++) {
        require(i < 9 && wzp_wr_end(&wr) == WZP_OK);
        require(wzp_sim_http_header(wzp_bytes_of(buf, wzp_wr_len(&wr)), "LOCATION", &value));
        wzp_wr_init(&wr, buf, sizeof buf);
    }
    wzp_sim_tv_answer(&upnp.http, search, &wr);
    require(wzp_wr_end(&wr) == WZP_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const wzp_sim_upnp_cfg versions[2] = {{.version = 1}, {.version = 2}};
    wzp_sim_ssdp_search search;
    wzp_fail fail;
    if (wzp_sim_ssdp_parse(&search, wzp_bytes_of(data, size), &fail) != WZP_OK) {
        require(fail.field != NULL);
        return 0;
    }
    require(search.target.data >= data && search.target.data + search.target.len <= data + size);
    require(search.target.len > 0 && search.mx_s <= WZP_SIM_UPNP_MX_MAX);
    answer(&versions[0], &search);
    answer(&versions[1], &search);
    return 0;
}
