#include "fec/receiver.h"

#include <assert.h>
#include <stdlib.h>

#include "fec/raptorq.h"

typedef struct block {
    bool is_used, is_complete;
    uint8_t id;
    wzp_time since;      /* its first symbol; as deployed, its decoding */
    size_t source_count; /* received */
    size_t repair_count;
    size_t width;                 /* octets before the zeros, the most of its symbols */
    uint32_t first_seq, first_ts; /* of frame 0, from the last symbol that tells */
    bool has_source_time;         /* first_ts is from a source packet: those know it better */
    uint8_t *has;                 /* for each index on the wire: it is here */
    uint8_t *indices;             /* of the repair symbols */
    uint8_t *symbols;             /* K sources, then repairs, of WZP_FEC_SYMBOL_LEN */
} block;

struct wzp_fec_receiver {
    wzp_fec_receiver_cfg cfg;
    wzp_rq_decoder *decoder;
    wzp_fec_receiver_stats stats;
    bool has_newest;
    uint8_t newest; /* block id */
    size_t block_count;
    block *blocks;
    uint8_t *memory; /* of all blocks */
    /* What next_frame gives: frames of `given`, before the packet that completed it lost. */
    block *given;
    size_t given_next;
    uint8_t lost[WZP_FEC_SYMBOLS_MAX];
};

/* As deployed nothing is dropped unless it is asked for: each id has a place. */
static size_t block_cap(const wzp_fec_receiver_cfg *cfg) {
    return cfg->as_deployed ? 256 : WZP_FEC_BLOCKS_AHEAD + 1;
}

static bool reserve(wzp_fec_receiver *r) {
    const size_t k = r->cfg.policy.source_count;
    const size_t symbols = k + r->cfg.cap_repairs;
    const size_t each = WZP_FEC_SYMBOLS_MAX + r->cfg.cap_repairs + symbols * WZP_FEC_SYMBOL_LEN;
    r->block_count = block_cap(&r->cfg);
    r->blocks = calloc(r->block_count, sizeof *r->blocks);
    r->memory = malloc(r->block_count * each);
    if (r->blocks == NULL || r->memory == NULL) {
        return false;
    }
    for (size_t i = 0; i < r->block_count; i++) {
        uint8_t *at = r->memory + i * each;
        r->blocks[i].has = at;
        r->blocks[i].indices = at + WZP_FEC_SYMBOLS_MAX;
        r->blocks[i].symbols = at + WZP_FEC_SYMBOLS_MAX + r->cfg.cap_repairs;
    }
    return true;
}

wzp_err wzp_fec_receiver_new(wzp_fec_receiver **out, const wzp_fec_receiver_cfg *cfg) {
    const size_t k = cfg->policy.source_count;
    const size_t repairs = cfg->cap_repairs != 0 ? cfg->cap_repairs : 2 * k;
    if (k == 0 || cfg->policy.frame_len == 0 || cfg->policy.frame_len > WZP_FEC_FRAME_MAX) {
        return WZP_ERR_FEC_CODEC;
    }
    if (repairs > WZP_FEC_SYMBOLS_MAX - k) {
        return WZP_ERR_FEC_BLOCK_SIZE;
    }
    wzp_fec_receiver *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return WZP_ERR_NOMEM;
    }
    r->cfg = *cfg;
    r->cfg.cap_repairs = repairs;
    const wzp_rq_decoder_cfg decoder = {k, repairs, WZP_FEC_SYMBOL_LEN};
    const wzp_err err = reserve(r) ? wzp_rq_decoder_new(&r->decoder, &decoder) : WZP_ERR_NOMEM;
    if (err != WZP_OK) {
        wzp_fec_receiver_free(&r);
        return err;
    }
    *out = r;
    return WZP_OK;
}

void wzp_fec_receiver_free(wzp_fec_receiver **receiver) {
    wzp_fec_receiver *r = *receiver;
    if (r != NULL) {
        wzp_rq_decoder_free(&r->decoder);
        free(r->blocks);
        free(r->memory);
        free(r);
        *receiver = NULL;
    }
}

static void drop(wzp_fec_receiver *r, block *b) {
    if (b->is_used && !b->is_complete && b->source_count < r->cfg.policy.source_count) {
        r->stats.blocks_incomplete++;
    }
    b->is_used = false;
    r->given = r->given == b ? NULL : r->given;
}

/* Blocks whose time is over are dropped before they are looked for. */
static void expire(wzp_fec_receiver *r, wzp_time now) {
    bool is_any = false;
    for (size_t i = 0; i < r->block_count; i++) {
        block *b = &r->blocks[i];
        const bool is_over = wzp_time_since(now, b->since) >= WZP_FEC_BLOCK_LIFE;
        if (b->is_used && is_over && (b->is_complete || !r->cfg.as_deployed)) {
            drop(r, b);
        }
        is_any = is_any || b->is_used;
    }
    r->has_newest = r->has_newest && is_any; /* after a silence any id may come */
}

static block *find(wzp_fec_receiver *r, uint8_t id) {
    for (size_t i = 0; i < r->block_count; i++) {
        if (r->blocks[i].is_used && r->blocks[i].id == id) {
            return &r->blocks[i];
        }
    }
    return NULL;
}

/* Half of the ids are ahead of any of them, the other half behind. */
static int ahead_of(uint8_t id, uint8_t of) {
    const uint8_t distance = (uint8_t)(id - of);
    return distance < 128 ? distance : (int)distance - 256;
}

/* What is left has one of as many ids as there are places. */
static void drop_far_behind(wzp_fec_receiver *r) {
    for (size_t i = 0; i < r->block_count; i++) {
        block *b = &r->blocks[i];
        if (b->is_used && (uint8_t)(r->newest - b->id) > WZP_FEC_BLOCKS_AHEAD) {
            drop(r, b);
        }
    }
}

static block *open_block(wzp_fec_receiver *r, uint8_t id, wzp_time now) {
    if (!r->cfg.as_deployed) {
        if (r->has_newest && ahead_of(id, r->newest) < -WZP_FEC_BLOCKS_AHEAD) {
            return NULL;
        }
        r->newest = !r->has_newest || ahead_of(id, r->newest) > 0 ? id : r->newest;
        r->has_newest = true;
        drop_far_behind(r);
    }
    block *b = r->blocks;
    while (b->is_used) {
        b++;
        assert(b < r->blocks + r->block_count);
    }
    uint8_t *const has = b->has;
    *b = (block){.is_used = true,
                 .id = id,
                 .since = now,
                 .has = has,
                 .indices = b->indices,
                 .symbols = b->symbols};
    memset(has, 0, WZP_FEC_SYMBOLS_MAX);
    return b;
}

static wzp_err check(const wzp_fec_receiver *r, const wzp_fec_packet *p) {
    const bool is_source_index = wzp_fec_index_of(p->fec_block) < r->cfg.policy.source_count;
    if (p->is_repair && (p->payload.len == 0 || p->payload.len > WZP_FEC_SYMBOL_LEN) &&
        !r->cfg.as_deployed) {
        return WZP_ERR_FEC_SYMBOL_SIZE;
    }
    if (p->is_repair == is_source_index && !r->cfg.as_deployed) {
        return WZP_ERR_FEC_SYMBOL_ID;
    }
    return WZP_OK;
}

/* As deployed a source packet is taken for a symbol as it is, cut or filled up to 256 octets. */
static size_t write_symbol(const wzp_fec_receiver *r, const wzp_fec_packet *p, uint8_t *out) {
    if (!p->is_repair && !r->cfg.as_deployed) {
        return wzp_fec_symbol_write(out, p->payload);
    }
    const size_t len = p->payload.len < WZP_FEC_SYMBOL_LEN ? p->payload.len : WZP_FEC_SYMBOL_LEN;
    memset(out, 0, WZP_FEC_SYMBOL_LEN);
    if (len > 0) {
        memcpy(out, p->payload.data, len);
    }
    return len;
}

/* Source packets of a block have consecutive numbers and times; a repair packet has the time of the
 * frame behind the block (media sheet 7.3, 7.5). */
static void learn_times(const wzp_fec_receiver *r, block *b, const wzp_fec_packet *p) {
    const uint32_t index = wzp_fec_index_of(p->fec_block);
    const uint32_t frames = p->is_repair ? r->cfg.policy.source_count : index;
    if (!p->is_repair || !b->has_source_time) {
        b->first_seq = p->seq - index;
        b->first_ts = p->timestamp_ms - frames * r->cfg.policy.frame_ms;
        b->has_source_time = !p->is_repair;
    }
}

static wzp_err store(wzp_fec_receiver *r, block *b, const wzp_fec_packet *p) {
    const size_t k = r->cfg.policy.source_count;
    const uint8_t index = wzp_fec_index_of(p->fec_block);
    if (b->has[index] != 0 || b->is_complete) {
        return WZP_ERR_FEC_DUPLICATE;
    }
    if (index >= k && b->repair_count == r->cfg.cap_repairs) {
        return WZP_ERR_QUEUE_FULL;
    }
    const size_t at = index < k ? index : k + b->repair_count;
    const size_t width = write_symbol(r, p, b->symbols + at * WZP_FEC_SYMBOL_LEN);
    b->width = width > b->width ? width : b->width;
    b->has[index] = 1;
    learn_times(r, b, p);
    if (index < k) {
        b->source_count++;
        r->stats.sources++;
    } else {
        b->indices[b->repair_count++] = index;
        r->stats.repairs++;
    }
    return WZP_OK;
}

/* Only so many octets of the symbols as are not zeros in all of them. */
static wzp_err decode(wzp_fec_receiver *r, const block *b) {
    const size_t k = r->cfg.policy.source_count;
    wzp_err err = wzp_rq_decoder_begin(r->decoder, k, b->width);
    for (size_t i = 0; i < k + b->repair_count && err == WZP_OK; i++) {
        const uint32_t esi = i < k ? (uint32_t)i : b->indices[i - k];
        if (b->has[esi] != 0) {
            err = wzp_rq_decoder_add(r->decoder, esi,
                                     wzp_bytes_of(b->symbols + i * WZP_FEC_SYMBOL_LEN, b->width));
        }
    }
    return err == WZP_OK ? wzp_rq_decoder_solve(r->decoder) : err;
}

/* As deployed all frames are taken from the decoder; otherwise those that were lost. */
static void complete(wzp_fec_receiver *r, block *b, wzp_time now) {
    const size_t k = r->cfg.policy.source_count;
    for (size_t i = 0; i < k; i++) {
        r->lost[i] = b->has[i] == 0 || r->cfg.as_deployed;
    }
    b->is_complete = true;
    b->since = r->cfg.as_deployed ? now : b->since;
    r->given = b;
    r->given_next = 0;
}

static void try_to_decode(wzp_fec_receiver *r, block *b, wzp_time now) {
    const size_t k = r->cfg.policy.source_count;
    if (b->source_count == k && !r->cfg.as_deployed) {
        b->is_complete = true;
    } else if (b->source_count + b->repair_count >= k && b->width > 0 && decode(r, b) == WZP_OK) {
        complete(r, b, now);
    }
}

static wzp_err add(wzp_fec_receiver *r, const wzp_fec_packet *p, wzp_time now) {
    const uint8_t id = wzp_fec_block_of(p->fec_block);
    wzp_err err = check(r, p);
    if (err != WZP_OK) {
        return err;
    }
    expire(r, now);
    block *b = find(r, id);
    b = b != NULL ? b : open_block(r, id, now);
    if (b == NULL) {
        return WZP_ERR_REPLAY;
    }
    err = store(r, b, p);
    if (err == WZP_OK) {
        try_to_decode(r, b, now);
    }
    return err;
}

wzp_err wzp_fec_receiver_add(wzp_fec_receiver *r, const wzp_fec_packet *p, wzp_time now) {
    r->given = NULL;
    const wzp_err err = add(r, p, now);
    r->stats.duplicates += err == WZP_ERR_FEC_DUPLICATE ? 1 : 0;
    r->stats.late += err == WZP_ERR_REPLAY ? 1 : 0;
    r->stats.refused +=
        err != WZP_OK && err != WZP_ERR_FEC_DUPLICATE && err != WZP_ERR_REPLAY ? 1 : 0;
    return err;
}

static bool is_valid(const wzp_fec_receiver *r, wzp_bytes symbol, wzp_bytes *frame) {
    if (wzp_fec_symbol_parse(frame, symbol) != WZP_OK) {
        return false;
    }
    return r->cfg.as_deployed || frame->len == r->cfg.policy.frame_len;
}

bool wzp_fec_receiver_next_frame(wzp_fec_receiver *r, wzp_fec_frame *out) {
    while (r->given != NULL && r->given_next < r->cfg.policy.source_count) {
        const uint32_t i = (uint32_t)r->given_next++;
        wzp_bytes frame;
        if (r->lost[i] == 0) {
            continue;
        }
        if (!is_valid(r, wzp_rq_decoder_source(r->decoder, i), &frame)) {
            r->stats.invalid++;
            continue;
        }
        *out = (wzp_fec_frame){.block = r->given->id,
                               .index = (uint8_t)i,
                               .seq = r->given->first_seq + i,
                               .timestamp_ms = r->given->first_ts + i * r->cfg.policy.frame_ms,
                               .payload = frame};
        r->stats.recovered++;
        return true;
    }
    return false;
}

void wzp_fec_receiver_expire_before(wzp_fec_receiver *r, uint8_t before) {
    for (size_t i = 0; i < r->block_count; i++) {
        if (r->blocks[i].is_used && wzp_fec_is_expired(r->blocks[i].id, before)) {
            drop(r, &r->blocks[i]);
        }
    }
}

void wzp_fec_receiver_count(const wzp_fec_receiver *r, wzp_fec_receiver_stats *out) {
    *out = r->stats;
}

size_t wzp_fec_receiver_blocks(const wzp_fec_receiver *r) {
    size_t n = 0;
    for (size_t i = 0; i < r->block_count; i++) {
        n += r->blocks[i].is_used ? 1 : 0;
    }
    return n;
}
