/* Tier G: what follows from a violation (conformance sheet 10).  The first one of a kind bars the
 * offender's fingerprint for the cool-down, one of the same kind within the block's time from the
 * one before bars it for the block's time; kinds are the violation codes, which escalate apart.
 *
 * Sans-IO, fixed memory: WZP_BANS_MAX entries.  When all are taken, a newcomer takes the place of
 * the entry that is over soonest, but a cool-down never that of a block, and one address never has
 * more than WZP_BANS_PER_ADDRESS entries: then its own soonest goes.  Identities cost nothing, so
 * whoever makes thousands of them pushes out his own.
 *
 * A snapshot holds the entries in wall-clock seconds, with a version and a checksum, for a file
 * that outlives the process. */
#ifndef WZP_METER_BANS_H
#define WZP_METER_BANS_H

#include "base/rd.h"
#include "base/wr.h"
#include "meter/meter.h"

#define WZP_BANS_MAX 4096
#define WZP_BANS_PER_ADDRESS 256
#define WZP_BAN_NAME_MAX 96 /* characters of a fingerprint */

typedef struct wzp_bans wzp_bans;

typedef struct wzp_ban {
    char name[WZP_BAN_NAME_MAX + 1];
    uint64_t address;   /* any number that stands for where it came from, 0: unknown */
    bool is_block;      /* not only a cool-down */
    wzp_violation code; /* the last one */
    wzp_time until;
    wzp_time last[WZP_VIOLATION_COUNT]; /* of each code; 0: never */
    uint32_t offences;
} wzp_ban;

typedef struct wzp_bans_cfg {
    uint64_t cooldown, block; /* ns; 0: nobody is barred so */
} wzp_bans_cfg;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_bans_new(wzp_bans **out, const wzp_bans_cfg *cfg);
void wzp_bans_free(wzp_bans **bans);

/* For offences to come. */
void wzp_bans_configure(wzp_bans *bans, const wzp_bans_cfg *cfg);
void wzp_bans_configured(const wzp_bans *bans, wzp_bans_cfg *out);

/* What is known of the offender now; NULL: there was no place for it, or its name is too long or
 * empty.  Borrowed until the next non-const call.  `now` must not be 0. */
const wzp_ban *wzp_bans_offend(wzp_bans *bans, const char *name, uint64_t address,
                               wzp_violation code, wzp_time now);

/* The entry of who is barred at `now`, NULL: he is not. */
const wzp_ban *wzp_bans_find(const wzp_bans *bans, const char *name, wzp_time now);

/* An entry that another list has, by which this one's is replaced.  False: there was no place. */
bool wzp_bans_put(wzp_bans *bans, const wzp_ban *ban, wzp_time now);

/* Forgets all that is known of this name.  False: nothing was. */
bool wzp_bans_pardon(wzp_bans *bans, const char *name);

/* Every entry once, those that only remember an offence too; begin with *at = 0.  NULL: no more. */
const wzp_ban *wzp_bans_next(const wzp_bans *bans, size_t *at, wzp_time now);

/* "cool-down, 3540 s left", "blocked, 86000 s left". */
#define WZP_BAN_TEXT_MAX 64
const char *wzp_ban_text(const wzp_ban *ban, wzp_time now, char buf[WZP_BAN_TEXT_MAX]);

typedef struct wzp_bans_totals {
    size_t entries, cooldowns, blocks; /* now */
    uint64_t pushed_out, not_stored;   /* since the start */
} wzp_bans_totals;
wzp_bans_totals wzp_bans_count(const wzp_bans *bans, wzp_time now);

/* Changes with each offence, pardon and put. */
uint64_t wzp_bans_changes(const wzp_bans *bans);

/* --- snapshot --------------------------------------------------------------------------------- */

/* No snapshot is longer. */
#define WZP_BANS_SNAPSHOT_MAX                                                                      \
    (20 + (size_t)WZP_BANS_MAX *                                                                   \
              (15 + WZP_BAN_NAME_MAX + sizeof(uint64_t) * (WZP_VIOLATION_COUNT - 1)))

/* `unix_s`: the wall clock at `now`.  Addresses are left out: they are private, and hashes of this
 * process.  WZP_ERR_OVERFLOW */
WZP_MUST_USE wzp_err wzp_bans_save(const wzp_bans *bans, wzp_time now, uint64_t unix_s,
                                   wzp_wr *out);

/* Puts every entry of a snapshot that still has a meaning.  A wall clock that was set back bars
 * nobody for longer than the block's time.
 * WZP_ERR_PARSE       no snapshot, or damaged; `fail` (may be NULL) says where
 * WZP_ERR_VERSION     of another version
 * WZP_ERR_TRUNCATED   cut; in all three cases nothing changed */
WZP_MUST_USE wzp_err wzp_bans_load(wzp_bans *bans, wzp_bytes snapshot, wzp_time now,
                                   uint64_t unix_s, wzp_fail *fail);

#endif
