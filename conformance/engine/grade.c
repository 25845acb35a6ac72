#include "conformance/engine/grade.h"

#include <stdio.h>
#include <string.h>

#include "wire/signal.h"

const char *wzp_ct_codes_text(unsigned codes, char *buf, size_t cap) {
    size_t used = 0;
    buf[0] = '\0';
    for (unsigned i = 0; i < WZP_CODE_COUNT; i++) {
        if ((codes >> i & 1) != 0 && used + 1 < cap) {
            const int n = snprintf(buf + used, cap - used, "%s%s", used != 0 ? " or " : "",
                                   wzp_violation_code_name((wzp_violation_code)i));
            used += n > 0 ? (size_t)n : 0;
        }
    }
    return buf;
}

static void verdict(wzp_ct_run *run, wzp_ct_grade grade, wzp_ct_reason reason) {
    run->grade = grade;
    run->reason = reason;
}

static bool control_lost(const wzp_ct_run *run) {
    return run->control_offered > 0 && run->control_delivered * 100 < run->control_offered * 99;
}

/* A road that holds packets back hands them over in heaps: windows of a second then hold more or
 * less than was sent in them, and buffers run over.  On an idle machine the control's packets are
 * within a few milliseconds of each other. */
static bool control_was_held_up(const wzp_ct_run *run) {
    return run->control_spread_ms > 50.0;
}

bool wzp_ct_path_was_bad(const wzp_ct_run *run) {
    return control_lost(run) || control_was_held_up(run);
}

static bool sender_failed(const wzp_ct_run *run) {
    return run->scheduled > 0 && run->sent * 100 < run->scheduled * 98;
}

static bool over(uint64_t value, uint64_t limit) {
    return limit != 0 && value > limit;
}

static bool not_over(uint64_t value, uint64_t limit) {
    return limit != 0 && value <= limit;
}

/* Would a correct relay have had to react?  Asked only when it did not. */
static bool not_sure_over(const wzp_ct_run *run, const wzp_ct_criteria *c) {
    return not_over(run->min_aligned_bytes_1s, c->over_bytes) ||
           not_over(run->min_aligned_packets_1s, c->over_packets);
}

/* Could a correct relay have reacted?  Asked only when it did. */
static bool not_sure_under(const wzp_ct_run *run, const wzp_ct_criteria *c) {
    return over(run->max_bytes_1s, c->under_bytes) || over(run->max_packets_1s, c->under_packets);
}

static bool mostly_delivered(const wzp_ct_run *run) {
    return run->offered > 0 && run->delivered * 100 >= run->offered * 99;
}

static void judge_hangup(wzp_ct_run *run, const wzp_ct_criteria *c, bool closed,
                         unsigned hangup_bit) {
    if ((hangup_bit & c->codes) == 0) {
        verdict(run, WZP_CT_FAIL, WZP_CT_REASON_WRONG_CODE);
    } else if (run->hangup_s > c->deadline_s) {
        verdict(run, WZP_CT_FAIL, WZP_CT_REASON_LATE);
    } else if (!closed || run->close_s - run->hangup_s > 2.0 || run->after_close > 0) {
        verdict(run, WZP_CT_FAIL, WZP_CT_REASON_NOT_CLOSED);
    } else {
        verdict(run, WZP_CT_PASS, WZP_CT_REASON_NONE);
    }
}

static void judge_enforcement(wzp_ct_run *run, const wzp_ct_criteria *c, bool closed,
                              unsigned hangup_bit, bool lost) {
    if (run->hangup_s >= 0) {
        judge_hangup(run, c, closed, hangup_bit);
    } else if (lost || (!closed && (sender_failed(run) || not_sure_over(run, c)))) {
        verdict(run, WZP_CT_INCONCLUSIVE, WZP_CT_REASON_SENDER_RATE);
    } else if (closed) {
        verdict(run, WZP_CT_FAIL, WZP_CT_REASON_UNTYPED_CLOSE);
    } else if (!mostly_delivered(run)) {
        verdict(run, WZP_CT_FAIL, WZP_CT_REASON_SILENT_DROP);
    } else {
        verdict(run, WZP_CT_FAIL, WZP_CT_REASON_NOT_CLOSED);
    }
}

/* A SHOULD: what would fail is a warning, and throttling instead of closing will do, unless the
 * case says that it must not be silent. */
static void judge_lenient(wzp_ct_run *run, const wzp_ct_criteria *c, bool closed,
                          unsigned hangup_bit, bool lost) {
    judge_enforcement(run, c, closed, hangup_bit, lost);
    const bool forbidden = c->never_silent && run->reason == WZP_CT_REASON_SILENT_DROP;
    if (run->grade == WZP_CT_FAIL && !forbidden) {
        run->grade = WZP_CT_PASS;
        run->lenient = true;
        if (run->delivered * 20 <= run->offered) {
            run->reason = WZP_CT_REASON_NONE;
        }
    }
}

static void judge_forwarding(wzp_ct_run *run, const wzp_ct_criteria *c, bool closed, bool lost) {
    const bool reacted = run->hangup_s >= 0 || closed;
    const bool altered = run->altered > 0 || (run->duplicated > 0 && !c->duplicates_ok);
    const bool excused =
        reacted ? not_sure_under(run, c) : lost || (!altered && sender_failed(run));
    if (excused) {
        verdict(run, WZP_CT_INCONCLUSIVE, WZP_CT_REASON_SENDER_RATE);
    } else if (!reacted && altered) {
        verdict(run, WZP_CT_FAIL, WZP_CT_REASON_ALTERED);
    } else if (!reacted && mostly_delivered(run)) {
        verdict(run, WZP_CT_PASS, WZP_CT_REASON_NONE);
    } else {
        verdict(run, WZP_CT_FAIL, WZP_CT_REASON_FALSE_POSITIVE);
    }
}

static void judge_ignoring(wzp_ct_run *run, const wzp_ct_criteria *c, bool closed, bool lost) {
    judge_forwarding(run, c, closed, lost);
    if (run->grade == WZP_CT_FAIL && run->reason == WZP_CT_REASON_FALSE_POSITIVE) {
        run->reason = closed ? WZP_CT_REASON_UNTYPED_CLOSE : WZP_CT_REASON_NOT_FORWARDED;
    }
}

static void say_expected(wzp_ct_run *run, const wzp_ct_criteria *c) {
    char codes[128];
    switch (c->rule) {
    case WZP_CT_RULE_ENF:
    case WZP_CT_RULE_LENIENT:
        (void)snprintf(run->expected, sizeof run->expected,
                       "Hangup PolicyViolation %s within %.1f s, then a close within 2 s",
                       wzp_ct_codes_text(c->codes, codes, sizeof codes), c->deadline_s);
        break;
    case WZP_CT_RULE_FWD:
        (void)snprintf(run->expected, sizeof run->expected,
                       "every packet delivered unchanged and once (99 %%), no hangup, no close");
        break;
    case WZP_CT_RULE_IGN:
        (void)snprintf(
            run->expected, sizeof run->expected,
            "malformed input reaches nobody, the connection stays, 5 s of speech arrives");
        break;
    case WZP_CT_RULE_INFO:
        (void)snprintf(run->expected, sizeof run->expected, "any behaviour; it is only described");
        break;
    case WZP_CT_RULE_RESP:
        break;
    }
}

static void say_actual(wzp_ct_run *run, bool closed) {
    char hangup[64] = "no hangup";
    char close[160] = "connection open";
    if (run->hangup_s >= 0) {
        (void)snprintf(hangup, sizeof hangup, "hangup %s at %.2f s", run->hangup_code,
                       run->hangup_s);
    }
    if (closed) {
        (void)snprintf(close, sizeof close, "closed at %.2f s (code %llu, \"%s\")", run->close_s,
                       (unsigned long long)run->close_code, run->close_reason);
    }
    (void)snprintf(run->actual, sizeof run->actual,
                   "%s, %s; %llu of %llu packets delivered, %llu altered, %llu twice; control %llu "
                   "of %llu, within %.0f ms",
                   hangup, close, (unsigned long long)run->delivered,
                   (unsigned long long)run->offered, (unsigned long long)run->altered,
                   (unsigned long long)run->duplicated, (unsigned long long)run->control_delivered,
                   (unsigned long long)run->control_offered, run->control_spread_ms);
}

/* Does the limit stay broken whatever the path did?  The control says what share it loses on both
 * halves together: the sender's half may have lost all of that, twice as much in a bad second, and
 * what was held back is missing from its window. */
static bool over_despite_path(const wzp_ct_run *run, uint64_t sent, uint64_t limit) {
    const double offered = (double)run->control_offered;
    const double lost = offered - (double)run->control_delivered;
    const double kept = offered > 0 ? 1.0 - 2.0 * lost / offered - run->control_spread_ms / 1e3 : 0;
    return limit == 0 || (double)sent * kept > (double)limit;
}

/* Nothing was said and nothing closed, and the traffic was over every limit even so. */
static bool was_idle(const wzp_ct_run *run, const wzp_ct_criteria *c) {
    return c->rule == WZP_CT_RULE_ENF && run->hangup_s < 0 && run->close_s < 0 &&
           over_despite_path(run, run->min_aligned_bytes_1s, c->over_bytes) &&
           over_despite_path(run, run->min_aligned_packets_1s, c->over_packets);
}

/* Of traffic no faster than speech far more vanished than of the control's. */
static bool was_swallowed(const wzp_ct_run *run) {
    const double offered = (double)run->offered;
    const double control = (double)run->control_delivered / (double)run->control_offered;
    return run->hangup_s < 0 && run->close_s < 0 && run->max_bytes_1s < 50000 &&
           run->offered >= 50 && (double)run->delivered < (control - 0.15) * offered;
}

/* Heaps of packets look like a rate; they do not look like drift, size or noise. */
static bool is_about_rate(unsigned hangup_bit) {
    return (hangup_bit &
            (1U << WZP_CODE_BITRATE | 1U << WZP_CODE_PACKET_RATE | 1U << WZP_CODE_RATE_CAP)) != 0;
}

/* Is the failure one that no path explains? */
static bool stands_on_bad_path(const wzp_ct_run *run, const wzp_ct_criteria *c, bool closed,
                               unsigned hangup_bit) {
    const bool legitimate = c->rule == WZP_CT_RULE_FWD || c->rule == WZP_CT_RULE_IGN;
    return run->reason == WZP_CT_REASON_ALTERED || was_idle(run, c) || was_swallowed(run) ||
           (run->hangup_s >= 0 && run->close_s < 0) ||
           (legitimate && run->hangup_s >= 0 && !is_about_rate(hangup_bit)) ||
           (c->rule == WZP_CT_RULE_IGN && closed && run->hangup_s < 0);
}

/* A SHOULD that failed. */
static bool is_warning(const wzp_ct_run *run) {
    return run->grade == WZP_CT_PASS && run->lenient && run->reason != WZP_CT_REASON_NONE;
}

void wzp_ct_judge(wzp_ct_run *run, const wzp_ct_criteria *c, bool closed, unsigned hangup_bit,
                  bool lost) {
    say_expected(run, c);
    say_actual(run, closed);
    if (c->rule == WZP_CT_RULE_INFO) {
        verdict(run, WZP_CT_PASS, WZP_CT_REASON_NONE);
        return;
    }
    switch (c->rule) {
    case WZP_CT_RULE_ENF:
        judge_enforcement(run, c, closed, hangup_bit, lost);
        break;
    case WZP_CT_RULE_LENIENT:
        judge_lenient(run, c, closed, hangup_bit, lost);
        break;
    case WZP_CT_RULE_FWD:
        judge_forwarding(run, c, closed, lost);
        break;
    case WZP_CT_RULE_IGN:
        judge_ignoring(run, c, closed, lost);
        break;
    case WZP_CT_RULE_INFO:
    case WZP_CT_RULE_RESP:
        break;
    }
    if (run->control_hangup) { /* others must not suffer */
        verdict(run, WZP_CT_FAIL, WZP_CT_REASON_FALSE_POSITIVE);
    } else if (wzp_ct_path_was_bad(run) && (run->grade != WZP_CT_PASS || is_warning(run))) {
        /* Where the control fares badly too, the rest may be the path's doing. */
        const bool failed = run->grade == WZP_CT_FAIL || is_warning(run);
        if (!failed || !stands_on_bad_path(run, c, closed, hangup_bit)) {
            verdict(run, WZP_CT_INCONCLUSIVE, WZP_CT_REASON_CONTROL_LOSS);
            run->lenient = false;
        } else if (was_idle(run, c)) {
            run->reason = WZP_CT_REASON_NOT_CLOSED; /* what is missing was lost */
        }
    }
}
