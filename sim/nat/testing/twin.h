/* The NAT once more, slow and obvious: linear lists, everything looked at each time, nothing
 * shared with the real one but its header.  It does not draw ports; it is told what the real one
 * did and says whether that was allowed, and if so follows. */
#ifndef WZP_SIM_NAT_TESTING_TWIN_H
#define WZP_SIM_NAT_TESTING_TWIN_H

#include "sim/nat/nat.h"

typedef struct wzp_sim_nat_twin wzp_sim_nat_twin;

wzp_sim_nat_twin *wzp_sim_nat_twin_new(const wzp_sim_nat_cfg *cfg, const wzp_addr *externals,
                                       size_t count, wzp_time now);
void wzp_sim_nat_twin_free(wzp_sim_nat_twin *twin);

/* What was sent, and what became of it; `created`: the external endpoint of the mapping that was
 * made for it, NULL: none was.  NULL: so it must be; else what is wrong. */
const char *wzp_sim_nat_twin_out(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr src, wzp_addr dst,
                                 const wzp_addr *created, wzp_sim_nat_verdict verdict,
                                 wzp_addr src_after, wzp_addr dst_after, wzp_time now);
const char *wzp_sim_nat_twin_in(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr src, wzp_addr dst,
                                wzp_sim_nat_verdict verdict, wzp_addr dst_after, wzp_time now);
const char *wzp_sim_nat_twin_icmp_in(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr inner_src,
                                     wzp_addr inner_dst, bool passed, wzp_addr inner_src_after,
                                     wzp_time now);
const char *wzp_sim_nat_twin_icmp_out(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr inner_src,
                                      wzp_addr inner_dst, bool passed, wzp_addr inner_dst_after,
                                      wzp_time now);
const char *wzp_sim_nat_twin_map(wzp_sim_nat_twin *twin, const wzp_sim_nat_explicit *mapping,
                                 wzp_err err, wzp_time now);
const char *wzp_sim_nat_twin_unmap(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr external,
                                   bool was_there);
const char *wzp_sim_nat_twin_port_free(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr external,
                                       bool is_free, wzp_time now);

void wzp_sim_nat_twin_flush(wzp_sim_nat_twin *twin, wzp_time now);
void wzp_sim_nat_twin_reboot(wzp_sim_nat_twin *twin, wzp_time now);
void wzp_sim_nat_twin_expire(wzp_sim_nat_twin *twin, wzp_time now);

/* A rebind or, with `externals`, a renumbering: begin, tell every event of it, end. */
void wzp_sim_nat_twin_rebind(wzp_sim_nat_twin *twin, const wzp_addr *externals, size_t count,
                             wzp_time now);
const char *wzp_sim_nat_twin_moved(wzp_sim_nat_twin *twin, const wzp_sim_nat_event *event);
const char *wzp_sim_nat_twin_rebound(wzp_sim_nat_twin *twin);

/* The invariants of nat sheet 2.3, and that the real one has as many mappings. */
const char *wzp_sim_nat_twin_check(wzp_sim_nat_twin *twin, const wzp_sim_nat_counts *counts,
                                   wzp_time now);

#endif
