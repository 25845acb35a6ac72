/* The gateway of a client under test as a UPnP device, and a printer beside it: answers searches,
 * describes itself, gives out ports (nat sheet 1.8).  Its bounded readers are the simulator's
 * (sim/gateway/http.h, xml.h), and nothing of it is the client's own code.  Sans-IO, the caller's
 * storage; all zeros is a device that is asked nothing. */
#ifndef WZP_CONFORMANCE_CASES_CALLS_IGD_H
#define WZP_CONFORMANCE_CASES_CALLS_IGD_H

#include "conformance/cases/calls/ssdp.h"
#include "conformance/engine/web.h"

enum { WZP_CT_IGD_GRANTS = 8, WZP_CT_IGD_ANSWERS = 16 };

/* How it behaves; static. */
typedef struct wzp_ct_igd_cfg {
    uint8_t ip[4];       /* of its outer side */
    bool has_printer;    /* which answers every search first */
    bool only_permanent; /* fault 725 where a lease is asked for */
    bool first_is_taken; /* fault 718 for the port that was asked for first */
} wzp_ct_igd_cfg;

typedef struct wzp_ct_igd_found {
    size_t place;
    wzp_addr to;
    wzp_time due;
    char target[80];
} wzp_ct_igd_found;

typedef struct wzp_ct_igd {
    const wzp_ct_igd_cfg *cfg;
    wzp_addr places[WZP_CT_WEB_PLACES]; /* the gateway's, the printer's */
    uint16_t own_port; /* of the client: mappings to others are no concern of ours */

    uint32_t searches, good, found; /* all; those for a gateway that are right; those answered */
    const char *objection;          /* to the last one for a gateway that is not; NULL: none */
    wzp_ct_igd_found answers[WZP_CT_IGD_ANSWERS];
    size_t answer_count;

    uint32_t questions, orders;         /* over HTTP; of these, those to the gateway's service */
    uint32_t adds, removes;             /* mappings of the client's port, and ends of them */
    uint32_t permanent;                 /* of these, mappings without an end */
    uint32_t faults;                    /* 718 and 725 */
    uint16_t taken;                     /* the port that is another's; 0: none yet */
    uint16_t grants[WZP_CT_IGD_GRANTS]; /* outer ports that lead to the client now; 0: free */
} wzp_ct_igd;

void wzp_ct_igd_heard(wzp_ct_igd *igd, const wzp_addr *from, wzp_bytes datagram, wzp_time now);
bool wzp_ct_igd_next(wzp_ct_igd *igd, wzp_time now, wzp_ct_web_answer *out);
wzp_time wzp_ct_igd_deadline(const wzp_ct_igd *igd);
/* As wzp_ct_web_ops. */
size_t wzp_ct_igd_asked(wzp_ct_igd *igd, size_t place, wzp_bytes so_far, uint8_t *out, size_t cap);

bool wzp_ct_igd_has_granted(const wzp_ct_igd *igd, uint16_t port);

#endif
