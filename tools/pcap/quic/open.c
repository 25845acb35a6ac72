/* Which keys a packet wants, and opening it with them. */
#include <openssl/crypto.h>

#include "tools/pcap/quic/internal.h"

/* --- one packet, one set of keys -------------------------------------------------------------- */

static space space_of(wzp_pcap_quic_type type) {
    switch (type) {
    case WZP_PCAP_QUIC_INITIAL:
        return SPACE_INITIAL;
    case WZP_PCAP_QUIC_HANDSHAKE:
        return SPACE_HANDSHAKE;
    default:
        return SPACE_APP;
    }
}

/* RFC 9000, A.3. */
static uint64_t full_number(uint64_t next, uint64_t truncated, size_t len) {
    const uint64_t window = UINT64_C(1) << (8 * len);
    const uint64_t candidate = (next & ~(window - 1)) | truncated;
    if (candidate + window / 2 <= next && candidate < (UINT64_C(1) << 62) - window) {
        return candidate + window;
    }
    if (candidate > next + window / 2 && candidate >= window) {
        return candidate - window;
    }
    return candidate;
}

/* The header without its protection goes to quic->header. */
static bool unmask(passing *p, wzp_pcap_quic *q, wzp_pcap_quic_keys *keys, uint64_t next) {
    const size_t at = p->head.number_at;
    uint8_t mask[5];
    if (p->bytes.len < at + 4 + WZP_PCAP_QUIC_SAMPLE_LEN ||
        !wzp_pcap_quic_unmask(&keys->mask, &q->crypto, keys->suite, p->bytes.data + at + 4, mask)) {
        return false;
    }
    const uint8_t first = p->bytes.data[0] ^ (mask[0] & (p->is_long ? 0x0f : 0x1f));
    const size_t len = 1 + (size_t)(first & 3);
    uint64_t number = 0;
    memcpy(q->header, p->bytes.data, at);
    q->header[0] = first;
    for (size_t i = 0; i < len; i++) {
        q->header[at + i] = p->bytes.data[at + i] ^ mask[1 + i];
        number = number << 8 | q->header[at + i];
    }
    p->header_len = at + len;
    p->packet.number = full_number(next, number, len);
    return true;
}

static bool open_payload(passing *p, wzp_pcap_quic *q, wzp_pcap_quic_suite suite,
                         wzp_pcap_quic_aead *aead) {
    const wzp_bytes sealed = wzp_pcap_quic_rest(p->bytes, p->header_len);
    if (!wzp_pcap_quic_open(aead, &q->crypto, suite, p->packet.number,
                            wzp_bytes_of(q->header, p->header_len), sealed, q->plain)) {
        return false;
    }
    p->plain = wzp_bytes_of(q->plain, sealed.len - WZP_PCAP_QUIC_TAG_LEN);
    return true;
}

static bool open_with(passing *p, wzp_pcap_quic *q, wzp_pcap_quic_keys *keys, uint64_t next) {
    return unmask(p, q, keys, next) && open_payload(p, q, keys->suite, &keys->aead);
}

/* --- Initial ---------------------------------------------------------------------------------- */

static bool derive_initial(wzp_pcap_quic_keys keys[2], wzp_pcap_quic *q, uint32_t version,
                           const wzp_pcap_quic_cid *dcid) {
    wzp_pcap_quic_secret secrets[2] = {{0}};
    return wzp_pcap_quic_initial_secrets(&q->crypto, version, dcid, secrets) &&
           wzp_pcap_quic_keys_set(&keys[0], &q->crypto, version, WZP_PCAP_QUIC_AES_128,
                                  &secrets[0]) &&
           wzp_pcap_quic_keys_set(&keys[1], &q->crypto, version, WZP_PCAP_QUIC_AES_128,
                                  &secrets[1]);
}

/* Whether it is a client's Initial packet whose keys come from the very id that it bears. */
bool wzp_pcap_quic_probe(wzp_pcap_quic *quic, passing *p) {
    return derive_initial(quic->probe, quic, p->head.version, &p->head.dcid) &&
           open_with(p, quic, &quic->probe[1], 0);
}

void wzp_pcap_quic_adopt(conn *c, const wzp_pcap_quic_cid *dcid, uint32_t version) {
    c->initial_dcid = *dcid;
    c->initial_version = version;
    c->initial[0].known = c->initial[1].known = false;
    c->wants_retry = c->quic->wants_retry = true;
    wzp_pcap_quic_cid_learn(c, true, dcid, UINT64_MAX, (wzp_bytes){0});
}

static wzp_pcap_quic_seal open_initial(passing *p) {
    conn *c = p->c;
    wzp_pcap_quic_keys *keys = &c->initial[p->to_server];
    if (c->initial_version == 0) {
        return WZP_PCAP_QUIC_NO_HELLO;
    }
    if (!keys->known || c->initial_version != p->head.version) {
        c->initial_version = p->head.version; /* both versions derive from the same id */
        if (!derive_initial(c->initial, c->quic, p->head.version, &c->initial_dcid)) {
            return WZP_PCAP_QUIC_BAD_TAG;
        }
    }
    return open_with(p, c->quic, keys, c->next_number[p->to_server][SPACE_INITIAL])
               ? WZP_PCAP_QUIC_CLEAR
               : WZP_PCAP_QUIC_BAD_TAG;
}

/* --- levels whose secrets are logged ---------------------------------------------------------- */

/* NULL: none, or none yet. */
static const wzp_pcap_quic_secret *find_secret(conn *c, wzp_pcap_quic_label label) {
    const wzp_pcap_quic_keylog *log = &c->quic->keylog;
    if (!c->has_hello || c->lookups[label] == log->taken) {
        return NULL;
    }
    c->lookups[label] = log->taken;
    const wzp_pcap_quic_logged *logged = wzp_pcap_quic_keylog_find(log, c->hello.client_random);
    return logged != NULL && logged->secrets[label].len > 0 ? &logged->secrets[label] : NULL;
}

/* Where the ServerHello is missing, and for 0-RTT, the length of the secret leaves two suites. */
static wzp_pcap_quic_suite suite_for(const conn *c, wzp_pcap_quic_label label,
                                     const wzp_pcap_quic_secret *secret) {
    if (c->suite != WZP_PCAP_QUIC_SUITE_UNKNOWN && label != WZP_PCAP_QUIC_CLIENT_EARLY) {
        return c->suite;
    }
    return secret->len == 48 ? WZP_PCAP_QUIC_AES_256 : WZP_PCAP_QUIC_AES_128;
}

/* What a packet that does not open leaves to be tried. */
static bool other_suite(const conn *c, wzp_pcap_quic_keys *keys, wzp_pcap_quic_label label,
                        const wzp_pcap_quic_secret *secret) {
    const bool is_sure = keys->is_proven || (c->suite != WZP_PCAP_QUIC_SUITE_UNKNOWN &&
                                             label != WZP_PCAP_QUIC_CLIENT_EARLY);
    if (is_sure || secret->len != 32) {
        return false;
    }
    const wzp_pcap_quic_suite other =
        keys->suite == WZP_PCAP_QUIC_AES_128 ? WZP_PCAP_QUIC_CHACHA20 : WZP_PCAP_QUIC_AES_128;
    return wzp_pcap_quic_keys_set(keys, &c->quic->crypto, c->version, other, secret);
}

static bool need_keys(conn *c, wzp_pcap_quic_keys *keys, wzp_pcap_quic_label label,
                      wzp_pcap_quic_secret *secret) {
    const bool is_guess = keys->known && !keys->is_proven;
    if (keys->known && (!is_guess || keys->suite == suite_for(c, label, secret) ||
                        c->suite == WZP_PCAP_QUIC_SUITE_UNKNOWN)) {
        return true;
    }
    const wzp_pcap_quic_secret *logged = is_guess ? secret : find_secret(c, label);
    if (logged == NULL) {
        return false;
    }
    *secret = *logged;
    return wzp_pcap_quic_keys_set(keys, &c->quic->crypto, c->version, suite_for(c, label, secret),
                                  secret);
}

static wzp_pcap_quic_seal missing(const conn *c) {
    return c->has_hello ? WZP_PCAP_QUIC_NO_SECRET : WZP_PCAP_QUIC_NO_HELLO;
}

static wzp_pcap_quic_seal open_level(passing *p, logged_keys *level, wzp_pcap_quic_label label) {
    conn *c = p->c;
    const uint64_t next = c->next_number[p->to_server][space_of(p->head.type)];
    if (!need_keys(c, &level->keys, label, &level->secret)) {
        return missing(c);
    }
    if (open_with(p, c->quic, &level->keys, next) ||
        (other_suite(c, &level->keys, label, &level->secret) &&
         open_with(p, c->quic, &level->keys, next))) {
        level->keys.is_proven = true;
        if (label != WZP_PCAP_QUIC_CLIENT_EARLY) {
            c->suite = level->keys.suite;
        }
        return WZP_PCAP_QUIC_CLEAR;
    }
    return WZP_PCAP_QUIC_BAD_TAG;
}

/* --- 1-RTT and its key updates ---------------------------------------------------------------- */

static bool need_next(const conn *c, app_keys *app) {
    if (!app->has_next || app->next_suite != app->level.keys.suite) {
        app->next_suite = app->level.keys.suite;
        app->next_secret = app->level.secret;
        app->has_next = wzp_pcap_quic_secret_next(&app->next_secret, &c->quic->crypto, c->version,
                                                  app->level.keys.suite) &&
                        wzp_pcap_quic_aead_set(&app->next, &c->quic->crypto, c->version,
                                               app->level.keys.suite, &app->next_secret);
    }
    return app->has_next;
}

static void advance(app_keys *app) {
    wzp_pcap_quic_aead_clear(&app->before);
    app->before = app->level.keys.aead;
    app->level.keys.aead = app->next;
    app->level.secret = app->next_secret;
    app->next = (wzp_pcap_quic_aead){0};
    app->has_before = true;
    app->has_next = false;
    app->generation++;
    app->first_number = UINT64_MAX;
}

bool wzp_pcap_quic_assume(conn *c, bool to_server, wzp_pcap_quic_suite suite,
                          const wzp_pcap_quic_secret *secret) {
    app_keys *app = &c->app[to_server];
    wzp_pcap_quic_aead_clear(&app->next);
    app->has_next = false;
    app->level.secret = *secret;
    c->suite = suite;
    return wzp_pcap_quic_keys_set(&app->level.keys, &c->quic->crypto, c->version, suite, secret);
}

void wzp_pcap_quic_forget_assumed(conn *c) {
    for (size_t i = 0; i < 2; i++) {
        wzp_pcap_quic_keys_clear(&c->app[i].level.keys);
        wzp_pcap_quic_aead_clear(&c->app[i].before);
        wzp_pcap_quic_aead_clear(&c->app[i].next);
        OPENSSL_cleanse(&c->app[i], sizeof c->app[i]);
        c->app[i] = (app_keys){0};
    }
}

static bool open_before(passing *p, app_keys *app) {
    p->packet.key_generation = app->generation - 1;
    return app->has_before && open_payload(p, p->c->quic, app->level.keys.suite, &app->before);
}

static bool open_next(passing *p, app_keys *app) {
    if (!need_next(p->c, app) || !open_payload(p, p->c->quic, app->level.keys.suite, &app->next)) {
        return false;
    }
    advance(app);
    p->packet.key_generation = app->generation;
    p->key_update = true;
    return true;
}

/* The phase bit tells a neighbour from the present generation; the number tells which neighbour is
 * the likely one (RFC 9001, 6.3 and 6.5). */
static bool open_generation(passing *p, app_keys *app) {
    const bool phase = (p->c->quic->header[0] & 0x04) != 0;
    if (phase == ((app->generation & 1) != 0)) {
        p->packet.key_generation = app->generation;
        return open_payload(p, p->c->quic, app->level.keys.suite, &app->level.keys.aead);
    }
    if (app->has_before && p->packet.number < app->first_number) {
        return open_before(p, app) || open_next(p, app);
    }
    return open_next(p, app) || open_before(p, app);
}

/* Before anything has opened on a way whose beginning is missing, the higher bits of a number can
 * only be guessed; what is reserved says that a guess is not worth it (RFC 9000, 17.3.1). */
static bool open_any_number(passing *p, app_keys *app) {
    static const uint16_t guesses[] = {1024, 64, 4, 1}; /* by length: 4 million packets or less */
    wzp_pcap_quic *q = p->c->quic;
    const size_t len = p->header_len - p->head.number_at;
    if ((q->header[0] & 0x18) != 0) {
        return false;
    }
    for (uint16_t i = 0; i < guesses[len - 1] && q->guesses_left > 0; i++) {
        q->guesses_left--;
        if (open_generation(p, app)) {
            return true;
        }
        p->packet.number += UINT64_C(1) << (8 * len);
    }
    return false;
}

static bool open_app_once(passing *p, app_keys *app) {
    conn *c = p->c;
    const uint64_t next = c->next_number[p->to_server][SPACE_APP];
    return unmask(p, c->quic, &app->level.keys, next) &&
           (c->is_joined && next == 0 ? open_any_number(p, app) : open_generation(p, app));
}

static wzp_pcap_quic_seal open_app(passing *p) {
    conn *c = p->c;
    app_keys *app = &c->app[p->to_server];
    const wzp_pcap_quic_label label =
        p->to_server ? WZP_PCAP_QUIC_CLIENT_TRAFFIC : WZP_PCAP_QUIC_SERVER_TRAFFIC;
    if (!need_keys(c, &app->level.keys, label, &app->level.secret)) {
        return missing(c);
    }
    if (!open_app_once(p, app) &&
        !(other_suite(c, &app->level.keys, label, &app->level.secret) && open_app_once(p, app))) {
        return WZP_PCAP_QUIC_BAD_TAG;
    }
    app->level.keys.is_proven = true;
    app->vain = 0;
    c->suite = app->level.keys.suite;
    if (p->packet.key_generation == app->generation && p->packet.number < app->first_number) {
        app->first_number = p->packet.number;
    }
    p->packet.spin = (c->quic->header[0] & 0x20) != 0;
    return WZP_PCAP_QUIC_CLEAR;
}

/* Whole generations were not captured: their keys are passed over.  Damage looks like that, too,
 * and a search costs more than a packet; so once it was often in vain it is done for few packets.
 */
static bool open_ahead(passing *p, app_keys *app) {
    wzp_pcap_quic *q = p->c->quic;
    const wzp_pcap_quic_suite suite = app->level.keys.suite;
    const bool phase = (q->header[0] & 0x04) != 0;
    wzp_pcap_quic_secret secret = app->level.secret;
    wzp_pcap_quic_aead aead = {0};
    uint32_t ahead = 0;
    bool found = false;
    while (!found && ahead < GENERATIONS_AHEAD &&
           wzp_pcap_quic_secret_next(&secret, &q->crypto, p->c->version, suite)) {
        ahead++;
        found = phase == (((app->generation + ahead) & 1) != 0) &&
                wzp_pcap_quic_aead_set(&aead, &q->crypto, p->c->version, suite, &secret) &&
                open_payload(p, q, suite, &aead);
    }
    for (; found && ahead > 0 && need_next(p->c, app); ahead--) {
        advance(app);
    }
    wzp_pcap_quic_aead_clear(&aead);
    OPENSSL_cleanse(&secret, sizeof secret);
    return found && ahead == 0;
}

static bool is_worth_it(const passing *p, app_keys *app) {
    const conn *c = p->c;
    return p->head.type == WZP_PCAP_QUIC_1RTT && p->packet.seal == WZP_PCAP_QUIC_BAD_TAG &&
           app->level.keys.known && c->suite != WZP_PCAP_QUIC_SUITE_UNKNOWN &&
           (app->vain++ < VAIN_MAX || app->vain % 64 == 0);
}

bool wzp_pcap_quic_opens(passing *p) {
    return open_app(p) == WZP_PCAP_QUIC_CLEAR;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* Contexts of levels that are over are made again for what comes late. */
static void rest(conn *c) {
    wzp_pcap_quic_keys_rest(&c->early.keys);
    for (size_t i = 0; i < 2; i++) {
        wzp_pcap_quic_keys_rest(&c->initial[i]);
        wzp_pcap_quic_keys_rest(&c->handshake[i].keys);
    }
}

/* Numbers of 1-RTT packets; false: this one was there before. */
static bool note_number(conn *c, bool to_server, uint64_t number) {
    uint64_t *seen = c->seen[to_server];
    const uint64_t next = c->next_number[to_server][SPACE_APP];
    const uint64_t bit = UINT64_C(1) << (number % 64);
    uint64_t *word = &seen[number / 64 % (NUMBERS_WINDOW / 64)];
    if (number < next) {
        const bool is_known = next - number <= NUMBERS_WINDOW - 64 && (*word & bit) != 0;
        *word |= next - number <= NUMBERS_WINDOW - 64 ? bit : 0;
        return !is_known;
    }
    uint64_t block = next / 64 + (next % 64 != 0); /* the first one that is not begun */
    if (number / 64 - next / 64 >= NUMBERS_WINDOW / 64) {
        memset(seen, 0, sizeof c->seen[to_server]);
        block = number / 64 + 1;
    }
    for (; block <= number / 64; block++) {
        seen[block % (NUMBERS_WINDOW / 64)] = 0;
    }
    *word |= bit;
    return true;
}

static void opened(passing *p) {
    conn *c = p->c;
    const space in = space_of(p->head.type);
    uint64_t *next = &c->next_number[p->to_server][in];
    const bool is_newest = p->packet.number >= *next;
    if (in == SPACE_APP) {
        p->packet.again = !note_number(c, p->to_server, p->packet.number);
    }
    if (is_newest) {
        *next = p->packet.number + 1;
    }
    p->is_new_path = p->is_new_path && is_newest;
    c->is_finished = c->is_finished || p->head.type == WZP_PCAP_QUIC_1RTT;
    c->has_answer = c->has_answer || !p->to_server || p->head.type == WZP_PCAP_QUIC_HANDSHAKE;
    if (c->is_finished && p->head.type != WZP_PCAP_QUIC_1RTT) {
        rest(c);
    }
}

void wzp_pcap_quic_unseal_ahead(passing *p) {
    conn *c = p->c;
    app_keys *app = &c->app[p->to_server];
    const uint64_t next = c->next_number[p->to_server][SPACE_APP];
    if (is_worth_it(p, app) && unmask(p, c->quic, &app->level.keys, next) &&
        p->packet.number >= next && open_ahead(p, app)) {
        p->packet.key_generation = app->generation;
        p->packet.spin = (c->quic->header[0] & 0x20) != 0;
        p->key_update = true;
        app->first_number = p->packet.number;
        app->vain = 0;
        p->packet.seal = WZP_PCAP_QUIC_CLEAR;
        opened(p);
    } else {
        p->packet.number = 0;
    }
}

static wzp_pcap_quic_seal open_any(passing *p) {
    switch (p->head.type) {
    case WZP_PCAP_QUIC_INITIAL:
        return open_initial(p);
    case WZP_PCAP_QUIC_0RTT:
        return open_level(p, &p->c->early, WZP_PCAP_QUIC_CLIENT_EARLY);
    case WZP_PCAP_QUIC_HANDSHAKE:
        return open_level(p, &p->c->handshake[p->to_server],
                          p->to_server ? WZP_PCAP_QUIC_CLIENT_HANDSHAKE
                                       : WZP_PCAP_QUIC_SERVER_HANDSHAKE);
    case WZP_PCAP_QUIC_1RTT:
        return open_app(p);
    case WZP_PCAP_QUIC_RETRY:
        return wzp_pcap_quic_retry_is_whole(&p->c->quic->crypto, p->head.version,
                                            &p->c->original_dcid, p->bytes)
                   ? WZP_PCAP_QUIC_CLEAR
                   : WZP_PCAP_QUIC_BAD_TAG;
    case WZP_PCAP_QUIC_VERSION_NEGOTIATION:
        break;
    }
    return WZP_PCAP_QUIC_CLEAR;
}

void wzp_pcap_quic_unseal(passing *p) {
    p->plain = (wzp_bytes){0};
    p->packet.seal = p->head.is_cut ? WZP_PCAP_QUIC_CUT : open_any(p);
    if (p->packet.seal == WZP_PCAP_QUIC_CLEAR && p->plain.data != NULL) {
        opened(p);
    } else {
        p->packet.number = 0;
        p->packet.key_generation = 0;
    }
}
