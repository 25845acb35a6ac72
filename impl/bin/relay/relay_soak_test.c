/* relay_soak_test WZP-RELAY SECONDS [OPTIONS OF THE RELAY]: a relay for as long, on which 200 calls
 * a minute are set up, spoken and hung up, and now and then one is rejected or given up while it
 * rings.  Clients come and go as well.
 *
 * Nothing here is timed.  What must hold: every signal arrives, sound arrives both ways in each
 * call, the relay's gauges are at the end what they were after the first fifth, its memory has not
 * grown since, and it ends with exit code 0, which a leak would change under AddressSanitizer. */
#include <stdio.h>
#include <stdlib.h>

#include "bin/relay/testing/soak.h"
#include "io/sys.h"

enum { STEP_MS = 20 };

#define CALL_EVERY (300 * WZP_MS)

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
        for (; s->due[f] > 0 && next < SOAK_PAIRS; next++) {
            if (s->pairs[next].state == IDLE) {
                soak_start_call(s, &s->pairs[next], f, now);
                s->due[f]--;
            }
        }
    }
    const wzp_time late = s->due[TALKS] * CALL_EVERY;
    s->worst_late = late > s->worst_late ? late : s->worst_late;
}

static bool is_calm(const soak *s) {
    for (size_t i = 0; i < SOAK_PAIRS; i++) {
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
} gauges[] = {{"wzp_quic_connections", 2ULL * SOAK_PAIRS},
              {"wzp_relay_signal_clients", 2ULL * SOAK_PAIRS},
              {"wzp_relay_presence_listed", 2ULL * SOAK_PAIRS},
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
    for (size_t i = 0; i < SOAK_PAIRS; i++) {
        for (size_t k = 0; k < 2; k++) {
            soak_let_go(s, &s->pairs[i].phones[k]);
            soak_let_go(s, &s->pairs[i].legs[k]);
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
        soak_fail(s, "the relay does not show its metrics", "");
        return;
    }
    const struct gauge *off = gauge_off(s);
    if (off != NULL) {
        if (now - s->settling_since > SOAK_GIVE_UP) {
            (void)snprintf(text, sizeof text, "is %llu, not %llu",
                           (unsigned long long)soak_relay_value(&s->relay, off->name),
                           (unsigned long long)off->value);
            soak_fail(s, off->name, text);
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
    soak_bury(s);
    watch_machine(s, now);
    for (size_t i = 0; i < SOAK_PAIRS && s->failure[0] == '\0'; i++) {
        soak_step_pair(s, &s->pairs[i], now);
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
    for (size_t i = 0; i < SOAK_PAIRS; i++) {
        soak_register_pair(&s, &s.pairs[i], now);
    }
    uv_timer_init(&s.loop, &s.timer);
    s.timer.data = &s;
    uv_timer_start(&s.timer, on_step, STEP_MS, STEP_MS);
    uv_run(&s.loop, UV_RUN_DEFAULT);
    soak_bury(&s);
    (void)uv_loop_close(&s.loop);
    return soak_report(&s);
}
