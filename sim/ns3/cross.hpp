// Traffic that nobody simulated here sent: generators, and TCP between nodes of ns-3.
#ifndef WZP_SIM_NS3_CROSS_HPP
#define WZP_SIM_NS3_CROSS_HPP

#include <ns3/ipv4-address.h>
#include <ns3/node.h>
#include <ns3/socket.h>

#include "sim/ns3/world.hpp"

namespace wzp_ns3 {

constexpr uint32_t default_packet = 1500;

// Where cross traffic enters: it shares a queue with the packets of the simulation.
class outlet {
  public:
    outlet() = default;
    outlet(const outlet &) = delete;
    outlet &operator=(const outlet &) = delete;
    virtual ~outlet() = default;
    virtual void send(cargo *what) = 0;
    // Greedy flows that leave here.
    virtual std::unique_ptr<inner_sink> make_tcp(const wzp_sim_cross_cfg &cfg,
                                                 const std::string &name) = 0;
};

class cross_traffic {
  public:
    // All that a direction is described with.  NULL: none.
    static std::unique_ptr<cross_traffic> make(world &in, outlet &out, const wzp_sim_link_cfg &cfg,
                                               const std::string &name);

  private:
    std::vector<std::unique_ptr<inner_sink>> sources;
};

// Greedy TCP flows between two nodes that have a way to each other.
class tcp_flows {
  public:
    tcp_flows(world &in, const wzp_sim_cross_cfg &described, ns3::Ptr<ns3::Node> from,
              ns3::Ptr<ns3::Node> to, ns3::Ipv4Address remote, uint16_t remote_port,
              const std::string &name);
    bool over() const {
        return ended;
    }

  private:
    void listen(ns3::Ptr<ns3::Node> at) const;
    void start();
    void end();
    void fill(ns3::Ptr<ns3::Socket> socket);

    wzp_sim_cross_cfg cfg;
    ns3::Ptr<ns3::Node> sender;
    ns3::Ipv4Address address;
    uint16_t port;
    std::vector<ns3::Ptr<ns3::Socket>> sockets;
    bool ended = false;
};

// The same over a link of point-to-point devices.  `base`: its one-way delay, which is part of the
// round trip.
std::unique_ptr<inner_sink> make_tcp_loop(world &in, outlet &out, const wzp_sim_cross_cfg &cfg,
                                          uint64_t base, const std::string &name);

// A node with an IPv4 stack and no interfaces yet.
ns3::Ptr<ns3::Node> make_full_node(const std::string &name);
void add_address(ns3::Ptr<ns3::Node> node, ns3::Ptr<ns3::NetDevice> device,
                 ns3::Ipv4Address address, ns3::Ipv4Mask mask);

} // namespace wzp_ns3

#endif
