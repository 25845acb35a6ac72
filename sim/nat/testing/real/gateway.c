#include "sim/nat/testing/real/gateway.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/sockaddr.h"
#include "io/sys.h"
#include "nat/natpmp.h"
#include "sim/gateway/http.h"

/* --- setting up ------------------------------------------------------------------------------- */

static wzp_addr ip_of(const char *text) {
    char full[64];
    (void)snprintf(full, sizeof full, "%s:0", text);
    return real_addr(full);
}

static bool has_prefix(const char *word, const char *prefix, const char **rest) {
    const size_t len = strlen(prefix);
    *rest = word + len;
    return strncmp(word, prefix, len) == 0;
}

static void apply(wzp_sim_gateway_cfg *cfg, const char *word) {
    const struct flag {
        const char *word;
        bool *set;
    } flags[] = {{"chunked", &cfg->igd.chunked},
                 {"relative", &cfg->igd.relative_url},
                 {"permanent", &cfg->igd.permanent_only},
                 {"strict", &cfg->leases.strict}};
    const struct service {
        const char *word;
        wzp_sim_gateway_mode *mode;
    } services[] = {{"pmp", &cfg->pmp}, {"pcp", &cfg->pcp}, {"upnp", &cfg->upnp}};
    const char *rest = NULL;
    for (size_t i = 0; i < WZP_COUNT_OF(flags); i++) {
        if (strcmp(word, flags[i].word) == 0) {
            *flags[i].set = true;
            return;
        }
    }
    for (size_t i = 0; i < WZP_COUNT_OF(services); i++) {
        if (strcmp(word, services[i].word) == 0) {
            *services[i].mode = WZP_SIM_GATEWAY_SERVES;
            return;
        }
    }
    if (strcmp(word, "v2") == 0) {
        cfg->igd.version = 2;
    } else if (strcmp(word, "refuse") == 0) {
        cfg->pmp_refuse = WZP_NATPMP_REFUSED;
        cfg->pcp_refuse = 2;
        cfg->igd.refuse = 606;
    } else if (has_prefix(word, "tv=", &rest)) {
        cfg->tv = ip_of(rest);
        cfg->tv.port = 8080;
    } else if (has_prefix(word, "reports=", &rest)) {
        cfg->leases.reports = ip_of(rest);
    } else {
        errno = 0;
        real_die(word);
    }
}

static wzp_addr at_port(const wzp_addr *ip, uint16_t port) {
    wzp_addr addr = *ip;
    addr.port = port;
    return addr;
}

static void open_sockets(real_gateway *g, const char *ns) {
    const wzp_addr group = wzp_addr_v4(239, 255, 255, 250, WZP_SIM_SSDP_PORT);
    const wzp_addr mapping = at_port(&g->inside, WZP_NATPMP_PORT);
    const wzp_addr http = wzp_sim_gateway_http_addr(g->core);
    g->mapping = real_udp(ns, &mapping);
    g->search = real_udp_group(ns, &group, &g->inside);
    g->http = real_listen(ns, &http);
    g->tv_search = -1;
    g->tv_http = -1;
    if (g->tv.family != WZP_ADDR_NONE) {
        const wzp_addr tv = at_port(&g->tv, WZP_SIM_SSDP_PORT);
        g->tv_search = real_udp(ns, &tv);
        g->tv_http = real_listen(ns, &g->tv);
    }
    for (size_t i = 0; i < REAL_CONNECTIONS; i++) {
        g->connections[i].fd = -1;
    }
}

void real_gateway_open(real_gateway *g, const char *ns, const wzp_addr *inside, wzp_sim_nat *nat,
                       char **words) {
    wzp_sim_gateway_cfg cfg = {.leases = {.min_s = 2}};
    for (; *words != NULL; words++) {
        apply(&cfg, *words);
    }
    *g = (real_gateway){.inside = *inside, .tv = cfg.tv};
    if (wzp_sim_gateway_new(&g->core, &cfg, nat, inside, 1, "gateway", wzp_io_now()) != WZP_OK) {
        real_die("gateway");
    }
    open_sockets(g, ns);
}

void real_gateway_fds(const real_gateway *g, struct pollfd fds[REAL_GATEWAY_FDS]) {
    const int own[] = {g->mapping, g->search, g->tv_search, g->http, g->tv_http};
    size_t n = 0;
    for (; n < WZP_COUNT_OF(own); n++) {
        fds[n] = (struct pollfd){.fd = own[n], .events = POLLIN}; /* poll ignores -1 */
    }
    for (size_t i = 0; i < REAL_CONNECTIONS; i++) {
        fds[n + i] = (struct pollfd){.fd = g->connections[i].fd, .events = POLLIN};
    }
}

wzp_time real_gateway_deadline(const real_gateway *g) {
    return wzp_sim_gateway_deadline(g->core);
}

/* --- datagrams -------------------------------------------------------------------------------- */

static void hear(real_gateway *g, int fd, const wzp_addr *to) {
    wzp_addr from;
    uint8_t buf[2048];
    const long len = fd >= 0 ? real_recv(fd, &from, buf, sizeof buf) : -1;
    if (len >= 0) {
        wzp_sim_gateway_recv(g->core, &from, to, wzp_bytes_of(buf, (size_t)len), wzp_io_now());
    }
}

static void answer(real_gateway *g) {
    wzp_sim_gateway_datagram datagram;
    while (wzp_sim_gateway_next(g->core, wzp_io_now(), &datagram)) {
        int fd = datagram.from.port == WZP_NATPMP_PORT ? g->mapping : g->search;
        if (wzp_addr_same_ip(&datagram.from, &g->tv)) {
            fd = g->tv_search;
        }
        real_send(fd, &datagram.to, wzp_bytes_of(datagram.data, datagram.len));
    }
}

/* --- HTTP ------------------------------------------------------------------------------------- */

static void take(real_gateway *g, int listener, const wzp_addr *to) {
    wzp_sockaddr peer;
    socklen_t len = sizeof peer;
    const int fd =
        listener >= 0 ? accept4(listener, &peer.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
    for (size_t i = 0; fd >= 0 && i < REAL_CONNECTIONS; i++) {
        real_connection *c = &g->connections[i];
        if (c->fd < 0) {
            *c = (real_connection){.fd = fd, .from = wzp_sockaddr_read(&peer), .to = *to};
            return;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void respond(real_gateway *g, real_connection *c, size_t request_len) {
    uint8_t out[WZP_SIM_UPNP_HTTP_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, out, sizeof out);
    (void)wzp_sim_gateway_http(g->core, &c->from, &c->to, wzp_bytes_of(c->buf, request_len),
                               wzp_io_now(), &wr);
    /* A socket that has just been opened has room for it. */
    (void)send(c->fd, out, wzp_wr_len(&wr), MSG_NOSIGNAL);
    (void)shutdown(c->fd, SHUT_WR);
}

static void read_request(real_gateway *g, real_connection *c) {
    wzp_sim_http_request request;
    const ssize_t got = recv(c->fd, c->buf + c->len, sizeof c->buf - c->len, 0);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    c->len += got > 0 ? (size_t)got : 0;
    const wzp_err err = wzp_sim_http_parse(&request, wzp_bytes_of(c->buf, c->len), NULL);
    if (got > 0 && err == WZP_ERR_TRUNCATED && c->len < sizeof c->buf) {
        return;
    }
    if (got > 0) {
        respond(g, c, err == WZP_OK ? request.len : c->len);
    }
    close(c->fd);
    c->fd = -1;
}

void real_gateway_serve(real_gateway *g) {
    const wzp_addr mapping = at_port(&g->inside, WZP_NATPMP_PORT);
    const wzp_addr group = wzp_addr_v4(239, 255, 255, 250, WZP_SIM_SSDP_PORT);
    const wzp_addr http = wzp_sim_gateway_http_addr(g->core);
    wzp_sim_gateway_tick(g->core, wzp_io_now());
    hear(g, g->mapping, &mapping);
    hear(g, g->search, &group);
    take(g, g->http, &http);
    take(g, g->tv_http, &g->tv);
    for (size_t i = 0; i < REAL_CONNECTIONS; i++) {
        if (g->connections[i].fd >= 0) {
            read_request(g, &g->connections[i]);
        }
    }
    answer(g);
}
