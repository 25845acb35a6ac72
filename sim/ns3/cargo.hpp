// How a cargo travels through ns-3: on a packet of the right size that carries no bytes, only a
// tag, and through queue discs as an item that knows its length, its flow and its ECN field.
#ifndef WZP_SIM_NS3_CARGO_HPP
#define WZP_SIM_NS3_CARGO_HPP

#include <ns3/queue-item.h>
#include <ns3/tag.h>

#include "sim/ns3/world.hpp"

namespace wzp_ns3 {

class cargo_tag final : public ns3::Tag {
  public:
    static ns3::TypeId GetTypeId();
    explicit cargo_tag(cargo *what = nullptr) : carried(reinterpret_cast<uintptr_t>(what)) {
    }
    ns3::TypeId GetInstanceTypeId() const override {
        return GetTypeId();
    }
    uint32_t GetSerializedSize() const override {
        return sizeof carried;
    }
    void Serialize(ns3::TagBuffer buffer) const override {
        buffer.WriteU64(carried);
    }
    void Deserialize(ns3::TagBuffer buffer) override {
        carried = buffer.ReadU64();
    }
    void Print(std::ostream &out) const override {
        out << "wzp";
    }

    // NULL: it carries none of ours.
    static cargo *of(const ns3::Packet &packet);

  private:
    uint64_t carried; // a pointer: it never leaves this process
};

class item final : public ns3::QueueDiscItem {
  public:
    // `counted`: bytes as limits count them, the IP packet and the link's overhead.
    item(ns3::Ptr<ns3::Packet> packet, cargo *what, uint32_t counted);

    uint32_t GetSize() const override {
        return length;
    }
    void AddHeader() override {
    }
    bool Mark() override;
    uint32_t Hash(uint32_t perturbation) const override;
    bool GetUint8Value(Uint8Values field, uint8_t &value) const override;

    cargo *what() const {
        return carried;
    }

  private:
    cargo *carried;
    uint32_t length; // asked for even after a drop, when the cargo is gone
};

} // namespace wzp_ns3

#endif
