/* Clients that have a port mapped by UPnP: how they search, what they order, what they make of the
 * answers (nat sheet 1.8, part 3).  NAT-PMP and PCP are not spoken here. */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/calls/gateway.h"
#include "conformance/cases/calls/igd.h"
#include "conformance/cases/macros.h"

/* Others see the client at 203.0.113.1, and so does a gateway that tells the truth. */
#define TRUE_IP                                                                                    \
    { 203, 0, 113, 1 }
enum { TEXT_MAX = 24 };

typedef struct upnp_state {
    wzp_ct_gateway_state gateway; /* first: acts of calls share it */
    wzp_ct_igd igd;
} upnp_state;

static const wzp_ct_igd_cfg plain = {.ip = TRUE_IP};
static const wzp_ct_igd_cfg beside_printer = {.ip = TRUE_IP, .has_printer = true};
static const wzp_ct_igd_cfg permanent = {.ip = TRUE_IP, .only_permanent = true};
static const wzp_ct_igd_cfg taken = {.ip = TRUE_IP, .first_is_taken = true};
static const wzp_ct_igd_cfg indoors = {.ip = {192, 168, 5, 6}};

static const wzp_ct_gateway silent = {.how = {WZP_CT_MAPS_SILENTLY, WZP_CT_MAPS_SILENTLY}};
static const wzp_ct_setting no_peer = {.is_nowhere = true};

/* --- the gateway ------------------------------------------------------------------------------ */

static bool opens(wzp_ct_exec *e, wzp_time now) {
    upnp_state *st = wzp_ct_play_state(e);
    st->igd.cfg = wzp_ct_play_arg(e);
    wzp_ct_gateway_is(e, &silent, now);
    wzp_ct_play_caller(e)->observes = WZP_CT_OBSERVES_LARGER;
    return true;
}

static wzp_ct_igd *igd_of(void *exec) {
    upnp_state *st = wzp_ct_play_state(exec);
    memcpy(st->igd.places, wzp_ct_play_web(exec), sizeof st->igd.places);
    st->igd.own_port = wzp_ct_play_caller(exec)->client.port;
    return &st->igd;
}

static void heard(void *self, const wzp_addr *from, wzp_bytes datagram, wzp_time now) {
    wzp_ct_igd_heard(igd_of(self), from, datagram, now);
}

static bool next(void *self, wzp_time now, wzp_ct_web_answer *out) {
    return wzp_ct_igd_next(igd_of(self), now, out);
}

static wzp_time deadline(void *self) {
    return wzp_ct_igd_deadline(igd_of(self));
}

static size_t asked(void *self, size_t place, wzp_bytes so_far, uint8_t *out, size_t cap,
                    wzp_time now) {
    (void)now;
    return wzp_ct_igd_asked(igd_of(self), place, so_far, out, cap);
}

static const wzp_ct_web_ops web = {heard, next, deadline, asked};

/* --- what it asks ----------------------------------------------------------------------------- */

/* For a gateway, in whatever form. */
static wzp_ct_so_far go_searches(wzp_ct_exec *e, wzp_time now) {
    const upnp_state *st = wzp_ct_play_state(e);
    return wzp_ct_gateway_awaits(e, st->igd.good > 0 || st->igd.objection != NULL, "UPnP", now);
}

/* One that the gateway answers. */
static wzp_ct_so_far go_finds(wzp_ct_exec *e, wzp_time now) {
    const upnp_state *st = wzp_ct_play_state(e);
    return wzp_ct_gateway_awaits(e, st->igd.found > 0, "UPnP", now);
}

/* One right search is enough, whatever else is said. */
static wzp_ct_so_far go_search_is_right(wzp_ct_exec *e, wzp_time now) {
    const upnp_state *st = wzp_ct_play_state(e);
    if (st->igd.good > 0) {
        return WZP_CT_HAPPENED;
    }
    if (wzp_ct_play_elapsed(e, now) < 3 * WZP_S) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "of its search: %s", st->igd.objection);
    return WZP_CT_NEVER;
}

/* A gateway on loopback is none for some. */
static wzp_ct_so_far go_orders(wzp_ct_exec *e, wzp_time now) {
    const upnp_state *st = wzp_ct_play_state(e);
    return wzp_ct_gateway_awaits(e, st->igd.orders > 0,
                                 st->igd.questions > 0 ? "UPnP" : "a gateway on a loopback address",
                                 now);
}

/* --- what it tells ---------------------------------------------------------------------------- */

static bool is_granted(const upnp_state *st, wzp_bytes mapped) {
    const uint8_t *ip = st->igd.cfg->ip;
    char text[TEXT_MAX];
    for (size_t i = 0; i < WZP_CT_IGD_GRANTS; i++) {
        (void)snprintf(text, sizeof text, "%u.%u.%u.%u:%u", ip[0], ip[1], ip[2], ip[3],
                       st->igd.grants[i]);
        if (st->igd.grants[i] != 0 && wzp_bytes_equal(mapped, wzp_bytes_str(text))) {
            return true;
        }
    }
    return false;
}

/* What another gateway said, for our own was asked nothing. */
static wzp_ct_so_far wrong(wzp_ct_exec *e, wzp_bytes mapped) {
    const upnp_state *st = wzp_ct_play_state(e);
    if (st->igd.orders == 0) {
        return wzp_ct_play_lacks(e, "a network with one gateway");
    }
    wzp_ct_play_say(e, "it tells %.*s", (int)mapped.len, (const char *)mapped.data);
    return WZP_CT_NEVER;
}

/* Somebody else of this machine may look at every device; only who takes a printer for a gateway
 * orders nothing. */
static bool is_asked(const upnp_state *st) {
    return st->igd.orders > 0 || (st->igd.cfg->has_printer && st->igd.questions > 0);
}

static wzp_ct_so_far go_tells_granted(wzp_ct_exec *e, wzp_time now) {
    const upnp_state *st = wzp_ct_play_state(e);
    const wzp_opt_str *mapped = wzp_ct_gateway_told(wzp_ct_play_caller(e));
    if (mapped != NULL) {
        return is_granted(st, mapped->value) ? WZP_CT_HAPPENED : wrong(e, mapped->value);
    }
    if (!is_asked(st)) {
        return go_orders(e, now);
    }
    return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

static wzp_ct_so_far go_tells_none(wzp_ct_exec *e, wzp_time now) {
    const wzp_opt_str *mapped = wzp_ct_gateway_told(wzp_ct_play_caller(e));
    return mapped != NULL                            ? wrong(e, mapped->value)
           : !wzp_ct_call_is_up(e)                   ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) < 3 * WZP_S ? WZP_CT_NOT_YET
                                                     : WZP_CT_HAPPENED;
}

static wzp_ct_so_far go_removes(wzp_ct_exec *e, wzp_time now) {
    const upnp_state *st = wzp_ct_play_state(e);
    if (st->igd.removes > 0) {
        return WZP_CT_HAPPENED;
    }
    const bool waits_on = wzp_ct_play_elapsed(e, now) > 4 * WZP_S && wzp_ct_call_is_up(e);
    return waits_on ? wzp_ct_play_lacks(e, "an end after a call") : WZP_CT_NOT_YET;
}

/* --- scripts ---------------------------------------------------------------------------------- */

#define OPENS(cfg)                                                                                 \
    {                                                                                              \
        .required = "the client registers", .within_s = 10, .begin = opens,                        \
        .go = wzp_ct_call_is_registered, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (cfg)           \
    }
#define ASKS(text, what)                                                                           \
    { .required = (text), .within_s = 8, .go = (what), .late = WZP_CT_REASON_NO_RESPONSE }
#define FINDS ASKS("it searches for a gateway", go_finds)
/* In its answer, or in an update of the call. */
#define TELLS                                                                                      \
    {                                                                                              \
        .required = "it tells the peer the address that it was granted", .within_s = 9,            \
        .begin = wzp_ct_call_set_up, .go = go_tells_granted, .late = WZP_CT_REASON_NO_RESPONSE,    \
        .arg = &no_peer                                                                            \
    }
#define BEGINS(cfg) OPENS(cfg), WZP_CT_CALL_ANSWERED

static const wzp_ct_act nat042[] = {BEGINS(&plain),
                                    ASKS("it searches for a gateway", go_searches),
                                    {.required = "a search is well formed",
                                     .within_s = 4,
                                     .go = go_search_is_right,
                                     .late = WZP_CT_REASON_WRONG_RESPONSE}};
static const wzp_ct_act nat042b[] = {BEGINS(&beside_printer), FINDS, TELLS};
static const wzp_ct_act nat043c[] = {BEGINS(&plain), FINDS, TELLS};
static const wzp_ct_act nat044e[] = {BEGINS(&indoors),
                                     FINDS,
                                     ASKS("it asks the gateway", go_orders),
                                     {.required = "it tells the peer no mapped address",
                                      .within_s = 4,
                                      .begin = wzp_ct_call_set_up,
                                      .go = go_tells_none,
                                      .never = WZP_CT_REASON_WRONG_RESPONSE,
                                      .arg = &no_peer}};
static const wzp_ct_act nat046d[] = {
    BEGINS(&plain),
    FINDS,
    TELLS,
    {"the call ends, and with it the client: it gives the port back", 5, wzp_ct_gateway_hang_up,
     go_removes, WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, NULL}};
static const wzp_ct_act nat048[] = {BEGINS(&permanent), FINDS, TELLS};
static const wzp_ct_act nat048b[] = {BEGINS(&taken), FINDS, TELLS};

/* --- the table -------------------------------------------------------------------------------- */

#define UPNP(id, level_, title, must, what, script)                                                \
    {                                                                                              \
        .kind = WZP_CT_PLAY, .client = WZP_CT_CLIENT_CLEAR, .mode = WZP_CT_LISTENS,                \
        .takes_gateway = true,                                                                     \
        .info = {INFO(id, "UPNP", title, id, must, what, "nat 1.8, part 3"), .level = (level_)},   \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(upnp_state),                       \
        .on_loose = wzp_ct_gateway_on_loose, .web = &web                                           \
    }

static const wzp_ct_case cases[] = {
    UPNP("NAT-042", WZP_CT_MUST, "the search for a gateway",
         "search as the sheet says, or for more than that", "a gateway that waits for a search",
         nat042),
    UPNP("NAT-042b", WZP_CT_SHOULD, "another device answers first", "find the gateway all the same",
         "a printer answers, then the gateway", nat042b),
    UPNP("NAT-043c", WZP_CT_MUST, "a port by UPnP", "have its own port mapped, and tell where",
         "a gateway that grants what is asked for", nat043c),
    UPNP("NAT-044e", WZP_CT_SHOULD, "another router behind the gateway, by UPnP",
         "not tell its address", "192.168.5.6 as the outer address", nat044e),
    UPNP("NAT-046d", WZP_CT_SHOULD, "a mapping by UPnP that is not needed any more", "give it back",
         "the call ends", nat046d),
    UPNP("NAT-048", WZP_CT_SHOULD, "only permanent leases", "ask for one",
         "fault 725 where a lease is asked for", nat048),
    UPNP("NAT-048b", WZP_CT_SHOULD, "the port is another's", "ask for another, and tell that",
         "fault 718 for the port that is asked for first", nat048b),
};

const wzp_ct_chapter wzp_ct_chapter_upnp = {"UPNP", "Clients: ports by UPnP", cases,
                                            WZP_COUNT_OF(cases)};
