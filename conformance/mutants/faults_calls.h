/* Clients whose calls are broken on purpose, as faults_client.h has others. */
#ifndef WZP_CONFORMANCE_MUTANTS_FAULTS_CALLS_H
#define WZP_CONFORMANCE_MUTANTS_FAULTS_CALLS_H

#include <stdbool.h>

#include "base/bytes.h"

/* name, what is wrong with the client, the chapter that it is for, the cases that must notice */
#define WZP_CALL_FAULT_MAP(X)                                                                      \
    X(WAITS, "waits-for-reflect", "answers no call before its Reflect is answered", "NATC",        \
      "NAT-005")                                                                                   \
    X(IMPATIENT, "impatient", "waits for no Reflect", "NATC", "NAT-005b")                          \
    X(BELIEVES, "believes-reflect", "takes addresses that it did not ask for", "NATC", "NAT-006")  \
    X(NARROW, "narrow", "cannot read signals with fields that it does not know", "NATC",           \
      "NAT-007C")                                                                                  \
    X(TELLS_ALL, "tells-loopback", "tells peers loopback addresses", "NATC", "NAT-022")            \
    X(WRONG_PORT, "wrong-port", "tells peers another port than that of its socket", "NATC",        \
      "NAT-022")                                                                                   \
    X(ASKS_ONCE, "asks-once", "repeats no STUN request", "NATC", "NAT-024")                        \
    X(ASKS_ANEW, "asks-anew", "repeats STUN requests with another transaction", "NATC", "NAT-024") \
    X(STARTLED, "startled", "gives up STUN at a wrong answer", "NATC", "NAT-025")                  \
    X(STUN_ASIDE, "stun-aside", "asks STUN servers from another port", "NATC", "NAT-026")          \
    X(LEAKS, "leaks", "trusts every caller", "NATC", "NAT-064 NAT-065")                            \
    X(ANSWERS_PROBES, "answers-probes", "answers HardNatProbe whatever it told", "NATC",           \
      "NAT-065")                                                                                   \
    X(OBEYS_BIRTHDAY, "obeys-birthday", "sends to where HardNatBirthdayStart points", "NATC",      \
      "NAT-065 NAT-065b")                                                                          \
    X(OWN_WORDS, "own-words", "has words of its own for what NATs do", "NATC", "NAT-066")          \
    X(SETTLED, "settled", "does not mind that its network changes", "NATC", "NAT-113")             \
    X(OBEYS_STALE, "obeys-stale", "sends to where stale updates point", "NATC", "NAT-067")         \
    X(MUTE, "mute", "sends nothing when there is nothing to say", "NATC", "NAT-111C")              \
    X(HURRIES, "hurries-back", "comes back to its relay at once, always", "NATC",                  \
      "NAT-114 NAT-114b")                                                                          \
    X(TIRES, "tires", "comes back each minute at last", "NATC", "NAT-114b")                        \
    X(FUSSY, "fussy", "takes no local address if one cannot be read", "RACE", "NAT-068")           \
    X(UPSIDE_DOWN, "upside-down", "has the roles the wrong way round", "RACE",                     \
      "NAT-080 NAT-080c NAT-080f NAT-080g")                                                        \
    X(COUNTS_PORTS, "compares-numbers", "compares addresses as numbers", "RACE", "NAT-080b")       \
    X(EAGER, "eager", "dials although both addresses are equal", "RACE", "NAT-080d")               \
    X(LOST, "lost-without-role", "takes no path when it has no role", "RACE", "NAT-080d NAT-080e") \
    X(BOTH_DIAL, "always-dials", "dials as acceptor, too", "RACE", "NAT-080c")                     \
    X(WRONG_NAME, "wrong-name", "asks the peer for the room", "RACE", "NAT-081")                   \
    X(LAN_ALWAYS, "lan-always", "dials addresses of any network", "RACE", "NAT-082")               \
    X(LAN_NEVER, "lan-never", "dials no address of its own network", "RACE", "NAT-082b")           \
    X(NO_RELAY, "no-relay", "never dials the relay", "RACE", "NAT-083")                            \
    X(HOPES, "hopes", "waits for ever when no path is left", "RACE", "NAT-083b NAT-092")           \
    X(SILENT, "no-reports", "does not report", "RACE", "NAT-084 NAT-084b")                         \
    X(OPTIMIST, "optimist", "always reports a direct path", "RACE", "NAT-084")                     \
    X(DISTRUSTS, "distrusts", "does not believe in the peer's direct path", "RACE",                \
      "NAT-085 NAT-085b")                                                                          \
    X(TRUSTING, "trusting", "goes direct whatever the peer reports", "RACE", "NAT-085c")           \
    X(FOLLOWS, "follows", "takes the relay when the peer does, and not before", "RACE",            \
      "NAT-085d")                                                                                  \
    X(PATIENT, "patient", "waits for the peer's report for ever", "RACE", "NAT-085e")              \
    X(KEEPS_DIRECT, "keeps-direct", "leaves direct connections open", "RACE", "NAT-086")           \
    X(KEEPS_RELAY, "keeps-relay", "stays in the relay's room", "RACE", "NAT-086b")                 \
    X(FORGETS, "forgets-early", "loses reports that come before CallSetup", "RACE", "NAT-087")     \
    X(FICKLE, "fickle", "takes a second report for a refusal", "RACE", "NAT-087b")                 \
    X(ONCE, "reports-once", "does not repeat its report", "RACE", "NAT-087c")                      \
    X(TRUSTS_ANY, "trusts-any", "takes any connection for the peer's", "RACE", "NAT-088")          \
    X(NO_TICKLE, "no-tickle", "sends no tickles", "RACE", "NAT-089")                               \
    X(BRITTLE, "brittle", "hears nothing more after 100 datagrams that it cannot use", "RACE",     \
      "NAT-090")                                                                                   \
    X(TWO_PORTS, "two-ports", "has another socket for direct connections", "RACE", "NAT-091")      \
    X(YIELDS, "yields", "takes the relay when only direct paths are allowed", "RACE",              \
      "NAT-092 NAT-092b")                                                                          \
    X(GIVES_UP, "gives-up-call", "takes no relay when there is nobody to dial", "RACE", "NAT-093") \
    X(STAYS, "stays", "does not leave a direct path that breaks", "RACE", "NAT-112")               \
    X(FLAPS, "flaps", "ends the call after ten updates", "RACE", "NAT-115")

typedef enum wzp_call_fault {
    WZP_CALL_FAULT_NONE,
#define X(id, name, text, chapter, caught_by) WZP_CALL_FAULT_##id,
    WZP_CALL_FAULT_MAP(X)
#undef X
        WZP_CALL_FAULT_COUNT
} wzp_call_fault;

/* The fault of every client in this process from now on. */
void wzp_call_fault_set(wzp_call_fault which);

/* The client cannot read this signal. */
bool wzp_call_fault_refuses(wzp_bytes json);

#endif
