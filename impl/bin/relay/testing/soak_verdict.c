/* What must hold at the end of the soak test. */
#include "bin/relay/testing/soak.h"

#include <stdio.h>

enum { SKIPPED = 77 };

#define STARVED WZP_S
#define IMPATIENCE (3 * WZP_S) /* of three such waits a handshake may consist */

/* A forgotten call, room or connection is some hundred bytes; there are three calls in a second.
 * The heap of a process without sanitizer may keep 236 KiB for each thread's next calls. */
#define HEAP_GROWTH (UINT64_C(512) * 1024)
#define RESIDENT_GROWTH (UINT64_C(8) * 1024 * 1024)

void soak_fail(soak *s, const char *what, const char *detail) {
    if (s->failure[0] == '\0') {
        (void)snprintf(s->failure, sizeof s->failure, "%s%s%s", what, *detail != '\0' ? ": " : "",
                       detail);
    }
}

static void check_equal(soak *s, const char *what, uint64_t got, uint64_t want) {
    printf("  %-48s %8llu of %llu\n", what, (unsigned long long)got, (unsigned long long)want);
    if (got != want) {
        soak_fail(s, what, "the number is wrong");
    }
}

static void check_growth(soak *s, const char *what, uint64_t from, uint64_t to, uint64_t bound) {
    printf("  %-48s %+8lld B (at most %llu)\n", what, (long long)(to - from),
           (unsigned long long)bound);
    if (to > from + bound) {
        soak_fail(s, what, "it has grown");
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
        const struct entry *e = soak_entry(&s->phones, wanted[i].name);
        (void)snprintf(what, sizeof what, "%s sent", wanted[i].name);
        if (wanted[i].out != 0 || e->out != 0) {
            check_equal(s, what, e->out, wanted[i].out);
        }
        (void)snprintf(what, sizeof what, "%s arrived", wanted[i].name);
        if (wanted[i].in != 0 || e->in != 0) {
            check_equal(s, what, e->in, wanted[i].in);
        }
    }
    check_equal(s, "CallOffer (media) sent", soak_entry(&s->legs, "CallOffer")->out, 2 * talks);
    check_equal(s, "CallAnswer (media) arrived", soak_entry(&s->legs, "CallAnswer")->in, 2 * talks);
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

int soak_report(soak *s) {
    if (s->failure[0] == '\0') {
        check_signals(s);
        check_relay(s);
        check_growth(s, "heap", s->first.heap, s->last.heap, HEAP_GROWTH);
        check_growth(s, "resident memory", s->first.resident, s->last.resident, RESIDENT_GROWTH);
    }
    if (!soak_relay_stop(&s->relay)) {
        soak_fail(s, "the relay did not end with exit code 0", "");
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
