// A link made of ns-3's point-to-point devices.  Each direction by itself:
//
//     loss model -> queue disc -> device (serial, at a rate) -> delay -> far device
//
// The device has no queue of its own in front of the wire: it takes a packet from the queue disc
// when it is free, so that the disc sees the whole time that a packet waits.
#ifndef WZP_SIM_NS3_WIRE_HPP
#define WZP_SIM_NS3_WIRE_HPP

#include <ns3/net-device-queue-interface.h>
#include <ns3/pcap-file-wrapper.h>
#include <ns3/point-to-point-channel.h>
#include <ns3/point-to-point-net-device.h>
#include <ns3/queue-disc.h>

#include "sim/ns3/cross.hpp"
#include "sim/ns3/laws.hpp"

namespace wzp_ns3 {

// A channel whose directions have their own delays.
class wire_channel final : public ns3::PointToPointChannel {
  public:
    static ns3::TypeId GetTypeId();
    bool TransmitStart(ns3::Ptr<const ns3::Packet> packet,
                       ns3::Ptr<ns3::PointToPointNetDevice> from, ns3::Time sending) override;
    delay_law &law(unsigned direction) {
        return laws[direction];
    }

  private:
    delay_law laws[2];
};

// One direction of a wire up to the channel.
class wire_way final : public outlet {
  public:
    wire_way(world &in, std::string called, ns3::Ptr<ns3::PointToPointNetDevice> from);
    wire_way(const wire_way &) = delete;
    wire_way &operator=(const wire_way &) = delete;
    ~wire_way() override;
    void set(const wzp_sim_link_cfg &to);
    bool lost(uint32_t bytes);
    void send(cargo *what) override;
    std::unique_ptr<inner_sink> make_tcp(const wzp_sim_cross_cfg &flows,
                                         const std::string &called) override;

  private:
    void set_disc();
    bool fits(uint32_t len) const;
    void move_from(ns3::Ptr<ns3::QueueDisc> old);
    void transmit(ns3::Ptr<ns3::QueueDiscItem> next);
    void sent(ns3::Ptr<const ns3::Packet> packet);
    void refused(ns3::Ptr<const ns3::QueueDiscItem> dropped);

    world &home;
    std::string name;
    ns3::Ptr<ns3::PointToPointNetDevice> device;
    ns3::Ptr<ns3::NetDeviceQueueInterface> gate; // closed while the device sends
    ns3::Ptr<ns3::QueueDisc> disc, queue;        // NULL: no limit of the rate; disc may be a bucket
    // Timers of ns-3 still point at them.
    std::vector<ns3::Ptr<ns3::QueueDisc>> retired;
    ns3::Ptr<ns3::ErrorModel> loss;
    unsigned loss_count = 0; // models so far: each has its own random stream
    wzp_sim_link_cfg cfg = {};
};

class wire final : public link {
  public:
    wire(world &in, size_t index, const std::string &called, size_t a, size_t b,
         const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba);
    void send(unsigned direction, cargo *what) override;
    bool lost(unsigned direction, uint32_t bytes) override;
    void set(unsigned direction, const wzp_sim_link_cfg &cfg) override;
    bool pcap(unsigned end, const char *path) override;

  private:
    ns3::Ptr<ns3::PointToPointNetDevice> add_device(size_t node);
    void capture(unsigned end, ns3::Ptr<const ns3::Packet> packet);

    world &home;
    ns3::Ptr<wire_channel> channel;
    std::unique_ptr<wire_way> ways[2];
    std::unique_ptr<cross_traffic> cross[2];
    ns3::Ptr<ns3::PcapFileWrapper> files[2];
};

// The queue disc of a description; not initialised.
ns3::Ptr<ns3::QueueDisc> make_queue(const wzp_sim_link_cfg &cfg, const std::string &name);

// A token bucket in front of it, which is initialised: the device then has no rate of its own.
ns3::Ptr<ns3::QueueDisc> in_bucket(ns3::Ptr<ns3::QueueDisc> queue, const wzp_sim_rate_cfg &rate);

// Bytes that may wait, where the disc itself counts packets; 0: no such limit.
uint64_t byte_limit(const wzp_sim_link_cfg &cfg);

} // namespace wzp_ns3

#endif
