/* A run as four lanes over time:
 *
 *     Expected   ######|            the window in which the reaction is due, shaded behind all
 * lanes Sender     == ============    what X sent; flags where it was hung up on and closed
 *     Listener      ============
 *     Control       ============
 *            -2  0     2     4 s
 *
 * Positions along the time axis are percentages of the width, heights are pixels: text keeps its
 * size on a phone.  Each lane has a line of text above its bar, and one below if it has events. */
#include <math.h>
#include <string.h>

#include "conformance/report/html.h"
#include "conformance/report/out.h"
#include "conformance/report/text.h"

enum { LANE = 44, EVENTS = 17, TEXT = 14, BAR_TOP = 20, BAR = 14, AXIS = 26, TICKS = 6 };

typedef struct axis {
    double from, until;
} axis;

static const char *const lane_titles[] = {"Expected", "Sender", "Listener", "Control"};
static const char *const lane_classes[] = {"expected", "subject", "listener", "control"};

static double finite_or_zero(double t) {
    return isfinite(t) ? t : 0;
}

static bool is_span(const wzp_ct_mark *m) {
    return m->until_s > m->t_s;
}

static axis axis_of(const wzp_ct_run *run) {
    axis a = {0, 0.1};
    for (size_t i = 0; i < run->mark_count; i++) {
        const double from = finite_or_zero(run->marks[i].t_s);
        const double until = finite_or_zero(run->marks[i].until_s);
        a.from = fmin(a.from, from);
        a.until = fmax(a.until, fmax(from, until));
    }
    a.until += 0.03 * (a.until - a.from); /* room for what lies at the end */
    return a;
}

static double percent(const axis *a, double t) {
    const double x = (finite_or_zero(t) - a->from) / (a->until - a->from) * 100;
    return x < 0 ? 0 : x > 100 ? 100 : x;
}

/* --- axis ------------------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten, so that about TICKS fit. */
static double tick_step(const axis *a) {
    const double raw = (a->until - a->from) / TICKS;
    const double power = pow(10, floor(log10(raw)));
    const double lead = raw / power;
    return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

static void draw_axis(FILE *out, const axis *a, int height) {
    const double step = tick_step(a);
    for (double n = ceil(a->from / step); n * step <= a->until; n++) {
        const double x = percent(a, n * step);
        const char *anchor = x < 4 ? "start" : x > 96 ? "end" : "middle";
        put_format(out,
                   "<line class=\"%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"%d\"/>"
                   "<text x=\"%.2f%%\" y=\"%d\" text-anchor=\"%s\">%g s</text>",
                   n != 0 ? "grid" : "onset", x, x, height - AXIS + 4, x, height - 6, anchor,
                   n != 0 ? n * step : 0);
    }
}

/* --- lanes ------------------------------------------------------------------------------------ */

/* The time in which the reaction is due lies behind everything. */
static void draw_windows(FILE *out, const wzp_ct_run *run, const axis *a, int height) {
    for (size_t i = 0; i < run->mark_count; i++) {
        const wzp_ct_mark *m = &run->marks[i];
        if (m->lane == WZP_CT_LANE_EXPECTED && is_span(m)) {
            const double x = percent(a, m->t_s);
            const double end = percent(a, m->until_s);
            put_format(
                out,
                "<rect class=\"window\" x=\"%.2f%%\" y=\"0\" width=\"%.2f%%\" "
                "height=\"%d\"/><line class=\"deadline\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" "
                "y2=\"%d\"/>",
                x, end - x, height - AXIS, end, end, height - AXIS);
        }
    }
}

static void draw_title(FILE *out, const wzp_ct_run *run, wzp_ct_lane lane, int y) {
    const char *separator = "  ";
    put_format(out,
               "<text x=\"0\" y=\"%d\" xml:space=\"preserve\"><tspan class=\"lane\">%s</tspan>",
               y + TEXT, lane_titles[lane]);
    for (size_t i = 0; i < run->mark_count; i++) {
        const wzp_ct_mark *m = &run->marks[i];
        if (m->lane == lane && is_span(m)) {
            put_text(out, separator);
            wzp_ct_put_xml(out, m->label);
            if (lane == WZP_CT_LANE_EXPECTED) {
                put_format(out, " by %g s", finite_or_zero(m->until_s));
            }
            separator = " · ";
        }
    }
    put_text(out, "</text>");
}

static void draw_spans(FILE *out, const wzp_ct_run *run, const axis *a, wzp_ct_lane lane, int y) {
    put_format(out,
               "<rect class=\"rest\" x=\"0\" y=\"%d\" width=\"100%%\" height=\"%d\" rx=\"2\"/>",
               y + BAR_TOP, BAR);
    for (size_t i = 0; i < run->mark_count; i++) {
        const wzp_ct_mark *m = &run->marks[i];
        if (m->lane != lane || !is_span(m)) {
            continue;
        }
        const double x = percent(a, m->t_s);
        put_format(out,
                   "<rect class=\"%s\" x=\"%.2f%%\" y=\"%d\" width=\"%.2f%%\" height=\"%d\" "
                   "rx=\"2\"/>",
                   lane_classes[lane], x, y + BAR_TOP, fmax(percent(a, m->until_s) - x, 0.3), BAR);
    }
}

/* Events that lie close together share one text: "hangup 0.98 s, close 0.99 s". */
static size_t draw_events_at(FILE *out, const wzp_ct_run *run, const axis *a, wzp_ct_lane lane,
                             size_t first, int y) {
    const double x = percent(a, run->marks[first].t_s);
    const bool left = x > 40;
    put_format(out, "<text class=\"event\" x=\"%.2f%%\" dx=\"%d\" y=\"%d\" text-anchor=\"%s\">", x,
               left ? 4 : -4, y + BAR_TOP + BAR + TEXT + 3, left ? "end" : "start");
    size_t i = first;
    for (; i < run->mark_count; i++) {
        const wzp_ct_mark *m = &run->marks[i];
        if (m->lane != lane || is_span(m)) {
            continue;
        }
        if (fabs(percent(a, m->t_s) - x) > 30) {
            break;
        }
        put_text(out, i != first ? ", " : "");
        wzp_ct_put_xml(out, m->label);
        put_format(out, " %.2f s", finite_or_zero(m->t_s));
    }
    put_text(out, "</text>");
    return i;
}

/* A line with a flag for each event, then the texts below them. */
static void draw_events(FILE *out, const wzp_ct_run *run, const axis *a, wzp_ct_lane lane, int y) {
    for (size_t i = 0; i < run->mark_count; i++) {
        const wzp_ct_mark *m = &run->marks[i];
        if (m->lane == lane && !is_span(m)) {
            const double x = percent(a, m->t_s);
            put_format(out,
                       "<line class=\"mark\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>"
                       "<svg x=\"%.2f%%\" y=\"%d\" overflow=\"visible\"><path class=\"flag\" "
                       "d=\"M-4 0h8l-4 6z\"/></svg>",
                       x, x, y + BAR_TOP - 2, y + BAR_TOP + BAR + 2, x, y + BAR_TOP - 4);
        }
    }
    for (size_t i = 0; i < run->mark_count;) {
        const wzp_ct_mark *m = &run->marks[i];
        i = m->lane == lane && !is_span(m) ? draw_events_at(out, run, a, lane, i, y) : i + 1;
    }
}

/* What the picture shows, in words. */
static void describe(FILE *out, const wzp_ct_run *run) {
    for (size_t i = 0; i < run->mark_count; i++) {
        const wzp_ct_mark *m = &run->marks[i];
        put_format(out, "%s: ", lane_titles[m->lane]);
        wzp_ct_put_xml(out, m->label);
        if (is_span(m)) {
            put_format(out, " from %.2f to %.2f s. ", finite_or_zero(m->t_s),
                       finite_or_zero(m->until_s));
        } else {
            put_format(out, " at %.2f s. ", finite_or_zero(m->t_s));
        }
    }
}

/* Pixels that the lane takes, 0: it is empty. */
static int lane_height(const wzp_ct_run *run, wzp_ct_lane lane) {
    int height = 0;
    for (size_t i = 0; i < run->mark_count; i++) {
        if (run->marks[i].lane == lane && !is_span(&run->marks[i])) {
            return LANE + EVENTS;
        }
        height = run->marks[i].lane == lane ? LANE : height;
    }
    return height;
}

void wzp_ct_html_timeline(FILE *out, const wzp_ct_run *run, const char *id) {
    const axis a = axis_of(run);
    int height = 0;
    for (int lane = 0; lane < WZP_CT_LANE_COUNT; lane++) {
        height += lane_height(run, (wzp_ct_lane)lane);
    }
    if (height == 0) {
        return;
    }
    height += AXIS;
    put_text(out, "<svg class=\"timeline\" role=\"img\" aria-labelledby=\"t-");
    wzp_ct_put_path(out, id);
    put_format(out, "\" height=\"%d\"><title id=\"t-", height);
    wzp_ct_put_path(out, id);
    put_text(out, "\">Timeline. ");
    describe(out, run);
    put_text(out, "</title>");
    draw_windows(out, run, &a, height);
    draw_axis(out, &a, height);
    int y = 0;
    for (int i = 0; i < WZP_CT_LANE_COUNT; i++) {
        const wzp_ct_lane lane = (wzp_ct_lane)i;
        if (lane_height(run, lane) != 0) {
            draw_title(out, run, lane, y);
            draw_spans(out, run, &a, lane, y);
            draw_events(out, run, &a, lane, y);
            y += lane_height(run, lane);
        }
    }
    put_text(out, "</svg>\n");
}
