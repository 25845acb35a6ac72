// Links over a medium that ns-3 models as a whole.  Two nodes of ns-3 with full stacks stand at the
// ends of a small network and carry our packets in UDP datagrams of the same size:
//
//     end 0 (a: station, phone) --- Wi-Fi, or LTE and its core --- end 1 (b: the network's side)
#ifndef WZP_SIM_NS3_RADIO_HPP
#define WZP_SIM_NS3_RADIO_HPP

#include <map>

#include <ns3/error-model.h>
#include <ns3/tag.h>

#include "sim/ns3/cross.hpp"

namespace wzp_ns3 {

// Marks the bytes of a datagram, so that it survives fragments and concatenation in the medium.
class number_tag final : public ns3::Tag {
  public:
    static ns3::TypeId GetTypeId();
    explicit number_tag(uint64_t of = 0) : number(of) {
    }
    ns3::TypeId GetInstanceTypeId() const override {
        return GetTypeId();
    }
    uint32_t GetSerializedSize() const override {
        return sizeof number;
    }
    void Serialize(ns3::TagBuffer buffer) const override {
        buffer.WriteU64(number);
    }
    void Deserialize(ns3::TagBuffer buffer) override {
        number = buffer.ReadU64();
    }
    void Print(std::ostream &out) const override {
        out << number;
    }
    uint64_t value() const {
        return number;
    }

  private:
    uint64_t number;
};

class radio;

class radio_way final : public outlet {
  public:
    radio_way(world &in, radio &of, unsigned which);
    void set(const wzp_sim_link_cfg &to);
    bool lost(uint32_t bytes);
    void send(cargo *what) override;
    std::unique_ptr<inner_sink> make_tcp(const wzp_sim_cross_cfg &cfg,
                                         const std::string &name) override;
    void received(uint64_t number);

  private:
    struct sent {
        cargo *what;
        wzp_time at;
    };
    void give_up();

    world &home;
    radio &whole;
    unsigned direction;
    ns3::Ptr<ns3::ErrorModel> loss;
    wzp_sim_loss_cfg loss_cfg = {};
    unsigned loss_count = 0;
    std::unique_ptr<cross_traffic> cross;
    bool described = false, waits = false;
    uint64_t next_number = 1;
    uint16_t tcp_port = 10000;
    std::map<uint64_t, sent> under_way; // by number, so by time
};

class radio : public link {
  public:
    radio(world &in, size_t index, const std::string &name);
    void send(unsigned direction, cargo *what) override;
    bool lost(unsigned direction, uint32_t bytes) override;
    void set(unsigned direction, const wzp_sim_link_cfg &cfg) override;

    struct side {
        ns3::Ptr<ns3::Node> node;
        ns3::Ipv4Address address;
        ns3::Ptr<ns3::Socket> socket;
    };
    const side &end(unsigned which) const {
        return sides[which];
    }
    bool captured() const {
        return captures;
    }

  protected:
    // Once each, before packets are sent.
    void open(unsigned end, ns3::Ptr<ns3::Node> node, ns3::Ipv4Address address);
    static bool writable(const char *path);
    void capture() {
        captures = true;
    }

  private:
    bool captures = false; // then datagrams carry the real bytes
    side sides[2];
    radio_way ways[2];
};

std::unique_ptr<link> make_wifi(world &in, size_t index, const std::string &name,
                                const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba);
std::unique_ptr<link> make_lte(world &in, size_t index, const std::string &name,
                               const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba);

} // namespace wzp_ns3

#endif
