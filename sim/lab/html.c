#include "sim/lab/html.h"

#include <stdint.h>

/* Bytes of a UTF-8 character that begins with `lead`; 0: none begins so. */
static size_t length_of(unsigned char lead) {
    return lead < 0x80                   ? 1
           : lead >= 0xc2 && lead < 0xe0 ? 2
           : lead >= 0xe0 && lead < 0xf0 ? 3
           : lead >= 0xf0 && lead < 0xf5 ? 4
                                         : 0;
}

static size_t whole_character(const char *text) {
    const size_t len = length_of((unsigned char)*text);
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

void wzp_lab_html_text(FILE *out, const char *text) {
    while (*text != '\0') {
        const size_t len = whole_character(text);
        const char c = *text;
        if (len == 0 || ((unsigned char)c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
            (void)fputc('?', out);
        } else if (c == '&' || c == '<' || c == '>' || c == '"') {
            (void)fprintf(out, "&#%d;", c);
        } else {
            (void)fwrite(text, 1, len, out);
        }
        text += len > 0 ? len : 1;
    }
}

void wzp_lab_html_begin(FILE *out, const char *title) {
    (void)fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                "style-src 'unsafe-inline'\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
                out);
    wzp_lab_html_text(out, title);
    (void)fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main class=\"sheet\">\n",
                  wzp_lab_page_css);
}

void wzp_lab_html_end(FILE *out) {
    (void)fputs("</main>\n</body>\n</html>\n", out);
}
