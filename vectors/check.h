/* Checks vector files against this implementation: one verdict per entry, with the field that does
 * not hold, what the file says and what came out. */
#ifndef WZP_VECTORS_CHECK_H
#define WZP_VECTORS_CHECK_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/err.h"

typedef enum wzp_vector_result {
    WZP_VECTOR_PASS,
    WZP_VECTOR_FAIL,
    WZP_VECTOR_SKIP
} wzp_vector_result;

/* Texts are borrowed for the call. */
typedef struct wzp_vector_verdict {
    wzp_vector_result result;
    const char *id, *kind;
    const char *field, *expected, *actual; /* FAIL; `actual` is the reason for SKIP */
} wzp_vector_verdict;

typedef struct wzp_vector_sink {
    void (*verdict)(void *ctx, const wzp_vector_verdict *verdict);
    void *ctx;
    unsigned passed, failed, skipped;
} wzp_vector_sink;

/* Either form: a list of entries with "kind", or an object of sections. */
void wzp_vectors_check(wzp_vector_sink *sink, const json_t *file);

/* Regenerates wire.json and crypto.json from their inputs: every derived field is computed anew by
 * this implementation.  Files go to `out_dir`, or to standard output when it is NULL.  Returns an
 * exit status. */
int wzp_vectors_make(const char *source_dir, const char *out_dir);

/* --- for the checkers ------------------------------------------------------------------------ */

/* One entry under examination; the first mismatch decides its verdict. */
typedef struct wzp_vector_entry {
    wzp_vector_sink *sink;
    const json_t *json;
    const json_t *file; /* that it is from */
    const char *id, *kind;
    bool done; /* a verdict was given */
} wzp_vector_entry;

typedef void wzp_vector_checker(wzp_vector_entry *entry);

wzp_vector_checker *wzp_vectors_wire_checker(const char *kind);      /* NULL: not ours */
wzp_vector_checker *wzp_vectors_crypto_checker(const char *section); /* for each entry */
wzp_vector_checker *wzp_vectors_media_adapt_checker(const char *section);
wzp_vector_checker *wzp_vectors_media_audio_checker(const char *section);
wzp_vector_checker *wzp_vectors_media_fec_checker(const char *section);
wzp_vector_checker *wzp_vectors_media_video_checker(const char *section);

wzp_vector_checker wzp_vectors_check_auth_http, wzp_vectors_check_featherchat;

void wzp_vector_mismatch(wzp_vector_entry *e, const char *field, const char *expected,
                         const char *actual);
void wzp_vector_skip(wzp_vector_entry *e, const char *why);

/* Compare and report; false after a mismatch. */
bool wzp_vector_is_text(wzp_vector_entry *e, const char *field, const char *expected,
                        const char *actual);
bool wzp_vector_is_uint(wzp_vector_entry *e, const char *field, uint64_t expected, uint64_t actual);
bool wzp_vector_is_bytes(wzp_vector_entry *e, const char *field, const char *expected_hex,
                         wzp_bytes actual);

/* A member as text, "" if it is absent or of another type. */
const char *wzp_vector_text(const json_t *object, const char *key);
uint64_t wzp_vector_uint(const json_t *object, const char *key);

/* Decodes a member of hexadecimal text into fresh memory (free it); a mismatch verdict and an
 * empty view if it is not. */
wzp_bytes wzp_vector_hex(wzp_vector_entry *e, const json_t *object, const char *key);

#endif
