#include "sim/host/judge.h"

static const struct bound {
    const char *name;
    uint32_t conc_ppm, gap_ms;
} bounds[WZP_SIM_CLASS_BAD] = {
    [WZP_SIM_CLASS_A0] = {"A0", 1000, 40},
    [WZP_SIM_CLASS_A1] = {"A1", 10000, 60},
    [WZP_SIM_CLASS_A2] = {"A2", 50000, 120},
    [WZP_SIM_CLASS_A3] = {"A3", 120000, 250},
};

#define MILLION UINT64_C(1000000)

const char *wzp_sim_class_name(wzp_sim_class which) {
    return which < WZP_SIM_CLASS_BAD ? bounds[which].name : "bad";
}

bool wzp_sim_class_parse(wzp_sim_class *out, const char *name) {
    for (unsigned i = 0; i < WZP_SIM_CLASS_BAD; i++) {
        if (strcmp(name, bounds[i].name) == 0) {
            *out = (wzp_sim_class)i;
            return true;
        }
    }
    return false;
}

static wzp_sim_verdict tally(wzp_sim_slots heard, size_t from, size_t to) {
    wzp_sim_verdict v = {0};
    uint32_t run = 0;
    for (size_t i = from; i < to; i++) {
        v.expected += heard.slots[i] != WZP_SIM_SLOT_SILENT ? 1 : 0;
        run = heard.slots[i] == WZP_SIM_SLOT_CONCEALED ? run + 1 : 0;
        v.concealed += run > 0 ? 1 : 0;
        v.gaps += run == 1 ? 1 : 0;
        v.gap_ms = run * WZP_SIM_SLOT_MS > v.gap_ms ? run * WZP_SIM_SLOT_MS : v.gap_ms;
    }
    if (v.expected > 0) {
        v.conc_ppm = (uint32_t)((v.concealed * MILLION + v.expected - 1) / v.expected);
    }
    return v;
}

/* `spare` parts per million of a slot that the share may be over. */
static wzp_sim_class class_of(const wzp_sim_verdict *v, uint64_t spare) {
    unsigned i = 0;
    while (i < WZP_SIM_CLASS_BAD &&
           (v->concealed * MILLION > v->expected * bounds[i].conc_ppm + spare ||
            v->gap_ms > bounds[i].gap_ms)) {
        i++;
    }
    return (wzp_sim_class)i;
}

/* Loss one by one of a share p has gaps of 1 / (1 - p) slots. */
uint32_t wzp_sim_burst_permille(const wzp_sim_verdict *v) {
    if (v->gaps == 0) {
        return 0;
    }
    const uint64_t ratio =
        1000 * v->concealed * (v->expected - v->concealed) / v->gaps / v->expected;
    return ratio < UINT32_MAX ? (uint32_t)ratio : UINT32_MAX;
}

wzp_sim_verdict wzp_sim_judge_range(wzp_sim_slots heard, size_t from, size_t to) {
    to = to < heard.count ? to : heard.count;
    wzp_sim_verdict v = tally(heard, from, to);
    v.which = class_of(&v, 0);
    return v;
}

wzp_sim_verdict wzp_sim_judge(wzp_sim_slots heard) {
    return wzp_sim_judge_range(heard, 0, heard.count);
}

static size_t end_of_second(wzp_sim_slots heard, size_t from) {
    return heard.count - from < WZP_SIM_SECOND_SLOTS ? heard.count : from + WZP_SIM_SECOND_SLOTS;
}

wzp_sim_class wzp_sim_judge_second(wzp_sim_slots heard, size_t from) {
    if (from >= heard.count) {
        return WZP_SIM_CLASS_A0;
    }
    const wzp_sim_verdict v = tally(heard, from, end_of_second(heard, from));
    return class_of(&v, MILLION - 1);
}

/* --- one event -------------------------------------------------------------------------------- */

static wzp_sim_class class_before(wzp_sim_slots heard, size_t begin) {
    wzp_sim_class worst = WZP_SIM_CLASS_A0;
    for (size_t s = 1; s <= WZP_SIM_EVENT_BEFORE_S && s * WZP_SIM_SECOND_SLOTS <= begin; s++) {
        const wzp_sim_class second = wzp_sim_judge_second(heard, begin - s * WZP_SIM_SECOND_SLOTS);
        worst = second > worst ? second : worst;
    }
    return worst;
}

/* A whole second in which enough was said to tell, and heard well enough. */
static bool is_well(wzp_sim_slots heard, size_t from, wzp_sim_class enough) {
    if (heard.count - from < WZP_SIM_SECOND_SLOTS) {
        return false;
    }
    const wzp_sim_verdict v = tally(heard, from, from + WZP_SIM_SECOND_SLOTS);
    return v.expected >= WZP_SIM_SECOND_SLOTS / 2 && class_of(&v, MILLION - 1) <= enough;
}

static uint32_t longest_touching(wzp_sim_slots heard, size_t begin, size_t end) {
    while (begin > 0 && heard.slots[begin - 1] == WZP_SIM_SLOT_CONCEALED) {
        begin--;
    }
    while (end > begin && end < heard.count && heard.slots[end - 1] == WZP_SIM_SLOT_CONCEALED &&
           heard.slots[end] == WZP_SIM_SLOT_CONCEALED) {
        end++;
    }
    return tally(heard, begin, end).gap_ms;
}

wzp_sim_event_verdict wzp_sim_judge_event(wzp_sim_slots heard, size_t begin, size_t end,
                                          wzp_sim_class enough) {
    end = end < heard.count ? end : heard.count;
    begin = begin < end ? begin : end;
    wzp_sim_event_verdict v = {.before = class_before(heard, begin)};
    enough = v.before > enough ? v.before : enough;
    size_t at = end;
    while (at < heard.count && !is_well(heard, at, enough)) {
        at++;
    }
    v.recovered = at < heard.count;
    v.recovery_ms = (uint32_t)(at - end) * WZP_SIM_SLOT_MS;
    v.gap_ms = longest_touching(heard, begin, at);
    return v;
}
