/* Tier E across connections: what one fingerprint, and one address, may send in a while and in a
 * month (conformance sheet 7 "as specified").  A bucket of a connection starts full again with each
 * connection; these do not.
 *
 * A fixed table: accounts in sets of WZP_QUOTA_WAYS, which set by the account's id.  Ids are keyed
 * hashes, so that nobody can aim at a set.  When a set is full a newcomer takes the place of the
 * account that has sent least this month and belongs to nobody who is here: whoever wants an
 * account to be forgotten must send more than it did in every other place of a set that he cannot
 * choose.  Integers only, no allocation after creation.
 *
 * Each relay worker has a table of its own.  What one took from its accounts since it was asked
 * last comes out of take_news and goes into the others' tables, so that an account that several
 * charge is over its limit by no more than they took between two exchanges.  A snapshot keeps the
 * months for a file; buckets are full again after a minute anyway.  Both want ids that mean the
 * same everywhere: the hash's key must be the same. */
#ifndef WZP_METER_QUOTA_H
#define WZP_METER_QUOTA_H

#include <stdbool.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/time.h"
#include "base/wr.h"

#define WZP_QUOTA_WAYS 8
#define WZP_QUOTA_MONTH (30 * UINT64_C(86400) * WZP_S)
#define WZP_QUOTA_BURST (60 * WZP_S)     /* a full bucket: 30 s at twice its rate */
#define WZP_QUOTA_AUDIO UINT64_C(32000)  /* bytes per second: 256 kbit/s, also data and control */
#define WZP_QUOTA_VIDEO UINT64_C(625000) /* 5 Mbit/s */
#define WZP_QUOTA_SENDERS_MAX 256

typedef struct wzp_quota wzp_quota;
typedef struct wzp_quota_account wzp_quota_account;

typedef enum wzp_quota_verdict {
    WZP_QUOTA_FINE,
    WZP_QUOTA_RATE, /* its bucket is empty */
    WZP_QUOTA_MONTH_SPENT,
    WZP_QUOTA_VERDICT_COUNT
} wzp_quota_verdict;

/* What an account may send: so many senders' buckets in one, 1 to WZP_QUOTA_SENDERS_MAX; bytes in
 * a month, 0: any number.  A tight one refills at half speed. */
typedef struct wzp_quota_limits {
    uint32_t senders;
    uint64_t month_bytes;
    bool is_tight;
} wzp_quota_limits;

/* `capacity`: accounts, a multiple of WZP_QUOTA_WAYS. */
WZP_MUST_USE wzp_err wzp_quota_new(wzp_quota **out, size_t capacity);
void wzp_quota_free(wzp_quota **quota);

/* The account of this id, which stays until it is closed as often as it was opened.  NULL: all
 * places where it could be belong to others who are here.  Borrowed from `quota`. */
wzp_quota_account *wzp_quota_open(wzp_quota *quota, uint64_t id, wzp_time now);
void wzp_quota_close(wzp_quota_account *account);

/* Takes the bytes, or nothing if it says anything but FINE. */
wzp_quota_verdict wzp_quota_charge(wzp_quota_account *account, const wzp_quota_limits *limits,
                                   bool is_video, size_t bytes, wzp_time now);

/* --- several tables --------------------------------------------------------------------------- */

typedef struct wzp_quota_news {
    uint64_t id, audio, video; /* bytes since the last time */
    wzp_time month_from;
} wzp_quota_news;

/* Of at most `cap` accounts; those that did not fit come first the next time.  Accounts that were
 * forgotten meanwhile are not among them. */
size_t wzp_quota_take_news(wzp_quota *quota, wzp_quota_news *out, size_t cap);
void wzp_quota_put_news(wzp_quota *quota, const wzp_quota_news *news, size_t count, wzp_time now);

/* --- snapshot --------------------------------------------------------------------------------- */

/* Bytes of the longest snapshot of tables with so many accounts together. */
#define WZP_QUOTA_SNAPSHOT_MAX(accounts) (32 + (size_t)(accounts)*25)

/* The months of `count` tables; NULL ones are empty.  `key_id` says which key the ids are hashed
 * with, `unix_s` is the wall clock at `now`.  WZP_ERR_OVERFLOW */
WZP_MUST_USE wzp_err wzp_quota_save(const wzp_quota *const *quotas, size_t count, uint64_t key_id,
                                    wzp_time now, uint64_t unix_s, wzp_wr *out);

/* Into as many tables, which must be there.  Months that are over are left out, and a wall clock
 * that was set back makes none longer. WZP_ERR_PARSE       no snapshot, or damaged; `fail` (may be
 * NULL) says where WZP_ERR_VERSION     of another version WZP_ERR_TRUNCATED   cut
 * WZP_ERR_PEER_STATE  of another key: its ids mean nothing here; in all these cases nothing changed
 */
WZP_MUST_USE wzp_err wzp_quota_load(wzp_quota *const *quotas, size_t count, uint64_t key_id,
                                    wzp_bytes snapshot, wzp_time now, uint64_t unix_s,
                                    wzp_fail *fail);

/* Accounts that are kept, and of these open ones; forgotten since the start. */
typedef struct wzp_quota_totals {
    size_t accounts, open;
    uint64_t forgotten, refused;
} wzp_quota_totals;
wzp_quota_totals wzp_quota_count(const wzp_quota *quota);

#endif
