#include "sim/ns3/wire.hpp"

#include <algorithm>

#include <ns3/data-rate.h>
#include <ns3/drop-tail-queue.h>
#include <ns3/mac48-address.h>
#include <ns3/node-list.h>
#include <ns3/node.h>
#include <ns3/simulator.h>
#include <ns3/tbf-queue-disc.h>

#include "sim/ns3/cargo.hpp"

namespace wzp_ns3 {

namespace {

constexpr uint32_t ppp_header = 2; // the device puts it on; it counts as part of the overhead
constexpr uint64_t endless_rate = UINT64_C(100000000000000000); // takes 0 ns
constexpr uint32_t link_type_ppp = 9, snap_all = 65535 + ppp_header;

bool same_queue(const wzp_sim_link_cfg &a, const wzp_sim_link_cfg &b) {
    const wzp_sim_queue_cfg &x = a.queue;
    const wzp_sim_queue_cfg &y = b.queue;
    return (a.rate.bits_per_s == 0) == (b.rate.bits_per_s == 0) && a.rate.burst == b.rate.burst &&
           x.kind == y.kind && x.limit_packets == y.limit_packets &&
           (x.limit_bytes == 0) == (y.limit_bytes == 0) && (x.limit_ns == 0) == (y.limit_ns == 0) &&
           x.target == y.target && x.interval == y.interval && x.ecn == y.ecn;
}

} // namespace

// --- channel -------------------------------------------------------------------------------------

NS_OBJECT_ENSURE_REGISTERED(wire_channel);

ns3::TypeId wire_channel::GetTypeId() {
    static const ns3::TypeId id = ns3::TypeId("wzp_ns3::wire_channel")
                                      .SetParent<ns3::PointToPointChannel>()
                                      .AddConstructor<wire_channel>();
    return id;
}

bool wire_channel::TransmitStart(ns3::Ptr<const ns3::Packet> packet,
                                 ns3::Ptr<ns3::PointToPointNetDevice> from, ns3::Time sending) {
    const uint32_t way = from == GetSource(0) ? 0 : 1;
    const auto to = GetDestination(way);
    ns3::Simulator::ScheduleWithContext(to->GetNode()->GetId(), laws[way].next(sending),
                                        &ns3::PointToPointNetDevice::Receive, to, packet->Copy());
    return true;
}

// --- one direction -------------------------------------------------------------------------------

wire_way::wire_way(world &in, std::string called, ns3::Ptr<ns3::PointToPointNetDevice> from)
    : home(in), name(std::move(called)), device(from),
      gate(ns3::CreateObject<ns3::NetDeviceQueueInterface>()) {
    device->TraceConnectWithoutContext("PhyTxEnd", ns3::MakeCallback(&wire_way::sent, this));
}

wire_way::~wire_way() {
    gate->GetTxQueue(0)->SetWakeCallback(ns3::MakeNullCallback<void>());
    if (disc != nullptr) {
        retired.push_back(disc);
    }
    for (const auto &old : retired) {
        old->SetNetDeviceQueueInterface(nullptr); // they own each other
    }
}

void wire_way::set(const wzp_sim_link_cfg &to) {
    const wzp_sim_link_cfg was = cfg;
    cfg = to;
    if (!same_loss(was.loss, cfg.loss)) {
        loss = make_loss(cfg.loss, name + " " + std::to_string(loss_count++));
    }
    const bool serial = cfg.rate.bits_per_s != 0 && cfg.rate.burst == 0;
    device->SetDataRate(ns3::DataRate(serial ? cfg.rate.bits_per_s : endless_rate));
    if (!same_queue(was, cfg)) {
        set_disc();
    } else if (cfg.rate.burst != 0) {
        ns3::StaticCast<ns3::TbfQueueDisc>(disc)->SetRate(ns3::DataRate(cfg.rate.bits_per_s));
    }
}

void wire_way::set_disc() {
    const auto old_disc = disc;
    const auto old_queue = queue;
    const auto tx = gate->GetTxQueue(0);
    disc = queue = nullptr;
    tx->SetWakeCallback(ns3::MakeNullCallback<void>());
    if (cfg.rate.bits_per_s != 0) {
        queue = make_queue(cfg, name);
        disc = cfg.rate.burst != 0 ? in_bucket(queue, cfg.rate) : queue;
        disc->SetNetDeviceQueueInterface(gate);
        disc->SetSendCallback([this](ns3::Ptr<ns3::QueueDiscItem> next) { transmit(next); });
        disc->TraceConnectWithoutContext("Drop", ns3::MakeCallback(&wire_way::refused, this));
        disc->Initialize();
        tx->SetWakeCallback(ns3::MakeCallback(&ns3::QueueDisc::Run, disc));
    }
    if (old_disc != nullptr) {
        move_from(old_queue);
        retired.push_back(old_disc);
    }
}

// What waits there counts its time from now on.
void wire_way::move_from(ns3::Ptr<ns3::QueueDisc> old) {
    while (const auto next = old->Dequeue()) {
        send(ns3::StaticCast<item>(next)->what());
    }
}

bool wire_way::lost(uint32_t bytes) {
    return loss != nullptr && loss->IsCorrupt(ns3::Create<ns3::Packet>(bytes));
}

void wire_way::send(cargo *what) {
    const uint32_t len = what->bytes + cfg.rate.overhead;
    const auto packet = ns3::Create<ns3::Packet>(len - ppp_header);
    packet->AddPacketTag(cargo_tag(what));
    const auto queued = ns3::Create<item>(packet, what, len);
    if (disc == nullptr) {
        transmit(queued);
    } else if (fits(len)) {
        disc->Enqueue(queued);
        disc->Run();
    } else {
        home.dropped(what, WZP_SIM_DROP_QUEUE);
    }
}

// What the disc does not count itself.  A packet always fits into an empty queue.
bool wire_way::fits(uint32_t len) const {
    const uint64_t most = byte_limit(cfg);
    const bool waits = disc->GetNPackets() > 0;
    return (!waits || most == 0 || disc->GetNBytes() + len <= most) &&
           (cfg.rate.burst == 0 || len <= cfg.rate.burst);
}

std::unique_ptr<inner_sink> wire_way::make_tcp(const wzp_sim_cross_cfg &flows,
                                               const std::string &called) {
    return make_tcp_loop(home, *this, flows, cfg.delay.base, called);
}

void wire_way::transmit(ns3::Ptr<ns3::QueueDiscItem> next) {
    gate->GetTxQueue(0)->Stop();
    device->Send(next->GetPacket(), device->GetBroadcast(), next->GetProtocol());
}

void wire_way::sent(ns3::Ptr<const ns3::Packet>) {
    const auto tx = gate->GetTxQueue(0);
    if (disc != nullptr && disc->GetNPackets() > 0) {
        tx->Wake();
    } else {
        tx->Start();
    }
}

void wire_way::refused(ns3::Ptr<const ns3::QueueDiscItem> dropped) {
    home.dropped(ns3::StaticCast<const item>(dropped)->what(), WZP_SIM_DROP_QUEUE);
}

// --- both directions -----------------------------------------------------------------------------

wire::wire(world &in, size_t index, const std::string &called, size_t a, size_t b,
           const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba)
    : link(index, called), home(in), channel(ns3::CreateObject<wire_channel>()) {
    const ns3::Ptr<ns3::PointToPointNetDevice> devices[2] = {add_device(a), add_device(b)};
    ways[0] = std::make_unique<wire_way>(home, called + " ab", devices[0]);
    ways[1] = std::make_unique<wire_way>(home, called + " ba", devices[1]);
    set(0, *ab);
    set(1, *ba);
}

ns3::Ptr<ns3::PointToPointNetDevice> wire::add_device(size_t node) {
    const auto device = ns3::CreateObject<ns3::PointToPointNetDevice>();
    device->SetAddress(ns3::Mac48Address::Allocate());
    ns3::NodeList::GetNode(static_cast<uint32_t>(node))->AddDevice(device);
    const auto none = ns3::CreateObject<ns3::DropTailQueue<ns3::Packet>>();
    none->SetMaxSize(ns3::QueueSize(ns3::QueueSizeUnit::PACKETS, INT32_MAX));
    device->SetQueue(none);
    device->Attach(channel);
    // Not through the node, which would search its handlers for every packet.
    device->SetReceiveCallback([&in = home](ns3::Ptr<ns3::NetDevice>,
                                            ns3::Ptr<const ns3::Packet> packet, uint16_t,
                                            const ns3::Address &) {
        in.arrived(cargo_tag::of(*packet));
        return true;
    });
    return device;
}

void wire::send(unsigned direction, cargo *what) {
    ways[direction]->send(what);
}

bool wire::lost(unsigned direction, uint32_t bytes) {
    return ways[direction]->lost(bytes);
}

void wire::set(unsigned direction, const wzp_sim_link_cfg &cfg) {
    channel->law(direction).set(cfg.delay, name() + (direction == 0 ? " ab" : " ba"));
    ways[direction]->set(cfg);
    if (cross[direction] == nullptr) {
        cross[direction] = cross_traffic::make(home, *ways[direction], cfg,
                                               name() + (direction == 0 ? " ab" : " ba"));
    }
}

// --- capture -------------------------------------------------------------------------------------

bool wire::pcap(unsigned end, const char *path) {
    const auto file = ns3::CreateObject<ns3::PcapFileWrapper>();
    file->SetAttribute("NanosecMode", ns3::BooleanValue(true));
    file->Open(path, std::ios::out);
    if (file->Fail()) {
        return false;
    }
    file->Init(link_type_ppp, snap_all);
    files[end] = file;
    const auto device = channel->GetPointToPointDevice(end);
    device->TraceConnectWithoutContext(
        "PromiscSniffer",
        ns3::Callback<void, ns3::Ptr<const ns3::Packet>>(
            [this, end](ns3::Ptr<const ns3::Packet> packet) { capture(end, packet); }));
    return true;
}

// The bytes come from the owner: the packet that ns-3 carries has only their number.
void wire::capture(unsigned end, ns3::Ptr<const ns3::Packet> packet) {
    uint8_t frame[snap_all];
    const size_t len =
        home.bytes(cargo_tag::of(*packet), frame + ppp_header, sizeof frame - ppp_header);
    const bool v6 = len > 0 && (frame[ppp_header] >> 4) == 6;
    frame[0] = 0; // RFC 1661, protocol field
    frame[1] = v6 ? 0x57 : 0x21;
    const wzp_time now = home.now();
    files[end]->Write(ns3::NanoSeconds(now), frame, static_cast<uint32_t>(len) + ppp_header);
}

std::unique_ptr<link> make_wire(world &in, size_t index, const std::string &name, size_t a,
                                size_t b, const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba) {
    return std::make_unique<wire>(in, index, name, a, b, ab, ba);
}

} // namespace wzp_ns3
