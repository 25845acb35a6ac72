/* HOST:PORT as people type it: a literal address, or a name that is looked up, which may take
 * seconds. */
#ifndef WZP_IO_LOOKUP_H
#define WZP_IO_LOOKUP_H

#include <stdbool.h>

#include "base/addr.h"

enum { WZP_LOOKUP_HOST_MAX = 256 };

typedef enum wzp_lookup_result {
    WZP_LOOKUP_FOUND,
    WZP_LOOKUP_MALFORMED, /* wrong usage: no HOST:PORT, or no port from 1 to 65535 */
    WZP_LOOKUP_UNKNOWN,   /* nobody knows the name, or nobody who could was reached */
} wzp_lookup_result;

/* Copies the host of HOST:PORT and lends the port's digits in `text`; false: malformed. */
WZP_MUST_USE bool wzp_lookup_split(const char *text, char host[WZP_LOOKUP_HOST_MAX],
                                   const char **port);

/* `family` is AF_INET or AF_UNSPEC, of names only: literal addresses are of any.  `why` becomes
 * static text unless it is found; `out` is written only then. */
WZP_MUST_USE wzp_lookup_result wzp_lookup(const char *text, int family, wzp_addr *out,
                                          const char **why);

#endif
