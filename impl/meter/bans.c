#include "meter/bans.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { CODES = WZP_VIOLATION_COUNT };

/* `used` entries, in no order: looking one up compares hashes that lie side by side. */
struct wzp_bans {
    wzp_bans_cfg cfg;
    size_t used;
    uint64_t changes, pushed_out, not_stored;
    uint64_t hashes[WZP_BANS_MAX];
    wzp_ban entries[WZP_BANS_MAX];
};

wzp_err wzp_bans_new(wzp_bans **out, const wzp_bans_cfg *cfg) {
    wzp_bans *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return WZP_ERR_NOMEM;
    }
    b->cfg = *cfg;
    *out = b;
    return WZP_OK;
}

void wzp_bans_free(wzp_bans **bans) {
    free(*bans);
    *bans = NULL;
}

void wzp_bans_configure(wzp_bans *b, const wzp_bans_cfg *cfg) {
    b->cfg = *cfg;
}

void wzp_bans_configured(const wzp_bans *b, wzp_bans_cfg *out) {
    *out = b->cfg;
}

uint64_t wzp_bans_changes(const wzp_bans *b) {
    return b->changes;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* FNV-1a.  Names that collide only cost a comparison. */
static uint64_t hash_of(const char *name) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static wzp_ban *find(const wzp_bans *b, const char *name) {
    const uint64_t hash = hash_of(name);
    for (size_t i = 0; i < b->used; i++) {
        if (b->hashes[i] == hash && strcmp(b->entries[i].name, name) == 0) {
            return wzp_drop_const(&b->entries[i]);
        }
    }
    return NULL;
}

/* Until when the entry means anything: it bars, or makes the next offence a repetition. */
static wzp_time end_of(const wzp_bans *b, const wzp_ban *ban) {
    wzp_time end = ban->until;
    for (size_t code = 1; code < CODES; code++) {
        const wzp_time remembered =
            ban->last[code] != 0 ? wzp_time_after(ban->last[code], b->cfg.block) : 0;
        end = remembered > end ? remembered : end;
    }
    return end;
}

static bool is_over(const wzp_bans *b, const wzp_ban *ban, wzp_time now) {
    return end_of(b, ban) <= now;
}

static void remove_at(wzp_bans *b, size_t i) {
    b->used--;
    b->entries[i] = b->entries[b->used];
    b->hashes[i] = b->hashes[b->used];
}

static void prune(wzp_bans *b, wzp_time now) {
    for (size_t i = b->used; i-- > 0;) {
        if (is_over(b, &b->entries[i], now)) {
            remove_at(b, i);
        }
    }
}

/* The entry of this address that is over soonest if it has its share, otherwise that of all whose
 * kind may be pushed out; WZP_BANS_MAX: nobody's. */
static size_t victim(const wzp_bans *b, uint64_t address, bool for_block, wzp_time now) {
    size_t own = WZP_BANS_MAX;
    size_t any = WZP_BANS_MAX;
    size_t own_count = 0;
    for (size_t i = 0; i < b->used; i++) {
        const wzp_ban *ban = &b->entries[i];
        const bool bars = ban->is_block && ban->until > now;
        if (address != 0 && ban->address == address) {
            own_count++;
            own = own == WZP_BANS_MAX || ban->until < b->entries[own].until ? i : own;
        }
        if ((!bars || for_block) && (any == WZP_BANS_MAX || ban->until < b->entries[any].until)) {
            any = i;
        }
    }
    if (own_count >= WZP_BANS_PER_ADDRESS) {
        return own;
    }
    return b->used == WZP_BANS_MAX ? any : WZP_BANS_MAX;
}

/* Room for one more entry, NULL: none. */
static wzp_ban *make_room(wzp_bans *b, const char *name, uint64_t address, bool for_block,
                          wzp_time now) {
    prune(b, now);
    const size_t out = victim(b, address, for_block, now);
    if (out < WZP_BANS_MAX) {
        remove_at(b, out);
        b->pushed_out++;
    }
    if (b->used == WZP_BANS_MAX) {
        b->not_stored++;
        return NULL;
    }
    b->hashes[b->used] = hash_of(name);
    wzp_ban *ban = &b->entries[b->used++];
    *ban = (wzp_ban){.address = address};
    (void)snprintf(ban->name, sizeof ban->name, "%s", name);
    return ban;
}

static bool is_name(const char *name) {
    return *name != '\0' && strlen(name) <= WZP_BAN_NAME_MAX;
}

const wzp_ban *wzp_bans_offend(wzp_bans *b, const char *name, uint64_t address, wzp_violation code,
                               wzp_time now) {
    assert(code > WZP_VIOLATION_NONE && code < WZP_VIOLATION_COUNT && now > 0);
    wzp_ban *ban = is_name(name) ? find(b, name) : NULL;
    if (ban == NULL && is_name(name)) {
        ban = make_room(b, name, address, false, now);
    }
    if (ban == NULL) {
        return NULL;
    }
    const bool repeats =
        ban->last[code] != 0 && wzp_time_since(now, ban->last[code]) < b->cfg.block;
    const wzp_time until = wzp_time_after(now, repeats ? b->cfg.block : b->cfg.cooldown);
    const bool was_blocked = ban->is_block && ban->until > now;
    ban->is_block = repeats || was_blocked;
    ban->until = until > ban->until ? until : ban->until;
    ban->code = code;
    ban->last[code] = now;
    ban->offences++;
    b->changes++;
    return ban;
}

const wzp_ban *wzp_bans_find(const wzp_bans *b, const char *name, wzp_time now) {
    const wzp_ban *ban = find(b, name);
    return ban != NULL && ban->until > now ? ban : NULL;
}

bool wzp_bans_put(wzp_bans *b, const wzp_ban *from, wzp_time now) {
    wzp_ban *ban = find(b, from->name);
    if (ban == NULL) {
        ban = make_room(b, from->name, from->address, from->is_block, now);
    }
    if (ban != NULL) {
        *ban = *from;
        b->changes++;
    }
    return ban != NULL;
}

bool wzp_bans_pardon(wzp_bans *b, const char *name) {
    const wzp_ban *ban = find(b, name);
    if (ban == NULL) {
        return false;
    }
    remove_at(b, (size_t)(ban - b->entries));
    b->changes++;
    return true;
}

const wzp_ban *wzp_bans_next(const wzp_bans *b, size_t *at, wzp_time now) {
    while (*at < b->used && is_over(b, &b->entries[*at], now)) {
        ++*at;
    }
    return *at < b->used ? &b->entries[(*at)++] : NULL;
}

const char *wzp_ban_text(const wzp_ban *ban, wzp_time now, char buf[WZP_BAN_TEXT_MAX]) {
    const uint64_t left = (wzp_time_since(ban->until, now) + WZP_S - 1) / WZP_S;
    (void)snprintf(buf, WZP_BAN_TEXT_MAX, "%s, %llu s left",
                   ban->is_block ? "blocked" : "cool-down", (unsigned long long)left);
    return buf;
}

wzp_bans_totals wzp_bans_count(const wzp_bans *b, wzp_time now) {
    wzp_bans_totals totals = {.pushed_out = b->pushed_out, .not_stored = b->not_stored};
    const wzp_ban *ban;
    for (size_t at = 0; (ban = wzp_bans_next(b, &at, now)) != NULL;) {
        totals.entries++;
        totals.cooldowns += ban->until > now && !ban->is_block ? 1 : 0;
        totals.blocks += ban->until > now && ban->is_block ? 1 : 0;
    }
    return totals;
}
