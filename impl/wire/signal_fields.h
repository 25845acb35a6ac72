/* Internal to wire: the run-time form of signal_map.h that parser and writer walk. */
#ifndef WZP_WIRE_SIGNAL_FIELDS_H
#define WZP_WIRE_SIGNAL_FIELDS_H

#include "wire/signal.h"

#define WZP_FIELD_KINDS(X)                                                                         \
    X(U8)                                                                                          \
    X(U16)                                                                                         \
    X(U32)                                                                                         \
    X(U64)                                                                                         \
    X(F32)                                                                                         \
    X(BOOL)                                                                                        \
    X(STR)                                                                                         \
    X(KEY)                                                                                         \
    X(BYTES)                                                                                       \
    X(OPT_STR)                                                                                     \
    X(OPT_U8)                                                                                      \
    X(OPT_U32)                                                                                     \
    X(OPT_F32)                                                                                     \
    X(OPT_KEY)                                                                                     \
    X(OPT_BYTES)                                                                                   \
    X(OPT_RESOLUTION)                                                                              \
    X(CODEC)                                                                                       \
    X(OPT_CODEC)                                                                                   \
    X(LIST_CODEC)                                                                                  \
    X(LIST_U16)                                                                                    \
    X(LIST_U32)                                                                                    \
    X(LIST_STR)                                                                                    \
    X(PRIORITY)                                                                                    \
    X(ACCEPT)                                                                                      \
    X(CODE)                                                                                        \
    X(PROFILE)                                                                                     \
    X(OPT_PROFILE)                                                                                 \
    X(LIST_PROFILE)                                                                                \
    X(REPORT)                                                                                      \
    X(REASON)                                                                                      \
    X(LIST_PARTICIPANT)                                                                            \
    X(LIST_USER)                                                                                   \
    X(SIGNAL)

typedef enum wzp_field_kind {
#define X(kind) WZP_FIELD_##kind,
    WZP_FIELD_KINDS(X)
#undef X
} wzp_field_kind;

typedef enum wzp_field_missing {
    WZP_MISSING_REQUIRED,
    WZP_MISSING_NONE,
    WZP_MISSING_ZERO,
    WZP_MISSING_VERSION_2,
    WZP_MISSING_VERSIONS_2 /* the list [2] */
} wzp_field_missing;

typedef enum wzp_field_write { WZP_WRITE_ALWAYS, WZP_WRITE_OMIT } wzp_field_write;

typedef struct wzp_field {
    const char *name;
    wzp_field_kind kind;
    wzp_field_missing missing;
    wzp_field_write write;
    size_t offset; /* in the struct that the table describes */
} wzp_field;

typedef struct wzp_fields {
    const char *name; /* of the variant or object */
    const wzp_field *fields;
    size_t count;
} wzp_fields;

/* Offsets count from the variant's struct; `version`, common to all, is not in the tables. */
extern const wzp_fields wzp_signal_fields[WZP_SIGNAL_COUNT];
extern const wzp_fields wzp_fields_profile, wzp_fields_report, wzp_fields_participant,
    wzp_fields_user, wzp_fields_mismatch, wzp_fields_policy;

extern const char *const wzp_priority_names[4];
extern const char *const wzp_accept_names[3];
extern const char *const wzp_code_names[WZP_CODE_COUNT];

/* Variants whose body may be absent: "Hold", {"Hold":null}. */
bool wzp_signal_has_no_fields(wzp_signal_kind kind);

#endif
