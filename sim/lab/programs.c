/* What runs on the hosts: relays, and everybody in a call. */
#include <stdio.h>
#include <stdlib.h>

#include "sim/box/nat64.h"
#include "sim/lab/world.h"

/* --- relays ----------------------------------------------------------------------------------- */

static void on_relay_event(void *ctx, const wzp_relay_event *event, wzp_time now) {
    const wzp_lab_watch *watch = ctx;
    if (strcmp(event->event, "call_answer") == 0) {
        watch->world->answered_at = now;
    }
    wzp_lab_note(watch->world, now, false, watch->name, event->event, "%s%s%s", event->peer,
                 event->reason[0] != '\0' ? " " : "", event->reason);
}

static wzp_err seat_relay(struct wzp_lab_world *w, size_t index) {
    const wzp_lab_relay *relay = &w->s->relays[index];
    wzp_lab_watch *watch = &w->watches[index];
    *watch = (wzp_lab_watch){w, relay->name};
    wzp_sim_relay_host_cfg cfg = {
        .name = relay->name,
        .port = relay->port,
        .relay = {.log = w->cfg.log, .enforce = (wzp_enforce)relay->enforce, .build = "sim"},
        .event = on_relay_event,
        .ctx = watch};
    wzp_lab_mesh_join(w, index, &cfg.relay);
    if (w->qlog[index] != NULL) {
        cfg.relay.qlog = wzp_traces_on_qlog;
        cfg.relay.qlog_ctx = w->qlog[index];
    }
    const wzp_err err = wzp_sim_relay_host_new(
        &w->relays[index], wzp_lab_topology_relay(w->result.topology, index), &cfg);
    if (err != WZP_OK) {
        (void)snprintf(w->why, 256, "%s: %s", relay->name, wzp_err_text(err));
    }
    return err;
}

/* --- STUN servers ----------------------------------------------------------------------------- */

static wzp_err seat_stun(struct wzp_lab_world *w, size_t index) {
    wzp_addr addresses[2];
    wzp_sim_host *host = wzp_lab_topology_stun(w->result.topology, index, addresses);
    const wzp_sim_stun_cfg cfg = {.primary = addresses[0], .alternate = addresses[1]};
    const wzp_err err = wzp_sim_stun_host_new(&w->stuns[index], &cfg, host, host);
    if (err != WZP_OK) {
        (void)snprintf(w->why, 256, "stun%zu: %s", index + 1, wzp_err_text(err));
    } else if (w->s->stun.spoof) {
        wzp_sim_stun_host_spoof(w->stuns[index]);
    }
    return err;
}

/* --- members ---------------------------------------------------------------------------------- */

static void on_call_event(void *ctx, const wzp_sim_call_event *event) {
    const wzp_lab_seat *seat = ctx;
    char remote[WZP_ADDR_TEXT_MAX];
    char detail[96] = "";
    switch (event->kind) {
    case WZP_SIM_CALL_ROOM:
        (void)snprintf(detail, sizeof detail, "%u members", event->count);
        break;
    case WZP_SIM_CALL_HEARD:
        (void)snprintf(detail, sizeof detail, "%s",
                       event->sender >= 1 && event->sender <= seat->world->seat_count
                           ? seat->world->seats[event->sender - 1].name
                           : "?");
        break;
    case WZP_SIM_CALL_PATH:
        (void)snprintf(detail, sizeof detail, "%s%s%s", event->text,
                       *event->text != '\0' ? " " : "", wzp_addr_text(&event->path.remote, remote));
        break;
    case WZP_SIM_CALL_SIGNAL:
    case WZP_SIM_CALL_HANGUP:
    case WZP_SIM_CALL_LOST:
    case WZP_SIM_CALL_BACK:
    case WZP_SIM_CALL_CLOSED:
    case WZP_SIM_CALL_DIALLED:
    case WZP_SIM_CALL_JOINED:
        (void)snprintf(detail, sizeof detail, "%s", event->text);
        break;
    }
    wzp_lab_note(seat->world, event->at, false, seat->name, wzp_sim_call_event_name(event->kind),
                 "%s", detail);
}

/* Strangers dial whoever begins to wait for a direct connection. */
static void intrude(const wzp_lab_seat *seat) {
    const struct wzp_lab_world *w = seat->world;
    for (size_t i = 0; i < w->s->host_count; i++) {
        if (w->intruders[i] != NULL && seat->seen.family != WZP_ADDR_NONE &&
            strcmp(w->s->hosts[i].client.intrudes, w->s->hosts[seat->host].name) == 0) {
            wzp_sim_intruder_host_dial(w->intruders[i], &seat->seen);
        }
    }
}

/* Both CallSetups leave the relay when it has the answer. */
static void on_phone_event(void *ctx, const char *what, const char *text, wzp_time now) {
    wzp_lab_seat *seat = ctx;
    if (strcmp(what, "set-up") == 0) {
        seat->set_up_at = seat->world->answered_at;
        intrude(seat);
    } else if (strcmp(what, "seen") == 0 && wzp_addr_parse(&seat->seen, text) != WZP_OK) {
        seat->seen = (wzp_addr){.family = WZP_ADDR_NONE};
    }
    wzp_lab_note(seat->world, now, false, seat->name, what, "%s", text);
}

static void on_key(void *ctx, wzp_quic_conn conn, const char *line) {
    const wzp_lab_seat *seat = ctx;
    (void)conn;
    wzp_lab_captures_key(seat->world->captures, line);
}

/* A host without IPv4 finds the prefix of its NAT64 (RFC 7050) and dials the relay's address in it;
 * upstream's client does not. */
static wzp_addr relay_addr(const wzp_lab_relay *relay, const wzp_lab_host *host) {
    wzp_addr addr = relay->address;
    addr.port = relay->port;
    return addr.family == WZP_ADDR_V4 && host->ways[0].local.family == WZP_ADDR_NONE &&
                   host->client.policy == WZP_LAB_POLICY_REFERENCE
               ? wzp_sim_nat64_embed(&addr)
               : addr;
}

static bool in_earlier_call(const wzp_lab_scenario *s, size_t call, uint32_t host) {
    for (size_t c = 0; c < call; c++) {
        for (size_t m = 0; m < s->calls[c].member_count; m++) {
            if (s->calls[c].members[m] == host) {
                return true;
            }
        }
    }
    return false;
}

wzp_addr wzp_lab_gateway_of(const wzp_lab_way *way) {
    return way->has_gateway ? way->boxes[0].inside : (wzp_addr){.family = WZP_ADDR_NONE};
}

static size_t stun_servers(const struct wzp_lab_world *w, wzp_addr out[WZP_STUN_SERVERS_MAX]) {
    enum { STUN_PORT = 3478 };
    wzp_addr addresses[2];
    size_t n = 0;
    for (; n < w->s->stun.servers && n < WZP_STUN_SERVERS_MAX; n++) {
        (void)wzp_lab_topology_stun(w->result.topology, n, addresses);
        out[n] = addresses[0];
        out[n].port = out[n].port != 0 ? out[n].port : STUN_PORT;
    }
    return n;
}

/* The first member calls the second. */
static wzp_err seat_phone(struct wzp_lab_world *w, size_t c, size_t m, const wzp_addr *relay) {
    static const wzp_accept_mode modes[] = {[WZP_LAB_ACCEPT_TRUSTED] = WZP_ACCEPT_TRUSTED,
                                            [WZP_LAB_ACCEPT_GENERIC] = WZP_ACCEPT_GENERIC,
                                            [WZP_LAB_ACCEPT_NEVER] = WZP_ACCEPT_GENERIC,
                                            [WZP_LAB_ACCEPT_REJECT] = WZP_ACCEPT_REJECT,
                                            [WZP_LAB_ACCEPT_OFFLINE] = WZP_ACCEPT_GENERIC};
    char fingerprint[WZP_FINGERPRINT_TEXT + 1];
    const wzp_lab_call *call = &w->s->calls[c];
    wzp_lab_member *members = w->result.calls[c].members;
    wzp_lab_member *member = &members[m];
    const uint32_t accept = w->s->hosts[member->host].client.accept;
    wzp_lab_seat *seat = &w->seats[w->seat_count - 1];
    wzp_addr stun[WZP_STUN_SERVERS_MAX];
    const wzp_lab_host *host = &w->s->hosts[member->host];
    wzp_sim_phone_cfg cfg = {
        .name = seat->name,
        .relay = *relay,
        .call = member->call,
        .port = in_earlier_call(w->s, c, member->host) ? 0 : host->port,
        .policy =
            host->client.policy == WZP_LAB_POLICY_DEPLOYED ? WZP_RACE_DEPLOYED : WZP_RACE_REFERENCE,
        .no_prediction = host->client.no_prediction,
        .birthday = {.sockets = (uint16_t)host->client.birthday_sockets,
                     .probes = (uint16_t)host->client.birthday_probes,
                     .interval = host->client.birthday_every},
        .gateway = wzp_lab_gateway_of(&host->ways[0]),
        .gateway_seat = wzp_lab_topology_gateway(w->result.topology, member->host, 0),
        .stun = stun,
        .stun_count = stun_servers(w, stun),
        .faults = seat->faults,
        .fault_count = host->fault_count,
        .accept = modes[accept],
        .lets_ring = accept == WZP_LAB_ACCEPT_NEVER,
        .register_at = w->result.start,
        .hangup_at =
            m == 0 && call->end < w->s->duration ? w->result.start + call->end : WZP_TIME_NEVER,
        .event = on_phone_event,
        .ctx = seat,
        .keylog = w->captures != NULL ? on_key : NULL,
        .keylog_ctx = seat};
    wzp_err err = WZP_OK;
    cfg.claims = wzp_port_alloc_parse(&cfg.claimed, host->client.allocation) == WZP_OK;
    if (accept != WZP_LAB_ACCEPT_OFFLINE) {
        err = wzp_sim_phone_host_new(&member->phone,
                                     wzp_lab_topology_host(w->result.topology, member->host), &cfg);
    }
    if (err == WZP_OK && m == 1 && members[0].phone != NULL) {
        wzp_sim_phone_fingerprint(fingerprint, wzp_sim_call_host_seed(member->call));
        wzp_sim_phone_host_ring(members[0].phone, fingerprint, w->result.start + call->start);
    }
    return err;
}

static wzp_err seat_member(struct wzp_lab_world *w, size_t c, size_t m) {
    const wzp_lab_call *call = &w->s->calls[c];
    const wzp_lab_host *host = &w->s->hosts[call->members[m]];
    const bool second = in_earlier_call(w->s, c, call->members[m]);
    wzp_lab_seat *seat = &w->seats[w->seat_count++];
    wzp_lab_member *member = &w->result.calls[c].members[m];
    *seat = (wzp_lab_seat){.world = w, .host = call->members[m]};
    (void)snprintf(seat->name, sizeof seat->name, second ? "%s/%s" : "%s", host->name, call->name);
    member->host = call->members[m];
    member->seat = seat;
    for (size_t i = 0; i < host->fault_count; i++) {
        seat->faults[i] = host->faults[i];
        seat->faults[i].from += w->result.start;
        seat->faults[i].until += seat->faults[i].until != 0 ? w->result.start : 0;
    }
    const wzp_sim_call_cfg cfg = {
        .name = seat->name,
        .id = (uint32_t)w->seat_count,
        .relay = relay_addr(&w->s->relays[call->relays[m]], host),
        .room = call->room,
        .codec = call->codec,
        .adapts = call->payloads == NULL && (w->s->needs & 1U << WZP_LAB_NEED_ADAPTATION) != 0,
        .codec2 = (w->s->needs & 1U << WZP_LAB_NEED_CODEC2) != 0,
        .payloads = call->payloads,
        .no_dred = !call->dred,
        .port = second ? 0 : host->port,
        .listen_only =
            call->talk == WZP_LAB_TALK_NONE || (call->talk == WZP_LAB_TALK_CALLER && m > 0),
        .talk_ms = (uint32_t)(call->on / WZP_MS),
        .silence_ms = (uint32_t)(call->off / WZP_MS),
        .dial_at =
            call->direct ? WZP_TIME_NEVER : w->result.start + call->start + m * call->stagger,
        .hangup_at = call->end < w->s->duration ? w->result.start + call->end : WZP_TIME_NEVER,
        .redial_after = call->redial,
        .faults = seat->faults,
        .fault_count = host->fault_count,
        .event = on_call_event,
        .ctx = seat,
        .keylog = w->captures != NULL ? on_key : NULL,
        .keylog_ctx = seat};
    wzp_err err = wzp_sim_call_host_new(
        &member->call, wzp_lab_topology_host(w->result.topology, member->host), &cfg);
    if (err == WZP_OK && call->direct) {
        err = seat_phone(w, c, m, &cfg.relay);
    }
    if (err != WZP_OK) {
        (void)snprintf(w->why, 256, "%s: %s", seat->name, wzp_err_text(err));
    }
    return err;
}

static wzp_err seat_intruder(struct wzp_lab_world *w, size_t index) {
    const wzp_lab_host *host = &w->s->hosts[index];
    const wzp_err err = wzp_sim_intruder_host_new(
        &w->intruders[index], wzp_lab_topology_host(w->result.topology, index), host->name);
    if (err != WZP_OK) {
        (void)snprintf(w->why, 256, "%s: %s", host->name, wzp_err_text(err));
    }
    return err;
}

static bool make_room(struct wzp_lab_world *w) {
    const wzp_lab_scenario *s = w->s;
    size_t members = 0;
    w->result.calls = calloc(s->call_count + 1, sizeof *w->result.calls);
    for (size_t c = 0; w->result.calls != NULL && c < s->call_count; c++) {
        members += s->calls[c].member_count;
        w->result.calls[c].call = &s->calls[c];
        w->result.calls[c].members =
            calloc(s->calls[c].member_count, sizeof *w->result.calls[c].members);
        if (w->result.calls[c].members == NULL) {
            return false;
        }
    }
    w->seats = calloc(members + 1, sizeof *w->seats);
    w->relays = calloc(s->relay_count + 1, sizeof(wzp_sim_relay_host *));
    w->watches =
        calloc(s->relay_count + wzp_lab_topology_count(w->result.topology) + 1, sizeof *w->watches);
    return w->result.calls != NULL && w->seats != NULL && w->relays != NULL && w->watches != NULL;
}

/* --- boxes ------------------------------------------------------------------------------------ */

static void on_nat_event(void *ctx, const wzp_sim_nat_event *event) {
    static const char *const words[] = {"created", "expired", "rebound", "dropped"};
    const wzp_lab_watch *watch = ctx;
    char inside[WZP_ADDR_TEXT_MAX];
    char outside[WZP_ADDR_TEXT_MAX];
    wzp_lab_trace_nat(&watch->world->trace, watch->name, event);
    if (event->kind != WZP_SIM_NAT_DROPPED) { /* those are counted */
        wzp_lab_note(watch->world, event->at, false, watch->name, words[event->kind], "%s %s",
                     wzp_addr_text(&event->internal, inside),
                     wzp_addr_text(&event->external, outside));
    }
}

static void watch_boxes(struct wzp_lab_world *w) {
    size_t used = w->s->relay_count;
    for (size_t i = 0; i < wzp_lab_topology_count(w->result.topology); i++) {
        const wzp_lab_element *e = wzp_lab_topology_element(w->result.topology, i);
        if (e->kind == WZP_LAB_ELEMENT_BOX) {
            w->watches[used] = (wzp_lab_watch){w, e->name};
            wzp_sim_box_watch(e->object, on_nat_event, &w->watches[used]);
            used++;
        }
    }
}

/* --- all -------------------------------------------------------------------------------------- */

wzp_err wzp_lab_seat_programs(struct wzp_lab_world *w) {
    wzp_err err = make_room(w) ? WZP_OK : WZP_ERR_NOMEM;
    err = err == WZP_OK ? wzp_lab_mesh_new(w) : err;
    for (size_t i = 0; err == WZP_OK && i < w->s->relay_count; i++) {
        err = seat_relay(w, i);
    }
    for (size_t i = 0; err == WZP_OK && i < w->s->stun.servers; i++) {
        err = seat_stun(w, i);
    }
    for (size_t i = 0; err == WZP_OK && i < w->s->host_count; i++) {
        err = w->s->hosts[i].client.intrudes[0] != '\0' ? seat_intruder(w, i) : err;
    }
    for (size_t c = 0; err == WZP_OK && c < w->s->call_count; c++) {
        for (size_t m = 0; err == WZP_OK && m < w->s->calls[c].member_count; m++) {
            err = seat_member(w, c, m);
        }
    }
    if (err == WZP_OK) {
        watch_boxes(w);
    }
    return err;
}

void wzp_lab_free_programs(struct wzp_lab_world *w) {
    for (size_t c = 0; w->result.calls != NULL && c < w->s->call_count; c++) {
        for (size_t m = 0; w->result.calls[c].members != NULL && m < w->s->calls[c].member_count;
             m++) {
            wzp_sim_phone_host_free(&w->result.calls[c].members[m].phone);
            wzp_sim_call_host_free(&w->result.calls[c].members[m].call);
        }
        free(w->result.calls[c].members);
    }
    for (size_t i = 0; w->relays != NULL && i < w->s->relay_count; i++) {
        wzp_sim_relay_host_free(&w->relays[i]);
    }
    for (size_t i = 0; i < WZP_LAB_HOSTS_MAX; i++) {
        wzp_sim_intruder_host_free(&w->intruders[i]);
    }
    for (size_t i = 0; i < WZP_LAB_STUNS_MAX; i++) {
        wzp_sim_stun_host_free(&w->stuns[i]);
    }
    wzp_lab_mesh_free(w);
    free(w->result.calls);
    free(w->seats);
    free(w->relays);
    free(w->watches);
}
