/* The simulator's parts in front of real programs, for real_nat_test.sh: a process that has sockets
 * and TUN devices in several network namespaces.  Errors end it with a line that says which. */
#ifndef WZP_SIM_NAT_TESTING_REAL_H
#define WZP_SIM_NAT_TESTING_REAL_H

#include <poll.h>

#include "base/addr.h"
#include "base/time.h"

/* Says "sim_nat_real: WHAT: why" on standard error and ends the process with 1. */
_Noreturn void real_die(const char *what);

/* In namespace `ns` of /run/netns; NULL: the one that the process began in. */
int real_udp(const char *ns, const wzp_addr *local);
/* At 0.0.0.0 and `group`'s port, member of the group on the interface that has `on`. */
int real_udp_group(const char *ns, const wzp_addr *group, const wzp_addr *on);
int real_listen(const char *ns, const wzp_addr *local);
int real_icmp(const char *ns, const wzp_addr *local); /* raw: hears with IP headers, says without */
int real_tun(const char *ns, const char *device);     /* one that is there already */

void real_send(int fd, const wzp_addr *to, wzp_bytes payload);
/* Length of a datagram and its sender; -1: none waits. */
long real_recv(int fd, wzp_addr *from, uint8_t *buf, size_t cap);

/* poll() until `until` at the latest. */
void real_wait(struct pollfd *fds, size_t count, wzp_time until);

wzp_addr real_addr(const char *text); /* "a.b.c.d:port" */

/* The subcommands; `args` end with NULL. */
int real_nat(char **args);
int real_stun(char **args);
int real_discover(char **args);
int real_hear(char **args);
int real_echo(char **args);
int real_echoes(char **args);

#endif
