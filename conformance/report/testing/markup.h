/* Is a text well-formed?  Small checkers for tests; they know what our writers use. */
#ifndef WZP_CONFORMANCE_REPORT_TESTING_MARKUP_H
#define WZP_CONFORMANCE_REPORT_TESTING_MARKUP_H

#include <jansson.h>
#include <stdbool.h>

/* Tags nest and close, attributes are quoted, no bare '<' or '&', characters are legal in XML 1.0.
 * html: void elements need no end, and the contents of style and script are skipped. */
bool wzp_ct_markup_ok(const char *text, bool html, char why[160]);

/* JSON Schema, as far as our schema goes: type, enum, const, properties, required,
 * additionalProperties, items, minimum, anyOf and local $ref. */
bool wzp_ct_schema_ok(const json_t *schema, const json_t *value, char why[160]);

#endif
