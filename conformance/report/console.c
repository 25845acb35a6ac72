/* The tree on a terminal: one line per case, and for what is not a plain PASS what was expected and
 * what happened. */
#include <stdlib.h>
#include <string.h>

#include "conformance/report/out.h"
#include "conformance/report/report.h"
#include "conformance/report/summary.h"
#include "conformance/report/text.h"

enum { INDENT = 16, NARROWEST = 40 };

static const char *colour_of(wzp_ct_look look) {
    static const char *const colours[] = {"\033[32m", "\033[31m", "\033[33m", "\033[35m",
                                          "\033[2m"};
    return colours[look];
}

/* Columns of the character that starts at `p`; continuation bytes take none. */
static size_t columns(char c) {
    return ((unsigned char)c & 0xc0) != 0x80 ? 1 : 0;
}

/* Where the line that begins at `text` must end: at a blank if there is one. */
static const char *line_end(const char *text, size_t room) {
    const char *blank = NULL;
    size_t used = 0;
    for (; *text != '\0'; text++) {
        used += columns(*text);
        if (used > room && columns(*text) != 0) {
            return blank != NULL ? blank : text;
        }
        blank = *text == ' ' ? text : blank;
    }
    return text;
}

static void put_wrapped(FILE *out, const char *text, unsigned width) {
    char *plain = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&plain, &len);
    if (memory == NULL) {
        return;
    }
    wzp_ct_put_plain(memory, text);
    (void)fclose(memory);
    const size_t room = width == 0 ? SIZE_MAX : (width > NARROWEST ? width : NARROWEST) - INDENT;
    for (const char *p = plain; p != NULL;) {
        const char *end = line_end(p, room);
        (void)fwrite(p, 1, (size_t)(end - p), out);
        put_char(out, '\n');
        p = *end == '\0' ? NULL : end + (*end == ' ' ? 1 : 0);
        if (p != NULL) {
            put_format(out, "%*s", INDENT, "");
        }
    }
    free(plain);
}

static void put_detail(FILE *out, const char *name, const char *text,
                       const wzp_ct_report_opts *opts) {
    if (*text != '\0') {
        put_format(out, "      %-*s", INDENT - 6, name);
        put_wrapped(out, text, opts->width);
    }
}

static void put_details(FILE *out, const wzp_ct_case_result *c, const wzp_ct_report_opts *opts) {
    const wzp_ct_run *run = wzp_ct_deciding(c);
    put_detail(out, "must", c->info->must, opts);
    put_detail(out, "traffic", c->info->traffic, opts);
    put_detail(out, "expected", run->expected, opts);
    put_detail(out, "actual", run->actual, opts);
    put_detail(out, "because", wzp_ct_reason_text(c->reason), opts);
    for (size_t i = 0; i < sizeof run->evidence / sizeof *run->evidence; i++) {
        put_detail(out, i == 0 ? "evidence" : "", run->evidence[i], opts);
    }
}

static void put_case(FILE *out, const wzp_ct_case_result *c, const wzp_ct_report_opts *opts) {
    char reason[96];
    const wzp_ct_look look = wzp_ct_look_of(c);
    put_format(out, "  %s%-12s%s ", opts->colour ? colour_of(look) : "", wzp_ct_look_name(look),
               opts->colour ? "\033[0m" : "");
    wzp_ct_put_plain(out, c->info->id);
    put_format(out, "%*s", strlen(c->info->id) < 7 ? 7 - (int)strlen(c->info->id) : 1, "");
    wzp_ct_put_plain(out, c->info->title);
    if (*wzp_ct_full_reason(c->reason, wzp_ct_deciding(c), reason) != '\0') {
        put_text(out, "  (");
        wzp_ct_put_plain(out, reason);
        put_char(out, ')');
    }
    if (c->deviation != WZP_CT_DEVIATION_NONE) {
        put_format(out, "  [%s]", wzp_ct_deviation_name(c->deviation));
    }
    put_text(out, c->flaky ? "  [flaky]\n" : "\n");
    if (look != WZP_CT_LOOK_PASS && look != WZP_CT_LOOK_SKIP) {
        put_details(out, c, opts);
    }
}

/* With `quiet` a chapter without anything to say is left out. */
static void put_chapter(FILE *out, const wzp_ct_case_result *cases, size_t count,
                        const wzp_ct_report_opts *opts) {
    bool titled = false;
    for (size_t i = 0; i < count; i++) {
        if (opts->quiet && wzp_ct_look_of(&cases[i]) == WZP_CT_LOOK_PASS) {
            continue;
        }
        if (!titled) {
            put_text(out, opts->colour ? "\033[1m" : "");
            wzp_ct_put_plain(out, wzp_ct_chapter_title(cases[i].info->chapter));
            put_text(out, opts->colour ? "\033[0m\n" : "\n");
            titled = true;
        }
        put_case(out, &cases[i], opts);
    }
}

static void put_head(FILE *out, const wzp_ct_report *r) {
    put_text(out, "target    ");
    wzp_ct_put_plain(out, r->target);
    put_text(out, r->target_build[0] != '\0' ? ", build " : "");
    wzp_ct_put_plain(out, r->target_build);
    put_format(out, "\nmode      %s", wzp_ct_mode_name(r->detected_mode));
    if (r->declared_mode != WZP_CT_MODE_UNKNOWN && r->declared_mode != r->detected_mode) {
        put_format(out, ", declared %s", wzp_ct_mode_name(r->declared_mode));
    }
    put_text(out, r->virtual_time ? ", virtual time\n" : "\n");
}

bool wzp_ct_report_console(FILE *out, const wzp_ct_report *r, const wzp_ct_report_opts *opts) {
    put_head(out, r);
    for (size_t i = 0; i < r->case_count;) {
        const size_t end = wzp_ct_chapter_end(r, i);
        put_chapter(out, r->cases + i, end - i, opts);
        i = end;
    }
    if (r->fatal[0] != '\0') {
        put_text(out, "The run proves nothing: ");
        wzp_ct_put_plain(out, r->fatal);
        put_char(out, '\n');
    }
    put_text(out, r->interrupted ? "The run was interrupted: this is what ran.\n" : "");
    put_text(out, "repeat    ");
    wzp_ct_put_plain(out, r->replay);
    put_format(out,
               "\n%u PASS, %u FAIL, %u INCONCLUSIVE, %u SKIP (%u warnings, %u flaky) in %.1f s\n",
               r->totals.by_grade[WZP_CT_PASS], r->totals.by_grade[WZP_CT_FAIL],
               r->totals.by_grade[WZP_CT_INCONCLUSIVE], r->totals.by_grade[WZP_CT_SKIP],
               r->totals.warnings, r->totals.flaky, r->duration_s);
    return ferror(out) == 0;
}
