#include "io/http_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef WZP_HAVE_WEBSOCKETS

#include <libwebsockets.h>
#include <netdb.h>

enum { HOST_MAX = 256, BODY_MAX = 32768 };

typedef struct endpoint {
    bool tls;
    int port;
    char host[HOST_MAX];      /* without brackets or port: to look up */
    char host_port[HOST_MAX]; /* as the Host header has it */
    char path[WZP_HTTP_URL_MAX];
} endpoint;

typedef struct post post;

struct wzp_http_client {
    wzp_http_client_cfg cfg;
    endpoint to;
    char *ca_file;
    uv_loop_t *loop;
    struct lws_context *context;
    post *posts; /* under way */
    size_t count;
};

/* One request.  Its timer, its look-up and its connection end when they like: the memory goes when
 * the last of them has let go. */
struct post {
    post *next, *prev;
    wzp_http_client *client;
    uint64_t id;
    bool is_over; /* reported, or nobody cares any more */
    unsigned holds;
    uv_timer_t timer;
    uv_getaddrinfo_t lookup;
    struct lws *wsi;
    unsigned status;
    uint8_t *answer;
    size_t answer_len, answer_max;
    bool is_get;
    size_t body_len;
    uint8_t body[]; /* LWS_PRE bytes, then the body */
};

/* --- URLs ------------------------------------------------------------------------------------- */

static bool split_url(endpoint *out, const char *url) {
    char copy[WZP_HTTP_URL_MAX];
    const char *protocol = NULL;
    const char *host = NULL;
    const char *path = NULL;
    int port = 0;
    const int n = snprintf(copy, sizeof copy, "%s", url);
    if (n < 0 || (size_t)n >= sizeof copy || lws_parse_uri(copy, &protocol, &host, &port, &path)) {
        return false;
    }
    const bool tls = strcmp(protocol, "https") == 0;
    const size_t host_len = strlen(host);
    if ((!tls && strcmp(protocol, "http") != 0) || strstr(url, "://") == NULL || host_len == 0 ||
        host_len + 8 > sizeof out->host || port <= 0 || port > 65535) {
        return false;
    }
    const bool is_v6 = strchr(host, ':') != NULL;
    *out = (endpoint){.tls = tls, .port = port};
    (void)snprintf(out->host, sizeof out->host, "%s", host);
    (void)snprintf(out->host_port, sizeof out->host_port, is_v6 ? "[%.240s]:%d" : "%.240s:%d", host,
                   port);
    if (port == (tls ? 443 : 80)) {
        *strrchr(out->host_port, ':') = '\0';
    }
    (void)snprintf(out->path, sizeof out->path, "/%s", path[0] == '/' ? path + 1 : path);
    return true;
}

bool wzp_http_url_is_usable(const char *url) {
    endpoint to;
    return split_url(&to, url);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void let_go(post *p) {
    if (--p->holds == 0) {
        free(p->answer);
        free(p);
    }
}

static void on_timer_closed(uv_handle_t *handle) {
    let_go(handle->data);
}

/* Out of the list; what it still holds comes back later and finds it over. */
static void retire(post *p) {
    wzp_http_client *c = p->client;
    p->is_over = true;
    if (p->prev != NULL) {
        p->prev->next = p->next;
    } else {
        c->posts = p->next;
    }
    if (p->next != NULL) {
        p->next->prev = p->prev;
    }
    c->count--;
    uv_close((uv_handle_t *)&p->timer, on_timer_closed);
    (void)uv_cancel((uv_req_t *)&p->lookup); /* fails when it is over or running: it ends anyway */
    if (p->wsi != NULL) {
        lws_set_timeout(p->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}

/* Whoever calls has a hold on `p`. */
static void finish(post *p, wzp_http_outcome outcome, const char *why) {
    if (p->is_over) {
        return;
    }
    const wzp_http_answer answer = {.id = p->id,
                                    .outcome = outcome,
                                    .status = p->status,
                                    .body = wzp_bytes_of(p->answer, p->answer_len),
                                    .why = why};
    const wzp_http_client *c = p->client;
    retire(p);
    c->cfg.done(c->cfg.ctx, &answer);
}

/* --- the connection --------------------------------------------------------------------------- */

static int add_headers(post *p, struct lws *wsi, uint8_t **at, const uint8_t *end) {
    static const char type[] = "application/json";
    char len[24];
    if (p->is_get) {
        return 0;
    }
    const int n = snprintf(len, sizeof len, "%zu", p->body_len);
    uint8_t *const limit = *at + (end - *at);
    if (lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, (const uint8_t *)type,
                                     sizeof type - 1, at, limit) != 0 ||
        lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, (const uint8_t *)len, n,
                                     at, limit) != 0) {
        return -1;
    }
    lws_client_http_body_pending(wsi, 1);
    lws_callback_on_writable(wsi);
    return 0;
}

static int write_body(post *p, struct lws *wsi) {
    lws_client_http_body_pending(wsi, 0);
    return lws_write(wsi, p->body + LWS_PRE, p->body_len, LWS_WRITE_HTTP_FINAL) < 0 ? -1 : 0;
}

static int keep(post *p, const void *data, size_t len) {
    if (p->answer == NULL) {
        p->answer = malloc(p->answer_max);
    }
    if (p->answer == NULL || len > p->answer_max - p->answer_len) {
        finish(p, WZP_HTTP_FAILED, "the answer is too long");
        return -1;
    }
    memcpy(p->answer + p->answer_len, data, len);
    p->answer_len += len;
    return 0;
}

/* libwebsockets wants a buffer for the chunks that it then hands to us. */
static int read_some(struct lws *wsi) {
    char buf[LWS_PRE + 2048];
    char *at = buf + LWS_PRE;
    int len = sizeof buf - LWS_PRE;
    return lws_http_client_read(wsi, &at, &len) < 0 ? -1 : 0;
}

static int on_event(post *p, struct lws *wsi, enum lws_callback_reasons reason, void *in,
                    size_t len) {
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return add_headers(p, wsi, in, *(uint8_t **)in + len);
    case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
        return write_body(p, wsi);
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        p->status = lws_http_client_http_response(wsi);
        return 0;
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
        return read_some(wsi);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        return keep(p, in, len);
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
        finish(p, WZP_HTTP_ANSWERED, "");
        return -1; /* one request per connection */
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        finish(p, WZP_HTTP_FAILED, in != NULL ? in : "no connection");
        return 0;
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        finish(p, WZP_HTTP_FAILED, "the connection ended before the answer did");
        return 0;
    default:
        return 0;
    }
}

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t len) {
    post *p = lws_get_opaque_user_data(wsi);
    (void)user;
    if (p == NULL) {
        return 0;
    }
    if (reason == LWS_CALLBACK_WSI_DESTROY) {
        p->wsi = NULL;
        let_go(p);
        return 0;
    }
    return p->is_over ? -1 : on_event(p, wsi, reason, in, len);
}

static void dial(post *p, const char *address) {
    wzp_http_client *c = p->client;
    const struct lws_client_connect_info info = {.context = c->context,
                                                 .address = address,
                                                 .port = c->to.port,
                                                 .path = c->to.path,
                                                 .host = c->to.host_port,
                                                 .method = p->is_get ? "GET" : "POST",
                                                 .protocol = "http",
                                                 .alpn = "http/1.1",
                                                 .opaque_user_data = p,
                                                 .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT |
                                                                   (c->to.tls ? LCCSCF_USE_SSL : 0),
                                                 .pwsi = &p->wsi};
    p->holds++; /* until WSI_DESTROY, which comes later also when there is no connection */
    if (lws_client_connect_via_info(&info) == NULL) {
        finish(p, WZP_HTTP_FAILED, "no connection");
    }
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found) {
    post *p = lookup->data;
    char address[NI_MAXHOST];
    if (p->is_over) {
        uv_freeaddrinfo(found);
        let_go(p);
        return;
    }
    if (status != 0 || getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof address, NULL,
                                   0, NI_NUMERICHOST) != 0) {
        finish(p, WZP_HTTP_FAILED, status != 0 ? uv_strerror(status) : "no address");
    } else {
        dial(p, address);
    }
    uv_freeaddrinfo(found);
    let_go(p);
}

static void on_timeout(uv_timer_t *timer) {
    finish(timer->data, WZP_HTTP_TIMED_OUT, "");
}

/* --- posts ------------------------------------------------------------------------------------ */

/* `body` is copied; that of a GET is empty. */
static post *new_post(wzp_http_client *c, uint64_t id, wzp_bytes body) {
    post *p = calloc(1, sizeof *p + LWS_PRE + body.len);
    if (p != NULL) {
        *p = (post){.client = c, .id = id, .next = c->posts, .body_len = body.len};
        memcpy(p->body + LWS_PRE, body.data, body.len);
        p->answer_max = WZP_HTTP_ANSWER_MAX;
    }
    return p;
}

/* Takes `p`, also on failure. */
static wzp_err begin(post *p, uint64_t timeout) {
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    wzp_http_client *c = p->client;
    p->lookup.data = p->timer.data = p;
    if (uv_getaddrinfo(c->loop, &p->lookup, on_lookup, c->to.host, NULL, &hints) != 0) {
        free(p);
        return WZP_ERR_NOMEM;
    }
    uv_update_time(c->loop);
    uv_timer_init(c->loop, &p->timer);
    uv_timer_start(&p->timer, on_timeout, timeout / WZP_MS, 0);
    p->holds = 2; /* the look-up and the timer */
    if (c->posts != NULL) {
        c->posts->prev = p;
    }
    c->posts = p;
    c->count++;
    return WZP_OK;
}

wzp_err wzp_http_client_post(wzp_http_client *c, uint64_t id, wzp_bytes body, uint64_t timeout) {
    if (c->count == WZP_HTTP_POSTS_MAX || body.len > BODY_MAX) {
        return WZP_ERR_LIMIT;
    }
    post *p = new_post(c, id, body);
    return p != NULL ? begin(p, timeout) : WZP_ERR_NOMEM;
}

wzp_err wzp_http_client_get(wzp_http_client *c, uint64_t id, uint64_t timeout) {
    if (c->count == WZP_HTTP_POSTS_MAX) {
        return WZP_ERR_LIMIT;
    }
    post *p = new_post(c, id, wzp_bytes_str(""));
    if (p == NULL) {
        return WZP_ERR_NOMEM;
    }
    p->is_get = true;
    p->answer_max = WZP_HTTP_GET_MAX;
    return begin(p, timeout);
}

/* --- start and stop --------------------------------------------------------------------------- */

static struct lws_context *new_context(wzp_http_client *c, uv_loop_t *loop) {
    static const struct lws_protocols protocols[] = {{.name = "http", .callback = on_http},
                                                     {.name = NULL}};
    void *loops[] = {loop};
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | (c->to.tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
        .foreign_loops = loops,
        .client_ssl_ca_filepath = c->ca_file,
        .user = c,
        .pcontext = &c->context};
    lws_set_log_level(0, NULL); /* it would write to stderr by itself */
    return lws_create_context(&info);
}

wzp_err wzp_http_client_start(wzp_http_client **out, uv_loop_t *loop,
                              const wzp_http_client_cfg *cfg) {
    wzp_http_client *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return WZP_ERR_NOMEM;
    }
    c->cfg = *cfg;
    c->loop = loop;
    if (!split_url(&c->to, cfg->url)) {
        free(c);
        return WZP_ERR_INVALID_ARGUMENT;
    }
    c->cfg.url = NULL; /* was borrowed */
    c->ca_file = cfg->ca_file != NULL ? strdup(cfg->ca_file) : NULL;
    c->context = new_context(c, loop);
    if (c->context == NULL) {
        free(c->ca_file);
        free(c);
        errno = ENOSYS;
        return WZP_ERR_IO;
    }
    *out = c;
    return WZP_OK;
}

void wzp_http_client_stop(wzp_http_client *c) {
    while (c->posts != NULL) {
        retire(c->posts);
    }
    lws_context_destroy(c->context);
}

/* The second step of destroying a context in a loop that is not its own, as in http.c. */
void wzp_http_client_free(wzp_http_client **client) {
    if (*client == NULL) {
        return;
    }
    if ((*client)->context != NULL) {
        lws_context_destroy((*client)->context);
    }
    free((*client)->ca_file);
    free(*client);
    *client = NULL;
}

#else

bool wzp_http_url_is_usable(const char *url) {
    return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

wzp_err wzp_http_client_start(wzp_http_client **out, uv_loop_t *loop,
                              const wzp_http_client_cfg *cfg) {
    (void)out;
    (void)loop;
    (void)cfg;
    errno = ENOSYS;
    return WZP_ERR_IO;
}

wzp_err wzp_http_client_post(wzp_http_client *client, uint64_t id, wzp_bytes body,
                             uint64_t timeout) {
    (void)client;
    (void)id;
    (void)body;
    (void)timeout;
    return WZP_ERR_LIMIT;
}

wzp_err wzp_http_client_get(wzp_http_client *client, uint64_t id, uint64_t timeout) {
    (void)client;
    (void)id;
    (void)timeout;
    return WZP_ERR_LIMIT;
}

void wzp_http_client_stop(wzp_http_client *client) {
    (void)client;
}

void wzp_http_client_free(wzp_http_client **client) {
    *client = NULL;
}

#endif
