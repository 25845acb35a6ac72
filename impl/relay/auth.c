/* Bearer tokens: who must show one, what happens until the service has answered, and after that
 * (relay sheet 4). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/auth_service.h"
#include "relay/internal.h"

static const char *const names[WZP_AUTH_VERDICT_COUNT] = {
    [WZP_AUTH_REFUSED] = "refused",       [WZP_AUTH_ACCEPTED] = "accepted",
    [WZP_AUTH_TIMEOUT] = "timeout",       [WZP_AUTH_UNREACHABLE] = "unreachable",
    [WZP_AUTH_BAD_STATUS] = "bad status", [WZP_AUTH_BAD_ANSWER] = "bad answer",
};

const char *wzp_auth_verdict_name(wzp_auth_verdict verdict) {
    return verdict < WZP_AUTH_VERDICT_COUNT ? names[verdict] : "unknown";
}

/* --- questions -------------------------------------------------------------------------------- */

static auth *new_auth(session *s, wzp_bytes token) {
    wzp_relay *r = s->relay;
    auth *a = malloc(sizeof *a + token.len);
    if (a == NULL) {
        return NULL;
    }
    *a = (auth){.owner = s, .id = ++r->next_auth, .prev = r->auth_last, .token_len = token.len};
    a->held_tail = &a->held;
    if (token.len != 0) {
        memcpy(a->token, token.data, token.len);
    }
    if (r->auth_last != NULL) {
        r->auth_last->next = a;
    } else {
        r->auth_first = a;
    }
    r->auth_last = a;
    r->auth_count++;
    return a;
}

static void unlink_auth(wzp_relay *r, auth *a) {
    if (a->prev != NULL) {
        a->prev->next = a->next;
    } else {
        r->auth_first = a->next;
    }
    if (a->next != NULL) {
        a->next->prev = a->prev;
    } else {
        r->auth_last = a->prev;
    }
    r->auth_count--;
}

static void free_held(kept_signal *held) {
    while (held != NULL) {
        kept_signal *next = held->next;
        free(held);
        held = next;
    }
}

void wzp_relay_auth_drop(session *s) {
    auth *a = s->auth;
    if (a == NULL) {
        return;
    }
    s->auth = NULL;
    unlink_auth(s->relay, a);
    free_held(a->held);
    wzp_crypto_wipe(a->token, a->token_len);
    free(a);
}

static void refuse(session *s, const char *why) {
    wzp_relay_event_push(s->relay, s, "auth_refused", why);
    wzp_relay_end(s, why);
}

void wzp_relay_auth_ask(session *s, wzp_bytes token) {
    wzp_relay *r = s->relay;
    if (token.len > WZP_LIMIT_TOKEN || r->auth_count >= WZP_LIMIT_AUTH_PENDING ||
        (s->auth = new_auth(s, token)) == NULL) {
        r->metrics.auth_over_limit++;
        refuse(s, "token not checked");
        return;
    }
    s->state = SESSION_ASKED;
    wzp_relay_set_deadline(s, wzp_time_after(r->now, WZP_TIMER_AUTH));
}

void wzp_relay_on_token(session *s, wzp_bytes json) {
    wzp_relay *r = s->relay;
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK ||
        signal->kind != WZP_SIGNAL_AUTH_TOKEN) {
        r->metrics.handshake_refusals++;
        refuse(s, "token expected");
    } else {
        wzp_relay_auth_ask(s, signal->u.AuthToken.token);
    }
    wzp_signal_free(&signal);
}

void wzp_relay_auth_hold(session *s, wzp_bytes json) {
    auth *a = s->auth;
    kept_signal *kept =
        a->held_count < WZP_LIMIT_HELD && a->held_bytes + json.len <= WZP_LIMIT_HELD_BYTES
            ? malloc(sizeof *kept + json.len)
            : NULL;
    if (kept == NULL) {
        s->relay->metrics.auth_over_limit++;
        wzp_relay_auth_drop(s);
        refuse(s, "too much before the token was checked");
        return;
    }
    *kept = (kept_signal){.len = json.len};
    if (json.len != 0) {
        memcpy(kept->json, json.data, json.len);
    }
    *a->held_tail = kept;
    a->held_tail = &kept->next;
    a->held_count++;
    a->held_bytes += json.len;
}

bool wzp_relay_next_auth(wzp_relay *r, wzp_relay_auth *out) {
    for (auth *a = r->auth_first; a != NULL; a = a->next) {
        if (!a->asked) {
            a->asked = true;
            *out = (wzp_relay_auth){.id = a->id,
                                    .token = wzp_bytes_of(a->token, a->token_len),
                                    .deadline = a->owner->timer.at};
            return true;
        }
    }
    return false;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* The decision alone; true: `s` goes on under this name. */
bool wzp_relay_auth_admit(session *s, wzp_auth_verdict verdict, const char *identity) {
    if (verdict != WZP_AUTH_ACCEPTED) {
        return false;
    }
    (void)snprintf(s->fingerprint, sizeof s->fingerprint, "%s", identity);
    s->is_named = true;
    return true;
}

void wzp_relay_auth_conclude(session *s, wzp_auth_verdict verdict, const char *identity) {
    wzp_relay *r = s->relay;
    auth *a = s->auth;
    const wzp_auth_verdict real =
        verdict == WZP_AUTH_ACCEPTED && !wzp_auth_identity_is_usable(identity) ? WZP_AUTH_BAD_ANSWER
                                                                               : verdict;
    const bool admitted = wzp_relay_auth_admit(s, real, identity);
    r->metrics.auth_verdicts[real]++;
    if (strcmp(s->sni, "_signal") != 0) { /* as deployed */
        r->metrics.auth_ok += admitted ? 1 : 0;
        r->metrics.auth_fail += admitted ? 0 : 1;
    }
    kept_signal *held = a->held;
    a->held = NULL;
    wzp_relay_auth_drop(s);
    if (admitted) {
        wzp_relay_admit_first(s);
        for (const kept_signal *k = held; k != NULL; k = k->next) {
            wzp_relay_on_signal(s, wzp_bytes_of(k->json, k->len));
        }
    } else {
        char why[48];
        (void)snprintf(why, sizeof why, "token check: %s", names[real]);
        if (s->bridge != NULL) {
            wzp_relay_bridge_refuse(s, names[real]);
        }
        refuse(s, why);
    }
    free_held(held);
}

void wzp_relay_auth_result(wzp_relay *r, uint64_t id, wzp_auth_verdict verdict,
                           const char *identity, wzp_time now) {
    r->now = now;
    for (auth *a = r->auth_first; a != NULL; a = a->next) {
        if (a->id == id) {
            wzp_relay_auth_conclude(a->owner, verdict, identity);
            return;
        }
    }
}

/* --- names ------------------------------------------------------------------------------------ */

static bool same_digits(const char *a, const char *b) {
    for (;;) {
        a += *a == ':' ? 1 : 0;
        b += *b == ':' ? 1 : 0;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) {
            return false;
        }
        if (*a == '\0') {
            return true;
        }
        a++;
        b++;
    }
}

/* Gives the session the fingerprint of its key unless the service named it.  False: both are
 * there, they differ, and identities are strict. */
bool wzp_relay_auth_name(session *s, const uint8_t identity_pub[WZP_KEY_LEN]) {
    char own[WZP_FINGERPRINT_TEXT + 1];
    wzp_fingerprint_text(own, identity_pub);
    if (!s->is_named) {
        memcpy(s->fingerprint, own, sizeof own);
        return true;
    }
    return !s->relay->cfg.strict_identity || same_digits(s->fingerprint, own);
}
