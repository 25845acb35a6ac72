/* The table of quota.h; for its two files only. */
#ifndef WZP_METER_QUOTA_TABLE_H
#define WZP_METER_QUOTA_TABLE_H

#include "meter/quota.h"

/* What is missing from a full bucket, in bytes * 1e9: a fresh account has two zeros, and no
 * division rounds anything away. */
typedef struct bucket {
    uint64_t missing;
    wzp_time at;
} bucket;

struct wzp_quota_account {
    uint64_t id;
    bool used;
    uint32_t open;
    bucket audio, video;
    wzp_time month_from;
    uint64_t month_before; /* of this month, before month_from: the clock's start may lie between */
    uint64_t month_bytes;
    uint64_t new_audio, new_video; /* that other tables do not know of */
};

struct wzp_quota {
    size_t sets, news_at;
    wzp_quota_totals totals;
    wzp_quota_account accounts[];
};

wzp_quota_account *wzp_quota_find_or_make(wzp_quota *quota, uint64_t id, wzp_time now);
uint64_t wzp_quota_month_age(const wzp_quota_account *account, wzp_time now);

#endif
