#include "conformance/mutants/faults_map.h"

#include <string.h>

#include "conformance/mutants/faults_upnp.h"
#include "conformance/mutants/wrap.h"
#include "nat/ip_kind.h"
#include "nat/portmap.h"

static wzp_map_fault fault;
static bool was_refused; /* the client under test */

enum { ANSWER = 0x80, NONCE_AT = 24, NATPMP_MAP_LEN = 16 };

void wzp_map_fault_set(wzp_map_fault which) {
    fault = which;
    was_refused = false;
}

bool wzp_map_fault_waits(void) {
    return fault == WZP_MAP_FAULT_WAITS;
}

WRAP(wzp_err, wzp_portmap_start, wzp_portmap *p, const wzp_portmap_cfg *cfg, wzp_rng rng,
     wzp_time now) {
    was_refused = false;
    return __real_wzp_portmap_start(p, cfg, rng, now);
}

WRAP(bool, wzp_portmap_next, wzp_portmap *p, wzp_portmap_datagram *out) {
    if (!__real_wzp_portmap_next(p, out)) {
        return false;
    }
    if (fault == WZP_MAP_FAULT_BRIEF && out->len == WZP_NATPMP_REQUEST_MAX && out->data[10] != 0) {
        out->data[10] = 0;
        out->data[11] = 60;
    }
    if (fault == WZP_MAP_FAULT_NO_NONCE && out->len == WZP_PCP_MAP_LEN) {
        memset(out->data + NONCE_AT, 0, WZP_PCP_NONCE_LEN);
    }
    return true;
}

static bool is_refusal(wzp_bytes datagram) {
    return datagram.len > 3 && datagram.data[0] == 0 && datagram.data[3] != 0;
}

/* The answer as a client sees it that does not look. */
static void beautify(const wzp_portmap *p, uint8_t *answer, size_t len) {
    const bool is_pcp = len >= WZP_PCP_MAP_LEN;
    if (fault == WZP_MAP_FAULT_ANY_NONCE && is_pcp) {
        memcpy(answer + NONCE_AT, p->nonce, sizeof p->nonce);
    } else if (fault == WZP_MAP_FAULT_ANY_ANSWER && len > 1) {
        answer[1] |= ANSWER;
    } else if (fault == WZP_MAP_FAULT_ANY_RESULT && len > 3) {
        answer[3] = 0;
    }
}

static size_t length_of(const wzp_portmap *p, wzp_bytes datagram) {
    const size_t whole = p->cfg.protocol == WZP_PORTMAP_PCP ? WZP_PCP_MAP_LEN : NATPMP_MAP_LEN;
    const bool is_cut = datagram.len < whole && datagram.len > NATPMP_MAP_LEN / 2;
    return fault == WZP_MAP_FAULT_ANY_LENGTH && is_cut ? whole : datagram.len;
}

WRAP(bool, wzp_portmap_recv, wzp_portmap *p, const wzp_addr *from, wzp_bytes datagram,
     wzp_time now) {
    uint8_t copy[WZP_PCP_MAX];
    was_refused = was_refused || is_refusal(datagram);
    const bool is_announcement =
        datagram.len > 1 && datagram.data[0] == 2 && datagram.data[1] == ANSWER;
    if ((fault == WZP_MAP_FAULT_DISCOURAGED && was_refused) || datagram.len > sizeof copy ||
        (fault == WZP_MAP_FAULT_OBLIVIOUS && is_announcement)) {
        return false;
    }
    memset(copy, 1, sizeof copy); /* what lies behind it */
    memcpy(copy, datagram.data, datagram.len);
    beautify(p, copy, datagram.len);
    return __real_wzp_portmap_recv(p, from, wzp_bytes_of(copy, length_of(p, datagram)), now);
}

WRAP(wzp_err, wzp_natpmp_parse_answer, wzp_natpmp_answer *out, wzp_bytes datagram, wzp_fail *fail) {
    const wzp_err err = __real_wzp_natpmp_parse_answer(out, datagram, fail);
    out->external_port =
        fault == WZP_MAP_FAULT_PRESUMES && err == WZP_OK ? out->internal : out->external_port;
    return err;
}

WRAP(wzp_err, wzp_pcp_parse_answer, wzp_pcp_answer *out, wzp_bytes datagram, wzp_fail *fail) {
    const wzp_err err = __real_wzp_pcp_parse_answer(out, datagram, fail);
    if (fault == WZP_MAP_FAULT_PRESUMES && err == WZP_OK) {
        out->external.port = out->internal;
    }
    return err;
}

WRAP(wzp_ip_kind, wzp_ip_kind_of, const wzp_addr *addr) {
    return fault == WZP_MAP_FAULT_UNCRITICAL || wzp_upnp_fault_believes()
               ? WZP_IP_GLOBAL
               : __real_wzp_ip_kind_of(addr);
}

WRAP(void, wzp_portmap_tick, wzp_portmap *p, wzp_time now) {
    if (p->state == WZP_PORTMAP_MAPPED && fault == WZP_MAP_FAULT_NEVER_RENEWS) {
        p->renew_at = p->expires_at = WZP_TIME_NEVER;
    } else if (p->state == WZP_PORTMAP_MAPPED && fault == WZP_MAP_FAULT_RENEWS_LATE) {
        p->renew_at = p->expires_at - p->lifetime_s * WZP_S / 4;
    }
    __real_wzp_portmap_tick(p, now);
}

WRAP(void, wzp_portmap_release, wzp_portmap *p, wzp_time now) {
    if (fault == WZP_MAP_FAULT_KEEPS) {
        p->state = WZP_PORTMAP_OFF;
    }
    __real_wzp_portmap_release(p, now);
}
