/* relay_soak_test WZP-RELAY SECONDS [OPTIONS OF THE RELAY]: a relay for as long, on which 200 calls
 * a minute are set up, spoken and hung up, and now and then one is rejected or given up while it
 * rings.  Clients come and go as well.
 *
 * Nothing here is timed.  What must hold: every signal arrives, sound arrives both ways in each
 * call, the relay's gauges are at the end what they were after the first fifth, its memory has not
 * grown since, and it ends with exit code 0, which a leak would change under AddressSanitizer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bin/testing/soak_relay.h"
#include "client/client.h"
#include "client/phone.h"
#include "io/drive.h"
#include "io/sys.h"

enum {
    PAIRS = 12,
    CALLS_OF_PAIR = 5, /* then both register anew, as others */
    FRAMES = 25,       /* that each party hears of the other */
    PAYLOAD = 60,
    STEP_MS = 20,
    NAMES = 24,
    SKIPPED = 77
};

#define CALL_EVERY (300 * WZP_MS)
#define GIVE_UP (120 * WZP_S)
#define STARVED WZP_S
#define IMPATIENCE (3 * WZP_S) /* of three such waits a handshake may consist */

/* A forgotten call, room or connection is some hundred bytes; there are three calls in a second.
 * The heap of a process without sanitizer may keep 236 KiB for each thread's next calls. */
#define HEAP_GROWTH (UINT64_C(512) * 1024)
#define RESIDENT_GROWTH (UINT64_C(8) * 1024 * 1024)

/* --- what is counted -------------------------------------------------------------------------- */

typedef struct ledger {
    struct entry {
        char name[48];
        uint64_t out, in;
    } entries[NAMES];
} ledger;

static struct entry *entry_of(ledger *l, const char *name) {
    size_t i = 0;
    while (i + 1 < NAMES && l->entries[i].name[0] != '\0' &&
           strcmp(l->entries[i].name, name) != 0) {
        i++;
    }
    (void)snprintf(l->entries[i].name, sizeof l->entries[i].name, "%s", name);
    return &l->entries[i];
}

static void count_signal(ledger *l, bool out, wzp_bytes json) {
    char name[48];
    struct entry *e = entry_of(l, wzp_signal_peek_name(json, name, sizeof name));
    *(out ? &e->out : &e->in) += 1;
}

/* --- the stage -------------------------------------------------------------------------------- */

typedef enum fate { TALKS, IS_REJECTED, IS_GIVEN_UP, FATES } fate;

typedef enum pair_state { REGISTERING, IDLE, OFFERED, TALKING, ENDING, CLOSING } pair_state;

static const char *const state_names[] = {"register", "be idle", "ring", "talk", "end", "close"};

struct soak;

/* A phone, or the client of a call. */
typedef struct party {
    wzp_phone *phone;
    wzp_client *client;
    wzp_udp *udp;
    wzp_drive drive;
    struct soak *soak;
    bool registered, rung, set_up, ended, closed; /* rung: it rings there, or it is told so */
    bool may_close;
    unsigned heard;
    uint8_t seed[32];
    char room[WZP_QUIC_SNI_MAX + 1];
    struct party *next; /* of those that are let go */
} party;

typedef struct pair {
    pair_state state;
    fate fate;
    wzp_time since;
    unsigned calls;
    party *phones[2], *legs[2]; /* the caller's first */
} pair;

typedef struct measure {
    uint64_t heap, resident;
} measure;

typedef struct soak {
    soak_relay relay;
    uv_loop_t loop;
    uv_timer_t timer;
    pair pairs[PAIRS];
    party *let_go;

    unsigned total, warm; /* calls to be made, and those of the first fifth */
    unsigned started, due[FATES], made[FATES];
    wzp_time next_at, worst_late, settling_since, stepped_at, watched_at, longest_wait;
    bool settling, connection_ended;
    measure first, last;
    unsigned registered, joined; /* phones, and clients of calls */
    uint64_t frames_sent, frames_heard;
    ledger phones, legs;
    char failure[256];
} soak;

static void give_verdict(soak *s, const char *what, const char *detail) {
    if (s->failure[0] == '\0') {
        (void)snprintf(s->failure, sizeof s->failure, "%s%s%s", what, *detail != '\0' ? ": " : "",
                       detail);
    }
}

/* How long the machine left us or the relay without a processor.  Ten seconds are enough for a
 * handshake to be given up, and nobody is to blame for that. */
static void watch_machine(soak *s, wzp_time now) {
    const wzp_time gap = s->stepped_at != 0 ? now - s->stepped_at : 0;
    s->longest_wait = gap > s->longest_wait ? gap : s->longest_wait;
    s->stepped_at = now;
    if (now - s->watched_at > WZP_S || s->failure[0] != '\0') {
        const wzp_time waited = soak_relay_waited(&s->relay);
        s->longest_wait = waited > s->longest_wait ? waited : s->longest_wait;
        s->watched_at = now;
    }
}

/* --- parties ---------------------------------------------------------------------------------- */

static void on_phone_signal(void *ctx, bool out, wzp_bytes json) {
    count_signal(&((soak *)ctx)->phones, out, json);
}

static bool on_leg_signal(void *ctx, bool out, wzp_bytes json, wzp_time now) {
    (void)now;
    count_signal(&((soak *)ctx)->legs, out, json);
    return true;
}

static void on_arrival(void *ctx, const wzp_media_packet *packet, wzp_time now) {
    party *p = ctx;
    (void)packet;
    (void)now;
    p->heard++;
    p->soak->frames_heard++;
}

static void on_closed(party *p, const char *what, const char *text) {
    p->closed = true;
    if (!p->may_close) {
        p->soak->connection_ended = true;
        give_verdict(p->soak, what, text);
    }
}

static void on_phone_events(void *ctx, wzp_time now) {
    party *p = ctx;
    wzp_phone_event ev;
    (void)now;
    while (wzp_phone_next_event(p->phone, &ev)) {
        switch (ev.kind) {
        case WZP_PHONE_REGISTERED:
            p->registered = true;
            break;
        case WZP_PHONE_PRESENCE:
            break;
        case WZP_PHONE_INCOMING:
        case WZP_PHONE_RINGING:
            p->rung = true;
            break;
        case WZP_PHONE_SET_UP:
            p->set_up = true;
            (void)snprintf(p->room, sizeof p->room, "%s", ev.room);
            break;
        case WZP_PHONE_ENDED:
            p->ended = true;
            break;
        case WZP_PHONE_CLOSED:
            on_closed(p, "a signal connection ended", ev.text);
            break;
        }
    }
}

static void on_leg_events(void *ctx, wzp_time now) {
    static const uint8_t frame[PAYLOAD] = {0x78};
    party *p = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(p->client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_CAPTURE &&
            wzp_client_push_coded(p->client, wzp_bytes_of(frame, sizeof frame), now) == WZP_OK) {
            p->soak->frames_sent++;
        } else if (ev.kind == WZP_CLIENT_JOINED) {
            p->soak->joined++;
        } else if (ev.kind == WZP_CLIENT_HANGUP) {
            give_verdict(p->soak, "the relay hung up", ev.text);
        } else if (ev.kind == WZP_CLIENT_CLOSED) {
            on_closed(p, "a call's connection ended", ev.text);
        }
    }
}

static void free_party(party *p) {
    wzp_phone_free(&p->phone);
    wzp_client_free(&p->client);
    wzp_udp_close(&p->udp);
    free(p);
}

/* NULL: failed.  `caller` is the phone whose call it is, or NULL for a phone. */
static party *new_party(soak *s, const party *caller, wzp_time now) {
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    party *p = calloc(1, sizeof *p);
    if (p == NULL || wzp_udp_open(&p->udp, &any, false) != WZP_OK) {
        give_verdict(s, "no socket for a client", wzp_io_reason(errno));
        free(p);
        return NULL;
    }
    const wzp_quic_path path = {wzp_udp_local(p->udp), s->relay.addr};
    wzp_phone_cfg phone = {
        .rng = wzp_io_rng(), .path = path, .signal = on_phone_signal, .signal_ctx = s};
    wzp_client_cfg client = {.rng = wzp_io_rng(),
                             .path = path,
                             .room = caller != NULL ? caller->room : NULL,
                             .codec = WZP_CODEC_OPUS_24K,
                             .coded = true,
                             .arrival = on_arrival,
                             .arrival_ctx = p,
                             .signal = on_leg_signal,
                             .signal_ctx = s};
    if (caller != NULL) {
        memcpy(p->seed, caller->seed, sizeof p->seed); /* the room is open to no other */
    } else {
        wzp_rng_fill(wzp_io_rng(), p->seed, sizeof p->seed);
    }
    memcpy(phone.seed, p->seed, sizeof phone.seed);
    memcpy(client.seed, p->seed, sizeof client.seed);
    p->soak = s;
    const wzp_err err = caller == NULL ? wzp_phone_new(&p->phone, &phone, now)
                                       : wzp_client_new(&p->client, &client, now);
    p->drive = (wzp_drive){
        .udp = p->udp, .after = caller == NULL ? on_phone_events : on_leg_events, .ctx = p};
    if (err == WZP_OK) {
        p->drive.core = caller == NULL ? wzp_phone_core(p->phone) : wzp_client_core(p->client);
    }
    if (err != WZP_OK || wzp_drive_start(&p->drive, &s->loop) != WZP_OK) {
        give_verdict(s, "a client cannot start", wzp_err_text(err));
        free_party(p);
        return NULL;
    }
    return p;
}

/* The loop must run once more before it can be freed. */
static void let_go(soak *s, party **p) {
    if (*p != NULL) {
        wzp_drive_stop(&(*p)->drive);
        (*p)->next = s->let_go;
        s->let_go = *p;
        *p = NULL;
    }
}

static void bury(soak *s) {
    while (s->let_go != NULL) {
        party *p = s->let_go;
        s->let_go = p->next;
        free_party(p);
    }
}

/* --- a pair ----------------------------------------------------------------------------------- */

static void enter(pair *p, pair_state state, wzp_time now) {
    p->state = state;
    p->since = now;
}

static void register_pair(soak *s, pair *p, wzp_time now) {
    for (size_t i = 0; i < 2; i++) {
        p->phones[i] = new_party(s, NULL, now);
        s->registered++;
    }
    p->calls = 0;
    enter(p, REGISTERING, now);
}

static void start_call(soak *s, pair *p, fate what, wzp_time now) {
    for (size_t i = 0; i < 2; i++) {
        p->phones[i]->rung = p->phones[i]->set_up = p->phones[i]->ended = false;
    }
    p->fate = what;
    p->calls++;
    s->made[what]++;
    if (wzp_phone_call(p->phones[0]->phone, wzp_phone_fingerprint(p->phones[1]->phone)) != WZP_OK) {
        give_verdict(s, "a call could not be begun", "");
    }
    wzp_drive_kick(&p->phones[0]->drive);
    enter(p, OFFERED, now);
}

/* Both have heard of it, so that nothing overtakes the offer. */
static void decide(soak *s, pair *p, wzp_time now) {
    static const wzp_accept_mode ways[] = {WZP_ACCEPT_TRUSTED, WZP_ACCEPT_GENERIC};
    party *caller = p->phones[0];
    party *callee = p->phones[1];
    if (p->fate == IS_GIVEN_UP) {
        wzp_phone_hangup(caller->phone);
        wzp_drive_kick(&caller->drive);
    } else {
        const wzp_accept_mode way =
            p->fate == IS_REJECTED ? WZP_ACCEPT_REJECT : ways[p->calls % WZP_COUNT_OF(ways)];
        if (wzp_phone_answer(callee->phone, way) != WZP_OK) {
            give_verdict(s, "a call could not be answered", "");
        }
        wzp_drive_kick(&callee->drive);
    }
    enter(p, p->fate == TALKS ? TALKING : ENDING, now);
}

/* The caller hangs up every other call, the callee the rest. */
static void hang_up(pair *p, wzp_time now) {
    party *first = p->phones[p->calls % 2];
    wzp_phone_hangup(first->phone);
    wzp_drive_kick(&first->drive);
    for (size_t i = 0; i < 2; i++) {
        p->legs[i]->may_close = true;
        wzp_client_hangup(p->legs[i]->client, now);
        wzp_drive_kick(&p->legs[i]->drive);
    }
    enter(p, ENDING, now);
}

static void talk(soak *s, pair *p, wzp_time now) {
    bool enough = true;
    for (size_t i = 0; i < 2; i++) {
        if (p->phones[i]->set_up && p->legs[i] == NULL) {
            p->legs[i] = new_party(s, p->phones[i], now);
        }
        enough = enough && p->legs[i] != NULL && p->legs[i]->heard >= FRAMES;
        if (p->phones[i]->ended) {
            give_verdict(s, "a call ended while both talked", "");
        }
    }
    if (enough) {
        hang_up(p, now);
    }
}

static bool are_closed(party *const both[2]) {
    return (both[0] == NULL || both[0]->closed) && (both[1] == NULL || both[1]->closed);
}

static void end_call(soak *s, pair *p, wzp_time now) {
    if (!p->phones[0]->ended || !p->phones[1]->ended || !are_closed(p->legs)) {
        return;
    }
    let_go(s, &p->legs[0]);
    let_go(s, &p->legs[1]);
    if (p->calls < CALLS_OF_PAIR) {
        enter(p, IDLE, now);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        p->phones[i]->may_close = true;
        wzp_phone_close(p->phones[i]->phone, now);
        wzp_drive_kick(&p->phones[i]->drive);
    }
    enter(p, CLOSING, now);
}

static void step(soak *s, pair *p, wzp_time now) {
    switch (p->state) {
    case REGISTERING:
        if (p->phones[0]->registered && p->phones[1]->registered) {
            enter(p, IDLE, now);
        }
        break;
    case IDLE:
        return;
    case OFFERED:
        if (p->phones[0]->rung && p->phones[1]->rung) {
            decide(s, p, now);
        }
        break;
    case TALKING:
        talk(s, p, now);
        break;
    case ENDING:
        end_call(s, p, now);
        break;
    case CLOSING:
        if (are_closed(p->phones)) {
            let_go(s, &p->phones[0]);
            let_go(s, &p->phones[1]);
            register_pair(s, p, now);
        }
        break;
    }
    if (now - p->since > GIVE_UP) {
        give_verdict(s, "two clients waited in vain to", state_names[p->state]);
    }
}

/* --- the run ---------------------------------------------------------------------------------- */

/* One in ten is rejected beside those that are taken, and one in ten given up. */
static void fall_due(soak *s, wzp_time now) {
    while (s->started < s->total && s->next_at <= now) {
        if (s->started == s->warm && s->first.heap == 0) {
            s->settling = true;
            s->settling_since = now;
            return;
        }
        s->due[TALKS]++;
        s->due[IS_REJECTED] += s->started % 10 == 3;
        s->due[IS_GIVEN_UP] += s->started % 10 == 7;
        s->started++;
        s->next_at += CALL_EVERY;
    }
    if (s->started == s->total) {
        s->settling = true;
        s->settling_since = now;
    }
}

static void start_due(soak *s, wzp_time now) {
    size_t next = 0;
    for (fate f = TALKS; f < FATES; f++) {
        for (; s->due[f] > 0 && next < PAIRS; next++) {
            if (s->pairs[next].state == IDLE) {
                start_call(s, &s->pairs[next], f, now);
                s->due[f]--;
            }
        }
    }
    const wzp_time late = s->due[TALKS] * CALL_EVERY;
    s->worst_late = late > s->worst_late ? late : s->worst_late;
}

static bool is_calm(const soak *s) {
    for (size_t i = 0; i < PAIRS; i++) {
        if (s->pairs[i].state != IDLE) {
            return false;
        }
    }
    return s->due[TALKS] + s->due[IS_REJECTED] + s->due[IS_GIVEN_UP] == 0;
}

/* Only the phones are there. */
static const struct gauge {
    const char *name;
    uint64_t value;
} gauges[] = {{"wzp_quic_connections", 2ULL * PAIRS},
              {"wzp_relay_signal_clients", 2ULL * PAIRS},
              {"wzp_relay_presence_listed", 2ULL * PAIRS},
              {"wzp_relay_calls", 0},
              {"wzp_relay_active_rooms", 0},
              {"wzp_relay_active_sessions", 0}};

static const struct gauge *gauge_off(const soak *s) {
    for (size_t i = 0; i < WZP_COUNT_OF(gauges); i++) {
        if (soak_relay_value(&s->relay, gauges[i].name) != gauges[i].value) {
            return &gauges[i];
        }
    }
    return NULL;
}

static void finish(soak *s) {
    for (size_t i = 0; i < PAIRS; i++) {
        for (size_t k = 0; k < 2; k++) {
            let_go(s, &s->pairs[i].phones[k]);
            let_go(s, &s->pairs[i].legs[k]);
        }
    }
    if (!uv_is_closing((uv_handle_t *)&s->timer)) {
        uv_close((uv_handle_t *)&s->timer, NULL);
    }
}

/* Closed connections linger for a moment, and lists of presence come every second at most. */
static void settle(soak *s, wzp_time now) {
    char text[128];
    if (!soak_relay_look(&s->relay)) {
        give_verdict(s, "the relay does not show its metrics", "");
        return;
    }
    const struct gauge *off = gauge_off(s);
    if (off != NULL) {
        if (now - s->settling_since > GIVE_UP) {
            (void)snprintf(text, sizeof text, "is %llu, not %llu",
                           (unsigned long long)soak_relay_value(&s->relay, off->name),
                           (unsigned long long)off->value);
            give_verdict(s, off->name, text);
        }
        return;
    }
    measure *m = s->first.heap == 0 ? &s->first : &s->last;
    m->heap = soak_relay_value(&s->relay, "wzp_relay_heap_bytes");
    m->resident = soak_relay_resident(&s->relay);
    s->settling = false;
    s->next_at = now;
    printf("after %u calls: heap %llu B, resident %llu KiB\n", s->made[TALKS],
           (unsigned long long)m->heap, (unsigned long long)m->resident / 1024);
    (void)fflush(stdout);
}

static void on_step(uv_timer_t *timer) {
    soak *s = timer->data;
    const wzp_time now = wzp_io_now();
    bury(s);
    watch_machine(s, now);
    for (size_t i = 0; i < PAIRS && s->failure[0] == '\0'; i++) {
        step(s, &s->pairs[i], now);
    }
    if (s->failure[0] != '\0' || s->last.heap != 0) {
        finish(s);
        return;
    }
    if (!s->settling) {
        fall_due(s, now);
    }
    start_due(s, now);
    if (s->settling && is_calm(s)) {
        settle(s, now);
    }
}

/* --- the verdict ------------------------------------------------------------------------------ */

static void check_equal(soak *s, const char *what, uint64_t got, uint64_t want) {
    printf("  %-48s %8llu of %llu\n", what, (unsigned long long)got, (unsigned long long)want);
    if (got != want) {
        give_verdict(s, what, "the number is wrong");
    }
}

static void check_growth(soak *s, const char *what, uint64_t from, uint64_t to, uint64_t bound) {
    printf("  %-48s %+8lld B (at most %llu)\n", what, (long long)(to - from),
           (unsigned long long)bound);
    if (to > from + bound) {
        give_verdict(s, what, "it has grown");
    }
}

static void check_signals(soak *s) {
    const uint64_t talks = s->made[TALKS];
    const uint64_t calls = talks + s->made[IS_REJECTED] + s->made[IS_GIVEN_UP];
    const struct {
        const char *name;
        uint64_t out, in;
    } wanted[] = {{"RegisterPresence", s->registered, 0},
                  {"RegisterPresenceAck", 0, s->registered},
                  {"DirectCallOffer", calls, calls},
                  {"CallRinging", 0, calls},
                  {"DirectCallAnswer", talks + s->made[IS_REJECTED], talks},
                  {"CallSetup", 0, 2 * talks},
                  /* A rejection is told as a Hangup. */
                  {"Hangup", talks + s->made[IS_GIVEN_UP], calls}};
    char what[80];
    for (size_t i = 0; i < WZP_COUNT_OF(wanted); i++) {
        const struct entry *e = entry_of(&s->phones, wanted[i].name);
        (void)snprintf(what, sizeof what, "%s sent", wanted[i].name);
        if (wanted[i].out != 0 || e->out != 0) {
            check_equal(s, what, e->out, wanted[i].out);
        }
        (void)snprintf(what, sizeof what, "%s arrived", wanted[i].name);
        if (wanted[i].in != 0 || e->in != 0) {
            check_equal(s, what, e->in, wanted[i].in);
        }
    }
    check_equal(s, "CallOffer (media) sent", entry_of(&s->legs, "CallOffer")->out, 2 * talks);
    check_equal(s, "CallAnswer (media) arrived", entry_of(&s->legs, "CallAnswer")->in, 2 * talks);
    check_equal(s, "parties joined", s->joined, 2 * talks);
}

static void check_relay(soak *s) {
    const uint64_t calls = s->made[TALKS] + s->made[IS_REJECTED] + s->made[IS_GIVEN_UP];
    static const char *const none[] = {"wzp_relay_call_signals_dropped_total",
                                       "wzp_relay_signals_unreadable_total",
                                       "wzp_relay_calls_refused_total",
                                       "wzp_relay_sessions_refused_total",
                                       "wzp_relay_handshakes_refused_total",
                                       "wzp_relay_events_dropped_total",
                                       "wzp_quic_refused_total"};
    check_equal(s, "wzp_relay_calls_offered_total",
                soak_relay_value(&s->relay, "wzp_relay_calls_offered_total"), calls);
    check_equal(s, "wzp_relay_calls_answered_total",
                soak_relay_value(&s->relay, "wzp_relay_calls_answered_total"), s->made[TALKS]);
    check_equal(s, "wzp_relay_calls_ended_total",
                soak_relay_value(&s->relay, "wzp_relay_calls_ended_total"), calls);
    for (size_t i = 0; i < WZP_COUNT_OF(none); i++) {
        check_equal(s, none[i], soak_relay_value(&s->relay, none[i]), 0);
    }
}

static int report(soak *s) {
    if (s->failure[0] == '\0') {
        check_signals(s);
        check_relay(s);
        check_growth(s, "heap", s->first.heap, s->last.heap, HEAP_GROWTH);
        check_growth(s, "resident memory", s->first.resident, s->last.resident, RESIDENT_GROWTH);
    }
    if (!soak_relay_stop(&s->relay)) {
        give_verdict(s, "the relay did not end with exit code 0", "");
    }
    printf("  %-48s %8llu of %llu\n", "frames of sound heard", (unsigned long long)s->frames_heard,
           (unsigned long long)s->frames_sent);
    if (s->worst_late > STARVED) {
        printf("the machine was starved: calls began up to %llu ms late, the longest wait took "
               "%llu ms\n",
               (unsigned long long)(s->worst_late / WZP_MS),
               (unsigned long long)(s->longest_wait / WZP_MS));
    }
    printf("%u calls talked, %u rejected, %u given up: %s\n", s->made[TALKS], s->made[IS_REJECTED],
           s->made[IS_GIVEN_UP], s->failure[0] == '\0' ? "passed" : s->failure);
    return s->failure[0] == '\0'                                 ? 0
           : s->connection_ended && s->longest_wait > IMPATIENCE ? SKIPPED
                                                                 : 1;
}

int main(int argc, char **argv) {
    static soak s;
    const unsigned long seconds = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (seconds == 0) {
        (void)fprintf(stderr, "usage: relay_soak_test WZP-RELAY SECONDS [OPTIONS OF THE RELAY]\n");
        return 2;
    }
    s.total = (unsigned)(seconds * WZP_S / CALL_EVERY);
    s.warm = s.total / 5;
    if (uv_loop_init(&s.loop) != 0 || !soak_relay_start(&s.relay, argv[1], argv + 3)) {
        (void)fprintf(stderr, "relay_soak_test: %s did not start\n", argv[1]);
        return 1;
    }
    const wzp_time now = wzp_io_now();
    s.next_at = now;
    for (size_t i = 0; i < PAIRS; i++) {
        register_pair(&s, &s.pairs[i], now);
    }
    uv_timer_init(&s.loop, &s.timer);
    s.timer.data = &s;
    uv_timer_start(&s.timer, on_step, STEP_MS, STEP_MS);
    uv_run(&s.loop, UV_RUN_DEFAULT);
    bury(&s);
    (void)uv_loop_close(&s.loop);
    return report(&s);
}
