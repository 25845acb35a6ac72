/* What cannot be said of one packet alone: the rate of Opus, its redundancy, and its silence. */
#include "conformance/cases/client/audio_judges.h"

enum { ENOUGH = 100, DTX = 2 /* bytes at most */ };

/* --- AUD-006: the rate ------------------------------------------------------------------------ */

/* Media sheet 1.1; 0: not Opus. */
static uint32_t nominal_bps(uint8_t codec) {
    static const uint32_t rates[] = {24000, 16000, 6000, 0, 0, 0, 32000, 48000, 64000};
    return codec < WZP_COUNT_OF(rates) ? rates[codec] : 0;
}

/* Per packet, so that it does not matter which of them came. */
wzp_ct_so_far wzp_ct_judge_rate(wzp_ct_exec *e, const wzp_ct_audio *a) {
    const uint8_t codec = a->packets[0]->hdr.codec_id;
    const uint32_t nominal = nominal_bps(codec);
    uint64_t count = 0;
    uint64_t silent = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i];
        if (p->hdr.codec_id == codec && !wzp_ct_is_repair(p)) {
            count += p->len > DTX ? 1 : 0;
            silent += p->len > DTX ? 0 : 1;
            bytes += p->len > DTX ? p->len : 0;
        }
    }
    if (nominal == 0 || count < ENOUGH || silent * 4 > count) {
        return wzp_ct_play_lacks(e, nominal == 0 ? "opus" : "speech");
    }
    const uint64_t bps = bytes * 8000 / (count * wzp_ct_frame_ms(codec));
    wzp_ct_play_say(e, "%llu bit/s in %llu packets of Opus at %u", (unsigned long long)bps,
                    (unsigned long long)count, nominal);
    return bps * 10 >= nominal * 7ULL && bps * 10 <= nominal * 13ULL ? WZP_CT_HAPPENED
                                                                     : WZP_CT_NEVER;
}

/* --- DRED-001: deep redundancy ---------------------------------------------------------------- */

enum { DRED = 126, DRED_MARK = 'D', DRED_1_5 = 10, DRED_1_6 = 12, ROOM = 20 };

/* The padding of a packet (RFC 6716, 3.2.5), where extensions are. */
static wzp_bytes padding_of(const wzp_ct_heard_packet *p) {
    const uint8_t *data = p->payload;
    size_t pos = 2;
    size_t len = 0;
    if (p->len < 3 || p->len > WZP_CT_HEARD_PAYLOAD || (data[0] & 3) != 3 ||
        (data[1] & 0x40) == 0) {
        return wzp_bytes_of(NULL, 0);
    }
    for (; pos < p->len && data[pos] == 255; pos++) {
        len += 254;
    }
    len += pos < p->len ? data[pos] : p->len;
    return len <= p->len - pos ? wzp_bytes_of(data + p->len - len, len) : wzp_bytes_of(NULL, 0);
}

/* What extension 126 has, empty: there is none.  Ids below 32 have one byte or none, the others a
 * length or all that is left. */
static wzp_bytes find_dred(wzp_bytes pad) {
    size_t pos = 0;
    while (pos < pad.len) {
        const uint8_t id = pad.data[pos] >> 1;
        const bool flag = (pad.data[pos] & 1) != 0;
        size_t len = 0;
        pos++;
        if (id < 32) {
            len = id == 0 ? 0 : (flag ? 1 : 0);
        } else if (!flag) {
            len = pad.len - pos;
        } else {
            do {
                len += pos < pad.len ? pad.data[pos] : pad.len;
            } while (pos < pad.len && pad.data[pos++] == 255);
        }
        if (len > pad.len - pos || (id == 0 && !flag)) {
            break;
        }
        if (id == DRED) {
            return wzp_bytes_of(pad.data + pos, len);
        }
        pos += len;
    }
    return wzp_bytes_of(NULL, 0);
}

static bool is_known(wzp_bytes dred) {
    return dred.len > 2 && dred.data[0] == DRED_MARK &&
           (dred.data[1] == DRED_1_5 || dred.data[1] == DRED_1_6);
}

/* Nobody sees whether the client could: one that never does is not judged, one that stops is. */
wzp_ct_so_far wzp_ct_judge_dred(wzp_ct_exec *e, const wzp_ct_audio *a) {
    unsigned spoken = 0;
    unsigned with = 0;
    for (size_t i = 0; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i];
        if (p->hdr.codec_id != WZP_CODEC_OPUS_24K || p->len < ROOM) {
            continue;
        }
        const wzp_bytes dred = find_dred(padding_of(p));
        spoken++;
        with += dred.len > 0 ? 1 : 0;
        if (dred.len > 0 && !is_known(dred)) {
            wzp_ct_say_packet(e, p, "extension 126 is not DRED of version 10 or 12");
            return WZP_CT_NEVER;
        }
    }
    if (spoken < ENOUGH || with == 0) {
        return wzp_ct_play_lacks(e, spoken < ENOUGH ? "speech" : "dred");
    }
    wzp_ct_play_say(e, "%u of %u packets have DRED", with, spoken);
    return with * 4 >= spoken ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

/* --- AUD-007: comfort noise ------------------------------------------------------------------- */

enum { FRAMES_PER_NOISE = 10, LONG_PAUSE = 30 };

static bool is_noise(const wzp_ct_heard_packet *p) {
    return p->hdr.codec_id == WZP_CODEC_COMFORT_NOISE;
}

/* Frames of time from one packet to the next; those of silence have the length of `codec`'s. */
static int32_t frames_between(const wzp_ct_heard_packet *p, const wzp_ct_heard_packet *q,
                              uint8_t codec) {
    return wzp_ct_ts_step(p, q) / (int32_t)wzp_ct_frame_ms(codec);
}

static const char *noise_fault(const wzp_ct_heard_packet *p, const wzp_ct_heard_packet *q,
                               uint8_t codec) {
    const int32_t frames = frames_between(p, q, codec);
    return is_noise(q) && (q->len != 1 || wzp_ct_is_repair(q) || q->hdr.fec_ratio != 0)
               ? "not one byte of comfort noise"
           : is_noise(p) && is_noise(q) && frames != FRAMES_PER_NOISE
               ? "not ten frames after the comfort noise before it"
           : (is_noise(p) || is_noise(q)) && frames > LONG_PAUSE
               ? "a pause that is too long for comfort noise"
               : NULL;
}

wzp_ct_so_far wzp_ct_judge_noise(wzp_ct_exec *e, const wzp_ct_audio *a) {
    uint8_t codec = a->packets[0]->hdr.codec_id; /* of sound; noise: not known yet */
    unsigned judged = 0;
    for (size_t i = 1; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i - 1];
        const wzp_ct_heard_packet *q = a->packets[i];
        codec = is_noise(p) ? codec : p->hdr.codec_id;
        if (wzp_ct_seq_step(p, q) != 1 || codec == WZP_CODEC_COMFORT_NOISE) {
            continue;
        }
        const char *fault = noise_fault(p, q, codec);
        if (fault != NULL) {
            wzp_ct_say_pair(e, p, q, fault);
            return WZP_CT_NEVER;
        }
        judged += is_noise(p) && is_noise(q) ? 1 : 0;
    }
    return judged > 0 ? WZP_CT_HAPPENED : wzp_ct_play_lacks(e, "comfort-noise");
}
