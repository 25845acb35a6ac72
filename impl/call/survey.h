/* All that netcheck asks over the one socket of an endpoint (nat sheet 1.12): how STUN servers and
 * relays see it, over IPv4 and IPv6, how far away they are, and whether what we send to our own
 * outer address comes back.  A packet core around the endpoint's; everything runs at once, and each
 * part has its own end.
 *
 * Ports are judged in the order of the servers: the requests leave one socket in that order and at
 * once, so a NAT that gives out ports in turn does so in that order, too. */
#ifndef WZP_CALL_SURVEY_H
#define WZP_CALL_SURVEY_H

#include "call/relay_probe.h"
#include "nat/netcheck.h"

#define WZP_SURVEY_STUN_MAX WZP_STUN_SERVERS_MAX
#define WZP_SURVEY_RELAYS_MAX WZP_NETCHECK_PROBES_MAX

/* A server by name; addresses of family NONE are not known. */
typedef struct wzp_survey_target {
    const char *name;  /* borrowed as long as the survey and its report */
    wzp_addr v4, v6;   /* a relay is asked over IPv4 if it can be */
    const char *error; /* why there is no address; NULL if there is one; borrowed likewise */
} wzp_survey_target;

typedef struct wzp_survey_cfg {
    wzp_endpoint *endpoint;                 /* borrowed */
    const wzp_survey_target *stun, *relays; /* copied */
    size_t stun_count, relay_count;         /* what is over the maximum is left out */
    uint64_t stun_timeout, relay_timeout;   /* ns; 0: 3 s, 5 s */
    bool no_v6;
    wzp_rng rng; /* must live as long as the survey */
} wzp_survey_cfg;

typedef struct wzp_survey wzp_survey;

/* Begins.  NOMEM. */
WZP_MUST_USE wzp_err wzp_survey_new(wzp_survey **out, const wzp_survey_cfg *cfg, wzp_time now);
/* Accepts NULL, leaves NULL; the endpoint serves nobody of it any more. */
void wzp_survey_free(wzp_survey **survey, wzp_time now);

wzp_core wzp_survey_core(wzp_survey *survey);
bool wzp_survey_is_done(const wzp_survey *survey);

/* Fills in what was found so far: nat, ipv4, ipv6, hairpin, alloc, stun and relays.  Texts point
 * into the survey. */
void wzp_survey_report(wzp_survey *survey, wzp_netcheck *report);

#endif
