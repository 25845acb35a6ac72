#include "conformance/corpus/score.h"

#include <stdlib.h>

#include "meter/conduct.h"
#include "meter/enf.h"

/* All that looks at one sender. */
typedef struct meters {
    wzp_meter deployed;
    wzp_enf *enf;
    wzp_conduct conduct;
    wzp_audio_scorer audio;
    wzp_video_scorer video;
} meters;

typedef struct arrival {
    wzp_time at;
    size_t packet;
} arrival;

static int by_time(const void *a, const void *b) {
    const arrival *x = a;
    const arrival *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return x->packet < y->packet ? -1 : x->packet > y->packet;
}

static void note(wzp_score_hit *hit, size_t number, uint64_t after) {
    if (!hit->is_hit) {
        *hit = (wzp_score_hit){true, number, after};
    }
}

/* As a relay does it: a packet for which a verdict is not yet known is looked at once by each. */
static void observe(wzp_score *s, meters *m, const wzp_trace_packet *p, size_t number,
                    const arrival *a, wzp_time from) {
    const uint64_t after = wzp_time_since(a->at, from);
    const wzp_violation seen = wzp_meter_observe(&m->deployed, &p->hdr, p->payload, a->at);
    if (seen != WZP_VIOLATION_NONE) {
        note(&s->deployed[seen], number, after);
    }
    const wzp_violation hard = wzp_enf_observe(m->enf, &p->hdr, p->payload, a->at);
    if (hard != WZP_VIOLATION_NONE && !s->enf.is_hit) {
        s->enf_code = hard;
        note(&s->enf, number, after);
    }
    wzp_audio_scorer_observe(&m->audio, &p->hdr, p->payload, a->at);
    wzp_video_scorer_observe(&m->video, &p->hdr, p->payload, NULL, a->at);
    s->dropped += p->hdr.media_type == WZP_MEDIA_VIDEO &&
                  wzp_video_scorer_verdict(&m->video) == WZP_SCORE_ABUSIVE;
}

static void judge_conduct(wzp_score *s, meters *m, const wzp_trace_packet *p, size_t number,
                          const arrival *a, wzp_time from) {
    const wzp_conduct_news news =
        wzp_conduct_observe(&m->conduct, &p->hdr, p->payload, NULL, a->at);
    if (news.judged) {
        s->judged++;
        s->suspect += news.after == WZP_SCORE_SUSPECT || news.after == WZP_SCORE_ABUSIVE;
        s->least = news.score < s->least ? news.score : s->least;
    }
    if (news.is_abuse) {
        note(&s->conduct, number, wzp_time_since(a->at, from));
    }
}

static wzp_score_outcome judge(const wzp_score *s, const wzp_trace *trace) {
    const bool is_f = trace->tier == 'F';
    const wzp_score_hit *hit = s->enf.is_hit || !is_f ? &s->enf : &s->conduct;
    if (trace->tier == 0) {
        return s->enf.is_hit ? WZP_SCORE_FALSE : WZP_SCORE_RIGHT;
    }
    return hit->is_hit && hit->after <= trace->within ? WZP_SCORE_RIGHT : WZP_SCORE_MISSED;
}

static size_t sort_arrivals(arrival *out, const wzp_trace *trace, const wzp_time *arrivals) {
    size_t n = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const wzp_time at = arrivals != NULL ? arrivals[i] : trace->packets[i].at;
        if (at != WZP_TIME_NEVER) {
            out[n++] = (arrival){at, i};
        }
    }
    qsort(out, n, sizeof *out, by_time);
    return n;
}

wzp_err wzp_score_trace(wzp_score *out, const wzp_trace *trace, const wzp_time *arrivals) {
    arrival *order = malloc((trace->count > 0 ? trace->count : 1) * sizeof *order);
    meters m = {.enf = wzp_enf_new(WZP_ENF_GUARDED, 0)};
    *out = (wzp_score){.audio = 1, .video = 1, .least = 1};
    if (order == NULL || m.enf == NULL) {
        free(order);
        wzp_enf_free(&m.enf);
        return WZP_ERR_NOMEM;
    }
    wzp_meter_init(&m.deployed, 0);
    wzp_conduct_init(&m.conduct, 0);
    wzp_audio_scorer_init(&m.audio, 0);
    wzp_video_scorer_init(&m.video);
    const size_t n = sort_arrivals(order, trace, arrivals);
    for (size_t i = 0; i < n; i++) {
        const wzp_trace_packet *p = &trace->packets[order[i].packet];
        observe(out, &m, p, i + 1, &order[i], order[0].at);
        judge_conduct(out, &m, p, i + 1, &order[i], order[0].at);
    }
    (void)wzp_audio_scorer_score(&m.audio, &out->audio);
    (void)wzp_video_scorer_score(&m.video, &out->video);
    out->outcome = judge(out, trace);
    wzp_enf_free(&m.enf);
    free(order);
    return WZP_OK;
}

const char *wzp_score_outcome_name(wzp_score_outcome outcome) {
    static const char *const names[] = {"right", "FALSE", "MISSED"};
    return names[outcome];
}
