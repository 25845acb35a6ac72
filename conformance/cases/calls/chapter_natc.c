/* Clients that take direct calls: what they say, tell and ask before there is a path (nat sheet,
 * part 3: reflection, candidates, STUN, signalling). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/calls/call_steps.h"
#include "conformance/cases/calls/stun.h"
#include "conformance/cases/macros.h"

static const wzp_ct_observes smaller = WZP_CT_OBSERVES_SMALLER;
static const wzp_ct_observes nothing = WZP_CT_OBSERVES_NOTHING;
static const wzp_ct_observes late = WZP_CT_OBSERVES_LATE;
static const wzp_ct_observes rubbish = WZP_CT_OBSERVES_RUBBISH;

static const wzp_ct_setting nowhere = {.is_nowhere = true};

#define ROOM(setting)                                                                              \
    {                                                                                              \
        .required = "the call goes over the relay", .within_s = 8, .begin = wzp_ct_call_set_up,    \
        .go = wzp_ct_call_in_room, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (setting)             \
    }
#define STAYS(text, seconds, what)                                                                 \
    {                                                                                              \
        .required = (text), .within_s = (seconds), .begin = (what), .go = wzp_ct_call_stays,       \
        .never = WZP_CT_REASON_CRASH                                                               \
    }

/* --- Reflect ---------------------------------------------------------------------------------- */

static wzp_ct_so_far go_answers_without(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_ct_so_far so_far = wzp_ct_call_answers(e, now);
    if (so_far != WZP_CT_HAPPENED) {
        return so_far;
    }
    if (c->reflect_at == WZP_TIME_NEVER) {
        return wzp_ct_play_lacks(e, "Reflect");
    }
    wzp_ct_play_say(e, "it answers %.1f s after its Reflect", (double)(now - c->reflect_at) / 1e9);
    return WZP_CT_HAPPENED;
}

static const wzp_ct_act nat005[] = {
    WZP_CT_CALL_REGISTERED(&nothing),
    {"it takes a call although nobody answers its Reflect", 13, wzp_ct_call_ring,
     go_answers_without, WZP_CT_REASON_LATE, WZP_CT_REASON_NONE, NULL},
    ROOM(&nowhere),
    STAYS("its signal connection stands", 1, NULL),
};

static wzp_ct_so_far go_answers_with(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_ct_so_far so_far = wzp_ct_call_answers(e, now);
    const wzp_opt_str *own = wzp_ct_caller_reflexive(c);
    if (so_far != WZP_CT_HAPPENED) {
        return so_far;
    }
    if (c->reflect_at == WZP_TIME_NEVER) {
        return wzp_ct_play_lacks(e, "Reflect");
    }
    if (own != NULL && wzp_bytes_equal(own->value, wzp_bytes_str(c->observed))) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "it answers: %.160s", c->last_json[WZP_SIGNAL_DIRECT_CALL_ANSWER]);
    return wzp_ct_caller_path_is_bad(c) ? WZP_CT_UNSURE : WZP_CT_NEVER;
}

static const wzp_ct_act nat005b[] = {
    WZP_CT_CALL_REGISTERED(&late),
    {"it tells the address that it hears of after 0.7 s", 13, wzp_ct_call_ring, go_answers_with,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

#define UNASKED "198.51.100.77:4711"

static wzp_ct_so_far go_wait(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

static bool say_unasked(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    (void)now;
    return wzp_ct_caller_say(c, "{\"ReflectResponse\":{\"version\":1,\"observed_addr\":\"" UNASKED
                                "\"}}") &&
           wzp_ct_caller_say(c, "{\"ReflectResponse\":{\"version\":1,\"observed_addr\":\"\"}}") &&
           wzp_ct_caller_say(c, "{\"ReflectResponse\":{\"version\":1,\"observed_addr\":"
                                "\"example.org:99999\"}}") &&
           wzp_ct_caller_say(c, "{\"ReflectResponse\":{}}") &&
           wzp_ct_caller_say(c, "{\"ReflectResponse\":{\"observed_addr\":[]}}");
}

/* Neither what nobody asked for nor what is none. */
static wzp_ct_so_far go_tells_neither(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_ct_so_far so_far = wzp_ct_call_answers(e, now);
    const char *answer = c->last_json[WZP_SIGNAL_DIRECT_CALL_ANSWER];
    if (so_far == WZP_CT_HAPPENED &&
        (strstr(answer, UNASKED) != NULL || strstr(answer, "somewhere") != NULL ||
         strstr(answer, "example.org") != NULL)) {
        wzp_ct_play_say(e, "it answers: %.160s", answer);
        return WZP_CT_NEVER;
    }
    return so_far;
}

static const wzp_ct_act nat006[] = {
    WZP_CT_CALL_REGISTERED(&rubbish),
    {"its own Reflect is over", 1.5, NULL, go_wait, WZP_CT_REASON_NONE, WZP_CT_REASON_CRASH, NULL},
    {"it stays", 1, say_unasked, go_wait, WZP_CT_REASON_NONE, WZP_CT_REASON_CRASH, NULL},
    {"it takes a call, and tells no such address", 13, wzp_ct_call_ring, go_tells_neither,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, NULL},
    ROOM(&nowhere),
};

/* --- words ------------------------------------------------------------------------------------ */

static bool say_unknown(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    (void)now;
    c->wording = WZP_CT_WORDS_BARE; /* the offer */
    return wzp_ct_caller_say(c, "{\"FromTheFuture\":{\"version\":9,\"what\":[1,2,3]}}") &&
           wzp_ct_caller_say(c, "\"AlsoFromTheFuture\"") &&
           wzp_ct_caller_say(c, "{\"PresenceList\":{\"users\":[],\"later\":{\"x\":true}}}") &&
           wzp_ct_caller_say(c, "{\"HardNatProbe\":{\"version\":2,\"call_id\":\"none\"}}") &&
           wzp_ct_caller_say(c, "no JSON");
}

static bool set_up_later(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_caller(e)->wording = WZP_CT_WORDS_LATER;
    return wzp_ct_call_set_up(e, now);
}

static const wzp_ct_act nat007[] = {
    WZP_CT_CALL_REGISTERED(&smaller),
    {"it stays", 1, say_unknown, go_wait, WZP_CT_REASON_NONE, WZP_CT_REASON_CRASH, NULL},
    WZP_CT_CALL_ANSWERED,
    {"the call goes over the relay", 8, set_up_later, wzp_ct_call_in_room,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, &nowhere},
};

/* --- candidates ------------------------------------------------------------------------------- */

/* Loopback and link-local addresses mean nothing to a peer; public IPv4 is what Reflect is for. */
static bool is_no_candidate(const wzp_addr *a) {
    const uint8_t *ip = a->ip;
    if (a->family == WZP_ADDR_V6) {
        return (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) ||
               ((ip[0] & 0xe0) != 0x20 && (ip[0] & 0xfe) != 0xfc);
    }
    return ip[0] != 10 && !(ip[0] == 172 && (ip[1] & 0xf0) == 16) &&
           !(ip[0] == 192 && ip[1] == 168) && !(ip[0] == 100 && (ip[1] & 0xc0) == 64);
}

static wzp_ct_so_far go_locals(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_list_str *locals =
        &c->last[WZP_SIGNAL_DIRECT_CALL_ANSWER]->u.DirectCallAnswer.callee_local_addrs;
    (void)now;
    for (size_t i = 0; i < locals->count; i++) {
        char text[WZP_ADDR_TEXT_MAX] = "";
        wzp_addr addr;
        const size_t len = locals->items[i].len;
        memcpy(text, locals->items[i].data, len < sizeof text ? len : sizeof text - 1);
        const bool reads = wzp_addr_parse(&addr, text) == WZP_OK;
        if (!reads || is_no_candidate(&addr) ||
            (addr.family == WZP_ADDR_V4 && addr.port != c->client.port)) {
            wzp_ct_play_say(e, "it tells %s, and sends from port %u", text, c->client.port);
            return WZP_CT_NEVER;
        }
    }
    wzp_ct_play_say(e, "it tells %zu addresses of its own network", locals->count);
    return WZP_CT_HAPPENED;
}

static const wzp_ct_act nat022[] = {
    WZP_CT_CALL_OPEN(&smaller),
    {"its local addresses are such as may be told, with the port of its socket", 1, NULL, go_locals,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

/* --- what it must not tell -------------------------------------------------------------------- */

static const wzp_ct_setting everywhere = {.has_lan = true, .has_mapped = true};

static bool is_quiet(wzp_ct_exec *e) {
    static const wzp_ct_place peers[] = {WZP_CT_AT_PEER, WZP_CT_AT_LAN, WZP_CT_AT_MAPPED,
                                         WZP_CT_AT_STRANGER};
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    for (size_t i = 0; i < WZP_COUNT_OF(peers); i++) {
        if (c->visits[peers[i]].datagrams > 0) {
            wzp_ct_play_say(e, "%llu datagrams came to an address of the caller",
                            (unsigned long long)c->visits[peers[i]].datagrams);
            return false;
        }
    }
    return true;
}

static wzp_ct_so_far go_tells_nothing(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    (void)now;
    if (c->telling > 0) {
        wzp_ct_play_say(e, "%u signals of it tell an address", c->telling);
        return WZP_CT_NEVER;
    }
    return wzp_ct_call_is_up(e) && is_quiet(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

static const wzp_ct_act nat064[] = {
    WZP_CT_CALL_REGISTERED(&smaller),
    WZP_CT_CALL_ANSWERED,
    ROOM(&everywhere),
    {"it tells the caller no address, and sends nothing there", 4, NULL, go_tells_nothing,
     WZP_CT_REASON_NONE, WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

/* Ports that lead to `place`, as somebody says who has opened them. */
static bool say_birthday(wzp_ct_caller *c, wzp_ct_place place) {
    const wzp_addr *at = &c->places[place];
    char ip[WZP_ADDR_TEXT_MAX];
    wzp_addr_text(at, ip);
    *strrchr(ip, ':') = '\0';
    return wzp_ct_caller_tell(
        c, &(wzp_signal){.kind = WZP_SIGNAL_HARD_NAT_BIRTHDAY_START,
                         .version = 1,
                         .u.HardNatBirthdayStart = {.call_id = wzp_bytes_str(c->call_id),
                                                    .acceptor_port_count = 1,
                                                    .acceptor_ports = {&at->port, 1},
                                                    .external_ip = wzp_bytes_str(ip)}});
}

static bool say_probes(wzp_ct_exec *e, wzp_time now) {
    static const char *const allocations[] = {"random", "sequential(delta=1)"};
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    const uint16_t ports[] = {40001, 40002, 40003};
    const wzp_addr *peer = &c->places[WZP_CT_AT_PEER];
    char ip[WZP_ADDR_TEXT_MAX];
    bool ok = wzp_ct_call_ring(e, now);
    wzp_addr_text(peer, ip);
    *strrchr(ip, ':') = '\0';
    for (size_t i = 0; i < WZP_COUNT_OF(allocations); i++) {
        ok = ok &&
             wzp_ct_caller_tell(
                 c, &(wzp_signal){.kind = WZP_SIGNAL_HARD_NAT_PROBE,
                                  .version = 1,
                                  .u.HardNatProbe = {.call_id = wzp_bytes_str(c->call_id),
                                                     .port_sequence = {ports, WZP_COUNT_OF(ports)},
                                                     .allocation = wzp_bytes_str(allocations[i]),
                                                     .probe_time_ms = 1779700000000,
                                                     .external_ip = wzp_bytes_str(ip)}});
    }
    return ok && say_birthday(c, WZP_CT_AT_PEER);
}

static const wzp_ct_act nat065[] = {
    WZP_CT_CALL_REGISTERED(&smaller),
    {"it takes a call while the caller probes", 13, say_probes, wzp_ct_call_answers,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, NULL},
    {"the probes make it tell or send nothing", 4, NULL, go_tells_nothing, WZP_CT_REASON_NONE,
     WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

/* --- updates ---------------------------------------------------------------------------------- */

static bool say_update(wzp_ct_caller *c, const char *call_id, uint32_t generation,
                       const char *reflexive) {
    return wzp_ct_caller_tell(
        c, &(wzp_signal){.kind = WZP_SIGNAL_CANDIDATE_UPDATE,
                         .version = 1,
                         .u.CandidateUpdate = {.call_id = wzp_bytes_str(call_id),
                                               .reflexive_addr = {true, wzp_bytes_str(reflexive)},
                                               .generation = generation}});
}

static bool say_updates(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    char stranger[WZP_ADDR_TEXT_MAX];
    (void)now;
    wzp_ct_caller_text(c, WZP_CT_AT_STRANGER, stranger);
    return say_update(c, c->call_id, 0, stranger) && say_update(c, "another-call", 7, stranger) &&
           say_update(c, c->call_id, 2, "no address") && say_update(c, c->call_id, 2, stranger) &&
           say_update(c, c->call_id, 1, stranger) && say_update(c, c->call_id, UINT32_MAX, "");
}

/* Its own, if there are any, count up from 1. */
static bool counts_up(wzp_ct_exec *e) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_signal *update = c->last[WZP_SIGNAL_CANDIDATE_UPDATE];
    if (update == NULL ||
        update->u.CandidateUpdate.generation >= c->heard[WZP_SIGNAL_CANDIDATE_UPDATE]) {
        return true;
    }
    wzp_ct_play_say(e, "its update number %u has generation %u",
                    c->heard[WZP_SIGNAL_CANDIDATE_UPDATE], update->u.CandidateUpdate.generation);
    return false;
}

static wzp_ct_so_far go_ignores(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    if (c->visits[WZP_CT_AT_STRANGER].datagrams > 0) {
        wzp_ct_play_say(e, "it sends to an address of an update that it must not apply");
        return WZP_CT_NEVER;
    }
    return counts_up(e) ? wzp_ct_call_stays(e, now) : WZP_CT_NEVER;
}

static bool say_many_ports(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return say_birthday(wzp_ct_play_caller(e), WZP_CT_AT_STRANGER);
}

static wzp_ct_so_far go_lets_be(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    if (c->visits[WZP_CT_AT_STRANGER].datagrams > 0) {
        wzp_ct_play_say(e, "it sends to somebody whom the peer's HardNatBirthdayStart names");
        return WZP_CT_NEVER;
    }
    return wzp_ct_call_stays(e, now);
}

static const wzp_ct_act nat065b[] = {
    WZP_CT_CALL_OPEN(&smaller),
    ROOM(&nowhere),
    {"ports at an IP that the peer has not told as its own are left alone", 4, say_many_ports,
     go_lets_be, WZP_CT_REASON_NONE, WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

static const wzp_ct_act nat067[] = {
    WZP_CT_CALL_OPEN(&smaller),
    ROOM(&nowhere),
    {"updates that are stale, of another call or not readable change nothing", 4, say_updates,
     go_ignores, WZP_CT_REASON_NONE, WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

/* --- its NAT -------------------------------------------------------------------------------- */

/* "sequential(delta=-2)" is one of the four, too. */
static bool is_sequential(const char *text) {
    static const char head[] = "sequential(delta=";
    const size_t len = strlen(text);
    const char *digits = text + sizeof head - 1;
    if (strncmp(text, head, sizeof head - 1) != 0 || len < sizeof head || text[len - 1] != ')') {
        return false;
    }
    digits += *digits == '-' ? 1 : 0;
    return *digits != ')' && strspn(digits, "0123456789") == strlen(digits) - 1;
}

static bool is_allocation(const char *text) {
    return strcmp(text, "port-preserving") == 0 || strcmp(text, "random") == 0 ||
           strcmp(text, "unknown") == 0 || is_sequential(text);
}

static wzp_ct_so_far go_allocation(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_signal *probe = c->last[WZP_SIGNAL_HARD_NAT_PROBE];
    char text[64] = "";
    if (probe == NULL) {
        return wzp_ct_play_elapsed(e, now) > 5 * WZP_S ? wzp_ct_play_lacks(e, "HardNatProbe")
               : wzp_ct_call_is_up(e)                  ? WZP_CT_NOT_YET
                                                       : WZP_CT_NEVER;
    }
    const wzp_bytes allocation = probe->u.HardNatProbe.allocation;
    if (allocation.len < sizeof text) {
        memcpy(text, allocation.data, allocation.len);
    }
    wzp_ct_play_say(e, "it says that its NAT is \"%s\"", text);
    return is_allocation(text) ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

/* --- its network ------------------------------------------------------------------------------ */

/* A command may do it, which is looked at now and then. */
#define MOVE_POLL (5 * WZP_MS)

static bool begin_move(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    wzp_ct_call_state *st = wzp_ct_play_state(e);
    (void)now;
    c->observes = WZP_CT_OBSERVES_MOVED;
    st->reports = c->heard[WZP_SIGNAL_CANDIDATE_UPDATE];
    return true;
}

static wzp_ct_so_far go_move(wzp_ct_exec *e, wzp_time now) {
    switch (wzp_ct_play_move(e)) {
    case WZP_CT_CANNOT_MOVE:
        return wzp_ct_play_lacks(e, "a change of its network");
    case WZP_CT_MOVES:
        wzp_ct_play_wake(e, now + MOVE_POLL);
        return WZP_CT_NOT_YET;
    case WZP_CT_HAS_MOVED:
        return WZP_CT_HAPPENED;
    case WZP_CT_MOVE_FAILED:
        break;
    }
    wzp_ct_play_say(e, "the command that changes its network failed");
    return WZP_CT_UNSURE;
}

/* That its answer did not have: as the relay sees it now, or one of its interfaces'. */
static bool is_news(const wzp_ct_caller *c, wzp_bytes addr) {
    const char *answer = c->last_json[WZP_SIGNAL_DIRECT_CALL_ANSWER];
    char text[WZP_ADDR_TEXT_MAX + 2];
    (void)snprintf(text, sizeof text, "\"%.*s\"", (int)addr.len, (const char *)addr.data);
    return addr.len > 0 && answer != NULL && strstr(answer, text) == NULL;
}

static bool tells_news(const wzp_ct_caller *c, const wzp_signal_CandidateUpdate *update) {
    bool is_told =
        is_news(c, update->reflexive_addr.value) || is_news(c, update->mapped_addr.value);
    for (size_t i = 0; i < update->local_addrs.count; i++) {
        is_told = is_told || is_news(c, update->local_addrs.items[i]);
    }
    return is_told;
}

static wzp_ct_so_far go_tells_move(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_signal *update = c->last[WZP_SIGNAL_CANDIDATE_UPDATE];
    const char *json = c->last_json[WZP_SIGNAL_CANDIDATE_UPDATE];
    const wzp_ct_call_state *st = wzp_ct_play_state(e);
    (void)now;
    if (c->heard[WZP_SIGNAL_CANDIDATE_UPDATE] == st->reports ||
        !tells_news(c, &update->u.CandidateUpdate)) {
        return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
    }
    if (update->u.CandidateUpdate.generation > 0 &&
        wzp_bytes_equal(update->u.CandidateUpdate.call_id, wzp_bytes_str(c->call_id))) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "it says: %.160s", json);
    return WZP_CT_NEVER;
}

/* 1.5 s, and what its way takes. */
static const wzp_ct_act nat113[] = {
    WZP_CT_CALL_OPEN(&smaller),
    ROOM(&nowhere),
    {"its network becomes another one", 10, begin_move, go_move, WZP_CT_REASON_SENDER_RATE,
     WZP_CT_REASON_NONE, NULL},
    {"it tells the peer its new address within 1.5 s", 1.7, NULL, go_tells_move, WZP_CT_REASON_LATE,
     WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

/* --- the signal connection -------------------------------------------------------------------- */

/* A gap of 5 s between packets, and what this machine adds. */
#define KEPT_ALIVE (5500 * WZP_MS)

static wzp_ct_so_far go_kept_alive(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_state *st = wzp_ct_play_state(e);
    const wzp_ct_visits *v = &wzp_ct_play_caller(e)->visits[WZP_CT_AT_RELAY];
    if (st->began == 0) {
        st->began = v->last_at;
    }
    const uint64_t gap = v->last_at > st->began ? v->last_at - st->began : 0;
    st->began = v->last_at;
    if (gap > KEPT_ALIVE || now > v->last_at + KEPT_ALIVE) {
        wzp_ct_play_say(e, "nothing came from it for %.1f s",
                        (double)(gap > KEPT_ALIVE ? gap : now - v->last_at) / 1e9);
        return WZP_CT_NEVER;
    }
    return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

static const wzp_ct_act nat111[] = {
    WZP_CT_CALL_REGISTERED(&smaller),
    {"it sends something each five seconds, also when there is nothing to say", 17, NULL,
     go_kept_alive, WZP_CT_REASON_NONE, WZP_CT_REASON_LATE, NULL},
};

static const uint32_t first_returns = 5;
static const uint32_t all_returns = 8;

static bool turn_away(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    wzp_ct_call_state *st = wzp_ct_call_begin(e, now);
    st->done = wzp_ct_caller_path_is_bad(c); /* handshakes then take what they take */
    c->turns_away = true;
    wzp_quic_close(c->quic, c->signal, 0, "restarting", now);
    return true;
}

/* At once, then after 1, 2, 4, 8, 15, 30 and 30 s; 20 % and half a second for handshakes. */
static wzp_ct_so_far go_returns(wzp_ct_exec *e, wzp_time now) {
    static const double delays[] = {0, 1, 2, 4, 8, 15, 30, 30};
    const uint32_t *returns = wzp_ct_play_arg(e);
    const wzp_ct_call_state *st = wzp_ct_play_state(e);
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const uint32_t come = c->signals - 1;
    for (uint32_t i = 0; i < *returns && i < come; i++) {
        const wzp_time before = i == 0 ? st->began : c->signal_at[i];
        const double gap = (double)(c->signal_at[i + 1] - before) / 1e9;
        if (gap < delays[i] * 0.8 || gap > delays[i] * 1.2 + 0.5) {
            wzp_ct_play_say(e, "attempt %u came %.2f s after the one before it", i + 1, gap);
            return st->done > 0 ? WZP_CT_UNSURE : WZP_CT_NEVER;
        }
    }
    if (come == 0 && wzp_ct_play_elapsed(e, now) > 5 * WZP_S) {
        return wzp_ct_play_lacks(e, "reconnection");
    }
    return come >= *returns ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

/* Who has not heard that it is registered may take the end for a refusal. */
static wzp_ct_so_far go_knows(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_play_caller(e)->watched_came ? WZP_CT_HAPPENED
           : wzp_ct_call_is_up(e)              ? WZP_CT_NOT_YET
                                               : WZP_CT_NEVER;
}

static const wzp_ct_act nat114[] = {
    WZP_CT_CALL_REGISTERED(&smaller),
    {"it hears that it is registered", 2, NULL, go_knows, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_NONE, NULL},
    {"it comes back at once, then after 1, 2, 4 and 8 s", 20, turn_away, go_returns,
     WZP_CT_REASON_LATE, WZP_CT_REASON_WRONG_RESPONSE, &first_returns},
};

static const wzp_ct_act nat114b[] = {
    WZP_CT_CALL_REGISTERED(&smaller),
    {"it hears that it is registered", 2, NULL, go_knows, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_NONE, NULL},
    {"it comes back at once, then after 1, 2, 4, 8, 15, 30 and 30 s", 112, turn_away, go_returns,
     WZP_CT_REASON_LATE, WZP_CT_REASON_WRONG_RESPONSE, &all_returns},
};

/* --- STUN ------------------------------------------------------------------------------------- */

/* One server's worth of requests. */
typedef struct stun_state {
    wzp_ct_call_state call; /* first: acts share it */
    uint8_t first[WZP_CT_STUN_LEN];
    unsigned requests, repeats;
    wzp_addr client;
    bool answers, answered;
} stun_state;

static void answer_stun(wzp_ct_exec *e, const wzp_quic_path *path, wzp_bytes request) {
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    uint8_t out[WZP_CT_STUN_ANSWER];
    const wzp_addr seen = wzp_addr_v4(203, 0, 113, 7, path->remote.port);
    const wzp_addr wrong = wzp_addr_v4(198, 51, 100, 66, 666);
    (void)wzp_ct_caller_throw(c, WZP_CT_AT_STUN, &path->remote,
                              wzp_ct_stun_success(out, request, &wrong, 1));
    (void)wzp_ct_caller_throw(c, WZP_CT_AT_STRANGER, &path->remote,
                              wzp_ct_stun_success(out, request, &wrong, 0));
    (void)wzp_ct_caller_throw(c, WZP_CT_AT_STUN, &path->remote,
                              wzp_ct_stun_success(out, request, &seen, 0));
}

/* Only some cases want an answer, and only to a repetition. */
static void on_loose(wzp_ct_exec *e, const wzp_quic_path *path, wzp_bytes bytes, wzp_time now) {
    stun_state *st = wzp_ct_play_state(e);
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    (void)now;
    if (!wzp_addr_equal(&path->local, &c->places[WZP_CT_AT_STUN]) ||
        !wzp_ct_stun_is_request(bytes)) {
        return;
    }
    if (st->requests == 0) {
        memcpy(st->first, bytes.data, WZP_CT_STUN_LEN);
        st->client = path->remote;
    } else if (memcmp(st->first, bytes.data, WZP_CT_STUN_LEN) == 0) {
        st->repeats++;
    }
    st->requests++;
    if (st->answers) {
        answer_stun(e, path, bytes);
    }
}

static wzp_ct_so_far asks(wzp_ct_exec *e, wzp_time now) {
    const stun_state *st = wzp_ct_play_state(e);
    return st->requests > 0                          ? WZP_CT_HAPPENED
           : !wzp_ct_call_is_up(e)                   ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) > 8 * WZP_S ? wzp_ct_play_lacks(e, "STUN")
                                                     : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_repeats(wzp_ct_exec *e, wzp_time now) {
    const stun_state *st = wzp_ct_play_state(e);
    (void)now;
    return st->repeats > 0 ? WZP_CT_HAPPENED : wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

static const wzp_ct_act nat024[] = {
    WZP_CT_CALL_REGISTERED(&nothing),
    {"it asks a STUN server", 10, wzp_ct_call_ring, asks, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_NONE, NULL},
    {"it asks again, with the same bytes", 4, NULL, go_repeats, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_NONE, NULL},
};

static bool begin_answers(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_observes how = WZP_CT_OBSERVES_NOTHING;
    stun_state *st = wzp_ct_play_state(e);
    (void)now;
    st->answers = true;
    wzp_ct_play_caller(e)->observes = how;
    return true;
}

static wzp_ct_so_far go_tells_seen(wzp_ct_exec *e, wzp_time now) {
    const stun_state *st = wzp_ct_play_state(e);
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_ct_so_far so_far = wzp_ct_call_answers(e, now);
    if (so_far != WZP_CT_HAPPENED) {
        return so_far;
    }
    if (st->requests == 0) {
        return wzp_ct_play_lacks(e, "STUN");
    }
    const char *answer = c->last_json[WZP_SIGNAL_DIRECT_CALL_ANSWER];
    if (strstr(answer, "\"203.0.113.7:") != NULL) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "it answers: %.200s", answer);
    return WZP_CT_NEVER;
}

/* A second view beside the relay's, if there was one. */
static bool begin_views(wzp_ct_exec *e, wzp_time now) {
    stun_state *st = wzp_ct_play_state(e);
    (void)now;
    st->answers = true;
    wzp_ct_play_caller(e)->observes = WZP_CT_OBSERVES_LARGER;
    return true;
}

static const wzp_ct_act nat066[] = {
    {"the client registers", 10, begin_views, wzp_ct_call_is_registered, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_NONE, NULL},
    WZP_CT_CALL_ANSWERED,
    {"what it says of its NAT is one of four", 6, NULL, go_allocation, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

static const wzp_ct_act nat025[] = {
    {"the client registers", 10, begin_answers, wzp_ct_call_is_registered,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, NULL},
    {"it tells what the server said, and not what came before", 13, wzp_ct_call_ring, go_tells_seen,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

static wzp_ct_so_far go_same_port(wzp_ct_exec *e, wzp_time now) {
    const stun_state *st = wzp_ct_play_state(e);
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_ct_so_far so_far = asks(e, now);
    if (so_far != WZP_CT_HAPPENED || st->client.port == c->client.port) {
        return so_far;
    }
    wzp_ct_play_say(e, "STUN comes from port %u, QUIC from %u", st->client.port, c->client.port);
    return WZP_CT_NEVER;
}

static const wzp_ct_act nat026[] = {
    WZP_CT_CALL_REGISTERED(&nothing),
    {"it asks a STUN server from the port of its QUIC socket", 10, wzp_ct_call_ring, go_same_port,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

/* --- the table -------------------------------------------------------------------------------- */

#define LISTENS(id, level_, title, must, what, script, ...)                                        \
    {                                                                                              \
        .kind = WZP_CT_PLAY, .client = WZP_CT_CLIENT_CLEAR, .mode = WZP_CT_LISTENS,                \
        .info = {INFO(id, "NATC", title, id, must, what, "nat part 3"), .level = (level_)},        \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(stun_state), .on_loose = on_loose, \
        __VA_ARGS__                                                                                \
    }

static const wzp_ct_case cases[] = {
    LISTENS("NAT-005", WZP_CT_MUST, "no answer to Reflect",
            "give up, keep the connection and go on with the call", "silence", nat005, ),
    LISTENS("NAT-005b", WZP_CT_MUST, "a slow answer to Reflect", "wait a second for it",
            "the answer after 0.7 s", nat005b, ),
    LISTENS("NAT-006", WZP_CT_MUST, "answers that nobody asked for",
            "neither crash nor disconnect, and tell nobody of them",
            "ReflectResponses, unasked and without an address", nat006, ),
    LISTENS("NAT-007C", WZP_CT_MUST, "signals of the future",
            "ignore variants and fields that it does not know; version absent, 1 or 2",
            "unknown signals, and known ones with other fields", nat007, ),
    LISTENS("NAT-022", WZP_CT_MUST, "addresses of its own network",
            "tell none that is loopback, link-local or public IPv4; the port is that of QUIC",
            "a call that it trusts", nat022, ),
    LISTENS("NAT-024", WZP_CT_MUST, "STUN that gets no answer", "repeat the request as it is",
            "a silent STUN server", nat024, .needs_stun = true),
    LISTENS("NAT-025", WZP_CT_SHOULD, "STUN with strangers",
            "ignore answers of another transaction or from elsewhere",
            "two wrong answers before the right one", nat025, .needs_stun = true),
    LISTENS("NAT-026", WZP_CT_SHOULD, "STUN on the socket of QUIC",
            "ask from the port that peers will dial", "a STUN server", nat026, .needs_stun = true),
    LISTENS("NAT-064", WZP_CT_MUST, "a call that is taken without trust",
            "tell the caller no address and send nothing there",
            "a call whose caller tells all of its addresses", nat064,
            .answer = WZP_CT_TELLS_NOTHING),
    LISTENS("NAT-065", WZP_CT_MUST, "HardNatProbe without trust", "answer nothing, open nothing",
            "probes before the answer", nat065, .answer = WZP_CT_TELLS_NOTHING),
    LISTENS("NAT-065b", WZP_CT_MUST, "HardNatBirthdayStart that names a stranger",
            "send nothing there", "ports that are not the peer's", nat065b, ),
    LISTENS("NAT-066", WZP_CT_MUST, "what it says of its NAT",
            "say port-preserving, sequential(delta=N), random or unknown",
            "a call that it trusts, and a STUN server", nat066, .needs_stun = true),
    LISTENS("NAT-067", WZP_CT_MUST, "CandidateUpdates that do not count",
            "ignore stale ones and those of other calls, skip addresses that are none",
            "updates with old generations", nat067, ),
    LISTENS("NAT-111C", WZP_CT_MUST, "silence on the signal connection",
            "send something each five seconds", "nothing", nat111, .silent = true),
    LISTENS("NAT-113", WZP_CT_SHOULD, "a network that changes in a call",
            "send a CandidateUpdate within 1.5 s", "another address", nat113, .moves = true),
    LISTENS("NAT-114", WZP_CT_MUST, "a relay that restarts",
            "come back at once, then after 1, 2, 4, 8 s", "each connection is closed", nat114, ),
    LISTENS("NAT-114b", WZP_CT_MUST, "a relay that stays away",
            "come back after 15 s then, and each 30 s from then on", "each connection is closed",
            nat114b, .is_long = true),
};

const wzp_ct_chapter wzp_ct_chapter_natc = {"NATC", "Clients: traversal", cases,
                                            WZP_COUNT_OF(cases)};
