#include "sim/ns3/radio.hpp"

#include <algorithm>
#include <cstdio>

#include <ns3/inet-socket-address.h>
#include <ns3/simulator.h>
#include <ns3/udp-socket-factory.h>

#include "sim/ns3/laws.hpp"

namespace wzp_ns3 {

namespace {

constexpr uint16_t carrier_port = 4000;
constexpr uint32_t largest = 65535;

// A medium does not say what it lost: who has not arrived by then will not.
constexpr uint64_t patience = 10 * WZP_S;

} // namespace

NS_OBJECT_ENSURE_REGISTERED(number_tag);

ns3::TypeId number_tag::GetTypeId() {
    static const ns3::TypeId id =
        ns3::TypeId("wzp_ns3::number_tag").SetParent<ns3::Tag>().AddConstructor<number_tag>();
    return id;
}

// --- one direction -------------------------------------------------------------------------------

radio_way::radio_way(world &in, radio &of, unsigned which) : home(in), whole(of), direction(which) {
}

void radio_way::set(const wzp_sim_link_cfg &to) {
    const std::string name = whole.name() + (direction == 0 ? " ab" : " ba");
    if (!same_loss(loss_cfg, to.loss)) {
        loss_cfg = to.loss;
        loss = make_loss(to.loss, name + " " + std::to_string(loss_count++));
    }
    if (!described) {
        cross = cross_traffic::make(home, *this, to, name);
        described = true;
    }
}

bool radio_way::lost(uint32_t bytes) {
    return loss != nullptr && loss->IsCorrupt(ns3::Create<ns3::Packet>(bytes));
}

std::unique_ptr<inner_sink> radio_way::make_tcp(const wzp_sim_cross_cfg &cfg,
                                                const std::string &name) {
    // Its packets find their own way through the medium.
    class over_the_air final : public inner_sink {
      public:
        over_the_air(world &in, const wzp_sim_cross_cfg &cfg, const radio::side &from,
                     const radio::side &to, uint16_t port, const std::string &name)
            : flows(in, cfg, from.node, to.node, to.address, port, name) {
        }
        void take(ns3::Ptr<ns3::Packet>) override {
        }

      private:
        tcp_flows flows;
    };
    return std::make_unique<over_the_air>(home, cfg, whole.end(direction), whole.end(1 - direction),
                                          tcp_port++, name);
}

void radio_way::send(cargo *what) {
    const uint32_t len = std::max(what->bytes, udp_headers + 1) - udp_headers;
    ns3::Ptr<ns3::Packet> packet;
    if (whole.captured()) {
        uint8_t bytes[largest] = {0};
        (void)home.bytes(what, bytes, sizeof bytes);
        packet = ns3::Create<ns3::Packet>(bytes + udp_headers, len);
    } else {
        packet = ns3::Create<ns3::Packet>(len);
    }
    packet->AddByteTag(number_tag(next_number));
    const radio::side &from = whole.end(direction);
    ns3::InetSocketAddress to(whole.end(1 - direction).address, carrier_port);
    to.SetTos(what->tos); // Wi-Fi's access categories go by it
    under_way.emplace(next_number++, sent{what, home.now()});
    if (from.socket->SendTo(packet, 0, to) < 0) {
        under_way.erase(next_number - 1);
        home.dropped(what, WZP_SIM_DROP_QUEUE);
    } else if (!waits) {
        waits = true;
        ns3::Simulator::Schedule(ns3::NanoSeconds(patience), &radio_way::give_up, this);
    }
}

void radio_way::received(uint64_t number) {
    const auto found = under_way.find(number);
    if (found != under_way.end()) {
        cargo *what = found->second.what;
        under_way.erase(found);
        home.arrived(what);
    }
}

void radio_way::give_up() {
    waits = false;
    while (!under_way.empty()) {
        const sent oldest = under_way.begin()->second;
        const wzp_time due = oldest.at + patience;
        if (due > home.now()) {
            waits = true;
            ns3::Simulator::Schedule(home.to_ns3(due), &radio_way::give_up, this);
            return;
        }
        under_way.erase(under_way.begin());
        home.dropped(oldest.what, WZP_SIM_DROP_LOSS);
    }
}

// --- the whole -----------------------------------------------------------------------------------

radio::radio(world &in, size_t index, const std::string &name)
    : link(index, name), ways{{in, *this, 0}, {in, *this, 1}} {
}

void radio::open(unsigned end, ns3::Ptr<ns3::Node> node, ns3::Ipv4Address address) {
    const auto socket = ns3::Socket::CreateSocket(node, ns3::UdpSocketFactory::GetTypeId());
    socket->Bind(ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), carrier_port));
    socket->SetRecvCallback(
        ns3::Callback<void, ns3::Ptr<ns3::Socket>>([this, end](ns3::Ptr<ns3::Socket> from) {
            while (const auto packet = from->Recv()) {
                number_tag tag;
                if (packet->FindFirstMatchingByteTag(tag)) {
                    ways[1 - end].received(tag.value());
                }
            }
        }));
    sides[end] = {node, address, socket};
}

void radio::send(unsigned direction, cargo *what) {
    ways[direction].send(what);
}

bool radio::lost(unsigned direction, uint32_t bytes) {
    return ways[direction].lost(bytes);
}

void radio::set(unsigned direction, const wzp_sim_link_cfg &cfg) {
    ways[direction].set(cfg);
}

// ns-3 aborts where it cannot write.
bool radio::writable(const char *path) {
    std::FILE *file = std::fopen(path, "wb");
    return file != nullptr && std::fclose(file) == 0;
}

} // namespace wzp_ns3
