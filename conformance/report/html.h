/* Shared by the files that write the HTML page. */
#ifndef WZP_CONFORMANCE_REPORT_HTML_H
#define WZP_CONFORMANCE_REPORT_HTML_H

#include <stdio.h>

#include "conformance/report/summary.h"

/* The sign and the word of a look: "<span class="sign fail">...FAIL</span>". */
void wzp_ct_html_sign(FILE *out, wzp_ct_look look, const char *word);
const char *wzp_ct_html_class(wzp_ct_look look);

/* One case as <details>, with its timeline. */
void wzp_ct_html_case(FILE *out, const wzp_ct_case_result *c, bool open);

/* The lanes of one run as inline SVG; nothing if it left no marks. */
void wzp_ct_html_timeline(FILE *out, const wzp_ct_run *run, const char *id);

/* page.css and page.js, made by CMake; the digest is that of the script. */
extern const char wzp_ct_page_css[];
extern const char wzp_ct_page_js[];
extern const unsigned char wzp_ct_page_js_sha256[32];

#endif
