/* Signals of a relay that means ill, and what a user does between them, one on each line:
 *
 *     {...} "..."   a signal; @ stands for the id of the phone's own call
 *     c  calls     a, g, n  answers with trust, through the relay, not at all     h  hangs up
 *     r  asks how the relay sees it   u, p  tells an update, a report   s, o  knows its ports, or
 *     looks at them again   b  has opened many   t  a second goes by
 *
 * A phone tells where it is only as a caller, or after it has answered with trust (nat sheet 1.11).
 * Any address that it tells of is one, and any text can be shown. */
#include <stdio.h>
#include <string.h>

#include "phone/phone_internal.h"
#include "require.h"

enum { LINES = 64, JSON_MAX = 8192 };

static const char callee[] = "0011:2233:4455:6677:8899:aabb:ccdd:eeff";
static const wzp_phone *watched;

#define WRAP(type, name, ...)                                                                      \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

/* There is no network under it. */
WRAP(wzp_err, wzp_quic_send_signal, wzp_quic *quic, wzp_quic_conn conn, wzp_bytes json,
     int64_t *stream) {
    wzp_signal *signal = NULL;
    (void)quic;
    (void)conn;
    if (stream != NULL) {
        *stream = 0;
    }
    require(wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK);
    const bool is_own = watched != NULL && (watched->is_caller || watched->is_open);
    require(signal->kind != WZP_SIGNAL_HARD_NAT_BIRTHDAY_START ||
            (watched != NULL && watched->state == PHONE_TALKING));
    const wzp_signal_DirectCallAnswer *answer = &signal->u.DirectCallAnswer;
    if (signal->kind == WZP_SIGNAL_DIRECT_CALL_ANSWER &&
        answer->accept_mode != WZP_ACCEPT_TRUSTED) {
        require(!answer->callee_reflexive_addr.present && !answer->callee_mapped_addr.present &&
                answer->callee_local_addrs.count == 0);
    }
    require(is_own || (signal->kind != WZP_SIGNAL_HARD_NAT_PROBE &&
                       signal->kind != WZP_SIGNAL_HARD_NAT_BIRTHDAY_START &&
                       signal->kind != WZP_SIGNAL_CANDIDATE_UPDATE));
    wzp_signal_free(&signal);
    return WZP_OK;
}

static void is_text(const char *text) {
    for (const char *ch = text; *ch != '\0'; ch++) {
        require((unsigned char)*ch >= 0x20 && *ch != 0x7f);
    }
}

static void is_addr(const wzp_addr *addr, bool may_be_none) {
    require(addr->family == WZP_ADDR_V4 || addr->family == WZP_ADDR_V6 ||
            (may_be_none && addr->family == WZP_ADDR_NONE));
}

static void drain(wzp_phone *phone) {
    wzp_phone_event ev;
    while (wzp_phone_next_event(phone, &ev)) {
        is_text(ev.text);
        is_text(ev.room);
        is_text(ev.fingerprint);
        if (ev.kind == WZP_PHONE_SET_UP || ev.kind == WZP_PHONE_UPDATE) {
            require(ev.peer != NULL && ev.peer->local_count <= WZP_CALL_LOCALS_MAX);
            is_addr(&ev.peer->reflexive, true);
            is_addr(&ev.peer->mapped, true);
            for (size_t i = 0; i < ev.peer->local_count; i++) {
                is_addr(&ev.peer->local[i], false);
            }
            require(ev.kind != WZP_PHONE_SET_UP || !ev.may_be_direct || phone->is_open);
        } else if (ev.kind == WZP_PHONE_PROBE) {
            require(ev.probe != NULL && phone->is_open &&
                    ev.probe->port_count <= WZP_CALL_PROBE_PORTS_MAX);
        } else if (ev.kind == WZP_PHONE_BIRTHDAY) {
            require(ev.birthday != NULL && phone->is_open && phone->peer_celebrates &&
                    ev.birthday->opened > 0 && ev.birthday->port_count <= WZP_BIRTHDAY_KNOWN_MAX);
            is_addr(&ev.birthday->external, false);
        }
    }
}

static void hear(wzp_phone *phone, wzp_quic_event_kind kind, wzp_bytes json, wzp_time now) {
    const wzp_quic_event ev = {.kind = kind, .conn = phone->conn, .body = json};
    phone->user.event(phone->user.self, &ev, now);
}

static void hear_line(wzp_phone *phone, wzp_bytes line, wzp_time now) {
    char json[JSON_MAX];
    size_t len = 0;
    for (size_t i = 0; i < line.len; i++) {
        const bool is_id = line.data[i] == '@';
        const char *id = phone->call_id;
        const size_t n = is_id ? strlen(id) : 1;
        if (len + n > sizeof json) {
            return;
        }
        memcpy(json + len, is_id ? id : (const char *)&line.data[i], n);
        len += n;
    }
    hear(phone, WZP_QUIC_SIGNAL, wzp_bytes_of(json, len), now);
}

static const wzp_call_addresses ours = {
    .reflexive = {.family = WZP_ADDR_V4, .port = 4000, .ip = {203, 0, 113, 5}},
    .local = {{.family = WZP_ADDR_V4, .port = 4000, .ip = {192, 168, 1, 2}}},
    .local_count = 1};

static const wzp_call_probe ports = {
    .alloc = {.kind = WZP_PORT_ALLOC_SEQUENTIAL, .delta = 1},
    .external = {.family = WZP_ADDR_V4, .port = 4003, .ip = {203, 0, 113, 5}},
    .ports = {4003, 4002, 4001},
    .port_count = 3};

static const wzp_call_birthday opened = {
    .external = {.family = WZP_ADDR_V4, .ip = {203, 0, 113, 5}}, .opened = 32};

/* What the phone refuses to do it may refuse. */
static void act(wzp_phone *phone, char what, wzp_time *now) {
    const bool answers = what == 'a' || what == 'g' || what == 'n';
    const wzp_accept_mode mode = what == 'a'   ? WZP_ACCEPT_TRUSTED
                                 : what == 'g' ? WZP_ACCEPT_GENERIC
                                               : WZP_ACCEPT_REJECT;
    if (what == 'c' && wzp_phone_call(phone, callee) == WZP_OK) {
        require(wzp_phone_state_of(phone) == WZP_PHONE_STATE_BUSY);
    } else if (answers && wzp_phone_answer(phone, mode) == WZP_OK) {
        require(phone->is_open == (mode == WZP_ACCEPT_TRUSTED));
    } else if (what == 'h') {
        wzp_phone_hangup(phone);
        require(wzp_phone_state_of(phone) != WZP_PHONE_STATE_BUSY);
    } else if (what == 'r') {
        wzp_phone_reflect(phone, *now);
    } else if (what == 'u') {
        wzp_phone_update(phone, &ours);
    } else if (what == 'p') {
        wzp_phone_report(phone, 7, true, true);
    } else if (what == 's') {
        wzp_phone_set_probe(phone, &ports);
    } else if (what == 'o') {
        wzp_phone_hold_probe(phone);
    } else if (what == 'b') {
        wzp_phone_birthday(phone, &opened);
    } else if (what == 't') {
        const wzp_core core = wzp_phone_core(phone);
        *now += WZP_S;
        core.ops->tick(core.self, *now);
    }
}

static void take_line(wzp_phone *phone, wzp_bytes line, wzp_time *now) {
    if (line.len > 0 && (line.data[0] == '{' || line.data[0] == '"')) {
        hear_line(phone, line, *now);
    } else if (line.len > 0) {
        act(phone, (char)line.data[0], now);
    }
    drain(phone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char ack[] = "{\"RegisterPresenceAck\":{\"version\":1,\"success\":true}}";
    wzp_prng prng;
    wzp_phone *phone = NULL;
    wzp_time now = WZP_S;
    size_t from = 0;
    wzp_prng_init(&prng, 1, "phone");
    const wzp_phone_cfg cfg = {
        .rng = wzp_prng_rng(&prng),
        .alias = "Ann",
        .seed = {1},
        .path = {wzp_addr_v4(10, 0, 0, 1, 4000), wzp_addr_v4(10, 0, 0, 2, 4433)},
        .probes = true,
        .celebrates = true,
        .deterministic = true};
    watched = NULL;
    require(wzp_phone_new(&phone, &cfg, now) == WZP_OK);
    watched = phone;
    wzp_phone_set_addresses(phone, &ours);
    hear(phone, WZP_QUIC_CONNECTED, wzp_bytes_str(""), now);
    hear(phone, WZP_QUIC_SIGNAL, wzp_bytes_str(ack), now);
    for (size_t i = 0, lines = 0; i <= size && lines < LINES; i++) {
        if (i == size || data[i] == '\n') {
            take_line(phone, wzp_bytes_of(data + from, i - from), &now);
            from = i + 1;
            lines++;
        }
    }
    wzp_phone_free(&phone);
    return 0;
}
