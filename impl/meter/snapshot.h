/* What the files of bans and quotas share: magic of 7 bytes, version, checksum of all that follows,
 * length of it all, count of entries. */
#ifndef WZP_METER_SNAPSHOT_H
#define WZP_METER_SNAPSHOT_H

#include "base/rd.h"
#include "base/wr.h"

/* CRC-32 as of zlib and PNG, bit by bit: a file is written once in a while. */
uint32_t wzp_snapshot_crc32(wzp_bytes bytes);

/* --- writing: what follows the head goes between these two ------------------------------------ */

/* Where the snapshot begins in `out`. */
uint8_t *wzp_snapshot_begin(wzp_wr *out, const char *magic, uint8_t version);
/* WZP_ERR_OVERFLOW: it did not fit. */
WZP_MUST_USE wzp_err wzp_snapshot_end(wzp_wr *out, uint8_t *begin, uint32_t count);

/* --- reading: failures stick to `rd`, as everywhere ------------------------------------------- */

typedef struct wzp_snapshot_head {
    uint32_t sum, count;
} wzp_snapshot_head;

/* Of another magic, version, or longer than it is: PARSE, VERSION, TRUNCATED. */
wzp_snapshot_head wzp_snapshot_read(wzp_rd *rd, wzp_bytes snapshot, const char *magic,
                                    uint8_t version);
/* PARSE unless this is the checksum; for once `count` is known to be sound. */
void wzp_snapshot_verify(wzp_rd *rd, wzp_bytes snapshot, uint32_t sum);

#endif
