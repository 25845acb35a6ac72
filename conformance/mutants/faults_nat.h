/* Faults of relays in what traversal needs of them; a part of the list in faults.h. */
#ifndef WZP_CONFORMANCE_MUTANTS_FAULTS_NAT_H
#define WZP_CONFORMANCE_MUTANTS_FAULTS_NAT_H

#define WZP_FAULT_NAT_MAP(X)                                                                       \
    X(NAT_MAPPED, "mapped-addresses", "writes IPv4 addresses as IPv6 ones", "NAT-003")             \
    X(NAT_KNOWN_ONLY, "known-fields-only", "ignores signals with fields that it does not know",    \
      "NAT-007")                                                                                   \
    X(NAT_ONE_NOBODY, "one-nobody", "closes who has no key when another one comes", "NAT-008")     \
    X(NAT_LISTS_NOBODY, "lists-nobody", "lists who has no key, as deployed", "NAT-008b")           \
    X(NAT_OWN_PLACE, "own-addresses", "tells each party its own addresses", "NAT-060 S-09")        \
    X(NAT_LAST_PLACE, "last-addresses", "tells callees the addresses of the last offer",           \
      "NAT-060")                                                                                   \
    X(NAT_NULLS, "writes-nulls", "writes null for an address that was not told",                   \
      "NAT-061 RLY-067")                                                                           \
    X(NAT_ALL_OR_NONE, "all-or-none", "tells no address of who told no reflexive one", "NAT-061")  \
    X(NAT_NOWHERE, "no-relay-addr", "leaves relay_addr empty", "NAT-061")                          \
    X(NAT_NO_PROBES, "drops-probes", "drops HardNatProbe", "NAT-062")                              \
    X(NAT_NOT_RINGING, "not-while-it-rings", "drops path signals until the call is answered",      \
      "NAT-062")                                                                                   \
    X(NAT_ONE_WAY, "one-way", "passes path signals to callees only", "NAT-062")                    \
    X(NAT_ANY_CALL, "any-call", "passes path signals of unknown calls on to everybody", "NAT-062") \
    X(NAT_ECHO, "echoes-reports", "returns MediaPathReport to its sender as well", "NAT-062")      \
    X(NAT_ALL_PEERS, "all-peers", "passes path signals on to every peer", "NAT-063")               \
    X(NAT_TRUSTS, "trusts-addresses", "follows a new address without validating it",               \
      "NAT-110 NAT-110b")                                                                          \
    X(NAT_STAYS, "stays-put", "sends to the address of before for ever", "NAT-110")                \
    X(NAT_DEAF, "deaf-to-moved", "drops what comes from a new address", "NAT-110")                 \
    X(NAT_SLOW, "slow-to-move", "heeds a new address after a second", "NAT-110")                   \
    X(NAT_NO_KEEP, "no-keep-alive", "sends nothing to who says nothing", "NAT-111")                \
    X(NAT_HASTY_IDLE, "hasty-idle", "takes who is silent for 20 s for gone", "NAT-111")

#endif
