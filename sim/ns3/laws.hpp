// Delay and loss with ns-3's own random variables and error models.
#ifndef WZP_SIM_NS3_LAWS_HPP
#define WZP_SIM_NS3_LAWS_HPP

#include <string>

#include <ns3/error-model.h>
#include <ns3/random-variable-stream.h>

#include "sim/ns3/world.hpp"

namespace wzp_ns3 {

// One direction's delay after the last bit was sent.
class delay_law {
  public:
    void set(const wzp_sim_delay_cfg &delay, const std::string &name);
    // From now until arrival of a packet whose last bit leaves after `sending`.
    ns3::Time next(ns3::Time sending);

  private:
    double extra(); // ns on top of `base`, may be negative
    double bounded_pareto();

    wzp_sim_delay_cfg cfg = {};
    ns3::Time last; // arrival of the packet before, for links that keep the order
    ns3::Ptr<ns3::UniformRandomVariable> uniform;
    ns3::Ptr<ns3::NormalRandomVariable> normal;
    ns3::Ptr<ns3::LogNormalRandomVariable> lognormal;
    ns3::Ptr<ns3::ParetoRandomVariable> pareto;
};

bool same_loss(const wzp_sim_loss_cfg &a, const wzp_sim_loss_cfg &b);

// NULL: no loss.
ns3::Ptr<ns3::ErrorModel> make_loss(const wzp_sim_loss_cfg &cfg, const std::string &name);

} // namespace wzp_ns3

#endif
