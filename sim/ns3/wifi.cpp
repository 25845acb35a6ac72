// 802.11n in the 5 GHz band, 20 MHz, one station five metres from its access point, rates chosen
// by Minstrel.  Each link has air of its own.
#include <ns3/mobility-helper.h>
#include <ns3/position-allocator.h>
#include <ns3/ssid.h>
#include <ns3/string.h>
#include <ns3/wifi-mac-helper.h>
#include <ns3/wifi-net-device.h>
#include <ns3/yans-wifi-helper.h>

#include "sim/ns3/radio.hpp"

namespace wzp_ns3 {

namespace {

class wifi final : public radio {
  public:
    wifi(world &in, size_t index, const std::string &name, const wzp_sim_link_cfg *ab,
         const wzp_sim_link_cfg *ba)
        : radio(in, index, name) {
        const ns3::NodeContainer nodes(make_full_node(name + " station"),
                                       make_full_node(name + " access point"));
        place(nodes);
        const auto devices = install(nodes, name);
        const ns3::Ipv4Address addresses[2] = {ns3::Ipv4Address("198.18.0.1"),
                                               ns3::Ipv4Address("198.18.0.2")};
        for (unsigned end = 0; end < 2; end++) {
            add_address(nodes.Get(end), devices.Get(end), addresses[end], ns3::Ipv4Mask("/30"));
            open(end, nodes.Get(end), addresses[end]);
        }
        set(0, *ab);
        set(1, *ba);
    }

    bool pcap(unsigned end, const char *path) override {
        if (!writable(path)) {
            return false;
        }
        capture();
        phy.SetPcapDataLinkType(ns3::WifiPhyHelper::DLT_IEEE802_11_RADIO);
        phy.EnablePcap(path, this->end(end).node->GetDevice(device_index), false, true);
        return true;
    }

  private:
    static constexpr uint32_t device_index = 1; // behind the loopback device

    static void place(const ns3::NodeContainer &nodes) {
        const auto where = ns3::CreateObject<ns3::ListPositionAllocator>();
        where->Add(ns3::Vector(0, 0, 0));
        where->Add(ns3::Vector(5, 0, 0));
        ns3::MobilityHelper mobility;
        mobility.SetPositionAllocator(where);
        mobility.SetMobilityModel("ns3::ConstantPositionMobilityModel");
        mobility.Install(nodes);
    }

    ns3::NetDeviceContainer install(const ns3::NodeContainer &nodes, const std::string &name) {
        auto channel = ns3::YansWifiChannelHelper::Default();
        const auto air = channel.Create();
        channel.AssignStreams(air, world::stream(name + " air"));
        phy.SetChannel(air);
        phy.Set("ChannelSettings", ns3::StringValue("{0, 20, BAND_5GHZ, 0}"));
        ns3::WifiHelper helper;
        helper.SetStandard(ns3::WIFI_STANDARD_80211n);
        helper.SetRemoteStationManager("ns3::MinstrelHtWifiManager");
        ns3::WifiMacHelper mac;
        const ns3::SsidValue ssid(ns3::Ssid("wzp"));
        mac.SetType("ns3::StaWifiMac", "Ssid", ssid);
        auto devices = helper.Install(phy, mac, nodes.Get(0));
        mac.SetType("ns3::ApWifiMac", "Ssid", ssid);
        devices.Add(helper.Install(phy, mac, nodes.Get(1)));
        helper.AssignStreams(devices, world::stream(name + " wifi"));
        return devices;
    }

    ns3::YansWifiPhyHelper phy;
};

} // namespace

std::unique_ptr<link> make_wifi(world &in, size_t index, const std::string &name,
                                const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba) {
    return std::make_unique<wifi>(in, index, name, ab, ba);
}

} // namespace wzp_ns3
