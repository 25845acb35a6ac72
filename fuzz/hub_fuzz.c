/* Clients on signal connections against the relay core, in any order and with any words: calls,
 * hangups, re-registrations, tokens, time.  testing/crowd.c stands in the place of the network.
 *
 * The input is a script, one step a line.  A first line "!" of letters sets options: a: tokens, s:
 * strict identities, r: calls ring for 5 s.  Then: t or k and a number lets so many milliseconds
 * pass, k with acknowledgements; d drains.  Any other line begins with the digit of a client:
 *     0+SNI   connects (to _signal without a name)        0-   vanishes
 *     0r3     registers the key of number 3 (or its own)   0y3, 0n   its token is good, or not
 *     0{...}  says this; @3 stands for the fingerprint of key 3
 *
 * What must hold after each step: the registry of names agrees with the sessions; what a client
 * hears can be read, and comes only while it is connected; who is told of a call is a party of it,
 * and a callee who accepts by relay only is never located; without clients there are no calls. */
#include <stdio.h>

#include "relay/testing/crowd.h"
#include "require.h"

enum { SLOTS = 8, GUESTS = 64, CALLS = 64, STEPS = 200, HEARD_MAX = 64, LINE = 2048 };

/* A call as its parties have seen it. */
typedef struct seen_call {
    char id[WZP_CALL_ID_MAX + 1];
    char caller[WZP_AUTH_IDENTITY_MAX + 1], callee[WZP_AUTH_IDENTITY_MAX + 1];
    bool is_generic;
} seen_call;

typedef struct scene {
    crowd *crowd;
    size_t guest_of[SLOTS]; /* SIZE_MAX: never came */
    size_t speaker;         /* guest, or SIZE_MAX */
    wzp_signal_kind said;
    size_t heard; /* in this step */
    seen_call calls[CALLS];
    size_t call_count;
} scene;

/* --- what is heard ------------------------------------------------------------------------------
 */

static bool is(wzp_bytes text, const char *wanted) {
    return wzp_bytes_equal(text, wzp_bytes_str(wanted));
}

static seen_call *find_call(scene *sc, wzp_bytes id) {
    for (size_t i = sc->call_count; i-- > 0;) { /* an id may come again: the latest */
        if (is(id, sc->calls[i].id)) {
            return &sc->calls[i];
        }
    }
    return NULL;
}

static const char *name_of(const scene *sc, size_t guest) {
    return sc->crowd->guests[guest].session->fingerprint;
}

static void remember(scene *sc, size_t callee, const wzp_signal_DirectCallOffer *offer) {
    require(sc->speaker != SIZE_MAX && sc->speaker != callee);
    require(is(offer->target_fingerprint, name_of(sc, callee)));
    require(offer->call_id.len > 0 && offer->call_id.len <= WZP_CALL_ID_MAX);
    require(offer->caller_local_addrs.count <= WZP_CALL_CANDIDATES);
    if (sc->call_count == CALLS) {
        memmove(sc->calls, sc->calls + 1, (CALLS - 1) * sizeof *sc->calls);
        sc->call_count--;
    }
    seen_call *call = &sc->calls[sc->call_count++];
    *call = (seen_call){.is_generic = false};
    memcpy(call->id, offer->call_id.data, offer->call_id.len);
    (void)snprintf(call->caller, sizeof call->caller, "%s", name_of(sc, sc->speaker));
    (void)snprintf(call->callee, sizeof call->callee, "%s", name_of(sc, callee));
}

/* True: `to` is the caller, who must not learn where a relay-only callee is. */
static bool party(scene *sc, size_t to, wzp_bytes id, seen_call **call) {
    *call = find_call(sc, id);
    require(*call != NULL);
    const bool is_caller = strcmp(name_of(sc, to), (*call)->caller) == 0;
    require(is_caller || strcmp(name_of(sc, to), (*call)->callee) == 0);
    return is_caller;
}

static void on_answer(scene *sc, size_t to, const wzp_signal_DirectCallAnswer *answer) {
    seen_call *call;
    require(party(sc, to, answer->call_id, &call));
    require(strcmp(name_of(sc, sc->speaker), call->callee) == 0);
    call->is_generic = answer->accept_mode == WZP_ACCEPT_GENERIC;
    require(!call->is_generic ||
            (!answer->callee_reflexive_addr.present && !answer->callee_mapped_addr.present &&
             answer->callee_local_addrs.count == 0));
}

static void on_setup(scene *sc, size_t to, const wzp_signal_CallSetup *setup) {
    seen_call *call;
    const bool is_caller = party(sc, to, setup->call_id, &call);
    require(!is_caller || !call->is_generic ||
            (!setup->peer_direct_addr.present && !setup->peer_mapped_addr.present &&
             setup->peer_local_addrs.count == 0));
}

static void on_hangup(scene *sc, size_t to, const wzp_signal_Hangup *hangup) {
    seen_call *call;
    const bool answers_offer = to == sc->speaker && sc->said == WZP_SIGNAL_DIRECT_CALL_OFFER;
    if (hangup->call_id.present && !answers_offer) {
        (void)party(sc, to, hangup->call_id.value, &call);
    }
}

static void on_location(scene *sc, size_t to, wzp_bytes id) {
    seen_call *call;
    require(to != sc->speaker);
    require(!party(sc, to, id, &call) || !call->is_generic);
}

static void on_message(scene *sc, size_t to, wzp_bytes id) {
    seen_call *call;
    require(to != sc->speaker);
    (void)party(sc, to, id, &call);
}

static void weigh(scene *sc, size_t to, const wzp_signal *signal) {
    seen_call *call;
    switch (signal->kind) {
    case WZP_SIGNAL_DIRECT_CALL_OFFER:
        remember(sc, to, &signal->u.DirectCallOffer);
        break;
    case WZP_SIGNAL_DIRECT_CALL_ANSWER:
        on_answer(sc, to, &signal->u.DirectCallAnswer);
        break;
    case WZP_SIGNAL_CALL_SETUP:
        on_setup(sc, to, &signal->u.CallSetup);
        break;
    case WZP_SIGNAL_CALL_RINGING:
        require(to == sc->speaker && party(sc, to, signal->u.CallRinging.call_id, &call));
        break;
    case WZP_SIGNAL_HANGUP:
        on_hangup(sc, to, &signal->u.Hangup);
        break;
    case WZP_SIGNAL_CANDIDATE_UPDATE:
        on_location(sc, to, signal->u.CandidateUpdate.call_id);
        break;
    case WZP_SIGNAL_HARD_NAT_PROBE:
        on_location(sc, to, signal->u.HardNatProbe.call_id);
        break;
    case WZP_SIGNAL_HARD_NAT_BIRTHDAY_START:
        on_location(sc, to, signal->u.HardNatBirthdayStart.call_id);
        break;
    case WZP_SIGNAL_MEDIA_PATH_REPORT:
        on_message(sc, to, signal->u.MediaPathReport.call_id);
        break;
    case WZP_SIGNAL_UPGRADE_PROPOSAL:
        on_message(sc, to, signal->u.UpgradeProposal.call_id);
        break;
    case WZP_SIGNAL_PRESENCE_LIST:
        require(signal->u.PresenceList.users.count > 0);
        break;
    case WZP_SIGNAL_REGISTER_PRESENCE:
    case WZP_SIGNAL_AUTH_TOKEN:
    case WZP_SIGNAL_CALL_OFFER:
    case WZP_SIGNAL_PING:
        require(false); /* no relay says that */
        break;
    default:
        break;
    }
}

static void on_heard(void *ctx, size_t guest, wzp_bytes json) {
    scene *sc = ctx;
    wzp_signal *signal = NULL;
    require(json.len <= WZP_QUIC_SIGNAL_MAX);
    require(wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK);
    require(++sc->heard <= HEARD_MAX || signal->kind == WZP_SIGNAL_PRESENCE_LIST);
    weigh(sc, guest, signal);
    wzp_signal_free(&signal);
}

/* --- what is so ---------------------------------------------------------------------------------
 */

static void check_registry(const scene *sc) {
    const wzp_relay *r = sc->crowd->relay;
    size_t registered = 0;
    size_t listed = 0;
    size_t connected = 0;
    for (const session *s = r->sessions; s != NULL; s = s->next) {
        connected++;
        registered += s->is_registered ? 1 : 0;
        require(!s->is_registered || wzp_relay_find_client(r, wzp_bytes_str(s->fingerprint)) == s);
        require(s->auth == NULL || s->state == SESSION_ASKED);
    }
    for (const session *s = r->newest; s != NULL; s = s->older) {
        require(s->is_registered && (s->older == NULL || s->older->newer == s));
        listed++;
    }
    require(registered == r->signal_clients && listed == registered);
    require(connected == r->session_count);
    require(registered > 0 || wzp_calls_count(r->calls) == 0);
    require(r->presence_pending <= registered);
}

/* --- the script ---------------------------------------------------------------------------------
 */

/* The line with @N replaced; false: too long. */
static bool expand(char out[LINE], const char *line) {
    size_t len = 0;
    for (const char *p = line; *p != '\0'; p++) {
        if (len + WZP_FINGERPRINT_TEXT + 1 >= LINE) {
            return false;
        }
        if (p[0] == '@' && p[1] >= '0' && p[1] < '0' + SLOTS) {
            crowd_fingerprint(out + len, (size_t)(p[1] - '0'));
            len += WZP_FINGERPRINT_TEXT;
            p++;
        } else {
            out[len++] = *p;
        }
    }
    out[len] = '\0';
    return true;
}

static void say(scene *sc, size_t guest, const char *line) {
    char json[LINE];
    wzp_signal *signal = NULL;
    if (!expand(json, line)) {
        return;
    }
    sc->said = WZP_SIGNAL_COUNT;
    if (wzp_signal_parse(&signal, wzp_bytes_str(json), NULL, NULL) == WZP_OK) {
        sc->said = signal->kind;
        wzp_signal_free(&signal);
    }
    crowd_say(sc->crowd, guest, json);
}

static size_t number_in(const char *text, size_t otherwise) {
    return *text >= '0' && *text < '0' + SLOTS ? (size_t)(*text - '0') : otherwise;
}

/* The service's answer to the question of this guest, if there is one. */
static void judge_token(const scene *sc, size_t guest, bool is_good, size_t number) {
    char name[WZP_FINGERPRINT_TEXT + 1];
    const session *s = sc->crowd->guests[guest].session;
    wzp_relay_auth question;
    while (wzp_relay_next_auth(sc->crowd->relay, &question)) {
    }
    if (s != NULL && s->auth != NULL) {
        crowd_fingerprint(name, number);
        wzp_relay_auth_result(sc->crowd->relay, s->auth->id,
                              is_good ? WZP_AUTH_ACCEPTED : WZP_AUTH_REFUSED, name, sc->crowd->now);
    }
}

static void arrive(scene *sc, size_t slot, const char *sni) {
    crowd *c = sc->crowd;
    if (c->count < c->cap && strlen(sni) <= WZP_QUIC_SNI_MAX) {
        sc->guest_of[slot] = crowd_arrive(c, *sni != '\0' ? sni : "_signal");
    }
}

static void client_step(scene *sc, size_t slot, const char *line) {
    const size_t guest = sc->guest_of[slot];
    if (line[0] == '+') {
        arrive(sc, slot, line + 1);
        return;
    }
    if (guest == SIZE_MAX) {
        return;
    }
    sc->speaker = guest;
    switch (line[0]) {
    case '-':
        sc->speaker = SIZE_MAX;
        crowd_leave(sc->crowd, guest);
        break;
    case 'r':
        crowd_register(sc->crowd, guest, number_in(line + 1, slot),
                       line[1] != '\0' && line[2] == ' ' ? line + 3 : NULL);
        break;
    case 'y':
    case 'n':
        judge_token(sc, guest, line[0] == 'y', number_in(line + 1, slot));
        break;
    default:
        say(sc, guest, line);
        break;
    }
}

static void step(scene *sc, const char *line) {
    sc->speaker = SIZE_MAX;
    sc->heard = 0;
    if (line[0] == 't' || line[0] == 'k') {
        const unsigned long ms = strtoul(line + 1, NULL, 10);
        crowd_pass(sc->crowd, (ms < 100000 ? ms : 100000) * WZP_MS, line[0] == 'k');
    } else if (line[0] == 'd') {
        wzp_relay_drain(sc->crowd->relay, sc->crowd->now);
    } else if (line[0] >= '0' && line[0] < '0' + SLOTS) {
        client_step(sc, (size_t)(line[0] - '0'), line + 1);
    }
    crowd_settle(sc->crowd);
    check_registry(sc);
}

static wzp_relay_cfg options(const char *line) {
    const bool given = line[0] == '!';
    return (wzp_relay_cfg){.auth = given && strchr(line, 'a') != NULL,
                           .strict_identity = given && strchr(line, 's') != NULL,
                           .ring_timeout = given && strchr(line, 'r') != NULL ? 5 * WZP_S : 0};
}

/* The next line without its end; what does not fit is cut. */
static bool next_line(wzp_bytes *rest, char line[LINE]) {
    size_t len = 0;
    size_t kept = 0;
    if (rest->len == 0) {
        return false;
    }
    while (len < rest->len && rest->data[len] != '\n') {
        if (kept < LINE - 1 && rest->data[len] != '\0') {
            line[kept++] = (char)rest->data[len];
        }
        len++;
    }
    line[kept] = '\0';
    len += len < rest->len ? 1 : 0;
    *rest = wzp_bytes_of(rest->data + len, rest->len - len);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static scene sc;
    char line[LINE] = "";
    wzp_bytes rest = {data, size};
    (void)next_line(&rest, line);
    const wzp_relay_cfg cfg = options(line);
    sc = (scene){.crowd = crowd_new(&cfg, GUESTS)};
    sc.crowd->on_heard = on_heard;
    sc.crowd->ctx = &sc;
    for (size_t i = 0; i < SLOTS; i++) {
        sc.guest_of[i] = SIZE_MAX;
    }
    for (size_t steps = 0; steps < STEPS && next_line(&rest, line); steps++) {
        step(&sc, line);
    }
    for (size_t i = 0; i < sc.crowd->count; i++) {
        sc.speaker = SIZE_MAX;
        sc.heard = 0;
        crowd_leave(sc.crowd, i);
        check_registry(&sc);
    }
    crowd_free(&sc.crowd);
    return 0;
}
