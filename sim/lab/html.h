/* Parts of the pages. */
#ifndef WZP_SIM_LAB_HTML_H
#define WZP_SIM_LAB_HTML_H

#include <stdio.h>

#include "sim/lab/run.h"

extern const char wzp_lab_page_css[]; /* page.css, made by CMake */

/* For elements and double-quoted attributes; control characters and broken UTF-8 become '?'. */
void wzp_lab_html_text(FILE *out, const char *text);

/* From the doctype to the opening of the sheet, and the end of it. */
void wzp_lab_html_begin(FILE *out, const char *title);
void wzp_lab_html_end(FILE *out);

/* One-way delay and loss of a flow, the time packets spent on a line beyond the least, the events
 * of the timeline, and the axis of time below them all. */
void wzp_lab_html_flow(FILE *out, const wzp_lab_result *result, const wzp_lab_flow *flow);
void wzp_lab_html_line(FILE *out, const wzp_lab_result *result, const wzp_lab_line *line);
void wzp_lab_html_timeline(FILE *out, const wzp_lab_result *result);

#endif
