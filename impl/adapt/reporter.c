#include "adapt/reporter.h"

enum { MILLION = 1000000, PPM_PER_PERCENT = MILLION / 100 };

void wzp_reporter_init(wzp_reporter *reporter, wzp_adapt_policy policy) {
    *reporter = (wzp_reporter){.policy = policy};
}

/* What was lost may have been sent before the window was opened. */
static uint32_t ratio_ppm(uint64_t lost, uint64_t sent) {
    return lost >= sent ? MILLION : (uint32_t)(lost * MILLION / sent);
}

static void measure(wzp_reporter *r, const wzp_path_totals *totals) {
    if (r->policy == WZP_ADAPT_DEPLOYED) {
        r->loss_ppm =
            totals->packets_sent > 0 ? ratio_ppm(totals->packets_lost, totals->packets_sent) : 0;
        return;
    }
    if (totals->packets_sent < r->window_sent || totals->packets_lost < r->window_lost) {
        r->window_sent = r->window_lost = r->window_overdue = 0; /* another connection */
    }
    const uint64_t sent = totals->packets_sent - r->window_sent;
    const uint64_t lost = totals->packets_lost + totals->packets_overdue;
    const uint64_t before = r->window_lost + r->window_overdue;
    if (sent >= WZP_REPORT_WINDOW_MIN) {
        r->loss_ppm = ratio_ppm(lost > before ? lost - before : 0, sent);
        r->window_sent = totals->packets_sent;
        r->window_lost = totals->packets_lost;
        r->window_overdue = totals->packets_overdue;
    }
}

void wzp_reporter_moved(wzp_reporter *r, const wzp_path_totals *totals) {
    r->pending = false;
    r->loss_ppm = 0;
    r->window_sent = totals->packets_sent;
    r->window_lost = totals->packets_lost;
    r->window_overdue = totals->packets_overdue;
}

static wzp_quality_report report_of(const wzp_reporter *r, uint32_t loss_ppm,
                                    const wzp_path_totals *totals) {
    return wzp_quality_report_from_path((double)loss_ppm / PPM_PER_PERCENT, totals->rtt_ms,
                                        r->policy == WZP_ADAPT_DEPLOYED ? 0 : totals->jitter_ms);
}

bool wzp_reporter_is_due(const wzp_reporter *r) {
    return r->frames + 1 >= WZP_REPORT_EVERY;
}

bool wzp_reporter_frame(wzp_reporter *r, const wzp_path_totals *totals) {
    if (++r->frames < WZP_REPORT_EVERY) {
        return false;
    }
    measure(r, totals);
    r->frames = 0;
    r->pending = true;
    const bool both = r->policy == WZP_ADAPT_REFERENCE && totals->down_loss_ppm > r->loss_ppm;
    r->own = report_of(r, r->loss_ppm, totals);
    r->report = report_of(r, both ? totals->down_loss_ppm : r->loss_ppm, totals);
    return true;
}

bool wzp_reporter_take(wzp_reporter *r, wzp_quality_report *out) {
    if (!r->pending) {
        return false;
    }
    r->pending = false;
    *out = r->report;
    return true;
}
