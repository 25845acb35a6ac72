#include "media/repair.h"

#include <stdlib.h>

#include "fec/sender.h"

enum { PROTECTED = 2 };

static const uint8_t protected_codecs[PROTECTED] = {WZP_CODEC_CODEC2_3200, WZP_CODEC_CODEC2_1200};

/* Which of the two; PROTECTED for any other. */
static size_t index_of(uint8_t codec) {
    size_t i = 0;
    while (i < PROTECTED && protected_codecs[i] != codec) {
        i++;
    }
    return i;
}

/* --- sending ---------------------------------------------------------------------------------- */

struct wzp_repair_out {
    wzp_fec_sender *senders[PROTECTED];
    size_t current;     /* of the two; PROTECTED: no block is open */
    uint8_t next_block; /* while none is */
    wzp_media_hdr last; /* of the last source packet */
};

wzp_err wzp_repair_out_new(wzp_repair_out **out, bool as_deployed) {
    wzp_repair_out *r = calloc(1, sizeof *r);
    wzp_err err = r != NULL ? WZP_OK : WZP_ERR_NOMEM;
    for (size_t i = 0; i < PROTECTED && err == WZP_OK; i++) {
        const wzp_fec_policy *policy = wzp_fec_policy_of(protected_codecs[i]);
        const wzp_fec_sender_cfg cfg = {.source_count = policy->source_count,
                                        .ratio_percent = policy->ratio_percent,
                                        .as_deployed = as_deployed};
        err = wzp_fec_sender_new(&r->senders[i], &cfg);
    }
    if (err != WZP_OK) {
        wzp_repair_out_free(&r);
        return err;
    }
    r->current = PROTECTED;
    *out = r;
    return WZP_OK;
}

void wzp_repair_out_free(wzp_repair_out **out) {
    if (*out != NULL) {
        for (size_t i = 0; i < PROTECTED; i++) {
            wzp_fec_sender_free(&(*out)->senders[i]);
        }
        free(*out);
        *out = NULL;
    }
}

/* Block ids go on across codecs. */
static void change_to(wzp_repair_out *r, size_t to) {
    if (to == r->current) {
        return;
    }
    if (r->current != PROTECTED) {
        wzp_fec_sender_abandon(r->senders[r->current]);
        r->next_block = wzp_fec_sender_block(r->senders[r->current]);
    }
    if (to != PROTECTED) {
        wzp_fec_sender_resume(r->senders[to], r->next_block);
    }
    r->current = to;
}

static uint8_t block_of(const wzp_repair_out *r) {
    return r->current != PROTECTED ? wzp_fec_sender_block(r->senders[r->current]) : r->next_block;
}

void wzp_repair_out_source(wzp_repair_out *r, wzp_media_hdr *hdr, wzp_bytes frame) {
    hdr->fec_ratio = 0;
    hdr->fec_block = 0;
    if (hdr->codec_id == WZP_CODEC_COMFORT_NOISE) {
        hdr->fec_block = wzp_fec_word(block_of(r), 0);
        return;
    }
    change_to(r, index_of(hdr->codec_id));
    if (r->current == PROTECTED) {
        return;
    }
    wzp_fec_sender *sender = r->senders[r->current];
    if (wzp_fec_sender_push(sender, frame, false, &hdr->fec_block) != WZP_OK) {
        /* Repair packets were not taken: that block is over. */
        wzp_fec_sender_abandon(sender);
        (void)!wzp_fec_sender_push(sender, frame, false, &hdr->fec_block);
    }
    hdr->fec_ratio = wzp_fec_policy_of(hdr->codec_id)->ratio_percent;
    r->last = *hdr;
}

bool wzp_repair_out_next(wzp_repair_out *r, uint32_t *next_seq, wzp_media_packet *out) {
    uint16_t word = 0;
    wzp_bytes payload;
    if (r->current == PROTECTED ||
        !wzp_fec_sender_next_repair(r->senders[r->current], &word, &payload)) {
        return false;
    }
    *out = (wzp_media_packet){.hdr = r->last, .payload = payload};
    out->hdr.flags = WZP_MEDIA_REPAIR;
    out->hdr.seq = (*next_seq)++;
    out->hdr.timestamp_ms += wzp_fec_policy_of(out->hdr.codec_id)->frame_ms;
    out->hdr.fec_block = word;
    return true;
}

/* --- receiving -------------------------------------------------------------------------------- */

struct wzp_repair_in {
    wzp_fec_receiver *receivers[PROTECTED];
    size_t current;        /* that took the last packet; PROTECTED: none did */
    wzp_media_hdr pattern; /* of that packet */
};

wzp_err wzp_repair_in_new(wzp_repair_in **out) {
    wzp_repair_in *r = calloc(1, sizeof *r);
    wzp_err err = r != NULL ? WZP_OK : WZP_ERR_NOMEM;
    for (size_t i = 0; i < PROTECTED && err == WZP_OK; i++) {
        const wzp_fec_receiver_cfg cfg = {.policy = *wzp_fec_policy_of(protected_codecs[i])};
        err = wzp_fec_receiver_new(&r->receivers[i], &cfg);
    }
    if (err != WZP_OK) {
        wzp_repair_in_free(&r);
        return err;
    }
    r->current = PROTECTED;
    *out = r;
    return WZP_OK;
}

void wzp_repair_in_free(wzp_repair_in **in) {
    if (*in != NULL) {
        for (size_t i = 0; i < PROTECTED; i++) {
            wzp_fec_receiver_free(&(*in)->receivers[i]);
        }
        free(*in);
        *in = NULL;
    }
}

void wzp_repair_in_packet(wzp_repair_in *r, const wzp_media_packet *packet, wzp_time now) {
    const wzp_media_hdr *hdr = &packet->hdr;
    const bool is_sound = hdr->media_type == WZP_MEDIA_AUDIO;
    r->current = is_sound ? index_of(hdr->codec_id) : PROTECTED;
    if (r->current == PROTECTED) {
        return;
    }
    const wzp_fec_packet symbol = {.is_repair = (hdr->flags & WZP_MEDIA_REPAIR) != 0,
                                   .fec_block = hdr->fec_block,
                                   .seq = hdr->seq,
                                   .timestamp_ms = hdr->timestamp_ms,
                                   .payload = packet->payload};
    if (wzp_fec_receiver_add(r->receivers[r->current], &symbol, now) != WZP_OK) {
        r->current = PROTECTED; /* counted there, nothing came back */
    }
    r->pattern = *hdr;
}

bool wzp_repair_in_next(wzp_repair_in *r, wzp_media_packet *out) {
    wzp_fec_frame frame;
    if (r->current == PROTECTED || !wzp_fec_receiver_next_frame(r->receivers[r->current], &frame)) {
        return false;
    }
    *out = (wzp_media_packet){.hdr = r->pattern, .payload = frame.payload};
    out->hdr.flags = 0;
    out->hdr.seq = frame.seq;
    out->hdr.timestamp_ms = frame.timestamp_ms;
    out->hdr.fec_block = wzp_fec_word(frame.block, frame.index);
    return true;
}

void wzp_repair_in_count(const wzp_repair_in *r, wzp_fec_receiver_stats *out) {
    *out = (wzp_fec_receiver_stats){0};
    for (size_t i = 0; i < PROTECTED; i++) {
        wzp_fec_receiver_stats s;
        wzp_fec_receiver_count(r->receivers[i], &s);
        out->sources += s.sources;
        out->repairs += s.repairs;
        out->recovered += s.recovered;
        out->invalid += s.invalid;
        out->refused += s.refused;
        out->duplicates += s.duplicates;
        out->late += s.late;
        out->blocks_incomplete += s.blocks_incomplete;
    }
}
