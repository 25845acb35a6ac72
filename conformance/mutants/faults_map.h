/* Clients whose dealings with their gateway are broken on purpose, as faults_client.h has others.
 */
#ifndef WZP_CONFORMANCE_MUTANTS_FAULTS_MAP_H
#define WZP_CONFORMANCE_MUTANTS_FAULTS_MAP_H

#include <stdbool.h>

/* name, what is wrong with the client, the cases that must notice */
#define WZP_MAP_FAULT_MAP(X)                                                                       \
    X(BRIEF, "asks-briefly", "asks NAT-PMP for a minute", "NAT-040")                               \
    X(NO_NONCE, "no-nonce", "asks PCP with a nonce of zeros", "NAT-040b")                          \
    X(DISCOURAGED, "discouraged", "asks nobody more after a refusal", "NAT-041 NAT-041b")          \
    X(PRESUMES, "presumes", "tells the port that it asked for", "NAT-043 NAT-043b")                \
    X(UNCRITICAL, "uncritical", "tells any address that a gateway says",                           \
      "NAT-044 NAT-044b NAT-044c NAT-044d")                                                        \
    X(WAITS, "waits-for-gateway", "answers no call before the gateway does", "NAT-045")            \
    X(NEVER_RENEWS, "never-renews", "does not renew a mapping", "NAT-046")                         \
    X(RENEWS_LATE, "renews-late", "renews a mapping just before its end", "NAT-046")               \
    X(KEEPS, "keeps-port", "gives no port back", "NAT-046b")                                       \
    X(OBLIVIOUS, "oblivious", "does not heed that its gateway has restarted", "NAT-046c")          \
    X(ANY_NONCE, "any-nonce", "takes answers with another nonce", "NAT-047")                       \
    X(ANY_ANSWER, "any-answer", "takes requests for answers", "NAT-047 NAT-047b")                  \
    X(ANY_LENGTH, "any-length", "reads answers past their end", "NAT-047 NAT-047b")                \
    X(ANY_RESULT, "any-result", "takes failures for success", "NAT-047 NAT-047b")

typedef enum wzp_map_fault {
    WZP_MAP_FAULT_NONE,
#define X(id, name, text, caught_by) WZP_MAP_FAULT_##id,
    WZP_MAP_FAULT_MAP(X)
#undef X
        WZP_MAP_FAULT_COUNT
} wzp_map_fault;

/* The fault of every client in this process from now on. */
void wzp_map_fault_set(wzp_map_fault which);
/* It answers no call before its gateway is heard. */
bool wzp_map_fault_waits(void);

#endif
