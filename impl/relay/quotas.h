/* The accounts of --enforce on, for whoever drives several workers or keeps a file of them. */
#ifndef WZP_RELAY_QUOTAS_H
#define WZP_RELAY_QUOTAS_H

#include "meter/quota.h"
#include "relay/limits.h"
#include "relay/relay.h"

/* What was taken from one account, which may be a fingerprint's or an address's. */
typedef struct wzp_relay_spending {
    uint8_t account;
    wzp_quota_news news;
} wzp_relay_spending;

/* As wzp_quota_take_news, of all accounts.  What comes out of one worker goes into all others. */
size_t wzp_relay_take_spending(wzp_relay *relay, wzp_relay_spending *out, size_t cap);
void wzp_relay_put_spending(wzp_relay *relay, const wzp_relay_spending *in, size_t count,
                            wzp_time now);

#define WZP_RELAY_QUOTAS_MAX WZP_QUOTA_SNAPSHOT_MAX(2 * WZP_LIMIT_ACCOUNTS)

/* As wzp_quota_save and wzp_quota_load.  Names and addresses are hashed with a key that derives
 * from the relay's seed: the file says nothing of them, and only the same relay can use it. */
WZP_MUST_USE wzp_err wzp_relay_quotas_save(const wzp_relay *relay, wzp_time now, uint64_t unix_s,
                                           wzp_wr *out);
WZP_MUST_USE wzp_err wzp_relay_quotas_load(wzp_relay *relay, wzp_bytes snapshot, wzp_time now,
                                           uint64_t unix_s, wzp_fail *fail);

#endif
