/* The testers as the gateway of a client under test, which gives out ports by NAT-PMP and PCP, or
 * refuses, or lies (nat sheet 1.8), for cases of chapters MAP and CHECK.  Written apart from
 * impl/nat, so that the client is not measured by its own code. */
#ifndef WZP_CONFORMANCE_CASES_CALLS_GATEWAY_H
#define WZP_CONFORMANCE_CASES_CALLS_GATEWAY_H

#include "conformance/cases/calls/call_steps.h"

typedef enum wzp_ct_maps {
    WZP_CT_MAPS_SILENTLY, /* says nothing */
    WZP_CT_MAPS,
    WZP_CT_MAPS_REFUSES,
    WZP_CT_MAPS_OLD, /* PCP: the gateway speaks NAT-PMP only, and says so in it */
    WZP_CT_MAPS_LIES /* answers that are none, and at last a refusal */
} wzp_ct_maps;

enum { WZP_CT_NATPMP, WZP_CT_PCP, WZP_CT_MAP_PROTOCOLS };
enum { WZP_CT_NATPMP_LEN = 12, WZP_CT_PCP_LEN = 60 };

/* How it behaves; static. */
typedef struct wzp_ct_gateway {
    wzp_ct_maps how[WZP_CT_MAP_PROTOCOLS];
    uint8_t ip[4]; /* of its outer side */
    uint16_t port; /* that it gives out, whatever is asked for */
    uint32_t lifetime_s;
} wzp_ct_gateway;

/* What it has seen of one protocol. */
typedef struct wzp_ct_asked {
    uint32_t requests, maps, releases; /* of all; those for a mapping, and for the end of one */
    uint8_t last[WZP_CT_PCP_LEN];      /* mapping request */
    size_t last_len;
    wzp_addr from;
    wzp_time granted_at; /* the first time; NEVER */
    wzp_time renewed_at; /* the first request that is no repetition after that; NEVER */
} wzp_ct_asked;

/* Of plays with a gateway. */
typedef struct wzp_ct_gateway_state {
    wzp_ct_call_state call; /* first: acts of calls share it */
    const wzp_ct_gateway *gateway;
    wzp_ct_asked asked[WZP_CT_MAP_PROTOCOLS];
    wzp_time began; /* its epoch */
    bool has_restarted;
    uint32_t maps_before; /* by PCP, when it did */
} wzp_ct_gateway_state;

/* The case's on_loose: answers what comes to the gateway. */
void wzp_ct_gateway_on_loose(wzp_ct_exec *exec, const wzp_quic_path *path, wzp_bytes bytes,
                             wzp_time now);

/* Begins to behave like this; NULL: there is none. */
void wzp_ct_gateway_is(wzp_ct_exec *exec, const wzp_ct_gateway *gateway, wzp_time now);

/* Begins a play: `arg` is a wzp_ct_gateway. */
bool wzp_ct_gateway_opens(wzp_ct_exec *exec, wzp_time now);

/* It restarts, forgets what it has mapped and says so, by PCP, to whoever asked it last, and on
 * loopback to all (RFC 6887 14.1.3). */
void wzp_ct_gateway_restart(wzp_ct_exec *exec, wzp_time now);
void wzp_ct_gateway_announce(wzp_ct_exec *exec, wzp_time now);

/* Of what a gateway is asked: that is there, may come within 7 s, or the client lacks `feature`. */
wzp_ct_so_far wzp_ct_gateway_awaits(wzp_ct_exec *exec, bool is_there, const char *feature,
                                    wzp_time now);

/* The mapped address that the client has told last; NULL: none. */
const wzp_opt_str *wzp_ct_gateway_told(const wzp_ct_caller *caller);
/* The call ends. */
bool wzp_ct_gateway_hang_up(wzp_ct_exec *exec, wzp_time now);

#endif
