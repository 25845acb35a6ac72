/* HTTP for operators: GET of a few text pages, served by libwebsockets inside a libuv loop (relay
 * sheet 11.2).  Meant for loopback: no authentication, no TLS. */
#ifndef WZP_IO_HTTP_H
#define WZP_IO_HTTP_H

#include <uv.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/wr.h"

typedef struct wzp_http wzp_http;

typedef struct wzp_http_page {
    const char *path; /* "/metrics" */
    /* Writes the whole page.  An error becomes status 500. */
    wzp_err (*write)(void *ctx, wzp_wr *out);
} wzp_http_page;

#define WZP_HTTP_PAGE_MAX ((size_t)512 * 1024)
#define WZP_HTTP_CLIENTS_MAX 64

typedef struct wzp_http_cfg {
    wzp_addr listen;            /* port 0: the system picks one */
    const wzp_http_page *pages; /* borrowed until wzp_http_stop */
    size_t page_count;
    void *ctx; /* of the pages */
    wzp_log log;
} wzp_http_cfg;

/* Other paths answer 404, other methods 405.
 * WZP_ERR_IO: errno says why (ENOSYS: libwebsockets or its libuv plugin is missing), WZP_ERR_NOMEM
 */
WZP_MUST_USE wzp_err wzp_http_start(wzp_http **out, uv_loop_t *loop, const wzp_http_cfg *cfg);

/* The listening address with the real port. */
wzp_addr wzp_http_local(const wzp_http *http);

/* The loop must run on until it has no active handle, and wzp_http_free may then be called. */
void wzp_http_stop(wzp_http *http);

/* Accepts NULL, leaves NULL. */
void wzp_http_free(wzp_http **http);

#endif
