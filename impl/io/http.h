/* HTTP for operators: GET of a few text pages, DELETE where a page allows it, served by
 * libwebsockets inside a libuv loop (relay sheet 11.2).  Meant for loopback: no authentication, no
 * TLS.  libwebsockets decodes the path of a request and takes "." and ".." out of it; what pages
 * get has no escapes any more. */
#ifndef WZP_IO_HTTP_H
#define WZP_IO_HTTP_H

#include <uv.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/wr.h"

typedef struct wzp_http wzp_http;

typedef enum wzp_http_status {
    WZP_HTTP_OK = 200,
    WZP_HTTP_NOT_FOUND = 404,
    WZP_HTTP_BROKEN = 500,
    WZP_HTTP_UNAVAILABLE = 503
} wzp_http_status;

typedef struct wzp_http_page {
    /* "/metrics"; with a '/' at its end, "/route/", it stands for everything one level below. */
    const char *path;
    /* Writes the whole body.  `name` is what the request has below `path`: a piece of valid UTF-8
     * without control characters and '/', not empty; "" for pages without levels below.  What was
     * written goes out with OK and UNAVAILABLE; what does not fit becomes BROKEN. */
    wzp_http_status (*write)(void *ctx, const char *name, wzp_wr *out);
    /* The same for DELETE; NULL: 405. */
    wzp_http_status (*remove)(void *ctx, const char *name, wzp_wr *out);
} wzp_http_page;

#define WZP_HTTP_PAGE_MAX ((size_t)1024 * 1024)
#define WZP_HTTP_NAME_MAX 255
#define WZP_HTTP_CLIENTS_MAX 64

/* What follows `page` in `path` if the page serves it, otherwise NULL.  Borrowed from `path`. */
const char *wzp_http_match(const char *page, const char *path);

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
