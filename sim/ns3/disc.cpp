// Descriptions of queues as ns-3's queue discs.
#include <algorithm>

#include <ns3/boolean.h>
#include <ns3/data-rate.h>
#include <ns3/fq-codel-queue-disc.h>
#include <ns3/nstime.h>
#include <ns3/pie-queue-disc.h>
#include <ns3/queue-size.h>
#include <ns3/string.h>
#include <ns3/tbf-queue-disc.h>
#include <ns3/uinteger.h>

#include "sim/ns3/wire.hpp"

namespace wzp_ns3 {

namespace {

constexpr uint64_t codel_target = 5 * WZP_MS, codel_interval = 100 * WZP_MS;
constexpr uint64_t pie_target = 15 * WZP_MS, pie_update = 15 * WZP_MS;
constexpr uint32_t fq_quantum = 1514;                          // RFC 8290, 5.2.4
constexpr uint32_t default_packets = 1000, fq_packets = 10240; // 5.2.2

ns3::TimeValue time_or(uint64_t ns, uint64_t otherwise) {
    return ns3::TimeValue(ns3::NanoSeconds(ns != 0 ? ns : otherwise));
}

// FqCoDel takes its times as text.
ns3::StringValue text_or(uint64_t ns, uint64_t otherwise) {
    return ns3::StringValue(std::to_string(ns != 0 ? ns : otherwise) + "ns");
}

bool has_byte_limit(const wzp_sim_queue_cfg &cfg) {
    return cfg.limit_bytes != 0 || cfg.limit_ns != 0;
}

uint32_t packet_limit(const wzp_sim_queue_cfg &cfg) {
    if (cfg.limit_packets != 0) {
        return cfg.limit_packets;
    }
    if (has_byte_limit(cfg)) {
        return INT32_MAX;
    }
    return cfg.kind == WZP_SIM_QUEUE_FQ_CODEL ? fq_packets : default_packets;
}

ns3::Ptr<ns3::QueueDisc> make(const char *type, const wzp_sim_queue_cfg &cfg) {
    ns3::ObjectFactory factory;
    factory.SetTypeId(type);
    auto disc = factory.Create<ns3::QueueDisc>();
    disc->SetMaxSize(ns3::QueueSize(ns3::QueueSizeUnit::PACKETS, packet_limit(cfg)));
    return disc;
}

ns3::Ptr<ns3::QueueDisc> make_codel(const wzp_sim_queue_cfg &cfg) {
    auto disc = make("ns3::CoDelQueueDisc", cfg);
    disc->SetAttribute("Target", time_or(cfg.target, codel_target));
    disc->SetAttribute("Interval", time_or(cfg.interval, codel_interval));
    disc->SetAttribute("UseEcn", ns3::BooleanValue(cfg.ecn));
    return disc;
}

ns3::Ptr<ns3::QueueDisc> make_fq_codel(const wzp_sim_queue_cfg &cfg) {
    auto disc = make("ns3::FqCoDelQueueDisc", cfg);
    disc->SetAttribute("Target", text_or(cfg.target, codel_target));
    disc->SetAttribute("Interval", text_or(cfg.interval, codel_interval));
    disc->SetAttribute("UseEcn", ns3::BooleanValue(cfg.ecn));
    disc->GetObject<ns3::FqCoDelQueueDisc>()->SetQuantum(fq_quantum);
    return disc;
}

ns3::Ptr<ns3::QueueDisc> make_pie(const wzp_sim_queue_cfg &cfg, const std::string &name) {
    auto disc = make("ns3::PieQueueDisc", cfg);
    disc->SetAttribute("QueueDelayReference", time_or(cfg.target, pie_target));
    disc->SetAttribute("Tupdate", time_or(cfg.interval, pie_update));
    disc->SetAttribute("UseEcn", ns3::BooleanValue(cfg.ecn));
    disc->SetAttribute("UseDerandomization", ns3::BooleanValue(true)); // RFC 8033, 5.4
    disc->GetObject<ns3::PieQueueDisc>()->AssignStreams(world::stream(name + " pie"));
    return disc;
}

} // namespace

ns3::Ptr<ns3::QueueDisc> make_queue(const wzp_sim_link_cfg &cfg, const std::string &name) {
    switch (cfg.queue.kind) {
    case WZP_SIM_QUEUE_CODEL:
        return make_codel(cfg.queue);
    case WZP_SIM_QUEUE_FQ_CODEL:
        return make_fq_codel(cfg.queue);
    case WZP_SIM_QUEUE_PIE:
        return make_pie(cfg.queue, name);
    default:
        return make("ns3::FifoQueueDisc", cfg.queue);
    }
}

ns3::Ptr<ns3::QueueDisc> in_bucket(ns3::Ptr<ns3::QueueDisc> queue, const wzp_sim_rate_cfg &rate) {
    const auto bucket = ns3::CreateObject<ns3::TbfQueueDisc>();
    bucket->SetRate(ns3::DataRate(rate.bits_per_s));
    bucket->SetBurst(rate.burst);
    queue->Initialize();
    const auto inside = ns3::CreateObject<ns3::QueueDiscClass>();
    inside->SetQueueDisc(queue);
    bucket->AddQueueDiscClass(inside);
    return bucket;
}

uint64_t byte_limit(const wzp_sim_link_cfg &cfg) {
    constexpr uint64_t bit_ns_per_byte_s = 8 * WZP_S;
    uint64_t limit = cfg.queue.limit_bytes != 0 ? cfg.queue.limit_bytes : UINT64_MAX;
    if (cfg.queue.limit_ns != 0) {
        const auto bytes = static_cast<unsigned __int128>(cfg.queue.limit_ns) *
                           cfg.rate.bits_per_s / bit_ns_per_byte_s;
        limit = static_cast<uint64_t>(std::min<unsigned __int128>(bytes, limit));
    }
    return limit == UINT64_MAX ? 0 : limit;
}

} // namespace wzp_ns3
