#include "sim/ns3/cross.hpp"

#include <cmath>

#include <ns3/ipv4-header.h>
#include <ns3/random-variable-stream.h>
#include <ns3/simulator.h>
#include <ns3/udp-header.h>

namespace wzp_ns3 {

namespace {

constexpr uint8_t proto_udp = 17;
constexpr uint64_t segment = 4 * WZP_S; // of video

// Packets at a constant rate, or with exponential gaps.
class generator final : public inner_sink {
  public:
    generator(world &in, outlet &to, const wzp_sim_cross_cfg &described, const std::string &name)
        : home(in), out(to), cfg(described), template_packet(make_packet(described)),
          flow(static_cast<uint64_t>(world::stream(name))),
          gap(ns3::CreateObject<ns3::ExponentialRandomVariable>()), begin(in.now()) {
        gap->SetStream(world::stream(name));
        ns3::Simulator::Schedule(in.to_ns3(wzp_time_after(begin, cfg.from)), &generator::next,
                                 this);
    }
    void take(ns3::Ptr<ns3::Packet>) override {
    }

  private:
    static ns3::Ptr<ns3::Packet> make_packet(const wzp_sim_cross_cfg &cfg) {
        const uint32_t bytes = cfg.packet != 0 ? cfg.packet : default_packet;
        const auto packet = ns3::Create<ns3::Packet>(bytes - udp_headers);
        packet->AddHeader(ns3::UdpHeader());
        ns3::Ipv4Header ip;
        ip.SetSource(ns3::Ipv4Address(UINT32_C(0xc6120001))); // 198.18.0.1, RFC 2544
        ip.SetDestination(ns3::Ipv4Address(UINT32_C(0xc6120002)));
        ip.SetProtocol(proto_udp);
        ip.SetPayloadSize(static_cast<uint16_t>(packet->GetSize()));
        packet->AddHeader(ip);
        return packet;
    }
    void next() {
        if (cfg.until != 0 && home.now() >= wzp_time_after(begin, cfg.until)) {
            return;
        }
        out.send(home.load(template_packet->Copy(), flow, this));
        ns3::Simulator::Schedule(pause(), &generator::next, this);
    }
    ns3::Time pause() const {
        const double bits = 8.0 * template_packet->GetSize();
        const double mean = bits * 1e9 / static_cast<double>(cfg.bits_per_s);
        switch (cfg.kind) {
        case WZP_SIM_CROSS_POISSON:
            return ns3::NanoSeconds(whole(gap->GetValue(mean, 0)));
        case WZP_SIM_CROSS_VIDEO:
            return ns3::NanoSeconds(video(whole(mean / 2)));
        default:
            return ns3::NanoSeconds(whole(mean));
        }
    }
    // Half of each segment at twice the rate, then nothing.
    uint64_t video(uint64_t gap_ns) const {
        const uint64_t within = (home.now() - begin - cfg.from) % segment;
        const uint64_t next = within + gap_ns;
        return next < segment / 2 ? gap_ns : segment - within;
    }

    world &home;
    outlet &out;
    wzp_sim_cross_cfg cfg;
    ns3::Ptr<ns3::Packet> template_packet;
    uint64_t flow;
    ns3::Ptr<ns3::ExponentialRandomVariable> gap;
    wzp_time begin;
};

} // namespace

std::unique_ptr<cross_traffic>
cross_traffic::make(world &in, outlet &out, const wzp_sim_link_cfg &cfg, const std::string &name) {
    auto all = std::make_unique<cross_traffic>();
    for (size_t i = 0; i < WZP_SIM_CROSS_MAX; i++) {
        const wzp_sim_cross_cfg &one = cfg.cross[i];
        const std::string called = name + " cross " + std::to_string(i);
        switch (one.kind) {
        case WZP_SIM_CROSS_CBR:
        case WZP_SIM_CROSS_POISSON:
        case WZP_SIM_CROSS_VIDEO:
            all->sources.push_back(std::make_unique<generator>(in, out, one, called));
            break;
        case WZP_SIM_CROSS_RENO:
        case WZP_SIM_CROSS_CUBIC:
            all->sources.push_back(out.make_tcp(one, called));
            break;
        case WZP_SIM_CROSS_NONE:
            continue;
        }
        in.add_source();
    }
    return all->sources.empty() ? nullptr : std::move(all);
}

} // namespace wzp_ns3
