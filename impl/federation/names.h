/* The names of bridged rooms, for whoever spreads rooms over workers: all that is bridged belongs
 * to the one that has the links.  Never changes once it is made, so any thread may ask. */
#ifndef WZP_FEDERATION_NAMES_H
#define WZP_FEDERATION_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

typedef struct wzp_fed_names wzp_fed_names;

/* Of the configured rooms; copied.  Each has two names: its own, and the hash that web clients call
 * it by.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_fed_names_new(wzp_fed_names **out, const char *const *rooms, size_t count);
/* Accepts NULL, leaves NULL. */
void wzp_fed_names_free(wzp_fed_names **names);

/* `sni` in lower case; "" is the room "default".  Rooms of calls are not among them, though they
 * are bridged as well.  `names` may be NULL: nothing is bridged. */
bool wzp_fed_names_has(const wzp_fed_names *names, const char *sni);

#endif
