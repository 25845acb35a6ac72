#include "sim/ns3/cargo.hpp"

#include <cstring>

#include <ns3/packet.h>

namespace wzp_ns3 {

NS_OBJECT_ENSURE_REGISTERED(cargo_tag);

ns3::TypeId cargo_tag::GetTypeId() {
    static const ns3::TypeId id =
        ns3::TypeId("wzp_ns3::cargo_tag").SetParent<ns3::Tag>().AddConstructor<cargo_tag>();
    return id;
}

cargo *cargo_tag::of(const ns3::Packet &packet) {
    static_assert(sizeof(void *) == sizeof(uint64_t));
    cargo_tag tag;
    cargo *what = nullptr;
    if (packet.PeekPacketTag(tag)) {
        std::memcpy(&what, &tag.carried, sizeof tag.carried);
    }
    return what;
}

item::item(ns3::Ptr<ns3::Packet> packet, cargo *what, uint32_t counted)
    : QueueDiscItem(packet, ns3::Address(), ethertype_ipv4), carried(what), length(counted) {
}

bool item::Mark() {
    constexpr uint8_t ecn = 3; // ECT(0) and ECT(1) become CE, RFC 3168
    if ((carried->tos & ecn) == 0) {
        return false;
    }
    carried->tos |= ecn;
    return true;
}

uint32_t item::Hash(uint32_t perturbation) const {
    const uint64_t mixed = (carried->flow ^ perturbation) * UINT64_C(0x9e3779b97f4a7c15);
    return static_cast<uint32_t>(mixed >> 32);
}

bool item::GetUint8Value(Uint8Values field, uint8_t &value) const {
    if (field != IP_DSFIELD) {
        return false;
    }
    value = carried->tos;
    return true;
}

} // namespace wzp_ns3
