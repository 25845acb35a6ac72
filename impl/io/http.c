#include "io/http.h"

#include <errno.h>
#include <jansson.h>

/* --- paths ------------------------------------------------------------------------------------ */

/* Not empty, no control characters, valid UTF-8. */
static bool is_plain(const char *name, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f) {
            return false;
        }
    }
    json_t *text = json_stringn(name, len); /* refuses what is not UTF-8 */
    json_decref(text);
    return text != NULL && len > 0;
}

const char *wzp_http_match(const char *page, const char *path) {
    const size_t len = strlen(page);
    if (strncmp(page, path, len) != 0) {
        return NULL;
    }
    const char *name = path + len;
    const size_t name_len = strlen(name);
    if (page[len - 1] != '/') {
        return name_len == 0 ? name : NULL;
    }
    if (name_len > WZP_HTTP_NAME_MAX || strchr(name, '/') != NULL || !is_plain(name, name_len)) {
        return NULL;
    }
    return name;
}

#ifdef WZP_HAVE_WEBSOCKETS

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/http_listener.h"

enum { HEAD_MAX = 512 };

struct wzp_http {
    wzp_http_cfg cfg;
    wzp_http_listener listener;
};

/* One request.  libwebsockets keeps it, zeroed, beside its own state of the connection. */
typedef struct request {
    uint8_t *page; /* LWS_PRE bytes, then the body */
    size_t len;
} request;

static const char content_type[] = "text/plain; charset=utf-8";

/* --- answers ---------------------------------------------------------------------------------- */

static int finish(struct lws *wsi) {
    return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

static int write_head(struct lws *wsi, unsigned status, size_t len, bool allow_get) {
    uint8_t head[LWS_PRE + HEAD_MAX];
    uint8_t *at = head + LWS_PRE;
    uint8_t *const end = head + sizeof head - 1;
    static const char get[] = "GET";
    if (lws_add_http_common_headers(wsi, status, content_type, len, &at, end) != 0 ||
        (allow_get && lws_add_http_header_by_name(wsi, (const uint8_t *)"allow:",
                                                  (const uint8_t *)get, 3, &at, end) != 0) ||
        lws_finalize_write_http_header(wsi, head + LWS_PRE, &at, end) != 0) {
        return -1;
    }
    return 0;
}

static int answer_empty(struct lws *wsi, unsigned status) {
    const bool allow_get = status == HTTP_STATUS_METHOD_NOT_ALLOWED;
    return write_head(wsi, status, 0, allow_get) != 0 ? -1 : finish(wsi);
}

static void drop_page(request *r) {
    free(r->page);
    r->page = NULL;
}

/* Into a buffer that is cut to what was written: a slow reader keeps no more than its page. */
static wzp_http_status make_page(wzp_http *http, request *r, const wzp_http_page *page,
                                 const char *name, bool removes) {
    r->page = malloc(LWS_PRE + WZP_HTTP_PAGE_MAX);
    if (r->page == NULL) {
        return WZP_HTTP_BROKEN;
    }
    wzp_wr wr;
    wzp_wr_init(&wr, r->page + LWS_PRE, WZP_HTTP_PAGE_MAX);
    const wzp_http_status status =
        removes ? page->remove(http->cfg.ctx, name, &wr) : page->write(http->cfg.ctx, name, &wr);
    if (status == WZP_HTTP_BROKEN || wzp_wr_end(&wr) != WZP_OK) {
        wzp_logf(&http->cfg.log, WZP_LOG_ERROR, "page %s cannot be made", page->path);
        return WZP_HTTP_BROKEN;
    }
    r->len = wzp_wr_len(&wr);
    uint8_t *cut = realloc(r->page, LWS_PRE + r->len);
    r->page = cut != NULL ? cut : r->page;
    return status;
}

static int answer_page(wzp_http *http, struct lws *wsi, request *r, const wzp_http_page *page,
                       const char *name, bool removes) {
    const wzp_http_status status = make_page(http, r, page, name, removes);
    if (status == WZP_HTTP_BROKEN || status == WZP_HTTP_NOT_FOUND || r->len == 0) {
        drop_page(r);
        return answer_empty(wsi, (unsigned)status);
    }
    if (write_head(wsi, (unsigned)status, r->len, false) != 0) {
        return -1;
    }
    lws_callback_on_writable(wsi); /* the body follows when the socket takes it */
    return 0;
}

static int write_body(struct lws *wsi, request *r) {
    if (r->page == NULL) {
        return 0;
    }
    const int n = lws_write(wsi, r->page + LWS_PRE, r->len, LWS_WRITE_HTTP_FINAL);
    drop_page(r);
    return n < 0 ? -1 : finish(wsi);
}

static int answer(wzp_http *http, struct lws *wsi, request *r, const char *path) {
    const bool removes = lws_hdr_total_length(wsi, WSI_TOKEN_DELETE_URI) != 0;
    if (!removes && lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0) {
        return answer_empty(wsi, HTTP_STATUS_METHOD_NOT_ALLOWED);
    }
    for (size_t i = 0; i < http->cfg.page_count; i++) {
        const char *name = wzp_http_match(http->cfg.pages[i].path, path);
        if (name != NULL && removes && http->cfg.pages[i].remove == NULL) {
            return answer_empty(wsi, HTTP_STATUS_METHOD_NOT_ALLOWED);
        }
        if (name != NULL) {
            return answer_page(http, wsi, r, &http->cfg.pages[i], name, removes);
        }
    }
    return answer_empty(wsi, HTTP_STATUS_NOT_FOUND);
}

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t len) {
    wzp_http *http = lws_context_user(lws_get_context(wsi));
    request *r = user;
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP:
        return answer(http, wsi, r, in);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return write_body(wsi, r);
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (r != NULL) {
            drop_page(r);
        }
        return 0;
    case LWS_CALLBACK_WSI_CREATE:
        http->listener.clients++;
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        http->listener.clients--;
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, len);
    }
}

/* --- start and stop --------------------------------------------------------------------------- */

wzp_err wzp_http_start(wzp_http **out, uv_loop_t *loop, const wzp_http_cfg *cfg) {
    static const struct lws_protocols protocols[] = {
        {.name = "http", .callback = on_http, .per_session_data_size = sizeof(request)},
        {.name = NULL}};
    wzp_http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        return WZP_ERR_NOMEM;
    }
    http->cfg = *cfg;
    http->listener = (wzp_http_listener){.listen = cfg->listen,
                                         .clients_max = WZP_HTTP_CLIENTS_MAX,
                                         .what = "HTTP",
                                         .log = cfg->log};
    const struct lws_context_creation_info info = {.protocols = protocols, .user = http};
    const wzp_err err = wzp_http_listener_start(&http->listener, loop, &info);
    if (err != WZP_OK) {
        free(http); /* leaves errno alone */
        return err;
    }
    *out = http;
    return WZP_OK;
}

wzp_addr wzp_http_local(const wzp_http *http) {
    return http->listener.local;
}

void wzp_http_stop(wzp_http *http) {
    wzp_http_listener_stop(&http->listener);
}

void wzp_http_free(wzp_http **http) {
    if (*http == NULL) {
        return;
    }
    wzp_http_listener_free(&(*http)->listener);
    free(*http);
    *http = NULL;
}

#else

wzp_err wzp_http_start(wzp_http **out, uv_loop_t *loop, const wzp_http_cfg *cfg) {
    (void)out;
    (void)loop;
    (void)cfg;
    errno = ENOSYS;
    return WZP_ERR_IO;
}

wzp_addr wzp_http_local(const wzp_http *http) {
    (void)http;
    return (wzp_addr){.family = WZP_ADDR_NONE};
}

void wzp_http_stop(wzp_http *http) {
    (void)http;
}

void wzp_http_free(wzp_http **http) {
    *http = NULL;
}

#endif
