/* Reads a metrics page in the text exposition format of Prometheus.  Pure; any bytes may come. */
#ifndef WZP_CONFORMANCE_ENGINE_EXPOSITION_H
#define WZP_CONFORMANCE_ENGINE_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>

/* True if every line is a comment or "name{labels} value"; *samples counts the latter. */
bool wzp_exposition_is_valid(const char *page, unsigned *samples);

/* Sums the samples of `series`, such as `name{tier="A",codec_id="Opus24k"}`: those of this name
 * that have at least these labels, in any order.  Returns how many there are; *sum is 0 if none. */
unsigned wzp_exposition_sum(const char *page, const char *series, double *sum);

#endif
