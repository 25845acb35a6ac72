/* Faults of relays that are linked; a part of the list in faults.h. */
#ifndef WZP_CONFORMANCE_MUTANTS_FAULTS_FEDERATION_H
#define WZP_CONFORMANCE_MUTANTS_FAULTS_FEDERATION_H

#define WZP_FAULT_FED_MAP(X)                                                                       \
    X(FED_PATIENT, "waits-for-hello", "takes a hello of a peer however late it is", "F-01")        \
    X(FED_STRANGERS, "trusts-strangers", "links with any relay", "F-02")                           \
    X(FED_UNTOLD, "untold-rooms", "tells peers of no room", "F-03 RLY-081")                        \
    X(FED_CUTS, "cuts-peers-reports", "strips quality reports of peers' packets", "F-04")          \
    X(FED_NO_DEDUP, "no-dedup", "delivers what a peer sends as often as it comes", "F-05")         \
    X(FED_LONG_DEDUP, "long-dedup", "remembers packets of peers for 10 s", "F-05")                 \
    X(FED_NO_RATE, "no-room-rate", "delivers any number of a peer's packets", "F-06")              \
    X(FED_TIGHT_RATE, "tight-room-rate", "delivers 300 packets of peers a second", "F-06")         \
    X(FED_ONE_RATE, "one-rate", "counts the packets of all rooms together", "F-06")                \
    X(FED_JUNK_ENDS, "junk-ends-links", "closes a link at what is no packet", "F-07")              \
    X(FED_HEADER_DEDUP, "header-dedup", "knows packets by their headers, as deployed", "F-11")     \
    X(FED_SPELLING, "exact-spelling", "compares fingerprints of peers letter by letter",           \
      "RLY-081")                                                                                   \
    X(FED_BACKWARDS, "tags-backwards", "writes the hashes of rooms backwards", "RLY-084")          \
    X(FED_SNI_HASH, "hashed-twice", "tags packets with the hash of the client's name", "RLY-084b") \
    X(FED_NO_TRANSIT, "no-transit", "passes no packets on between peers", "RLY-086")               \
    X(FED_RETURNS, "returns-packets", "passes a peer's packets on to itself", "RLY-086")

#endif
