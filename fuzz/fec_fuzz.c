/* Packets of a protected stream in any order and of any shape: the receiver stays within its
 * bounds, and a frame that it gives has the length that the codec has.
 *
 *   octet 0     bit 0: codec 3 or 4, bit 1: as deployed
 *   then        flags and time, fec_block (2), length of the payload, payload
 *   flags       bit 7: repair, bit 6: expire before this block; the others: tenths of a second */
#include "base/rd.h"
#include "fec/receiver.h"
#include "require.h"

static void drain(wzp_fec_receiver *receiver, const wzp_fec_policy *policy, bool as_deployed,
                  uint8_t block) {
    wzp_fec_frame frame;
    size_t n = 0;
    while (wzp_fec_receiver_next_frame(receiver, &frame)) {
        require(frame.block == block && frame.index < policy->source_count);
        require(as_deployed ? frame.payload.len <= WZP_FEC_FRAME_MAX
                            : frame.payload.len == policy->frame_len);
        volatile uint8_t last = 0;
        last = frame.payload.len > 0 ? frame.payload.data[frame.payload.len - 1] : 0;
        (void)last;
        n++;
    }
    require(n <= policy->source_count);
}

static void take_packet(wzp_fec_receiver *receiver, const wzp_fec_policy *policy, bool as_deployed,
                        wzp_rd *rd, wzp_time *now) {
    const uint8_t flags = wzp_rd_u8(rd, "flags");
    const uint16_t word = wzp_rd_u16(rd, "fec_block");
    const size_t len = wzp_rd_u8(rd, "length");
    const wzp_bytes payload = wzp_rd_bytes(rd, len < wzp_rd_left(rd) ? len : wzp_rd_left(rd), "");
    const wzp_fec_packet packet = {(flags & 0x80) != 0, word, word, word, payload};
    *now += (wzp_time)(flags & 0x3fU) * 100 * WZP_MS;
    if ((flags & 0x40) != 0) {
        wzp_fec_receiver_expire_before(receiver, wzp_fec_block_of(word));
    }
    if (wzp_fec_receiver_add(receiver, &packet, *now) != WZP_ERR_NOMEM) {
        drain(receiver, policy, as_deployed, wzp_fec_block_of(word));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(data, size));
    const uint8_t head = wzp_rd_u8(&rd, "head");
    const bool as_deployed = (head & 2) != 0;
    const wzp_fec_policy *policy = wzp_fec_policy_of((head & 1) != 0 ? 4 : 3);
    const wzp_fec_receiver_cfg cfg = {.policy = *policy, .as_deployed = as_deployed};
    wzp_fec_receiver *receiver = NULL;
    wzp_time now = 0;
    if (wzp_fec_receiver_new(&receiver, &cfg) != WZP_OK) {
        return 0;
    }
    while (wzp_rd_left(&rd) > 0 && rd.fail.code == WZP_OK) {
        take_packet(receiver, policy, as_deployed, &rd, &now);
        require(wzp_fec_receiver_blocks(receiver) <=
                (as_deployed ? 256 : WZP_FEC_BLOCKS_AHEAD + 1));
    }
    wzp_fec_receiver_free(&receiver);
    return 0;
}
