#include "io/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "io/ring.h"
#include "io/sockaddr.h"
#include "io/sys.h"
#include "trace/inet.h"
#include "trace/pcapng.h"

enum {
    LANE_BYTES = 8 * 1024 * 1024,
    SECRETS_BYTES = 64 * 1024,
    SECRETS_AT_ONCE = 8 * 1024, /* of one block */
    BLOCKS = 256 * 1024,        /* written together */
    BLOCK_MAX = 70 * 1024,      /* an IP packet, and what is around it */
    KNOWN_ROUTES = 8,
    ROUND_MS = 20
};

#define ORDER WZP_PCAPNG_LITTLE

typedef struct record {
    wzp_time at;
    wzp_addr src, dst;
    uint8_t ecn;
    bool is_out;
} record;

/* From which address the system sends to another one. */
typedef struct route {
    wzp_addr remote, local;
} route;

struct wzp_capture_lane {
    wzp_ring packets, secrets;
    atomic_uint_least64_t dropped, secrets_lost;
    route routes[KNOWN_ROUTES];
    size_t next_route;
};

struct wzp_capture {
    wzp_capture_lane *lanes;
    unsigned count;
    int fd;
    wzp_capture_form form;
    wzp_time began;
    uint64_t wall_ns; /* what is to be added to our time */

    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t over;
    bool has_lock, runs, ends; /* the last one under the lock */

    /* The thread's own. */
    uint8_t blocks[BLOCKS];
    wzp_wr wr;
    uint64_t held;  /* packets in `blocks` */
    uint64_t whole; /* bytes of the file that are whole blocks */
    uint8_t taken[sizeof(record) + BLOCK_MAX];

    atomic_uint_least64_t packets, bytes, dropped, secrets_lost;
    atomic_int error;
};

/* --- lanes ------------------------------------------------------------------------------------ */

static void add(atomic_uint_least64_t *counter, uint64_t n) {
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static wzp_addr ask_system(const wzp_addr *remote) {
    wzp_sockaddr addr;
    wzp_addr local = {.family = remote->family};
    const socklen_t len = wzp_sockaddr_write(&addr, remote, false);
    const int fd = socket(addr.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t got = sizeof addr;
    if (fd >= 0 && connect(fd, &addr.any, len) == 0 && getsockname(fd, &addr.any, &got) == 0) {
        local = wzp_sockaddr_read(&addr);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return local;
}

/* A socket for all addresses does not know from which one the system sends: a client has such a
 * socket, and few places to send to. */
static wzp_addr local_end(wzp_capture_lane *lane, const wzp_quic_path *path) {
    wzp_addr local = path->local;
    if (local.family == path->remote.family && !wzp_addr_is_any(&local)) {
        return local;
    }
    const route *known = NULL;
    for (size_t i = 0; i < KNOWN_ROUTES && known == NULL; i++) {
        known = wzp_addr_same_ip(&lane->routes[i].remote, &path->remote) ? &lane->routes[i] : NULL;
    }
    if (known == NULL) {
        route *r = &lane->routes[lane->next_route];
        lane->next_route = (lane->next_route + 1) % KNOWN_ROUTES;
        *r = (route){path->remote, ask_system(&path->remote)};
        known = r;
    }
    const uint16_t port = local.port;
    local = known->local;
    local.port = port;
    return local;
}

void wzp_capture_datagram(void *ctx, bool is_out, const wzp_quic_path *path, uint8_t ecn,
                          wzp_bytes payload) {
    wzp_capture_lane *lane = ctx;
    const wzp_addr local = local_end(lane, path);
    const record r = {.at = wzp_io_now(),
                      .src = is_out ? local : path->remote,
                      .dst = is_out ? path->remote : local,
                      .ecn = ecn,
                      .is_out = is_out};
    if (!wzp_ring_put(&lane->packets, wzp_bytes_of(&r, sizeof r), payload)) {
        add(&lane->dropped, 1);
    }
}

void wzp_capture_media(wzp_capture_lane *lane, wzp_bytes packet) {
    const record r = {.at = wzp_io_now()};
    if (!wzp_ring_put(&lane->packets, wzp_bytes_of(&r, sizeof r), packet)) {
        add(&lane->dropped, 1);
    }
}

void wzp_capture_secret_line(wzp_capture_lane *lane, wzp_capture_secret kind, wzp_bytes line) {
    const uint8_t head = (uint8_t)kind;
    if (line.len >= SECRETS_AT_ONCE ||
        !wzp_ring_put(&lane->secrets, wzp_bytes_of(&head, 1), line)) {
        add(&lane->secrets_lost, 1);
    }
}

wzp_capture_lane *wzp_capture_lane_of(wzp_capture *c, unsigned index) {
    return &c->lanes[index];
}

/* --- the file --------------------------------------------------------------------------------- */

/* A block that is cut would spoil what was written before it. */
static void give_up(wzp_capture *c, int error) {
    if (ftruncate(c->fd, (off_t)c->whole) != 0) {
        error = error != 0 ? error : errno;
    }
    atomic_store(&c->error, error);
    add(&c->dropped, c->held);
}

static void flush(wzp_capture *c) {
    const size_t len = wzp_wr_len(&c->wr);
    size_t done = 0;
    while (done < len && atomic_load(&c->error) == 0) {
        const ssize_t n = write(c->fd, c->blocks + done, len - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            give_up(c, n == 0 ? EIO : errno);
        }
    }
    if (done == len) {
        c->whole += len;
        atomic_store_explicit(&c->bytes, c->whole, memory_order_relaxed);
        add(&c->packets, c->held);
    }
    c->held = 0;
    wzp_wr_init(&c->wr, c->blocks, sizeof c->blocks);
}

static void make_room(wzp_capture *c) {
    if (wzp_wr_room(&c->wr) < BLOCK_MAX) {
        flush(c);
    }
}

/* Little-endian, unlike the wire. */
static void put_le(wzp_wr *wr, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) {
        wzp_wr_u8(wr, (uint8_t)(value >> (8 * i)));
    }
}

static void put_media(wzp_capture *c, const record *r, wzp_bytes packet) {
    if (atomic_load(&c->error) != 0) {
        add(&c->dropped, 1);
        return;
    }
    make_room(c);
    put_le(&c->wr, wzp_time_since(r->at, c->began) / WZP_US, 8);
    put_le(&c->wr, packet.len, 4);
    wzp_wr_bytes(&c->wr, packet);
    c->held++;
}

static void put_packet(wzp_capture *c, const record *r, wzp_bytes payload) {
    uint8_t head[WZP_INET_HEAD_MAX];
    const size_t len = wzp_inet_udp_head(head, &r->src, &r->dst, r->ecn, payload);
    if (len == 0 || atomic_load(&c->error) != 0) {
        add(&c->dropped, 1);
        return;
    }
    make_room(c);
    const wzp_pcapng_packet packet = {.time = r->at + c->wall_ns,
                                      .head = wzp_bytes_of(head, len),
                                      .data = payload,
                                      .flags =
                                          r->is_out ? WZP_PCAPNG_OUTBOUND : WZP_PCAPNG_INBOUND};
    wzp_pcapng_put_packet(&c->wr, ORDER, &packet);
    c->held++;
}

static void put_lines(wzp_capture *c, wzp_capture_secret kind, wzp_bytes lines) {
    make_room(c);
    if (lines.len == 0 || c->form == WZP_CAPTURE_WZP) {
        return;
    }
    if (kind == WZP_CAPTURE_TLS) {
        wzp_pcapng_put_secrets(&c->wr, ORDER, lines);
    } else {
        wzp_pcapng_put_media_keys(&c->wr, ORDER, lines);
    }
}

/* Lines of one kind share a block, as far as they follow each other. */
static void take_secrets(wzp_capture *c, wzp_capture_lane *lane) {
    uint8_t lines[SECRETS_AT_ONCE];
    size_t len = 0;
    wzp_capture_secret kind = WZP_CAPTURE_TLS;
    for (size_t n; (n = wzp_ring_take(&lane->secrets, c->taken, sizeof c->taken)) > 0;) {
        const wzp_capture_secret next = (wzp_capture_secret)c->taken[0];
        if (next != kind || len + n > sizeof lines) {
            put_lines(c, kind, wzp_bytes_of(lines, len));
            len = 0;
        }
        kind = next;
        memcpy(lines + len, c->taken + 1, n - 1);
        lines[len + n - 1] = '\n';
        len += n;
    }
    put_lines(c, kind, wzp_bytes_of(lines, len));
    explicit_bzero(lines, sizeof lines);
}

/* The lane with the oldest packet, if that is old enough or the lane is filling up. */
static wzp_capture_lane *oldest(const wzp_capture *c, wzp_time until) {
    wzp_capture_lane *found = NULL;
    wzp_time at = WZP_TIME_NEVER;
    for (unsigned i = 0; i < c->count; i++) {
        wzp_capture_lane *lane = &c->lanes[i];
        const wzp_ring *ring = &lane->packets;
        record r;
        if (wzp_ring_peek(ring, (uint8_t *)&r, sizeof r) > 0 && r.at < at &&
            (r.at <= until || wzp_ring_used(ring) > ring->cap / 2)) {
            found = lane;
            at = r.at;
        }
    }
    return found;
}

/* Secrets come first: a packet that is older than WZP_CAPTURE_HOLD needs none that is not there. */
static void take_all(wzp_capture *c, wzp_time until) {
    for (unsigned i = 0; i < c->count; i++) {
        take_secrets(c, &c->lanes[i]);
    }
    for (wzp_capture_lane *lane; (lane = oldest(c, until)) != NULL;) {
        record r;
        const size_t len = wzp_ring_take(&lane->packets, c->taken, sizeof c->taken);
        memcpy(&r, c->taken, sizeof r);
        (c->form == WZP_CAPTURE_WZP ? put_media : put_packet)(
            c, &r, wzp_bytes_of(c->taken + sizeof r, len - sizeof r));
    }
    flush(c);
}

static void run(void *ctx) {
    wzp_capture *c = ctx;
    uv_mutex_lock(&c->lock);
    while (!c->ends) {
        (void)uv_cond_timedwait(&c->over, &c->lock, ROUND_MS * WZP_MS);
        uv_mutex_unlock(&c->lock);
        const wzp_time now = wzp_io_now();
        take_all(c, now > WZP_CAPTURE_HOLD ? now - WZP_CAPTURE_HOLD : 0);
        uv_mutex_lock(&c->lock);
    }
    uv_mutex_unlock(&c->lock);
    take_all(c, WZP_TIME_NEVER);
}

/* --- life ------------------------------------------------------------------------------------- */

static void put_pcapng_head(wzp_capture *c, const wzp_capture_cfg *cfg) {
    const wzp_pcapng_section section = {.program = cfg->program};
    const wzp_pcapng_interface interface = {
        .link_type = WZP_LINKTYPE_RAW, .name = "udp", .digits = 9};
    wzp_pcapng_put_section(&c->wr, ORDER, &section);
    wzp_pcapng_put_interface(&c->wr, ORDER, &interface);
}

static wzp_err put_wzp_head(wzp_capture *c, const wzp_capture_cfg *cfg) {
    static const uint8_t magic[] = {'W', 'Z', 'P', 1};
    char start[40];
    wzp_io_rfc3339(start);
    json_t *head =
        json_pack("{s:s, s:s, s:s, s:i}", "room", cfg->room != NULL ? cfg->room : "", "relay",
                  cfg->relay != NULL ? cfg->relay : "", "start_time", start, "version", 1);
    char *text = head != NULL ? json_dumps(head, JSON_COMPACT) : NULL;
    json_decref(head);
    if (text == NULL) {
        return WZP_ERR_INVALID_ARGUMENT; /* a name that is no UTF-8 */
    }
    wzp_wr_bytes(&c->wr, wzp_bytes_of(magic, sizeof magic));
    put_le(&c->wr, strlen(text), 4);
    wzp_wr_str(&c->wr, text);
    free(text);
    return WZP_OK;
}

static wzp_err open_file(wzp_capture *c, const wzp_capture_cfg *cfg) {
    struct stat st;
    c->fd = open(cfg->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (c->fd < 0 || fstat(c->fd, &st) != 0 || (S_ISREG(st.st_mode) && fchmod(c->fd, 0600) != 0)) {
        return WZP_ERR_IO;
    }
    c->began = wzp_io_now();
    c->wall_ns = wzp_io_unix_ns() - c->began;
    wzp_wr_init(&c->wr, c->blocks, sizeof c->blocks);
    if (cfg->form == WZP_CAPTURE_PCAPNG) {
        put_pcapng_head(c, cfg);
    } else if (put_wzp_head(c, cfg) != WZP_OK) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    flush(c);
    errno = atomic_load(&c->error);
    return errno == 0 ? WZP_OK : WZP_ERR_IO;
}

static wzp_err open_lanes(wzp_capture *c, const wzp_capture_cfg *cfg) {
    const size_t bytes = cfg->lane_bytes != 0 ? cfg->lane_bytes : LANE_BYTES;
    const size_t secrets = cfg->secrets_bytes != 0 ? cfg->secrets_bytes : SECRETS_BYTES;
    c->lanes = aligned_alloc(_Alignof(wzp_capture_lane), cfg->lanes * sizeof *c->lanes);
    if (c->lanes == NULL) {
        return WZP_ERR_NOMEM;
    }
    memset(c->lanes, 0, cfg->lanes * sizeof *c->lanes);
    c->count = cfg->lanes;
    wzp_err err = WZP_OK;
    for (unsigned i = 0; i < cfg->lanes && err == WZP_OK; i++) {
        err = wzp_ring_init(&c->lanes[i].packets, bytes);
        err = err == WZP_OK ? wzp_ring_init(&c->lanes[i].secrets, secrets) : err;
    }
    return err;
}

static wzp_err start(wzp_capture *c) {
    if (uv_mutex_init(&c->lock) != 0) {
        return WZP_ERR_NOMEM;
    }
    if (uv_cond_init(&c->over) != 0) {
        uv_mutex_destroy(&c->lock);
        return WZP_ERR_NOMEM;
    }
    c->has_lock = true;
    c->runs = uv_thread_create(&c->thread, run, c) == 0;
    return c->runs ? WZP_OK : WZP_ERR_NOMEM;
}

wzp_err wzp_capture_open(wzp_capture **out, const wzp_capture_cfg *cfg) {
    if (strcmp(cfg->path, "-") == 0 || cfg->lanes == 0) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_capture *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return WZP_ERR_NOMEM;
    }
    c->fd = -1;
    c->form = cfg->form;
    wzp_err err = open_lanes(c, cfg);
    err = err == WZP_OK ? open_file(c, cfg) : err;
    err = err == WZP_OK ? start(c) : err;
    if (err != WZP_OK) {
        const int why = errno;
        wzp_capture_close(&c);
        errno = why;
        return err;
    }
    *out = c;
    return WZP_OK;
}

void wzp_capture_finish(wzp_capture *c) {
    if (c->runs) {
        uv_mutex_lock(&c->lock);
        c->ends = true;
        uv_cond_signal(&c->over);
        uv_mutex_unlock(&c->lock);
        uv_thread_join(&c->thread);
        c->runs = false;
    }
}

void wzp_capture_close(wzp_capture **capture) {
    wzp_capture *c = *capture;
    if (c == NULL) {
        return;
    }
    wzp_capture_finish(c);
    if (c->has_lock) {
        uv_cond_destroy(&c->over);
        uv_mutex_destroy(&c->lock);
    }
    for (unsigned i = 0; i < c->count; i++) {
        wzp_ring_clear(&c->lanes[i].packets);
        wzp_ring_clear(&c->lanes[i].secrets);
    }
    free(c->lanes);
    if (c->fd >= 0) {
        (void)close(c->fd);
    }
    explicit_bzero(c, sizeof *c);
    free(c);
    *capture = NULL;
}

void wzp_capture_count(const wzp_capture *c, wzp_capture_counters *out) {
    *out = (wzp_capture_counters){
        .packets = atomic_load_explicit(&c->packets, memory_order_relaxed),
        .bytes = atomic_load_explicit(&c->bytes, memory_order_relaxed),
        .dropped = atomic_load_explicit(&c->dropped, memory_order_relaxed),
        .secrets_lost = atomic_load_explicit(&c->secrets_lost, memory_order_relaxed),
        .error = atomic_load_explicit(&c->error, memory_order_relaxed)};
    for (unsigned i = 0; i < c->count; i++) {
        out->dropped += atomic_load_explicit(&c->lanes[i].dropped, memory_order_relaxed);
        out->secrets_lost += atomic_load_explicit(&c->lanes[i].secrets_lost, memory_order_relaxed);
    }
}
