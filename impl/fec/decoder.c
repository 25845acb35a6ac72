#include <stdlib.h>

#include "fec/raptorq.h"
#include "fec/solve.h"

struct wzp_rq_decoder {
    wzp_rq_decoder_cfg cfg;
    const wzp_octet_ops *ops;
    wzp_rq_solver *solver;
    wzp_rq_params params; /* k is 0 when there is no block */
    size_t symbol_len;
    size_t missing; /* source symbols */
    size_t received, repair_count;
    uint8_t *symbols;    /* K source symbols, then repair symbols in order of arrival */
    uint8_t *has_source; /* a flag for each */
    uint32_t *repairs;   /* their ids */
    uint32_t *slots;     /* open hash of ids: index into repairs, plus 1 */
    size_t slot_count;   /* a power of two, more than twice cap_repairs */
    wzp_rq_equation *equations;
    uint8_t *intermediates, *scratch;
    uint8_t **table;
};

static bool reserve(wzp_rq_decoder *d, const wzp_rq_params *p) {
    const size_t inputs = d->cfg.cap_sources + d->cfg.cap_repairs;
    d->solver = wzp_rq_solver_new(p->k, (uint32_t)d->cfg.cap_repairs);
    if (d->solver == NULL) {
        return false;
    }
    const size_t scratch = wzp_rq_solver_scratch(d->solver);
    d->slot_count = 4;
    while (d->slot_count <= 2 * d->cfg.cap_repairs) {
        d->slot_count *= 2;
    }
    d->symbols = malloc(inputs * d->cfg.cap_symbol_len);
    d->has_source = malloc(d->cfg.cap_sources);
    d->repairs = malloc((d->cfg.cap_repairs + 1) * sizeof *d->repairs);
    d->slots = malloc(d->slot_count * sizeof *d->slots);
    d->equations = malloc((p->kp + d->cfg.cap_repairs) * sizeof *d->equations);
    d->intermediates = malloc(p->l * WZP_RQ_STRIPE);
    d->scratch = malloc(scratch * WZP_RQ_STRIPE);
    d->table = malloc((inputs + p->l + scratch) * sizeof *d->table);
    return d->symbols != NULL && d->has_source != NULL && d->repairs != NULL && d->slots != NULL &&
           d->equations != NULL && d->intermediates != NULL && d->scratch != NULL &&
           d->table != NULL;
}

wzp_err wzp_rq_decoder_new(wzp_rq_decoder **out, const wzp_rq_decoder_cfg *cfg) {
    wzp_rq_params p;
    const wzp_err err = wzp_rq_params_of(&p, cfg->cap_sources);
    if (err != WZP_OK || cfg->cap_repairs > WZP_RQ_SOURCES_MAX) {
        return WZP_ERR_FEC_BLOCK_SIZE;
    }
    if (cfg->cap_symbol_len == 0 || cfg->cap_symbol_len > SIZE_MAX / 4 / WZP_RQ_SOURCES_MAX) {
        return WZP_ERR_FEC_SYMBOL_SIZE;
    }
    wzp_rq_decoder *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return WZP_ERR_NOMEM;
    }
    d->cfg = *cfg;
    d->ops = wzp_octet_best();
    if (!reserve(d, &p)) {
        wzp_rq_decoder_free(&d);
        return WZP_ERR_NOMEM;
    }
    *out = d;
    return WZP_OK;
}

void wzp_rq_decoder_free(wzp_rq_decoder **decoder) {
    wzp_rq_decoder *d = *decoder;
    if (d != NULL) {
        wzp_rq_solver_free(&d->solver);
        free(d->symbols);
        free(d->has_source);
        free(d->repairs);
        free(d->slots);
        free(d->equations);
        free(d->intermediates);
        free(d->scratch);
        free(d->table);
        free(d);
        *decoder = NULL;
    }
}

size_t wzp_rq_decoder_size(const wzp_rq_decoder *d) {
    wzp_rq_params p = {.l = 0};
    if (wzp_rq_params_of(&p, d->cfg.cap_sources) != WZP_OK) {
        return 0; /* was checked at creation */
    }
    const size_t inputs = d->cfg.cap_sources + d->cfg.cap_repairs;
    const size_t scratch = wzp_rq_solver_scratch(d->solver);
    return sizeof *d + wzp_rq_solver_size(d->solver) + inputs * d->cfg.cap_symbol_len +
           d->cfg.cap_sources + (d->cfg.cap_repairs + 1) * sizeof *d->repairs +
           d->slot_count * sizeof *d->slots + (p.kp + d->cfg.cap_repairs) * sizeof *d->equations +
           (p.l + scratch) * WZP_RQ_STRIPE + (inputs + p.l + scratch) * sizeof *d->table;
}

wzp_err wzp_rq_decoder_begin(wzp_rq_decoder *d, size_t source_count, size_t symbol_len) {
    wzp_rq_params p;
    d->params.k = 0;
    if (source_count > d->cfg.cap_sources || wzp_rq_params_of(&p, source_count) != WZP_OK) {
        return WZP_ERR_FEC_BLOCK_SIZE;
    }
    if (symbol_len == 0 || symbol_len > d->cfg.cap_symbol_len) {
        return WZP_ERR_FEC_SYMBOL_SIZE;
    }
    d->params = p;
    d->symbol_len = symbol_len;
    d->missing = source_count;
    d->received = 0;
    d->repair_count = 0;
    memset(d->has_source, 0, source_count);
    memset(d->slots, 0, d->slot_count * sizeof *d->slots);
    return WZP_OK;
}

/* The slot of the id, or the empty one where it belongs: there is always one. */
static uint32_t *slot_of(const wzp_rq_decoder *d, uint32_t esi) {
    size_t at = ((size_t)esi * UINT32_C(2654435761)) & (d->slot_count - 1);
    while (d->slots[at] != 0 && d->repairs[d->slots[at] - 1] != esi) {
        at = (at + 1) & (d->slot_count - 1);
    }
    return &d->slots[at];
}

static uint8_t *symbol_at(const wzp_rq_decoder *d, size_t i) {
    return d->symbols + i * d->symbol_len;
}

static wzp_err add_repair(wzp_rq_decoder *d, uint32_t esi, wzp_bytes symbol) {
    uint32_t *slot = slot_of(d, esi);
    if (*slot != 0) {
        return WZP_ERR_FEC_DUPLICATE;
    }
    if (d->repair_count == d->cfg.cap_repairs) {
        return WZP_ERR_QUEUE_FULL;
    }
    memcpy(symbol_at(d, d->params.k + d->repair_count), symbol.data, symbol.len);
    d->repairs[d->repair_count++] = esi;
    *slot = (uint32_t)d->repair_count;
    d->received++;
    return WZP_OK;
}

wzp_err wzp_rq_decoder_add(wzp_rq_decoder *d, uint32_t esi, wzp_bytes symbol) {
    if (d->params.k == 0) {
        return WZP_ERR_PEER_STATE;
    }
    if (esi > WZP_RQ_ESI_MAX) {
        return WZP_ERR_FEC_SYMBOL_ID;
    }
    if (symbol.len != d->symbol_len) {
        return WZP_ERR_FEC_SYMBOL_SIZE;
    }
    if (esi >= d->params.k) {
        return add_repair(d, esi, symbol);
    }
    if (d->has_source[esi] != 0) {
        return WZP_ERR_FEC_DUPLICATE;
    }
    memcpy(symbol_at(d, esi), symbol.data, symbol.len);
    d->has_source[esi] = 1;
    d->missing--;
    d->received++;
    return WZP_OK;
}

/* Padding symbols are known to be zeros. */
static size_t collect(wzp_rq_decoder *d) {
    const wzp_rq_params *p = &d->params;
    size_t n = 0;
    for (uint32_t i = 0; i < p->k; i++) {
        if (d->has_source[i] != 0) {
            d->equations[n++] = (wzp_rq_equation){i, i};
        }
    }
    for (uint32_t i = p->k; i < p->kp; i++) {
        d->equations[n++] = (wzp_rq_equation){i, WZP_RQ_NONE};
    }
    for (uint32_t i = 0; i < d->repair_count; i++) {
        d->equations[n++] = (wzp_rq_equation){wzp_rq_isi(p, d->repairs[i]), p->k + i};
    }
    return n;
}

static void recover(wzp_rq_decoder *d, const wzp_rq_program *program) {
    for (uint32_t i = 0; i < d->params.k; i++) {
        if (d->has_source[i] == 0) {
            wzp_rq_solver_output(d->solver, i, i);
            d->has_source[i] = 1;
        }
    }
    const wzp_rq_memory memory = {.table = d->table,
                                  .inputs = d->symbols,
                                  .intermediates = d->intermediates,
                                  .scratch = d->scratch,
                                  .input_stride = d->symbol_len,
                                  .intermediate_stride = WZP_RQ_STRIPE,
                                  .striped = true};
    wzp_rq_program_run(program, d->ops, &memory, d->symbol_len);
    d->missing = 0;
}

wzp_err wzp_rq_decoder_solve(wzp_rq_decoder *d) {
    if (d->params.k == 0) {
        return WZP_ERR_PEER_STATE;
    }
    if (d->missing == 0) {
        return WZP_OK;
    }
    if (d->repair_count < d->missing) {
        return WZP_ERR_FEC_RANK;
    }
    const wzp_rq_program *program = NULL;
    const size_t n = collect(d);
    const wzp_err err = wzp_rq_solve(d->solver, &d->params, d->equations, n,
                                     d->params.k + (uint32_t)d->repair_count, &program);
    if (err == WZP_OK) {
        recover(d, program);
    }
    return err;
}

size_t wzp_rq_decoder_count(const wzp_rq_decoder *d) {
    return d->params.k != 0 ? d->received : 0;
}

wzp_bytes wzp_rq_decoder_source(const wzp_rq_decoder *d, size_t i) {
    if (i >= d->params.k || d->has_source[i] == 0) {
        return wzp_bytes_of(NULL, 0);
    }
    return wzp_bytes_of(symbol_at(d, i), d->symbol_len);
}
