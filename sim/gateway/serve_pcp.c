#include "nat/pcp.h"
#include "sim/gateway/serve.h"

/* One request while it is being answered. */
typedef struct work {
    const wzp_sim_service *service;
    const wzp_pcp_request *request;
    wzp_bytes datagram;
    wzp_addr internal; /* whose port it is about */
    wzp_time now;
    wzp_wr *out;
} work;

static void refuse_for(const work *w, unsigned result, uint32_t lifetime_s) {
    wzp_pcp_write_error(w->out, w->datagram, result, w->service->epoch_s, lifetime_s);
}

static void refuse(const work *w, unsigned result) {
    refuse_for(w, result, wzp_pcp_error_lifetime(result));
}

static bool same_nonce(const work *w, const wzp_sim_lease *lease) {
    return memcmp(lease->nonce, w->request->nonce, sizeof lease->nonce) == 0;
}

/* RFC 6887 15: ends one mapping, or with port or protocol 0 all that match.  Those of another nonce
 * stay, and then the answer is an error. */
static void end_leases(const work *w) {
    wzp_sim_leases *leases = w->service->leases;
    uint32_t left_s = 0;
    bool foreign = false;
    for (size_t i = wzp_sim_leases_count(leases); i-- > 0;) {
        const wzp_sim_lease *lease = wzp_sim_leases_at(leases, i);
        const bool meant = lease->by == WZP_SIM_LEASE_PCP &&
                           wzp_addr_same_ip(&lease->internal, &w->internal) &&
                           (w->request->protocol == 0 ||
                            (w->request->protocol == lease->proto &&
                             (w->internal.port == 0 || w->internal.port == lease->internal.port)));
        if (meant && same_nonce(w, lease)) {
            wzp_sim_leases_drop(leases, i);
        } else if (meant) {
            foreign = true;
            left_s = wzp_sim_lease_left_s(lease, w->now);
        }
    }
    if (foreign) {
        refuse_for(w, WZP_PCP_NOT_AUTHORIZED, left_s);
    } else {
        wzp_pcp_write_granted(w->out, w->request, w->service->epoch_s, &w->request->external, 0);
    }
}

static wzp_pcp_result result_of(wzp_sim_lease_result result, bool exact) {
    switch (result) {
    case WZP_SIM_LEASE_GRANTED:
        return WZP_PCP_SUCCESS;
    case WZP_SIM_LEASE_TAKEN:
        return exact ? WZP_PCP_CANNOT_PROVIDE_EXTERNAL : WZP_PCP_NO_RESOURCES;
    case WZP_SIM_LEASE_QUOTA:
        return WZP_PCP_USER_EX_QUOTA;
    case WZP_SIM_LEASE_NO_ADDRESS:
        return WZP_PCP_NETWORK_FAILURE;
    case WZP_SIM_LEASE_EXHAUSTED:
        break;
    }
    return WZP_PCP_NO_RESOURCES;
}

static void grant(const work *w, const wzp_sim_lease_ask *ask) {
    const wzp_sim_lease *lease = NULL;
    const wzp_sim_lease_result result =
        wzp_sim_leases_grant(w->service->leases, ask, w->now, &lease);
    if (result != WZP_SIM_LEASE_GRANTED) {
        refuse(w, result_of(result, ask->exact));
        return;
    }
    wzp_addr external = wzp_sim_leases_address(w->service->leases, &w->internal);
    external.port = lease->external.port;
    wzp_pcp_write_granted(w->out, w->request, w->service->epoch_s, &external,
                          wzp_sim_lease_left_s(lease, w->now));
}

/* The filter that counts is what comes after the last one that forgets all.  We keep one remote
 * host per mapping: more, or networks, are more than we can do (RFC 6887 13.3). */
static bool filter_of(const wzp_pcp_request *request, wzp_addr *remote) {
    size_t first = request->filter_count;
    while (first > 0 && request->filters[first - 1].prefix != 0) {
        first--;
    }
    *remote = first < request->filter_count ? request->filters[first].remote : (wzp_addr){0};
    return first == request->filter_count ||
           (first + 1 == request->filter_count && request->filters[first].prefix == 128);
}

static bool is_zero(const wzp_addr *addr) {
    static const uint8_t zeros[16];
    return memcmp(addr->ip, zeros, sizeof zeros) == 0;
}

/* A suggested address that is not ours cannot be had. */
static bool wants_another_address(const work *w) {
    const wzp_addr ours = wzp_sim_leases_address(w->service->leases, &w->internal);
    return !is_zero(&w->request->external) && !wzp_addr_same_ip(&w->request->external, &ours);
}

static void map(const work *w) {
    const wzp_pcp_request *request = w->request;
    wzp_sim_leases *leases = w->service->leases;
    wzp_sim_lease_ask ask = {.by = WZP_SIM_LEASE_PCP,
                             .proto = request->protocol,
                             .exact = request->prefer_failure,
                             .internal = w->internal,
                             .external = request->external.port,
                             .lifetime_s = request->lifetime_s,
                             .nonce = request->nonce,
                             .text = wzp_bytes_str("PCP")};
    if ((request->protocol != 17 && request->protocol != 6) || w->internal.port == 0) {
        refuse(w, WZP_PCP_UNSUPP_PROTOCOL); /* "all ports" too: this is no DMZ */
        return;
    }
    const size_t i = wzp_sim_leases_by_internal(leases, request->protocol, &w->internal);
    const wzp_sim_lease *lease =
        i < wzp_sim_leases_count(leases) ? wzp_sim_leases_at(leases, i) : NULL;
    if (lease != NULL && lease->by == WZP_SIM_LEASE_PCP && !same_nonce(w, lease)) {
        refuse_for(w, WZP_PCP_NOT_AUTHORIZED, wzp_sim_lease_left_s(lease, w->now));
    } else if (!filter_of(request, &ask.remote)) {
        refuse(w, WZP_PCP_EXCESSIVE_REMOTE_PEERS);
    } else if (request->prefer_failure && wants_another_address(w)) {
        refuse(w, WZP_PCP_CANNOT_PROVIDE_EXTERNAL);
    } else {
        grant(w, &ask);
    }
}

static void peer(const work *w) {
    const wzp_sim_lease_ask ask = {.by = WZP_SIM_LEASE_PEER,
                                   .proto = w->request->protocol,
                                   .exact = true,
                                   .internal = w->internal,
                                   .external = w->request->external.port,
                                   .remote = w->request->remote,
                                   .lifetime_s = w->request->lifetime_s,
                                   .nonce = w->request->nonce,
                                   .text = wzp_bytes_str("PCP PEER")};
    if (ask.proto != 17 && ask.proto != 6) {
        refuse(w, WZP_PCP_UNSUPP_PROTOCOL);
    } else if (wants_another_address(w)) {
        refuse(w, WZP_PCP_CANNOT_PROVIDE_EXTERNAL);
    } else {
        grant(w, &ask);
    }
}

static void mapping(const work *w) {
    const bool others = w->request->has_third_party;
    if (w->service->refuse != 0) {
        refuse(w, w->service->refuse);
    } else if (others && !w->service->third_party) {
        refuse(w, WZP_PCP_UNSUPP_OPTION);
    } else if (others && wzp_addr_same_ip(&w->request->third_party, &w->request->client)) {
        refuse(w, WZP_PCP_MALFORMED_REQUEST); /* RFC 6887 13.1 */
    } else if (w->request->op == WZP_PCP_PEER) {
        peer(w);
    } else if (w->request->lifetime_s == 0) {
        end_leases(w);
    } else {
        map(w);
    }
}

void wzp_sim_serve_pcp(const wzp_sim_service *service, const wzp_addr *from, wzp_bytes datagram,
                       wzp_time now, wzp_wr *out) {
    wzp_pcp_request request;
    wzp_pcp_result result;
    if (wzp_pcp_parse(&request, &result, datagram, NULL) != WZP_OK) {
        return;
    }
    work w = {service, &request, datagram, request.client, now, out};
    if (request.has_third_party) {
        w.internal = request.third_party;
    }
    w.internal.port = request.internal;
    if (result != WZP_PCP_SUCCESS) {
        refuse(&w, result);
    } else if (!wzp_addr_same_ip(&request.client, from)) {
        refuse(&w, WZP_PCP_ADDRESS_MISMATCH);
    } else if (request.op == WZP_PCP_ANNOUNCE) {
        wzp_pcp_write_announce(out, service->epoch_s);
    } else {
        mapping(&w);
    }
}
