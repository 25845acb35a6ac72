#include <inttypes.h>
#include <string.h>

#include "sim/lab/report.h"

typedef struct printer {
    FILE *out;
    const wzp_lab_text_opts *opts;
} printer;

static const char *colour_of(const printer *p, const char *code) {
    return p->opts->colour ? code : "";
}

static uint64_t ms(uint64_t ns) {
    return (ns + WZP_MS / 2) / WZP_MS;
}

static const char *path_name(wzp_lab_path path) {
    return path == WZP_LAB_PATH_RELAY    ? "relay"
           : path == WZP_LAB_PATH_DIRECT ? "direct"
                                         : "no path";
}

static const char *speaker_name(const wzp_lab_result *r, const wzp_lab_call_result *call,
                                uint32_t id) {
    for (size_t m = 0; m < call->call->member_count; m++) {
        if (call->members[m].report.id == id) {
            return r->scenario->hosts[call->members[m].host].name;
        }
    }
    return "?";
}

static void put_heard(const printer *p, const wzp_lab_result *r, const wzp_lab_call_result *call,
                      const wzp_sim_heard *heard) {
    const wzp_sim_verdict *v = &heard->verdict;
    (void)fprintf(p->out,
                  "    hears %-6s %-3s  %u.%02u %% concealed, longest gap %u ms, delay %" PRIu64
                  " ms (95 %%: %" PRIu64 "), lost %" PRIu64 " of %" PRIu64 "\n",
                  speaker_name(r, call, heard->sender), wzp_sim_class_name(v->which),
                  v->conc_ppm / 10000, v->conc_ppm / 100 % 100, v->gap_ms, ms(heard->delay_p50),
                  ms(heard->delay_p95), heard->lost, heard->lost + heard->arrived);
}

static void put_member(const printer *p, const wzp_lab_result *r, const wzp_lab_call_result *call,
                       const wzp_lab_member *member) {
    const wzp_sim_call_report *report = &member->report;
    (void)fprintf(p->out, "  %-8s %-7s", r->scenario->hosts[member->host].name,
                  path_name(member->path));
    if (member->setup != 0) {
        (void)fprintf(p->out, " setup %" PRIu64 " ms, round trip %" PRIu64 " ms", ms(member->setup),
                      ms(report->rtt));
    } else {
        (void)fputs(" heard nothing", p->out);
    }
    if (member->since_wish != 0) {
        (void)fprintf(p->out, ", %" PRIu64 " ms after the wish to call", ms(member->since_wish));
    }
    if (report->ended_at != WZP_TIME_NEVER) {
        (void)fprintf(p->out, ", ended at %" PRIu64 " ms: %s",
                      ms(wzp_time_since(report->ended_at, r->start)), report->closed);
    }
    (void)fputc('\n', p->out);
    for (size_t i = 0; i < report->senders; i++) {
        put_heard(p, r, call, &report->heard[i]);
    }
}

static void put_calls(const printer *p, const wzp_lab_result *r) {
    for (size_t c = 0; c < r->scenario->call_count; c++) {
        const wzp_lab_call_result *call = &r->calls[c];
        if (r->scenario->call_count > 1) {
            (void)fprintf(p->out, "%s\n", call->call->name);
        }
        for (size_t m = 0; m < call->call->member_count; m++) {
            put_member(p, r, call, &call->members[m]);
        }
    }
}

static size_t put_failures(const printer *p, const wzp_lab_result *r) {
    size_t failed = 0;
    for (size_t i = 0; i < r->check_count; i++) {
        const wzp_lab_check *c = &r->checks[i];
        if (!c->good) {
            failed++;
            (void)fprintf(p->out, "  %s%s%s%s%s: expected %s, got %s\n", colour_of(p, "\033[31m"),
                          wzp_lab_check_word(c->kind), colour_of(p, "\033[0m"),
                          c->where[0] != '\0' ? " " : "", c->where, c->expected, c->got);
        }
    }
    return failed;
}

bool wzp_lab_report_text(FILE *out, const wzp_lab_result *result, const wzp_lab_text_opts *opts) {
    const printer p = {out, opts};
    const wzp_lab_outcome outcome = wzp_lab_result_outcome(result);
    const char *colours[] = {"\033[32m", "\033[31m", "\033[33m"};
    if (!opts->quiet) {
        (void)fprintf(out, "%s, seed %" PRIu64 ", engine %s\n", result->scenario->name,
                      result->scenario->seed, result->engine);
        put_calls(&p, result);
    }
    const size_t failed = put_failures(&p, result);
    if (result->lacks != NULL && failed > 0) {
        (void)fprintf(out, "  this build lacks what the scenario needs: %s\n", result->lacks);
    }
    (void)fprintf(out, "%s%s%s: %s, %zu of %zu checks good, trace %016" PRIx64 "\n",
                  colour_of(&p, colours[outcome]), wzp_lab_outcome_word(outcome),
                  colour_of(&p, "\033[0m"), result->scenario->name, result->check_count - failed,
                  result->check_count, result->trace_hash);
    return ferror(out) == 0;
}
