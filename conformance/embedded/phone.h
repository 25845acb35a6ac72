/* The reference client as a telephone: a handset that takes every call, and the sound of it.  For
 * client.c, which is the client under test. */
#ifndef WZP_CONFORMANCE_EMBEDDED_PHONE_H
#define WZP_CONFORMANCE_EMBEDDED_PHONE_H

#include "base/rng.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/world.h"
#include "quic/core.h"

typedef struct wzp_ct_phone wzp_ct_phone;

/* At the address `local`.  NULL: out of memory. */
wzp_ct_phone *wzp_ct_phone_new(const wzp_ct_invitation *to, const wzp_addr *local, wzp_rng rng,
                               bool deterministic, wzp_time now);
/* Accepts NULL, leaves NULL. */
void wzp_ct_phone_free(wzp_ct_phone **phone);

/* In virtual time it has its port mapped by UPnP, too, once it knows how others see it. */
void wzp_ct_phone_allow_upnp(wzp_ct_phone *phone, wzp_ct_world *world);

wzp_core wzp_ct_phone_core(wzp_ct_phone *phone);

/* Its host says that its own network is another one. */
void wzp_ct_phone_move(wzp_ct_phone *phone, wzp_time now);

/* Its call or its connection has ended, as a program for one call would. */
bool wzp_ct_phone_is_over(const wzp_ct_phone *phone);

#endif
