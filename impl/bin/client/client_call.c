#include "bin/client/client_call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bin/client/client_output.h"
#include "client/admission.h"
#include "crypto/crypto.h"
#include "io/log_sink.h"
#include "io/sockaddr.h"
#include "io/sys.h"
#include "io/traces.h"

static void end(wzp_call_mode *m, int status) {
    if (!m->told) {
        m->told = true;
        m->ops->ended(m->ctx, status);
    }
}

static void say(const wzp_call_mode *m, const char *what, const char *text) {
    if (!m->opts->quiet) {
        wzp_client_say("%s%s%s\n", what, *text != '\0' ? ": " : "", text);
    }
}

/* --- the network ------------------------------------------------------------------------------ */

/* Towards a relay on this machine nothing is asked of the network, unless that is what is tried. */
static bool uses_network(const wzp_call_mode *m) {
    return !wzp_addr_is_loopback(&m->relay) || m->opts->lab_addresses;
}

/* One that is named is asked, wherever routes lead. */
static void choose_gateway(const wzp_call_mode *m, const wzp_netif_table *table,
                           wzp_handset_net *net) {
    const wzp_addr *named = &m->opts->gateway;
    const bool asks = !m->opts->no_portmap && !m->opts->relay_only;
    const bool is_named = named->family != WZP_ADDR_NONE;
    net->gateway = asks && is_named          ? *named
                   : asks && uses_network(m) ? table->gateway
                                             : (wzp_addr){0};
    if (asks && is_named && wzp_addr_is_loopback(named)) {
        net->own = wzp_udp_local(m->udp.v4);
    }
}

static void take_table(wzp_call_mode *m, const wzp_netif_table *table) {
    wzp_handset_net net = {.own = wzp_udp_local(m->udp.v4)};
    const size_t room = WZP_COUNT_OF(net.interfaces);
    if (m->udp.v6 != NULL) {
        net.own_v6 = wzp_udp_local(m->udp.v6);
    }
    if (uses_network(m)) {
        const uint16_t port = net.own.port;
        net.interface_count = table->count < room ? table->count : room;
        memcpy(net.interfaces, table->addrs, net.interface_count * sizeof net.interfaces[0]);
        if (table->own.family != WZP_ADDR_NONE) {
            net.own = table->own;
            net.own.port = port;
        }
    }
    choose_gateway(m, table, &net);
    m->net = net;
}

static void on_upnp(void *ctx, const wzp_upnp_state *state) {
    wzp_call_mode *m = ctx;
    if (m->handset != NULL && !m->told) {
        wzp_handset_upnp(m->handset, state->external, wzp_io_now());
        wzp_drive_kick(&m->drive);
    }
}

static void on_upnp_released(void *ctx) {
    ((wzp_call_mode *)ctx)->upnp_leaves = false;
}

static void stop_upnp(wzp_call_mode *m) {
    if (m->upnp != NULL) {
        m->upnp_leaves = true;
        wzp_upnp_release(&m->upnp, on_upnp_released, m);
    }
}

/* Beside NAT-PMP and PCP, which the handset asks for itself. */
static void start_upnp(wzp_call_mode *m) {
    const wzp_upnp_cfg cfg = {.own = m->net.own,
                              .reflexive = m->seen,
                              .accepts_local = m->opts->lab_addresses,
                              .rng = wzp_io_rng(),
                              .attempted = on_upnp,
                              .ctx = m};
    if (m->net.gateway.family != WZP_ADDR_NONE && m->upnp == NULL &&
        wzp_upnp_start(&m->upnp, &cfg, m->loop) != WZP_OK) {
        m->upnp = NULL; /* a build without it */
    }
}

static void on_network(void *ctx, const wzp_netif_table *table) {
    wzp_call_mode *m = ctx;
    say(m, "the network is another one now", "");
    take_table(m, table);
    stop_upnp(m);
    start_upnp(m);
    wzp_handset_network(m->handset, &m->net, wzp_io_now());
    wzp_drive_kick(&m->drive);
}

/* --- events of the phone ---------------------------------------------------------------------- */

/* Others need our name to call us: it goes to stdout, for scripts too. */
static void on_registered(wzp_call_mode *m, wzp_time now) {
    if (m->registered) {
        say(m, "registered again", "");
        return;
    }
    m->registered = true;
    if (m->opts->command == WZP_CLIENT_LISTEN) {
        printf("listening as %s\n", wzp_handset_fingerprint(m->handset));
        (void)fflush(stdout);
    } else if (wzp_handset_call(m->handset, m->opts->callee, now) != WZP_OK) {
        end(m, 1);
    }
}

static void on_incoming(wzp_call_mode *m, const wzp_phone_event *ev, wzp_time now) {
    const wzp_accept_mode mode = m->opts->reject    ? WZP_ACCEPT_REJECT
                                 : m->opts->generic ? WZP_ACCEPT_GENERIC
                                                    : WZP_ACCEPT_TRUSTED;
    if (!m->opts->quiet) {
        wzp_client_say("call from %s%s%s%s\n", ev->fingerprint, *ev->text != '\0' ? ", " : "",
                       ev->text, ev->proven ? "" : " (it has not proven its key)");
    }
    const bool listens = m->opts->command == WZP_CLIENT_LISTEN;
    if (wzp_handset_answer(m->handset, listens ? mode : WZP_ACCEPT_REJECT, now) != WZP_OK) {
        end(m, 1);
    }
}

static void on_set_up(wzp_call_mode *m, const char *room, wzp_time now) {
    say(m, "call set up", room);
    m->way = (wzp_client_way){0};
    m->set_up_at = now;
    wzp_client *client = m->ops->set_up(m->ctx, room, wzp_handset_endpoint(m->handset));
    if (client != NULL) {
        m->in_call = true;
        wzp_handset_use(m->handset, client, now);
    }
}

static void on_call_ended(wzp_call_mode *m, const char *why) {
    m->in_call = false;
    say(m, "call ended", why);
    if (m->opts->command == WZP_CLIENT_LISTEN && m->opts->reject) {
        return; /* the next one will hear the same */
    }
    end(m, m->talked ? 0 : 1);
}

static void on_closed(wzp_call_mode *m, const char *why) {
    const bool there = m->registered || strcmp(why, WZP_ADMISSION_STRANGER) == 0;
    m->in_call = false;
    if (!m->told) {
        end(m, wzp_client_complain(there ? WZP_CLIENT_FINDINGS : WZP_CLIENT_UNREACHABLE,
                                   m->opts->relay, why));
    }
}

static void on_phone(wzp_call_mode *m, const wzp_phone_event *ev, wzp_time now) {
    switch (ev->kind) {
    case WZP_PHONE_REGISTERED:
        on_registered(m, now);
        break;
    case WZP_PHONE_INCOMING:
        on_incoming(m, ev, now);
        break;
    case WZP_PHONE_RINGING:
        say(m, "ringing", "");
        break;
    case WZP_PHONE_SET_UP:
        on_set_up(m, ev->room, now);
        break;
    case WZP_PHONE_ENDED:
        on_call_ended(m, ev->text);
        break;
    case WZP_PHONE_AWAY:
        say(m, "the relay is gone, and is looked for", ev->text);
        break;
    case WZP_PHONE_CLOSED:
        on_closed(m, ev->text);
        break;
    default: /* the handset's own matter */
        break;
    }
}

/* --- events of the handset -------------------------------------------------------------------- */

static void on_nearest(const wzp_call_mode *m, const wzp_relay_entry *relay) {
    char addr[WZP_ADDR_TEXT_MAX];
    if (!m->opts->quiet) {
        wzp_client_say("nearest relay: %s (%s), %u ms\n", relay->name,
                       wzp_addr_text(&relay->addr, addr), relay->rtt_ms);
    }
}

static void on_seen(wzp_call_mode *m, const wzp_addr *addr) {
    char text[WZP_ADDR_TEXT_MAX];
    m->seen = *addr;
    if (addr->family == WZP_ADDR_NONE) {
        say(m, "nobody says how others see us", "");
        return;
    }
    say(m, "others see us at", wzp_addr_text(addr, text));
    start_upnp(m);
}

static void on_path(wzp_call_mode *m, const wzp_handset_event *ev, wzp_time now) {
    char text[WZP_ADDR_TEXT_MAX];
    const bool is_direct = ev->path == WZP_RACE_DIRECT;
    m->talked = true;
    if (m->way.changes++ == 0) {
        m->way.setup_ms = (double)(now - m->set_up_at) / WZP_MS;
    }
    m->way.path = ev->path;
    m->way.peer = ev->addr;
    m->way.proven = ev->proven;
    (void)wzp_addr_text(&ev->addr, text);
    if (!m->opts->quiet && is_direct) {
        wzp_client_say("direct path to %s, identity %s\n", text,
                       ev->proven ? "proven" : "not proven");
    } else if (!m->opts->quiet) {
        wzp_client_say("relayed by %s%s%s\n", text, *ev->text != '\0' ? ": " : "", ev->text);
    }
    m->ops->path(m->ctx);
}

/* Nothing hangs on how many the system gives. */
static void open_more(wzp_call_mode *m, size_t wanted, wzp_time now) {
    uint16_t numbers[WZP_BIRTHDAY_PORTS_MAX];
    const size_t most = wanted < WZP_COUNT_OF(numbers) ? wanted : WZP_COUNT_OF(numbers);
    const size_t count = m->ports != NULL ? wzp_udp_ports_open(m->ports, most, numbers) : 0;
    char text[32];
    (void)snprintf(text, sizeof text, "%zu", count);
    say(m, "looks for a direct path; sockets opened", text);
    wzp_handset_opened(m->handset, numbers, count, now);
}

static bool is_used(void *ctx, uint16_t port) {
    return wzp_handset_uses_port(((wzp_call_mode *)ctx)->handset, port);
}

static void shut_more(wzp_call_mode *m) {
    if (m->ports != NULL) {
        wzp_udp_ports_shut(m->ports, is_used, m);
    }
}

static void on_events(void *ctx, wzp_time now) {
    wzp_call_mode *m = ctx;
    wzp_handset_event ev;
    while (wzp_handset_next_event(m->handset, now, &ev)) {
        switch (ev.kind) {
        case WZP_HANDSET_PHONE:
            on_phone(m, ev.phone, now);
            break;
        case WZP_HANDSET_SEEN:
            on_seen(m, &ev.addr);
            break;
        case WZP_HANDSET_NEAREST:
            on_nearest(m, ev.nearest);
            break;
        case WZP_HANDSET_PATH:
            on_path(m, &ev, now);
            break;
        case WZP_HANDSET_OPEN:
            open_more(m, ev.sockets, now);
            break;
        case WZP_HANDSET_SHUT:
            shut_more(m);
            break;
        }
    }
    if (m->in_call) {
        m->ops->turn(m->ctx, now);
    }
}

/* --- start and end ---------------------------------------------------------------------------- */

static int open_sockets(wzp_call_mode *m) {
    const bool is_here = wzp_addr_is_loopback(&m->relay) && m->relay.family == WZP_ADDR_V4;
    const wzp_udp_pair_cfg cfg = {.v4 = is_here ? wzp_addr_v4(127, 0, 0, 1, 0) : (wzp_addr){0},
                                  .no_v6 = is_here};
    if (wzp_udp_pair_open(&m->udp, &cfg) != WZP_OK) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, "socket", wzp_io_reason(errno));
    }
    if (m->opts->birthday) {
        const wzp_addr ip = wzp_addr_v4(is_here ? 127 : 0, 0, 0, is_here ? 1 : 0, 0);
        const wzp_err err = wzp_udp_ports_new(&m->ports, &ip);
        if (err != WZP_OK) {
            return wzp_client_complain(WZP_CLIENT_UNREADABLE, "socket", wzp_err_text(err));
        }
    }
    if (m->opts->lane != NULL) {
        wzp_udp_pair_set_tap(&m->udp, wzp_capture_datagram, m->opts->lane);
    }
    if (m->opts->lane != NULL && m->ports != NULL) {
        wzp_udp_ports_set_tap(m->ports, wzp_capture_datagram, m->opts->lane);
    }
    return 0;
}

static wzp_handset_birthday party_of(const wzp_client_options *opts) {
    const wzp_handset_birthday large = WZP_HANDSET_BIRTHDAY_LARGE;
    return opts->birthday ? large : (wzp_handset_birthday){.sockets = 0};
}

static int open_handset(wzp_call_mode *m) {
    wzp_handset_cfg cfg = {.rng = wzp_io_rng(),
                           .log = wzp_log_stderr(m->opts->log_level),
                           .alias = m->opts->alias,
                           .token = m->opts->token,
                           .pin = m->opts->has_pin ? m->opts->pin : NULL,
                           .path.remote = m->relay,
                           .policy = m->opts->policy,
                           .reconnects = true,
                           .birthday = party_of(m->opts),
                           .direct_only = m->opts->direct_only,
                           .relay_only = m->opts->relay_only,
                           .accepts_any = m->opts->lab_addresses,
                           .maps_global = m->opts->gateway.family != WZP_ADDR_NONE,
                           .net = m->net,
                           .stun = m->stun.servers,
                           .stun_count = m->stun.count,
                           .keylog = wzp_traces_on_keylog,
                           .keylog_ctx = m->opts->traces,
                           .qlog = m->opts->qlog_dir != NULL ? wzp_traces_on_qlog : NULL,
                           .qlog_ctx = m->opts->traces};
    memcpy(cfg.seed, m->seed, sizeof cfg.seed);
    const wzp_err err = wzp_handset_new(&m->handset, &cfg, wzp_io_now());
    wzp_crypto_wipe(cfg.seed, sizeof cfg.seed);
    return err == WZP_OK ? 0
                         : wzp_client_complain(WZP_CLIENT_UNREADABLE, "start", wzp_err_text(err));
}

/* A system that does not say what changes still has a network. */
static void watch_network(wzp_call_mode *m) {
    m->watch = (wzp_netif_watch){.changed = on_network, .ctx = m};
    if (wzp_netif_watch_start(&m->watch, m->loop) != WZP_OK) {
        say(m, "changes of the network are not seen", wzp_io_reason(errno));
        take_table(m, &(wzp_netif_table){.count = 0});
        return;
    }
    take_table(m, &m->watch.table);
}

static int start(wzp_call_mode *m) {
    int code = open_sockets(m);
    if (code == 0) {
        watch_network(m);
        code = open_handset(m);
    }
    if (code != 0) {
        return code;
    }
    m->drive = (wzp_drive){.core = wzp_handset_core(m->handset),
                           .udp = m->udp.v4,
                           .udp6 = m->udp.v6,
                           .ports = m->ports,
                           .after = on_events,
                           .ctx = m};
    return wzp_drive_start(&m->drive, m->loop) == WZP_OK
               ? 0
               : wzp_client_complain(WZP_CLIENT_UNREADABLE, "socket", "cannot be watched");
}

static void on_servers(void *ctx) {
    wzp_call_mode *m = ctx;
    const int code = start(m);
    if (code != 0) {
        end(m, code);
    }
}

void wzp_call_mode_start(wzp_call_mode *m) {
    wzp_client_stun_find(&m->stun, m->loop, m->opts, &m->relay, on_servers, m);
}

void wzp_call_mode_kick(wzp_call_mode *m) {
    wzp_drive_kick(&m->drive);
}

void wzp_call_mode_hangup(wzp_call_mode *m) {
    wzp_client_stun_stop(&m->stun);
    stop_upnp(m);
    m->told = true;
    m->in_call = false;
    if (m->handset != NULL) {
        wzp_handset_close(m->handset, wzp_io_now());
        wzp_drive_kick(&m->drive);
    }
}

bool wzp_call_mode_lingers(const wzp_call_mode *m) {
    return m->upnp_leaves;
}

const wzp_client_way *wzp_call_mode_way(wzp_call_mode *m) {
    if (m->handset != NULL) {
        wzp_handset_count(m->handset, &m->way.counters);
    }
    return &m->way;
}

void wzp_call_mode_stop(wzp_call_mode *m) {
    wzp_client_stun_stop(&m->stun);
    wzp_netif_watch_stop(&m->watch);
    wzp_drive_stop(&m->drive);
}

void wzp_call_mode_free(wzp_call_mode *m) {
    wzp_handset_free(&m->handset);
    wzp_udp_pair_close(&m->udp);
    wzp_udp_ports_free(&m->ports);
}
