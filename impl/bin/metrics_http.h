/* The metrics page over HTTP, on loopback: one small GET at a time per connection. */
#ifndef WZP_BIN_METRICS_HTTP_H
#define WZP_BIN_METRICS_HTTP_H

#include <uv.h>

#include "base/wr.h"

typedef struct wzp_metrics_http wzp_metrics_http;

/* `write` fills the page.  False: the port cannot be bound. */
bool wzp_metrics_http_start(wzp_metrics_http **out, uv_loop_t *loop, uint16_t port,
                            bool (*write)(void *ctx, wzp_wr *wr), void *ctx);
void wzp_metrics_http_stop(wzp_metrics_http **http);

#endif
