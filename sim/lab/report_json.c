#include <inttypes.h>

#include "sim/lab/report.h"

static json_t *milliseconds(uint64_t ns) {
    return json_real((double)ns / 1e6);
}

/* A moment of the run; null if it never came. */
static json_t *moment(const wzp_lab_result *r, wzp_time at) {
    return at == WZP_TIME_NEVER ? json_null() : milliseconds(wzp_time_since(at, r->start));
}

static json_t *hexadecimal(uint64_t value) {
    char text[20];
    (void)snprintf(text, sizeof text, "%016" PRIx64, value);
    return json_string(text);
}

static const char *path_word(wzp_lab_path path) {
    return path == WZP_LAB_PATH_RELAY ? "relay" : path == WZP_LAB_PATH_DIRECT ? "direct" : "none";
}

static const char *party_name(const wzp_lab_result *r, uint32_t party) {
    const wzp_lab_scenario *s = r->scenario;
    return party < s->host_count ? s->hosts[party].name : s->relays[party - s->host_count].name;
}

/* --- calls ------------------------------------------------------------------------------------ */

static json_t *heard_json(const wzp_lab_result *r, const wzp_lab_call_result *call,
                          const wzp_sim_heard *heard) {
    const char *speaker = "";
    for (size_t m = 0; m < call->call->member_count; m++) {
        if (call->members[m].report.id == heard->sender) {
            speaker = r->scenario->hosts[call->members[m].host].name;
        }
    }
    const wzp_sim_verdict *v = &heard->verdict;
    return json_pack(
        "{s:s,s:o,s:s,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o}", "speaker", speaker,
        "first_ms", moment(r, heard->first_at), "class", wzp_sim_class_name(v->which),
        "concealed_percent", json_real((double)v->conc_ppm / 10000), "gap_ms",
        (json_int_t)v->gap_ms, "played", (json_int_t)heard->played, "arrived",
        (json_int_t)heard->arrived, "lost", (json_int_t)heard->lost, "recovered",
        (json_int_t)heard->recovered, "late", (json_int_t)heard->late, "duplicates",
        (json_int_t)heard->duplicates, "reordered", (json_int_t)heard->reordered, "delay_p50_ms",
        milliseconds(heard->delay_p50), "delay_p95_ms", milliseconds(heard->delay_p95),
        "delay_max_ms", milliseconds(heard->delay_max), "jitter_ms", milliseconds(heard->jitter));
}

static json_t *member_json(const wzp_lab_result *r, const wzp_lab_call_result *call,
                           const wzp_lab_member *member) {
    const wzp_sim_call_report *report = &member->report;
    json_t *heard = json_array();
    for (size_t i = 0; i < report->senders; i++) {
        json_array_append_new(heard, heard_json(r, call, &report->heard[i]));
    }
    return json_pack(
        "{s:s,s:s,s:o,s:o,s:o,s:o,s:I,s:I,s:o,s:I,s:o,s:s,s:s,s:o}", "host",
        r->scenario->hosts[member->host].name, "path", path_word(member->path), "setup_ms",
        member->setup != 0 ? milliseconds(member->setup) : json_null(), "since_wish_ms",
        member->since_wish != 0 ? milliseconds(member->since_wish) : json_null(), "joined_ms",
        moment(r, report->joined_at), "ended_ms", moment(r, report->ended_at), "dials",
        (json_int_t)report->dials, "frames_sent", (json_int_t)report->frames_sent, "rtt_ms",
        milliseconds(report->rtt), "packets_lost", (json_int_t)report->packets_lost, "path_changes",
        json_integer(report->path_changes), "hangup", report->hangup, "closed", report->closed,
        "hears", heard);
}

static json_t *calls_json(const wzp_lab_result *r) {
    json_t *calls = json_array();
    for (size_t c = 0; c < r->scenario->call_count; c++) {
        const wzp_lab_call_result *call = &r->calls[c];
        json_t *members = json_array();
        for (size_t m = 0; m < call->call->member_count; m++) {
            json_array_append_new(members, member_json(r, call, &call->members[m]));
        }
        json_array_append_new(calls, json_pack("{s:s,s:s,s:o}", "name", call->call->name, "room",
                                               call->call->room, "members", members));
    }
    return calls;
}

/* --- the network ------------------------------------------------------------------------------ */

static json_t *flow_json(const wzp_lab_result *r, const wzp_lab_flow *flow) {
    const uint64_t mean = flow->arrived > 0 ? flow->delay_sum / flow->arrived : 0;
    return json_pack("{s:s,s:s,s:I,s:I,s:I,s:o,s:o,s:o}", "from", party_name(r, flow->from), "to",
                     party_name(r, flow->to), "sent", (json_int_t)flow->sent, "arrived",
                     (json_int_t)flow->arrived, "bytes", (json_int_t)flow->bytes, "delay_min_ms",
                     milliseconds(flow->delay_min), "delay_mean_ms", milliseconds(mean),
                     "delay_max_ms", milliseconds(flow->delay_max));
}

static json_t *flows_json(const wzp_lab_result *r) {
    json_t *flows = json_array();
    for (size_t i = 0; i < wzp_lab_measure_flows(r->measure); i++) {
        json_array_append_new(flows, flow_json(r, wzp_lab_measure_flow(r->measure, i)));
    }
    return flows;
}

json_t *wzp_lab_drops_json(const wzp_sim_counts *counts) {
    json_t *drops = json_object();
    for (unsigned d = 0; d < WZP_SIM_DROP_COUNT; d++) {
        if (counts->dropped[d] > 0) {
            json_object_set_new(drops, wzp_sim_drop_name((wzp_sim_drop)d),
                                json_integer((json_int_t)counts->dropped[d]));
        }
    }
    return drops;
}

json_t *wzp_lab_elements_json(const wzp_lab_topology *topology) {
    json_t *elements = json_array();
    for (size_t i = 0; i < wzp_lab_topology_count(topology); i++) {
        const wzp_lab_element *e = wzp_lab_topology_element(topology, i);
        wzp_sim_counts counts = {0};
        wzp_lab_element_count(topology, e, &counts);
        json_t *drops = wzp_lab_drops_json(&counts);
        if (counts.in == 0 && counts.out == 0 && json_object_size(drops) == 0) {
            json_decref(drops);
            continue;
        }
        json_array_append_new(elements,
                              json_pack("{s:s,s:I,s:I,s:I,s:I,s:o}", "name", e->name, "in",
                                        (json_int_t)counts.in, "out", (json_int_t)counts.out,
                                        "bytes_in", (json_int_t)counts.bytes_in, "bytes_out",
                                        (json_int_t)counts.bytes_out, "dropped", drops));
    }
    return elements;
}

/* --- judgement -------------------------------------------------------------------------------- */

static json_t *checks_json(const wzp_lab_result *r) {
    json_t *checks = json_array();
    for (size_t i = 0; i < r->check_count; i++) {
        const wzp_lab_check *c = &r->checks[i];
        json_array_append_new(checks,
                              json_pack("{s:s,s:s,s:b,s:s,s:s}", "check",
                                        wzp_lab_check_word(c->kind), "where", c->where, "good",
                                        c->good, "expected", c->expected, "got", c->got));
    }
    return checks;
}

static json_t *events_json(const wzp_lab_result *r) {
    json_t *events = json_array();
    for (size_t i = 0; i < r->entry_count; i++) {
        const wzp_lab_entry *e = &r->entries[i];
        json_array_append_new(events, json_pack("{s:o,s:s,s:s,s:s,s:b}", "at_ms",
                                                milliseconds(e->at), "who", e->who, "what", e->what,
                                                "detail", e->detail, "scripted", e->event));
    }
    return events;
}

json_t *wzp_lab_report_json(const wzp_lab_result *r) {
    json_t *lacks = r->lacks != NULL ? json_string(r->lacks) : json_null();
    return json_pack(
        "{s:s,s:s,s:I,s:s,s:o,s:s,s:o,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "format", "wzp-sim-run/1",
        "scenario", r->scenario->name, "seed", (json_int_t)r->scenario->seed, "engine", r->engine,
        "duration_ms", milliseconds(r->scenario->duration), "outcome",
        wzp_lab_outcome_word(wzp_lab_result_outcome(r)), "lacks", lacks, "events",
        (json_int_t)r->events, "packets", (json_int_t)r->packets, "trace_hash",
        hexadecimal(r->trace_hash), "checks", checks_json(r), "calls", calls_json(r), "flows",
        flows_json(r), "elements", wzp_lab_elements_json(r->topology), "timeline", events_json(r));
}
