/* Where the deployed programs do something that is of no use to anybody, adaptation can do either:
 * the same, for comparison with them, or what was meant.  Every use says what differs. */
#ifndef WZP_ADAPT_POLICY_H
#define WZP_ADAPT_POLICY_H

typedef enum wzp_adapt_policy { WZP_ADAPT_REFERENCE, WZP_ADAPT_DEPLOYED } wzp_adapt_policy;

#endif
