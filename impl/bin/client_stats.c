#include "bin/client_stats.h"

#include <stdio.h>

static void number(const char *name, uint64_t value) {
    printf(",\"%s\":%llu", name, (unsigned long long)value);
}

void wzp_client_print_line(const wzp_client_line *line) {
    const wzp_client_stats *s = &line->stats;
    printf("{\"state\":\"%s\"", line->state);
    number("members", line->members);
    number("sent", s->sent);
    number("received", s->received);
    number("lost", s->lost);
    number("played", s->played);
    number("concealed", s->concealed);
    number("recovered", s->recovered);
    number("late", s->late);
    number("malformed", s->malformed);
    number("crowded", s->crowded);
    number("not_sound", s->refused.not_sound);
    number("surplus_repair", s->refused.surplus);
    number("bad_repair", s->refused.repair);
    number("too_long", s->refused.too_long);
    number("duplicate", s->refused.duplicate);
    number("overrun", s->refused.overrun);
    number("undecodable", s->refused.undecodable);
    number("senders", s->tracks);
    number("opened", s->cipher.opened);
    number("forged", s->cipher.forged);
    number("replayed", s->cipher.replayed);
    number("undecryptable", s->cipher.undecryptable);
    number("rekeys", s->cipher.rekeys);
    printf(",\"jitter_ms\":%.2f,\"rtt_ms\":%.2f,\"hangup\":\"%s\"}\n", s->jitter_ms, s->rtt_ms,
           line->hangup);
    (void)fflush(stdout);
}
