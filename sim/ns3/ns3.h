/* The second engine: the same network on ns-3 3.37, as a fabric like the native one.
 *
 *     char why[WZP_NS3_WHY_MAX];
 *     const wzp_ns3_ops *ns3;
 *     if (wzp_ns3_load(&ns3, why) == WZP_OK && wzp_sim_fabric_ns3(&fabric, &cfg, ns3) == WZP_OK)
 * ...
 *
 * Routers, NAT boxes and hosts stay the same C code; links are ns-3's.  One such fabric per process
 * at a time, used from one thread; several one after the other are fine.  README.md says which part
 * of a link's description ns-3 runs itself. */
#ifndef WZP_SIM_NS3_NS3_H
#define WZP_SIM_NS3_NS3_H

#include "sim/net/fabric.h"
#include "sim/ns3/shim.h"

#define WZP_NS3_WHY_MAX 256

/* Loads the engine's shared object, once; it is never unloaded.  WZP_ERR_IO: it is not installed or
 * does not fit this program, `why` says which. */
WZP_MUST_USE wzp_err wzp_ns3_load(const wzp_ns3_ops **out, char why[WZP_NS3_WHY_MAX]);

/* WZP_ERR_LIMIT: the process has such a fabric already.  WZP_ERR_NOMEM.  ns-3 itself ends the
 * process when memory is out. */
WZP_MUST_USE wzp_err wzp_sim_fabric_ns3(wzp_sim_fabric **out, const wzp_sim_engine_cfg *cfg,
                                        const wzp_ns3_ops *ns3);

/* Whether this engine has all models of a description; `fail` names the first it has not.  A
 * description that `set` is given must pass as well: it changes nothing otherwise. */
WZP_MUST_USE wzp_err wzp_sim_ns3_check(const wzp_sim_link_cfg *cfg, wzp_fail *fail);

/* ns-3's own capture of what its device at an interface ("node:port", as taps call it) sends and
 * receives, from now on: PPP frames of a wired link, 802.11 with radiotap of Wi-Fi, PPP at the
 * network's side of LTE, whose radio has no packets.  Media have the time stamps of ns-3's own
 * clock, which shows 1 s at the start.  WZP_ERR_INVALID_ARGUMENT: there is no such interface, or it
 * has no such device; WZP_ERR_IO: the file cannot be written. */
WZP_MUST_USE wzp_err wzp_sim_ns3_pcap(wzp_sim_fabric *fabric, const char *interface,
                                      const char *path);

#endif
