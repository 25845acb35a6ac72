#include "relay/quotas.h"

#include <sodium.h>

#include "relay/internal.h"

_Static_assert(sizeof((wzp_relay){0}.account_key) == crypto_shorthash_KEYBYTES, "key of SipHash");

/* --- ids -------------------------------------------------------------------------------------- */

/* The same in each worker and each life of a relay, and unknown to everybody else. */
void wzp_relay_accounts_init(wzp_relay *r) {
    static const char label[] = "wzp relay accounts 1";
    uint8_t input[sizeof label + sizeof r->cfg.seed];
    uint8_t hash[WZP_SHA256_LEN];
    memcpy(input, label, sizeof label);
    memcpy(input + sizeof label, r->cfg.seed, sizeof r->cfg.seed);
    wzp_sha256(hash, wzp_bytes_of(input, sizeof input));
    memcpy(r->account_key, hash, sizeof r->account_key);
    memcpy(&r->account_key_id, hash + sizeof r->account_key, sizeof r->account_key_id);
    wzp_crypto_wipe(input, sizeof input);
    wzp_crypto_wipe(hash, sizeof hash);
}

uint64_t wzp_relay_account_id(const wzp_relay *r, wzp_bytes of) {
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t id = 0;
    crypto_shorthash(hash, of.data, of.len, r->account_key);
    for (size_t i = 0; i < sizeof hash; i++) {
        id = id << 8 | hash[i];
    }
    return id;
}

wzp_quota *wzp_relay_quota(wzp_relay *r, account_kind kind) {
    wzp_quota **quota = &r->quotas[kind];
    if (*quota == NULL && wzp_quota_new(quota, WZP_LIMIT_ACCOUNTS) != WZP_OK) {
        return NULL;
    }
    return *quota;
}

/* --- several workers -------------------------------------------------------------------------- */

size_t wzp_relay_take_spending(wzp_relay *r, wzp_relay_spending *out, size_t cap) {
    size_t count = 0;
    for (unsigned kind = 0; kind < ACCOUNT_COUNT; kind++) {
        wzp_quota_news news;
        const size_t share = cap * (kind + 1) / ACCOUNT_COUNT; /* neither waits for the other */
        while (r->quotas[kind] != NULL && count < share &&
               wzp_quota_take_news(r->quotas[kind], &news, 1) == 1) {
            out[count++] = (wzp_relay_spending){(uint8_t)kind, news};
        }
    }
    return count;
}

void wzp_relay_put_spending(wzp_relay *r, const wzp_relay_spending *in, size_t count,
                            wzp_time now) {
    for (size_t i = 0; i < count; i++) {
        wzp_quota *q = wzp_relay_quota(r, (account_kind)in[i].account);
        if (q != NULL) {
            wzp_quota_put_news(q, &in[i].news, 1, now);
        }
    }
}

/* --- a file ----------------------------------------------------------------------------------- */

wzp_err wzp_relay_quotas_save(const wzp_relay *r, wzp_time now, uint64_t unix_s, wzp_wr *out) {
    const wzp_quota *const tables[ACCOUNT_COUNT] = {r->quotas[ACCOUNT_FINGERPRINT],
                                                    r->quotas[ACCOUNT_ADDRESS]};
    return wzp_quota_save(tables, ACCOUNT_COUNT, r->account_key_id, now, unix_s, out);
}

wzp_err wzp_relay_quotas_load(wzp_relay *r, wzp_bytes snapshot, wzp_time now, uint64_t unix_s,
                              wzp_fail *fail) {
    wzp_quota *tables[ACCOUNT_COUNT];
    for (unsigned kind = 0; kind < ACCOUNT_COUNT; kind++) {
        tables[kind] = wzp_relay_quota(r, (account_kind)kind);
        if (tables[kind] == NULL) {
            return WZP_ERR_NOMEM;
        }
    }
    return wzp_quota_load(tables, ACCOUNT_COUNT, r->account_key_id, snapshot, now, unix_s, fail);
}
