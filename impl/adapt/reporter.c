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
        r->window_sent = r->window_lost = 0; /* another connection */
    }
    const uint64_t sent = totals->packets_sent - r->window_sent;
    if (sent >= WZP_REPORT_WINDOW_MIN) {
        r->loss_ppm = ratio_ppm(totals->packets_lost - r->window_lost, sent);
        r->window_sent = totals->packets_sent;
        r->window_lost = totals->packets_lost;
    }
}

bool wzp_reporter_frame(wzp_reporter *r, const wzp_path_totals *totals) {
    if (++r->frames < WZP_REPORT_EVERY) {
        return false;
    }
    measure(r, totals);
    r->frames = 0;
    r->pending = true;
    r->report =
        wzp_quality_report_from_path((double)r->loss_ppm / PPM_PER_PERCENT, totals->rtt_ms,
                                     r->policy == WZP_ADAPT_DEPLOYED ? 0 : totals->jitter_ms);
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
