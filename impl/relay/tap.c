#include "relay/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/internal.h"

enum { LINE = 2048, LIST_END = 48 }; /* names of rooms have 255 bytes, four times that escaped */

#define PERIOD (5 * WZP_S)

static const struct {
    const char *name;
    unsigned limit;
} kinds[WZP_TAP_KIND_COUNT] = {
    [WZP_TAP_PACKETS] = {"packets", WZP_LIMIT_TAP_PACKETS},
    [WZP_TAP_OTHERS] = {"others", WZP_LIMIT_TAP_OTHERS},
};

/* --- text ------------------------------------------------------------------------------------- */

typedef struct line {
    uint8_t text[LINE + 1];
    wzp_wr wr;
} line;

static void put(line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(line *l, const char *format, ...) {
    char text[192];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    wzp_wr_str(&l->wr, text);
}

/* A name that a peer chose, inside of quotes. */
static void put_name(line *l, const char *text) {
    for (const uint8_t *p = (const uint8_t *)(*text != '\0' ? text : "?"); *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            put(l, "\\%c", *p);
        } else if (*p == '\n') {
            put(l, "\\n");
        } else if (*p < 0x20 || *p > 0x7e) {
            put(l, "\\x%02x", *p);
        } else {
            wzp_wr_u8(&l->wr, *p);
        }
    }
}

static void begin(line *l, const char *what, const room *rm) {
    wzp_wr_init(&l->wr, l->text, LINE);
    put(l, "debug_tap: %s", what);
    if (rm != NULL) {
        put(l, " room=\"");
        put_name(l, rm->name);
        put(l, "\"");
    }
}

/* --- speaking --------------------------------------------------------------------------------- */

static void say(wzp_relay *r, line *l) {
    *l->wr.pos = '\0';
    r->tap.lines++;
    r->cfg.log.line(r->cfg.log.ctx, WZP_LOG_INFO, (const char *)l->text);
}

static bool is_heard(const wzp_relay *r) {
    return r->cfg.log.line != NULL && r->cfg.log.max >= WZP_LOG_INFO;
}

static bool is_over(const wzp_relay *r, const wzp_tap_budget *b) {
    return wzp_time_since(r->now, b->since) >= WZP_S;
}

static void tell_suppressed(wzp_relay *r, wzp_tap_kind kind) {
    wzp_tap_budget *b = &r->tap.budgets[kind];
    line l;
    if (b->suppressed != 0 && is_over(r, b) && is_heard(r)) {
        begin(&l, "TAP SUPPRESSED", NULL);
        put(&l, " kind=\"%s\" lines=%llu", kinds[kind].name, (unsigned long long)b->suppressed);
        b->suppressed = 0;
        say(r, &l);
    }
}

static bool may_speak(wzp_relay *r, wzp_tap_kind kind) {
    wzp_tap_budget *b = &r->tap.budgets[kind];
    if (!is_heard(r)) {
        return false;
    }
    tell_suppressed(r, kind);
    if (is_over(r, b)) {
        *b = (wzp_tap_budget){.since = r->now};
    }
    if (b->spoken == kinds[kind].limit) {
        b->suppressed++;
        r->tap.suppressed++;
        return false;
    }
    b->spoken++;
    return true;
}

void wzp_relay_tap_tick(wzp_relay *r) {
    for (unsigned kind = 0; kind < WZP_TAP_KIND_COUNT; kind++) {
        tell_suppressed(r, (wzp_tap_kind)kind);
    }
}

wzp_time wzp_relay_tap_deadline(const wzp_relay *r) {
    wzp_time first = WZP_TIME_NEVER;
    for (unsigned kind = 0; kind < WZP_TAP_KIND_COUNT; kind++) {
        const wzp_tap_budget *b = &r->tap.budgets[kind];
        if (b->suppressed != 0 && is_heard(r)) {
            first = wzp_time_min(first, wzp_time_after(b->since, WZP_S));
        }
    }
    return first;
}

/* --- rooms ------------------------------------------------------------------------------------ */

static bool is_tapped(const wzp_relay *r, const char *name) {
    const char *filter = r->tap.filter;
    return strcmp(filter, "*") == 0 || (*filter != '\0' && strcmp(filter, name) == 0);
}

static void start(session *s) {
    s->tap = calloc(1, sizeof *s->tap);
    if (s->tap != NULL) {
        s->tap->since = s->relay->now;
    }
}

static bool wants(const wzp_relay *r, const session *s) {
    return s->room != NULL && s->bridge == NULL && is_tapped(r, s->room->name);
}

/* For those who are in rooms already, too. */
void wzp_relay_tap_set(wzp_relay *r, const char *filter) {
    (void)snprintf(r->tap.filter, sizeof r->tap.filter, "%s", filter != NULL ? filter : "");
    for (session *s = r->sessions; s != NULL; s = s->next) {
        if (wants(r, s) && s->tap == NULL) {
            start(s);
        } else if (!wants(r, s)) {
            free(s->tap);
            s->tap = NULL;
        }
    }
}

/* Leaves the quotes of the detail open. */
static void begin_event(line *l, const session *s, const room *rm, const char *event) {
    char addr[WZP_ADDR_TEXT_MAX];
    begin(l, "TAP EVENT", rm);
    put(l, " event=\"%s\" detail=\"participant=%llu addr=%s", event, (unsigned long long)s->number,
        wzp_addr_text(&s->path.remote, addr));
}

void wzp_relay_tap_join(session *s) {
    wzp_relay *r = s->relay;
    line l;
    if (!wants(r, s)) {
        return;
    }
    start(s);
    if (may_speak(r, WZP_TAP_OTHERS)) {
        begin_event(&l, s, s->room, "join");
        put(&l, " alias=");
        put_name(&l, s->alias);
        put(&l, "\"");
        say(r, &l);
    }
}

void wzp_relay_tap_leave(session *s, const room *rm) {
    line l;
    if (s->tap == NULL) {
        return;
    }
    if (may_speak(s->relay, WZP_TAP_OTHERS)) {
        begin_event(&l, s, rm, "leave");
        put(&l, " forwarded=%llu%s\"", (unsigned long long)s->tap->forwarded,
            rm->count == 0 ? " (room closed)" : "");
        say(s->relay, &l);
    }
    free(s->tap);
    s->tap = NULL;
}

/* --- signals ---------------------------------------------------------------------------------- */

/* As many names as fit the line. */
void wzp_relay_tap_update(wzp_relay *r, const room *rm) {
    line l;
    if (!is_tapped(r, rm->name) || !may_speak(r, WZP_TAP_OTHERS)) {
        return;
    }
    begin(&l, "TAP SIGNAL", rm);
    put(&l, " signal=\"RoomUpdate\" count=%zu participants=[", rm->count);
    for (size_t i = 0; i < rm->count; i++) {
        if (wzp_wr_room(&l.wr) < 4 * WZP_LIMIT_ALIAS + LIST_END) {
            put(&l, ", and %zu more", rm->count - i);
            break;
        }
        put(&l, i == 0 ? "\"" : ", \"");
        put_name(&l, rm->members[i]->alias);
        put(&l, "\"");
    }
    put(&l, "]");
    say(r, &l);
}

void wzp_relay_tap_directive(wzp_relay *r, const room *rm, const char *codec, const char *reason) {
    line l;
    if (is_tapped(r, rm->name) && may_speak(r, WZP_TAP_OTHERS)) {
        begin(&l, "TAP SIGNAL", rm);
        put(&l, " signal=\"QualityDirective\" codec=%s reason=\"%s\"", codec, reason);
        say(r, &l);
    }
}

/* --- packets ---------------------------------------------------------------------------------- */

static void say_packet(const session *s, const wzp_media_hdr *hdr, size_t len, size_t fan_out) {
    char addr[WZP_ADDR_TEXT_MAX];
    line l;
    if (!may_speak(s->relay, WZP_TAP_PACKETS)) {
        return;
    }
    begin(&l, "TAP", s->room);
    put(&l, " dir=\"in\" addr=%s seq=%u codec=%s ts=%u", wzp_addr_text(&s->path.remote, addr),
        hdr->seq, wzp_codec_find(hdr->codec_id)->name, hdr->timestamp_ms);
    put(&l, " fec_block=%u repair=%s len=%zu fan_out=%zu", hdr->fec_block,
        (hdr->flags & WZP_MEDIA_REPAIR) != 0 ? "true" : "false", len, fan_out);
    say(s->relay, &l);
}

static void say_stats(const session *s) {
    const wzp_tap_sender *t = s->tap;
    line l;
    if (!may_speak(s->relay, WZP_TAP_OTHERS)) {
        return;
    }
    begin(&l, "TAP STATS", s->room);
    put(&l, " period=\"5s\" in_pkts=%llu out_pkts=%llu fan_out_avg=%.1f seq_gaps=%llu",
        (unsigned long long)t->in, (unsigned long long)t->out,
        t->in != 0 ? (double)t->out / (double)t->in : 0.0, (unsigned long long)t->gaps);
    put(&l, " codecs_seen=[");
    const char *comma = "";
    for (unsigned codec = 0; codec < WZP_CODEC_COUNT; codec++) {
        if ((t->codecs_seen >> codec & 1) != 0) {
            put(&l, "%s%s", comma, wzp_codec_find((uint8_t)codec)->name);
            comma = ", ";
        }
    }
    put(&l, "]");
    say(s->relay, &l);
}

static void count(wzp_tap_sender *t, const wzp_media_hdr *hdr, size_t fan_out) {
    t->in++;
    t->out += fan_out;
    t->forwarded += fan_out;
    t->gaps += t->has_seq && hdr->seq != (uint32_t)(t->last_seq + 1U) ? 1 : 0;
    t->last_seq = hdr->seq;
    t->has_seq = true;
    t->codecs_seen |= 1U << hdr->codec_id;
}

void wzp_relay_tap_packet(session *s, const wzp_media_packet *packet) {
    wzp_tap_sender *t = s->tap;
    const size_t fan_out = s->room->count - 1;
    _Static_assert(WZP_CODEC_COUNT <= 32, "codecs_seen has a bit for each");
    say_packet(s, &packet->hdr, packet->payload.len, fan_out);
    count(t, &packet->hdr, fan_out);
    if (wzp_time_since(s->relay->now, t->since) >= PERIOD) {
        say_stats(s);
        t->since = s->relay->now;
        t->in = t->out = t->gaps = 0;
    }
}
