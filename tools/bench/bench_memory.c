/* Memory of the relay per idle participant: 1,000 real connections over loopback.  The clients live
 * in a process of their own, so that this one holds the relay and nothing else. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "io/drive.h"
#include "io/sys.h"
#include "relay/relay.h"
#include "relay/testing/offer.h"

enum { PARTICIPANTS = 1000, PER_ROOM = 2, AT_ONCE = 32, IDLE_MS = 2000, GIVE_UP_MS = 60000 };
static const double budget_bytes = 48 * 1024;

/* --- clients ---------------------------------------------------------------------------------- */

typedef struct clients {
    wzp_quic *quic;
    wzp_drive drive;
    wzp_addr relay;
    unsigned dialled, joined;
} clients;

static void dial_more(clients *c, wzp_time now) {
    while (c->dialled < PARTICIPANTS && c->dialled - c->joined < AT_ONCE) {
        char room[32];
        wzp_quic_conn conn;
        (void)snprintf(room, sizeof room, "bench-%u", c->dialled / PER_ROOM);
        const wzp_quic_dial dial = {.path = {.remote = c->relay}, .sni = room};
        if (wzp_quic_connect(c->quic, &dial, now, &conn) != WZP_OK) {
            return;
        }
        c->dialled++;
    }
}

static void send_offer(clients *c, wzp_quic_conn conn) {
    uint8_t seed[WZP_KEY_LEN];
    uint8_t json[OFFER_MAX];
    wzp_identity identity;
    wzp_rng_fill(wzp_io_rng(), seed, sizeof seed);
    wzp_identity_from_seed(&identity, seed);
    const size_t len = offer_write(json, sizeof json, &identity, NULL, wzp_io_rng());
    (void)!wzp_quic_send_signal(c->quic, conn, wzp_bytes_of(json, len), NULL);
}

/* The first signal of the relay is its answer. */
static void on_events(void *ctx, wzp_time now) {
    clients *c = ctx;
    wzp_quic_event ev;
    while (wzp_quic_next_event(c->quic, &ev)) {
        if (ev.kind == WZP_QUIC_CONNECTED) {
            send_offer(c, ev.conn);
        } else if (ev.kind == WZP_QUIC_SIGNAL && wzp_quic_app(c->quic, ev.conn) == NULL) {
            wzp_quic_set_app(c->quic, ev.conn, c);
            c->joined++;
        }
    }
    dial_more(c, now);
}

static int run_clients(wzp_addr relay) {
    clients c = {.relay = relay};
    uv_loop_t loop;
    wzp_udp *udp = NULL;
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    const wzp_quic_cfg cfg = {.rng = wzp_io_rng(), .max_conns = PARTICIPANTS + 1};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (wzp_quic_new(&c.quic, &cfg, wzp_io_now()) != WZP_OK ||
        wzp_udp_open(&udp, &any, false) != WZP_OK || uv_loop_init(&loop) != 0) {
        return 1;
    }
    c.drive = (wzp_drive){.core = wzp_quic_core(c.quic), .udp = udp, .after = on_events, .ctx = &c};
    if (wzp_drive_start(&c.drive, &loop) != WZP_OK) {
        return 1;
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    return 0;
}

/* --- the relay -------------------------------------------------------------------------------- */

typedef struct usage {
    double heap, resident;
} usage;

static usage measure(void) {
    const struct mallinfo2 m = mallinfo2();
    char text[128];
    char *after_size = text;
    size_t len;
    unsigned long pages = 0;
    if (wzp_io_read_file("/proc/self/statm", text, sizeof text, &len)) {
        (void)strtoul(text, &after_size, 10);
        pages = strtoul(after_size, NULL, 10); /* the second one: resident */
    }
    return (usage){(double)(m.uordblks + m.hblkhd), (double)pages * (double)sysconf(_SC_PAGESIZE)};
}

typedef struct relay_side {
    wzp_relay *relay;
    wzp_drive drive;
    uv_timer_t timer;
    unsigned waited_ms, idle_ms;
    uint64_t sessions;
} relay_side;

static void discard_events(void *ctx, wzp_time now) {
    relay_side *r = ctx;
    wzp_relay_event event;
    (void)now;
    while (wzp_relay_next_event(r->relay, &event)) {
    }
}

/* Idle: everybody has joined, and acknowledgements and room updates have settled. */
static void on_timer(uv_timer_t *timer) {
    relay_side *r = timer->data;
    wzp_relay_totals totals;
    wzp_relay_count(r->relay, &totals);
    r->sessions = totals.sessions;
    r->waited_ms += 100;
    r->idle_ms = totals.sessions == PARTICIPANTS ? r->idle_ms + 100 : 0;
    if (r->idle_ms >= IDLE_MS || r->waited_ms >= GIVE_UP_MS) {
        uv_stop(timer->loop);
    }
}

static void report(const char *name, double bytes, bool judged) {
    char budget[64] = "-";
    if (judged) {
        (void)snprintf(budget, sizeof budget, "%s (at most %.0f B)",
                       bytes <= budget_bytes ? "ok" : "OVER", budget_bytes);
    }
    bench_line(name, bytes, "B", bytes, 0, budget);
}

static int run_relay(relay_side *r, wzp_udp *udp, uv_loop_t *loop) {
    const wzp_relay_cfg cfg = {.rng = wzp_io_rng(),
                               .seed = {1},
                               .max_sessions = 2 * PARTICIPANTS,
                               .max_handshakes = 2 * AT_ONCE};
    if (wzp_relay_new(&r->relay, &cfg, wzp_io_now()) != WZP_OK || uv_loop_init(loop) != 0) {
        return 1;
    }
    r->drive = (wzp_drive){
        .core = wzp_relay_core(r->relay), .udp = udp, .after = discard_events, .ctx = r};
    if (wzp_drive_start(&r->drive, loop) != WZP_OK) {
        return 1;
    }
    uv_timer_init(loop, &r->timer);
    r->timer.data = r;
    uv_timer_start(&r->timer, on_timer, 100, 100);
    const usage before = measure();
    uv_run(loop, UV_RUN_DEFAULT);
    const usage after = measure();
    if (r->sessions != PARTICIPANTS) {
        (void)fprintf(stderr, "bench_memory: only %llu of %d participants joined\n",
                      (unsigned long long)r->sessions, PARTICIPANTS);
        return 1;
    }
    report("relay, idle participant, resident", (after.resident - before.resident) / PARTICIPANTS,
           true);
    report("relay, idle participant, heap in use", (after.heap - before.heap) / PARTICIPANTS,
           false);
    return 0;
}

int main(void) {
    wzp_udp *udp = NULL;
    uv_loop_t loop;
    static relay_side r;
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    if (wzp_udp_open(&udp, &any, false) != WZP_OK) {
        (void)fprintf(stderr, "bench_memory: no socket: %s\n", wzp_io_reason(errno));
        return 1;
    }
    const pid_t child = fork();
    if (child == 0) {
        const wzp_addr relay = wzp_udp_local(udp);
        wzp_udp_close(&udp);
        _exit(run_clients(relay));
    }
    const int code = child > 0 ? run_relay(&r, udp, &loop) : 1;
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    wzp_udp_close(&udp);
    return code;
}
