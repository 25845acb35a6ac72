/* A scenario file as a tree: read, changed by "--set", drawn from by seeds, shrunk, written back as
 * TOML.  Every value knows where it came from. */
#ifndef WZP_SIM_LAB_DOC_H
#define WZP_SIM_LAB_DOC_H

#include <jansson.h>
#include <stdio.h>

#include "base/bytes.h"
#include "io/toml.h"

#define WZP_LAB_PATH_MAX 192

typedef struct wzp_lab_doc {
    char file[256];
    json_t *tree;  /* an object */
    json_t *lines; /* "host.x.nat" -> line from 1; 0: set from outside */
} wzp_lab_doc;

/* As wzp_toml_load.  The errno of WZP_ERR_IO is kept. */
WZP_MUST_USE wzp_err wzp_lab_doc_load(wzp_lab_doc *out, const char *path,
                                      char why[WZP_TOML_WHY_MAX]);
WZP_MUST_USE wzp_err wzp_lab_doc_parse(wzp_lab_doc *out, wzp_bytes text, const char *name,
                                       char why[WZP_TOML_WHY_MAX]);
WZP_MUST_USE wzp_err wzp_lab_doc_copy(wzp_lab_doc *out, const wzp_lab_doc *doc); /* deep; NOMEM */
void wzp_lab_doc_clear(wzp_lab_doc *doc); /* accepts a zeroed one */

/* "host.y.nat=symrand": replaces or adds a value; tables on the way are made, list elements must
 * be there.  The value is TOML; what is no TOML is taken as a string.  False: `why` says so. */
bool wzp_lab_doc_set(wzp_lab_doc *doc, const char *assignment, char why[WZP_TOML_WHY_MAX]);

/* The value at "call[0].codec"; NULL.  Borrowed. */
json_t *wzp_lab_doc_get(const wzp_lab_doc *doc, const char *path);
/* Takes it away; false: there was none. */
bool wzp_lab_doc_remove(wzp_lab_doc *doc, const char *path);

/* "FILE:LINE" of the value or of the nearest table around it, "--set" for what came from outside,
 * and its line (0 without one) in *line, which may be NULL.  Returns `buf`. */
const char *wzp_lab_doc_where(const wzp_lab_doc *doc, const char *path, char *buf, size_t cap,
                              unsigned *line);

/* TOML that parses to the same tree.  False: the stream has an error. */
bool wzp_lab_doc_write(const wzp_lab_doc *doc, FILE *out);

#endif
