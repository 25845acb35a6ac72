#include "conformance/cases/client/audio_judges.h"

/* --- AUD-001: codecs and timestamps ----------------------------------------------------------- */

static bool is_source(const wzp_ct_heard_packet *p) {
    return !wzp_ct_is_repair(p) && p->hdr.codec_id != WZP_CODEC_COMFORT_NOISE;
}

/* Sources with nothing but repair packets between them, none of which is missing. */
static const wzp_ct_heard_packet *next_source(const wzp_ct_audio *a, size_t i) {
    for (size_t k = i + 1; k < a->count && wzp_ct_seq_step(a->packets[k - 1], a->packets[k]) == 1;
         k++) {
        if (!wzp_ct_is_repair(a->packets[k])) {
            return is_source(a->packets[k]) ? a->packets[k] : NULL;
        }
    }
    return NULL;
}

enum { AHEAD_MS = 1500 }; /* more than any path holds back what came first */

/* A stall of the client or the path makes it slower than the clock, nothing makes it faster. */
static bool runs_ahead(wzp_ct_exec *e, const wzp_ct_audio *a) {
    const wzp_ct_heard_packet *first = a->packets[0];
    const wzp_ct_heard_packet *last = a->packets[a->count - 1];
    const int64_t passed = ((int64_t)last->at - (int64_t)first->at) / (int64_t)WZP_MS;
    const int32_t claimed = wzp_ct_ts_step(first, last);
    if (claimed <= passed + passed / 10 + AHEAD_MS) {
        return false;
    }
    wzp_ct_play_say(e, "its timestamps went %d ms forward in %lld ms", claimed, (long long)passed);
    return true;
}

wzp_ct_so_far wzp_ct_judge_frames(wzp_ct_exec *e, const wzp_ct_audio *a) {
    const wzp_ct_heard *h = &wzp_ct_play_server(e)->audio;
    if (h->no_codec > 0) {
        wzp_ct_play_say(e, "%llu packets of audio with codec id %u",
                        (unsigned long long)h->no_codec, h->wrong_codec);
        return WZP_CT_NEVER;
    }
    for (size_t i = 0; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i];
        const wzp_ct_heard_packet *q = is_source(p) ? next_source(a, i) : NULL;
        const int32_t step = q != NULL ? wzp_ct_ts_step(p, q) : 0;
        if (p->hdr.codec_id > WZP_CODEC_OPUS_64K) {
            wzp_ct_say_packet(e, p, "not a codec of audio");
            return WZP_CT_NEVER;
        }
        if (q != NULL && q->hdr.codec_id == p->hdr.codec_id &&
            (step <= 0 || (uint32_t)step % wzp_ct_frame_ms(p->hdr.codec_id) != 0)) {
            wzp_ct_say_pair(e, p, q, "not a whole number of frames later");
            return WZP_CT_NEVER;
        }
    }
    return runs_ahead(e, a) ? WZP_CT_NEVER : WZP_CT_HAPPENED;
}

/* --- AUD-002: numbers ------------------------------------------------------------------------- */

/* Of those that are missing between two packets, so many can have been lost: one for each frame
 * that there was time for, and the repair packets of as many blocks.  Comfort noise has the
 * timestamp of the frame behind it. */
static uint32_t may_be_lost(const wzp_ct_heard_packet *a, const wzp_ct_heard_packet *b) {
    enum { BLOCK = 5, REPAIRS = 8 };
    const int32_t step = wzp_ct_ts_step(a, b);
    const uint32_t steps = step > 0 ? (uint32_t)step / 20 : 0;
    const uint32_t first = a->hdr.codec_id == WZP_CODEC_COMFORT_NOISE ? 0 : 1;
    const uint32_t frames = steps > first ? steps - first : 0;
    const bool has_repairs = wzp_ct_is_codec2(a->hdr.codec_id) || wzp_ct_is_codec2(b->hdr.codec_id);
    return frames + (has_repairs ? (frames / BLOCK + 2U) * REPAIRS : 0);
}

wzp_ct_so_far wzp_ct_judge_numbers(wzp_ct_exec *e, const wzp_ct_audio *a) {
    size_t lost = 0;
    for (size_t i = 1; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i - 1];
        const wzp_ct_heard_packet *q = a->packets[i];
        const int32_t step = wzp_ct_seq_step(p, q);
        if (step == 0) {
            wzp_ct_say_pair(e, p, q, "the same number");
            return WZP_CT_NEVER;
        }
        if ((uint32_t)step - 1 > may_be_lost(p, q)) {
            wzp_ct_say_pair(e, p, q, "numbers without a packet");
            return WZP_CT_NEVER;
        }
        lost += (uint32_t)step - 1;
    }
    if (lost * 20 > a->count) {
        wzp_ct_play_say(e, "%zu packets are missing, with the time that they stand for", lost);
        return WZP_CT_UNSURE;
    }
    return WZP_CT_HAPPENED;
}

/* --- AUD-003: the clock ----------------------------------------------------------------------- */

wzp_ct_so_far wzp_ct_judge_clock(wzp_ct_exec *e, const wzp_ct_audio *a) {
    unsigned codecs = 0;
    for (size_t i = 1; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i - 1];
        const wzp_ct_heard_packet *q = a->packets[i];
        codecs += p->hdr.codec_id != q->hdr.codec_id ? 1 : 0;
        if (wzp_ct_ts_step(p, q) < 0) {
            wzp_ct_say_pair(e, p, q, "its clock went back");
            return WZP_CT_NEVER;
        }
    }
    wzp_ct_play_say(e, "%zu packets, %u changes of codec", a->count, codecs);
    return WZP_CT_HAPPENED;
}

/* --- AUD-005: Opus has no repair packets ------------------------------------------------------ */

wzp_ct_so_far wzp_ct_judge_opus(wzp_ct_exec *e, const wzp_ct_audio *a) {
    size_t count = 0;
    for (size_t i = 0; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i];
        if (!wzp_ct_is_opus(p->hdr.codec_id)) {
            continue;
        }
        count++;
        if (wzp_ct_is_repair(p) || p->hdr.fec_ratio != 0 || p->hdr.fec_block != 0) {
            wzp_ct_say_packet(e, p, "Opus with marks of repair");
            return WZP_CT_NEVER;
        }
    }
    return count > 0 ? WZP_CT_HAPPENED : wzp_ct_play_lacks(e, "opus");
}

/* --- QR-002: one report in fifty frames ------------------------------------------------------- */

enum { REPORT_EVERY = 50, REPORT_SLACK = 5 };

static bool has_report(const wzp_ct_heard_packet *p) {
    return (p->hdr.flags & WZP_MEDIA_QUALITY) != 0;
}

/* Whether all packets from one to another are of one codec, and no frame was suppressed: then the
 * time between them tells how many frames there were.  *lost of them did not come. */
static bool is_steady(const wzp_ct_audio *a, size_t from, size_t to, int32_t *lost) {
    const uint8_t codec = a->packets[from]->hdr.codec_id;
    *lost = 0;
    for (size_t i = from; i < to; i++) {
        const int32_t step = wzp_ct_seq_step(a->packets[i], a->packets[i + 1]);
        const int32_t ms = wzp_ct_ts_step(a->packets[i], a->packets[i + 1]);
        *lost += step - 1;
        if (a->packets[i + 1]->hdr.codec_id != codec ||
            ms > step * (int32_t)wzp_ct_frame_ms(codec)) {
            return false;
        }
    }
    return true;
}

/* UNSURE where a report between the two may have been lost. */
static wzp_ct_so_far judge_interval(wzp_ct_exec *e, const wzp_ct_audio *a, size_t from, size_t to) {
    const wzp_ct_heard_packet *p = a->packets[from];
    const wzp_ct_heard_packet *q = a->packets[to];
    int32_t lost = 0;
    const bool steady = is_steady(a, from, to, &lost);
    const int32_t frames = wzp_ct_ts_step(p, q) / (int32_t)wzp_ct_frame_ms(q->hdr.codec_id);
    if (!steady || (frames > REPORT_EVERY + REPORT_SLACK && lost > 0)) {
        return WZP_CT_UNSURE;
    }
    if (frames >= REPORT_EVERY - REPORT_SLACK && frames <= REPORT_EVERY + REPORT_SLACK) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "a report came %d frames after another", frames);
    return WZP_CT_NEVER;
}

/* None at all where all of the packets came and more than a hundred frames were said. */
static wzp_ct_so_far without_reports(wzp_ct_exec *e, const wzp_ct_audio *a) {
    int32_t lost = 0;
    const bool steady = is_steady(a, 0, a->count - 1, &lost);
    wzp_ct_play_say(e, "no report in %zu packets", a->count);
    return steady && lost == 0 && is_source(a->packets[0]) ? WZP_CT_NEVER : WZP_CT_UNSURE;
}

wzp_ct_so_far wzp_ct_judge_report_rate(wzp_ct_exec *e, const wzp_ct_audio *a) {
    size_t last = a->count; /* none */
    unsigned judged = 0;
    for (size_t i = 0; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i];
        if (!has_report(p)) {
            continue;
        }
        if (!is_source(p)) {
            wzp_ct_say_packet(e, p, "a report on a packet that is no frame of sound");
            return WZP_CT_NEVER;
        }
        const wzp_ct_so_far so_far =
            last < a->count ? judge_interval(e, a, last, i) : WZP_CT_UNSURE;
        if (so_far == WZP_CT_NEVER) {
            return so_far;
        }
        judged += so_far == WZP_CT_HAPPENED ? 1 : 0;
        last = i;
    }
    if (judged == 0 && wzp_ct_has_pauses(a)) {
        return wzp_ct_play_lacks(e, "speech");
    }
    if (last == a->count) {
        return without_reports(e, a);
    }
    if (judged == 0) {
        wzp_ct_play_say(e, "no two reports came with all that was between them");
    }
    return judged > 0 ? WZP_CT_HAPPENED : WZP_CT_UNSURE;
}

/* --- QR-003: its four bytes ------------------------------------------------------------------- */

/* Where a frame has a known length, what is left of the datagram is the report. */
wzp_ct_so_far wzp_ct_judge_report_size(wzp_ct_exec *e, const wzp_ct_audio *a) {
    const wzp_ct_so_far so_far = wzp_ct_needs_codec2(e, a);
    unsigned reports = 0;
    for (size_t i = 0; i < a->count && so_far == WZP_CT_HAPPENED; i++) {
        const wzp_ct_heard_packet *p = a->packets[i];
        if (!has_report(p) || !is_source(p) || !wzp_ct_is_codec2(p->hdr.codec_id)) {
            continue;
        }
        reports++;
        if (p->len != wzp_ct_codec2_bytes(p->hdr.codec_id)) {
            wzp_ct_say_packet(e, p, "what is left beside the frame is not a report of four bytes");
            return WZP_CT_NEVER;
        }
    }
    return so_far != WZP_CT_HAPPENED ? so_far
           : reports > 0             ? WZP_CT_HAPPENED
                                     : wzp_ct_play_lacks(e, "quality-reports");
}
