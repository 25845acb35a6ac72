#include "nat/nat_type.h"

#include "nat/ip_kind.h"

static bool counts(const wzp_addr *observed, wzp_nat_type_rules rules) {
    const wzp_ip_kind kind = wzp_ip_kind_of(observed);
    if (rules == WZP_NAT_TYPE_REFERENCE) {
        return kind == WZP_IP_GLOBAL && observed->port != 0;
    }
    switch (kind) {
    case WZP_IP_NONE:
    case WZP_IP_LOOPBACK:
    case WZP_IP_PRIVATE:
    case WZP_IP_LINK_LOCAL:
    case WZP_IP_SHARED:
        return false;
    case WZP_IP_UNSPECIFIED: /* of IPv4 they have not thought */
        return observed->family == WZP_ADDR_V4;
    default:
        return true;
    }
}

/* An earlier probe that counted asked a server at the same IP. */
static bool is_again(const wzp_nat_probe *probes, size_t i, wzp_nat_type_rules rules) {
    for (size_t k = 0; rules == WZP_NAT_TYPE_REFERENCE && k < i; k++) {
        const wzp_addr earlier = wzp_ip_unmap(&probes[k].server);
        const wzp_addr this_one = wzp_ip_unmap(&probes[i].server);
        if (wzp_addr_same_ip(&earlier, &this_one) && counts(&probes[k].observed, rules)) {
            return true;
        }
    }
    return false;
}

wzp_nat_verdict wzp_nat_type_classify(const wzp_nat_probe *probes, size_t count,
                                      wzp_nat_type_rules rules) {
    wzp_nat_verdict verdict = {.type = WZP_NAT_TYPE_CONE};
    wzp_addr first = {0};
    for (size_t i = 0; i < count; i++) {
        const wzp_addr seen = wzp_ip_unmap(&probes[i].observed);
        if (!counts(&seen, rules) || is_again(probes, i, rules)) {
            continue;
        }
        if (verdict.observations++ == 0) {
            first = seen;
        } else if (!wzp_addr_same_ip(&seen, &first)) {
            verdict.type = WZP_NAT_TYPE_MULTIPLE;
        } else if (seen.port != first.port && verdict.type == WZP_NAT_TYPE_CONE) {
            verdict.type = WZP_NAT_TYPE_SYMMETRIC_PORT;
        }
    }
    verdict.type = verdict.observations < 2 ? WZP_NAT_TYPE_UNKNOWN : verdict.type;
    verdict.consensus = verdict.type == WZP_NAT_TYPE_CONE ? first : verdict.consensus;
    return verdict;
}

const char *wzp_nat_type_text(wzp_nat_type type) {
    switch (type) {
    case WZP_NAT_TYPE_CONE:
        return "Cone";
    case WZP_NAT_TYPE_SYMMETRIC_PORT:
        return "SymmetricPort";
    case WZP_NAT_TYPE_MULTIPLE:
        return "Multiple";
    case WZP_NAT_TYPE_UNKNOWN:
        break;
    }
    return "Unknown";
}
