#include "bin/client/client_verdict.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

wzp_spread wzp_spread_of(double *values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    return (wzp_spread){values[(count - 1) / 2], values[0], values[count - 1]};
}

const char *wzp_drift_grade(double drift_ms) {
    const double off = fabs(drift_ms);
    return off < 5 ? "excellent" : off < 20 ? "good" : off < 100 ? "fair" : "poor";
}

const char *wzp_halves_differ(const wzp_half *first, const wzp_half *second) {
    const bool loss = second->loss_pct > first->loss_pct + 5;
    const bool sound = second->correlation < first->correlation - 0.1;
    return loss && sound ? "more is lost in the second half, and it sounds less like what was said"
           : loss        ? "more is lost in the second half"
           : sound       ? "the second half sounds less like what was said"
                         : NULL;
}
