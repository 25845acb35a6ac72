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
    X(FED_RETURNS, "returns-packets", "passes a peer's packets on to itself", "RLY-086")           \
    X(FED_OWN_NAME, "heeds-itself", "takes envelopes with its own name", "F-08")                   \
    X(FED_NO_OFFERS, "no-forwarded-offers", "drops offers of peers", "F-08 F-09")                  \
    X(FED_ANSWERS_ALL, "answers-all", "sends the answer to every peer", "F-09")                    \
    X(FED_NO_END, "no-last-word", "does not say that a shared room is empty", "RLY-082")           \
    X(FED_TELLS_ALL, "tells-all-rooms", "tells peers of rooms that are not shared", "RLY-082")     \
    X(FED_UNLABELLED, "unlabelled", "does not say where members are", "RLY-088")                   \
    X(FED_DOUBLES, "doubles", "lists members twice", "RLY-088")                                    \
    X(FED_KEEPS_GONE, "keeps-gone", "ignores GlobalRoomInactive", "RLY-088")                       \
    X(FED_NEVER_STALE, "never-stale", "keeps the members of a silent peer for ever", "RLY-088b")   \
    X(FED_HASTY_STALE, "hasty-stale", "forgets the members of a peer after 5 s", "RLY-088b")       \
    X(FED_ONE_PEER, "asks-one-peer", "offers a call to one peer alone", "RLY-090")                 \
    X(FED_ANONYMOUS, "anonymous", "names another relay as the origin", "RLY-090")                  \
    X(FED_NO_ANSWERS, "no-forwarded-answers", "drops answers of peers", "RLY-092")                 \
    X(FED_NO_REPORTS, "keeps-reports", "passes no MediaPathReport on to peers", "RLY-094")         \
    X(FED_DEAF_TO_REPORTS, "deaf-to-reports", "drops MediaPathReports of peers", "RLY-094")        \
    X(FED_FEW_SIGNALS, "few-signals", "passes on what deployed relays do, no more",                \
      "RLY-094b RLY-094c NAT-063")                                                                 \
    X(FED_LOCAL_CALLS, "local-calls", "does not share the rooms of calls", "RLY-095")              \
    X(FED_ECHO, "mesh-echo", "does not remember its own packets", "RLY-096")                       \
    X(FED_UNKNOWN_ENDS, "unknown-ends-links", "closes a link at an unknown signal", "RLY-097")     \
    X(FED_CIRCLES, "circles", "passes each list on to other peers, as deployed", "RLY-098")        \
    X(FED_EMPTY_UPDATE, "empty-update", "names no client in PresenceUpdate", "RLY-102")            \
    X(FED_KNOWS_ALL, "knows-all", "finds everybody in RouteResponse", "RLY-102")                   \
    X(FED_YOUR_ADDRESS, "your-address", "tells the asker its own address, as deployed", "RLY-104") \
    X(FED_NO_HELLO, "no-hello", "dials its peers without a word", "RLY-080")                       \
    X(FED_NO_REDIAL, "no-redial", "dials its peers once", "RLY-080")                               \
    X(FED_HASTY_REDIAL, "hasty-redial", "dials a lost peer at once", "RLY-080")                    \
    X(FED_RARE_PINGS, "rare-pings", "sends every other Ping", "RLY-103")                           \
    X(FED_NO_UPDATES, "no-updates", "tells relays that it measures of no clients", "RLY-103")

#endif
