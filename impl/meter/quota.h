/* Tier E across connections: what one fingerprint, and one address, may send in a while and in a
 * month (conformance sheet 7 "as specified").  A bucket of a connection starts full again with each
 * connection; these do not.
 *
 * A fixed table: accounts in sets of WZP_QUOTA_WAYS, which set by the account's id.  Ids are keyed
 * hashes, so that nobody can aim at a set.  When a set is full a newcomer takes the place of the
 * account that has sent least this month and belongs to nobody who is here: whoever wants an
 * account to be forgotten must send more than it did in every other place of a set that he cannot
 * choose.  Integers only, no allocation after creation.  One instance per relay worker. */
#ifndef WZP_METER_QUOTA_H
#define WZP_METER_QUOTA_H

#include <stdbool.h>

#include "base/err.h"
#include "base/time.h"

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
 * a month, 0: any number. */
typedef struct wzp_quota_limits {
    uint32_t senders;
    uint64_t month_bytes;
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

/* Accounts that are kept, and of these open ones; forgotten since the start. */
typedef struct wzp_quota_totals {
    size_t accounts, open;
    uint64_t forgotten, refused;
} wzp_quota_totals;
wzp_quota_totals wzp_quota_count(const wzp_quota *quota);

#endif
