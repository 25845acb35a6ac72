/* Relays that dial: a peer that links, and one that measures.  The suite is who they dial (relay
 * sheet 9.2, 10.1, 16). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/federation/fed.h"

#define R1 WZP_CT_R1
#define PROBE WZP_CT_L

void wzp_ct_fed_dialled_signal(wzp_ct_exec *e, wzp_ct_who who, const wzp_signal *signal,
                               wzp_time now) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    if (who == PROBE && signal->kind == WZP_SIGNAL_PING) {
        st->first_ping = st->pings == 0 ? now : st->first_ping;
        st->last_ping = now;
        st->pings++;
        (void)wzp_party_tell(wzp_ct_play_party(e, who),
                             &(wzp_signal){.kind = WZP_SIGNAL_PONG,
                                           .version = 1,
                                           .u.Pong.timestamp_ms = signal->u.Ping.timestamp_ms});
    } else if (who == PROBE) {
        st->updates += signal->kind == WZP_SIGNAL_PRESENCE_UPDATE ? 1 : 0;
    } else if (signal->kind != WZP_SIGNAL_FEDERATION_HELLO &&
               wzp_ct_play_party(e, who)->heard[WZP_SIGNAL_FEDERATION_HELLO] == 0) {
        st->other_first[who] = true;
    }
}

/* --- the start -------------------------------------------------------------------------------- */

static bool begin_start(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_play_be_dialled(e, WZP_CT_P8);
}

static wzp_ct_so_far go_start(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_wake(e, now + 20 * WZP_MS);
    return wzp_ct_play_is_dialling(e) ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

/* For its certificate. */
static bool begin_look(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_X, NULL, WZP_CT_X, now);
}

static wzp_ct_so_far go_look(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    if (wzp_party_gone(x)) {
        return begin_look(e, now) ? WZP_CT_NOT_YET : WZP_CT_UNSURE; /* it was not up yet */
    }
    return x->has_cert ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

#define STARTED                                                                                    \
    {                                                                                              \
        .required = "the relay is started", .within_s = 5, .begin = begin_start, .go = go_start,   \
        .late = WZP_CT_REASON_SENDER_RATE                                                          \
    }
#define LOOKED_AT                                                                                  \
    {                                                                                              \
        .required = "it answers, and shows its certificate", .within_s = 15, .begin = begin_look,  \
        .go = go_look, .late = WZP_CT_REASON_NO_RESPONSE                                           \
    }

/* --- RLY-080 ---------------------------------------------------------------------------------- */

static wzp_ct_so_far go_hello(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *r1 = wzp_ct_play_party(e, R1);
    const wzp_signal *hello = r1->last[WZP_SIGNAL_FEDERATION_HELLO];
    char text[128];
    (void)now;
    if (wzp_ct_fed_state(e)->other_first[R1]) {
        wzp_ct_play_say(e, "something else came before FederationHello");
        return WZP_CT_NEVER;
    }
    if (wzp_party_open(r1) && strcmp(r1->room, "_federation") != 0) {
        wzp_ct_play_say(e, "its SNI is \"%.60s\"", r1->room);
        return WZP_CT_NEVER;
    }
    if (hello == NULL) {
        return WZP_CT_NOT_YET;
    }
    const wzp_bytes named = hello->u.FederationHello.tls_fingerprint;
    (void)snprintf(text, sizeof text, "%.*s", (int)named.len, (const char *)named.data);
    if (!wzp_ct_fed_is_target(e, text)) {
        wzp_ct_play_say(e, "its hello names \"%.100s\"", text);
        return WZP_CT_NEVER;
    }
    return WZP_CT_HAPPENED;
}

static bool begin_loss(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_leave(e, R1, now);
    return true;
}

/* At first it is gone, then it is there again.  Deployed relays wait for 5 s, some of their papers
 * say 30. */
static wzp_ct_so_far is_back(wzp_ct_exec *e, wzp_ct_who who, wzp_time now) {
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    if (!wzp_party_open(wzp_ct_play_party(e, who)) || elapsed < 100 * WZP_MS) {
        return WZP_CT_NOT_YET;
    }
    return elapsed >= 3500 * WZP_MS ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

static wzp_ct_so_far go_again(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_so_far back = is_back(e, R1, now);
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    if (back == WZP_CT_NEVER) {
        wzp_ct_play_say(e, "it was back after %.1f s", (double)wzp_ct_play_elapsed(e, now) / 1e9);
    }
    return back == WZP_CT_HAPPENED ? go_hello(e, now) : back;
}

const wzp_ct_act wzp_ct_acts_rly080[4] = {
    STARTED,
    LOOKED_AT,
    {.required = "a connection to _federation, and its own fingerprint in FederationHello",
     .within_s = 15,
     .go = go_hello,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "the same again after its back-off, 5 s at first",
     .within_s = 36,
     .begin = begin_loss,
     .go = go_again,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- RLY-103 ---------------------------------------------------------------------------------- */

static wzp_ct_so_far go_probed(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_fed_state(e)->pings > 0 ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

/* Twelve seconds from the first: every tenth comes with an update. */
static wzp_ct_so_far go_pings(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    if (wzp_ct_is_gone(e, PROBE)) {
        return WZP_CT_NEVER;
    }
    if (now < st->first_ping + 12500 * WZP_MS) {
        return WZP_CT_NOT_YET;
    }
    const double interval = (double)(st->last_ping - st->first_ping) / (st->pings - 1) / 1e9;
    wzp_ct_play_say(e, "%u pings, %.2f s apart, and %u updates", st->pings, interval, st->updates);
    return interval >= 0.9 && interval <= 1.1 && st->updates > 0 ? WZP_CT_HAPPENED
           : wzp_ct_play_path_loses(e)                           ? WZP_CT_UNSURE
                                                                 : WZP_CT_NEVER;
}

static bool begin_probe_loss(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_leave(e, PROBE, now);
    return true;
}

static wzp_ct_so_far go_probe_again(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_so_far back = is_back(e, PROBE, now);
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    if (back == WZP_CT_NEVER) {
        wzp_ct_play_say(e, "it was back after %.1f s", (double)wzp_ct_play_elapsed(e, now) / 1e9);
    }
    return back;
}

const wzp_ct_act wzp_ct_acts_rly103[4] = {
    STARTED,
    {.required = "a connection to _probe, and Ping",
     .within_s = 20,
     .go = go_probed,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "a Ping each second, and PresenceUpdate with every tenth",
     .within_s = 15,
     .go = go_pings,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "a new connection about 5 s after the loss",
     .within_s = 12,
     .begin = begin_probe_loss,
     .go = go_probe_again,
     .late = WZP_CT_REASON_NO_RESPONSE},
};
