#include "tools/quality/loss_fec.h"

#include <stdlib.h>

#include "fec/raptorq.h"
#include "media/codec2.h"

enum { PREFIX = 2, SYMBOL_MAX = PREFIX + WZP_CODEC2_PACKET_MAX };

static const struct shape {
    uint8_t codec;
    uint8_t frames, repairs;
} shapes[] = {{WZP_CODEC_CODEC2_3200, 5, 3}, {WZP_CODEC_CODEC2_1200, 8, 8}};

struct wzp_loss_fec {
    const struct shape *shape;
    size_t symbol_len;
    wzp_rq_plan *plan;
    wzp_rq_encoder *encoder;
    wzp_rq_decoder *decoder;
    size_t sent; /* frames of this block */
    wzp_media_hdr hdrs[WZP_LOSS_FEC_MAX];
    bool told[WZP_LOSS_FEC_MAX]; /* arrived, or told by wzp_loss_fec_next */
    uint8_t block[WZP_LOSS_FEC_MAX * SYMBOL_MAX];
};

static wzp_err open_codes(wzp_loss_fec *f) {
    const wzp_rq_decoder_cfg cfg = {.cap_sources = f->shape->frames,
                                    .cap_repairs = f->shape->repairs,
                                    .cap_symbol_len = f->symbol_len};
    wzp_err err = wzp_rq_plan_new(&f->plan, f->shape->frames);
    err = err == WZP_OK ? wzp_rq_encoder_new(&f->encoder, f->plan, f->symbol_len) : err;
    return err == WZP_OK ? wzp_rq_decoder_new(&f->decoder, &cfg) : err;
}

wzp_err wzp_loss_fec_new(wzp_loss_fec **out, uint8_t codec) {
    wzp_loss_fec *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return WZP_ERR_NOMEM;
    }
    for (size_t i = 0; i < WZP_COUNT_OF(shapes); i++) {
        f->shape = shapes[i].codec == codec ? &shapes[i] : f->shape;
    }
    f->symbol_len = PREFIX + wzp_codec2_frame_bytes(codec);
    const wzp_err err = f->shape != NULL ? open_codes(f) : WZP_ERR_INVALID_ARGUMENT;
    if (err != WZP_OK) {
        wzp_loss_fec_free(&f);
        return err;
    }
    *out = f;
    return WZP_OK;
}

void wzp_loss_fec_free(wzp_loss_fec **fec) {
    if (*fec != NULL) {
        wzp_rq_decoder_free(&(*fec)->decoder);
        wzp_rq_encoder_free(&(*fec)->encoder);
        wzp_rq_plan_free(&(*fec)->plan);
        free(*fec);
        *fec = NULL;
    }
}

static wzp_err begin_block(wzp_loss_fec *f) {
    f->sent = 0;
    memset(f->told, 0, sizeof f->told);
    return wzp_rq_decoder_begin(f->decoder, f->shape->frames, f->symbol_len);
}

wzp_err wzp_loss_fec_frame(wzp_loss_fec *f, const wzp_media_hdr *hdr, wzp_bytes frame,
                           bool arrives) {
    wzp_err err = f->sent == 0 || f->sent == f->shape->frames ? begin_block(f) : WZP_OK;
    if (err != WZP_OK || frame.len + PREFIX != f->symbol_len) {
        return err != WZP_OK ? err : WZP_ERR_INVALID_ARGUMENT;
    }
    uint8_t *symbol = f->block + f->sent * f->symbol_len;
    symbol[0] = (uint8_t)frame.len; /* little-endian */
    symbol[1] = 0;
    memcpy(symbol + PREFIX, frame.data, frame.len);
    f->hdrs[f->sent] = *hdr;
    f->told[f->sent] = arrives;
    const wzp_bytes view = wzp_bytes_of(symbol, f->symbol_len);
    err = arrives ? wzp_rq_decoder_add(f->decoder, (uint32_t)f->sent, view) : WZP_OK;
    f->sent++;
    return err == WZP_OK && f->sent == f->shape->frames
               ? wzp_rq_encoder_load(f->encoder, f->block, f->symbol_len)
               : err;
}

size_t wzp_loss_fec_repairs(const wzp_loss_fec *f) {
    return f->sent == f->shape->frames ? f->shape->repairs : 0;
}

wzp_err wzp_loss_fec_repair(wzp_loss_fec *f, size_t i) {
    uint8_t symbol[SYMBOL_MAX];
    const uint32_t esi = (uint32_t)(f->shape->frames + i);
    wzp_err err = wzp_rq_encoder_symbol(f->encoder, esi, symbol, f->symbol_len);
    err = err == WZP_OK ? wzp_rq_decoder_add(f->decoder, esi, wzp_bytes_of(symbol, f->symbol_len))
                        : err;
    if (err == WZP_OK) {
        err = wzp_rq_decoder_solve(f->decoder);
    }
    /* One that comes after the block is solved tells nothing new; one too few is no failure. */
    return err == WZP_ERR_FEC_RANK || err == WZP_ERR_FEC_DUPLICATE ? WZP_OK : err;
}

bool wzp_loss_fec_next(wzp_loss_fec *f, wzp_media_hdr *hdr, wzp_bytes *frame) {
    for (size_t i = 0; i < f->sent; i++) {
        const wzp_bytes symbol = wzp_rq_decoder_source(f->decoder, i);
        if (!f->told[i] && symbol.len == f->symbol_len) {
            f->told[i] = true;
            *hdr = f->hdrs[i];
            *frame = wzp_bytes_of(symbol.data + PREFIX, symbol.data[0]);
            return true;
        }
    }
    return false;
}
