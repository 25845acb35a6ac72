/* How a NAT gives out ports, judged by what servers saw of one socket, and which ports come next
 * (nat sheet 1.14).  Pure functions; integers only. */
#ifndef WZP_NAT_PORT_ALLOC_H
#define WZP_NAT_PORT_ALLOC_H

#include "base/bytes.h"
#include "base/err.h"

typedef enum wzp_port_alloc_kind {
    WZP_PORT_ALLOC_UNKNOWN,
    WZP_PORT_ALLOC_PRESERVING, /* every server sees the same port */
    WZP_PORT_ALLOC_SEQUENTIAL,
    WZP_PORT_ALLOC_RANDOM
} wzp_port_alloc_kind;

typedef struct wzp_port_alloc {
    wzp_port_alloc_kind kind;
    int16_t delta; /* SEQUENTIAL: from one mapping to the next; else 0 */
} wzp_port_alloc;

#define WZP_PORT_ALLOC_PROBES_MAX 64 /* later ones are not looked at */

/* `ports[count]` in the order of probing. */
wzp_port_alloc wzp_port_alloc_classify(const uint16_t *ports, size_t count);

/* As above, but of a NAT that others use as well: ports that all go one way, and not far, are those
 * of one that counts, and since others take some between two of ours its step is what divides all
 * of ours.  Many others may lie between ports that were seen at different times: the longest part
 * of the list that is like this decides, of three ports at least. */
#define WZP_PORT_ALLOC_WAY_MAX 64
wzp_port_alloc wzp_port_alloc_classify_shared(const uint16_t *ports, size_t count);

#define WZP_PORT_ALLOC_TEXT_MAX 26 /* with its terminator */

/* The strings of HardNatProbe: "port-preserving", "sequential(delta=N)", "random", "unknown". */
const char *wzp_port_alloc_text(wzp_port_alloc alloc, char buf[WZP_PORT_ALLOC_TEXT_MAX]);

/* Reads these, and the forms that only documents have: "preserving", "sequential:N".
 * WZP_ERR_PARSE leaves `out` as it was. */
WZP_MUST_USE wzp_err wzp_port_alloc_parse(wzp_port_alloc *out, const char *text);

/* The most recent port of a probe sequence, of which nobody knows whether it begins with the first
 * or, as deployed, with the last one: the end that is further along `delta`.  `count` > 0. */
uint16_t wzp_port_alloc_last(const uint16_t *ports, size_t count, int16_t delta);

#define WZP_PORT_ALLOC_SPREAD_MAX 16
#define WZP_PORT_ALLOC_PREDICTED_MAX (2 * WZP_PORT_ALLOC_SPREAD_MAX + 1)

/* As deployed (offset 1, spread 3): the ports around last + delta * (offset + 1), in steps of
 * delta, ascending, without 0 and repetitions.  A spread above the maximum is cut.  Returns how
 * many were written to `out[WZP_PORT_ALLOC_PREDICTED_MAX]`. */
size_t wzp_port_alloc_predict(uint16_t *out, uint16_t last, int16_t delta, unsigned offset,
                              unsigned spread);

/* The reference's: last + k * delta for k = 1..count, in this order, without 0: packet k of one
 * side then meets mapping k of the other (nat sheet 1.18).  Returns how many were written to
 * `out[count]`. */
size_t wzp_port_alloc_follow(uint16_t *out, size_t count, uint16_t last, int16_t delta);

#endif
