/* Who is registered, told to all who are (relay sheet 8.1).
 *
 * Deployed relays send a whole list to everybody at every change: with 10,000 clients a change
 * would be gigabytes.  Here changes are gathered, a list is made once for all and its bytes are
 * shared; a client gets the next one when it has acknowledged the last.  How long changes are
 * gathered follows from what a list costs, in bytes and in the time that the last one took to
 * reach most: not at all among few, WZP_TIMER_PRESENCE among many, longer when the machine or its
 * network cannot keep up.  What a list may cost in all is bounded: past that it names only the
 * latest to register. */
#include <stdlib.h>

#include "relay/internal.h"

enum { LIST_HEAD = 64, FEW = 16 };

/* --- the list
 * ------------------------------------------------------------------------------------- */

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

/* --- when
 * ----------------------------------------------------------------------------------------- */

static uint64_t pause_for_bytes(const wzp_relay *r) {
    const uint64_t cost = (uint64_t)r->presence_len * r->signal_clients;
    const uint64_t pause = cost * WZP_S / WZP_LIMIT_PRESENCE_RATE;
    return pause < WZP_TIMER_PRESENCE ? pause : WZP_TIMER_PRESENCE;
}

/* Most have the latest list; a few may be slow or dead. */
static bool is_spread(const wzp_relay *r) {
    const uint64_t tolerated = r->signal_clients / 8;
    return r->presence_pending <= (tolerated > FEW ? tolerated : FEW);
}

static void schedule(wzp_relay *r) {
    const uint64_t busy = 2 * r->presence_took;
    const uint64_t bytes = pause_for_bytes(r);
    const uint64_t pause = !is_spread(r) ? WZP_TIMER_PRESENCE_STUCK : busy > bytes ? busy : bytes;
    const wzp_time earliest = wzp_time_after(r->presence_at, pause);
    r->presence_due = earliest > r->now ? earliest : r->now;
}

void wzp_relay_presence_changed(wzp_relay *r) {
    if (r->presence_due == WZP_TIME_NEVER) {
        schedule(r);
    }
}

/* The list on its way to `s` has come there, or nobody waits for that any more. */
static void arrived(session *s) {
    wzp_relay *r = s->relay;
    const bool was_spread = is_spread(r);
    if (s->presence_stream == 0) {
        return;
    }
    s->presence_stream = 0;
    r->presence_pending--;
    if (!was_spread && is_spread(r)) {
        r->presence_took = wzp_time_since(r->now, r->presence_at);
        if (r->presence_due != WZP_TIME_NEVER) {
            schedule(r);
        }
    }
}

/* --- who gets it
 * ---------------------------------------------------------------------------------- */

int64_t wzp_relay_send_presence(session *to, wzp_quic_shared *list) {
    int64_t stream = 0;
    if (wzp_quic_send_shared(to->relay->quic, to->conn, list, &stream) != WZP_OK) {
        to->relay->metrics.send_failures++;
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

void wzp_relay_presence_tick(wzp_relay *r) {
    if (r->presence_due > r->now) {
        return;
    }
    r->presence_due = WZP_TIME_NEVER;
    r->presence_at = r->now;
    r->presence_took = 0; /* until more than a few have to wait */
    wzp_quic_shared_drop(&r->presence);
    r->presence = r->signal_clients > 0 ? make_list(r) : NULL;
    for (session *s = r->newest; s != NULL && r->presence != NULL; s = s->older) {
        offer_list(s);
    }
}

/* --- the order of registration
 * -------------------------------------------------------------------- */

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
    s->newer = s->older = NULL;
    arrived(s);
    wzp_relay_presence_changed(r);
}
