/* Was it as expected?  Paths come from the packets, sound from the ears; nat sheet 2.13. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/emodel.h"
#include "sim/lab/world.h"

/* At the end of a call the last frames are still under way. */
#define FAREWELL (200 * WZP_MS)

const char *wzp_lab_check_word(wzp_lab_check_kind kind) {
    static const char *const words[] = {
#define X(id, word, strict) word,
        WZP_LAB_CHECK_MAP(X)
#undef X
    };
    return words[kind];
}

bool wzp_lab_check_strict(wzp_lab_check_kind kind) {
    static const bool stricts[] = {
#define X(id, word, strict) strict,
        WZP_LAB_CHECK_MAP(X)
#undef X
    };
    return stricts[kind];
}

/* --- one verdict after the other -------------------------------------------------------------- */

typedef struct judging {
    struct wzp_lab_world *w;
    wzp_lab_result *r;
    const wzp_lab_call *call;
    wzp_lab_member *members;
    size_t cap;
    bool no_memory;
} judging;

__attribute__((format(printf, 5, 6))) static void check(judging *j, wzp_lab_check_kind kind,
                                                        bool good, const char *where,
                                                        const char *expected, ...) {
    va_list args;
    if (j->r->check_count == j->cap) {
        const size_t cap = j->cap == 0 ? 32 : 2 * j->cap;
        wzp_lab_check *checks = realloc(j->r->checks, cap * sizeof *checks);
        if (checks == NULL) {
            j->no_memory = true;
            return;
        }
        j->r->checks = checks;
        j->cap = cap;
    }
    wzp_lab_check *c = &j->r->checks[j->r->check_count++];
    *c = (wzp_lab_check){.kind = kind, .good = good};
    (void)snprintf(c->where, sizeof c->where, "%s", where);
    va_start(args, expected);
    (void)vsnprintf(c->expected, sizeof c->expected, expected, args);
    va_end(args);
}

/* What came instead, of the check that was added last. */
__attribute__((format(printf, 2, 3))) static void got(judging *j, const char *format, ...) {
    va_list args;
    if (!j->no_memory && j->r->check_count > 0) {
        wzp_lab_check *c = &j->r->checks[j->r->check_count - 1];
        va_start(args, format);
        (void)vsnprintf(c->got, sizeof c->got, format, args);
        va_end(args);
    }
}

static uint64_t ms(uint64_t ns) {
    return (ns + WZP_MS / 2) / WZP_MS;
}

static const char *name_of(const judging *j, size_t m) {
    return j->w->s->hosts[j->members[m].host].name;
}

/* --- paths ------------------------------------------------------------------------------------ */

static const char *path_name(wzp_lab_path path) {
    static const char *const names[] = {"any", "relay", "direct", "none", "best"};
    return names[path];
}

static wzp_time end_of(const judging *j, const wzp_lab_member *member) {
    const wzp_time planned = j->r->start + j->call->end;
    return wzp_time_min(planned, member->report.ended_at);
}

/* By what came in during the last seconds of the call. */
static wzp_lab_path path_of(const judging *j, const wzp_lab_member *member) {
    const wzp_time end = wzp_time_since(end_of(j, member), j->r->start);
    const uint64_t length = wzp_time_since(end, j->call->start);
    const uint64_t window = length / 2 < 10 * WZP_S ? length / 2 : 10 * WZP_S;
    const uint32_t source = wzp_lab_measure_source(j->r->measure, member->host, end - window, end);
    if (source == WZP_LAB_NONE || !member->report.in_call) {
        return WZP_LAB_PATH_NONE;
    }
    return source >= j->w->s->host_count ? WZP_LAB_PATH_RELAY : WZP_LAB_PATH_DIRECT;
}

static void judge_path(judging *j, size_t m) {
    const wzp_lab_expect *e = &j->call->expect[m];
    const wzp_lab_path is = j->members[m].path;
    wzp_lab_path want = (wzp_lab_path)e->path;
    if (want == WZP_LAB_PATH_BEST) {
        want = j->call->direct ? WZP_LAB_PATH_DIRECT : WZP_LAB_PATH_RELAY; /* rooms are relays' */
    }
    if (want != WZP_LAB_PATH_ANY) {
        check(j, WZP_LAB_CHECK_PATH, is == want, name_of(j, m), "%s", path_name(want));
        got(j, "%s", path_name(is));
    }
}

/* Somebody is not to be in the call at its end. */
static bool breaks(const judging *j, size_t m) {
    const wzp_lab_expect *e = &j->call->expect[m];
    return e->path == WZP_LAB_PATH_NONE || e->ends_within != 0;
}

static void judge_agreement(judging *j) {
    const bool split = j->call->expect[0].split;
    if (j->call->member_count == 2 && !split && !breaks(j, 0) && !breaks(j, 1)) {
        const wzp_lab_path a = j->members[0].path;
        const wzp_lab_path b = j->members[1].path;
        check(j, WZP_LAB_CHECK_AGREE, a == b, j->call->name, "one path for both");
        got(j, "%s and %s", path_name(a), path_name(b));
    }
}

/* --- beginning and end ------------------------------------------------------------------------ */

static bool talks(const judging *j, size_t m) {
    return j->call->talk == WZP_LAB_TALK_ALL || (j->call->talk == WZP_LAB_TALK_CALLER && m == 0);
}

/* The later CallSetup of the two; a fault that holds one back is the relay's. */
static wzp_time set_up_at(const judging *j) {
    const wzp_lab_member *m = j->members;
    const wzp_time a = wzp_time_after(m[0].seat->set_up_at, m[0].phone_report.set_up_held);
    const wzp_time b = wzp_time_after(m[1].seat->set_up_at, m[1].phone_report.set_up_held);
    return a > b ? a : b;
}

/* From the moment at which both the listener and somebody to listen to had dialled. */
static uint64_t setup_of(const judging *j, size_t m) {
    wzp_time other = WZP_TIME_NEVER;
    if (j->call->direct) {
        const wzp_time heard = j->members[m].report.heard_at;
        return heard != WZP_TIME_NEVER ? wzp_time_since(heard, set_up_at(j)) : 0;
    }
    for (size_t i = 0; i < j->call->member_count; i++) {
        if (i != m && talks(j, i)) {
            other = wzp_time_min(other, j->members[i].report.dialled_at);
        }
    }
    const wzp_sim_call_report *report = &j->members[m].report;
    const wzp_time begin = other > report->dialled_at ? other : report->dialled_at;
    return report->heard_at != WZP_TIME_NEVER ? wzp_time_since(report->heard_at, begin) : 0;
}

static uint64_t since_wish(const judging *j, size_t m) {
    const wzp_time heard = j->members[m].report.heard_at;
    const wzp_time wished = j->members[0].phone_report.wished_at;
    return j->call->direct && heard != WZP_TIME_NEVER ? wzp_time_since(heard, wished) : 0;
}

static void judge_offer(judging *j, size_t m) {
    const wzp_sim_phone_report *report = &j->members[m].phone_report;
    const uint64_t most = j->call->expect[m].offer;
    if (most != 0 && m == 0 && j->call->direct) {
        const uint64_t took = wzp_time_since(report->offered_at, report->wished_at);
        check(j, WZP_LAB_CHECK_OFFER, report->offered_at != WZP_TIME_NEVER && took <= most,
              name_of(j, m), "%" PRIu64 " ms", ms(most));
        if (report->offered_at != WZP_TIME_NEVER) {
            got(j, "%" PRIu64 " ms", ms(took));
        } else {
            got(j, "never");
        }
    }
}

static void judge_refused(judging *j, size_t m) {
    const wzp_handset_counters *n = &j->members[m].phone_report.counters;
    const uint32_t least = j->call->expect[m].refused;
    const uint64_t refused = n->refused_sni + n->refused_addr + n->refused_key;
    if (least != 0 && j->call->direct) {
        check(j, WZP_LAB_CHECK_REFUSED, refused >= least, name_of(j, m), "%" PRIu32 " strangers",
              least);
        got(j, "%" PRIu64, refused);
    }
}

/* Where it does not end directly, `path` and the campaign's share have a say. */
static void judge_direct(judging *j, size_t m) {
    const uint64_t most = j->call->expect[m].direct_within;
    const wzp_time at = j->members[m].phone_report.direct_at;
    if (most != 0 && j->members[m].path == WZP_LAB_PATH_DIRECT && at != WZP_TIME_NEVER) {
        const uint64_t took = wzp_time_since(at, set_up_at(j));
        check(j, WZP_LAB_CHECK_DIRECT, took <= most, name_of(j, m), "%" PRIu64 " ms", ms(most));
        got(j, "%" PRIu64 " ms", ms(took));
    }
}

static void judge_unsaid(judging *j, size_t m) {
    const char *name = j->call->expect[m].unsaid;
    for (size_t i = 0; name[0] != '\0' && i < WZP_SIGNAL_COUNT; i++) {
        const uint32_t said = j->members[m].phone_report.said[i];
        if (strcmp(name, wzp_signal_name((wzp_signal_kind)i)) == 0) {
            check(j, WZP_LAB_CHECK_UNSAID, said == 0, name_of(j, m), "no %s", name);
            got(j, "%" PRIu32, said);
        }
    }
}

/* Also what boxes on the way would have dropped: it left. */
static void judge_apart(judging *j, size_t m) {
    uint64_t sent = 0;
    if (!j->call->expect[m].apart) {
        return;
    }
    for (size_t i = 0; i < wzp_lab_measure_flows(j->r->measure); i++) {
        const wzp_lab_flow *f = wzp_lab_measure_flow(j->r->measure, i);
        const bool is_ours = f->from == j->members[m].host && f->to != f->from;
        sent += is_ours && f->to < j->w->s->host_count ? f->sent : 0;
    }
    check(j, WZP_LAB_CHECK_APART, sent == 0, name_of(j, m), "no packets to other hosts");
    got(j, "%" PRIu64, sent);
}

static void judge_back(judging *j, size_t m) {
    const uint64_t most = j->call->expect[m].back_within;
    const wzp_time back_at = j->members[m].phone_report.back_at;
    if (most == 0 || !j->call->direct || j->w->s->event_count == 0) {
        return;
    }
    const wzp_time begin = j->r->start + j->w->s->events[0].at;
    check(j, WZP_LAB_CHECK_BACK, back_at >= begin && back_at <= begin + most, name_of(j, m),
          "registered again within %" PRIu64 " ms", ms(most));
    if (back_at >= begin && back_at != WZP_TIME_NEVER) {
        got(j, "after %" PRIu64 " ms", ms(wzp_time_since(back_at, begin)));
    } else {
        got(j, "not");
    }
}

static void judge_updates(judging *j, size_t m) {
    const wzp_handset_counters *n = &j->members[m].phone_report.counters;
    const wzp_lab_expect *e = &j->call->expect[m];
    const uint32_t number = e->update_number != 0 ? e->update_number : n->update_number;
    if (e->updates == WZP_LAB_NONE || !j->call->direct ||
        j->w->s->policy == WZP_LAB_POLICY_DEPLOYED) {
        return;
    }
    check(j, WZP_LAB_CHECK_UPDATES, n->updates == e->updates && n->update_number == number,
          name_of(j, m), "%" PRIu32 ", the last of number %" PRIu32, e->updates, number);
    got(j, "%" PRIu64 ", the last of number %" PRIu32 ", and %" PRIu64 " that were stale",
        n->updates, n->update_number, n->stale_updates);
}

static void judge_setup(judging *j, size_t m) {
    const uint64_t most = j->call->expect[m].setup;
    const uint64_t setup = j->members[m].setup;
    const bool may_hear = !j->call->expect[m].split && j->call->expect[m].path != WZP_LAB_PATH_NONE;
    if (most != 0 && may_hear) {
        check(j, WZP_LAB_CHECK_SETUP, setup != 0 && setup <= most, name_of(j, m), "%" PRIu64 " ms",
              ms(most));
        if (setup != 0) {
            got(j, "%" PRIu64 " ms", ms(setup));
        } else {
            got(j, "never heard anything");
        }
    }
}

static void tell_end(judging *j, const wzp_sim_call_report *report) {
    const char *why = report->hangup[0] != '\0' ? report->hangup : report->closed;
    if (report->ended_at == WZP_TIME_NEVER) {
        got(j, "%s", report->in_call ? "in the call" : "not in the call");
    } else {
        got(j, "ended after %" PRIu64 " ms: %s",
            ms(wzp_time_since(report->ended_at, j->r->start + j->call->start)), why);
    }
}

static bool ended_early(const judging *j, const wzp_sim_call_report *report) {
    if (j->call->redial != 0) {
        return !report->in_call && j->call->end == j->w->s->duration;
    }
    return report->hangup[0] != '\0' ||
           (report->ended_at != WZP_TIME_NEVER && report->ended_at < j->r->start + j->call->end);
}

static bool has_event(const judging *j, size_t m, wzp_lab_event_kind kind) {
    for (size_t i = 0; i < j->w->s->event_count; i++) {
        const wzp_lab_event *e = &j->w->s->events[i];
        if (e->kind == kind && e->target.index == j->members[m].host) {
            return true;
        }
    }
    return false;
}

static void judge_end(judging *j, size_t m) {
    const wzp_lab_expect *e = &j->call->expect[m];
    const wzp_sim_call_report *report = &j->members[m].report;
    const wzp_time begin = j->w->s->event_count > 0 ? j->w->s->events[0].at : j->call->start;
    if (e->ends_within != 0) {
        const bool good = report->ended_at != WZP_TIME_NEVER &&
                          report->ended_at <= j->r->start + begin + e->ends_within;
        check(j, WZP_LAB_CHECK_ENDS, good, name_of(j, m), "an end within %" PRIu64 " ms",
              ms(e->ends_within));
        tell_end(j, report);
    }
    if (e->lost_within != 0) {
        const bool good = report->lost_at != WZP_TIME_NEVER &&
                          report->lost_at <= j->r->start + begin + e->lost_within;
        check(j, WZP_LAB_CHECK_LOST, good, name_of(j, m), "the loss noticed within %" PRIu64 " ms",
              ms(e->lost_within));
        if (report->lost_at != WZP_TIME_NEVER) {
            got(j, "noticed after %" PRIu64 " ms",
                ms(wzp_time_since(report->lost_at, j->r->start + begin)));
        } else {
            got(j, "not noticed");
        }
    }
    if (e->ends_within == 0 && !e->hangup_allowed && !has_event(j, m, WZP_LAB_EVENT_LEAVE)) {
        check(j, WZP_LAB_CHECK_HANGUP, !ended_early(j, report), name_of(j, m), "no hangup");
        tell_end(j, report);
    }
}

/* --- sound ------------------------------------------------------------------------------------ */

/* Else nothing excuses anything. */
static bool is_excused(const wzp_lab_expect *e) {
    return e->event_gap != 0 || e->recover != 0;
}

/* When an event was at work; `mask` is how long its traces may last. */
typedef struct window {
    wzp_time begin, end, mask;
} window;

#define WINDOWS_MAX 1024

static size_t windows_of(const judging *j, const wzp_lab_expect *e, window *out) {
    const wzp_lab_scenario *s = j->w->s;
    const uint64_t tail = e->recover != 0        ? e->recover
                          : e->event_gap > WZP_S ? e->event_gap
                                                 : WZP_S;
    size_t n = 0;
    for (size_t i = 0; i < s->event_count; i++) {
        const wzp_lab_event *event = &s->events[i];
        const wzp_time last = event->every != 0 ? event->until : event->at;
        for (wzp_time at = event->at; at <= last && n < WINDOWS_MAX; at += event->every) {
            const wzp_time begin = j->r->start + at;
            const wzp_time end = begin + event->lasts + event->gap;
            out[n++] = (window){begin, end, end + tail};
            if (event->every == 0) {
                break;
            }
        }
    }
    return n;
}

/* Sound that is judged ends with the call of either side, and where its death is what is expected,
 * with the event that kills it. */
static wzp_time sound_end(const judging *j, size_t listener, size_t speaker) {
    const wzp_time planned = j->r->start + j->call->end;
    const wzp_time a = end_of(j, &j->members[listener]);
    const wzp_time b = end_of(j, &j->members[speaker]);
    wzp_time end = wzp_time_min(a, b);
    if (j->call->expect[listener].ends_within != 0 && j->w->s->event_count > 0) {
        end = wzp_time_min(end, j->r->start + j->w->s->events[0].at);
    }
    return end < planned || j->call->end < j->w->s->duration ? end - FAREWELL : end;
}

typedef struct pair {
    judging *j;
    const wzp_lab_expect *expect;
    const char *where;
    wzp_sim_ear *ear;
    wzp_sim_slots slots;
    const wzp_sim_heard *heard;
    window *windows;
    size_t window_count;
} pair;

/* Slots in which events are at work count as silence. */
static wzp_sim_verdict judge_masked(const pair *p, uint8_t *copy) {
    memcpy(copy, p->slots.slots, p->slots.count);
    const size_t begin = wzp_sim_ear_slot_at(p->ear, p->j->r->start + p->expect->audio_from);
    memset(copy, WZP_SIM_SLOT_SILENT, begin < p->slots.count ? begin : p->slots.count);
    for (size_t i = 0; i < p->window_count && is_excused(p->expect); i++) {
        const size_t from = wzp_sim_ear_slot_at(p->ear, p->windows[i].begin);
        const size_t to = wzp_sim_ear_slot_at(p->ear, p->windows[i].mask);
        for (size_t k = from; k < to && k < p->slots.count; k++) {
            copy[k] = WZP_SIM_SLOT_SILENT;
        }
    }
    return wzp_sim_judge((wzp_sim_slots){copy, p->slots.count});
}

static void judge_class(const pair *p, const wzp_sim_verdict *v) {
    const wzp_sim_class want = (wzp_sim_class)(p->expect->audio - 1);
    check(p->j, WZP_LAB_CHECK_AUDIO, v->which <= want, p->where, "%s", wzp_sim_class_name(want));
    got(p->j, "%s: %u.%04u %% concealed, longest gap %u ms", wzp_sim_class_name(v->which),
        v->conc_ppm / 10000, v->conc_ppm % 10000, v->gap_ms);
}

/* The E-model's opinion of the codec that the call begins with, of what was concealed and of half
 * of the frames' way from mouth to ear. */
static void judge_mos(const pair *p, const wzp_sim_verdict *v) {
    const uint64_t delay = p->heard != NULL ? p->heard->ear_p50 : 0;
    const wzp_emodel_figures figures = {.delay_us = delay / WZP_US,
                                        .loss_ppm = v->conc_ppm,
                                        .burst_permille = wzp_sim_burst_permille(v)};
    const uint32_t want = p->expect->mos_milli;
    const uint32_t mos = wzp_emodel_mos_milli(p->j->call->codec, &figures);
    check(p->j, WZP_LAB_CHECK_MOS, mos >= want, p->where, "MOS %u.%02u", want / 1000,
          want % 1000 / 10);
    got(p->j, "MOS %u.%02u: %u.%04u %% concealed in gaps of %u.%u times chance, %" PRIu64 " ms",
        mos / 1000, mos % 1000 / 10, v->conc_ppm / 10000, v->conc_ppm % 10000,
        figures.burst_permille / 1000, figures.burst_permille % 1000 / 100, ms(delay));
}

/* A router that is away for five seconds is not to be blamed on anybody; one that has come back is
 * to be noticed. */
static void judge_silence(const pair *p, uint8_t *copy) {
    const uint64_t most = p->expect->silence;
    if (most == 0 || p->j->w->s->policy == WZP_LAB_POLICY_DEPLOYED) {
        return;
    }
    memcpy(copy, p->slots.slots, p->slots.count);
    for (size_t i = 0; i < p->window_count; i++) {
        const size_t to = wzp_sim_ear_slot_at(p->ear, p->windows[i].end);
        for (size_t k = wzp_sim_ear_slot_at(p->ear, p->windows[i].begin);
             k < to && k < p->slots.count; k++) {
            copy[k] = WZP_SIM_SLOT_SILENT;
        }
    }
    const wzp_sim_verdict v = wzp_sim_judge((wzp_sim_slots){copy, p->slots.count});
    check(p->j, WZP_LAB_CHECK_SILENCE, v.gap_ms <= most / WZP_MS, p->where, "%" PRIu64 " ms",
          ms(most));
    got(p->j, "%u ms", v.gap_ms);
}

static void judge_sound(const pair *p) {
    const wzp_lab_expect *e = p->expect;
    const bool masked = is_excused(e) || e->audio_from != 0;
    uint8_t *copy = malloc(p->slots.count + 1);
    if (copy == NULL) {
        p->j->no_memory = true;
        return;
    }
    judge_silence(p, copy);
    const wzp_sim_verdict v = masked ? judge_masked(p, copy) : wzp_sim_judge(p->slots);
    if (e->audio != 0) {
        judge_class(p, &v);
    }
    if (e->mos_milli != 0) {
        judge_mos(p, &v);
    }
    free(copy);
}

/* The worst of all events. */
static void judge_events(const pair *p) {
    const wzp_lab_expect *e = p->expect;
    const wzp_sim_class enough = e->audio != 0 ? (wzp_sim_class)(e->audio - 1) : WZP_SIM_CLASS_A0;
    wzp_sim_event_verdict worst = {.recovered = true};
    for (size_t i = 0; i < p->window_count; i++) {
        const wzp_sim_event_verdict v =
            wzp_sim_judge_event(p->slots, wzp_sim_ear_slot_at(p->ear, p->windows[i].begin),
                                wzp_sim_ear_slot_at(p->ear, p->windows[i].end), enough);
        worst.gap_ms = v.gap_ms > worst.gap_ms ? v.gap_ms : worst.gap_ms;
        worst.recovery_ms = v.recovery_ms > worst.recovery_ms ? v.recovery_ms : worst.recovery_ms;
        worst.recovered = worst.recovered && v.recovered;
    }
    if (e->event_gap != 0) {
        check(p->j, WZP_LAB_CHECK_EVENT_GAP, worst.gap_ms <= e->event_gap / WZP_MS, p->where,
              "%" PRIu64 " ms", ms(e->event_gap));
        got(p->j, "%u ms", worst.gap_ms);
    }
    if (e->recover != 0) {
        check(p->j, WZP_LAB_CHECK_RECOVER,
              worst.recovered && worst.recovery_ms <= e->recover / WZP_MS, p->where,
              "%" PRIu64 " ms", ms(e->recover));
        got(p->j, worst.recovered ? "%u ms" : "not within %u ms", worst.recovery_ms);
    }
}

/* --- copies and losses -------------------------------------------------------------------------
 */

static const wzp_sim_heard *heard_of(const judging *j, size_t m, uint32_t id) {
    const wzp_sim_call_report *report = &j->members[m].report;
    for (size_t i = 0; i < report->senders; i++) {
        if (report->heard[i].sender == id) {
            return &report->heard[i];
        }
    }
    return NULL;
}

/* Relays that forward to each other could send in circles. */
static void judge_frames(judging *j, size_t m, size_t speaker, const char *where) {
    const wzp_sim_heard *heard = heard_of(j, m, j->members[speaker].report.id);
    const uint32_t most = j->call->expect[m].frames_lost;
    if (heard != NULL && (j->w->s->needs & 1U << WZP_LAB_NEED_FEDERATION) != 0) {
        check(j, WZP_LAB_CHECK_ONCE, heard->duplicates == 0, where, "no frame twice");
        got(j, "%" PRIu64 " of %" PRIu64 " frames again", heard->duplicates, heard->arrived);
    }
    if (heard != NULL && most != WZP_LAB_NONE) {
        check(j, WZP_LAB_CHECK_FRAMES, heard->lost <= most, where, "%u missing", most);
        got(j, "%" PRIu64 " missing of %" PRIu64, heard->lost, heard->lost + heard->arrived);
    }
}

static void judge_echo(judging *j, size_t m) {
    if ((j->w->s->needs & 1U << WZP_LAB_NEED_FEDERATION) != 0) {
        const wzp_sim_heard *own = heard_of(j, m, j->members[m].report.id);
        const uint64_t frames = own != NULL ? own->arrived + own->duplicates : 0;
        check(j, WZP_LAB_CHECK_ECHO, frames == 0, name_of(j, m), "nothing of its own");
        got(j, "%" PRIu64 " frames", frames);
    }
}

/* --- what clients were told ---------------------------------------------------------------------
 */

static const char *told(const wzp_lab_member *member) {
    return member->phone != NULL ? member->phone_report.ended : member->report.hangup;
}

static void judge_told(judging *j, size_t m) {
    const wzp_lab_expect *e = &j->call->expect[m];
    const wzp_sim_call_report *report = &j->members[m].report;
    if (e->members != 0) {
        check(j, WZP_LAB_CHECK_MEMBERS, report->members == e->members, name_of(j, m), "%u members",
              e->members);
        got(j, "%u members", report->members);
    }
    if (e->told[0] != '\0') {
        const char *text = told(&j->members[m]);
        check(j, WZP_LAB_CHECK_TOLD, strncmp(text, e->told, strlen(e->told)) == 0, name_of(j, m),
              "\"%.56s\"", e->told);
        got(j, "\"%s\"", text);
    }
}

/* A phone may end without ever having talked. */
static void report_phone(wzp_lab_member *member) {
    if (member->phone != NULL) {
        wzp_sim_phone_host_report(member->phone, &member->phone_report);
        member->report.ended_at =
            wzp_time_min(member->report.ended_at, member->phone_report.ended_at);
    }
}

/* A client that was closed plays nothing any more. */
static wzp_time last_sound(const judging *j, size_t m) {
    return wzp_time_min(j->members[m].report.ended_at, j->r->start + j->w->s->duration);
}

static uint32_t id_of(const judging *j, size_t m) {
    return j->members[m].report.id;
}

static void judge_speaker(judging *j, size_t m, size_t speaker) {
    static window windows[WINDOWS_MAX];
    char where[2 * WZP_LAB_NAME_MAX + 16];
    const wzp_lab_expect *e = &j->call->expect[m];
    (void)snprintf(where, sizeof where, "%s hears %s", name_of(j, m), name_of(j, speaker));
    wzp_sim_ear *ear = wzp_sim_call_host_ear(j->members[m].call, id_of(j, speaker));
    if (!e->split) {
        check(j, WZP_LAB_CHECK_HEARD, ear != NULL, where, "something");
        got(j, "%s", ear != NULL ? "something" : "nothing");
    }
    if (ear == NULL) {
        return;
    }
    pair p = {.j = j, .expect = e, .where = where, .ear = ear, .windows = windows};
    p.heard = heard_of(j, m, id_of(j, speaker));
    p.slots = wzp_sim_ear_slots(ear, last_sound(j, m));
    const size_t end = wzp_sim_ear_slot_at(ear, sound_end(j, m, speaker));
    p.slots.count = end < p.slots.count ? end : p.slots.count;
    p.window_count = windows_of(j, e, windows);
    judge_frames(j, m, speaker, where);
    if (has_event(j, speaker, WZP_LAB_EVENT_ABUSE)) {
        return; /* what of it passes is not for the listener to judge */
    }
    judge_sound(&p);
    if (p.window_count > 0 && is_excused(e)) {
        judge_events(&p);
    }
}

/* --- all -------------------------------------------------------------------------------------- */

static void judge_member(judging *j, size_t m) {
    const wzp_lab_member *member = &j->members[m];
    judge_path(j, m);
    judge_end(j, m);
    judge_setup(j, m);
    judge_offer(j, m);
    judge_refused(j, m);
    judge_direct(j, m);
    judge_unsaid(j, m);
    judge_apart(j, m);
    judge_back(j, m);
    judge_updates(j, m);
    judge_told(j, m);
    judge_echo(j, m);
    check(j, WZP_LAB_CHECK_FOREIGN, member->report.frames_foreign == 0, name_of(j, m), "0 frames");
    got(j, "%" PRIu64 " frames", member->report.frames_foreign);
    for (size_t i = 0; i < j->call->member_count; i++) {
        if (i != m && talks(j, i) && j->call->expect[m].path != WZP_LAB_PATH_NONE &&
            j->call->expect[i].path != WZP_LAB_PATH_NONE) {
            judge_speaker(j, m, i);
        }
    }
}

static void judge_run(judging *j) {
    static const char *const stops[] = {
        [WZP_SIM_STOP_TIME] = "its end",           [WZP_SIM_STOP_IDLE] = "its end",
        [WZP_SIM_STOP_EVENTS] = "too many events", [WZP_SIM_STOP_QUEUE] = "too many events at once",
        [WZP_SIM_STOP_ASKED] = "a stop",
    };
    const wzp_sim_stop stop = j->r->stop;
    check(j, WZP_LAB_CHECK_RUN, stop == WZP_SIM_STOP_TIME || stop == WZP_SIM_STOP_IDLE, "",
          "its end");
    got(j, "%s", stops[stop]);
}

wzp_err wzp_lab_judge(struct wzp_lab_world *world) {
    judging j = {.w = world, .r = &world->result};
    const wzp_time end = world->result.start + world->s->duration;
    judge_run(&j);
    for (size_t c = 0; c < world->s->call_count; c++) {
        j.call = world->result.calls[c].call;
        j.members = world->result.calls[c].members;
        for (size_t m = 0; m < j.call->member_count; m++) {
            wzp_sim_call_host_report(j.members[m].call, end, &j.members[m].report);
            report_phone(&j.members[m]);
        }
        for (size_t m = 0; m < j.call->member_count; m++) {
            j.members[m].path = path_of(&j, &j.members[m]);
            j.members[m].setup = setup_of(&j, m);
            j.members[m].since_wish = since_wish(&j, m);
        }
        for (size_t m = 0; m < j.call->member_count; m++) {
            judge_member(&j, m);
        }
        judge_agreement(&j);
    }
    return j.no_memory ? WZP_ERR_NOMEM : WZP_OK;
}
