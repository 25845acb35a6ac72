/* Packets of any link type, several after each other for the sake of fragments: a payload lies in
 * the packet or is what pieces before made, is never longer than its header says, and every packet
 * is counted once.  Input: { link type u8 (index), length u16, bytes }... */
#include "tools/pcap/link/link.h"

#include "require.h"

static const uint32_t link_types[] = {1, 101, 113, 276, 0, 108, 12, 14, 228, 229, 147};

static bool is_inside(wzp_bytes part, wzp_bytes whole) {
    return part.data >= whole.data && part.data <= whole.data + whole.len &&
           part.len <= (size_t)(whole.data + whole.len - part.data);
}

static void take(wzp_pcap_link *link, const wzp_pcap_packet *packet) {
    wzp_pcap_udp udp = {0};
    wzp_fail fail = {0};
    const uint64_t whole = wzp_pcap_link_count(link)->whole;
    const wzp_pcap_link_verdict verdict = wzp_pcap_link_take(link, packet, &udp, &fail);
    if (verdict == WZP_PCAP_LINK_UDP) {
        require(udp.payload.len <= udp.payload_len);
        require(udp.cut == (udp.payload.len < udp.payload_len));
        require(udp.src.family == udp.dst.family && udp.src.family != WZP_ADDR_NONE);
        require(wzp_pcap_link_count(link)->whole > whole || is_inside(udp.payload, packet->data));
        uint64_t sum = 0;
        for (size_t i = 0; i < udp.payload.len; i++) {
            sum += udp.payload.data[i];
        }
        require(sum <= udp.payload.len * UINT64_C(255));
    }
    if (verdict == WZP_PCAP_LINK_MALFORMED) {
        require(fail.code != WZP_OK && fail.field != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_pcap_link *link = NULL;
    uint64_t packets = 0;
    require(wzp_pcap_link_new(&link) == WZP_OK);
    for (size_t at = 0; size - at >= 3; packets++) {
        size_t len = (size_t)data[at + 1] << 8 | data[at + 2];
        len = len < size - at - 3 ? len : size - at - 3;
        const wzp_pcap_packet packet = {.link_type =
                                            link_types[data[at] % WZP_COUNT_OF(link_types)],
                                        .time_ns = packets * UINT64_C(1000000000),
                                        .original_len = (uint32_t)len + data[at] / 64,
                                        .data = wzp_bytes_of(data + at + 3, len)};
        take(link, &packet);
        at += 3 + len;
    }
    const wzp_pcap_link_counters *c = wzp_pcap_link_count(link);
    require(c->udp + c->other + c->pieces + c->unknown + c->malformed == packets);
    wzp_pcap_link_free(&link);
    return 0;
}
