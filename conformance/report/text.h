/* Text of a report on its way into a format.  Much of it comes from the relay under test: reasons,
 * builds, paths.  Whatever bytes it holds, the output stays valid UTF-8 and well-formed, and shows
 * nothing that could act on a terminal or a browser. */
#ifndef WZP_CONFORMANCE_REPORT_TEXT_H
#define WZP_CONFORMANCE_REPORT_TEXT_H

#include <stdint.h>
#include <stdio.h>

/* The code point at *text, which moves on; 0 at the end.  Bytes that are not UTF-8 give U+FFFD one
 * by one, and so do noncharacters. */
uint32_t wzp_ct_text_next(const char **text);

/* Valid UTF-8, cut to whole characters. */
void wzp_ct_text_clean(char *out, size_t cap, const char *text);

/* One line for a terminal: control characters appear as \x1b or \u202e. */
void wzp_ct_put_plain(FILE *out, const char *text);

/* HTML and XML, in elements and in double-quoted attributes. */
void wzp_ct_put_xml(FILE *out, const char *text);

/* One line of Markdown, in a table or outside. */
void wzp_ct_put_markdown(FILE *out, const char *text);

/* Between the quotes of a double-quoted YAML scalar. */
void wzp_ct_put_yaml(FILE *out, const char *text);

/* A relative path as a URL; a scheme or a host cannot come of it. */
void wzp_ct_put_path(FILE *out, const char *path);

#endif
