#include "sim/ns3/world.hpp"

#include <algorithm>
#include <cstring>

#include <ns3/config.h>
#include <ns3/names.h>
#include <ns3/node-list.h>
#include <ns3/node.h>
#include <ns3/object-factory.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

#include "sim/ns3/radio.hpp"

namespace wzp_ns3 {

namespace {

world *the_world; // ns-3's simulator is a global as well

// Radio stations associate and neighbours are found in this second before ours begin.
const ns3::Time warm_up_time = ns3::Seconds(1);

// ns-3 numbers events with 32 bits and orders those of one instant by the number.
constexpr uint64_t events_of_ns3 = UINT32_MAX - 65536;

// Where ns-3's defaults are those of small examples.
void set_defaults() {
    constexpr uint32_t tcp_buffer = 6 << 20;   // as Linux lets it grow
    constexpr uint32_t radio_buffer = 1 << 20; // 10 kB throttle TCP
    ns3::Config::SetDefault("ns3::TcpSocket::SndBufSize", ns3::UintegerValue(tcp_buffer));
    ns3::Config::SetDefault("ns3::TcpSocket::RcvBufSize", ns3::UintegerValue(tcp_buffer));
    ns3::Config::SetDefault("ns3::TcpSocketBase::MinRto",
                            ns3::TimeValue(ns3::MilliSeconds(200))); // as Linux
    ns3::Config::SetDefault("ns3::LteRlcUm::MaxTxBufferSize", ns3::UintegerValue(radio_buffer));
    // A first burst finds its neighbour at once and loses nothing.
    ns3::Config::SetDefault("ns3::ArpL3Protocol::RequestJitter",
                            ns3::StringValue("ns3::ConstantRandomVariable[Constant=0]"));
    ns3::Config::SetDefault("ns3::ArpCache::PendingQueueSize", ns3::UintegerValue(1000));
}

} // namespace

NS_OBJECT_ENSURE_REGISTERED(horizon);

ns3::TypeId horizon::GetTypeId() {
    static const ns3::TypeId id = ns3::TypeId("wzp_ns3::horizon")
                                      .SetParent<ns3::PriorityQueueScheduler>()
                                      .AddConstructor<horizon>();
    return id;
}

horizon::horizon() = default;

void horizon::Insert(const Event &event) {
    PriorityQueueScheduler::Insert(event);
    if (the_world != nullptr) {
        the_world->scheduled();
    }
}

bool horizon::IsEmpty() const {
    return PriorityQueueScheduler::IsEmpty() || (the_world != nullptr && the_world->pauses(*this));
}

world *world::current() {
    return the_world;
}

world::world(const wzp_sim_engine_cfg &engine, const wzp_ns3_owner &packets)
    : cfg(engine), owner(packets) {
    constexpr uint64_t seeds = 4294944442; // what its generator accepts, RngSeedManager::SetSeed
    the_world = this;
    cfg.start = cfg.start != 0 ? cfg.start : WZP_S;
    cfg.max_events = cfg.max_events != 0 ? cfg.max_events : UINT64_C(1) << 40;
    cfg.max_queue = cfg.max_queue != 0 ? cfg.max_queue : UINT64_C(1) << 24;
    ns3::ObjectFactory factory;
    factory.SetTypeId(horizon::GetTypeId());
    ns3::Simulator::SetScheduler(factory);
    ns3::RngSeedManager::SetSeed(static_cast<uint32_t>(1 + (cfg.seed >> 32) % seeds));
    ns3::RngSeedManager::SetRun(cfg.seed & UINT32_MAX);
    set_defaults();
}

world::~world() {
    closing = true;
    ns3::Simulator::Destroy();
    links.clear();
    while (under_way != nullptr) {
        cargo *what = under_way;
        void *packet = what->packet;
        forget(what);
        if (packet != nullptr) {
            owner.release(owner.ctx, packet);
        }
    }
    ns3::Names::Clear();
    ns3::Config::Reset();
    the_world = nullptr;
}

// --- time ----------------------------------------------------------------------------------------

wzp_time world::now() const {
    const ns3::Time at = ns3::Simulator::Now();
    return at <= warm_up_time
               ? cfg.start
               : cfg.start + static_cast<uint64_t>((at - warm_up_time).GetNanoSeconds());
}

// ns-3's times are signed: what lies beyond 146 years is as good as never.
ns3::Time world::to_ns3(wzp_time at) const {
    const uint64_t wait = at > cfg.start ? at - cfg.start : 0;
    const ns3::Time when =
        warm_up_time +
        ns3::NanoSeconds(std::min<uint64_t>(wait, static_cast<uint64_t>(INT64_MAX) / 2));
    return std::max(when - ns3::Simulator::Now(), ns3::Time(0));
}

void world::at(wzp_time when, wzp_sim_task *task, void *self, void *arg) {
    if (when == WZP_TIME_NEVER) {
        return;
    }
    if (task_count >= cfg.max_queue) {
        task_lost = true;
        return;
    }
    task_count++;
    ns3::Simulator::Schedule(to_ns3(when), [this, task, self, arg] {
        task_count--;
        task(self, arg, now());
    });
}

// --- running -------------------------------------------------------------------------------------

void world::scheduled() {
    inserted++;
}

uint64_t world::events() const {
    return ns3::Simulator::GetEventCount() - own_events;
}

wzp_sim_stop world::why_paused() const {
    if (task_lost) {
        return WZP_SIM_STOP_QUEUE;
    }
    if (events() >= cfg.max_events || inserted >= events_of_ns3) {
        return WZP_SIM_STOP_EVENTS;
    }
    if (task_count == 0 && cargo_count == 0 && sources == 0) {
        return WZP_SIM_STOP_IDLE;
    }
    return WZP_SIM_STOP_TIME;
}

bool world::pauses(const horizon &events) const {
    if (closing) {
        return false;
    }
    return ns3::TimeStep(events.PeekNext().key.m_ts) > limit ||
           (warm && why_paused() != WZP_SIM_STOP_TIME);
}

void world::warm_up() {
    limit = warm_up_time - ns3::NanoSeconds(1); // what is due at the start is ours
    ns3::Simulator::Schedule(limit - ns3::Simulator::Now(), [] {});
    ns3::Simulator::Run();
    own_events = ns3::Simulator::GetEventCount();
    warm = true;
}

wzp_sim_stop world::run(wzp_time until) {
    if (!warm) {
        warm_up();
    }
    asked = false;
    limit = ns3::Simulator::Now() + to_ns3(until);
    ns3::Simulator::Run();
    if (asked) {
        return WZP_SIM_STOP_ASKED;
    }
    const wzp_sim_stop why = why_paused();
    if (why == WZP_SIM_STOP_TIME && ns3::Simulator::Now() < limit) {
        ns3::Simulator::Schedule(limit - ns3::Simulator::Now(), [] {});
        ns3::Simulator::Run();
        own_events++;
    }
    return why;
}

void world::stop() {
    asked = true;
    ns3::Simulator::Stop();
}

// --- packets -------------------------------------------------------------------------------------

cargo *world::load(size_t link, unsigned direction, const wzp_ns3_parcel &parcel) {
    auto *what = new cargo{nullptr, under_way, parcel.packet, nullptr,      nullptr,
                           link,    direction, parcel.flow,   parcel.bytes, parcel.tos};
    if (under_way != nullptr) {
        under_way->prev = what;
    }
    under_way = what;
    cargo_count++;
    return what;
}

cargo *world::load(ns3::Ptr<ns3::Packet> inner, uint64_t flow, inner_sink *to) {
    cargo *what = load(0, 0, {nullptr, flow, inner->GetSize(), 0});
    what->inner = inner;
    what->to = to;
    return what;
}

void world::forget(cargo *what) {
    (what->prev != nullptr ? what->prev->next : under_way) = what->next;
    if (what->next != nullptr) {
        what->next->prev = what->prev;
    }
    cargo_count--;
    delete what;
}

void world::arrived(cargo *what) {
    const cargo was = *what;
    forget(what);
    if (was.packet != nullptr) {
        owner.arrive(owner.ctx, was.link, was.direction, was.packet, was.tos, now());
    } else {
        was.to->take(was.inner);
    }
}

void world::dropped(cargo *what, wzp_sim_drop why) {
    const cargo was = *what;
    forget(what);
    if (was.packet != nullptr) {
        owner.drop(owner.ctx, was.link, was.direction, was.packet, why, now());
    }
}

size_t world::bytes(const cargo *what, uint8_t *out, size_t cap) const {
    if (what->packet != nullptr) {
        return owner.bytes(owner.ctx, what->packet, out, cap);
    }
    return what->inner->CopyData(out, static_cast<uint32_t>(cap));
}

// --- topology ------------------------------------------------------------------------------------

size_t world::add_node() {
    return ns3::CreateObject<ns3::Node>()->GetId();
}

size_t world::add_link(const char *name, size_t a, size_t b, const wzp_sim_link_cfg *ab,
                       const wzp_sim_link_cfg *ba) {
    const size_t index = links.size();
    const char *access = ab->access != nullptr ? ab->access : "";
    if (std::strcmp(access, "wifi") == 0) {
        links.push_back(make_wifi(*this, index, name, ab, ba));
    } else if (std::strcmp(access, "lte") == 0) {
        links.push_back(make_lte(*this, index, name, ab, ba));
    } else {
        links.push_back(make_wire(*this, index, name, a, b, ab, ba));
    }
    return index;
}

int64_t world::stream(const std::string &name) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325); // FNV-1a
    for (const char c : name) {
        hash = (hash ^ static_cast<uint8_t>(c)) * UINT64_C(0x100000001b3);
    }
    // Helpers take a few streams in a row: room for 1024 of them.
    return static_cast<int64_t>((hash >> 1) & ~UINT64_C(1023));
}

} // namespace wzp_ns3
