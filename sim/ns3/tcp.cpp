#include <algorithm>

#include <ns3/inet-socket-address.h>
#include <ns3/internet-stack-helper.h>
#include <ns3/ipv4-static-routing-helper.h>
#include <ns3/ipv4.h>
#include <ns3/mac48-address.h>
#include <ns3/packet-sink.h>
#include <ns3/random-variable-stream.h>
#include <ns3/simulator.h>
#include <ns3/tcp-cubic.h>
#include <ns3/tcp-l4-protocol.h>
#include <ns3/tcp-linux-reno.h>
#include <ns3/tcp-socket-base.h>
#include <ns3/tcp-socket-factory.h>
#include <ns3/tcp-tx-buffer.h>
#include <ns3/uinteger.h>
#include <ns3/virtual-net-device.h>

#include "sim/ns3/cross.hpp"

namespace wzp_ns3 {

namespace {

constexpr uint32_t tcp_headers = 52; // IPv4, TCP with time stamps
constexpr uint64_t default_rtt = 40 * WZP_MS;
constexpr uint16_t discard_port = 9;
constexpr uint32_t ahead = 1 << 20;

uint64_t rtt_of(const wzp_sim_cross_cfg &cfg) {
    return cfg.rtt != 0 ? cfg.rtt : default_rtt;
}

uint32_t packet_size(const wzp_sim_cross_cfg &cfg) {
    return cfg.packet != 0 ? cfg.packet : default_packet;
}

} // namespace

// --- nodes ---------------------------------------------------------------------------------------

ns3::Ptr<ns3::Node> make_full_node(const std::string &name) {
    const auto node = ns3::CreateObject<ns3::Node>();
    ns3::InternetStackHelper stack;
    stack.SetRoutingHelper(ns3::Ipv4StaticRoutingHelper());
    stack.SetIpv6StackInstall(false);
    stack.Install(node);
    stack.AssignStreams(ns3::NodeContainer(node), world::stream(name));
    return node;
}

// Not with Ipv4AddressHelper, which installs queue discs that nobody asked for.
void add_address(ns3::Ptr<ns3::Node> node, ns3::Ptr<ns3::NetDevice> device,
                 ns3::Ipv4Address address, ns3::Ipv4Mask mask) {
    const auto ip = node->GetObject<ns3::Ipv4>();
    const uint32_t number = ip->AddInterface(device);
    ip->AddAddress(number, ns3::Ipv4InterfaceAddress(address, mask));
    ip->SetUp(number);
}

// --- flows ---------------------------------------------------------------------------------------

tcp_flows::tcp_flows(world &in, const wzp_sim_cross_cfg &described, ns3::Ptr<ns3::Node> from,
                     ns3::Ptr<ns3::Node> to, ns3::Ipv4Address remote, uint16_t remote_port,
                     const std::string &name)
    : cfg(described), sender(from), address(remote), port(remote_port) {
    listen(to);
    // Flows that begin together would lose together.
    const auto apart = ns3::CreateObject<ns3::UniformRandomVariable>();
    apart->SetStream(world::stream(name + " apart"));
    const double most = 2.0 * static_cast<double>(rtt_of(cfg));
    const wzp_time begin = in.now();
    const ns3::Time first = in.to_ns3(wzp_time_after(begin, cfg.from));
    for (uint32_t i = 0; i < cfg.flows; i++) {
        const double wait = i == 0 ? 0 : apart->GetValue(0, most);
        ns3::Simulator::Schedule(first + ns3::NanoSeconds(whole(wait)), &tcp_flows::start, this);
    }
    if (cfg.until != 0) {
        ns3::Simulator::Schedule(in.to_ns3(wzp_time_after(begin, cfg.until)), &tcp_flows::end,
                                 this);
    }
}

void tcp_flows::listen(ns3::Ptr<ns3::Node> at) const {
    const auto sink = ns3::CreateObject<ns3::PacketSink>();
    const ns3::InetSocketAddress local(ns3::Ipv4Address::GetAny(), port);
    sink->SetAttribute("Protocol", ns3::TypeIdValue(ns3::TcpSocketFactory::GetTypeId()));
    sink->SetAttribute("Local", ns3::AddressValue(local));
    at->AddApplication(sink);
}

// The node's default names the congestion control: flows of both kinds may share a node.
void tcp_flows::start() {
    if (ended) {
        return;
    }
    sender->GetObject<ns3::TcpL4Protocol>()->SetAttribute(
        "SocketType",
        ns3::TypeIdValue(cfg.kind == WZP_SIM_CROSS_CUBIC ? ns3::TcpCubic::GetTypeId()
                                                         : ns3::TcpLinuxReno::GetTypeId()));
    const auto socket = ns3::Socket::CreateSocket(sender, ns3::TcpSocketFactory::GetTypeId());
    socket->SetAttribute("SegmentSize", ns3::UintegerValue(packet_size(cfg) - tcp_headers));
    socket->Bind();
    socket->SetConnectCallback(ns3::MakeCallback(&tcp_flows::fill, this),
                               ns3::MakeNullCallback<void, ns3::Ptr<ns3::Socket>>());
    socket->SetSendCallback(ns3::Callback<void, ns3::Ptr<ns3::Socket>, uint32_t>(
        [this](ns3::Ptr<ns3::Socket> ready, uint32_t) { fill(ready); }));
    socket->Connect(ns3::InetSocketAddress(address, port));
    socket->ShutdownRecv();
    sockets.push_back(socket);
}

void tcp_flows::end() {
    ended = true;
    for (const auto &socket : sockets) {
        socket->Close();
    }
}

// More than may go out now, selective acknowledgements included, but not much more: what waits in
// the buffer would still be sent after the end.
void tcp_flows::fill(ns3::Ptr<ns3::Socket> socket) {
    const auto buffer = ns3::DynamicCast<ns3::TcpSocketBase>(socket)->GetTxBuffer();
    const uint32_t wanted = buffer->BytesInFlight() + ahead;
    while (!ended && buffer->Size() < wanted && socket->GetTxAvailable() > 0) {
        const uint32_t size = std::min(wanted - buffer->Size(), socket->GetTxAvailable());
        if (socket->Send(ns3::Create<ns3::Packet>(size)) < 0) {
            return;
        }
    }
}

// --- over a link ---------------------------------------------------------------------------------

namespace {

// Data share the queue of the link; acknowledgements come back over a path of their own, so that
// the other direction stays as it was described:
//
//     sender --> queue, rate, delay of the link --> receiver
//            <--------- rest of the round trip ----
class tcp_loop final : public inner_sink {
  public:
    tcp_loop(world &in, outlet &to, const wzp_sim_cross_cfg &described, uint64_t base,
             const std::string &name)
        : home(in), out(to), cfg(described), hash(static_cast<uint64_t>(world::stream(name))),
          back(ns3::NanoSeconds(std::max(rtt_of(cfg), base) - base)),
          sender(add_device(name + " sender", sender_ip)),
          receiver(add_device(name + " receiver", receiver_ip)),
          flows(in, described, sender->GetNode(), receiver->GetNode(), receiver_ip, discard_port,
                name) {
        sender->SetSendCallback([this](ns3::Ptr<ns3::Packet> packet, const ns3::Address &,
                                       const ns3::Address &, uint16_t) {
            if (!flows.over()) {
                out.send(home.load(packet->Copy(), flow_of(*packet), this));
            }
            return true;
        });
        receiver->SetSendCallback([this](ns3::Ptr<ns3::Packet> packet, const ns3::Address &,
                                         const ns3::Address &, uint16_t) {
            ns3::Simulator::Schedule(back, &tcp_loop::hand_in, sender, packet->Copy());
            return true;
        });
    }

    void take(ns3::Ptr<ns3::Packet> packet) override {
        hand_in(receiver, packet);
    }

  private:
    ns3::Ptr<ns3::VirtualNetDevice> add_device(const std::string &name, ns3::Ipv4Address address) {
        const auto node = make_full_node(name);
        const auto device = ns3::CreateObject<ns3::VirtualNetDevice>();
        device->SetAddress(ns3::Mac48Address::Allocate());
        device->SetNeedsArp(false);
        device->SetIsPointToPoint(true);
        device->SetMtu(static_cast<uint16_t>(packet_size(cfg)));
        node->AddDevice(device);
        add_address(node, device, address, ns3::Ipv4Mask("/30"));
        return device;
    }

    static void hand_in(ns3::Ptr<ns3::VirtualNetDevice> to, ns3::Ptr<ns3::Packet> packet) {
        to->Receive(packet, ethertype_ipv4, to->GetAddress(), to->GetAddress(),
                    ns3::NetDevice::PACKET_HOST);
    }

    // Flow queueing tells flows apart by the sender's port, behind 20 bytes of IPv4 header.
    uint64_t flow_of(const ns3::Packet &packet) const {
        uint8_t head[22];
        packet.CopyData(head, sizeof head);
        return hash + (static_cast<uint64_t>(head[20]) << 8) + head[21];
    }

    static const ns3::Ipv4Address sender_ip, receiver_ip;

    world &home;
    outlet &out;
    wzp_sim_cross_cfg cfg;
    uint64_t hash;
    ns3::Time back;
    ns3::Ptr<ns3::VirtualNetDevice> sender, receiver;
    tcp_flows flows;
};

const ns3::Ipv4Address tcp_loop::sender_ip("198.18.0.1"), tcp_loop::receiver_ip("198.18.0.2");

} // namespace

std::unique_ptr<inner_sink> make_tcp_loop(world &in, outlet &out, const wzp_sim_cross_cfg &cfg,
                                          uint64_t base, const std::string &name) {
    return std::make_unique<tcp_loop>(in, out, cfg, base, name);
}

} // namespace wzp_ns3
