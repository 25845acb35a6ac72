/* The block list as bytes: a snapshot's head (snapshot.h) and entries.  Times are seconds of the
 * wall clock. */
#include <stdlib.h>

#include "meter/bans.h"
#include "meter/snapshot.h"

enum { VERSION = 1, CODES = WZP_VIOLATION_COUNT };

static const char magic[] = "WZPBANS";

/* --- to wall-clock seconds and back ----------------------------------------------------------- */

static uint64_t to_wall(wzp_time at, wzp_time now, uint64_t unix_s) {
    if (at == 0) {
        return 0;
    }
    if (at >= now) {
        return unix_s + (at - now + WZP_S - 1) / WZP_S;
    }
    const uint64_t ago = (now - at) / WZP_S;
    return unix_s > ago ? unix_s - ago : 1;
}

/* Never further ahead than `most` from now. */
static wzp_time until_from_wall(uint64_t wall, wzp_time now, uint64_t unix_s, uint64_t most) {
    const uint64_t ahead = wall > unix_s ? wall - unix_s : 0;
    return wzp_time_after(now, ahead < most / WZP_S ? ahead * WZP_S : ahead == 0 ? 0 : most);
}

/* 0 for what is longer ago than `most`; what was before our time began was at its first instant. */
static wzp_time last_from_wall(uint64_t wall, wzp_time now, uint64_t unix_s, uint64_t most) {
    const uint64_t ago = unix_s > wall ? unix_s - wall : 0;
    if (wall == 0 || ago >= most / WZP_S + 1) {
        return 0;
    }
    return ago < now / WZP_S ? now - ago * WZP_S : 1;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_entry(wzp_wr *wr, const wzp_ban *ban, wzp_time now, uint64_t unix_s) {
    const wzp_bytes name = wzp_bytes_str(ban->name);
    wzp_wr_u8(wr, (uint8_t)name.len);
    wzp_wr_bytes(wr, name);
    wzp_wr_u8(wr, ban->is_block ? 1 : 0);
    wzp_wr_u8(wr, (uint8_t)ban->code);
    wzp_wr_u32(wr, ban->offences);
    wzp_wr_u64(wr, to_wall(ban->until, now, unix_s));
    for (size_t code = 1; code < CODES; code++) {
        wzp_wr_u64(wr, to_wall(ban->last[code], now, unix_s));
    }
}

wzp_err wzp_bans_save(const wzp_bans *bans, wzp_time now, uint64_t unix_s, wzp_wr *out) {
    const wzp_ban *ban;
    uint32_t count = 0;
    uint8_t *begin = wzp_snapshot_begin(out, magic, VERSION);
    for (size_t at = 0; (ban = wzp_bans_next(bans, &at, now)) != NULL; count++) {
        write_entry(out, ban, now, unix_s);
    }
    return wzp_snapshot_end(out, begin, count);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool is_printable(wzp_bytes name) {
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] <= 0x20 || name.data[i] >= 0x7f) {
            return false;
        }
    }
    return name.len > 0;
}

static void read_entry(wzp_rd *rd, wzp_ban *ban, const wzp_bans_cfg *most, wzp_time now,
                       uint64_t unix_s) {
    *ban = (wzp_ban){0};
    const uint8_t len = wzp_rd_u8(rd, "name length");
    if (len > WZP_BAN_NAME_MAX) {
        (void)wzp_rd_reject(rd, WZP_ERR_PARSE, "name length", 1, len);
    }
    const wzp_bytes name = wzp_rd_bytes(rd, len, "name");
    if (rd->fail.code == WZP_OK && !is_printable(name)) {
        (void)wzp_rd_reject(rd, WZP_ERR_PARSE, "name", name.len, 0);
    }
    if (rd->fail.code == WZP_OK) {
        memcpy(ban->name, name.data, name.len);
    }
    ban->is_block = wzp_rd_u8(rd, "kind") != 0;
    const uint8_t code = wzp_rd_u8(rd, "code");
    if (rd->fail.code == WZP_OK && (code == 0 || code >= CODES)) {
        (void)wzp_rd_reject(rd, WZP_ERR_PARSE, "code", 1, code);
    }
    ban->code = (wzp_violation)(code < CODES ? code : 1);
    ban->offences = wzp_rd_u32(rd, "offences");
    const uint64_t most_until = ban->is_block ? most->block : most->cooldown;
    ban->until = until_from_wall(wzp_rd_u64(rd, "until"), now, unix_s, most_until);
    for (size_t i = 1; i < CODES; i++) {
        ban->last[i] = last_from_wall(wzp_rd_u64(rd, "last offence"), now, unix_s, most->block);
    }
}

static uint32_t read_head(wzp_rd *rd, wzp_bytes snapshot) {
    const wzp_snapshot_head head = wzp_snapshot_read(rd, snapshot, magic, VERSION);
    if (rd->fail.code == WZP_OK && head.count > WZP_BANS_MAX) {
        (void)wzp_rd_reject(rd, WZP_ERR_PARSE, "count", 4, head.count);
    }
    wzp_snapshot_verify(rd, snapshot, head.sum);
    return rd->fail.code == WZP_OK ? head.count : 0;
}

wzp_err wzp_bans_load(wzp_bans *bans, wzp_bytes snapshot, wzp_time now, uint64_t unix_s,
                      wzp_fail *fail) {
    wzp_rd rd;
    wzp_bans_cfg most;
    wzp_rd_init(&rd, snapshot);
    wzp_bans_configured(bans, &most);
    const uint32_t count = read_head(&rd, snapshot);
    wzp_ban *all = calloc((size_t)count + 1, sizeof *all);
    wzp_err err = all != NULL ? rd.fail.code : WZP_ERR_NOMEM;
    for (uint32_t i = 0; i < count && err == WZP_OK; i++) {
        read_entry(&rd, &all[i], &most, now, unix_s);
        err = rd.fail.code;
    }
    if (err == WZP_OK && wzp_rd_left(&rd) > 0) {
        err = wzp_rd_reject(&rd, WZP_ERR_PARSE, "count", 0, count);
    }
    for (uint32_t i = 0; i < count && err == WZP_OK; i++) {
        (void)wzp_bans_put(bans, &all[i], now);
    }
    free(all);
    if (fail != NULL) {
        *fail = rd.fail;
    }
    return err;
}
