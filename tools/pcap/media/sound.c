#include "tools/pcap/media/sound.h"

#include <stdlib.h>

#include "media/repair.h"

#define PER_MS (WZP_AUDIO_RATE_HZ / 1000)
#define FRAME_MS 20 /* the usual one, until a packet has been played */

typedef struct waiting {
    uint64_t seq; /* extended */
    int64_t at_ms;
    uint8_t codec;
    bool is_repair, was_lost;
    uint16_t len;
    uint8_t payload[WZP_AUDIO_PACKET_MAX];
} waiting;

struct wzp_pcap_sound {
    wzp_pcap_pcm *pcm;
    void *ctx;
    wzp_audio_dec *decoder;
    wzp_repair_in *repair;
    waiting *window; /* by seq, the lowest first */
    size_t count;
    bool is_open, is_playing; /* a packet was taken; one was played */
    uint64_t highest_seq, next_seq;
    int64_t highest_ms; /* extended timestamp of highest_seq */
    int64_t cursor_ms;  /* where the next sample belongs, on the same clock */
    int64_t origin_ms;  /* of position 0 */
    size_t frame_samples;
    wzp_pcap_sound_counters counters;
};

wzp_err wzp_pcap_sound_new(wzp_pcap_sound **out, wzp_pcap_pcm *pcm, void *ctx) {
    wzp_pcap_sound *sound = calloc(1, sizeof *sound);
    if (sound == NULL) {
        return WZP_ERR_NOMEM;
    }
    sound->pcm = pcm;
    sound->ctx = ctx;
    sound->frame_samples = (size_t)FRAME_MS * PER_MS;
    sound->window = calloc(WZP_PCAP_SOUND_WINDOW, sizeof *sound->window);
    if (sound->window == NULL ||
        wzp_audio_dec_new(&sound->decoder, &(wzp_audio_dec_cfg){0}) != WZP_OK ||
        wzp_repair_in_new(&sound->repair) != WZP_OK) {
        wzp_pcap_sound_free(&sound);
        return WZP_ERR_NOMEM;
    }
    *out = sound;
    return WZP_OK;
}

void wzp_pcap_sound_free(wzp_pcap_sound **sound) {
    if (*sound == NULL) {
        return;
    }
    wzp_audio_dec_free(&(*sound)->decoder);
    wzp_repair_in_free(&(*sound)->repair);
    free((*sound)->window);
    free(*sound);
    *sound = NULL;
}

const wzp_pcap_sound_counters *wzp_pcap_sound_count(const wzp_pcap_sound *sound) {
    return &sound->counters;
}

void wzp_pcap_sound_codecs(const wzp_pcap_sound *sound, wzp_audio_counters *out) {
    wzp_audio_dec_count(sound->decoder, out);
}

/* --- playing ---------------------------------------------------------------------------------- */

static void play_out(wzp_pcap_sound *sound, const int16_t *pcm, size_t samples) {
    sound->pcm(sound->ctx, (uint64_t)(sound->cursor_ms - sound->origin_ms) * PER_MS, pcm, samples);
    sound->cursor_ms += (int64_t)(samples / PER_MS);
}

static void fill(wzp_pcap_sound *sound, wzp_audio_fill what, int64_t ms) {
    int16_t pcm[WZP_AUDIO_SENT_MAX];
    while (ms > 0) {
        const size_t left = (size_t)ms * PER_MS;
        const size_t samples = left < sound->frame_samples ? left : sound->frame_samples;
        wzp_audio_dec_fill(sound->decoder, what, (uint32_t)sound->cursor_ms, pcm, samples);
        play_out(sound, pcm, samples);
        ms -= (int64_t)(samples / PER_MS);
    }
}

/* `missing` sequence numbers never came: so much of the gap is loss, the rest the sender's silence.
 * Which part came first nobody knows; losses are put next to the packet that can fill them. */
static void bridge(wzp_pcap_sound *sound, uint64_t missing, int64_t gap_ms) {
    const int64_t frame_ms = (int64_t)(sound->frame_samples / PER_MS);
    int64_t lost_ms = gap_ms;
    if (missing < (uint64_t)(gap_ms / frame_ms)) {
        lost_ms = (int64_t)missing * frame_ms;
    }
    const int64_t paused_ms = gap_ms - lost_ms;
    const int64_t silent_ms =
        lost_ms > WZP_PCAP_SOUND_FILL_MS ? lost_ms - WZP_PCAP_SOUND_FILL_MS : 0;
    const int64_t long_ms =
        paused_ms > WZP_PCAP_SOUND_FILL_MS ? paused_ms - WZP_PCAP_SOUND_FILL_MS : 0;
    fill(sound, WZP_AUDIO_PAUSE, paused_ms - long_ms);
    sound->cursor_ms += long_ms + silent_ms;
    fill(sound, WZP_AUDIO_LOST, lost_ms - silent_ms);
    sound->counters.paused_ms += (uint64_t)paused_ms;
    sound->counters.silent_ms += (uint64_t)silent_ms;
    sound->counters.filled_ms += (uint64_t)(lost_ms - silent_ms);
}

static void play(wzp_pcap_sound *sound, const waiting *w) {
    if (!sound->is_playing) {
        sound->is_playing = true;
        sound->cursor_ms = w->at_ms;
        sound->origin_ms += w->at_ms; /* after a restart: less what was played before it */
        sound->next_seq = w->seq;
    }
    const uint64_t missing = w->seq - sound->next_seq;
    int64_t gap_ms = w->at_ms - sound->cursor_ms;
    if (gap_ms > WZP_PCAP_SOUND_GAP_MS) { /* one wrong time is not to fill the disk with silence */
        sound->counters.restarts++;
        sound->origin_ms += gap_ms;
        sound->cursor_ms += gap_ms;
        gap_ms = 0;
    }
    sound->next_seq = w->seq + 1;
    if (gap_ms > 0) {
        bridge(sound, missing, gap_ms);
    }
    int16_t pcm[WZP_AUDIO_FRAME_MAX];
    size_t samples = 0;
    if (wzp_audio_dec_play(sound->decoder, w->codec, wzp_bytes_of(w->payload, w->len), pcm,
                           WZP_AUDIO_FRAME_MAX, &samples) != WZP_OK) {
        sound->counters.refused++;
        fill(sound, WZP_AUDIO_LOST, (int64_t)(sound->frame_samples / PER_MS));
        return;
    }
    if (samples <= WZP_AUDIO_SENT_MAX && samples >= PER_MS) {
        sound->frame_samples = samples;
    }
    play_out(sound, pcm, samples);
    sound->counters.played++;
    sound->counters.repaired += w->was_lost ? 1 : 0;
}

static void play_first(wzp_pcap_sound *sound) {
    const waiting *w = &sound->window[0];
    if (!w->is_repair) {
        play(sound, w);
    } else if (sound->is_playing && w->seq == sound->next_seq) {
        sound->next_seq++; /* nothing to hear, and nothing lost */
    }
    sound->count--;
    memmove(sound->window, sound->window + 1, sound->count * sizeof *sound->window);
}

void wzp_pcap_sound_end(wzp_pcap_sound *sound) {
    while (sound->count > 0) {
        play_first(sound);
    }
}

/* --- order ------------------------------------------------------------------------------------ */

/* Another start of the sender: its clock has nothing to do with the old one, and goes on where that
 * one ended. */
static void restart(wzp_pcap_sound *sound) {
    wzp_pcap_sound_end(sound);
    wzp_audio_dec_forget(sound->decoder);
    sound->counters.restarts++;
    sound->origin_ms = sound->is_playing ? sound->origin_ms - sound->cursor_ms : 0;
    sound->is_open = false;
    sound->is_playing = false;
}

/* Sets the extended sequence number and time of a packet. */
static void extend(wzp_pcap_sound *sound, const wzp_media_hdr *hdr, waiting *w) {
    if (!sound->is_open) {
        sound->is_open = true;
        sound->highest_seq = (UINT64_C(1) << 32) + hdr->seq;
        sound->highest_ms = (INT64_C(1) << 32) + hdr->timestamp_ms;
    }
    const int32_t ahead = (int32_t)(hdr->seq - (uint32_t)sound->highest_seq);
    const int32_t later_ms = (int32_t)(hdr->timestamp_ms - (uint32_t)sound->highest_ms);
    w->seq = sound->highest_seq + (uint64_t)(int64_t)ahead;
    w->at_ms = sound->highest_ms + later_ms;
    if (ahead > 0) {
        sound->highest_seq = w->seq;
        sound->highest_ms = w->at_ms;
    }
}

static bool is_jump(const wzp_pcap_sound *sound, const wzp_media_hdr *hdr) {
    const int32_t ahead = (int32_t)(hdr->seq - (uint32_t)sound->highest_seq);
    return sound->is_open && (ahead >= WZP_PCAP_SOUND_JUMP || ahead <= -WZP_PCAP_SOUND_JUMP);
}

/* Where it belongs in the window; false: it is there already, or its turn is over. */
static bool find_place(wzp_pcap_sound *sound, uint64_t seq, size_t *at) {
    if (sound->is_playing && seq < sound->next_seq) {
        sound->counters.late++;
        return false;
    }
    size_t i = sound->count;
    while (i > 0 && sound->window[i - 1].seq > seq) {
        i--;
    }
    if (i > 0 && sound->window[i - 1].seq == seq) {
        sound->counters.duplicates++;
        return false;
    }
    *at = i;
    return true;
}

static void keep(wzp_pcap_sound *sound, const wzp_media_packet *packet, bool was_lost) {
    waiting w = {.codec = packet->hdr.codec_id,
                 .is_repair = (packet->hdr.flags & WZP_MEDIA_REPAIR) != 0,
                 .was_lost = was_lost};
    if (!w.is_repair) {
        w.len = (uint16_t)packet->payload.len;
        memcpy(w.payload, packet->payload.data, packet->payload.len);
    }
    extend(sound, &packet->hdr, &w);
    if (sound->count == WZP_PCAP_SOUND_WINDOW) {
        play_first(sound);
    }
    size_t at = 0;
    if (!find_place(sound, w.seq, &at)) {
        return;
    }
    memmove(sound->window + at + 1, sound->window + at,
            (sound->count - at) * sizeof *sound->window);
    sound->window[at] = w;
    sound->count++;
    if (!w.is_repair) {
        wzp_audio_dec_arrive(sound->decoder, w.codec, packet->hdr.timestamp_ms, packet->payload);
    }
}

static bool is_taken(const wzp_media_packet *packet) {
    const bool is_repair = (packet->hdr.flags & WZP_MEDIA_REPAIR) != 0;
    return packet->hdr.media_type == WZP_MEDIA_AUDIO &&
           (is_repair || (packet->payload.len > 0 && packet->payload.len <= WZP_AUDIO_PACKET_MAX));
}

void wzp_pcap_sound_take(wzp_pcap_sound *sound, const wzp_media_packet *packet, uint64_t time_ns) {
    if (!is_taken(packet)) {
        sound->counters.refused++;
        return;
    }
    if (is_jump(sound, &packet->hdr)) {
        restart(sound);
    }
    keep(sound, packet, false);
    wzp_repair_in_packet(sound->repair, packet, time_ns);
    wzp_media_packet back;
    while (wzp_repair_in_next(sound->repair, &back)) {
        if (is_taken(&back) && !is_jump(sound, &back.hdr)) {
            keep(sound, &back, true);
        }
    }
}
