#include "nat/natpmp.h"
#include "sim/gateway/serve.h"

/* Lifetime 0 ends the mapping of an inside port, or with port 0 all of this host and protocol. */
static void end_leases(const wzp_sim_service *service, const wzp_addr *internal, uint8_t proto) {
    wzp_sim_leases *leases = service->leases;
    for (size_t i = wzp_sim_leases_count(leases); i-- > 0;) {
        const wzp_sim_lease *lease = wzp_sim_leases_at(leases, i);
        if (lease->by == WZP_SIM_LEASE_PMP && lease->proto == proto &&
            wzp_addr_same_ip(&lease->internal, internal) &&
            (internal->port == 0 || internal->port == lease->internal.port)) {
            wzp_sim_leases_drop(leases, i);
        }
    }
}

static wzp_natpmp_result result_of(wzp_sim_lease_result result) {
    switch (result) {
    case WZP_SIM_LEASE_GRANTED:
        return WZP_NATPMP_SUCCESS;
    case WZP_SIM_LEASE_NO_ADDRESS:
        return WZP_NATPMP_NETWORK_FAILURE;
    case WZP_SIM_LEASE_TAKEN:
    case WZP_SIM_LEASE_QUOTA:
    case WZP_SIM_LEASE_EXHAUSTED:
        break;
    }
    return WZP_NATPMP_OUT_OF_RESOURCES;
}

/* A PCP mapping belongs to whoever knows its nonce; NAT-PMP has none to show. */
static bool is_guarded(const wzp_sim_service *service, const wzp_addr *internal, uint8_t proto) {
    const size_t i = wzp_sim_leases_by_internal(service->leases, proto, internal);
    return i < wzp_sim_leases_count(service->leases) &&
           wzp_sim_leases_at(service->leases, i)->by == WZP_SIM_LEASE_PCP;
}

static void map(const wzp_sim_service *service, const wzp_addr *from,
                const wzp_natpmp_request *request, wzp_time now, wzp_wr *out) {
    const uint8_t proto = request->op == WZP_NATPMP_MAP_UDP ? 17 : 6;
    wzp_addr internal = *from;
    const wzp_sim_lease *lease = NULL;
    internal.port = request->internal;
    if (is_guarded(service, &internal, proto) ||
        (request->internal == 0 && request->lifetime_s != 0)) {
        wzp_natpmp_write_map(out, request, WZP_NATPMP_REFUSED, service->epoch_s, 0, 0);
        return;
    }
    if (request->lifetime_s == 0) {
        end_leases(service, &internal, proto);
        wzp_natpmp_write_map(out, request, WZP_NATPMP_SUCCESS, service->epoch_s, 0, 0);
        return;
    }
    const wzp_sim_lease_ask ask = {.by = WZP_SIM_LEASE_PMP,
                                   .proto = proto,
                                   .internal = internal,
                                   .external = request->external,
                                   .lifetime_s = request->lifetime_s,
                                   .text = wzp_bytes_str("NAT-PMP")};
    const wzp_sim_lease_result result = wzp_sim_leases_grant(service->leases, &ask, now, &lease);
    if (result == WZP_SIM_LEASE_GRANTED) {
        wzp_natpmp_write_map(out, request, WZP_NATPMP_SUCCESS, service->epoch_s,
                             lease->external.port, wzp_sim_lease_left_s(lease, now));
    } else {
        wzp_natpmp_write_map(out, request, result_of(result), service->epoch_s, 0, 0);
    }
}

static void tell_address(const wzp_sim_service *service, const wzp_addr *from, wzp_wr *out) {
    const wzp_addr external = wzp_sim_leases_address(service->leases, from);
    wzp_natpmp_write_address(
        out, external.family == WZP_ADDR_V4 ? WZP_NATPMP_SUCCESS : WZP_NATPMP_NETWORK_FAILURE,
        service->epoch_s, &external);
}

static void refuse(const wzp_sim_service *service, const wzp_natpmp_request *request, wzp_wr *out) {
    const wzp_natpmp_result code = (wzp_natpmp_result)service->refuse;
    if (request->op == WZP_NATPMP_ADDRESS) {
        wzp_natpmp_write_address(out, code, service->epoch_s, NULL);
    } else {
        wzp_natpmp_write_map(out, request, code, service->epoch_s, 0, 0);
    }
}

void wzp_sim_serve_pmp(const wzp_sim_service *service, const wzp_addr *from, wzp_bytes datagram,
                       wzp_time now, wzp_wr *out) {
    wzp_natpmp_request request;
    if (wzp_natpmp_parse(&request, datagram, NULL) != WZP_OK) {
        return;
    }
    if (request.version != 0) {
        wzp_natpmp_write_version(out, service->epoch_s);
    } else if (request.op > WZP_NATPMP_MAP_TCP) {
        wzp_natpmp_write_opcode(out, datagram);
    } else if (service->refuse != 0) {
        refuse(service, &request, out);
    } else if (request.op == WZP_NATPMP_ADDRESS) {
        tell_address(service, from, out);
    } else {
        map(service, from, &request, now, out);
    }
}
