/* Federation: the suite is one or two other relays (conformance sheet 24.15, relay sheet 9). */
#include "conformance/cases/federation/fed.h"
#include "conformance/cases/macros.h"

#define FED(id, level_, title, requirement, must, what, source, name, ...)                         \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "FED", title, requirement, must, what, source), .level = (level_)},      \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = wzp_ct_acts_##name,                        \
        .act_count = WZP_COUNT_OF(wzp_ct_acts_##name), .skip = WZP_CT_REASON_NO_TEST_CONFIG,       \
        .state_size = sizeof(wzp_ct_fed), __VA_ARGS__                                              \
    }
/* They share rooms and peers: one at a time. */
#define LINKED                                                                                     \
    .config = WZP_CT_CONFIG_FEDERATION, .alone = true, .on_signal = wzp_ct_fed_signal,             \
    .on_datagram = wzp_ct_fed_datagram
#define MESHED                                                                                     \
    .config = WZP_CT_CONFIG_FEDERATION, .alone = true, .on_signal = wzp_ct_fed_signal,             \
    .on_datagram = wzp_ct_fed_mesh_datagram
#define TRUNKED                                                                                    \
    .config = WZP_CT_CONFIG_TRUNKING, .alone = true, .on_signal = wzp_ct_fed_signal,               \
    .on_datagram = wzp_ct_fed_datagram
#define DIALLING                                                                                   \
    .config = WZP_CT_CONFIG_DIALLING, .alone = true, .on_signal = wzp_ct_fed_dialled_signal
#define ALONE .config = WZP_CT_CONFIG_PLAIN

static const wzp_ct_case cases[] = {
    FED("F-01", WZP_CT_MUST, "a peer that says nothing", "RLY-081", "give it up after 5 s",
        "SNI _federation and no hello for 6.5 s", "conformance 24.15, relay 16", f01, LINKED),
    FED("F-02", WZP_CT_MUST, "a peer that nobody trusts", "RLY-081",
        "tell it nothing and take nothing from it",
        "FederationHello with an unknown fingerprint, then speech in both directions",
        "conformance 24.15, relay 16", f02, LINKED),
    FED("F-03", WZP_CT_MUST, "a new link is told of rooms", "RLY-083",
        "send GlobalRoomActive with the members of general", "a local member, then a trusted hello",
        "conformance 24.15, relay 16", f03, LINKED),
    FED("F-04", WZP_CT_MUST, "a peer's speech", "RLY-085",
        "deliver it byte by byte to all local members", "speech with the hash of its room, 2 s",
        "conformance 24.15, relay 16", f04, LINKED),
    FED("F-05", WZP_CT_MUST, "the same packet again", "RLY-085",
        "deliver it once in two seconds, and again later",
        "20 packets four times within half a second, once more after 3.2 s",
        "conformance 24.15, relay 16", f05, LINKED),
    FED("F-06", WZP_CT_MUST, "many packets for one room", "RLY-087",
        "deliver 400 a second, of 900 about 500, and all of another room",
        "8 voices in one room for 5 s, then 18, and speech in another one",
        "conformance 24.15, relay 16", f06, LINKED),
    FED("F-07", WZP_CT_MUST, "what is no packet", "RLY-085", "ignore it and keep the link",
        "11 bytes, half a header, other versions and types, a room that nobody shares",
        "conformance 24.15, relay 16", f07, LINKED),
    FED("F-08", WZP_CT_MUST, "an envelope with the relay's own name", "RLY-093",
        "drop it, and take those of the peer",
        "FederatedSignalForward with an offer and the relay's own origin_relay_fp, then the peer's",
        "conformance 24.15, relay 16", f08, LINKED),
    FED("F-09", WZP_CT_MUST, "a call from another relay", "RLY-091",
        "deliver the offer, and send the answer to that peer alone",
        "a forwarded DirectCallOffer for a local client, who accepts",
        "conformance 24.15, relay 16", f09, LINKED),
    FED("F-10", WZP_CT_INFO, "a flood from a peer", "F-10", "be told",
        "A-01 from a peer: Opus24k, 2000 pkt/s x payload 300, 3 s", "conformance 24.15", f10,
        LINKED),
    FED("F-11", WZP_CT_SHOULD, "two voices with equal headers", "RLY-086",
        "deliver the packets of both", "50 pairs of packets with equal headers",
        "conformance 24.15, relay 16", f11, LINKED),
    FED("F-12", WZP_CT_INFO, "a relay that trunks and is linked", "F-12", "be told",
        "local speech in a shared room", "conformance 24.15", f12, TRUNKED),
    FED("RLY-080", WZP_CT_MUST, "a relay that links by itself", "RLY-080",
        "dial its peer, say hello first, and dial again after a loss",
        "the suite is the peer, accepts, and closes once", "relay 16", rly080, DIALLING),
    FED("RLY-081", WZP_CT_MUST, "how a fingerprint is spelt", "RLY-081",
        "accept capitals, and no colons", "three hellos of trusted peers", "relay 16", rly081,
        LINKED),
    FED("RLY-082", WZP_CT_MUST, "shared rooms come and go", "RLY-082",
        "tell peers of the first member and when the last has left, of no other room",
        "members join and leave a shared room and another one", "relay 16", rly082, LINKED),
    FED("RLY-084", WZP_CT_MUST, "local speech in a shared room", "RLY-084",
        "send the peer the hash of the room and the client's bytes", "speech for 2 s", "relay 16",
        rly084, LINKED),
    FED("RLY-084b", WZP_CT_MUST, "a client that hashes the room's name", "RLY-084",
        "send the peer the hash of the name itself", "the same from the room's hashed name",
        "relay 16", rly084b, LINKED),
    FED("RLY-086", WZP_CT_MUST, "from one peer to another", "RLY-086",
        "pass packets on to other peers, not back", "speech of one of two peers", "relay 16",
        rly086, LINKED),
    FED("RLY-088", WZP_CT_MUST, "members elsewhere", "RLY-088",
        "list them once each with the label of their link, until GlobalRoomInactive",
        "GlobalRoomActive with two, one of them twice, and the local member", "relay 16", rly088,
        LINKED),
    FED("RLY-088b", WZP_CT_MUST, "a peer that has fallen silent", "RLY-088",
        "forget its members after 15 to 21 s", "GlobalRoomActive, then nothing", "relay 16",
        rly088b, LINKED, .is_long = true),
    FED("RLY-090", WZP_CT_MUST, "a call to somebody elsewhere", "RLY-090",
        "ask all peers in its own name, and tell the caller that it rings",
        "DirectCallOffer for nobody who is here; two peers", "relay 16", rly090, LINKED),
    FED("RLY-092", WZP_CT_MUST, "an answer from another relay", "RLY-092",
        "hand it to the caller, with CallSetup", "a forwarded DirectCallAnswer", "relay 16", rly092,
        LINKED),
    FED("RLY-094", WZP_CT_MUST, "reports of a call between relays", "RLY-094",
        "pass MediaPathReport on in both directions", "MediaPathReport of both parties", "relay 16",
        rly094, LINKED),
    FED("RLY-094b", WZP_CT_SHOULD, "other signals of such a call", "RLY-094",
        "pass them on in both directions, Hangup too",
        "seven signals of both parties, and each hangs up once", "relay 16", rly094b, LINKED),
    FED("RLY-094c", WZP_CT_SHOULD, "such a call is rejected", "RLY-094", "tell the other party",
        "Reject of the local client, and one of the other", "relay 16", rly094c, LINKED),
    FED("RLY-095", WZP_CT_MUST, "the room of such a call", "RLY-082",
        "let the caller in, tell the peer, and pass speech on",
        "both parties in the room of the call, each on its relay", "relay 16, RLY-095", rly095,
        LINKED),
    FED("RLY-096", WZP_CT_SHOULD, "three relays, all linked", "RLY-096",
        "deliver each packet once, never to its sender",
        "speech of a local member and of a peer; the peers pass on to each other", "relay 16",
        rly096, MESHED),
    FED("RLY-097", WZP_CT_SHOULD, "a signal that nobody knows", "RLY-097", "keep the link",
        "an unknown variant, then speech", "relay 16", rly097, LINKED),
    FED("RLY-098", WZP_CT_SHOULD, "news in a circle", "RLY-098",
        "send at most 4 GlobalRoomActive on a link in 5 s",
        "one joins; each peer tells the relay what the other one heard", "relay 16", rly098,
        LINKED),
    FED("RLY-102", WZP_CT_MUST, "a relay that only measures", "RLY-102",
        "answer Ping, PresenceUpdate and RouteQuery",
        "SNI _probe, all three, and a query for nobody", "relay 10.1, 16", rly102, ALONE),
    FED("RLY-103", WZP_CT_MUST, "a relay that measures", "RLY-103",
        "send Ping each second, PresenceUpdate now and then, and come again after a loss",
        "the suite is the target, answers, and closes once", "relay 10.1, 16", rly103, DIALLING),
    FED("RLY-104", WZP_CT_SHOULD, "where a measured relay is", "RLY-104",
        "tell its own address in PresenceUpdate", "SNI _probe and PresenceUpdate", "relay 10.1, 16",
        rly104, ALONE),
};

const wzp_ct_chapter wzp_ct_chapter_fed = {"FED", "Federation", cases, WZP_COUNT_OF(cases)};
