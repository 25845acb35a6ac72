#include "adapt/feedback.h"

#include <string.h>

void wzp_feedback_init(wzp_feedback *feedback, uint8_t stream_id) {
    *feedback = (wzp_feedback){.stream_id = stream_id};
}

/* The oldest number makes room. */
static void add(wzp_feedback_list *list, uint32_t seq) {
    if (list->count == WZP_FEEDBACK_MAX) {
        list->count--;
        memmove(list->seqs, list->seqs + 1, list->count * sizeof *list->seqs);
    }
    list->seqs[list->count++] = seq;
}

static void take_out(wzp_feedback_list *list, uint32_t seq) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->seqs[i] != seq) {
            list->seqs[kept++] = list->seqs[i];
        }
    }
    list->count = kept;
}

static bool holds(const wzp_feedback_list *list, uint32_t seq) {
    for (size_t i = 0; i < list->count; i++) {
        if (list->seqs[i] == seq) {
            return true;
        }
    }
    return false;
}

/* A longer gap is a sender that began anew, or one whose first packets need no names. */
static void note_gap(wzp_feedback *f, uint32_t seq) {
    const uint32_t gap = seq - f->highest - 1;
    for (uint32_t i = gap < WZP_FEEDBACK_MAX ? gap : WZP_FEEDBACK_MAX; i > 0; i--) {
        add(&f->missing, seq - i);
    }
}

void wzp_feedback_packet(wzp_feedback *f, uint32_t seq, uint64_t wall_us, wzp_time now) {
    if (!f->has_highest || wzp_seq_newer(seq, f->highest)) {
        if (f->has_highest) {
            note_gap(f, seq);
        }
        f->has_highest = true;
        f->highest = seq;
        f->wall_us = wall_us;
    } else if (holds(&f->acked, seq)) {
        return;
    } else {
        take_out(&f->missing, seq); /* it was late */
    }
    f->first_at = f->acked.count == 0 ? now : f->first_at;
    add(&f->acked, seq);
}

wzp_time wzp_feedback_deadline(const wzp_feedback *f) {
    return f->acked.count > 0 ? wzp_time_after(f->first_at, WZP_FEEDBACK_EVERY) : WZP_TIME_NEVER;
}

bool wzp_feedback_next(wzp_feedback *f, uint32_t remb_bps, wzp_time now, wzp_signal *out) {
    if (wzp_feedback_deadline(f) > now) {
        return false;
    }
    *out = (wzp_signal){.kind = WZP_SIGNAL_TRANSPORT_FEEDBACK,
                        .version = 1,
                        .u.TransportFeedback = {.stream_id = f->stream_id,
                                                .acked_seqs = {f->acked.seqs, f->acked.count},
                                                .nacked_seqs = {f->missing.seqs, f->missing.count},
                                                .remb_bps = remb_bps,
                                                .recv_time_us = f->wall_us}};
    f->acked.count = f->missing.count = 0; /* the numbers stay where they are */
    return true;
}
