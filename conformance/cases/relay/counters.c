#include "conformance/cases/relay/counters.h"

#include <stdlib.h>

#include "conformance/engine/exposition.h"

wzp_ct_so_far wzp_ct_step_count_before(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_counted *m = wzp_ct_play_state(e);
    char *page = wzp_ct_play_scrape(e);
    const wzp_ct_counter *c = wzp_ct_play_arg(e);
    (void)now;
    for (size_t i = 0; page != NULL && i < WZP_CT_COUNTERS && c[i].series != NULL; i++) {
        (void)wzp_exposition_sum(page, c[i].series, &m->before[i]);
    }
    if (page == NULL) {
        wzp_ct_play_say(e, "the page cannot be read");
    }
    free(page);
    return page != NULL ? WZP_CT_HAPPENED : WZP_CT_UNSURE;
}

static double most_of(const wzp_ct_exec *e, const wzp_ct_counter *c) {
    const bool enforced = wzp_ct_play_mode(e) == WZP_CT_MODE_ENFORCE;
    return !enforced && c->most_observed > 0 ? c->most_observed : c->most;
}

/* 1 all are as they must be, 0 some are too low yet, -1 one is too high. */
static int weigh(wzp_ct_exec *e, const char *page, bool say) {
    const wzp_ct_counted *m = wzp_ct_play_state(e);
    const wzp_ct_counter *c = wzp_ct_play_arg(e);
    int verdict = 1;
    for (size_t i = 0; i < WZP_CT_COUNTERS && c[i].series != NULL; i++) {
        double sum = 0;
        (void)wzp_exposition_sum(page, c[i].series, &sum);
        const double grew = sum - m->before[i];
        const int one = grew > most_of(e, &c[i]) ? -1 : grew < c[i].least ? 0 : 1;
        verdict = one < verdict ? one : verdict;
        if (say || one < 0) {
            wzp_ct_play_say(e, "%s grew by %g", c[i].series, grew);
        }
    }
    return verdict;
}

/* What is on its way is counted after half a second; a page may be a second old. */
wzp_ct_so_far wzp_ct_step_count_after(wzp_ct_exec *e, wzp_time now) {
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    if (elapsed < 500 * WZP_MS) {
        wzp_ct_play_wake(e, now - elapsed + 500 * WZP_MS);
        return WZP_CT_NOT_YET;
    }
    char *page = wzp_ct_play_scrape(e);
    if (page == NULL) {
        wzp_ct_play_say(e, "the page cannot be read");
        return WZP_CT_UNSURE;
    }
    const bool last = elapsed >= 2500 * WZP_MS;
    const int verdict = weigh(e, page, last);
    free(page);
    if (verdict == 0 && last) {
        return wzp_ct_play_path_loses(e) ? WZP_CT_UNSURE : WZP_CT_NEVER;
    }
    wzp_ct_play_wake(e, now + 250 * WZP_MS);
    return verdict > 0 ? WZP_CT_HAPPENED : verdict < 0 ? WZP_CT_NEVER : WZP_CT_NOT_YET;
}
