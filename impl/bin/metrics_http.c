#include "bin/metrics_http.h"

#include <stdio.h>
#include <stdlib.h>

enum { REQUEST_MAX = 4096, PAGE_MAX = 262144, BACKLOG = 16, HEAD_MAX = 256 };

struct wzp_metrics_http {
    uv_tcp_t server;
    bool (*write)(void *ctx, wzp_wr *wr);
    void *ctx;
};

typedef struct client {
    uv_tcp_t tcp;
    uv_write_t request;
    wzp_metrics_http *http;
    size_t len;
    char input[REQUEST_MAX];
    char *output;
} client;

static void on_closed(uv_handle_t *handle) {
    client *c = handle->data;
    free(c->output);
    free(c);
}

static void on_written(uv_write_t *request, int status) {
    (void)status;
    uv_close((uv_handle_t *)request->handle, on_closed);
}

/* The page is made at `output` + HEAD_MAX and its head put just before it. */
static void respond(client *c, const char *status, bool with_page) {
    wzp_wr wr;
    char head[HEAD_MAX];
    c->output = malloc(HEAD_MAX + PAGE_MAX);
    if (c->output == NULL) {
        uv_close((uv_handle_t *)&c->tcp, on_closed);
        return;
    }
    wzp_wr_init(&wr, (uint8_t *)c->output + HEAD_MAX, PAGE_MAX);
    if (with_page && !c->http->write(c->http->ctx, &wr)) {
        status = "500 Internal Server Error";
        wzp_wr_init(&wr, (uint8_t *)c->output + HEAD_MAX, PAGE_MAX);
    }
    const int n = snprintf(head, sizeof head,
                           "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                           "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                           status, wzp_wr_len(&wr));
    const size_t head_len = n > 0 ? (size_t)n : 0;
    memcpy(c->output + HEAD_MAX - head_len, head, head_len);
    uv_buf_t buf = uv_buf_init(c->output + HEAD_MAX - head_len,
                               (unsigned)(head_len + wzp_wr_len(&wr)));
    if (uv_write(&c->request, (uv_stream_t *)&c->tcp, &buf, 1, on_written) != 0) {
        uv_close((uv_handle_t *)&c->tcp, on_closed);
    }
}

static void answer(client *c) {
    c->input[c->len] = '\0';
    uv_read_stop((uv_stream_t *)&c->tcp);
    if (strncmp(c->input, "GET ", 4) != 0) {
        respond(c, "405 Method Not Allowed", false);
    } else if (strncmp(c->input + 4, "/metrics ", 9) == 0) {
        respond(c, "200 OK", true);
    } else {
        respond(c, "404 Not Found", false);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    client *c = handle->data;
    (void)suggested;
    *buf = uv_buf_init(c->input + c->len, (unsigned)(sizeof c->input - 1 - c->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    client *c = stream->data;
    (void)buf;
    if (n < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    c->len += (size_t)n;
    c->input[c->len] = '\0';
    if (strstr(c->input, "\r\n\r\n") != NULL || c->len + 1 == sizeof c->input) {
        answer(c);
    }
}

static void on_connection(uv_stream_t *server, int status) {
    client *c = status == 0 ? calloc(1, sizeof *c) : NULL;
    if (c == NULL) {
        return;
    }
    c->http = server->data;
    c->tcp.data = c;
    uv_tcp_init(server->loop, &c->tcp);
    c->tcp.data = c;
    if (uv_accept(server, (uv_stream_t *)&c->tcp) != 0 ||
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0) {
        uv_close((uv_handle_t *)&c->tcp, on_closed);
    }
}

bool wzp_metrics_http_start(wzp_metrics_http **out, uv_loop_t *loop, uint16_t port,
                            bool (*write)(void *ctx, wzp_wr *wr), void *ctx) {
    struct sockaddr_in addr;
    wzp_metrics_http *h = calloc(1, sizeof *h);
    if (h == NULL) {
        return false;
    }
    h->write = write;
    h->ctx = ctx;
    uv_ip4_addr("127.0.0.1", port, &addr);
    uv_tcp_init(loop, &h->server);
    h->server.data = h;
    *out = h;
    return uv_tcp_bind(&h->server, (const struct sockaddr *)&addr, 0) == 0 &&
           uv_listen((uv_stream_t *)&h->server, BACKLOG, on_connection) == 0;
}

void wzp_metrics_http_stop(wzp_metrics_http **http) {
    /* The loop has ended: nobody uses the handle any more. */
    free(*http);
    *http = NULL;
}
