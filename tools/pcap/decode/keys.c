#include "tools/pcap/decode/keys.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/hex.h"

typedef struct media_key {
    uint32_t epoch;
    uint8_t key[WZP_KEY_LEN], session_id[WZP_SESSION_ID_LEN];
} media_key;

/* A nonce and what was sealed with it. */
typedef struct used_nonce {
    uint32_t seq, epoch;
    uint64_t print; /* 0: the place is free */
} used_nonce;

struct wzp_pcap_chain {
    uint8_t client_random[32];
    uint32_t number; /* from 1 */
    bool any;        /* '*' */
    bool settled;    /* `current` fitted once */
    size_t current;  /* index of the newest key that fitted */
    media_key *keys; /* by epoch */
    size_t count, cap;
    used_nonce *nonces; /* WZP_PCAP_NONCES_MAX of them by seq; NULL until something was opened */
};

void wzp_pcap_keys_init(wzp_pcap_keys *keys, bool legacy) {
    *keys = (wzp_pcap_keys){.legacy = legacy};
}

void wzp_pcap_keys_clear(wzp_pcap_keys *keys) {
    for (size_t i = 0; i < keys->count; i++) {
        wzp_pcap_chain *chain = keys->chains[i];
        wzp_crypto_wipe(chain->keys, chain->count * sizeof *chain->keys);
        free(chain->keys);
        free(chain->nonces);
        free(chain);
    }
    free(keys->chains);
    *keys = (wzp_pcap_keys){0};
}

/* --- lines ------------------------------------------------------------------------------------ */

static wzp_pcap_chain *find_chain(const wzp_pcap_keys *keys, const uint8_t *client_random) {
    for (size_t i = 0; i < keys->count; i++) {
        wzp_pcap_chain *chain = keys->chains[i];
        if (client_random == NULL
                ? chain->any
                : !chain->any && memcmp(chain->client_random, client_random, 32) == 0) {
            return chain;
        }
    }
    return NULL;
}

static wzp_err add_chain(wzp_pcap_keys *keys, const uint8_t *client_random, wzp_pcap_chain **out) {
    if (keys->count == WZP_PCAP_CHAINS_MAX) {
        return WZP_ERR_LIMIT;
    }
    if (keys->chains == NULL) {
        keys->chains = calloc(WZP_PCAP_CHAINS_MAX, sizeof(wzp_pcap_chain *));
    }
    wzp_pcap_chain *chain = calloc(1, sizeof *chain);
    if (keys->chains == NULL || chain == NULL) {
        free(chain);
        return WZP_ERR_NOMEM;
    }
    chain->any = client_random == NULL;
    if (client_random != NULL) {
        memcpy(chain->client_random, client_random, sizeof chain->client_random);
    }
    keys->chains[keys->count++] = chain;
    chain->number = (uint32_t)keys->count;
    keys->generation++;
    *out = chain;
    return WZP_OK;
}

static wzp_err make_room(wzp_pcap_chain *chain) {
    if (chain->count < chain->cap) {
        return WZP_OK;
    }
    if (chain->cap == WZP_PCAP_EPOCHS_MAX) {
        return WZP_ERR_LIMIT;
    }
    const size_t cap = chain->cap == 0 ? 2 : chain->cap * 2;
    media_key *larger = malloc(cap * sizeof *larger);
    if (larger == NULL) {
        return WZP_ERR_NOMEM;
    }
    if (chain->count > 0) {
        memcpy(larger, chain->keys, chain->count * sizeof *larger);
        wzp_crypto_wipe(chain->keys, chain->count * sizeof *larger);
    }
    free(chain->keys);
    chain->keys = larger;
    chain->cap = cap;
    return WZP_OK;
}

/* A second key of an epoch stands behind the first: a log may hold two calls of one connection. */
static wzp_err add_key(wzp_pcap_chain *chain, const media_key *key) {
    size_t at = chain->count;
    for (size_t i = 0; i < chain->count; i++) {
        if (chain->keys[i].epoch == key->epoch && memcmp(chain->keys[i].key, key->key, 32) == 0) {
            return WZP_OK;
        }
    }
    const wzp_err err = make_room(chain);
    if (err != WZP_OK) {
        return err;
    }
    for (; at > 0 && chain->keys[at - 1].epoch > key->epoch; at--) {
        chain->keys[at] = chain->keys[at - 1];
    }
    chain->keys[at] = *key;
    chain->count++;
    return WZP_OK;
}

/* The next word of *rest; empty: there is none. */
static wzp_bytes next_word(wzp_bytes *rest) {
    size_t begin = 0;
    while (begin < rest->len && (rest->data[begin] == ' ' || rest->data[begin] == '\t')) {
        begin++;
    }
    size_t end = begin;
    while (end < rest->len && rest->data[end] != ' ' && rest->data[end] != '\t') {
        end++;
    }
    const wzp_bytes word = {rest->data + begin, end - begin};
    *rest = (wzp_bytes){rest->data + end, rest->len - end};
    return word;
}

static bool parse_epoch(uint32_t *out, wzp_bytes word) {
    uint64_t value = 0;
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(word.data[i] - '0');
        if (value > UINT32_MAX) {
            return false;
        }
    }
    *out = (uint32_t)value;
    return word.len > 0;
}

static bool parse_hex32(uint8_t out[32], wzp_bytes word) {
    return wzp_hex_parse(out, 32, (const char *)word.data, word.len, NULL) == WZP_OK;
}

/* "WZP_MEDIA_KEY <random or *> <epoch> <key>" */
static wzp_err take_line(wzp_pcap_keys *keys, wzp_bytes line) {
    uint8_t client_random[32];
    media_key key = {0};
    const wzp_bytes label = next_word(&line);
    if (label.len == 0 || label.data[0] == '#') {
        return WZP_OK;
    }
    const wzp_bytes whose = next_word(&line);
    const wzp_bytes epoch = next_word(&line);
    const wzp_bytes secret = next_word(&line);
    const bool any = wzp_bytes_equal(whose, wzp_bytes_str("*"));
    if (!wzp_bytes_equal(label, wzp_bytes_str("WZP_MEDIA_KEY")) ||
        !(any || parse_hex32(client_random, whose)) || !parse_epoch(&key.epoch, epoch) ||
        !parse_hex32(key.key, secret) || next_word(&line).len != 0) {
        return WZP_ERR_PARSE;
    }
    wzp_session_id_of(key.session_id, key.key);
    wzp_pcap_chain *chain = find_chain(keys, any ? NULL : client_random);
    wzp_err err = WZP_OK;
    if (chain == NULL) {
        err = add_chain(keys, any ? NULL : client_random, &chain);
    }
    if (err == WZP_OK) {
        err = add_key(chain, &key);
    }
    keys->lines += err == WZP_OK;
    wzp_crypto_wipe(&key, sizeof key);
    return err;
}

wzp_err wzp_pcap_keys_take(wzp_pcap_keys *keys, wzp_bytes text, size_t *line) {
    wzp_err err = WZP_OK;
    size_t at = 0;
    for (*line = 1; err == WZP_OK && at < text.len; ++*line) {
        const uint8_t *begin = text.data + at;
        const uint8_t *end = memchr(begin, '\n', text.len - at);
        size_t len = end != NULL ? (size_t)(end - begin) : text.len - at;
        at += len + 1;
        len -= len > 0 && begin[len - 1] == '\r';
        err = take_line(keys, wzp_bytes_of(begin, len));
    }
    *line -= 1;
    return err;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* One packet that is to be opened, and what was tried last. */
typedef struct attempt {
    const wzp_pcap_sealed *sealed;
    uint8_t *out;
    uint32_t seq, legacy; /* legacy: the packet's counter */
    bool with_legacy;
    /* what fitted: */
    const media_key *key;
    bool inside;
} attempt;

static bool fits(const media_key *key, const attempt *a, uint32_t counter, size_t len) {
    uint8_t nonce[WZP_NONCE_LEN];
    if (len < WZP_TAG_LEN || len > WZP_PCAP_PLAIN_MAX) {
        return false;
    }
    const size_t plain = len - WZP_TAG_LEN;
    const uint8_t *data = a->sealed->payload.data;
    wzp_session_nonce(nonce, key->session_id, counter);
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
               a->out, NULL, data, plain, data + plain, a->sealed->hdr, WZP_MEDIA_HDR_LEN, nonce,
               key->key) == 0;
}

/* Outside first: that is what is deployed. */
static bool fits_either(const media_key *key, attempt *a, uint32_t counter) {
    const size_t len = a->sealed->payload.len;
    a->inside = false;
    if (fits(key, a, counter, len)) {
        return true;
    }
    a->inside = a->sealed->report_follows;
    return a->inside && len >= WZP_TAG_LEN && fits(key, a, counter, len + WZP_QUALITY_REPORT_LEN);
}

static bool try_key(wzp_pcap_chain *chain, size_t index, attempt *a) {
    if (index >= chain->count) {
        return false;
    }
    const media_key *key = &chain->keys[index];
    bool opened = fits_either(key, a, a->seq);
    if (!opened && a->with_legacy) {
        const uint32_t back = a->legacy < WZP_PCAP_LEGACY_AHEAD ? a->legacy : 0;
        for (uint32_t i = 0; !opened && i < WZP_PCAP_LEGACY_AHEAD + back; i++) {
            opened = fits_either(key, a, a->legacy - back + i);
        }
    }
    if (opened) {
        a->key = key;
        chain->current = index > chain->current || !chain->settled ? index : chain->current;
        chain->settled = true;
    }
    return opened;
}

/* Current, next, and, for what is late, the one before; all of them until one has fitted. */
static bool try_chain(wzp_pcap_chain *chain, attempt *a) {
    const size_t current = chain->current;
    if (try_key(chain, current, a) || try_key(chain, current + 1, a) ||
        (current > 0 && try_key(chain, current - 1, a))) {
        return true;
    }
    for (size_t i = 0; !chain->settled && i < chain->count; i++) {
        if (try_key(chain, i, a)) {
            return true;
        }
    }
    return false;
}

/* Keys may have come since. */
static void refresh(const wzp_pcap_keys *keys, const wzp_pcap_conn *conn,
                    wzp_pcap_conn_keys *remembered) {
    if (remembered->generation != keys->generation) {
        remembered->generation = keys->generation;
        remembered->own =
            conn->hello || conn->joined ? find_chain(keys, conn->client_random) : NULL;
        remembered->any = find_chain(keys, NULL);
        remembered->misses = 0;
    }
}

/* Other senders of the room.  Once in vain often, it is done for every 16th packet only: most media
 * are not sealed at all. */
static wzp_pcap_chain *try_others(wzp_pcap_keys *keys, wzp_pcap_conn_keys *remembered, attempt *a) {
    if (remembered->last != NULL && try_chain(remembered->last, a)) {
        return remembered->last;
    }
    if (remembered->misses++ >= 64 && remembered->misses % 16 != 0) {
        return NULL;
    }
    const size_t tries =
        keys->count < WZP_PCAP_FOREIGN_TRIES ? keys->count : WZP_PCAP_FOREIGN_TRIES;
    for (size_t i = 0; i < tries; i++) {
        wzp_pcap_chain *chain = keys->chains[remembered->turn++ % keys->count];
        if (chain != remembered->own && chain != remembered->any && chain != remembered->last &&
            try_chain(chain, a)) {
            remembered->misses = 0;
            remembered->last = chain;
            return chain;
        }
    }
    return NULL;
}

/* The header and the tag stand for all that was sealed. */
static uint64_t print_of(const attempt *a, size_t sealed_len) {
    uint64_t words[4];
    uint64_t print = 0;
    memcpy(words, a->sealed->hdr, WZP_MEDIA_HDR_LEN);
    memcpy(words + 2, a->sealed->payload.data + sealed_len - WZP_TAG_LEN, WZP_TAG_LEN);
    for (size_t i = 0; i < WZP_COUNT_OF(words); i++) {
        print = (print ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        print ^= print >> 29;
    }
    return print != 0 ? print : 1;
}

/* Whether the nonce was used for something else.  Without memory nothing is remembered. */
static bool is_again(wzp_pcap_chain *chain, const attempt *a, size_t sealed_len) {
    if (chain->nonces == NULL) {
        chain->nonces = calloc(WZP_PCAP_NONCES_MAX, sizeof *chain->nonces);
    }
    if (chain->nonces == NULL) {
        return false;
    }
    used_nonce *place = &chain->nonces[a->seq % WZP_PCAP_NONCES_MAX];
    const uint64_t print = print_of(a, sealed_len);
    const bool again = place->print != 0 && place->seq == a->seq && place->epoch == a->key->epoch &&
                       place->print != print;
    *place = (used_nonce){a->seq, a->key->epoch, print};
    return again;
}

static void describe(wzp_pcap_chain *chain, const attempt *a, wzp_pcap_media *media) {
    const size_t extra = a->inside ? WZP_QUALITY_REPORT_LEN : 0;
    const size_t sealed_len = a->sealed->payload.len + extra;
    const size_t plain_len = sealed_len - WZP_TAG_LEN - extra;
    media->seal = WZP_PCAP_SEAL_OPENED;
    media->epoch = a->key->epoch;
    media->plain = wzp_bytes_of(a->out, plain_len);
    media->report_inside = a->inside;
    media->nonce_again = is_again(chain, a, sealed_len);
    if (a->inside) {
        wzp_rd rd;
        wzp_rd_init(&rd, wzp_bytes_of(a->out + plain_len, WZP_QUALITY_REPORT_LEN));
        const wzp_err err = wzp_quality_report_parse(&media->packet.report, &rd);
        media->packet.payload.len += err == WZP_OK ? WZP_QUALITY_REPORT_LEN : 0;
    }
}

/* NOLINTBEGIN(readability-non-const-parameter): `out` is written through a struct. */
void wzp_pcap_keys_open(wzp_pcap_keys *keys, const wzp_pcap_conn *conn,
                        wzp_pcap_conn_keys *remembered, const wzp_pcap_sealed *sealed,
                        wzp_pcap_media *media, uint8_t *out) {
    attempt a = {.sealed = sealed,
                 .out = out,
                 .seq = media->packet.hdr.seq,
                 .legacy = remembered->sent[sealed->to_server]++,
                 .with_legacy = keys->legacy};
    media->seal = WZP_PCAP_SEAL_NO_KEY;
    if (keys->count == 0) {
        return;
    }
    refresh(keys, conn, remembered);
    wzp_pcap_chain *chain = NULL;
    if (remembered->own != NULL && try_chain(remembered->own, &a)) {
        chain = remembered->own;
    } else if (remembered->any != NULL && try_chain(remembered->any, &a)) {
        chain = remembered->any;
    } else if (!sealed->to_server) {
        chain = try_others(keys, remembered, &a);
    }
    if (chain != NULL) {
        /* A key of '*' may be several senders', and so may that of the connection's own client, on
         * its way back. */
        const bool told = !chain->any && (sealed->to_server || chain != remembered->own);
        media->sender = told ? chain->number : 0;
        describe(chain, &a, media);
    } else if (remembered->any != NULL || (sealed->to_server && remembered->own != NULL)) {
        media->seal = WZP_PCAP_SEAL_FAILED;
    }
}
/* NOLINTEND(readability-non-const-parameter) */
