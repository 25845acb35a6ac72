// What the shared object exports: the world behind a table of C functions.
#include "sim/ns3/shim.h"

#include "sim/ns3/world.hpp"

namespace {

wzp_ns3::world *of(wzp_ns3_world *world) {
    return reinterpret_cast<wzp_ns3::world *>(world);
}

const wzp_ns3::world *of(const wzp_ns3_world *world) {
    return reinterpret_cast<const wzp_ns3::world *>(world);
}

wzp_time clock_now(const void *self) {
    return static_cast<const wzp_ns3::world *>(self)->now();
}

void clock_at(void *self, wzp_time at, wzp_sim_task *task, void *task_self, void *task_arg) {
    static_cast<wzp_ns3::world *>(self)->at(at, task, task_self, task_arg);
}

const wzp_sim_clock_ops clock_ops = {clock_now, clock_at};

wzp_ns3_world *open(const wzp_sim_engine_cfg *cfg, const wzp_ns3_owner *owner) {
    if (wzp_ns3::world::current() != nullptr) {
        return nullptr;
    }
    return reinterpret_cast<wzp_ns3_world *>(new wzp_ns3::world(*cfg, *owner));
}

void close(wzp_ns3_world *world) {
    delete of(world);
}

wzp_sim_stop run(wzp_ns3_world *world, wzp_time until) {
    return of(world)->run(until);
}

void stop(wzp_ns3_world *world) {
    of(world)->stop();
}

uint64_t events(const wzp_ns3_world *world) {
    return of(world)->events();
}

bool started(const wzp_ns3_world *world) {
    return of(world)->started();
}

size_t node(wzp_ns3_world *world) {
    return of(world)->add_node();
}

size_t link(wzp_ns3_world *world, const char *name, size_t a, size_t b, const wzp_sim_link_cfg *ab,
            const wzp_sim_link_cfg *ba) {
    return of(world)->add_link(name, a, b, ab, ba);
}

void set(wzp_ns3_world *world, size_t link, unsigned direction, const wzp_sim_link_cfg *cfg) {
    of(world)->at_link(link).set(direction, *cfg);
}

bool lost(wzp_ns3_world *world, size_t link, unsigned direction, uint32_t bytes) {
    return of(world)->at_link(link).lost(direction, bytes);
}

void send(wzp_ns3_world *world, size_t link, unsigned direction, const wzp_ns3_parcel *parcel) {
    wzp_ns3::world &in = *of(world);
    in.at_link(link).send(direction, in.load(link, direction, *parcel));
}

bool pcap(wzp_ns3_world *world, size_t link, unsigned end, const char *path) {
    return of(world)->at_link(link).pcap(end, path);
}

const wzp_ns3_ops ops = {
    WZP_NS3_ABI, "3.37", open, close, &clock_ops, run,  stop, events,
    started,     node,   link, set,   lost,       send, pcap,
};

} // namespace

const wzp_ns3_ops *wzp_ns3_engine(uint32_t abi) {
    return abi == WZP_NS3_ABI ? &ops : nullptr;
}
