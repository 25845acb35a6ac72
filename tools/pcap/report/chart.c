/* Curves as inline SVG.  Positions along time are percentages of the width, heights are pixels, so
 * that text keeps its size; curves are in an inner picture that is stretched. */
#include <inttypes.h>
#include <math.h>

#include "tools/pcap/report/page.h"
#include "tools/pcap/report/put.h"
#include "tools/pcap/report/words.h"

enum { HEIGHT = 64, BAND = 16, TICKS = 8, BANDS = 7, ROOM = 12 };

/* The capture's time in intervals of the stream, and where the stream begins. */
typedef struct axis {
    double width, from, seconds;
} axis;

static axis axis_of(const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    const double interval = (double)s->rows.interval_ns / 1e9;
    const double all = wzp_pcap_since(r, wzp_pcap_flow_count(r->flow)->last_ns);
    axis a = {.from = wzp_pcap_since(r, s->rows.from_ns) / interval, .seconds = all};
    a.width = all / interval;
    const double own = a.from + (double)s->rows.count;
    a.width = a.width < own ? own : a.width;
    a.seconds = a.width * interval;
    return a;
}

/* --- what lies behind all --------------------------------------------------------------------- */

static double tick_step(double seconds) {
    const double raw = seconds / TICKS;
    const double power = pow(10, floor(log10(raw)));
    const double lead = raw / power;
    return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

static void put_grid(wzp_pcap_text *out, const axis *a, int height, bool labels) {
    if (!(a->seconds > 0)) {
        return;
    }
    const double step = tick_step(a->seconds);
    for (unsigned n = 1; n * step < a->seconds && n <= 2 * TICKS; n++) {
        const double x = n * step / a->seconds * 100;
        wzp_pcap_putf(out, "<line class=\"grid\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"0\" y2=\"%d\"/>",
                      x, x, height);
        if (labels) {
            wzp_pcap_putf(out, "<text x=\"%.3f%%\" y=\"%d\" text-anchor=\"middle\">%g s</text>", x,
                          height - 2, n * step);
        }
    }
}

/* `what` is read out where nobody looks. */
static void begin_chart(wzp_pcap_text *out, const axis *a, int height, const char *what) {
    wzp_pcap_putf(out,
                  "<svg class=\"chart\" role=\"img\" aria-label=\"%s over time\" height=\"%d\">",
                  what, height);
    put_grid(out, a, height, false);
    wzp_pcap_putf(out,
                  "<svg x=\"0\" y=\"0\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 %.3f %d\" "
                  "preserveAspectRatio=\"none\">",
                  height, a->width > 0 ? a->width : 1, height);
}

static void end_chart(wzp_pcap_text *out, double most, const char *unit) {
    wzp_pcap_putf(out, "</svg><text x=\"4\" y=\"11\">%.*f %s</text></svg>\n", most < 10 ? 1 : 0,
                  most, unit);
}

/* --- curves ----------------------------------------------------------------------------------- */

typedef double value_of(const wzp_pcap_stream *s, const wzp_pcap_row *row); /* below 0: none */

static double most_of(const wzp_pcap_stream *s, value_of *value, double least) {
    double most = least;
    for (size_t i = 0; i < s->rows.count; i++) {
        const double v = value(s, &s->rows.rows[i]);
        most = v > most ? v : most;
    }
    return most;
}

static double y_of(double value, double most) {
    return HEIGHT - value / most * (HEIGHT - ROOM);
}

static void put_bars(wzp_pcap_text *out, const wzp_pcap_stream *s, const axis *a, value_of *value,
                     double most, const char *look) {
    wzp_pcap_putf(out, "<path class=\"%s\" d=\"", look);
    for (size_t i = 0; i < s->rows.count; i++) {
        const double v = value(s, &s->rows.rows[i]);
        if (v > 0) {
            wzp_pcap_putf(out, "M%.2f %dV%.1fh1V%dz", a->from + (double)i, HEIGHT, y_of(v, most),
                          HEIGHT);
        }
    }
    wzp_pcap_text_str(out, "\"/>");
}

static void put_line(wzp_pcap_text *out, const wzp_pcap_stream *s, const axis *a, value_of *value,
                     double most, const char *look) {
    bool drawing = false;
    wzp_pcap_putf(out, "<path class=\"%s\" d=\"", look);
    for (size_t i = 0; i < s->rows.count; i++) {
        const double v = value(s, &s->rows.rows[i]);
        if (v >= 0) {
            wzp_pcap_putf(out, "%c%.2f %.1f", drawing ? 'L' : 'M', a->from + (double)i + 0.5,
                          y_of(v, most));
        }
        drawing = v >= 0;
    }
    wzp_pcap_text_str(out, "\"/>");
}

static double rate(const wzp_pcap_stream *s, const wzp_pcap_row *row) {
    return (double)row->bytes * 8e6 / (double)s->rows.interval_ns;
}

static double loss(const wzp_pcap_stream *s, const wzp_pcap_row *row) {
    const double all = (double)row->packets + row->lost;
    (void)s;
    return all > 0 ? (double)row->lost * 100 / all : 0;
}

static double recovered(const wzp_pcap_stream *s, const wzp_pcap_row *row) {
    const double all = (double)row->packets + row->lost;
    const uint32_t back = row->recovered < row->lost ? row->recovered : row->lost;
    (void)s;
    return all > 0 ? (double)back * 100 / all : 0;
}

static double reported(const wzp_pcap_stream *s, const wzp_pcap_row *row) {
    (void)s;
    return row->reports > 0 ? row->report_loss / 2.55 : -1;
}

static double jitter(const wzp_pcap_stream *s, const wzp_pcap_row *row) {
    (void)s;
    return row->clocked > 0 ? row->jitter_sum_ms / row->clocked : -1;
}

static double jitter_most(const wzp_pcap_stream *s, const wzp_pcap_row *row) {
    (void)s;
    return (double)row->jitter_max_ms;
}

static double frames(const wzp_pcap_stream *s, const wzp_pcap_row *row) {
    return row->frames * 1e9 / (double)s->rows.interval_ns;
}

/* --- charts ----------------------------------------------------------------------------------- */

static void put_marks(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_stream *s,
                      const axis *a) {
    const wzp_pcap_findings *all = wzp_pcap_flow_findings(r->flow);
    for (size_t i = 0; i < all->count; i++) {
        const wzp_pcap_finding *f = &all->list[i];
        if (f->stream == s->number && f->ns != 0 && f->level > WZP_PCAP_LEVEL_NOTE) {
            const double x = wzp_pcap_since(r, f->ns) / a->seconds * a->width;
            wzp_pcap_putf(out, "<line class=\"mark\" x1=\"%.3f\" x2=\"%.3f\" y1=\"0\" y2=\"%d\"/>",
                          x, x, HEIGHT);
        }
    }
}

static void chart_rate(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_stream *s,
                       const axis *a) {
    const double most = most_of(s, rate, 1);
    wzp_pcap_text_str(out, "<h4>Bitrate <span>media packets, and where something was "
                           "found</span></h4>\n");
    begin_chart(out, a, HEIGHT, "bitrate");
    put_bars(out, s, a, rate, most, "rate");
    put_marks(out, r, s, a);
    end_chart(out, most, "kbit/s");
}

static void chart_loss(wzp_pcap_text *out, const wzp_pcap_stream *s, const axis *a) {
    const double seen = most_of(s, loss, 1);
    const double most = most_of(s, reported, seen);
    wzp_pcap_text_str(out, "<h4>Loss</h4>\n<p class=\"key\"><span><b style=\"background:var(--bad)"
                           "\"></b>lost</span><span><b style=\"background:var(--back)\"></b>"
                           "recovered by FEC</span><span><b style=\"background:var(--warning)\">"
                           "</b>as the sender reports it</span></p>\n");
    begin_chart(out, a, HEIGHT, "loss");
    put_bars(out, s, a, loss, most, "lost");
    put_bars(out, s, a, recovered, most, "back");
    put_line(out, s, a, reported, most, "told");
    end_chart(out, most, "%");
}

static void chart_jitter(wzp_pcap_text *out, const wzp_pcap_stream *s, const axis *a) {
    const double most = most_of(s, jitter_most, 1);
    wzp_pcap_text_str(out, "<h4>Jitter <span>RFC 3550: mean, and the most</span></h4>\n");
    begin_chart(out, a, HEIGHT, "jitter");
    put_bars(out, s, a, jitter_most, most, "most");
    put_line(out, s, a, jitter, most, "jitter");
    end_chart(out, most, "ms");
}

static void chart_quality(wzp_pcap_text *out, const wzp_pcap_stream *s, const axis *a) {
    const bool video = s->key.media_type == WZP_MEDIA_VIDEO;
    value_of *value = video ? frames : wzp_pcap_row_mos;
    const double most = video ? most_of(s, frames, 1) : 4.5;
    wzp_pcap_text_str(out, video ? "<h4>Complete frames</h4>\n"
                                 : "<h4>MOS <span>E-model, an estimate</span></h4>\n");
    begin_chart(out, a, HEIGHT, video ? "complete frames" : "estimate of the MOS");
    put_line(out, s, a, value, most, "mos");
    end_chart(out, most, video ? "frames/s" : "");
}

/* Each codec's time in a colour of its own; the names are in the picture. */
static void chart_codecs(wzp_pcap_text *out, const wzp_pcap_stream *s, const axis *a) {
    wzp_pcap_text_str(out, "<h4>Codec</h4>\n");
    wzp_pcap_putf(out,
                  "<svg class=\"chart\" role=\"group\" aria-label=\"codecs over time\" "
                  "height=\"%d\">",
                  2 * BAND);
    int last = -1;
    for (size_t i = 0; i < s->rows.count;) {
        size_t end = i + 1;
        const wzp_pcap_row *row = &s->rows.rows[i];
        while (end < s->rows.count && (!s->rows.rows[end].has_codec ||
                                       (row->has_codec && s->rows.rows[end].codec == row->codec))) {
            end++;
        }
        if (row->has_codec) {
            const double x = (a->from + (double)i) / a->width * 100;
            const char *name = wzp_pcap_word_codec(row->codec);
            wzp_pcap_putf(out,
                          "<rect class=\"band%d\" x=\"%.3f%%\" y=\"0\" width=\"%.3f%%\" "
                          "height=\"%d\"><title>%s</title></rect>",
                          row->codec % BANDS, x, (double)(end - i) / a->width * 100, BAND, name);
            if (row->codec != last) {
                wzp_pcap_putf(out, "<text x=\"%.3f%%\" y=\"%d\">%s</text>", x, 2 * BAND - 4, name);
            }
            last = row->codec;
        }
        i = end;
    }
    wzp_pcap_text_str(out, "</svg>\n");
}

static void put_tier(wzp_pcap_text *out, double percent, const char *kind, char letter,
                     const char *title) {
    wzp_pcap_putf(out, "<text class=\"%s\" x=\"%.3f%%\" y=\"%d\">%c<title>%s</title></text>", kind,
                  percent, BAND - 4, letter, title);
}

/* Where the relay's meters first saw each violation, by the letter of its tier, and where ENF-1
 * ends it all. */
static void chart_tiers(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_stream *s,
                        const axis *a) {
    if (s->sender == 0 || s->sender > wzp_pcap_flow_senders(r->flow) || !(a->seconds > 0)) {
        return;
    }
    const wzp_pcap_gauge *gauge = &wzp_pcap_flow_sender(r->flow, s->sender - 1)->gauge;
    wzp_pcap_text_str(out, "<h4>Tiers <span>the first violation of each kind that deployed relays "
                           "count; \xc3\x97 where ENF-1 hangs up</span></h4>\n");
    wzp_pcap_putf(out,
                  "<svg class=\"chart\" role=\"group\" aria-label=\"violations over time\" "
                  "height=\"%d\">",
                  BAND);
    put_grid(out, a, BAND, false);
    for (int v = WZP_VIOLATION_NONE + 1; v < WZP_VIOLATION_COUNT; v++) {
        const wzp_violation_info *info = wzp_violation_find((wzp_violation)v);
        if (gauge->breaches[v].count > 0) {
            const double at = wzp_pcap_since(r, gauge->breaches[v].ns) / a->seconds * 100;
            put_tier(out, at, "tier", info->tier, info->code);
        }
    }
    if (gauge->hangup.count > 0) {
        const double at = wzp_pcap_since(r, gauge->hangup.ns) / a->seconds * 100;
        wzp_pcap_putf(out,
                      "<text class=\"tier-end\" x=\"%.3f%%\" y=\"%d\">\xc3\x97<title>%s</title>"
                      "</text>",
                      at, BAND - 4, wzp_violation_find(gauge->why)->code);
    }
    wzp_pcap_text_str(out, "</svg>\n");
}

void wzp_pcap_page_charts(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    const axis a = axis_of(r, s);
    if (s->rows.count == 0 || !(a.width > 0)) {
        return;
    }
    chart_rate(out, r, s, &a);
    chart_loss(out, s, &a);
    chart_jitter(out, s, &a);
    chart_quality(out, s, &a);
    chart_codecs(out, s, &a);
    chart_tiers(out, r, s, &a);
    wzp_pcap_putf(out,
                  "<svg class=\"chart\" aria-hidden=\"true\" style=\"border:0;background:none\" "
                  "height=\"%d\">",
                  BAND);
    put_grid(out, &a, BAND, true);
    wzp_pcap_text_str(out, "</svg>\n");
}
