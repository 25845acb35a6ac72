#include "conformance/engine/evidence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/sys.h"

typedef struct text {
    char *data;
    size_t len, cap;
} text;

struct wzp_evidence {
    text packets, secrets, events;
    uint64_t left_out;
};

wzp_evidence *wzp_evidence_new(void) {
    return calloc(1, sizeof(wzp_evidence));
}

void wzp_evidence_free(wzp_evidence **evidence) {
    if (*evidence != NULL) {
        free((*evidence)->packets.data);
        free((*evidence)->secrets.data);
        free((*evidence)->events.data);
        free(*evidence);
        *evidence = NULL;
    }
}

static bool append(text *t, const void *data, size_t len) {
    if (t->len + len > t->cap) {
        size_t cap = t->cap == 0 ? 4096 : t->cap;
        while (cap < t->len + len) {
            cap *= 2;
        }
        char *fresh = realloc(t->data, cap);
        if (fresh == NULL) {
            return false;
        }
        t->data = fresh;
        t->cap = cap;
    }
    memcpy(t->data + t->len, data, len);
    t->len += len;
    return true;
}

/* --- pcapng: raw IP packets around the payloads (link type 101) ------------------------------- */

static void put_le(uint8_t *out, uint64_t value, size_t len) {
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(value >> (8 * i));
    }
}

static void put_be16(uint8_t *out, size_t value) {
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static uint16_t ip_checksum(const uint8_t hdr[20]) {
    uint32_t sum = 0;
    for (size_t i = 0; i < 20; i += 2) {
        sum += (uint32_t)(hdr[i] << 8 | hdr[i + 1]);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* IPv4 or IPv6 and UDP headers; returns their length. */
static size_t ip_udp(uint8_t out[48], const wzp_addr *from, const wzp_addr *to, size_t payload) {
    const size_t udp_len = 8 + payload;
    size_t ip_len = 20;
    memset(out, 0, 48);
    if (from->family == WZP_ADDR_V6 || to->family == WZP_ADDR_V6) {
        ip_len = 40;
        out[0] = 0x60;
        put_be16(out + 4, udp_len);
        out[6] = 17;
        out[7] = 64;
        memcpy(out + 8, from->ip, 16);
        memcpy(out + 24, to->ip, 16);
    } else {
        out[0] = 0x45;
        put_be16(out + 2, 20 + udp_len);
        out[8] = 64;
        out[9] = 17;
        memcpy(out + 12, from->ip, 4);
        memcpy(out + 16, to->ip, 4);
        put_be16(out + 10, ip_checksum(out));
    }
    put_be16(out + ip_len, from->port);
    put_be16(out + ip_len + 2, to->port);
    put_be16(out + ip_len + 4, udp_len); /* checksum 0: not computed */
    return ip_len + 8;
}

void wzp_evidence_packet(wzp_evidence *e, const wzp_addr *from, const wzp_addr *to,
                         wzp_bytes payload, wzp_time now) {
    if (e == NULL) {
        return;
    }
    if (e->packets.len + payload.len > WZP_EVIDENCE_MAX) {
        e->left_out++;
        return;
    }
    uint8_t headers[48];
    uint8_t block[28];
    static const uint8_t zeros[4];
    const size_t header_len = ip_udp(headers, from, to, payload.len);
    const size_t len = header_len + payload.len;
    const size_t padding = (4 - len % 4) % 4;
    const size_t total = 32 + len + padding;
    const uint64_t us = now / WZP_US;
    put_le(block, 6, 4); /* Enhanced Packet Block */
    put_le(block + 4, total, 4);
    put_le(block + 8, 0, 4);
    put_le(block + 12, us >> 32, 4);
    put_le(block + 16, us & 0xffffffff, 4);
    put_le(block + 20, len, 4);
    put_le(block + 24, len, 4);
    uint8_t trailer[4];
    put_le(trailer, total, 4);
    (void)(append(&e->packets, block, sizeof block) && append(&e->packets, headers, header_len) &&
           append(&e->packets, payload.data, payload.len) && append(&e->packets, zeros, padding) &&
           append(&e->packets, trailer, 4));
}

void wzp_evidence_secret(wzp_evidence *e, const char *line) {
    if (e != NULL) {
        (void)(append(&e->secrets, line, strlen(line)) && append(&e->secrets, "\n", 1));
    }
}

void wzp_evidence_event(wzp_evidence *e, wzp_time now, const char *who, const char *what,
                        const char *detail) {
    if (e == NULL) {
        return;
    }
    char clean[256];
    char line[512];
    wzp_log_clean(clean, sizeof clean, detail, strlen(detail));
    const int n = snprintf(line, sizeof line,
                           "{\"t_ms\":%.3f,\"who\":\"%s\",\"event\":\"%s\",\"detail\":\"%s\"}\n",
                           (double)now / 1e6, who, what, clean);
    (void)append(&e->events, line, n > 0 ? (size_t)n : 0);
}

/* Section header, interface, secrets. */
static bool write_head(FILE *f, const text *secrets) {
    uint8_t head[28 + 20];
    put_le(head, 0x0a0d0d0a, 4);
    put_le(head + 4, 28, 4);
    put_le(head + 8, 0x1a2b3c4d, 4);
    put_le(head + 12, 1, 2);
    put_le(head + 14, 0, 2);
    put_le(head + 16, UINT64_MAX, 8);
    put_le(head + 24, 28, 4);
    put_le(head + 28, 1, 4);
    put_le(head + 32, 20, 4);
    put_le(head + 36, 101, 2);
    put_le(head + 38, 0, 2);
    put_le(head + 40, 0, 4);
    put_le(head + 44, 20, 4);
    if (fwrite(head, 1, sizeof head, f) != sizeof head || secrets->len == 0) {
        return secrets->len == 0;
    }
    const size_t padding = (4 - secrets->len % 4) % 4;
    const size_t total = 20 + secrets->len + padding;
    uint8_t block[16];
    uint8_t end[8] = {0};
    put_le(block, 10, 4); /* Decryption Secrets Block */
    put_le(block + 4, total, 4);
    put_le(block + 8, 0x544c534b, 4); /* TLS key log */
    put_le(block + 12, secrets->len, 4);
    put_le(end + padding, total, 4);
    return fwrite(block, 1, sizeof block, f) == sizeof block &&
           fwrite(secrets->data, 1, secrets->len, f) == secrets->len &&
           fwrite(end, 1, padding + 4, f) == padding + 4;
}

static bool write_file(const char *dir, const char *stem, const char *suffix, bool headed,
                       const wzp_evidence *e, const text *body, char why[256]) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.%s", dir, stem, suffix);
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL && (!headed || write_head(f, &e->secrets)) &&
              fwrite(body->data, 1, body->len, f) == body->len;
    ok = (f == NULL || fclose(f) == 0) && ok;
    if (!ok) {
        (void)snprintf(why, 256, "%.180s: %s", path, wzp_io_reason(errno));
    }
    return ok;
}

bool wzp_evidence_write(const wzp_evidence *e, const char *dir, const char *stem, char why[256]) {
    return write_file(dir, stem, "pcapng", true, e, &e->packets, why) &&
           write_file(dir, stem, "keys", false, e, &e->secrets, why) &&
           write_file(dir, stem, "jsonl", false, e, &e->events, why);
}
