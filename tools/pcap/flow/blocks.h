/* What forward error correction made of a stream of Codec2: blocks of K sources and their repair
 * symbols, by the rules of fec/policy.h; what can be recovered, fec/receiver.h decides on what is
 * there.  Where the payload is sealed, only the symbols' numbers are known, and they decide alone.
 *
 * A block is judged when it is three behind the newest, or two seconds old.  One that its sender
 * abandoned for another codec, or that the capture cuts at either end, is not judged.  Sans-IO; one
 * receiver of some 20 KiB for each codec, made when it is first seen. */
#ifndef WZP_PCAP_FLOW_BLOCKS_H
#define WZP_PCAP_FLOW_BLOCKS_H

#include "fec/receiver.h"
#include "wire/media.h"

enum { WZP_PCAP_BLOCKS_OPEN = WZP_FEC_BLOCKS_AHEAD + 1 };

typedef struct wzp_pcap_block {
    uint64_t since_ns;
    uint32_t sources, repairs, recovered; /* bits */
    uint8_t id;
    bool used, first; /* the first of a codec may have begun before the capture */
} wzp_pcap_block;

typedef struct wzp_pcap_blocks {
    uint64_t complete, recovered, lost; /* blocks */
    uint64_t cut;                       /* blocks that are not judged */
    uint64_t unseen;                    /* blocks of which nothing came: lost, too */
    uint64_t frames;                    /* sources of judged blocks */
    uint64_t frames_lost_before, frames_lost_after;
    wzp_fec_receiver *receiver;
    uint64_t newest_ns;
    wzp_pcap_block open[WZP_PCAP_BLOCKS_OPEN];
    uint8_t codec, newest;
    bool started, has_newest;
} wzp_pcap_blocks;

void wzp_pcap_blocks_clear(wzp_pcap_blocks *blocks);

/* A packet that is no duplicate, of any codec: another one ends the block.  `plain`: the payload in
 * clear, empty: not known.  Returns how many frames it recovered. */
unsigned wzp_pcap_blocks_take(wzp_pcap_blocks *blocks, const wzp_media_hdr *hdr, wzp_bytes plain,
                              uint64_t ns);

/* The capture ends. */
void wzp_pcap_blocks_end(wzp_pcap_blocks *blocks);

#endif
