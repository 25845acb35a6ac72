/* A block of any size is encoded, symbols of any ids arrive: what is recovered is what was sent.
 *
 *   octet 0   K - 1, modulo 64
 *   octet 1   symbol length - 1, modulo 40; bit 7: what arrives is no symbol of the block
 *   then      ids of what arrives, three octets each */
#include <string.h>

#include "base/rd.h"
#include "fec/raptorq.h"
#include "require.h"

enum { SOURCES_MAX = 64, LEN_MAX = 40, REPAIRS = 16 };

static uint8_t sources[SOURCES_MAX * LEN_MAX];

static void fill(size_t size, size_t seed) {
    for (size_t i = 0; i < size; i++) {
        sources[i] = (uint8_t)((i + seed) * 167 >> 2);
    }
}

static void take_symbols(wzp_rq_encoder *encoder, wzp_rq_decoder *decoder, wzp_rd *rd, size_t k,
                         size_t len, bool is_false) {
    uint8_t symbol[LEN_MAX];
    while (wzp_rd_left(rd) >= 3) {
        const uint32_t esi = (uint32_t)wzp_rd_u8(rd, "id") << 16 | wzp_rd_u16(rd, "id");
        require(wzp_rq_encoder_symbol(encoder, esi, symbol, len) == WZP_OK);
        symbol[0] ^= is_false ? (uint8_t)esi : 0;
        const wzp_err added = wzp_rq_decoder_add(decoder, esi, wzp_bytes_of(symbol, len));
        require(added == WZP_OK || added == WZP_ERR_FEC_DUPLICATE || added == WZP_ERR_QUEUE_FULL);
        const wzp_err solved = wzp_rq_decoder_solve(decoder);
        require(solved == WZP_OK || solved == WZP_ERR_FEC_RANK);
        require(solved == WZP_ERR_FEC_RANK || wzp_rq_decoder_count(decoder) >= k);
        if (solved == WZP_OK && !is_false) {
            require(memcmp(wzp_rq_decoder_source(decoder, 0).data, sources, k * len) == 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(data, size));
    const size_t k = wzp_rd_u8(&rd, "K") % SOURCES_MAX + 1;
    const uint8_t shape = wzp_rd_u8(&rd, "length");
    const size_t len = (shape & 0x7fU) % LEN_MAX + 1;
    const wzp_rq_decoder_cfg cfg = {k, REPAIRS, len};
    wzp_rq_plan *plan = NULL;
    wzp_rq_encoder *encoder = NULL;
    wzp_rq_decoder *decoder = NULL;
    fill(k * len, size);
    require(wzp_rq_plan_new(&plan, k) == WZP_OK);
    require(wzp_rq_encoder_new(&encoder, plan, len) == WZP_OK);
    require(wzp_rq_encoder_load(encoder, sources, len) == WZP_OK);
    require(wzp_rq_decoder_new(&decoder, &cfg) == WZP_OK);
    require(wzp_rq_decoder_begin(decoder, k, len) == WZP_OK);
    take_symbols(encoder, decoder, &rd, k, len, (shape & 0x80) != 0);
    wzp_rq_decoder_free(&decoder);
    wzp_rq_encoder_free(&encoder);
    wzp_rq_plan_free(&plan);
    return 0;
}
