#include "fec/sender.h"

#include <stdlib.h>

#include "fec/raptorq.h"

struct wzp_fec_sender {
    wzp_fec_sender_cfg cfg;
    wzp_rq_plan *plan;
    wzp_rq_encoder *encoder;
    uint8_t block;
    bool has_keyframe;
    size_t count;                /* frames of the open block */
    size_t used;                 /* octets before the zeros, the most of its symbols */
    size_t repairs, repair_next; /* of a full block */
    uint8_t *symbols;            /* K of WZP_FEC_SYMBOL_LEN; then closed up to `used` */
    uint8_t repair[WZP_FEC_SYMBOL_LEN];
};

static size_t most_repairs(const wzp_fec_sender_cfg *cfg) {
    const unsigned ratio =
        cfg->ratio_percent > cfg->keyframe_percent ? cfg->ratio_percent : cfg->keyframe_percent;
    return wzp_fec_repair_count(cfg->source_count, ratio);
}

wzp_err wzp_fec_sender_new(wzp_fec_sender **out, const wzp_fec_sender_cfg *cfg) {
    if (cfg->source_count == 0 || cfg->source_count > WZP_FEC_SYMBOLS_MAX ||
        cfg->source_count + most_repairs(cfg) > WZP_FEC_SYMBOLS_MAX) {
        return WZP_ERR_FEC_BLOCK_SIZE;
    }
    wzp_fec_sender *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return WZP_ERR_NOMEM;
    }
    s->cfg = *cfg;
    s->symbols = malloc(cfg->source_count * WZP_FEC_SYMBOL_LEN);
    wzp_err err = s->symbols != NULL ? wzp_rq_plan_new(&s->plan, cfg->source_count) : WZP_ERR_NOMEM;
    if (err == WZP_OK) {
        err = wzp_rq_encoder_new(&s->encoder, s->plan, WZP_FEC_SYMBOL_LEN);
    }
    if (err != WZP_OK) {
        wzp_fec_sender_free(&s);
        return err;
    }
    *out = s;
    return WZP_OK;
}

void wzp_fec_sender_free(wzp_fec_sender **sender) {
    wzp_fec_sender *s = *sender;
    if (s != NULL) {
        wzp_rq_encoder_free(&s->encoder);
        wzp_rq_plan_free(&s->plan);
        free(s->symbols);
        free(s);
        *sender = NULL;
    }
}

static void begin_block(wzp_fec_sender *s) {
    s->has_keyframe = false;
    s->count = 0;
    s->used = 0;
    s->repairs = 0;
    s->repair_next = 0;
}

/* Symbols are zeros from `used` on, and so are sums of them: only what is before is coded. */
static void close_block(wzp_fec_sender *s) {
    const unsigned ratio =
        wzp_fec_ratio_with_keyframe(s->cfg.ratio_percent, s->cfg.keyframe_percent, s->has_keyframe);
    s->repairs = wzp_fec_repair_count(s->cfg.source_count, ratio);
    for (size_t i = 1; i < s->count; i++) {
        memmove(s->symbols + i * s->used, s->symbols + i * WZP_FEC_SYMBOL_LEN, s->used);
    }
    if (wzp_rq_encoder_load(s->encoder, s->symbols, s->used) != WZP_OK) {
        s->repairs = 0; /* does not happen: `used` is in 2..256 */
    }
}

wzp_err wzp_fec_sender_push(wzp_fec_sender *s, wzp_bytes frame, bool is_keyframe,
                            uint16_t *fec_block) {
    if (s->count == s->cfg.source_count && s->repair_next < s->repairs) {
        return WZP_ERR_PEER_STATE;
    }
    if (s->count == s->cfg.source_count) { /* a block without repair symbols */
        begin_block(s);
        s->block++;
    }
    const size_t used = wzp_fec_symbol_write(s->symbols + s->count * WZP_FEC_SYMBOL_LEN, frame);
    *fec_block = wzp_fec_word(s->block, (uint8_t)s->count);
    s->used = used > s->used ? used : s->used;
    s->has_keyframe = s->has_keyframe || is_keyframe;
    if (++s->count == s->cfg.source_count) {
        close_block(s);
    }
    return WZP_OK;
}

bool wzp_fec_sender_next_repair(wzp_fec_sender *s, uint16_t *fec_block, wzp_bytes *payload) {
    if (s->count < s->cfg.source_count) {
        return false;
    }
    if (s->repair_next == s->repairs) {
        begin_block(s);
        s->block++;
        return false;
    }
    const uint8_t index = (uint8_t)(s->cfg.source_count + s->repair_next++);
    memset(s->repair, 0, sizeof s->repair);
    if (wzp_rq_encoder_symbol(s->encoder, index, s->repair, s->used) != WZP_OK) {
        return false; /* does not happen: a block is loaded */
    }
    *fec_block = wzp_fec_word(s->block, index);
    *payload = wzp_bytes_of(s->repair, s->cfg.as_deployed ? sizeof s->repair : s->used);
    return true;
}

void wzp_fec_sender_abandon(wzp_fec_sender *s) {
    if (s->count > 0 && (!s->cfg.as_deployed || s->count == s->cfg.source_count)) {
        s->block++;
    }
    begin_block(s);
}

uint8_t wzp_fec_sender_block(const wzp_fec_sender *s) {
    return s->count < s->cfg.source_count ? s->block : (uint8_t)(s->block + 1);
}

void wzp_fec_sender_resume(wzp_fec_sender *s, uint8_t block) {
    begin_block(s);
    s->block = block;
}
