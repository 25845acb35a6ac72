/* A strict pull reader and a canonical writer for the JSON of signals (wire sheet 6).
 *
 * Signals need what tree parsers do not give: exact integers up to 2^64-1, byte offsets of errors,
 * values of unknown fields skipped without a depth limit, and no allocation before a length is
 * known to be sane.  Internal to wire and to tools that look at raw signals. */
#ifndef WZP_WIRE_JSON_H
#define WZP_WIRE_JSON_H

#include "base/rd.h"
#include "base/wr.h"

#define WZP_JSON_MAX_DEPTH 127 /* nested containers that are read, not skipped */
#define WZP_JSON_NAME_MAX 192  /* 32 characters, each as an escape of 6: longer than any name */

typedef enum wzp_json_type {
    WZP_JSON_NONE, /* end of input or not a value */
    WZP_JSON_NULL,
    WZP_JSON_BOOL,
    WZP_JSON_NUMBER,
    WZP_JSON_STRING,
    WZP_JSON_ARRAY,
    WZP_JSON_OBJECT
} wzp_json_type;

typedef struct wzp_json {
    wzp_rd rd;
    unsigned depth;
} wzp_json;

void wzp_json_init(wzp_json *json, wzp_bytes text);

/* The type of the next value, without consuming more than white space. */
wzp_json_type wzp_json_peek(wzp_json *json);

/* All of these record SIGNAL_JSON with `field` and the offset on failure, and then do nothing more
 * until the reader is made anew. */
void wzp_json_null(wzp_json *json, const char *field);
bool wzp_json_bool(wzp_json *json, const char *field);
/* Integers only: no fraction, no exponent, no sign. */
uint64_t wzp_json_uint(wzp_json *json, uint64_t max, const char *field);
/* Finite; a number past the range of double is refused. */
double wzp_json_number(wzp_json *json, const char *field);

/* The characters between the quotes as they stand; escapes are checked, UTF-8 is not. */
wzp_bytes wzp_json_raw_string(wzp_json *json, const char *field);

/* A string that is compared, not kept, with its escapes resolved: borrowed from the input or from
 * `buf`.  One that does not fit `buf` comes back with its escapes and so equals no known name. */
wzp_bytes wzp_json_name(wzp_json *json, uint8_t buf[WZP_JSON_NAME_MAX], const char *field);

/* Resolves escapes into `out` (room for raw.len bytes; NULL: only checks) and returns the length.
 * SIZE_MAX: not valid, which may be an escape, a surrogate or the UTF-8. */
size_t wzp_json_unescape(uint8_t *out, wzp_bytes raw);

/* begin '[' or '{', next says whether another element follows (and eats the comma), as in
 *     for (wzp_json_begin(j, '[', f); wzp_json_next(j, ']', &first, f);) element
 * `first` must be true at the start. */
void wzp_json_begin(wzp_json *json, char open, const char *field);
bool wzp_json_next(wzp_json *json, char close, bool *first, const char *field);
/* A key, as wzp_json_name, and its ':'. */
wzp_bytes wzp_json_key(wzp_json *json, uint8_t buf[WZP_JSON_NAME_MAX], const char *field);

/* Any value, of any depth, without recursion.  NOMEM if its nesting cannot be remembered. */
void wzp_json_skip(wzp_json *json, const char *field);

/* Only white space may follow. */
void wzp_json_end(wzp_json *json);

/* Records SIGNAL_JSON here, or at `offset` (of an earlier wzp_rd_offset), unless a failure is
 * recorded already. */
wzp_err wzp_json_reject(wzp_json *json, const char *field, uint64_t got);
wzp_err wzp_json_reject_at(wzp_json *json, size_t offset, const char *field, uint64_t got);

/* Writing: json_write.c. */

void wzp_json_write_uint(wzp_wr *wr, uint64_t value);
void wzp_json_write_string(wzp_wr *wr, wzp_bytes text); /* quoted, escaped where JSON demands */
/* Shortest decimal that reads back as the same f32, with at least one decimal; NaN and infinities
 * become null. */
void wzp_json_write_f32(wzp_wr *wr, float value);

#endif
