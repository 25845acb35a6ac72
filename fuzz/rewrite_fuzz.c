/* Bytes as packets through a NAT: nothing is read past the end (each packet has memory of its own),
 * dropped ones stay as they were, and those that pass have right checksums if they had before, the
 * same length and one TTL less.  Input: a byte that chooses the NAT, then packets, each with a byte
 * for direction and time and two for its length. */
#include <string.h>

#include "require.h"
#include "sim/box/rewrite.h"
#include "sim/box/testing/raw.h"

static wzp_sim_nat *new_nat(uint8_t choice) {
    static const char *const presets[] = {"linux-masq", "fullcone", "fw", "symseq"};
    const wzp_addr v4 = wzp_addr_v4(203, 0, 113, 1, 0);
    const wzp_addr v6 = {WZP_ADDR_V6, 0, {0x20, 1, 0xd, 0xb8, 0, 0xff, [15] = 1}};
    wzp_sim_nat_cfg cfg;
    wzp_sim_nat *nat = NULL;
    require(wzp_sim_nat_preset(presets[choice % 4], &cfg));
    cfg.icmp_kills_mapping = (choice & 16) != 0;
    cfg.alg_stun = (choice & 32) != 0;
    require(wzp_sim_nat_new(&nat, &cfg, choice % 4 == 3 ? &v6 : &v4, 1, choice, "nat", 0, NULL) ==
            WZP_OK);
    return nat;
}

/* Of a packet that was understood: its own length, without what follows it. */
static size_t len_of(const uint8_t *at) {
    return at[0] >> 4 == 4 ? (size_t)at[2] << 8 | at[3] : 40 + ((size_t)at[4] << 8 | at[5]);
}

static void compare(const uint8_t *before, const uint8_t *after, size_t len) {
    const bool v4 = before[0] >> 4 == 4;
    const size_t own = len_of(before);
    const size_t ttl = v4 ? 8 : 7;
    char text[256];
    require(own <= len && own == len_of(after));
    require(after[ttl] + 1 == before[ttl]);
    require(memcmp(before + own, after + own, len - own) == 0);
    if (raw_judge(before, own) == NULL) {
        require(raw_judge(after, own) == NULL);
        require(raw_text(after, text)[0] != '\0');
    }
}

static void pass(wzp_sim_rewriter *rewriter, const uint8_t *bytes, size_t len, bool outbound,
                 wzp_time now) {
    uint8_t *packet = malloc(len > 0 ? len : 1);
    require(packet != NULL);
    memcpy(packet, bytes, len);
    const wzp_sim_rewrite verdict = outbound ? wzp_sim_rewrite_out(rewriter, packet, len, now)
                                             : wzp_sim_rewrite_in(rewriter, packet, len, now);
    if (verdict == WZP_SIM_REWRITE_FORWARD || verdict == WZP_SIM_REWRITE_TURN) {
        compare(bytes, packet, len);
    } else {
        require(memcmp(packet, bytes, len) == 0);
    }
    require(wzp_sim_rewrite_name(verdict)[0] != '\0');
    free(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_sim_rewriter *rewriter = NULL;
    wzp_time now = 0;
    if (size == 0) {
        return 0;
    }
    wzp_sim_nat *nat = new_nat(data[0]);
    const wzp_sim_rewriter_cfg cfg = {.drop_fragments = (data[0] & 8) != 0, .fragments_max = 4};
    require(wzp_sim_rewriter_new(&rewriter, &cfg, nat) == WZP_OK);
    for (size_t at = 1; at + 3 <= size;) {
        const size_t wanted = (size_t)data[at + 1] << 8 | data[at + 2];
        const size_t left = size - at - 3;
        const size_t len = wanted < left ? wanted : left;
        now += (uint64_t)(data[at] >> 1) * WZP_S;
        pass(rewriter, data + at + 3, len, (data[at] & 1) != 0, now);
        at += 3 + len;
    }
    wzp_sim_rewriter_free(&rewriter);
    wzp_sim_nat_free(&nat);
    return 0;
}
