/* What a NAT must do, as lines of text:
 *
 *     TIME out A:5000 > S:80 = X:5000      a packet from inside, and its source afterwards
 *     TIME in S:80 > X:5000 = A:5000       one from outside, and its destination afterwards
 *     TIME turn A:5000 > X:6000 = X:5000 > B:6000
 *     TIME icmp-in X:5000 > S:80 = A:5000  an error about that packet, and whom it reaches
 *     TIME icmp-out S:80 > A:5000 = X:5000 an error about what came in, and whom it names
 *     TIME map A:5000 > X:7000 60          a lease of 60 s; 0: for ever; "S:0" after it: a remote
 *     TIME unmap X:7000
 *     TIME flush | reboot | rebind | expire | tick
 *     TIME renumber Y [Z]
 *     TIME mappings 3                      so many live
 *
 * TIME is milliseconds, "30000+1" one nanosecond more; "-" the time of the line before.  Hosts:
 * A-H 10.0.0.1-8 inside, P-V 192.0.2.1-7 remote, X Y Z 203.0.113.1-3 external.  A port may be a
 * lower-case letter: what it is the first time it must be ever after, and no other letter's; "?"
 * is any port.
 * Instead of "= ..." a drop: "no-mapping", "filter", "quota", "hairpin"; for ICMP and map
 * "refused".  Lines that begin with # are ignored. */
#ifndef WZP_SIM_NAT_TESTING_SCRIPT_H
#define WZP_SIM_NAT_TESTING_SCRIPT_H

#include "sim/nat/nat.h"

/* Fails the test with `name` and the line that does not hold.  `externals`: "X", "XYZ". */
void wzp_sim_nat_script(const char *name, const wzp_sim_nat_cfg *cfg, const char *externals,
                        const char *script);

#endif
