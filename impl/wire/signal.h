/* All 48 signals: JSON to and from structs (wire sheet 6, 7).
 *
 * One table, signal_map.h, names every field once; the structs below, the parser and the writer
 * all grow from it.  A signal to be sent lives on the caller's stack with borrowed views; a parsed
 * one owns its strings and lists until wzp_signal_free. */
#ifndef WZP_WIRE_SIGNAL_H
#define WZP_WIRE_SIGNAL_H

#include "base/wr.h"
#include "wire/media.h"

typedef enum wzp_priority_mode {
    WZP_PRIORITY_AUDIO_FIRST,
    WZP_PRIORITY_VIDEO_FIRST,
    WZP_PRIORITY_SCREEN_SHARE,
    WZP_PRIORITY_BALANCED
} wzp_priority_mode;

typedef enum wzp_accept_mode {
    WZP_ACCEPT_REJECT,
    WZP_ACCEPT_TRUSTED, /* reveals addresses, direct paths allowed */
    WZP_ACCEPT_GENERIC  /* relay only */
} wzp_accept_mode;

typedef enum wzp_violation_code {
    WZP_CODE_BITRATE,
    WZP_CODE_PACKET_RATE,
    WZP_CODE_TIMESTAMP_DRIFT,
    WZP_CODE_PAYLOAD_SIZE,
    WZP_CODE_RATE_CAP,
    WZP_CODE_ENTROPY,
    WZP_CODE_COUNT
} wzp_violation_code;

typedef enum wzp_hangup_kind {
    WZP_HANGUP_NORMAL,
    WZP_HANGUP_BUSY,
    WZP_HANGUP_DECLINED,
    WZP_HANGUP_TIMEOUT,
    WZP_HANGUP_ERROR, /* also an unknown reason, when read leniently */
    WZP_HANGUP_VERSION_MISMATCH,
    WZP_HANGUP_POLICY_VIOLATION
} wzp_hangup_kind;

const char *wzp_violation_code_name(wzp_violation_code code); /* "Bitrate"; NULL out of range */
const char *wzp_hangup_name(wzp_hangup_kind kind);

/* Lists: `count` elements at `items`; borrowed, or owned by the parsed signal. */
typedef struct wzp_list_u8 {
    const uint8_t *items;
    size_t count;
} wzp_list_u8;
typedef struct wzp_list_u16 {
    const uint16_t *items;
    size_t count;
} wzp_list_u16;
typedef struct wzp_list_u32 {
    const uint32_t *items;
    size_t count;
} wzp_list_u32;
typedef struct wzp_list_str {
    const wzp_bytes *items;
    size_t count;
} wzp_list_str;

typedef struct wzp_opt_str {
    bool present;
    wzp_bytes value;
} wzp_opt_str;
typedef struct wzp_opt_u8 {
    bool present;
    uint8_t value;
} wzp_opt_u8;
typedef struct wzp_opt_u32 {
    bool present;
    uint32_t value;
} wzp_opt_u32;
typedef struct wzp_opt_f32 {
    bool present;
    float value;
} wzp_opt_f32;
typedef struct wzp_opt_key {
    bool present;
    uint8_t value[32];
} wzp_opt_key;
typedef struct wzp_opt_bytes {
    bool present;
    wzp_list_u8 value;
} wzp_opt_bytes;
typedef struct wzp_opt_resolution {
    bool present;
    uint16_t width, height;
} wzp_opt_resolution;
typedef struct wzp_key {
    uint8_t bytes[32];
} wzp_key;

typedef struct wzp_quality_profile {
    uint8_t codec; /* wzp_codec */
    float fec_ratio;
    uint8_t frame_duration_ms, frames_per_block;
    uint8_t priority_mode; /* wzp_priority_mode */
    wzp_opt_u32 video_bitrate_kbps;
    wzp_opt_resolution video_resolution;
    wzp_opt_u8 video_fps;
} wzp_quality_profile;

typedef struct wzp_opt_profile {
    bool present;
    wzp_quality_profile value;
} wzp_opt_profile;
typedef struct wzp_list_profile {
    const wzp_quality_profile *items;
    size_t count;
} wzp_list_profile;

extern const wzp_quality_profile wzp_profile_good, wzp_profile_degraded, wzp_profile_catastrophic,
    wzp_profile_studio_32k, wzp_profile_studio_48k, wzp_profile_studio_64k;

/* The audio profile that a receiver assumes when it meets this codec (wire sheet 4.4); NULL for
 * video and for ids that are not assigned. */
const wzp_quality_profile *wzp_profile_for_codec(uint8_t codec);

typedef struct wzp_room_participant {
    wzp_bytes fingerprint;
    wzp_opt_str alias, relay_label, origin;
} wzp_room_participant;
typedef struct wzp_list_participant {
    const wzp_room_participant *items;
    size_t count;
} wzp_list_participant;

typedef struct wzp_presence_user {
    wzp_bytes fingerprint;
    wzp_opt_str alias;
} wzp_presence_user;
typedef struct wzp_list_user {
    const wzp_presence_user *items;
    size_t count;
} wzp_list_user;

typedef struct wzp_hangup_reason {
    uint8_t kind;                 /* wzp_hangup_kind */
    wzp_list_u8 server_supported; /* VERSION_MISMATCH */
    uint8_t code;                 /* wzp_violation_code, POLICY_VIOLATION */
    wzp_bytes reason;             /* POLICY_VIOLATION */
} wzp_hangup_reason;

struct wzp_signal;
typedef struct wzp_inner_signal {
    const struct wzp_signal *signal;
} wzp_inner_signal;

#include "wire/signal_map.h"

typedef enum wzp_signal_kind {
#define X(name, variant, fields) WZP_SIGNAL_##name,
    WZP_SIGNAL_MAP(X)
#undef X
        WZP_SIGNAL_COUNT
} wzp_signal_kind;

/* One struct per variant, e.g. wzp_signal_Ping. */
#define F(S, type, field, missing, write) WZP_FIELD_TYPE_##type field;
#define X(name, variant, fields)                                                                   \
    typedef struct wzp_signal_##variant {                                                          \
        uint8_t unused_; /* variants without fields need a member */                               \
        fields(F, )                                                                                \
    } wzp_signal_##variant;
WZP_SIGNAL_MAP(X)
#undef X
#undef F

typedef struct wzp_signal {
    wzp_signal_kind kind;
    uint8_t version; /* 1 as written by everyone; Reflect has none on the wire */
    union {
#define X(name, variant, fields) wzp_signal_##variant variant;
        WZP_SIGNAL_MAP(X)
#undef X
    } u;
} wzp_signal;

typedef struct wzp_signal_opts {
    /* Accept and refuse exactly what the deployed programs do: no bare "Hold", no struct Reflect,
     * no unknown names in lists of codecs or profiles, no unknown Hangup reasons (which else are
     * read as Error), and numbers past the range of f32 are infinite. */
    bool strict;
} wzp_signal_opts;

/* Parses one message.  `opts` may be NULL (lenient, wire sheet 6 "DO").  On success the caller
 * frees *out with wzp_signal_free.  SIGNAL_JSON with field and byte offset in *fail (may be NULL),
 * SIGNAL_TOO_LARGE above 1 MiB, NOMEM.  The memory taken is at most some 40 times the JSON's
 * length: the worst case is a list of the shortest participants. */
WZP_MUST_USE wzp_err wzp_signal_parse(wzp_signal **out, wzp_bytes json, const wzp_signal_opts *opts,
                                      wzp_fail *fail);

/* Accepts NULL, leaves NULL. */
void wzp_signal_free(wzp_signal **signal);

/* Canonical JSON; overflow is the writer's. */
void wzp_signal_write(wzp_wr *wr, const wzp_signal *signal);

/* The same into fresh memory, with a terminator that *len does not count; free() it. */
WZP_MUST_USE wzp_err wzp_signal_to_json(char **json, size_t *len, const wzp_signal *signal);

/* "Ping"; static text. */
const char *wzp_signal_name(wzp_signal_kind kind);

/* The variant name of a message that does not parse, for logs: printable, "" if there is none. */
const char *wzp_signal_peek_name(wzp_bytes json, char *buf, size_t cap);

/* A quality profile alone, as nested in signals. */
void wzp_quality_profile_write(wzp_wr *wr, const wzp_quality_profile *profile);

#endif
