/* Part of nat_real. */
#ifndef WZP_NAT_TESTING_REAL_UPNP_H
#define WZP_NAT_TESTING_REAL_UPNP_H

#include "base/addr.h"

/* The program's exit status. */
int real_upnp(const wzp_addr *own);

#endif
