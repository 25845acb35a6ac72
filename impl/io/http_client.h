/* POST of small JSON bodies to one URL, or GET of it, without stopping the loop: names are
 * resolved in libuv's threads, the rest is libwebsockets in a libuv loop.  http and https; servers
 * of https must have a certificate that the system trusts (or `ca_file`).  Redirects are not
 * followed: their status is the answer. */
#ifndef WZP_IO_HTTP_CLIENT_H
#define WZP_IO_HTTP_CLIENT_H

#include <uv.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/time.h"

typedef struct wzp_http_client wzp_http_client;

#define WZP_HTTP_POSTS_MAX 256    /* under way at once */
#define WZP_HTTP_ANSWER_MAX 65536 /* bytes of an answer; more is FAILED */
#define WZP_HTTP_GET_MAX 262144   /* the same of a GET */
#define WZP_HTTP_URL_MAX 1024

typedef enum wzp_http_outcome {
    WZP_HTTP_ANSWERED, /* status and the whole body */
    WZP_HTTP_TIMED_OUT,
    WZP_HTTP_FAILED /* no connection, it broke, or the answer is no HTTP */
} wzp_http_outcome;

typedef struct wzp_http_answer {
    uint64_t id; /* of the post */
    wzp_http_outcome outcome;
    unsigned status;
    wzp_bytes body;  /* borrowed for the call */
    const char *why; /* FAILED: for a log; borrowed */
} wzp_http_answer;

typedef struct wzp_http_client_cfg {
    const char *url;     /* copied */
    const char *ca_file; /* PEM; NULL: what the system trusts.  Copied */
    /* Once for each post, from the loop; may post again. */
    void (*done)(void *ctx, const wzp_http_answer *answer);
    void *ctx;
} wzp_http_client_cfg;

/* True for "http://HOST[:PORT][/PATH]" and the same with https. */
bool wzp_http_url_is_usable(const char *url);

/* WZP_ERR_INVALID_ARGUMENT: the URL.  WZP_ERR_IO: errno says why (ENOSYS: libwebsockets or its
 * libuv plugin is missing).  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_http_client_start(wzp_http_client **out, uv_loop_t *loop,
                                           const wzp_http_client_cfg *cfg);

/* Copies `body`.  `timeout` covers everything, from the name to the last byte.
 * WZP_ERR_LIMIT: WZP_HTTP_POSTS_MAX are under way.  WZP_ERR_NOMEM.  Then `done` is not called. */
WZP_MUST_USE wzp_err wzp_http_client_post(wzp_http_client *client, uint64_t id, wzp_bytes body,
                                          uint64_t timeout);

/* The page at the URL; as a post without a body. */
WZP_MUST_USE wzp_err wzp_http_client_get(wzp_http_client *client, uint64_t id, uint64_t timeout);

/* Ends what is under way; `done` is not called any more.  The loop must run on until it has no
 * active handle, and wzp_http_client_free may then be called. */
void wzp_http_client_stop(wzp_http_client *client);

/* Accepts NULL, leaves NULL. */
void wzp_http_client_free(wzp_http_client **client);

#endif
