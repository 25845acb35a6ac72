/* Bridged rooms: the configured ones, and call- rooms while somebody is in them (relay sheet 9.4).
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/identity.h"
#include "federation/internal.h"

static const char call_prefix[] = "call-";

static uint64_t key_of(const uint8_t hash[WZP_ROOM_HASH_LEN]) {
    uint64_t key = 0;
    memcpy(&key, hash, sizeof key);
    return key;
}

/* Peers choose the names of calls, but not which bucket they share. */
static size_t bucket_of(const wzp_federation *fed, uint64_t key) {
    const uint64_t mixed = (key ^ fed->bucket_key) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(mixed >> 32) % ROOM_BUCKETS;
}

wzp_fed_room *wzp_fed_room_by_hash(const wzp_federation *fed, const uint8_t hash[8]) {
    const uint64_t key = key_of(hash);
    wzp_fed_room *room = fed->buckets[bucket_of(fed, key)];
    while (room != NULL && room->hash_key != key) {
        room = room->next;
    }
    return room;
}

void wzp_fed_rooms_each(wzp_federation *fed,
                        void (*visit)(wzp_federation *, wzp_fed_room *, void *ctx), void *ctx) {
    for (size_t i = 0; i < ROOM_BUCKETS; i++) {
        wzp_fed_room *next = NULL;
        for (wzp_fed_room *room = fed->buckets[i]; room != NULL; room = next) {
            next = room->next;
            visit(fed, room, ctx);
        }
    }
}

/* --- names ------------------------------------------------------------------------------------ */

static bool is_call(wzp_bytes name) {
    const size_t len = sizeof call_prefix - 1;
    return name.len > len && memcmp(name.data, call_prefix, len) == 0;
}

static wzp_fed_room *make(wzp_federation *fed, wzp_bytes name) {
    wzp_fed_room *room = calloc(1, sizeof *room + fed->peer_count * sizeof room->inlets[0]);
    if (room == NULL) {
        return NULL;
    }
    memcpy(room->name, name.data, name.len);
    wzp_room_hash(room->hash, name);
    room->hash_key = key_of(room->hash);
    room->maker = WZP_FED_NO_PEER;
    wzp_fed_room **bucket = &fed->buckets[bucket_of(fed, room->hash_key)];
    room->next = *bucket;
    *bucket = room;
    return room;
}

static wzp_fed_room *by_name(const wzp_federation *fed, wzp_bytes name) {
    uint8_t hash[WZP_ROOM_HASH_LEN];
    wzp_room_hash(hash, name);
    wzp_fed_room *room = wzp_fed_room_by_hash(fed, hash);
    return room != NULL && wzp_bytes_equal(wzp_bytes_str(room->name), name) ? room : NULL;
}

typedef struct sni_search {
    wzp_bytes name;
    wzp_fed_room *found;
} sni_search;

static void match_sni(wzp_federation *fed, wzp_fed_room *room, void *ctx) {
    sni_search *search = ctx;
    (void)fed;
    if (room->sni[0] != '\0' && wzp_bytes_equal(wzp_bytes_str(room->sni), search->name)) {
        search->found = room;
    }
}

static wzp_fed_room *by_sni(wzp_federation *fed, wzp_bytes name) {
    sni_search search = {name, NULL};
    if (name.len == sizeof((wzp_fed_room){0}.sni) - 1) {
        wzp_fed_rooms_each(fed, match_sni, &search);
    }
    return search.found;
}

static bool may_make(wzp_federation *fed, uint32_t maker) {
    return maker == WZP_FED_NO_PEER || fed->peers[maker].rooms_made < WZP_FED_ROOMS_OF_PEER;
}

/* The bridged room of this name, NULL if it is not bridged.  Rooms of calls are made; `maker` is
 * whose word that is. */
wzp_fed_room *wzp_fed_room_find(wzp_federation *fed, wzp_bytes name, uint32_t maker) {
    if (name.len == 0 || name.len > WZP_FED_NAME_MAX || memchr(name.data, '\0', name.len) != NULL) {
        return NULL;
    }
    wzp_fed_room *room = by_name(fed, name);
    room = room != NULL ? room : by_sni(fed, name);
    if (room != NULL || !is_call(name) || !may_make(fed, maker)) {
        return room;
    }
    room = make(fed, name);
    if (room != NULL && maker != WZP_FED_NO_PEER) {
        room->maker = maker;
        fed->peers[maker].rooms_made++;
    }
    return room;
}

/* --- life ------------------------------------------------------------------------------------- */

static void free_room(wzp_fed_room *room) {
    while (room->origins != NULL) {
        wzp_fed_remove_origin(room, room->origins);
    }
    for (size_t i = 0; i < WZP_FED_LOCAL; i++) {
        free(room->locals[i].members);
    }
    free(room);
}

/* A call's room goes when nobody knows of anyone in it and everybody was told so. */
void wzp_fed_room_settle(wzp_federation *fed, wzp_fed_room *room) {
    if (room->is_configured || room->locals[0].app != NULL || room->locals[1].app != NULL ||
        room->origins != NULL || room->due != 0 || room->is_pending || room->is_changed) {
        return;
    }
    wzp_fed_room **at = &fed->buckets[bucket_of(fed, room->hash_key)];
    while (*at != room) {
        at = &(*at)->next;
    }
    *at = room->next;
    if (room->maker != WZP_FED_NO_PEER) {
        fed->peers[room->maker].rooms_made--;
    }
    free_room(room);
}

wzp_err wzp_fed_rooms_init(wzp_federation *fed, const wzp_federation_cfg *cfg) {
    for (size_t i = 0; i < cfg->room_count; i++) {
        const wzp_bytes name = wzp_bytes_str(cfg->rooms[i]);
        if (name.len == 0 || name.len > WZP_FED_NAME_MAX) {
            return WZP_ERR_INVALID_ARGUMENT;
        }
        wzp_fed_room *room = by_name(fed, name);
        room = room != NULL ? room : make(fed, name);
        if (room == NULL) {
            return WZP_ERR_NOMEM;
        }
        room->is_configured = true;
        if (!is_call(name)) {
            wzp_room_sni_hash(room->sni, name);
        }
    }
    return WZP_OK;
}

static void drop_room(wzp_federation *fed, wzp_fed_room *room, void *ctx) {
    (void)fed;
    (void)ctx;
    free_room(room);
}

void wzp_fed_rooms_clear(wzp_federation *fed) {
    wzp_fed_rooms_each(fed, drop_room, NULL);
}

/* --- local rooms ------------------------------------------------------------------------------ */

wzp_fed_room *wzp_federation_join(wzp_federation *fed, const char *name, void *app, wzp_time now) {
    wzp_fed_room *room = wzp_fed_room_find(fed, wzp_bytes_str(name), WZP_FED_NO_PEER);
    if (room == NULL) {
        return NULL;
    }
    local *slot = &room->locals[strcmp(room->name, name) == 0 ? 0 : 1];
    assert(slot->app == NULL);
    slot->app = app;
    room->refresh_at = wzp_time_after(now, WZP_FED_REFRESH);
    return room;
}

static local *local_of(wzp_fed_room *room, const void *app) {
    return &room->locals[room->locals[0].app == app ? 0 : 1];
}

void wzp_federation_members(wzp_federation *fed, wzp_fed_room *room, const void *app,
                            const wzp_room_participant *items, size_t count, wzp_time now) {
    local *slot = local_of(room, app);
    list *members = wzp_fed_list_copy(fed, items, count, NULL, NULL);
    if (members == NULL || (slot->members != NULL && wzp_fed_list_equal(members, slot->members))) {
        free(members);
        return;
    }
    free(slot->members);
    slot->members = members;
    room->number = wzp_fed_next_number(room->number, now);
    wzp_fed_due(fed, room, ~(peer_set)0, now);
}

void wzp_federation_leave(wzp_federation *fed, wzp_fed_room *room, const void *app, wzp_time now) {
    local *slot = local_of(room, app);
    free(slot->members);
    *slot = (local){NULL, NULL};
    room->number = wzp_fed_next_number(room->number, now);
    wzp_fed_due(fed, room, ~(peer_set)0, now);
    wzp_fed_room_settle(fed, room);
}

void *wzp_fed_room_local(const wzp_fed_room *room, size_t i) {
    return room->locals[i].app;
}

const char *wzp_fed_room_name(const wzp_fed_room *room) {
    return room->name;
}

size_t wzp_fed_room_remote(const wzp_fed_room *room, wzp_room_participant *out, size_t cap) {
    size_t count = 0;
    for (const origin *o = room->origins; o != NULL; o = o->next) {
        for (size_t i = 0; i < o->members->count; i++, count++) {
            if (count < cap && out != NULL) {
                out[count] = o->members->items[i];
            }
        }
    }
    return count;
}
