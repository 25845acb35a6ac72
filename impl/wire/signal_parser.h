/* Internal to wire: what the files of the signal parser share. */
#ifndef WZP_WIRE_SIGNAL_PARSER_H
#define WZP_WIRE_SIGNAL_PARSER_H

#include "wire/json.h"
#include "wire/signal_fields.h"

typedef struct wzp_signal_block {
    struct wzp_signal_block *next;
    size_t used, cap;
    _Alignas(16) uint8_t data[];
} wzp_signal_block;

/* Everything that a parsed signal owns, in a chain of blocks that are freed together. */
typedef struct wzp_signal_arena {
    wzp_signal_block *blocks;
} wzp_signal_arena;

/* NULL when out of memory; aligned for any of our types, not cleared. */
void *wzp_signal_arena_take(wzp_signal_arena *arena, size_t size);
void wzp_signal_arena_clear(wzp_signal_arena *arena);

typedef struct wzp_signal_parser {
    wzp_json json;
    wzp_signal_arena *arena;
    bool strict;
    bool unknown_name; /* the failure is a name that a newer peer may use */
} wzp_signal_parser;

static inline bool wzp_signal_parser_failed(const wzp_signal_parser *p) {
    return p->json.rd.fail.code != WZP_OK;
}

/* signal_values.c: the value of one field into its place, which is zero before. */
void wzp_signal_parse_value(wzp_signal_parser *p, const wzp_field *f, void *at);

/* signal_parse.c: an object or, as its fields in order, an array.  `version` is that of signals,
 * NULL for nested objects, which have none. */
void wzp_signal_parse_object(wzp_signal_parser *p, const wzp_fields *object, void *base,
                             uint8_t *version);
void wzp_signal_parse_message(wzp_signal_parser *p, wzp_signal *out);

#endif
