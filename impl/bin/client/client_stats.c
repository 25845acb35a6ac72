#include "bin/client/client_stats.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/bytes.h"
#include "bin/client/client_output.h"
#include "io/sys.h"

enum { LAST_LINE_MS = 500 };

/* --- --stats json ----------------------------------------------------------------------------- */

typedef struct text {
    char chars[WZP_CLIENT_LINE_MAX + 1];
    size_t len;
} text;

static void add(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(t->chars + t->len, sizeof t->chars - t->len, format, args);
    va_end(args);
    const size_t room = sizeof t->chars - 1 - t->len;
    t->len += n > 0 && (size_t)n < room ? (size_t)n : n > 0 ? room : 0;
}

static void number(text *t, const char *name, uint64_t value) {
    add(t, ",\"%s\":%llu", name, (unsigned long long)value);
}

static const char *const path_names[] = {
    [WZP_RACE_UNDECIDED] = "none", [WZP_RACE_DIRECT] = "direct", [WZP_RACE_RELAY] = "relay"};

/* All that was not believed, nor answered, nor sent. */
static void add_refused(text *t, const wzp_handset_counters *c) {
    const wzp_stun_refusals *stun = &c->answers.stun;
    const wzp_portmap_refusals *maps = &c->answers.maps;
    add(t, ",\"refused\":{\"calls\":%llu", (unsigned long long)c->refused_calls);
    number(t, "signals_unreadable", c->unreadable);
    number(t, "signals_ignored", c->ignored);
    number(t, "signals_unsent", c->unsent);
    number(t, "updates_stale", c->stale_updates);
    number(t, "probes_elsewhere", c->probes_elsewhere);
    number(t, "birthdays", c->birthdays_ignored);
    number(t, "addresses_unreadable", c->told.unreadable);
    number(t, "addresses_surplus", c->told.surplus);
    number(t, "addresses_unusable", c->told.unusable);
    number(t, "addresses_own", c->told.our_own);
    number(t, "connections_name", c->refused_sni);
    number(t, "connections_address", c->refused_addr);
    number(t, "connections_key", c->refused_key);
    number(t, "connections_stale", c->stale + c->socket.stale);
    number(t, "probes_held", c->held);
    number(t, "datagrams_strange", c->strangers);
    number(t, "datagrams_unsent", c->socket.not_queued);
    number(t, "stun_unasked", c->socket.stun_unasked);
    number(t, "stun_no_answer", stun->not_answer + stun->cut + stun->fingerprint);
    number(t, "stun_transaction", stun->wrong_txid + stun->late);
    number(t, "stun_source", stun->wrong_source);
    number(t, "stun_address", stun->no_address + stun->port_zero + stun->not_unicast + stun->local);
    number(t, "gateway_source", maps->wrong_source);
    number(t, "gateway_malformed", maps->cut + maps->malformed);
    number(t, "gateway_unasked", maps->unasked + maps->wrong_nonce + maps->wrong_port);
    number(t, "upnp_address", c->answers.upnp);
    add(t, "}");
}

static void add_way(text *t, const wzp_client_way *way) {
    char peer[WZP_ADDR_TEXT_MAX] = "";
    if (way == NULL) {
        return;
    }
    if (way->peer.family != WZP_ADDR_NONE) {
        (void)wzp_addr_text(&way->peer, peer);
    }
    add(t, ",\"path\":\"%s\",\"peer\":\"%s\",\"proven\":%s,\"setup_ms\":%.1f",
        path_names[way->path], peer, way->proven ? "true" : "false", way->setup_ms);
    number(t, "path_changes", way->changes);
    add_refused(t, &way->counters);
}

void wzp_client_print_line(const wzp_client_line *line) {
    static uint64_t dropped;
    const wzp_client_stats *s = &line->stats;
    text t = {.len = 0};
    add(&t, "{\"state\":\"%s\"", line->state);
    number(&t, "members", line->members);
    number(&t, "sent", s->sent);
    number(&t, "received", s->received);
    number(&t, "lost", s->lost);
    number(&t, "played", s->played);
    number(&t, "concealed", s->concealed);
    number(&t, "recovered", s->recovered);
    number(&t, "late", s->late);
    number(&t, "senders", s->tracks);
    number(&t, "opened", s->cipher.opened);
    number(&t, "forged", s->cipher.forged);
    number(&t, "replayed", s->cipher.replayed);
    number(&t, "undecryptable", s->cipher.undecryptable);
    number(&t, "rekeys", s->cipher.rekeys);
    number(&t, "malformed", s->malformed);
    number(&t, "unreadable_signals", s->unreadable);
    number(&t, "crowded", s->crowded);
    number(&t, "not_sound", s->refused.not_sound);
    number(&t, "surplus_repair", s->refused.surplus);
    number(&t, "bad_repair", s->refused.repair);
    number(&t, "too_long", s->refused.too_long);
    number(&t, "duplicate", s->refused.duplicate);
    number(&t, "overrun", s->refused.overrun);
    number(&t, "undecodable", s->refused.undecodable);
    number(&t, "dropped_lines", dropped);
    add_way(&t, line->way);
    add(&t, ",\"jitter_ms\":%.2f,\"rtt_ms\":%.2f,\"hangup\":\"%s\"}\n", s->jitter_ms, s->rtt_ms,
        line->hangup);
    const bool is_last = strcmp(line->state, "closed") == 0;
    if (!wzp_client_write_line(STDOUT_FILENO, t.chars, t.len, is_last ? LAST_LINE_MS : 0)) {
        dropped++;
    }
}

/* --- at the end ------------------------------------------------------------------------------- */

double wzp_client_loss_pct(const wzp_client_stats *s) {
    const double offered = (double)(s->received + s->lost);
    return offered > 0 ? 100.0 * (double)s->lost / offered : 0;
}

void wzp_client_print_stats(const wzp_client_stats *s, const wzp_client_way *way, bool json) {
    const double loss = wzp_client_loss_pct(s);
    if (json) {
        text t = {.len = 0};
        add(&t, "{\"sent\":%llu", (unsigned long long)s->sent);
        number(&t, "received", s->received);
        number(&t, "lost", s->lost);
        add(&t, ",\"loss_pct\":%.2f", loss);
        number(&t, "concealed", s->concealed);
        number(&t, "recovered", s->recovered);
        number(&t, "late", s->late);
        number(&t, "senders", s->tracks);
        add(&t, ",\"jitter_ms\":%.2f,\"rtt_ms\":%.2f", s->jitter_ms, s->rtt_ms);
        add_way(&t, way);
        printf("%s}\n", t.chars);
    } else {
        printf("sent %llu, received %llu from %u, lost %llu (%.2f %%), concealed %llu, "
               "recovered %llu, late %llu, "
               "jitter %.2f ms, rtt %.2f ms\n",
               (unsigned long long)s->sent, (unsigned long long)s->received, s->tracks,
               (unsigned long long)s->lost, loss, (unsigned long long)s->concealed,
               (unsigned long long)s->recovered, (unsigned long long)s->late, s->jitter_ms,
               s->rtt_ms);
    }
}

/* --- once a second ---------------------------------------------------------------------------- */

const char *wzp_client_quality_name(uint8_t codec) {
    static const char *const names[] = {
        [WZP_CODEC_OPUS_24K] = "good",          [WZP_CODEC_OPUS_6K] = "degraded",
        [WZP_CODEC_OPUS_32K] = "studio-32k",    [WZP_CODEC_OPUS_48K] = "studio-48k",
        [WZP_CODEC_OPUS_64K] = "studio-64k",    [WZP_CODEC_CODEC2_1200] = "catastrophic",
        [WZP_CODEC_CODEC2_3200] = "codec2-3200"};
    return codec < WZP_COUNT_OF(names) && names[codec] != NULL ? names[codec]
                                                               : wzp_codec_find(codec)->name;
}

void wzp_client_show_progress(const wzp_client_stats *s, uint64_t elapsed_s) {
    char line[160];
    (void)snprintf(line, sizeof line,
                   "%llu s: sent %llu, received %llu from %u, lost %.1f %%, buffer %llu, "
                   "rtt %.0f ms, %s",
                   (unsigned long long)elapsed_s, (unsigned long long)s->sent,
                   (unsigned long long)s->received, s->tracks, wzp_client_loss_pct(s),
                   (unsigned long long)s->buffered, s->rtt_ms, wzp_client_quality_name(s->codec));
    wzp_client_progress(line);
}

bool wzp_client_write_metrics(FILE *file, const wzp_client_stats *s) {
    char now[40];
    wzp_io_rfc3339(now);
    (void)fprintf(file,
                  "{\"ts\":\"%s\",\"buffer_depth\":%llu,\"underruns\":%llu,\"overruns\":%llu,"
                  "\"loss_pct\":%.2f,\"rtt_ms\":%.2f,\"jitter_ms\":%.2f,\"frames_sent\":%llu,"
                  "\"frames_received\":%llu,\"quality_profile\":\"%s\"}\n",
                  now, (unsigned long long)s->buffered, (unsigned long long)s->underruns,
                  (unsigned long long)s->overruns, wzp_client_loss_pct(s), s->rtt_ms, s->jitter_ms,
                  (unsigned long long)s->sent, (unsigned long long)s->received,
                  wzp_client_quality_name(s->codec));
    return fflush(file) == 0;
}
