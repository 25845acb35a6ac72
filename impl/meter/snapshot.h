/* What the files of bans and quotas share. */
#ifndef WZP_METER_SNAPSHOT_H
#define WZP_METER_SNAPSHOT_H

#include "base/bytes.h"

/* CRC-32 as of zlib and PNG, bit by bit: a file is written once in a while. */
uint32_t wzp_snapshot_crc32(wzp_bytes bytes);

#endif
