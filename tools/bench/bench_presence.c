/* Ten thousand clients registered over loopback, real connections all of them: how long until
 * everyone knows of one more, what that costs the relay, and what a call that runs meanwhile
 * notices.  The clients live in a process of their own, and so do the two parties of the call. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "crypto/handshake.h"
#include "io/drive.h"
#include "io/sys.h"
#include "relay/relay.h"
#include "relay/testing/offer.h"
#include "wire/media.h"
#include "wire/signal.h"

enum { CLIENTS = 10000, AT_ONCE = 64, SETTLE_MS = 10000, GIVE_UP_S = 400, FRAME_MS = 20 };
static const double budget_ms = 2000;
static const double budget_bytes = 48 * 1024;

/* Seen by all processes. */
typedef struct progress {
    _Atomic bool settled, one_more, told;
    _Atomic unsigned sent, heard;               /* packets of the call */
    _Atomic unsigned change_sent, change_heard; /* of these, after one more had come */
    _Atomic uint64_t change_latest;             /* ns from one party to the other */
} progress;

static progress *seen;

/* --- endpoints -------------------------------------------------------------------------------- */

/* A loop that drives `quic` on a socket of its own; false: none to be had. */
static bool drive_on_loop(wzp_drive *drive, uv_loop_t *loop, wzp_quic **quic, uint32_t conns) {
    wzp_udp *udp = NULL;
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    const wzp_quic_cfg cfg = {.rng = wzp_io_rng(), .max_conns = conns};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (wzp_quic_new(quic, &cfg, wzp_io_now()) != WZP_OK ||
        wzp_udp_open(&udp, &any, false) != WZP_OK || uv_loop_init(loop) != 0) {
        return false;
    }
    drive->core = wzp_quic_core(*quic);
    drive->udp = udp;
    return true;
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void tell(wzp_quic *quic, wzp_quic_conn conn, const wzp_signal *signal) {
    uint8_t json[4096];
    wzp_wr wr;
    wzp_wr_init(&wr, json, sizeof json);
    wzp_signal_write(&wr, signal);
    (void)!wzp_quic_send_signal(quic, conn, wzp_bytes_of(json, wzp_wr_len(&wr)), NULL);
}

/* --- clients ---------------------------------------------------------------------------------- */

typedef struct clients {
    wzp_quic *quic;
    wzp_drive drive;
    wzp_addr relay;
    uv_timer_t timer;
    unsigned dialled, registered, told;
    bool one_more; /* the last of them is dialled */
    wzp_time dialled_at, told_at;
    double cpu_before;
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
    wzp_signal reg = {.kind = WZP_SIGNAL_REGISTER_PRESENCE, .version = 1};
    memcpy(reg.u.RegisterPresence.identity_pub.bytes, &number, sizeof number);
    wzp_fingerprint_text(c->newcomer, reg.u.RegisterPresence.identity_pub.bytes);
    tell(c->quic, conn, &reg);
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
    seen->settled = idle_ms >= SETTLE_MS - 1000;
    if (idle_ms >= SETTLE_MS && !c->one_more) {
        c->one_more = true;
        seen->one_more = true;
        c->cpu_before = cpu_seconds();
        dial(c, wzp_io_now());
        wzp_drive_kick(&c->drive);
    }
}

static int run_clients(wzp_addr relay) {
    static clients c;
    uv_loop_t loop;
    c.relay = relay;
    c.drive.after = on_events;
    c.drive.ctx = &c;
    if (!drive_on_loop(&c.drive, &loop, &c.quic, CLIENTS + 1)) {
        return 1;
    }
    uv_timer_init(&loop, &c.timer);
    c.timer.data = &c;
    uv_timer_start(&c.timer, on_timer, 100, 100);
    if (wzp_drive_start(&c.drive, &loop) != WZP_OK) {
        return 1;
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    const double ms = (double)(c.told_at - c.dialled_at) / 1e6;
    const double cpu_ms = (cpu_seconds() - c.cpu_before) * 1e3;
    char budget[64];
    (void)snprintf(budget, sizeof budget, "%s (at most %.0f ms)", ms <= budget_ms ? "ok" : "OVER",
                   budget_ms);
    bench_line("presence, 10,000 know of one more", ms, "ms", ms, 0, budget);
    bench_line("presence, the clients' CPU for that", cpu_ms, "ms", cpu_ms, 0, "-");
    return 0;
}

/* --- a call ----------------------------------------------------------------------------------- */

typedef struct call {
    wzp_quic *quic;
    wzp_drive drive;
    wzp_quic_conn parties[2];
    unsigned answered;
    uint32_t seq;
    wzp_time sent_at[1U << 16]; /* by sequence number; 0: before one more came */
} call;

static void send_offer(call *c, wzp_quic_conn conn) {
    const uint8_t seed[WZP_KEY_LEN] = {(uint8_t)conn, 7};
    uint8_t json[OFFER_MAX];
    wzp_identity identity;
    wzp_identity_from_seed(&identity, seed);
    const size_t len = offer_write(json, sizeof json, &identity, NULL, wzp_io_rng());
    (void)!wzp_quic_send_signal(c->quic, conn, wzp_bytes_of(json, len), NULL);
}

static void on_packet(call *c, wzp_bytes datagram, wzp_time now) {
    wzp_media_packet packet;
    if (wzp_media_packet_parse(&packet, datagram, NULL) != WZP_OK) {
        return;
    }
    const wzp_time sent_at = c->sent_at[packet.hdr.seq % WZP_COUNT_OF(c->sent_at)];
    seen->heard++;
    if (sent_at != 0) {
        seen->change_heard++;
        seen->change_latest =
            now - sent_at > seen->change_latest ? now - sent_at : seen->change_latest;
    }
}

static void on_call_events(void *ctx, wzp_time now) {
    call *c = ctx;
    wzp_quic_event ev;
    while (wzp_quic_next_event(c->quic, &ev)) {
        if (ev.kind == WZP_QUIC_CONNECTED) {
            send_offer(c, ev.conn);
        } else if (ev.kind == WZP_QUIC_SIGNAL && contains(ev.body, "CallAnswer")) {
            c->answered++;
        } else if (ev.kind == WZP_QUIC_DATAGRAM) {
            on_packet(c, ev.body, now);
        }
    }
}

/* One frame of each party. */
static void on_frame(uv_timer_t *timer) {
    call *c = timer->data;
    uint8_t buf[128];
    static const uint8_t payload[60];
    if (c->answered < WZP_COUNT_OF(c->parties) || seen->told) {
        return;
    }
    const wzp_time now = wzp_io_now();
    for (size_t i = 0; i < WZP_COUNT_OF(c->parties); i++) {
        const wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                                 .seq = c->seq,
                                                 .timestamp_ms = c->seq / 2 * FRAME_MS},
                                         .payload = {payload, sizeof payload}};
        wzp_wr wr;
        wzp_wr_init(&wr, buf, sizeof buf);
        wzp_media_packet_write(&wr, &packet);
        c->sent_at[c->seq++ % WZP_COUNT_OF(c->sent_at)] = seen->one_more ? now : 0;
        (void)!wzp_quic_send_datagram(c->quic, c->parties[i], wzp_bytes_of(buf, wzp_wr_len(&wr)));
        seen->sent++;
        seen->change_sent += seen->one_more ? 1 : 0;
    }
    wzp_drive_kick(&c->drive);
}

static int run_call(wzp_addr relay) {
    static call c;
    uv_loop_t loop;
    uv_timer_t timer;
    c.drive.after = on_call_events;
    c.drive.ctx = &c;
    if (!drive_on_loop(&c.drive, &loop, &c.quic, WZP_COUNT_OF(c.parties))) {
        return 1;
    }
    const wzp_quic_dial dial = {.path = {.remote = relay}, .sni = "call"};
    for (size_t i = 0; i < WZP_COUNT_OF(c.parties); i++) {
        if (wzp_quic_connect(c.quic, &dial, wzp_io_now(), &c.parties[i]) != WZP_OK) {
            return 1;
        }
    }
    uv_timer_init(&loop, &timer);
    timer.data = &c;
    uv_timer_start(&timer, on_frame, FRAME_MS, FRAME_MS);
    return wzp_drive_start(&c.drive, &loop) == WZP_OK ? uv_run(&loop, UV_RUN_DEFAULT) : 1;
}

/* --- the relay -------------------------------------------------------------------------------- */

typedef struct relay_side {
    wzp_relay *relay;
    wzp_drive drive;
    uv_timer_t timer;
    pid_t clients, call;
    unsigned waited_s;
    double cpu_before, cpu_after; /* of the list that names the last one */
    double resident_before, resident;
    int status;
} relay_side;

static double resident_bytes(void) {
    char text[128];
    char *after_size = text;
    size_t len;
    if (!wzp_io_read_file("/proc/self/statm", text, sizeof text, &len)) {
        return 0;
    }
    (void)strtoul(text, &after_size, 10); /* the second one: resident */
    return (double)strtoul(after_size, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

static void discard_events(void *ctx, wzp_time now) {
    relay_side *r = ctx;
    if (seen->settled && r->resident == 0) {
        r->resident = resident_bytes();
    }
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

/* A second after all know is time enough for the call's last packets. */
static void on_second(uv_timer_t *timer) {
    relay_side *r = timer->data;
    if (r->clients == 0 || ++r->waited_s == GIVE_UP_S) {
        uv_stop(timer->loop);
    } else if (waitpid(r->clients, &r->status, WNOHANG) == r->clients) {
        r->clients = 0;
    }
}

static void report_call(void) {
    const unsigned lost = seen->sent - seen->heard;
    const unsigned change_lost = seen->change_sent - seen->change_heard;
    const double latest_ms = (double)seen->change_latest / 1e6;
    char name[80];
    (void)snprintf(name, sizeof name, "call meanwhile, lost of %u", (unsigned)seen->change_sent);
    bench_line(name, change_lost, "", change_lost, 0, change_lost == 0 ? "ok (none)" : "OVER");
    bench_line("call meanwhile, the latest packet", latest_ms, "ms", latest_ms, 0, "-");
    (void)snprintf(name, sizeof name, "call since all came, lost of %u", (unsigned)seen->sent);
    bench_line(name, lost, "", lost, 0, "-");
}

static void report(const relay_side *r) {
    const double cpu = cpu_seconds();
    const double list_ms = ((r->cpu_after != 0 ? r->cpu_after : cpu) - r->cpu_before) * 1e3;
    const double each = (r->resident - r->resident_before) / CLIENTS;
    char budget[64];
    (void)snprintf(budget, sizeof budget, "%s (at most %.0f B)",
                   each <= budget_bytes ? "ok" : "OVER", budget_bytes);
    bench_line("presence, relay's memory per client", each, "B", each, 0, budget);
    bench_line("presence, relay's CPU for one more", list_ms, "ms", list_ms, 0, "-");
    bench_line("presence, relay's CPU for all of it", cpu, "s", cpu, 0, "-");
    report_call();
}

static int run_relay(relay_side *r, wzp_udp *udp) {
    uv_loop_t loop;
    const wzp_relay_cfg cfg = {
        .rng = wzp_io_rng(), .seed = {1}, .max_conns = CLIENTS + 8, .max_handshakes = 2 * AT_ONCE};
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
    r->resident_before = resident_bytes();
    uv_run(&loop, UV_RUN_DEFAULT);
    report(r);
    if (r->clients != 0 || !WIFEXITED(r->status) || WEXITSTATUS(r->status) != 0) {
        (void)fprintf(stderr, "bench_presence: not all clients were told in %d s\n", GIVE_UP_S);
        return 1;
    }
    return 0;
}

static pid_t start(int (*run)(wzp_addr relay), wzp_udp *udp) {
    const pid_t child = fork();
    if (child == 0) {
        const wzp_addr relay = wzp_udp_local(udp);
        wzp_udp_close(&udp);
        _exit(run(relay));
    }
    return child;
}

static void end(pid_t child) {
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
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
    r.clients = start(run_clients, udp);
    r.call = start(run_call, udp);
    const int code = r.clients > 0 && r.call > 0 ? run_relay(&r, udp) : 1;
    end(r.clients);
    end(r.call);
    wzp_relay_free(&r.relay);
    wzp_udp_close(&udp);
    return code;
}
