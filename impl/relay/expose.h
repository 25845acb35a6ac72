/* The text that metrics are written in, and the parts of the page; for the files that write it. */
#ifndef WZP_RELAY_EXPOSE_H
#define WZP_RELAY_EXPOSE_H

#include "relay/internal.h"

/* One line, at most 511 characters. */
void wzp_expose_line(wzp_wr *wr, const char *format, ...) __attribute__((format(printf, 2, 3)));
void wzp_expose_family(wzp_wr *wr, const char *name, const char *type, const char *help);
/* A family that is one sample without labels. */
void wzp_expose_single(wzp_wr *wr, const char *name, const char *type, const char *help,
                       uint64_t value);

/* metrics_federation.c */
void wzp_relay_expose_federation(wzp_wr *wr, const wzp_relay *r);
void wzp_relay_expose_probes(wzp_wr *wr, const wzp_relay *r);

#endif
