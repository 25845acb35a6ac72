/* Clients whose netcheck is broken on purpose, as faults_client.h has others. */
#ifndef WZP_CONFORMANCE_MUTANTS_FAULTS_CHECK_H
#define WZP_CONFORMANCE_MUTANTS_FAULTS_CHECK_H

/* name, what is wrong with the client, the cases that must notice */
#define WZP_CHECK_FAULT_MAP(X)                                                                     \
    X(DISTRACTED, "distracted", "takes a PresenceList for the answer of a relay", "NAT-009")       \
    X(OWN_LAYOUT, "own-layout", "writes its report with words of its own", "NAT-130 NAT-130b")     \
    X(NEVER_DONE, "never-done", "waits for servers that do not answer", "NAT-130b NAT-131b")       \
    X(OMITS_NULLS, "omits-nulls", "leaves out of its JSON what it does not know",                  \
      "NAT-131 NAT-131b")                                                                          \
    X(ALWAYS_CONE, "always-cone", "calls each NAT a cone", "NAT-132b")                             \
    X(NEVER_CONE, "never-cone", "calls no NAT a cone", "NAT-132")                                  \
    X(ONE_FLAG, "one-flag", "has one flag for all protocols of its gateway",                       \
      "NAT-132d NAT-132e NAT-132h NAT-132i")                                                       \
    X(FIRST_FLAG, "first-flag", "asks by PCP only where NAT-PMP is not spoken", "NAT-132f")        \
    X(PRESUMES_FLAGS, "presumes-flags", "says of each gateway that it maps ports", "NAT-132g")     \
    X(PRESUMES_V6, "presumes-ipv6", "takes IPv6 for reachable", "NAT-132c")

typedef enum wzp_check_fault {
    WZP_CHECK_FAULT_NONE,
#define X(id, name, text, caught_by) WZP_CHECK_FAULT_##id,
    WZP_CHECK_FAULT_MAP(X)
#undef X
        WZP_CHECK_FAULT_COUNT
} wzp_check_fault;

/* The fault of every client in this process from now on. */
void wzp_check_fault_set(wzp_check_fault which);

#endif
