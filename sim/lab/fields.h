/* Reading tables of a scenario into structs, by description: one line per key says its kind, its
 * place and its bounds.  Messages, nearest names, ranges per seed and the JSON schema all come from
 * the same line.
 *
 * A range ("10..50 ms") or a choice ({any_of = [...]}) is drawn from the seed and the key's path,
 * and what was drawn replaces it in the document: that document is the scenario of this seed. */
#ifndef WZP_SIM_LAB_FIELDS_H
#define WZP_SIM_LAB_FIELDS_H

#include "base/addr.h"
#include "sim/lab/doc.h"
#include "sim/lab/near.h"
#include "sim/lab/units.h"

/* --- messages -------------------------------------------------------------------------------- */

#define WZP_LAB_ERRORS_MAX 32

typedef struct wzp_lab_error {
    unsigned line; /* 0: from the command line, or the file as a whole */
    char text[512];
} wzp_lab_error;

typedef struct wzp_lab_errors {
    size_t count; /* what did not fit is counted, too */
    wzp_lab_error list[WZP_LAB_ERRORS_MAX];
} wzp_lab_errors;

/* In the order of the file, one a line. */
void wzp_lab_errors_write(const wzp_lab_errors *errors, FILE *out);

/* --- reading --------------------------------------------------------------------------------- */

typedef struct wzp_lab_reader {
    wzp_lab_doc *doc;
    uint64_t seed;
    wzp_lab_errors *errors;
    void *owner; /* for custom keys */
} wzp_lab_reader;

/* "FILE:LINE: PATH: " and the rest. */
void wzp_lab_complain(const wzp_lab_reader *r, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

typedef enum wzp_lab_kind {
    WZP_LAB_KIND_FLAG,     /* bool */
    WZP_LAB_KIND_QUANTITY, /* of `unit`; an integer of `size` bytes, signed for SKEW */
    WZP_LAB_KIND_WORD,     /* of `words`; its index, in `size` bytes */
    WZP_LAB_KIND_TEXT,     /* char[size] */
    WZP_LAB_KIND_ADDRESS,  /* wzp_addr without a port */
    WZP_LAB_KIND_CUSTOM    /* `take` */
} wzp_lab_kind;

/* Reads `value` into `out`, the struct around the key; complains by itself. */
typedef void wzp_lab_take(wzp_lab_reader *r, const char *path, json_t *value, void *out);

typedef struct wzp_lab_field {
    const char *key;
    const char *about; /* for the schema: a sentence without a full stop */
    wzp_lab_kind kind;
    wzp_lab_unit unit;
    size_t offset, size;
    int64_t low, high; /* bounds of quantities; high 0: what fits */
    const char *const *words;
    wzp_lab_take *take;
    const char *schema; /* CUSTOM: a JSON schema as text */
} wzp_lab_field;

typedef struct wzp_lab_table {
    const char *what; /* "an access link" */
    const wzp_lab_field *fields;
    size_t count;
} wzp_lab_table;

#define WZP_LAB_PLACE(type, member)                                                                \
    .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* The kinds of fields, for keys whose place is `member` of `type`. */
#define WZP_LAB_QUANTITY(type, member, name, of, least, most, text)                                \
    {                                                                                              \
        .key = (name), .about = (text), .kind = WZP_LAB_KIND_QUANTITY, .unit = (of),               \
        .low = (least), .high = (most), WZP_LAB_PLACE(type, member)                                \
    }
#define WZP_LAB_FLAG(type, member, name, text)                                                     \
    { .key = (name), .about = (text), .kind = WZP_LAB_KIND_FLAG, WZP_LAB_PLACE(type, member) }
#define WZP_LAB_WORD(type, member, name, list, text)                                               \
    {                                                                                              \
        .key = (name), .about = (text), .kind = WZP_LAB_KIND_WORD, .words = (list),                \
        WZP_LAB_PLACE(type, member)                                                                \
    }
#define WZP_LAB_TEXT(type, member, name, text)                                                     \
    { .key = (name), .about = (text), .kind = WZP_LAB_KIND_TEXT, WZP_LAB_PLACE(type, member) }
#define WZP_LAB_ADDRESS(type, member, name, text)                                                  \
    { .key = (name), .about = (text), .kind = WZP_LAB_KIND_ADDRESS, WZP_LAB_PLACE(type, member) }
#define WZP_LAB_CUSTOM(name, function, shape, text)                                                \
    {                                                                                              \
        .key = (name), .about = (text), .kind = WZP_LAB_KIND_CUSTOM, .take = (function),           \
        .schema = (shape)                                                                          \
    }

/* Parts of schemas. */
#define WZP_LAB_REF(what) "{\"$ref\":\"#/$defs/" what "\"}"
#define WZP_LAB_REFS(what) "{\"type\":\"object\",\"additionalProperties\":" WZP_LAB_REF(what) "}"
#define WZP_LAB_STRING "{\"type\":\"string\"}"
#define WZP_LAB_STRINGS "{\"type\":[\"string\",\"array\"],\"items\":" WZP_LAB_STRING "}"

/* Fills the keys that are there; `out` has the defaults.  False: it complained. */
bool wzp_lab_read(wzp_lab_reader *r, const char *path, json_t *value, const wzp_lab_table *table,
                  void *out);

/* One value, as a key of its own. */
bool wzp_lab_read_field(wzp_lab_reader *r, const char *path, json_t *value,
                        const wzp_lab_field *field, void *out);

/* The value in a table, drawn if it is a choice; NULL when it is not there. */
json_t *wzp_lab_value(wzp_lab_reader *r, const char *path, json_t *table, const char *key);

/* For keys that are read at another time. */
wzp_lab_take wzp_lab_elsewhere;

/* Complains about a value that is none of `names`. */
void wzp_lab_complain_name(const wzp_lab_reader *r, const char *path, const char *what,
                           const char *name, wzp_lab_name_at *at, const void *list);

/* "what, not 20": says what a value is instead. */
void wzp_lab_complain_type(const wzp_lab_reader *r, const char *path, const char *expected,
                           const json_t *value);

/* "BASE.key" or "key"; "BASE[index]". */
const char *wzp_lab_below(char buf[WZP_LAB_PATH_MAX], const char *base, const char *key);
const char *wzp_lab_below_at(char buf[WZP_LAB_PATH_MAX], const char *base, size_t index);

/* Strings at `path` of an array of strings, or of one string. */
size_t wzp_lab_strings(const wzp_lab_reader *r, const char *path, const json_t *value,
                       const char **out, size_t cap);

#endif
