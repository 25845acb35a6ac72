/* A TOML file as a jansson tree, with the line of every value for messages.  toml++ underneath. */
#ifndef WZP_IO_TOML_H
#define WZP_IO_TOML_H

#include <jansson.h>

#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wzp_toml {
    json_t *tree;  /* an object; dates and times are strings in TOML's own form */
    json_t *lines; /* "peers[1].url" -> line, from 1 */
} wzp_toml;

#define WZP_TOML_WHY_MAX 512
#define WZP_TOML_BYTES_MAX (1024 * 1024)

/* On failure `why` is one line, "FILE:LINE:COLUMN: ..." where there is a line.
 * WZP_ERR_IO: errno says why, ENOENT for a file that is not there
 * WZP_ERR_PARSE, WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_toml_load(wzp_toml *out, const char *path, char why[WZP_TOML_WHY_MAX]);

/* The same from memory; `name` stands for the file in messages. */
WZP_MUST_USE wzp_err wzp_toml_parse(wzp_toml *out, const char *text, size_t len, const char *name,
                                    char why[WZP_TOML_WHY_MAX]);

/* Accepts a zeroed object. */
void wzp_toml_clear(wzp_toml *toml);

/* 0 when there is no such value. */
unsigned wzp_toml_line(const wzp_toml *toml, const char *path);

#ifdef __cplusplus
}
#endif

#endif
