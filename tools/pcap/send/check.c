#include "tools/pcap/send/check.h"

#include <stdlib.h>

#include "crypto/crypto.h"

enum { SENDERS = 64 };

typedef struct sent {
    uint64_t hash;
    uint32_t sender;
    bool came;
} sent;

struct wzp_pcap_check {
    uint64_t room, count, oldest; /* oldest: all before it came */
    uint64_t newest[SENDERS];     /* of each sender, that came: its place, from 1 */
    wzp_pcap_check_result result;
    sent list[];
};

wzp_err wzp_pcap_check_new(wzp_pcap_check **out, uint64_t packets) {
    if (packets > (SIZE_MAX - sizeof(wzp_pcap_check)) / sizeof(sent)) {
        return WZP_ERR_NOMEM;
    }
    wzp_pcap_check *c = calloc(1, sizeof *c + (size_t)packets * sizeof c->list[0]);
    if (c == NULL) {
        return WZP_ERR_NOMEM;
    }
    c->room = packets;
    *out = c;
    return WZP_OK;
}

void wzp_pcap_check_free(wzp_pcap_check **check) {
    free(*check);
    *check = NULL;
}

static uint64_t hash_of(wzp_bytes packet) {
    uint8_t full[WZP_SHA256_LEN];
    uint64_t hash = 0;
    wzp_sha256(full, packet);
    memcpy(&hash, full, sizeof hash);
    return hash;
}

void wzp_pcap_check_sent(wzp_pcap_check *c, uint32_t sender, wzp_bytes packet) {
    c->result.sent++;
    if (c->count < c->room) {
        c->list[c->count++] = (sent){.hash = hash_of(packet), .sender = sender % SENDERS};
    }
}

/* The oldest packet with these bytes that has not come; otherwise one that has; NULL: none. */
static sent *find(wzp_pcap_check *c, uint64_t hash) {
    sent *again = NULL;
    const uint64_t from = c->oldest > WZP_PCAP_CHECK_REACH ? c->oldest - WZP_PCAP_CHECK_REACH : 0;
    for (uint64_t i = from; i < c->count && i < c->oldest + WZP_PCAP_CHECK_REACH; i++) {
        if (c->list[i].hash == hash && !c->list[i].came) {
            return &c->list[i];
        }
        again = c->list[i].hash == hash ? &c->list[i] : again;
    }
    return again;
}

void wzp_pcap_check_came(wzp_pcap_check *c, wzp_bytes packet) {
    sent *s = find(c, hash_of(packet));
    c->result.came++;
    if (s == NULL) {
        c->result.others++;
        return;
    }
    if (s->came) {
        c->result.repeated++;
        return;
    }
    const uint64_t place = (uint64_t)(s - c->list) + 1;
    s->came = true;
    if (place < c->newest[s->sender]) {
        c->result.reordered++;
    } else {
        c->newest[s->sender] = place;
    }
    while (c->oldest < c->count && c->list[c->oldest].came) {
        c->oldest++;
    }
}

void wzp_pcap_check_sum(const wzp_pcap_check *c, wzp_pcap_check_result *out) {
    *out = c->result;
    out->missing = c->result.sent - c->count;
    for (uint64_t i = c->oldest; i < c->count; i++) {
        if (!c->list[i].came) {
            out->missing++;
            out->first_missing = out->first_missing == 0 ? i + 1 : out->first_missing;
        }
    }
}
