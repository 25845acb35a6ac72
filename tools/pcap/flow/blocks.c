#include "tools/pcap/flow/blocks.h"

enum { HALF = 128 };

static unsigned count_bits(uint32_t bits) {
    unsigned count = 0;
    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

/* --- verdicts --------------------------------------------------------------------------------- */

/* Sources from 0 on and no repair symbol: its sender went over to something else, or the capture
 * ends here. */
static bool is_unfinished(const wzp_pcap_block *b, unsigned k) {
    return b->repairs == 0 && (b->sources & (b->sources + 1)) == 0 && count_bits(b->sources) < k;
}

static void judge(wzp_pcap_blocks *s, wzp_pcap_block *b, bool may_be_cut) {
    const wzp_fec_policy *policy = wzp_fec_policy_of(s->codec);
    const unsigned k = policy->source_count;
    const unsigned here = count_bits(b->sources);
    const unsigned had = count_bits(b->sources | b->recovered);
    b->used = false;
    if (here < k && (b->first || (may_be_cut && is_unfinished(b, k)))) {
        s->cut++;
        return;
    }
    s->frames += k;
    s->frames_lost_before += k - here;
    s->frames_lost_after += k - had;
    s->complete += here == k ? 1 : 0;
    s->recovered += here < k && had == k ? 1 : 0;
    s->lost += had < k ? 1 : 0;
}

static void judge_all(wzp_pcap_blocks *s) {
    for (size_t i = 0; i < WZP_PCAP_BLOCKS_OPEN; i++) {
        if (s->open[i].used) {
            judge(s, &s->open[i], true);
        }
    }
}

void wzp_pcap_blocks_end(wzp_pcap_blocks *s) {
    judge_all(s);
}

void wzp_pcap_blocks_clear(wzp_pcap_blocks *s) {
    wzp_fec_receiver_free(&s->receiver);
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* Blocks between the newest one and this of which nothing came. */
static void note_newest(wzp_pcap_blocks *s, uint8_t id, uint64_t ns) {
    const uint8_t ahead = (uint8_t)(id - s->newest);
    const bool follows = s->has_newest && wzp_time_since(ns, s->newest_ns) < WZP_FEC_BLOCK_LIFE;
    if (follows && (ahead == 0 || ahead >= HALF)) {
        return;
    }
    if (follows && ahead > 1) {
        const unsigned k = wzp_fec_policy_of(s->codec)->source_count;
        const uint64_t gone = (uint64_t)ahead - 1;
        s->unseen += gone;
        s->lost += gone;
        s->frames += gone * k;
        s->frames_lost_before += gone * k;
        s->frames_lost_after += gone * k;
    }
    s->has_newest = true;
    s->newest = id;
    s->newest_ns = ns;
}

/* A block of which nothing seemed to have come, and that comes late. */
static void forgive(wzp_pcap_blocks *s) {
    const unsigned k = wzp_fec_policy_of(s->codec)->source_count;
    if (s->unseen > 0) {
        s->unseen--;
        s->lost--;
        s->frames -= k;
        s->frames_lost_before -= k;
        s->frames_lost_after -= k;
    }
}

static void expire(wzp_pcap_blocks *s, uint64_t ns) {
    for (size_t i = 0; i < WZP_PCAP_BLOCKS_OPEN; i++) {
        wzp_pcap_block *b = &s->open[i];
        const bool behind = (uint8_t)(s->newest - b->id) > WZP_FEC_BLOCKS_AHEAD;
        if (b->used && (behind || wzp_time_since(ns, b->since_ns) >= WZP_FEC_BLOCK_LIFE)) {
            judge(s, b, false);
        }
    }
}

static wzp_pcap_block *find(wzp_pcap_blocks *s, uint8_t id, uint64_t ns) {
    wzp_pcap_block *oldest = &s->open[0];
    for (size_t i = 0; i < WZP_PCAP_BLOCKS_OPEN; i++) {
        wzp_pcap_block *b = &s->open[i];
        if (b->used && b->id == id) {
            return b;
        }
        if (!b->used || (oldest->used && b->since_ns < oldest->since_ns)) {
            oldest = b;
        }
    }
    if (oldest->used) {
        judge(s, oldest, false);
    }
    if (s->has_newest && id != s->newest && s->started) {
        forgive(s);
    }
    *oldest = (wzp_pcap_block){.since_ns = ns, .id = id, .used = true, .first = !s->started};
    s->started = true;
    return oldest;
}

/* --- symbols ---------------------------------------------------------------------------------- */

static wzp_pcap_block *open_block(wzp_pcap_blocks *s, uint8_t id) {
    for (size_t i = 0; i < WZP_PCAP_BLOCKS_OPEN; i++) {
        if (s->open[i].used && s->open[i].id == id) {
            return &s->open[i];
        }
    }
    return NULL;
}

/* Which frames come out depends on the numbers of the symbols only; without the payload their bytes
 * are nothing, and the receiver calls them invalid.  So its counters say how many there were. */
static unsigned recover(wzp_pcap_blocks *s, const wzp_media_hdr *hdr, wzp_bytes plain,
                        uint64_t ns) {
    static const uint8_t nothing[WZP_FEC_SYMBOL_LEN];
    const wzp_fec_policy *policy = wzp_fec_policy_of(hdr->codec_id);
    const bool is_repair = (hdr->flags & WZP_MEDIA_REPAIR) != 0;
    const wzp_bytes unknown = wzp_bytes_of(
        nothing, is_repair ? policy->frame_len + (size_t)WZP_FEC_PREFIX_LEN : policy->frame_len);
    const wzp_fec_packet packet = {.is_repair = is_repair,
                                   .fec_block = hdr->fec_block,
                                   .seq = hdr->seq,
                                   .timestamp_ms = hdr->timestamp_ms,
                                   .payload = plain.len > 0 ? plain : unknown};
    wzp_fec_receiver_stats before;
    wzp_fec_receiver_stats after;
    wzp_fec_frame frame;
    wzp_fec_receiver_count(s->receiver, &before);
    if (wzp_fec_receiver_add(s->receiver, &packet, ns) != WZP_OK) {
        return 0;
    }
    while (wzp_fec_receiver_next_frame(s->receiver, &frame)) {
    }
    wzp_fec_receiver_count(s->receiver, &after);
    return (unsigned)(after.recovered + after.invalid - before.recovered - before.invalid);
}

static void change_codec(wzp_pcap_blocks *s, uint8_t codec) {
    judge_all(s);
    wzp_fec_receiver_free(&s->receiver);
    s->codec = codec;
    s->started = s->has_newest = false;
    const wzp_fec_policy *policy = wzp_fec_policy_of(codec);
    if (policy != NULL) {
        const wzp_fec_receiver_cfg cfg = {.policy = *policy};
        /* Without memory nothing is recovered, and all else is counted. */
        const wzp_err err = wzp_fec_receiver_new(&s->receiver, &cfg);
        (void)err;
    }
}

unsigned wzp_pcap_blocks_take(wzp_pcap_blocks *s, const wzp_media_hdr *hdr, wzp_bytes plain,
                              uint64_t ns) {
    if (hdr->codec_id == WZP_CODEC_COMFORT_NOISE) {
        return 0; /* carries a block's id, and is none of its symbols */
    }
    if (hdr->codec_id != s->codec) {
        change_codec(s, hdr->codec_id);
    }
    const wzp_fec_policy *policy = wzp_fec_policy_of(hdr->codec_id);
    const uint8_t index = wzp_fec_index_of(hdr->fec_block);
    const bool is_repair = (hdr->flags & WZP_MEDIA_REPAIR) != 0;
    if (policy == NULL || (index >= policy->source_count) != is_repair || index >= 32) {
        return 0;
    }
    const uint8_t id = wzp_fec_block_of(hdr->fec_block);
    note_newest(s, id, ns);
    expire(s, ns);
    if ((uint8_t)(s->newest - id) > WZP_FEC_BLOCKS_AHEAD) {
        return 0; /* judged long ago */
    }
    wzp_pcap_block *block = open_block(s, id);
    block = block != NULL ? block : find(s, id, ns);
    if (is_repair) {
        block->repairs |= UINT32_C(1) << (index - policy->source_count);
    } else {
        block->sources |= UINT32_C(1) << index;
    }
    if (s->receiver == NULL) {
        return 0;
    }
    const unsigned recovered = recover(s, hdr, plain, ns);
    if (recovered > 0) {
        block->recovered = (UINT32_C(1) << policy->source_count) - 1;
    }
    return recovered;
}
