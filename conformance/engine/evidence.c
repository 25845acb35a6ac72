#include "conformance/engine/evidence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/sys.h"
#include "trace/inet.h"
#include "trace/pcapng.h"

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

/* Room for `len` bytes more, NULL without memory. */
static uint8_t *room(text *t, size_t len) {
    if (t->len + len > t->cap) {
        size_t cap = t->cap == 0 ? 4096 : t->cap;
        while (cap < t->len + len) {
            cap *= 2;
        }
        char *fresh = realloc(t->data, cap);
        if (fresh == NULL) {
            return NULL;
        }
        t->data = fresh;
        t->cap = cap;
    }
    return (uint8_t *)t->data + t->len;
}

static bool append(text *t, const void *data, size_t len) {
    uint8_t *at = room(t, len);
    if (at != NULL) {
        memcpy(at, data, len);
        t->len += len;
    }
    return at != NULL;
}

/* --- pcapng: raw IP packets around the payloads ----------------------------------------------- */

enum { AROUND_A_PACKET = 64 }; /* trace/pcapng.h */

static const wzp_pcapng_order order = WZP_PCAPNG_LITTLE;

void wzp_evidence_packet(wzp_evidence *e, const wzp_addr *from, const wzp_addr *to,
                         wzp_bytes payload, wzp_time now) {
    if (e == NULL) {
        return;
    }
    uint8_t head[WZP_INET_HEAD_MAX];
    const size_t head_len = wzp_inet_udp_head(head, from, to, 0, payload);
    const size_t cap = AROUND_A_PACKET + head_len + payload.len;
    uint8_t *at = NULL;
    if (head_len > 0 && e->packets.len + payload.len <= WZP_EVIDENCE_MAX) {
        at = room(&e->packets, cap);
    }
    if (at == NULL) {
        e->left_out++;
        return;
    }
    wzp_wr wr;
    wzp_wr_init(&wr, at, cap);
    wzp_pcapng_put_packet(
        &wr, order,
        &(wzp_pcapng_packet){.time = now, .head = wzp_bytes_of(head, head_len), .data = payload});
    e->packets.len += wzp_wr_len(&wr);
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

/* Section, interface, and the secrets in front of all packets. */
static bool write_head(FILE *f, const wzp_evidence *e) {
    enum { AROUND = 256 }; /* the first two blocks, their texts, and what is around the secrets */
    char comment[80];
    const size_t cap = e->secrets.len + AROUND;
    uint8_t *blocks = malloc(cap);
    if (blocks == NULL) {
        errno = ENOMEM;
        return false;
    }
    (void)snprintf(comment, sizeof comment, "%" PRIu64 " packets more were left out", e->left_out);
    wzp_wr wr;
    wzp_wr_init(&wr, blocks, cap);
    wzp_pcapng_put_section(&wr, order,
                           &(wzp_pcapng_section){.program = "wzp-conformance",
                                                 .comment = e->left_out > 0 ? comment : NULL});
    wzp_pcapng_put_interface(&wr, order,
                             &(wzp_pcapng_interface){.link_type = WZP_LINKTYPE_RAW, .digits = 9});
    if (e->secrets.len > 0) {
        wzp_pcapng_put_secrets(&wr, order, wzp_bytes_of(e->secrets.data, e->secrets.len));
    }
    const bool good =
        wzp_wr_end(&wr) == WZP_OK && fwrite(blocks, 1, wzp_wr_len(&wr), f) == wzp_wr_len(&wr);
    free(blocks);
    return good;
}

static bool write_file(const char *dir, const char *stem, const char *suffix, bool headed,
                       const wzp_evidence *e, const text *body, char why[256]) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.%s", dir, stem, suffix);
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL && (!headed || write_head(f, e)) &&
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
