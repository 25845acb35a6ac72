// One LTE cell of 10 MHz with one phone, 100 m from the base station, and the core network behind
// it; end 1 is a server next to the gateway.  Each link has a cell of its own.
#include <ns3/data-rate.h>
#include <ns3/ipv4-static-routing-helper.h>
#include <ns3/lte-helper.h>
#include <ns3/mobility-helper.h>
#include <ns3/point-to-point-epc-helper.h>
#include <ns3/point-to-point-helper.h>
#include <ns3/position-allocator.h>
#include <ns3/uinteger.h>

#include "sim/ns3/radio.hpp"

namespace wzp_ns3 {

namespace {

constexpr uint64_t core_rate = UINT64_C(100000000000);
constexpr uint32_t resource_blocks = 50; // 10 MHz

class lte final : public radio {
  public:
    lte(world &in, size_t index, const std::string &name, const wzp_sim_link_cfg *ab,
        const wzp_sim_link_cfg *ba)
        : radio(in, index, name), cell(ns3::CreateObject<ns3::LteHelper>()),
          core(ns3::CreateObject<ns3::PointToPointEpcHelper>()) {
        cell->SetEpcHelper(core);
        const auto phone = make_full_node(name + " phone");
        const auto server = make_full_node(name + " server");
        const ns3::Ipv4Address server_address = connect_server(server);
        const ns3::Ipv4Address phone_address = attach(phone, name);
        open(0, phone, phone_address);
        open(1, server, server_address);
        set(0, *ab);
        set(1, *ba);
    }

    // The radio side has no packets that a capture could show.
    bool pcap(unsigned end, const char *path) override {
        if (end == 0 || !writable(path)) {
            return false;
        }
        capture();
        wires.EnablePcap(path, server_device, true, true);
        return true;
    }

  private:
    // Beside the gateway, over a wire that takes no time.
    ns3::Ipv4Address connect_server(ns3::Ptr<ns3::Node> server) {
        const auto gateway = core->GetPgwNode();
        wires.SetDeviceAttribute("DataRate", ns3::DataRateValue(ns3::DataRate(core_rate)));
        wires.SetDeviceAttribute("Mtu", ns3::UintegerValue(65535));
        wires.DisableFlowControl();
        const auto devices = wires.Install(gateway, server);
        const ns3::Ipv4Address gateway_address("198.18.0.1");
        const ns3::Ipv4Address server_address("198.18.0.2");
        add_address(gateway, devices.Get(0), gateway_address, ns3::Ipv4Mask("/30"));
        add_address(server, devices.Get(1), server_address, ns3::Ipv4Mask("/30"));
        const auto routes =
            ns3::Ipv4StaticRoutingHelper().GetStaticRouting(server->GetObject<ns3::Ipv4>());
        routes->AddNetworkRouteTo(ns3::Ipv4Address("7.0.0.0"), ns3::Ipv4Mask("/8"), gateway_address,
                                  1);
        server_device = devices.Get(1);
        return server_address;
    }

    ns3::Ipv4Address attach(ns3::Ptr<ns3::Node> phone, const std::string &name) {
        const auto base = ns3::CreateObject<ns3::Node>();
        place({base, phone});
        cell->SetEnbDeviceAttribute("DlBandwidth", ns3::UintegerValue(resource_blocks));
        cell->SetEnbDeviceAttribute("UlBandwidth", ns3::UintegerValue(resource_blocks));
        const auto base_device = cell->InstallEnbDevice(base);
        const auto phone_device = cell->InstallUeDevice(phone);
        cell->AssignStreams(base_device, world::stream(name + " base station"));
        cell->AssignStreams(phone_device, world::stream(name + " phone radio"));
        const auto address = core->AssignUeIpv4Address(phone_device).GetAddress(0);
        ns3::Ipv4StaticRoutingHelper()
            .GetStaticRouting(phone->GetObject<ns3::Ipv4>())
            ->SetDefaultRoute(core->GetUeDefaultGatewayAddress(), 1);
        cell->Attach(phone_device.Get(0), base_device.Get(0));
        return address;
    }

    static void place(const ns3::NodeContainer &nodes) {
        const auto where = ns3::CreateObject<ns3::ListPositionAllocator>();
        where->Add(ns3::Vector(0, 0, 30));
        where->Add(ns3::Vector(100, 0, 1.5));
        ns3::MobilityHelper mobility;
        mobility.SetPositionAllocator(where);
        mobility.SetMobilityModel("ns3::ConstantPositionMobilityModel");
        mobility.Install(nodes);
    }

    ns3::Ptr<ns3::LteHelper> cell;
    ns3::Ptr<ns3::PointToPointEpcHelper> core;
    ns3::PointToPointHelper wires;
    ns3::Ptr<ns3::NetDevice> server_device;
};

} // namespace

std::unique_ptr<link> make_lte(world &in, size_t index, const std::string &name,
                               const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba) {
    return std::make_unique<lte>(in, index, name, ab, ba);
}

} // namespace wzp_ns3
