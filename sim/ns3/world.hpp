// The world: ns-3's simulator with our start, our limits and our idea of being idle, and the links
// in it.  One per process, because ns-3's simulator is one.
#ifndef WZP_SIM_NS3_WORLD_HPP
#define WZP_SIM_NS3_WORLD_HPP

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <ns3/nstime.h>
#include <ns3/packet.h>
#include <ns3/priority-queue-scheduler.h>

extern "C" {
#include "sim/ns3/shim.h"
}

namespace wzp_ns3 {

constexpr uint16_t ethertype_ipv4 = 0x0800;
constexpr uint32_t udp_headers = 28; // IPv4 and UDP

// Where a packet of ns-3's own goes at the far end of a link.
class inner_sink {
  public:
    inner_sink() = default;
    inner_sink(const inner_sink &) = delete;
    inner_sink &operator=(const inner_sink &) = delete;
    virtual ~inner_sink() = default;
    virtual void take(ns3::Ptr<ns3::Packet> packet) = 0;
};

// One packet between send and arrival: the owner's, or one of ns-3's own (cross traffic).
struct cargo {
    cargo *prev, *next; // of all that are under way
    void *packet;       // NULL: `inner`
    ns3::Ptr<ns3::Packet> inner;
    inner_sink *to;
    size_t link;
    unsigned direction;
    uint64_t flow;
    uint32_t bytes;
    uint8_t tos;
};

class link {
  public:
    link(size_t index, std::string name) : number(index), label(std::move(name)) {
    }
    link(const link &) = delete;
    link &operator=(const link &) = delete;
    virtual ~link() = default;

    virtual void send(unsigned direction, cargo *what) = 0;
    virtual bool lost(unsigned direction, uint32_t bytes) = 0;
    virtual void set(unsigned direction, const wzp_sim_link_cfg &cfg) = 0;
    virtual bool pcap(unsigned end, const char *path) = 0;

    size_t index() const {
        return number;
    }
    const std::string &name() const {
        return label;
    }

  private:
    size_t number;
    std::string label;
};

// Nanoseconds as ns-3's random variables draw them; negative ones count as none.
inline uint64_t whole(double ns) {
    return ns > 0 ? static_cast<uint64_t>(std::llround(ns)) : 0;
}

class world;

// Lets ns-3's main loop see an empty list of events when ours says that it is time to return.
class horizon final : public ns3::PriorityQueueScheduler {
  public:
    static ns3::TypeId GetTypeId();
    horizon();
    void Insert(const Event &event) override;
    bool IsEmpty() const override;
};

class world {
  public:
    world(const wzp_sim_engine_cfg &engine, const wzp_ns3_owner &packets);
    world(const world &) = delete;
    world &operator=(const world &) = delete;
    ~world();

    static world *current();

    wzp_time now() const;
    ns3::Time to_ns3(wzp_time at) const; // from now; never negative
    void at(wzp_time when, wzp_sim_task *task, void *self, void *arg);
    wzp_sim_stop run(wzp_time until);
    void stop();
    uint64_t events() const;
    bool started() const {
        return warm;
    }

    // Random streams by the element's name, so that another element changes nothing here.
    static int64_t stream(const std::string &name);

    cargo *load(size_t link, unsigned direction, const wzp_ns3_parcel &parcel);
    cargo *load(ns3::Ptr<ns3::Packet> inner, uint64_t flow, inner_sink *to);
    void arrived(cargo *what);
    void dropped(cargo *what, wzp_sim_drop why);
    size_t bytes(const cargo *what, uint8_t *out, size_t cap) const;

    // Traffic that nobody sent makes a world that is never idle.
    void add_source() {
        sources++;
    }

    size_t add_node();
    size_t add_link(const char *name, size_t a, size_t b, const wzp_sim_link_cfg *ab,
                    const wzp_sim_link_cfg *ba);
    link &at_link(size_t index) {
        return *links[index];
    }

    // The main loop's questions.
    bool pauses(const horizon &events) const;
    void scheduled();

  private:
    void forget(cargo *what);
    void warm_up();
    wzp_sim_stop why_paused() const;

    wzp_sim_engine_cfg cfg;
    wzp_ns3_owner owner;
    std::vector<std::unique_ptr<link>> links;
    cargo *under_way = nullptr;
    uint64_t cargo_count = 0, task_count = 0, sources = 0;
    uint64_t inserted = 0, own_events = 0;
    ns3::Time limit;
    bool warm = false, asked = false, task_lost = false, closing = false;
};

std::unique_ptr<link> make_wire(world &in, size_t index, const std::string &name, size_t a,
                                size_t b, const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba);

} // namespace wzp_ns3

#endif
