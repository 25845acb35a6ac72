#include "conformance/mutants/faults_audio_in.h"

#include "client/listener.h"
#include "client/repeats.h"
#include "conformance/mutants/faults_client.h"
#include "conformance/mutants/wrap.h"
#include "media/tracks.h"

enum { SYMBOL = 256, SYMBOLS = 8 };

static wzp_hear_fault fault;

/* The client under test, which is the only one. */
static struct subject {
    bool has_played, is_stuck, has_seq;
    uint8_t kind; /* of the codec that came first */
    uint32_t highest;
    struct {
        wzp_media_hdr hdr;
        size_t len;
        uint8_t bytes[SYMBOL];
    } kept[SYMBOLS]; /* the first repair symbols that came */
    size_t kept_count;
    bool gave_one;
} it;

void wzp_hear_fault_set(wzp_hear_fault which) {
    it = (struct subject){0};
    fault = which;
}

/* A client that begins is new. */
WRAP(void, wzp_tracks_init, wzp_tracks *tracks) {
    it = (struct subject){0};
    __real_wzp_tracks_init(tracks);
}

/* --- the decoder ------------------------------------------------------------------------------ */

/* Opus of several frames, with padding: where extensions are. */
static bool is_padded(wzp_bytes packet) {
    return packet.len > 2 && (packet.data[0] & 3) == 3 && (packet.data[1] & 0x40) != 0;
}

static bool has_strange_dred(wzp_bytes packet) {
    for (size_t i = 0; is_padded(packet) && i + 2 < packet.len; i++) {
        if (packet.data[i] == 0xfc && packet.data[i + 1] == 'D' && packet.data[i + 2] != 10) {
            return true;
        }
    }
    return false;
}

static bool is_foreign(uint8_t codec) {
    const uint8_t kind = wzp_codec_find(codec)->is_codec2 ? 1 : 0;
    if (!it.has_played) {
        it.has_played = true;
        it.kind = kind;
    }
    return kind != it.kind;
}

static bool refuses(uint8_t codec, wzp_bytes payload) {
    switch (fault) {
    case WZP_HEAR_FAULT_ONE_CODEC:
        return is_foreign(codec);
    case WZP_HEAR_FAULT_LONG_FRAMES:
        return wzp_codec_find(codec)->frame_ms == 40;
    case WZP_HEAR_FAULT_STUCK:
        return it.is_stuck;
    case WZP_HEAR_FAULT_PLAIN:
        return is_padded(payload);
    case WZP_HEAR_FAULT_KNOWN_DRED:
        return has_strange_dred(payload);
    default:
        return false;
    }
}

WRAP(wzp_err, wzp_audio_dec_play, wzp_audio_dec *dec, uint8_t codec, wzp_bytes payload,
     int16_t *pcm, size_t cap, size_t *samples) {
    if (fault == WZP_HEAR_FAULT_DIES_EMPTY && payload.len == 0) {
        wzp_client_fall_silent();
    }
    const wzp_err err = refuses(codec, payload)
                            ? WZP_ERR_PARSE
                            : __real_wzp_audio_dec_play(dec, codec, payload, pcm, cap, samples);
    it.is_stuck = it.is_stuck || err != WZP_OK;
    return err;
}

/* --- what arrives ----------------------------------------------------------------------------- */

/* Testers parse with it as well, but clients send no such codec. */
WRAP(wzp_err, wzp_media_packet_parse, wzp_media_packet *out, wzp_bytes datagram, wzp_fail *fail) {
    const wzp_err err = __real_wzp_media_packet_parse(out, datagram, fail);
    if (fault == WZP_HEAR_FAULT_DIES && err == WZP_ERR_CODEC) {
        wzp_client_fall_silent();
    }
    return err;
}

WRAP(bool, wzp_repeats_seen, wzp_repeats *repeats, wzp_bytes datagram) {
    return __real_wzp_repeats_seen(repeats, datagram) && fault != WZP_HEAR_FAULT_TWICE;
}

WRAP(int, wzp_tracks_place, wzp_tracks *tracks, const wzp_media_hdr *hdr, wzp_time now,
     bool *is_new) {
    const bool is_old = it.has_seq && (int32_t)(hdr->seq - it.highest) < 0;
    if (fault == WZP_HEAR_FAULT_OLD_SENDER && is_old) {
        return -1;
    }
    return __real_wzp_tracks_place(tracks, hdr, now, is_new);
}

WRAP(void, wzp_listener_take, wzp_listener *listener, const wzp_media_packet *packet, wzp_time now,
     wzp_listener_counts *counts) {
    const bool is_old = it.has_seq && (int32_t)(packet->hdr.seq - it.highest) < 0;
    wzp_media_packet changed = *packet;
    it.highest = is_old ? it.highest : packet->hdr.seq;
    it.has_seq = true;
    if (fault == WZP_HEAR_FAULT_NO_BUFFER && is_old) {
        return;
    }
    if (fault == WZP_HEAR_FAULT_PLAYS_REPAIR && wzp_codec_find(packet->hdr.codec_id)->is_opus) {
        changed.hdr.flags &= (uint8_t)~WZP_MEDIA_REPAIR;
    }
    __real_wzp_listener_take(listener, &changed, now, counts);
}

WRAP(bool, wzp_jbuf_pop, wzp_jbuf *jb, wzp_time now, wzp_jbuf_out *out) {
    bool any = __real_wzp_jbuf_pop(jb, now, out);
    while (any && fault == WZP_HEAR_FAULT_GAPS && out->kind == WZP_JBUF_CONCEAL) {
        any = __real_wzp_jbuf_pop(jb, now, out);
    }
    return any;
}

/* --- repair ----------------------------------------------------------------------------------- */

static void keep_symbol(const wzp_media_packet *packet) {
    if (it.kept_count < SYMBOLS && packet->payload.len <= SYMBOL) {
        it.kept[it.kept_count].hdr = packet->hdr;
        it.kept[it.kept_count].len = packet->payload.len;
        memcpy(it.kept[it.kept_count].bytes, packet->payload.data, packet->payload.len);
        it.kept_count++;
    }
}

void __real_wzp_repair_in_packet(wzp_repair_in *repair, const wzp_media_packet *packet,
                                 wzp_time now);

/* The block comes again: its old symbols are there. */
static void add_old_symbols(wzp_repair_in *repair, const wzp_media_packet *packet, wzp_time now) {
    enum { LONG_AGO_MS = 20000 };
    const uint32_t last = packet->hdr.timestamp_ms;
    for (size_t i = 0; i < it.kept_count; i++) {
        wzp_media_packet old = {.hdr = it.kept[i].hdr,
                                .payload = wzp_bytes_of(it.kept[i].bytes, it.kept[i].len)};
        if ((old.hdr.fec_block & 0xff) == (packet->hdr.fec_block & 0xff) &&
            last - old.hdr.timestamp_ms > LONG_AGO_MS) {
            old.hdr.seq = packet->hdr.seq + (uint32_t)i + 10;
            old.hdr.timestamp_ms = last + 100;
            __real_wzp_repair_in_packet(repair, &old, now);
        }
    }
}

static bool is_ignored(const wzp_media_packet *packet) {
    const size_t len = packet->payload.len;
    switch (fault) {
    case WZP_HEAR_FAULT_NO_REPAIR:
        return true;
    case WZP_HEAR_FAULT_ODD_REPAIR:
        return packet->hdr.codec_id == WZP_CODEC_CODEC2_1200;
    case WZP_HEAR_FAULT_WHOLE_SYMBOLS:
        return len != SYMBOL;
    case WZP_HEAR_FAULT_DIES_SYMBOL:
        if (len > SYMBOL) {
            wzp_client_fall_silent();
        }
        return false;
    default:
        return false;
    }
}

WRAP(void, wzp_repair_in_packet, wzp_repair_in *repair, const wzp_media_packet *packet,
     wzp_time now) {
    const bool is_repair = (packet->hdr.flags & WZP_MEDIA_REPAIR) != 0;
    it.gave_one = false;
    if (is_repair && is_ignored(packet)) {
        return;
    }
    if (fault == WZP_HEAR_FAULT_OLD_SYMBOLS && is_repair) {
        keep_symbol(packet);
    } else if (fault == WZP_HEAR_FAULT_OLD_SYMBOLS) {
        add_old_symbols(repair, packet, now);
    }
    __real_wzp_repair_in_packet(repair, packet, now);
}

WRAP(bool, wzp_repair_in_next, wzp_repair_in *repair, wzp_media_packet *out) {
    const bool any = __real_wzp_repair_in_next(repair, out);
    const bool is_second = it.gave_one;
    it.gave_one = it.gave_one || any;
    return any && (fault != WZP_HEAR_FAULT_HALF_REPAIR || !is_second);
}
