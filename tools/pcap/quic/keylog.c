#include "tools/pcap/quic/keylog.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/hex.h"

static const char *const labels[WZP_PCAP_QUIC_LABEL_COUNT] = {
    [WZP_PCAP_QUIC_SERVER_HANDSHAKE] = "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    [WZP_PCAP_QUIC_CLIENT_HANDSHAKE] = "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    [WZP_PCAP_QUIC_SERVER_TRAFFIC] = "SERVER_TRAFFIC_SECRET_0",
    [WZP_PCAP_QUIC_CLIENT_TRAFFIC] = "CLIENT_TRAFFIC_SECRET_0",
    [WZP_PCAP_QUIC_CLIENT_EARLY] = "CLIENT_EARLY_TRAFFIC_SECRET",
};

static void forget(wzp_pcap_quic_logged *entry) {
    OPENSSL_cleanse(entry, sizeof *entry);
    free(entry);
}

void wzp_pcap_quic_keylog_clear(wzp_pcap_quic_keylog *log) {
    while (log->first != NULL) {
        wzp_pcap_quic_logged *entry = log->first;
        log->first = entry->next;
        forget(entry);
    }
    wzp_pcap_quic_table_clear(&log->table);
    *log = (wzp_pcap_quic_keylog){0};
}

static uint64_t hash_of(const uint8_t random[32]) {
    return wzp_pcap_quic_hash(wzp_bytes_of(random, 32), 0);
}

static wzp_pcap_quic_logged *find(const wzp_pcap_quic_keylog *log, const uint8_t random[32]) {
    wzp_pcap_quic_node *node = wzp_pcap_quic_table_first(&log->table, hash_of(random));
    while (node != NULL) {
        wzp_pcap_quic_logged *entry = WZP_OWNER_OF(node, wzp_pcap_quic_logged, node);
        if (memcmp(entry->random, random, sizeof entry->random) == 0) {
            return entry;
        }
        node = wzp_pcap_quic_table_next(node);
    }
    return NULL;
}

const wzp_pcap_quic_logged *wzp_pcap_quic_keylog_find(const wzp_pcap_quic_keylog *log,
                                                      const uint8_t random[32]) {
    return find(log, random);
}

static void forget_oldest(wzp_pcap_quic_keylog *log) {
    wzp_pcap_quic_logged *oldest = log->first;
    log->first = oldest->next;
    *(log->first != NULL ? &log->first->older : &log->last) = NULL;
    wzp_pcap_quic_table_remove(&log->table, &oldest->node);
    forget(oldest);
    log->dropped++;
}

static wzp_pcap_quic_logged *add(wzp_pcap_quic_keylog *log, const uint8_t random[32]) {
    wzp_pcap_quic_logged *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        return NULL;
    }
    memcpy(entry->random, random, sizeof entry->random);
    entry->node.hash = hash_of(random);
    if (log->table.count == WZP_PCAP_QUIC_SECRETS_MAX) {
        forget_oldest(log);
    }
    if (wzp_pcap_quic_table_add(&log->table, &entry->node) != WZP_OK) {
        free(entry);
        return NULL;
    }
    entry->older = log->last;
    *(log->last != NULL ? &log->last->next : &log->first) = entry;
    log->last = entry;
    return entry;
}

/* The bytes before the first blank; *text is what follows the blanks. */
static wzp_bytes word(wzp_bytes *text) {
    size_t len = 0;
    while (len < text->len && text->data[len] > ' ') {
        len++;
    }
    const wzp_bytes out = wzp_bytes_of(text->data, len);
    while (len < text->len && text->data[len] <= ' ') {
        len++;
    }
    *text = wzp_bytes_of(text->data + len, text->len - len);
    return out;
}

static size_t label_of(wzp_bytes name) {
    size_t i = 0;
    while (i < WZP_PCAP_QUIC_LABEL_COUNT && !wzp_bytes_equal(name, wzp_bytes_str(labels[i]))) {
        i++;
    }
    return i;
}

static wzp_err add_line(wzp_pcap_quic_keylog *log, wzp_bytes line) {
    const size_t label = label_of(word(&line));
    const wzp_bytes random_text = word(&line);
    const wzp_bytes secret_text = word(&line);
    wzp_pcap_quic_secret secret = {.len = (uint8_t)(secret_text.len / 2)};
    uint8_t random[32];
    if (label == WZP_PCAP_QUIC_LABEL_COUNT) {
        return WZP_OK; /* a comment, or of no use here */
    }
    if (line.len > 0 || (secret_text.len != 64 && secret_text.len != 96) ||
        wzp_hex_parse(random, sizeof random, (const char *)random_text.data, random_text.len,
                      NULL) != WZP_OK ||
        wzp_hex_parse(secret.data, secret.len, (const char *)secret_text.data, secret_text.len,
                      NULL) != WZP_OK) {
        log->bad++;
        return WZP_OK;
    }
    wzp_pcap_quic_logged *entry = find(log, random);
    entry = entry != NULL ? entry : add(log, random);
    if (entry == NULL) {
        return WZP_ERR_NOMEM;
    }
    entry->secrets[label] = secret;
    OPENSSL_cleanse(&secret, sizeof secret);
    log->taken++;
    return WZP_OK;
}

wzp_err wzp_pcap_quic_keylog_add(wzp_pcap_quic_keylog *log, wzp_bytes text) {
    size_t at = 0;
    while (at < text.len) {
        const uint8_t *line = text.data + at;
        const uint8_t *end = memchr(line, '\n', text.len - at);
        const size_t len = end != NULL ? (size_t)(end - line) : text.len - at;
        const wzp_err err = add_line(log, wzp_bytes_of(line, len));
        if (err != WZP_OK) {
            return err;
        }
        at += len + 1;
    }
    return WZP_OK;
}
