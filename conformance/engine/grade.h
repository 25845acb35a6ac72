/* From what was observed to a verdict: the table of conformance sheet 24.1 as pure functions. */
#ifndef WZP_CONFORMANCE_ENGINE_GRADE_H
#define WZP_CONFORMANCE_ENGINE_GRADE_H

#include "conformance/engine/result.h"

typedef enum wzp_ct_rule {
    WZP_CT_RULE_ENF,     /* G-ENF{codes} */
    WZP_CT_RULE_LENIENT, /* G-ENF-LENIENT{codes} */
    WZP_CT_RULE_FWD,     /* G-FWD */
    WZP_CT_RULE_IGN,     /* G-IGN */
    WZP_CT_RULE_INFO,    /* G-INFO */
    WZP_CT_RULE_RESP     /* G-RESP: decided by the exchange itself */
} wzp_ct_rule;

typedef struct wzp_ct_criteria {
    wzp_ct_rule rule;
    unsigned codes;                      /* bit i: wzp_violation_code i is allowed */
    double deadline_s;                   /* T, from the onset */
    uint64_t under_bytes, under_packets; /* sure-under limits per second, 0 none */
    uint64_t over_bytes, over_packets;   /* sure-over limits per second, 0 none */
    bool duplicates_ok;
    bool never_silent; /* LENIENT: to drop without a word fails, however little is left */
} wzp_ct_criteria;

/* Fills grade, reason, lenient, expected and actual of `run` from its other fields.
 * `closed`: the peer ended X's connection; `hangup_bit`: the code's bit, 0 for none or another
 * kind of hangup; `lost`: X's connection went away for a reason of its own (timeout). */
void wzp_ct_judge(wzp_ct_run *run, const wzp_ct_criteria *criteria, bool closed,
                  unsigned hangup_bit, bool lost);

/* The control lost packets, or got some of them late. */
bool wzp_ct_path_was_bad(const wzp_ct_run *run);

/* "Bitrate or PayloadSize"; static text for one code. */
const char *wzp_ct_codes_text(unsigned codes, char *buf, size_t cap);

#endif
