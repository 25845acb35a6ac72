/* Prometheus pages of several workers as one: what has the same name and labels is added up, except
 * that the greatest is taken of what says how things are (..._info, ..._draining). */
#ifndef WZP_BIN_RELAY_METRICS_SUM_H
#define WZP_BIN_RELAY_METRICS_SUM_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/wr.h"

/* Families in the order of the first page, then those that only later ones have.  WZP_ERR_OVERFLOW,
 * WZP_ERR_NOMEM, WZP_ERR_PARSE (a line that is neither a comment nor a sample) */
WZP_MUST_USE wzp_err wzp_metrics_sum(const wzp_bytes *pages, size_t count, wzp_wr *out);

#endif
