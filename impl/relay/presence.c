/* Who is registered, told to all who are (relay sheet 8.1).
 *
 * Deployed relays send a whole list to everybody at every change: with 10,000 clients a change
 * would be gigabytes.  Here changes are gathered, a list is made once for all and its bytes are
 * shared; a client gets the next one when it has acknowledged the last.  A list leaves at
 * WZP_LIMIT_PRESENCE_BURST, client by client: ten thousand packets at once would delay media, and
 * the network would drop many of them.  How long changes are gathered follows from what a list
 * costs: not at all among few, WZP_TIMER_PRESENCE among many, and until most have the last one when
 * the machine or its network cannot keep up.  What a list may cost in all is bounded: past that it
 * names only the latest to register. */
#include <stdlib.h>

#include "relay/internal.h"

enum { LIST_HEAD = 64, FEW = 16, CATCH_UP = 10 * WZP_MS };

/* --- the list --------------------------------------------------------------------------------- */

static size_t escaped_len(const char *text) {
    size_t len = 0;
    for (const uint8_t *p = (const uint8_t *)text; *p != '\0'; p++) {
        len += *p < 0x20 ? 6 : *p == '"' || *p == '\\' ? 2 : 1;
    }
    return len;
}

/* {"fingerprint":"...","alias":"..."}, */
static size_t entry_len(const session *s) {
    const size_t alias =
        s->alias[0] != '\0' ? strlen(",\"alias\":\"\"") + escaped_len(s->alias) : 0;
    return strlen("{\"fingerprint\":\"\"},") + escaped_len(s->fingerprint) + alias;
}

/* The latest to register first, as many as fit. */
static size_t fill(const wzp_relay *r, wzp_presence_user *users) {
    const size_t share = WZP_LIMIT_PRESENCE_BYTES / r->signal_clients;
    const size_t cap = share < WZP_QUIC_SIGNAL_MAX ? share : WZP_QUIC_SIGNAL_MAX;
    size_t len = LIST_HEAD;
    size_t count = 0;
    for (const session *s = r->newest; s != NULL; s = s->older) {
        len += entry_len(s);
        if (len > cap) {
            break;
        }
        users[count++] =
            (wzp_presence_user){.fingerprint = wzp_bytes_str(s->fingerprint),
                                .alias = {s->alias[0] != '\0', wzp_bytes_str(s->alias)}};
    }
    return count;
}

/* NULL: out of memory. */
static wzp_quic_shared *make_list(wzp_relay *r) {
    wzp_presence_user *users = calloc(r->signal_clients, sizeof *users);
    wzp_quic_shared *shared = NULL;
    if (users == NULL) {
        return NULL;
    }
    r->presence_listed = fill(r, users);
    const wzp_signal list = {.kind = WZP_SIGNAL_PRESENCE_LIST,
                             .version = 1,
                             .u.PresenceList.users = {users, r->presence_listed}};
    size_t len = 0;
    uint8_t *json = wzp_relay_to_json(&list, &len);
    if (json != NULL && wzp_quic_shared_new(&shared, wzp_bytes_of(json, len)) == WZP_OK) {
        r->metrics.presence_lists++;
        r->presence_len = len;
    }
    free(json);
    free(users);
    return shared;
}

/* --- when ------------------------------------------------------------------------------------- */

static uint64_t pause_for_bytes(const wzp_relay *r) {
    const uint64_t cost = (uint64_t)r->presence_len * r->signal_clients;
    const uint64_t pause = cost * WZP_S / WZP_LIMIT_PRESENCE_RATE;
    return pause < WZP_TIMER_PRESENCE ? pause : WZP_TIMER_PRESENCE;
}

/* All were offered the latest list, and most have it; a few may be slow or dead. */
static bool is_spread(const wzp_relay *r) {
    const uint64_t tolerated = r->signal_clients / 8;
    return r->presence_next == NULL && r->presence_pending <= (tolerated > FEW ? tolerated : FEW);
}

static void schedule(wzp_relay *r) {
    const uint64_t pause = r->presence_is_spread ? pause_for_bytes(r) : WZP_TIMER_PRESENCE_STUCK;
    const wzp_time earliest = wzp_time_after(r->presence_at, pause);
    r->presence_due = earliest > r->now ? earliest : r->now;
}

void wzp_relay_presence_changed(wzp_relay *r) {
    if (r->presence_due == WZP_TIME_NEVER) {
        schedule(r);
    }
}

static void note_spread(wzp_relay *r) {
    if (r->presence_is_spread || !is_spread(r)) {
        return;
    }
    r->presence_is_spread = true;
    if (r->presence_due != WZP_TIME_NEVER) {
        schedule(r);
    }
}

/* The list on its way to `s` has come there, or nobody waits for that any more. */
static void arrived(session *s) {
    if (s->presence_stream != 0) {
        s->presence_stream = 0;
        s->relay->presence_pending--;
    }
    note_spread(s->relay);
}

/* --- who gets it ------------------------------------------------------------------------------ */

int64_t wzp_relay_send_presence(session *to, wzp_quic_shared *list) {
    int64_t stream = 0;
    const wzp_err err = wzp_quic_send_shared(to->relay->quic, to->conn, list, &stream);
    if (err != WZP_OK) {
        wzp_relay_not_sent(to, err);
        return 0;
    }
    return stream;
}

static void offer_list(session *to) {
    wzp_relay *r = to->relay;
    if (to->presence_stream != 0) {
        to->presence_waits = true; /* it has not yet got the one before */
        r->metrics.presence_deferred++;
        return;
    }
    to->presence_waits = false;
    to->presence_stream = wzp_relay_send_presence(to, r->presence);
    if (to->presence_stream != 0) {
        r->presence_pending++;
        r->metrics.presence_sent++;
    }
}

/* Whoever missed a list gets the latest there is. */
void wzp_relay_presence_acked(session *s, int64_t stream) {
    if (s->presence_stream == stream) {
        arrived(s);
        if (s->presence_waits && s->is_registered && s->relay->presence != NULL) {
            offer_list(s);
        }
    }
}

static void begin(wzp_relay *r) {
    r->presence_due = WZP_TIME_NEVER;
    r->presence_at = r->presence_step_at = r->now;
    wzp_quic_shared_drop(&r->presence);
    r->presence = r->signal_clients > 0 ? make_list(r) : NULL;
    r->presence_next = r->presence != NULL ? r->newest : NULL;
    r->presence_is_spread = false;
}

/* To as many as the time since the last step allows; a late driver does not make a burst. */
static void step(wzp_relay *r) {
    const uint64_t late = wzp_time_since(r->now, r->presence_step_at);
    const uint64_t span = WZP_TIMER_PRESENCE_STEP + (late < CATCH_UP ? late : CATCH_UP);
    const uint64_t allowed = span * WZP_LIMIT_PRESENCE_BURST / WZP_S;
    uint64_t sent = 0;
    while (r->presence_next != NULL && sent < allowed) {
        session *to = r->presence_next;
        r->presence_next = to->older;
        offer_list(to);
        sent += r->presence_len;
    }
    r->presence_step_at = wzp_time_after(r->now, sent * WZP_S / WZP_LIMIT_PRESENCE_BURST);
    note_spread(r);
}

void wzp_relay_presence_tick(wzp_relay *r) {
    if (r->presence_next == NULL && r->presence_due <= r->now) {
        begin(r);
        step(r);
    } else if (r->presence_next != NULL && r->presence_step_at <= r->now) {
        step(r);
    }
}

wzp_time wzp_relay_presence_deadline(const wzp_relay *r) {
    return r->presence_next != NULL ? r->presence_step_at : r->presence_due;
}

/* --- the order of registration ---------------------------------------------------------------- */

void wzp_relay_presence_add(session *s) {
    wzp_relay *r = s->relay;
    s->newer = NULL;
    s->older = r->newest;
    if (r->newest != NULL) {
        r->newest->newer = s;
    }
    r->newest = s;
    wzp_relay_presence_changed(r);
}

void wzp_relay_presence_remove(session *s) {
    wzp_relay *r = s->relay;
    if (s->newer != NULL) {
        s->newer->older = s->older;
    } else {
        r->newest = s->older;
    }
    if (s->older != NULL) {
        s->older->newer = s->newer;
    }
    if (r->presence_next == s) {
        r->presence_next = s->older;
    }
    s->newer = s->older = NULL;
    arrived(s);
    wzp_relay_presence_changed(r);
}
