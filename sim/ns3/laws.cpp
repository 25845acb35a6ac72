#include "sim/ns3/laws.hpp"

#include <algorithm>
#include <cmath>
#include <list>

#include <ns3/double.h>
#include <ns3/simulator.h>

namespace wzp_ns3 {

namespace {

constexpr double ppm = 1e6;

// The length of a burst whose every packet is the last with the same chance.
class geometric final : public ns3::RandomVariableStream {
  public:
    static ns3::TypeId GetTypeId() {
        static const ns3::TypeId id = ns3::TypeId("wzp_ns3::geometric")
                                          .SetParent<RandomVariableStream>()
                                          .AddConstructor<geometric>();
        return id;
    }
    void set(double leave, int64_t stream) {
        chance = leave;
        uniform = ns3::CreateObject<ns3::UniformRandomVariable>();
        uniform->SetStream(stream);
    }
    double GetValue() override {
        if (chance >= 1) {
            return 1;
        }
        const double most = 1e9;
        return std::min(most,
                        1 + std::floor(std::log(1 - uniform->GetValue()) / std::log1p(-chance)));
    }
    uint32_t GetInteger() override {
        return static_cast<uint32_t>(GetValue());
    }

  private:
    ns3::Ptr<ns3::UniformRandomVariable> uniform;
    double chance = 1;
};

ns3::Ptr<ns3::ErrorModel> bernoulli(const wzp_sim_loss_cfg &cfg, const std::string &name) {
    auto model = ns3::CreateObject<ns3::RateErrorModel>();
    model->SetUnit(ns3::RateErrorModel::ERROR_UNIT_PACKET);
    model->SetRate(cfg.p / ppm);
    model->AssignStreams(world::stream(name + " loss"));
    return model;
}

// ns-3 draws for a new burst inside a burst as well and then forgets the old one: the rest of a
// burst ends with chance (1 - p) q per packet, which has to be r.
ns3::Ptr<ns3::ErrorModel> gilbert(const wzp_sim_loss_cfg &cfg, const std::string &name) {
    const double enter = cfg.p / ppm;
    auto start = ns3::CreateObject<ns3::UniformRandomVariable>();
    start->SetStream(world::stream(name + " loss burst"));
    auto size = ns3::CreateObject<geometric>();
    size->set(std::min(1.0, cfg.r / ppm / (1 - enter)), world::stream(name + " loss size"));
    auto model = ns3::CreateObject<ns3::BurstErrorModel>();
    model->SetBurstRate(enter);
    model->SetRandomVariable(start);
    model->SetRandomBurstSize(size);
    return model;
}

ns3::Ptr<ns3::ErrorModel> by_index(const wzp_sim_loss_cfg &cfg) {
    auto model = ns3::CreateObject<ns3::ReceiveListErrorModel>();
    std::list<uint32_t> which;
    std::transform(cfg.list, cfg.list + cfg.count, std::back_inserter(which),
                   [](uint64_t index) { return static_cast<uint32_t>(index); });
    model->SetList(which);
    return model;
}

} // namespace

ns3::Ptr<ns3::ErrorModel> make_loss(const wzp_sim_loss_cfg &cfg, const std::string &name) {
    ns3::Ptr<ns3::ErrorModel> model;
    switch (cfg.model) {
    case WZP_SIM_LOSS_BERNOULLI:
        model = bernoulli(cfg, name);
        break;
    case WZP_SIM_LOSS_GILBERT:
        model = gilbert(cfg, name);
        break;
    case WZP_SIM_LOSS_LIST:
        model = by_index(cfg);
        break;
    case WZP_SIM_LOSS_NONE:
    case WZP_SIM_LOSS_FOUR_STATE:
    case WZP_SIM_LOSS_PATTERN:
        return nullptr;
    }
    if (cfg.until != 0) {
        const world &in = *world::current();
        ns3::Simulator::Schedule(in.to_ns3(wzp_time_after(in.now(), cfg.until)),
                                 &ns3::ErrorModel::Disable, model);
    }
    return model;
}

bool same_loss(const wzp_sim_loss_cfg &a, const wzp_sim_loss_cfg &b) {
    return a.model == b.model && a.p == b.p && a.r == b.r && a.list == b.list &&
           a.count == b.count && a.until == b.until;
}

void delay_law::set(const wzp_sim_delay_cfg &delay, const std::string &name) {
    cfg = delay;
    const auto spread = static_cast<double>(cfg.spread);
    const double shape = cfg.shape_milli / 1e3;
    if (uniform == nullptr) {
        uniform = ns3::CreateObject<ns3::UniformRandomVariable>();
        normal = ns3::CreateObject<ns3::NormalRandomVariable>();
        lognormal = ns3::CreateObject<ns3::LogNormalRandomVariable>();
        pareto = ns3::CreateObject<ns3::ParetoRandomVariable>();
        uniform->SetStream(world::stream(name + " delay"));
        normal->SetStream(world::stream(name + " delay normal"));
        lognormal->SetStream(world::stream(name + " delay lognormal"));
        pareto->SetStream(world::stream(name + " delay pareto"));
    }
    uniform->SetAttribute("Min", ns3::DoubleValue(-spread));
    uniform->SetAttribute("Max", ns3::DoubleValue(spread));
    normal->SetAttribute("Variance", ns3::DoubleValue(spread * spread));
    lognormal->SetAttribute("Mu", ns3::DoubleValue(spread > 0 ? std::log(spread) : 0));
    lognormal->SetAttribute("Sigma", ns3::DoubleValue(shape));
    pareto->SetAttribute("Scale", ns3::DoubleValue(std::max(spread, 1.0)));
    pareto->SetAttribute("Shape", ns3::DoubleValue(shape > 0 ? shape : 3));
}

double delay_law::bounded_pareto() {
    const auto spread = static_cast<double>(cfg.spread);
    return std::min(pareto->GetValue() - spread, 10 * spread);
}

double delay_law::extra() {
    const auto spread = static_cast<double>(cfg.spread);
    switch (cfg.law) {
    case WZP_SIM_DELAY_UNIFORM:
        return uniform->GetValue();
    case WZP_SIM_DELAY_NORMAL:
        return std::min(normal->GetValue(), 4 * spread);
    case WZP_SIM_DELAY_LOGNORMAL:
        return lognormal->GetValue();
    case WZP_SIM_DELAY_PARETO:
        return bounded_pareto();
    case WZP_SIM_DELAY_PARETO_NORMAL:
        return normal->GetValue() / 4 + bounded_pareto() * 3 / 4;
    default:
        return 0;
    }
}

ns3::Time delay_law::next(ns3::Time sending) {
    const double drawn = cfg.law == WZP_SIM_DELAY_FIXED || cfg.spread == 0 ? 0 : extra();
    const auto base = static_cast<double>(cfg.base); // exact: an hour has 42 bits
    ns3::Time arrival = ns3::Simulator::Now() + sending + ns3::NanoSeconds(whole(base + drawn));
    if (!cfg.reorder) {
        arrival = std::max(arrival, last);
        last = arrival;
    }
    return arrival - ns3::Simulator::Now();
}

} // namespace wzp_ns3
