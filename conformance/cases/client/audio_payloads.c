#include <opus.h>

#include "conformance/cases/client/audio_judges.h"

enum { RATE = 48000, OPUS_BYTES = 512, LONGEST = 5760 };

/* NULL, or what is wrong with it.  The decoder is libopus's, which knows of no other sound. */
static const char *opus_fault(OpusDecoder *decoder, const wzp_ct_heard_packet *p) {
    int16_t pcm[LONGEST];
    if (p->len == 0 || p->len > OPUS_BYTES) {
        return "not 1 to 512 bytes";
    }
    const int want = (int)wzp_ct_frame_ms(p->hdr.codec_id) * (RATE / 1000);
    const int samples = opus_packet_get_nb_samples(p->payload, (opus_int32)p->len, RATE);
    const int channels = opus_packet_get_nb_channels(p->payload);
    const int decoded = opus_decode(decoder, p->payload, (opus_int32)p->len, pcm, LONGEST, 0);
    return samples < 0 || decoded < 0 ? "not a packet of Opus"
           : samples != want          ? "Opus of another duration"
           : channels != 1            ? "stereo"
                                      : NULL;
}

static const char *payload_fault(OpusDecoder *decoder, const wzp_ct_heard_packet *p) {
    const uint8_t codec = p->hdr.codec_id;
    return wzp_ct_is_repair(p) ? NULL
           : wzp_ct_is_codec2(codec)
               ? (p->len != wzp_ct_codec2_bytes(codec) ? "not a frame of Codec2" : NULL)
           : wzp_ct_is_opus(codec) ? opus_fault(decoder, p)
                                   : NULL;
}

/* Who was not told to leave its media in clear may have sealed all of them, for somebody else. */
static wzp_ct_so_far blame(wzp_ct_exec *e, const wzp_ct_heard_packet *p, const char *why,
                           bool all) {
    if (all && !p->sealed && !wzp_ct_play_obeys(e)) {
        return wzp_ct_play_lacks(e, "clear-media");
    }
    wzp_ct_say_packet(e, p, why);
    return WZP_CT_NEVER;
}

static wzp_ct_so_far look_into(wzp_ct_exec *e, OpusDecoder *decoder, const wzp_ct_audio *a) {
    const wzp_ct_heard_packet *wrong = NULL;
    const char *why = NULL;
    size_t faults = 0;
    for (size_t i = 0; i < a->count; i++) {
        const char *fault = payload_fault(decoder, a->packets[i]);
        wrong = fault != NULL && wrong == NULL ? a->packets[i] : wrong;
        why = fault != NULL && why == NULL ? fault : why;
        faults += fault != NULL ? 1 : 0;
    }
    return wrong == NULL ? WZP_CT_HAPPENED : blame(e, wrong, why, faults * 10 > a->count * 9);
}

wzp_ct_so_far wzp_ct_judge_payloads(wzp_ct_exec *e, const wzp_ct_audio *a) {
    const bool wants_codec2 =
        wzp_ct_play_quality(e) != NULL && strcmp(wzp_ct_play_quality(e), "good") != 0;
    const wzp_ct_so_far so_far = wants_codec2 ? wzp_ct_needs_codec2(e, a) : WZP_CT_HAPPENED;
    if (so_far != WZP_CT_HAPPENED) {
        return so_far;
    }
    OpusDecoder *decoder = opus_decoder_create(RATE, 1, NULL);
    const wzp_ct_so_far verdict = decoder != NULL ? look_into(e, decoder, a) : WZP_CT_UNSURE;
    opus_decoder_destroy(decoder);
    return verdict;
}
