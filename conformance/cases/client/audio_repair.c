/* Codec2 and its repair packets (media sheet 7). */
#include "conformance/cases/client/audio_judges.h"
#include "fec/raptorq.h"

enum { SYMBOL = 256, SYMBOLS_MAX = 16, LEAST = 3 };

/* K and R at the table's ratio. */
static size_t sources_of(uint8_t codec) {
    return codec == 3 ? 5 : 8;
}
static size_t repairs_of(uint8_t codec) {
    return codec == 3 ? 3 : 8;
}
static size_t index_of(const wzp_ct_heard_packet *p) {
    return p->hdr.fec_block >> 8;
}
static uint8_t block_of(const wzp_ct_heard_packet *p) {
    return (uint8_t)p->hdr.fec_block;
}
static bool is_ours(const wzp_ct_heard_packet *p) {
    return wzp_ct_is_codec2(p->hdr.codec_id);
}

wzp_ct_so_far wzp_ct_needs_codec2(wzp_ct_exec *e, const wzp_ct_audio *a) {
    for (size_t i = 0; i < a->count; i++) {
        if (is_ours(a->packets[i])) {
            return WZP_CT_HAPPENED;
        }
    }
    return wzp_ct_play_lacks(e, wzp_ct_play_tunes(e) ? "codec2" : "adaptation");
}

static wzp_ct_so_far enough(wzp_ct_exec *e, const wzp_ct_audio *a, unsigned blocks) {
    if (blocks < LEAST && wzp_ct_has_pauses(a)) {
        return wzp_ct_play_lacks(e, "speech");
    }
    if (blocks < LEAST) {
        wzp_ct_play_say(e, "too few blocks came whole: %u", blocks);
    }
    return blocks < LEAST ? WZP_CT_UNSURE : WZP_CT_HAPPENED;
}

/* --- FEC-001: blocks -------------------------------------------------------------------------- */

/* NULL, or what is wrong with it alone. */
static const char *lone_fault(const wzp_ct_heard_packet *p) {
    const uint8_t codec = p->hdr.codec_id;
    const size_t least = wzp_ct_is_repair(p) ? sources_of(codec) : 0;
    const size_t most = wzp_ct_is_repair(p) ? repairs_of(codec) : sources_of(codec);
    return p->hdr.fec_ratio != (codec == 3 ? 50 : 100) ? "not the ratio of its codec"
           : index_of(p) < least || index_of(p) >= least + most
               ? "an index that no such packet of a block has"
               : NULL;
}

/* `p` and `q` are next to each other but for comfort noise. */
static bool follows(const wzp_ct_heard_packet *p, const wzp_ct_heard_packet *q) {
    const bool is_last =
        index_of(p) + 1 == sources_of(p->hdr.codec_id) + repairs_of(p->hdr.codec_id);
    return is_last ? index_of(q) == 0 && block_of(q) == (uint8_t)(block_of(p) + 1)
                   : index_of(q) == index_of(p) + 1 && block_of(q) == block_of(p);
}

/* Walks along those of Codec2, from the first block that begins after a change of codec. */
typedef struct walk {
    const wzp_ct_heard_packet *last; /* NULL: what came before the next one is not known */
    uint8_t codec;
    bool begun;
    unsigned steps, repairs, blocks; /* from one to the next; into repair packets; into a block */
} walk;

static const char *step(walk *w, const wzp_ct_heard_packet *p) {
    if (p->hdr.codec_id == WZP_CODEC_COMFORT_NOISE) {
        return NULL;
    }
    if (!is_ours(p) || p->hdr.codec_id != w->codec) {
        w->codec = p->hdr.codec_id;
        w->begun = false;
        w->last = NULL;
    }
    if (!is_ours(p)) {
        return NULL;
    }
    const wzp_ct_heard_packet *last = w->begun ? w->last : NULL;
    w->begun = w->begun || index_of(p) == 0;
    w->last = p;
    const char *fault = w->begun ? lone_fault(p) : NULL;
    if (fault != NULL || last == NULL || !w->begun) {
        return fault;
    }
    w->steps++;
    w->repairs += wzp_ct_is_repair(p) && !wzp_ct_is_repair(last) ? 1 : 0;
    w->blocks += index_of(p) == 0 ? 1 : 0;
    return follows(last, p) ? NULL : "not the next one of its block";
}

wzp_ct_so_far wzp_ct_judge_blocks(wzp_ct_exec *e, const wzp_ct_audio *a) {
    const wzp_ct_so_far so_far = wzp_ct_needs_codec2(e, a);
    walk w = {.codec = WZP_CODEC_COMFORT_NOISE};
    for (size_t i = 0; i < a->count && so_far == WZP_CT_HAPPENED; i++) {
        if (i > 0 && wzp_ct_seq_step(a->packets[i - 1], a->packets[i]) != 1) {
            w.last = NULL; /* lost */
        }
        const wzp_ct_heard_packet *before = w.last;
        const char *fault = step(&w, a->packets[i]);
        if (fault != NULL && before != NULL) {
            wzp_ct_say_pair(e, before, a->packets[i], fault);
            wzp_ct_play_say(e, "block %04x before it", before->hdr.fec_block);
            return WZP_CT_NEVER;
        }
        if (fault != NULL) {
            wzp_ct_say_packet(e, a->packets[i], fault);
            return WZP_CT_NEVER;
        }
    }
    return so_far != WZP_CT_HAPPENED ? so_far
                                     : enough(e, a, w.repairs < w.blocks ? w.repairs : w.blocks);
}

/* --- FEC-002: symbols ------------------------------------------------------------------------- */

/* One block as it came. */
typedef struct block {
    uint8_t codec, id;
    size_t next;   /* no index of it that comes now is less */
    uint32_t have; /* bits: of these sources */
    size_t repair_count;
    uint8_t sources[SYMBOLS_MAX * SYMBOL];
    const wzp_ct_heard_packet *repairs[SYMBOLS_MAX];
} block;

static void add_source(block *b, const wzp_ct_heard_packet *p) {
    uint8_t *symbol = b->sources + index_of(p) * SYMBOL;
    memset(symbol, 0, SYMBOL);
    symbol[0] = (uint8_t)p->len;
    symbol[1] = (uint8_t)(p->len >> 8);
    memcpy(symbol + 2, p->payload, p->len);
    b->have |= 1U << index_of(p);
}

/* An id may also come again, where the codec changed for a while. */
static bool is_next_block(const block *b, const wzp_ct_heard_packet *p) {
    return p->hdr.codec_id != b->codec || block_of(p) != b->id || index_of(p) < b->next;
}

/* Those that are impossible are other cases' business. */
static void add(block *b, const wzp_ct_heard_packet *p) {
    const size_t k = sources_of(p->hdr.codec_id);
    if (is_next_block(b, p)) {
        b->codec = p->hdr.codec_id;
        b->id = block_of(p);
        b->have = 0;
        b->repair_count = 0;
    }
    b->next = index_of(p) + 1;
    if (wzp_ct_is_repair(p) && b->repair_count < SYMBOLS_MAX && index_of(p) >= k) {
        b->repairs[b->repair_count++] = p;
    } else if (!wzp_ct_is_repair(p) && index_of(p) < k && p->len <= SYMBOL - 2) {
        add_source(b, p);
    }
}

static bool is_complete(const block *b) {
    return b->have == (1U << sources_of(b->codec)) - 1 && b->repair_count > 0;
}

static bool has_symbol(wzp_rq_encoder *encoder, const wzp_ct_heard_packet *p) {
    uint8_t want[SYMBOL];
    uint8_t got[SYMBOL] = {0};
    if (p->len == 0 || p->len > SYMBOL ||
        wzp_rq_encoder_symbol(encoder, (uint32_t)index_of(p), want, SYMBOL) != WZP_OK) {
        return false;
    }
    memcpy(got, p->payload, p->len);
    return memcmp(got, want, SYMBOL) == 0;
}

/* NULL: all of its repair packets are right, or *unsure says that this machine could not say. */
static const wzp_ct_heard_packet *find_wrong(const block *b, bool *unsure) {
    wzp_rq_plan *plan = NULL;
    wzp_rq_encoder *encoder = NULL;
    const wzp_ct_heard_packet *wrong = NULL;
    *unsure = wzp_rq_plan_new(&plan, sources_of(b->codec)) != WZP_OK ||
              wzp_rq_encoder_new(&encoder, plan, SYMBOL) != WZP_OK ||
              wzp_rq_encoder_load(encoder, b->sources, SYMBOL) != WZP_OK;
    for (size_t i = 0; !*unsure && i < b->repair_count && wrong == NULL; i++) {
        wrong = has_symbol(encoder, b->repairs[i]) ? NULL : b->repairs[i];
    }
    wzp_rq_encoder_free(&encoder);
    wzp_rq_plan_free(&plan);
    return wrong;
}

/* A block is looked at when the next one begins, or the while is over. */
wzp_ct_so_far wzp_ct_judge_symbols(wzp_ct_exec *e, const wzp_ct_audio *a) {
    const wzp_ct_so_far so_far = wzp_ct_needs_codec2(e, a);
    block b = {.codec = 3};
    unsigned judged = 0;
    for (size_t i = 0; i <= a->count && so_far == WZP_CT_HAPPENED; i++) {
        const wzp_ct_heard_packet *p = i < a->count ? a->packets[i] : NULL;
        bool unsure = false;
        if (p != NULL && !is_ours(p)) {
            continue;
        }
        if ((p == NULL || is_next_block(&b, p)) && is_complete(&b)) {
            const wzp_ct_heard_packet *wrong = find_wrong(&b, &unsure);
            judged += unsure ? 0 : 1;
            if (wrong != NULL) {
                wzp_ct_say_packet(e, wrong, "not the RaptorQ symbol of the frames before it");
                return WZP_CT_NEVER;
            }
        }
        if (p != NULL) {
            add(&b, p);
        }
    }
    return so_far != WZP_CT_HAPPENED ? so_far : enough(e, a, judged);
}

/* --- FEC-003: marks --------------------------------------------------------------------------- */

wzp_ct_so_far wzp_ct_judge_marks(wzp_ct_exec *e, const wzp_ct_audio *a) {
    const wzp_ct_so_far so_far = wzp_ct_needs_codec2(e, a);
    for (size_t i = 0; i < a->count && so_far == WZP_CT_HAPPENED; i++) {
        const wzp_ct_heard_packet *p = a->packets[i];
        const wzp_ct_heard_packet *before =
            i > 0 && wzp_ct_seq_step(a->packets[i - 1], p) == 1 ? a->packets[i - 1] : NULL;
        const bool is_marked = wzp_ct_is_repair(p);
        const char *fault =
            is_marked && !is_ours(p) ? "a repair packet of a codec that has none"
            : is_ours(p) && is_marked != (index_of(p) >= sources_of(p->hdr.codec_id))
                ? "its mark and its index contradict each other"
            : is_marked && before != NULL && is_ours(before) &&
                    before->hdr.codec_id != p->hdr.codec_id
                ? "a repair packet of another codec than what is before it"
                : NULL;
        if (fault != NULL) {
            wzp_ct_say_packet(e, p, fault);
            return WZP_CT_NEVER;
        }
    }
    return so_far;
}
