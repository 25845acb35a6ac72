/* Charts over the time of a run, as inline SVG.  Positions along time are percentages of the width,
 * heights are pixels, so text keeps its size; curves are in an inner picture that is stretched. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/lab/html.h"

enum { HEIGHT = 90, LANE = 32, TICKS = 8 };

static double ms(uint64_t ns) {
    return (double)ns / 1e6;
}

static double percent(const wzp_lab_result *r, uint64_t at) {
    const double x = (double)at / (double)r->scenario->duration * 100;
    return x > 100 ? 100 : x;
}

/* --- what lies behind all --------------------------------------------------------------------- */

static double tick_step(double seconds) {
    const double raw = seconds / TICKS;
    const double power = pow(10, floor(log10(raw)));
    const double lead = raw / power;
    return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

static void put_grid(FILE *out, const wzp_lab_result *r, int height, bool labels) {
    const double seconds = (double)r->scenario->duration / 1e9;
    const double step = tick_step(seconds);
    for (double n = 1; n * step < seconds; n++) {
        const double x = n * step / seconds * 100;
        (void)fprintf(out, "<line class=\"grid\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"0\" y2=\"%d\"/>",
                      x, x, height);
        if (labels) {
            (void)fprintf(out, "<text x=\"%.3f%%\" y=\"%d\" text-anchor=\"middle\">%g s</text>", x,
                          height + 13, n * step);
        }
    }
}

/* Events of the scenario, through every chart. */
static void put_marks(FILE *out, const wzp_lab_result *r, int height) {
    for (size_t i = 0; i < r->entry_count; i++) {
        const wzp_lab_entry *e = &r->entries[i];
        if (e->event) {
            const double x = percent(r, e->at);
            (void)fprintf(out,
                          "<line class=\"mark\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"0\" y2=\"%d\"/>",
                          x, x, height);
        }
    }
}

static void begin_curves(FILE *out, const wzp_lab_result *r) {
    (void)fprintf(
        out,
        "<svg x=\"0\" y=\"0\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 %.3f %d\" "
        "preserveAspectRatio=\"none\">",
        HEIGHT, (double)r->scenario->duration / (double)wzp_lab_measure_bin_ns(r->measure), HEIGHT);
}

static void put_scale(FILE *out, double most, const char *unit) {
    (void)fprintf(out, "<text x=\"4\" y=\"12\">%.*f %s</text><text x=\"4\" y=\"%d\">0</text>",
                  most < 10 ? 1 : 0, most, unit, HEIGHT - 4);
}

/* --- flows ------------------------------------------------------------------------------------ */

static double y_of(double value, double most) {
    return HEIGHT - value / most * (HEIGHT - 16);
}

static double bin_mean(const wzp_lab_bin *bin) {
    return bin->arrived > 0 ? ms(bin->delay_sum / bin->arrived) : 0;
}

/* Bars from the bottom; where nothing arrived the curves have a gap. */
static void put_most(FILE *out, const wzp_lab_flow *flow, size_t bins, double most) {
    (void)fputs("<path class=\"most\" d=\"", out);
    for (size_t b = 0; b < bins; b++) {
        if (flow->bins[b].arrived > 0) {
            const double top = y_of(ms(flow->bins[b].delay_max), most);
            (void)fprintf(out, "M%zu %dV%.1fh1V%dz", b, HEIGHT, top, HEIGHT);
        }
    }
    (void)fputs("\"/>", out);
}

static void put_mean(FILE *out, const wzp_lab_flow *flow, size_t bins, double most) {
    bool drawing = false;
    (void)fputs("<path class=\"mean\" d=\"", out);
    for (size_t b = 0; b < bins; b++) {
        if (flow->bins[b].arrived > 0) {
            (void)fprintf(out, "%c%.1f %.1f", drawing ? 'L' : 'M', (double)b + 0.5,
                          y_of(bin_mean(&flow->bins[b]), most));
        }
        drawing = flow->bins[b].arrived > 0;
    }
    (void)fputs("\"/>", out);
}

static void put_lost(FILE *out, const wzp_lab_flow *flow, size_t bins) {
    (void)fputs("<path class=\"lost\" d=\"", out);
    for (size_t b = 0; b < bins; b++) {
        const wzp_lab_bin *bin = &flow->bins[b];
        if (bin->sent > bin->arrived && b + 1 < bins) { /* the last ones are under way */
            const double share = 1 - (double)bin->arrived / (double)bin->sent;
            (void)fprintf(out, "M%zu %dV%.1fh1V%dz", b, HEIGHT, HEIGHT - share * (HEIGHT - 16),
                          HEIGHT);
        }
    }
    (void)fputs("\"/>", out);
}

static void put_name(FILE *out, const wzp_lab_result *r, uint32_t party) {
    const wzp_lab_scenario *s = r->scenario;
    wzp_lab_html_text(out, party < s->host_count ? s->hosts[party].name
                                                 : s->relays[party - s->host_count].name);
}

void wzp_lab_html_flow(FILE *out, const wzp_lab_result *r, const wzp_lab_flow *flow) {
    const size_t bins = wzp_lab_measure_bins(r->measure);
    const double most = flow->delay_max > 0 ? ms(flow->delay_max) : 1;
    const uint64_t mean = flow->arrived > 0 ? flow->delay_sum / flow->arrived : 0;
    (void)fputs("<h3>", out);
    put_name(out, r, flow->from);
    (void)fputs(" to ", out);
    put_name(out, r, flow->to);
    (void)fprintf(out,
                  " <span>delay %.1f ms on average, %.1f to %.1f; %" PRIu64 " of %" PRIu64
                  " packets arrived</span></h3>\n<svg class=\"chart\" role=\"img\" "
                  "aria-label=\"delay and loss over time\" height=\"%d\">",
                  ms(mean), ms(flow->delay_min), ms(flow->delay_max), flow->arrived, flow->sent,
                  HEIGHT);
    put_grid(out, r, HEIGHT, false);
    begin_curves(out, r);
    put_most(out, flow, bins, most);
    put_mean(out, flow, bins, most);
    put_lost(out, flow, bins);
    (void)fputs("</svg>", out);
    put_marks(out, r, HEIGHT);
    put_scale(out, most, "ms");
    (void)fputs("</svg>\n", out);
}

/* --- lines ------------------------------------------------------------------------------------ */

void wzp_lab_html_line(FILE *out, const wzp_lab_result *r, const wzp_lab_line *line) {
    const size_t bins = wzp_lab_measure_bins(r->measure);
    uint64_t highest = 0;
    for (size_t b = 0; b < bins; b++) {
        const uint64_t extra = wzp_time_since(line->most[b], line->least);
        highest = extra > highest ? extra : highest;
    }
    (void)fputs("<h3>", out);
    wzp_lab_html_text(out, line->name);
    (void)fprintf(out,
                  " <span>%.1f ms without waiting, up to %.1f ms more</span></h3>\n"
                  "<svg class=\"chart\" role=\"img\" aria-label=\"waiting over time\" "
                  "height=\"%d\">",
                  ms(line->least), ms(highest), HEIGHT);
    put_grid(out, r, HEIGHT, false);
    begin_curves(out, r);
    (void)fputs("<path class=\"queue\" d=\"", out);
    const double most = highest > 0 ? ms(highest) : 1;
    for (size_t b = 0; b < bins; b++) {
        const uint64_t extra = wzp_time_since(line->most[b], line->least);
        if (extra > 0) {
            (void)fprintf(out, "M%zu %dV%.1fh1V%dz", b, HEIGHT, y_of(ms(extra), most), HEIGHT);
        }
    }
    (void)fputs("\"/></svg>", out);
    put_marks(out, r, HEIGHT);
    put_scale(out, most, "ms");
    (void)fputs("</svg>\n", out);
}

/* --- timeline --------------------------------------------------------------------------------- */

enum { LANES_MAX = 64, DOTS_MAX = 400 };

typedef struct lanes {
    const char *names[LANES_MAX];
    size_t dots[LANES_MAX];
    size_t count;
} lanes;

static size_t lane_of(lanes *l, const char *who) {
    for (size_t i = 0; i < l->count; i++) {
        if (strcmp(l->names[i], who) == 0) {
            return i;
        }
    }
    if (l->count == LANES_MAX) {
        return LANES_MAX - 1;
    }
    l->names[l->count] = who;
    return l->count++;
}

static bool is_bad(const wzp_lab_entry *e) {
    return strcmp(e->what, "hangup") == 0 || strcmp(e->what, "closed") == 0 ||
           strcmp(e->what, "violation") == 0;
}

static void put_dot(FILE *out, const wzp_lab_result *r, const wzp_lab_entry *e, size_t lane) {
    (void)fprintf(out, "<circle class=\"dot%s\" cx=\"%.3f%%\" cy=\"%zu\" r=\"4\"><title>",
                  is_bad(e) ? " bad" : "", percent(r, e->at), lane * LANE + LANE - 9);
    (void)fprintf(out, "%.3f s ", (double)e->at / 1e9);
    wzp_lab_html_text(out, e->what);
    (void)fputc(' ', out);
    wzp_lab_html_text(out, e->detail);
    (void)fputs("</title></circle>", out);
}

static void put_labels(FILE *out, const lanes *l) {
    for (size_t i = 0; i < l->count; i++) {
        (void)fprintf(out, "<text x=\"4\" y=\"%zu\">", i * LANE + 12);
        wzp_lab_html_text(out, l->names[i]);
        (void)fputs("</text>", out);
    }
}

/* One lane for everybody to whom something happened. */
void wzp_lab_html_timeline(FILE *out, const wzp_lab_result *r) {
    lanes l = {.count = 0};
    for (size_t i = 0; i < r->entry_count; i++) {
        (void)lane_of(&l, r->entries[i].who);
    }
    const int height = (int)(l.count * LANE);
    (void)fprintf(out,
                  "<svg class=\"chart\" role=\"img\" aria-label=\"what happened when; the list "
                  "below has the same\" height=\"%d\">",
                  height + 18);
    put_grid(out, r, height, true);
    put_marks(out, r, height);
    for (size_t i = 0; i < r->entry_count; i++) {
        const size_t lane = lane_of(&l, r->entries[i].who);
        if (l.dots[lane]++ < DOTS_MAX) {
            put_dot(out, r, &r->entries[i], lane);
        }
    }
    put_labels(out, &l);
    (void)fputs("</svg>\n", out);
}
