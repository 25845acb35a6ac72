/* Ten thousand clients registered over loopback, real connections all of them: how long until
 * everyone knows of one more, and what that costs the relay.  The clients live in a process of
 * their own. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "crypto/identity.h"
#include "io/drive.h"
#include "io/sys.h"
#include "relay/relay.h"
#include "wire/signal.h"

enum { CLIENTS = 10000, AT_ONCE = 64, SETTLE_MS = 10000, GIVE_UP_S = 400 };
static const double budget_ms = 2000;

/* Seen by both processes. */
typedef struct progress {
    _Atomic bool one_more, told;
} progress;

static progress *seen;

/* --- clients
 * ------------------------------------------------------------------------------------------ */

typedef struct clients {
    wzp_quic *quic;
    wzp_drive drive;
    wzp_addr relay;
    uv_timer_t timer;
    unsigned dialled, registered, told;
    bool one_more; /* the last of them is dialled */
    wzp_time dialled_at, told_at;
    char newcomer[WZP_FINGERPRINT_TEXT + 1];
    bool knows[2 * CLIENTS]; /* by number of the connection */
} clients;

static void dial(clients *c, wzp_time now) {
    wzp_quic_conn conn;
    const wzp_quic_dial dial = {.path = {.remote = c->relay}, .sni = "_signal"};
    if (wzp_quic_connect(c->quic, &dial, now, &conn) == WZP_OK) {
        c->dialled++;
    }
}

static void send_registration(clients *c, wzp_quic_conn conn, unsigned number) {
    uint8_t json[1024];
    wzp_wr wr;
    wzp_signal reg = {.kind = WZP_SIGNAL_REGISTER_PRESENCE, .version = 1};
    memcpy(reg.u.RegisterPresence.identity_pub.bytes, &number, sizeof number);
    wzp_fingerprint_text(c->newcomer, reg.u.RegisterPresence.identity_pub.bytes);
    wzp_wr_init(&wr, json, sizeof json);
    wzp_signal_write(&wr, &reg);
    (void)!wzp_quic_send_signal(c->quic, conn, wzp_bytes_of(json, wzp_wr_len(&wr)), NULL);
}

static bool contains(wzp_bytes text, const char *part) {
    return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

/* The app pointer is the client's own flag. */
static void on_signal(clients *c, const wzp_quic_event *ev, wzp_time now) {
    bool *knows = wzp_quic_app(c->quic, ev->conn);
    if (contains(ev->body, "RegisterPresenceAck")) {
        c->registered++;
    } else if (c->one_more && knows != NULL && !*knows && contains(ev->body, c->newcomer)) {
        *knows = true;
        c->told++;
        c->told_at = now;
    }
}

static void on_events(void *ctx, wzp_time now) {
    clients *c = ctx;
    static unsigned connected;
    wzp_quic_event ev;
    while (wzp_quic_next_event(c->quic, &ev)) {
        if (ev.kind == WZP_QUIC_CONNECTED) {
            wzp_quic_set_app(c->quic, ev.conn, &c->knows[connected]);
            send_registration(c, ev.conn, connected++);
            c->dialled_at = now;
        } else if (ev.kind == WZP_QUIC_SIGNAL) {
            on_signal(c, &ev, now);
        } else if (ev.kind == WZP_QUIC_CLOSED) {
            c->dialled--; /* a busy machine: once more */
        }
    }
    while (c->dialled < CLIENTS && c->dialled - c->registered < AT_ONCE) {
        dial(c, now);
    }
    if (c->told == CLIENTS + 1) {
        seen->told = true;
        uv_stop(c->timer.loop);
    }
}

/* Everybody is there and has been told of the others: one more. */
static void on_timer(uv_timer_t *timer) {
    clients *c = timer->data;
    static unsigned idle_ms;
    idle_ms = c->registered == CLIENTS ? idle_ms + 100 : 0;
    if (idle_ms >= SETTLE_MS && !c->one_more) {
        c->one_more = true;
        seen->one_more = true;
        dial(c, wzp_io_now());
        wzp_drive_kick(&c->drive);
    }
}

static wzp_core core_of(wzp_quic *quic);

static int run_clients(wzp_addr relay) {
    static clients c;
    uv_loop_t loop;
    wzp_udp *udp = NULL;
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    const wzp_quic_cfg cfg = {.rng = wzp_io_rng(), .max_conns = CLIENTS + 1};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    c.relay = relay;
    if (wzp_quic_new(&c.quic, &cfg, wzp_io_now()) != WZP_OK ||
        wzp_udp_open(&udp, &any, false) != WZP_OK || uv_loop_init(&loop) != 0) {
        return 1;
    }
    c.drive = (wzp_drive){.core = core_of(c.quic), .udp = udp, .after = on_events, .ctx = &c};
    uv_timer_init(&loop, &c.timer);
    c.timer.data = &c;
    uv_timer_start(&c.timer, on_timer, 100, 100);
    if (wzp_drive_start(&c.drive, &loop) != WZP_OK) {
        return 1;
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    const double ms = (double)(c.told_at - c.dialled_at) / 1e6;
    char budget[64];
    (void)snprintf(budget, sizeof budget, "%s (at most %.0f ms)", ms <= budget_ms ? "ok" : "OVER",
                   budget_ms);
    bench_line("presence, 10,000 know of one more", ms, "ms", ms, 0, budget);
    return 0;
}

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_quic_recv(self, path, ecn, payload, now);
}

static void core_tick(void *self, wzp_time now) {
    wzp_quic_tick(self, now);
}

static wzp_time core_deadline(const void *self) {
    return wzp_quic_deadline(self);
}

static size_t core_next(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    return wzp_quic_next_packet(self, now, buf, cap, meta);
}

static wzp_core core_of(wzp_quic *quic) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next};
    return (wzp_core){quic, &ops};
}

/* --- the relay
 * ------------------------------------------------------------------------------------------ */

typedef struct relay_side {
    wzp_relay *relay;
    wzp_drive drive;
    uv_timer_t timer;
    pid_t clients;
    unsigned waited_s;
    double cpu_before, cpu_after; /* of the list that names the last one */
    int status;
} relay_side;

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void discard_events(void *ctx, wzp_time now) {
    relay_side *r = ctx;
    if (seen->one_more && r->cpu_before == 0) {
        r->cpu_before = cpu_seconds();
    }
    if (seen->told && r->cpu_after == 0) {
        r->cpu_after = cpu_seconds();
    }
    wzp_relay_event event;
    (void)now;
    while (wzp_relay_next_event(r->relay, &event)) {
    }
}

static void on_second(uv_timer_t *timer) {
    relay_side *r = timer->data;
    if (waitpid(r->clients, &r->status, WNOHANG) == r->clients) {
        r->clients = 0;
        uv_stop(timer->loop);
    } else if (++r->waited_s == GIVE_UP_S) {
        uv_stop(timer->loop);
    }
}

static int run_relay(relay_side *r, wzp_udp *udp) {
    uv_loop_t loop;
    const wzp_relay_cfg cfg = {
        .rng = wzp_io_rng(), .seed = {1}, .max_conns = CLIENTS + 1, .max_handshakes = 2 * AT_ONCE};
    if (wzp_relay_new(&r->relay, &cfg, wzp_io_now()) != WZP_OK || uv_loop_init(&loop) != 0) {
        return 1;
    }
    r->drive = (wzp_drive){
        .core = wzp_relay_core(r->relay), .udp = udp, .after = discard_events, .ctx = r};
    uv_timer_init(&loop, &r->timer);
    r->timer.data = r;
    uv_timer_start(&r->timer, on_second, 1000, 1000);
    if (wzp_drive_start(&r->drive, &loop) != WZP_OK) {
        return 1;
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    const double cpu = cpu_seconds();
    const double list_ms = ((r->cpu_after != 0 ? r->cpu_after : cpu) - r->cpu_before) * 1e3;
    bench_line("presence, relay's CPU for that", list_ms, "ms", list_ms, 0, "-");
    bench_line("presence, relay's CPU for 10,000 to come", cpu, "s", cpu, 0, "-");
    if (r->clients != 0 || !WIFEXITED(r->status) || WEXITSTATUS(r->status) != 0) {
        (void)fprintf(stderr, "bench_presence: not all clients were told in %d s\n", GIVE_UP_S);
        return 1;
    }
    return 0;
}

int main(void) {
    wzp_udp *udp = NULL;
    static relay_side r;
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    if (wzp_udp_open(&udp, &any, false) != WZP_OK) {
        (void)fprintf(stderr, "bench_presence: no socket: %s\n", wzp_io_reason(errno));
        return 1;
    }
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (seen == MAP_FAILED) {
        return 1;
    }
    r.clients = fork();
    if (r.clients == 0) {
        const wzp_addr relay = wzp_udp_local(udp);
        wzp_udp_close(&udp);
        _exit(run_clients(relay));
    }
    const int code = r.clients > 0 ? run_relay(&r, udp) : 1;
    if (r.clients > 0) {
        kill(r.clients, SIGKILL);
        waitpid(r.clients, NULL, 0);
    }
    wzp_relay_free(&r.relay);
    wzp_udp_close(&udp);
    return code;
}
