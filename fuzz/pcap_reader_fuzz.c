/* Captures of any form: what a reader says does not depend on the pieces in which the file comes,
 * its packets are bytes of the file, its places lie in it, and its counters count what it gave. */
#include "tools/pcap/file/reader.h"

#include <string.h>

#include "require.h"

typedef struct heard {
    uint64_t digest, packets, secrets, problems;
} heard;

static void hear(heard *h, uint64_t value) {
    h->digest = (h->digest ^ value) * UINT64_C(0x100000001b3);
}

static void hear_bytes(heard *h, wzp_bytes bytes) {
    hear(h, bytes.len);
    for (size_t i = 0; i < bytes.len; i++) {
        hear(h, bytes.data[i]);
    }
}

static void hear_packet(heard *h, const wzp_pcap_packet *packet, wzp_bytes file, bool as_is) {
    h->packets++;
    hear(h, packet->number);
    hear(h, packet->offset);
    hear(h, packet->time_ns);
    hear(h, packet->link_type);
    hear(h, packet->interface);
    hear(h, packet->original_len);
    hear(h, packet->way);
    hear_bytes(h, packet->data);
    hear_bytes(h, packet->comment);
    hear_bytes(h, wzp_bytes_str(packet->interface_name));
    require(packet->offset <= file.len);
    require(!as_is || packet->data.len <= file.len - packet->offset);
    require(!as_is || packet->data.len == 0 ||
            memcmp(file.data + packet->offset, packet->data.data, packet->data.len) == 0);
}

static void hear_item(heard *h, const wzp_pcap_item *item, wzp_bytes file, bool as_is) {
    switch (item->kind) {
    case WZP_PCAP_ITEM_PACKET:
        hear_packet(h, &item->packet, file, as_is);
        return;
    case WZP_PCAP_ITEM_SECRETS: /* long ones come in other pieces if the file does */
        h->secrets++;
        for (size_t i = 0; i < item->text.len; i++) {
            hear(h, item->text.data[i]);
        }
        return;
    case WZP_PCAP_ITEM_HEADER:
        hear_bytes(h, item->text);
        return;
    case WZP_PCAP_ITEM_PROBLEM:
        h->problems++;
        require(item->problem.offset <= file.len && item->problem.text[0] != '\0');
        hear(h, item->problem.offset);
        hear(h, item->problem.packet);
        hear(h, item->problem.got);
        return;
    }
}

static heard listen_to(wzp_bytes file, size_t piece) {
    heard h = {0};
    wzp_pcap_reader *reader = NULL;
    wzp_pcap_item item;
    require(wzp_pcap_reader_new(&reader) == WZP_OK);
    size_t at = 0;
    for (bool ended = false; !ended;) {
        size_t cap = 0;
        uint8_t *room = wzp_pcap_reader_room(reader, &cap);
        size_t len = file.len - at < piece ? file.len - at : piece;
        len = len < cap ? len : cap;
        if (len > 0) {
            memcpy(room, file.data + at, len);
        }
        at += len;
        ended = len == 0;
        wzp_pcap_reader_filled(reader, len);
        while (wzp_pcap_reader_next(reader, &item)) {
            hear_item(&h, &item, file, wzp_pcap_reader_form(reader) != WZP_PCAP_FORM_HEX);
        }
    }
    const wzp_pcap_reader_counters *count = wzp_pcap_reader_count(reader);
    require(count->packets == h.packets && count->secrets == h.secrets &&
            count->problems == h.problems && count->bytes == file.len);
    wzp_pcap_reader_free(&reader);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const wzp_bytes file = wzp_bytes_of(data, size);
    const heard whole = listen_to(file, SIZE_MAX);
    const heard pieces = listen_to(file, 1 + size % 13);
    require(whole.digest == pieces.digest);
    return 0;
}
