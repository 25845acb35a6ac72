/* Federation: the suite is one or two other relays (conformance sheet 24.15, relay sheet 9). */
#include "conformance/cases/fed.h"
#include "conformance/cases/macros.h"

/* They share rooms and peers: one at a time. */
#define FED(id, level_, title, requirement, must, what, source, name, ...)                         \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "FED", title, requirement, must, what, source), .level = (level_)},      \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = wzp_ct_acts_##name,                        \
        .act_count = WZP_COUNT_OF(wzp_ct_acts_##name), .skip = WZP_CT_REASON_NO_TEST_CONFIG,       \
        .state_size = sizeof(wzp_ct_fed), .on_datagram = wzp_ct_fed_datagram,                      \
        .on_signal = wzp_ct_fed_signal, .alone = true, __VA_ARGS__                                 \
    }
#define LINKED .config = WZP_CT_CONFIG_FEDERATION

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
    FED("F-10", WZP_CT_INFO, "a flood from a peer", "F-10", "be told",
        "A-01 from a peer: Opus24k, 2000 pkt/s x payload 300, 3 s", "conformance 24.15", f10,
        LINKED),
    FED("F-11", WZP_CT_SHOULD, "two voices with equal headers", "RLY-086",
        "deliver the packets of both", "50 pairs of packets with equal headers",
        "conformance 24.15, relay 16", f11, LINKED),
    FED("F-12", WZP_CT_INFO, "a relay that trunks and is linked", "F-12", "be told",
        "local speech in a shared room", "conformance 24.15", f12,
        .config = WZP_CT_CONFIG_TRUNKING),
    FED("RLY-081", WZP_CT_MUST, "how a fingerprint is spelt", "RLY-081",
        "accept capitals, and no colons", "three hellos of trusted peers", "relay 16", rly081,
        LINKED),
    FED("RLY-084", WZP_CT_MUST, "local speech in a shared room", "RLY-084",
        "send the peer the hash of the room and the client's bytes", "speech for 2 s", "relay 16",
        rly084, LINKED),
    FED("RLY-084b", WZP_CT_MUST, "a client that hashes the room's name", "RLY-084",
        "send the peer the hash of the name itself", "the same from the room's hashed name",
        "relay 16", rly084b, LINKED),
    FED("RLY-086", WZP_CT_MUST, "from one peer to another", "RLY-086",
        "pass packets on to other peers, not back", "speech of one of two peers", "relay 16",
        rly086, LINKED),
};

const wzp_ct_chapter wzp_ct_chapter_fed = {"FED", "Federation", cases, WZP_COUNT_OF(cases)};
