#include "conformance/cases/client/audio.h"

#include <stdio.h>

#include "conformance/cases/client/client_steps.h"

/* --- the while -------------------------------------------------------------------------------- */

/* Packets come nearly in order: from the end there are few steps. */
static void insert(wzp_ct_audio *a, const wzp_ct_heard_packet *p) {
    size_t at = a->count++;
    while (at > 0 && wzp_ct_seq_step(p, a->packets[at - 1]) > 0) {
        a->packets[at] = a->packets[at - 1];
        at--;
    }
    a->packets[at] = p;
}

static void gather(wzp_ct_audio *a, const wzp_ct_heard *h, uint64_t from) {
    a->count = 0;
    for (uint64_t i = from; i < h->count; i++) {
        const wzp_ct_heard_packet *p = wzp_ct_heard_get(h, i);
        if (p != NULL && (a->count == 0 || p->hdr.stream_id == a->packets[0]->hdr.stream_id)) {
            insert(a, p);
        }
    }
}

/* --- joining ---------------------------------------------------------------------------------- */

/* It is not there: "unsupported" if it ended where it was told to send what not every client can.
 */
static wzp_ct_so_far gone(wzp_ct_exec *e) {
    const char *quality = wzp_ct_play_quality(e);
    return quality != NULL && wzp_ct_play_tunes(e) && wzp_ct_play_fate(e) == WZP_CT_EXITED
               ? wzp_ct_play_lacks(e, quality[0] == 'a' ? "adaptation" : "codec2")
               : WZP_CT_NEVER;
}

wzp_ct_so_far wzp_ct_step_audio_joined(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_so_far so_far = wzp_ct_step_client_joined(e, now);
    return so_far == WZP_CT_NEVER ? gone(e) : so_far;
}

/* --- the while goes on ------------------------------------------------------------------------ */

bool wzp_ct_step_audio_anew(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_audio_state *st = wzp_ct_play_state(e);
    st->from = wzp_ct_play_server(e)->audio.count;
    st->since = now;
    return true;
}

wzp_ct_so_far wzp_ct_step_audio(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_audio_watch *w = wzp_ct_play_arg(e);
    wzp_ct_audio_state *st = wzp_ct_play_state(e);
    const wzp_ct_heard *h = &wzp_ct_play_server(e)->audio;
    if (!wzp_ct_client_is_there(e)) {
        return h->count == 0 ? gone(e) : WZP_CT_NEVER;
    }
    if (h->count == 0 && h->compact > 0) {
        return wzp_ct_play_lacks(e, "full-headers");
    }
    if (h->count == st->from) {
        st->since = now;
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_wake(e, st->since + w->span);
    if (now < st->since + w->span || h->count < st->from + w->least) {
        return WZP_CT_NOT_YET;
    }
    gather(&st->audio, h, st->from);
    return w->judge == NULL ? WZP_CT_HAPPENED : w->judge(e, &st->audio);
}

bool wzp_ct_has_pauses(const wzp_ct_audio *a) {
    for (size_t i = 0; i < a->count; i++) {
        if (a->packets[i]->hdr.codec_id == WZP_CODEC_COMFORT_NOISE) {
            return true;
        }
    }
    return false;
}

/* --- words ------------------------------------------------------------------------------------ */

void wzp_ct_say_packet(wzp_ct_exec *e, const wzp_ct_heard_packet *p, const char *why) {
    wzp_ct_play_say(e,
                    "packet %u (codec %u, flags %02x, timestamp %u, ratio %u, block %04x, %zu "
                    "bytes): %s",
                    p->hdr.seq, p->hdr.codec_id, p->hdr.flags, p->hdr.timestamp_ms,
                    p->hdr.fec_ratio, p->hdr.fec_block, p->len, why);
}

void wzp_ct_say_pair(wzp_ct_exec *e, const wzp_ct_heard_packet *a, const wzp_ct_heard_packet *b,
                     const char *why) {
    char text[160];
    (void)snprintf(text, sizeof text, "%s (the one before it: %u, codec %u, timestamp %u)", why,
                   a->hdr.seq, a->hdr.codec_id, a->hdr.timestamp_ms);
    wzp_ct_say_packet(e, b, text);
}
